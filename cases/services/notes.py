"""Words on a case: internal notes, and public messages with their delivery."""

import smtplib
from collections.abc import Sequence
from datetime import timedelta
from email.utils import formataddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.answers import unfilled
from cases.mentions import named_in
from cases.models import Application, Case, Document, Event, EventKind, Message, MessageFile, Note
from cases.permissions import CHANGE_CASE
from cases.ports import Letterhead, threads
from cases.represented import Notified, notified
from cases.services import representation
from cases.services.drafting import LONGEST, forget_sent
from cases.services.sending_on import onward
from cases.services.writing import fetch, moment, write
from cases.texts import one_line, paragraphs
from cases.workflow import Workflow, of_version
from crm.accounts.actors import system_actor
from crm.citizens.models import Channel, ContactPoint
from crm.kit import files, outbox, realtime
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid
from crm.kit.mail import MARK_FIELD, mark_of, post
from crm.kit.models import uuid7
from crm.kit.policy import require

DELIVER = "cases.deliver_message"
SHUT = gettext_lazy("It would go to a representative who may not be told any more.")
GIVE_UP_AFTER = timedelta(hours=20)  # the outbox's last attempts come at about 23 hours


@transaction.atomic
def add_note(
    actor: Actor, case: UUID, body: str, *, key: UUID | None = None, draft: UUID | None = None
) -> Note:
    """An internal note is in the case; the same `key` again gives the same note. The draft that it was
    is gone.

    Whom it names by @ is told, if they may see the case; `not_told` says who may not.
    """
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    text = _required(body)
    forget_sent(actor, draft)
    known = Note.objects.for_actor(actor).filter(case=row, uuid=key).first() if key else None
    if known:
        return known
    note = Note.objects.create(
        uuid=key or uuid7(),
        case=row,
        author_id=actor.user_id,
        author_name=actor.name[:200],
        body=text,
        created_at=moment(),
    )
    named = named_in(actor, row, text)
    kept = [mention.kept for mention in named.mentions]
    told = {"note": str(note.uuid), **({"mentions": kept} if kept else {})}
    write(actor, CHANGE_CASE, row, EventKind.NOTED, told)
    note.not_told = [str(one) for one in named.not_told]
    return note


@transaction.atomic
def send_message(
    actor: Actor,
    case: UUID,
    body: str,
    *,
    key: UUID | None = None,
    automatic: bool = False,
    draft: UUID | None = None,
    seen: int | None = None,
    documents: Sequence[Document] = (),
) -> Message:
    """A public message is in the case and, when the citizen has a mailbox, on its way there.

    Without one it is recorded: said by another way. The same `key` again gives the same message. What
    is `automatic` answers nothing. The draft that it was is gone. `seen` is the event up to which its
    writer had read the story: Conflict when somebody else has answered since, with what they said.
    `documents` of the case go with it. Variables that nobody filled in are refused by name.
    """
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    text = _required(body)
    forget_sent(actor, draft)
    require_filled(text, of_version(row.type_version.bundle))
    known = Message.objects.for_actor(actor).filter(case=row, uuid=key).first() if key else None
    if known:
        return known
    if seen is not None:
        _require_not_crossed(actor, row, seen)
    through = notified(actor, row)
    address = address_for(actor, row, through)
    message = Message.objects.create(
        uuid=key or uuid7(),
        case=row,
        direction=Message.Direction.OUT,
        channel=Channel.EMAIL if address else row.channel,
        address=address,
        author_id=actor.user_id,
        author_name=actor.name[:200],
        body=text,
        state=Message.State.QUEUED if address else Message.State.RECORDED,
        created_at=moment(),
    )
    if address:
        outbox.send_later(DELIVER, {"message": str(message.uuid)})
    MessageFile.objects.bulk_create(
        MessageFile(message=message, document=document) for document in documents
    )
    more: dict[str, Any] = {"automatic": True} if automatic else {}
    if documents:
        more["files"] = [document.name for document in documents]
    event = _tell(actor, row, message, **more)
    if through.holder and through.mandate and address == through.address:
        representation.keep_notified(row, event, through.holder, through.mandate)
    return message


@transaction.atomic
def record_message(
    actor: Actor,
    case: UUID,
    body: str,
    *,
    channel: str,
    direction: str = Message.Direction.IN,
    author_name: str = "",
    key: UUID | None = None,
    draft: UUID | None = None,
) -> Message:
    """What the citizen said, or was told by another way, stands in the case.

    What nobody known said bears no name. The same `key` again gives the same message.
    """
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    if channel not in Channel.values:
        raise Invalid(errors={"channel": [_("Choose one of the offered values.")]})
    text = _required(body)
    forget_sent(actor, draft)
    known = Message.objects.for_actor(actor).filter(case=row, uuid=key).first() if key else None
    if known:
        return known
    incoming = direction == Message.Direction.IN
    citizen = row.citizen.full_name if row.citizen else ""
    if attended := actor.attended(row.citizen_id):
        citizen = attended.words
    named = author_name or (citizen if incoming else actor.name)
    message = Message.objects.create(
        uuid=key or uuid7(),
        case=row,
        direction=direction,
        channel=channel,
        author_id=None if incoming else actor.user_id,
        author_name=one_line(named)[:200],
        body=text,
        state=Message.State.RECORDED,
        created_at=moment(),
    )
    _tell(actor, row, message)
    if there := onward(actor, row):  # another organisation has the case: they are told as well
        theirs, given = there
        name = message.author_name
        record_message(
            theirs, given.uuid, body, channel=channel, direction=direction, author_name=name
        )
    return message


