"""A bulk action over 100,000 cases, its worker killed with -9 twice: each done once, the rate printed."""

import os
import signal
import subprocess
import sys
import time
from typing import Any
from uuid import UUID

from django.db import connection

from cases.models import BulkAction, Case, Event
from cases.services.bulk import Bulk, prepare_bulk, run_bulk, start_bulk
from crm.accounts.models import User
from tests.benchmarks import world
from tests.benchmarks.harness import _database_url
from tests.factories.accounts import acting

FULL = 100_000
WORKER = (
    "import sys, django; django.setup();"
    "from uuid import UUID; from cases.services.bulk import run_bulk; run_bulk(UUID(sys.argv[1]))"
)


def run(scale: int | None = None) -> dict[str, Any]:
    """Cases a second, and whether each was done once."""
    size = scale or FULL
    with world.database(max(size, 20_000)):
        return _measured(size)


def _measured(size: int) -> dict[str, Any]:
    boss = acting(User.objects.get(email="supervision@carga.example"))
    keys = list(Case.objects.for_actor(boss).values_list("pk", flat=True)[:size])
    _at_work(keys)
    wanted = Case.objects.for_actor(boss).filter(pk__in=keys)
    other = {0: 3}.get(wanted.first().priority, 0)  # type: ignore[union-attr]
    started = time.perf_counter()
    action = prepare_bulk(boss, wanted.order_by("pk"), Bulk(action="priority", priority=other))
    run_bulk(action.uuid)  # looked through
    looked = time.perf_counter() - started
    action.refresh_from_db()
    start_bulk(boss, action.uuid)
    started = time.perf_counter()
    kills = 0
    for share in (0.2, 0.6):
        worker = _worker(action.uuid)
        while worker.poll() is None:
            action.refresh_from_db(fields=["done", "refused"])
            if action.tried >= share * len(keys):
                worker.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.05)
        worker.wait()
    _worker(action.uuid).wait()
    seconds = time.perf_counter() - started
    action.refresh_from_db()
    events = Event.objects.unscoped("benchmark").filter(
        case__in=keys, kind="edited", data__batch=str(action.uuid)
    )
    return {
        "cases": len(keys),
        "kills": kills,
        "looked_per_s": round(len(keys) / looked),
        "per_s": round(len(keys) / seconds),
        "done": action.done,
        "refused": action.refused,
        "once": events.count() == action.done == events.values("case").distinct().count(),
        "ended": action.status == BulkAction.Status.DONE,
    }


def _at_work(keys: list[int]) -> None:
    """All of them are open, as nothing is done to what has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_case SET category = 1, closed_at = NULL WHERE id = ANY(%s)"
            " AND category >= 4",
            [keys],
        )


def _worker(action: UUID) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DATABASE_URL": _database_url()}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(action)], env=environment)


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    return [
        "| cases | killed | looked through a second | done a second | done | refused | each once |",
        "|---|---|---|---|---|---|---|",
        (
            f"| {figures['cases']:,} | {figures['kills']} | {figures['looked_per_s']:,} | "
            f"{figures['per_s']:,} | {figures['done']:,} | {figures['refused']:,} | {figures['once']} |"
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    whole = figures["done"] + figures["refused"] == figures["cases"]
    right = figures["once"] and figures["ended"] and whole and figures["kills"] == 2
    return [] if right else [f"the bulk action: {figures}"]
