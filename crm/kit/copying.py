"""Many rows at once by COPY: several times faster than bulk_create, with every constraint and trigger."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from django.utils import timezone

Prepare = Callable[[Any], Any]


def copy_rows(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> int:
    """The rows (column → value; `vars()` of unsaved objects will do) are in the model's table; how many.

    All rows have the columns of the first; the database fills in the others. Nothing is validated
    that the database does not check itself, and objects do not learn their keys.
    """
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return 0
    fields = [field for field in model._meta.concrete_fields if _given(field, first)]
    columns = ", ".join(connection.ops.quote_name(field.attname) for field in fields)
    prepare = [(field.attname, _prepare(field)) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    count = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        row: Mapping[str, Any] | None = first
        while row is not None:
            copy.write_row([ready(row[name]) for name, ready in prepare])
            count += 1
            row = next(waiting, None)
    return count


def take_keys(model: type[models.Model], count: int) -> list[int]:
    """So many keys of the model's table that nobody else will get."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [key for (key,) in cursor.fetchall()]


def _given(field: "models.Field[Any, Any]", row: Mapping[str, Any]) -> bool:
    if field.generated or field.attname not in row:
        return False
    value = row[field.attname]
    return not (isinstance(value, DatabaseDefault) or (field.primary_key and value is None))


def _prepare(field: "models.Field[Any, Any]") -> Prepare:
    if getattr(field, "auto_now", False):
        now = timezone.now()
        return lambda value: value or now
    if isinstance(field, models.JSONField):
        return lambda value: field.get_db_prep_save(value, connection)
    return lambda value: value
