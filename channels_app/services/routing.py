"""Who gets the next conversation. Every claim is one short transaction in SQL (channels.md section 3).

Within an organisation choices are made one after another, under a lock that waits: otherwise two workers
would skip each other's rows and the longest idle employee, or the oldest work, would be passed over.
Counters lie in the locked rows, so that no two claims together exceed anybody's capacity.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.models import (
    AgentSlot,
    Conversation,
    EventKind,
    Offer,
    Presence,
    Queue,
    State,
    WorkItem,
)
from channels_app.permissions import ATTEND
from channels_app.services.slots import HEARD_FOR, at_work, not_ready, slot_of
from channels_app.services.writing import desk_of, fetch, listeners, lock, move, note_event, tell
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, NotFound
from crm.kit.policy import require

log = logging.getLogger(__name__)

LOCK = 0x0C_4A_11  # the first half of the advisory lock; the organisation is the second
AT_ONCE = 200  # offers of one run: what is left the sweeper takes up
# who may have a piece of work `i` now: the same words for finding the work and for finding the person
_MAY_HAVE = """
FROM channels_app_agentslot a
WHERE a.organisation_id = i.organisation_id AND a.state = 'available'
  AND a.used_units + i.weight <= a.max_units AND a.skills @> i.skills AND a.heard_at > %(heard)s
  AND EXISTS (SELECT FROM channels_app_queuemember m
              WHERE m.agent_id = a.id AND m.queue_id = i.queue_id)
  AND NOT EXISTS (SELECT FROM channels_app_offer o WHERE o.item_id = i.id AND o.agent_id = a.id
       AND (o.outcome = 'declined' OR o.outcome = 'expired' AND o.ended_at >= a.since))
"""
# only work that somebody may have: what waits for nobody is not looked at one by one. Where nobody who
# serves a queue has room, its thousands are passed over without asking person by person.
_NEXT = f"""
SELECT i.id FROM channels_app_workitem i
WHERE i.organisation_id = %(organisation)s AND i.status = 'queued' AND i.id <> ALL(%(passed)s)
  AND i.queue_id = ANY (ARRAY(
    SELECT m.queue_id FROM channels_app_queuemember m
    JOIN channels_app_agentslot a ON a.id = m.agent_id
    WHERE a.organisation_id = %(organisation)s AND a.state = 'available'
      AND a.used_units < a.max_units AND a.heard_at > %(heard)s))
  AND EXISTS (SELECT {_MAY_HAVE})
ORDER BY i.priority, i.enqueued_at, i.id LIMIT 1 FOR NO KEY UPDATE OF i SKIP LOCKED
"""  # noqa: S608 - statements put together from our own words, values apart
_OF_ITEM = _MAY_HAVE.replace("FROM channels_app_agentslot a", "FROM channels_app_agentslot a, i", 1)
_CANDIDATES = f"""
WITH i AS (SELECT * FROM channels_app_workitem WHERE id = %(item)s)
SELECT a.id {_OF_ITEM} ORDER BY a.idle_since, a.id LIMIT 8
"""  # noqa: S608 - likewise
# PostgreSQL looks at a locked row again as it is now: who has meanwhile no room is not taken
_CLAIM = f"""
WITH i AS (SELECT * FROM channels_app_workitem WHERE id = %(item)s)
SELECT a.id {_OF_ITEM} AND a.id = %(agent)s FOR NO KEY UPDATE OF a
"""  # noqa: S608 - likewise


# --- Into a queue and out of it ------------------------------------------------------------------


def enqueue(
    conversation: Conversation,
    queue: Queue,
    *,
    since: datetime | None = None,
    not_to: AgentSlot | None = None,
) -> WorkItem:
    """The waiting conversation is work in the queue, as old as `since`; it is offered after commit."""
    at = timezone.now()
    item = WorkItem.objects.create(
        organisation_id=conversation.organisation_id,
        conversation=conversation,
        queue=queue,
        priority=queue.priority,
        enqueued_at=since or at,
    )
    if not_to is not None:
        Offer.objects.create(
            item=item,
            agent=not_to,
            offered_at=at,
            expires_at=at,
            outcome=Offer.Outcome.DECLINED,
            ended_at=at,
            why={"gave_away": True},
        )
    match_soon(conversation.organisation_id)
    return item


def open_item(conversation: Conversation) -> WorkItem | None:
    """The conversation's unfinished work, locked."""
    return (
        WorkItem.objects.unscoped("of a conversation that is locked")
        .filter(conversation=conversation)
        .exclude(status=WorkItem.Status.DONE)
        .select_for_update(of=("self",), no_key=True)
        .select_related("agent", "queue")
        .first()
    )


