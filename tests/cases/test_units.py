"""Closing and merging units: no case and nobody's work is left without a unit."""

import pytest

from cases.models import Case
from crm.accounts.models import Membership
from crm.audit.models import AuditEntry
from crm.kit.errors import Invalid
from crm.organisations.services.units import close_unit, merge_units
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.factories.organisations import UnitFactory


def test_a_unit_with_open_cases_cannot_close(world: World) -> None:
    unit = UnitFactory(organisation=world.here, code="EMPTY")
    CaseFactory(unit=unit)
    admin = acting(employee(world.here, "administrator"))
    with pytest.raises(Invalid):
        close_unit(admin, unit.uuid)
    unit.refresh_from_db()
    assert unit.closed_on is None


def test_a_unit_where_people_work_cannot_close(world: World) -> None:
    admin = acting(employee(world.here, "administrator"))
    with pytest.raises(Invalid):
        close_unit(admin, world.unit.uuid)


def test_merging_takes_cases_people_and_roles_along(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    assert not Case.objects.for_actor(acting(world.bob)).filter(pk=case.pk).exists()
    admin = acting(employee(world.here, "administrator"))
    merge_units(admin, world.unit.uuid, world.other_unit.uuid)
    case.refresh_from_db()
    assert case.unit_id == world.other_unit.pk
    last = case.events.order_by("-seq").first()
    assert (last.seq, last.kind, last.data["to"]) == (case.last_event, "unit_changed", "Sur")
    assert AuditEntry.objects.filter(
        action="cases.transfer_case", object_id=str(case.uuid), actor_id=admin.id
    ).exists()
    assert Membership.objects.unscoped("test").get(user=world.alice).unit == world.other_unit
    for person in (world.alice, world.bob):
        assert Case.objects.for_actor(acting(person)).filter(pk=case.pk).exists()
