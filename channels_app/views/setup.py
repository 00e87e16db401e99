"""Where an administrator sets up web chats, queues and who serves them, and the words to choose from."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.models import CaseType
from channels_app.forms import ChatForm, MemberForm, QueueForm, ReasonForm, WordForm
from channels_app.models import (
    AccountKind,
    AgentSlot,
    ChannelAccount,
    ContactReason,
    PauseReason,
    Queue,
    WrapUpCode,
)
from channels_app.permissions import ATTEND, MANAGE_CHANNELS
from channels_app.services import setup as verbs
from crm.accounts.selectors import holders
from crm.kit.access import ActorRequest, needs
from crm.kit.forms import Correction, ServiceForm
from crm.kit.policy import decide
from crm.organisations.forms import calendar_choices, unit_choices
from crm.organisations.models import Organisation, WorkingCalendar
from crm.organisations.selectors import unit_tree

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@needs(MANAGE_CHANNELS)
def overview(request: ActorRequest) -> HttpResponse:
    """Everything: web chats, queues and reasons for a pause."""
    of_mail = ChannelAccount.objects.for_actor(request.actor).filter(
        kind=AccountKind.EMAIL, queue=OuterRef("pk")
    )
    queues = Queue.objects.for_actor(request.actor).select_related("unit")
    context = {
        "chats": _chats(request).order_by("-is_active", "name"),
        "queues": queues.annotate(people=Count("members"), mail=Exists(of_mail)).order_by(
            "-is_active", "priority", "pk"
        ),
        "pauses": PauseReason.objects.for_actor(request.actor).order_by("position", "pk"),
    }
    return render(request, "channels_app/setup/overview.html", context)


# --- Web chats -----------------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def new_chat(request: ActorRequest) -> HttpResponse:
    """One more web chat."""
    form = _chat_form(request, None)
    return _save(
        request,
        form,
        lambda: verbs.save_chat(request.actor, form.given()),
        lambda made: redirect("channels_app:setup_chat", made.uuid),
        title=_("New web chat"),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def chat(request: ActorRequest, account: UUID) -> HttpResponse:
    """One web chat: what it is, its tag for other sites, and the reasons that its form offers."""
    row = _chats(request).get_or_refuse(uuid=account)
    form = _chat_form(request, row)
    script = reverse("channels_app:widget_script", args=[row.public_key])
    return _save(
        request,
        form,
        lambda: verbs.save_chat(request.actor, form.given(), account=account, seen=_seen(form)),
        lambda _made: redirect("channels_app:setup_chat", account),
        lambda: ChatForm.of(_chats(request).get(uuid=account)),
        template="channels_app/setup/chat.html",
        title=row.name,
        account=row,
        may=decide(request.actor, MANAGE_CHANNELS, row),
        tag=f'<script src="{settings.PUBLIC_URL}{script}" async></script>',
        reasons=row.reasons.select_related("queue").order_by("position", "pk"),
        version=row.consent_texts.count(),
    )


def _chats(request: ActorRequest) -> Any:
    rows = ChannelAccount.objects.for_actor(request.actor).filter(kind=AccountKind.WEB_CHAT)
    return rows.select_related("unit", "queue")


def _chat_form(request: ActorRequest, row: ChannelAccount | None) -> ChatForm:
    return ChatForm(
        request.POST or None,
        initial=ChatForm.of(row) if row else {"is_active": True},
        languages=verbs.languages_of(_organisation(request)),
        units=_units(request),
        queues=_queues(request),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def new_reason(request: ActorRequest, account: UUID) -> HttpResponse:
    """One more reason in a chat's form."""
    row = _chats(request).get_or_refuse(uuid=account)
    return _reason(request, row, None)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def reason(request: ActorRequest, reason: UUID) -> HttpResponse:
    """One reason of a chat's form."""
    found = _reasons(request).get_or_refuse(uuid=reason)
    return _reason(request, found.account, found)


def _reasons(request: ActorRequest) -> Any:
    return ContactReason.objects.for_actor(request.actor).select_related("account", "queue")


