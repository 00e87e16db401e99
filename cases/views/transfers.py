"""Transfers: offering one, the lists of what waits, one of them with its answers, who had a case when."""

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
from cases.models import Case, CaseTransfer, StateCategory
from cases.permissions import TRANSFER_CASE, VIEW_CASE
from cases.presenting import row_of
from cases.services.handing import as_if_in
from cases.services.packets import documents_in, packet_of
from cases.transfer_forms import AbroadForm, AcceptForm, AnswerForm, OfferForm, ReceiveForm
from cases.views.acts import version_seen
from crm.audit.record import record, record_part
from crm.kit import files
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused, Text
from crm.kit.policy import decide, require
from crm.organisations.models import Organisation

LISTS: dict[str, Text] = {
    handover.RECEIVED: gettext_lazy("Transfers offered to us"),
    handover.SENT: gettext_lazy("Transfers that we offered"),
    handover.ASKED: gettext_lazy("Questions to us"),
    handover.WE_ASKED: gettext_lazy("Questions that we asked"),
}


@require_GET
@needs(VIEW_CASE)
def inbox(request: ActorRequest) -> HttpResponse:
    """What waits for the units of the actor, and what they wait for."""
    actor = request.actor
    which = request.GET.get("ver", "")
    which = which if which in LISTS else handover.RECEIVED
    every = request.GET.get("todos") == "1"
    page = handover.page_of(actor, which, every=every, cursor=request.GET.get("desde", ""))
    context = {
        "rows": page.rows,
        "after": page.after,
        "which": which,
        "every": every,
        "questions": which in (handover.ASKED, handover.WE_ASKED),
        "received": which in (handover.RECEIVED, handover.ASKED),
        "tabs": [(key, label, handover.count_open(actor, key)) for key, label in LISTS.items()]
        if not request.htmx
        else [],
        "title": LISTS[which],
    }
    part = "cases/transfers.html#rows" if request.htmx and page.rows else "cases/transfers.html"
    return render(request, part, context)


@require_http_methods(["GET", "POST"])
@needs(TRANSFER_CASE)
def offer(request: ActorRequest, case: UUID) -> HttpResponse:
    """« Trasladar »: to a unit of the organisation, or with a preview of what travels to another."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    require(actor, TRANSFER_CASE, row)
    record_part(actor, row, "transfer")
    there = organisation_of(actor, request.GET.get("organismo", ""))
    external = there.pk != actor.organisation_id
    kind: type[OfferForm] = AbroadForm if external else OfferForm
    form = kind(
        request.POST or None,
        units=handover.units_of(there),
        but=row.unit_id,
        documents=selectors.documents_of(actor, row),
    )
    status, preview = HTTPStatus.OK, None
    if request.method == "POST":
        if external and "confirm" not in request.POST:
            status, preview = _previewed(actor, row, form)
        else:

            def verb() -> object:
                given = form.cleaned_data
                return services.offer_transfer(
                    actor,
                    case,
                    given["unit"],
                    organisation=there.code,
                    comment=given["comment"],
                    term=given["term"],
                    abroad=form.abroad(),
                    version=version_seen(request),
                )

            status = form.saved(verb)
            if status == HTTPStatus.OK:
                messages.success(request, _("The transfer has been offered."))
                return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    context = {
        "case": row,
        "row": row_of(actor, row),
        "form": form,
        "there": there,
        "external": external,
        "here": actor.organisation_id,
        "others": handover.organisations_beside(actor),
        "preview": preview,
    }
    return render(request, "cases/transfer_new.html", context, status=status)


@require_GET
@needs(VIEW_CASE)
def detail(request: ActorRequest, transfer: UUID) -> HttpResponse:
    """One transfer: what is offered and its answers; of a case that is gone, where it is."""
    row = transfer_of(request.actor, transfer)
    record(request.actor, "viewed", row)
    return _page(request, row)


@require_POST
@needs(TRANSFER_CASE)
def act(request: ActorRequest, transfer: UUID, act: str) -> HttpResponse:
    """« Aceptar », « Devolver », « Rechazar », « Retirar »."""
    row = transfer_of(request.actor, transfer)
    perform = _ACTS.get(act)
    if perform is None:
        raise NotFound
    return perform(request, row)


@require_GET
@needs(VIEW_CASE)
def document(request: ActorRequest, transfer: UUID, document: UUID) -> HttpResponseBase:
    """A document of the packet, for who is to decide."""
    row = transfer_of(request.actor, transfer)
    return serve_from_packet(request.actor, row, document)


@require_GET
@needs(VIEW_CASE)
def custody(request: ActorRequest, case: UUID) -> HttpResponse:
    """Which units had the case and for how long, and what was offered and asked; a part of its page."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "custody")
    transfers, consultations = handover.history_of(row)
    context = {
        "case": row,
        "spans": handover.spans_of(row),
        "transfers": transfers,
        "consultations": consultations,
    }
    return render(request, "cases/_custody.html", context)


