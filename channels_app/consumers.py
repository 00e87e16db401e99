"""The WebSocket of a visitor: the one conversation that their token opens, followed by number.

The token comes in the first frame, never in the address, which is written into logs. The socket closes
within five seconds of whatever takes away the right to it.
"""

import asyncio

from channels.db import database_sync_to_async

from channels_app.models import Conversation, State
from channels_app.services import visiting
from crm.kit.realtime import group_of
from crm.kit.sockets import NOT_UNDERSTOOD, TOO_FAST, StreamSocket, parse

GONE, NOT_INTRODUCED = 4401, 4408
INTRODUCE_WITHIN = 10.0  # seconds
LOOK_EVERY = 3.0


class VisitorConsumer(StreamSocket):
    """A visitor's live conversation."""

    token: str = ""
    conversation: Conversation | None = None
    position: int | None = None

    async def connect(self) -> None:
        """Let in anybody; who does not introduce themselves soon is let go."""
        self.prepare()
        await self.accept()  # a code can only be told on an open socket
        self.tasks = [
            asyncio.create_task(self.deliver()),
            asyncio.create_task(self.keep(self._watch())),
        ]

    async def disconnect(self, code: int) -> None:
        """Leave the stream and stop the tasks."""
        await self.stop()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Understand one frame of the client; what is not one of ours closes the socket."""
        if not self.within_rate():
            await self.close(TOO_FAST)
            return
        frame = parse(text_data)
        match frame:
            case {"type": "hello", "token": str(token), "after": int(after)} if (
                after >= 0 and token.isascii() and self.conversation is None
            ):
                await self._enter(token, after)
            case {"type": "ping"} if self.conversation:
                self.tell(type="pong")
            case {"type": "typing"} if self.conversation:
                await self._types()
            case _:
                await self.close(NOT_UNDERSTOOD)

    async def _enter(self, token: str, after: int) -> None:
        conversation = await database_sync_to_async(visiting.conversation_of)(token)
        if conversation is None:
            await self.close(GONE)
            return
        self.token, self.conversation = token, conversation
        await self.follow(conversation.visitor_stream, after)
        await self._look()

    async def _types(self) -> None:
        """Who attends sees that the visitor is writing; it is kept nowhere."""
        assert self.conversation is not None
        stream = self.conversation.stream
        told = {"type": "stream.hint", "stream": stream, "hint": {"typing": "citizen"}}
        await self.channel_layer.group_send(group_of(stream), told)

    async def _watch(self) -> None:
        """Look for oneself whether the token still opens the conversation, and how the queue moves."""
        await asyncio.sleep(INTRODUCE_WITHIN)
        if self.conversation is None:
            await self.close(NOT_INTRODUCED)
            return
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if not await self._look():
                return
            await self.catch_up()

    async def _look(self) -> bool:
        found, position = await database_sync_to_async(_standing)(self.token)
        if found is None:
            await self.close(GONE)
            return False
        if position != self.position:
            self.position = position
            self.tell(type="queue", position=position)
        return True


def _standing(token: str) -> tuple[Conversation | None, int | None]:
    """The conversation of the token with the visitor's place in the queue; their page is heard."""
    conversation = visiting.conversation_of(token)
    if conversation is None:
        return None, None
    visiting.heard(conversation)
    waits = conversation.state == State.WAITING
    return conversation, visiting.position(conversation) if waits else None
