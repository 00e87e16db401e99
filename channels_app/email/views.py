"""The pages of e-mail in the console: the list, a thread, what was kept apart."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cases.answers import spoken_names
from cases.presenting import rows_of
from channels_app import services
from channels_app.email import selectors, verbs
from channels_app.email.permissions import SORT_MAIL
from channels_app.email.reading import markup, read
from channels_app.models import Attachment, Conversation, InboundMail, Message
from channels_app.permissions import ATTEND, VIEW_CONVERSATION
from channels_app.selectors import address_of, cases_of
from crm.audit.record import record, record_part
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.selectors import shown_name
from crm.kit import files
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.models import StreamHead

MOST_PICTURES = 6
_FRAME = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@require_GET
@needs(VIEW_CONVERSATION)
def mail_list(request: ActorRequest) -> HttpResponse:
    """A tab of the list; further rows alone when they are asked for."""
    tab = request.GET.get("ver", "")
    if tab not in selectors.TABS:
        tab = selectors.NEW
    cursor = request.GET.get("desde", "")
    context: dict[str, Any] = {"tab": tab, "label": selectors.TABS[tab][0]}
    if tab in {selectors.QUARANTINE, selectors.ASIDE}:
        page = selectors.page_apart(request.actor, tab, cursor)
        context |= {"mails": page.rows}
        after = page.after
    else:
        context["rows"], after = selectors.page_of_threads(request.actor, tab, cursor)
    query = urlencode({"ver": tab, "desde": after})
    context["next_url"] = f"{reverse('mail:list')}?{query}" if after else ""
    if cursor:
        return render(request, "mail/_more.html", context)
    numbers = selectors.counts(request.actor)
    context["tabs"] = [
        (key, label, icon, numbers.get(key, 0)) for key, (label, icon) in selectors.TABS.items()
    ]
    context["stream"] = f"mail:{request.actor.organisation_code}"
    context["stream_after"] = _head(context["stream"])
    return render(request, "mail/_list.html" if request.htmx else "mail/list.html", context)


@require_GET
@needs(VIEW_CONVERSATION)
def thread(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """A thread with its case and citizen beside; one entry says who opened it."""
    row = _thread(request, conversation)
    services.open_conversation(request.actor, conversation)
    services.mark_read(request.actor, conversation)
    return render(request, "mail/thread.html", _page(request, row))


@require_GET
@needs(VIEW_CONVERSATION)
def parts(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """The thread anew, after something happened in it."""
    row = _thread(request, conversation)
    record_part(request.actor, row, "thread")
    services.mark_read(request.actor, conversation)
    return render(request, "mail/_live.html", _page(request, row))


@require_GET
@needs(VIEW_CONVERSATION)
def html(request: ActorRequest, conversation: UUID, number: int) -> HttpResponse:
    """A letter's own HTML, for a frame that runs, sends and fetches nothing."""
    row = _thread(request, conversation)
    record_part(request.actor, row, "html")
    message = (
        Message.objects.for_actor(request.actor).filter(conversation=row, number=number).first()
    )
    if message is None or not message.html:
        raise NotFound
    clean = markup.sanitised(message.html, _pictures(message))
    if not clean:
        clean = escape(_("The formatting cannot be shown safely. Its text stands above."))
    title = _("As it was formatted")
    page = HttpResponse(markup.page(clean, title, get_language() or settings.LANGUAGE_CODE))
    page["Content-Security-Policy"] = _FRAME
    page["Cross-Origin-Resource-Policy"] = "same-origin"
    page["Referrer-Policy"] = "no-referrer"
    page["X-Frame-Options"] = "SAMEORIGIN"
    return page


@require_GET
@needs(VIEW_CONVERSATION)
def file(request: ActorRequest, conversation: UUID, attachment: UUID) -> HttpResponseBase:
    """A file of the thread, as a download."""
    row: Attachment = services.open_attachment(request.actor, conversation, attachment)
    return files.serve(row.path, name=row.name, media_type=row.media_type, scan=row.scan)


# --- What is done in a thread ---------------------------------------------------------------------


Act = Callable[..., str]


def act(permission: str) -> Callable[[Act], Callable[..., HttpResponseBase]]:
    """An act on a thread that says a sentence and leads back to it; so does what cannot be done."""

    def make(perform: Act) -> Callable[..., HttpResponseBase]:
        @require_POST
        @needs(permission)
        def view(request: ActorRequest, /, conversation: UUID, **kwargs: Any) -> HttpResponse:
            _thread(request, conversation)
            try:
                messages.success(request, perform(request, conversation, **kwargs))
            except Invalid as error:
                texts = [text for found in error.errors.values() for text in found]
                messages.error(request, " ".join(str(text) for text in texts or [error.message]))
            except Conflict as error:
                messages.error(request, str(error.message))
            return HttpResponseRedirect(reverse("mail:thread", args=[conversation]))

        return view

    return make


