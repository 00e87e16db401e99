"""What the story of a case says of transfers and of questions to other areas."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import CaseTransfer, Event, EventKind
from crm.kit.errors import Text

ICONS: Mapping[str, str] = {
    EventKind.TRANSFER_OFFERED: "transfer",
    EventKind.TRANSFER_RETURNED: "arrow-back-up",
    EventKind.TRANSFER_REFUSED: "x",
    EventKind.TRANSFER_EXPIRED: "clock",
    EventKind.TRANSFER_WITHDRAWN: "arrow-back-up",
    EventKind.TRANSFERRED: "transfer",
    EventKind.RECEIVED: "inbox",
    EventKind.CONSULTED: "user-question",
    EventKind.CONSULTATION_SAID: "messages",
    EventKind.CONSULTATION_ANSWERED: "check",
    EventKind.CONSULTATION_DECLINED: "x",
    EventKind.CONSULTATION_EXTENDED: "calendar-plus",
    EventKind.CONSULTATION_WITHDRAWN: "arrow-back-up",
}
SENTENCES: Mapping[str, Text] = {
    EventKind.TRANSFER_OFFERED: gettext_lazy(
        "offered to transfer the case to %(to)s, which may accept it until %(until)s"
    ),
    EventKind.TRANSFER_RETURNED: gettext_lazy("returned the transfer to %(to)s"),
    EventKind.TRANSFER_REFUSED: gettext_lazy("refused the transfer to %(to)s"),
    EventKind.TRANSFER_EXPIRED: gettext_lazy(
        "noted that %(to)s did not answer in time: the transfer has expired"
    ),
    EventKind.TRANSFER_WITHDRAWN: gettext_lazy("withdrew the transfer to %(to)s"),
    EventKind.TRANSFERRED: gettext_lazy(
        "accepted the case, which is now %(reference)s of %(to)s (basis: %(basis)s)"
    ),
    EventKind.RECEIVED: gettext_lazy(
        "received the case from %(from)s, where it was %(reference)s (basis: %(basis)s)"
    ),
    EventKind.CONSULTED: gettext_lazy("asked %(to)s, which may answer until %(until)s"),
    EventKind.CONSULTATION_SAID: gettext_lazy("wrote on the question to %(to)s"),
    EventKind.CONSULTATION_ANSWERED: gettext_lazy("answered the question to %(to)s"),
    EventKind.CONSULTATION_DECLINED: gettext_lazy("declined the question to %(to)s"),
    EventKind.CONSULTATION_EXTENDED: gettext_lazy("gave %(to)s until %(until)s to answer"),
    EventKind.CONSULTATION_WITHDRAWN: gettext_lazy("withdrew the question to %(to)s"),
}
_ACCEPTED = gettext_lazy("accepted the transfer: the case went from %(from)s to %(to)s")


def accepted(event: Event) -> Text:
    """What a change of unit says that another unit accepted; nothing of other events."""
    by_transfer = event.kind == EventKind.UNIT_CHANGED and event.data.get("transfer")
    return _ACCEPTED if by_transfer else ""


def values(data: Mapping[str, Any]) -> dict[str, str]:
    """What an event says as people read it: until when, and by what basis."""
    found = {}
    if until := data.get("until"):
        found["until"] = shown_moment(datetime.fromisoformat(until))
    if basis := data.get("basis"):
        found["basis"] = basis_in_words(basis, data.get("basis_text", ""), data.get("consent_on"))
    return found


def shown_moment(moment: datetime) -> str:
    """A moment as the stories write it."""
    return date_format(localtime(moment), "j b Y, H:i")


def basis_in_words(basis: str, text: str, consent_on: str | None = None) -> str:
    """By what a case went to another organisation."""
    said = str(dict(CaseTransfer.Basis.choices).get(basis, basis)).lower()
    if consent_on:
        said = _("%(basis)s of %(date)s") % {"basis": said, "date": consent_on}
    return f"{said}: {text}" if text else said
