"""Two hundred people at once, on real PostgreSQL: no agenda twice, and whoever is late is offered the next."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BoundedSemaphore
from typing import Any

import pytest
from django.db import connections
from django.db.models import F

from crm.kit.errors import DomainError
from crm.kit.secrets import decrypt
from scheduling import services
from scheduling.models import ACTIVE, Appointment, Notice, Status
from scheduling.services import SlotTaken
from tests.conftest import World
from tests.factories.scheduling import at, book, make_resource, person, wish
from tests.scheduling.conftest import set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CROWD = 200
FLOW = 60
SEATS = 40  # connections at once: a server's pool does not have two hundred either


def at_once(works: list[Any]) -> list[Any]:
    """What each gives, or the error of the domain that it meets; anything else fails the test."""
    ready, seats = Barrier(len(works)), BoundedSemaphore(SEATS)

    def run(work: Any) -> Any:
        ready.wait(60)
        with seats:
            try:
                return work()
            except DomainError as error:
                return error
            finally:
                connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(300) for future in [pool.submit(run, work) for work in works]]


def overlaps() -> int:
    """Pairs of appointments that take the same agenda at the same time, found without the constraint."""
    active = Appointment.objects.filter(status__in=ACTIVE)
    return sum(
        active.filter(resource=row.resource_id, during__overlap=row.during)
        .exclude(pk=row.pk)
        .count()
        for row in active
    )


def test_two_hundred_for_one_time_and_every_loser_gets_the_next(world: World) -> None:
    desk = set_up(world)
    make_resource(desk.office, desk.service, name="Mesa 3")
    start = at("09:00")

    def ask(number: int) -> Any:
        return services.hold_slot(desk.public, wish(start), person(number), consent=True)

    answers = at_once([lambda number=number: ask(number) for number in range(CROWD)])
    winners = [one for one in answers if isinstance(one, Appointment)]
    losers = [one for one in answers if isinstance(one, SlotTaken)]
    assert (len(winners), len(losers)) == (3, CROWD - 3)
    assert len({one.resource_id for one in winners}) == 3
    assert {one.starts_at for one in winners} == {start}
    assert all(one.slots and one.slots[0].start > start for one in losers)
    assert Appointment.objects.count() == 3
    assert Notice.objects.count() == 3  # nobody is told of what they did not get
    assert overlaps() == 0


def test_who_takes_what_they_are_offered_gets_a_time_in_the_end(world: World) -> None:
    """The crowd flows over into later times, and nobody is given what another has."""
    desk = set_up(world)
    start = at("09:00")

    def ask(number: int) -> Any:
        wanted, tries = start, 0
        while True:
            try:
                row = services.hold_slot(desk.public, wish(wanted), person(number), consent=True)
                return services.confirm_hold(desk.public, row.uuid, decrypt(row.code))
            except SlotTaken as taken:
                tries += 1
                assert tries < 500
                wanted = taken.slots[number % len(taken.slots)].start

    answers = at_once([lambda number=number: ask(number) for number in range(FLOW)])
    assert Counter(type(one) for one in answers) == {Appointment: FLOW}
    booked = Appointment.objects.filter(status=Status.BOOKED)
    assert booked.count() == FLOW
    taken = Counter(booked.values_list("resource", "starts_at"))
    assert set(taken.values()) == {1}
    assert overlaps() == 0


def test_of_many_who_move_to_one_time_as_many_get_it_as_there_are_desks(world: World) -> None:
    desk = set_up(world)
    rows = [
        book(desk.alice, at("10:00") + number * (at("10:20") - at("10:00")), person=person(number))
        for number in range(20)
    ]

    def move(row: Appointment) -> Any:
        return services.move_appointment(desk.alice, row.uuid, at("09:00"))

    answers = at_once([lambda row=row: move(row) for row in rows])
    assert Counter(type(one) for one in answers) == {Appointment: 2, SlotTaken: 18}
    moved = Appointment.objects.filter(starts_at=at("09:00"))
    assert moved.count() == 2
    assert Appointment.objects.filter(ical_sequence=1).count() == 2
    assert overlaps() == 0
    assert not Appointment.objects.exclude(last_event=F("version") - 1).exists()


def test_a_hold_confirmed_many_times_at_once_is_booked_once(world: World) -> None:
    desk = set_up(world)
    row = services.hold_slot(desk.public, wish(at("09:00")), person(), consent=True)
    code = decrypt(row.code)
    answers = at_once(
        [lambda: services.confirm_hold(desk.public, row.uuid, code) for _each in range(8)]
    )
    assert Counter(type(one) for one in answers) == {Appointment: 8}
    assert row.happenings.count() == 1
    assert Notice.objects.filter(kind=Notice.Kind.BOOKED).count() == 1


def test_one_person_books_no_more_at_once_than_one_after_the_other(world: World) -> None:
    desk = set_up(world)
    starts = [at(hour) for hour in ("09:00", "10:00", "11:00", "12:00", "13:00", "14:00")]
    answers = at_once(
        [
            lambda start=start: services.hold_slot(
                desk.public, wish(start), person(1), consent=True
            )
            for start in starts
        ]
    )
    codes = Counter(
        getattr(one, "code", "held")[:21] if isinstance(one, DomainError) else "held"
        for one in answers
    )
    assert codes == {"held": 2, "too_many_appointments": 4}