@transaction.atomic
def retry_message(actor: Actor, case: UUID, message: UUID) -> Message:
    """A message that was not delivered, or perhaps not, is on its way again."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    found = (
        Message.objects.for_actor(actor).select_for_update().get_or_refuse(case=row, uuid=message)
    )
    if found.state not in {Message.State.FAILED, Message.State.UNKNOWN}:
        raise Conflict("message_not_failed", _("This message does not wait to be sent again."))
    through = notified(actor, row)
    address = address_for(actor, row, through) or found.address
    if address.lower() in through.shut:
        raise Conflict("representative_shut", SHUT)
    found.address = address
    found.state, found.state_reason = Message.State.QUEUED, ""
    found.save(update_fields=["address", "state", "state_reason", "updated_at"])
    outbox.send_later(DELIVER, {"message": str(found.uuid)})
    _tell(actor, row, found, again=True)
    return found


def address_for(actor: Actor, case: Case, through: Notified | None = None) -> str:
    """Where a message to the case's citizen goes: on in the thread in which they write, else to who
    receives notifications for them (`through`, if it has been asked), else to their mailbox; empty if
    there is none. Of who filed it by themselves, what they gave comes first. Never to a representative
    who may not be told any more."""
    written = (thread.address(case) for thread in threads.values())
    if case.citizen_id is None:
        return mailbox_of(actor, case) or next(filter(None, written), "")
    through = through or notified(actor, case)
    going_on = next(filter(None, written), "")
    if going_on.lower() in through.shut:
        going_on = ""
    return going_on or through.address or mailbox_of(actor, case)


def mailbox_of(actor: Actor, case: Case) -> str:
    """The e-mail address by which the organisation reaches the case's citizen; empty if none.

    Of who filed it and has not been identified yet: the one that they gave.
    """
    if case.citizen_id is None:
        filed = Application.objects.for_actor(actor).filter(case=case).first()
        return filed.email if filed else ""
    return mailbox_of_citizen(actor, case.citizen_id)


def mailbox_of_citizen(actor: Actor, citizen: int) -> str:
    """The e-mail address by which the organisation reaches somebody; empty if none."""
    point = (
        ContactPoint.objects.for_actor(actor)
        .filter(citizen=citizen, channel=Channel.EMAIL, ended_at=None)
        .exclude(quality=ContactPoint.Quality.BAD)
        .order_by("-preferred", "-verified_at", "pk")
        .first()
    )
    return point.address if point else ""


def deliver_message(message: UUID) -> None:
    """A queued message has been handed to the mail server, or has failed for good; else TryLater.

    Nothing is locked while the server is spoken to: the outbox lets one worker at a time come here.
    """
    row = (
        Message.objects.unscoped("a worker serves every organisation")
        .select_related("case__organisation", "case__case_type")
        .filter(uuid=message, state=Message.State.QUEUED)
        .first()
    )
    if row is None:
        return
    worker = system_actor(row.case.organisation, Origin(Door.TASK))
    if row.address.lower() in notified(worker, row.case).shut:
        _settle(message, Message.State.FAILED, str(SHUT))
        return
    try:
        head = _letterhead(row)
        post(_mail(row, head), head.server())
    except outbox.Undeliverable as error:
        _settle(message, Message.State.FAILED, _reason(error.__cause__))
    except outbox.TryLater as error:
        if timezone.now() - row.updated_at < GIVE_UP_AFTER:
            raise
        _settle(message, Message.State.FAILED, _reason(error.__cause__))
    else:
        _settle(message, Message.State.SENT)


def doubt_message(message: UUID) -> None:
    """The message says that it may have arrived or not: a person decides whether it goes again."""
    told = _("The sending broke off: it may have arrived. Ask before sending it again.")
    _settle(message, Message.State.UNKNOWN, str(told))


@transaction.atomic
def message_bounced(organisation_id: int, message: UUID, reason: str) -> str:
    """A sent message that a mail server could not deliver says so; the address it went to, or "" when
    the organisation has sent no such message."""
    row = (
        Message.objects.unscoped("of whom its own unguessable id was quoted to")
        .select_for_update(of=("self",))
        .select_related("case")
        .filter(case__organisation=organisation_id, uuid=message, state=Message.State.SENT)
        .first()
    )
    if row is None:
        return ""
    row.state, row.state_reason, row.sent_at = Message.State.FAILED, reason[:240], None
    row.save(update_fields=["state", "state_reason", "sent_at", "updated_at"])
    patch = {"message": str(row.uuid), "state": row.state, "kind": "delivery"}
    realtime.append(f"case:{row.case.uuid}", patch)
    return row.address


@transaction.atomic
def _settle(message: UUID, state: Message.State, reason: str = "") -> None:
    """What became of the delivery stands in the message; what is settled stays, doubt may end."""
    row = (
        Message.objects.unscoped("a worker serves every organisation")
        .select_for_update(of=("self",))
        .select_related("case")
        .filter(uuid=message, state__in=[Message.State.QUEUED, Message.State.UNKNOWN])
        .first()
    )
    if row is None:
        return
    row.state, row.state_reason = state, reason
    row.sent_at = timezone.now() if state == Message.State.SENT else None
    row.save(update_fields=["state", "state_reason", "sent_at", "updated_at"])
    patch = {"message": str(row.uuid), "state": row.state, "kind": "delivery"}
    realtime.append(f"case:{row.case.uuid}", patch)


def _letterhead(message: Message) -> Letterhead:
    """As the thread's that it joins, else as the organisation's own."""
    found = (thread.letterhead(message) for thread in threads.values())
    case = message.case
    return next(filter(None, found), None) or Letterhead(
        sender=formataddr((case.organisation.name, settings.DEFAULT_FROM_EMAIL)),
        subject=f"[{case.reference}] {one_line(case.subject)}",
    )


def _mail(message: Message, head: Letterhead) -> EmailMessage:
    case = message.case
    with_it = message.files.select_related("document").order_by("pk")
    sent = [one.document for one in with_it if one.document.withdrawn_at is None]
    host = settings.PUBLIC_URL.split("//")[-1].split(":")[0]
    name = f"{message.uuid}@{host}"
    with translation.override(case.language):
        foot = _("Case %(reference)s · %(organisation)s") % {
            "reference": case.reference,
            "organisation": case.organisation.name,
        }
    return EmailMessage(
        subject=head.subject,
        body=f"{message.body}\n\n-- \n{foot}\n",
        from_email=head.sender,
        to=[message.address],
        headers={"Message-ID": f"<{name}>", MARK_FIELD: mark_of(name), **head.headers},
        attachments=[_attachment(document) for document in sent],
    )


def _attachment(document: Document) -> tuple[str, bytes, str]:
    with files.open_stored(document.path) as file:
        return document.name, file.read(), document.media_type


def require_filled(text: str, workflow: Workflow | None = None) -> None:
    """Invalid names the variables that still stand in a text for the citizen."""
    left = [f"(({one.name})) {one.label}" for one in unfilled(text, workflow)]
    if left:
        told = _("Fill in or delete before sending: %(names)s.") % {"names": ", ".join(left)}
        raise Invalid(errors={"text": [told]})


def _reason(error: BaseException | None) -> str:
    """Why, without the address: the class says it, the text may hold personal data."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return str(_("The mail server does not accept the address."))
    told = _("The mail server did not take it (%(error)s).") % {"error": type(error).__name__}
    return str(told)[:240]


