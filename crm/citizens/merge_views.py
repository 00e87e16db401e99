"""The pages by which records of one person are found, compared, made one and parted again."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.citizens import reasons, selectors
from crm.citizens.merge_forms import MergeForm, UndoForm
from crm.citizens.models import CitizenRecord, Merge
from crm.citizens.permissions import MERGE_CITIZENS
from crm.citizens.search import search
from crm.citizens.services import duplicates, merging, records
from crm.citizens.services.merging import Pair
from crm.citizens.services.records import ReasonNeeded
from crm.citizens.views import ask_reason
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict
from crm.kit.keyset import read_page

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_GET
@needs(MERGE_CITIZENS)
def choose(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Whom to merge with an opened person: likely ones, and a search for any other."""
    reason = reasons.stated(request, citizen)
    try:
        found = records.open_citizen(request.actor, citizen, purpose=_purpose(), reason=reason)
    except ReasonNeeded as needed:
        return ask_reason(request, needed.record)
    text = request.GET.get("q", "")
    hits = search(request.actor, text).hits if text.strip() else ()
    context = {
        "citizen": found.citizen,
        "record": found.record,
        "q": text,
        "hits": [hit for hit in hits if hit.uuid != found.citizen.uuid and not hit.shared_by],
        "likely": duplicates.of_citizen(request.actor, found.citizen),
    }
    return render(request, "citizens/merge_choose.html", context)


def _purpose() -> str:
    return _("Comparing two records of one person")


@require_http_methods(GET_OR_POST)
@needs(MERGE_CITIZENS)
def compare(request: ActorRequest, citizen: UUID, other: UUID) -> HttpResponse:
    """The two records side by side, what each keeps, and what the one that stays takes from the other."""
    actor = request.actor
    pair = merging.pair_of(actor, other, citizen)
    if request.method != "POST":
        for record in (pair.survivor, pair.merged):
            uuid = record.citizen.uuid
            try:
                records.open_citizen(
                    actor, uuid, purpose=_purpose(), reason=reasons.stated(request, uuid)
                )
            except ReasonNeeded as needed:
                return ask_reason(request, needed.record)
    doubts = pair.doubts(actor)
    form = MergeForm(pair, doubts, request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = form.saved(
            lambda: merging.merge_citizens(
                actor,
                other,
                citizen,
                reason=form.cleaned_data["reason"],
                taken=form.taken,
                despite=form.cleaned_data.get("despite", False),
            )
        )
        if status == HTTPStatus.OK:
            messages.success(request, _("The two records are one. The old number leads here."))
            return redirect("citizens:detail", citizen)
    context = {
        "pair": pair,
        "form": form,
        "doubts": doubts,
        "final": any(doubt.final for doubt in doubts),
        "sides": [_side(request, pair.survivor), _side(request, pair.merged)],
        "counts": _counts(request, pair),
    }
    return render(request, "citizens/merge.html", context, status=status)


def _side(request: ActorRequest, record: CitizenRecord) -> dict[str, Any]:
    citizen = record.citizen
    points = selectors.contact_points(request.actor, citizen)
    return {
        "record": record,
        "numbers": selectors.masked_numbers(citizen),
        "points": points,
    }


def _counts(request: ActorRequest, pair: Pair) -> list[tuple[str, int, int]]:
    """Kinds of rows with how many each of the two has."""
    stays = {str(c.label): c.rows for c in merging.counts(request.actor, pair.survivor.citizen)}
    moves = {str(c.label): c.rows for c in merging.counts(request.actor, pair.merged.citizen)}
    return [
        (label, stays.get(label, 0), moves.get(label, 0))
        for label in dict.fromkeys([*stays, *moves])
    ]


@require_http_methods(GET_OR_POST)
@needs(MERGE_CITIZENS)
def undo(request: ActorRequest, merge: UUID) -> HttpResponse:
    """What would go where if a merge were taken back, and taking it back."""
    actor = request.actor
    found = merging.merge_to_undo(actor, merge)
    form = UndoForm(request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = form.saved(
            lambda: merging.undo_merge(
                actor,
                merge,
                reason=form.cleaned_data["reason"],
                different=form.cleaned_data["different"],
            )
        )
        if status == HTTPStatus.OK:
            messages.success(request, _("The records are two again."))
            return redirect("citizens:detail", found.survivor.uuid)
    else:
        uuid = found.survivor.uuid
        reason = reasons.stated(request, uuid)
        try:
            records.open_citizen(actor, uuid, purpose=_("Taking a merge back"), reason=reason)
        except ReasonNeeded as needed:
            return ask_reason(request, needed.record)
    context = {
        "form": form,
        "merge": _shown(request, found),
        "record": CitizenRecord.objects.for_actor(actor).get(citizen=found.survivor),
        "preview": merging.preview_undo(actor, merge),
    }
    return render(request, "citizens/unmerge.html", context, status=status)


def _shown(request: ActorRequest, merge: Merge) -> Merge:
    """As the actor's organisation may know it: of another's only that it was."""
    if merge.organisation_id != request.actor.organisation_id:
        merge.by_name, merge.reason = _("Another organisation"), ""
    return merge


@require_GET
@needs(MERGE_CITIZENS)
def proposals(request: ActorRequest) -> HttpResponse:
    """Who may be on record twice, the likeliest first."""
    actor = request.actor
    page = read_page(
        duplicates.open_pairs(actor),
        duplicates.LIKELIEST,
        request.GET.get("cursor", ""),
        size=duplicates.PAGE,
    )
    context = {
        "pairs": duplicates.shown(actor, page.rows),
        "after": f"{reverse('citizens:duplicates')}?cursor={page.after}" if page.after else "",
        "scan": duplicates.last_scan(actor),
    }
    template = "citizens/_duplicate_rows.html" if request.htmx else "citizens/duplicates.html"
    return render(request, template, context)


@require_POST
@needs(MERGE_CITIZENS)
def different(request: ActorRequest, pair: UUID) -> HttpResponse:
    """Two who were proposed are not the same person."""
    duplicates.say_different(request.actor, pair)
    messages.success(request, _("They will not be proposed again."))
    return redirect("citizens:duplicates")


@require_POST
@needs(MERGE_CITIZENS)
def look(request: ActorRequest) -> HttpResponse:
    """Have all records looked through in the background."""
    try:
        duplicates.start_scan(request.actor)
    except Conflict as error:
        messages.warning(request, str(error.message))
    else:
        messages.success(request, _("The records are being looked through in the background."))
    return redirect("citizens:duplicates")
