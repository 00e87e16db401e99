"""News for employees, what each of them wants to hear of and how, and the e-mails that told them."""

from datetime import time
from typing import Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet
from crm.notices.kinds import DAILY, HOURLY, NONE, NOW

M = TypeVar("M", bound=models.Model)


class OwnQuerySet(ScopedQuerySet[M]):
    """Rows of one person in one organisation: nobody else's business."""

    def for_actor(self, actor: Actor) -> Self:
        """The actor's own; a machine has none."""
        return self.filter(organisation=actor.organisation_id, user=actor.user_id)


class Mail(models.TextChoices):
    """How soon somebody hears of it by e-mail."""

    NONE = NONE, _("No e-mail")
    NOW = NOW, _("At once")
    HOURLY = HOURLY, _("Every hour, together")
    DAILY = DAILY, _("Once a day, together")


class Own(Owned):
    """What belongs to one employee of one organisation."""

    # every constraint below begins with the organisation and the person
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    user = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects = OwnQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        abstract = True


class Digest(Own):
    """One e-mail with news: what it holds points to it, so that nothing is sent twice."""

    mail = models.CharField(max_length=8, choices=Mail)

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "user", "mail", "-created_at"], name="news_digest")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at}"


class Notification(Own):
    """A piece of news for one employee. What it is about is looked up when it is read, by their rights."""

    kind = models.CharField(max_length=40)  # of kinds.kinds
    thing = models.CharField(max_length=40)  # of kinds.things
    thing_id = models.UUIDField()
    key = models.CharField(max_length=200)  # the same event never comes twice
    at = models.DateTimeField(default=timezone.now)
    actor_name = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)  # nothing about a citizen
    in_console = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=8, choices=Mail, default=Mail.NONE)  # how it was to be sent
    digest = models.ForeignKey(
        Digest, on_delete=models.SET_NULL, null=True, blank=True, related_name="news"
    )

    class Meta:
        verbose_name = _("update")
        verbose_name_plural = _("updates")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user", "key"], name="news_once"),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "user", "-id"],
                condition=Q(in_console=True),
                name="news_of_person",
            ),
            models.Index(
                fields=["organisation", "user", "thing_id"],
                condition=Q(in_console=True, read_at=None),
                name="news_unread",
            ),
            models.Index(
                fields=["organisation", "user"],
                condition=~Q(mail=NONE) & Q(digest=None, read_at=None),
                name="news_mail_owed",
            ),
            models.Index(fields=["created_at"], name="news_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.thing}:{self.thing_id}"


class Choice(Own):
    """How somebody wants to hear of news of one kind, other than is usual."""

    kind = models.CharField(max_length=40)
    console = models.BooleanField(default=True)
    mail = models.CharField(max_length=8, choices=Mail, default=Mail.NONE)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user", "kind"], name="news_choice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"


class Habits(Own):
    """When somebody is not to be sent e-mails, when the daily one comes, and what is done by itself."""

    quiet_from = models.TimeField(_("from"), null=True, blank=True)
    quiet_to = models.TimeField(_("to"), null=True, blank=True)
    daily_at = models.TimeField(_("hour of the daily e-mail"), default=time(8))
    switches = models.JSONField(default=dict, blank=True)  # name of kinds.switches → yes or no

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user"], name="news_habits_once"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="news_quiet_has_two_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}"
