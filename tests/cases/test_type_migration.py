"""Open cases go from version to version: tried dry, exactly once each, killed anywhere."""

from typing import Any

import pytest

from cases import services
from cases.models import Case, CaseType, Event, VersionMigration
from cases.services import versions
from cases.services.versions import Way
from cases.workflow import simple_bundle
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

OLD = {"properties": {"rent": {"type": "integer", "title": "Renta"}, "pet": {"type": "string"}}}
NEW = {
    "properties": {
        "price": {"type": "integer", "title": "Precio", "maximum": 900},
        "floor": {"type": "string"},
    },
    "required": ["floor"],
}
WAY = Way(
    states={"waiting_citizen": "asked"},
    fields={"rent": "price", "pet": None},
    fill={"floor": "bajo"},
)


def second() -> dict[str, Any]:
    """The simple type without one of its states, which is called otherwise, and with other fields."""
    bundle = simple_bundle(fields=NEW, term="3m")
    text = {"waiting_citizen": "asked"}
    for state in bundle["states"]:
        state["code"] = text.get(state["code"], state["code"])
    for move in bundle["moves"]:
        move["from"] = [text.get(code, code) for code in move["from"]]
        move["to"] = text.get(move["to"], move["to"])
    return bundle


@pytest.fixture
def admin(world: World) -> Actor:
    return world.actor(employee(world.here, "administrator", full_name="Ana Admin"))


@pytest.fixture
def kind(world: World, admin: Actor) -> CaseType:
    return CaseTypeFactory(organisation=world.here, code="rental", fields=OLD)


@pytest.fixture
def cases(world: World, kind: CaseType, admin: Actor) -> list[Case]:
    """Of version 1: one new, one that waits, one too dear, one that has ended. Version 2 is published."""
    boss = world.actor(employee(world.here, "supervisor"))
    data = [{"rent": 400, "pet": "Gato"}, {}, {"rent": 1_000}, {"rent": 300}]
    found = [CaseFactory(unit=world.unit, case_type=kind, data=said) for said in data]
    services.move_case(boss, found[1].uuid, "ask_citizen", reason="Papeles")
    services.close_case(boss, found[3].uuid, outcome="Hecho")
    services.publish_version(admin, kind, second())
    return found


def versions_of(cases: list[Case]) -> list[int]:
    return [Case.objects.unscoped("a test").get(pk=case.pk).type_version.number for case in cases]


def test_the_dry_run_says_what_would_happen_and_does_nothing(
    admin: Actor, cases: list[Case]
) -> None:
    found = versions.try_migration(admin, "rental", 1, 2)
    counted = [(one.code, one.cases, one.target) for one in found.states]
    assert counted == [("new", 2, "new"), ("waiting_citizen", 1, "")]
    assert found.fields_without_counterpart == ["rent", "pet"]
    assert [case.pk for case, _reason in found.refusals] == [case.pk for case in cases[:3]]
    found = versions.try_migration(admin, "rental", 1, 2, WAY)
    assert [(one.cases, one.target) for one in found.states] == [(2, "new"), (1, "asked")]
    assert (found.total, found.looked_at, found.fields_without_counterpart) == (3, 3, [])
    assert [case.pk for case, _reason in found.refusals] == [cases[2].pk]
    assert "900" in str(found.refusals[0][1])
    assert versions_of(cases) == [1, 1, 1, 1]
    assert not Event.objects.filter(kind="migrated").exists()