def wrap(conversation: Conversation) -> None:
    """The conversation's work has come to its wrap-up; work that nobody has yet is abandoned."""
    item = open_item(conversation)
    if item is None:
        return
    if item.status == WorkItem.Status.ACTIVE:
        item.status, item.wrap_at = WorkItem.Status.WRAP, timezone.now()
        _save(item, "status", "wrap_at")
    else:
        item.abandoned = True
        finish(item)


def finish(item: WorkItem) -> None:
    """The locked work is done, and whoever had it has room again."""
    at, agent_id, weight = timezone.now(), item.agent_id, item.weight
    if item.status == WorkItem.Status.OFFERED:
        _end_offer(item, Offer.Outcome.WITHDRAWN)
    held = item.status in WorkItem.HELD
    item.status, item.done_at = WorkItem.Status.DONE, at
    _save(item, "status", "done_at", "abandoned")
    if held and agent_id is not None:
        _free(agent_id, weight, idle_since=at)
    match_soon(item.organisation_id)


# --- Offers --------------------------------------------------------------------------------------


def match_soon(organisation_id: int) -> None:
    """After commit, waiting work is offered to whoever has room. Lost, the sweeper makes up for it."""

    def run() -> None:
        match(organisation_id)

    transaction.on_commit(run, robust=True)


def match(organisation_id: int) -> int:
    """Waiting work is offered, the most urgent and oldest first, to the longest idle who may have it;
    how many offers were made."""
    made, passed = 0, [0]
    while made < AT_ONCE:
        with transaction.atomic():
            item_id, offered = _offer_next(organisation_id, passed)
        if item_id is None:
            break
        made += offered
        if not offered:
            passed.append(item_id)
    return made


def _offer_next(organisation_id: int, passed: list[int]) -> tuple[int | None, bool]:
    item = _lock_next(organisation_id, passed)
    if item is None:
        return None, False
    agent = _claim_agent(item)
    if agent is None:  # whoever had room has none any more
        return item.pk, False
    at = timezone.now()
    expires = at + timedelta(seconds=item.queue.offer_seconds)
    idle = round((at - agent.idle_since).total_seconds())
    offer = Offer.objects.create(
        item=item, agent=agent, offered_at=at, expires_at=expires, why={"idle_seconds": idle}
    )
    item.status, item.agent = WorkItem.Status.OFFERED, agent
    _save(item, "status", "agent")
    AgentSlot.objects.unscoped("locked").filter(pk=agent.pk).update(
        used_units=F("used_units") + item.weight, version=F("version") + 1
    )
    patch = {"kind": "offer", "offer": str(offer.uuid)}
    tell(patch, [desk_of(agent.organisation_id, agent.user_id), item.conversation.stream])
    return item.pk, True


def _lock_next(organisation_id: int, passed: list[int]) -> WorkItem | None:
    """The first waiting work that somebody may have, locked."""
    asked: dict[str, Any] = {
        "organisation": organisation_id,
        "passed": passed,
        "heard": timezone.now() - HEARD_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, organisation_id])
        cursor.execute(_NEXT, asked)
        row = cursor.fetchone()
    if row is None:
        return None
    rows = WorkItem.objects.unscoped("locked just now").select_related("queue", "conversation")
    return rows.get(pk=row[0])


def _claim_agent(item: WorkItem) -> AgentSlot | None:
    """The longest idle employee who may have the work, locked."""
    asked: dict[str, Any] = {"heard": timezone.now() - HEARD_FOR, "item": item.pk}
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, asked)
        for (pk,) in cursor.fetchall():
            cursor.execute(_CLAIM, {**asked, "agent": pk})
            if cursor.fetchone():
                return AgentSlot.objects.unscoped("locked just now").get(pk=pk)
    return None


def accept(actor: Actor, offer: UUID) -> Conversation:
    """The offered conversation is the actor's; Conflict when the offer no longer stands."""
    with transaction.atomic():
        found = _own_offer(actor, offer)
        conversation, item = _locked(found)
        _require_ringing(item, found)
        _end_offer(item, Offer.Outcome.ACCEPTED)
        _begin(actor, conversation, item)
    return conversation


def decline(actor: Actor, offer: UUID) -> None:
    """The offered conversation waits on with its age, and is not offered to the actor again."""
    with transaction.atomic():
        found = _own_offer(actor, offer)
        _conversation, item = _locked(found)
        _require_ringing(item, found)
        _give_back(item, Offer.Outcome.DECLINED)
        tell({"kind": "offer_ended"}, [desk_of(item.organisation_id, found.agent.user_id)])


