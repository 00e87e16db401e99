"""E-mails with news: who gets one, when, and what it must not say."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import services as cases
from cases.models import Case
from crm.accounts.models import Absence, Membership, User
from crm.kit import outbox
from crm.kit.errors import Invalid
from crm.kit.models import Outbox, uuid7
from crm.notices.models import Digest, Notification
from crm.notices.services import News, choose, keep_quiet, mark_all_read, notify, owe_digests
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory

NOON = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Madrid


@pytest.fixture
def case(world: World) -> Case:
    citizen = CitizenFactory(organisation=world.here, name="Zenobia", surname1="Cienfuegos")
    return CaseFactory(unit=world.unit, citizen=citizen, subject="Pensión de Zenobia")


def tell(
    world: World, case: Case, mail_: str, at: datetime = NOON, person: User | None = None
) -> None:
    """The person, who wants this kind so, has a piece of news from that moment."""
    person = person or world.alice
    choose(world.actor(person), {"noted": (True, mail_)})
    key = str(uuid7())
    notify(
        world.here.pk, [person.pk], News("noted", "case", case.uuid, key, actor_name="Sara Soto")
    )
    rows = Notification.objects.unscoped("ageing").filter(key=key)
    rows.update(created_at=at, at=at)


def sent(now: datetime = NOON) -> list[mail.EmailMessage]:
    """What leaves when the workers look at that moment."""
    before = len(mail.outbox)
    owe_digests(now)
    # made by the database's own clock, which these tests are not by
    Digest.objects.unscoped("ageing").filter(created_at__gt=NOON + timedelta(days=40)).update(
        created_at=now
    )
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass
    return mail.outbox[before:]


def test_what_is_wanted_at_once_leaves_once_and_names_no_citizen(world: World, case: Case) -> None:
    tell(world, case, "now")
    (message,) = sent()
    assert message.to == [world.alice.email]
    assert message.subject == f"1 update: {case.reference}"
    assert f"- {case.reference} · A note is written in a case that I follow · Sara Soto" in (
        message.body
    )
    row = Notification.objects.unscoped("looking").get()
    assert f"/novedades/{row.uuid}/" in message.body
    assert "/novedades/preferencias/" in message.body
    for secret in ("Zenobia", "Cienfuegos", "Pensión"):
        assert secret not in message.body + message.subject
    assert sent() == []
    assert sent(NOON + timedelta(days=2)) == []


def test_by_default_a_note_comes_by_no_e_mail(world: World, case: Case) -> None:
    notify(world.here.pk, [world.alice.pk], News("noted", "case", case.uuid, "k"))
    assert sent() == []


def test_hourly_news_wait_to_be_together(world: World, case: Case) -> None:
    other = CaseFactory(unit=world.unit)
    tell(world, case, "hourly", NOON - timedelta(minutes=59))
    assert sent() == []
    tell(world, other, "hourly", NOON)
    (message,) = sent(NOON + timedelta(minutes=2))
    assert message.subject == f"2 updates: {other.reference}, {case.reference}"
    tell(world, other, "hourly", NOON - timedelta(hours=3))
    assert sent(NOON + timedelta(minutes=30)) == [], "one an hour at most"
    assert len(sent(NOON + timedelta(minutes=63))) == 1


def test_the_daily_one_comes_at_its_hour_on_the_organisations_clock(
    world: World, case: Case
) -> None:
    choose(world.actor(world.alice), {}, daily_at=time(13, 30))
    tell(world, case, "daily", NOON)
    assert sent(NOON + timedelta(minutes=89)) == []
    assert len(sent(NOON + timedelta(minutes=91))) == 1
    tell(world, case, "daily", NOON + timedelta(minutes=92))
    assert sent(NOON + timedelta(hours=20)) == []
    assert len(sent(NOON + timedelta(minutes=91, days=1))) == 1


@pytest.mark.parametrize(
    ("hours", "quiet"),
    [
        ((time(11), time(13)), True),
        ((time(12), time(13)), True),
        ((time(11), time(12)), False),
        ((time(20), time(8)), False),
        ((time(20), time(12, 1)), True),
        (None, False),
    ],
)
def test_in_quiet_hours_nothing_comes_and_nothing_is_lost(
    world: World, case: Case, hours: tuple[time, time] | None, quiet: bool
) -> None:
    keep_quiet(world.actor(world.alice), *(hours or (None, None)))
    tell(world, case, "now")
    assert len(sent()) == (0 if quiet else 1)
    assert len(sent(NOON + timedelta(hours=3))) == (1 if quiet else 0)


def test_while_somebody_is_away_nothing_comes(world: World, case: Case) -> None:
    Absence.objects.create(
        organisation=world.here,
        user=world.alice,
        starts_at=NOON - timedelta(days=1),
        ends_at=NOON + timedelta(days=1),
    )
    tell(world, case, "now")
    assert sent() == []
    assert len(sent(NOON + timedelta(days=1))) == 1


def test_what_was_read_in_the_console_is_not_sent(world: World, case: Case) -> None:
    tell(world, case, "now")
    mark_all_read(world.actor(world.alice))
    assert sent() == []


def test_who_lost_the_right_is_sent_nothing(world: World, case: Case) -> None:
    tell(world, case, "now")
    Case.objects.filter(pk=case.pk).update(unit=world.other_unit)
    assert sent() == []
    assert Digest.objects.unscoped("looking").count() == 1, "and nothing is tried for ever"


@pytest.mark.parametrize("what", ["suspended", "gone", "locked out"])
def test_who_may_not_act_any_more_is_sent_nothing(world: World, case: Case, what: str) -> None:
    tell(world, case, "now")
    mine = Membership.objects.filter(user=world.alice)
    if what == "suspended":
        mine.update(suspended_at=NOON)
    elif what == "gone":
        mine.update(ended_at=NOON)
    else:
        User.objects.filter(pk=world.alice.pk).update(state=User.State.SUSPENDED)
    assert sent() == []


def test_each_gets_their_own(world: World, case: Case) -> None:
    carol = employee(world.here, "agent", unit=world.unit)
    tell(world, case, "now")
    tell(world, case, "now", person=carol)
    assert sorted(message.to[0] for message in sent()) == sorted([world.alice.email, carol.email])


def test_quiet_hours_have_two_ends(world: World) -> None:
    for start, end in ((time(8), None), (None, time(8)), (time(8), time(8))):
        with pytest.raises(Invalid):
            keep_quiet(world.actor(world.alice), start, end)


def test_a_mention_comes_within_the_hour_as_is_usual(world: World, case: Case) -> None:
    carol = employee(world.here, "agent", unit=world.unit, full_name="Carol Cano")
    cases.add_note(world.actor(world.alice), case.uuid, "¿Lo miras, @Carol Cano?")
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass
    rows = Notification.objects.unscoped("looking").filter(user=carol)
    assert list(rows.values_list("kind", "mail")) == [("mentioned", "hourly")]


def test_what_waits_is_not_sent_to_who_wants_no_e_mail_any_more(world: World, case: Case) -> None:
    """The choice held only for what came later: tomorrow's e-mail came all the same."""
    tell(world, case, "daily")
    choose(world.actor(world.alice), {"noted": (True, "none")})
    assert sent(NOON + timedelta(days=2)) == []
    row = Notification.objects.unscoped("looking").get()
    assert (row.in_console, row.read_at) == (True, None)


