"""Who is told what happens in a case, and who is not."""

from typing import Any

import pytest
from django.utils import timezone

from cases import services
from cases.mentions import marked, named_in, offers
from cases.models import Case, Confidentiality, Follower
from cases.services.news import tell_people
from crm.accounts.models import Membership, User
from crm.audit.models import AuditEntry
from crm.kit import outbox
from crm.kit.errors import NotFound
from crm.kit.models import Outbox, StreamEvent
from crm.notices import selectors
from crm.notices.models import Choice, Notification
from crm.notices.services import choose
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory


def carry_out() -> None:
    """Workers have done what is owed."""
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass


def told(person: User) -> list[str]:
    """The kinds of news that a person has, oldest first."""
    rows = Notification.objects.unscoped("looking").filter(user=person).order_by("id")
    return list(rows.values_list("kind", flat=True))


def words(person: User) -> list[str]:
    """What the bell says, newest first."""
    return [line.words for group in selectors.newest(acting(person)) for line in group.lines]


@pytest.fixture
def boss(world: World) -> User:
    return employee(world.here, "supervisor", unit=world.unit, full_name="Sara Soto")


@pytest.fixture
def carol(world: World) -> User:
    """Of Alice's unit, too."""
    return employee(world.here, "agent", unit=world.unit, full_name="Carol Cano")


@pytest.fixture
def case(world: World) -> Case:
    return CaseFactory(unit=world.unit)


def test_who_is_given_a_case_is_told_once_and_nobody_else(
    world: World, boss: User, carol: User, case: Case
) -> None:
    services.assign_case(world.actor(boss), case.uuid, world.alice.uuid)
    event = case.events.get(kind="assigned")
    carry_out()
    tell_people({"kind": "assigned", "case": str(case.uuid), "seq": event.seq})
    assert told(world.alice) == ["assigned"]
    assert words(world.alice) == ["Sara Soto gave you the case"]
    assert [told(one) for one in (boss, carol, world.bob, world.charlie)] == [[], [], [], []]
    stream = StreamEvent.objects.filter(stream=f"news:{world.alice.uuid}")
    assert list(stream.values_list("seq", "patch")) == [(1, {"news": True})]


def test_nobody_is_told_of_their_own_act(world: World, case: Case) -> None:
    services.take_case(world.actor(world.alice), case.uuid)
    services.add_note(world.actor(world.alice), case.uuid, "Me lo apunto, @Alice Arias.")
    carry_out()
    assert told(world.alice) == []


def test_who_is_mentioned_is_told_and_follows_from_then_on(
    world: World, carol: User, case: Case
) -> None:
    alice = world.actor(world.alice)
    note = services.add_note(alice, case.uuid, "¿Lo miras, @carol cano? Gracias, @Carol Cano")
    assert list(note.not_told) == []
    assert case.events.get(kind="noted").data["mentions"] == [
        {"name": "carol cano", "person": str(carol.uuid)},
        {"name": "Carol Cano", "person": str(carol.uuid)},
    ]
    carry_out()
    assert told(carol) == ["mentioned"]
    assert words(carol) == ["Alice Arias mentioned you in a note"]
    services.add_note(alice, case.uuid, "Y otra cosa")
    carry_out()
    assert told(carol) == ["mentioned", "noted"]
    assert told(world.alice) == []


def test_who_may_not_see_the_case_is_not_told_and_the_writer_learns_it(
    world: World, case: Case
) -> None:
    note = services.add_note(world.actor(world.alice), case.uuid, "Mira esto @Bob Bueno")
    assert list(note.not_told) == ["Bob Bueno cannot see this case: they will not be told."]
    carry_out()
    assert told(world.bob) == []
    assert not Follower.objects.unscoped("looking").exists()


def test_another_organisations_people_cannot_be_named(world: World, case: Case) -> None:
    note = services.add_note(
        world.actor(world.alice), case.uuid, f"@Charlie Cruz @{world.charlie.email}"
    )
    assert list(note.not_told) == []
    assert "mentions" not in case.events.get(kind="noted").data
    carry_out()
    assert told(world.charlie) == []


def test_a_unit_named_tells_those_of_it_who_see_the_case(
    world: World, carol: User, boss: User, case: Case
) -> None:
    services.add_note(world.actor(world.alice), case.uuid, "A quien toque: @Norte. Y @SOUTH")
    kept = case.events.get(kind="noted").data["mentions"]
    assert kept == [
        {"name": "Norte", "unit": str(world.unit.uuid)},
        {"name": "SOUTH", "unit": str(world.other_unit.uuid)},
    ]
    carry_out()
    assert [told(one) for one in (carol, boss, world.alice, world.bob)] == [
        ["mentioned"],
        ["mentioned"],
        [],
        [],
    ]
    assert not Follower.objects.unscoped("looking").exists(), "a unit's people do not follow by it"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@Carol Cano", ["Carol Cano"]),
        ("(@Carol Cano)", ["Carol Cano"]),
        ("@Carol Canosa", []),
        ("@Carol", []),
        ("ana@Carol Cano", []),
        ("@@Carol Cano", []),
        ("@", []),
        ("", []),
    ],
)
def test_a_name_counts_as_a_whole(
    world: World, carol: User, case: Case, text: str, names: list[str]
) -> None:
    found = named_in(world.actor(world.alice), case, text)
    assert [one.name for one in found.mentions] == names


