"""Where people are attended, what for, by whom or at which desk, and when."""

from zoneinfo import ZoneInfo

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class Modality(models.TextChoices):
    """How a person is attended."""

    IN_PERSON = "in_person", _("In person")
    PHONE = "phone", pgettext_lazy("modality", "By phone")
    VIDEO = "video", pgettext_lazy("modality", "By video")


@pghistory.track()
class Office(Owned):
    """A place with an address and hours where a unit attends people."""

    unit = models.ForeignKey(
        "organisations.Unit",
        on_delete=models.PROTECT,
        related_name="offices",
        verbose_name=_("unit"),
    )
    code = models.SlugField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Madrid")
    calendar = models.ForeignKey(
        "organisations.WorkingCalendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("calendar"),
    )
    address = models.CharField(_("address"), max_length=300)
    directions = models.CharField(_("how to enter"), max_length=300, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    is_active = models.BooleanField(_("open to appointments"), default=True)

    class Meta:
        verbose_name = _("office")
        verbose_name_plural = _("offices")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="office_code_once"),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="office_place_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The clock on its wall."""
        return ZoneInfo(self.time_zone)


class OfOfficeQuerySet(ScopedQuerySet["Closure"]):
    """Rows of an office, reached by its organisation."""

    organisation_path = "office__organisation_id"


class Closure(Base):
    """Days on which an office does not attend, typed or taken from an iCalendar file."""

    office = models.ForeignKey(Office, on_delete=models.CASCADE, related_name="closures")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    name = models.CharField(_("reason"), max_length=120)
    uid = models.CharField(max_length=255, blank=True)  # of the iCalendar event it came from

    objects = OfOfficeQuerySet.as_manager()

    class Meta:
        verbose_name = _("closure")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="closure_ends_after_it_starts"
            ),
            models.UniqueConstraint(
                fields=["office", "uid", "starts_at"], condition=~Q(uid=""), name="closure_once"
            ),
        ]
        indexes = [models.Index(fields=["office", "ends_at"], name="closure_to_come")]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class BookableService(Owned):
    """What a person can have an appointment for, and the rules of booking it."""

    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("what for"), max_length=400, blank=True)
    modality = models.CharField(
        _("modality"), max_length=10, choices=Modality, default=Modality.IN_PERSON
    )
    duration = models.PositiveSmallIntegerField(_("minutes of attention"), default=20)
    buffer_before = models.PositiveSmallIntegerField(_("minutes kept free before"), default=0)
    buffer_after = models.PositiveSmallIntegerField(_("minutes kept free after"), default=0)
    step = models.PositiveSmallIntegerField(_("minutes from one start to the next"), default=20)
    required_papers = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("what to bring")
    )
    min_notice = models.PositiveIntegerField(_("minutes of notice"), default=120)
    horizon_days = models.PositiveSmallIntegerField(_("days ahead"), default=60)
    max_active_per_citizen = models.PositiveSmallIntegerField(
        _("appointments at once of one person"), default=2
    )
    hold_minutes = models.PositiveSmallIntegerField(_("minutes to confirm"), default=15)
    cancel_until = models.PositiveIntegerField(
        _("minutes before, until which the person may move or cancel"), default=60
    )
    is_public = models.BooleanField(_("citizens book it themselves"), default=True)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("bookable service")
        verbose_name_plural = _("bookable services")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="service_code_once"),
            models.CheckConstraint(
                condition=Q(
                    duration__range=(5, 480),
                    step__range=(5, 480),
                    buffer_before__lte=240,
                    buffer_after__lte=240,
                    horizon_days__range=(1, 365),
                    max_active_per_citizen__range=(1, 50),
                    hold_minutes__range=(2, 120),
                ),
                name="service_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def modality_icon(self) -> str:
        """The icon beside the word of its modality."""
        return {Modality.PHONE: "phone", Modality.VIDEO: "video"}.get(
            Modality(self.modality), "walk"
        )


@pghistory.track()
class Resource(Owned):
    """Whose or which time is booked: one person, desk or room attends one appointment at a time."""

    class Kind(models.TextChoices):
        """What it is."""

        EMPLOYEE = "employee", pgettext_lazy("agenda", "Employee")
        DESK = "desk", pgettext_lazy("agenda", "Desk")
        ROOM = "room", pgettext_lazy("agenda", "Room")

    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="resources")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DESK)
    name = models.CharField(_("name"), max_length=80)
    employee = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    services = models.ManyToManyField(
        BookableService, related_name="resources", verbose_name=_("attends")
    )
    is_active = models.BooleanField(_("attends appointments"), default=True)

    class Meta:
        verbose_name = _("agenda")
        verbose_name_plural = _("agendas")
        constraints = [
            models.UniqueConstraint(fields=["office", "name"], name="resource_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class OfResourceQuerySet(ScopedQuerySet["WeeklyRule"]):
    """Rows of an agenda, reached by its organisation."""

    organisation_path = "resource__organisation_id"


class WeeklyRule(Base):
    """On this weekday an agenda attends from when to when, on the clock of its office."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="rules")
    weekday = models.PositiveSmallIntegerField()  # 0 Monday
    starts = models.TimeField()
    ends = models.TimeField()
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)

    objects = OfResourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts"), weekday__lte=6), name="weekly_rule_makes_sense"
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None)
                | Q(valid_from=None)
                | Q(valid_until__gte=F("valid_from")),
                name="weekly_rule_valid_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.starts:%H:%M}-{self.ends:%H:%M}"


class OfDayQuerySet(ScopedQuerySet["DayException"]):
    """Rows of an agenda, reached by its organisation."""

    organisation_path = "resource__organisation_id"


class DayException(Base):
    """On this date an agenda attends otherwise than every week: in these hours, or (none) not at all."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="exceptions")
    day = models.DateField(_("day"))
    starts = models.TimeField(null=True, blank=True)  # both null: does not attend
    ends = models.TimeField(null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=120, blank=True)

    objects = OfDayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(starts=None, ends=None) | Q(ends__gt=F("starts"), starts__isnull=False),
                name="day_exception_whole",
            ),
        ]
        indexes = [models.Index(fields=["resource", "day"], name="day_exception_of")]

    def __str__(self) -> str:
        return f"{self.day} {self.starts or ''}"
