"""Events of service targets, information letters and requests for papers in words."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from cases.models import EventKind, PapersRequest
from cases.targets import MEASURES, in_words, moment_in_words
from cases.terms import read_term
from crm.kit.errors import Text

TARGET_KINDS = (
    EventKind.TARGET_WARNED,
    EventKind.TARGET_BREACHED,
    EventKind.TARGET_RECOMPUTED,
)
PAPERS_KINDS = (EventKind.PAPERS_REQUESTED, EventKind.PAPERS_ENDED)
KINDS = (*TARGET_KINDS, EventKind.INFORMED, *PAPERS_KINDS)
ICONS: Mapping[str, str] = {
    EventKind.TARGET_WARNED: "clock",
    EventKind.TARGET_BREACHED: "alarm",
    EventKind.TARGET_RECOMPUTED: "calendar-time",
    EventKind.INFORMED: "send",
    EventKind.PAPERS_REQUESTED: "file-text",
    EventKind.PAPERS_ENDED: "file-text",
}
SENTENCES: Mapping[str, Text] = {
    EventKind.TARGET_WARNED: _(
        "warned that the service target “%(measure)s” ends on %(due)s%(told)s"
    ),
    EventKind.TARGET_BREACHED: _(
        "noted that the service target “%(measure)s” was missed on %(due)s%(told)s"
    ),
    EventKind.TARGET_RECOMPUTED: _(
        "reckoned the service target “%(measure)s” anew: it ends on %(due)s, before on %(before)s"
    ),
    EventKind.INFORMED: _("sent the information letter (Ley 39/2015, art. 21.4)"),
    EventKind.PAPERS_REQUESTED: _("asked the citizen for papers, to be brought by %(due)s"),
    EventKind.PAPERS_ENDED: _("ended the request for papers: %(end)s, %(on)s"),
}


def values(data: Mapping[str, Any]) -> dict[str, str]:
    """What such an event says, in words."""
    found = {name: _day_or_moment(data[name]) for name in ("due", "before", "on") if data.get(name)}
    if data.get("measure"):
        found["measure"] = str(MEASURES.get(data["measure"], data["measure"]))
    if data.get("minutes"):
        found["time"] = in_words(data["minutes"])
    if term := read_term(data.get("term")):
        found["term"] = term.words
    if data.get("end"):
        found["end"] = str(dict(PapersRequest.End.choices).get(data["end"], "…"))
    people = ", ".join(map(str, data.get("to") or ()))
    return found | {"told": f" ({people})" if people else ""}


def _day_or_moment(text: str) -> str:
    if len(text) == len("2026-11-20"):
        return date_format(date.fromisoformat(text))
    return moment_in_words(localtime(datetime.fromisoformat(text)))
