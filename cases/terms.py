"""Legal terms: when one ends, with its suspensions and extensions, and the sum that explains it. Pure.

Rules: Ley 39/2015 art. 30 (how days, months and years count), art. 22 (what suspends), arts. 23 and 32
(extensions). Days here are local dates; a term runs from the day after its start.
"""

import calendar as months
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple, Protocol

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.kit.errors import Text
from crm.organisations.calendars import (
    Calendar,
    NonWorking,
    NotCovered,
    Reason,
    is_working_day,
    why_not_working,
)

_TERM = re.compile(r"([1-9][0-9]{0,3})(wd|d|m|y)")


@dataclass(frozen=True, slots=True)
class Term:
    """How long: so many working days (wd), days (d), months (m) or years (y)."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def words(self) -> str:
        """As people say it."""
        said = {
            "wd": ngettext("%(count)s working day", "%(count)s working days", self.count),
            "d": ngettext("%(count)s calendar day", "%(count)s calendar days", self.count),
            "m": ngettext("%(count)s month", "%(count)s months", self.count),
            "y": ngettext("%(count)s year", "%(count)s years", self.count),
        }[self.unit]
        return said % {"count": self.count}


def read_term(text: str | None) -> Term | None:
    """A term from its short form, 30wd; ValueError when it is none."""
    if not text:
        return None
    match = _TERM.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return Term(int(match[1]), match[2])


class Stop(NamedTuple):
    """A suspension: the days after `start` up to and with `end` do not count.

    It is the time that passes between the two, as art. 22.1.a says of the notice that asks for papers
    and of its fulfilment: on the day of the notice the term still runs.
    """

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Part:
    """One term of a deadline: the original, or an extension; it runs from `start` to `end`."""

    made_of: tuple[Term, ...]
    """Of one unit: the second and later ones extended the first."""
    start: date
    end: date
    counted: int
    """Days that count: working days, or natural ones."""
    suspended: int
    """Days that would count, but fall into a suspension."""

    @property
    def term(self) -> Term:
        """All of it as one."""
        return Term(sum(one.count for one in self.made_of), self.made_of[0].unit)

    @property
    def skipped(self) -> int:
        """Days that never count: of a term in working days, those that are none."""
        return (self.end - self.start).days - self.counted - self.suspended


@dataclass(frozen=True)
class Deadline:
    """When a term ends, and of what the time until then is made up.

    `due` is `start` and as many days as `counted`, `suspended`, `skipped` and `moved` together.
    """

    start: date
    due: date
    parts: tuple[Part, ...]

    @property
    def counted(self) -> int:
        """Days that count."""
        return sum(part.counted for part in self.parts)

    @property
    def suspended(self) -> int:
        """Days that would count, but fall into a suspension."""
        return sum(part.suspended for part in self.parts)

    @property
    def skipped(self) -> int:
        """Days that never count."""
        return sum(part.skipped for part in self.parts)

    @property
    def moved(self) -> int:
        """Days from the last day to the next working day that runs (art. 30.5)."""
        return (self.due - self.parts[-1].end).days


def deadline(
    calendar: Calendar, start: date, terms: Sequence[Term], stops: Sequence[Stop] = ()
) -> Deadline:
    """When terms, one after the other, end that begin the day after `start` (art. 30).

    Terms of one unit that follow each other are one: three months extended by one are four. A term of
    months or years has as many natural days as lie between its two dates (art. 30.4), and each day of
    suspension moves its end by one. Only the last day moves to the next working day (art. 30.5).
    Raises NotCovered when the answer lies in a year whose holidays are not loaded.
    """
    if not terms:
        raise ValueError("A deadline needs a term.")
    _require(calendar, start)
    apart = _merged(stops)
    parts: list[Part] = []
    at = start
    for made_of in _by_unit(terms):
        parts.append(_part(calendar, made_of, at, apart))
        at = parts[-1].end
    due = at
    while any(stop.start < due <= stop.end for stop in apart) or not is_working_day(calendar, due):
        due = _day(calendar, due.toordinal() + 1)
    return Deadline(start, due, tuple(parts))


# --- Said ---------------------------------------------------------------------------------------


def explained(calendar: Calendar, found: Deadline) -> list[Text]:
    """The sum that leads to the date, a line for each summand, for anyone to check on a calendar."""
    lines: list[Text] = []
    for number, part in enumerate(found.parts):
        first, *extensions = part.made_of
        if number == 0:
            given = {"term": first.words, "date": date_format(part.start)}
            lines.append(_("%(term)s from the day after %(date)s") % given)
        else:
            extensions = list(part.made_of)
        lines += [_("plus %(term)s of extension") % {"term": one.words} for one in extensions]
        if part.term.unit in "my":
            text = ngettext(
                "that is %(count)s day, to %(date)s",
                "that is %(count)s days, to %(date)s",
                part.counted,
            )
            end = date.fromordinal(part.start.toordinal() + part.counted)
            lines.append(text % {"count": part.counted, "date": date_format(end)})
    if found.suspended:
        text = ngettext(
            "plus %(count)s day of suspension", "plus %(count)s days of suspension", found.suspended
        )
        lines.append(text % {"count": found.suspended})
    off = list(_off(calendar, found.parts))
    weekends = sum(why.reason != Reason.HOLIDAY for _day_off, why in off)
    if weekends:
        text = ngettext(
            "plus %(count)s Saturday or Sunday", "plus %(count)s Saturdays and Sundays", weekends
        )
        lines.append(text % {"count": weekends})
    holidays = [(day, why) for day, why in off if why.reason == Reason.HOLIDAY]
    if holidays:
        text = ngettext(
            "plus %(count)s holiday: %(names)s", "plus %(count)s holidays: %(names)s", len(holidays)
        )
        names = ", ".join(
            date_format(day, "j b") + (f" ({why.name})" if why.name else "")
            for day, why in holidays
        )
        lines.append(text % {"count": len(holidays), "names": names})
    if found.moved:
        text = ngettext(
            "plus %(count)s day to the next working day, as %(date)s is none (%(why)s)",
            "plus %(count)s days to the next working day, as %(date)s is none (%(why)s)",
            found.moved,
        )
        last = found.parts[-1].end
        reason = why_not_working(calendar, last)
        moved: dict[str, object] = {
            "count": found.moved,
            "date": date_format(last, "j b Y"),
            "why": str(reason.name).lower() if reason else _("it falls in a suspension"),
        }
        lines.append(text % moved)
    given = {"day": date_format(found.due, "l").lower(), "date": date_format(found.due)}
    lines.append(_("ends on %(day)s, %(date)s") % given)
    return lines


# --- Inside -------------------------------------------------------------------------------------


class _Days(Protocol):
    """The days that count, as numbers."""

    def between(self, after: int, until: int) -> int: ...
    def after(self, day: int, count: int) -> int: ...


class _Natural:
    def between(self, after: int, until: int) -> int:
        return until - after

    def after(self, day: int, count: int) -> int:
        return day + count


class _Working:
    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.days = calendar.working_days

    def between(self, after: int, until: int) -> int:
        return bisect_right(self.days, until) - bisect_right(self.days, after)

    def after(self, day: int, count: int) -> int:
        place = bisect_right(self.days, day) + count - 1
        if place >= len(self.days):
            raise NotCovered(self.calendar.covered)
        return self.days[place]


def _part(
    calendar: Calendar, made_of: tuple[Term, ...], start: date, stops: Sequence[Stop]
) -> Part:
    term = Term(sum(one.count for one in made_of), made_of[0].unit)
    days: _Days = _Working(calendar) if term.unit == "wd" else _Natural()
    count = (
        term.count if term.unit in ("wd", "d") else (_same_day(calendar, start, term) - start).days
    )
    at, left = start.toordinal(), count
    for stop in stops:
        begin, end = stop.start.toordinal(), stop.end.toordinal()
        if end <= at:
            continue
        runs = days.between(at, max(begin, at))
        if runs >= left:
            break
        at, left = end, left - runs
    last = _day(calendar, days.after(at, left))
    suspended = sum(
        days.between(max(stop.start, start).toordinal(), min(stop.end, last).toordinal())
        for stop in stops
        if stop.end > start and stop.start < last
    )
    return Part(made_of, start, last, count, suspended)


def _same_day(calendar: Calendar, start: date, term: Term) -> date:
    """The same day number so many months or years later, or that month's last day (art. 30.4)."""
    count = term.count * (12 if term.unit == "y" else 1)
    year, month0 = divmod(start.year * 12 + start.month - 1 + count, 12)
    if year not in calendar.covered:
        raise NotCovered(calendar.covered)
    return date(year, month0 + 1, min(start.day, months.monthrange(year, month0 + 1)[1]))


