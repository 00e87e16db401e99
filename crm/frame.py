"""The frame around every console page: navigation, organisations, preferences, palette commands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from crm.accounts.models import Membership, User
from crm.kit.actor import Actor
from crm.kit.nav import NavItem, items_for

MARK = 3
"""Letters of its code that stand for an organisation where there is no room for its name."""


@dataclass(frozen=True)
class OrganisationMark:
    """An organisation as the switcher shows it."""

    code: str
    name: str
    unit: str
    mark: str
    current: bool


@dataclass(frozen=True)
class Frame:
    """What layouts/console.html needs around a page."""

    nav: list[NavItem] = field(default_factory=list)
    organisations: list[OrganisationMark] = field(default_factory=list)
    organisation: OrganisationMark | None = None
    user: dict[str, str] = field(default_factory=dict)
    theme: str = "auto"
    density: str = "comfortable"
    rail: str = "auto"
    shortcuts: bool = True
    accent_css_url: str = ""
    commands: list[NavItem] = field(default_factory=list)
    language: str = "es"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `actor` and `frame`."""
    actor: Actor | None = getattr(request, "actor", None)
    user = getattr(request, "user", None)
    if actor is None or not isinstance(user, User):
        return {"actor": None, "frame": Frame(language=get_language() or "es")}
    organisations = _organisations(getattr(request, "works_at", ()), actor)
    items = items_for(actor, request.path)
    return {
        "actor": actor,
        "frame": Frame(
            nav=[item for item in items if item.group != "command"],
            commands=items,
            organisations=organisations,
            organisation=next((mark for mark in organisations if mark.current), None),
            user={"name": user.full_name, "email": user.email},
            theme=user.theme,
            density=user.density,
            rail=user.rail,
            shortcuts=user.single_key_shortcuts,
            accent_css_url=reverse("organisations:accent", args=[actor.organisation_code]),
            language=get_language() or "es",
        ),
    }


def _organisations(works_at: Iterable[Membership], actor: Actor) -> list[OrganisationMark]:
    """All where the user works, by name, for the switcher."""
    places = sorted(works_at, key=lambda membership: membership.organisation.name)
    return [
        OrganisationMark(
            place.organisation.code,
            place.organisation.name,
            place.unit.name if place.unit else "",
            place.organisation.code[:MARK].upper(),
            place.organisation_id == actor.organisation_id,
        )
        for place in places
    ]
