"""Subscriptions: who is told what, their secret, and what became of each event."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.integrations import selectors
from crm.integrations.forms import SubscriptionForm
from crm.integrations.models import Subscription, WebhookDelivery
from crm.integrations.permissions import MANAGE_CONNECTIONS
from crm.integrations.services import subscriptions as services
from crm.integrations.views.connections import GET_OR_POST, seen_at
from crm.kit.access import ActorRequest, needs
from crm.kit.errors import Invalid


@require_safe
@needs(MANAGE_CONNECTIONS)
def subscriptions(request: ActorRequest) -> HttpResponse:
    """The systems that are told, and whether it reaches them."""
    context = {"subscriptions": selectors.subscriptions(request.actor)}
    return render(request, "integrations/subscriptions.html", context)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CONNECTIONS)
def new(request: ActorRequest) -> HttpResponse:
    """Tell one more; its page then shows the secret, this once."""
    form = SubscriptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = services.create_subscription(request.actor, form.cleaned_data)
        except Invalid as error:
            form.refused(error)
        else:
            return _page(request, row, secret=secret)
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/new_subscription.html", {"form": form}, status=status)


@require_http_methods(GET_OR_POST)
@needs(MANAGE_CONNECTIONS)
def subscription(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """One subscription and its deliveries."""
    row = _row(request, subscription)
    if request.method != "POST":
        return _page(request, row)
    form = SubscriptionForm(request.POST)

    def save() -> None:
        seen = seen_at(form.cleaned_data["seen"])
        services.change_subscription(request.actor, subscription, form.cleaned_data, seen=seen)

    status = form.saved(save, lambda: SubscriptionForm.of(_row(request, subscription)))
    if status == 200:
        messages.success(request, _("Changes saved."))
        return redirect("integrations:subscription", subscription)
    return _page(request, _row(request, subscription), form=form, status=status)


@require_safe
@needs(MANAGE_CONNECTIONS)
def deliveries(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """More of its deliveries."""
    row = _row(request, subscription)
    page = selectors.deliveries(request.actor, row, request.GET.get("after", ""))
    context = {"subscription": row, "deliveries": page}
    template = (
        "integrations/subscription.html#deliveries"
        if request.htmx
        else "integrations/deliveries.html"
    )
    return render(request, template, context)


@require_POST
@needs(MANAGE_CONNECTIONS)
def rotate(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """A new secret, shown this once."""
    secret = services.rotate_secret(request.actor, subscription)
    return _page(request, _row(request, subscription), secret=secret)


@require_POST
@needs(MANAGE_CONNECTIONS)
def test(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """Send an event that means nothing."""
    services.send_test(request.actor, subscription)
    messages.success(request, _("A test event is on its way."))
    return redirect("integrations:subscription", subscription)


@require_POST
@needs(MANAGE_CONNECTIONS)
def stop(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """Tell it nothing for now."""
    services.stop_subscription(request.actor, subscription)
    messages.success(request, _("It is told nothing until somebody starts it again."))
    return redirect("integrations:subscription", subscription)


@require_POST
@needs(MANAGE_CONNECTIONS)
def start(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """Tell it again."""
    services.start_subscription(request.actor, subscription)
    messages.success(request, _("It is told again, first what waited."))
    return redirect("integrations:subscription", subscription)


@require_POST
@needs(MANAGE_CONNECTIONS)
def remove(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """It is told nothing more, and its log is gone."""
    name = _row(request, subscription).name
    services.remove_subscription(request.actor, subscription)
    messages.success(request, _("Removed: %(name)s.") % {"name": name})
    return redirect("integrations:subscriptions")


@require_POST
@needs(MANAGE_CONNECTIONS)
def replay_all(request: ActorRequest, subscription: UUID) -> HttpResponse:
    """Send all that was given up again."""
    return _replayed(request, subscription, services.replay(request.actor, subscription))


@require_POST
@needs(MANAGE_CONNECTIONS)
def replay(request: ActorRequest, subscription: UUID, delivery: UUID) -> HttpResponse:
    """Send one event again."""
    return _replayed(request, subscription, services.replay(request.actor, subscription, delivery))


def _replayed(request: ActorRequest, subscription: UUID, count: int) -> HttpResponse:
    text = ngettext("%(count)s event is sent again.", "%(count)s events are sent again.", count)
    messages.success(request, text % {"count": count})
    return redirect("integrations:subscription", subscription)


def _row(request: ActorRequest, subscription: UUID) -> Subscription:
    return Subscription.objects.for_actor(request.actor).get_or_refuse(uuid=subscription)


def _page(
    request: ActorRequest,
    row: Subscription,
    *,
    form: SubscriptionForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    rows = WebhookDelivery.objects.for_actor(request.actor).filter(subscription=row)
    given_up = rows.filter(status=WebhookDelivery.Status.GIVEN_UP)
    page = selectors.deliveries(request.actor, row)
    leaving = [one for one in page.rows if one.status < one.Status.DELIVERED and not one.tries]
    context = {
        "subscription": row,
        "form": form or SubscriptionForm(initial=SubscriptionForm.of(row)),
        "secret": secret,
        "given_up": given_up.exists(),
        "deliveries": page,
        "fresh": bool(leaving) and row.stopped_at is None,
    }
    return render(request, "integrations/subscription.html", context, status=status)
