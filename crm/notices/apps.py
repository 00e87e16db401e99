"""Wiring of the notices room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav


class NoticesConfig(AppConfig):
    """Between accounts, whose people are told, and the rooms that tell."""

    name = "crm.notices"
    verbose_name = _("Updates")

    def ready(self) -> None:
        """Offer the page and the live stream of each person's own news."""
        from crm.kit import realtime
        from crm.notices import handlers, selectors, tasks  # noqa: F401 - they register themselves

        realtime.streams.register("news", selectors.may_follow)
        nav.add(
            nav.NavItem(
                "news",
                _("Updates"),
                "bell",
                "notices:list",
                group="command",
                order=15,
                keys="g n",
            )
        )
