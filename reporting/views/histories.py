"""Pages of case histories: issue, follow, download, revoke; and the public page that verifies."""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.models import Case
from cases.presenting import named
from crm.citizens import reasons
from crm.citizens.aliases import Survivor
from crm.citizens.models import CitizenRecord
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.search import record_search
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Invalid, Unavailable
from crm.kit.policy import require
from crm.kit.web import client_ip, request_id
from reporting import selectors, services
from reporting.archive import file_name, zipped
from reporting.failures import words_of
from reporting.models import HistoryBatch, IssuedHistory, Variant
from reporting.permissions import ISSUE_HISTORY
from reporting.verification import verify as verify_code

_Response = TypeVar("_Response", bound=HttpResponseBase)

_NEVER_RUN = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


@require_safe
@needs(ISSUE_HISTORY)
def histories(request: ActorRequest) -> HttpResponse:
    """The issued histories, newest first, and one's own batches."""
    rows, after = selectors.histories(
        request.actor, case=_uuid(request, "caso"), before=_uuid(request, "desde")
    )
    kept = {"caso": request.GET["caso"]} if _uuid(request, "caso") else {}
    filters = ["case"] if kept else []
    record_search(request.actor, "histories", filters=filters, found=len(rows))
    more = f"?{urlencode({**kept, 'desde': str(after)})}" if after else ""
    context: dict[str, Any] = {"histories": [_shown(row) for row in rows], "more": more}
    if request.htmx and "desde" in request.GET:
        return render(request, "reporting/_more_histories.html", context)
    batches = [] if kept else [_batch_shown(row) for row in selectors.batches(request.actor)]
    return render(
        request,
        "reporting/histories.html",
        {**context, "batches": batches, "case": _case(request), "variants": Variant.choices},
    )


@require_safe
@needs(ISSUE_HISTORY)
def of_case(request: ActorRequest, case: UUID) -> HttpResponse:
    """The part of the case's page that lists and offers its histories."""
    row = Case.objects.for_actor(request.actor).get_or_refuse(uuid=case)
    require(request.actor, ISSUE_HISTORY, row)
    return _of_case(request, row)


@require_POST
@needs(ISSUE_HISTORY)
def issue(request: ActorRequest, case: UUID) -> HttpResponse:
    """Ask for a history of a case."""
    services.issue_history(request.actor, case, request.POST.get("variant", ""))
    if request.htmx:
        return _of_case(request, Case.objects.for_actor(request.actor).get_or_refuse(uuid=case))
    return redirect(f"{reverse('reporting:histories')}?{urlencode({'caso': str(case)})}")


