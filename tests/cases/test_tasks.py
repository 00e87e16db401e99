"""Tasks within a case: by whom, until when, in which order, approved by another; who sees them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from cases import services, tasklists
from cases.models import Case, Confidentiality, Task, TaskOrder
from cases.services import NewTask, told_at
from cases.services.units import move_all, reason_to_stay_open
from cases.tasklists import APPROVAL, MINE, UNIT, Counts
from crm.accounts.actors import system_actor
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, NotFound, Refused
from crm.kit.models import StreamEvent
from crm.organisations.services import load_public_holidays
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.cases import CaseFactory

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T10:00").replace(tzinfo=MADRID)


def due(task: Task) -> str | None:
    task.refresh_from_db()
    return task.due_at.astimezone(MADRID).isoformat(timespec="minutes") if task.due_at else None


@contextmanager
def conflict(code: str) -> Iterator[None]:
    with pytest.raises(Conflict) as error:
        yield
    assert error.value.code == code


@contextmanager
def wrong(field: str) -> Iterator[None]:
    with pytest.raises(Invalid) as error:
        yield
    assert list(error.value.errors) == [field]


@contextmanager
def broken(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        yield
    assert constraint in str(getattr(error.value.__cause__, "diag", error.value).constraint_name)  # type: ignore[union-attr]


def last_event(case: Case) -> tuple[str, dict[str, object]]:
    event = case.events.order_by("-seq")[0]
    return event.kind, {k: v for k, v in event.data.items() if k not in ("task", "version")}


@pytest.fixture
def alice(world: World) -> Actor:
    load_public_holidays()
    return acting(world.alice)


@pytest.fixture
def boss(world: World) -> Actor:
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


@pytest.fixture
def case(world: World, alice: Actor) -> Case:
    made: Case = CaseFactory(actor=alice, unit=world.unit)
    return made


def add(actor: Actor, case: Case, title: str = "Visitar el local", **said: object) -> Task:
    return services.add_task(actor, case.uuid, NewTask(title=title, **said))  # type: ignore[arg-type]


# --- Adding and doing ---------------------------------------------------------------------------


def test_a_task_is_in_the_case_its_story_the_audit_trail_and_the_live_stream(
    alice: Actor, case: Case
) -> None:
    with told_at(at("2026-03-27")):
        task = add(alice, case, term="5wd", instructions="Con  acta.\r\n\r\nY fotos.")
    # Friday 27 March; Good Friday is a holiday everywhere, Easter Monday is none
    assert due(task) == "2026-04-06T23:59+02:00"
    assert task.instructions == "Con  acta.\n\nY fotos."
    assert (task.state, task.version) == ("open", 1)
    lines = tasklists.sum_of(task)
    assert lines[:2] == [
        "5 working days from the day after 27 de marzo de 2026",
        "plus 4 Saturdays and Sundays",
    ]
    assert lines[-1] == "ends on lunes, 6 de abril de 2026"
    kind, told = last_event(case)
    assert kind == "task_added"
    assert told == {"title": "Visitar el local", "due": "2026-04-06T23:59:59+02:00"}
    entry = AuditEntry.objects.for_actor(alice).filter(action="cases.change_case").latest("id")
    assert (entry.object_id, entry.data["kind"]) == (str(case.uuid), "task_added")
    patch = StreamEvent.objects.filter(stream=f"case:{case.uuid}").latest("id").patch
    assert patch["kind"] == "task_added"


def test_the_same_key_adds_one_task(alice: Actor, case: Case) -> None:
    from crm.kit.models import uuid7

    key = uuid7()
    first = services.add_task(alice, case.uuid, NewTask(title="Llamar"), key=key)
    again = services.add_task(alice, case.uuid, NewTask(title="Llamar"), key=key)
    assert first.pk == again.pk
    assert case.tasks.count() == 1


def test_what_is_wrong_with_a_task_is_said_at_its_field(
    world: World, alice: Actor, case: Case
) -> None:
    with wrong("title"):
        add(alice, case, "  ")
    with wrong("title"):
        add(alice, case, "a" * 201)
    with wrong("instructions"):
        add(alice, case, instructions="a" * 4_001)
    with wrong("term"):
        add(alice, case, term="5 días")
    with wrong("due_at"):
        add(alice, case, term="5wd", due_at=at("2026-05-01"))
    with wrong("unit"):
        add(alice, case, unit=world.foreign_unit.uuid)
    with wrong("assignee"):
        add(alice, case, assignee=world.charlie.uuid)
    with wrong("assignee"):  # of another unit, to which the task is not given
        add(alice, case, assignee=world.bob.uuid)
    with wrong("closing"):
        add(alice, case, closing="never")
    with wrong("after"):
        add(alice, case, after=[case.uuid])
    assert case.tasks.count() == 0
    assert not case.events.filter(kind="task_added").exists()


def test_a_task_is_done_once_with_a_comment_and_taken_up_again(
    world: World, alice: Actor, case: Case
) -> None:
    task = add(alice, case)
    done = services.finish_task(alice, task.uuid, comment="Cerrado  al público")
    assert (done.state, done.done_by, done.comment) == ("done", world.alice, "Cerrado al público")
    assert last_event(case) == (
        "task_done",
        {"title": "Visitar el local", "comment": "Cerrado al público"},
    )
    with conflict("task_not_ready"):
        services.finish_task(alice, task.uuid)
    with conflict("task_settled"):
        services.change_task(alice, task.uuid, {"title": "Otro"})
    again = services.reopen_task(alice, task.uuid, reason="Faltan fotos")
    assert (again.state, again.done_by, again.done_at, again.comment) == ("open", None, None, "")
    assert last_event(case) == (
        "task_reopened",
        {"title": "Visitar el local", "reason": "Faltan fotos"},
    )
    with conflict("task_open"):
        services.reopen_task(alice, task.uuid)


def test_who_is_late_is_told_and_nothing_is_overwritten(alice: Actor, case: Case) -> None:
    task = add(alice, case)
    services.change_task(alice, task.uuid, {"title": "Visitar la nave"}, version=1)
    with pytest.raises(Changed):
        services.change_task(alice, task.uuid, {"title": "Visitar la obra"}, version=1)
    task.refresh_from_db()
    assert (task.title, task.version) == ("Visitar la nave", 2)
    assert last_event(case) == ("task_changed", {"title": "Visitar la nave", "fields": ["title"]})
    count = case.events.count()
    services.change_task(alice, task.uuid, {"title": "Visitar la nave"})  # says nothing new
    assert case.events.count() == count


# --- Order --------------------------------------------------------------------------------------


def test_a_term_runs_from_the_day_when_nothing_stands_before_the_task(
    alice: Actor, case: Case
) -> None:
    with told_at(at("2026-03-02")):
        visit = add(alice, case, "Visitar", term="2wd")
        report = add(alice, case, "Informe", term="3wd", after=[visit.uuid])
    assert (due(visit), due(report)) == ("2026-03-04T23:59+01:00", None)
    assert tasklists.due_of(report, at("2026-03-02")) == ("3 working days once it can begin", "")
    with pytest.raises(Conflict) as error:
        services.finish_task(alice, report.uuid)
    assert str(error.value) == "Before it, this must be done: Visitar."
    with told_at(at("2026-03-09")):
        services.finish_task(alice, visit.uuid)
    assert due(report) == "2026-03-12T23:59+01:00"
    services.finish_task(alice, report.uuid)


def test_a_cancelled_task_keeps_nothing_waiting(alice: Actor, case: Case) -> None:
    visit = add(alice, case, "Visitar")
    report = add(alice, case, "Informe", term="3wd", after=[visit.uuid])
    with wrong("reason"):
        services.cancel_task(alice, visit.uuid, reason=" ")
    with told_at(at("2026-03-09")):
        services.cancel_task(alice, visit.uuid, reason="Ya no hace falta")
    assert due(report) == "2026-03-12T23:59+01:00"
    assert services.finish_task(alice, report.uuid).state == "done"


def test_a_circle_of_tasks_is_refused_with_the_way_round(alice: Actor, case: Case) -> None:
    one = add(alice, case, "Uno")
    two = add(alice, case, "Dos", after=[one.uuid])
    three = add(alice, case, "Tres", after=[two.uuid])
    with pytest.raises(Invalid) as error:
        services.change_task(alice, one.uuid, {"after": [three.uuid]})
    assert error.value.errors == {
        "after": ["These tasks would come after each other in a circle: Uno → Dos → Tres → Uno."]
    }
    with wrong("after"):
        services.change_task(alice, one.uuid, {"after": [one.uuid]})
    services.change_task(alice, three.uuid, {"after": [one.uuid]})  # elsewhere in the order
    assert list(three.orders.values_list("after", flat=True)) == [one.pk]


def test_the_database_holds_no_circle_nor_two_cases(world: World, alice: Actor, case: Case) -> None:
    one, two = add(alice, case, "Uno"), add(alice, case, "Dos")
    other = add(alice, CaseFactory(actor=alice, unit=world.unit), "De otro")
    TaskOrder.objects.create(task=two, after=one)
    with broken("task_order_no_circle"):
        TaskOrder.objects.create(task=one, after=two)
    with broken("task_order_no_circle"):
        TaskOrder.objects.create(task=one, after=one)
    with broken("task_order_in_one_case"):
        TaskOrder.objects.create(task=one, after=other)


# --- Approval -----------------------------------------------------------------------------------


def test_another_person_approves_what_one_has_done(
    world: World, alice: Actor, boss: Actor, case: Case
) -> None:
    task = add(alice, case, "Propuesta", needs_approval=True)
    with conflict("task_not_done"):
        services.approve_task(boss, task.uuid)
    assert services.finish_task(alice, task.uuid).state == "review"
    with pytest.raises(Refused):  # has not the right
        services.approve_task(alice, task.uuid)
    approved = services.approve_task(boss, task.uuid)
    assert (approved.state, approved.reviewed_by_id) == ("done", boss.user_id)
    assert last_event(case) == (
        "task_approved",
        {"title": "Propuesta", "done_by": "Alice Arias"},
    )


def test_nobody_approves_their_own_not_even_in_the_database(boss: Actor, case: Case) -> None:
    task = add(boss, case, "Propuesta", needs_approval=True)
    services.finish_task(boss, task.uuid)
    with pytest.raises(Refused) as error:
        services.approve_task(boss, task.uuid)
    assert str(error.value) == "Whoever did it does not approve it: ask another person."
    with pytest.raises(Refused):
        services.reject_task(boss, task.uuid, reason="No")
    rows = Task.objects.unscoped("what no verb does").filter(pk=task.pk)
    with broken("task_approved_by_another"):
        rows.update(state="done", reviewed_by=boss.user_id)
    with broken("task_done_when_approved"):
        rows.update(state="done")


def test_what_is_not_approved_is_done_again(
    world: World, alice: Actor, boss: Actor, case: Case
) -> None:
    task = add(alice, case, "Propuesta", needs_approval=True)
    follower = add(alice, case, "Firmar", term="1wd", after=[task.uuid])
    services.finish_task(alice, task.uuid)
    assert due(follower) is None  # what waits for approval is not settled
    with wrong("reason"):
        services.reject_task(boss, task.uuid, reason="")
    rejected = services.reject_task(boss, task.uuid, reason="Falta el cálculo")
    assert (rejected.state, rejected.reason) == ("rejected", "Falta el cálculo")
    again = services.finish_task(alice, task.uuid, comment="Con el cálculo")
    assert (again.state, again.reason, again.reviewed_by) == ("review", "", None)
    with told_at(at("2026-03-02")):
        services.approve_task(boss, task.uuid)
    assert due(follower) == "2026-03-03T23:59+01:00"


def test_a_machine_does_no_task_that_a_person_approves(world: World, case: Case) -> None:
    machine = system_actor(world.here, ORIGIN)
    task = add(machine, case, "Propuesta", needs_approval=True)
    with pytest.raises(Refused):
        services.finish_task(machine, task.uuid)
    plain = add(machine, case, "Llamar")
    assert services.finish_task(machine, plain.uuid).state == "done"


# --- Given to another unit ------------------------------------------------------------------------


def test_a_task_given_to_a_unit_shows_its_people_the_task_and_not_the_case(
    world: World, alice: Actor, case: Case
) -> None:
    bob = acting(world.bob)
    own = add(alice, case, "Solo nuestra")
    given = add(alice, case, "Informe urbanístico", unit=world.other_unit.uuid)
    assert list(Task.objects.for_actor(bob)) == [given]
    assert not Case.objects.for_actor(bob).exists()
    assert set(Task.objects.for_actor(alice)) == {own, given}
    assert not Task.objects.for_actor(acting(world.charlie)).exists()
    with pytest.raises(NotFound):
        services.finish_task(bob, own.uuid)
    with pytest.raises(Refused):  # what it asks for is not theirs to change
        services.change_task(bob, given.uuid, {"title": "Otra cosa"})
    with pytest.raises(Refused):
        services.cancel_task(bob, given.uuid, reason="No")
    done = services.finish_task(bob, given.uuid, comment="Favorable")
    assert done.done_by == world.bob
    assert case.events.order_by("-seq")[0].actor_name == "Bob Bueno"


def test_tasks_of_specially_protected_cases_stay_in_their_unit(
    world: World, boss: Actor, case: Case
) -> None:
    bob = acting(world.bob)
    given = add(boss, case, "Informe", unit=world.other_unit.uuid)
    services.change_confidentiality(boss, case.uuid, Confidentiality.SPECIAL)
    assert not Task.objects.for_actor(bob).exists()
    assert not Task.objects.for_actor(acting(world.alice)).exists()
    assert list(Task.objects.for_actor(boss)) == [given]
    with pytest.raises(NotFound):
        services.finish_task(bob, given.uuid)
    with wrong("unit"):
        add(boss, case, "Otro informe", unit=world.other_unit.uuid)


def test_what_the_unit_had_to_do_moves_with_the_case(
    world: World, alice: Actor, boss: Actor, case: Case
) -> None:
    ours = add(alice, case, "De la unidad", unit=world.unit.uuid)
    theirs = add(alice, case, "De otra", unit=world.other_unit.uuid)
    third = employee(world.here, "supervisor", full_name="Otra")
    assert third
    services.change_unit(boss, case.uuid, world.other_unit.uuid, reason="Competencia")
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.unit, theirs.unit) == (world.other_unit, world.other_unit)


def test_a_unit_with_tasks_does_not_close_and_a_merged_one_hands_them_on(
    world: World, alice: Actor, boss: Actor, case: Case
) -> None:
    given = add(alice, case, "Informe", unit=world.other_unit.uuid)
    assert reason_to_stay_open(world.other_unit) == (
        "It has tasks to do: give them to another unit first."
    )
    move_all(boss, world.other_unit, world.unit)
    given.refresh_from_db()
    assert given.unit == world.unit
    assert reason_to_stay_open(world.other_unit) is None


# --- Whose turn it is -----------------------------------------------------------------------------


def test_mine_is_what_i_was_given_and_what_whoever_has_the_case_does(
    world: World, alice: Actor, boss: Actor, case: Case
) -> None:
    bob = acting(world.bob)
    late = add(alice, case, "Tarde", due_at=at("2026-01-02"))
    free = add(alice, case, "De quien lleve el caso")
    given = add(alice, case, "De Bob", unit=world.other_unit.uuid, assignee=world.bob.uuid)
    approved = add(alice, case, "Propuesta", needs_approval=True, assignee=world.alice.uuid)

    def titles(actor: Actor, view: str) -> list[str]:
        return [task.title for task in tasklists.page(actor, view).rows]

    assert titles(alice, MINE) == ["Propuesta"]  # nobody has the case yet
    services.take_case(alice, case.uuid)
    assert titles(alice, MINE) == ["Tarde", "De quien lleve el caso", "Propuesta"]
    assert titles(alice, UNIT) == ["Tarde", "De quien lleve el caso", "Propuesta"]
    assert titles(bob, MINE) == titles(bob, UNIT) == ["De Bob"]
    assert tasklists.counts(alice) == Counts(mine=3, late=1, approval=0)
    services.finish_task(alice, approved.uuid)
    assert titles(alice, MINE) == ["Tarde", "De quien lleve el caso"]
    assert titles(boss, APPROVAL) == ["Propuesta"]
    assert tasklists.counts(boss) == Counts(mine=0, late=0, approval=1, may_approve=True)
    assert titles(alice, APPROVAL) == []
    for task in (late, free, given):
        services.cancel_task(alice, task.uuid, reason="Fin")
    assert titles(alice, MINE) == titles(bob, MINE) == []


def test_pages_of_tasks_follow_each_other_without_gaps(
    world: World, alice: Actor, case: Case
) -> None:
    services.take_case(alice, case.uuid)
    for number in range(30):
        due_at = at("2026-05-01") if number % 3 else None
        add(alice, case, f"Tarea {number:02}", due_at=due_at)
    first = tasklists.page(alice, MINE)
    rest = tasklists.page(alice, MINE, first.after)
    found = [task.title for task in (*first.rows, *rest.rows)]
    assert len(found) == len(set(found)) == 30
    assert list(found[:20]) == [f"Tarea {n:02}" for n in range(30) if n % 3]
    assert rest.after == ""


def test_a_list_of_tasks_asks_the_same_however_long_it_is(
    world: World, alice: Actor, case: Case
) -> None:
    from django.test.utils import CaptureQueriesContext

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            tasklists.rows_of(alice, tasklists.page(alice, UNIT).rows)
        return len(queries)

    one = add(alice, case, "Uno")
    asked()
    few = asked()
    for number in range(8):
        add(alice, case, f"Más {number}", after=[one.uuid])
    assert asked() == few
