"""daphne, the worker and Valkey are killed while people talk, and the worker while e-mails leave: by the
message table and the mail server's ledger nothing is lost and nobody gets anything twice."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django import DjangoDbBlocker

from channels_app.email import verbs
from channels_app.models import (
    AgentSlot,
    Conversation,
    Delivery,
    Direction,
    Message,
    Offer,
    Presence,
    WorkItem,
)
from crm.accounts.models import User
from crm.kit.management.commands.prepare import sync_schedules
from crm.kit.models import Outbox, StreamHead
from crm.organisations.models import Unit
from tests.campaigns.sink import Ledger, sink
from tests.factories.accounts import acting, employee
from tests.factories.channels_app import make_account, make_agent, make_queue
from tests.factories.mail import arrive, letter, make_mailbox
from tests.factories.organisations import OrganisationFactory, UnitFactory
from tests.faults.talking import Employee, Follower, Visitor, keys_of, speaking, until
from tests.journeys.product import VALKEY, WEB, WORKER, Product, copied_database

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

WORDS = 24  # of each side; a visitor may say sixty in a minute
LETTERS = 24


@pytest.fixture
def _django_db_helper() -> None:
    """In place of pytest-django's transaction: what happens here is of other processes, which commit."""


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with sink() as taken:
        yield taken


@pytest.fixture(scope="module")
def unit(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Unit, str]]:
    with django_db_blocker.unblock(), copied_database() as database:
        sync_schedules()
        organisation = OrganisationFactory(code="FALLOS", name="Organismo de prueba")
        yield UnitFactory(organisation=organisation, code="CHAT", name="Chat"), database


