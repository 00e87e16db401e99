"""What is measured on: an organisation of 200 units with as many cases and citizens as asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client

from cases.models import Case, CaseType
from crm.accounts.models import Role, RolePermission, User
from crm.accounts.services import roles
from crm.citizens.models import Citizen
from crm.kit.policy import catalogue
from crm.organisations.models import Organisation, Unit
from tests.factories.accounts import employee
from tests.factories.cases import CaseTypeFactory
from tests.factories.organisations import OrganisationFactory, UnitFactory

CODE = "CARGA"
PROVINCES, OFFICES = 20, 9


def organisation() -> Organisation:
    """The organisation, made once per data directory."""
    found = Organisation.objects.unscoped("benchmark").filter(code=CODE).first()
    if found is not None:
        _catch_up(found)
        return found
    made: Organisation = OrganisationFactory(code=CODE, name="Organismo de carga")
    for _ in range(PROVINCES):
        province = UnitFactory(organisation=made)
        for _ in range(OFFICES):
            UnitFactory(organisation=made, parent=province)
    offices = list(Unit.objects.unscoped("benchmark").filter(organisation=made, children=None))
    for number, office in enumerate(offices[:60]):
        employee(made, "agent", unit=office, email=f"agente{number}@carga.example")
    for number in range(6):
        CaseTypeFactory(organisation=made, code=f"tipo-{number}", name=f"Tipo {number}")
    employee(made, "supervisor", email="supervision@carga.example")
    made.refresh_from_db()
    return made


def _catch_up(place: Organisation) -> None:
    """Its standard roles carry what the product has declared since it was made."""
    for role in Role.objects.unscoped("benchmark").filter(organisation=place):
        wanted = {one.name for one in catalogue.values() if role.code in one.roles}
        missing = wanted - set(role.permissions.values_list("permission", flat=True))
        RolePermission.objects.bulk_create(
            RolePermission(role=role, permission=name) for name in missing
        )
        for found in role.places.select_related("unit") if missing else ():
            roles._align(role, found)


@contextmanager
def database(size: int, citizens: int | None = None) -> Iterator[None]:
    """Within it everything is in a database of so many cases and citizens; it is kept for next time."""
    name, before = f"bench_{size}", connection.settings_dict["NAME"]
    maintenance: Any = raw()
    if not maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        maintenance.execute(f'CREATE DATABASE "{name}"')
    maintenance.close()
    _connect(name)
    try:
        call_command("migrate", verbosity=0)
        grow(size, size if citizens is None else citizens)
        yield
    finally:
        _connect(before)


def _connect(name: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name
    cache.clear()
    ContentType.objects.clear_cache()


def grow(cases: int, citizens: int) -> None:
    """There are at least so many of each."""
    place = organisation()
    there = {
        "cases": Case.objects.unscoped("benchmark").filter(organisation=place),
        "citizens": Citizen.objects.unscoped("benchmark").filter(records__organisation=place),
    }
    wanted = {"cases": cases, "citizens": citizens}
    missing = {name: max(0, wanted[name] - rows.count()) for name, rows in there.items()}
    if any(missing.values()):
        call_command("generate_load", organisation=place.code, **missing)


def cookie(email: str) -> str:
    """A signed-in session of the employee, as a Cookie header."""
    client = Client()
    client.force_login(User.objects.get(email=email))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def a_case_type() -> CaseType:
    """Any case type of the organisation."""
    return CaseType.objects.unscoped("benchmark").filter(organisation=organisation()).first()


def analyse(*tables: str) -> None:
    """The planner knows these tables, and which of their rows everybody sees."""
    connected: object = raw()
    for table in tables:
        connected.execute(f"VACUUM ANALYZE {table}")  # type: ignore[attr-defined]


def raw() -> "object":
    """A bare database connection, without the product around it."""
    psycopg = import_module("psycopg")
    parameters = connection.get_connection_params()
    keep = {
        k: v for k, v in parameters.items() if k in {"dbname", "user", "host", "port", "password"}
    }
    return psycopg.connect(**keep, autocommit=True, prepare_threshold=None)
