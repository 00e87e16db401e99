"""Stopping, resuming and extending the legal term of a case, and reckoning it anew."""

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases import clocks
from cases.models import Case, ClockInterval, ClockState, EventKind, StateCategory
from cases.permissions import CHANGE_CLOCK
from cases.services import targets
from cases.services.writing import fetch, moment, require_work_goes_on, write
from cases.terms import Term, deadline, read_term
from cases.texts import one_line
from cases.workflow import of_version
from crm.accounts.actors import system_actor
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import require
from crm.kit.tasks import exclusive
from crm.organisations.calendars import Calendar, NotCovered
from crm.organisations.models import Organisation
from crm.organisations.services import calendar_for

log = logging.getLogger(__name__)
BATCH = 1_000
_SUSPENDED, _EXTENDED = ClockInterval.Kind.SUSPENDED, ClockInterval.Kind.EXTENDED


@transaction.atomic
def suspend_clock(
    actor: Actor,
    case: UUID,
    *,
    ground: str,
    reason: str,
    on: date | None = None,
    limit: date | None = None,
    version: int | None = None,
) -> Case:
    """The legal term stands still from that day (today), by an article of cases.clocks.SUSPENDS.

    It does so until it is resumed, or until `limit`: the end of the term granted to bring papers
    (art. 22.1.a), or three months for a report (22.1.d), which needs no limit said.
    """
    row, term = _clock_to_change(actor, case, version)
    calendar = calendar_for(row.unit)
    today = _today(calendar)
    on = on or today
    if row.suspended_on is not None:
        raise Conflict("clock_suspended", _("The legal deadline is already suspended."))
    _require_not_over(row, calendar, on)
    errors = _ground_errors(clocks.SUSPENDS, ground) | _reason_errors(reason)
    if not _opened_on(row, calendar) <= on <= today:
        errors["on"] = [_("Choose a day from the opening of the case until today.")]
    elif _overlaps(row, on):
        errors["on"] = [_("The term was already suspended on that day.")]
    if not errors:
        limit, problem = _limit(clocks.SUSPENDS[ground], calendar, on, limit)
        errors = {"limit": [problem]} if problem else {}
    if errors:
        raise Invalid(errors=errors)
    before = row.due_at
    ClockInterval.objects.create(
        case=row,
        kind=_SUSPENDED,
        ground=ground,
        reason=one_line(reason),
        starts_on=on,
        limit_on=limit,
    )
    row.suspended_on = on
    _reckon(row, term, calendar)
    told = {"ground": ground, "on": on.isoformat(), "reason": one_line(reason)}
    if limit:
        told["limit"] = limit.isoformat()
    _write(actor, row, EventKind.CLOCK_SUSPENDED, told, before)
    return row


@transaction.atomic
def resume_clock(
    actor: Actor,
    case: UUID,
    *,
    reason: str,
    on: date | None = None,
    version: int | None = None,
) -> Case:
    """The legal term runs again: the days after `on` (today) count; those since its suspension do not."""
    row, _term = _clock_to_change(actor, case, version)
    running = _running(row)
    if running is None:
        raise Conflict("clock_running", _("The legal deadline is not suspended."))
    today = _today(calendar_for(row.unit))
    on = on or today
    errors = _reason_errors(reason)
    if not running.starts_on <= on <= today:
        errors["on"] = [_("Choose a day from the suspension until today.")]
    if errors:
        raise Invalid(errors=errors)
    end_suspension(actor, row, on, one_line(reason))
    return row


@transaction.atomic
def extend_clock(
    actor: Actor,
    case: UUID,
    *,
    ground: str,
    term: str,
    reason: str,
    version: int | None = None,
) -> Case:
    """The legal term is longer by so much, once by each article: 23 as long as itself at most, 32 half
    of it. It is decided before the term ends (art. 32.3)."""
    row, whole = _clock_to_change(actor, case, version)
    calendar = calendar_for(row.unit)
    today = _today(calendar)
    _require_not_over(row, calendar, today)
    errors = _ground_errors(clocks.EXTENDS, ground) | _reason_errors(reason)
    more = _term_of(term)
    opened = clocks.counts_on(calendar, row.opened_at, row.channel)
    if more is None:
        errors["term"] = [_("Write the term as 30wd, 15d, 3m or 1y.")]
    elif not errors and not clocks.may_extend(calendar, opened, whole, more, ground):
        text = _("By this article %(term)s cannot be extended by so much.")
        errors["term"] = [text % {"term": whole.words}]
    if not errors and row.clock_intervals.filter(kind=_EXTENDED, ground=ground).exists():
        errors["ground"] = [_("The term was already extended by this article.")]
    if errors:
        raise Invalid(errors=errors)
    before = row.due_at
    ClockInterval.objects.create(
        case=row,
        kind=_EXTENDED,
        ground=ground,
        reason=one_line(reason),
        starts_on=today,
        ends_on=today,
        term=str(more),
    )
    _reckon(row, whole, calendar)
    told = {"ground": ground, "term": str(more), "reason": one_line(reason)}
    _write(actor, row, EventKind.CLOCK_EXTENDED, told, before)
    return row


