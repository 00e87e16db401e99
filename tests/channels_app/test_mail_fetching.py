"""In by IMAP, against a real socket: nothing lost when the reader dies, nothing twice, errors shown."""

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels_app.email import accounts, fetching, intake, sending
from channels_app.email.accounts import AccountSaid
from channels_app.email.setup import MailSetup, setup_of
from channels_app.email.tasks import fetch_mailbox
from channels_app.models import ChannelAccount, Conversation, InboundMail, Mailbox
from crm.kit.errors import Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.mail import letter, make_mailbox
from tests.imap_server import Box, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(settings: Any) -> Iterator[Box]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    with serving() as found:
        yield found


@pytest.fixture
def account(world: World, box: Box) -> ChannelAccount:
    row = make_mailbox(world.unit, imap_host="127.0.0.1", imap_port=box.port, imap_security="plain")
    row.secrets = {"imap_password": "secreto"}
    row.save()
    return row


def look(account: ChannelAccount) -> int:
    """The mailbox is looked into now, whatever its time."""
    Mailbox.objects.filter(account=account).update(next_try_at=timezone.now())
    fresh = ChannelAccount.objects.select_related("organisation", "unit", "queue").get(
        pk=account.pk
    )
    return fetching.fetch(fresh)


def letters(count: int) -> list[bytes]:
    return [letter(f"Carta {n}", id=f"{n}@mail.example") for n in range(count)]


def test_what_is_new_comes_in_once_and_is_marked(account: ChannelAccount, box: Box) -> None:
    box.add(*letters(3))
    assert look(account) == 3
    assert InboundMail.objects.count() == 3
    assert box.seen == {1, 2, 3}

    assert look(account) == 0, "a server gives the last message for a range past it"
    box.add(letter("Otra", id="9@m"))
    assert look(account) == 1
    assert box.fetched == [1, 2, 3, 4]
    assert Conversation.objects.count() == 4


def test_nothing_is_lost_when_the_server_breaks_off(account: ChannelAccount, box: Box) -> None:
    box.add(*letters(4))
    box.break_at = 3
    assert look(account) == 0
    mailbox = Mailbox.objects.get()
    assert (mailbox.last_uid, mailbox.failures, mailbox.last_error) == (
        *(2, 1),
        "The server broke off.",
    )
    box.break_at = 0
    assert look(account) == 2
    mailbox.refresh_from_db()
    assert (mailbox.last_uid, mailbox.failures, mailbox.failed_at) == (4, 0, None)
    assert InboundMail.objects.count() == 4


def test_a_worker_that_dies_after_taking_in_repeats_nothing(
    account: ChannelAccount, box: Box
) -> None:
    """It dies before it can say how far it read: the next one meets the same messages."""
    box.add(*letters(2))
    look(account)
    Mailbox.objects.update(last_uid=0)
    assert look(account) == 2
    assert (InboundMail.objects.count(), Conversation.objects.count()) == (2, 2)


def test_a_server_that_numbers_anew_is_read_from_the_beginning(
    account: ChannelAccount, box: Box
) -> None:
    box.add(*letters(2))
    look(account)
    box.mails = {1: letter("Nueva", id="new@m"), 2: letters(2)[0]}
    box.validity = 2
    assert look(account) == 2
    assert InboundMail.objects.count() == 3
    assert Mailbox.objects.get().uid_validity == 2


