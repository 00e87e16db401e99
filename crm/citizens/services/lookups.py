"""Asking other systems about a person: for who has the record open, with a purpose, written down first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.citizens import checking
from crm.citizens.aliases import Survivor
from crm.citizens.keeping import Shown
from crm.citizens.models import Citizen, CitizenRecord, Identifier
from crm.citizens.permissions import VIEW_CITIZEN, VIEW_PROTECTED
from crm.citizens.services.records import note, opened_for, require_reason
from crm.integrations.legacy import Found
from crm.integrations.models import Connection
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.integrations.selectors import consulted
from crm.integrations.services.connections import consult
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.policy import Decision, decide, require

_NUMBERS = (Identifier.Kind.NIF, Identifier.Kind.NIE)


class State(TextChoices):
    """How what one system says of a person stands before the reader."""

    NOW = "now", _("Up to date")
    KEPT = "kept", _("From a short while ago")
    STALE = "stale", _("No answer: as it last was")
    SILENT = "silent", _("No answer")
    NUMBERLESS = "numberless", _("Cannot be asked")


@dataclass(frozen=True, slots=True)
class Looked:
    """What one system says of one person; `found` is None when they have no number to ask with."""

    connection: Connection
    record: CitizenRecord
    found: Found | None
    purpose: str
    asked_at: datetime

    @property
    def state(self) -> State:
        """How it stands."""
        found = self.found
        if found is None:
            return State.NUMBERLESS
        if found.rows is None:
            return State.SILENT
        if found.stale:
            return State.STALE
        return State.KEPT if found.kept else State.NOW

    @property
    def shown_until(self) -> datetime | None:
        """When the answer is erased here."""
        at = self.found.fetched_at if self.found else None
        return at + self.connection.keeps_for if at else None

    @property
    def shown(self) -> Shown | None:
        """It as it can be kept; None when nothing was said."""
        found, row = self.found, self.connection
        if found is None or found.records is None or found.fetched_at is None:
            return None
        return Shown(
            citizen=str(self.record.citizen.uuid),
            connection=str(row.uuid),
            source=row.name,
            legal_basis=row.legal_basis,
            permission=row.permission,
            purpose=self.purpose,
            asked_at=self.asked_at,
            obtained_at=found.fetched_at,
            records=[[list(pair) for pair in record] for record in found.records],
            stale=found.stale,
        )


def look_up(
    actor: Actor, citizen_id: UUID, connection_id: UUID, *, purpose: str = "", reason: str = ""
) -> Looked:
    """What the system says is before the actor, and an entry says which system was asked about whom and
    why: as stated, else as the way in implies, else as the record was opened, else the organisation's
    usual reason.

    Raises ReasonNeeded as opening the record does, and Refused while somebody is
    attended in the person's name to whom not everything may be told.
    """
    require(actor, VIEW_CITIZEN)
    record = (
        CitizenRecord.objects.for_actor(actor)
        .select_related("citizen")
        .get_or_refuse(citizen=Survivor(citizen_id))
    )
    connection = Connection.objects.for_actor(actor).get_or_refuse(uuid=connection_id)
    require(actor, CONSULT_SYSTEMS, connection)
    _require_told(actor, record)
    stated = checking.text(reason, 240)
    if record.protected:
        require(actor, VIEW_PROTECTED, record)
    usual = require_reason(actor, record.citizen, record, stated)
    number = _number(actor, record.citizen)
    way_in = checking.text(purpose, 240)
    why = stated or way_in or opened_for(actor, record.citizen) or usual
    note(actor, "viewed", record, why, part=connection.name, connection=str(connection.uuid))
    asked_at = timezone.now()
    about = str(record.citizen.uuid)
    found = consult(actor, connection.uuid, number, about=about) if number else None
    return Looked(connection, record, found, why, asked_at)


def _require_told(actor: Actor, record: CitizenRecord) -> None:
    """What other systems say is within no mandate but the general one."""
    attended = actor.attended(record.citizen_id)
    if attended is None:
        return
    if attended.refusal:
        raise Refused(CONSULT_SYSTEMS, attended.refusal, record)
    if not attended.everything:
        raise Refused(CONSULT_SYSTEMS, _("The mandate does not cover it."), record)


@dataclass(frozen=True, slots=True)
class System:
    """A system as a person's page names it: `asked` says whether this actor may ask it, and why not."""

    connection: Connection
    asked: Decision


def systems(actor: Actor) -> list[System]:
    """The systems that are asked about people here, also those that this actor may not ask."""
    return [System(row, decide(actor, CONSULT_SYSTEMS, row)) for row in consulted(actor)]


def panel(actor: Actor, citizen: Citizen) -> Mapping[str, object] | None:
    """The systems that the person's page asks, each by itself; none about who is not the organisation's."""
    found = systems(actor)
    if not found or not CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).exists():
        return None
    return {"systems": found}


def _number(actor: Actor, citizen: Citizen) -> str:
    """The number by which other administrations know the person, a verified one first."""
    rows = Identifier.objects.for_actor(actor).filter(citizen=citizen, ended_at=None)
    first = rows.filter(kind__in=_NUMBERS).order_by("verified_at", "pk").first()
    return first.value if first else ""
