"""An appointment, what happened with it, and what its person was told."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.citizens.models import Channel, Need
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet
from scheduling.models.office import BookableService, Modality, Office, Resource

_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else


def new_reference() -> str:
    """What a person quotes: eight signs that say nothing and that nobody guesses."""
    return "".join(secrets.choice(_SIGNS) for _sign in range(8))


class Status(models.TextChoices):
    """Where an appointment stands."""

    HELD = "held", pgettext_lazy("appointment", "Held")
    BOOKED = "booked", pgettext_lazy("appointment", "Booked")
    CHECKED_IN = "checked_in", pgettext_lazy("appointment", "Checked in")
    IN_SERVICE = "in_service", pgettext_lazy("appointment", "In service")
    COMPLETED = "completed", pgettext_lazy("appointment", "Completed")
    CANCELLED = "cancelled", pgettext_lazy("appointment", "Cancelled")
    NO_SHOW = "no_show", pgettext_lazy("appointment", "No-show")
    EXPIRED = "expired", pgettext_lazy("appointment", "Not confirmed")


ACTIVE = (Status.HELD, Status.BOOKED, Status.CHECKED_IN, Status.IN_SERVICE)
"""What occupies an agenda."""


# the code is no part of what an appointment was, and who never confirmed is to be forgotten whole
@pghistory.track(
    exclude=[
        *("code", "person", "person_key", "email", "phone", "subject", "needs"),
    ]
)
class Appointment(Owned):
    """A time of one agenda kept for one person. `during` is what the agenda cannot give to another."""

    service = models.ForeignKey(
        BookableService, on_delete=models.PROTECT, related_name="appointments"
    )
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="appointments")
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="appointments")
    citizen = models.ForeignKey(
        "citizens.Citizen",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="appointments",
    )
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    during = DateTimeRangeField()  # with the minutes kept free around it
    time_zone = models.CharField(max_length=40)
    modality = models.CharField(_("modality"), max_length=10, choices=Modality)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.HELD)
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    arranged_at = models.DateTimeField(default=timezone.now)  # when this time was agreed
    channel = models.CharField(_("asked for by"), max_length=12, choices=Channel)
    reference = models.CharField(
        _("reference"), max_length=8, unique=True, default=new_reference, editable=False
    )
    code = models.CharField(max_length=200, blank=True)  # encrypted: what opens it to its person
    ical_sequence = models.PositiveIntegerField(default=0)
    # who it is, as they said themselves; a citizen on record once somebody knows
    person = models.CharField(_("person"), max_length=200, blank=True)
    person_key = models.CharField(max_length=120, blank=True)  # by which one person's are counted
    email = models.CharField(_("email"), max_length=254, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=16, default="es")
    needs = ArrayField(models.CharField(max_length=14, choices=Need), default=list, blank=True)
    subject = models.CharField(_("what about"), max_length=240, blank=True)
    consent_at = models.DateTimeField(null=True, blank=True)
    consent_text = models.CharField(max_length=20, blank=True)  # version of what was agreed to
    cancelled_by = models.CharField(max_length=200, blank=True)
    cancel_reason = models.CharField(max_length=240, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    service_began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    last_event = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        constraints = [
            # the promise that no code can break: one agenda, one appointment at a time, holds too
            ExclusionConstraint(
                name="appointment_no_overlap",
                expressions=[
                    ("resource", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=["held", "booked", "checked_in", "in_service"]),
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(during__contains=F("starts_at")), name="appointment_within_its_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="held") | Q(hold_expires_at__isnull=False),
                name="appointment_held_until",
            ),
            models.CheckConstraint(
                condition=Q(citizen__isnull=False) | ~Q(person="") | Q(status="expired"),
                name="appointment_of_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "starts_at", "id"], name="appointment_by_time"),
            models.Index(fields=["office", "starts_at"], name="appointment_of_day"),
            models.Index(fields=["citizen", "-starts_at"], name="appointment_of_citizen"),
            models.Index(
                fields=["organisation", "person_key"],
                condition=Q(status__in=["held", "booked"]) & ~Q(person_key=""),
                name="appointment_of_person",
            ),
            # the sweeps: holds that ran out, reminders that are due
            models.Index(
                fields=["hold_expires_at"],
                condition=Q(status__in=["held", "expired"]),
                name="appointment_hold",
            ),
            models.Index(
                fields=["starts_at"], condition=Q(status="booked"), name="appointment_to_come"
            ),
        ]

    def __str__(self) -> str:
        return self.shown_reference

    @property
    def shown_reference(self) -> str:
        """As people read it."""
        return f"{self.reference[:4]}-{self.reference[4:]}"

    @property
    def zone(self) -> ZoneInfo:
        """The clock by which it was agreed."""
        return ZoneInfo(self.time_zone)

    @property
    def local_start(self) -> datetime:
        """When it begins, by the clock on the office's wall."""
        return self.starts_at.astimezone(self.zone)

    @property
    def local_end(self) -> datetime:
        """When it ends, by the same clock."""
        return self.ends_at.astimezone(self.zone)

    @property
    def ical_uid(self) -> str:
        """The same for as long as the appointment lives, in whatever calendar it stands."""
        return f"{self.uuid}@ventanilla"

    @property
    def occupies(self) -> bool:
        """Whether its agenda is kept for it."""
        return self.status in ACTIVE


