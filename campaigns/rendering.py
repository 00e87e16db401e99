"""A template's words into an e-mail: placeholders with types, a little markup, text and HTML; pure.

Placeholders are written ((name)), ((deadline:date)) or, with what stands there when nothing is known,
((town|your town)). Markup: « # heading », « - item », **strong**, [label](address). What is filled in
is never read as markup and always escaped.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import groupby
from urllib.parse import urlsplit

from django.utils.formats import date_format, number_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from crm.kit.errors import Invalid, Text

LONGEST_SUBJECT, LONGEST_BODY, LONGEST_VALUE = 150, 20_000, 400
KNOWN: Mapping[str, Text] = {  # what is known of each recipient
    "name": gettext_lazy("First name"),
    "full_name": gettext_lazy("Full name"),
    "municipality": gettext_lazy("Town"),
    "organisation": gettext_lazy("Organisation"),
}
TYPES: Mapping[str, Text] = {
    "text": gettext_lazy("Text"),
    "date": gettext_lazy("Date"),
    "number": gettext_lazy("Number"),
    "link": gettext_lazy("Link"),
}
_HOLE = (
    r"\(\((?P<name>[a-z][a-z0-9_]{0,39})(?::(?P<type>[a-z]+))?(?:\|(?P<default>[^()|]{0,200}))?\)\)"
)
_PLACE = re.compile(_HOLE)
_INLINE = re.compile(
    rf"{_HOLE}"
    r"|\[(?P<label>[^\[\]\n]{1,200})\]\((?P<target>\(\([a-z][a-z0-9_]{0,39}(?::link)?\)\)|[^\s()]{1,1000})\)"
    r"|\*\*(?P<strong>[^*\n]{1,500})\*\*"
)
_HEAD, _ITEM = "# ", "- "
LinkOf = Callable[[str], str]


class MissingValue(Exception):  # noqa: N818 - reads as what is wrong
    """A recipient has no value for a placeholder that has no default."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A hole in the words: its type, and whether every use of it has a default."""

    name: str
    type: str
    optional: bool

    @property
    def own(self) -> bool:
        """Whether the campaign says its value, the same for everybody."""
        return self.name not in KNOWN


@dataclass(frozen=True, slots=True)
class Rendered:
    """An e-mail's words for one recipient."""

    language: str
    subject: str
    text: str
    html: SafeString


@dataclass(frozen=True)
class Filling:
    """What is filled in: values by name, and where each address leads."""

    values: Mapping[str, str]
    link_of: LinkOf = field(default=lambda target: target)


def checked_texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The words as they are kept; Invalid, by language and part, when they cannot be sent."""
    errors: dict[str, list[Text]] = {}
    kept = {}
    for language, words in texts.items():
        subject = " ".join(str(words.get("subject", "")).split())
        body = str(words.get("body", "")).replace("\r\n", "\n").strip()
        kept[language] = {"subject": subject, "body": body}
        for part, text, longest in (
            ("subject", subject, LONGEST_SUBJECT),
            ("body", body, LONGEST_BODY),
        ):
            problems = list(_problems(text, longest))
            if problems:
                errors[f"{part}-{language}"] = problems
    if not kept:
        errors[""] = [_("Write the message in at least one language.")]
    if not errors:
        errors.update(_disagreements(kept))
    if errors:
        raise Invalid(code="template_invalid", errors=errors)
    return kept


def _problems(text: str, longest: int) -> Iterator[Text]:
    if not text:
        yield _("This field is required.")
    if len(text) > longest:
        yield _("Write at most %(limit)s characters.") % {"limit": longest}
    rest = _PLACE.sub("", text)
    if "((" in rest or "))" in rest:
        yield _("A placeholder is not closed, or its name is not one: write ((name)).")
    for hole in _PLACE.finditer(text):
        kind = hole["type"] or "text"
        if kind not in TYPES:
            yield _("((%(name)s)): there is no type “%(type)s”.") % {
                "name": hole["name"],
                "type": kind,
            }
        elif hole["name"] in KNOWN and kind != "text":
            yield _("((%(name)s)) is a text.") % {"name": hole["name"]}


def _disagreements(texts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, list[Text]]]:
    types: dict[str, str] = {}
    for language, words in texts.items():
        for hole in _holes(words):
            kind = hole["type"] or types.get(hole["name"], "text")
            if types.setdefault(hole["name"], kind) != kind:
                text = _("((%(name)s)) has two types.") % {"name": hole["name"]}
                yield f"body-{language}", [text]


def _holes(words: Mapping[str, str]) -> Iterator[re.Match[str]]:
    yield from _PLACE.finditer(words["subject"])
    yield from _PLACE.finditer(words["body"])


def placeholders(texts: Mapping[str, Mapping[str, str]]) -> list[Placeholder]:
    """The holes in the words of all languages, in their order."""
    found: dict[str, Placeholder] = {}
    for words in texts.values():
        targets = {match["target"] for match in _INLINE.finditer(words["body"]) if match["target"]}
        for hole in _holes(words):
            linked = any(f"(({hole['name']}" in target for target in targets)
            kind = hole["type"] or ("link" if linked else "")
            before = found.get(hole["name"])
            found[hole["name"]] = Placeholder(
                hole["name"],
                kind or (before.type if before else "text"),
                hole["default"] is not None and (before is None or before.optional),
            )
    return list(found.values())


def targets(texts: Mapping[str, Mapping[str, str]], values: Mapping[str, str]) -> list[str]:
    """Every address that the words lead to."""
    found = (
        _target(match["target"], values)
        for words in texts.values()
        for match in _INLINE.finditer(words["body"])
        if match["target"]
    )
    return list(dict.fromkeys(found))


def _target(written: str, values: Mapping[str, str]) -> str:
    hole = _PLACE.fullmatch(written)
    if hole is None:
        return written
    value = values.get(hole["name"], "")
    if not value:
        raise MissingValue(hole["name"])
    return value


def host_of(target: str) -> str:
    """The host that an address leads to; Invalid when it is no plain web address."""
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = target.isascii() and target.isprintable() and not set(target) & set('\\"<> ')
    secure = parts.scheme == "https" and port in {None, 443}
    if not (plain and secure and parts.hostname) or parts.username is not None:
        text = _("%(address)s: write a whole address that begins with https://.")
        raise Invalid(text % {"address": target[:100]}, code="link_invalid")
    return parts.hostname.rstrip(".")


def typed(kind: str, value: str) -> str:
    """A campaign's own value as it is kept; ValueError when it is not of its type."""
    text = " ".join(value.split())[:LONGEST_VALUE]
    if kind == "date":
        return date.fromisoformat(text).isoformat()
    if kind == "number":
        try:
            number = Decimal(text.replace(",", "."))
        except InvalidOperation as error:
            raise ValueError(text) from error
        if not number.is_finite():
            raise ValueError(text)
        return str(number)
    if kind == "link":
        try:
            host_of(text)
        except Invalid as error:
            raise ValueError(text) from error
    return text


