"""Saved views as a person has them: which ones, in what order, what each of them asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch

from cases.counters import Wanted
from cases.lists import ALL, CaseFilter
from cases.models import SavedView, ViewPlace
from cases.permissions import SHARE_VIEW
from cases.query import Expression, Understanding, is_personal
from crm.kit.actor import Actor
from crm.kit.policy import Decision, decide

ICONS = (
    *("bookmark", "star", "flag", "alarm", "clock", "calendar", "inbox", "folder", "user", "users"),
    *("building-community", "heart-handshake", "home", "phone", "mail", "file-text", "search"),
)
AUDIENCES = (SavedView.Audience.OWN, SavedView.Audience.UNIT, SavedView.Audience.ORGANISATION)
EVERYTHING = CaseFilter(work=ALL, any_time=True)
"""What a view's query narrows: it says itself whether work goes on."""


@dataclass(frozen=True)
class Placed:
    """A view in the place where a person keeps it."""

    view: SavedView
    place: ViewPlace | None = None

    @property
    def pinned(self) -> bool:
        """Whether it stands on the day's page."""
        return self.place is not None and self.place.pinned

    @property
    def hidden(self) -> bool:
        """Whether it is left out of the side list."""
        return self.place is not None and self.place.hidden

    @property
    def group(self) -> str:
        """With which views of everyone it stands: mine, unit or organisation."""
        return "mine" if self.view.audience == SavedView.Audience.OWN else self.view.audience


def views_of(actor: Actor) -> list[Placed]:
    """All views of a person's list, each group in the person's own order, new ones last by name."""
    mine = Prefetch("places", queryset=ViewPlace.objects.for_actor(actor), to_attr="mine")
    rows = SavedView.objects.for_actor(actor).select_related("unit").prefetch_related(mine)
    placed = [Placed(row, next(iter(getattr(row, "mine", ())), None)) for row in rows]
    return sorted(placed, key=_order)


def _order(placed: Placed) -> tuple[int, str, bool, int, str]:
    unit = placed.view.unit
    new = placed.place is None or not placed.place.position
    return (
        AUDIENCES.index(SavedView.Audience(placed.view.audience)),
        unit.name if unit else "",
        new,
        placed.place.position if placed.place else 0,
        placed.view.name.casefold(),
    )


def view_of(actor: Actor, uuid: UUID) -> SavedView:
    """The view behind a link, for whoever may open it; NotFound for everybody else."""
    rows = SavedView.objects.opened_by(actor).select_related("unit", "owner")
    return rows.get_or_refuse(uuid=uuid)


def may_change(actor: Actor, view: SavedView) -> Decision:
    """One's own is the owner's, a unit's and the organisation's whoever may keep such there."""
    if view.audience == SavedView.Audience.OWN:
        return Decision(actor.user_id is not None and view.owner_id == actor.user_id)
    return decide(actor, SHARE_VIEW, view)


def expression_of_view(understanding: Understanding, view: SavedView) -> Expression:
    """What the view asks, as whoever opens it means it now."""
    return understanding.of(view.expression)


def asked_by(understanding: Understanding, view: SavedView) -> CaseFilter | None:
    """The cases of the view; None when its query means nothing any more."""
    expression = expression_of_view(understanding, view)
    if expression.problems:
        return None
    return expression.onto(base_of(view))


def base_of(view: SavedView) -> CaseFilter:
    """What its query is laid over."""
    return CaseFilter(work=ALL, any_time=True, by=view.by)


def wanted(actor: Actor, views: Sequence[SavedView]) -> dict[str, Wanted]:
    """The views as lists to be counted, by their UUIDs; understood only when they are."""
    understanding = Understanding(actor)
    return {
        str(view.uuid): Wanted(
            text=f"query {view.expression}",
            asked=lambda view=view: asked_by(understanding, view),  # type: ignore[misc]
            personal=is_personal(view.expression),
        )
        for view in views
    }