def take(actor: Actor, conversation: UUID) -> Conversation:
    """The waiting conversation is the actor's, who chose it; Conflict when it rings at somebody else."""
    with transaction.atomic():
        row = fetch(actor, conversation)
        slot = slot_of(actor)
        item = open_item(row)
        if item is None or item.status != WorkItem.Status.QUEUED:
            raise Conflict("taken_already", _("Somebody else has just got this conversation."))
        if slot.state == Presence.OFFLINE:
            raise Conflict("offline", _("Say first that you are at work: you are offline."))
        taken = AgentSlot.objects.for_actor(actor).filter(
            pk=slot.pk, used_units__lte=F("max_units") - item.weight, queues=item.queue
        )
        if (
            taken.exclude(state=Presence.OFFLINE).update(used_units=F("used_units") + item.weight)
            == 0
        ):
            raise Conflict(
                "no_room",
                _("You have as many conversations as you can, or do not serve its queue."),
            )
        item.agent = slot
        _begin(actor, row, item)
    return row


def give(item: WorkItem, agent: AgentSlot) -> None:
    """The locked work is the chosen employee's, and whoever had it has room; Conflict when the chosen
    one is not at work or has no room."""
    at, before = timezone.now(), item.agent_id
    pair = AgentSlot.objects.unscoped("whose work is locked").filter(pk__in=[agent.pk, before or 0])
    list(pair.order_by("pk").select_for_update(no_key=True))  # in one order, as others may cross
    chosen = pair.filter(pk=agent.pk, used_units__lte=F("max_units") - item.weight)
    if not chosen.exclude(state=Presence.OFFLINE).update(
        used_units=F("used_units") + item.weight, version=F("version") + 1, idle_since=at
    ):
        raise Conflict("no_room", _("They are not at work, or have no room for one more."))
    if item.status == WorkItem.Status.OFFERED:
        _end_offer(item, Offer.Outcome.WITHDRAWN)
    if before is not None:
        _free(before, item.weight, idle_since=at)
    item.status, item.agent = WorkItem.Status.ACTIVE, agent
    item.accepted_at = item.accepted_at or at
    _save(item, "status", "agent", "accepted_at")
    match_soon(item.organisation_id)


def _begin(actor: Actor, conversation: Conversation, item: WorkItem) -> None:
    """The locked work and its conversation are the agent's, from now on."""
    at = timezone.now()
    item.status, item.accepted_at = WorkItem.Status.ACTIVE, at
    _save(item, "status", "accepted_at", "agent")
    assert item.agent is not None
    AgentSlot.objects.unscoped("locked with its work").filter(pk=item.agent.pk).update(
        idle_since=at, version=F("version") + 1
    )
    move(
        conversation,
        State.ACTIVE,
        owner_id=item.agent.user_id,
        accepted_at=conversation.accepted_at or at,
    )
    note_event(actor, conversation, EventKind.ACCEPTED, to=actor.name)
    record(actor, ATTEND, conversation, act="accepted")
    tell({"kind": "accepted", "by": actor.name}, listeners(conversation))


def _own_offer(actor: Actor, offer: UUID) -> Offer:
    require(actor, ATTEND)
    rows = Offer.objects.for_actor(actor).select_related("item__conversation", "agent")
    found = rows.filter(uuid=offer, agent__user=actor.user_id).first()
    if found is None:
        raise NotFound
    return found


def _locked(offer: Offer) -> tuple[Conversation, WorkItem]:
    conversation = lock(offer.item.conversation)
    item = (
        WorkItem.objects.unscoped("of an offer to the actor")
        .select_for_update(of=("self",), no_key=True)
        .select_related("agent", "queue")
        .get(pk=offer.item_id)
    )
    return conversation, item


def _require_ringing(item: WorkItem, offer: Offer) -> None:
    """Conflict unless this very offer is open, asked with its work locked."""
    open_now = Offer.objects.unscoped("of locked work").filter(pk=offer.pk, outcome=None)
    if item.status != WorkItem.Status.OFFERED or not open_now.exists():
        raise Conflict(
            "offer_over", _("This offer is over: the conversation went on to somebody else.")
        )


# --- Inside ---------------------------------------------------------------------------------------


def _give_back(item: WorkItem, outcome: str) -> None:
    """The locked, offered work waits again; its agent has room and it keeps its age."""
    assert item.agent_id is not None
    agent_id = item.agent_id
    _end_offer(item, outcome)
    item.status, item.agent = WorkItem.Status.QUEUED, None
    _save(item, "status", "agent")
    _free(agent_id, item.weight)
    match_soon(item.organisation_id)


