"""A write that carries an Idempotency-Key happens once: its answer is kept with its effect."""

import hashlib
import re
from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.api.parsing import Malformed
from crm.kit.errors import Conflict, Invalid
from crm.kit.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PATTERN = r"^[\x21-\x7e]{1,255}$"
_KEPT_HEADERS = ("Content-Type", "ETag", "Location")


def once(
    actor: Actor,
    key: str,
    *,
    address: str,
    fingerprint: str,
    act: Callable[[], HttpResponse],
) -> HttpResponse:
    """Carry out `act` unless this actor's key already did; then give the answer of that time again.

    The answer is kept in the transaction of the effect: a crash in between leaves neither. An act
    that fails leaves nothing either, so it may be tried again under its key.
    """
    if not re.fullmatch(PATTERN, key):
        raise Malformed(
            "idempotency_key", _("An Idempotency-Key is 1 to 255 visible ASCII characters.")
        )
    digest = hashlib.sha256(address.encode()).hexdigest()
    scope = f"{actor.kind}:{actor.id}:{actor.organisation_id}:{digest}"
    with transaction.atomic():
        _lock(scope, key)
        kept = IdempotencyKey.objects.filter(scope=scope, key=key).first()
        if kept is not None:
            return _again(kept, fingerprint)
        response = act()
        IdempotencyKey.objects.create(
            scope=scope,
            key=key,
            fingerprint=fingerprint,
            status=response.status_code,
            headers={name: response[name] for name in _KEPT_HEADERS if name in response},
            body=response.content,
        )
        return response


def _lock(scope: str, key: str) -> None:
    """Hold the key until the transaction ends; whoever comes meanwhile is told so, not kept waiting."""
    number = hashlib.blake2b(f"{scope} {key}".encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(number, "big", signed=True)]
        )
        row = cursor.fetchone()
    if not row or not row[0]:
        raise Conflict(
            "idempotency_key_running",
            _("The first request with this Idempotency-Key has not ended yet. Ask again."),
        )


def _again(kept: IdempotencyKey, fingerprint: str) -> HttpResponse:
    if kept.fingerprint != fingerprint:
        raise Invalid(
            _("This Idempotency-Key was used for another request. Use a new one."),
            code="idempotency_key_reused",
        )
    response = HttpResponse(bytes(kept.body), status=kept.status)
    for name, value in {**kept.headers, REPLAYED: "true"}.items():
        response[name] = value
    return response
