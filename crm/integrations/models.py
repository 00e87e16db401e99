"""Connections to other systems that are asked, subscriptions of those that are told, and what was said."""

import json
from datetime import timedelta

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.integrations.ports import topics
from crm.kit.circuit import Circuit
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet
from crm.kit.secrets import decrypt, encrypt


class Outcome(models.TextChoices):
    """How a call to another system ended."""

    FOUND = "found", _("Answered")
    NOTHING = "nothing", _("Nothing on record")
    ADDRESS = "address", _("The address may not be called")
    UNREACHABLE = "unreachable", _("Nobody answers at the address")
    TLS = "tls", _("Its certificate could not be checked")
    TIMEOUT = "timeout", _("No answer in time")
    RESTING = "resting", _("Not asked: it has not answered lately")
    BUSY = "busy", _("Not asked: it is slow, and others are asking")
    REFUSED = "refused", _("It does not accept our key")
    STATUS = "status", _("It answered with an error")
    TOO_LARGE = "too_large", _("The answer is too large")
    WRONG = "wrong", _("The answer is not as expected")
    PROTOCOL = "protocol", _("The answer cannot be understood")

    @property
    def well(self) -> bool:
        """Whether the other system said something that can be used."""
        return self in (Outcome.FOUND, Outcome.NOTHING)


