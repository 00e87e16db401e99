"""Case types: the list, and the form of one."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cases import services
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.presenting import asks_in_words
from cases.services.catalogue import newest_version
from cases.type_forms import CaseTypeForm, texts_of
from cases.workflow import Workflow, of_version, simple_bundle
from crm.kit.access import ActorRequest, needs
from crm.kit.policy import catalogue


@require_GET
@needs(PUBLISH_CASE_TYPE)
def type_list(request: ActorRequest) -> HttpResponse:
    """Every case type with its states and moves."""
    rows = CaseType.objects.for_actor(request.actor).order_by("name").prefetch_related("versions")
    types = []
    for row in rows:
        published = _published(row)
        workflow = of_version(published.bundle) if published else None
        types.append(
            {
                "type": row,
                "version": published,
                "workflow": workflow,
                "term": workflow.term.words if workflow and workflow.term else "",
                "moves": _moves(workflow) if workflow else [],
            }
        )
    return render(request, "cases/types.html", {"types": types})


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def new_type(request: ActorRequest) -> HttpResponse:
    """A new case type, beginning from the simple one."""
    form = CaseTypeForm(request.POST or None, initial=texts_of(simple_bundle()))

    def create() -> None:
        said = form.cleaned_data
        created = services.create_case_type(
            request.actor,
            code=said["code"],
            name=said["name"],
            nature=said["nature"],
            bundle=form.bundle(),
        )
        messages.success(request, _("%(name)s can be opened now.") % {"name": created.name})

    if request.method == "GET":
        return _page(request, form, None)
    return _saved(request, form, None, form.saved(create))


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def edit_type(request: ActorRequest, code: str) -> HttpResponse:
    """One case type; saving a change publishes a new version."""
    row = CaseType.objects.for_actor(request.actor).get_or_refuse(code=code)
    form = CaseTypeForm(request.POST or None, initial=CaseTypeForm.of(row, newest_version(row)))
    form.fields["code"].disabled = True

    def change() -> None:
        said = form.cleaned_data
        services.change_case_type(
            request.actor,
            code,
            name=said["name"],
            nature=said["nature"],
            is_active=said["is_active"],
            bundle={**_beside(row), **form.bundle()},
            seen=said["seen"],
        )
        messages.success(request, _("The case type has been saved."))

    def now() -> dict[str, Any]:
        there = CaseType.objects.for_actor(request.actor).get_or_refuse(code=code)
        return CaseTypeForm.of(there, newest_version(there))

    if request.method == "GET":
        return _page(request, form, row)
    return _saved(request, form, row, form.saved(change, now))


def _saved(
    request: ActorRequest, form: CaseTypeForm, row: CaseType | None, status: HTTPStatus
) -> HttpResponse:
    if status == HTTPStatus.OK:
        return HttpResponseRedirect(reverse("cases:types"))
    return _page(request, form, row, status)


def _page(
    request: ActorRequest, form: CaseTypeForm, row: CaseType | None, status: int = 200
) -> HttpResponse:
    versions = row.versions.exclude(number=0).order_by("-number") if row else []
    context = {"form": form, "type": row, "versions": versions}
    return render(request, "cases/type.html", context, status=status)


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


def _beside(row: CaseType) -> dict[str, Any]:
    """The parts of the published bundle that the form does not show: they stay."""
    there = _published(row)
    bundle = there.bundle if there else {}
    return {name: part for name, part in bundle.items() if name not in CaseTypeForm.PARTS}


def _published(row: CaseType) -> CaseTypeVersion | None:
    published = CaseTypeVersion.Status.PUBLISHED
    return next((one for one in row.versions.all() if one.status == published), None)
