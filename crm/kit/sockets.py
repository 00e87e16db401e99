"""What every live socket does alike: bounded queues, a rate, and streams followed by number.

Groups are named by crm.kit.realtime and never by a client. A slow client is let go and comes back.
"""

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from redis import RedisError

from crm.kit.models import StreamHead
from crm.kit.realtime import JUDGE, Patch, group_of, replay

log = structlog.get_logger(__name__)

NOT_UNDERSTOOD, TOO_SLOW, TOO_FAST, BROKEN_OFF = 4400, 4408, 4429, 4500
MAX_FRAME = 4096  # characters; a subscription takes a hundred
MAX_WAITING = 500  # frames that a slow client has not taken
FRAMES_PER_SECOND, BURST = 10, 60


class StreamSocket(AsyncWebsocketConsumer):
    """A socket that follows streams; who may follow which is its heir's to decide."""

    def prepare(self) -> None:
        """Begin with nothing followed and the whole allowance. First in `connect`."""
        self.streams: dict[str, int] = {}  # with the number up to which it has been told all
        self.waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self.tasks: list[asyncio.Task[None]] = []
        self.allowance, self.counted_at = float(BURST), time.monotonic()

    async def stop(self) -> None:
        """Leave every stream and stop the tasks. In `disconnect`."""
        for task in self.tasks:
            task.cancel()
        for stream in self.streams:
            await self.channel_layer.group_discard(group_of(stream), self.channel_name)

    async def stream_event(self, message: dict[str, Any]) -> None:
        """Hand on a patch that the channel layer brings."""
        stream, seq = message["stream"], message["seq"]
        if stream not in self.streams:
            return
        self.tell(type="event", stream=stream, seq=seq, patch=message["patch"])
        if message["patch"].get(JUDGE) and not await self.may_still_follow(stream):
            return
        if seq == self.streams[stream] + 1:  # beyond a gap it is told again by `catch_up`
            self.streams[stream] = seq

    async def stream_hint(self, message: dict[str, Any]) -> None:
        """Hand on what is true for a moment only and kept nowhere."""
        if message["stream"] in self.streams:
            self.tell(type="hint", stream=message["stream"], hint=message["hint"])

    async def follow(self, stream: str, after: int) -> None:
        """Follow a stream: join first, then replay, so that nothing falls between."""
        self.streams[stream] = after
        await self.channel_layer.group_add(group_of(stream), self.channel_name)
        patches, head = await database_sync_to_async(_missed)(stream, after)
        if stream not in self.streams:  # let go of meanwhile
            return
        if patches is None:
            self.streams[stream] = head
            self.tell(type="resync", stream=stream, seq=head)
            return
        for patch in patches:
            self.tell(type="event", stream=stream, seq=patch.seq, patch=patch.patch)
        seq = patches[-1].seq if patches else after
        self.streams[stream] = max(seq, self.streams[stream])
        self.tell(type="caught_up", stream=stream, seq=seq)

    async def catch_up(self) -> None:
        """Tell what no announcement brought: Valkey forgets what nobody heard, and the socket stays open.

        What an announcement is just bringing is told twice; clients go by the number.
        """
        if not self.streams:
            return
        heads = await database_sync_to_async(_heads)(list(self.streams))
        for stream, head in heads.items():
            told = self.streams.get(stream)
            if told is not None and head > told and await self.may_still_follow(stream):
                await self.follow(stream, told)

    async def may_still_follow(self, stream: str) -> bool:
        """Whether what the client follows is still for them; else it is let go of."""
        return stream in self.streams

    async def keep(self, watch: Awaitable[None]) -> None:
        """Keep a watch as a task of the open socket. One that breaks off (the database is away) lets the
        client go, who comes back and is judged anew: nobody stays unwatched."""
        try:
            await watch
        except (DatabaseError, RedisError, OSError) as error:
            log.warning("socket_unwatched", error=type(error).__name__)
            await self.close(BROKEN_OFF)

    async def unfollow(self, stream: str) -> None:
        """Hear no more of a stream."""
        if self.streams.pop(stream, None) is not None:
            await self.channel_layer.group_discard(group_of(stream), self.channel_name)

    async def deliver(self) -> None:
        """Send what waits, as fast as the client takes it: a task of the open socket."""
        while True:
            await self.send(text_data=await self.waiting.get())

    def tell(self, **frame: Any) -> None:
        """Put a frame in the client's queue; a client that does not take them is let go."""
        try:
            self.waiting.put_nowait(json.dumps(frame, default=str))
        except asyncio.QueueFull:
            self.tasks.append(asyncio.create_task(self.close(TOO_SLOW)))

    def within_rate(self) -> bool:
        """Count a frame against the client's allowance, which refills with time."""
        now = time.monotonic()
        refill = (now - self.counted_at) * FRAMES_PER_SECOND
        self.allowance = min(float(BURST), self.allowance + refill) - 1
        self.counted_at = now
        return self.allowance >= 0


def parse(text: str | None) -> object:
    """The frame as JSON, or None when it is none of ours: binary, oversized or malformed."""
    if text is None or len(text) > MAX_FRAME:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _heads(streams: list[str]) -> dict[str, int]:
    """The last number of each."""
    return dict(StreamHead.objects.filter(pk__in=streams).values_list("stream", "seq"))


def _missed(stream: str, after: int) -> tuple[list[Patch] | None, int]:
    """What came after a number, with the last number of all; None when a client must start afresh."""
    patches = replay(stream, after)
    head = StreamHead.objects.filter(pk=stream).values_list("seq", flat=True).first() or 0
    if patches is not None and not patches and head != after:
        patches = None  # what is missing has been cleared away, or the client knows what never was
    return patches, head
