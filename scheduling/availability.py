"""Free times of agendas, in the local time of their office. Pure: no clock, no tables.

Rules are said on the clock on the wall and expanded day by day, then turned into instants: a time that
does not exist in the night of March is no slot, one that occurs twice in October is its first occurrence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm.organisations import calendars
from crm.organisations.calendars import Calendar, Reason

ONE_DAY = timedelta(days=1)


class Span(NamedTuple):
    """A stretch of time, both ends in UTC; the end belongs to what follows."""

    start: datetime
    end: datetime

    def meets(self, other: "Span") -> bool:
        """Whether both have some time in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Rule:
    """Every such weekday (0 Monday) from when to when, in the dates of its validity."""

    weekday: int
    start: time
    end: time
    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it says something of this date."""
        return (
            day.weekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class Agenda:
    """When one agenda attends: weekly rules, dates that differ (none: not at all), what is taken.

    `key` is whatever its owner knows it by.
    """

    key: int
    rules: Sequence[Rule]
    exceptions: Mapping[date, Sequence[tuple[time, time]]] = field(default_factory=dict)
    busy: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """How long an appointment is, what is kept free around it, and how often one may begin."""

    duration: timedelta
    step: timedelta
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)

    def around(self, start: datetime) -> Span:
        """What an appointment that begins then takes of its agenda."""
        return Span(start - self.before, start + self.duration + self.after)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which somebody can be attended, and the agendas that are free then."""

    start: datetime
    end: datetime
    agendas: tuple[int, ...]


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime | None:
    """That time of the local day in UTC; the first of two, None of none."""
    local = datetime.combine(day, clock.replace(fold=0), tzinfo=zone)
    moment = local.astimezone(UTC)
    exists = moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    return moment if exists else None


def free_slots(
    agendas: Iterable[Agenda],
    shape: Shape,
    calendar: Calendar,
    days: Iterable[date],
    *,
    earliest: datetime,
    latest: datetime,
    closures: Sequence[Span] = (),
) -> list[Slot]:
    """The free times on these local days that begin between `earliest` and `latest`, in order.

    The layered calendar closes on its holidays and, where it knows opening hours, outside them;
    beyond the years that it covers nothing is free, because nobody knows the holidays.
    """
    free: dict[datetime, list[int]] = {}
    wanted = list(agendas)
    for day in days:
        if day.year not in calendar.covered:
            continue
        opened = _opened(calendar, day)
        for agenda in wanted:
            for start in _starts(agenda, shape, day, calendar.zone):
                slot = Span(start, start + shape.duration)
                if (
                    earliest <= start <= latest
                    and (opened is None or any(_holds(span, slot) for span in opened))
                    and not any(slot.meets(closed) for closed in closures)
                    and not any(shape.around(start).meets(taken) for taken in agenda.busy)
                ):
                    free.setdefault(start, []).append(agenda.key)
    return [
        Slot(start, start + shape.duration, tuple(keys)) for start, keys in sorted(free.items())
    ]


def _opened(calendar: Calendar, day: date) -> list[Span] | None:
    """When the calendar is open on a day; None when it knows no hours of it and no holiday closes it."""
    if any(
        day in layer.date_hours
        or (layer.weekly_hours is not None and day.weekday() in layer.weekly_hours)
        for layer in calendar.layers
    ):
        return [Span(opening.start, opening.end) for opening in calendars.intervals(calendar, day)]
    reason = calendars.why_not_working(calendar, day)
    return [] if reason is not None and reason.reason is Reason.HOLIDAY else None


def _starts(agenda: Agenda, shape: Shape, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """When appointments of this shape can begin on the local day by the agenda's own rules."""
    if day in agenda.exceptions:
        hours = list(agenda.exceptions[day])
    else:
        hours = [(rule.start, rule.end) for rule in agenda.rules if rule.holds_on(day)]
    seen: set[datetime] = set()
    for opens, closes in hours:
        wall, last = datetime.combine(day, opens), datetime.combine(day, closes)
        end = last.replace(tzinfo=zone, fold=1).astimezone(UTC)
        while wall + shape.duration <= last:
            start = instant(day, wall.time(), zone)
            if start is not None and start not in seen and start + shape.duration <= end:
                seen.add(start)
                yield start
            wall += shape.step


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def local_days(first: date, count: int) -> list[date]:
    """So many days, from the first on."""
    return [first + ONE_DAY * number for number in range(count)]
