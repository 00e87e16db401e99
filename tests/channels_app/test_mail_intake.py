"""Letters find their thread and case, once; strangers, machines and loops are kept apart."""

import threading
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from cases import services as cases
from cases.models import Case, Event
from channels_app import services
from channels_app.email import intake, sending, verbs
from channels_app.models import (
    Attachment,
    Author,
    ChannelAccount,
    Conversation,
    ConversationCase,
    Delivery,
    Direction,
    InboundMail,
    Message,
    State,
)
from crm.citizens.models import Channel, ContactPoint
from crm.kit.mail import mark_of
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mail import ANA, MAILBOX, arrive, letter, make_mailbox
from tests.house.estate import PAPER

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world: World) -> ChannelAccount:
    CaseTypeFactory(organisation=world.here, code="consulta")
    return make_mailbox(world.unit, case_type="consulta")


def answered(world: World, account: ChannelAccount) -> tuple[Conversation, Message]:
    """A thread in which Alice has answered."""
    taken = arrive(account, letter())
    assert taken.conversation is not None
    message = verbs.answer(world.actor(world.alice), taken.conversation.uuid, "Necesita el DNI.")
    taken.conversation.refresh_from_db()
    return taken.conversation, message


# --- A first letter -------------------------------------------------------------------------------


def test_a_letter_becomes_a_conversation_and_a_case(world: World, account: ChannelAccount) -> None:
    raw = letter(files={"dni.pdf": PAPER})
    taken = arrive(account, raw)

    row = Conversation.objects.get()
    assert taken.conversation == row
    assert (row.state, row.unit, row.contact_address) == (State.WAITING, world.unit, ANA)
    case = Case.objects.get()
    assert list(row.cases.all()) == [case]
    assert (case.subject, case.channel, case.unit, case.citizen) == (
        "Consulta",
        Channel.EMAIL,
        world.unit,
        None,
    )
    message = row.messages.get(direction=Direction.IN)
    assert message.body == "Buenos días, ¿qué papeles necesito?"
    assert message.external_id == "uno@mail.example"
    file = Attachment.objects.get()
    assert (file.name, file.media_type, file.message) == ("dni.pdf", "application/pdf", message)
    mail = InboundMail.objects.get()
    assert bytes(mail.raw) == raw
    assert (mail.status, mail.message) == ("taken", message)


def test_nothing_comes_in_twice(account: ChannelAccount) -> None:
    first = arrive(account, letter())
    again = arrive(account, letter())
    assert (again.new, again.conversation) == (False, first.conversation)

    other_way = arrive(account, b"Received: from elsewhere\n" + letter())  # same id, other bytes
    assert other_way.status == "duplicate"
    assert Conversation.objects.count() == 1
    assert Message.objects.filter(direction=Direction.IN).count() == 1
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"sender": "Berta <berta@example.org>"},
        {"text": "Le pido una cita."},
        {"sender": "Berta <berta@example.org>", "text": "Le pido una cita."},
    ],
    ids=["sender", "text", "both"],
)
def test_another_letter_under_a_used_id_is_not_lost(
    account: ChannelAccount, other: dict[str, str]
) -> None:
    """Bug: programs that give all they send one Message-ID, and whoever knew another's, had letters
    put away as come twice, where nobody looks."""
    first = arrive(account, letter())
    second = arrive(account, letter(**other))
    assert (first.status, second.status) == ("taken", "taken")
    assert second.conversation is not None
    assert second.conversation != first.conversation
    assert arrive(account, letter(**other)).new is False
    assert Message.objects.filter(direction=Direction.IN).count() == 2


def test_a_type_that_asks_for_more_loses_no_letter(world: World) -> None:
    fields = {
        "type": "object",
        "properties": {"street": {"type": "string"}},
        "required": ["street"],
    }
    CaseTypeFactory(organisation=world.here, code="calle", fields=fields)
    taken = arrive(make_mailbox(world.unit, case_type="calle"), letter())
    assert taken.status == "taken"
    assert Case.objects.count() == 0


