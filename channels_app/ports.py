"""What a kind of account must be able to do so that a conversation can be answered through it."""

from collections.abc import Callable
from typing import Protocol

from channels_app.email.reading import Report
from channels_app.models import Delivery, Message
from crm.kit.registry import Registry


class Carrier(Protocol):
    """Carries what is said to the citizen. Called within the transaction that writes the message."""

    def begins_as(self, message: Message) -> Delivery:
        """How far a message of such an account is when it is written: SENT when writing it is sending."""

    def owe(self, message: Message) -> None:
        """The written message is owed to the world (an outbox row), if it is not sent by being written."""


class OwnStream:
    """Web chat: the visitor reads our own stream, so that what is written is sent."""

    def begins_as(self, message: Message) -> Delivery:
        """Sent."""
        return Delivery.SENT

    def owe(self, message: Message) -> None:
        """Nothing."""


carriers: Registry[Carrier] = Registry("carrier")

Hear = Callable[[Report, str], bool]
"""What a mail server reports on a message that is no conversation's, and the report's own Message-ID,
by which it counts once; whether the message was the room's."""

hearers: Registry[Hear] = Registry("hearer of reports")