# --- Shared with questions ----------------------------------------------------------------------


def serve_from_packet(actor: Actor, row: Any, document: UUID) -> HttpResponseBase:
    """The bytes of a document that the packet holds while it is open; who took it is written down."""
    if str(document) not in documents_in(row.packet):
        raise NotFound
    found = selectors.travelling_document(document)
    if found.withdrawn_at is not None:
        raise Conflict("document_withdrawn", _("The document has been withdrawn."))
    record(actor, "downloaded", found, case=row.case.reference)
    return files.serve(found.path, name=found.name, media_type=found.media_type, scan=found.scan)


# --- Inside -------------------------------------------------------------------------------------


def transfer_of(actor: Actor, transfer: UUID) -> CaseTransfer:
    """The transfer, with what its page shows."""
    rows = CaseTransfer.objects.for_actor(actor).select_related(
        "case__case_type",
        "case__type_version",
        "case__citizen",
        "case__unit__organisation",
        "origin_unit__organisation",
        "target_unit__organisation",
        "received_case",
        "agreement",
    )
    return rows.get_or_refuse(uuid=transfer)


def organisation_of(actor: Actor, code: str) -> Organisation:
    rows = Organisation.objects.unscoped("any organisation can be the other party")
    wanted = {"code": code} if code else {"pk": actor.organisation_id}
    return rows.filter(is_active=True).get_or_refuse(**wanted)


def _previewed(
    actor: Actor, case: Case, form: OfferForm
) -> tuple[HTTPStatus, dict[str, Any] | None]:
    """What the other side will see, before it is offered."""
    if not form.is_valid():
        return HTTPStatus.UNPROCESSABLE_ENTITY, None
    try:
        return HTTPStatus.OK, packet_of(actor, case, form.ticked())
    except (Invalid, Refused) as error:
        form.refused(error)
        return HTTPStatus(error.status), None


def _decides(actor: Actor, row: CaseTransfer) -> bool:
    """Whether the actor may answer."""
    ours = row.target_organisation_id == actor.organisation_id
    return ours and bool(decide(actor, TRANSFER_CASE, as_if_in(row.target_unit, row.case)))


def _answers(
    request: ActorRequest, row: CaseTransfer, data: Any = None
) -> AcceptForm | ReceiveForm:
    """The form by which it is accepted."""
    actor = request.actor
    if row.external:
        return ReceiveForm(
            data,
            types=selectors.case_types(actor),
            units=selectors.units_where(actor, TRANSFER_CASE),
            initial={"unit": str(row.target_unit.uuid)},
        )
    row.case.unit = row.target_unit
    return AcceptForm(data, people=selectors.people_who_see(actor, row.case))


