"""Bulk actions: the preview says the truth, each case is tried once, a kill loses and doubles nothing."""

from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import BulkAction, Case, Event
from cases.services import bulk
from cases.services.bulk import Bulk, chosen_cases, preview_bulk, run_bulk, start_bulk
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from crm.kit.models import StreamEvent
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory


@pytest.fixture
def boss(world: World) -> User:
    return employee(world.here, "supervisor", unit=world.unit, full_name="Jefa Juste")


def cases_of(actor: Actor) -> Any:
    return chosen_cases(actor, [case.uuid for case in Case.objects.unscoped("all of the test")])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_preview_counts_and_says_why(world: World, boss: User) -> None:
    done = CaseFactory(unit=world.unit, subject="hecho")
    CaseFactory(unit=world.unit)
    CaseFactory(unit=world.other_unit, subject="invisible")
    actor = world.actor(boss)
    services.close_case(actor, done.uuid, outcome="Hecho")
    seen = preview_bulk(actor, cases_of(actor), Bulk(action="move", move="start"))
    assert (seen.total, seen.would_do) == (2, 1)
    assert [case.subject for case, _reason in seen.refusals] == ["hecho"]
    missing = preview_bulk(actor, cases_of(actor), Bulk(action="move", move="resolve"))
    assert missing.would_do == 0
    given = Bulk(action="move", move="resolve", outcome="Concedida")
    assert preview_bulk(actor, cases_of(actor), given).would_do == 1
    to_bob = preview_bulk(actor, cases_of(actor), Bulk(action="assign", person=world.bob.uuid))
    assert to_bob.would_do == 0
    to_alice = preview_bulk(actor, cases_of(actor), Bulk(action="assign", person=world.alice.uuid))
    assert to_alice.would_do == 1
    assert Event.objects.unscoped("a preview does nothing").filter(kind="assigned").count() == 0


def test_it_is_for_those_who_may(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    with pytest.raises(Refused):
        start_bulk(alice, cases_of(alice), Bulk(action="move", move="start"))
    actor = world.actor(boss)
    for wrong in (
        Bulk(action="assign", person=world.charlie.uuid),
        Bulk(action="assign"),
        Bulk(action="move"),
        Bulk(action="delete", move="x"),
    ):
        with pytest.raises(Invalid):
            start_bulk(actor, cases_of(actor), wrong)
    with pytest.raises(Invalid):
        start_bulk(actor, chosen_cases(actor, []), Bulk(action="move", move="start"))


def test_each_case_is_tried_once_and_told(world: World, boss: User) -> None:
    for _each in range(12):
        CaseFactory(unit=world.unit)
    stuck = CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    services.close_case(actor, stuck.uuid, outcome="Hecho")
    action = start_bulk(actor, cases_of(actor), Bulk(action="move", move="start"))
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.done, action.next_index) == ("done", 12, 13)
    assert [refusal["reference"] for refusal in action.refusals] == [stuck.reference]
    moved = Event.objects.unscoped("a test").filter(kind="moved", data__move="start")
    assert moved.count() == 12
    assert AuditEntry.objects.filter(action="cases.change_case", data__kind="moved").count() == 12
    batch = AuditEntry.objects.filter(action="cases.run_bulk")
    assert [(entry.object_type, entry.door) for entry in batch.order_by("id")] == [
        ("cases.bulkaction", "console"),
        ("cases.bulkaction", "task"),
    ]
    patches = StreamEvent.objects.filter(stream=f"bulk:{action.uuid}").order_by("seq")
    assert [(row.patch["done"], row.patch["finished"]) for row in patches] == [
        (10, False),
        (13, True),
    ]
    run_bulk(action.uuid)
    assert moved.count() == 12


def test_killed_anywhere_it_goes_on_with_the_next(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _each in range(6):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    given = Bulk(action="assign", person=world.alice.uuid)
    action = start_bulk(actor, cases_of(actor), given)
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
    assert (action.next_index, action.done, action.status) == (3, 3, "running")
    assert Event.objects.unscoped("a test").filter(kind="assigned").count() == 3
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.next_index, action.done, action.status) == (6, 6, "done")
    assert Event.objects.unscoped("a test").filter(kind="assigned").count() == 6


