"""Roles in plain words: the matrix, what changes before it is published, and why somebody may."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts import rights
from crm.accounts.access import ActorRequest, needs
from crm.accounts.forms import NewRoleForm, WhyForm
from crm.accounts.models import Role
from crm.accounts.permissions import GRANT_ROLE
from crm.accounts.rights import NO, Matrix
from crm.accounts.services import roles as services
from crm.accounts.views.people import show_at_fields
from crm.kit.errors import Conflict, Invalid


@needs(GRANT_ROLE)
@require_http_methods(["GET", "POST"])
def matrix(request: ActorRequest) -> HttpResponse:
    """The matrix of roles; a POST publishes what was changed in it."""
    if request.method == "GET":
        return _page(request, rights.matrix(request.actor))
    wished = rights.matrix(request.actor, _wanted(request.POST))
    changed = {change.role.pk for change in wished.changes}
    wanted = {
        column.role: _cells(wished, column.role)
        for column in wished.columns
        if column.role.pk in changed
    }
    try:
        services.publish_roles(
            request.actor,
            wanted,
            version=request.POST.get("version", ""),
            reason=request.POST.get("reason", ""),
        )
    except (Invalid, Conflict) as error:
        return _page(request, wished, error)
    text = ngettext("%(count)s change published.", "%(count)s changes published.", wished.pending)
    messages.success(request, text % {"count": wished.pending})
    return redirect("accounts:roles")


@needs(GRANT_ROLE)
@require_POST
def changes(request: ActorRequest) -> HttpResponse:
    """What would change for how many people, in words, while the matrix is edited."""
    wished = rights.matrix(request.actor, _wanted(request.POST))
    context = {"matrix": wished, "fetched": True}
    return render(request, "accounts/_role_changes.html", context)


@needs(GRANT_ROLE)
@require_http_methods(["GET", "POST"])
def create(request: ActorRequest) -> HttpResponse:
    """A new role, empty or after another."""
    form = NewRoleForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            services.create_role(request.actor, **form.cleaned_data)
        except Invalid as error:
            show_at_fields(form, error)
        else:
            messages.success(request, _("Role created: publish its permissions."))
            return redirect("accounts:roles")
    status = 422 if form.errors else 200
    return render(request, "accounts/role_new.html", {"form": form}, status=status)


@needs(GRANT_ROLE)
@require_http_methods(["GET", "POST"])
def role(request: ActorRequest, code: str) -> HttpResponse:
    """Who has a role, and where; a POST deletes a role that nobody has."""
    found = Role.objects.for_actor(request.actor).get_or_refuse(code=code)
    if request.method == "POST":
        services.delete_role(request.actor, found)
        messages.success(request, _("Role deleted."))
        return redirect("accounts:roles")
    return render(request, "accounts/role.html", {"role": found, "holders": rights.holders(found)})


@needs(GRANT_ROLE)
@require_GET
def why(request: ActorRequest) -> HttpResponse:
    """Why somebody may do something somewhere, or why not."""
    form = WhyForm(request.GET or None, actor=request.actor)
    context: dict[str, object] = {"form": form}
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        thing = None
        if data["thing"]:
            thing = rights.find(request.actor, data["thing"], data["permission"])
        if data["thing"] and thing is None:
            form.add_error("thing", _("There is no such case or record here for this permission."))
        else:
            context["explanation"] = rights.explain(
                request.actor, data["person"], data["permission"], unit=data["unit"], thing=thing
            )
            context["thing"] = data["thing"]  # as asked: who asks may not know whose it is
    return render(request, "accounts/why.html", context)


def _page(
    request: ActorRequest, matrix: Matrix, error: Invalid | Conflict | None = None
) -> HttpResponse:
    context = {
        "matrix": matrix,
        "cells": rights.CELLS,
        "reason": request.POST.get("reason", ""),
        "problem": error.in_a_line if error else "",
    }
    return render(request, "accounts/roles.html", context, status=error.status if error else 200)


def _wanted(post: QueryDict) -> dict[str, dict[str, str]]:
    """The cells of the form: `cell:ROLE:PERMISSION` = no, place or everywhere."""
    wanted: dict[str, dict[str, str]] = {}
    for key, value in post.items():
        kind, _first, rest = key.partition(":")
        role, _second, permission = rest.partition(":")
        if kind == "cell":
            wanted.setdefault(role, {})[permission] = str(value)
    return wanted


def _cells(matrix: Matrix, role: Role) -> dict[str, str]:
    """A role's column as its verb takes it."""
    return {
        row.permission.name: cell.wanted
        for group in matrix.groups
        for row in group.rows
        for cell in row.cells
        if cell.role.pk == role.pk and cell.wanted != NO
    }
