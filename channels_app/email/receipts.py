"""The automatic receipt of a first letter: one to a sender in a while, never to a machine."""

from datetime import timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from channels_app.email import sending
from channels_app.email.reading import Letter
from channels_app.email.setup import setup_of
from channels_app.models import (
    Author,
    ChannelAccount,
    Conversation,
    Delivery,
    Direction,
    InboundMail,
    Message,
)
from channels_app.services.writing import add, change, now


def acknowledge(
    account: ChannelAccount, conversation: Conversation, letter: Letter, mail: InboundMail
) -> Message | None:
    """Who wrote is told that it came, and by what number to ask; None when nothing is to be sent.

    Nothing of what they wrote is in it: a receipt is no way to have us send other people's words.
    """
    setup = setup_of(account)
    if not setup.acknowledge or not letter.answerable:
        return None
    lately = InboundMail.objects.unscoped("of one account").filter(
        account=account,
        sender=letter.sender.address,
        acknowledged_at__gt=now() - timedelta(hours=setup.acknowledge_hours),
    )
    if lately.exists():
        return None
    case = conversation.cases.first()
    with translation.override(conversation.language):
        if case is not None:
            text = _("We have received your message. Its number is %(reference)s.") % {
                "reference": case.reference
            }
        else:
            text = _("We have received your message.")
        subject = _("We have received your message")
    if case is not None:
        subject = f"{subject} [{case.reference}]"
    message = add(
        conversation,
        Direction.OUT,
        Author.SYSTEM,
        str(text),
        state=Delivery.QUEUED,
        author_name=account.name[:200],
        subject=subject,
        **sending.addressed(conversation, automatic=True),
    )
    change(conversation, last_message_at=conversation.last_inbound_at)  # nobody has answered yet
    sending.owe(message)
    mail.acknowledged_at = now()
    mail.save(update_fields=["acknowledged_at", "updated_at"])
    return message
