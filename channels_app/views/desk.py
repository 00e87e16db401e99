"""The employees' desk: their offers, their conversations, and what they do in each."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cases.answers import spoken_names
from cases.models import CaseType
from cases.permissions import OPEN_CASE
from cases.presenting import rows_of
from channels_app import selectors, services
from channels_app.models import Conversation, Direction, PauseReason, Presence, State
from channels_app.permissions import ATTEND, VIEW_CONVERSATION
from channels_app.services.slots import BEAT_SECONDS
from channels_app.services.writing import desk_of
from crm.audit.record import record_part
from crm.citizens import profile, reasons
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.selectors import contact_points, masked_numbers
from crm.citizens.services.records import ReasonNeeded, open_citizen
from crm.kit import files, realtime
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import DomainError, Invalid
from crm.kit.models import StreamHead
from crm.kit.policy import decide

PANELS = ("cases", "timeline")  # of the citizen's page, beside a conversation


@require_GET
@needs(ATTEND)
def desk(request: ActorRequest) -> HttpResponse:
    """The desk without a conversation open."""
    return render(request, "channels_app/desk.html", _desk(request))


@require_GET
@needs(ATTEND)
def queue(request: ActorRequest) -> HttpResponse:
    """The left of the desk anew: offers, one's own conversations, and who waits."""
    current = request.GET.get("abierta", "")
    return render(request, "channels_app/_queue.html", _desk(request, _uuid(current)))


def _desk(request: ActorRequest, current: UUID | None = None) -> dict[str, Any]:
    actor = request.actor
    slot = services.slot_of(actor)
    stream = desk_of(actor.organisation_id, slot.user_id)
    return {
        "desk_stream": stream,
        "desk_after": _head(stream),
        "desk": selectors.desk(actor, slot, current),
        "current": current,
        "presences": Presence.choices,
        "pauses": PauseReason.objects.for_actor(actor)
        .filter(is_active=True)
        .order_by("position", "pk"),
        "beat_seconds": BEAT_SECONDS,
    }


@require_POST
@needs(ATTEND)
def set_presence(request: ActorRequest) -> HttpResponse:
    """Available, busy, paused for a reason, or offline."""
    state, _colon, reason = request.POST.get("state", "").partition(":")
    services.set_presence(request.actor, state, reason=_uuid(reason))
    return redirect(_back(request))


@require_POST
@needs(ATTEND)
def beat(request: ActorRequest) -> HttpResponse:
    """The desk is open; the answer says what state one is in."""
    return JsonResponse({"state": services.beat(request.actor).state})


@require_POST
@needs(ATTEND)
def accept(request: ActorRequest, offer: UUID) -> HttpResponse:
    """Take the offered conversation and open it."""
    try:
        conversation = services.accept(request.actor, offer)
    except DomainError as error:
        if error.code != "offer_over":
            raise
        messages.warning(request, str(error))
        return redirect("channels_app:desk")
    return redirect("channels_app:conversation", conversation.uuid)


@require_POST
@needs(ATTEND)
def decline(request: ActorRequest, offer: UUID) -> HttpResponse:
    """Leave the offered conversation to somebody else."""
    services.decline(request.actor, offer)
    return redirect(_back(request))


# --- One conversation ----------------------------------------------------------------------------


