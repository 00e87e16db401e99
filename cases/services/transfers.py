"""Transfers of cases: offered with a comment, accepted, returned, refused, withdrawn or expired.

Until another unit accepts, the origin is responsible. Everybody locks the case before the offer, so
that of two who decide at once one is told that the other was faster.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Case, CaseTransfer, EventKind
from cases.permissions import TRANSFER_CASE
from cases.services.clocks import renew_clock
from cases.services.custody import tell_moment
from cases.services.handing import (
    agreement_for,
    as_if_in,
    locked,
    locked_case,
    receiving_unit,
    settle,
    tell_case,
    until,
    words,
    writer_for,
)
from cases.services.lifecycle import published_version
from cases.services.notes import add_note
from cases.services.packets import Ticked, packet_of
from cases.services.places import lost_to, person_for, unit_of
from cases.services.referring import receive
from cases.services.writing import fetch, moment, require_work_goes_on, write
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require
from crm.organisations import options
from crm.organisations.calendars import NotCovered
from crm.organisations.models import Organisation, SharingAgreement

log = logging.getLogger(__name__)
State, Basis = CaseTransfer.State, CaseTransfer.Basis
LONGEST_ANSWER = 1_000
_ROWS = CaseTransfer.objects.unscoped("fetched for the actor before it is locked")


@dataclass(frozen=True, kw_only=True)
class Abroad:
    """By what a case may go to another organisation, and what of it."""

    basis: str
    text: str = ""  # the rule; of a consent, who gave it and how
    consent_on: date | None = None
    ticked: Ticked = field(default_factory=Ticked)


@transaction.atomic
def offer_transfer(
    actor: Actor,
    case: UUID,
    unit: UUID,
    *,
    organisation: str = "",
    comment: str,
    term: str = "",
    abroad: Abroad | None = None,
    version: int | None = None,
) -> CaseTransfer:
    """The case is offered to another unit, of another organisation if its code is given, which has
    until the end of the term to answer.

    The comment is a note of the case from now on, whatever becomes of the offer.
    """
    row = fetch(actor, case, version)
    require(actor, TRANSFER_CASE, row)
    require_work_goes_on(row)
    target = receiving_unit(actor, row, unit, organisation)
    text = words(comment, "comment")
    if CaseTransfer.objects.for_actor(actor).filter(case=row, state=State.OFFERED).exists():
        raise Conflict("transfer_open", _("The case is offered to another unit already."))
    ours = Organisation.objects.for_actor(actor).get()
    due = until(target, term or f"{options.read(ours).transfer_days}wd")
    made = CaseTransfer(
        case=row,
        origin_organisation_id=row.organisation_id,
        origin_unit_id=row.unit_id,
        target_organisation_id=target.organisation_id,
        target_unit=target,
        text=text,
        due_at=due,
        sent_at=moment(),
        sent_by_id=actor.user_id,
        sent_by_name=actor.name[:200],
    )
    told: dict[str, Any] = {"until": due.isoformat()}
    if made.external:
        told |= _go_abroad(actor, row, made, abroad)
    elif abroad is not None:
        made.packet = packet_of(actor, row, abroad.ticked)
    add_note(actor, case, text)
    row.refresh_from_db(fields=["last_event", "version"])
    made.save(force_insert=True)
    tell_case(actor, row, made, EventKind.TRANSFER_OFFERED, told)
    return made


@transaction.atomic
def accept_transfer(
    actor: Actor,
    transfer: UUID,
    *,
    unit: UUID | None = None,
    case_type: str = "",
    assignee: UUID | None = None,
) -> CaseTransfer:
    """The unit is responsible from now on. Whoever had the case has it no more if they cannot see it
    there; the accepter may say who has it.

    From another organisation, a case of the actor's own is opened with the packet, of a type and in a
    unit of theirs, and the origin keeps the state of it only.
    """
    row, case = _to_answer(actor, transfer)
    if row.external:
        _require_basis_still(row)
        received = receive(actor, row, case, unit=unit, case_type=case_type, assignee=assignee)
        row.received_case = received
        settle(row, actor.name, State.ACCEPTED)
        row.save()
        record(actor, TRANSFER_CASE, row, act="accepted", case=received.reference)
        return row
    before = row.origin_unit.name
    if case_type:  # it keeps its own, but what does not exist is told
        published_version(actor, case_type)
    if unit is not None:
        row.target_unit = unit_of(actor, unit)
        require(actor, TRANSFER_CASE, as_if_in(row.target_unit, case))
        if row.target_unit_id == case.unit_id:
            raise Invalid(errors={"unit": [_("The case is already in this unit.")]})
    tell_moment()
    case.unit = row.target_unit
    if assignee is not None:
        case.assignee = person_for(actor, assignee, case)
    elif case.assignee is not None and lost_to(actor, case.assignee, case):
        case.assignee = None
    settle(row, actor.name, State.ACCEPTED)
    row.save()
    told = {"from": before, "to": row.target_unit.name, "transfer": str(row.uuid)}
    if case.assignee is not None:
        told["assignee"] = case.assignee.full_name
        told |= {"assignee_id": str(case.assignee.uuid)} if assignee is not None else {}
    changed = ("unit", "assignee")
    write(actor, TRANSFER_CASE, case, EventKind.UNIT_CHANGED, told, changed=changed)
    with suppress(NotCovered):  # it keeps the date that was promised until the holidays are there
        renew_clock(actor, case, _("The other unit has another calendar."))
    return row


@transaction.atomic
def return_transfer(actor: Actor, transfer: UUID, *, reason: str) -> CaseTransfer:
    """The offer is back at the origin, which may complete the case and offer it again."""
    return _give_back(actor, transfer, reason, State.RETURNED, EventKind.TRANSFER_RETURNED)


@transaction.atomic
def refuse_transfer(actor: Actor, transfer: UUID, *, reason: str) -> CaseTransfer:
    """The unit will not have the case: it is not theirs to handle."""
    return _give_back(actor, transfer, reason, State.REFUSED, EventKind.TRANSFER_REFUSED)


@transaction.atomic
def withdraw_transfer(actor: Actor, transfer: UUID, *, reason: str = "") -> CaseTransfer:
    """The origin offers the case no more."""
    found = CaseTransfer.objects.for_actor(actor).sent_by(actor).get_or_refuse(uuid=transfer)
    case = locked_case(found.case_id)
    require(actor, TRANSFER_CASE, case)
    row = locked(_ROWS, found)
    _require_open(row)
    settle(row, actor.name, State.WITHDRAWN)
    row.save()
    told = {"reason": words(reason, "reason", LONGEST_ANSWER)} if reason.strip() else {}
    tell_case(actor, case, row, EventKind.TRANSFER_WITHDRAWN, told)
    return row


def expire_transfers(now: datetime | None = None) -> int:
    """Offers whose time has passed are over, each once, with its event; how many. The origin, which
    was responsible all the time, decides anew."""
    now = now or moment()
    rows = CaseTransfer.objects.unscoped("the clock serves no single actor")
    waiting = rows.filter(state=State.OFFERED, due_at__lt=now).order_by("pk")
    count = 0
    for found in list(waiting):
        try:
            count += _expire(found, now)
        except Exception:
            log.exception("The transfer %s could not expire", found.uuid)
    return count


@transaction.atomic
def _expire(found: CaseTransfer, now: datetime) -> bool:
    case = locked_case(found.case_id)
    row = locked(_ROWS, found)
    if not row.open or row.due_at >= now:
        return False
    actor = system_actor(row.origin_unit.organisation, Origin(Door.TASK))
    settle(row, actor.name, State.EXPIRED)
    row.save()
    tell_case(actor, case, row, EventKind.TRANSFER_EXPIRED)
    return True


# --- Inside -------------------------------------------------------------------------------------


def _to_answer(actor: Actor, transfer: UUID) -> tuple[CaseTransfer, Case]:
    """An open offer to a unit of the actor's, with its case, both locked."""
    found = CaseTransfer.objects.for_actor(actor).sent_to(actor).get_or_refuse(uuid=transfer)
    case = locked_case(found.case_id)
    row = locked(_ROWS, found)
    _require_open(row)
    require(actor, TRANSFER_CASE, as_if_in(row.target_unit, case))
    if moment() > row.due_at:
        raise Conflict("transfer_expired", _("The time to answer this transfer has passed."))
    return row, case


