"""One's own page: roles, sessions, second factors, and how the console looks."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.accounts import selectors
from crm.accounts.access import ActorRequest, needs
from crm.accounts.services import profile as services
from crm.accounts.views.door import here


@needs(None)
@require_GET
def profile(request: ActorRequest) -> HttpResponse:
    """Who I am here, where I am signed in, and how the console looks to me."""
    user = request.user
    context = {
        "sessions": selectors.sessions_of(user, request.session.session_key),
        "authenticators": Authenticator.objects.filter(user=user).order_by("type", "pk"),
        "roles": selectors.roles_of(user, request.actor.organisation_id),
        "memberships": selectors.memberships_of(user),
        "last_access": request.session.get("last_access"),
    }
    return render(request, "accounts/profile.html", context)


@needs(None)
@require_POST
def end_session(request: ActorRequest, session_id: UUID) -> HttpResponse:
    """End one of my sessions."""
    services.end_own_session(request.user, session_id, request.actor.origin)
    messages.success(request, _("The session has ended."))
    return redirect("accounts:profile")


@needs(None)
@require_POST
def end_other_sessions(request: ActorRequest) -> HttpResponse:
    """End all my sessions but this one."""
    current = request.session.session_key or ""
    count = services.end_other_sessions(request.user, current, request.actor.origin)
    text = ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", count)
    messages.success(request, text % {"count": count})
    return redirect("accounts:profile")


@needs(None)
@require_POST
def preferences(request: ActorRequest) -> HttpResponse:
    """Keep how the console looks: theme, density, rail, shortcuts, language."""
    wishes = {key: str(value) for key, value in request.POST.items() if key not in _NOT_WISHES}
    services.prefer(request.user, wishes)
    if "next" in request.POST:  # a plain form, not a controller
        return redirect(here(request))
    return HttpResponse(status=204)


@needs(None)
@require_POST
def switch(request: ActorRequest) -> HttpResponse:
    """Act for another organisation, from its first page on: what was open belongs to the one before."""
    services.switch_organisation(request.actor, request.user, request.POST.get("organisation", ""))
    return redirect("/")


@needs(None)
@require_POST
def awake(_request: ActorRequest) -> HttpResponse:
    """Somebody types or reads: the session's keeper has noted it before we are asked."""
    return HttpResponse(status=204)


_NOT_WISHES = {"csrfmiddlewaretoken", "next"}
