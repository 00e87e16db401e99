"""Pictures of figures as plain shapes: what a template draws as SVG and tells as a table; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm.kit.errors import Text

WIDTH, HEIGHT = 600, 160
GAP = 0.25


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its words and figure, where it stands and how high."""

    label: Text
    value: int
    kind: str
    x: float
    y: float
    width: float
    height: float
    share: float  # of the whole, in hundredths


def columns(figures: Sequence[tuple[Text, int]], kind: str = "run") -> list[Bar]:
    """Upright bars side by side, the highest as high as the picture."""
    most = max((value for _label, value in figures), default=0)
    total = sum(value for _label, value in figures)
    step = WIDTH / len(figures) if figures else 0
    wide = min(step * (1 - GAP), 48)
    return [
        Bar(
            label,
            value,
            kind,
            round(at * step + (step - wide) / 2, 2),
            round(HEIGHT - HEIGHT * value / most if most else HEIGHT, 2),
            round(wide, 2),
            round(HEIGHT * value / most if most else 0, 2),
            _share(value, total),
        )
        for at, (label, value) in enumerate(figures)
    ]


def stacked(figures: Iterable[tuple[Text, int, str]]) -> list[Bar]:
    """Parts of one whole, end to end."""
    parts = [part for part in figures if part[1]]
    total, at, found = sum(value for _label, value, _kind in parts), 0.0, []
    for label, value, kind in parts:
        wide = WIDTH * value / total
        found.append(
            Bar(label, value, kind, round(at, 2), 0, round(wide, 2), 24, _share(value, total))
        )
        at += wide
    return found


def _share(value: int, total: int) -> float:
    return round(100 * value / total, 1) if total else 0.0
