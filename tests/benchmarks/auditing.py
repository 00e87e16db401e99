"""What the audit trail costs a writer, with the sealer at work, and how fast it is verified."""

import threading
import time
from typing import Any

from crm.audit import chain
from tests.benchmarks import world
from tests.benchmarks.harness import together

WRITERS, EACH = 8, 400


def run(scale: int | None = None) -> dict[str, Any]:
    """Transactions a second of eight writers without entries, with two each, and with the sealer."""
    each = (scale or WRITERS * EACH) // WRITERS
    world.organisation()
    _times, without = together(WRITERS, each, lambda _n: _writer(entries=0))
    plain_times, plain = together(WRITERS, each, lambda _n: _writer(entries=2))
    stop = threading.Event()
    sealer = threading.Thread(target=_seal_until, args=(stop,))
    sealer.start()
    sealed_times, sealed = together(WRITERS, each, lambda _n: _writer(entries=2))
    stop.set()
    sealer.join()
    chain.seal()
    start = time.perf_counter()
    verdict = chain.verify([])
    seconds = time.perf_counter() - start
    return {
        "without_audit": round(without),
        "with_entries": round(plain),
        "with_entries_p95": plain_times.p95,
        "with_sealer": round(sealed),
        "with_sealer_p95": sealed_times.p95,
        "ratio": round(without / sealed, 2),
        "verified_rows_per_second": round(verdict.entries / seconds),
        "whole": not verdict.faults,
    }


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    return [
        "| tx/s without audit | with 2 entries | with entries and sealer (p95 ms) | without / with | verified rows/s |",
        "|---|---|---|---|---|",
        (
            f"| {figures['without_audit']:,} | {figures['with_entries']:,} | "
            f"{figures['with_sealer']:,} ({figures['with_sealer_p95']}) | {figures['ratio']} | "
            f"{figures['verified_rows_per_second']:,} |"
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """A chain that does not verify is beyond any bar."""
    return [] if figures["whole"] else [f"auditing: {figures}"]


def _writer(entries: int) -> Any:
    connection: Any = world.raw()

    def work(_turn: int) -> None:
        with connection.transaction():
            connection.execute("INSERT INTO kit_outbox (topic, payload) VALUES ('bare', '{}')")
            for _ in range(entries):
                connection.execute(
                    "INSERT INTO audit_auditentry (organisation_id, actor_kind, actor_name, action, "
                    "door) VALUES (1, 'system', 'bench', 'viewed', 'task')"
                )

    return work


def _seal_until(stop: threading.Event) -> None:
    from django.db import connection

    while not stop.wait(1):
        chain.seal()
    connection.close()
