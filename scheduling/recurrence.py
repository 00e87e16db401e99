"""Repetitions of iCalendar (RFC 5545 3.3.10) by days, weeks, months and years, on the local clock. Pure.

What is finer than a day, counts weeks or days of a year, or follows another calendar is refused: no office
closes like that. Work is bounded: a rule that never meets its own conditions ends, too.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Text

MOST_PERIODS = 20_000  # looked at for one event
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_KNOWN = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"),
    *("RSCALE", "SKIP"),
}


class NotUnderstood(ValueError):  # noqa: N818 - reads as what is said
    """The repetition is none, or of a kind that is not read here; `reason` says so."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Rule:
    """How an event repeats."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | None = None  # a datetime, naive (local) or in UTC, where an hour is said
    by_day: tuple[tuple[int, int], ...] = ()  # (which one, 0: every; weekday)
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0


def parse_rule(text: str) -> Rule:
    """The rule that a RRULE says; NotUnderstood with the reason."""
    parts: dict[str, str] = {}
    for part in filter(None, text.upper().split(";")):
        name, equals, value = part.partition("=")
        if not equals or name in parts:
            raise NotUnderstood(_("The repetition cannot be read."))
        parts[name] = value
    if set(parts) - _KNOWN or parts.get("RSCALE", "GREGORIAN") != "GREGORIAN" or "SKIP" in parts:
        raise NotUnderstood(_("The event repeats in a way that is not read here."))
    if parts.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}:
        raise NotUnderstood(_("The event repeats in a way that is not read here."))
    try:
        return Rule(
            freq=parts["FREQ"],
            interval=_within(parts.get("INTERVAL", "1"), 1, 1000),
            count=_within(parts["COUNT"], 1, 100_000) if "COUNT" in parts else None,
            until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
            by_day=tuple(_by_day(one) for one in _list(parts, "BYDAY")),
            by_month_day=tuple(_within(one, -31, 31) for one in _list(parts, "BYMONTHDAY")),
            by_month=tuple(_within(one, 1, 12) for one in _list(parts, "BYMONTH")),
            by_set_pos=tuple(_within(one, -366, 366) for one in _list(parts, "BYSETPOS")),
            week_start=_DAYS.index(parts.get("WKST", "MO")),
        )
    except ValueError as error:
        raise NotUnderstood(_("The repetition cannot be read.")) from error


def _list(parts: Mapping[str, str], name: str) -> list[str]:
    found = parts[name].split(",") if name in parts else []
    if len(found) > 100:
        raise ValueError(name)
    return found


def _within(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[+-]?\d{1,6}", text):
        raise ValueError(text)
    number = int(text)
    if not least <= number <= most or number == 0:
        raise ValueError(text)
    return number


def _by_day(text: str) -> tuple[int, int]:
    found = _BYDAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1] or 0), _DAYS.index(found[2])


def _until(text: str) -> date:
    if len(text) == 8:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day
    moment = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - its zone follows
    return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment


def occurrences(
    rule: Rule, start: datetime, zone: tzinfo, first: datetime, last: datetime
) -> Iterator[datetime]:
    """The local starts from `start` on (itself the first), of those between `first` and `last`; all
    naive, on the clock of `zone`. NotUnderstood when it would take too long to find out."""
    for given, moment in enumerate(_moments(rule, start, first), 1):
        too_many = rule.count is not None and given > rule.count
        if too_many or moment > last or _past(rule, moment, zone):
            return
        if moment >= first:
            yield moment


def _moments(rule: Rule, start: datetime, first: datetime) -> Iterator[datetime]:
    """Every start in order, none before `start`."""
    for number, days in enumerate(_periods(rule, start, first)):
        if number > MOST_PERIODS:
            raise NotUnderstood(_("The event repeats too often."))
        for day in days:
            moment = datetime.combine(day, start.time())
            if moment >= start:
                yield moment


def _past(rule: Rule, moment: datetime, zone: tzinfo) -> bool:
    until = rule.until
    if until is None:
        return False
    if not isinstance(until, datetime):
        return moment.date() > until
    if until.tzinfo is None:
        return moment > until
    return moment.replace(tzinfo=zone) > until


def _periods(rule: Rule, start: datetime, first: datetime) -> Iterator[list[date]]:
    """The days of each period in turn; without a count to keep, from shortly before `first` on."""
    near = max(start.date(), first.date()) if rule.count is None else start.date()
    match rule.freq:
        case "DAILY":
            skipped = (near - start.date()).days // rule.interval
            yield from _by_days(rule, start.date() + timedelta(days=skipped * rule.interval))
        case "WEEKLY":
            monday = start.date() - timedelta(days=(start.weekday() - rule.week_start) % 7)
            skipped = max(0, (near - monday).days // (7 * rule.interval) - 1)
            week = monday + timedelta(days=7 * rule.interval * skipped)
            yield from _by_weeks(rule, start.date(), week)
        case "MONTHLY":
            months = (near.year - start.year) * 12 + near.month - start.month
            skipped = max(0, months // rule.interval - 1)
            yield from _by_months(rule, start.date(), skipped * rule.interval)
        case _:
            skipped = max(0, (near.year - start.year) // rule.interval - 1)
            yield from _by_years(rule, start.date(), skipped * rule.interval)


def _by_days(rule: Rule, day: date) -> Iterator[list[date]]:
    while day.year < 2200:
        yield _chosen(rule, [day] if _fits(rule, day) else [])
        day += timedelta(days=rule.interval)


def _by_weeks(rule: Rule, start: date, week: date) -> Iterator[list[date]]:
    wanted = {weekday for _which, weekday in rule.by_day} or {start.weekday()}
    while week.year < 2200:
        days = [week + timedelta(days=number) for number in range(7)]
        fitting = [day for day in days if day.weekday() in wanted]
        yield _chosen(rule, [d for d in fitting if not rule.by_month or d.month in rule.by_month])
        week += timedelta(days=7 * rule.interval)


def _by_months(rule: Rule, start: date, offset: int) -> Iterator[list[date]]:
    while True:
        year, month0 = divmod(start.year * 12 + start.month - 1 + offset, 12)
        if year >= 2200:
            return
        allowed = not rule.by_month or month0 + 1 in rule.by_month
        yield _chosen(rule, _in_month(rule, start, year, month0 + 1) if allowed else [])
        offset += rule.interval


def _by_years(rule: Rule, start: date, offset: int) -> Iterator[list[date]]:
    year = start.year + offset
    while year < 2200:
        if rule.by_month or rule.by_month_day or not rule.by_day:
            months = sorted(set(rule.by_month)) or (
                range(1, 13) if rule.by_month_day else [start.month]
            )
            days = [day for month in months for day in _in_month(rule, start, year, month)]
        else:
            whole = [date(year, 1, 1) + timedelta(days=n) for n in range(_length(year))]
            days = _picked(rule, whole)
        yield _chosen(rule, days)
        year += rule.interval


def _length(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _in_month(rule: Rule, start: date, year: int, month: int) -> list[date]:
    length = monthrange(year, month)[1]
    whole = [date(year, month, day) for day in range(1, length + 1)]
    if rule.by_month_day:
        numbers = {number if number > 0 else length + 1 + number for number in rule.by_month_day}
        whole = [day for day in whole if day.day in numbers]
        weekdays = {weekday for _which, weekday in rule.by_day}
        return [day for day in whole if not weekdays or day.weekday() in weekdays]
    if rule.by_day:
        return _picked(rule, whole)
    return [day for day in whole if day.day == start.day]


def _picked(rule: Rule, whole: list[date]) -> list[date]:
    """The weekdays of a stretch that BYDAY names: every one, the second, the last but one…"""
    found: set[date] = set()
    for which, weekday in rule.by_day:
        such = [day for day in whole if day.weekday() == weekday]
        if which == 0:
            found.update(such)
        elif abs(which) <= len(such):
            found.add(such[which - 1 if which > 0 else which])
    return sorted(found)


def _fits(rule: Rule, day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    return (
        (not rule.by_month or day.month in rule.by_month)
        and (not rule.by_day or day.weekday() in {weekday for _which, weekday in rule.by_day})
        and (
            not rule.by_month_day or bool({day.day, day.day - length - 1} & set(rule.by_month_day))
        )
    )


def _chosen(rule: Rule, days: list[date]) -> list[date]:
    if not rule.by_set_pos:
        return days
    picked = {
        days[place - 1 if place > 0 else place]
        for place in rule.by_set_pos
        if abs(place) <= len(days)
    }
    return sorted(picked)
