"""Who asks for a case: the citizen themselves, or one of those who have a mandate at that moment."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cases.forms import NewCaseForm
from cases.models import CaseType
from cases.permissions import OPEN_CASE
from cases.represented import subject_of_type
from crm.citizens.models import Act, Citizen
from crm.citizens.permissions import VIEW_MANDATE
from crm.citizens.representing import holders_for
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor

THEMSELVES = "self"


@require_GET
@needs(OPEN_CASE)
def who_asks_part(request: ActorRequest) -> HttpResponse:
    """Those who may apply for the citizen chosen in the form, for a case of the type chosen."""
    given = request.GET
    context = who_asks(
        request.actor, given.get("citizen"), given.get("case_type", ""), given.get("representative")
    )
    return render(request, "cases/_who_asks.html", context)


def who_asks(actor: Actor, citizen: object, kind: str, chosen: object) -> dict[str, Any]:
    """Who has a mandate of the citizen, and whether each may apply for this now; empty when nobody has."""
    found = _citizen(actor, citizen)
    if found is None or not actor.holds(VIEW_MANDATE):
        return {"holders": [], "chosen": ""}
    case_type = CaseType.objects.for_actor(actor).filter(code=kind).first() if kind else None
    subject = subject_of_type(case_type) if case_type else None
    holders = holders_for(actor, found, Act.FILE, subject)
    attended = actor.attended(found.pk)
    attends = next(
        (str(one.uuid) for one, *_rest in holders if attended and one.pk == attended.holder), ""
    )
    return {"holders": holders, "chosen": str(chosen or attends or THEMSELVES)}


def speaker(actor: Actor, form: NewCaseForm) -> tuple[Actor, UUID | None]:
    """The actor for whoever asks, and the representative who was chosen: of the citizen themselves, an
    actor who attends nobody in their name."""
    said = form.cleaned_data["representative"]
    if said == THEMSELVES:
        return actor.without_attended(), None
    try:
        return actor, UUID(said) if said else None
    except ValueError:
        return actor, UUID(int=0)


def _citizen(actor: Actor, value: object) -> Citizen | None:
    try:
        uuid = UUID(str(value or ""))
    except ValueError:
        return None
    return Citizen.objects.for_actor(actor).filter(uuid=uuid).first()
