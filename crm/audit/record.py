"""The only writer of the audit trail."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.utils import timezone

from crm.audit.models import AuditEntry, Result
from crm.kit.actor import Actor, Door, Kind, Origin
from crm.kit.copying import copy_rows
from crm.kit.errors import Refused

OPEN_FOR = timedelta(hours=1)  # a page asks for its parts again while it stands open
# case numbers and UUIDs, which stay; and digits long enough to be somebody's number
_NUMBERS = re.compile(
    r"([a-z][a-z0-9]{1,11}-[0-9]{4}-[0-9]{1,10}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9])"
    r"|[0-9][0-9 ./-]{3,}[0-9]",
    re.IGNORECASE,
)

_dated: ContextVar[datetime | None] = ContextVar("date of made-up entries", default=None)


@contextmanager
def dated(moment: datetime) -> Iterator[None]:
    """Within it, entries bear an earlier moment: only for the demo, whose acts nobody did."""
    token = _dated.set(moment)
    try:
        yield
    finally:
        _dated.reset(token)


def record(
    actor: Actor,
    action: str,
    target: models.Model | None = None,
    *,
    purpose: str = "",
    result: str = Result.DONE,
    name: str | None = None,
    **data: Any,
) -> None:
    """Write down who did or saw what, in this transaction: without the entry, no act.

    `action` is a permission's name for writes, else a word of the glossary's list (viewed, searched…).
    `name` replaces the object's own words where those would give away too much.
    """
    AuditEntry.objects.create(**entry(actor, action, target, purpose, result, name, data))


def record_part(actor: Actor, target: models.Model, part: str) -> None:
    """Write down that the actor saw a part of something, unless they opened it a short while ago."""
    opened = AuditEntry.objects.for_actor(actor).filter(
        object_type=target._meta.label_lower,
        object_id=str(getattr(target, "uuid", target.pk)),
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="viewed",
        result=Result.DONE,
        at__gte=timezone.now() - OPEN_FOR,
    )
    if not opened.exists():
        record(actor, "viewed", target, part=part)


def without_numbers(text: str) -> str:
    """What somebody typed, as it is kept: of a number that may be a person's, its last four signs."""
    return _NUMBERS.sub(lambda found: found[1] or "•" * (len(found[0]) - 4) + found[0][-4:], text)


def record_rows(
    actor: Actor, action: str, model: type[models.Model], rows: str, parameters: Sequence[Any] = ()
) -> None:
    """Write one entry for each row of a SELECT of (uuid, name, data jsonb): for acts done in bulk."""
    columns = entry(actor, action, None, "", Result.DONE, None, {})
    columns["object_type"] = model._meta.label_lower
    for varying in ("object_id", "object_name", "data"):
        del columns[varying]
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_auditentry ({names}, object_id, object_name, data) "  # noqa: S608 - column names of our own
            f"SELECT {marks}, r.uuid::text, r.name, r.data FROM ({rows}) AS r (uuid, name, data)",
            [*columns.values(), *parameters],
        )


def record_many(entries: Iterable[Mapping[str, Any]]) -> int:
    """Write entries made by `entry` at once; how many. Only the demo gives them an `at` of their own."""
    return copy_rows(AuditEntry, entries)


def entry(
    actor: Actor,
    action: str,
    target: models.Model | None,
    purpose: str,
    result: str,
    name: str | None,
    data: dict[str, Any],
) -> dict[str, Any]:
    """The columns of an entry; for bulk writers, which copy many at once."""
    return {
        **_moment(),
        "organisation_id": actor.organisation_id,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name[:200],
        "on_behalf_of": actor.on_behalf_of[:200],
        "action": action,
        "object_type": target._meta.label_lower if target is not None else "",
        "object_id": str(getattr(target, "uuid", getattr(target, "pk", ""))) if target else "",
        "object_name": (str(target) if name is None else name)[:240] if target is not None else "",
        "purpose": purpose[:240],
        "result": result,
        "door": actor.origin.door,
        "ip": actor.origin.ip,
        "request_id": actor.origin.request_id[:64],
        "data": data,
    }


def _moment() -> dict[str, datetime]:
    moment = _dated.get()
    return {"at": moment} if moment else {}


def record_at_the_door(
    origin: Origin,
    action: str,
    *,
    user_id: int | None,
    name: str,
    organisation_id: int | None,
    result: str = Result.DONE,
    **data: Any,
) -> None:
    """Write down what somebody did who does not act yet or no longer: signing in, being refused.

    What is not known (no such account, no organisation) stays empty: what was typed could be a
    password in the wrong field.
    """
    AuditEntry.objects.create(
        organisation_id=organisation_id,
        actor_kind=Kind.USER,
        actor_id=user_id,
        actor_name=name[:200],
        action=action,
        result=result,
        door=origin.door,
        ip=origin.ip,
        request_id=origin.request_id[:64],
        data=data,
    )


def record_by_itself(
    action: str,
    *,
    organisation_id: int | None,
    door: Door,
    on_behalf_of: str = "",
    result: str = Result.DONE,
    **data: Any,
) -> None:
    """Write down what the installation did by itself, for one organisation or (None) for all."""
    AuditEntry.objects.create(
        **_moment(),
        organisation_id=organisation_id,
        actor_kind=Kind.SYSTEM,
        actor_name="Ventanilla",
        on_behalf_of=on_behalf_of[:200],
        action=action,
        result=result,
        door=door,
        data=data,
    )


def record_refusal(actor: object, refused: Refused) -> None:
    """Write down that something was refused, and why; called outside the undone transaction."""
    assert isinstance(actor, Actor)
    target = refused.target if isinstance(refused.target, models.Model) else None
    record(
        actor,
        refused.permission,
        target,
        result=Result.REFUSED,
        reason=str(refused.message),
    )