def test_one_message_that_breaks_us_stops_no_other(
    account: ChannelAccount, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = intake.take_in

    def take_in(row: ChannelAccount, raw: bytes, *, uid: int | None = None) -> Any:
        if b"Carta 1" in raw:
            raise RuntimeError("a bug of ours")
        return real(row, raw, uid=uid)

    monkeypatch.setattr(intake, "take_in", take_in)
    box.add(*letters(3))
    assert look(account) == 3
    found = InboundMail.objects.get(status="quarantine")
    assert (found.reason, b"Carta 1" in bytes(found.raw)) == ("unreadable", True)
    assert Conversation.objects.count() == 2


def test_of_a_message_that_is_too_large_the_head_is_kept(
    account: ChannelAccount, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 2_000)
    box.add(letter("x" * 60 + "\n" + "y\n" * 2_000))
    assert look(account) == 1
    assert box.fetched == []
    assert InboundMail.objects.get().sender == "ana@example.org"


def test_only_one_worker_reads_a_mailbox(account: ChannelAccount, box: Box) -> None:
    box.add(*letters(1))
    Mailbox.objects.create(account=account, next_try_at=timezone.now() + timedelta(minutes=4))
    assert fetching.fetch(account) == 0
    assert box.fetched == []
    assert str(account.uuid) not in fetching.due()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"imap_password": "otro"}, "The server does not accept the user or the password."),
        ({"folder": "Nada"}, "There is no folder “Nada”."),
        ({"imap_port": 1}, "The server does not answer (ConnectionRefusedError)."),
        ({"imap_security": "tls"}, "The server's certificate is not trusted."),
    ],
)
def test_what_is_wrong_is_shown_and_tried_again(
    account: ChannelAccount, box: Box, change: dict[str, Any], told: str, client: Client
) -> None:
    password = change.pop("imap_password", None)
    if password:
        account.secrets = {"imap_password": password}
    account.settings |= change
    account.save()
    assert look(account) == 0
    mailbox = Mailbox.objects.get()
    assert (mailbox.last_error, mailbox.failures) == (told, 1)
    assert mailbox.next_try_at > timezone.now()
    health = client.get("/healthz").json()
    assert health["mailboxes"] == 1
    assert "mailboxes" not in health["alarms"]
    Mailbox.objects.update(failed_at=timezone.now() - timedelta(minutes=20))
    assert "mailboxes" in client.get("/healthz").json()["alarms"]


def test_a_mailbox_that_no_worker_looks_into_is_an_alarm(
    account: ChannelAccount, world: World, box: Box, client: Client
) -> None:
    look(account)
    make_mailbox(world.unit, "sin-servidor@here.example")
    assert "mailboxes" not in client.get("/healthz").json()["alarms"]
    Mailbox.objects.update(next_try_at=timezone.now() - timedelta(minutes=11))
    health = client.get("/healthz").json()
    assert (health["mailboxes"], "mailboxes" in health["alarms"]) == (1, True)


