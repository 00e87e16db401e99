"""What conversations tell in a citizen's own timeline and on their page."""

from collections.abc import Mapping

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels_app.models import ConversationEvent, EventKind
from channels_app.selectors import of_citizen
from channels_app.wording import ICONS, sentence
from crm.citizens.models import Citizen
from crm.citizens.story import Asked, Moment
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.stories import beyond, place

SOURCE = "conversation"
TOLD: Mapping[str, Text] = {"conversations": _("Conversations")}
_KINDS = (EventKind.OPENED, EventKind.ACCEPTED, EventKind.TRANSFERRED, EventKind.ENDED)


def tell(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """The turns of the citizen's conversations that the actor may read, newest first."""
    rows = ConversationEvent.objects.for_actor(actor).filter(
        conversation__in=of_citizen(actor, citizen), kind__in=_KINDS
    )
    rows = beyond(rows, SOURCE, asked.before, newest_first=True)
    rows = rows.select_related("conversation__account")
    return [
        Moment(
            event.at,
            ICONS.get(event.kind, "messages"),
            sentence(event),
            by=event.actor_name,
            about=event.conversation.account.get_kind_display(),
            url=reverse("channels_app:conversation", args=[event.conversation.uuid]),
            place=place(event.at, SOURCE, event.pk),
        )
        for event in rows.order_by("-at", "-id")[: asked.limit]
    ]


def panel(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """The citizen's conversations that are not closed."""
    rows = of_citizen(actor, citizen).filter(closed_at=None).select_related("account", "queue")
    found = list(rows.order_by("-opened_at")[:5])
    return {"conversations": found} if found else None
