"""Bulk actions: the preview says the truth, each case is tried once, a kill loses and doubles nothing,
and what nothing else has touched is undone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import BulkAction, BulkRow, Case, Event, Message, Note
from cases.services import bulk
from cases.services.bulk import (
    Bulk,
    cancel_bulk,
    chosen_cases,
    prepare_bulk,
    reasons_of,
    run_bulk,
    start_bulk,
    undo_bulk,
)
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox, StreamEvent
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory


@pytest.fixture
def boss(world: World) -> User:
    return employee(world.here, "supervisor", unit=world.unit, full_name="Jefa Juste")


def cases_of(actor: Actor) -> Any:
    return chosen_cases(actor, [case.uuid for case in Case.objects.unscoped("all of the test")])


def prepared(actor: Actor, given: Bulk) -> BulkAction:
    return prepare_bulk(actor, cases_of(actor), given)


def done(actor: Actor, given: Bulk) -> BulkAction:
    action = prepared(actor, given)
    start_bulk(actor, action.uuid)
    run_bulk(action.uuid)
    action.refresh_from_db()
    return action


def undone(actor: Actor, action: BulkAction) -> BulkAction:
    undo = undo_bulk(actor, action.uuid)
    start_bulk(actor, undo.uuid)
    run_bulk(undo.uuid)
    undo.refresh_from_db()
    return undo


def rows_of(action: BulkAction) -> list[BulkRow]:
    rows = BulkRow.objects.unscoped("a test").filter(action=action)
    return list(rows.select_related("case").order_by("number"))


def of_kind(kind: str) -> Any:
    return Event.objects.unscoped("a test").filter(kind=kind)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


MOVE = Bulk(action="move", move="start")


# --- Preview --------------------------------------------------------------------------------------


def test_the_preview_counts_and_says_why(world: World, boss: User) -> None:
    ended = CaseFactory(unit=world.unit, subject="hecho")
    CaseFactory(unit=world.unit)
    CaseFactory(unit=world.other_unit, subject="invisible")
    actor = world.actor(boss)
    services.close_case(actor, ended.uuid, outcome="Hecho")
    seen = prepared(actor, MOVE)
    assert (seen.status, seen.total, seen.refused) == ("ready", 2, 1)
    (reason,) = reasons_of(seen)
    assert (reason.count, [row.case.subject for row in reason.first]) == (1, ["hecho"])
    assert "this move is not possible" in reason.text
    missing = prepared(actor, Bulk(action="move", move="resolve"))
    assert missing.refused == 2
    given = Bulk(action="move", move="resolve", outcome="Concedida")
    assert prepared(actor, given).refused == 1
    assert prepared(actor, Bulk(action="assign", person=world.bob.uuid)).refused == 2
    assert prepared(actor, Bulk(action="assign", person=world.alice.uuid)).refused == 1
    assert of_kind("assigned").count() == 0


def test_many_cases_are_looked_through_by_a_worker(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "LOOKED", 2)
    for _each in range(5):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = prepared(actor, MOVE)
    assert (action.status, action.looked) == ("checking", 0)
    with pytest.raises(Conflict):
        start_bulk(actor, action.uuid)
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.looked, action.refused) == ("ready", 5, 0)
    run_bulk(action.uuid)
    assert of_kind("moved").count() == 0  # nobody has started it
    patches = StreamEvent.objects.filter(stream=f"bulk:{action.uuid}").order_by("seq")
    assert [(row.patch["done"], row.patch["finished"]) for row in patches] == [
        (2, False),
        (4, False),
        (5, True),
    ]


def test_it_is_for_those_who_may(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    alice, actor = world.actor(world.alice), world.actor(boss)
    with pytest.raises(Refused):
        prepared(alice, MOVE)
    for wrong, field in (
        (Bulk(action="assign", person=world.charlie.uuid), "person"),
        (Bulk(action="assign"), "person"),
        (Bulk(action="move"), "move"),
        (Bulk(action="delete", move="x"), "action"),
        (Bulk(action="unit", unit=world.foreign_unit.uuid, reason="x"), "unit"),
        (Bulk(action="unit", unit=world.other_unit.uuid), "reason"),
        (Bulk(action="priority"), "priority"),
        (Bulk(action="note"), "body"),
        (Bulk(action="close"), "outcome"),
    ):
        with pytest.raises(Invalid) as told:
            prepared(actor, wrong)
        assert list(told.value.errors) == [field], wrong
    with pytest.raises(Invalid):
        prepare_bulk(actor, chosen_cases(actor, []), MOVE)
    mine = prepared(actor, MOVE)
    other = world.actor(employee(world.here, "supervisor"))
    for act in (start_bulk, cancel_bulk, undo_bulk):
        with pytest.raises(NotFound):
            act(other, mine.uuid)


def test_more_than_may_be_is_told(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_CASES", 2)
    for _each in range(3):
        CaseFactory(unit=world.unit)
    with pytest.raises(Invalid) as told:
        prepared(world.actor(boss), MOVE)
    assert str(told.value.errors["cases"][0]) == "At most 2 cases at once: add a filter."


# --- Running --------------------------------------------------------------------------------------


def test_each_case_is_tried_once_and_told(world: World, boss: User) -> None:
    for _each in range(24):
        CaseFactory(unit=world.unit)
    stuck = CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    services.close_case(actor, stuck.uuid, outcome="Hecho")
    action = done(actor, MOVE)
    assert (action.status, action.done, action.refused) == ("done", 24, 1)
    assert [row.case.reference for row in rows_of(action) if row.reason] == [stuck.reference]
    moved = of_kind("moved").filter(data__move="start")
    assert {event.data["batch"] for event in moved} == {str(action.uuid)}
    assert moved.count() == 24
    told = AuditEntry.objects.filter(action="cases.change_case", data__batch=str(action.uuid))
    assert told.count() == 24
    batch = AuditEntry.objects.filter(action="cases.run_bulk").order_by("id")
    assert [(entry.object_type, entry.door, entry.data["what"]) for entry in batch] == [
        ("cases.bulkaction", "console", "started"),
        ("cases.bulkaction", "task", "finished"),
    ]
    patches = StreamEvent.objects.filter(stream=f"bulk:{action.uuid}").order_by("seq")
    assert [(row.patch["done"], row.patch["finished"]) for row in patches] == [
        (25, True),
        (20, False),
        (25, False),
        (25, True),
    ]
    run_bulk(action.uuid)
    assert moved.count() == 24
    with pytest.raises(Conflict):
        start_bulk(actor, action.uuid)


def test_killed_anywhere_it_goes_on_with_the_next(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LOT", 2)
    for _each in range(7):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = prepared(actor, Bulk(action="assign", person=world.alice.uuid))
    start_bulk(actor, action.uuid)
    really = bulk._do
    calls = []

    def dies_at_the_fourth(*arguments: Any) -> None:
        really(*arguments)
        calls.append(1)
        if len(calls) == 4:
            raise SystemExit  # after the change, before its commit

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "_do", dies_at_the_fourth)
        with pytest.raises(SystemExit):
            run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.done, action.status) == (2, "running")
    assert of_kind("assigned").count() == 2
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.done, action.status) == (7, "done")
    assert of_kind("assigned").count() == 7


def test_a_case_that_nobody_foresaw_does_not_hold_up_the_others(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was tried again for ever, by every sweep, and none of those behind it was reached."""
    poisoned, *_others = [CaseFactory(unit=world.unit) for _each in range(3)]
    really = bulk._do

    def fails_at_one(
        actor: Actor, action: BulkAction, row: BulkRow, case: Case, foresee: Any
    ) -> None:
        really(actor, action, row, case, foresee)
        if case.pk == poisoned.pk:
            raise ZeroDivisionError

    monkeypatch.setattr(bulk, "_do", fails_at_one)
    action = done(world.actor(boss), Bulk(action="assign", person=world.alice.uuid))
    assert (action.status, action.done) == ("done", 2)
    assert [row.case.pk for row in rows_of(action) if row.status == 2] == [poisoned.pk]
    poisoned.refresh_from_db()
    assert poisoned.assignee is None


