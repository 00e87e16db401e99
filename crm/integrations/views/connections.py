"""Connections: the list, one with its test and its calls, and describing them."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.integrations import selectors
from crm.integrations.forms import ConnectionForm, TryForm
from crm.integrations.models import Connection
from crm.integrations.permissions import MANAGE_CONNECTIONS
from crm.integrations.services import connections as services
from crm.integrations.services.connections import Tried
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@needs(MANAGE_CONNECTIONS)
def connections(request: ActorRequest) -> HttpResponse:
    """The systems that are asked, and how they do."""
    context = {"connections": selectors.connections(request.actor)}
    return render(request, "integrations/connections.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CONNECTIONS)
def new(request: ActorRequest) -> HttpResponse:
    """Describe one more."""
    form = ConnectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = services.create_connection(request.actor, form.given())
        except Invalid as error:
            form.refused(error)
        else:
            messages.success(
                request, _("The connection is saved. Try it before people count on it.")
            )
            return redirect("integrations:connection", row.uuid)
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/new_connection.html", {"form": form}, status=status)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CONNECTIONS)
def connection(request: ActorRequest, connection: UUID) -> HttpResponse:
    """One connection: its description, its test and its calls."""
    row = _row(request, connection)
    if request.method != "POST":
        return _page(request, row, ConnectionForm(initial=ConnectionForm.of(row)))
    form = ConnectionForm(request.POST)

    def save() -> None:
        seen = seen_at(form.cleaned_data["seen"])
        services.change_connection(request.actor, connection, form.given(), seen=seen)

    status = form.saved(save, lambda: ConnectionForm.of(_row(request, connection)))
    if status == 200:
        messages.success(request, _("Changes saved."))
        return redirect("integrations:connection", connection)
    return _page(request, _row(request, connection), form, status=status)


@require_safe
@needs(MANAGE_CONNECTIONS)
def calls(request: ActorRequest, connection: UUID) -> HttpResponse:
    """More of its calls."""
    row = _row(request, connection)
    page = selectors.calls(request.actor, row, request.GET.get("after", ""))
    context = {"calls": page, "connection": row}
    template = "integrations/connection.html#calls" if request.htmx else "integrations/calls.html"
    return render(request, template, context)


@require_POST
@needs(MANAGE_CONNECTIONS)
def try_it(request: ActorRequest, connection: UUID) -> HttpResponse:
    """Ask it now, and say what came of it."""
    row = _row(request, connection)
    form, tried = TryForm(request.POST, auto_id="try_%s"), None
    if form.is_valid():
        try:
            number = form.cleaned_data["number"]
            tried = services.try_connection(request.actor, connection, number)
        except Invalid as error:
            form.refused(error)
    row.refresh_from_db()
    described = ConnectionForm(initial=ConnectionForm.of(row))
    status = 200 if tried else 422
    return _page(request, row, described, status=status, try_form=form, tried=tried)


@require_POST
@needs(MANAGE_CONNECTIONS)
def remove(request: ActorRequest, connection: UUID) -> HttpResponse:
    """It is asked no more."""
    name = _row(request, connection).name
    services.remove_connection(request.actor, connection)
    messages.success(request, _("Removed: %(name)s.") % {"name": name})
    return redirect("integrations:connections")


def _row(request: ActorRequest, connection: UUID) -> Connection:
    return Connection.objects.for_actor(request.actor).get_or_refuse(uuid=connection)


def _page(
    request: ActorRequest,
    row: Connection,
    form: ConnectionForm,
    *,
    status: int = 200,
    try_form: TryForm | None = None,
    tried: Tried | None = None,
) -> HttpResponse:
    context = {
        "connection": row,
        "health": selectors.health(request.actor, row),
        "form": form,
        "try_form": try_form or TryForm(auto_id="try_%s"),
        "tried": tried,
        "calls": selectors.calls(request.actor, row),
    }
    return render(request, "integrations/connection.html", context, status=status)


def seen_at(text: str) -> datetime | None:
    """When the form was read, as it says itself."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if text and moment is None:
        raise Invalid
    return moment