@require_GET
@needs(VIEW_CONVERSATION)
def conversation(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The desk with a conversation open; an entry says who opened it."""
    actor = request.actor
    if selectors.is_mail(actor, conversation):  # a thread of e-mail has a page of its own
        return redirect("mail:thread", conversation)
    row = services.open_conversation(actor, conversation)
    context = {**_page(request, row), "may_attend": actor.holds(ATTEND)}
    if context["reassigns"]:
        with_room = selectors.with_room(actor)
        context["with_room"] = [one for one in with_room if one.user_id != row.owner_id]
    if actor.holds(ATTEND):
        context |= _desk(request, row.uuid)
    return render(request, "channels_app/conversation.html", context)


def _page(request: ActorRequest, row: Conversation) -> dict[str, Any]:
    actor = request.actor
    attends = decide(actor, ATTEND, row)
    stream_after = _head(row.stream)  # the number first: what comes between is told again
    return {
        "conversation": row,
        "name": selectors.name_of(actor, row),
        "parts": selectors.thread(actor, row),
        "stream_after": stream_after,
        "attends": attends,
        "may_take": row.state == State.WAITING and actor.holds(ATTEND),
        "queues": [queue for queue in selectors.queues(actor) if queue.pk != row.queue_id],
        "codes": row.queue.wrap_up_codes.filter(is_active=True).order_by("position", "pk")
        if row.queue
        else [],
        "user_id": actor.user_id,
        "variables": spoken_names(),
        "reassigns": selectors.may_reassign(actor, row),
        "case_types": CaseType.objects.for_actor(actor).filter(is_active=True).order_by("name")
        if actor.holds(OPEN_CASE)
        else [],
        "candidates": selectors.candidates(actor, row),
        "linked": rows_of(actor, selectors.cases_of(actor, row)),
        "accept": ",".join(sorted({end for kind in files.KINDS for end in kind.extensions})),
        "waiting_files": row.attachments.filter(message=None, direction=Direction.OUT),
    }


@require_GET
@needs(VIEW_CONVERSATION)
def thread(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """What was said, and how it stands, all anew after something happened."""
    row = _row(request, conversation)
    record_part(request.actor, row, "thread")
    return render(request, "channels_app/_live.html", _page(request, row))


@require_GET
@needs(VIEW_CONVERSATION)
def citizen(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The person at the right of the conversation; it leaves its own entry."""
    row = _row(request, conversation)
    record_part(request.actor, row, "citizen")
    return render(request, "channels_app/_citizen.html", _citizen(request, row))


def _citizen(request: ActorRequest, row: Conversation) -> dict[str, Any]:
    actor = request.actor
    context: dict[str, Any] = {
        "conversation": row,
        "hidden": selectors.protected_name(actor, row),
        "attends": decide(actor, ATTEND, row),
        "candidates": selectors.candidates(actor, row),
        "linked": rows_of(actor, selectors.cases_of(actor, row)),
    }
    if row.citizen is None or not actor.holds(VIEW_CITIZEN):
        return context
    try:
        purpose = _("Conversation of %(name)s") % {"name": row.account.name}
        reason = reasons.stated(request, row.citizen.uuid)
        opened = open_citizen(actor, row.citizen.uuid, purpose=purpose, reason=reason)
    except ReasonNeeded as needed:
        return {**context, "protected": needed.record}
    except DomainError as error:
        return {**context, "refused": error.message}
    return {
        **context,
        "opened": opened,
        "numbers": masked_numbers(opened.citizen),
        "points": contact_points(actor, opened.citizen),
        "sections": [
            section for section in profile.sections(actor, opened.citizen) if section.name in PANELS
        ],
    }


@require_POST
@needs(ATTEND)
def take(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """Take a waiting conversation by hand."""
    services.take(request.actor, conversation)
    return redirect("channels_app:conversation", conversation)


@require_POST
@needs(ATTEND)
def reply(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """An answer to the citizen, with the files that wait."""
    row = _row(request, conversation)
    waiting = row.attachments.filter(message=None, direction=Direction.OUT)
    services.reply(
        request.actor,
        conversation,
        request.POST.get("text", ""),
        key=_uuid(request.POST.get("idempotency_key", "")),
        attachments=list(waiting.values_list("uuid", flat=True)),
    )
    return _after_writing(request, conversation)


@require_POST
@needs(ATTEND)
def add_note(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """Words for colleagues."""
    key = _uuid(request.POST.get("idempotency_key", ""))
    services.add_note(request.actor, conversation, request.POST.get("text", ""), key=key)
    return _after_writing(request, conversation)


def _after_writing(request: ActorRequest, conversation: UUID) -> HttpResponse:
    if not request.htmx:
        return redirect("channels_app:conversation", conversation)
    row = _row(request, conversation)
    response = render(request, "channels_app/_live.html", _page(request, row))
    response.headers["HX-Reswap"] = "morph:outerHTML"  # the composer itself would append
    return response


@require_POST
@needs(ATTEND)
def attach(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """A file that goes with the next answer."""
    row = _row(request, conversation)
    uploaded = request.FILES.get("file")
    if uploaded is None:
        raise Invalid(errors={"file": [_("Choose a file.")]})
    kept = services.attach(request.actor, row.uuid, uploaded.chunks(), uploaded.name or "")
    return render(
        request,
        "channels_app/_waiting_file.html",
        {"conversation": kept.conversation, "attachment": kept},
    )


@require_GET
@needs(VIEW_CONVERSATION)
def attachment(request: ActorRequest, conversation: UUID, attachment: UUID) -> HttpResponseBase:
    """A file of the conversation, as a download."""
    found = services.open_attachment(request.actor, conversation, attachment)
    return files.serve(found.path, name=found.name, media_type=found.media_type, scan=found.scan)


@require_POST
@needs(ATTEND)
def mark_read(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """What was said is before the employee's eyes."""
    services.mark_read(request.actor, conversation)
    return HttpResponse(status=204)


@require_POST
@needs(ATTEND)
def types(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The employee is writing: the citizen may see it now; it is kept nowhere."""
    row = _row(request, conversation)
    if decide(request.actor, ATTEND, row) and not row.ended:
        realtime.hint(row.visitor_stream, {"typing": "employee"})
    return HttpResponse(status=204)


@require_POST
@needs(ATTEND)
def transfer(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The conversation goes to another queue, with a note."""
    queue = _uuid(request.POST.get("queue", ""))
    if queue is None:
        raise Invalid(errors={"queue": [_("Choose one of the offered values.")]})
    services.transfer(request.actor, conversation, queue, request.POST.get("note", ""))
    messages.success(request, _("The conversation waits in the other queue."))
    return redirect("channels_app:desk")


@require_POST
@needs(ATTEND)
def end(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """Nothing more is said; the wrap-up is still to come."""
    services.end(request.actor, conversation)
    return redirect("channels_app:conversation", conversation)


@require_POST
@needs(ATTEND)
def close(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """How it ended is noted, and the employee is free for the next."""
    code = _uuid(request.POST.get("code", ""))
    services.close(request.actor, conversation, code, request.POST.get("note", ""))
    messages.success(request, _("The conversation is closed."))
    return redirect("channels_app:desk")


@require_POST
@needs(ATTEND)
def identify(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The employee is sure who writes."""
    person = _uuid(request.POST.get("citizen", ""))
    if person is None:
        raise Invalid(errors={"citizen": [_("Choose a person.")]})
    services.identify(request.actor, conversation, person)
    return redirect("channels_app:conversation", conversation)


@require_POST
@needs(ATTEND)
def link_case(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The conversation belongs to a case that there is."""
    case = services.link_case(request.actor, conversation, request.POST.get("reference", ""))
    messages.success(request, _("Linked to the case %(case)s.") % {"case": case.reference})
    return redirect("channels_app:conversation", conversation)


@require_POST
@needs(OPEN_CASE)
def open_case(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """A case is opened from the conversation."""
    case = services.open_case(
        request.actor,
        conversation,
        case_type=request.POST.get("case_type", ""),
        subject=request.POST.get("subject", ""),
        description=request.POST.get("description", ""),
    )
    messages.success(request, _("The case %(case)s is open.") % {"case": case.reference})
    return redirect("channels_app:conversation", conversation)


# --- Inside --------------------------------------------------------------------------------------


def _row(request: ActorRequest, conversation: UUID) -> Conversation:
    return selectors.conversation(request.actor, conversation)


def _head(stream: str) -> int:
    return StreamHead.objects.filter(pk=stream).values_list("seq", flat=True).first() or 0


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _back(request: ActorRequest) -> str:
    """The conversation that was open, else the desk."""
    current = _uuid(request.POST.get("current", ""))
    if current is None:
        return reverse("channels_app:desk")
    return reverse("channels_app:conversation", args=[current])
