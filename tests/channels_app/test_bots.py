"""The first level: what it answers, when it keeps silent, and that a person is always within reach."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import translation

from cases.knowledge import Found
from cases.services import knowledge
from channels_app.bots import answers, words
from channels_app.bots.answers import Outcome, Reply, Why
from channels_app.models import (
    Author,
    ChannelAccount,
    Conversation,
    Direction,
    EventKind,
    Message,
    State,
    WorkItem,
)
from channels_app.services import visiting
from crm.accounts.actors import system_actor
from crm.audit.models import AuditEntry
from tests.conftest import World
from tests.factories.accounts import ORIGIN
from tests.factories.cases import ArticleFactory
from tests.factories.channels_app import PUBLIC, begin, make_account, make_queue

VADO = Found(uuid4(), "vado", 1, "¿Cuánto cuesta un vado?", "Cuesta 90 euros al año.", 0.9)


def nothing(_question: str) -> Found | None:
    return None


def vado(_question: str) -> Found | None:
    return VADO


# --- What is due: pure ---


@pytest.mark.parametrize(
    "text",
    [
        "me quiero morir",
        "Mi marido me está pegando",
        "¡Hay un INCENDIO en mi calle!",
        "llamen a una ambulancia",
        "sufro violencia de género",
        "quiero hablar con una persona, me ha pegado",
        "There is an emergency",
    ],
)
def test_danger_comes_before_everything_and_a_person_takes_over(text: str) -> None:
    assert answers.reply(text, vado) == Reply(Outcome.URGENT, Why.DANGER, hand_over=True)


@pytest.mark.parametrize(
    "text",
    [
        "persona",
        "Agente, por favor",
        "quiero hablar con una persona",
        "¿puedo hablar con alguien?",
        "pásame con un humano",
        "que me atienda un funcionario",
        "prefiero una persona",
        "vull parlar amb una persona",
        "I want to talk to a human",
        "je veux parler à quelqu'un",
    ],
)
def test_whoever_wants_a_person_gets_one(text: str) -> None:
    assert answers.reply(text, vado) == Reply(Outcome.PERSON, Why.ASKED_FOR, hand_over=True)


@pytest.mark.parametrize(
    "text",
    [
        "¿Qué persona puede solicitar la ayuda?",
        "¿Cuántas personas pueden empadronarse en un piso?",
        "¿Cuánto cuesta un vado?",
        "¿Cómo se dan de alta los agentes comerciales?",
    ],
)
def test_words_about_persons_are_no_wish_for_one(text: str) -> None:
    assert answers.reply(text, vado) == Reply(Outcome.ANSWERED, found=VADO)


@pytest.mark.parametrize(
    "text",
    [
        "¿Cómo va mi expediente?",
        "¿cuándo me pagan la ayuda?",
        "INP-2026-0001234",
        "¿Por qué me han denegado la beca?",
    ],
)
def test_of_ones_own_case_nothing_is_said(text: str) -> None:
    found = answers.reply(text, vado)
    assert (found.outcome, found.why, found.found) == (Outcome.ABSTAINED, Why.OWN_CASE, None)


def test_it_says_when_it_does_not_know_and_gives_way_after_two() -> None:
    first = answers.reply("¿Quién pintó las Meninas?", nothing)
    assert first == Reply(Outcome.ABSTAINED, Why.NOTHING_FOUND)
    second = answers.reply("¿Y la Gioconda?", nothing, misses=1)
    assert second == Reply(Outcome.ABSTAINED, Why.MISSED_TWICE, hand_over=True)


def test_a_greeting_is_no_question_and_no_miss() -> None:
    assert answers.reply(["¡Hola", " buenos días!"][0], vado).why == Why.GREETING
    missed = [
        {"outcome": "answered"},
        {"outcome": "abstained", "why": "nothing_found"},
        {"outcome": "abstained", "why": "greeting"},
    ]
    assert answers.misses_in(missed) == 1  # type: ignore[arg-type]
    assert answers.misses_in([{"outcome": "abstained"}, {"outcome": "answered"}]) == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(Outcome.ANSWERED, found=VADO),
        Reply(Outcome.ABSTAINED, Why.NOTHING_FOUND),
        Reply(Outcome.ABSTAINED, Why.OWN_CASE),
        Reply(Outcome.ABSTAINED, Why.GREETING),
        Reply(Outcome.ABSTAINED, Why.MISSED_TWICE, hand_over=True),
        Reply(Outcome.URGENT, Why.DANGER, hand_over=True),
        Reply(Outcome.PERSON, Why.ASKED_FOR, hand_over=True),
    ],
)
def test_every_reply_offers_or_brings_a_person(reply: Reply) -> None:
    with translation.override("en"):
        if reply.why != Why.GREETING:
            assert "person" in words.of(reply, attended=True)
        assert "person" in words.introduction("X")
        assert "automatic assistant" in words.introduction("X")


# --- In a conversation ---

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world: World) -> ChannelAccount:
    """A web chat that begins with the assistant, and two articles."""
    ArticleFactory(
        unit=world.unit,
        code="vado",
        title="¿Cuánto cuesta un vado permanente?",
        body="La tasa del vado permanente es de **90 euros** al año. Se paga en enero.",
    )
    ArticleFactory(unit=world.unit, title="Aparcar la bicicleta", body="Hay aparcabicis.")
    return make_account(make_queue(world.unit), settings={"assistant": True})


def start(account: ChannelAccount, text: str) -> tuple[Conversation, list[Message]]:
    row, _token = begin(account, text=text)
    return row, said(row)


def said(row: Conversation) -> list[Message]:
    rows = Message.objects.unscoped("a test looks").filter(conversation=row).order_by("number")
    return list(rows)


ASKED = "¿Cuánto cuesta el vado permanente al año?"


def test_it_says_that_it_is_a_machine_before_it_answers(account: ChannelAccount) -> None:
    row, messages = start(account, ASKED)
    assert row.state == State.MACHINE
    assert [one.author_kind for one in messages] == ["citizen", "machine", "machine"]
    assert "automatic assistant" in messages[1].body
    answer = messages[2]
    assert answer.body.startswith("La tasa del vado permanente es de 90 euros al año.")
    assert answer.generated_by == "first-level/2"
    [source] = answer.sources
    assert source["url"].endswith("/sede/HERE/ayuda/vado/")
    assert (source["title"], source["version"]) == ("¿Cuánto cuesta un vado permanente?", 1)
    assert not WorkItem.objects.unscoped("a test looks").exists()


def test_the_link_of_an_answer_leads_to_the_article(account: ChannelAccount) -> None:
    _row, messages = start(account, ASKED)
    path = messages[2].sources[0]["url"].partition("/sede/")[2]
    assert "90 euros" in Client().get(f"/sede/{path}").content.decode()


def test_what_no_article_says_it_does_not_say(account: ChannelAccount, world: World) -> None:
    row, messages = start(account, "¿Quién pintó las Meninas?")
    assert messages[-1].body.startswith("I do not know")
    assert messages[-1].sources == []
    assert row.state == State.MACHINE
    article = knowledge.Article.objects.unscoped("a test").get(code="vado")
    knowledge.retire_article(system_actor(world.here, ORIGIN), article.uuid)
    visiting.say(row, ASKED)
    row.refresh_from_db()
    assert "I hand you over" in said(row)[-2].body
    assert row.state == State.WAITING


def test_after_two_misses_a_person_gets_it_with_everything_said(account: ChannelAccount) -> None:
    row, _messages = start(account, "¿Quién pintó las Meninas?")
    visiting.say(row, "¿Y la Gioconda?")
    row.refresh_from_db()
    assert row.state == State.WAITING
    item = WorkItem.objects.unscoped("a test looks").get()
    assert (item.conversation, item.status) == (row, WorkItem.Status.QUEUED)
    messages = said(row)
    packet = messages[-1]
    assert (packet.direction, packet.author_kind) == (Direction.INTERNAL, Author.SYSTEM)
    assert "could not answer twice" in packet.body
    assert "¿Y la Gioconda?" in packet.body
    assert [one.body for one in messages if one.direction == "in"] == [
        "¿Quién pintó las Meninas?",
        "¿Y la Gioconda?",
    ]
    assert row.events.filter(kind=EventKind.QUEUED, data__why="missed_twice").count() == 1


def test_once_a_person_is_waited_for_the_machine_says_nothing(account: ChannelAccount) -> None:
    row, _messages = start(account, "quiero hablar con una persona")
    row.refresh_from_db()
    assert row.state == State.WAITING
    before = len(said(row))
    visiting.say(row, ASKED)
    assert len(said(row)) == before + 1
    visiting.ask_for_person(row, PUBLIC)
    assert len(said(row)) == before + 1
    assert WorkItem.objects.unscoped("a test looks").count() == 1


def test_the_button_brings_a_person(account: ChannelAccount) -> None:
    row, token = begin(account, text=ASKED)
    answer = Client().post(
        "/chat/conversacion/persona/",
        "{}",
        "application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.json()["state"] == "waiting"
    assert "Handed over" not in str(answer.json()["messages"])
    row.refresh_from_db()
    assert row.state == State.WAITING
    assert "¿Cuánto cuesta un vado permanente?" in said(row)[-1].body


def test_said_twice_with_one_key_it_is_answered_once(account: ChannelAccount) -> None:
    row, _messages = start(account, "hola")
    key = uuid4()
    visiting.say(row, ASKED, key=key)
    count = len(said(row))
    visiting.say(row, ASKED, key=key)
    assert len(said(row)) == count


def test_danger_is_answered_with_numbers_and_handed_over_at_once(account: ChannelAccount) -> None:
    row, messages = start(account, "Mi pareja me está pegando")
    row.refresh_from_db()
    told: Any = messages[2].body
    assert all(number in told for number in ("112", "016", "024"))
    assert row.state == State.WAITING


def test_what_the_machine_said_is_in_the_trail(account: ChannelAccount) -> None:
    start(account, ASKED)
    entry = AuditEntry.objects.unscoped("a test looks").get(action="suggested")
    assert entry.data["outcome"] == "answered"


def test_without_the_setting_a_person_is_waited_for_from_the_start(world: World) -> None:
    row, messages = start(make_account(make_queue(world.unit)), ASKED)
    assert row.state == State.WAITING
    assert len(messages) == 1


def test_the_form_says_that_a_machine_answers_first(account: ChannelAccount, world: World) -> None:
    frame = Client().get(f"/chat/{account.public_key}/?l=en").content.decode()
    assert "An automatic assistant answers you first, not a person." in frame
    without = make_account(make_queue(world.other_unit, "other"))
    frame = Client().get(f"/chat/{without.public_key}/?l=en").content.decode()
    assert "A person answers you here." in frame