def language_for(
    texts: Mapping[str, object], wanted: str, organisation: "list[str] | tuple[str, ...]" = ()
) -> str:
    """The recipient's language, else a nearby one, the organisation's in their order, else the first."""
    candidates = [wanted, wanted.partition("-")[0], *organisation, "es"]
    return next((code for code in candidates if code in texts), next(iter(texts)))


def render(
    texts: Mapping[str, Mapping[str, str]],
    language: str,
    filling: Filling,
) -> Rendered:
    """The words for one recipient; MissingValue when a hole without default stays empty."""
    words = texts[language]
    kinds = {one.name: one.type for one in placeholders(texts)}
    with override(language):
        fill = _Filler(kinds, filling)
        subject = " ".join(fill.plain(words["subject"]).split())
        blocks = [block for block in re.split(r"\n\s*\n", words["body"]) if block.strip()]
        text = "\n\n".join(fill.block_text(block) for block in blocks)
        # every part was escaped where it was made
        html = mark_safe("\n".join(fill.block_html(block) for block in blocks))  # noqa: S308
    return Rendered(language, subject, text, html)


class _Filler:
    """Fills holes and writes blocks, as text and as HTML."""

    def __init__(self, kinds: Mapping[str, str], filling: Filling) -> None:
        self._kinds, self._filling = kinds, filling

    def plain(self, text: str) -> str:
        return _PLACE.sub(self._value, text)

    def block_text(self, block: str) -> str:
        return "\n".join(self._line(line.removeprefix(_HEAD), html=False) for line in _lines(block))

    def block_html(self, block: str) -> str:
        """Headings, points that follow each other as one list, and the lines between as paragraphs."""
        written = []
        for kind, lines in groupby(_lines(block), key=_kind):
            words = [self._line(line.removeprefix(kind), html=True) for line in lines]
            if kind == _HEAD:
                written += [f"<h2>{one}</h2>" for one in words]
            elif kind == _ITEM:
                written.append(f"<ul>{''.join(f'<li>{one}</li>' for one in words)}</ul>")
            else:
                written.append(f"<p>{'<br>'.join(words)}</p>")
        return "".join(written)

    def _line(self, line: str, *, html: bool) -> str:
        written, at = [], 0
        for match in _INLINE.finditer(line):
            written.append(_as(line[at : match.start()], html=html))
            written.append(self._piece(match, html=html))
            at = match.end()
        written.append(_as(line[at:], html=html))
        return "".join(written)

    def _piece(self, match: re.Match[str], *, html: bool) -> str:
        if match["name"]:
            return _as(self._value(match), html=html)
        if match["strong"]:
            inner = self.plain(match["strong"])
            return f"<strong>{escape(inner)}</strong>" if html else inner
        label = self.plain(match["label"])
        address = self._filling.link_of(_target(match["target"], self._filling.values))
        if html:
            return f'<a href="{escape(address)}">{escape(label)}</a>'
        return f"{label} ({address})"

    def _value(self, hole: re.Match[str]) -> str:
        name = hole["name"]
        value = self._filling.values.get(name, "").strip()
        if not value:
            if hole["default"] is None:
                raise MissingValue(name)
            return hole["default"]
        return shown(self._kinds.get(name, "text"), value)


def _kind(line: str) -> str:
    """What a line begins with that says what it is; nothing for plain words."""
    return next((mark for mark in (_HEAD, _ITEM) if line.startswith(mark)), "")


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines()]


def _as(text: str, *, html: bool) -> str:
    return escape(text) if html else text


def shown(kind: str, value: str) -> str:
    """A value of a campaign as it is read."""
    if kind == "date":
        return date_format(date.fromisoformat(value), "DATE_FORMAT")
    if kind == "number":
        return number_format(Decimal(value), use_l10n=True, force_grouping=True)
    return value
