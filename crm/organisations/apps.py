"""Wiring of the organisations room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav


class OrganisationsConfig(AppConfig):
    """Floor 2."""

    name = "crm.organisations"
    verbose_name = _("Organisations")

    def ready(self) -> None:
        """Offer the room's pages in the console."""
        from crm.organisations import permissions as may

        for key, label, icon, permission, group in (
            ("settings", _("Organisation"), "building-bank", may.CHANGE_ORGANISATION, "settings"),
            ("units", _("Units"), "sitemap", may.MANAGE_UNITS, "command"),
            ("calendars", _("Calendars"), "calendar", may.MANAGE_CALENDARS, "command"),
            ("agreements", _("Agreements"), "share", may.MANAGE_SHARING, "settings"),
        ):
            nav.add(
                nav.NavItem(
                    f"organisations-{key}",
                    label,
                    icon,
                    f"organisations:{key}",
                    permission=permission,
                    group=group,
                    order=20,
                )
            )
