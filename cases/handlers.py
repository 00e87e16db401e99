"""Effects that the cases room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cases import telling
from cases.events import CaseEvent
from cases.services import deliver_message
from cases.services.notes import DELIVER, doubt_message
from crm.kit import outbox


def doubt(payload: Mapping[str, Any]) -> None:
    """Say on the message that its sending broke off."""
    doubt_message(UUID(payload["message"]))


@outbox.effect(DELIVER, in_doubt=doubt)
def deliver(payload: Mapping[str, Any]) -> None:
    """Hand a queued message to the mail server; a second run finds it sent and does nothing."""
    deliver_message(UUID(payload["message"]))


@outbox.effect(CaseEvent.topic)
def tell_other_systems(payload: Mapping[str, Any]) -> None:
    """Whoever subscribed to the event is owed it; a second run owes nothing more."""
    telling.tell(payload)
