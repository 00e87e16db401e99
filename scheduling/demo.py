"""The demo's offices with what is attended there, and a fortnight of appointments around today."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from crm.accounts.actors import actor_for, system_actor
from crm.accounts.models import Membership
from crm.audit.record import entry, record_many
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint
from crm.kit.actor import Actor, Door, Origin
from crm.kit.copying import take_keys
from crm.kit.demo import Demo, Seeder, seeders
from crm.kit.secrets import encrypt
from crm.organisations.calendars import Interval
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation, Unit
from scheduling import selectors
from scheduling.availability import Agenda, Rule, free_slots, local_days
from scheduling.models import (
    Appointment,
    BookableService,
    EventKind,
    Happening,
    Notice,
    Office,
    Resource,
    Status,
)
from scheduling.permissions import ATTEND_DESK, BOOK_APPOINTMENT
from scheduling.services import setup

BEFORE, AFTER = 8, 12  # days around today
_FULL = 0.62  # of the times that an agenda has
_DESK: Mapping[str, Any] = {
    "directions": "",
    "phone": "",
    "calendar": None,
    "time_zone": "Europe/Madrid",
    "is_active": True,
}
_RULES: Mapping[str, Any] = {
    "description": "",
    "modality": "in_person",
    "duration": 20,
    "step": 20,
    "buffer_before": 0,
    "buffer_after": 0,
    "required_papers": [],
    "min_notice": 120,
    "horizon_days": 45,
    "max_active_per_citizen": 2,
    "hold_minutes": 15,
    "cancel_until": 120,
    "is_public": True,
    "is_active": True,
}


class Desk(NamedTuple):
    """An agenda: its name, kind, hours and what it attends."""

    name: str
    kind: str
    hours: tuple[str, str]
    attends: Sequence[str]


@dataclass(frozen=True)
class Plan:
    """What an organisation offers by appointment."""

    services: Sequence[Mapping[str, Any]]
    offices: Sequence[tuple[str, Mapping[str, Any], Sequence[Desk]]]  # unit, data, agendas


PLANS = {
    TOWN: Plan(
        services=(
            {
                "code": "empadronamiento",
                "name": "Empadronamiento",
                "description": "Alta, cambio de domicilio o renovación en el padrón municipal.",
                "required_papers": [
                    "Su DNI, NIE o pasaporte",
                    "El contrato de alquiler o la escritura de la vivienda",
                    "El libro de familia, si vienen menores",
                ],
            },
            {
                "code": "registro",
                "name": "Registro y certificado digital",
                "description": "Presentar escritos o acreditarse para el certificado digital.",
                "duration": 15,
                "step": 15,
                "required_papers": [
                    "Su DNI o NIE",
                    "El código de solicitud de la FNMT, si lo tiene",
                ],
            },
            {
                "code": "licencias",
                "name": "Licencias de obra: consulta técnica",
                "description": "Con una persona del servicio de Urbanismo, por vídeo.",
                "modality": "video",
                "duration": 30,
                "step": 30,
                "required_papers": ["Planos o croquis, si los tiene"],
            },
            {
                "code": "trabajo-social",
                "name": "Primera entrevista con trabajo social",
                "description": "Ayuda a domicilio, dependencia y prestaciones sociales.",
                "duration": 45,
                "step": 45,
                "buffer_after": 15,
            },
        ),
        offices=(
            (
                "OAC",
                {
                    "name": "Oficina de la Plaza Mayor",
                    "code": "plaza-mayor",
                    "address": "Plaza Mayor 1, Valdelagua",
                    "directions": "Entrada sin escalones por la calle del Agua.",
                    "latitude": 40.3912,
                    "longitude": -3.4307,
                },
                (
                    Desk("Mesa 1", "desk", ("08:30", "14:30"), ("empadronamiento", "registro")),
                    Desk("Mesa 2", "desk", ("08:30", "14:30"), ("empadronamiento",)),
                    Desk("Mesa 3", "desk", ("09:00", "13:30"), ("registro",)),
                    Desk("Sala de vídeo", "room", ("10:00", "13:00"), ("licencias",)),
                ),
            ),
            (
                "SSO",
                {
                    "name": "Centro de Servicios Sociales",
                    "code": "servicios-sociales",
                    "address": "Calle del Molino 14, Valdelagua",
                    "directions": "Primera planta, con ascensor.",
                    "latitude": 40.3935,
                    "longitude": -3.4271,
                },
                (Desk("Silvia Montero", "employee", ("09:00", "14:00"), ("trabajo-social",)),),
            ),
        ),
    ),
    INSTITUTE: Plan(
        services=(
            {
                "code": "pensiones",
                "name": "Información sobre pensiones",
                "description": "Jubilación, viudedad e incapacidad permanente.",
                "required_papers": ["Su DNI o NIE", "El informe de vida laboral, si lo tiene"],
            },
            {
                "code": "nacimiento",
                "name": "Prestación por nacimiento y cuidado",
                "description": "Solicitud y documentos.",
                "duration": 30,
                "step": 30,
                "required_papers": [
                    "Su DNI o NIE",
                    "El libro de familia o el certificado de nacimiento",
                ],
            },
            {
                "code": "orientacion-telefonica",
                "name": "Orientación por teléfono",
                "description": "Le llamamos a la hora que elija.",
                "modality": "phone",
                "duration": 15,
                "step": 15,
            },
        ),
        offices=(
            (
                "DP28",
                {
                    "name": "Madrid, oficina central",
                    "code": "madrid",
                    "address": "Calle de la Fuente Nueva 12, Madrid",
                    "directions": "Acceso sin escalones. Metro a 200 metros.",
                    "latitude": 40.4242,
                    "longitude": -3.6921,
                },
                (
                    Desk("Puesto 1", "desk", ("09:00", "14:00"), ("pensiones", "nacimiento")),
                    Desk("Puesto 2", "desk", ("09:00", "14:00"), ("pensiones",)),
                    Desk("Puesto 3", "desk", ("09:00", "14:00"), ("nacimiento",)),
                    Desk("Llamadas", "employee", ("09:00", "14:00"), ("orientacion-telefonica",)),
                ),
            ),
            (
                "OF2801",
                {
                    "name": "Oficina de Vallecas",
                    "code": "vallecas",
                    "address": "Avenida del Manantial 40, Madrid",
                    "directions": "Planta baja.",
                    "latitude": 40.3816,
                    "longitude": -3.6621,
                },
                (Desk("Puesto 1", "desk", ("09:00", "14:00"), ("pensiones", "nacimiento")),),
            ),
            (
                "DP35",
                {
                    "name": "Las Palmas de Gran Canaria",
                    "code": "las-palmas",
                    "time_zone": "Atlantic/Canary",
                    "address": "Calle del Malecón 3, Las Palmas de Gran Canaria",
                    "directions": "Planta baja.",
                    "latitude": 28.1100,
                    "longitude": -15.4170,
                },
                (Desk("Puesto 1", "desk", ("09:00", "14:00"), ("pensiones", "nacimiento")),),
            ),
        ),
    ),
}
_ABOUT = (
    "",
    "",
    "",
    "Cambio de domicilio",
    "Vengo con mi madre",
    "Renovación",
    "Duda sobre los plazos",
)


def fill(demo: Demo) -> None:
    """Both organisations attend by appointment, and people have come and will come."""
    for code, plan in PLANS.items():
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        actor = system_actor(organisation, Origin(Door.COMMAND))
        _set_up(actor, plan)
        _Fortnight(demo, actor).fill()


def _set_up(actor: Actor, plan: Plan) -> None:
    units = {unit.code: unit for unit in Unit.objects.for_actor(actor)}
    for service in plan.services:
        setup.save_service(actor, {**_RULES, **service})
    for unit, data, desks in plan.offices:
        office = setup.save_office(actor, {**_DESK, **data, "unit": units[unit].uuid})
        for desk in desks:
            hours = Interval(*(time.fromisoformat(hour) for hour in desk.hours))
            setup.save_resource(
                actor,
                office.uuid,
                {
                    "name": desk.name,
                    "kind": desk.kind,
                    "services": desk.attends,
                    "is_active": True,
                    "week": {weekday: [hours] for weekday in range(5)},
                },
            )


class _Fortnight:
    """Who has come in the last days and who is to come, at every agenda of an organisation."""

    def __init__(self, demo: Demo, actor: Actor) -> None:
        self._demo, self._actor = demo, actor
        self._dice = demo.dice(f"appointments {actor.organisation_code}")
        self._people = _people(actor)
        self._workers = _workers(actor)
        self.rows: list[Appointment] = []
        self.told: list[Happening] = []
        self.notices: list[Notice] = []
        self.entries: list[dict[str, Any]] = []

    def fill(self) -> None:
        """The appointments are there with their stories, notices and audit entries."""
        resources = (
            Resource.objects.for_actor(self._actor)
            .select_related("office__unit__organisation")
            .prefetch_related("services", "rules")
            .order_by("pk")
        )
        for resource in resources:
            for service, start in self._times(resource):
                if self._people and self._dice.random() < _FULL:
                    self._add(resource, service, start)
        for row, key in zip(self.rows, take_keys(Appointment, len(self.rows)), strict=True):
            row.pk = key
        Appointment.objects.bulk_create(self.rows, batch_size=500)
        Happening.objects.bulk_create(self.told, batch_size=1000)
        Notice.objects.bulk_create(self.notices, batch_size=1000)
        self._demo.made["audit entries"] += record_many(self.entries)
        self._demo.made["appointments"] += len(self.rows)

    def _times(self, resource: Resource) -> Iterator[tuple[BookableService, datetime]]:
        """Times one after the other on every working day of the agenda, each for something it attends."""
        office, services = resource.office, list(resource.services.all())
        rules = [Rule(rule.weekday, rule.starts, rule.ends) for rule in resource.rules.all()]
        shapes = {service.pk: selectors.shape_of(service) for service in services}
        today = self._demo.now.astimezone(office.zone).date()
        for day in local_days(today - timedelta(days=BEFORE), BEFORE + AFTER):
            free_from: datetime | None = None
            service = self._dice.choice(services)
            for start in _starts(resource.pk, rules, office, shapes[service.pk], day):
                around = shapes[service.pk].around(start)
                if free_from is None or around.start >= free_from:
                    free_from = around.end
                    yield service, start

    def _add(self, resource: Resource, service: BookableService, start: datetime) -> None:
        shape, dice = selectors.shape_of(service), self._dice
        citizen, mailbox = dice.choice(self._people)
        around = shape.around(start)
        asked = min(start, self._demo.now) - timedelta(
            days=dice.randint(1, 9), minutes=dice.randint(0, 400)
        )
        status, by_web = self._status(start, start + shape.duration), dice.random() < 0.55
        row = Appointment(
            organisation_id=self._actor.organisation_id,
            service=service,
            office=resource.office,
            resource=resource,
            citizen=citizen,
            starts_at=start,
            ends_at=start + shape.duration,
            during=DateTimeTZRange(around.start, around.end, "[)"),
            time_zone=resource.office.time_zone,
            modality=service.modality,
            status=status,
            arranged_at=asked,
            created_at=asked,
            channel=Channel.WEB_FORM if by_web else dice.choice((Channel.PHONE, Channel.IN_PERSON)),
            reference="".join(dice.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _sign in range(8)),
            code=encrypt(f"{dice.randrange(10**8):08}"),
            email=mailbox,
            subject=dice.choice(_ABOUT),
            language="es",
        )
        self.rows.append(row)
        self._tell(row, asked, by_web)

    def _status(self, start: datetime, end: datetime) -> Status:
        chance, now = self._dice.random(), self._demo.now
        if chance < 0.06:
            return Status.CANCELLED
        if end < now:
            return Status.NO_SHOW if chance < 0.14 else Status.COMPLETED
        if start <= now:
            return Status.IN_SERVICE
        if start - now < timedelta(minutes=25) and start.date() == now.date():
            return Status.CHECKED_IN
        return Status.BOOKED

    def _tell(self, row: Appointment, asked: datetime, by_web: bool) -> None:
        """The row's story, until where it stands."""
        worker = self._dice.choice(self._workers)
        booked = {
            "start": row.starts_at.isoformat(),
            "zone": row.time_zone,
            "office": row.office.name,
            "service": row.service.name,
        }
        web = system_actor(
            row.office.unit.organisation, Origin(Door.PUBLIC), "La persona, por la web"
        )
        self._happened(row, web if by_web else worker, EventKind.BOOKED, asked, booked)
        come = row.starts_at - timedelta(minutes=self._dice.randint(0, 9))
        steps: Mapping[str, Sequence[tuple[EventKind, datetime]]] = {
            Status.CANCELLED: [(EventKind.CANCELLED, asked + timedelta(hours=20))],
            Status.NO_SHOW: [(EventKind.NO_SHOW, row.ends_at)],
            Status.CHECKED_IN: [(EventKind.CHECKED_IN, come)],
            Status.IN_SERVICE: [
                (EventKind.CHECKED_IN, come),
                (EventKind.STARTED, row.starts_at),
            ],
            Status.COMPLETED: [
                (EventKind.CHECKED_IN, come),
                (EventKind.STARTED, row.starts_at),
                (EventKind.COMPLETED, row.ends_at),
            ],
        }
        for kind, at in steps.get(row.status, ()):
            self._happened(row, worker, kind, min(at, self._demo.now), {})
            self._stamp(row, kind, min(at, self._demo.now), worker)
        if row.email:
            self.notices.append(
                Notice(
                    appointment=row,
                    kind=Notice.Kind.BOOKED,
                    sequence=0,
                    address=row.email,
                    state=Notice.State.SENT,
                    sent_at=asked + timedelta(minutes=1),
                )
            )

    @staticmethod
    def _stamp(row: Appointment, kind: EventKind, at: datetime, worker: Actor) -> None:
        match kind:
            case EventKind.CHECKED_IN:
                row.checked_in_at = at
            case EventKind.STARTED:
                row.service_began_at = at
            case EventKind.CANCELLED:
                row.cancelled_by, row.ended_at = worker.name, at
            case _:
                row.ended_at = at

    def _happened(
        self, row: Appointment, actor: Actor, kind: EventKind, at: datetime, data: dict[str, Any]
    ) -> None:
        row.last_event += 1
        row.version += 1
        self.told.append(
            Happening(
                organisation_id=row.organisation_id,
                appointment=row,
                seq=row.last_event,
                kind=kind,
                at=at,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_name=actor.name,
                data={"version": row.version, **data},
            )
        )
        by_desk = kind not in {EventKind.BOOKED, EventKind.CANCELLED}
        written = entry(
            actor,
            ATTEND_DESK if by_desk else BOOK_APPOINTMENT,
            row,
            "",
            "done",
            None,
            {"event": row.last_event, "kind": kind},
        )
        self.entries.append({**written, "at": at})


