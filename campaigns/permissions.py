"""What may be done with campaigns: permissions in plain words, and the rules on single objects."""

from typing import Protocol

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import Decision, declare, rule

VIEW_CAMPAIGN = declare(
    "campaigns.view_campaign",
    _("see campaigns and their results in figures"),
    roles="communications supervisor auditor",
)
DESIGN_CAMPAIGN = declare(
    "campaigns.prepare_campaign",
    _("write campaigns, templates and audiences, and ask for approval"),
    roles="communications",
)
PREVIEW_RECIPIENTS = declare(
    "campaigns.preview_recipients",
    _("see a campaign as its recipients will, with their data"),
    roles="communications supervisor",
)
APPROVE_CAMPAIGN = declare(
    "campaigns.approve_campaign",
    _("approve or return campaigns of others"),
    roles="communications supervisor",
)
RUN_CAMPAIGN = declare(
    "campaigns.launch_campaign",
    _("pause, resume and stop campaigns"),
    roles="communications supervisor",
)
EXPORT_RESULTS = declare(
    "campaigns.export_results",
    _("download a campaign's results, recipient by recipient"),
    roles="communications",
)
MANAGE_TOPICS = declare(
    "campaigns.manage_topics",
    _("decide the topics that citizens are written to about, and where links may lead"),
    roles="administrator communications",
)


class Approvable(Protocol):
    """What the rules need to know of a campaign."""

    submitted_by_id: int | None
    created_by_id: int | None


@rule(APPROVE_CAMPAIGN)
def four_eyes(actor: Actor, campaign: Approvable) -> Decision:
    """Nobody approves what they wrote or asked approval for themselves."""
    own = {campaign.submitted_by_id, campaign.created_by_id}
    return Decision(
        actor.user_id is not None and actor.user_id not in own,
        _("Somebody else must approve it: you wrote this campaign or asked for its approval."),
    )
