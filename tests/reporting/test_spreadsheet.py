"""Tables as files: numbers stay numbers, and nothing that somebody typed is ever a formula."""

# ruff: noqa: S314, DTZ001 - our own files are read back; a sheet's times bear no zone

import csv
import io
import zipfile
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from reporting.spreadsheet import Share, Table, write_csv, write_xlsx

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =HYPERLINK(0)",
    "＝1+1",
    '=cmd|" /C calc"!A0',
)


def book(*tables: Table) -> zipfile.ZipFile:
    file = io.BytesIO()
    write_xlsx(file, tables)
    return zipfile.ZipFile(file)


def cells(archive: zipfile.ZipFile, number: int = 1) -> list[list[Any]]:
    """Every row of a sheet as (type, style, text), read by a parser of XML that is not ours."""
    tree = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
    return [[_read(cell) for cell in row] for row in tree.iter(f"{MAIN}row")]


def _read(cell: ElementTree.Element) -> tuple[Any, ...]:
    parts = (part.text or "" for part in cell.iter() if part.tag != f"{MAIN}c")
    return cell.get("t"), cell.get("s"), "".join(parts)


def test_numbers_dates_and_shares_are_what_they_are() -> None:
    row = (7, -7, 2.5, Share(0.125), date(2026, 3, 1), datetime(2026, 3, 1, 12, 0), True, None)
    archive = book(Table("Cifras", ["a"] * 8, [row]))
    assert archive.testzip() is None
    assert cells(archive)[1] == [
        (None, "0", "7"),
        (None, "0", "-7"),
        (None, "0", "2.5"),
        (None, "4", "0.125"),
        (None, "2", "46082"),
        (None, "3", "46082.5"),
        ("b", None, "1"),
        (None, None, ""),
    ]


def test_no_number_that_is_none_breaks_the_sheet() -> None:
    archive = book(Table("Cifras", ["a", "b"], [(float("nan"), float("inf"))]))
    assert cells(archive)[1] == [(None, None, ""), (None, None, "")]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula(text: str) -> None:
    archive = book(Table(text, [text], [(text,)]))
    sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f" not in sheet.replace("<font", "")
    (kind, style, said) = cells(archive)[1][0]
    assert (kind, style) == ("inlineStr", "5")  # text, marked as a quote
    assert said.strip() == text.strip()
    file = io.BytesIO()
    write_csv(file, Table("t", [text], [(text, -7, 2.5)]))
    told = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))
    assert told[0][0].startswith("'")
    assert told[1][0].startswith("'")
    assert told[1][1:] == ["-7", "2.5"]


def test_any_text_comes_back_as_it_was() -> None:
    texts = ["Ñandú & <b>", 'comillas "dobles"', "línea\nnueva", "_x0041_", "🙂", "x" * 40_000]
    back = [row[0][2] for row in cells(book(Table("t", ["h"], [(text,) for text in texts])))[1:]]
    assert back[:3] == texts[:3]
    assert back[3] == "_x005F_x0041_"  # so a spreadsheet shows _x0041_ and not A
    assert back[4] == texts[4]
    assert len(back[5]) == 32_767


def test_what_xml_cannot_say_is_left_out() -> None:
    assert cells(book(Table("t", ["h"], [("a\0\x0b\ud800b",)])))[1][0][2] == "ab"


def test_sheets_have_names_that_spreadsheets_take() -> None:
    names = ["Por unidad", "por unidad", "a/b:c*?[x]", "", "n" * 50, "'=1'"]
    archive = book(*(Table(name, ["h"], []) for name in names))
    tree = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    found = [sheet.get("name") for sheet in tree.iter(f"{MAIN}sheet")]
    assert found == ["Por unidad", "2", "a b c   x", "4", "n" * 31, "=1"]
    parts = set(archive.namelist())
    assert {"[Content_Types].xml", "xl/styles.xml", "xl/worksheets/sheet6.xml"} <= parts


def test_many_rows_need_no_memory() -> None:
    """The rows are asked for one by one, while the file grows."""
    file, seen = io.BytesIO(), []

    def rows() -> Any:
        for number in range(30_000):
            if number % 10_000 == 0:
                seen.append(file.tell())
            yield (number, "texto que se repite")

    write_xlsx(file, [Table("t", ["n", "t"], rows())])
    assert seen[0] < seen[1] < seen[2]
    assert len(cells(zipfile.ZipFile(file))) == 30_001
