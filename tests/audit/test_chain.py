"""The chain: every committed entry is sealed once, and whatever is changed afterwards is named."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from crm.audit import chain, checkpoints
from crm.audit.chain import Kind
from crm.audit.models import AuditEntry, Seal
from crm.audit.record import record_by_itself
from crm.kit.actor import Door
from tests.audit.conftest import Dba, seal_all, write

pytestmark = pytest.mark.django_db(transaction=True)


def sealed_ids() -> list[int]:
    return [
        entry
        for ids in Seal.objects.order_by("number").values_list("ids", flat=True)
        for entry in ids
    ]


# --- sealing --------------------------------------------------------------------------------------


def test_entries_are_sealed_in_order_and_the_chain_verifies() -> None:
    first = write("viewed", "searched")
    assert seal_all() == 2
    second = write("exported")
    assert seal_all() == 1
    assert chain.seal() == 0

    one, two = Seal.objects.order_by("number")
    assert (one.number, one.count, one.total, one.ids) == (1, 2, 2, first)
    assert (two.number, two.count, two.total, two.ids) == (2, 1, 3, second)
    assert bytes(one.previous) == chain.GENESIS
    assert bytes(two.previous) == bytes(one.root)
    assert two.tx_from == one.tx_to
    verdict = chain.verify([])
    assert (verdict.whole, verdict.entries, verdict.seals) == (True, 3, 2)


def test_a_long_trail_is_sealed_in_batches_that_never_split_a_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chain, "BATCH", 2)
    write("viewed")
    with transaction.atomic():
        write("viewed", "viewed", "viewed")
    write("viewed")

    assert seal_all() == 5

    assert [seal.count for seal in Seal.objects.order_by("number")] == [4, 1]
    assert chain.verify([]).whole


def test_an_entry_that_commits_late_is_waited_for() -> None:
    parameters = connection.get_connection_params()
    with psycopg.connect(
        host=parameters["host"],
        port=parameters.get("port"),
        user=parameters["user"],
        dbname=parameters["dbname"],
    ) as late:
        late.execute(
            "INSERT INTO audit_auditentry (actor_kind, actor_name, action, door)"
            " VALUES ('system', '', 'late', 'task')"
        )
        write("early")  # committed first, although it began later

        assert chain.seal() == 0
        assert chain.lag() > timedelta(0)
        late.commit()

    assert seal_all() == 2
    assert [AuditEntry.objects.get(id=entry).action for entry in sealed_ids()] == ["late", "early"]
    assert chain.verify([]).whole


def test_a_transaction_in_another_database_holds_nothing_up() -> None:
    parameters = connection.get_connection_params()
    with psycopg.connect(
        host=parameters["host"],
        port=parameters.get("port"),
        user=parameters["user"],
        dbname="postgres",
    ) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        write("viewed")

        assert seal_all() == 1
        assert elsewhere.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def in_threads(*works: Callable[[], None]) -> None:
    """Run all at the same time, each on a connection of its own; the first failure is raised."""

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(run, work) for work in works]:
            future.result(60)


def test_eight_writers_keep_one_chain_and_the_sealer_skips_nothing() -> None:
    each, left = 40, 8
    done = threading.Semaphore(0)

    def write_for(organisation_id: int) -> None:
        for turn in range(each):
            with transaction.atomic():
                for action in ("viewed", "searched"):
                    record_by_itself(action, organisation_id=organisation_id, door=Door.TASK)
                transaction.set_rollback(turn % 4 == 3)
        done.release()

    def keep_sealing() -> None:
        nonlocal left
        while left:
            chain.seal()
            left -= done.acquire(blocking=False)

    def seal_often() -> None:
        for _each in range(50):
            chain.seal()

    in_threads(
        keep_sealing,
        seal_often,
        *[partial(write_for, number) for number in range(1, left + 1)],
    )
    seal_all()

    committed = set(AuditEntry.objects.values_list("id", flat=True))
    counted = Counter(sealed_ids())
    assert len(committed) == 8 * each * 3 // 4 * 2
    assert set(counted) == committed
    assert set(counted.values()) == {1}
    numbers = list(Seal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 1
    assert chain.verify([]).whole


def test_a_restored_dump_closes_the_old_generation_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, dba: Dba
) -> None:
    """In the new cluster transaction ids are small again; nothing is sealed twice, nothing skipped."""
    far = 10**15
    old = write("viewed", "viewed")
    dba("UPDATE audit_auditentry SET tx = %s", far)
    monkeypatch.setattr(chain, "_horizon", lambda: far + 1)
    assert chain.seal() == 2
    pending = write("pending")
    dba("UPDATE audit_auditentry SET tx = %s WHERE action = 'pending'", far + 5)
    monkeypatch.undo()
    monkeypatch.setattr(chain, "_generation", lambda: UUID(int=1))

    assert chain.seal() == 1
    new = write("after")
    assert seal_all() == 1

    assert sealed_ids() == [*old, *pending, *new]
    assert [seal.generation == UUID(int=1) for seal in Seal.objects.order_by("number")] == [
        False,
        True,
        True,
    ]
    assert chain.verify([]).whole


# --- what was changed is named --------------------------------------------------------------------


ALTERATIONS = {
    "action": "'viewee'",
    "actor_name": "'Ventanillb'",
    "object_name": "'x'",
    "purpose": "'x'",
    "organisation_id": "8",
    "at": "at + interval '1 microsecond'",
    "ip": "'10.0.0.1'",
    "data": """'{"note": "n"}'""",
    "result": "'refused'",
    "tx": "tx + 1",
}


def test_one_altered_value_is_named_whichever_it_is(dba: Dba) -> None:
    ids = write("viewed", "viewed", "viewed", organisation_id=7)
    seal_all()

    for column, value in ALTERATIONS.items():
        with transaction.atomic():
            dba(f"UPDATE audit_auditentry SET {column} = {value} WHERE id = %s", ids[1])  # noqa: S608
            entry = AuditEntry.objects.get(id=ids[1])
            (fault,) = chain.verify([]).faults
            transaction.set_rollback(True)

        assert (fault.kind, fault.entry, fault.seal) == (Kind.ALTERED, ids[1], 1), column
        assert (fault.at, fault.action) == (entry.at, entry.action), column
        assert str(ids[1]) in str(fault)
    assert chain.verify([]).whole


@pytest.mark.parametrize(
    "moment", ["infinity", "-infinity", "9999-12-31 23:59:59Z", "0001-01-01 00:00Z"]
)
def test_an_entry_moved_to_no_moment_at_all_is_named(dba: Dba, moment: str) -> None:
    (moved,) = write("viewed")
    seal_all()

    dba("UPDATE audit_auditentry SET at = %s", moment)
    dba(
        "INSERT INTO audit_auditentry (tx, at, actor_kind, actor_name, action, door)"
        " SELECT tx, at, 'user', 'X', 'slipped', 'console' FROM audit_auditentry"
    )

    altered, added = chain.verify([]).faults
    assert (altered.kind, altered.entry, altered.at) == (Kind.ALTERED, moved, None)
    assert (added.kind, added.action, added.at) == (Kind.ADDED, "slipped", None)
    assert str(moved) in str(altered)


def test_rows_that_changed_places_are_altered(dba: Dba) -> None:
    one, two = write("viewed", "searched")
    seal_all()

    dba("UPDATE audit_auditentry SET id = %s - id", one + two)

    (fault,) = chain.verify([]).faults
    assert (fault.kind, fault.entry) == (Kind.ALTERED, one)


def test_an_emptied_digest_hides_no_alteration(dba: Dba) -> None:
    """The root joins the digests, so that one may be moved into its neighbour's place."""
    (mine,) = write("viewed", organisation_id=7)
    write("viewed", organisation_id=8)
    seal_all()

    dba("UPDATE audit_auditentry SET actor_name = 'nobody' WHERE id = %s", mine)
    dba("UPDATE audit_seal SET digests = ARRAY[NULL, digests[1] || digests[2]]")

    (fault,) = chain.verify([], 7).faults
    assert (fault.kind, fault.entry) == (Kind.ALTERED, mine)