def test_a_citizen_is_proposed_and_never_taken_for_granted(
    world: World, account: ChannelAccount
) -> None:
    citizen = CitizenFactory(organisation=world.here)
    ContactPointFactory(
        citizen=citizen, organisation=world.here, channel=Channel.EMAIL, address=ANA
    )
    taken = arrive(account, letter())
    assert taken.conversation is not None
    assert taken.conversation.citizen is None
    assert Case.objects.get().citizen is None

    alice = world.actor(world.alice)
    verbs.take(alice, taken.conversation.uuid)
    services.identify(alice, taken.conversation.uuid, citizen.uuid)
    taken.conversation.refresh_from_db()
    assert taken.conversation.citizen == citizen
    assert Case.objects.get().citizen == citizen


# --- Threads --------------------------------------------------------------------------------------


def test_an_answer_joins_its_thread_by_our_id(world: World, account: ChannelAccount) -> None:
    row, ours = answered(world, account)
    assert ours.external_id is not None
    assert row.thread_token is not None
    assert row.thread_token in ours.external_id
    reply = letter(
        "Aquí está.", id="dos@mail.example", headers={"In-Reply-To": f"<{ours.external_id}>"}
    )
    taken = arrive(account, reply)
    assert taken.conversation == row
    assert Case.objects.count() == 1
    row.refresh_from_db()
    assert (row.state, row.owner) == (State.ACTIVE, world.alice)


def test_references_count_when_in_reply_to_is_of_nobody(
    world: World, account: ChannelAccount
) -> None:
    row, ours = answered(world, account)
    headers = {"In-Reply-To": "<lost@x>", "References": f"<{ours.external_id}> <other@x>"}
    assert arrive(account, letter("x", id="3@m", headers=headers)).conversation == row


def test_a_second_letter_before_any_answer_joins_by_the_citizens_own_id(
    account: ChannelAccount,
) -> None:
    first = arrive(account, letter())
    again = letter("Se me olvidó.", id="4@m", headers={"References": "<uno@mail.example>"})
    assert arrive(account, again).conversation == first.conversation


def test_a_closed_thread_waits_again_for_anybody(world: World, account: ChannelAccount) -> None:
    row, ours = answered(world, account)
    verbs.close(world.actor(world.alice), row.uuid)
    headers = {"In-Reply-To": f"<{ours.external_id}>"}
    arrive(account, letter("Otra cosa", id="5@m", headers=headers))
    row.refresh_from_db()
    assert (row.state, row.owner, row.closed_at, row.ended_at) == (State.WAITING, None, None, None)


def test_whoever_is_not_in_the_thread_joins_nothing(world: World, account: ChannelAccount) -> None:
    """A stolen or forwarded id opens no citizen's conversation to somebody else."""
    row, ours = answered(world, account)
    headers = {"In-Reply-To": f"<{ours.external_id}>"}
    raw = letter("Mándemelo a mí", sender="mallory@evil.example", id="6@m", headers=headers)
    taken = arrive(account, raw)
    assert (taken.status, taken.reason) == ("quarantine", "stranger")
    assert row.messages.filter(direction=Direction.IN).count() == 1

    verbs.accept(world.actor(world.alice), taken.mail.uuid)  # type: ignore[union-attr]
    assert row.messages.filter(direction=Direction.IN).count() == 2
    row.refresh_from_db()
    assert row.contact_address == ANA, "we go on answering the citizen"


def test_a_forged_sender_needs_our_id(world: World, account: ChannelAccount) -> None:
    answered(world, account)
    forged = {
        "References": "<uno@mail.example>",  # the citizen's own id, which others may have seen
        "Authentication-Results": "mx.here.example; dmarc=fail header.from=example.org",
    }
    taken = arrive(account, letter("Soy Ana", id="7@m", headers=forged))
    assert (taken.status, taken.reason) == ("quarantine", "stranger")


