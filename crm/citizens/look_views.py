"""Pages of who looked at a person's data: the person's, without names, and the auditor's, with them."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.audit import words
from crm.audit.forms import actor_link
from crm.audit.permissions import VIEW_ENTRY
from crm.citizens import looks, reasons
from crm.citizens.forms import PeriodForm
from crm.citizens.looks import Period
from crm.citizens.permissions import VIEW_ACCESS_REPORT
from crm.citizens.services.records import ReasonNeeded
from crm.citizens.views import ask_reason
from crm.kit import csvfile
from crm.kit.access import ActorRequest, needs
from crm.organisations.models import Organisation


@require_GET
@needs(VIEW_ACCESS_REPORT)
def report(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """The report for the person, in their language, to be printed or kept as a PDF."""
    period, form = _period(request)
    reason = reasons.stated(request, citizen)
    try:
        opened, page = looks.report(
            request.actor, citizen, period, request.GET.get("after", ""), reason
        )
    except ReasonNeeded as needed:
        return ask_reason(request, needed.record)
    record = opened.record
    known = dict(settings.LANGUAGES)
    wanted = request.GET.get("idioma", "")
    language = wanted if wanted in known else (record.language if record else "")
    with translation.override(language if language in known else settings.LANGUAGE_CODE):
        told: dict[str, Any] = {
            "citizen": opened.citizen,
            "record": record,
            "looks": looks.told(request.actor, page.rows),
            "organisation": Organisation.objects.for_actor(request.actor).get(),
            "period": period,
            "now": timezone.now(),
        }
        paper = render_to_string("citizens/_looks_paper.html", told)
    context = {
        "citizen": opened.citizen,
        "record": record,
        "paper": paper,
        "language": language,
        "languages": settings.LANGUAGES,
        "form": form,
        "next": _next(request, page.after),
        "may_see_names": request.actor.holds(VIEW_ENTRY),
    }
    return render(request, "citizens/looks.html", context)


@require_GET
@needs(VIEW_ENTRY)
def named(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """The auditor's: with names, each leading to all that this employee did."""
    period, form = _period(request)
    found, page = looks.named(request.actor, citizen, period, request.GET.get("after", ""))
    context = {
        "citizen": found,
        "lines": [
            {
                "entry": entry,
                "sentence": words.action(entry.action),
                "door": words.DOORS.get(entry.door, entry.door),
                "actor_link": actor_link(entry),
            }
            for entry in page.rows
        ],
        "form": form,
        "next": _next(request, page.after),
    }
    return render(request, "citizens/looks_named.html", context)


@require_POST
@needs(VIEW_ENTRY)
def export(request: ActorRequest, citizen: UUID) -> HttpResponseBase:
    """The auditor's as CSV."""
    form = PeriodForm(request.POST)
    rows = looks.exported(request.actor, citizen, form.period())
    header = (
        _("Date and time"),
        _("Who"),
        _("On behalf of"),
        _("Action"),
        _("About"),
        _("Identity"),
        _("Reason for access"),
        _("Through"),
        _("Request"),
    )
    stem = _("accesses")
    name = f"{stem}-{timezone.localdate():%Y-%m-%d}.csv"
    lines = (
        [
            timezone.localtime(entry.at).isoformat(timespec="seconds"),
            entry.actor_name,
            entry.on_behalf_of,
            words.action(entry.action),
            words.kind(entry.object_type),
            entry.object_id,
            entry.purpose,
            words.DOORS.get(entry.door, entry.door),
            entry.request_id,
        ]
        for entry in rows
    )
    return csvfile.download(name, header, lines)


def _period(request: ActorRequest) -> tuple[Period, PeriodForm]:
    form = PeriodForm(request.GET)
    return form.period(), form


def _next(request: ActorRequest, after: str) -> str:
    if not after:
        return ""
    kept = {name: request.GET[name] for name in ("desde", "hasta", "idioma") if name in request.GET}
    return urlencode({**kept, "after": after})
