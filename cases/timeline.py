"""One ordered story of a case: everything dated, from this room and from those above."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import merge
from itertools import islice
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import dealing, macro_words, service_words, todo, transfer_words
from cases.fields import Fields
from cases.mentions import marked
from cases.models import (
    Case,
    Confidentiality,
    Document,
    Event,
    EventKind,
    Message,
    Note,
    Participant,
)
from cases.presenting import author_of, named
from cases.terms import read_term
from cases.workflow import of_version
from crm.citizens.aliases import now_known_as
from crm.citizens.models import Channel, CitizenRecord
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry
from crm.kit.stories import UNTOLD, Telling, beyond, place
from crm.kit.templatetags.ui import own_name

SIZE = 40
OWN = "case"


@dataclass(frozen=True)
class Entry:
    """One thing of the story. `sort` puts it in its place and serves as cursor: moment, then source."""

    at: datetime
    sort: str
    group: str  # messages, notes, documents or moves
    icon: str
    author: str
    sentence: Text
    template: str = "cases/_entry.html"
    event: Event | None = None
    subject: Any = None  # the note, message or document it is about
    details: Mapping[str, Any] = field(default_factory=dict)
    telling: Telling = UNTOLD  # for a sealed history; the case's own events are read by themselves


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of the story is wanted: of these groups (none: all), beyond a place, so many."""

    groups: frozenset[str] = frozenset()
    newest_first: bool = False
    after: str = ""  # `sort` of the last entry already told
    limit: int = SIZE + 1


GROUPS: Mapping[str, Text] = {
    "messages": gettext_lazy("Messages"),
    "notes": gettext_lazy("Internal notes"),
    "documents": gettext_lazy("Documents"),
    "moves": gettext_lazy("Movements"),
}

TimelineSource = Callable[[Actor, Case, Asked], Iterable[Entry]]
sources: Registry[TimelineSource] = Registry("timeline source")


def story(actor: Actor, case: Case, asked: Asked) -> list[Entry]:
    """The entries of all sources in one order."""
    told = [list(source(actor, case, asked)) for source in sources.values()]
    merged = merge(*told, key=lambda entry: entry.sort, reverse=asked.newest_first)
    return list(islice(merged, asked.limit))


def told_by_others(actor: Actor, case: Case) -> list[Entry]:
    """What the rooms above tell of the case, whole, oldest first."""
    asked = Asked(limit=1_000_000)
    others = (source for name, source in sources.items() if name != OWN)
    told = [entry for source in others for entry in source(actor, case, asked)]
    return sorted(told, key=lambda entry: entry.sort)


def whole_story(actor: Actor, case: Case, groups: Iterable[str] = ()) -> list[Entry]:
    """Everything, oldest first."""
    return story(actor, case, Asked(groups=frozenset(groups), limit=1_000_000))


# --- The case's own events ----------------------------------------------------------------------