def _starts(
    key: int, rules: Sequence[Rule], office: Office, shape: Any, day: date
) -> Iterator[datetime]:
    always = datetime(1970, 1, 1, tzinfo=office.zone), datetime(9000, 1, 1, tzinfo=office.zone)
    calendar = selectors.calendar_of(office)
    slots = free_slots(
        [Agenda(key, rules)], shape, calendar, [day], earliest=always[0], latest=always[1]
    )
    yield from (slot.start for slot in slots)


def _people(actor: Actor) -> list[tuple[Citizen, str]]:
    """Natural persons on record with their mailbox; nobody who is protected."""
    mailboxes = dict(
        ContactPoint.objects.for_actor(actor)
        .filter(channel=Channel.EMAIL, ended_at=None)
        .order_by("-pk")
        .values_list("citizen_id", "address")
    )
    records = CitizenRecord.objects.for_actor(actor).filter(
        protected=False, citizen__kind=Citizen.Kind.NATURAL
    )
    found = records.select_related("citizen").order_by("pk")
    return [(one.citizen, mailboxes.get(one.citizen_id, "")) for one in found]


def _workers(actor: Actor) -> list[Actor]:
    """Who attends at desks."""
    rows = Membership.objects.for_actor(actor).select_related("user").order_by("pk")
    organisation = Organisation.objects.for_actor(actor).get()
    found = [actor_for(one.user, organisation, Origin(Door.CONSOLE)) for one in rows]
    return [one for one in found if one is not None and one.holds(ATTEND_DESK)]


def present() -> bool:
    """Whether the demo's appointments are there."""
    return Appointment.objects.unscoped("is there a demo?").exists()


seeders.register("appointments", Seeder(order=8, fill=fill, present=present))
