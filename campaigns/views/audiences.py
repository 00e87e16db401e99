"""Pages of audiences: the list, and the builder with its live count."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns import builder as building
from campaigns import segments
from campaigns.forms import SegmentForm
from campaigns.models import Segment
from campaigns.permissions import DESIGN_CAMPAIGN, VIEW_CAMPAIGN
from campaigns.services import audiences as services
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid

SHOWN = 200


@require_GET
@needs(VIEW_CAMPAIGN)
def index(request: ActorRequest) -> HttpResponse:
    """The organisation's audiences."""
    rows = Segment.objects.for_actor(request.actor).filter(archived_at=None).order_by("name")
    words = segments.Words(request.actor)
    shown = [
        (row, words.tell(row.tree), segments.Size(row.estimated_size).told_to(request.actor))
        for row in rows[:SHOWN]
    ]
    context = {"segments": shown, "may": request.actor.holds(DESIGN_CAMPAIGN)}
    return render(request, "campaigns/segments.html", context)


@require_http_methods(["GET", "POST"])
@needs(DESIGN_CAMPAIGN)
def new(request: ActorRequest) -> HttpResponse:
    """A new audience."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(DESIGN_CAMPAIGN)
def edit(request: ActorRequest, segment: UUID) -> HttpResponse:
    """Change an audience."""
    mine = Segment.objects.for_actor(request.actor).filter(archived_at=None)
    return _edit(request, mine.get_or_refuse(uuid=segment))


def _edit(request: ActorRequest, row: Segment | None) -> HttpResponse:
    actor = request.actor
    tree: dict[str, Any] = row.tree if row else {"all": []}
    form = SegmentForm(request.POST or None, initial={"name": row.name if row else ""})
    status = HTTPStatus.OK
    if request.method == "POST":
        tree = building.read(request.POST)
        if "act" not in request.POST:
            uuid = row.uuid if row else None
            status = form.saved(
                lambda: services.save_segment(actor, form.cleaned_data["name"], tree, uuid)
            )
            if status == HTTPStatus.OK:
                return redirect("campaigns:segments")
        else:
            form = SegmentForm(initial={"name": request.POST.get("name", "")})
    context = {"form": form, "segment": row, **_built(request, tree)}
    return render(request, "campaigns/segment.html", context, status=status)


@require_POST
@needs(DESIGN_CAMPAIGN)
def builder(request: ActorRequest) -> HttpResponse:
    """The conditions after a button or a change, and how many people they describe now."""
    context = _built(request, building.read(request.POST))
    return render(request, "campaigns/_builder.html", context)


@require_POST
@needs(DESIGN_CAMPAIGN)
def archive(request: ActorRequest, segment: UUID) -> HttpResponse:
    """Take an audience away."""
    services.archive_segment(request.actor, segment)
    return redirect("campaigns:segments")


def _built(request: ActorRequest, tree: dict[str, Any]) -> dict[str, Any]:
    """The tree as shown, and its size, or why it has none yet."""
    actor = request.actor
    context: dict[str, Any] = {"node": building.shown(segments.Words(actor), tree)}
    try:
        kept = segments.checked(actor, tree)
    except Invalid as error:
        return {**context, "problem": error.message}
    return {**context, "size": segments.size(actor.organisation_id, kept).told_to(actor)}
