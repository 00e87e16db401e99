"""Due dates and the clock rail: when a case must be done, and how much of that time has gone."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import Case
from cases.terms import Term, deadline
from crm.organisations import calendars
from crm.organisations.calendars import Calendar, NotCovered

AT_RISK_DAYS = 2  # working days
AT_RISK_SHARE = 85  # hundredths of the time used


@dataclass(frozen=True, slots=True)
class Clock:
    """What the tag `clock` shows."""

    level: str  # ok, warn, bad, stop
    text: str
    done: int  # hundredths used


def due_at(term: Term, calendar: Calendar, opened_at: datetime) -> datetime:
    """The last second of the last day of a term that begins the day after opening (Ley 39/2015 art. 30)."""
    opened = opened_at.astimezone(calendar.zone).date()
    return end_of(deadline(calendar, opened, [term]).due, calendar)


def end_of(day: date, calendar: Calendar) -> datetime:
    """The last second of a local day."""
    return datetime.combine(day, time(23, 59, 59), calendar.zone)


def clock(case: Case, calendar: Calendar, now: datetime | None = None) -> Clock | None:
    """The rail of a case; None when it has no due date."""
    if case.due_at is None:
        return None
    if case.closed_at is not None:
        late = case.closed_at > case.due_at
        return Clock("bad" if late else "ok", _("Ended late") if late else _("Ended in time"), 100)
    now = now or timezone.now()
    whole = (case.due_at - case.opened_at).total_seconds()
    used = (now - case.opened_at).total_seconds()
    done = max(0, min(100, round(100 * used / whole))) if whole > 0 else 100
    today = now.astimezone(calendar.zone).date()
    last = case.due_at.astimezone(calendar.zone).date()
    if now > case.due_at:
        days = (today - last).days
        text = ngettext("%(count)s day late", "%(count)s days late", days) if days else _("Late")
        return Clock("bad", text % {"count": days}, 100)
    if today == last:
        return Clock("warn", _("Due today"), done)
    try:
        left = calendars.working_days_between(calendar, today, last)
    except NotCovered:  # a date years ahead: its holidays are not known yet
        return Clock("ok", _("Due on %(date)s") % {"date": date_format(last, "j b Y")}, done)
    risky = left <= AT_RISK_DAYS or done >= AT_RISK_SHARE
    text = ngettext("%(count)s working day left", "%(count)s working days left", left)
    return Clock("warn" if risky else "ok", text % {"count": left}, done)
