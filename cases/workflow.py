"""States and allowed moves as data: the form of a case type's bundle, read and checked here only.

A bundle is JSON, so that it travels, is versioned and compared:
`{"states": [{"code", "name", "category"}], "initial": code,
  "moves": [{"code", "name", "from": [code…], "to": code, "permission", "requires": […]}],
  "fields": JSON Schema 2020-12 of the case's own data, "term": "30wd" | "15d" | "3m" | "1y" | null}`
`requires` names what a move asks for: "reason", "outcome", or fields of the schema.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.fields import Fields, Problem, check_fields
from cases.models import TRANSFERRED, Case, StateCategory
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, CLOSE_CASE
from cases.terms import Term, read_term
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text
from crm.kit.policy import Decision, decide

REASON, OUTCOME = "reason", "outcome"
MOVE_PERMISSIONS = (CHANGE_CASE, CLOSE_CASE, ASSIGN_CASE)
CATEGORIES: Mapping[str, StateCategory] = {
    category.name.lower(): category for category in StateCategory
}
MOST_STATES, MOST_MOVES, MOST_BYTES = 40, 120, 64 * 1024
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class State:
    """A state in the organisation's own words, and what it means."""

    code: str
    name: str
    category: StateCategory


@dataclass(frozen=True, slots=True)
class Move:
    """A way from some states to another: who may go it and what it asks for."""

    code: str
    name: str
    sources: tuple[str, ...]
    target: str
    permission: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """A checked bundle."""

    states: Mapping[str, State]
    initial: str
    moves: tuple[Move, ...]
    fields: Fields
    term: Term | None = None

    def moves_from(self, state: str) -> list[Move]:
        """The moves that leave this state, in the bundle's order."""
        return [move for move in self.moves if state in move.sources]

    def move(self, code: str) -> Move | None:
        """The move of that code."""
        return next((move for move in self.moves if move.code == code), None)

    def target_of(self, move: Move) -> State:
        """Where a move leads."""
        return self.states[move.target]

    def name_of(self, state: str) -> str:
        """The state's name; its code when the bundle does not know it (an imported case)."""
        if state == TRANSFERRED:
            return _("Transferred")
        known = self.states.get(state)
        return known.name if known else state


@dataclass(frozen=True, slots=True)
class Possible:
    """A move that leaves a case's state, whether the actor may make it, and what it will ask."""

    move: Move
    target: State
    decision: Decision
    asks: tuple[str, ...] = field(default=())


def parse(bundle: Mapping[str, Any]) -> Workflow:
    """The bundle as a workflow; raises Invalid with every problem and where it is."""
    problems = check(bundle)
    if problems:
        errors: dict[str, list[Text]] = {}
        for problem in problems:
            errors.setdefault(problem.where, []).append(problem.message)
        raise Invalid(code="bundle_invalid", errors=errors)
    return _built(json.dumps(bundle, sort_keys=True))


def of_version(bundle: Mapping[str, Any]) -> Workflow:
    """The workflow of a stored version, which was checked when it was written."""
    return _built(json.dumps(bundle, sort_keys=True))


@lru_cache(maxsize=256)
def _built(text: str) -> Workflow:
    bundle = json.loads(text)
    states = {
        item["code"]: State(item["code"], item["name"], CATEGORIES[item["category"]])
        for item in bundle["states"]
    }
    moves = tuple(
        Move(
            item["code"],
            item["name"],
            tuple(item["from"]),
            item["to"],
            item["permission"],
            tuple(item.get("requires", ())),
        )
        for item in bundle["moves"]
    )
    return Workflow(
        MappingProxyType(states),
        bundle["initial"],
        moves,
        Fields(bundle.get("fields") or {}),
        read_term(bundle.get("term")),
    )


# --- Checking -----------------------------------------------------------------------------------


def check(bundle: Any) -> list[Problem]:
    """Everything that is wrong with a bundle; an empty list means that cases can be worked by it."""
    if not isinstance(bundle, Mapping):
        return [Problem("", _("The definition is not an object."))]
    if len(json.dumps(bundle)) > MOST_BYTES:
        return [Problem("", _("The definition is too long."))]
    problems = [
        Problem(key, _("There is no such part."))
        for key in bundle
        if key not in {"states", "initial", "moves", "fields", "term"}
    ]
    problems += check_fields(bundle.get("fields") or {})
    problems += _check_term(bundle.get("term"))
    problems += _check_states(bundle.get("states"))
    if not problems:  # what follows speaks of states and fields that are well formed
        problems += _check_moves(bundle)
    if not problems:
        problems += _check_reachable(bundle)
    return problems


