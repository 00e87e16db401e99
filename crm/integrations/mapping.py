"""Which parts of another system's answer are shown, and under which words (pure)."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crm.integrations.ports import Rows
from crm.kit.errors import Invalid

MOST_FIELDS, MOST_RECORDS, LONGEST = 20, 50, 300

Pairs = list[tuple[str, str]]
Taken = list[list[tuple[str, Any]]]


class NotAsExpected(ValueError):  # noqa: N818 - reads as what happened
    """The answer has none of the parts that it should have."""


def read_lines(text: str) -> Pairs:
    """« Label = where.it.stands », one a line, as pairs; Invalid at `fields` says which line is wrong."""
    pairs = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        label, equals, place = (part.strip() for part in line.rpartition("="))
        if not equals or not label or not place or not all(place.split(".")):
            message = _("Line %(number)s: write “Label = place.in.the.answer”.")
            raise Invalid(errors={"fields": [message % {"number": number}]})
        pairs.append((label[:80], place[:120]))
    if not pairs or len(pairs) > MOST_FIELDS:
        message = _("Write from 1 to %(most)s lines.") % {"most": MOST_FIELDS}
        raise Invalid(errors={"fields": [message]})
    return pairs


def as_lines(pairs: Sequence[Sequence[str]]) -> str:
    """The pairs as they are typed."""
    return "\n".join(f"{label} = {place}" for label, place in pairs)


def taken(answer: Any, records_at: str, pairs: Sequence[Sequence[str]]) -> Taken:
    """Of each record the parts that are shown, as they came; NotAsExpected when it has another form."""
    records = at(answer, records_at) if records_at else answer
    if not isinstance(records, list):
        records = [records]
    if not all(isinstance(record, dict) for record in records):
        raise NotAsExpected
    found = [
        [(label, _plain(at(record, place))) for label, place in pairs]
        for record in records[:MOST_RECORDS]
    ]
    if found and not any(value is not None for record in found for _label, value in record):
        raise NotAsExpected
    return found


def in_words(records: Taken) -> Rows:
    """The records as the reader of this moment reads them."""
    return [[(label, _words(value)) for label, value in record] for record in records]


def _plain(value: Any) -> Any:
    """A value that can be shown in a line, or None."""
    if isinstance(value, str):
        return "".join(c for c in value if c.isprintable())[:LONGEST].strip() or None
    if isinstance(value, float) and not isfinite(value):
        return None  # Python reads NaN and Infinity, which no JSON and no database keeps
    return value if isinstance(value, bool | int | float) else None


def at(value: Any, place: str) -> Any:
    """What stands at `a.b.0.c`, or None."""
    for step in place.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _words(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, float):
        return number_format(value, use_l10n=True)
    return _day(str(value)) or str(value)


def _day(text: str) -> str:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    return date_format(day, "j b Y") if day else ""
