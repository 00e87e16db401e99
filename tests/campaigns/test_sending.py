"""A campaign's messages leave once each, to who may have them at that very moment."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns.models import (
    Campaign,
    CampaignRun,
    Delivery,
    DeliveryEvent,
    Suppression,
    address_hash,
)
from campaigns.services import control, feedback, launching, sending
from campaigns.services.audiences import lift_suppression
from crm.accounts.actors import system_actor
from crm.citizens.models import Consent, ContactPoint
from crm.kit.mail import Line
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.campaigns import approved, reader, say, topic_of

pytestmark = pytest.mark.django_db
Status = Delivery.Status
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def line() -> Iterator[Line]:
    """A talk with the tests' mail server."""
    talk = Line()
    yield talk
    talk.close()


def statuses(run: CampaignRun) -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Delivery.objects.filter(run=run).values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def launched(world: World, topic: Any, **more: Any) -> CampaignRun:
    campaign = approved(world.here, topic, **more)
    run = launching.launch(campaign.pk)
    assert run is not None
    return run


def test_each_recipient_has_one_message_with_its_own_id(world: World) -> None:
    topic = topic_of(world.here)
    points = [reader(world.here, topic, name=name) for name in ("Ana", "Bea")]
    reader(world.elsewhere, topic_of(world.elsewhere))  # another organisation's
    run = launched(world, topic)
    assert run.total == 2
    assert sending.send_due() == 2
    assert statuses(run) == {"sent": 2}
    assert sorted(message.to[0] for message in mail.outbox) == sorted(
        point.address for point in points
    )
    ids = {f"<{row.uuid}@{run.domain}>" for row in Delivery.objects.filter(run=run)}
    assert {message.extra_headers["Message-ID"] for message in mail.outbox} == ids
    first = next(message for message in mail.outbox if message.to == [points[0].address])
    assert first.subject == "Talleres para Ana"
    assert launching.tend() is None
    campaign = Campaign.objects.get(pk=run.campaign_id)
    assert campaign.state == "finished"
    assert sending.send_due() == 0
    assert len(mail.outbox) == 2


def test_the_audience_is_frozen_once_and_families_share_a_mailbox(world: World) -> None:
    topic = topic_of(world.here)
    for name in ("Ana", "Bea"):
        reader(world.here, topic, name=name, address="familia@correo.example")
    run = launched(world, topic)
    assert launching.freeze(run.campaign, run) == 0
    reader(world.here, topic)
    sending.send_due()
    assert [message.to for message in mail.outbox] == [["familia@correo.example"]] * 2
    assert {message.subject for message in mail.outbox} == {
        "Talleres para Ana",
        "Talleres para Bea",
    }


def test_who_did_not_say_yes_is_left_out_and_the_reason_told(world: World) -> None:
    topic = topic_of(world.here)
    reader(world.here, None)
    reader(world.here, topic, state=Consent.State.WITHDRAWN)
    reader(world.here, topic, state=Consent.State.PENDING)
    bad = reader(world.here, topic)
    ContactPoint.objects.filter(pk=bad.pk).update(quality="bad")
    run = launched(world, topic)
    reasons = sorted(Delivery.objects.filter(run=run).values_list("status", "reason"))
    assert reasons == [
        ("suppressed", "bad_address"),
        ("suppressed", "no_consent"),
        ("suppressed", "no_consent"),
        ("suppressed", "withdrawn"),
    ]
    assert sending.send_due() == 0
    assert mail.outbox == []


