"""What a history tells of a case or of a person: rows in words, in one language, for one kind of reader.

The content is plain values, so that it can be kept, compared by its fingerprint and rendered alike
as PDF and as text. What a variant leaves out never enters it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from cases.models import Case, Confidentiality, Document, EventKind, Message, StateCategory
from cases.silence import procedure_of, silence
from cases.timeline import FOR_PERSON, open_to_person
from cases.workflow import Workflow, of_version
from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.stories import By, Form
from crm.organisations.models import Organisation
from crm.organisations.services import calendar_for
from reporting.models import Variant
from reporting.rows import CaseRows, Told, rows_of, rows_of_person
from reporting.voices import Voice, voice_for
from reporting.wording import Fact, facts_of, value_in_words

T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """A participant."""

    name: str
    role: str
    identifiers: list[str]
    until: str = ""


@dataclass(frozen=True)
class Step:
    """One event of the timeline."""

    number: int
    at: str
    who: str
    what: str
    facts: list[Fact]


@dataclass(frozen=True)
class Words:
    """A message or a note."""

    at: str
    who: str
    text: str
    direction: str = ""
    facts: list[Fact] = field(default_factory=list)


@dataclass(frozen=True)
class Paper:
    """A document of the case, by the digest of its bytes."""

    number: int
    name: str
    media_type: str
    size: str
    sha256: str
    facts: list[Fact]


@dataclass(frozen=True)
class Content:
    """All that a history tells. Moments are written in the organisation's time zone; the history of a
    person has no reference and no unit."""

    organisation: str
    organisation_code: str
    dir3_code: str
    unit: str
    reference: str
    variant: str
    language: str
    time_zone: str
    subject: str
    description: str
    facts: list[Fact]
    fields: list[Fact]
    people: list[Person]
    timeline: list[Step]
    messages: list[Words]
    notes: list[Words]
    documents: list[Paper]
    special: bool = False  # names specially protected documents

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content in one form: equal contents, and only they, have the same."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def content(case: Case, variant: str, language: str, actor: Actor) -> Content:
    """What the actor may have told of the case, in a language, in a fixed number of queries.

    Documents that the actor may not see are left out, whatever the variant.
    """
    with _speaking(actor, language):
        rows = rows_of(actor, case)
        return _Teller(rows, Variant(variant), voice_for(Variant(variant), rows)).tell(language)


def content_of_person(citizen: Citizen, variant: str, language: str, actor: Actor) -> Content:
    """What the actor may have told of a person whom they may open: what every room tells the actor,
    in one order, in a fixed number of queries."""
    with _speaking(actor, language):
        rows = rows_of_person(actor, citizen)
        voice = voice_for(Variant(variant), rows)
        told = [one for one in rows.told if _may_tell(one, Variant(variant), voice)]
        scribe = Scribe(voice, {one.pk: one for one in rows.people}, Variant(variant))
        return Content(
            organisation=rows.organisation.name,
            organisation_code=rows.organisation.code,
            dir3_code=rows.organisation.dir3_code,
            unit="",
            reference="",
            variant=variant,
            language=language,
            time_zone=rows.organisation.time_zone,
            subject=voice.person(citizen),
            description="",
            facts=[],
            fields=[],
            people=[Person(voice.person(citizen), _("Citizen"), voice.identifiers(citizen))],
            timeline=[
                scribe.step(one, number)
                for number, one in enumerate(
                    (one for one in told if one.telling.form == Form.STEP), 1
                )
            ],
            messages=[scribe.words(one) for one in told if one.telling.form == Form.MESSAGE],
            notes=[scribe.words(one) for one in told if one.telling.form == Form.NOTE],
            documents=[],
            special=any(one.telling.special for one in told),
        )


@contextmanager
def _speaking(actor: Actor, language: str) -> Iterator[None]:
    """In this language, by the clock of the actor's organisation."""
    zone = Organisation.objects.for_actor(actor).values_list("time_zone", flat=True).get()
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        yield


def _may_tell(one: Told, variant: Variant, voice: Voice) -> bool:
    if one.telling.form == Form.NOTE and not voice.internal:
        return False
    return variant != Variant.CITIZEN or one.telling.for_person


