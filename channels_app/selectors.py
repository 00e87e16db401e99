"""Reading conversations for the desk, the wallboard and the visitor, in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Case
from cases.models.case import CaseQuerySet
from channels_app.models import (
    AccountKind,
    AgentSlot,
    Author,
    ChannelAccount,
    Conversation,
    ConversationEvent,
    Direction,
    Message,
    Offer,
    Presence,
    Queue,
    QueueMember,
    State,
    WorkItem,
)
from channels_app.permissions import ATTEND, SUPERVISE, VIEW_CONVERSATION
from channels_app.wording import ICONS, sentence
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_PROTECTED
from crm.citizens.selectors import protected_names
from crm.kit.actor import Actor
from crm.kit.policy import Decision, decide, require

SHOWN = 50


def chat_address(code: str) -> str:
    """Where citizens chat with an organisation on a page of its own; empty when it has no web chat."""
    account = (
        ChannelAccount.objects.unscoped("a widget is for anybody")
        .filter(kind=AccountKind.WEB_CHAT, is_active=True)
        .filter(organisation__code=code, organisation__is_active=True)
        .order_by("pk")
        .first()
    )
    return reverse("channels_app:widget", args=[account.public_key]) if account else ""


# --- Live streams --------------------------------------------------------------------------------


def may_follow_conversation(actor: Actor, key: str) -> Decision:
    """Those of the conversation's unit, and its owner."""
    try:
        uuid = UUID(key)
    except ValueError:
        return Decision(False, _("There is no such conversation."))
    exists = Conversation.objects.for_actor(actor).filter(uuid=uuid).exists()
    return Decision(exists, "" if exists else _("There is no such conversation."))


def may_follow_desk(actor: Actor, key: str) -> Decision:
    """One's own desk alone."""
    mine = key == f"{actor.organisation_id}.{actor.user_id}" and actor.user_id is not None
    if not mine:
        return Decision(False, _("It is somebody else's desk."))
    return decide(actor, ATTEND)


def is_mail(actor: Actor, conversation: UUID) -> bool:
    """Whether it is a thread of e-mail."""
    rows = Conversation.objects.for_actor(actor).filter(account__kind=AccountKind.EMAIL)
    return rows.filter(uuid=conversation).exists()


# --- The desk ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A conversation in a list of the desk."""

    conversation: Conversation
    name: str
    last: str
    unread: int
    since: datetime | None  # from when the citizen waits for a word; None: it is their turn
    current: bool = False


@dataclass(frozen=True)
class Ring:
    """A conversation that is offered to an employee."""

    offer: Offer
    name: str


@dataclass(frozen=True)
class Desk:
    """What stands at the left of an employee's desk."""

    slot: AgentSlot
    offers: Sequence[Ring]
    mine: Sequence[Line]
    waiting: Sequence[Line]

    @property
    def room(self) -> int:
        """How many more conversations the employee has room for."""
        return max(0, self.slot.max_units - self.slot.used_units)


def desk(actor: Actor, slot: AgentSlot, current: UUID | None = None) -> Desk:
    """The employee's offers and conversations, and the queues that they serve."""
    offers = (
        Offer.objects.for_actor(actor)
        .filter(agent=slot, outcome=None)
        .select_related("item__queue", "item__conversation__account", "item__conversation__reason")
        .order_by("expires_at")
    )
    mine = Conversation.objects.for_actor(actor).filter(owner=actor.user_id, closed_at=None)
    waiting = Conversation.objects.for_actor(actor).filter(
        state=State.WAITING, queue__in=slot.queues.all()
    )
    item = WorkItem.objects.unscoped("of rows that exist for the actor").filter(
        conversation=OuterRef("pk"), status=WorkItem.Status.QUEUED
    )
    oldest_first = waiting.filter(Exists(item)).order_by(
        Subquery(item.values("enqueued_at")[:1]), "pk"
    )
    return Desk(
        slot,
        _rings(actor, list(offers)),
        _lines(actor, mine.order_by("-last_message_at", "-pk")[:SHOWN], current),
        _lines(actor, oldest_first[:SHOWN], current),
    )


