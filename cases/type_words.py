"""What a bundle says, as people read it: its parts, its keys and their values. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case
from cases.parts.named import objects
from cases.parts.results import NOMINATIONS
from cases.targets import MEASURES
from cases.terms import read_term
from cases.workflow import CATEGORIES, LEVELS, OUTCOME, REASON
from crm.citizens.models import Channel
from crm.kit.errors import Text
from crm.kit.policy import catalogue
from crm.kit.templatetags.ui import own_name

PART_NAMES: Mapping[str, Text] = {
    "states": gettext_lazy("State"),
    "initial": gettext_lazy("First state"),
    "moves": gettext_lazy("Move"),
    "fields": gettext_lazy("Field"),
    "sections": gettext_lazy("Section"),
    "term": gettext_lazy("Term"),
    "confidentiality": gettext_lazy("Confidentiality"),
    "roles": gettext_lazy("Role"),
    "messages": gettext_lazy("Message"),
    "results": gettext_lazy("Way of ending"),
    "retention": gettext_lazy("Retention"),
    "tasks": gettext_lazy("Task"),
    "papers": gettext_lazy("Document"),
    "service": gettext_lazy("Service target"),
}
KEY_NAMES: Mapping[str, Text] = {
    "name": gettext_lazy("Name"),
    "nature": gettext_lazy("Nature"),
    "names": gettext_lazy("Name"),
    "title": gettext_lazy("Question"),
    "description": gettext_lazy("Help"),
    "category": gettext_lazy("What it means"),
    "from": gettext_lazy("From"),
    "to": gettext_lazy("To"),
    "permission": gettext_lazy("Who may make it"),
    "requires": gettext_lazy("What must be said"),
    "required": gettext_lazy("It must be answered"),
    "type": gettext_lazy("Kind of answer"),
    "format": gettext_lazy("Kind of answer"),
    "enum": gettext_lazy("Answers"),
    "items": gettext_lazy("Answers"),
    "labels": gettext_lazy("Answers"),
    "x-labels": gettext_lazy("Answers"),
    "x-i18n": gettext_lazy("In other languages"),
    "x-section": gettext_lazy("Section"),
    "x-when": gettext_lazy("Asked only when"),
    "minimum": gettext_lazy("At least"),
    "minLength": gettext_lazy("At least"),
    "maximum": gettext_lazy("At most"),
    "maxLength": gettext_lazy("At most"),
    "most": gettext_lazy("How many people at most"),
    "text": gettext_lazy("Text"),
    "texts": gettext_lazy("Text"),
    "moves": gettext_lazy("Offered first after"),
    "nomination": gettext_lazy("What becomes of the file"),
    "term": gettext_lazy("Term"),
    "instructions": gettext_lazy("What has to be done"),
    "when": gettext_lazy("It is made when"),
    "after": gettext_lazy("Only after"),
    "approval": gettext_lazy("Another person must approve it"),
    "closing": gettext_lazy("If it is open when the case is ended"),
    "by": gettext_lazy("Needed before the case comes to"),
    "measure": gettext_lazy("What is promised"),
    "within": gettext_lazy("Within"),
    "warn": gettext_lazy("Warning"),
    "pauses": gettext_lazy("It stands still while"),
    "for": gettext_lazy("Only for"),
    "priority": gettext_lazy("Priority"),
    "channel": gettext_lazy("Channel"),
    "need": gettext_lazy("Need"),
    "at_warning": gettext_lazy("At the warning"),
    "at_breach": gettext_lazy("When it is missed"),
    "tell": gettext_lazy("Who is told"),
    "raise_priority": gettext_lazy("The priority is raised"),
}
_WORDS: Mapping[str, Text] = {
    "citizen": gettext_lazy("The citizen"),
    "administration": gettext_lazy("An administration"),
    "opened": gettext_lazy("the case is opened"),
    "assignee": gettext_lazy("Whoever has the case"),
    "unit": gettext_lazy("Anybody of the case's unit"),
    "supervisors": gettext_lazy("Those who distribute the unit's work"),
    "warns": gettext_lazy("Whoever ends it is warned"),
    "blocks": gettext_lazy("The case cannot be ended"),
    "language": gettext_lazy("Another language than Spanish"),
    "accessibility": gettext_lazy("Accessibility"),
    "string": gettext_lazy("Text"),
    "integer": gettext_lazy("A whole number"),
    "number": gettext_lazy("A number with decimals, such as an amount"),
    "boolean": gettext_lazy("Yes or no"),
    "array": gettext_lazy("Several of several answers"),
    "date": gettext_lazy("A day"),
    "email": gettext_lazy("An email address"),
    "uri": gettext_lazy("A web address"),
    **NOMINATIONS,
    **MEASURES,
}
_WITH_WORDS = frozenset(
    {"nomination", "closing", "measure", "tell", "need", "type", "format", "pauses"}
)


def part_name(part: str) -> str:
    """What one thing of a part is called."""
    return str(PART_NAMES.get(part) or KEY_NAMES.get(part, part))


def key_name(key: str) -> str:
    """What a key of a thing says; a language in its own words."""
    known = KEY_NAMES.get(key)
    if known is not None:
        return str(known)
    return own_name(key) if key in dict(settings.LANGUAGES) else key


def shown(part: str, key: str, value: Any, bundle: Mapping[str, Any]) -> str:
    """A value as people read it; codes by the names that the bundle gives them."""
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if key == "x-when":
        return _conditions(value, bundle)
    if isinstance(value, list):
        return ", ".join(shown(part, key, one, bundle) for one in value)
    if isinstance(value, Mapping):
        told = ((key_name(one), shown(part, one, inner, bundle)) for one, inner in value.items())
        return "; ".join(f"{name}: {words}" for name, words in told)
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _word(part, key, value, bundle)


def _word(part: str, key: str, value: str, bundle: Mapping[str, Any]) -> str:
    if key in ("term", "within") and part != "service":
        return _term(value)
    if key == "permission" and value in catalogue:
        return str(catalogue[value].sentence)
    if key in ("category", "pauses") and value in CATEGORIES:
        return str(CATEGORIES[value].label)
    if key == "confidentiality" and value in LEVELS:
        return str(LEVELS[value].label)
    if key == "priority" and value.upper() in Case.Priority.__members__:
        return str(Case.Priority[value.upper()].label)
    if key == "channel" and value in Channel.values:
        return str(Channel(value).label)
    if key in _WITH_WORDS or (key in ("from", "to", "when") and part in ("tasks", "papers")):
        return str(_WORDS.get(value) or _names(bundle, "states").get(value, value))
    return _named(key, value, bundle)


def _named(key: str, value: str, bundle: Mapping[str, Any]) -> str:
    """A code by the name of what bears it."""
    if key in ("from", "to", "by", "initial"):
        return _names(bundle, "states").get(value, value)
    if key == "moves":
        return _names(bundle, "moves").get(value, value)
    if key == "after":
        return _names(bundle, "tasks").get(value, value)
    if key == "x-section":
        return _names(bundle, "sections").get(value, value)
    if key == "requires":
        asked = {REASON: _("a reason"), OUTCOME: _("how it ended")}
        return asked.get(value) or _names(bundle, "fields").get(value, value)
    return value


def _names(bundle: Mapping[str, Any], part: str) -> dict[str, str]:
    schema = bundle.get("fields")
    fields = schema if isinstance(schema, Mapping) else {}
    if part == "fields":
        properties = fields.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        return {
            name: str(field.get("title") or name)
            for name, field in known.items()
            if isinstance(field, Mapping)
        }
    items = fields.get("x-sections") if part == "sections" else bundle.get(part)
    return {
        str(item.get("code")): str(item.get("name") or item.get("title") or item.get("code"))
        for _place, item in objects(items)
    }


def _term(value: str) -> str:
    try:
        term = read_term(value)
    except ValueError:
        return value
    return str(term.words) if term else value


def _conditions(raw: Any, bundle: Mapping[str, Any]) -> str:
    """“Tenure: Rented, Lodged; Partner: is answered”."""
    names, found = _names(bundle, "fields"), []
    for one in raw if isinstance(raw, list) else [raw]:
        if not isinstance(one, Mapping):
            continue
        name = names.get(str(one.get("field")), str(one.get("field")))
        if "filled" in one:
            words = _("is answered") if one["filled"] else _("is not answered")
        else:
            values = one["in"] if isinstance(one.get("in"), list) else [one.get("equals")]
            words = ", ".join(_answer(bundle, str(one.get("field")), value) for value in values)
        found.append(f"{name}: {words}")
    return "; ".join(found)


def _answer(bundle: Mapping[str, Any], name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    schema = bundle.get("fields")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    field = properties.get(name) if isinstance(properties, Mapping) else None
    labels = field.get("x-labels") if isinstance(field, Mapping) else None
    return str(labels.get(str(value), value)) if isinstance(labels, Mapping) else str(value)
