"""Reading connections, subscriptions and what became of them."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from crm.integrations.models import (
    CallLog,
    Connection,
    Outcome,
    Subscription,
    WebhookDelivery,
)
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.actor import Actor
from crm.kit.circuit import State
from crm.kit.keyset import Order, Page, read_page

NEWEST_CALLS = Order(("at", "id"), descending=True)
NEWEST = Order(("id",), descending=True)


@dataclass(frozen=True, slots=True)
class Health:
    """A connection as the list shows it: off, resting, failing, well or untried."""

    connection: Connection
    state: str


def connections(actor: Actor) -> list[Health]:
    """The organisation's connections by name."""
    last = CallLog.objects.for_actor(actor).filter(connection=OuterRef("pk")).order_by("-at", "-id")
    rows = Connection.objects.for_actor(actor).annotate(last=Subquery(last.values("outcome")[:1]))
    return [Health(row, _state(row, row.last)) for row in rows.order_by("name")]


def _state(row: Connection, last: str | None) -> str:
    if not row.is_active:
        return "off"
    if row.circuit.state is not State.CLOSED:
        return "resting"
    if last is None:
        return "untried"
    return "well" if Outcome(last).well else "failing"


def health(actor: Actor, connection: Connection) -> Health:
    """One connection as the list shows it."""
    last = CallLog.objects.for_actor(actor).filter(connection=connection)
    return Health(
        connection,
        _state(connection, last.order_by("-at", "-id").values_list("outcome", flat=True).first()),
    )


def calls(actor: Actor, connection: Connection, cursor: str = "") -> Page[CallLog]:
    """A page of its calls, newest first."""
    rows = CallLog.objects.for_actor(actor).filter(connection=connection)
    return read_page(rows, NEWEST_CALLS, cursor)


def consulted(actor: Actor) -> list[Connection]:
    """The connections that a person's page asks for this actor."""
    if not actor.holds(CONSULT_SYSTEMS):
        return []
    return list(Connection.objects.for_actor(actor).filter(is_active=True).order_by("name"))


def subscriptions(actor: Actor) -> list[Subscription]:
    """Who is told, by name."""
    return list(Subscription.objects.for_actor(actor).order_by("name"))


def deliveries(
    actor: Actor, subscription: Subscription, cursor: str = "", status: int | None = None
) -> Page[WebhookDelivery]:
    """A page of what it was or will be told, newest first, each with its attempts."""
    rows = WebhookDelivery.objects.for_actor(actor).filter(subscription=subscription)
    if status is not None:
        rows = rows.filter(status=status)
    return read_page(rows.prefetch_related("attempts"), NEWEST, cursor)
