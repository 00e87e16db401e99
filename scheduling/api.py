"""Appointments by API: free times, the list, one appointment and its verbs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request

from cases.models import Case
from crm.audit.record import record
from crm.citizens.models import Citizen
from crm.citizens.selectors import protected_names
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.keyset import Order
from scheduling import api_shapes as shapes
from scheduling import selectors, services
from scheduling.availability import local_days
from scheduling.models import Appointment, BookableService, Office, Status
from scheduling.permissions import BOOK_APPOINTMENT
from scheduling.services import Person, Wish
from scheduling.services.booking import place_of

BY_CODE = Order(("code", "id"))
DAYS = 7


def locked_version(actor: Actor, appointment_id: UUID) -> int:
    """The appointment's version, which nobody else can change before this transaction ends."""
    rows = Appointment.objects.for_actor(actor).select_for_update(of=("self",))
    return rows.only("version").get_or_refuse(uuid=appointment_id).version


def rows_of(actor: Actor) -> QuerySet[Appointment]:
    """The confirmed appointments with what is shown of them."""
    rows = Appointment.objects.for_actor(actor).exclude(status__in=[Status.HELD, Status.EXPIRED])
    return rows.select_related("service", "office", "resource", "citizen", "case")


class PeopleAPIView(ActorAPIView):
    """An address that tells who has an appointment."""

    def named(self, rows: Sequence[Appointment]) -> None:
        """Each says who it is for as they may be named: of a protected record the initials, and nothing
        that reaches the person; and its case if that exists for the caller."""
        people = {row.citizen_id for row in rows if row.citizen_id}
        hidden = protected_names(self.actor, people) if people else {}
        cases = {row.case_id for row in rows if row.case_id}
        seen = set(_ids(Case.objects.for_actor(self.actor).filter(pk__in=cases))) if cases else ()
        for row in rows:
            name = hidden.get(row.citizen_id or 0)
            row.__dict__.update(
                shown_name=row.person if name is None else name,
                shown_email=row.email if name is None else "",
                shown_phone=row.phone if name is None else "",
                shown_case=row.case.uuid if row.case and row.case_id in seen else None,
            )

    def show(self, row: Appointment, **more: Any) -> HttpResponse:
        """The appointment as it stands, with its version as ETag."""
        self.named([row])
        return self.reply(row, etag=row.version, **more)


class AppointmentAPIView(PeopleAPIView):
    """An address of one appointment."""

    versioned = staticmethod(locked_version)


