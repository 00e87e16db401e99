"""What recipients meet: one click, a form, preferences, short links; no cookie is needed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import AgentKind, Click, ClickCount, Delivery, DeliveryEvent, ShortLink
from campaigns.services import launching, sending
from campaigns.tokens import delivery_of, token_for
from crm.audit.models import AuditEntry
from crm.citizens.models import Consent, ContactPoint
from tests.conftest import World
from tests.factories.campaigns import approved, reader, topic_of

pytestmark = pytest.mark.django_db
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


@pytest.fixture
def received(world: World) -> tuple[ContactPoint, Delivery]:
    """Somebody who has had a campaign's message."""
    topic = topic_of(world.here)
    point = reader(world.here, topic, name="Remedios", surname1="Zafra")
    launching.launch(approved(world.here, topic).pk)
    sending.send_due()
    return point, Delivery.objects.get()


def strict() -> Client:
    """A browser whose posts are checked as in production."""
    return Client(enforce_csrf_checks=True)


def said(point: ContactPoint) -> list[str]:
    return list(point.consents.order_by("id").values_list("state", flat=True))


def test_one_click_ends_it_without_cookie_or_redirect(
    received: tuple[ContactPoint, Delivery],
) -> None:
    """RFC 8058: the address of the header, posted to by a program."""
    point, delivery = received
    headers = mail.outbox[0].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"].strip("<>").partition("//")[2].partition("/")[2]
    assert "zafra" not in address.lower()
    assert point.address not in address
    client = strict()
    answer = client.post(f"/{address}", {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert not answer.cookies
    assert said(point) == ["granted", "withdrawn"]
    consent = Consent.objects.latest("id")
    assert (consent.source, consent.evidence) == (
        "unsubscribe_link",
        {"delivery": str(delivery.uuid), "one_click": True},
    )
    assert strict().post(f"/{address}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert said(point) == ["granted", "withdrawn"]
    assert DeliveryEvent.objects.filter(kind="unsubscribed").count() == 1
    entry = AuditEntry.objects.filter(data__consent="withdrawn").get()
    assert (entry.door, entry.data["source"]) == ("public", "unsubscribe_link")


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_the_link_changes_nothing(
    received: tuple[ContactPoint, Delivery], method: str
) -> None:
    """Scanners follow every link: 489 of 497 unsubscribes were theirs elsewhere."""
    point, delivery = received
    answer = getattr(strict(), method)(f"/baja/{token_for(delivery.uuid)}/")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert said(point) == ["granted"]


def test_a_person_confirms_with_a_button(received: tuple[ContactPoint, Delivery]) -> None:
    point, delivery = received
    answer = strict().post(f"/baja/{token_for(delivery.uuid)}/")
    assert answer.status_code == 200
    assert b"You will receive no more" in answer.content
    assert said(point) == ["granted", "withdrawn"]


@pytest.mark.parametrize("token", ["x", "a" * 32, "0" * 32 + "~abc", "%00", "é"])
def test_a_token_that_nobody_made_opens_nothing(world: World, token: str) -> None:
    assert delivery_of(token) is None
    for place in ("baja", "preferencias"):
        assert strict().post(f"/{place}/{token}/").status_code in {400, 404}


def test_preferences_are_kept_topic_by_topic(
    received: tuple[ContactPoint, Delivery], world: World
) -> None:
    point, delivery = received
    other = topic_of(world.here, "Cultura")
    topic_of(world.here, "Cortes de agua", "service")
    address = f"/preferencias/{token_for(delivery.uuid)}/"
    shown = strict().get(address).content.decode()
    assert "Actividades" in shown
    assert "Cultura" in shown
    assert "Cortes de agua" not in shown  # nobody is asked about those
    strict().post(address, {"topic": [other.code, "no-such-topic"]})
    last = {consent.topic.name: consent.state for consent in point.consents.order_by("id")}
    assert last == {"Actividades": "withdrawn", "Cultura": "granted"}
    strict().post(address, {"topic": [other.code]})
    assert point.consents.count() == 3  # nothing new was said


def test_the_evidence_is_never_changed(received: tuple[ContactPoint, Delivery]) -> None:
    from django.db import DatabaseError, transaction

    for act in (
        lambda: Consent.objects.update(state="granted"),
        lambda: Consent.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            act()


# --- Short links ----------------------------------------------------------------------------------


def link() -> ShortLink:
    return ShortLink.objects.get()


def test_a_short_link_leads_on_and_the_visit_is_nobodys(
    received: tuple[ContactPoint, Delivery],
) -> None:
    row = link()
    assert f"/e/{row.code}" in mail.outbox[0].body
    answer = strict().get(f"/e/{row.code}", headers=BROWSER)
    assert (answer.status_code, answer["Location"]) == (302, "https://www.val.example/talleres")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    click = Click.objects.get()
    assert click.agent_kind == AgentKind.HUMAN
    kept = {field.name for field in Click._meta.fields}
    assert kept == {"id", "link", "at", "agent_kind", "reasons"}


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("get", BROWSER, "human"),
        ("head", BROWSER, "prefetch"),
        ("get", {**BROWSER, "Sec-Purpose": "prefetch;prerender"}, "prefetch"),
        ("get", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "scanner"),
        ("get", {"User-Agent": "Mozilla/5.0 Proofpoint URL Defense"}, "scanner"),
        ("get", {"User-Agent": "curl/8.0"}, "scanner"),
        ("get", {}, "unknown"),
    ],
)
def test_machines_are_counted_apart(
    received: tuple[ContactPoint, Delivery], method: str, headers: dict[str, str], kind: str
) -> None:
    client: Any = strict()
    for _ in range(3):
        assert getattr(client, method)(f"/e/{link().code}", headers=headers).status_code == 302
    counted = ClickCount.objects.values_list("agent_kind", "count")
    assert {one for one, _count in counted} == {kind}
    assert sum(count for _kind, count in counted) == 3


def test_an_expired_link_says_so_and_counts_no_visit(
    received: tuple[ContactPoint, Delivery],
) -> None:
    row = link()
    row.valid_until = timezone.now() - timedelta(seconds=1)
    row.save()
    answer = strict().get(f"/e/{row.code}", headers=BROWSER)
    assert answer.status_code == 410
    assert b"This link has expired" in answer.content
    assert not Click.objects.exists()
    assert strict().get("/e/nosuchcode").status_code == 404
    assert Client().post(f"/e/{row.code}").status_code == 405


def test_the_room_is_for_employees(received: tuple[ContactPoint, Delivery]) -> None:
    answer = strict().get(reverse("campaigns:list"))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/entrar/")
