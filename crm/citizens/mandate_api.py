"""Mandates by API: recorded, checked and ended, and whether one person may do something for another."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from crm.citizens import mandates
from crm.citizens.mandates import Subject, state_of
from crm.citizens.models import Act, Assurance, Citizen, CitizenRecord, End, Mandate, Proof, Scope
from crm.citizens.permissions import MANAGE_MANDATES, VERIFY_MANDATE, VIEW_MANDATE
from crm.citizens.representing import mandate_of, mandates_of, weighed
from crm.citizens.services import mandates as verbs
from crm.citizens.services.records import note
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import (
    Choice,
    Day,
    Filters,
    Flag,
    Id,
    Input,
    Listing,
    Moment,
    Output,
    Text,
)
from crm.kit.errors import Invalid
from crm.kit.keyset import Order
from crm.kit.policy import require

AS_RECORDED = Order(("id",))
ASSURANCE = [(level.name.lower(), level.label) for level in Assurance]
STATES = [(name, words) for name, (words, _look, _icon) in mandates.STATES.items()]


class NewMandateInput(Input):
    """A mandate of the citizen in the address."""

    holder = Id(help_text="Who acts for the citizen.")
    scope = Choice(choices=Scope.choices)
    covers = Listing(
        Text(max_length=60),
        required=False,
        max_length=200,
        help_text="Codes of case types (matter) or of procedures (procedure); none when general.",
    )
    acts = Listing(Choice(choices=Act.choices), max_length=4)
    proof = Choice(choices=Proof.choices)
    proof_number = Text(max_length=60, required=False, allow_blank=True)
    remarks = Text(max_length=240, required=False, allow_blank=True)
    granted_on = Day()
    valid_from = Day(required=False, allow_null=True)
    valid_until = Day(required=False, allow_null=True, help_text="Its last day.")


class VerifyMandateInput(Input):
    """That the proof has been checked."""

    assurance = Choice(choices=ASSURANCE, required=False)


class EndMandateInput(Input):
    """How a mandate ends, and why."""

    how = Choice(choices=End.choices)
    reason = Text(max_length=240)


class MandateFilters(Filters):
    """Which mandates of a citizen."""

    side = Choice(
        choices=[("granted", "granted"), ("held", "held")],
        required=False,
        default="granted",
        help_text="Those that the citizen granted, or those that they hold.",
    )


class DecisionInput(Input):
    """What somebody would do for somebody else."""

    holder = Id()
    grantor = Id()
    act = Choice(choices=Act.choices)
    matter = Text(required=False, max_length=60, help_text="Code of a case type.")
    procedure = Text(required=False, max_length=60, help_text="Code of a procedure.")


class MandateOutput(Output):
    """A mandate as it stands."""

    id = Id(source="uuid")
    grantor = Id(source="grantor.uuid")
    holder = Id(source="holder.uuid")
    scope = Choice(choices=Scope.choices)
    covers = Listing(Text())
    acts = Listing(Choice(choices=Act.choices))
    proof = Choice(choices=Proof.choices)
    proof_number = Text(allow_blank=True)
    assurance = Choice(choices=ASSURANCE, source="assurance_name")
    red_number = Text(source="professional.number", allow_null=True, default=None)
    granted_on = Day()
    valid_from = Day()
    valid_until = Day(allow_null=True)
    state = Choice(choices=STATES)
    verified_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)
    ended_how = Text(allow_blank=True)
    ended_reason = Text(allow_blank=True)
    replaces = Id(source="replaces.uuid", allow_null=True, default=None)


class DecisionOutput(Output):
    """Whether it may be done now, by which mandate, or why not."""

    allowed = Flag()
    reason = Text(allow_blank=True)
    mandate = Id(allow_null=True)


class Mandates(ActorAPIView):
    """The mandates of one citizen."""

    @operation(
        "List mandates",
        needs=VIEW_MANDATE,
        filters=MandateFilters,
        answers=MandateOutput,
        paged=True,
    )
    def get(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """In the order of their recording; those that ended, too."""
        record = _record(self.actor, citizen_id, VIEW_MANDATE)
        side = {"granted": "grantor", "held": "holder"}[self.query["side"]]
        note(self.actor, "viewed", record, part="mandates")
        rows = mandates_of(self.actor).select_related("replaces").filter(**{side: record.citizen})
        return self.page(rows, AS_RECORDED, show=_shown)

    @operation(
        "Record a mandate",
        needs=MANAGE_MANDATES,
        reads=NewMandateInput,
        answers=MandateOutput,
        status=201,
    )
    def post(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """It counts once its proof has been checked. 409 when an equal one covers some of its days."""
        made = verbs.register_mandate(self.actor, citizen_id, verbs.NewMandate(**self.read()))
        return self.reply(_shown(made), location=f"/api/v1/mandates/{made.uuid}/")


class OneMandate(ActorAPIView):
    """One mandate."""

    @operation("Read a mandate", needs=VIEW_MANDATE, answers=MandateOutput)
    def get(self, request: Request, mandate_id: UUID) -> HttpResponse:
        """Its terms never change; how it stands does."""
        found = mandate_of(self.actor, mandate_id)
        record = _record(self.actor, found.grantor.uuid, VIEW_MANDATE)
        note(self.actor, "viewed", record, part="mandates")
        return self.reply(_shown(found))


class VerifyMandate(ActorAPIView):
    """The proof of a mandate has been checked."""

    @operation(
        "Check a mandate", needs=VERIFY_MANDATE, reads=VerifyMandateInput, answers=MandateOutput
    )
    def post(self, request: Request, mandate_id: UUID) -> HttpResponse:
        """From now on it counts; 422 when it is proved on paper and the document is missing."""
        level = self.read().get("assurance")
        sure = Assurance[level.upper()] if level else None
        return self.reply(_shown(verbs.verify_mandate(self.actor, mandate_id, assurance=sure)))


class EndMandate(ActorAPIView):
    """A mandate is revoked by its grantor, or renounced by its holder."""

    @operation("End a mandate", needs=MANAGE_MANDATES, reads=EndMandateInput, answers=MandateOutput)
    def post(self, request: Request, mandate_id: UUID) -> HttpResponse:
        """From this moment it lets nothing be done; what was done by it stays."""
        given = self.read()
        found = verbs.end_mandate(self.actor, mandate_id, given["how"], reason=given["reason"])
        return self.reply(_shown(found))


class Decision(ActorAPIView):
    """Whether one person may do something for another now."""

    @operation("Weigh mandates", needs=VIEW_MANDATE, reads=DecisionInput, answers=DecisionOutput)
    def post(self, request: Request) -> HttpResponse:
        """Without a matter or procedure: for everything of the person, which takes a general mandate."""
        given = self.read()
        people = Citizen.objects.for_actor(self.actor)
        holder = people.filter(uuid=given["holder"]).first()
        rows = CitizenRecord.objects.for_actor(self.actor).select_related("citizen")
        grantor = rows.filter(citizen__uuid=given["grantor"]).first()
        if holder is None:
            raise Invalid(errors={"holder": [_("There is no such citizen.")]})
        if grantor is None:
            raise Invalid(errors={"grantor": [_("There is no such citizen.")]})
        require(self.actor, VIEW_MANDATE, grantor)
        procedures = frozenset(filter(None, [given.get("procedure")]))
        subject = Subject(given.get("matter", ""), procedures)
        note(self.actor, "viewed", grantor, part="mandates")
        found = weighed(self.actor, holder.pk, grantor.citizen_id, given["act"], subject)
        return self.reply(
            {
                "allowed": bool(found),
                "reason": str(found.decision.reason),
                "mandate": found.mandate.uuid if found.mandate else None,
            }
        )


urlpatterns = [
    path("citizens/<uuid:citizen_id>/mandates/", Mandates.as_view(), name="citizen-mandates"),
    path("mandates/decision/", Decision.as_view(), name="mandate-decision"),
    path("mandates/<uuid:mandate_id>/", OneMandate.as_view(), name="mandate"),
    path("mandates/<uuid:mandate_id>/verify/", VerifyMandate.as_view(), name="mandate-verify"),
    path("mandates/<uuid:mandate_id>/end/", EndMandate.as_view(), name="mandate-end"),
]


# --- Inside -------------------------------------------------------------------------------------


def _record(actor: Actor, citizen: UUID, permission: str) -> CitizenRecord:
    rows = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    found = rows.get_or_refuse(citizen__uuid=citizen)
    require(actor, permission, found)
    return found


def _shown(mandate: Mandate) -> Any:
    mandate.state = state_of(mandate, timezone.now())  # type: ignore[attr-defined]
    mandate.assurance_name = Assurance(mandate.assurance).name.lower()  # type: ignore[attr-defined]
    return mandate
