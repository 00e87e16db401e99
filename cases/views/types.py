"""Case types: the list, and the form of one."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cases import services
from cases.forms import CaseTypeForm
from cases.models import CaseType, CaseTypeVersion
from cases.permissions import PUBLISH_CASE_TYPE
from cases.presenting import asks_in_words
from cases.workflow import Workflow, of_version, simple_bundle
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid
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
    form = CaseTypeForm(request.POST or None, initial=_texts(simple_bundle()))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            created = services.create_case_type(
                request.actor,
                code=said["code"],
                name=said["name"],
                nature=said["nature"],
                bundle=form.bundle(),
            )
        except Invalid as error:
            form.show_problems(error)
        else:
            messages.success(request, _("%(name)s can be opened now.") % {"name": created.name})
            return HttpResponseRedirect(reverse("cases:types"))
    return _page(request, form, None)


@require_http_methods(["GET", "POST"])
@needs(PUBLISH_CASE_TYPE)
def edit_type(request: ActorRequest, code: str) -> HttpResponse:
    """One case type; saving a change publishes a new version."""
    row = CaseType.objects.for_actor(request.actor).get_or_refuse(code=code)
    published = _published(row)
    initial: dict[str, Any] = {
        "name": row.name,
        "code": row.code,
        "nature": row.nature,
        "is_active": row.is_active,
        "seen": published.number if published else 0,
        **_texts(published.bundle if published else simple_bundle()),
    }
    form = CaseTypeForm(request.POST or None, initial=initial)
    form.fields["code"].disabled = True
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            services.change_case_type(
                request.actor,
                code,
                name=said["name"],
                nature=said["nature"],
                is_active=said["is_active"],
                bundle=form.bundle(),
                seen=said["seen"],
            )
        except Invalid as error:
            form.show_problems(error)
        except Conflict as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The case type has been saved."))
            return HttpResponseRedirect(reverse("cases:types"))
    return _page(request, form, row)


def _page(request: ActorRequest, form: CaseTypeForm, row: CaseType | None) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    versions = row.versions.order_by("-number") if row else []
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


def _published(row: CaseType) -> CaseTypeVersion | None:
    published = CaseTypeVersion.Status.PUBLISHED
    return next((one for one in row.versions.all() if one.status == published), None)


def _texts(bundle: dict[str, Any]) -> dict[str, str]:
    """A bundle as the form's texts: one state or move a line, so that they can be compared."""
    return {
        "states": _lines(bundle["states"]),
        "moves": _lines(bundle["moves"]),
        "fields_schema": json.dumps(bundle.get("fields") or {}, indent=2, ensure_ascii=False)
        if bundle.get("fields")
        else "",
        "term": bundle.get("term") or "",
        "initial_state": bundle["initial"],
    }


def _lines(items: list[Any]) -> str:
    rows = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in items)
    return f"[\n  {rows}\n]"
