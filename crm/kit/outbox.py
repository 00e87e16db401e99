"""The one way effects leave: rows written with the business transaction, drained by workers."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.kit.models import Outbox

log = logging.getLogger(__name__)

BATCH = 100  # claiming by hundreds is thirty times faster than one by one (data-and-speed.md 5)
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 12
Effect = Callable[[Mapping[str, Any]], None]
_effects: dict[str, list[Effect]] = defaultdict(list)


class TryLater(Exception):  # noqa: N818 - reads as what the adapter says
    """The effect could not happen now; it is tried again, later each time."""


def effect(topic: str) -> Callable[[Effect], Effect]:
    """Register what must happen for each outbox row of a topic. It may run twice: key by the payload."""

    def register(function: Effect) -> Effect:
        _effects[topic].append(function)
        return function

    return register


def send_later(
    topic: str,
    payload: Mapping[str, Any],
    *,
    key: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Owe an effect to the world from this transaction on; a second one with the same key is dropped."""
    row = Outbox(
        topic=topic, payload=dict(payload), dedupe_key=key, due_at=due_at or timezone.now()
    )
    Outbox.objects.bulk_create([row], ignore_conflicts=key is not None)


def drain(limit: int = BATCH) -> int:
    """Carry out up to `limit` due effects; returns how many rows were claimed."""
    owner = secrets.token_hex(8)
    rows = _claim(owner, limit)
    done = [row.pk for row in rows if _carry_out(row)]
    # compare and swap: a lease that was lost meanwhile finishes nothing
    Outbox.objects.filter(pk__in=done, status=Outbox.Status.LEASED, owner=owner).delete()
    return len(rows)


def sweep() -> int:
    """Give back rows whose worker died with the lease; returns how many."""
    return Outbox.objects.filter(
        status=Outbox.Status.LEASED, lease_until__lt=timezone.now()
    ).update(status=Outbox.Status.PENDING, owner="", lease_until=None)


def oldest_due() -> datetime | None:
    """When the oldest undrained row became due, for /healthz."""
    return (
        Outbox.objects.filter(status=Outbox.Status.PENDING)
        .order_by("due_at", "id")
        .values_list("due_at", flat=True)
        .first()
    )


def _claim(owner: str, limit: int) -> list[Outbox]:
    return list(
        Outbox.objects.raw(
            """
            WITH due AS (
                SELECT id FROM kit_outbox WHERE status = 0 AND due_at <= now()
                ORDER BY due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
            UPDATE kit_outbox o
            SET status = 1, lease_until = now() + %s, owner = %s, attempts = attempts + 1
            FROM due WHERE o.id = due.id RETURNING o.*
            """,
            [limit, LEASE, owner],
        )
    )


def _carry_out(row: Outbox) -> bool:
    try:
        for function in _effects[row.topic]:
            with transaction.atomic():
                function(row.payload)
    except Exception as error:  # noqa: BLE001 - one poisoned row must not stop the queue
        _postpone(row, error)
        return False
    return True


def _postpone(row: Outbox, error: Exception) -> None:
    dead = row.attempts >= MAX_ATTEMPTS
    delay = min(timedelta(seconds=5 * 3 ** (row.attempts - 1)), timedelta(hours=6))
    log.warning("outbox.effect_failed", extra={"topic": row.topic, "row": row.pk, "dead": dead})
    Outbox.objects.filter(pk=row.pk, status=Outbox.Status.LEASED, owner=row.owner).update(
        status=Outbox.Status.DEAD if dead else Outbox.Status.PENDING,
        due_at=timezone.now() + delay,
        lease_until=None,
        owner="",
        last_error=f"{type(error).__name__}: {error}"[:2000],
    )
