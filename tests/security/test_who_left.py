"""Whoever has left a unit, or is suspended here, counts there no more for having once been or being elsewhere."""

import pytest
from django.utils import timezone

from cases.selectors import room_in, supervisors_of
from crm.accounts.actors import system_actor
from crm.accounts.models import Membership
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee

pytestmark = pytest.mark.django_db


def test_who_has_left_a_unit_is_no_room_in_it(world: World) -> None:
    boss = employee(world.here, "supervisor", full_name="Jefa Juste")
    left = {"organisation": world.here, "unit": world.other_unit, "ended_at": timezone.now()}
    Membership.objects.create(user=boss, **left)
    actor = system_actor(world.here, ORIGIN)
    names = [one.name for one in room_in(actor, world.other_unit.pk, timezone.now())]
    assert "Jefa Juste" not in names


def test_who_is_suspended_here_supervises_nothing_here_for_working_elsewhere(world: World) -> None:
    boss = employee(world.here, "supervisor", unit=world.unit)
    actor = system_actor(world.here, ORIGIN)
    assert supervisors_of(actor, world.unit.pk) == [boss]
    boss.memberships.update(suspended_at=timezone.now())
    Membership.objects.create(user=boss, organisation=world.elsewhere)
    assert supervisors_of(actor, world.unit.pk) == []
