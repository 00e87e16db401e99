"""Carries case types between installations and version control: as text, compared and checked."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.services import carrying
from cases.type_diff import differences, head_differences
from cases.type_texts import Located, Written, located, read
from cases.workflow import check
from crm.accounts.actors import system_actor
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import DomainError, Invalid
from crm.organisations.models import Organisation


class Command(BaseCommand):
    """Ends with 1 where something is wrong or, of a comparison, where anything differs."""

    help = "Export, import, compare and check case types as text (YAML)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept what to do, with which type of which organisation, and how to say it."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="print a type as text")
        export.add_argument("organisation", metavar="CODE")
        export.add_argument("type", metavar="TYPE")
        export.add_argument("--version", type=int, dest="number", metavar="N")
        export.add_argument("--draft", action="store_true")
        load = verbs.add_parser("import", help="put a text into the type's draft")
        load.add_argument("organisation", metavar="CODE")
        load.add_argument("file", metavar="FILE")
        load.add_argument("--publish", action="store_true")
        load.add_argument("--despite", action="store_true", help="publish despite mere advice")
        diff = verbs.add_parser("diff", help="what differs, CODE/TYPE[@N] or a file each")
        diff.add_argument("before", metavar="BEFORE")
        diff.add_argument("after", metavar="AFTER")
        verify = verbs.add_parser("check", help="what is wrong with a type's draft, or a file")
        verify.add_argument("what", metavar="CODE/TYPE|FILE")
        for verb in (diff, verify):
            verb.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *, verb: str, **options: Any) -> None:
        """Do it; what is wrong goes to standard error, each with its place."""
        try:
            {
                "export": self._export,
                "import": self._import,
                "diff": self._diff,
                "check": self._check,
            }[verb](options)
        except Invalid as error:
            for where, texts in error.errors.items():
                for text in texts:
                    self.stderr.write(f"{where}: {text}" if where else str(text))
            sys.exit(1)
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _export(self, options: dict[str, Any]) -> None:
        actor = _actor(options["organisation"])
        text = carrying.export_text(
            actor, options["type"], number=options["number"], draft=options["draft"]
        )
        self.stdout.write(text, ending="")

    def _import(self, options: dict[str, Any]) -> None:
        actor = _actor(options["organisation"])
        text = sys.stdin.read() if options["file"] == "-" else _text(options["file"])
        draft = carrying.import_text(
            actor, text, publish=options["publish"], despite=options["despite"]
        )
        self.stdout.write(str(draft))

    def _diff(self, options: dict[str, Any]) -> None:
        sides = [_written(options[side]) for side in ("before", "after")]
        changes = head_differences(*sides)
        changes += differences(*(side.bundle for side in sides))
        if options["json"]:
            told = [{"where": one.where, "kind": one.kind, "words": one.words} for one in changes]
            self.stdout.write(json.dumps({"changes": told}, ensure_ascii=False))
        else:
            for one in changes:
                self.stdout.write(f"{one.where}: {one.words}")
        if changes:
            sys.exit(1)

    def _check(self, options: dict[str, Any]) -> None:
        what: str = options["what"]
        found: list[Located]
        if Path(what).is_file():
            text = _text(what)
            found = located(text, check(read(text).bundle))
        else:
            found = [Located(one) for one in carrying.check_type(*_named(what)[:2])]
        problems = [one.problem for one in found]
        if options["json"]:
            told = [
                {
                    "where": one.problem.where,
                    "message": str(one.problem.message),
                    "blocks": one.problem.blocks,
                    "line": one.line or None,
                    "column": one.column or None,
                }
                for one in found
            ]
            self.stdout.write(json.dumps({"problems": told}, ensure_ascii=False))
        else:
            for one in found:
                self.stdout.write(one.words)
        if any(one.blocks for one in problems):
            sys.exit(1)


def _written(name: str) -> Written:
    if Path(name).is_file():
        return _text_read(name)
    actor, code, number = _named(name)
    return carrying.written(actor, code, number=number)


def _named(name: str) -> tuple[Actor, str, int | None]:
    """`INP/rental@3`: the organisation, the type, the version."""
    organisation, slash, rest = name.partition("/")
    code, at, number = rest.partition("@")
    if not slash or (at and not number.isdigit()):
        raise CommandError(f"{name!r} is neither a file nor CODE/TYPE nor CODE/TYPE@VERSION.")
    return _actor(organisation), code, int(number) if at else None


def _text_read(path: str) -> Written:
    return read(_text(path))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}") from None


def _actor(code: str) -> Actor:
    places = Organisation.objects.unscoped("named on the command line")
    organisation = places.filter(code=code).first()
    if organisation is None:
        raise CommandError(f"There is no organisation {code!r}.")
    return system_actor(organisation, Origin(Door.COMMAND))
