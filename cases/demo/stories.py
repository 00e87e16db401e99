"""One case's life in the demo, written as the verbs of cases.services would have written it.

Verbs take milliseconds each and there are forty thousand of them, so the rows are made here and
written many at once; tests/demo holds them to the case types' own rules.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from cases import clocks
from cases.demo import matters
from cases.demo.cast import Act, Cast, Client, Worker
from cases.demo.matters import Kind, Matter, Words
from cases.models import (
    Case,
    CaseTypeVersion,
    Confidentiality,
    Document,
    Event,
    EventKind,
    Link,
    Message,
    Note,
    Participant,
    StateCategory,
)
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, OPEN_CASE
from cases.workflow import of_version
from crm.citizens.models import Channel
from crm.kit.actor import Actor
from crm.organisations.models import Unit
from crm.organisations.services import calendar_for

DISMISSED = (
    "La persona desiste de la solicitud",
    "Duplicado de otro caso ya en trámite",
    "No se aportó lo requerido en plazo",
    "No es competencia de este organismo",
)
EXTRA_NOTES = (
    "Llama para preguntar cómo va. Se le informa del estado y del plazo.",
    "Comprobado en el registro: no hay más escritos pendientes de incorporar.",
    "Hablado con la unidad de al lado: coinciden en el criterio.",
    "Prefiere que se le llame por la mañana, antes de las 11.",
    "Viene a la oficina acompañada de su hija, que la ayuda con los trámites.",
    "Se le ha mandado por correo el resumen de lo hablado por teléfono.",
)
THANKS = (
    "Muchas gracias por la información. Quedo a la espera.",
    "Recibido, gracias. ¿Saben más o menos cuándo estará?",
    "Gracias por la rapidez. Así da gusto.",
)
NOT_ACCEPTED = "El servidor de correo no acepta la dirección."


Row = Event | Note | Message | Document | Participant
Step = tuple[str, float, Callable[[datetime], None]]  # name, share of the whole time, what happens


class Story:
    """A case with all its rows, growing as it lives."""

    def __init__(
        self,
        cast: Cast,
        dice: Random,
        kind: Kind,
        unit: Unit,
        client: Client | None,
        opened: datetime,
    ) -> None:
        self.cast, self.dice, self.kind, self.client = cast, dice, kind, client
        self.matter: Matter = dice.choice(kind.matters_of(client.citizen.name if client else ""))
        self.words = Words(dice, opened)
        self.rows: list[Row] = []
        self.acts: list[Act] = []
        self.at = opened
        version = cast.versions[kind.code]
        self._workflow = of_version(version.bundle)
        self.case = self._open(version, unit, opened)
        special = self.case.confidentiality == Confidentiality.SPECIAL
        staff = cast.who_works_in(unit, special=special) or cast.who_works_in(unit, special=True)
        self._worker = dice.choice(staff)
        self._tell_opening()

    def _open(self, version: CaseTypeVersion, unit: Unit, opened: datetime) -> Case:
        kind, dice, words = self.kind, self.dice, self.words
        initial = self._workflow.states[self._workflow.initial]
        calendar, term = calendar_for(unit), self._workflow.term
        street = f"{words['calle']}, {words['numero']}" if kind.street else ""
        place = (
            (40.3005 + dice.uniform(-0.009, 0.009), -3.4393 + dice.uniform(-0.012, 0.012))
            if kind.street
            else (None, None)
        )
        levels = [Confidentiality.INTERNAL, Confidentiality.CONFIDENTIAL, Confidentiality.SPECIAL]
        case = Case(
            organisation_id=unit.organisation_id,
            case_type=version.case_type,
            type_version=version,
            state=initial.code,
            category=initial.category,
            unit=unit,
            citizen=self.client.citizen if self.client else None,
            subject=words.fill(self.matter.subject),
            description=words.fill(self.matter.text),
            priority=dice.choices((0, 1, 2, 3), (7, 74, 15, 4))[0],
            confidentiality=dice.choices(levels, (58, 38, 4) if kind.private else (97, 3, 0))[0],
            channel=_channel(dice, kind),
            address=street,
            latitude=place[0],
            longitude=place[1],
            data=self._workflow.fields.kept(matters.data_for(kind, dice, opened)),
            opened_at=opened,
            created_at=opened,
            last_event=0,
        )
        if term:
            case.due_at = clocks.due_at(term, calendar, opened, case.channel)
        return case

    def _tell_opening(self) -> None:
        case = self.case
        by_web = case.channel == Channel.WEB_FORM
        opener = self.cast.portal if by_web else self._worker.actor
        told = {"channel": case.channel, "type": self.kind.name, "unit": case.unit.name}
        self.tell(opener, OPEN_CASE, EventKind.OPENED, told, self.at)
        if self.dice.random() < 0.18:
            self._attach(opener, self.dice.choice(self.cast.book.asks).paper, self.at)
        if self.client and self.dice.random() < 0.07:
            self._represent(opener, self.dice.choice(self.cast.clients))

    def live(self, whole: timedelta, worker: Worker | None = None) -> None:
        """What happens until now, were the case to take this long as a whole."""
        if worker is not None:
            self._worker = worker
        opened = self.case.opened_at
        for _name, share, step in self.plan():
            moment = self._next(opened + whole * share)
            if moment > self.cast.now:
                return
            step(moment)
            self.at = max(self.at, moment)
        if self.dice.random() < 0.035:
            self._take_up_again()

    def live_until(self, stage: str, worker: Worker) -> None:
        """What happens until the stage's step, in the hands of this worker, and no more."""
        self._worker, opened = worker, self.case.opened_at
        steps = self.plan(ask=stage in {"asked", "replied"}, report=stage == "reported")
        last = max(place for place, step in enumerate(steps) if step[0] == stage)
        lived = (self.cast.now - opened) / (steps[last][1] + 0.02)
        for _name, share, step in steps[: last + 1]:
            moment = self._next(opened + lived * share)
            if moment > self.cast.now:
                moment = self.at + (self.cast.now - self.at) / 2
            step(moment)
            self.at = max(self.at, moment)

    def _next(self, wanted: datetime) -> datetime:
        """After what happened last, when somebody is at work."""
        if wanted <= self.at:
            wanted = self.at + timedelta(minutes=self.dice.randint(2, 50))
        return self.cast.at_work(self.case.unit, wanted, self.dice)

    def plan(self, *, ask: bool = False, report: bool = False) -> list[Step]:
        """The steps from opening to end, each with the share of the whole time by which it happens."""
        dice, steps = self.dice, list[Step]()
        steps.append(("assigned", dice.uniform(0.03, 0.06), self._assign))
        steps.append(("started", dice.uniform(0.08, 0.12), self._start))
        steps.append(("noted", dice.uniform(0.15, 0.22), self._note(self.matter.note)))
        if ask or dice.random() < 0.34:
            steps += self._ask()
        if report or dice.random() < 0.2:
            steps += self._report()
        if dice.random() < 0.3:
            steps.append(("noted", 0.76, self._note(dice.choice(EXTRA_NOTES))))
        if dice.random() < 0.05:
            steps.append(("edited", 0.77, self._raise_priority))
        steps += [
            ("assessed", 0.8, self._moving(matters.ASSESS)),
            ("proposed", 0.88, self._moving(matters.PROPOSE)),
        ]
        return [*steps, *self._ending()]

    def _ending(self) -> list[Step]:
        dice = self.dice
        if dice.random() < 0.07:
            return [("ended", 1.0, self._moving(matters.CLOSE, reason=dice.choice(DISMISSED)))]
        answer = self._answer(self.matter.answer)
        outcomes = self.kind.outcomes
        outcome = dice.choices(outcomes, [8, *[2] * (len(outcomes) - 1)])[0]
        return [
            ("answered", 0.985, answer),
            ("ended", 1.0, self._moving(matters.RESOLVE, outcome=outcome)),
        ]

    # --- steps ------------------------------------------------------------------------------------

    def _assign(self, at: datetime) -> None:
        """Most are handed out by who supervises, the rest are taken."""
        self._give(self._worker, at)

    def _give(self, worker: Worker, at: datetime) -> None:
        chiefs = self.cast.who_works_in(self.case.unit, special=True)
        handed = bool(chiefs) and self.dice.random() < 0.6 and worker not in chiefs
        giver = self.dice.choice(chiefs).actor if handed else worker.actor
        told: dict[str, Any] = {"to": worker.user.full_name, "to_id": str(worker.user.uuid)}
        if self.case.assignee is not None:
            told["from"] = self.case.assignee.full_name
        self.case.assignee = worker.user
        permission = ASSIGN_CASE if handed else CHANGE_CASE
        self.tell(giver, permission, EventKind.ASSIGNED, told, at, changed=True)

    def _start(self, at: datetime) -> None:
        self._move(matters.START, at)

    def _note(self, text: str) -> Callable[[datetime], None]:
        def write(at: datetime) -> None:
            author = self._worker
            note = Note(
                case=self.case,
                author=author.user,
                author_name=author.user.full_name,
                body=self.words.fill(text),
                created_at=at,
            )
            self.rows.append(note)
            told = {"note": str(note.uuid)}
            self.tell(author.actor, CHANGE_CASE, EventKind.NOTED, told, at)

        return write

    def _ask(self) -> list[Step]:
        street = self.kind.street
        ask = self.dice.choice([one for one in self.cast.book.asks if one.street <= street])

        def wait(at: datetime) -> None:
            self._send(ask.text, at)
            self._move(matters.ASK, at + timedelta(minutes=1), reason=ask.reason)

        def come(at: datetime) -> None:
            self._receive(ask.reply, at)
            self._attach(self._worker.actor, ask.paper, at + timedelta(minutes=2))
            self._move(matters.BACK, at + timedelta(minutes=4))

        return [("asked", 0.3, wait), ("replied", self.dice.uniform(0.45, 0.55), come)]

    def _report(self) -> list[Step]:
        street = self.kind.street
        report = self.dice.choice([one for one in self.cast.book.reports if one.street <= street])

        def come(at: datetime) -> None:
            self._note(report.note)(at)
            self._move(matters.BACK, at + timedelta(minutes=3))

        return [
            ("reported", 0.6, self._moving(matters.REPORT, reason=report.reason)),
            ("reported back", self.dice.uniform(0.68, 0.75), come),
        ]

    def _answer(self, text: str) -> Callable[[datetime], None]:
        def answer(at: datetime) -> None:
            self._send(text, at)
            if self.client and self.dice.random() < 0.12:
                self._receive(self.dice.choice(THANKS), at + timedelta(minutes=25))

        return answer

    def _raise_priority(self, at: datetime) -> None:
        before = self.case.priority
        if before < Case.Priority.HIGH:
            self.case.priority = Case.Priority.HIGH
            told = {
                "fields": ["priority"],
                "before": {"priority": before},
                "after": {"priority": self.case.priority},
            }
            self.tell(self._worker.actor, CHANGE_CASE, EventKind.EDITED, told, at, changed=True)

    def _take_up_again(self) -> None:
        """The person is not content, and the work is done a second time."""
        complaint, first = self.dice.choice(self.cast.book.complaints), self.at
        steps: list[tuple[int, Callable[[datetime], None]]] = [
            (self.dice.randint(3, 15), lambda at: self._receive(complaint.text, at)),
            (16, self._moving(matters.REOPEN, reason=complaint.reason)),
            (18, self._note(complaint.note)),
            (24, self._answer(complaint.answer)),
            (24, self._moving(matters.RESOLVE, outcome=self.kind.outcomes[0])),
        ]
        for days, step in steps:
            moment = self._next(first + timedelta(days=days))
            if moment > self.cast.now:
                return
            step(moment)
            self.at = max(self.at, moment)

    # --- rows -------------------------------------------------------------------------------------

    def _moving(self, code: str, **given: str) -> Callable[[datetime], None]:
        return lambda at: self._move(code, at, **given)

    def _move(self, code: str, at: datetime, **given: str) -> None:
        """Make the move if the type has it and it leaves the case's state."""
        case, workflow = self.case, self._workflow
        move = workflow.move(code)
        if move is None or case.state not in move.sources:
            return
        target = workflow.target_of(move)
        told = {
            "move": move.code,
            "from": case.state,
            "from_name": workflow.name_of(case.state),
            "to": target.code,
            "to_name": target.name,
            "category": target.category,
            **given,
        }
        case.state, case.category = target.code, target.category
        if target.category >= StateCategory.RESOLVED:
            case.closed_at, case.outcome = at, given.get("outcome", "")
        else:
            case.closed_at, case.outcome = None, ""
        self.tell(self._worker.actor, move.permission, EventKind.MOVED, told, at, changed=True)

    def _send(self, text: str, at: datetime) -> None:
        address = self.client.mailbox if self.client else ""
        failed = bool(address) and self.dice.random() < 0.012
        state = Message.State.RECORDED
        if address:
            state = Message.State.FAILED if failed else Message.State.SENT
        self._say(
            Message(
                case=self.case,
                direction=Message.Direction.OUT,
                channel=Channel.EMAIL if address else self.case.channel,
                address=address,
                author=self._worker.user,
                author_name=self._worker.user.full_name,
                body=self.words.fill(text),
                state=state,
                state_reason=NOT_ACCEPTED if failed else "",
                sent_at=at + timedelta(seconds=4) if state == Message.State.SENT else None,
                created_at=at,
            ),
            Message.State.QUEUED if address else Message.State.RECORDED,
        )

    def _receive(self, text: str, at: datetime) -> None:
        channel = Channel.EMAIL if self.client and self.client.mailbox else self.case.channel
        self._say(
            Message(
                case=self.case,
                direction=Message.Direction.IN,
                channel=channel,
                author_name=self.client.citizen.full_name
                if self.client
                else "Persona sin identificar",
                body=self.words.fill(text),
                state=Message.State.RECORDED,
                created_at=at,
            ),
            Message.State.RECORDED,
        )

    def _say(self, message: Message, first: str) -> None:
        self.rows.append(message)
        told = {
            "message": str(message.uuid),
            "direction": message.direction,
            "channel": message.channel,
            "state": first,
        }
        actor, at = self._worker.actor, message.created_at
        self.tell(actor, CHANGE_CASE, EventKind.MESSAGED, told, at)

    def _attach(self, actor: Actor, paper: str, at: datetime) -> None:
        stored = self.dice.choice(self.cast.papers[paper])
        document = Document(
            organisation_id=self.case.organisation_id,
            case=self.case,
            name=stored.name,
            media_type=stored.media_type,
            size=stored.size,
            sha256=stored.sha256,
            scan=stored.scan,
            origin=Document.Origin.CITIZEN,
            added_by_id=actor.user_id,
            added_by_name=actor.name,
            created_at=at,
        )
        self.rows.append(document)
        told = {
            "document": str(document.uuid),
            "name": document.name,
            "size": document.size,
            "sha256": document.sha256,
        }
        self.tell(actor, CHANGE_CASE, EventKind.ATTACHED, told, at)

    def _represent(self, actor: Actor, by: Client) -> None:
        """Somebody else speaks for the person."""
        who, role = by.citizen, Participant.Role.REPRESENTATIVE
        self.rows.append(Participant(case=self.case, citizen=who, role=role, created_at=self.at))
        told = {"name": who.full_name, "citizen": str(who.uuid), "role": role}
        self.tell(actor, CHANGE_CASE, EventKind.PARTICIPANT_ADDED, told, self.at)

    def link(self, other: "Story", at: datetime) -> Link:
        """The two cases have to do with each other, and both say so."""
        for one, two in ((self, other), (other, self)):
            told = {
                "case": str(two.case.uuid),
                "reference": two.case.reference,
                "kind": Link.Kind.RELATED,
            }
            one.tell(self._worker.actor, CHANGE_CASE, EventKind.LINKED, told, at)
        return Link(case=self.case, other=other.case, created_at=at)

    def tell(
        self,
        actor: Actor,
        permission: str,
        kind: EventKind,
        data: Mapping[str, Any],
        at: datetime,
        *,
        changed: bool = False,
    ) -> None:
        """It happened: an event of the case, and an act of which the audit trail will tell."""
        case = self.case
        case.last_event += 1
        if changed:
            case.version += 1
            data = {**data, "version": case.version}
        self.at = max(self.at, at)
        self.rows.append(
            Event(
                case=case,
                organisation_id=case.organisation_id,
                seq=case.last_event,
                kind=kind,
                at=at,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_name=actor.name,
                data=dict(data),
            )
        )
        self.acts.append(Act(actor, permission, kind, at, case.last_event))


_CHANNELS = (  # how often people come this way with what happens in the street, and with the rest
    (Channel.WEB_FORM, 38, 27),
    (Channel.PHONE, 24, 26),
    (Channel.IN_PERSON, 8, 27),
    (Channel.EMAIL, 12, 13),
    (Channel.WHATSAPP, 14, 3),
    (Channel.SOCIAL, 3, 0),
    (Channel.POST, 1, 4),
)


def _channel(dice: Random, kind: Kind) -> str:
    often = [street if kind.street else rest for _, street, rest in _CHANNELS]
    return str(dice.choices([channel for channel, *_ in _CHANNELS], often)[0])
