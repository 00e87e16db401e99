"""What the cases tell in a citizen's own timeline."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cases.lists import keys_of_citizen
from cases.models import Case, Confidentiality, Document, Event, EventKind, Message, Note
from cases.service_words import TARGET_KINDS
from cases.texts import one_line
from cases.timeline import (
    FOR_PERSON,
    GROUPS,
    icon_of,
    kinds_of,
    open_to_person,
    sentences,
    shown,
    subjects_of,
)
from cases.workflow import of_version
from crm.citizens.models import Citizen
from crm.citizens.story import Asked, Moment
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.stories import UNTOLD, By, Form, Telling, beyond, place

SOURCE = "case"
_SHOWN = ("case__reference", "case__uuid", "case__channel", "case__category")
TOLD = {key: label for key, label in GROUPS.items() if key != "notes"}  # those stay in their case


def tell(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """What happened in the citizen's cases that the actor may see, newest first; for a history with
    what was said, noted and filed in their own."""
    groups = GROUPS.keys() if asked.whole else (asked.groups or TOLD.keys()) & TOLD.keys()
    rows = Event.objects.for_actor(actor).filter(
        # looked up first, so that the planner knows them and takes the events' own index
        case__in=list(keys_of_citizen(actor, citizen=citizen)),
        kind__in=kinds_of(groups),
    )
    if asked.whole:  # of a case that is somebody else's, only that they take part in it
        part = Q(kind__in=_PART, data__citizen=str(citizen.uuid))
        rows = rows.filter(Q(case__citizen=citizen) | part)
    rows = beyond(rows, SOURCE, asked.before, newest_first=True)
    rows = rows.select_related("case")
    if asked.whole:
        rows = rows.select_related("case__case_type", "case__type_version", "case__citizen")
    else:
        rows = rows.only("at", "kind", "actor_name", "data", *_SHOWN)
    events = list(rows.order_by("-at", "-id")[: asked.limit])
    told = tellings(actor, events) if asked.whole else [UNTOLD] * len(events)
    return [
        Moment(
            event.at,
            icon_of(event),
            words,
            by=event.actor_name,
            about=event.case.reference,
            url=reverse("cases:detail", args=[event.case.uuid]),
            place=place(event.at, SOURCE, event.pk),
            channel=str(event.data.get("channel") or event.case.channel),
            open=not event.case.ended,
            telling=telling,
        )
        for event, words, telling in zip(events, sentences(actor, events), told, strict=True)
        if telling is not None
    ]


def tellings(actor: Actor, events: Sequence[Event]) -> list[Telling | None]:
    """The events on paper; of a document that does not exist for the actor, not even that there is one."""
    found = subjects_of(actor, events)
    return [_told(event, subject) for event, subject in zip(events, found, strict=True)]


def _told(event: Event, subject: Any) -> Telling | None:
    by = By.EMPLOYEE if event.actor_kind == By.EMPLOYEE else By.MACHINE
    special = event.case.confidentiality == Confidentiality.SPECIAL
    told = Telling(
        by=by,
        reason=str(event.data.get("reason") or ""),
        named=[
            str(event.data[key])
            for key in ("from", "to")
            if event.kind in _HANDED and key in event.data
        ]
        + [str(name) for name in event.data.get("to", ()) if event.kind in TARGET_KINDS],
        special=special,
        for_person=event.kind in FOR_PERSON,
    )
    if isinstance(subject, Note):
        return replace(told, form=Form.NOTE, text=subject.body)
    if isinstance(subject, Message):
        return _said(told, subject, event.case.citizen)
    if isinstance(subject, Document):
        special = special or subject.confidentiality == Confidentiality.SPECIAL
        files = [(subject.name, subject.sha256)]
        shown = told.for_person and open_to_person(subject)
        return replace(told, files=files, special=special, for_person=shown)
    if "document" in event.data:
        return None
    if event.kind == EventKind.MOVED:
        facts = [(_("Outcome"), "outcome"), (_("Way of ending"), "result_name")]
        return replace(told, facts=[(name, str(event.data.get(key) or "")) for name, key in facts])
    if event.kind in (EventKind.OPENED, EventKind.IMPORTED):
        return replace(told, facts=_filed(event.case))
    return told


_PART = frozenset({EventKind.PARTICIPANT_ADDED, EventKind.PARTICIPANT_ENDED})
_HANDED = frozenset({EventKind.ASSIGNED, EventKind.RELEASED})


def _said(told: Telling, message: Message, citizen: Citizen | None) -> Telling:
    incoming = message.direction == Message.Direction.IN
    facts: list[tuple[Text, str]] = [(_("Channel"), str(message.get_channel_display()))]
    if not incoming:
        facts.append((_("Delivery"), str(message.get_state_display())))
    return replace(
        told,
        form=Form.MESSAGE,
        by=By.PERSON if incoming else told.by,
        who=message.author_name,
        person=citizen.pk if incoming and citizen and _is_of(message, citizen) else None,
        text=message.body,
        incoming=incoming,
        facts=facts,
        addresses=[message.address] if message.address else [],
    )


def _is_of(message: Message, citizen: Citizen) -> bool:
    return message.author_name == one_line(citizen.full_name)[:200]


def _filed(case: Case) -> list[tuple[Text, str]]:
    """What the case is about, and what its form says."""
    labels = of_version(case.type_version.bundle).fields
    facts: list[tuple[Text, str]] = [
        (_("Case type"), case.case_type.name),
        (_("Channel"), str(case.get_channel_display())),
        (_("Subject"), case.subject),
        (_("Description"), case.description),
    ]
    facts += [
        (labels.label_of(name), shown(labels.said(name, value)))
        for name, value in sorted(case.data.items())
    ]
    return [(label, value) for label, value in facts if value and value != "—"]
