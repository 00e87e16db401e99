"""Relations between people: recorded, ended, and read from both sides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.citizens import checking
from crm.citizens.models import Citizen, CitizenRecord, Relation
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.citizens.relation_models import Kind, Source, inverse
from crm.citizens.representing import shown_names
from crm.citizens.services.records import note, own_record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.policy import Decision, decide
from crm.kit.scoping import ScopedQuerySet


@dataclass(frozen=True, slots=True)
class NewRelation:
    """What is recorded: what `other` is to the person of the page."""

    other: UUID
    kind: str
    source: str = Source.DECLARED
    remarks: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A relation as the page of one of the two tells it."""

    relation: Relation
    other: Citizen
    name: str  # as they may be named here
    kind: str
    code: str
    over: bool  # its last day is past, or its first to come


@transaction.atomic
def record_relation(actor: Actor, citizen: UUID, new: NewRelation) -> Relation:
    """The two are related so, for this organisation; nobody may see or do more for that."""
    _require_sound(new)
    first, second = _both(actor, citizen, new.other)
    mine, theirs = first.citizen, second.citizen
    if mine.pk == theirs.pk:
        raise Invalid(errors={"citizen": [_("Nobody is related to themselves.")]})
    same = Q(citizen=mine, other=theirs, kind=new.kind)
    same |= Q(citizen=theirs, other=mine, kind=inverse(new.kind))
    if Relation.objects.for_actor(actor).filter(same, ended_at=None).exists():
        raise Conflict("relation_known", _("This relation is on record already."))
    made = Relation.objects.create(
        organisation_id=actor.organisation_id,
        citizen=mine,
        other=theirs,
        kind=new.kind,
        source=new.source,
        remarks=checking.text(new.remarks, 240),
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        recorded_by_name=actor.name[:200],
    )
    _tell(actor, first, second, made, "recorded")
    return made


@transaction.atomic
def end_relation(actor: Actor, citizen: UUID, relation: UUID, *, reason: str) -> Relation:
    """The two are no longer related so; that they were, and why no more, stays."""
    found = of_citizen(actor, citizen, relation)
    first, second = _both(actor, found.citizen.uuid, found.other.uuid)
    found.refresh_from_db()  # with both people locked, nobody else is ending it
    said = checking.text(reason, 240)
    if not said:
        raise Invalid(errors={"reason": [_("This field is required.")]})
    if found.ended_at is not None:
        raise Conflict("relation_ended", _("The relation has been ended already."))
    found.ended_at, found.ended_reason = timezone.now(), said
    found.save(update_fields=["ended_at", "ended_reason", "updated_at"])
    _tell(actor, first, second, found, "ended")
    return found


def of_citizen(actor: Actor, citizen: UUID, relation: UUID) -> Relation:
    """A relation of this person, from either side."""
    found = relations_of(actor).get_or_refuse(uuid=relation)
    if citizen not in (found.citizen.uuid, found.other.uuid):
        raise NotFound
    return found


def relations_of(actor: Actor) -> ScopedQuerySet[Relation]:
    """The organisation's relations, with both people."""
    return Relation.objects.for_actor(actor).select_related("citizen", "other")


def lines(actor: Actor, citizen: Citizen) -> list[Line]:
    """Who is related to the person now, from their side; whom the organisation does not know any more is
    not named."""
    rows = relations_of(actor).filter(Q(citizen=citizen) | Q(other=citizen), ended_at=None)
    found = [(row, row.other if row.citizen_id == citizen.pk else row.citizen) for row in rows]
    names = shown_names(actor, [other.pk for _row, other in found])
    today = timezone.localdate()
    told = [
        Line(
            relation=row,
            other=other,
            name=names[other.pk],
            kind=str(_side(row, other).label),
            code=_side(row, other).value,
            over=bool(
                (row.valid_until and row.valid_until < today)
                or (row.valid_from and row.valid_from > today)
            ),
        )
        for row, other in found
        if other.pk in names
    ]
    return sorted(told, key=lambda line: (line.over, line.kind, line.name))


def _side(row: Relation, other: Citizen) -> Kind:
    return Kind(row.kind) if other.pk == row.other_id else inverse(row.kind)


def panel(actor: Actor, citizen: Citizen) -> Mapping[str, object] | None:
    """Family, guardians and companies, and the way to record one more."""
    record = CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).first()
    if record is None:
        return None
    may: Decision = decide(actor, CHANGE_CITIZEN, record)
    found = lines(actor, citizen)
    return {"lines": found, "may_relate": may} if found or may else None


def _both(actor: Actor, one: UUID, other: UUID) -> tuple[CitizenRecord, CitizenRecord]:
    """Both records, locked in one order, with each of which the actor may do this."""
    asked = sorted({one, other}, key=str)
    found = {uuid: own_record(actor, uuid, CHANGE_CITIZEN) for uuid in asked}
    return found[one], found[other]


def _require_sound(new: NewRelation) -> None:
    errors: dict[str, list[str]] = {}
    if new.kind not in Kind.values:
        errors["kind"] = [_("Choose one of the kinds.")]
    if new.source not in Source.values:
        errors["source"] = [_("Choose one of the sources.")]
    if new.valid_from and new.valid_until and new.valid_until < new.valid_from:
        errors["valid_until"] = [_("The last day is before the first.")]
    if errors:
        raise Invalid(errors=errors)


def _tell(
    actor: Actor, first: CitizenRecord, second: CitizenRecord, row: Relation, what: str
) -> None:
    for mine, theirs, kind in ((first, second, row.kind), (second, first, inverse(row.kind))):
        facts = {"other": str(theirs.citizen.uuid), "kind": str(kind)}
        note(actor, CHANGE_CITIZEN, mine, relation=what, **facts)
