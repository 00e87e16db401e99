"""Passkeys that open the door alone: with one a locked session goes on as well as with the password."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth, flows
from django.http import HttpRequest, QueryDict
from fido2.webauthn import UserVerificationRequirement

from crm.accounts.models import User


def options(user: User) -> dict[str, Any] | None:
    """What the browser is to ask the user's device; None when no key of theirs opens the door alone."""
    keys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    alone = any(key.wrap().is_passwordless for key in keys)
    return (
        auth.begin_authentication(None) if alone else None
    )  # None: as at the door, with PIN or face


def shown(request: HttpRequest, user: User, given: QueryDict) -> bool:
    """Whether the answer is that of such a key of this user, after the device knew the person.

    Another page may have asked for less, for a second factor or a confirmation: that does not do.
    """
    asked = auth.get_state() or {}
    if asked.get("user_verification") != UserVerificationRequirement.REQUIRED:
        return False
    form = ReauthenticateWebAuthnForm(given, user=user)
    if not form.is_valid() or not form.cleaned_data["credential"].wrap().is_passwordless:
        return False
    flows.reauthenticate(request, form.cleaned_data["credential"])
    return True
