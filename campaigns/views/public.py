"""What recipients meet: the end of a subscription, their preferences, short links. The signed link, or
the code, is the key: no session, no cookie."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.models import Delivery
from campaigns.services import feedback, visits
from campaigns.tokens import delivery_of
from crm.citizens.models import Consent
from crm.citizens.services.consents import last_word
from crm.kit.api import limits
from crm.kit.errors import NotFound
from crm.kit.web import client_ip

_APART = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}


@csrf_exempt  # programs post here that know no cookies (RFC 8058): the signed link is the key
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A form; only sending it acts. A mail program's one click is answered in plain words."""
    delivery = _delivery(request, token)
    topic = delivery.run.campaign.topic
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    done = request.method == "POST"
    if done:
        feedback.unsubscribe(delivery, ip=client_ip(request), one_click=one_click)
    if one_click:
        return HttpResponse("OK", content_type="text/plain; charset=utf-8", headers=_APART)
    context = {"done": done, "topic": topic.name_in(delivery.language)}
    return _page(request, "campaigns/unsubscribe.html", delivery, token, context)


@csrf_exempt  # likewise
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Which of the organisation's topics the recipient hears about."""
    delivery = _delivery(request, token)
    saved = request.method == "POST"
    if saved:
        feedback.choose_topics(delivery, request.POST.getlist("topic"), ip=client_ip(request))
    topics = [
        {
            "code": topic.code,
            "name": topic.name_in(delivery.language),
            "wanted": last_word(delivery.contact_point, topic) == Consent.State.GRANTED,
        }
        for topic in feedback.offered_topics(delivery)
    ]
    context = {"topics": topics, "saved": saved}
    return _page(request, "campaigns/preferences.html", delivery, token, context)


@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Where the short link leads, and one visit more; what has expired says so."""
    link = visits.link_by_code(code)
    if link is None:
        raise NotFound
    if link.expired:
        context = {"organisation": link.organisation}
        gone = render(request, "campaigns/link_gone.html", context, status=HTTPStatus.GONE)
        gone["Cache-Control"] = "no-store"
        return gone
    visits.record_visit(link, *visits.judged(request.method or "", request.headers))
    found = HttpResponseRedirect(link.target)
    for name, value in _APART.items():
        found[name] = value
    return found


def _delivery(request: HttpRequest, token: str) -> Delivery:
    """The delivery of the link; who guesses is slowed down."""
    uuid = delivery_of(token)
    delivery = feedback.recipient_of(uuid) if uuid else None
    if delivery is None:
        limits.take_for_stranger(client_ip(request))
        raise NotFound
    return delivery


def _page(
    request: HttpRequest, template: str, delivery: Delivery, token: str, context: dict[str, object]
) -> HttpResponse:
    """In the language in which the recipient is written to, until they choose another."""
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    with override(get_language() if chosen else delivery.language or get_language()):
        response = render(
            request,
            template,
            {**context, "organisation": delivery.organisation, "token": token},
        )
    for name, value in _APART.items():
        response[name] = value
    return response
