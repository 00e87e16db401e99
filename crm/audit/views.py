"""The auditor's pages: the organisation's entries, one entry, the export, the state of the chain."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm.audit import services, words
from crm.audit.forms import SearchForm, actor_link
from crm.audit.models import AuditEntry
from crm.audit.permissions import VIEW_ENTRY
from crm.kit import csvfile
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import DomainError, Refused
from crm.kit.keyset import Page

EMPTY: Page[AuditEntry] = Page([])


@require_safe
@needs(VIEW_ENTRY)
def trail(request: ActorRequest) -> HttpResponse:
    """The entries that are asked for, newest first."""
    form = SearchForm(request.GET)
    found, status = EMPTY, 422
    if form.is_valid():
        try:
            found, status = (
                services.search(request.actor, form.asked(), request.GET.get("after", "")),
                200,
            )
        except Refused:
            raise
        except DomainError as error:
            form.add_error(None, str(error.message))
            status = error.status
    context = {"form": form, "lines": _lines(found), "next": _next(request.GET, found)}
    if request.htmx and request.GET.get("after"):
        return render(request, "audit/_more.html", context)
    context |= {"every_actor": _without(request.GET, "actor", "after"), **_chain(request)}
    return render(request, "audit/trail.html", context, status=status)


@require_safe
@needs(VIEW_ENTRY)
def entry(request: ActorRequest, number: int) -> HttpResponse:
    """One entry with all that it says."""
    found = services.open_entry(request.actor, number)
    facts = [
        (words.FACTS.get(name, ""), name, words.fact(value))
        for name, value in sorted(found.data.items())
    ]
    context = {"entry": found, "line": _line(found), "facts": facts}
    return render(request, "audit/entry.html", context)


@require_POST
@needs(VIEW_ENTRY)
def export(request: ActorRequest) -> HttpResponseBase:
    """What is asked for as CSV."""
    form = SearchForm(request.POST)
    if not form.is_valid():
        return redirect(f"{reverse('audit:trail')}?{_without(request.POST, 'csrfmiddlewaretoken')}")
    rows = services.export(request.actor, form.asked())
    header = (
        _("Number"),
        _("Date and time"),
        _("Who"),
        _("On behalf of"),
        _("Action"),
        _("In words"),
        _("About"),
        _("Identity"),
        _("Name or reference"),
        _("Reason for access"),
        _("Result"),
        _("Through"),
        _("IP address"),
        _("Request"),
        _("Details"),
    )
    name = f"audit-{timezone.localdate():%Y-%m-%d}.csv"
    return csvfile.download(name, header, map(_row, rows))


@require_safe
@needs(VIEW_ENTRY)
def chain(request: ActorRequest) -> HttpResponse:
    """The state of the chain, asked for again while a verification runs."""
    return render(request, "audit/_chain.html", _chain(request))


@require_POST
@needs(VIEW_ENTRY)
def verify(request: ActorRequest) -> HttpResponse:
    """Have the organisation's entries verified now."""
    asked_at = timezone.now()
    services.ask_for_verification(request.actor)
    if request.htmx:
        return render(request, "audit/_chain.html", _chain(request, asked_at.isoformat()))
    messages.success(request, _("The verification has begun. Its result will be an entry."))
    return redirect("audit:trail")


def _chain(request: ActorRequest, asked_at: str = "") -> dict[str, Any]:
    state = services.chain_state(request.actor)
    asked_at = asked_at or request.GET.get("asked_at", "")
    try:
        since = parse_datetime(asked_at)
    except ValueError:
        since = None
    done = state.verification
    waiting = since is not None and timezone.is_aware(since) and (not done or done.at < since)
    return {"chain": state, "waiting": waiting, "asked_at": asked_at if waiting else ""}


def _lines(page: Page[AuditEntry]) -> list[dict[str, Any]]:
    return [_line(entry) for entry in page.rows]


def _line(entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry": entry,
        "sentence": words.sentence(entry),
        "kind": words.kind(entry.object_type) if entry.object_type else "",
        "door": words.DOORS.get(entry.door, entry.door),
        "actor_link": actor_link(entry),
    }


def _row(entry: AuditEntry) -> list[object]:
    return [
        entry.pk,
        timezone.localtime(entry.at).isoformat(timespec="seconds"),
        entry.actor_name,
        entry.on_behalf_of,
        entry.action,
        words.sentence(entry),
        entry.object_type,
        entry.object_id,
        entry.object_name,
        entry.purpose,
        entry.get_result_display(),
        words.DOORS.get(entry.door, entry.door),
        entry.ip,
        entry.request_id,
        json.dumps(entry.data, ensure_ascii=False) if entry.data else "",
    ]


def _next(given: QueryDict, found: Page[AuditEntry]) -> str:
    if not found.after:
        return ""
    query = given.copy()
    query["after"] = found.after
    return f"{reverse('audit:trail')}?{query.urlencode()}"


def _without(given: QueryDict, *names: str) -> str:
    query = given.copy()
    for name in names:
        query.pop(name, None)
    return query.urlencode()
