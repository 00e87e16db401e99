"""Takes in an organisation's districts from a CSV: name, latitude, longitude, municipality."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crm.organisations.models import Organisation
from reporting import facts
from reporting.models import District


class Command(BaseCommand):
    """The organisation has exactly these districts, and its figures are counted anew; or nothing."""

    help = "Replace an organisation's districts by those of a CSV file and count its figures anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept an organisation's code and a file."""
        parser.add_argument("organisation", help="its code")
        parser.add_argument("file", type=Path, help="CSV: name,latitude,longitude,municipality")

    def handle(self, *, organisation: str, file: Path, **_options: Any) -> None:
        """One transaction."""
        rows = Organisation.objects.unscoped("the operator's command")
        place = rows.filter(code=organisation).first()
        if place is None:
            raise CommandError(f"There is no organisation {organisation}.")
        try:
            with file.open(encoding="utf-8-sig", newline="") as text:
                found = [
                    _district(place, number, row)
                    for number, row in enumerate(csv.DictReader(text), 2)
                ]
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        with transaction.atomic():
            names = [one.name for one in found]
            if len(set(names)) < len(names):
                raise CommandError("A name is there twice.")
            old = District.objects.unscoped("the operator's command").filter(organisation=place)
            old.exclude(name__in=names).delete()
            District.objects.bulk_create(
                found,
                update_conflicts=True,
                unique_fields=["organisation", "name"],
                update_fields=["latitude", "longitude", "municipality"],
            )
            count = facts.rebuild(place)
        self.stdout.write(f"{len(found)} districts; {count:,} cases counted anew.")


def _district(place: Organisation, number: int, row: dict[str, str]) -> District:
    try:
        made = District(
            organisation=place,
            name=(row.get("name") or "").strip(),
            latitude=float(row.get("latitude") or "none"),
            longitude=float(row.get("longitude") or "none"),
            municipality=(row.get("municipality") or "").strip(),
        )
        made.clean_fields(exclude=["uuid"])
        if not (-90 <= made.latitude <= 90 and -180 <= made.longitude <= 180):
            raise ValueError("there is no such place on Earth")
    except (ValueError, ValidationError) as error:
        raise CommandError(f"Line {number}: {error}") from error
    return made
