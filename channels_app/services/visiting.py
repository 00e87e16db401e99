"""What somebody does at the other end of a web chat: arrive, write, send files, leave.

Visitors are nobody's users: a signed token, given once and kept by their browser, lets them into their
one conversation. Whatever they say of themselves proves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import Signer
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import services as cases
from cases.models import Case
from cases.services import NewCase
from cases.texts import one_line, paragraphs
from channels_app.bots import first_level
from channels_app.hours import Hours, hours_of
from channels_app.models import (
    AccountKind,
    Author,
    ChannelAccount,
    ConsentText,
    ContactReason,
    Conversation,
    ConversationCase,
    Delivery,
    Direction,
    EventKind,
    Message,
    Queue,
    State,
    WorkItem,
)
from channels_app.services import attending, routing
from channels_app.services.writing import (
    add,
    change,
    known,
    listeners,
    lock,
    note_event,
    now,
    require_open,
    tell,
    text_of,
)
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.kit import outbox
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid, Text, Unavailable
from crm.kit.secrets import digest
from crm.kit.tries import count_try

TRANSCRIPT = "channels.send_transcript"
RECEIPT = "channels.send_receipt"
MOST_FILES = 20  # of one conversation
MOST_TRANSCRIPTS = 3
MOST_COPIES_TO = (
    5  # one mailbox in an hour, of whichever conversations: its owner did not ask for them
)
_ALONE = (State.WAITING, State.MACHINE)  # nobody attends the visitor yet
_LANGUAGES = {code for code, _name in settings.LANGUAGES}


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What the form before a conversation says. Sent twice with one `key`, it opens one."""

    key: UUID
    text: str
    consent: int = 0  # the version of the text that was agreed to
    name: str = ""
    address: str = ""
    reason: str = ""  # its code
    language: str = "es"
    page: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whether somebody would be attended now in a queue, and if not, when."""

    queue: Queue
    hours: Hours
    full: bool

    @property
    def attended(self) -> bool:
        """Whether a conversation may begin."""
        return self.hours.open and not self.full


def account_of(public_key: str) -> ChannelAccount:
    """The web chat of that key, in use; else NotFound."""
    return (
        ChannelAccount.objects.unscoped("a widget is for anybody")
        .select_related("organisation", "queue__unit__organisation", "unit")
        .filter(organisation__is_active=True, is_active=True, kind=AccountKind.WEB_CHAT)
        .get_or_refuse(public_key=public_key)
    )


def welcome(account: ChannelAccount, reason: str = "") -> Welcome:
    """How somebody with this reason would be received now."""
    queue = _queue_of(account, reason)[0]
    waiting = WorkItem.objects.unscoped("counted, not shown").filter(
        queue=queue, status__in=[WorkItem.Status.QUEUED, WorkItem.Status.OFFERED]
    )
    full = bool(queue.max_waiting) and waiting.count() >= queue.max_waiting
    return Welcome(queue, hours_of(queue), full)


def start(account: ChannelAccount, arrival: Arrival, origin: Origin) -> tuple[Conversation, str]:
    """The visitor's conversation waits in the queue of their reason, and the token that lets them in.

    Conflict "closed" when nobody attends now: the same form leaves a message instead.
    """
    received = welcome(account, arrival.reason)
    with transaction.atomic():
        row = _arrived(account, arrival)
        if row is None:
            if not received.attended:
                raise Conflict("closed", _("Nobody can attend you now. Leave a message instead."))
            machine = first_level.speaks_on(account)
            begins = State.MACHINE if machine else State.WAITING
            row = _open(account, arrival, begins)
            actor = visitor_actor(row, origin)
            note_event(actor, row, EventKind.OPENED)
            if machine:
                first_level.begin(row, text_of(arrival.text), origin)
            else:
                routing.enqueue(row, received.queue)
            record(actor, "consent_given", row, version=arrival.consent)
            tell({"kind": "opened"}, [row.stream])
    return row, token_of(row)


def leave_message(account: ChannelAccount, arrival: Arrival, origin: Origin) -> Case:
    """What the visitor writes is a case of the queue's unit, and they are told its number by e-mail."""
    queue = _queue_of(account, arrival.reason)[0]
    if queue.case_type is None:
        raise Unavailable("no_form", _("Messages cannot be left here. Come back in office hours."))
    with transaction.atomic():
        row = _arrived(account, arrival)
        if row is not None:
            links = ConversationCase.objects.unscoped("the visitor's own").filter(conversation=row)
            first = links.select_related("case").order_by("pk").first()
            if first is None:  # the key of a chat that has begun
                raise Conflict("already_begun", _("What you wrote has already been received."))
            return first.case
        row = _open(account, arrival, State.CLOSED)
        actor = visitor_actor(row, origin)
        note_event(actor, row, EventKind.OPENED)
        case = cases.open_case(
            actor,
            NewCase(
                case_type=queue.case_type.code,
                unit=queue.unit.uuid,
                subject=row.subject,
                description=paragraphs(arrival.text),
                channel=Channel.WEB_FORM,
                language=row.language,
            ),
        )
        ConversationCase.objects.create(
            conversation=row, case=case, linked_by_name=actor.name[:200], at=now()
        )
        note_event(actor, row, EventKind.CASE_LINKED, case=case.reference)
        record(actor, "consent_given", row, version=arrival.consent)
        outbox.send_later(RECEIPT, {"conversation": str(row.uuid)}, key=str(row.uuid))
    return case


