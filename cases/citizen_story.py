"""What the cases tell in a citizen's own timeline."""

from django.urls import reverse

from cases.lists import keys_of_citizen
from cases.models import Event
from cases.timeline import GROUPS, icon_of, kinds_of, sentences
from crm.citizens.models import Citizen
from crm.citizens.story import Asked, Moment
from crm.kit.actor import Actor
from crm.kit.stories import beyond, place

SOURCE = "case"
TOLD = {key: label for key, label in GROUPS.items() if key != "notes"}  # those stay in their case


def tell(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """What happened in the citizen's cases that the actor may see, newest first."""
    rows = Event.objects.for_actor(actor).filter(
        # looked up first, so that the planner knows them and takes the events' own index
        case__in=list(keys_of_citizen(actor, citizen=citizen)),
        kind__in=kinds_of((asked.groups or TOLD.keys()) & TOLD.keys()),
    )
    rows = beyond(rows, SOURCE, asked.before, newest_first=True)
    rows = rows.select_related("case").only(
        "at", "kind", "actor_name", "data", "case__reference", "case__uuid"
    )
    events = list(rows.order_by("-at", "-id")[: asked.limit])
    return [
        Moment(
            event.at,
            icon_of(event),
            words,
            by=event.actor_name,
            about=event.case.reference,
            url=reverse("cases:detail", args=[event.case.uuid]),
            place=place(event.at, SOURCE, event.pk),
        )
        for event, words in zip(events, sentences(actor, events), strict=True)
    ]
