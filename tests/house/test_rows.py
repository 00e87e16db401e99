"""Row-level security as an oracle: what the database alone would let an organisation see.

A role that can bypass nothing, with a policy on every table of an organisation, runs the same
queries. What `for_actor` gives must be what the database would give, and without an organisation
there is nothing. The role and the policies are undone with the module's transaction.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.models import QuerySet

from campaigns.models import AllowedDestination, Campaign, Segment, Suppression, Template
from cases.lists import ALL, CaseFilter, find, matching
from cases.models import (
    BulkAction,
    CannedAnswer,
    Case,
    CaseType,
    Document,
    Event,
    Import,
    Link,
    Macro,
    Message,
    Note,
    Paper,
    Participant,
    SavedView,
    Task,
)
from cases.query import understood
from crm.accounts.models import ApiClient, Membership, Role
from crm.audit.models import AuditEntry
from crm.citizens.models import (
    AuthorisedProfessional,
    CitizenRecord,
    ContactPoint,
    Mandate,
    MandatePaper,
    Topic,
)
from crm.integrations.models import (
    Connection,
    PublishedService,
    Subscription,
    WebhookDelivery,
)
from crm.kit.actor import Actor
from crm.organisations.models import Organisation, Unit
from reporting.models import (
    CaseFact,
    District,
    Export,
    FactState,
    HistoryBatch,
    IssuedHistory,
    Tally,
)
from scheduling.models import Appointment, BookableService, Happening, Office, Resource
from tests.factories.accounts import acting
from tests.house.estate import Estate
from tests.house.sources import ROOMS

pytestmark = pytest.mark.django_db

ORACLE = "oracle_" + secrets.token_hex(4)  # roles are the cluster's, where others test too
THROUGH_CASE = (Event, Link, Message, Note, Paper, Participant)

Rows = Callable[[Actor], "QuerySet[Any]"]
QUERIES: dict[str, Rows] = {
    **{
        model.__name__: lambda actor, model=model: model.objects.for_actor(actor)
        for model in (
            *(Case, CaseType, Document, Import, Note, Message, Participant, Link, Event),
            *(Task, Paper),
            *(CitizenRecord, ContactPoint, Unit, Role, Membership, ApiClient, AuditEntry),
            *(Organisation, IssuedHistory, HistoryBatch, BulkAction, Export),
            *(SavedView, CannedAnswer, Macro),
            *(Office, BookableService, Resource, Appointment, Happening),
            *(Connection, Subscription, WebhookDelivery, PublishedService),
            *(CaseFact, Tally, FactState, District),
            *(Mandate, MandatePaper, AuthorisedProfessional),
            *(Topic, Segment, Template, Campaign, Suppression, AllowedDestination),
        )
    },
    "open cases": lambda actor: matching(actor, CaseFilter()),
    "all cases": lambda actor: matching(actor, CaseFilter(work=ALL)),
    "cases by text": lambda actor: matching(actor, CaseFilter(work=ALL, text="asunto")),
    "cases by type": lambda actor: matching(actor, CaseFilter(case_type="tipo-casa")),
    "cases by priority": lambda actor: matching(actor, CaseFilter(work=ALL, priority=1)),
    "cases by a query": lambda actor: matching(
        actor, understood(actor, "-(has:documents or event:noted) or state:all").alone()
    ),
    "cases by their links": lambda actor: matching(actor, understood(actor, "has:links").alone()),
    "cases of a citizen": lambda actor: Case.objects.for_actor(actor).exclude(citizen=None),
}


def _tables() -> dict[str, str]:
    """Every table with a column of its organisation: table → that column."""
    found = {}
    for model in apps.get_models():
        if model.__module__.split(".")[0] not in ROOMS:
            continue
        for field in model._meta.concrete_fields:
            if field.column == "organisation_id":
                found[model._meta.db_table] = field.column
    found[Organisation._meta.db_table] = "id"
    return found


@pytest.fixture(scope="module")
def oracle(estate: Estate) -> None:
    """The role and its policies, in the module's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = user")
        if cursor.fetchone() != (True,):
            pytest.skip("the tests' user may not make roles here")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table may have checks outstanding
        cursor.execute(f"CREATE ROLE {ORACLE} NOSUPERUSER NOBYPASSRLS NOLOGIN")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {ORACLE}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ORACLE}")
        for table, column in _tables().items():
            cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
            cursor.execute(
                f'CREATE POLICY {ORACLE} ON "{table}" TO {ORACLE} USING ("{column}" ='
                " nullif(current_setting('house.organisation', true), '')::bigint)"
            )
        for model in THROUGH_CASE:  # exist when their case does, which has its own policy
            table = model._meta.db_table
            if table not in _tables():
                cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
                cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
                cursor.execute(
                    f'CREATE POLICY {ORACLE} ON "{table}" TO {ORACLE} USING'
                    " (EXISTS (SELECT FROM cases_case c WHERE c.id = case_id))"
                )
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def seen_by_the_database(organisation_id: int | None) -> Iterator[None]:
    """Queries within are run by the role that can bypass nothing."""
    with connection.cursor() as cursor:
        value = "" if organisation_id is None else str(organisation_id)
        cursor.execute("SELECT set_config('house.organisation', %s, true)", [value])
        cursor.execute(f"SET LOCAL ROLE {ORACLE}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


def keys(rows: "QuerySet[Any]") -> list[Any]:
    """The rows' keys, in order."""
    return sorted(rows.order_by().values_list("pk", flat=True))


def test_the_role_may_bypass_nothing_and_owns_nothing(oracle: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
            " FROM pg_roles r WHERE rolname = %s",
            [ORACLE],
        )
        assert cursor.fetchone() == (False, False, 0)
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND NOT"
            " (relrowsecurity AND relforcerowsecurity)",
            [list(_tables())],
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_an_actor_gets_what_the_database_would_give(
    name: str, where: str, estate: Estate, oracle: None
) -> None:
    side = getattr(estate, where)
    actor = side.actor
    scoped = keys(QUERIES[name](actor))
    with seen_by_the_database(side.organisation.pk):
        assert keys(QUERIES[name](actor)) == scoped
        if not name.startswith(("open", "cases", "all")) and name not in OWN_ONLY:
            model = QUERIES[name](actor).model
            every = keys(model.objects.unscoped("the database decides"))
            assert every == scoped, "for_actor and the database disagree"
    if name != "cases by type" or where == "here":
        assert scoped, "the oracle compares nothing"


# One's own only: within an organisation `for_actor` gives less than its rows.
OWN_ONLY = {"HistoryBatch", "Export"}


@pytest.mark.parametrize("name", QUERIES)
def test_without_an_organisation_there_is_nothing(name: str, estate: Estate, oracle: None) -> None:
    actor = estate.here.actor
    with seen_by_the_database(None):
        assert keys(QUERIES[name](actor)) == []


@pytest.mark.parametrize("name", QUERIES)
def test_in_another_organisation_the_same_query_finds_nothing(
    name: str, estate: Estate, oracle: None
) -> None:
    """Even a query that forgot its actor would be held: the two walls do not lean on each other."""
    actor = estate.here.actor
    with seen_by_the_database(estate.elsewhere.organisation.pk):
        assert keys(QUERIES[name](actor)) == []


def test_raw_sql_sees_what_the_policy_gives(estate: Estate, oracle: None) -> None:
    for table in _tables():
        with connection.cursor() as cursor, seen_by_the_database(None):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - our own names
            assert cursor.fetchone() == (0,), table


def test_merged_lists_of_units_are_within_the_wall(estate: Estate, oracle: None) -> None:
    """Who works in units gets lists that are merged in SQL of our own."""
    for user in (estate.here.employee, estate.here.neighbour):
        actor = acting(user)
        asked = CaseFilter(work=ALL)
        found = [case.pk for case in find(actor, asked).rows]
        assert sorted(found) == keys(Case.objects.for_actor(actor))
        with seen_by_the_database(estate.here.organisation.pk):
            assert [case.pk for case in find(actor, asked).rows] == found
        with seen_by_the_database(estate.elsewhere.organisation.pk):
            assert find(actor, asked).rows == []


def test_every_table_of_an_organisation_is_under_the_oracle() -> None:
    tables = _tables()
    assert {"cases_case", "cases_document", "citizens_contactpoint", "audit_auditentry"} <= set(
        tables
    )
    for model in apps.get_models():
        owned = any(field.name == "organisation" for field in model._meta.concrete_fields)
        if owned and model.__module__.split(".")[0] in ROOMS:
            assert isinstance(model, type(models.Model))
            assert model._meta.db_table in tables
