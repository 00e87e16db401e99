"""An organisation's record of a citizen: opening it, revealing a number, wishes, protection."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.models import AuditEntry
from crm.audit.record import OPEN_FOR
from crm.audit.record import record as write_down
from crm.citizens import checking
from crm.citizens.aliases import Survivor
from crm.citizens.checking import Wishes
from crm.citizens.events import CitizenChanged
from crm.citizens.models import Citizen, CitizenRecord, Identifier
from crm.citizens.permissions import (
    CHANGE_CITIZEN,
    PROTECT_RECORD,
    REVEAL_IDENTIFIER,
    VIEW_CITIZEN,
    VIEW_PROTECTED,
)
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, DomainError, Invalid, NotFound, Refused
from crm.kit.events import publish
from crm.kit.policy import require
from crm.kit.registry import Registry
from crm.organisations import options
from crm.organisations.models import Organisation


class ReasonNeeded(DomainError):  # noqa: N818 - reads as what the page asks for
    """A protected record, or one with which one has nothing to do, is opened only after saying why."""

    status: ClassVar[int] = 403
    title = _("Reason for access")

    def __init__(self, record: CitizenRecord) -> None:
        super().__init__("reason_needed", _("State the reason for access. It will be logged."))
        self.record = record


@dataclass(frozen=True, slots=True)
class Opened:
    """A citizen as opened; `record` is None when they are seen by another organisation's agreement."""

    citizen: Citizen
    record: CitizenRecord | None
    purpose: str


def own_record(actor: Actor, citizen_id: UUID, permission: str) -> CitizenRecord:
    """The organisation's record of the citizen, locked, with which the actor may do this."""
    record = (
        CitizenRecord.objects.for_actor(actor)
        .select_for_update(of=("self",))
        .select_related("citizen")
        .get_or_refuse(citizen=Survivor(citizen_id))
    )
    require(actor, permission, record)
    return record


def note(actor: Actor, action: str, record: CitizenRecord, purpose: str = "", **data: Any) -> None:
    """Write into the audit trail what was done with a citizen; of a protected one only initials."""
    actor = actor.about(record.citizen_id)
    write_down(actor, action, record.citizen, purpose=purpose, name=record.shown_name, **data)


def open_citizen(actor: Actor, citizen_id: UUID, *, purpose: str = "", reason: str = "") -> Opened:
    """The citizen is open before the actor, and one entry says why: `reason`, as the person
    stated it, else `purpose`, as the way in implies it, else the organisation's usual one.

    Raises ReasonNeeded without a stated reason for a protected record and, where the organisation
    wants that, for who has nothing open with the actor's unit.
    """
    found = _reached(actor, citizen_id, purpose, reason)
    _write_look(actor, found)
    return found


def open_part(
    actor: Actor, citizen_id: UUID, part: str, *, purpose: str = "", reason: str = ""
) -> Opened:
    """A further part of the citizen's page is before the actor, on the terms of `open_citizen`; an entry
    says so unless they opened the citizen a short while ago."""
    found = _reached(actor, citizen_id, purpose, reason)
    if not opened_for(actor, found.citizen):
        _write_look(actor, found, part=part)
    return found


def _reached(actor: Actor, citizen_id: UUID, purpose: str, reason: str) -> Opened:
    require(actor, VIEW_CITIZEN)
    citizen = Citizen.objects.for_actor(actor).known_by(citizen_id).get_or_refuse()
    record = CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).first()
    reason = checking.text(reason, 240)
    if record is not None:
        record.citizen = citizen
    attended = actor.attended(citizen.pk)
    if attended is not None and attended.refusal:
        raise Refused(VIEW_CITIZEN, attended.refusal, record)
    if record is not None and record.protected:
        require(actor, VIEW_PROTECTED, record)
    usual = require_reason(actor, citizen, record, reason)
    return Opened(citizen, record, reason or checking.text(purpose, 240) or usual)


def _write_look(actor: Actor, found: Opened, **data: str) -> None:
    name = found.record.shown_name if found.record else None
    about = actor.about(found.citizen.pk)
    write_down(about, "viewed", found.citizen, purpose=found.purpose, name=name, **data)


def opened_for(actor: Actor, citizen: Citizen) -> str:
    """Why the actor opened the record just now; empty when they did not."""
    looks = AuditEntry.objects.for_actor(actor).filter(
        object_type=citizen._meta.label_lower,
        object_id=str(citizen.uuid),
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="viewed",
        at__gte=timezone.now() - OPEN_FOR,
    )
    return looks.order_by("-at", "-id").values_list("purpose", flat=True).first() or ""


matters: Registry[Callable[[Actor, Citizen], bool]] = Registry("kind of open matter")
"""Each higher room says whether the person has something open with the actor's unit."""


