"""States and allowed moves as data: the form of a case type's bundle, read and checked here only.

A bundle is JSON, so that it travels, is versioned and compared:
`{"states": [{"code", "name", "names", "category"}], "initial": code,
  "moves": [{"code", "name", "names", "from": [code…], "to": code, "permission", "requires": […]}],
  "fields": JSON Schema 2020-12 of the case's own data, "term": "30wd" | "15d" | "3m" | "1y" | null,
  "confidentiality": "internal", "roles", "messages", "results", "retention": cases.parts,
  "tasks", "papers": cases.checklists, "service": cases.targets}`
`requires` names what a move asks for: "reason", "outcome", or fields of the schema; a move that ends work
asks for a result besides, where the type has any. `names` are the name in other languages.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import checklists
from cases.fields import Fields, Problem, check_fields
from cases.models import TRANSFERRED, Case, Confidentiality, Participant, StateCategory
from cases.parts import messages, results, roles
from cases.parts.messages import Template
from cases.parts.named import check_named, check_repeated, codes_of, objects, spoken
from cases.parts.results import Outcome
from cases.parts.roles import Role
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, CLOSE_CASE
from cases.targets import check as check_service
from cases.terms import Term, read_term
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text
from crm.kit.policy import Decision, decide

REASON, OUTCOME, RESULT = "reason", "outcome", "result"
MOVE_PERMISSIONS = (CHANGE_CASE, CLOSE_CASE, ASSIGN_CASE)
CATEGORIES: Mapping[str, StateCategory] = {
    category.name.lower(): category for category in StateCategory
}
MOST_STATES, MOST_MOVES, MOST_BYTES = 40, 120, 128 * 1024
LEVELS: Mapping[str, Confidentiality] = {level.name.lower(): level for level in Confidentiality}


@dataclass(frozen=True, slots=True)
class State:
    """A state in the organisation's own words, and what it means."""

    code: str
    said: str
    category: StateCategory
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it, in their language."""
        return spoken(self.said, self.names)


@dataclass(frozen=True, slots=True)
class Move:
    """A way from some states to another: who may go it and what it asks for."""

    code: str
    said: str
    sources: tuple[str, ...]
    target: str
    permission: str
    requires: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it, in their language."""
        return spoken(self.said, self.names)


@dataclass(frozen=True)
class Workflow:
    """A checked bundle."""

    states: Mapping[str, State]
    initial: str
    moves: tuple[Move, ...]
    fields: Fields
    term: Term | None = None
    checklist: checklists.Checklist = checklists.NONE
    confidentiality: Confidentiality = Confidentiality.INTERNAL
    roles: tuple[Role, ...] = ()
    messages: tuple[Template, ...] = ()
    results: tuple[Outcome, ...] = ()

    def role_choices(self) -> list[tuple[str, Text]]:
        """As what people may take part: the type's roles, or the usual ones."""
        own: list[tuple[str, Text]] = [(role.code, role.name) for role in self.roles]
        return own or list(Participant.Role.choices)

    def role_name(self, code: str) -> str:
        """What a role is called; of one that the type does not know, as usual or by its code."""
        names: dict[str, Text] = {**dict(Participant.Role.choices), **dict(self.role_choices())}
        return str(names.get(code, code))

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

    def said_of(self, state: str) -> str:
        """The state's name as its type says it first, whoever reads: what a story keeps."""
        known = self.states.get(state)
        return known.said if known else state

    def result(self, code: str) -> Outcome | None:
        """The result of that code."""
        return next((result for result in self.results if result.code == code), None)

    def asks(self, move: Move, case: Case) -> tuple[str, ...]:
        """What the move still needs to be told of a case: reason, outcome and result always, fields that
        have no value and are asked, or may be once others of the move are answered."""
        shown = self.fields.shown(case.data)
        asked = [
            name
            for name in move.requires
            if name in (REASON, OUTCOME)
            or (
                case.data.get(name) in (None, "", []) and (name in shown or self._hangs(name, move))
            )
        ]
        ends = self.target_of(move).category >= StateCategory.RESOLVED
        if ends and not case.ended and self.results:
            asked.append(RESULT)
        return tuple(asked)

    def _hangs(self, name: str, move: Move) -> bool:
        known = self.fields.get(name)
        return known is not None and any(one.field in move.requires for one in known.when)


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
        item["code"]: State(
            item["code"], item["name"], CATEGORIES[item["category"]], item.get("names", {})
        )
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
            item.get("names", {}),
        )
        for item in bundle["moves"]
    )
    return Workflow(
        MappingProxyType(states),
        bundle["initial"],
        moves,
        Fields(bundle.get("fields") or {}),
        read_term(bundle.get("term")),
        checklists.read(bundle),
        LEVELS[bundle.get("confidentiality") or "internal"],
        roles.read(bundle.get("roles")),
        messages.read(bundle.get("messages")),
        results.read(bundle),
    )


# --- Checking -----------------------------------------------------------------------------------


