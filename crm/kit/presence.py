"""Who is at a thing just now and what they do there, thing by thing as streams name them.

It lives in Valkey with an expiry and nowhere else: whoever falls silent is gone, and while Valkey is away
nobody is seen. One person with two tabs is one person. Who may see it is asked before it is told.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from redis import RedisError

from crm.kit.actor import Actor
from crm.kit.registry import Registry
from crm.kit.templatetags.ui import initials, tint
from crm.kit.valkey import client

log = structlog.get_logger(__name__)

KEPT = 75  # seconds after the last beat; browsers slow a hidden tab down to one a minute
MOST = 50  # things asked about at once

places: Registry[Callable[[Actor, Collection[UUID]], set[UUID]]] = Registry("place of presence")
"""By kind of stream: those of the keys that the actor may see, in one query."""


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is there: looking, or doing something for so many seconds."""

    who: str  # UUID of the person
    name: str
    doing: str  # empty: looks
    seconds: int
    left: int  # seconds for which this holds if nothing more is heard

    def as_data(self) -> dict[str, Any]:
        """As a page is told."""
        return {
            "who": self.who,
            "name": self.name,
            "initials": initials(self.name),
            "tint": tint(self.name),
            "doing": self.doing,
            "seconds": self.seconds,
            "left": self.left,
        }


def beat(
    stream: str, *, tab: str, who: UUID | None, name: str, doing: str, since: float
) -> list[Present]:
    """The person is there by this tab, doing this since then; who is."""
    now = time.time()
    entry = {"who": str(who), "name": name, "doing": doing, "since": since, "until": now + KEPT}
    try:
        pipe = client().pipeline(transaction=False)
        pipe.hset(_key(stream), tab, json.dumps(entry))
        pipe.expire(_key(stream), KEPT)
        pipe.hgetall(_key(stream))
        return _people(pipe.execute()[-1], now)
    except RedisError as error:
        log.warning("presence_unavailable", error=type(error).__name__)
        return []


def leave(stream: str, tab: str) -> list[Present]:
    """The tab is no longer there; who still is."""
    try:
        pipe = client().pipeline(transaction=False)
        pipe.hdel(_key(stream), tab)
        pipe.hgetall(_key(stream))
        return _people(pipe.execute()[-1], time.time())
    except RedisError as error:
        log.warning("presence_unavailable", error=type(error).__name__)
        return []


def at(streams: Iterable[str]) -> dict[str, list[Present]]:
    """Who is at each of these, in one call; where nobody is, nothing."""
    asked = list(streams)[:MOST]
    if not asked:
        return {}
    try:
        pipe = client().pipeline(transaction=False)
        for stream in asked:
            pipe.hgetall(_key(stream))
        answers = pipe.execute()
    except RedisError as error:
        log.warning("presence_unavailable", error=type(error).__name__)
        return {}
    now = time.time()
    found = {stream: _people(each, now) for stream, each in zip(asked, answers, strict=True)}
    return {stream: people for stream, people in found.items() if people}


def seen(actor: Actor, streams: Iterable[str]) -> dict[str, list[Present]]:
    """The same for an actor: of what they may not see nothing, and of themselves nothing."""
    by_kind: dict[str, dict[UUID, str]] = {}
    for stream in list(streams)[:MOST]:
        kind, _colon, key = stream.partition(":")
        try:
            by_kind.setdefault(kind, {})[UUID(key)] = stream
        except ValueError:
            continue
    allowed = [
        asked[key]
        for kind, asked in by_kind.items()
        if (judge := places.get(kind)) is not None
        for key in judge(actor, list(asked))
    ]
    own = str(actor.uuid)
    found = {
        stream: [one for one in people if one.who != own] for stream, people in at(allowed).items()
    }
    return {stream: people for stream, people in found.items() if people}


def _key(stream: str) -> str:
    return f"here:{stream}"


def _people(entries: Any, now: float) -> list[Present]:
    """Each person once, by what they do rather than that they look, those there longest first."""
    by_person: dict[str, dict[str, Any]] = {}
    for text in entries.values():
        entry = json.loads(text)
        if entry["until"] <= now:
            continue
        known = by_person.get(entry["who"])
        if known is None or _weight(entry) > _weight(known):
            by_person[entry["who"]] = entry
    return [
        Present(
            entry["who"],
            entry["name"],
            entry["doing"],
            max(0, int(now - entry["since"])),
            int(entry["until"] - now),
        )
        for entry in sorted(by_person.values(), key=lambda entry: (entry["since"], entry["who"]))
    ]


def _weight(entry: dict[str, Any]) -> tuple[bool, float]:
    return bool(entry["doing"]), entry["since"]