def test_rights_taken_meanwhile_are_gone(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = prepared(actor, MOVE)
    start_bulk(actor, action.uuid)
    boss.state = User.State.SUSPENDED
    boss.save()
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.done) == ("failed", 0)


def test_what_would_change_nothing_is_refused_as_the_preview_said(world: World, boss: User) -> None:
    """Regression: such a case was refused by the preview and then counted as done, without an event."""
    CaseFactory(unit=world.unit, priority=3)
    CaseFactory(unit=world.unit, priority=1)
    action = done(world.actor(boss), Bulk(action="priority", priority=3))
    assert (action.done, action.refused) == (1, 1)
    assert [row.reason for row in rows_of(action)] == ["It has this priority already.", ""]
    assert of_kind("edited").count() == 1


def test_what_changed_since_the_preview_is_refused_at_its_turn(world: World, boss: User) -> None:
    one, other = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = prepared(actor, MOVE)
    services.move_case(actor, one.uuid, "start")
    start_bulk(actor, action.uuid)
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.done, action.refused) == (1, 1)
    assert [row.status for row in rows_of(action)] == [2, 1]
    other.refresh_from_db()
    assert other.state == "in_progress"


def test_cancelled_no_further_case_is_touched(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LOT", 2)
    for _each in range(6):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = prepared(actor, MOVE)
    start_bulk(actor, action.uuid)
    assert bulk._run_next(action.uuid)
    cancel_bulk(actor, action.uuid)
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.done) == ("cancelled", 2)
    assert of_kind("moved").count() == 2
    with pytest.raises(Conflict):
        cancel_bulk(actor, action.uuid)
    back = undone(actor, action)
    assert (back.total, back.done) == (2, 2)


