"""Legal deadlines and the clock rail: when a case must be done, and how much of that time has gone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.models import Case, ClockInterval
from cases.terms import Deadline, Stop, Term, deadline, explained, read_term
from crm.citizens.models import Channel
from crm.kit.errors import Text
from crm.organisations import calendars
from crm.organisations.calendars import Calendar, NotCovered

AT_RISK_DAYS = 2  # working days
AT_RISK_SHARE = 85  # hundredths of the time used
ELECTRONIC = frozenset({Channel.WEB_FORM})  # what comes in through the electronic register


@dataclass(frozen=True, slots=True)
class Clock:
    """What the tag `clock` shows."""

    level: str  # ok, warn, bad, stop
    text: str
    done: int  # hundredths used


def due_at(term: Term, calendar: Calendar, opened_at: datetime, channel: str = "") -> datetime:
    """The last second of the last day of a term that begins the day after opening (Ley 39/2015 art. 30)."""
    counts = counts_on(calendar, opened_at, channel)
    return end_of(deadline(calendar, counts, [term]).due, calendar)


def counts_on(calendar: Calendar, opened_at: datetime, channel: str = "") -> date:
    """The day on which a case counts as begun: its term runs from the day after.

    What comes through the electronic register on a day that is none counts from the first hour of the
    next working day (art. 31.2.b), by the calendar of the office (art. 31.3).
    """
    day = opened_at.astimezone(calendar.zone).date()
    return calendars.next_working_day(calendar, day) if channel in ELECTRONIC else day


def end_of(day: date, calendar: Calendar) -> datetime:
    """The last second of a local day."""
    return datetime.combine(day, time(23, 59, 59), calendar.zone)


# --- What the law lets stop or lengthen a term ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a term may stand still, by an article of Ley 39/2015."""

    article: str
    words: Text
    limit: Term | None = None
    """It lasts so long at most."""
    must_end: bool = False
    """Whoever suspends says until when at the latest: the term that was granted."""


SUSPENDS: Mapping[str, Ground] = {
    one.article: one
    for one in (
        Ground(
            "22.1.a",
            gettext_lazy("Somebody must correct or bring papers"),
            must_end=True,
        ),
        Ground("22.1.b", gettext_lazy("A body of the European Union must pronounce itself")),
        Ground("22.1.c", gettext_lazy("A procedure of the European Union decides the content")),
        Ground(
            "22.1.d",
            gettext_lazy("A mandatory report was asked of an administration"),
            Term(3, "m"),
        ),
        Ground("22.1.e", gettext_lazy("Technical tests that the interested parties proposed")),
        Ground("22.1.f", gettext_lazy("Negotiation of an agreement")),
        Ground("22.1.g", gettext_lazy("A court must pronounce itself first")),
        Ground("22.2.a", gettext_lazy("Another administration must revise an act")),
        Ground("22.2.b", gettext_lazy("Complementary proceedings")),
        Ground("22.2.c", gettext_lazy("The recusal of an official is being decided")),
    )
}
EXTENDS: Mapping[str, Text] = {
    "23": gettext_lazy("Extension of the maximum term to decide: at most as long as the term"),
    "32": gettext_lazy("Extension of a term: at most by half of it"),
}


def may_extend(calendar: Calendar, opened_on: date, whole: Term, more: Term, article: str) -> bool:
    """Whether a term may be extended by so much: art. 23, by no more than itself; art. 32.1, by half."""
    times = 2 if article == "32" else 1

    def reaches(*terms: Term) -> date:
        return deadline(calendar, opened_on, terms).parts[-1].end

    return reaches(*[more] * times) <= reaches(whole)


def legal_deadline(
    calendar: Calendar, opened_on: date, term: Term, intervals: Iterable[ClockInterval]
) -> Deadline | None:
    """When the legal term of a case ends; None while it stands still and nobody knows until when."""
    terms, stops = [term], []
    for one in intervals:
        if one.kind == ClockInterval.Kind.EXTENDED:
            terms.append(read_term(one.term) or term)
            continue
        end = one.ends_on or one.limit_on
        if end is None:
            return None
        stops.append(Stop(one.starts_on, end))
    return deadline(calendar, opened_on, terms, stops)


@dataclass(frozen=True)
class Account:
    """Why the legal term of a case ends when it ends, for whoever asks."""

    term: Term
    intervals: tuple[ClockInterval, ...]
    due: date | None
    """None while it stands still and nobody knows until when."""
    lines: tuple[Text, ...] = ()
    """The sum that leads to the date."""
    not_loaded: tuple[tuple[str, int], ...] = ()
    """Layers of the calendar and years of which nobody entered the holidays: the date may move."""

    @property
    def running(self) -> ClockInterval | None:
        """The suspension that goes on."""
        suspended = ClockInterval.Kind.SUSPENDED
        return next(
            (one for one in self.intervals if one.kind == suspended and one.ends_on is None), None
        )


def account(case: Case, term: Term, calendar: Calendar) -> Account:
    """The account of a case's legal term. Raises NotCovered beyond the calendar's years."""
    intervals = tuple(case.clock_intervals.all())
    opened = case.opened_at.astimezone(calendar.zone).date()
    counts = counts_on(calendar, case.opened_at, case.channel)
    found = legal_deadline(calendar, counts, term, intervals)
    if found is None:
        return Account(term, intervals, None)
    lines = tuple(explained(calendar, found))
    if counts > opened:
        day = date_format(opened)
        text = _(
            "It came in electronically on %(day)s, no working day: it counts from the next (art. 31.2)."
        )
        lines = (text % {"day": day}, *lines)
    missing = tuple(calendars.not_loaded(calendar, opened, found.due))
    return Account(term, intervals, found.due, lines, missing)


# --- The rail -----------------------------------------------------------------------------------


def clock(case: Case, calendar: Calendar, now: datetime | None = None) -> Clock | None:
    """The rail of a case; None when it has no due date."""
    if case.suspended_on is not None and case.closed_at is None:
        return _suspended(case, calendar)
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


def _suspended(case: Case, calendar: Calendar) -> Clock:
    """The term stands still: how much had gone when it stopped."""
    assert case.suspended_on
    since = date_format(case.suspended_on, "j b")
    if case.due_at is None:
        return Clock("stop", _("Suspended since %(date)s") % {"date": since}, 0)
    whole = (case.due_at - case.opened_at).total_seconds()
    stopped = end_of(case.suspended_on, calendar)
    done = round(100 * (stopped - case.opened_at).total_seconds() / whole) if whole > 0 else 100
    return Clock("stop", _("Suspended since %(date)s") % {"date": since}, max(0, min(100, done)))
