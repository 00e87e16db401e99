"""What conversations tell in the story of the cases that they belong to."""

from collections.abc import Iterable
from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Confidentiality
from cases.timeline import Asked, Entry
from channels_app.models import (
    Author,
    Conversation,
    ConversationCase,
    ConversationEvent,
    Direction,
    EventKind,
    Message,
)
from channels_app.wording import ICONS, sentence
from crm.citizens.models import CitizenRecord
from crm.kit.actor import Actor
from crm.kit.stories import By, Form, Telling, beyond, place

SOURCE = "conversation"
EVENTS = "conversation_event"
TOLD = (EventKind.OPENED, EventKind.ACCEPTED, EventKind.TRANSFERRED, EventKind.ENDED)


def of_case(actor: Actor, case: Case, asked: Asked) -> list[Entry]:
    """Messages, notes and turns of the case's conversations, whoever may read the case."""
    told: list[Entry] = []
    linked = Conversation.objects.unscoped("they belong to a case open to the actor").filter(
        case_links__case=case, organisation=case.organisation_id
    )
    links = ConversationCase.objects.unscoped("of these conversations").filter(case=case)
    if not links.exists():  # most cases: they are spared the queries on what was said
        return []
    groups = asked.groups or frozenset({"messages", "notes", "moves"})
    if groups & {"messages", "notes"}:
        told += _messages(actor, linked, links, asked, groups)
    if "moves" in groups:
        told += _events(actor, linked, links, asked)
    told.sort(key=lambda entry: entry.sort, reverse=asked.newest_first)
    return told[: asked.limit]


def _messages(
    actor: Actor,
    linked: QuerySet[Conversation],
    links: QuerySet[ConversationCase],
    asked: Asked,
    groups: frozenset[str],
) -> list[Entry]:
    rows = said_in(linked)
    if "notes" not in groups:
        rows = rows.exclude(direction=Direction.INTERNAL)
    if "messages" not in groups:
        rows = rows.filter(direction=Direction.INTERNAL)
    rows = beyond(since(rows, links), SOURCE, asked.after, newest_first=asked.newest_first)
    ways = ("-at", "-pk") if asked.newest_first else ("at", "pk")
    found = list(rows.order_by(*ways)[: asked.limit])
    names = protected_names(actor, found)
    return [
        Entry(
            at=message.at,
            sort=place(message.at, SOURCE, message.pk),
            group="notes" if message.direction == Direction.INTERNAL else "messages",
            icon="message-circle",
            author=_shown(message, names),
            sentence=_sentence(message),
            template="channels_app/_entry_message.html",
            subject=message,
            telling=telling_of(message),
        )
        for message in found
    ]


def _events(
    actor: Actor,
    linked: QuerySet[Conversation],
    links: QuerySet[ConversationCase],
    asked: Asked,
) -> list[Entry]:
    rows = happened_in(linked).filter(kind__in=TOLD)
    rows = beyond(since(rows, links), EVENTS, asked.after, newest_first=asked.newest_first)
    ways = ("-at", "-pk") if asked.newest_first else ("at", "pk")
    found = list(rows.order_by(*ways)[: asked.limit])
    names = protected_names(actor, found)
    return [
        Entry(
            at=event.at,
            sort=place(event.at, EVENTS, event.pk),
            group="moves",
            icon=ICONS.get(event.kind, "messages"),
            author=_shown(event, names),
            sentence=sentence(event),
            telling=telling_of_event(event),
        )
        for event in found
    ]


# --- What both the case's and the citizen's story ask ---------------------------------------------


def said_in(conversations: QuerySet[Conversation]) -> QuerySet[Message]:
    """What was said in these conversations, with what a telling needs."""
    rows = Message.objects.unscoped("of conversations that may be told").filter(
        conversation__in=conversations
    )
    return rows.select_related("conversation__account").prefetch_related("attachments")


def happened_in(conversations: QuerySet[Conversation]) -> QuerySet[ConversationEvent]:
    """The turns of these conversations, with what a telling needs."""
    rows = ConversationEvent.objects.unscoped("of conversations that may be told").filter(
        conversation__in=conversations
    )
    return rows.select_related("conversation__account")


