"""The employee's day: what is true now, what cannot wait, what nobody has."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cases import handover, selectors, tasklists
from cases.drafts import own_drafts
from cases.lists import View, standing_views
from cases.permissions import ASSIGN_CASE, OPEN_CASE, VIEW_CASE
from cases.presenting import rows_of
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor

PRESSING, REST, UNFINISHED = 6, 8, 4
MORNING_UNTIL, AFTERNOON_UNTIL = 14, 21


@needs(None)
def home(request: ActorRequest) -> HttpResponse:
    """« Mi día »; for whoever sees no cases, where else they may go."""
    actor = request.actor
    hour = timezone.localtime().hour
    part_of_day = (
        "morning" if hour < MORNING_UNTIL else "afternoon" if hour < AFTERNOON_UNTIL else "night"
    )
    if not actor.holds(VIEW_CASE):
        return render(request, "cases/home_without.html", {"part_of_day": part_of_day})
    day = selectors.day_of(actor)
    return render(
        request,
        "cases/home.html",
        {
            "day": day,
            "next": rows_of(actor, day.pressing[:1]),
            "pressing": rows_of(actor, day.pressing[1 : 1 + PRESSING]),
            "rest": rows_of(actor, day.rest[:REST]),
            "free": rows_of(actor, day.free),
            "danger": rows_of(actor, day.danger),
            "may_assign": actor.holds(ASSIGN_CASE),
            "lists": _of_all_units(actor) if actor.holds(ASSIGN_CASE) else [],
            "handed": handover.waiting_for(actor),
            "mine_count": len(day.pressing) + len(day.rest),
            "may_open": actor.holds(OPEN_CASE),
            "part_of_day": part_of_day,
            "tasks": tasklists.counts(actor),
            "drafts": list(own_drafts(actor).order_by("-updated_at")[:UNFINISHED]),
        },
    )


def _of_all_units(actor: Actor) -> list[View]:
    """The lists of whoever gives out the cases of units; how many each holds is said there."""
    return [view for view in standing_views(actor, None) if view.group == "organisation"]
