"""The query language by itself: grammar, positions of errors, dates, completion; no text breaks it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.kit.query import (
    LONGEST,
    Field,
    Group,
    Leaf,
    Not,
    Offer,
    Said,
    Same,
    Several,
    Term,
    Understood,
    Value,
    Vocabulary,
    Words,
    Wrong,
    parse,
    period_of,
    written,
)

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=MADRID)  # a Friday


def shape(node: object) -> object:
    """A tree as nested lists, to be read."""
    match node:
        case Words(value):
            return value.text
        case Term(name, sign, values):
            return f"{name}{sign}{','.join(value.text for value in values)}"
        case Not(inner):
            return ["not", shape(inner)]
        case Group(parts, every):
            return ["all" if every else "any", *map(shape, parts)]
    return None


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("  \t\n ", None),
        ("farola", "farola"),
        ('"calle mayor"', "calle mayor"),
        ("type:a", "type:a"),
        ("tipo=a", "tipo=a"),
        ("due<=7d", "due<=7d"),
        ("type:a,b", "type:a,b"),
        ('citizen:"García Gil",Pérez', "citizen:García Gil,Pérez"),
        (r'text:"dijo \"no\" \\ sí"', r'text:dijo "no" \ sí'),
        ("a b", ["all", "a", "b"]),
        ("a and b y c", ["all", "a", "b", "c"]),
        ("a or b o c", ["any", "a", "b", "c"]),
        ("a b or c", ["any", ["all", "a", "b"], "c"]),
        ("a (b or c)", ["all", "a", ["any", "b", "c"]]),
        ("-a", ["not", "a"]),
        ("not a", ["not", "a"]),
        ("-(a or type:b)", ["not", ["any", "a", "type:b"]]),
        ("--a", ["not", ["not", "a"]]),
        ("a - b", ["all", "a", "-", "b"]),
        ("moved-to:review by:me last-week", ["all", "moved-to:review", "by:me", "last-week"]),
        ("10:30", "10:30"),
        ("unit:Madrid/*", "unit:Madrid/*"),
        ("calle(mayor)", ["all", "calle", ["all", "mayor"]]),
        ("((a))", ["all", "a"]),
        ('casa"piso"', ["all", "casa", "piso"]),
        ('"or"', "or"),
    ],
)
def test_the_grammar(text: str, tree: object) -> None:
    assert shape(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "start", "end", "says"),
    [
        ('a "b', 2, 4, "not closed"),
        ('type:"b', 5, 7, "not closed"),
        ("a (b", 2, 3, "not closed"),
        ("a )", 2, 3, "No parenthesis was opened"),
        ("()", 0, 2, "nothing in these"),
        ("a (b ( ))", 5, 8, "nothing in these"),
        ("type:", 0, 5, "right after"),
        ("type: a", 0, 5, "right after"),
        ("type:a, b", 0, 7, "right after"),
        ("a or", 3, 4, "missing at the end"),
        ("or a", 0, 2, "missing beside"),
        ("a or or b", 5, 7, "missing beside"),
        ("a not", 4, 5, "missing at the end"),
        ("a\0b", 1, 2, "This sign"),
        ("(" * 12 + "a" + ")" * 12, 11, 12, "inside each other"),
        ("-" * 12 + "a", 11, 12, "inside each other"),
        ("a " * 61, 120, 122, "At most 60 conditions"),
        ("t:" + ",".join("a" * 31), 62, 63, "At most 30 values"),
        ("x" * 1_001, 1_000, 1_001, "At most 1000 signs"),
    ],
)
def test_what_is_wrong_is_marked(text: str, start: int, end: int, says: str) -> None:
    with pytest.raises(Wrong) as raised:
        parse(text)
    problem = raised.value.problem
    assert (problem.start, problem.end) == (start, end)
    assert says in str(problem.message)


def test_an_operator_may_be_a_word_in_quotes() -> None:
    with pytest.raises(Wrong) as raised:
        parse("o")
    assert raised.value.problem.proposals == ('"o"',)
    assert shape(parse('"o"')) == "o"


# --- A vocabulary -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asker:
    """Somebody who knows three colours."""

    colours: tuple[str, ...] = ("red", "green", "dark blue")


def _colour(asking: Asker, value: Value) -> str:
    if value.text not in asking.colours:
        near = tuple(colour for colour in asking.colours if colour[0] == value.text[0])
        raise Wrong(value.start, value.end, f"no colour {value.text}", near)
    return value.text


def _any(_asking: Asker, value: Value) -> str:
    return value.text


def _done(_asking: Asker, leaves: object) -> str:
    assert isinstance(leaves, list | tuple)
    names = [leaf.field.name for leaf in leaves]
    if len(set(names)) < len(names):
        raise Wrong(leaves[-1].start, leaves[-1].end, "twice")
    return " ".join(names)


def _offered(asking: Asker, begun: str) -> list[Offer]:
    return [Offer(colour) for colour in asking.colours if colour.startswith(begun)]


COLOURS: Vocabulary[Asker] = Vocabulary(
    fields=(
        Field("colour", "color", "Colour", _colour, offers=_offered),
        Field("size", "tamaño", "Size", _any, compares=True),
        Field("text", "texto", "Text", _any, words=True),
        Field("did", "hizo", "Did", _any, about="act"),
        Field("when", "cuándo", "When", _any, about="act"),
    ),
    says=lambda _asking, words: words,
    word=lambda word: "when" if word in ("today", "last-week") else "",
    same={"act": _done},
)


def understand(text: str) -> Understood:
    return COLOURS.understand(Asker(), text)


def wrong(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each problem as what it marks and what it proposes."""
    found = understand(text)
    assert found.tree is None
    return [(text[one.start : one.end], one.proposals) for one in found.problems]


