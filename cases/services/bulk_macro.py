"""A macro as the act of a bulk action: on each case all of it or nothing, by its own refusals."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import macros as reading
from cases.models import Case, Macro
from cases.services import macros as verbs
from cases.services.assignment import assign_case, change_unit, release_case
from cases.services.bulk_acts import ACTS, STATE_KEPT, Act, Batch, Given, once
from cases.services.lifecycle import edit_case
from cases.services.macro_steps import STEPS
from cases.services.restoring import restore_state
from crm.kit.actor import Actor
from crm.kit.errors import DomainError, Invalid, Text

MACRO = "macro"
SAID = ("reason", "outcome")
"""What a bulk action tells every step that takes it and does not say it itself."""
_TAKEN_BACK = {"take", "assign", "move", "priority", "unit"}


def _macro(actor: Actor, given: Given) -> Macro | None:
    """As it was chosen; None once it is not offered any more."""
    found: Macro | None = reading.macros(actor).filter(uuid=given["macro"]).first()
    if found is None and "version" not in given:
        raise Invalid(errors={"macro": [_("There is no such macro, or it is retired.")]})
    return found


def _refusal(actor: Actor, case: Case, given: Given, macro: Macro | None) -> Text:
    """What would refuse it here now: it is tried and taken back."""
    if macro is None:
        return _("The macro is not offered any more.")
    if str(macro.version) != given.get("version", str(macro.version)):
        return _("Someone has changed the macro since the bulk action was prepared.")
    try:
        plan = verbs.try_macro(actor, case.uuid, macro.uuid, _extra(macro, given))
    except DomainError as error:
        return error.in_a_line
    for step in plan:
        why = step.refusal
        if step.asks and step.case is not None:
            asked = [reading.argument(name, step.case) for name in step.asks]
            why = _("Missing: %(field)s.") % {"field": ", ".join(asked)}
        if why:
            told = {"number": step.number, "step": step.label, "reason": why}
            return _("Step %(number)s, “%(step)s”: %(reason)s") % told
    return ""


def _extra(macro: Macro, given: Given) -> verbs.Extra:
    extra: dict[int, dict[str, Any]] = {}
    for number, step in enumerate(macro.steps, start=1):
        act = STEPS[step["act"]]
        taken = {*act.wants, *act.may}
        extra[number] = {name: given[name] for name in SAID if name in taken and given.get(name)}
    return extra


def _do(actor: Actor, action: Batch, case: Case, given: Given) -> object:
    macro = reading.macros(actor).get_or_refuse(uuid=given["macro"])
    extra = _extra(macro, given)
    return verbs.run_macro(actor, case.uuid, macro.uuid, extra, key=once(action, case))


def _undoable(actor: Actor, given: Given) -> bool:
    """Whether nothing in it is written, sent or set going."""
    macro = reading.macros(actor).filter(uuid=given["macro"]).first()
    return macro is not None and {step["act"] for step in macro.steps} <= _TAKEN_BACK


def _back(actor: Actor, case: Case, before: Mapping[str, Any]) -> None:
    """What the steps changed is as it was; the state first, because ended work takes nothing else."""
    if case.state != before["state"]:
        restore_state(actor, case, before)
    if case.priority != before["priority"]:
        edit_case(actor, case.uuid, {"priority": before["priority"]})
    if str(case.unit.uuid) != before["unit"]:
        reason = _("A bulk action is undone.")
        change_unit(actor, case.uuid, UUID(before["unit"]), reason=reason)
    now = Case.objects.for_actor(actor).select_related("assignee").get(pk=case.pk).assignee
    if before["assignee"] is None:
        if now is not None:
            release_case(actor, case.uuid)
    elif now is None or str(now.uuid) != before["assignee"]:
        assign_case(actor, case.uuid, UUID(before["assignee"]))


ALL_ACTS: Mapping[str, Act] = {
    **ACTS,
    MACRO: Act(
        gettext_lazy("Run a macro"),
        "bolt",
        ("macro",),
        _macro,
        _refusal,
        _do,
        may=SAID,
        keeps=("assignee", "unit", "priority", *STATE_KEPT),
        undo=_back,
        undoable=_undoable,
        slow=True,
    ),
}
"""What may be done to many cases; a macro has no macros among its steps."""
