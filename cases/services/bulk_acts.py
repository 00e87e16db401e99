"""What may be done to many cases: for each act, why a case would refuse it, doing it, and what an
undoing goes back to. Each is done by the same verb as on one case, so that it can do no more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid5

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, CLOSE_CASE, ENDED, TRANSFER_CASE
from cases.services.assignment import assign_case, change_unit, release_case
from cases.services.lifecycle import close_case, edit_case, move_case
from cases.services.notes import add_note, send_message
from cases.services.places import hidden_from
from cases.services.restoring import restore_state
from cases.workflow import OUTCOME, REASON, RESULT, Move, Workflow, of_version
from crm.accounts.actors import actor_for
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text
from crm.kit.policy import decide
from crm.organisations.models import Organisation, Unit

Given = Mapping[str, Any]


class Batch(Protocol):
    """What an act is part of: a bulk action, or a step of a macro."""

    @property
    def uuid(self) -> UUID: ...


@dataclass(frozen=True)
class Act:
    """One act. `wants` are the arguments that it needs, `may` those that it takes besides."""

    label: Text
    icon: str
    wants: Sequence[str]
    prepare: Callable[[Actor, Given], Any]
    refusal: Callable[[Actor, Case, Given, Any], Text]
    do: Callable[[Actor, Batch, Case, Given], object]
    may: Sequence[str] = ()
    keeps: Sequence[
        str
    ] = ()  # of the case, what an undoing goes back to; none: it cannot be undone
    undo: Callable[[Actor, Case, Mapping[str, Any]], object] | None = None
    undoable: Callable[[Actor, Given], bool] = lambda _actor, _given: True  # as it was chosen
    slow: bool = False  # to look a case through is as much work as doing it

    @property
    def stays(self) -> bool:
        """Whether nothing that it does can be taken back."""
        return self.undo is None


def _nothing(_actor: Actor, _given: Given) -> None:
    return None


# --- Assigning ------------------------------------------------------------------------------------


def _person(actor: Actor, given: Given) -> Actor:
    """The person they would be given to, as an actor, to know what they can see."""
    organisation = Organisation.objects.for_actor(actor).get()
    user = User.objects.filter(uuid=given["person"]).first()
    theirs = actor_for(user, organisation, actor.origin) if user else None
    if theirs is None:
        raise Invalid(errors={"person": [_("This person does not work here.")]})
    return theirs


def _assign_refused(actor: Actor, case: Case, _given: Given, theirs: Actor) -> Text:
    return decide(actor, ASSIGN_CASE, case).reason or hidden_from(theirs, case)


def _assign_back(actor: Actor, case: Case, before: Mapping[str, Any]) -> None:
    if before["assignee"] is None:
        release_case(actor, case.uuid)
    else:
        assign_case(actor, case.uuid, UUID(before["assignee"]))


# --- Moving and closing ---------------------------------------------------------------------------


def _move_refused(actor: Actor, case: Case, given: Given, _found: None) -> Text:
    workflow = of_version(case.type_version.bundle)
    move = workflow.move(given["move"])
    if move is None or case.state not in move.sources:
        text = _("From the state “%(state)s” this move is not possible.")
        return text % {"state": workflow.name_of(case.state)}
    return decide(actor, move.permission, case).reason or _missing(case, move, workflow, given)


def _close_refused(actor: Actor, case: Case, given: Given, _found: None) -> Text:
    if case.ended:
        return ENDED
    workflow = of_version(case.type_version.bundle)
    move = next(
        (one for one in workflow.moves_from(case.state) if workflow.target_of(one).category >= 4),
        None,
    )
    if move is None:
        return _("From its state there is no such move.")
    refused = decide(actor, CLOSE_CASE, case).reason or decide(actor, move.permission, case).reason
    return refused or _missing(case, move, workflow, given)


def _missing(case: Case, move: Move, workflow: Workflow, given: Given) -> Text:
    words = {REASON: _("Reason"), OUTCOME: _("Outcome"), RESULT: _("Way of ending")}
    missing = [
        words.get(name) or workflow.fields.label_of(name)
        for name in workflow.asks(move, case)
        if not given.get(name)
    ]
    return _("Missing: %(field)s.") % {"field": ", ".join(missing)} if missing else ""


# --- Unit, priority, words ------------------------------------------------------------------------


def _unit(actor: Actor, given: Given) -> Unit:
    mine = Unit.objects.for_actor(actor).filter(closed_on=None, uuid=given["unit"])
    found = mine.first()
    if found is None:
        raise Invalid(errors={"unit": [_("There is no such unit, or it is closed.")]})
    return found


def _unit_refused(actor: Actor, case: Case, _given: Given, unit: Unit) -> Text:
    if case.unit_id == unit.pk:
        return _("The case is already in this unit.")
    return decide(actor, TRANSFER_CASE, case).reason


def _unit_back(actor: Actor, case: Case, before: Mapping[str, Any]) -> None:
    change_unit(actor, case.uuid, UUID(before["unit"]), reason=_("A bulk action is undone."))
    if before["assignee"] is not None:
        assign_case(actor, case.uuid, UUID(before["assignee"]))


def _priority_refused(actor: Actor, case: Case, given: Given, _found: None) -> Text:
    if case.ended:
        return ENDED
    if case.priority == int(given["priority"]):
        return _("It has this priority already.")
    return decide(actor, CHANGE_CASE, case).reason


def _change_refused(actor: Actor, case: Case, _given: Given, _found: None) -> Text:
    return decide(actor, CHANGE_CASE, case).reason


def once(action: Batch, case: Case) -> UUID:
    """The key by which what an action writes on a case is written once, however often it is tried."""
    return uuid5(action.uuid, str(case.uuid))


ASSIGN, MOVE, UNIT, PRIORITY = "assign", "move", "unit", "priority"
NOTE, MESSAGE, CLOSE, UNDO = "note", "message", "close", "undo"
STATE_KEPT = ("state", "category", "closed_at", "outcome", "suspended_on")
ACTS: Mapping[str, Act] = {
    ASSIGN: Act(
        gettext_lazy("Assign"),
        "user-plus",
        ("person",),
        _person,
        _assign_refused,
        lambda actor, _action, case, given: assign_case(actor, case.uuid, UUID(given["person"])),
        keeps=("assignee",),
        undo=_assign_back,
    ),
    MOVE: Act(
        gettext_lazy("Move to another state"),
        "arrow-right",
        ("move",),
        _nothing,
        _move_refused,
        lambda actor, _action, case, given: move_case(
            actor,
            case.uuid,
            given["move"],
            reason=given.get("reason", ""),
            outcome=given.get("outcome", ""),
        ),
        may=("reason", "outcome"),
        keeps=STATE_KEPT,
        undo=restore_state,
    ),
    CLOSE: Act(
        gettext_lazy("End the work"),
        "circle-check",
        ("outcome",),
        _nothing,
        _close_refused,
        lambda actor, _action, case, given: close_case(
            actor, case.uuid, outcome=given["outcome"], reason=given.get("reason", "")
        ),
        may=("reason",),
        keeps=STATE_KEPT,
        undo=restore_state,
    ),
    UNIT: Act(
        gettext_lazy("Change the unit"),
        "building-community",
        ("unit", "reason"),
        _unit,
        _unit_refused,
        lambda actor, _action, case, given: change_unit(
            actor, case.uuid, UUID(given["unit"]), reason=given["reason"]
        ),
        keeps=("unit", "assignee"),
        undo=_unit_back,
    ),
    PRIORITY: Act(
        gettext_lazy("Change the priority"),
        "flag",
        ("priority",),
        _nothing,
        _priority_refused,
        lambda actor, _action, case, given: edit_case(
            actor, case.uuid, {"priority": int(given["priority"])}
        ),
        keeps=("priority",),
        undo=lambda actor, case, before: edit_case(
            actor, case.uuid, {"priority": before["priority"]}
        ),
    ),
    NOTE: Act(
        gettext_lazy("Write an internal note"),
        "note",
        ("body",),
        _nothing,
        _change_refused,
        lambda actor, action, case, given: add_note(
            actor, case.uuid, given["body"], key=once(action, case)
        ),
    ),
    MESSAGE: Act(
        gettext_lazy("Send a message to the citizens"),
        "send",
        ("body",),
        _nothing,
        _change_refused,
        lambda actor, action, case, given: send_message(
            actor, case.uuid, given["body"], key=once(action, case)
        ),
    ),
}


def kept_of(act: Act, actor: Actor, case: Case, given: Given) -> dict[str, Any] | None:
    """What an undoing of the act would go back to; None where there is none."""
    if act.undo is None or not act.undoable(actor, given):
        return None
    return {name: _plain(case, name) for name in act.keeps}


def _plain(case: Case, name: str) -> Any:
    value = getattr(case, name)
    if name in ("assignee", "unit"):
        return str(value.uuid) if value is not None else None
    return value.isoformat() if hasattr(value, "isoformat") else value
