"""Organisations that share the installation, their tree of units, calendars and sharing agreements."""

import pghistory
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet


class OrganisationQuerySet(ScopedQuerySet["Organisation"]):
    """An actor sees its own organisation."""

    organisation_path = "id"


@pghistory.track()
class Organisation(Base):
    """A public body: everything it owns carries its key, and it decides its own rules."""

    code = models.SlugField(_("code"), max_length=12, unique=True)
    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=60, blank=True)
    dir3_code = models.CharField(_("DIR3 code"), max_length=9, blank=True)
    accent = models.CharField(_("accent colour"), max_length=7, default="#0b5a6b")
    logo = models.CharField(max_length=200, blank=True)
    languages = ArrayField(models.CharField(max_length=16), default=list)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Madrid")
    calendar = models.ForeignKey(
        "organisations.WorkingCalendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    seat_limit = models.PositiveIntegerField(_("seats"), default=50)
    options = models.JSONField(default=dict, blank=True)  # read and written by options.py only
    units_version = models.PositiveIntegerField(default=0, editable=False)
    is_active = models.BooleanField(default=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.UniqueConstraint(
                fields=["dir3_code"], condition=~Q(dir3_code=""), name="organisation_dir3_once"
            ),
            models.CheckConstraint(
                condition=Q(accent__regex=r"^#[0-9a-f]{6}$"), name="organisation_accent_is_hex"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def organisation_id(self) -> int:
        """Its own, so that policies place it like anything else."""
        return self.pk

    @property
    def unit_id(self) -> None:
        """Above all units: rights given in one of them do not reach it."""


@pghistory.track()
class Unit(Owned):
    """A node of an organisation's tree; it owns cases. Closing keeps it, merging points onwards."""

    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    name = models.CharField(_("name"), max_length=200)
    code = models.CharField(_("code"), max_length=40)
    dir3_code = models.CharField(_("DIR3 code"), max_length=9, blank=True)
    calendar = models.ForeignKey(
        "organisations.WorkingCalendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    valid_from = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="absorbed"
    )

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="unit_code_once"),
            models.UniqueConstraint(
                fields=["organisation", "dir3_code"],
                condition=~Q(dir3_code=""),
                name="unit_dir3_once_per_organisation",
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(parent=None), name="unit_one_root"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(closed_on__isnull=False),
                name="unit_merged_is_closed",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="unit_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unit_id(self) -> int:
        """Its own, so that policies place it like anything else."""
        return self.pk


class Layer(models.TextChoices):
    """The layers of a calendar, from the widest to the nearest."""

    NATIONAL = "national", _("National")
    REGIONAL = "regional", _("Regional")
    LOCAL = "local", _("Local")
    UNIT = "unit", _("Unit")


class CalendarQuerySet(ScopedQuerySet["WorkingCalendar"]):
    """Shared calendars (national, regional) exist for everyone, others for their organisation."""

    def for_actor(self, actor: Actor) -> "CalendarQuerySet":
        """Shared ones and the actor's organisation's own."""
        return self.filter(Q(organisation=None) | Q(organisation=actor.organisation_id))


class WorkingCalendar(Base):
    """One layer of working days and hours over another, down to the national one."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="calendars"
    )
    layer = models.CharField(_("layer"), max_length=10, choices=Layer)
    name = models.CharField(_("name"), max_length=120)
    code = models.CharField(_("code"), max_length=20)  # ES, ES-MD, INE municipality, or its own
    base = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="layers_above"
    )
    years = ArrayField(models.SmallIntegerField(), default=list)  # years whose holidays are loaded

    objects = CalendarQuerySet.as_manager()

    class Meta:
        verbose_name = _("working-day calendar")
        verbose_name_plural = _("working-day calendars")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "code"], nulls_distinct=False, name="calendar_code_once"
            ),
            models.CheckConstraint(
                condition=Q(layer=Layer.NATIONAL, base=None)
                | ~Q(layer=Layer.NATIONAL) & Q(base__isnull=False),
                name="calendar_stands_on_another",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unit_id(self) -> None:
        """Many units may count by it: rights given in one of them do not reach it."""


class Holiday(models.Model):
    """A day that a layer takes out of the working days, or gives back."""

    calendar = models.ForeignKey(WorkingCalendar, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    name = models.CharField(max_length=120)
    working = models.BooleanField(default=False)  # True: works although a wider layer rests

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "day"], name="holiday_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class OpeningHours(models.Model):
    """One interval of attention of a layer, for a weekday or for one date; past midnight if it ends before it starts."""

    calendar = models.ForeignKey(WorkingCalendar, on_delete=models.CASCADE, related_name="hours")
    weekday = models.SmallIntegerField(null=True)  # 0 Monday
    day = models.DateField(null=True)
    opens = models.TimeField(null=True)  # both null: closed that day
    closes = models.TimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__isnull=False, day=None) | Q(weekday=None, day__isnull=False),
                name="opening_hours_weekday_or_day",
            ),
            models.CheckConstraint(
                condition=Q(opens=None, closes=None) | Q(opens__isnull=False, closes__isnull=False),
                name="opening_hours_whole",
            ),
            models.CheckConstraint(
                condition=Q(weekday=None) | Q(weekday__gte=0, weekday__lte=6),
                name="opening_hours_weekday_exists",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday if self.day is None else self.day} {self.opens}-{self.closes}"


class DataClass(models.TextChoices):
    """What a sharing agreement may let another organisation see of a citizen."""

    IDENTITY = "identity", _("Identity")
    CONTACT = "contact", _("Contact points")
    CASE_STATUS = "case_status", _("State of cases")
    CASE_CONTENT = "case_content", _("Content of cases")


class SharingAgreementQuerySet(ScopedQuerySet["SharingAgreement"]):
    """Both parties see their agreement."""

    def for_actor(self, actor: Actor) -> "SharingAgreementQuerySet":
        """Those that the actor's organisation gives or receives by."""
        return self.filter(Q(giver=actor.organisation_id) | Q(receiver=actor.organisation_id))


class SharingAgreement(Base):
    """One organisation lets another see some classes of its data on citizens, on a legal basis."""

    giver = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="agreements_given"
    )
    receiver = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="agreements_received"
    )
    legal_basis = models.TextField(_("legal basis"))
    data_classes = ArrayField(models.CharField(max_length=20, choices=DataClass))
    valid = DateRangeField(_("validity"))
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SharingAgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("data-sharing agreement")
        verbose_name_plural = _("data-sharing agreements")
        constraints = [
            models.CheckConstraint(condition=~Q(giver=F("receiver")), name="agreement_between_two"),
            models.CheckConstraint(condition=~Q(legal_basis=""), name="agreement_states_its_basis"),
            models.CheckConstraint(
                condition=Q(data_classes__len__gte=1), name="agreement_shares_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.giver} → {self.receiver}"

    @property
    def organisation_id(self) -> int:
        """The giver decides about its data."""
        return self.giver_id
