"""The matrix says what roles may, and the inspector why somebody may do something, or why not."""

import pytest

from crm.accounts import rights
from crm.accounts.models import Role, User
from crm.accounts.services import people, roles
from crm.kit import policy
from crm.kit.actor import Actor
from crm.kit.policy import Decision
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.organisations import UnitFactory


@pytest.fixture
def admin(world: World) -> User:
    """An administrator of the whole organisation."""
    return employee(world.here, "administrator")


def agent_of(world: World) -> Role:
    """The front line's role here."""
    return Role.objects.get(organisation=world.here, code="agent")


def test_the_matrix_has_every_permission_and_only_own_roles(world: World, admin: User) -> None:
    matrix = rights.matrix(acting(admin))
    rows = [row.permission.name for group in matrix.groups for row in group.rows]
    assert sorted(rows) == sorted(policy.catalogue)
    assert {column.role.organisation_id for column in matrix.columns} == {world.here.pk}
    people_count = {column.role.code: column.people for column in matrix.columns}
    assert (people_count["agent"], people_count["administrator"], people_count["auditor"]) == (
        2,
        1,
        0,
    )
    assert matrix.changes == []


def test_pending_changes_say_what_happens_to_how_many(world: World, admin: User) -> None:
    agent = agent_of(world)
    wanted = {
        str(agent.uuid): {
            "cases.assign_case": "place",
            "cases.close_case": "no",
            "cases.view_case": "everywhere",
            "cases.open_case": "nonsense",
        }
    }
    matrix = rights.matrix(acting(admin), wanted)
    (change,) = matrix.changes
    assert (change.role, change.people, matrix.pending) == (agent, 2, 3)
    assert [str(one) for one in change.gained] == [
        str(policy.catalogue["cases.assign_case"].sentence)
    ]
    assert [str(one) for one in change.lost] == [str(policy.catalogue["cases.close_case"].sentence)]
    assert len(change.moved) == 1


def test_the_matrix_takes_a_fixed_number_of_queries(
    world: World, admin: User, django_assert_num_queries: object
) -> None:
    actor = acting(admin)
    with django_assert_num_queries(3):  # type: ignore[operator]
        rights.matrix(actor)
    for number in range(3):
        roles.create_role(actor, name=f"Role {number}", copy_of=agent_of(world))
    with django_assert_num_queries(3):  # type: ignore[operator]
        rights.matrix(actor)


def test_why_somebody_may(world: World, admin: User) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit, name="Mostrador")
    found = rights.explain(acting(admin), world.alice, "cases.view_case", unit=below)
    assert found.decision.allowed
    (path,) = found.paths
    assert (path.role.code, path.place, path.arrives) == ("agent", world.unit, True)
    assert [node.name for node in path.units] == ["Norte", "Mostrador"]


def test_why_not_in_that_unit(world: World, admin: User) -> None:
    found = rights.explain(acting(admin), world.alice, "cases.view_case", unit=world.other_unit)
    assert not found.decision.allowed
    (path,) = found.paths
    assert (path.place, path.arrives, path.units) == (world.unit, False, [])


def test_why_not_at_all(world: World, admin: User) -> None:
    found = rights.explain(acting(admin), world.alice, "cases.assign_case", unit=world.unit)
    assert (found.decision.allowed, found.paths) == (False, [])
    assert [role.code for role in found.roles_with_it] == ["supervisor"]


def test_in_the_whole_organisation_a_unit_is_not_enough(world: World, admin: User) -> None:
    assert not rights.explain(acting(admin), world.alice, "cases.view_case", unit=None).decision
    director = employee(world.here, "supervisor")
    assert rights.explain(acting(admin), director, "cases.view_case", unit=None).decision


def test_the_reason_of_a_rule_is_told(
    world: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_actor: Actor, _thing: object) -> Decision:
        return Decision(False, "The moon is full.")

    monkeypatch.setitem(policy._rules, "cases.view_case", [never])
    found = rights.explain(
        acting(admin), world.alice, "cases.view_case", unit=None, thing=world.unit
    )
    assert found.decision == Decision(False, "The moon is full.")
    assert found.paths[0].arrives


def test_a_suspended_person_may_nothing(world: World, admin: User) -> None:
    people.suspend(acting(admin), world.alice.uuid, reason="x")
    assert not rights.explain(
        acting(admin), world.alice, "cases.view_case", unit=world.unit
    ).decision


def test_the_explanation_agrees_with_the_policy(world: World, admin: User) -> None:
    """The oracle: every person × permission × unit."""
    director = employee(world.here, "supervisor")
    for user in (world.alice, world.bob, director, admin):
        actor = acting(user)
        for name in policy.catalogue:
            for unit in (world.unit, world.other_unit):
                found = rights.explain(acting(admin), user, name, unit=unit)
                assert bool(found.decision) == actor.reach(name).covers(unit.pk)
                assert any(path.arrives for path in found.paths) == bool(found.decision)
