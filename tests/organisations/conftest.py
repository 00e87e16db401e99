"""Somebody who administers, and somebody who does so in one unit only."""

import pytest

from crm.kit.actor import Actor
from tests.conftest import World
from tests.factories.accounts import acting, employee


@pytest.fixture
def admin(world: World) -> Actor:
    """The administrator of the organisation here."""
    return acting(employee(world.here, "administrator", full_name="Ada Admin"))


@pytest.fixture
def unit_admin(world: World) -> Actor:
    """Administers one unit and what is below it."""
    return acting(employee(world.here, "administrator", unit=world.unit, full_name="Uxía Unit"))