def _rings(actor: Actor, offers: Sequence[Offer]) -> list[Ring]:
    """The offers with who writes: of the protected, whom a colleague has confirmed, the initials."""
    talks = [offer.item.conversation for offer in offers]
    people = {talk.citizen_id for talk in talks if talk.citizen_id}
    hidden = protected_names(actor, people) if people else {}
    return [
        Ring(offer, hidden.get(talk.citizen_id or 0) or talk.contact_name or talk.account.name)
        for offer, talk in zip(offers, talks, strict=True)
    ]


def _lines(actor: Actor, rows: Any, current: UUID | None = None) -> list[Line]:
    said = Message.objects.unscoped("of rows that exist for the actor").filter(
        conversation=OuterRef("pk")
    )
    outside = said.exclude(direction=Direction.INTERNAL).order_by("-number")
    found = list(
        rows.select_related("account", "queue", "reason", "citizen", "owner").annotate(
            last_body=Subquery(outside.values("body")[:1]),
            last_direction=Subquery(outside.values("direction")[:1]),
            unread=Subquery(
                said.filter(direction=Direction.IN, number__gt=OuterRef("read_number"))
                .order_by()
                .values("conversation")
                .annotate(n=Count("pk"))
                .values("n")
            ),
        )
    )
    names = _names(actor, found)
    return [
        Line(
            row,
            names.get(row.citizen_id or 0, "") or row.contact_name or _("Without a name"),
            row.last_body or "",
            row.unread or 0,
            row.last_inbound_at if row.last_direction == Direction.IN else None,
            row.uuid == current,
        )
        for row in found
    ]


def _names(actor: Actor, rows: Sequence[Conversation]) -> dict[int, str]:
    """How the citizens of these conversations may be named: the protected by initials."""
    wanted = {row.citizen_id for row in rows if row.citizen_id}
    if not wanted:
        return {}
    records = CitizenRecord.objects.for_actor(actor).filter(citizen__in=wanted)
    return {record.citizen_id: record.shown_name for record in records.select_related("citizen")}


@dataclass(frozen=True)
class Part:
    """One thing of a conversation in its order: something said, or something that became true."""

    at: datetime
    message: Message | None = None
    event: ConversationEvent | None = None
    icon: str = ""
    sentence: str = ""


def thread(actor: Actor, conversation: Conversation) -> list[Part]:
    """Everything said and done in the conversation, in order; of the protected by initials."""
    hidden = protected_name(actor, conversation)
    said = list(
        Message.objects.for_actor(actor)
        .filter(conversation=conversation)
        .select_related("conversation")
        .prefetch_related("attachments")
        .order_by("number")
    )
    events = list(
        ConversationEvent.objects.for_actor(actor).filter(conversation=conversation).order_by("id")
    )
    _number_no_unseen_case(actor, events)
    if hidden:
        for message in said:
            if message.author_kind == Author.CITIZEN:
                message.author_name = hidden
        for event in events:
            if event.actor_name == conversation.contact_name[:200]:
                event.actor_name = hidden
    parts = [((message.number, 0, 0), Part(message.at, message)) for message in said]
    parts += [
        (
            (event.after_number, 1, event.pk),
            Part(event.at, None, event, ICONS.get(event.kind, ""), sentence(event)),
        )
        for event in events
    ]
    return [part for _key, part in sorted(parts, key=lambda pair: pair[0])]


def _number_no_unseen_case(actor: Actor, events: Sequence[ConversationEvent]) -> None:
    """Of a case that does not exist for the actor, not even the number is told."""
    told = [event for event in events if "case" in event.data]
    if told:
        numbers = {event.data["case"] for event in told}
        rows = Case.objects.for_actor(actor).filter(reference__in=numbers)
        seen = set(rows.values_list("reference", flat=True))
        for event in told:
            if event.data["case"] not in seen:
                event.data = {**event.data, "case": "…"}


def conversation(actor: Actor, uuid: UUID) -> Conversation:
    """One that exists for the actor, or NotFound."""
    rows = Conversation.objects.for_actor(actor)
    return rows.select_related(
        "account", "organisation", "queue", "owner", "citizen", "reason", "wrap_up_code"
    ).get_or_refuse(uuid=uuid)


