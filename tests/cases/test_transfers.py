"""Transfers between units of one organisation: offered, answered once, expired once, never lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from cases import services
from cases.handover import spans_of
from cases.models import Case, CaseTransfer, Custody, EventKind, Note
from cases.services import told_at
from cases.timeline import whole_story
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.organisations import options
from crm.organisations.models import OpeningHours, WorkingCalendar
from crm.organisations.services import close_unit, load_public_holidays, merge_units
from tests.cases.transferring import Sides, at, sides_of
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory


@pytest.fixture
def sides(world: World) -> Sides:
    return sides_of(world)


@pytest.fixture
def case(sides: Sides) -> Case:
    made: Case = CaseFactory(
        unit=sides.world.unit, case_type=sides.kind, opened_at=at("2026-03-02"), subject="Farola"
    )
    return made


@contextmanager
def conflict(code: str) -> Iterator[None]:
    with pytest.raises(Conflict) as error:
        yield
    assert error.value.code == code


def kinds(case: Case) -> list[str]:
    return [event.kind for event in case.events.order_by("seq")]


def custody(case: Case) -> list[tuple[str, str, str | None]]:
    rows = Custody.objects.unscoped("a test").filter(case=case).select_related("unit")
    return [
        (row.unit.name, row.since.date().isoformat(), row.until and row.until.date().isoformat())
        for row in rows
    ]


def test_offered_and_accepted(sides: Sides, case: Case) -> None:
    services.take_case(acting(sides.world.alice), case.uuid)
    with told_at(at("2026-03-05")):  # a Thursday
        row = sides.offer(case)
    assert row.due_at.astimezone(at("2026-03-05").tzinfo).date().isoformat() == "2026-03-10"
    case.refresh_from_db()
    assert (case.unit, case.assignee) == (sides.world.unit, sides.world.alice)  # still responsible
    note = Note.objects.unscoped("a test").get(case=case)
    assert note.body == "Es de vuestra calle."
    with told_at(at("2026-03-09")):
        accepted = services.accept_transfer(sides.south, row.uuid, assignee=sides.world.bob.uuid)
    case.refresh_from_db()
    assert accepted.state == "accepted"
    assert (case.unit, case.assignee) == (sides.world.other_unit, sides.world.bob)
    assert kinds(case)[-3:] == ["noted", "transfer_offered", "unit_changed"]
    assert custody(case) == [
        ("Norte", "2026-03-02", "2026-03-09"),
        ("Sur", "2026-03-09", None),
    ]
    story = [str(entry.sentence) for entry in whole_story(sides.south, case)]
    assert "accepted the transfer: the case went from Norte to Sur" in story
    trail = AuditEntry.objects.unscoped("a test").filter(
        object_id=str(case.uuid), action="cases.transfer_case"
    )
    assert trail.count() == 2


def test_the_owner_stays_only_where_they_see_the_case(sides: Sides, case: Case) -> None:
    services.assign_case(sides.boss, case.uuid, sides.world.alice.uuid)
    row = sides.offer(case)
    services.accept_transfer(sides.south, row.uuid)
    case.refresh_from_db()
    assert case.assignee is None  # Alice sees only North
    services.assign_case(sides.boss, case.uuid, sides.boss_user.uuid)
    back = sides.offer(case, sides.south, unit=sides.world.unit)
    services.accept_transfer(sides.north, back.uuid)
    case.refresh_from_db()
    assert case.assignee == sides.boss_user


def test_who_is_chosen_must_see_the_case_there(sides: Sides, case: Case) -> None:
    row = sides.offer(case)
    with pytest.raises(Invalid) as error:
        services.accept_transfer(sides.south, row.uuid, assignee=sides.world.alice.uuid)
    assert [*error.value.errors] == ["assignee"]
    case.refresh_from_db()
    row.refresh_from_db()
    assert (case.unit, row.state) == (sides.world.unit, "offered")


@pytest.mark.parametrize(
    ("verb", "state", "kind"),
    [
        (services.return_transfer, "returned", EventKind.TRANSFER_RETURNED),
        (services.refuse_transfer, "refused", EventKind.TRANSFER_REFUSED),
    ],
)
def test_given_back_with_a_reason(
    sides: Sides, case: Case, verb: Any, state: str, kind: str
) -> None:
    row = sides.offer(case)
    with pytest.raises(Invalid):
        verb(sides.south, row.uuid, reason=" ")
    verb(sides.south, row.uuid, reason="Falta el plano")
    row.refresh_from_db()
    case.refresh_from_db()
    assert (row.state, row.answer, case.unit) == (state, "Falta el plano", sides.world.unit)
    assert kinds(case)[-1] == kind
    assert Note.objects.unscoped("a test").filter(case=case).count() == 1  # the comment stays
    with conflict("transfer_answered"):
        services.accept_transfer(sides.south, row.uuid)
    sides.offer(case)  # and may be offered again


def test_it_expires_once_and_only_then(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-05")):
        row = sides.offer(case, term="1wd")
    assert services.expire_transfers(row.due_at) == 0
    assert services.expire_transfers(at("2026-03-12")) == 1
    assert services.expire_transfers(at("2026-03-12")) == 0
    row.refresh_from_db()
    case.refresh_from_db()
    assert (row.state, case.unit) == ("expired", sides.world.unit)
    assert kinds(case).count("transfer_expired") == 1
    with conflict("transfer_answered"):
        services.accept_transfer(sides.south, row.uuid)


def test_hours_are_those_of_the_unit_asked(sides: Sides, case: Case) -> None:
    calendar = WorkingCalendar.objects.create(
        organisation=sides.world.here,
        layer="unit",
        name="Sur",
        code="SUR",
        base=load_public_holidays(),
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(calendar=calendar, weekday=day, opens=time(9), closes=time(14))
        for day in range(5)
    )
    sides.world.other_unit.calendar = calendar
    sides.world.other_unit.save()
    sides.world.here.refresh_from_db()
    sides.world.here.units_version += 1
    sides.world.here.save()
    with told_at(at("2026-03-05").replace(hour=13)):  # a Thursday
        row = sides.offer(case, term="4h")
    assert row.due_at.astimezone(at("2026-03-05").tzinfo).isoformat() == "2026-03-06T12:00:00+01:00"


def test_late_is_late_even_before_the_worker_comes(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-05")):
        row = sides.offer(case)
    with told_at(at("2026-03-12")), conflict("transfer_expired"):
        services.accept_transfer(sides.south, row.uuid)


def test_the_origin_withdraws(sides: Sides, case: Case) -> None:
    row = sides.offer(case)
    with pytest.raises(NotFound):  # for who is asked it is no offer of theirs
        services.withdraw_transfer(sides.south, row.uuid)
    services.withdraw_transfer(sides.north, row.uuid, reason="Error")
    row.refresh_from_db()
    assert (row.state, kinds(case)[-1]) == ("withdrawn", "transfer_withdrawn")


def test_one_open_offer_and_no_push_meanwhile(sides: Sides, case: Case) -> None:
    row = sides.offer(case)
    with conflict("transfer_open"):
        sides.offer(case)
    with conflict("transfer_open"):
        services.change_unit(sides.boss, case.uuid, sides.world.other_unit.uuid, reason="Ya")
    row.pk = None
    with pytest.raises(IntegrityError, match="transfer_one_open_per_case"), transaction.atomic():
        CaseTransfer.objects.unscoped("a test").create(
            case=case,
            origin_organisation=sides.world.here,
            origin_unit=sides.world.unit,
            target_organisation=sides.world.here,
            target_unit=sides.world.other_unit,
            text="Otra",
            due_at=at("2026-03-12"),
            sent_at=at("2026-03-05"),
            sent_by_name="Nadie",
        )


def test_who_may_offer_and_who_may_answer(sides: Sides, case: Case) -> None:
    with pytest.raises(Refused):
        sides.offer(case, acting(sides.world.alice))
    with pytest.raises(NotFound):
        sides.offer(case, sides.south)  # does not see North's cases
    row = sides.offer(case)
    with pytest.raises(NotFound):
        services.accept_transfer(sides.north, row.uuid)  # is not asked
    with pytest.raises(Refused):
        services.accept_transfer(acting(sides.world.bob), row.uuid)  # sees it and decides nothing
    with pytest.raises(NotFound):
        services.accept_transfer(sides.far, row.uuid)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"comment": " "}, "comment"),
        ({"comment": "x" * 4_001}, "comment"),
        ({"term": "3 semanas"}, "term"),
        ({"term": "0h"}, "term"),
        ({"term": "4h"}, "term"),  # nobody said when the unit attends
        ({"term": "999wd"}, "term"),
    ],
)
def test_a_wrong_offer_leaves_nothing(
    sides: Sides, case: Case, given: dict[str, Any], field: str
) -> None:
    before = case.last_event
    with pytest.raises(Invalid) as error:
        sides.offer(case, **given)
    assert [*error.value.errors] == [field]
    case.refresh_from_db()
    assert case.last_event == before
    assert not Note.objects.unscoped("a test").filter(case=case).exists()


def test_what_has_ended_is_not_offered_and_ending_withdraws(sides: Sides, case: Case) -> None:
    row = sides.offer(case)
    services.move_case(sides.boss, case.uuid, "start")
    services.close_case(sides.boss, case.uuid, outcome="Hecho")
    row.refresh_from_db()
    assert row.state == "withdrawn"
    with pytest.raises(Refused):
        sides.offer(case)


def test_a_suspended_case_moves_with_its_suspension(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-10")):
        services.suspend_clock(sides.boss, case.uuid, ground="22.1.b", reason="UE")
    row = sides.offer(case)
    services.accept_transfer(sides.south, row.uuid)
    case.refresh_from_db()
    assert case.suspended_on is not None
    assert case.unit == sides.world.other_unit


def test_the_organisation_may_demand_acceptance(sides: Sides, case: Case) -> None:
    south = sides.world.other_unit
    options.write(sides.world.here, {"acceptance_units": ["SOUTH"]})
    sides.world.here.save()
    with conflict("acceptance_needed"):
        services.change_unit(sides.north, case.uuid, south.uuid, reason="Zona")
    services.change_unit(sides.boss, case.uuid, south.uuid, reason="Zona")  # who would accept
    services.change_unit(sides.boss, case.uuid, sides.world.unit.uuid, reason="Vuelta")
    options.write(sides.world.here, {"acceptance_units": [], "acceptance_types": ["ayuda"]})
    sides.world.here.save()
    with conflict("acceptance_needed"):
        services.change_unit(sides.north, case.uuid, south.uuid, reason="Zona")
    options.write(sides.world.here, {"acceptance_types": []})
    sides.world.here.save()
    assert services.change_unit(sides.north, case.uuid, south.uuid, reason="Zona").unit == south


# --- Who had it when -----------------------------------------------------------------------------


def test_custody_has_no_gap_by_whatever_way_the_unit_changes(sides: Sides, case: Case) -> None:
    assert custody(case) == []  # costs nothing until it changes hands
    assert [(span.unit, span.days) for span in spans_of(case, at("2026-03-12"))] == [("Norte", 10)]
    for unit, day in ((sides.world.other_unit, "2026-03-05"), (sides.world.unit, "2026-03-07")):
        with told_at(at(day)):
            services.change_unit(sides.boss, case.uuid, unit.uuid, reason="Zona")
    Case.objects.unscoped("a test").filter(pk=case.pk).update(unit=sides.world.other_unit)
    rows = list(Custody.objects.unscoped("a test").filter(case=case))
    assert [row.unit.name for row in rows] == ["Norte", "Sur", "Norte", "Sur"]
    assert rows[0].since == case.opened_at
    for before, after in pairwise(rows):
        assert before.until == after.since
    assert rows[-1].until is None
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Custody.objects.unscoped("a test").filter(pk=rows[0].pk).update(until=at("2026-03-06"))
    with pytest.raises(Exception, match="Cannot delete"), transaction.atomic():
        Custody.objects.unscoped("a test").filter(case=case).delete()


def test_units_merge_with_what_is_offered_to_them(sides: Sides, case: Case) -> None:
    row = sides.offer(case)
    admin = acting(employee(sides.world.here, "administrator"))
    with pytest.raises(Invalid):  # what waits there would wait for nobody
        close_unit(admin, sides.world.other_unit.uuid)
    root = sides.world.unit.parent
    assert root is not None
    merge_units(admin, sides.world.other_unit.uuid, root.uuid)
    row.refresh_from_db()
    assert row.target_unit == root
    merge_units(admin, sides.world.unit.uuid, root.uuid)  # both ends would be one: nothing to offer
    row.refresh_from_db()
    case.refresh_from_db()
    assert (row.state, case.unit) == ("withdrawn", root)
    assert [name for name, _since, _until in custody(case)] == ["Norte", "Dirección"]
