"""Charts as numbers for SVG: templates draw them, style sheets colour them, no script is needed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm.kit.errors import Text

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 10, 24
_MOST_LABELS = 8


@dataclass(frozen=True)
class Line:
    """One series: its word, the class that colours it, its values and its path."""

    name: Text
    css: str
    values: tuple[int, ...]
    path: str
    area: str


@dataclass(frozen=True)
class Tick:
    """A mark of an axis."""

    place: float
    text: str


@dataclass(frozen=True)
class Lines:
    """A chart of lines over time, with its table."""

    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]  # of the axis of values
    along: tuple[Tick, ...]  # of time
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    width, height, left, bottom = WIDTH, HEIGHT, LEFT, HEIGHT - BOTTOM
    right, foot = WIDTH - RIGHT, HEIGHT - 6


def lines(labels: Sequence[str], series: Sequence[tuple[Text, str, Sequence[int]]]) -> Lines:
    """A chart of these series (word, class, a value for each label)."""
    most = max((value for _name, _css, values in series for value in values), default=0)
    step = nice_step(most)
    top = step * max(1, -(-most // step))
    count = len(labels)

    def x(number: int) -> float:
        whole = WIDTH - LEFT - RIGHT
        return round(LEFT + (whole * number / (count - 1) if count > 1 else whole / 2), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)

    made = []
    for name, css, values in series:
        points = [f"{x(number)} {y(value)}" for number, value in enumerate(values)]
        path = "M" + "L".join(points) if points else ""
        area = f"{path}L{x(count - 1)} {y(0)}L{x(0)} {y(0)}Z" if points else ""
        made.append(Line(name, css, tuple(values), path, area))
    every = max(1, -(-count // _MOST_LABELS))
    return Lines(
        tuple(labels),
        tuple(made),
        tuple(Tick(y(value), str(value)) for value in range(0, top + 1, step)),
        tuple(Tick(x(number), labels[number]) for number in range(0, count, every)),
        tuple(
            (label, tuple(int(values[number]) for _name, _css, values in series))
            for number, label in enumerate(labels)
        ),
    )


def nice_step(most: int) -> int:
    """The distance of the marks of an axis that reaches this far: 1, 2 or 5 times a power of ten."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if most <= 5 * factor * size:
                return factor * size
        size *= 10


@dataclass(frozen=True)
class Bar:
    """One row of a chart of bars, which is a table as well."""

    name: Text
    value: int
    length: float  # hundredths of the longest
    share: float  # of all
    url: str = ""
    before: int | None = None


def bars(rows: Sequence[tuple[Text, int, str]]) -> list[Bar]:
    """Bars of (word, value, where the list behind it is)."""
    longest, total = max((row[1] for row in rows), default=0), sum(row[1] for row in rows)
    return [
        Bar(
            name,
            value,
            round(100 * value / longest, 1) if longest else 0,
            value / (total or 1),
            url,
        )
        for name, value, url in rows
    ]


@dataclass(frozen=True)
class Cell:
    """A field of a heat table."""

    value: int
    level: int  # 0 nothing, 1 to 5
    url: str = ""


def level(value: int, most: int) -> int:
    """How hot: 0 for nothing, else 1 to 5."""
    return 0 if value <= 0 or most <= 0 else min(5, 1 + value * 5 // (most + 1))
