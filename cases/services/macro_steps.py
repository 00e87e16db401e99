"""What a macro may consist of: the acts of bulk actions and some more. Each is done by the same verb as by
hand, so that a macro can do no more than whoever runs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cases import answers as reading
from cases import selectors
from cases.clocks import SUSPENDS
from cases.macro_words import LABELS
from cases.models import Case
from cases.services.answers import send_answered
from cases.services.assignment import change_unit, take_case
from cases.services.bulk_acts import ACTS, Act, Batch, once
from cases.services.clocks import suspend_clock
from cases.services.letters import request_papers
from cases.services.lifecycle import move_case
from cases.services.notes import require_filled
from cases.services.tasks import NewTask, add_task
from cases.terms import read_term
from cases.workflow import of_version
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.organisations.models import Unit

Given = Mapping[str, Any]


def _free(_actor: Actor, _given: Given) -> None:
    return None


def _unforeseen(_actor: Actor, _case: Case, _given: Given, _found: Any) -> str:
    return ""  # a macro is tried whole and taken back: its verbs say themselves what is wrong


def _move(actor: Actor, _batch: Batch, case: Case, given: Given) -> object:
    return move_case(
        actor,
        case.uuid,
        given["move"],
        reason=given.get("reason", ""),
        outcome=given.get("outcome", ""),
        result=given.get("result", ""),
        data=given.get("data") or {},
    )


def _task(actor: Actor, batch: Batch, case: Case, given: Given) -> object:
    new = NewTask(
        title=given["title"],
        instructions=given.get("instructions", ""),
        term=given.get("term", ""),
    )
    return add_task(actor, case.uuid, new, key=once(batch, case))


def _answer(actor: Actor, batch: Batch, case: Case, given: Given) -> object:
    """In the citizen's language, as it reads on the case at this step."""
    found = reading.published_of(actor, [UUID(given["answer"])])
    if not found:
        raise Conflict("answer_gone", _("This answer is not offered any more."))
    row: Any = found[0]
    shown = selectors.case_of(actor, case.uuid)
    said = reading.rendered(row.texts, shown.language, shown)
    require_filled(said.text, of_version(shown.type_version.bundle))
    return send_answered(actor, case.uuid, said.text, [row.uuid], key=once(batch, case))


def _suspend(actor: Actor, _batch: Batch, case: Case, given: Given) -> object:
    return suspend_clock(actor, case.uuid, ground=given["ground"], reason=given["reason"])


def _papers(actor: Actor, _batch: Batch, case: Case, given: Given) -> object:
    term = {"term": given["term"]} if given.get("term") else {}
    return request_papers(actor, case.uuid, papers=given["papers"], **term)


def _unit(actor: Actor, _batch: Batch, case: Case, given: Given) -> object:
    return change_unit(actor, case.uuid, UUID(given["unit"]), reason=given["reason"])


def _new(
    code: str,
    icon: str,
    do: Callable[[Actor, Batch, Case, Given], object],
    wants: Sequence[str] = (),
    may: Sequence[str] = (),
) -> Act:
    return Act(LABELS[code], icon, wants, _free, _unforeseen, do, may)


STEPS: Mapping[str, Act] = {
    "take": _new(
        "take", "hand-grab", lambda actor, _batch, case, _given: take_case(actor, case.uuid)
    ),
    "assign": ACTS["assign"],
    "move": replace(ACTS["move"], do=_move, may=("reason", "outcome")),
    "priority": ACTS["priority"],
    "note": ACTS["note"],
    "answer": _new("answer", "message-2-plus", _answer, ("answer",)),
    "message": replace(ACTS["message"], label=LABELS["message"]),
    "task": _new("task", "checklist", _task, ("title",), ("instructions", "term")),
    "suspend": _new("suspend", "player-pause", _suspend, ("ground", "reason")),
    "papers": _new("papers", "file-text", _papers, ("papers",), ("term",)),
    "unit": replace(ACTS["unit"], do=_unit),
}
SETTLED = frozenset({"person", "move", "unit", "priority", "answer", "ground"})
"""What a macro must say itself; the rest may be left to whoever runs it."""
LONG = {"body": 20_000, "instructions": 4_000, "papers": 4_000}
SHORT = {"reason": 1_000, "outcome": 240, "title": 200, "term": 8}
"""How long what is written in a step, or said by whoever runs it, may be: in paragraphs, in one line."""


def too_long(given: Given) -> dict[str, str]:
    """What is longer than its place, by argument."""
    limit = _("Write at most %(limit)s characters.")
    return {
        name: limit % {"limit": most}
        for name, most in (LONG | SHORT).items()
        if len(str(given.get(name) or "")) > most
    }


def asked(act: str, given: Given, case: Case) -> list[str]:
    """What the step still needs to be told on this case: a move what its type demands of it."""
    step = STEPS[act]
    if act != "move":
        return [name for name in step.wants if given.get(name) in (None, "")]
    workflow = of_version(case.type_version.bundle)
    move = workflow.move(given["move"])
    if move is None or case.state not in move.sources:
        return []
    told = {**given, **(given.get("data") or {})}
    return [name for name in workflow.asks(move, case) if told.get(name) in (None, "", [])]


def what(actor: Actor, given: Given) -> str:
    """What the step is about, in words that say nothing of anybody."""
    act = given["act"]
    if act == "priority":
        return str(dict(Case.Priority.choices).get(int(given["priority"]), ""))
    if act == "assign":
        user = User.objects.filter(uuid=given["person"]).first()
        return user.full_name if user else ""
    if act == "unit":
        unit = Unit.objects.for_actor(actor).filter(uuid=given["unit"]).first()
        return unit.name if unit else ""
    if act == "answer":
        row = reading.answers(actor).filter(uuid=given["answer"]).first()
        return row.name if row else ""
    if act == "suspend":
        return f"art. {given['ground']}"
    return str(given.get("title", "")) if act == "task" else ""


def wrong(actor: Actor, given: Given) -> dict[str, str]:
    """What is wrong with what a step says of itself, by argument; moves are checked with their types."""
    found: dict[str, str] = {}
    act = given["act"]
    for name in STEPS[act].wants:
        if name in SETTLED and not given.get(name):
            found[name] = _("This field is required.")
    found |= too_long(given)
    if found:
        return found
    try:
        STEPS[act].prepare(actor, given)
    except (Invalid, ValidationError, ValueError) as error:
        told = (
            error.in_a_line
            if isinstance(error, Invalid)
            else _("Choose one of the offered values.")
        )
        return {STEPS[act].wants[0]: told}
    return _unknown(actor, given)


def _unknown(actor: Actor, given: Given) -> dict[str, str]:
    """What a step names that there is not."""
    known: dict[str, Callable[[str], object]] = {
        "answer": lambda value: reading.published_of(actor, [UUID(value)]),
        "ground": SUSPENDS.get,
        "priority": {str(one) for one in Case.Priority.values}.__contains__,
        "term": _is_term,
    }
    told = _("Choose one of the offered values.")
    return {
        name: _("Write the term as 30wd, 15d, 3m or 1y.") if name == "term" else told
        for name, knows in known.items()
        if given.get(name) and not _found(knows, str(given[name]))
    }


def _found(knows: Callable[[str], object], value: str) -> bool:
    try:
        return bool(knows(value))
    except ValueError:
        return False


def _is_term(value: str) -> bool:
    return read_term(value) is not None