_GROUP_OF: Mapping[str, str] = {
    EventKind.MESSAGED: "messages",
    EventKind.NOTED: "notes",
    EventKind.ATTACHED: "documents",
    EventKind.WITHDRAWN: "documents",
    EventKind.FROZEN: "documents",
}
ICONS: Mapping[str, str] = {
    EventKind.OPENED: "folder-plus",
    EventKind.IMPORTED: "database-import",
    EventKind.EDITED: "pencil",
    EventKind.ASSIGNED: "user-plus",
    EventKind.RELEASED: "user-minus",
    EventKind.MOVED: "arrow-right",
    EventKind.UNIT_CHANGED: "building-community",
    EventKind.CONFIDENTIALITY_CHANGED: "lock",
    EventKind.NOTED: "note",
    EventKind.MESSAGED: "send",
    EventKind.ATTACHED: "file-text",
    EventKind.WITHDRAWN: "file-off",
    EventKind.LINKED: "link",
    EventKind.UNLINKED: "unlink",
    EventKind.PARTICIPANT_ADDED: "user-plus",
    EventKind.PARTICIPANT_ENDED: "user-minus",
    EventKind.CLOCK_SUSPENDED: "player-pause",
    EventKind.CLOCK_RESUMED: "player-play",
    EventKind.CLOCK_EXTENDED: "calendar-plus",
    EventKind.CLOCK_RECOMPUTED: "calendar-time",
    **service_words.ICONS,
    EventKind.TASK_ADDED: "checklist",
    EventKind.TASK_CHANGED: "pencil",
    EventKind.TASK_DONE: "checkbox",
    EventKind.TASK_APPROVED: "circle-check",
    EventKind.TASK_REJECTED: "circle-x",
    EventKind.TASK_CANCELLED: "square-x",
    EventKind.TASK_REOPENED: "rotate",
    EventKind.PAPER_TICKED: "file-check",
    EventKind.MIGRATED: "versions",
    **transfer_words.ICONS,
    EventKind.MERGED: "arrows-join",
    EventKind.MERGED_IN: "arrows-join",
    EventKind.UNMERGED: "arrows-split",
    EventKind.SPLIT: "arrows-split",
    EventKind.SPLIT_FROM: "arrows-split",
    EventKind.MACRO_RUN: "bolt",
    EventKind.FROZEN: "file-import",
}
FOR_PERSON = frozenset(
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
        EventKind.CLOCK_SUSPENDED,
        EventKind.CLOCK_RESUMED,
        EventKind.CLOCK_EXTENDED,
        EventKind.CLOCK_RECOMPUTED,
        EventKind.INFORMED,
        *service_words.PAPERS_KINDS,
        EventKind.PAPER_TICKED,
        EventKind.TRANSFERRED,
        EventKind.RECEIVED,
        EventKind.MERGED,
        EventKind.MERGED_IN,
        EventKind.UNMERGED,
        EventKind.FROZEN,
    }
)
"""What the citizen is told of their case; the rest is the house's own affair."""


def open_to_person(document: Document) -> bool:
    """The citizen is shown what is public and what they brought, unless it became confidential."""
    if document.withdrawn_at:
        return False
    theirs = document.origin == Document.Origin.CITIZEN
    return document.confidentiality <= (
        Confidentiality.INTERNAL if theirs else Confidentiality.PUBLIC
    )


MERGE_KINDS = (
    EventKind.MERGED,
    EventKind.MERGED_IN,
    EventKind.UNMERGED,
    EventKind.SPLIT,
    EventKind.SPLIT_FROM,
)
_SUBJECTS: Mapping[str, str] = {
    EventKind.NOTED: "note",
    EventKind.MESSAGED: "message",
    EventKind.ATTACHED: "document",
    EventKind.WITHDRAWN: "document",
    EventKind.PARTICIPANT_ADDED: "citizen",
    EventKind.PARTICIPANT_ENDED: "citizen",
    EventKind.LINKED: "case",
    EventKind.UNLINKED: "case",
    **dict.fromkeys(MERGE_KINDS, "case"),
}
_NAMED_BY: Mapping[str, str] = {"document": "name", "case": "reference"}
_TEMPLATES: Mapping[str, str] = {
    EventKind.NOTED: "cases/_entry_note.html",
    EventKind.MESSAGED: "cases/_entry_message.html",
    EventKind.ATTACHED: "cases/_entry_document.html",
    EventKind.FROZEN: "cases/_entry_frozen.html",
}


def own_events(actor: Actor, case: Case, asked: Asked) -> list[Entry]:
    """The events of the case, each with the note, message or document it tells of."""
    rows = Event.objects.for_actor(actor).filter(case=case)
    if asked.groups:
        rows = rows.filter(kind__in=kinds_of(asked.groups))
    rows = beyond(rows, OWN, asked.after, newest_first=asked.newest_first, number="seq")
    ways = ("-at", "-seq") if asked.newest_first else ("at", "seq")
    events = list(rows.order_by(*ways)[: asked.limit])
    return [
        entry_of(case, event, subject, place(event.at, OWN, event.seq))
        for event, subject in zip(events, subjects_of(actor, events), strict=True)
    ]


def kinds_of(groups: Collection[str]) -> list[EventKind]:
    """The kinds of events in these groups."""
    return [kind for kind in EventKind if _GROUP_OF.get(kind, "moves") in groups]


def sentences(actor: Actor, events: Sequence[Event]) -> list[str]:
    """What happened in each, in words that follow the author's name."""
    named = subjects_of(actor, events, ("document", "citizen", "case"))  # what words may name
    return [sentence(event, subject) for event, subject in zip(events, named, strict=True)]