def test_a_service_message_needs_no_consent_but_respects_dead_addresses(world: World) -> None:
    service = topic_of(world.here, "Cortes de agua", "service")
    point = reader(world.here, service, state=Consent.State.WITHDRAWN)
    gone = reader(world.here)
    Suppression.objects.create(
        organisation=world.here,
        channel="email",
        address_hash=address_hash(gone.address_key),
        reason="hard_bounce",
    )
    run = launched(world, service)
    sending.send_due()
    assert [message.to for message in mail.outbox] == [[point.address]]
    assert statuses(run) == {"sent": 1, "suppressed": 1}
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda world, point, topic: say(world.here, point, topic, "withdrawn"), "withdrawn"),
        (
            lambda world, point, topic: ContactPoint.objects.filter(pk=point.pk).update(
                ended_at=timezone.now()
            ),
            "no_mailbox",
        ),
        (
            lambda world, point, topic: ContactPoint.objects.filter(pk=point.pk).update(
                address="otra@correo.example", address_key="otra@correo.example"
            ),
            "no_mailbox",
        ),
        (
            lambda world, point, topic: point.citizen.records.update(
                protected=True, protected_reason="Orden"
            ),
            "protected",
        ),
        (
            lambda world, point, topic: feedback.suppress(
                world.here, point.address_key, Suppression.Reason.COMPLAINT
            ),
            "complaint",
        ),
    ],
    ids=["withdrawn", "ended", "changed", "protected", "complained"],
)
def test_what_changes_between_claim_and_hand_over_is_seen(
    world: World, line: Line, monkeypatch: pytest.MonkeyPatch, change: Any, reason: str
) -> None:
    """The very last moment: the mail is already written and the server on the line."""
    topic = topic_of(world.here)
    point = reader(world.here, topic)
    run = launched(world, topic)
    written = sending.Job._mail

    def and_then(job: sending.Job, *given: Any) -> EmailMessage:
        message = written(job, *given)
        change(world, point, topic)
        return message

    monkeypatch.setattr(sending.Job, "_mail", and_then)
    sending.send_batch(run.pk, "me", line)
    row = Delivery.objects.get(run=run)
    assert (row.status, row.reason) == ("suppressed", reason)
    assert mail.outbox == []


def test_a_pause_halts_in_the_middle_of_a_batch_and_the_rest_goes_on_later(
    world: World, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = topic_of(world.here)
    for _ in range(5):
        reader(world.here, topic)
    run = launched(world, topic)
    boss = acting(employee(world.here, "communications"))
    posted = Line.post

    def and_pause(talk: Line, *given: Any) -> None:
        posted(talk, *given)
        if len(mail.outbox) == 2:
            control.pause_campaign(boss, run.campaign.uuid)

    monkeypatch.setattr(Line, "post", and_pause)
    sending.send_batch(run.pk, "me", line)
    assert statuses(run) == {"sent": 2, "queued": 3}
    assert sending.send_due() == 0
    control.resume_campaign(boss, run.campaign.uuid)
    sending.send_due()
    assert statuses(run) == {"sent": 5}
    assert len({message.to[0] for message in mail.outbox}) == 5
    assert set(Delivery.objects.filter(run=run).values_list("attempts", flat=True)) == {1}


def test_what_was_stopped_never_leaves(world: World, line: Line) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    boss = acting(employee(world.here, "communications"))
    control.stop_campaign(boss, run.campaign.uuid)
    assert sending.send_due() == 0
    assert statuses(run) == {"cancelled": 1}
    assert mail.outbox == []


def test_what_was_in_hand_when_it_was_stopped_does_not_wait_for_ever(
    world: World, line: Line
) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    (row,) = sending.claim(run.pk, "me", 9)
    job = sending.Job.of(run.pk, [row])
    control.stop_campaign(acting(employee(world.here, "communications")), run.campaign.uuid)
    with pytest.raises(sending.Halted):
        job.send(row, "me", line)
    assert sending.release("me") == 1
    sending.sweep()
    assert statuses(run) == {"cancelled": 1}
    assert mail.outbox == []


def test_a_bounce_can_be_fed_by_hand(world: World) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    sending.send_due()
    message_id = mail.outbox[0].extra_headers["Message-ID"]
    call_command("campaign_bounce", message_id, "--status", "4.2.2")
    assert statuses(run) == {"soft_bounced": 1}
    call_command("campaign_bounce", message_id)
    assert statuses(run) == {"hard_bounced": 1}
    for wrong in (["<x@y>"], [message_id, "--status", "2.0.0"]):
        with pytest.raises(CommandError):
            call_command("campaign_bounce", *wrong)


def test_a_worker_that_died_before_handing_over_is_replaced(world: World, line: Line) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    assert len(sending.claim(run.pk, "dead", 9)) == 1
    assert sending.claim(run.pk, "other", 9) == []
    Delivery.objects.filter(run=run).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sending.sweep() == (1, 0)
    sending.send_due()
    assert statuses(run) == {"sent": 1}
    assert len(mail.outbox) == 1


def test_a_worker_that_died_while_handing_over_leaves_a_doubt_nobody_repeats(
    world: World, line: Line
) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    (row,) = sending.claim(run.pk, "dead", 9)
    sending.Job.of(run.pk, [row])._hand_over(row, "dead")
    Delivery.objects.filter(run=run).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sending.sweep() == (0, 1)
    assert sending.send_due() == 0
    assert statuses(run) == {"unknown": 1}
    assert mail.outbox == []
    assert sending.settle(row, "dead", Status.SENT)  # it was only late: doubt ends
    assert statuses(run) == {"sent": 1}


def test_who_lost_the_lease_hands_nothing_over(world: World, line: Line) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    (row,) = sending.claim(run.pk, "slow", 9)
    Delivery.objects.filter(run=run).update(lease_until=timezone.now() - timedelta(seconds=1))
    sending.sweep()
    job = sending.Job.of(run.pk, [row])
    job.send(row, "slow", line)
    assert mail.outbox == []
    assert statuses(run) == {"queued": 1}
    assert not sending.settle(row, "slow", Status.SENT)


class Refusing:
    """Answers every message so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def send(message: EmailMessage, *_given: object) -> None:
            raise error

        monkeypatch.setattr(EmailMessage, "send", send)


def test_an_address_that_does_not_exist_is_a_bounce_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """listmonk#2623: a 550 while sending was ignored."""
    topic = topic_of(world.here)
    point = reader(world.here, topic)
    run = launched(world, topic)
    refused = {point.address: (550, b"5.1.1 User unknown")}
    Refusing(monkeypatch, smtplib.SMTPRecipientsRefused(refused))
    sending.send_due()
    assert statuses(run) == {"hard_bounced": 1}
    point.refresh_from_db()
    assert point.quality == "bad"
    active = Suppression.objects.get(organisation=world.here, lifted_at=None)
    assert (active.reason, active.scope) == ("hard_bounce", "all")
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.status_code) == ("hard_bounce", "550")
    lifted = lift_suppression(system_actor(world.here, ORIGIN), active.uuid)
    assert lifted.lifted_at is not None


