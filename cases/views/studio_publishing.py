"""The studio's way out: how a draft would look, what publishing says, and that it holds."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import macros, services
from cases.catalogue import Shown
from cases.designing import LOTS
from cases.fields import Fields, check_fields
from cases.forms import DataForm
from cases.models import Procedure, ProcedureText
from cases.permissions import PUBLISH_CASE_TYPE
from cases.studio_forms.base import term_in
from cases.studio_words import told
from cases.views.studio import (
    GET_OR_POST,
    PREVIEW,
    PUBLISH,
    WRITTEN_FIRST,
    Studio,
    page,
    studio_of,
)
from cases.window_forms import ApplicationForm
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid
from crm.kit.templatetags.ui import own_name
from crm.organisations.models import Organisation

MISSING_IN_PREVIEW = "vista-previa"


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def publish(request: ActorRequest, code: str) -> HttpResponse:
    """What the checks say and what changes; then the draft is in force."""
    studio = studio_of(request, code, PUBLISH)
    if request.method == "POST":
        seen, despite = request.POST.get("seen") or None, "despite" in request.POST
        try:
            version = services.publish_draft(request.actor, code, seen=seen, despite=despite)
        except (Conflict, Invalid) as error:
            messages.error(request, str(error.message))
            return _publishing(request, studio_of(request, code, PUBLISH), error.status)
        text = _("Version %(number)s is in force. New cases are worked by it.")
        messages.success(request, text % {"number": version.number})
        return HttpResponseRedirect(reverse("cases:type", args=[code]))
    return _publishing(request, studio)


def _publishing(request: ActorRequest, studio: Studio, status: int = HTTPStatus.OK) -> HttpResponse:
    """With the macros that publishing or retiring would break, which stands in nobody's way."""
    actor, draft, newest = request.actor, studio.draft, studio.newest
    broken: list[macros.Broken] = []
    if draft is not None and newest is not None:
        broken = macros.broken_by(actor, studio.code, newest.bundle, draft.bundle)
    naming = macros.naming_type(actor, studio.code) if studio.in_force else []
    return page(request, studio, "publish", status, broken=broken, naming=naming)


@require_POST
@needs(PUBLISH_CASE_TYPE)
def retire(request: ActorRequest, code: str) -> HttpResponse:
    """Nothing new is opened by the type."""
    services.retire_case_type(request.actor, code)
    text = _("Nothing new is opened by it. What is open is worked to its end.")
    messages.success(request, text)
    return HttpResponseRedirect(reverse("cases:type", args=[code]))


# --- Preview ------------------------------------------------------------------------------------


@require_GET
@needs(PUBLISH_CASE_TYPE)
def preview(request: ActorRequest, code: str) -> HttpResponse:
    """The draft as an employee would have it before them: the form of a new case, and the case."""
    studio = studio_of(request, code, PREVIEW)
    form = DataForm()
    fields = _fields(studio)
    if fields is not None:
        form.add_data_fields(fields, {})
    languages = Organisation.objects.for_actor(request.actor).get().languages
    context = {
        "form": form,
        "readable": fields is not None,
        "narrow": request.GET.get("ancho") == "estrecho",
        "term": term_in(studio.bundle.get("term")),
        **_standing(studio, request.GET.get("estado", "")),
        "languages": [(one, own_name(one)) for one in languages],
    }
    return page(request, studio, "preview", **context)


def _standing(studio: Studio, chosen: str) -> dict[str, Any]:
    """A case in one state: its chip, and the moves that leave it."""
    states = LOTS["estados"].keyed(studio.bundle)
    codes = [item.get("code") for _key, item in states]
    here = chosen if chosen in codes else studio.bundle.get("initial")
    state = next((item for _key, item in states if item.get("code") == here), None)
    moves = [
        {"name": item.get("name"), "to": item.get("to"), "told": told("pasos", item, studio.bundle)}
        for _key, item in LOTS["pasos"].keyed(studio.bundle)
        if isinstance(item.get("from"), list) and here in item["from"]
    ]
    return {"state": state, "moves": moves}


@require_http_methods(GET_OR_POST)
@needs(PUBLISH_CASE_TYPE)
def preview_public(request: ActorRequest, code: str) -> HttpResponse:
    """The draft as a citizen would apply by it, in one language; what is sent is judged, never kept."""
    studio = studio_of(request, code, PREVIEW)
    organisation = Organisation.objects.for_actor(request.actor).get()
    language = request.GET.get("idioma", "")
    language = language if language in organisation.languages else WRITTEN_FIRST
    with override(language):
        fields = _fields(studio) or Fields({})
        sent = request.method == "POST"
        form = ApplicationForm(request.POST if sent else None, fields=fields)
        good = sent and form.is_valid()
        if good:
            try:
                fields.require_valid(form.cleaned_case_data())
            except Invalid as error:
                good = False
                for name, texts in error.errors.items():
                    for text in texts:
                        form.add_error(name if name in form.fields else None, str(text))
        procedure = Procedure(code=MISSING_IN_PREVIEW, case_type=studio.row)
        words = ProcedureText(language=language, name=studio.row.name)
        context = {
            "organisation": organisation,
            "code": organisation.code,
            "shown": Shown(procedure, words, term_in(studio.bundle.get("term")), fields),
            "form": form,
            "max_bytes": settings.FILES_MAX_BYTES,
            "max_size": f"{settings.FILES_MAX_BYTES // (1024 * 1024)} MB",
            "good": good,
            "type": studio.row,
            "language": language,
            "languages": [(one, own_name(one)) for one in organisation.languages],
            "narrow": request.GET.get("ancho") == "estrecho",
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        return render(request, "cases/studio/public.html", context, status=status)


def _fields(studio: Studio) -> Fields | None:
    """The fields of the draft, unless something about them is too wrong to be shown."""
    schema = studio.bundle.get("fields") or {}
    return None if any(one.blocks for one in check_fields(schema)) else Fields(schema)
