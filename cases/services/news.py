"""Whom the events of a case concern: they are told once each, and who may not see it any more, not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cases import news as kinds
from cases.mentions import told_of
from cases.models import (
    BulkAction,
    Case,
    CaseTransfer,
    Consultation,
    Event,
    EventKind,
    Follower,
    Import,
    Message,
    Task,
)
from cases.permissions import APPROVE_TASK
from cases.selectors import granted, path_of, people_at_work, supervisors_of, users_who_see
from cases.services.following import end_lost, follow_by_itself, followers_of
from crm.accounts.actors import actor_for, system_actor
from crm.accounts.models import User
from crm.kit.actor import Actor, Door, Kind, Origin
from crm.notices.kinds import things
from crm.notices.services import News, notify
from crm.organisations.models import Organisation

Why = Follower.Why
_SERVES_ALL = "a worker tells whom it concerns"
_TASK = Origin(Door.TASK)


@dataclass(frozen=True, slots=True)
class Told:
    """News of one kind for some people: about the case itself, or a thing of its own that lies between
    two units, where `at` says whose people they are."""

    kind: str
    people: Iterable[int]
    data: Mapping[str, Any] = field(default_factory=dict)
    about: tuple[str, UUID] | None = None
    at: Organisation | None = None
    together: str = ""  # a key: all of it is one piece of news


Teller = Callable[[Actor, Event], Iterator[Told]]


def tell_people(payload: Mapping[str, Any]) -> None:
    """Whom a case's event concerns has the news of it; a second run tells nobody twice.

    One event is one piece of news for a person: of what comes first among what it is to them.
    """
    teller = _TELLERS.get(payload["kind"])
    if teller is None:
        return
    rows = Event.objects.unscoped(_SERVES_ALL).select_related("case__organisation", "case__unit")
    event = rows.filter(case__uuid=payload["case"], seq=payload["seq"]).first()
    if event is None:
        return
    actor = system_actor(event.case.organisation, _TASK)
    for told in teller(actor, event):
        _tell(actor, event, told)


def _tell(actor: Actor, event: Event, told: Told) -> None:
    case, batch, people = event.case, event.data.get("batch"), set(told.people)
    if not people:
        return
    at = told.at or case.organisation
    thing, key = told.about or (kinds.CASE, case.uuid)
    if told.about:
        seeing = who_see(people, at, thing, key)
    else:
        seeing = list(users_who_see(actor, case, people))
    once = f"batch:{batch}:{told.kind}" if batch else f"case:{case.uuid}:{event.seq}"
    news = News(
        told.kind,
        thing,
        key,
        told.together or once,
        at=event.at,
        actor=event.actor_id if event.actor_kind == Kind.USER else None,
        actor_name=event.actor_name,
        data={**told.data, **({"batch": batch} if batch else {})},
    )
    notify(at.pk, seeing, news)


def who_see(people: Iterable[int], at: Organisation, thing: str, key: UUID) -> list[int]:
    """Those for whom the thing exists: few, each asked with their own rights."""
    found = []
    for user in User.objects.filter(pk__in=list(people)):
        theirs = actor_for(user, at, _TASK)
        if theirs is not None and things[thing](theirs, [str(key)]):
            found.append(user.pk)
    return found


# --- Notes, messages, states ----------------------------------------------------------------------


def _noted(actor: Actor, event: Event) -> Iterator[Told]:
    case, kept = event.case, event.data.get("mentions", ())
    meant = told_of(actor, case, kept) if kept else []
    yield Told(kinds.MENTIONED, meant)
    yield Told(kinds.NOTED, followers_of(case))
    by_name = [one["person"] for one in kept if "person" in one]
    follow_by_itself(case, _keys(by_name, within=meant), Why.MENTIONED)


def _messaged(_actor: Actor, event: Event) -> Iterator[Told]:
    if event.data.get("direction") == Message.Direction.IN:
        yield Told(kinds.MESSAGE, _concerned(event.case))
    elif event.actor_kind == Kind.USER and event.actor_id is not None:
        follow_by_itself(event.case, [event.actor_id], Why.ANSWERED)


def _moved(_actor: Actor, event: Event) -> Iterator[Told]:
    yield Told(kinds.MOVED, _concerned(event.case), {"state": event.data.get("to_name", "")})


def _targeted(_actor: Actor, event: Event) -> Iterator[Told]:
    data = {name: event.data[name] for name in ("measure", "due") if name in event.data}
    told = _keys(event.data.get("to_ids", ()))
    kind = kinds.MISSED if event.kind == EventKind.TARGET_BREACHED else kinds.TARGET
    yield Told(kind, [*_concerned(event.case), *told], data)


# --- Who has it -----------------------------------------------------------------------------------


def _assigned(_actor: Actor, event: Event) -> Iterator[Told]:
    given = _keys([event.data["to_id"]]) if event.data.get("to_id") else []
    rule = event.data.get("rule", {})
    if rule.get("how") in ("substitute", "back"):
        kind = kinds.STANDS_IN if rule["how"] == "substitute" else kinds.BACK
        day = rule.get("until") or f"{event.at:%Y-%m-%d}"
        key = f"absence:{rule['how']}:{rule.get('absent', '')}:{day}"[:200]
        yield Told(kind, given, {"absent": rule.get("absent", "")}, together=key)
    else:
        yield Told(kinds.ASSIGNED, given)
    yield from _released(_actor, event)


def _released(_actor: Actor, event: Event) -> Iterator[Told]:
    if had := event.data.get("from_id"):
        follow_by_itself(event.case, _keys([had]), Why.HAD)
    yield from ()


def _opened(_actor: Actor, event: Event) -> Iterator[Told]:
    yield Told(kinds.ASSIGNED, _keys([event.data["to_id"]]) if event.data.get("to_id") else ())


def _out_of_sight(actor: Actor, event: Event) -> Iterator[Told]:
    end_lost(actor, event.case)
    if given := event.data.get("assignee_id"):  # with a transfer that was accepted
        yield Told(kinds.ASSIGNED, _keys([given]))
    if transfer := event.data.get("casetransfer") or event.data.get("transfer"):
        yield from _transfer_answered(actor, transfer)


# --- Tasks ----------------------------------------------------------------------------------------


def _task_given(_actor: Actor, event: Event) -> Iterator[Told]:
    given = event.data.get("to_id")
    task = (
        _task_of(event) if given and "assignee" in event.data.get("fields", ["assignee"]) else None
    )
    if task is not None:
        about = (kinds.TASKS, task.uuid)
        yield Told(kinds.TASK, _keys([given]), {"title": task.title}, about)


def _task_done(actor: Actor, event: Event) -> Iterator[Told]:
    task = _task_of(event)
    if task is None or not event.data.get("waits"):
        return
    path = path_of(actor, event.case.unit_id)
    may = people_at_work(actor).filter(pk__in=granted(actor, APPROVE_TASK, path))
    people = set(may.values_list("pk", flat=True)) - {task.done_by_id}
    about = (kinds.TASKS, task.uuid)
    yield Told(kinds.APPROVAL, [key for key in people if key], {"title": task.title}, about)


def _task_reviewed(_actor: Actor, event: Event) -> Iterator[Told]:
    task = _task_of(event)
    if task is not None and task.done_by_id is not None:
        about = (kinds.TASKS, task.uuid)
        yield Told(kinds.REVIEWED, [task.done_by_id], {"title": task.title}, about)


def _task_of(event: Event) -> Task | None:
    if not event.data.get("task"):
        return None
    rows = Task.objects.unscoped(_SERVES_ALL).filter(uuid=event.data["task"], case=event.case)
    return rows.first()


# --- Between units --------------------------------------------------------------------------------


def _offered(_actor: Actor, event: Event) -> Iterator[Told]:
    row = _between(CaseTransfer, event.data.get("casetransfer"))
    if row is not None and row.open:
        there = row.target_organisation
        boss = supervisors_of(system_actor(there, _TASK), row.target_unit_id)
        about = (kinds.TRANSFER, row.uuid)
        yield Told(kinds.OFFERED, [one.pk for one in boss], _to(row), about, there)


def _transfer_back(actor: Actor, event: Event) -> Iterator[Told]:
    if transfer := event.data.get("casetransfer"):
        yield from _transfer_answered(actor, transfer)


def _transfer_answered(_actor: Actor, transfer: str) -> Iterator[Told]:
    row = _between(CaseTransfer, transfer)
    if row is not None and row.sent_by_id is not None:
        about = (kinds.TRANSFER, row.uuid)
        yield Told(kinds.ANSWERED, [row.sent_by_id], _to(row), about, row.origin_organisation)


def _asked(_actor: Actor, event: Event) -> Iterator[Told]:
    row = _between(Consultation, event.data.get("consultation"))
    if row is not None and row.open:
        there = row.target_organisation
        boss = supervisors_of(system_actor(there, _TASK), row.target_unit_id)
        about = (kinds.CONSULTATION, row.uuid)
        yield Told(kinds.ASKED, [one.pk for one in boss], _to(row), about, there)


def _answered(_actor: Actor, event: Event) -> Iterator[Told]:
    row = _between(Consultation, event.data.get("consultation"))
    if row is None:
        return
    mine = [row.sent_by_id, event.case.assignee_id]
    about = (kinds.CONSULTATION, row.uuid)
    people = [key for key in mine if key is not None]
    yield Told(kinds.TOLD, people, _to(row), about, row.origin_organisation)


def _between(model: Any, uuid: str | None) -> Any:
    """The transfer or question that an event names."""
    rows = model.objects.unscoped(_SERVES_ALL).select_related(
        "target_unit", "target_organisation", "origin_organisation"
    )
    return rows.filter(uuid=uuid).first() if uuid else None


def _to(row: Any) -> dict[str, str]:
    return {"to": row.target_unit.name}


_TELLERS: Mapping[str, Teller] = {
    EventKind.NOTED: _noted,
    EventKind.MESSAGED: _messaged,
    EventKind.OPENED: _opened,
    EventKind.ASSIGNED: _assigned,
    EventKind.RELEASED: _released,
    EventKind.MOVED: _moved,
    EventKind.UNIT_CHANGED: _out_of_sight,
    EventKind.TRANSFERRED: _out_of_sight,
    EventKind.CONFIDENTIALITY_CHANGED: _out_of_sight,
    EventKind.TARGET_WARNED: _targeted,
    EventKind.TARGET_BREACHED: _targeted,
    EventKind.TASK_ADDED: _task_given,
    EventKind.TASK_CHANGED: _task_given,
    EventKind.TASK_DONE: _task_done,
    EventKind.TASK_APPROVED: _task_reviewed,
    EventKind.TASK_REJECTED: _task_reviewed,
    EventKind.TRANSFER_OFFERED: _offered,
    EventKind.TRANSFER_RETURNED: _transfer_back,
    EventKind.TRANSFER_REFUSED: _transfer_back,
    EventKind.TRANSFER_EXPIRED: _transfer_back,
    EventKind.CONSULTED: _asked,
    EventKind.CONSULTATION_ANSWERED: _answered,
    EventKind.CONSULTATION_DECLINED: _answered,
    EventKind.CONSULTATION_SAID: _answered,
}


# --- Work in the background -----------------------------------------------------------------------


def tell_bulk(action: BulkAction) -> None:
    """Whoever asked for a bulk action learns that it is over, in the transaction that ends it."""
    if action.requested_by_id is not None:
        _finished(action.organisation_id, action.requested_by_id, kinds.BULK, action.uuid)


def tell_import(load: Import) -> None:
    """Whoever started an import learns that it is over."""
    if load.requested_by_id is not None:
        _finished(load.organisation_id, load.requested_by_id, kinds.IMPORT, load.uuid)


def _finished(organisation: int, person: int, thing: str, key: UUID) -> None:
    notify(organisation, [person], News(kinds.FINISHED, thing, key, f"{thing}:{key}"))


def _concerned(case: Case) -> list[int]:
    """Whoever has the case, and whoever follows it."""
    mine = [case.assignee_id] if case.assignee_id is not None else []
    return mine + followers_of(case)


def _keys(uuids: Iterable[str], within: Iterable[int] | None = None) -> list[int]:
    rows = User.objects.filter(uuid__in=list(uuids))
    rows = rows if within is None else rows.filter(pk__in=list(within))
    return list(rows.values_list("pk", flat=True))
