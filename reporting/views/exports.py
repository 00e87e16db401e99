"""Files of figures and cases: ask for one with a reason, follow its making, download it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from crm.kit.access import ActorRequest, needs
from crm.kit.files import Scan, serve
from reporting import selectors
from reporting.exporting import ask_export, download_export, file_name
from reporting.failures import words_of
from reporting.forms import ExportForm
from reporting.models import Export
from reporting.permissions import VIEW_REPORT

_TYPES = {
    Export.Form.CSV: "text/csv; charset=utf-8",
    Export.Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_POST
@needs(VIEW_REPORT)
def ask(request: ActorRequest) -> HttpResponse:
    """Ask for a file of what the page shows; the reason is asked for again where there is none."""
    form = ExportForm(request.POST)
    own = {"csrfmiddlewaretoken", "form", "purpose", "subject"}
    query = {name: request.POST.getlist(name) for name in request.POST if name not in own}
    subject = request.POST.get("subject", "")
    status = form.saved(
        lambda: ask_export(
            request.actor,
            subject,
            form.cleaned_data["form"],
            query,
            purpose=form.cleaned_data["purpose"],
        )
    )
    if status == 200:
        return redirect("reporting:exports")
    context = {
        "form": form,
        "subject": subject,
        "in_force": [(name, value) for name, values in query.items() for value in values],
    }
    return render(request, "reporting/ask_export.html", context, status=status)


@require_safe
@needs(VIEW_REPORT)
def exports(request: ActorRequest) -> HttpResponse:
    """The actor's files of the last week, the newest first."""
    rows = [_shown(row) for row in selectors.exports(request.actor)]
    return render(request, "reporting/exports.html", {"exports": rows})


@require_safe
@needs(VIEW_REPORT)
def export_row(request: ActorRequest, export: UUID) -> HttpResponse:
    """How far the making of one has come."""
    row = selectors.export(request.actor, export)
    return render(request, "reporting/_export.html", {"export": _shown(row)})


@require_safe
@needs(VIEW_REPORT)
def download(request: ActorRequest, export: UUID) -> HttpResponseBase:
    """The file."""
    row = download_export(request.actor, export)
    return serve(
        row.path, name=file_name(row), media_type=_TYPES[Export.Form(row.form)], scan=Scan.CLEAN
    )


def _shown(row: Export) -> dict[str, Any]:
    """An export as its templates show it."""
    return {"row": row, "error": words_of(row.error), "name": file_name(row)}
