"""What identifies or reaches a person does not leave with the words around it."""

import pytest

from crm.integrations.masking import MASK, masked


@pytest.mark.parametrize(
    "secret",
    [
        "12345678Z",
        "12.345.678-Z",
        "x-1234567-l",
        "X1234567L",
        "AAA123456",
        "600123456",
        "600 12 34 56",
        "600-123-456",
        "(+34) 600.123.456",
        "+34600123456",
        "0034 600 12 34 56",
        "6 0 0 1 2 3 4 5 6",
        "600\n123\n456",
        "28/12345678/90",
        "ES91 2100 0418 4502 0005 1332",
        "INP-2026-0001234",
        "ana.perez@example.org",
        "ANA+algo@sub.example.org",
        "ana @ example.org",
        "ana[at]example.org",
        "ana arroba example.org",
        "１２３４５６７８Z",
        "1234\u200b5678Z",
        "٦٠٠١٢٣٤٥٦",
        "ana\u2060@example.org",
    ],
)
def test_no_number_or_mailbox_leaves(secret: str) -> None:
    text = masked(f"Soy Lucía, {secret}. ¿Cuánto cuesta el vado?")
    assert MASK in text
    assert sum(char.isdigit() for char in text) == 0
    assert "@" not in text
    assert "example" not in text
    assert text.endswith("¿Cuánto cuesta el vado?")


@pytest.mark.parametrize(
    "question",
    [
        "¿Cuánto cuesta el vado de 90 euros en 2026?",
        "¿Abren de 9:00 a 14:00?",
        "¿Vale el DNI caducado de mi hijo de 14 años?",
        "¿Qué dice la Ley 39/2015 del silencio?",
        "Tengo 3 hijos, de 2, 5 y 9 años",
    ],
)
def test_the_question_stays(question: str) -> None:
    assert masked(question) == question


@pytest.mark.parametrize("text", ["1" * 2_000, "a@" * 1_000, "1 " * 1_000, " arroba" * 300])
def test_a_long_text_is_masked_whole(text: str) -> None:
    assert not any(char.isdigit() or char == "@" for char in masked(text))
