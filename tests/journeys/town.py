"""The people, citizens and cases that the journeys meet; each journey changes only its own cases."""

from dataclasses import dataclass, field
from datetime import time, timedelta

from django.utils import timezone, translation

from campaigns.models import Campaign, Delivery
from campaigns.services import launching
from campaigns.services.drafting import submit_campaign
from campaigns.tokens import token_for
from cases import services
from cases.models import CannedAnswer, Case, CaseType, Macro
from cases.services.answers import Answer, create_answer
from cases.services.macros import Said, create_macro
from cases.workflow import simple_bundle
from channels_app import services as channels
from channels_app.models import (
    ChannelAccount,
    ContactReason,
    Conversation,
    PauseReason,
    Presence,
    Queue,
)
from crm.accounts.models import User
from crm.citizens.models import Channel, Citizen, ContactPoint, Topic
from crm.integrations.models import Connection, Subscription
from crm.integrations.services import connections, subscriptions
from crm.kit.management.commands.prepare import sync_schedules
from crm.organisations.calendars import Interval
from crm.organisations.models import Organisation, Unit, WorkingCalendar
from crm.organisations.services import create_calendar, load_public_holidays, set_weekly_hours
from reporting import facts
from reporting.models import District
from scheduling.models import Appointment
from scheduling.selectors import next_free
from scheduling.services import Person, Wish, book_appointment
from tests.factories.accounts import acting, employee
from tests.factories.campaigns import approved, draft, parts, say, topic_of
from tests.factories.cases import (
    ArticleFactory,
    CaseFactory,
    CaseTypeFactory,
    ProcedureFactory,
)
from tests.factories.channels_app import begin, make_account, make_agent, make_queue, never_open
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mail import arrive, letter, make_mailbox
from tests.factories.organisations import OrganisationFactory, UnitFactory
from tests.factories.scheduling import make_office, make_resource, make_service
from tests.journeys.product import LETTERS, free_port

MAILBOX = "mail@town.example"
CLARA = "clara@example.org"
FOREIGN_PORT = free_port()  # of somebody else's web site, which holds the chat

FIELDS = {
    "type": "object",
    "properties": {"amount": {"type": "number", "title": "Amount asked for", "minimum": 0}},
}

# what a building permit plans
TASKS = [
    {"code": "check", "name": "Check the papers", "term": "5wd", "closing": "blocks"},
    {
        "code": "propose",
        "name": "Write the proposal",
        "instructions": "With the facts and the reasons.",
        "after": ["check"],
        "term": "10wd",
        "approval": True,
        "closing": "blocks",
    },
    {"code": "file", "name": "File the copy", "closing": "warns"},
]
PAPERS = [
    {"code": "map", "name": "Map of the place", "required": False},
    {"code": "registry", "name": "Entry of the land registry", "from": "administration"},
]


SERVICE = [
    {"measure": "first_answer", "within": "4h"},
    {"measure": "resolution", "within": "40h", "warn": "75%"},
]


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
    southern: User
    communicator: User
    citizen: Citizen
    appointment: Appointment = field(init=False)
    campaign: Campaign | None = None
    recipient: str = ""  # the token in the links of the campaign's message
    clara: Citizen | None = None  # who comes through every door
    written: Campaign | None = None  # a campaign to her, which nobody has approved yet
    cases: dict[str, Case] = field(default_factory=dict)
    twice: list[Citizen] = field(default_factory=list)  # one person
    chat: ChannelAccount | None = None
    talk: Conversation | None = None  # one that nobody changes, to be looked at
    calendar: WorkingCalendar | None = None
    letter: Conversation | None = None  # an e-mail with hostile formatting, likewise
    mailbox: ChannelAccount | None = None
    connection: Connection | None = None
    subscription: Subscription | None = None
    answer: CannedAnswer | None = None  # the agent's own
    macro: Macro | None = None  # likewise


