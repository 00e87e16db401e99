"""Events told to other systems: signed as the standard says, once each, tried again, given up, replayed."""

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases import services as cases
from cases.telling import tell
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.integrations import outgoing
from crm.integrations.models import Attempt, Outcome, Subscription, WebhookDelivery
from crm.integrations.ports import topics
from crm.integrations.services import subscriptions as services
from crm.integrations.tasks import deliver_webhooks, forget_old_rows
from crm.kit import outbox
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox
from crm.kit.secrets import decrypt
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory
from tests.integrations.receiver import verified
from tests.integrations.servers import Asked, Elsewhere, Reply, never, saying

pytestmark = pytest.mark.django_db

Start = Callable[[Reply], Elsewhere]
Status = WebhookDelivery.Status
BACKEND = "crm.accounts.authentication.PasswordBackend"


def subscribed(
    admin: Actor, system: Elsewhere, *topics: str, **more: Any
) -> tuple[Subscription, str]:
    given = {
        "name": "Carpeta",
        "url": f"{system.address}/avisos",
        "topics": topics or ("cases.opened", "cases.moved"),
        **more,
    }
    return services.create_subscription(admin, given)


def settle() -> None:
    """All events of the outbox are with their subscriptions, and all that is due is sent."""
    Outbox.objects.update(due_at=timezone.now() - timedelta(minutes=1))  # of this transaction
    while outbox.drain():
        Outbox.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    deliver_webhooks()


@pytest.fixture
def system(elsewhere: Start) -> Elsewhere:
    """One that takes everything."""
    return elsewhere(saying(200, b"ok"))


def all_deliveries() -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.unscoped("a test").order_by("pk"))


def later(**age: float) -> None:
    """All that waits is due, and who was left alone may be called again."""
    cache.clear()
    rows = WebhookDelivery.objects.unscoped("a test").filter(status=Status.WAITING)
    rows.update(due_at=timezone.now() - timedelta(seconds=1))
    if age:
        failing = Subscription.objects.unscoped("a test").exclude(failing_since=None)
        failing.update(failing_since=timezone.now() - timedelta(**age))


# --- What is told --------------------------------------------------------------------------------