def since(rows: Any, links: QuerySet[ConversationCase]) -> Any:
    """The rows with the moment from which they belong to the story: linked, and the person known.

    Pseudonyms are numbered by it, so that what is linked later renames nobody.
    """
    linked = links.filter(conversation=OuterRef("conversation"))
    known = ConversationEvent.objects.unscoped("of these conversations").filter(
        conversation=OuterRef("conversation"), kind=EventKind.IDENTIFIED
    )
    return rows.annotate(
        since=Greatest(
            Subquery(linked.order_by("at").values("at")[:1], output_field=DateTimeField()),
            Coalesce(Subquery(known.order_by("-id").values("at")[:1]), F("at")),
        )
    )


def special(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Those of the conversations that belong to a specially protected case."""
    links = ConversationCase.objects.unscoped("of these conversations").filter(
        conversation=OuterRef("pk"), case__confidentiality=Confidentiality.SPECIAL
    )
    return conversations.filter(Exists(links))


def telling_of(message: Message, *, hidden: bool = False) -> Telling:
    """A message on paper."""
    conversation = message.conversation
    internal, incoming = (
        message.direction == Direction.INTERNAL,
        message.direction == Direction.IN,
    )
    facts = [(_("Channel"), str(conversation.account.get_kind_display()))]
    if message.subject:
        facts.append((_("Subject"), message.subject))
    if not incoming and not internal:
        facts.append((_("Delivery"), str(message.get_state_display())))
    return Telling(
        form=Form.NOTE if internal else Form.MESSAGE,
        by=_BY[Author(message.author_kind)],
        text=message.body,
        incoming=incoming,
        facts=facts,
        files=[(one.name, one.sha256) for one in message.attachments.all()],
        addresses=_addresses(conversation),
        person=conversation.citizen_id if incoming else None,
        since=getattr(message, "since", None),
        special=hidden,
        for_person=not internal,
    )


def telling_of_event(event: ConversationEvent, *, hidden: bool = False) -> Telling:
    """A turn of a conversation on paper."""
    conversation = event.conversation
    theirs = of_the_person(event)
    return Telling(
        by=By.PERSON if theirs else _by(event),
        facts=[(_("Channel"), str(conversation.account.get_kind_display()))],
        addresses=_addresses(conversation),
        person=conversation.citizen_id if theirs else None,
        since=getattr(event, "since", None),
        special=hidden,
        for_person=event.kind != EventKind.TRANSFERRED,
    )


def _by(event: ConversationEvent) -> By:
    return By.EMPLOYEE if event.actor_kind == By.EMPLOYEE else By.MACHINE


_BY = {
    Author.CITIZEN: By.PERSON,
    Author.EMPLOYEE: By.EMPLOYEE,
    Author.MACHINE: By.MACHINE,
    Author.SYSTEM: By.MACHINE,
}


def of_the_person(event: ConversationEvent) -> bool:
    """Whether the citizen did it: what they do by themselves stands under the name that they gave."""
    name = event.conversation.contact_name
    return event.actor_kind == By.MACHINE and bool(name) and event.actor_name == name[:200]


def protected_names(
    actor: Actor, rows: Iterable[Message] | Iterable[ConversationEvent]
) -> dict[int, str]:
    """The initials of those citizens of the rows' conversations whose record is protected here."""
    wanted = {row.conversation.citizen_id for row in rows} - {None}
    if not wanted:
        return {}
    records = CitizenRecord.objects.for_actor(actor).filter(citizen__in=wanted, protected=True)
    return {one.citizen_id: one.shown_name for one in records.select_related("citizen")}


def _shown(row: Message | ConversationEvent, names: dict[int, str]) -> str:
    """Who said or did it; of the protected, initials instead of the name that they gave."""
    if isinstance(row, Message):
        theirs, name = row.author_kind == Author.CITIZEN, author_of(row)
    else:
        theirs, name = of_the_person(row), row.actor_name
    return names.get(row.conversation.citizen_id or 0, name) if theirs else name


def _addresses(conversation: Conversation) -> list[str]:
    found = (conversation.contact_address, conversation.transcript_to)
    return [address for address in found if address]


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
