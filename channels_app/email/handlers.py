"""Effects that e-mail owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from channels_app.email import sending
from crm.kit import outbox


def doubt(payload: Mapping[str, Any]) -> None:
    """Say on the message that its sending broke off."""
    sending.doubt(UUID(payload["message"]))


@outbox.effect(sending.DELIVER_EMAIL, in_doubt=doubt)
def deliver(payload: Mapping[str, Any]) -> None:
    """Hand a queued message to the mail server; a second run finds it sent and does nothing."""
    sending.deliver(UUID(payload["message"]))
