"""What happened to a case, as the figures see it: days of the organisation's clock, times to answer. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import cos, radians
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cases.models import StateCategory
from crm.organisations import calendars
from crm.organisations.calendars import Calendar, NotCovered

_NEAR = 0.5  # degrees: a place farther than some fifty kilometres from every district lies in none


class Raw(NamedTuple):
    """A case as it is kept. `moves` are [seconds since 1970, state entered, its category or None]."""

    case: int
    unit: int
    case_type: int
    channel: str
    version: int
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    latitude: float | None
    longitude: float | None
    municipality: str | None
    answered_at: datetime | None  # the first message to the citizen
    moves: Sequence[Sequence[Any]] | None


class Fact(NamedTuple):
    """A row of CaseFact without its organisation, in the order in which it is written."""

    case_id: int
    unit_id: int
    case_type_id: int
    channel: str
    district_id: int | None
    opened_at: datetime
    due_at: datetime | None
    opened_on: date
    opened_hour: int
    answered_on: date | None
    answer_minutes: int | None
    answer_natural: bool
    ended_on: date | None
    ended_late: bool | None
    solved_minutes: int | None
    solved_natural: bool
    ended_before: list[date]
    reopened_on: list[date]


class Place(NamedTuple):
    """A district as far as finding it goes."""

    pk: int
    latitude: float
    longitude: float
    municipality: str


def rounded(minutes: int) -> int:
    """Minutes to two significant digits, downwards: 47, 1,200, 86,000. It keeps their order."""
    step = 1
    while minutes // step >= 100:
        step *= 10
    return minutes // step * step


class Attention:
    """The opening hours of a calendar from one year on, added up, so that any two moments are quick."""

    def __init__(self, calendar: Calendar, first: int, last: int) -> None:
        self.first = first
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._before: list[float] = []
        total = 0.0
        day, stop = date(first, 1, 1), date(last, 12, 31)
        while day <= stop:
            for opening in calendars.intervals(calendar, day):
                start = opening.start.timestamp()
                if self._ends:  # a night shift may run into the next day's hours: none counts twice
                    start = max(start, self._ends[-1])
                end = opening.end.timestamp()
                if start < end:
                    self._starts.append(start)
                    self._ends.append(end)
                    self._before.append(total)
                    total += end - start
            day += timedelta(days=1)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def seconds(self, start: float, end: float) -> float:
        """How much opening time lies between two moments."""
        return self._until(end) - self._until(start)

    def _until(self, moment: float) -> float:
        at = bisect_right(self._starts, moment) - 1
        if at < 0:
            return 0.0
        return self._before[at] + min(moment, self._ends[at]) - self._starts[at]


@dataclass
class Deriver:
    """Knows what an organisation's cases are read by: clock, calendars of units, states, districts."""

    zone: ZoneInfo
    calendars: Mapping[int, Calendar]  # by unit
    ended_states: Mapping[int, frozenset[str]]  # by version: states in which work has ended
    places: Sequence[Place] = ()
    this_year: int = field(default_factory=lambda: datetime.now(UTC).year)
    _attention: dict[int, Attention] = field(default_factory=dict)

    def fact(self, raw: Raw) -> Fact:
        """The fact of a case."""
        opened = raw.opened_at.astimezone(self.zone)
        ends, reopened = self._ends(raw)
        ended_at = ends.pop() if len(ends) > len(reopened) else None
        first_end = min([*ends, *([ended_at] if ended_at else [])], default=None)
        answers = [moment for moment in (raw.answered_at, first_end) if moment]
        answered_at = min(answers, default=None)
        answer, answer_natural = self._minutes(raw, answered_at)
        solved, solved_natural = self._minutes(raw, ended_at)
        late = ended_at > raw.due_at if ended_at and raw.due_at else None
        return Fact(
            raw.case,
            raw.unit,
            raw.case_type,
            raw.channel,
            self._district(raw),
            raw.opened_at,
            raw.due_at,
            opened.date(),
            opened.hour,
            self._day(answered_at),
            answer,
            answer_natural,
            self._day(ended_at),
            late,
            solved,
            solved_natural,
            [moment.astimezone(self.zone).date() for moment in ends],
            [moment.astimezone(self.zone).date() for moment in reopened],
        )

    def _day(self, moment: datetime | None) -> date | None:
        return moment.astimezone(self.zone).date() if moment else None

    def _ends(self, raw: Raw) -> tuple[list[datetime], list[datetime]]:
        """When work ended and when it was taken up again, in turn; the case itself has the last word."""
        ends: list[datetime] = []
        reopened: list[datetime] = []
        known = self.ended_states.get(raw.version, frozenset())
        for seconds, state, category in raw.moves or ():
            has_ended = state in known if category is None else category >= StateCategory.RESOLVED
            moment = datetime.fromtimestamp(seconds, UTC)
            if has_ended and len(ends) == len(reopened):
                ends.append(moment)
            elif not has_ended and len(ends) > len(reopened):
                reopened.append(moment)
        if raw.closed_at is None and len(ends) > len(reopened):
            ends.pop()
        elif raw.closed_at is not None:
            if len(ends) > len(reopened):
                ends.pop()
            ends.append(raw.closed_at)
        return ends, reopened

    def _minutes(self, raw: Raw, until: datetime | None) -> tuple[int | None, bool]:
        """The time from the opening, and whether it is natural time for want of opening hours."""
        if until is None:
            return None, False
        start, end = raw.opened_at.timestamp(), until.timestamp()
        hours = self._hours(raw.unit, raw.opened_at.year)
        if hours is None:
            return rounded(max(0, int(end - start) // 60)), True
        return rounded(max(0, int(hours.seconds(start, end)) // 60)), False

    def _hours(self, unit: int, year: int) -> Attention | None:
        calendar = self.calendars.get(unit)
        if calendar is None or not any(layer.weekly_hours for layer in calendar.layers):
            return None
        known = self._attention.get(id(calendar))
        if known is None or year < known.first:
            try:
                known = Attention(calendar, year, self.this_year)
            except (
                NotCovered
            ):  # a year whose holidays nobody entered: opening hours would be a guess
                return None
            self._attention[id(calendar)] = known
        return known or None

    def _district(self, raw: Raw) -> int | None:
        if raw.latitude is not None and raw.longitude is not None:
            return self._nearest(raw.latitude, raw.longitude)
        if raw.municipality:
            return next(
                (place.pk for place in self.places if place.municipality == raw.municipality), None
            )
        return None

    def _nearest(self, latitude: float, longitude: float) -> int | None:
        squeeze = cos(radians(latitude))  # a degree of longitude is that much shorter here
        found, least = None, _NEAR**2
        for place in self.places:
            far = (place.latitude - latitude) ** 2 + ((place.longitude - longitude) * squeeze) ** 2
            if far < least:
                found, least = place.pk, far
        return found
