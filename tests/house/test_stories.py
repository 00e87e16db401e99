"""Whatever a room has of a citizen stands in the citizen's one timeline, and in their sealed history."""

from collections.abc import Callable

import pytest
from django.apps import apps

from campaigns.models import Delivery
from campaigns.services import launching
from channels_app.models import Conversation
from crm.citizens import story
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint
from crm.kit.registry import Registry
from crm.kit.stories import UNTOLD
from tests.factories.campaigns import approved, say
from tests.factories.citizens import ContactPointFactory
from tests.house.estate import Estate, Side

pytestmark = pytest.mark.django_db

# What has a citizen, by its model, and the story that tells it.
TOLD = {
    "citizens.CitizenRecord": "record",
    "citizens.Identifier": "record",
    "citizens.ContactPoint": "record",
    "citizens.Merge": "record",
    "cases.Case": "case",
    "cases.Participant": "case",
    "channels_app.Conversation": "conversation",
    "scheduling.Appointment": "appointments",
    "campaigns.Delivery": "campaign",
}
# What has one and is no part of what happened with them, and why.
UNTOLD_OF = {
    "citizens.Citizen": "whoever was merged is the same person",
    "citizens.DuplicatePair": "a question about two people, no fact of either",
    "citizens.Relation": "told by the record's story, as acts on the citizen",
    "citizens.Mandate": "told by the record's story, as acts on the citizen",
    "citizens.AuthorisedProfessional": "told by the record's story, as acts on the citizen",
    "cases.Representation": "who spoke in a case stands on its events",
    "cases.RepresentativeAccess": "a code that was sent; using it stands in the audit trail",
    "cases.FrozenAnswer": "kept in a case, whose story tells it",
    "reporting.IssuedHistory": "a copy of the story; that it was made stands in the audit trail",
}


def test_every_model_that_has_a_citizen_is_told_or_says_why_not() -> None:
    having = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete
        and field.related_model in (Citizen, CitizenRecord)
        and not any(one.name == "pgh_id" for one in model._meta.get_fields())  # their versions
    }
    assert having == {*TOLD, *UNTOLD_OF}
    assert {*TOLD.values()} == {*story.stories}


@pytest.fixture
def met(estate: Estate) -> Side:
    """A citizen whom every room has met."""
    here = estate.here
    Conversation.objects.unscoped("test").filter(pk=here.conversation.pk).update(
        citizen=here.citizen
    )
    point = ContactPointFactory(
        citizen=here.citizen,
        organisation=here.organisation,
        channel=Channel.EMAIL,
        address="todas@puertas.example",
        quality=ContactPoint.Quality.GOOD,
        preferred=True,
    )
    say(here.organisation, point, here.topic, "granted")
    campaign = approved(here.organisation, here.topic)
    launching.launch(campaign.pk)
    mine = Delivery.objects.unscoped("test").filter(run__campaign=campaign, citizen=here.citizen)
    row = mine.get()
    row.status, row.settled_at = Delivery.Status.SENT, row.created_at
    row.save()
    return here


def test_every_story_tells_of_the_citizen_in_the_timeline_and_on_paper(met: Side) -> None:
    assert silent(met) == []


def test_a_room_that_forgets_is_found(met: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the test above can fail: each story alone is made to tell nothing."""
    for name in [*story.stories]:
        others: Registry[story.Story] = Registry("story")
        for known, told in story.stories.items():
            tell: Callable[..., list[story.Moment]] = (
                (lambda *_args: []) if known == name else told.tell
            )
            others.register(known, story.Story(told.groups, tell, told.permission))
        with monkeypatch.context() as patch:
            patch.setattr(story, "stories", others)
            assert silent(met) == [name]


def silent(side: Side) -> list[str]:
    """The stories that have nothing to tell of the side's citizen, or do not say how on paper."""
    found = []
    for name, told in story.stories.items():
        newest = told.tell(side.actor, side.citizen, story.Asked())
        whole = told.tell(side.actor, side.citizen, story.Asked(limit=1_000_000, whole=True))
        if not newest or not any(moment.telling is not UNTOLD for moment in whole):
            found.append(name)
    return found
