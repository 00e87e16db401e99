"""Tasks and papers that a case type plans: two optional parts of its bundle, read and checked here. Pure.

`"tasks": [{"code", "name", "instructions", "when": "opened" or a state's code,
  "to": "assignee" | "unit" | a unit's code, "term": "5wd" | null, "after": [codes],
  "approval": bool, "closing": "blocks" | "warns" | null}]`
`"papers": [{"code", "name", "required": bool, "from": "citizen" | "administration",
  "by": the state that it must be there for, or null}]`
Only code and name must be said: a task begins when the case opens and is whoever has the case's; a
paper is required, of the citizen, and needed for no state.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.utils.translation import gettext as _

from cases.fields import Problem
from cases.parts.named import codes_of
from cases.terms import read_term

OPENED, ASSIGNEE, UNIT = "opened", "assignee", "unit"
CLOSINGS, SOURCES = ("blocks", "warns"), ("citizen", "administration")
MOST_TASKS, MOST_PAPERS, LONGEST_INSTRUCTIONS = 40, 40, 4_000
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TASK = frozenset(
    {"code", "name", "instructions", "when", "to", "term", "after", "approval", "closing"}
)
_PAPER = frozenset({"code", "name", "required", "from", "by"})


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task that every case of the type gets, when it opens or enters a state."""

    code: str
    name: str
    instructions: str
    when: str
    to: str
    term: str
    after: tuple[str, ...]
    approval: bool
    closing: str


@dataclass(frozen=True, slots=True)
class PlannedPaper:
    """A document that every case of the type needs."""

    code: str
    name: str
    required: bool
    source: str
    by: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """What a case type plans."""

    tasks: tuple[PlannedTask, ...] = ()
    papers: tuple[PlannedPaper, ...] = ()

    def tasks_at(self, *moments: str) -> list[PlannedTask]:
        """The tasks that begin then, each after those that come before it."""
        found = {task.code: task for task in self.tasks if task.when in moments}
        order = TopologicalSorter({code: task.after for code, task in found.items()})
        return [found[code] for code in order.static_order() if code in found]


NONE = Checklist()


def read(bundle: Mapping[str, Any]) -> Checklist:
    """The checklist of a bundle that was checked."""
    return Checklist(
        tuple(
            PlannedTask(
                item["code"],
                item["name"].strip(),
                (item.get("instructions") or "").strip(),
                item.get("when") or OPENED,
                item.get("to") or ASSIGNEE,
                item.get("term") or "",
                tuple(item.get("after") or ()),
                bool(item.get("approval")),
                item.get("closing") or "",
            )
            for item in bundle.get("tasks") or ()
        ),
        tuple(
            PlannedPaper(
                item["code"],
                item["name"].strip(),
                bool(item.get("required", True)),
                item.get("from") or SOURCES[0],
                item.get("by") or "",
            )
            for item in bundle.get("papers") or ()
        ),
    )


# --- Checking -----------------------------------------------------------------------------------


