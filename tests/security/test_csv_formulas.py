"""No export makes a spreadsheet run what somebody typed."""

import csv
import io

import pytest

from crm.kit.csvfile import harmless, lines
from tests.house.estate import Estate

FORMULAS = [
    '=HYPERLINK("https://evil.example","x")',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\0=1",
    "  =1",
    "\u00a0=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
    '";=1;"',
]
STARTS = tuple("=+-@\t\r\0＝＋－＠")


def assert_harmless(text: str) -> None:
    """No cell of the file begins like a formula, in whatever way it is split."""
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
        for cell in row:
            assert not cell.lstrip(" \u00a0\u3000").startswith(STARTS), cell


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_cell_is_text(formula: str) -> None:
    assert_harmless("".join(lines(["a", formula], [[formula, 1], [None, formula]])))
    if formula.lstrip(" \u00a0").startswith(STARTS):
        assert harmless(formula).startswith("'")


def test_what_is_no_formula_stays_as_it_is() -> None:
    for text in ("Calle Mayor, 3", "ñandú", "1-2", "a=b", "", "«cita»", 'dice "hola"'):
        assert harmless(text) == text
    assert harmless("+34600123456") == "'+34600123456"  # usable as text


@pytest.mark.django_db
@pytest.mark.parametrize("formula", FORMULAS)
def test_no_export_carries_one(formula: str, estate: Estate) -> None:
    here = estate.here
    text = formula.replace("\0", "")
    here.load.problems.create(row=1, external_id=text[:100], reason=text)
    here.action.rows.update(reason=text)
    client = estate.caller("everything")
    client.get("/ciudadania/", {"q": formula})  # the trail keeps what was looked for
    client.post(f"/casos/{here.case.uuid}/notas/", {"text": formula})
    for answer in (
        client.get(f"/importaciones/{here.load.uuid}/errores.csv"),
        client.get(f"/casos/acciones/{here.action.uuid}/rechazos.csv"),
        client.post("/auditoria/exportar/", {}),
    ):
        assert answer.status_code == 200
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert len(content.splitlines()) > 1
        assert_harmless(content.decode())
