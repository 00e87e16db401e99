"""The chat as a visitor meets it: the script for foreign pages, the frame it opens, and what it asks.

The frame stands on our own address, so that no foreign page reads what is said in it; which pages may hold
it the browser is told (frame-ancestors). Cookies are not needed: the token travels in a header.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from channels_app.bots import first_level, owed
from channels_app.models import (
    Author,
    ChannelAccount,
    ConsentText,
    ContactReason,
    Conversation,
    Direction,
    Message,
)
from channels_app.services import visiting
from channels_app.services.visiting import Arrival
from channels_app.services.writing import LONGEST
from crm.kit import files
from crm.kit.actor import Door, Origin
from crm.kit.api import limits
from crm.kit.api.parsing import FORM, JSON, read_body
from crm.kit.api.problems import Unauthenticated, problem_from_exception
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.models import StreamHead
from crm.kit.web import client_ip, counted_by, request_id

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
ConversationView = Callable[Concatenate[HttpRequest, Conversation, P], HttpResponseBase]

TICKET_LASTS = 12 * 60 * 60  # seconds: somebody may leave the form open over a day's work
ASKED_PER_MINUTE = 240  # of one address: an office behind one address chats, too
BEGUN_PER_MINUTE = 12  # of one address
SAID_PER_MINUTE = 60  # in one conversation
SHOWN = 500  # messages of one answer; what is left the next one brings
_SCRIPT = Path(settings.BASE_DIR) / "static" / "js" / "widget.js"
_LANGUAGES = {code for code, _name in settings.LANGUAGES}


def answered(view: View[P]) -> View[P]:
    """Answers in JSON, errors as problems; for anybody, so nothing counts but what the request holds."""

    @csrf_exempt  # no cookie gives a right here
    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            limits.take("visitor", f"chat:{counted_by(client_ip(request))}", ASKED_PER_MINUTE)
            return view(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is a problem
            return problem_from_exception(error, {"request": request, "view": view})

    return answer


def inside(view: ConversationView[P]) -> View[P]:
    """Lets in who shows a visitor's token, into the conversation that it opens and no other."""

    @answered
    @wraps(view)
    def enter(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        found = visiting.conversation_of(token) if kind == "Bearer" else None
        if found is None:
            raise Unauthenticated("no_conversation", _("This conversation is not open any more."))
        with translation.override(found.language):
            return view(request, found, *args, **kwargs)

    return enter


# --- The widget ----------------------------------------------------------------------------------


@require_GET
def script(request: HttpRequest, key: str) -> HttpResponse:
    """The one script tag: a button on a foreign page, which opens the frame."""
    account = visiting.account_of(key)
    texts = {}
    for code in _LANGUAGES:
        with translation.override(code):
            texts[code] = {
                "open": _("Chat with us"),
                "close": _("Close the chat"),
                "title": _("Chat with %(name)s") % {"name": account.organisation.name},
                "unread": _("There is a new message"),
            }
    own = {
        "frame": f"{settings.PUBLIC_URL}/chat/{account.public_key}/",
        "origin": settings.PUBLIC_URL,
        "accent": account.organisation.accent,
        "texts": texts,
    }
    words = json.dumps(own, ensure_ascii=False).replace("</", "<\\/")
    return HttpResponse(
        f"(() => {{\nconst own = {words};\n{_SCRIPT.read_text()}\n}})();\n",
        content_type="text/javascript; charset=utf-8",
        headers={
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_GET
@xframe_options_exempt
def frame(request: HttpRequest, key: str) -> HttpResponseBase:
    """The chat itself, for the frame on a foreign page that the account allows."""
    account = visiting.account_of(key)
    language = request.GET.get("l", "").lower()
    language = language if language in _LANGUAGES else language.partition("-")[0]
    page = request.GET.get("p", "")[:500]
    # the made-up page of the demo is served on whatever port; production has none
    made_up = page.startswith(f"{settings.PUBLIC_URL}/demo/pagina/") and not settings.PRODUCTION
    held_by = [*account.allowed_origins, *([SELF] if made_up else [])] or [NONE]

    @csp_replace({"frame-ancestors": held_by})
    def shown(request: HttpRequest) -> HttpResponse:
        return render(request, "channels_app/widget.html", _frame(account, page))

    with translation.override(language if language in _LANGUAGES else account_language(account)):
        request.LANGUAGE_CODE = translation.get_language()
        response = shown(request)
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def account_language(account: ChannelAccount) -> str:
    """The first language of the account's organisation."""
    return next(iter(account.organisation.languages), "es")


def _frame(account: ChannelAccount, page: str) -> dict[str, Any]:
    reasons = (
        ContactReason.objects.unscoped("the form is for anybody")
        .filter(account=account, is_active=True, queue__is_active=True)
        .order_by("position", "pk")
    )
    newest = (
        ConsentText.objects.unscoped("the form is for anybody")
        .filter(account=account)
        .order_by("-version")
        .first()
    )
    received = visiting.welcome(account, reasons[0].code if reasons else "")
    return {
        "assistant": first_level.speaks_on(account),
        "account": account,
        "organisation": account.organisation,
        "reasons": reasons,
        "consent": newest,
        "attended": received.attended,
        "back": _back(account, received.hours.back_at),
        "ticket": TimestampSigner(salt="channels.ticket").sign_object([account.public_key, page]),
        "longest": LONGEST,
        "accept": ",".join(sorted({end for kind in files.KINDS for end in kind.extensions})),
    }


def _back(account: ChannelAccount, moment: datetime | None) -> str:
    """When people are back, in the words and hours of the organisation."""
    if moment is None:
        return ""
    zone = ZoneInfo(account.organisation.time_zone)
    return date_format(localtime(moment, zone), "DATETIME_FORMAT")


# --- Before a conversation -----------------------------------------------------------------------


@require_POST
@answered
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """A conversation begins; 409 "closed" when nobody attends now."""
    account, arrival = _arrival(request, key)
    with translation.override(arrival.language):
        conversation, token = visiting.start(account, arrival, _origin(request))
        return JsonResponse({"token": token, **_state(conversation, 0)}, status=HTTPStatus.CREATED)


@require_POST
@answered
def leave_message(request: HttpRequest, key: str) -> HttpResponse:
    """What is left out of hours is a case."""
    account, arrival = _arrival(request, key)
    with translation.override(arrival.language):
        case = visiting.leave_message(account, arrival, _origin(request))
        received = visiting.welcome(account, arrival.reason)
        return JsonResponse(
            {"reference": case.reference, "back": _back(account, received.hours.back_at)},
            status=HTTPStatus.CREATED,
        )


def _arrival(request: HttpRequest, key: str) -> tuple[ChannelAccount, Arrival]:
    limits.take("visitor", f"chat-begin:{counted_by(client_ip(request))}", BEGUN_PER_MINUTE)
    account = visiting.account_of(key)
    body = _body(request)
    page = _page(body, account)
    language = _text(body, "language")
    arrival = Arrival(
        key=_uuid(body.get("key")),
        text=_text(body, "text"),
        consent=body["consent"] if isinstance(body.get("consent"), int) else 0,
        name=_text(body, "name"),
        address=_text(body, "address"),
        reason=_text(body, "reason"),
        language=language if language in _LANGUAGES else account_language(account),
        page=page,
    )
    return account, arrival


def _page(body: dict[str, Any], account: ChannelAccount) -> str:
    """The page whose frame we gave the form to: who made up a request of their own has no such ticket."""
    try:
        of, page = TimestampSigner(salt="channels.ticket").unsign_object(
            _text(body, "ticket"), max_age=TICKET_LASTS
        )
    except (BadSignature, ValueError, TypeError):
        of, page = "", ""
    if of != account.public_key:
        raise Conflict(
            "stale_form", _("This form has been open for too long. Load the page again.")
        )
    try:
        parts = urlsplit(str(page))
    except ValueError:  # it is no address at all
        return ""
    named = parts.scheme in {"http", "https"} and parts.netloc
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if named else ""


# --- In a conversation ---------------------------------------------------------------------------


@require_GET
@inside
def state(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """What was said after a number, how it stands, and from where to follow it live."""
    after = request.GET.get("after", "0")[:12]
    return JsonResponse(_state(conversation, int(after) if after.isdecimal() else 0))


@require_POST
@inside
def say(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """Something is said; the same key again says it once."""
    limits.take("visitor", f"chat-say:{conversation.pk}", SAID_PER_MINUTE)
    body = _body(request)
    message = visiting.say(
        conversation, _text(body, "text"), key=_uuid(body.get("key")), origin=_origin(request)
    )
    return JsonResponse(_message(message), status=HTTPStatus.CREATED)


@require_POST
@inside
def send_file(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """A file is sent: multipart `file` and `key`."""
    limits.take("visitor", f"chat-say:{conversation.pk}", SAID_PER_MINUTE)
    form = read_body(request, FORM)
    uploaded = form.get("file") if isinstance(form, dict) else None
    if uploaded is None or not hasattr(uploaded, "chunks"):
        raise Invalid(errors={"file": [_("Choose a file.")]})
    message = visiting.send_file(
        conversation, uploaded.chunks(), uploaded.name or "", key=_uuid(form.get("key"))
    )
    return JsonResponse(_message(message), status=HTTPStatus.CREATED)


@require_GET
@inside
def file(request: HttpRequest, conversation: Conversation, attachment: UUID) -> HttpResponseBase:
    """A file of the visitor's own conversation, as a download."""
    found = conversation.attachments.exclude(message=None).filter(uuid=attachment).first()
    if found is None:
        raise NotFound
    return files.serve(found.path, name=found.name, media_type=found.media_type, scan=found.scan)


@require_POST
@inside
def seen(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """What was said up to this number has been read."""
    number = _body(request).get("number")
    if not isinstance(number, int) or number < 0:
        raise Invalid(errors={"number": [_("Write a whole number.")]})
    visiting.seen(conversation, min(number, 2**31 - 1))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_POST
@inside
def ask_for_person(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """The visitor wants a person, not the first level."""
    limits.take("visitor", f"chat-say:{conversation.pk}", SAID_PER_MINUTE)
    visiting.ask_for_person(conversation, _origin(request))
    conversation.refresh_from_db()
    return JsonResponse(_state(conversation, conversation.last_number))


@require_POST
@inside
def leave(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """The visitor ends the conversation."""
    visiting.leave(conversation, _origin(request))
    conversation.refresh_from_db()
    return JsonResponse(_state(conversation, conversation.last_number))


@require_POST
@inside
def transcript(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """A copy of the conversation goes to a mailbox."""
    limits.take("visitor", f"chat-copy:{counted_by(client_ip(request))}", BEGUN_PER_MINUTE)
    visiting.send_transcript(conversation, _text(_body(request), "address"))
    return HttpResponse(status=HTTPStatus.ACCEPTED)


def _state(conversation: Conversation, after: int) -> dict[str, Any]:
    # the number first: what comes between is told again, never left out
    head = StreamHead.objects.filter(pk=conversation.visitor_stream).values_list("seq", flat=True)
    seq = head.first() or 0
    said = (
        conversation.messages.exclude(direction=Direction.INTERNAL)
        .filter(number__gt=min(after, 2**31 - 1))
        .select_related("conversation")
        .prefetch_related("attachments")
        .order_by("number")
    )
    owner = conversation.owner
    return {
        "state": conversation.state,
        "ended": conversation.ended,
        "ended_by": conversation.ended_by,
        "position": visiting.position(conversation),
        "attended_by": owner.get_short_name() if owner else "",
        "address": conversation.contact_address,
        "read": conversation.read_number,
        "preparing": owed.seconds_left(conversation),
        "seq": seq,
        "messages": [_message(message) for message in said[:SHOWN]],
    }


def _message(message: Message) -> dict[str, Any]:
    mine = message.author_kind == Author.CITIZEN
    name = message.author_name
    if message.author_kind == Author.EMPLOYEE:
        name = name.partition(" ")[0]  # a first name, as at a window
    return {
        "number": message.number,
        "mine": mine,
        "author": str(name or message.get_author_kind_display()),
        "kind": message.author_kind,
        "text": message.body,
        "sources": message.sources,
        "at": message.at.isoformat(),
        "key": str(message.client_key) if mine and message.client_key else "",
        "files": [
            {"id": str(one.uuid), "name": one.name, "size": one.size}
            for one in message.attachments.all()
        ],
    }


# --- What a request holds ------------------------------------------------------------------------


def _body(request: HttpRequest) -> dict[str, Any]:
    body = read_body(request, JSON)
    if not isinstance(body, dict):
        raise Invalid
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Invalid(errors={name: [_("Write a text.")]})
    return value


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(errors={"key": [_("It lacks its key.")]}) from None


def _origin(request: HttpRequest) -> Origin:
    return Origin(Door.PUBLIC, request_id(request), client_ip(request))
