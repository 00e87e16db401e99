"""Two organisations with one of everything in each, and everybody who may come to a door."""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pikepdf
from django.conf import settings
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.client import ClientHandler
from django.utils import timezone

from campaigns.models import AllowedDestination, Campaign, Segment, Suppression, Template
from cases import services as cases
from cases.models import (
    AnswerFile,
    Article,
    BulkAction,
    CannedAnswer,
    Case,
    CaseMerge,
    CaseTransfer,
    CaseType,
    Consultation,
    Distribution,
    Document,
    Draft,
    FrozenAnswer,
    Import,
    Link,
    Macro,
    Message,
    Note,
    Paper,
    Participant,
    Procedure,
    SavedView,
    Task,
    VersionMigration,
)
from cases.services import NewTask
from cases.services.answers import Answer, create_answer, publish_answer
from cases.services.filing import Applicant, file_application
from cases.services.imports import keep_upload
from cases.services.macros import Said, create_macro
from cases.services.merging import merge_cases
from cases.services.versions import start_migration
from cases.services.views import View, save_view
from cases.workflow import simple_bundle
from channels_app import services as channels
from channels_app.models import (
    AgentSlot,
    Attachment,
    ChannelAccount,
    ContactReason,
    Conversation,
    InboundMail,
    Offer,
    OwedAnswer,
    PauseReason,
    Presence,
    Queue,
    WrapUpCode,
)
from channels_app.models import Attachment as ChatAttachment
from channels_app.models import Message as ChatMessage
from channels_app.services import routing, visiting
from crm.accounts.actors import actor_for_client, system_actor
from crm.accounts.models import Absence, ApiClient, Role, RolePermission, User, UserSession
from crm.accounts.services.api_clients import scopes_on_offer
from crm.accounts.services.roles import give_role
from crm.audit.models import AuditEntry
from crm.citizens.keeping import Shown, seal
from crm.citizens.models import (
    Citizen,
    ContactPoint,
    DuplicatePair,
    Identifier,
    Mandate,
    MandatePaper,
    Merge,
    Relation,
    Topic,
)
from crm.citizens.services.mandates import attach_paper, authorise_professional
from crm.citizens.services.merging import merge_citizens
from crm.citizens.services.related import NewRelation, record_relation
from crm.integrations.models import Connection, PublishedService, Subscription, WebhookDelivery
from crm.integrations.outgoing import new_secret
from crm.kit.actor import Actor, Door, Origin
from crm.kit.files import store
from crm.kit.policy import catalogue
from crm.kit.secrets import digest, encrypt
from crm.notices.models import Notification
from crm.notices.services import News, notify
from crm.organisations.models import Organisation, SharingAgreement, Unit, WorkingCalendar
from reporting import facts
from reporting.models import District, Export, HistoryBatch, IssuedHistory, Status, Variant
from scheduling.models import Appointment, BookableService, Closure, Office, Resource
from scheduling.public_forms import written_start
from scheduling.services import Wish, book_appointment
from scheduling.services.setup import add_closure
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.campaigns import draft, parts, topic_of
from tests.factories.cases import ArticleFactory, CaseFactory, CaseTypeFactory, ProcedureFactory
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mandates import make_mandate
from tests.factories.organisations import OrganisationFactory, UnitFactory
from tests.factories.scheduling import at, make_office, make_resource, make_service
from tests.house.mail_estate import mail_of


def _paper() -> bytes:
    """A PDF of one empty page."""
    written = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(written, static_id=True)
    return written.getvalue()


PAPER = _paper()
ROWS = b"ref,subject,opened\nA-1,Farola,2026-01-02\n"
SCOPES = tuple(scopes_on_offer())


@dataclass
class FreeTime:
    """A time that nobody has, as the API and forms write it."""

    start: str
    written: str