def _page(
    request: ActorRequest,
    row: CaseTransfer,
    status: HTTPStatus = HTTPStatus.OK,
    **forms: Any,
) -> HttpResponse:
    actor = request.actor
    ours = row.origin_organisation_id == actor.organisation_id
    sees = Case.objects.for_actor(actor).filter(pk=row.case_id).exists()
    received = row.received_case
    context: dict[str, Any] = {
        "transfer": row,
        "case": row.case,
        "ours": ours,
        "sees_case": sees,
        "sees_received": received is not None
        and Case.objects.for_actor(actor).filter(pk=received.pk).exists(),
        "may_answer": row.open and _decides(actor, row),
        "may_withdraw": row.open and sees and decide(actor, TRANSFER_CASE, row.case).allowed,
        "packet": row.packet if row.open else {},
    }
    if row.gone and ours:
        found = handover.whereabouts(row)
        context |= {
            "whereabouts": found,
            "state_there": StateCategory(found.category),
            "state_code": StateCategory(found.category).name.lower(),
        }
    if context["may_answer"]:
        context |= {
            "accept_form": forms.get("accept") or _answers(request, row),
            "back_form": forms.get("back") or AnswerForm(),
            "back_act": forms.get("act", "devolver"),
        }
    return render(request, "cases/transfer.html", context, status=status)


def _accept(request: ActorRequest, row: CaseTransfer) -> HttpResponse:
    form = _answers(request, row, request.POST)

    def verb() -> object:
        return services.accept_transfer(request.actor, row.uuid, **form.cleaned_data)

    status = form.saved(verb)
    if status != HTTPStatus.OK:
        return _again(request, row, status, form, accept=form)
    messages.success(request, _("The transfer has been accepted: the case is of your unit now."))
    fresh = transfer_of(request.actor, row.uuid)
    case = fresh.received_case or fresh.case
    return HttpResponseRedirect(reverse("cases:detail", args=[case.uuid]))


def _back(verb: Callable[..., object], said: Text) -> Callable[..., HttpResponse]:
    def perform(request: ActorRequest, row: CaseTransfer) -> HttpResponse:
        form = AnswerForm(request.POST)
        status = form.saved(
            lambda: verb(request.actor, row.uuid, reason=form.cleaned_data["reason"])
        )
        if status != HTTPStatus.OK:
            return _again(request, row, status, form, back=form, act=_back_act(request))
        messages.success(request, str(said))
        return HttpResponseRedirect(reverse("cases:transfer", args=[row.uuid]))

    return perform


def _back_act(request: ActorRequest) -> str:
    """Which of the two ways back was tried."""
    return "rechazar" if request.path.endswith("/rechazar/") else "devolver"


def _again(
    request: ActorRequest, row: CaseTransfer, status: HTTPStatus, form: Any, **forms: Any
) -> HttpResponse:
    """The page anew with what was typed and what was wrong; when it is settled, that is said above."""
    fresh = transfer_of(request.actor, row.uuid)
    if not fresh.open:
        for error in form.non_field_errors():
            messages.error(request, error)
        return HttpResponseRedirect(reverse("cases:transfer", args=[row.uuid]))
    return _page(request, fresh, status, **forms)


def _withdraw(request: ActorRequest, row: CaseTransfer) -> HttpResponse:
    try:
        services.withdraw_transfer(request.actor, row.uuid, reason=request.POST.get("reason", ""))
    except (Conflict, Invalid) as error:
        messages.error(request, error.in_a_line)
    else:
        messages.success(request, _("The transfer has been withdrawn."))
    return HttpResponseRedirect(reverse("cases:transfer", args=[row.uuid]))


_ACTS: dict[str, Callable[[ActorRequest, CaseTransfer], HttpResponse]] = {
    "aceptar": _accept,
    "devolver": _back(services.return_transfer, gettext_lazy("The transfer has been returned.")),
    "rechazar": _back(services.refuse_transfer, gettext_lazy("The transfer has been refused.")),
    "retirar": _withdraw,
}