def _require_open(row: CaseTransfer) -> None:
    if not row.open:
        text = _("This transfer is no longer open: %(state)s.")
        raise Conflict("transfer_answered", text % {"state": row.get_state_display().lower()})


def _give_back(
    actor: Actor, transfer: UUID, reason: str, state: CaseTransfer.State, kind: EventKind
) -> CaseTransfer:
    row, case = _to_answer(actor, transfer)
    row.answer = words(reason, "reason", LONGEST_ANSWER)
    settle(row, actor.name, state)
    row.save()
    tell_case(writer_for(actor, case), case, row, kind, {"reason": row.answer})
    if row.external:
        record(actor, TRANSFER_CASE, row, act=state.value, reason=row.answer)
    return row


def _go_abroad(
    actor: Actor, case: Case, made: CaseTransfer, abroad: Abroad | None
) -> Mapping[str, Any]:
    """The offer says by what the case may leave the organisation, and holds what travels."""
    if abroad is None or abroad.basis not in Basis.values:
        raise Invalid(errors={"basis": [_("Say by what it may go to another organisation.")]})
    made.basis = abroad.basis
    made.packet = packet_of(actor, case, abroad.ticked)
    if abroad.basis == Basis.AGREEMENT:
        made.agreement = agreement_for(
            made.origin_organisation_id, made.target_organisation_id, abroad.ticked.classes()
        )
        if made.agreement is None:
            text = _("No agreement in force lets this travel to that organisation.")
            raise Invalid(errors={"basis": [text]})
        made.basis_text = made.agreement.legal_basis[:500]
        return {"basis": made.basis, "basis_text": made.basis_text}
    made.basis_text = words(abroad.text, "basis_text", 500)
    if abroad.basis == Basis.RULE:
        return {"basis": made.basis, "basis_text": made.basis_text}
    if case.citizen_id is None:
        raise Invalid(errors={"basis": [_("This case has no citizen who could consent.")]})
    if abroad.consent_on is None or abroad.consent_on > timezone.localdate():
        raise Invalid(errors={"consent_on": [_("Say on what day, today at the latest.")]})
    made.consent_on = abroad.consent_on
    told = {"basis": made.basis, "basis_text": made.basis_text}
    return {**told, "consent_on": made.consent_on.isoformat()}


def _require_basis_still(row: CaseTransfer) -> None:
    """Conflict when the agreement by which it would travel ended meanwhile."""
    if row.basis != Basis.AGREEMENT or row.agreement_id is None:
        return
    rows = SharingAgreement.objects.unscoped("between the two that write to each other")
    today = timezone.localdate()
    if not rows.filter(pk=row.agreement_id, revoked_at=None, valid__contains=today).exists():
        raise Conflict("agreement_ended", _("The agreement is no longer in force: refuse it."))
