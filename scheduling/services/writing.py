"""What every verb on an appointment does alike: fetch and lock, check the version, write down, tell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, NotFound
from crm.kit.events import publish
from scheduling.events import AppointmentChanged
from scheduling.models import Appointment, EventKind, Happening, Status

_moment: ContextVar[datetime | None] = ContextVar("moment of what is told", default=None)


@contextmanager
def told_at(moment: datetime) -> Iterator[None]:
    """Within it, verbs act as at another moment (the demo, tests of days to come)."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def moment() -> datetime:
    """When what is being done happens: now, unless another moment is being told."""
    return _moment.get() or timezone.now()


def fetch(actor: Actor, appointment: UUID, version: int | None = None) -> Appointment:
    """The appointment, locked until the transaction ends; Conflict when it is past the version seen."""
    row = (
        Appointment.objects.for_actor(actor)
        .select_for_update(of=("self",))
        .select_related("service", "office__unit__organisation", "resource", "citizen")
        .filter(uuid=appointment)
        .first()
    )
    if row is None or row.status == Status.EXPIRED:
        raise NotFound
    if version is not None and row.version != version:
        raise Conflict(
            "appointment_changed", _("Somebody has changed this appointment meanwhile. Look again.")
        )
    return row


def require_status(row: Appointment, *wanted: Status) -> None:
    """Conflict unless the appointment stands in one of these states."""
    if row.status not in wanted:
        text = _("This cannot be done with an appointment that is: %(state)s.")
        raise Conflict("appointment_state", text % {"state": str(row.get_status_display()).lower()})


def write(
    actor: Actor,
    permission: str,
    row: Appointment,
    kind: EventKind,
    data: Mapping[str, Any] | None = None,
    *,
    changed: tuple[str, ...] = (),
) -> None:
    """The change is saved and told once in each place: the appointment's story, the audit trail, the
    outbox, the live day of its office. Last in its transaction."""
    row.version += 1
    row.last_event += 1
    row.save(update_fields=["version", "last_event", "updated_at", *changed])
    actor = actor.about(row.citizen_id)
    told = {"version": row.version, **(data or {})}
    if actor.on_behalf_of:
        told["on_behalf_of"] = actor.on_behalf_of
    Happening.objects.create(
        organisation_id=row.organisation_id,
        appointment=row,
        seq=row.last_event,
        kind=kind,
        at=moment(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:200],
        data=told,
    )
    citizen = {"citizen": str(row.citizen.uuid)} if row.citizen else {}
    record(actor, permission, row, event=row.last_event, kind=kind, **citizen)
    publish(
        AppointmentChanged(
            organisation_id=row.organisation_id,
            appointment=str(row.uuid),
            reference=row.reference,
            seq=row.last_event,
            kind=kind,
        )
    )
    announce(row, kind)


def announce(row: Appointment, kind: str, *offices: UUID) -> None:
    """Whoever has the day of its office (and of others concerned) before them sees it anew."""
    for office in sorted({row.office.uuid, *offices}):  # in order, so that locks cannot cross
        realtime.append(f"office:{office}", {"appointment": str(row.uuid), "kind": kind})
