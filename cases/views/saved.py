"""Saved views: all of them in one page, saving and changing one, and each person's arrangement."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import saved
from cases.counters import Count, counts
from cases.forms import show_errors
from cases.lists import COUNT_CAP, find
from cases.models import SavedView
from cases.permissions import VIEW_CASE
from cases.presenting import rows_of
from cases.query import Understanding, as_audited, whole_expression
from cases.services.reminding import watch_view, watched_by
from cases.services.views import (
    arrange_view,
    change_view,
    copy_view,
    delete_view,
    save_view,
    view_as_given,
)
from cases.view_forms import ViewForm
from cases.views.lists import listing_of, view_url
from crm.citizens.search import record_search
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import Changed, DomainError, Invalid

_ARRANGED: dict[str, dict[str, Any]] = {
    "pin": {"pinned": True},
    "unpin": {"pinned": False},
    "hide": {"hidden": True},
    "show": {"hidden": False},
    "up": {"step": -1},
    "down": {"step": 1},
}
_WATCHED = {"watch": True, "unwatch": False}
FIRST_ROWS = 5
MOST_TILES = 6


@require_GET
@needs(VIEW_CASE)
def index(request: ActorRequest) -> HttpResponse:
    """All views that the reader has, with what they may do with each."""
    context = {"groups": _groups(request.actor), "cap": COUNT_CAP}
    return render(request, "cases/views.html", context)


@require_http_methods(["GET", "POST"])
@needs(VIEW_CASE)
def new(request: ActorRequest) -> HttpResponse:
    """What a list asks, its filters and the box together, becomes a view with a name."""
    actor = request.actor
    if request.method == "POST":
        return _kept(request, ViewForm(request.POST, actor=actor), None)
    listing = listing_of(actor, request.GET)
    text = listing.expression.known.text
    if listing.saved is None or listing.kept:
        text = whole_expression(actor, listing.base, listing.kept, listing.expression)
    begun = {
        "expression": text,
        "audience": SavedView.Audience.OWN,
        "icon": "bookmark",
        "by": listing.base.by,
    }
    return _page(request, ViewForm(initial=begun, actor=actor), None)


@require_http_methods(["GET", "POST"])
@needs(VIEW_CASE)
def edit(request: ActorRequest, view: UUID) -> HttpResponse:
    """Changing a view; ?q= brings another query from the list."""
    actor = request.actor
    row = saved.view_of(actor, view)
    if request.method == "POST":
        return _kept(request, ViewForm(request.POST, actor=actor), row)
    given = view_as_given(row)
    begun = {**given.__dict__, "unit": given.unit, "version": row.version}
    if "q" in request.GET or "vista" in request.GET:
        listing = listing_of(actor, request.GET)
        begun["expression"] = listing.expression.known.text
        if listing.kept:
            parts = (listing.base, listing.kept, listing.expression)
            begun["expression"] = whole_expression(actor, *parts)
    return _page(request, ViewForm(initial=begun, actor=actor), row)


@require_POST
@needs(VIEW_CASE)
def copy(request: ActorRequest, view: UUID) -> HttpResponse:
    """The view as one's own, opened to be changed."""
    row = copy_view(request.actor, view)
    return HttpResponseRedirect(reverse("cases:view_edit", args=[row.uuid]))


@require_POST
@needs(VIEW_CASE)
def delete(request: ActorRequest, view: UUID) -> HttpResponse:
    """The view is gone."""
    delete_view(request.actor, view)
    return HttpResponseRedirect(reverse("cases:views"))


@require_POST
@needs(VIEW_CASE)
def arrange(request: ActorRequest, view: UUID) -> HttpResponse:
    """One's own arrangement: pinned or not, hidden or not, watched or not, a place up or down."""
    said = request.POST
    do = said.get("do", "")
    if do in _WATCHED:
        watch_view(request.actor, view, watched=_WATCHED[do])
    elif do in _ARRANGED:
        arrange_view(request.actor, view, **_ARRANGED[do])
    else:
        raise Invalid(errors={"do": [_("Choose one of the offered values.")]})
    if said.get("back") == "list":
        return HttpResponseRedirect(f"{reverse('cases:list')}?vista={view}")
    if request.htmx:
        context = {"groups": _groups(request.actor), "cap": COUNT_CAP}
        return render(request, "cases/_view_groups.html", context)
    return HttpResponseRedirect(reverse("cases:views"))


