"""Who works on a case, and where: assigning, taking, releasing, changing the unit."""

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Case, EventKind
from cases.permissions import ASSIGN_CASE, CHANGE_CASE, TRANSFER_CASE
from cases.services.clocks import renew_clock
from cases.services.custody import tell_moment
from cases.services.handing import require_no_offer, require_push
from cases.services.places import person_for, require_here, unit_of
from cases.services.tasks import follow_unit
from cases.services.writing import fetch, require_work_goes_on, write
from cases.texts import one_line
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Refused
from crm.kit.policy import require
from crm.organisations.calendars import NotCovered

_BY_HAND: Mapping[str, Any] = MappingProxyType({})


@transaction.atomic
def assign_case(actor: Actor, case: UUID, person: UUID, *, version: int | None = None) -> Case:
    """The case is the person's, who must be able to see it; whoever had it has it no more."""
    row = fetch(actor, case, version)
    if actor.user_id is not None and actor.uuid == person and row.assignee_id is None:
        return take_case(actor, case)
    require(actor, ASSIGN_CASE, row)
    user = person_for(actor, person, row)
    if row.assignee_id != user.pk:
        give(actor, ASSIGN_CASE, row, user)
    return row


@transaction.atomic
def take_case(actor: Actor, case: UUID, *, version: int | None = None) -> Case:
    """The case that nobody had is the actor's; Conflict tells the loser of two who take it."""
    row = fetch(actor, case, version)
    require(actor, CHANGE_CASE, row)
    require_work_goes_on(row)
    if actor.user_id is None:
        raise Refused(CHANGE_CASE, _("Only a person takes a case."), row)
    if row.assignee_id == actor.user_id:
        return row
    if row.assignee is not None:
        text = _("%(name)s already has this case.")
        raise Conflict("case_taken", text % {"name": row.assignee.full_name})
    me = User.objects.get(pk=actor.user_id)
    require_here(actor, me)
    give(actor, CHANGE_CASE, row, me)
    return row


@transaction.atomic
def release_case(actor: Actor, case: UUID, *, version: int | None = None) -> Case:
    """Nobody has the case. One's own needs no more than working on it, another's the right to assign."""
    row = fetch(actor, case, version)
    mine = actor.user_id is not None and row.assignee_id == actor.user_id
    permission = CHANGE_CASE if mine else ASSIGN_CASE
    require(actor, permission, row)
    require_work_goes_on(row)
    if row.assignee is not None:
        give(actor, permission, row, None)
    return row


@transaction.atomic
def change_unit(
    actor: Actor, case: UUID, unit: UUID, *, reason: str, version: int | None = None
) -> Case:
    """The case belongs to another unit of the organisation and to nobody in it yet."""
    row = fetch(actor, case, version)
    require(actor, TRANSFER_CASE, row)
    if not one_line(reason):
        raise Invalid(errors={"reason": [_("This field is required.")]})
    target = unit_of(actor, unit)
    if target.pk == row.unit_id:
        raise Invalid(errors={"unit": [_("The case is already in this unit.")]})
    require_no_offer(row)
    require_push(actor, row, target)
    tell_moment()
    told = {"from": row.unit.name, "to": target.name, "reason": one_line(reason)}
    follow_unit(row, row.unit, target)
    row.unit, row.assignee = target, None
    changed = ("unit", "assignee")
    write(actor, TRANSFER_CASE, row, EventKind.UNIT_CHANGED, told, changed=changed)
    with suppress(NotCovered):  # it keeps the date that was promised until the holidays are there
        renew_clock(actor, row, _("The other unit has another calendar."))
    return row


def give(
    actor: Actor, permission: str, case: Case, user: User | None, why: Mapping[str, Any] = _BY_HAND
) -> None:
    """The locked case is the person's, or nobody's; its story keeps `why` (dealing.in_words says it)."""
    told: dict[str, Any] = {"rule": dict(why)} if why else {}
    if case.assignee is not None:
        told |= {"from": case.assignee.full_name, "from_id": str(case.assignee.uuid)}
    if user is not None:
        told |= {"to": user.full_name, "to_id": str(user.uuid)}
    case.assignee = user
    kind = EventKind.ASSIGNED if user is not None else EventKind.RELEASED
    write(actor, permission, case, kind, told, changed=("assignee",))
