"""A workflow as a picture: states as boxes in the order of their categories, moves as arrows. Pure.

The numbers are the picture's own units; the page's style sheet gives the colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from cases.designing import LOTS, Bundle
from cases.workflow import CATEGORIES

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 168, 58, 96, 46, 30
_COLUMNS = {
    "new": 0,
    "open": 1,
    "waiting_citizen": 2,
    "waiting_third_party": 2,
    "resolved": 3,
    "closed": 4,
}
_LINE = 20  # signs that fit into a box
_LINES = 2


@dataclass(frozen=True)
class Box:
    """A state."""

    key: str
    name: str
    category: str
    first: bool
    x: int
    y: int

    @property
    def lines(self) -> list[tuple[int, str]]:
        """The name in lines, each with its height."""
        lines = wrap(self.name, _LINE)
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], f"{lines[_LINES - 1][: _LINE - 1]}…"]
        top = self.y + HEIGHT // 2 - 9 * (len(lines) - 1)
        return [(top + 18 * number, line) for number, line in enumerate(lines)]

    @property
    def middle(self) -> int:
        """Across."""
        return self.x + WIDTH // 2


@dataclass(frozen=True)
class Arrow:
    """A move from one of its states to another, with the number that it has in the list."""

    key: str
    number: int
    name: str
    path: str
    x: int
    y: int


@dataclass(frozen=True)
class Picture:
    """All of it, with its size."""

    width: int = 0
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


def draw(bundle: Bundle) -> Picture:
    """The picture of the states and moves that can be read; an empty one without states."""
    boxes = _boxes(bundle)
    if not boxes:
        return Picture()
    arrows = _arrows(bundle, boxes)
    right = max(box.x for box in boxes.values()) + WIDTH
    below = max(box.y for box in boxes.values()) + HEIGHT
    bends = max((arrow.y for arrow in arrows), default=0) + EDGE
    return Picture(right + EDGE, max(below + EDGE, bends), list(boxes.values()), arrows)


def _boxes(bundle: Bundle) -> dict[str, Box]:
    states = [
        (key, item)
        for key, item in LOTS["estados"].keyed(bundle)
        if isinstance(item.get("code"), str) and item.get("category") in tuple(CATEGORIES)
    ]
    used = sorted({_COLUMNS[item["category"]] for _key, item in states})
    top = max(EDGE, 9 * (len(used) - 1) + 24)  # room for the highest way over what stands between
    filled: dict[int, int] = {}
    boxes = {}
    for key, item in states:
        column = used.index(_COLUMNS[item["category"]])
        row = filled.get(column, 0)
        filled[column] = row + 1
        boxes[item["code"]] = Box(
            key,
            str(item.get("name") or item["code"]),
            item["category"],
            item["code"] == bundle.get("initial"),
            EDGE + column * (WIDTH + ACROSS),
            top + row * (HEIGHT + DOWN),
        )
    return boxes


def _arrows(bundle: Bundle, boxes: Mapping[str, Box]) -> list[Arrow]:
    arrows: list[Arrow] = []
    taken: set[tuple[int, int]] = set()
    low = max(box.y for box in boxes.values()) + HEIGHT
    back = 0
    for number, (key, item) in enumerate(LOTS["pasos"].keyed(bundle), 1):
        target = boxes.get(str(item.get("to")))
        sources = item.get("from") if isinstance(item.get("from"), list) else []
        for source in (boxes.get(str(code)) for code in sources or ()):
            if source is None or target is None or source is target:
                continue
            if source.x > target.x:
                back += 1
                path, x, y = _round_below(source, target, low + 16 * back)
            elif source.x == target.x:
                path, x, y = _beside(source, target)
            else:
                path, x, y = _forward(source, target)
            while (x // 24, y // 24) in taken:
                y += 24
            taken.add((x // 24, y // 24))
            arrows.append(Arrow(key, number, _name(item), path, x, y))
    return arrows


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or "")


def _forward(source: Box, target: Box) -> tuple[str, int, int]:
    start, end = source.x + WIDTH, target.x - 6
    above, below = source.y + HEIGHT // 2, target.y + HEIGHT // 2
    bend = max((end - start) // 2, ACROSS // 2)
    columns = (target.x - source.x) // (WIDTH + ACROSS)
    if columns > 1 and above == below:  # over what stands between
        high = source.y - 12 * columns
        path = f"M{source.middle} {source.y} C{source.middle} {high - 14} {target.middle} {high - 14} {target.middle} {target.y - 6}"
        return path, (source.middle + target.middle) // 2, source.y - 9 * columns - 10
    path = f"M{start} {above} C{start + bend} {above} {end - bend} {below} {end} {below}"
    return path, (start + end) // 2, (above + below) // 2


def _beside(source: Box, target: Box) -> tuple[str, int, int]:
    down = target.y > source.y
    shift = 24 if down else -24
    x = source.middle + shift
    start = source.y + HEIGHT if down else source.y
    end = target.y - 6 if down else target.y + HEIGHT + 6
    return f"M{x} {start} L{x} {end}", x, (start + end) // 2


def _round_below(source: Box, target: Box, low: int) -> tuple[str, int, int]:
    start, end = source.middle - 14, target.middle + 14
    path = f"M{start} {source.y + HEIGHT} C{start} {low} {end} {low} {end} {target.y + HEIGHT + 6}"
    return path, (start + end) // 2, (source.y + target.y + 2 * HEIGHT + 6 * low) // 8
