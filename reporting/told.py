"""What a made file told of, and whether its asker may still see all of that: roles change while it is kept."""

from collections.abc import Mapping
from typing import Any

from cases.permissions import VIEW_CASE, VIEW_SPECIAL
from crm.accounts.models import User
from crm.kit.actor import Actor, Reach
from reporting.asking import Asked
from reporting.board import beside
from reporting.models import Export
from reporting.permissions import VIEW_REPORT

OTHERS = "organisations"
_EVERYTHING: Mapping[str, Any] = {VIEW_REPORT: None, VIEW_CASE: None}  # of a file that does not say


def told_by(asked: Asked, export: Export, user: User | None) -> dict[str, Any]:
    """How far each right was used for it: units, or None for the whole organisation; and of the figures,
    which other organisations stand beside one's own."""
    told: dict[str, Any] = {VIEW_REPORT: _within(asked.scope.units, asked.reach)}
    if export.subject == Export.Subject.CASES:
        for right in (VIEW_CASE, VIEW_SPECIAL):
            told[right] = _within(asked.scope.units, asked.actor.reach(right))
    elif asked.reach.everywhere:
        told[OTHERS] = [one.pk for one in beside(asked.actor, user)]
    return told


def lost(actor: Actor, told: Mapping[str, Any] | None, user: User | None) -> str:
    """A right that no longer reaches as far as it did then; empty when all do."""
    rest = dict(_EVERYTHING if told is None else told)
    others = set(rest.pop(OTHERS, ()))
    for right, units in rest.items():
        reach = actor.reach(right)
        if not reach.everywhere and (units is None or not reach.units.issuperset(units)):
            return right
    if others and not others <= {one.pk for one in beside(actor, user)}:
        return VIEW_REPORT
    return ""


def _within(units: frozenset[int] | None, reach: Reach) -> list[int] | None:
    if reach.everywhere:
        return None if units is None else sorted(units)
    return sorted(reach.units if units is None else reach.units & units)
