"""One of each thing of e-mail for a side of the estate."""

from typing import Any

from channels_app.models import (
    Attachment,
    ChannelAccount,
    Delivery,
    Direction,
    InboundMail,
    Message,
)
from crm.organisations.models import Unit
from tests.factories.mail import arrive, letter, make_mailbox


def mail_of(unit: Unit, case_type: str, paper: bytes) -> dict[str, Any]:
    """A mailbox, a thread with a file and an answer that failed, and a message in quarantine."""
    code = unit.organisation.code
    address = f"correo@{code.lower()}.example"
    account = make_mailbox(unit, address, case_type=case_type)
    html = f"<p>Palabras de {code}</p>"
    raw = letter(
        f"Palabras de {code}", to=address, id=f"{code}@m", html=html, files={"papel.pdf": paper}
    )
    row = arrive(account, raw).conversation
    assert row is not None
    failed = Message.objects.get(conversation=row, direction=Direction.OUT)
    failed.state = Delivery.FAILED
    failed.save()
    apart = arrive(account, letter(f"Dudas de {code}", to="otro@x.example", id=f"q-{code}@m"))
    assert apart.status == InboundMail.Status.QUARANTINE
    return {
        "mail_account": account,
        "mail_thread": row,
        "mail_message": row.messages.get(direction=Direction.IN),
        "mail_failed": failed,
        "mail_file": Attachment.objects.get(conversation=row),
        "mail_apart": apart.mail,
    }


def more_mail(account: ChannelAccount, count: int) -> None:
    """Further threads, and messages in quarantine."""
    for number in range(count):
        arrive(account, letter(to=account.address, id=f"more-{number}@m"))
        arrive(account, letter(to="otro@x.example", id=f"apart-{number}@m"))
