"""What happened in an organisation's cases, in an order in which nothing is ever missed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpResponse
from rest_framework.request import Request

from cases.api import shapes
from cases.api.views import CaseAPIView
from cases.models import Case, Event
from cases.permissions import VIEW_CASE
from crm.citizens.search import record_search
from crm.kit.api import ActorAPIView, operation
from crm.kit.keyset import Order, cursor_at

# Event numbers are given out before their transaction commits, so a lower one may appear after a
# higher one was read. By transaction, and only up to the oldest that still runs, none can.
IN_ORDER = Order(("tx", "id"))
LAST_ID = 2**63 - 1
HIDDEN = frozenset({"before", "after", "name"})  # contents of a case are read from the case
NOW = "now"
_FILTERS = {"case": "case__uuid", "kind": "kind"}


@dataclass(frozen=True)
class Told:
    """An event as the feed tells it."""

    event: Event

    def __getattr__(self, name: str) -> Any:
        return getattr(self.event, name)

    @property
    def told(self) -> dict[str, Any]:
        """Which fields changed, but not what they said."""
        return {key: value for key, value in self.event.data.items() if key not in HIDDEN}


class Events(ActorAPIView):
    """The feed of an organisation."""

    @operation(
        "Follow events", needs=VIEW_CASE, filters=shapes.EventFilters, answers=shapes.FeedOutput
    )
    def get(self, request: Request) -> HttpResponse:
        """Each event of every case that the caller may see, once, in the order of completion. Keep
        `next` and ask there again. What a running transaction may still bring holds back what came
        later, so an event appears some moments after it happened."""
        horizon = _horizon()
        if self.query.get("after") == NOW:
            self.query["after"] = cursor_at(Event(tx=horizon - 1, id=LAST_ID), IN_ORDER)
        given = {name: self.query[name] for name in ("case", "kind") if name in self.query}
        rows = (
            Event.objects.unscoped("through the cases, and the organisation for its index")
            .filter(organisation=self.actor.organisation_id, tx__lt=horizon)
            .filter(case__in=Case.objects.for_actor(self.actor))
            .filter(**{_FILTERS[name]: value for name, value in given.items()})
            .select_related("case")
            .only(*_COLUMNS)
        )
        found, more = self.slice(rows, IN_ORDER, "after")
        start = self.query.get("after") or cursor_at(Event(tx=0, id=0), IN_ORDER)
        last = cursor_at(found[-1], IN_ORDER) if found else start
        if found:
            record_search(self.actor, "events", filters=given, found=len(found))
        return self.reply(
            {
                "results": [Told(event) for event in found],
                "next": self.address_with(after=last),
                "more": more is not None,
            }
        )


class OneEvent(CaseAPIView):
    """One dated fact of a case."""

    @operation("Read an event", needs=VIEW_CASE, answers=shapes.EventOutput)
    def get(self, request: Request, case_id: UUID, seq: int) -> HttpResponse:
        """By its number within the case, as the feed tells it; it never changes."""
        case = self.look(case_id, "event")
        rows = Event.objects.for_actor(self.actor).filter(case=case)
        return self.reply(Told(rows.select_related("case").only(*_COLUMNS).get_or_refuse(seq=seq)))


def _horizon() -> int:
    """The oldest transaction that still writes in this database: all before it are complete.

    The highest number that has ended is read (with the statement's snapshot) before who is writing: a
    writer with a lower one shows up there, or has ended and the next statement sees its events.
    Narrower than pg_snapshot_xmin(), which waits for writers in other databases of the server, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH ended AS MATERIALIZED (
                SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS number),
            writing AS (
                -- a backend shows the lower half of its number: how far below is it?
                SELECT (ended.number - backend_xid::text::bigint) & 4294967295 AS below
                FROM ended, pg_stat_activity
                WHERE datname = current_database() AND backend_xid IS NOT NULL)
            SELECT number - COALESCE((SELECT max(below) FROM writing WHERE below < 2147483648), 0)
            FROM ended
            """
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


_COLUMNS = (
    *("tx", "seq", "kind", "at", "actor_kind", "actor_name", "data", "organisation_id"),
    *("case__uuid", "case__reference"),
)
