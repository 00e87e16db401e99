"""The demo's other system: the same answers each time, for who has its key, and the demo leads to it."""

import json
import threading
from collections.abc import Iterator

import pytest

from crm.integrations import registry
from crm.integrations.demo import REGISTRY, TOLD, lead_to
from crm.integrations.legacy import look_up
from crm.integrations.models import Connection, Outcome, Subscription
from crm.integrations.services import connections, subscriptions
from crm.integrations.tasks import deliver_webhooks
from crm.kit import http
from crm.kit.actor import Actor
from tests.integrations.conftest import described

WITH, WITHOUT = (
    next(n for n in map(str, range(99)) if bool(registry.benefits(n)) is some)
    for some in (True, False)
)


@pytest.fixture
def address(settings: object) -> Iterator[str]:
    server = registry.listen(0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]  # type: ignore[attr-defined]
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_says_the_same_each_time_to_who_has_the_key(address: str) -> None:
    def ask(number: str, key: str) -> http.Answer:
        headers = {"Authorization": f"Bearer {key}"}
        return http.call("GET", f"{address}{registry.PLACE}{number}", headers=headers)

    assert ask(WITH, "other").status == 401
    assert ask(WITHOUT, registry.KEY).status == 404
    first, second = (json.loads(ask(WITH, registry.KEY).body) for _time in range(2))
    assert (
        first
        == second
        == {"total": len(registry.benefits(WITH)), "prestaciones": registry.benefits(WITH)}
    )


def test_it_takes_in_signed_events_alone(address: str) -> None:
    with pytest.raises(http.CallFailed, match="400"):
        http.post(address + registry.EVENTS, b"{}", headers={})
    headers = {"webhook-signature": "v1,x"}
    assert http.post(address + registry.EVENTS, b"{}", headers=headers) == b'{"recibido": true}'


@pytest.mark.django_db
def test_the_demo_leads_to_where_it_listens_and_nothing_else_does(
    admin: Actor, address: str
) -> None:
    connections.create_connection(
        admin,
        described(
            address, name=REGISTRY, path=registry.PLACE + "{number}", secret=registry.KEY,
            fields="Prestación = denominacion",
        ),
    )  # fmt: skip
    row, _secret = subscriptions.create_subscription(
        admin, {"name": TOLD, "url": address + registry.EVENTS, "topics": ["cases.moved"]}
    )
    mine = Connection.objects.for_actor(admin)
    mine.update(base_url="http://127.0.0.1:1")
    Connection.objects.create(
        organisation_id=admin.organisation_id,
        name="Otro",
        base_url="http://127.0.0.1:1",
        path="/{number}",
    )
    assert lead_to(address) == 2
    assert mine.get(name="Otro").base_url == "http://127.0.0.1:1"
    assert look_up(mine.get(name=REGISTRY), WITH).outcome is Outcome.FOUND
    subscriptions.send_test(admin, row.uuid)
    deliver_webhooks()
    assert Subscription.objects.for_actor(admin).get().state == "active"
