"""Seam of mandates: what they may cover (matters, procedures) is known by the rooms above."""

from collections.abc import Callable, Mapping

from crm.citizens.mandate_models import Mandate, Scope
from crm.kit.actor import Actor
from crm.kit.registry import Registry

coverables: Registry[Callable[[Actor], Mapping[str, str]]] = Registry("scope of mandates")
"""By scope (`matter`, `procedure`): code → name of what a mandate may be limited to, in order."""


def choices(actor: Actor, scope: str) -> Mapping[str, str]:
    """What a mandate of this scope may cover in the actor's organisation; a general one: nothing."""
    found = coverables.get(scope) if scope != Scope.GENERAL else None
    return found(actor) if found else {}


def covered_names(actor: Actor, mandate: Mandate) -> list[str]:
    """The names of what the mandate covers; of what is no longer offered, the code."""
    names = choices(actor, mandate.scope)
    return [names.get(code, code) for code in mandate.covers]
