"""The organisation's settings: its data and look with a preview, its logo, its options."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings as installation
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.kit.access import ActorRequest, needs
from crm.kit.errors import DomainError, Invalid, Refused
from crm.kit.policy import decide
from crm.organisations import services
from crm.organisations.branding import MINIMUM_CONTRAST, check_accent, contrasts
from crm.organisations.forms import OptionsForm, OrganisationForm, calendar_choices
from crm.organisations.models import Organisation, WorkingCalendar
from crm.organisations.permissions import CHANGE_ORGANISATION

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_OR_POST)
@needs(CHANGE_ORGANISATION)
def settings(request: ActorRequest) -> HttpResponse:
    """Read and change the organisation's data."""
    if request.method != "POST":
        return _page(request)
    form = OrganisationForm(request.POST, calendars=_calendars(request))

    def change() -> None:
        given = dict(form.cleaned_data)
        calendar = given.pop("calendar")
        services.change_organisation(
            request.actor, calendar_id=UUID(calendar) if calendar else None, **given
        )

    status = form.saved(change, lambda: OrganisationForm.of(_organisation(request)))
    if status == HTTPStatus.OK:
        messages.success(request, _("Changes saved."))
        return redirect("organisations:settings")
    return _page(request, form=form, status=status)


@require_POST
@needs(CHANGE_ORGANISATION)
def options(request: ActorRequest) -> HttpResponse:
    """Change the organisation's options."""
    form = OptionsForm(request.POST)
    status = form.saved(
        lambda: services.change_options(
            request.actor, form.changes(), seen=form.cleaned_data["seen"]
        ),
        lambda: OptionsForm.of(_organisation(request)),
    )
    if status == HTTPStatus.OK:
        messages.success(request, _("Changes saved."))
        return redirect("organisations:settings")
    return _page(request, options_form=form, status=status)


@require_POST
@needs(CHANGE_ORGANISATION)
def logo(request: ActorRequest) -> HttpResponse:
    """Set the logo, or (without a file) remove it."""
    file = request.FILES.get("file")
    try:
        if file is None:
            services.remove_logo(request.actor)
        else:
            services.set_logo(request.actor, file.chunks(), file.name or "")
    except Refused:
        raise
    except DomainError as error:
        return _page(request, logo_error=str(error.message), status=error.status)
    messages.success(request, _("Changes saved."))
    return redirect("organisations:settings")


@require_safe
@needs(CHANGE_ORGANISATION)
def preview(request: ActorRequest) -> HttpResponse:
    """How a colour would look, and whether text on it can be read."""
    return render(request, "organisations/_preview.html", _preview(request.GET.get("accent", "")))


def _preview(raw: str) -> dict[str, Any]:
    """The worst contrast of each theme, and the reason when the colour is refused."""
    try:
        accent, problem = check_accent(raw), ""
    except Invalid as error:
        accent, problem = raw.strip().lower(), str(error.message)
        if error.code != "contrast":
            return {"accent": "", "problem": problem, "themes": []}
    names = {"light": _("Light"), "dark": _("Dark"), "contrast": _("High contrast")}
    found = contrasts(accent)
    worst = {
        theme: min(contrast.ratio for contrast in found if contrast.theme == theme)
        for theme in names
    }
    themes = [(names[theme], ratio, ratio >= MINIMUM_CONTRAST) for theme, ratio in worst.items()]
    return {"accent": accent.removeprefix("#"), "problem": problem, "themes": themes}


def _calendars(request: ActorRequest) -> list[tuple[str, str]]:
    return calendar_choices(WorkingCalendar.objects.for_actor(request.actor))


def _organisation(request: ActorRequest) -> Organisation:
    return Organisation.objects.for_actor(request.actor).select_related("calendar").get()


def _page(
    request: ActorRequest,
    *,
    form: OrganisationForm | None = None,
    options_form: OptionsForm | None = None,
    logo_error: str = "",
    status: int = 200,
) -> HttpResponse:
    organisation = _organisation(request)
    context = {
        "organisation": organisation,
        "form": form
        or OrganisationForm(
            initial=OrganisationForm.of(organisation), calendars=_calendars(request)
        ),
        "options_form": options_form or OptionsForm(initial=OptionsForm.of(organisation)),
        "logo_error": logo_error,
        "logo_limit": f"{installation.FILES_MAX_BYTES // (1024 * 1024)} MB",
        "logo_max_bytes": installation.FILES_MAX_BYTES,
        "may": decide(request.actor, CHANGE_ORGANISATION, organisation),
        **_preview(organisation.accent),
    }
    return render(request, "organisations/settings.html", context, status=status)
