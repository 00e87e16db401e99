"""The demo's organisations: a national benefits institute and a town hall, which do not exist."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import NamedTuple

from crm.audit.record import dated
from crm.kit.actor import Actor
from crm.kit.demo import Demo
from crm.organisations import services
from crm.organisations.calendars import Interval
from crm.organisations.models import DataClass, Layer, Organisation, Unit, WorkingCalendar

INSTITUTE, TOWN = "INP", "VAL"


class Place(NamedTuple):
    """A unit: its code, the one above, its name and, where it counts otherwise, its calendar."""

    code: str
    above: str
    name: str
    calendar: str = ""


class Local(NamedTuple):
    """A town's own layer: its region, INE code, name and holidays (month, day, name)."""

    region: str
    code: str
    name: str
    days: Sequence[tuple[int, int, str]]


@dataclass(frozen=True)
class Plan:
    """An organisation as the demo makes it; its maps begin at a latitude, a longitude, so near."""

    code: str
    name: str
    short_name: str
    accent: str
    dir3: str  # its first unit; those below count on from it
    home: Local
    languages: Sequence[str]
    maps: tuple[float, float, int]
    week: Mapping[int, Sequence[Interval]]
    purposes: Sequence[str]
    units: Sequence[Place]
    towns: Sequence[Local] = ()


def _hours(start: str, end: str) -> Interval:
    return Interval(time.fromisoformat(start), time.fromisoformat(end))


_MORNINGS = {weekday: (_hours("09:00", "14:00"),) for weekday in range(5)}
_PHONE = {weekday: (_hours("08:00", "20:00"),) for weekday in range(5)}

PLANS = (
    Plan(
        code=INSTITUTE,
        name="Instituto Nacional de Prestaciones",
        short_name="Prestaciones",
        accent="#0b5a6b",
        dir3="E00999900",
        home=Local(
            "MD", "28079", "Madrid", ((5, 15, "San Isidro"), (11, 9, "Virgen de la Almudena"))
        ),
        languages=("es", "ca", "ca-es-valencia", "gl", "eu", "en"),
        maps=(40.4168, -3.7038, 6),  # the whole country
        week=_MORNINGS,
        purposes=(
            "Atención a la persona",
            "Tramitación de un caso",
            "Comprobación de requisitos de una prestación",
            "Requerimiento judicial o de otra administración",
        ),
        units=(
            Place("SGAC", "", "Subdirección General de Atención a la Ciudadanía"),
            Place("CATT", "SGAC", "Centro de Atención Telefónica y Telemática", "CATT"),
            Place("SGP", "", "Subdirección General de Pensiones"),
            Place("SGCP", "", "Subdirección General de Prestaciones a Corto Plazo"),
            Place("SGTI", "", "Subdirección General de Tecnologías de la Información"),
            Place("INSP", "", "Inspección de Servicios"),
            Place("DP28", "", "Dirección Provincial de Madrid"),
            Place("DP08", "", "Dirección Provincial de Barcelona", "08019"),
            Place("DP46", "", "Dirección Provincial de València", "46250"),
            Place("DP41", "", "Dirección Provincial de Sevilla", "41091"),
            Place("DP50", "", "Dirección Provincial de Zaragoza", "50297"),
            Place("DP15", "", "Dirección Provincial de A Coruña", "15030"),
            Place("DP48", "", "Dirección Provincial de Bizkaia", "48020"),
            Place("DP35", "", "Dirección Provincial de Las Palmas", "35016"),
            Place("OF2801", "DP28", "Oficina de Vallecas"),
            Place("OF2802", "DP28", "Oficina de Alcalá de Henares"),
            Place("OF2803", "DP28", "Oficina de Getafe"),
            Place("OF0801", "DP08", "Oficina de Sabadell"),
            Place("OF4601", "DP46", "Oficina de Gandia"),
            Place("OF4101", "DP41", "Oficina de Dos Hermanas"),
            Place("OF1501", "DP15", "Oficina de Ferrol"),
        ),
        towns=(
            Local("CT", "08019", "Barcelona", ((9, 24, "Mare de Déu de la Mercè"),)),
            Local("VC", "46250", "València", ((1, 22, "San Vicente Mártir"),)),
            Local("AN", "41091", "Sevilla", ((5, 30, "San Fernando"),)),
            Local("AR", "50297", "Zaragoza", ((1, 29, "San Valero"), (3, 5, "Cincomarzada"))),
            Local("GA", "15030", "A Coruña", ((10, 7, "Virgen del Rosario"),)),
            Local("PV", "48020", "Bilbao", ((7, 31, "San Ignacio de Loyola"),)),
            Local(
                "CN",
                "35016",
                "Las Palmas de Gran Canaria",
                ((6, 24, "San Juan"), (9, 8, "Virgen del Pino")),
            ),
        ),
    ),
    Plan(
        code=TOWN,
        name="Ayuntamiento de Valdelagua",
        short_name="Valdelagua",
        accent="#7a3b12",
        dir3="L01289970",
        home=Local(
            "MD",
            "28997",
            "Valdelagua",
            ((8, 24, "San Bartolomé"), (9, 8, "Nuestra Señora del Agua")),
        ),
        languages=("es", "en"),
        maps=(40.3005, -3.4393, 14),  # the town: cases.demo puts its matters around here
        week={
            **{weekday: (_hours("08:30", "14:30"),) for weekday in range(5)},
            3: (_hours("08:30", "14:30"), _hours("16:30", "19:00")),
        },
        purposes=(
            "Atención a la persona",
            "Tramitación de un caso",
            "Comprobación de datos del padrón",
            "Requerimiento judicial o de otra administración",
        ),
        units=(
            Place("ALC", "", "Alcaldía"),
            Place("SEC", "", "Secretaría General"),
            Place("OAC", "SEC", "Oficina de Atención a la Ciudadanía"),
            Place("PAD", "SEC", "Padrón y Estadística"),
            Place("URB", "", "Urbanismo y Licencias"),
            Place("SSO", "", "Servicios Sociales"),
            Place("HAC", "", "Hacienda y Tributos"),
            Place("MAM", "", "Medio Ambiente y Limpieza"),
            Place("VIA", "", "Vía Pública y Alumbrado"),
            Place("POL", "", "Policía Local"),
            Place("CUL", "", "Cultura, Deporte y Juventud"),
        ),
    ),
)


