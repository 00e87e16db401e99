"""Bulk loads: everything or a reason, once, and on from where a killed one stopped."""

import csv
import gzip
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from cases.imports import load as loading
from cases.imports.mapping import BadMapping, open_mapping, read
from cases.models import Case, Event, Import, ReferenceCounter
from cases.services.imports import prepare_import
from crm.accounts.actors import system_actor
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.accounts import ORIGIN

MAPPING = """
source = "old-crm"
[case]
external_id = "id"
subject = "title"
opened_at = "opened"
closed_at = "closed"
type = {value = "aviso"}
state = "state"
citizen = "nif"
[case_type]
code = "aviso"
name = "Aviso"
nature = "incident"
"""
HEADER = "id,title,opened,closed,state,nif\n"


@pytest.fixture
def actor(world: World) -> Actor:
    return system_actor(world.here, ORIGIN)


def write(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def load(actor: Actor, path: Path, *, dry_run: bool = False) -> Import:
    return loading.run(actor, prepare_import(actor, read(MAPPING), path, dry_run=dry_run))


def test_rows_become_cases_with_their_events_audit_and_outbox(
    actor: Actor, world: World, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "a.csv",
        "1,Uno,2025-03-01T10:00:00+01:00,,new,",
        "2,Dos,2025-03-02T10:00:00+01:00,2025-03-09T10:00:00+01:00,resolved,",
        "3,Tres,2024-12-31T23:30:00Z,,open,",
    )
    done = load(actor, path)
    assert (done.rows, done.inserted, done.skipped, done.bad) == (3, 3, 0, 0)
    cases = {case.external_id: case for case in Case.objects.unscoped("test")}
    assert {case.reference for case in cases.values()} == {
        "HERE-2025-0000001",
        "HERE-2025-0000002",
        "HERE-2025-0000003",  # 31 December in UTC is next year here
    }
    assert cases["2"].category == 4
    assert cases["2"].closed_at is not None
    assert list(cases["1"].events.values_list("seq", "kind")) == [(1, "imported")]
    assert list(cases["2"].events.order_by("seq").values_list("seq", "kind")) == [
        (1, "imported"),
        (2, "moved"),
    ]
    assert AuditEntry.objects.filter(object_type="cases.case").count() == 3
    assert Outbox.objects.filter(topic="cases.event", payload__kind="imported").count() == 3


def test_a_second_run_changes_nothing(actor: Actor, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,Uno,2025-03-01,,new,", "1,Repetido,2025-03-01,,new,")
    first = load(actor, path)
    assert (first.inserted, first.skipped) == (1, 1)
    before = list(Case.objects.unscoped("test").values())
    counters = list(ReferenceCounter.objects.values())
    again = load(actor, path)
    assert (again.inserted, again.skipped, again.bad) == (0, 2, 0)
    assert list(Case.objects.unscoped("test").values()) == before
    assert list(ReferenceCounter.objects.values()) == counters
    assert Event.objects.unscoped("test").count() == 1


def test_a_bad_row_stops_no_other_and_is_named(actor: Actor, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "1,Uno,2025-03-01,,new,",
        "2,,2025-03-01,,new,",
        "3,Tres,ayer,,new,",
        "4,Cuatro,2025-03-01,,closed,",
        "5,Cinco,2025-03-01,,nowhere,",
        "6,Seis,2025-03-01,,new,12345678Z",
        "7,Siete",
        "8,Ocho,2025-03-01,,new,",
    )
    done = load(actor, path)
    assert (done.inserted, done.bad) == (2, 6)
    assert list(done.problems.order_by("row").values_list("row", flat=True)) == [2, 3, 4, 5, 6, 7]
    text = "".join(loading.problem_lines(done))
    assert len(list(csv.reader(text.splitlines()))) == 7
    assert ReferenceCounter.objects.get(year=2025).next == 3  # no number left out


def test_a_dry_run_inserts_nothing(actor: Actor, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,Uno,2025-03-01,,new,", "2,,2025-03-01,,new,")
    done = load(actor, path, dry_run=True)
    assert (done.inserted, done.bad) == (1, 1)
    assert not Case.objects.unscoped("test").exists()
    assert not ReferenceCounter.objects.exists()


def test_a_killed_load_goes_on_exactly(
    actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "SET", 10)
    rows = [f"{n},Caso {n},2025-03-01,,{'oops' if n == 17 else 'new'}," for n in range(1, 46)]
    path = write(tmp_path / "a.csv", *rows)
    sets = 0
    real = loading._load_set

    def dies(*args: object) -> Import:
        nonlocal sets
        sets += 1
        if sets == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(loading, "_load_set", dies)
    with pytest.raises(KeyboardInterrupt):
        load(actor, path)
    assert Case.objects.unscoped("test").count() == 19
    monkeypatch.setattr(loading, "_load_set", real)
    done = load(actor, path)
    assert Import.objects.unscoped("test").count() == 1
    assert (done.rows, done.inserted, done.skipped, done.bad) == (45, 44, 0, 1)
    references = sorted(Case.objects.unscoped("test").values_list("reference", flat=True))
    assert references == [f"HERE-2025-{n:07d}" for n in range(1, 45)]


def test_wrong_bytes_are_a_reason_not_an_end(actor: Actor, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        HEADER.encode()
        + b"1,A\xf1o,2025-03-01,,new,\n2,B\x00n,2025-03-01,,new,\n3,Bien,2025-03-01,,new,\n"
    )
    done = load(actor, path)
    assert (done.inserted, done.bad) == (1, 2)


def test_a_gzip_bomb_is_refused(actor: Actor, tmp_path: Path, settings: object) -> None:
    settings.IMPORT_MAX_BYTES = 100_000
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(HEADER)
        for n in range(50_000):
            file.write(f"{n},Caso,2025-03-01,,new,\n")
    with pytest.raises(BadMapping):
        load(actor, path)
    assert Import.objects.unscoped("test").get().status == Import.Status.FAILED


def test_an_employee_without_the_right_is_refused(world: World, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,Uno,2025-03-01,,new,")
    with pytest.raises(Refused):
        prepare_import(world.actor(world.alice), read(MAPPING), path)
    assert not Import.objects.unscoped("test").exists()


@pytest.mark.parametrize(
    ("name", "file", "rows", "states", "refused"),
    [
        (
            "sf311",
            "sf311_sample_2008-2016.csv.gz",
            4984,
            {5: 4707, 1: 222},
            {"It ended before it was opened.": 55},
        ),
        ("nyc311", "nyc311_2014-2019_sample.csv.gz", 1000, {5: 969}, {}),
        ("alessandria", "alessandria_segnalazioni_2023-2024.csv", 3428, {0: 940, 1: 124}, {}),
    ],
)
def test_real_requests_of_other_cities(
    actor: Actor,
    shared_data: Path,
    name: str,
    file: str,
    rows: int,
    states: dict[int, int],
    refused: dict[str, int],
) -> None:
    path = shared_data / "citizen_requests" / file
    with translation.override("en"):
        done = loading.run(actor, prepare_import(actor, open_mapping(name), path))
    assert done.rows == rows
    assert Counter(done.problems.values_list("reason", flat=True)) == refused
    assert (done.inserted, done.skipped) == (rows - done.bad, 0)
    found = Counter(Case.objects.unscoped("test").values_list("category", flat=True))
    assert {category: found[category] for category in states} == states


def test_the_command_writes_the_bad_rows_of_every_file_into_one(
    actor: Actor, tmp_path: Path
) -> None:
    mapping, errors = tmp_path / "old.toml", tmp_path / "errors.csv"
    mapping.write_text(MAPPING, encoding="utf-8")
    files = [
        write(tmp_path / "a.csv", "1,Uno,2025-03-01,,new,", "2,,2025-03-01,,new,"),
        write(tmp_path / "b.csv", "3,,2025-03-01,,new,", "4,Cuatro,2025-03-01,,new,"),
    ]
    asked = {"organisation": "HERE", "mapping": str(mapping), "errors": str(errors)}
    for _twice in range(2):
        call_command("import_cases", *map(str, files), **asked, stdout=StringIO())
        told = list(csv.reader(errors.read_text(encoding="utf-8-sig").splitlines()))
        assert told[0][:2] == ["Row", "Identifier"]
        rows = [(row, identifier, file) for row, identifier, _reason, file in told[1:]]
        assert rows == [("2", "2", "a.csv"), ("1", "3", "b.csv")]
    assert Case.objects.unscoped("test").count() == 2
    asked["errors"] = str(tmp_path / "nowhere" / "errors.csv")
    with pytest.raises(CommandError, match="nowhere"):
        call_command("import_cases", str(files[0]), **asked, stdout=StringIO())