def test_names_are_understood_in_both_languages_and_without_accents() -> None:
    for text in ("colour:red", "color:red", "COLOR:red"):
        tree = understand(text).tree
        assert isinstance(tree, Leaf)
        assert (tree.field.name, tree.values) == ("colour", ("red",))
    assert understand("tamano>3").problems == ()


def test_every_problem_is_told_with_what_may_be_meant() -> None:
    assert wrong("colr:red") == [("colr", ("color",))]
    assert wrong("colour:rod") == [("rod", ("red",))]
    assert wrong("xyz:1 colour:grey -colour<red") == [
        ("xyz", ()),
        ("grey", ("green",)),
        ("<", (":",)),
    ]
    assert wrong("size>1,2") == [("2", ())]
    assert wrong("colour:red or (colr:red colour:rad)") == [("colr", ("color",)), ("rad", ("red",))]


def test_words_side_by_side_are_looked_for_together() -> None:
    tree = understand('lamp colour:red text:"main street" out').tree
    assert isinstance(tree, Several)
    said = tree.parts[-1]
    assert isinstance(said, Said)
    assert [value.text for value in said.words] == ["lamp", "main street", "out"]


def test_what_tells_of_one_thing_belongs_together() -> None:
    tree = understand("did:sell today").tree
    assert COLOURS.compile(Asker(), tree) == "did when"  # type: ignore[arg-type]
    assert isinstance(understand("today").tree, Said)
    assert isinstance(understand('did:sell "today"').tree, Several)
    assert wrong("last-week colour:red") == [("last-week", ("cuándo:last-week", '"last-week"'))]
    assert wrong("did:sell did:buy") == [("did:buy", ())]
    assert understand("(did:sell today) (did:buy)").problems == ()
    apart = understand("(did:sell) (when:then)").tree  # the regression: taken for one event
    assert isinstance(apart, Several)
    assert [len(part.leaves) for part in apart.parts if isinstance(part, Same)] == [1, 1]


@pytest.mark.parametrize(
    ("before", "after", "written_out"),
    [
        ("", "", ["color:", "tamaño:", "texto:", "hizo:", "cuándo:"]),
        ("co", "", ["color:"]),
        ("red -CO", "l", ["red -color:"]),
        ("color:", "", ["color:red", "color:green", 'color:"dark blue"']),
        ("color:red,g", "", ["color:red,green"]),
        ('(color:"da', "", ['(color:"dark blue"']),
        ("colour:r", "ed size:1", ["colour:red size:1"]),
        ("nothing:r", "", []),
        ('"co', "", []),
    ],
)
def test_completion(before: str, after: str, written_out: list[str]) -> None:
    text = before + after
    found = COLOURS.complete(Asker(), text, len(before))
    assert [text[: one.start] + one.text + text[one.end :] for one in found] == written_out


signs = st.sampled_from(
    [
        *'()-":,<>=\\ \t\0or',
        "type:",
        "colour:",
        "or ",
        "not ",
        "-",
        "today",
        "did:",
        "é",
        "\ud800",
        "🦊",
    ]
)


