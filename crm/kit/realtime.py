"""Live streams: numbered patches in the database, announced after commit, replayed after a break.

The database is the truth and the channel layer a hint: a client that missed something asks for what
came after its last number. Streams are small (a case, a job, a person), never one per organisation.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction
from redis import RedisError

from crm.kit.actor import Actor
from crm.kit.models import StreamEvent
from crm.kit.policy import Decision
from crm.kit.registry import Registry

log = structlog.get_logger(__name__)
Authorise = Callable[[Actor, str], Decision]
streams: Registry[Authorise] = Registry("stream")


JUDGE = "judge"  # a patch that holds it: who may follow the stream may be others from now on


@dataclass(frozen=True, slots=True)
class Patch:
    """One event of a stream as it is sent to a client."""

    stream: str
    seq: int
    patch: Mapping[str, Any]


def authorise(actor: Actor, stream: str) -> Decision:
    """Whether the actor may listen to `kind:id`; unknown kinds are refused."""
    kind, _, key = stream.partition(":")
    check = streams.get(kind)
    return check(actor, key) if check and key else Decision(False, "")


def group_of(stream: str) -> str:
    """The channel-layer group of a stream; made here so that no client ever names a group."""
    return "stream." + "".join(c if c.isalnum() or c in "-_." else "." for c in stream)[:90]


def append(stream: str, patch: Mapping[str, Any]) -> int:
    """Add a patch as the last statement of a transaction and announce it after commit; its number.

    Whoever appends to several streams does so in sorted order, so that locks cannot cross.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kit_streamhead (stream, seq) VALUES (%s, 1) "
            "ON CONFLICT (stream) DO UPDATE SET seq = kit_streamhead.seq + 1 RETURNING seq",
            [stream],
        )
        row = cursor.fetchone()
    assert row is not None
    seq = int(row[0])
    StreamEvent.objects.create(stream=stream, seq=seq, patch=dict(patch))
    transaction.on_commit(lambda: announce(stream, seq, patch), robust=True)
    return seq


def announce(stream: str, seq: int, patch: Mapping[str, Any]) -> None:
    """Tell connected clients now; what is lost here they fetch by number."""
    tell_group(
        group_of(stream),
        {"type": "stream.event", "stream": stream, "seq": seq, "patch": dict(patch)},
    )


def hint(stream: str, told: Mapping[str, Any]) -> None:
    """Tell who follows the stream now what is true for a moment only (somebody types): kept nowhere."""
    tell_group(group_of(stream), {"type": "stream.hint", "stream": stream, "hint": dict(told)})


def tell_group(group: str, message: Mapping[str, Any]) -> None:
    """Send a message to a channel-layer group from synchronous code; without Valkey nobody hears it."""
    layer = get_channel_layer()

    async def send() -> None:
        async with asyncio.timeout(1):
            await layer.group_send(group, dict(message))

    try:
        async_to_sync(send)()
    except (RedisError, OSError) as error:  # a TimeoutError is one
        log.warning("nobody_told", error=type(error).__name__)


REPLAY_LIMIT = 500


def replay(stream: str, after: int) -> list[Patch] | None:
    """What came after a number, or None when too much is missing and the client must start afresh."""
    rows = list(
        StreamEvent.objects.filter(stream=stream, seq__gt=after).order_by("seq")[: REPLAY_LIMIT + 1]
    )
    if len(rows) > REPLAY_LIMIT or (rows and rows[0].seq != after + 1):
        return None
    return [Patch(row.stream, row.seq, row.patch) for row in rows]
