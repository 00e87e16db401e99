"""Saying who an applicant is: the claims of an application beside whom they may be."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import selectors
from cases.catalogue_forms import ApplicantForm, refused_words
from cases.permissions import CHANGE_CASE
from cases.services import filing
from crm.audit.record import record
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.services.registration import Duplicates
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def applicant(request: ActorRequest, case: UUID) -> HttpResponse:
    """Choose the citizen whom the applicant says to be, or register them."""
    row = selectors.case_of(request.actor, case)
    require(request.actor, CHANGE_CASE, row)
    require(request.actor, VIEW_CITIZEN)
    application = filing.application_of(request.actor, row)
    sent = request.method == "POST"
    form = ApplicantForm(request.POST if sent else None)
    problem = ""
    if sent and form.is_valid():
        given = form.cleaned_data
        shown = filing.candidates(request.actor, application)
        try:
            filing.identify_applicant(
                request.actor,
                case,
                citizen=given["citizen"],
                kind=given["kind"],
                despite=[one.citizen.uuid for one in shown] if "despite" in request.POST else (),
            )
        except Duplicates as error:
            problem = str(error.message)
        except (Invalid, Conflict) as error:
            problem = refused_words(error)
        else:
            messages.success(request, _("The case has its citizen now."))
            return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    candidates = filing.candidates(request.actor, application)
    if not sent:
        record(request.actor, "searched", row, found=len(candidates))
    context = {
        "case": row,
        "application": application,
        "candidates": candidates,
        "form": form,
        "problem": problem,
    }
    return render(request, "cases/applicant.html", context, status=422 if problem else 200)
