"""An office with two desks that attend one service."""

from dataclasses import dataclass

import pytest

from crm.accounts.actors import system_actor
from crm.kit import outbox
from crm.kit.actor import Actor, Door, Origin
from crm.kit.models import Outbox
from scheduling.models import BookableService, Office, Resource
from tests.conftest import World
from tests.factories.scheduling import make_office, make_resource, make_service


@dataclass
class Desk:
    """Where people are attended in these tests, and who acts."""

    office: Office
    service: BookableService
    one: Resource
    two: Resource
    public: Actor  # whoever books on the web
    alice: Actor


@pytest.fixture
def desk(world: World) -> Desk:
    """Alice's organisation attends at two desks."""
    return set_up(world)


def set_up(world: World) -> Desk:
    """The office itself, for tests with transactions of their own."""
    office = make_office(world.here, world.unit)
    service = make_service(world.here)
    return Desk(
        office,
        service,
        make_resource(office, service, name="Mesa 1"),
        make_resource(office, service, name="Mesa 2"),
        system_actor(world.here, Origin(Door.PUBLIC, ip="127.0.0.1"), "La persona, por la web"),
        world.actor(world.alice),
    )


def carry_out() -> None:
    """Workers have done what is owed; within a test's transaction nothing is due by itself."""
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass
