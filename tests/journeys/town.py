"""The people, citizens and cases that the journeys meet; each journey changes only its own cases."""

from dataclasses import dataclass, field

from django.utils import translation

from campaigns.models import Campaign, Delivery
from campaigns.services import launching
from campaigns.tokens import token_for
from cases import services
from cases.models import Case
from crm.accounts.models import User
from crm.citizens.models import Channel, Citizen, ContactPoint
from crm.kit.management.commands.prepare import sync_schedules
from crm.organisations.models import Organisation, Unit
from tests.factories.accounts import acting, employee
from tests.factories.campaigns import approved, say, topic_of
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.organisations import OrganisationFactory, UnitFactory

FIELDS = {
    "type": "object",
    "properties": {"amount": {"type": "number", "title": "Amount asked for", "minimum": 0}},
}


@dataclass
class Town:
    """An institute with two counters."""

    organisation: Organisation
    north: Unit
    south: Unit
    supervisor: User
    agent: User
    colleague: User
    administrator: User
    newcomer: User
    auditor: User
    leaving: User
    communicator: User
    citizen: Citizen
    campaign: Campaign | None = None
    recipient: str = ""  # the token in the links of the campaign's message
    cases: dict[str, Case] = field(default_factory=dict)


def build() -> Town:
    """Everything by the product's own verbs, in English, whose words the journeys look for."""
    with translation.override("en"):
        sync_schedules()
        town = _people()
        types = {
            "case_type": CaseTypeFactory(
                organisation=town.organisation,
                code="grant",
                name="Housing grant",
                fields=FIELDS,
                term="30wd",
            )
        }
        agent = acting(town.agent)
        for name, subject in {
            "contested": "Two people write at once",
            "live": "Seen by two people",
            "draft": "A thought not finished",
            "watched": "Opened by somebody who is sent away",
        }.items():
            town.cases[name] = CaseFactory(
                actor=agent, unit=town.north, subject=subject, citizen=town.citizen, **types
            )
        for number in range(1, 6):
            town.cases[f"heap{number}"] = CaseFactory(
                actor=agent, unit=town.north, subject=f"One of the heap {number}", **types
            )
        town.cases["video"] = CaseFactory(
            actor=agent, unit=town.north, subject="Asked by video", channel="video", **types
        )
        town.cases["south"] = CaseFactory(
            unit=town.south, subject="A matter of the southern counter", **types
        )
        _campaign(town)
        services.add_note(agent, town.cases["live"].uuid, "Called, nobody answered.")
        services.send_message(agent, town.cases["live"].uuid, "We have received your request.")
        return town


def _campaign(town: Town) -> None:
    """One that is being sent while the journeys go on, and the topic of those that they write."""
    topic = topic_of(town.organisation, "Workshops")
    point = ContactPoint.objects.get(citizen=town.citizen)
    say(town.organisation, point, topic, "granted")
    town.campaign = approved(town.organisation, topic, name="Workshops of the spring")
    launching.launch(town.campaign.pk)
    town.campaign = Campaign.objects.select_related("segment", "template").get()
    town.recipient = token_for(Delivery.objects.get().uuid)


def _people() -> Town:
    organisation = OrganisationFactory(code="INST", name="Instituto de Prueba")
    north = UnitFactory(organisation=organisation, code="NORTH", name="North counter")
    south = UnitFactory(organisation=organisation, code="SOUTH", name="South counter")
    citizen = CitizenFactory(
        name="Remedios", surname1="Zafra", surname2="Quintanilla", organisation=organisation
    )
    ContactPointFactory(
        citizen=citizen,
        organisation=organisation,
        channel=Channel.EMAIL,
        address="remedios@example.org",
    )

    def person(
        name: str, *roles: str, unit: Unit | None = None, works_in: Unit | None = None
    ) -> User:
        address = f"{name.split()[0].lower()}@journeys.example"
        user = employee(
            organisation, *roles, unit=unit, full_name=name, email=address, language="en"
        )
        if works_in is not None:
            user.memberships.update(unit=works_in)
        return user

    return Town(
        organisation=organisation,
        north=north,
        south=south,
        supervisor=person("Sonia Supervisora", "supervisor", unit=north),
        agent=person("Alba Agente", "agent", unit=north),
        colleague=person("Bruno Bastida", "agent", unit=north),
        administrator=person("Adela Administradora", "administrator"),
        newcomer=person("Nuria Nueva", works_in=south),
        auditor=person("Aurelio Auditor", "auditor"),
        leaving=person("Leandro Leal", "agent", unit=north),
        communicator=person("Carla Comunica", "communications"),
        citizen=citizen,
    )
