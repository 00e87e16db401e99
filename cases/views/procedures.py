"""The catalogue of procedures in the console: the list, the form of one, publishing and retiring."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import catalogue, selectors
from cases.catalogue_forms import ProcedureForm
from cases.models import Procedure
from cases.permissions import PUBLISH_CASE_TYPE
from cases.ports import bookable
from cases.services import procedures
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid
from crm.organisations.models import Organisation


@require_GET
@needs(PUBLISH_CASE_TYPE)
def procedure_list(request: ActorRequest) -> HttpResponse:
    """Every procedure of the organisation, published or not."""
    rows = catalogue.procedures(request.actor)
    ordered = sorted(
        rows,
        key=lambda row: (
            row.status == Procedure.Status.RETIRED,
            str(catalogue.text_of(row, "es")),
        ),
    )
    found = [
        {"row": row, "text": catalogue.text_of(row, "es"), "languages": row.texts.all()}
        for row in ordered
    ]
    return render(request, "cases/procedures.html", {"procedures": found})


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def new_procedure(request: ActorRequest) -> HttpResponse:
    """A new procedure, as a draft."""
    form = _form(request, None)
    if request.method == "POST" and form.is_valid():
        try:
            made = procedures.create_procedure(
                request.actor, form.cleaned_data["code"], form.said()
            )
        except Invalid as error:
            form.refused(error)
        else:
            messages.success(request, _("The draft has been saved. Citizens do not see it yet."))
            return HttpResponseRedirect(reverse("cases:procedure", args=[made.code]))
    return _page(request, form, None)


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def procedure(request: ActorRequest, code: str) -> HttpResponse:
    """One procedure; what is saved on a published one citizens see at once."""
    row = catalogue.procedures(request.actor).get_or_refuse(code=code)
    form = _form(request, row)
    if request.method == "POST" and form.is_valid():
        try:
            procedures.change_procedure(request.actor, code, form.said(), seen=form.seen_at())
        except (Invalid, Conflict) as error:
            form.refused(error)
        else:
            messages.success(request, _("The procedure has been saved."))
            return HttpResponseRedirect(reverse("cases:procedure", args=[code]))
    return _page(request, form, row)


@require_POST
@needs(PUBLISH_CASE_TYPE)
def publish_procedure(request: ActorRequest, code: str) -> HttpResponse:
    """Citizens see it."""
    return _act(request, code, procedures.publish_procedure, _("Citizens can apply for it now."))


@require_POST
@needs(PUBLISH_CASE_TYPE)
def retire_procedure(request: ActorRequest, code: str) -> HttpResponse:
    """Citizens no longer see it."""
    told = _("Citizens no longer see it. Its cases go on.")
    return _act(request, code, procedures.retire_procedure, told)


def _act(request: ActorRequest, code: str, verb: "procedures.Act", told: str) -> HttpResponse:
    try:
        verb(request.actor, code)
    except (Invalid, Conflict) as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, told)
    return HttpResponseRedirect(reverse("cases:procedure", args=[code]))


def _form(request: ActorRequest, row: Procedure | None) -> ProcedureForm:
    organisation = Organisation.objects.for_actor(request.actor).get()
    initial = ProcedureForm.initial_of(row, row.texts.all()) if row else {"silence": "none"}
    form = ProcedureForm(
        request.POST or None,
        initial=initial,
        types=selectors.case_types(request.actor),
        units=selectors.all_units(request.actor),
        languages=organisation.languages,
        bookable=bookable(request.actor),
    )
    form.fields["code"].disabled = row is not None
    return form


def _page(request: ActorRequest, form: ProcedureForm, row: Procedure | None) -> HttpResponse:
    context = {
        "form": form,
        "procedure": row,
        "text": catalogue.text_of(row, "es") if row else None,
        "organisation_code": request.actor.organisation_code,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "cases/procedure.html", context, status=status)
