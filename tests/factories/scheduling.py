"""Offices, services, agendas and appointments for tests, made by the real verbs."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F

from crm.accounts.actors import system_actor
from crm.kit.actor import Actor
from crm.organisations.calendars import Interval
from crm.organisations.models import Organisation, Unit, WorkingCalendar
from crm.organisations.selectors import public_holiday_years
from scheduling import services
from scheduling.models import Appointment, BookableService, Office, Resource
from scheduling.services import Person, Wish, setup
from tests.factories.accounts import ORIGIN

MADRID = ZoneInfo("Europe/Madrid")
ALL_DAY = (Interval(time(8), time(20)),)


def no_holidays() -> None:
    """Whatever the day on which tests run, no holiday comes between."""
    national, _made = WorkingCalendar.objects.get_or_create(
        organisation=None, layer="national", code="ES", defaults={"name": "España"}
    )
    if not national.years:
        WorkingCalendar.objects.filter(pk=national.pk).update(years=list(public_holiday_years()))
        Organisation.objects.update(units_version=F("units_version") + 1)


def make_office(organisation: Organisation, unit: Unit | None = None, **given: Any) -> Office:
    """An office of a unit (of the root one), in Madrid unless said otherwise."""
    unit = unit or Unit.objects.get(organisation=organisation, parent=None)
    no_holidays()
    organisation.refresh_from_db()
    whole = {
        "unit": unit.uuid,
        "name": "Oficina de la Plaza",
        "code": "plaza",
        "calendar": None,
        "time_zone": "Europe/Madrid",
        "address": "Plaza Mayor 1",
        "directions": "Entrada sin escalones",
        "phone": "",
        "latitude": None,
        "longitude": None,
        "is_active": True,
        **given,
    }
    return setup.save_office(system_actor(organisation, ORIGIN), whole)


def make_service(organisation: Organisation, **given: Any) -> BookableService:
    """A service of twenty minutes in person."""
    whole = {
        "name": "Empadronamiento",
        "code": "padron",
        "description": "",
        "modality": "in_person",
        "duration": 20,
        "step": 20,
        "buffer_before": 0,
        "buffer_after": 0,
        "required_papers": ["Su DNI"],
        "min_notice": 0,
        "horizon_days": 60,
        "max_active_per_citizen": 2,
        "hold_minutes": 15,
        "cancel_until": 60,
        "is_public": True,
        "is_active": True,
        **given,
    }
    return setup.save_service(system_actor(organisation, ORIGIN), whole)


def make_resource(
    office: Office, *attends: BookableService, name: str = "Mesa 1", week: Any = None
) -> Resource:
    """A desk that attends these services, from eight to eight every day unless said otherwise."""
    return setup.save_resource(
        system_actor(office.organisation, ORIGIN),
        office.uuid,
        {
            "name": name,
            "kind": "desk",
            "services": [service.code for service in attends],
            "is_active": True,
            "week": dict.fromkeys(range(7), ALL_DAY) if week is None else week,
        },
    )


def at(hour: str, days: int = 3) -> datetime:
    """That hour of the clock in Madrid, so many days from today."""
    day = datetime.now(MADRID).date() + timedelta(days=days)
    return local(day, hour)


def local(day: date, hour: str) -> datetime:
    """That hour of a day in Madrid, as an instant."""
    return datetime.combine(day, time.fromisoformat(hour), tzinfo=MADRID).astimezone(UTC)


def wish(start: datetime, service: str = "padron", office: str = "plaza") -> Wish:
    """What is asked for."""
    return Wish(service, office, start)


def person(number: int = 1, **given: Any) -> Person:
    """Somebody with a mailbox of their own."""
    return Person(
        **{"name": f"Persona Número{number}", "email": f"persona{number}@example.org", **given}
    )


def book(actor: Actor, start: datetime, **given: Any) -> Appointment:
    """An appointment that an employee booked."""
    if "citizen" not in given:
        given.setdefault("person", person())
    return services.book_appointment(actor, wish(start), **given)
