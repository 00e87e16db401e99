"""The one way in for a raw message: read, kept, and put where it belongs. Safe to repeat at any point.

Nothing is decided twice: a message is known by its bytes and by its Message-ID, and each account takes
in one at a time, under the lock of its mailbox's row.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import services as cases
from cases.models import Case
from channels_app.email import receipts, reports, threads
from channels_app.email.reading import Kind, Letter, read
from channels_app.email.reading.values import File
from channels_app.email.setup import addresses_of, loop_mark, own_addresses, setup_of
from channels_app.email.threads import Thread
from channels_app.models import (
    Attachment,
    Author,
    ChannelAccount,
    Conversation,
    ConversationCase,
    Direction,
    EventKind,
    InboundMail,
    Mailbox,
    Message,
    Queue,
    State,
)
from channels_app.permissions import ATTEND
from channels_app.services.writing import add, listeners, lock, move, note_event, now, tell
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.kit import files
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import DomainError
from crm.organisations.models import Organisation

log = logging.getLogger(__name__)

FLOOD = 30  # messages of one sender in an hour: more look like a machine gone wild
_Status, _Reason = InboundMail.Status, InboundMail.Reason


@dataclass(frozen=True)
class Taken:
    """What became of a message."""

    letter: Letter
    mail: InboundMail | None  # None: it would be (dry run)
    status: str
    reason: str = ""
    conversation: Conversation | None = None
    thread: Thread | None = None
    new: bool = False  # it was not known before


@dataclass(frozen=True)
class Kept:
    """The files of a letter as they lie in the store, and what was refused, in words."""

    stored: Sequence[tuple[files.Stored, str]]
    refused: Sequence[dict[str, str]]


def take_in(account: ChannelAccount, raw: bytes, *, uid: int | None = None) -> Taken:
    """The message is in the database and where it belongs; again, it is what it was."""
    letter = read(raw, own=own_addresses(), mark=loop_mark())
    known = _known(account, letter)
    if known is not None:
        _advance(account, uid)
        return Taken(letter, known, known.status, known.reason, _conversation_of(known))
    kept = keep(letter) if letter.kind in {Kind.MESSAGE, Kind.AUTO_REPLY} else Kept((), ())
    with transaction.atomic():
        _turn(account)
        known = _known(account, letter)
        if known is not None:
            _advance(account, uid)
            return Taken(letter, known, known.status, known.reason, _conversation_of(known))
        mail = _row(account, letter, raw, uid)
        taken = _decide(account, letter, mail, kept)
        _advance(account, uid)
        _seen(account)
    return taken


def set_aside_unread(account: ChannelAccount, raw: bytes, *, uid: int | None = None) -> None:
    """A message that could not be taken in is kept in quarantine, so that the next ones come through."""
    letter = read(raw)
    with transaction.atomic():
        _turn(account)
        if _known(account, letter) is None:
            mail = _row(account, letter, raw, uid)
            mail.mail_id = ""
            mail.status, mail.reason = _Status.QUARANTINE, _Reason.UNREADABLE
            mail.save(force_insert=True)
        _advance(account, uid)


def foresee(account: ChannelAccount, raw: bytes) -> Taken:
    """What would become of the message; nothing is written."""
    letter = read(raw, own=own_addresses(), mark=loop_mark())
    known = _known(account, letter)
    if known is not None:
        return Taken(letter, known, known.status, known.reason, _conversation_of(known))
    thread = threads.find(account, letter)
    status, reason = _verdict(account, letter, thread)
    conversation = thread.conversation if thread else None
    return Taken(letter, None, status, reason, conversation, thread, new=True)


# --- What is to become of it ----------------------------------------------------------------------


def _decide(account: ChannelAccount, letter: Letter, mail: InboundMail, kept: Kept) -> Taken:
    if earlier := _of_its_id(account, mail.mail_id):
        if _same(earlier, mail):
            return _file_away(letter, mail, _Status.DUPLICATE, "")
        letter, mail.mail_id = replace(letter, message_id=""), ""  # another letter under a used id
    if letter.report is not None:
        mail.about = reports.settle(account, letter)
        return _file_away(letter, mail, _Status.ASIDE, _Reason.MACHINE)
    thread = threads.find(account, letter)
    status, reason = _verdict(account, letter, thread)
    if status != _Status.TAKEN:
        return _file_away(letter, mail, status, reason, thread)
    return put(account, letter, mail, kept, thread)


def _verdict(account: ChannelAccount, letter: Letter, thread: Thread | None) -> tuple[str, str]:
    """What is to become of a letter that came for the first time, and why if it is kept apart."""
    if letter.kind in {Kind.LOOP, Kind.OWN, Kind.BOUNCE, Kind.COMPLAINT}:
        return _Status.ASIDE, _Reason.MACHINE
    if letter.kind == Kind.AUTO_REPLY:
        joins = thread is not None and thread.known and thread.conversation is not None
        return (_Status.TAKEN, "") if joins else (_Status.ASIDE, _Reason.MACHINE)
    doubt = _doubt(account, letter, thread)
    return (_Status.QUARANTINE, doubt) if doubt else (_Status.TAKEN, "")


def _doubt(account: ChannelAccount, letter: Letter, thread: Thread | None) -> str:
    if not letter.sender.address:
        return _Reason.NO_SENDER
    if any(one.why == "unreadable" and not one.name for one in letter.refused):
        return _Reason.UNREADABLE
    if _blocked(account, letter.sender.address):
        return _Reason.BLOCKED
    if _floods(account, letter.sender.address):
        return _Reason.FLOOD
    if thread is not None:
        return "" if thread.known else _Reason.STRANGER
    return "" if _for_us(account, letter) else _Reason.UNKNOWN_RECIPIENT


def _for_us(account: ChannelAccount, letter: Letter) -> bool:
    if setup_of(account).any_recipient:
        return True
    return bool(addresses_of(account) & set(letter.recipients))


def _blocked(account: ChannelAccount, sender: str) -> bool:
    return _of_sender(account, sender).filter(status=_Status.SPAM).exists()


def _floods(account: ChannelAccount, sender: str) -> bool:
    lately = _of_sender(account, sender).filter(received_at__gt=now() - timedelta(hours=1))
    return lately.count() >= FLOOD


def _of_sender(account: ChannelAccount, sender: str) -> "QuerySet[InboundMail]":
    return InboundMail.objects.unscoped("of one account").filter(account=account, sender=sender)


def _file_away(
    letter: Letter, mail: InboundMail, status: str, reason: str, thread: Thread | None = None
) -> Taken:
    mail.status, mail.reason = status, reason
    mail.save(force_insert=True)
    return Taken(letter, mail, status, reason, thread=thread, new=True)


# --- Into its conversation -----------------------------------------------------------------------


def put(
    account: ChannelAccount,
    letter: Letter,
    mail: InboundMail,
    kept: Kept,
    thread: Thread | None,
) -> Taken:
    """The letter stands in its thread's conversation, or in a new one with a case of its own."""
    actor = actor_of(account)
    began = thread is None or thread.conversation is None
    if thread is not None and thread.conversation is not None:
        conversation = lock(thread.conversation)
        _go_on(actor, account, conversation, letter)
    else:
        conversation = _begin(actor, account, letter)
    message = _say(conversation, letter, kept)
    mail.status, mail.reason, mail.message = _Status.TAKEN, "", message
    mail.save(force_insert=mail.pk is None)
    if began:
        case = thread.case if thread else _open_case(actor, account, conversation, letter)
        if case is not None:
            join_case(actor, conversation, case)
        receipts.acknowledge(account, conversation, letter, mail)
    streams = [*listeners(conversation), inbox_of(account.organisation)]
    streams += [f"case:{case.uuid}" for case in conversation.cases.all()]
    tell({"kind": "message", "number": message.number}, streams)
    return Taken(letter, mail, mail.status, "", conversation, thread, new=True)