# --- Once inside ----------------------------------------------------------------------------------


def token_of(conversation: Conversation) -> str:
    """What lets the visitor into this conversation and no other."""
    return Signer(salt="channels.visitor").sign(str(conversation.uuid))


def conversation_of(token: str) -> Conversation | None:
    """The conversation that a visitor's token opens, as long as its account is in use."""
    return (
        Conversation.objects.unscoped("the token is the right to it")
        .select_related("account", "organisation", "queue", "owner", "reason")
        .filter(visitor_digest=digest(token), account__is_active=True, organisation__is_active=True)
        .first()
    )


def say(
    conversation: Conversation,
    body: str,
    *,
    key: UUID | None = None,
    origin: Origin = Origin(Door.PUBLIC),  # noqa: B008 - immutable
) -> Message:
    """The visitor has said this; the same `key` again says it once. The first level answers at once."""
    with transaction.atomic():
        row = lock(conversation)
        if said := known(row, key):
            return said
        require_open(row)
        message = add(
            row,
            Direction.IN,
            Author.CITIZEN,
            text_of(body),
            author_name=row.contact_name[:200],
            client_key=key,
        )
        if row.state == State.MACHINE:
            first_level.answer(row, message.body, origin)
        tell({"kind": "message", "number": message.number}, listeners(row))
    return message


def ask_for_person(conversation: Conversation, origin: Origin) -> None:
    """The visitor waits for a person, whatever the first level was about to say."""
    with transaction.atomic():
        row = lock(conversation)
        require_open(row)
        first_level.hand_over(row, origin)
        tell({"kind": "handed_over"}, listeners(row))


def send_file(
    conversation: Conversation, chunks: Iterable[bytes], name: str, *, key: UUID | None = None
) -> Message:
    """The visitor has sent a file, kept, typed and scanned; FileRefused says what is wrong with it."""
    require_open(conversation)
    if said := known(conversation, key):
        return said
    if conversation.attachments.filter(direction=Direction.IN).count() >= MOST_FILES:
        raise Conflict("too_many_files", _("No more files can be sent in this conversation."))
    kept = attending.keep(conversation, chunks, name, Direction.IN)
    with transaction.atomic():
        row = lock(conversation)
        if said := known(row, key):
            return said
        require_open(row)
        message = add(
            row,
            Direction.IN,
            Author.CITIZEN,
            "",
            author_name=row.contact_name[:200],
            client_key=key,
        )
        kept.message = message
        kept.save(update_fields=["message", "updated_at"])
        tell({"kind": "message", "number": message.number}, listeners(row))
    return message


