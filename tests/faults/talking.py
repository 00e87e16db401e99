"""A visitor and an employee as their browsers behave: what they say is sent again under its key until it
is taken, and what they follow is followed by number through every break (static/js)."""

import asyncio
import contextlib
import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import aiohttp
from django.test import Client

from channels_app.models import ChannelAccount, Conversation, Message, Offer
from crm.accounts.models import User

PATIENCE_S = 60
AGAIN_S = 0.1
CSRF = "c" * 32


class Lost(Exception):  # noqa: N818 - what the caller says
    """Nobody answered, or answered that it cannot now: it is tried again."""


def until(condition: Callable[[], object], what: str, why: Callable[[], object] = str) -> None:
    """Return once it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: {why()}"
        time.sleep(0.02)


def _ask(
    port: int, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    door = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        door.request(method, path, body, dict(headers))
        response = door.getresponse()
        said = response.read()
    except (OSError, HTTPException) as error:
        raise Lost(type(error).__name__) from error
    finally:
        door.close()
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Lost(response.status)
    return response.status, said


class Follower(threading.Thread, ABC):
    """Follows one stream, and after each break goes on from the last number."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        super().__init__(daemon=True)
        self.address, self.headers = f"http://127.0.0.1:{port}{path}", dict(headers)
        self.heard: list[tuple[int, dict[str, Any]]] = []
        self.seq = self.links = 0
        self.caught_up = threading.Event()
        self.closed_by: list[int | None] = []
        self._over = threading.Event()

    @abstractmethod
    def greeting(self) -> dict[str, Any]:
        """The first frame of each link."""

    def run(self) -> None:
        """Until it is told to stop."""
        asyncio.run(self._follow())

    def stop(self) -> None:
        """Hear no more."""
        self._over.set()
        self.join(timeout=10)

    async def _follow(self) -> None:
        async with aiohttp.ClientSession() as session:
            while not self._over.is_set():
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await self._listen(session)
                self.caught_up.clear()
                await asyncio.sleep(AGAIN_S)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(self.address, headers=self.headers) as socket:
            self.links += 1
            await socket.send_json(self.greeting())
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    frame = await socket.receive(timeout=0.2)
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        self.closed_by.append(socket.close_code)
                        return
                    if not self._take(json.loads(frame.data)):
                        return

    def _take(self, frame: dict[str, Any]) -> bool:
        if frame["type"] in {"denied", "resync"}:
            raise AssertionError(frame)
        if frame["type"] == "caught_up":
            self.caught_up.set()
        if frame["type"] != "event" or frame["seq"] <= self.seq:
            return True
        if frame["seq"] != self.seq + 1:  # a gap: asked for anew
            return False
        self.seq = frame["seq"]
        self.heard.append((frame["seq"], frame["patch"]))
        return True

    def numbers(self) -> list[int]:
        """Of the messages that it was told of, in that order."""
        return [patch["number"] for _seq, patch in self.heard if patch["kind"] == "message"]


class VisitorFollower(Follower):
    """The visitor's own conversation."""

    token = ""

    def greeting(self) -> dict[str, Any]:
        """Who it is, and from where."""
        return {"type": "hello", "token": self.token, "after": self.seq}


class EmployeeFollower(Follower):
    """A conversation as an employee follows it."""

    stream = ""

    def greeting(self) -> dict[str, Any]:
        """What is followed, and from where."""
        return {"type": "subscribe", "stream": self.stream, "after": self.seq}


@dataclass
class Speaker(ABC):
    """Somebody who says one thing after the other, each until it is taken."""

    port: int
    said: list[UUID] = field(default_factory=list)  # keys of what was taken, in order
    tries: int = 0

    def say(self, words: str) -> None:
        """Once, however often it has to be sent."""
        key = uuid4()
        while True:
            self.tries += 1
            with contextlib.suppress(Lost):
                self.send(words, key)
                self.said.append(key)
                return
            time.sleep(AGAIN_S)

    @abstractmethod
    def send(self, words: str, key: UUID) -> None:
        """Send it this once; Lost when nobody knows whether it was taken."""


