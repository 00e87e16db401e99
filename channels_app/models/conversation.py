"""Conversations with citizens, what is said and attached in them, and the cases they belong to."""

from typing import Self, TypeVar

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from channels_app.models.account import (
    ChannelAccount,
    ConsentText,
    ContactReason,
    Queue,
    WrapUpCode,
)
from channels_app.permissions import VIEW_CONVERSATION
from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.files import PREVIEWED, Scan
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class State(models.TextChoices):
    """Of a conversation; which may follow which stands in channels_app.states."""

    MACHINE = "machine", _("With the assistant")  # a first level answers, no person yet
    WAITING = "waiting", _("Waiting")
    ACTIVE = "active", _("Being attended")
    WRAP_UP = "wrap_up", _("Wrapping up")  # the citizen has gone, the employee still notes the end
    CLOSED = "closed", _("Closed")


class ConversationQuerySet(ScopedQuerySet["Conversation"]):
    """Conversations by organisation and by the units where the actor may read them."""

    def for_actor(self, actor: Actor) -> "ConversationQuerySet":
        """Those that exist for the actor: without the permission anywhere, only their own."""
        rows = self.filter(organisation=actor.organisation_id)
        reach = actor.reach(VIEW_CONVERSATION)
        if reach.everywhere:
            return rows
        mine = Q(owner=actor.user_id) if actor.user_id else Q(pk__in=[])
        return rows.filter(mine | Q(unit_id__in=sorted(reach.units)))


@pghistory.track(
    fields=["citizen", "queue", "unit", "owner", "state", "wrap_up_code", "closed_at", "version"]
)
class Conversation(Owned):
    """One exchange with one contact on one account, from first word to wrap-up."""

    class EndedBy(models.TextChoices):
        """Who ended it."""

        CITIZEN = "citizen", _("The citizen")
        EMPLOYEE = "employee", _("The employee")
        SYSTEM = "system", _("Nobody answered any more")

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    account = models.ForeignKey(
        ChannelAccount, on_delete=models.PROTECT, related_name="conversations", db_index=False
    )
    unit = models.ForeignKey(  # the queue's, else the account's: who may read it
        "organisations.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    unit_id: int
    queue = models.ForeignKey(
        Queue, on_delete=models.PROTECT, null=True, blank=True, related_name="conversations"
    )
    owner = models.ForeignKey(
        "accounts.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    owner_id: int | None
    state = models.CharField(_("state"), max_length=8, choices=State)
    version = models.PositiveIntegerField(default=1)  # a send says which it saw
    # who writes: what they said of themselves, and who they were found to be (never by guess)
    citizen = models.ForeignKey(
        Citizen,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="conversations",
        db_index=False,
    )
    contact_name = models.CharField(_("name"), max_length=150, blank=True)
    contact_address = models.CharField(_("email address"), max_length=254, blank=True)
    external_contact = models.CharField(max_length=200, blank=True)  # the provider's id of them
    language = models.CharField(_("language"), max_length=16, default="es")
    reason = models.ForeignKey(
        ContactReason, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    subject = models.CharField(_("subject"), max_length=240, blank=True)
    consent = models.ForeignKey(
        ConsentText, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    consent_at = models.DateTimeField(null=True, blank=True)
    page = models.CharField(max_length=500, blank=True)  # address of the page that it began on
    # secrets by which the other side is known again
    visitor_digest = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - NULL: no visitor's token
    start_key = models.UUIDField(null=True)  # the form's own, so that sent twice it opens one
    thread_token = models.CharField(max_length=40, null=True, unique=True)  # noqa: DJ001 - NULL: no mail thread
    # when
    opened_at = models.DateTimeField(_("opened"), db_default=Now())
    accepted_at = models.DateTimeField(null=True)  # by the first employee
    answered_at = models.DateTimeField(null=True)  # first word of an employee
    last_inbound_at = models.DateTimeField(null=True)  # opens a provider's window for answers
    last_message_at = models.DateTimeField(null=True)
    visitor_seen_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # nothing more is said
    ended_by = models.CharField(max_length=8, choices=EndedBy, blank=True)
    closed_at = models.DateTimeField(null=True)
    wrap_up_code = models.ForeignKey(
        WrapUpCode, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    transcript_to = models.CharField(max_length=254, blank=True)  # who asked for it, by e-mail
    last_number = models.PositiveIntegerField(default=0)  # of its newest message
    read_number = models.PositiveIntegerField(default=0)  # by the employee
    visitor_read_number = models.PositiveIntegerField(default=0)

    cases = models.ManyToManyField(
        Case, through="channels_app.ConversationCase", related_name="conversations"
    )

    objects = ConversationQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[State.MACHINE, State.WAITING], owner=None)
                | Q(state__in=[State.ACTIVE, State.WRAP_UP], owner__isnull=False)
                | Q(state=State.CLOSED),
                name="conversation_attended_by_its_owner",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.WAITING) | Q(queue__isnull=False),
                name="conversation_waits_in_a_queue",
            ),
            models.CheckConstraint(
                condition=Q(state=State.CLOSED, closed_at__isnull=False)
                | ~Q(state=State.CLOSED) & Q(closed_at=None),
                name="conversation_closed_iff_dated",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.WRAP_UP, State.CLOSED], ended_at__isnull=False)
                | ~Q(state__in=[State.WRAP_UP, State.CLOSED]) & Q(ended_at=None),
                name="conversation_ended_iff_dated",
            ),
            models.CheckConstraint(
                condition=Q(consent=None, consent_at=None)
                | Q(consent__isnull=False, consent_at__isnull=False),
                name="conversation_consent_iff_dated",
            ),
            models.UniqueConstraint(  # two callbacks at once open one conversation
                fields=["account", "external_contact"],
                condition=~Q(external_contact="") & Q(ended_at=None),
                name="conversation_one_open_per_contact",
            ),
            models.UniqueConstraint(
                fields=["account", "start_key"],
                condition=Q(start_key__isnull=False),
                name="conversation_started_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-opened_at", "-id"], name="conversation_new"),
            models.Index(fields=["unit", "-opened_at", "-id"], name="conversation_unit_new"),
            models.Index(fields=["citizen", "-opened_at"], name="conversation_citizen"),
            models.Index(
                fields=["owner", "-last_message_at"],
                condition=Q(closed_at=None),
                name="conversation_mine",
            ),
            models.Index(  # whom nobody hears any more
                fields=["visitor_seen_at"],
                condition=Q(ended_at=None),
                name="conversation_silent",
            ),
        ]

    def __str__(self) -> str:
        return self.contact_name or f"{self.account} {self.pk}"

    @property
    def stream(self) -> str:
        """The employee's live stream of it."""
        return f"conversation:{self.uuid}"

    @property
    def visitor_stream(self) -> str:
        """The visitor's: without what stays in the house."""
        return f"visitor:{self.uuid}"

    @property
    def ended(self) -> bool:
        """Whether nothing more can be said in it."""
        return self.ended_at is not None