def subjects_of(
    actor: Actor,
    events: Sequence[Event],
    kinds: Collection[str] = frozenset(_SUBJECTS.values()),
    *,
    cases: Collection[int] = (),
) -> list[Any]:
    """The note, message, document, other case or citizen's record each is about, where the actor may see it."""
    wanted: dict[str, set[str]] = {kind: set() for kind in kinds}
    mine = [(_SUBJECTS.get(event.kind, ""), event.data) for event in events]
    for kind, data in mine:
        if kind in wanted and data.get(kind):
            wanted[kind].add(data[kind])
    found: dict[str, Any] = {}
    cases = cases or {event.case_id for event in events}
    for model, kind in ((Note, "note"), (Message, "message"), (Document, "document")):
        if wanted.get(kind):
            rows = model.objects.for_actor(actor).filter(case__in=cases, uuid__in=wanted[kind])
            found |= {str(row.uuid): row for row in rows}
    if wanted.get("case"):
        others = Case.objects.for_actor(actor).filter(uuid__in=wanted["case"])
        found |= {str(other.uuid): other for other in others.only("uuid")}
    if wanted.get("citizen"):
        records = CitizenRecord.objects.for_actor(actor).select_related("citizen")
        records = records.filter(citizen__uuid__in=wanted["citizen"])
        found |= {str(record.citizen.uuid): record for record in records}
        if gone := wanted["citizen"] - found.keys():  # merged since: as they are known now
            found |= _as_now(actor, gone)
    return [found.get(data.get(kind, "")) for kind, data in mine]


def _as_now(actor: Actor, uuids: Collection[str]) -> dict[str, CitizenRecord]:
    now = now_known_as(uuids)
    records = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    known = {str(row.citizen.uuid): row for row in records.filter(citizen__uuid__in=now.values())}
    return {old: known[new] for old, new in now.items() if new in known}


def entry_of(case: Case, event: Event, subject: Any, sort: str) -> Entry:
    """An event as the story tells it, at its place there."""
    return Entry(
        at=event.at,
        sort=sort,
        group=_GROUP_OF.get(event.kind, "moves"),
        icon=icon_of(event),
        author=event.actor_name,
        sentence=sentence(event, subject),
        template=_TEMPLATES.get(event.kind, "cases/_entry.html")
        if subject or event.kind == EventKind.FROZEN
        else "cases/_entry.html",
        event=event,
        subject=subject,
        details=_details(case, event, subject),
    )


