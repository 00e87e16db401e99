"""verify_audit: whether the audit trail is whole, and if not, the first thing that is wrong with it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.utils import timezone

from crm.audit import chain
from crm.audit.services import verify_trail
from crm.kit.actor import Door


class Command(BaseCommand):
    """Exit code 0: the trail is whole; 1: it is not, or it could not be verified."""

    help = "Verify the audit trail: altered, missing or added entries, forged seals, a cut end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What may follow the command's name."""
        parser.add_argument("--organisation", metavar="CODE", help="only this one's entries")
        parser.add_argument("--json", action="store_true", help="the result as one JSON object")
        parser.add_argument(
            "--checkpoints",
            metavar="FILE",
            type=Path,
            action="append",
            default=[],
            help="signed checkpoints kept elsewhere; repeatable (default: the installation's own)",
        )

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Verify, say the result and leave with it as exit code."""
        organisation_id = _organisation_id(options["organisation"])
        for path in options["checkpoints"]:
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        started = timezone.now()
        verdict = verify_trail(
            organisation_id=organisation_id,
            door=Door.COMMAND,
            files=tuple(options["checkpoints"]),
        )
        seconds = (timezone.now() - started).total_seconds()
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(verdict, seconds)))
        else:
            self._tell(verdict, seconds)
        if not verdict.whole:
            raise SystemExit(1)

    def _tell(self, verdict: chain.Verdict, seconds: float) -> None:
        for fault in verdict.faults:
            self.stdout.write(self.style.ERROR(str(fault)))
        state = "whole" if verdict.whole else "BROKEN"
        self.stdout.write(
            f"The audit trail is {state}: {verdict.entries} sealed entries, {verdict.seals} seals,"
            f" {verdict.checkpoints} checkpoints, verified in {seconds:.1f} s."
        )


def _organisation_id(code: str | None) -> int | None:
    if code is None:
        return None
    # by name, because audit lies below organisations
    organisations = apps.get_model("organisations", "Organisation")._default_manager  # noqa: SLF001
    found = organisations.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no organisation with the code {code}.")
    return int(found)


def _as_json(verdict: chain.Verdict, seconds: float) -> dict[str, Any]:
    return {
        "whole": verdict.whole,
        "entries": verdict.entries,
        "seals": verdict.seals,
        "checkpoints": verdict.checkpoints,
        "seconds": round(seconds, 3),
        "faults": [
            {
                "kind": fault.kind,
                "entry": fault.entry,
                "at": fault.at.isoformat() if fault.at else None,
                "action": fault.action,
                "seal": fault.seal,
                "text": str(fault),
            }
            for fault in verdict.faults
        ],
    }