@pghistory.track(exclude=["secret", "checked_at", "checked_outcome"])
class Connection(Owned):
    """Another system that is asked about a person, as an administrator has described it."""

    class Kind(models.TextChoices):
        """How it is spoken to."""

        REST = "rest", _("REST with JSON answers")

    class Authentication(models.TextChoices):
        """How we say who we are."""

        NONE = "none", _("No key")
        BEARER = "bearer", _("Authorization: Bearer …")
        HEADER = "header", _("A header of its own")

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.REST)
    base_url = models.CharField(_("address"), max_length=300)
    path = models.CharField(_("path"), max_length=300)  # with {number} where the person's goes
    authentication = models.CharField(
        max_length=10, choices=Authentication, default=Authentication.NONE
    )
    header = models.CharField(max_length=60, blank=True)
    secret = models.TextField(blank=True)  # encrypted: `key` opens it
    seconds = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    retries = models.PositiveSmallIntegerField(default=1, validators=[MaxValueValidator(3)])
    cache_seconds = models.PositiveIntegerField(default=300, validators=[MaxValueValidator(86_400)])
    keep_hours = models.PositiveSmallIntegerField(default=24, validators=[MaxValueValidator(168)])
    records_at = models.CharField(
        max_length=120, blank=True
    )  # the list in the answer, if it has one
    fields = models.JSONField(default=list)  # [label, where in the answer] in order
    # by which rule and article it may be asked; only what was set up before this was asked for has none
    legal_basis = models.CharField(_("legal basis"), max_length=240, blank=True)
    permission = models.CharField(max_length=80, default=CONSULT_SYSTEMS)  # that its readers hold
    is_active = models.BooleanField(default=True)
    checked_at = models.DateTimeField(null=True)
    checked_outcome = models.CharField(max_length=12, choices=Outcome, blank=True)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="connection_name_once"),
            models.CheckConstraint(
                condition=Q(seconds__range=(1, 10), retries__lte=3), name="connection_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(path__contains="{number}"), name="connection_asks_about_somebody"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The secret in clear, for the call only."""
        return decrypt(self.secret) if self.secret else ""

    @key.setter
    def key(self, text: str) -> None:
        self.secret = encrypt(text) if text else ""

    @property
    def circuit(self) -> Circuit:
        """Whether it is left alone for a while."""
        return Circuit(f"connection:{self.pk}")

    @property
    def keeps_for(self) -> timedelta:
        """How long an answer may be shown, fresh or not."""
        return max(timedelta(hours=self.keep_hours), timedelta(seconds=self.cache_seconds))


class CallLog(Owned):
    """One call of a connection: when, how it ended and how long it took; never about whom.

    Append-only by trigger; the oldest are dropped.
    """

    KEPT = timedelta(days=90)

    class Cause(models.TextChoices):
        """Why it was asked."""

        LOOK_UP = "look_up", _("Look-up of a person")
        TEST = "test", _("Test by an administrator")

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="calls", db_index=False
    )
    at = models.DateTimeField(default=timezone.now)
    cause = models.CharField(max_length=10, choices=Cause)
    outcome = models.CharField(max_length=12, choices=Outcome)
    status = models.PositiveSmallIntegerField(default=0)  # of HTTP; 0: none
    milliseconds = models.PositiveIntegerField()
    size = models.PositiveIntegerField(default=0)
    request_id = models.CharField(max_length=64, blank=True)  # finds who asked in the audit trail

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]
        indexes = [
            models.Index(fields=["connection", "-at", "-id"], name="call_of_connection"),
            models.Index(fields=["at"], name="call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome}"


class KeptAnswer(Owned):
    """What a connection last said of somebody: fresh for a while, then shown with its age, then dropped.

    Whose it is stands there as a keyed digest only, and what it says encrypted.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="answers", db_index=False
    )
    subject = models.CharField(max_length=64)
    content = models.TextField()
    fetched_at = models.DateTimeField()

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "subject"], name="kept_answer_once_per_subject"
            ),
        ]
        indexes = [models.Index(fields=["fetched_at"], name="kept_answer_age")]

    def __str__(self) -> str:
        return f"{self.connection}"


@pghistory.track(
    fields=["name", "url", "topics", "scope", "stopped_at"], model_name="SubscriptionEvent"
)
class Subscription(Owned):
    """Another system that is told what happens here, by signed messages (Standard Webhooks)."""

    class Scope(models.TextChoices):
        """How much it is told."""

        IDENTIFIERS = "identifiers", _("Identifiers and links only")
        CONTENT = "content", _("Also the content, with personal data")

    OLD_SECRET_LASTS = timedelta(hours=24)
    PATIENCE = timedelta(days=3)
    """For so long may every message fail before it is stopped."""

    name = models.CharField(_("name"), max_length=120)
    url = models.CharField(_("address"), max_length=500)
    topics = ArrayField(models.CharField(max_length=80))
    scope = models.CharField(max_length=12, choices=Scope, default=Scope.IDENTIFIERS)
    secret = models.TextField()  # encrypted, like the next
    old_secret = models.TextField(blank=True)  # signs too until then, while the other side changes
    old_secret_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)  # of messages in a row
    stopped_at = models.DateTimeField(null=True)
    stopped_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="subscription_name_once"),
            models.CheckConstraint(condition=~Q(topics=[]), name="subscription_is_to_something"),
            models.CheckConstraint(
                condition=Q(old_secret="", old_secret_until=None)
                | ~Q(old_secret="") & Q(old_secret_until__isnull=False),
                name="subscription_old_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def circuit(self) -> Circuit:
        """Whether it is left alone for a while."""
        return Circuit(f"subscription:{self.pk}")

    @property
    def state(self) -> str:
        """stopped, failing or active."""
        if self.stopped_at:
            return "stopped"
        return "failing" if self.failing_since else "active"


class ThroughDelivery(ScopedQuerySet["Attempt"]):
    """Rows that belong to the organisation of their delivery."""

    organisation_path = "delivery__organisation_id"


class WebhookDelivery(Owned):
    """One event owed to one subscription: once, whatever is carried out twice; the worker's queue."""

    KEPT = timedelta(days=30)
    PLAIN = frozenset({"case", "reference", "number", "url", "text"})
    """The names of `data` that identify a thing and say nothing of anybody."""

    class Status(models.IntegerChoices):
        """Of the whole, whatever single attempts gave."""

        WAITING = 0, _("Waiting")
        LEASED = 1, _("Being sent")
        DELIVERED = 2, _("Delivered")
        GIVEN_UP = 3, _("Given up")

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.CharField(max_length=120)  # the event's own id: `webhook-id`
    topic = models.CharField(max_length=80)
    body = models.TextField()  # exactly as it is sent and signed, also again
    status = models.SmallIntegerField(choices=Status, default=Status.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)  # since it was owed, or asked for again
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("delivery of an event")
        verbose_name_plural = _("deliveries of events")
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "event"], name="webhook_delivery_once_per_event"
            ),
            models.CheckConstraint(
                condition=Q(status=1, lease_until__isnull=False) | ~Q(status=1, lease_until=None),
                name="webhook_delivery_leased_until",
            ),
        ]
        indexes = [
            # the worker's claim: of each subscription what is due first
            models.Index(
                fields=["subscription", "due_at", "id"],
                condition=Q(status__in=[0, 1]),
                name="webhook_delivery_due",
            ),
            models.Index(fields=["subscription", "-id"], name="webhook_delivery_log"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.event}"

    @property
    def topic_label(self) -> str:
        """What happened, in words; its name where no room tells of it."""
        topic = topics.get(self.topic)
        return str(topic.label) if topic else self.topic

    @property
    def shown(self) -> str:
        """The body as who looks after deliveries sees it: what may be personal is left out, since a look
        at it would be a look at a person."""
        try:
            body = json.loads(self.body)
        except ValueError:
            return ""
        data = body.get("data", {})
        body["data"] = {name: data[name] if name in self.PLAIN else "…" for name in data}
        return json.dumps(body, ensure_ascii=False, indent=2)


class Attempt(Base):
    """One time that a delivery was sent, and what came back."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=12, choices=Outcome)
    status = models.PositiveSmallIntegerField(default=0)
    milliseconds = models.PositiveIntegerField()

    objects = ThroughDelivery.as_manager()

    class Meta:
        verbose_name = _("attempt of delivery")
        verbose_name_plural = _("attempts of delivery")
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]
        indexes = [models.Index(fields=["delivery", "id"], name="attempt_of_delivery")]

    def __str__(self) -> str:
        return f"{self.outcome}"


class PublishedService(Owned):
    """A case type offered to other systems by Open311 GeoReport v2, with the words citizens read."""

    code = models.SlugField(_("code"), max_length=60)  # service_code
    name = models.CharField(_("name"), max_length=160)
    description = models.TextField(_("description"), blank=True)
    group = models.CharField(_("group"), max_length=120, blank=True)
    keywords = models.CharField(_("keywords"), max_length=240, blank=True)
    case_type = models.CharField(max_length=60)  # its code: case types lie higher up
    unit = models.ForeignKey("organisations.Unit", on_delete=models.PROTECT, related_name="+")
    public = models.BooleanField(default=False)  # whether what is reported can be read by anybody
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("published service")
        verbose_name_plural = _("published services")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "code"], name="published_service_code_once"
            ),
            models.UniqueConstraint(
                fields=["organisation", "case_type"],
                condition=Q(is_active=True),
                name="published_service_once_per_case_type",
            ),
        ]

    def __str__(self) -> str:
        return self.name
