"""Effects leave once: two workers, leases that run out, mail servers that are slow, refuse or die."""

import smtplib
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.utils import timezone

from crm.kit import outbox
from crm.kit.mail import post
from crm.kit.models import Outbox

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "tests.letter"


class PostOffice(BaseEmailBackend):
    """A mail server as bad as a test asks for; `sent` is what reached somebody."""

    sent: ClassVar[list[str]] = []
    on_open: ClassVar[Callable[[], None]]
    on_send: ClassVar[Callable[[], None]]

    def open(self) -> bool:
        """Answer the call, or not."""
        type(self).on_open()
        return True

    def send_messages(self, email_messages: Any) -> int:
        """Take the message, then perhaps fall silent."""
        assert not connection.in_atomic_block
        type(self).sent += [message.subject for message in email_messages]
        type(self).on_send()
        return len(email_messages)


class Gate:
    """Somebody comes to it and waits until it opens; from then on all walk through."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self) -> None:
        """Wait here."""
        self.reached.set()
        assert self.opened.wait(20)


@pytest.fixture(autouse=True)
def office(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[PostOffice]:
    settings.EMAIL_BACKEND = f"{__name__}.PostOffice"
    PostOffice.sent = []
    PostOffice.on_open = PostOffice.on_send = staticmethod(lambda: None)
    return PostOffice


@pytest.fixture(autouse=True)
def doubts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Letters leave by mail; what is in doubt is told here."""
    told: list[str] = []

    def write(payload: Mapping[str, Any]) -> None:
        post(EmailMessage(payload["to"], "x", "a@example.org", [f"{payload['to']}@example.org"]))

    monkeypatch.setitem(outbox._effects, TOPIC, [write])
    monkeypatch.setitem(outbox._in_doubt, TOPIC, lambda payload: told.append(payload["to"]))
    return told


@pytest.fixture
def worker() -> Iterator[Callable[[], threading.Thread]]:
    """Another worker that drains, started by a call."""
    threads: list[threading.Thread] = []

    def run() -> None:
        try:
            outbox.drain()
        finally:
            connection.close()

    def start() -> threading.Thread:
        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(20)


def owe(*names: str) -> None:
    for name in names:
        outbox.send_later(TOPIC, {"to": name})


def leases_run_out() -> None:
    Outbox.objects.exclude(lease_until=None).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    outbox.sweep()


def states() -> list[Outbox.Status]:
    return [Outbox.Status(state) for state in Outbox.objects.values_list("status", flat=True)]


def test_a_lease_lost_before_the_handing_over_sends_nothing(
    office: type[PostOffice], worker: Callable[[], threading.Thread]
) -> None:
    gate = office.on_open = Gate()
    owe("rosa")
    slow = worker()
    assert gate.reached.wait(20)
    leases_run_out()
    office.on_open = staticmethod(lambda: None)
    assert outbox.drain() == 1
    assert office.sent == ["rosa"]
    gate.opened.set()
    slow.join(20)
    assert office.sent == ["rosa"]
    assert states() == []


def test_what_is_being_handed_over_is_nobody_elses_and_the_rest_of_the_batch_goes_once(
    office: type[PostOffice], worker: Callable[[], threading.Thread]
) -> None:
    gate = office.on_send = Gate()
    owe("rosa", "luis", "ana")
    slow = worker()
    assert gate.reached.wait(20)
    assert sorted(states()) == [
        Outbox.Status.LEASED,
        Outbox.Status.LEASED,
        Outbox.Status.LEAVING,
    ]
    Outbox.objects.filter(status=Outbox.Status.LEASED).update(lease_until=timezone.now())
    assert outbox.sweep() == 2
    office.on_send = staticmethod(lambda: None)
    assert outbox.drain() == 2
    gate.opened.set()
    slow.join(20)
    assert sorted(office.sent) == ["ana", "luis", "rosa"]
    assert states() == []