@dataclass
class Side:
    """One organisation and one of each thing that an address can name."""

    organisation: Organisation
    unit: Unit
    other_unit: Unit
    everything: User  # holds every permission in the whole organisation
    nothing: User  # works here without any role
    neighbour: User  # holds every permission, in the other unit
    auditor: User
    employee: User  # one to be acted upon
    case_type: CaseType
    drafted: CaseType  # with two versions and a draft
    migration: VersionMigration
    citizen: Citizen
    identifier: Identifier
    point: ContactPoint
    twin: Citizen  # perhaps the same person
    pair: DuplicatePair
    merge: Merge
    case_merge: CaseMerge
    twin_case: Case
    case: Case
    other_case: Case
    third_case: Case
    document: Document
    task: Task
    done_task: Task  # by another, waiting for approval
    paper: Paper
    note: Note
    message: Message
    participant: Participant
    link: Link
    load: Import
    action: BulkAction
    api_action: BulkAction  # asked for by the connected system
    view: SavedView
    history: IssuedHistory
    batch: HistoryBatch
    export: Export
    topic: Topic
    segment: Segment
    template: Template
    campaign: Campaign
    destination: AllowedDestination
    suppression: Suppression
    role: Role
    client: ApiClient
    key: str = field(repr=False)
    bare_client: ApiClient
    bare_key: str = field(repr=False)
    calendar: WorkingCalendar
    agreement: SharingAgreement
    draft: Draft  # of who holds everything
    shared_draft: Draft  # of the employee
    gone_draft: Draft
    api_draft: Draft  # of the connected system
    rule: Distribution
    absence: Absence
    procedure: Procedure
    article: Article
    answer: CannedAnswer
    answer_file: AnswerFile
    macro: Macro
    transfer: CaseTransfer  # of a case of its own, offered to the unit above with a paper
    consultation: Consultation  # about the same
    filed: Case  # by a citizen on the public pages
    office: Office
    service: BookableService
    resource: Resource
    closure: Closure
    appointment: Appointment
    slot: "FreeTime"
    connection: Connection
    frozen: FrozenAnswer
    subscription: Subscription
    delivery: WebhookDelivery
    open311: PublishedService
    mail_account: ChannelAccount
    mail_thread: Conversation
    mail_message: ChatMessage
    mail_failed: ChatMessage
    mail_file: ChatAttachment
    mail_apart: InboundMail
    account: ChannelAccount
    queue: Queue
    wrap_up_code: WrapUpCode
    conversation: Conversation  # attended by who holds everything
    waiting: Conversation
    attachment: Attachment
    contact_reason: ContactReason
    agent_slot: AgentSlot
    pause_reason: PauseReason
    offer: Offer  # rings at who holds everything
    owed_answer: OwedAnswer
    holder: Citizen  # acts for the citizen, by this mandate
    mandate: Mandate
    relation: Relation
    unchecked: Mandate
    mandate_paper: MandatePaper

    @cached_property
    def actor(self) -> Actor:
        """Who may do everything here."""
        return acting(self.everything)

    @property
    def desk(self) -> SimpleNamespace:
        """The desk of who may do everything, as its stream names it."""
        return SimpleNamespace(key=f"{self.organisation.pk}.{self.everything.pk}")

    @property
    def news(self) -> Notification:
        """A piece of news of who may do everything, about a case."""
        told = News("noted", "case", self.case.uuid, "estate", actor_name="Otra persona")
        notify(self.organisation.pk, [self.everything.pk], told)
        rows = Notification.objects.unscoped("a test's own")
        return rows.get(user=self.everything, organisation=self.organisation, key="estate")

    @property
    def reassigned(self) -> SimpleNamespace:
        """Where a supervisor gives a conversation to."""
        return SimpleNamespace(to=f"queue:{self.queue.uuid}")

    @property
    def draft_seen(self) -> SimpleNamespace:
        """What whoever changes the draft has seen."""
        draft = cases.draft_of(self.actor, self.drafted.code)
        return SimpleNamespace(now=cases.draft_seen(draft) if draft else "")

    @property
    def shown(self) -> SimpleNamespace:
        """An answer as it was shown to who may do everything here, and to the machine that may."""
        at, row = timezone.now(), self.connection
        told = Shown(
            citizen=str(self.citizen.uuid),
            connection=str(row.uuid),
            source=row.name,
            legal_basis=row.legal_basis,
            permission=row.permission,
            purpose="Motivo",
            asked_at=at,
            obtained_at=at,
            records=[[["Tipo", "uno"]]],
        )
        machine = actor_for_client(self.client, Origin(Door.API))
        return SimpleNamespace(here=seal(self.actor, told), machine=seal(machine, told))

    @property
    def session(self) -> UserSession:
        """A session of somebody of this organisation who looks at nothing just now."""
        return UserSession.objects.get(user=self.employee)

    @property
    def agent_role(self) -> Role:
        """The front line's role."""
        return Role.objects.get(organisation=self.organisation, code="agent")

    @property
    def entry(self) -> AuditEntry:
        """An entry of this organisation's audit trail."""
        rows = AuditEntry.objects.unscoped("a test's own").order_by("pk")
        found = rows.filter(organisation_id=self.organisation.pk).first()
        assert found is not None
        return found

    def get(self, path: str) -> Any:
        """What `case.uuid` or `role.code` is here; other words stand for themselves."""
        head, dot, attribute = path.partition(".")
        return getattr(getattr(self, head), attribute) if dot and hasattr(self, head) else path


