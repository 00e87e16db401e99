"""Getting in: sign-in by allauth, keys of connected systems, and what the door says when it stays shut."""

from io import BytesIO
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from crm.accounts import sessions
from crm.accounts.models import User
from crm.accounts.services import api_clients, door
from crm.accounts.services.door import LastAccess
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import TooMany
from crm.kit.secrets import decrypt, encrypt
from crm.kit.templatetags.ui import in_words
from crm.kit.web import client_ip, counted_by, error_page, request_id

WRONG = gettext_lazy("The email address or the password is not correct.")
JUST_NOW = 5 * 60  # seconds after signing in, during which nobody is asked for the password again


class PasswordBackend(AuthenticationBackend):
    """E-mail and password; who may not sign in is told the same as who does not exist."""

    @classmethod
    def _stash_user(cls, user: User | None) -> None:
        """allauth would bring back a suspended user here, to send it to a page of its own."""
        return


class AccountAdapter(DefaultAccountAdapter):
    """Accounts exist by invitation only; every coming and going is written down."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "too_many_login_attempts": gettext_lazy(
            "Too many attempts. Wait a few minutes and try again."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up alone."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nobody is let try without end; the answer is that of the lock."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            raise _too_many() from None

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits count by."""
        return counted_by(client_ip(request))

    def login(self, request: HttpRequest, user: User) -> None:
        """The user is in; a page says when that was the last time, and what failed since."""
        last = door.sign_in(user, sessions.origin_of(request))
        super().login(request, user)
        request.session["last_access"] = {"failed": last.failed}
        messages.info(request, _last_access(last))

    def logout(self, request: HttpRequest) -> None:
        """The user is out; its open pages learn it at once."""
        user = request.user
        assert isinstance(user, User)
        door.sign_out(user, sessions.origin_of(request))
        super().logout(request)
        sessions.tell_user(user)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password, a locked door or an account that may not sign in: all alike."""
        origin = sessions.origin_of(request)
        door.refuse_sign_in(str(credentials.get("email", "")), origin, reason="credentials")

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """A passkey of somebody who may not sign in opens nothing and tells nothing."""
        door.refuse_sign_in(user.email, sessions.origin_of(request), reason="inactive")
        messages.error(request, WRONG)
        return HttpResponseRedirect(resolve_url("account_login"))

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:
        """Who has just signed in is not asked again."""
        return sessions.age(self.request.session) > JUST_NOW

    def send_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """Mail leaves through the outbox (services.people), never within a request."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors lie encrypted."""

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """As it is used."""
        return decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """The square that an authenticator app reads."""
        buffer = BytesIO()
        segno.make(url, error="m").save(buffer, kind="svg", border=2, scale=5, light="#fff")
        return buffer.getvalue().decode()


def second_factor_used(request: HttpRequest, user: User, **_kwargs: object) -> None:
    """allauth says that a second factor was shown."""
    sessions.showed_second_factor(request.session, user)


def second_factor_added(
    request: HttpRequest, user: User, authenticator: Authenticator, **_kwargs: object
) -> None:
    """allauth says that one was set up, which shows it; other sessions have not shown it yet."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        sessions.showed_second_factor(request.session, user)
    _second_factor_changed(request, user, "added", authenticator)


def second_factor_removed(
    request: HttpRequest, user: User, authenticator: Authenticator, **_kwargs: object
) -> None:
    """allauth says that one was removed; without any left, nothing was shown."""
    if not Authenticator.objects.filter(user=user).exists():
        sessions.forget_second_factor(request.session)
    _second_factor_changed(request, user, "removed", authenticator)


def second_factor_renewed(
    request: HttpRequest, user: User, authenticator: Authenticator, **_kwargs: object
) -> None:
    """allauth says that the recovery codes were made anew."""
    _second_factor_changed(request, user, "renewed", authenticator)


def second_factor_failed(request: HttpRequest, user: User, **_kwargs: object) -> None:
    """allauth says that a second factor was wrong."""
    door.refuse_sign_in(user.email, sessions.origin_of(request), reason="second_factor")


def _second_factor_changed(
    request: HttpRequest, user: User, change: str, authenticator: Authenticator
) -> None:
    origin = sessions.origin_of(request)
    door.change_second_factor(user, origin, change=change, kind=authenticator.type)
    sessions.tell_user(user)


def password_changed(request: HttpRequest, user: User, **_kwargs: object) -> None:
    """allauth says that the password is a new one: what was signed in with the old one ends."""
    door.change_password(user, sessions.origin_of(request), how="console")
    sessions.end_sessions(user, but=request.session.session_key)


def signed_in(request: HttpRequest, user: User, **_kwargs: object) -> None:
    """Django says that a session was signed in, by whatever way."""
    sessions.begin(request, user)


class ApiAuthentication(BaseAuthentication):
    """An API key as bearer token, or the console's session with its CSRF token."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """The actor of the request, or None when nobody says who they are."""
        scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._client(request, key.strip())
        http = request._request  # noqa: SLF001 - DRF's own name for it
        actor: Actor | None = getattr(http, "actor", None)
        if actor is None:
            return None
        if CSRFCheck(_nothing).process_view(http, _nothing, (), {}):
            raise PermissionDenied(_("The form's protection has run out: load the page again."))
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="api"'

    def _client(self, request: Request, key: str) -> tuple[Actor, None]:
        http = request._request  # noqa: SLF001
        origin = Origin(Door.API, request_id(http), client_ip(http))
        actor = api_clients.actor_by_key(key, origin)
        if actor is None:
            raise AuthenticationFailed(_("The key is unknown, expired or revoked."))
        return actor, None


def _nothing(*_args: object, **_kwargs: object) -> HttpResponse:
    """What the CSRF check asks for and never uses."""
    return HttpResponse()


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Too many attempts: the same answer whether the account exists or not."""
    return error_page(request, _too_many())


def _too_many() -> TooMany:
    wait = int(settings.AXES_COOLOFF_TIME * 3600)
    return TooMany(
        gettext_lazy("Too many attempts. Wait a few minutes and try again."), retry_after=wait
    )


def counted_address(request: HttpRequest) -> str | None:
    """Where an attempt to sign in comes from, as the lock counts it."""
    return counted_by(client_ip(request)) or None


def attempted_address(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Whom an attempt to sign in names, as the lock counts it."""
    named = (credentials or {}).get("email") or request.POST.get("login") or ""
    return str(named).strip().lower()


def nameless(*_args: object, **_kwargs: object) -> str:
    """What the lock's log says of a client: no personal data."""
    return "a client"


def _last_access(last: LastAccess) -> str:
    if last.at is None:
        return _("This is your first sign-in.")
    at = in_words(last.at)
    if last.failed:
        text = _("Last access: %(at)s. Failed attempts since then: %(count)s.")
        return text % {"at": at, "count": last.failed}
    return _("Last access: %(at)s.") % {"at": at}
