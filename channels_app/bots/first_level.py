"""The machine in a conversation: it introduces itself, answers in it, and hands it over to people.

All within the transaction of what it answers to, so that no question is left without an answer; what a
language model phrases is owed by that transaction and given by a worker (owed.py). A conversation that a
person has, or waits for one, is never spoken into.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from cases import catalogue, knowledge
from cases.knowledge import Found, Leaf
from cases.ports import booking_address
from channels_app.bots import answers, owed, words
from channels_app.bots.answers import Outcome, Reply, Why
from channels_app.bots.phrasing import Phrased
from channels_app.hours import hours_of
from channels_app.models import (
    Author,
    ChannelAccount,
    Conversation,
    Delivery,
    Direction,
    EventKind,
    Message,
    OwedAnswer,
    State,
)
from channels_app.services import routing
from channels_app.services.writing import add, listeners, lock, move, note_event, tell
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.integrations.masking import masked
from crm.kit.actor import Actor, Door, Origin

NAME = "first-level/2"  # raise it when rules or retrieval change: messages say which one spoke
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


def answer(row: Conversation, question: str, origin: Origin) -> None:
    """The question has its reply or will have it, or a person takes over. The row is locked."""
    earlier = owed.take(row)
    if earlier is not None:  # they did not wait for it: it is not left out for that
        _respond(row, earlier, origin)
        if row.state != State.MACHINE:
            return
    reply = _reply(row, question, origin)
    model = owed.model_of(row) if reply.outcome == Outcome.ANSWERED else None
    if model is None:
        _give(row, reply, origin)
    else:
        owed.owe(row, model[1])


def phrase(answer_owed: UUID) -> None:
    """A language model has been asked, and the answer given in its words or the article's. Nothing is
    locked meanwhile; a second run finds the answer given."""
    found = owed.waiting(answer_owed)
    if found is not None:
        machine = _machine(found.conversation, Origin(Door.TASK))
        _settle(found, owed.phrase(found, machine))


def sweep_owed() -> int:
    """What no model has phrased in time is answered with the article's own words; how many were."""
    return sum(_settle(one) for one in owed.late())


def _settle(answer_owed: OwedAnswer, phrased: Phrased | None = None) -> bool:
    with transaction.atomic():
        row = lock(answer_owed.conversation)
        question = owed.take(row, answer_owed.number)
        if question is None or row.state != State.MACHINE:
            return False
        _respond(row, question, Origin(Door.TASK), phrased)
        tell({"kind": "message", "number": row.last_number}, listeners(row))
    return True


def _respond(
    row: Conversation, question: str, origin: Origin, phrased: Phrased | None = None
) -> None:
    """The owed answer is given: in a model's words while they stand, else as it is without one."""
    if phrased is None or not owed.stands(phrased, _machine(row, origin)):
        _give(row, _reply(row, question, origin), origin)
        return
    with translation.override(row.language):
        _say(
            row,
            f"{phrased.text}\n\n{words.offer()}",
            {"outcome": Outcome.ANSWERED, "why": ""},
            [
                *(_article(row, leaf) for leaf in phrased.leaves),
                *_appointments(row, phrased.leaves[0].uuid),
            ],
            generated_by=f"{NAME} {phrased.model}"[:80],
        )
    record(
        _machine(row, origin), "suggested", row, outcome=Outcome.ANSWERED, model=phrased.model[:80]
    )


def _reply(row: Conversation, question: str, origin: Origin) -> Reply:
    machine = _machine(row, origin)

    def answering(text: str) -> Found | None:
        """People say who they are with what they ask: no article speaks of that."""
        return knowledge.answer(machine, masked(text), row.language)

    return answers.reply(question, answering, misses=answers.misses_in(_outcomes(row)))


def _give(row: Conversation, reply: Reply, origin: Origin) -> None:
    actor = _machine(row, origin)
    with translation.override(row.language):
        told = words.of(reply, attended=_attended(row))
        _say(row, told, _kept(reply), _sources(row, reply))
    record(actor, "suggested", row, outcome=reply.outcome, why=reply.why or "")
    if reply.hand_over:
        _hand_over(row, actor, reply.why or Why.ASKED_FOR)


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
    owed.take(row)  # a person answers it
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
    generated_by: str = NAME,
) -> Message:
    return add(
        row,
        Direction.OUT,
        Author.MACHINE,
        text,
        state=Delivery.SENT,
        author_name=words.name(),
        generated_by=generated_by,
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
        article = {**_article(row, found), "sureness": round(found.sureness, 3)}
        return [article, *_appointments(row, found.uuid)]
    if reply.why == Why.OWN_CASE:
        path = reverse("cases:window_follow", kwargs={"organisation": code})
        return [{"url": f"{settings.PUBLIC_URL}{path}", "title": _("Follow my case")}]
    return []


def _article(row: Conversation, found: Found | Leaf) -> dict[str, Any]:
    place = {"organisation": row.organisation.code, "code": found.code}
    return {
        "url": f"{settings.PUBLIC_URL}{reverse('cases:window_article', kwargs=place)}",
        "title": found.title,
        "article": str(found.uuid),
        "version": found.version,
    }


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