def test_what_one_e_mail_does_not_hold_is_counted_in_it(world: World, case: Case) -> None:
    """The fifty-first and all after it were marked as sent, and told nowhere."""
    choose(world.actor(world.alice), {"noted": (False, "now")})
    for number in range(52):
        notify(world.here.pk, [world.alice.pk], News("noted", "case", case.uuid, str(number)))
    (message,) = sent()
    assert message.subject == f"52 updates: {case.reference}"
    assert message.body.count(f"- {case.reference}") == 50
    assert "And 2 more:" in message.body
    assert "/novedades/" in message.body.split("And 2 more:")[1].split("\n")[0]


def test_who_only_waits_for_their_hour_costs_no_question(world: World, case: Case) -> None:
    """Seven questions for each person, twice a minute, all day long."""
    people = [employee(world.here, "agent", unit=world.unit) for _ in range(3)]
    for person in people:
        tell(world, case, "daily", NOON, person)
    owe_digests(NOON + timedelta(minutes=5))  # whose calendar it is, is remembered
    with CaptureQueriesContext(connection) as few:
        assert owe_digests(NOON + timedelta(minutes=5)) == 0
    more = [employee(world.here, "agent", unit=world.unit) for _ in range(4)]
    for person in more:
        tell(world, case, "daily", NOON, person)
    with CaptureQueriesContext(connection) as many:
        assert owe_digests(NOON + timedelta(minutes=5)) == 0
    assert len(many) == len(few)