@dataclass
class Estate:
    """Both organisations, and everybody who comes to a door."""

    here: Side
    elsewhere: Side

    def __post_init__(self) -> None:
        """Sign everybody in once; tests take copies, because an address may end a session."""
        here, elsewhere = self.here, self.elsewhere
        self._handler = ClientHandler(enforce_csrf_checks=False)
        self._sessions = {
            "everything": _session(here.everything),  # may do everything here
            "stranger": _session(elsewhere.everything),  # may do everything elsewhere
            "nothing": _session(here.nothing),  # works here and has no role
            "neighbour": _session(here.neighbour),  # may do everything here in the other unit
            "auditor": _session(here.auditor),
        }
        self._keys = {
            "machine": here.key,  # a system connected here with every scope
            "bare_machine": here.bare_key,  # one that may do nothing
            "foreign_machine": elsewhere.key,  # one connected elsewhere with every scope there
        }

    def caller(self, name: str) -> Client:
        """A browser or program of that caller; `nobody` has neither session nor key."""
        key = self._keys.get(name)
        client = Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            raise_request_exception=False,
        )
        client.handler = self._handler  # its middleware is loaded once
        if name in self._sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self._sessions[name]
        else:
            assert key or name == "nobody", name
        return client


@contextmanager
def estate(place: Path) -> Iterator[Estate]:
    """Built in a transaction that is undone at the end; files and keys lie in `place`."""
    for name in ("media", "keys"):
        (place / name).mkdir()
    with (
        override_settings(MEDIA_ROOT=place / "media", KEYS_DIR=place / "keys"),
        transaction.atomic(),
    ):
        found = Estate(side("CASA"), side("OTRA"))
        with connection.cursor() as cursor:  # else every test's end would check all this again
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        yield found
        transaction.set_rollback(True)


