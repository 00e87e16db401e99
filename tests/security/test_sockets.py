"""The live socket: who may open it, what it hands out, and what closes it within five seconds."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from crm.accounts import consumers
from crm.accounts.models import Membership, Role, User
from crm.accounts.services import people, profile, roles
from crm.asgi import application
from crm.audit.models import AuditEntry
from crm.kit import realtime, sockets
from crm.kit.actor import Actor
from crm.kit.models import StreamEvent
from crm.kit.policy import ALLOWED, Decision
from tests.conftest import World
from tests.factories.accounts import acting, employee

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = b"http://localhost"
SOON = 5.0  # seconds: the promise


@pytest.fixture(autouse=True)
def _test_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of stream that is open to whoever sees the cases of the unit it names."""

    def judge(actor: Actor, key: str) -> Decision:
        covered = actor.reach("cases.view_case").covers(int(key)) if key.isdigit() else False
        return ALLOWED if covered else Decision(False, "Not in its unit.")

    monkeypatch.setitem(realtime.streams._entries, "test", judge)


def cookie_of(user: User) -> bytes:
    """The session cookie of somebody who has just signed in."""
    client = Client()
    client.force_login(user)
    return f"sessionid={client.session.session_key}".encode()


def socket(cookie: bytes | None, origin: bytes | None = ORIGIN) -> WebsocketCommunicator:
    """A browser's socket."""
    headers = [(b"host", b"localhost")]
    headers += [(b"origin", origin)] if origin else []
    headers += [(b"cookie", cookie)] if cookie else []
    return WebsocketCommunicator(application, "/ws/", headers=headers)


async def open_socket(user: User) -> WebsocketCommunicator:
    """A socket of somebody who may have one."""
    communicator = socket(await database_sync_to_async(cookie_of)(user))
    connected, _protocol = await communicator.connect()
    assert connected
    return communicator


async def subscribe(communicator: WebsocketCommunicator, stream: str, after: int = 0) -> Any:
    """The answer to a subscription."""
    await communicator.send_json_to({"type": "subscribe", "stream": stream, "after": after})
    return await communicator.receive_json_from(timeout=3)


async def closing_code(communicator: WebsocketCommunicator, within: float = SOON) -> int:
    """The code by which the server closes, in time."""
    until = time.monotonic() + within
    while (left := until - time.monotonic()) > 0:
        message = await communicator.receive_output(timeout=left)
        if message["type"] == "websocket.close":
            code = message["code"]
            assert isinstance(code, int)
            return code
    raise AssertionError("still open")


def append(stream: str, **patch: Any) -> None:
    """One more patch of a stream."""
    with transaction.atomic():
        realtime.append(stream, patch)


async def test_without_a_session_it_closes_as_signed_out(world: World) -> None:
    for cookie in [None, b"sessionid=0123456789abcdef0123456789abcdef"]:
        communicator = socket(cookie)
        await communicator.connect()
        assert await closing_code(communicator) == 4401


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", None])
async def test_a_foreign_page_opens_none(world: World, origin: bytes | None) -> None:
    cookie = await database_sync_to_async(cookie_of)(world.alice)
    connected, _code = await socket(cookie, origin).connect()
    assert not connected


async def test_a_locked_session_opens_none(world: World) -> None:
    def locked() -> bytes:
        client = Client()
        client.force_login(world.alice)
        client.post("/bloqueo/")
        return f"sessionid={client.session.session_key}".encode()

    communicator = socket(await database_sync_to_async(locked)())
    await communicator.connect()
    assert await closing_code(communicator) == 4401


async def test_a_session_without_the_second_factor_opens_none(world: World) -> None:
    def demanding() -> bytes:
        world.here.options = {"second_factor": True}
        world.here.save()
        return cookie_of(world.alice)

    communicator = socket(await database_sync_to_async(demanding)())
    await communicator.connect()
    assert await closing_code(communicator) == 4401


async def test_patches_arrive_in_order_and_once(world: World) -> None:
    stream = f"test:{world.unit.pk}"
    alice = await open_socket(world.alice)
    assert await subscribe(alice, stream) == {"type": "caught_up", "stream": stream, "seq": 0}
    for number in range(3):
        await database_sync_to_async(append)(stream, number=number)
    got = [await alice.receive_json_from(timeout=3) for _ in range(3)]
    assert [(one["seq"], one["patch"]) for one in got] == [
        (1, {"number": 0}),
        (2, {"number": 1}),
        (3, {"number": 2}),
    ]
    assert await alice.receive_nothing(0.2)
    await alice.disconnect()


