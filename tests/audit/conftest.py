"""What the tests of the chain share: entries, a patient sealer, and somebody with all rights."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from crm.audit import chain
from crm.audit.models import AuditEntry
from crm.audit.record import record_by_itself
from crm.kit.actor import Door

Dba = Callable[..., None]


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, settings: Settings) -> Path:
    """Keys and checkpoints of this test alone."""
    settings.KEYS_DIR = tmp_path / "keys"
    settings.CHECKPOINTS_DIR = tmp_path / "checkpoints"
    return tmp_path


@pytest.fixture
def dba() -> Dba:
    """Run a statement as a superuser does who went round the triggers."""

    def run(statement: str, *parameters: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            try:
                cursor.execute(statement, parameters)
            finally:
                cursor.execute("SET session_replication_role = origin")

    return run


def write(*actions: str, organisation_id: int | None = None) -> list[int]:
    """One committed entry for each action; their ids."""
    before = set(AuditEntry.objects.values_list("id", flat=True))
    for action in actions:
        record_by_itself(action, organisation_id=organisation_id, door=Door.TASK, note="ñ")
    return sorted(set(AuditEntry.objects.values_list("id", flat=True)) - before)


def seal_all() -> int:
    """Seal until nothing waits: another test's transaction in this cluster may hold it up shortly."""
    sealed, until = 0, time.monotonic() + 20
    while True:
        sealed += chain.seal()
        if not chain.lag():
            return sealed
        assert time.monotonic() < until, "the sealer does not come to the end"
        time.sleep(0.02)
