"""Setting up chats, queues, who serves them and the words to choose from: by page and by verb."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from channels_app.models import (
    AccountKind,
    AgentSlot,
    ChannelAccount,
    ConsentText,
    ContactReason,
    Offer,
    PauseReason,
    Presence,
    Queue,
    QueueMember,
    WrapUpCode,
)
from channels_app.services import routing, setup
from crm.accounts.models import Membership, User
from crm.audit.models import AuditEntry
from crm.kit.errors import Changed, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.factories.mail import make_mailbox

pytestmark = pytest.mark.django_db
SETUP = "/organizacion/conversaciones/"


@pytest.fixture
def admin(world: World) -> User:
    return employee(world.here, "administrator")


@pytest.fixture
def office(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def chat_fields(world: World, queue: Queue, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Chat de la sede",
        "unit": str(world.unit.uuid),
        "queue": str(queue.uuid),
        "allowed_origins": "https://www.example.org",
        "consent_es": "Tratamos sus datos.",
        "is_active": "on",
        **fields,
    }


def queue_fields(world: World, **fields: Any) -> dict[str, Any]:
    return {
        "name_es": "Ayudas",
        "unit": str(world.unit.uuid),
        "priority": "40",
        "offer_seconds": "20",
        "wrap_up_seconds": "60",
        "target_seconds": "90",
        "max_waiting": "0",
        "is_active": "on",
        **fields,
    }


def test_from_nothing_to_a_conversation_that_rings(
    world: World, admin: User, office: Client
) -> None:
    """All that a chat needs is set up on pages, and a citizen is offered to who was chosen."""
    queue_page = office.post(f"{SETUP}colas/nueva/", queue_fields(world))["Location"]
    queue = Queue.objects.get()
    assert queue_page == f"{SETUP}colas/{queue.uuid}/"
    assert (queue.code, queue.names, queue.priority) == ("ayudas", {"es": "Ayudas"}, 40)
    assert queue.unit == world.unit
    chat_page = office.post(f"{SETUP}chats/nuevo/", chat_fields(world, queue))["Location"]
    account = ChannelAccount.objects.get()
    assert (account.kind, account.code) == (AccountKind.WEB_CHAT, "chat-de-la-sede")
    assert account.allowed_origins == ["https://www.example.org"]
    assert (account.settings, account.queue) == ({"assistant": False}, queue)
    word = {"name_es": "Pagos", "position": "1", "is_active": "on"}
    office.post(f"{chat_page}motivos/nuevo/", {**word, "queue": str(queue.uuid)})
    office.post(f"{queue_page}codigos/nuevo/", {**word, "name_es": "Resuelta"})
    office.post(f"{SETUP}pausas/nueva/", {**word, "name_es": "Descanso"})
    given = {"person": str(world.alice.uuid), "room": "2"}
    assert office.post(f"{queue_page}personas/", given).status_code == 302
    slot = AgentSlot.objects.get()
    assert (slot.user, slot.max_units, slot.state) == (world.alice, 2, Presence.OFFLINE)
    assert WrapUpCode.objects.get().names == {"es": "Resuelta"}
    assert PauseReason.objects.get().code == "descanso"
    for page in (SETUP, queue_page, chat_page):
        assert office.get(page).status_code == 200
    tag = f"/chat/{account.public_key}/widget.js&quot; async&gt;"
    assert tag in office.get(chat_page).content.decode()
    entries = AuditEntry.objects.filter(action="channels_app.manage_channels", actor_id=admin.pk)
    assert list(entries.order_by("pk").values_list("object_type", flat=True)) == [
        "channels_app.queue",
        "channels_app.channelaccount",
        "channels_app.contactreason",
        "channels_app.wrapupcode",
        "channels_app.pausereason",
        "channels_app.queue",
    ]

    setup_hours(queue)
    make_available(slot)
    begin(account, reason="pagos")
    assert routing.match(world.here.pk) == 1
    assert Offer.objects.get().agent == slot


def setup_hours(queue: Queue) -> None:
    always = make_queue(queue.unit, "otra").calendar
    Queue.objects.filter(pk=queue.pk).update(calendar=always)


def make_available(slot: AgentSlot) -> None:
    AgentSlot.objects.filter(pk=slot.pk).update(state=Presence.AVAILABLE, heard_at=timezone.now())


def test_who_was_late_is_shown_what_is_on_record(world: World, office: Client) -> None:
    queue = make_queue(world.unit)
    page = f"{SETUP}colas/{queue.uuid}/"
    seen = queue.updated_at.isoformat()
    assert office.post(page, queue_fields(world, name_es="Una", seen=seen)).status_code == 302
    late = office.post(page, queue_fields(world, name_es="Otra", seen=seen))
    assert late.status_code == 409
    queue.refresh_from_db()
    assert queue.names == {"es": "Una"}
    fresh = late.context["form"].data["seen"]
    assert office.post(page, queue_fields(world, name_es="Otra", seen=fresh)).status_code == 302
    queue.refresh_from_db()
    assert queue.names == {"es": "Otra"}
    with pytest.raises(Changed):
        setup.save_pause(
            acting(employee(world.here, "administrator")),
            {"names": {"es": "X"}, "position": 0, "is_active": True},
            pause=PauseReason.objects.create(
                organisation=world.here, code="x", names={"es": "X"}
            ).uuid,
            seen="2020-01-01T00:00:00+00:00",
        )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://www.example.org", "https://www.example.org"),
        ("HTTPS://WWW.Example.ORG:443/", "https://www.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://año.example", "https://xn--ao-zja.example"),
    ],
    ids=["plain", "as a browser shows it", "with a port", "of another alphabet"],
)
def test_a_site_is_kept_as_browsers_compare_it(
    world: World, office: Client, written: str, kept: str
) -> None:
    fields = chat_fields(world, make_queue(world.unit), allowed_origins=f"{written}\n{written}\n")
    assert office.post(f"{SETUP}chats/nuevo/", fields).status_code == 302
    assert ChannelAccount.objects.get().allowed_origins == [kept]


@pytest.mark.parametrize(
    "written",
    [
        "*",
        "https://*",
        "https://*.example.org",
        "https:",
        "www.example.org",
        "https://example.org/path",
        "https://example.org; script-src *",
        "https://a.example https://b.example",
        "https://user@example.org",
        "https://example.org:99999",
        "javascript:alert(1)",
        "data:",
        "'unsafe-inline'",
        "https://-",
    ],
)
def test_what_is_no_site_does_not_reach_the_policy_of_the_frame(
    world: World, office: Client, written: str
) -> None:
    fields = chat_fields(world, make_queue(world.unit), allowed_origins=written)
    answer = office.post(f"{SETUP}chats/nuevo/", fields)
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"allowed_origins"}
    assert not ChannelAccount.objects.exists()


def test_another_consent_text_is_a_new_version(world: World, office: Client) -> None:
    account = make_account(make_queue(world.unit))
    page = f"{SETUP}chats/{account.uuid}/"
    assert account.queue is not None
    same = chat_fields(world, account.queue)
    office.post(page, same)
    assert ConsentText.objects.count() == 1
    office.post(page, {**same, "consent_es": "Otra cosa."})
    texts = ConsentText.objects.order_by("version").values_list("version", "texts")
    assert list(texts) == [(1, {"es": "Tratamos sus datos."}), (2, {"es": "Otra cosa."})]


def test_who_had_the_form_open_meanwhile_is_told_to_load_it_again(
    world: World, office: Client
) -> None:
    """They had agreed, and were told for ever to agree: to a text that they were not shown."""
    queue = make_queue(world.unit)
    account = make_account(queue)
    changed = chat_fields(world, queue, consent_es="Otra cosa.")
    assert office.post(f"{SETUP}chats/{account.uuid}/", changed).status_code == 302
    with pytest.raises(Invalid) as refused:
        begin(account, consent=1)
    again = "This form has been open for too long. Load the page again."
    assert refused.value.errors == {"consent": [again]}
    begin(account, consent=2)


def test_any_number_of_lines_is_answered_shortly(world: World, office: Client) -> None:
    lines = "\n".join("*" for _ in range(4_000))
    fields = chat_fields(world, make_queue(world.unit), allowed_origins=lines)
    answer = office.post(f"{SETUP}chats/nuevo/", fields)
    assert answer.status_code == 422
    assert len(answer.context["form"].errors["allowed_origins"]) <= 52


def test_words_in_languages_no_longer_spoken_stay(world: World, office: Client) -> None:
    world.here.languages = ["es", "ca"]
    world.here.save()
    pause = PauseReason.objects.create(
        organisation=world.here, code="c", names={"es": "Café", "eu": "Kafea"}
    )
    word = {"name_es": "Descanso", "name_ca": "Descans", "position": "0"}
    assert office.post(f"{SETUP}pausas/{pause.uuid}/", word).status_code == 302
    pause.refresh_from_db()
    assert pause.names == {"eu": "Kafea", "es": "Descanso", "ca": "Descans"}
    assert (pause.is_active, pause.code) == (False, "c")
    missing = office.post(f"{SETUP}pausas/{pause.uuid}/", {**word, "name_es": " "})
    assert missing.status_code == 422
    assert missing.context["form"].errors.keys() == {"name_es"}


def test_a_queue_that_is_needed_stays_in_use(world: World, office: Client) -> None:
    queue = make_queue(world.unit)
    account = make_account(queue)
    page = f"{SETUP}colas/{queue.uuid}/"
    calendar = {"calendar": str(queue.calendar.uuid)}  # type: ignore[union-attr]
    off = {**queue_fields(world), **calendar}
    del off["is_active"]
    assert office.post(page, off).context["form"].errors.keys() == {"is_active"}
    ChannelAccount.objects.update(is_active=False)
    assert office.post(page, off).status_code == 302
    Queue.objects.update(is_active=True)
    ChannelAccount.objects.update(is_active=True)
    begin(account)
    ChannelAccount.objects.update(is_active=False)
    assert office.post(page, off).context["form"].errors.keys() == {"is_active"}


def test_codes_are_given_out_and_never_change(world: World, admin: User) -> None:
    actor = acting(admin)
    word = {"names": {"es": "Descanso"}, "position": 0, "is_active": True}
    first, second = setup.save_pause(actor, word), setup.save_pause(actor, word)
    assert (first.code, second.code) == ("descanso", "descanso-2")
    again = setup.save_pause(actor, {**word, "names": {"es": "Café"}}, pause=first.uuid)
    assert again.code == "descanso"


def test_room_is_never_less_than_what_somebody_has(world: World, admin: User) -> None:
    queue = make_queue(world.unit)
    slot = make_agent(world.alice, queue, units=3, used_units=2)
    actor = acting(admin)
    with pytest.raises(Invalid) as refused:
        setup.add_member(actor, queue.uuid, world.alice.uuid, 1)
    assert refused.value.errors.keys() == {"room"}
    setup.add_member(actor, queue.uuid, world.alice.uuid, 2)
    slot.refresh_from_db()
    assert (slot.max_units, slot.used_units, QueueMember.objects.count()) == (2, 2, 1)


def test_who_serves_no_longer_is_offered_nothing_more(world: World, admin: User) -> None:
    queue = make_queue(world.unit)
    slot = make_agent(world.alice, queue)
    setup.remove_member(acting(admin), queue.uuid, slot.uuid)
    begin(make_account(queue))
    assert routing.match(world.here.pk) == 0
    setup.add_member(acting(admin), queue.uuid, world.alice.uuid, 1)
    assert routing.match(world.here.pk) == 1


@pytest.mark.parametrize("who", ["charlie", "suspended", "auditor", "nobody"])
def test_only_who_attends_here_serves_a_queue(world: World, admin: User, who: str) -> None:
    queue = make_queue(world.unit)
    people: dict[str, UUID] = {
        "charlie": world.charlie.uuid,
        "suspended": world.bob.uuid,
        "auditor": employee(world.here, "auditor").uuid,
        "nobody": uuid4(),
    }
    if who == "suspended":
        Membership.objects.filter(user=world.bob).update(suspended_at=timezone.now())
    with pytest.raises(Invalid) as refused:
        setup.add_member(acting(admin), queue.uuid, people[who], 2)
    assert refused.value.errors.keys() == {"person"}
    assert not AgentSlot.objects.exists()


def test_nobody_else_sets_anything_up(world: World) -> None:
    queue = make_queue(world.unit)
    before = Queue.objects.get().updated_at
    for user in (world.alice, employee(world.here, "supervisor"), employee(world.here, "auditor")):
        with pytest.raises(Refused):
            setup.add_member(acting(user), queue.uuid, world.alice.uuid, 2)
        client = Client()
        client.force_login(user)
        for page in (SETUP, f"{SETUP}colas/{queue.uuid}/", f"{SETUP}chats/nuevo/"):
            assert client.get(page).status_code == 403, page
        assert client.post(f"{SETUP}colas/{queue.uuid}/", queue_fields(world)).status_code == 403
    assert Queue.objects.get().updated_at == before
    assert not AgentSlot.objects.exists()


def test_another_organisations_rows_do_not_exist_in_addresses_nor_bodies(
    world: World, office: Client, admin: User
) -> None:
    here, there = make_queue(world.unit), make_queue(world.foreign_unit, "lejos")
    account, foreign = make_account(here), make_account(there)
    slot = make_agent(world.charlie, there)
    reason, code = foreign.reasons.get(), there.wrap_up_codes.get()
    pause = PauseReason.objects.create(organisation=world.elsewhere, code="x", names={"es": "X"})
    before = {
        model: list(model.objects.values_list("pk", "updated_at"))
        for model in (Queue, ChannelAccount, ContactReason, WrapUpCode, PauseReason, AgentSlot)
    }
    for path in (
        f"chats/{foreign.uuid}/",
        f"chats/{foreign.uuid}/motivos/nuevo/",
        f"motivos/{reason.uuid}/",
        f"colas/{there.uuid}/",
        f"colas/{there.uuid}/codigos/nuevo/",
        f"codigos/{code.uuid}/",
        f"pausas/{pause.uuid}/",
    ):
        assert office.get(f"{SETUP}{path}").status_code == 404, path
        assert office.post(f"{SETUP}{path}", {"name_es": "Mía"}).status_code == 404, path
    for path in (
        f"colas/{there.uuid}/personas/",
        f"colas/{there.uuid}/personas/{slot.uuid}/quitar/",
        f"colas/{here.uuid}/personas/{slot.uuid}/quitar/",
    ):
        given = {"person": str(world.alice.uuid), "room": "1"}
        assert office.post(f"{SETUP}{path}", given).status_code == 404, path
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("chats/nuevo/", chat_fields(world, there)),
        ("chats/nuevo/", chat_fields(world, here, unit=str(world.foreign_unit.uuid))),
        ("colas/nueva/", queue_fields(world, unit=str(world.foreign_unit.uuid))),
        ("colas/nueva/", queue_fields(world, calendar=str(there.calendar.uuid))),  # type: ignore[union-attr]
        (
            f"chats/{account.uuid}/motivos/nuevo/",
            {"name_es": "X", "position": "1", "queue": str(there.uuid)},
        ),
        (f"colas/{here.uuid}/personas/", {"person": str(world.charlie.uuid), "room": "1"}),
    ]
    for path, body in bodies:
        assert office.post(f"{SETUP}{path}", body).status_code == 422, path
    after = {model: list(model.objects.values_list("pk", "updated_at")) for model in before}
    assert after == before
    # nor by the verbs, which forms stand before
    actor = acting(admin)
    given = {
        "name": "X", "unit": world.foreign_unit.uuid, "queue": there.uuid, "allowed_origins": [],
        "assistant": False, "is_active": True, "consent": {"es": "X"},
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        setup.save_chat(actor, given)
    assert refused.value.errors.keys() == {"unit", "queue"}
    with pytest.raises(NotFound):
        setup.save_chat(actor, given, account=foreign.uuid)


def test_an_e_mail_account_is_not_set_up_as_a_chat(world: World, office: Client) -> None:
    mailbox = make_mailbox(world.unit)
    assert office.get(f"{SETUP}chats/{mailbox.uuid}/").status_code == 404


def test_a_right_in_one_unit_takes_nothing_from_another(world: World) -> None:
    """By naming one's own unit as its place a queue of another could be taken over."""
    local = employee(world.here, "administrator", unit=world.other_unit)
    assert not acting(local).reach("channels_app.manage_channels").covers(world.unit.pk)
    queue = make_queue(world.unit)
    account = make_account(queue)
    with pytest.raises(Refused):
        setup.add_member(acting(local), queue.uuid, world.alice.uuid, 1)
    client = Client()
    client.force_login(local)
    mine = {"unit": str(world.other_unit.uuid)}
    taken = client.post(f"{SETUP}colas/{queue.uuid}/", queue_fields(world, **mine))
    assert taken.status_code == 403
    taken = client.post(f"{SETUP}chats/{account.uuid}/", chat_fields(world, queue, **mine))
    assert taken.status_code == 403
    assert client.post(f"{SETUP}colas/nueva/", queue_fields(world, **mine)).status_code == 302
    queue.refresh_from_db()
    assert queue.unit == world.unit
