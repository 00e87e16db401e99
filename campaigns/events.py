"""What becomes true of campaigns, told to whoever listens."""

from dataclasses import dataclass
from typing import ClassVar

from crm.kit.events import Event


@dataclass(frozen=True)
class CampaignChanged(Event):
    """A campaign is in another state."""

    topic: ClassVar[str] = "campaigns.changed"
    organisation_id: int
    campaign: str  # uuid
    state: str
