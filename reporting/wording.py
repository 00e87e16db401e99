"""Events in words: what each kind of event of a case tells, as labelled facts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _

from cases.models import Case, Confidentiality, Event, EventKind, Link, Message, Participant
from cases.timeline import CLOCK_KINDS, MERGE_KINDS, clock_values
from crm.citizens.models import Channel
from reporting.rows import CaseRows
from reporting.voices import Voice


@dataclass(frozen=True)
class Fact:
    """A label and what it says."""

    label: str
    value: str


Words = Callable[[Mapping[str, Any], CaseRows, Voice], Iterator[Fact]]


def facts_of(event: Event, rows: CaseRows, voice: Voice) -> list[Fact]:
    """What an event says beyond its kind; nothing for kinds that say it all."""
    words = _WORDS.get(event.kind)
    return [fact for fact in words(event.data, rows, voice) if fact.value] if words else []


def value_in_words(value: Any) -> str:
    """A plain value (JSON) as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(value_in_words, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {value_in_words(item)}" for name, item in value.items())
    return "" if value is None else str(value)


def _opened(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Case type"), str(data.get("type", "")))
    yield Fact(_("Channel"), _choice(Channel, data.get("channel")))
    yield Fact(_("Unit"), str(data.get("unit", "")))


def _imported(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    if voice.internal:
        yield Fact(_("Source"), rows.case.source)


def _edited(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    before, after = data.get("before", {}), data.get("after", {})
    for name in data.get("fields", sorted(after)):
        old, new = (_field_in_words(name, side.get(name), rows, voice) for side in (before, after))
        yield Fact(_label(name), _change(old, new))


def _assigned(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    for key, label in (("to", _("To")), ("from", _("From"))):
        if data.get(key):
            yield Fact(label, voice.employee(str(data[key])))


def _moved(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    before = str(data.get("from_name") or data.get("from", ""))
    after = str(data.get("to_name") or data.get("to", ""))
    yield Fact(_("State"), _change(before, after))
    yield Fact(_("Outcome"), voice.words(str(data.get("outcome", ""))))
    yield from _reason(data, voice)


def _unit_changed(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Unit"), _change(str(data.get("from", "")), str(data.get("to", ""))))
    yield from _reason(data, voice)


def _confidentiality(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    before, after = (_choice(Confidentiality, data.get(key)) for key in ("from", "to"))
    yield Fact(_("Confidentiality"), _change(before, after))
    yield from _reason(data, voice)


def _messaged(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Direction"), _choice(Message.Direction, data.get("direction")))
    yield Fact(_("Channel"), _choice(Channel, data.get("channel")))


def _document(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Document"), voice.words(str(data.get("name", ""))))
    yield from _reason(data, voice)


def _linked(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Case"), str(data.get("reference", "")))
    yield Fact(_("Relation"), _choice(Link.Kind, data.get("kind")))


def _merged(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Case"), str(data.get("reference", "")))
    yield from _reason(data, voice)


def _participant(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    citizen = rows.citizens.get(str(data.get("citizen")))
    name = str(data.get("name", ""))
    yield Fact(_("Name"), voice.person(citizen) if citizen else voice.named(name))
    yield Fact(_("Role"), _choice(Participant.Role, data.get("role")))


def _clock(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    values = clock_values(data)
    if data.get("ground"):
        yield Fact(_("Article"), f"Ley 39/2015, {data['ground']}")
    for name, label in (
        ("on", _("Day")),
        ("limit", _("At the latest until")),
        ("term", _("Extended by")),
        ("before", _("Due before")),
        ("due", _("Due date")),
    ):
        yield Fact(label, values.get(name, ""))
    yield Fact(_("Cause"), str(data.get("why", "")))
    yield from _reason(data, voice)


_WORDS: Mapping[str, Words] = {
    EventKind.OPENED: _opened,
    EventKind.IMPORTED: _imported,
    EventKind.EDITED: _edited,
    EventKind.ASSIGNED: _assigned,
    EventKind.RELEASED: _assigned,
    EventKind.MOVED: _moved,
    EventKind.UNIT_CHANGED: _unit_changed,
    EventKind.CONFIDENTIALITY_CHANGED: _confidentiality,
    EventKind.MESSAGED: _messaged,
    EventKind.ATTACHED: _document,
    EventKind.WITHDRAWN: _document,
    EventKind.LINKED: _linked,
    EventKind.UNLINKED: _linked,
    **dict.fromkeys(MERGE_KINDS, _merged),
    EventKind.PARTICIPANT_ADDED: _participant,
    EventKind.PARTICIPANT_ENDED: _participant,
    **dict.fromkeys(CLOCK_KINDS, _clock),
}


def _change(before: str, after: str) -> str:
    return _("“%(after)s” (before: “%(before)s”)") % {"before": before, "after": after}


def _reason(data: Mapping[str, Any], voice: Voice) -> Iterator[Fact]:
    """Why something was done: words among employees, as notes are."""
    if voice.reasons:
        yield Fact(_("Reason"), voice.words(str(data.get("reason", ""))))


def _field_in_words(name: str, value: Any, rows: CaseRows, voice: Voice) -> str:
    if name == "citizen":
        citizen = rows.citizens.get(str(value))
        return voice.person(citizen) if citizen else ""
    if name == "address":
        return voice.address(str(value)) if value else ""
    if name in ("latitude", "longitude"):
        return voice.place(value)
    choices = {"priority": Case.Priority, "channel": Channel}.get(name)
    return _choice(choices, value) if choices else voice.words(value_in_words(value))


def _label(name: str) -> str:
    if name == "data":
        return _("Data")
    try:
        return str(getattr(Case._meta.get_field(name), "verbose_name", name)).capitalize()
    except FieldDoesNotExist:
        return name


def _choice(choices: Any, value: Any) -> str:
    """The words of a choice; the value as it stands when it is no longer one."""
    try:
        return str(choices(value).label)
    except (ValueError, KeyError):
        return "" if value is None else str(value)
