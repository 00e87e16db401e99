"""A citizen's own way to an appointment: service, office, time, person, code; then to move or cancel it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit import tries
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound
from crm.kit.models import uuid7
from crm.kit.web import client_ip, counted_by, request_id
from crm.organisations.models import Organisation
from scheduling import selectors, services
from scheduling.ical_writing import written
from scheduling.models import Appointment, Office, Status
from scheduling.presenting import day_and_hour
from scheduling.public_forms import (
    CodeForm,
    FindForm,
    PersonForm,
    SendCodeForm,
    read_start,
    written_start,
)
from scheduling.services import SlotTaken, Wish
from scheduling.services.booking import count_try, opens, place_of, require_in_time
from scheduling.ticket import ticket_of

GET_OR_POST = ["GET", "HEAD", "POST"]
_HELD, _OPENED = "appointment_held", "appointment_opened"
_OPEN_FOR = 30 * 60  # seconds that an appointment stays open in its person's browser
_UNKNOWN = gettext_lazy("There is no appointment with this reference and code. Check both.")
_BY_WEB = gettext_lazy("The person, on the web")

PublicView = Callable[..., HttpResponse]


def of_organisation(view: PublicView) -> PublicView:
    """A public page of one organisation, which acts for whoever asks; no search engine keeps it."""

    @wraps(view)
    def shown(request: HttpRequest, code: str, **kwargs: Any) -> HttpResponse:
        organisation = selectors.organisation_of(code)
        if organisation is None:
            raise NotFound
        response = view(request, organisation, _actor(request, organisation), **kwargs)
        response.headers.setdefault("X-Robots-Tag", "noindex")
        return response

    return shown


def _actor(request: HttpRequest, organisation: Organisation) -> Actor:
    origin = Origin(Door.PUBLIC, request_id(request), client_ip(request))
    with translation.override(settings.LANGUAGE_CODE):  # it stays in the story as it is said
        return system_actor(organisation, origin, str(_BY_WEB))


# --- The way to a time ----------------------------------------------------------------------------


@require_safe
@of_organisation
def start(request: HttpRequest, organisation: Organisation, actor: Actor) -> HttpResponse:
    """What one can have an appointment for."""
    context = {
        "organisation": organisation,
        "services": selectors.services(actor, public=True),
        "step": 1,
    }
    return render(request, "scheduling/public/start.html", context)


@require_safe
@of_organisation
def where(
    request: HttpRequest, organisation: Organisation, actor: Actor, service: str
) -> HttpResponse:
    """In which office; where there is only one, straight to its times."""
    found = selectors.services(actor, public=True).filter(code=service).first()
    if found is None:
        raise NotFound
    offices = list(selectors.offices(actor, found))
    if len(offices) == 1:
        return redirect("scheduling:times", organisation.code, service, offices[0].code)
    context = {"organisation": organisation, "service": found, "offices": offices, "step": 2}
    return render(request, "scheduling/public/where.html", context)


@require_safe
@of_organisation
def times(
    request: HttpRequest, organisation: Organisation, actor: Actor, service: str, office: str
) -> HttpResponse:
    """Five days with free times, and the times of one of them."""
    place = _place(actor, service, office)
    context = {
        "organisation": organisation,
        "place": place,
        "step": 3,
        **_times(request, actor, place.service, place.office),
        "others": selectors.offices(actor, place.service).exclude(pk=place.office.pk)[:1],
    }
    return render(request, "scheduling/public/times.html", context)


def _place(actor: Actor, service: str, office: str) -> services.Place:
    try:
        return place_of(actor, service, office, public=True)
    except Invalid as error:
        raise NotFound from error


def _times(
    request: HttpRequest,
    actor: Actor,
    service: Any,
    office: Office,
    moving: Appointment | None = None,
) -> dict[str, Any]:
    """The days to choose from, from the one in the address on, and the chosen one."""
    today = timezone.now().astimezone(office.zone).date()
    first = max(_day(request, "desde") or today, today)
    days = selectors.days_with_free(
        actor, service, office, first, by_person=True, moving=moving, count=6
    )
    later = days[5].day if len(days) > 5 else None
    days = days[:5]
    wanted = _day(request, "dia")
    chosen = next((day for day in days if day.day == wanted), days[0] if days else None)
    return {
        "days": days,
        "chosen": chosen,
        "first": first,
        "later": later,
        "earlier": first > today,
        "slots": [
            (written_start(slot.start), f"{slot.start.astimezone(office.zone):%H:%M}")
            for slot in (chosen.slots if chosen else ())
            if moving is None or slot.start != moving.starts_at
        ],
    }


def _day(request: HttpRequest, name: str) -> Any:
    try:
        return parse_date(request.GET.get(name, ""))
    except ValueError:
        return None


# --- Who it is for, and the code ------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@of_organisation
def person(
    request: HttpRequest, organisation: Organisation, actor: Actor, service: str, office: str
) -> HttpResponse:
    """Who it is for. Whoever was late is offered what is free next, and keeps what they wrote."""
    place = _place(actor, service, office)
    status, offers = HTTPStatus.OK, []
    if request.method == "POST":
        form = PersonForm(request.POST)
        if form.is_valid():
            try:
                row = _hold(request, actor, place, form)
            except SlotTaken as taken:
                status, offers = HTTPStatus.CONFLICT, taken.slots
            except (Invalid, Conflict) as error:
                form.refused(error)
                status = HTTPStatus(error.status)
            else:
                request.session[_HELD] = str(row.uuid)
                return redirect("scheduling:confirm", organisation.code)
        else:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        form = PersonForm(initial={**_typed_before(request, actor), "key": uuid7()})
    raw = request.POST.get("start") or request.GET.get("hora", "")
    try:
        chosen = read_start(raw)
    except Invalid:
        return redirect("scheduling:times", organisation.code, service, office)
    form.initial["start"] = raw
    context = {
        "organisation": organisation,
        "place": place,
        "form": form,
        "start": chosen.astimezone(place.office.zone),
        "taken": status == HTTPStatus.CONFLICT and not form.errors,
        "offers": [
            (written_start(slot.start), slot.start.astimezone(place.office.zone)) for slot in offers
        ],
        "step": 4,
    }
    return render(request, "scheduling/public/person.html", context, status=status)


def _hold(
    request: HttpRequest, actor: Actor, place: services.Place, form: PersonForm
) -> Appointment:
    tries.count_try(
        "appointment-hold",
        counted_by(client_ip(request)),
        most=30,
        seconds=600,
        message=_("Too many appointments were asked for from here. Wait a few minutes."),
    )
    wish = Wish(place.service.code, place.office.code, read_start(form.cleaned_data["start"]))
    return services.hold_slot(
        actor,
        wish,
        form.person(),
        consent=form.cleaned_data["consent"],
        key=form.cleaned_data["key"],
    )


def _typed_before(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """What this browser's person wrote for a time that they did not get in the end."""
    row = _held(request, actor)
    if row is None or row.status not in {Status.HELD, Status.EXPIRED}:
        return {}
    kept = ("email", "phone", "needs", "subject")
    return {"name": row.person, **{name: getattr(row, name) for name in kept}}


