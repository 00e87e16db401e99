"""Prints the cases that an expression finds, or says where the expression is wrong."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.lists import NEWEST, matching
from cases.query import Expression, as_audited, understood
from crm.accounts.actors import actor_for, system_actor
from crm.accounts.models import User
from crm.citizens.search import record_search
from crm.kit.actor import Actor, Door, Origin
from crm.organisations.models import Organisation


class Command(BaseCommand):
    """As a person finds them with that person's rights, else as the installation itself."""

    help = "Print the numbers of the cases that an expression finds, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept where, what, as whom, and how to say it."""
        parser.add_argument("organisation", metavar="CODE")
        parser.add_argument("expression", metavar="EXPRESSION")
        parser.add_argument("--as", dest="login", default="", metavar="LOGIN")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *, organisation: str, expression: str, login: str, **options: Any) -> None:
        """Understand, find, write the search down; ends with 1 where there is something wrong."""
        actor = self._actor(organisation, login)
        found = understood(actor, expression)
        if found.problems:
            self._tell(expression, found, as_json=options["json"])
            sys.exit(1)
        rows = matching(actor, found.alone()).order_by(*NEWEST.terms)
        references = list(rows.values_list("reference", flat=True))
        record_search(actor, "cases", query=as_audited(expression), found=len(references))
        if options["json"]:
            answer = {"query": expression, "count": len(references), "references": references}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(references), ending="\n" if references else "")

    def _actor(self, code: str, login: str) -> Actor:
        places = Organisation.objects.unscoped("named on the command line")
        organisation = places.filter(code=code).first()
        if organisation is None:
            raise CommandError(f"There is no organisation {code!r}.")
        origin = Origin(Door.COMMAND)
        if not login:
            return system_actor(organisation, origin)
        user = User.objects.filter(email__iexact=login).first()
        actor = actor_for(user, organisation, origin) if user else None
        if actor is None:
            raise CommandError(f"{login!r} does not work in {code}.")
        return actor

    def _tell(self, text: str, found: Expression, *, as_json: bool) -> None:
        problems = [
            {
                "start": one.start,
                "end": one.end,
                "message": str(one.message),
                "proposals": list(one.proposals),
            }
            for one in found.problems
        ]
        if as_json:
            answer = {"query": text, "error": problems[0], "errors": problems}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        for one in found.problems:
            line = "".join(" " if sign.isspace() else sign for sign in text)
            self.stderr.write(line)
            self.stderr.write(" " * one.start + "^" * max(one.end - one.start, 1))
            also = f" ({', '.join(one.proposals)})" if one.proposals else ""
            self.stderr.write(f"{one.start}: {one.message}{also}")
