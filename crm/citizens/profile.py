"""The 360º page of a person: the port by which each room adds what it knows, and its sheltered call."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.template.loader import render_to_string

from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry

log = logging.getLogger(__name__)

PATIENCE_MS = 2_000  # a panel that asks the database for longer gives way to the others


@dataclass(frozen=True)
class Panel:
    """What one room shows of a person. Panels stand by `order`: open work before 50, the past after.

    `load` reads it for the actor and gives the template's variables, or None to show nothing; the
    template holds what stands below the heading. Only who holds `permission` is shown the panel.
    """

    name: str
    title: Text
    icon: str
    template: str
    load: Callable[[Actor, Citizen], Mapping[str, object] | None]
    permission: str
    order: int = 50
    within: bool = False  # what it loads for an actor is what may be told to who is attended


panels: Registry[Panel] = Registry("panel")


@dataclass(frozen=True)
class Section:
    """A panel as it came out for one person; `html` is None when it failed, or is `withheld` from who is
    attended in the person's name."""

    name: str
    title: Text
    icon: str
    html: str | None
    withheld: bool = False


def sections(actor: Actor, citizen: Citizen) -> list[Section]:
    """Every panel that has something to show, in order; one that fails says so and harms no other."""
    found = []
    attended = actor.attended(citizen.pk)
    for panel in sorted(panels.values(), key=lambda panel: panel.order):
        if not actor.holds(panel.permission):
            continue
        if attended and not attended.everything and not panel.within:
            found.append(Section(panel.name, panel.title, panel.icon, None, withheld=True))
            continue
        try:
            html = _shown(actor, citizen, panel)
        except Exception:  # any fault of a panel is its own
            log.exception("citizens.panel_failed", extra={"panel": panel.name})
            html = None
        else:
            if html is None:
                continue
        found.append(Section(panel.name, panel.title, panel.icon, html))
    return found


def _shown(actor: Actor, citizen: Citizen, panel: Panel) -> str | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
        context = panel.load(actor, citizen)
        if context is None:
            return None
        # rendered here: what is lazy in the context is read within the panel's own shelter
        return render_to_string(panel.template, {**context, "actor": actor, "citizen": citizen})
