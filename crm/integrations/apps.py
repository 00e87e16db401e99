"""Wiring of the integrations room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav
from crm.kit.nav import NavItem


class IntegrationsConfig(AppConfig):
    """Floor 4."""

    name = "crm.integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        """Offer the room's pages, its effects and the ways to ask other systems."""
        from crm.integrations import handlers  # noqa: F401 - it registers effects
        from crm.integrations.connectors.rest import Rest
        from crm.integrations.models import Connection
        from crm.integrations.permissions import MANAGE_CONNECTIONS
        from crm.integrations.ports import connectors

        connectors.register(Connection.Kind.REST, Rest())
        nav.add(
            NavItem(
                "connections",
                _("Connections"),
                "plug",
                "integrations:connections",
                permission=MANAGE_CONNECTIONS,
                group="settings",
                order=63,
            )
        )
        nav.add(
            NavItem(
                "subscriptions",
                _("Outgoing events"),
                "webhook",
                "integrations:subscriptions",
                permission=MANAGE_CONNECTIONS,
                group="settings",
                order=64,
            )
        )
