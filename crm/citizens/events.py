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


@dataclass(frozen=True)
class CitizenMerged(Event):
    """Two records of one person became one: the first UUID leads to the second from now on."""

    topic: ClassVar[str] = "citizens.merged"
    citizen: str  # uuid of the merged record
    into: str  # uuid of the survivor
    organisation_id: int


@dataclass(frozen=True)
class CitizenUnmerged(Event):
    """A merge was taken back: the two records are two again."""

    topic: ClassVar[str] = "citizens.unmerged"
    citizen: str  # uuid of the record that is its own again
    into: str  # uuid of the one that it had been merged into
    organisation_id: int
