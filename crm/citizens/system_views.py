"""What other systems say of a person: each asked by itself, so that none keeps the page waiting."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.citizens import keeping, reasons
from crm.citizens.services import lookups
from crm.citizens.services.records import Opened, ReasonNeeded
from crm.citizens.views import ask_reason, opened, reference_in, way_in
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.access import ActorRequest, needs


@require_GET
@needs(CONSULT_SYSTEMS)
def system(request: ActorRequest, citizen: UUID, connection: UUID) -> HttpResponse:
    """What another system says of the person: a part that their page asks for by itself."""
    reason = reasons.stated(request, citizen)
    try:
        looked = lookups.look_up(
            request.actor, citizen, connection, purpose=way_in(request), reason=reason
        )
    except ReasonNeeded as needed:
        return ask_reason(request, needed.record)
    return _of_system(request, looked)


def _of_system(request: ActorRequest, looked: lookups.Looked) -> HttpResponse:
    person, reference = looked.record.citizen, reference_in(request)
    shown = looked.shown
    keeper = keeping.keeper_for(request.actor, person, reference) if shown else None
    context = {
        "looked": looked,
        "citizen": person,
        "opened_from": reference,
        "keeper": keeper,
        "sealed": keeping.seal(request.actor, shown) if keeper and shown else "",
    }
    template = "citizens/_system.html" if request.htmx else "citizens/system.html"
    return render(request, template, context)


@require_GET
@needs(CONSULT_SYSTEMS)
@opened
def systems(request: ActorRequest, found: Opened) -> HttpResponse:
    """The systems that can be asked about the person, each of which then asks for itself."""
    told = lookups.panel(request.actor, found.citizen) or {"systems": []}
    attended = request.actor.attended(found.citizen.pk)
    context = {
        **told,
        "citizen": found.citizen,
        "record": found.record,
        "withheld": attended is not None and not attended.everything,
        "opened_from": reference_in(request),
    }
    template = "citizens/_systems.html" if request.htmx else "citizens/systems.html"
    return render(request, template, context)