def _held(request: HttpRequest, actor: Actor) -> Appointment | None:
    rows = selectors.with_people(Appointment.objects.for_actor(actor), actor)
    return rows.filter(uuid=_kept_uuid(request, _HELD)).first()


def _kept_uuid(request: HttpRequest, name: str) -> UUID:
    return UUID(request.session.get(name) or str(UUID(int=0)))


@require_http_methods(GET_OR_POST)
@of_organisation
def confirm(request: HttpRequest, organisation: Organisation, actor: Actor) -> HttpResponse:
    """The code that came by e-mail makes the held time theirs."""
    row = _held(request, actor)
    if row is None:
        return redirect("scheduling:start", organisation.code)
    if row.status not in {Status.HELD, Status.EXPIRED}:
        _open(request, row)
        return redirect("scheduling:mine", organisation.code)
    form = CodeForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                services.confirm_hold(actor, row.uuid, form.cleaned_data["code"])
            except SlotTaken as taken:
                messages.error(request, str(taken.message))
                return redirect(
                    "scheduling:times", organisation.code, row.service.code, row.office.code
                )
            except (Invalid, Conflict) as error:
                form.refused(error)
                status = HTTPStatus(error.status)
            else:
                _open(request, row)
                return redirect("scheduling:mine", organisation.code)
    context = {
        "organisation": organisation,
        "row": row,
        "when": day_and_hour(row),
        "mailbox": _hidden(row.email),
        "form": form,
        "minutes": row.service.hold_minutes,
        "step": 5,
    }
    return render(request, "scheduling/public/confirm.html", context, status=status)


