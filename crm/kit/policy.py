"""Whether an actor may do something, and why not: permissions by reach, then rules by object."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.errors import Refused, Text
from crm.kit.registry import Registry


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, or not with the reason that the person is told."""

    allowed: bool
    reason: Text = ""

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED = Decision(True)


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission of the product in plain words ("May…"), and the standard roles that carry it."""

    name: str
    sentence: Text
    roles: frozenset[str]

    @property
    def app(self) -> str:
        """The room that it belongs to, by which the role editor groups."""
        return self.name.partition(".")[0]


catalogue: Registry[Permission] = Registry("permission")


def declare(name: str, sentence: Text, roles: str) -> str:
    """Declare a permission with its sentence and standard roles (codes by spaces); returns its name."""
    catalogue.register(name, Permission(name, sentence, frozenset(roles.split())))
    return name


Rule = Callable[[Actor, Any], Decision]
_rules: dict[str, list[Rule]] = defaultdict(list)


def rule(permission: str) -> Callable[[Rule], Rule]:
    """Register a rule that, beside the permission itself, must allow the act on an object."""

    def register(function: Rule) -> Rule:
        _rules[permission].append(function)
        return function

    return register


def decide(actor: Actor, permission: str, target: object | None = None) -> Decision:
    """Decide on a permission, on an object where one is given.

    An object says where it lies by `organisation_id` and, if it lies in a unit, `unit_id`.
    """
    reach = actor.reach(permission)
    if not reach:
        return Decision(False, _("None of your roles includes the permission for this."))
    if target is None:
        return ALLOWED
    organisation_id = getattr(target, "organisation_id", actor.organisation_id)
    if organisation_id != actor.organisation_id:
        return Decision(False, _("It belongs to another organisation."))
    if hasattr(target, "unit_id") and not reach.covers(target.unit_id):
        return Decision(False, _("Your roles include this permission, but not in its unit."))
    for check in _rules[permission]:
        decision = check(actor, target)
        if not decision:
            return decision
    return ALLOWED


def require(actor: Actor, permission: str, target: object | None = None) -> None:
    """Raise Refused with the reason unless the actor may do this."""
    decision = decide(actor, permission, target)
    if not decision:
        raise Refused(permission, decision.reason, target)
