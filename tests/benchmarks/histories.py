"""A case history of 17 pages or more, rendered and sealed by the worker's own function."""

import time
from typing import Any

from cases import services as cases
from cases.services import NewCase
from crm.accounts.actors import system_actor
from reporting.models import IssuedHistory
from reporting.services import issue_history, make_history
from tests.benchmarks import world
from tests.benchmarks.harness import Times
from tests.factories.accounts import ORIGIN

NOTES, TIMES, BAR_SECONDS, BAR_PAGES = 170, 5, 3.0, 17
WORDS = "La persona aporta el certificado y pide que se revise la cuantía reconocida. "


def run(scale: int | None = None) -> dict[str, Any]:
    """Seconds from taking the work to the sealed document, and its pages."""
    actor = system_actor(world.organisation(), ORIGIN)
    case = cases.open_case(
        actor, NewCase(case_type=world.a_case_type().code, subject="Revisión de la pensión")
    )
    for number in range(scale or NOTES):
        cases.add_note(actor, case.uuid, f"{number}. {WORDS * (1 + number % 3)}")
    seconds = []
    for _turn in range(TIMES):
        cases.add_note(actor, case.uuid, "Otra nota, para que el historial sea otro.")
        history = issue_history(actor, case.uuid, "full")
        start = time.perf_counter()
        make_history(history.pk)
        seconds.append(time.perf_counter() - start)
    made = IssuedHistory.objects.unscoped("benchmark").get(pk=history.pk)
    times = Times.of(seconds)
    return {
        "pages": made.pages,
        "p50_s": times.p50 / 1000,
        "worst_s": round(max(seconds), 2),
        "pages_per_second": round(made.pages / (times.p50 / 1000), 1),
        "level": made.seal_level,
    }


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    return [
        "| pages | sealed in, median s | worst s | pages a second | level |",
        "|---|---|---|---|---|",
        (
            f"| {figures['pages']} | {figures['p50_s']:.2f} | {figures['worst_s']} | "
            f"{figures['pages_per_second']} | {figures['level']} |"
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is beyond its bar."""
    slow = figures["p50_s"] > BAR_SECONDS or figures["pages"] < BAR_PAGES
    return [f"histories: {figures}"] if slow else []
