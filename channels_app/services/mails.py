"""What leaves a conversation by e-mail: a copy of what was said, and the receipt of a message left."""

from email.utils import formataddr
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from cases.texts import one_line
from channels_app.hours import hours_of
from channels_app.models import Author, Conversation, Direction, Message
from crm.kit.mail import post


def send_transcript(conversation: UUID, to: str) -> None:
    """A copy of what was said is with the mail server; internal words are not in it."""
    row = _found(conversation)
    if row is None:
        return
    said = row.messages.exclude(direction=Direction.INTERNAL).prefetch_related("attachments")
    zone = ZoneInfo(row.organisation.time_zone)
    with translation.override(row.language):
        lines = [_line(message, zone) for message in said.order_by("number")]
        subject = _("Your conversation with %(organisation)s")
        opening = _("This is what was said on %(day)s.") % {
            "day": date_format(localtime(row.opened_at, zone), "DATE_FORMAT")
        }
        body = "\n\n".join([opening, *lines, row.organisation.name])
        post(_mail(row, subject % {"organisation": row.organisation.name}, body, to))


def send_receipt(conversation: UUID) -> None:
    """Who left a message knows the number of its case and when people are back.

    Nothing of what was written is in it: nobody has shown that the mailbox is theirs, and a receipt is no
    way to have us send other people's words.
    """
    row = _found(conversation)
    case = row.cases.first() if row else None
    if row is None or case is None or row.queue is None or not row.contact_address:
        return
    zone = ZoneInfo(row.organisation.time_zone)
    back = hours_of(row.queue).back_at
    with translation.override(row.language):
        parts = [
            _("We have received your message. Its number is %(reference)s.")
            % {"reference": case.reference}
        ]
        if back is not None:
            when = date_format(localtime(back, zone), "DATETIME_FORMAT")
            parts.append(_("People attend again from %(when)s.") % {"when": when})
        parts.append(row.organisation.name)
        subject = f"[{case.reference}] " + _("We have received your message")
        post(_mail(row, subject, "\n\n".join(parts), row.contact_address))


def _line(message: Message, zone: ZoneInfo) -> str:
    who = message.author_name or str(message.get_author_kind_display())
    if message.author_kind == Author.MACHINE:
        who = str(_("Assistant (a machine)"))
    files = ", ".join(one.name for one in message.attachments.all())
    at = date_format(localtime(message.at, zone), "TIME_FORMAT")
    return f"{at} {who}:\n" + "\n".join(filter(None, [message.body, files and f"[{files}]"]))


def _mail(row: Conversation, subject: str, body: str, to: str) -> EmailMessage:
    host = settings.PUBLIC_URL.split("//")[-1].split(":")[0]
    return EmailMessage(
        subject=one_line(subject),
        body=body,
        from_email=formataddr((row.organisation.name, settings.DEFAULT_FROM_EMAIL)),
        to=[to],
        headers={
            "Message-ID": f"<chat.{row.uuid}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _found(conversation: UUID) -> Conversation | None:
    return (
        Conversation.objects.unscoped("a worker serves every organisation")
        .select_related("organisation", "queue__unit__organisation")
        .filter(uuid=conversation)
        .first()
    )
