"""The machine in a conversation: it introduces itself, answers in it, and hands it over to people.

All within the transaction of what it answers to, so that no question is left without an answer. A
conversation that a person has, or waits for one, is never spoken into.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from cases import catalogue, knowledge
from cases.ports import booking_address
from channels_app.bots import answers, words
from channels_app.bots.answers import Outcome, Reply, Why
from channels_app.hours import hours_of
from channels_app.models import (
    Author,
    ChannelAccount,
    Conversation,
    Delivery,
    Direction,
    EventKind,
    Message,
    State,
)
from channels_app.services import routing
from channels_app.services.writing import add, move, note_event
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit.actor import Actor, Door, Origin

NAME = "first-level/1"  # raise it when rules or retrieval change: messages say which one spoke
SETTING = "assistant"
_MOST_BOOKINGS = 2


def speaks_on(account: ChannelAccount) -> bool:
    """Whether conversations of the account begin with the machine."""
    return bool(account.settings.get(SETTING))


def begin(row: Conversation, question: str, origin: Origin) -> None:
    """The machine has said what it is, and answered the first question. The row is locked."""
    with translation.override(row.language):
        _say(row, words.introduction(row.organisation.name), {"outcome": "introduced"})
    answer(row, question, origin)


def answer(row: Conversation, question: str, origin: Origin) -> Reply:
    """The question has its reply, or a person takes over. The row is locked."""
    actor = _machine(row, origin)
    answering = partial(knowledge.answer, actor, language=row.language)
    reply = answers.reply(question, answering, misses=answers.misses_in(_outcomes(row)))
    with translation.override(row.language):
        told = words.of(reply, attended=_attended(row))
        _say(row, told, _kept(reply), _sources(row, reply))
    record(actor, "suggested", row, outcome=reply.outcome, why=reply.why or "")
    if reply.hand_over:
        _hand_over(row, actor, reply.why or Why.ASKED_FOR)
    return reply


def hand_over(row: Conversation, origin: Origin) -> None:
    """Who asked for a person by the button waits for one. The row is locked; nothing when they do already."""
    if row.state != State.MACHINE:
        return
    with translation.override(row.language):
        told = words.handing_over(attended=_attended(row))
        _say(row, told, {"outcome": Outcome.PERSON, "why": Why.ASKED_FOR})
    _hand_over(row, _machine(row, origin), Why.ASKED_FOR)


# --- Inside --------------------------------------------------------------------------------------


def _hand_over(row: Conversation, actor: Actor, why: Why) -> None:
    """The conversation waits in its queue, with a note for whoever attends it."""
    queue = row.queue
    assert queue is not None
    add(row, Direction.INTERNAL, Author.SYSTEM, _packet(row, why), author_name=str(words.name()))
    move(row, State.WAITING)
    note_event(actor, row, EventKind.QUEUED, why=why.value, machine=NAME)
    routing.enqueue(row, queue)


def _packet(row: Conversation, why: Why) -> str:
    """What an employee needs to know at a glance; all that was said stands above it."""
    asked = row.messages.filter(direction=Direction.IN).order_by("-number")
    shown = [
        source["title"]
        for message in row.messages.filter(author_kind=Author.MACHINE).order_by("number")
        for source in message.sources
        if source.get("article")
    ]
    reasons: Mapping[Why, str] = {
        Why.ASKED_FOR: _("The citizen asked for a person."),
        Why.MISSED_TWICE: _("The assistant could not answer twice."),
        Why.OWN_CASE: _("The question is about the citizen's own case."),
        Why.DANGER: _("The words sound like danger: look at them first."),
    }
    parts = [
        _("Handed over by the assistant."),
        reasons.get(why, ""),
        _("Last question: %(text)s") % {"text": one.body} if (one := asked.first()) else "",
        _("Articles shown: %(titles)s") % {"titles": ", ".join(shown)} if shown else "",
    ]
    return "\n".join(filter(None, parts))


def _say(
    row: Conversation,
    text: str,
    outcome: Mapping[str, str],
    sources: list[dict[str, Any]] | None = None,
) -> Message:
    return add(
        row,
        Direction.OUT,
        Author.MACHINE,
        text,
        state=Delivery.SENT,
        author_name=words.name(),
        generated_by=NAME,
        headers=dict(outcome),
        sources=sources or [],
    )


def _kept(reply: Reply) -> dict[str, str]:
    return {"outcome": reply.outcome, "why": reply.why or ""}


def _outcomes(row: Conversation) -> list[Mapping[str, str]]:
    said = row.messages.filter(author_kind=Author.MACHINE).order_by("number")
    return [message.headers for message in said]


def _sources(row: Conversation, reply: Reply) -> list[dict[str, Any]]:
    """The article's page, and where the appointment of its procedure is booked; addresses are ours
    alone, never something that was written in it."""
    code = row.organisation.code
    if reply.found is not None:
        found = reply.found
        path = reverse("cases:window_article", kwargs={"organisation": code, "code": found.code})
        article = {
            "url": f"{settings.PUBLIC_URL}{path}",
            "title": found.title,
            "article": str(found.uuid),
            "version": found.version,
            "sureness": round(found.sureness, 3),
        }
        return [article, *_appointments(row, found.uuid)]
    if reply.why == Why.OWN_CASE:
        path = reverse("cases:window_follow", kwargs={"organisation": code})
        return [{"url": f"{settings.PUBLIC_URL}{path}", "title": _("Follow my case")}]
    return []


def _appointments(row: Conversation, article: UUID) -> list[dict[str, Any]]:
    """Where citizens book what the article's procedures say; an article of many says none."""
    actor = _machine(row, Origin(Door.PUBLIC))
    about = catalogue.published(actor).filter(articles__uuid=article).exclude(booking="")
    shown = catalogue.shown(about[: _MOST_BOOKINGS + 1], row.language)
    if len(shown) > _MOST_BOOKINGS:
        return []
    return [
        {
            "url": f"{settings.PUBLIC_URL}{path}",
            "title": _("Book an appointment: %(procedure)s") % {"procedure": one.text.name},
            "procedure": one.procedure.code,
        }
        for one in shown
        if (path := booking_address(actor, one.procedure))
    ]


def _attended(row: Conversation) -> bool:
    return row.queue is not None and hours_of(row.queue).open


def _machine(row: Conversation, origin: Origin) -> Actor:
    return system_actor(row.organisation, origin, NAME)
