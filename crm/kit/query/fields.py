"""What a room's lists can be asked: its fields, what is wrong with an expression, what may follow."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import reduce
from operator import and_, or_
from typing import Any, Generic, TypeVar

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.kit.errors import Text
from crm.kit.query.grammar import (
    UNKEEPABLE,
    Group,
    Node,
    Not,
    Problem,
    Term,
    Value,
    Words,
    Wrong,
    parse,
    unescaped,
    written,
)

C = TypeVar("C")  # what a room knows when it reads values: who asks, when, the organisation's codes
OFFERS = 12
PROPOSALS = 3
NEAR = 0.6
IS = (":", "=")
COMPARING = ("<", "<=", ">", ">=")
_NAMED = re.compile(r"(-{0,20})([^\W\d_][\w-]{0,39})(<=|>=|[:<>=])(.*)", re.DOTALL)


def folded(text: str) -> str:
    """A name or value as it is compared: without capitals and accents, dashes between its words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[\s_-]+", "-", bare).strip("-")


def in_spanish() -> bool:
    """Whether fields and values are shown by their Spanish names; both are always understood."""
    return not (get_language() or "").startswith("en")


@dataclass(frozen=True, slots=True)
class Offer:
    """A value that may be written, and what it means."""

    text: str
    label: Text = ""


def _no_offers(_asking: Any, _begun: str) -> Iterable[Offer]:
    return ()


@dataclass(frozen=True)
class Field(Generic[C]):
    """Something that can be asked. `read` gives what a value means or raises Wrong; `means` what the
    field, a sign and the values mean as a condition of the room."""

    name: str
    spanish: str
    label: Text
    read: Callable[[C, Value], Any]
    means: Callable[[C, str, Sequence[Any]], Any] | None = None
    offers: Callable[[C, str], Iterable[Offer]] = _no_offers
    others: tuple[str, ...] = ()  # further names
    compares: bool = False  # whether < and > are understood
    words: bool = False  # its value is looked for together with the words beside it
    about: str = ""  # fields with one word here tell of one and the same thing beside each other
    personal: bool = False  # what is written there may name a person

    @property
    def shown(self) -> str:
        """Its name as the reader writes it."""
        return self.spanish if in_spanish() else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, self.spanish, *self.others)