def require_reason(
    actor: Actor, citizen: Citizen, record: CitizenRecord | None, stated: str
) -> str:
    """The organisation's usual reason, for who needs to state none; ReasonNeeded when this person is
    opened by this actor only after saying why, and nobody has."""
    if stated:
        return stated
    if record is not None and record.protected:
        raise ReasonNeeded(record)
    rules = options.read(Organisation.objects.for_actor(actor).get())
    if rules.purpose_without_matter and not any(
        has_open(actor, citizen) for has_open in matters.values()
    ):
        raise ReasonNeeded(record or CitizenRecord(citizen=citizen))
    return str(rules.usual_purposes[0])


def usual_purpose(actor: Actor) -> str:
    """The first of the organisation's usual reasons for access."""
    return usual_purposes(actor)[0]


def usual_purposes(actor: Actor) -> list[str]:
    """The organisation's usual reasons for access, to choose from."""
    organisation = Organisation.objects.for_actor(actor).get()
    return [str(purpose) for purpose in options.read(organisation).usual_purposes]


@transaction.atomic
def reveal_identifier(
    actor: Actor, citizen_id: UUID, identifier_id: UUID, *, purpose: str = ""
) -> str:
    """The whole number is before the actor, and an entry says so.

    Raises ReasonNeeded for a protected record without a stated purpose.
    """
    number = (
        Identifier.objects.for_actor(actor)
        .select_related("citizen")
        .get_or_refuse(uuid=identifier_id, citizen=Survivor(citizen_id))
    )
    record = CitizenRecord.objects.for_actor(actor).filter(citizen=number.citizen).first()
    if record is None:  # an agreement shares numbers masked only
        raise NotFound
    require(actor, REVEAL_IDENTIFIER, record)
    stated = checking.text(purpose, 240)
    record.citizen = number.citizen
    why = require_reason(actor, number.citizen, record, stated)
    note(actor, "revealed", record, why, kind=number.kind, identifier=str(number.uuid))
    return number.value


def require_as_seen(row: Model, seen: datetime | None) -> None:
    """Conflict when somebody else has changed the row since it was `seen` (its `updated_at` then)."""
    if seen is not None and row.updated_at != seen:  # type: ignore[attr-defined]
        raise Changed(
            _("Somebody else has changed this person's data. Compare before saving again.")
        )


@transaction.atomic
def set_wishes(
    actor: Actor, citizen_id: UUID, wishes: Wishes, *, seen: datetime | None = None
) -> CitizenRecord:
    """The person is attended in this language, by this channel and with this care."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    require_as_seen(record, seen)
    wishes = checking.wishes(wishes)
    before = {field: getattr(record, field) for field in WISHES}
    record.language = wishes.language
    record.preferred_channel = wishes.preferred_channel
    record.accessibility_needs = list(wishes.accessibility_needs)
    record.save(update_fields=[*WISHES, "updated_at"])
    changed = [field for field in WISHES if before[field] != getattr(record, field)]
    note(actor, CHANGE_CITIZEN, record, changed=changed)
    publish(CitizenChanged(str(citizen_id), record.organisation_id))
    return record


WISHES = ("language", "preferred_channel", "accessibility_needs")


@transaction.atomic
def protect_record(actor: Actor, citizen_id: UUID, *, reason: str) -> CitizenRecord:
    """The record opens only to who may open protected ones, each time with a reason."""
    record = own_record(actor, citizen_id, PROTECT_RECORD)
    if record.protected:
        raise Conflict("already_protected", _("The record is already protected."))
    record.protected = True
    record.protected_reason = _stated(reason)
    record.save(update_fields=["protected", "protected_reason", "updated_at"])
    note(actor, PROTECT_RECORD, record, protected=True, reason=record.protected_reason)
    publish(CitizenChanged(str(citizen_id), record.organisation_id))
    return record


@transaction.atomic
def unprotect_record(actor: Actor, citizen_id: UUID, *, reason: str) -> CitizenRecord:
    """The record opens like any other again."""
    record = own_record(actor, citizen_id, PROTECT_RECORD)
    if not record.protected:
        raise Conflict("not_protected", _("The record is not protected."))
    why = _stated(reason)
    note(actor, PROTECT_RECORD, record, protected=False, reason=why)
    record.protected = False
    record.protected_reason = ""
    record.save(update_fields=["protected", "protected_reason", "updated_at"])
    publish(CitizenChanged(str(citizen_id), record.organisation_id))
    return record


def _stated(reason: str) -> str:
    try:
        clean = checking.text(reason, 240)
    except Invalid as error:
        raise Invalid(errors={"reason": [error.message]}) from error
    if len(clean) < 5:
        raise Invalid(errors={"reason": [_("State the reason in a few words.")]})
    return clean