def _require_not_crossed(actor: Actor, case: Case, seen: int) -> None:
    """Conflict when others have answered the citizen after that event: two answers cross knowingly or
    not at all. The case is locked, so that of two sent at once the second is asked."""
    events = case.events.filter(
        kind=EventKind.MESSAGED, seq__gt=seen, data__direction=Message.Direction.OUT
    ).exclude(data__has_key="automatic")
    others = [
        event.data["message"]
        for event in events
        if (event.actor_kind, event.actor_id) != (actor.kind, actor.id)
    ]
    found = Message.objects.for_actor(actor).filter(case=case, uuid__in=others)
    answers = list(found.order_by("created_at", "pk"))
    if not answers:
        return
    said = [
        {"by": one.author_name, "at": one.created_at.isoformat(), "text": one.body}
        for one in answers
    ]
    text = _("%(name)s has answered the citizen since you began. Nothing you wrote is lost.")
    raise Conflict(
        "answered_meanwhile",
        text % {"name": answers[-1].author_name},
        now={"seen_event": case.last_event, "answers": said},
        answers=answers,
    )


def _required(body: str) -> str:
    text = paragraphs(body)
    if not text:
        raise Invalid(errors={"text": [_("This field is required.")]})
    if len(text) > LONGEST:
        limit = _("Write at most %(limit)s characters.") % {"limit": LONGEST}
        raise Invalid(errors={"text": [limit]})
    return text


def _tell(actor: Actor, case: Case, message: Message, **more: Any) -> Event:
    told = {
        "message": str(message.uuid),
        "direction": message.direction,
        "channel": message.channel,
        "state": message.state,
        **more,
    }
    return write(actor, CHANGE_CASE, case, EventKind.MESSAGED, told)
