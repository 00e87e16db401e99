"""Calendars of working days and opening hours: the official holidays that all share, and the layers
that an organisation lays over them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, Refused, Text
from crm.kit.policy import require
from crm.organisations import calendars
from crm.organisations.calendars import Interval
from crm.organisations.models import Holiday, Layer, OpeningHours, Organisation, WorkingCalendar
from crm.organisations.permissions import MANAGE_CALENDARS
from crm.organisations.selectors import PUBLIC_CALENDAR, public_holiday_years

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
MOST_INTERVALS = 6  # of a day
LAYERS_OF_ITS_OWN = (Layer.LOCAL, Layer.UNIT)
NOTHING = "-"
"""What was seen of a day of which a calendar says nothing."""


@transaction.atomic
def load_public_holidays(region: str | None = None) -> WorkingCalendar:
    """The shared calendar of Spain, or of a region over it (a code of calendars.REGIONS), has the
    official holidays of every year that is known.

    For the system: shared calendars are nobody's to change. Loading again adds only what is new.
    """
    base = load_public_holidays() if region else None
    years = public_holiday_years()
    layer = calendars.spanish_holidays(years, region)
    calendar, _made = (
        WorkingCalendar.objects.unscoped("shared by all")
        .select_for_update()
        .get_or_create(
            organisation=None,
            code=f"{PUBLIC_CALENDAR}-{region}" if region else PUBLIC_CALENDAR,
            defaults={
                "layer": Layer.REGIONAL if region else Layer.NATIONAL,
                "name": layer.name,
                "base": base,
            },
        )
    )
    new = set(years) - set(calendar.years)
    if new:
        Holiday.objects.bulk_create(
            Holiday(calendar=calendar, day=day, name=name[:120], working=working)
            for days, working in ((layer.holidays, False), (layer.working_exceptions, True))
            for day, name in days.items()
            if day.year in new
        )
        calendar.years = sorted({*calendar.years, *new})
        calendar.save(update_fields=["years", "updated_at"])
        _calendars_changed(None)
    return calendar


@transaction.atomic
def create_calendar(
    actor: Actor,
    *,
    name: str,
    code: str,
    layer: str,
    base_id: UUID | None = None,
    region: str = "",
) -> WorkingCalendar:
    """The organisation has a calendar of its own over another one, or over the official holidays of a
    region (a code of calendars.REGIONS), which are loaded if they are not yet."""
    organisation = Organisation.objects.for_actor(actor).get()
    require(actor, MANAGE_CALENDARS, organisation)
    if region in calendars.REGIONS:
        base: WorkingCalendar | None = load_public_holidays(region)
    else:
        mine = WorkingCalendar.objects.for_actor(actor)
        base = mine.filter(uuid=base_id).first() if base_id else None
    name, code = " ".join(name.split()), code.strip()
    errors = _name_errors(name)
    if not _CODE.fullmatch(code):
        errors["code"] = [_("Use letters, digits, dots and dashes, at most 20.")]
    elif WorkingCalendar.objects.for_actor(actor).filter(code=code).exists():
        errors["code"] = [_("Another calendar has this code.")]
    if layer not in LAYERS_OF_ITS_OWN:
        errors["layer"] = [_("Choose one of the list.")]
    if base is None or base.layer == Layer.UNIT:
        errors["base"] = [_("Choose the calendar that it stands on.")]
    if errors:
        raise Invalid(errors=errors)
    calendar = WorkingCalendar.objects.create(
        organisation=organisation, name=name, code=code, layer=layer, base=base
    )
    _calendars_changed(organisation.pk)
    record(actor, MANAGE_CALENDARS, calendar, act="created", code=code)
    return calendar


@transaction.atomic
def rename_calendar(
    actor: Actor, calendar_id: UUID, *, name: str, seen: str = ""
) -> WorkingCalendar:
    """The calendar has this name; `seen` is the one that was corrected: Changed when it is another
    by now."""
    calendar = _own_calendar(actor, calendar_id)
    _require_as_seen(seen, calendar.name)
    before, name = calendar.name, " ".join(name.split())
    if errors := _name_errors(name):
        raise Invalid(errors=errors)
    if name != before:
        calendar.name = name
        calendar.save(update_fields=["name", "updated_at"])
        _calendars_changed(calendar.organisation_id)
        record(actor, MANAGE_CALENDARS, calendar, act="renamed", before=before, after=name)
    return calendar


@transaction.atomic
def set_holiday(
    actor: Actor, calendar_id: UUID, *, day: date, name: str, working: bool = False, seen: str = ""
) -> Holiday:
    """The day does not count as a working day in the calendar (or, `working`, counts although a
    wider layer rests).

    `seen` is holiday_seen of what the calendar said of the day; Changed when it says otherwise by now.
    """
    calendar = _own_calendar(actor, calendar_id)
    name = " ".join(name.split())
    wanted = holiday_seen(Holiday(day=day, name=name, working=working))
    _require_day_as_seen(seen, holiday_seen(holiday_on(calendar, day)), wanted)
    if errors := _name_errors(name):
        raise Invalid(errors=errors)
    if day.year not in public_holiday_years():
        raise Invalid(errors={"day": [_("Choose a day of the years that are kept.")]})
    holiday, _made = Holiday.objects.update_or_create(
        calendar=calendar, day=day, defaults={"name": name, "working": working}
    )
    _days_changed(calendar)
    record(actor, MANAGE_CALENDARS, calendar, act="holiday", day=day, holiday=name, working=working)
    return holiday


@transaction.atomic
def remove_holiday(actor: Actor, calendar_id: UUID, day: date, *, seen: str = "") -> None:
    """The calendar says nothing more of that day; `seen` as of set_holiday."""
    calendar = _own_calendar(actor, calendar_id)
    holiday = holiday_on(calendar, day)
    if holiday is None:
        return
    _require_as_seen(seen, holiday_seen(holiday))
    holiday.delete()
    _days_changed(calendar)
    record(actor, MANAGE_CALENDARS, calendar, act="holiday_removed", day=day, holiday=holiday.name)


@transaction.atomic
def set_weekly_hours(
    actor: Actor, calendar_id: UUID, week: Mapping[int, Sequence[Interval]], *, seen: str = ""
) -> None:
    """The calendar opens in these intervals on these weekdays (0 Monday; none: closed); of weekdays
    left out it says nothing, so the layer below decides.

    `seen` is week_seen of the week that was corrected; Changed when it is another by now.
    """
    calendar = _own_calendar(actor, calendar_id)
    _require_as_seen(seen, week_seen(weekly_hours(calendar.hours.all())))
    errors = {
        f"weekday_{weekday}": [problem]
        for weekday, intervals in week.items()
        if (problem := _problem(intervals))
    }
    if errors:
        raise Invalid(errors=errors)
    calendar.hours.filter(weekday__isnull=False).delete()
    for weekday, intervals in sorted(week.items()):
        _add_hours(calendar, intervals, weekday=weekday)
    _calendars_changed(calendar.organisation_id)
    record(
        actor,
        MANAGE_CALENDARS,
        calendar,
        act="weekly_hours",
        week=_week_as_text(week),
    )


@transaction.atomic
def set_date_hours(
    actor: Actor,
    calendar_id: UUID,
    *,
    day: date,
    intervals: Sequence[Interval] | None,
    seen: str = "",
) -> None:
    """On that date the calendar opens in these intervals (none: closed); None: as any such weekday.

    `seen` is hours_seen of what it said of the date; Changed when it says otherwise by now.
    """
    calendar = _own_calendar(actor, calendar_id)
    now = hours_seen(date_hours(calendar.hours.filter(day=day)).get(day))
    _require_day_as_seen(seen, now, hours_seen(intervals))
    if problem := _problem(intervals or ()):
        raise Invalid(errors={"intervals": [problem]})
    calendar.hours.filter(day=day).delete()
    if intervals is not None:
        _add_hours(calendar, intervals, day=day)
    _calendars_changed(calendar.organisation_id)
    hours = None if intervals is None else _as_text(intervals)
    record(actor, MANAGE_CALENDARS, calendar, act="date_hours", day=day, hours=hours)


def weekly_hours(hours: Iterable[OpeningHours]) -> dict[int, list[Interval]]:
    """What rows say of each weekday, the earliest hours first: as set_weekly_hours takes it."""
    week: dict[int, list[Interval]] = {}
    for row in hours:
        if row.weekday is not None:
            intervals = week.setdefault(row.weekday, [])
            if row.opens is not None and row.closes is not None:
                intervals.append(Interval(row.opens, row.closes))
    return {
        weekday: sorted(week[weekday], key=lambda interval: interval.start)
        for weekday in sorted(week)
    }


def week_seen(week: Mapping[int, Sequence[Interval]]) -> str:
    """Another one as soon as the hours of some weekday are others."""
    return f"{_week_as_text(week)}"


def holiday_on(calendar: WorkingCalendar, day: date) -> Holiday | None:
    """What the calendar itself says of a day."""
    return Holiday.objects.filter(calendar=calendar, day=day).first()


def holiday_seen(holiday: Holiday | None) -> str:
    """Another one as soon as something else is said of the day."""
    return NOTHING if holiday is None else f"{holiday.working:d} {holiday.name}"


def date_hours(hours: Iterable[OpeningHours]) -> dict[date, list[Interval]]:
    """What rows say of each date, in order, the earliest hours first: as set_date_hours takes it."""
    dates: dict[date, list[Interval]] = {}
    for row in hours:
        if row.day is not None:
            intervals = dates.setdefault(row.day, [])
            if row.opens is not None and row.closes is not None:
                intervals.append(Interval(row.opens, row.closes))
    return {day: sorted(dates[day], key=lambda interval: interval.start) for day in sorted(dates)}


def hours_seen(intervals: Sequence[Interval] | None) -> str:
    """Another one as soon as the date has other hours."""
    if intervals is None:
        return NOTHING
    return f"{_as_text(sorted(intervals, key=lambda interval: interval.start))}"


def _require_as_seen(seen: str, now: str) -> None:
    if seen and seen != now:
        raise Changed(_("Somebody else has changed this. Compare before saving again."))


def _require_day_as_seen(seen: str, now: str, wanted: str) -> None:
    """Two who want the same do not get in each other's way."""
    if now == wanted:
        return
    if seen == NOTHING != now:  # perhaps by the same person: no form shows what it says
        raise Changed(
            _("The calendar says something of this day already. Compare before saving again.")
        )
    _require_as_seen(seen, now)


