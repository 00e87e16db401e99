"""The information letter and requests for papers on the page of a case."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import selectors
from cases.models import PapersRequest
from cases.permissions import CHANGE_CASE
from cases.presenting import row_of
from cases.services import letters
from cases.views.acts import act, version_seen
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid, Text
from crm.organisations.calendars import NotCovered, not_loaded
from crm.organisations.services import calendar_for


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def letter(request: ActorRequest, case: UUID) -> HttpResponse:
    """The letter as it will go, and the button that sends it; once sent, what became of it."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "letter")
    status = 200
    if request.method == "POST":
        try:
            letters.send_letter(request.actor, case)
        except Conflict as error:
            messages.error(request, str(error))
            status = error.status
        else:
            messages.success(request, _("The information letter is on its way."))
            return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    context: dict[str, object] = {"case": row, "row": row_of(request.actor, row)}
    try:
        context |= {
            "sent": letters.message_of_letter(request.actor, row),
            "text": letters.letter_text(row),
            "until": letters.letter_until(row),
        }
    except NotCovered as error:
        context["refusal"] = error.message
    return render(request, "cases/letter.html", context, status=status)


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def papers(request: ActorRequest, case: UUID) -> HttpResponse:
    """What was asked of the citizen and by when; asking for more."""
    actor, row = request.actor, selectors.case_of(request.actor, case)
    record_part(actor, row, "papers")
    errors: dict[str, list[Text]] = {}
    status = 200
    if request.method == "POST":
        try:
            letters.request_papers(
                actor,
                case,
                papers=request.POST.get("papers", ""),
                term=request.POST.get("term", ""),
                version=version_seen(request),
            )
        except Invalid as error:
            errors = {name: [*texts] for name, texts in error.errors.items()}
            errors, status = errors or {"": [error.message]}, 422
        except Conflict as error:
            errors, status = {"": [error.message]}, error.status
        else:
            messages.success(request, _("The citizen has been asked for the papers."))
            return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    requests = list(PapersRequest.objects.for_actor(actor).filter(case=row))
    today = timezone.now().astimezone(calendar_for(row.unit).zone).date()
    context = {
        "case": row,
        "row": row_of(actor, row),
        "requests": requests[::-1],
        "waiting": next((one for one in requests if one.ended_on is None), None),
        "ends": PapersRequest.End.choices,
        "today": today,
        "typed": request.POST,
        "usual": letters.USUAL_TERM,
        "problems": [text for found in errors.values() for text in found],
        "wrong": {name: found[0] for name, found in errors.items() if name},
        "not_loaded": not_loaded(calendar_for(row.unit), today, today),
    }
    return render(request, "cases/papers.html", context, status=status)


@act(CHANGE_CASE)
def end(request: ActorRequest, case: UUID) -> str:
    """« Terminar la petición »."""
    letters.end_papers(
        request.actor,
        case,
        end=request.POST.get("end", ""),
        on=_day(request.POST.get("on", "")),
        version=version_seen(request),
    )
    return _("The request for papers has ended.")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Invalid(errors={"on": [_("Write the day as 2026-03-10.")]}) from None
