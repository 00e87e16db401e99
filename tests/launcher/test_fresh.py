"""The tests' database: migrated once for the same migrations, and otherwise from nothing."""

from pathlib import Path

import pytest

import boot


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one migration, and data of an earlier run; its directory."""
    monkeypatch.setattr(boot, "ROOT", tmp_path)
    monkeypatch.setattr(boot, "VAR", tmp_path / "var")
    monkeypatch.setattr(boot, "data_directory", lambda instance: instance.var / "pgdata")
    migrations = tmp_path / "crm" / "kit" / "migrations"
    for directory in (migrations, boot.TEST.var / "pgdata", boot.TEST.var / "media"):
        directory.mkdir(parents=True)
    (tmp_path / "requirements-dev.lock").write_text("django==5")
    (migrations / "0001_initial.py").write_text("operations = []")
    boot.migrated_stamp(boot.TEST).write_text(boot.migrations())
    return tmp_path


def left() -> set[str]:
    return {path.name for path in boot.TEST.var.iterdir()} if boot.TEST.var.exists() else set()


def test_only_the_migrated_tables_are_left_of_an_earlier_run(room: Path) -> None:
    boot.refresh(boot.TEST)
    assert left() == {"pgdata", "migrated"}


@pytest.mark.parametrize(
    "changed",
    ["crm/kit/migrations/0001_initial.py", "cases/migrations/0001.py", "requirements-dev.lock"],
)
def test_another_migration_begins_from_nothing(room: Path, changed: str) -> None:
    (room / changed).parent.mkdir(parents=True, exist_ok=True)
    (room / changed).write_text("operations = [1]")
    boot.refresh(boot.TEST)
    assert left() == set()


def test_a_run_that_did_not_end_its_migration_begins_from_nothing(room: Path) -> None:
    boot.migrated_stamp(boot.TEST).unlink()
    boot.refresh(boot.TEST)
    assert left() == set()
