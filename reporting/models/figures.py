"""What figures are counted from: facts of cases, and roll-ups of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from crm.citizens.models import Channel
from crm.kit.actor import Actor
from crm.kit.models import Owned
from crm.kit.scoping import ScopedQuerySet
from reporting.permissions import VIEW_REPORT


class District(Owned):
    """A part of the territory by which demand is shown; a case lies in the nearest, by its place.

    A case without a place of its own lies where its citizen lives: in the district with that
    municipality.
    """

    name = models.CharField(_("name"), max_length=120)
    latitude = models.FloatField()
    longitude = models.FloatField()
    municipality = models.CharField(max_length=5, blank=True)  # INE code

    class Meta:
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="district_name_once"),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="district_is_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


_KIND = ("case_type", "channel")


class CaseFactQuerySet(ScopedQuerySet["CaseFact"]):
    """Facts by the units whose reports the actor may see."""

    def for_actor(self, actor: Actor) -> "CaseFactQuerySet":
        """Those of the units within reach."""
        rows = self.filter(organisation=actor.organisation_id)
        reach = actor.reach(VIEW_REPORT)
        if reach.everywhere:
            return rows
        return rows.filter(unit_id__in=sorted(reach.units))


class CaseFact(models.Model):
    """What the figures need of one case, days being those of its organisation's clock.

    Written by reporting.facts only. Durations are minutes, kept to two significant digits, so that
    many cases share one value and a percentile of tallies is that of the cases.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="+")
    # the case's own keys hold these three; asked again at each row, a million takes a minute more
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unit = models.ForeignKey(
        "organisations.Unit",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    case_type = models.ForeignKey(
        "cases.CaseType",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    channel = models.CharField(max_length=12, choices=Channel)
    district = models.ForeignKey(
        District,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    opened_on = models.DateField()
    opened_hour = models.SmallIntegerField()
    answered_on = models.DateField(null=True)
    answer_minutes = models.IntegerField(null=True)
    answer_natural = models.BooleanField(default=False)  # no calendar said when its unit works
    ended_on = models.DateField(null=True)  # null while work goes on
    ended_late = models.BooleanField(null=True)  # null without a due date
    solved_minutes = models.IntegerField(null=True)
    solved_natural = models.BooleanField(default=False)
    ended_before = ArrayField(models.DateField(), default=list)  # ends that a reopening undid
    reopened_on = ArrayField(models.DateField(), default=list)

    objects = CaseFactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_on=None, answer_minutes=None)
                | Q(answered_on__isnull=False, answer_minutes__gte=0),
                name="fact_answer_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None, solved_minutes=None, ended_late=None)
                | Q(ended_on__isnull=False, solved_minutes__gte=0),
                name="fact_end_is_dated",
            ),
        ]
        indexes = [
            # What no roll-up holds is answered from these alone: of units, and of types and channels.
            *(
                models.Index(
                    fields=[*first, day],
                    include=[one for one in ("organisation", "unit", *_KIND) if one not in first]
                    + more,
                    name=f"fact_{name}_{day[:5]}",
                )
                for name, first in (("unit_all", ["unit"]), ("kind", ["organisation", *_KIND]))
                for day, more in (
                    ("opened_on", ["opened_hour", "district"]),
                    ("answered_on", ["answer_minutes", "answer_natural"]),
                    ("ended_on", ["ended_late", "solved_minutes", "solved_natural"]),
                )
            ),
            # what is open, oldest first
            models.Index(
                fields=["organisation", "opened_at"],
                include=["unit", *_KIND, "due_at", "opened_on"],
                condition=Q(ended_on=None),
                name="fact_open_now",
            ),
            models.Index(
                fields=["organisation"], condition=~Q(reopened_on=[]), name="fact_reopened"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}"


class Tally(models.Model):
    """How often something happened on a day: one roll-up row. Written by reporting.facts only.

    `cut` says which of unit, type and channel are told apart; those that are not are 0 or empty. In
    the cuts by subtree `unit_id` stands for all units that Subtree says, together.
    """

    class Cut(models.IntegerChoices):
        """What is told apart."""

        WHOLE = 0
        KIND = 1  # by case type and channel
        UNIT = 2
        KIND_MONTH = 3  # by case type and channel, of a whole month: `day` is its first
        ALL_MONTH = 4  # by all three, of a whole month
        WHOLE_MONTH = 5
        UNIT_MONTH = 6
        SUBTREE = 7  # by the units that have others below
        SUBTREE_MONTH = 8

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    cut = models.SmallIntegerField(choices=Cut)
    measure = models.CharField(max_length=16)  # of reporting.facts.MEASURES
    day = models.DateField()
    unit_id = models.BigIntegerField(default=0)
    case_type_id = models.BigIntegerField(default=0)
    channel = models.CharField(max_length=12, blank=True)
    value = models.BigIntegerField(default=0)  # what the measure adds: minutes, hour, district
    count = models.IntegerField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("organisation", "cut", "measure", "day"),
                    *("unit_id", "case_type_id", "channel", "value"),
                ],
                include=["count"],
                name="tally_once",
            ),
            models.CheckConstraint(condition=Q(count__gte=0), name="tally_is_a_count"),
        ]
        indexes = [
            models.Index(fields=["organisation"], condition=Q(count=0), name="tally_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.day}: {self.count}"


class Subtree(models.Model):
    """That the roll-ups by subtree count what happens in `unit_id` under `top_id`, too.

    Written by reporting.facts only, together with those roll-ups: while the tree of units is newer,
    they are still true of the units named here.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    top_id = models.BigIntegerField()
    unit_id = models.BigIntegerField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "top_id", "unit_id"], name="subtree_once"
            ),
        ]
        indexes = [
            models.Index(fields=["unit_id"], include=["top_id"], name="subtree_of_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.top_id} > {self.unit_id}"


class FactState(models.Model):
    """How far an organisation's facts have come; its lock makes those who count wait for each other."""

    organisation = models.OneToOneField(
        "organisations.Organisation", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    tx = models.BigIntegerField(default=0)  # events of transactions below are counted
    units_version = models.IntegerField(default=-1)  # of the tree that subtrees were last read from
    counted_at = models.DateTimeField(null=True)
    rebuilt_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.organisation_id}@{self.tx}"
