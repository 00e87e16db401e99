"""create_organisation: the first step of a real installation, an organisation and its administrator."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.core.validators import validate_email
from django.db import transaction

from crm.accounts.services.people import create_first_administrator
from crm.kit.errors import Invalid
from crm.organisations.calendars import REGIONS
from crm.organisations.services import create_organisation, set_seats


class Command(BaseCommand):
    """Prints the administrator's single-use link on its last line."""

    help = "Create an organisation with standard roles, a calendar and its first administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What may follow the command's name."""
        parser.add_argument("--code", required=True, help="2 to 12 capital letters or digits")
        parser.add_argument("--name", required=True)
        parser.add_argument("--short-name", default="")
        parser.add_argument("--admin-email", required=True)
        parser.add_argument("--admin-name", required=True)
        parser.add_argument("--dir3", default="", help="DIR3 code, nine characters")
        parser.add_argument(
            "--region",
            help="autonomous community, for its holidays: " + ", ".join(f"ES-{r}" for r in REGIONS),
        )
        parser.add_argument(
            "--seats", type=int, help="how many may work in it (50); set_seats changes it later"
        )
        parser.add_argument("--municipality", metavar="INE", help="five digits, such as 28079")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Create all or nothing."""
        region = options["region"]
        try:
            validate_email(options["admin_email"])
        except ValidationError:
            raise CommandError("--admin-email: this is not an e-mail address.") from None
        try:
            with transaction.atomic():
                organisation = create_organisation(
                    code=options["code"],
                    name=options["name"],
                    short_name=options["short_name"],
                    dir3_code=options["dir3"],
                    region=region.upper().removeprefix("ES-") if region else None,
                    municipality=options["municipality"],
                )
                if options["seats"] is not None:
                    set_seats(organisation.code, options["seats"])
                link = create_first_administrator(
                    organisation, options["admin_email"], options["admin_name"]
                )
        except Invalid as error:
            raise CommandError(_in_words(error)) from error
        self.stdout.write(f"{organisation.name} ({organisation.code}) has been created.")
        self.stdout.write("Give this single-use link to its administrator:")
        self.stdout.write(link)


def _in_words(error: Invalid) -> str:
    lines = [f"{field}: {text}" for field, texts in error.errors.items() for text in texts]
    return "\n".join(lines) or str(error.message)
