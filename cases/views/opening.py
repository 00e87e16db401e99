"""Opening a case: the citizen, the kind, what it is about, and where."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cases import selectors, services
from cases.fields import Fields
from cases.forms import NewCaseForm, show_errors
from cases.permissions import OPEN_CASE
from cases.services import NewCase
from cases.views import on_behalf as asking
from cases.workflow import of_version
from crm.citizens.models import Citizen
from crm.citizens.permissions import CHANGE_CITIZEN, VIEW_CITIZEN
from crm.citizens.search import search
from crm.citizens.selectors import shown_name
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import Invalid

FOUND_AT_ONCE = 8


@require_http_methods(["GET", "POST"])
@needs(OPEN_CASE)
def new(request: ActorRequest) -> HttpResponse:
    """The form of a new case; a kind chosen brings its own fields and keeps everything typed."""
    actor = request.actor
    sent = request.method == "POST"
    kind = (request.POST if sent else request.GET).get("case_type", "")
    form = NewCaseForm(
        request.POST if sent else None,
        initial=_initial(request),
        types=selectors.case_types(actor),
        units=selectors.units_where(actor, OPEN_CASE),
        fields=_fields(actor, kind),
    )
    if sent and "choose" in request.POST:  # only the kind was chosen: nothing is wrong yet
        form = _unjudged(form)
    elif sent and form.is_valid():
        said = form.said() | {
            name: form.cleaned_data[name] for name in ("case_type", "unit", "confidentiality")
        }
        mine = form.cleaned_data["mine"] and actor.user_id is not None
        try:
            speaker, representative = asking.speaker(actor, form)
            new = NewCase(
                **said, assignee=actor.uuid if mine else None, representative=representative
            )
            case = services.open_case(speaker, new)
        except Invalid as error:
            show_errors(form, error)
        else:
            text = _("The case %(reference)s has been opened.")
            messages.success(request, text % {"reference": case.reference})
            return HttpResponseRedirect(reverse("cases:detail", args=[case.uuid]))
    context = {
        "form": form,
        "citizen": chosen_citizen(actor, form["citizen"].value()),
        "map_start": partial(selectors.map_start, actor),
        **asking.who_asks(actor, form["citizen"].value(), kind, form["representative"].value()),
        "may_search": actor.holds(VIEW_CITIZEN),
        "may_register": actor.holds(CHANGE_CITIZEN),
    }
    template = "cases/_type_fields.html" if request.htmx and sent else "cases/new.html"
    return render(request, template, context, status=422 if form.is_bound and form.errors else 200)


@require_GET
@needs(VIEW_CITIZEN)
def find_citizen(request: ActorRequest) -> HttpResponse:
    """Citizens to choose from as one types; the search is recorded by its own room."""
    text = request.GET.get("person", "").strip()
    found = search(request.actor, text, FOUND_AT_ONCE) if len(text) > 1 else None
    context = {"found": found, "text": text, "may_register": request.actor.holds(CHANGE_CITIZEN)}
    return render(request, "cases/_citizens.html", context)


def _initial(request: ActorRequest) -> dict[str, Any]:
    unit = selectors.home_unit(request.actor)
    return {
        "citizen": request.GET.get("citizen", request.GET.get("persona", "")),
        "representative": request.GET.get("representative", ""),
        "case_type": request.GET.get("case_type", ""),
        "unit": str(unit.uuid) if unit else "",
        "channel": "in_person",
    }


def _fields(actor: Actor, kind: str) -> Fields | None:
    if not kind:
        return None
    try:
        return of_version(services.published_version(actor, kind).bundle).fields
    except Invalid:
        return None


def _unjudged(form: NewCaseForm) -> NewCaseForm:
    form.full_clean()
    form.errors.clear()
    return form


def chosen_citizen(actor: Actor, value: object) -> dict[str, Any] | None:
    """Whom the case will be of, as they may be named here."""
    try:
        uuid = UUID(str(value or ""))
    except ValueError:
        return None
    found = Citizen.objects.for_actor(actor).known_by(uuid).first()
    return {"uuid": found.uuid, "name": shown_name(actor, found)} if found else None
