"""The one way effects leave: rows written with the business transaction, drained by workers.

An effect runs outside any transaction and may run twice, until it calls `leaving()`: what comes after
reaches somebody, and is not repeated unless it says itself that nobody has it (TryLater).
"""

import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from crm.kit.models import Outbox

log = logging.getLogger(__name__)

BATCH = 100  # claiming by hundreds is thirty times faster than one by one (data-and-speed.md 5)
LEASE = timedelta(seconds=60)
LONGEST_LEAVING = timedelta(minutes=10)  # longer than the slowest talk with a mail server
MAX_ATTEMPTS = 12
Effect = Callable[[Mapping[str, Any]], None]
_effects: dict[str, list[Effect]] = defaultdict(list)
_in_doubt: dict[str, Effect] = {}
_HELD = (Outbox.Status.LEASED, Outbox.Status.LEAVING)
_carried: ContextVar[Outbox | None] = ContextVar("the row being carried out", default=None)


class TryLater(Exception):  # noqa: N818 - reads as what the adapter says
    """The effect surely did not happen; it is tried again, later each time."""


class Undeliverable(Exception):  # noqa: N818 - likewise
    """The effect did not happen and never will: given up at once."""


class InDoubt(Exception):  # noqa: N818 - likewise
    """The effect may have happened: it is not tried again, a person looks."""


class LeaseLost(Exception):  # noqa: N818 - likewise
    """The row was given back meanwhile: another worker sees to it."""


def effect(topic: str, *, in_doubt: Effect | None = None) -> Callable[[Effect], Effect]:
    """Register what must happen for each outbox row of a topic. It may run twice: key by the payload.

    `in_doubt` writes down, where people see it, that it may have happened or not.
    """

    def register(function: Effect) -> Effect:
        _effects[topic].append(function)
        if in_doubt:
            _in_doubt[topic] = in_doubt
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


def leaving() -> None:
    """Call right before handing over what cannot be taken back; LeaseLost when another worker does.

    It is committed first: should this worker die on the way, nobody repeats the effect blindly.
    """
    row = _carried.get()
    if row is None:  # not carried out from the outbox
        return
    with transaction.atomic(durable=True):
        held = _of(row, *_HELD).update(
            status=Outbox.Status.LEAVING, lease_until=Now() + LONGEST_LEAVING
        )
    if not held:
        raise LeaseLost
    row.status = Outbox.Status.LEAVING


def drain(limit: int = BATCH) -> int:
    """Carry out up to `limit` due effects; returns how many rows were claimed."""
    owner, half = secrets.token_hex(8), LEASE.total_seconds() / 2
    renew_at = time.monotonic() + half
    rows = _claim(owner, limit)
    mine, done = {row.pk for row in rows}, []
    for row in rows:
        if time.monotonic() > renew_at:
            renew_at = time.monotonic() + half
            mine = _renew(owner, mine)
        if row.pk in mine and _carry_out(row):
            done.append(row.pk)
    # compare and swap: a lease that was lost meanwhile finishes nothing
    Outbox.objects.filter(pk__in=done, status=Outbox.Status.LEASED, owner=owner).delete()
    return len(rows)


def sweep() -> int:
    """Give back rows whose worker died with the lease; returns how many. What was leaving is in doubt."""
    over = Outbox.objects.filter(lease_until__lt=Now())
    for row in over.filter(status=Outbox.Status.LEAVING):
        _doubt(row, InDoubt("the worker did not come back"))
    return over.filter(status=Outbox.Status.LEASED).update(
        status=Outbox.Status.PENDING, owner="", lease_until=None
    )


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


def _renew(owner: str, rows: set[int]) -> set[int]:
    """Those that are still the owner's, with a whole lease before them."""
    held = Outbox.objects.filter(pk__in=rows, status=Outbox.Status.LEASED, owner=owner)
    held.update(lease_until=Now() + LEASE)
    return set(held.values_list("pk", flat=True))


def _of(row: Outbox, *states: Outbox.Status) -> QuerySet[Outbox]:
    """The row as long as it is ours, in one of the states: what every change compares with."""
    return Outbox.objects.filter(pk=row.pk, owner=row.owner, status__in=states)


def _carry_out(row: Outbox) -> bool:
    token = _carried.set(row)
    try:
        for function in _effects[row.topic]:
            function(row.payload)
    except LeaseLost:
        return False
    except Exception as error:  # noqa: BLE001 - one poisoned row must not stop the queue
        _failed(row, error)
        return False
    finally:
        _carried.reset(token)
    if row.status == Outbox.Status.LEAVING:  # at once: till then it looks like a worker's death
        _of(row, Outbox.Status.LEAVING, Outbox.Status.DEAD).delete()
    return True


def _failed(row: Outbox, error: Exception) -> None:
    if isinstance(error, Undeliverable):
        _postpone(row, error, dead=True)
    elif row.status == Outbox.Status.LEAVING and not isinstance(error, TryLater):
        _doubt(row, error)
    else:
        _postpone(row, error, dead=row.attempts >= MAX_ATTEMPTS)


def _postpone(row: Outbox, error: Exception, *, dead: bool) -> None:
    delay = min(timedelta(seconds=5 * 3 ** (row.attempts - 1)), timedelta(hours=6))
    log.warning("outbox.effect_failed", extra={"topic": row.topic, "row": row.pk, "dead": dead})
    _of(row, *_HELD).update(
        status=Outbox.Status.DEAD if dead else Outbox.Status.PENDING,
        due_at=timezone.now() + delay,
        lease_until=None,
        owner="",
        last_error=_told(error),
    )


def _doubt(row: Outbox, error: Exception) -> None:
    """The row rests, and who is concerned is told. It keeps its owner, who may still come and finish it."""
    log.error("outbox.effect_in_doubt", extra={"topic": row.topic, "row": row.pk})
    try:
        with transaction.atomic():
            rests = _of(row, Outbox.Status.LEAVING).update(
                status=Outbox.Status.DEAD, lease_until=None, last_error=f"In doubt. {_told(error)}"
            )
            if rests and row.topic in _in_doubt:
                _in_doubt[row.topic](row.payload)
    except Exception:  # the sweeper comes by again
        log.exception("outbox.doubt_not_told", extra={"topic": row.topic, "row": row.pk})


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:2000]
