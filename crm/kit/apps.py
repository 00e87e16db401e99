"""Wiring of the kit: system checks of the installation, and how every process looks after its memory."""

import gc

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
        # a page makes a hundred thousand objects, nearly all freed by their counts: looked through for
        # cycles at every 700th, as Python does at first, it costs an eighth more, a load a tenth (measured)
        gc.set_threshold(20_000, 20, 50)
