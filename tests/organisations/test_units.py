"""The tree of units: every change is checked, kept in history, audited and seen at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused
from crm.organisations import ports
from crm.organisations.models import Organisation, Unit
from crm.organisations.selectors import unit_tree
from crm.organisations.services import (
    change_unit,
    close_unit,
    create_unit,
    merge_units,
    move_unit,
)
from tests.conftest import World
from tests.factories.organisations import UnitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_other_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cases and accounts keep in units is their tests' business."""
    monkeypatch.setattr(ports.closing_checks, "_entries", {})
    monkeypatch.setattr(ports.movers, "_entries", {})


def version(world: World) -> int:
    return Organisation.objects.get(pk=world.here.pk).units_version


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="organisations.manage_units").order_by("id"))


def test_a_unit_is_created_below_another(world: World, admin: Actor) -> None:
    before = version(world)

    unit = create_unit(
        admin, world.unit.uuid, name=" Registro  general ", code="REG", dir3_code="l01 280796"
    )

    unit.refresh_from_db()
    assert (unit.name, unit.code, unit.dir3_code) == ("Registro general", "REG", "L01280796")
    assert (unit.parent, unit.valid_from) == (world.unit, timezone.localdate())
    assert version(world) == before + 1
    world.here.refresh_from_db()
    assert [node.code for node in unit_tree(world.here).path(unit.pk)] == ["ROOT", "NORTH", "REG"]
    (entry,) = entries()
    assert entry.object_id == str(unit.uuid)
    assert entry.data == {"act": "created", "code": "REG", "parent": "NORTH"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "x" * 201),
        ("code", ""),
        ("code", "two words"),
        ("code", "x" * 41),
        ("code", "SOUTH"),
        ("dir3_code", "L0128079"),
        ("dir3_code", "E00000001"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(
    world: World, admin: Actor, field: str, value: str
) -> None:
    Unit.objects.filter(pk=world.other_unit.pk).update(dir3_code="E00000001")
    given = {"name": "Registro", "code": "REG", "dir3_code": ""} | {field: value}

    with pytest.raises(Invalid) as refused:
        create_unit(admin, world.unit.uuid, **given)

    assert list(refused.value.errors) == [field]
    assert not Unit.objects.filter(parent=world.unit).exists()
    assert entries() == []


def test_a_unit_keeps_its_own_codes_when_it_changes_and_its_history(
    world: World, admin: Actor
) -> None:
    change_unit(admin, world.unit.uuid, name="Noroeste", code="NORTH", dir3_code="E00000001")

    world.unit.refresh_from_db()
    assert (world.unit.name, world.unit.dir3_code) == ("Noroeste", "E00000001")
    assert [row.name for row in world.unit.history.order_by("pgh_id")] == ["Norte"]
    (entry,) = entries()
    assert entry.data == {
        "act": "changed",
        "before": {"name": "Norte", "dir3_code": ""},
        "after": {"name": "Noroeste", "dir3_code": "E00000001"},
    }


def test_a_change_that_changes_nothing_leaves_no_trace(world: World, admin: Actor) -> None:
    before = version(world)

    change_unit(admin, world.unit.uuid, name="Norte", code="NORTH")

    assert version(world) == before
    assert entries() == []


def test_a_unit_moves_with_what_is_below_it(world: World, admin: Actor) -> None:
    child = UnitFactory(organisation=world.here, parent=world.unit, code="CHILD")

    move_unit(admin, world.unit.uuid, world.other_unit.uuid)

    world.here.refresh_from_db()
    path = [node.code for node in unit_tree(world.here).path(child.pk)]
    assert path == ["ROOT", "SOUTH", "NORTH", "CHILD"]
    assert entries()[0].data == {"act": "moved", "before": "ROOT", "after": "SOUTH"}


def test_a_unit_never_hangs_under_itself_nor_below(world: World, admin: Actor) -> None:
    child = UnitFactory(organisation=world.here, parent=world.unit)

    for target in (world.unit, child):
        with pytest.raises(Invalid) as refused:
            move_unit(admin, world.unit.uuid, target.uuid)
        assert list(refused.value.errors) == ["parent"]

    world.unit.refresh_from_db()
    assert world.unit.parent is not None
    assert world.unit.parent.code == "ROOT"


def test_the_first_unit_stays(world: World, admin: Actor) -> None:
    root = Unit.objects.get(organisation=world.here, parent=None)

    for attempt in (
        lambda: move_unit(admin, root.uuid, world.unit.uuid),
        lambda: close_unit(admin, root.uuid),
        lambda: merge_units(admin, root.uuid, world.unit.uuid),
    ):
        with pytest.raises(Invalid) as refused:
            attempt()
        assert refused.value.code == "unit_root"


def test_a_closed_unit_stays_and_takes_nothing_more(world: World, admin: Actor) -> None:
    close_unit(admin, world.unit.uuid)

    world.unit.refresh_from_db()
    assert world.unit.closed_on == timezone.localdate()
    assert entries()[0].data == {"act": "closed", "on": str(timezone.localdate())}
    for attempt in (
        lambda: close_unit(admin, world.unit.uuid),
        lambda: create_unit(admin, world.unit.uuid, name="x", code="x"),
        lambda: move_unit(admin, world.other_unit.uuid, world.unit.uuid),
    ):
        with pytest.raises(Conflict):
            attempt()


@pytest.mark.parametrize("days", [1, -10])
def test_a_unit_is_closed_within_its_life(world: World, admin: Actor, days: int) -> None:
    today = timezone.localdate()
    Unit.objects.filter(pk=world.unit.pk).update(valid_from=today - timedelta(days=5))

    with pytest.raises(Invalid) as refused:
        close_unit(admin, world.unit.uuid, on=today + timedelta(days=days))

    assert list(refused.value.errors) == ["on"]


def test_a_unit_with_open_units_below_is_not_closed(world: World, admin: Actor) -> None:
    child = UnitFactory(organisation=world.here, parent=world.unit)

    with pytest.raises(Invalid) as refused:
        close_unit(admin, world.unit.uuid)
    assert refused.value.code == "unit_has_children"

    close_unit(admin, child.uuid)
    assert close_unit(admin, world.unit.uuid).closed_on is not None


def test_another_room_says_why_a_unit_cannot_be_closed(world: World, admin: Actor) -> None:
    ports.closing_checks.register("cases", lambda unit: f"{unit.name} has open cases: 3.")
    ports.closing_checks.register("people", lambda unit: None)

    with pytest.raises(Invalid) as refused:
        close_unit(admin, world.unit.uuid)

    assert refused.value.errors == {"": ["Norte has open cases: 3."]}
    world.unit.refresh_from_db()
    assert world.unit.closed_on is None


def test_units_merge_and_what_they_held_moves(world: World, admin: Actor) -> None:
    moved = []

    def move(actor: Actor, unit: Unit, into: Unit) -> int:
        moved.append((unit.code, into.code))
        return 7

    ports.movers.register("cases", move)

    merge_units(admin, world.unit.uuid, world.other_unit.uuid)

    world.unit.refresh_from_db()
    assert world.unit.merged_into == world.other_unit
    assert world.unit.closed_on == timezone.localdate()
    assert moved == [("NORTH", "SOUTH")]
    assert entries()[0].data == {"act": "merged", "into": "SOUTH", "moved": {"cases": 7}}


def test_a_unit_is_not_merged_with_itself(world: World, admin: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        merge_units(admin, world.unit.uuid, world.unit.uuid)
    assert list(refused.value.errors) == ["into"]


def attempts(actor: Actor, unit: UUID, other: UUID) -> Iterator[Callable[[], object]]:
    yield lambda: create_unit(actor, unit, name="x", code="x")
    yield lambda: change_unit(actor, unit, name="x", code="x")
    yield lambda: move_unit(actor, unit, other)
    yield lambda: close_unit(actor, unit)
    yield lambda: merge_units(actor, unit, other)


def test_only_who_may_changes_units(world: World) -> None:
    actor = world.actor(world.alice)

    for attempt in attempts(actor, world.unit.uuid, world.other_unit.uuid):
        with pytest.raises(Refused):
            attempt()
    assert entries() == []


def test_another_organisations_units_do_not_exist(world: World, admin: Actor) -> None:
    for attempt in attempts(admin, world.foreign_unit.uuid, world.unit.uuid):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(NotFound):
        move_unit(admin, world.unit.uuid, world.foreign_unit.uuid)
    with pytest.raises(NotFound):
        close_unit(admin, uuid4())


def test_who_administers_one_unit_changes_nothing_outside_it(
    world: World, unit_admin: Actor
) -> None:
    created = create_unit(unit_admin, world.unit.uuid, name="x", code="x")
    assert created.parent == world.unit

    with pytest.raises(Refused):
        create_unit(unit_admin, world.other_unit.uuid, name="y", code="y")
    with pytest.raises(Refused):
        move_unit(unit_admin, world.unit.uuid, world.other_unit.uuid)


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_a_time_cannot_make_a_cycle(world: World, admin: Actor) -> None:
    def move(unit: Unit, parent: Unit) -> str:
        try:
            move_unit(admin, unit.uuid, parent.uuid)
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()
        return "moved"

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(move, world.unit, world.other_unit)
        other = pool.submit(move, world.other_unit, world.unit)
        results = sorted([one.result(30), other.result(30)])

    assert results == ["invalid", "moved"]