def name_of(actor: Actor, conversation: Conversation) -> str:
    """Who writes, as it may be shown: of a confirmed citizen the name, else what they said."""
    known = _names(actor, [conversation]).get(conversation.citizen_id or 0, "")
    return known or conversation.contact_name or _("Without a name")


def protected_name(actor: Actor, conversation: Conversation) -> str:
    """The initials of who writes if their record is protected here; empty for everybody else."""
    if conversation.citizen_id is None:
        return ""
    people = protected_names(actor, [conversation.citizen_id])
    return people.get(conversation.citizen_id, "")


def address_of(actor: Actor, conversation: Conversation) -> str:
    """The mailbox that is written to; of the protected only for who may open their record."""
    if protected_name(actor, conversation) and not actor.holds(VIEW_PROTECTED):
        return "…"
    return conversation.contact_address


def cases_of(actor: Actor, conversation: Conversation) -> CaseQuerySet:
    """The cases of the conversation that the actor may see."""
    return Case.objects.for_actor(actor).filter(conversation_links__conversation=conversation)


def candidates(actor: Actor, conversation: Conversation) -> list[CitizenRecord]:
    """Citizens who have the mailbox that the contact gave: proposed, never assumed."""
    address = conversation.contact_address.lower()
    if not address or conversation.citizen_id:
        return []
    rows = CitizenRecord.objects.for_actor(actor).filter(
        citizen__contact_points__address_key=address,
        citizen__contact_points__organisation=actor.organisation_id,
        citizen__contact_points__ended_at=None,
    )
    return list(rows.select_related("citizen").distinct().order_by("pk")[:5])


def queues(actor: Actor) -> list[Queue]:
    """The organisation's queues in use where somebody attends: elsewhere a chat would wait in vain."""
    served = Exists(QueueMember.objects.unscoped("of the row").filter(queue=OuterRef("pk")))
    rows = Queue.objects.for_actor(actor).filter(served, is_active=True)
    return list(rows.order_by("priority", "code"))


def with_room(actor: Actor) -> list[AgentSlot]:
    """Who is at work in the organisation and could attend one more."""
    rows = AgentSlot.objects.for_actor(actor).filter(used_units__lt=F("max_units"))
    at_work = rows.exclude(state=Presence.OFFLINE).select_related("user")
    return list(at_work.order_by("user__full_name", "pk"))


def may_reassign(actor: Actor, conversation: Conversation) -> Decision:
    """Whether the actor may give a conversation that waits or is attended to somebody else."""
    if conversation.state not in (State.WAITING, State.ACTIVE):
        return Decision(False, _("Nobody waits or is attended in it."))
    return decide(actor, SUPERVISE, conversation)


def supervised_queue(actor: Actor, uuid: UUID) -> Queue:
    """A queue that the actor supervises, or NotFound; Refused in a unit out of reach."""
    found: Queue = Queue.objects.for_actor(actor).select_related("unit").get_or_refuse(uuid=uuid)
    require(actor, SUPERVISE, found)
    return found


def of_queue(actor: Actor, queue: Queue) -> list[Line]:
    """The queue's conversations that wait or are attended, the longest waiting first."""
    rows = Conversation.objects.for_actor(actor).filter(
        queue=queue, state__in=[State.WAITING, State.ACTIVE, State.WRAP_UP]
    )
    return _lines(actor, rows.order_by("-state", "opened_at", "pk")[:200])


# --- The wallboard -------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueueNow:
    """One queue at this moment."""

    queue: Queue
    waiting: int
    oldest: datetime | None
    attended: int
    answered_today: int
    within_today: int
    abandoned_today: int
    agents: int

    @property
    def share(self) -> int | None:
        """Of today's conversations, how many in a hundred were answered within the target."""
        ended = self.answered_today + self.abandoned_today
        return round(100 * self.within_today / ended) if ended else None

    @property
    def late(self) -> bool:
        """Whether somebody has waited for longer than the queue promises."""
        if self.oldest is None:
            return False
        return (timezone.now() - self.oldest).total_seconds() > self.queue.target_seconds


