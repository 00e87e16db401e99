"""The gateway to other systems that are asked: what is fresh is not asked again, every call is bounded and
written down, and what cannot be had now is shown as it was, with its age."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from crm.integrations import mapping
from crm.integrations.mapping import Taken
from crm.integrations.models import CallLog, Connection, KeptAnswer, Outcome
from crm.integrations.ports import NoReply, Question, Reply, Rows, connectors
from crm.kit.secrets import decrypt, encrypt

_TURN_SECONDS = 0.3


@lru_cache
def _turns(at_once: int) -> BoundedSemaphore:
    """So many threads of a process wait for other systems; at least one is left for everything else."""
    return BoundedSemaphore(at_once)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known now: `rows` None is nothing at all, and `outcome` says why nothing newer."""

    outcome: Outcome
    rows: Rows | None = None
    fetched_at: datetime | None = None
    milliseconds: int = 0
    records: Taken | None = None  # the same as it came, for who keeps it
    kept: bool = False  # from an earlier call

    @property
    def stale(self) -> bool:
        """Whether it is from an earlier call, because this one gave nothing."""
        return self.rows is not None and not self.outcome.well


def look_up(connection: Connection, number: str, *, about: str = "", request_id: str = "") -> Found:
    """What the connection says of whoever bears the number: asked now, or a short while ago.

    `about` is whom we take the bearer for: what is kept is theirs, and shown of nobody who bears the
    number later.
    """
    subject = _subject(f"{about} {number}")
    kept = _kept(connection, subject)
    now = timezone.now()
    fresh = timedelta(seconds=connection.cache_seconds)
    if kept is not None and now - kept.fetched_at < fresh:
        return _from(kept, Outcome.FOUND)
    outcome, records, milliseconds = call(
        connection, number, cause=CallLog.Cause.LOOK_UP, request_id=request_id
    )
    if records is not None:
        if connection.keeps_for:
            _keep(connection, subject, records, now)
        return Found(outcome, mapping.in_words(records), now, milliseconds, records)
    if kept is not None and now - kept.fetched_at < connection.keeps_for:
        return _from(kept, outcome)
    return Found(outcome, milliseconds=milliseconds)


def call(
    connection: Connection, number: str, *, cause: str, request_id: str = ""
) -> tuple[Outcome, Taken | None, int]:
    """Ask it now, whatever is kept, and write the call down: how it ended, the records, milliseconds."""
    started = time.monotonic()
    status, size, records = 0, 0, None
    turn = _turns(settings.SYSTEMS_AT_ONCE)
    if not turn.acquire(timeout=_TURN_SECONDS):
        return Outcome.BUSY, None, int((time.monotonic() - started) * 1000)  # nothing was said
    try:
        reply = connectors[connection.kind].ask(_question(connection, number), connection.circuit)
        status, size = reply.status, reply.size
        outcome, records = _understood(connection, reply)
    except NoReply as error:
        outcome, status, size = Outcome(error.outcome), error.status, error.size
    finally:
        turn.release()
    milliseconds = int((time.monotonic() - started) * 1000)
    CallLog.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        cause=cause,
        outcome=outcome,
        status=status,
        size=size,
        milliseconds=milliseconds,
        request_id=request_id[:64],
    )
    return outcome, records, milliseconds


def _question(connection: Connection, number: str) -> Question:
    headers: dict[str, str] = {}
    match connection.authentication:
        case Connection.Authentication.BEARER:
            headers["Authorization"] = f"Bearer {connection.key}"
        case Connection.Authentication.HEADER:
            headers[connection.header] = connection.key
    return Question(
        base_url=connection.base_url,
        path=connection.path,
        number=number,
        seconds=connection.seconds,
        retries=connection.retries,
        headers=headers,
    )


def _understood(connection: Connection, reply: Reply) -> tuple[Outcome, Taken]:
    if reply.content is None:
        return Outcome.NOTHING, []
    try:
        records = mapping.taken(reply.content, connection.records_at, connection.fields)
    except mapping.NotAsExpected:
        raise NoReply(Outcome.WRONG, reply.status, reply.size) from None
    return (Outcome.FOUND if records else Outcome.NOTHING), records


def _subject(whose: str) -> str:
    """Whose answer it is, for nobody to read back."""
    return salted_hmac("crm.integrations.subject", whose, algorithm="sha256").hexdigest()


def _kept(connection: Connection, subject: str) -> KeptAnswer | None:
    rows = KeptAnswer.objects.unscoped("of a connection that was reached for its actor")
    return rows.filter(connection=connection, subject=subject).first()


def _keep(connection: Connection, subject: str, records: Taken, moment: datetime) -> None:
    KeptAnswer.objects.update_or_create(
        connection=connection,
        subject=subject,
        defaults={
            "organisation_id": connection.organisation_id,
            "content": encrypt(json.dumps(records)),
            "fetched_at": moment,
        },
    )


def _from(kept: KeptAnswer, outcome: Outcome) -> Found:
    try:
        records: Any = json.loads(decrypt(kept.content))
    except ValueError:  # its key is of the past
        return Found(outcome)
    if outcome is Outcome.FOUND and not records:
        outcome = Outcome.NOTHING
    shown = mapping.in_words(records)
    return Found(outcome, shown, kept.fetched_at, records=records, kept=True)
