"""Events in words: what each kind of event of a case tells, as labelled facts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _

from cases import dealing, macro_words, todo, transfer_words
from cases.frozen import rows_in_words
from cases.models import Case, Confidentiality, Event, EventKind, Link, Message, Paper, Participant
from cases.service_words import PAPERS_KINDS, TARGET_KINDS
from cases.service_words import values as service_values
from cases.timeline import CLOCK_KINDS, MERGE_KINDS, clock_values, frozen_values
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
    found = [fact for fact in words(event.data, rows, voice) if fact.value] if words else []
    if voice.internal and event.data.get("batch"):
        found.append(Fact(_("Bulk action"), str(event.data["batch"])))
    return found


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
    if rule := dict(data.get("rule") or {}):
        if rule.get("absent"):
            rule["absent"] = voice.employee(str(rule["absent"]))
        yield Fact(_("Cause"), dealing.in_words(rule))


def _moved(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    before = str(data.get("from_name") or data.get("from", ""))
    after = str(data.get("to_name") or data.get("to", ""))
    yield Fact(_("State"), _change(before, after))
    yield Fact(_("Outcome"), voice.words(str(data.get("outcome", ""))))
    yield Fact(_("Way of ending"), str(data.get("result_name", "")))
    yield from _reason(data, voice)


def _migrated(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    before, after = (str(data.get(f"version_{key}", "")) for key in ("before", "after"))
    yield Fact(_("Version of its type"), _change(before, after))
    before, after = (str(data.get(f"{key}_name", "")) for key in ("from", "to"))
    yield Fact(_("State"), _change(before, after))
    for label, value in data.get("left", []):
        yield Fact(_("No longer asked: %(field)s") % {"field": label}, voice.words(str(value)))


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
    role = data.get("role_name") or _choice(Participant.Role, data.get("role"))
    yield Fact(_("Role"), str(role))


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


def _target(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    values = service_values(data)
    for name, label in (
        ("measure", _("Service target")),
        ("time", _("Working time")),
        ("before", _("Due before")),
        ("due", _("Due date")),
    ):
        yield Fact(label, values.get(name, ""))
    yield Fact(_("Told"), ", ".join(voice.employee(str(name)) for name in data.get("to") or ()))
    yield Fact(_("Cause"), str(data.get("why", "")))


def _papers(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    values = service_values(data)
    for name, label in (
        ("term", _("Time to bring them")),
        ("due", _("Due date")),
        ("on", _("Day")),
        ("end", _("Outcome")),
    ):
        yield Fact(label, values.get(name, ""))
    yield Fact(_("What is asked for"), voice.words(str(data.get("papers", ""))))


def _task(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    values = todo.values_of(data)
    yield Fact(_("Task"), voice.words(str(data.get("title", ""))))
    for key, label in (("to", _("For")), ("done_by", _("Done by"))):
        if data.get(key):
            yield Fact(label, voice.employee(str(data[key])))
    yield Fact(_("Unit"), str(data.get("unit", "")))
    yield Fact(_("Due date"), values.get("due", ""))
    yield Fact(_("Changed"), values.get("fields", ""))
    if voice.reasons:
        yield Fact(_("Comment"), voice.words(str(data.get("comment", ""))))
    yield from _reason(data, voice)


def _paper(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Paper"), str(data.get("title", "")))
    yield Fact(_("State"), _choice(Paper.State, data.get("state")))


def _handed(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    """Of transfers and of questions to other areas."""
    for name, label in (
        ("from", _("From")),
        ("to", _("To")),
        ("reference", _("Case number there")),
    ):
        yield Fact(label, str(data.get(name, "")))
    values = transfer_words.values(data)
    yield Fact(_("At the latest until"), values.get("until", ""))
    yield Fact(_("Legal basis"), values.get("basis", ""))
    yield from _reason(data, voice)


def _macro(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    yield Fact(_("Macro"), str(data.get("macro", "")))
    yield Fact(_("What it did"), "; ".join(macro_words.in_words(data.get("steps", ()))))


def _frozen(data: Mapping[str, Any], rows: CaseRows, voice: Voice) -> Iterator[Fact]:
    """An answer of another system that was kept; what it says among employees who could ask for it."""
    yield Fact(_("Source"), str(data.get("source", "")))
    yield Fact(_("Obtained"), frozen_values(data)["obtained"])
    yield Fact(_("Legal basis"), str(data.get("legal_basis", "")))
    row = rows.frozen.get(str(data.get("frozen")))
    if row is not None and voice.internal:
        for record in rows_in_words(row):
            for label, value in record:
                yield Fact(label, voice.words(value))
    yield Fact("SHA-256", str(data.get("sha256", "")))


_WORDS: Mapping[str, Words] = {
    EventKind.OPENED: _opened,
    EventKind.IMPORTED: _imported,
    EventKind.EDITED: _edited,
    EventKind.ASSIGNED: _assigned,
    EventKind.RELEASED: _assigned,
    EventKind.MOVED: _moved,
    EventKind.MIGRATED: _migrated,
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
    **dict.fromkeys(TARGET_KINDS, _target),
    **dict.fromkeys(PAPERS_KINDS, _papers),
    **dict.fromkeys(todo.KINDS, _task),
    EventKind.PAPER_TICKED: _paper,
    **dict.fromkeys(transfer_words.SENTENCES, _handed),
    EventKind.MACRO_RUN: _macro,
    EventKind.FROZEN: _frozen,
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
