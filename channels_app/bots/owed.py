"""Answers that a language model phrases: a row from the question on, until somebody has given the answer.

While the model is asked nothing is locked. Whoever takes the row gives the answer: the worker with the
model's words, the sweeper when they took too long, or the citizen's next question; the latter two with
the article's own sentences, as if there were no model.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cases import knowledge
from channels_app.bots import phrasing
from channels_app.bots.phrasing import Phrased
from channels_app.models import Conversation, Direction, ModelServer, OwedAnswer, State
from crm.integrations import ai
from crm.integrations.language import LanguageModel, ModelUnavailable
from crm.integrations.masking import masked
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.kit.tasks import enqueue

PHRASE = "channels.phrase_answer"
_SLACK = timedelta(seconds=2)  # for the worker to come and to write
_LEAST = 0.5  # seconds: with less the model is not asked


def model_of(row: Conversation) -> tuple[LanguageModel, int] | None:
    """The model that phrases the organisation's answers, and for how many seconds it is waited for."""
    server = (
        ModelServer.objects.unscoped("of the conversation's organisation")
        .filter(organisation=row.organisation_id, is_on=True)
        .first()
    )
    model = ai.language_model(server.url, server.model, server.key) if server else None
    return (model, server.seconds) if server and model and not model.check_config() else None


def owe(row: Conversation, seconds: int) -> None:
    """The last question of the locked conversation is answered by a worker, or soon without a model."""
    asked = row.messages.filter(direction=Direction.IN).order_by("-number")
    owed = OwedAnswer.objects.create(
        conversation=row,
        number=asked.values_list("number", flat=True)[0],
        due_at=timezone.now() + timedelta(seconds=seconds) + _SLACK,
    )
    enqueue(PHRASE, str(owed.uuid))
    told = {"typing": "machine", "seconds": seconds}
    transaction.on_commit(lambda: realtime.hint(row.visitor_stream, told), robust=True)


def waiting(owed: UUID) -> OwedAnswer | None:
    """The row, while somebody waits for its answer."""
    return (
        _rows()
        .filter(uuid=owed, conversation__state=State.MACHINE)
        .select_related("conversation__organisation")
        .first()
    )


def late() -> list[OwedAnswer]:
    """Those whose time is over, longest first."""
    rows = _rows().filter(due_at__lte=timezone.now()).select_related("conversation")
    return list(rows.order_by("due_at")[:100])


def seconds_left(row: Conversation) -> int:
    """How long the conversation's citizen waits for the model at most; 0 when no answer is owed."""
    found = _rows().filter(conversation=row).values_list("due_at", flat=True).first()
    return 0 if found is None else max(1, round((found - timezone.now()).total_seconds()))


def take(row: Conversation, number: int | None = None) -> str | None:
    """The question of the locked conversation that is the caller's to answer now; None when no longer."""
    rows = _rows().filter(conversation=row)
    found = (rows if number is None else rows.filter(number=number)).first()
    if found is None:
        return None
    found.delete()
    return question_of(found)


def question_of(owed: OwedAnswer) -> str:
    """What was asked."""
    return str(owed.conversation.messages.get(number=owed.number).body)


def phrase(owed: OwedAnswer, actor: Actor) -> Phrased | None:
    """The answer in the model's words; None when it did not come in time or cannot be taken."""
    row, question = owed.conversation, question_of(owed)
    asking = model_of(row)
    left = (owed.due_at - timezone.now() - _SLACK).total_seconds()
    leaves = knowledge.leaves(actor, masked(question), row.language)
    if asking is None or left < _LEAST or not leaves:
        return None
    model, seconds = asking
    turns, passages = phrasing.asked(question, row.language), phrasing.passages(leaves)
    try:
        draft = ai.draft(model, turns, passages, seconds=min(seconds, left))
    except ModelUnavailable:
        return None
    return phrasing.taken(draft, leaves, row.language)


def stands(phrased: Phrased, actor: Actor) -> bool:
    """Whether what it rests on is published still, as it was when the model read it."""
    articles = [leaf.uuid for leaf in phrased.leaves]
    published = knowledge.published(actor).filter(article__uuid__in=articles)
    now = set(published.values_list("article__uuid", "number"))
    return all((leaf.uuid, leaf.version) in now for leaf in phrased.leaves)


def _rows() -> "QuerySet[OwedAnswer]":
    return OwedAnswer.objects.unscoped("the machine's own, of every organisation")
