"""What departs from the plain legal term of a case: suspensions and extensions."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from cases.terms import read_term
from crm.kit.models import Base
from crm.kit.scoping import ScopedQuerySet

_FOREVER = Value("9999-12-31", output_field=models.DateField())


class ClockInterval(Base):
    """A suspension or an extension of the legal term of a case, with its article of Ley 39/2015.

    The due date is computed from these and from the case type's term; Case.due_at keeps it for lists.
    Of a suspension, the days after `starts_on` up to and with `ends_on` do not count.
    """

    class Kind(models.TextChoices):
        """What happens to the term."""

        SUSPENDED = "suspended", _("Suspension")
        EXTENDED = "extended", _("Extension")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="clock_intervals")
    kind = models.CharField(max_length=10, choices=Kind)
    ground = models.CharField(max_length=8)  # a key of cases.clocks.SUSPENDS or EXTENDS
    reason = models.CharField(_("reason"), max_length=1_000)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)  # null while it goes on
    limit_on = models.DateField(null=True, blank=True)  # it ends then at the latest
    term = models.CharField(max_length=8, blank=True)  # of an extension: how much

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("suspension or extension")
        ordering = ("starts_on", "id")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="clock_says_why"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="clock_runs_forward",
            ),
            models.CheckConstraint(
                condition=Q(limit_on=None)
                | Q(limit_on__gte=F("starts_on"))
                & (Q(ends_on=None) | Q(ends_on__lte=F("limit_on"))),
                name="clock_keeps_its_limit",
            ),
            models.CheckConstraint(
                condition=Q(kind="suspended", term="")
                | Q(kind="extended", ends_on=F("starts_on"), limit_on=None) & ~Q(term=""),
                name="clock_extends_by_a_term",
            ),
            ExclusionConstraint(
                name="clock_suspended_once_at_a_time",
                expressions=[
                    ("case", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_on"),
                            Coalesce(F("ends_on"), _FOREVER),
                            Value("[)"),
                            function="daterange",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(kind="suspended"),
            ),
            models.UniqueConstraint(
                fields=["case", "ground"],
                condition=Q(kind="extended"),
                name="clock_extended_once_by_article",
            ),
        ]
        indexes = [
            models.Index(
                fields=["limit_on"],
                condition=Q(kind="suspended", ends_on=None, limit_on__isnull=False),
                name="clock_to_resume",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="case_knows",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                func=(
                    "UPDATE cases_case SET suspended_on = (SELECT starts_on FROM cases_clockinterval"
                    " WHERE case_id = NEW.case_id AND kind = 'suspended' AND ends_on IS NULL)"
                    " WHERE id = NEW.case_id; RETURN NULL;"
                ),
            ),
        ]

    @property
    def words(self) -> str:
        """By how much it extends."""
        term = read_term(self.term)
        return term.words if term else ""

    def __str__(self) -> str:
        return f"{self.kind} {self.ground} {self.starts_on}"


class ClockState(models.Model):
    """By which version of an organisation's calendars the due dates of its open cases were computed."""

    organisation = models.OneToOneField(
        "organisations.Organisation", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    units_version = models.IntegerField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.organisation_id}@{self.units_version}"