def _end_offer(item: WorkItem, outcome: str) -> None:
    Offer.objects.unscoped("of locked work").filter(item=item, outcome=None).update(
        outcome=outcome, ended_at=timezone.now()
    )


def _free(agent_id: int, weight: int, idle_since: datetime | None = None) -> None:
    changes: dict[str, Any] = {"used_units": F("used_units") - weight, "version": F("version") + 1}
    if idle_since is not None:
        changes["idle_since"] = idle_since
    AgentSlot.objects.unscoped("whose work is locked").filter(pk=agent_id).update(**changes)


def _save(item: WorkItem, *columns: str) -> None:
    item.version += 1
    item.save(update_fields=[*columns, "version", "updated_at"])


# --- The sweeper ---------------------------------------------------------------------------------


def withdraw_offers(slot: AgentSlot) -> int:
    """What rings at somebody who takes no work any more waits again; how many there were."""
    ringing = Offer.objects.unscoped("of one agent").filter(agent=slot, outcome=None)
    return sum(_return(offer, Offer.Outcome.WITHDRAWN) for offer in ringing.select_related("item"))


def expire_offers() -> int:
    """Offers that nobody answered in time are over: the work waits on, and who let it ring is not
    ready any more."""
    late = Offer.objects.unscoped("the sweeper serves everyone").filter(
        outcome=None, expires_at__lte=timezone.now()
    )
    return sum(
        _return(offer, Offer.Outcome.EXPIRED)
        for offer in late.select_related("item").order_by("expires_at")[:AT_ONCE]
    )


@transaction.atomic
def _return(offer: Offer, outcome: str) -> bool:
    item = (
        WorkItem.objects.unscoped("the sweeper serves everyone")
        .select_for_update(of=("self",), no_key=True)
        .select_related("agent")
        .get(pk=offer.item_id)
    )
    open_now = Offer.objects.unscoped("of locked work").filter(pk=offer.pk, outcome=None)
    if item.agent is None or not open_now.exists():  # answered meanwhile
        return False
    agent = item.agent
    _give_back(item, outcome)
    if outcome == Offer.Outcome.EXPIRED:
        not_ready(agent)
    tell({"kind": "offer_ended"}, [desk_of(agent.organisation_id, agent.user_id)])
    return True


def end_wrap_ups() -> int:
    """Wrap-ups that took longer than their queue gives are over, without a code; how many."""
    at, ended = timezone.now(), 0
    wrapping = WorkItem.objects.unscoped("the sweeper serves everyone").filter(
        status=WorkItem.Status.WRAP
    )
    for item in wrapping.select_related("conversation__organisation", "queue"):
        assert item.wrap_at is not None
        if item.wrap_at + timedelta(seconds=item.queue.wrap_up_seconds) > at:
            continue
        with transaction.atomic():
            conversation = lock(item.conversation)
            current = open_item(conversation)
            if conversation.state != State.WRAP_UP or current is None:
                continue
            finish(current)
            move(conversation, State.CLOSED)
            actor = system_actor(conversation.organisation, Origin(Door.TASK))
            note_event(actor, conversation, EventKind.CLOSED, timed_out=True)
            tell({"kind": "closed"}, listeners(conversation, visitor=False))
            ended += 1
    return ended


def take_from_the_gone() -> int:
    """What somebody attended who works here no longer waits again with its age; how many."""
    left = (
        WorkItem.objects.unscoped("the sweeper serves everyone")
        .filter(status=WorkItem.Status.ACTIVE)
        .annotate(here=at_work("agent__"))
        .filter(here=False)
        .select_related("conversation__organisation", "queue")[:AT_ONCE]
    )
    taken = 0
    for item in left:
        with transaction.atomic():
            conversation = lock(item.conversation)
            current = open_item(conversation)
            if conversation.state != State.ACTIVE or current is None:
                continue
            finish(current)
            move(conversation, State.WAITING, owner_id=None)
            enqueue(conversation, item.queue, since=item.enqueued_at)
            actor = system_actor(conversation.organisation, Origin(Door.TASK))
            note_event(actor, conversation, EventKind.QUEUED)
            tell({"kind": "queued", realtime.JUDGE: True}, listeners(conversation))
            taken += 1
    return taken


def match_all() -> int:
    """Wherever work waits, it is offered: for notifications that were lost; how many offers."""
    waiting = WorkItem.objects.unscoped("the sweeper serves everyone").filter(
        status=WorkItem.Status.QUEUED
    )
    places = (
        waiting.order_by("organisation_id").values_list("organisation_id", flat=True).distinct()
    )
    return sum(match(organisation_id) for organisation_id in places)
