"""The tree of units and the page of one unit, with its verbs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid
from crm.kit.forms import ServiceForm
from crm.kit.policy import decide
from crm.organisations import services
from crm.organisations.forms import (
    CloseForm,
    TargetForm,
    UnitForm,
    calendar_choices,
    unit_choices,
)
from crm.organisations.models import Organisation, Unit, WorkingCalendar
from crm.organisations.permissions import MANAGE_UNITS
from crm.organisations.selectors import Node, UnitTree, unit_history, unit_tree
from crm.organisations.views.settings import GET_OR_POST


@dataclass
class Branch:
    """A unit with what hangs below it, as the page draws it."""

    node: Node
    below: list["Branch"] = field(default_factory=list)


@require_safe
@needs(MANAGE_UNITS)
def units(request: ActorRequest) -> HttpResponse:
    """The whole tree; closed units when asked for."""
    closed = request.GET.get("closed") == "1"
    tree = _tree(request)
    context = {
        "branches": _branches(tree, closed=closed),
        "closed": closed,
        "open_units": sum(not node.closed for node in tree.nodes),
        "closed_units": sum(node.closed for node in tree.nodes),
    }
    return render(request, "organisations/units.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_UNITS)
def unit(request: ActorRequest, unit_id: UUID) -> HttpResponse:
    """One unit: what it is, what it was, and what can be done to it."""
    if request.method != "POST":
        return _page(request, unit_id)
    form = UnitForm(request.POST, calendars=_calendars(request))
    return _act(
        request,
        unit_id,
        "form",
        form,
        lambda: services.change_unit(request.actor, unit_id, **_given(request, form)),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_UNITS)
def new_unit(request: ActorRequest, unit_id: UUID) -> HttpResponse:
    """A new unit below another."""
    parent = Unit.objects.for_actor(request.actor).get_or_refuse(uuid=unit_id)
    form = UnitForm(request.POST or None, calendars=_calendars(request))
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in _given(request, form).items() if name != "seen"}
        try:
            made = services.create_unit(request.actor, unit_id, **given)
        except (Invalid, Conflict) as error:
            form.refused(error)
        else:
            messages.success(request, _("The unit has been created."))
            return redirect("organisations:unit", made.uuid)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "parent": parent}
    return render(request, "organisations/new_unit.html", context, status=status)


@require_POST
@needs(MANAGE_UNITS)
def move(request: ActorRequest, unit_id: UUID) -> HttpResponse:
    """Hang the unit under another."""
    form = TargetForm(request.POST, units=unit_choices(_tree(request).nodes))
    return _act(
        request,
        unit_id,
        "move_form",
        form,
        lambda: services.move_unit(request.actor, unit_id, UUID(form.cleaned_data["target"])),
    )


@require_POST
@needs(MANAGE_UNITS)
def merge(request: ActorRequest, unit_id: UUID) -> HttpResponse:
    """Close the unit and hand over to another."""
    form = TargetForm(request.POST, units=unit_choices(_tree(request).nodes))
    return _act(
        request,
        unit_id,
        "merge_form",
        form,
        lambda: services.merge_units(request.actor, unit_id, UUID(form.cleaned_data["target"])),
    )


@require_POST
@needs(MANAGE_UNITS)
def close(request: ActorRequest, unit_id: UUID) -> HttpResponse:
    """Close the unit."""
    form = CloseForm(request.POST)
    return _act(
        request,
        unit_id,
        "close_form",
        form,
        lambda: services.close_unit(request.actor, unit_id, on=form.cleaned_data["on"]),
    )


def _act(
    request: ActorRequest,
    unit_id: UUID,
    name: str,
    form: ServiceForm,
    verb: Callable[[], Unit],
) -> HttpResponse:
    """Carry out a verb with what was typed; what it refuses is shown at the form."""
    units = Unit.objects.for_actor(request.actor).select_related("calendar")
    status = form.saved(verb, lambda: UnitForm.of(units.get_or_refuse(uuid=unit_id)))
    if status == HTTPStatus.OK:
        messages.success(request, _("Changes saved."))
        return redirect("organisations:unit", unit_id)
    return _page(request, unit_id, status=status, **{name: form})


def _page(
    request: ActorRequest, unit_id: UUID, status: int = 200, **bound: ServiceForm
) -> HttpResponse:
    found = (
        Unit.objects.for_actor(request.actor)
        .select_related("parent", "calendar", "merged_into")
        .get_or_refuse(uuid=unit_id)
    )
    tree = _tree(request)
    context: dict[str, Any] = {
        "unit": found,
        "path": tree.path(found.pk)[:-1],
        "below": [node for node in tree.nodes if node.parent_id == found.pk],
        "history": unit_history(found),
        "may": decide(request.actor, MANAGE_UNITS, found),
        "form": UnitForm(initial=UnitForm.of(found), calendars=_calendars(request)),
        "move_form": TargetForm(
            auto_id="move_%s", units=unit_choices(tree.nodes, tree.below([found.pk]))
        ),
        "merge_form": TargetForm(auto_id="merge_%s", units=unit_choices(tree.nodes, [found.pk])),
        "close_form": CloseForm(initial={"on": timezone.localdate()}),
        **bound,
    }
    return render(request, "organisations/unit.html", context, status=status)


def _tree(request: ActorRequest) -> UnitTree:
    return unit_tree(Organisation.objects.for_actor(request.actor).get())


def _branches(tree: UnitTree, *, closed: bool) -> list[Branch]:
    """The tree as nested branches; a closed unit is shown only when asked for."""
    by_id: dict[int | None, Branch] = {}
    roots: list[Branch] = []
    for node in tree.nodes:
        if node.closed and not closed:
            continue
        branch = by_id[node.id] = Branch(node)
        parent = by_id.get(node.parent_id)
        (parent.below if parent else roots).append(branch)
    return roots


def _calendars(request: ActorRequest) -> list[tuple[str, str]]:
    return calendar_choices(WorkingCalendar.objects.for_actor(request.actor))


def _given(request: ActorRequest, form: ServiceForm) -> dict[str, Any]:
    given = dict(form.cleaned_data)
    chosen = given.pop("calendar")
    calendars = WorkingCalendar.objects.for_actor(request.actor)
    given["calendar"] = calendars.get_or_refuse(uuid=chosen) if chosen else None
    return given
