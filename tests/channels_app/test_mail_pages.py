"""The mail's pages: what each tab holds, what a frame may do, and what nobody may open."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, Confidentiality
from channels_app import services
from channels_app.email import sending, verbs
from channels_app.models import (
    ChannelAccount,
    Conversation,
    ConversationCase,
    Delivery,
    InboundMail,
)
from crm.audit.models import AuditEntry
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.mail import ANA, arrive, letter, make_mailbox
from tests.house.estate import PAPER

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world: World) -> ChannelAccount:
    return make_mailbox(world.unit)


@pytest.fixture
def alice(world: World, client: Client) -> Client:
    client.force_login(world.alice)
    return client


def subjects(page: str) -> list[str]:
    """Of the rows of a list."""
    return re.findall(r'<a class="v-cover v-line1"[^>]*>([^<]+)</a>', page)


def tab(client: Client, name: str) -> list[str]:
    return subjects(client.get("/correo/", {"ver": name}).content.decode())


def test_each_thread_stands_where_it_is(
    world: World, account: ChannelAccount, alice: Client
) -> None:
    actor = world.actor(world.alice)
    rows = {
        name: arrive(account, letter(subject=name, id=f"{name}@m")).conversation
        for name in ("nuevo", "asumido", "contestado", "cerrado")
    }
    arrive(account, letter(subject="perdido", to="x@y.example", id="q@m"))
    machine = letter(subject="ausencia", id="a@m", headers={"Auto-Submitted": "auto-replied"})
    arrive(account, machine)
    for name in ("asumido", "contestado", "cerrado"):
        verbs.take(actor, rows[name].uuid)  # type: ignore[union-attr]
    verbs.answer(actor, rows["contestado"].uuid, "Sí")  # type: ignore[union-attr]
    verbs.close(actor, rows["cerrado"].uuid)  # type: ignore[union-attr]

    assert tab(alice, "nuevos") == ["nuevo"]
    assert tab(alice, "mios") == ["contestado", "asumido"]
    assert tab(alice, "espera") == ["contestado"], "a receipt is no answer"
    assert tab(alice, "cerrados") == ["cerrado"]
    assert tab(alice, "cuarentena") == ["perdido"]
    assert tab(alice, "apartados") == ["ausencia"]


def test_the_menu_counts_new_threads_once_for_many_pages(
    world: World, account: ChannelAccount, alice: Client
) -> None:
    def badge(client: Client = alice) -> str:
        page = client.get("/perfil/").content.decode()
        assert 'href="/correo/"' in page
        found = re.search(r'href="/correo/"[^>]*>(?:(?!</a>).)*?v-badge">([^<]*)<', page, re.DOTALL)
        return found[1] if found else ""

    def asks() -> int:
        with CaptureQueriesContext(connection) as made:
            alice.get("/perfil/")
        return sum("channels_app_conversation" in query["sql"] for query in made)

    assert (badge(), asks()) == ("", 0)
    arrive(account, letter(subject="nuevo", id="1@m"))
    assert badge() == "", "it may be some seconds old"
    alice.get("/correo/")  # which counts anew, and both say the same
    assert (badge(), asks()) == ("1", 0)
    # somebody who reads only another unit's mail has another number
    stranger = employee(world.here, "agent", unit=world.other_unit)
    other = Client()
    other.force_login(stranger)
    assert badge(other) == ""
    with CaptureQueriesContext(connection) as made:
        cache.clear()
        alice.get("/perfil/")
    assert sum("channels_app_conversation" in query["sql"] for query in made) == 1


def test_a_list_goes_on_by_pages(account: ChannelAccount, alice: Client) -> None:
    for number in range(27):
        arrive(
            account, letter(subject=f"n{number}", sender=f"p{number}@x.example", id=f"{number}@m")
        )
    first = alice.get("/correo/").content.decode()
    assert len(subjects(first)) == 25
    more = re.search(r'id="load-more".*?href="([^"]+)"', first)
    assert more
    rest = alice.get(more[1].replace("&amp;", "&")).content.decode()
    assert subjects(rest) == ["n1", "n0"]


def test_formatting_is_shown_in_a_frame_that_may_do_nothing(
    account: ChannelAccount, alice: Client
) -> None:
    html = "<p>Hola</p><script>alert(1)</script><img src='https://t.example/x.gif'>"
    row = arrive(account, letter(html=html)).conversation
    assert row is not None
    answer = alice.get(f"/correo/{row.uuid}/mensajes/1/html/")
    assert answer["Content-Security-Policy"] == (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    body = answer.content.decode()
    assert "<p>Hola</p>" in body
    assert "script" not in body
    assert "t.example" not in body

    page = alice.get(f"/correo/{row.uuid}/").content.decode()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "allow-scripts" not in page
    assert "allow-same-origin" not in page
    assert (
        alice.get(f"/correo/{row.uuid}/mensajes/2/html/").status_code == 404
    )  # our receipt has none


def test_a_refused_attachment_is_named(account: ChannelAccount, alice: Client) -> None:
    raw = letter(files={"dni.pdf": PAPER, "programa.exe": b"MZ\x90\0" + b"\0" * 100})
    row = arrive(account, raw).conversation
    assert row is not None
    page = alice.get(f"/correo/{row.uuid}/").content.decode()
    assert "dni.pdf" in page
    assert "Attachment not accepted: programa.exe" in page
    assert row.attachments.count() == 1


def test_markup_in_names_and_subjects_is_text(account: ChannelAccount, alice: Client) -> None:
    raw = letter("<script>alert(3)</script>", sender="=?utf-8?q?=3Cb=3Eyo=3C/b=3E?= <x@y.example>")
    raw = raw.replace(b"Subject: Consulta", b"Subject: <img src=x onerror=alert(1)>")
    row = arrive(account, raw).conversation
    assert row is not None
    for address in ("/correo/", f"/correo/{row.uuid}/"):
        page = alice.get(address).content.decode()
        assert "<img src=x" not in page
        assert "<b>yo</b>" not in page
        assert "alert(3)</script>" not in page


def test_looking_at_a_thread_is_written_down(account: ChannelAccount, alice: Client) -> None:
    row = arrive(account, letter()).conversation
    assert row is not None
    alice.get(f"/correo/{row.uuid}/")
    entry = AuditEntry.objects.filter(action="viewed", object_id=str(row.uuid)).get()
    assert entry.actor_name == "Alice Arias"


def test_others_find_no_such_thread(world: World, account: ChannelAccount, client: Client) -> None:
    row = arrive(account, letter()).conversation
    mail = InboundMail.objects.get()
    assert row is not None
    for user in (world.bob, world.charlie):
        client.force_login(user)
        assert tab(client, "nuevos") == []
        for address in (
            f"/correo/{row.uuid}/",
            f"/correo/{row.uuid}/mensajes/1/html/",
            f"/correo/apartados/{mail.uuid}/",
            f"/correo/apartados/{mail.uuid}/original.eml",
        ):
            assert client.get(address).status_code == 404, address


def test_a_failed_answer_says_so_and_goes_again(
    world: World, account: ChannelAccount, alice: Client
) -> None:
    row = arrive(account, letter()).conversation
    assert row is not None
    sent = verbs.answer(world.actor(world.alice), row.uuid, "Sí")
    sending.settle(sent.uuid, Delivery.FAILED, "5.1.1 no such user")
    page = alice.get(f"/correo/{row.uuid}/").content.decode()
    assert "5.1.1 no such user" in page
    alice.post(f"/correo/{row.uuid}/mensajes/{sent.number}/reenviar/")
    assert row.messages.filter(body="Sí").count() == 2
    page = alice.get(f"/correo/{row.uuid}/").content.decode()
    assert "It was sent again." in page


def test_the_simulators_have_an_address_that_stays(client: Client, settings: Any) -> None:
    settings.SIMULATORS = True
    assert client.get("/simulador/")["Location"] == "/simulador/correo/"
    settings.SIMULATORS = False
    assert client.get("/simulador/").status_code == 404


def test_who_answers_sees_at_once_that_they_may_say_who_it_is(
    account: ChannelAccount, alice: Client
) -> None:
    row = arrive(account, letter()).conversation
    assert row is not None
    assert (
        "Take the conversation to confirm it." in alice.get(f"/correo/{row.uuid}/").content.decode()
    )
    answer = alice.post(
        f"/correo/{row.uuid}/responder/", {"text": "Sí"}, headers={"HX-Request": "true"}
    )
    beside = answer.content.decode().partition('<div hx-swap-oob="innerHTML:#ctx">')[2]
    assert 'data-open="identify"' in beside
    assert "Take the conversation to confirm it." not in beside


def test_the_simulator_is_not_there_unless_switched_on(
    account: ChannelAccount, client: Client, settings: Any
) -> None:
    said = {
        "to": account.address,
        "name": "Ana",
        "address": ANA,
        "subject": "Hola",
        "text": "Buenos días",
    }
    settings.SIMULATORS = False
    assert client.get("/simulador/correo/").status_code == 404
    assert client.post("/simulador/correo/", said).status_code == 404
    assert not Conversation.objects.exists()
    settings.SIMULATORS = True
    assert client.post("/simulador/correo/", said).status_code == 302
    assert Conversation.objects.get().contact_address == ANA
    assert client.post("/simulador/correo/", {**said, "address": "x"}).status_code == 422
    assert client.post("/simulador/correo/", {**said, "address": "ñ@ñ.example"}).status_code == 422


# --- Cases beside a thread -------------------------------------------------------------------------


def test_a_specially_protected_case_stands_beside_no_thread_of_who_may_not_see_it(
    world: World, account: ChannelAccount, alice: Client
) -> None:
    row = arrive(account, letter(subject="Hola")).conversation
    assert row is not None
    plain, special = (
        CaseFactory(unit=world.unit, subject=subject) for subject in ("Farola", "Acogida secreta")
    )
    for case in (plain, special):
        ConversationCase.objects.create(conversation=row, case=case, linked_by_name="Luis")
    Case.objects.unscoped("test").filter(pk=special.pk).update(
        confidentiality=Confidentiality.SPECIAL
    )
    for path in ("", "hilo/"):
        answer = alice.get(f"/correo/{row.uuid}/{path}")
        text = answer.content.decode()
        assert answer.status_code == 200
        assert path or "Farola" in text
        assert "Acogida secreta" not in text
        assert special.reference not in text


def test_who_writes_is_identified_also_where_a_case_of_theirs_cannot_be_changed(
    world: World, account: ChannelAccount
) -> None:
    actor = world.actor(world.alice)
    row = arrive(account, letter(subject="Hola")).conversation
    assert row is not None
    elsewhere, ours = (
        CaseFactory(unit=unit, citizen=None) for unit in (world.other_unit, world.unit)
    )
    older = CaseFactory(
        unit=world.unit, citizen=None, opened_at=timezone.now() - timedelta(days=30)
    )
    for case in (elsewhere, ours, older):
        ConversationCase.objects.create(conversation=row, case=case, linked_by_name="Luis")
    person = CitizenFactory(organisation=world.here)
    verbs.take(actor, row.uuid)
    assert services.identify(actor, row.uuid, person.uuid).citizen == person
    elsewhere.refresh_from_db()
    ours.refresh_from_db()
    assert (elsewhere.citizen, ours.citizen) == (None, person)
    older.refresh_from_db()
    assert older.citizen is None, "it was not opened from what they wrote"


def test_of_the_protected_a_thread_shows_initials_and_no_mailbox(
    world: World, account: ChannelAccount, alice: Client
) -> None:
    row = arrive(account, letter(subject="Hola", text="Buenos días")).conversation
    assert row is not None
    person = CitizenFactory(
        organisation=world.here, name="Rosa", surname1="Quiñones", surname2="Pi"
    )
    Conversation.objects.unscoped("test").filter(pk=row.pk).update(citizen=person)
    name = row.messages.get(number=1).author_name
    before = alice.get(f"/correo/{row.uuid}/").content.decode()
    assert name in before
    assert ANA in before
    person.records.update(protected=True, protected_reason="Orden")
    for path in ("", "hilo/"):
        text = alice.get(f"/correo/{row.uuid}/{path}").content.decode()
        assert "R. Q. P." in text
        assert "Buenos días" in text
        for hidden in (name, ANA, "Quiñones"):
            assert hidden not in text, (path, hidden)
    boss = Client()
    boss.force_login(employee(world.here, "supervisor", unit=world.unit))
    assert ANA in boss.get(f"/correo/{row.uuid}/").content.decode()
