"""Who is at a case: seen by who may see the case, once each, gone with the tab, and kept nowhere."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from cases import services
from cases.models import Case, Confidentiality
from crm.kit import presence
from crm.kit.models import StreamEvent
from crm.kit.valkey import client as valkey
from tests.api.conftest import key_for
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.house.test_without_valkey import without_valkey  # noqa: F401 - a fixture
from tests.security.test_sockets import open_socket, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_anywhere() -> Iterator[None]:
    yield
    for key in valkey().keys("here:*"):
        valkey().delete(key)


def stream_of(case: Case) -> str:
    return f"case:{case.uuid}"


async def come(user: Any, case: Case, doing: str = "") -> WebsocketCommunicator:
    """The user has the case open; the socket has told who else is there."""
    socket = await open_socket(user)
    told = await subscribe(socket, stream_of(case))
    if told["type"] == "resync" or told["type"] == "event":
        await rest(socket)
    await do(socket, case, doing)
    return socket


async def do(socket: WebsocketCommunicator, case: Case, doing: str) -> None:
    await socket.send_json_to({"type": "here", "stream": stream_of(case), "doing": doing})


async def rest(socket: WebsocketCommunicator) -> list[Any]:
    """What it has to say until it falls silent."""
    told = []
    while not await socket.receive_nothing(0.3, 0.02):
        told.append(await socket.receive_json_from(timeout=1))
    return told


async def people(socket: WebsocketCommunicator) -> list[tuple[str, str]] | None:
    """Who is there as the socket said last; None: it said nothing of it."""
    hints = [one["hint"]["here"] for one in await rest(socket) if one["type"] == "hint"]
    return [(one["name"], one["doing"]) for one in hints[-1]] if hints else None


async def test_two_see_each_other_and_what_they_do_and_nobody_themselves(world: World) -> None:
    case = await database_sync_to_async(CaseFactory)(unit=world.unit)
    ana_user = await database_sync_to_async(employee)(
        world.here, "agent", unit=world.unit, full_name="Ana Gil"
    )
    alice, ana = await come(world.alice, case), await come(ana_user, case)
    assert await people(alice) == [("Ana Gil", "")]
    assert await people(ana) == [("Alice Arias", "")]
    await do(ana, case, "reply")
    assert await people(alice) == [("Ana Gil", "reply")]
    second = await come(ana_user, case)  # another tab of hers, in which she only looks
    assert await people(alice) == [("Ana Gil", "reply")]
    assert await people(second) == [("Alice Arias", "")]
    await ana.disconnect()
    assert await people(alice) == [("Ana Gil", "")]
    await second.disconnect()
    assert await people(alice) == []
    assert not await database_sync_to_async(
        StreamEvent.objects.filter(patch__has_key="here").exists
    )()
    await alice.disconnect()
    assert presence.at([stream_of(case)]) == {}


async def test_a_stranger_neither_hears_nor_is_heard(world: World) -> None:
    case = await database_sync_to_async(CaseFactory)(unit=world.unit)
    alice = await come(world.alice, case, "note")
    for stranger in (world.bob, world.charlie):
        socket = await open_socket(stranger)
        assert (await subscribe(socket, stream_of(case)))["type"] == "denied"
        await do(socket, case, "reply")
        await socket.send_json_to({"type": "who", "streams": [stream_of(case)]})
        told = await rest(socket)
        assert [one["here"] for one in told] == [{}]
        await socket.disconnect()
    assert await people(alice) == []
    await alice.disconnect()


async def test_who_loses_the_right_is_gone_and_hears_no_more(world: World) -> None:
    case = await database_sync_to_async(CaseFactory)(unit=world.unit)
    boss = await database_sync_to_async(employee)(world.here, "supervisor", full_name="Sofía Sanz")
    alice, sofia = await come(world.alice, case, "reply"), await come(boss, case)
    assert await people(sofia) == [("Alice Arias", "reply")]
    await rest(alice)
    await database_sync_to_async(services.change_confidentiality)(
        await database_sync_to_async(acting)(boss),
        case.uuid,
        Confidentiality.SPECIAL,
        reason="Víctima",
    )
    await rest(alice), await rest(sofia)
    await do(sofia, case, "note")
    told = await rest(alice)
    assert [one for one in told if one["type"] == "hint"] == []
    await do(alice, case, "reply")
    assert await people(sofia) == []
    await alice.disconnect(), await sofia.disconnect()


async def test_the_rows_of_a_list_ask_together_and_are_told_what_they_may_see(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs, empty = [
        await database_sync_to_async(CaseFactory)(unit=unit)
        for unit in (world.unit, world.other_unit, world.unit)
    ]
    boss = await database_sync_to_async(employee)(world.here, "supervisor", full_name="Sofía Sanz")
    there = [await come(boss, mine, "data"), await come(world.bob, theirs, "note")]
    for socket in there:
        await rest(socket)
    calls = []
    monkeypatch.setattr(presence, "client", lambda: (calls.append(1), valkey())[1])
    alice = await open_socket(world.alice)
    streams = [stream_of(case) for case in (mine, theirs, empty)] + ["case:none", "desk:1.1"]
    await alice.send_json_to({"type": "who", "streams": streams})
    told = await alice.receive_json_from(timeout=3)
    assert (told["type"], told["asked"]) == ("who", streams)
    assert {key: [one["name"] for one in found] for key, found in told["here"].items()} == {
        stream_of(mine): ["Sofía Sanz"]
    }
    assert told["here"][stream_of(mine)][0]["doing"] == "data"
    assert len(calls) == 1
    for socket in (*there, alice):
        await socket.disconnect()


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "here", "stream": "case:1", "doing": "DROP TABLE"},
        {"type": "here", "stream": "case:1"},
        {"type": "who", "streams": ["a b"]},
        {"type": "who", "streams": [1]},
        {"type": "who", "streams": ["case:1"] * 51},
    ],
)
async def test_what_is_not_understood_closes(world: World, frame: Any) -> None:
    alice = await open_socket(world.alice)
    await alice.send_json_to(frame)
    message = await alice.receive_output(timeout=3)
    assert (message["type"], message["code"]) == ("websocket.close", 4400)


def beat(case: Case, who: Any, tab: str, doing: str = "", since: float = 0) -> list[Any]:
    return presence.beat(
        stream_of(case), tab=tab, who=who.uuid, name=who.full_name, doing=doing, since=since
    )


def test_who_falls_silent_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case, now = CaseFactory(unit=world.unit), time.time()
    beat(case, world.alice, "one", "reply", now - 125)
    (one,) = presence.at([stream_of(case)])[stream_of(case)]
    assert (one.name, one.doing, one.seconds) == ("Alice Arias", "reply", 125)
    assert 0 < valkey().ttl(f"here:{stream_of(case)}") <= presence.KEPT
    monkeypatch.setattr(presence.time, "time", lambda: now + presence.KEPT + 1)
    assert presence.at([stream_of(case)]) == {}
    beat(case, world.bob, "two", "", now)
    (other,) = presence.at([stream_of(case)])[stream_of(case)]
    assert other.name == "Bob Bueno"


def test_by_api_who_may_see_the_case_reads_who_is_there(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    beat(case, world.alice, "one", "note", time.time() - 3)
    here = Client(headers={"Authorization": f"Bearer {key_for(world.here, 'cases.view_case')}"})
    told = here.get(f"/api/v1/cases/{case.uuid}/presence/").json()
    assert told == {
        "people": [
            {"person": str(world.alice.uuid), "name": "Alice Arias", "doing": "note", "seconds": 3}
        ]
    }
    elsewhere = key_for(world.elsewhere, "cases.view_case")
    there = Client(headers={"Authorization": f"Bearer {elsewhere}"})
    assert there.get(f"/api/v1/cases/{case.uuid}/presence/").status_code == 404


@pytest.mark.usefixtures("without_valkey")
def test_without_valkey_nobody_is_seen_and_nothing_breaks(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    assert beat(case, world.alice, "one") == []
    assert presence.leave(stream_of(case), "one") == []
    assert presence.seen(world.actor(world.alice), [stream_of(case)]) == {}
    client = Client()
    client.force_login(world.alice)
    assert client.get(f"/casos/{case.uuid}/").status_code == 200
