"""Case types: the list, and a new one."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cases import services
from cases.designing import code_of, empty_bundle
from cases.forms import show_errors
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.presenting import asks_in_words
from cases.services.catalogue import newest_version
from cases.studio_forms.whole import NewTypeForm
from cases.workflow import Workflow, of_version
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid
from crm.kit.policy import catalogue

LONGEST_CODE = 60


@require_GET
@needs(PUBLISH_CASE_TYPE)
def type_list(request: ActorRequest) -> HttpResponse:
    """Every case type with its states and moves."""
    rows = CaseType.objects.for_actor(request.actor).order_by("name").prefetch_related("versions")
    types = []
    for row in rows:
        published = _of_status(row, CaseTypeVersion.Status.PUBLISHED)
        workflow = of_version(published.bundle) if published else None
        types.append(
            {
                "type": row,
                "version": published,
                "draft": _of_status(row, CaseTypeVersion.Status.DRAFT),
                "retired": _of_status(row, CaseTypeVersion.Status.RETIRED),
                "workflow": workflow,
                "term": workflow.term.words if workflow and workflow.term else "",
                "moves": _moves(workflow) if workflow else [],
            }
        )
    return render(request, "cases/types.html", {"types": types})


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def new_type(request: ActorRequest) -> HttpResponse:
    """A new case type, as a draft; its code is made of its name."""
    types = CaseType.objects.for_actor(request.actor).order_by("name")
    choices = [(row.code, row.name) for row in types]
    form = NewTypeForm(request.POST or None, types=choices)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            created = services.create_draft_type(
                request.actor,
                code=code_of(said["name"], {code for code, _name in choices}, LONGEST_CODE, "-"),
                name=said["name"],
                nature=said["nature"],
                bundle=_beginning(request, form),
            )
        except Invalid as error:
            show_errors(form, error)
        else:
            text = _("%(name)s has been begun. Nothing can be opened by it before you publish.")
            messages.success(request, text % {"name": created.name})
            return HttpResponseRedirect(reverse("cases:type", args=[created.code]))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "cases/studio/new.html", {"form": form}, status=status)


def _beginning(request: ActorRequest, form: NewTypeForm) -> Mapping[str, Any] | None:
    """What the draft says at first; None: the simple one."""
    start = form.cleaned_data["start"]
    if start == NewTypeForm.COPY:
        rows = CaseType.objects.for_actor(request.actor)
        copied = rows.get_or_refuse(code=form.cleaned_data["copy_of"])
        version = newest_version(copied) or services.draft_of(request.actor, copied.code)
        return version.bundle if version else None
    return empty_bundle() if start == NewTypeForm.EMPTY else None


def _moves(workflow: Workflow) -> list[dict[str, str]]:
    """The moves as people read them, without codes."""
    return [
        {
            "name": move.name,
            "sources": ", ".join(workflow.name_of(source) for source in move.sources),
            "target": workflow.name_of(move.target),
            "permission": str(catalogue[move.permission].sentence),
            "asks": asks_in_words(workflow, move.requires),
        }
        for move in workflow.moves
    ]


def _of_status(row: CaseType, status: str) -> CaseTypeVersion | None:
    return next((one for one in row.versions.all() if one.status == status), None)
