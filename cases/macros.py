"""Macros as they are read: which there are, which fit a case, by what key one runs them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.designing import LOTS
from cases.models import Audience, Case, Macro, MacroKey, StateCategory
from cases.permissions import SHARE_VIEW
from cases.workflow import OUTCOME, REASON, RESULT, of_version
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.policy import Decision, decide
from crm.kit.scoping import ScopedQuerySet
from crm.organisations.models import Organisation
from crm.organisations.selectors import unit_tree

ARGUMENTS: dict[str, Text] = {
    "person": gettext_lazy("Assign to"),
    "move": gettext_lazy("Move"),
    REASON: gettext_lazy("Reason"),
    OUTCOME: gettext_lazy("Outcome"),
    RESULT: gettext_lazy("Way of ending"),
    "priority": gettext_lazy("Priority"),
    "body": gettext_lazy("Text"),
    "answer": gettext_lazy("Canned answer"),
    "title": gettext_lazy("What is to be done"),
    "instructions": gettext_lazy("Instructions"),
    "term": gettext_lazy("Term"),
    "ground": gettext_lazy("Cause"),
    "papers": gettext_lazy("What they must bring, one a line"),
    "unit": gettext_lazy("New unit"),
}
"""What steps take, as their forms call it."""


def macros(actor: Actor) -> ScopedQuerySet[Any]:
    """Those in use that exist for the actor, each with the actor's own key."""
    keys = MacroKey.objects.for_actor(actor).filter(macro=OuterRef("pk"))
    rows: ScopedQuerySet[Any] = Macro.objects.for_actor(actor).filter(retired_at=None)
    return rows.select_related("unit").annotate(sign=Subquery(keys.values("sign")[:1]))


def may_change(actor: Actor, macro: Macro) -> Decision:
    """One's own is the owner's; a unit's and the organisation's whoever may share views there."""
    if macro.audience == Audience.OWN:
        return Decision(actor.user_id is not None and macro.owner_id == actor.user_id)
    return decide(actor, SHARE_VIEW, macro)


def fits(macro: Macro, case: Case) -> bool:
    """Whether it is for this type and state."""
    of_type = not macro.case_types or case.case_type.code in macro.case_types
    category = StateCategory(case.category).name.lower()
    return of_type and (not macro.states or bool({case.state, category} & set(macro.states)))


def macros_for(actor: Actor, case: Case) -> list[Any]:
    """Those that fit a case: one's own, then its unit's, then the others; the most used first."""
    organisation = Organisation.objects.for_actor(actor).get()
    above = [node.id for node in unit_tree(organisation).path(case.unit_id)]
    rows: Iterable[Any] = macros(actor).filter(Q(unit=None) | Q(unit__in=above))
    found = [row for row in rows if fits(row, case)]
    order = {Audience.OWN: 0, Audience.UNIT: 1, Audience.ORGANISATION: 2}
    return sorted(found, key=lambda row: (order[row.audience], -row.uses, row.name.casefold()))


def argument(name: str, case: Case) -> str:
    """What a step takes, in words: of the usual, or a field of the case's type."""
    if name in ARGUMENTS:
        return str(ARGUMENTS[name])
    return str(of_version(case.type_version.bundle).fields.label_of(name))


# --- What a new version of a type takes from them -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broken:
    """A macro of which something would be gone, and what."""

    macro: Macro
    lacks: list[str]


def naming_type(actor: Actor, code: str) -> list[Macro]:
    """Those that say that they are for this type."""
    return list(macros(actor).filter(case_types__contains=[code]).order_by("name", "pk"))


def broken_by(
    actor: Actor, code: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Broken]:
    """The macros that would lose a move or a state of theirs if this type went from one bundle to
    another, which may be unfinished: of those that are for the type, or for every type."""
    moves, states = _gone("pasos", before, after), _gone("estados", before, after)
    found = []
    fitting = Q(case_types=[]) | Q(case_types__contains=[code])
    for macro in macros(actor).filter(fitting).order_by("name", "pk"):
        steps = dict.fromkeys(step.get("move", "") for step in macro.steps)
        lacks = [_("the move “%(name)s”") % {"name": moves[one]} for one in steps if one in moves]
        lacks += [
            _("the state “%(name)s”") % {"name": states[one]}
            for one in macro.states
            if one in states
        ]
        if lacks:
            found.append(Broken(macro, lacks))
    return found


def _gone(slug: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """What only the first knows, by code: its name."""
    kept = {item.get("code") for _key, item in LOTS[slug].keyed(after)}
    known = {item.get("code"): item.get("name") for _key, item in LOTS[slug].keyed(before)}
    return {str(code): str(name) for code, name in known.items() if code not in kept}
