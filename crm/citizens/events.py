"""What becomes true of citizens, told to whoever listens."""

from dataclasses import dataclass
from typing import ClassVar

from crm.kit.events import Event


@dataclass(frozen=True)
class CitizenRegistered(Event):
    """An organisation began to keep a record of a citizen."""

    topic: ClassVar[str] = "citizens.registered"
    citizen: str  # uuid
    organisation_id: int


@dataclass(frozen=True)
class CitizenChanged(Event):
    """What an organisation knows of a citizen changed: names, numbers, contact points, wishes."""

    topic: ClassVar[str] = "citizens.changed"
    citizen: str  # uuid
    organisation_id: int
