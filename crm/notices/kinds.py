"""What there may be news of: rooms above declare kinds, and how the things they are about are shown."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry

NONE, NOW, HOURLY, DAILY = "none", "now", "hourly", "daily"


@dataclass(frozen=True, slots=True)
class Kind:
    """News of one kind: what it is called among the choices, and its sentence.

    The sentence may name `actor` and whatever the news' data hold; `together` replaces it for what a
    bulk action did to many at once.
    """

    label: Text
    icon: str
    says: Text
    together: Text = ""
    values: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict  # as people read them
    mine: bool = False  # about the person's own work, not only what they follow
    names: bool = False  # somebody named them: a mention
    console: bool = True  # where it goes as long as the person has not chosen
    mail: str = NONE


@dataclass(frozen=True, slots=True)
class Shown:
    """A thing as somebody who may see it is shown it; an e-mail names the title only."""

    title: str
    sub: str
    url: str


@dataclass(frozen=True, slots=True)
class Switch:
    """Something a person may have done by itself, yes or no."""

    label: Text
    default: bool


Showing = Callable[[Actor, Collection[str]], Mapping[str, Shown]]
"""Of these UUIDs, those that exist for the actor."""

kinds: Registry[Kind] = Registry("kind of news")
things: Registry[Showing] = Registry("thing that there may be news of")
switches: Registry[Switch] = Registry("switch")


def sentence(kind: str, actor: str, data: Mapping[str, Any]) -> str:
    """The news in words, in the language of now."""
    known = kinds.get(kind)
    if known is None:  # of a room that is no longer there
        return ""
    words = known.together if known.together and data.get("batch") else known.says
    return str(words) % _Gaps(known.values(data), actor=actor)


class _Gaps(dict[str, Any]):
    """Values of a sentence; what old news do not say is left out, not an error."""

    def __missing__(self, key: str) -> str:
        return "…"