async def test_what_was_missed_is_replayed(world: World) -> None:
    stream = f"test:{world.unit.pk}"
    for number in range(4):
        await database_sync_to_async(append)(stream, number=number)
    alice = await open_socket(world.alice)
    first = await subscribe(alice, stream, after=2)
    rest = [await alice.receive_json_from(timeout=3) for _ in range(2)]
    assert [one["type"] for one in [first, *rest]] == ["event", "event", "caught_up"]
    assert [one["seq"] for one in [first, *rest]] == [3, 4, 4]
    await alice.disconnect()


async def test_who_missed_too_much_starts_afresh(world: World) -> None:
    stream = f"test:{world.unit.pk}"
    for number in range(3):
        await database_sync_to_async(append)(stream, number=number)
    await database_sync_to_async(StreamEvent.objects.filter(stream=stream, seq=1).delete)()
    alice = await open_socket(world.alice)
    assert await subscribe(alice, stream) == {"type": "resync", "stream": stream, "seq": 3}
    await database_sync_to_async(StreamEvent.objects.filter(stream=stream).delete)()
    assert (await subscribe(alice, stream, after=2))["type"] == "resync"
    assert (await subscribe(alice, stream, after=9))["type"] == "resync"
    assert (await subscribe(alice, stream, after=3))["type"] == "caught_up"
    await alice.disconnect()


@pytest.mark.parametrize(
    "stream", ["test:{other}", "test:{foreign}", "unknown:1", "test", "stream.x"]
)
async def test_a_foreign_stream_is_denied_with_a_reason_and_audited(
    world: World, stream: str
) -> None:
    stream = stream.format(other=world.other_unit.pk, foreign=world.foreign_unit.pk)
    alice = await open_socket(world.alice)
    answer = await subscribe(alice, stream)
    assert (answer["type"], answer["stream"]) == ("denied", stream)
    await database_sync_to_async(append)(stream, secret=True)
    assert await alice.receive_nothing(0.3)
    entry = await AuditEntry.objects.aget(actor_id=world.alice.pk, result="refused")
    assert (entry.action, entry.door, entry.data["stream"]) == ("viewed", "socket", stream)
    await alice.disconnect()


async def test_after_leaving_a_stream_nothing_more_comes(world: World) -> None:
    stream = f"test:{world.unit.pk}"
    alice = await open_socket(world.alice)
    await subscribe(alice, stream)
    await alice.send_json_to({"type": "unsubscribe", "stream": stream})
    await alice.send_json_to({"type": "ping"})
    assert await alice.receive_json_from() == {"type": "pong"}
    await database_sync_to_async(append)(stream, number=1)
    assert await alice.receive_nothing(0.3)
    await alice.disconnect()


# --- What closes it -------------------------------------------------------------------------------


def suspend(world: World) -> None:
    people.suspend(acting(employee(world.here, "administrator")), world.alice.uuid, reason="leave")


def sign_out(world: World) -> None:
    client = Client()
    client.cookies["sessionid"] = Session.objects.get().pk
    client.post("/salir/")


def end_from_elsewhere(world: World) -> None:
    profile.end_other_sessions(world.alice, "none", acting(world.alice).origin)


def leave(world: World) -> None:
    people.end_membership(acting(employee(world.here, "administrator")), world.alice.uuid)


def switch(world: World) -> None:
    Membership.objects.create(organisation=world.elsewhere, user=world.alice)
    profile.switch_organisation(acting(world.alice, world.here), world.alice, "ELSE")


def lock(world: World) -> None:
    client = Client()
    client.cookies["sessionid"] = Session.objects.get().pk
    client.post("/bloqueo/")


def take_role(world: World) -> None:
    admin = acting(employee(world.here, "administrator"))
    role = Role.objects.get(organisation=world.here, code="agent")
    roles.take_role(admin, world.alice, role, world.unit)


def shrink_role(world: World) -> None:
    admin = acting(employee(world.here, "administrator"))
    roles.change_role(admin, Role.objects.get(organisation=world.here, code="agent"), {})


CHANGES: list[tuple[Callable[[World], None], int]] = [
    (suspend, 4401),
    (sign_out, 4401),
    (end_from_elsewhere, 4401),
    (leave, 4401),
    (switch, 4401),
    (lock, 4401),
    (take_role, 4205),
    (shrink_role, 4205),
]


# a lock changes no row that the small look reads: only the word, or the page itself, closes it
CASES = [(*one, told) for one in CHANGES for told in (True, False) if told or one[0] is not lock]


