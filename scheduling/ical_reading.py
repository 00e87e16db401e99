"""Reading iCalendar files (RFC 5545) of anybody: bounded, tolerant of what does not matter, clear about what
cannot be read. What the product takes from them is when an office is closed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Text
from scheduling.recurrence import NotUnderstood, occurrences, parse_rule

MOST_BYTES = 2 * 1024 * 1024
MOST_EVENTS = 5_000
MOST_OCCURRENCES = 1_000  # of one event
MOST_IN_ALL = 5_000
DEEPEST = 10
AHEAD = timedelta(days=2 * 366)  # closures later than that are nobody's plan yet
_NAME = re.compile(r"[A-Za-z0-9-]+")
_DATE = re.compile(r"\d{8}")
_MOMENT = re.compile(r"(\d{8})T(\d{6})(Z?)")
_DURATION = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,6})S)?)?"
)
_UNESCAPED = {"n": "\n", "N": "\n"}
# what Outlook calls the zones around here
_WINDOWS = {
    "Romance Standard Time": "Europe/Madrid",
    "W. Europe Standard Time": "Europe/Berlin",
    "Central Europe Standard Time": "Europe/Budapest",
    "GMT Standard Time": "Europe/London",
    "UTC": "UTC",
}


class CannotRead(ValueError):  # noqa: N818 - reads as what is said
    """The whole cannot be read; `message` says why."""

    def __init__(self, message: Text) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class Property:
    """One line: name and parameters in capitals."""

    name: str
    parameters: dict[str, str]
    value: str


@dataclass
class Component:
    """What stands between BEGIN and END."""

    name: str
    properties: list[Property] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        """The first property of that name."""
        return next((one for one in self.properties if one.name == name), None)

    def text(self, name: str) -> str:
        """The text of a property; empty where there is none."""
        found = self.first(name)
        return unescaped(found.value) if found else ""

    def events(self) -> Iterator["Component"]:
        """Every VEVENT in it."""
        if self.name == "VEVENT":
            yield self
        for part in self.parts:
            yield from part.events()


@dataclass(frozen=True, slots=True)
class Closed:
    """Once that an event says."""

    uid: str
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """An event that was left out, and why."""

    event: str
    reason: Text


# --- Components -----------------------------------------------------------------------------------


def components(content: bytes) -> list[Component]:
    """What the file holds, as it is nested; CannotRead when that is no iCalendar."""
    found: list[Component] = []
    stack: list[Component] = []
    for line in _lines(_text(content)):
        read = _property(line)
        if read.name == "BEGIN":
            _begin(read.value, stack, found)
        elif not stack:
            raise CannotRead(_("The file is no iCalendar."))
        elif read.name == "END":
            if stack.pop().name != read.value.strip().upper():
                raise CannotRead(_("The file ends a part that it has not begun."))
        else:
            stack[-1].properties.append(read)
    if stack or not found:
        raise CannotRead(_("The file breaks off.") if stack else _("The file is no iCalendar."))
    return found


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise CannotRead(_("The file is too large: it may have 2 MB."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotRead(_("The file is not UTF-8 text.")) from None
    if "\0" in text:
        raise CannotRead(_("The file is not text."))
    return text


def _begin(value: str, stack: list[Component], found: list[Component]) -> None:
    name = value.strip().upper()
    if not _NAME.fullmatch(name) or len(stack) >= DEEPEST:
        raise CannotRead(_("The file is no iCalendar."))
    made = Component(name)
    (stack[-1].parts if stack else found).append(made)
    stack.append(made)


def _lines(text: str) -> Iterator[str]:
    """Whole lines: one that begins with a space goes on the one before."""
    parts: list[str] = []
    for line in re.split(r"\r\n|\n|\r", text):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
        elif line.strip():
            if parts:
                yield "".join(parts)
            parts = [line]
    if parts:
        yield "".join(parts)


def _property(line: str) -> Property:
    """Name, parameters and value of a line; one that nobody understands has no name and spoils nothing."""
    head, value = _split_once(line, ":")
    name, *given = _split(head, ";")
    if value is None or not _NAME.fullmatch(name.strip()):
        return Property("", {}, "")
    parameters = {}
    for one in given:
        key, _equals, said = one.partition("=")
        parameters[key.strip().upper()] = said.strip().strip('"')
    return Property(name.strip().upper(), parameters, value)


def _split_once(line: str, mark: str) -> tuple[str, str | None]:
    """What stands before and after the first such mark outside quotes."""
    quoted = False
    for place, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif sign == mark and not quoted:
            return line[:place], line[place + 1 :]
    return line, None


def _split(text: str, mark: str) -> list[str]:
    found, rest = [], text
    while True:
        part, after = _split_once(rest, mark)
        found.append(part)
        if after is None:
            return found
        rest = after


def unescaped(value: str) -> str:
    """A text as it was before it was written down."""
    return re.sub(r"\\(.)", lambda found: _UNESCAPED.get(found[1], found[1]), value)


# --- When something is closed ---------------------------------------------------------------------


def closures_in(
    content: bytes, zone: ZoneInfo, now: datetime
) -> tuple[list[Closed], list[Problem]]:
    """Every time, from now on, that an event of the file takes; and the events left out, with the reason.

    Times without a zone are of the office's own clock. What is cancelled or marks nobody's time as taken
    (TRANSP:TRANSPARENT) closes nothing.
    """
    events = [event for one in components(content) for event in one.events()]
    if len(events) > MOST_EVENTS:
        raise CannotRead(_("The file has too many events."))
    found: list[Closed] = []
    problems: list[Problem] = []
    moved = _moved(events, zone)
    for event in events:
        try:
            for closed in _closed(event, zone, now, moved):
                if len(found) >= MOST_IN_ALL:
                    raise CannotRead(_("The file has too many events."))
                found.append(closed)
        except NotUnderstood as error:
            problems.append(
                Problem(event.text("SUMMARY")[:120] or event.text("UID")[:120], error.reason)
            )
    return found, problems


def _moved(events: Sequence[Component], zone: ZoneInfo) -> set[tuple[str, datetime]]:
    """The occurrences that an event of their own replaces."""
    found = set()
    for event in events:
        told = event.first("RECURRENCE-ID")
        if told is not None:
            try:
                moment, its_zone, _whole = _moment(told, told.value, zone)
            except NotUnderstood:
                continue
            found.add((event.text("UID"), _instant(moment, its_zone)))
    return found


def _closed(
    event: Component, zone: ZoneInfo, now: datetime, moved: set[tuple[str, datetime]]
) -> Iterator[Closed]:
    if event.text("STATUS").upper() == "CANCELLED" or event.text("TRANSP").upper() == "TRANSPARENT":
        return
    begins = event.first("DTSTART")
    if begins is None:
        raise NotUnderstood(_("It does not say when it begins."))
    start, its_zone, whole_day = _moment(begins, begins.value, zone)
    length = _length(event, start, its_zone, zone, whole_day=whole_day)
    uid, name = event.text("UID")[:255], " ".join(event.text("SUMMARY").split())[:120]
    single = event.first("RECURRENCE-ID") is not None
    if not uid:
        raise NotUnderstood(_("It has no UID, by which it is known again."))
    starts = [start] if single else _starts(event, start, its_zone, zone, now)
    for number, local in enumerate(starts):
        if number >= MOST_OCCURRENCES:
            raise NotUnderstood(_("The event repeats too often."))
        moment = _instant(local, its_zone)
        end = _instant(local + length, its_zone) if whole_day else moment + length
        if end <= now or moment > now + AHEAD or (not single and (uid, moment) in moved):
            continue
        yield Closed(uid, name or uid[:120], moment, end)


def _starts(
    event: Component, start: datetime, its_zone: tzinfo, zone: ZoneInfo, now: datetime
) -> list[datetime]:
    """The local starts of every occurrence near enough to matter, in order."""
    first = now.astimezone(its_zone).replace(tzinfo=None) - timedelta(days=366)
    last = (now + AHEAD).astimezone(its_zone).replace(tzinfo=None)
    found = {start}
    for rule in (one for one in event.properties if one.name == "RRULE"):
        for moment in occurrences(parse_rule(rule.value), start, its_zone, first, last):
            found.add(moment)
            if len(found) > MOST_OCCURRENCES:
                raise NotUnderstood(_("The event repeats too often."))
    found |= set(_listed(event, "RDATE", its_zone, zone))
    if len(found) > MOST_OCCURRENCES:
        raise NotUnderstood(_("The event repeats too often."))
    left_out = set(_listed(event, "EXDATE", its_zone, zone))
    days = {moment.date() for moment in left_out if moment.time() == time()}
    return sorted(
        moment for moment in found if moment not in left_out and moment.date() not in days
    )


def _listed(event: Component, name: str, its_zone: tzinfo, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments that all properties of a name list, on the event's own clock."""
    for one in event.properties:
        if one.name != name:
            continue
        for value in filter(None, one.value.split(",")):
            moment, zone_of_it, whole_day = _moment(one, value.partition("/")[0], zone)
            if whole_day or zone_of_it is its_zone:
                yield moment
            else:
                yield _instant(moment, zone_of_it).astimezone(its_zone).replace(tzinfo=None)


