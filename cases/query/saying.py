"""From what a list is asked back to the expression that asks the same: filters and words translate."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from cases.lists import ALL, ENDED, ME, NOBODY, OPEN, CaseFilter
from cases.models import StateCategory
from cases.query.asking import Asking, Choice
from cases.query.fields import CASES
from cases.query.narrowing import Expression
from cases.query.values import CATEGORIES, CHANNELS, DANGER, PRIORITIES, SERVICE, WORK
from crm.kit.actor import Actor
from crm.kit.query import Group, Wrong, folded, in_spanish, parse, written

_JUST_NOW = timedelta(minutes=1)
_IN_SPANISH = {"now": "ahora", "tomorrow": "mañana", "next-week": "semana-próxima"}


def expression_of(actor: Actor, asked: CaseFilter) -> str:
    """What the filter asks as an expression; how far back and in what order it has no words for."""
    asking = Asking(actor, timezone.localtime())
    parts = [*_state(asked), *_place(asking, asked), *_people(asking, asked), *_rest(asking, asked)]
    return " ".join(parts)


def whole_expression(
    actor: Actor, base: CaseFilter, kept: Collection[str], typed: Expression
) -> str:
    """What a list asks as one expression: what was typed, and what is asked beside it."""
    beside = expression_of(actor, typed.beside(base, kept))
    if typed.speaks_of_state and "work" not in kept:
        everything = _term("state", _shown(WORK, ALL))
        beside = " ".join(part for part in beside.split(" ") if part != everything)
    text = typed.known.text.strip()
    alternatives = isinstance(typed.known.node, Group) and not typed.known.node.every
    if beside and alternatives and not text.startswith("("):
        text = f"({text})"
    return f"{beside} {text}".strip()


def in_parentheses(text: str) -> str:
    """An expression as a part of a longer one; words stay words among the others."""
    if not text.strip():
        return ""
    try:
        node = parse(text)
    except Wrong:
        return text
    return f"({text})" if isinstance(node, Group) else text


def _term(name: str, value: str, sign: str = ":") -> str:
    known = CASES.field(name)
    assert known is not None
    return f"{known.shown}{sign}{value}"


def _shown(choices: tuple[Choice, ...], value: Any) -> str:
    return next(choice.shown for choice in choices if choice.value == value)


def _state(asked: CaseFilter) -> Iterator[str]:
    if asked.categories:
        words = [_shown(CATEGORIES, category) for category in sorted(asked.categories)]
        yield _term("category", ",".join(words))
    if asked.work != _work_of(asked):
        yield _term("state", _shown(WORK, asked.work))
    if asked.state:
        reserved = any(
            folded(asked.state) == folded(word) for choice in WORK for word in choice.words
        )
        yield _term("state-code" if reserved else "state", written(asked.state))


def _work_of(asked: CaseFilter) -> str:
    """What the categories alone say of whether work goes on."""
    ended = {category >= StateCategory.RESOLVED for category in asked.categories}
    if len(ended) != 1:
        return "" if not ended else ALL
    return ENDED if True in ended else OPEN


def _place(asking: Asking, asked: CaseFilter) -> Iterator[str]:
    if asked.case_type:
        yield _term("type", written(asked.case_type))
    if asked.unit:
        node = next((one for one in asking.tree.nodes if one.uuid == str(asked.unit)), None)
        code = node.code if node else str(asked.unit)
        yield _term("unit", written(code if asked.alone else f"{code}/*"))


def _people(asking: Asking, asked: CaseFilter) -> Iterator[str]:
    if asked.assignee == ME:
        yield _term("assignee", "yo" if in_spanish() else "me")
    elif asked.assignee == NOBODY:
        yield _term("assignee", "nadie" if in_spanish() else "nobody")
    elif isinstance(asked.assignee, UUID):
        login = asking.people().filter(uuid=asked.assignee).values_list("email", flat=True).first()
        yield _term("assignee", login or str(asked.assignee))
    if asked.citizen:
        yield _term("citizen", str(asked.citizen))


def _rest(asking: Asking, asked: CaseFilter) -> Iterator[str]:
    if asked.channel:
        yield _term("channel", _shown(CHANNELS, asked.channel))
    if asked.priority is not None:
        yield _term("priority", _shown(PRIORITIES, asked.priority))
    for name, moment, sign in (
        ("due", asked.due_from, ">="),
        ("due", asked.due_before, "<"),
        ("opened", asked.opened_from, ">="),
        ("opened", asked.opened_before, "<"),
    ):
        if moment is not None:
            words = asked.due_words if moment is asked.due_before else ""
            shown = _IN_SPANISH.get(words, words) if in_spanish() else words
            yield _term(name, shown or _moment(asking, moment), sign)
    if asked.danger:
        yield _term("service", _shown(SERVICE, DANGER))
    if asked.reference:
        yield _term("ref", asked.reference)


def _moment(asking: Asking, moment: datetime) -> str:
    local = moment.astimezone(asking.now.tzinfo)
    if abs(local - asking.now) < _JUST_NOW:
        return "ahora" if in_spanish() else "now"
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return local.date().isoformat()
    return local.replace(tzinfo=None).isoformat()