def test_a_number_in_the_subject_counts_only_for_who_is_on_the_case(
    world: World, account: ChannelAccount
) -> None:
    row, _ours = answered(world, account)
    case = Case.objects.get()
    subject = f"Re: Consulta [{case.reference}]"
    assert arrive(account, letter("x", subject=subject, id="8@m")).conversation == row

    stranger = letter("x", subject=subject, id="9@m", sender="otro@example.org")
    taken = arrive(account, stranger)
    assert taken.conversation is not None
    assert taken.conversation != row
    assert case not in taken.conversation.cases.all()


def test_another_accounts_ids_thread_nothing(world: World, account: ChannelAccount) -> None:
    _row, ours = answered(world, account)
    far = make_mailbox(world.foreign_unit, "lejos@else.example")
    headers = {"In-Reply-To": f"<{ours.external_id}>"}
    taken = arrive(far, letter("x", to="lejos@else.example", id="10@m", headers=headers))
    assert taken.conversation is not None
    assert taken.conversation.organisation == world.elsewhere


# --- Kept apart -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (letter(to="otro@here.example"), "unknown_recipient"),
        (letter(sender="undisclosed"), "no_sender"),
    ],
)
def test_what_is_doubtful_waits_in_quarantine(
    account: ChannelAccount, raw: bytes, reason: str
) -> None:
    taken = arrive(account, raw)
    assert (taken.status, taken.reason) == ("quarantine", reason)
    assert not Conversation.objects.exists()


def test_a_catch_all_takes_any_recipient(world: World) -> None:
    taken = arrive(make_mailbox(world.unit, any_recipient=True), letter(to="otro@here.example"))
    assert taken.status == "taken"


def test_spam_is_closed_and_its_sender_looked_at_first(
    world: World, account: ChannelAccount
) -> None:
    alice = world.actor(world.alice)
    taken = arrive(account, letter())
    assert taken.conversation is not None
    verbs.mark_spam(alice, taken.conversation.uuid)
    taken.conversation.refresh_from_db()
    assert taken.conversation.state == State.CLOSED

    second = arrive(account, letter("Otra vez", id="11@m"))
    assert (second.status, second.reason) == ("quarantine", "blocked")
    verbs.accept(alice, second.mail.uuid)  # type: ignore[union-attr]
    assert arrive(account, letter("Y otra", id="12@m")).status == "taken"


def test_a_flood_of_one_sender_is_stopped(
    account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FLOOD", 2)
    found = [arrive(account, letter(id=f"{n}@m")).status for n in range(4)]
    assert found == ["taken", "taken", "quarantine", "quarantine"]


def test_machines_join_their_thread_but_open_nothing(world: World, account: ChannelAccount) -> None:
    alone = arrive(account, letter(id="13@m", headers={"Auto-Submitted": "auto-replied"}))
    assert (alone.status, alone.reason) == ("aside", "machine")
    row, ours = answered(world, account)
    verbs.close(world.actor(world.alice), row.uuid)
    headers = {"Auto-Submitted": "auto-replied", "In-Reply-To": f"<{ours.external_id}>"}
    assert arrive(account, letter("Estoy fuera", id="14@m", headers=headers)).conversation == row
    row.refresh_from_db()
    assert row.state == State.CLOSED, "an absence note opens nothing again"


def test_our_own_mail_and_loops_stop_here(world: World, account: ChannelAccount) -> None:
    make_mailbox(world.other_unit, "sur@here.example")
    own = arrive(account, letter(sender="sur@here.example", id="15@m"))
    assert (own.letter.kind, own.status) == ("own", "aside")
    marked = letter(id="16@m", headers={"X-Ventanilla-Loop": intake.loop_mark()})
    loop = arrive(account, marked)
    assert (loop.letter.kind, loop.status) == ("loop", "aside")
    assert not Conversation.objects.exists()


# --- The receipt ----------------------------------------------------------------------------------


def receipts() -> list[Message]:
    return list(Message.objects.filter(author_kind=Author.SYSTEM, direction=Direction.OUT))


def test_one_receipt_to_a_sender_in_a_while(
    account: ChannelAccount, mailoutbox: list[object]
) -> None:
    arrive(account, letter(subject="BUY NOW"))
    arrive(account, letter(id="17@m"))
    (receipt,) = receipts()
    reference = Case.objects.order_by("pk")[0].reference
    assert receipt.body == f"We have received your message. Its number is {reference}."
    sending.deliver(receipt.uuid)
    (mail,) = mailoutbox
    assert mail.extra_headers["Auto-Submitted"] == "auto-replied"  # type: ignore[attr-defined]
    assert mail.extra_headers["In-Reply-To"] == "<uno@mail.example>"  # type: ignore[attr-defined]
    assert "BUY" not in mail.subject + mail.body  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "headers",
    [
        {"List-Id": "<x.example>"},
        {"Precedence": "bulk"},
        {"X-Auto-Response-Suppress": "All"},
        {"Return-Path": "<>"},
    ],
)
def test_lists_and_machines_get_no_receipt(
    account: ChannelAccount, headers: dict[str, str]
) -> None:
    assert arrive(account, letter(headers=headers)).status == "taken"
    assert receipts() == []


