"""The one WebSocket of a signed-in employee: live streams, followed by number (static/js/lib/live.js).

Groups are named here and never by a client. The socket closes within five seconds of whatever takes
away the right to it: it is told through the channel layer, and looks for itself in case nobody told.
"""

import asyncio
import logging
import re
import time
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.utils.translation import gettext as _
from redis import RedisError

from crm.accounts import selectors, sessions
from crm.accounts.models import User
from crm.accounts.sessions import State
from crm.audit.models import Result
from crm.audit.record import record
from crm.kit import presence
from crm.kit.actor import Actor, Door, Origin
from crm.kit.policy import Decision
from crm.kit.realtime import authorise, group_of
from crm.kit.sockets import NOT_UNDERSTOOD, TOO_FAST, StreamSocket, parse

log = logging.getLogger(__name__)

SIGNED_OUT, RIGHTS_CHANGED = 4401, 4205
MAX_STREAMS = 100
_STREAM = re.compile(r"[0-9A-Za-z:._-]{1,120}")
_DOING = re.compile(r"[a-z]{0,12}")
HERE = "here"  # a hint that says who is there
LOOK_EVERY = 3.0  # seconds; with the query itself under the five that are promised
LOOK_WHOLE_EVERY = 20  # times: the idle lock is a matter of time, which no row tells
CATCH_UP_EVERY = 3  # times: what Valkey did not bring is told within ten seconds