def side(code: str) -> Side:
    """An organisation with one of everything; all its texts bear its code."""
    organisation = OrganisationFactory(code=code, name=f"Organismo {code}")
    unit = UnitFactory(organisation=organisation, code="NORTE", name=f"Norte de {code}")
    other_unit = UnitFactory(organisation=organisation, code="SUR", name=f"Sur de {code}")
    boss = employee(organisation, full_name=f"Todo {code}")
    neighbour = employee(organisation, unit=other_unit, full_name=f"Vecina {code}")
    role = _role_with_everything(organisation)
    system = system_actor(organisation, ORIGIN)
    give_role(system, boss, role, None)
    give_role(system, neighbour, role, other_unit)
    worker = employee(organisation, "agent", unit=unit, full_name=f"Persona {code}")
    _session(worker)
    actor = acting(boss)
    case_type = CaseTypeFactory(
        organisation=organisation,
        code=f"tipo-{code.lower()}",
        name=f"Tipo {code}",
        bundle={
            **simple_bundle(),
            "papers": [{"code": "plano", "name": f"Plano {code}", "required": False}],
        },
    )
    drafted = CaseTypeFactory(organisation=organisation, code=f"borrador-{code.lower()}")
    cases.publish_version(actor, drafted, simple_bundle(term="3m"))
    cases.start_draft(actor, drafted.code)
    calendar = _calendar(organisation)
    people = [
        CitizenFactory(
            organisation=organisation, name=name, surname1=f"Apellido {code}", surname2="Prueba"
        )
        for name in ("Lucía", "Mateo")
    ]
    point = ContactPointFactory(citizen=people[0], organisation=organisation)
    case, other_case, third_case = (
        CaseFactory(unit=unit, case_type=case_type, citizen=people[0], subject=f"{subject} {code}")
        for subject in ("Asunto", "Otro asunto", "Tercer asunto")
    )
    cases.take_case(actor, case.uuid)
    document = cases.attach_document(actor, case.uuid, [PAPER], f"papel-{code}.pdf")
    done_task = cases.add_task(
        actor, case.uuid, NewTask(title=f"Hecha {code}", needs_approval=True)
    )
    cases.finish_task(acting(worker), done_task.uuid)
    done_task.refresh_from_db()
    load = keep_upload(actor, [gzip.compress(ROWS + code.encode())], f"filas-{code}.csv.gz", unit)
    action = BulkAction.objects.create(
        organisation=organisation,
        action="move",
        arguments={"move": "start"},
        status=BulkAction.Status.READY,
        total=2,
        looked=2,
        refused=1,
        requested_by=boss,
    )
    for number, (one, reason) in enumerate(((case, f"Motivo {code}"), (other_case, ""))):
        action.rows.create(case=one, number=number, reason=reason)
    view = save_view(
        actor, View(name=f"Vista {code}", expression="state:open", audience="organisation")
    )
    history = _history(case, boss)
    batch = HistoryBatch.objects.create(
        organisation=organisation,
        variant=Variant.FULL,
        cases=[case.uuid],
        status=Status.DONE,
        done=1,
        requested_by=boss,
        requested_by_name=boss.full_name,
        finished_at=timezone.now(),
    )
    batch.histories.add(history)
    procedure = ProcedureFactory(
        unit=unit, case_type=case_type, code=f"tramite-{code.lower()}", name=f"Trámite {code}"
    )
    export = _export(organisation, boss)
    mailbox = f"buzon-{code.lower()}@correo.example"
    ContactPointFactory(
        citizen=people[0],
        organisation=organisation,
        channel="email",
        address=mailbox,
        address_key=mailbox,
    )
    topic = topic_of(organisation, f"Tema {code}")
    segment, template = parts(organisation)
    twin, pair, merge = _twins(organisation, actor, code, people[0])
    twin_case, whole, part = (
        CaseFactory(unit=unit, case_type=case_type, citizen=people[0], subject=f"Gemelo {code}")
        for _number in range(3)
    )
    case_merge = merge_cases(actor, part.uuid, whole.uuid, reason=f"Un asunto {code}")
    client, key = _system(organisation, SCOPES)
    api_action = BulkAction.objects.create(
        organisation=organisation,
        action="move",
        arguments={"move": "start"},
        status=BulkAction.Status.READY,
        total=1,
        looked=1,
        client=client,
    )
    api_action.rows.create(case=case, number=1)
    bare_client, bare_key = _system(organisation, ())
    made = Side(
        organisation=organisation,
        unit=unit,
        other_unit=other_unit,
        everything=boss,
        twin=twin,
        pair=pair,
        merge=merge,
        case_merge=case_merge,
        twin_case=twin_case,
        nothing=employee(organisation, unit=unit, full_name=f"Nada {code}"),
        neighbour=neighbour,
        auditor=employee(organisation, "auditor", full_name=f"Audita {code}"),
        employee=worker,
        case_type=case_type,
        drafted=drafted,
        migration=start_migration(actor, drafted.code, 1, 2),
        citizen=people[0],
        identifier=people[0].identifiers.get(),
        point=point,
        case=case,
        other_case=other_case,
        third_case=third_case,
        document=document,
        task=cases.add_task(actor, case.uuid, NewTask(title=f"Tarea {code}")),
        done_task=done_task,
        paper=case.papers.get(),
        note=cases.add_note(actor, case.uuid, f"Nota {code}"),
        message=cases.record_message(actor, case.uuid, f"Mensaje {code}", channel="phone"),
        participant=cases.add_participant(actor, case.uuid, people[1].uuid, "witness"),
        link=cases.link_cases(actor, case.uuid, other_case.uuid),
        load=load,
        action=action,
        api_action=api_action,
        view=view,
        history=history,
        batch=batch,
        export=export,
        topic=topic,
        segment=segment,
        template=template,
        campaign=draft(actor, topic, segment, template, name=f"Campaña {code}"),
        destination=AllowedDestination.objects.get(organisation=organisation),
        suppression=Suppression.objects.create(
            organisation=organisation,
            channel="email",
            address_hash=digest(f"nadie-{code}"),
            reason=Suppression.Reason.MANUAL,
        ),
        role=role,
        client=client,
        key=key,
        bare_client=bare_client,
        bare_key=bare_key,
        calendar=calendar,
        agreement=_agreement(organisation),
        **_drafts(case, boss, worker, client),
        rule=Distribution.objects.create(organisation=organisation, unit=unit),
        absence=_absence(organisation, worker),
        procedure=procedure,
        article=ArticleFactory(
            unit=unit, title=f"Pregunta {code}", body=f"Respuesta {code}", code="pregunta"
        ),
        **_answers(system, code),
        filed=_filed(system, procedure, code),
        **_handed(actor, unit, case_type, document),
        **_agenda(organisation, unit, actor, people[0]),
        connection=_connection(organisation),
        frozen=_frozen(case),
        **_told(organisation),
        open311=PublishedService.objects.create(
            organisation=organisation,
            code=f"servicio-{code.lower()}",
            name=f"Servicio {code}",
            case_type=case_type.code,
            unit=unit,
        ),
        **mail_of(unit, case_type.code, PAPER),
        **_talks(unit, boss, code),
        **_mandates(actor, people[0], people[1]),
    )
    for row in (case, other_case):
        row.refresh_from_db()  # their versions have gone on meanwhile
    District.objects.create(
        organisation=organisation, name=f"Distrito {code}", latitude=40.3, longitude=-3.4
    )
    facts.rebuild(organisation)
    return made


