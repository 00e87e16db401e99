"""How work is given out: the rule of a unit, what each person can take on, and what absence moved."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case, ThroughCase
from cases.models.catalogue import CaseType
from crm.kit.models import Base, Owned

USUAL_CAPACITY = 40
MOST_POINTS = 1000


class Method(models.TextChoices):
    """How a unit's free cases find somebody."""

    MANUAL = "manual", _("Somebody assigns them")
    TAKE_NEXT = "take_next", _("Each takes the next one")
    ROUND_ROBIN = "round_robin", _("In turn")
    LEAST_BUSY = "least_busy", _("To whoever has least")

    @property
    def automatic(self) -> bool:
        """Whether nobody has to do anything."""
        return self in (Method.ROUND_ROBIN, Method.LEAST_BUSY)


class Distribution(Owned):
    """The rule by which free cases of a unit and those below it are given out; the nearest one counts.

    Without a unit it is the organisation's; with a case type it goes before that without, in one place.
    """

    unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    unit_id: int | None
    case_type = models.ForeignKey(
        CaseType, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    case_type_id: int | None
    method = models.CharField(max_length=12, choices=Method, default=Method.MANUAL)
    weight = (
        models.PositiveSmallIntegerField(  # points that one such case is of a person's capacity
            default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_POINTS)]
        )
    )
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    by_language = models.BooleanField(default=True)  # first to who speaks the case's language

    class Meta:
        verbose_name = _("rule of distribution")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "unit", "case_type"],
                nulls_distinct=False,
                name="distribution_once_per_place",
            ),
            models.CheckConstraint(
                condition=Q(weight__range=(1, MOST_POINTS)), name="distribution_weighs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.case_type_id}: {self.method}"


class WorkProfile(Owned):
    """What an employee can take on here; without a row the usual: full time, no particular skill."""

    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    user_id: int
    capacity = models.PositiveSmallIntegerField(default=USUAL_CAPACITY)  # points; 0 gets none given
    share = models.PositiveSmallIntegerField(default=100)  # of a full working day, in percent
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    last_given_at = models.DateTimeField(null=True, blank=True)  # by the rule, for turns

    class Meta:
        verbose_name = _("work profile")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user"], name="work_profile_once_per_person"
            ),
            models.CheckConstraint(
                condition=Q(share__range=(1, 100)), name="work_profile_share_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(capacity__lte=MOST_POINTS), name="work_profile_capacity_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.capacity}"


class Handover(Base):
    """A case left somebody's hands because they were away; it comes back at the end unless it moved on."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="handovers")
    absence = models.ForeignKey("accounts.Absence", on_delete=models.PROTECT, related_name="+")
    given_to = models.ForeignKey(  # nobody: it went back to the queue
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    given_to_id: int | None
    settled_at = models.DateTimeField(null=True)  # it came back, or need not any more

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("handover")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "absence"],
                condition=Q(settled_at=None),
                name="handover_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(settled_at__gte=F("created_at")),
                name="handover_settled_after_it_began",
            ),
        ]
        indexes = [
            models.Index(
                fields=["absence"], condition=Q(settled_at=None), name="handover_not_settled"
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.absence_id}"