def test_no_reply_addresses_get_no_receipt(account: ChannelAccount) -> None:
    arrive(account, letter(sender="no-reply@example.org"))
    assert receipts() == []


# --- Reports --------------------------------------------------------------------------------------

REPORT = """From: MAILER-DAEMON@mx.example
To: atencion@here.example
Message-ID: <report@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

No pudo ser.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ana@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: <{id}>
X-Ventanilla-Mark: {mark}
--b--
"""


def report_on(
    name: str,
    action: str = "failed",
    status: str = "5.1.1",
    *,
    mark: str | None = None,
    key: str = "report",
) -> bytes:
    """As the server writes that has had the mail; with another `mark`, as somebody else may."""
    known = mark_of(name) if mark is None else mark
    raw = REPORT.format(action=action, status=status, id=name, mark=known)
    return raw.replace("<report@", f"<{key}@").encode()


@pytest.mark.parametrize(
    ("action", "status", "state", "quality"),
    [
        ("failed", "5.1.1", Delivery.FAILED, "bad"),
        ("failed", "4.4.7", Delivery.FAILED, "unsure"),
        ("delayed", "4.4.1", Delivery.QUEUED, "good"),
    ],
)
def test_a_report_marks_the_message_and_the_mailbox(
    world: World, account: ChannelAccount, action: str, status: str, state: int, quality: str
) -> None:
    citizen = CitizenFactory(organisation=world.here)
    point = ContactPointFactory(
        citizen=citizen,
        organisation=world.here,
        channel=Channel.EMAIL,
        address=ANA,
        quality="good",
    )
    _row, ours = answered(world, account)
    taken = arrive(account, report_on(ours.external_id or "", action, status))
    assert (taken.status, taken.mail.about) == ("aside", ours)  # type: ignore[union-attr]
    ours.refresh_from_db()
    assert ours.state == state
    assert ContactPoint.objects.get(pk=point.pk).quality == quality
    assert Conversation.objects.count() == 1


def test_a_report_on_what_a_case_wrote_and_an_answer_to_it(
    world: World, account: ChannelAccount
) -> None:
    """The page of a case writes mail, too: its Message-ID is the message's UUID."""
    citizen = CitizenFactory(organisation=world.here)
    ContactPointFactory(
        citizen=citizen, organisation=world.here, channel=Channel.EMAIL, address=ANA
    )
    case = CaseFactory(unit=world.unit, citizen=citizen)
    written = cases.send_message(world.actor(world.alice), case.uuid, "Le falta el DNI.")
    written.state = "sent"
    written.save()
    headers = {"In-Reply-To": f"<{written.uuid}@here.example>"}
    taken = arrive(account, letter("Aquí está", id="c1@m", headers=headers))
    assert taken.conversation is not None
    assert list(taken.conversation.cases.all()) == [case]
    assert Case.objects.count() == 1

    arrive(account, report_on(f"{written.uuid}@here.example"))
    written.refresh_from_db()
    assert (written.state, written.state_reason) == ("failed", "5.1.1 550 no such user")
    assert ContactPoint.objects.get().quality == "bad"