@dataclass
class Visitor(Speaker):
    """At the other end of the widget."""

    token: str = ""

    def begin(self, account: ChannelAccount) -> Conversation:
        """Through the form of the widget's own frame."""
        _status, page = _ask(self.port, "GET", f"/chat/{account.public_key}/", None, {})
        ticket = re.search(r'data-ticket="([^"]+)"', page.decode())
        assert ticket is not None
        consent = account.consent_texts.get()
        form = {
            "key": str(uuid4()),
            "ticket": ticket[1],
            "text": "Palabra 0",
            "name": "Remedios",
            "reason": "consulta",
            "consent": consent.version,
            "language": "es",
        }
        status, answer = self._post(f"/chat/{account.public_key}/empezar/", form)
        assert status == HTTPStatus.CREATED, answer
        self.token = json.loads(answer)["token"]
        return Conversation.objects.latest("pk")

    def send(self, words: str, key: UUID) -> None:
        """Into the conversation."""
        status, answer = self._post("/chat/conversacion/decir/", {"text": words, "key": str(key)})
        assert status == HTTPStatus.CREATED, answer

    def ask_for_copy(self, address: str) -> None:
        """By e-mail."""
        status, answer = self._post("/chat/conversacion/copia/", {"address": address})
        assert status == HTTPStatus.ACCEPTED, answer

    def follow(self) -> VisitorFollower:
        """By the socket of the widget."""
        follower = VisitorFollower(
            self.port, "/ws/chat/", {"Origin": f"http://127.0.0.1:{self.port}"}
        )
        follower.token = self.token
        follower.start()
        return follower

    def _post(self, path: str, body: object) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return _ask(self.port, "POST", path, json.dumps(body).encode(), headers)


@dataclass
class Employee(Speaker):
    """At the desk."""

    user: User | None = None
    conversation: Conversation | None = None
    cookie: str = ""

    def sign_in(self) -> None:
        """With a session of their own."""
        client = Client()
        assert self.user is not None
        client.force_login(self.user)
        self.cookie = f"sessionid={client.session.session_key}; csrftoken={CSRF}"

    def accept(self, conversation: Conversation) -> None:
        """What rings."""
        offers = Offer.objects.filter(item__conversation=conversation, outcome=None)
        until(offers.exists, "it does not ring")
        self.post(f"/conversaciones/ofertas/{offers.get().uuid}/aceptar/", {})
        self.conversation = conversation

    def send(self, words: str, key: UUID) -> None:
        """An answer."""
        assert self.conversation is not None
        self.post(
            f"/conversaciones/{self.conversation.uuid}/responder/",
            {"text": words, "idempotency_key": str(key)},
        )

    def follow(self) -> EmployeeFollower:
        """By the socket of the console."""
        headers = {"Origin": f"http://127.0.0.1:{self.port}", "Cookie": self.cookie}
        follower = EmployeeFollower(self.port, "/ws/", headers)
        assert self.conversation is not None
        follower.stream = self.conversation.stream
        follower.start()
        return follower

    def post(self, path: str, form: Mapping[str, str]) -> None:
        """A form of the console; it leads to another page when it was carried out."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": self.cookie,
            "X-CSRFToken": CSRF,
        }
        status, answer = _ask(self.port, "POST", path, urlencode(form).encode(), headers)
        assert status == HTTPStatus.FOUND, (status, answer[-2000:])


@contextlib.contextmanager
def speaking(speaker: Speaker, words: list[str]) -> Iterator[None]:
    """Meanwhile all of it is said, and at the end it has been."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            for one in words:
                speaker.say(one)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(timeout=PATIENCE_S)
    assert not failed, failed
    assert not thread.is_alive(), f"{len(speaker.said)} of {len(words)} were taken"


def keys_of(conversation: Conversation, direction: str) -> list[UUID | None]:
    """Whose messages stand in the database, in their order."""
    rows = Message.objects.filter(conversation=conversation, direction=direction)
    return list(rows.order_by("number").values_list("client_key", flat=True))
