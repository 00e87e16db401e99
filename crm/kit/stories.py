"""Stories told by several sources in one order: the place of each thing told, and what lies beyond it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from crm.kit.errors import Text

Rows = TypeVar("Rows", bound="QuerySet[Any]")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_LAST = (datetime(9990, 1, 1, tzinfo=UTC) - _START) // _TICK


class Form(StrEnum):
    """What a thing told is on paper."""

    STEP = "step"  # something that became true
    MESSAGE = "message"  # words between the house and a person
    NOTE = "note"  # words within the house


class By(StrEnum):
    """Who stands behind a thing told."""

    EMPLOYEE = "user"
    PERSON = "person"  # from outside: who wrote, booked, came
    MACHINE = "system"


@dataclass(frozen=True, slots=True)
class Telling:
    """How a thing is told on paper: what names people stands apart from what does not, so that each
    reader is told what is theirs. What a room does not say of itself, only the house is told."""

    form: Form = Form.STEP
    by: By = By.EMPLOYEE
    who: str = ""  # stands behind it, where it is not who did it in the story
    text: str = ""  # what somebody wrote
    incoming: bool = False
    facts: Sequence[tuple[Text, str]] = ()
    reason: str = ""  # among employees
    files: Sequence[tuple[str, str]] = ()  # name and SHA-256
    addresses: Sequence[str] = ()  # mailboxes and telephones of people
    named: Sequence[str] = ()  # employees that the words name, beside who did it
    person: Any = None  # key of the citizen who speaks, where it is known
    since: datetime | None = None  # from when it belongs to the story; none: from when it happened
    special: bool = False  # specially protected
    for_person: bool = False  # the citizen themselves may be told


UNTOLD = Telling()


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
