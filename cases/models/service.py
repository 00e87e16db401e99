"""Service targets of cases: what runs, when it stood still, and the nearest of each case for lists."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from crm.kit.models import Base


class Measure(models.TextChoices):
    """What is promised."""

    FIRST_ANSWER = "first_answer", _("First answer")
    NEXT_ANSWER = "next_answer", _("Next answer")
    RESOLUTION = "resolution", _("Resolution")


class ServiceTarget(Base):
    """A promise on one case, from when it began to run until it was kept, missed or fell away.

    Its end is computed from its start, its length, the unit's working hours and its pauses; `due_at`
    keeps it for lists. Kept or missed, it stands for ever with the moment and by how much.
    """

    class End(models.TextChoices):
        """How it ended."""

        MET = "met", _("Met")
        MISSED = "missed", _("Missed")
        DROPPED = "dropped", _("Fell away")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="service_targets", db_index=False
    )
    measure = models.CharField(max_length=14, choices=Measure)
    rule = models.JSONField()  # as it stood in the bundle when it was last reckoned
    minutes = models.PositiveIntegerField()  # of working time
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # null: it stands still, or no calendar knows
    warn_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)  # since when it stands still
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=8, choices=End, blank=True)
    margin = models.IntegerField(null=True)  # working seconds that were left; negative: too late by

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("service target")
        verbose_name_plural = _("service targets")
        ordering = ("started_at", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "measure"],
                condition=Q(ended_at=None),
                name="service_target_runs_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="") | Q(ended_at__isnull=False) & ~Q(end=""),
                name="service_target_ends_somehow",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="service_target_runs_forward",
            ),
            models.CheckConstraint(
                condition=Q(breached_at=None) | Q(due_at__isnull=False),
                name="service_target_breached_by_a_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "started_at"], name="service_target_of_case"),
            # what the sweeper looks for
            models.Index(
                fields=["warn_at"],
                condition=Q(ended_at=None, warned_at=None, breached_at=None, warn_at__isnull=False),
                name="service_target_to_warn",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(ended_at=None, breached_at=None, due_at__isnull=False),
                name="service_target_to_breach",
            ),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.measure} {self.case_id}"


class ThroughTarget(ThroughCase["ServicePause"]):
    """Rows that exist for an actor when their target's case does."""

    organisation_path = "target__case__organisation_id"


class ServicePause(Base):
    """Time in which a service target stood still, and the category of the state that held it."""

    target = models.ForeignKey(
        ServiceTarget, on_delete=models.PROTECT, related_name="pauses", db_index=False
    )
    category = models.SmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    objects = ThroughTarget.as_manager()

    class Meta:
        verbose_name = _("pause of a service target")
        ordering = ("starts_at", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
                name="service_pause_runs_forward",
            ),
            ExclusionConstraint(
                name="service_paused_once_at_a_time",
                expressions=[
                    ("target", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_at"),
                            F("ends_at"),
                            Value("[)"),
                            function="tstzrange",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target_id} {self.starts_at}"


class ServiceClock(models.Model):
    """Of each case with service targets, what lists show and sort by: the nearest that runs.

    It is written with them, in the same transaction; the unit follows the case's by a trigger.
    """

    case = models.OneToOneField(
        Case, on_delete=models.CASCADE, primary_key=True, related_name="service_clock"
    )
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unit = models.ForeignKey(
        "organisations.Unit",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    measure = models.CharField(max_length=14, choices=Measure, blank=True)  # "": none runs
    started_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    danger_at = models.DateTimeField(null=True)  # from then on one of them is in danger
    paused_at = models.DateTimeField(null=True)  # all of them stand still
    breached = models.BooleanField(default=False)  # one was missed, ever

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("nearest service target")
        indexes = [
            models.Index(
                fields=["organisation", "due_at", "case"],
                condition=Q(due_at__isnull=False),
                name="service_clock_due",
            ),
            models.Index(
                fields=["unit", "due_at", "case"],
                condition=Q(due_at__isnull=False),
                name="service_clock_unit_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.due_at}"


class InformationLetter(Base):
    """What art. 21.4 of Ley 39/2015 has an applicant told within ten days: once for each case."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="information_letter")
    message = models.OneToOneField(
        "cases.Message", on_delete=models.PROTECT, related_name="information_letter"
    )
    automatic = models.BooleanField()

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("information letter")
        triggers = [pgtrigger.Protect(name="once", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.case_id}"


class PapersRequest(Base):
    """What a citizen was asked to bring, and by when: a term of theirs, by Ley 39/2015 arts. 30 and 31."""

    class End(models.TextChoices):
        """What became of it."""

        BROUGHT = "brought", _("Brought")
        NOT_BROUGHT = "not_brought", _("Not brought")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="papers_requests", db_index=False
    )
    papers = models.TextField()  # one a line
    term = models.CharField(max_length=8)
    notified_on = models.DateField()
    due_on = models.DateField()
    message = models.OneToOneField(
        "cases.Message", on_delete=models.PROTECT, null=True, related_name="papers_request"
    )
    ended_on = models.DateField(null=True)  # the day that counts (art. 31.2)
    end = models.CharField(max_length=12, choices=End, blank=True)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("request for papers")
        verbose_name_plural = _("requests for papers")
        ordering = ("notified_on", "id")
        constraints = [
            models.CheckConstraint(condition=~Q(papers=""), name="papers_request_says_what"),
            models.CheckConstraint(
                condition=Q(due_on__gt=F("notified_on")), name="papers_request_gives_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None, end="") | Q(ended_on__isnull=False) & ~Q(end=""),
                name="papers_request_ends_somehow",
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(ended_on=None), name="papers_requested_once_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["case", "notified_on"], name="papers_request_of_case")]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.case_id} {self.due_on}"
