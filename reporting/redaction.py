"""Hiding who people are inside free text (pure): names, identifiers, contact data, account numbers.

When in doubt it hides: a number of seven digits that was an amount is lost, a telephone is not kept.
Every search runs in time linear in the text; what a hostile citizen wrote costs no more than prose.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from crm.citizens.identifiers import folded

_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_BETWEEN_NAMES = re.compile(r"[\s,.'’·_-]{0,4}")
_BETWEEN_DIGITS = re.compile(r"[\s./()+\-_–]{0,3}")
_MAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_HANDLE = re.compile(r"(?<!\w)@\w{2,64}")
_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[/.-]\d{1,2}[/.-]\d{1,2}")
_STREET = re.compile(
    r"(?<!\w)(?:calle|c/|avda|avenida|av\.|plaza|pza|paseo|pº|camino|carretera|ctra|travesía|ronda|"
    r"urbanización|carrer|plaça|avinguda|passeig|rúa|praza|rua|kalea|etorbidea|rue|street)"
    r"(?:[\s,.]{1,3}[^\W\d_]{1,40}){1,8}[\s,.]{0,3}(?:n[.ºo°úm]{0,4}[\s.]{0,2})?\d{1,4}"
    r"(?:[\s,.]{1,3}(?:\d{1,2}[.ºª°]{0,2}|[a-z]|bajo|izda|dcha|esc)(?!\w)){0,4}",
    re.IGNORECASE,
)
_SHORTEST_NUMBER = 7  # digits
_SHORTEST_MIXED = 6  # digits of a word that has letters too: passports, plates are shorter
_LEGAL_FORMS = frozenset({"sa", "sau", "sl", "slu", "sll", "sc", "scoop", "coop", "cb", "ute"})
PARTICLES = frozenset(
    [
        "a",
        "al",
        "da",
        "das",
        "de",
        "del",
        "do",
        "dos",
        "e",
        "el",
        "els",
        "en",
        "i",
        "la",
        "las",
        "les",
        "lo",
        "los",
        "l",
        "d",
        "y",
        "san",
        "von",
        "van",
        "der",
        "den",
        "di",
        "du",
        "le",
    ]
)


def plain(text: str) -> str:
    """The text without what hides or reorders letters, so that what is read is what is there."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        char
        for char in composed
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
    )


@dataclass(frozen=True)
class Known:
    """Somebody whose name may stand in a text, and what stands there instead.

    A natural person is known by each word of the name, a legal one only by the name as a whole.
    """

    label: str
    names: tuple[str, ...]
    natural: bool = True


@dataclass
class Redactor:
    """Replaces in texts what says who people are."""

    people: Sequence[Known]
    identifiers: Iterable[str] = ()
    addresses: Iterable[str] = ()
    birthdays: Iterable[date] = ()
    kept: Iterable[str] = ()  # numbers that stay: those of cases
    _owners: Mapping[str, frozenset[str]] = field(init=False)
    _phrases: Mapping[str, list[tuple[tuple[str, ...], str]]] = field(init=False)
    _literals: re.Pattern[str] | None = field(init=False)
    _kept: re.Pattern[str] | None = field(init=False)
    _birthdays: frozenset[str] = field(init=False)
    _longest: int = field(init=False)

    def __post_init__(self) -> None:
        owners: dict[str, set[str]] = defaultdict(set)
        phrases: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for known in self.people:
            for name in known.names:
                words = tuple(folded(word) for word in _LETTERS.findall(plain(name)))
                if known.natural:
                    for word in words:
                        if len(word) > 1 and word not in PARTICLES:
                            owners[word].add(known.label)
                elif words := _without_form(words):
                    phrases[words[0]].append((words, known.label))
        self._owners = {word: frozenset(labels) for word, labels in owners.items()}
        self._phrases = phrases
        self._longest = max(map(len, owners), default=0)
        self._literals = _any_of([*self.identifiers, *self.addresses])
        self._kept = _any_of(self.kept)
        self._birthdays = frozenset(form for day in self.birthdays for form in _forms_of(day))

    def __call__(self, text: str) -> str:
        """The text with pseudonyms for names, and words in brackets for what was hidden."""
        text = plain(text)
        pieces, end = [], 0
        for span in _joined(sorted(self._found(text), key=_longest_first)):
            pieces += [text[end : span.start], span.label]
            end = span.end
        return "".join([*pieces, text[end:]])

    def _found(self, text: str) -> Iterator["_Span"]:
        for pattern, label in (
            (_MAIL, _("[e-mail]")),
            (_HANDLE, _("[account]")),
            (_STREET, _("[address]")),
        ):
            for match in pattern.finditer(text):
                yield _Span(match.start(), match.end(), label)
        if self._literals:
            for match in self._literals.finditer(text):
                yield _Span(match.start(), match.end(), _("[hidden]"))
        yield from self._numbers(text)
        yield from self._names(text)

    # --- Numbers --------------------------------------------------------------------------------

    def _numbers(self, text: str) -> Iterator["_Span"]:
        """Words with digits that stand close together, long enough to be an identifier or telephone."""
        run: list[re.Match[str]] = []
        kept = {
            at
            for match in (self._kept.finditer(text) if self._kept else ())
            for at in range(match.start(), match.end())
        }
        for word in _WORD.finditer(text):
            if word.start() in kept:
                yield from self._number(text, run)
                run = []
                continue
            if run and not _BETWEEN_DIGITS.fullmatch(text, run[-1].end(), word.start()):
                yield from self._number(text, run)
                run = []
            if any(char.isdigit() for char in word[0]) or _is_check_letter(text, word, run):
                run.append(word)
            elif run:
                yield from self._number(text, run)
                run = []
        yield from self._number(text, run)

    def _number(self, text: str, run: list[re.Match[str]]) -> Iterator["_Span"]:
        if not run:
            return
        start, end = run[0].start(), run[-1].end()
        whole = text[start:end]
        if _DATE.fullmatch(whole):
            if whole in self._birthdays:
                yield _Span(start, end, _("[date of birth]"))
            return
        digits = sum(char.isdigit() for char in whole)
        mixed = any(char.isalpha() for word in run for char in word[0])
        if digits >= (_SHORTEST_MIXED if mixed else _SHORTEST_NUMBER):
            yield _Span(_with_prefix(text, start), end, _("[number]"))

    # --- Names ----------------------------------------------------------------------------------

    def _names(self, text: str) -> Iterator["_Span"]:
        words = list(_LETTERS.finditer(text))
        keys = [folded(word[0]) for word in words]
        at = 0
        while at < len(words):
            phrase = self._phrase(keys, at)
            if phrase:
                length, label = phrase
                yield _Span(words[at].start(), words[at + length - 1].end(), label)
                at += length
                continue
            owners = self._owners_of(keys[at])
            if not owners:
                at += 1
                continue
            last, owners = self._extended(text, words, keys, at, owners)
            label = next(iter(owners)) if len(owners) == 1 else _("[name]")
            yield _Span(words[at].start(), words[last].end(), label)
            at = last + 1

    def _extended(
        self,
        text: str,
        words: list[re.Match[str]],
        keys: list[str],
        at: int,
        owners: frozenset[str],
    ) -> tuple[int, frozenset[str]]:
        """The last word of a name that begins at a word, and to whom all its words may belong."""
        last = at
        for step in range(at + 1, len(words)):
            if not _BETWEEN_NAMES.fullmatch(text, words[step - 1].end(), words[step].start()):
                break
            if keys[step] in PARTICLES:
                continue
            common = owners & self._owners_of(keys[step])
            if not common:
                break
            last, owners = step, common
        return last, owners

    def _owners_of(self, word: str) -> frozenset[str]:
        """Whose name a word is, or is made of: garciaperez is García and Pérez."""
        found = self._owners.get(word)
        if found or not word or len(word) > 4 * self._longest:
            return found or frozenset()
        reached: list[frozenset[str] | None] = [None] * (len(word) + 1)
        for end in range(2, len(word) + 1):
            for start in range(max(0, end - self._longest), end - 1):
                part = self._owners.get(word[start:end])
                if part and (start == 0 or reached[start] is not None):
                    before = reached[start] or part
                    reached[end] = (reached[end] or frozenset()) | (before & part or before | part)
        return reached[-1] or frozenset()

    def _phrase(self, keys: list[str], at: int) -> tuple[int, str] | None:
        """The longest name of a legal person that begins at a word."""
        fitting = [
            (len(words), label)
            for words, label in self._phrases.get(keys[at], ())
            if tuple(keys[at : at + len(words)]) == words
        ]
        return max(fitting, default=None)


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    label: str


