"""Asking other systems about a person: for who has the record open, with a purpose, written down first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.citizens import checking
from crm.citizens.aliases import Survivor
from crm.citizens.models import Citizen, CitizenRecord, Identifier
from crm.citizens.permissions import VIEW_CITIZEN, VIEW_PROTECTED
from crm.citizens.services.records import ReasonNeeded, note, usual_purpose
from crm.integrations.legacy import Found
from crm.integrations.models import Connection
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.integrations.selectors import consulted
from crm.integrations.services.connections import consult
from crm.kit.actor import Actor
from crm.kit.policy import require

_NUMBERS = (Identifier.Kind.NIF, Identifier.Kind.NIE)
_OPEN_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one system says of one person; `found` is None when they have no number to ask with."""

    connection: Connection
    record: CitizenRecord
    found: Found | None


def look_up(actor: Actor, citizen_id: UUID, connection_id: UUID, *, reason: str = "") -> Looked:
    """What the system says is before the actor, and an entry says which system was asked about whom and
    why: as stated, else as the record was opened, else the organisation's usual reason.

    Raises ReasonNeeded for a protected record without a stated reason.
    """
    require(actor, VIEW_CITIZEN)
    record = (
        CitizenRecord.objects.for_actor(actor)
        .select_related("citizen")
        .get_or_refuse(citizen=Survivor(citizen_id))
    )
    connection = Connection.objects.for_actor(actor).get_or_refuse(uuid=connection_id)
    require(actor, CONSULT_SYSTEMS, connection)
    stated = checking.text(reason, 240)
    if record.protected:
        require(actor, VIEW_PROTECTED, record)
        if not stated:
            raise ReasonNeeded(record)
    number = _number(actor, record.citizen)
    why = stated or _opened_for(actor, record.citizen) or usual_purpose(actor)
    note(actor, "viewed", record, why, part=connection.name, connection=str(connection.uuid))
    found = consult(actor, connection.uuid, number) if number else None
    return Looked(connection, record, found)


def panel(actor: Actor, citizen: Citizen) -> Mapping[str, object] | None:
    """The systems that the person's page asks, each by itself; none about who is not the organisation's."""
    asked = consulted(actor)
    if not asked or not CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).exists():
        return None
    return {"connections": asked}


def _number(actor: Actor, citizen: Citizen) -> str:
    """The number by which other administrations know the person, a verified one first."""
    rows = Identifier.objects.for_actor(actor).filter(citizen=citizen, ended_at=None)
    first = rows.filter(kind__in=_NUMBERS).order_by("verified_at", "pk").first()
    return first.value if first else ""


def _opened_for(actor: Actor, citizen: Citizen) -> str:
    """Why the actor opened the record just now."""
    looks = AuditEntry.objects.for_actor(actor).filter(
        object_type=citizen._meta.label_lower,
        object_id=str(citizen.uuid),
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="viewed",
        at__gte=timezone.now() - _OPEN_FOR,
    )
    return looks.order_by("-at", "-id").values_list("purpose", flat=True).first() or ""