Acting = Callable[[Organisation], Actor]  # the system's own actor: crm.accounts makes it


def present() -> bool:
    """Whether the demo's first organisation exists."""
    return Organisation.objects.unscoped("is there a demo?").filter(code=INSTITUTE).exists()


def fill(demo: Demo, acting: Acting) -> None:
    """Both organisations exist with units, calendars and options, and share some data."""
    with dated(demo.began):
        for plan in PLANS:
            _organisation(demo, plan, acting)
        town = Organisation.objects.unscoped("the demo's own").get(code=TOWN)
        services.make_agreement(
            acting(town),
            receiver_code=INSTITUTE,
            legal_basis="Artículos 28 y 155 de la Ley 39/2015 y 16.3 de la Ley 7/1985: comprobación"
            " de la identidad y del domicilio en el padrón municipal.",
            data_classes=[DataClass.IDENTITY, DataClass.CONTACT, DataClass.CASE_STATUS],
            starts=demo.began.date(),
            ends=demo.now.date() + timedelta(days=730),
        )


def _organisation(demo: Demo, plan: Plan, acting: Acting) -> None:
    organisation = services.create_organisation(
        code=plan.code,
        name=plan.name,
        short_name=plan.short_name,
        dir3_code=plan.dir3,
        region=plan.home.region,
        municipality=plan.home.code,
        languages=plan.languages,
    )
    actor = acting(organisation)
    home = organisation.calendar
    assert home is not None
    services.change_organisation(
        actor,
        name=plan.name,
        short_name=plan.short_name,
        dir3_code=plan.dir3,
        accent=plan.accent,
        languages=plan.languages,
        time_zone=organisation.time_zone,
        calendar_id=home.uuid,
    )
    maps = dict(zip(("map_latitude", "map_longitude", "map_zoom"), plan.maps, strict=True))
    services.change_options(
        actor, {"second_factor": False, "purposes": list(plan.purposes), **maps}
    )
    calendars = _calendars(demo, plan, actor, home)
    units = {"": Unit.objects.for_actor(actor).get(parent=None)}
    number = int(plan.dir3[1:])
    for place in plan.units:
        number += 1
        units[place.code] = services.create_unit(
            actor,
            units[place.above].uuid,
            name=place.name,
            code=place.code,
            dir3_code=f"{plan.dir3[0]}{number:08}",
            calendar=calendars.get(place.calendar),
        )
    Unit.objects.for_actor(actor).update(valid_from=demo.began.date())
    demo.made["organisations"] += 1
    demo.made["units"] += len(units)


def _calendars(
    demo: Demo, plan: Plan, actor: Actor, home: WorkingCalendar
) -> dict[str, WorkingCalendar]:
    """The calendars of the towns where the organisation has offices, by the code units know."""
    found = {plan.home.code: home}
    for town in plan.towns:
        found[town.code] = services.create_calendar(
            actor,
            name=town.name,
            code=town.code,
            layer=Layer.LOCAL,
            base_id=services.load_public_holidays(town.region).uuid,
        )
    for town in (plan.home, *plan.towns):
        services.set_weekly_hours(actor, found[town.code].uuid, plan.week)
        for year in range(demo.began.year, demo.now.year + 2):
            for month, day, name in town.days:
                services.set_holiday(
                    actor, found[town.code].uuid, day=date(year, month, day), name=name
                )
    if any(place.calendar == "CATT" for place in plan.units):
        found["CATT"] = services.create_calendar(
            actor, name="Atención telefónica", code="CATT", layer=Layer.UNIT, base_id=home.uuid
        )
        services.set_weekly_hours(actor, found["CATT"].uuid, _PHONE)
    return found