def _mandates(actor: Actor, grantor: Citizen, holder: Citizen) -> dict[str, Any]:
    """A mandate with its proof, and one that nobody has checked; the holder is authorised in RED."""
    made = make_mandate(actor, grantor, holder)
    authorise_professional(actor, holder.uuid, "123456")
    return {
        "holder": holder,
        "mandate": made,
        "relation": record_relation(actor, grantor.uuid, NewRelation(holder.uuid, "employer")),
        "unchecked": make_mandate(actor, grantor, holder, acts=["inform"], checked=False),
        "mandate_paper": attach_paper(actor, made.uuid, [PAPER], "poder.pdf"),
    }


def _answers(system: Actor, code: str) -> dict[str, Any]:
    """A canned answer that all employees have, and the file that goes with it."""
    said = Answer(
        code="saludo",
        name=f"Saludo {code}",
        audience="organisation",
        texts={"es": "Hola, ((citizen)):"},
    )
    answer = publish_answer(system, create_answer(system, said).uuid)
    file = AnswerFile.objects.create(
        answer=answer,
        name=f"{code}.pdf",
        media_type="application/pdf",
        size=4,
        sha256=hashlib.sha256(code.encode()).hexdigest(),
        scan="clean",
    )
    steps = [{"act": "note", "body": "Visto"}]
    macro = create_macro(system, Said(name=f"Anotar {code}", audience="organisation", steps=steps))
    return {"answer": answer, "answer_file": file, "macro": macro}


def _filed(system: Actor, procedure: Procedure, code: str) -> Case:
    """A case that somebody unknown filed."""
    applicant = Applicant(name="Sin", surname1=f"Comprobar {code}", email="sin@example.org")
    filed = file_application(
        system, procedure.code, key=uuid4(), applicant=applicant, answers={}, request=f"Pido {code}"
    )
    return filed.case


def _handed(actor: Actor, unit: Unit, case_type: CaseType, document: Document) -> dict[str, Any]:
    """A case that is offered to the unit above and about which that is asked."""
    above = unit.parent
    assert above is not None
    handed = CaseFactory(unit=unit, case_type=case_type, subject="Asunto que cambia de manos")
    words = f"Palabras de {actor.organisation_code}"
    transfer = cases.offer_transfer(actor, handed.uuid, above.uuid, comment=words)
    asked = cases.ask_area(actor, handed.uuid, above.uuid, text=words, term="3wd")
    for row in (transfer, asked):
        paper = {"id": str(document.uuid), "name": document.name, "sha256": document.sha256}
        row.packet = {"documents": [{**paper, "size": document.size}]}
        row.save()
    return {"transfer": transfer, "consultation": asked}


