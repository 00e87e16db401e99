"""What an employee does with a conversation: answer, note, transfer, identify, link, end and close it."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import services as cases
from cases.models import Case
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import NewCase
from cases.services.notes import require_filled
from cases.texts import one_line
from channels_app import selectors
from channels_app.models import (
    Attachment,
    Author,
    Conversation,
    ConversationCase,
    Delivery,
    Direction,
    EventKind,
    Message,
    Queue,
    State,
    WrapUpCode,
)
from channels_app.permissions import ATTEND, VIEW_CONVERSATION
from channels_app.ports import carriers
from channels_app.services import routing
from channels_app.services.writing import (
    add,
    change,
    fetch,
    known,
    listeners,
    move,
    note_event,
    now,
    require_open,
    tell,
    text_of,
)
from crm.audit.record import record
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_CITIZEN
from crm.kit import files, realtime
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.policy import decide, require


def open_conversation(actor: Actor, conversation: UUID) -> Conversation:
    """The conversation is open before the actor, and an entry says so; for its owner it counts as read."""
    row = selectors.conversation(actor, conversation)
    record(actor.about(row.citizen_id), "viewed", row)
    return row


@transaction.atomic
def mark_read(actor: Actor, conversation: UUID) -> None:
    """The owner has what the citizen said before them, and the citizen may know."""
    row = fetch(actor, conversation)
    if row.owner_id != actor.user_id or row.read_number >= row.last_number:
        return
    row.messages.filter(
        direction=Direction.IN, number__gt=row.read_number, state__lt=Delivery.READ
    ).update(state=Delivery.READ, state_at=now())
    change(row, read_number=row.last_number)
    tell({"kind": "read"}, listeners(row))


@transaction.atomic
def reply(
    actor: Actor,
    conversation: UUID,
    body: str,
    *,
    key: UUID | None = None,
    attachments: Iterable[UUID] = (),
) -> Message:
    """The citizen is told this; the same `key` again tells it once. Only the owner answers."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    if said := known(row, key):
        return said
    require_open(row)
    chosen = _uploads(row, attachments)
    text = text_of(body) if body.strip() or not chosen else ""
    require_filled(text)
    carrier = carriers[row.account.kind]
    message = add(
        row,
        Direction.OUT,
        Author.EMPLOYEE,
        text,
        state=Delivery.QUEUED,
        author_id=actor.user_id,
        author_name=actor.name[:200],
        client_key=key,
    )
    begins = carrier.begins_as(message)
    if begins != Delivery.QUEUED:
        message.state = begins
        message.save(update_fields=["state", "updated_at"])
    Attachment.objects.for_actor(actor).filter(pk__in=[one.pk for one in chosen]).update(
        message=message
    )
    carrier.owe(message)
    record(actor.about(row.citizen_id), ATTEND, row, act="replied", message=message.number)
    tell({"kind": "message", "number": message.number}, listeners(row))
    return message


@transaction.atomic
def add_note(actor: Actor, conversation: UUID, body: str, *, key: UUID | None = None) -> Message:
    """Colleagues read this in the conversation; the citizen never does."""
    require(actor, ATTEND)  # beside the owner who helps them; reading alone writes nothing
    row = fetch(actor, conversation)
    require(actor, VIEW_CONVERSATION, row)
    if said := known(row, key):
        return said
    message = add(
        row,
        Direction.INTERNAL,
        Author.EMPLOYEE,
        text_of(body),
        author_id=actor.user_id,
        author_name=actor.name[:200],
        client_key=key,
    )
    record(actor.about(row.citizen_id), VIEW_CONVERSATION, row, act="noted", message=message.number)
    tell({"kind": "note", "number": message.number}, listeners(row, visitor=False))
    return message


def attach(actor: Actor, conversation: UUID, chunks: Iterable[bytes], name: str) -> Attachment:
    """The file is kept, typed and scanned, and waits to be sent with an answer."""
    with transaction.atomic():
        row = fetch(actor, conversation)
        require(actor, ATTEND, row)
        require_open(row)
    return keep(row, chunks, name, Direction.OUT)