def seen(conversation: Conversation, number: int) -> None:
    """The visitor has read up to this message; who wrote to them may know."""
    with transaction.atomic():
        row = lock(conversation)
        upto = min(number, row.last_number)
        if upto <= row.visitor_read_number:
            return
        unread = row.messages.filter(
            direction=Direction.OUT, number__lte=upto, state__lt=Delivery.READ
        )
        told = unread.update(state=Delivery.READ, state_at=now())
        change(row, visitor_read_number=upto)
        if told:
            tell({"kind": "read"}, listeners(row, visitor=False))


def heard(conversation: Conversation) -> None:
    """The visitor's page is open somewhere."""
    Conversation.objects.unscoped("the visitor's own").filter(pk=conversation.pk).update(
        visitor_seen_at=timezone.now()
    )


def leave(conversation: Conversation, origin: Origin) -> None:
    """The visitor has ended the conversation. Ended already, it stays as it is."""
    with transaction.atomic():
        row = lock(conversation)
        if row.ended:
            return
        attending.end_locked(visitor_actor(row, origin), row, Conversation.EndedBy.CITIZEN)


def send_transcript(conversation: Conversation, address: str) -> None:
    """What was said goes to this mailbox, once."""
    mailbox = _mailbox(address)
    if not mailbox:
        raise Invalid(errors={"address": [_("Write an e-mail address.")]})
    with transaction.atomic():
        row = lock(conversation)
        asked = row.events.filter(kind=EventKind.TRANSCRIPT_ASKED)
        if asked.filter(data__to=digest(mailbox)).exists():
            return
        if asked.count() >= MOST_TRANSCRIPTS:
            raise Conflict(
                "too_many_transcripts", _("The conversation has been sent often enough.")
            )
        count_try(
            "chat_copy_to",
            digest(mailbox.lower()),
            most=MOST_COPIES_TO,
            seconds=3600,
            message=_("The conversation has been sent often enough."),
        )
        actor = visitor_actor(row, Origin(Door.PUBLIC))
        note_event(actor, row, EventKind.TRANSCRIPT_ASKED, to=digest(mailbox))
        change(row, transcript_to=mailbox)
        outbox.send_later(
            TRANSCRIPT,
            {"conversation": str(row.uuid), "to": mailbox},
            key=f"{row.uuid}:{digest(mailbox)[:32]}",
        )


def position(conversation: Conversation) -> int | None:
    """How many are before the visitor, counting from 1 for the next; None when they do not wait."""
    item = (
        WorkItem.objects.unscoped("the visitor's own")
        .filter(conversation=conversation)
        .exclude(status=WorkItem.Status.DONE)
        .first()
    )
    waits = (WorkItem.Status.QUEUED, WorkItem.Status.OFFERED)
    if item is None or item.status not in waits:
        return None
    earlier = Q(priority__lt=item.priority) | Q(priority=item.priority) & (
        Q(enqueued_at__lt=item.enqueued_at) | Q(enqueued_at=item.enqueued_at, pk__lt=item.pk)
    )
    same = WorkItem.objects.unscoped("counted, not shown").filter(
        queue=item.queue_id, status__in=waits
    )
    return same.filter(earlier).count() + 1


def sweep_silent(minutes: int = 10) -> int:
    """Visitors whose page nobody has open any more do not wait: their conversations end; how many."""
    silent = Conversation.objects.unscoped("the sweeper serves everyone").filter(
        state__in=_ALONE,
        ended_at=None,
        visitor_digest__isnull=False,
        visitor_seen_at__lt=timezone.now() - timedelta(minutes=minutes),
    )
    ended = 0
    for conversation in silent.order_by("visitor_seen_at")[:100]:
        with transaction.atomic():
            row = lock(conversation)
            if row.state in _ALONE:
                actor = system_actor(row.organisation, Origin(Door.TASK))
                attending.end_locked(actor, row, Conversation.EndedBy.SYSTEM)
                ended += 1
    return ended


