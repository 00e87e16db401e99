"""Whom the events of a case concern: they are told once each, and who may not see it any more, not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cases.mentions import told_of
from cases.models import Case, Event, EventKind, Follower, Message
from cases.news import ASSIGNED, CASE, MENTIONED, MESSAGE, MOVED, NOTED
from cases.selectors import users_who_see
from cases.services.following import end_lost, follow_by_itself, followers_of
from crm.accounts.actors import system_actor
from crm.accounts.models import User
from crm.kit.actor import Actor, Door, Kind, Origin
from crm.notices.services import News, notify

Why = Follower.Why
_SERVES_ALL = "a worker tells whom it concerns"


@dataclass(frozen=True, slots=True)
class Told:
    """News of one kind for some people."""

    kind: str
    people: Iterable[int]
    data: Mapping[str, Any] = field(default_factory=dict)


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
    actor = system_actor(event.case.organisation, Origin(Door.TASK))
    for told in teller(actor, event):
        _tell(actor, event, told)


def _tell(actor: Actor, event: Event, told: Told) -> None:
    case, batch = event.case, event.data.get("batch")
    people = set(told.people)
    if not people:
        return
    notify(
        case.organisation_id,
        users_who_see(actor, case, people),
        News(
            told.kind,
            CASE,
            case.uuid,
            f"batch:{batch}:{told.kind}" if batch else f"case:{case.uuid}:{event.seq}",
            at=event.at,
            actor=event.actor_id if event.actor_kind == Kind.USER else None,
            actor_name=event.actor_name,
            data={**told.data, **({"batch": batch} if batch else {})},
        ),
    )


# --- What each kind of event tells whom -----------------------------------------------------------


def _noted(actor: Actor, event: Event) -> Iterator[Told]:
    case, kept = event.case, event.data.get("mentions", ())
    meant = told_of(actor, case, kept) if kept else []
    yield Told(MENTIONED, meant)
    yield Told(NOTED, followers_of(case))
    by_name = [one["person"] for one in kept if "person" in one]
    follow_by_itself(case, _keys(by_name, within=meant), Why.MENTIONED)


def _messaged(_actor: Actor, event: Event) -> Iterator[Told]:
    if event.data.get("direction") == Message.Direction.IN:
        yield Told(MESSAGE, _concerned(event.case))
    elif event.actor_kind == Kind.USER and event.actor_id is not None:
        follow_by_itself(event.case, [event.actor_id], Why.ANSWERED)


def _assigned(_actor: Actor, event: Event) -> Iterator[Told]:
    yield Told(ASSIGNED, _keys([event.data["to_id"]]) if event.data.get("to_id") else ())
    yield from _released(_actor, event)


def _released(_actor: Actor, event: Event) -> Iterator[Told]:
    if had := event.data.get("from_id"):
        follow_by_itself(event.case, _keys([had]), Why.HAD)
    yield from ()


def _opened(_actor: Actor, event: Event) -> Iterator[Told]:
    yield Told(ASSIGNED, _keys([event.data["to_id"]]) if event.data.get("to_id") else ())


def _moved(_actor: Actor, event: Event) -> Iterator[Told]:
    yield Told(MOVED, _concerned(event.case), {"state": event.data.get("to_name", "")})


def _out_of_sight(actor: Actor, event: Event) -> Iterator[Told]:
    end_lost(actor, event.case)
    yield from ()


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
}


def _concerned(case: Case) -> list[int]:
    """Whoever has the case, and whoever follows it."""
    mine = [case.assignee_id] if case.assignee_id is not None else []
    return mine + followers_of(case)


def _keys(uuids: Iterable[str], within: Iterable[int] | None = None) -> list[int]:
    rows = User.objects.filter(uuid__in=list(uuids))
    return list(
        (rows if within is None else rows.filter(pk__in=list(within))).values_list("pk", flat=True)
    )
