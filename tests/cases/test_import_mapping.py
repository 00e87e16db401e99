"""Mappings say exactly what is wrong with them; rows become cases or a reason."""

import re
from datetime import UTC, datetime

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from cases.imports.mapping import (
    BadMapping,
    BadRow,
    Binding,
    open_mapping,
    read,
    ready_names,
)

MINIMAL = """
source = "old-crm"
[case]
external_id = "id"
subject = "title"
opened_at = {column = "date", formats = ["%d/%m/%Y %H:%M"], zone = "Europe/Madrid"}
type = {value = "incident"}
state = {column = "state", values = {abierto = "open", cerrado = "closed"}}
latitude = "lat"
[data]
district = "district"
"""
HEADER = ["id", "title", "date", "state", "lat", "district"]
ROW = ["7", "Farola  apagada", "25/12/2025 09:30", "abierto", "40,5", "Centro"]


def bound(text: str = MINIMAL) -> Binding:
    return Binding(read(text), HEADER)


def test_a_row_becomes_a_case_in_our_words() -> None:
    row = bound().turn(ROW)
    assert row.external_id == "7"
    assert row.subject == "Farola apagada"
    assert row.opened_at == datetime(2025, 12, 25, 8, 30, tzinfo=UTC)
    assert row.state == "open"
    assert row.latitude == 40.5
    assert row.data == {"district": "Centro"}
    assert row.channel == "web_form"


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, "", "Identifier in the other system"),
        (0, "x" * 121, "120"),
        (1, " ", "Subject"),
        (1, "a\0b", "encoding"),
        (1, "mal\udcf1", "encoding"),
        (2, "2025-12-25", "Opening date"),
        (2, "", "opening date"),
        (2, "31/02/2025 10:00", "Opening date"),
        (3, "archivado", "archivado"),
        (4, "91", "Latitude"),
        (4, "nan", "Latitude"),
        (4, "norte", "Latitude"),
    ],
)
def test_a_bad_row_says_why(place: int, value: str, reason: str) -> None:
    cells = list(ROW)
    cells[place] = value
    with translation.override("en"), pytest.raises(BadRow, match=re.escape(reason)):
        bound().turn(cells)


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(BadRow, match=r"5.*6"):
        bound().turn(ROW[:5])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("source = ", "TOML"),
        ("source = ''", "source"),
        (MINIMAL + "\n[other]\n", "other"),
        (MINIMAL.replace('subject = "title"', ""), "case.subject"),
        (MINIMAL.replace("subject", "subjekt"), "case.subjekt"),
        (MINIMAL.replace("Europe/Madrid", "Europe/Atlantis"), "case.opened_at.zone"),
        (MINIMAL + "\n[file]\nencoding = 'ebcdic-7'\n", "file.encoding"),
        (MINIMAL + "\n[file]\ndelimiter = ';;'\n", "file.delimiter"),
        (MINIMAL.replace('{value = "incident"}', "{}"), "case.type"),
    ],
)
def test_a_bad_mapping_says_where(text: str, where: str) -> None:
    with pytest.raises(BadMapping) as refusal:
        read(text)
    assert refusal.value.details["where"] == where


def test_a_file_without_a_needed_column_is_refused_by_its_name() -> None:
    with pytest.raises(BadMapping, match="state"):
        Binding(read(MINIMAL), ["id", "title", "date", "lat", "district"])


def test_the_ready_mappings_can_be_read() -> None:
    assert ready_names() == ["alessandria", "madrid", "nyc311", "sf311"]
    for name in ready_names():
        assert open_mapping(name).case_type is not None


@given(st.lists(st.text(max_size=40), max_size=8))
def test_no_row_whatever_breaks_the_import(cells: list[str]) -> None:
    try:
        row = bound().turn(cells)
    except BadRow as problem:
        assert str(problem)  # noqa: PT017 - either outcome is right
    else:
        assert row.subject
