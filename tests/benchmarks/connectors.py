"""A citizen's page while another system that it asks hangs, next to the same page that asks nobody."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm.citizens.models import Citizen, Identifier
from crm.integrations.models import Connection
from tests.benchmarks import world
from tests.benchmarks.harness import Browser, server, timed, together
from tests.integrations.servers import Elsewhere, never, saying

SIZE = 20_000
ONE, EIGHT = 40, 10
SECONDS, ASKERS = 3, 2
BAR = 500
WHO = "supervision@carga.example"


def run(scale: int | None = None) -> dict[str, Any]:
    """p50 and p95 in ms of the page that asks nobody, and while two browsers keep asking one that hangs."""
    size = scale or SIZE
    with world.database(size):
        pages = _pages()
        with server() as port:
            alone = _measure(port, pages)
        with (
            _hanging() as connection,
            server() as port,
            _asked(port, pages[0], connection) as parts,
        ):
            beside = _measure(port, pages)
        with (
            _six() as connections,
            server() as port,
            _asked_each(port, pages[0], connections) as said,
        ):
            six = _measure(port, pages)
    return {
        "size": size,
        "alone": alone,
        "beside": beside,
        "parts": len(parts),
        "six": six,
        "states": sorted(set(said)),
    }


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    alone, beside = figures["alone"], figures["beside"]
    lines = [
        "| citizen's page | 1 client p50 / p95 ms | 8 clients p50 / p95 ms | ratio |",
        "|---|---|---|---|",
    ]
    for name, times in (
        ("asks nobody", alone),
        ("asks a system that hangs", beside),
        ("six panels: two hang, one fails", figures["six"]),
    ):
        lines.append(
            f"| {name} | {times['one'][0]} / {times['one'][1]} |"
            f" {times['eight'][0]} / {times['eight'][1]} | {times['one'][0] / alone['one'][0]:.1f} |"
        )
    return [
        *lines,
        "",
        (
            f"Meanwhile {ASKERS} browsers asked for the part of the system that hangs, again and again:"
            f" {figures['parts']} answers that say why there is none. It may take {SECONDS} s each time;"
            " after three times it is left alone for a while."
        ),
        "",
        f"With six panels, a browser asked for all six all the time; they said: {', '.join(figures['states'])}.",
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is above its bar."""
    beside, six = figures["beside"], figures["six"]
    slow = [name for name in ("one", "eight") if beside[name][1] > BAR]
    found = [f"citizen's page beside a system that hangs: {beside}"] if slow else []
    if six["one"][1] > BAR:
        found.append(f"citizen's page with six panels, two hanging and one failing: {six}")
    if not {"now", "silent"} <= set(figures["states"]):
        found.append(f"six panels did not say how they stand: {figures['states']}")
    return [*found, *([] if figures["parts"] else ["nobody asked the system that hangs"])]


def _pages() -> list[str]:
    """Of citizens with a number to ask by."""
    people = Citizen.objects.unscoped("benchmark").filter(
        records__organisation=world.organisation()
    )
    some = list(people.order_by("pk")[:40])
    first = some[0]
    if not first.identifiers.filter(kind=Identifier.Kind.NIF, ended_at=None).exists():
        Identifier.objects.create(citizen=first, kind=Identifier.Kind.NIF, value="99999999R")
    return [f"/ciudadania/{one.uuid}/" for one in some]


@contextmanager
def _hanging() -> Iterator[Connection]:
    """A connection to a system that takes every question and answers none."""
    system = Elsewhere(never)
    before = os.environ.get("OUTBOUND_ALLOWED_HOSTS", "")
    os.environ["OUTBOUND_ALLOWED_HOSTS"] = system.address.removeprefix("http://")
    rows = Connection.objects.unscoped("benchmark").filter(organisation=world.organisation())
    rows.delete()
    connection = Connection.objects.create(
        organisation=world.organisation(),
        name="Sistema que no contesta",
        base_url=system.address,
        path="/personas/{number}",
        fields=[["Nombre", "nombre"]],
        seconds=SECONDS,
        retries=0,
    )
    try:
        yield connection
    finally:
        os.environ["OUTBOUND_ALLOWED_HOSTS"] = before
        connection.circuit.succeeded()
        rows.delete()
        system.stop()


