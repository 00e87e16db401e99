"""The 360º page of a person: the port by which each room adds what it knows, and its sheltered call."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

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
    later: bool = False  # the page asks for it by itself, once it is there


panels: Registry[Panel] = Registry("panel")


@dataclass(frozen=True, slots=True)
class Coming:
    """A day or moment ahead: a deadline, an appointment."""

    at: datetime
    icon: str
    text: Text
    about: str
    url: str
    timed: bool = False  # the hour counts, too
    late: bool = False


@dataclass(frozen=True, slots=True)
class Dates:
    """What one room has ahead for a person, for who holds the permission."""

    load: Callable[[Actor, Citizen], list[Coming]]
    permission: str


dates: Registry[Dates] = Registry("kind of dates ahead")
_AHEAD = 8


def ahead(actor: Actor, citizen: Citizen) -> Mapping[str, object] | None:
    """The next deadlines and appointments of the person, whatever room they are of, nearest first."""
    found = [
        one
        for kind in dates.values()
        if actor.holds(kind.permission)
        for one in kind.load(actor, citizen)
    ]
    return {"dates": sorted(found, key=lambda one: one.at)[:_AHEAD]} if found else None


@dataclass(frozen=True)
class Section:
    """A panel as it came out for one person; `html` is None when it failed, or is `withheld` from who is
    attended in the person's name."""

    name: str
    title: Text
    icon: str
    html: str | None
    withheld: bool = False


def sections(actor: Actor, citizen: Citizen, *, later: bool = False) -> list[Section]:
    """Every panel that has something to show, in order, of those that come with the page or `later`; one
    that fails says so and harms no other."""
    found = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
        for panel in sorted(panels.values(), key=lambda panel: panel.order):
            if panel.later is later and actor.holds(panel.permission):
                section = _section(actor, citizen, panel)
                found += [section] if section else []
    return found


def _section(actor: Actor, citizen: Citizen, panel: Panel) -> Section | None:
    attended = actor.attended(citizen.pk)
    if attended and not attended.everything and not panel.within:
        return Section(panel.name, panel.title, panel.icon, None, withheld=True)
    try:
        html = _shown(actor, citizen, panel)
    except Exception:  # any fault of a panel is its own
        log.exception("citizens.panel_failed", extra={"panel": panel.name})
        return Section(panel.name, panel.title, panel.icon, None)
    return None if html is None else Section(panel.name, panel.title, panel.icon, html)


def _shown(actor: Actor, citizen: Citizen, panel: Panel) -> str | None:
    with transaction.atomic():
        context = panel.load(actor, citizen)
        if context is None:
            return None
        # rendered here: what is lazy in the context is read within the panel's own shelter
        return render_to_string(panel.template, {**context, "actor": actor, "citizen": citizen})