def keep(
    conversation: Conversation, chunks: Iterable[bytes], name: str, direction: str
) -> Attachment:
    """The file is kept beside a conversation whose caller was let in; FileRefused says what is wrong."""
    stored = files.store(chunks, name)
    return Attachment.objects.create(
        organisation_id=conversation.organisation_id,
        conversation=conversation,
        direction=direction,
        name=stored.name[:200],
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        scan=stored.scan,
    )


def open_attachment(actor: Actor, conversation: UUID, attachment: UUID) -> Attachment:
    """The file, about to be handed out: an entry says to whom."""
    found = (
        Attachment.objects.for_actor(actor)
        .select_related("conversation")
        .get_or_refuse(conversation__uuid=conversation, uuid=attachment)
    )
    record(actor, "downloaded", found, conversation=str(conversation))
    return found


@transaction.atomic
def transfer(actor: Actor, conversation: UUID, queue: UUID, note: str) -> Conversation:
    """The conversation waits in another queue, whole and as old as it is; the note says why."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    require_open(row)
    target = (
        Queue.objects.for_actor(actor)
        .select_related("unit")
        .filter(is_active=True, uuid=queue)
        .first()
    )
    if target is None:
        raise Invalid(errors={"queue": [_("Choose one of the offered values.")]})
    said = text_of(note, "note")
    before = listeners(row)
    move_to_queue(actor, row, target, said)
    record(actor, ATTEND, row, act="transferred", queue=target.code)
    tell({"kind": "transferred", realtime.JUDGE: True}, before)
    return row


def move_to_queue(actor: Actor, row: Conversation, target: Queue, said: str) -> None:
    """The locked conversation waits in the queue, as old as it is, with the note; whoever attended it is
    not offered it again."""
    item = routing.open_item(row)
    since, giver = (item.enqueued_at, item.agent) if item else (None, None)
    if item is not None:
        routing.finish(item)
    add_words_inside(actor, row, said)
    if row.state == State.WAITING:
        change(row, queue=target, unit_id=target.unit_id, version=row.version + 1)
    else:
        move(row, State.WAITING, owner_id=None, queue=target, unit_id=target.unit_id)
    routing.enqueue(row, target, since=since, not_to=giver)
    note_event(actor, row, EventKind.TRANSFERRED, to=target.code, names=target.names)


def add_words_inside(actor: Actor, row: Conversation, said: str) -> None:
    """Words for colleagues stand in the locked conversation."""
    add(
        row,
        Direction.INTERNAL,
        Author.EMPLOYEE,
        said,
        author_id=actor.user_id,
        author_name=actor.name[:200],
    )


# --- Who it is, and what it belongs to -----------------------------------------------------------


@transaction.atomic
def identify(actor: Actor, conversation: UUID, citizen: UUID) -> Conversation:
    """The actor is sure who writes: the conversation is that citizen's. Nobody else ever decides it."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    person = Citizen.objects.for_actor(actor).known_by(citizen).get_or_refuse()
    kept = CitizenRecord.objects.for_actor(actor).filter(citizen=person).first()
    if kept is not None:
        require(actor, VIEW_CITIZEN, kept)  # who may not open a record cannot have checked it
    if row.citizen_id == person.pk:
        return row
    change(row, citizen=person, version=row.version + 1)
    for case in row.cases.filter(citizen=None, closed_at=None, opened_at__gte=row.opened_at):
        if decide(actor, CHANGE_CASE, case):  # opened from what they said, before it was known who
            cases.edit_case(actor, case.uuid, {"citizen": person.uuid})
    note_event(actor, row, EventKind.IDENTIFIED, citizen=str(person.uuid))
    record(actor, ATTEND, row, act="identified", citizen=str(person.uuid))
    tell({"kind": "identified"}, listeners(row, visitor=False))
    return row


