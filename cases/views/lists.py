"""The list of cases: views, filters, columns, pages of rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from cases import selectors
from cases.forms import ListForm, describe
from cases.lists import (
    COUNT_CAP,
    ME,
    NOBODY,
    CaseFilter,
    View,
    count,
    find,
    search_months,
    standing_views,
)
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
        "columns": columns_shown(_columns(request, asked)),
        "may_bulk": actor.holds(RUN_BULK),
        "next_url": _with(request.GET, cursor=page.after) if page and page.after else "",
    }
    if request.htmx and cursor:
        return render(request, "cases/_rows.html", context)
    chips = _chips(request.GET, form)
    context |= {
        "form": form,
        "view": listing.view,
        "views": _grouped(views, unit, asked, request),
        "chips": chips,
        "narrowed": bool(chips or asked.text or listing.by_expression),
        "asked": asked,
        "order": describe(asked),
        "months_back": asked.months,
        "problem": problem,
        "all_years_url": _with(request.GET, todo="on", cursor=""),
        "chosen_columns": _column_choices(request, asked),
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
    asked = _listing(actor, request.GET, views).asked
    counts = {view.key: count(actor, view.asked) for view in views if view.counted}
    context = {"views": _grouped(views, unit, asked, request, counts), "cap": COUNT_CAP}
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
    in_a_unit = actor.holds(CHANGE_CASE) and any(view.key == USUAL_VIEW for view in views)
    usual = USUAL_VIEW if in_a_unit else WIDE_VIEW
    key = query.get("vista", "" if anything else usual)
    view = next((view for view in views if view.key == key), None)
    if view is None and not anything:
        view = views[0]
    base = replace(view.asked if view else CaseFilter(), **given)
    return Listing(view, base, given, form, understood(actor, typed))


def list_filter(actor: Actor, query: QueryDict) -> CaseFilter:
    """What the list with this address asks, for whoever acts on all of it."""
    unit = selectors.home_unit(actor)
    listing = _listing(actor, query, standing_views(actor, unit.uuid if unit else None))
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
    asked: CaseFilter,
    request: HttpRequest,
    counts: Mapping[str, int | None] | None = None,
) -> list[dict[str, Any]]:
    titles = {
        "mine": _("Mine"),
        "unit": unit.name if unit else "",
        "organisation": _("All my units"),
    }
    return [
        {
            "title": titles[group],
            "icon": {"mine": "bookmark", "unit": "folder", "organisation": "users"}[group],
            "views": [
                {
                    "label": view.label,
                    "url": f"{reverse('cases:list')}?vista={view.key}",
                    "current": view.asked == asked,
                    "count": (counts or {}).get(view.key),
                    "urgent": view.urgent,
                }
                for view in views
                if view.group == group
            ],
        }
        for group in dict.fromkeys(view.group for view in views)
    ]


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


def _columns(request: ActorRequest, asked: CaseFilter) -> list[str]:
    """As the employee chose them; a list by service targets shows these in any case."""
    chosen = request.user.columns.get("cases")
    wanted = {*(USUAL_COLUMNS if chosen is None else chosen)}
    if asked.danger or asked.by == "target":
        wanted.add("target")
    return [key for key in COLUMNS if key in wanted]


def _column_choices(request: ActorRequest, asked: CaseFilter) -> list[dict[str, Any]]:
    shown = _columns(request, asked)
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
