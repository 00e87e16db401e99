"""News of tasks, deadlines, transfers, questions, background work and watched views."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases import services
from cases.models import Case, SavedView, ViewWatch
from cases.services import NewTask
from cases.services.bulk import Bulk, chosen_cases, prepare_bulk, run_bulk, start_bulk
from cases.services.handover import give_back, hand_over
from cases.services.reminding import look_at_views, tell_deadlines, watch_view
from cases.services.views import View, save_view
from crm.accounts.models import Absence, Membership, User
from crm.kit import outbox
from crm.kit.errors import NotFound
from crm.kit.models import Outbox
from crm.notices import selectors
from crm.notices.models import Notification
from tests.cases.transferring import Sides, sides_of
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory


def carry_out() -> None:
    """Workers have done what is owed."""
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass


def words(person: User) -> list[str]:
    """What the bell says, newest first."""
    return [line.words for group in selectors.newest(acting(person)) for line in group.lines]


def titles(person: User) -> list[str | None]:
    """Of what."""
    groups = selectors.newest(acting(person))
    return [group.shown.title if group.shown else None for group in groups]


@pytest.fixture
def boss(world: World) -> User:
    return employee(world.here, "supervisor", unit=world.unit, full_name="Sara Soto")


@pytest.fixture
def case(world: World) -> Case:
    return CaseFactory(unit=world.unit)


# --- Tasks ----------------------------------------------------------------------------------------


def test_a_task_is_told_to_whom_it_is_given_and_its_result_to_whom_did_it(
    world: World, boss: User, case: Case
) -> None:
    alice = world.actor(world.alice)
    new = NewTask(title="Llamar", assignee=world.alice.uuid, needs_approval=True)
    task = services.add_task(world.actor(boss), case.uuid, new)
    carry_out()
    assert words(world.alice) == ["Sara Soto gave you the task “Llamar”"]
    services.change_task(world.actor(boss), task.uuid, {"instructions": "Hoy"})
    carry_out()
    assert len(words(world.alice)) == 1, "it was theirs already"
    services.finish_task(alice, task.uuid)
    carry_out()
    assert words(boss) == ["Alice Arias has done the task “Llamar”: it waits for approval"]
    services.reject_task(world.actor(boss), task.uuid, reason="Falta la fecha")
    carry_out()
    assert words(world.alice)[0] == "Sara Soto has looked at your task “Llamar”"
    assert words(world.bob) == []


def test_a_task_for_somebody_who_may_not_see_its_case_is_told_without_it(
    world: World, boss: User, case: Case
) -> None:
    task = services.add_task(
        world.actor(boss), case.uuid, NewTask(title="Informe", unit=world.other_unit.uuid)
    )
    services.take_task(world.actor(world.bob), task.uuid)
    head = employee(world.here, "supervisor", full_name="Jefa Juste")
    services.change_task(world.actor(head), task.uuid, {"assignee": None})
    services.change_task(world.actor(head), task.uuid, {"assignee": world.bob.uuid})
    carry_out()
    assert words(world.bob) == ["Jefa Juste gave you the task “Informe”"]
    group = selectors.newest(world.actor(world.bob))[0]
    assert (group.shown.title, group.shown.sub) == (case.reference, "Informe")
    assert group.shown.url == f"/tareas/{task.uuid}/"


def test_what_is_near_its_date_is_told_once_and_again_when_the_date_moves(
    world: World, boss: User, case: Case
) -> None:
    now = timezone.now()
    services.take_case(world.actor(world.alice), case.uuid)
    far = CaseFactory(unit=world.unit)
    free = CaseFactory(unit=world.unit)
    services.take_case(world.actor(world.alice), far.uuid)
    rows = Case.objects.filter(pk=case.pk)
    rows.update(due_at=now + timedelta(days=2))
    Case.objects.filter(pk=far.pk).update(due_at=now + timedelta(days=4))
    Case.objects.filter(pk=free.pk).update(due_at=now + timedelta(days=2))
    assert [tell_deadlines(now), tell_deadlines(now)] == [1, 0]
    (said,) = words(world.alice)
    assert said.startswith("The legal deadline ends on ")
    rows.update(due_at=now + timedelta(days=3))
    assert tell_deadlines(now) == 1
    rows.update(due_at=now - timedelta(minutes=1))
    assert tell_deadlines(now) == 0, "it is past"


def test_a_task_of_mine_that_is_due_within_a_day(world: World, boss: User, case: Case) -> None:
    now = timezone.now()
    for title, due in (("Hoy", now + timedelta(hours=20)), ("Otro día", now + timedelta(days=3))):
        new = NewTask(title=title, assignee=world.alice.uuid, due_at=due)
        services.add_task(world.actor(boss), case.uuid, new)
    assert [tell_deadlines(now), tell_deadlines(now)] == [1, 0]
    assert words(world.alice)[0].startswith("The task “Hoy” is due on ")


def test_who_may_not_see_the_case_is_not_reminded_of_it(world: World, case: Case) -> None:
    now = timezone.now()
    services.take_case(world.actor(world.alice), case.uuid)
    Case.objects.filter(pk=case.pk).update(due_at=now + timedelta(days=1), unit=world.other_unit)
    assert tell_deadlines(now) == 0


# --- Between units --------------------------------------------------------------------------------


@pytest.fixture
def sides(world: World) -> Sides:
    return sides_of(world)


@pytest.fixture
def given(sides: Sides) -> Case:
    made: Case = CaseFactory(unit=sides.world.unit, case_type=sides.kind, subject="Farola")
    return made


def test_an_offer_is_told_to_who_heads_the_unit_and_its_answer_to_who_offered(
    sides: Sides, given: Case
) -> None:
    row = sides.offer(given)
    carry_out()
    offerer = User.objects.get(pk=row.sent_by_id)
    assert words(sides.south_user) == [f"{offerer.full_name} offers a transfer to Sur"]
    assert titles(sides.south_user) == [given.reference]
    assert words(sides.far_user) == []
    assert words(sides.world.bob) == []
    services.return_transfer(sides.south, row.uuid, reason="Falta el DNI")
    carry_out()
    assert words(offerer) == ["The transfer that you offered to Sur has an answer"]


def test_an_accepted_offer_is_told_and_who_is_given_the_case_learns_it(
    sides: Sides, given: Case
) -> None:
    row = sides.offer(given)
    services.accept_transfer(sides.south, row.uuid, assignee=sides.world.bob.uuid)
    carry_out()
    assert words(sides.world.bob) == [f"{sides.south.name} gave you the case"]
    assert words(User.objects.get(pk=row.sent_by_id)) == [
        "The transfer that you offered to Sur has an answer"
    ]
    assert words(sides.south_user) == [], "it had been answered when the workers came"


def test_an_offer_to_another_organisation_is_told_there(sides: Sides, given: Case) -> None:
    services.follow_case(sides.north, given.uuid)
    row = sides.offer_abroad(given)
    carry_out()
    news = Notification.objects.unscoped("looking").filter(user=sides.far_user)
    assert list(news.values_list("organisation__code", "kind", "thing")) == [
        ("ELSE", "transfer_offered", "transfer")
    ]
    services.accept_transfer(
        sides.far, row.uuid, unit=sides.world.foreign_unit.uuid, case_type=sides.far_kind.code
    )
    carry_out()
    from cases.models import Follower

    assert Follower.objects.unscoped("looking").get().end == "lost", "the origin hears no more"


def test_a_question_is_told_to_who_heads_the_unit_and_its_answer_to_who_asked(
    sides: Sides, given: Case
) -> None:
    alice = acting(sides.world.alice)
    row = services.ask_area(
        alice, given.uuid, sides.world.other_unit.uuid, text="¿Hay obra?", term="2wd"
    )
    carry_out()
    assert words(sides.south_user) == ["Alice Arias asks Sur about a case"]
    assert words(sides.world.alice) == []
    services.answer_area(acting(sides.world.bob), row.uuid, text="Sí")
    carry_out()
    assert words(sides.world.alice) == ["Sur has answered your question"]


# --- Background work and absences -----------------------------------------------------------------


def test_a_bulk_action_says_that_it_is_over_and_tells_whom_it_gave_cases_once(
    world: World, boss: User
) -> None:
    for _ in range(3):
        CaseFactory(unit=world.unit)
    actor = world.actor(boss)
    cases = chosen_cases(actor, [one.uuid for one in Case.objects.unscoped("all of the test")])
    action = prepare_bulk(actor, cases, Bulk(action="assign", person=world.alice.uuid))
    start_bulk(actor, action.uuid)
    run_bulk(action.uuid)
    carry_out()
    assert words(boss) == ["It has finished"]
    assert selectors.newest(actor)[0].shown.sub == "Done: 3. Refused: 0."
    assert words(world.alice) == ["Sara Soto gave you this case and others in a bulk action"]


def test_who_stands_in_learns_it_once_whatever_comes(world: World, boss: User) -> None:
    carol = employee(world.here, "agent", unit=world.unit, full_name="Carol Cano")
    for _ in range(3):
        case = CaseFactory(unit=world.unit)
        services.take_case(world.actor(world.alice), case.uuid)
    now = timezone.now()
    absence = Absence.objects.create(
        organisation=world.here,
        user=world.alice,
        substitute=carol,
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(days=3),
    )
    assert hand_over() == 3
    carry_out()
    assert words(carol) == ["You stand in for Alice Arias: their cases are with you"]
    Absence.objects.filter(pk=absence.pk).update(ends_at=now - timedelta(minutes=1))
    assert give_back() == 3
    carry_out()
    assert words(world.alice) == ["The cases that others had while you were away are yours again"]


# --- Watched views --------------------------------------------------------------------------------


def later(minutes: int) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


@pytest.fixture
def view(world: World, case: Case) -> SavedView:
    return save_view(
        world.actor(world.alice),
        View(name="Urgentes", expression="priority:urgent state:open", audience="own"),
    )


def urgent(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(priority=Case.Priority.URGENT)


def test_what_comes_into_a_watched_view_is_told_once(
    world: World, view: SavedView, case: Case
) -> None:
    there = CaseFactory(unit=world.unit)
    urgent(there)
    watch_view(world.actor(world.alice), view.uuid, watched=True)
    watch_view(world.actor(world.alice), view.uuid, watched=True)
    assert look_at_views(later(0)) == 0, "what is there already is no news"
    urgent(case)
    assert [look_at_views(later(5)), look_at_views(later(10))] == [1, 0]
    assert words(world.alice) == ["It came into the view “Urgentes”"]
    assert titles(world.alice) == [case.reference]
    elsewhere = CaseFactory(unit=world.other_unit)
    urgent(elsewhere)
    assert look_at_views(later(15)) == 0, "Alice may not see it"
    watch_view(world.actor(world.alice), view.uuid, watched=False)
    urgent(CaseFactory(unit=world.unit))
    assert look_at_views(later(20)) == 0


def test_many_that_come_at_once_are_one_piece_of_news(world: World, view: SavedView) -> None:
    watch_view(world.actor(world.alice), view.uuid, watched=True)
    look_at_views(later(0))
    kind = CaseTypeFactory(organisation=world.here)
    for _ in range(11):
        urgent(CaseFactory(unit=world.unit, case_type=kind))
    assert look_at_views(later(5)) == 1
    assert words(world.alice) == ["11 cases came into the view “Urgentes”"]
    assert titles(world.alice) == ["Urgentes"]


def test_a_view_too_large_to_remember_tells_of_the_new_only(
    world: World, view: SavedView, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cases.services.reminding.NEWEST", 2)
    cases = [CaseFactory(unit=world.unit) for _ in range(4)]
    for one in cases:
        urgent(one)
    watch_view(world.actor(world.alice), view.uuid, watched=True)
    look_at_views(later(0))
    Case.objects.filter(pk=cases[-1].pk).update(priority=Case.Priority.LOW)
    assert look_at_views(later(5)) == 0, "one that was beyond the end comes into sight, not in"
    urgent(CaseFactory(unit=world.unit))
    assert look_at_views(later(10)) == 1


def test_who_may_not_act_now_is_told_nothing_and_who_lost_the_view_watches_no_more(
    world: World, view: SavedView, case: Case
) -> None:
    watch_view(world.actor(world.alice), view.uuid, watched=True)
    look_at_views(later(0))
    member = Membership.objects.filter(user=world.alice)
    member.update(suspended_at=timezone.now())
    urgent(case)
    assert look_at_views(later(5)) == 0
    member.update(suspended_at=None)
    SavedView.objects.filter(pk=view.pk).update(owner=world.bob)
    assert look_at_views(later(10)) == 0
    assert not ViewWatch.objects.unscoped("looking").exists()


def test_anothers_view_cannot_be_watched(world: World, view: SavedView) -> None:
    for one in (world.bob, world.charlie):
        with pytest.raises(NotFound):
            watch_view(world.actor(one), view.uuid, watched=True)


def test_a_query_that_means_nothing_any_more_tells_nothing(
    world: World, view: SavedView, case: Case
) -> None:
    watch_view(world.actor(world.alice), view.uuid, watched=True)
    look_at_views(later(0))
    SavedView.objects.filter(pk=view.pk).update(expression="nothing:at-all")
    urgent(case)
    assert look_at_views(later(5)) == 0


def test_watching_from_the_page_of_views(world: World, view: SavedView, client: Any) -> None:
    client.force_login(world.alice)
    place = f"/casos/vistas/{view.uuid}/colocar/"
    assert (
        "Tell me when a case comes into Urgentes" in client.get("/casos/vistas/").content.decode()
    )
    assert client.post(place, {"do": "watch"}).status_code == 302
    assert "Tell me no more" in client.get("/casos/vistas/").content.decode()
    client.post(place, {"do": "unwatch"})
    assert not ViewWatch.objects.unscoped("looking").exists()