@pytest.fixture(scope="module")
def product(
    unit: tuple[Unit, str], ledger: Ledger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    place = tmp_path_factory.mktemp("faults")
    with Product(unit[1], place, EMAIL_URL=f"smtp://127.0.0.1:{ledger.port}") as running:
        yield running


class Talk:
    """A conversation in full swing, followed by both sides."""

    def __init__(self, product: Product, unit: Unit) -> None:
        self.product = product
        number = WorkItem.objects.count()
        self.queue = make_queue(unit, f"cola-{number}")
        self.user: User = employee(unit.organisation, "agent", unit=unit)
        self.slot = make_agent(self.user, self.queue)
        self.visitor = Visitor(product.port)
        self.agent = Employee(product.port, user=self.user)
        self.agent.sign_in()
        self.row: Conversation = self.visitor.begin(make_account(self.queue))
        self.agent.accept(self.row)
        self.followers: list[Follower] = [self.visitor.follow(), self.agent.follow()]
        for follower in self.followers:
            assert follower.caught_up.wait(30), product.logs()

    @property
    def taken(self) -> int:
        return min(len(self.visitor.said), len(self.agent.said))

    def require_whole(self) -> None:
        """Everything said stands once, in the order of who said it, and both sides have heard it all."""
        said = keys_of(self.row, Direction.IN)
        assert said[1:] == self.visitor.said  # the first is the form's
        assert keys_of(self.row, Direction.OUT) == self.agent.said
        everything = list(range(1, 2 * WORDS + 2))
        stored = Message.objects.filter(conversation=self.row).order_by("number")
        assert list(stored.values_list("number", flat=True)) == everything
        streams = (self.row.visitor_stream, self.row.stream)
        for follower, stream in zip(self.followers, streams, strict=True):
            head = StreamHead.objects.get(pk=stream).seq
            until(
                lambda f=follower, h=head: f.seq >= h,
                "not everything is told",
                lambda f=follower, h=head: (f.seq, h, f.links, f.closed_by, self.product.logs()),
            )
            assert [seq for seq, _patch in follower.heard] == list(range(1, head + 1))
            assert follower.numbers() == everything[1:]

    def leave(self) -> None:
        for follower in self.followers:
            follower.stop()


@pytest.fixture
def talk(product: Product, unit: tuple[Unit, str]) -> Iterator[Talk]:
    found = Talk(product, unit[0])
    yield found
    found.leave()


def copies_to(ledger: Ledger, address: str) -> list[str]:
    return [name for name, recipient in ledger.taken if recipient == address]


def pass_time() -> None:
    """What the dead held is held no longer, and the clock looks again: ten minutes have passed."""
    Outbox.objects.exclude(lease_until=None).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    sweepers = PeriodicTask.objects.filter(task__in=["kit.sweep_outbox", "channels.sweep"])
    sweepers.update(last_run_at=timezone.now() - timedelta(minutes=10))


def words(who: str, first: int, last: int) -> list[str]:
    return [f"Palabra {number} de {who}" for number in range(first, last + 1)]


def test_daphne(talk: Talk, product: Product) -> None:
    with (
        speaking(talk.visitor, words("visitante", 1, WORDS)),
        speaking(talk.agent, words("empleada", 1, WORDS)),
    ):
        until(lambda: talk.taken >= WORDS // 4, "they do not talk")
        product.kill(WEB)
        assert talk.taken < WORDS
        product.start(WEB)
    assert talk.visitor.tries > WORDS  # it was in the middle, indeed
    talk.require_whole()
    assert [follower.links > 1 for follower in talk.followers] == [True, True]


def test_valkey_and_what_was_said_meanwhile_is_told_though_nobody_speaks_any_more(
    talk: Talk, product: Product, ledger: Ledger
) -> None:
    half = WORDS // 2
    with (
        speaking(talk.visitor, words("visitante", 1, half)),
        speaking(talk.agent, words("empleada", 1, half)),
    ):
        until(lambda: talk.taken >= half // 2, "they do not talk")
        product.kill(VALKEY)
    with (
        speaking(talk.visitor, words("visitante", half + 1, WORDS)),
        speaking(talk.agent, words("empleada", half + 1, WORDS)),
    ):
        pass  # all of it while nobody can be told
    product.start(VALKEY)
    talk.require_whole()
    product.wait_until_well()  # Valkey knows of no worker but one that has come back to it
    talk.visitor.ask_for_copy("valkey@example.org")
    until(lambda: copies_to(ledger, "valkey@example.org"), "the copy stays", product.logs)
    assert len(copies_to(ledger, "valkey@example.org")) == 1


def test_the_worker_and_what_it_owed(talk: Talk, product: Product, ledger: Ledger) -> None:
    """The talk goes on without it; what rang meanwhile rings at somebody else, and a copy goes once."""
    with (
        speaking(talk.visitor, words("visitante", 1, WORDS)),
        speaking(talk.agent, words("empleada", 1, WORDS)),
    ):
        until(lambda: talk.taken >= WORDS // 4, "they do not talk")
        product.kill(WORKER)
    talk.require_whole()
    other = employee(talk.row.organisation, "agent", unit=talk.row.unit)
    make_agent(other, talk.queue)
    waiting = Visitor(product.port).begin(talk.queue.accounts.get())
    offer = Offer.objects.get(item__conversation=waiting)
    assert offer.agent.user == other
    third = make_agent(employee(talk.row.organisation, "agent", unit=talk.row.unit), talk.queue)
    Offer.objects.filter(pk=offer.pk).update(expires_at=timezone.now())
    talk.visitor.ask_for_copy("remedios@example.org")
    assert copies_to(ledger, "remedios@example.org") == []

    pass_time()
    product.start(WORKER)

    rings = Offer.objects.filter(item__conversation=waiting, outcome=None, agent=third)
    until(rings.exists, "it is offered to nobody else", product.logs)
    offer.refresh_from_db()
    assert offer.outcome == Offer.Outcome.EXPIRED
    assert AgentSlot.objects.get(user=other).state == Presence.PAUSED
    until(lambda: not Outbox.objects.exists(), "the copy stays", product.logs)
    assert len(copies_to(ledger, "remedios@example.org")) == 1
    copy = ledger.messages[-1].get_payload(decode=True)
    assert isinstance(copy, bytes)
    for said in (*words("visitante", 1, WORDS), *words("empleada", 1, WORDS)):
        assert copy.decode().count(f"{said}\r\n") == 1


def test_the_worker_while_answers_leave_by_e_mail(
    product: Product, unit: tuple[Unit, str], ledger: Ledger
) -> None:
    account = make_mailbox(unit[0], "atencion@fallos.example", acknowledge=False)
    alice = acting(employee(unit[0].organisation, "agent", unit=unit[0]))
    product.kill(WORKER)
    for number in range(LETTERS):
        came = arrive(
            account,
            letter(
                sender=f"a{number}@correo.example",
                to=account.address,
                id=f"{number}@correo.example",
            ),
        )
        assert came.conversation is not None
        verbs.answer(alice, came.conversation.uuid, f"Respuesta {number}")
    already = len(ledger.taken)
    product.start(WORKER)
    until(lambda: len(ledger.taken) > already + LETTERS // 4, "nothing leaves", product.logs)
    product.kill(WORKER)
    assert len(ledger.taken) - already < LETTERS
    pass_time()
    product.start(WORKER)
    answers = Message.objects.filter(account=account, direction=Direction.OUT)
    until(
        lambda: not answers.filter(state=Delivery.QUEUED).exists(),
        "answers stay behind",
        product.logs,
    )
    taken = Counter(message_id for message_id, _address in ledger.taken[already:])
    assert set(taken.values()) == {1}
    by_state = {
        state: {
            f"<{name}>"
            for name in answers.filter(state=state).values_list("external_id", flat=True)
        }
        for state in (Delivery.SENT, Delivery.UNKNOWN)
    }
    assert sum(map(len, by_state.values())) == answers.count() == LETTERS
    assert len(by_state[Delivery.UNKNOWN]) <= 1  # one worker hands over one at a time
    assert by_state[Delivery.SENT] <= set(taken)
    assert set(taken) - by_state[Delivery.SENT] <= by_state[Delivery.UNKNOWN]
