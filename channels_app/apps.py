"""Wiring of the channels room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsAppConfig(AppConfig):
    """Floor 7."""

    name = "channels_app"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        """Plug into the floors below."""
        from channels_app import permissions  # noqa: F401
