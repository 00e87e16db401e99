"""Canned answers as they are read: which fit a case, in what order, and how each would read there."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery, prefetch_related_objects
from django.utils.translation import override

from cases.models import (
    AnswerVersion,
    Audience,
    CannedAnswer,
    Case,
    CaseType,
    CaseTypeVersion,
    StateCategory,
)
from cases.parts.messages import DATA, VARIABLES, filled, holes, is_variable
from cases.permissions import CHANGE_CASE, PUBLISH_ARTICLE, WRITE_ARTICLE
from cases.usual_messages import values_of
from cases.workflow import Workflow, of_version
from crm.citizens.identifiers import folded
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.keyset import Order, Page, read_page
from crm.kit.policy import Decision, decide
from crm.kit.scoping import ScopedQuerySet
from crm.organisations.models import Organisation
from crm.organisations.selectors import unit_tree

OFFERED = 10
FIRST_LANGUAGE = "es"
LONGEST_SEARCH = 60
_ORDER = Order(("code", "id"))


# --- Reading --------------------------------------------------------------------------------------


def answers(actor: Actor) -> ScopedQuerySet[Any]:
    """Those that exist for the actor, with the newest and the published words."""
    newest = AnswerVersion.objects.filter(answer=OuterRef("pk")).order_by("-number")
    published = newest.filter(status=AnswerVersion.Status.PUBLISHED)
    rows: ScopedQuerySet[Any] = (
        CannedAnswer.objects.for_actor(actor)
        .select_related("unit", "owner")
        .annotate(
            newest_texts=Subquery(newest.values("texts")[:1]),
            texts=Subquery(published.values("texts")[:1]),
            newest_number=Subquery(newest.values("number")[:1]),
            draft_number=Subquery(
                newest.filter(status=AnswerVersion.Status.DRAFT).values("number")[:1]
            ),
        )
    )
    return rows


def page(
    actor: Actor,
    *,
    text: str = "",
    status: str = "",
    audience: str = "",
    case_type: str = "",
    missing: str = "",
    after: str = "",
) -> Page[CannedAnswer]:
    """A page of them by short name; those retired only when asked for."""
    rows: ScopedQuerySet[Any] = answers(actor)
    rows = rows.filter(status=status) if status else rows.exclude(status="retired")
    if audience:
        rows = rows.filter(audience=audience)
    if case_type:
        rows = rows.filter(Q(case_types=[]) | Q(case_types__contains=[case_type]))
    if missing:
        rows = rows.exclude(newest_texts__has_key=missing)
    for word in searched(text):
        rows = rows.filter(words__contains=word)
    return read_page(rows, _ORDER, after)


def searched(text: str) -> list[str]:
    """The words of a search, as the answers keep theirs."""
    return folded(text[:LONGEST_SEARCH]).replace("-", " ").split()


def may_change(actor: Actor, answer: CannedAnswer) -> Decision:
    """One's own is the owner's; of the others, whoever writes articles may propose other words."""
    if answer.audience == Audience.OWN:
        return Decision(actor.user_id is not None and answer.owner_id == actor.user_id)
    return decide(actor, WRITE_ARTICLE)


def may_publish(actor: Actor, answer: CannedAnswer) -> Decision:
    """One's own is the owner's; a unit's and the organisation's whoever publishes there."""
    if answer.audience == Audience.OWN:
        return may_change(actor, answer)
    return decide(actor, PUBLISH_ARTICLE, answer)


def may_write_own(actor: Actor) -> bool:
    """Whether they have cases to answer on: whoever has may keep answers of their own."""
    return actor.user_id is not None and actor.holds(CHANGE_CASE)


# --- The vocabulary -------------------------------------------------------------------------------


def known_names(actor: Actor, case_types: Sequence[str]) -> dict[str, Text]:
    """What a text may speak of: of the fields, those that every one of the named types has."""
    fields = [
        {f"{DATA}{one.name}": one.label for one in workflow.fields}
        for workflow in workflows(actor, case_types).values()
    ]
    first, *others = fields or [{}]
    common = {name: said for name, said in first.items() if all(name in one for one in others)}
    return {**VARIABLES, **common}


def workflows(actor: Actor, case_types: Sequence[str]) -> dict[str, Workflow]:
    """The published versions of these types, by code."""
    if not case_types:
        return {}
    rows = CaseTypeVersion.objects.filter(
        case_type__organisation=actor.organisation_id,
        case_type__code__in=case_types,
        status=CaseTypeVersion.Status.PUBLISHED,
    ).select_related("case_type")
    return {row.case_type.code: of_version(row.bundle) for row in rows}


def type_names(actor: Actor) -> dict[str, str]:
    """The case types in use, by code."""
    rows = CaseType.objects.for_actor(actor).filter(is_active=True).order_by("name")
    return dict(rows.values_list("code", "name"))


def spoken_names() -> str:
    """What the variables are called in the reader's language, for the composer (JSON)."""
    return json.dumps({name: str(label) for name, label in VARIABLES.items()})


def label_of(name: str, workflow: Workflow | None = None) -> str:
    """A variable as people call it."""
    if name in VARIABLES:
        return str(VARIABLES[name])
    return str(workflow.fields.label_of(name.removeprefix(DATA))) if workflow else name


# --- One answer on one case -----------------------------------------------------------------------