@require_POST
@of_organisation
def resend(request: HttpRequest, organisation: Organisation, actor: Actor) -> HttpResponse:
    """The code once more, for the hold of this browser."""
    row = _held(request, actor)
    if row is not None and row.status == Status.HELD:
        _count_mail(request, row.reference, row.email)
        services.send_code_again(row)
        messages.success(request, _("The code is on its way again."))
    return redirect("scheduling:confirm", organisation.code)


def _hidden(address: str) -> str:
    """A mailbox as whoever wrote it recognises it."""
    name, _at, place = address.partition("@")
    return f"{name[:1]}•••@{place}"


def _count_mail(request: HttpRequest, reference: str, address: str) -> None:
    """Count a code asked for: of one appointment with one mailbox, so that whoever knows a mailbox alone
    uses up nobody's tries; alike whether or not there is such an appointment."""
    message = _("Too many codes were asked for. Wait an hour.")
    asked = salted_hmac("scheduling.asked", f"{reference} {address.lower()}").hexdigest()
    tries.count_try("appointment-mail", asked, most=5, seconds=3600, message=message)
    ip = counted_by(client_ip(request))
    tries.count_try("appointment-mail-ip", ip, most=30, seconds=3600, message=message)


# --- One's own appointment ------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@of_organisation
def find(request: HttpRequest, organisation: Organisation, actor: Actor) -> HttpResponse:
    """Open one's appointment by reference and code; the answer is the same whatever is wrong."""
    first = {"reference": request.GET.get("referencia", "")[:20]}
    form = FindForm(request.POST or None, initial=first)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            row = _by_code(request, actor, **form.cleaned_data)
            if row is not None:
                record(actor, "viewed", row, part="own")
                _open(request, row)
                return redirect("scheduling:mine", organisation.code)
            form.refused(Invalid(_UNKNOWN))
    context = {"organisation": organisation, "form": form, "send_form": SendCodeForm(initial=first)}
    return render(request, "scheduling/public/find.html", context, status=status)


def _by_code(request: HttpRequest, actor: Actor, reference: str, code: str) -> Appointment | None:
    """The appointment that this code opens; tries are counted alike whether or not it exists."""
    plain = _plain(reference)
    ip = counted_by(client_ip(request))
    message = _("Too many codes were tried from here. Wait a few minutes.")
    tries.count_try("appointment-ip", ip, most=30, seconds=600, message=message)
    count_try(plain)
    row = _by_reference(actor, plain)
    return row if opens(row, code) else None


def _plain(reference: str) -> str:
    return "".join(sign for sign in reference.upper() if sign.isalnum())[:12]


def _by_reference(actor: Actor, reference: str) -> Appointment | None:
    rows = Appointment.objects.for_actor(actor).filter(reference=reference)
    return rows.exclude(status__in=[Status.HELD, Status.EXPIRED]).first()


@require_POST
@of_organisation
def send_code(request: HttpRequest, organisation: Organisation, actor: Actor) -> HttpResponse:
    """Whoever lost the code has it sent to the mailbox of the appointment; one answer for everybody."""
    form = SendCodeForm(request.POST)
    if form.is_valid():
        address = form.cleaned_data["email"].strip().lower()
        reference = _plain(form.cleaned_data["reference"])
        _count_mail(request, reference, address)
        row = _by_reference(actor, reference)
        if row is not None and row.status == Status.BOOKED and row.email.lower() == address:
            services.send_code_again(row)
    messages.info(
        request, _("If there is such an appointment with that email, the code is on its way.")
    )
    return redirect("scheduling:find", organisation.code)


