"""A supervisor enters a conversation to read, and gives it to another person or queue."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from channels_app import services
from channels_app.models import (
    AgentSlot,
    Conversation,
    Direction,
    EventKind,
    Message,
    Offer,
    Presence,
    Queue,
    State,
    WorkItem,
)
from channels_app.services import routing, visiting
from crm.accounts.models import Membership, User
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import StreamEvent
from tests.channels_app.test_routing import _at_once
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.channels_app import PUBLIC, begin, make_account, make_agent, make_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(world: World) -> Queue:
    return make_queue(world.unit)


@pytest.fixture
def boss(world: World) -> User:
    return employee(world.here, "supervisor", full_name="Sonia Supervisora")


@pytest.fixture
def colleague(world: World) -> User:
    return employee(world.here, "agent", unit=world.unit, full_name="Carla Colega")


def attended(world: World, queue: Queue) -> Conversation:
    """Alice attends it."""
    make_agent(world.alice, queue, state=Presence.BUSY)
    row, _token = begin(make_account(queue))
    return services.take(acting(world.alice), row.uuid)


def slot_of(user: User) -> AgentSlot:
    return AgentSlot.objects.get(user=user)


def test_it_goes_to_another_person_who_has_it_alone(
    world: World, queue: Queue, boss: User, colleague: User
) -> None:
    row = attended(world, queue)
    age = WorkItem.objects.get().enqueued_at
    make_agent(colleague, make_queue(world.unit, "otra"), state=Presence.BUSY)

    services.reassign(
        acting(boss), row.uuid, agent=slot_of(colleague).uuid, note="Alice se marcha."
    )

    row.refresh_from_db()
    item = WorkItem.objects.get()
    assert (row.state, row.owner) == (State.ACTIVE, colleague)
    assert (item.status, item.agent, item.enqueued_at) == ("active", slot_of(colleague), age)
    assert (slot_of(world.alice).used_units, slot_of(colleague).used_units) == (0, 1)
    said = Message.objects.filter(conversation=row).latest("number")
    assert (said.direction, said.body) == (Direction.INTERNAL, "Alice se marcha.")
    event = row.events.latest("pk")
    assert (event.kind, event.data) == (EventKind.TRANSFERRED, {"to": "Carla Colega"})
    assert event.actor_name == "Sonia Supervisora"
    entry = AuditEntry.objects.get(action="channels_app.supervise")
    assert (entry.actor_id, entry.object_id) == (boss.pk, str(row.uuid))
    assert entry.data == {"act": "reassigned", "given": "Carla Colega"}
    told = StreamEvent.objects.filter(patch={"kind": "transferred", "judge": True})
    assert set(told.values_list("stream", flat=True)) == {
        row.stream,
        row.visitor_stream,
        f"desk:{world.here.pk}.{world.alice.pk}",
        f"desk:{world.here.pk}.{colleague.pk}",
    }
    with pytest.raises(Refused):
        services.reply(acting(world.alice), row.uuid, "¿Sigo yo?")
    services.reply(acting(colleague), row.uuid, "Buenos días")


def test_it_waits_in_another_queue_with_its_age_and_not_for_who_had_it(
    world: World, queue: Queue, boss: User, colleague: User
) -> None:
    row = attended(world, queue)
    age = WorkItem.objects.get().enqueued_at
    other = make_queue(world.other_unit, "otra")
    AgentSlot.objects.update(state=Presence.AVAILABLE)
    slot_of(world.alice).queues.add(other)
    services.reassign(acting(boss), row.uuid, queue=other.uuid, note="Es de pagos.")
    row.refresh_from_db()
    assert (row.state, row.owner, row.queue, row.unit) == (
        State.WAITING, None, other, world.other_unit,
    )  # fmt: skip
    item = WorkItem.objects.exclude(status="done").get()
    assert (item.queue, item.enqueued_at, item.status) == (other, age, "queued")
    assert routing.match(world.here.pk) == 0  # Alice serves it, too, but had it
    make_agent(colleague, other)
    assert routing.match(world.here.pk) == 1
    assert Offer.objects.get(outcome=None).agent.user == colleague


def test_what_rings_is_taken_from_whom_it_rings_at(
    world: World, queue: Queue, boss: User, colleague: User
) -> None:
    make_agent(world.alice, queue)
    row, _token = begin(make_account(queue))
    routing.match(world.here.pk)
    offer = Offer.objects.get()
    make_agent(colleague, queue, state=Presence.PAUSED, by_system=True)
    services.reassign(acting(boss), row.uuid, agent=slot_of(colleague).uuid, note="Tú, por favor.")
    offer.refresh_from_db()
    assert offer.outcome == Offer.Outcome.WITHDRAWN
    assert (slot_of(world.alice).used_units, slot_of(colleague).used_units) == (0, 1)
    with pytest.raises(Conflict):
        services.accept(acting(world.alice), offer.uuid)
    row.refresh_from_db()
    assert row.owner == colleague
    assert row.accepted_at is not None


def test_a_waiting_one_moves_on_to_another_queue(world: World, queue: Queue, boss: User) -> None:
    row, _token = begin(make_account(queue))
    other = make_queue(world.unit, "otra")
    services.reassign(acting(boss), row.uuid, queue=other.uuid, note="Es de pagos.")
    row.refresh_from_db()
    assert (row.state, row.queue) == (State.WAITING, other)
    assert visiting.position(row) == 1
    with pytest.raises(Invalid):
        services.reassign(acting(boss), row.uuid, queue=other.uuid, note="Otra vez.")
    assert WorkItem.objects.exclude(status="done").count() == 1


@pytest.mark.parametrize("fields", [{"state": Presence.OFFLINE}, {"used_units": 1}])
def test_nobody_gets_more_than_there_is_room_for(
    world: World, queue: Queue, boss: User, colleague: User, fields: dict[str, Any]
) -> None:
    row = attended(world, queue)
    make_agent(colleague, queue, **fields)
    before = slot_of(colleague).used_units
    with pytest.raises(Conflict) as refused:
        services.reassign(acting(boss), row.uuid, agent=slot_of(colleague).uuid, note="Tú.")
    assert refused.value.code == "no_room"
    row.refresh_from_db()
    assert row.owner == world.alice
    assert (slot_of(world.alice).used_units, slot_of(colleague).used_units) == (1, before)


def test_what_has_ended_stays(world: World, queue: Queue, boss: User, colleague: User) -> None:
    row = attended(world, queue)
    make_agent(colleague, queue)
    visiting.leave(row, PUBLIC)
    with pytest.raises(Conflict):
        services.reassign(acting(boss), row.uuid, agent=slot_of(colleague).uuid, note="Tú.")


def test_no_note_no_gift(world: World, queue: Queue, boss: User) -> None:
    row = attended(world, queue)
    other = make_queue(world.unit, "otra")
    with pytest.raises(Invalid) as refused:
        services.reassign(acting(boss), row.uuid, queue=other.uuid, note="  ")
    assert refused.value.errors.keys() == {"note"}


def test_only_supervisors_of_its_unit_and_only_to_people_of_the_house(
    world: World, queue: Queue, boss: User, colleague: User
) -> None:
    row = attended(world, queue)
    make_agent(colleague, queue)
    far = make_agent(world.charlie, make_queue(world.foreign_unit, "lejos"))
    stranger = employee(world.elsewhere, "supervisor")
    with pytest.raises(NotFound):
        services.reassign(acting(stranger), row.uuid, agent=far.uuid, note="Mía.")
    with pytest.raises(Refused):
        services.reassign(acting(colleague), row.uuid, agent=slot_of(colleague).uuid, note="Mía.")
    for target in ({"agent": far.uuid}, {"queue": far.queues.get().uuid}, {"agent": uuid4()}, {}):
        with pytest.raises(Invalid):
            services.reassign(acting(boss), row.uuid, note="A otro.", **target)  # type: ignore[arg-type]
    Membership.objects.filter(user=colleague).update(suspended_at=timezone.now())
    with pytest.raises(Invalid):
        services.reassign(acting(boss), row.uuid, agent=slot_of(colleague).uuid, note="Tú.")
    row.refresh_from_db()
    assert row.owner == world.alice
    assert not Message.objects.filter(conversation=row, direction=Direction.INTERNAL).exists()


def test_entering_to_read_is_a_look_and_the_citizen_notices_nothing(
    world: World, queue: Queue, boss: User
) -> None:
    row = attended(world, queue)
    visiting.say(row, "¿Hay alguien?", key=uuid4())
    client = Client()
    client.force_login(boss)
    page = client.get(f"/colas/{queue.uuid}/")
    assert f'href="/conversaciones/{row.uuid}/"' in page.content.decode()
    before = StreamEvent.objects.count()
    opened = client.get(f"/conversaciones/{row.uuid}/")
    assert "¿Hay alguien?" in opened.content.decode()
    look = AuditEntry.objects.get(action="viewed", object_id=str(row.uuid))
    assert (look.actor_id, look.object_type) == (boss.pk, "channels_app.conversation")
    client.post(f"/conversaciones/{row.uuid}/leida/")
    row.refresh_from_db()
    assert row.read_number == 0
    assert StreamEvent.objects.count() == before
    assert client.post(f"/conversaciones/{row.uuid}/responder/", {"text": "x"}).status_code == 403


def test_the_page_gives_it_away(world: World, queue: Queue, boss: User, colleague: User) -> None:
    row = attended(world, queue)
    make_agent(colleague, queue)
    client = Client()
    client.force_login(boss)
    page = client.get(f"/conversaciones/{row.uuid}/").content.decode()
    assert f'value="agent:{slot_of(colleague).uuid}"' in page
    assert f'value="agent:{slot_of(world.alice).uuid}"' not in page
    given = {"to": f"agent:{slot_of(colleague).uuid}", "note": "Tú, por favor."}
    assert client.post(f"/conversaciones/{row.uuid}/reasignar/", given).status_code == 302
    row.refresh_from_db()
    assert row.owner == colleague
    for wrong in ("", "agent:", "agent:x", f"owner:{uuid4()}"):
        answer = client.post(f"/conversaciones/{row.uuid}/reasignar/", {**given, "to": wrong})
        assert answer.status_code == 422, wrong


def test_an_offer_says_how_long_it_can_be_answered(world: World, queue: Queue) -> None:
    make_agent(world.alice, queue)
    begin(make_account(queue))
    routing.match(world.here.pk)
    client = Client()
    client.force_login(world.alice)
    page = client.get("/conversaciones/cola/").content.decode()
    offer = Offer.objects.get()
    assert 0 < offer.seconds_left <= 30
    assert 'data-controller="countdown" data-seconds="' in page
    Offer.objects.update(expires_at=timezone.now())
    offer.refresh_from_db()
    assert offer.seconds_left == 0


@pytest.mark.django_db(transaction=True)
def test_two_supervisors_who_swap_two_conversations_at_once_leave_one_truth(world: World) -> None:
    queue = make_queue(world.unit)
    people = [employee(world.here, "agent", unit=world.unit) for _ in range(2)]
    for person in people:
        make_agent(person, queue, units=3, state=Presence.BUSY)
    account = make_account(queue)
    rows = [begin(account)[0] for _ in range(2)]
    for person, row in zip(people, rows, strict=True):
        services.take(acting(person), row.uuid)
    bosses = [acting(employee(world.here, "supervisor")) for _ in range(2)]
    slots = [slot_of(person).uuid for person in people]

    def swap(number: int) -> None:
        for turn in range(6):
            target = slots[(number + turn + 1) % 2]
            try:
                services.reassign(bosses[number], rows[number].uuid, agent=target, note="Cambio")
            except Invalid:  # it is theirs already
                continue

    assert _at_once(2, swap) == []
    for slot in AgentSlot.objects.all():
        held = WorkItem.objects.filter(agent=slot, status="active")
        assert slot.used_units == held.count()
        assert set(held.values_list("conversation__owner", flat=True)) <= {slot.user_id}