def test_the_first_of_several_faults_is_named(dba: Dba) -> None:
    ids = write("viewed", "viewed", "viewed", "viewed")
    seal_all()

    dba("UPDATE audit_auditentry SET purpose = 'x' WHERE id = ANY (%s)", ids[1:])

    assert chain.verify([]).faults[0].entry == ids[1]


def test_a_deleted_entry_is_named_with_the_time_of_its_seal(dba: Dba) -> None:
    ids = write("viewed", "searched", "viewed")
    seal_all()

    dba("DELETE FROM audit_auditentry WHERE id = %s", ids[1])

    (fault,) = chain.verify([]).faults
    assert (fault.kind, fault.entry) == (Kind.MISSING, ids[1])
    assert fault.at == Seal.objects.get().sealed_at


def test_an_entry_slipped_in_afterwards_is_named(dba: Dba) -> None:
    write("viewed")
    seal_all()
    tx = AuditEntry.objects.get().tx

    AuditEntry.objects.create(tx=tx, actor_kind="user", action="slipped", door="console")

    (fault,) = chain.verify([]).faults
    assert (fault.kind, fault.action) == (Kind.ADDED, "slipped")


def test_an_entry_of_a_transaction_that_has_not_been_is_named(dba: Dba) -> None:
    """The sealer never comes to it: it would stand without a seal for ever."""
    write("viewed")
    seal_all()

    AuditEntry.objects.create(tx=9 * 10**15, actor_kind="user", action="slipped", door="console")

    (fault,) = chain.verify([]).faults
    assert (fault.kind, fault.action) == (Kind.ADDED, "slipped")


def test_what_is_being_written_meanwhile_was_not_added() -> None:
    write("viewed")
    seal_all()

    with transaction.atomic():
        record_by_itself("viewed", organisation_id=None, door=Door.TASK)
        assert chain.verify([]).whole
    assert chain.verify([]).whole