# --- Inside --------------------------------------------------------------------------------------


def visitor_actor(conversation: Conversation, origin: Origin) -> Actor:
    """The house, acting for a visitor: under their name as they said it."""
    name = conversation.contact_name or str(_("Visitor"))
    return system_actor(conversation.organisation, origin, name)


def _queue_of(account: ChannelAccount, reason: str) -> tuple[Queue, ContactReason | None]:
    reasons = (
        ContactReason.objects.unscoped("an account's own")
        .filter(account=account, is_active=True, queue__is_active=True)
        .select_related("queue__unit__organisation", "queue__case_type")
    )
    found = reasons.filter(code=reason).first() if reason else None
    if found is not None:
        return found.queue, found
    if reason or account.queue is None or not account.queue.is_active:
        raise Invalid(errors={"reason": [_("Choose why you write.")]})
    return account.queue, None


def _arrived(account: ChannelAccount, arrival: Arrival) -> Conversation | None:
    return (
        Conversation.objects.unscoped("known by the form's own key")
        .select_related("account", "organisation")
        .filter(account=account, start_key=arrival.key)
        .first()
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What the form says, fit to be kept."""

    name: str
    address: str
    text: str
    consent: ConsentText | None


def _checked(account: ChannelAccount, arrival: Arrival, *, needs_address: bool) -> _Said:
    """What the form says; Invalid names all that is wrong with it, each at its field."""
    errors: dict[str, list[Text]] = {}
    name, address, text = one_line(arrival.name)[:150], "", ""
    if not name:
        errors["name"] = [_("This field is required.")]
    try:
        address = _mailbox(arrival.address)
    except Invalid as error:
        errors |= {field: list(found) for field, found in error.errors.items()}
    if needs_address and not address and "address" not in errors:
        errors["address"] = [_("Write the address where we can answer you.")]
    try:
        text = text_of(arrival.text)
    except Invalid as error:
        errors |= {field: list(found) for field, found in error.errors.items()}
    newest = (
        ConsentText.objects.unscoped("public").filter(account=account).order_by("-version").first()
    )
    if newest is not None and newest.version != arrival.consent:
        stale = 0 < arrival.consent < newest.version  # another text since the form was opened
        errors["consent"] = [
            _("This form has been open for too long. Load the page again.")
            if stale
            else _("Read how your data are used, and agree to it.")
        ]
    if errors:
        raise Invalid(errors=errors)
    return _Said(name, address, text, newest)


def _open(account: ChannelAccount, arrival: Arrival, state: str) -> Conversation:
    """The conversation begins with what the form says and the consent that was given."""
    ends = state == State.CLOSED
    said = _checked(account, arrival, needs_address=ends)
    queue, reason = _queue_of(account, arrival.reason)
    at = now()
    row = Conversation(
        organisation_id=account.organisation_id,
        account=account,
        unit_id=queue.unit_id,
        queue=queue,
        state=state,
        contact_name=said.name,
        contact_address=said.address,
        language=arrival.language if arrival.language in _LANGUAGES else "es",
        reason=reason,
        subject=one_line(said.text)[:120],
        consent=said.consent,
        consent_at=at if said.consent else None,
        page=arrival.page[:500],
        start_key=arrival.key,
        opened_at=at,
        visitor_seen_at=at,
        ended_at=at if ends else None,
        closed_at=at if ends else None,
    )
    if not ends:
        row.visitor_digest = digest(token_of(row))
    row.save(force_insert=True)
    ChannelAccount.objects.unscoped("its sign of life").filter(pk=account.pk).update(
        last_inbound_at=at
    )
    row.account, row.organisation = account, account.organisation
    add(row, Direction.IN, Author.CITIZEN, said.text, author_name=said.name)
    return row


def _mailbox(address: str) -> str:
    text = one_line(address)
    if not text:
        return ""
    try:
        validate_email(text)
    except ValidationError:
        raise Invalid(
            errors={"address": [_("Write an e-mail address like ana@example.org.")]}
        ) from None
    return text[:254]