def test_who_has_left_a_unit_is_not_meant_by_its_name(
    world: World, boss: User, carol: User, case: Case
) -> None:
    """Whoever had ever been of it and still works in the organisation was told."""
    Membership.objects.create(
        user=carol, organisation=world.here, unit=world.other_unit, ended_at=timezone.now()
    )
    services.add_note(world.actor(boss), case.uuid, f"¿Qué dice @{world.other_unit.name}?")
    carry_out()
    assert told(carol) == []


def test_of_two_of_one_name_neither_is_guessed(world: World, carol: User, case: Case) -> None:
    twin = employee(world.here, "agent", unit=world.unit, full_name="Carol Cano")
    alice = world.actor(world.alice)
    found = named_in(alice, case, "@Carol Cano")
    assert found.mentions == []
    assert [str(one) for one in found.not_told] == [
        "Carol Cano is the name of several people: choose one from the list after @."
    ]
    assert {one.text for one in offers(alice, case, "carol")} == {carol.email, twin.email}
    exact = named_in(alice, case, f"@{twin.email} y ya")
    assert [one.person for one in exact.mentions] == [twin]


def test_offered_are_those_who_see_the_case_first_and_why_others_would_not(
    world: World, carol: User, case: Case
) -> None:
    found = offers(world.actor(world.alice), case, "b")
    shown = [(one.text, str(one.refusal)) for one in found]
    assert ("Bob Bueno", "Cannot see this case") in shown
    assert "Charlie Cruz" not in [one.text for one in found]
    assert next(one.text for one in offers(world.actor(world.alice), case, "")) == "Carol Cano"


def test_marked_names_stand_in_escaped_words() -> None:
    kept = [{"name": "Ana <b>", "person": "x"}, {"name": "Ana", "person": "y"}]
    assert marked("Hola @Ana <b> y @Ana,\n<i>\n\nfin", kept) == (
        '<p>Hola <span class="v-mention">@Ana &lt;b&gt;</span> y '
        '<span class="v-mention">@Ana</span>,<br>&lt;i&gt;</p>\n\n<p>fin</p>'
    )


def test_followers_hear_of_moves_and_of_the_citizen(world: World, carol: User, case: Case) -> None:
    services.follow_case(world.actor(carol), case.uuid)
    alice = world.actor(world.alice)
    services.take_case(alice, case.uuid)
    services.move_case(alice, case.uuid, "start")
    services.record_message(alice, case.uuid, "¿Cómo va?", channel="phone")
    carry_out()
    assert told(carol) == ["moved", "message"]
    assert words(carol) == ["The citizen has written", "Alice Arias moved it to “In progress”"]
    group = selectors.newest(world.actor(carol))[0]
    assert (group.shown.title, len(group.lines), group.unread) == (case.reference, 2, 2)
    assert told(world.alice) == [], "it was Alice who wrote both down"


def test_who_leaves_hears_no_more_and_is_not_taken_in_by_a_mention(
    world: World, carol: User, case: Case
) -> None:
    services.follow_case(world.actor(carol), case.uuid)
    services.unfollow_case(world.actor(carol), case.uuid)
    services.add_note(world.actor(world.alice), case.uuid, "Para @Carol Cano")
    services.add_note(world.actor(world.alice), case.uuid, "Para nadie")
    carry_out()
    assert told(carol) == ["mentioned"]
    row = Follower.objects.unscoped("looking").get(user=carol)
    assert (row.end, row.ended_at is None) == ("left", False)
    kept = AuditEntry.objects.unscoped("looking").filter(data__has_key="followed")
    assert list(kept.order_by("id").values_list("data__followed", flat=True)) == [True, False]


def test_who_loses_the_right_hears_nothing_and_sees_neither_title_nor_link(
    world: World, boss: User, carol: User, case: Case
) -> None:
    services.follow_case(world.actor(carol), case.uuid)
    services.add_note(world.actor(world.alice), case.uuid, "Uno")
    carry_out()
    assert told(carol) == ["noted"]
    services.change_unit(world.actor(boss), case.uuid, world.other_unit.uuid, reason="Es suyo")
    services.add_note(world.actor(world.bob), case.uuid, "Dos")
    carry_out()
    assert told(carol) == ["noted"]
    assert Follower.objects.unscoped("looking").get(user=carol).end == "lost"
    (group,) = selectors.newest(world.actor(carol))
    assert (group.shown, [line.words for line in group.lines]) == (None, [""])