class LiveConsumer(StreamSocket):
    """Live streams for one employee."""

    actor: Actor
    user: User
    session_key: str

    async def connect(self) -> None:
        """Let in whoever may act in the console; everybody else is told to sign in."""
        self.prepare()
        self.here: dict[str, tuple[str, float]] = {}  # stream → what is done there, and since when
        self.session_key = self.scope["session"].session_key or ""
        await self.accept()  # a code can only be told on an open socket
        self.rights = await self._rights()  # before looking, so that no change falls between
        if not await self._look():
            await self.close(SIGNED_OUT)
            return
        self.organisation_id = self.actor.organisation_id
        await self.channel_layer.group_add(sessions.group_of(self.user.pk), self.channel_name)
        self.tasks = [
            asyncio.create_task(self.deliver()),
            asyncio.create_task(self.keep(self._watch())),
        ]

    async def disconnect(self, code: int) -> None:
        """Leave every group and stop the tasks. It may never come: presence goes by itself as well."""
        for stream in list(self.here):
            await self._leave(stream)
        if self.tasks:
            await self.channel_layer.group_discard(
                sessions.group_of(self.user.pk), self.channel_name
            )
        await self.stop()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Understand one frame of the client; what is not one of ours closes the socket."""
        if not self.tasks:  # what came before the refusal was heard
            return
        if not self.within_rate():
            await self.close(TOO_FAST)
            return
        frame = parse(text_data)
        match frame:
            case {"type": "ping"}:
                self.tell(type="pong")
            case {"type": "subscribe", "stream": str(stream), "after": int(after)} if (
                after >= 0 and _STREAM.fullmatch(stream)
            ):
                await self._subscribe(stream, after)
            case {"type": "unsubscribe", "stream": str(stream)}:
                await self.unfollow(stream)
            case {"type": "here", "stream": str(stream), "doing": str(doing)} if _DOING.fullmatch(
                doing
            ):
                await self._here(stream, doing)
            case {"type": "who", "streams": list(streams)} if _are_streams(streams):
                await self._who(streams)
            case _:
                await self.close(NOT_UNDERSTOOD)

    async def look_again(self, _message: dict[str, Any]) -> None:
        """Something about the user changed: see whether the socket may stay."""
        await self._stay_or_go(whole=True)

    async def _subscribe(self, stream: str, after: int) -> None:
        """Follow a stream: join first, then replay, so that nothing falls between."""
        if not await self._look():
            await self.close(SIGNED_OUT)
            return
        decision = await self._authorise(stream)
        if not decision:
            self.tell(type="denied", stream=stream, reason=str(decision.reason))
            return
        await self.follow(stream, after)

    async def may_still_follow(self, stream: str) -> bool:
        """Judge anew somebody who was let in earlier; whoever had a conversation may have it no more."""
        decision = await database_sync_to_async(authorise)(self.actor, stream)
        if not decision:
            await self.unfollow(stream)
            self.tell(type="denied", stream=stream, reason=str(decision.reason))
        return bool(decision)

    # --- Who is there ---------------------------------------------------------------------------

    async def stream_hint(self, message: dict[str, Any]) -> None:
        """Hand on a hint; who is there only to who may see the thing still, without themselves."""
        stream, here = message["stream"], message["hint"].get(HERE)
        if here is not None and stream in self.streams:
            if not await self.may_still_follow(stream):
                return
            message = {**message, "hint": {HERE: self._others(here)}}
        await super().stream_hint(message)

    async def unfollow(self, stream: str) -> None:
        """Hear no more of a stream, and be there no more."""
        await super().unfollow(stream)
        await self._leave(stream)

    async def _here(self, stream: str, doing: str) -> None:
        """The person is there by this tab; judged anew at each beat."""
        if stream not in self.streams or not await self.may_still_follow(stream):
            return
        known = self.here.get(stream)
        since = known[1] if known is not None and known[0] == doing else time.time()
        self.here[stream] = (doing, since)
        people = await database_sync_to_async(presence.beat)(
            stream,
            tab=self.channel_name,
            who=self.actor.uuid,
            name=self.actor.name,
            doing=doing,
            since=since,
        )
        told = [one.as_data() for one in people]
        if known is None or known[0] != doing:
            await self._say(stream, told)
        self.tell(type="hint", stream=stream, hint={HERE: self._others(told)})

    async def _leave(self, stream: str) -> None:
        if self.here.pop(stream, None) is None:
            return
        people = await database_sync_to_async(presence.leave)(stream, self.channel_name)
        await self._say(stream, [one.as_data() for one in people])

    async def _say(self, stream: str, people: list[dict[str, Any]]) -> None:
        """Those who follow the stream hear who is there; without Valkey nobody does."""
        told = {"type": "stream.hint", "stream": stream, "hint": {HERE: people}}
        try:
            await self.channel_layer.group_send(group_of(stream), told)
        except (RedisError, OSError) as error:
            log.warning("Nobody was told who is there: %s", type(error).__name__)

    async def _who(self, streams: list[str]) -> None:
        """Who is at each of the things of a list."""
        found = await database_sync_to_async(presence.seen)(self.actor, streams)
        here = {stream: [one.as_data() for one in people] for stream, people in found.items()}
        self.tell(type="who", asked=streams, here=here)

    def _others(self, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = str(self.actor.uuid)
        return [one for one in people if one["who"] != own]

    async def _authorise(self, stream: str) -> Decision:
        if stream not in self.streams and len(self.streams) >= MAX_STREAMS:
            return Decision(False, _("This page follows too many things at once."))
        decision: Decision = await database_sync_to_async(_authorise)(self.actor, stream)
        return decision

    async def _look(self) -> bool:
        """Whether the session still stands; then `actor` has the rights of this moment."""
        session = SessionStore(self.session_key)
        user = await get_user({"session": session})
        if not self.session_key or not isinstance(user, User):
            return False
        origin = Origin(Door.SOCKET, ip=(self.scope.get("client") or [None])[0])
        standing = await database_sync_to_async(sessions.standing_of)(session, user, origin)
        if standing.state is not State.READY or standing.actor is None:
            return False
        self.user, self.actor = user, standing.actor
        return True

    async def _rights(self) -> object:
        return await database_sync_to_async(selectors.fingerprint)(self.session_key)

    async def _watch(self) -> None:
        """Look for oneself, in case the word was lost."""
        turn = 0
        while True:
            await asyncio.sleep(LOOK_EVERY)
            turn += 1
            await self._stay_or_go(whole=turn % LOOK_WHOLE_EVERY == 0)
            if turn % CATCH_UP_EVERY == 0:
                await self.catch_up()

    async def _stay_or_go(self, *, whole: bool) -> None:
        rights = await self._rights()
        if rights == self.rights and not whole:
            return
        if not await self._look() or self.actor.organisation_id != self.organisation_id:
            await self.close(SIGNED_OUT)
        elif rights != self.rights:
            await self.close(RIGHTS_CHANGED)  # the client comes back and is judged anew


def _are_streams(streams: list[object]) -> bool:
    return len(streams) <= presence.MOST and all(
        isinstance(one, str) and _STREAM.fullmatch(one) for one in streams
    )


def _authorise(actor: Actor, stream: str) -> Decision:
    decision = authorise(actor, stream)
    if not decision:
        log.warning("socket.denied", extra={"actor": str(actor.uuid)})
        record(
            actor,
            "viewed",
            result=Result.REFUSED,
            stream=stream[:120],
            reason=str(decision.reason),
        )
    return decision