def test_an_event_arrives_signed_in_a_cloudevent_with_identifiers_alone(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    _row, secret = subscribed(admin, system)
    citizen = CitizenFactory(organisation=world.here, name="Remedios")
    case = CaseFactory(unit=world.unit, citizen=citizen, subject="Farola apagada")
    settle()
    (asked,) = system.asked
    told = verified(asked, secret)
    assert asked.headers["content-type"] == "application/cloudevents+json"
    assert asked.headers["webhook-id"] == told["id"] == f"{case.uuid}.1"
    assert {name: told[name] for name in ("specversion", "type", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "type": "cases.opened",
        "subject": f"cases/{case.uuid}",
        "datacontenttype": "application/json",
    }
    assert told["source"].startswith("http")
    assert datetime.fromisoformat(told["time"]).tzinfo is not None
    assert set(told["data"]) == {"case", "reference", "number", "url"}
    assert told["data"]["url"].endswith(f"/api/v1/cases/{case.uuid}/")
    for private in (b"Farola", b"Remedios", str(citizen.uuid).encode()):
        assert private not in asked.body


def test_a_wrong_secret_an_altered_body_and_an_old_message_are_noticed(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    _row, secret = subscribed(admin, system)
    CaseFactory(unit=world.unit)
    settle()
    (asked,) = system.asked
    verified(asked, secret)
    with pytest.raises(AssertionError, match="not signed"):
        verified(asked, outgoing.new_secret())
    altered = Asked(asked.method, asked.path, asked.headers, asked.body.replace(b"1.0", b"1.1"))
    with pytest.raises(AssertionError, match="not signed"):
        verified(altered, secret)
    with pytest.raises(AssertionError, match="too old"):
        verified(asked, secret, now=time.time() + 301)


def test_the_content_goes_only_where_the_scope_says_so(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    _row, secret = subscribed(admin, system, scope="content")
    CaseFactory(unit=world.unit, subject="Farola apagada")
    settle()
    told = verified(system.asked[0], secret)
    assert told["data"]["subject"] == "Farola apagada"
    assert told["data"]["state"]
    page = all_deliveries()[0].shown
    assert "Farola" not in page, "who looks after deliveries need not see cases"
    assert told["data"]["reference"] in page


def test_only_what_was_subscribed_to_and_only_of_ones_own(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    subscribed(admin, system, "cases.moved")
    case = CaseFactory(unit=world.unit)
    cases.add_note(world.actor(world.alice), case.uuid, "Solo para nosotros")
    CaseFactory(unit=world.foreign_unit)
    settle()
    assert system.asked == []
    assert all_deliveries() == []
    cases.move_case(world.actor(world.alice), case.uuid, "start")
    settle()
    assert [json.loads(asked.body)["type"] for asked in system.asked] == ["cases.moved"]


def test_specially_protected_cases_are_told_to_nobody(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    subscribed(admin, system)
    CaseFactory(unit=world.unit, confidentiality=3)
    settle()
    assert all_deliveries() == []


def test_an_event_is_owed_once_whatever_runs_twice(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    subscribed(admin, system)
    case = CaseFactory(unit=world.unit)
    payload = {
        "organisation_id": world.here.pk,
        "case": str(case.uuid),
        "reference": case.reference,
        "seq": 1,
        "kind": "opened",
    }
    tell(payload)
    tell(payload)
    settle()
    settle()
    assert len(all_deliveries()) == len(system.asked) == 1


# --- Trying again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (saying(500), Outcome.STATUS),
        (saying(404), Outcome.STATUS),
        (saying(302, Location="http://127.0.0.1/"), Outcome.STATUS),
        (saying(200, b"x" * 100_000), Outcome.TOO_LARGE),
    ],
)
def test_what_did_not_arrive_is_tried_again_with_the_same_id_and_a_new_time(
    world: World, admin: Actor, system: Elsewhere, reply: Reply, outcome: Outcome
) -> None:
    row, secret = subscribed(admin, system)
    CaseFactory(unit=world.unit)
    system.reply = reply
    settle()
    (delivery,) = all_deliveries()
    assert (delivery.status, delivery.tries) == (Status.WAITING, 1)
    assert timedelta(seconds=3) < delivery.due_at - timezone.now() < timedelta(seconds=7)
    assert Attempt.objects.for_actor(admin).get().outcome == outcome
    row.refresh_from_db()
    assert row.state == "failing"
    deliver_webhooks()
    assert len(system.asked) == 1, "not before it is due"
    system.reply = saying(204)
    later()
    deliver_webhooks()
    first, second = system.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    verified(second, secret)
    row.refresh_from_db()
    assert (all_deliveries()[0].status, row.state) == (Status.DELIVERED, "active")


def test_it_waits_as_long_as_it_is_asked_to(world: World, admin: Actor, system: Elsewhere) -> None:
    subscribed(admin, system)
    CaseFactory(unit=world.unit)
    system.reply = saying(429, Retry_After="600")
    settle()
    assert all_deliveries()[0].due_at - timezone.now() > timedelta(seconds=590)


def test_after_the_last_try_it_is_given_up_and_replayed_on_request(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    row, secret = subscribed(admin, system)
    CaseFactory(unit=world.unit)
    system.reply = saying(500)
    settle()
    for _try in outgoing.PAUSES:
        later()
        deliver_webhooks()
    (delivery,) = all_deliveries()
    assert (delivery.status, delivery.tries) == (Status.GIVEN_UP, len(outgoing.PAUSES) + 1)
    assert len(system.asked) == len(outgoing.PAUSES) + 1
    later()
    deliver_webhooks()
    assert len(system.asked) == len(outgoing.PAUSES) + 1
    system.reply = saying(200)
    cache.clear()
    assert services.replay(admin, row.uuid) == 1
    deliver_webhooks()
    assert verified(system.asked[-1], secret)["id"] == delivery.event
    assert all_deliveries()[0].status == Status.DELIVERED
    assert services.replay(admin, row.uuid, delivery.uuid) == 1
    with pytest.raises(Conflict):
        services.replay(admin, row.uuid, delivery.uuid)


def test_one_that_does_not_answer_keeps_no_other_waiting(
    world: World, admin: Actor, system: Elsewhere, elsewhere: Start, monkeypatch: Any
) -> None:
    monkeypatch.setattr(outgoing, "SECONDS", 0.2)
    slow = elsewhere(never)
    subscribed(admin, slow, name="Lento")
    _row, secret = subscribed(admin, system, name="Vivo")
    for _case in range(5):
        CaseFactory(unit=world.unit)
    settle()
    assert len(system.asked) == 5
    assert {verified(asked, secret)["type"] for asked in system.asked} == {"cases.opened"}
    assert len(slow.asked) == 3, "then its circuit is open, and the rest waits without being tried"
    waiting = [one for one in all_deliveries() if one.subscription.name == "Lento"]
    assert {one.status for one in waiting} == {Status.WAITING}
    assert sorted(one.tries for one in waiting) == [0, 0, 1, 1, 1]


def test_after_three_days_it_is_stopped_and_who_looks_after_it_is_told(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    row, _secret = subscribed(admin, system)
    employee(world.here, "agent", email="otra@example.org")
    CaseFactory(unit=world.unit)
    system.reply = saying(500)
    settle()
    later(days=2, hours=23)
    settle()
    row.refresh_from_db()
    assert row.state == "failing"
    later(days=3, minutes=1)
    settle()
    row.refresh_from_db()
    assert (row.state, row.stopped_reason) == ("stopped", "not_answering")
    settle()
    (told,) = mail.outbox
    assert told.to == [admin_address(admin)]
    assert f"/integraciones/avisos/{row.uuid}/" in told.body
    before = len(system.asked)
    CaseFactory(unit=world.unit)
    later()
    settle()
    assert len(system.asked) == before
    system.reply = saying(200)
    services.start_subscription(admin, row.uuid)
    cache.clear()
    later()
    deliver_webhooks()
    assert all_deliveries()[0].status == Status.DELIVERED


def admin_address(admin: Actor) -> str:
    return User.objects.get(pk=admin.user_id).email


def test_who_says_that_it_is_gone_is_told_nothing_more(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    row, _secret = subscribed(admin, system)
    system.reply = saying(410)
    CaseFactory(unit=world.unit)
    settle()
    row.refresh_from_db()
    assert (row.state, row.stopped_reason) == ("stopped", "gone")


def test_while_secrets_change_both_sign(world: World, admin: Actor, system: Elsewhere) -> None:
    row, old = subscribed(admin, system)
    new = services.rotate_secret(admin, row.uuid)
    assert new != old
    services.send_test(admin, row.uuid)
    deliver_webhooks()
    (asked,) = system.asked
    assert verified(asked, old) == verified(asked, new)
    assert len(asked.headers["webhook-signature"].split()) == 2
    Subscription.objects.for_actor(admin).update(old_secret_until=timezone.now())
    services.send_test(admin, row.uuid)
    deliver_webhooks()
    verified(system.asked[-1], new)
    with pytest.raises(AssertionError, match="not signed"):
        verified(system.asked[-1], old)


def test_nothing_inside_is_told(
    world: World, admin: Actor, system: Elsewhere, settings: Any
) -> None:
    subscribed(admin, system)
    settings.OUTBOUND_ALLOWED_HOSTS = []
    CaseFactory(unit=world.unit)
    settle()
    assert system.asked == []
    assert Attempt.objects.for_actor(admin).get().outcome == Outcome.ADDRESS


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_event_once(world: World, admin: Actor, elsewhere: Start) -> None:
    busy = elsewhere(saying(200))
    rows = [subscribed(admin, busy, name=f"Sistema {n}")[0] for n in range(4)]
    for row in rows:
        for _event in range(5):
            services.send_test(admin, row.uuid)

    def work() -> None:
        deliver_webhooks()
        connection.close()

    workers = [threading.Thread(target=work) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    deliver_webhooks()
    ids = [asked.headers["webhook-id"] for asked in busy.asked]
    assert len(ids) == len(set(ids)) == 20
    assert {one.status for one in all_deliveries()} == {Status.DELIVERED}


def test_what_a_dead_worker_held_is_sent_by_another(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    row, _secret = subscribed(admin, system)
    services.send_test(admin, row.uuid)
    outgoing._claim("dead", 10)
    deliver_webhooks()
    assert system.asked == []
    leased = WebhookDelivery.objects.unscoped("a test")
    leased.update(lease_until=timezone.now() - timedelta(seconds=1))
    deliver_webhooks()
    assert len(system.asked) == 1
    assert all_deliveries()[0].status == Status.DELIVERED


# --- Who may, and what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://example.org/"),
        ("url", "https://a@example.org/"),
        ("url", "javascript:alert(1)"),
        ("topics", ["cases.noted"]),
        ("topics", []),
        ("scope", "everything"),
        ("name", " "),
    ],
)
def test_what_cannot_be_told_is_not_saved(
    admin: Actor, system: Elsewhere, field: str, value: object
) -> None:
    given = {"name": "N", "url": f"{system.address}/", "topics": ["cases.moved"], field: value}
    with pytest.raises(Invalid) as refused:
        services.create_subscription(admin, given)
    assert list(refused.value.errors) == [field]


def test_others_decide_nothing(world: World, admin: Actor, system: Elsewhere) -> None:
    row, _secret = subscribed(admin, system)
    with pytest.raises(Refused):
        services.rotate_secret(world.actor(world.alice), row.uuid)
    with pytest.raises(NotFound):
        services.replay(acting(employee(world.elsewhere, "administrator")), row.uuid)
    given = {"name": "x", "url": row.url, "topics": row.topics}
    with pytest.raises(Changed):
        services.change_subscription(admin, row.uuid, given, seen=timezone.now())


def test_the_secret_is_shown_once_and_nothing_else_of_it(
    client: Client, world: World, system: Elsewhere
) -> None:
    client.force_login(employee(world.here, "administrator"), backend=BACKEND)
    form = {
        "name": "Carpeta",
        "url": f"{system.address}/avisos",
        "topics": ["cases.opened"],
        "scope": "identifiers",
    }
    answer = client.post("/integraciones/avisos/nuevo/", form)
    row = Subscription.objects.unscoped("a test").get()
    secret = decrypt(row.secret)
    assert secret in answer.content.decode()
    place = f"/integraciones/avisos/{row.uuid}/"
    assert secret not in client.get(place).content.decode()
    assert secret not in json.dumps(
        list(AuditEntry.objects.unscoped("a test").values_list("data", flat=True))
    )
    assert 'hx-trigger="every 3s"' not in client.get(place).content.decode()
    client.post(f"{place}probar/")
    assert 'hx-trigger="every 3s"' in client.get(place).content.decode(), "it is about to leave"
    deliver_webhooks()
    page = client.get(place).content.decode()
    assert "ventanilla.test" in page
    assert "Delivered" in page
    assert 'hx-trigger="every 3s"' not in page
    delivery = all_deliveries()[0]
    client.post(f"{place}entregas/{delivery.uuid}/repetir/")
    deliver_webhooks()
    assert len(system.asked) == 2
    assert system.asked[0].body == system.asked[1].body
    assert client.post(f"{place}secreto/").content.decode().count("whsec_") >= 1
    client.post(f"{place}parar/")
    assert "Stopped" in client.get(place).content.decode()
    client.post(f"{place}reanudar/")
    client.post(f"{place}quitar/")
    assert not Subscription.objects.unscoped("a test").exists()


def test_old_deliveries_are_forgotten(world: World, admin: Actor, system: Elsewhere) -> None:
    row, _secret = subscribed(admin, system)
    services.send_test(admin, row.uuid)
    forget_old_rows()
    assert len(all_deliveries()) == 1
    old = timezone.now() - timedelta(days=31)
    WebhookDelivery.objects.unscoped("a test").update(created_at=old)
    forget_old_rows()
    assert all_deliveries() == []


def test_a_body_stays_below_the_standards_limit(
    world: World, admin: Actor, system: Elsewhere
) -> None:
    row, _secret = subscribed(admin, system, scope="content")
    outgoing.announce(
        [row],
        "cases.opened",
        event="e.1",
        subject="s",
        at=timezone.now(),
        data={"case": "c"},
        content={"long": "x" * 30_000},
    )
    body = all_deliveries()[0].body
    assert len(body.encode()) < 20_000
    assert json.loads(body)["data"] == {"case": "c"}


def test_a_delivery_says_in_words_what_happened() -> None:
    assert WebhookDelivery(topic="cases.moved").topic_label == str(topics["cases.moved"].label)
    assert WebhookDelivery(topic="ventanilla.test").topic_label == "ventanilla.test"
