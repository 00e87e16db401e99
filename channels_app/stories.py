"""What conversations tell in the story of the cases that they belong to."""

from django.db.models import QuerySet

from cases.models import Case, Note
from cases.models import Message as CaseMessage
from cases.timeline import Asked, Entry
from channels_app.models import (
    Author,
    Conversation,
    ConversationEvent,
    Delivery,
    Direction,
    EventKind,
    Message,
)
from channels_app.wording import ICONS, sentence
from crm.kit.actor import Actor
from crm.kit.stories import beyond, place

SOURCE = "conversation"
EVENTS = "conversation_event"
_TOLD = (EventKind.OPENED, EventKind.ACCEPTED, EventKind.TRANSFERRED, EventKind.ENDED)


def of_case(actor: Actor, case: Case, asked: Asked) -> list[Entry]:
    """Messages, notes and turns of the case's conversations, whoever may read the case."""
    told: list[Entry] = []
    linked = Conversation.objects.unscoped("they belong to a case open to the actor").filter(
        case_links__case=case, organisation=case.organisation_id
    )
    groups = asked.groups or frozenset({"messages", "notes", "moves"})
    if groups & {"messages", "notes"}:
        told += _messages(linked, asked, groups)
    if "moves" in groups:
        told += _events(linked, asked)
    told.sort(key=lambda entry: entry.sort, reverse=asked.newest_first)
    return told[: asked.limit]


def _messages(linked: QuerySet[Conversation], asked: Asked, groups: frozenset[str]) -> list[Entry]:
    rows = Message.objects.unscoped("of the case's conversations").filter(conversation__in=linked)
    if "notes" not in groups:
        rows = rows.exclude(direction=Direction.INTERNAL)
    if "messages" not in groups:
        rows = rows.filter(direction=Direction.INTERNAL)
    rows = beyond(rows, SOURCE, asked.after, newest_first=asked.newest_first)
    ways = ("-at", "-pk") if asked.newest_first else ("at", "pk")
    found = rows.select_related("conversation__account").prefetch_related("attachments")
    return [
        Entry(
            at=message.at,
            sort=place(message.at, SOURCE, message.pk),
            group="notes" if message.direction == Direction.INTERNAL else "messages",
            icon="message-circle",
            author=author_of(message),
            sentence=_sentence(message),
            template="channels_app/_entry_message.html",
            subject=message,
        )
        for message in found.order_by(*ways)[: asked.limit]
    ]


def _events(linked: QuerySet[Conversation], asked: Asked) -> list[Entry]:
    rows = ConversationEvent.objects.unscoped("of the case's conversations").filter(
        conversation__in=linked, kind__in=_TOLD
    )
    rows = beyond(rows, EVENTS, asked.after, newest_first=asked.newest_first)
    ways = ("-at", "-pk") if asked.newest_first else ("at", "pk")
    return [
        Entry(
            at=event.at,
            sort=place(event.at, EVENTS, event.pk),
            group="moves",
            icon=ICONS.get(event.kind, "messages"),
            author=event.actor_name,
            sentence=sentence(event),
        )
        for event in rows.order_by(*ways)[: asked.limit]
    ]


def author_of(message: Message) -> str:
    """Who said it, as it is shown."""
    if message.author_name:
        return message.author_name
    if message.author_kind == Author.CITIZEN:
        return message.conversation.contact_name or str(message.get_author_kind_display())
    return str(message.get_author_kind_display())


def _sentence(message: Message) -> str:
    words = [message.body, *(one.name for one in message.attachments.all())]
    return "\n".join(filter(None, words))


_DELIVERY = {
    Delivery.QUEUED: CaseMessage.State.QUEUED,
    Delivery.UNKNOWN: CaseMessage.State.UNKNOWN,
    Delivery.FAILED: CaseMessage.State.FAILED,
}


def as_words_of_case(case: Case) -> tuple[list[CaseMessage], list[Note]]:
    """What was said in the case's conversations as messages and notes of the case, none of them saved:
    so that whoever tells the case's messages tells these in the same way."""
    rows = (
        Message.objects.unscoped("they belong to a case open to the actor")
        .filter(conversation__case_links__case=case)
        .select_related("conversation__account")
        .prefetch_related("attachments")
        .order_by("at", "pk")
    )
    messages, notes = [], []
    for row in rows:
        if row.direction == Direction.INTERNAL:
            notes.append(
                Note(case=case, author_name=author_of(row), body=row.body, created_at=row.at)
            )
            continue
        incoming = row.direction == Direction.IN
        messages.append(
            CaseMessage(
                case=case,
                direction=CaseMessage.Direction.IN if incoming else CaseMessage.Direction.OUT,
                channel=row.conversation.account.channel,
                author_name=author_of(row),
                body=_sentence(row),
                state=CaseMessage.State.RECORDED
                if incoming
                else _DELIVERY.get(Delivery(row.state), CaseMessage.State.SENT),
                created_at=row.at,
            )
        )
    return messages, notes