@require_GET
@needs(VIEW_CASE)
def board(request: ActorRequest) -> HttpResponse:
    """The tiles of « Mi día »: each pinned view with its number and its first cases."""
    actor = request.actor
    pinned = [one.view for one in saved.views_of(actor) if one.pinned and not one.hidden]
    numbers = counts(actor, saved.wanted(actor, pinned))
    understanding = Understanding(actor)
    tiles = [
        {
            "view": view,
            "url": view_url(view),
            "label": _all_of(numbers[str(view.uuid)]),
            **_first_rows(actor, understanding, view),
        }
        for view in pinned[:MOST_TILES]
    ]
    context = {
        "tiles": tiles,
        "more": pinned[MOST_TILES:],
        "has_views": bool(pinned),
    }
    return render(request, "cases/_view_board.html", context)


def _all_of(count: Count) -> str:
    """What leads from a tile to the whole list, with its number where that is known."""
    if count.value is None:
        return _("See all")
    shown = f"{COUNT_CAP}+" if count.value > COUNT_CAP else str(count.value)
    return _("See all (%(count)s)") % {"count": shown}


def _first_rows(actor: Actor, understanding: Understanding, view: SavedView) -> dict[str, Any]:
    """The first cases of a tile, or why there are none to be shown."""
    asked = saved.asked_by(understanding, view)
    if asked is None:
        return {"problem": _("Its query means nothing any more: open it to see what is wrong.")}
    try:
        page = find(actor, asked, size=FIRST_ROWS)
    except DomainError as error:
        return {"problem": error.message}
    record_search(
        actor, "cases", filters=["view"], query=as_audited(view.expression), found=len(page.rows)
    )
    return {"rows": rows_of(actor, page.rows)}


def _kept(request: ActorRequest, form: ViewForm, row: SavedView | None) -> HttpResponse:
    if not form.is_valid():
        return _page(request, form, row, 422)
    try:
        if row is None:
            kept = save_view(request.actor, form.view())
        else:
            version = form.cleaned_data.get("version")
            kept = change_view(request.actor, row.uuid, form.view(), version=version)
    except Changed as error:
        form.add_error(None, str(error.message))
        return _page(request, form, row, 409)
    except Invalid as error:
        show_errors(form, error)
        return _page(request, form, row, 422)
    return HttpResponseRedirect(view_url(kept))


def _page(
    request: HttpRequest, form: ViewForm, row: SavedView | None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "view": row,
        "url": view_url(row) if row else "",
        "link": request.build_absolute_uri(view_url(row)) if row else "",
    }
    return render(request, "cases/view_edit.html", context, status=status)


def _groups(actor: Actor) -> list[dict[str, Any]]:
    """The views as the page of all of them shows them."""
    titles = {
        SavedView.Audience.OWN: _("Mine"),
        SavedView.Audience.ORGANISATION: _("The whole organisation"),
    }
    groups: dict[tuple[str, int | None], dict[str, Any]] = {}
    placed, watched = saved.views_of(actor), watched_by(actor)
    numbers = counts(actor, saved.wanted(actor, [one.view for one in placed]))
    for one in placed:
        view = one.view
        title = view.unit.name if view.unit else titles[SavedView.Audience(view.audience)]
        group = groups.setdefault((view.audience, view.unit_id), {"title": title, "views": []})
        group["views"].append(
            {
                "placed": one,
                "view": view,
                "url": view_url(view),
                "may_change": bool(saved.may_change(actor, view)),
                "count": numbers[str(view.uuid)],
                "watched": view.pk in watched,
            }
        )
    return list(groups.values())
