"""One conversation for the citizen: what is written on the case's page joins their thread."""

from email.utils import formataddr
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail

from cases import services as cases
from cases.models import Case
from cases.models import Message as CaseMessage
from cases.services.filing import Applicant, file_application
from channels_app.email import intake, sending, verbs
from channels_app.models import ChannelAccount, Conversation, Message
from crm.citizens.models import Channel, Citizen
from crm.kit.mail import mark_of
from tests.campaigns.sink import sink
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory, ProcedureFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mail import ANA, MAILBOX, arrive, letter, make_mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world: World) -> ChannelAccount:
    CaseTypeFactory(organisation=world.here, code="consulta")
    return make_mailbox(world.unit, case_type="consulta", acknowledge=False)


@pytest.fixture
def row(account: ChannelAccount) -> Conversation:
    taken = arrive(account, letter())
    assert taken.conversation is not None
    return taken.conversation


def person(world: World, *addresses: str, **more: Any) -> Citizen:
    citizen = CitizenFactory(organisation=world.here)
    for address in addresses:
        ContactPointFactory(
            citizen=citizen,
            organisation=world.here,
            channel=Channel.EMAIL,
            address=address,
            **more,
        )
    return citizen


def of(case: Case, citizen: Citizen | None) -> None:
    Case.objects.unscoped("a test identifies").filter(pk=case.pk).update(citizen=citizen)


def written(world: World, case: Case, text: str = "Le falta el DNI.") -> CaseMessage:
    message = cases.send_message(world.actor(world.alice), case.uuid, text)
    cases.deliver_message(message.uuid)
    message.refresh_from_db()
    return message


def test_it_goes_on_with_the_citizens_thread(
    world: World, account: ChannelAccount, row: Conversation
) -> None:
    case = row.cases.get()
    of(case, person(world, ANA))
    message = written(world, case)
    assert (message.state, message.address) == ("sent", ANA)
    (sent,) = mail.outbox
    assert sent.to == [ANA]
    assert sent.from_email == formataddr(("Atención de prueba", MAILBOX))
    assert sent.subject == f"Re: Consulta [{case.reference}]"
    headers = sent.extra_headers
    assert headers["In-Reply-To"] == "<uno@mail.example>"
    assert headers["References"] == "<uno@mail.example>"
    assert headers["Message-ID"].startswith(f"<{message.uuid}@")
    assert headers["X-Ventanilla-Mark"] == mark_of(headers["Message-ID"])
    assert "X-Ventanilla-Loop" in headers
    assert "Auto-Submitted" not in headers

    reply = letter(
        "Aquí está",
        id="dos@mail.example",
        headers={
            "In-Reply-To": headers["Message-ID"],
            "References": f"<uno@mail.example> {headers['Message-ID']}",
        },
    )
    again = arrive(account, reply)
    assert (again.status, again.conversation) == ("taken", row)
    assert Case.objects.count() == 1


def test_of_a_case_of_nobody_yet_who_wrote_is_answered(world: World, row: Conversation) -> None:
    message = written(world, row.cases.get())
    assert (message.state, message.address) == ("sent", ANA)
    assert mail.outbox[0].extra_headers["In-Reply-To"] == "<uno@mail.example>"


def test_who_filed_it_is_answered_before_who_wrote_in_it(
    world: World, account: ChannelAccount, row: Conversation
) -> None:
    procedure = ProcedureFactory(unit=world.unit)
    applicant = Applicant(name="Carla", surname1="Cid", email="carla@example.org")
    filed = file_application(
        intake.actor_of(account),
        procedure.code,
        key=uuid4(),
        applicant=applicant,
        answers={},
        request="Pido",
    )
    intake.join_case(intake.actor_of(account), row, filed.case)
    message = written(world, filed.case)
    assert message.address == "carla@example.org"
    assert "In-Reply-To" not in mail.outbox[-1].extra_headers


def test_of_two_who_wrote_nobody_is_guessed(
    world: World, account: ChannelAccount, row: Conversation
) -> None:
    case = row.cases.get()
    other = arrive(account, letter(id="b@m", sender="Bea <bea@example.org>"))
    assert other.conversation is not None
    intake.join_case(intake.actor_of(account), other.conversation, case)
    message = written(world, case)
    assert (message.state, message.address) == ("recorded", "")
    assert mail.outbox == []


def test_somebody_elses_thread_in_the_case_is_not_answered(world: World, row: Conversation) -> None:
    """A neighbour wrote, and the case is another person's."""
    case = row.cases.get()
    of(case, person(world, "titular@example.org"))
    message = written(world, case)
    assert message.address == "titular@example.org"
    (sent,) = mail.outbox
    assert "In-Reply-To" not in sent.extra_headers
    assert sent.subject.startswith(f"[{case.reference}]")


def test_a_mailbox_that_was_given_up_is_not_written_to(world: World, row: Conversation) -> None:
    case = row.cases.get()
    citizen = person(world, "nueva@example.org")
    ContactPointFactory(
        citizen=citizen,
        organisation=world.here,
        channel=Channel.EMAIL,
        address=ANA,
        quality="bad",
    )
    of(case, citizen)
    Conversation.objects.unscoped("a test identifies").update(citizen=citizen)
    assert written(world, case).address == "nueva@example.org"


def test_a_case_without_a_thread_is_answered_as_ever(world: World, account: ChannelAccount) -> None:
    case = CaseFactory(unit=world.unit, citizen=person(world, ANA))
    message = written(world, case)
    assert message.address == ANA
    (sent,) = mail.outbox
    assert set(sent.extra_headers) == {"Message-ID", "X-Ventanilla-Mark"}
    assert sent.subject.startswith(f"[{case.reference}]")


def test_the_page_of_a_case_says_who_gets_it(world: World, row: Conversation, client: Any) -> None:
    client.force_login(employee(world.here, "supervisor"))
    page = client.get(f"/casos/{row.cases.get().uuid}/").content.decode()
    assert f"{ANA} will receive it by e-mail. Nobody has checked who that is." in page


def test_a_receipt_has_no_return_path_and_an_answer_has(world: World, settings: Any) -> None:
    """RFC 3834: what answers by itself leaves with MAIL FROM:<>, so that no machine answers it."""
    with sink() as server:
        settings.EMAIL_BACKEND = "crm.kit.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        box = make_mailbox(world.unit, acknowledge=True)
        taken = arrive(box, letter())
        assert taken.conversation is not None
        verbs.answer(world.actor(world.alice), taken.conversation.uuid, "Con su DNI.")
        rows = Message.objects.unscoped("a test looks").filter(direction="out").order_by("number")
        for row in rows:
            sending.deliver(row.uuid)
    assert server.senders == ["<>", f"<{MAILBOX}>"]
    receipt, answer = server.messages
    assert (receipt["Auto-Submitted"], answer["Auto-Submitted"]) == ("auto-replied", None)
    assert MAILBOX in receipt["From"]
    assert [one for _id, one in server.taken] == [ANA, ANA]
