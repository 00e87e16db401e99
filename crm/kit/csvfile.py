"""CSV that a spreadsheet opens without running anything in it (RFC 4180; OWASP CSV injection)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# a cell beginning so is a formula to a spreadsheet, also after blanks and in full-width forms
_FORMULA = tuple("=+-@\t\r\0＝＋－＠")


def harmless(value: object) -> str:
    """The cell's text, led by an apostrophe where a spreadsheet would take it for a formula.

    A number is no text: it stays one, below nought as well.
    """
    if isinstance(value, int | float):
        return str(value)
    text = "" if value is None else str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" \u00a0\u3000").startswith(_FORMULA) else text


def lines(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The file line by line, so that any number of rows needs no memory; begins with the BOM."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([harmless(cell) for cell in header])
    for row in rows:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([harmless(cell) for cell in row])
    yield buffer.getvalue()


def download(
    name: str, header: Sequence[object], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """The file as a download."""
    return stream(name, lines(header, rows))


def stream(name: str, text: Iterable[str]) -> StreamingHttpResponse:
    """Lines that `lines` made, as a download."""
    return StreamingHttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
