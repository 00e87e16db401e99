"""What other rooms keep in a unit: they register here what stands in the way of closing it, and how
it moves along when units merge."""

from collections.abc import Callable

from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry
from crm.organisations.models import Unit

ClosingCheck = Callable[[Unit], Text | None]
"""The reason why the unit cannot be closed yet ("It has open cases: 12."), or None."""

Mover = Callable[[Actor, Unit, Unit], int]
"""Move what lies in the first unit to the second; returns how many things moved."""

closing_checks: Registry[ClosingCheck] = Registry("check before closing a unit")
movers: Registry[Mover] = Registry("mover of what lies in a unit")
