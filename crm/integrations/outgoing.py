"""Events told to other systems: owed once to each subscription, signed as Standard Webhooks, with a
CloudEvents body, tried again for three days, each attempt written down."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.accounts.selectors import holders
from crm.audit.record import record_by_itself
from crm.integrations.models import Attempt, Outcome, Subscription, WebhookDelivery
from crm.integrations.permissions import MANAGE_CONNECTIONS
from crm.kit import http, outbox
from crm.kit.actor import Door
from crm.kit.secrets import decrypt

STOPPED_MAIL = "integrations.stopped_mail"
PREFIX = "whsec_"
MEDIA_TYPE = "application/cloudevents+json"
SECONDS = 15.0  # that the other side has for an answer
MOST_BYTES = 64 * 1024  # of an answer, which nobody reads
LARGEST_BODY = 20_000
LEASE = timedelta(seconds=90)
BATCH = 20
# after the first try, the second… (Standard Webhooks); after the last one it is given up
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
RESTING = timedelta(seconds=30)
NOT_ANSWERING = "not_answering"
GONE = "gone"
Status = WebhookDelivery.Status


# --- What is owed --------------------------------------------------------------------------------


def listeners(organisation_id: int, topic: str) -> list[Subscription]:
    """Who wants to hear of this now."""
    rows = Subscription.objects.unscoped("a worker tells whom it concerns")
    return list(
        rows.filter(organisation=organisation_id, topics__contains=[topic], stopped_at=None)
    )


@transaction.atomic
def announce(
    told: list[Subscription],
    topic: str,
    *,
    event: str,
    subject: str,
    at: datetime,
    data: Mapping[str, Any],
    content: Mapping[str, Any],
) -> int:
    """Each of the subscriptions is owed the event once, whatever runs twice; how many were not yet.

    `data` holds identifiers and links; `content` may be personal and goes only where its scope says so.
    """
    rows = [
        WebhookDelivery(
            organisation_id=one.organisation_id,
            subscription=one,
            event=event,
            topic=topic,
            body=_body(one, topic, event, subject, at, data, content),
        )
        for one in told
    ]
    before = _of(told, event).count()
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return _of(told, event).count() - before


def _of(told: list[Subscription], event: str) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.unscoped("whether it is owed already")
    return rows.filter(subscription__in=told, event=event)


def _body(
    subscription: Subscription,
    topic: str,
    event: str,
    subject: str,
    at: datetime,
    data: Mapping[str, Any],
    content: Mapping[str, Any],
) -> str:
    full = subscription.scope == Subscription.Scope.CONTENT
    envelope = {
        "specversion": "1.0",
        "id": event,
        "source": f"{settings.PUBLIC_URL}/api/v1/",
        "type": topic,
        "subject": subject,
        "time": at.isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": {**data, **(content if full else {})},
    }
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > LARGEST_BODY:  # then it is read by API, like what its scope leaves out
        envelope["data"] = dict(data)
        text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    return text


# --- Signatures ----------------------------------------------------------------------------------


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, event: str, timestamp: int, body: str) -> str:
    """What goes into `webhook-signature` for this secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{event}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _headers(subscription: Subscription, delivery: WebhookDelivery) -> dict[str, str]:
    timestamp = int(time.time())
    valid = [subscription.secret]
    until = subscription.old_secret_until
    if until is not None and until > timezone.now():
        valid.append(subscription.old_secret)
    signed = [signature(decrypt(one), delivery.event, timestamp, delivery.body) for one in valid]
    return {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(delivery.body.encode())),
        "User-Agent": "Ventanilla",
        "webhook-id": delivery.event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signed),
    }


# --- Sending -------------------------------------------------------------------------------------


def deliver_due(limit: int = BATCH) -> int:
    """Send what is due, of each subscription one at a time, so that a slow one keeps nobody waiting but
    itself; how many were taken up."""
    owner = secrets.token_hex(8)
    rows = _claim(owner, limit)
    for row in rows:
        _deliver(row)
    return len(rows)


def _claim(owner: str, limit: int) -> list[WebhookDelivery]:
    now = timezone.now()
    return list(
        WebhookDelivery.objects.raw(
            """
            WITH due AS (
                SELECT d.id FROM integrations_subscription s CROSS JOIN LATERAL (
                    SELECT w.id FROM integrations_webhookdelivery w
                    WHERE w.subscription_id = s.id AND w.status IN (0, 1) AND w.due_at <= %(now)s
                        AND (w.status = 0 OR w.lease_until < %(now)s)
                    ORDER BY w.due_at, w.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) d
                WHERE s.stopped_at IS NULL AND NOT EXISTS (
                    SELECT FROM integrations_webhookdelivery l
                    WHERE l.subscription_id = s.id AND l.status = 1 AND l.lease_until >= %(now)s)
                LIMIT %(limit)s)
            UPDATE integrations_webhookdelivery w
            SET status = 1, lease_until = %(until)s, owner = %(owner)s
            FROM due WHERE w.id = due.id RETURNING w.*
            """,
            {"now": now, "until": now + LEASE, "limit": limit, "owner": owner},
        )
    )


