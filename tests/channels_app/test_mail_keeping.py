"""Sources of letters are kept as long as their case needs them and their organisation says, no longer."""

from datetime import timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from channels_app.email import keeping, verbs
from channels_app.email.intake import actor_of, join_case
from channels_app.email.tasks import forget_mail_sources
from channels_app.models import ChannelAccount, Conversation, InboundMail, Message
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict
from crm.organisations import options
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseTypeFactory
from tests.factories.mail import arrive, letter, make_mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world: World) -> ChannelAccount:
    """A mailbox whose letters open cases."""
    CaseTypeFactory(organisation=world.here, code="consulta")
    return make_mailbox(world.unit, case_type="consulta", acknowledge=False)


def months_ago(months: float) -> None:
    """Everything came and ended then, as far as it has ended."""
    at = timezone.now() - timedelta(days=31 * months)
    with pgtrigger.ignore("channels_app.InboundMail:came_as_it_came"):
        InboundMail.objects.unscoped("a test's clock").update(received_at=at)
    rows = Conversation.objects.unscoped("a test's clock")
    rows.update(last_message_at=at, last_inbound_at=at)
    rows.exclude(closed_at=None).update(closed_at=at)
    Case.objects.unscoped("a test's clock").exclude(closed_at=None).update(closed_at=at)


def close(case: Case) -> None:
    Case.objects.unscoped("a test closes it").filter(pk=case.pk).update(
        category=5, state="closed", closed_at=timezone.now()
    )


def sources() -> list[bytes | None]:
    rows = InboundMail.objects.unscoped("a test looks").order_by("pk")
    return [None if raw is None else bytes(raw) for raw in rows.values_list("raw", flat=True)]


def test_the_source_of_a_closed_case_goes_and_its_words_stay(
    world: World, account: ChannelAccount
) -> None:
    raw = letter(files={"dni.pdf": b"%PDF-1.4\n%x\n"})
    taken = arrive(account, raw)
    assert taken.conversation is not None
    close(taken.conversation.cases.get())
    months_ago(23)
    assert keeping.forget_sources() == 0
    assert sources() == [raw]
    months_ago(25)
    forget_mail_sources()
    assert sources() == [None]
    message = Message.objects.unscoped("a test looks").get()
    assert message.body.startswith("Buenos días")
    assert message.attachments.count() == 1
    entry = AuditEntry.objects.unscoped("a test looks").get(action="retention_run")
    assert (entry.organisation_id, entry.data) == (
        world.here.pk,
        {"kind": "mail_source", "rows": 1},
    )
    assert keeping.forget_sources() == 0
    assert arrive(account, raw).new is False, "it is known by its digest"


def test_what_an_open_case_needs_stays(account: ChannelAccount) -> None:
    arrive(account, letter())
    months_ago(300)
    assert keeping.forget_sources() == 0


def test_a_second_case_that_is_open_needs_it_too(world: World, account: ChannelAccount) -> None:
    taken = arrive(account, letter())
    other = arrive(account, letter(id="dos@m", sender="Bea <bea@example.org>"))
    assert taken.conversation is not None
    assert other.conversation is not None
    close(taken.conversation.cases.get())
    join_case(actor_of(account), taken.conversation, other.conversation.cases.get())
    months_ago(300)
    assert keeping.forget_sources() == 0


def test_a_case_closed_lately_needs_it(account: ChannelAccount) -> None:
    taken = arrive(account, letter())
    assert taken.conversation is not None
    months_ago(300)
    close(taken.conversation.cases.get())
    assert keeping.forget_sources() == 0


def test_a_thread_that_goes_on_keeps_its_letters(account: ChannelAccount) -> None:
    taken = arrive(account, letter())
    assert taken.conversation is not None
    close(taken.conversation.cases.get())
    months_ago(300)
    rows = Conversation.objects.unscoped("a test's clock")
    rows.update(last_message_at=timezone.now())
    assert keeping.forget_sources() == 0


def test_without_a_case_the_conversation_must_be_closed(world: World) -> None:
    account = make_mailbox(world.unit, acknowledge=False)
    taken = arrive(account, letter())
    assert taken.conversation is not None
    months_ago(300)
    assert keeping.forget_sources() == 0
    verbs.close(world.actor(world.alice), taken.conversation.uuid)
    months_ago(300)
    assert keeping.forget_sources() == 1


def test_what_waits_for_a_decision_stays_and_what_machines_said_goes(
    account: ChannelAccount,
) -> None:
    stranger = arrive(account, letter(to="otra@elsewhere.example"))
    machine = arrive(account, letter(id="m@m", headers={"Auto-Submitted": "auto-replied"}))
    assert (stranger.status, machine.status) == ("quarantine", "aside")
    months_ago(300)
    assert keeping.forget_sources() == 1
    assert [raw is None for raw in sources()] == [False, True]


def test_each_organisation_says_how_long(world: World, account: ChannelAccount) -> None:
    other = make_mailbox(world.foreign_unit, "otra@elsewhere.example", acknowledge=False)
    for box, to in ((account, account.address), (other, other.address)):
        arrive(box, letter(to=to, headers={"Auto-Submitted": "auto-replied"}))
    options.write(world.here, {"mail_source_months": 3})
    world.here.save()
    months_ago(4)
    assert keeping.forget_sources() == 1
    assert [raw is None for raw in sources()] == [True, False]


def test_a_source_is_forgotten_or_as_it_came(account: ChannelAccount) -> None:
    arrive(account, letter())
    rows = InboundMail.objects.unscoped("a test meddles")
    for other in (b"", b"forged"):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(raw=other)
    rows.update(raw=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(raw=letter())


def test_pages_say_that_the_source_is_gone(
    world: World, account: ChannelAccount, client: Client
) -> None:
    taken = arrive(account, letter(headers={"Auto-Submitted": "auto-replied"}))
    assert taken.mail is not None
    months_ago(300)
    keeping.forget_sources()
    agent = employee(world.here, "supervisor")
    client.force_login(agent)
    page = client.get(reverse("mail:apart", args=[taken.mail.uuid]))
    assert page.status_code == 200
    assert "Its source is no longer kept." in page.content.decode()
    assert "Buenos días" in page.content.decode()
    assert client.get(reverse("mail:source", args=[taken.mail.uuid])).status_code == 404
    with pytest.raises(Conflict) as refused:
        verbs.accept(world.actor(agent), taken.mail.uuid)
    assert refused.value.code == "source_forgotten"
