"""Codes of the room in words."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from campaigns.models import Suppression
from crm.kit.errors import Text

REASONS: Mapping[str, Text] = {
    **dict(Suppression.Reason.choices),
    "no_consent": _("Has not said that they want it"),
    "withdrawn": _("Has said that they do not want it"),
    "bad_address": _("The mailbox is known to be bad"),
    "protected": _("The record is protected"),
    "no_mailbox": _("The mailbox was removed or changed"),
    "missing_value": _("A value of their own was missing"),
    "too_late": _("The last moment for sending had passed"),
    "stopped": _("The campaign was stopped"),
    "refused": _("The mail server did not accept it"),
    "server_busy": _("The mail server was busy each time"),
    "too_many_errors": _("Paused by itself: too many of the latest messages were not accepted."),
}


def words_of(code: str) -> Text:
    """A reason in words; what is words already stays."""
    return REASONS.get(code, code)