def end_suspension(actor: Actor, row: Case, on: date, reason: str) -> None:
    """A locked case whose term stands still has it run again from that day, or from the limit."""
    running = _running(row)
    term = _term_of_case(row)
    if running is None or term is None:
        return
    before = row.due_at
    running.ends_on = min(on, running.limit_on) if running.limit_on else on
    running.save(update_fields=["ends_on", "updated_at"])
    row.suspended_on = None
    _reckon(row, term, calendar_for(row.unit))
    told = {"on": running.ends_on.isoformat(), "ground": running.ground, "reason": reason}
    _write(actor, row, EventKind.CLOCK_RESUMED, told, before)


def end_with_work(actor: Actor, row: Case) -> None:
    """Work on a locked case ends: a suspension of its term ends with it."""
    if row.suspended_on is not None:
        today = _today(calendar_for(row.unit))
        end_suspension(actor, row, today, _("Work on the case has ended."))


def renew_clock(actor: Actor, row: Case, why: Text) -> bool:
    """A locked open case is due when its term, calendars and intervals say now; whether that is
    another date than before. The story says why it moved."""
    term = _term_of_case(row)
    if term is None or row.ended:
        return False
    before = row.due_at
    _reckon(row, term, calendar_for(row.unit))
    if row.due_at == before:
        return False
    _write(actor, row, EventKind.CLOCK_RECOMPUTED, {"why": str(why)}, before)
    return True


# --- For the workers ----------------------------------------------------------------------------


def resume_expired(now: datetime | None = None) -> int:
    """Suspensions whose limit has passed are over, each with its event; how many."""
    today = (now or moment()).date()
    waiting = ClockInterval.objects.unscoped("the clock serves no single actor").filter(
        kind=_SUSPENDED, ends_on=None, limit_on__lt=today
    )
    count = 0
    for pk, organisation in waiting.values_list("case_id", "case__organisation_id"):
        with transaction.atomic():
            row = _locked(pk)
            running = _running(row)
            if running is None or running.limit_on is None:
                continue
            if running.limit_on >= _today(calendar_for(row.unit)):
                continue
            actor = _system(organisation)
            end_suspension(actor, row, running.limit_on, _("The time it could last has passed."))
            count += 1
    return count


def recompute(organisation: Organisation) -> int:
    """Open cases are due when the calendars of now say; how many moved.

    Nothing is done while the calendars are those of the last time. Cut off half way it begins again:
    a case that was reckoned anew does not move twice.
    """
    states = ClockState.objects.unscoped("the workers' own")
    known = states.filter(organisation=organisation).first()
    if known is not None and known.units_version == organisation.units_version:
        return 0
    with exclusive(f"clocks {organisation.pk}") as mine:
        if not mine:
            return 0
        moved, last = 0, 0
        actor = _system(organisation.pk)
        while rows := _open_cases(organisation, last):
            last = rows[-1].pk
            moved += sum(_moves(actor, row) for row in rows)
        targets.renew(organisation)
        states.update_or_create(
            organisation=organisation, defaults={"units_version": organisation.units_version}
        )
        return moved


def recompute_all() -> None:
    """The same for every organisation; one that fails does not keep the others from it."""
    rows = Organisation.objects.unscoped("the clock serves no single actor")
    for organisation in rows.filter(is_active=True):
        try:
            recompute(organisation)
        except Exception:
            log.exception("The due dates of %s could not be reckoned anew", organisation.code)


# --- Inside -------------------------------------------------------------------------------------


def _clock_to_change(actor: Actor, case: UUID, version: int | None) -> tuple[Case, Term]:
    """The case, locked, and its legal term."""
    row = fetch(actor, case, version)
    require(actor, CHANGE_CLOCK, row)
    require_work_goes_on(row)
    term = _term_of_case(row)
    if term is None:
        raise Conflict("no_legal_term", _("This case type has no legal term."))
    return row, term


def _opened_on(row: Case, calendar: Calendar) -> date:
    return row.opened_at.astimezone(calendar.zone).date()


def _require_not_over(row: Case, calendar: Calendar, on: date) -> None:
    """Conflict when the term ended before that day: what has ended neither stops nor grows."""
    last = row.due_at.astimezone(calendar.zone).date() if row.due_at else None
    if last is not None and on > last:
        text = _("The term ended on %(date)s: it can no longer be suspended or extended.")
        raise Conflict("clock_expired", text % {"date": date_format(last)})


