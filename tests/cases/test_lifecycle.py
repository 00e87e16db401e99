"""Opening, editing and moving cases: what becomes true, and what does not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from cases import services
from cases.models import Case, CaseTypeVersion, Confidentiality, Event, StateCategory
from cases.services import NewCase
from cases.workflow import simple_bundle
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox, StreamEvent
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

FIELDS = {
    "type": "object",
    "properties": {"plate": {"type": "string", "title": "Matrícula", "maxLength": 8}},
}


def test_a_case_is_opened_whole(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="beca", term="10wd")
    alice = world.actor(world.alice)
    opened = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)

    case = services.open_case(
        alice,
        NewCase(case_type="beca", subject="  Una \n beca ", channel="phone", opened_at=opened),
    )

    case = Case.objects.for_actor(alice).get(pk=case.pk)
    assert case.reference == "HERE-2026-0000001"
    assert (case.subject, case.unit, case.state) == ("Una beca", world.unit, "new")
    assert case.category == StateCategory.NEW
    # ten working days after Thursday 19 November; Monday 7 and Tuesday 8 December do not count
    assert case.due_at == datetime(2026, 12, 3, 22, 59, 59, tzinfo=UTC)
    event = Event.objects.for_actor(alice).get(case=case)
    assert (event.seq, event.kind, event.actor_name) == (1, "opened", "Alice Arias")
    assert case.last_event == 1
    entry = AuditEntry.objects.get(action="cases.open_case")
    assert (entry.object_id, entry.object_name) == (str(case.uuid), case.reference)
    row = Outbox.objects.get(topic="cases.event")
    assert row.payload["reference"] == case.reference


def test_numbers_follow_each_other_without_gaps(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="beca")
    first = CaseFactory(unit=world.unit)
    with transaction.atomic():
        CaseFactory(unit=world.unit)
        transaction.set_rollback(True)
    second = CaseFactory(unit=world.unit)
    earlier = CaseFactory(unit=world.unit, opened_at=datetime(2025, 3, 1, tzinfo=UTC))
    elsewhere = CaseFactory(unit=world.foreign_unit)
    assert [case.reference[-12:] for case in (first, second, earlier, elsewhere)] == [
        "2026-0000001",
        "2026-0000002",
        "2025-0000001",
        "2026-0000001",
    ]


@pytest.mark.parametrize(
    ("zone", "opened", "number"),
    [
        # 00:30 of New Year's Day in Madrid; half an hour before midnight on New Year's Eve there
        ("Europe/Madrid", datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "HERE-2026-0000001"),
        ("Europe/Madrid", datetime(2025, 12, 31, 22, 30, tzinfo=UTC), "HERE-2025-0000001"),
        ("Atlantic/Canary", datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "HERE-2025-0000001"),
    ],
)
def test_the_year_of_a_number_is_that_of_the_organisations_clock(
    world: World, zone: str, opened: datetime, number: str
) -> None:
    world.here.time_zone = zone
    world.here.save(update_fields=["time_zone"])
    assert CaseFactory(unit=world.unit, opened_at=opened).reference == number


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"case_type": "ghost"}, "case_type"),
        ({"subject": "   "}, "subject"),
        ({"subject": "x" * 241}, "subject"),
        ({"channel": "pigeon"}, "channel"),
        ({"priority": 9}, "priority"),
        ({"language": "tlh"}, "language"),
        ({"latitude": 40.0}, "latitude"),
        ({"latitude": float("nan"), "longitude": 1.0}, "latitude"),
        ({"latitude": 91.0, "longitude": 1.0}, "latitude"),
        ({"opened_at": timezone.now() + timedelta(days=2)}, "opened_at"),
        ({"data": {"ghost": 1}}, "data.ghost"),
        ({"data": {"plate": "123456789"}}, "data.plate"),
        ({"citizen": uuid4()}, "citizen"),
        ({"unit": uuid4()}, "unit"),
        ({"assignee": uuid4()}, "assignee"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    world: World, changes: dict[str, object], field: str
) -> None:
    CaseTypeFactory(organisation=world.here, code="beca", fields=FIELDS)
    values = {"case_type": "beca", "subject": "Beca", **changes}
    with pytest.raises(Invalid) as raised:
        services.open_case(world.actor(world.alice), NewCase(**values))  # type: ignore[arg-type]
    assert list(raised.value.errors) == [field]
    assert not Case.objects.unscoped("nothing was opened").exists()


def test_another_organisations_ids_do_not_exist(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="beca")
    alice = world.actor(world.alice)
    for field, value in (("unit", world.foreign_unit.uuid), ("assignee", world.charlie.uuid)):
        with pytest.raises(Invalid) as raised:
            services.open_case(
                alice,
                NewCase(case_type="beca", subject="Beca", **{field: value}),  # type: ignore[arg-type]
            )
        assert list(raised.value.errors) == [field]


def test_a_case_is_opened_only_in_ones_units(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="beca")
    new = NewCase(case_type="beca", subject="Beca", unit=world.other_unit.uuid)
    with pytest.raises(Refused):
        services.open_case(world.actor(world.alice), new)


def test_cases_stay_on_their_version(world: World) -> None:
    case_type = CaseTypeFactory(organisation=world.here)
    old = CaseFactory(unit=world.unit, case_type=case_type)
    admin = world.actor(employee(world.here, "administrator"))
    services.publish_version(admin, case_type, simple_bundle(term="3m"))
    new = CaseFactory(unit=world.unit, case_type=case_type)
    old.refresh_from_db()
    assert (old.type_version.number, new.type_version.number) == (1, 2)
    assert old.type_version.status == CaseTypeVersion.Status.RETIRED
    assert old.due_at is None
    assert new.due_at is not None


def test_an_edit_says_what_it_changed(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    edited = services.edit_case(alice, case.uuid, {"subject": "Otro", "priority": 2}, version=1)
    assert edited.version == 2
    event = Event.objects.for_actor(alice).get(case=case, seq=2)
    assert event.data == {
        "fields": ["priority", "subject"],
        "before": {"priority": 1, "subject": case.subject},
        "after": {"priority": 2, "subject": "Otro"},
        "version": 2,
    }
    assert StreamEvent.objects.get(stream=f"case:{case.uuid}").patch["kind"] == "edited"
    services.edit_case(alice, case.uuid, {"subject": "Otro"})
    assert Event.objects.for_actor(alice).filter(case=case).count() == 2


def test_the_loser_of_two_edits_is_told_what_changed(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice, bob = world.actor(world.alice), world.actor(employee(world.here, "agent"))
    services.edit_case(bob, case.uuid, {"subject": "De Bob"}, version=1)
    with pytest.raises(Conflict) as raised:
        services.edit_case(alice, case.uuid, {"subject": "De Alice"}, version=1)
    changes = raised.value.details["changes"]
    assert [(change["by"], change["fields"]) for change in changes] == [(bob.name, ["subject"])]
    case.refresh_from_db()
    assert case.subject == "De Bob"


@pytest.mark.parametrize("field", ["organisation", "reference", "closed_at", "state", "version"])
def test_nothing_else_can_be_set_by_an_edit(world: World, field: str) -> None:
    case = CaseFactory(unit=world.unit)
    with pytest.raises(Invalid) as raised:
        services.edit_case(world.actor(world.alice), case.uuid, {field: "x"})
    assert list(raised.value.errors) == [field]


def test_a_case_of_another_unit_or_organisation_does_not_exist(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    for stranger in (world.bob, world.charlie):
        with pytest.raises(NotFound):
            services.edit_case(world.actor(stranger), case.uuid, {"subject": "Mío"})
        with pytest.raises(NotFound):
            services.move_case(world.actor(stranger), case.uuid, "start")
    case.refresh_from_db()
    assert (case.state, case.last_event) == ("new", 1)


def test_a_move_asks_for_what_it_requires(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    with pytest.raises(Invalid) as raised:
        services.move_case(alice, case.uuid, "resolve")
    assert list(raised.value.errors) == ["outcome"]
    with pytest.raises(Invalid):
        services.close_case(alice, case.uuid, move="close", reason="  ")

    moved = services.move_case(alice, case.uuid, "resolve", outcome="Concedida")

    assert (moved.state, moved.category, moved.outcome) == ("resolved", 4, "Concedida")
    assert moved.closed_at is not None
    event = Event.objects.for_actor(alice).get(case=case, kind="moved")
    assert (event.data["from"], event.data["to"], event.data["outcome"]) == (
        "new",
        "resolved",
        "Concedida",
    )
    with pytest.raises(Conflict) as conflict:
        services.move_case(alice, case.uuid, "start")
    assert conflict.value.code == "move_not_possible"


def test_a_move_may_require_a_field(world: World) -> None:
    definition = simple_bundle(fields=FIELDS)
    definition["moves"][0]["requires"] = ["plate"]
    case_type = CaseTypeFactory(organisation=world.here, bundle=definition)
    case = CaseFactory(unit=world.unit, case_type=case_type)
    alice = world.actor(world.alice)
    with pytest.raises(Invalid) as raised:
        services.move_case(alice, case.uuid, "start")
    assert "Matrícula" in str(raised.value.errors["data.plate"][0])
    moved = services.move_case(alice, case.uuid, "start", data={"plate": "1234ABC"})
    assert (moved.state, moved.data) == ("in_progress", {"plate": "1234ABC"})


def test_reopening_takes_work_up_again(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    with pytest.raises(Conflict):
        services.reopen_case(alice, case.uuid, reason="Error")
    services.close_case(alice, case.uuid, outcome="Hecho")
    with pytest.raises(Conflict):
        services.close_case(alice, case.uuid, outcome="Otra vez")
    with pytest.raises(Conflict):
        services.edit_case(alice, case.uuid, {"subject": "Tarde"})
    reopened = services.reopen_case(alice, case.uuid, reason="Falta un papel")
    assert (reopened.category, reopened.closed_at, reopened.outcome) == (1, None, "")


def test_special_protection_is_given_by_who_can_see_it(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    boss = world.actor(employee(world.here, "supervisor", unit=world.unit))
    with pytest.raises(Refused):
        services.change_confidentiality(
            world.actor(world.alice), case.uuid, Confidentiality.SPECIAL
        )
    services.change_confidentiality(boss, case.uuid, Confidentiality.SPECIAL, reason="Menor")
    assert not Case.objects.for_actor(world.actor(world.alice)).filter(pk=case.pk).exists()
    assert Case.objects.for_actor(boss).filter(pk=case.pk).exists()


def test_history_can_be_told_at_its_own_time(world: World) -> None:
    then = timezone.now() - timedelta(days=30)
    with services.told_at(then):
        case = CaseFactory(unit=world.unit)
        services.add_note(world.actor(world.alice), case.uuid, "Entonces")
    assert case.opened_at == then
    assert set(case.events.values_list("at", flat=True)) == {then}
    assert case.notes.get().created_at == then
