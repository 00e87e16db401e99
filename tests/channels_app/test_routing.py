"""Who gets the next conversation: order, capacity, offers and their ends; and races on real rows."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from channels_app import services
from channels_app.models import (
    AgentSlot,
    Conversation,
    Offer,
    PauseReason,
    Presence,
    PresenceChange,
    Queue,
    QueueMember,
    State,
    WorkItem,
)
from channels_app.services import presence, routing, visiting
from crm.accounts.models import User
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.channels_app import PUBLIC, begin, make_account, make_agent, make_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(world: World) -> Queue:
    return make_queue(world.unit)


def offer_to(user: User) -> Offer:
    return Offer.objects.get(agent__user=user, outcome=None)


def start(queue: Queue, count: int = 1) -> list[Conversation]:
    account = queue.accounts.first() or make_account(queue)
    return [begin(account)[0] for _ in range(count)]


def test_the_longest_idle_gets_the_oldest(world: World, queue: Queue) -> None:
    second = employee(world.here, "agent", unit=world.unit)
    now = timezone.now()
    make_agent(world.alice, queue, idle_since=now - timedelta(minutes=1))
    make_agent(second, queue, idle_since=now - timedelta(minutes=9))
    first, later = start(queue, 2)

    assert routing.match(world.here.pk) == 2

    assert offer_to(second).item.conversation == first
    assert offer_to(world.alice).item.conversation == later
    assert offer_to(second).why["idle_seconds"] >= 540


def test_a_lower_priority_number_goes_before_age(world: World, queue: Queue) -> None:
    urgent = make_queue(world.unit, "urgente", priority=1)
    make_agent(world.alice, queue, urgent)
    start(queue)
    (pressing,) = start(urgent)
    routing.match(world.here.pk)
    assert offer_to(world.alice).item.conversation == pressing


@pytest.mark.parametrize(
    "fields",
    [
        {"state": Presence.BUSY},
        {"state": Presence.OFFLINE},
        {"heard_at": None},
        {"heard_at": timezone.now() - timedelta(minutes=5)},
        {"used_units": 1},
    ],
    ids=["busy", "offline", "never heard", "not heard any more", "full"],
)
def test_who_takes_no_work_gets_none(world: World, queue: Queue, fields: dict[str, object]) -> None:
    make_agent(world.alice, queue, **fields)
    start(queue)
    assert routing.match(world.here.pk) == 0
    assert not Offer.objects.exists()


def test_who_does_not_serve_the_queue_gets_nothing_of_it(world: World, queue: Queue) -> None:
    make_agent(world.alice, make_queue(world.unit, "otra"))
    make_agent(world.charlie, make_queue(world.foreign_unit, "lejos"))
    start(queue)
    assert routing.match(world.here.pk) == 0
    assert routing.match(world.elsewhere.pk) == 0


def test_work_that_nobody_can_have_keeps_no_other_waiting(world: World, queue: Queue) -> None:
    other = make_queue(world.unit, "otra")
    make_agent(world.alice, other)
    start(queue)
    (wanted,) = start(other)
    assert routing.match(world.here.pk) == 1
    assert offer_to(world.alice).item.conversation == wanted


def test_work_that_waits_for_nobody_costs_no_query_each(
    world: World, queue: Queue, django_assert_max_num_queries: Any
) -> None:
    """Named after a run of ten thousand: every end of a conversation looked at all who waited."""
    make_agent(world.alice, queue, used_units=1)
    start(queue, 12)
    with django_assert_max_num_queries(6):
        assert routing.match(world.here.pk) == 0


def test_accepting_makes_one_owner(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    (conversation,) = start(queue)
    routing.match(world.here.pk)
    offer = offer_to(world.alice)

    services.accept(acting(world.alice), offer.uuid)

    conversation.refresh_from_db()
    assert (conversation.state, conversation.owner) == (State.ACTIVE, world.alice)
    assert conversation.accepted_at is not None
    slot = AgentSlot.objects.get(user=world.alice)
    assert slot.used_units == 1
    with pytest.raises(Conflict):
        services.accept(acting(world.alice), offer.uuid)


def test_nobody_accepts_an_offer_of_somebody_else(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    bob = employee(world.here, "agent", unit=world.unit)
    make_agent(bob, queue, state=Presence.BUSY)
    start(queue)
    routing.match(world.here.pk)
    offer = offer_to(world.alice)
    for stranger in (bob, world.charlie):
        with pytest.raises(NotFound):
            services.accept(acting(stranger), offer.uuid)
    with pytest.raises(Refused):
        services.accept(acting(employee(world.here, "auditor")), offer.uuid)


def test_declined_work_keeps_its_age_and_goes_to_somebody_else(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue, idle_since=timezone.now() - timedelta(hours=1))
    (conversation,) = start(queue)
    before = WorkItem.objects.get(conversation=conversation).enqueued_at
    routing.match(world.here.pk)

    services.decline(acting(world.alice), offer_to(world.alice).uuid)

    item = WorkItem.objects.get(conversation=conversation)
    assert (item.status, item.agent, item.enqueued_at) == (WorkItem.Status.QUEUED, None, before)
    assert routing.match(world.here.pk) == 0  # not to her again
    bob = employee(world.here, "agent", unit=world.unit)
    make_agent(bob, queue)
    assert routing.match(world.here.pk) == 1
    assert offer_to(bob).item == item
    assert AgentSlot.objects.get(user=world.alice).used_units == 0


def test_who_lets_it_ring_is_not_ready_any_more(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    (conversation,) = start(queue)
    routing.match(world.here.pk)
    assert routing.expire_offers() == 0  # it still rings
    Offer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert routing.expire_offers() == 1

    slot = AgentSlot.objects.get(user=world.alice)
    assert (slot.state, slot.by_system, slot.used_units) == (Presence.PAUSED, True, 0)
    assert PresenceChange.objects.get(agent=slot).by_system
    assert WorkItem.objects.get(conversation=conversation).status == WorkItem.Status.QUEUED
    assert routing.match(world.here.pk) == 0
    services.set_presence(acting(world.alice), Presence.AVAILABLE)
    assert routing.match(world.here.pk) == 1  # back at the desk, it may ring again


def test_a_late_answer_changes_nothing(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    start(queue)
    routing.match(world.here.pk)
    offer = offer_to(world.alice)
    Offer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    routing.expire_offers()
    with pytest.raises(Conflict):
        services.accept(acting(world.alice), offer.uuid)
    assert Conversation.objects.get().owner is None


def test_a_closed_tab_gets_no_more_offers(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    (conversation,) = start(queue)
    routing.match(world.here.pk)
    AgentSlot.objects.update(heard_at=timezone.now() - timedelta(minutes=5))

    assert presence.sweep() == 1

    slot = AgentSlot.objects.get(user=world.alice)
    assert (slot.state, slot.used_units) == (Presence.OFFLINE, 0)
    assert Offer.objects.get().outcome == Offer.Outcome.WITHDRAWN
    assert WorkItem.objects.get(conversation=conversation).status == WorkItem.Status.QUEUED
    assert presence.sweep() == 0


def test_who_is_suspended_keeps_nobody_waiting(world: World, queue: Queue) -> None:
    """A chat of somebody who may no longer answer would otherwise be nobody's and closed by nobody."""
    make_agent(world.alice, queue, units=2)
    attended, ringing = start(queue, 2)
    age = WorkItem.objects.get(conversation=attended).enqueued_at
    services.take(acting(world.alice), attended.uuid)
    routing.match(world.here.pk)
    assert (presence.sweep(), routing.take_from_the_gone()) == (0, 0)

    world.alice.memberships.update(suspended_at=timezone.now())

    assert (presence.sweep(), routing.take_from_the_gone()) == (1, 1)
    for conversation in (attended, ringing):
        conversation.refresh_from_db()
        assert (conversation.state, conversation.owner) == (State.WAITING, None)
    again = WorkItem.objects.exclude(status="done").get(conversation=attended)
    assert (again.status, again.enqueued_at) == (WorkItem.Status.QUEUED, age)
    slot = AgentSlot.objects.get()
    assert (slot.state, slot.used_units) == (Presence.OFFLINE, 0)
    assert routing.match(world.here.pk) == 0


