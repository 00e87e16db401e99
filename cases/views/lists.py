"""The list of cases: views, filters, columns, pages of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from cases import saved, selectors
from cases.counters import Count, Wanted, counts
from cases.forms import ListForm, describe
from cases.lists import (
    COUNT_CAP,
    ME,
    NOBODY,
    CaseFilter,
    View,
    find,
    search_months,
    standing_views,
)
from cases.models import SavedView
from cases.permissions import CHANGE_CASE, OPEN_CASE, RUN_BULK, VIEW_CASE
from cases.presenting import COLUMNS, columns_shown, rows_of
from cases.query import Expression, as_audited, understood, whole_expression
from cases.views.asking import faults_of, pieces_of
from crm.citizens.search import record_search
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import DomainError, Invalid, Text
from crm.kit.query import LONGEST
from crm.organisations.models import Unit

PAGE = 26
COLUMN_CLASSES = {"state": "h-st", "due": "h-clk", "target": "h-clk", "assignee": "h-own"}
USUAL_COLUMNS = ("state", "due", "assignee", "moved")
USUAL_VIEW = "unit"
WIDE_VIEW = "all"
"""Of whoever works in no unit or on no cases: an auditor's own unit has none."""


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the list without it."""

    label: Text
    value: Text
    remove_url: str


@dataclass(frozen=True)
class Listing:
    """What the address of a list asks: the view it names, its filters, the expression in its box."""

    view: View | None
    base: CaseFilter  # what view and filters ask
    kept: Mapping[str, Any]  # fields that filters ask, which an expression does not overrule
    form: ListForm
    expression: Expression
    saved: SavedView | None = None

    @property
    def edited(self) -> bool:
        """Whether it asks something else than the saved view that it began with."""
        typed = self.expression.known.text.strip()
        return self.saved is not None and (bool(self.kept) or typed != self.saved.expression)

    @property
    def asked(self) -> CaseFilter:
        """All of it together; an expression with problems asks nothing."""
        return self.expression.onto(self.base, self.kept)

    @property
    def by_expression(self) -> bool:
        """Whether the box says more than words."""
        return bool(self.expression.known.text.strip()) and not self.expression.only_words


@require_GET
@needs(VIEW_CASE)
def case_list(request: ActorRequest) -> HttpResponse:
    """A list of cases; by htmx with a cursor, its next rows."""
    actor = request.actor
    unit = selectors.home_unit(actor)
    views = standing_views(actor, unit.uuid if unit else None)
    listing = _listing(actor, request.GET, views)
    asked, form, wrong = listing.asked, listing.form, listing.expression.problems
    if asked.looks_back_at_first:
        asked = replace(asked, months=search_months(actor))
    cursor = request.GET.get("cursor", "")
    chosen = _columns(request, asked, listing.saved)
    problem: DomainError | None = None
    page = None
    try:
        page = None if wrong else find(actor, asked, cursor, PAGE)
    except DomainError as error:
        problem = error
    if not wrong:
        _record(actor, listing, asked, len(page.rows) if page else 0)
    context = {
        "rows": rows_of(actor, page.rows) if page else [],
        "columns": columns_shown(chosen),
        "may_bulk": actor.holds(RUN_BULK),
        "next_url": _with(request.GET, cursor=page.after) if page and page.after else "",
    }
    if request.htmx and cursor:
        return render(request, "cases/_rows.html", context)
    chips, placed = _chips(request.GET, form), saved.views_of(actor)
    context |= {
        "form": form,
        "typed": listing.expression.known.text,
        "view": listing.view,
        "views": _grouped(views, unit, listing, placed),
        "saved": _saved_menu(actor, listing.saved, placed) if listing.saved else None,
        "edited": listing.edited,
        "chips": chips,
        "narrowed": bool(chips or listing.edited)
        if listing.saved
        else bool(chips or asked.text or listing.by_expression),
        "asked": asked,
        "order": describe(asked),
        "months_back": asked.months,
        "problem": problem,
        "all_years_url": _with(request.GET, todo="on", cursor=""),
        "chosen_columns": _column_choices(chosen),
        "filter": request.GET.urlencode(),
        "may_open": actor.holds(OPEN_CASE),
        "hidden": [(key, value) for key, value in request.GET.items() if key == "vista"],
        "in_force": [
            (key, value) for key in form.fields if key != "q" and (value := request.GET.get(key))
        ],
        "longest": LONGEST,
        **_asking(actor, request.GET, listing, told=bool(chips) or listing.by_expression),
    }
    return render(request, "cases/list.html", context)


def _record(actor: Actor, listing: Listing, asked: CaseFilter, found: int) -> None:
    """The search is written down: an expression as it was typed, words as words."""
    text, query = asked.text, ""
    if listing.by_expression:
        text, query = "", as_audited(listing.expression.known.text)
    record_search(actor, "cases", filters=asked.given, text=text, query=query, found=found)


def _asking(actor: Actor, query: QueryDict, listing: Listing, *, told: bool) -> dict[str, Any]:
    """What is wrong with the expression; else the whole list as one, to be read and gone on with."""
    text, wrong = listing.expression.known.text, listing.expression.problems
    if wrong:
        return {"pieces": pieces_of(text, wrong), "faults": faults_of(text, wrong, query)}
    if remarks := listing.expression.remarks:
        told_of = {"pieces": pieces_of(text, remarks), "remarks": faults_of(text, remarks, query)}
        return told_of
    if listing.saved and not listing.kept:
        return {}
    if not told:
        return {}
    whole = whole_expression(actor, listing.base, listing.kept, listing.expression)
    if whole == text.strip() or len(whole) > LONGEST:
        return {}
    gone = {name: "" for name in (*listing.form.fields, "vista") if name not in ("todo", "orden")}
    return {"whole": whole, "whole_url": _with(query, **{**gone, "q": whole})}


@require_GET
@needs(VIEW_CASE)
def filters(request: ActorRequest) -> HttpResponse:
    """What the menu of filters holds; asked for when it is opened, as it is most of the page's work."""
    people = selectors.people_of(request.actor).only("uuid", "full_name")
    context = {"form": _form(request.actor, request.GET), "people": people}
    return render(request, "cases/_filters.html", context)