@given(st.one_of(st.text(max_size=LONGEST + 50), st.lists(signs, max_size=120).map("".join)))
@example("colour:" * 60)
@example("(" * 900)
@example("-" * 900)
@example('"\\')
def test_no_text_breaks_it(text: str) -> None:
    found = understand(text)
    assert bool(found.problems) != (found.tree is not None) or not text.strip()
    for problem in found.problems:
        assert 0 <= problem.start <= problem.end <= max(len(text), problem.start)
        str(problem.message)
    for at in {0, len(text) // 2, len(text)}:
        for one in COLOURS.complete(Asker(), text, at):
            assert 0 <= one.start <= at <= one.end <= len(text)


@given(st.text(min_size=1, max_size=60).filter(lambda text: "\0" not in text))
def test_what_is_written_is_read_back(text: str) -> None:
    try:
        word = parse(written(text, value=False))
        term = parse(f"colour:{written(text)}")
    except Wrong as wrong_one:
        assert "This sign" in str(wrong_one)  # noqa: PT017 - half a surrogate pair
        return
    assert isinstance(word, Words)
    assert word.value.text == text
    assert isinstance(term, Term)
    assert [value.text for value in term.values] == [text]


# --- Dates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ahead", "start", "end"),
    [
        ("today", False, "2026-11-20", "2026-11-21"),
        ("hoy", False, "2026-11-20", "2026-11-21"),
        ("ayer", False, "2026-11-19", "2026-11-20"),
        ("manana", False, "2026-11-21", "2026-11-22"),
        ("this-week", False, "2026-11-16", "2026-11-23"),
        ("last-week", False, "2026-11-09", "2026-11-16"),
        ("next-month", False, "2026-12-01", "2027-01-01"),
        ("mes-pasado", False, "2026-10-01", "2026-11-01"),
        ("ano-pasado", False, "2025-01-01", "2026-01-01"),
        ("7d", True, "2026-11-27", "2026-11-28"),
        ("7d", False, "2026-11-13", "2026-11-14"),
        ("-7d", True, "2026-11-13", "2026-11-14"),
        ("+7d", False, "2026-11-27", "2026-11-28"),
        ("2w", True, "2026-12-04", "2026-12-05"),
        ("3m", True, "2027-02-20", "2027-02-21"),
        ("1y", False, "2025-11-20", "2025-11-21"),
        ("2026", False, "2026-01-01", "2027-01-01"),
        ("2026-12", False, "2026-12-01", "2027-01-01"),
        ("2026-2-3", False, "2026-02-03", "2026-02-04"),
        ("3/2/2026", False, "2026-02-03", "2026-02-04"),
        ("2026-01..2026-03", False, "2026-01-01", "2026-04-01"),
        ("-7d..today", False, "2026-11-13", "2026-11-21"),
    ],
)
def test_periods(text: str, ahead: bool, start: str, end: str) -> None:
    found = period_of(text, NOW, ahead=ahead)
    assert found is not None
    assert [one.isoformat()[:16] for one in (found.start, found.end)] == [
        f"{start}T00:00",
        f"{end}T00:00",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "7", "7x", "99999d", "2026-13", "2026-02-30", "31/02/2026", "0000-01-01"),
        *("9999d..", "..", "today..yesterday", "9999y", "-9999y", "2199-12-31", "9999h9"),
        *("2026-01-01t25:00", "٢٠٢٦", "١d"),
    ],
)
def test_no_periods(text: str) -> None:
    assert period_of(text, NOW) is None


def test_a_day_of_a_changing_clock_is_as_long_as_it_is() -> None:
    found = period_of("2026-10-25", NOW)
    assert found is not None
    assert (found.end.timestamp() - found.start.timestamp()) / 3600 == 25
    hour = period_of("1h", NOW)
    assert hour is not None
    assert hour.start.isoformat()[:16] == "2026-11-20T08:30"


def test_signs_and_periods() -> None:
    day, moment = period_of("today", NOW), period_of("now", NOW)
    assert day is not None
    assert moment is not None
    assert day.by(":") == (day.start, day.end)
    assert day.by("<") == (None, day.start)
    assert day.by("<=") == (None, day.end)
    assert day.by(">") == (day.end, None)
    assert day.by(">=") == (day.start, None)
    assert moment.by("<") == (None, NOW)
    assert moment.by(":") is None
    before = moment.by("<=")
    assert before is not None
    assert before[1] is not None
    assert before[1] > NOW
