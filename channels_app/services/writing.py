"""What every verb on a conversation does alike: fetch and lock, number what is said, tell who listens.

Locks are taken in one order: conversation, then its work item, then the agent; streams last, by name.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from cases.texts import paragraphs
from channels_app.models import (
    Author,
    Conversation,
    ConversationEvent,
    Delivery,
    Direction,
    EventKind,
    Message,
    State,
)
from channels_app.states import require_move
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid

LONGEST = 4_000  # characters of one chat message

_moment: ContextVar[datetime | None] = ContextVar("moment of what is said", default=None)


@contextmanager
def said_at(moment: datetime) -> Iterator[None]:
    """Within it, verbs write down what happened at an earlier moment: for the demo's history."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def now() -> datetime:
    """When what is being written happens."""
    return _moment.get() or timezone.now()


def fetch(actor: Actor, conversation: UUID) -> Conversation:
    """The conversation, locked until the transaction ends."""
    return (
        Conversation.objects.for_actor(actor)
        .select_related("account", "queue", "organisation", "owner", "citizen")
        .select_for_update(of=("self",), no_key=True)  # no key: its rows may be added meanwhile
        .get_or_refuse(uuid=conversation)
    )


def lock(conversation: Conversation) -> Conversation:
    """The same conversation as it is now, locked: for verbs whose caller was let in otherwise."""
    return (
        Conversation.objects.unscoped("the caller has been let in")
        .select_related("account", "queue", "organisation", "owner", "citizen")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=conversation.pk)
    )


def require_open(conversation: Conversation) -> None:
    """Conflict when nothing more can be said in it."""
    if conversation.ended:
        raise Conflict("conversation_ended", _("This conversation has ended."))


def move(conversation: Conversation, state: str, **changes: Any) -> None:
    """The conversation is in the state, with these columns changed; Conflict when it may not go there."""
    require_move(conversation.state, state)
    ends = state in (State.WRAP_UP, State.CLOSED)
    at = now()
    changes["ended_at"] = (conversation.ended_at or at) if ends else None
    changes["closed_at"] = at if state == State.CLOSED else None
    change(conversation, **changes, state=state, version=conversation.version + 1)


def change(conversation: Conversation, **changes: Any) -> None:
    """These columns of the locked conversation are changed. Its version goes on only with what it is
    (state, owner, person), of which a history is kept: not with each word."""
    for name, value in changes.items():
        setattr(conversation, name, value)
    conversation.save(update_fields=[*changes, "updated_at"])


def text_of(body: str, field: str = "text", longest: int = LONGEST) -> str:
    """What somebody wrote, fit to be kept; Invalid when it says nothing or too much."""
    text = paragraphs(body)
    if not text:
        raise Invalid(errors={field: [_("This field is required.")]})
    if len(text) > longest:
        limit = _("Write at most %(limit)s characters.") % {"limit": longest}
        raise Invalid(errors={field: [limit]})
    return text


def known(conversation: Conversation, key: UUID | None) -> Message | None:
    """The message that this key of the sender's stands for already."""
    return conversation.messages.filter(client_key=key).first() if key else None


def add(
    conversation: Conversation,
    direction: str,
    author_kind: str,
    body: str,
    *,
    state: int = Delivery.DELIVERED,
    **fields: Any,
) -> Message:
    """The words stand in the locked conversation under the next number."""
    at = now()
    conversation.last_number += 1
    columns = {"last_number": conversation.last_number}
    message = Message.objects.create(
        conversation=conversation,
        account_id=conversation.account_id,
        number=conversation.last_number,
        at=at,
        state_at=at,
        direction=direction,
        author_kind=author_kind,
        body=body,
        state=state,
        **fields,
    )
    times: dict[str, datetime] = {}
    if direction != Direction.INTERNAL:
        times["last_message_at"] = at
    if direction == Direction.IN:
        times["last_inbound_at"] = at
    if author_kind == Author.EMPLOYEE and direction == Direction.OUT:
        times["answered_at"] = conversation.answered_at or at
    change(conversation, **columns, **times)
    return message


def note_event(
    actor: Actor, conversation: Conversation, kind: EventKind, **data: Any
) -> ConversationEvent:
    """What became true stands in the conversation, after what has been said so far."""
    return ConversationEvent.objects.create(
        conversation=conversation,
        kind=kind,
        at=now(),
        after_number=conversation.last_number,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:200],
        data=data,
    )


def tell(patch: Mapping[str, Any], streams: Iterable[str]) -> None:
    """Who follows these streams is told after commit. Last in its transaction, and once in it."""
    for stream in sorted(set(streams)):
        realtime.append(stream, patch)


def listeners(conversation: Conversation, *, visitor: bool = True) -> list[str]:
    """The streams of who has a conversation before them: its page, its owner's desk, the visitor."""
    found = [conversation.stream]
    if conversation.owner_id is not None:
        found.append(desk_of(conversation.organisation_id, conversation.owner_id))
    if visitor and conversation.visitor_digest:
        found.append(conversation.visitor_stream)
    return found


def desk_of(organisation_id: int, user_id: int) -> str:
    """The stream of an employee's desk in an organisation."""
    return f"desk:{organisation_id}.{user_id}"
