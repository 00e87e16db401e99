"""Runs one benchmark and prints its figures, or all and writes docs/benchmarks.md."""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import django

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
TITLES = {
    "importing": "Bulk load",
    "pages": "Lists, searches and the case page",
    "views": "The numbers of a hundred saved views",
    "bulk": "A bulk action, killed twice",
    "creating": "Creating cases by API",
    "auditing": "The audit trail",
    "histories": "Sealed case histories",
    "board": "The board",
    "connectors": "Another system that hangs",
}


def main() -> int:
    """0 when every figure is within its bar."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from importlib import import_module

    parser = argparse.ArgumentParser(prog="boot.py bench")
    parser.add_argument("name", nargs="?", choices=sorted(TITLES))
    parser.add_argument("--scale", type=int)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    tables: dict[str, list[str]] = {}
    misses: list[str] = []
    for name in [asked.name] if asked.name else list(TITLES):
        module = import_module(f"tests.benchmarks.{name}")
        start = time.perf_counter()
        found[name] = module.run(asked.scale)
        tables[name] = module.table(found[name])
        misses += module.misses(found[name])
        print(f"\n## {TITLES[name]} ({time.perf_counter() - start:.0f} s)", flush=True)
        print("\n".join(tables[name]), flush=True)
    for miss in misses:
        print(f"Beyond its bar: {miss}", file=sys.stderr)
    if not asked.name:
        DOCUMENT.write_text(_document(tables, misses), encoding="utf-8")
    if asked.json:
        print(json.dumps(found[asked.name] if asked.name else found))
    return 1 if misses else 0


def _document(tables: dict[str, list[str]], misses: list[str]) -> str:
    lines = [
        "# Benchmarks",
        "",
        (
            "Written by `make bench` (one of them: `python3 boot.py bench NAME [--scale N]`). Everything ran"
            " on one machine, server, clients and database together; the ratios compare with the bare cost"
            " of the same work in the same run."
        ),
        "",
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {platform.python_version()}.",
    ]
    for name, table in tables.items():
        lines += ["", f"## {TITLES[name]}", "", *table]
    lines += ["", "## Beyond their bars", ""]
    lines += [f"- {miss}" for miss in misses] or ["Nothing."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