def _check_term(term: Any) -> list[Problem]:
    try:
        if term is None or isinstance(term, str):
            read_term(term)
            return []
    except ValueError:
        pass
    text = _("Write the term as 30wd (working days), 15d (days), 3m (months) or 1y (years).")
    return [Problem("term", text)]


def _check_states(states: Any) -> Iterator[Problem]:
    if not isinstance(states, list) or not states or len(states) > MOST_STATES:
        text = _("There must be from 1 to %(count)s states.")
        yield Problem("states", text % {"count": MOST_STATES})
        return
    for number, state in enumerate(states):
        where = f"states[{number}]"
        if not isinstance(state, Mapping):
            yield Problem(where, _("It is not an object."))
            continue
        yield from _check_named(where, state)
        if state.get("category") not in tuple(CATEGORIES):
            text = _("Unknown category. There are: %(names)s.")
            yield Problem(f"{where}.category", text % {"names": ", ".join(CATEGORIES)})
    yield from _check_repeated("states", states)


def _check_moves(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    categories = {state["code"]: CATEGORIES[state["category"]] for state in bundle["states"]}
    initial = bundle.get("initial")
    if not isinstance(initial, str) or initial not in categories:
        yield Problem("initial", _unknown_state(initial))
    elif categories[initial] >= StateCategory.RESOLVED:
        yield Problem("initial", _("A case cannot begin in a state in which work has ended."))
    moves = bundle.get("moves")
    if not isinstance(moves, list) or len(moves) > MOST_MOVES:
        text = _("There may be at most %(count)s moves.")
        yield Problem("moves", text % {"count": MOST_MOVES})
        return
    fields = (bundle.get("fields") or {}).get("properties", {})
    for number, move in enumerate(moves):
        where = f"moves[{number}]"
        if isinstance(move, Mapping):
            yield from _check_move(where, move, categories, fields)
        else:
            yield Problem(where, _("It is not an object."))
    yield from _check_repeated("moves", moves)


def _check_move(
    where: str,
    move: Mapping[str, Any],
    categories: Mapping[str, StateCategory],
    fields: Mapping[str, Any],
) -> Iterator[Problem]:
    yield from _check_named(where, move)
    sources, target = move.get("from"), move.get("to")
    if not isinstance(sources, list) or not sources:
        yield Problem(f"{where}.from", _("Say from which states it leaves."))
        sources = []
    named = [(f"{where}.from", source) for source in sources] + [(f"{where}.to", target)]
    for place, code in named:
        if not isinstance(code, str) or code not in categories:
            yield Problem(place, _unknown_state(code))
    if move.get("permission") not in MOVE_PERMISSIONS:
        text = _("Unknown permission. There are: %(names)s.")
        yield Problem(f"{where}.permission", text % {"names": ", ".join(MOVE_PERMISSIONS)})
    elif move["permission"] != CLOSE_CASE and _ends_or_reopens(sources, target, categories):
        text = _("A move that ends work or takes it up again needs the permission %(name)s.")
        yield Problem(f"{where}.permission", text % {"name": CLOSE_CASE})
    requires = move.get("requires", [])
    known = {REASON, OUTCOME, *fields}
    for name in requires if isinstance(requires, list) else [requires]:
        if not isinstance(name, str) or name not in known:
            text = _("“%(name)s” is neither “reason” nor “outcome” nor a field of this type.")
            yield Problem(f"{where}.requires", text % {"name": name})


def _ends_or_reopens(
    sources: list[str], target: Any, categories: Mapping[str, StateCategory]
) -> bool:
    codes = [code for code in [*sources, target] if isinstance(code, str)]
    known = [categories[code] for code in codes if code in categories]
    return any(category >= StateCategory.RESOLVED for category in known)


def _check_named(where: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    code, name = item.get("code"), item.get("name")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        text = _("A code is made of small letters, digits and underscores, 40 at most.")
        yield Problem(f"{where}.code", text)
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 80:
        yield Problem(f"{where}.name", _("A name has from 1 to 80 characters."))


def _check_repeated(where: str, items: list[Any]) -> Iterator[Problem]:
    codes = Counter(str(item.get("code")) for item in items if isinstance(item, Mapping))
    for code, times in codes.items():
        if times > 1:
            yield Problem(where, _("The code “%(code)s” is repeated.") % {"code": code})


def _check_reachable(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    ways: dict[str, set[str]] = {}
    for move in bundle["moves"]:
        for source in move["from"]:
            ways.setdefault(source, set()).add(move["to"])
    reached, waiting = {bundle["initial"]}, [bundle["initial"]]
    while waiting:
        for target in ways.get(waiting.pop(), set()) - reached:
            reached.add(target)
            waiting.append(target)
    for number, state in enumerate(bundle["states"]):
        if state["code"] not in reached:
            text = _("No move leads to the state “%(name)s”.")
            yield Problem(f"states[{number}]", text % {"name": state["name"]})


def _unknown_state(code: Any) -> str:
    return _("There is no state “%(code)s”.") % {"code": code}


# --- Moving -------------------------------------------------------------------------------------


def allowed_moves(actor: Actor, case: Case) -> list[Possible]:
    """The moves that leave the case's state, each with the decision on this actor and its reason."""
    workflow = of_version(case.type_version.bundle)
    return [
        Possible(
            move,
            workflow.target_of(move),
            decide(actor, move.permission, case),
            asks_of(move, case.data),
        )
        for move in workflow.moves_from(case.state)
    ]


def asks_of(move: Move, data: Mapping[str, Any]) -> tuple[str, ...]:
    """What a move still needs to be told: reason and outcome always, fields that have no value."""
    return tuple(
        name
        for name in move.requires
        if name in (REASON, OUTCOME) or data.get(name) in (None, "", [])
    )


# --- A simple type ------------------------------------------------------------------------------

_STATES: tuple[tuple[str, Text, str], ...] = (
    ("new", gettext_lazy("New"), "new"),
    ("in_progress", gettext_lazy("In progress"), "open"),
    ("waiting_citizen", gettext_lazy("Waiting for citizen"), "waiting_citizen"),
    ("waiting_third_party", gettext_lazy("Waiting for third party"), "waiting_third_party"),
    ("resolved", gettext_lazy("Resolved"), "resolved"),
    ("closed", gettext_lazy("Closed"), "closed"),
)
_WORKING = ["new", "in_progress", "waiting_citizen", "waiting_third_party"]
_MOVES: tuple[tuple[str, Text, list[str], str, str, list[str]], ...] = (
    ("start", gettext_lazy("Start work"), ["new"], "in_progress", CHANGE_CASE, []),
    (
        "ask_citizen",
        gettext_lazy("Wait for the citizen"),
        ["new", "in_progress"],
        "waiting_citizen",
        CHANGE_CASE,
        [REASON],
    ),
    (
        "ask_third_party",
        gettext_lazy("Wait for a third party"),
        ["new", "in_progress"],
        "waiting_third_party",
        CHANGE_CASE,
        [REASON],
    ),
    (
        "resume",
        gettext_lazy("Go on with the work"),
        ["waiting_citizen", "waiting_third_party"],
        "in_progress",
        CHANGE_CASE,
        [],
    ),
    ("resolve", gettext_lazy("Resolve"), _WORKING, "resolved", CLOSE_CASE, [OUTCOME]),
    ("close", gettext_lazy("Close"), [*_WORKING, "resolved"], "closed", CLOSE_CASE, [REASON]),
    (
        "reopen",
        gettext_lazy("Reopen"),
        ["resolved", "closed"],
        "in_progress",
        CLOSE_CASE,
        [REASON],
    ),
)


def simple_bundle(
    *, fields: Mapping[str, Any] | None = None, term: str | None = None
) -> dict[str, Any]:
    """A bundle that fits most matters, its names in the current language: one state per category."""
    return {
        "states": [
            {"code": code, "name": str(name), "category": category}
            for code, name, category in _STATES
        ],
        "initial": "new",
        "moves": [
            {
                "code": code,
                "name": str(name),
                "from": list(sources),
                "to": target,
                "permission": permission,
                "requires": list(requires),
            }
            for code, name, sources, target, permission, requires in _MOVES
        ],
        "fields": dict(fields or {}),
        "term": term,
    }
