"""What a supervisor does with conversations of others: give them to another queue or another person."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from channels_app.models import AgentSlot, Conversation, EventKind, Queue, State
from channels_app.permissions import ATTEND, SUPERVISE
from channels_app.services import routing
from channels_app.services.attending import add_words_inside, move_to_queue
from channels_app.services.writing import (
    change,
    fetch,
    listeners,
    move,
    note_event,
    now,
    tell,
    text_of,
)
from crm.accounts.selectors import holders
from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require


@transaction.atomic
def reassign(
    actor: Actor,
    conversation: UUID,
    *,
    queue: UUID | None = None,
    agent: UUID | None = None,
    note: str,
) -> Conversation:
    """The conversation, attended or not, waits in another queue or is another employee's from now on;
    the note says why. It keeps its age."""
    row = fetch(actor, conversation)
    require(actor, SUPERVISE, row)
    if row.state not in (State.WAITING, State.ACTIVE):
        raise Conflict("conversation_ended", _("Nobody waits or is attended in it."))
    said = text_of(note, "note")
    before = listeners(row)
    if queue is not None:
        target = Queue.objects.for_actor(actor).filter(is_active=True, uuid=queue).first()
        if target is None or (target.pk == row.queue_id and row.state == State.WAITING):
            raise _not_offered()
        move_to_queue(actor, row, target, said)
        record(actor, SUPERVISE, row, act="reassigned", queue=target.code)
    else:
        chosen = _at_the_desk(actor, row, agent)
        _give(actor, row, chosen, said)
        record(actor, SUPERVISE, row, act="reassigned", given=chosen.user.full_name)
    tell({"kind": "transferred", realtime.JUDGE: True}, [*before, *listeners(row)])
    return row


def _give(actor: Actor, row: Conversation, chosen: AgentSlot, said: str) -> None:
    item = routing.open_item(row)
    if item is None:
        raise Conflict("conversation_ended", _("Nobody waits or is attended in it."))
    routing.give(item, chosen)
    add_words_inside(actor, row, said)
    if row.state == State.WAITING:
        at = row.accepted_at or now()
        move(row, State.ACTIVE, owner_id=chosen.user_id, accepted_at=at)
    else:
        change(row, owner_id=chosen.user_id, version=row.version + 1)
    note_event(actor, row, EventKind.TRANSFERRED, to=chosen.user.full_name)


def _at_the_desk(actor: Actor, row: Conversation, agent: UUID | None) -> AgentSlot:
    """The chosen employee, who still attends conversations in this organisation."""
    slots = AgentSlot.objects.for_actor(actor).select_related("user")
    if agent is None:
        raise _not_offered()
    found = slots.filter(uuid=agent, user__in=holders(actor.organisation_id, ATTEND)).first()
    if found is None or found.user_id == row.owner_id:
        raise _not_offered()
    return found


def _not_offered() -> Invalid:
    return Invalid(errors={"to": [_("Choose one of the offered values.")]})
