"""Campaigns for tests, made by the real verbs."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign, Segment, Template
from campaigns.services.audiences import allow_destination, create_topic, save_segment
from campaigns.services.drafting import (
    Wanted,
    approve_campaign,
    create_campaign,
    submit_campaign,
)
from campaigns.services.templates import save_template
from crm.accounts.actors import system_actor
from crm.citizens.models import Channel, Citizen, Consent, ContactPoint, Topic
from crm.citizens.services.consents import record_consent
from crm.kit.actor import Actor
from crm.organisations.models import Organisation
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.citizens import CitizenFactory, ContactPointFactory

WORDS = {
    "es": {
        "subject": "Talleres para ((name))",
        "body": "Hola, ((full_name)):\n\nVea el [programa](https://www.val.example/talleres).",
    }
}
EVERYBODY: dict[str, Any] = {"all": []}


def topic_of(
    organisation: Organisation, name: str = "Actividades", kind: str = "informational"
) -> Topic:
    """A topic of the organisation."""
    return create_topic(system_actor(organisation, ORIGIN), name, kind)


def reader(
    organisation: Organisation,
    topic: Topic | None = None,
    *,
    address: str = "",
    language: str = "es",
    state: str = Consent.State.GRANTED,
    **names: Any,
) -> ContactPoint:
    """The mailbox of a new citizen, who has said that of the topic."""
    citizen: Citizen = CitizenFactory(
        organisation=organisation, organisation__language=language, **names
    )
    address = address or f"persona{citizen.pk}@correo.example"
    point: ContactPoint = ContactPointFactory(
        citizen=citizen,
        organisation=organisation,
        channel=Channel.EMAIL,
        address=address,
        address_key=address,
        quality=ContactPoint.Quality.GOOD,
        preferred=True,
    )
    if topic is not None:
        say(organisation, point, topic, state)
    return point


def say(organisation: Organisation, point: ContactPoint, topic: Topic, state: str) -> None:
    """The citizen said so of the topic."""
    actor = system_actor(organisation, ORIGIN)
    record_consent(actor, point, topic, Consent.State(state), source="test", evidence={})


def parts(
    organisation: Organisation, tree: dict[str, Any] | None = None, words: Any = None
) -> tuple[Segment, Template]:
    """An audience and a template; links may lead to val.example."""
    actor = system_actor(organisation, ORIGIN)
    allow_destination(actor, "val.example")
    number = Segment.objects.unscoped("counting for a name").count()
    segment = save_segment(actor, f"Público {number}", tree or EVERYBODY)
    return segment, save_template(actor, f"Plantilla {number}", words or WORDS)


def draft(
    actor: Actor, topic: Topic, segment: Segment, template: Template, **more: Any
) -> Campaign:
    """A draft of the actor's."""
    now = timezone.now()
    given = {
        "name": "Campaña de otoño",
        "topic": topic.uuid,
        "segment": segment.uuid,
        "template": template.uuid,
        "send_at": None,
        "send_not_after": now + timedelta(days=2),
        "values": {},
    }
    return create_campaign(actor, Wanted(**{**given, **more}))


def approved(
    organisation: Organisation, topic: Topic, tree: Any = None, words: Any = None, **more: Any
) -> Campaign:
    """A campaign that one person wrote and another approved."""
    author = acting(employee(organisation, "communications"))
    other = acting(employee(organisation, "communications"))
    row = draft(author, topic, *parts(organisation, tree, words), **more)
    submit_campaign(author, row.uuid)
    return approve_campaign(other, row.uuid)
