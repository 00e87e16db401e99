"""Questions about a case to another unit or organisation, with a deadline; responsibility stays.

Who is asked sees the question and the packet, not the case. Everybody locks the case before the
question, as with transfers.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Case, Consultation, ConsultationWord, EventKind
from cases.permissions import CHANGE_CASE
from cases.services.documents import attach_document
from cases.services.handing import (
    agreement_for,
    as_if_in,
    locked,
    locked_case,
    receiving_unit,
    settle,
    system_for,
    tell_case,
    until,
    words,
    writer_for,
)
from cases.services.packets import Ticked, packet_of
from cases.services.writing import fetch, moment, require_work_goes_on
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require

State, Kind = Consultation.State, ConsultationWord.Kind
_ROWS = Consultation.objects.unscoped("fetched for the actor before it is locked")


@transaction.atomic
def ask_area(
    actor: Actor,
    case: UUID,
    unit: UUID,
    *,
    organisation: str = "",
    text: str,
    term: str,
    ticked: Ticked | None = None,
    version: int | None = None,
) -> Consultation:
    """Another unit is asked about the case until the end of a term; of another organisation, only what
    an agreement in force lets travel."""
    row = fetch(actor, case, version)
    require(actor, CHANGE_CASE, row)
    require_work_goes_on(row)
    target = receiving_unit(actor, row, unit, organisation)
    ticked = ticked or Ticked()
    made = Consultation(
        case=row,
        origin_organisation_id=row.organisation_id,
        origin_unit_id=row.unit_id,
        target_organisation_id=target.organisation_id,
        target_unit=target,
        text=words(text),
        packet=packet_of(actor, row, ticked),
        due_at=until(target, term),
        sent_at=moment(),
        sent_by_id=actor.user_id,
        sent_by_name=actor.name[:200],
    )
    if made.external:
        made.agreement = agreement_for(
            made.origin_organisation_id, made.target_organisation_id, ticked.classes()
        )
        if made.agreement is None:
            message = _("No agreement in force lets this be asked of that organisation.")
            raise Invalid(errors={"unit": [message]})
    made.save(force_insert=True)
    told = {"until": made.due_at.isoformat(), "reason": made.text}
    tell_case(actor, row, made, EventKind.CONSULTED, told, permission=CHANGE_CASE)
    return made


@transaction.atomic
def answer_area(
    actor: Actor,
    consultation: UUID,
    *,
    text: str,
    file: Iterable[bytes] | None = None,
    file_name: str = "",
) -> Consultation:
    """The question is answered; a file that comes with it is a document of the case."""
    row, case = _to_answer(actor, consultation)
    if file is not None:
        name = actor.organisation_name if row.external else actor.name
        attach_document(system_for(case, actor, name), case.uuid, file, file_name)
        case.refresh_from_db(fields=["last_event", "version"])
    kind = EventKind.CONSULTATION_ANSWERED
    return _say(actor, row, case, Kind.ANSWERED, words(text), kind, State.ANSWERED)


@transaction.atomic
def decline_area(actor: Actor, consultation: UUID, *, text: str) -> Consultation:
    """The unit will not answer, and says why."""
    row, case = _to_answer(actor, consultation)
    kind = EventKind.CONSULTATION_DECLINED
    return _say(actor, row, case, Kind.DECLINED, words(text), kind, State.DECLINED)


@transaction.atomic
def ask_back(actor: Actor, consultation: UUID, *, text: str) -> Consultation:
    """The unit needs to know more before it can answer."""
    row, case = _to_answer(actor, consultation)
    kind = EventKind.CONSULTATION_SAID
    return _say(actor, row, case, Kind.ASKED_BACK, words(text), kind, State.ASKED_BACK)


@transaction.atomic
def clarify(actor: Actor, consultation: UUID, *, text: str) -> Consultation:
    """What was asked back is answered by who asked first."""
    row, case = _asked_by(actor, consultation)
    if row.state != State.ASKED_BACK:
        raise Conflict("consultation_not_asked_back", _("Nothing was asked back."))
    kind = EventKind.CONSULTATION_SAID
    return _say(actor, row, case, Kind.CLARIFIED, words(text), kind, State.ASKED)


@transaction.atomic
def extend_area(actor: Actor, consultation: UUID, *, term: str) -> Consultation:
    """Who is asked has until the end of this term, from now."""
    row, case = _asked_by(actor, consultation)
    due = until(row.target_unit, term)
    if due <= row.due_at:
        raise Invalid(errors={"term": [_("That is no more time than there is already.")]})
    row.due_at = due
    kind = EventKind.CONSULTATION_EXTENDED
    return _say(actor, row, case, Kind.EXTENDED, due.isoformat(), kind, row.state)


@transaction.atomic
def withdraw_area(actor: Actor, consultation: UUID, *, text: str = "") -> Consultation:
    """The question needs no answer any more."""
    row, case = _asked_by(actor, consultation)
    kind = EventKind.CONSULTATION_WITHDRAWN
    return _say(actor, row, case, Kind.WITHDRAWN, text and words(text), kind, State.WITHDRAWN)


# --- Inside -------------------------------------------------------------------------------------


def _to_answer(actor: Actor, consultation: UUID) -> tuple[Consultation, Case]:
    found = Consultation.objects.for_actor(actor).sent_to(actor).get_or_refuse(uuid=consultation)
    row, case = _open(found)
    require(actor, CHANGE_CASE, as_if_in(row.target_unit, case))
    if row.state != State.ASKED:
        raise Conflict("consultation_asked_back", _("You asked back: wait for what they say."))
    return row, case


def _asked_by(actor: Actor, consultation: UUID) -> tuple[Consultation, Case]:
    found = Consultation.objects.for_actor(actor).sent_by(actor).get_or_refuse(uuid=consultation)
    row, case = _open(found)
    require(actor, CHANGE_CASE, case)
    return row, case


def _open(found: Consultation) -> tuple[Consultation, Case]:
    case = locked_case(found.case_id)
    row = locked(_ROWS, found)
    if not row.open:
        text = _("This question is no longer open: %(state)s.")
        raise Conflict("consultation_over", text % {"state": row.get_state_display().lower()})
    return row, case


def _say(
    actor: Actor,
    row: Consultation,
    case: Case,
    kind: ConsultationWord.Kind,
    text: str,
    event: EventKind,
    state: str,
) -> Consultation:
    """The words stand in the question and in the case's story; both organisations' trails know."""
    ConsultationWord.objects.create(
        consultation=row,
        kind=kind,
        organisation_id=actor.organisation_id,
        author_name=actor.name[:200],
        text=text,
        created_at=moment(),
    )
    if state in Consultation.OPEN:
        row.state = state
    else:
        settle(row, actor.name, state)
    row.save()
    told = {"until": row.due_at.isoformat()} if kind == Kind.EXTENDED else {"reason": text}
    late = kind == Kind.ANSWERED and row.late
    if late:
        told["why"] = str(_("Late."))
    tell_case(
        writer_for(actor, case),
        case,
        row,
        event,
        {name: value for name, value in told.items() if value},
        permission=CHANGE_CASE,
    )
    if row.external and actor.organisation_id == row.target_organisation_id:
        record(actor, CHANGE_CASE, row, act=kind.value)
    return row
