"""Canned answers in conversations: filled for who writes and the case, never sent with something lacking."""

from typing import Any

import pytest
from django.test import Client

from cases.services.answers import Answer, add_file, create_answer, publish_answer
from channels_app import services
from channels_app.models import Conversation, Queue
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HELLO = {"es": "Hola, ((citizen)): su expediente es ((reference))."}


@pytest.fixture
def boss(world: World) -> Actor:
    return world.actor(employee(world.here, "supervisor"))


@pytest.fixture
def queue(world: World) -> Queue:
    return make_queue(world.unit)


@pytest.fixture
def mine(world: World, queue: Queue) -> Conversation:
    """A conversation that Alice attends, of Ana."""
    make_agent(world.alice, queue, units=3)
    row, _token = begin(make_account(queue))
    services.take(acting(world.alice), row.uuid)
    row.refresh_from_db()
    row.citizen = CitizenFactory(organisation=world.here, name="Ana", surname1="Pla", surname2="")
    row.save()
    return row


def made(actor: Actor, code: str, **given: Any) -> Any:
    said = {"code": code, "name": code, "texts": HELLO, "audience": "organisation", **given}
    return publish_answer(actor, create_answer(actor, Answer(**said)).uuid)


def asked(user: Any, row: Conversation, query: str = "") -> Any:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/conversaciones/{row.uuid}/respuestas/{query}")
    return answer.json() if answer.status_code == 200 else answer.status_code


def codes(found: Any) -> list[str]:
    return [item["code"] for item in found["items"]]


def test_without_a_case_the_citizen_is_named_and_the_rest_lacks(
    world: World, boss: Actor, mine: Conversation
) -> None:
    CaseTypeFactory(organisation=world.here, code="rent")
    made(boss, "hola")
    made(boss, "tipo", case_types=["rent"])
    made(boss, "correo", channels=["email"])
    made(boss, "chat", channels=["web_chat"])
    made(boss, "sur", audience="unit", unit=world.other_unit.uuid)
    add_file(boss, made(boss, "fichero").uuid, [PDF], "guia.pdf")
    found = asked(world.alice, mine)
    assert codes(found) == ["chat", "hola"]
    (item,) = [one for one in found["items"] if one["code"] == "hola"]
    assert item["text"] == "Hola, Ana Pla: su expediente es ((reference))."
    assert [left["name"] for left in item["missing"]] == ["reference"]
    assert (item["files"], found["language"]) == ([], mine.language)
    assert asked(world.bob, mine) in (403, 404)


def test_with_a_case_it_is_filled_for_the_case(
    world: World, boss: Actor, mine: Conversation
) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="rent")
    case = CaseFactory(unit=world.unit, case_type=kind, citizen=mine.citizen)
    services.link_case(acting(world.alice), mine.uuid, case.reference)
    made(boss, "hola", case_types=["rent"], channels=["web_chat"])
    (item,) = asked(world.alice, mine, "?q=hola")["items"]
    assert item["text"] == f"Hola, Ana Pla: su expediente es {case.reference}."


def test_what_lacks_is_not_sent(world: World, mine: Conversation) -> None:
    with pytest.raises(Invalid) as refused:
        services.reply(acting(world.alice), mine.uuid, "Tiene hasta el ((due)).")
    assert "((due))" in str(refused.value.errors["text"][0])
    services.reply(acting(world.alice), mine.uuid, "Tiene hasta el ((nada)).")
    said = mine.messages.filter(direction="out", author=world.alice)
    assert [one.body for one in said] == ["Tiene hasta el ((nada))."]
