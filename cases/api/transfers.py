"""Transfers and questions between areas by API, and which units had a case."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.serializers import DateField as Day

from cases import handover, services
from cases.api.views import CaseAPIView
from cases.models import Case, CaseTransfer, Consultation, ConsultationWord, StateCategory
from cases.permissions import CHANGE_CASE, TRANSFER_CASE, VIEW_CASE
from cases.services import Abroad, Ticked
from cases.services.packets import PARTS
from crm.audit.record import record, record_part
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import (
    Bag,
    Choice,
    Filters,
    Flag,
    Id,
    Input,
    Listing,
    Moment,
    Named,
    Output,
    Text,
    Whole,
)
from crm.kit.keyset import Order

TransferState = CaseTransfer.State  # named here so that the schema can name them
TransferBasis = CaseTransfer.Basis
ConsultationState = Consultation.State
ConsultationWordKind = ConsultationWord.Kind
DIRECTIONS = (("received", "received"), ("sent", "sent"))
TERM = "4h (hours of attention), 3wd, 15d or 1m."
_NEWEST = Order(("id",), descending=True)
_WITH = (
    *("case", "origin_unit", "target_unit", "origin_organisation", "target_organisation"),
    "agreement",
)


class TickedInput(Input):
    """What of the case may be seen on the other side; internal notes never are."""

    parts = Listing(Choice(choices=tuple((name, name) for name in PARTS)), required=False)
    documents = Listing(Id(), required=False, max_length=100)


class OfferInput(TickedInput):
    """To whom, why and until when; to another organisation, by what."""

    unit = Id()
    organisation = Text(required=False, max_length=12, help_text="Its code; the own if left out.")
    comment = Text(max_length=4_000, help_text="Kept as an internal note, whatever is answered.")
    term = Text(required=False, max_length=8, help_text=TERM)
    basis = Choice(choices=TransferBasis.choices, required=False)
    basis_text = Text(required=False, max_length=500, help_text="The rule, or who consented how.")
    consent_on = Day(required=False)


class AcceptInput(Input):
    """Who has it; of another organisation's, as what it is received and where."""

    assignee = Id(required=False)
    unit = Id(required=False)
    case_type = Text(required=False, max_length=60, help_text="Code; of another organisation's.")


class AnswerInput(Input):
    """Why it goes back."""

    reason = Text(max_length=1_000)


class WithdrawInput(Input):
    """Why it is no longer offered."""

    reason = Text(required=False, allow_blank=True, max_length=1_000)


class AskInput(TickedInput):
    """To whom, what, and until when."""

    unit = Id()
    organisation = Text(required=False, max_length=12, help_text="Its code; the own if left out.")
    text = Text(max_length=4_000)
    term = Text(max_length=8, help_text=TERM)


class WordsInput(Input):
    """What is said."""

    text = Text(max_length=4_000)


class TermInput(Input):
    """Until when, from now."""

    term = Text(max_length=8, help_text=TERM)


class HandingFilters(Filters):
    """Which ones."""

    direction = Choice(choices=DIRECTIONS, required=False, help_text="Received if left out.")
    open = Flag(required=False, help_text="Only those that wait for an answer.")


class WhereaboutsOutput(Output):
    """All that the origin may know of a case that another organisation has."""

    reference = Text()
    organisation = Text()
    unit = Text()
    category = Named(StateCategory)
    closed_at = Moment(allow_null=True)


class BetweenOutput(Output):
    """What lies between two units."""

    id = Id(source="uuid")
    reference = Text(source="case.reference")
    origin_organisation = Text(source="origin_organisation.code")
    origin_unit = Text(source="origin_unit.name")
    target_organisation = Text(source="target_organisation.code")
    target_unit = Id(source="target_unit.uuid")
    sent_at = Moment()
    sent_by_name = Text()
    due_at = Moment()
    late = Flag()
    answered_at = Moment(allow_null=True)
    packet = Bag(help_text="What may be seen of the case; emptied when it is settled.")


class TransferOutput(BetweenOutput):
    """An offer and what became of it."""

    state = Choice(choices=TransferState.choices)
    comment = Text(source="told")
    answer = Text(allow_blank=True)
    basis = Text(allow_blank=True)
    received_reference = Text(allow_null=True, help_text="Of the case at the other organisation.")
    whereabouts = WhereaboutsOutput(allow_null=True)


class WordOutput(Output):
    """One thing said."""

    kind = Choice(choices=ConsultationWordKind.choices)
    author_name = Text()
    text = Text(allow_blank=True)
    created_at = Moment()


class ConsultationOutput(BetweenOutput):
    """A question and what was said."""

    state = Choice(choices=ConsultationState.choices)
    text = Text()
    words = WordOutput(many=True, source="said")


