"""A template's words become an e-mail: typed, escaped, in the reader's language."""

from typing import Any

import pytest

from campaigns.rendering import (
    Filling,
    MissingValue,
    Placeholder,
    checked_texts,
    host_of,
    language_for,
    placeholders,
    render,
    targets,
    typed,
)
from crm.kit.errors import Invalid


def texts(body: str, subject: str = "Asunto") -> dict[str, dict[str, str]]:
    return {"es": {"subject": subject, "body": body}}


def test_markup_becomes_html_and_text() -> None:
    kept = checked_texts(
        texts(
            "# Aviso\n\nHola, **((name))**.\nHasta el ((day:date)).\n\n- [Ver](https://a.example/?x=1&y=2)\n- dos"
        )
    )
    found = render(kept, "es", Filling({"name": "Ana", "day": "2026-12-01"}, lambda t: f"{t}#s"))
    assert found.html == (
        "<h2>Aviso</h2>\n<p>Hola, <strong>Ana</strong>.<br>Hasta el 1 de diciembre de 2026.</p>\n"
        '<ul><li><a href="https://a.example/?x=1&amp;y=2#s">Ver</a></li><li>dos</li></ul>'
    )
    assert found.text == (
        "Aviso\n\nHola, Ana.\nHasta el 1 de diciembre de 2026.\n\n"
        "- Ver (https://a.example/?x=1&y=2#s)\n- dos"
    )


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "[x](https://evil.example)",
        '"><img src=x>',
        "**b**",
        "((name))",
    ],
)
def test_what_is_filled_in_is_never_markup(evil: str) -> None:
    found = render(texts("Hola ((name)) y **((name))**"), "es", Filling({"name": evil}))
    inner = found.html.removeprefix("<p>").removesuffix("</p>")
    assert "<script" not in inner
    assert "<a " not in inner
    assert "<img" not in inner
    assert inner.count("<strong>") == 1


def test_what_is_written_is_escaped_too() -> None:
    found = render(texts("<b>1 < 2</b> & [<i>](https://a.example)"), "es", Filling({}))
    assert "<b>" not in found.html
    assert "<i>" not in found.html


def test_a_new_line_in_a_value_makes_no_header() -> None:
    found = render(texts("x", "Hola ((name))"), "es", Filling({"name": "Ana\r\nBcc: todos@x"}))
    assert found.subject == "Hola Ana Bcc: todos@x"


def test_a_missing_value_is_named_unless_words_stand_in() -> None:
    with pytest.raises(MissingValue) as missing:
        render(texts("Vive en ((municipality))"), "es", Filling({"municipality": " "}))
    assert missing.value.name == "municipality"
    stood_in = render(texts("Vive en ((municipality|su pueblo))"), "es", Filling({}))
    assert stood_in.text == "Vive en su pueblo"


def test_placeholders_know_their_types() -> None:
    found = placeholders(texts("((name)) ((sum:number)) [Ver](((page))) ((sum)) ((town|x))"))
    assert found == [
        Placeholder("name", "text", False),
        Placeholder("sum", "number", False),
        Placeholder("page", "link", False),
        Placeholder("town", "text", True),
    ]


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ({}, ""),
        (texts(""), "body-es"),
        (texts("x", ""), "subject-es"),
        (texts("((name)"), "body-es"),
        (texts("((Name))"), "body-es"),
        (texts("((x:colour))"), "body-es"),
        (texts("((name:date))"), "body-es"),
        (texts("x" * 20_001), "body-es"),
        ({**texts("((d:date))"), "ca": {"subject": "x", "body": "((d:number))"}}, "body-ca"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_where_they_stand(words: Any, where: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_texts(words)
    assert where in refused.value.errors


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("date", "2026-12-01", "2026-12-01"),
        ("number", "1234,5", "1234.5"),
        ("link", "https://a.example/x", "https://a.example/x"),
        ("text", " a  b ", "a b"),
    ],
)
def test_values_are_of_their_type(kind: str, value: str, kept: str) -> None:
    assert typed(kind, value) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "1/12/2026"),
        ("number", "doce"),
        ("number", "NaN"),
        ("number", "Infinity"),
        ("link", "javascript:alert(1)"),
    ],
)
def test_values_of_another_type_are_refused(kind: str, value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reader of that type says
        typed(kind, value)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://a.example",
            "javascript:alert(1)",
            "//a.example",
            "https://",
            "https://a@b.example",
        ),
        *("https://a.example:8443/", "https://a.example\\@evil.example", "https://a.exa\nmple"),
        *("https://ex\u0430mple.org", "https://a.example:x/", "data:text/html,x", "HTTPS//x"),
    ],
)
def test_an_address_that_is_no_plain_web_address_leads_nowhere(address: str) -> None:
    with pytest.raises(Invalid):
        host_of(address)


def test_every_destination_of_every_language_is_found() -> None:
    words = {**texts("[a](https://a.example)"), "ca": {"subject": "x", "body": "[b](((page)))"}}
    assert targets(words, {"page": "https://b.example"}) == [
        "https://a.example",
        "https://b.example",
    ]


@pytest.mark.parametrize(
    ("wanted", "order", "expected"),
    [
        ("gl", [], "gl"),
        ("ca-es-valencia", [], "ca"),
        ("fr", ["eu", "gl"], "gl"),
        ("fr", [], "es"),
        ("", ["xx"], "es"),
    ],
)
def test_the_reader_is_answered_in_the_nearest_language(
    wanted: str, order: list[str], expected: str
) -> None:
    known: dict[str, Any] = {code: {} for code in ("es", "ca", "gl")}
    assert language_for(known, wanted, order) == expected


def test_a_line_is_a_point_or_a_heading_wherever_it_stands() -> None:
    body = "Traiga:\n- el DNI\n- una foto\nGracias.\n# Dónde\nEn la plaza."
    found = render(texts(body), "es", Filling({}))
    assert found.html == (
        "<p>Traiga:</p><ul><li>el DNI</li><li>una foto</li></ul><p>Gracias.</p>"
        "<h2>Dónde</h2><p>En la plaza.</p>"
    )
    assert found.text == "Traiga:\n- el DNI\n- una foto\nGracias.\nDónde\nEn la plaza."
