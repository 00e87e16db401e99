"""Fills an empty installation with the demo: two organisations, their people, citizens and cases."""

from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import translation
from django.utils.module_loading import autodiscover_modules

from crm.kit.demo import SEED, Demo, seeders


class Command(BaseCommand):
    """Does nothing where the demo already is, so that it may run before every start."""

    help = "Fill an empty installation with made-up organisations, people, citizens and cases."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept --scale and --seed."""
        parser.add_argument(
            "--scale", type=float, default=1.0, help="how much of it: 0.02 for a test (default: 1)"
        )
        parser.add_argument("--seed", default=SEED, help="another seed draws another demo")

    def handle(self, *, scale: float, seed: str, **_options: Any) -> None:
        """All rooms' demo data in one transaction, or none."""
        autodiscover_modules("demo")
        if any(seeder.present() for seeder in seeders.values()):
            self.stdout.write("The demo data is already there: nothing to do.")
            return
        demo, started = Demo(scale=scale, seed=seed), monotonic()
        # names that are stored as they read (roles, states) are stored in the demo's language
        with translation.override("es"), transaction.atomic():
            for name in sorted(seeders, key=lambda name: seeders[name].order):
                before = monotonic()
                seeders[name].fill(demo)
                self.stdout.write(f"  {name}: {monotonic() - before:.1f} s")
        counts = ", ".join(f"{count:,} {what}" for what, count in demo.made.items())
        self.stdout.write(f"Demo data in {monotonic() - started:.0f} s: {counts}.")
