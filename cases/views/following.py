"""Following a case, who does, and whom a note on it may name."""

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from cases import mentions as named
from cases import selectors, services
from cases.models import Follower
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.views.acts import act
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs

LONGEST = 60


@act(VIEW_CASE)
def follow(request: ActorRequest, case: UUID) -> str:
    """« Seguir »."""
    services.follow_case(request.actor, case)
    return _("You follow this case: what happens in it is among your updates.")


@act(VIEW_CASE)
def unfollow(request: ActorRequest, case: UUID) -> str:
    """« Dejar de seguir »."""
    services.unfollow_case(request.actor, case)
    return _("You do not follow this case any more.")


@require_GET
@needs(VIEW_CASE)
def followers(request: ActorRequest, case: UUID) -> HttpResponse:
    """Who follows it."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "followers")
    rows = Follower.objects.for_actor(request.actor).filter(case=row, ended_at=None)
    found = rows.select_related("user").order_by("user__full_name")
    return render(request, "cases/_followers.html", {"followers": found})


@require_GET
@needs(CHANGE_CASE)
def mentions(request: ActorRequest, case: UUID) -> JsonResponse:
    """Whom ?q= may mean after @ in a note."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "mentions")
    found = named.offers(request.actor, row, request.GET.get("q", "")[:LONGEST])
    options = [
        {"text": one.text, "sub": str(one.sub), "refusal": str(one.refusal)} for one in found
    ]
    return JsonResponse({"options": options})
