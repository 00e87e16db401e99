"""What conversations tell in a citizen's own timeline and on their page."""

from collections.abc import Mapping

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Confidentiality
from channels_app import stories
from channels_app.models import Conversation, ConversationEvent
from channels_app.selectors import of_citizen
from channels_app.wording import ICONS, sentence
from crm.citizens.models import Channel, Citizen
from crm.citizens.story import Asked, Moment
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.stories import beyond, place

SOURCE = "conversation"
SAID = "conversation_message"
TOLD: Mapping[str, Text] = {"conversations": _("Conversations")}


def tell(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """The turns of the citizen's conversations that the actor may read, newest first; for a history
    what was said in them, too, but for what belongs to cases that are kept from the actor."""
    theirs = of_citizen(actor, citizen)
    if asked.whole:
        return _whole(actor, theirs)
    rows = stories.happened_in(theirs).filter(kind__in=stories.TOLD)
    rows = beyond(rows, SOURCE, asked.before, newest_first=True)
    return [_turn(event) for event in rows.order_by("-at", "-id")[: asked.limit]]


def _whole(actor: Actor, theirs: QuerySet[Conversation]) -> list[Moment]:
    kept = Case.objects.unscoped("whether one is kept from the actor").filter(
        conversation_links__conversation=OuterRef("pk"), confidentiality=Confidentiality.SPECIAL
    )
    seen = Case.objects.for_actor(actor).filter(pk=OuterRef("pk"))
    theirs = theirs.filter(~Exists(kept.filter(~Exists(seen))))
    hidden = set(stories.special(theirs).values_list("pk", flat=True))
    turns = [
        _turn(event, hidden=event.conversation_id in hidden)
        for event in stories.happened_in(theirs).filter(kind__in=stories.TOLD)
    ]
    said = [
        Moment(
            message.at,
            "message-circle",
            str(message.get_direction_display()),
            by=stories.author_of(message),
            about=message.conversation.account.get_kind_display(),
            place=place(message.at, SAID, message.pk),
            channel=_way(message.conversation),
            open=message.conversation.closed_at is None,
            telling=stories.telling_of(message, hidden=message.conversation_id in hidden),
        )
        for message in stories.said_in(theirs)
    ]
    return [*turns, *said]


def _turn(event: ConversationEvent, *, hidden: bool = False) -> Moment:
    return Moment(
        event.at,
        ICONS.get(event.kind, "messages"),
        sentence(event),
        by=event.actor_name,
        about=event.conversation.account.get_kind_display(),
        url=reverse("channels_app:conversation", args=[event.conversation.uuid]),
        place=place(event.at, SOURCE, event.pk),
        channel=_way(event.conversation),
        open=event.conversation.closed_at is None,
        telling=stories.telling_of_event(event, hidden=hidden),
    )


def _way(conversation: Conversation) -> str:
    """The citizens' word for the kind of account."""
    kind = conversation.account.kind
    return kind if kind in Channel.values else Channel.SOCIAL


def has_open(actor: Actor, citizen: Citizen) -> bool:
    """Whether the person speaks with somebody whose conversations the actor reads."""
    return bool(of_citizen(actor, citizen).filter(closed_at=None).exists())


def panel(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """The citizen's conversations that are not closed."""
    rows = of_citizen(actor, citizen).filter(closed_at=None).select_related("account", "queue")
    found = list(rows.order_by("-opened_at")[:5])
    return {"conversations": found} if found else None