@transaction.atomic
def link_case(actor: Actor, conversation: UUID, reference: str) -> Case:
    """The conversation belongs to the case of this number, too, and stands in its story."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    case = Case.objects.for_actor(actor).filter(reference__iexact=one_line(reference)).first()
    if case is None:
        raise Invalid(errors={"reference": [_("There is no such case that you may see.")]})
    require(actor, VIEW_CASE, case)
    link_to(actor, row, case)
    return case


@transaction.atomic
def open_case(
    actor: Actor, conversation: UUID, *, case_type: str, subject: str, description: str = ""
) -> Case:
    """A case is opened from the conversation, of its citizen and by its channel, and linked to it."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    case = cases.open_case(
        actor,
        NewCase(
            case_type=case_type,
            subject=subject,
            description=description,
            citizen=row.citizen.uuid if row.citizen else None,
            channel=row.account.channel,
            language=row.language,
        ),
    )
    link_to(actor, row, case)
    return case


def link_to(actor: Actor, conversation: Conversation, case: Case, permission: str = ATTEND) -> None:
    """The locked conversation belongs to the case; the actor may, by this permission."""
    _link_row, made = ConversationCase.objects.unscoped("of the fetched two").get_or_create(
        conversation=conversation,
        case=case,
        defaults={
            "linked_by_id": actor.user_id,
            "linked_by_name": actor.name[:200],
            "at": now(),
        },
    )
    if not made:
        return
    note_event(actor, conversation, EventKind.CASE_LINKED, case=case.reference)
    record(actor, permission, conversation, act="case_linked", case=case.reference)
    tell({"kind": "case"}, [*listeners(conversation, visitor=False), f"case:{case.uuid}"])


# --- Its end -------------------------------------------------------------------------------------


@transaction.atomic
def end(actor: Actor, conversation: UUID) -> Conversation:
    """Nothing more is said; the employee still notes how it ended."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    require_open(row)
    end_locked(actor, row, Conversation.EndedBy.EMPLOYEE)
    return row


def end_locked(actor: Actor, row: Conversation, ended_by: str) -> None:
    """The locked conversation has ended: to wrap up if somebody attended it, else closed."""
    streams = listeners(row)
    attended = row.state == State.ACTIVE
    routing.wrap(row)
    move(row, State.WRAP_UP if attended else State.CLOSED, ended_by=ended_by)
    note_event(actor, row, EventKind.ENDED, by=ended_by)
    tell({"kind": "ended", "by": ended_by}, streams)


@transaction.atomic
def close(actor: Actor, conversation: UUID, code: UUID | None, note: str = "") -> Conversation:
    """The conversation is closed with its queue's word for how it ended, and the employee has room."""
    row = fetch(actor, conversation)
    require(actor, ATTEND, row)
    if row.state == State.CLOSED:
        raise Conflict("conversation_ended", _("This conversation has ended."))
    chosen = _wrap_up(row, code)
    streams = listeners(row)
    if note.strip():
        add(
            row,
            Direction.INTERNAL,
            Author.EMPLOYEE,
            text_of(note, "note"),
            author_id=actor.user_id,
            author_name=actor.name[:200],
        )
    item = routing.open_item(row)
    if item is not None:
        routing.finish(item)
    by = row.ended_by or Conversation.EndedBy.EMPLOYEE
    move(row, State.CLOSED, ended_by=by, wrap_up_code=chosen)
    note_event(actor, row, EventKind.CLOSED, code=chosen.code if chosen else "")
    record(actor, ATTEND, row, act="closed", code=chosen.code if chosen else "")
    tell({"kind": "closed", "by": by}, streams)
    return row


def _wrap_up(row: Conversation, code: UUID | None) -> WrapUpCode | None:
    """The chosen code; Invalid when the queue has codes and none of them was chosen."""
    offered = WrapUpCode.objects.unscoped("of the conversation's queue").filter(
        queue=row.queue_id, is_active=True
    )
    chosen = offered.filter(uuid=code).first() if code else None
    if chosen is None and offered.exists():
        raise Invalid(errors={"code": [_("Say how it ended.")]})
    return chosen


def _uploads(row: Conversation, attachments: Iterable[UUID]) -> list[Attachment]:
    wanted = list(attachments)
    if not wanted:
        return []
    found = list(row.attachments.filter(uuid__in=wanted, message=None, direction=Direction.OUT))
    if len(found) != len(set(wanted)):
        raise NotFound(_("The file is no longer kept."))
    return found
