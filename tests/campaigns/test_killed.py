"""The worker, then Valkey and daphne, are killed in the middle of a campaign of 2,000: by the mail server's
ledger nobody is written to twice and nobody is lost; of whom it is not known, it is said."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from campaigns.models import Campaign, CampaignRun, Delivery
from crm.citizens.models import Citizen, CitizenRecord, Consent, ContactPoint, Topic
from crm.kit.management.commands.prepare import sync_schedules
from crm.organisations.models import Organisation
from tests.campaigns.sink import Ledger, sink
from tests.factories.campaigns import approved, topic_of
from tests.factories.organisations import OrganisationFactory
from tests.journeys.product import VALKEY, WEB, WORKER, Product, copied_database

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

RECIPIENTS = 2_000
SENDERS = 2
PATIENCE_S = 420


@pytest.fixture
def _django_db_helper() -> None:
    """In place of pytest-django's transaction: what happens here is of other processes, which commit."""


def _until(condition: Callable[[], bool], what: str, product: Product) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: {product.logs()}"
        time.sleep(0.02)


def _people(organisation: Organisation, topic: Topic) -> None:
    citizens = Citizen.objects.bulk_create(
        Citizen(name=f"Persona {number}", surname1="Prueba") for number in range(RECIPIENTS)
    )
    CitizenRecord.objects.bulk_create(
        CitizenRecord(citizen=citizen, organisation=organisation) for citizen in citizens
    )
    points = ContactPoint.objects.bulk_create(
        ContactPoint(
            organisation=organisation,
            citizen=citizen,
            channel="email",
            address=f"p{number}@correo.example",
            address_key=f"p{number}@correo.example",
            quality="good",
        )
        for number, citizen in enumerate(citizens)
    )
    Consent.objects.bulk_create(
        Consent(contact_point=point, topic=topic, state="granted", source="test")
        for point in points
    )


def test_kill_9_in_mid_campaign_loses_nobody_and_writes_to_nobody_twice(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> None:
    with django_db_blocker.unblock(), copied_database() as database, sink() as ledger:
        sync_schedules()
        organisation = OrganisationFactory(code="CAMP", name="Organismo de prueba")
        topic = topic_of(organisation)
        _people(organisation, topic)
        env = {
            "EMAIL_URL": f"smtp://127.0.0.1:{ledger.port}",
            "CAMPAIGN_SENDERS": str(SENDERS),
        }
        with Product(database, tmp_path, workers=SENDERS, **env) as product:
            campaign = approved(organisation, topic, max_error_rate=50)

            def left(share: float) -> Callable[[], bool]:
                return lambda: len(ledger.taken) > RECIPIENTS * share

            _until(left(0.2), "nothing leaves", product)
            product.kill(WORKER)
            assert len(ledger.taken) < RECIPIENTS
            in_hand = Delivery.objects.filter(status__in=["claimed", "sending"])
            assert in_hand.filter(status="sending").count() <= SENDERS
            # the leases run out: ten minutes pass
            in_hand.update(lease_until=timezone.now() - timedelta(seconds=1))
            before = len(ledger.taken)
            product.start(WORKER)

            _until(left(0.5), "the next worker does not go on", product)
            product.kill(VALKEY)
            product.kill(WEB)
            assert len(ledger.taken) < RECIPIENTS
            product.start(VALKEY)
            product.start(WEB)

            over = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.FINISHED)
            _until(over.exists, "it does not finish", product)
            product.wait_until_well()
        _judge(ledger, before)


def _judge(ledger: Ledger, before: int) -> None:
    run = CampaignRun.objects.get()
    taken = Counter(message_id for message_id, _address in ledger.taken)
    assert not [message_id for message_id, times in taken.items() if times > 1]
    assert max(Counter(address for _id, address in ledger.taken).values()) == 1
    rows = dict(Delivery.objects.filter(run=run).values_list("uuid", "status"))
    assert len(rows) == RECIPIENTS == run.total
    assert set(rows.values()) <= {"sent", "unknown"}
    unknown = {f"<{uuid}@{run.domain}>" for uuid, status in rows.items() if status == "unknown"}
    sent = {f"<{uuid}@{run.domain}>" for uuid, status in rows.items() if status == "sent"}
    assert len(unknown) <= SENDERS  # whom the dead worker had in hand
    assert sent <= set(taken)  # who is said to be written to was
    assert set(taken) - sent <= unknown  # whom it is not known of, it is said
    assert len(taken) > before