def test_a_server_that_dislikes_us_suppresses_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = topic_of(world.here)
    point = reader(world.here, topic)
    run = launched(world, topic)
    refused = {point.address: (550, b"5.7.1 Blocked by policy")}
    Refusing(monkeypatch, smtplib.SMTPRecipientsRefused(refused))
    sending.send_due()
    assert statuses(run) == {"failed": 1}
    assert not Suppression.objects.exists()


def test_a_busy_server_is_asked_again_later_and_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = topic_of(world.here)
    point = reader(world.here, topic)
    run = launched(world, topic)
    busy = {point.address: (451, b"4.3.0 Try later")}
    Refusing(monkeypatch, smtplib.SMTPRecipientsRefused(busy))
    for attempt in range(1, sending.MOST_ATTEMPTS + 1):
        assert sending.send_due() == 1
        row = Delivery.objects.get(run=run)
        assert row.attempts == attempt
        assert sending.send_due() == 0  # not due yet
        Delivery.objects.filter(status="queued").update(due_at=LONG_AGO)
    assert (row.status, row.reason) == ("failed", "server_busy")


def test_silence_in_the_middle_is_a_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    Refusing(monkeypatch, smtplib.SMTPServerDisconnected("gone"))
    sending.send_due()
    assert statuses(run) == {"unknown": 1}
    launching.tend()
    assert Campaign.objects.get(pk=run.campaign_id).state == "finished"


def test_a_server_that_does_not_answer_costs_nobody_an_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    topic = topic_of(world.here)
    for _ in range(3):
        reader(world.here, topic)
    run = launched(world, topic)
    sending.send_due()
    assert statuses(run) == {"queued": 3}
    assert set(Delivery.objects.filter(run=run).values_list("attempts", flat=True)) == {0}
    assert sending.running() == []  # it is not called again for a while
    CampaignRun.objects.update(not_before=timezone.now())
    assert sending.running() == [run.pk]


