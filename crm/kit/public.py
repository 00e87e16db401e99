"""The doors by which citizens come in without an account: every room that has one names it here, so
that the pages of one lead to the others."""

from collections.abc import Callable
from dataclasses import dataclass

from crm.kit.errors import Text
from crm.kit.registry import Registry


@dataclass(frozen=True)
class PublicDoor:
    """A way in. `address`: from an organisation's code the path of the door, empty while it is shut."""

    title: Text
    icon: str
    address: Callable[[str], str]
    order: int = 50


@dataclass(frozen=True)
class OpenDoor:
    """A way in as a page shows it; `here` when the page lies behind it."""

    key: str
    title: Text
    icon: str
    url: str
    here: bool


doors: Registry[PublicDoor] = Registry("public door")


def open_doors(code: str, path: str) -> list[OpenDoor]:
    """The doors of an organisation that are open now, in order, as seen from a page."""
    ways = sorted(doors.items(), key=lambda way: way[1].order)
    found = [(key, door, door.address(code)) for key, door in ways]
    return [
        OpenDoor(key, door.title, door.icon, url, path.startswith(url))
        for key, door, url in found
        if url
    ]