def wallboard(actor: Actor) -> tuple[list[QueueNow], list[AgentSlot]]:
    """The queues of the units that the actor supervises, and who serves them, as of now."""
    reach = actor.reach(SUPERVISE)
    rows = Queue.objects.for_actor(actor).filter(is_active=True)
    if not reach.everywhere:
        rows = rows.filter(unit_id__in=sorted(reach.units))
    found = {queue.pk: queue for queue in rows.order_by("priority", "code")}
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    turns = [*_offered(actor, found, today), *_letters(found, today)]
    present = (
        QueueMember.objects.unscoped("of queues that exist for the actor")
        .filter(queue__in=found)
        .exclude(agent__state=Presence.OFFLINE)
        .values_list("queue")
        .annotate(n=Count("pk"))
    )
    at_work: dict[int, int] = dict(present)
    agents = (
        AgentSlot.objects.for_actor(actor)
        .filter(queues__in=found)
        .select_related("user", "pause_reason")
        .distinct()
        .order_by("state", "user__full_name")
    )
    shown = [
        _now(queue, [turn for turn in turns if turn.queue_id == pk], at_work.get(pk, 0))
        for pk, queue in found.items()
    ]
    return shown, list(agents)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a queue counts: somebody who waits, is attended, or was today."""

    queue_id: int | None
    since: datetime | None = None  # when they wait
    attended: bool = False
    waited: float | None = None  # seconds, when they were answered today
    abandoned: bool = False  # today


def _offered(actor: Actor, queues: Iterable[int], today: datetime) -> list[_Turn]:
    """Conversations that are offered to who is free."""
    waits = (WorkItem.Status.QUEUED, WorkItem.Status.OFFERED)
    attended = (WorkItem.Status.ACTIVE, WorkItem.Status.WRAP)
    items = (
        WorkItem.objects.for_actor(actor)
        .filter(queue__in=queues)
        .filter(~Q(status=WorkItem.Status.DONE) | Q(enqueued_at__gte=today))
        .only("queue_id", "status", "enqueued_at", "accepted_at", "abandoned")
    )
    return [
        _Turn(
            item.queue_id,
            since=item.enqueued_at if item.status in waits else None,
            attended=item.status in attended,
            waited=_seconds(item.enqueued_at, item.accepted_at)
            if item.enqueued_at >= today
            else None,
            abandoned=item.abandoned and item.enqueued_at >= today,
        )
        for item in items
    ]


def _letters(queues: Iterable[int], today: datetime) -> list[_Turn]:
    """E-mails, which nobody is offered: they wait until somebody takes or answers them."""
    rows = (
        Conversation.objects.unscoped("counted in queues that exist for the actor")
        .filter(queue__in=queues, thread_token__isnull=False)
        .filter(~Q(state=State.CLOSED) | Q(answered_at__gte=today))
        .only("queue_id", "state", "opened_at", "last_inbound_at", "answered_at")
    )
    return [
        _Turn(
            row.queue_id,
            since=(row.last_inbound_at or row.opened_at) if row.state == State.WAITING else None,
            attended=row.state in (State.ACTIVE, State.WRAP_UP),
            waited=_seconds(row.opened_at, row.answered_at)
            if row.answered_at and row.answered_at >= today
            else None,
        )
        for row in rows
    ]


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return (until - since).total_seconds() if until else None


def _now(queue: Queue, turns: Sequence[_Turn], agents: int) -> QueueNow:
    """A queue's figures, counted from its open work and today's."""
    waiting = [turn.since for turn in turns if turn.since]
    waited = [turn.waited for turn in turns if turn.waited is not None]
    return QueueNow(
        queue,
        waiting=len(waiting),
        oldest=min(waiting, default=None),
        attended=sum(turn.attended for turn in turns),
        answered_today=len(waited),
        within_today=sum(seconds <= queue.target_seconds for seconds in waited),
        abandoned_today=sum(turn.abandoned for turn in turns),
        agents=agents,
    )


def of_citizen(actor: Actor, citizen: Citizen) -> Any:
    """A citizen's conversations that exist for the actor."""
    if not actor.holds(VIEW_CONVERSATION):
        return Conversation.objects.for_actor(actor).none()
    return Conversation.objects.for_actor(actor).filter(citizen=citizen)
