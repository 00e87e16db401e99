"""Actors have exactly the rights that roles give, where they are given."""

from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.organisations import UnitFactory


def test_a_role_in_a_unit_reaches_its_sub_units_and_no_other(world: World) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit)
    reach = world.actor(world.alice).reach("cases.view_case")
    assert reach.units == {world.unit.pk, below.pk}
    assert not reach.everywhere
    assert not reach.covers(world.other_unit.pk)


def test_a_role_in_the_organisation_reaches_everywhere(world: World) -> None:
    director = employee(world.here, "supervisor")
    assert acting(director).reach("cases.assign_case").everywhere


def test_a_role_gives_only_its_permissions(world: World) -> None:
    assert not world.actor(world.alice).holds("cases.assign_case")
    assert not world.actor(world.alice).holds("accounts.grant_role")
