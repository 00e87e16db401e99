"""A bundle as its designer meets it: lists of named things with an address each. Pure.

A draft may hold anything, also what no form has written: what cannot be read is left where it is, and
`problems_by_page` leads from a check's place (`moves[2].to`) to the page and the field of it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from cases.fields import ORDER, Problem
from cases.workflow import PARTS
from crm.kit.errors import Text

SECTIONS = "x-sections"
NEW = "nuevo"  # in place of a thing's key
LONGEST_CODE = 40
FIRST_CODES = "x"  # before a code that would begin with a digit
Bundle = Mapping[str, Any]
Item = dict[str, Any]


@dataclass(frozen=True)
class Lot:
    """One kind of thing of which a bundle has a list: where it is kept, and how it is spoken of."""

    slug: str
    part: str
    title: Text
    lead: Text
    icon: str
    add: Text
    one: Text
    empty: Text
    read: Callable[[Bundle], Any]
    write: Callable[[Bundle, list[Item]], Any]
    place: Callable[[int, Mapping[str, Any]], str]
    longest_code: int = LONGEST_CODE
    coded: bool = True
    """Whether its things bear a code; else they go by their place."""

    def items(self, bundle: Bundle) -> list[Any]:
        """What stands in the list, readable or not."""
        found = self.read(bundle)
        return list(found) if isinstance(found, list) else []

    def keyed(self, bundle: Bundle) -> list[tuple[str, Item]]:
        """The readable things with the key that their addresses bear."""
        return [(key, item) for key, item, _place in self.placed(bundle)]

    def placed(self, bundle: Bundle) -> list[tuple[str, Item, str]]:
        """The readable things with their key and their place, as a check names it."""
        items = self.items(bundle)
        codes = [item.get("code") for item in items if isinstance(item, Mapping)]
        return [
            (_key(item, number, codes), dict(item), self.place(number, item))
            for number, item in enumerate(items)
            if isinstance(item, Mapping)
        ]

    def find(self, bundle: Bundle, key: str) -> tuple[int, Item] | None:
        """The thing of that key and its place in the list."""
        items = self.items(bundle)
        codes = [item.get("code") for item in items if isinstance(item, Mapping)]
        for place, item in enumerate(items):
            if isinstance(item, Mapping) and _key(item, place, codes) == key:
                return place, dict(item)
        return None

    def code_for(self, name: str, bundle: Bundle) -> str:
        """A code made of the name, that no other of the list has."""
        taken = {item.get("code") for item in self.items(bundle) if isinstance(item, Mapping)}
        return code_of(name, taken, self.longest_code)


def _key(item: Mapping[str, Any], place: int, codes: Sequence[Any]) -> str:
    code = item.get("code")
    if (
        isinstance(code, str)
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", code)
        and codes.count(code) == 1
    ):
        return code if code != NEW else str(place)
    return str(place)


def code_of(name: str, taken: set[Any], longest: int = LONGEST_CODE, dash: str = "_") -> str:
    """A code made of a name, other than those that are taken."""
    plain = re.sub(r"[-_]+", dash, slugify(name)).strip(dash) or FIRST_CODES
    if not plain[0].isalpha():
        plain = f"{FIRST_CODES}{dash}{plain}"
    code, number = plain[:longest].strip(dash), 1
    while code in taken or code == NEW:
        number += 1
        end = f"{dash}{number}"
        code = plain[: longest - len(end)].strip(dash) + end
    return code


def seen_of(item: Any) -> str:
    """Another one as soon as the thing says something else."""
    text = json.dumps(item, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def empty_bundle() -> dict[str, Any]:
    """A bundle that says nothing yet."""
    return {"states": [], "initial": None, "moves": [], "fields": {}, "term": None}


# --- Where things are kept ----------------------------------------------------------------------


def _listed(part: str) -> dict[str, Any]:
    """How a part is read and written that is a list of objects."""
    return {
        "part": part,
        "read": lambda bundle: bundle.get(part),
        "write": lambda _bundle, items: items,
        "place": lambda number, _item: f"{part}[{number}]",
    }


def schema_of(bundle: Bundle) -> dict[str, Any]:
    """The schema of the bundle's fields; an empty one where it cannot be read."""
    schema = bundle.get("fields")
    return dict(schema) if isinstance(schema, Mapping) else {}


def properties_of(bundle: Bundle) -> dict[str, Any]:
    """The fields by name."""
    properties = schema_of(bundle).get("properties")
    return dict(properties) if isinstance(properties, Mapping) else {}