class Scribe:
    """Writes down what rooms tell, in one voice."""

    def __init__(self, voice: Voice, people: Mapping[int, Citizen], variant: Variant) -> None:
        self.voice = voice
        self.people = people
        self.variant = variant

    def step(self, one: Told, number: int = 0) -> Step:
        """Something that became true."""
        facts = self._facts(one)
        if self.voice.reasons and one.telling.reason:
            facts.append(Fact(_("Reason"), self.voice.words(one.telling.reason)))
        what = capfirst(self.voice.words(str(one.what)))
        return Step(number, moment(one.at), self._who(one), what, facts)

    def words(self, one: Told) -> Words:
        """Something that was said or noted."""
        way = Message.Direction.IN if one.telling.incoming else Message.Direction.OUT
        said = one.telling.form == Form.MESSAGE
        facts = self._facts(one)
        if self.variant == Variant.FULL:
            facts += [Fact(_("Address"), address) for address in one.telling.addresses[:1]]
        return Words(
            moment(one.at),
            self._who(one),
            self.voice.words(one.telling.text),
            str(way.label) if said else "",
            facts,
        )

    def _who(self, one: Told) -> str:
        by, citizen = one.telling.by, self.people.get(one.telling.person or 0)
        if citizen is not None:
            return self.voice.person(citizen)
        if by == By.PERSON:
            return self.voice.named(one.speaker)
        return self.voice.actor(by, one.speaker)

    def _facts(self, one: Told) -> list[Fact]:
        facts = [Fact(_("About"), self.voice.words(one.about))] if one.about else []
        facts += [
            Fact(str(label), self.voice.words(value))
            for label, value in one.telling.facts
            if value and value != one.about
        ]
        facts += [
            Fact(_("File"), f"{self.voice.words(name)} · SHA-256 {sha256}")
            for name, sha256 in one.telling.files
        ]
        return facts


