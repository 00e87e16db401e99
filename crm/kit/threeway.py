"""What two people changed at once, field by field: what only one of them touched is kept without asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that both changed, to different values."""

    mine: Any
    theirs: Any


@dataclass(frozen=True)
class Merged:
    """What is to be set over what stands now, and what somebody must decide."""

    changes: dict[str, Any] = field(default_factory=dict)
    clashes: dict[str, Clash] = field(default_factory=dict)


def merge(was: Mapping[str, Any], now: Mapping[str, Any], mine: Mapping[str, Any]) -> Merged:
    """`mine` is what one person says, who began from `was`; `now` is what others have made of it.

    A field that `mine` does not name is as it was. What says nothing counts as not there.
    """
    merged = Merged()
    for name, value in mine.items():
        before, present = was.get(name), now.get(name)
        if same(value, before) or same(value, present):
            continue
        if same(before, present):
            merged.changes[name] = value
        else:
            merged.clashes[name] = Clash(value, present)
    return merged


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same; nothing is nothing, however it is written."""
    if one in EMPTY or other in EMPTY:
        return one in EMPTY and other in EMPTY
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
