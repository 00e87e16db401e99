import contextlib
import csv
import time

import pytest
from django.db import connection
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.citizens.identifiers import (
    Checked,
    Guess,
    InvalidIdentifier,
    Kind,
    folded,
    guess,
    mask,
    mask_for_publication,
    municipality_check_digit,
    normalise,
    normalise_email,
    normalise_municipality,
    normalise_phone,
    normalise_postal_code,
    shown_phone,
    validate,
)

LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
HOSTILE = [
    "",
    " \t\n",
    "\x00",
    "1234\x005678Z",
    "12345678Z\u200f",  # right-to-left mark
    "\u202e12345678Z",
    "１２３４５６７８Z",  # full-width digits
    "١٢٣٤٥٦٧٨Z",  # Arabic digits
    "12345678Ż",
    "ıııııııı",
    "ſ1234567L",
    "12345678Z" * 1_000,
    "1" * 1_000_000,
    " " * 1_000_000 + "x",
    "a@" * 500_000,
    "-" * 1_000_000,
]


def refusal(call, *args) -> InvalidIdentifier:
    with pytest.raises(InvalidIdentifier) as refused:
        call(*args)
    return refused.value


# --- identifiers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("nif", "12345678Z", "12345678Z"),
        ("nif", " 12.345.678-z ", "12345678Z"),
        ("nif", "00000000T", "00000000T"),
        ("nif", "54362315K", "54362315K"),
        ("nif", "ES12345678Z", "12345678Z"),
        ("nif", "14Z", "00000014Z"),
        ("nif", "M-1234567-L", "M1234567L"),
        ("nif", "K1234567L", "K1234567L"),
        ("nif", "L1234567L", "L1234567L"),
        ("nie", "X1234567L", "X1234567L"),
        ("nie", "y-1234567-x", "Y1234567X"),
        ("nie", "Z1234567R", "Z1234567R"),
        ("nie", "x 2482300 w", "X2482300W"),
        ("cif", "J99216582", "J99216582"),
        ("cif", "a-13.585.625", "A13585625"),
        ("cif", "J9921658B", "J9921658B"),  # the same check as a letter
        ("naf", "28/1234567840", "281234567840"),
        ("naf", "28/01234567/42", "280123456742"),
        ("passport", "aaa 123456", "AAA123456"),
        ("foreign", "ab-12.34/56", "AB123456"),
    ],
)
def test_the_vectors_of_the_standards_are_valid(kind, raw, value):
    assert validate(kind, raw) == Checked(value)
    assert normalise(kind, raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("nif", "14T", "check"),
        ("nif", "12345678A", "check"),
        ("nif", "X1234567L", "format"),  # a NIE
        ("nif", "123456789", "format"),
        ("nif", "M1234567A", "check"),
        ("nie", "X1234567A", "check"),
        ("nie", "12345678Z", "format"),
        ("cif", "J99216583", "check"),
        ("cif", "K1234567L", "format"),
        ("cif", "I99216582", "format"),
        ("naf", "2812345678", "format"),
        ("passport", "A123", "format"),
        ("passport", "ABCDEFGH", "format"),  # a name
        ("passport", "A" * 20 + "1", "format"),
        ("foreign", "A1", "format"),
    ],
)
def test_what_is_wrong_is_refused_with_its_code(kind, raw, code):
    assert refusal(validate, kind, raw).code == code


def test_the_refusal_repeats_what_was_typed_in_the_glossary_words():
    error = refusal(validate, "nif", "12345678A")
    with translation.override("en"):
        assert str(error.message) == (
            "12345678A is not a valid NIF or NIE. Check the numbers and the letter."
        )
    assert error.args == ("check",)  # a log of the exception's arguments holds no personal data


def test_a_social_security_number_that_does_not_add_up_is_kept_with_a_warning():
    doubted = validate("naf", "280123456785")  # 85: the plain concatenation, the classic mistake
    assert doubted.value == "280123456785"
    assert [warning.code for warning in doubted.warnings] == ["naf_check"]
    assert [warning.code for warning in validate("naf", "991234567800").warnings] == [
        "naf_province",
        "naf_check",
    ]
    assert validate("naf", "661234567814").warnings == ()


@pytest.mark.parametrize("raw", HOSTILE, ids=lambda raw: ascii(raw[:20]))
@pytest.mark.parametrize(
    "call",
    [
        *(lambda raw, kind=kind: validate(kind, raw) for kind in Kind),
        normalise_phone,
        normalise_email,
        normalise_postal_code,
        normalise_municipality,
    ],
    ids=[*Kind, "phone", "email", "postal_code", "municipality"],
)
def test_hostile_text_is_refused_clearly_and_at_once(call, raw):
    started = time.process_time()  # its own work, however busy the machine is
    message = str(refusal(call, raw).message)
    assert 10 < len(message) < 150
    assert message.isprintable()
    guess(raw)
    assert time.process_time() - started < 1