@pytest.mark.parametrize(
    ("change", "code", "told"),
    CASES,
    ids=[
        f"{change.__name__}-{'told' if told else 'the word is lost'}" for change, _c, told in CASES
    ],
)
async def test_losing_the_right_closes_it_in_time(
    world: World,
    change: Callable[[World], None],
    code: int,
    told: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not told:  # the real pace is that of the raw SQL below
        monkeypatch.setattr(consumers, "LOOK_EVERY", 0.2)
    alice = await open_socket(world.alice)
    bob = await open_socket(world.bob)
    if change is sign_out or change is lock:
        await database_sync_to_async(Session.objects.filter(usersession__user=world.bob).delete)()
    if not told:
        monkeypatch.setattr("crm.accounts.sessions.tell_group", lambda *_args: None)
    await database_sync_to_async(change)(world)
    assert await closing_code(alice) == code
    if change not in (sign_out, lock, shrink_role):
        await bob.send_json_to({"type": "ping"})
        assert await bob.receive_json_from() == {"type": "pong"}
        await bob.disconnect()


async def test_raw_sql_that_takes_the_role_away_closes_it_too(world: World) -> None:
    alice = await open_socket(world.alice)
    await subscribe(alice, f"test:{world.unit.pk}")
    group = await Group.objects.aget(user=world.alice)
    await database_sync_to_async(group.user_set.clear)()
    assert await closing_code(alice) == 4205


# --- What clients may not do ----------------------------------------------------------------------

BAD: list[tuple[str, dict[str, Any]]] = [
    ("not json", {"text_data": "{"}),
    ("binary", {"bytes_data": b"\x00\x01"}),
    ("no object", {"text_data": "[1]"}),
    ("unknown type", {"text_data": '{"type": "eval"}'}),
    ("stream is no text", {"text_data": '{"type": "subscribe", "stream": 1, "after": 0}'}),
    ("after is negative", {"text_data": '{"type": "subscribe", "stream": "a:1", "after": -1}'}),
    ("after is text", {"text_data": '{"type": "subscribe", "stream": "a:1", "after": "0"}'}),
    ("a NUL", {"text_data": r'{"type": "subscribe", "stream": "a:\u0000", "after": 0}'}),
    ("half", {"text_data": r'{"type": "subscribe", "stream": "a:\ud800", "after": 0}'}),
    ("too long", {"text_data": json.dumps({"type": "ping", "x": "y" * 5000})}),
    ("deep", {"text_data": "[" * 4000}),
]


@pytest.mark.parametrize(
    "frame", [frame for _name, frame in BAD], ids=[name for name, _frame in BAD]
)
async def test_a_malformed_frame_closes_this_socket_and_no_other(
    world: World, frame: dict[str, Any]
) -> None:
    alice, bob = await open_socket(world.alice), await open_socket(world.bob)
    await alice.send_to(**frame)
    assert await closing_code(alice) == 4400
    await bob.send_json_to({"type": "ping"})
    assert await bob.receive_json_from() == {"type": "pong"}
    await bob.disconnect()


async def test_a_flood_closes_it(world: World) -> None:
    alice = await open_socket(world.alice)
    for _ in range(sockets.BURST + 40):
        await alice.send_json_to({"type": "ping"})
    assert await closing_code(alice) == 4429


async def test_a_client_that_takes_nothing_is_let_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = f"test:{world.unit.pk}"
    alice = await open_socket(world.alice)
    await subscribe(alice, stream)
    monkeypatch.setattr(sockets, "MAX_WAITING", 500)

    async def never(*_args: Any, **_kwargs: Any) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(consumers.LiveConsumer, "send", _but_close(never))
    layer_message = {"type": "stream.event", "stream": stream, "patch": {}}
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    for seq in range(sockets.MAX_WAITING + 200):
        await layer.group_send(realtime.group_of(stream), {**layer_message, "seq": seq + 1})
        if seq % 50 == 0:
            await asyncio.sleep(0.05)
    assert await closing_code(alice) == 4408


def _but_close(never: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """A connection that takes no frame, but closes."""
    original = consumers.LiveConsumer.send

    async def send(
        self: consumers.LiveConsumer,
        text_data: str | None = None,
        bytes_data: bytes | None = None,
        close: bool = False,
    ) -> None:
        if close:
            await original(self, close=True)
        else:
            await never()

    return send


async def test_one_socket_follows_a_limited_number_of_streams(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MAX_STREAMS", 1)
    alice = await open_socket(world.alice)
    assert (await subscribe(alice, f"test:{world.unit.pk}"))["type"] == "caught_up"
    assert (await subscribe(alice, "test:2"))["type"] == "denied"
    await alice.disconnect()


def test_the_settings_take_no_foreign_host() -> None:
    assert "*" not in settings.ALLOWED_HOSTS
