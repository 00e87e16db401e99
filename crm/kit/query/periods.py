"""Days, months and durations in expressions: 2026-01-01, 7d, last-week, now, 2026-01..2026-03."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from crm.kit.forms import YEARS

_DURATION = re.compile(r"([+-]?)([0-9]{1,4})([a-z]+)")
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DAY_ES = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{1,2})")
_YEAR = re.compile(r"([0-9]{4})")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[tT]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
)
_UNITS = {
    **dict.fromkeys(("h", "hora", "horas", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "dia", "dias", "day", "days"), "d"),
    **dict.fromkeys(("w", "s", "sem", "semana", "semanas", "week", "weeks"), "w"),
    **dict.fromkeys(("m", "mes", "meses", "month", "months"), "m"),
    **dict.fromkeys(("y", "a", "ano", "anos", "year", "years"), "y"),
}
# each word: what it counts, and how many of them from the present one
_NAMED = {
    "today": ("d", 0),
    "hoy": ("d", 0),
    "yesterday": ("d", -1),
    "ayer": ("d", -1),
    "tomorrow": ("d", 1),
    "manana": ("d", 1),
    "this-week": ("w", 0),
    "esta-semana": ("w", 0),
    "last-week": ("w", -1),
    "semana-pasada": ("w", -1),
    "next-week": ("w", 1),
    "semana-proxima": ("w", 1),
    "proxima-semana": ("w", 1),
    "this-month": ("m", 0),
    "este-mes": ("m", 0),
    "last-month": ("m", -1),
    "mes-pasado": ("m", -1),
    "next-month": ("m", 1),
    "mes-proximo": ("m", 1),
    "proximo-mes": ("m", 1),
    "this-year": ("y", 0),
    "este-ano": ("y", 0),
    "last-year": ("y", -1),
    "ano-pasado": ("y", -1),
    "next-year": ("y", 1),
    "ano-proximo": ("y", 1),
}
_NOW = ("now", "ahora")
NAMES = (*_NAMED, *_NOW)
_ENGLISH = (
    "today yesterday tomorrow this-week last-week next-week this-month last-month this-year"
    " last-year now 7d 30d"
)
_SPANISH = (
    "hoy ayer mañana esta-semana semana-pasada semana-próxima este-mes mes-pasado este-año"
    " año-pasado ahora 7d 30d"
)
OFFERED = {True: tuple(_SPANISH.split()), False: tuple(_ENGLISH.split())}
"""What is offered where a date may stand; True: in Spanish."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to but not including `end`; a moment is one without length."""

    start: datetime
    end: datetime

    def by(self, sign: str) -> tuple[datetime | None, datetime | None] | None:
        """From when and before when something lies, that stands to it as the sign says.

        None: nothing lies in a moment.
        """
        after = self.end if self.end > self.start else self.end + timedelta(microseconds=1)
        if sign in (":", "="):
            return (self.start, self.end) if self.end > self.start else None
        return {
            "<": (None, self.start),
            "<=": (None, after),
            ">": (after, None),
            ">=": (self.start, None),
        }[sign]


def period_of(text: str, now: datetime, *, ahead: bool = False) -> Period | None:
    """The period that a folded word means at this moment; None when it means none.

    A duration without a sign is counted ahead or back, as suits the field.
    """
    first, dots, last = text.partition("..")
    try:
        if not dots:
            return _one(text, now, ahead=ahead)
        begins, ends = _one(first, now, ahead=ahead), _one(last, now, ahead=ahead)
    except (ValueError, OverflowError):  # no such day, or beyond what a calendar holds
        return None
    if begins is None or ends is None or begins.start > ends.start:
        return None
    return Period(begins.start, ends.end)


def _one(text: str, now: datetime, *, ahead: bool) -> Period | None:
    if text in _NOW:
        return Period(now, now)
    if text in _NAMED:
        unit, distance = _NAMED[text]
        return _whole(unit, distance, now)
    if found := _DURATION.fullmatch(text):
        unit = _UNITS.get(found[3], "")
        forward = found[1] == "+" or (ahead and found[1] != "-")
        distance = int(found[2]) if forward else -int(found[2])
        return _distant(unit, distance, now) if unit else None
    if found := _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=now.tzinfo)
        return Period(_known(moment), moment)
    return _dated(text, now)


def _dated(text: str, now: datetime) -> Period | None:
    if found := _DAY.fullmatch(text):
        return _day(date(int(found[1]), int(found[2]), int(found[3])), now)
    if found := _DAY_ES.fullmatch(text):
        return _day(date(int(found[3]), int(found[2]), int(found[1])), now)
    if found := _MONTH.fullmatch(text):
        return _month(int(found[1]), int(found[2]), now)
    if found := _YEAR.fullmatch(text):
        return _year(int(found[1]), now)
    return None


def _whole(unit: str, distance: int, now: datetime) -> Period:
    """The day, week, month or year so many from the present one."""
    today = now.date()
    if unit == "d":
        return _day(today + timedelta(days=distance), now)
    if unit == "w":
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=distance)
        return Period(_midnight(monday, now), _midnight(monday + timedelta(days=7), now))
    if unit == "m":
        months = today.year * 12 + today.month - 1 + distance
        return _month(months // 12, months % 12 + 1, now)
    return _year(today.year + distance, now)


def _distant(unit: str, distance: int, now: datetime) -> Period:
    """The day so far from today; of hours, the moment."""
    if unit == "h":
        moment = (now.astimezone(UTC) + timedelta(hours=distance)).astimezone(now.tzinfo)
        return Period(_known(moment), moment)
    today = now.date()
    if unit in ("d", "w"):
        return _day(today + timedelta(days=distance * (7 if unit == "w" else 1)), now)
    months = today.year * 12 + today.month - 1 + distance * (12 if unit == "y" else 1)
    year, month = months // 12, months % 12 + 1
    last = monthrange(year, month)[1] if year in YEARS else 1
    return _day(date(year, month, min(today.day, last)), now)


def _day(day: date, now: datetime) -> Period:
    return Period(_midnight(day, now), _midnight(day + timedelta(days=1), now))


def _month(year: int, month: int, now: datetime) -> Period:
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    return Period(_midnight(first, now), _midnight(after, now))


def _year(year: int, now: datetime) -> Period:
    return Period(_midnight(date(year, 1, 1), now), _midnight(date(year + 1, 1, 1), now))


def _midnight(day: date, now: datetime) -> datetime:
    return _known(datetime.combine(day, time.min, now.tzinfo))


def _known(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(moment)
    return moment