@contextmanager
def _six() -> Iterator[list[Connection]]:
    """Connections to three systems that answer, two that hang and one that fails."""
    answer = saying(200, b'{"nombre": "uno"}')
    systems = [*(Elsewhere(answer) for _number in range(3)), Elsewhere(never), Elsewhere(never)]
    systems.append(Elsewhere(saying(500)))
    before = os.environ.get("OUTBOUND_ALLOWED_HOSTS", "")
    hosts = [system.address.removeprefix("http://") for system in systems]
    os.environ["OUTBOUND_ALLOWED_HOSTS"] = ",".join(hosts)
    rows = Connection.objects.unscoped("benchmark").filter(organisation=world.organisation())
    rows.delete()
    made = [
        Connection.objects.create(
            organisation=world.organisation(),
            name=f"Sistema {number}",
            base_url=system.address,
            path="/personas/{number}",
            fields=[["Nombre", "nombre"]],
            seconds=SECONDS,
            retries=0,
            cache_seconds=0,
            legal_basis="Ley 39/2015, art. 28.2",
        )
        for number, system in enumerate(systems, 1)
    ]
    try:
        yield made
    finally:
        os.environ["OUTBOUND_ALLOWED_HOSTS"] = before
        for connection in made:
            connection.circuit.succeeded()
        rows.delete()
        for system in systems:
            system.stop()


@contextmanager
def _asked_each(port: int, page: str, connections: list[Connection]) -> Iterator[list[str]]:
    """Within it a browser asks for all the parts, four at once, again and again; how they stood."""
    told: list[str] = []
    done = threading.Event()
    headers = {"Cookie": world.cookie(WHO), "HX-Request": "true"}

    def ask(mine: list[Connection]) -> None:
        browser = Browser(port, headers)
        while not done.is_set():
            for connection in mine:
                part = browser.get(f"{page}sistemas/{connection.uuid}/").decode()
                told.append(part.split('data-state="')[1].split('"')[0])
            done.wait(0.5)

    askers = [
        threading.Thread(target=ask, args=(connections[first::4],), daemon=True)
        for first in range(4)
    ]
    for asker in askers:
        asker.start()
    try:
        yield told
    finally:
        done.set()
        for asker in askers:
            asker.join(30)


@contextmanager
def _asked(port: int, page: str, connection: Connection) -> Iterator[list[bytes]]:
    """Within it browsers keep asking for the part; what they were told."""
    told: list[bytes] = []
    done = threading.Event()
    headers = {"Cookie": world.cookie(WHO), "HX-Request": "true"}

    def ask() -> None:
        mine = Browser(port, headers)
        while not done.is_set():
            told.append(mine.get(f"{page}sistemas/{connection.uuid}/"))
            done.wait(0.5)  # somebody reads the answer before asking again

    askers = [threading.Thread(target=ask, daemon=True) for _number in range(ASKERS)]
    for asker in askers:
        asker.start()
    try:
        yield told
    finally:
        done.set()
        for asker in askers:
            asker.join(30)


def _measure(port: int, pages: list[str]) -> dict[str, tuple[float, float]]:
    headers = {"Cookie": world.cookie(WHO)}
    turn = iter(range(10**9))
    browser = Browser(port, headers)
    one = timed(lambda: browser.get(pages[next(turn) % len(pages)]), ONE)

    def make(number: int) -> Any:
        mine = Browser(port, headers)
        return lambda n: mine.get(pages[(number * 7 + n) % len(pages)])

    eight, _rate = together(8, EIGHT, make)
    return {"one": (one.p50, one.p95), "eight": (eight.p50, eight.p95)}
