"""Interactions by API: read with what was said, taken down once, in the stories of citizen and case."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from cases.models import Case
from channels_app import services
from channels_app.models import Conversation, ConversationCase, Message
from channels_app.services import visiting
from crm.audit.models import AuditEntry
from crm.citizens.models import CitizenRecord
from crm.kit.errors import Refused
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.factories.channels_app import begin, make_account, make_queue
from tests.factories.citizens import CitizenFactory

VIEW, RECORD = "channels_app.view_conversation", "channels_app.record"
CALL: dict[str, Any] = {
    "channel": "phone",
    "started_at": "2026-03-02T09:00:00+01:00",
    "ended_at": "2026-03-02T09:07:30+01:00",
    "subject": "Padrón",
    "contact_name": "Rosa Vidal",
    "contact_address": "600111222",
    "source": "centralita",
    "external_id": "7781",
    "messages": [
        {"direction": "internal", "text": "Se le explica el trámite.", "author_name": "Marta"},
        {"direction": "in", "text": "Pregunta por el padrón.", "at": "2026-03-02T09:00:10+01:00"},
        {"direction": "out", "text": "Puede venir mañana.", "at": "2026-03-02T09:05:00+01:00"},
    ],
}


@pytest.fixture
def exchange(caller: Callable[..., Caller]) -> Caller:
    """A telephone exchange that may read and take down."""
    return caller(VIEW, RECORD, "cases.view_case")


def taken(exchange: Caller, **changed: Any) -> dict[str, Any]:
    answer = exchange.send("post", "/interactions/", {**CALL, **changed})
    assert answer.status_code == 201, answer.content
    said: dict[str, Any] = answer.json()
    return said


def test_a_call_is_taken_down_and_read_again(exchange: Caller, world: World) -> None:
    answer = exchange.send("post", "/interactions/", CALL)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    address = f"/interactions/{made['id']}/"
    assert (answer["Location"], answer["ETag"]) == (f"/api/v1{address}", '"1"')
    read = exchange.send("get", address)
    assert (read["ETag"], read.json()) == ('"1"', made)
    assert (made["channel"], made["state"], made["cases"]) == ("phone", "closed", [])
    assert (made["opened_at"], made["ended_at"], made["closed_at"]) == (
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:07:30Z",
        "2026-03-02T08:07:30Z",
    )
    assert (made["answered_at"], made["message_count"]) == ("2026-03-02T08:05:00Z", 3)
    said = exchange.send("get", f"{address}messages/").json()["results"]
    assert [(one["number"], one["direction"], one["author_name"]) for one in said] == [
        (1, "internal", "Marta"),
        (2, "in", "Rosa Vidal"),
        (3, "out", Conversation.objects.get().events.get().actor_name),
    ]
    assert said[2]["text"] == "Puede venir mañana."
    assert {one["state"] for one in said} == {"delivered"}


def test_it_is_taken_down_once(exchange: Caller) -> None:
    first = exchange.send("post", "/interactions/", CALL, Idempotency_Key="llamada-1")
    again = exchange.send("post", "/interactions/", CALL, Idempotency_Key="llamada-1")
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    other = exchange.send("post", "/interactions/", CALL, Idempotency_Key="llamada-2")
    assert other.status_code == 409
    assert other.json()["type"].endswith("already_recorded")
    for source, number in (("central", "ita7781"), ("centralita2", "7781")):
        taken(exchange, source=source, external_id=number)
    nameless = {name: CALL[name] for name in ("channel", "started_at", "ended_at", "messages")}
    for _time in range(2):  # without a number of theirs nobody can know
        assert exchange.send("post", "/interactions/", nameless).status_code == 201
    assert Conversation.objects.count() == 5


def test_it_stands_in_the_stories_of_citizen_and_case(
    exchange: Caller, world: World, client: Client
) -> None:
    citizen = CitizenFactory(organisation=world.here)
    case = CaseFactory(unit=world.unit, citizen=citizen)
    made = taken(exchange, channel="in_person", citizen=str(citizen.uuid), case=str(case.uuid))
    assert (made["cases"], made["citizen"]) == ([str(case.uuid)], str(citizen.uuid))
    assert made["unit"] == str(world.unit.uuid)
    client.force_login(
        employee(world.here, "supervisor"),
        backend="crm.accounts.authentication.PasswordBackend",
    )
    page = client.get(f"/ciudadania/{citizen.uuid}/cronologia/?ver=conversations")
    assert "took down a conversation that was held" in page.content.decode()
    assert "In person" in page.content.decode()
    story = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "Puede venir mañana." in story
    talk = client.get(f"/conversaciones/{made['id']}/")
    assert talk.status_code == 200
    assert "Se le explica el trámite." in talk.content.decode()


def test_it_is_linked_to_a_case_once_and_at_the_version_known(
    exchange: Caller, world: World
) -> None:
    made = taken(exchange)
    case = CaseFactory(unit=world.unit)
    address, body = f"/interactions/{made['id']}/cases/", {"case": str(case.uuid)}
    assert exchange.send("post", address, body, If_Match='"7"').status_code == 412
    for _time in range(2):
        linked = exchange.send("post", address, body, If_Match='"1"')
        assert linked.status_code == 200, linked.content
        assert linked.json()["cases"] == [str(case.uuid)]
    assert ConversationCase.objects.count() == 1
    entry = AuditEntry.objects.unscoped("a test").filter(action=RECORD).latest("pk")
    assert entry.data["case"] == case.reference


def test_the_list_is_filtered_and_paged(exchange: Caller, world: World) -> None:
    citizen = CitizenFactory(organisation=world.here)
    case = CaseFactory(unit=world.unit)
    old = taken(exchange, citizen=str(citizen.uuid))
    visit = taken(
        exchange,
        channel="in_person",
        started_at="2026-03-03T09:00:00Z",
        ended_at="2026-03-03T09:10:00Z",
        case=str(case.uuid),
        messages=[{"direction": "in", "text": "Trae los papeles."}],
    )
    chat, _token = begin(make_account(make_queue(world.unit)))

    def found(query: str) -> list[str]:
        answer = exchange.send("get", f"/interactions/?{query}")
        assert answer.status_code == 200, answer.content
        return [one["id"] for one in answer.json()["results"]]

    everything = [str(chat.uuid), visit["id"], old["id"]]
    assert found("") == everything
    first = exchange.send("get", "/interactions/?limit=2").json()
    rest = exchange.get(first["next"]).json()
    assert [one["id"] for one in first["results"] + rest["results"]] == everything
    assert rest["next"] is None
    assert found(f"citizen={citizen.uuid}") == [old["id"]]
    assert found(f"case={case.uuid}") == [visit["id"]]
    assert found("channel=in_person&channel=web_chat") == everything[:2]
    assert found("state=waiting") == [str(chat.uuid)]
    assert found(f"unit={world.other_unit.uuid}") == []
    assert found("opened_from=2026-03-03T00:00:00Z&opened_before=2026-03-04T00:00:00Z") == [
        visit["id"]
    ]
    assert exchange.send("get", "/interactions/?chanel=phone").status_code == 400
    assert exchange.send("get", "/interactions/?state=lost").status_code == 400


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"channel": "web_chat"}, "/channel"),
        ({"messages": []}, "/messages"),
        ({"messages": [{"direction": "in", "text": "\u0000"}]}, None),
        ({"messages": [{"direction": "in", "text": "x" * 20_001}]}, None),
        ({"messages": [{"direction": "in", "text": "x", "state": "read"}]}, None),
        ({"messages": [{"direction": "in", "text": "x", "at": "2026-03-01T00:00:00Z"}]}, None),
        ({"started_at": "2199-01-01T00:00:00Z"}, "/started_at"),
        ({"ended_at": "2026-03-02T07:00:00Z"}, "/ended_at"),
        ({"external_id": ""}, "/external_id"),
        ({"citizen": "00000000-0000-4000-8000-000000000000"}, "/citizen"),
        ({"case": "00000000-0000-4000-8000-000000000000"}, "/case"),
        ({"unit": "00000000-0000-4000-8000-000000000000"}, "/unit"),
        ({"owner": "1"}, "/owner"),
        ({"state": "active"}, "/state"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_and_nothing_kept(
    exchange: Caller, changed: dict[str, Any], pointer: str | None
) -> None:
    answer = exchange.send("post", "/interactions/", {**CALL, **changed})
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    if pointer:
        assert pointer in {one["pointer"] for one in answer.json()["errors"]}, answer.content
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_another_organisations_things_do_not_exist(exchange: Caller, world: World) -> None:
    made = taken(exchange)
    theirs = {
        "citizen": str(CitizenFactory(organisation=world.elsewhere).uuid),
        "case": str(CaseFactory(unit=world.foreign_unit).uuid),
        "unit": str(world.foreign_unit.uuid),
    }
    for name, value in theirs.items():
        answer = exchange.send("post", "/interactions/", {**CALL, "external_id": "x", name: value})
        assert answer.status_code == 422, (name, answer.content)
    link = f"/interactions/{made['id']}/cases/"
    assert exchange.send("post", link, {"case": theirs["case"]}).status_code == 422
    for name in ("citizen", "case", "unit"):
        assert exchange.send("get", f"/interactions/?{name}={theirs[name]}").json()["results"] == []
    foreign = Caller(key_for(world.elsewhere, VIEW, RECORD, "cases.view_case", name="Ajeno"))
    for path in ("", "messages/"):
        assert foreign.send("get", f"/interactions/{made['id']}/{path}").status_code == 404
    assert foreign.send("post", link, {"case": theirs["case"]}).status_code == 404
    assert foreign.send("get", "/interactions/").json()["results"] == []
    assert not ConversationCase.objects.exists()
    # the same number is another's there
    assert foreign.send("post", "/interactions/", CALL).status_code == 201


def test_each_scope_opens_its_own(caller: Callable[..., Caller], world: World) -> None:
    reader, writer = caller(VIEW), caller(RECORD)
    made = writer.send("post", "/interactions/", CALL)
    assert made.status_code == 201, made.content
    address = f"/interactions/{made.json()['id']}/"
    assert writer.send("get", address).status_code == 403
    assert reader.send("get", address).status_code == 200
    assert reader.send("post", "/interactions/", CALL).status_code == 403
    assert reader.send("post", f"{address}cases/", {"case": made.json()["id"]}).status_code == 403


def test_a_case_that_a_key_may_not_see_is_neither_linked_nor_told(
    caller: Callable[..., Caller], exchange: Caller, world: World
) -> None:
    case = CaseFactory(unit=world.unit)
    made = taken(exchange, case=str(case.uuid))
    blind = caller(VIEW, RECORD)
    assert blind.send("get", f"/interactions/{made['id']}/").json()["cases"] == []
    body = {**CALL, "external_id": "2", "case": str(case.uuid)}
    assert blind.send("post", "/interactions/", body).status_code == 422
    assert Case.objects.unscoped("a test").get(pk=case.pk).conversation_links.count() == 1


def test_looks_are_written_down_and_the_protected_are_initials(
    exchange: Caller, world: World
) -> None:
    citizen = CitizenFactory(organisation=world.here, name="Rosa", surname1="Vidal")
    made = taken(exchange, citizen=str(citizen.uuid))
    record = CitizenRecord.objects.unscoped("a test").get(citizen=citizen)
    record.protected, record.protected_reason = True, "Orden judicial"
    record.save()
    address = f"/interactions/{made['id']}/"
    read = exchange.send("get", address)
    messages = exchange.send("get", f"{address}messages/")
    for answer in (read, messages, exchange.send("get", "/interactions/")):
        assert "Vidal" not in answer.content.decode()
    assert read.json()["contact_address"] == ""
    assert read.json()["contact_name"] == record.shown_name
    looks = AuditEntry.objects.unscoped("a test").filter(action="viewed", object_id=made["id"])
    assert [look.data.get("part", "") for look in looks.order_by("pk")] == ["", "messages"]
    assert {look.data["citizen"] for look in looks} == {str(citizen.uuid)}


def test_a_list_costs_the_same_however_long_it_is(
    exchange: Caller, world: World, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        citizen = CitizenFactory(organisation=world.here)
        taken(exchange, external_id=str(number), citizen=str(citizen.uuid))
    with django_assert_max_num_queries(14):
        assert len(exchange.send("get", "/interactions/").json()["results"]) == 6


def test_a_chat_is_read_like_any_other(exchange: Caller, world: World) -> None:
    queue = make_queue(world.unit)
    talk, _token = begin(make_account(queue))
    visiting.say(talk, "¿Hay alguien?")
    read = exchange.send("get", f"/interactions/{talk.uuid}/").json()
    assert (read["channel"], read["state"], read["queue"]) == ("web_chat", "waiting", "general")
    said = exchange.send("get", f"/interactions/{talk.uuid}/messages/").json()["results"]
    assert "¿Hay alguien?" in [one["text"] for one in said]


def test_the_verb_asks_for_the_right_in_the_unit(world: World) -> None:
    """Who may take down in one unit may not in another."""
    actor = acting(employee(world.here, "supervisor", unit=world.unit))
    moment = datetime(2026, 3, 2, 8, tzinfo=UTC)
    held = {
        "channel": "phone",
        "started_at": moment,
        "ended_at": moment,
        "messages": [services.Words(direction="in", text="Hola")],
    }
    row = services.record_interaction(actor, services.Held(**held, unit=world.unit.uuid))
    assert row.unit == world.unit
    with pytest.raises(Refused):
        services.record_interaction(actor, services.Held(**held, unit=world.other_unit.uuid))
