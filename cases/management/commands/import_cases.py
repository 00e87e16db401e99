"""Loads cases from other systems' CSV files, as a mapping says."""

import time
from argparse import ArgumentParser
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.imports.load import problem_lines, run
from cases.imports.mapping import open_mapping, ready_names
from cases.models import Import
from cases.services.imports import prepare_import
from crm.accounts.actors import system_actor
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import DomainError
from crm.organisations.models import Organisation, Unit


class Command(BaseCommand):
    """Prints how many cases a second went in; rows that could not are listed with their reason."""

    help = "Load cases from CSV files (plain or gzip). Run again to go on, or to change nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the organisation, the mapping and the files."""
        parser.add_argument("files", nargs="+", metavar="CSV")
        parser.add_argument("--organisation", required=True, metavar="CODE")
        parser.add_argument(
            "--mapping",
            required=True,
            metavar="FILE",
            help=f"a TOML file, or a ready mapping: {', '.join(ready_names())}",
        )
        parser.add_argument(
            "--unit", metavar="CODE", help="unit that receives them (default: root)"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check every row, insert nothing"
        )
        parser.add_argument("--errors", metavar="FILE", help="write the rows not imported there")

    def handle(self, **options: Any) -> None:
        """Load one file after the other."""
        try:
            organisation = Organisation.objects.unscoped("named on the command line").get_or_refuse(
                code=options["organisation"]
            )
            actor = system_actor(organisation, Origin(Door.COMMAND), "import_cases")
            mapping = open_mapping(options["mapping"])
            unit = self._unit(actor, options["unit"])
            if options["errors"]:
                Path(options["errors"]).write_text("")  # one file after the other adds its rows
            for name in options["files"]:
                path = Path(name).resolve()
                load = prepare_import(actor, mapping, path, unit=unit, dry_run=options["dry_run"])
                self._run(actor, load, options["errors"])
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from None

    def _unit(self, actor: Actor, code: str | None) -> Unit | None:
        return Unit.objects.for_actor(actor).get_or_refuse(code=code) if code else None

    def _run(self, actor: Actor, load: Import, errors: str | None) -> None:
        resumed = load.next_row - 1
        start = time.perf_counter()

        def tell(now: Import) -> None:
            seconds = time.perf_counter() - start
            self.stdout.write(
                f"\r{now.file_name}: {now.rows:,} rows, {now.inserted:,} cases, "
                f"{(now.rows - resumed) / seconds:,.0f} rows/s ",
                ending="",
            )

        load = run(actor, load, tell)
        seconds = time.perf_counter() - start
        would = "would be loaded" if load.dry_run else "loaded"
        self.stdout.write(
            f"\r{load.file_name}: {load.rows:,} rows in {seconds:.1f} s "
            f"({(load.rows - resumed) / seconds:,.0f} rows/s): {load.inserted:,} {would}, "
            f"{load.skipped:,} already there, {load.bad:,} not imported"
        )
        if errors:
            told = problem_lines(load)
            with Path(errors).open("a", encoding="utf-8") as file:
                file.writelines(told if file.tell() == 0 else islice(told, 1, None))
        else:
            problems = load.problems.order_by("row").values_list("row", "reason")
            for row, reason in problems[:10]:
                self.stdout.write(f"  row {row}: {reason}")
