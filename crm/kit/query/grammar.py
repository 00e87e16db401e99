"""The grammar of expressions: text in, a tree with positions out, or exactly what is wrong and where.

any   := all (("or" | "o") all)*
all   := one (["and" | "y"] one)*
one   := ("-" | "not") one | "(" any ")" | term | words
term  := name (":" | "=" | "<" | "<=" | ">" | ">=") value ("," value)*
words := a word, or "several in quotes"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from crm.kit.errors import Text

LONGEST = 1_000
DEEPEST = 10
MOST_TERMS = 60
MOST_VALUES = 30
_TERM = re.compile(r"([^\W\d_][\w-]{0,39})(<=|>=|[:<>=])")
_RAW = re.compile(r'[^\s()"]+')
_RAW_VALUE = re.compile(r'[^\s()",]+')
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_OPERATORS = {"or": "or", "o": "or", "and": "and", "y": "and", "not": "not"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an expression, between which signs, and what may be written there instead."""

    start: int
    end: int
    message: Text
    proposals: tuple[str, ...] = ()


class Wrong(Exception):  # noqa: N818 - named for what it says
    """The expression cannot be understood; carries the problem."""

    def __init__(
        self, start: int, end: int, message: Text, proposals: tuple[str, ...] = ()
    ) -> None:
        super().__init__(str(message))
        self.problem = Problem(start, end, message, proposals)


@dataclass(frozen=True, slots=True)
class Value:
    """What stands after a field's sign, or a word by itself."""

    text: str
    start: int
    end: int
    quoted: bool = False
    sign: str = ""  # that it stands after


@dataclass(frozen=True, slots=True)
class Words:
    """A word, or several in quotes, by themselves."""

    value: Value

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.value.start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.value.end


