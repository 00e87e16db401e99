"""The visitor's side over HTTP: the form, the conversation, files, its end, and who may not."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

from cases.models import Case
from channels_app import services
from channels_app.models import (
    AgentSlot,
    Attachment,
    ChannelAccount,
    Conversation,
    ConversationCase,
    Delivery,
    Message,
    Queue,
    State,
    WorkItem,
)
from channels_app.services import visiting
from crm.kit import outbox, valkey
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.accounts import acting
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.channels_app import (
    PUBLIC,
    begin,
    make_account,
    make_agent,
    make_queue,
    never_open,
)

pytestmark = pytest.mark.django_db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001000000"
    "ffff03000006000557bfabd40000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def _nobody_counted_before() -> None:
    client = valkey.client()
    for key in client.scan_iter("ventanilla:rate:chat*"):
        client.delete(key)


@pytest.fixture
def queue(world: World) -> Queue:
    return make_queue(world.unit)


@pytest.fixture
def account(queue: Queue) -> ChannelAccount:
    return make_account(queue)


def ticket(account: ChannelAccount, page: str = "https://www.example.org/tramites?id=1") -> str:
    return TimestampSigner(salt="channels.ticket").sign_object([account.public_key, page])


def form(account: ChannelAccount, **fields: Any) -> dict[str, Any]:
    return {
        "key": str(uuid4()),
        "ticket": ticket(account),
        "language": "es",
        "name": "Ana Visitante",
        "address": "ana@example.org",
        "reason": "consulta",
        "text": "¿Qué papeles necesito?",
        "consent": 1,
        **fields,
    }


def post(path: str, body: object, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().post(path, json.dumps(body), "application/json", headers=headers)


def get(path: str, token: str) -> Any:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"})


def start(account: ChannelAccount, **fields: Any) -> Any:
    return post(f"/chat/{account.public_key}/empezar/", form(account, **fields))


# --- The widget ----------------------------------------------------------------------------------


def test_the_frame_says_who_may_hold_it(account: ChannelAccount) -> None:
    account.allowed_origins = ["https://www.example.org", "https://sede.example.org"]
    account.save()
    answer = Client().get(f"/chat/{account.public_key}/?l=en&p=https://www.example.org/x")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.example.org https://sede.example.org" in policy
    assert "X-Frame-Options" not in answer.headers
    assert 'lang="en"' in answer.content.decode()


def test_without_allowed_origins_only_the_demo_page_may_hold_it(
    account: ChannelAccount, settings: Any
) -> None:
    account.allowed_origins = []
    account.save()

    def held_by(page: str) -> str:
        answer = Client().get(f"/chat/{account.public_key}/", {"p": page})
        rules = answer.headers["Content-Security-Policy"].split("; ")
        return next(rule for rule in rules if rule.startswith("frame-ancestors"))

    made_up = f"{settings.PUBLIC_URL}/demo/pagina/"
    assert held_by("") == "frame-ancestors 'none'"
    assert held_by(f"{settings.PUBLIC_URL}/accesibilidad/") == "frame-ancestors 'none'"
    assert held_by(made_up) == "frame-ancestors 'self'"
    settings.PRODUCTION = True
    assert held_by(made_up) == "frame-ancestors 'none'"


def test_every_other_page_stays_out_of_frames(account: ChannelAccount) -> None:
    assert (
        "frame-ancestors 'none'"
        in Client().get("/accesibilidad/").headers["Content-Security-Policy"]
    )


def test_the_script_is_for_any_site_and_names_only_the_frame(account: ChannelAccount) -> None:
    answer = Client().get(f"/chat/{account.public_key}/widget.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert f"/chat/{account.public_key}/" in answer.content.decode()
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["", "widget.js"])
def test_an_unknown_key_is_no_account(account: ChannelAccount, path: str) -> None:
    assert Client().get(f"/chat/nobody/{path}").status_code == 404
    ChannelAccount.objects.update(is_active=False)
    assert Client().get(f"/chat/{account.public_key}/{path}").status_code == 404


# --- Beginning -----------------------------------------------------------------------------------


def test_a_conversation_begins_with_consent_and_waits(account: ChannelAccount) -> None:
    answer = start(account)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["state"], said["position"], said["ended"]) == ("waiting", 1, False)
    assert [message["text"] for message in said["messages"]] == ["¿Qué papeles necesito?"]
    row = Conversation.objects.get()
    assert row.consent is not None
    assert (row.consent.version, row.consent_at is not None) == (1, True)
    assert row.page == "https://www.example.org/tramites"  # without what its address asks for
    assert row.visitor_digest
    assert said["token"] not in str(Conversation.objects.values())
    assert WorkItem.objects.get().queue == account.queue
    account.refresh_from_db()
    assert account.last_inbound_at is not None


def test_sent_twice_it_begins_once(account: ChannelAccount) -> None:
    body = form(account)
    path = f"/chat/{account.public_key}/empezar/"
    first, again = post(path, body), post(path, body)
    assert first.json()["token"] == again.json()["token"]
    assert Conversation.objects.count() == Message.objects.count() == WorkItem.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"consent": 0}, "/consent"),
        ({"consent": 2}, "/consent"),
        ({"name": " \t "}, "/name"),
        ({"text": "\n "}, "/text"),
        ({"text": "a" * 5000}, "/text"),
        ({"address": "no es una dirección"}, "/address"),
        ({"address": "a@b.es\r\nBcc: x@y.es"}, "/address"),
        ({"reason": "otra"}, "/reason"),
        ({"key": "1"}, "/key"),
        ({"text": ["x"]}, "/text"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    account: ChannelAccount, fields: dict[str, Any], place: str
) -> None:
    answer = start(account, **fields)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [place]
    assert not Conversation.objects.exists()


def test_all_that_is_wrong_is_said_at_once(account: ChannelAccount) -> None:
    answer = start(account, name="", text="", consent=0, address="x")
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        *("/name", "/address", "/text", "/consent"),
    ]


@pytest.mark.parametrize("forged", ["", "x", "other"])
def test_without_our_own_form_nothing_begins(
    account: ChannelAccount, queue: Queue, forged: str
) -> None:
    if forged == "other":
        forged = ticket(make_account(queue))
    answer = start(account, ticket=forged)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/problems/stale_form")
    assert not Conversation.objects.exists()


def test_a_flood_of_beginnings_is_stopped(account: ChannelAccount) -> None:
    answers = [start(account).status_code for _ in range(14)]
    assert answers[0] == 201
    assert answers[-1] == 429


def test_a_full_queue_takes_no_more_chats(account: ChannelAccount, queue: Queue) -> None:
    Queue.objects.update(max_waiting=1)
    assert start(account).status_code == 201
    answer = start(account)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/problems/closed")


# --- Out of hours --------------------------------------------------------------------------------


def test_out_of_hours_a_message_becomes_a_case(world: World, queue: Queue) -> None:
    account = make_account(queue)
    queue.calendar = never_open(world.here)
    queue.case_type = CaseTypeFactory(organisation=world.here, code="consulta")
    queue.save()
    assert start(account).json()["type"] == "/api/v1/problems/closed"
    assert not Conversation.objects.exists()

    path, body = f"/chat/{account.public_key}/dejar/", form(account)
    answer = post(path, body)

    assert answer.status_code == 201
    case = Case.objects.get()
    assert answer.json()["reference"] == case.reference
    assert (case.unit, case.channel, case.description) == (
        world.unit,
        "web_form",
        "¿Qué papeles necesito?",
    )
    row = Conversation.objects.get()
    assert (row.state, row.visitor_digest, row.contact_address) == (
        State.CLOSED,
        None,
        "ana@example.org",
    )
    assert list(row.cases.all()) == [case]
    assert Outbox.objects.filter(topic=visiting.RECEIPT).count() == 1
    other = CaseFactory(unit=world.unit)
    ConversationCase.objects.create(conversation=row, case=other, linked_by_name="Luis")
    assert post(path, body).json()["reference"] == case.reference, "the one that they opened"
    assert Case.objects.count() == 2


def test_the_key_of_a_chat_leaves_no_message(world: World, queue: Queue) -> None:
    account = make_account(queue)
    queue.case_type = CaseTypeFactory(organisation=world.here, code="consulta")
    queue.save()
    body = form(account)
    assert post(f"/chat/{account.public_key}/empezar/", body).status_code == 201
    answer = post(f"/chat/{account.public_key}/dejar/", body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/problems/already_begun")
    assert not Case.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_left_a_message_is_told_its_number_and_when_we_are_back(
    world: World, mailoutbox: list[Any]
) -> None:
    queue = make_queue(
        world.unit, case_type=CaseTypeFactory(organisation=world.here, code="consulta")
    )
    account = make_account(queue)
    reference = post(f"/chat/{account.public_key}/dejar/", form(account)).json()["reference"]
    while outbox.drain():
        pass
    (mail,) = mailoutbox
    assert mail.to == ["ana@example.org"]
    assert mail.subject.startswith(f"[{reference}] ")
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"
    assert reference in mail.body
    assert "papeles" not in mail.body, (
        "whoever types a mailbox would have us send their words there"
    )


def test_a_message_left_needs_an_address(world: World, queue: Queue) -> None:
    account = make_account(queue)
    queue.case_type = CaseTypeFactory(organisation=world.here, code="consulta")
    queue.save()
    answer = post(f"/chat/{account.public_key}/dejar/", form(account, address=""))
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/address"]
    assert not Case.objects.exists()


# --- Inside --------------------------------------------------------------------------------------


def test_what_is_said_stands_once(account: ChannelAccount) -> None:
    row, token = begin(account)
    key = str(uuid4())
    first = post("/chat/conversacion/decir/", {"key": key, "text": "Hola"}, token)
    again = post("/chat/conversacion/decir/", {"key": key, "text": "Hola"}, token)
    assert (first.status_code, first.json()) == (201, again.json())
    assert [m.body for m in row.messages.order_by("number")][1:] == ["Hola"]
    state = get("/chat/conversacion/?after=1", token).json()
    assert [message["text"] for message in state["messages"]] == ["Hola"]


def test_internal_words_never_reach_the_visitor(world: World, account: ChannelAccount) -> None:
    row, token = begin(account)
    assert account.queue is not None
    make_agent(world.alice, account.queue)
    alice = acting(world.alice)
    services.take(alice, row.uuid)
    services.add_note(alice, row.uuid, "Parece la misma de ayer")
    services.reply(alice, row.uuid, "Buenos días, Ana")
    state = get("/chat/conversacion/", token).json()
    assert [m["text"] for m in state["messages"]] == [
        "Buenos días, ¿qué papeles necesito?",
        "Buenos días, Ana",
    ]
    assert state["messages"][1]["author"] == "Alice"
    assert "Parece" not in json.dumps(state)


def test_reading_is_told_to_who_wrote(world: World, account: ChannelAccount) -> None:
    row, token = begin(account)
    assert account.queue is not None
    make_agent(world.alice, account.queue)
    alice = acting(world.alice)
    services.take(alice, row.uuid)
    message = services.reply(alice, row.uuid, "Buenos días")
    assert message.state == Delivery.SENT
    assert post("/chat/conversacion/leido/", {"number": 99}, token).status_code == 204
    message.refresh_from_db()
    assert message.state == Delivery.READ
    assert post("/chat/conversacion/leido/", {"number": 0}, token).status_code == 204
    row.refresh_from_db()
    assert row.visitor_read_number == 2


def test_a_token_opens_its_own_conversation_only(account: ChannelAccount) -> None:
    _mine, token = begin(account)
    theirs, other = begin(account)
    file = visiting.send_file(theirs, [PNG], "foto.png").attachments.get()
    assert get(f"/chat/conversacion/archivo/{file.uuid}/", other).status_code == 200
    assert get(f"/chat/conversacion/archivo/{file.uuid}/", token).status_code == 404
    for wrong in ("", "x", token[:-1], token + "A", f"{theirs.uuid}"):
        assert get("/chat/conversacion/", wrong).status_code == 401
        assert (
            post("/chat/conversacion/decir/", {"key": str(uuid4()), "text": "x"}, wrong).status_code
            == 401
        )
    assert theirs.messages.count() == 2


def test_a_token_ends_with_its_account(account: ChannelAccount) -> None:
    _row, token = begin(account)
    assert get("/chat/conversacion/", token).status_code == 200
    ChannelAccount.objects.update(is_active=False)
    assert get("/chat/conversacion/", token).status_code == 401


def test_cookies_alone_open_nothing(account: ChannelAccount, world: World) -> None:
    begin(account)
    client = Client()
    client.force_login(world.alice)
    assert client.get("/chat/conversacion/").status_code == 401


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg", "file_kind"),
        (b"<html><script>alert(1)</script>", "foto.jpg", "file_kind"),
        (b"MZ\x90\x00" + b"\x00" * 60, "programa.exe", "file_kind"),
        (b"", "vacio.png", "file_empty"),
        (PNG, "factura.pdf", "file_mismatch"),
    ],
    ids=["svg", "html as jpg", "program", "empty", "another kind"],
)
def test_hostile_files_are_refused(
    account: ChannelAccount, content: bytes, name: str, code: str
) -> None:
    row, token = begin(account)
    answer = _send(token, content, name)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/api/v1/problems/{code}")
    assert not Attachment.objects.exists()
    assert row.messages.count() == 1


def _send(token: str, content: bytes, name: str) -> Any:
    return Client().post(
        "/chat/conversacion/archivo/",
        {"file": SimpleUploadedFile(name, content), "key": str(uuid4())},
        headers={"Authorization": f"Bearer {token}"},
    )


def test_a_file_is_typed_by_content_and_served_as_a_download(account: ChannelAccount) -> None:
    _row, token = begin(account)
    answer = _send(token, PNG, "../../foto\u202egnp.png")
    assert answer.status_code == 201
    (shown,) = answer.json()["files"]
    assert "/" not in shown["name"]
    assert "\u202e" not in shown["name"]
    served = get(f"/chat/conversacion/archivo/{shown['id']}/", token)
    assert served.headers["Content-Type"] == "image/png"
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert served.headers["X-Content-Type-Options"] == "nosniff"


def test_no_more_files_than_a_conversation_needs(
    account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiting, "MOST_FILES", 1)
    _row, token = begin(account)
    assert _send(token, PNG, "una.png").status_code == 201
    assert _send(token, PNG, "dos.png").status_code == 409


# --- The end -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_visitor_ends_it_and_gets_a_copy_once(
    account: ChannelAccount, mailoutbox: list[Any]
) -> None:
    row, token = begin(account)
    answer = post("/chat/conversacion/fin/", {}, token)
    assert (answer.json()["state"], answer.json()["ended_by"]) == ("closed", "citizen")
    assert post("/chat/conversacion/fin/", {}, token).status_code == 200
    again = post("/chat/conversacion/decir/", {"key": str(uuid4()), "text": "x"}, token)
    assert again.status_code == 409
    for _ in range(2):
        copy = post("/chat/conversacion/copia/", {"address": "ana@example.org"}, token)
        assert copy.status_code == 202
    while outbox.drain():
        pass
    (mail,) = mailoutbox
    assert mail.to == ["ana@example.org"]
    assert "¿qué papeles necesito?" in mail.body
    assert Outbox.objects.filter(topic=visiting.TRANSCRIPT).count() == 0
    assert row.events.filter(kind="transcript_asked").count() == 1


def test_a_copy_goes_to_a_few_mailboxes_at_most(account: ChannelAccount) -> None:
    _row, token = begin(account)
    codes = [
        post("/chat/conversacion/copia/", {"address": f"a{n}@example.org"}, token).status_code
        for n in range(4)
    ]
    assert codes == [202, 202, 202, 409]


def test_a_mailbox_gets_a_few_copies_an_hour_whoever_asks(account: ChannelAccount) -> None:
    """Bug: each new conversation could send its words to the same stranger again."""
    cache.clear()
    codes = []
    for address in [*["otra@example.org"] * 4, "OTRA@example.org", "otra@example.org"]:
        _row, token = begin(account)
        codes.append(post("/chat/conversacion/copia/", {"address": address}, token).status_code)
    assert codes == [202, 202, 202, 202, 202, 429]
    assert Outbox.objects.filter(topic=visiting.TRANSCRIPT).count() == 5


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("http://[", ""),
        ("javascript://www.example.org/%0aalert(1)", ""),
        ("https://www.example.org/a?quien=Ana", "https://www.example.org/a"),
    ],
)
def test_a_page_that_is_none_is_left_out(account: ChannelAccount, page: str, kept: str) -> None:
    """Bug: the chat did not begin from a page whose address nobody can read."""
    assert start(account, ticket=ticket(account, page)).status_code == 201
    assert Conversation.objects.get().page == kept


def test_a_number_that_nothing_has_is_no_fault_of_ours(account: ChannelAccount) -> None:
    """Bug: what has more digits than Python reads was a fault of ours."""
    _row, token = begin(account)
    answer = get(f"/chat/conversacion/?after={'9' * 5000}", token)
    assert (answer.status_code, answer.json()["messages"]) == (200, [])


def test_who_is_gone_waits_no_longer(account: ChannelAccount) -> None:
    row, _token = begin(account)
    here, _other = begin(account)
    long_ago = timezone.now() - timedelta(minutes=20)
    Conversation.objects.filter(pk=row.pk).update(visitor_seen_at=long_ago)
    assert visiting.sweep_silent() == 1
    row.refresh_from_db()
    here.refresh_from_db()
    assert (row.state, row.ended_by) == (State.CLOSED, "system")
    assert here.state == State.WAITING
    assert WorkItem.objects.get(conversation=row).abandoned


def test_the_place_in_the_queue_counts_who_came_before(account: ChannelAccount) -> None:
    first, _ = begin(account)
    second, _ = begin(account)
    assert (visiting.position(first), visiting.position(second)) == (1, 2)
    visiting.leave(first, PUBLIC)
    assert (visiting.position(first), visiting.position(second)) == (None, 1)
    assert not AgentSlot.objects.exists()
