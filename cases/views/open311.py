"""Services that other systems may report to: the list, and the form of one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases.offering import OfferForm
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services import reports
from crm.integrations.models import PublishedService
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid


@require_safe
@needs(PUBLISH_CASE_TYPE)
def services(request: ActorRequest) -> HttpResponse:
    """What other systems may report to."""
    rows = PublishedService.objects.for_actor(request.actor).select_related("unit")
    context = {
        "services": rows.order_by("group", "name"),
        "code": request.actor.organisation_code.lower(),
    }
    return render(request, "cases/open311.html", context)


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def new(request: ActorRequest) -> HttpResponse:
    """Offer one more."""
    form = OfferForm(request.POST or None, actor=request.actor)
    status = 200
    if request.method == "POST":
        status = form.saved(lambda: reports.publish_service(request.actor, form.given()))
        if status == 200:
            messages.success(request, _("Other systems can report to it now."))
            return redirect("cases:open311")
    context = {"form": form, "title": _("New service")}
    return render(request, "cases/open311_service.html", context, status=status)


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def service(request: ActorRequest, service: UUID) -> HttpResponse:
    """Change one."""

    def row() -> PublishedService:
        rows = PublishedService.objects.for_actor(request.actor).select_related("unit")
        return rows.get_or_refuse(uuid=service)

    found = row()
    initial = OfferForm.of(found)
    form = OfferForm(request.POST or None, actor=request.actor, initial=initial)
    status = 200
    if request.method == "POST":

        def save() -> None:
            seen = _seen(form.cleaned_data["seen"])
            reports.change_service(request.actor, service, form.given(), seen=seen)

        status = form.saved(save, lambda: OfferForm.of(row()))
        if status == 200:
            messages.success(request, _("Changes saved."))
            return redirect("cases:open311")
    context: dict[str, Any] = {"form": form, "title": found.name}
    return render(request, "cases/open311_service.html", context, status=status)


def _seen(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if text and moment is None:
        raise Invalid
    return moment
