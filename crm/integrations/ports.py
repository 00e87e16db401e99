"""Seams of the room: how another system is asked, and which events may be told to others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from crm.kit.errors import Text
from crm.kit.registry import Registry

Rows = list[list[tuple[str, str]]]
"""What is shown of an answer: records of labelled values."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whom another system is asked about, and how it is spoken to; the connector's own words aside."""

    base_url: str
    path: str
    number: str
    seconds: float
    retries: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What it said: a value of JSON's kinds, or None when it has nothing on record."""

    content: Any
    status: int
    size: int


class NoReply(Exception):  # noqa: N818 - reads as what happened
    """It said nothing that can be used; `outcome` is one of models.Outcome."""

    def __init__(self, outcome: str, status: int = 0, size: int = 0) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.status = status
        self.size = size


class LegacyConnector(Protocol):
    """A way to ask other systems, in our words."""

    def ask(self, question: Question, circuit: Any) -> Reply:
        """What the other system says, within the question's time, or NoReply."""


connectors: Registry[LegacyConnector] = Registry("connector")


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of event that other systems may subscribe to; it begins with the room's name."""

    name: str
    label: Text


topics: Registry[Topic] = Registry("topic of events")
"""Higher rooms register what they tell, and call `outgoing.announce` from an effect of the outbox."""