@act(SORT_MAIL)
def take(request: ActorRequest, conversation: UUID) -> str:
    """« Asumir »."""
    verbs.take(request.actor, conversation)
    return _("The conversation is yours.")


@act(SORT_MAIL)
def release(request: ActorRequest, conversation: UUID) -> str:
    """« Devolver »."""
    verbs.release(request.actor, conversation)
    return _("The conversation waits for anybody of its unit again.")


@act(SORT_MAIL)
def close(request: ActorRequest, conversation: UUID) -> str:
    """« Cerrar »."""
    verbs.close(request.actor, conversation)
    return _("The conversation is closed. It opens again if the citizen writes.")


@act(SORT_MAIL)
def spam(request: ActorRequest, conversation: UUID) -> str:
    """« Es spam »."""
    if verbs.mark_spam(request.actor, conversation):
        return _("The conversation is marked as spam and closed.")
    return _("The conversation is marked as spam. Its case stays open: close it if it is no use.")


@act(ATTEND)
def identify(request: ActorRequest, conversation: UUID) -> str:
    """« Es esta persona »."""
    row = services.identify(request.actor, conversation, _uuid(request.POST.get("citizen")))
    assert row.citizen is not None
    name = shown_name(request.actor, row.citizen)
    return _("The conversation is %(name)s's.") % {"name": name}


@act(ATTEND)
def link(request: ActorRequest, conversation: UUID) -> str:
    """« Vincular a otro caso »."""
    reference = request.POST.get("reference", "")
    verbs.link(request.actor, conversation, reference)
    return _("The conversation stands in the case %(reference)s, too.") % {
        "reference": reference.strip().upper()
    }


@act(ATTEND)
def again(request: ActorRequest, conversation: UUID, number: int) -> str:
    """« Volver a enviar »."""
    verbs.send_again(request.actor, conversation, number)
    return _("The message is on its way again.")


