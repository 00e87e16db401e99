"""Cases that change hands: who had one when, transfers offered and answered, questions between areas."""

from typing import Self, TypeVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models.case import TRANSFERRED, Case, Confidentiality, ThroughCase
from cases.permissions import VIEW_CASE, VIEW_SPECIAL
from crm.kit.actor import Actor
from crm.kit.models import Base
from crm.kit.scoping import ScopedQuerySet

MOMENT = "ventanilla.moment"
"""The transaction's setting that tells the trigger below when what it writes happened (else: now)."""


class Custody(models.Model):
    """A unit was responsible for a case from one moment to another; the last row has no end.

    A case that never changed hands has no rows: its unit has had it since it was opened. The trigger
    on Case below writes the rest, so that no way of changing a unit leaves a gap.
    """

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="custody", db_index=False)
    unit = models.ForeignKey("organisations.Unit", on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = ThroughCase.as_manager()

    class Meta:
        verbose_name = _("responsibility for a case")
        verbose_name_plural = _("responsibilities for cases")
        ordering = ("since", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")), name="custody_runs_forward"
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(until=None), name="custody_of_one_unit_now"
            ),
            ExclusionConstraint(
                name="custody_of_one_unit_at_a_time",
                expressions=[
                    ("case", RangeOperators.EQUAL),
                    (
                        Func(F("since"), F("until"), Value("[)"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="told_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.until IS NOT NULL"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.unit_id}"


pgtrigger.register(
    pgtrigger.Trigger(
        name="custody_follows_unit",
        operation=pgtrigger.UpdateOf("unit_id"),  # type: ignore[no-untyped-call]
        when=pgtrigger.After,
        condition=pgtrigger.Condition("OLD.unit_id IS DISTINCT FROM NEW.unit_id"),
        declare=[("moment", "timestamptz"), ("began", "timestamptz")],
        func=(
            "moment = COALESCE(NULLIF(current_setting('ventanilla.moment', true), '')::timestamptz,"
            " clock_timestamp());"
            " IF NEW.state <> '-transferred' THEN"
            " UPDATE cases_custody SET until = GREATEST(moment, since)"
            " WHERE case_id = NEW.id AND until IS NULL RETURNING until INTO began;"
            " IF began IS NULL THEN"
            " began = GREATEST(moment, OLD.opened_at);"
            " INSERT INTO cases_custody (case_id, unit_id, since, until)"
            " VALUES (NEW.id, OLD.unit_id, OLD.opened_at, began);"
            " END IF;"
            " INSERT INTO cases_custody (case_id, unit_id, since) VALUES (NEW.id, NEW.unit_id, began);"
            " END IF; RETURN NULL;"
        ),
    )
)(Case)


M = TypeVar("M", bound=models.Model)


class BetweenUnits(ScopedQuerySet[M]):
    """Rows that lie between two units: each exists for who sees the cases of one of the two."""

    def for_actor(self, actor: Actor) -> Self:
        """Those that come from or go to a unit of the actor's; specially protected cases are named
        only where the actor may see such."""
        return self.sent_by(actor) | self.sent_to(actor)

    def sent_by(self, actor: Actor) -> Self:
        """Those that a unit of the actor's sent."""
        return self._at("origin", actor)

    def sent_to(self, actor: Actor) -> Self:
        """Those that were sent to a unit of the actor's."""
        return self._at("target", actor)

    def _at(self, side: str, actor: Actor, unit: str = "") -> Self:
        reach, special = actor.reach(VIEW_CASE), actor.reach(VIEW_SPECIAL)
        if not reach:
            return self.none()
        unit = unit or f"{side}_unit"
        found = Q(**{f"{side}_organisation": actor.organisation_id})
        if not reach.everywhere:
            found &= Q(**{f"{unit}__in": sorted(reach.units)})
        if not special.everywhere:
            seen = Q(**{f"{unit}__in": sorted(special.units)})
            found &= ~Q(case__confidentiality=Confidentiality.SPECIAL) | seen
        return self.filter(found)


class Between(Base):
    """What lies between two units: who sends and who is asked, with what, until when."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="%(class)ss")
    origin_organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    origin_unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target_organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target_unit = models.ForeignKey(
        "organisations.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    text = models.TextField()
    # what may be seen of the case on the other side; emptied when the matter is settled
    packet = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    sent_by_name = models.CharField(max_length=200)
    answered_at = models.DateTimeField(null=True)
    answered_by_name = models.CharField(max_length=200, blank=True)
    # by what it may leave the organisation
    agreement = models.ForeignKey(
        "organisations.SharingAgreement", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        abstract = True

    @property
    def external(self) -> bool:
        """Whether it goes to another organisation."""
        return self.origin_organisation_id != self.target_organisation_id

    @property
    def late(self) -> bool:
        """Whether its time had passed when it was answered, or has now."""
        return (self.answered_at or timezone.now()) > self.due_at


class CaseTransfer(Between):
    """Responsibility for a case is offered to another unit; until it accepts the origin keeps it."""

    class State(models.TextChoices):
        """What became of the offer."""

        OFFERED = "offered", _("Offered")
        ACCEPTED = "accepted", _("Accepted")
        RETURNED = "returned", _("Returned")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Expired")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Basis(models.TextChoices):
        """By what a case may go to another organisation."""

        AGREEMENT = "agreement", _("A data-sharing agreement in force")
        CONSENT = "consent", _("The citizen's consent")
        RULE = "rule", _("A rule that says so")

    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)
    answer = models.CharField(max_length=1_000, blank=True)
    basis = models.CharField(max_length=10, choices=Basis, blank=True)
    basis_text = models.CharField(max_length=500, blank=True)
    consent_on = models.DateField(null=True)
    received_case = models.OneToOneField(
        Case, on_delete=models.PROTECT, null=True, related_name="came_by"
    )

    objects = BetweenUnits["CaseTransfer"].as_manager()

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(state="offered"), name="transfer_one_open_per_case"
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(received_case__isnull=False),
                name="transfer_leaves_an_organisation_once",
            ),
            models.CheckConstraint(
                condition=Q(state="offered", answered_at=None)
                | ~Q(state="offered") & Q(answered_at__isnull=False),
                name="transfer_answered_iff_dated",
            ),
            models.CheckConstraint(
                condition=~Q(origin_unit=F("target_unit")), name="transfer_to_another_unit"
            ),
            models.CheckConstraint(
                condition=Q(origin_organisation=F("target_organisation"), basis="")
                | ~Q(origin_organisation=F("target_organisation")) & ~Q(basis=""),
                name="transfer_abroad_states_its_basis",
            ),
            models.CheckConstraint(
                condition=~Q(basis="agreement") | Q(agreement__isnull=False),
                name="transfer_names_its_agreement",
            ),
            models.CheckConstraint(
                condition=~Q(basis="consent") | Q(consent_on__isnull=False) & ~Q(basis_text=""),
                name="transfer_says_who_consented_and_when",
            ),
            models.CheckConstraint(
                condition=Q(received_case=None, origin_organisation=F("target_organisation"))
                | Q(received_case=None) & ~Q(state="accepted")
                | Q(received_case__isnull=False, state="accepted")
                & ~Q(origin_organisation=F("target_organisation")),
                name="transfer_accepted_abroad_has_its_case",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["returned", "refused"]) | ~Q(answer=""),
                name="transfer_back_for_a_reason",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="transfer_says_why"),
        ]
        indexes = [
            models.Index(fields=["target_organisation", "-id"], name="transfer_received"),
            models.Index(fields=["origin_organisation", "-id"], name="transfer_sent"),
            models.Index(
                fields=["due_at"], condition=Q(state="offered"), name="transfer_to_expire"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            # whatever wrote it: who gave a case to another organisation has it no more, and only then
            pgtrigger.Trigger(
                name="given_is_gone",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state", "received_case_id"),  # type: ignore[no-untyped-call]
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.received_case_id IS NOT NULL"),
                func=(
                    "IF (SELECT state FROM cases_case WHERE id = NEW.case_id) <> '-transferred' THEN"
                    " RAISE EXCEPTION 'case % was given away and kept', NEW.case_id"
                    " USING ERRCODE = 'check_violation'; END IF; RETURN NULL;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} → {self.target_unit}"

    @property
    def open(self) -> bool:
        """Whether nobody has answered yet."""
        return self.state == self.State.OFFERED

    @property
    def gone(self) -> bool:
        """Whether the case is another organisation's now."""
        return self.received_case_id is not None


pgtrigger.register(
    pgtrigger.Trigger(
        name="gone_is_given",
        operation=pgtrigger.UpdateOf("state"),  # type: ignore[no-untyped-call]
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Condition("NEW.state = '-transferred' OR OLD.state = '-transferred'"),
        func=(
            "IF (SELECT state FROM cases_case WHERE id = NEW.id) = '-transferred' AND NOT EXISTS"
            " (SELECT 1 FROM cases_casetransfer WHERE case_id = NEW.id AND received_case_id IS NOT NULL)"
            " OR OLD.state = '-transferred' AND NEW.state <> '-transferred' THEN"
            " RAISE EXCEPTION 'case % would have no responsible unit, or two', NEW.id"
            " USING ERRCODE = 'check_violation'; END IF; RETURN NULL;"
        ),
    )
)(Case)


class Consultations(BetweenUnits["Consultation"]):
    """Questions are asked by the unit that is responsible for the case now."""

    def sent_by(self, actor: Actor) -> Self:
        """Those about cases that exist for the actor."""
        found = self._at("origin", actor, "case__unit")
        return found.filter(~Q(case__state=TRANSFERRED))


class Consultation(Between):
    """A unit asks another a question about a case, with a deadline; responsibility stays."""

    class State(models.TextChoices):
        """How it stands."""

        ASKED = "asked", _("Asked")
        ASKED_BACK = "asked_back", _("Asked back")
        ANSWERED = "answered", _("Answered")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    OPEN = (State.ASKED, State.ASKED_BACK)

    state = models.CharField(max_length=10, choices=State, default=State.ASKED)

    objects = Consultations.as_manager()

    class Meta:
        verbose_name = _("question to another area")
        verbose_name_plural = _("questions to other areas")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["asked", "asked_back"], answered_at=None)
                | ~Q(state__in=["asked", "asked_back"]) & Q(answered_at__isnull=False),
                name="consultation_answered_iff_dated",
            ),
            models.CheckConstraint(
                condition=~Q(origin_unit=F("target_unit")), name="consultation_to_another_unit"
            ),
            models.CheckConstraint(
                condition=Q(origin_organisation=F("target_organisation"))
                | Q(agreement__isnull=False),
                name="consultation_abroad_by_an_agreement",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="consultation_asks_something"),
        ]
        indexes = [
            models.Index(fields=["target_organisation", "-id"], name="consultation_received"),
            models.Index(fields=["origin_organisation", "-id"], name="consultation_sent"),
        ]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.case} ? {self.target_unit}"

    @property
    def open(self) -> bool:
        """Whether somebody still owes a word."""
        return self.state in self.OPEN


class ThroughConsultation(ScopedQuerySet["ConsultationWord"]):
    """Words exist for an actor when their consultation does."""

    def for_actor(self, actor: Actor) -> Self:
        """Those of the consultations that exist for the actor."""
        return self.filter(consultation__in=Consultation.objects.for_actor(actor))


class ConsultationWord(Base):
    """One thing said in a consultation after its question."""

    class Kind(models.TextChoices):
        """What was said."""

        ASKED_BACK = "asked_back", _("Asked back")
        CLARIFIED = "clarified", _("Clarified")
        ANSWERED = "answered", _("Answered")
        DECLINED = "declined", _("Declined")
        EXTENDED = "extended", _("More time given")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="words")
    kind = models.CharField(max_length=10, choices=Kind)
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    author_name = models.CharField(max_length=200)
    text = models.TextField()

    objects = ThroughConsultation.as_manager()

    class Meta:
        verbose_name = _("word of a consultation")
        verbose_name_plural = _("words of consultations")
        ordering = ("created_at", "id")
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind}"


__all__ = ["TRANSFERRED", "CaseTransfer", "Consultation", "ConsultationWord", "Custody"]