def build() -> Town:
    """Everything by the product's own verbs, in English, whose words the journeys look for."""
    with translation.override("en"):
        sync_schedules()
        town = _people()
        _always_open(town)
        types = {
            "case_type": CaseTypeFactory(
                organisation=town.organisation,
                code="grant",
                name="Housing grant",
                bundle={**simple_bundle(fields=FIELDS, term="30wd"), "service": SERVICE},
            )
        }
        agent = acting(town.agent)
        for name, subject in {
            "contested": "Two people write at once",
            "live": "Seen by two people",
            "together": "Two at once",
            "apart": "Alone in a tunnel",
            "draft": "A thought not finished",
            "watched": "Opened by somebody who is sent away",
            "answered": "Answered as usual",
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
        town.cases["handed"] = CaseFactory(
            actor=agent, unit=town.north, subject="For the southern counter", **types
        )
        _twice(town)
        CaseTypeFactory(
            organisation=town.organisation,
            code="permit",
            name="Building permit",
            bundle={**simple_bundle(), "tasks": TASKS, "papers": PAPERS},
        )
        _window(town, types["case_type"])
        _chat(town)
        _mail(town)
        _agendas(town)
        _other_systems(town)
        _campaign(town)
        texts = {"es": "su asunto es «((subject))» y su resultado ((outcome))", "ca": "En català"}
        town.answer = create_answer(agent, Answer(code="asunto", name="De su asunto", texts=texts))
        steps = [{"act": "note", "body": "Por macro"}, {"act": "move", "move": "resolve"}]
        town.macro = create_macro(agent, Said(name="Note and resolve", steps=steps))
        services.add_note(agent, town.cases["live"].uuid, "Called, nobody answered.")
        services.send_message(agent, town.cases["live"].uuid, "We have received your request.")
        District.objects.create(
            organisation=town.organisation, name="Old town", latitude=40.3, longitude=-3.44
        )
        harbour = UnitFactory(
            organisation=town.organisation, code="HARBOUR", name="Harbour counter"
        )
        CaseFactory(unit=harbour, subject="A lamp is out", latitude=40.3, longitude=-3.44, **types)
        facts.rebuild(town.organisation)
        return town


def _twice(town: Town) -> None:
    """Somebody who is on record twice, a case under each."""
    for subject, surname2 in (("A first request", "Rueda"), ("A second request", "Ruedas")):
        person = CitizenFactory(
            organisation=town.organisation, name="Mercedes", surname1="Doble", surname2=surname2
        )
        town.twice.append(person)
        CaseFactory(actor=acting(town.agent), unit=town.north, subject=subject, citizen=person)


def _mail(town: Town) -> None:
    """A mailbox with a letter that means harm and one that is not addressed to it."""
    town.mailbox = make_mailbox(
        town.north,
        MAILBOX,
        case_type="grant",
        imap_host="127.0.0.1",
        imap_port=LETTERS,
        imap_security="plain",
    )
    town.mailbox.name = "Citizens' mailbox"
    town.mailbox.secrets = {"imap_password": "secreto"}
    town.mailbox.save()
    html = (
        "<p>Formatted <b>words</b></p><script>alert(1)</script><img src=x onerror=alert(1)>"
        "<img src='https://tracker.example/x.gif'><form action='https://evil.example'></form>"
        "<div style='position:fixed;inset:0;background:url(https://evil.example/x)'>over</div>"
    )
    raw = letter("Formatted words", to=MAILBOX, id="hostile@mail.example", html=html)
    town.letter = arrive(town.mailbox, raw).conversation
    arrive(town.mailbox, letter("Wrongly addressed", to="who@else.example", id="wrong@m.example"))


def _window(town: Town, kind: CaseType) -> None:
    """What citizens find by themselves: a procedure, answers, and a chat that begins with the machine."""
    ProcedureFactory(
        unit=town.north,
        case_type=kind,
        code="housing-grant",
        name="Housing grant",
        summary="Help to pay the rent of your flat.",
        who="Whoever rents a flat in the town.",
        papers="Rental contract\nLast receipts",
        fee="Free of charge",
        silence="denied",
    )
    for code, title, body in (
        (
            "how-much",
            "How much is the housing grant?",
            (
                "The housing grant is **200 euros** a month for a year.\n\n"
                "- It is paid on the first day.\n- You need not give it back."
            ),
        ),
        ("bulky", "When is old furniture collected?", "On Thursday nights, after you have called."),
        ("bikes", "Where can bicycles be parked?", "In the squares and at the station."),
    ):
        ArticleFactory(
            unit=town.north,
            code=code,
            title=title,
            body=body,
            language="en",
            procedures=["housing-grant"] if code == "how-much" else [],
        )
    make_account(
        make_queue(town.north, code="assisted"),
        code="assisted",
        public_key="journey-chat",
        settings={"assistant": True},
    )


def _chat(town: Town) -> None:
    """A web chat with two queues, for whoever serves them, and one conversation in good hands."""
    general = make_queue(town.north, "general")
    tributes = make_queue(town.north, "tributes")
    for queue in (general, tributes):
        Queue.objects.filter(pk=queue.pk).update(names={"en": queue.code.title()})
    town.calendar = never_open(town.organisation)
    closed = make_queue(
        town.north,
        "closed",
        calendar=town.calendar,
        case_type=CaseType.objects.unscoped("a journey's own").get(code="grant"),
    )
    town.chat = make_account(
        general, public_key="journeys", allowed_origins=[f"http://127.0.0.1:{FOREIGN_PORT}"]
    )
    ContactReason.objects.create(
        account=town.chat, queue=closed, code="closed", names={"en": "Out of hours"}, position=9
    )
    PauseReason.objects.create(
        organisation=town.organisation, code="coffee", names={"en": "Coffee"}
    )
    for person in (town.agent, town.colleague):
        make_agent(person, general, tributes, units=3, state=Presence.OFFLINE, heard_at=None)
    make_agent(town.supervisor, tributes, units=3, state=Presence.BUSY)
    town.talk, _token = begin(town.chat, name="Quiet Visitor")
    Conversation.objects.unscoped("a journey's own").update(visitor_digest=None)
    reader = acting(town.supervisor)
    channels.slot_of(reader).memberships.create(queue=general)
    channels.take(reader, town.talk.uuid)
    channels.identify(reader, town.talk.uuid, town.citizen.uuid)
    channels.reply(reader, town.talk.uuid, "Bring your identity card, please.")
    channels.add_note(reader, town.talk.uuid, "She was here yesterday.")


def _agendas(town: Town) -> None:
    """A counter where one books on the web, and one where it is about noon, whatever the hour here."""
    residence = make_service(
        town.organisation, code="residence", name="Residence certificate", max_active_per_citizen=9
    )
    north = make_office(town.organisation, town.north, code="north", name="North counter")
    make_resource(north, residence, name="Desk 1", week=dict.fromkeys(range(7), (_WHOLE_DAY,)))
    now = timezone.now()
    ahead = 12 - now.hour
    far = make_office(
        town.organisation,
        town.north,
        code="far",
        name="Far counter",
        time_zone=f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT",
    )
    photo = make_service(
        town.organisation, code="photo", name="Passport photo", step=5, is_public=False
    )
    make_resource(far, photo, name="Booth", week=dict.fromkeys(range(7), (_WHOLE_DAY,)))
    agent = acting(town.agent)
    (slot,) = next_free(agent, photo, far, now, by_person=False)
    town.appointment = book_appointment(
        agent,
        Wish(
            "residence",
            "north",
            next_free(agent, residence, north, now + timedelta(days=9), by_person=False)[0].start,
        ),
        citizen=town.citizen.uuid,
    )
    book_appointment(
        agent, Wish("photo", "far", slot.start), person=Person(name="Fermina Foto Fernández")
    )


_WHOLE_DAY = Interval(time(0), time(23, 59))


def _other_systems(town: Town) -> None:
    """One that is not asked and one that is told nothing, each with a page."""
    admin = acting(town.administrator)
    town.connection = connections.create_connection(
        admin,
        {
            "name": "Old registry",
            "base_url": "https://registry.example.org",
            "path": "/{number}",
            "fields": "Benefit = benefit",
            "is_active": False,
            "legal_basis": "Ley 39/2015, art. 28.2",
        },
    )
    town.subscription, _secret = subscriptions.create_subscription(
        admin,
        {"name": "Old folder", "url": "https://folder.example.org/", "topics": ["cases.moved"]},
    )
    subscriptions.send_test(admin, town.subscription.uuid)
    subscriptions.stop_subscription(admin, town.subscription.uuid)


def _campaign(town: Town) -> None:
    """One that is being sent while the journeys go on, and the topic of those that they write."""
    topic = topic_of(town.organisation, "Workshops")
    point = ContactPoint.objects.get(citizen=town.citizen)
    say(town.organisation, point, topic, "granted")
    town.campaign = approved(town.organisation, topic, name="Workshops of the spring")
    launching.launch(town.campaign.pk)
    town.campaign = Campaign.objects.select_related("segment", "template").get()
    town.recipient = token_for(Delivery.objects.get().uuid)
    _clara(town, topic)


def _clara(town: Town, topic: Topic) -> None:
    """Somebody on record whom no room has met yet, and a campaign that is for her alone."""
    town.clara = CitizenFactory(
        name="Clara",
        surname1="Puertas",
        surname2="Abiertas",
        organisation=town.organisation,
        organisation__language="en",
    )
    point = ContactPointFactory(
        citizen=town.clara,
        organisation=town.organisation,
        channel=Channel.EMAIL,
        address=CLARA,
        quality=ContactPoint.Quality.GOOD,
    )
    say(town.organisation, point, topic, "granted")
    english = {"all": [{"field": "language", "op": "is", "value": ["en"]}]}
    words = {"es": {"subject": "Workshop for ((name))", "body": "Dear ((full_name)), come."}}
    author = acting(town.communicator)
    audience = parts(town.organisation, english, words)
    town.written = draft(author, topic, *audience, name="Workshops in English")
    submit_campaign(author, town.written.uuid)


def _always_open(town: Town) -> None:
    """The northern counter attends day and night: its service targets run whenever a journey is made."""
    admin = acting(employee(town.organisation, "administrator", email="hours@journeys.example"))
    own = create_calendar(
        admin, name="North", code="NORTH", layer="unit", base_id=load_public_holidays().uuid
    )
    set_weekly_hours(admin, own.uuid, dict.fromkeys(range(7), (Interval(time(0), time(0)),)))
    Unit.objects.unscoped("a journey's own").filter(pk=town.north.pk).update(calendar=own)
    town.organisation.refresh_from_db()
    town.organisation.units_version += 1
    town.organisation.save()
    town.north.refresh_from_db()


def _people() -> Town:
    organisation = OrganisationFactory(code="INST", name="Instituto de Prueba")
    north = UnitFactory(organisation=organisation, code="NORTH", name="North counter")
    south = UnitFactory(organisation=organisation, code="SOUTH", name="South counter")
    citizen = CitizenFactory(
        name="Remedios", surname1="Zafra", surname2="Quintanilla", organisation=organisation
    )
    for name, surname2 in (("Anselmo", "Vidal"), ("Herminia", "Soto")):  # she speaks for him
        CitizenFactory(
            name=name, surname1="Representado", surname2=surname2, organisation=organisation
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
        southern=person("Susana Sur", "supervisor", unit=south),
        communicator=person("Carla Comunica", "communications"),
        citizen=citizen,
    )
