"""How many cases each of many lists holds: asked together, kept for seconds, never longer than a moment.

A hundred saved views stand beside a list of a million cases. Numbers are kept in Valkey by the rights
and the query that they were counted for, so that colleagues with the same rights share them; one
request counts a list anew, the others are shown the last number meanwhile. What cannot be said quickly
is not said: « — », never an error.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.core.cache import cache

from cases.lists import COUNT_MS, CaseFilter, counted_together
from crm.kit.actor import Actor
from crm.kit.errors import DomainError

FRESH, SLOW, KEPT, COUNTING = 15, 120, 3600, 5  # seconds
OLD = 60  # a number that is older is shown, and asked for again at once
BUDGET_MS = 140  # of one request; what it does not reach is counted by the next
AT_ONCE = 20  # lists counted by one statement
_BROKEN = -2


@dataclass(frozen=True)
class Wanted:
    """A list to be counted. `text` says all that it asks; `asked` is None when it means nothing;
    `personal` where it means something else for each person."""

    text: str
    asked: Callable[[], CaseFilter | None]
    personal: bool = True


@dataclass(frozen=True)
class Count:
    """A number, COUNT_CAP + 1 when there are more; None when it cannot be said quickly."""

    value: int | None = None
    broken: bool = False  # the list means nothing any more
    pending: bool = False  # not counted yet, or long ago: ask again


def counts(actor: Actor, wanted: Mapping[str, Wanted]) -> dict[str, Count]:
    """The number of each list, as it was at most some seconds ago or as it was last."""
    rights = {own: _rights(actor, own=own) for own in {one.personal for one in wanted.values()}}
    keys = {name: _key(rights[one.personal], one.text) for name, one in wanted.items()}
    now = time.time()
    kept = cache.get_many(list(set(keys.values())))
    stale = [name for name, key in keys.items() if not _fresh(kept.get(key), now)]
    stale.sort(key=lambda name: keys[name] in kept)  # what was never counted comes first
    mine: dict[str, Wanted] = {}
    for name in stale:
        if keys[name] not in mine and cache.add(f"{keys[name]}:counting", 1, COUNTING):
            mine[keys[name]] = wanted[name]
    found = _count(actor, mine) if mine else {}
    if found:
        cache.set_many({key: [value, now] for key, value in found.items()}, KEPT)
    for key in mine.keys() - found.keys():  # not reached: the next request counts them
        cache.delete(f"{key}:counting")
    known = {key: value for key, (value, _at) in kept.items()} | found
    old = {key for key, (value, at) in kept.items() if value is not None and now - at > OLD}
    return {name: _told(known, key, old=key in old - found.keys()) for name, key in keys.items()}


# --- Inside -------------------------------------------------------------------------------------


def _told(known: Mapping[str, int | None], key: str, *, old: bool) -> Count:
    if key not in known:
        return Count(pending=True)
    value = known[key]
    return Count(broken=True) if value == _BROKEN else Count(value, pending=old)


def _fresh(kept: Sequence[float | None] | None, now: float) -> bool:
    if kept is None:
        return False
    value, at = kept
    return now - (at or 0) < (SLOW if value is None else FRESH)


def _key(rights: str, text: str) -> str:
    return f"count:{rights}:{sha256(text.encode()).hexdigest()[:32]}"


def _rights(actor: Actor, *, own: bool) -> str:
    """What decides which cases somebody sees, also whom they attend in another's name; with who they are
    where a query speaks of « me »."""
    told = [str(actor.organisation_id), actor.kind.value]
    for one in actor.attends:
        codes = sorted((name, sorted(some)) for name, some in one.codes.items())
        told.append(repr((one.subject, one.everything, one.alone, bool(one.refusal), codes)))
    if own:
        told += [str(actor.id), str(actor.home_unit_id)]
    for name, reach in sorted(actor.permissions.items()):
        units = "*" if reach.everywhere else ",".join(map(str, sorted(reach.units)))
        told.append(f"{name}={units}")
    return sha256("\n".join(told).encode()).hexdigest()[:32]


def _count(actor: Actor, wanted: Mapping[str, Wanted]) -> dict[str, int | None]:
    """As many as the budget allows, many by one statement; those too slow for that by themselves."""
    until = time.monotonic() + BUDGET_MS / 1000
    found: dict[str, int | None] = {}
    alone: list[str] = []
    for lot in _lots(list(wanted)):
        left = _left(until)
        if not left:
            return found
        try:
            found |= _ask(actor, {key: wanted[key] for key in lot}, min(left, 2 * COUNT_MS))
        except DomainError:
            alone += lot
    for key in alone:
        left = _left(until)
        if not left:
            break
        try:
            found |= _ask(actor, {key: wanted[key]}, min(left, COUNT_MS))
        except DomainError:
            if left >= COUNT_MS:  # else it was not given its time: the next request does
                found[key] = None
    return found


def _ask(actor: Actor, wanted: Mapping[str, Wanted], milliseconds: int) -> dict[str, int | None]:
    return dict(counted_together(actor, _filters(wanted), milliseconds, broken=_BROKEN))


def _filters(wanted: Mapping[str, Wanted]) -> Iterable[tuple[str, CaseFilter | None]]:
    """Made while the database's patience runs: a name in a query is looked up here."""
    for key, one in wanted.items():
        yield key, one.asked()


def _lots(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[at : at + AT_ONCE] for at in range(0, len(keys), AT_ONCE))


def _left(until: float) -> int:
    """Milliseconds that are left."""
    return max(0, int(1000 * (until - time.monotonic())))
