"""Wiring of the citizens room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav


class CitizensConfig(AppConfig):
    """Floor 5."""

    name = "crm.citizens"
    verbose_name = _("Citizens")

    def ready(self) -> None:
        """Offer the room's pages in the console, and its part of a person's timeline."""
        from crm.citizens import profile, story
        from crm.citizens.permissions import CHANGE_CITIZEN, VIEW_CITIZEN

        nav.add(
            nav.NavItem(
                "citizens",
                _("Citizens"),
                "users",
                "citizens:list",
                permission=VIEW_CITIZEN,
                order=30,
                keys="g p",
            )
        )
        nav.add(
            nav.NavItem(
                "new-citizen",
                _("Register a person"),
                "user-plus",
                "citizens:new",
                permission=CHANGE_CITIZEN,
                group="command",
                order=30,
            )
        )
        story.stories.register(
            story.RECORD,
            story.Story({story.RECORD: _("Citizen's record")}, story.record_story),
        )
        profile.panels.register(
            "timeline",
            profile.Panel(
                name="timeline",
                title=_("Timeline"),
                icon="history",
                template="citizens/_story.html",
                load=story.panel,
                permission=VIEW_CITIZEN,
                order=90,
            ),
        )
