"""Pages of coming in: the lock of an idle session, the second factor to set up, an invitation."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from crm.accounts import passkeys, sessions
from crm.accounts.forms import AcceptForm, PasswordForm
from crm.accounts.models import User
from crm.accounts.services import people
from crm.accounts.services.door import refuse_sign_in
from crm.kit.access import way_in
from crm.kit.errors import Invalid

AnyView = Callable[..., HttpResponseBase]


def unlocked(view: AnyView) -> AnyView:
    """Let in who is signed in and not locked, also without a second factor as long as there is none.

    For allauth's own pages, which know nothing of locks: those where a second factor is set up.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: object, **kwargs: object) -> HttpResponseBase:
        place = getattr(request, "way_in", None)
        if not request.user.is_authenticated:
            return way_in(request)
        if place == resolve_url("accounts:second_factor") and not _has_second_factor(request.user):
            place = None
        return way_in(request) if place else view(request, *args, **kwargs)

    return guarded


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def lock(request: HttpRequest) -> HttpResponse:
    """Lock the session (an empty POST), or unlock it with the password or a passkey."""
    user = request.user
    if not isinstance(user, User):
        return way_in(request)
    if request.method == "POST" and not request.POST.keys() & {"password", "credential"}:
        sessions.lock(request.session)
        sessions.tell_user(user)
        return way_in_to_lock(request)
    back = here(request)
    if getattr(request, "way_in", None) != resolve_url("accounts:lock"):
        return redirect(back)
    form = PasswordForm(request.POST or None)
    if request.method == "POST":
        if _is_there(request, user, form):
            sessions.unlock(request, user)
            return redirect(back)
        if "credential" in request.POST:
            form = PasswordForm()
            messages.error(request, _("The passkey did not open the session. Try another way."))
    context = {"form": form, "next": back, "email": user.email, "passkey": passkeys.options(user)}
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/lock.html", context, status=status)


def _is_there(request: HttpRequest, user: User, form: PasswordForm) -> bool:
    """Whether the person showed again who they are; else what is wrong stands in the form or trail."""
    if "credential" in request.POST:
        if passkeys.shown(request, user, request.POST):
            return True
        refuse_sign_in(user.email, sessions.origin_of(request), reason="passkey")
        return False
    if not form.is_valid():
        return False
    if get_adapter(request).reauthenticate(user, form.cleaned_data["password"]):
        return True
    form.add_error("password", _("The password is not correct."))
    return False


def way_in_to_lock(request: HttpRequest) -> HttpResponse:
    """To the lock, and afterwards back to the page that was left."""
    request.way_in = resolve_url("accounts:lock")  # type: ignore[attr-defined]
    return way_in(request)


def second_factor(request: HttpRequest) -> HttpResponse:
    """What to do first where the organisation asks for a second factor: show it, or set one up."""
    if not request.user.is_authenticated:
        return way_in(request)
    back = here(request)
    if getattr(request, "way_in", None) is None:
        return redirect(back)
    if request.way_in != resolve_url("accounts:second_factor"):  # type: ignore[attr-defined]
        return way_in(request)
    if _has_second_factor(request.user):
        return HttpResponseRedirect(_with_next(resolve_url("mfa_reauthenticate"), back))
    return render(request, "accounts/second_factor.html")


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """An invited person sets the first password and is in."""
    invitation = people.invitation_by(token)
    if invitation is None:
        return render(request, "accounts/accept_gone.html", status=404)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = people.accept_invitation(
                token, form.cleaned_data["password"], sessions.origin_of(request)
            )
        except Invalid as error:
            for field, problems in error.errors.items():
                form.add_error(field, [str(problem) for problem in problems])
        else:
            response: HttpResponse = perform_login(request, Login(user=user, redirect_url="/"))
            return response
    context = {"form": form, "invitation": invitation}
    return render(request, "accounts/accept.html", context, status=422 if form.errors else 200)


def _has_second_factor(user: object) -> bool:
    found: bool = Authenticator.objects.filter(user=user).exists()
    return found


def here(request: HttpRequest) -> str:
    """Where to go back to, as the page itself says or else the browser; never another site."""
    asked = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME)
    wanted = asked or request.headers.get("Referer") or "/"
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith(("/", "http")) else "/"


def _with_next(url: str, back: str) -> str:
    return f"{url}?{urlencode({REDIRECT_FIELD_NAME: back})}"
