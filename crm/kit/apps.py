"""Wiring of the kit: system checks of the installation."""

from django.apps import AppConfig
from django.core import checks


class KitConfig(AppConfig):
    """Floor 0."""

    name = "crm.kit"
    label = "kit"
    verbose_name = "Kit"

    def ready(self) -> None:
        from crm.kit.checks import production_is_safe

        checks.register(production_is_safe, checks.Tags.security)
