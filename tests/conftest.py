"""What every test may ask for: two organisations, Alice, Bob and Charlie, and the shared data.

Alice owns what is looked at (works in its unit), Bob is of the same organisation but another unit,
Charlie of another organisation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker

from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.organisations.models import Organisation, Unit
from tests.factories.accounts import acting, employee
from tests.factories.organisations import OrganisationFactory, UnitFactory


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the tables be emptied after tests with real commits, which the audit trail refuses."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %s DISABLE TRIGGER audit_never_emptied', tgrelid::regclass)"
            " FROM pg_trigger WHERE tgname = 'audit_never_emptied' AND tgenabled <> 'D'"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def quickly_emptied() -> Iterator[None]:
    """After tests with real commits only tables that hold rows are emptied: `flush` takes them all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: _empty_tables())
        yield


def _empty_tables() -> None:
    kept = {"django_migrations", ContentType._meta.db_table, Permission._meta.db_table}
    tables = set(connection.introspection.django_table_names(only_existing=True)) - kept
    asked = (f"SELECT '{name}' WHERE EXISTS (TABLE {name})" for name in sorted(tables))
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        full = ", ".join(name for (name,) in cursor.fetchall())
        if full:
            cursor.execute(f"TRUNCATE {full} CASCADE")


@pytest.fixture(scope="session", autouse=True)
def message_ids() -> Iterator[None]:
    """Tests read message ids: a better translation breaks none of them. The house checks the rest."""
    with override_settings(LOCALE_PATHS=[]):
        yield


@dataclass
class World:
    """Two organisations with a few people."""

    here: Organisation
    elsewhere: Organisation
    unit: Unit
    other_unit: Unit
    foreign_unit: Unit
    alice: User
    bob: User
    charlie: User

    def actor(self, user: User) -> Actor:
        """The user as an actor now."""
        return acting(user)


@pytest.fixture
def world(db: None) -> World:
    """Alice and Bob here, in two units; Charlie elsewhere. All three are front line."""
    here = OrganisationFactory(code="HERE", name="Organismo de aquí")
    elsewhere = OrganisationFactory(code="ELSE", name="Organismo de allí")
    unit = UnitFactory(organisation=here, code="NORTH", name="Norte")
    other_unit = UnitFactory(organisation=here, code="SOUTH", name="Sur")
    foreign_unit = UnitFactory(organisation=elsewhere, code="FAR", name="Lejos")
    return World(
        here=here,
        elsewhere=elsewhere,
        unit=unit,
        other_unit=other_unit,
        foreign_unit=foreign_unit,
        alice=employee(here, "agent", unit=unit, full_name="Alice Arias"),
        bob=employee(here, "agent", unit=other_unit, full_name="Bob Bueno"),
        charlie=employee(elsewhere, "agent", unit=foreign_unit, full_name="Charlie Cruz"),
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs beside our own checkout; elsewhere the test says why it does not run."""
    above = (place / "shared" / "data" for place in Path(__file__).resolve().parents[2:])
    place = next((place for place in above if place.is_dir()), None)
    if place is None:
        pytest.skip("the shared data lies only beside the project's own checkout")
    return place
