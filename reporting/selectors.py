"""Reading issued histories, batches and exports for pages, in a fixed number of queries."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count, Prefetch, Q

from crm.citizens.aliases import Survivor
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.actor import Actor
from reporting.models import (
    Export,
    HistoryBatch,
    IssuedHistory,
    IssuedHistoryQuerySet,
    Status,
)

PAGE = 50


def panel(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """The panel of a citizen's page; nothing for whom only another organisation's agreement shows."""
    own = CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).exists()
    return {} if own else None


def histories(
    actor: Actor,
    *,
    case: UUID | None = None,
    citizen: UUID | None = None,
    before: UUID | None = None,
) -> tuple[Sequence[IssuedHistory], UUID | None]:
    """The newest histories that the actor may see (of a case or person; issued before another one),
    and the one after which the next page begins."""
    rows = _with_subject(actor)
    if citizen is not None:
        rows = rows.filter(citizen=Survivor(citizen))
    if case is not None:
        rows = rows.filter(case__uuid=case)
    if before is not None:  # UUIDs are ordered by time, as the keys are
        rows = rows.filter(uuid__lt=before)
    found = list(rows.order_by("-uuid")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].uuid if len(found) > PAGE else None


def history(actor: Actor, uuid: UUID) -> IssuedHistory:
    """One of them, or NotFound."""
    return _with_subject(actor).get_or_refuse(uuid=uuid)


def _with_subject(actor: Actor) -> IssuedHistoryQuerySet:
    """Histories with their case or person, without what they tell."""
    here = Prefetch(
        "citizen__records", queryset=CitizenRecord.objects.for_actor(actor), to_attr="here"
    )
    rows = IssuedHistory.objects.for_actor(actor).select_related("case", "citizen")
    return rows.prefetch_related(here).defer("content")


def batches(actor: Actor) -> Sequence[HistoryBatch]:
    """The actor's latest batches, with how many of their histories are made or failed (`ended`)."""
    rows = HistoryBatch.objects.for_actor(actor).annotate(ended_count=_ENDED, ready=_READY)
    return list(rows.order_by("-id")[:10])


def batch(actor: Actor, uuid: UUID) -> HistoryBatch:
    """One of them, or NotFound."""
    rows = HistoryBatch.objects.for_actor(actor).annotate(ended_count=_ENDED, ready=_READY)
    return rows.get_or_refuse(uuid=uuid)


_ENDED = Count("histories", filter=Q(histories__status__in=[Status.DONE, Status.FAILED]))
_READY = Count("histories", filter=Q(histories__status=Status.DONE, histories__revoked_at=None))


def exports(actor: Actor) -> Sequence[Export]:
    """The actor's latest exports."""
    return list(Export.objects.for_actor(actor).order_by("-id")[:PAGE])


def export(actor: Actor, uuid: UUID) -> Export:
    """One of them, or NotFound."""
    return Export.objects.for_actor(actor).get_or_refuse(uuid=uuid)
