"""What the cases tell in a citizen's timeline: to whom, and what never."""

import pytest

from cases import services
from cases.citizen_story import TOLD
from cases.models import Case, Confidentiality
from cases.services.writing import fetch
from crm.citizens import story
from crm.citizens.models import Citizen
from crm.kit.stories import beyond, place
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db
SECRET = "the neighbour says otherwise"


@pytest.fixture
def lucia(world: World) -> Citizen:
    return CitizenFactory(organisation=world.here)


def told(world: World, who: object, citizen: Citizen, *groups: str) -> list[tuple[str, str]]:
    page = story.timeline(world.actor(who), citizen, groups)  # type: ignore[arg-type]
    return [(moment.about, str(moment.text)) for moment in page["moments"]]  # type: ignore[attr-defined]


def worked(world: World, citizen: Citizen) -> Case:
    alice = world.actor(world.alice)
    case = CaseFactory(unit=world.unit, citizen=citizen, actor=alice)
    services.record_message(alice, case.uuid, "Hello", channel="phone")
    services.add_note(alice, case.uuid, SECRET)
    services.take_case(alice, case.uuid)
    return case


def test_the_cases_stand_in_the_citizens_timeline_without_internal_notes(
    world: World, lucia: Citizen
) -> None:
    case = worked(world, lucia)
    texts = [
        "assigned the case to Alice Arias",
        "wrote down what the citizen said",
        "opened the case in Norte",
    ]
    assert told(world, world.alice, lucia) == [(case.reference, text) for text in texts]
    assert told(world, world.alice, lucia, "messages") == [
        (case.reference, "wrote down what the citizen said")
    ]
    assert told(world, world.alice, lucia, "notes") == told(world, world.alice, lucia)
    assert "notes" not in TOLD


def test_who_does_not_see_a_case_is_not_told_of_it(world: World, lucia: Citizen) -> None:
    case = worked(world, lucia)
    supervisor = employee(world.here, "supervisor")
    assert told(world, world.bob, lucia) == []  # another unit
    assert len(told(world, supervisor, lucia)) == 3
    Case.objects.unscoped("test").filter(pk=case.pk).update(confidentiality=Confidentiality.SPECIAL)
    assert told(world, world.alice, lucia) == []
    CitizenFactory(organisation=world.elsewhere)
    assert told(world, world.charlie, lucia) == []


def test_who_takes_part_in_a_case_has_it_in_their_timeline(world: World, lucia: Citizen) -> None:
    other = CitizenFactory(organisation=world.here)
    alice = world.actor(world.alice)
    case = worked(world, other)
    part = services.add_participant(alice, case.uuid, lucia.uuid, "representative")
    assert {about for about, _text in told(world, world.alice, lucia)} == {case.reference}
    services.end_participant(alice, case.uuid, part.uuid)
    assert told(world, world.alice, lucia) == []


def test_many_cases_are_told_with_as_many_queries(
    world: World, lucia: Citizen, django_assert_num_queries: object
) -> None:
    actor = world.actor(world.alice)
    for _number in range(4):
        worked(world, lucia)
    with django_assert_num_queries(7):  # type: ignore[operator] # some for each room that tells
        assert len(story.timeline(actor, lucia)["moments"]) == 12  # type: ignore[arg-type]


def test_no_event_of_one_moment_is_lost_between_pages(world: World, lucia: Citizen) -> None:
    """Beyond a place the rows of its very moment go on by source and number, in both directions."""
    case = fetch(world.actor(world.alice), worked(world, lucia).uuid)
    first = case.events.order_by("seq").first()
    assert first is not None
    at, rows = first.at, case.events.order_by("seq")

    def numbers(edge: str, *, newest_first: bool) -> list[int]:
        found = beyond(rows, "case", edge, newest_first=newest_first, number="seq")
        return list(found.values_list("seq", flat=True))

    assert numbers(place(at, "case", 1), newest_first=True) == []
    assert numbers(place(at, "case", 2), newest_first=True) == [1]
    assert numbers(place(at, "a", 9), newest_first=True) == []
    assert numbers(place(at, "z", 0), newest_first=True) == [1]
    assert numbers(place(at, "case", 1), newest_first=False) == [2, 3, 4]
    assert numbers(place(at, "a", 9), newest_first=False) == [1, 2, 3, 4]
    assert numbers("", newest_first=False) == [1, 2, 3, 4]