def _begin(actor: Actor, account: ChannelAccount, letter: Letter) -> Conversation:
    conversation = Conversation.objects.create(
        organisation_id=account.organisation_id,
        account=account,
        unit_id=account.unit_id,
        queue=queue_of(account),
        state=State.WAITING,
        contact_name=letter.sender.name,
        contact_address=letter.sender.address,
        subject=letter.subject,
        language=_language(letter),
        thread_token=secrets.token_urlsafe(18),
        opened_at=now(),
    )
    note_event(actor, conversation, EventKind.OPENED)
    return conversation


def _go_on(actor: Actor, account: ChannelAccount, row: Conversation, letter: Letter) -> None:
    """A closed conversation waits again for whoever is there; a machine's answer opens none."""
    if letter.kind != Kind.MESSAGE or not row.ended:
        return
    if row.state == State.WRAP_UP:
        move(row, State.CLOSED)
    move(row, State.WAITING, owner_id=None, ended_by="", queue=row.queue or queue_of(account))
    note_event(actor, row, EventKind.REOPENED)


def _say(conversation: Conversation, letter: Letter, kept: Kept) -> Message:
    message = add(
        conversation,
        Direction.IN,
        Author.CITIZEN,
        letter.text,
        author_name=(letter.sender.name or letter.sender.address)[:200],
        subject=letter.subject,
        html=letter.html,
        external_id=letter.message_id or None,
        headers=_headers(letter, kept),
    )
    Attachment.objects.bulk_create(
        Attachment(
            organisation_id=conversation.organisation_id,
            conversation=conversation,
            message=message,
            direction=Direction.IN,
            name=stored.name[:200],
            media_type=stored.media_type,
            size=stored.size,
            sha256=stored.sha256,
            scan=stored.scan,
            content_id=content_id,
        )
        for stored, content_id in kept.stored
    )
    return message