class Appointments(PeopleAPIView):
    """All appointments of the organisation."""

    @operation(
        "List appointments",
        needs=BOOK_APPOINTMENT,
        filters=shapes.AppointmentFilters,
        answers=shapes.AppointmentOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """By time, the earliest first; those that nobody has confirmed are not among them."""
        given = self.filters()
        record(self.actor, "searched", what="appointments", filters=sorted(given))
        found = [_FILTERS[name](self.actor, value) for name, value in given.items()]
        rows = rows_of(self.actor).filter(*found)
        return self.page(rows, selectors.BY_TIME, complete=self.named)

    @operation(
        "Book an appointment",
        needs=BOOK_APPOINTMENT,
        reads=shapes.NewAppointmentInput,
        answers=shapes.AppointmentOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """409 with `next`, the times that are free, when the one asked for is not."""
        given = self.read()
        wish = Wish(given.pop("service"), given.pop("office"), given.pop("start"))
        told = {
            name: given.pop(name) for name in ("name", "email", "phone", "subject") if name in given
        }
        row = services.book_appointment(self.actor, wish, person=Person(**told), **given)
        return self.show(row, location=f"{request.path}{row.uuid}/")


class OneAppointment(AppointmentAPIView):
    """One appointment."""

    @operation("Read an appointment", needs=BOOK_APPOINTMENT, answers=shapes.AppointmentOutput)
    def get(self, request: Request, appointment_id: UUID) -> HttpResponse:
        """The ETag is its version: send it back as If-Match when you move or cancel it."""
        row: Appointment = rows_of(self.actor).get_or_refuse(uuid=appointment_id)  # type: ignore[attr-defined]
        record(
            self.actor, "viewed", row, **({"citizen": str(row.citizen.uuid)} if row.citizen else {})
        )
        return self.show(row)


class MoveAppointment(AppointmentAPIView):
    """Giving an appointment another time."""

    @operation(
        "Move an appointment",
        needs=BOOK_APPOINTMENT,
        reads=shapes.MoveAppointmentInput,
        answers=shapes.AppointmentOutput,
    )
    def post(self, request: Request, appointment_id: UUID) -> HttpResponse:
        """409 with `next` when that time is not free; the appointment stays as it was."""
        return self.show(services.move_appointment(self.actor, appointment_id, **self.read()))


class CancelAppointment(AppointmentAPIView):
    """Cancelling an appointment."""

    @operation(
        "Cancel an appointment",
        needs=BOOK_APPOINTMENT,
        reads=shapes.CancelAppointmentInput,
        answers=shapes.AppointmentOutput,
    )
    def post(self, request: Request, appointment_id: UUID) -> HttpResponse:
        """Its time is free for others at once."""
        return self.show(services.cancel_appointment(self.actor, appointment_id, **self.read()))


class FreeSlots(ActorAPIView):
    """When somebody can be attended."""

    @operation(
        "List free times",
        needs=BOOK_APPOINTMENT,
        filters=shapes.SlotFilters,
        answers=shapes.SlotsOutput,
    )
    def get(self, request: Request) -> HttpResponse:
        """In UTC, of whole days on the clock of the office, with the notice that the service asks for."""
        given = self.filters()
        place = place_of(self.actor, given["service"], given["office"])
        today = timezone.now().astimezone(place.office.zone).date()
        days = local_days(given.get("first", today), given.get("days", DAYS))
        slots = selectors.free_times(self.actor, place.service, place.office, days, by_person=True)
        return self.reply({"results": slots})


class Offices(ActorAPIView):
    """Where one can have an appointment."""

    @operation("List offices", needs=BOOK_APPOINTMENT, answers=shapes.OfficeOutput, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """By code."""
        rows = Office.objects.for_actor(self.actor).filter(is_active=True)
        return self.page(rows, BY_CODE)


class BookableServices(ActorAPIView):
    """What one can have an appointment for."""

    @operation(
        "List bookable services",
        needs=BOOK_APPOINTMENT,
        answers=shapes.BookableServiceOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """By code; those that some agenda attends."""
        rows = BookableService.objects.for_actor(self.actor)
        return self.page(rows.filter(pk__in=selectors.services(self.actor).values("pk")), BY_CODE)


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


_FILTERS: dict[str, Any] = {
    "citizen": lambda actor, uuid: Q(
        citizen__in=_ids(Citizen.objects.for_actor(actor).known_by(uuid))
    ),
    "case": lambda actor, uuid: Q(case__in=_ids(Case.objects.for_actor(actor).filter(uuid=uuid))),
    "office": lambda actor, code: Q(office__code=code),
    "service": lambda actor, code: Q(service__code=code),
    "status": lambda actor, states: Q(status__in=states),
    "starts_from": lambda actor, moment: Q(starts_at__gte=moment),
    "starts_before": lambda actor, moment: Q(starts_at__lt=moment),
    "reference": lambda actor, text: Q(reference=text.upper().replace("-", "")),
}

_ONE = "appointments/<uuid:appointment_id>/"
urlpatterns = [
    path("appointments/", Appointments.as_view()),
    path("appointments/free-slots/", FreeSlots.as_view()),
    path(_ONE, OneAppointment.as_view()),
    path(f"{_ONE}move/", MoveAppointment.as_view()),
    path(f"{_ONE}cancel/", CancelAppointment.as_view()),
    path("offices/", Offices.as_view()),
    path("bookable-services/", BookableServices.as_view()),
]
