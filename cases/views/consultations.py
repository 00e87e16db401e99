"""Questions to other areas: asking one, and one of them with all that was said."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import handover, selectors, services
from cases.models import Case, Consultation
from cases.permissions import CHANGE_CASE, CHANGE_CLOCK, VIEW_CASE
from cases.presenting import row_of
from cases.services.handing import as_if_in
from cases.transfer_forms import AskForm, TermForm, WordsForm
from cases.views.acts import version_seen
from cases.views.transfers import organisation_of, serve_from_packet
from cases.workflow import of_version
from crm.audit.record import record, record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import NotFound, Text
from crm.kit.policy import decide, require


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def ask(request: ActorRequest, case: UUID) -> HttpResponse:
    """« Consultar a otra unidad »."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    require(actor, CHANGE_CASE, row)
    record_part(actor, row, "consultation")
    there = organisation_of(actor, request.GET.get("organismo", ""))
    form = AskForm(
        request.POST or None,
        units=handover.units_of(there),
        but=row.unit_id,
        documents=selectors.documents_of(actor, row),
    )
    status = HTTPStatus.OK
    if request.method == "POST":

        def verb() -> object:
            given = form.cleaned_data
            return services.ask_area(
                actor,
                case,
                given["unit"],
                organisation=there.code,
                text=given["text"],
                term=given["term"],
                ticked=form.ticked(),
                version=version_seen(request),
            )

        status = form.saved(verb)
        if status == HTTPStatus.OK:
            messages.success(request, _("The question has been asked."))
            return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    context = {
        "case": row,
        "row": row_of(actor, row),
        "form": form,
        "there": there,
        "external": there.pk != actor.organisation_id,
        "here": actor.organisation_id,
        "others": handover.organisations_beside(actor),
    }
    return render(request, "cases/consultation_new.html", context, status=status)


@require_GET
@needs(VIEW_CASE)
def detail(request: ActorRequest, consultation: UUID) -> HttpResponse:
    """The question, what may be seen of the case, and what was said."""
    row = consultation_of(request.actor, consultation)
    record(request.actor, "viewed", row)
    return _page(request, row)


@require_POST
@needs(CHANGE_CASE)
def act(request: ActorRequest, consultation: UUID, act: str) -> HttpResponse:
    """« Responder », « Pedir más datos », « Declinar », « Aclarar », « Ampliar », « Retirar »."""
    row = consultation_of(request.actor, consultation)
    known = _ACTS.get(act)
    if known is None:
        raise NotFound
    verb, said = known
    form: Any = (
        TermForm(request.POST) if act == "ampliar" else WordsForm(request.POST, request.FILES)
    )
    if act == "retirar":
        form.fields["text"].required = False
    status = form.saved(lambda: verb(request.actor, row.uuid, **_given(form, act)))
    if status == HTTPStatus.OK:
        messages.success(request, str(said))
        return HttpResponseRedirect(reverse("cases:consultation", args=[row.uuid]))
    fresh = consultation_of(request.actor, consultation)
    return _page(request, fresh, status, form=form, act=act)


@require_GET
@needs(VIEW_CASE)
def document(request: ActorRequest, consultation: UUID, document: UUID) -> HttpResponseBase:
    """A document that goes with the question."""
    row = consultation_of(request.actor, consultation)
    return serve_from_packet(request.actor, row, document)


def consultation_of(actor: Actor, consultation: UUID) -> Consultation:
    """The question, with what its page shows."""
    rows = Consultation.objects.for_actor(actor).select_related(
        "case__case_type",
        "case__type_version",
        "case__unit__organisation",
        "origin_unit__organisation",
        "target_unit__organisation",
        "agreement",
    )
    return rows.get_or_refuse(uuid=consultation)


def _given(form: Any, act: str) -> dict[str, Any]:
    given = dict(form.cleaned_data)
    file = given.pop("file", None)
    if act == "responder" and file is not None:
        given |= {"file": file.chunks(), "file_name": file.name or ""}
    return given


def _page(
    request: ActorRequest,
    row: Consultation,
    status: HTTPStatus = HTTPStatus.OK,
    form: Any = None,
    act: str = "",
) -> HttpResponse:
    actor = request.actor
    asks = Case.objects.for_actor(actor).filter(pk=row.case_id).exists()
    ours = row.target_organisation_id == actor.organisation_id
    answers = ours and decide(actor, CHANGE_CASE, as_if_in(row.target_unit, row.case)).allowed
    context = {
        "consultation": row,
        "case": row.case,
        "words": row.words.all(),
        "sees_case": asks,
        "may_answer": row.state == Consultation.State.ASKED and answers,
        "may_clarify": row.state == Consultation.State.ASKED_BACK and asks,
        "may_change": row.open and asks and decide(actor, CHANGE_CASE, row.case).allowed,
        "may_suspend": asks
        and row.open
        and row.case.suspended_on is None
        and of_version(row.case.type_version.bundle).term is not None
        and decide(actor, CHANGE_CLOCK, row.case).allowed,
        "packet": row.packet if row.open else {},
        "form": form if isinstance(form, WordsForm) else WordsForm(),
        "term_form": form if isinstance(form, TermForm) else TermForm(),
        "act": act,
    }
    return render(request, "cases/consultation.html", context, status=status)


_ACTS: dict[str, tuple[Callable[..., object], Text]] = {
    "responder": (services.answer_area, gettext_lazy("The question has been answered.")),
    "preguntar": (services.ask_back, gettext_lazy("You have asked back.")),
    "declinar": (services.decline_area, gettext_lazy("The question has been declined.")),
    "aclarar": (services.clarify, gettext_lazy("What they asked back has been answered.")),
    "ampliar": (services.extend_area, gettext_lazy("They have more time now.")),
    "retirar": (services.withdraw_area, gettext_lazy("The question has been withdrawn.")),
}
