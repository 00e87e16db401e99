"""Answers of other systems kept in cases, as pages and papers show them; and in which cases one may be kept."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from cases.models import Case, Event, EventKind, FrozenAnswer
from cases.permissions import CHANGE_CASE
from cases.selectors import cases_of_citizen
from crm.citizens.aliases import Survivor
from crm.citizens.keeping import Keeper
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_PROTECTED
from crm.integrations import mapping
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.integrations.ports import Rows
from crm.kit.actor import Actor
from crm.kit.policy import decide
from crm.kit.scoping import ScopedQuerySet


def rows_in_words(row: FrozenAnswer) -> Rows:
    """What was said, as the reader of this moment reads it."""
    return mapping.in_words(row.records)


def kept_in(actor: Actor, case: Case) -> ScopedQuerySet[Any]:
    """The answers kept in the case, with who their `person` is on record as now and whether that is
    `guarded`; to who asks for somebody's representative, of that person alone."""
    protected = CitizenRecord.objects.for_actor(actor).filter(
        citizen=OuterRef("person"), protected=True
    )
    rows: ScopedQuerySet[Any] = (
        FrozenAnswer.objects.for_actor(actor)
        .filter(case=case)
        .annotate(person=Survivor(F("citizen__uuid")))
        .annotate(guarded=Exists(protected))
    )
    alone = [one.subject for one in actor.attends if one.alone]
    return rows.filter(person__in=alone) if alone else rows


def may_read(actor: Actor, row: Any) -> bool:
    """Whether what an answer of kept_in says is told: to who could ask the system, and through them to
    nobody who speaks for the person by less than the general mandate."""
    attended = actor.attended(row.person)
    if attended is not None and (attended.refusal or not attended.everything):
        return False
    if row.guarded and not actor.holds(VIEW_PROTECTED):
        return False
    return actor.holds(CONSULT_SYSTEMS) and actor.holds(row.permission)


def of_case(actor: Actor, case: Case) -> list[tuple[FrozenAnswer, bool]]:
    """The answers kept in the case, oldest first, and whether the actor may read each."""
    rows = kept_in(actor, case).defer("records", "content")
    return [(row, may_read(actor, row)) for row in rows.order_by("frozen_at", "pk")]


def told_in(actor: Actor, case: Case, events: Iterable[Event]) -> dict[str, FrozenAnswer]:
    """Those that events tell of and the actor may read, by UUID; asks for none when none tells of any."""
    if not any(event.kind == EventKind.FROZEN for event in events):
        return {}
    return {str(row.uuid): row for row in kept_in(actor, case) if may_read(actor, row)}


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