def test_a_copy_under_the_same_number_is_found(dba: Dba) -> None:
    (entry,) = write("viewed")
    seal_all()

    AuditEntry.objects.create(
        id=entry, at=timezone.now(), actor_kind="user", action="copy", door="console"
    )

    assert chain.verify([]).faults[0].entry == entry


def forge(dba: Dba, number: int) -> None:
    """Change an entry and make its seal fit again, as somebody does who knows how seals are made."""
    dba(
        "UPDATE audit_auditentry SET purpose = 'x' WHERE id IN (SELECT ids[1] FROM audit_seal WHERE number = %s)",
        number,
    )
    dba(
        f"UPDATE audit_seal s SET digests[1] = (SELECT sha256({chain.CANONICAL})"  # noqa: S608
        " FROM audit_auditentry e WHERE e.id = s.ids[1]) WHERE number = %s",
        number,
    )
    dba(f"UPDATE audit_seal s SET root = {chain.ROOT} WHERE number = %s", number)  # noqa: S608


def test_a_forged_seal_breaks_the_chain_after_it(dba: Dba) -> None:
    for _each in range(3):
        write("viewed")
        seal_all()

    forge(dba, 2)

    (fault,) = chain.verify([]).faults
    assert (fault.kind, fault.seal) == (Kind.SEAL, 3)


def test_a_seal_that_says_something_else_than_it_signed_is_named(dba: Dba) -> None:
    write("viewed", organisation_id=7)
    seal_all()

    dba("UPDATE audit_seal SET organisation_ids = '{8}'")

    (fault,) = chain.verify([]).faults
    assert (fault.kind, fault.seal) == (Kind.SEAL, 1)


def test_the_forged_end_of_the_chain_is_told_by_the_checkpoint(dba: Dba) -> None:
    write("viewed")
    seal_all()
    assert checkpoints.write()

    forge(dba, 1)

    assert chain.verify([]).whole
    (fault,) = chain.verify(checkpoints.read()).faults
    assert (fault.kind, fault.seal) == (Kind.CHECKPOINT, 1)


def test_a_cut_tail_is_told_by_the_checkpoint(dba: Dba) -> None:
    write("viewed")
    seal_all()
    lost = write("viewed", "viewed")
    seal_all()
    checkpoints.write()

    dba("DELETE FROM audit_auditentry WHERE id = ANY (%s)", lost)
    dba("DELETE FROM audit_seal WHERE number = 2")

    assert chain.verify([]).whole
    (fault,) = chain.verify(checkpoints.read()).faults
    assert (fault.kind, fault.seal) == (Kind.CUT, 2)
    write("viewed")
    seal_all()  # a new seal takes the number of the one cut off, but is not it
    (fault,) = chain.verify(checkpoints.read()).faults
    assert (fault.kind, fault.seal) == (Kind.CHECKPOINT, 2)


def test_an_organisation_verifies_its_own_entries_against_the_whole_chain(dba: Dba) -> None:
    (mine,) = write("viewed", organisation_id=7)
    (theirs,) = write("viewed", organisation_id=8)
    seal_all()

    dba("DELETE FROM audit_auditentry WHERE id = %s", theirs)

    assert chain.verify([], 7).whole
    assert chain.verify([], 8).faults[0].entry == theirs
    dba("DELETE FROM audit_auditentry WHERE id = %s", mine)
    assert chain.verify([], 7).faults[0].entry == mine


# --- form and state -------------------------------------------------------------------------------


def test_the_digest_covers_every_column() -> None:
    columns = {field.column for field in AuditEntry._meta.concrete_fields}

    assert {column for column in columns if f"e.{column}" not in chain.CANONICAL} == set()


def test_the_digest_is_the_same_in_every_session() -> None:
    write("viewed")
    seal_all()

    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Pacific/Auckland'")
        cursor.execute("SET DateStyle = 'ISO, DMY'")
        cursor.execute("SET extra_float_digits = 0")
        verdict = chain.verify([])
        cursor.execute("RESET ALL")

    assert verdict.whole
    connection.close()


def test_the_lag_is_the_age_of_the_oldest_unsealed_entry() -> None:
    assert chain.lag() == timedelta(0)
    AuditEntry.objects.create(
        at=timezone.now() - timedelta(seconds=30), actor_kind="system", action="sent", door="task"
    )

    assert timedelta(seconds=30) <= chain.lag() < timedelta(seconds=60)
    assert chain.health().well is False
    seal_all()
    assert chain.health() == chain.Health(value=0, well=True)


def test_healthz_alarms_when_the_sealer_is_late_and_still_answers(client: Client) -> None:
    AuditEntry.objects.create(
        at=timezone.now() - timedelta(seconds=30), actor_kind="system", action="sent", door="task"
    )

    late = client.get("/healthz")
    seal_all()
    well = client.get("/healthz")

    assert late.status_code == 200
    assert late.json()["audit_seal_lag_s"] >= 30
    assert "audit_seal_lag_s" in late.json()["alarms"]
    assert well.json()["audit_seal_lag_s"] == 0
    assert "audit_seal_lag_s" not in well.json()["alarms"]