def _reason(
    request: ActorRequest, account: ChannelAccount, row: ContactReason | None
) -> HttpResponse:
    place = account.reasons.count() if row is None else 0
    form = ReasonForm(
        request.POST or None,
        initial=ReasonForm.of(row) if row else {"is_active": True, "position": place},
        languages=verbs.languages_of(_organisation(request)),
        queues=_queues(request),
    )
    known = row.uuid if row else None
    back = reverse("channels_app:setup_chat", args=[account.uuid])
    return _save(
        request,
        form,
        lambda: verbs.save_reason(
            request.actor, account.uuid, form.given(), reason=known, seen=_seen(form)
        ),
        lambda _made: redirect(back),
        lambda: ReasonForm.of(_reasons(request).get(uuid=known)),
        title=row.name if row else _("New reason"),
        inside=(back, account.name),
    )


# --- Queues --------------------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def new_queue(request: ActorRequest) -> HttpResponse:
    """One more queue."""
    form = _queue_form(request, None)
    return _save(
        request,
        form,
        lambda: verbs.save_queue(request.actor, form.given()),
        lambda made: redirect("channels_app:setup_queue", made.uuid),
        title=_("New queue"),
    )


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def queue(request: ActorRequest, queue: UUID) -> HttpResponse:
    """One queue: what it is, who serves it, and how its conversations may end."""
    row = _queue_rows(request).get_or_refuse(uuid=queue)
    form = _queue_form(request, row)
    return _save(
        request,
        form,
        lambda: verbs.save_queue(request.actor, form.given(), queue=queue, seen=_seen(form)),
        lambda _made: redirect("channels_app:setup_queue", queue),
        lambda: QueueForm.of(_queue_rows(request).get(uuid=queue)),
        template="channels_app/setup/queue.html",
        **_queue_page(request, row),
    )


def _queue_rows(request: ActorRequest) -> Any:
    return Queue.objects.for_actor(request.actor).select_related("unit", "calendar", "case_type")


def _queue_page(request: ActorRequest, row: Queue) -> dict[str, Any]:
    agents = AgentSlot.objects.for_actor(request.actor).filter(queues=row)
    return {
        "title": row.name,
        "queue": row,
        "may": decide(request.actor, MANAGE_CHANNELS, row),
        "agents": agents.select_related("user").order_by("user__full_name", "pk"),
        "codes": row.wrap_up_codes.order_by("position", "pk"),
        "member_form": MemberForm(auto_id="member_%s", people=_people(request)),
    }


def _queue_form(request: ActorRequest, row: Queue | None, *, unbound: bool = False) -> QueueForm:
    types = CaseType.objects.for_actor(request.actor).filter(is_active=True).order_by("name")
    return QueueForm(
        None if unbound else request.POST or None,
        initial=QueueForm.of(row) if row else {"is_active": True},
        languages=verbs.languages_of(_organisation(request)),
        units=_units(request),
        calendars=calendar_choices(WorkingCalendar.objects.for_actor(request.actor)),
        case_types=[(str(one.uuid), one.name) for one in types],
    )


@require_POST
@needs(MANAGE_CHANNELS)
def add_member(request: ActorRequest, queue: UUID) -> HttpResponse:
    """Somebody serves the queue, or has more or less room."""
    row = _queue_rows(request).get_or_refuse(uuid=queue)
    form = MemberForm(request.POST, auto_id="member_%s", people=_people(request))
    status = form.saved(
        lambda: verbs.add_member(
            request.actor,
            queue,
            UUID(form.cleaned_data["person"]),
            form.cleaned_data["room"],
        )
    )
    if status == HTTPStatus.OK:
        messages.success(request, _("Changes saved."))
        return redirect("channels_app:setup_queue", queue)
    context = {
        **_queue_page(request, row),
        "form": _queue_form(request, row, unbound=True),
        "member_form": form,
    }
    return render(request, "channels_app/setup/queue.html", context, status=status)


@require_POST
@needs(MANAGE_CHANNELS)
def remove_member(request: ActorRequest, queue: UUID, agent: UUID) -> HttpResponse:
    """Somebody serves the queue no longer."""
    verbs.remove_member(request.actor, queue, agent)
    messages.success(request, _("Changes saved."))
    return redirect("channels_app:setup_queue", queue)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def new_code(request: ActorRequest, queue: UUID) -> HttpResponse:
    """One more way for conversations of a queue to end."""
    return _code(request, _queue_rows(request).get_or_refuse(uuid=queue), None)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def code(request: ActorRequest, code: UUID) -> HttpResponse:
    """One way for conversations of a queue to end."""
    found = _codes(request).get_or_refuse(uuid=code)
    return _code(request, found.queue, found)