@require_POST
@needs(ATTEND)
def answer(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """An answer to the citizen, with the files that were added."""
    _thread(request, conversation)
    verbs.answer(
        request.actor,
        conversation,
        request.POST.get("text", ""),
        key=_key(request),
        quote=request.POST.get("quote") == "on",
        attachments=[_uuid(one) for one in request.POST.getlist("attachment")],
    )
    return _said(request, conversation)


@require_POST
@needs(ATTEND)
def note(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """A note that stays in the house."""
    _thread(request, conversation)
    services.add_note(request.actor, conversation, request.POST.get("text", ""), key=_key(request))
    return _said(request, conversation)


@require_POST
@needs(SORT_MAIL)
def upload(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """A file waits for the next answer; answers with its line."""
    row = _thread(request, conversation)
    incoming = request.FILES.get("file")
    if incoming is None:
        raise Invalid(errors={"file": [_("Choose a file.")]})
    added = verbs.attach(request.actor, conversation, incoming.chunks(), incoming.name or "")
    if not request.htmx:
        return redirect("mail:thread", conversation)
    return render(request, "mail/_waiting_file.html", {"file": added, "conversation": row})


@require_POST
@needs(SORT_MAIL)
def detach(request: ActorRequest, conversation: UUID, attachment: UUID) -> HttpResponse:
    """A file that waited is not sent."""
    _thread(request, conversation)
    verbs.detach(request.actor, conversation, attachment)
    if not request.htmx:
        return redirect("mail:thread", conversation)
    return HttpResponse("")


# --- What was kept apart --------------------------------------------------------------------------


@require_GET
@needs(VIEW_CONVERSATION)
def apart(request: ActorRequest, mail: UUID) -> HttpResponse:
    """A message that was kept apart, as text."""
    row = _mail(request, mail)
    record(request.actor, "viewed", row)
    raw = _source(row)
    letter = read(raw) if raw is not None else None
    context = {
        "mail": row,
        "letter": letter,
        "sort": selectors.may_sort(request.actor, row),
        "open": letter is not None
        and row.message_id is None
        and row.status != InboundMail.Status.DUPLICATE,
    }
    return render(request, "mail/apart.html", context)


@require_GET
@needs(VIEW_CONVERSATION)
def source(request: ActorRequest, mail: UUID) -> HttpResponseBase:
    """The raw message, as it came, as a download."""
    row = _mail(request, mail)
    raw = _source(row)
    if raw is None:
        raise NotFound(verbs.FORGOTTEN)
    record(request.actor, "downloaded", row)
    response = HttpResponse(raw, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{row.uuid}.eml"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@require_POST
@needs(SORT_MAIL)
def accept(request: ActorRequest, mail: UUID) -> HttpResponse:
    """« Aceptar »: it becomes a conversation, or joins its own."""
    _mail(request, mail)
    try:
        row = verbs.accept(request.actor, mail)
    except Conflict as error:
        messages.error(request, str(error.message))
        return redirect("mail:apart", mail)
    messages.success(request, _("The message has been taken in."))
    return redirect("mail:thread", row.uuid)


@require_POST
@needs(SORT_MAIL)
def reject(request: ActorRequest, mail: UUID) -> HttpResponse:
    """« Es spam »."""
    _mail(request, mail)
    try:
        verbs.reject(request.actor, mail)
    except Conflict as error:
        messages.error(request, str(error.message))
        return redirect("mail:apart", mail)
    messages.success(request, _("The message is marked as spam."))
    return HttpResponseRedirect(f"{reverse('mail:list')}?ver={selectors.QUARANTINE}")


# --- Inside ---------------------------------------------------------------------------------------


def _thread(request: ActorRequest, conversation: UUID) -> Conversation:
    rows = selectors.threads_of(request.actor)
    return rows.select_related("account", "unit", "owner", "citizen", "queue").get_or_refuse(  # type: ignore[attr-defined,no-any-return]
        uuid=conversation
    )


def _source(row: InboundMail) -> bytes | None:
    """The raw message of a fetched row; None once it has been kept long enough."""
    rows = InboundMail.objects.unscoped("fetched for the actor")
    raw = rows.values_list("raw", flat=True).get(pk=row.pk)
    return None if raw is None else bytes(raw)


def _mail(request: ActorRequest, mail: UUID) -> InboundMail:
    rows = InboundMail.objects.for_actor(request.actor).select_related("account")
    return rows.get_or_refuse(uuid=mail)


def _page(request: ActorRequest, row: Conversation) -> dict[str, Any]:
    actor = request.actor
    row.refresh_from_db()
    refusal = verbs.may_answer(actor, row)
    address = address_of(actor, row)
    return {
        "conversation": row,
        "name": _name(request, row),
        "parts": selectors.shown(actor, row),
        "cases": rows_of(actor, cases_of(actor, row)),
        "mine": row.owner_id is not None and row.owner_id == actor.user_id,
        "sort": selectors.may_sort(actor, row),
        "refusal": refusal,
        "may_note": actor.holds(ATTEND),
        "proposals": selectors.proposals(actor, row),
        "may_see_citizen": actor.holds(VIEW_CITIZEN),
        "waiting_files": selectors.waiting_files(row),
        "address": address,
        "recipient": _("It will be received at %(address)s.") % {"address": address},
        "user_id": actor.user_id,
        "variables": spoken_names(),
        "stream_after": _head(row.stream),
        "max_bytes": settings.FILES_MAX_BYTES,
        "max_size": f"{settings.FILES_MAX_BYTES // (1024 * 1024)} MB",
    }


def _name(request: ActorRequest, row: Conversation) -> str:
    if row.citizen is not None:
        return shown_name(request.actor, row.citizen)
    return row.contact_name or row.contact_address


def _said(request: ActorRequest, conversation: UUID) -> HttpResponse:
    if not request.htmx:
        return redirect("mail:thread", conversation)
    row = _thread(request, conversation)
    return render(request, "mail/_said.html", _page(request, row))


def _pictures(message: Message) -> Callable[[str], str]:
    """The letter's own pictures, drawn anew and small, as addresses that hold them."""
    import base64

    known = {
        one.content_id: one for one in message.attachments.exclude(content_id="")[:MOST_PICTURES]
    }

    def picture(called: str) -> str:
        found = known.get(called)
        if found is None or not files.Scan(found.scan).downloadable:
            return ""
        drawn = files.preview(found.path, found.media_type, edge=700)
        return f"data:image/webp;base64,{base64.b64encode(drawn).decode()}" if drawn else ""

    return picture


def _head(stream: str) -> int:
    """From where a page follows a live stream."""
    return StreamHead.objects.filter(stream=stream).values_list("seq", flat=True).first() or 0


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound from None


def _key(request: ActorRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("idempotency_key", ""))
    except ValueError:
        return None
