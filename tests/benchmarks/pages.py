"""Console pages and searches, at 20,000 and at a million: through the server, next to their bare query."""

import random
from typing import Any

from cases.models import Case
from cases.words import RARE
from crm.citizens.models import Citizen
from tests.benchmarks import world
from tests.benchmarks.harness import Browser, server, timed, together

SMALL, FULL = 20_000, 1_000_000
ONE, EIGHT = 60, 25
BAR_ONE, BAR_EIGHT, BAR_CASE = 80, 300, 100


def run(scale: int | None = None) -> dict[str, Any]:
    """p50 and p95 in ms with one client and with eight, for each page and each size."""
    full = scale or FULL
    found: dict[str, Any] = {}
    for size in sorted({min(SMALL, full), full}):
        with world.database(size), server() as port:
            found[str(size)] = {name: _measure(port, paths) for name, paths in _pages().items()}
            found[str(size)]["bare"] = _bare()
    return found


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    lines = [
        "| page | size | 1 client p50 / p95 ms | 8 clients p50 / p95 ms | bare query p50 ms | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for size, pages in figures.items():
        bare = pages["bare"]
        for name, times in pages.items():
            if name == "bare":
                continue
            base = bare[_bare_of(name)]
            lines.append(
                f"| {name} | {int(size):,} | {times['one'][0]} / {times['one'][1]} | "
                f"{times['eight'][0]} / {times['eight'][1]} | {base} | {times['one'][0] / base:.0f} |"
            )
    return lines


def misses(figures: dict[str, Any]) -> list[str]:
    """What is above its bar."""
    return [
        f"{name} at {size}: {times}"
        for size, pages in figures.items()
        for name, times in pages.items()
        if name != "bare"
        and (
            times["one"][1] > (BAR_CASE if name == "case page" else BAR_ONE)
            or times["eight"][1] > BAR_EIGHT
        )
    ]


def _pages() -> dict[str, list[str]]:
    """The addresses of each kind, so many that no cache answers for the database."""
    dice = random.Random(7)  # noqa: S311 - reproducible, not secret
    place = world.organisation()
    cases = Case.objects.unscoped("benchmark").filter(organisation=place)
    some = list(cases.filter(pk__in=_some(dice, cases)).values_list("uuid", flat=True))
    people = Citizen.objects.unscoped("benchmark").filter(records__organisation=place)
    names = list(
        people.filter(pk__in=_some(dice, people)).values_list("name", "surname1", "surname2")
    )
    rare = dice.sample(RARE[200:], 40)
    return {
        "case list": ["/casos/?estado=open"],
        "case list, filtered": [f"/casos/?estado=open&tipo=tipo-{n}&canal=phone" for n in range(6)],
        "case list, waiting for citizen": ["/casos/?estado=waiting_citizen"],
        "case list, by a query that filters say too": [
            f"/casos/?q=state:open+type:tipo-{n}+channel:phone" for n in range(6)
        ],
        "case list, by a query beyond them": [
            f"/casos/?q=-assignee:nobody+(priority:{level}+or+has:notes)+due<60d+type:tipo-{n},tipo-0"
            for n, level in enumerate(("low", "normal", "high", "urgent"), start=1)
        ],
        "case list, by a query for a name": [f'/casos/?q=citizen:"{a} {b}"' for _n, a, b in names],
        "text search, rare word": [f"/casos/?estado=all&q={word}" for word in rare],
        "text search, common word": [
            f"/casos/?estado=all&q={w}" for w in ("farola", "pensión", "recibo")
        ],
        "text search, two words": ["/casos/?estado=all&q=informe+hospital"],
        "citizen search, name and surnames": [f"/ciudadania/?q={'+'.join(n)}" for n in names],
        "citizen search, two surnames": [f"/ciudadania/?q={a}+{b}" for _n, a, b in names],
        "citizen search, one typo": [f"/ciudadania/?q={n[0]}+{n[1][:2]}{n[1][3:]}" for n in names],
        "case page": [f"/casos/{uuid}/" for uuid in some],
    }


def _some(dice: random.Random, rows: Any) -> list[int]:
    """The keys of 60 rows, without reading all."""
    least, most = (rows.order_by(term).values_list("pk", flat=True)[0] for term in ("pk", "-pk"))
    found: set[int] = set()
    while len(found) < 60:
        at = dice.randint(least, most)
        found.add(rows.filter(pk__gte=at).order_by("pk").values_list("pk", flat=True)[0])
    return sorted(found)


def _measure(port: int, paths: list[str]) -> dict[str, tuple[float, float]]:
    from urllib.parse import quote

    addresses = [quote(path, safe="/?&=+:,()") for path in paths]
    headers = {"Cookie": world.cookie("supervision@carga.example")}
    turn = iter(range(10**9))
    browser = Browser(port, headers)
    one = timed(lambda: browser.get(addresses[next(turn) % len(addresses)]), ONE)

    def make(number: int) -> Any:
        mine = Browser(port, headers)
        return lambda n: mine.get(addresses[(number * 7 + n) % len(addresses)])

    eight, _rate = together(8, EIGHT, make)
    return {"one": (one.p50, one.p95), "eight": (eight.p50, eight.p95)}


def _bare() -> dict[str, float]:
    """The same rows asked for without the product."""
    organisation = world.organisation().pk
    connection: Any = world.raw()
    queries = {
        "list": (
            (
                "SELECT id, reference, subject FROM cases_case WHERE organisation_id = %s AND category < 4 "
                "ORDER BY due_sort, id LIMIT 26"
            ),
            (organisation,),
        ),
        "search": (
            (
                "SELECT id, reference, subject FROM cases_case WHERE organisation_id = %s "
                "AND search @@ websearch_to_tsquery('es', 'farola') ORDER BY opened_at DESC, id DESC LIMIT 26"
            ),
            (organisation,),
        ),
        "citizen": (
            (
                "SELECT id FROM citizens_citizen WHERE surname1_key = 'garcia' AND surname2_key = 'lopez' "
                "LIMIT 26"
            ),
            (),
        ),
        "case": ("SELECT * FROM cases_case WHERE id = %s", (1,)),
    }
    return {
        name: timed(lambda q=query, p=values: connection.execute(q, p).fetchall(), 50).p50
        for name, (query, values) in queries.items()
    }


def _bare_of(name: str) -> str:
    if name.startswith("text"):
        return "search"
    if name.startswith("citizen"):
        return "citizen"
    return "case" if name == "case page" else "list"
