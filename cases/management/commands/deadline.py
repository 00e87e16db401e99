"""Says when a legal term ends, and why."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from cases.terms import Stop, Term, deadline, explained, read_term
from crm.organisations import calendars
from crm.organisations.calendars import Calendar, Layer, NotCovered
from crm.organisations.models import Organisation, WorkingCalendar
from crm.organisations.selectors import calendar_of, organisation_calendar, public_holiday_years

_MADRID = ZoneInfo("Europe/Madrid")
_YEARS_AHEAD = 20  # that given holidays are taken to cover


class Command(BaseCommand):
    """Computes over the calendars of the installation; writes nothing."""

    help = "When a term ends (Ley 39/2015 art. 30), and the sum that explains it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the day and the term, over which calendar, and what stopped or extended it."""
        parser.add_argument("--from", required=True, dest="start", metavar="DATE")
        parser.add_argument("--term", required=True, metavar="10wd|15d|1m|1y")
        parser.add_argument(
            "--holidays",
            metavar="DATE,DATE…",
            help="in place of those of the calendars; may be empty",
        )
        parser.add_argument(
            "--organisation", metavar="CODE", help="by its calendar; without: the national one"
        )
        parser.add_argument(
            "--municipality",
            metavar="INE",
            help="a day that is no working day there is none either (art. 30.6)",
        )
        parser.add_argument(
            "--suspend",
            action="append",
            default=[],
            metavar="DATE..DATE",
            help="the days after the first, up to and with the second, do not count",
        )
        parser.add_argument("--extend", action="append", default=[], metavar="TERM")
        parser.add_argument("--json", action="store_true", help="everything, as one line of JSON")

    def handle(self, **options: Any) -> None:
        """Read, compute, say."""
        start = _date(options["start"])
        terms = [_term(text) for text in (options["term"], *options["extend"])]
        stops = [_stop(text) for text in options["suspend"]]
        calendar = _calendar(start, options)
        try:
            found = deadline(calendar, start, terms, stops)
        except NotCovered as error:
            given = error.details
            raise CommandError(
                f"{error.message} Years: {given['first_year']}-{given['last_year']}."
            ) from error
        lines = explained(calendar, found)
        warnings = [
            f"The holidays of {year} are not loaded in “{name}”: the date may move."
            for name, year in calendars.not_loaded(calendar, start, found.due)
        ]
        if options["json"]:
            told = {
                "from": start.isoformat(),
                "terms": [str(term) for term in terms],
                "due": found.due.isoformat(),
                "counted": found.counted,
                "suspended": found.suspended,
                "skipped": found.skipped,
                "moved": found.moved,
                "explanation": [str(line) for line in lines],
                "warnings": warnings,
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        self.stdout.write(found.due.isoformat())
        for line in lines:
            self.stdout.write(f"  {line}")
        for warning in warnings:
            self.stderr.write(warning)


def _calendar(start: date, options: dict[str, Any]) -> Calendar:
    given: str | None = options["holidays"]
    if given is not None:
        days = {_date(text): "" for text in given.split(",") if text.strip()}
        years = range(start.year - 1, min(start.year + _YEARS_AHEAD, date.max.year))
        return Calendar((Layer("--holidays", holidays=days),), _MADRID, years)
    organisation = _organisation(options["organisation"])
    if organisation is None:
        years = public_holiday_years()
        calendar = Calendar((calendars.spanish_holidays(years),), _MADRID, years)
    else:
        calendar = organisation_calendar(organisation)
    if code := options["municipality"]:
        calendar = replace(calendar, alongside=(_municipality(organisation, code),))
    return calendar


def _organisation(code: str | None) -> Organisation | None:
    if code is None:
        return None
    rows = Organisation.objects.unscoped("whoever runs commands sees every calendar")
    found = rows.filter(code=code).first()
    if found is None:
        codes = ", ".join(rows.order_by("code").values_list("code", flat=True)[:20])
        raise CommandError(f"There is no organisation {code}. There are: {codes}.")
    return found


def _municipality(organisation: Organisation | None, code: str) -> Calendar:
    if organisation is None:
        raise CommandError("Say with --organisation whose calendars know that municipality.")
    rows = WorkingCalendar.objects.unscoped("whoever runs commands sees every calendar").filter(
        Q(organisation=organisation) | Q(organisation=None), layer="local"
    )
    found = rows.filter(code=code).first()
    if found is None:
        codes = ", ".join(rows.order_by("code").values_list("code", flat=True)[:20]) or "none"
        raise CommandError(f"There is no calendar of the municipality {code}. There are: {codes}.")
    return calendar_of(organisation, found.pk)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(f"“{text}” is no date. Write it as 2026-03-02.") from None


def _term(text: str) -> Term:
    try:
        found = read_term(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(
            f"“{text}” is no term. Write 30wd (working days), 15d (days), 3m (months) or 1y (years)."
        )
    return found


def _stop(text: str) -> Stop:
    first, dots, last = text.partition("..")
    if not dots:
        raise CommandError(f"“{text}” is no suspension. Write it as 2026-03-10..2026-03-20.")
    stop = Stop(_date(first), _date(last))
    if stop.end < stop.start:
        raise CommandError(f"The suspension {text} ends before it begins.")
    return stop