def test_too_many_errors_pause_the_campaign_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = topic_of(world.here)
    for _ in range(25):
        reader(world.here, topic)
    run = launched(world, topic)
    monkeypatch.setattr(sending, "BATCH", 20)  # smaller than the audience
    Refusing(monkeypatch, smtplib.SMTPRecipientsRefused({"x": (554, b"5.7.1 Not from you")}))
    CampaignRun.objects.update(resumed_at=LONG_AGO)  # the test's one transaction has one moment
    assert sending.send_due() == 20
    assert statuses(run) == {"failed": 20, "queued": 5}
    campaign = Campaign.objects.get(pk=run.campaign_id)
    assert (campaign.state, campaign.state_reason) == ("paused", "too_many_errors")
    boss = acting(employee(world.here, "communications"))
    control.resume_campaign(boss, campaign.uuid)
    assert not control.pause_on_errors(CampaignRun.objects.get(pk=run.pk))  # counts anew


def test_the_pace_is_kept(world: World, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = topic_of(world.here)
    for _ in range(12):
        reader(world.here, topic)
    run = launched(world, topic, rate_per_minute=60)
    now = run.tokens_at

    def at(seconds: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=seconds))

    at(0)
    assert sending.send_batch(run.pk, "one", line) == 0
    at(300)
    assert sending.send_batch(run.pk, "two", line) == 6  # a tenth of the minute's at once
    assert sending.send_batch(run.pk, "three", line) == 0
    at(303)
    assert sending.send_batch(run.pk, "four", line) == 3
    at(200)  # a clock that was set back lets nothing through, and stops nothing for good
    assert sending.send_batch(run.pk, "five", line) == 0
    at(306)
    assert sending.send_batch(run.pk, "six", line) == 3


def test_after_its_last_moment_nothing_leaves(world: World) -> None:
    topic = topic_of(world.here)
    reader(world.here, topic)
    run = launched(world, topic)
    past = timezone.now() - timedelta(seconds=1)
    Campaign.objects.filter(pk=run.campaign_id).update(
        send_not_after=past, send_at=past - timedelta(days=1)
    )
    assert sending.send_due() == 0
    launching.tend()
    row = Delivery.objects.get(run=run)
    assert (row.status, row.reason) == ("suppressed", "too_late")
    assert Campaign.objects.get(pk=run.campaign_id).state == "finished"


def test_a_campaign_whose_moment_passed_waits_for_a_person(world: World) -> None:
    """listmonk#1801: a late scheduler sent an old campaign."""
    topic = topic_of(world.here)
    reader(world.here, topic)
    campaign = approved(world.here, topic)
    past = timezone.now() - timedelta(days=1)
    Campaign.objects.update(send_at=past - timedelta(days=1), send_not_after=past)
    launching.tend()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.state_reason) == ("needs_attention", "too_late")
    assert not Delivery.objects.exists()


def test_bounces_come_back_once_and_only_to_their_delivery(world: World) -> None:
    topic = topic_of(world.here)
    point = reader(world.here, topic)
    run = launched(world, topic)
    sending.send_due()
    row = Delivery.objects.get(run=run)
    message_id = mail.outbox[0].extra_headers["Message-ID"]
    assert not feedback.bounced("<nothing@elsewhere.example>", hard=True)
    assert not feedback.bounced(f"<{row.uuid}@other.example>", hard=True)
    for _ in range(2):
        assert feedback.bounced(
            message_id, hard=False, status_code="4.2.2", diagnostic="full\0", key="dsn-1"
        )
    row.refresh_from_db()
    assert row.status == "soft_bounced"
    assert DeliveryEvent.objects.count() == 1
    for number in (2, 3):
        feedback.bounced(message_id, hard=False, key=f"dsn-{number}")
    point.refresh_from_db()
    assert point.quality == "unsure"
    assert feedback.bounced(message_id, hard=True, status_code="5.1.1", key="dsn-4")
    row.refresh_from_db()
    point.refresh_from_db()
    assert (row.status, point.quality) == ("hard_bounced", "bad")
    feedback.bounced(message_id, hard=False, key="dsn-5")
    row.refresh_from_db()
    assert row.status == "hard_bounced"  # what is worse stays
    assert feedback.answered_by_machine(message_id, key="away")
    assert feedback.complained(message_id, key="fbl")
    row.refresh_from_db()
    assert row.status == "complained"
