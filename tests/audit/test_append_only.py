"""The trail only grows: the database itself refuses to change or remove an entry or a seal."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from crm.audit.models import AuditEntry, Seal
from crm.audit.record import record_by_itself
from crm.audit.tasks import make_partitions
from crm.kit.actor import Door

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> AuditEntry:
    record_by_itself("retention_run", organisation_id=None, door=Door.TASK)
    return AuditEntry.objects.get()


@pytest.fixture
def truncation_refused(db: None) -> None:
    """The triggers that tests/conftest.py switches off, on again within this test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %s ENABLE TRIGGER audit_never_emptied', tgrelid::regclass)"
            " FROM pg_trigger WHERE tgname = 'audit_never_emptied'"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET action = 'viewed'",
        "UPDATE audit_auditentry SET id = id",
        "DELETE FROM audit_auditentry",
    ],
)
def test_an_entry_is_never_changed_nor_removed(entry: AuditEntry, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditEntry.objects.get().action == "retention_run"


@pytest.mark.parametrize("statement", ["UPDATE audit_seal SET count = 0", "DELETE FROM audit_seal"])
def test_a_seal_is_never_changed_nor_removed(statement: str) -> None:
    Seal.objects.create(
        number=1,
        generation="00000000-0000-0000-0000-000000000000",
        id_floor=0,
        tx_from=0,
        tx_to=1,
        count=0,
        total=0,
        ids=[],
        organisation_ids=[],
        digests=[],
        previous=b"",
        root=b"",
    )

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.usefixtures("truncation_refused")
def test_no_table_of_the_trail_is_emptied() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'audit_auditentry'::regclass"
        )
        partitions = [name for (name,) in cursor.fetchall()]
    year = datetime.now(UTC).year
    assert {f"audit_auditentry_{year}", f"audit_auditentry_{year + 1}"} < set(partitions)

    for table in ["audit_auditentry", "audit_seal", *partitions]:
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"TRUNCATE {table}")


def test_an_entry_lies_in_the_partition_of_its_year_and_any_other_date_has_a_place() -> None:
    record_by_itself("retention_run", organisation_id=None, door=Door.TASK)
    AuditEntry.objects.create(
        at=datetime(1999, 5, 1, tzinfo=UTC), actor_kind="system", action="sent", door="task"
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT action, tableoid::regclass::text FROM audit_auditentry")
        places = dict(cursor.fetchall())

    assert places == {
        "retention_run": f"audit_auditentry_{datetime.now(UTC).year}",
        "sent": "audit_auditentry_other",
    }


def test_the_partition_of_next_year_is_made_ahead_and_only_once() -> None:
    year = datetime.now(UTC).year + 1
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE audit_auditentry_{year}")

    make_partitions()
    make_partitions()

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass"
            " AND tgname IN ('audit_never_changed', 'audit_never_emptied')",
            [f"audit_auditentry_{year}"],
        )
        assert cursor.fetchone() == (2,)