def _length(
    event: Component, start: datetime, its_zone: tzinfo, zone: ZoneInfo, *, whole_day: bool
) -> timedelta:
    ends, lasts = event.first("DTEND"), event.first("DURATION")
    if ends is not None:
        end, zone_of_end, _whole = _moment(ends, ends.value, zone)
        length = (
            end - start if whole_day else _instant(end, zone_of_end) - _instant(start, its_zone)
        )
    elif lasts is not None:
        length = _duration(lasts.value)
    elif whole_day:
        length = timedelta(days=1)
    else:
        raise NotUnderstood(_("It does not say when it ends."))
    if not timedelta(0) < length <= timedelta(days=366):
        raise NotUnderstood(_("It ends before it begins, or lasts too long."))
    return length


def _moment(read: Property, value: str, zone: ZoneInfo) -> tuple[datetime, tzinfo, bool]:
    """A moment on its clock, that clock, and whether it is a whole day."""
    value = value.strip()
    try:
        if _DATE.fullmatch(value):
            day = datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 - a day
            return datetime.combine(_possible(day), time()), zone, True
        parts = _MOMENT.fullmatch(value)
        if parts is None:
            raise ValueError(value)
        local = datetime.strptime(parts[1] + parts[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - follows
        _possible(local.date())
    except ValueError:
        raise NotUnderstood(_("A date of it cannot be read.")) from None
    return local, UTC if parts[3] else _zone(read.parameters.get("TZID"), zone), False


def _possible(day: date) -> date:
    if not 1900 <= day.year < 2200:
        raise ValueError(day)
    return day


def _zone(name: str | None, zone: ZoneInfo) -> tzinfo:
    """The zone of that name, in the ways in which programs write it."""
    if not name:
        return zone
    parts = name.strip("/").split("/")
    tries = [_WINDOWS.get(name, name), "/".join(parts[-2:]), "/".join(parts[-3:])]
    for one in tries:
        try:
            return ZoneInfo(one)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    raise NotUnderstood(_("Its time zone is not known."))


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()):
        raise NotUnderstood(_("Its duration cannot be read."))
    return timedelta(**{name: int(number or 0) for name, number in found.groupdict().items()})


def _instant(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
