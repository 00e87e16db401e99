"""The visitor's socket: what opens it, what it replays, what it never tells, what closes it."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.utils import timezone

from channels_app import consumers, services
from channels_app.models import ChannelAccount, Conversation, Offer, Presence
from channels_app.services import visiting
from crm.accounts import consumers as live
from crm.accounts.models import Membership
from crm.asgi import application
from crm.kit import realtime, sockets
from crm.kit.actor import Actor
from crm.kit.models import StreamHead
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.security.test_sockets import closing_code, open_socket, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(world: World) -> ChannelAccount:
    return make_account(make_queue(world.unit))


async def visit(token: str, after: int = 0, origin: bytes = b"http://localhost") -> Any:
    communicator = WebsocketCommunicator(
        application, "/ws/chat/", headers=[(b"host", b"localhost"), (b"origin", origin)]
    )
    connected, _protocol = await communicator.connect()
    if connected:
        await communicator.send_json_to({"type": "hello", "token": token, "after": after})
    return communicator if connected else None


async def heard(communicator: Any, until: str) -> list[dict[str, Any]]:
    """Frames up to and with the first of this type."""
    frames = []
    while True:
        frame = await communicator.receive_json_from(timeout=5)
        frames.append(frame)
        if frame["type"] == until:
            return frames


async def test_what_was_missed_is_told_again_in_order(account: ChannelAccount) -> None:
    row, token = await database_sync_to_async(begin)(account)
    for n in range(3):
        await database_sync_to_async(visiting.say)(row, f"Mensaje {n}", key=uuid4())
    communicator = await visit(token, after=1)
    frames = await heard(communicator, "caught_up")
    assert [f["seq"] for f in frames] == [2, 3, 3]
    assert [f["patch"]["number"] for f in frames[:-1]] == [3, 4]
    await database_sync_to_async(visiting.say)(row, "En vivo", key=uuid4())
    event = (await heard(communicator, "event"))[-1]
    assert (event["seq"], event["patch"]) == (4, {"kind": "message", "number": 5})
    await communicator.disconnect()


async def test_what_was_announced_to_nobody_is_told_all_the_same(
    account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Valkey was away sockets stayed open and deaf, until somebody spoke again."""
    monkeypatch.setattr(consumers, "INTRODUCE_WITHIN", 0.1)
    monkeypatch.setattr(consumers, "LOOK_EVERY", 0.1)
    row, token = await database_sync_to_async(begin)(account)
    seq = await database_sync_to_async(_seq)(row)
    communicator = await visit(token, after=seq)
    await heard(communicator, "caught_up")
    monkeypatch.setattr(realtime, "announce", lambda *_told: None)
    for n in range(2):
        await database_sync_to_async(visiting.say)(row, f"Al vacío {n}", key=uuid4())
    first = (await heard(communicator, "event"))[-1]
    second = (await heard(communicator, "event"))[-1]
    assert [first["seq"], second["seq"]] == [seq + 1, seq + 2]
    await communicator.disconnect()


