"""Wiring of the campaigns room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """Floor 8."""

    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        """Offer the room's pages; let a sending be followed live; tell of it in a citizen's timeline;
        hear what mail servers report."""
        from campaigns import citizen_story, handlers, selectors, tasks  # noqa: F401
        from campaigns.permissions import DESIGN_CAMPAIGN, VIEW_CAMPAIGN
        from channels_app.ports import hearers
        from crm.citizens.merge_models import references
        from crm.citizens.permissions import VIEW_CITIZEN
        from crm.citizens.story import Story, stories
        from crm.kit import nav, realtime

        nav.add(
            nav.NavItem(
                "campaigns",
                _("Campaigns"),
                "speakerphone",
                "campaigns:list",
                permission=VIEW_CAMPAIGN,
                order=50,
                keys="g o",
            )
        )
        nav.add(
            nav.NavItem(
                "new-campaign",
                _("New campaign"),
                "speakerphone",
                "campaigns:new",
                permission=DESIGN_CAMPAIGN,
                group="command",
                order=50,
            )
        )
        references.follows("campaigns.Delivery", "citizen")
        realtime.streams.register("campaign", selectors.may_follow)
        stories.register(
            citizen_story.SOURCE, Story(citizen_story.TOLD, citizen_story.tell, VIEW_CITIZEN)
        )
        hearers.register("campaigns", handlers.heard)
