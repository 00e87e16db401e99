"""Who and where a case may be given to: units, people and citizens by UUID, checked for the actor."""

from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases.models import Case
from cases.permissions import CHANGE_CASE, VIEW_CASE
from crm.accounts.actors import actor_for
from crm.accounts.models import User
from crm.accounts.services.absences import ONE_SECOND, absent_now, local_day, stands_in
from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text
from crm.kit.policy import decide
from crm.organisations.models import Organisation, Unit

_WANTED = ("uuid", "name", "code", "organisation__units_version")


def unit_of(actor: Actor, unit: UUID | None) -> Unit:
    """The open unit of that UUID, or the one where the actor works, or for whoever works in none (a
    connected system) the organisation's first; Invalid if there is none."""
    if unit is not None:
        asked: dict[str, Any] = {"uuid": unit}
    elif actor.home_unit_id is not None:
        asked = {"pk": actor.home_unit_id}
    else:
        asked = {"parent": None}
    mine = Unit.objects.for_actor(actor).filter(closed_on=None, **asked)
    found = next(iter(mine.select_related("organisation").only(*_WANTED)), None)
    if found is None:
        text = _("There is no such unit, or it is closed.") if unit else _("Say in which unit.")
        raise Invalid(errors={"unit": [text]})
    return found


def citizen_of(actor: Actor, citizen: UUID) -> Citizen:
    """The citizen of that UUID as the actor's organisation knows them; Invalid if there is none."""
    found = Citizen.objects.for_actor(actor).known_by(citizen).first()
    if found is None:
        raise Invalid(errors={"citizen": [_("There is no such citizen.")]})
    return found


def person_for(actor: Actor, person: UUID, case: Case) -> User:
    """The employee of that UUID, who is at work and can see the case; Invalid if not."""
    user = User.objects.filter(uuid=person).first()
    organisation = Organisation.objects.for_actor(actor).get()
    theirs = actor_for(user, organisation, actor.origin) if user else None
    if user is None or theirs is None:
        raise Invalid(errors={"assignee": [_("This person does not work here.")]})
    if why := hidden_from(theirs, case):
        raise Invalid(errors={"assignee": [why]})
    require_here(actor, user)
    return user


def require_here(actor: Actor, user: User) -> None:
    """Invalid when the person is away, with who stands in for them."""
    absences = absent_now(actor.organisation_id)
    if user.pk not in absences:
        return
    values = {
        "name": user.full_name,
        "day": date_format(local_day(actor, absences[user.pk].ends_at - ONE_SECOND)),
    }
    if user.pk == actor.user_id:
        text = _("You are recorded as away until %(day)s: end the absence in your profile first.")
    elif stand_in := stands_in(absences, user.pk):
        values["other"] = stand_in.full_name
        text = _("%(name)s is away until %(day)s; %(other)s stands in.")
    else:
        text = _("%(name)s is away until %(day)s, and nobody stands in.")
    raise Invalid(errors={"assignee": [text % values]})


def hidden_from(theirs: Actor, case: Case) -> Text:
    """Why a person could not work on a case that was theirs, for who gives it; nothing if they could."""
    if not theirs.reach(VIEW_CASE).covers(case.unit_id):
        return _("%(name)s cannot see the cases of this unit.") % {"name": theirs.name}
    if not decide(theirs, VIEW_CASE, case):
        return _("%(name)s cannot see specially protected cases.") % {"name": theirs.name}
    return ""


def can_work_on(actor: Actor, user: User, case: Case) -> bool:
    """Whether an employee works here, sees the case and may work on it."""
    theirs = actor_for(user, Organisation.objects.for_actor(actor).get(), actor.origin)
    return (
        theirs is not None
        and not hidden_from(theirs, case)
        and bool(decide(theirs, CHANGE_CASE, case))
    )


def lost_to(actor: Actor, user: User, case: Case) -> bool:
    """Whether an employee who has the case can see it no more."""
    theirs = actor_for(user, Organisation.objects.for_actor(actor).get(), actor.origin)
    return theirs is not None and bool(hidden_from(theirs, case))
