"""Case types as text that people read, keep under version control and carry to another installation. Pure.

The text is YAML of one fixed shape and order, so that equal types give equal texts and a difference is
a few lines. It is read strictly: true and false are the only truth values, dates stay texts, nothing
refers to anything else, and a mistake is told with its line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

from cases.fields import ORDER
from cases.parts.named import Problem
from cases.workflow import PARTS
from crm.kit.errors import Invalid

FORMAT, HEAD = "case_type_format", ("code", "name", "nature")
VERSION = 1
LONGEST = 512 * 1024
LONGEST_WORD = 60
_FIRST = (
    *("code", "name", "names", "title", "category", "type", "format", "from", "to", "permission"),
    *("requires", "nomination", "term", "most", "field", "text", "texts", "moves"),
)
_BY_NAME = frozenset({"properties", "names", "texts", "labels", "x-labels", "x-i18n"})


@dataclass(frozen=True)
class Written:
    """A case type as a text says it."""

    code: str
    name: str
    nature: str
    bundle: dict[str, Any]


def write(kind: Written) -> str:
    """The text; the same for the same type, whatever order its bundle was kept in."""
    told: dict[str, Any] = {FORMAT: VERSION}
    told |= {key: getattr(kind, key) for key in HEAD}
    parts = [part for part in PARTS if part in kind.bundle]
    parts += sorted(set(kind.bundle) - set(PARTS))
    for part in parts:
        told[part] = _in_order(kind.bundle[part], part)
    return yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000)


def read(text: str) -> Written:
    """What the text says; Invalid with the line of what cannot be read. Whether cases can be worked by
    its bundle is another question."""
    if len(text.encode(errors="replace")) > LONGEST:
        _refuse(Problem("", _("The text is too long.")))
    try:
        said = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, and stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (
            {"line": mark.line + 1, "column": mark.column + 1} if mark else {"line": 1, "column": 1}
        )
        told = _("Line %(line)s, column %(column)s: %(problem)s.")
        _refuse(Problem("", told % {**place, "problem": error.problem or error.context}))
    except (yaml.YAMLError, ValueError) as error:
        _refuse(Problem("", _("It cannot be read: %(problem)s") % {"problem": str(error)[:200]}))
    except RecursionError:
        _refuse(Problem("", _("It is nested too deeply.")))
    if not isinstance(said, dict) or said.get(FORMAT) != VERSION:
        text = _("It is no case type: the text must begin with “%(mark)s”.")
        _refuse(Problem(FORMAT, text % {"mark": f"{FORMAT}: {VERSION}"}))
    for key in HEAD:
        if not isinstance(said.get(key), str):
            _refuse(Problem(key, _("This field is required.")))
    bundle = {key: value for key, value in said.items() if key not in (FORMAT, *HEAD)}
    return Written(said["code"], said["name"], said["nature"], bundle)


@dataclass(frozen=True, slots=True)
class Located:
    """A problem with the line, the column and the word that it is about; line 0: of the whole."""

    problem: Problem
    line: int = 0
    column: int = 0
    word: str = ""

    @property
    def words(self) -> str:
        """In one sentence."""
        if not self.line:
            where = self.problem.where
            return f"{where}: {self.problem.message}" if where else str(self.problem.message)
        told = _("Line %(line)s, column %(column)s, “%(word)s”: %(problem)s")
        named = {"line": self.line, "column": self.column, "word": self.word}
        return told % {**named, "problem": self.problem.message}


def located(text: str, problems: Iterable[Problem]) -> list[Located]:
    """Where in a readable text each problem is: at what it names, else at the nearest thing around it."""
    marks = _marks(text)
    return [_located(problem, marks) for problem in problems]


def _located(problem: Problem, marks: Mapping[str, tuple[int, int, str]]) -> Located:
    where = problem.where
    while where and where not in marks:
        where = re.sub(r"(?:\.[^.\[\]]*|\[[0-9]+\]|^[^.\[\]]+)$", "", where)
    return Located(problem, *marks[where]) if where else Located(problem)


def _marks(text: str) -> dict[str, tuple[int, int, str]]:
    """Where each place of a readable text stands: line, column, word."""
    found: dict[str, tuple[int, int, str]] = {}

    def follow(node: Any, where: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                place = f"{where}.{key.value}" if where else str(key.value)
                said = value if isinstance(value, yaml.ScalarNode) and value.value else key
                mark = said.start_mark
                found[place] = (mark.line + 1, mark.column + 1, _first_word(said.value))
                follow(value, place)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                place, mark = f"{where}[{number}]", value.start_mark
                word = _first_word(value.value) if isinstance(value, yaml.ScalarNode) else ""
                found[place] = (mark.line + 1, mark.column + 1, word or _name_in(value))
                follow(value, place)

    follow(yaml.compose(text, Loader=_Loader), "")
    return found


def _name_in(node: Any) -> str:
    """What a thing of a list calls itself."""
    if isinstance(node, yaml.MappingNode):
        named = {key.value: value.value for key, value in node.value}
        return _first_word(str(named.get("name") or named.get("code") or ""))
    return ""


def _first_word(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= LONGEST_WORD else f"{line[: LONGEST_WORD - 1]}…"


def _refuse(problem: Problem) -> Any:
    raise Invalid(code="text_invalid", errors={problem.where: [problem.message]})


def _in_order(value: Any, name: str) -> Any:
    """Objects with their keys in one order: as people look for them, the rest by the alphabet."""
    if isinstance(value, list):
        return [_in_order(one, "") for one in value]
    if not isinstance(value, Mapping):
        return value
    keys = sorted(value)
    if name == "properties" or name in _BY_NAME:
        pass
    else:
        keys.sort(key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    told = {key: _in_order(value[key], key) for key in keys}
    order = told.get(ORDER)
    if isinstance(order, list) and isinstance(
        told.get("properties"), dict
    ):  # as the form asks them
        known = told["properties"]
        asked = [key for key in order if isinstance(key, str) and key in known]
        told["properties"] = {key: known[key] for key in (*asked, *known)}
    return told


# --- YAML, less of it ---------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Blocks throughout, lists indented, long texts as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand further right than what they belong to."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written where it stands."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


class _Loader(yaml.SafeLoader):
    """JSON's values and no others; nothing refers to anything else, no key stands twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A value that stands here."""
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=_("references to other places are not read"), problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """An object, each key once and a text."""
        seen: set[str] = set()
        for key, _value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or name in seen or key.tag == "tag:yaml.org,2002:merge":
                problem = _("a key is a text that stands once")
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(name)
            key.tag = "tag:yaml.org,2002:str"
        found: dict[Any, Any] = super().construct_mapping(node, deep=True)
        return found


_PLAIN = {
    "tag:yaml.org,2002:null": (r"^(?:null|~|)$", ["n", "~", ""]),
    "tag:yaml.org,2002:bool": (r"^(?:true|false)$", ["t", "f"]),
    "tag:yaml.org,2002:int": (r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    "tag:yaml.org,2002:float": (
        r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?$",
        list("-0123456789"),
    ),
}
_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _signs) in _PLAIN.items():
    for _side in (_Loader, _Dumper):  # what would be read as a number is written in quotes
        _side.add_implicit_resolver(_tag, re.compile(_pattern), _signs)
