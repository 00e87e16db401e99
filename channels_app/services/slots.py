"""An employee's place at the desk: the row that routing locks and counts in."""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from channels_app.models import AgentSlot, PauseReason, Presence, PresenceChange
from channels_app.permissions import ATTEND
from channels_app.services.writing import desk_of, tell
from crm.accounts.models import Membership, User
from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.kit.policy import require

# a page in the background is let run once a minute by browsers; a closed one not at all
HEARD_FOR = timedelta(seconds=75)
BEAT_SECONDS = 20


def slot_of(actor: Actor) -> AgentSlot:
    """The actor's place at the desk; whoever may attend has one from the first time on."""
    require(actor, ATTEND)
    if actor.user_id is None:  # a machine attends nobody
        raise NotFound
    slot, _made = AgentSlot.objects.for_actor(actor).get_or_create(
        user_id=actor.user_id, defaults={"organisation_id": actor.organisation_id}
    )
    return slot


def at_work(slot: str = "") -> Exists:
    """Whether the slot's user (of the row that `slot` leads to) may act in its organisation now."""
    return Exists(
        Membership.objects.unscoped("whether somebody still works here")
        .in_force()
        .filter(
            user=OuterRef(f"{slot}user"),
            organisation=OuterRef(f"{slot}organisation"),
            user__state=User.State.ACTIVE,
        )
    )


def not_ready(slot: AgentSlot) -> None:
    """Who let an offer ring takes no more work until they say so themselves."""
    found = locked(slot)
    if found.state == Presence.AVAILABLE:
        become(found, Presence.PAUSED, None, by_system=True, quietly=True)


def locked(slot: AgentSlot) -> AgentSlot:
    """The slot as it is now, locked until the transaction ends."""
    return (
        AgentSlot.objects.unscoped("its row, locked")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=slot.pk)
    )


def become(
    slot: AgentSlot,
    state: str,
    pause: PauseReason | None,
    *,
    by_system: bool = False,
    quietly: bool = False,
) -> None:
    """The locked slot is in the state, since now if it was in another one."""
    at = timezone.now()
    if (slot.state, slot.pause_reason_id) != (state, pause.pk if pause else None):
        slot.since = at
        PresenceChange.objects.create(
            agent=slot, state=state, pause_reason=pause, by_system=by_system, at=at
        )
        if state == Presence.AVAILABLE and slot.state == Presence.OFFLINE:
            slot.idle_since = at
    slot.state, slot.pause_reason, slot.by_system = state, pause, by_system
    slot.version += 1
    slot.save(
        update_fields=[
            *("state", "pause_reason", "by_system", "since", "idle_since", "heard_at"),
            *("version", "updated_at"),
        ]
    )
    if not quietly:
        tell({"kind": "presence"}, [desk_of(slot.organisation_id, slot.user_id)])
