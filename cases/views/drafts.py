"""Drafts: kept by the composer while it is typed, shared, taken over, put away; all that one has unfinished."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cases import drafts, selectors
from cases.models import Draft
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import drafting
from crm.audit.record import record, record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid

AT_MOST = 100


@require_POST
@needs(CHANGE_CASE)
def save(request: ActorRequest, case: UUID, kind: str) -> HttpResponse:
    """What is being typed, kept. 409 with what the draft says now when it was changed elsewhere."""
    post = request.POST
    selectors.require_exists(request.actor, case)
    try:
        draft = drafting.save_draft(
            request.actor,
            case,
            kind,
            post.get("text", ""),
            channel=post.get("channel", ""),
            seen=_whole(post.get("seen")),
            version=_whole(post.get("version")),
        )
    except Conflict as error:
        told = {"detail": str(error), "now": error.details.get("now")}
        return JsonResponse(told, status=error.status)
    except Invalid as error:
        return JsonResponse({"detail": error.in_a_line}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return JsonResponse(draft.as_data() if draft else {"id": "", "version": 0})


@require_POST
@needs(CHANGE_CASE)
def share(request: ActorRequest, draft: UUID) -> HttpResponse:
    """« Compartir borrador », or no longer."""
    row = drafting.share_draft(request.actor, draft, shared=request.POST.get("on") != "0")
    text = (
        _("Whoever works on the case can go on with your draft.")
        if row.shared_at
        else _("The draft is yours alone.")
    )
    return _done(request, row, text)


@require_POST
@needs(CHANGE_CASE)
def take(request: ActorRequest, draft: UUID) -> HttpResponse:
    """« Seguir con él »: a colleague's draft is one's own."""
    row = drafting.take_draft(request.actor, draft)
    text = _("You go on with the draft of %(name)s.") % {"name": row.begun_by}
    messages.success(request, text)
    return HttpResponseRedirect(_place(row))


@require_POST
@needs(CHANGE_CASE)
def bring(request: ActorRequest, draft: UUID) -> HttpResponse:
    """A draft that stood aside is written on."""
    return HttpResponseRedirect(_place(drafting.bring_in(request.actor, draft)))


@require_POST
@needs(CHANGE_CASE)
def discard(request: ActorRequest, draft: UUID) -> HttpResponse:
    """« Descartar »; it can be taken back."""
    row = drafting.discard_draft(request.actor, draft)
    return _done(request, row, _("The draft has been discarded. For a week you can take it back."))


@require_POST
@needs(CHANGE_CASE)
def restore(request: ActorRequest, draft: UUID) -> HttpResponse:
    """« Recuperar »."""
    return _done(request, drafting.restore_draft(request.actor, draft), _("The draft is back."))


@require_GET
@needs(VIEW_CASE)
def on_case(request: ActorRequest, case: UUID) -> HttpResponse:
    """The drafts beside the composer, when somebody shared one or took one over."""
    row = selectors.case_of(request.actor, case)
    record_part(request.actor, row, "drafts")
    found = drafts.drafts_on(request.actor, row)
    return render(request, "cases/_drafts.html", {"case": row, "drafts": found})


@require_GET
@needs(VIEW_CASE)
def index(request: ActorRequest) -> HttpResponse:
    """« Mis borradores »."""
    actor = request.actor
    own = drafts.own_drafts(actor).order_by("-updated_at")[:AT_MOST]
    shared = drafts.shared_drafts(actor).order_by("-updated_at")[:AT_MOST]
    gone = drafts.own_drafts(actor, discarded=True).order_by("-discarded_at")[:AT_MOST]
    record(actor, "searched", what="drafts")
    context = {
        "own": drafts.with_names(actor, own),
        "shared": drafts.with_names(actor, shared),
        "gone": drafts.with_names(actor, gone),
    }
    return render(request, "cases/drafts.html", context)


# --- Inside -------------------------------------------------------------------------------------


def _whole(text: str | None) -> int | None:
    """A number that the composer sends; what is none counts as not said."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _place(draft: Draft) -> str:
    """Where it is written on: the composer of its case, in its mode."""
    return f"{reverse('cases:detail', args=[draft.case.uuid])}?escribir={draft.kind}#composer"


def _done(request: ActorRequest, draft: Draft, text: str) -> HttpResponse:
    """For the composer's script as data, else the page of drafts again."""
    if "json" in request.headers.get("Accept", ""):
        return JsonResponse({**draft.as_data(), "told": text})
    messages.success(request, text)
    return HttpResponseRedirect(reverse("cases:drafts"))
