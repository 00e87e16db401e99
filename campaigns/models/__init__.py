"""The tables of campaigns."""

from campaigns.models.audience import (
    AllowedDestination,
    Hashed,
    Segment,
    Suppression,
    address_hash,
)
from campaigns.models.campaign import Campaign, CampaignRun, Template, TemplateVersion
from campaigns.models.delivery import Delivery, DeliveryEvent
from campaigns.models.links import AgentKind, Click, ClickCount, ShortLink

__all__ = [
    "AgentKind",
    "AllowedDestination",
    "Campaign",
    "CampaignRun",
    "Click",
    "ClickCount",
    "Delivery",
    "DeliveryEvent",
    "Hashed",
    "Segment",
    "ShortLink",
    "Suppression",
    "Template",
    "TemplateVersion",
    "address_hash",
]
