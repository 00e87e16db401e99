"""Work under a lease: claimed by one worker, given back when that worker dies, bounded in attempts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.kit import realtime
from reporting.failures import ABANDONED, PERMANENT
from reporting.models import Export, HistoryBatch, IssuedHistory, Status, Work

LEASE = timedelta(seconds=90)  # longer than a rendering may take; prolonged at every sign of life
MOST_ATTEMPTS = 3
_WORD = timedelta(seconds=30)  # that a task was enqueued; then the sweeper speaks up
_PAUSE = timedelta(seconds=20)  # before trying again, times the attempts made

W = TypeVar("W", IssuedHistory, HistoryBatch, Export)
_STREAMS: dict[type[Work], str] = {
    IssuedHistory: "history",
    HistoryBatch: "histories",
    Export: "export",
}


def stream_of(work: Work) -> str:
    """The live stream on which the making of something is followed."""
    return f"{_STREAMS[type(work)]}:{work.uuid}"


@transaction.atomic
def claim(model: type[W], pk: int) -> W | None:
    """The row, now this worker's until its lease ends; None when it is not there to be worked on."""
    now = timezone.now()
    row = (
        model.objects.unscoped("a worker serves every organisation")
        .select_for_update(skip_locked=True)
        .filter(_due(now), pk=pk)
        .first()
    )
    if row is None:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        end(row, Status.FAILED, error=ABANDONED)
        return None
    row.status, row.attempts, row.lease_until = Status.RUNNING, row.attempts + 1, now + LEASE
    row.save(update_fields=["status", "attempts", "lease_until", "updated_at"])
    return row


@transaction.atomic
def hold(work: Work, **changes: Any) -> bool:
    """The lease goes on and the changes are kept; False when somebody else has the work now."""
    held = _mine(work).update(lease_until=timezone.now() + LEASE, **changes)
    if held:
        realtime.append(stream_of(work), {"status": work.status})
    return bool(held)


@transaction.atomic
def end(work: Work, status: Status, **changes: Any) -> bool:
    """The work has this status for good; False, and nothing changed, when the lease was lost."""
    ended = _mine(work).update(status=status, lease_until=None, **changes)
    if ended:
        realtime.append(stream_of(work), {"status": status, "finished": True})
    return bool(ended)


def give_up(work: Work, code: str) -> None:
    """What went wrong is told, or tried again later when that may help and was not tried enough."""
    if code in PERMANENT or work.attempts >= MOST_ATTEMPTS:
        end(work, Status.FAILED, error=code)
    else:
        release(work, _PAUSE * work.attempts, error=code)


def release(work: Work, pause: timedelta, **changes: Any) -> None:
    """The work waits again; the sweeper hands it out after the pause."""
    _mine(work).update(status=Status.QUEUED, lease_until=timezone.now() + pause, **changes)


def due() -> Iterator[tuple[str, int]]:
    """Work that waits longer than word to a worker takes: (task name, id), some of the oldest.

    What is handed out counts as told, so that a long queue is not told of again and again.
    """
    now = timezone.now()
    for task, model in (
        ("reporting.make_history", IssuedHistory),
        ("reporting.make_batch", HistoryBatch),
        ("reporting.make_export", Export),
    ):
        rows = model.objects.unscoped("the sweeper looks after all")
        waiting = rows.filter(_due(now)).exclude(lease_until=None, updated_at__gt=now - _WORD)
        found = list(waiting.order_by("id").values_list("pk", flat=True)[:50])
        rows.filter(pk__in=found, lease_until=None).update(updated_at=now)
        for pk in found:
            yield task, pk


def _due(now: Any) -> Q:
    return Q(status=Status.QUEUED) & (Q(lease_until=None) | Q(lease_until__lte=now)) | Q(
        status=Status.RUNNING, lease_until__lt=now
    )


def _mine(work: Work) -> Any:
    """The row, if this worker's attempt is still the last one."""
    rows = type(work).objects.unscoped("the worker that holds it")
    return rows.filter(pk=work.pk, attempts=work.attempts).exclude(
        status__in=[Status.DONE, Status.FAILED]
    )
