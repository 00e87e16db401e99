"""Service targets: why each of a case ends when it ends, and what is in danger in a unit."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from cases import selectors
from cases.lists import CaseFilter, find
from cases.permissions import ASSIGN_CASE, VIEW_CASE
from cases.presenting import rows_of
from crm.audit.record import record_part
from crm.citizens.search import record_search
from crm.kit.access import ActorRequest, needs

ROWS = 50


@require_GET
@needs(VIEW_CASE)
def account(request: ActorRequest, case: UUID) -> HttpResponse:
    """The sum that leads to each moment, with the pauses; a part of the page."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "targets")
    found = selectors.targets_of(request.actor, row, timezone.now(), explained=True)
    return render(request, "cases/_targets.html", {"case": row, "targets": found[::-1]})


@require_GET
@needs(ASSIGN_CASE)
def danger(request: ActorRequest) -> HttpResponse:
    """What is in danger or late in a unit, and who there has room for it."""
    actor = request.actor
    units = selectors.units_where(actor, ASSIGN_CASE)
    home = selectors.home_unit(actor)
    wanted = request.GET.get("unidad") or (str(home.uuid) if home else "")
    unit = next((one for one in units if one.uuid == wanted), units[0] if units else None)
    asked = CaseFilter(unit=UUID(unit.uuid) if unit else None, danger=True, by="target")
    page = find(actor, asked, size=ROWS)
    record_search(actor, "cases", filters=asked.given, found=len(page.rows))
    context = {
        "units": units,
        "unit": unit,
        "rows": rows_of(actor, page.rows),
        "more": bool(page.after),
        "room": selectors.room_in(actor, unit.id, timezone.now()) if unit else [],
        "filter": request.GET.urlencode(),
    }
    return render(request, "cases/danger.html", context)
