"""Effects that the cases room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

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