def _deliver(row: WebhookDelivery) -> None:
    subscription = row.subscription
    if not subscription.circuit.allows():
        _mine(row).update(
            status=Status.WAITING, lease_until=None, owner="", due_at=timezone.now() + RESTING
        )
        return
    started = time.monotonic()
    status, wait = 0, timedelta(0)
    try:
        answer = http.call(
            "POST",
            subscription.url,
            headers=_headers(subscription, row),
            body=row.body.encode(),
            seconds=SECONDS,
            most_bytes=MOST_BYTES,
        )
        status, wait = answer.status, _asked_to_wait(answer.headers)
        outcome = Outcome.FOUND if status // 100 == 2 else Outcome.STATUS
    except http.CallFailed as error:
        outcome = Outcome(error.code)
    milliseconds = int((time.monotonic() - started) * 1000)
    if outcome.well:
        subscription.circuit.succeeded()
    else:
        subscription.circuit.failed()
    _finish(row, outcome, status, milliseconds, wait)


def _asked_to_wait(headers: Mapping[str, str]) -> timedelta:
    """What Retry-After says in seconds, a day at most."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return timedelta(seconds=min(int(text), 86_400) if text.isdecimal() and len(text) < 9 else 0)


@transaction.atomic
def _finish(
    row: WebhookDelivery, outcome: Outcome, status: int, milliseconds: int, wait: timedelta
) -> None:
    """The attempt stands in the log, and what follows from it, unless the lease was lost."""
    subscriptions = Subscription.objects.unscoped("a worker's errand").select_for_update()
    subscription = subscriptions.get(pk=row.subscription_id)
    now = timezone.now()
    tries = row.tries + 1
    if outcome.well:
        after: dict[str, Any] = {"status": Status.DELIVERED}
    elif tries > len(PAUSES):
        after = {"status": Status.GIVEN_UP}
    else:
        pause = PAUSES[tries - 1] * (1 + secrets.randbelow(100) / 1000)
        after = {"status": Status.WAITING, "due_at": now + max(pause, wait)}
    if not _mine(row).update(lease_until=None, owner="", tries=tries, updated_at=now, **after):
        return
    Attempt.objects.create(
        delivery=row, at=now, outcome=outcome, status=status, milliseconds=milliseconds
    )
    if outcome.well:
        if subscription.failing_since is not None:
            _update(subscription, failing_since=None)
    else:
        _failed(subscription, status, now)


def _failed(subscription: Subscription, status: int, now: datetime) -> None:
    since = subscription.failing_since or now
    if subscription.failing_since is None:
        _update(subscription, failing_since=now)
    if subscription.stopped_at is not None:
        return
    if status == HTTPStatus.GONE:
        _stop(subscription, GONE, now)
    elif now - since >= Subscription.PATIENCE:
        _stop(subscription, NOT_ANSWERING, now)


def _stop(subscription: Subscription, reason: str, now: datetime) -> None:
    """It is told nothing more until somebody who was told of that starts it again."""
    _update(subscription, stopped_at=now, stopped_reason=reason)
    record_by_itself(
        MANAGE_CONNECTIONS,
        organisation_id=subscription.organisation_id,
        door=Door.TASK,
        subscription=str(subscription.uuid),
        name=subscription.name,
        stopped=reason,
    )
    for user in holders(subscription.organisation_id, MANAGE_CONNECTIONS):
        outbox.send_later(
            STOPPED_MAIL,
            {"subscription": str(subscription.uuid), "user": user.pk},
            key=f"{subscription.uuid} {now.isoformat()} {user.pk}",
        )


def _update(subscription: Subscription, **changes: Any) -> None:
    rows = Subscription.objects.unscoped("a worker's errand").filter(pk=subscription.pk)
    rows.update(updated_at=timezone.now(), **changes)


def _mine(row: WebhookDelivery) -> QuerySet[WebhookDelivery]:
    """The row, as long as this worker holds it."""
    rows = WebhookDelivery.objects.unscoped("the worker that holds it")
    return rows.filter(pk=row.pk, owner=row.owner, status=Status.LEASED)
