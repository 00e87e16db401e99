"""Case numbers, CODE-YYYY-NNNNNNN: the year is that of the organisation's own clock."""

from datetime import datetime

from django.db import connection

# of a column or parameter holding a moment; its own parameter is the organisation's key
LOCAL_YEAR = (
    "extract(year FROM {moment} AT TIME ZONE"
    " (SELECT time_zone FROM organisations_organisation WHERE id = %s))::int"
)


def take(organisation: int, moment: datetime, count: int = 1) -> tuple[int, int]:
    """The year of that moment, and the first of so many numbers of it that nobody else is given.

    The counter's row stays locked until the end of the transaction, so numbers are taken last and
    none is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_referencecounter AS c (organisation_id, year, next) "
            f"VALUES (%s, {LOCAL_YEAR.format(moment='%s')}, 1 + %s) "
            "ON CONFLICT (organisation_id, year) "
            "DO UPDATE SET next = c.next + %s RETURNING year, next - %s",
            [organisation, moment, organisation, count, count, count],
        )
        row = cursor.fetchone()
    assert row is not None
    return row[0], row[1]


def reference(code: str, year: int, number: int) -> str:
    """A case number as people read it."""
    return f"{code}-{year}-{number:07d}"