def test_pausing_asks_for_a_reason_and_gives_back_what_rings(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    start(queue)
    routing.match(world.here.pk)
    alice = acting(world.alice)
    with pytest.raises(Invalid):
        services.set_presence(alice, Presence.PAUSED)
    foreign = PauseReason.objects.create(organisation=world.elsewhere, code="cafe", names={})
    with pytest.raises(Invalid):
        services.set_presence(alice, Presence.PAUSED, reason=foreign.uuid)
    reason = PauseReason.objects.create(organisation=world.here, code="cafe", names={"es": "Café"})
    slot = services.set_presence(alice, Presence.PAUSED, reason=reason.uuid)
    slot.refresh_from_db()
    assert (slot.state, slot.pause_reason, slot.used_units) == (Presence.PAUSED, reason, 0)
    assert Offer.objects.get().outcome == Offer.Outcome.WITHDRAWN


def test_taking_by_hand_needs_room_and_the_queue(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    first, second = start(queue, 2)
    alice = acting(world.alice)
    services.take(alice, first.uuid)
    with pytest.raises(Conflict, match="as you can"):
        services.take(alice, second.uuid)
    bob = employee(world.here, "agent", unit=world.unit)
    make_agent(bob, make_queue(world.unit, "otra"))
    with pytest.raises(Conflict, match="as you can"):
        services.take(acting(bob), second.uuid)


def test_wrap_up_holds_capacity_until_it_is_over(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    (conversation,) = start(queue)
    alice = acting(world.alice)
    services.take(alice, conversation.uuid)
    services.end(alice, conversation.uuid)
    assert AgentSlot.objects.get().used_units == 1
    assert routing.end_wrap_ups() == 0
    WorkItem.objects.update(wrap_at=timezone.now() - timedelta(hours=1))
    assert routing.end_wrap_ups() == 1
    conversation.refresh_from_db()
    assert (conversation.state, conversation.wrap_up_code) == (State.CLOSED, None)
    assert AgentSlot.objects.get().used_units == 0


def test_a_visitor_who_leaves_before_anybody_came_is_counted_as_lost(
    world: World, queue: Queue
) -> None:
    make_agent(world.alice, queue)
    (conversation,) = start(queue)
    routing.match(world.here.pk)
    visiting.leave(conversation, PUBLIC)

    item = WorkItem.objects.get()
    assert (item.status, item.abandoned) == (WorkItem.Status.DONE, True)
    assert Offer.objects.get().outcome == Offer.Outcome.WITHDRAWN
    assert AgentSlot.objects.get().used_units == 0
    conversation.refresh_from_db()
    assert conversation.state == State.CLOSED


def test_the_database_itself_refuses_too_much(world: World, queue: Queue) -> None:
    slot = make_agent(world.alice, queue)
    (conversation,) = start(queue)
    routing.match(world.here.pk)
    offer = offer_to(world.alice)
    for statement in (
        lambda: AgentSlot.objects.filter(pk=slot.pk).update(used_units=2),
        lambda: Offer.objects.create(item=offer.item, agent=slot, expires_at=timezone.now()),
        lambda: WorkItem.objects.create(
            organisation=world.here, conversation=conversation, queue=queue
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            statement()


# --- Races ---------------------------------------------------------------------------------------


def _at_once(count: int, work: object) -> list[Exception]:
    """Run it in so many threads, each with its own connection; what went wrong in them."""
    failures: list[Exception] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            work(number)  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001 - told to the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return failures


@pytest.mark.django_db(transaction=True)
def test_many_claimers_never_exceed_capacity_nor_leave_anyone_waiting(world: World) -> None:
    queue = make_queue(world.unit)
    people = [employee(world.here, "agent", unit=world.unit) for _ in range(6)]
    for person in people:
        make_agent(person, queue, units=3)
    account = make_account(queue)
    AgentSlot.objects.update(state=Presence.BUSY)  # nobody takes any while they come in
    wanted = [begin(account)[0].pk for _ in range(40)]
    AgentSlot.objects.update(state=Presence.AVAILABLE)
    actors = [acting(person) for person in people]
    over: list[int] = []

    def claimer(number: int) -> None:
        actor = actors[number % len(actors)]
        for _ in range(200):
            routing.match(world.here.pk)
            mine = Offer.objects.filter(agent__user_id=actor.user_id, outcome=None)
            for offer in mine.values_list("uuid", flat=True):
                try:
                    conversation = services.accept(actor, offer)
                    code = queue.wrap_up_codes.get()
                    services.close(actor, conversation.uuid, code.uuid)
                except Conflict:
                    continue
            over.extend(s.pk for s in AgentSlot.objects.all() if s.used_units > s.max_units)
            if not WorkItem.objects.exclude(status="done").exists():
                return

    failures = _at_once(8, claimer)

    assert failures == []
    assert over == []
    assert Counter(WorkItem.objects.values_list("status", flat=True)) == {"done": 40}
    accepted = Offer.objects.filter(outcome="accepted").values_list("item__conversation", flat=True)
    assert sorted(accepted) == sorted(wanted)  # each once, none left out
    assert not AgentSlot.objects.exclude(used_units=0).exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_take_the_same_at_once_are_one_owner_and_one_refused(world: World) -> None:
    queue = make_queue(world.unit)
    people = [employee(world.here, "agent", unit=world.unit) for _ in range(8)]
    for person in people:
        make_agent(person, queue, state=Presence.BUSY)
    conversation, _token = begin(make_account(queue))
    actors = [acting(person) for person in people]

    failures = _at_once(8, lambda number: services.take(actors[number], conversation.uuid))

    assert [type(failure) for failure in failures] == [Conflict] * 7
    conversation.refresh_from_db()
    assert conversation.owner in people
    assert sum(AgentSlot.objects.values_list("used_units", flat=True)) == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_end_of_an_offer_at_once_leave_one_truth(world: World) -> None:
    queue = make_queue(world.unit)
    make_agent(world.alice, queue, units=20)
    AgentSlot.objects.update(state=Presence.BUSY)
    account = make_account(queue)
    for _ in range(10):
        begin(account)
    AgentSlot.objects.update(state=Presence.AVAILABLE)
    routing.match(world.here.pk)
    Offer.objects.update(expires_at=timezone.now())
    offers = list(Offer.objects.values_list("uuid", flat=True))
    alice = acting(world.alice)

    def act(number: int) -> None:
        if number % 2:
            routing.expire_offers()
            return
        for offer in offers:
            try:
                services.accept(alice, offer)
            except Conflict:
                continue

    assert _at_once(4, act) == []
    slot = AgentSlot.objects.get()
    held = WorkItem.objects.filter(agent=slot).exclude(status="done").count()
    assert slot.used_units == held
    owned = Conversation.objects.filter(owner=world.alice).count()
    assert owned == Offer.objects.filter(outcome="accepted").count()
    assert not QueueMember.objects.exclude(queue=queue).exists()