class EventKind(models.TextChoices):
    """What can happen with an appointment."""

    BOOKED = "booked", pgettext_lazy("appointment event", "booked")
    MOVED = "moved", pgettext_lazy("appointment event", "moved")
    CANCELLED = "cancelled", pgettext_lazy("appointment event", "cancelled")
    IDENTIFIED = "identified", pgettext_lazy("appointment event", "identified")
    CHECKED_IN = "checked_in", pgettext_lazy("appointment event", "checked in")
    STARTED = "started", pgettext_lazy("appointment event", "attended")
    COMPLETED = "completed", pgettext_lazy("appointment event", "completed")
    NO_SHOW = "no_show", pgettext_lazy("appointment event", "did not come")
    REMINDED = "reminded", pgettext_lazy("appointment event", "reminded")


class HappeningQuerySet(ScopedQuerySet["Happening"]):
    """Reached by the organisation."""


class Happening(models.Model):
    """One thing that happened with an appointment; nothing of it is ever changed."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, related_name="happenings", db_index=False
    )
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=EventKind)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    data = models.JSONField(default=dict)

    objects = HappeningQuerySet.as_manager()

    class Meta:
        verbose_name = _("event of an appointment")
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "seq"], name="appointment_event_number_once"
            ),
        ]
        indexes = [models.Index(fields=["appointment", "-at"], name="appointment_event_newest")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.appointment_id}#{self.seq}"


class NoticeQuerySet(ScopedQuerySet["Notice"]):
    """Reached by the appointment's organisation."""

    organisation_path = "appointment__organisation_id"


class Notice(Base):
    """What a person is told of an appointment, once for each time it is arranged anew."""

    class Kind(models.TextChoices):
        """What it says."""

        CODE = "code", pgettext_lazy("notice", "Code to confirm")
        BOOKED = "booked", pgettext_lazy("notice", "Confirmation")
        MOVED = "moved", pgettext_lazy("notice", "New time")
        CANCELLED = "cancelled", pgettext_lazy("notice", "Cancellation")
        REMINDER = "reminder", pgettext_lazy("notice", "Reminder")

    class State(models.TextChoices):
        """What became of it."""

        QUEUED = "queued", pgettext_lazy("notice", "on its way")
        SENT = "sent", pgettext_lazy("notice", "sent")
        SKIPPED = "skipped", pgettext_lazy("notice", "no longer needed")
        FAILED = "failed", pgettext_lazy("notice", "not delivered")
        UNKNOWN = "unknown", pgettext_lazy("notice", "perhaps delivered")

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    sequence = models.PositiveIntegerField()
    address = models.CharField(max_length=254)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice of an appointment")
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "kind", "sequence"], name="appointment_told_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.appointment_id}"