def test_a_server_inside_is_not_called(account: ChannelAccount, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = []
    assert look(account) == 0
    assert Mailbox.objects.get().last_error == "This server may not be called from here."


def test_the_schedule_finds_who_is_due(account: ChannelAccount, world: World, box: Box) -> None:
    make_mailbox(world.unit, "sin-servidor@here.example")
    assert fetching.due() == [str(account.uuid)]
    box.add(*letters(1))
    fetch_mailbox(str(account.uuid))
    assert InboundMail.objects.count() == 1
    assert fetching.due() == []
    account.is_active = False
    account.save()
    Mailbox.objects.update(next_try_at=timezone.now())
    assert fetching.due() == []


# --- Setting an account up ------------------------------------------------------------------------


def said(world: World, **changes: Any) -> AccountSaid:
    setup = changes.pop("setup", MailSetup(imap_host="imap.example"))
    fields: dict[str, Any] = {
        "name": "Atención",
        "address": "Atencion@Here.example",
        "unit": world.unit.uuid,
        "is_active": True,
        "setup": setup,
        "passwords": {"imap_password": "uno", "smtp_password": ""},
    }
    return AccountSaid(**{**fields, **changes})


def test_an_account_is_set_up_by_who_may(world: World) -> None:
    admin = world.actor(employee(world.here, "administrator", full_name="Ada"))
    row = accounts.save_account(admin, said(world))
    assert (row.address, row.secrets) == ("atencion@here.example", {"imap_password": "uno"})
    assert "uno" not in row.sealed_settings
    assert row.queue is not None
    assert row.queue.unit == world.unit

    kept = said(world, passwords={"imap_password": "", "smtp_password": ""}, name="Otra")
    assert accounts.save_account(admin, kept, row.uuid).secrets == {"imap_password": "uno"}
    elsewhere = said(
        world,
        passwords={"imap_password": "", "smtp_password": ""},
        setup=MailSetup(imap_host="evil.example"),
    )
    moved = accounts.save_account(admin, elsewhere, row.uuid)
    assert moved.secrets == {}, "a stored password goes to no other server"
    assert setup_of(moved).imap_host == "evil.example"

    with pytest.raises(Invalid):
        accounts.save_account(admin, said(world))  # the address is taken
    with pytest.raises(Refused):
        accounts.save_account(world.actor(world.alice), said(world))
    stranger = world.actor(employee(world.elsewhere, "administrator", full_name="Eva"))
    with pytest.raises(NotFound):
        accounts.save_account(stranger, said(world), row.uuid)


@pytest.mark.parametrize(
    "host", ["https://mail.example.org", "mail.example.org:993", "x y", "a..b"]
)
def test_what_is_no_name_of_a_server_is_told_at_its_field(world: World, host: str) -> None:
    admin = world.actor(employee(world.here, "administrator", full_name="Ada"))
    wrong = MailSetup(
        imap_host=host, smtp_host="mail.example.org", aliases=("a@b.example", "nadie")
    )
    with pytest.raises(Invalid) as refused:
        accounts.save_account(admin, said(world, setup=wrong))
    assert refused.value.errors.keys() == {"imap_host", "aliases"}
    assert [str(text).partition(":")[0] for text in refused.value.errors["aliases"]] == ["nadie"]
    assert not ChannelAccount.objects.unscoped("a test").exists()


@pytest.mark.parametrize("host", ["correo", "mail.example.org", "10.0.0.4", "2001:db8::4"])
def test_names_and_numbers_of_servers_are_taken(world: World, host: str) -> None:
    admin = world.actor(employee(world.here, "administrator", full_name="Ada"))
    row = accounts.save_account(admin, said(world, setup=MailSetup(imap_host=host)))
    assert row.settings["imap_host"] == host


def test_trying_says_what_works(world: World, account: ChannelAccount, box: Box) -> None:
    admin = world.actor(employee(world.here, "administrator", full_name="Ada"))
    assert [(one.what, one.problem) for one in accounts.try_account(admin, account.uuid)] == [
        ("imap", "")
    ]
    box.password = "otra"
    (tried,) = accounts.try_account(admin, account.uuid)
    assert tried.problem == "The server does not accept the user or the password."
    assert box.fetched == []


# --- Where the connection goes ---------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_a_mail_server_is_spoken_to_at_the_address_that_was_checked(
    world: World, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers from outside first and from inside next (DNS rebinding) leads nowhere inside;
    the certificate is still asked for the host's name."""
    asked: list[str] = []
    called: list[object] = []

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.215.14" if len(asked) % 2 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    account = make_mailbox(
        world.unit,
        imap_host="rebind.example",
        imap_port=993,
        imap_security=security,
        smtp_host="rebind.example",
        smtp_port=587,
        smtp_security=security,
    )
    with pytest.raises(fetching.Unreachable), fetching.session(account):
        pass
    asked.clear()
    backend: Any = sending.connection_of(account)
    with pytest.raises(ConnectionRefusedError):
        backend.open()
    assert called == [("93.184.215.14", 993), ("93.184.215.14", 587)]


def test_a_certificate_is_asked_for_the_name_and_not_for_the_address(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[object] = []

    def wrap(_self: ssl.SSLContext, sock: socket.socket, **said: Any) -> socket.socket:
        named.append(said.get("server_hostname"))
        raise ssl.SSLCertVerificationError

    def resolve(_host: str, port: int, **_: object) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.215.14", port))]

    ends = [*socket.socketpair(), *socket.socketpair()]
    given = iter(ends)

    def connect(*_: object, **__: object) -> socket.socket:
        return next(given)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    account = make_mailbox(
        world.unit,
        imap_host="mail.example",
        imap_port=993,
        imap_security="tls",
        smtp_host="mail.example",
        smtp_port=465,
        smtp_security="tls",
    )
    with pytest.raises(fetching.Unreachable), fetching.session(account):
        pass
    backend: Any = sending.connection_of(account)
    with pytest.raises(ssl.SSLCertVerificationError):
        backend.open()
    assert named == ["mail.example", "mail.example"]
    for one in ends:
        one.close()
