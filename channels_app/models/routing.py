"""Who gets the next conversation: work that waits, employees with room for it, and offers between them.

Counters lie in the row that is locked: PostgreSQL checks a locked row again before it is taken, which it
does not do for a count over other rows. Locks are always taken item first, then agent.
"""

from typing import TypeVar

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_app.models.account import Named, Queue
from channels_app.models.conversation import Conversation
from crm.kit.models import Base, Owned
from crm.kit.scoping import ScopedQuerySet

M = TypeVar("M", bound=models.Model)


@pghistory.track()
class PauseReason(Named, Owned):
    """Why an employee takes no work for a while, in the organisation's words."""

    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("reason for a pause")
        verbose_name_plural = _("reasons for a pause")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="pause_reason_once"),
        ]


class Presence(models.TextChoices):
    """Whether an employee takes work."""

    AVAILABLE = "available", _("Available")
    BUSY = "busy", _("Busy")  # at work, but nothing new
    PAUSED = "paused", _("Paused")  # with a reason
    OFFLINE = "offline", _("Offline")


class AgentSlot(Owned):
    """How much work an employee of an organisation takes and has now; routing locks this row."""

    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="agent_slots")
    user_id: int
    state = models.CharField(max_length=10, choices=Presence, default=Presence.OFFLINE)
    pause_reason = models.ForeignKey(
        PauseReason, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    by_system = models.BooleanField(default=False)  # an offer ran out, or nobody was heard
    since = models.DateTimeField(db_default=Now())  # of this state
    heard_at = models.DateTimeField(null=True)  # the last heartbeat of an open console
    idle_since = models.DateTimeField(db_default=Now())  # the longest idle gets the next
    used_units = models.PositiveSmallIntegerField(default=0)
    max_units = models.PositiveSmallIntegerField(_("capacity"), default=3)
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    queues = models.ManyToManyField(
        Queue, through="channels_app.QueueMember", related_name="agents"
    )

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user"], name="agent_slot_once"),
            models.CheckConstraint(
                condition=Q(used_units__lte=F("max_units")), name="agent_never_over_capacity"
            ),
            models.CheckConstraint(
                condition=Q(state=Presence.PAUSED, pause_reason__isnull=False)
                | Q(state=Presence.PAUSED, by_system=True)
                | ~Q(state=Presence.PAUSED) & Q(pause_reason=None),
                name="agent_pauses_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "idle_since"],
                condition=Q(state="available"),
                name="agent_longest_idle",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}"


class QueueMember(Base):
    """An employee serves a queue; where several wait, the lower preference is served first."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="members")
    agent = models.ForeignKey(AgentSlot, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        verbose_name = _("member of a queue")
        constraints = [
            models.UniqueConstraint(fields=["queue", "agent"], name="queue_member_once"),
        ]

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.agent} · {self.queue}"


class ThroughAgent(ScopedQuerySet[M]):
    """Rows that belong to an agent's organisation."""

    organisation_path = "agent__organisation_id"


class PresenceChange(models.Model):
    """From when an employee was in a state; append-only, what times at work are counted from."""

    id = models.BigAutoField(primary_key=True)
    agent = models.ForeignKey(AgentSlot, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=Presence)
    pause_reason = models.ForeignKey(
        PauseReason, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    by_system = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=Now())

    objects = ThroughAgent.as_manager()

    class Meta:
        verbose_name = _("change of presence")
        indexes = [models.Index(fields=["agent", "-at"], name="presence_of_agent")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.at}"


class WorkItem(Owned):
    """A conversation's stay in a queue, from joining it until the employee is done with it."""

    class Status(models.TextChoices):
        """Of the work."""

        QUEUED = "queued", _("Waiting")
        OFFERED = "offered", _("Offered")
        ACTIVE = "active", _("Being attended")
        WRAP = "wrap", _("Wrapping up")
        DONE = "done", _("Done")

    HELD = (Status.OFFERED, Status.ACTIVE, Status.WRAP)  # they count against their agent

    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="work_items", db_index=False
    )
    queue = models.ForeignKey(
        Queue, on_delete=models.PROTECT, related_name="work_items", db_index=False
    )
    queue_id: int
    agent = models.ForeignKey(
        AgentSlot, on_delete=models.PROTECT, null=True, related_name="work_items", db_index=False
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    priority = models.SmallIntegerField(default=50)
    # its age, which no offer takes away; a transfer keeps the first one's
    enqueued_at = models.DateTimeField(db_default=Now())
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    weight = models.PositiveSmallIntegerField(default=1)
    accepted_at = models.DateTimeField(null=True)
    wrap_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    abandoned = models.BooleanField(default=False)  # the citizen left before anybody came
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("piece of work")
        verbose_name_plural = _("pieces of work")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=~Q(status="done"),
                name="work_item_one_per_conversation",
            ),
            models.CheckConstraint(
                condition=Q(status="queued", agent=None)
                | Q(status__in=["offered", "active", "wrap"], agent__isnull=False)
                | Q(status="done"),
                name="work_item_held_by_an_agent",
            ),
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False)
                | ~Q(status="done") & Q(done_at=None),
                name="work_item_done_iff_dated",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "priority", "enqueued_at", "id"],
                condition=Q(status="queued"),
                name="work_item_next",
            ),
            models.Index(
                fields=["queue", "enqueued_at"],
                condition=~Q(status="done"),
                name="work_item_of_queue",
            ),
            models.Index(fields=["agent"], condition=~Q(status="done"), name="work_item_of_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class Offer(Base):
    """A piece of work rings at an employee: one at a time, until it is answered or runs out."""

    class Outcome(models.TextChoices):
        """How it ended; none while it rings."""

        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        EXPIRED = "expired", _("Not answered")
        WITHDRAWN = "withdrawn", _("Withdrawn")  # the citizen left, or the employee did

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="offers")
    agent = models.ForeignKey(AgentSlot, on_delete=models.PROTECT, related_name="offers")
    agent_id: int
    offered_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, null=True)  # noqa: DJ001 - NULL: it rings
    ended_at = models.DateTimeField(null=True)
    why = models.JSONField(default=dict)  # how the choice fell on this employee

    objects = ThroughAgent.as_manager()

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(outcome=None), name="offer_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(outcome=None, ended_at=None)
                | Q(outcome__isnull=False, ended_at__isnull=False),
                name="offer_ended_iff_dated",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(outcome=None), name="offer_running_out"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome or 'open'} {self.pk}"

    @property
    def seconds_left(self) -> int:
        """In which it can still be answered."""
        return max(0, round((self.expires_at - timezone.now()).total_seconds()))
