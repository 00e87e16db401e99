"""A bulk action and its undoing, their workers killed with -9 twice each in the middle: every case was
done once and undone once, by the cases' own events."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from pytest_django import DjangoDbBlocker

from cases.models import BulkAction, BulkRow, Case, Event
from cases.services.bulk import (
    Bulk,
    chosen_cases,
    prepare_bulk,
    run_bulk,
    start_bulk,
    undo_bulk,
)
from crm.kit.actor import Actor
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.organisations import OrganisationFactory, UnitFactory
from tests.journeys.product import copied_database

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CASES = 120
PATIENCE_S = 120
WORKER = (
    "import sys, django; django.setup();"
    "from uuid import UUID; from cases.services.bulk import run_bulk; run_bulk(UUID(sys.argv[1]))"
)


@pytest.fixture
def _django_db_helper() -> None:
    """In place of pytest-django's transaction: what happens here is of other processes, which commit."""


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock(), copied_database() as address:
        yield address


def test_killed_twice_each_case_is_done_once_and_undone_once(database: str) -> None:
    organisation = OrganisationFactory(code="MATADO", name="Organismo de prueba")
    unit = UnitFactory(organisation=organisation)
    kind = CaseTypeFactory(organisation=organisation)
    for _each in range(CASES):
        CaseFactory(unit=unit, case_type=kind)
    boss = acting(employee(organisation, "supervisor"))
    keys = Case.objects.for_actor(boss).values_list("uuid", flat=True)
    action = prepare_bulk(boss, chosen_cases(boss, keys), Bulk(action="move", move="start"))
    start_bulk(boss, action.uuid)
    _killed_twice(database, action)
    _ended(boss, action, moves=1, state="in_progress")
    undo = undo_bulk(boss, action.uuid)
    start_bulk(boss, undo.uuid)
    _killed_twice(database, undo)
    _ended(boss, undo, moves=2, state="new")


def _killed_twice(database: str, action: BulkAction) -> None:
    """The worker dies in the first third and in the second; another one ends the work."""
    for least in (CASES // 6, CASES // 2):
        worker = _worker(database, action.uuid)
        _until_done(action, least, worker)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        action.refresh_from_db()
        assert action.status == BulkAction.Status.RUNNING
        assert least <= action.done < CASES
    run_bulk(action.uuid)


def _worker(database: str, action: UUID) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DATABASE_URL": database}
    command = [sys.executable, "-c", WORKER, str(action)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def _until_done(action: BulkAction, least: int, worker: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        action.refresh_from_db(fields=["done"])
        if action.done >= least:
            return
        assert worker.poll() is None, "the worker ended by itself"
        time.sleep(0.01)
    raise AssertionError("the worker does nothing")


def _ended(boss: Actor, action: BulkAction, *, moves: int, state: str) -> None:
    action.refresh_from_db()
    assert (action.status, action.done, action.refused) == ("done", CASES, 0)
    cases = Case.objects.for_actor(boss)
    assert set(cases.values_list("state", flat=True)) == {state}
    events = Event.objects.for_actor(boss).filter(kind="moved")
    assert events.count() == moves * CASES
    assert events.values("case", "data__batch").distinct().count() == moves * CASES
    rows = BulkRow.objects.for_actor(boss).filter(action=action)
    assert set(rows.values_list("status", flat=True)) == {BulkRow.Status.DONE}
