"""What an employee does with e-mail: takes a thread, answers in it, sorts what was kept apart."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import services as cases
from cases.models import Case
from cases.services import drafts
from cases.services.notes import require_filled
from channels_app import services
from channels_app.email import intake, sending, threads
from channels_app.email.permissions import SORT_MAIL
from channels_app.email.reading import read
from channels_app.email.setup import loop_mark, own_addresses
from channels_app.models import (
    AccountKind,
    Attachment,
    Author,
    Conversation,
    Delivery,
    Direction,
    EventKind,
    InboundMail,
    Message,
    State,
)
from channels_app.permissions import ATTEND, SUPERVISE
from channels_app.services.attending import keep
from channels_app.services.writing import (
    add,
    fetch,
    known,
    listeners,
    move,
    note_event,
    now,
    tell,
    text_of,
)
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound
from crm.kit.policy import decide, require

LONGEST = 50_000
MOST_FILES = 10
SPAM = "spam"
FORGOTTEN = gettext_lazy("Its source is no longer kept.")
_Status = InboundMail.Status


@transaction.atomic
def take(actor: Actor, conversation: UUID) -> Conversation:
    """The thread that waited is the actor's; Conflict when somebody was faster."""
    row = _thread(actor, conversation)
    require(actor, SORT_MAIL, row)
    if row.owner_id != actor.user_id or row.state != State.ACTIVE:
        _take(actor, row)
    return row


@transaction.atomic
def release(actor: Actor, conversation: UUID) -> Conversation:
    """The thread waits again for anybody of its unit. Who supervises may release another's."""
    row = _thread(actor, conversation)
    require(actor, SORT_MAIL, row)
    if row.owner_id != actor.user_id:
        require(actor, SUPERVISE, row)
    before = listeners(row)
    move(row, State.WAITING, owner_id=None, queue=row.queue or intake.queue_of(row.account))
    note_event(actor, row, EventKind.QUEUED)
    record(actor, SORT_MAIL, row, act="released")
    tell({"kind": "released"}, [*before, intake.inbox_of(row.organisation)])
    return row


@transaction.atomic
def answer(
    actor: Actor,
    conversation: UUID,
    body: str,
    *,
    key: UUID | None = None,
    quote: bool = False,
    attachments: Iterable[UUID] = (),
) -> Message:
    """The citizen is answered in the thread; the same `key` again sends nothing more.

    Whoever answers a thread that waits has taken it by that.
    """
    row = _thread(actor, conversation)
    require(actor, ATTEND)
    if said := known(row, key):
        return said
    chosen = _waiting_files(row, attachments)
    text = text_of(body, longest=LONGEST)
    require_filled(text)
    if row.owner_id is None:
        require(actor, SORT_MAIL, row)
        _take(actor, row)
    require(actor, ATTEND, row)
    if row.ended:
        raise Conflict("conversation_ended", _("This conversation has ended."))
    if not row.contact_address:
        raise Invalid(errors={"text": [_("There is no address to answer to.")]})
    columns = sending.addressed(row)
    if quote:
        columns["headers"]["quoted"] = _quotation(row)
    message = add(
        row,
        Direction.OUT,
        Author.EMPLOYEE,
        text,
        state=Delivery.QUEUED,
        author_id=actor.user_id,
        author_name=actor.name[:200],
        client_key=key,
        subject=sending.subject_of(row),
        **columns,
    )
    Attachment.objects.unscoped("of the locked conversation").filter(
        pk__in=[one.pk for one in chosen]
    ).update(message=message)
    sending.owe(message)
    record(actor, ATTEND, row, act="replied", message=message.number)
    _tell_all(row, {"kind": "message", "number": message.number})
    return message


