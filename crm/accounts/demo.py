"""The demo's people: forty employees with their units and roles, and the logins that are known to all."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.contrib.auth.hashers import make_password

from crm.accounts.actors import system_actor
from crm.accounts.models import ApiClient, Membership, Role, User
from crm.accounts.services.api_clients import create_api_client
from crm.accounts.services.roles import create_standard_roles, give_role
from crm.audit.record import dated
from crm.kit.actor import Actor, Door, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations import demo as organisations
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation, Unit

PASSWORD = "ventanilla-demo"  # noqa: S105 - known to all: of people who do not exist
PORTAL = "Sede electrónica"  # the connected system through which cases come from the web
_PORTAL_MAY = ("cases.open_case", "cases.view_case", "cases.change_case", "citizens.view_citizen")


@dataclass(frozen=True)
class Person:
    """An employee: name, the part of the address before @, the standard role and the unit."""

    name: str
    mailbox: str
    role: str
    unit: str = ""  # none: the organisation itself


STAFF = {
    INSTITUTE: (
        Person("Lucía Navarro Prieto", "agente", "agent", "DP28"),
        Person("Carmen Ortega Ruiz", "supervision", "supervisor", "DP28"),
        Person("Javier Molina Sáez", "admin", "administrator"),
        Person("Beatriz Campos León", "comunicacion", "communications", "SGAC"),
        Person("Ignacio Vidal Ferrer", "auditoria", "auditor", "INSP"),
        Person("Rubén Castillo Mora", "integracion", "integration", "SGTI"),
        Person("Marta Hidalgo Peña", "marta.hidalgo", "data_protection"),
        Person("Pilar Serrano Gil", "pilar.serrano", "supervisor", "SGAC"),
        Person("Óscar Delgado Cano", "oscar.delgado", "agent", "CATT"),
        Person("Nerea Agirre Soto", "nerea.agirre", "agent", "CATT"),
        Person("Fátima Bennani Ramos", "fatima.bennani", "agent", "CATT"),
        Person("Álvaro Marín Crespo", "alvaro.marin", "agent", "DP28"),
        Person("Inés Caballero Díez", "ines.caballero", "office", "OF2801"),
        Person("Tomás Pastor Vega", "tomas.pastor", "office", "OF2802"),
        Person("Rocío Benítez Arias", "rocio.benitez", "office", "OF2803"),
        Person("Jordi Puig Soler", "jordi.puig", "agent", "DP08"),
        Person("Mireia Vidal Roca", "mireia.vidal", "office", "OF0801"),
        Person("Vicent Ferrando Gil", "vicent.ferrando", "agent", "DP46"),
        Person("Rosario Carmona Vargas", "rosario.carmona", "agent", "DP41"),
        Person("José Luis Ibáñez Lozano", "joseluis.ibanez", "agent", "DP50"),
        Person("Sabela Otero Seoane", "sabela.otero", "agent", "DP15"),
        Person("Gorka Etxeberria Ruiz", "gorka.etxeberria", "agent", "DP48"),
        Person("Yaiza Santana Cabrera", "yaiza.santana", "agent", "DP35"),
        Person("Manuel Guerrero Nieto", "manuel.guerrero", "supervisor", "SGP"),
    ),
    TOWN: (
        Person("Elena Garrido Moya", "agente", "agent", "OAC"),
        Person("Andrés Calvo Herrero", "supervision", "supervisor"),
        Person("Sonia Iglesias Rubio", "admin", "administrator"),
        Person("Diego Fuentes Pascual", "comunicacion", "communications", "ALC"),
        Person("Mercedes Blanco Esteban", "auditoria", "auditor", "SEC"),
        Person("Iván Reyes Durán", "integracion", "integration", "SEC"),
        Person("Concepción Velasco Parra", "concepcion.velasco", "data_protection", "SEC"),
        Person("Raúl Santos Bravo", "raul.santos", "agent", "OAC"),
        Person("Amparo Gallego Román", "amparo.gallego", "office", "PAD"),
        Person("Daniel Cortés Aguilar", "daniel.cortes", "agent", "URB"),
        Person("Silvia Montero Lorenzo", "silvia.montero", "agent", "SSO"),
        Person("Teresa Gallardo Rojas", "teresa.gallardo", "supervisor", "SSO"),
        Person("Alberto Sanz Medina", "alberto.sanz", "agent", "HAC"),
        Person("Patricia Alonso Méndez", "patricia.alonso", "agent", "MAM"),
        Person("Fernando Suárez Torres", "fernando.suarez", "agent", "VIA"),
        Person("Jorge Domínguez Flores", "jorge.dominguez", "agent", "POL"),
    ),
}
# Works for both, so that the switch between organisations shows.
IN_BOTH = ("supervision@inp.example", TOWN, "agent", "OAC")
_LOGINS = 6  # the first of each list
# Roles that make sense for the organisation as a whole, wherever their people sit.
WHOLE = {"administrator", "auditor", "communications", "data_protection", "integration"}


def address(mailbox: str, code: str) -> str:
    """An address under a domain that can never exist."""
    return f"{mailbox}@{code.lower()}.example"


def fill_organisations(demo: Demo) -> None:
    """The organisations, made by the system itself."""
    organisations.fill(demo, _system)


def fill(demo: Demo) -> None:
    """Forty people work in the two organisations; those with a known login can sign in."""
    password, dice = make_password(PASSWORD), demo.dice("people")
    with dated(demo.began + timedelta(hours=1)):
        for code, people in STAFF.items():
            organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
            create_standard_roles(organisation)
            for place, person in enumerate(people):
                user = User.objects.create(
                    email=address(person.mailbox, code),
                    full_name=person.name,
                    state=User.State.ACTIVE,
                    password=password if place < _LOGINS else make_password(None),
                    current_organisation=organisation,
                )
                _employ(organisation, user, person.role, person.unit)
                demo.made["employees"] += 1
            create_api_client(
                _system(organisation),
                name=PORTAL,
                scopes=_PORTAL_MAY,
                expires_at=demo.now + timedelta(days=365),
            )
        email, code, role, unit = IN_BOTH
        both = User.objects.get(email=email)
        _employ(Organisation.objects.unscoped("the demo's own").get(code=code), both, role, unit)
    _have_signed_in(demo, dice)


def _system(organisation: Organisation) -> Actor:
    return system_actor(organisation, Origin(Door.COMMAND))


def _employ(organisation: Organisation, user: User, role: str, unit_code: str) -> None:
    actor = _system(organisation)
    unit = Unit.objects.for_actor(actor).get(code=unit_code) if unit_code else None
    Membership.objects.create(organisation=organisation, user=user, unit=unit)
    place = None if role in WHOLE else unit
    give_role(actor, user, Role.objects.for_actor(actor).get(code=role), place)


def _have_signed_in(demo: Demo, dice: Random) -> None:
    """Everybody was here in the last days; the systems called in the last minutes."""
    for user in User.objects.filter(email__endswith=".example").order_by("pk"):
        last = demo.now - timedelta(minutes=dice.randint(20, 4_000))
        user.last_login, user.previous_login = last, last - timedelta(days=dice.randint(1, 3))
        user.save(update_fields=["last_login", "previous_login"])
    ApiClient.objects.unscoped("the demo's own").filter(name=PORTAL).update(
        last_used_at=demo.now - timedelta(minutes=4)
    )


seeders.register("organisations", Seeder(2, fill_organisations, organisations.present))
seeders.register("people", Seeder(3, fill))
