"""The numbers of a hundred saved views beside the list of cases, fresh and kept, at a million."""

import random
from typing import Any

from django.core.cache import cache

from cases.models import SavedView
from crm.accounts.models import User
from tests.benchmarks import world
from tests.benchmarks.harness import Browser, server, timed

FULL, VIEWS, BAR = 1_000_000, 100, 300
TIMES = 30


def run(scale: int | None = None) -> dict[str, Any]:
    """p50 and p95 in ms: nothing kept, all kept, and how many views have their number at the end."""
    with world.database(scale or FULL), server() as port:
        user = User.objects.get(email="supervision@carga.example")
        _keep(user)
        browser = Browser(port, {"Cookie": world.cookie(user.email)})
        page = "/casos/contadores/"

        def afresh() -> None:
            cache.clear()
            browser.get(page)

        cold = timed(afresh, TIMES)
        warm = timed(lambda: browser.get(page), TIMES)
        for _each in range(6):
            body = browser.get(page).decode()
        return {
            "size": scale or FULL,
            "cold": (cold.p50, cold.p95),
            "warm": (warm.p50, warm.p95),
            "numbers": body.count('class="num'),
        }


def _keep(user: User) -> None:
    """A hundred views of all kinds, the same every time."""
    place = world.organisation()
    SavedView.objects.unscoped("benchmark").filter(owner=user).delete()
    dice = random.Random(11)  # noqa: S311 - reproducible, not secret
    parts = (
        ["state:open", "state:ended", "state:all", "category:waiting-citizen", ""],
        [f"type:tipo-{n}" for n in range(6)] + [""],
        ["due<today", "due<7d", "opened:last-week", "opened>30d", ""],
        ["assignee:nobody", "assignee:me", "-assignee:nobody", "", ""],
        ["priority:urgent", "priority>normal", "channel:phone", "channel:email", "", ""],
    )
    SavedView.objects.bulk_create(
        SavedView(
            organisation=place,
            owner=user,
            audience=SavedView.Audience.OWN,
            name=f"Vista {number:03}",
            expression=" ".join(filter(None, (dice.choice(one) for one in parts))) or "state:open",
        )
        for number in range(VIEWS)
    )


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    cold, warm = figures["cold"], figures["warm"]
    return [
        "| cases | views | nothing kept p50 / p95 ms | kept p50 / p95 ms | numbers shown |",
        "|---|---|---|---|---|",
        (
            f"| {figures['size']:,} | {VIEWS} | {cold[0]} / {cold[1]} | {warm[0]} / {warm[1]} | "
            f"{figures['numbers']} |"
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is above its bar."""
    return [
        f"the numbers of {VIEWS} views, {name}: {figures[name]}"
        for name in ("cold", "warm")
        if figures[name][1] > BAR
    ]
