"""What a case history tells: a case's rows in words, in one language, for one kind of reader.

The content is plain values, so that it can be kept, compared by its fingerprint and rendered alike
as PDF and as text. What a variant leaves out never enters it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases.models import Case, Confidentiality, Document, EventKind, Message, StateCategory
from cases.workflow import Workflow, of_version
from crm.kit.actor import Actor
from reporting.models import Variant
from reporting.rows import CaseRows, rows_of
from reporting.voices import Voice, voice_for
from reporting.wording import Fact, facts_of, value_in_words

_FOR_CITIZEN = frozenset(
    {
        EventKind.OPENED,
        EventKind.IMPORTED,
        EventKind.MOVED,
        EventKind.UNIT_CHANGED,
        EventKind.MESSAGED,
        EventKind.ATTACHED,
        EventKind.WITHDRAWN,
        EventKind.PARTICIPANT_ADDED,
        EventKind.PARTICIPANT_ENDED,
    }
)


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
    """All that a history tells. Moments are written in the organisation's time zone."""

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
    rows = rows_of(actor, case)
    with translation.override(language), timezone.override(ZoneInfo(rows.organisation.time_zone)):
        return _Teller(rows, Variant(variant), voice_for(Variant(variant), rows)).tell(language)


class _Teller:
    """Puts the rows of one case into words for one kind of reader."""

    def __init__(self, rows: CaseRows, variant: Variant, voice: Voice) -> None:
        self.rows = rows
        self.variant = variant
        self.voice = voice
        self.workflow = of_version(rows.case.type_version.bundle)
        self.documents = [document for document in rows.documents if self._shows(document)]
        self._shown = {str(document.uuid) for document in self.documents}

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
                Fact(self.workflow.fields.label_of(name), self.voice.words(value_in_words(value)))
                for name, value in sorted(case.data.items())
                if value not in (None, "", [])
            ],
            people=list(self._people()),
            timeline=list(self._timeline()),
            messages=[self._message(message) for message in rows.messages],
            notes=list(self._notes()),
            documents=[self._paper(n, document) for n, document in enumerate(self.documents, 1)],
            special=any(
                document.confidentiality == Confidentiality.SPECIAL for document in self.documents
            ),
        )

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
        if case.closed_at:
            yield Fact(_("Work ended"), moment(case.closed_at))
        if case.outcome:
            yield Fact(_("Outcome"), self.voice.words(case.outcome))

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
                participant.get_role_display(),
                self.voice.identifiers(participant.citizen),
                moment(ended) if ended else "",
            )

    def _timeline(self) -> Iterator[Step]:
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
            yield Step(event.seq, moment(event.at), who, str(what), facts)

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

    def _notes(self) -> Iterator[Words]:
        if self.voice.internal:
            for note in self.rows.notes:
                yield Words(moment(note.created_at), note.author_name, self.voice.words(note.body))

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
        """The citizen is shown what is public and what they brought, unless it became confidential."""
        if self.variant != Variant.CITIZEN:
            return True
        if document.withdrawn_at:
            return False
        theirs = document.origin == Document.Origin.CITIZEN
        return document.confidentiality <= (
            Confidentiality.INTERNAL if theirs else Confidentiality.PUBLIC
        )

    def _tells(self, kind: str, data: dict[str, Any]) -> bool:
        if kind == EventKind.NOTED:
            return self.voice.internal
        about = data.get("document")
        if kind in (EventKind.ATTACHED, EventKind.WITHDRAWN) and about not in self._shown:
            return False  # not even that there is one
        return self.variant != Variant.CITIZEN or kind in _FOR_CITIZEN


def moment(at: datetime) -> str:
    """A moment in the current language and time zone: 20/11/2026 09:41."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {date_format(local, 'H:i')}"
