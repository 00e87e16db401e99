"""What a supervisor sees live: queues and employees. It asks again every two seconds (no stream)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from channels_app import selectors
from channels_app.models import Presence
from channels_app.permissions import SUPERVISE
from crm.kit.access import ActorRequest, needs


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