@transaction.atomic
def send_again(actor: Actor, conversation: UUID, number: int) -> Message:
    """What was not delivered, or perhaps not, is on its way again: as a message of its own."""
    row = _thread(actor, conversation)
    require(actor, ATTEND, row)
    old = row.messages.filter(number=number, direction=Direction.OUT).first()
    if old is None:
        raise NotFound
    if old.state not in {Delivery.FAILED, Delivery.UNKNOWN} or old.headers.get("again"):
        raise Conflict("message_not_failed", _("This message does not wait to be sent again."))
    columns = sending.addressed(row)
    columns["headers"]["quoted"] = old.headers.get("quoted", "")
    message = add(
        row,
        Direction.OUT,
        Author.EMPLOYEE,
        old.body,
        state=Delivery.QUEUED,
        author_id=actor.user_id,
        author_name=actor.name[:200],
        subject=old.subject,
        **columns,
    )
    for file in old.attachments.order_by("pk"):
        Attachment.objects.create(
            organisation_id=file.organisation_id,
            conversation=row,
            message=message,
            direction=Direction.OUT,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            scan=file.scan,
        )
    old.headers = {**old.headers, "again": message.number}
    old.save(update_fields=["headers", "updated_at"])
    sending.owe(message)
    record(actor, ATTEND, row, act="replied", message=message.number)
    _tell_all(row, {"kind": "message", "number": message.number})
    return message


def attach(actor: Actor, conversation: UUID, chunks: Iterable[bytes], name: str) -> Attachment:
    """The file is kept, typed and scanned, and waits to be sent with the next answer."""
    with transaction.atomic():
        row = _thread(actor, conversation)
        require(actor, SORT_MAIL, row)
        waiting = row.attachments.filter(message=None, direction=Direction.OUT).count()
        if waiting >= MOST_FILES:
            raise Conflict("too_many_files", _("An answer takes at most ten files."))
    return keep(row, chunks, name, Direction.OUT)


@transaction.atomic
def detach(actor: Actor, conversation: UUID, attachment: UUID) -> None:
    """The file is not sent with the next answer, and swept when nothing else is about it."""
    row = _thread(actor, conversation)
    require(actor, SORT_MAIL, row)
    waiting = row.attachments.filter(message=None, direction=Direction.OUT)
    file: Attachment = waiting.get_or_refuse(uuid=attachment)
    file.delete()
    drafts.keep_waiting(actor, [file.sha256])


@transaction.atomic
def close(actor: Actor, conversation: UUID) -> Conversation:
    """Nothing more is to be done in the thread, until the citizen writes again."""
    row = _thread(actor, conversation)
    if row.owner_id is None and row.state == State.WAITING:
        require(actor, SORT_MAIL, row)
        _take(actor, row)
    return services.close(actor, conversation, None)


@transaction.atomic
def link(actor: Actor, conversation: UUID, reference: str) -> Conversation:
    """The thread belongs to the case of this number, too."""
    row = _thread(actor, conversation)
    if row.owner_id is None and row.state == State.WAITING:
        require(actor, SORT_MAIL, row)
        _take(actor, row)
    services.link_case(actor, conversation, reference)
    return row


# --- What was kept apart --------------------------------------------------------------------------


def accept(actor: Actor, mail: UUID) -> Conversation:
    """A message that was kept apart stands in its thread, or begins one; its sender writes freely again."""
    found = InboundMail.objects.for_actor(actor).get_or_refuse(uuid=mail)
    require(actor, SORT_MAIL, found)
    raw = InboundMail.objects.unscoped("fetched for the actor").get(pk=found.pk).raw
    if raw is None:
        raise Conflict("source_forgotten", FORGOTTEN)
    letter = read(bytes(raw), own=own_addresses(), mark=loop_mark())
    kept = intake.keep(letter)
    with transaction.atomic():
        row = _apart(actor, mail)
        thread = threads.find(row.account, letter)
        row.handled_by_id = actor.user_id
        taken = intake.put(row.account, letter, row, kept, thread)
        _forgive(row)
        record(actor, SORT_MAIL, row, act="accepted")
    assert taken.conversation is not None
    return taken.conversation


@transaction.atomic
def reject(actor: Actor, mail: UUID) -> InboundMail:
    """A message that was kept apart is spam; what its sender writes next is looked at first."""
    row = _apart(actor, mail)
    row.status, row.handled_by_id = _Status.SPAM, actor.user_id
    row.save(update_fields=["status", "handled_by", "updated_at"])
    record(actor, SORT_MAIL, row, act="spam")
    tell({"kind": "sorted"}, [intake.inbox_of(row.organisation)])
    return row


