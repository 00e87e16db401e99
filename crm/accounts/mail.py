"""The room's e-mail, sent by workers: invitations, joinings and forgotten passwords."""

from collections.abc import Mapping
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crm.accounts.models import Membership, User
from crm.accounts.services.people import INVITATION_MAIL, JOINED_MAIL, RESET_MAIL, link_to
from crm.kit.mail import post
from crm.kit.outbox import effect
from crm.kit.secrets import decrypt


@effect(INVITATION_MAIL)
def send_invitation(payload: Mapping[str, Any]) -> None:
    """The invited person has the link by which to set a password."""
    membership = _membership(payload)
    with translation.override(membership.user.language):
        subject = _("Invitation to %(organisation)s") % {"organisation": membership.organisation}
    link = link_to(decrypt(payload["token"]))
    _send(membership.user, subject, "invitation", membership=membership, link=link)


@effect(JOINED_MAIL)
def send_joined(payload: Mapping[str, Any]) -> None:
    """Who has an account already learns of one more organisation."""
    membership = _membership(payload)
    with translation.override(membership.user.language):
        subject = _("You now work in %(organisation)s") % {"organisation": membership.organisation}
    _send(membership.user, subject, "joined", membership=membership, link=settings.PUBLIC_URL)


@effect(RESET_MAIL)
def send_reset(payload: Mapping[str, Any]) -> None:
    """Who has an active account of that address has a link to set a new password; nobody else hears."""
    user = User.objects.filter(email=decrypt(payload["email"]), state=User.State.ACTIVE).first()
    if user is None:
        return
    path = reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(user),
            "key": default_token_generator.make_token(user),
        },
    )
    with translation.override(user.language):
        subject = _("A new password")
    _send(user, subject, "reset", link=settings.PUBLIC_URL + path)


def _membership(payload: Mapping[str, Any]) -> Membership:
    return (
        Membership.objects.unscoped("a worker's errand")
        .select_related("user", "organisation")
        .get(pk=payload["membership"])
    )


def _send(user: User, subject: str, template: str, **context: object) -> None:
    with translation.override(user.language):
        text = render_to_string(f"accounts/mail/{template}.txt", {"user": user, **context})
    post(EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email]))