def _fields(bundle: Bundle) -> list[Item]:
    """The fields in their order, each with its name as `code` and whether it is `required`."""
    schema, properties = schema_of(bundle), properties_of(bundle)
    order, required = schema.get(ORDER), schema.get("required")
    listed = [name for name in order if name in properties] if isinstance(order, list) else []
    names = list(dict.fromkeys([*listed, *properties]))
    return [
        {
            **properties[name],
            "code": name,
            "required": isinstance(required, list) and name in required,
        }
        for name in names
        if isinstance(properties[name], Mapping)
    ]


def _with_fields(bundle: Bundle, items: list[Item]) -> dict[str, Any]:
    inner = {
        item["code"]: {key: value for key, value in item.items() if key not in ("code", "required")}
        for item in items
    }
    unread = {
        name: field
        for name, field in properties_of(bundle).items()
        if not isinstance(field, Mapping)
    }
    order = [item["code"] for item in items]
    return {
        **schema_of(bundle),
        "type": "object",
        "properties": inner | unread,
        "required": [item["code"] for item in items if item.get("required")],
        ORDER: [*order, *unread],
    }


def _with_sections(bundle: Bundle, items: list[Item]) -> dict[str, Any]:
    return {**schema_of(bundle), SECTIONS: items}


LOTS: Mapping[str, Lot] = {
    lot.slug: lot
    for lot in (
        Lot(
            "campos",
            "fields",
            _("Form"),
            _("What is asked, by employees when they open a case and by citizens when they apply."),
            "forms",
            _("New question"),
            _("Question"),
            _("Nothing is asked yet but subject and description, which every case has."),
            _fields,
            _with_fields,
            lambda _number, item: f"fields.properties.{item['code']}",
        ),
        Lot(
            "secciones",
            "fields",
            _("Sections of the form"),
            _("Headings under which questions stand together."),
            "layout-rows",
            _("New section"),
            _("Section"),
            _("The form has no sections."),
            lambda bundle: schema_of(bundle).get(SECTIONS),
            _with_sections,
            lambda number, _item: f"fields.{SECTIONS}[{number}]",
        ),
        Lot(
            slug="estados",
            title=_("States"),
            lead=_(
                "Where a case can stand. What a state means for lists, figures and deadlines is"
                " its category; how you call it is yours."
            ),
            icon="progress",
            add=_("New state"),
            one=_("State"),
            empty=_(
                "There are no states yet. A case needs at least one to begin in and one to end."
            ),
            **_listed("states"),
        ),
        Lot(
            slug="pasos",
            title=_("Moves"),
            lead=_("How a case goes from one state to another: who may do it, and what it asks."),
            icon="arrows-right",
            add=_("New move"),
            one=_("Move"),
            empty=_("There are no moves yet: a case would stay where it begins."),
            **_listed("moves"),
        ),
        Lot(
            slug="intervinientes",
            title=_("Participants"),
            lead=_("As what people take part in these cases. Without any, the usual roles hold."),
            icon="users",
            add=_("New role"),
            one=_("Role"),
            empty=_("The usual roles hold: representative, interested party, witness and others."),
            longest_code=20,
            **_listed("roles"),
        ),
        Lot(
            slug="documentos",
            title=_("Documents"),
            lead=_("What papers such a case needs, from whom, and until which state."),
            icon="files",
            add=_("New document"),
            one=_("Document"),
            empty=_("No document is asked for."),
            **_listed("papers"),
        ),
        Lot(
            slug="tareas",
            title=_("Tasks"),
            lead=_("What has to be done in each case, when, by whom, and after what."),
            icon="checklist",
            add=_("New task"),
            one=_("Task"),
            empty=_("No task is made by itself."),
            **_listed("tasks"),
        ),
        Lot(
            slug="mensajes",
            title=_("Messages"),
            lead=_(
                "What is usually written to the citizen, in each language. It is offered where an"
                " answer is written, with the case's own data filled in."
            ),
            icon="message-2",
            add=_("New message"),
            one=_("Message"),
            empty=_("There are no usual messages: everybody writes their own."),
            **_listed("messages"),
        ),
        Lot(
            slug="compromisos",
            title=_("Service targets"),
            lead=_(
                "What is promised beyond the law, in working hours. Of each measure the first"
                " that fits a case counts: put the particular before the general."
            ),
            icon="hourglass",
            add=_("New service target"),
            one=_("Service target"),
            empty=_("Nothing is promised beyond the law."),
            coded=False,
            **_listed("service"),
        ),
        Lot(
            slug="resultados",
            title=_("Results"),
            lead=_("How such a case may end, and what becomes of its file afterwards."),
            icon="flag-check",
            add=_("New result"),
            one=_("Result"),
            empty=_("No results are named: whoever ends a case only writes its outcome."),
            **_listed("results"),
        ),
    )
}


