"""Counts anew everything that the board shows, of one organisation or of all."""

from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.organisations.models import Organisation
from reporting import facts


class Command(BaseCommand):
    """Safe at any time: who looks meanwhile sees the figures of before."""

    help = "Count anew the facts and roll-ups of the board from the cases and their events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept an organisation's code."""
        parser.add_argument("organisation", nargs="?", help="its code (default: all)")

    def handle(self, *, organisation: str | None, **_options: Any) -> None:
        """One transaction for each organisation."""
        rows = Organisation.objects.unscoped("the operator's command").order_by("code")
        if organisation:
            rows = rows.filter(code=organisation)
            if not rows.exists():
                raise CommandError(f"There is no organisation {organisation}.")
        for one in rows:
            began = monotonic()
            count = facts.rebuild(one)
            self.stdout.write(f"{one.code}: {count:,} cases in {monotonic() - began:.1f} s")
