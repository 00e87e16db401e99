"""Setting up offices, bookable services and agendas, with a preview of the times that come of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid
from crm.kit.forms import Correction, ServiceForm
from crm.kit.policy import decide
from crm.organisations.forms import calendar_choices, unit_choices
from crm.organisations.models import Organisation, WorkingCalendar
from crm.organisations.selectors import unit_tree
from scheduling import selectors
from scheduling.forms import (
    BookableServiceForm,
    ClosureForm,
    ExceptionForm,
    OfficeForm,
    ResourceForm,
)
from scheduling.ical_reading import MOST_BYTES
from scheduling.models import BookableService, Office, Resource
from scheduling.permissions import MANAGE_AGENDA
from scheduling.services import setup as verbs

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@needs(MANAGE_AGENDA)
def overview(request: ActorRequest) -> HttpResponse:
    """Everything that can be booked: offices with their agendas, and services."""
    actor = request.actor
    offices = Office.objects.for_actor(actor).select_related("unit")
    context = {
        "offices": offices.prefetch_related("resources").order_by("name"),
        "services": BookableService.objects.for_actor(actor).order_by("name"),
        "organisation": Organisation.objects.for_actor(actor).get(),
    }
    return render(request, "scheduling/setup/overview.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_AGENDA)
def new_office(request: ActorRequest) -> HttpResponse:
    """One more office."""
    form = _office_form(request, None)
    return _save(
        request,
        form,
        lambda: verbs.save_office(request.actor, form.given()),
        title=_("New office"),
        there=lambda made: redirect("scheduling:office", made.uuid),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_AGENDA)
def office(request: ActorRequest, office: UUID) -> HttpResponse:
    """One office: its data, agendas and closures."""
    rows = Office.objects.for_actor(request.actor).select_related("unit__organisation", "calendar")
    row = rows.get_or_refuse(uuid=office)
    form = _office_form(request, row)
    status = 200
    if request.method == "POST":
        status = form.saved(
            lambda: verbs.save_office(request.actor, form.given(), office=office, seen=_seen(form)),
            lambda: OfficeForm.of(rows.get(uuid=office)),
        )
        if status == 200:
            messages.success(request, _("Changes saved."))
            return redirect("scheduling:office", office)
    return _office_page(request, row, status=status, form=form)


def _office_page(
    request: ActorRequest, row: Office, *, status: int = 200, **bound: Any
) -> HttpResponse:
    context = {
        "office": row,
        "may": decide(request.actor, MANAGE_AGENDA, row),
        "resources": row.resources.prefetch_related("services", "rules").order_by("name"),
        "closures": row.closures.filter(ends_at__gte=timezone.now()).order_by("starts_at")[:100],
        "form": _office_form(request, row, unbound=True),
        "closure_form": ClosureForm(auto_id="closure_%s"),
        "max_bytes": MOST_BYTES,
        **bound,
    }
    return render(request, "scheduling/setup/office.html", context, status=status)


def _office_form(request: ActorRequest, row: Office | None, *, unbound: bool = False) -> OfficeForm:
    organisation = Organisation.objects.for_actor(request.actor).get()
    reach = request.actor.reach(MANAGE_AGENDA)
    nodes = [node for node in unit_tree(organisation).nodes if reach.covers(node.id)]
    calendars = WorkingCalendar.objects.for_actor(request.actor)
    first = OfficeForm.of(row) if row else {"time_zone": organisation.time_zone, "is_active": True}
    return OfficeForm(
        None if unbound else request.POST or None,
        initial=first,
        units=unit_choices(nodes),
        calendars=calendar_choices(calendars),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_AGENDA)
def new_service(request: ActorRequest) -> HttpResponse:
    """One more service."""
    form = BookableServiceForm(request.POST or None, initial={"duration": 20, "step": 20})
    return _save(
        request,
        form,
        lambda: verbs.save_service(request.actor, form.given()),
        title=_("New bookable service"),
        there=lambda made: redirect("scheduling:service", made.uuid),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_AGENDA)
def service(request: ActorRequest, service: UUID) -> HttpResponse:
    """What one service is and by which rules it is booked."""
    rows = BookableService.objects.for_actor(request.actor)
    row = rows.get_or_refuse(uuid=service)
    form = BookableServiceForm(request.POST or None, initial=BookableServiceForm.of(row))
    return _save(
        request,
        form,
        lambda: verbs.save_service(request.actor, form.given(), service=service, seen=_seen(form)),
        title=row.name,
        there=lambda _made: redirect("scheduling:service", service),
        on_record=lambda: BookableServiceForm.of(rows.get(uuid=service)),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_AGENDA)
def new_resource(request: ActorRequest, office: UUID) -> HttpResponse:
    """One more agenda of an office."""
    place = Office.objects.for_actor(request.actor).get_or_refuse(uuid=office)
    form = ResourceForm(
        request.POST or None, initial={"is_active": True}, services=_services(request)
    )
    return _save(
        request,
        form,
        lambda: verbs.save_resource(request.actor, office, form.given()),
        title=_("New agenda"),
        there=lambda made: redirect("scheduling:resource", made.uuid),
        template="scheduling/setup/resource.html",
        office=place,
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_AGENDA)
def resource(request: ActorRequest, resource: UUID) -> HttpResponse:
    """One agenda: what it attends, its week, the dates on which it differs, and the times that come of it."""
    row = _resource(request, resource)
    form = ResourceForm(
        request.POST or None, initial=ResourceForm.of(row), services=_services(request)
    )
    return _save(
        request,
        form,
        lambda: verbs.save_resource(
            request.actor,
            row.office.uuid,
            form.given(),
            resource=resource,
            seen=_seen(form),
        ),
        title=row.name,
        there=lambda _made: redirect("scheduling:resource", resource),
        on_record=lambda: ResourceForm.of(_resource(request, resource)),
        template="scheduling/setup/resource.html",
        **_resource_context(request, row),
    )


def _resource(request: ActorRequest, resource: UUID) -> Resource:
    rows = Resource.objects.for_actor(request.actor).select_related("office__unit__organisation")
    found: Resource = rows.get_or_refuse(uuid=resource)
    return found


def _resource_context(request: ActorRequest, row: Resource) -> dict[str, Any]:
    today = timezone.localdate()
    service = row.services.filter(is_active=True).order_by("name").first()
    preview = (
        selectors.days_with_free(request.actor, service, row.office, today, by_person=False)
        if service and row.is_active
        else []
    )
    return {
        "office": row.office,
        "row": row,
        "exceptions": row.exceptions.filter(day__gte=today).order_by("day", "starts")[:100],
        "exception_form": ExceptionForm(auto_id="exception_%s"),
        "previewed": service,
        "preview": [
            (day.day, len(day.slots), day.slots[0].start.astimezone(row.office.zone))
            for day in preview
        ],
    }


def _services(request: ActorRequest) -> list[tuple[str, str]]:
    rows = BookableService.objects.for_actor(request.actor).order_by("name")
    return list(rows.values_list("code", "name"))


@require_POST
@needs(MANAGE_AGENDA)
def exception(request: ActorRequest, resource: UUID) -> HttpResponse:
    """A date on which the agenda attends otherwise."""
    row = _resource(request, resource)
    form = ExceptionForm(request.POST, auto_id="exception_%s")
    status = form.saved(lambda: verbs.set_exception(request.actor, resource, **form.cleaned_data))
    if status == 200:
        messages.success(request, _("Changes saved."))
        return redirect("scheduling:resource", resource)
    context = {
        **_resource_context(request, row),
        "form": ResourceForm(initial=ResourceForm.of(row), services=_services(request)),
        "title": row.name,
        "exception_form": form,
    }
    return render(request, "scheduling/setup/resource.html", context, status=status)


@require_POST
@needs(MANAGE_AGENDA)
def remove_exception(request: ActorRequest, resource: UUID) -> HttpResponse:
    """That date is like every week again."""
    try:
        day = parse_date(request.POST.get("day", ""))
    except ValueError:
        day = None
    if day is None:
        raise Invalid
    verbs.set_exception(request.actor, resource, day=day, intervals=None)
    messages.success(request, _("Changes saved."))
    return redirect("scheduling:resource", resource)


@require_POST
@needs(MANAGE_AGENDA)
def closure(request: ActorRequest, office: UUID) -> HttpResponse:
    """Days on which the office does not attend."""
    rows = Office.objects.for_actor(request.actor).select_related("unit__organisation", "calendar")
    row = rows.get_or_refuse(uuid=office)
    form = ClosureForm(request.POST, auto_id="closure_%s")
    status = form.saved(lambda: verbs.add_closure(request.actor, office, **form.cleaned_data))
    if status == 200:
        messages.success(request, _("Changes saved."))
        return redirect("scheduling:office", office)
    return _office_page(request, row, status=status, closure_form=form)


@require_POST
@needs(MANAGE_AGENDA)
def remove_closure(request: ActorRequest, office: UUID, closure: UUID) -> HttpResponse:
    """The office attends then after all."""
    verbs.remove_closure(request.actor, office, closure)
    messages.success(request, _("Changes saved."))
    return redirect("scheduling:office", office)


@require_POST
@needs(MANAGE_AGENDA)
def import_closures(request: ActorRequest, office: UUID) -> HttpResponse:
    """Closures from an iCalendar file; the page says what was taken and what was not understood."""
    Office.objects.for_actor(request.actor).get_or_refuse(uuid=office)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise Invalid(errors={"file": [_("Choose a file.")]})
        content = file.read(MOST_BYTES + 1)
        new, problems = verbs.import_closures(request.actor, office, content, timezone.now())
    except Invalid as error:
        for text in (text for found in error.errors.values() for text in found):
            messages.error(request, str(text))
    else:
        told = ngettext("%(count)s closure is new.", "%(count)s closures are new.", new)
        messages.success(request, told % {"count": new})
        for problem in problems[:5]:
            left = _("Left out: %(event)s. %(reason)s")
            messages.warning(request, left % {"event": problem.event, "reason": problem.reason})
    return redirect("scheduling:office", office)


def _save(
    request: ActorRequest,
    form: ServiceForm,
    verb: Callable[[], Any],
    *,
    title: str,
    there: Callable[[Any], HttpResponse],
    on_record: Callable[[], Any] | None = None,
    template: str = "scheduling/setup/form.html",
    **context: Any,
) -> HttpResponse:
    """A page with one form: saved, on to what it made; refused, it says why and keeps what was typed."""
    status = 200
    if request.method == "POST":
        made: list[Any] = []
        status = form.saved(lambda: made.append(verb()), on_record)
        if status == 200:
            messages.success(request, _("Changes saved."))
            return there(made[0])
    return render(request, template, {"form": form, "title": title, **context}, status=status)


def _seen(form: Correction) -> Any:
    raw = form.cleaned_data["seen"]
    try:
        moment = parse_datetime(raw) if raw else None
    except ValueError:
        moment = None
    if raw and moment is None:
        raise Invalid
    return moment
