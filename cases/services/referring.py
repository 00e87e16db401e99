"""A case received from another organisation: opened here with the packet, given away there.

All of it is one transaction: whatever stops it, one unit is responsible, never two and never none.
The term does not begin anew: the case is opened here on the day on which it was opened there, with its
suspensions and extensions (Ley 40/2015 art. 14: who is not competent refers to who is, and says so).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from cases.models import (
    TRANSFERRED,
    Case,
    CaseTransfer,
    ClockInterval,
    Document,
    EventKind,
    Message,
    StateCategory,
)
from cases.permissions import TRANSFER_CASE
from cases.services.clocks import end_with_work, renew_clock
from cases.services.custody import hand_over
from cases.services.handing import as_if_in, withdraw_questions, writer_for
from cases.services.lifecycle import NewCase, open_case, published_version
from cases.services.notes import send_message
from cases.services.places import unit_of
from cases.services.writing import moment, told_at, write
from cases.workflow import of_version
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.policy import require


def receive(
    actor: Actor,
    row: CaseTransfer,
    given: Case,
    *,
    unit: UUID | None,
    case_type: str,
    assignee: UUID | None,
) -> Case:
    """The actor's organisation has a case with what travelled; the given one is not the origin's
    any more. Both are locked."""
    place = unit_of(actor, unit) if unit else row.target_unit
    require(actor, TRANSFER_CASE, as_if_in(place, given))
    if not case_type:
        raise Invalid(errors={"case_type": [_("Say as what kind of case it is received.")]})
    packet: Mapping[str, Any] = row.packet
    citizen = _known_here(actor, packet)
    where = packet.get("place") or {"address": "", "at": [None, None]}
    received = open_case(
        actor,
        NewCase(
            case_type=case_type,
            subject=packet["subject"],
            description=packet.get("description", ""),
            citizen=citizen.uuid if citizen else None,
            unit=place.uuid,
            assignee=assignee,
            channel=packet["channel"],
            priority=packet["priority"],
            confidentiality=given.confidentiality,
            language=packet["language"],
            address=where["address"],
            latitude=where["at"][0],
            longitude=where["at"][1],
            data=_data_here(actor, case_type, packet),
            opened_at=given.opened_at,
            incomplete=True,
        ),
    )
    _add_documents(actor, received, packet)
    _add_messages(actor, received, packet)
    told = {
        "casetransfer": str(row.uuid),
        "from": f"{row.origin_unit.organisation.name}, {row.origin_unit.name}",
        "reference": given.reference,
        "reason": row.text,
        **basis_told(row),
    }
    write(actor, TRANSFER_CASE, received, EventKind.RECEIVED, told)
    _carry_clock(actor, given, received)
    _give_away(actor, row, given, received)
    return received


def basis_told(row: CaseTransfer) -> dict[str, str]:
    """By what it travelled, for the stories of both cases."""
    told = {"basis": row.basis, "basis_text": row.basis_text}
    return told | ({"consent_on": row.consent_on.isoformat()} if row.consent_on else {})


# --- Here ---------------------------------------------------------------------------------------


def _known_here(actor: Actor, packet: Mapping[str, Any]) -> Citizen | None:
    """The citizen who travels, of whom the actor's organisation keeps a record from now on."""
    told = packet.get("citizen")
    if not told:
        return None
    rows = Citizen.objects.unscoped("who travels with the packet")
    citizen = rows.get(uuid=told["id"])
    while citizen.merged_into is not None:
        citizen = citizen.merged_into
    protected = bool(told["protected"])
    CitizenRecord.objects.for_actor(actor).get_or_create(
        citizen=citizen,
        organisation_id=actor.organisation_id,
        defaults={
            "language": packet["language"],
            "protected": protected,
            "protected_reason": str(_("Protected where the case came from.")) if protected else "",
        },
    )
    for point in packet.get("contact", ()):
        key = point["address"].lower()
        ContactPoint.objects.for_actor(actor).get_or_create(
            organisation_id=actor.organisation_id,
            citizen=citizen,
            channel=point["channel"],
            address_key=key,
            ended_at=None,
            defaults={"address": point["address"]},
        )
    return citizen