def _agenda(
    organisation: Organisation, unit: Unit, actor: Actor, citizen: Citizen
) -> dict[str, Any]:
    """An office with a desk, a closure far from now, an appointment and a free time."""
    code = organisation.code.lower()
    office = make_office(organisation, unit, code=f"oficina-{code}", name=f"Oficina {code}")
    service = make_service(organisation, code=f"servicio-{code}", name=f"Servicio {code}")
    far = timezone.localdate() + timedelta(days=300)
    resource = make_resource(office, service)
    wish = Wish(service.code, office.code, at("09:00"))
    appointment = book_appointment(actor, wish, citizen=citizen.uuid)
    return {
        "office": office,
        "service": service,
        "resource": resource,
        "closure": add_closure(actor, office.uuid, first=far, last=None, name=f"Cierre {code}"),
        "appointment": appointment,
        "slot": FreeTime(at("11:00").isoformat(), written_start(at("11:00"))),
    }


def _talks(unit: Unit, boss: User, code: str) -> dict[str, Any]:
    """A chat: a conversation that the boss attends, one that rings there, and one that waits."""
    queue = make_queue(unit)
    account = make_account(queue)
    slot = make_agent(boss, queue, units=9)
    actor = acting(boss)
    conversation, _token = begin(account, name=f"Visita {code}")
    channels.take(actor, conversation.uuid)
    attachment = visiting.send_file(conversation, [PAPER], f"adjunto-{code}.pdf").attachments.get()
    ringing, _token = begin(account, name=f"Suena {code}")
    routing.match(unit.organisation_id)
    AgentSlot.objects.filter(pk=slot.pk).update(state=Presence.BUSY)
    waiting, _token = begin(account, name=f"Espera {code}")
    conversation.refresh_from_db()
    return {
        "account": account,
        "queue": queue,
        "wrap_up_code": queue.wrap_up_codes.get(),
        "contact_reason": account.reasons.get(),
        "agent_slot": slot,
        "pause_reason": PauseReason.objects.create(
            organisation=unit.organisation, code="descanso", names={"es": f"Descanso {code}"}
        ),
        "conversation": conversation,
        "waiting": waiting,
        "attachment": attachment,
        "offer": Offer.objects.get(item__conversation=ringing),
        "owed_answer": OwedAnswer.objects.create(
            conversation=waiting, number=1, due_at=timezone.now() + timedelta(hours=1)
        ),
    }


def _role_with_everything(organisation: Organisation) -> Role:
    code = f"todo-{organisation.code.lower()}"
    role = Role.objects.create(organisation=organisation, code=code, name=f"Todo {code}")
    RolePermission.objects.bulk_create(
        RolePermission(role=role, permission=name) for name in catalogue
    )
    return role


def _calendar(organisation: Organisation) -> WorkingCalendar:
    national, _made = WorkingCalendar.objects.get_or_create(
        organisation=None,
        layer="national",
        code="ES",
        defaults={"name": "España", "years": [*range(2020, 2040)]},
    )
    return WorkingCalendar.objects.create(
        organisation=organisation,
        layer="local",
        name=f"Calendario {organisation.code}",
        code="PROPIO",
        base=national,
    )


def _drafts(case: Case, boss: User, worker: User, client: ApiClient) -> dict[str, Draft]:
    def of(name: str, **given: Any) -> Draft:
        text = f"Borrador {name} {case.subject}"
        return Draft.objects.create(case=case, text=text, seen_in=case.pk, **given)

    return {
        "draft": of("propio", kind="reply", author=boss),
        "shared_draft": of("común", kind="note", author=worker, shared_at=timezone.now()),
        "gone_draft": of("tirado", kind="said", author=boss, discarded_at=timezone.now()),
        "api_draft": of("de sistema", kind="reply", client=client),
    }


def _absence(organisation: Organisation, worker: User) -> Absence:
    """Far from now: until then everybody works."""
    starts = timezone.now() + timedelta(days=300)
    return Absence.objects.create(
        organisation=organisation, user=worker, starts_at=starts, ends_at=starts + timedelta(days=9)
    )


def _agreement(organisation: Organisation) -> SharingAgreement:
    """With a third party: both parties of an agreement see it."""
    return SharingAgreement.objects.create(
        giver=organisation,
        receiver=OrganisationFactory(code=f"X{organisation.code}"),
        legal_basis=f"Convenio de {organisation.code}",
        data_classes=["identity"],
        valid=(date(2026, 1, 1), date(2100, 1, 1)),
    )


