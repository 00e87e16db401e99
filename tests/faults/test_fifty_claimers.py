"""Fifty employees at once reach for two thousand waiting conversations, on real rows and connections."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from channels_app import services
from channels_app.models import AgentSlot, Conversation, Offer, Presence, Queue, State, WorkItem
from channels_app.services import routing
from crm.accounts.models import User
from crm.kit import realtime
from crm.kit.errors import Conflict
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.channels_app import make_account, make_agent, make_queue
from tests.security.test_races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CLAIMERS, WAITING, ROOM, ROUNDS = 50, 2_000, 1, 2


def _wait(queue: Queue, count: int) -> None:
    """So many wait, one second apart."""
    account, now = make_account(queue), timezone.now()
    rows = Conversation.objects.bulk_create(
        Conversation(
            organisation=queue.organisation,
            account=account,
            unit=queue.unit,
            queue=queue,
            state=State.WAITING,
            contact_name=f"Visitante {number}",
        )
        for number in range(count)
    )
    WorkItem.objects.bulk_create(
        WorkItem(
            organisation=queue.organisation,
            conversation=row,
            queue=queue,
            enqueued_at=now - timedelta(seconds=count - number),
        )
        for number, row in enumerate(rows)
    )


def _work(organisation_id: int, user: User, favourites: list[Conversation]) -> Counter[str]:
    """Take what everybody wants, ask for work and take what rings, and end all but the last of it."""
    actor, done = acting(user), Counter[str]()
    mine = Offer.objects.filter(agent__user=user, outcome=None)
    for number, favourite in enumerate(favourites):
        try:
            services.take(actor, favourite.uuid)
            done["taken"] += 1
        except Conflict as refused:
            done[refused.code] += 1
        routing.match(organisation_id)
        for offer in mine.values_list("uuid", flat=True):
            row = services.accept(actor, offer)
            done["accepted"] += 1
            if number < ROUNDS - 1:
                services.close(actor, row.uuid, row.queue.wrap_up_codes.get().uuid)
                done["closed"] += 1
    return done


def test_nobody_shares_nobody_is_over_and_the_oldest_are_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "announce", lambda *_told: None)  # nobody listens here
    queue = make_queue(world.unit)
    people = [employee(world.here, "agent", unit=world.unit) for _ in range(CLAIMERS)]
    for person in people:
        make_agent(person, queue, units=ROOM)
    _wait(queue, WAITING)
    favourites = list(Conversation.objects.order_by("-pk")[:ROUNDS])  # all want the same youngest
    found: list[Counter[str]] = []

    def claim(person: User) -> None:
        found.append(_work(world.here.pk, person, favourites))

    assert at_once(*(partial(claim, person) for person in people)) == {"done": CLAIMERS}

    done = sum(found, Counter())
    assert 1 <= done["taken"] <= ROUNDS
    assert done["closed"] >= CLAIMERS - ROUNDS
    assert done["accepted"] == Offer.objects.filter(outcome="accepted").count()
    # one owner each: who began it holds it, or ended it; and what they hold is what is counted
    attended = WorkItem.objects.filter(accepted_at__isnull=False)
    assert attended.count() == done["accepted"] + done["taken"]
    assert (
        not attended.filter(status="active").exclude(conversation__owner=F("agent__user")).exists()
    )
    doubled = WorkItem.objects.values("conversation").annotate(n=Count("pk")).filter(n__gt=1)
    assert not doubled.exists()
    twice = Q(offers__outcome="accepted")
    begun = attended.annotate(n=Count("offers", filter=twice)).filter(n__gt=1)
    assert not begun.exists()
    for slot in AgentSlot.objects.annotate(
        held=Count("work_items", filter=Q(work_items__status__in=WorkItem.HELD))
    ):
        assert slot.used_units == slot.held <= ROOM
    # nobody starves: everybody had work, and no offered one is younger than one that still waits
    assert set(attended.values_list("agent", flat=True)) == set(
        AgentSlot.objects.values_list("pk", flat=True)
    )
    offered = WorkItem.objects.filter(offers__isnull=False).aggregate(last=Max("enqueued_at"))
    left = WorkItem.objects.filter(status="queued").aggregate(first=Min("enqueued_at"))
    assert offered["last"] < left["first"]
    # and room that is left is room that work is found for
    routing.match(world.here.pk)
    assert not AgentSlot.objects.filter(state=Presence.AVAILABLE, used_units__lt=ROOM).exists()
