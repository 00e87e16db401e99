"""Who still needs a kept file: the same bytes lie once in the store, whichever rooms have a row about them."""

from django.db.models import Model

from crm.kit.registry import Registry

holders: Registry[type[Model]] = Registry("holder of files")
"""Every model with a column `sha256`; a house test compares them."""


def held(sha256: str) -> bool:
    """Whether any row of any room and organisation is about these bytes."""
    return any(
        model._default_manager.filter(sha256=sha256).exists()  # noqa: SLF001 - Django's own name for it
        for model in holders.values()
    )