async def test_who_can_no_longer_be_watched_is_let_go(
    account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that died with a connection to the database left its socket open for ever."""
    monkeypatch.setattr(consumers, "INTRODUCE_WITHIN", 0.1)
    monkeypatch.setattr(consumers, "LOOK_EVERY", 0.1)
    _row, token = await database_sync_to_async(begin)(account)
    communicator = await visit(token)
    await heard(communicator, "caught_up")

    def away(_token: str) -> None:
        raise OperationalError

    monkeypatch.setattr(consumers, "_standing", away)
    assert await closing_code(communicator) == sockets.BROKEN_OFF


async def test_state_and_events_from_there_make_the_whole(account: ChannelAccount) -> None:
    """The state before with the events since names every message of the state after."""
    row, _token = await database_sync_to_async(begin)(account)
    before = await database_sync_to_async(_numbers)(row)
    seq = await database_sync_to_async(_seq)(row)
    for n in range(5):
        await database_sync_to_async(visiting.say)(row, f"Mensaje {n}", key=uuid4())
    patches = await database_sync_to_async(realtime.replay)(row.visitor_stream, seq)
    assert patches is not None
    since = [p.patch["number"] for p in patches if p.patch["kind"] == "message"]
    assert before + since == await database_sync_to_async(_numbers)(row)


def _numbers(row: Conversation) -> list[int]:
    return list(row.messages.order_by("number").values_list("number", flat=True))


def _seq(row: Conversation) -> int:
    return (
        StreamHead.objects.filter(pk=row.visitor_stream).values_list("seq", flat=True).first() or 0
    )


async def test_notes_for_colleagues_are_not_even_hinted_at(
    world: World, account: ChannelAccount
) -> None:
    row, token = await database_sync_to_async(begin)(account)
    alice = await database_sync_to_async(_attends)(world, account, row)
    communicator = await visit(token, after=await database_sync_to_async(_seq)(row))
    await heard(communicator, "caught_up")
    await database_sync_to_async(services.add_note)(alice, row.uuid, "Entre nosotros")
    assert await communicator.receive_nothing(timeout=0.5)
    await communicator.disconnect()


def _attends(world: World, account: ChannelAccount, row: Conversation) -> Any:
    assert account.queue is not None
    make_agent(world.alice, account.queue)
    alice = acting(world.alice)
    services.take(alice, row.uuid)
    return alice


async def test_a_token_that_no_bytes_are_is_not_understood(account: ChannelAccount) -> None:
    """Bug: a lone surrogate in it broke the socket off as a fault of ours."""
    communicator = await visit("\ud800")
    assert await closing_code(communicator) == sockets.NOT_UNDERSTOOD


@pytest.mark.parametrize("token", ["", "x", "unsigned"])
async def test_without_a_token_of_its_own_nobody_listens(
    account: ChannelAccount, token: str
) -> None:
    row, good = await database_sync_to_async(begin)(account)
    wrong = {"unsigned": str(row.uuid)}.get(token, token)
    communicator = await visit(wrong or good[:-2])
    assert await closing_code(communicator) == consumers.GONE


async def test_a_visitor_hears_nothing_of_another(account: ChannelAccount) -> None:
    _mine, token = await database_sync_to_async(begin)(account)
    theirs, _other = await database_sync_to_async(begin)(account)
    communicator = await visit(token)
    await heard(communicator, "caught_up")
    while not await communicator.receive_nothing(timeout=0.2):
        await communicator.receive_json_from()  # its own place in the queue
    await database_sync_to_async(visiting.say)(theirs, "Ajeno", key=uuid4())
    assert await communicator.receive_nothing(timeout=0.5)
    await communicator.disconnect()


async def test_a_foreign_page_opens_no_socket(account: ChannelAccount) -> None:
    _row, token = await database_sync_to_async(begin)(account)
    assert await visit(token, origin=b"https://www.example.org") is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", sockets.NOT_UNDERSTOOD),
        ('{"type": "subscribe", "stream": "conversation:1", "after": 0}', sockets.NOT_UNDERSTOOD),
        ('{"type": "hello", "token": "x", "after": -1}', sockets.NOT_UNDERSTOOD),
        ("x" * 5000, sockets.NOT_UNDERSTOOD),
    ],
    ids=["no json", "another stream", "a number that is none", "too long"],
)
async def test_what_is_not_understood_closes_it(
    account: ChannelAccount, frame: str, code: int
) -> None:
    _row, token = await database_sync_to_async(begin)(account)
    communicator = await visit(token)
    await heard(communicator, "caught_up")
    await communicator.send_to(text_data=frame)
    assert await closing_code(communicator) == code


async def test_it_closes_when_its_account_goes(
    account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "INTRODUCE_WITHIN", 0.2)
    _row, token = await database_sync_to_async(begin)(account)
    communicator = await visit(token)
    await heard(communicator, "caught_up")
    await database_sync_to_async(ChannelAccount.objects.update)(is_active=False)
    assert await closing_code(communicator) == consumers.GONE


async def test_typing_is_seen_by_who_attends_and_kept_nowhere(
    world: World, account: ChannelAccount
) -> None:
    row, token = await database_sync_to_async(begin)(account)
    await database_sync_to_async(_attends)(world, account, row)
    employee = await open_socket(world.alice)
    first = await subscribe(employee, row.stream)
    while first["type"] != "caught_up":
        first = await employee.receive_json_from(timeout=3)
    seq = await database_sync_to_async(_seq)(row)
    visitor = await visit(token, after=seq)
    await heard(visitor, "caught_up")
    await visitor.send_json_to({"type": "typing"})
    hint = (await heard(employee, "hint"))[-1]
    assert hint == {"type": "hint", "stream": row.stream, "hint": {"typing": "citizen"}}
    assert await database_sync_to_async(_seq)(row) == seq
    await asyncio.gather(visitor.disconnect(), employee.disconnect())


async def test_strangers_may_not_follow_a_conversation_or_a_desk(
    world: World, account: ChannelAccount
) -> None:
    row, _token = await database_sync_to_async(begin)(account)
    for user in (world.bob, world.charlie):  # another unit, another organisation
        communicator = await open_socket(user)
        assert (await subscribe(communicator, row.stream))["type"] == "denied"
        own = f"desk:{world.here.pk}.{world.alice.pk}"
        assert (await subscribe(communicator, own))["type"] == "denied"
        assert (await subscribe(communicator, row.visitor_stream))["type"] == "denied"
        await communicator.disconnect()


@pytest.mark.parametrize("announced", [True, False], ids=["told", "not told"])
async def test_who_had_to_give_it_away_hears_no_more(
    world: World, account: ChannelAccount, announced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob attends what is out of his unit's reach; once it is another's, his open socket followed on."""
    monkeypatch.setattr(live, "LOOK_EVERY", 0.1)
    row, boss = await database_sync_to_async(_bob_attends)(world, account)
    communicator = await open_socket(world.bob)
    stream, seq = row.stream, (await database_sync_to_async(_head)(row))
    await subscribe(communicator, stream, seq)
    if not announced:
        monkeypatch.setattr(realtime, "announce", lambda *_told: None)
    await database_sync_to_async(_give_to_alice)(world, row, boss)
    told = await heard(communicator, "denied")
    assert [frame["type"] for frame in told] == (["event"] if announced else []) + ["denied"]
    await database_sync_to_async(visiting.say)(row, "Solo para Alice", key=uuid4())
    assert await communicator.receive_nothing(timeout=0.5)
    await communicator.disconnect()


def _bob_attends(world: World, account: ChannelAccount) -> Any:
    assert account.queue is not None
    make_agent(world.bob, account.queue)
    row, _token = begin(account)
    offer = Offer.objects.get(item__conversation=row)
    services.accept(acting(world.bob), offer.uuid)
    return row, acting(employee(world.here, "supervisor"))


def _head(row: Conversation) -> int:
    return StreamHead.objects.get(pk=row.stream).seq


def _give_to_alice(world: World, row: Conversation, boss: Actor) -> None:
    assert row.queue is not None
    slot = make_agent(world.alice, row.queue, state=Presence.BUSY)
    services.reassign(boss, row.uuid, agent=slot.uuid, note="Alice sigue.")


async def test_a_suspended_employee_hears_no_more(world: World, account: ChannelAccount) -> None:
    row, _token = await database_sync_to_async(begin)(account)
    communicator = await open_socket(world.alice)
    await subscribe(communicator, row.stream)
    await database_sync_to_async(_suspend)(world)
    assert await closing_code(communicator) in (4401, 4205)


def _suspend(world: World) -> None:
    Membership.objects.filter(user=world.alice).update(suspended_at=timezone.now())