def _name_errors(name: str) -> dict[str, list[Text]]:
    if 1 <= len(name) <= 120:
        return {}
    return {"name": [_("Write a name of at most 120 characters.")]}


def _own_calendar(actor: Actor, calendar_id: UUID) -> WorkingCalendar:
    calendar = (
        WorkingCalendar.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=calendar_id)
    )
    if calendar.organisation_id is None:
        reason = _("The official holidays are the same for all; add a layer of your own.")
        raise Refused(MANAGE_CALENDARS, reason, calendar)
    require(actor, MANAGE_CALENDARS, calendar)
    return calendar


def _days_changed(calendar: WorkingCalendar) -> None:
    calendar.years = sorted({day.year for day in calendar.days.values_list("day", flat=True)})
    calendar.save(update_fields=["years", "updated_at"])
    _calendars_changed(calendar.organisation_id)


def _calendars_changed(organisation_id: int | None) -> None:
    """Calendars are cached by their organisation's version; a shared one touches all of them."""
    organisations = Organisation.objects.unscoped("shared calendars are everybody's")
    if organisation_id is not None:
        organisations = organisations.filter(pk=organisation_id)
    organisations.update(units_version=F("units_version") + 1)


def _problem(intervals: Sequence[Interval]) -> Text | None:
    if len(intervals) > MOST_INTERVALS:
        return _("A day has at most six intervals.")
    ordered = sorted(intervals, key=lambda interval: interval.start)
    if any(one.passes_midnight or one.end > other.start for one, other in pairwise(ordered)):
        return _("The intervals of a day must not overlap.")
    return None


def _add_hours(
    calendar: WorkingCalendar,
    intervals: Iterable[Interval],
    *,
    weekday: int | None = None,
    day: date | None = None,
) -> None:
    rows = [
        OpeningHours(
            calendar=calendar, weekday=weekday, day=day, opens=interval.start, closes=interval.end
        )
        for interval in intervals
    ]
    closed = OpeningHours(calendar=calendar, weekday=weekday, day=day)
    OpeningHours.objects.bulk_create(rows or [closed])


def _week_as_text(week: Mapping[int, Sequence[Interval]]) -> dict[str, list[str]]:
    return {str(weekday): _as_text(intervals) for weekday, intervals in week.items()}


def _as_text(intervals: Iterable[Interval]) -> list[str]:
    return [str(interval) for interval in intervals]
