"""Pages of long lists by the place of the last row: as fast on page 1,000 as on the first, no counts."""

import base64
import binascii
import json
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F

# Django's row comparison is internal in 5.2: this module is its only user
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Invalid

M = TypeVar("M", bound=models.Model)
Rows = TypeVar("Rows", bound="models.QuerySet[Any]")
SIZE, MOST = 25, 200


@dataclass(frozen=True, slots=True)
class Order:
    """Columns, all in one direction and the last one unique: an index must have the same."""

    columns: tuple[str, ...]
    descending: bool = False

    @property
    def terms(self) -> list[str]:
        """For `order_by`."""
        return [f"-{column}" if self.descending else column for column in self.columns]

    def __call__(self, row: models.Model) -> tuple[Any, ...]:
        """Where a row stands."""
        return tuple(getattr(row, column) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and the cursor of what follows ("" when nothing does)."""

    rows: list[M]
    after: str = ""


def read_page(
    rows: models.QuerySet[M], order: Order, cursor: str = "", size: int = SIZE
) -> Page[M]:
    """The page of the rows that begins after the cursor."""
    found = list(following(rows, order, cursor).order_by(*order.terms)[: size + 1])
    more = len(found) > size  # one more than asked for: whether there is more needs no count
    return Page(found[:size], cursor_at(found[size - 1], order) if more else "")


def following(rows: Rows, order: Order, cursor: str) -> Rows:
    """The rows after the cursor, as one comparison of rows that an index can answer."""
    if not cursor:
        return rows
    values = _place(rows.model, order, cursor)
    compare = TupleLessThan if order.descending else TupleGreaterThan
    return rows.filter(compare(Tuple(*map(F, order.columns)), values))


def cursor_at(row: models.Model, order: Order) -> str:
    """The cursor after a row."""
    values = [_column(type(row), column).value_to_string(row) for column in order.columns]
    text = json.dumps(values, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(model: type[models.Model], order: Order, cursor: str) -> tuple[Any, ...]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if not isinstance(values, list) or len(values) != len(order.columns):
            raise ValueError(values)
        return tuple(
            _value(model, column, value)
            for column, value in zip(order.columns, values, strict=True)
        )
    except (ValueError, TypeError, binascii.Error, ValidationError, FieldDoesNotExist) as error:
        text = _("This page is not known: start from the beginning of the list.")
        raise Invalid(text, code="cursor_invalid") from error


def _value(model: type[models.Model], column: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(value)
    value.encode()  # half a surrogate pair is no text
    if "\0" in value:
        raise ValueError(value)
    field = _column(model, column)
    cleaned = field.to_python(value)
    if cleaned is None:
        raise ValueError(value)
    field.run_validators(cleaned)  # a number beyond its column's range is no place
    return cleaned


def _column(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    relation, _under, rest = name.partition("__")
    if rest:  # of a row beside it, which the rows bear as an annotation of that name
        beside = model._meta.get_field(relation).related_model
        assert isinstance(beside, type)
        assert issubclass(beside, models.Model)
        theirs = _column(beside, rest)
        found: models.Field[Any, Any] = copy(theirs)
        found.name = found.attname = name
        return found
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    if isinstance(field, models.GeneratedField):
        kind = copy(field.output_field)
        assert isinstance(kind, models.Field)
        kind.set_attributes_from_name(name)
        return kind
    return field
