"""Where conversations come in and wait: channel accounts, the reasons they offer, queues and their codes."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cases.models import CaseType
from crm.citizens.models import Channel
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet
from crm.kit.secrets import decrypt, encrypt

KEY_BYTES = 18
M = TypeVar("M", bound=models.Model)


def new_public_key() -> str:
    """What names an account on foreign pages and in callbacks: unguessable, but no secret."""
    return secrets.token_urlsafe(KEY_BYTES)


def in_language(names: Mapping[str, str], language: str | None = None) -> str:
    """A text kept by language, in the reader's, else Spanish, else any."""
    wanted = (language or get_language() or "es").lower()
    for code in (wanted, wanted.partition("-")[0], "es"):
        if names.get(code):
            return names[code]
    return next(iter(names.values()), "")


class Named(models.Model):
    """Something that citizens or employees read in their own language."""

    code = models.SlugField(_("code"), max_length=40)
    names = models.JSONField(_("names"), default=dict)  # language → text

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the reader's language."""
        return in_language(self.names) or self.code


@pghistory.track()
class Queue(Named, Owned):
    """Where conversations wait for an employee; the unit says who may see them."""

    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    unit_id: int
    calendar = models.ForeignKey(  # none: the unit's, else the organisation's
        "organisations.WorkingCalendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    case_type = models.ForeignKey(  # what a matter left out of hours becomes
        CaseType, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    priority = models.SmallIntegerField(_("priority"), default=50)  # lower is served first
    offer_seconds = models.PositiveSmallIntegerField(_("seconds to accept"), default=30)
    wrap_up_seconds = models.PositiveSmallIntegerField(_("seconds to wrap up"), default=120)
    target_seconds = models.PositiveIntegerField(_("answer within, in seconds"), default=180)
    max_waiting = models.PositiveIntegerField(_("most who may wait"), default=0)  # 0: no limit
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="queue_code_once"),
            models.CheckConstraint(
                condition=Q(offer_seconds__gte=5), name="queue_offer_can_be_answered"
            ),
        ]


class ThroughQueue(ScopedQuerySet[M]):
    """Rows that belong to a queue's organisation."""

    organisation_path = "queue__organisation_id"


@pghistory.track()
class WrapUpCode(Named, Base):
    """How a conversation ended, in the words of its queue."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="wrap_up_codes")
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    objects = ThroughQueue.as_manager()

    class Meta:
        verbose_name = _("wrap-up code")
        verbose_name_plural = _("wrap-up codes")
        constraints = [
            models.UniqueConstraint(fields=["queue", "code"], name="wrap_up_code_once"),
        ]


class AccountKind(models.TextChoices):
    """By what way an account speaks with the world; each has an adapter."""

    WEB_CHAT = "web_chat", _("Web chat")
    EMAIL = "email", _("Email")
    WHATSAPP = "whatsapp", _("WhatsApp")
    MESSENGER = "messenger", _("Messenger")
    INSTAGRAM = "instagram", _("Instagram")
    TELEGRAM = "telegram", _("Telegram")
    SMS = "sms", _("SMS")
    PHONE = "phone", _("Phone")
    VIDEO = "video", _("Video")


class RecordedKind(models.TextChoices):
    """By what way conversations are held that other systems take down: nothing is carried."""

    PHONE = "phone", _("Phone")
    VIDEO = "video", _("Video")
    IN_PERSON = "in_person", _("In person")


_CHANNELS: Mapping[str, Channel] = {
    AccountKind.MESSENGER: Channel.SOCIAL,
    AccountKind.INSTAGRAM: Channel.SOCIAL,
    AccountKind.TELEGRAM: Channel.SOCIAL,
}


@pghistory.track(exclude=["sealed_settings", "last_inbound_at"])
class ChannelAccount(Owned):
    """One way in and out that an organisation owns: a widget, a mailbox, a number."""

    kind = models.CharField(_("kind"), max_length=12, choices=AccountKind)
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)  # as citizens read it
    address = models.CharField(_("address"), max_length=254, blank=True)  # mailbox, number, page id
    public_key = models.CharField(
        max_length=40, unique=True, default=new_public_key, editable=False
    )
    allowed_origins = ArrayField(  # scheme://host[:port] of the pages that may embed the widget
        models.CharField(max_length=200),
        default=list,
        blank=True,
        verbose_name=_("allowed origins"),
    )
    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    unit_id: int
    queue = models.ForeignKey(  # where conversations go whose reason names no other
        Queue, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    settings = models.JSONField(default=dict, blank=True)  # what may be shown
    sealed_settings = models.TextField(blank=True, editable=False)  # what may not: encrypted JSON
    is_active = models.BooleanField(_("in use"), default=True)
    last_inbound_at = models.DateTimeField(null=True, editable=False)  # silence is an alarm

    class Meta:
        verbose_name = _("channel account")
        verbose_name_plural = _("channel accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "code"], name="channel_account_code_once"
            ),
            models.UniqueConstraint(  # what arrives there has one owner
                fields=["kind", "address"],
                condition=~Q(address=""),
                name="channel_account_address_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_kind_display(self) -> str:  # type: ignore[no-redef] # Django lets it be said otherwise
        """The way in words; visits, which no account carries, too."""
        return str(dict([*RecordedKind.choices, *AccountKind.choices]).get(self.kind, self.kind))

    @property
    def channel(self) -> Channel:
        """The way as cases and citizens know it."""
        return _CHANNELS.get(self.kind) or Channel(self.kind)

    @property
    def secrets(self) -> dict[str, Any]:
        """Passwords and tokens in clear, for the adapter alone."""
        return dict(json.loads(decrypt(self.sealed_settings))) if self.sealed_settings else {}

    @secrets.setter
    def secrets(self, values: Mapping[str, Any]) -> None:
        self.sealed_settings = encrypt(json.dumps(dict(values))) if values else ""


class ThroughAccount(ScopedQuerySet[M]):
    """Rows that belong to an account's organisation."""

    organisation_path = "account__organisation_id"


@pghistory.track()
class ContactReason(Named, Base):
    """Why somebody writes, as the form before a chat offers it; it chooses the queue."""

    account = models.ForeignKey(ChannelAccount, on_delete=models.CASCADE, related_name="reasons")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    objects = ThroughAccount.as_manager()

    class Meta:
        verbose_name = _("reason for contact")
        verbose_name_plural = _("reasons for contact")
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="contact_reason_once"),
        ]


class ConsentText(Base):
    """What a citizen is told about their data before writing, by version: what was agreed to stays."""

    account = models.ForeignKey(
        ChannelAccount, on_delete=models.PROTECT, related_name="consent_texts"
    )
    version = models.PositiveIntegerField()
    texts = models.JSONField()  # language → text
    published_at = models.DateTimeField(db_default=Now())

    objects = ThroughAccount.as_manager()

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        constraints = [
            models.UniqueConstraint(fields=["account", "version"], name="consent_version_once"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.version}"

    @property
    def text(self) -> str:
        """In the reader's language."""
        return in_language(self.texts)