def _data_here(actor: Actor, case_type: str, packet: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values that the type here has a field of that name for, and takes."""
    fields = of_version(published_version(actor, case_type).bundle).fields
    given = {one["name"]: one["value"] for one in packet.get("data", ())}
    wrong = fields.errors(given)
    return {name: value for name, value in given.items() if name not in wrong}


def _add_documents(actor: Actor, received: Case, packet: Mapping[str, Any]) -> None:
    """The documents are in the case by their digest: the bytes are kept once."""
    wanted = [one["id"] for one in packet["documents"]]
    rows = Document.objects.unscoped("what travels with the packet").filter(
        uuid__in=wanted, withdrawn_at=None
    )
    for row in rows.order_by("pk"):
        with told_at(row.created_at):
            copy = Document.objects.create(
                organisation_id=received.organisation_id,
                case=received,
                name=row.name,
                media_type=row.media_type,
                size=row.size,
                sha256=row.sha256,
                scan=row.scan,
                origin=row.origin,
                confidentiality=row.confidentiality,
                added_by_name=row.added_by_name,
                created_at=row.created_at,
            )
            told = {
                "document": str(copy.uuid),
                "name": copy.name,
                "size": copy.size,
                "sha256": copy.sha256,
            }
            write(actor, TRANSFER_CASE, received, EventKind.ATTACHED, told, announce=False)


def _add_messages(actor: Actor, received: Case, packet: Mapping[str, Any]) -> None:
    for said in packet.get("messages", ()):
        at = datetime.fromisoformat(said["at"])
        with told_at(at):
            copy = Message.objects.create(
                case=received,
                direction=said["direction"],
                channel=said["channel"],
                author_name=said["author"],
                body=said["body"],
                state=Message.State.RECORDED,
                created_at=at,
            )
            told = {
                "message": str(copy.uuid),
                "direction": copy.direction,
                "channel": copy.channel,
                "state": copy.state,
            }
            write(actor, TRANSFER_CASE, received, EventKind.MESSAGED, told, announce=False)


def _carry_clock(actor: Actor, given: Case, received: Case) -> None:
    """The suspensions and extensions of the given case count here as well."""
    if of_version(received.type_version.bundle).term is None:
        return
    rows = ClockInterval.objects.unscoped("of the given case").filter(case=given)
    for row in rows.order_by("starts_on", "pk"):
        ClockInterval.objects.create(
            case=received,
            kind=row.kind,
            ground=row.ground,
            reason=row.reason,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            limit_on=row.limit_on,
            term=row.term,
        )
    received.refresh_from_db(fields=["suspended_on"])
    renew_clock(actor, received, _("It comes from another organisation: its term goes on."))


# --- There --------------------------------------------------------------------------------------


def _give_away(actor: Actor, row: CaseTransfer, given: Case, received: Case) -> None:
    """The citizen is told where the case is; the origin has no more of it than where it is."""
    theirs = writer_for(actor, given)
    told = {
        "reference": given.reference,
        "organisation": actor.organisation_name,
        "number": received.reference,
        "unit": received.unit.name,
    }
    with translation.override(given.language):
        text = _(
            "Your case %(reference)s has been referred to %(organisation)s, which is competent for it."
            " There its number is %(number)s and %(unit)s handles it. The term to decide does not begin"
            " anew. You need not do anything."
        )
        send_message(theirs, given.uuid, text % told)
    given.refresh_from_db(fields=["last_event", "version"])
    end_with_work(theirs, given)
    withdraw_questions(theirs, given)
    given.state, given.category = TRANSFERRED, StateCategory.CLOSED
    given.closed_at, given.assignee = max(moment(), given.opened_at), None
    given.outcome = f"{actor.organisation_name}: {received.reference}"[:240]
    event = {
        "casetransfer": str(row.uuid),
        "to": actor.organisation_name,
        "reference": received.reference,
        **basis_told(row),
    }
    changed = ("state", "category", "closed_at", "outcome", "assignee")
    write(theirs, TRANSFER_CASE, given, EventKind.TRANSFERRED, event, changed=changed)
    hand_over(given, received)