@dataclass(frozen=True)
class Leaf:
    """A term that is understood."""

    field: Field[Any]
    sign: str
    values: tuple[Any, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Said:
    """Words that are looked for together."""

    words: tuple[Value, ...]


@dataclass(frozen=True)
class Same:
    """Terms that tell of one and the same thing."""

    about: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class No:
    """What must not hold."""

    inner: "Known"


@dataclass(frozen=True)
class Several:
    """Several that must all hold, or any of which must."""

    parts: tuple["Known", ...]
    every: bool


Known = Leaf | Said | Same | No | Several


@dataclass(frozen=True)
class Understood:
    """An expression and what became of it: a tree, or problems."""

    text: str
    node: Node | None = None
    tree: Known | None = None
    problems: tuple[Problem, ...] = ()

    def mentions(self, *names: str) -> bool:
        """Whether any of these fields is asked anywhere."""
        return any(leaf.field.name in names for leaf in leaves_of(self.tree))


def leaves_of(tree: Known | None) -> Iterator[Leaf]:
    """Every term of a tree."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, Same):
        yield from tree.leaves
    elif isinstance(tree, No):
        yield from leaves_of(tree.inner)
    elif isinstance(tree, Several):
        for part in tree.parts:
            yield from leaves_of(part)


@dataclass(frozen=True)
class Vocabulary(Generic[C]):
    """The fields of a room's lists; what words and groups of terms mean there.

    `word` names the field that a word by itself is a value of, if any. `same` raises Wrong where
    terms about one thing do not go together.
    """

    fields: tuple[Field[C], ...]
    says: Callable[[C, Sequence[Value]], Any]
    word: Callable[[str], str] = lambda _word: ""
    same: Mapping[str, Callable[[C, Sequence[Leaf]], Any]] = field(default_factory=dict)

    def field(self, name: str) -> Field[C] | None:
        """The field of that name, in whatever language."""
        wanted = folded(name)
        return next(
            (one for one in self.fields if wanted in (folded(known) for known in one.names)), None
        )

    # --- Understanding ---------------------------------------------------------------------------

    def understand(self, asking: C, text: str) -> Understood:
        """The expression with all that is wrong with it; no text makes it fail."""
        try:
            node = parse(text)
        except Wrong as wrong:
            return Understood(text, problems=(wrong.problem,))
        if node is None:
            return Understood(text)
        problems: list[Problem] = []
        tree = self._known(asking, node, problems)
        if problems:
            return Understood(text, node, problems=tuple(problems))
        return Understood(text, node, tree)

    def _known(self, asking: C, node: Node, problems: list[Problem]) -> Known | None:
        if isinstance(node, Not):
            inner = self._known(asking, node.inner, problems)
            return None if inner is None else No(inner)
        if isinstance(node, Group) and not node.every:
            found = [self._known(asking, part, problems) for part in node.parts]
            return Several(tuple(part for part in found if part is not None), every=False)
        parts = node.parts if isinstance(node, Group) else (node,)
        return self._together(asking, parts, problems)

    def _together(self, asking: C, nodes: Sequence[Node], problems: list[Problem]) -> Known | None:
        """What stands side by side: words are looked for together, some terms tell of one thing."""
        about = {one.about for one in map(self._field_of, nodes) if one is not None and one.about}
        words: list[Value] = []
        same: dict[str, list[Leaf]] = {}
        found: list[Known] = []
        for node in nodes:
            try:
                part = self._part(asking, node, about, problems)
            except Wrong as wrong:
                problems.append(wrong.problem)
                continue
            if isinstance(part, Value):
                words.append(part)
            elif isinstance(part, Leaf) and part.field.about:
                same.setdefault(part.field.about, []).append(part)
            elif part is not None:
                found.append(part)
        for what, leaves in same.items():
            found.append(self._same(asking, what, tuple(leaves), problems))
        if words:
            found.append(Said(tuple(words)))
        return found[0] if len(found) == 1 else Several(tuple(found), every=True)

    def _part(
        self, asking: C, node: Node, about: set[str], problems: list[Problem]
    ) -> Known | Value | None:
        """A word as itself; of anything else what it means."""
        told = self._term_of(node, about) if isinstance(node, Words) else node
        if isinstance(told, Words):
            return told.value
        if not isinstance(told, Term):
            return self._known(asking, told, problems)
        one = self._field_of(told)
        if one is not None and one.words and len(told.values) == 1 and told.sign in IS:
            return told.values[0]
        return self._leaf(asking, told, problems)

    def _same(
        self, asking: C, what: str, leaves: tuple[Leaf, ...], problems: list[Problem]
    ) -> Same:
        try:
            self.same[what](asking, leaves)
        except Wrong as wrong:
            problems.append(wrong.problem)
        return Same(what, leaves)

    def _field_of(self, node: Node) -> Field[C] | None:
        return self.field(node.name) if isinstance(node, Term) else None

    def _term_of(self, node: Words, about: set[str]) -> Words | Term:
        """The term that a word stands for beside such terms, or the word."""
        if node.value.quoted or not (name := self.word(node.value.text)):
            return node
        one = self.field(name)
        assert one is not None
        if one.about and one.about not in about:
            if "-" not in node.value.text:
                return node
            message = _("“%(word)s” says when something happened: beside it, write what.")
            proposals = (f"{one.shown}:{node.value.text}", f'"{node.value.text}"')
            shown = message % {"word": node.value.text}
            raise Wrong(node.start, node.end, shown, proposals)
        return Term(name, ":", (node.value,), node.start, node.end)

    def _leaf(self, asking: C, term: Term, problems: list[Problem]) -> Leaf | None:
        one = self.field(term.name)
        if one is None:
            problems.append(self._unknown(term))
            return None
        if term.sign not in IS and not one.compares:
            message = _("“%(field)s” is not more or less than something: write “:”.")
            at = term.start + len(term.name)
            shown = message % {"field": term.name}
            problems.append(Problem(at, at + len(term.sign), shown, (":",)))
            return None
        if term.sign not in IS and len(term.values) > 1:
            message = _("After “%(sign)s” there is one value only.") % {"sign": term.sign}
            problems.append(Problem(term.values[1].start, term.end, message))
            return None
        values = []
        for value in term.values:
            try:
                values.append(one.read(asking, value))
            except Wrong as wrong:
                problems.append(wrong.problem)
        if len(values) < len(term.values):
            return None
        return Leaf(
            one, ":" if term.sign == "=" else term.sign, tuple(values), term.start, term.end
        )

    def _unknown(self, term: Term) -> Problem:
        known = {folded(name): one for one in self.fields for name in one.names}
        near = get_close_matches(folded(term.name), known, PROPOSALS, NEAR)
        names = tuple(dict.fromkeys(known[name].shown for name in near))
        message = _("There is no field “%(field)s”. If it is a word to be found, put it in quotes.")
        return Problem(
            term.start, term.start + len(term.name), message % {"field": term.name}, names
        )

    # --- Meaning ---------------------------------------------------------------------------------

    def compile(self, asking: C, tree: Known) -> Any:
        """What a tree means, by what the room says of its fields; conditions know &, | and ~."""
        if isinstance(tree, No):
            return ~self.compile(asking, tree.inner)
        if isinstance(tree, Several):
            parts = [self.compile(asking, part) for part in tree.parts]
            return reduce(and_ if tree.every else or_, parts)
        if isinstance(tree, Same):
            return self.same[tree.about](asking, tree.leaves)
        if isinstance(tree, Said):
            return self.says(asking, tree.words)
        assert tree.field.means is not None
        return tree.field.means(asking, tree.sign, tree.values)

    # --- Completing ------------------------------------------------------------------------------

    def complete(self, asking: C, text: str, at: int) -> "list[Completion]":
        """What may be written at this place, each with the signs that it replaces."""
        if UNKEEPABLE.search(text):
            return []
        begun = text[_begin(text[:at], lambda sign: sign.isspace() or sign in "()") : at]
        after = re.match(r'[^\s()"]*', text[at:])
        end = at + (after.end() if after else 0)
        if named := _NAMED.fullmatch(begun):
            value = named[4][_begin(named[4], lambda sign: sign == ",") :]
            one = self.field(named[2])
            offers = one.offers(asking, folded(unescaped(value.strip('"')))) if one else ()
            return [
                Completion(at - len(value), end, written(offer.text), offer.label)
                for offer in _first(offers)
            ]
        name = begun.lstrip("-")
        return [
            Completion(at - len(name), end, f"{one.shown}:", one.label)
            for one in _first(self._beginning(folded(name)))
        ]

    def _beginning(self, begun: str) -> Iterator[Field[C]]:
        for one in self.fields:
            words = (*one.names, str(one.label))
            if any(folded(word).startswith(begun) for word in words):
                yield one


@dataclass(frozen=True, slots=True)
class Completion:
    """What may be written from one sign to another."""

    start: int
    end: int
    text: str
    label: Text


def proposing(value: Value, message: Text, known: Mapping[str, str]) -> Wrong:
    """A value that is none of the words known, with what is written for those that are near."""
    by_folded = {folded(word): text for word, text in known.items()}
    wanted = folded(value.text)
    near = get_close_matches(wanted, by_folded, PROPOSALS, NEAR)
    near += [word for word in by_folded if wanted and word.startswith(wanted)]
    texts = tuple(dict.fromkeys(written(by_folded[word]) for word in near))[:PROPOSALS]
    return Wrong(value.start, value.end, message, texts)


def _begin(text: str, ends: Callable[[str], bool]) -> int:
    """Where the last piece of a text begins, when such signs outside quotes end one."""
    begin, at, quoted = 0, 0, False
    while at < len(text):
        if text[at] == '"':
            quoted = not quoted
        elif quoted and text[at] == "\\":
            at += 1
        elif not quoted and ends(text[at]):
            begin = at + 1
        at += 1
    return begin


def _first(offers: Iterable[Any]) -> list[Any]:
    return [offer for offer, _number in zip(offers, range(OFFERS), strict=False)]