def _codes(request: ActorRequest) -> Any:
    return WrapUpCode.objects.for_actor(request.actor).select_related("queue")


def _code(request: ActorRequest, queue: Queue, row: WrapUpCode | None) -> HttpResponse:
    known = row.uuid if row else None
    back = reverse("channels_app:setup_queue", args=[queue.uuid])
    form = _word_form(request, row, queue.wrap_up_codes.count() if row is None else 0)
    return _save(
        request,
        form,
        lambda: verbs.save_code(
            request.actor, queue.uuid, form.given(), code=known, seen=_seen(form)
        ),
        lambda _made: redirect(back),
        lambda: WordForm.of(_codes(request).get(uuid=known)),
        title=row.name if row else _("New wrap-up code"),
        inside=(back, queue.name),
    )


# --- Reasons for a pause -------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def new_pause(request: ActorRequest) -> HttpResponse:
    """One more reason for a pause."""
    return _pause(request, None)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CHANNELS)
def pause(request: ActorRequest, pause: UUID) -> HttpResponse:
    """One reason for a pause."""
    rows = PauseReason.objects.for_actor(request.actor)
    return _pause(request, rows.get_or_refuse(uuid=pause))


def _pause(request: ActorRequest, row: PauseReason | None) -> HttpResponse:
    rows: Any = PauseReason.objects.for_actor(request.actor)
    known = row.uuid if row else None
    form = _word_form(request, row, rows.count() if row is None else 0)
    return _save(
        request,
        form,
        lambda: verbs.save_pause(request.actor, form.given(), pause=known, seen=_seen(form)),
        lambda _made: redirect("channels_app:setup"),
        lambda: WordForm.of(rows.get(uuid=known)),
        title=row.name if row else _("New reason for a pause"),
    )


# --- Inside --------------------------------------------------------------------------------------


def _word_form(request: ActorRequest, row: WrapUpCode | PauseReason | None, place: int) -> WordForm:
    return WordForm(
        request.POST or None,
        initial=WordForm.of(row) if row else {"is_active": True, "position": place},
        languages=verbs.languages_of(_organisation(request)),
    )


def _save(
    request: ActorRequest,
    form: ServiceForm,
    verb: Callable[[], Any],
    there: Callable[[Any], HttpResponse],
    on_record: Callable[[], Any] | None = None,
    *,
    template: str = "channels_app/setup/form.html",
    **context: Any,
) -> HttpResponse:
    """A page with one form: saved, on to what it made; refused, it says why and keeps what was typed."""
    status = 200
    if request.method == "POST":
        made: list[Any] = []
        status = int(form.saved(lambda: made.append(verb()), on_record))
        if status == HTTPStatus.OK:
            messages.success(request, _("Changes saved."))
            return there(made[0])
    return render(request, template, {"form": form, **context}, status=status)


def _seen(form: Correction) -> str:
    return str(form.cleaned_data["seen"])


def _organisation(request: ActorRequest) -> Organisation:
    return Organisation.objects.for_actor(request.actor).get()


def _units(request: ActorRequest) -> list[tuple[str, str]]:
    reach = request.actor.reach(MANAGE_CHANNELS)
    nodes = unit_tree(_organisation(request)).nodes
    return unit_choices([node for node in nodes if reach.covers(node.id)])


def _queues(request: ActorRequest) -> list[tuple[str, str]]:
    """Where people are attended one by one: not where letters wait."""
    rows = Queue.objects.for_actor(request.actor).filter(is_active=True)
    rows = rows.exclude(accounts__kind=AccountKind.EMAIL)
    return [(str(one.uuid), one.name) for one in rows.order_by("priority", "pk")]


def _people(request: ActorRequest) -> list[tuple[str, str]]:
    found = holders(request.actor.organisation_id, ATTEND)
    return sorted(
        ((str(one.uuid), one.full_name) for one in found), key=lambda pair: pair[1].casefold()
    )