def _headers(letter: Letter, kept: Kept) -> dict[str, Any]:
    """What else the message's row remembers of the letter."""
    found: dict[str, Any] = {
        "sender": letter.sender.address,
        "to": list(letter.recipients[:20]),
        "references": list(letter.references),
        "sent_at": letter.sent_at.isoformat() if letter.sent_at else "",
        "kind": letter.kind.value,
        "authentication": letter.authentication,
        "reply_to": letter.reply_to,
    }
    if letter.folded:
        found["blocks"] = [[block.kind, block.text] for block in letter.blocks]
    if kept.refused:
        found["refused"] = list(kept.refused)
    return found


def keep(letter: Letter) -> Kept:
    """The letter's files lie in the store, typed and scanned; what may not be kept is told by name."""
    stored: list[tuple[files.Stored, str]] = []
    refused = [{"name": one.name, "why": one.why} for one in letter.refused]
    for file in letter.files:
        try:
            stored.append((files.store([file.content], file.name), _content_id(file)))
        except DomainError as error:  # FileRefused, or no room on the disk
            refused.append({"name": files.safe_name(file.name), "why": str(error)[:240]})
    return Kept(stored, refused)


def _content_id(file: File) -> str:
    return file.content_id if file.claimed.startswith("image/") else ""


# --- Its case -------------------------------------------------------------------------------------


def _open_case(
    actor: Actor, account: ChannelAccount, conversation: Conversation, letter: Letter
) -> Case | None:
    """A case of the account's type, in its unit. Whose it is, a person says."""
    code = setup_of(account).case_type
    if not code:
        return None
    new = cases.NewCase(
        case_type=code,
        subject=letter.subject or _("E-mail without a subject"),
        description=letter.text[:20_000],
        unit=account.unit.uuid,
        channel=Channel.EMAIL,
        language=conversation.language,
    )
    try:
        with transaction.atomic():
            return cases.open_case(actor, new)
    except (
        DomainError
    ) as error:  # the type asks for more, or is out of use: the letter still counts
        log.warning("mail.no_case", extra={"account": str(account.uuid), "why": error.code})
        return None


