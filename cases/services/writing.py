"""What every verb on a case does alike: fetch and lock, check the version, write down, tell."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases import represented
from cases.events import CaseEvent
from cases.models import Case, Event, EventKind
from cases.models.merging import merged_into
from cases.permissions import ENDED
from cases.services import representation
from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.kit.errors import Conflict
from crm.kit.events import publish

followers: list[Callable[[Actor, Case, Event, tuple[str, ...]], None]] = []
"""What each event moves in its own transaction, with the columns of the case that changed."""

_moment: ContextVar[datetime | None] = ContextVar("moment of what is told", default=None)
_batch: ContextVar[UUID | None] = ContextVar("bulk action that it is part of", default=None)


@contextmanager
def in_batch(action: UUID) -> Iterator[None]:
    """Within it, what verbs write down names the bulk action that it is part of."""
    token = _batch.set(action)
    try:
        yield
    finally:
        _batch.reset(token)


def batch_now() -> UUID | None:
    """The batch that what is written now is part of, if it is of one."""
    return _batch.get()


@contextmanager
def told_at(moment: datetime) -> Iterator[None]:
    """Within it, verbs write down what happened at an earlier moment (seeds, other systems' history)."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def moment() -> datetime:
    """When what is being written happened: now, unless an earlier moment is being told."""
    return _moment.get() or timezone.now()


def fetch(actor: Actor, case: UUID, version: int | None = None) -> Case:
    """The case, locked until the transaction ends; Conflict when it is past the version seen."""
    row = (
        Case.objects.for_actor(actor)
        .select_related("case_type", "type_version")
        .select_for_update(of=("self",), no_key=True)  # no key: its rows may be added meanwhile
        .filter(uuid=case)
        .first()
    )
    if row is None:
        raise represented.not_seen(actor, case)
    require_itself(row)
    if version is not None and row.version != version:
        raise changed_meanwhile(row, version)
    return row


def changed_meanwhile(row: Case, version: int, **details: Any) -> Conflict:
    """Somebody has changed the case since it was in this version; by API, who and in which fields."""
    changes = changes_since(row, version)
    return Conflict(
        "case_changed",
        _("Someone has changed this case since you opened it. Nothing you wrote is lost."),
        version=row.version,
        changes=changes,
        **{"now": {"version": row.version, "changes": changes}, **details},
    )


def require_itself(row: Case) -> None:
    """Conflict when the case is part of another now: it is worked on there."""
    now = merged_into(row)
    if now is not None:
        text = _("The case was merged into %(reference)s: go on there.")
        raise Conflict(
            "case_merged",
            text % {"reference": now.reference},
            merged_into=str(now.uuid),
            reference=now.reference,
        )


def fetch_two(actor: Actor, one: UUID, other: UUID) -> tuple[Case, Case]:
    """Two cases, locked in the order of their keys so that two such acts cannot cross."""
    found = {
        row.uuid: row
        for row in Case.objects.for_actor(actor)
        .filter(uuid__in=[one, other])
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    }
    if one not in found or other not in found:
        fetch(actor, one)
        fetch(actor, other)
    for row in found.values():
        require_itself(row)
    return found[one], found[other]


def changes_since(case: Case, version: int) -> list[dict[str, Any]]:
    """Who changed what after a version of the case, oldest first."""
    events = case.events.filter(data__version__gt=version).order_by("seq")
    return [
        {
            "by": event.actor_name,
            "at": event.at.isoformat(),
            "kind": event.kind,
            "fields": event.data.get("fields", []),
        }
        for event in events
    ]


def require_work_goes_on(case: Case) -> None:
    """Conflict when work on the case has ended."""
    if case.ended:
        raise Conflict("case_ended", ENDED)


def write(
    actor: Actor,
    permission: str,
    case: Case,
    kind: EventKind,
    data: Mapping[str, Any],
    *,
    changed: tuple[str, ...] = (),
    announce: bool = True,
) -> Event:
    """The change is saved (`changed` names the case's columns) and told once in each place: an event
    of the case, the audit trail, the outbox, the case's live stream. Last in its transaction."""
    case.last_event += 1
    columns = ["last_event"]
    if changed:
        case.version += 1
        columns += ["version", "updated_at", *changed]
        data = {**data, "version": case.version}
    case.save(update_fields=columns)
    event = tell(actor, permission, case, kind, data, changed=changed)
    if announce:
        patch = {"event": event.seq, "kind": kind, "by": actor.name, "version": case.version}
        realtime.append(f"case:{case.uuid}", patch)
    return event


def tell(
    actor: Actor,
    permission: str,
    case: Case,
    kind: EventKind,
    data: Mapping[str, Any],
    *,
    changed: tuple[str, ...] = (),
) -> Event:
    """The event number `case.last_event` stands in the case, the audit trail and the outbox; what is done
    for who speaks in the citizen's name says so, and by which mandate."""
    attended = actor.attended(case.citizen_id)
    actor = actor.about(case.citizen_id)
    batch = {"batch": str(_batch.get())} if _batch.get() else {}
    event = Event.objects.create(
        case=case,
        organisation_id=case.organisation_id,
        seq=case.last_event,
        kind=kind,
        at=moment(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:200],
        on_behalf_of=actor.on_behalf_of[:200],
        data={**data, **batch},
    )
    if attended is not None:
        representation.keep(actor, case, event, attended)
    record(actor, permission, case, event=event.seq, kind=kind, **batch)
    case.told = True
    publish(
        CaseEvent(
            organisation_id=case.organisation_id,
            case=str(case.uuid),
            reference=case.reference,
            seq=event.seq,
            kind=kind,
        )
    )
    for follow in followers:
        follow(actor, case, event, changed)
    return event
