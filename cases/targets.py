"""Service targets: what a unit promises beyond the law, counted in its working hours. Pure.

They are the part `service` of a case type's bundle, in order of preference:
`[{"measure": "first_answer" | "next_answer" | "resolution", "within": "4h",
   "for": {"priority": ["high"], "channel": ["phone"], "need": ["language", "accessibility"]},
   "warn": "75%" | "1h", "pauses": ["waiting_citizen", "waiting_third_party"],
   "at_warning": {"tell": ["assignee", "supervisors", "unit:CODE"], "raise_priority": true},
   "at_breach": {…}}]`
Of each measure the first that fits a case counts. Lengths are hours and minutes of attention.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.fields import Problem
from cases.models import Case, StateCategory
from crm.citizens.models import Channel
from crm.kit.errors import Text
from crm.organisations.calendars import (
    Calendar,
    add_working_time,
    next_opening,
    not_loaded,
    working_time_between,
)

FIRST_ANSWER, NEXT_ANSWER, RESOLUTION = "first_answer", "next_answer", "resolution"
MEASURES: Mapping[str, Text] = {
    FIRST_ANSWER: gettext_lazy("First answer"),
    NEXT_ANSWER: gettext_lazy("Next answer"),
    RESOLUTION: gettext_lazy("Resolution"),
}
LANGUAGE, ACCESSIBILITY = "language", "accessibility"
NEEDS = (LANGUAGE, ACCESSIBILITY)
ASSIGNEE, SUPERVISORS, UNIT = "assignee", "supervisors", "unit:"
WAITING: Mapping[str, StateCategory] = {
    "waiting_citizen": StateCategory.WAITING_CITIZEN,
    "waiting_third_party": StateCategory.WAITING_THIRD_PARTY,
}
PRIORITIES: Mapping[str, int] = {one.name.lower(): one.value for one in Case.Priority}
MOST_TARGETS, MOST_MINUTES = 40, 60 * 2_000
_LENGTH = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,4})min)?")
_SHARE = re.compile(r"([1-9][0-9]?)%")
_CODE = re.compile(r"unit:[A-Za-z0-9_.-]{1,40}")
_HOUR = 60


@dataclass(frozen=True, slots=True)
class Escalation:
    """What happens when a target is in danger, or was missed."""

    tell: tuple[str, ...] = ()
    raise_priority: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A promise, for whom it counts, and what happens when it is not kept."""

    measure: str
    minutes: int
    rule: Mapping[str, Any]
    """As it stands in the bundle."""
    warn_minutes: int = 0
    """So much working time before its end it is in danger; 0: nobody is warned."""
    pauses: frozenset[int] = frozenset()
    """Categories of states in which it stands still."""
    at_warning: Escalation = Escalation()
    at_breach: Escalation = Escalation()

    @property
    def within(self) -> timedelta:
        """How long."""
        return timedelta(minutes=self.minutes)

    def fits(self, priority: int, channel: str, needs: Collection[str]) -> bool:
        """Whether it is for such a case."""
        wanted = self.rule.get("for") or {}
        priorities = {PRIORITIES[name] for name in wanted.get("priority", ())}
        if priorities and priority not in priorities:
            return False
        if wanted.get("channel") and channel not in wanted["channel"]:
            return False
        return not wanted.get("need") or not set(needs).isdisjoint(wanted["need"])


def of_bundle(bundle: Mapping[str, Any]) -> tuple[Target, ...]:
    """The targets of a stored version, which was checked when it was written."""
    rules = bundle.get("service") or ()
    return tuple(map(read, rules))


def chosen(
    targets: Iterable[Target], measure: str, priority: int, channel: str, needs: Collection[str]
) -> Target | None:
    """The target of a measure that counts for such a case."""
    return next(
        (one for one in targets if one.measure == measure and one.fits(priority, channel, needs)),
        None,
    )


def read(rule: Mapping[str, Any]) -> Target:
    """One target."""
    minutes = minutes_of(rule["within"]) or 0
    pauses = rule.get("pauses", USUAL_PAUSES[rule["measure"]])
    return Target(
        rule["measure"],
        minutes,
        rule,
        _warning(rule.get("warn"), minutes) or 0,
        frozenset(int(WAITING[name]) for name in pauses),
        _escalation(rule.get("at_warning")),
        _escalation(rule.get("at_breach")),
    )


# who wrote waits for an answer, whatever the state says
USUAL_PAUSES: Mapping[str, tuple[str, ...]] = {
    FIRST_ANSWER: (),
    NEXT_ANSWER: (),
    RESOLUTION: tuple(WAITING),
}


def _escalation(given: Mapping[str, Any] | None) -> Escalation:
    given = given or {}
    return Escalation(tuple(given.get("tell", ())), bool(given.get("raise_priority")))


