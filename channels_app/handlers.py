"""Effects that the channels room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from channels_app.services import mails, visiting
from crm.kit import outbox


@outbox.effect(visiting.TRANSCRIPT)
def transcript(payload: Mapping[str, Any]) -> None:
    """Send somebody the copy of a conversation that they asked for."""
    mails.send_transcript(UUID(payload["conversation"]), payload["to"])


@outbox.effect(visiting.RECEIPT)
def receipt(payload: Mapping[str, Any]) -> None:
    """Tell who left a message its number."""
    mails.send_receipt(UUID(payload["conversation"]))