def test_a_dead_worker_is_noticed(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = prepared(actor, MOVE)
    past = "2026-01-01T00:00:00Z"
    BulkAction.objects.unscoped("time passes").update(updated_at=past)
    assert bulk.stalled_bulks() == []  # nobody has started it
    start_bulk(actor, action.uuid)
    assert bulk.stalled_bulks() == []
    BulkAction.objects.unscoped("time passes").update(updated_at=past)
    assert bulk.stalled_bulks() == [action.uuid]
    run_bulk(action.uuid)
    assert bulk.stalled_bulks() == []


def test_what_was_never_started_is_forgotten(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    old, run = prepared(actor, MOVE), done(actor, MOVE)
    bulk.forget_unstarted()
    assert BulkAction.objects.unscoped("a test").count() == 2
    BulkAction.objects.unscoped("time passes").update(created_at="2026-01-01T00:00:00Z")
    bulk.forget_unstarted()
    left = BulkAction.objects.unscoped("a test").values_list("pk", flat=True)
    assert (list(left), rows_of(old)) == ([run.pk], [])


def test_words_are_written_once_however_often_they_are_tried(world: World, boss: User) -> None:
    for _each in range(3):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    noted = done(actor, Bulk(action="note", body="Revisar en enero"))
    sent = done(actor, Bulk(action="message", body="Le llamaremos en enero."))
    for action in (noted, sent):  # as if what was done had been forgotten
        BulkRow.objects.unscoped("a test").filter(action=action).update(status=0)
        BulkAction.objects.unscoped("a test").filter(pk=action.pk).update(status="running")
        run_bulk(action.uuid)
    assert Note.objects.unscoped("a test").filter(body="Revisar en enero").count() == 3
    messages = Message.objects.unscoped("a test").filter(body="Le llamaremos en enero.")
    assert messages.count() == 3
    mailed = [message for message in messages if message.address]
    assert Outbox.objects.filter(topic="cases.deliver_message").count() == len(mailed)
    for action in (noted, sent):
        with pytest.raises(Conflict) as told:
            undo_bulk(actor, action.uuid)
        assert told.value.code == "bulk_stays"


# --- Undoing --------------------------------------------------------------------------------------

ASSIGNED: dict[str, Callable[[World], Bulk]] = {
    "assign": lambda world: Bulk(action="assign", person=world.alice.uuid),
    "move": lambda world: MOVE,
    "close": lambda world: Bulk(action="close", outcome="Hecho"),
    "unit": lambda world: Bulk(action="unit", unit=world.other_unit.uuid, reason="Reparto"),
    "priority": lambda world: Bulk(action="priority", priority=3),
}
KEPT = ("state", "category", "assignee_id", "unit_id", "priority", "outcome", "closed_at", "due_at")


@pytest.mark.parametrize("act", ASSIGNED)
def test_undone_every_case_is_as_it_was(act: str, world: World) -> None:
    boss = employee(world.here, "supervisor", full_name="De todas")
    mine = [CaseFactory(unit=world.unit) for _each in range(3)]
    actor = world.actor(boss)
    services.assign_case(actor, mine[0].uuid, world.alice.uuid)
    before = list(Case.objects.unscoped("a test").order_by("pk").values_list(*KEPT))
    action = done(actor, ASSIGNED[act](world))
    assert action.done == 3
    after = list(Case.objects.unscoped("a test").order_by("pk").values_list(*KEPT))
    assert after != before
    undo = undone(actor, action)
    assert (undo.status, undo.done, undo.refused) == ("done", 3, 0), reasons_of(undo)
    assert list(Case.objects.unscoped("a test").order_by("pk").values_list(*KEPT)) == before
    assert {row.status for row in rows_of(action)} == {BulkRow.Status.UNDONE}
    with pytest.raises(Conflict) as told:
        undo_bulk(actor, action.uuid)
    assert told.value.code == "bulk_nothing"
    with pytest.raises(Conflict):  # nor is an undoing undone
        undo_bulk(actor, undo.uuid)
    told_of = Event.objects.unscoped("a test").filter(data__batch=str(undo.uuid))
    assert {event.case_id for event in told_of} == {case.pk for case in mine} or act == "assign"


def test_what_something_else_has_touched_is_not_undone(world: World, boss: User) -> None:
    touched, noted, untouched = (CaseFactory(unit=world.unit) for _each in range(3))
    actor = world.actor(boss)
    action = done(actor, MOVE)
    services.edit_case(actor, touched.uuid, {"subject": "Otro asunto"})
    undo = undo_bulk(actor, action.uuid)
    assert (undo.status, undo.total, undo.refused) == ("ready", 3, 1)
    assert undo_bulk(actor, action.uuid).pk == undo.pk  # once at a time
    services.add_note(actor, noted.uuid, "Después de la vista previa")
    start_bulk(actor, undo.uuid)
    run_bulk(undo.uuid)
    undo.refresh_from_db()
    assert (undo.done, undo.refused) == (1, 2)
    assert {row.text for row in reasons_of(undo)} == {"Something else has happened in it since."}
    for case, state in ((touched, "in_progress"), (noted, "in_progress"), (untouched, "new")):
        case.refresh_from_db()
        assert case.state == state
    again = undo_bulk(actor, action.uuid)
    assert (again.total, again.refused) == (2, 2)


def test_an_undoing_is_resumed(world: World, boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LOT", 1)
    for _each in range(4):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = done(actor, MOVE)
    undo = undo_bulk(actor, action.uuid)
    start_bulk(actor, undo.uuid)
    assert bulk._run_next(undo.uuid)
    states = Case.objects.unscoped("a test").values_list("state", flat=True)
    assert sorted(states) == ["in_progress"] * 3 + ["new"]
    run_bulk(undo.uuid)
    assert sorted(states.all()) == ["new"] * 4
    assert of_kind("moved").count() == 8


# --- Pages ----------------------------------------------------------------------------------------


def test_the_way_through_the_pages(world: World, boss: User) -> None:
    CaseTypeFactory(organisation=world.here, name='=HYPERLINK("x")')
    first, second = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    foreign = CaseFactory(unit=world.foreign_unit)
    services.close_case(world.actor(boss), second.uuid, outcome="Hecho")
    client = signed_in(boss)
    ticked = {"case": [str(first.uuid), str(second.uuid), str(foreign.uuid), "rubbish"]}
    asked = {**ticked, "action": "move", "filter": "vista=unit"}
    assert client.post("/casos/acciones/", {**ticked, "action": ""}).status_code == 200
    assert client.post("/casos/acciones/", asked).status_code == 200
    answer = client.post("/casos/acciones/", {**asked, "move": "start", "ready": "preview"})
    assert answer.status_code == 302
    address = answer["Location"]
    preview = client.get(address)
    assert preview.context["action"].total == 2
    assert second.reference in preview.content.decode()
    action = BulkAction.objects.unscoped("a test").get()
    assert client.post(f"{address}iniciar/").status_code == 302
    run_bulk(action.uuid)
    assert client.get(address).context["may_undo"]
    assert client.get(f"{address}progreso/").json()["finished"] is True
    undo = client.post(f"{address}deshacer/")
    assert undo.status_code == 302
    assert client.get(undo["Location"]).context["action"].total == 1
    assert client.post(f"{undo['Location']}cancelar/").status_code == 302
    listed = client.get("/casos/acciones/mias/").content.decode()
    assert address in listed
    BulkRow.objects.unscoped("a test").filter(case=second).update(reason="@SUM(A1)")
    Case.objects.filter(pk=second.pk).update(reference="=1+1")
    file = client.get(f"{address}rechazos.csv")
    text = b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=1+1,'@SUM(A1)" in text
    other_boss = employee(world.here, "supervisor")
    assert signed_in(other_boss).get(address).status_code == 404
    assert signed_in(world.alice).get(address).status_code == 403


def test_all_of_a_list_and_of_a_view(world: World, boss: User) -> None:
    from cases.services.views import View, save_view

    for _each in range(30):
        CaseFactory(unit=world.unit, channel="phone")
    CaseFactory(unit=world.unit, channel="email")
    actor = world.actor(boss)
    view = save_view(actor, View(name="V", expression="channel:phone"))
    client = signed_in(boss)
    for asked_for in ("canal=phone", f"vista={view.uuid}"):
        asked = {
            "action": "assign",
            "person": str(world.alice.uuid),
            "scope": "filter",
            "filter": asked_for,
            "ready": "preview",
        }
        page = client.post("/casos/acciones/", asked, follow=True)
        assert page.context["action"].total == 30
        assert "channel:phone" in page.context["action"].asked or "canal:" in (
            page.context["action"].asked
        )
    needs_person = client.post("/casos/acciones/", {**asked, "person": ""})
    assert needs_person.status_code == 422
