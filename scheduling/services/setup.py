"""Setting up what can be booked: offices, services, agendas, their weeks, exceptions and closures."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.audit.record import record
from crm.citizens import checking
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, Text
from crm.kit.forms import YEARS
from crm.kit.policy import require
from crm.organisations.calendars import Interval
from crm.organisations.models import Unit, WorkingCalendar
from crm.organisations.services.working_time import MOST_INTERVALS
from scheduling.ical_reading import CannotRead, Problem, closures_in
from scheduling.models import (
    BookableService,
    Closure,
    DayException,
    Modality,
    Office,
    Resource,
    WeeklyRule,
)
from scheduling.permissions import MANAGE_AGENDA

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_OFFICE = (
    *("name", "code", "time_zone", "address", "directions", "phone", "latitude", "longitude"),
    "is_active",
)
_SERVICE = (
    *("name", "code", "description", "modality", "duration", "step", "buffer_before"),
    *("buffer_after", "required_papers", "min_notice", "horizon_days"),
    *("max_active_per_citizen", "hold_minutes", "cancel_until", "is_public", "is_active"),
)


@transaction.atomic
def save_office(
    actor: Actor,
    given: Mapping[str, Any],
    *,
    office: UUID | None = None,
    seen: datetime | None = None,
) -> Office:
    """There is an office with this data; `office` names the one that is changed."""
    row = (
        _locked(Office, actor, office) if office else Office(organisation_id=actor.organisation_id)
    )
    _as_seen(row, seen)
    if office:
        require(actor, MANAGE_AGENDA, row)
    errors = _Errors()
    _put_where_it_belongs(actor, row, given, errors)
    for name in _OFFICE:
        setattr(
            row,
            name,
            errors.text(name, given[name], 300) if isinstance(given[name], str) else given[name],
        )
    for name in ("name", "address"):
        if not getattr(row, name):
            errors.add(name, _("This field is required."))
    if (row.latitude is None) != (row.longitude is None):
        errors.add("latitude", _("Give both coordinates or none."))
    _check_code(actor, Office, row, errors)
    errors.refuse()
    row.save()
    record(actor, MANAGE_AGENDA, row, act="office")
    return row


@transaction.atomic
def save_service(
    actor: Actor,
    given: Mapping[str, Any],
    *,
    service: UUID | None = None,
    seen: datetime | None = None,
) -> BookableService:
    """This can be booked by these rules; appointments already made keep theirs."""
    require(actor, MANAGE_AGENDA)
    row = (
        _locked(BookableService, actor, service)
        if service
        else BookableService(organisation_id=actor.organisation_id)
    )
    _as_seen(row, seen)
    errors = _Errors()
    for name in _SERVICE:
        value = given[name]
        setattr(row, name, errors.text(name, value, 400) if isinstance(value, str) else value)
    if not row.name:
        errors.add("name", _("This field is required."))
    if row.modality not in Modality.values:
        errors.add("modality", _("Choose one of the offered values."))
    papers = [errors.text("required_papers", paper, 200) for paper in row.required_papers]
    row.required_papers = papers[:20]
    _check_code(actor, BookableService, row, errors)
    errors.refuse()
    row.save()
    record(actor, MANAGE_AGENDA, row, act="service")
    return row


@transaction.atomic
def save_resource(
    actor: Actor,
    office: UUID,
    given: Mapping[str, Any],
    *,
    resource: UUID | None = None,
    seen: datetime | None = None,
) -> Resource:
    """The office has this agenda: what it attends, and its hours of each weekday (0 Monday)."""
    place = _office(actor, office)
    row = (
        _locked(Resource, actor, resource, office=place)
        if resource
        else Resource(organisation_id=actor.organisation_id, office=place)
    )
    _as_seen(row, seen)
    errors = _Errors()
    row.name = errors.text("name", given["name"], 80)
    if not row.name:
        errors.add("name", _("This field is required."))
    elif _others(Resource, actor, row).filter(office=place, name=row.name).exists():
        errors.add("name", _("Another agenda of the office is called so."))
    if given["kind"] not in Resource.Kind.values:
        errors.add("kind", _("Choose one of the offered values."))
    row.kind, row.is_active = given["kind"], given["is_active"]
    codes = set(given["services"])
    attends = list(BookableService.objects.for_actor(actor).filter(code__in=codes))
    if len(attends) != len(codes):
        errors.add("services", _("Choose one of the offered values."))
    for weekday, intervals in given["week"].items():
        if problem := _problem(intervals):
            errors.add(f"weekday_{weekday}", problem)
    errors.refuse()
    row.save()
    row.services.set(attends)
    WeeklyRule.objects.for_actor(actor).filter(resource=row).delete()
    WeeklyRule.objects.bulk_create(
        WeeklyRule(resource=row, weekday=weekday, starts=interval.start, ends=interval.end)
        for weekday, intervals in sorted(given["week"].items())
        for interval in intervals
    )
    week = {str(day): _as_text(intervals) for day, intervals in given["week"].items()}
    record(actor, MANAGE_AGENDA, row, act="agenda", week=week, services=sorted(codes))
    return row


@transaction.atomic
def set_exception(
    actor: Actor,
    resource: UUID,
    *,
    day: date,
    intervals: Sequence[Interval] | None,
    reason: str = "",
) -> None:
    """On that date the agenda attends in these hours (none: not at all); None: as every week."""
    row = _locked(Resource, actor, resource)
    require(actor, MANAGE_AGENDA, row.office)
    errors = _Errors()
    if problem := _problem(intervals or ()):
        errors.add("intervals", problem)
    reason = errors.text("reason", reason, 120)
    errors.refuse()
    row.exceptions.filter(day=day).delete()
    if intervals is not None:
        hours: list[tuple[time | None, time | None]] = [
            (interval.start, interval.end) for interval in intervals
        ]
        hours = hours or [(None, None)]
        DayException.objects.bulk_create(
            DayException(resource=row, day=day, starts=start, ends=end, reason=reason)
            for start, end in hours
        )
    said = None if intervals is None else _as_text(intervals)
    record(actor, MANAGE_AGENDA, row, act="exception", day=day.isoformat(), hours=said)


@transaction.atomic
def add_closure(
    actor: Actor, office: UUID, *, first: date, last: date | None, name: str
) -> Closure:
    """The office does not attend on these days; appointments that stand there stay to be moved."""
    place = _office(actor, office)
    errors = _Errors()
    name = errors.text("name", name, 120)
    if not name:
        errors.add("name", _("This field is required."))
    last = last or first
    if last < first:
        errors.add("last", _("The last day comes before the first."))
    if first.year not in YEARS or last.year not in YEARS or last - first > timedelta(days=366):
        errors.add("last", _("An office closes for a year at most."))
    errors.refuse()
    row = Closure.objects.create(
        office=place,
        starts_at=datetime.combine(first, time(), tzinfo=place.zone),
        ends_at=datetime.combine(last + timedelta(days=1), time(), tzinfo=place.zone),
        name=name,
    )
    record(actor, MANAGE_AGENDA, place, act="closure", first=first, last=last, name=name)
    return row


@transaction.atomic
def remove_closure(actor: Actor, office: UUID, closure: UUID) -> None:
    """The office attends on those days as on any."""
    place = _office(actor, office)
    row = Closure.objects.for_actor(actor).filter(office=place).get_or_refuse(uuid=closure)
    record(actor, MANAGE_AGENDA, place, act="closure_removed", name=row.name)
    row.delete()


@transaction.atomic
def import_closures(
    actor: Actor, office: UUID, content: bytes, now: datetime
) -> tuple[int, list[Problem]]:
    """The office is closed when the events of an iCalendar file say so, from today on; how many times
    are new, and which events could not be understood. The same file again changes nothing.

    Raises Invalid with the reason when it is no calendar.
    """
    place = _office(actor, office)
    try:
        found, problems = closures_in(content, place.zone, now)
    except CannotRead as error:
        raise Invalid(errors={"file": [error.message]}) from error
    known = set(
        place.closures.filter(uid__in=[one.uid for one in found]).values_list("uid", "starts_at")
    )
    new = [one for one in found if (one.uid, one.start) not in known]
    Closure.objects.bulk_create(
        (
            Closure(office=place, uid=one.uid, starts_at=one.start, ends_at=one.end, name=one.name)
            for one in new
        ),
        ignore_conflicts=True,
    )
    record(actor, MANAGE_AGENDA, place, act="closures_imported", new=len(new), found=len(found))
    return len(new), problems


# --- Inside --------------------------------------------------------------------------------------


def _put_where_it_belongs(
    actor: Actor, row: Office, given: Mapping[str, Any], errors: "_Errors"
) -> None:
    """The office is of this unit, by this calendar, on this clock; the actor may do so there."""
    unit = Unit.objects.for_actor(actor).filter(uuid=given["unit"], closed_on=None).first()
    if unit is None:
        errors.add("unit", _("Choose one of the offered values."))
    else:
        require(actor, MANAGE_AGENDA, unit)
        row.unit = unit
    wanted, row.calendar = given["calendar"], None
    if wanted:
        row.calendar = WorkingCalendar.objects.for_actor(actor).filter(uuid=wanted).first()
    if wanted and row.calendar is None:
        errors.add("calendar", _("Choose one of the offered values."))
    if given["time_zone"] not in available_timezones():
        errors.add("time_zone", _("Choose one of the offered values."))


class _Errors(checking.Errors):
    """Collects what is wrong, field by field."""

    def add(self, field: str, message: Text) -> None:
        """One more thing that is wrong."""
        self.found.setdefault(field, []).append(message)

    def text(self, field: str, raw: str, longest: int) -> str:
        """The text in its kept form; of one that is wrong, nothing."""
        with self.at(field):
            return checking.text(raw, longest)
        return ""


def _locked(model: Any, actor: Actor, uuid: UUID, **more: Any) -> Any:
    rows = model.objects.for_actor(actor).select_for_update(of=("self",))
    return rows.filter(**more).get_or_refuse(uuid=uuid)


def _office(actor: Actor, office: UUID) -> Office:
    row = _locked(Office, actor, office)
    assert isinstance(row, Office)
    require(actor, MANAGE_AGENDA, row)
    return row


def _as_seen(row: Any, seen: datetime | None) -> None:
    if row.pk and seen is not None and row.updated_at != seen:
        raise Changed(_("Somebody else has changed it. Compare before saving again."))


def _others(model: Any, actor: Actor, row: Any) -> Any:
    return model.objects.for_actor(actor).exclude(pk=row.pk)


def _check_code(actor: Actor, model: Any, row: Any, errors: _Errors) -> None:
    if not _CODE.fullmatch(row.code) or len(row.code) > 30:
        errors.add("code", _("Use small letters, figures and dashes, at most 30."))
    elif _others(model, actor, row).filter(code=row.code).exists():
        errors.add("code", _("Another one has this code."))


def _problem(intervals: Sequence[Interval]) -> Text | None:
    if len(intervals) > MOST_INTERVALS:
        return _("A day has at most six intervals.")
    ordered = sorted(intervals, key=lambda interval: interval.start)
    if any(interval.passes_midnight for interval in ordered):
        return _("Hours of attention end on the same day.")
    if any(one.end > other.start for one, other in pairwise(ordered)):
        return _("The intervals of a day must not overlap.")
    return None


def _as_text(intervals: Iterable[Interval]) -> list[str]:
    return [f"{interval.start:%H:%M}-{interval.end:%H:%M}" for interval in intervals]
