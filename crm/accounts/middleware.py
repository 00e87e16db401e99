"""Who acts in a request: `request.actor`, the session's user in its current organisation, or None."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.translation import gettext as _

from crm.accounts import sessions
from crm.accounts.models import User
from crm.accounts.services import door
from crm.accounts.sessions import Standing, State
from crm.kit.access import way_in
from crm.kit.prepared import by_key

GetResponse = Callable[[HttpRequest], HttpResponse]

WAYS_IN = {
    State.LOCKED: "accounts:lock",
    State.SECOND_FACTOR: "accounts:second_factor",
    State.ENDED: "account_login",
}


PASSIVE = "X-Passive"
"""What a page asks for by itself says so: it does not show that somebody is there."""


class ActorMiddleware:
    """Sets `request.actor`; where a session lacks something before it may act, `request.way_in`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find the actor, then go on. The back office has no pages for anybody else."""
        standing = _standing(request)
        request.actor = standing and standing.actor  # type: ignore[attr-defined]
        request.idle_minutes = standing.idle_minutes if standing else 0  # type: ignore[attr-defined]
        request.works_at = standing.works_at if standing else ()  # type: ignore[attr-defined]
        if standing and standing.state in WAYS_IN:
            request.way_in = resolve_url(WAYS_IN[standing.state])  # type: ignore[attr-defined]
            if request.path.startswith("/admin/"):
                return way_in(request)
        return self.get_response(request)


@by_key()
def _standing(request: HttpRequest) -> Standing | None:
    """How the session stands; one whose time is over is ended here. None: nobody is signed in."""
    user = request.user
    if not isinstance(user, User):
        return None
    translation.activate(user.language)
    request.LANGUAGE_CODE = translation.get_language()
    standing = sessions.standing_of(request.session, user, sessions.origin_of(request))
    if standing.state is State.ENDED:
        door.end_session(user, sessions.origin_of(request), reason="idle")
        logout(request)
        messages.info(
            request, _("The session has closed. Sign in again to continue: your drafts are saved.")
        )
    elif standing.state is not State.LOCKED and PASSIVE not in request.headers:
        sessions.touch(request.session)
    return standing