def _by_unit(terms: Sequence[Term]) -> Iterator[tuple[Term, ...]]:
    """Neighbours of one unit together."""
    for _unit, group in groupby(terms, key=lambda term: term.unit):
        yield tuple(group)


def _merged(stops: Sequence[Stop]) -> list[Stop]:
    """In order and apart, so that no day is suspended twice."""
    apart: list[Stop] = []
    for stop in sorted(stop for stop in stops if stop.start < stop.end):
        if apart and stop.start <= apart[-1].end:
            apart[-1] = Stop(apart[-1].start, max(apart[-1].end, stop.end))
        else:
            apart.append(stop)
    return apart


def _off(calendar: Calendar, parts: Sequence[Part]) -> Iterator[tuple[date, NonWorking]]:
    """The days within terms of working days that are none."""
    for part in parts:
        if part.term.unit == "wd":
            for number in range(part.start.toordinal() + 1, part.end.toordinal() + 1):
                day = date.fromordinal(number)
                if why := why_not_working(calendar, day):
                    yield day, why


def _day(calendar: Calendar, number: int) -> date:
    """The day of this number, within the years that the calendar knows."""
    if number > date(calendar.covered[-1], 12, 31).toordinal():
        raise NotCovered(calendar.covered)
    return date.fromordinal(number)


def _require(calendar: Calendar, day: date) -> None:
    if day.year not in calendar.covered:
        raise NotCovered(calendar.covered)
