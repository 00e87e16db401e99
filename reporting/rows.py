"""Fetches all rows of a case that a history is made of, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q

from cases.models import Case, Document, Event, EventKind, Message, Note, Participant
from channels_app.stories import as_words_of_case
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint, Identifier
from crm.kit.actor import Actor
from crm.organisations.models import Organisation

Words = TypeVar("Words", Message, Note)


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
    citizens: dict[str, Citizen]  # by UUID: all who are or were part of it
    identifiers: dict[int, list[Identifier]]  # by citizen, withdrawn ones too
    contact_points: list[ContactPoint]
    protected: frozenset[int]  # citizens whose record is protected here

    @cached_property
    def employees(self) -> list[str]:
        """Names of everybody who worked on it, in order of appearance."""
        found: list[str] = []
        for event in self.events:
            if event.actor_kind == "user":
                found.append(event.actor_name)
            if event.kind in (EventKind.ASSIGNED, EventKind.RELEASED):
                found += [str(event.data[key]) for key in ("from", "to") if event.data.get(key)]
        if self.case.assignee:
            found.append(self.case.assignee.full_name)
        found += [note.author_name for note in self.notes]
        found += [m.author_name for m in self.messages if m.direction == m.Direction.OUT]
        found += [document.added_by_name for document in self.documents]
        return list(dict.fromkeys(name for name in found if name))


def rows_of(actor: Actor, case: Case) -> CaseRows:
    """The rows of a case as the actor may see them; the case itself was fetched for the actor."""
    case = (
        Case.objects.for_actor(actor)
        .select_related("case_type", "type_version", "unit", "citizen", "assignee", "organisation")
        .get_or_refuse(pk=case.pk)
    )
    participants = list(case.participants.select_related("citizen").order_by("created_at", "id"))
    events = list(case.events.order_by("seq"))
    ids = {participant.citizen_id for participant in participants}
    if case.citizen_id:
        ids.add(case.citizen_id)
    citizens = {
        str(citizen.uuid): citizen
        for citizen in Citizen.objects.unscoped("whoever was part of the case, as it tells")
        .filter(Q(uuid__in=_mentioned(events)) | Q(pk__in=ids))
        .order_by("pk")
    }
    ids |= {citizen.pk for citizen in citizens.values()}
    identifiers: dict[int, list[Identifier]] = defaultdict(list)
    for row in (
        Identifier.objects.unscoped("of those citizens").filter(citizen__in=ids).order_by("pk")
    ):
        identifiers[row.citizen_id].append(row)
    talked, noted = as_words_of_case(case)
    return CaseRows(
        case=case,
        organisation=case.organisation,
        participants=participants,
        events=events,
        messages=_in_time([*case.messages.order_by("created_at", "id"), *talked]),
        notes=_in_time([*case.notes.order_by("created_at", "id"), *noted]),
        documents=list(
            Document.objects.for_actor(actor).filter(case=case).order_by("created_at", "id")
        ),
        citizens=citizens,
        identifiers=identifiers,
        contact_points=list(
            ContactPoint.objects.for_actor(actor).filter(citizen__in=ids).order_by("pk")
        ),
        protected=frozenset(
            CitizenRecord.objects.for_actor(actor)
            .filter(citizen__in=ids, protected=True)
            .values_list("citizen_id", flat=True)
        ),
    )


def _in_time(words: list[Words]) -> list[Words]:
    """What was said on the case and in its conversations, in one order."""
    return sorted(words, key=lambda one: one.created_at)


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
