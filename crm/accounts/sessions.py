"""An employee's session: whether somebody may act in it now, and how it is locked, shown and ended."""

import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from crm.accounts.actors import actor_by
from crm.accounts.models import Membership, User, UserSession
from crm.kit.actor import Actor, Door, Origin
from crm.kit.realtime import tell_group
from crm.kit.web import client_ip, request_id
from crm.organisations import options
from crm.organisations.models import Organisation

STARTED, SEEN, LOCKED, FACTOR_OF = "started", "seen", "locked", "second_factor_of"
SEEN_EVERY = 30  # seconds: activity is written down no more often
CANCEL_LOCKED_AFTER = 60 * 60  # seconds: a session that nobody unlocks ends (mp.eq.2)

Data = SessionBase | MutableMapping[str, Any]


class State(StrEnum):
    """What a signed-in session lacks, if anything, before somebody may act in it."""

    READY = "ready"
    LOCKED = "locked"
    ENDED = "ended"
    SECOND_FACTOR = "second_factor"
    NO_ORGANISATION = "no_organisation"


@dataclass(frozen=True, slots=True)
class Standing:
    """A session at this moment; `actor` is there when it is ready, and only then."""

    state: State
    organisation: Organisation | None = None
    idle_minutes: int = 0
    actor: Actor | None = None
    works_at: tuple[Membership, ...] = ()


def standing_of(session: Data, user: User, origin: Origin) -> Standing:
    """Judge a session by its own clock and the rules of the organisation that the user works in now."""
    works_at = _works_at(user)
    current = _current(user, works_at)
    if current is None:
        return Standing(State.NO_ORGANISATION)
    organisation = current.organisation
    rules = options.read(organisation)
    state = _state(session, user, rules)
    actor = actor_by(user, organisation, current, origin) if state is State.READY else None
    return Standing(state, organisation, rules.idle_minutes, actor, works_at)


def _state(session: Data, user: User, rules: options.Options) -> State:
    now = time.time()
    seen = session.get(SEEN, now)
    if now - session.get(STARTED, now) > rules.session_hours * 3600:
        return State.ENDED
    idle = now - seen - rules.idle_minutes * 60
    if idle > CANCEL_LOCKED_AFTER:
        return State.ENDED
    if idle > 0 or session.get(LOCKED):
        return State.LOCKED
    if rules.second_factor and session.get(FACTOR_OF) != user.pk:
        return State.SECOND_FACTOR
    return State.READY


def current_organisation(user: User) -> Organisation | None:
    """The organisation chosen last, if the user still works there; else where it has worked longest."""
    current = _current(user, _works_at(user))
    return current.organisation if current else None


def _works_at(user: User) -> tuple[Membership, ...]:
    """The memberships by which the user may act, the oldest first, with organisation and unit."""
    return tuple(
        Membership.objects.unscoped("before there is an actor")
        .in_force()
        .filter(user=user, organisation__is_active=True)
        .select_related("organisation", "unit")
        .order_by("pk")
    )


def _current(user: User, works_at: tuple[Membership, ...]) -> Membership | None:
    chosen = [one for one in works_at if one.organisation_id == user.current_organisation_id]
    return next(iter(chosen or works_at), None)


def origin_of(request: HttpRequest) -> Origin:
    """Where a request comes from, as the audit trail names it."""
    doors = {"/admin/": Door.ADMIN, "/api/": Door.API}
    door = next((door for path, door in doors.items() if request.path.startswith(path)), None)
    return Origin(door or Door.CONSOLE, request_id(request), client_ip(request))


def begin(request: HttpRequest, user: User) -> None:
    """The session that was just signed in is known as the user's and its clocks run."""
    now = time.time()
    request.session[STARTED] = request.session[SEEN] = now
    _register(request, user)


def touch(session: SessionBase) -> None:
    """Somebody does something: the idle lock counts from now."""
    now = time.time()
    session.setdefault(STARTED, now)
    if now - session.get(SEEN, 0) >= SEEN_EVERY:
        session[SEEN] = now


def lock(session: SessionBase) -> None:
    """Nobody acts in the session until it is unlocked."""
    session[LOCKED] = True


def unlock(request: HttpRequest, user: User) -> None:
    """The person showed again who they are: the session goes on, under a new key."""
    request.session.pop(LOCKED, None)
    request.session[SEEN] = time.time()
    request.session.cycle_key()
    _register(request, user)


def showed_second_factor(session: Data, user: User) -> None:
    """The session counts as one with a second factor of this user."""
    session[FACTOR_OF] = user.pk


def forget_second_factor(session: Data) -> None:
    """The session counts as one without a second factor."""
    session.pop(FACTOR_OF, None)


def age(session: Data) -> float:
    """Seconds since the session was signed in."""
    return float(time.time() - session.get(STARTED, 0))


def end_sessions(user: User, *, but: str | None = None, only: UUID | None = None) -> int:
    """End a user's sessions (all, all but one key, or one); returns how many there were."""
    rows = UserSession.objects.filter(user=user).exclude(pk=but)
    if only is not None:
        rows = rows.filter(uuid=only)
    keys = list(rows.values_list("pk", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    tell_user(user)
    return len(keys)


def tell_user(user: User) -> None:
    """After commit, have the user's open sockets look again at who is there and what they may."""
    group = group_of(user.pk)
    transaction.on_commit(lambda: tell_group(group, {"type": "look.again"}), robust=True)


def group_of(user_id: int) -> str:
    """The channel-layer group of a user's sockets."""
    return f"user.{user_id}"


def _register(request: HttpRequest, user: User) -> None:
    """Keep the session's row beside the user; it needs a stored session."""
    if request.session.session_key is None:
        request.session.save()
    assert request.session.session_key is not None
    started = datetime.fromtimestamp(request.session[STARTED], tz=UTC)
    UserSession.objects.update_or_create(
        session_id=request.session.session_key,
        defaults={
            "user": user,
            "started_at": started,
            "ip": client_ip(request),
            "browser": request.headers.get("User-Agent", "")[:200],
        },
    )
