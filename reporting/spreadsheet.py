"""Tables as files that a spreadsheet opens: CSV and XLSX, numbers as numbers, and no cell a formula.

XLSX (ECMA-376) in its smallest form: text stands in its cell, marked as text; nothing is ever written
as a formula. Both are written row by row, so that any number of rows needs no memory.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from crm.kit import csvfile

Value = str | int | float | bool | date | datetime | None


@dataclass(frozen=True)
class Share:
    """A part of one, shown in hundredths."""

    part: float


@dataclass(frozen=True)
class Table:
    """A named table; its rows are read once, when it is written."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence["Value | Share"]]


def write_csv(file: IO[bytes], table: Table) -> None:
    """One table as CSV (RFC 4180, UTF-8 with its mark); shares as numbers, dates as ISO 8601."""
    for line in csvfile.lines(table.header, ([_plain(cell) for cell in row] for row in table.rows)):
        file.write(line.encode())


def _plain(cell: "Value | Share") -> object:
    if isinstance(cell, Share):
        return round(cell.part, 4)
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return cell.isoformat() if isinstance(cell, date) else cell


# --- XLSX -----------------------------------------------------------------------------------------

MOST_ROWS, MOST_LETTERS = 1_048_576, 32_767
_GENERAL, _HEAD, _DAY, _MOMENT, _SHARE, _TEXT = range(6)
_DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FIRST_DAY = date(1899, 12, 30)  # of a spreadsheet's count, whose 1900 had a 29 February
# what XML cannot say; and « _x0041_ », which a spreadsheet would read as a letter
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def write_xlsx(file: IO[bytes], tables: Sequence[Table]) -> None:
    """The tables as the sheets of one workbook."""
    names = _names([table.name for table in tables])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for path, text in _frame(names):
            book.writestr(path, text)
        for number, table in enumerate(tables, start=1):
            with book.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
                for part in _sheet(table):
                    sheet.write(part.encode())


def _sheet(table: Table) -> Iterator[str]:
    yield (
        f'{_DECLARED}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
        "</sheetViews><sheetData>"
    )
    yield _row(1, [_text(word, _HEAD) for word in table.header])
    for number, row in enumerate(table.rows, start=2):
        if number > MOST_ROWS:
            raise ValueError("more rows than a sheet has")
        yield _row(number, [_cell(value) for value in row])
    yield "</sheetData></worksheet>"


def _row(number: int, cells: Iterable[str]) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(value: "Value | Share") -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, Share):
        return _number(value.part, _SHARE)
    if isinstance(value, int | float):
        return _number(value, _GENERAL) if isfinite(value) else "<c/>"
    if isinstance(value, datetime):
        naive = value.replace(tzinfo=None)
        seconds = naive.hour * 3600 + naive.minute * 60 + naive.second
        return _number((naive.date() - _FIRST_DAY).days + round(seconds / 86_400, 6), _MOMENT)
    if isinstance(value, date):
        return _number((value - _FIRST_DAY).days, _DAY)
    return _text(value, _TEXT if csvfile.harmless(value) != value else _GENERAL)


def _number(value: float, style: int) -> str:
    return f'<c s="{style}"><v>{value!r}</v></c>'


def _text(value: str, style: int) -> str:
    """Text in its cell. What a spreadsheet would take for a formula once edited is marked as a quote."""
    said = _UNSAYABLE.sub("", value)[:MOST_LETTERS]
    said = escape(_CODED.sub("_x005F_", said))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def _names(wanted: Sequence[str]) -> list[str]:
    """Names that sheets may bear: no signs of formulas, at most 31 letters, none twice."""
    found: list[str] = []
    for number, name in enumerate(wanted, start=1):
        clean = _UNSAYABLE.sub("", _NOT_IN_NAMES.sub(" ", name)).strip().strip("'")[:31]
        taken = {one.lower() for one in found}
        found.append(clean if clean and clean.lower() not in taken else f"{number}")
    return found


def _frame(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The parts of a workbook around its sheets."""
    numbers = range(1, len(names) + 1)
    yield (
        "[Content_Types].xml",
        f'{_DECLARED}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{number}.xml"'
            f' ContentType="{_TYPE}.worksheet+xml"/>'
            for number in numbers
        )
        + "</Types>",
    )
    yield (
        "_rels/.rels",
        (
            f'{_DECLARED}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
    )
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    yield (
        "xl/workbook.xml",
        (
            f'{_DECLARED}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>{sheets}</sheets>'
            "</workbook>"
        ),
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{_DECLARED}<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{number}" Type="{_RELATED}/worksheet"'
            f' Target="worksheets/sheet{number}.xml"/>'
            for number in numbers
        )
        + f'<Relationship Id="rId{len(names) + 1}" Type="{_RELATED}/styles" Target="styles.xml"/>'
        "</Relationships>",
    )
    yield "xl/styles.xml", _STYLES


_STYLES = (
    f'{_DECLARED}<styleSheet xmlns="{_MAIN}"><fonts count="2">'
    '<font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="6">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="22" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="10" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"'
    ' applyNumberFormat="1"/>'
    "</cellXfs></styleSheet>"
)
