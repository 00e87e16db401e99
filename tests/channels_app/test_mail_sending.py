"""Out by e-mail: once, in the thread, by the account's own server; who may answer, and who not."""

import os
import smtplib
import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import formataddr
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from cases.models import DraftPaper
from cases.tasks import forget_draft_papers
from channels_app.email import sending, verbs
from channels_app.email.setup import loop_mark
from channels_app.models import ChannelAccount, Conversation, Delivery, Message
from crm.kit import outbox
from crm.kit.errors import Conflict, NotFound, Refused
from crm.kit.mail import mark_of
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.mail import ANA, arrive, letter, make_mailbox
from tests.house.estate import PAPER

pytestmark = pytest.mark.django_db


class Server(BaseEmailBackend):
    """A mail server as bad as a test asks for."""

    sent: ClassVar[list[EmailMessage]] = []
    on_open: ClassVar[Callable[[], None]]
    on_send: ClassVar[Callable[[], None]]

    def open(self) -> bool:
        """Answer, or not."""
        type(self).on_open()
        return True

    def send_messages(self, email_messages: Any) -> int:
        """Take the message, then perhaps fall silent."""
        type(self).sent += list(email_messages)
        type(self).on_send()
        return len(email_messages)


@pytest.fixture
def server(settings: Any) -> type[Server]:
    settings.EMAIL_BACKEND = f"{__name__}.Server"
    Server.sent = []
    Server.on_open = Server.on_send = staticmethod(lambda: None)
    return Server


@pytest.fixture
def account(world: World) -> ChannelAccount:
    return make_mailbox(world.unit, acknowledge=False)


@pytest.fixture
def row(account: ChannelAccount) -> Conversation:
    taken = arrive(account, letter())
    assert taken.conversation is not None
    return taken.conversation


def test_an_answer_goes_out_once_in_its_thread(
    world: World, row: Conversation, server: type[Server]
) -> None:
    alice, key = world.actor(world.alice), uuid4()
    file = verbs.attach(alice, row.uuid, [PAPER], "modelo.pdf")
    first = verbs.answer(
        alice, row.uuid, "Adjunto el modelo.", key=key, quote=True, attachments=[file.uuid]
    )
    again = verbs.answer(alice, row.uuid, "Adjunto el modelo.", key=key)
    assert again == first
    assert Outbox.objects.filter(topic=sending.DELIVER_EMAIL).count() == 1

    sending.deliver(first.uuid)
    sending.deliver(first.uuid)
    (mail,) = server.sent
    assert mail.to == [ANA]
    assert mail.from_email == formataddr(("Atención de prueba", "atencion@here.example"))
    assert mail.subject == "Re: Consulta"
    assert mail.body == (
        "Adjunto el modelo.\n\n-- \nAtención de prueba\n\n"
        "Ana Ejemplo:\n> Buenos días, ¿qué papeles necesito?\n"
    )
    assert mail.extra_headers == {
        "Message-ID": f"<{first.external_id}>",
        "In-Reply-To": "<uno@mail.example>",
        "References": "<uno@mail.example>",
        "X-Ventanilla-Loop": loop_mark(),
        "X-Ventanilla-Mark": mark_of(first.external_id or ""),
    }
    assert [name for name, _content, _type in mail.attachments] == ["modelo.pdf"]
    first.refresh_from_db()
    assert first.state == Delivery.SENT
    row.refresh_from_db()
    assert (row.owner, row.answered_at is not None) == (world.alice, True)


def test_what_a_server_takes_is_a_message(row: Conversation, world: World) -> None:
    sent = verbs.answer(world.actor(world.alice), row.uuid, "Mañana.\n.\nFin")
    raw = sending.mail_of(sent).message().as_bytes()
    assert b"\nBcc:" not in raw
    assert f"<{sent.external_id}>".encode() in raw.replace(b"\n ", b"")


def test_a_subject_of_many_lines_makes_no_header(world: World, account: ChannelAccount) -> None:
    raw = letter(id="x@m").replace(
        b"Subject: Consulta", b"Subject: =?utf-8?q?Hola=0D=0ABcc:_x@y.es?="
    )
    taken = arrive(account, raw)
    assert taken.conversation is not None
    sent = verbs.answer(world.actor(world.alice), taken.conversation.uuid, "Sí")
    message = sending.mail_of(sent).message()
    assert message["Subject"] == "Re: Hola Bcc:_x@y.es".replace("_", " ")
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused({ANA: (550, b"no")}), Delivery.FAILED),
        (ValueError("no header"), Delivery.FAILED),
    ],
)
def test_what_is_refused_for_good_says_so(
    world: World, row: Conversation, server: type[Server], error: Exception, state: Delivery
) -> None:
    def refuse() -> None:
        raise error

    sent = verbs.answer(world.actor(world.alice), row.uuid, "Sí")
    server.on_send = staticmethod(refuse)
    sending.deliver(sent.uuid)
    sent.refresh_from_db()
    assert sent.state == state
    assert sent.state_reason
    assert ANA not in sent.state_reason


def test_a_server_that_does_not_answer_is_tried_again(
    world: World, row: Conversation, server: type[Server]
) -> None:
    def silent() -> None:
        raise ConnectionRefusedError

    sent = verbs.answer(world.actor(world.alice), row.uuid, "Sí")
    server.on_open = staticmethod(silent)
    with pytest.raises(outbox.TryLater):
        sending.deliver(sent.uuid)
    sent.refresh_from_db()
    assert sent.state == Delivery.QUEUED