dni_numbers = st.integers(0, 99_999_999)


@given(dni_numbers, st.integers(0, 7), st.integers(1, 9))
def test_every_dni_is_valid_and_no_changed_digit_passes(number, place, shift):
    text = f"{number:08}{LETTERS[number % 23]}"
    assert validate("nif", text).value == text
    changed = str((int(text[place]) + shift) % 10)
    assert refusal(validate, "nif", text[:place] + changed + text[place + 1 :]).code == "check"


@given(st.sampled_from("XYZ"), st.integers(0, 9_999_999), st.integers(1, 7), st.integers(1, 9))
def test_every_nie_is_valid_and_no_changed_digit_passes(letter, number, place, shift):
    whole = "XYZ".index(letter) * 10_000_000 + number
    text = f"{letter}{number:07}{LETTERS[whole % 23]}"
    assert validate("nie", text).value == text
    changed = str((int(text[place]) + shift) % 10)
    assert refusal(validate, "nie", text[:place] + changed + text[place + 1 :]).code == "check"


@given(st.sampled_from("KLM"), st.integers(0, 9_999_999))
def test_every_nif_of_people_without_dni_is_valid(letter, number):
    text = f"{letter}{number:07}{LETTERS[number % 23]}"
    assert validate("nif", text).value == text


@given(st.sampled_from("ABCDEFGHJNPQRSUVW"), st.integers(0, 9_999_999), st.booleans())
def test_every_cif_is_valid_with_digit_or_letter(letter, number, as_letter):
    digits = [int(digit) for digit in f"{number:07}"]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[0::2])
    check = -(sum(doubled) + sum(digits[1::2])) % 10
    text = f"{letter}{number:07}{'JABCDEFGHI'[check] if as_letter else check}"
    assert validate("cif", text).value == text


@given(st.integers(1, 53), st.integers(0, 99_999_999))
def test_every_social_security_number_adds_up_in_both_lengths(province, number):
    seven = number < 10_000_000
    whole = int(f"{province}{number:07}" if seven else f"{province}{number:08}")
    assert validate("naf", f"{province:02}{number:08}{whole % 97:02}").warnings == ()
    wrong = f"{province:02}{number:08}{(whole + 1) % 97:02}"
    assert [warning.code for warning in validate("naf", wrong).warnings] == ["naf_check"]


@settings(max_examples=300)
@given(st.sampled_from(Kind), st.text(max_size=70))
def test_a_value_taken_is_taken_again_as_it_is(kind, raw):
    with contextlib.suppress(InvalidIdentifier):
        value = validate(kind, raw).value
        assert value.isascii()
        assert validate(kind, value).value == value


def test_masks_leave_the_last_four_to_be_read():
    assert mask("nif", "00000014Z") == "•••••014Z"
    assert mask("naf", "281234567840") == "••••••••7840"
    assert mask("foreign", "ABC12") == "•••12"
    assert mask("foreign", "ABC") == "••C"
    assert mask("email", "juana@example.es") == "j•••@example.es"
    assert mask("phone", "+34915550123") == "••••••••0123"


def test_a_notice_shows_the_four_characters_the_authorities_agreed():
    """Examples of the joint guidance on LOPDGDD disposición adicional 7ª."""
    assert mask_for_publication("nif", "12345678X") == "***4567**"
    assert mask_for_publication("nie", "L1234567X") == "****4567*"
    assert mask_for_publication("passport", "ABC123456") == "*****3456"
    assert mask_for_publication("foreign", "XY12345678AB") == "*****4567***"
    assert mask_for_publication("foreign", "ABCD123XY") == "*****23XY"
    assert mask_for_publication("foreign", "AB1") == "**1"


# --- ways to reach a person -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("915 55 01 23", "+34915550123"),
        ("(+34) 612-345-678", "+34612345678"),
        ("0034612345678", "+34612345678"),
        ("+33 1 42 68 53 00", "+33142685300"),
        ("900.123.456", "+34900123456"),
    ],
)
def test_a_telephone_is_kept_in_e164(raw, value):
    assert normalise_phone(raw) == value
    assert normalise_phone(value) == value


def test_a_number_without_prefix_belongs_to_the_region_asked():
    assert normalise_phone("01 42 68 53 00", "FR") == "+33142685300"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("123", "phone"),
        ("412345678", "phone"),
        ("91555012", "phone"),
        ("915 55 01 23 ext. 4", "phone_extension"),
        ("６12345678", "phone"),
        ("900-CORREOS", "phone"),
        ("+99 1234567", "phone"),
    ],
)
def test_what_cannot_be_called_is_refused(raw, code):
    assert refusal(normalise_phone, raw).code == code


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" Juana.Perez+citas@EXAMPLE.es ", "Juana.Perez+citas@example.es"),
        ("info@peñíscola.es", "info@xn--pescola-8ya9a.es"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@b.c.example.", "a@b.c.example"),
    ],
)
def test_an_email_keeps_its_person_and_normalises_its_domain(raw, value):
    assert normalise_email(raw) == value
    assert normalise_email(value) == value