def join_case(actor: Actor, conversation: Conversation, case: Case) -> bool:
    """The conversation belongs to the case, too; False when it already did."""
    _link, made = ConversationCase.objects.unscoped("of the fetched two").get_or_create(
        conversation=conversation,
        case=case,
        defaults={
            "linked_by_id": actor.user_id,
            "linked_by_name": actor.name[:200],
            "at": now(),
        },
    )
    if made:
        note_event(actor, conversation, EventKind.CASE_LINKED, case=case.reference)
        record(actor, ATTEND, conversation, act="case_linked", case=case.reference)
    return made


# --- Inside ---------------------------------------------------------------------------------------


def actor_of(account: ChannelAccount) -> Actor:
    """The system, for the account's organisation."""
    return system_actor(account.organisation, Origin(Door.TASK), str(account.name)[:200])


def queue_of(account: ChannelAccount) -> Queue:
    """Where the account's conversations wait until somebody takes them; nobody is offered them."""
    if account.queue is not None:
        return account.queue
    queue, _made = Queue.objects.unscoped("the account's own").get_or_create(
        organisation_id=account.organisation_id,
        code=f"mail-{account.code}"[:40],
        defaults={"unit_id": account.unit_id, "names": {"es": account.name}},
    )
    ChannelAccount.objects.unscoped("the account itself").filter(pk=account.pk).update(queue=queue)
    account.queue = queue
    return queue


def inbox_of(organisation: Organisation) -> str:
    """The stream that says when a mail came in; it names nothing."""
    return f"mail:{organisation.code}"


def _turn(account: ChannelAccount) -> None:
    """Only we take in this account's mail until the transaction ends."""
    Mailbox.objects.unscoped("the account's own").get_or_create(account=account)
    Mailbox.objects.unscoped("the account's own").select_for_update(no_key=True).get(
        account=account
    )


def _advance(account: ChannelAccount, uid: int | None) -> None:
    """Everything up to this number has been taken in."""
    if uid is not None:
        behind = Mailbox.objects.unscoped("the account's own").filter(
            account=account, last_uid__lt=uid
        )
        behind.update(last_uid=uid)


def _seen(account: ChannelAccount) -> None:
    row = ChannelAccount.objects.unscoped("the account itself").filter(pk=account.pk)
    row.update(last_inbound_at=now())


def _known(account: ChannelAccount, letter: Letter) -> InboundMail | None:
    rows = InboundMail.objects.unscoped("of one account").defer("raw")
    found = rows.filter(account=account, digest=letter.digest)
    return found.select_related("message__conversation", "account").first()


def _conversation_of(mail: InboundMail) -> Conversation | None:
    return mail.message.conversation if mail.message else None


def _of_its_id(account: ChannelAccount, mail_id: str) -> InboundMail | None:
    """The message that came first under this Message-ID."""
    if not mail_id:
        return None
    rows = InboundMail.objects.unscoped("of one account").filter(account=account, mail_id=mail_id)
    return rows.defer("raw").exclude(status=_Status.DUPLICATE).first()


def _same(one: InboundMail, other: InboundMail) -> bool:
    """Whether two messages of one id say the same: ids are made by senders, some use one for all they
    send, and who knows another's could come before them."""
    if one.sender != other.sender or one.extract != other.extract:
        return False
    return bool(one.extract) or one.subject == other.subject


def _row(account: ChannelAccount, letter: Letter, raw: bytes, uid: int | None) -> InboundMail:
    return InboundMail(
        organisation_id=account.organisation_id,
        account=account,
        digest=letter.digest,
        raw=raw,
        size=len(raw),
        mail_id=letter.message_id,
        kind=letter.kind.value,
        sender=letter.sender.address,
        sender_name=letter.sender.name,
        recipients=list(letter.recipients[:20]),
        subject=letter.subject,
        extract=" ".join(letter.text[:1_000].split())[:300],
        received_at=now(),
        uid=uid,
    )


def _language(letter: Letter) -> str:
    known = dict(settings.LANGUAGES)
    return letter.language if letter.language in known else settings.LANGUAGE_CODE