def test_a_forged_report_is_believed_of_nothing(world: World, account: ChannelAccount) -> None:
    _row, ours = answered(world, account)
    arrive(account, report_on("guessed@here"))
    ours.refresh_from_db()
    assert ours.state == Delivery.QUEUED


@pytest.mark.parametrize("mark", ["", "0" * 32, "é" * 32, mark_of("another@here.example")])
@pytest.mark.parametrize("action", ["failed", "complaint"])
def test_who_knows_but_the_message_id_marks_no_address(
    world: World, account: ChannelAccount, mark: str, action: str
) -> None:
    """A Message-ID goes round in every answer to it: whoever gets one could forge a report."""
    citizen = CitizenFactory(organisation=world.here)
    ContactPointFactory(
        citizen=citizen,
        organisation=world.here,
        channel=Channel.EMAIL,
        address=ANA,
        quality="good",
    )
    _row, ours = answered(world, account)
    case = CaseFactory(unit=world.unit, citizen=citizen)
    written = cases.send_message(world.actor(world.alice), case.uuid, "Le falta el DNI.")
    written.state = "sent"
    written.save()
    for number, name in enumerate([ours.external_id, f"{written.uuid}@here.example"]):
        raw = report_on(name or "", action, mark=mark, key=f"forged-{number}")
        arrive(account, raw)
    assert ContactPoint.objects.get().quality == "good"


# --- Everything at once ---------------------------------------------------------------------------


def test_every_message_of_the_corpus_is_taken_in_or_kept_apart(
    world: World, shared_data: Path
) -> None:
    account = make_mailbox(world.unit, any_recipient=True, acknowledge=False)
    files = [path for path in sorted((shared_data / "email").rglob("*")) if path.is_file()]
    for path in files:
        arrive(account, path.read_bytes())
    assert InboundMail.objects.count() == len({path.read_bytes() for path in files})
    assert set(InboundMail.objects.values_list("status", flat=True)) <= {
        *("taken", "quarantine", "aside", "duplicate"),
    }
    assert Message.objects.filter(direction=Direction.IN).count() >= 90


@pytest.mark.django_db(transaction=True)
def test_the_same_letter_through_two_doors_is_one(world: World) -> None:
    account = make_mailbox(world.unit)
    barrier, failures = threading.Barrier(4), []

    def run() -> None:
        try:
            barrier.wait()
            arrive(account, letter())
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert Conversation.objects.count() == 1
    assert InboundMail.objects.count() == 1
    assert Outbox.objects.filter(topic="channels.deliver_email").count() == 1


# --- The command ----------------------------------------------------------------------------------


def test_the_command_prints_a_line_for_each(
    account: ChannelAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "1.eml", tmp_path / "2.eml"
    first.write_bytes(letter("Hola\n\n-- \nAna"))
    second.write_bytes(letter("Gracias", id="2@m", headers={"References": "<uno@mail.example>"}))

    call_command("ingest_email", str(first), "--dry-run")
    assert capsys.readouterr().out == f"{first}\tmessage\tnew\t-\tHola\n"
    assert not InboundMail.objects.exists()

    call_command("ingest_email", str(first), str(second))
    row = Conversation.objects.get()
    assert capsys.readouterr().out == (
        f"{first}\tmessage\t{row.uuid}\t-\tHola\n{second}\tmessage\t{row.uuid}\t-\tGracias\n"
    )


# --- Where it shows -------------------------------------------------------------------------------


def test_a_thread_stands_in_its_cases_story(world: World, account: ChannelAccount) -> None:
    from cases.timeline import whole_story

    row, _ours = answered(world, account)
    case = Case.objects.get()
    told = [entry.sentence for entry in whole_story(world.actor(world.alice), case, ["messages"])]
    assert "Buenos días, ¿qué papeles necesito?" in told
    assert "Necesita el DNI." in told
    assert ConversationCase.objects.get().conversation == row
    assert Event.objects.filter(case=case).count() == 1
    assert account.address == MAILBOX