def test_no_file_leaves_before_the_scanner_has_cleared_it(
    world: World, row: Conversation, server: type[Server]
) -> None:
    alice = world.actor(world.alice)
    file = verbs.attach(alice, row.uuid, [PAPER], "modelo.pdf")
    sent = verbs.answer(alice, row.uuid, "Adjunto", attachments=[file.uuid])
    sent.attachments.update(scan="unavailable")
    with pytest.raises(outbox.TryLater):
        sending.deliver(sent.uuid)
    sent.attachments.update(scan="infected")
    sending.deliver(sent.uuid)
    sent.refresh_from_db()
    assert (sent.state, sent.state_reason, server.sent) == (
        *(Delivery.FAILED, "The virus scanner found a virus in it."),
        [],
    )


def test_doubt_is_said_and_a_person_sends_again(
    world: World, row: Conversation, server: type[Server]
) -> None:
    alice = world.actor(world.alice)
    sent = verbs.answer(alice, row.uuid, "Sí")
    sending.doubt(sent.uuid)
    sending.deliver(sent.uuid)
    assert server.sent == []
    sent.refresh_from_db()
    assert sent.state == Delivery.UNKNOWN

    new = verbs.send_again(alice, row.uuid, sent.number)
    sending.deliver(new.uuid)
    assert [mail.body.split("\n")[0] for mail in server.sent] == ["Sí"]
    with pytest.raises(Conflict):
        verbs.send_again(alice, row.uuid, sent.number)
    with pytest.raises(Conflict):
        verbs.send_again(alice, row.uuid, new.number)


def test_an_account_speaks_to_its_own_server(world: World, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    account = make_mailbox(
        world.unit, smtp_host="127.0.0.1", smtp_port=2525, smtp_security="tls", smtp_user="u"
    )
    account.secrets = {"smtp_password": "secreto"}
    account.save()
    backend: Any = sending.connection_of(account)
    assert (backend.host, backend.port, backend.username, backend.password) == (
        *("127.0.0.1", 2525),
        *("u", "secreto"),
    )
    assert (backend.use_ssl, backend.use_tls, backend.timeout) == (True, False, 20)
    assert "secreto" not in account.sealed_settings

    settings.OUTBOUND_ALLOWED_HOSTS = []
    with pytest.raises(outbox.TryLater):
        sending.connection_of(account)


def test_a_file_taken_out_of_an_answer_is_swept(
    world: World, row: Conversation, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    alice = world.actor(world.alice)
    twin = arrive(row.account, letter(id="dos@mail.example", sender="b@example.org")).conversation
    assert twin is not None
    lonely = verbs.attach(alice, row.uuid, [PAPER], "no.pdf")
    shared = verbs.attach(alice, row.uuid, [PAPER + b"% also there"], "si.pdf")
    kept = verbs.attach(alice, twin.uuid, [PAPER + b"% also there"], "si.pdf")
    assert shared.sha256 == kept.sha256
    for file in (lonely, shared):
        verbs.detach(alice, row.uuid, file.uuid)
    with pytest.raises(NotFound):
        verbs.detach(alice, row.uuid, lonely.uuid)
    forget_draft_papers()
    assert (tmp_path / lonely.path).exists(), "an upload of the same bytes may be on its way"
    DraftPaper.objects.unscoped("a test's clock").update(
        waits_since=timezone.now() - timedelta(days=2)
    )
    for file in (lonely, kept):
        os.utime(tmp_path / file.path, (time.time() - 2 * 86_400,) * 2)
    forget_draft_papers()
    assert not (tmp_path / lonely.path).exists()
    assert (tmp_path / kept.path).exists()
    assert twin.attachments.get() == kept


# --- Who may ---------------------------------------------------------------------------------------


def test_two_do_not_answer_one_citizen(world: World, row: Conversation) -> None:
    second = employee(world.here, "agent", unit=world.unit, full_name="Segunda")
    verbs.take(world.actor(world.alice), row.uuid)
    with pytest.raises(Conflict):
        verbs.take(world.actor(second), row.uuid)
    with pytest.raises(Refused):
        verbs.answer(world.actor(second), row.uuid, "Yo también")
    with pytest.raises(Refused):
        verbs.release(world.actor(second), row.uuid)
    boss = employee(world.here, "supervisor", unit=world.unit, full_name="Jefa")
    verbs.release(world.actor(boss), row.uuid)
    verbs.take(world.actor(second), row.uuid)
    row.refresh_from_db()
    assert row.owner == second


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_others_units_and_organisations_have_no_such_thread(
    world: World, row: Conversation, who: str
) -> None:
    actor = world.actor(getattr(world, who))
    for act in (
        lambda: verbs.take(actor, row.uuid),
        lambda: verbs.answer(actor, row.uuid, "x"),
        lambda: verbs.close(actor, row.uuid),
        lambda: verbs.mark_spam(actor, row.uuid),
        lambda: verbs.attach(actor, row.uuid, [PAPER], "x.pdf"),
    ):
        with pytest.raises(NotFound):
            act()
    assert Message.objects.count() == 1


def test_a_closed_thread_is_not_answered(world: World, row: Conversation) -> None:
    alice = world.actor(world.alice)
    verbs.close(alice, row.uuid)
    with pytest.raises(Conflict):
        verbs.answer(alice, row.uuid, "tarde")
