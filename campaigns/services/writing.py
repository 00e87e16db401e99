"""What every verb on a campaign does alike: fetch and lock, change its state, write down, tell."""

from typing import Any
from uuid import UUID

from campaigns.events import CampaignChanged
from campaigns.models import Campaign
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit import realtime
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict
from crm.kit.events import publish
from crm.organisations.models import Organisation


def fetch(actor: Actor, campaign: UUID) -> Campaign:
    """The campaign, locked until the transaction ends."""
    return (
        Campaign.objects.for_actor(actor)
        .select_related("topic", "segment", "template", "version", "organisation")
        .select_for_update(of=("self",), no_key=True)
        .get_or_refuse(uuid=campaign)
    )


def require_state(campaign: Campaign, *states: str) -> None:
    """Conflict when it is further on, or not so far."""
    if campaign.state not in states:
        raise Conflict("campaign_state", campaign.get_state_display())


def change(
    actor: Actor, permission: str, campaign: Campaign, state: str, *columns: str, **told: Any
) -> None:
    """The campaign is in that state, saved with these columns, and told once in each place."""
    campaign.state = state
    campaign.state_reason = campaign.state_reason[:240]
    campaign.save(update_fields=["state", "state_reason", "updated_at", *columns])
    record(actor, permission, campaign, state=str(state), **told)
    publish(CampaignChanged(campaign.organisation_id, str(campaign.uuid), str(state)))
    tell(campaign)


def tell(campaign: Campaign) -> None:
    """Whoever follows the campaign looks again."""
    realtime.append(f"campaign:{campaign.uuid}", {"state": str(campaign.state)})


def worker(organisation: Organisation, behalf: str = "") -> Actor:
    """The installation acting for the organisation whose campaign it is."""
    return system_actor(organisation, Origin(Door.TASK), behalf or "Ventanilla")
