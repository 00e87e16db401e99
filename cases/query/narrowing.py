"""From an expression to what a list is asked: what a CaseFilter can say becomes that, so that its
index serves it, and only the rest becomes conditions."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from cases.lists import ALL, ENDED, ME, NOBODY, OPEN, CaseFilter
from cases.models import StateCategory
from cases.query import meanings
from cases.query.asking import Asking, Person
from cases.query.fields import CASES
from cases.query.values import DANGER
from crm.citizens.search import as_typed
from crm.kit.actor import Actor
from crm.kit.query import (
    Completion,
    Group,
    Known,
    Leaf,
    Node,
    Not,
    Problem,
    Said,
    Several,
    Term,
    Understood,
    Value,
    Words,
    folded,
    leaves_of,
    parse,
    written,
)
from crm.kit.query import Wrong as WrongExpression

_OF_STATE = ("state", "state-code", "category", "closed")
_LEADING = {
    "ref",
    "citizen",
    "assignee",
    "external",
    "target",
}  # each finds few rows by an index of its own


@dataclass(frozen=True)
class Expression:
    """What was written, understood for an actor at a moment."""

    asking: Asking
    known: Understood

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it."""
        return self.known.problems

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """What it still means but nobody may expect: a unit that has been closed, a type not in use."""
        return tuple(
            Problem(leaf.start, leaf.end, message)
            for leaf in leaves_of(self.known.tree)
            if (message := _remark(self.asking, leaf))
        )

    @property
    def speaks_of_state(self) -> bool:
        """Whether it asks for a state anywhere: then no other is understood."""
        return self.known.mentions(*_OF_STATE)

    @property
    def only_words(self) -> str:
        """The words to be found, when it says no more than these; "" when it does."""
        node, text = self.known.node, self.known.text
        nodes = node.parts if isinstance(node, Group) and node.every else (node,)
        words = [one for one in nodes if isinstance(one, Words)]
        if len(words) < len(nodes):
            return ""
        if len(words) > 1 and any(CASES.word(word.value.text) == "ref" for word in words):
            return ""
        return " ".join(text[word.start : word.end] for word in words)

    def onto(self, base: CaseFilter, kept: Collection[str] = ()) -> CaseFilter:
        """What the base asks, narrowed by the expression.

        It speaks instead of the base where both say something of the same field, but for what is
        `kept`: that must hold as well. Who asks for a state anywhere is not held to the base's.
        """
        if self.known.tree is None:
            return base
        if words := self.only_words:
            return replace(base, text=words)
        base = self._speaking(base, kept)
        slots = self._slots(kept)
        also = [] if base.also is None else [base.also]
        also += [CASES.compile(self.asking, part) for part in slots.rest]
        return replace(
            base,
            **slots.values,
            also=reduce(and_, also) if also else None,
            led=base.led or slots.led,
        )

    def beside(self, base: CaseFilter, kept: Collection[str] = ()) -> CaseFilter:
        """What of the base still counts beside the expression, so that it can be told with it."""
        if self.known.tree is None or self.only_words:
            return base
        said = self._slots(kept).values
        defaults: dict[str, Any] = {
            one.name: one.default for one in fields(CaseFilter) if one.name in said
        }
        if "work" in said:
            defaults["work"] = ALL
        return replace(self._speaking(base, kept), **defaults)

    def _speaking(self, base: CaseFilter, kept: Collection[str]) -> CaseFilter:
        """Who asks for a state is not held to the base's."""
        if self.speaks_of_state and "work" not in kept:
            return replace(base, work=ALL, categories=frozenset(), state="")
        return base

    def _slots(self, kept: Collection[str]) -> "_Slots":
        slots = _Slots(set(kept))
        if self.known.tree is not None:
            for part in _top(self.known.tree):
                slots.take(part)
        return slots

    def alone(self) -> CaseFilter:
        """What the expression asks by itself: of all cases, however old."""
        return self.onto(CaseFilter(work=ALL, any_time=True))


class Understanding:
    """Expressions as one actor means them at one moment; what the organisation has is read once."""

    def __init__(self, actor: Actor) -> None:
        self._asking = Asking(actor, timezone.localtime())

    def of(self, text: str) -> Expression:
        """The expression with all that is wrong with it."""
        return Expression(self._asking, CASES.understand(self._asking, text))


def understood(actor: Actor, text: str) -> Expression:
    """The expression as the actor means it now."""
    return Understanding(actor).of(text)


def is_personal(text: str) -> bool:
    """Whether an expression may mean something else for each person: « me » or « mine » is in it."""
    try:
        node = parse(text)
    except WrongExpression:
        return True
    return any(folded(value.text.removesuffix("/*")) in _OWN for value in _values(node))


_OWN = frozenset({"me", "yo", "mi", "mine", "mia"})


def _values(node: Node | None) -> Iterator[Value]:
    if isinstance(node, Term):
        yield from node.values
    elif isinstance(node, Not):
        yield from _values(node.inner)
    elif isinstance(node, Group):
        for part in node.parts:
            yield from _values(part)


