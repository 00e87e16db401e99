"""Fills an organisation with made-up citizens and cases, to measure at size."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from cases.load import generate_cases
from crm.citizens.load import generate_citizens
from crm.organisations.models import Organisation


class Command(BaseCommand):
    """Never for an organisation at work: what it makes looks real and is not."""

    help = "Add made-up citizens and cases to an organisation, to measure at size."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept how many of each, and for whom."""
        parser.add_argument("--cases", type=int, default=0, metavar="N")
        parser.add_argument("--citizens", type=int, default=0, metavar="N")
        parser.add_argument("--organisation", default="INP", metavar="CODE")

    def handle(self, *, cases: int, citizens: int, organisation: str, **_options: Any) -> None:
        """Generate, then let the database count what it has."""
        place = (
            Organisation.objects.unscoped("named on the command line")
            .filter(code=organisation)
            .first()
        )
        if place is None:
            raise CommandError(f"There is no organisation {organisation}.")
        if citizens > 0:
            start = time.perf_counter()
            generate_citizens(place.pk, citizens)
            self._tell("citizens", citizens, time.perf_counter() - start)
        if cases > 0:
            start = time.perf_counter()
            generate_cases(place, cases)
            self._tell("cases", cases, time.perf_counter() - start)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) citizens_citizen")
            cursor.execute("VACUUM (ANALYZE) cases_case")
            cursor.execute("ANALYZE")

    def _tell(self, what: str, count: int, seconds: float) -> None:
        self.stdout.write(f"{count:,} {what} in {seconds:.0f} s ({count / seconds:,.0f}/s)")
