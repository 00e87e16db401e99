"""Work for the workers: started by name after commit, with ids only, and safe to run twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from zlib import crc32

import redis
import structlog
from celery import current_app, shared_task, signals
from django.db import connection, transaction
from django.utils import timezone

from crm.kit import files, outbox, valkey
from crm.kit.models import IdempotencyKey, StreamEvent

log = structlog.get_logger(__name__)
_schedule: dict[str, float] = {}


def enqueue(name: str, *ids: Any) -> None:
    """Ask a worker, after commit, to run a task. Only a hint: its row is what a sweeper finds again."""

    def send() -> None:
        current_app.send_task(name, args=ids, ignore_result=True, retry=False)

    transaction.on_commit(send, robust=True)


def every(seconds: float) -> Callable[[Any], Any]:
    """Have beat start this task so often; `sync_schedules` writes it to beat's database table."""

    def register(task: Any) -> Any:
        _schedule[task.name] = seconds
        return task

    return register


def schedules() -> dict[str, float]:
    """Task name → seconds, of everything registered with `every`."""
    return dict(_schedule)


@contextmanager
def exclusive(name: str) -> Iterator[bool]:
    """Hold an installation-wide lock for a transaction; yields False when somebody else holds it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [crc32(name.encode())])
        row = cursor.fetchone()
        yield bool(row and row[0])


@every(2)
@shared_task(name="kit.drain_outbox")
def drain_outbox() -> None:
    """Carry out due effects until none is left."""
    while outbox.drain():
        pass


@every(30)
@shared_task(name="kit.sweep_outbox")
def sweep_outbox() -> None:
    """Give back what died with its worker."""
    outbox.sweep()


@every(3600)
@shared_task(name="kit.forget_old_rows")
def forget_old_rows() -> None:
    """Drop live-stream events after 7 days, idempotency keys after 2, broken-off uploads after one."""
    now = timezone.now()
    StreamEvent.objects.filter(at__lt=now - timedelta(days=7)).delete()
    IdempotencyKey.objects.filter(created_at__lt=now - timedelta(days=2)).delete()
    files.sweep()


@signals.heartbeat_sent.connect
@signals.worker_ready.connect
def heartbeat(sender: Any, **_kwargs: Any) -> None:
    """Say that this worker lives, for /healthz; Celery calls it every few seconds."""
    hostname = getattr(sender, "hostname", None) or sender.eventer.hostname
    now = timezone.now().timestamp()
    try:
        valkey.client().zadd("ventanilla:workers", {hostname: now})
        valkey.client().zremrangebyscore("ventanilla:workers", "-inf", now - 3600)
    except redis.RedisError as error:  # said again in a few seconds
        log.warning("heartbeat_unheard", error=type(error).__name__)
