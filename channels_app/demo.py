"""The demo's web chats: queues with people, three months of conversations, and a desk at work today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.utils import timezone

from cases.models import CaseType
from channels_app.email import demo as mail_demo  # noqa: F401 - registers its own
from channels_app.models import (
    AccountKind,
    AgentSlot,
    Author,
    ChannelAccount,
    ConsentText,
    ContactReason,
    Conversation,
    ConversationEvent,
    Delivery,
    Direction,
    EventKind,
    Message,
    PauseReason,
    Queue,
    QueueMember,
    State,
    WorkItem,
    WrapUpCode,
)
from crm.accounts.actors import system_actor
from crm.accounts.demo import address
from crm.accounts.models import Membership, User
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.actor import Door, Kind, Origin
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations.calendars import Interval
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Layer, Organisation, Unit, WorkingCalendar
from crm.organisations.services import create_calendar, set_weekly_hours

DAYS = 90  # of history
TALKS = {INSTITUTE: 260, TOWN: 140}
_HOUSE = {INSTITUTE: "DP28", TOWN: "OAC"}
_CASE_TYPE = "quejas"  # what is left out of hours becomes this
_AGENTS = {
    INSTITUTE: ("agente", "supervision", "alvaro.marin", "ines.caballero", "tomas.pastor"),
    TOWN: ("agente", "raul.santos", "amparo.gallego"),
}


@dataclass(frozen=True)
class Talk:
    """What is said in one conversation, the citizen first."""

    reason: str
    lines: tuple[str, ...]
    code: str


_TALKS = {
    INSTITUTE: (
        Talk(
            "prestaciones",
            (
                "Buenos días, he solicitado la pensión de viudedad y no sé en qué estado está.",
                "Buenos días. Su solicitud está en estudio; falta el certificado de matrimonio.",
                "¿Lo puedo mandar por la sede?",
                "Sí, en «Aportar documentación» de su expediente. Le llega el justificante al momento.",
                "Muchas gracias, lo hago ahora.",
            ),
            "informada",
        ),
        Talk(
            "prestaciones",
            (
                "Hola, nació mi hija el lunes. ¿Cuánto tiempo tengo para pedir el permiso?",
                "Enhorabuena. Las seis primeras semanas son seguidas al nacimiento; el resto, hasta que cumpla un año.",
                "¿Y lo pide la empresa o yo?",
                "La prestación la solicita usted; la empresa solo envía el certificado.",
            ),
            "resuelta",
        ),
        Talk(
            "certificados",
            (
                "Necesito un informe de vida laboral para hoy y la página me da error.",
                "Puede pedirlo con un código a su móvil, sin certificado. ¿Tiene el teléfono registrado?",
                "Creo que es el número antiguo.",
                "Entonces hay que cambiarlo en una oficina con su documento. Le busco la más cercana.",
            ),
            "derivada",
        ),
        Talk(
            "certificados",
            (
                "¿El certificado de estar al corriente sirve para una subvención?",
                "Sí, vale seis meses desde su fecha.",
            ),
            "informada",
        ),
    ),
    TOWN: (
        Talk(
            "padron",
            (
                "Hola, ¿qué llevo para empadronarme con mi pareja, que ya vive aquí?",
                "Buenos días. Su documento de identidad y la autorización firmada de su pareja, con copia del suyo.",
                "¿Hace falta cita?",
                "Sí, pero hay huecos mañana. ¿Le va bien por la tarde?",
                "Perfecto, gracias.",
            ),
            "resuelta",
        ),
        Talk(
            "general",
            (
                "La farola de mi portal lleva una semana apagada.",
                "Gracias por avisar. ¿Me dice la calle y el número?",
                "Calle del Río, 14.",
                "Abro el aviso ahora mismo; recibirá el número por correo.",
            ),
            "caso",
        ),
        Talk(
            "general",
            ("¿A qué hora abre la biblioteca los sábados?", "De diez a dos. Los domingos cierra."),
            "informada",
        ),
    ),
}
_CODES = (
    ("resuelta", "Resuelta"),
    ("informada", "Información dada"),
    ("caso", "Se abrió un caso"),
    ("derivada", "Derivada a otro servicio"),
    ("sin-respuesta", "El ciudadano dejó de responder"),
)
_REASONS = {
    INSTITUTE: (
        ("prestaciones", "Mi prestación o pensión"),
        ("certificados", "Certificados e informes"),
    ),
    TOWN: (("general", "Consultas y avisos"), ("padron", "Padrón municipal")),
}
_CONSENT = {
    "es": "{name} trata lo que escriba para atender su consulta (art. 6.1.e RGPD). Se conserva dos años. "
    "Puede pedir acceso, rectificación o supresión a su delegado de protección de datos.",
    "ca": "{name} tracta el que escrigui per atendre la seva consulta (art. 6.1.e RGPD). Es conserva dos anys.",
    "gl": "{name} trata o que escriba para atender a súa consulta (art. 6.1.e RXPD). Consérvase dous anos.",
    "eu": "{name}(e)k idazten duzuna zure kontsultari erantzuteko erabiltzen du (DBEO 6.1.e art.). Bi urtez gordetzen da.",
    "fr": "{name} traite ce que vous écrivez pour répondre à votre demande (art. 6.1.e RGPD). Conservé deux ans.",
    "en": "{name} uses what you write to answer you (art. 6.1.e GDPR). It is kept for two years.",
}
_PAUSES = (("descanso", "Descanso"), ("reunion", "Reunión"), ("formacion", "Formación"))


def fill(demo: Demo) -> None:
    """Both organisations attend a web chat, and have done so for three months."""
    for code, count in TALKS.items():
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        _House(demo, organisation).fill(demo.share(count))


class _House:
    """One organisation's chat."""

    def __init__(self, demo: Demo, organisation: Organisation) -> None:
        self.demo, self.organisation = demo, organisation
        self.dice: Random = demo.dice(f"talks {organisation.code}")
        unit = Unit.objects.unscoped("the demo's own").select_related("organisation")
        self.unit = unit.get(organisation=organisation, code=_HOUSE[organisation.code])
        records = CitizenRecord.objects.unscoped("the demo's own").select_related("citizen")
        self.people = list(
            records.filter(
                organisation=organisation, protected=False, citizen__kind=Citizen.Kind.NATURAL
            ).order_by("pk")[:400]
        )

    def fill(self, count: int) -> None:
        queues = self._queues()
        account = self._account(queues)
        agents = self._agents(list(queues.values()))
        self._past(account, queues, agents, count)
        self._today(account, queues, agents[0])
        self.demo.made["conversations"] += count

    def _queues(self) -> dict[str, Queue]:
        case_type = (
            CaseType.objects.unscoped("the demo's own")
            .filter(organisation=self.organisation, code=_CASE_TYPE)
            .first()
        )
        always = self._always()
        made = {}
        for place, (code, name) in enumerate(_REASONS[self.organisation.code]):
            queue = Queue.objects.create(
                organisation=self.organisation,
                code=code,
                names={"es": name},
                unit=self.unit,
                calendar=always if place == 0 else None,  # the first attends day and night
                case_type=case_type,
                priority=50 + place,
            )
            for position, (key, words) in enumerate(_CODES):
                WrapUpCode.objects.create(
                    queue=queue, code=key, names={"es": words}, position=position
                )
            made[code] = queue
        for position, (code, name) in enumerate(_PAUSES):
            PauseReason.objects.create(
                organisation=self.organisation, code=code, names={"es": name}, position=position
            )
        return made

    def _always(self) -> WorkingCalendar:
        actor = system_actor(self.organisation, Origin(Door.COMMAND))
        home = self.organisation.calendar
        assert home is not None
        calendar = create_calendar(
            actor,
            name="Chat las 24 horas",
            code="CHAT24",
            layer=Layer.UNIT,
            base_id=home.uuid,
        )
        day = (Interval(*(datetime.min.time(),) * 2),)
        set_weekly_hours(actor, calendar.uuid, dict.fromkeys(range(7), day))
        return calendar

    def _account(self, queues: dict[str, Queue]) -> ChannelAccount:
        first = next(iter(queues.values()))
        port = settings.PUBLIC_URL.rpartition(":")[2]
        account = ChannelAccount.objects.create(
            organisation=self.organisation,
            kind=AccountKind.WEB_CHAT,
            code="web",
            name="Chat de atención ciudadana",
            unit=self.unit,
            queue=first,
            public_key=f"demo-{self.organisation.code.lower()}",
            allowed_origins=[settings.PUBLIC_URL, f"http://localhost:{port}"],
            settings={"assistant": self.organisation.code == TOWN},
        )
        for position, (code, queue) in enumerate(queues.items()):
            ContactReason.objects.create(
                account=account, queue=queue, code=code, names=queue.names, position=position
            )
        texts = {
            code: words.format(name=self.organisation.name) for code, words in _CONSENT.items()
        }
        ConsentText.objects.create(account=account, version=1, texts=texts)
        return account

    def _agents(self, queues: Sequence[Queue]) -> list[AgentSlot]:
        boxes = [address(box, self.organisation.code) for box in _AGENTS[self.organisation.code]]
        people = {user.email: user for user in User.objects.filter(email__in=boxes)}
        at_work = Membership.objects.unscoped("the demo's own").filter(
            organisation=self.organisation, user__email__in=boxes
        )
        assert at_work.count() == len(boxes)
        slots = []
        for box in boxes:
            slot = AgentSlot.objects.create(
                organisation=self.organisation, user=people[box], max_units=4
            )
            QueueMember.objects.bulk_create(QueueMember(queue=q, agent=slot) for q in queues)
            slots.append(slot)
        return slots

    # --- what was said

    def _past(
        self,
        account: ChannelAccount,
        queues: dict[str, Queue],
        agents: Sequence[AgentSlot],
        count: int,
    ) -> None:
        talks = _TALKS[self.organisation.code]
        rows = []
        for _ in range(count):
            day = self.demo.now - timedelta(days=self.dice.randint(1, DAYS))
            at = day.replace(
                hour=self.dice.choice((9, 9, 10, 10, 11, 12, 13, 16, 17)),
                minute=self.dice.randint(0, 59),
            )
            rows.append(
                (
                    at,
                    self.dice.choice(talks),
                    self.dice.choice(agents),
                    self.dice.choice(self.people),
                )
            )
        rows.sort(key=lambda row: row[0])
        made = [
            self._conversation(account, queues[talk.reason], at, talk, record, agent)
            for at, talk, agent, record in rows
        ]
        Conversation.objects.bulk_create(made)
        messages: list[Message] = []
        events: list[ConversationEvent] = []
        items: list[WorkItem] = []
        for conversation, (at, talk, agent, _record) in zip(made, rows, strict=True):
            accepted = conversation.accepted_at
            assert accepted is not None
            messages += self._messages(conversation, at, accepted, talk, agent.user)
            events += self._events(conversation, agent.user)
            items.append(
                WorkItem(
                    organisation=self.organisation,
                    conversation=conversation,
                    queue_id=conversation.queue_id or 0,
                    agent=agent,
                    status=WorkItem.Status.DONE,
                    enqueued_at=at,
                    accepted_at=accepted,
                    done_at=conversation.closed_at,
                )
            )
        Message.objects.bulk_create(messages)
        ConversationEvent.objects.bulk_create(events)
        WorkItem.objects.bulk_create(items)

    def _conversation(
        self,
        account: ChannelAccount,
        queue: Queue,
        at: datetime,
        talk: Talk,
        record: CitizenRecord,
        agent: AgentSlot,
    ) -> Conversation:
        waited = timedelta(seconds=self.dice.choice((8, 15, 22, 40, 65, 90, 150, 320)))
        end = at + waited + timedelta(seconds=45 * len(talk.lines) + self.dice.randint(20, 200))
        known = self.dice.random() < 0.6
        code = queue.wrap_up_codes.get(code=talk.code)
        return Conversation(
            organisation=self.organisation,
            account=account,
            unit=self.unit,
            queue=queue,
            owner=agent.user,
            state=State.CLOSED,
            citizen=record.citizen if known else None,
            contact_name=record.citizen.full_name if known else record.citizen.name,
            language=record.language,
            subject=talk.lines[0][:120],
            consent=account.consent_texts.get(),
            consent_at=at,
            opened_at=at,
            accepted_at=at + waited,
            answered_at=at + waited + timedelta(seconds=30),
            last_inbound_at=end,
            last_message_at=end,
            ended_at=end,
            ended_by=Conversation.EndedBy.EMPLOYEE,
            closed_at=end + timedelta(seconds=40),
            wrap_up_code=code,
            last_number=len(talk.lines),
            read_number=len(talk.lines),
            visitor_read_number=len(talk.lines),
        )

    def _messages(
        self, conversation: Conversation, at: datetime, accepted: datetime, talk: Talk, user: User
    ) -> list[Message]:
        made = []
        for number, words in enumerate(talk.lines, 1):
            theirs = number % 2 == 1
            moment = at if number == 1 else accepted + timedelta(seconds=45 * (number - 1))
            made.append(
                Message(
                    conversation=conversation,
                    account_id=conversation.account_id,
                    number=number,
                    at=moment,
                    state_at=moment,
                    direction=Direction.IN if theirs else Direction.OUT,
                    author_kind=Author.CITIZEN if theirs else Author.EMPLOYEE,
                    author=None if theirs else user,
                    author_name=conversation.contact_name if theirs else user.full_name,
                    body=words,
                    state=Delivery.READ,
                )
            )
        return made

    def _events(self, conversation: Conversation, user: User) -> list[ConversationEvent]:
        told = (
            (EventKind.OPENED, conversation.opened_at, 0, None),
            (EventKind.ACCEPTED, conversation.accepted_at, 1, user),
            (EventKind.ENDED, conversation.ended_at, conversation.last_number, user),
        )
        return [
            ConversationEvent(
                conversation=conversation,
                kind=kind,
                at=at or conversation.opened_at,
                after_number=after,
                actor_kind=Kind.USER if who else Kind.SYSTEM,
                actor_id=who.pk if who else None,
                actor_name=who.full_name if who else conversation.contact_name,
                data={"by": "employee"} if kind == EventKind.ENDED else {},
            )
            for kind, at, after, who in told
            if at is not None
        ]

    def _today(self, account: ChannelAccount, queues: dict[str, Queue], agent: AgentSlot) -> None:
        """Two conversations on the known agent's desk, three that wait."""
        now = timezone.now()
        for place, talk in enumerate(
            _TALKS[self.organisation.code][:2] + _TALKS[self.organisation.code][:3]
        ):
            mine = place < 2
            at = now - timedelta(minutes=9 - place)
            record = self.people[place * 7 % len(self.people)]
            lines = talk.lines[:3] if mine else talk.lines[:1]
            row = self._conversation(account, queues[talk.reason], at, talk, record, agent)
            row.state = State.ACTIVE if mine else State.WAITING
            row.owner = agent.user if mine else None
            row.accepted_at = at + timedelta(seconds=20) if mine else None
            row.answered_at = row.accepted_at
            row.ended_at = row.closed_at = row.wrap_up_code = None
            row.ended_by = ""
            row.last_number = len(lines)
            row.read_number = len(lines) - 1 if mine else 0
            row.visitor_read_number = row.read_number
            row.last_inbound_at = row.last_message_at = at + timedelta(minutes=1)
            row.save()
            short = Talk(talk.reason, lines, talk.code)
            Message.objects.bulk_create(
                self._messages(row, at, row.accepted_at or at, short, agent.user)
            )
            ConversationEvent.objects.bulk_create(self._events(row, agent.user))
            WorkItem.objects.create(
                organisation=self.organisation,
                conversation=row,
                queue_id=row.queue_id or 0,
                agent=agent if mine else None,
                status=WorkItem.Status.ACTIVE if mine else WorkItem.Status.QUEUED,
                enqueued_at=at,
                accepted_at=row.accepted_at,
            )
        AgentSlot.objects.unscoped("the demo's own").filter(pk=agent.pk).update(used_units=2)


seeders.register("conversations", Seeder(7, fill))
