"""Making under a lease: dead workers, lost leases, bounded attempts, batches."""

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from cases.models import Case
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from crm.kit.models import StreamEvent
from reporting import leases, printing, services, tasks
from reporting.archive import zipped
from reporting.models import HistoryBatch, IssuedHistory, Status
from tests.conftest import World
from tests.factories.cases import CaseFactory
from tests.reporting.conftest import made, supervisor

pytestmark = pytest.mark.usefixtures("sheet")


def histories() -> Any:
    return IssuedHistory.objects.unscoped("test")


def expire(history: IssuedHistory) -> None:
    histories().filter(pk=history.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would have been sent to the broker."""
    sent: list[tuple[str, int]] = []
    for module in (tasks, services):
        monkeypatch.setattr(module, "enqueue", lambda name, pk: sent.append((name, pk)))
    return sent


def test_what_a_killed_worker_began_another_one_ends(
    case: Case, boss: Actor, handed_out: list[tuple[str, int]]
) -> None:
    history = issue(boss, case)
    code = history.code
    assert leases.claim(IssuedHistory, history.pk) is not None  # and here the worker is killed
    services.make_history(history.pk)
    history.refresh_from_db()
    assert history.status == Status.RUNNING  # its lease still runs: nobody else touches it
    handed_out.clear()
    tasks.sweep()
    assert handed_out == []
    expire(history)
    tasks.sweep()
    assert handed_out == [("reporting.make_history", history.pk)]
    services.make_history(history.pk)
    history.refresh_from_db()
    assert (history.status, history.code, history.attempts) == (Status.DONE, code, 2)


def test_a_worker_that_lost_its_lease_finishes_nothing(
    case: Case, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = issue(boss, case)
    whole = services.print_history

    def slow(*args: Any, **kwargs: Any) -> Any:
        printed = whole(*args, **kwargs)
        expire(history)
        monkeypatch.setattr(services, "print_history", whole)
        services.make_history(history.pk)  # another worker, meanwhile
        return printed

    monkeypatch.setattr(services, "print_history", slow)
    services.make_history(history.pk)
    history.refresh_from_db()
    assert (history.status, history.attempts) == (Status.DONE, 2)
    assert AuditEntry.objects.unscoped("test").filter(action="sealed").count() == 1


def test_a_history_that_kills_its_workers_is_given_up(case: Case, boss: Actor) -> None:
    history = issue(boss, case)
    for _attempt in range(leases.MOST_ATTEMPTS):
        assert leases.claim(IssuedHistory, history.pk) is not None
        expire(history)
    services.make_history(history.pk)
    history.refresh_from_db()
    assert (history.status, history.error) == (Status.FAILED, "abandoned")
    again = issue(boss, case)
    assert (again.pk, again.status, again.attempts) == (history.pk, Status.QUEUED, 0)


def test_what_may_pass_is_tried_again_later(
    case: Case, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise Unavailable("store_full", "full")

    monkeypatch.setattr(services, "store", full)
    history = issue(boss, case)
    services.make_history(history.pk)
    history.refresh_from_db()
    assert (history.status, history.error) == (Status.QUEUED, "store_full")
    assert history.lease_until is not None
    assert history.lease_until > timezone.now()
    services.make_history(history.pk)  # too early
    history.refresh_from_db()
    assert history.attempts == 1
    monkeypatch.undo()
    expire(history)
    services.make_history(history.pk)
    history.refresh_from_db()
    assert (history.status, history.error) == (Status.DONE, "")


def test_an_unforeseen_error_is_told_in_general_words(
    case: Case, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("with a citizen's name")

    monkeypatch.setattr(printing, "render_to_string", broken)
    history = issue(boss, case)
    for _attempt in range(leases.MOST_ATTEMPTS):
        services.make_history(history.pk)
        expire(history)
    history.refresh_from_db()
    assert (history.status, history.error) == (Status.FAILED, "pdf_failed")


def test_the_sweeper_speaks_up_only_when_word_was_lost(
    case: Case, boss: Actor, handed_out: list[tuple[str, int]]
) -> None:
    history = issue(boss, case)
    handed_out.clear()
    tasks.sweep()
    assert handed_out == []
    histories().filter(pk=history.pk).update(updated_at=timezone.now() - timedelta(minutes=1))
    tasks.sweep()
    tasks.sweep()
    assert handed_out == [("reporting.make_history", history.pk)]


def test_no_transaction_is_open_while_a_document_is_made(
    case: Case, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    render = printing.render

    def watched(*args: Any, **kwargs: Any) -> bytes:
        seen.append(len(connection.savepoint_ids))
        return render(*args, **kwargs)

    monkeypatch.setattr(printing, "render", watched)
    depth = len(connection.savepoint_ids)
    made(boss, case)
    assert seen == [depth]


def test_the_end_is_told_live(case: Case, boss: Actor) -> None:
    history = made(boss, case)
    last = StreamEvent.objects.filter(stream=f"history:{history.uuid}").latest("seq")
    assert last.patch == {"status": "done", "finished": True}


def test_only_who_may_issues(case: Case, boss: Actor, world: World) -> None:
    with pytest.raises(Refused):
        services.issue_history(world.actor(world.alice), case.uuid, "full")
    for stranger in (world.bob, world.charlie):
        with pytest.raises(NotFound):
            services.issue_history(world.actor(stranger), case.uuid, "full")
    with pytest.raises(Invalid):
        services.issue_history(boss, case.uuid, "everything")
    assert not histories().exists()


def test_a_revoked_document_is_replaced_by_another(case: Case, boss: Actor) -> None:
    history = made(boss, case)
    with pytest.raises(Invalid):
        services.revoke_history(boss, history.uuid, "  ")
    services.revoke_history(boss, history.uuid, "Datos de otra persona")
    with pytest.raises(Conflict):
        services.download_history(boss, history.uuid)
    new = made(boss, case)
    assert new.pk != history.pk
    assert new.code != history.code
    entry = AuditEntry.objects.unscoped("test").filter(object_id=str(history.uuid)).latest("id")
    assert (entry.action, entry.purpose) == ("reporting.issue_history", "Datos de otra persona")


# --- Batches ------------------------------------------------------------------------------------


def run(batch: HistoryBatch) -> HistoryBatch:
    """What workers do with a batch."""
    services.make_batch(batch.pk)
    for pk in batch.histories.filter(status=Status.QUEUED).values_list("pk", flat=True):
        services.make_history(pk)
    HistoryBatch.objects.unscoped("test").filter(pk=batch.pk).update(lease_until=None)
    services.make_batch(batch.pk)
    batch.refresh_from_db()
    return batch


def test_several_histories_come_as_one_zip_with_an_index(
    case: Case, boss: Actor, world: World
) -> None:
    other = CaseFactory(unit=world.unit, subject="=cmd()")
    hidden = CaseFactory(unit=world.foreign_unit)
    nothing = uuid4()
    batch = services.issue_batch(
        boss, [case.uuid, other.uuid, hidden.uuid, nothing, case.uuid], "citizen"
    )
    batch = run(batch)
    assert (batch.status, batch.done) == (Status.DONE, 4)
    _row, found, left_out = services.download_batch(boss, batch.uuid)
    chunks = list(zipped(boss, found, left_out))
    assert len(chunks) >= 3
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == [
            f"{case.reference}-citizen.pdf",
            f"{other.reference}-citizen.pdf",
            "index.csv",
        ]
        assert archive.read(names[0]).startswith(b"%PDF-")
        index = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig"))))
    assert [line["case"] for line in index] == [
        case.reference,
        other.reference,
        str(hidden.uuid),
        str(nothing),
    ]
    assert [bool(line["problem"]) for line in index] == [False, False, True, True]
    assert index[2]["problem"] == index[3]["problem"]  # another's case is like none
    assert index[0]["sha256"] == found[0].sha256
    exported = AuditEntry.objects.unscoped("test").filter(action="exported")
    assert exported.count() == 1


def test_a_batch_begun_by_a_killed_worker_goes_on_where_it_was(
    case: Case, boss: Actor, world: World
) -> None:
    others = [CaseFactory(unit=world.unit) for _number in range(2)]
    batch = services.issue_batch(boss, [case.uuid, *(other.uuid for other in others)], "full")
    claimed = leases.claim(HistoryBatch, batch.pk)
    assert claimed is not None
    claimed.histories.add(services.issue_history(boss, case.uuid, "full"))
    leases.hold(claimed, done=1)
    HistoryBatch.objects.unscoped("test").filter(pk=batch.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    batch = run(batch)
    assert (batch.status, batch.done, batch.histories.count()) == (Status.DONE, 3, 3)
    assert histories().count() == 3


def test_a_batch_is_of_who_asked_for_it_and_bounded(case: Case, boss: Actor, world: World) -> None:
    batch = services.issue_batch(boss, [case.uuid], "full")
    for somebody in (supervisor(world), world.charlie):
        assert not HistoryBatch.objects.for_actor(world.actor(somebody)).exists()
    with pytest.raises(Conflict):
        services.download_batch(boss, batch.uuid)
    with pytest.raises(Invalid):
        services.issue_batch(boss, [], "full")
    with pytest.raises(Invalid):
        services.issue_batch(boss, [uuid4() for _n in range(services.MOST_IN_BATCH + 1)], "full")
    with pytest.raises(Refused):
        services.issue_batch(world.actor(world.alice), [case.uuid], "full")


def test_a_batch_of_somebody_suspended_ends(case: Case, boss: Actor) -> None:
    batch = services.issue_batch(boss, [case.uuid], "full")
    user = User.objects.get(pk=boss.id)
    user.state = User.State.SUSPENDED
    user.save()
    services.make_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.error) == (Status.FAILED, "no_rights")
    assert not histories().exists()


def issue(actor: Actor, case: Case) -> IssuedHistory:
    return services.issue_history(actor, case.uuid, "full")
