"""Connect another system from the command line; its key is the last line printed."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.accounts.actors import system_actor
from crm.accounts.services.api_clients import create_api_client
from crm.kit.actor import Door, Origin
from crm.kit.errors import Invalid
from crm.organisations.models import Organisation


class Command(BaseCommand):
    """create_api_client --organisation CODE --name NAME --scopes a,b."""

    help = "Create a key for another system; the key is printed on the last line, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which organisation, what name and which actions."""
        parser.add_argument("--organisation", required=True, metavar="CODE")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--scopes", required=True, help="permissions by commas; cases.* is all of that room"
        )
        parser.add_argument("--days", type=int, default=365, help="how long the key is valid")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the key, or say what is wrong."""
        organisation = (
            Organisation.objects.unscoped("the command line is the installation's own")
            .filter(code=options["organisation"])
            .first()
        )
        if organisation is None:
            raise CommandError(f"There is no organisation {options['organisation']!r}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            client, key = create_api_client(
                system_actor(organisation, Origin(Door.COMMAND)),
                name=options["name"].strip(),
                scopes=scopes,
                expires_at=timezone.now() + timedelta(days=options["days"]),
            )
        except Invalid as error:
            raise CommandError(error.in_a_line) from error
        self.stdout.write(f"{client.name}: {', '.join(client.scopes)}")
        self.stdout.write(key)
