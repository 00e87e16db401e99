"""What is done on the page of a case with one press: each parses, calls the verb and goes back."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from cases import selectors, services, timeline
from cases.models import Confidentiality, Document, Link, Participant
from cases.permissions import CHANGE_CASE, TRANSFER_CASE, VIEW_CASE
from cases.services.answers import send_answered
from crm.citizens.selectors import shown_name
from crm.kit import files
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.policy import decide

MOST_ANSWERS = 20  # in one message
Act = Callable[..., str]
ActView = Callable[..., HttpResponseBase]


def act(permission: str, tab: str = "historia") -> Callable[[Act], ActView]:
    """An act on a case that says a sentence and leads back to its page; so does what cannot be done.

    Refusals and unknown cases go on to their own pages.
    """

    def make(perform: Act) -> ActView:
        @require_POST
        @needs(permission)
        def view(request: ActorRequest, /, case: UUID, **kwargs: UUID) -> HttpResponse:
            selectors.require_exists(request.actor, case)
            try:
                messages.success(request, perform(request, case, **kwargs))
            except Invalid as error:
                texts = [text for found in error.errors.values() for text in found]
                _say_no(request, texts or [error.message])
            except Conflict as error:
                row, version = selectors.case_of(request.actor, case), version_seen(request)
                told = timeline.told_since(row, version) if version is not None else []
                _say_no(request, [error.message, *told])
            back = _back(request) or f"{reverse('cases:detail', args=[case])}#tab-{tab}"
            return HttpResponseRedirect(back)

        return view

    return make


def _say_no(request: ActorRequest, texts: Iterable[Text]) -> None:
    """Why an act was not done, and the reason that was typed for it, which is not lost."""
    for text in texts:
        messages.error(request, str(text))
    if typed := request.POST.get("reason", "").strip():
        messages.warning(request, _("What you had written: %(text)s") % {"text": typed})


def version_seen(request: ActorRequest) -> int | None:
    """The version of the case that was before the person, if the form says it."""
    return _number(request, "version") if "version" in request.POST else None


def _number(request: ActorRequest, name: str, default: int = -1) -> int:
    """A number of the form; what is none is -1, which no choice has."""
    text = request.POST.get(name, str(default))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _back(request: ActorRequest) -> str:
    """The list from which an act was done on one of its rows."""
    if (query := request.POST.get("danger")) is not None:
        return f"{reverse('cases:danger')}?{query}"
    query = request.POST.get("filter")
    return f"{reverse('cases:list')}?{query}" if query is not None else ""


def _uuid(text: str | None, field: str) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise Invalid(errors={field: [_("Choose one of the offered values.")]}) from None


@act(CHANGE_CASE)
def take(request: ActorRequest, case: UUID) -> str:
    """« Asumir »."""
    row = services.take_case(request.actor, case)
    return _("%(reference)s is yours.") % {"reference": row.reference}


@act(CHANGE_CASE)
def release(request: ActorRequest, case: UUID) -> str:
    """« Devolver a la cola »."""
    row = services.release_case(request.actor, case)
    return _("%(reference)s is back in the queue.") % {"reference": row.reference}


@act(CHANGE_CASE)
def assign(request: ActorRequest, case: UUID) -> str:
    """« Asignar »."""
    person = _uuid(request.POST.get("person"), "assignee")
    row = services.assign_case(request.actor, case, person, version=version_seen(request))
    return _("%(name)s has the case now.") % {"name": row.assignee}


@act(TRANSFER_CASE)
def unit(request: ActorRequest, case: UUID) -> str:
    """« Cambiar de unidad »."""
    target = _uuid(request.POST.get("unit"), "unit")
    row = services.change_unit(
        request.actor,
        case,
        target,
        reason=request.POST.get("reason", ""),
        version=version_seen(request),
    )
    return _("The case is now in %(unit)s.") % {"unit": row.unit}


@act(CHANGE_CASE)
def confidentiality(request: ActorRequest, case: UUID) -> str:
    """« Cambiar la confidencialidad »."""
    row = services.change_confidentiality(
        request.actor,
        case,
        _number(request, "level"),
        reason=request.POST.get("reason", ""),
        version=version_seen(request),
    )
    return _("The confidentiality is now: %(level)s.") % {
        "level": row.get_confidentiality_display()
    }


@act(CHANGE_CASE, "relaciones")
def add_participant(request: ActorRequest, case: UUID) -> str:
    """« Añadir interviniente »."""
    citizen = _uuid(request.POST.get("citizen"), "citizen")
    role = request.POST.get("role", Participant.Role.INTERESTED_PARTY)
    added = services.add_participant(request.actor, case, citizen, role)
    return _("%(name)s takes part in the case.") % {
        "name": shown_name(request.actor, added.citizen)
    }


@act(CHANGE_CASE, "relaciones")
def end_participant(request: ActorRequest, case: UUID, participant: UUID) -> str:
    """« Retirar interviniente »."""
    services.end_participant(request.actor, case, participant)
    return _("The participant has been withdrawn.")


@act(CHANGE_CASE, "relaciones")
def link(request: ActorRequest, case: UUID) -> str:
    """« Relacionar »: the other case by its number."""
    reference = request.POST.get("reference", "")
    other = selectors.by_reference(request.actor, reference)
    if other is None:
        raise Invalid(errors={"reference": [_("There is no case with this number.")]})
    services.link_cases(
        request.actor, case, other.uuid, request.POST.get("kind", Link.Kind.RELATED)
    )
    return _("The case is linked with %(reference)s.") % {"reference": other.reference}


@act(CHANGE_CASE, "relaciones")
def unlink(request: ActorRequest, case: UUID, link: UUID) -> str:
    """« Quitar relación »."""
    services.unlink_cases(request.actor, case, link)
    return _("The cases are no longer linked.")


@act(CHANGE_CASE)
def resend(request: ActorRequest, case: UUID, message: UUID) -> str:
    """« Reintentar » a message that was not delivered."""
    services.retry_message(request.actor, case, message)
    return _("The message is on its way again.")


@act(CHANGE_CASE, "documentos")
def withdraw(request: ActorRequest, case: UUID, document: UUID) -> str:
    """« Retirar documento »."""
    found = services.withdraw_document(
        request.actor, case, document, reason=request.POST.get("reason", "")
    )
    return _("The document %(name)s has been withdrawn.") % {"name": found.name}


# --- Words, answered with the new entry when asked for by htmx ------------------------------------


def _said(request: ActorRequest, case: UUID) -> HttpResponse:
    if not request.htmx:
        return HttpResponseRedirect(reverse("cases:detail", args=[case]))
    row = selectors.case_of(request.actor, case)
    newest = timeline.story(request.actor, row, timeline.Asked(newest_first=True, limit=1))
    context = {"entries": newest, "case": row, "fresh": True}
    response = render(request, "cases/_entries.html", context)
    if request.POST.get("orden") == "reciente":
        response["HX-Reswap"] = "afterbegin show:top"
    return response


def _key(request: ActorRequest) -> UUID | None:
    return _id(request, "idempotency_key")


def _id(request: ActorRequest, name: str) -> UUID | None:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        return None


@require_POST
@needs(CHANGE_CASE)
def note(request: ActorRequest, case: UUID) -> HttpResponse:
    """An internal note."""
    text, draft = request.POST.get("text", ""), _id(request, "draft")
    note = services.add_note(request.actor, case, text, key=_key(request), draft=draft)
    response = _said(request, case)
    if note.not_told and request.htmx:
        trigger_client_event(
            response, "toast", {"text": " ".join(note.not_told), "level": "warning"}
        )
    elif note.not_told:
        messages.warning(request, " ".join(note.not_told))
    return response


@require_POST
@needs(CHANGE_CASE)
def message(request: ActorRequest, case: UUID) -> HttpResponse:
    """A message to the citizen, with the files of the canned answers that it was written with."""
    used = [_uuid(one, "answer") for one in request.POST.getlist("answer")[:MOST_ANSWERS]]
    given, seen = request.POST.get("text", ""), _number(request, "seen")
    try:
        send_answered(
            request.actor,
            case,
            given,
            used,
            key=_key(request),
            draft=_id(request, "draft"),
            seen=seen if seen >= 0 else None,
        )
    except Conflict as error:
        if error.code != "answered_meanwhile":
            raise
        return _crossed(request, case, given, error)
    return _said(request, case)


def _crossed(request: ActorRequest, case: UUID, given: str, error: Conflict) -> HttpResponse:
    """Somebody else has answered since this was begun: it is shown, and the person decides. Without a
    script what they wrote is kept as their draft."""
    if not request.htmx:
        services.save_draft(request.actor, case, "reply", given)
        _say_no(request, [error.message])
        return HttpResponseRedirect(f"{reverse('cases:detail', args=[case])}#composer")
    context = {
        "answers": error.details["answers"],
        "seen": error.details["now"]["seen_event"],
        "told": error.message,
    }
    response = render(request, "cases/_crossed.html", context, status=error.status)
    response["HX-Retarget"] = "#composer-crossed"
    response["HX-Reswap"] = "innerHTML"
    return response


@require_POST
@needs(CHANGE_CASE)
def said(request: ActorRequest, case: UUID) -> HttpResponse:
    """What the citizen said at the counter, by telephone or in a letter."""
    given, channel = request.POST.get("text", ""), request.POST.get("channel", "")
    draft = _id(request, "draft")
    services.record_message(
        request.actor, case, given, channel=channel, key=_key(request), draft=draft
    )
    return _said(request, case)


# --- Documents ----------------------------------------------------------------------------------


@require_POST
@needs(CHANGE_CASE)
def upload(request: ActorRequest, case: UUID) -> HttpResponse:
    """A file becomes a document of the case; answers with its row."""
    selectors.require_exists(request.actor, case)
    incoming = request.FILES.get("file")
    if incoming is None:
        raise Invalid(errors={"file": [_("Choose a file.")]})
    document = services.attach_document(
        request.actor,
        case,
        incoming.chunks(),
        incoming.name or "",
        origin=request.POST.get("origin", Document.Origin.ADMINISTRATION),
        confidentiality=_number(request, "confidentiality", Confidentiality.INTERNAL),
    )
    if not request.htmx:
        return HttpResponseRedirect(reverse("cases:detail", args=[case]) + "#tab-documentos")
    row = selectors.case_of(request.actor, case)
    context = {
        "document": document,
        "case": row,
        "change": decide(request.actor, CHANGE_CASE, row),
        "first": len(selectors.documents_of(request.actor, row)) == 1,
    }
    return render(request, "cases/_document.html", context)


@require_GET
@needs(VIEW_CASE)
def download(request: ActorRequest, case: UUID, document: UUID) -> HttpResponseBase:
    """The document's bytes, as a download."""
    row = services.open_document(request.actor, case, document)
    return files.serve(row.path, name=row.name, media_type=row.media_type, scan=row.scan)


@require_GET
@needs(VIEW_CASE)
def preview(request: ActorRequest, case: UUID, document: UUID) -> HttpResponse:
    """A picture of the document's first page, made anew; seeing it is a look like any other."""
    row = services.open_document(request.actor, case, document)
    picture = files.preview(row.path, row.media_type) if files.Scan(row.scan).downloadable else None
    if picture is None:
        return HttpResponse(status=404)
    return files.serve_preview(picture, name=row.name)