@require_GET
@needs(VIEW_CASE)
def counters(request: ActorRequest) -> HttpResponse:
    """The left pane with how many each view holds; asked for after the list is there."""
    actor = request.actor
    unit = selectors.home_unit(actor)
    views = standing_views(actor, unit.uuid if unit else None)
    listing = _listing(actor, request.GET, views)
    placed = saved.views_of(actor)
    shown = [one.view for one in placed if not one.hidden]
    where = str(unit.uuid) if unit else ""
    wanted = {
        view.key: Wanted(f"standing {view.key} {where}", lambda view=view: view.asked)  # type: ignore[misc]
        for view in views
        if view.counted
    } | saved.wanted(actor, shown)
    found = counts(actor, wanted)
    context = {
        "views": _grouped(views, unit, listing, placed, found),
        "cap": COUNT_CAP,
        "filter": request.GET.urlencode(),
        "pending": any(one.pending for one in found.values()),
    }
    return render(request, "cases/_views.html", context)


@require_POST
@needs(VIEW_CASE)
def columns(request: ActorRequest) -> HttpResponse:
    """The employee's own choice of columns."""
    chosen = [key for key in request.POST.getlist("column") if key in COLUMNS]
    request.user.columns = {**request.user.columns, "cases": chosen}
    request.user.save(update_fields=["columns"])
    back = request.GET.urlencode()
    return HttpResponseRedirect(f"{reverse('cases:list')}{'?' + back if back else ''}")


def _listing(actor: Actor, query: QueryDict, views: list[View]) -> Listing:
    """What an address asks; without a view and without filters, the usual view."""
    form = _form(actor, query)
    given = form.asked() if form.is_valid() else _valid_part(form)
    typed = query.get("q", "")
    anything = bool(given or typed.strip())
    key = query.get("vista", "")
    if found := _saved(actor, key):
        typed = query.get("q", found.expression)
        base = replace(saved.base_of(found), **given)
        return Listing(None, base, given, form, understood(actor, typed), found)
    in_a_unit = actor.holds(CHANGE_CASE) and any(view.key == USUAL_VIEW for view in views)
    usual = USUAL_VIEW if in_a_unit else WIDE_VIEW
    key = query.get("vista", "" if anything else usual)
    view = next((view for view in views if view.key == key), None)
    if view is None and not anything:
        view = views[0]
    base = replace(view.asked if view else CaseFilter(), **given)
    return Listing(view, base, given, form, understood(actor, typed))


def _saved(actor: Actor, key: str) -> SavedView | None:
    """The saved view that an address names; NotFound when it is none of the actor's."""
    try:
        uuid = UUID(key)
    except ValueError:
        return None
    return saved.view_of(actor, uuid)


def listing_of(actor: Actor, query: QueryDict) -> Listing:
    """What the list with this address asks, in all its parts."""
    unit = selectors.home_unit(actor)
    return _listing(actor, query, standing_views(actor, unit.uuid if unit else None))


def list_filter(actor: Actor, query: QueryDict) -> CaseFilter:
    """What the list with this address asks, for whoever acts on all of it."""
    listing = listing_of(actor, query)
    if listing.expression.problems:
        texts = [problem.message for problem in listing.expression.problems]
        raise Invalid(errors={"filter": texts})
    return listing.asked


