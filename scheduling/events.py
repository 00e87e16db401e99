"""What the scheduling room tells the world."""

from dataclasses import dataclass
from typing import ClassVar

from crm.kit.events import Event


@dataclass(frozen=True)
class AppointmentChanged(Event):
    """Something happened with an appointment: its event number `seq` of this kind."""

    topic: ClassVar[str] = "scheduling.appointment"

    organisation_id: int
    appointment: str  # its UUID
    reference: str
    seq: int
    kind: str
