"""What appointments tell in a citizen's timeline, and in that of the case they belong to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import timeline
from cases.models import Case
from crm.citizens.models import Citizen
from crm.citizens.story import Asked, Moment
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.stories import By, Telling, beyond, place
from scheduling.models import EventKind, Happening
from scheduling.models.appointment import ACTIVE
from scheduling.permissions import ATTEND_DESK, BOOK_APPOINTMENT
from scheduling.presenting import long_day

SOURCE = "appointment"
GROUPS: Mapping[str, Text] = {"appointments": gettext_lazy("Appointments")}
CASE_GROUP = "moves"

_ICONS: Mapping[str, str] = {
    EventKind.BOOKED: "calendar-plus",
    EventKind.MOVED: "calendar-time",
    EventKind.CANCELLED: "calendar-x",
    EventKind.IDENTIFIED: "id",
    EventKind.CHECKED_IN: "armchair",
    EventKind.STARTED: "progress",
    EventKind.COMPLETED: "circle-check",
    EventKind.NO_SHOW: "user-x",
    EventKind.REMINDED: "bell",
}
_SENTENCES: Mapping[str, Text] = {
    EventKind.BOOKED: gettext_lazy("booked %(service)s in %(office)s: %(when)s"),
    EventKind.MOVED: gettext_lazy("moved the appointment for %(service)s to %(when)s, %(office)s"),
    EventKind.CANCELLED: gettext_lazy("cancelled the appointment for %(service)s: %(when)s"),
    EventKind.IDENTIFIED: gettext_lazy("said who booked the appointment for %(service)s"),
    EventKind.CHECKED_IN: gettext_lazy("noted that the person has come: %(service)s"),
    EventKind.STARTED: gettext_lazy("began to attend: %(service)s"),
    EventKind.COMPLETED: gettext_lazy("completed the attention: %(service)s"),
    EventKind.NO_SHOW: gettext_lazy("noted that nobody came: %(service)s, %(when)s"),
    EventKind.REMINDED: gettext_lazy("sent a reminder of the appointment: %(service)s, %(when)s"),
}


def of_citizen(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """What happened with the citizen's appointments, newest first."""
    rows = Happening.objects.for_actor(actor).filter(appointment__citizen=citizen)
    rows = beyond(rows, SOURCE, asked.before, newest_first=True)
    rows = rows.select_related("appointment__service", "appointment__office")
    opens = actor.holds(BOOK_APPOINTMENT) or actor.holds(ATTEND_DESK)
    return [
        Moment(
            told.at,
            icon_of(told),
            sentence(told),
            by=told.actor_name,
            about=str(told.appointment) if opens else "",
            url=reverse("scheduling:appointment", args=[told.appointment.uuid]) if opens else "",
            place=place(told.at, SOURCE, told.pk),
            channel=told.appointment.channel,
            open=told.appointment.status in ACTIVE,
            telling=telling_of(told),
        )
        for told in rows.order_by("-at", "-pk")[: asked.limit]
    ]


def of_case(actor: Actor, case: Case, asked: timeline.Asked) -> Iterable[timeline.Entry]:
    """What happened with the appointments of a case, in the order in which it is asked for."""
    if asked.groups and CASE_GROUP not in asked.groups:
        return []
    rows = Happening.objects.for_actor(actor).filter(appointment__case=case)
    rows = beyond(rows, SOURCE, asked.after, newest_first=asked.newest_first)
    ways = ("-at", "-pk") if asked.newest_first else ("at", "pk")
    rows = rows.select_related("appointment__service", "appointment__office").order_by(*ways)
    return [
        timeline.Entry(
            at=told.at,
            sort=place(told.at, SOURCE, told.pk),
            group=CASE_GROUP,
            icon=icon_of(told),
            author=told.actor_name,
            sentence=sentence(told),
            details={"behalf": told.data.get("on_behalf_of", "")},
            telling=telling_of(told),
        )
        for told in rows[: asked.limit]
    ]


def sentence(told: Happening) -> str:
    """What happened, in words that follow the author's name."""
    data: Mapping[str, Any] = told.data
    row = told.appointment
    zone = ZoneInfo(data.get("zone") or row.time_zone)
    start = datetime.fromisoformat(data["start"]) if "start" in data else row.starts_at
    local = start.astimezone(zone)
    return str(_SENTENCES[told.kind]) % {
        "service": data.get("service") or row.service.name,
        "office": data.get("office") or row.office.name,
        "when": _("%(day)s, %(hour)s") % {"day": long_day(local), "hour": f"{local:%H:%M}"},
    }


def telling_of(told: Happening) -> Telling:
    """It on paper. Who booked for themselves stands there as the web, which names nobody."""
    row = told.appointment
    facts: list[tuple[Text, str]] = [(gettext_lazy("Reference"), row.shown_reference)]
    if told.kind == EventKind.BOOKED and row.subject:
        facts.append((gettext_lazy("What about"), row.subject))
    return Telling(
        by=By.EMPLOYEE if told.actor_kind == By.EMPLOYEE else By.MACHINE,
        facts=facts,
        reason=str(told.data.get("reason", "")),
        addresses=[address for address in (row.email, row.phone) if address],
        for_person=told.kind != EventKind.IDENTIFIED,
    )


def icon_of(told: Happening) -> str:
    """The icon of what happened."""
    return _ICONS.get(told.kind, "calendar")
