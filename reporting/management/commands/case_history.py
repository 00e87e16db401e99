"""Writes the sealed history of one case to a file."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.models import Case
from crm.accounts.actors import system_actor
from crm.kit.actor import Door, Origin
from crm.kit.errors import DomainError
from reporting.failures import words_of
from reporting.models import IssuedHistory, Status, Variant
from reporting.services import download_history, issue_history, make_history


class Command(BaseCommand):
    """Makes it here and now; a worker that is faster is waited for."""

    help = "Write the sealed history of a case to a PDF file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept which case, what to tell of it, and where to write."""
        parser.add_argument("reference", metavar="REFERENCE")
        parser.add_argument("--variant", choices=Variant.values, default=Variant.FULL)
        parser.add_argument("--output", type=Path, required=True, metavar="FILE.pdf")
        parser.add_argument("--organisation", default="", metavar="CODE")

    def handle(
        self, *, reference: str, variant: str, output: Path, organisation: str, **_options: Any
    ) -> None:
        """Issue, make, write, and say the code."""
        case = self._case(reference, organisation)
        actor = system_actor(case.organisation, Origin(Door.COMMAND))
        try:
            history = issue_history(actor, case.uuid, variant)
            make_history(history.pk)
            self._wait(history)
            if history.status == Status.FAILED:
                raise CommandError(str(words_of(history.error)))
            history, content = download_history(actor, history.uuid)
        except DomainError as error:
            raise CommandError(str(error)) from error
        try:
            output.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{history.pages} pages, seal {history.seal_level}, code {history.code}")

    def _case(self, reference: str, organisation: str) -> Case:
        found = list(
            Case.objects.unscoped("named on the command line")
            .select_related("organisation")
            .filter(
                reference=reference,
                **({"organisation__code": organisation} if organisation else {}),
            )[:2]
        )
        if not found:
            raise CommandError(f"There is no case {reference}.")
        if len(found) > 1:
            raise CommandError(f"Several organisations have a case {reference}: --organisation.")
        return found[0]

    def _wait(self, history: IssuedHistory) -> None:
        """Until whoever makes it has ended: this process, or a worker that came first."""
        patience = time.monotonic() + 300
        history.refresh_from_db()
        while not history.ended and time.monotonic() < patience:
            time.sleep(0.5)
            make_history(history.pk)
            history.refresh_from_db()
        if not history.ended:
            raise CommandError("The history is still being made; try again later.")
