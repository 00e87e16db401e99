"""The box in which a list is asked by an expression: what may follow, what is wrong, how it is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET

from cases.permissions import VIEW_CASE
from cases.query import completions
from cases.query.fields import FIELDS
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Text
from crm.kit.query import LONGEST, Problem

EXAMPLES: Sequence[tuple[Text, Text]] = (
    (
        pgettext_lazy("query", "type:pension state:open due<7d"),
        gettext_lazy("All three must hold; due in less than seven days"),
    ),
    (
        pgettext_lazy("query", "unit:NORTH/*"),
        gettext_lazy("With all the units under it; without /* that unit alone"),
    ),
    (pgettext_lazy("query", "type:a,b"), gettext_lazy("One value or the other")),
    (pgettext_lazy("query", "-assignee:nobody"), gettext_lazy("The minus says no")),
    (
        pgettext_lazy("query", "(priority:urgent or due<3d)"),
        gettext_lazy("One condition or the other"),
    ),
    (
        pgettext_lazy("query", "opened:2026-01..2026-03 closed>last-week"),
        gettext_lazy("Days, months, years and words for them"),
    ),
    (
        pgettext_lazy("query", "moved-to:resolved by:me last-week"),
        gettext_lazy("What happened, by whom and when"),
    ),
    (pgettext_lazy("query", 'text:"working life"'), gettext_lazy("These words together")),
)


@dataclass(frozen=True)
class Piece:
    """A part of what was typed; a wrong one with the number of its problem."""

    text: str
    number: int = 0


@dataclass(frozen=True)
class Repair:
    """What may be written instead, and the list that is asked so."""

    text: str
    url: str


@dataclass(frozen=True)
class Fault:
    """A problem as the page tells it, under what was typed."""

    number: int
    word: str
    message: Text
    repairs: Sequence[Repair]


def pieces_of(text: str, problems: Sequence[Problem]) -> list[Piece]:
    """What was typed, with what is wrong marked."""
    return list(_pieces(text, problems))


def _pieces(text: str, problems: Sequence[Problem]) -> Iterator[Piece]:
    at = 0
    for number, problem in enumerate(problems, start=1):
        if problem.start < at:  # told below like the others
            continue
        if problem.start > at:
            yield Piece(text[at : problem.start])
        yield Piece(text[problem.start : problem.end] or " ", number)
        at = problem.end
    if at < len(text):
        yield Piece(text[at:])


def faults_of(text: str, problems: Sequence[Problem], query: QueryDict) -> list[Fault]:
    """The problems, each with the lists that its proposals lead to."""
    found = []
    for number, problem in enumerate(problems, start=1):
        repairs = []
        for proposal in problem.proposals:
            changed = query.copy()
            changed["q"] = text[: problem.start] + proposal + text[problem.end :]
            changed.pop("cursor", None)
            repairs.append(Repair(proposal, f"{reverse('cases:list')}?{changed.urlencode()}"))
        word = text[problem.start : problem.end]
        found.append(Fault(number, word, problem.message, repairs))
    return found


@require_GET
@needs(VIEW_CASE)
def offers(request: ActorRequest) -> JsonResponse:
    """What may be written at the place ?at= of ?q=, as the combobox of the box shows it."""
    text = request.GET.get("q", "")[:LONGEST]
    given = request.GET.get("at", "")
    at = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else len(text)
    found = completions(request.actor, text, min(at, len(text)))
    options = [
        {"start": one.start, "end": one.end, "text": one.text, "label": str(one.label)}
        for one in found
    ]
    return JsonResponse({"options": options})


@require_GET
@needs(VIEW_CASE)
def guide(request: ActorRequest) -> HttpResponse:
    """How expressions are written, inside the page."""
    context = {"fields": FIELDS, "examples": EXAMPLES}
    return render(request, "cases/_query_guide.html", context)
