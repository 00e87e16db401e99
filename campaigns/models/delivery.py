"""What becomes of each recipient's message."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import CampaignRun
from crm.citizens.models import Citizen, ContactPoint
from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet


class Delivery(Owned):
    """One recipient's message of one run: a row made at launch, so that nobody is lost or written twice.

    Its UUID is the local part of its Message-ID.
    """

    class Status(models.TextChoices):
        """How far it is. claimed: a worker has it; sending: being handed to the mail server."""

        QUEUED = "queued", _("Waiting")
        CLAIMED = "claimed", _("About to be sent")
        SENDING = "sending", _("Being handed over")
        SENT = "sent", _("Sent")
        SOFT_BOUNCED = "soft_bounced", _("Returned for the moment")
        HARD_BOUNCED = "hard_bounced", _("Returned: no such address")
        COMPLAINED = "complained", _("Reported as unwanted")
        FAILED = "failed", _("Not accepted")
        SUPPRESSED = "suppressed", _("Left out")
        UNKNOWN = "unknown", _("Perhaps sent")
        CANCELLED = "cancelled", _("Not sent: stopped")

    OPEN = (Status.QUEUED, Status.CLAIMED, Status.SENDING)
    LEFT = (Status.SENT, Status.SOFT_BOUNCED, Status.HARD_BOUNCED, Status.COMPLAINED)
    ERRORS = (Status.FAILED, Status.HARD_BOUNCED, Status.SOFT_BOUNCED, Status.UNKNOWN)

    run = models.ForeignKey(
        CampaignRun, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    citizen = models.ForeignKey(Citizen, on_delete=models.PROTECT, related_name="+", db_index=False)
    contact_point = models.ForeignKey(
        ContactPoint, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    recipient_key = models.CharField(max_length=330)  # person and address: families share one
    language = models.CharField(max_length=16)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    reason = models.CharField(max_length=40, blank=True)  # a code: campaigns.wording has its words
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=32, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "recipient_key"], name="delivery_once_per_recipient"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["claimed", "sending"], lease_until__isnull=False)
                | ~Q(status__in=["claimed", "sending"]) & Q(lease_until=None),
                name="delivery_leased_iff_in_hand",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "claimed", "sending"], settled_at=None)
                | ~Q(status__in=["queued", "claimed", "sending"]) & Q(settled_at__isnull=False),
                name="delivery_settled_iff_dated",
            ),
        ]
        indexes = [
            # the claim, oldest first
            models.Index(
                fields=["run", "due_at", "id"],
                condition=Q(status="queued"),
                name="delivery_queued",
            ),
            # the sweeper's look for leases that ran out, and how many workers are at it
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["claimed", "sending"]),
                name="delivery_leased",
            ),
            # the latest of a run, and its figures without touching the table
            models.Index(
                fields=["run", "settled_at"], include=["status", "reason"], name="delivery_settled"
            ),
            # a person's timeline
            models.Index(fields=["citizen", "-settled_at", "-id"], name="delivery_of_citizen"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class ThroughDelivery(ScopedQuerySet["DeliveryEvent"]):
    """Events of an organisation's deliveries."""

    organisation_path = "delivery__organisation_id"


class DeliveryEvent(models.Model):
    """What was heard of a delivery after it was handed over: bounces, complaints, withdrawals.

    Append-only by trigger. The same word twice (`source_key`) is one event.
    """

    class Kind(models.TextChoices):
        """What was heard."""

        SOFT_BOUNCE = "soft_bounce", _("Returned for the moment")
        HARD_BOUNCE = "hard_bounce", _("Returned: no such address")
        COMPLAINT = "complaint", _("Reported as unwanted")
        AUTO_REPLY = "auto_reply", _("Answered by a machine")
        UNSUBSCRIBED = "unsubscribed", _("Does not want more of it")

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=14, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    status_code = models.CharField(max_length=12, blank=True)
    diagnostic = models.CharField(max_length=400, blank=True)
    source_key = models.CharField(max_length=200)

    objects = ThroughDelivery.as_manager()

    class Meta:
        verbose_name = _("event of a delivery")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "kind", "source_key"], name="delivery_event_once"
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.delivery_id}"