class _Teller:
    """Puts the rows of one case into words for one kind of reader."""

    def __init__(self, rows: CaseRows, variant: Variant, voice: Voice) -> None:
        self.rows = rows
        self.variant = variant
        self.voice = voice
        self.workflow = of_version(rows.case.type_version.bundle)
        self.documents = [document for document in rows.documents if self._shows(document)]
        self._shown = {str(document.uuid) for document in self.documents}
        people = {citizen.pk: citizen for citizen in rows.people}
        self.scribe = Scribe(voice, people, variant)
        self.told = [one for one in rows.told if _may_tell(one, variant, voice)]

    def tell(self, language: str) -> Content:
        rows, case = self.rows, self.rows.case
        return Content(
            organisation=rows.organisation.name,
            organisation_code=rows.organisation.code,
            dir3_code=rows.organisation.dir3_code,
            unit=case.unit.name,
            reference=case.reference,
            variant=self.variant,
            language=language,
            time_zone=rows.organisation.time_zone,
            subject=self.voice.words(case.subject),
            description=self.voice.words(case.description),
            facts=list(self._facts(self.workflow)),
            fields=[
                Fact(
                    self.workflow.fields.label_of(name),
                    self.voice.words(value_in_words(self.workflow.fields.said(name, value))),
                )
                for name, value in sorted(case.data.items())
                if value not in (None, "", [])
            ],
            people=list(self._people()),
            timeline=self._with_told(Form.STEP, self._timeline(), self.scribe.step),
            messages=self._with_told(
                Form.MESSAGE,
                ((row.created_at, self._message(row)) for row in rows.messages),
                self.scribe.words,
            ),
            notes=self._with_told(Form.NOTE, self._notes(), self.scribe.words),
            documents=[self._paper(n, document) for n, document in enumerate(self.documents, 1)],
            special=any(
                document.confidentiality == Confidentiality.SPECIAL for document in self.documents
            ),
        )

    def _with_told(
        self, form: Form, own: Iterable[tuple[datetime, T]], write: Callable[[Told], T]
    ) -> list[T]:
        """The case's own things of a form and those that other rooms tell, in one order of time."""
        told = [(one.at, write(one)) for one in self.told if one.telling.form == form]
        return [thing for _at, thing in merge(own, told, key=lambda pair: pair[0])]

    def _facts(self, workflow: Workflow) -> Iterator[Fact]:
        case, internal = self.rows.case, self.variant != Variant.CITIZEN
        state = workflow.states.get(case.state)
        state_name = state.name if state else str(StateCategory(case.category).label)
        yield Fact(_("Case type"), case.case_type.name)
        yield Fact(_("State"), state_name)
        yield Fact(_("Opened"), moment(case.opened_at))
        yield Fact(_("Channel"), case.get_channel_display())
        yield Fact(_("Unit"), case.unit.name)
        if internal:
            yield Fact(_("Priority"), case.get_priority_display())
            yield Fact(_("Confidentiality"), case.get_confidentiality_display())
        if case.assignee and internal:
            yield Fact(_("Assigned to"), self.voice.employee(case.assignee.full_name))
        if case.address:
            yield Fact(_("Address"), self.voice.address(case.address))
        if case.due_at:
            yield Fact(_("Due date"), moment(case.due_at))
        if case.due_at and internal:
            found = silence(case, procedure_of(case), calendar_for(case.unit), timezone.now())
            yield from [Fact(_("Effect of silence"), str(found.words))] if found else []
        if case.closed_at:
            yield Fact(_("Work ended"), moment(case.closed_at))
        if case.outcome:
            yield Fact(_("Outcome"), self.voice.words(case.outcome))
        yield from self._result()

    def _result(self) -> Iterator[Fact]:
        """How work ended by its type, and among employees what becomes of the file."""
        result = getattr(self.rows.case, "result", None)
        if result is None:
            return
        yield Fact(_("Way of ending"), result.name)
        if self.variant != Variant.CITIZEN:
            told = {"day": date_format(result.keep_until), "fate": result.get_nomination_display()}
            yield Fact(_("The file is kept until"), _("%(day)s; then: %(fate)s") % told)

    def _people(self) -> Iterator[Person]:
        case = self.rows.case
        if case.citizen:
            yield Person(
                self.voice.person(case.citizen),
                _("Citizen"),
                self.voice.identifiers(case.citizen),
            )
        for participant in self.rows.participants:
            ended = participant.ended_at
            yield Person(
                self.voice.person(participant.citizen),
                self.workflow.role_name(participant.role),
                self.voice.identifiers(participant.citizen),
                moment(ended) if ended else "",
            )

    def _timeline(self) -> Iterator[tuple[datetime, Step]]:
        for event in self.rows.events:
            if not self._tells(event.kind, event.data):
                continue
            kind = event.kind
            what = EventKind(kind).label if kind in EventKind.values else kind
            who = self.voice.actor(event.actor_kind, event.actor_name)
            if event.on_behalf_of and self.variant != Variant.CITIZEN:
                behalf = self.voice.words(event.on_behalf_of)
                who = _("%(name)s on behalf of %(other)s") % {"name": who, "other": behalf}
            facts = facts_of(event, self.rows, self.voice)
            yield event.at, Step(event.seq, moment(event.at), who, str(what), facts)

    def _message(self, message: Message) -> Words:
        incoming = message.direction == Message.Direction.IN
        who = self.voice.named(message.author_name) if incoming else ""
        facts = [
            Fact(_("Channel"), message.get_channel_display()),
            Fact(_("Delivery"), message.get_state_display()),
        ]
        if message.address and self.variant == Variant.FULL:
            facts.append(Fact(_("Address"), message.address))
        return Words(
            moment(message.created_at),
            who if incoming else self.voice.employee(message.author_name),
            self.voice.words(message.body),
            message.get_direction_display(),
            facts,
        )

    def _notes(self) -> Iterator[tuple[datetime, Words]]:
        if self.voice.internal:
            for note in self.rows.notes:
                words = self.voice.words(note.body)
                yield note.created_at, Words(moment(note.created_at), note.author_name, words)

    def _paper(self, number: int, document: Document) -> Paper:
        facts = [
            Fact(_("Origin"), document.get_origin_display()),
            Fact(_("Added"), moment(document.created_at)),
        ]
        if self.variant != Variant.CITIZEN:
            facts.append(Fact(_("Confidentiality"), document.get_confidentiality_display()))
        if document.withdrawn_at:
            facts.append(Fact(_("Withdrawn"), moment(document.withdrawn_at)))
        return Paper(
            number,
            self.voice.words(document.name),
            document.media_type,
            _("%(count)s bytes") % {"count": document.size},
            document.sha256,
            facts,
        )

    def _shows(self, document: Document) -> bool:
        return self.variant != Variant.CITIZEN or open_to_person(document)

    def _tells(self, kind: str, data: dict[str, Any]) -> bool:
        if kind == EventKind.NOTED:
            return self.voice.internal
        about = data.get("document")
        if kind in (EventKind.ATTACHED, EventKind.WITHDRAWN) and about not in self._shown:
            return False  # not even that there is one
        return self.variant != Variant.CITIZEN or kind in FOR_PERSON


def moment(at: datetime) -> str:
    """A moment in the current language and time zone: 20/11/2026 09:41."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {date_format(local, 'H:i')}"
