"""The small markup of articles as HTML: everything that is written is escaped, only these shapes become tags.

`## heading`, `- point`, `1. step`, `**strong**`, `[words](https://… or /…)`; an empty line ends a paragraph.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

_INLINE = re.compile(r"\*\*(?P<strong>[^*\n]+)\*\*|\[(?P<words>[^\]\n]+)\]\((?P<address>[^)\s]+)\)")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+|mailto:[^\s\"'<>]+|/(?![/\\])[^\s\"'<>\\]*")
_POINT = re.compile(r"[ \t]{0,8}[-*•] +(.*)")
_STEP = re.compile(r"[ \t]{0,8}\d{1,2}[.)] +(.*)")
_HEADING = re.compile(r"#{1,4} +(.*)")


def as_html(text: str) -> SafeString:
    """The text as HTML that is safe to show."""
    return _joined(_blocks(text))


def as_text(text: str) -> str:
    """The text without its marks, as search and answers read it."""
    lines = []
    for line in text.splitlines():
        for shape in (_HEADING, _POINT, _STEP):
            if found := shape.fullmatch(line):
                line = found[1]  # noqa: PLW2901 - the line without its mark
                break
        lines.append(_INLINE.sub(lambda found: found["strong"] or found["words"], line))
    return "\n".join(lines)


def _blocks(text: str) -> Iterator[SafeString]:
    for kind, lines in groupby(text.replace("\r", "").split("\n"), key=_kind):
        block = list(lines)
        if kind == "heading":
            for line in block:
                yield format_html("<h2>{}</h2>", _inline(_inner(_HEADING, line)))
        elif kind == "point":
            yield format_html("<ul>{}</ul>", _items(_POINT, block))
        elif kind == "step":
            yield format_html("<ol>{}</ol>", _items(_STEP, block))
        elif kind == "words":
            yield format_html("<p>{}</p>", _inline(" ".join(line.strip() for line in block)))


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    shapes = (("heading", _HEADING), ("point", _POINT), ("step", _STEP))
    return next((kind for kind, shape in shapes if shape.fullmatch(line)), "words")


def _items(shape: re.Pattern[str], lines: list[str]) -> SafeString:
    return _joined(format_html("<li>{}</li>", _inline(_inner(shape, line))) for line in lines)


def _inner(shape: re.Pattern[str], line: str) -> str:
    found = shape.fullmatch(line)
    return found[1] if found else line


def _inline(text: str) -> SafeString:
    """Strong words and links; an address of another kind stays as it was written."""
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts.append(escape(text[at : found.start()]))
        at = found.end()
        if found["strong"]:
            parts.append(format_html("<strong>{}</strong>", found["strong"]))
        elif _ADDRESS.fullmatch(found["address"]):
            parts.append(format_html('<a href="{}">{}</a>', found["address"], found["words"]))
        else:
            parts.append(escape(found[0]))
    parts.append(escape(text[at:]))
    return _joined(parts)


def _joined(parts: "Iterator[SafeString] | list[SafeString]") -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - each part was escaped where it was made
