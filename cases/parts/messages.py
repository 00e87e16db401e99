"""What is usually written to the citizen: `messages`, offered where an answer is written. Pure.

[{"code", "name", "names", "text", "texts": {language: text}, "moves": [code…]}]; of `moves`, after which it
is offered first; none: always. In the text ((reference)) stands for what a case says, ((data.rent)) for
one of the type's own fields.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from cases.parts.named import (
    Problem,
    check_keys,
    check_list,
    check_texts,
    codes_of,
    in_language,
    objects,
    spoken,
)
from crm.kit.errors import Text

MOST_MESSAGES, LONGEST_TEXT = 40, 8_000
DATA = "data."
VARIABLES: Mapping[str, Text] = {
    "citizen": gettext_lazy("Name of the citizen"),
    "reference": gettext_lazy("Case number"),
    "subject": gettext_lazy("Subject"),
    "type": gettext_lazy("Case type"),
    "state": gettext_lazy("State"),
    "outcome": gettext_lazy("Outcome"),
    "result": gettext_lazy("Way of ending"),
    "due": gettext_lazy("Due date"),
    "unit": gettext_lazy("Unit"),
    "organisation": gettext_lazy("Organisation"),
}
_KEYS = {"code", "name", "names", "text", "texts", "moves"}
_HOLE = re.compile(r"\(\(([^()\n]{0,80})\)\)")


@dataclass(frozen=True, slots=True)
class Template:
    """One message as it is usually written."""

    code: str
    said: str
    names: Mapping[str, str]
    text: str
    texts: Mapping[str, str]
    moves: tuple[str, ...]

    @property
    def name(self) -> str:
        """What employees call it."""
        return spoken(self.said, self.names)

    def written(self, language: str, value_of: Callable[[str], str]) -> str:
        """The message in the citizen's language; a hole of which nothing is known stays, to be seen."""
        with override(language):
            return filled(in_language(self.texts) or self.text, value_of)


def filled(text: str, value_of: Callable[[str], str]) -> str:
    """The text with what is known; a hole of which nothing is known stays, to be seen."""
    return _HOLE.sub(lambda hole: value_of(hole[1].strip()) or hole[0], text)


@dataclass(frozen=True, slots=True)
class Hole:
    """A variable in a text, and where it stands: line and sign, both from one."""

    name: str
    line: int
    sign: int


def holes(text: str) -> Iterator[Hole]:
    """The variables of a text, in its order."""
    for found in _HOLE.finditer(text):
        before = text[: found.start()]
        line = before.count("\n") + 1
        yield Hole(found[1].strip(), line, found.start() - (before.rfind("\n") + 1) + 1)


def is_variable(name: str) -> bool:
    """Whether the name is one of the vocabulary, or may be a field of some type."""
    return name in VARIABLES or (name.startswith(DATA) and name.removeprefix(DATA).isidentifier())


def read(raw: Any) -> tuple[Template, ...]:
    """The templates of a checked bundle, in its order."""
    return tuple(
        Template(
            one["code"],
            one["name"],
            one.get("names", {}),
            one["text"],
            one.get("texts", {}),
            tuple(one.get("moves", ())),
        )
        for one in raw or ()
    )


def check(bundle: Mapping[str, Any]) -> Iterable[Problem]:
    """What is wrong with the part: of a hole that nothing fills, with its text and name."""
    messages = bundle.get("messages", [])
    moves = set(codes_of(bundle.get("moves")))
    known = {*VARIABLES, *(f"{DATA}{name}" for name in _field_names(bundle))}
    yield from check_list("messages", messages, MOST_MESSAGES)
    for place, message in objects(messages):
        where = f"messages[{place}]"
        yield from check_keys(where, message, _KEYS)
        text = message.get("text")
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= LONGEST_TEXT:
            told = _("Write from 1 to %(limit)s characters.") % {"limit": LONGEST_TEXT}
            yield Problem(f"{where}.text", told)
        else:
            yield from _check_holes(f"{where}.text", text, known)
        texts = message.get("texts", {})
        yield from check_texts(f"{where}.texts", texts, LONGEST_TEXT)
        for language, spoken_text in texts.items() if isinstance(texts, Mapping) else ():
            if isinstance(spoken_text, str):
                yield from _check_holes(f"{where}.texts.{language}", spoken_text, known)
        yield from _check_moves(f"{where}.moves", message.get("moves", []), moves)


def unknown_holes(text: str, bundle: Mapping[str, Any]) -> list[str]:
    """What stands in double brackets and nothing fills."""
    return _unknown(text, {*VARIABLES, *(f"{DATA}{name}" for name in _field_names(bundle))})


def _unknown(text: str, known: set[str]) -> list[str]:
    holes = (hole.strip() for hole in dict.fromkeys(_HOLE.findall(text)))
    return [hole for hole in holes if hole not in known]


def _check_holes(where: str, text: str, known: set[str]) -> Iterator[Problem]:
    for hole in _unknown(text, known):
        told = _("Nothing is known by the name “%(name)s”. There are: %(names)s.")
        names = {"name": hole, "names": ", ".join(sorted(known))}
        yield Problem(where, told % names)


def _check_moves(where: str, named: Any, moves: set[str]) -> Iterator[Problem]:
    if not isinstance(named, list):
        yield Problem(where, _("Write a list of codes of moves."))
        return
    for code in named:
        if not isinstance(code, str) or code not in moves:
            yield Problem(where, _("There is no move “%(code)s”.") % {"code": code})


def _field_names(bundle: Mapping[str, Any]) -> Iterable[str]:
    fields = bundle.get("fields")
    properties = fields.get("properties") if isinstance(fields, Mapping) else None
    return properties if isinstance(properties, Mapping) else ()
