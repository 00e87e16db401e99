"""Employees: the day of an office at the desk, and booking, moving and cancelling while on the telephone."""

from collections.abc import Callable
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.permissions import VIEW_CASE
from cases.selectors import cases_of_citizen
from crm.audit.record import record, record_part
from crm.citizens.models import CitizenRecord, Need
from crm.citizens.permissions import VIEW_CITIZEN, VIEW_PROTECTED
from crm.citizens.search import search
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused, Text
from crm.kit.models import StreamHead, uuid7
from crm.kit.policy import decide
from scheduling import selectors, services
from scheduling.forms import BookForm
from scheduling.models import Appointment, BookableService, Notice, Office, Status
from scheduling.permissions import ATTEND_DESK, BOOK_APPOINTMENT
from scheduling.presenting import CHIPS, day_and_hour
from scheduling.public_forms import read_start, written_start
from scheduling.services import Person, SlotTaken, Wish
from scheduling.services.people import citizen_of
from scheduling.stories import icon_of, sentence
from scheduling.ticket import ticket_of

GET_OR_POST = ["GET", "HEAD", "POST"]
OFFICE = "scheduling_office"  # of the session: at which office somebody sits


# --- The day of an office -------------------------------------------------------------------------


@require_GET
@needs(ATTEND_DESK)
def day(request: ActorRequest) -> HttpResponse:
    """Who comes today, and where each stands; drawn anew when something happens."""
    actor = request.actor
    offices = list(selectors.offices(actor))
    office = _chosen(request, offices)
    if office is None:
        return render(request, "scheduling/day.html", {"offices": offices})
    today = timezone.now().astimezone(office.zone).date()
    shown = _date(request, "dia") or today
    rows = selectors.day_of(actor, office, shown)
    drawn_anew = bool(request.htmx)
    if not drawn_anew:
        record(actor, "searched", office, what="appointments", day=shown.isoformat())
    counts = selectors.counts_by_status(rows)
    next_day = None if rows else selectors.next_day_of(actor, office, shown)
    context = {
        "offices": offices,
        "office": office,
        "day": shown,
        "today": today,
        "before": shown - timedelta(days=1),
        "after": shown + timedelta(days=1),
        "rows": [_row(row) for row in rows],
        "next_day": next_day,
        "next_url": _address(office, next_day) if next_day else "",
        "waiting": counts.get(Status.CHECKED_IN, 0),
        "to_come": counts.get(Status.BOOKED, 0),
        "attending": counts.get(Status.IN_SERVICE, 0),
        "total": len(rows),
        "may_book": actor.holds(BOOK_APPOINTMENT),
        "may_attend": decide(actor, ATTEND_DESK, office),
        "stream_after": _stream_number(office),
        "here": _address(office, shown),
    }
    template = "scheduling/_day.html" if drawn_anew else "scheduling/day.html"
    return render(request, template, context)


def _address(office: Office, day: date) -> str:
    return f"{reverse('scheduling:day')}?oficina={office.uuid}&dia={day.isoformat()}"


def _row(row: Appointment) -> dict[str, Any]:
    colour, icon = CHIPS[row.status]
    return {
        "row": row,
        "name": selectors.shown_name(row),
        "colour": colour,
        "icon": icon,
        "began": row.starts_at <= timezone.now(),
        "late": row.status == Status.BOOKED and row.starts_at < timezone.now(),
        "needs": [Need(need).label for need in row.needs if need in Need.values],
    }


def _chosen(request: ActorRequest, offices: list[Office]) -> Office | None:
    """The office asked for, else where one sat last, else that of one's unit, else the first."""
    wanted = request.GET.get("oficina") or request.session.get(OFFICE, "")
    mine = [office for office in offices if office.unit_id == request.actor.home_unit_id]
    found = next((office for office in offices if str(office.uuid) == wanted), None)
    if found is None and request.GET.get("oficina"):
        raise NotFound
    if found is not None and request.session.get(OFFICE) != str(found.uuid):
        request.session[OFFICE] = str(found.uuid)
    return found or next(iter([*mine, *offices]), None)