def check(bundle: Any) -> list[Problem]:
    """Everything that is wrong with a bundle; an empty list means that cases can be worked by it."""
    if not isinstance(bundle, Mapping):
        return [Problem("", _("The definition is not an object."))]
    if len(json.dumps(bundle)) > MOST_BYTES:
        return [Problem("", _("The definition is too long."))]
    problems = [Problem(key, _("There is no such part.")) for key in bundle if key not in PARTS]
    for verify in PARTS.values():
        problems += verify(bundle)
    if not problems:  # it speaks of states and moves that are well formed
        problems += _check_reachable(bundle)
    return problems


def _check_term(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    term = bundle.get("term")
    try:
        if term is None or isinstance(term, str):
            read_term(term)
            return
    except ValueError:
        pass
    text = _("Write the term as 30wd (working days), 15d (days), 3m (months) or 1y (years).")
    yield Problem("term", text)


def _check_confidentiality(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    level = bundle.get("confidentiality")
    if level is not None and level not in tuple(LEVELS):
        text = _("There is no such level. There are: %(names)s.")
        yield Problem("confidentiality", text % {"names": ", ".join(LEVELS)})


def _check_states(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    states = bundle.get("states")
    if not isinstance(states, list) or not states or len(states) > MOST_STATES:
        text = _("There must be from 1 to %(count)s states.")
        yield Problem("states", text % {"count": MOST_STATES})
        return
    for number, state in enumerate(states):
        where = f"states[{number}]"
        if not isinstance(state, Mapping):
            yield Problem(where, _("It is not an object."))
            continue
        yield from check_named(where, state)
        if state.get("category") not in tuple(CATEGORIES):
            text = _("Unknown category. There are: %(names)s.")
            yield Problem(f"{where}.category", text % {"names": ", ".join(CATEGORIES)})
    yield from check_repeated("states", states)


def _categories(bundle: Mapping[str, Any]) -> dict[str, StateCategory]:
    """The states that are well formed."""
    return {
        state["code"]: CATEGORIES[state["category"]]
        for _place, state in objects(bundle.get("states"))
        if isinstance(state.get("code"), str) and state.get("category") in tuple(CATEGORIES)
    }


def _check_initial(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    categories, initial = _categories(bundle), bundle.get("initial")
    if not isinstance(initial, str) or initial not in codes_of(bundle.get("states")):
        yield Problem("initial", _unknown_state(initial))
    elif categories.get(initial, StateCategory.NEW) >= StateCategory.RESOLVED:
        yield Problem("initial", _("A case cannot begin in a state in which work has ended."))


def _check_moves(bundle: Mapping[str, Any]) -> Iterator[Problem]:
    categories = dict.fromkeys(codes_of(bundle.get("states")), StateCategory.NEW)
    categories |= _categories(bundle)
    moves = bundle.get("moves")
    if not isinstance(moves, list) or len(moves) > MOST_MOVES:
        text = _("There may be at most %(count)s moves.")
        yield Problem("moves", text % {"count": MOST_MOVES})
        return
    fields = _properties(bundle)
    for number, move in enumerate(moves):
        where = f"moves[{number}]"
        if isinstance(move, Mapping):
            yield from _check_move(where, move, categories, fields)
        else:
            yield Problem(where, _("It is not an object."))
    yield from check_repeated("moves", moves)


def _check_move(
    where: str,
    move: Mapping[str, Any],
    categories: Mapping[str, StateCategory],
    fields: Mapping[str, Any],
) -> Iterator[Problem]:
    yield from check_named(where, move)
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


def _properties(bundle: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = bundle.get("fields")
    properties = fields.get("properties") if isinstance(fields, Mapping) else None
    return properties if isinstance(properties, Mapping) else {}


def _ends_or_reopens(
    sources: list[str], target: Any, categories: Mapping[str, StateCategory]
) -> bool:
    codes = [code for code in [*sources, target] if isinstance(code, str)]
    known = [categories[code] for code in codes if code in categories]
    return any(category >= StateCategory.RESOLVED for category in known)


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


Check = Callable[[Mapping[str, Any]], Iterable[Problem]]
PARTS: Mapping[str, Check] = {
    "states": _check_states,
    "initial": _check_initial,
    "moves": _check_moves,
    "fields": lambda bundle: check_fields(bundle.get("fields") or {}),
    "term": _check_term,
    "confidentiality": _check_confidentiality,
    "roles": roles.check,
    "messages": messages.check,
    "results": results.check,
    "retention": results.check_retention,
    "tasks": checklists.check_tasks,
    "papers": checklists.check_papers,
    "service": lambda bundle: check_service(bundle.get("service")),
}
"""The parts of a bundle, each with what finds everything that is wrong with it, the whole bundle given."""


# --- Moving -------------------------------------------------------------------------------------


def allowed_moves(actor: Actor, case: Case) -> list[Possible]:
    """The moves that leave the case's state, each with the decision on this actor and its reason."""
    workflow = of_version(case.type_version.bundle)
    return [
        Possible(
            move,
            workflow.target_of(move),
            decide(actor, move.permission, case),
            workflow.asks(move, case),
        )
        for move in workflow.moves_from(case.state)
    ]


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
