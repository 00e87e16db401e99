"""Tells the campaigns that a message came back, as the mail room does."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.services import bounced, complained


class Command(BaseCommand):
    """One word about one message; the same word twice counts once."""

    help = "Record a bounce (or, with --complaint, a complaint) of a campaign's message."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the Message-ID and what is said of it."""
        parser.add_argument("message_id", metavar="MESSAGE-ID")
        parser.add_argument("--status", default="5.1.1", help="enhanced status code (RFC 3463)")
        parser.add_argument("--diagnostic", default="", help="what the server said")
        parser.add_argument("--complaint", action="store_true", help="reported as unwanted")

    def handle(
        self, *, message_id: str, status: str, diagnostic: str, complaint: bool, **_options: Any
    ) -> None:
        """Record it; an error when no campaign sent such a message."""
        if not complaint and status[:1] not in {"4", "5"}:
            raise CommandError("A bounce has a status that begins with 4 or 5.")
        known = (
            complained(message_id, key="command")
            if complaint
            else bounced(
                message_id,
                hard=status.startswith("5"),
                status_code=status,
                diagnostic=diagnostic,
                key=f"command {status}",
            )
        )
        if not known:
            raise CommandError("No campaign sent a message with this Message-ID.")
        self.stdout.write("Recorded.")
