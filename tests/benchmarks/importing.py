"""Bulk load of 103,193 real requests (or as many made-up ones), with events and audit, next to bare COPY."""

import csv
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import world
from tests.factories.organisations import OrganisationFactory

ROWS = 103_193
BAR_RATE, BAR_MEMORY = 8_000, 300
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "citizen_requests"

_LOADER = """
import json, os, resource, sys, time
import django; django.setup()
from pathlib import Path
from cases.imports.load import run
from cases.imports.mapping import open_mapping
from cases.services.imports import prepare_import
from crm.accounts.actors import system_actor
from crm.kit.actor import Door, Origin
from crm.organisations.models import Organisation
actor = system_actor(Organisation.objects.get(code=sys.argv[1]), Origin(Door.COMMAND))
load = prepare_import(actor, open_mapping("madrid"), Path(sys.argv[2]))
start = time.perf_counter()
load = run(actor, load)
print(json.dumps({"seconds": time.perf_counter() - start, "inserted": load.inserted,
  "skipped": load.skipped, "bad": load.bad,
  "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def run(scale: int | None = None) -> dict[str, Any]:
    """Cases a second, peak memory, what a second run does, and COPY of the same texts."""
    code = f"IMP{time.time_ns() % 10**8}"
    OrganisationFactory(code=code, name="Organismo que importa")
    with tempfile.TemporaryDirectory() as folder:
        path = _file(Path(folder), scale)
        first, second = _load(code, path), _load(code, path)
        bare = _copy(path)
    return {
        "rows": first["inserted"] + first["bad"],
        "inserted": first["inserted"],
        "rate": round(first["inserted"] / first["seconds"]),
        "memory_mb": first["memory_mb"],
        "second_run_inserted": second["inserted"],
        "second_run_rate": round(second["skipped"] / second["seconds"]),
        "bare_copy_rate": round(bare),
        "ratio": round(bare / (first["inserted"] / first["seconds"]), 1),
    }


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as a Markdown table."""
    return [
        "| cases | cases a second | memory | second run inserts | checks a second | bare COPY a second | COPY / ours |",
        "|---|---|---|---|---|---|---|",
        (
            f"| {figures['inserted']:,} | {figures['rate']:,} | {figures['memory_mb']} MiB | "
            f"{figures['second_run_inserted']} | {figures['second_run_rate']:,} | "
            f"{figures['bare_copy_rate']:,} | {figures['ratio']} |"
        ),
    ]


def misses(figures: dict[str, Any]) -> list[str]:
    """What is beyond its bar."""
    short = (
        figures["rate"] < BAR_RATE
        or figures["memory_mb"] > BAR_MEMORY
        or figures["second_run_inserted"] != 0
    )
    return [f"importing: {figures}"] if short else []


def _load(code: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADER, code, str(path)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _file(folder: Path, scale: int | None) -> Path:
    real = next(REAL.glob("madrid*.csv.gz"), None)
    if real is not None and scale is None:
        return real
    path = folder / "made-up.csv.gz"
    header = [
        "id",
        "requested_datetime",
        "service_name",
        "typology",
        "status_node_type",
        "address",
        "lat",
        "lon",
        "has_photo",
        "last_seen_epoch",
        "description",
    ]
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for n in range(scale or ROWS):
            state = ("initial_node", "middle_node", "final_ok_node")[n % 3]
            text = f"La farola número {n} no luce desde hace {n % 30} días en la calle Mayor."
            writer.writerow(
                [
                    n,
                    "2025-06-11T17:33:33+0000",
                    "Alumbrado",
                    "Aviso",
                    state,
                    f"Calle Mayor, {n % 90}",
                    40.4,
                    -3.7,
                    n % 2,
                    1750000000,
                    text,
                ]
            )
    return path


def _copy(path: Path) -> float:
    """Rows a second of COPY into a table without indexes, parsed by the same csv module."""
    connection: Any = world.raw()
    connection.execute("CREATE TEMPORARY TABLE bare (line text[])")
    start, rows = time.perf_counter(), 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        with connection.cursor().copy("COPY bare FROM STDIN") as copy:
            for cells in reader:
                copy.write_row([cells])
                rows += 1
    return rows / (time.perf_counter() - start)
