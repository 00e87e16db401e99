"""Effects that the scheduling room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from crm.kit import outbox
from scheduling.services import deliver_notice, doubt_notice
from scheduling.services.notices import DELIVER_NOTICE


def doubt(payload: Mapping[str, Any]) -> None:
    """Say on the notice that its sending broke off."""
    doubt_notice(UUID(payload["notice"]))


@outbox.effect(DELIVER_NOTICE, in_doubt=doubt)
def deliver(payload: Mapping[str, Any]) -> None:
    """Hand a notice that is still true to the mail server; a second run finds it sent."""
    deliver_notice(UUID(payload["notice"]))
