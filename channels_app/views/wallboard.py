"""What a supervisor sees live (queues and employees, asked again every two seconds) and steps into."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from channels_app import selectors, services
from channels_app.models import Presence
from channels_app.permissions import SUPERVISE
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid


@require_GET
@needs(SUPERVISE)
def wallboard(request: ActorRequest) -> HttpResponse:
    """The whole page."""
    return render(request, "channels_app/wallboard.html", _now(request))


@require_GET
@needs(SUPERVISE)
def now(request: ActorRequest) -> HttpResponse:
    """The figures of this moment."""
    return render(request, "channels_app/_wallboard.html", _now(request))


@require_GET
@needs(SUPERVISE)
def queue(request: ActorRequest, queue: UUID) -> HttpResponse:
    """Who waits and who is attended in a queue; each can be entered to read, which leaves an entry."""
    row = selectors.supervised_queue(request.actor, queue)
    context = {"queue": row, "lines": selectors.of_queue(request.actor, row)}
    return render(request, "channels_app/supervised.html", context)


@require_POST
@needs(SUPERVISE)
def reassign(request: ActorRequest, conversation: UUID) -> HttpResponse:
    """A conversation goes to another queue or to a person."""
    kind, _colon, value = request.POST.get("to", "").partition(":")
    try:
        target = UUID(value)
    except ValueError:
        raise Invalid(errors={"to": [_("Choose one of the offered values.")]}) from None
    services.reassign(
        request.actor,
        conversation,
        queue=target if kind == "queue" else None,
        agent=target if kind == "agent" else None,
        note=request.POST.get("note", ""),
    )
    messages.success(request, _("The conversation has been given to somebody else."))
    return redirect("channels_app:conversation", conversation)


def _now(request: ActorRequest) -> dict[str, object]:
    queues, agents = selectors.wallboard(request.actor)
    return {
        "queues": queues,
        "agents": agents,
        "at_work": sum(agent.state != Presence.OFFLINE for agent in agents),
        "now": timezone.now(),
        "waiting": sum(queue.waiting for queue in queues),
        "attended": sum(queue.attended for queue in queues),
        "oldest": min((queue.oldest for queue in queues if queue.oldest), default=None),
    }