_SENTENCES: Mapping[str, Text] = {
    EventKind.OPENED: gettext_lazy("opened the case in %(unit)s"),
    EventKind.IMPORTED: gettext_lazy("imported the case"),
    EventKind.EDITED: gettext_lazy("edited: %(fields)s"),
    EventKind.ASSIGNED: gettext_lazy("assigned the case to %(to)s"),
    EventKind.RELEASED: gettext_lazy("returned the case to the queue; %(from)s had it"),
    EventKind.MOVED: gettext_lazy("moved it from “%(from_name)s” to “%(to_name)s”"),
    EventKind.UNIT_CHANGED: gettext_lazy("changed the unit from %(from)s to %(to)s"),
    EventKind.CONFIDENTIALITY_CHANGED: gettext_lazy("changed the confidentiality to %(to)s"),
    EventKind.NOTED: gettext_lazy("wrote an internal note"),
    EventKind.MESSAGED: gettext_lazy("added a message"),
    EventKind.ATTACHED: gettext_lazy("added the document %(name)s"),
    EventKind.WITHDRAWN: gettext_lazy("withdrew the document %(name)s"),
    EventKind.LINKED: gettext_lazy("linked the case %(reference)s"),
    EventKind.UNLINKED: gettext_lazy("unlinked the case %(reference)s"),
    EventKind.MERGED: gettext_lazy("merged this case into %(reference)s"),
    EventKind.MERGED_IN: gettext_lazy("merged the case %(reference)s into this one"),
    EventKind.UNMERGED: gettext_lazy("took back the merge with the case %(reference)s"),
    EventKind.SPLIT: gettext_lazy("split a part off into the case %(reference)s"),
    EventKind.SPLIT_FROM: gettext_lazy("split this case off from %(reference)s"),
    EventKind.MACRO_RUN: gettext_lazy("ran the macro “%(macro)s”: %(did)s"),
    EventKind.PARTICIPANT_ADDED: gettext_lazy("added %(name)s as %(role)s"),
    EventKind.PARTICIPANT_ENDED: gettext_lazy("withdrew %(name)s as %(role)s"),
    EventKind.CLOCK_SUSPENDED: gettext_lazy(
        "suspended the legal deadline from %(on)s (Ley 39/2015, art. %(ground)s)"
    ),
    EventKind.CLOCK_RESUMED: gettext_lazy(
        "resumed the legal deadline after %(on)s: it ends on %(due)s"
    ),
    EventKind.CLOCK_EXTENDED: gettext_lazy(
        "extended the legal deadline by %(term)s (Ley 39/2015, art. %(ground)s): it ends on %(due)s"
    ),
    EventKind.CLOCK_RECOMPUTED: gettext_lazy(
        "reckoned the legal deadline anew: it ends on %(due)s, before on %(before)s"
    ),
    **service_words.SENTENCES,
    **todo.SENTENCES,
    EventKind.MIGRATED: gettext_lazy(
        "took it from version %(version_before)s of its type to version %(version_after)s:"
        " “%(from_name)s” is “%(to_name)s” now"
    ),
    **transfer_words.SENTENCES,
    EventKind.FROZEN: gettext_lazy(
        "kept in the case what %(source)s says, obtained on %(obtained)s"
    ),
}


CLOCK_KINDS = (
    EventKind.CLOCK_SUSPENDED,
    EventKind.CLOCK_RESUMED,
    EventKind.CLOCK_EXTENDED,
    EventKind.CLOCK_RECOMPUTED,
)


def clock_values(data: Mapping[str, Any]) -> dict[str, str]:
    """What an event of the legal clock says, in words: days and terms."""
    days = {
        name: date_format(date.fromisoformat(data[name]))
        for name in ("on", "limit", "before", "due")
        if data.get(name)
    }
    term = read_term(data.get("term"))
    return days | ({"term": term.words} if term else {})


def frozen_values(data: Mapping[str, Any]) -> dict[str, str]:
    """What the event of a kept answer says, in words: when it was obtained."""
    at = parse_datetime(data.get("obtained", ""))
    return {"obtained": date_format(localtime(at), "SHORT_DATETIME_FORMAT") if at else "…"}


_VALUES: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, str]]] = {
    **dict.fromkeys(CLOCK_KINDS, clock_values),
    **dict.fromkeys(service_words.KINDS, service_words.values),
    **dict.fromkeys(todo.KINDS, todo.values_of),
    **dict.fromkeys(transfer_words.SENTENCES, transfer_words.values),
    EventKind.MACRO_RUN: macro_words.values,
    EventKind.FROZEN: frozen_values,
}


_HEARD = gettext_lazy("wrote down what the citizen said")


class _Gaps(dict[str, Any]):
    """Values of a sentence; what an old event does not say is left out, not an error."""

    def __missing__(self, key: str) -> str:
        return "…"


def _heard(event: Event) -> bool:
    """Whether it tells of the citizen's own words."""
    incoming = event.data.get("direction") == Message.Direction.IN
    return event.kind == EventKind.MESSAGED and incoming


def icon_of(event: Event) -> str:
    """What stands beside it."""
    return "quote" if _heard(event) else ICONS.get(event.kind, "history")


