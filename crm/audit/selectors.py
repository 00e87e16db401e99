"""Reading the audit trail: an organisation's entries by person, object, action, result, time, purpose."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Unavailable
from crm.kit.keyset import Order, Page, read_page
from crm.kit.registry import Registry
from crm.kit.scoping import ScopedQuerySet

NEWEST_FIRST = Order(("at", "id"), descending=True)
PAGE = 50
CHUNK = 2_000
MOST_EXPORTED = 200_000
LONGEST = timedelta(seconds=10)


Meaning = Callable[[Actor, str], Iterable[UUID]]
meanings: Registry[Meaning] = Registry("way to tell whom a text means that is no name")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an auditor asks for; empty fields ask for anything."""

    who: str = ""  # part of a name
    actor: int | None = None
    kind: str = ""  # object_type
    object: str = ""  # its identity, a person's number, or part of its name
    action: str = ""
    result: str = ""
    since: date | None = None
    until: date | None = None
    purpose: str = ""  # part of it

    def given(self) -> dict[str, Any]:
        """What was asked, as it is written down."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


def entries(actor: Actor, asked: Asked) -> ScopedQuerySet[AuditEntry]:
    """The organisation's entries that were asked for."""
    wanted = Q()
    exact = {"actor_id": asked.actor, "object_type": asked.kind}
    exact |= {"action": asked.action, "result": asked.result}
    for column, value in exact.items():
        if value:
            wanted &= Q(**{column: value})
    if asked.who:
        wanted &= Q(actor_name__icontains=asked.who) | Q(on_behalf_of__icontains=asked.who)
    if asked.object:
        wanted &= _about(actor, asked.object)
    if asked.purpose:
        wanted &= Q(purpose__icontains=asked.purpose)
    if asked.since:
        wanted &= Q(at__gte=_midnight(asked.since))
    if asked.until:
        wanted &= Q(at__lt=_midnight(asked.until + timedelta(days=1)))
    return AuditEntry.objects.for_actor(actor).filter(wanted)


def page(actor: Actor, asked: Asked, cursor: str) -> Page[AuditEntry]:
    """One page of them, newest first; Unavailable when the search would take too long."""
    try:
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute("SELECT set_config('statement_timeout', %s, true)", [_LIMIT])
            return read_page(entries(actor, asked), NEWEST_FIRST, cursor, PAGE)
    except OperationalError as error:
        text = _("This search takes too long. Choose a shorter period.")
        raise Unavailable("search_too_wide", text) from error


def every(actor: Actor, asked: Asked) -> Iterator[AuditEntry]:
    """All of them, newest first, up to MOST_EXPORTED; read in pieces, so that memory stays flat."""
    rows, cursor, left = entries(actor, asked), "", MOST_EXPORTED
    while left > 0:
        piece = read_page(rows, NEWEST_FIRST, cursor, min(CHUNK, left))
        yield from piece.rows
        left -= len(piece.rows)
        cursor = piece.after
        if not cursor:
            return


def last_verification(actor: Actor) -> AuditEntry | None:
    """The organisation's last verification, whole or broken."""
    return (
        AuditEntry.objects.for_actor(actor)
        .filter(action__in=("audit_verified", "audit_broken"))
        .order_by("-at", "-id")
        .first()
    )


def _about(actor: Actor, text: str) -> Q:
    """An identity or a person's number, which an index finds, or part of a name."""
    try:
        found = [UUID(text)]
    except ValueError:
        found = [one for meaning in meanings.values() for one in meaning(actor, text)]
    if found:
        return Q(object_id__in=[str(one) for one in found])
    return Q(object_name__icontains=text)


_LIMIT = f"{int(LONGEST.total_seconds() * 1000)}"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