def _limit(
    ground: clocks.Ground, calendar: Calendar, on: date, limit: date | None
) -> tuple[date | None, Text]:
    """Until when a suspension lasts at most, and what is wrong with the limit that was said."""
    longest = deadline(calendar, on, [ground.limit]).parts[-1].end if ground.limit else None
    if limit is None:
        return longest, _("Say when the term that was granted ends.") if ground.must_end else ""
    if not (ground.must_end or longest):
        return None, _("By this article it ends when it is resumed: leave it empty.")
    if limit <= on:
        return None, _("It must end after it begins.")
    if longest is not None and limit > longest:
        text = _("By this article it ends on %(date)s at the latest.")
        return None, text % {"date": date_format(longest)}
    return limit, ""


def _term_of_case(row: Case) -> Term | None:
    return of_version(row.type_version.bundle).term


def _running(row: Case) -> ClockInterval | None:
    return row.clock_intervals.filter(kind=_SUSPENDED, ends_on=None).first()


def _overlaps(row: Case, on: date) -> bool:
    """Whether another suspension goes on after that day: one open would run into it."""
    return row.clock_intervals.filter(kind=_SUSPENDED).exclude(ends_on__lte=on).exists()


def due_as_of(row: Case, *, otherwise: datetime | None) -> datetime | None:
    """When the case is due by when it was filed and its intervals; without a legal term the earlier of
    its date and another."""
    term = _term_of_case(row)
    if term is None:
        return min(filter(None, (row.due_at, otherwise)), default=None)
    before = row.due_at
    try:
        _reckon(row, term, calendar_for(row.unit))
        return row.due_at
    except NotCovered:
        return min(filter(None, (before, otherwise)), default=None)
    finally:
        row.due_at = before


def _reckon(row: Case, term: Term, calendar: Calendar) -> None:
    counts = clocks.counts_on(calendar, row.opened_at, row.channel)
    found = clocks.legal_deadline(calendar, counts, term, row.clock_intervals.all())
    row.due_at = clocks.end_of(found.due, calendar) if found else None


def _write(
    actor: Actor, row: Case, kind: EventKind, told: Mapping[str, Any], before: datetime | None
) -> None:
    zone = calendar_for(row.unit).zone
    dates = {
        name: moment_.astimezone(zone).date().isoformat()
        for name, moment_ in (("before", before), ("due", row.due_at))
        if moment_ is not None
    }
    write(actor, CHANGE_CLOCK, row, kind, {**told, **dates}, changed=("due_at",))


def _moves(actor: Actor, seen: Case) -> bool:
    """Whether the case, looked at without a lock and then with one, is due on another day now."""
    term = _term_of_case(seen)
    if term is None:
        return False
    before = seen.due_at
    try:
        _reckon(seen, term, calendar_for(seen.unit))
    except NotCovered:  # it keeps the date that was promised until the holidays are there
        return False
    if seen.due_at == before:
        return False
    with transaction.atomic():
        return renew_clock(actor, _locked(seen.pk), _("The calendar changed."))


def _open_cases(organisation: Organisation, after: int) -> list[Case]:
    rows = Case.objects.unscoped("the clock serves no single actor").filter(
        ~Q(type_version__bundle__term=None),
        organisation=organisation,
        category__lt=StateCategory.RESOLVED,
        pk__gt=after,
    )
    rows = rows.select_related("unit__organisation", "type_version")
    return list(rows.prefetch_related("clock_intervals").order_by("pk")[:BATCH])


def _locked(pk: int) -> Case:
    rows = Case.objects.unscoped("the clock serves no single actor")
    rows = rows.select_related("unit__organisation", "type_version", "case_type")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def _system(organisation_id: int) -> Actor:
    organisation = Organisation.objects.unscoped("the clock serves no single actor")
    return system_actor(organisation.get(pk=organisation_id), Origin(Door.TASK))


def _today(calendar: Calendar) -> date:
    return moment().astimezone(calendar.zone).date()


def _term_of(text: str) -> Term | None:
    try:
        return read_term(text.strip())
    except ValueError:
        return None


def _ground_errors(known: Mapping[str, Any], ground: str) -> dict[str, list[Text]]:
    return {} if ground in known else {"ground": [_("Choose one of the offered values.")]}


def _reason_errors(reason: str) -> dict[str, list[Text]]:
    most = ClockInterval._meta.get_field("reason").max_length or 0
    given = one_line(reason)
    if len(given) > most:
        return {"reason": [_("Write at most %(limit)s characters.") % {"limit": most}]}
    return {} if given else {"reason": [_("This field is required.")]}