@require_safe
@needs(ISSUE_HISTORY)
def of_citizen(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """The part of a citizen's page that lists and offers their histories."""
    _record(request, citizen)
    return _of_citizen(request, citizen)


@require_POST
@needs(ISSUE_HISTORY)
def issue_of_citizen(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Ask for a history of a citizen, for the reason stated for opening them."""
    services.issue_person_history(
        request.actor,
        citizen,
        request.POST.get("variant", ""),
        reason=reasons.stated(request, citizen),
    )
    if request.htmx:
        return _of_citizen(request, citizen)
    return redirect("citizens:detail", citizen)


@require_safe
@needs(ISSUE_HISTORY)
def history_row(request: ActorRequest, history: UUID) -> HttpResponse:
    """How far the making of one has come."""
    row = selectors.history(request.actor, history)
    require(request.actor, ISSUE_HISTORY, row)
    context = {"history": _shown(row), "long": "lista" in request.GET}
    return render(request, "reporting/_history.html", context)


@require_safe
@needs(ISSUE_HISTORY)
def download(request: ActorRequest, history: UUID) -> HttpResponse:
    """The sealed PDF."""
    row, content = services.download_history(request.actor, history)
    return _document(content, file_name(row))


@require_safe
@needs(ISSUE_HISTORY)
def text(request: ActorRequest, history: UUID) -> HttpResponse:
    """What could not be printed, as plain text."""
    row, words = services.history_as_text(request.actor, history)
    name = file_name(row).removesuffix(".pdf") + ".txt"
    return _document(words.encode(), name, "text/plain; charset=utf-8")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(ISSUE_HISTORY)
def revoke(request: ActorRequest, history: UUID) -> HttpResponse:
    """Ask for the reason, and revoke."""
    row = selectors.history(request.actor, history)
    require(request.actor, ISSUE_HISTORY, row)
    context: dict[str, Any] = {"history": _shown(row)}
    if request.method == "POST":
        try:
            services.revoke_history(request.actor, history, request.POST.get("reason", ""))
        except Invalid as error:
            context["errors"] = error.errors.get("reason", [])
            return render(request, "reporting/revoke.html", context, status=422)
        messages.success(request, _("The document has been revoked."))
        of_case = f"?{urlencode({'caso': row.case.uuid})}" if row.case else ""
        return redirect(f"{reverse('reporting:histories')}{of_case}")
    return render(request, "reporting/revoke.html", context)


@require_POST
@needs(ISSUE_HISTORY)
def batch(request: ActorRequest) -> HttpResponse:
    """Ask what the histories of the selected cases are to tell, then ask for them."""
    cases = list(_valid(request.POST.getlist("case")))
    context: dict[str, Any] = {"cases": cases, "count": len(cases), "variants": Variant.choices}
    if "variant" in request.POST:
        try:
            services.issue_batch(request.actor, cases, request.POST["variant"])
        except Invalid as error:
            context["errors"] = [text for texts in error.errors.values() for text in texts]
            return render(request, "reporting/batch.html", context, status=422)
        return redirect("reporting:histories")
    return render(request, "reporting/batch.html", context)


@require_safe
@needs(ISSUE_HISTORY)
def batch_row(request: ActorRequest, batch: UUID) -> HttpResponse:
    """How far a batch has come."""
    row = selectors.batch(request.actor, batch)
    return render(request, "reporting/_batch.html", {"batch": _batch_shown(row)})


@require_safe
@needs(ISSUE_HISTORY)
def download_batch(request: ActorRequest, batch: UUID) -> HttpResponseBase:
    """The zip of a batch, written as it is sent."""
    row, found, left_out = services.download_batch(request.actor, batch)
    response = StreamingHttpResponse(
        zipped(request.actor, found, left_out), content_type="application/zip"
    )
    return _guarded(response, f"{request.actor.organisation_code}-{row.created_at:%Y%m%d-%H%M}.zip")


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """For anybody: whether a code belongs to a document of ours, and that document."""
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        typed = request.POST.get("code", "")[:200]
        viewer: Actor | None = getattr(request, "actor", None)
        origin = Origin(Door.PUBLIC, request_id(request), client_ip(request))
        context["code"] = typed
        try:
            found = verify_code(typed, origin, viewer)
        except Unavailable as error:
            context["problem"], status = str(error), error.status
        else:
            if found and found.content is not None and "download" in request.POST:
                return _document(found.content, file_name(found.history))
            context["verified"] = found
            context["unknown"] = found is None
            context["organisation"] = found.history.organisation if found else None
    response = render(request, "reporting/verify.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _of_case(request: ActorRequest, case: Case) -> HttpResponse:
    rows, after = selectors.histories(request.actor, case=case.uuid)
    return render(
        request,
        "reporting/_of_case.html",
        {
            "case": case,
            "histories": [_shown(row) for row in rows],
            "more": after is not None,
            "variants": Variant.choices,
        },
    )


def _record(request: ActorRequest, citizen: UUID) -> CitizenRecord:
    """The record of a citizen whom the actor may open."""
    rows = CitizenRecord.objects.for_actor(request.actor)
    record = rows.select_related("citizen").get_or_refuse(citizen=Survivor(citizen))
    require(request.actor, VIEW_CITIZEN, record)
    return record


def _of_citizen(request: ActorRequest, citizen: UUID) -> HttpResponse:
    rows, _more = selectors.histories(request.actor, citizen=citizen)
    context = {"histories": [_shown(row) for row in rows], "variants": Variant.choices}
    return render(request, "reporting/_of_citizen.html", {**context, "citizen": citizen})


def _case(request: ActorRequest) -> Case | None:
    uuid = _uuid(request, "caso")
    if uuid is None:
        return None
    return Case.objects.for_actor(request.actor).get_or_refuse(uuid=uuid)


def _shown(row: IssuedHistory) -> dict[str, Any]:
    """A history as its templates show it."""
    about = row.case.reference if row.case else named(row.citizen)
    return {"row": row, "error": words_of(row.error), "case": row.case, "about": about}


def _batch_shown(row: HistoryBatch) -> dict[str, Any]:
    return {"row": row, "error": words_of(row.error), "total": len(row.cases)}


def _uuid(request: HttpRequest, name: str) -> UUID | None:
    """A UUID of the query; what is none asks for nothing."""
    return next(_valid([request.GET.get(name, "")]), None)


def _valid(raw: list[str]) -> Iterator[UUID]:
    for value in raw:
        try:
            yield UUID(value)
        except ValueError:
            continue


def _document(content: bytes, name: str, media_type: str = "application/pdf") -> HttpResponse:
    return _guarded(HttpResponse(content, content_type=media_type), name)


def _guarded(response: _Response, name: str) -> _Response:
    """A download that no browser runs or keeps."""
    for header, value in _NEVER_RUN.items():
        response[header] = value
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Robots-Tag"] = "noindex"
    return response
