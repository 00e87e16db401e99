"""set_seats: how many people may work in an organisation, decided by whoever runs the installation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.accounts.services.people import seats_taken
from crm.kit.errors import DomainError
from crm.organisations.services import set_seats


class Command(BaseCommand):
    """set_seats --organisation CODE --seats NUMBER."""

    help = "Set how many people may work in an organisation; nobody who works there is removed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which organisation, and how many."""
        parser.add_argument("--organisation", required=True, metavar="CODE")
        parser.add_argument("--seats", required=True, type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Set it, and say how many are taken."""
        try:
            organisation = set_seats(options["organisation"], options["seats"])
        except DomainError as error:
            raise CommandError(error.in_a_line) from error
        taken = seats_taken(organisation)
        self.stdout.write(f"{organisation.code}: {taken} of {organisation.seat_limit} seats taken.")
