"""Effects that the notices room owes the world."""

from collections.abc import Mapping
from typing import Any

from crm.kit.outbox import effect
from crm.notices.services import digests


@effect(digests.DIGEST_MAIL)
def send_digest(payload: Mapping[str, Any]) -> None:
    """An employee has one e-mail with their news."""
    digests.send_digest(payload)