def test_each_case_tells_its_way_and_what_was_refused_stays(
    admin: Actor, cases: list[Case]
) -> None:
    before = Case.objects.unscoped("a test").get(pk=cases[2].pk)
    migration = versions.start_migration(admin, "rental", 1, 2, WAY)
    versions.run_migration(migration.uuid)
    migration.refresh_from_db()
    assert (migration.status, migration.total, migration.done, migration.refused) == (
        "done",
        3,
        2,
        1,
    )
    assert versions_of(cases) == [2, 2, 1, 1]
    first, waiting, refused = (Case.objects.unscoped("a test").get(pk=one.pk) for one in cases[:3])
    assert (first.state, first.data) == ("new", {"price": 400, "floor": "bajo"})
    assert first.due_at is not None  # the new version has a term
    assert (waiting.state, waiting.category, waiting.data) == ("asked", 2, {"floor": "bajo"})
    assert (refused.version, refused.last_event) == (before.version, before.last_event)
    told = Event.objects.get(case=first, kind="migrated")
    assert told.actor_name == "Ana Admin"
    assert told.data["left"] == [["pet", "Gato"]]
    assert (told.data["version_before"], told.data["version_after"]) == (1, 2)
    assert (
        versions.refusals_of(admin, migration)
        == [(refused.reference, "Precio: Debe ser 900 como máximo.")]
        or "900" in versions.refusals_of(admin, migration)[0][1]
    )
    trail = AuditEntry.objects.unscoped("a test").filter(action="cases.publish_case_type")
    assert trail.filter(object_id=str(first.uuid)).count() == 1
    assert trail.filter(object_id=str(migration.uuid)).count() == 2


def test_killed_anywhere_it_goes_on_and_does_nothing_twice(
    admin: Actor, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = versions.start_migration(admin, "rental", 1, 2, WAY)
    tried = versions._try
    deaths = iter([False, True, False, True])

    def dying(*args: Any) -> Any:
        answer = tried(*args)
        if next(deaths, False):  # after the case was changed, before anything is committed
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(versions, "_try", dying)
    for _life in range(2):
        with pytest.raises(KeyboardInterrupt):
            versions.run_migration(migration.uuid)
    versions.run_migration(migration.uuid)
    versions.run_migration(migration.uuid)  # and once more for nothing
    migration.refresh_from_db()
    assert (migration.status, migration.done, migration.refused) == ("done", 2, 1)
    for case in cases[:2]:
        assert Event.objects.filter(case=case, kind="migrated").count() == 1
    assert migration.refusals.count() == 1


def test_what_ends_meanwhile_stays_and_rights_that_are_gone_stop_it(
    world: World, admin: Actor, cases: list[Case]
) -> None:
    migration = versions.start_migration(admin, "rental", 1, 2, WAY)
    with pytest.raises(Conflict):
        versions.start_migration(admin, "rental", 1, 2, WAY)
    boss = world.actor(employee(world.here, "supervisor"))
    services.close_case(boss, cases[0].uuid, outcome="Hecho")
    versions.run_migration(migration.uuid)
    assert versions_of(cases) == [1, 2, 1, 1]
    leaver = employee(world.here, "administrator")
    other = versions.start_migration(world.actor(leaver), "rental", 1, 2, WAY)
    leaver.groups.clear()
    versions.run_migration(other.uuid)
    other.refresh_from_db()
    assert (other.status, other.done) == (VersionMigration.Status.FAILED, 0)


@pytest.mark.parametrize(
    ("way", "where"),
    [
        (Way(states={"new": "gone"}), "states.new"),
        (Way(states={"new": "closed"}), "states.new"),
        (Way(fields={"rent": "gone"}), "fields.rent"),
        (Way(fill={"gone": 1}), "fill.gone"),
    ],
)
def test_a_wrong_way_says_where(admin: Actor, cases: list[Case], way: Way, where: str) -> None:
    for verb in (versions.try_migration, versions.start_migration):
        with pytest.raises(Invalid) as raised:
            verb(admin, "rental", 1, 2, way)
        assert list(raised.value.errors) == [where]


def test_only_designers_and_only_here(world: World, admin: Actor, cases: list[Case]) -> None:
    alice = world.actor(world.alice)
    foreign = world.actor(employee(world.elsewhere, "administrator"))
    for verb in (versions.try_migration, versions.start_migration):
        with pytest.raises(Refused):
            verb(alice, "rental", 1, 2)
        with pytest.raises(NotFound):
            verb(foreign, "rental", 1, 2)
        with pytest.raises(NotFound):
            verb(admin, "rental", 1, 9)
        with pytest.raises(Invalid):
            verb(admin, "rental", 2, 2)
    with pytest.raises(NotFound):
        versions.migrations_of(foreign, "rental")
