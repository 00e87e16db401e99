"""The guard before every employee's page: who may enter, and where everybody else is led."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.policy import require

if TYPE_CHECKING:
    from crm.accounts.models import User

P = ParamSpec("P")


class ActorRequest(HttpRequest):
    """A request behind `needs`: somebody acts in it."""

    actor: Actor
    user: "User"
    htmx: HtmxDetails


View = Callable[Concatenate[ActorRequest, P], HttpResponseBase]
GuardedView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs(permission: str | None) -> Callable[[View[P]], GuardedView[P]]:
    """Let only actors in, with a permission only those who hold it somewhere (None: any actor).

    Whether it may be done to one object is still the verb's to decide.
    """

    def guard(view: View[P]) -> GuardedView[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None:
                return way_in(request)
            if permission is not None:
                require(actor, permission)
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def way_in(request: HttpRequest) -> HttpResponse:
    """Lead somebody who does not act yet to where they can, and back afterwards.

    `request.way_in` is that place, where the session's keeper set one: sign-in, the lock of an idle
    session, the second factor.
    """
    place: str | None = getattr(request, "way_in", None)
    if place is None:
        if request.user.is_authenticated:
            raise Refused("", _("You do not work in any organisation at the moment."))
        place = resolve_url("account_login")
    there = redirect_to_login(_page_of(request), place)
    if getattr(request, "htmx", None):  # a partial cannot be a sign-in page: the whole window goes
        return HttpResponseClientRedirect(there.url)
    return there


def _page_of(request: HttpRequest) -> str:
    """The page that somebody is on: what they ask for, or where the form stands that they send."""
    htmx = getattr(request, "htmx", None)
    try:
        if htmx:
            return htmx.current_url_abs_path or "/"
        if request.method == "GET":
            return request.get_full_path()
        referer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # an address that is none
        return "/"
    return urlunsplit(("", "", referer.path or "/", referer.query, ""))