def test_a_case_that_becomes_specially_protected_is_heard_of_no_more(
    world: World, boss: User, carol: User, case: Case
) -> None:
    services.follow_case(world.actor(carol), case.uuid)
    services.change_confidentiality(
        world.actor(boss), case.uuid, Confidentiality.SPECIAL, reason="Violencia"
    )
    services.add_note(world.actor(boss), case.uuid, "Cuidado @Carol Cano")
    carry_out()
    assert told(carol) == []
    assert Follower.objects.unscoped("looking").get(user=carol).end == "lost"


def test_a_suspended_person_is_told_nothing(
    world: World, carol: User, case: Case, django_assert_num_queries: Any
) -> None:
    services.follow_case(world.actor(carol), case.uuid)
    Membership.objects.filter(user=carol).update(suspended_at="2026-01-01T00:00:00Z")
    services.add_note(world.actor(world.alice), case.uuid, "Para @Carol Cano")
    carry_out()
    assert told(carol) == []


def test_who_chose_silence_of_a_kind_has_none(world: World, carol: User, case: Case) -> None:
    choose(world.actor(carol), {"mentioned": (False, "none"), "noted": (False, "daily")})
    services.follow_case(world.actor(carol), case.uuid)
    services.add_note(world.actor(world.alice), case.uuid, "Para @Carol Cano")
    services.add_note(world.actor(world.alice), case.uuid, "Sigo")
    carry_out()
    rows = Notification.objects.unscoped("looking").filter(user=carol)
    assert list(rows.order_by("id").values_list("kind", "in_console", "mail")) == [
        ("noted", False, "daily"),
        ("noted", False, "daily"),
    ]
    assert selectors.unread(world.actor(carol)) == 0
    assert not StreamEvent.objects.filter(stream=f"news:{carol.uuid}").exists()


def test_who_answers_follows_unless_they_chose_not_to(
    world: World, carol: User, case: Case
) -> None:
    choose(world.actor(carol), {}, switched={"follow_answered": False})
    services.send_message(world.actor(world.alice), case.uuid, "Buenos días")
    services.send_message(world.actor(carol), case.uuid, "Buenas tardes")
    carry_out()
    rows = Follower.objects.unscoped("looking").values_list("user", "why")
    assert list(rows) == [(world.alice.pk, "answered")]


def test_who_had_a_case_goes_on_following_it_if_they_chose_so(
    world: World, boss: User, carol: User, case: Case
) -> None:
    choose(world.actor(world.alice), {}, switched={"follow_had": True})
    services.take_case(world.actor(world.alice), case.uuid)
    services.assign_case(world.actor(boss), case.uuid, carol.uuid)
    services.assign_case(world.actor(boss), case.uuid, world.alice.uuid)
    carry_out()
    rows = Follower.objects.unscoped("looking").values_list("user", "why")
    assert list(rows) == [(world.alice.pk, "had")]


def test_a_bulk_action_is_one_piece_of_news(world: World, boss: User) -> None:
    from cases.services.writing import in_batch
    from crm.kit.models import uuid7

    cases = [CaseFactory(unit=world.unit) for _ in range(3)]
    with in_batch(uuid7()):
        for one in cases:
            services.assign_case(world.actor(boss), one.uuid, world.alice.uuid)
    carry_out()
    assert words(world.alice) == ["Sara Soto gave you this case and others in a bulk action"]


def test_of_a_merge_the_followers_hear_of_the_case_that_stays(
    world: World, carol: User, case: Case
) -> None:
    from cases.services.merging import merge_cases, undo_case_merge

    other = CaseFactory(unit=world.unit, case_type=case.case_type)
    services.follow_case(world.actor(carol), case.uuid)
    services.follow_case(world.actor(world.alice), case.uuid)
    services.follow_case(world.actor(carol), other.uuid)
    alice = world.actor(world.alice)
    merge = merge_cases(alice, case.uuid, other.uuid, reason="Lo mismo")
    rows = Follower.objects.unscoped("looking")
    assert set(rows.filter(case=other).values_list("user", flat=True)) == {
        carol.pk,
        world.alice.pk,
    }
    undo_case_merge(alice, merge.uuid, reason="No lo era")
    assert set(rows.filter(case=case).values_list("user", flat=True)) == {
        carol.pk,
        world.alice.pk,
    }
    assert set(rows.filter(case=other).values_list("user", flat=True)) == {carol.pk}


def test_a_stranger_follows_nothing(world: World, case: Case) -> None:
    for one in (world.bob, world.charlie):
        with pytest.raises(NotFound):
            services.follow_case(world.actor(one), case.uuid)
    assert not Follower.objects.unscoped("looking").exists()


def test_choices_that_do_not_exist_are_refused(world: World) -> None:
    from crm.kit.errors import Invalid

    for ways in ({"nothing": (True, "now")}, {"mentioned": (True, "weekly")}):
        with pytest.raises(Invalid):
            choose(world.actor(world.alice), ways)
    assert not Choice.objects.unscoped("looking").exists()
