"""Effects that the room owes the world, carried out by workers from the outbox."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.integrations.models import Subscription
from crm.integrations.outgoing import STOPPED_MAIL
from crm.kit.mail import post
from crm.kit.outbox import effect


@effect(STOPPED_MAIL)
def tell_of_stopping(payload: Mapping[str, Any]) -> None:
    """Who looks after connections learns that a system is told nothing more, and where to start it again."""
    rows = Subscription.objects.unscoped("a worker's errand").select_related("organisation")
    subscription = rows.filter(uuid=payload["subscription"]).first()
    user = User.objects.filter(pk=payload["user"], state=User.State.ACTIVE).first()
    if subscription is None or user is None or subscription.stopped_at is None:
        return
    path = reverse("integrations:subscription", args=[subscription.uuid])
    with translation.override(user.language):
        subject = _("Events are no longer sent to: %(name)s") % {"name": subscription.name}
        text = render_to_string(
            "integrations/mail/stopped.txt",
            {"user": user, "subscription": subscription, "link": settings.PUBLIC_URL + path},
        )
    post(EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email]))
