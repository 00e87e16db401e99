"""Mandates of many grantors for one professional at once: each by itself, with a reason for each refusal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit.record import entry, record_many
from crm.citizens.identifiers import guess
from crm.citizens.mandates import ON_PAPER, STRONGEST
from crm.citizens.models import (
    AuthorisedProfessional,
    Citizen,
    CitizenRecord,
    Identifier,
    Mandate,
)
from crm.citizens.permissions import MANAGE_MANDATES, VERIFY_MANDATE
from crm.citizens.services.mandates import EQUAL_ONE, NewMandate, checked_terms
from crm.citizens.services.records import note, own_record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.policy import decide, require

MOST = 1_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that became no mandate, and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Many:
    """What became of a file of grantors."""

    done: int
    refusals: Sequence[Refusal]


@transaction.atomic
def register_many(
    actor: Actor, holder: UUID, numbers: Sequence[str], new: NewMandate, *, checked: bool = False
) -> Many:
    """The holder has a mandate of these terms from everybody whose number stands in the lines; the lines
    refused harm no other."""
    record = own_record(actor, holder, MANAGE_MANDATES)
    if checked:
        require(actor, VERIFY_MANDATE, record)
        if new.proof in ON_PAPER:
            text = _("This proof is checked with each document at hand: leave it for later.")
            raise Invalid(errors={"checked": [text]})
    if len(numbers) > MOST:
        text = _("The file has too many lines: %(most)s at most.") % {"most": MOST}
        raise Invalid(errors={"file": [text]})
    terms, professional = checked_terms(actor, record.citizen, replace(new, holder=holder))
    known = _known(actor, numbers)
    refusals: list[Refusal] = []
    made: list[tuple[Mandate, CitizenRecord]] = []
    for line, text in enumerate(numbers, start=1):
        row = known.get(_value(text))
        why = _why_not(actor, record, row)
        if not why and row is not None:
            mandate = _mandate(actor, row.citizen, record.citizen, terms, professional, checked)
            why = _save(mandate)
            if not why:
                made.append((mandate, row))
        if why:
            refusals.append(Refusal(line, text[:60], why))
    record_many(_entries(actor, made, checked))
    told: dict[str, Any] = {"done": len(made), "refused": len(refusals)}
    note(actor, MANAGE_MANDATES, record, mandate="granted_many", side="holder", **told)
    return Many(len(made), refusals)


def _value(text: str) -> str:
    """The identification number that a line begins with, as it is kept."""
    kinds = set(Identifier.Kind.values)
    return next((one.value for one in guess(text) if one.kind in kinds), "")


def _known(actor: Actor, numbers: Sequence[str]) -> dict[str, CitizenRecord]:
    """By number, the records of those whom the organisation knows by one, locked."""
    values = {value for value in map(_value, numbers) if value}
    rows = Identifier.objects.for_actor(actor).filter(value__in=values, ended_at=None)
    bearers = dict(rows.values_list("value", "citizen_id"))
    records = (
        CitizenRecord.objects.for_actor(actor)
        .filter(citizen__in=set(bearers.values()))
        .select_related("citizen")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    mine = {one.citizen_id: one for one in records}
    return {value: mine[key] for value, key in bearers.items() if key in mine}


def _why_not(actor: Actor, holder: CitizenRecord, row: CitizenRecord | None) -> str:
    if row is None:
        return _("Nobody on record bears this number.")
    if row.citizen_id == holder.citizen_id:
        return _("Nobody is their own representative.")
    return str(decide(actor, MANAGE_MANDATES, row).reason)


def _mandate(
    actor: Actor,
    grantor: Citizen,
    holder: Citizen,
    terms: Mapping[str, Any],
    professional: AuthorisedProfessional | None,
    checked: bool,
) -> Mandate:
    return Mandate(
        organisation_id=actor.organisation_id,
        grantor=grantor,
        holder=holder,
        professional=professional,
        assurance=STRONGEST[terms["proof"]],
        recorded_by=actor.name[:200],
        verified_at=timezone.now() if checked else None,
        verified_by=actor.name[:200] if checked else "",
        **terms,
    )


def _save(mandate: Mandate) -> str:
    try:
        with transaction.atomic():
            mandate.save(force_insert=True)
    except IntegrityError as error:
        if "mandate_equal_once_at_a_time" not in str(error):
            raise
        return str(EQUAL_ONE)
    return ""


def _entries(
    actor: Actor, made: Iterable[tuple[Mandate, CitizenRecord]], checked: bool
) -> Iterable[dict[str, Any]]:
    for mandate, row in made:
        told = {
            "mandate": "granted",
            "side": "grantor",
            "id": str(mandate.uuid),
            "scope": mandate.scope,
            "acts": mandate.acts,
            "proof": mandate.proof,
            "checked": checked,
        }
        yield entry(actor, MANAGE_MANDATES, row.citizen, "", "done", row.shown_name, told)
