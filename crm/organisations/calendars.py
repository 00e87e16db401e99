"""Working-time arithmetic: legal deadlines in working days, service times in opening hours.

Pure: a Calendar is layers laid one on another (national, regional, local, unit), and functions
answer over it. Two ideas are kept apart, as Ley 39/2015 art. 30.8 does: a *working day* (día
hábil) counts in deadlines; *opening hours* say when somebody attends, Saturdays included.
"""

import calendar as months
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays as holidays_library
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Invalid, Text

ONE_DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6


class NotCovered(Invalid):
    """The answer lies in a year whose holidays are not loaded, so it would be a guess."""

    title = _("The calendar does not reach that date")

    def __init__(self, covered: range) -> None:
        super().__init__(
            _("The holidays of that year are not loaded in the calendar."),
            code="calendar_not_covered",
            first_year=covered.start,
            last_year=covered.stop - 1,
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """Hours of attention on the local clock. An end not later than the start is the next day's:
    22:00-06:00 passes midnight, 00:00-00:00 is the whole day."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("An interval is local time: the calendar gives the zone.")

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    @property
    def passes_midnight(self) -> bool:
        return self.end <= self.start


Hours = tuple[Interval, ...]


@dataclass(frozen=True)
class Layer:
    """What one authority decides, over whatever the layers below it say.

    `weekly_hours` (0 is Monday) and `date_hours` replace those of the layers below, for the
    weekdays and dates they name; an empty tuple is "closed". On holidays it opens only by
    `date_hours`. A date in `working_exceptions` is no longer a holiday; it does not turn a
    Saturday or a Sunday into a working day, which no authority can.
    """

    name: str
    holidays: Mapping[date, str] = field(default_factory=dict)
    working_exceptions: Mapping[date, str] = field(default_factory=dict)
    weekly_hours: Mapping[int, Hours] | None = None
    date_hours: Mapping[date, Hours] = field(default_factory=dict)
    years: frozenset[int] | None = None
    """Those whose holidays somebody entered; None where the layer needs none, or `covered` says it."""


@dataclass(frozen=True)
class Calendar:
    """Layers from the most general to the most particular, in one time zone.

    `covered` are the years whose holidays are loaded. A day is also non-working when it is so in
    a calendar of `alongside`: give there that of the person's residence where Ley 39/2015
    art. 30.6 applies, and none for an electronic register (art. 31.3).
    """

    layers: tuple[Layer, ...]
    zone: ZoneInfo
    covered: range
    alongside: tuple["Calendar", ...] = ()

    @cached_property
    def passes_midnight(self) -> bool:
        """Whether some opening may belong to the day before."""
        return any(
            interval.passes_midnight
            for layer in self.layers
            for hours in (*(layer.weekly_hours or {}).values(), *layer.date_hours.values())
            for interval in hours
        )

    @cached_property
    def working_days(self) -> tuple[int, ...]:
        """The ordinals of all working days of the years that it and those alongside cover, in order."""
        years = [set(one.covered) for one in (self, *self.alongside)]
        return tuple(
            number
            for year in sorted(set.intersection(*years))
            for number in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
            if is_working_day(self, date.fromordinal(number))
        )


class Reason(StrEnum):
    """Why a day is not a working day."""

    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class NonWorking:
    """Why a day does not count: the reason, its name to be shown, and the layer it comes from
    (empty for Saturdays and Sundays, which are the law's)."""

    reason: Reason
    name: Text
    layer: str = ""


class Opening(NamedTuple):
    """A stretch of attention, both ends in UTC so that their difference is elapsed time."""

    start: datetime
    end: datetime


# --- working days --------------------------------------------------------------------------------


def why_not_working(calendar: Calendar, day: date) -> NonWorking | None:
    """Why the day is not a working day (Ley 39/2015 art. 30.2); None if it is one."""
    _require_covered(calendar, day)
    found: NonWorking | None = None
    if day.weekday() == SATURDAY:
        found = NonWorking(Reason.SATURDAY, _("Saturday"))
    elif day.weekday() == SUNDAY:
        found = NonWorking(Reason.SUNDAY, _("Sunday"))
    elif layer := _holiday_layer(calendar, day):
        found = NonWorking(Reason.HOLIDAY, layer.holidays[day], layer.name)
    for other in calendar.alongside:
        found = found or why_not_working(other, day)
    return found


def not_loaded(calendar: Calendar, start: date, end: date) -> list[tuple[str, int]]:
    """The layers, and the years between two days, whose holidays nobody entered: a date computed over
    them may still move."""
    years = range(start.year, end.year + 1)
    layers = (layer for one in (calendar, *calendar.alongside) for layer in one.layers)
    return [
        (layer.name, year)
        for layer in layers
        for year in years
        if layer.years is not None and year not in layer.years
    ]


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Whether the day is hábil: not Saturday, not Sunday, not a holiday (art. 30.2)."""
    return why_not_working(calendar, day) is None


def next_working_day(calendar: Calendar, day: date) -> date:
    """The day itself if it is a working day, else the next one (art. 30.5)."""
    while not is_working_day(calendar, day):
        day = _plus_days(calendar, day, 1)
    return day


def add_working_days(calendar: Calendar, start: date, count: int) -> date:
    """The last day of a term of `count` working days that begins the day after `start` (art. 30.2).

    Zero days is `start`, or the next working day.
    """
    _require_not_negative(count)
    _require_covered(calendar, start)
    day = start
    for _each in range(count):
        day = next_working_day(calendar, _plus_days(calendar, day, 1))
    return day if count else next_working_day(calendar, start)


def add_calendar_days(calendar: Calendar, start: date, count: int, *, extend: bool = True) -> date:
    """The last day of a term of `count` days that begins the day after `start` (art. 30.2).

    A non-working last day moves to the next working day (art. 30.5), unless `extend` is false: for
    mere lapses of time, such as the ten days of art. 43.2.
    """
    _require_not_negative(count)
    last = _plus_days(calendar, start, count)
    return next_working_day(calendar, last) if extend else last


def add_months(calendar: Calendar, start: date, count: int) -> date:
    """The last day of a term of `count` months: the day number of `start` in the due month, or that
    month's last day (art. 30.4); if it is not a working day, the next one (art. 30.5)."""
    _require_not_negative(count)
    _require_covered(calendar, start)
    year, month0 = divmod(start.year * 12 + start.month - 1 + count, 12)
    if year not in calendar.covered:
        raise NotCovered(calendar.covered)
    last_of_month = months.monthrange(year, month0 + 1)[1]
    return next_working_day(calendar, date(year, month0 + 1, min(start.day, last_of_month)))


def add_years(calendar: Calendar, start: date, count: int) -> date:
    """The last day of a term of `count` years, as `add_months` (art. 30.4): 29 February falls on
    28 February in a common year."""
    return add_months(calendar, start, 12 * count)


def working_days_between(calendar: Calendar, start: date, end: date) -> int:
    """How many working days a term from `start` to `end` counts: `start` out, `end` in.

    Negative when `end` is earlier. It undoes `add_working_days`.
    """
    if end < start:
        return -working_days_between(calendar, end, start)
    _require_covered(calendar, start)
    _require_covered(calendar, end)
    days = (start + ONE_DAY * number for number in range(1, (end - start).days + 1))
    return sum(is_working_day(calendar, day) for day in days)


def _holiday_layer(calendar: Calendar, day: date) -> Layer | None:
    """The layer that makes the day a holiday, unless a more particular one lifts it."""
    for layer in reversed(calendar.layers):
        if day in layer.holidays:
            return layer
        if day in layer.working_exceptions:
            return None
    return None


def _plus_days(calendar: Calendar, day: date, count: int) -> date:
    _require_covered(calendar, day)
    if count > 366 * len(calendar.covered):  # before the date overflows
        raise NotCovered(calendar.covered)
    moved = day + ONE_DAY * count
    _require_covered(calendar, moved)
    return moved


def _require_covered(calendar: Calendar, day: date) -> None:
    if day.year not in calendar.covered:
        raise NotCovered(calendar.covered)


def _require_not_negative(count: int) -> None:
    if count < 0:
        raise ValueError("A term runs forward: its length cannot be negative.")


# --- opening hours -------------------------------------------------------------------------------


def intervals(calendar: Calendar, day: date) -> tuple[Opening, ...]:
    """The openings that begin on the local day, in order; those that touch are one.

    A clock time that occurs twice (October) is its first occurrence and one that does not occur
    (March) keeps the offset of before the change, as in RFC 5545 3.3.5.
    """
    _require_covered(calendar, day)
    openings = (
        Opening(
            _instant(calendar, day, interval.start),
            _instant(calendar, day + ONE_DAY * interval.passes_midnight, interval.end),
        )
        for interval in _hours(calendar, day)
    )
    return tuple(_joined(sorted(opening for opening in openings if opening.start < opening.end)))


def is_open_at(calendar: Calendar, at: datetime) -> bool:
    """Whether somebody attends at that instant; the closing instant is already closed."""
    at = _utc(at)
    days = {_first_day(calendar, at), _local_day(calendar, at)}
    return any(
        opening.start <= at < opening.end for day in days for opening in intervals(calendar, day)
    )


def next_opening(calendar: Calendar, at: datetime) -> Opening:
    """The opening under way at that instant, else the next one. Another may follow it at once.

    Raises NotCovered when there is none in the years of the calendar.
    """
    for opening in _openings_from(calendar, at):
        return opening
    raise NotCovered(calendar.covered)


def add_working_time(calendar: Calendar, start: datetime, duration: timedelta) -> datetime:
    """The first instant, in UTC, at which `duration` of opening hours has passed since `start`."""
    if duration < timedelta(0):
        raise ValueError("A term runs forward: its length cannot be negative.")
    start = _utc(start)
    _require_covered(calendar, _local_day(calendar, start))
    if not duration:
        return start
    for opening in _openings_from(calendar, start):
        begin = max(opening.start, start)
        if duration <= opening.end - begin:
            return begin + duration
        duration -= opening.end - begin
    raise NotCovered(calendar.covered)


def working_time_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much opening time, really elapsed, lies between two instants; negative if reversed."""
    start, end = _utc(start), _utc(end)
    if end < start:
        return -working_time_between(calendar, end, start)
    _require_covered(calendar, _local_day(calendar, end))
    total = timedelta(0)
    for opening in _openings_from(calendar, start):
        if opening.start >= end:
            break
        total += min(opening.end, end) - max(opening.start, start)
    return total


def _hours(calendar: Calendar, day: date) -> Hours:
    """The hours of the most particular layer that speaks of the date, else of its weekday."""
    lifted = False
    for layer in reversed(calendar.layers):
        if day in layer.date_hours:
            return layer.date_hours[day]
        if day in layer.holidays and not lifted:
            return ()
        lifted = lifted or day in layer.working_exceptions
    for layer in reversed(calendar.layers):
        if layer.weekly_hours is not None and day.weekday() in layer.weekly_hours:
            return layer.weekly_hours[day.weekday()]
    return ()


def _openings_from(calendar: Calendar, at: datetime) -> Iterator[Opening]:
    """Openings that end after the instant, in order and apart, until the last covered day."""
    first = _first_day(calendar, at)
    last = date(calendar.covered[-1], 12, 31)
    at = counted = _utc(at)
    for number in range((last - first).days + 1):
        for opening in intervals(calendar, first + ONE_DAY * number):
            if opening.end > counted:
                # A night shift may run into the next day's hours: no minute counts twice.
                start = opening.start if counted == at else max(opening.start, counted)
                yield Opening(start, opening.end)
                counted = opening.end


def _first_day(calendar: Calendar, at: datetime) -> date:
    """The earliest local day whose openings may reach the instant."""
    day = _local_day(calendar, at)
    _require_covered(calendar, day)
    return _plus_days(calendar, day, -1) if calendar.passes_midnight else day


def _joined(openings: Iterable[Opening]) -> Iterator[Opening]:
    """Ordered openings, those that touch or overlap made one, so that no minute counts twice."""
    current: Opening | None = None
    for opening in openings:
        if current is None:
            current = opening
        elif opening.start <= current.end:
            current = Opening(current.start, max(current.end, opening.end))
        else:
            yield current
            current = opening
    if current is not None:
        yield current


def _instant(calendar: Calendar, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=calendar.zone).astimezone(UTC)


def _local_day(calendar: Calendar, at: datetime) -> date:
    return _utc(at).astimezone(calendar.zone).date()


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("An instant needs its time zone.")
    return at.astimezone(UTC)


# --- the holidays of Spain -----------------------------------------------------------------------

REGIONS: Mapping[str, str] = {
    "AN": "Andalucía",
    "AR": "Aragón",
    "AS": "Principado de Asturias",
    "CB": "Cantabria",
    "CE": "Ceuta",
    "CL": "Castilla y León",
    "CM": "Castilla-La Mancha",
    "CN": "Canarias",
    "CT": "Cataluña",
    "EX": "Extremadura",
    "GA": "Galicia",
    "IB": "Illes Balears",
    "MC": "Región de Murcia",
    "MD": "Comunidad de Madrid",
    "ML": "Melilla",
    "NC": "Comunidad Foral de Navarra",
    "PV": "País Vasco",
    "RI": "La Rioja",
    "VC": "Comunitat Valenciana",
}
FIRST_YEAR_OF_HOLIDAYS = 2008


def spanish_holidays(years: Iterable[int], region: str | None = None) -> Layer:
    """The holidays of those years as a layer, with Spanish names: the national ones, or what a
    region (a code of REGIONS) adds to and takes from them.

    Local holidays (two a year, each town hall's) are not known to the `holidays` library. Its
    figures follow the yearly BOE resolution up to the library's release, later years are its rule.
    """
    wanted = sorted(set(years))
    if wanted and wanted[0] < FIRST_YEAR_OF_HOLIDAYS:
        raise NotCovered(range(FIRST_YEAR_OF_HOLIDAYS, max(wanted) + 1))
    national = _library_holidays(wanted, None)
    if region is None:
        return Layer(name="España", holidays=national)
    name = REGIONS[region]
    regional = _library_holidays(wanted, region)
    return Layer(
        name=name,
        holidays={day: regional[day] for day in regional if day not in national},
        working_exceptions={day: national[day] for day in national if day not in regional},
    )


def _library_holidays(years: list[int], region: str | None) -> dict[date, str]:
    found = holidays_library.country_holidays("ES", subdiv=region, years=years, language="es")
    return dict(sorted(found.items()))