def test_a_case_that_nobody_foresaw_does_not_hold_up_the_others(
    world: World, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was tried again for ever, by every sweep, and none of those behind it was reached."""
    poisoned, *_others = [CaseFactory(unit=world.unit) for _each in range(3)]
    actor = world.actor(boss)
    action = start_bulk(actor, cases_of(actor), Bulk(action="assign", person=world.alice.uuid))
    really = bulk._do

    def fails_at_one(actor: Actor, action: BulkAction, case: Case) -> None:
        really(actor, action, case)
        if case.pk == poisoned.pk:
            raise ZeroDivisionError

    monkeypatch.setattr(bulk, "_do", fails_at_one)
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.done) == ("done", 2)
    assert [one["reference"] for one in action.refusals] == [poisoned.reference]
    poisoned.refresh_from_db()
    assert poisoned.assignee is None


def test_rights_taken_meanwhile_are_gone(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = start_bulk(actor, cases_of(actor), Bulk(action="move", move="start"))
    boss.state = User.State.SUSPENDED
    boss.save()
    run_bulk(action.uuid)
    action.refresh_from_db()
    assert (action.status, action.done) == ("failed", 0)


def test_a_dead_worker_is_noticed(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    action = start_bulk(actor, cases_of(actor), Bulk(action="move", move="start"))
    assert bulk.stalled_bulks() == []
    BulkAction.objects.unscoped("time passes").update(updated_at="2026-01-01T00:00:00Z")
    assert bulk.stalled_bulks() == [action.uuid]
    run_bulk(action.uuid)
    assert bulk.stalled_bulks() == []


def test_the_way_through_the_pages(world: World, boss: User) -> None:
    CaseTypeFactory(organisation=world.here, name='=HYPERLINK("x")')
    first, second = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    foreign = CaseFactory(unit=world.foreign_unit)
    services.close_case(world.actor(boss), second.uuid, outcome="Hecho")
    client = signed_in(boss)
    ticked = {"case": [str(first.uuid), str(second.uuid), str(foreign.uuid), "rubbish"]}
    asked = {**ticked, "action": "move", "filter": "vista=unit"}
    assert client.post("/casos/acciones/", asked).status_code == 200
    preview = client.post("/casos/acciones/", {**asked, "move": "start", "ready": "preview"})
    assert preview.status_code == 200
    assert preview.context["preview"].total == 2
    assert second.reference in preview.content.decode()
    started = client.post("/casos/acciones/", {**asked, "move": "start", "ready": "start"})
    assert started.status_code == 302
    action = BulkAction.objects.unscoped("a test").get()
    run_bulk(action.uuid)
    assert client.get(started["Location"]).status_code == 200
    assert client.get(f"{started['Location']}progreso/").json()["finished"] is True
    BulkAction.objects.unscoped("a test").update(
        refusals=[{"reference": "=1+1", "reason": "@SUM(A1)"}]
    )
    file = client.get(f"{started['Location']}rechazos.csv")
    text = b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=1+1,'@SUM(A1)" in text
    other_boss = employee(world.here, "supervisor")
    assert signed_in(other_boss).get(started["Location"]).status_code == 404
    assert signed_in(world.alice).get(started["Location"]).status_code == 403


def test_all_of_a_list(world: World, boss: User) -> None:
    for _each in range(30):
        CaseFactory(unit=world.unit, channel="phone")
    CaseFactory(unit=world.unit, channel="email")
    client = signed_in(boss)
    asked = {
        "action": "assign",
        "person": str(world.alice.uuid),
        "scope": "filter",
        "filter": "canal=phone",
        "ready": "preview",
    }
    page = client.post("/casos/acciones/", asked)
    assert page.context["preview"].total == 30
    needs_person = client.post("/casos/acciones/", {**asked, "person": ""})
    assert needs_person.status_code == 422
