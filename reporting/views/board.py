"""The board, the definitions of its figures, and the lists of cases behind them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from cases.lists import NEWEST, with_row
from cases.models import Case
from cases.permissions import VIEW_CASE
from cases.presenting import COLUMNS, columns_shown, rows_of
from crm.citizens.search import record_search
from crm.kit.access import ActorRequest, needs
from crm.kit.keyset import Page, read_page
from reporting import live
from reporting.asking import FILTERS, Asked, asked_by
from reporting.board import Board, organisations
from reporting.forms import OWN, ExportForm
from reporting.metrics import UNIT_NAMES, catalogue, explained
from reporting.models import Export
from reporting.narrowing import narrowed
from reporting.permissions import VIEW_REPORT

PAGE = 26
BEHIND_COLUMNS = {
    "state": "h-st",
    "due": "h-clk",
    "assignee": "h-own",
    "unit": "h-mv",
    "opened": "h-mv",
}


@require_safe
@needs(VIEW_REPORT)
def board(request: ActorRequest) -> HttpResponse:
    """The board that the address asks for."""
    asked = asked_by(request.actor, request.GET)
    made = Board(asked)
    context = {
        "board": made,
        "asked": asked,
        "form": asked.form,
        "chips": _chips(asked),
        "query": asked.address(),
        "in_force": [(name, value) for name, values in _kept(asked).items() for value in values],
        "period": _period(asked),
        "organisations": organisations(asked, request.user),
        "hours": range(24),
        "live": live.strip(asked),
        "export_form": ExportForm(),
        "subject": Export.Subject.FIGURES,
    }
    return render(request, "reporting/board.html", context)


@require_safe
@needs(VIEW_REPORT)
def filters(request: ActorRequest) -> HttpResponse:
    """What the menu of filters holds; asked for when it is opened."""
    asked = asked_by(request.actor, request.GET)
    context = {
        "form": asked.form.as_shown(),
        "groups": [
            {
                "name": name,
                "label": asked.form.fields[name].label,
                "choices": asked.form.fields[name].choices,  # type: ignore[attr-defined]
                "chosen": request.GET.getlist(name),
                "depths": {},
            }
            for name in ("unidad", "tipo", "canal")
        ],
    }
    return render(request, "reporting/_board_filters.html", context)


@require_safe
@needs(VIEW_REPORT)
def now(request: ActorRequest) -> HttpResponse:
    """The strip of this moment, asked for again and again."""
    asked = asked_by(request.actor, request.GET)
    return render(
        request,
        "reporting/_live.html",
        {
            "live": live.strip(asked),
            "query": asked.address(),
            "asked": asked,
            "board": Board(asked),
        },
    )


@require_safe
@needs(VIEW_REPORT)
def figures(request: ActorRequest) -> HttpResponse:
    """What each figure means and how it is counted."""
    rows = [
        {"metric": metric, "unit": UNIT_NAMES[metric.unit], "meaning": explained(metric)}
        for metric in catalogue.values()
    ]
    query = asked_by(request.actor, request.GET).address()
    return render(request, "reporting/figures.html", {"rows": rows, "query": query})


@require_safe
@needs(VIEW_REPORT)
def behind(request: ActorRequest) -> HttpResponse:
    """The cases that a figure counts, newest first; by htmx with a cursor, the next of them."""
    actor = request.actor
    asked = asked_by(actor, request.GET)
    asked_for = narrowed(asked, request.GET)
    cursor = request.GET.get("cursor", "")
    page: Page[Case] = Page([])
    if actor.holds(VIEW_CASE):  # figures alone show no case
        page = read_page(with_row(asked_for.cases(), actor), NEWEST, cursor, PAGE)
    record_search(actor, "cases", filters=[*asked_for.given, *_kept(asked)], found=len(page.rows))
    query = "&".join(filter(None, [urlencode(asked_for.given), asked.address()]))
    context: dict[str, Any] = {
        "rows": rows_of(actor, page.rows),
        "columns": columns_shown(BEHIND_COLUMNS),
        "may_bulk": False,
        "next_url": f"{reverse('reporting:behind')}?{query}&{urlencode({'cursor': page.after})}"
        if page.after
        else "",
    }
    if request.htmx and cursor:
        return render(request, "cases/_rows.html", context)
    context |= {
        "behind": asked_for,
        "chips": _chips(asked),
        "period": _period(asked) if asked_for.of_a_period else None,
        "query": asked.address(),
        "heads": [(COLUMNS[key], css) for key, css in BEHIND_COLUMNS.items()],
        "sees": actor.holds(VIEW_CASE),
        "export_form": ExportForm(),
        "subject": Export.Subject.CASES,
        "in_force": [
            *asked_for.given.items(),
            *((name, value) for name, values in _kept(asked).items() for value in values),
        ],
    }
    return render(request, "reporting/behind.html", context)


# --- Inside -------------------------------------------------------------------------------------


def _kept(asked: Asked) -> dict[str, list[str]]:
    query = asked.query
    return {name: query.getlist(name) for name in FILTERS if query.get(name)}


def _period(asked: Asked) -> dict[str, Any]:
    return {"start": asked.scope.start, "end": asked.scope.end, "before": asked.before}


def _chips(asked: Asked) -> list[dict[str, Any]]:
    """The filters in force, each with the board without it."""
    found: list[dict[str, Any]] = []
    for name in ("unidad", "tipo", "canal"):
        words = dict(asked.form.fields[name].choices)  # type: ignore[attr-defined]
        chosen = asked.form.chosen(name)
        for value in chosen:
            rest = [one for one in chosen if one != value]
            found.append(
                {
                    "label": asked.form.fields[name].label,
                    "value": str(words.get(value, value)).strip(),
                    "remove_url": f"{reverse('reporting:board')}?{asked.address(**{name: rest})}",
                }
            )
    if asked.query.get("periodo") and asked.query["periodo"] != OWN:
        words = dict(asked.form.fields["periodo"].choices)  # type: ignore[attr-defined]
        if asked.query["periodo"] in words:
            found.append(
                {
                    "label": asked.form.fields["periodo"].label,
                    "value": words[asked.query["periodo"]],
                    "remove_url": f"{reverse('reporting:board')}?{asked.address(periodo='')}",
                }
            )
    return found
