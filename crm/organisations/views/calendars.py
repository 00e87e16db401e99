"""Calendars of working days and opening hours."""

from collections.abc import Callable, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Changed, Invalid
from crm.kit.forms import ServiceForm
from crm.kit.policy import Decision, decide
from crm.organisations import services
from crm.organisations.forms import (
    CalendarForm,
    CalendarNameForm,
    DateHoursForm,
    HolidayForm,
    WeekForm,
    calendar_choices,
    region_choices,
)
from crm.organisations.models import Holiday, Layer, WorkingCalendar
from crm.organisations.permissions import MANAGE_CALENDARS
from crm.organisations.selectors import years_not_loaded
from crm.organisations.services.working_time import (
    NOTHING,
    holiday_on,
    holiday_seen,
    hours_seen,
)
from crm.organisations.services.working_time import date_hours as hours_by_date
from crm.organisations.views.settings import GET_OR_POST


@require_safe
@needs(MANAGE_CALENDARS)
def calendars(request: ActorRequest) -> HttpResponse:
    """The organisation's calendars and the official ones that they stand on."""
    order = list(Layer.values)
    rows = sorted(
        WorkingCalendar.objects.for_actor(request.actor).select_related("base"),
        key=lambda row: (row.organisation_id is None, order.index(row.layer), row.name),
    )
    context = {"calendars": [(row, years_not_loaded(row)) for row in rows]}
    return render(request, "organisations/calendars.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CALENDARS)
def new_calendar(request: ActorRequest) -> HttpResponse:
    """A calendar of the organisation's own."""
    bases = list(WorkingCalendar.objects.for_actor(request.actor).exclude(layer=Layer.UNIT))
    choices = [*calendar_choices(bases), *region_choices(bases)]
    form = CalendarForm(request.POST or None, calendars=choices)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_calendar(request.actor, **form.given())
        except Invalid as error:
            form.refused(error)
        else:
            messages.success(request, _("The calendar has been created."))
            return redirect("organisations:calendar", made.uuid)
    status = 422 if request.method == "POST" else 200
    return render(request, "organisations/new_calendar.html", {"form": form}, status=status)


@require_safe
@needs(MANAGE_CALENDARS)
def calendar(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """One calendar, year by year."""
    return _page(request, calendar_id, _year(request))


@require_POST
@needs(MANAGE_CALENDARS)
def rename(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """Call the calendar otherwise."""
    form = CalendarNameForm(request.POST)
    return _act(
        request,
        calendar_id,
        "name_form",
        form,
        lambda: services.rename_calendar(request.actor, calendar_id, **form.cleaned_data),
        lambda: CalendarNameForm.of(_calendar(request, calendar_id)),
    )


@require_POST
@needs(MANAGE_CALENDARS)
def holiday(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """Add a day that does not count, or counts again."""
    form = HolidayForm(request.POST, auto_id="holiday_%s")

    def now() -> dict[str, Any]:
        day = form.cleaned_data["day"]
        return HolidayForm.of(day, holiday_on(_calendar(request, calendar_id), day))

    return _act(
        request,
        calendar_id,
        "holiday_form",
        form,
        lambda: services.set_holiday(request.actor, calendar_id, **form.cleaned_data),
        now,
    )


@require_POST
@needs(MANAGE_CALENDARS)
def remove_holiday(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """Take a day away."""
    day, seen = _day(request), request.POST.get("seen", "")
    return _take_away(
        request,
        calendar_id,
        day,
        lambda: services.remove_holiday(request.actor, calendar_id, day, seen=seen),
    )


@require_POST
@needs(MANAGE_CALENDARS)
def week(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """Set the hours of the weekdays."""
    form = WeekForm(request.POST)
    return _act(
        request,
        calendar_id,
        "week_form",
        form,
        lambda: services.set_weekly_hours(
            request.actor, calendar_id, form.week(), seen=form.cleaned_data["seen"]
        ),
        lambda: WeekForm.of(_calendar(request, calendar_id).hours.all()),
    )


@require_POST
@needs(MANAGE_CALENDARS)
def date_hours(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """Set the hours of one date."""
    form = DateHoursForm(request.POST, auto_id="date_%s")

    def now() -> dict[str, Any]:
        day = form.cleaned_data["day"]
        rows = _calendar(request, calendar_id).hours.filter(day=day)
        return DateHoursForm.of(day, hours_by_date(rows).get(day))

    return _act(
        request,
        calendar_id,
        "date_form",
        form,
        lambda: services.set_date_hours(request.actor, calendar_id, **form.cleaned_data),
        now,
    )


@require_POST
@needs(MANAGE_CALENDARS)
def remove_date_hours(request: ActorRequest, calendar_id: UUID) -> HttpResponse:
    """Have the date like any such weekday again."""
    day, seen = _day(request), request.POST.get("seen", "")
    return _take_away(
        request,
        calendar_id,
        day,
        lambda: services.set_date_hours(
            request.actor, calendar_id, day=day, intervals=None, seen=seen
        ),
    )


def _take_away(
    request: ActorRequest, calendar_id: UUID, day: date, verb: Callable[[], object]
) -> HttpResponse:
    """Remove what was seen of a day; if it is something else by now, the page shows that instead."""
    try:
        verb()
    except Changed as error:
        return _page(request, calendar_id, day.year, error.status, problem=error.in_a_line)
    messages.success(request, _("Changes saved."))
    return _back(calendar_id, day)


def _back(calendar_id: UUID, day: date | None) -> HttpResponse:
    """The calendar, where the day is seen."""
    address = reverse("organisations:calendar", args=[calendar_id])
    return redirect(f"{address}?year={day.year}" if day else address)


def _day(request: ActorRequest) -> date:
    try:
        day = parse_date(request.POST.get("day", ""))
    except ValueError:
        day = None
    if day is None:
        raise Invalid
    return day


def _act(
    request: ActorRequest,
    calendar_id: UUID,
    name: str,
    form: ServiceForm,
    verb: Callable[[], object],
    on_record: Callable[[], Mapping[str, Any]] | None = None,
) -> HttpResponse:
    """Carry out a verb with what was typed; what it refuses is shown at the form."""
    status = form.saved(verb, on_record)
    day = form.cleaned_data.get("day")
    if status == HTTPStatus.OK:
        messages.success(request, _("Changes saved."))
        return _back(calendar_id, day)
    year = day.year if day else _year(request)
    return _page(request, calendar_id, year, status, **{name: form})


def _page(
    request: ActorRequest, calendar_id: UUID, year: int, status: int = 200, **shown: object
) -> HttpResponse:
    found = (
        WorkingCalendar.objects.for_actor(request.actor)
        .select_related("base__base__base")
        .get_or_refuse(uuid=calendar_id)
    )
    layers = [found]
    while layers[-1].base is not None:
        layers.append(layers[-1].base)
    days = Holiday.objects.filter(calendar__in=layers, day__year=year).select_related("calendar")
    hours = list(found.hours.all())
    context: dict[str, Any] = {
        "calendar": found,
        "layers": layers[::-1],
        "year": year,
        "days": [(row, holiday_seen(row)) for row in days.order_by("day")],
        "missing": years_not_loaded(found),
        "may": _may(request, found),
        "dates": [
            (day, intervals, hours_seen(intervals))
            for day, intervals in hours_by_date(hours).items()
        ],
        "name_form": CalendarNameForm(initial=CalendarNameForm.of(found)),
        "holiday_form": HolidayForm(auto_id="holiday_%s", initial={"seen": NOTHING}),
        "week_form": WeekForm(initial=WeekForm.of(hours)),
        "date_form": DateHoursForm(auto_id="date_%s", initial={"seen": NOTHING}),
        **shown,
    }
    return render(request, "organisations/calendar.html", context, status=status)


def _calendar(request: ActorRequest, calendar_id: UUID) -> WorkingCalendar:
    return WorkingCalendar.objects.for_actor(request.actor).get_or_refuse(uuid=calendar_id)


def _may(request: ActorRequest, calendar: WorkingCalendar) -> Decision:
    if calendar.organisation_id is None:
        return Decision(
            False, _("The official holidays are the same for all; add a layer of your own.")
        )
    return decide(request.actor, MANAGE_CALENDARS, calendar)


def _year(request: ActorRequest) -> int:
    asked = request.GET.get("year", "")
    this_year = timezone.localdate().year
    years = map(str, range(2000, this_year + 51))
    return int(asked) if asked in years else this_year
