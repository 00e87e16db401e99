"""The console's navigation and palette commands, registered by each room in its AppConfig."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.urls import reverse

from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry


@dataclass(frozen=True)
class NavItem:
    """A place to go to. `group`: main, settings (foot of the rail) or command (palette only)."""

    key: str
    label: Text
    icon: str
    url_name: str
    short: Text = ""
    permission: str = ""  # shown to who holds it; empty: to everyone
    group: str = "main"
    order: int = 50
    keys: str = ""  # shortcut, e.g. "g c"
    badge: Callable[[Actor], str] | None = None
    url: str = ""
    active: bool = False
    badge_text: str = ""


entries: Registry[NavItem] = Registry("navigation entry")


def add(item: NavItem) -> None:
    """Offer a place in the console's navigation."""
    entries.register(item.key, item)


def items_for(actor: Actor, path: str) -> list[NavItem]:
    """What this actor may go to, in order; the nearest one that the path is under is active."""
    items = [
        replace(
            item, url=reverse(item.url_name), badge_text=item.badge(actor) if item.badge else ""
        )
        for item in sorted(entries.values(), key=lambda item: (item.group, item.order))
        if not item.permission or actor.holds(item.permission)
    ]
    shown = [item.url for item in items if item.group != "command"]
    above = [url for url in shown if path == url or _is_under(path, url)]
    nearest = max(above, key=len, default="")
    return [replace(item, active=item.url == nearest) for item in items]


def _is_under(path: str, url: str) -> bool:
    return url != "/" and path.startswith(url)
