"""Mailboxes that are fetched, and every message that came into them, with what became of it."""

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels_app.models.account import ChannelAccount
from channels_app.models.conversation import Message
from channels_app.permissions import VIEW_CONVERSATION
from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class ThroughMailbox(ScopedQuerySet["Mailbox"]):
    """Rows that belong to an account's organisation."""

    organisation_path = "account__organisation_id"


class Mailbox(Base):
    """How far an account's mailbox has been read, and whether it can be reached; its row is the lock
    under which the account's messages are taken in one after the other."""

    account = models.OneToOneField(ChannelAccount, on_delete=models.CASCADE, related_name="mailbox")
    uid_validity = models.BigIntegerField(null=True)  # the server's numbering: another begins anew
    last_uid = models.BigIntegerField(default=0)  # everything up to it has been taken in
    checked_at = models.DateTimeField(null=True)  # the last time the server answered
    failed_at = models.DateTimeField(null=True)  # since when it cannot be reached
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=240, blank=True)
    next_try_at = models.DateTimeField(db_default=Now())

    objects = ThroughMailbox.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        constraints = [
            models.CheckConstraint(
                condition=Q(failed_at=None, failures=0)
                | Q(failed_at__isnull=False, failures__gt=0),
                name="mailbox_fails_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}"


class InboundQuerySet(ScopedQuerySet["InboundMail"]):
    """Messages by organisation and by the units where the actor may read conversations."""

    def for_actor(self, actor: Actor) -> "InboundQuerySet":
        """Those that came to the accounts of the actor's units."""
        rows = self.filter(organisation=actor.organisation_id).defer("raw")
        reach = actor.reach(VIEW_CONVERSATION)
        return rows if reach.everywhere else rows.filter(account__unit_id__in=sorted(reach.units))


@pghistory.track(fields=["status", "reason", "handled_by"])
class InboundMail(Owned):
    """A raw message as it came in: kept whole before anything else is done with it, and only its source
    forgotten once it has served."""

    class Status(models.TextChoices):
        """What became of it."""

        TAKEN = "taken", _("In a conversation")
        QUARANTINE = "quarantine", _("In quarantine")  # somebody decides
        ASIDE = "aside", _("Set aside")  # bounces, machines' answers, loops: nobody need look
        DUPLICATE = "duplicate", _("Came twice")
        SPAM = "spam", _("Spam")

    class Kind(models.TextChoices):
        """What sort of message it is."""

        MESSAGE = "message", _("Message")
        AUTO_REPLY = "auto_reply", _("Automatic reply")
        BOUNCE = "bounce", _("Delivery report")
        COMPLAINT = "complaint", _("Spam complaint")
        LOOP = "loop", _("Loop")
        OWN = "own", _("Our own")

    class Reason(models.TextChoices):
        """Why it is in quarantine or set aside."""

        UNKNOWN_RECIPIENT = "unknown_recipient", _("It is not addressed to this mailbox.")
        STRANGER = "stranger", _("Somebody else writes in a citizen's conversation.")
        NO_SENDER = "no_sender", _("It does not say who writes.")
        UNREADABLE = "unreadable", _("It cannot be read.")
        BLOCKED = "blocked", _("Mail of this sender was marked as spam.")
        FLOOD = "flood", _("Too many messages of this sender in one hour.")
        MACHINE = "machine", _("No person wrote it.")

    account = models.ForeignKey(
        ChannelAccount, on_delete=models.PROTECT, related_name="inbound", db_index=False
    )
    digest = models.CharField(max_length=64)  # of the raw bytes
    raw = models.BinaryField(null=True)  # NULL: kept long enough (email/keeping.py)
    size = models.PositiveIntegerField()
    mail_id = models.CharField(max_length=400, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=12, choices=Status)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    sender = models.CharField(_("sender"), max_length=254, blank=True)
    sender_name = models.CharField(max_length=150, blank=True)
    recipients = ArrayField(models.CharField(max_length=254), default=list)
    subject = models.CharField(_("subject"), max_length=240, blank=True)
    extract = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(db_default=Now())
    uid = models.BigIntegerField(null=True)  # in the server's mailbox
    message = models.OneToOneField(
        Message, on_delete=models.PROTECT, null=True, related_name="inbound"
    )
    about = models.ForeignKey(  # the message of ours that a report tells of
        Message, on_delete=models.PROTECT, null=True, related_name="reports"
    )
    acknowledged_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = InboundQuerySet.as_manager()  # type: ignore[misc] # narrows Owned.objects

    class Meta:
        verbose_name = _("incoming message")
        verbose_name_plural = _("incoming messages")
        constraints = [
            models.UniqueConstraint(fields=["account", "digest"], name="inbound_mail_once"),
            models.UniqueConstraint(
                fields=["account", "mail_id"],
                condition=~Q(mail_id="") & ~Q(status="duplicate"),
                name="inbound_mail_id_once",
            ),
            models.CheckConstraint(
                condition=Q(status="taken", message__isnull=False)
                | Q(status="spam")
                | Q(status__in=["quarantine", "aside", "duplicate"], message=None),
                name="inbound_mail_taken_iff_said",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "-received_at", "-id"],
                condition=Q(status__in=["quarantine", "aside", "spam"]),
                name="inbound_mail_apart",
            ),
            models.Index(fields=["account", "sender", "-received_at"], name="inbound_mail_sender"),
            models.Index(  # whose source may have served its time
                fields=["received_at"],
                condition=Q(raw__isnull=False),
                name="inbound_mail_with_source",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="came_as_it_came", fields=["account", "digest", "sender", "received_at"]
            ),
            pgtrigger.Protect(  # forgotten, or as it came
                name="source_as_it_came",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__raw__df=pgtrigger.F("new__raw"))
                & pgtrigger.Q(new__raw__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.kind} {self.pk}"

    @property
    def unit_id(self) -> int:
        """Where it lies: its account's unit."""
        return self.account.unit_id
