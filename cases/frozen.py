"""Answers of other systems kept in cases, as pages and papers show them; and in which cases one may be kept."""

from collections.abc import Iterable

from django.urls import reverse

from cases.models import Case, Event, EventKind, FrozenAnswer
from cases.permissions import CHANGE_CASE
from cases.selectors import cases_of_citizen
from crm.citizens.keeping import Keeper
from crm.citizens.models import Citizen
from crm.integrations import mapping
from crm.integrations.ports import Rows
from crm.kit.actor import Actor
from crm.kit.policy import decide


def rows_in_words(row: FrozenAnswer) -> Rows:
    """What was said, as the reader of this moment reads it."""
    return mapping.in_words(row.records)


def of_case(actor: Actor, case: Case) -> list[tuple[FrozenAnswer, bool]]:
    """The answers kept in the case, oldest first, and whether the actor may read each."""
    rows = FrozenAnswer.objects.for_actor(actor).filter(case=case).defer("records", "content")
    return [(row, actor.holds(row.permission)) for row in rows.order_by("frozen_at", "pk")]


def told_in(actor: Actor, case: Case, events: Iterable[Event]) -> dict[str, FrozenAnswer]:
    """Those that events tell of and the actor may read, by UUID; asks for none when none tells of any."""
    if not any(event.kind == EventKind.FROZEN for event in events):
        return {}
    rows = FrozenAnswer.objects.for_actor(actor).filter(case=case)
    return {str(row.uuid): row for row in rows if actor.holds(row.permission)}


def offer(actor: Actor, citizen: Citizen, reference: str) -> Keeper | None:
    """The open cases of the person that the actor may change; only that one, if they come from one."""
    mine = [
        case
        for case in cases_of_citizen(actor, citizen)
        if not case.ended and decide(actor, CHANGE_CASE, case)
    ]
    places = [(case.uuid, f"{case.reference} · {case.subject}") for case in mine]
    chosen = [one for case, one in zip(mine, places, strict=True) if case.reference == reference]
    return Keeper(reverse("cases:freeze"), chosen or places)