def _open(request: HttpRequest, row: Appointment) -> None:
    """For half an hour this browser is its person's."""
    request.session.cycle_key()
    request.session.pop(_HELD, None)
    request.session[_OPENED] = str(row.uuid)
    request.session[f"{_OPENED}_until"] = timezone.now().timestamp() + _OPEN_FOR


def mine_only(view: PublicView) -> PublicView:
    """A page of the appointment that is open in this browser; without one, where it is opened."""

    @wraps(view)
    def shown(
        request: HttpRequest, organisation: Organisation, actor: Actor, **kwargs: Any
    ) -> HttpResponse:
        fresh = request.session.get(f"{_OPENED}_until", 0) > timezone.now().timestamp()
        rows = selectors.with_people(Appointment.objects.for_actor(actor), actor)
        row = rows.filter(uuid=_kept_uuid(request, _OPENED)).first() if fresh else None
        if row is None:
            return redirect("scheduling:find", organisation.code)
        return view(request, organisation, actor, row, **kwargs)

    return shown


@require_safe
@of_organisation
@mine_only
def mine(
    request: HttpRequest, organisation: Organisation, actor: Actor, row: Appointment
) -> HttpResponse:
    """The receipt: when, where, what to bring, and how to change it."""
    context = {
        "organisation": organisation,
        "row": row,
        "when": day_and_hour(row),
        **ticket_of(row, organisation),
        "changeable": row.status == Status.BOOKED and _in_time(row),
        "notices": row.email and row.status == Status.BOOKED,
    }
    return render(request, "scheduling/public/mine.html", context)


def _in_time(row: Appointment) -> bool:
    try:
        require_in_time(row)
    except Conflict:
        return False
    return True


@require_http_methods(GET_OR_POST)
@of_organisation
@mine_only
def move(
    request: HttpRequest, organisation: Organisation, actor: Actor, row: Appointment
) -> HttpResponse:
    """Another time for the same matter."""
    status = HTTPStatus.OK
    if request.method == "POST":
        try:
            begins = read_start(request.POST.get("start", ""))
            services.move_appointment(actor, row.uuid, begins, by_person=True)
        except (Invalid, Conflict) as error:
            _say(request, error)
            status = HTTPStatus(error.status)
        else:
            messages.success(request, _("Your appointment has changed."))
            return redirect("scheduling:mine", organisation.code)
    context = {
        "organisation": organisation,
        "row": row,
        "when": day_and_hour(row),
        **_times(request, actor, row.service, row.office, row),
    }
    return render(request, "scheduling/public/move.html", context, status=status)


@require_http_methods(GET_OR_POST)
@of_organisation
@mine_only
def cancel(
    request: HttpRequest, organisation: Organisation, actor: Actor, row: Appointment
) -> HttpResponse:
    """Asks once, then gives the time to others."""
    if request.method == "POST":
        try:
            services.cancel_appointment(actor, row.uuid, by_person=True)
        except Conflict as error:
            _say(request, error)
        else:
            messages.success(request, _("We have cancelled your appointment."))
        return redirect("scheduling:mine", organisation.code)
    context = {"organisation": organisation, "row": row, "when": day_and_hour(row)}
    return render(request, "scheduling/public/cancel.html", context)


def _say(request: HttpRequest, error: DomainError) -> None:
    texts = [text for found in getattr(error, "errors", {}).values() for text in found]
    for text in texts or [error.message]:
        messages.error(request, str(text))


@require_safe
@of_organisation
@mine_only
def calendar(
    request: HttpRequest, organisation: Organisation, actor: Actor, row: Appointment
) -> HttpResponse:
    """The appointment for one's own calendar."""
    record(actor, "downloaded", row, part="calendar")
    response = HttpResponse(written(row), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="cita.ics"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