def sentence(event: Event, subject: Any) -> str:
    """What happened, in words that follow the author's name.

    Who and what it is about is named as the reader may know it now: of the protected, initials; of a
    document or another case that does not exist for them, nothing.
    """
    values, about = _Gaps(event.data), _SUBJECTS.get(event.kind, "")
    if isinstance(subject, CitizenRecord):
        values["name"] = subject.shown_name
    elif subject is None and about in values:
        values.pop(_NAMED_BY.get(about, ""), None)
    if event.kind == EventKind.EDITED:
        values["fields"] = ", ".join(
            str(FIELD_LABELS.get(name, name)) for name in event.data.get("fields", ())
        )
    if event.kind == EventKind.CONFIDENTIALITY_CHANGED:
        values["to"] = dict(Confidentiality.choices).get(event.data.get("to"), "…")
    if "role" in event.data:
        usual = dict(Participant.Role.choices).get(event.data["role"], "…")
        values["role"] = str(event.data.get("role_name") or usual).lower()
    if read := _VALUES.get(event.kind):
        values |= read(event.data)
    text = transfer_words.accepted(event) or _SENTENCES.get(event.kind)
    if _heard(event):
        text = _HEARD
    return str(text) % values if text else event.kind


def told_since(case: Case, version: int) -> list[str]:
    """Who changed what after a version of the case, in words, oldest first."""
    events = case.events.filter(data__version__gt=version).order_by("seq")
    return [f"{event.actor_name} {sentence(event, None)}" for event in events]


FIELD_LABELS: Mapping[str, Text] = {
    "subject": gettext_lazy("subject"),
    "description": gettext_lazy("description"),
    "priority": gettext_lazy("priority"),
    "language": gettext_lazy("language"),
    "address": gettext_lazy("address"),
    "latitude": gettext_lazy("latitude"),
    "longitude": gettext_lazy("longitude"),
    "channel": gettext_lazy("channel"),
    "data": gettext_lazy("form data"),
    "citizen": gettext_lazy("citizen"),
}


def _details(case: Case, event: Event, subject: Any) -> dict[str, Any]:
    """What a reader may unfold: reason and outcome, and values before and after an edit; of a message
    its author."""
    found: dict[str, Any] = {
        name: event.data[name]
        for name in ("reason", "outcome", "why", "comment", "result_name", "left")
        if event.data.get(name)
    }
    if event.data.get("rule"):
        found["why"] = dealing.in_words(event.data["rule"])
    if event.on_behalf_of:
        found["behalf"] = event.on_behalf_of
    if event.data.get("batch"):
        found["batch"] = event.data["batch"]
    if isinstance(subject, Note):
        found["body"] = marked(subject.body, event.data.get("mentions", ()))
    if isinstance(subject, Message):
        found["author"] = author_of(subject, case.citizen, named(case.citizen)) or _("Citizen")
    if event.kind == EventKind.EDITED:
        fields = of_version(case.type_version.bundle).fields
        found["changes"] = [
            change
            for name in event.data.get("fields", ())
            for change in _changes(name, event.data, fields)
        ]
    return found


def _changes(name: str, data: Mapping[str, Any], fields: Fields) -> list[tuple[str, str, str]]:
    before, after = data.get("before", {}).get(name), data.get("after", {}).get(name)
    if name == "data":
        before, after = before or {}, after or {}
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        said = fields.said
        return [
            (
                fields.label_of(key),
                shown(said(key, before.get(key))),
                shown(said(key, after.get(key))),
            )
            for key in keys
        ]
    label = str(FIELD_LABELS.get(name, name))
    if name == "citizen":  # UUIDs: that it changed is told, who it was stands in the audit trail
        return []
    return [(label, field_shown(name, before), field_shown(name, after))]


_CHOICES: Mapping[str, Sequence[tuple[Any, Text]]] = {
    "priority": Case.Priority.choices,
    "channel": Channel.choices,
}


def field_shown(name: str, value: Any) -> str:
    """A value of one of the case's own fields as people read it."""
    if name == "language":
        return shown(own_name(value))
    return shown(dict(_CHOICES.get(name, ())).get(value, value))


def shown(value: Any) -> str:
    """A value of a case's data as people read it."""
    if value is None or value in ("", []):
        return "—"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str):
        value = _moment(value) or value
    if isinstance(value, datetime):
        return date_format(value, "j b Y, H:i")
    if isinstance(value, date):
        return date_format(value, "j b Y")
    return str(value)


def _moment(text: str) -> date | None:
    """The day, or the day and hour, that a form's value is, in the current zone."""
    with suppress(ValueError):  # shaped like a date that no calendar has
        if len(text) == len("2026-11-20"):
            return parse_date(text)
        if moment := parse_datetime(text):
            return localtime(moment) if is_aware(moment) else moment
    return None