class SpanOutput(Output):
    """A unit had the case from one moment to another."""

    unit = Text()
    organisation = Text(allow_blank=True, help_text="Empty where it is the case's own.")
    since = Moment()
    until = Moment(allow_null=True)
    days = Whole()


class CustodyOutput(Output):
    """Which units had the case, in order."""

    spans = SpanOutput(many=True)


def shown_transfer(actor: Actor, row: CaseTransfer) -> CaseTransfer:
    """With what this side may know of it."""
    away = row.gone and row.origin_organisation_id == actor.organisation_id
    row.told = "" if away else row.text  # type: ignore[attr-defined]
    found = handover.whereabouts(row) if away else None
    row.whereabouts = found  # type: ignore[attr-defined]
    here = None if row.received_case_id is None or away else row.received_case
    row.received_reference = (  # type: ignore[attr-defined]
        found.reference if found else here.reference if here else None
    )
    return row


def shown_consultation(row: Consultation) -> Consultation:
    """With its words."""
    row.said = list(row.words.all())  # type: ignore[attr-defined]
    return row


class Custody(CaseAPIView):
    """Who had it when."""

    @operation("Read which units had a case", needs=VIEW_CASE, answers=CustodyOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In order, with the days of each."""
        rows = Case.objects.for_actor(self.actor).select_related("unit__organisation")
        case = rows.get_or_refuse(uuid=case_id)
        record_part(self.actor, case, "custody")
        return self.reply({"spans": handover.spans_of(case)})


class OfferTransfer(CaseAPIView):
    """Offering a case to another unit."""

    @operation(
        "Offer a transfer",
        needs=TRANSFER_CASE,
        reads=OfferInput,
        answers=TransferOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 while another offer is open; 422 without a basis for another organisation."""
        given = self.read()
        ticked = _ticked(given)
        basis = {name: given.pop(name, None) for name in ("basis", "basis_text", "consent_on")}
        abroad = Abroad(
            basis=basis["basis"] or "",
            text=basis["basis_text"] or "",
            consent_on=basis["consent_on"],
            ticked=ticked,
        )
        row = services.offer_transfer(self.actor, case_id, abroad=abroad, **given)
        return self.reply(shown_transfer(self.actor, row))


class AskArea(CaseAPIView):
    """Asking another unit about a case."""

    @operation(
        "Ask another area",
        needs=CHANGE_CASE,
        reads=AskInput,
        answers=ConsultationOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Of another organisation, within an agreement in force."""
        given = self.read()
        ticked = _ticked(given)
        row = services.ask_area(self.actor, case_id, ticked=ticked, **given)
        return self.reply(shown_consultation(row))


class Transfers(ActorAPIView):
    """Offers to and from the caller's units."""

    @operation(
        "List transfers",
        needs=VIEW_CASE,
        filters=HandingFilters,
        answers=TransferOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """Newest first."""
        rows = _listed(self, handover.RECEIVED, handover.SENT)
        rows = rows.select_related(*_WITH, "received_case")
        record(self.actor, "searched", None, kind="transfers")
        return self.page(rows, _NEWEST, show=lambda row: shown_transfer(self.actor, row))


class Consultations(ActorAPIView):
    """Questions to and from the caller's units."""

    @operation(
        "List questions between areas",
        needs=VIEW_CASE,
        filters=HandingFilters,
        answers=ConsultationOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """Newest first."""
        rows = _listed(self, handover.ASKED, handover.WE_ASKED)
        rows = rows.select_related(*_WITH).prefetch_related("words")
        record(self.actor, "searched", None, kind="consultations")
        return self.page(rows, _NEWEST, show=shown_consultation)


class TransferView(ActorAPIView):
    """An address of one offer."""

    def found(self, transfer_id: UUID) -> CaseTransfer:
        """The offer, as it stands."""
        rows = CaseTransfer.objects.for_actor(self.actor).select_related(*_WITH, "received_case")
        return rows.get_or_refuse(uuid=transfer_id)

    def done(self, row: CaseTransfer) -> HttpResponse:
        """The offer after a verb."""
        return self.reply(shown_transfer(self.actor, self.found(row.uuid)))


class OneTransfer(TransferView):
    """One offer."""

    @operation("Read a transfer", needs=VIEW_CASE, answers=TransferOutput)
    def get(self, request: Request, transfer_id: UUID) -> HttpResponse:
        """Of a case that is gone, only where it is and how it stands."""
        row = self.found(transfer_id)
        record(self.actor, "viewed", row)
        return self.reply(shown_transfer(self.actor, row))


class AcceptTransfer(TransferView):
    """Having the case from now on."""

    @operation("Accept a transfer", needs=TRANSFER_CASE, reads=AcceptInput, answers=TransferOutput)
    def post(self, request: Request, transfer_id: UUID) -> HttpResponse:
        """409 when it was answered or its time has passed."""
        return self.done(services.accept_transfer(self.actor, transfer_id, **self.read()))


class ReturnTransfer(TransferView):
    """Giving it back to be completed."""

    @operation("Return a transfer", needs=TRANSFER_CASE, reads=AnswerInput, answers=TransferOutput)
    def post(self, request: Request, transfer_id: UUID) -> HttpResponse:
        """It may be offered again."""
        return self.done(services.return_transfer(self.actor, transfer_id, **self.read()))


class RefuseTransfer(TransferView):
    """Not having it."""

    @operation("Refuse a transfer", needs=TRANSFER_CASE, reads=AnswerInput, answers=TransferOutput)
    def post(self, request: Request, transfer_id: UUID) -> HttpResponse:
        """It is not theirs to handle."""
        return self.done(services.refuse_transfer(self.actor, transfer_id, **self.read()))


class WithdrawTransfer(TransferView):
    """Offering it no more."""

    @operation(
        "Withdraw a transfer", needs=TRANSFER_CASE, reads=WithdrawInput, answers=TransferOutput
    )
    def post(self, request: Request, transfer_id: UUID) -> HttpResponse:
        """By the origin, while nobody has answered."""
        return self.done(services.withdraw_transfer(self.actor, transfer_id, **self.read()))


class ConsultationView(ActorAPIView):
    """An address of one question."""

    def found(self, consultation_id: UUID) -> Consultation:
        """The question, as it stands."""
        rows = Consultation.objects.for_actor(self.actor).select_related(*_WITH)
        return rows.get_or_refuse(uuid=consultation_id)

    def done(self, row: Consultation) -> HttpResponse:
        """The question after a verb."""
        return self.reply(shown_consultation(self.found(row.uuid)))


class OneConsultation(ConsultationView):
    """One question."""

    @operation("Read a question between areas", needs=VIEW_CASE, answers=ConsultationOutput)
    def get(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """With all that was said."""
        row = self.found(consultation_id)
        record(self.actor, "viewed", row)
        return self.reply(shown_consultation(row))


class AnswerConsultation(ConsultationView):
    """Answering."""

    @operation("Answer a question", needs=CHANGE_CASE, reads=WordsInput, answers=ConsultationOutput)
    def post(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """By who was asked."""
        return self.done(services.answer_area(self.actor, consultation_id, **self.read()))


class DeclineConsultation(ConsultationView):
    """Not answering."""

    @operation(
        "Decline a question", needs=CHANGE_CASE, reads=WordsInput, answers=ConsultationOutput
    )
    def post(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """Saying why."""
        return self.done(services.decline_area(self.actor, consultation_id, **self.read()))


class AskBack(ConsultationView):
    """Needing to know more."""

    @operation("Ask back", needs=CHANGE_CASE, reads=WordsInput, answers=ConsultationOutput)
    def post(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """Whoever asked answers with `clarify`."""
        return self.done(services.ask_back(self.actor, consultation_id, **self.read()))


class Clarify(ConsultationView):
    """Saying what was asked back."""

    @operation(
        "Clarify a question", needs=CHANGE_CASE, reads=WordsInput, answers=ConsultationOutput
    )
    def post(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """By who asked."""
        return self.done(services.clarify(self.actor, consultation_id, **self.read()))


class ExtendConsultation(ConsultationView):
    """More time."""

    @operation(
        "Give more time to answer", needs=CHANGE_CASE, reads=TermInput, answers=ConsultationOutput
    )
    def post(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """By who asked; never less."""
        return self.done(services.extend_area(self.actor, consultation_id, **self.read()))


class WithdrawConsultation(ConsultationView):
    """Asking no more."""

    @operation("Withdraw a question", needs=CHANGE_CASE, answers=ConsultationOutput)
    def post(self, request: Request, consultation_id: UUID) -> HttpResponse:
        """By who asked."""
        self.read()
        return self.done(services.withdraw_area(self.actor, consultation_id))


def _ticked(given: dict[str, Any]) -> Ticked:
    parts, documents = given.pop("parts", ()), given.pop("documents", ())
    return Ticked(parts=frozenset(parts), documents=tuple(documents))


def _listed(view: ActorAPIView, received: str, sent: str) -> Any:
    given = view.filters()
    which = sent if given.get("direction") == "sent" else received
    rows = handover.rows_for(view.actor, which)
    if given.get("open"):
        rows = rows.filter(state__in=handover.OPEN_STATES[rows.model])
    return rows
