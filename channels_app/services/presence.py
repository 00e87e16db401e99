"""Whether employees take work: what they say, what their console's heartbeat says, what routing saw."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.models import AgentSlot, PauseReason, Presence
from channels_app.permissions import ATTEND
from channels_app.services import routing
from channels_app.services.slots import HEARD_FOR, at_work, become, locked, slot_of
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid


def set_presence(actor: Actor, state: str, *, reason: UUID | None = None) -> AgentSlot:
    """The actor is available, busy, paused for a reason, or offline; what rings at them is withdrawn
    when they take no more work."""
    slot = slot_of(actor)
    if state not in Presence.values:
        raise Invalid(errors={"state": [_("Choose one of the offered values.")]})
    pause = _pause(actor, state, reason)
    with transaction.atomic():
        slot = locked(slot)
        slot.heard_at = timezone.now() if state != Presence.OFFLINE else slot.heard_at
        become(slot, state, pause)
        record(actor, ATTEND, slot, state=state, reason=pause.code if pause else "")
        if state == Presence.AVAILABLE:
            routing.match_soon(slot.organisation_id)
    if state != Presence.AVAILABLE:  # in its own transaction: work is locked before agents
        routing.withdraw_offers(slot)
    return slot


def beat(actor: Actor) -> AgentSlot:
    """The actor's desk is open somewhere."""
    slot = slot_of(actor)
    AgentSlot.objects.for_actor(actor).filter(pk=slot.pk).update(heard_at=timezone.now())
    return slot


def sweep() -> int:
    """Whose desk has not been heard, or who works here no longer, is offline, and what rang there waits
    again; how many."""
    silent = AgentSlot.objects.unscoped("the sweeper serves everyone").exclude(
        state=Presence.OFFLINE
    )
    gone = 0
    unheard = Q(heard_at__lt=timezone.now() - HEARD_FOR) | Q(heard_at=None)
    for slot in silent.annotate(here=at_work()).filter(unheard | Q(here=False)):
        with transaction.atomic():
            found = locked(slot)
            if slot.here and found.heard_at and found.heard_at >= timezone.now() - HEARD_FOR:
                continue  # heard just now
            become(found, Presence.OFFLINE, None, by_system=True)
        routing.withdraw_offers(found)
        gone += 1
    return gone


def _pause(actor: Actor, state: str, reason: UUID | None) -> PauseReason | None:
    if state != Presence.PAUSED:
        return None
    reasons = PauseReason.objects.for_actor(actor).filter(is_active=True)
    found = reasons.filter(uuid=reason).first() if reason else None
    if found is None:
        raise Invalid(errors={"reason": [_("Say why you pause.")]})
    return found