def codes_and_names(slug: str, bundle: Bundle) -> list[tuple[str, Any]]:
    """The readable things of a list that have a code, as choices."""
    return [
        (item["code"], str(item.get("name") or item.get("title") or item["code"]))
        for _key_, item in LOTS[slug].keyed(bundle)
        if isinstance(item.get("code"), str)
    ]


def known_lots() -> dict[str, Lot]:
    """Those whose part a bundle may have."""
    return {slug: lot for slug, lot in LOTS.items() if lot.part in PARTS}


# --- Changing a list ----------------------------------------------------------------------------


def moved(items: list[Any], place: int, by: int) -> list[Any]:
    """The list with one thing a place up (-1) or down (1); as it is at either end."""
    there = place + by
    if not 0 <= there < len(items):
        return items
    changed = list(items)
    changed[place], changed[there] = changed[there], changed[place]
    return changed


# --- Where problems are -------------------------------------------------------------------------

GENERAL, CLOCKS, KEEPING, TEXT = "general", "plazos", "custodia", "texto"
_SINGLE = {
    "initial": ("estados", "first_state"),
    "term": (CLOCKS, "count"),
    "confidentiality": (KEEPING, "confidentiality"),
    "retention": (KEEPING, "nomination"),
    "retention.nomination": (KEEPING, "nomination"),
    "retention.term": (KEEPING, "count"),
}
_NAMES = {"names": "name", "texts": "text"}  # part of a thing by language → its field in the form
_KEYS = {
    "from": "sources",
    "to": "goes_to",
    "title": "name",
    "description": "help",
    "x-section": "section",
    "x-when": "when",
    "enum": "choices",
    "items": "choices",
    "x-labels": "choices",
    "type": "kind",
    "format": "kind",
    "minLength": "least",
    "maxLength": "most",
    "minimum": "least",
    "maximum": "most",
    "term": "count",
    "code": "name",
    "nomination": "nomination",
    "when": "starts",
}


_OWN_KEYS: Mapping[str, Mapping[str, str]] = {  # of lists whose things call them otherwise
    "tareas": {"to": "doer", "when": "starts"},
    "documentos": {"from": "origin", "by": "state"},
    "mensajes": {"text": "text"},
    "compromisos": {"within": "within"},
}


@dataclass(frozen=True, slots=True)
class Found:
    """A problem with the page, the thing and the field that it is about."""

    message: Text
    blocks: bool
    slug: str
    key: str = ""
    name: str = ""
    field: str = ""


def problems_found(bundle: Bundle, problems: Sequence[Problem]) -> list[Found]:
    """Each problem with where it is put right."""
    return [_found(bundle, problem) for problem in problems]


def _found(bundle: Bundle, problem: Problem) -> Found:
    if problem.where in _SINGLE:
        slug, field = _SINGLE[problem.where]
        return Found(problem.message, problem.blocks, slug, field=field)
    about = [
        (lot, key, item, place)
        for lot in known_lots().values()
        for key, item, place in lot.placed(bundle)
        if _within(problem.where, place)
    ]
    if about:
        lot, key, item, place = max(about, key=lambda one: len(one[3]))
        name = str(item.get("name") or item.get("title") or "")
        field = field_of(problem.where[len(place) :].lstrip("."), lot.slug)
        return Found(problem.message, problem.blocks, lot.slug, key, name, field)
    part = re.split(r"[.\[]", problem.where)[0]
    slugs = [lot.slug for lot in known_lots().values() if lot.part == part]
    return Found(problem.message, problem.blocks, slugs[0] if slugs else TEXT)


def _within(where: str, place: str) -> bool:
    return where.startswith(place) and where[len(place) : len(place) + 1] in ("", ".", "[")


def field_of(rest: str, slug: str = "") -> str:
    """The form's field for the rest of a place, `names.ca` of `states[0].names.ca`."""
    keys = [key for key in re.split(r"[.\[\]]+", rest) if key]
    if not keys:
        return ""
    first = keys[0]
    if first in _NAMES and len(keys) > 1:
        return f"{keys[1]}.{_NAMES[first]}"
    if first == "x-i18n" and len(keys) > 2:
        return f"{keys[1]}.{_KEYS.get(keys[2], keys[2])}"
    if first == "for" and len(keys) > 1:
        return keys[1]
    if first in ("at_warning", "at_breach"):
        inner = "raise" if keys[-1] == "raise_priority" else "tell"
        return f"{first.removeprefix('at_')}_{inner}"
    return _OWN_KEYS.get(slug, {}).get(first) or _KEYS.get(first, first)
