"""Takes messages in from files, as if they had come into an account's mailbox."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_app.email import intake, threads
from channels_app.email.reading import Letter, read
from channels_app.models import AccountKind, ChannelAccount, InboundMail


class Command(BaseCommand):
    """Safe to repeat: a message that is known already is told as it is known."""

    help = "Take e-mails in from files and print a line for each: kind, thread, citizen, text."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept files, and how to take them in."""
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--account", default="", help="address of the account (default: by recipient)"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen; write nothing"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each file by itself: one that cannot be read stops no other."""
        accounts = list(
            ChannelAccount.objects.unscoped("from the command line")
            .filter(kind=AccountKind.EMAIL, is_active=True)
            .select_related("organisation", "unit", "queue")
            .order_by("pk")
        )
        if options["account"]:
            accounts = [one for one in accounts if one.address == options["account"].lower()]
            if not accounts:
                raise CommandError(f"There is no e-mail account {options['account']}.")
        failed = 0
        for name in options["files"]:
            try:
                raw = Path(name).read_bytes()
            except OSError as error:
                failed += 1
                self.stderr.write(f"{name}: {error.strerror}")
                continue
            told = _told(accounts, raw, dry=options["dry_run"])
            told["file"] = name
            self.stdout.write(
                json.dumps(told, ensure_ascii=False) if options["json"] else _line(told)
            )
        if failed:
            raise CommandError(f"{failed} of {len(options['files'])} files could not be read.")


def _told(accounts: list[ChannelAccount], raw: bytes, *, dry: bool) -> dict[str, Any]:
    account = _account_of(accounts, read(raw))
    if account is None:  # nothing to thread by: what the message itself says
        letter = read(raw)
        return _of_letter(letter, "unknown", "", "", [])
    taken = intake.foresee(account, raw) if dry else intake.take_in(account, raw)
    thread = str(taken.conversation.uuid) if taken.conversation else ""
    if not thread:
        thread = "new" if taken.status == InboundMail.Status.TAKEN else ""
    people = threads.candidates(account.organisation_id, taken.letter.sender.address)
    found = [str(point.citizen.uuid) for point in people]
    return _of_letter(taken.letter, taken.status, taken.reason, thread, found)


def _account_of(accounts: list[ChannelAccount], letter: Letter) -> ChannelAccount | None:
    """The account that the message is addressed to, else the first."""
    named = (one for one in accounts if one.address in letter.recipients)
    return next(named, accounts[0] if accounts else None)


def _of_letter(
    letter: Letter, status: str, reason: str, thread: str, citizens: list[str]
) -> dict[str, Any]:
    return {
        "kind": letter.kind.value,
        "status": str(status),
        "reason": str(reason),
        "thread": thread,
        "citizens": citizens,
        "sender": letter.sender.address,
        "subject": letter.subject,
        "text": letter.text,
        "attachments": [file.name for file in letter.files],
        "refused": [f"{one.name} {one.why}".strip() for one in letter.refused],
    }


def _line(told: dict[str, Any]) -> str:
    citizen = ",".join(told["citizens"]) or "-"
    text = " ".join(told["text"].split())
    return "\t".join((told["file"], told["kind"], told["thread"] or told["status"], citizen, text))