def _date(request: ActorRequest, name: str) -> date | None:
    try:
        return parse_date(request.GET.get(name, ""))
    except ValueError:
        return None


def _stream_number(office: Office) -> int:
    head = StreamHead.objects.filter(stream=f"office:{office.uuid}").first()
    return head.seq if head else 0


# --- One appointment ------------------------------------------------------------------------------


@require_GET
@needs(BOOK_APPOINTMENT)
def appointment(request: ActorRequest, appointment: UUID) -> HttpResponse:
    """All that is known of it, what happened with it, and what can be done now."""
    actor = request.actor
    row = selectors.appointment_of(actor, appointment)
    record(actor, "viewed", row, **({"citizen": str(row.citizen.uuid)} if row.citizen else {}))
    told = row.happenings.select_related("appointment__service", "appointment__office")
    context = {
        **_row(row),
        "when": day_and_hour(row),
        "notices": Notice.objects.for_actor(actor).filter(appointment=row).order_by("pk"),
        "happenings": [(one, icon_of(one), sentence(one)) for one in told.order_by("-seq")],
        "may_attend": decide(actor, ATTEND_DESK, row.office) and _is_today(row),
        "may_see_citizen": actor.holds(VIEW_CITIZEN),
        "reaches": selectors.reaches(actor, row),
        "found": _same_person(request, row),
    }
    return render(request, "scheduling/appointment.html", context)


@require_GET
@needs(BOOK_APPOINTMENT)
def receipt(request: ActorRequest, appointment: UUID) -> HttpResponse:
    """What the person takes along, on paper and in their language: who has no mailbox has this."""
    row = selectors.appointment_of(request.actor, appointment)
    if not selectors.reaches(request.actor, row):
        text = _("The record is protected: the code of its appointments is for who may open it.")
        raise Refused(VIEW_PROTECTED, text, row)
    record(request.actor, "viewed", row, part="receipt")  # it holds the code
    organisation = row.office.unit.organisation
    with translation.override(row.language):
        paper = render_to_string(
            "scheduling/_paper.html",
            {
                "row": row,
                "organisation": organisation,
                "name": selectors.shown_name(row),
                "when": day_and_hour(row),
                **ticket_of(row, organisation),
            },
        )
    return render(request, "scheduling/receipt.html", {"row": row, "paper": paper})


def _is_today(row: Appointment) -> bool:
    return timezone.now().astimezone(row.zone).date() == row.local_start.date()


def _same_person(request: ActorRequest, row: Appointment) -> list[Any]:
    """Citizens on record whose name is the one that was given, to say who it is."""
    if row.citizen is not None or not request.actor.holds(VIEW_CITIZEN) or not row.person:
        return []
    return list(search(request.actor, row.person, limit=5).hits)


Act = Callable[..., Any]


def _act(permission: str, verb: Act, done: Text) -> Callable[..., Any]:
    """One press on an appointment: carried out, said, and back to where one was."""

    @require_POST
    @needs(permission)
    def view(request: ActorRequest, /, appointment: UUID) -> HttpResponse:
        selectors.appointment_of(request.actor, appointment)
        try:
            verb(request.actor, appointment, version=_version(request))
        except (Invalid, Conflict) as error:
            _say(request, error)
        else:
            messages.success(request, str(done))
        back = request.POST.get("back", "")
        home = reverse("scheduling:day")
        if back == home or back.startswith(f"{home}?"):
            return redirect(back)
        return redirect("scheduling:appointment", appointment)

    return view


