"""Mailboxes and letters for tests."""

from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from channels_app.email import intake
from channels_app.email.intake import Taken
from channels_app.email.setup import MailSetup, kept
from channels_app.models import AccountKind, ChannelAccount
from crm.organisations.models import Unit

MAILBOX = "atencion@here.example"
ANA = "ana@example.org"


def make_mailbox(unit: Unit, address: str = MAILBOX, **setup: Any) -> ChannelAccount:
    """An e-mail account whose messages become nothing but conversations, unless a type is given."""
    return ChannelAccount.objects.create(
        organisation=unit.organisation,
        kind=AccountKind.EMAIL,
        code=f"correo-{ChannelAccount.objects.count()}",
        name="Atención de prueba",
        address=address,
        unit=unit,
        settings=dict(kept(MailSetup(**setup))),
    )


def letter(
    text: str = "Buenos días, ¿qué papeles necesito?",
    *,
    sender: str = f"Ana Ejemplo <{ANA}>",
    to: str = MAILBOX,
    subject: str = "Consulta",
    id: str = "uno@mail.example",  # noqa: A002 - as the header says
    headers: Mapping[str, str] | None = None,
    html: str = "",
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """A message as a mail program writes it."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    if id:
        message["Message-ID"] = f"<{id}>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in (files or {}).items():
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


def arrive(account: ChannelAccount, raw: bytes) -> Taken:
    """The message comes in."""
    fresh = ChannelAccount.objects.select_related("organisation", "unit", "queue").get(
        pk=account.pk
    )
    return intake.take_in(fresh, raw)
