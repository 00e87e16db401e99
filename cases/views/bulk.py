"""One act on many cases: choose, preview, start, follow, undo, and the file of what was refused."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cases.bulk_forms import BulkForm
from cases.forms import show_errors
from cases.models import BulkAction, Case, Macro
from cases.permissions import RUN_BULK
from cases.query import as_audited, whole_expression
from cases.services.bulk import (
    MOST_CASES,
    cancel_bulk,
    chosen_cases,
    prepare_bulk,
    progress,
    reasons_of,
    refused_rows,
    start_bulk,
    stays,
    undo_bulk,
)
from cases.services.bulk_acts import UNDO
from cases.services.bulk_macro import ALL_ACTS as ACTS
from cases.views.lists import list_filter, listing_of
from cases.workflow import of_version
from crm.accounts.models import User
from crm.audit.record import record
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.csvfile import download
from crm.kit.errors import Invalid
from crm.organisations.models import Unit

LATEST = 20


@require_POST
@needs(RUN_BULK)
def prepare(request: ActorRequest) -> HttpResponse:
    """Choosing what to do; asked for a preview, the action stands ready with it."""
    actor = request.actor
    ticked = _ticked(request.POST)
    asked, told = None, ""
    if request.POST.get("scope") == "filter":
        query = QueryDict(request.POST.get("filter", ""))
        asked, told = list_filter(actor, query), _told(actor, query)
    cases = chosen_cases(actor, ticked, asked)
    form = BulkForm(request.POST.copy(), actor=actor, cases=cases)
    form.data.setdefault("scope", "ticked")  # type: ignore[attr-defined]
    if form.is_valid() and form.act is not None and "ready" in request.POST:
        try:
            action = prepare_bulk(actor, cases, form.bulk(), asked=told)
            return HttpResponseRedirect(reverse("cases:bulk", args=[action.uuid]))
        except Invalid as error:
            show_errors(form, error)
    context = {"form": form, "ticked": ticked, "most": MOST_CASES, "acts": ACTS, "act": form.act}
    return render(request, "cases/bulk_prepare.html", context, status=422 if form.errors else 200)


@require_GET
@needs(RUN_BULK)
def index(request: ActorRequest) -> HttpResponse:
    """The reader's latest bulk actions."""
    rows = BulkAction.objects.for_actor(request.actor).filter(requested_by=request.actor.user_id)
    shown = [{"row": row, "label": _label(row)} for row in rows.order_by("-pk")[:LATEST]]
    return render(request, "cases/bulk_list.html", {"actions": shown})


@require_GET
@needs(RUN_BULK)
def follow(request: ActorRequest, action: UUID) -> HttpResponse:
    """What it would do, how far it is, and at the end what was done and refused."""
    row = _action(request.actor, action)
    ended = row.status in (row.Status.DONE, row.Status.CANCELLED)
    lasting = stays(row)
    undone = row.undoings.exclude(started_at=None).order_by("-pk").first()
    context = {
        "action": row,
        "label": _label(row),
        "details": _details(request.actor, row),
        "progress": progress(row),
        "stream": f"bulk:{row.uuid}",
        "would_do": row.total - row.refused,
        "left": row.total - row.done - row.refused,
        "reasons": reasons_of(row) if row.refused else [],
        "may_undo": bool(row.done and row.action in ACTS and ended and not lasting),
        "stays": lasting,
        "undone": undone,
    }
    return render(request, "cases/bulk.html", context)


@require_POST
@needs(RUN_BULK)
def start(request: ActorRequest, action: UUID) -> HttpResponse:
    """What was looked through is done."""
    row = start_bulk(request.actor, action)
    return HttpResponseRedirect(reverse("cases:bulk", args=[row.uuid]))


@require_POST
@needs(RUN_BULK)
def cancel(request: ActorRequest, action: UUID) -> HttpResponse:
    """No further case is touched."""
    row = cancel_bulk(request.actor, action)
    return HttpResponseRedirect(reverse("cases:bulk", args=[row.uuid]))


@require_POST
@needs(RUN_BULK)
def undo(request: ActorRequest, action: UUID) -> HttpResponse:
    """What was done can be taken back: what of it, the next page says, before anything happens."""
    row = undo_bulk(request.actor, action)
    return HttpResponseRedirect(reverse("cases:bulk", args=[row.uuid]))


@require_GET
@needs(RUN_BULK)
def bulk_progress(request: ActorRequest, action: UUID) -> JsonResponse:
    """The same as the live stream says, for when the link is down."""
    return JsonResponse(progress(_action(request.actor, action)))


@require_GET
@needs(RUN_BULK)
def refusals(request: ActorRequest, action: UUID) -> HttpResponseBase:
    """What is refused and why, as a file that a spreadsheet can open without harm."""
    row = _action(request.actor, action)
    record(request.actor, "exported", row, refused=row.refused)
    found = ((reference, reason) for _number, reference, reason in refused_rows(row))
    return download("rechazos.csv", [_("Case number"), _("Reason")], found)


def _action(actor: Actor, action: UUID) -> BulkAction:
    """An action is its requester's."""
    return (
        BulkAction.objects.for_actor(actor)
        .select_related("undoes")
        .get_or_refuse(uuid=action, requested_by=actor.user_id)
    )


def _label(row: BulkAction) -> str:
    """What the action is, in words."""
    if row.action == UNDO:
        return _("Undo a bulk action")
    return str(ACTS[row.action].label) if row.action in ACTS else row.action


def _details(actor: Actor, row: BulkAction) -> list[tuple[str, str]]:
    """With what the act is done, as it was filled in: to whom it is assigned, the reason, the text."""
    given = {name: value for name, value in row.arguments.items() if value}
    said = {**given}
    if "person" in given:
        said["person"] = User.objects.get(uuid=given["person"]).full_name
    if "unit" in given:
        said["unit"] = Unit.objects.for_actor(actor).get(uuid=given["unit"]).name
    if "priority" in given:
        said["priority"] = str(Case.Priority(int(given["priority"])).label)
    if "macro" in given:
        said["macro"] = Macro.objects.for_actor(actor).get(uuid=given["macro"]).name
    if "move" in given:
        first = row.rows.select_related("case__type_version").first()
        move = of_version(first.case.type_version.bundle).move(given["move"]) if first else None
        said["move"] = move.name if move else given["move"]
    return [
        (str(field.label), said[name])
        for name, field in BulkForm.base_fields.items()
        if name in said
    ]


def _told(actor: Actor, query: QueryDict) -> str:
    """Which list was asked for, as the audit trail and the action's page keep it."""
    listing = listing_of(actor, query)
    parts: tuple[Any, ...] = (listing.base, listing.kept, listing.expression)
    return as_audited(whole_expression(actor, *parts))


def _ticked(posted: QueryDict) -> list[UUID]:
    found = []
    for text in posted.getlist("case"):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
