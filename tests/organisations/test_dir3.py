import csv
import re
import time

import pytest

from crm.kit.errors import Invalid
from crm.organisations import dir3


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("L01280796", "L01280796"),
        (" l01 280 796\n", "L01280796"),
        ("ea0042387", "EA0042387"),
        ("GE-0001234", "GE0001234"),
        ("E04921301", "E04921301"),
    ],
)
def test_a_code_is_kept_in_capitals_without_spaces(raw, code):
    assert dir3.normalise(raw) == code


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "L0128079",  # eight
        "L012807961",  # ten
        "012807961",
        "LAA012807",
        "Ñ01280796",
        "L0128079６",  # full-width digit
        "L01280796\u200f",
        "L01280796\x00",
        "L" * 1_000_000,
    ],
)
def test_anything_else_is_refused_quickly(raw):
    started = time.perf_counter()
    with pytest.raises(Invalid) as refused:
        dir3.normalise(raw)
    assert time.perf_counter() - started < 0.1
    assert refused.value.code == "dir3"
    assert len(str(refused.value)) < 150


def test_the_codes_of_the_directory_are_kept_as_they_are(shared_data):
    with (shared_data / "reference/dir3_units.csv").open(encoding="utf-8-sig", newline="") as file:
        codes = [row["codigo"] for row in csv.DictReader(file)]
    well_formed = [
        code for code in codes if re.fullmatch(r"[A-Z]{1,2}\d+", code) and len(code) == 9
    ]
    assert len(well_formed) > 4_000
    assert [dir3.normalise(code) for code in well_formed] == well_formed