def _longest_first(span: _Span) -> tuple[int, int, str]:
    return span.start, -span.end, span.label


def _without_form(words: tuple[str, ...]) -> tuple[str, ...]:
    """A company's name without what it is in law, which people leave out: S. L., SA."""
    while len(words) > 1 and (len(words[-1]) == 1 or words[-1] in _LEGAL_FORMS):
        words = words[:-1]
    return words


def _joined(spans: Iterable[_Span]) -> Iterator[_Span]:
    """Spans that do not overlap; of those that did, the first gives the label."""
    current: _Span | None = None
    for span in spans:
        if current and span.start < current.end:
            current = _Span(current.start, max(current.end, span.end), current.label)
            continue
        if current:
            yield current
        current = span
    if current:
        yield current


def _any_of(values: Iterable[str]) -> re.Pattern[str] | None:
    """Any of these values, however its parts are separated and its letters written."""
    shapes = set()
    for value in values:
        marks = [char for char in folded(plain(value)) if char.isalnum()]
        if len(marks) > 2:
            shapes.add(r"[\W_]{0,3}".join(_any_accent(char) for char in marks))
    if not shapes:
        return None
    longest_first = sorted(shapes, key=lambda shape: (-len(shape), shape))
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(longest_first)})(?![^\W_])", re.IGNORECASE)


_ACCENTED = {"a": "aáàäâãå", "e": "eéèëê", "i": "iíìïî", "o": "oóòöôõ", "u": "uúùüû"} | {
    "c": "cç",
    "n": "nñ",
}


def _any_accent(char: str) -> str:
    return f"[{_ACCENTED[char]}]" if char in _ACCENTED else re.escape(char)


def _is_check_letter(text: str, word: re.Match[str], run: list[re.Match[str]]) -> bool:
    """Whether a word is the letter that ends an identifier written apart: 12345678 Z."""
    if not run or len(word[0]) != 1 or word.start() - run[-1].end() != 1:
        return False
    between = text[run[-1].end()]
    return between in "-.\u2013" or (between == " " and word[0].isupper())


def _with_prefix(text: str, start: int) -> int:
    """Where a number begins with the plus sign, the country or the letter that belong to it."""
    match = re.search(
        r"(?:(?<![^\W_])(?:[A-Z]{1,2}[\s.-]|[a-z][.-])|\+|\()$", text[max(0, start - 4) : start]
    )
    return start - len(match[0]) if match else start


def _forms_of(day: date) -> Iterator[str]:
    for separator in "/.-":
        for pattern in ("%d{0}%m{0}%Y", "%d{0}%m{0}%y", "%Y{0}%m{0}%d"):
            yield day.strftime(pattern.format(separator))
        yield f"{day.day}{separator}{day.month}{separator}{day.year}"
        yield f"{day.day}{separator}{day.month}{separator}{day.year % 100:02}"