def test_leases_are_renewed_on_the_way_and_a_row_that_was_lost_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "LEASE", timedelta(0))  # half of it is over at once
    ran: list[str] = []
    leases = []

    def first_loses_the_second(payload: Mapping[str, Any]) -> None:
        ran.append(payload["to"])
        lost = Outbox.objects.filter(payload__to="luis")
        lost.update(status=Outbox.Status.PENDING, owner="", lease_until=None)
        leases.append(Outbox.objects.get(payload__to="ana").lease_until)

    monkeypatch.setitem(outbox._effects, TOPIC, [first_loses_the_second])
    owe("rosa", "luis", "ana")
    assert outbox.drain() == 3
    assert ran == ["rosa", "ana"]
    assert leases[0] < leases[1]
    assert list(Outbox.objects.values_list("payload__to", "status")) == [("luis", 0)]


def test_a_worker_that_died_while_handing_over_leaves_a_doubt_and_no_second_copy(
    office: type[PostOffice], doubts: list[str]
) -> None:
    def die() -> None:
        raise SystemExit

    office.on_send = staticmethod(die)
    owe("rosa")
    with pytest.raises(SystemExit):
        outbox.drain()
    assert (outbox.sweep(), outbox.drain(), doubts) == (0, 0, [])  # it may still be about it
    leases_run_out()
    assert outbox.drain() == 0
    assert (office.sent, doubts, states()) == (["rosa"], ["rosa"], [Outbox.Status.DEAD])
    leases_run_out()
    assert doubts == ["rosa"]
    assert Outbox.objects.get().last_error.startswith("In doubt.")


def test_who_comes_back_after_all_ends_the_doubt(
    office: type[PostOffice], worker: Callable[[], threading.Thread], doubts: list[str]
) -> None:
    gate = office.on_send = Gate()
    owe("rosa")
    slow = worker()
    assert gate.reached.wait(20)
    leases_run_out()
    assert (doubts, states()) == (["rosa"], [Outbox.Status.DEAD])
    gate.opened.set()
    slow.join(20)
    assert states() == []


def test_a_doubt_that_cannot_be_told_now_is_told_later(
    office: type[PostOffice], doubts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off() -> None:
        raise smtplib.SMTPServerDisconnected

    def fail(_payload: object) -> None:
        raise ValueError

    office.on_send = staticmethod(break_off)
    owe("rosa")
    with monkeypatch.context() as patched:
        patched.setitem(outbox._in_doubt, TOPIC, fail)
        outbox.drain()
    assert (doubts, states()) == ([], [Outbox.Status.LEAVING])
    leases_run_out()
    assert (doubts, states()) == (["rosa"], [Outbox.Status.DEAD])


@pytest.mark.parametrize(
    ("where", "error", "state", "doubted"),
    [
        ("on_open", ConnectionRefusedError(), Outbox.Status.PENDING, False),
        ("on_open", TimeoutError(), Outbox.Status.PENDING, False),
        ("on_open", smtplib.SMTPAuthenticationError(535, b"no"), Outbox.Status.PENDING, False),
        ("on_send", smtplib.SMTPDataError(451, b"later"), Outbox.Status.PENDING, False),
        ("on_send", smtplib.SMTPSenderRefused(451, b"", "a"), Outbox.Status.PENDING, False),
        ("on_send", smtplib.SMTPRecipientsRefused({"x": (450, b"")}), Outbox.Status.PENDING, False),
        ("on_send", smtplib.SMTPRecipientsRefused({"x": (550, b"")}), Outbox.Status.DEAD, False),
        ("on_send", ValueError("a line break in a header"), Outbox.Status.DEAD, False),
        ("on_send", smtplib.SMTPServerDisconnected(), Outbox.Status.DEAD, True),
        ("on_send", TimeoutError(), Outbox.Status.DEAD, True),
        ("on_send", RuntimeError("a bug"), Outbox.Status.DEAD, True),
    ],
    ids=str,
)
def test_what_surely_was_not_taken_is_tried_again_and_what_may_have_been_is_not(
    office: type[PostOffice],
    doubts: list[str],
    where: str,
    error: Exception,
    state: Outbox.Status,
    doubted: bool,
) -> None:
    def fail() -> None:
        raise error

    setattr(office, where, staticmethod(fail))
    owe("rosa")
    outbox.drain()
    assert states() == [state]
    assert doubts == (["rosa"] if doubted else [])
    row = Outbox.objects.get()
    assert row.lease_until is None
    assert row.last_error


def test_nothing_is_handed_over_within_a_transaction(office: type[PostOffice]) -> None:
    owe("rosa")
    with transaction.atomic():
        outbox.drain()
    assert office.sent == []