@transaction.atomic
def mark_spam(actor: Actor, conversation: UUID) -> bool:
    """The thread is spam and closed, and so is the case it opened, if nobody has worked on it: True."""
    row = _thread(actor, conversation)
    require(actor, SORT_MAIL, row)
    if row.owner_id is not None and row.owner_id != actor.user_id:
        require(actor, SUPERVISE, row)
    letters = InboundMail.objects.unscoped("of the locked thread").filter(message__conversation=row)
    for letter in letters.defer("raw"):
        letter.status, letter.handled_by_id = _Status.SPAM, actor.user_id
        letter.save(update_fields=["status", "handled_by", "updated_at"])
    if row.state != State.CLOSED:
        move(row, State.CLOSED, ended_by=Conversation.EndedBy.EMPLOYEE)
        note_event(actor, row, EventKind.CLOSED, code=SPAM)
    record(actor, SORT_MAIL, row, act="spam")
    closed = [_close_unworked(actor, case.uuid) for case in row.cases.filter(closed_at=None)]
    _tell_all(row, {"kind": "closed"})
    return all(closed)


# --- Inside ---------------------------------------------------------------------------------------


def _thread(actor: Actor, conversation: UUID) -> Conversation:
    """The e-mail conversation, locked; another kind of conversation is none here."""
    row = fetch(actor, conversation)
    if row.account.kind != AccountKind.EMAIL:
        raise NotFound
    return row


def _take(actor: Actor, row: Conversation) -> None:
    if row.state != State.WAITING:
        raise Conflict("taken_already", _("Somebody else has just got this conversation."))
    move(
        row,
        State.ACTIVE,
        owner_id=actor.user_id,
        accepted_at=row.accepted_at or now(),
        read_number=row.last_number,
    )
    note_event(actor, row, EventKind.ACCEPTED, to=actor.name)
    record(actor, SORT_MAIL, row, act="accepted")
    _tell_all(row, {"kind": "accepted", "by": actor.name})


def _tell_all(row: Conversation, patch: dict[str, object]) -> None:
    """Its page, its owner's desk, the mail list and the pages of its cases."""
    streams = [*listeners(row), intake.inbox_of(row.organisation)]
    tell(patch, [*streams, *(f"case:{case.uuid}" for case in row.cases.all())])


def _apart(actor: Actor, mail: UUID) -> InboundMail:
    row = (
        InboundMail.objects.for_actor(actor)
        .select_related("organisation", "account__organisation", "account__unit", "account__queue")
        .select_for_update(of=("self",), no_key=True)
        .get_or_refuse(uuid=mail)
    )
    require(actor, SORT_MAIL, row)
    if row.message_id is not None or row.status == _Status.DUPLICATE:
        raise Conflict("mail_sorted", _("This message has been sorted already."))
    return row


def _forgive(mail: InboundMail) -> None:
    """No older message makes the sender suspect any more."""
    rows = InboundMail.objects.unscoped("of one account").filter(
        account=mail.account, sender=mail.sender, status=_Status.SPAM
    )
    rows.filter(message=None).update(status=_Status.QUARANTINE)
    rows.filter(message__isnull=False).update(status=_Status.TAKEN)


def _close_unworked(actor: Actor, case: UUID) -> bool:
    row = Case.objects.for_actor(actor).filter(uuid=case).first()
    if row is None or row.assignee_id is not None:
        return False
    try:
        with transaction.atomic():
            cases.close_case(actor, case, outcome=str(_("Spam")), reason=str(_("Spam")))
    except DomainError:  # its type asks for more, or the actor may not: a person closes it
        return False
    return True


def _waiting_files(row: Conversation, attachments: Iterable[UUID]) -> Sequence[Attachment]:
    wanted = set(attachments)
    found = list(row.attachments.filter(uuid__in=wanted, message=None, direction=Direction.OUT))
    if len(found) != len(wanted):
        raise NotFound(_("The file is no longer kept."))
    return found


def _quotation(row: Conversation) -> str:
    """What the citizen said last, as mail programs quote."""
    last = row.messages.filter(direction=Direction.IN).order_by("-number").first()
    if last is None:
        return ""
    lines = "\n".join(f"> {line}".rstrip() for line in last.body[:LONGEST].split("\n"))
    return f"{last.author_name}:\n{lines}"


def may_answer(actor: Actor, row: Conversation) -> str:
    """Why the actor may not write in the thread; empty when they may."""
    if row.ended:
        return str(_("This conversation has ended."))
    decision = decide(actor, SORT_MAIL if row.owner_id is None else ATTEND, row)
    return "" if decision else str(decision.reason)