@pytest.mark.parametrize(
    "raw",
    [
        "juana",
        "@example.es",
        "juana@",
        "juana@example",
        "a..b@example.es",
        ".a@example.es",
        "a b@example.es",
        "jüana@example.es",
        "a@b@example.es",
        "a@exam_ple.es",
        "a@-example.es",
        "a@example..es",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@example.es\r\nBcc: b@example.es",
        "a" * 65 + "@example.es",
        "a@" + "b" * 64 + ".es",
        "a@" + "b." * 126 + "es",
        "a" * 60 + "@" + "ñ." * 90 + "es",  # longer than 254 once in IDNA
    ],
)
def test_what_is_not_an_email_is_refused(raw):
    assert refusal(normalise_email, raw).code in {"email", "too_long"}


def test_a_postal_code_begins_with_a_province():
    assert normalise_postal_code(" 01001 ") == "01001"
    assert normalise_postal_code("52006") == "52006"
    for wrong in ("00100", "53000", "2801", "280011", "28OO1"):
        assert refusal(normalise_postal_code, wrong).code == "postal_code"


def test_a_municipality_may_carry_its_check_digit():
    assert normalise_municipality("28079") == "28079"
    assert normalise_municipality("280796") == "28079"
    for wrong in ("280795", "2807", "53001", "00001"):
        assert refusal(normalise_municipality, wrong).code == "municipality"


def test_the_check_digit_is_that_of_every_municipality_of_spain(shared_data):
    path = shared_data / "reference/municipios_ine_2023.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 8_000
    assert [r["cod_ine"] for r in rows if municipality_check_digit(r["cod_ine"]) != r["dc"]] == []


# --- what a search text may be --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("12345678z", [("nif", "12345678Z")]),
        ("12345678", [("nif", "12345678Z")]),
        ("X-1234567-L", [("nie", "X1234567L")]),
        ("j99216582", [("cif", "J99216582")]),
        ("281234567840", [("naf", "281234567840")]),
        ("612 345 678", [("phone", "+34612345678")]),
        ("Juana@Example.ES", [("email", "Juana@example.es")]),
        ("inp-2026-0048411", [("case", "INP-2026-0048411")]),
        ("  Núñez  Peña, Íñigo ", [("name", "nunez pena, inigo")]),
        ("AAA123456", [("passport", "AAA123456"), ("foreign", "AAA123456")]),
        ("12345678A", [("passport", "12345678A"), ("foreign", "12345678A")]),
        ("juana@", []),
        ("?!", []),
        ("", []),
        ("a" * 201, []),
    ],
)
def test_a_search_text_is_told_apart(text, guesses):
    assert guess(text) == tuple(Guess(kind, value) for kind, value in guesses)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("  Begoña   ÇELIK\tŁukasz ", "begona celik lukasz"),
        ("Paral·lel", "paral·lel"),  # as the database does: the middle dot is no accent
        ("Paraŀlel", "parallel"),
        ("Weiß Øystein Æsa Þór Đorđe", "weiss oystein aesa thor dorde"),
        ("n\u0303o", "no"),  # the accent written apart
        ("İstanbul ıslak", "istanbul islak"),
        ("D’Ors M.ª", "d'ors m.a"),
        ("Γιώργος", "γιωργος"),
        ("Йолина", "йолина"),
        ("", ""),
    ],
)
def test_a_name_is_folded(name, key):
    assert folded(name) == key
    assert folded(key) == key


def test_a_long_name_is_folded_at_once():
    started = time.process_time()
    folded("Ñandú · Ǆ " * 100_000)
    assert time.process_time() - started < 2


LATIN = [
    *range(0x20, 0xB5),
    *range(0xB6, 0x250),
    *range(0x300, 0x370),
    *range(0x1E00, 0x1F00),
    *range(0x2010, 0x2016),
    *range(0x2018, 0x2020),
    *range(0xFB00, 0xFB07),
    *range(0xFF01, 0xFF5F),
]


@pytest.mark.django_db
def test_folding_equals_the_database_for_every_latin_letter():
    letters = [f"a{chr(codepoint)}b" for codepoint in (*LATIN, *range(0x400, 0x530))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT array(SELECT f_norm(t) FROM unnest(%s::text[]) t)", [letters])
        [keys] = cursor.fetchone()
    found = {text: folded(text) for text in letters}
    assert found == {t: " ".join(key.split()) for t, key in zip(letters, keys, strict=True)}


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("+34600123456", "600 12 34 56"),
        ("+34915550123", "915 55 01 23"),
        ("+33123456789", "+33 1 23 45 67 89"),
    ],
)
def test_a_telephone_is_shown_as_people_read_it(kept, shown):
    assert shown_phone(kept) == shown
