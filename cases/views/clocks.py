"""The legal deadline on the page of a case: why it ends when it ends, and what stops or extends it."""

from datetime import date
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from cases import clocks, selectors, services
from cases.permissions import CHANGE_CLOCK, VIEW_CASE
from cases.silence import procedure_of, silence
from cases.views.acts import act, version_seen
from cases.workflow import of_version
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid
from crm.organisations.calendars import NotCovered
from crm.organisations.services import calendar_for


@require_GET
@needs(VIEW_CASE)
def account(request: ActorRequest, case: UUID) -> HttpResponse:
    """The sum that leads to the due date, with each suspension and extension; a part of the page."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "clock")
    term = of_version(row.type_version.bundle).term
    calendar = calendar_for(row.unit)
    context: dict[str, object] = {"case": row}
    try:
        found = clocks.account(row, term, calendar) if term else None
        if term:
            context["silence"] = silence(row, procedure_of(row), calendar, timezone.now())
        context |= {"account": found, "intervals": _told(found) if found else []}
    except NotCovered as error:
        context["refusal"] = error.message
    return render(request, "cases/_clock.html", context)


@act(CHANGE_CLOCK)
def suspend(request: ActorRequest, case: UUID) -> str:
    """« Suspender el plazo »."""
    services.suspend_clock(
        request.actor,
        case,
        ground=request.POST.get("ground", ""),
        reason=request.POST.get("reason", ""),
        on=_day(request, "on"),
        limit=_day(request, "limit"),
        version=version_seen(request),
    )
    return _("The legal deadline is suspended.")


@act(CHANGE_CLOCK)
def resume(request: ActorRequest, case: UUID) -> str:
    """« Reanudar el plazo »."""
    services.resume_clock(
        request.actor,
        case,
        reason=request.POST.get("reason", ""),
        on=_day(request, "on"),
        version=version_seen(request),
    )
    return _("The legal deadline runs again.")


@act(CHANGE_CLOCK)
def extend(request: ActorRequest, case: UUID) -> str:
    """« Ampliar el plazo »."""
    count, unit = request.POST.get("count", ""), request.POST.get("unit", "")
    services.extend_clock(
        request.actor,
        case,
        ground=request.POST.get("ground", ""),
        term=f"{count.strip()}{unit}",
        reason=request.POST.get("reason", ""),
        version=version_seen(request),
    )
    return _("The legal deadline is longer now.")


def _told(found: clocks.Account) -> list[tuple[object, object]]:
    """Each suspension and extension with the words of its article."""
    words = {
        **{name: ground.words for name, ground in clocks.SUSPENDS.items()},
        **clocks.EXTENDS,
    }
    return [(one, words.get(one.ground, "")) for one in found.intervals]


def _day(request: ActorRequest, name: str) -> date | None:
    """A day of the form; none when it was left empty."""
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(errors={name: [_("Write the day as 2026-03-10.")]}) from None