def _version(request: ActorRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _say(request: ActorRequest, error: DomainError) -> None:
    texts = [text for found in getattr(error, "errors", {}).values() for text in found]
    for text in texts or [error.message]:
        messages.error(request, str(text))


check_in = _act(ATTEND_DESK, services.check_in, gettext_lazy("The person is here."))
begin = _act(ATTEND_DESK, services.start_service, gettext_lazy("The person is being attended."))
complete = _act(ATTEND_DESK, services.complete_service, gettext_lazy("The attention is completed."))
no_show = _act(ATTEND_DESK, services.mark_no_show, gettext_lazy("It is noted that nobody came."))


@require_http_methods(GET_OR_POST)
@needs(BOOK_APPOINTMENT)
def cancel(request: ActorRequest, appointment: UUID) -> HttpResponse:
    """Asks why, then gives the time to others."""
    actor = request.actor
    row = selectors.appointment_of(actor, appointment)
    if request.method == "POST":
        try:
            services.cancel_appointment(
                actor,
                appointment,
                reason=request.POST.get("reason", ""),
                version=_version(request),
            )
        except (Invalid, Conflict) as error:
            _say(request, error)
        else:
            messages.success(request, _("The appointment is cancelled."))
        return redirect("scheduling:appointment", appointment)
    record_part(actor, row, "cancel")
    context = {**_row(row), "when": day_and_hour(row), "change": row.status == Status.BOOKED}
    return render(request, "scheduling/cancel.html", context)


@require_POST
@needs(BOOK_APPOINTMENT)
def identify(request: ActorRequest, appointment: UUID) -> HttpResponse:
    """Say which citizen on record it is."""
    selectors.appointment_of(request.actor, appointment)
    try:
        services.identify_person(request.actor, appointment, _uuid(request.POST.get("citizen")))
    except (Invalid, Conflict) as error:
        _say(request, error)
    else:
        messages.success(request, _("The appointment is in this person's timeline."))
    return redirect("scheduling:appointment", appointment)


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise Invalid(errors={"citizen": [_("Choose one of the offered values.")]}) from None


# --- Booking and moving ---------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@needs(BOOK_APPOINTMENT)
def new(request: ActorRequest) -> HttpResponse:
    """Book for a citizen on record, or for somebody who is not."""
    citizen = _citizen(request)
    place, choice = _choice(request)
    form = BookForm(
        request.POST if request.method == "POST" else None,
        initial={"key": uuid7()},
        cases=_cases(request, citizen),
    )
    status = HTTPStatus.OK
    offers: list[Any] = []
    if request.method == "POST":
        try:
            row = _book(request, form, place, citizen)
        except SlotTaken as taken:
            form.refused(taken)
            status, offers = HTTPStatus.CONFLICT, taken.slots
        except (Invalid, Conflict) as error:
            form.refused(error)
            status = HTTPStatus(error.status)
        else:
            messages.success(request, _("Booked: %(when)s.") % {"when": day_and_hour(row)})
            return redirect("scheduling:appointment", row.uuid)
    context = {
        "form": form,
        "record": citizen,
        **choice,
        **_free(request, place, offers),
    }
    return render(request, "scheduling/new.html", context, status=status)


def _citizen(request: ActorRequest) -> CitizenRecord | None:
    """The record of the citizen in the address, which the actor may open."""
    asked = request.GET.get("citizen") or request.POST.get("citizen")
    if not asked:
        return None
    try:
        citizen = citizen_of(request.actor, _uuid(asked))
    except Invalid as error:
        raise NotFound from error
    found = CitizenRecord.objects.for_actor(request.actor).get(citizen=citizen)
    found.citizen = citizen
    if request.method == "GET":
        record_part(request.actor, citizen, "appointments")
    return found


def _choice(request: ActorRequest) -> tuple[services.Place | None, dict[str, Any]]:
    """Service and office as chosen in the address; the first ones until something is."""
    actor = request.actor
    offered = list(selectors.services(actor))
    service = _named(offered, request.GET.get("servicio"))
    offices = list(selectors.offices(actor, service)) if service else []
    mine = [office for office in offices if office.unit_id == actor.home_unit_id]
    office = _named(offices, request.GET.get("oficina"), mine)
    place = services.Place(service, office) if service and office else None
    return place, {"services": offered, "offices": offices, "place": place}


def _named(rows: list[Any], code: str | None, before: list[Any] | None = None) -> Any:
    found = next((row for row in rows if row.code == code), None)
    return found or next(iter([*(before or []), *rows]), None)


def _book(
    request: ActorRequest,
    form: BookForm,
    place: services.Place | None,
    citizen: CitizenRecord | None,
) -> Appointment:
    if not form.is_valid():
        raise Invalid
    if place is None:
        raise Invalid(errors={"start": [_("Choose a time.")]})
    given = form.cleaned_data
    person = Person(
        name="" if citizen else given["name"],
        email=given["email"],
        phone=given["phone"],
        subject=given["subject"],
    )
    return services.book_appointment(
        request.actor,
        Wish(place.service.code, place.office.code, read_start(given["start"])),
        citizen=citizen.citizen.uuid if citizen else None,
        person=person,
        case=_case(given["case"]) if citizen and given["case"] else None,
        channel=given["channel"],
        key=given["key"],
    )


def _case(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(errors={"case": [_("Choose one of the offered values.")]}) from None


def _cases(request: ActorRequest, citizen: CitizenRecord | None) -> list[tuple[str, str]]:
    """The open cases of a citizen that the actor sees, to say which one the appointment is about."""
    if citizen is None or not request.actor.holds(VIEW_CASE):
        return []
    rows = cases_of_citizen(request.actor, citizen.citizen)
    return [(str(row.uuid), f"{row.reference} {row.subject}") for row in rows if not row.ended]


def _asked(request: ActorRequest) -> dict[str, str]:
    """What the address says beside the day."""
    return {name: request.GET[name] for name in ("citizen", "servicio") if name in request.GET}


def _free(
    request: ActorRequest,
    place: services.Place | None,
    offers: list[Any] | None = None,
    moving: Appointment | None = None,
) -> dict[str, Any]:
    """Days with free times from the day in the address on."""
    if place is None:
        return {"days": [], "offers": []}
    service, office = place.service, place.office
    assert isinstance(service, BookableService)
    zone = office.zone
    today = timezone.now().astimezone(zone).date()
    first = max(_date(request, "desde") or today, today)
    days = selectors.days_with_free(
        request.actor, service, office, first, by_person=False, moving=moving, count=5
    )
    return {
        "first": first,
        "later": days[-1].day + timedelta(days=1) if len(days) == 5 else None,
        "earlier": first > today,
        "query": urlencode({**_asked(request), "oficina": office.code}),
        "days": [
            (
                one.day,
                [
                    (written_start(slot.start), slot.start.astimezone(zone), len(slot.agendas))
                    for slot in one.slots
                    if moving is None or slot.start != moving.starts_at
                ],
            )
            for one in days
        ],
        "offers": [
            (written_start(slot.start), slot.start.astimezone(zone)) for slot in offers or ()
        ],
    }


@require_http_methods(GET_OR_POST)
@needs(BOOK_APPOINTMENT)
def move(request: ActorRequest, appointment: UUID) -> HttpResponse:
    """Another time or office, while the person is on the line."""
    actor = request.actor
    row = selectors.appointment_of(actor, appointment)
    offices = list(selectors.offices(actor, row.service))
    office = _named(offices, request.GET.get("oficina"), [row.office])
    place = services.Place(row.service, office) if office else None
    status, offers = HTTPStatus.OK, []
    if request.method == "POST":
        try:
            services.move_appointment(
                actor,
                appointment,
                read_start(request.POST.get("start", "")),
                office=office.code if office else "",
                version=_version(request),
            )
        except (Invalid, Conflict) as error:
            _say(request, error)
            status = HTTPStatus(error.status)
            offers = error.slots if isinstance(error, SlotTaken) else []
        else:
            moved = selectors.appointment_of(actor, appointment)
            messages.success(request, _("Moved: %(when)s.") % {"when": day_and_hour(moved)})
            return redirect("scheduling:appointment", appointment)
    else:
        record_part(actor, row, "move")
    context = {
        **_row(row),
        "when": day_and_hour(row),
        "offices": offices,
        "place": place,
        "change": decide(actor, BOOK_APPOINTMENT, row) and row.status == Status.BOOKED,
        **_free(request, place, offers, row),
    }
    return render(request, "scheduling/move.html", context, status=status)