def check_tasks(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with the tasks of a bundle."""
    states = set(codes_of(bundle.get("states")))
    yield from _check_items(
        bundle, "tasks", MOST_TASKS, _TASK, lambda w, i: _check_task(w, i, states)
    )
    yield from _check_order(bundle.get("tasks") or [])


def check_papers(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with the papers of a bundle."""
    states = set(codes_of(bundle.get("states")))
    yield from _check_items(
        bundle, "papers", MOST_PAPERS, _PAPER, lambda w, i: _check_paper(w, i, states)
    )


def unknown_units(bundle: Mapping[str, Any], units: Collection[str]) -> Iterator[Problem]:
    """The tasks of a bundle that go to units which the organisation does not have."""
    for number, task in enumerate(read(bundle).tasks):
        if task.to not in (ASSIGNEE, UNIT, *units):
            text = _("There is no open unit with the code “%(code)s”.") % {"code": task.to}
            yield Problem(f"tasks[{number}].to", text)


def _check_items(
    bundle: Mapping[str, Any],
    part: str,
    most: int,
    known: Collection[str],
    check_one: Callable[[str, Mapping[str, Any]], Iterator[Problem]],
) -> Iterator[Problem]:
    items = bundle.get(part) or []
    if not isinstance(items, list) or len(items) > most:
        yield Problem(part, _("It is a list of %(count)s at most.") % {"count": most})
        return
    for number, item in enumerate(items):
        where = f"{part}[{number}]"
        if not isinstance(item, Mapping):
            yield Problem(where, _("It is not an object."))
            continue
        for key in sorted(map(str, set(item) - set(known))):
            yield Problem(f"{where}.{key}", _("There is no such part."))
        yield from _check_named(where, item)
        yield from check_one(where, item)
    codes = Counter(str(item.get("code")) for item in items if isinstance(item, Mapping))
    for code in (code for code, times in codes.items() if times > 1):
        yield Problem(part, _("The code “%(code)s” is repeated.") % {"code": code})


def _check_named(where: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    code, name = item.get("code"), item.get("name")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        text = _("A code is made of small letters, digits and underscores, 40 at most.")
        yield Problem(f"{where}.code", text)
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 160:
        yield Problem(f"{where}.name", _("A name has from 1 to 160 characters."))


def _check_task(where: str, item: Mapping[str, Any], states: Collection[str]) -> Iterator[Problem]:
    instructions = item.get("instructions") or ""
    if not isinstance(instructions, str) or len(instructions) > LONGEST_INSTRUCTIONS:
        text = _("Write at most %(limit)s characters.") % {"limit": LONGEST_INSTRUCTIONS}
        yield Problem(f"{where}.instructions", text)
    if not _is_one(item.get("when"), {OPENED, *states}):
        text = _("Write “opened” or the code of a state.")
        yield Problem(f"{where}.when", text)
    if not isinstance(item.get("to") or "", str):
        yield Problem(f"{where}.to", _("Write “assignee”, “unit” or the code of a unit."))
    if not _is_term(item.get("term")):
        text = _("Write the term as 30wd (working days), 15d (days), 3m (months) or 1y (years).")
        yield Problem(f"{where}.term", text)
    if not isinstance(item.get("approval") or False, bool):
        yield Problem(f"{where}.approval", _("Write true or false."))
    if not _is_one(item.get("closing"), CLOSINGS):
        yield Problem(f"{where}.closing", _("Write “blocks”, “warns” or nothing."))
    after = item.get("after") or []
    if not isinstance(after, list) or not all(isinstance(code, str) for code in after):
        yield Problem(f"{where}.after", _("It is a list of codes of tasks."))


def _check_paper(where: str, item: Mapping[str, Any], states: Collection[str]) -> Iterator[Problem]:
    if not isinstance(item.get("required", True), bool):
        yield Problem(f"{where}.required", _("Write true or false."))
    if not _is_one(item.get("from"), SOURCES):
        yield Problem(f"{where}.from", _("Write “citizen” or “administration”."))
    if not _is_one(item.get("by"), states):
        text = _("There is no state “%(code)s”.") % {"code": item.get("by")}
        yield Problem(f"{where}.by", text)


def _check_order(tasks: Any) -> Iterator[Problem]:
    """Tasks come after others that are there when they begin, and never after themselves."""
    named = [
        (number, item["code"], item)
        for number, item in enumerate(tasks if isinstance(tasks, list) else [])
        if isinstance(item, Mapping) and isinstance(item.get("code"), str)
    ]
    moments = {code: item.get("when") or OPENED for _number, code, item in named}
    order: dict[str, list[str]] = {}
    for number, code, item in named:
        after = item.get("after") or []
        order[code] = (
            [one for one in after if isinstance(one, str)] if isinstance(after, list) else []
        )
        for other in order[code]:
            if other not in moments:
                text = _("There is no task “%(code)s”.") % {"code": other}
                yield Problem(f"tasks[{number}].after", text)
            elif moments[other] not in (OPENED, moments[code]):
                text = _("The task “%(code)s” begins at another moment: it may not be there yet.")
                yield Problem(f"tasks[{number}].after", text % {"code": other})
    try:
        TopologicalSorter(order).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        told = {"tasks": " → ".join(circle)}
        text = _("These tasks come after each other in a circle: %(tasks)s.") % told
        place = next(number for number, code, _item in named if code in circle)
        yield Problem(f"tasks[{place}].after", text)


def _is_one(value: Any, known: Collection[str]) -> bool:
    return value in (None, "") or (isinstance(value, str) and value in known)


def _is_term(term: Any) -> bool:
    if not isinstance(term, str | None):
        return False
    try:
        read_term(term)
    except ValueError:
        return False
    return True
