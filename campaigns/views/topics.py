"""The page of topics, of where links may lead, and of mailboxes that are not written to."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.forms import HostForm, TopicForm
from campaigns.models import AllowedDestination, Suppression
from campaigns.permissions import MANAGE_TOPICS
from campaigns.services import audiences as services
from crm.citizens.models import Topic
from crm.kit.access import ActorRequest, needs

SHOWN = 100


@require_http_methods(["GET", "POST"])
@needs(MANAGE_TOPICS)
def index(request: ActorRequest) -> HttpResponse:
    """All of it, and a form for a new topic."""
    form, status = TopicForm(request.POST or None), HTTPStatus.OK
    if request.method == "POST":
        status = form.saved(
            lambda: services.create_topic(
                request.actor, form.cleaned_data["name"], form.cleaned_data["message_class"]
            )
        )
        if status == HTTPStatus.OK:
            return redirect("campaigns:topics")
    return _page(request, form, HostForm(), status)


@require_POST
@needs(MANAGE_TOPICS)
def allow(request: ActorRequest) -> HttpResponse:
    """Links may lead there."""
    form = HostForm(request.POST)
    status = form.saved(
        lambda: services.allow_destination(request.actor, form.cleaned_data["host"])
    )
    if status == HTTPStatus.OK:
        return redirect("campaigns:topics")
    return _page(request, TopicForm(), form, status)


@require_POST
@needs(MANAGE_TOPICS)
def forbid(request: ActorRequest, destination: UUID) -> HttpResponse:
    """New links may not."""
    services.forbid_destination(request.actor, destination)
    return redirect("campaigns:topics")


@require_POST
@needs(MANAGE_TOPICS)
def end(request: ActorRequest, topic: UUID) -> HttpResponse:
    """Nothing new is written about it."""
    services.end_topic(request.actor, topic)
    return redirect("campaigns:topics")


@require_POST
@needs(MANAGE_TOPICS)
def lift(request: ActorRequest, suppression: UUID) -> HttpResponse:
    """The mailbox is written to again."""
    services.lift_suppression(request.actor, suppression)
    return redirect("campaigns:topics")


def _page(
    request: ActorRequest, form: TopicForm, host: HostForm, status: HTTPStatus
) -> HttpResponse:
    actor = request.actor
    blocked = Suppression.objects.for_actor(actor).filter(lifted_at=None)
    context = {
        "form": form,
        "host_form": host,
        "topics": Topic.objects.for_actor(actor).filter(ended_at=None).order_by("name")[:SHOWN],
        "destinations": AllowedDestination.objects.for_actor(actor).order_by("host")[:SHOWN],
        "blocked": blocked.order_by("-pk")[:SHOWN],
    }
    return render(request, "campaigns/topics.html", context, status=status)