@lru_cache(maxsize=512)
def minutes_of(text: str) -> int | None:
    """How many minutes 4h, 90min or 1h30min are; None when it is no length."""
    match = _LENGTH.fullmatch(text)
    if match is None or not text:
        return None
    minutes = int(match[1] or 0) * _HOUR + int(match[2] or 0)
    return minutes if 0 < minutes <= MOST_MINUTES else None


def _warning(text: str | None, minutes: int) -> int | None:
    """How many minutes before the end; None when it says nothing, or more than there is."""
    if text is None:
        return 0
    if share := _SHARE.fullmatch(text):
        return max(1, minutes - minutes * int(share[1]) // 100)
    before = minutes_of(text)
    return before if before is not None and before < minutes else None


def in_words(minutes: int) -> str:
    """A length of working time as people say it."""
    hours, rest = divmod(abs(minutes), _HOUR)
    parts = ([f"{hours} h"] if hours else []) + ([f"{rest} min"] if rest or not hours else [])
    return " ".join(parts)


# --- Checking -----------------------------------------------------------------------------------


def check(rules: Any) -> Iterator[Problem]:
    """Everything that is wrong with the part `service` of a bundle, and where."""
    if rules is None:
        return
    if not isinstance(rules, list) or len(rules) > MOST_TARGETS:
        text = _("It is a list of at most %(count)s service targets.")
        yield Problem("service", text % {"count": MOST_TARGETS})
        return
    closed: set[str] = set()
    for number, rule in enumerate(rules):
        where = f"service[{number}]"
        if not isinstance(rule, Mapping):
            yield Problem(where, _("It is not an object."))
            continue
        yield from check_rule(where, rule)
        measure = str(rule.get("measure"))
        if measure in closed:
            yield Problem(where, _("One before it counts for every case: put this one first."))
        if not rule.get("for"):
            closed.add(measure)


def check_rule(where: str, rule: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with one target."""
    yield from _check_keys(
        where, rule, ("measure", "within", "for", "warn", "pauses", "at_warning", "at_breach")
    )
    if rule.get("measure") not in tuple(MEASURES):
        yield _unknown(f"{where}.measure", MEASURES)
    within = rule.get("within")
    minutes = minutes_of(within) if isinstance(within, str) else None
    if minutes is None:
        text = _("Write working time as 4h, 90min or 1h30min, %(hours)s hours at most.")
        yield Problem(f"{where}.within", text % {"hours": MOST_MINUTES // _HOUR})
    warn = rule.get("warn")
    if warn is not None and (
        not isinstance(warn, str) or (minutes and _warning(warn, minutes) is None)
    ):
        text = _("Write it as a share of the time, 75%, or as time before the end that is shorter.")
        yield Problem(f"{where}.warn", text)
    if "pauses" in rule:
        yield from _check_names(f"{where}.pauses", rule["pauses"], tuple(WAITING))
    yield from _check_for(f"{where}.for", rule.get("for"))
    for name in ("at_warning", "at_breach"):
        yield from _check_escalation(f"{where}.{name}", rule.get(name))
    if rule.get("at_warning") and warn is None:
        yield Problem(f"{where}.warn", _("Say when the warning comes."))


def _check_for(where: str, wanted: Any) -> Iterator[Problem]:
    if wanted is None:
        return
    if not isinstance(wanted, Mapping):
        yield Problem(where, _("It is not an object."))
        return
    known = {"priority": tuple(PRIORITIES), "channel": tuple(Channel.values), "need": NEEDS}
    yield from _check_keys(where, wanted, known)
    for name, values in known.items():
        if name in wanted:
            yield from _check_names(f"{where}.{name}", wanted[name], values)


def _check_escalation(where: str, step: Any) -> Iterator[Problem]:
    if step is None:
        return
    if not isinstance(step, Mapping):
        yield Problem(where, _("It is not an object."))
        return
    yield from _check_keys(where, step, ("tell", "raise_priority"))
    if not isinstance(step.get("raise_priority", False), bool):
        yield Problem(f"{where}.raise_priority", _("It is true or false."))
    told = step.get("tell", [])
    for name in told if isinstance(told, list) else [told]:
        if name not in (ASSIGNEE, SUPERVISORS) and not (
            isinstance(name, str) and _CODE.fullmatch(name)
        ):
            yield _unknown(f"{where}.tell", (ASSIGNEE, SUPERVISORS, "unit:CODE"))


def _check_keys(where: str, given: Mapping[str, Any], known: Collection[str]) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            yield Problem(f"{where}.{key}", _("There is no such part."))


def _check_names(where: str, given: Any, known: Collection[str]) -> Iterator[Problem]:
    if not isinstance(given, list) or any(name not in tuple(known) for name in given):
        yield _unknown(where, known)


def _unknown(where: str, known: Iterable[str]) -> Problem:
    return Problem(where, _("There are: %(names)s.") % {"names": ", ".join(known)})


# --- Reckoning ----------------------------------------------------------------------------------


class Pause(NamedTuple):
    """Time that does not count; it goes on while it has no end."""

    start: datetime
    end: datetime | None


def due_at(
    calendar: Calendar, start: datetime, minutes: int, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """The first instant by which so much working time has passed outside the pauses; None while it
    stands still. Raises NotCovered when that lies beyond the calendar's years."""
    left, at = timedelta(minutes=minutes), start
    for pause in apart(pauses):
        if pause.end is not None and pause.end <= at:
            continue
        begin = max(pause.start, at)
        runs = working_time_between(calendar, at, begin)
        if runs >= left:
            break
        if pause.end is None:
            return None
        left, at = left - runs, pause.end
    return add_working_time(calendar, at, left)


def used(
    calendar: Calendar, start: datetime, until: datetime, pauses: Sequence[Pause] = ()
) -> timedelta:
    """How much working time outside the pauses has gone."""
    total, at = timedelta(0), start
    for pause in apart(pauses):
        begin = min(max(pause.start, at), until)
        total += working_time_between(calendar, at, begin) if begin > at else timedelta(0)
        at = max(at, min(pause.end or until, until))
    return total + (working_time_between(calendar, at, until) if until > at else timedelta(0))


def apart(pauses: Iterable[Pause]) -> list[Pause]:
    """In order and apart, so that no minute is paused twice."""
    found: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: one.start):
        if pause.end is not None and pause.end <= pause.start:
            continue
        last = found[-1] if found else None
        if last is None or (last.end is not None and pause.start > last.end):
            found.append(pause)
        elif last.end is not None:
            end = None if pause.end is None else max(last.end, pause.end)
            found[-1] = Pause(last.start, end)
    return found


MOST_PIECES = 12


def pieces(
    calendar: Calendar, start: datetime, end: datetime, pauses: Sequence[Pause] = ()
) -> list[Pause]:
    """The stretches of working time that counted, in order."""
    found: list[Pause] = []
    stops = [one for one in apart(pauses) if one.end is None or one.end > start]
    at = start
    while at < end and len(found) <= MOST_PIECES:
        stop = next((one for one in stops if one.end is None or one.end > at), None)
        if stop and stop.start <= at:
            if stop.end is None:
                break
            at = stop.end
            continue
        opening = next_opening(calendar, at)
        begin = max(opening.start, at)
        last = min(opening.end, end, stop.start if stop else end)
        if last <= begin:
            at = stop.start if stop and stop.start < end else end
            continue
        found.append(Pause(begin, last))
        at = last
    return found


def explained(
    calendar: Calendar,
    start: datetime,
    minutes: int,
    pauses: Sequence[tuple[Pause, Text]],
    due: datetime | None,
) -> list[Text]:
    """The sum that leads to the moment, a line for each summand, for anyone to check."""
    zone = calendar.zone
    said = {"time": in_words(minutes), "moment": moment_in_words(start.astimezone(zone))}
    lines: list[Text] = [_("%(time)s of working time from %(moment)s") % said]
    for pause, why in pauses:
        if due is not None and pause.start >= due:
            continue
        span = _span(pause, calendar)
        if pause.end is None:
            lines.append(_("paused since %(span)s (%(why)s)") % {"span": span, "why": why})
            continue
        stood = working_time_between(calendar, pause.start, pause.end)
        told = {"time": in_words(round(stood.total_seconds() / 60)), "span": span, "why": why}
        lines.append(_("minus %(time)s paused: %(span)s (%(why)s)") % told)
    if due is None:
        return lines
    counted = pieces(calendar, start, due, [pause for pause, _why in pauses])
    lines += [
        _("%(time)s count: %(span)s")
        % {
            "time": in_words(round(((one.end or due) - one.start).total_seconds() / 60)),
            "span": _span(one, calendar),
        }
        for one in counted[:MOST_PIECES]
    ]
    if len(counted) > MOST_PIECES:
        lines.append(_("and so on, in the opening hours of the unit"))
    lines.append(_("ends on %(moment)s") % {"moment": moment_in_words(due.astimezone(zone))})
    return lines


def holidays_missing(
    calendar: Calendar, start: datetime, due: datetime | None
) -> list[tuple[str, int]]:
    """Layers of the calendar and years whose holidays nobody entered: the moment may move."""
    first = _local(calendar, start)
    return not_loaded(calendar, first, _local(calendar, due) if due else first)


def moment_in_words(moment: datetime) -> str:
    """A local moment with its weekday: Friday 20 Nov, 13:00."""
    return f"{date_format(moment, 'D j b')} {moment:%H:%M}"


def _span(pause: Pause, calendar: Calendar) -> str:
    start = pause.start.astimezone(calendar.zone)
    if pause.end is None:
        return moment_in_words(start)
    end = pause.end.astimezone(calendar.zone)
    same = start.date() == end.date()
    return f"{moment_in_words(start)}–{f'{end:%H:%M}' if same else moment_in_words(end)}"


def _local(calendar: Calendar, moment: datetime) -> date:
    return moment.astimezone(calendar.zone).date()