def _form(actor: Actor, query: QueryDict) -> ListForm:
    return ListForm(
        query,
        types=lambda: selectors.case_types(actor),
        units=lambda: selectors.units_where(actor, VIEW_CASE),
    )


def _valid_part(form: ListForm) -> dict[str, Any]:
    """What can be understood of filters of which some cannot; the form says which."""
    for name in form.fields:
        form.cleaned_data.setdefault(name, None)
    return form.asked()


def _grouped(
    views: list[View],
    unit: Unit | None,
    listing: Listing,
    placed: Sequence[saved.Placed],
    found: Mapping[str, Count] | None = None,
) -> list[dict[str, Any]]:
    """The views of everyone and those that are saved, in groups as the left pane shows them."""
    titles = {
        "mine": _("Mine"),
        "unit": unit.name if unit else "",
        "organisation": _("All my units"),
    }
    groups: dict[str, dict[str, Any]] = {
        group: {"title": titles[group], "icon": _GROUP_ICONS[group], "views": []}
        for group in ("mine", "unit", "organisation")
        if any(view.group == group for view in views)
    }
    for view in views:
        groups[view.group]["views"].append(
            {
                "label": view.label,
                "url": f"{reverse('cases:list')}?vista={view.key}",
                "current": listing.saved is None and view.asked == listing.asked,
                "icon": _GROUP_ICONS[view.group],
                "urgent": view.urgent,
                **_number((found or {}).get(view.key)),
            }
        )
    for one in placed:
        if one.hidden:
            continue
        group, title = one.group, titles.get(one.group, "")
        if one.view.unit is not None and (unit is None or one.view.unit_id != unit.pk):
            group, title = f"unit {one.view.unit_id}", one.view.unit.name
        here = groups.setdefault(group, {"title": title, "icon": "folder", "views": []})
        here["views"].append(
            {
                "label": one.view.name,
                "url": view_url(one.view),
                "current": listing.saved is not None and listing.saved.pk == one.view.pk,
                "icon": one.view.icon,
                "urgent": False,
                **_number((found or {}).get(str(one.view.uuid))),
            }
        )
    return list(groups.values())


_GROUP_ICONS = {"mine": "bookmark", "unit": "folder", "organisation": "users"}


def _number(count: Count | None) -> dict[str, Any]:
    """A count as the pane shows it; nothing where a view is not counted."""
    if count is None:
        return {"count": None}
    return {"count": count.value, "unknown": count.value is None, "broken": count.broken}


def view_url(view: SavedView) -> str:
    """The list of a saved view: the link that is shared."""
    return f"{reverse('cases:list')}?vista={view.uuid}"


def _saved_menu(actor: Actor, view: SavedView, placed: Sequence[saved.Placed]) -> dict[str, Any]:
    """The saved view whose list is shown, with what the reader may do with it."""
    listed = next((one for one in placed if one.view.pk == view.pk), None)
    return {
        "view": view,
        "url": view_url(view),
        "may_change": bool(saved.may_change(actor, view)),
        "listed": listed is not None,
        "pinned": listed is not None and listed.pinned,
        "owner": view.owner,
    }


def _chips(query: QueryDict, form: ListForm) -> list[Chip]:
    found = []
    for name, field in form.fields.items():
        value = query.get(name)
        if not value or name in form.errors or name == "q":  # its own field shows it
            continue
        found.append(
            Chip(field.label or name, _words(form, name, value), _with(query, **{name: ""}))
        )
    return found


def _words(form: ListForm, name: str, value: str) -> Text:
    if name == "responsable":
        return {ME: _("me"), NOBODY: _("nobody")}.get(value, _("one person"))
    choices: Any = getattr(form.fields[name], "choices", None)
    known = {str(key): label for key, label in choices} if choices else {}
    if name == "todo":
        return _("yes")
    return str(known.get(value, value)).strip()


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    changed.pop("cursor", None)
    for name, value in changes.items():
        if value:
            changed[name] = value
        else:
            changed.pop(name, None)
    return f"{reverse('cases:list')}?{changed.urlencode()}"


def _columns(request: ActorRequest, asked: CaseFilter, view: SavedView | None = None) -> list[str]:
    """Those of a saved view that names some, else as the reader chose; a list by service targets shows
    these in any case."""
    chosen = view.columns if view and view.columns else request.user.columns.get("cases")
    wanted = {*(USUAL_COLUMNS if chosen is None else chosen)}
    if asked.danger or asked.by == "target":
        wanted.add("target")
    return [key for key in COLUMNS if key in wanted]


def _column_choices(shown: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "label": label,
            "shown": key in shown,
            "fixed": False,
            "css": COLUMN_CLASSES.get(key, "h-mv"),
        }
        for key, label in COLUMNS.items()
    ]
