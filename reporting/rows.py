"""Fetches all that a history of a case or of a person is made of, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q

from cases.frozen import told_in
from cases.lists import keys_of_citizen
from cases.models import Case, Document, Event, EventKind, FrozenAnswer, Message, Note, Participant
from cases.service_words import TARGET_KINDS
from cases.timeline import MERGE_KINDS, told_by_others
from crm.citizens import story
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint, Identifier
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.stories import By, Telling
from crm.organisations.models import Organisation


@dataclass(frozen=True)
class Told:
    """One thing that a room tells in a story: who did it, what it was, how it stands on paper."""

    at: datetime
    who: str
    what: Text
    about: str
    telling: Telling

    @property
    def speaker(self) -> str:
        """The name of who stands behind it."""
        return self.telling.who or self.who

    @property
    def since(self) -> datetime:
        """From when it belongs to the story."""
        return self.telling.since or self.at


class Cast(Protocol):
    """Everybody of whom a history tells, each kind in order of first appearance."""

    @property
    def organisation(self) -> Organisation: ...
    @property
    def people(self) -> list[Citizen]: ...
    @property
    def aliases(self) -> dict[int, list[str]]:
        """Names under which citizens wrote, by citizen."""

    @property
    def strangers(self) -> list[tuple[datetime, str]]:
        """Who is known by name only, and from when."""

    @property
    def employees(self) -> list[str]: ...
    @property
    def identifiers(self) -> dict[int, list[Identifier]]: ...
    @property
    def protected(self) -> frozenset[int]: ...
    @property
    def addresses(self) -> list[str]:
        """Mailboxes, telephones and places of people."""

    @property
    def references(self) -> list[str]:
        """Numbers that say nothing of a person."""


@dataclass(frozen=True)
class CaseRows:
    """A case with everything that belongs to it, each list in order of time."""

    case: Case
    organisation: Organisation
    participants: list[Participant]
    events: list[Event]
    messages: list[Message]
    notes: list[Note]
    documents: list[Document]
    told: list[Told]  # by the rooms above
    citizens: dict[str, Citizen]  # by UUID: all who are or were part of it
    identifiers: dict[int, list[Identifier]]  # by citizen, withdrawn ones too
    contact_points: list[ContactPoint]
    protected: frozenset[int]  # citizens whose record is protected here
    frozen: Mapping[str, FrozenAnswer] = field(default_factory=dict)  # that the maker may read

    @cached_property
    def employees(self) -> list[str]:
        """Names of everybody who worked on it, in order of appearance."""
        found: list[tuple[datetime, str]] = []
        for event in self.events:
            if event.actor_kind == By.EMPLOYEE:
                found.append((event.at, event.actor_name))
            if event.kind in (EventKind.ASSIGNED, EventKind.RELEASED):
                found += [
                    (event.at, str(event.data[key]))
                    for key in ("from", "to")
                    if event.data.get(key)
                ]
            if event.kind in TARGET_KINDS:
                found += [(event.at, str(name)) for name in event.data.get("to", ())]
        names = [name for _at, name in sorted([*found, *_employees(self.told)], key=_moment)]
        if self.case.assignee:
            names.append(self.case.assignee.full_name)
        names += [note.author_name for note in self.notes]
        names += [m.author_name for m in self.messages if m.direction == m.Direction.OUT]
        names += [document.added_by_name for document in self.documents]
        return list(dict.fromkeys(name for name in names if name))

    @cached_property
    def people(self) -> list[Citizen]:
        """The citizens by their first appearance in the case."""
        seen: list[tuple[datetime, int, Citizen]] = []
        changes = [
            (event, event.data)
            for event in self.events
            if event.kind == EventKind.EDITED and "citizen" in event.data.get("after", {})
        ]
        first = changes[0][1].get("before", {}).get("citizen") if changes else None
        original = self.citizens.get(str(first)) if changes else self.case.citizen
        if original:
            seen.append((self.case.opened_at, 0, original))
        for event, data in changes:
            later = self.citizens.get(str(data["after"]["citizen"]))
            if later:
                seen.append((event.at, event.seq, later))
        seen += [(row.created_at, row.pk, row.citizen) for row in self.participants]
        by_key = {citizen.pk: citizen for citizen in self.citizens.values()}
        seen += [
            (one.since, 0, by_key[one.telling.person])
            for one in self.told
            if one.telling.person in by_key
        ]
        ordered = [citizen for _at, _number, citizen in sorted(seen, key=lambda item: item[:2])]
        return list(dict.fromkeys([*ordered, *self.citizens.values()]))

    @property
    def aliases(self) -> dict[int, list[str]]:
        """Names under which citizens wrote, by citizen."""
        return _aliases(self.told)

    @property
    def strangers(self) -> list[tuple[datetime, str]]:
        """Who wrote or was acted for, and is known by name only."""
        names = [(event.at, event.on_behalf_of) for event in self.events]
        names += [
            (message.created_at, message.author_name)
            for message in self.messages
            if message.direction == message.Direction.IN
        ]
        return [*names, *_strangers(self.told)]

    @property
    def addresses(self) -> list[str]:
        """Mailboxes, telephones and places of people."""
        return [
            *(point.address for point in self.contact_points),
            *(message.address for message in self.messages if message.address),
            *([self.case.address] if self.case.address else []),
            *_addresses(self.told),
        ]

    @property
    def references(self) -> list[str]:
        """Numbers of the case and of those that its events name."""
        return [
            self.case.reference,
            *(
                str(event.data["reference"])
                for event in self.events
                if event.kind in (EventKind.LINKED, EventKind.UNLINKED, *MERGE_KINDS)
                and event.data.get("reference")
            ),
        ]


@dataclass(frozen=True)
class PersonRows:
    """A person with all that every room tells of them, in order of time."""

    citizen: Citizen
    organisation: Organisation
    told: list[Told]
    people: list[Citizen]  # the person, and who takes part in their cases
    identifiers: dict[int, list[Identifier]]
    contact_points: list[ContactPoint]
    protected: frozenset[int]

    @cached_property
    def employees(self) -> list[str]:
        """Names of everybody who worked for the person, in order of appearance."""
        names = [name for _at, name in sorted(_employees(self.told), key=_moment)]
        return list(dict.fromkeys(name for name in names if name))

    @property
    def aliases(self) -> dict[int, list[str]]:
        """Names under which citizens wrote, by citizen."""
        return _aliases(self.told)

    @property
    def strangers(self) -> list[tuple[datetime, str]]:
        """Who wrote, and is known by name only."""
        return _strangers(self.told)

    @property
    def addresses(self) -> list[str]:
        """Mailboxes and telephones of people."""
        return [*(point.address for point in self.contact_points), *_addresses(self.told)]

    @property
    def references(self) -> list[str]:
        """Numbers of what is told of."""
        return list(dict.fromkeys(one.about for one in self.told if _is_number(one.about)))


def _moment(pair: tuple[datetime, str]) -> datetime:
    return pair[0]


def _is_number(about: str) -> bool:
    return " " not in about and any(char.isdigit() for char in about)


def _employees(told: Iterable[Told]) -> list[tuple[datetime, str]]:
    found = []
    for one in told:
        found += [(one.since, name) for name in one.telling.named]
        if one.telling.by == By.EMPLOYEE:
            found.append((one.since, one.speaker))
        if one.telling.who and one.who != one.telling.who:  # who wrote down what another said
            found.append((one.since, one.who))
    return found


def _strangers(told: Iterable[Told]) -> list[tuple[datetime, str]]:
    return [
        (one.since, one.speaker)
        for one in told
        if one.telling.by == By.PERSON and one.telling.person is None
    ]


def _aliases(told: Iterable[Told]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for one in told:
        if one.telling.person is not None and one.speaker:
            found[one.telling.person].append(one.speaker)
    return {citizen: list(dict.fromkeys(names)) for citizen, names in found.items()}


def _addresses(told: Iterable[Told]) -> list[str]:
    return list(dict.fromkeys(address for one in told for address in one.telling.addresses))


def rows_of(actor: Actor, case: Case) -> CaseRows:
    """The rows of a case as the actor may see them; the case itself was fetched for the actor."""
    case = (
        Case.objects.for_actor(actor)
        .select_related(
            "case_type", "type_version", "unit", "citizen", "assignee", "organisation", "result"
        )
        .get_or_refuse(pk=case.pk)
    )
    participants = list(case.participants.select_related("citizen").order_by("created_at", "id"))
    events = list(case.events.order_by("seq"))
    told = [
        Told(entry.at, entry.author, entry.sentence, "", entry.telling)
        for entry in told_by_others(actor, case)
    ]
    ids = {participant.citizen_id for participant in participants} | _speaking(told)
    if case.citizen_id:
        ids.add(case.citizen_id)
    citizens = {
        str(citizen.uuid): citizen
        for citizen in Citizen.objects.unscoped("whoever was part of the case, as it tells")
        .filter(Q(uuid__in=_mentioned(events)) | Q(pk__in=ids))
        .order_by("pk")
    }
    ids |= {citizen.pk for citizen in citizens.values()}
    return CaseRows(
        case=case,
        organisation=case.organisation,
        participants=participants,
        events=events,
        messages=list(case.messages.order_by("created_at", "id")),
        notes=list(case.notes.order_by("created_at", "id")),
        documents=list(
            Document.objects.for_actor(actor).filter(case=case).order_by("created_at", "id")
        ),
        told=told,
        citizens=citizens,
        identifiers=_identifiers(ids),
        contact_points=_contact_points(actor, ids),
        protected=_protected(actor, ids),
        frozen=told_in(actor, case, events),
    )


def rows_of_person(actor: Actor, citizen: Citizen) -> PersonRows:
    """All that the rooms tell the actor of a citizen, whom they may open."""
    told = [
        Told(moment.at, moment.by, moment.text, moment.about, moment.telling)
        for moment in story.whole(actor, citizen)
    ]
    part = Participant.objects.for_actor(actor).filter(
        case__in=list(keys_of_citizen(actor, citizen=citizen))
    )
    with_them = dict.fromkeys(part.order_by("created_at", "id").values_list("citizen", flat=True))
    owners = Case.objects.for_actor(actor).filter(participants__citizen=citizen)
    with_them |= dict.fromkeys(owners.order_by("pk").values_list("citizen", flat=True))
    ids = {key for key in with_them if key} | {citizen.pk} | _speaking(told)
    found = Citizen.objects.unscoped("who takes part with the citizen").in_bulk(ids)
    first = [citizen.pk, *(key for key in with_them if key in found)]
    return PersonRows(
        citizen=citizen,
        organisation=Organisation.objects.for_actor(actor).get(),
        told=told,
        people=[found[key] for key in dict.fromkeys([*first, *sorted(found)])],
        identifiers=_identifiers(ids),
        contact_points=_contact_points(actor, ids),
        protected=_protected(actor, ids),
    )


def _speaking(told: Iterable[Told]) -> set[int]:
    """Citizens who speak in what is told."""
    return {one.telling.person for one in told if one.telling.person is not None}


def _identifiers(citizens: Collection[int]) -> dict[int, list[Identifier]]:
    found: dict[int, list[Identifier]] = defaultdict(list)
    rows = Identifier.objects.unscoped("of those citizens").filter(citizen__in=citizens)
    for row in rows.order_by("pk"):
        found[row.citizen_id].append(row)
    return found


def _contact_points(actor: Actor, citizens: Collection[int]) -> list[ContactPoint]:
    rows = ContactPoint.objects.for_actor(actor).filter(citizen__in=citizens)
    return list(rows.order_by("pk"))


def _protected(actor: Actor, citizens: Collection[int]) -> frozenset[int]:
    rows = CitizenRecord.objects.for_actor(actor).filter(citizen__in=citizens, protected=True)
    return frozenset(rows.values_list("citizen_id", flat=True))


def _mentioned(events: list[Event]) -> set[UUID]:
    """Citizens whom events name: participants, and citizens of the case before and after."""
    found: list[Any] = []
    for event in events:
        if event.kind in (EventKind.PARTICIPANT_ADDED, EventKind.PARTICIPANT_ENDED):
            found.append(event.data.get("citizen"))
        elif event.kind == EventKind.EDITED:
            found += [event.data.get(key, {}).get("citizen") for key in ("before", "after")]
    return {uuid for uuid in map(_uuid, found) if uuid}


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