def _frozen(case: Case) -> FrozenAnswer:
    """What another system said of the case's citizen."""
    at = timezone.now()
    content = f"contenido de {case.reference}"
    return FrozenAnswer.objects.create(
        organisation=case.organisation,
        case=case,
        citizen=case.citizen,
        connection=uuid4(),
        source=f"Registro {case.organisation.code}",
        legal_basis="Ley 39/2015, art. 28.2",
        permission="integrations.consult_systems",
        purpose="Motivo",
        records=[[["Tipo", f"de {case.organisation.code}"]]],
        asked_at=at,
        obtained_at=at,
        frozen_at=at,
        by_name="Alguien",
        content=content,
        sha256=sha256(content.encode()).hexdigest(),
    )


def _connection(organisation: Organisation) -> Connection:
    """To where nobody may call: every look ends at once."""
    return Connection.objects.create(
        organisation=organisation,
        name=f"Registro {organisation.code}",
        base_url="https://127.0.0.1",
        path="/{number}",
        fields=[["Tipo", "tipo"]],
    )


def _told(organisation: Organisation) -> dict[str, Any]:
    """A subscription, and what it was told."""
    subscription = Subscription.objects.create(
        organisation=organisation,
        name=f"Avisos {organisation.code}",
        url="https://127.0.0.1/",
        topics=["cases.moved"],
        secret=encrypt(new_secret()),
    )
    delivery = WebhookDelivery.objects.create(
        organisation=organisation,
        subscription=subscription,
        event=f"{organisation.code}.1",
        topic="cases.moved",
        body="{}",
        status=WebhookDelivery.Status.DELIVERED,
    )
    return {"subscription": subscription, "delivery": delivery}


def _export(organisation: Organisation, boss: User) -> Export:
    kept = store([f"organismo\n{organisation.code}\n".encode()], "cifras.csv")
    return Export.objects.create(
        organisation=organisation,
        subject=Export.Subject.FIGURES,
        form=Export.Form.CSV,
        purpose=f"Memoria {organisation.code}",
        status=Status.DONE,
        path=kept.path,
        sha256=kept.sha256,
        size=kept.size,
        done=1,
        total=1,
        requested_by=boss,
        requested_by_name=boss.full_name,
        finished_at=timezone.now(),
    )


def _history(case: Case, boss: User) -> IssuedHistory:
    kept = store([PAPER], "historial.pdf")
    return IssuedHistory.objects.create(
        organisation=case.organisation,
        case=case,
        variant=Variant.FULL,
        code=f"{case.organisation.code}0000000000000000",
        fingerprint=digest(case.reference),
        sha256=kept.sha256,
        size=kept.size,
        pages=1,
        status=Status.DONE,
        issued_at=timezone.now(),
        requested_by=boss,
        requested_by_name=boss.full_name,
    )


def _system(organisation: Organisation, scopes: tuple[str, ...]) -> tuple[ApiClient, str]:
    """A connected system; the verb gives none without scopes nor audit beside others."""
    prefix = f"{organisation.code.lower()}{len(scopes):02}"
    key = f"vnt_{prefix}_secret"
    client = ApiClient.objects.create(
        organisation=organisation,
        name=f"Sistema {prefix}",
        prefix=prefix,
        key_digest=digest(key),
        scopes=list(scopes),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return client, key


def _session(user: User) -> str:
    """The key of a session of the user."""
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    key = client.session.session_key
    assert key
    return key


def _twins(
    organisation: Organisation, actor: Actor, code: str, person: Citizen
) -> tuple[Citizen, DuplicatePair, Merge]:
    """Somebody who may be a person on record, the proposal, and two records that became one."""
    twin, stays, gone = (
        CitizenFactory(
            organisation=organisation, name=name, surname1=f"Gemelo {code}", surname2="", nif=""
        )
        for name in ("Lucia", "Marta", "Martha")
    )
    one, other = sorted((person, twin), key=lambda citizen: citizen.pk)
    pair = DuplicatePair.objects.create(
        organisation=organisation, one=one, other=other, score=80, reasons=["born_alike"]
    )
    merge = merge_citizens(actor, gone.uuid, stays.uuid, reason=f"La misma persona {code}")
    return twin, pair, merge
