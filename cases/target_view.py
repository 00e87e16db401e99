"""How service targets are shown: the nearest in a list, each on the page of its case, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from cases import targets
from cases.clocks import Clock
from cases.models import Case, Measure, ServiceClock, ServicePause, ServiceTarget, StateCategory
from cases.targets import Pause
from crm.kit.errors import Text
from crm.organisations.calendars import Calendar, NotCovered, working_time_between
from crm.organisations.selectors import calendar_for


def clock_of(case: Case) -> ServiceClock | None:
    """What was read of a case's service targets with it; None when it has none, or nothing was read."""
    if not Case.service_clock.is_cached(case):
        return None
    found: ServiceClock | None = getattr(case, "service_clock", None)
    return found


def nearest_target(case: Case, now: datetime | None = None) -> Clock | None:
    """The rail of a case's nearest service target; None when none runs. Its row was read with the case."""
    row = clock_of(case)
    if row is None or not row.measure or row.started_at is None or case.ended:
        return None
    now = now or timezone.now()
    return _rail(
        calendar_for(case.unit),
        Measure(row.measure).label,
        (row.started_at, row.due_at, row.danger_at, row.paused_at),
        now,
    )


@dataclass(frozen=True)
class Shown:
    """One target on the page of its case."""

    row: ServiceTarget
    rail: Clock
    lines: tuple[Text, ...] = ()
    not_loaded: tuple[tuple[str, int], ...] = ()


def shown(
    row: ServiceTarget, calendar: Calendar, now: datetime, pauses: Sequence[ServicePause] | None
) -> Shown:
    """A target with its rail; with its pauses given, also with the sum that leads to its moment."""
    label = str(row.get_measure_display())
    if row.ended_at is None:
        times = (row.started_at, row.due_at, row.warn_at or row.due_at, row.paused_at)
        rail = _rail(calendar, label, times, now)
    else:
        rail = _ended(row, label)
    if pauses is None:
        return Shown(row, rail)
    words = dict(StateCategory.choices)
    spans = [
        (Pause(one.starts_at, one.ends_at), str(words[one.category]).lower()) for one in pauses
    ]
    try:
        lines = targets.explained(calendar, row.started_at, row.minutes, spans, row.due_at)
        missing = targets.holidays_missing(calendar, row.started_at, row.due_at)
    except NotCovered as error:
        return Shown(row, rail, (error.message,))
    if row.due_at is None and row.paused_at is None:
        lines.append(_("The unit has no opening hours: no moment can be reckoned."))
    return Shown(row, rail, tuple(lines), tuple(missing))


def _ended(row: ServiceTarget, label: str) -> Clock:
    if row.end == ServiceTarget.End.DROPPED:
        return Clock("stop", _("%(what)s: fell away") % {"what": label}, 100)
    time = targets.in_words(round((row.margin or 0) / 60))
    if row.end == ServiceTarget.End.MET:
        text = _("%(what)s: met, %(time)s before its end")
        return Clock("ok", text % {"what": label, "time": time}, 100)
    if row.margin is None or row.margin >= 0:
        return Clock("bad", _("%(what)s: missed") % {"what": label}, 100)
    text = _("%(what)s: missed by %(time)s")
    return Clock("bad", text % {"what": label, "time": time}, 100)


def _rail(
    calendar: Calendar,
    label: Text,
    times: tuple[datetime, datetime | None, datetime | None, datetime | None],
    now: datetime,
) -> Clock:
    started, due, danger, paused = times
    if due is None:
        if paused is None:
            return Clock("stop", _("%(what)s: no opening hours") % {"what": label}, 0)
        return Clock("stop", _("%(what)s: paused") % {"what": label}, 0)
    whole = (due - started).total_seconds()
    done = max(0, min(100, round(100 * (now - started).total_seconds() / (whole or 1))))
    try:
        minutes = round(working_time_between(calendar, now, due).total_seconds() / 60)
    except NotCovered:
        minutes = round((due - now).total_seconds() / 60)
    said = {"what": label, "time": targets.in_words(minutes)}
    if now > due:
        return Clock("bad", _("%(what)s: late by %(time)s") % said, 100)
    level = "warn" if danger is not None and danger <= now else "ok"
    return Clock(level, _("%(what)s: %(time)s left") % said, done)