M = TypeVar("M", bound=models.Model)


class ThroughConversation(ScopedQuerySet[M]):
    """Rows that exist for an actor when their conversation does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the conversations that exist for the actor."""
        return self.filter(conversation__in=Conversation.objects.for_actor(actor))


class ConversationCase(Base):
    """A conversation belongs to a case: it stands in that case's story."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="case_links", db_index=False
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="conversation_links")
    linked_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    linked_by_name = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    objects = ThroughConversation.as_manager()

    class Meta:
        verbose_name = _("case of a conversation")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "case"], name="conversation_in_a_case_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation} · {self.case}"


class Direction(models.TextChoices):
    """Who says it to whom."""

    IN = "in", _("From the citizen")
    OUT = "out", _("To the citizen")
    INTERNAL = "internal", _("Internal")  # a note, a whisper: never leaves the house


class Author(models.TextChoices):
    """What stands behind the words."""

    CITIZEN = "citizen", _("Citizen")
    EMPLOYEE = "employee", _("Employee")
    MACHINE = "machine", _("Assistant")  # generated_by says which
    SYSTEM = "system", _("System")


class Delivery(models.IntegerChoices):
    """How far a message got, in order: it only moves forward, whatever order receipts come in."""

    QUEUED = 0, _("Waiting")
    SENT = 1, _("Sent")
    UNKNOWN = 2, _("Perhaps delivered")  # the sending broke off half way
    DELIVERED = 3, _("Delivered")
    READ = 4, _("Read")
    FAILED = 5, _("Not delivered")


class Message(Base):
    """Words in a conversation, numbered within it; what was said never changes."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    account = models.ForeignKey(  # the conversation's: a provider's ids are unique in it
        ChannelAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    direction = models.CharField(max_length=8, choices=Direction)
    author_kind = models.CharField(max_length=8, choices=Author)
    author = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    author_name = models.CharField(max_length=200, blank=True)
    generated_by = models.CharField(max_length=80, blank=True)  # the machine and its version
    sources = models.JSONField(default=list, blank=True)  # what a machine's words rest on
    subject = models.CharField(max_length=500, blank=True)
    body = models.TextField(blank=True)
    html = models.TextField(blank=True)  # of an e-mail, as it came: shown only sanitised
    headers = models.JSONField(default=dict, blank=True)  # Message-ID, References, From, To, …
    external_id = models.CharField(max_length=500, null=True)  # noqa: DJ001 - NULL: the provider has given none
    client_key = models.UUIDField(null=True)  # the sender's own, so that sent twice it stands once
    state = models.SmallIntegerField(choices=Delivery, default=Delivery.QUEUED)
    state_at = models.DateTimeField(db_default=Now())
    state_reason = models.CharField(max_length=240, blank=True)

    objects = ThroughConversation.as_manager()

    class Meta:
        verbose_name = _("message of a conversation")
        verbose_name_plural = _("messages of conversations")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "number"], name="chat_message_number_once"
            ),
            models.UniqueConstraint(
                fields=["account", "external_id"],
                condition=Q(external_id__isnull=False),
                name="chat_message_taken_in_once",
            ),
            models.UniqueConstraint(
                fields=["conversation", "client_key"],
                condition=Q(client_key__isnull=False),
                name="chat_message_sent_once",
            ),
            models.CheckConstraint(
                condition=Q(direction=Direction.IN, author_kind=Author.CITIZEN)
                | ~Q(direction=Direction.IN) & ~Q(author_kind=Author.CITIZEN),
                name="chat_message_from_the_citizen_iff_inbound",
            ),
            models.CheckConstraint(
                condition=Q(author_kind=Author.MACHINE) & ~Q(generated_by="")
                | ~Q(author_kind=Author.MACHINE) & Q(generated_by=""),
                name="chat_message_machine_says_which",
            ),
        ]
        indexes = [
            models.Index(  # what a worker still owes to a provider
                fields=["at"], condition=Q(state=Delivery.QUEUED), name="chat_message_owed"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="only_forward",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state__lt=pgtrigger.F("old__state"))
                | pgtrigger.Q(
                    new__state=Delivery.FAILED, old__state__in=[Delivery.DELIVERED, Delivery.READ]
                ),
            ),
            pgtrigger.ReadOnly(
                name="said_is_said",
                fields=["conversation", "number", "direction", "author_kind", "body", "at"],
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def state_word(self) -> str:
        """Its delivery, as components name it."""
        return Delivery(self.state).name.lower()


class Attachment(Owned):
    """A file sent in a conversation, kept by its digest; it is served only when it is clean."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="attachments", db_index=False
    )
    message = models.ForeignKey(  # none: uploaded, not sent yet
        Message, on_delete=models.PROTECT, null=True, related_name="attachments"
    )
    direction = models.CharField(max_length=8, choices=Direction)
    name = models.CharField(_("name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    scan = models.CharField(max_length=12, choices=Scan)
    content_id = models.CharField(max_length=250, blank=True)  # of a picture inside an e-mail

    objects = ThroughConversation.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = [
            models.Index(fields=["conversation", "id"], name="attachment_of_conversation"),
            models.Index(fields=["sha256"], name="attachment_digest"),
            models.Index(
                fields=["sha256"], condition=Q(scan=Scan.UNAVAILABLE), name="attachment_unscanned"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="attachment_has_a_digest"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where crm.kit.files keeps its bytes."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"

    @property
    def has_preview(self) -> bool:
        """Whether a picture of it can be shown."""
        return Scan(self.scan).downloadable and self.media_type in PREVIEWED


class EventKind(models.TextChoices):
    """What may become true of a conversation, beside what is said in it."""

    OPENED = "opened", _("Opened")
    QUEUED = "queued", _("Put in a queue")
    ACCEPTED = "accepted", _("Accepted")
    TRANSFERRED = "transferred", _("Transferred")
    IDENTIFIED = "identified", _("Person confirmed")
    CASE_LINKED = "case_linked", _("Case linked")
    ENDED = "ended", _("Ended")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    TRANSCRIPT_ASKED = "transcript_asked", _("Copy sent by e-mail")


class ConversationEvent(models.Model):
    """One dated fact of a conversation; append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=20, choices=EventKind)
    at = models.DateTimeField(db_default=Now())
    after_number = models.PositiveIntegerField(default=0)  # its place among the messages
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    data = models.JSONField(default=dict)

    objects = ThroughConversation.as_manager()

    class Meta:
        verbose_name = _("event of a conversation")
        indexes = [models.Index(fields=["conversation", "id"], name="conversation_event_order")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