def completions(actor: Actor, text: str, at: int) -> list[Completion]:
    """What the actor may write at this place of an expression."""
    return CASES.complete(Asking(actor, timezone.localtime()), text, at)


def as_audited(text: str) -> str:
    """An expression as the audit trail keeps it: where a person may be named, numbers are masked."""
    try:
        node = parse(text)
    except WrongExpression:
        return as_typed(text)
    found = text
    for value in sorted(_personal(node), key=lambda one: one.start, reverse=True):
        shown = as_typed(value.text)
        if shown != value.text:
            found = found[: value.start] + written(shown) + found[value.end :]
    return found


def _personal(node: Node | None) -> Iterator[Value]:
    if isinstance(node, Words):
        yield node.value
    elif isinstance(node, Term):
        known = CASES.field(node.name)
        if known is None or known.personal:
            yield from node.values
    elif isinstance(node, Not):
        yield from _personal(node.inner)
    elif isinstance(node, Group):
        for part in node.parts:
            yield from _personal(part)


# --- Inside -------------------------------------------------------------------------------------


def _remark(asking: Asking, leaf: Leaf) -> str:
    if leaf.field.name == "unit":
        named = {node.id: node for node in asking.tree.nodes if node.closed}
        gone = [one for value in leaf.values for one in value.keys if one in named]
        if gone and all(key in named for value in leaf.values for key in value.keys):
            return _("The unit %(unit)s has been closed.") % {"unit": named[gone[0]].name}
    if leaf.field.name == "type":
        off = {kind.pk: kind.name for kind in asking.types if not kind.is_active}
        for value in leaf.values:
            if value.key in off:
                return _("The case type %(type)s is no longer in use.") % {"type": off[value.key]}
    return ""


def _top(tree: Known) -> Iterator[Known]:
    """What must hold in any case."""
    if isinstance(tree, Several) and tree.every:
        for part in tree.parts:
            yield from _top(part)
    else:
        yield tree


@dataclass
class _Slots:
    """Fields of a CaseFilter as they are taken; what finds its field taken is a condition."""

    taken: set[str]
    values: dict[str, Any] = field(default_factory=dict)
    rest: list[Known] = field(default_factory=list)
    led: bool = False

    def take(self, part: Known) -> None:
        said = self._said(part)
        if said is not None and not said.keys() & self.taken:
            self.values |= said
            self.taken |= said.keys()
            return
        self.rest.append(part)
        name = part.field.name if isinstance(part, Leaf) else ""
        self.led = self.led or name in _LEADING or isinstance(part, Said)

    def _said(self, part: Known) -> Mapping[str, Any] | None:
        if isinstance(part, Said):
            return {"text": meanings.searched(part.words)}
        if not isinstance(part, Leaf):
            return None
        if part.field.name == "category" and part.sign == ":":
            return _categories(part.values)
        slot = _SLOTS.get(part.field.name)
        if slot is None or len(part.values) > 1:
            return None
        return slot(part.sign, part.values[0])


def _categories(values: Collection[StateCategory]) -> Mapping[str, Any]:
    ended = {value >= StateCategory.RESOLVED for value in values}
    work = ALL if len(ended) > 1 else ENDED if True in ended else OPEN
    return {"categories": frozenset(values), "work": work}


def _state(_sign: str, value: Any) -> Mapping[str, Any] | None:
    if value.work:
        return {"work": value.work}
    return {"state": value.codes[0]} if len(value.codes) == 1 else None


def _state_code(_sign: str, codes: tuple[str, ...]) -> Mapping[str, Any] | None:
    return {"state": codes[0]} if len(codes) == 1 else None


def _assignee(_sign: str, value: Person) -> Mapping[str, Any] | None:
    if value.me:
        return {"assignee": ME}
    return {"assignee": NOBODY if value.key is None else UUID(value.uuid)}


def _citizen(_sign: str, value: Any) -> Mapping[str, Any] | None:
    return {"citizen": value} if isinstance(value, UUID) else None


def _period(first: str, before: str) -> Callable[[str, Any], Mapping[str, Any] | None]:
    def slot(sign: str, value: Any) -> Mapping[str, Any] | None:
        ends = value.by(sign)
        if ends is None:
            return None
        said = zip((first, before), ends, strict=True)
        return {name: moment for name, moment in said if moment is not None}

    return slot


_SLOTS: dict[str, Callable[[str, Any], Mapping[str, Any] | None]] = {
    "state": _state,
    "state-code": _state_code,
    "type": lambda _sign, value: {"case_type": value.code},
    "unit": lambda _sign, value: {"unit": value.uuid, "alone": value.alone},
    "assignee": _assignee,
    "citizen": _citizen,
    "channel": lambda _sign, value: {"channel": value},
    "priority": lambda sign, value: {"priority": int(value)} if sign == ":" else None,
    "ref": lambda _sign, value: {"reference": value},
    "service": lambda _sign, value: {"danger": True} if value == DANGER else None,
    "due": _period("due_from", "due_before"),
    "opened": _period("opened_from", "opened_before"),
}
