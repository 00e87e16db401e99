"""Acting in a citizen's name: decided at the moment of the act, and kept with it."""

from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext as _

from cases.models import Case, Event, EventKind, Representation
from cases.permissions import OPEN_CASE, VIEW_CASE
from cases.represented import subject_of, subject_of_type
from crm.citizens.models import Act, Citizen, Mandate
from crm.citizens.representing import attended as as_attended
from crm.citizens.representing import weighed
from crm.kit.actor import Actor, Attended
from crm.kit.errors import Invalid, Refused


def applying(actor: Actor, case: Case, representative: UUID | None) -> tuple[Actor, Citizen | None]:
    """The actor who opens the case for who applies in the citizen's name, and that representative:
    the one named, else whom the actor attends. Invalid at `representative` where no mandate lets them."""
    attended = actor.attended(case.citizen_id)
    if representative is None and attended is None:
        return actor, None
    if case.citizen is None:
        text = _("Say first in whose name they apply.")
        raise Invalid(errors={"representative": [text]})
    people = Citizen.objects.for_actor(actor)
    holder = (
        people.filter(uuid=representative).first()
        if representative
        else people.filter(pk=attended.holder if attended else 0).first()
    )
    if holder is None:
        raise Invalid(errors={"representative": [_("There is no such citizen.")]})
    subject = subject_of_type(case.case_type)
    found = weighed(actor, holder.pk, case.citizen.pk, Act.FILE, subject)
    if not found:
        raise Invalid(errors={"representative": [found.decision.reason]})
    others = tuple(one for one in actor.attends if one.subject != case.citizen_id)
    speaking = as_attended(actor, holder, case.citizen)
    return replace(actor, attends=(*others, speaking)), holder


def keep(actor: Actor, case: Case, event: Event, attended: Attended) -> Representation:
    """What was done for who speaks in the citizen's name stands with the mandate that lets it be done
    now; Refused when none does any more."""
    act = Act.FILE if event.kind == EventKind.OPENED else Act.INFORM
    assert case.citizen_id is not None
    mandate = _deciding(actor, case, attended.holder, act)
    return Representation.objects.create(
        case=case, event=event, mandate=mandate, holder_id=attended.holder, act=act
    )


def keep_notified(case: Case, event: Event, holder: Citizen, mandate: Mandate) -> Representation:
    """What was written to the citizen went to who receives notifications for them."""
    told = {"case": case, "mandate": mandate, "holder": holder, "act": Act.NOTIFY}
    rows = Representation.objects.unscoped("of an event that the caller has just written")
    return rows.get_or_create(event=event, defaults=told)[0]


def _deciding(actor: Actor, case: Case, holder: int, act: str) -> Mandate:
    """The mandate that lets the act be done: to be told when nothing but applying is let and they did."""
    assert case.citizen_id is not None
    found = weighed(actor, holder, case.citizen_id, act, subject_of(case))
    if not found and act == Act.INFORM:  # who may only apply is told that they have
        applied = weighed(actor, holder, case.citizen_id, Act.FILE, subject_of(case))
        found = applied or found
    if found.mandate is None:
        permission = OPEN_CASE if act == Act.FILE else VIEW_CASE
        raise Refused(permission, found.decision.reason, case)
    return found.mandate