def chosen(texts: Mapping[str, str], language: str) -> str:
    """In which language an answer speaks to somebody of this one: theirs, that of which it is a variety,
    Spanish, or the first that there is."""
    for one in (language, language.partition("-")[0], FIRST_LANGUAGE):
        if texts.get(one):
            return one
    return next(iter(texts), "")


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A variable of which the case says nothing."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as it reads on a case."""

    language: str
    fell_back: bool  # there is no text in the language that was asked for
    text: str
    missing: list[Unfilled] = field(default_factory=list)


def rendered(texts: Mapping[str, str], language: str, case: Case) -> Rendered:
    """The words for this case; `case` was read for the actor by `selectors.case_of`."""
    workflow = of_version(case.type_version.bundle)
    spoken = chosen(texts, language)
    said = disclosed(case, values_of(case, workflow))
    with override(spoken):
        text = filled(texts[spoken], said)
    return Rendered(spoken, spoken != language, text, unfilled(text, workflow))


def disclosed(case: Case, value_of: Callable[[str], str]) -> Callable[[str], str]:
    """The same values, without a name that this organisation's people see as initials only."""
    records = getattr(case.citizen, "here", []) if case.citizen else []
    hidden = any(record.shown_name != case.citizen.full_name for record in records)  # type: ignore[union-attr]

    def value(name: str) -> str:
        return "" if name == "citizen" and hidden else value_of(name)

    return value


def unfilled(text: str, workflow: Workflow | None = None) -> list[Unfilled]:
    """The variables that still stand in a text which is about to be sent, each once."""
    names = dict.fromkeys(hole.name for hole in holes(text) if is_variable(hole.name))
    return [Unfilled(name, label_of(name, workflow)) for name in names]


# --- Which fit ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer that may be inserted."""

    answer: CannedAnswer
    said: Rendered
    files: list[str]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an answer is to fit: a case, or a conversation about none."""

    unit: int
    channel: str
    language: str
    case_type: str = ""
    states: frozenset[str] = frozenset()
    with_files: bool = True  # whether files can go along


Rendering = Callable[[Mapping[str, str], str], Rendered]


def offered(
    actor: Actor,
    case: Case,
    *,
    text: str = "",
    language: str = "",
    most: int = OFFERED,
    conversation: Occasion | None = None,
) -> list[Offer]:
    """The published answers for a case, those that fit best first: its unit, type, state, channel, the
    citizen's language, then what is used most. Without words only those that fit in everything. In a
    conversation about the case, by its channel and language."""
    category = StateCategory(case.category).name.lower()
    occasion = Occasion(
        case.unit_id,
        conversation.channel if conversation else case.channel,
        language or (conversation.language if conversation else case.language),
        case.case_type.code,
        frozenset({case.state, category}),
        conversation is None or conversation.with_files,
    )
    return _offers(actor, occasion, text, lambda texts, spoken: rendered(texts, spoken, case), most)


def offered_outside(
    actor: Actor, occasion: Occasion, citizen: str, *, text: str = ""
) -> list[Offer]:
    """The same in a conversation about no case: of the variables only the citizen's name is known."""

    def speaking(texts: Mapping[str, str], language: str) -> Rendered:
        spoken = chosen(texts, language)
        words = filled(texts[spoken], lambda name: citizen if name == "citizen" else "")
        return Rendered(spoken, spoken != language, words, unfilled(words))

    return _offers(actor, occasion, text, speaking, OFFERED)


def _offers(
    actor: Actor, occasion: Occasion, text: str, speaking: Rendering, most: int
) -> list[Offer]:
    language = occasion.language
    words = searched(text)
    rows = answers(actor).filter(status=CannedAnswer.Status.PUBLISHED)
    for word in words:
        rows = rows.filter(words__contains=word)
    organisation = Organisation.objects.for_actor(actor).get()
    above = [node.id for node in unit_tree(organisation).path(occasion.unit)]
    rows = rows.filter(Q(unit=None) | Q(unit__in=above))
    if not occasion.with_files:
        rows = rows.filter(files=None)
    found = [
        (place, row)
        for row in rows.defer("words")
        if (place := _place(row, occasion, above, words)) is not None
    ]
    found.sort(key=lambda pair: pair[0])
    best = [row for _place_, row in found[:most]]
    prefetch_related_objects(best, "files")
    return [
        Offer(row, speaking(row.texts, language), [file.name for file in row.files.all()])
        for row in best
    ]


def _place(
    row: Any, occasion: Occasion, above: Sequence[int], words: Sequence[str]
) -> tuple[Any, ...] | None:
    """Where an answer stands in the list, the least first; None: it is not for this occasion."""
    if row.case_types and occasion.case_type not in row.case_types:
        return None
    in_state = not row.states or bool(occasion.states & set(row.states))
    by_channel = not row.channels or occasion.channel in row.channels
    if not words and not (in_state and by_channel):
        return None
    named = bool(words) and row.code.startswith("-".join(words))
    return (
        not named,
        not (in_state and by_channel),
        row.audience != Audience.OWN,
        -above.index(row.unit_id) if row.unit_id in above else 1,
        not row.case_types,
        not row.states,
        not row.channels,
        chosen(row.texts or {}, occasion.language) != occasion.language,
        -row.uses,
        row.code,
    )


def published_of(actor: Actor, uuids: Iterable[UUID]) -> list[CannedAnswer]:
    """Those of these that the actor may use now, in the order given."""
    rows = answers(actor).filter(uuid__in=list(uuids), status=CannedAnswer.Status.PUBLISHED)
    found = {row.uuid: row for row in rows.prefetch_related("files")}
    return [found[uuid] for uuid in dict.fromkeys(uuids) if uuid in found]