@dataclass(frozen=True, slots=True)
class Term:
    """A field, a sign and values, of which any will do."""

    name: str
    sign: str
    values: tuple[Value, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    inner: "Node"
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Group:
    """Several of which all must hold, or any."""

    parts: tuple["Node", ...]
    every: bool
    start: int
    end: int


Node = Words | Term | Not | Group


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # ( ) - or and not term words end
    start: int
    end: int
    node: Term | Words | None = None


def parse(text: str) -> Node | None:
    """The tree of an expression, None for an empty one; raises nothing but Wrong, whatever the text."""
    if len(text) > LONGEST:
        message = _("At most %(count)s signs: say it in fewer words.") % {"count": LONGEST}
        raise Wrong(LONGEST, len(text), message)
    if bad := UNKEEPABLE.search(text):
        raise Wrong(bad.start(), bad.end(), _("This sign cannot be searched for: take it out."))
    tokens = _Tokens(text)
    if tokens.now.kind == "end":
        return None
    node = _any(tokens, 0)
    if tokens.now.kind == ")":
        message = _("No parenthesis was opened before this one: take it out.")
        raise Wrong(tokens.now.start, tokens.now.end, message)
    return node


def unescaped(quoted: str) -> str:
    """What stands between quotes, with what a backslash protected in it."""
    return re.sub(r"\\([\"\\])", r"\1", quoted)


def written(text: str, *, value: bool = True) -> str:
    """A text as it must stand in an expression to be one word or one value: in quotes if need be."""
    pattern = _RAW_VALUE if value else _RAW
    plain = pattern.fullmatch(text) and (
        value or (text.casefold() not in _OPERATORS and not text.startswith("-"))
    )
    if plain and (value or not _TERM.match(text)):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# --- Tokens -------------------------------------------------------------------------------------


class _Tokens:
    """The expression in pieces, one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._rest = self._pieces()
        self.now = next(self._rest)

    def take(self) -> _Token:
        """The present piece; the next becomes the present one."""
        taken = self.now
        self.now = next(self._rest)
        return taken

    def _pieces(self) -> Iterator[_Token]:
        at, terms = 0, 0
        while True:
            while at < len(self.text) and self.text[at].isspace():
                at += 1
            token = self._piece(at)
            if token.node is not None:
                terms += 1
            if terms > MOST_TERMS:
                message = _("At most %(count)s conditions: take some out.") % {"count": MOST_TERMS}
                raise Wrong(token.start, len(self.text), message)
            yield token
            at = token.end

    def _piece(self, at: int) -> _Token:
        if at >= len(self.text):
            return _Token("end", at, at)
        sign = self.text[at]
        if sign in "()":
            return _Token(sign, at, at + 1)
        if sign == "-" and at + 1 < len(self.text) and not self.text[at + 1].isspace():
            return _Token("-", at, at + 1)
        if sign == '"':
            value = self._quoted(at)
            return _Token("words", at, value.end, Words(value))
        if found := _TERM.match(self.text, at):
            return self._term(found)
        raw = _RAW.match(self.text, at)
        assert raw is not None
        kind = _OPERATORS.get(raw[0].casefold(), "words")
        word = Words(Value(raw[0], at, raw.end()))
        return _Token(kind, at, raw.end(), word if kind == "words" else None)

    def _quoted(self, at: int) -> Value:
        close = at + 1
        while close < len(self.text) and self.text[close] != '"':
            close += 2 if self.text[close] == "\\" else 1
        if close >= len(self.text):
            raise Wrong(at, len(self.text), _('These quotes are not closed: write “"” at the end.'))
        return Value(unescaped(self.text[at + 1 : close]), at, close + 1, quoted=True)

    def _term(self, found: "re.Match[str]") -> _Token:
        values: list[Value] = []
        at = found.end()
        while True:
            values.append(self._value(at, found))
            at = values[-1].end
            if len(values) > MOST_VALUES:
                message = _("At most %(count)s values of one field.") % {"count": MOST_VALUES}
                raise Wrong(values[-1].start, at, message)
            if not self.text.startswith(",", at):
                break
            at += 1
        term = Term(found[1], found[2], tuple(values), found.start(), at)
        return _Token("term", found.start(), at, term)

    def _value(self, at: int, found: "re.Match[str]") -> Value:
        if self.text.startswith('"', at):
            return replace(self._quoted(at), sign=found[2])
        raw = _RAW_VALUE.match(self.text, at)
        if raw is None:
            message = _("Write a value right after “%(sign)s”, without a space.")
            shown = {"sign": self.text[at - 1]}
            raise Wrong(found.start(), at, message % shown)
        return Value(raw[0], at, raw.end(), sign=found[2])


# --- The tree -----------------------------------------------------------------------------------


def _any(tokens: _Tokens, depth: int) -> Node:
    parts = [_all(tokens, depth)]
    while tokens.now.kind == "or":
        tokens.take()
        parts.append(_all(tokens, depth))
    return _together(parts, every=False)


def _all(tokens: _Tokens, depth: int) -> Node:
    parts = [_one(tokens, depth)]
    while tokens.now.kind not in ("or", ")", "end"):
        if tokens.now.kind == "and":
            tokens.take()
        parts.append(_one(tokens, depth))
    return _together(parts, every=True)


def _together(parts: list[Node], *, every: bool) -> Node:
    if len(parts) == 1:
        return parts[0]
    return Group(tuple(parts), every, parts[0].start, parts[-1].end)


def _one(tokens: _Tokens, depth: int) -> Node:
    token = tokens.take() if tokens.now.kind not in ("end", ")") else tokens.now
    if depth > DEEPEST:
        message = _("At most %(count)s parentheses or negations inside each other.")
        raise Wrong(token.start, token.end, message % {"count": DEEPEST})
    if token.node is not None:
        return token.node
    if token.kind in ("-", "not"):
        inner = _one(tokens, depth + 1)
        return Not(inner, token.start, inner.end)
    if token.kind == "(":
        return _within(tokens, token, depth)
    word = tokens.text[token.start : token.end]
    if word:
        message = _("A condition is missing beside “%(word)s”; as a word to be found, in quotes.")
        proposal = written(word, value=False)
        raise Wrong(token.start, token.end, message % {"word": word}, (proposal,))
    raise Wrong(max(token.start - 1, 0), token.end, _("Something is missing at the end."))


def _within(tokens: _Tokens, opened: _Token, depth: int) -> Node:
    if tokens.now.kind == ")":
        raise Wrong(opened.start, tokens.now.end, _("There is nothing in these parentheses."))
    inner = _any(tokens, depth + 1)
    if tokens.now.kind != ")":
        raise Wrong(opened.start, opened.end, _("This parenthesis is not closed: write “)”."))
    closed = tokens.take()
    # one condition too: in parentheses it stands by itself, whatever tells of the same thing outside
    several = inner if isinstance(inner, Group) else Group((inner,), True, inner.start, inner.end)
    return replace(several, start=opened.start, end=closed.end)
