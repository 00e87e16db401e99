"""The board at a million cases: through the server, next to the bare query of the facts it stands on."""

import time
from typing import Any

from cases.models import CaseType
from crm.citizens.models import Channel
from crm.organisations.models import Unit
from reporting import facts
from reporting.models import CaseFact
from tests.benchmarks import world
from tests.benchmarks.harness import Browser, server, timed, together

FULL = 1_000_000
ONE, EIGHT = 30, 4
BAR = 300


def run(scale: int | None = None) -> dict[str, Any]:
    """p50 and p95 in ms with one client, and with eight, for each way to ask; and what counting costs."""
    size = scale or FULL
    with world.database(size, citizens=min(size, 20_000)):  # the board looks at none
        place = world.organisation()
        counted = CaseFact.objects.unscoped("benchmark").filter(organisation=place).count()
        began = time.perf_counter()
        if counted < size:
            facts.rebuild(place)
        rebuilt = round(time.perf_counter() - began, 1) if counted < size else None
        world.analyse("reporting_casefact", "reporting_tally")
        kept_up = timed(lambda: facts.refresh(place), 5).p50
        with server() as port:
            asked = {name: _measure(port, paths) for name, paths in _pages().items()}
        return {"size": size, "pages": asked, "bare": _bare(), "rebuilt": rebuilt, "idle": kept_up}


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    bare = figures["bare"]
    lines = [
        "| board | 1 client p50 / p95 ms | 8 clients p50 / p95 ms | bare query p50 ms | ratio |",
        "|---|---|---|---|---|",
    ]
    for name, times in figures["pages"].items():
        base = bare["year" if "365" in name else "month"]
        lines.append(
            f"| {name} | {times['one'][0]} / {times['one'][1]} | "
            f"{times['eight'][0]} / {times['eight'][1]} | {base} | {times['one'][0] / base:.0f} |"
        )
    rebuilt = "was there" if figures["rebuilt"] is None else f"{figures['rebuilt']} s"
    return [
        *lines,
        "",
        (
            f"{figures['size']:,} cases. Counting them all anew: {rebuilt}; a pass of the task with"
            f" nothing new: {figures['idle']} ms. The bare query sums the tallies of the period by day."
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is above its bar."""
    return [
        f"board, {name}, at {figures['size']}: {times}"
        for name, times in figures["pages"].items()
        if times["one"][1] > BAR
    ]


def _pages() -> dict[str, list[str]]:
    """The addresses of each kind: another filter each time where there is a choice."""
    place = world.organisation()
    units = Unit.objects.unscoped("benchmark").filter(organisation=place)
    offices = list(units.filter(children=None).values_list("uuid", flat=True)[:40])
    provinces = list(units.exclude(children=None).exclude(parent=None)[:10])
    types = CaseType.objects.unscoped("benchmark").filter(organisation=place)
    codes = list(types.values_list("code", flat=True))
    half = "&".join(f"unidad={unit.uuid}" for unit in provinces)
    channels = (Channel.PHONE, Channel.EMAIL, Channel.IN_PERSON)
    return {
        "30 days": ["/informes/"],
        "90 days": ["/informes/?periodo=90"],
        "365 days, against a year before": ["/informes/?periodo=365&comparar=interanual"],
        "30 days, one office": [f"/informes/?unidad={uuid}" for uuid in offices],
        "30 days, one province": [f"/informes/?unidad={unit.uuid}" for unit in provinces],
        "30 days, one channel": [f"/informes/?canal={channel}" for channel in channels],
        "90 days, one type": [f"/informes/?periodo=90&tipo={code}" for code in codes],
        "90 days, one type, against those before": [
            f"/informes/?periodo=90&comparar=anterior&tipo={code}" for code in codes
        ],
        "90 days, one type by one channel, against those before": [
            f"/informes/?periodo=90&comparar=anterior&tipo={code}&canal={channel}"
            for code in codes
            for channel in channels
        ],
        "90 days, one type in one province": [
            f"/informes/?periodo=90&tipo={code}&unidad={unit.uuid}"
            for code, unit in zip(codes, provinces, strict=False)
        ],
        "365 days, one type, against a year before": [
            f"/informes/?periodo=365&comparar=interanual&tipo={code}" for code in codes
        ],
        "365 days, one channel, against a year before": [
            f"/informes/?periodo=365&comparar=interanual&canal={channel}" for channel in channels
        ],
        "365 days, one office, against a year before": [
            f"/informes/?periodo=365&comparar=interanual&unidad={uuid}" for uuid in offices
        ],
        "365 days, one province, against a year before": [
            f"/informes/?periodo=365&comparar=interanual&unidad={unit.uuid}" for unit in provinces
        ],
        "90 days, half of the provinces": [f"/informes/?periodo=90&{half}"],
        "90 days, one type in half of the provinces": [
            f"/informes/?periodo=90&{half}&tipo={code}" for code in codes
        ],
        "365 days, half of the provinces, against a year before": [
            f"/informes/?periodo=365&comparar=interanual&{half}"
        ],
        "strip of this moment": ["/informes/ahora/"],
    }


def _measure(port: int, paths: list[str]) -> dict[str, tuple[float, float]]:
    headers = {"Cookie": world.cookie("supervision@carga.example")}
    turn = iter(range(10**9))
    browser = Browser(port, headers)
    one = timed(lambda: browser.get(paths[next(turn) % len(paths)]), ONE)

    def make(number: int) -> Any:
        mine = Browser(port, headers)
        return lambda n: mine.get(paths[(number * 7 + n) % len(paths)])

    eight, _rate = together(8, EIGHT, make)
    return {"one": (one.p50, one.p95), "eight": (eight.p50, eight.p95)}


def _bare() -> dict[str, float]:
    """The tallies of a month and of a year by day, asked for without the product."""
    connection: Any = world.raw()
    query = (
        "SELECT measure, day, sum(count) FROM reporting_tally WHERE organisation_id = %s AND cut = 0"
        " AND measure IN ('opened', 'ended', 'reopened', 'due', 'late')"
        " AND day > current_date - %s GROUP BY measure, day"
    )
    place = world.organisation().pk
    return {
        name: timed(lambda d=days: connection.execute(query, (place, d)).fetchall(), 50).p50
        for name, days in (("month", 60), ("year", 730))
    }
