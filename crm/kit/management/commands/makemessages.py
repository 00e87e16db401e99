"""Django's makemessages, set up for this project: its languages, its folders, files without dates."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands import makemessages
from django.utils.translation import to_locale

SOURCE = "en"  # what message ids are written in
NO_SOURCES = ["node_modules", "static", "staticfiles", "tests", "var"]


class Command(makemessages.Command):
    """Bring every language's file up to date with the messages of code and templates."""

    # a guess of what a changed message may mean is worse than its being untranslated
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file a message stands in is told, its line is not: lines change with every commit."""
        super().add_arguments(parser)
        parser.set_defaults(no_wrap=True, no_obsolete=True, add_location="file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Without --locale, all of LANGUAGES that are translations."""
        options["locale"] = options["locale"] or [
            to_locale(code) for code, _name in settings.LANGUAGES if code != SOURCE
        ]
        options["ignore_patterns"] = [*options["ignore_patterns"], *NO_SOURCES]
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Write the file without the moment of extraction, which would change at every run."""
        super().write_po_file(potfile, locale)
        path = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text(
            "".join(line for line in lines if not line.startswith('"POT-Creation-Date:')),
            encoding="utf-8",
        )
