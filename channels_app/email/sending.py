"""Out by e-mail: a written message is owed to the outbox, and a worker hands it to the mail server."""

import smtplib
from datetime import timedelta
from email.utils import formataddr
from typing import Any
from uuid import UUID, uuid4

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Case
from cases.texts import one_line
from channels_app.email.reading.letter import LOOP_FIELD
from channels_app.email.setup import STARTTLS, TLS, loop_mark, mail_host, setup_of
from channels_app.models import Author, ChannelAccount, Conversation, Delivery, Direction, Message
from channels_app.services.writing import listeners, now, tell
from crm.kit import files, outbox
from crm.kit.http import CallFailed, address_of
from crm.kit.mail import MARK_FIELD, AutomaticMail, mark_of, post

DELIVER_EMAIL = "channels.deliver_email"
GIVE_UP_AFTER = timedelta(hours=20)  # the outbox's last attempts come at about 23 hours
_SECONDS = 20
_MOST_REFERENCES = 20


class EmailCarrier:
    """Carries what is said in a conversation of an e-mail account."""

    def begins_as(self, message: Message) -> Delivery:
        """Waiting."""
        return Delivery.QUEUED

    def owe(self, message: Message) -> None:
        """To the contact, in the thread."""
        said = addressed(message.conversation)
        message.external_id = said["external_id"]
        message.headers = said["headers"]
        message.subject = subject_of(message.conversation)
        message.save(update_fields=["external_id", "headers", "subject", "updated_at"])
        owe(message)


def addressed(conversation: Conversation, *, automatic: bool = False) -> dict[str, Any]:
    """Columns of a message to the contact: to whom, in answer to what, and its own Message-ID, which
    bears a token that nobody can guess."""
    earlier = conversation.messages.exclude(external_id=None).order_by("-number")
    names = list(earlier.values_list("external_id", flat=True)[:_MOST_REFERENCES])[::-1]
    last = earlier.filter(direction=Direction.IN).values_list("external_id", flat=True).first()
    return {
        "external_id": f"{uuid4().hex}.{conversation.thread_token}@{mail_host()}",
        "headers": {
            "to": conversation.contact_address,
            "in_reply_to": last or "",
            "references": names,
            "automatic": automatic,
        },
    }


def subject_of(conversation: Conversation, case: Case | None = None) -> str:
    """« Re: » and the citizen's subject, with the number of the case (else of its first) in it."""
    case = case or conversation.cases.order_by("pk").first()
    subject = one_line(conversation.subject)[:200]
    if not subject.lower().startswith("re:"):
        subject = f"Re: {subject}".strip()
    if case is not None and case.reference not in subject:
        subject = f"{subject} [{case.reference}]"
    return subject


def owe(message: Message) -> None:
    """The message goes out after commit, once."""
    outbox.send_later(DELIVER_EMAIL, {"message": str(message.uuid)})


def deliver(message: UUID) -> None:
    """A queued message has been handed to the mail server, or has failed for good; else TryLater.

    Nothing is locked while the server is spoken to: the outbox lets one worker at a time come here.
    """
    row = _queued(message)
    if row is None:
        return
    scans = {files.Scan(one.scan) for one in row.attachments.all()}
    if files.Scan.INFECTED in scans:
        settle(message, Delivery.FAILED, str(_("The virus scanner found a virus in it.")))
        return
    if files.Scan.UNAVAILABLE in scans:  # nothing leaves unseen; the scanner looks again by itself
        raise outbox.TryLater("a file waits for the virus scanner")
    try:
        post(mail_of(row), connection_of(row.account))
    except outbox.Undeliverable as error:
        settle(message, Delivery.FAILED, _reason(error.__cause__))
    except outbox.TryLater as error:
        if timezone.now() - row.state_at < GIVE_UP_AFTER:
            raise
        settle(message, Delivery.FAILED, _reason(error.__cause__))
    else:
        settle(message, Delivery.SENT)


def doubt(message: UUID) -> None:
    """The message says that it may have arrived or not: a person decides whether it goes again."""
    told = _("The sending broke off: it may have arrived. Ask before sending it again.")
    settle(message, Delivery.UNKNOWN, str(told))


@transaction.atomic
def settle(message: UUID, state: Delivery, reason: str = "") -> None:
    """What became of the delivery stands in the message; what is settled stays."""
    row = (
        Message.objects.unscoped("a worker serves every organisation")
        .select_for_update(of=("self",), no_key=True)
        .select_related("conversation")
        .filter(uuid=message, state__in=[Delivery.QUEUED, Delivery.UNKNOWN], state__lte=state)
        .first()
    )
    if row is None:
        return
    row.state, row.state_at, row.state_reason = state, now(), reason[:240]
    row.save(update_fields=["state", "state_at", "state_reason", "updated_at"])
    tell({"kind": "delivery", "number": row.number}, listeners(row.conversation))


def mail_of(message: Message) -> EmailMessage:
    """The message as it goes to the mail server."""
    account, said = message.account, message.headers
    headers = {
        "Message-ID": f"<{message.external_id}>",
        MARK_FIELD: mark_of(message.external_id or ""),
        LOOP_FIELD: loop_mark(),
    }
    if said.get("in_reply_to"):
        headers["In-Reply-To"] = f"<{said['in_reply_to']}>"
    if said.get("references"):
        headers["References"] = " ".join(f"<{name}>" for name in said["references"])
    automatic = said.get("automatic") or message.author_kind == Author.SYSTEM
    if automatic:
        headers["Auto-Submitted"] = "auto-replied"
        headers["X-Auto-Response-Suppress"] = "All"
    mail = (AutomaticMail if automatic else EmailMessage)(
        subject=one_line(message.subject),
        body=_body(message),
        from_email=formataddr((one_line(account.name), account.address)),
        to=[str(said.get("to", ""))],
        headers=headers,
    )
    for attachment in message.attachments.order_by("pk"):
        with files.open_stored(attachment.path) as file:
            mail.attach(attachment.name, file.read(), attachment.media_type)
    return mail


def _body(message: Message) -> str:
    parts = [message.body]
    foot = setup_of(message.account).signature.strip()
    parts.append(f"-- \n{foot or message.account.name}")
    quoted = str(message.headers.get("quoted", ""))
    if quoted:
        parts.append(quoted)
    return "\n\n".join(parts) + "\n"


def connection_of(account: ChannelAccount) -> BaseEmailBackend | None:
    """The account's own mail server; None for the installation's."""
    setup = setup_of(account)
    if not setup.smtp_host:
        return None
    try:
        address = address_of(setup.smtp_host, setup.smtp_port)
    except (CallFailed, OSError) as error:
        raise outbox.TryLater(type(error).__name__) from error
    backend: BaseEmailBackend = get_connection(
        "crm.kit.smtp.EmailBackend",
        host=setup.smtp_host,
        address=address,
        port=setup.smtp_port,
        username=setup.smtp_user,
        password=account.secrets.get("smtp_password", ""),
        use_tls=setup.smtp_security == STARTTLS,
        use_ssl=setup.smtp_security == TLS,
        timeout=_SECONDS,
    )
    return backend


def _queued(message: UUID) -> Message | None:
    return (
        Message.objects.unscoped("a worker serves every organisation")
        .select_related("conversation", "account__organisation")
        .filter(uuid=message, state=Delivery.QUEUED, direction=Direction.OUT)
        .first()
    )


def _reason(error: BaseException | None) -> str:
    """Why, without the address: the class says it, the text may hold personal data."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return str(_("The mail server does not accept the address."))
    return str(_("The mail server did not take it (%(error)s).") % {"error": type(error).__name__})
