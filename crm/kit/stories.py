"""Stories told by several sources in one order: the place of each thing told, and what lies beyond it."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

Rows = TypeVar("Rows", bound="QuerySet[Any]")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_LAST = (datetime(9990, 1, 1, tzinfo=UTC) - _START) // _TICK


def place(at: datetime, source: str, number: int) -> str:
    """Where a thing stands: by its moment, then its source, then its number there."""
    return f"{(at - _START) // _TICK:020d}.{source}.{number:019d}"


def beyond(rows: Rows, source: str, edge: str, *, newest_first: bool, number: str = "pk") -> Rows:
    """Of a source's rows, dated by `at`, those that come after this place of the story."""
    found = _read(edge)
    if found is None:
        return rows
    at, edge_source, edge_number = found
    way = "lt" if newest_first else "gt"
    past = Q(**{f"at__{way}": at})
    if source == edge_source:
        past |= Q(**{"at": at, f"{number}__{way}": edge_number})
    elif (source < edge_source) is newest_first:
        past |= Q(at=at)
    return rows.filter(past, **{f"at__{way}e": at})  # said twice: this half is for the index


def _read(edge: str) -> tuple[datetime, str, int] | None:
    """The parts of a place; None when it is none."""
    moment, _dot, rest = edge.partition(".")
    source, _dot, number = rest.rpartition(".")
    for digits, size in ((moment, 20), (number, 19)):
        if not (len(digits) == size and digits.isascii() and digits.isdigit()):
            return None
    if int(moment) > _LAST:
        return None
    return _START + int(moment) * _TICK, source, int(number)
