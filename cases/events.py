"""What the cases room tells the world."""

from dataclasses import dataclass
from typing import ClassVar

from crm.kit.events import Event


@dataclass(frozen=True)
class CaseEvent(Event):
    """A case got its event number `seq` of this kind; what it says is in the case's own events."""

    topic: ClassVar[str] = "cases.event"

    organisation_id: int
    case: str  # its UUID
    reference: str
    seq: int
    kind: str
