"""The timeline of a person: what each room says happened, in one order, newest first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.audit.models import AuditEntry, Result
from crm.citizens.models import Citizen
from crm.citizens.permissions import CHANGE_CITIZEN, PROTECT_RECORD
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry

SHOWN = 25


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened with a person."""

    at: datetime
    icon: str
    text: Text
    by: str = ""
    url: str = ""  # of what it happened in


Story = Callable[[Actor, Citizen, int], list[Moment]]  # newest first, so many at most
stories: Registry[Story] = Registry("story")


def timeline(actor: Actor, citizen: Citizen) -> Mapping[str, object] | None:
    """What the panel « Timeline » shows: the newest moments of every story."""
    told = [moment for story in stories.values() for moment in story(actor, citizen, SHOWN)]
    moments = sorted(told, key=lambda moment: moment.at, reverse=True)[:SHOWN]
    return {"moments": moments} if moments else None


def record_story(actor: Actor, citizen: Citizen, limit: int) -> list[Moment]:
    """What the organisation itself did with its record: registered, corrected, verified, protected."""
    acts = AuditEntry.objects.for_actor(actor).filter(
        object_type=citizen._meta.label_lower,
        object_id=str(citizen.uuid),
        action__in=[CHANGE_CITIZEN, PROTECT_RECORD],
        result=Result.DONE,
    )
    return [
        Moment(act.at, *_told(act.data), by=act.actor_name)
        for act in acts.order_by("-at", "-id")[:limit]
    ]


_ACTS: Mapping[tuple[str, Any], tuple[str, Text]] = {
    ("registered", True): ("user-plus", _("registered the person")),
    ("added", "identifier"): ("id", _("added an identification number")),
    ("verified", "identifier"): ("shield-check", _("verified an identification number")),
    ("withdrawn", "identifier"): ("id-off", _("withdrew an identification number")),
    ("added", "contact_point"): ("address-book", _("added a contact point")),
    ("changed", "contact_point"): ("address-book", _("corrected a contact point")),
    ("verified", "contact_point"): ("check", _("verified a contact point")),
    ("ended", "contact_point"): ("address-book-off", _("ended a contact point")),
    ("protected", True): ("shield-lock", _("protected the record")),
    ("protected", False): ("shield-off", _("lifted the protection of the record")),
}
_OTHERWISE: tuple[str, Text] = ("edit", _("corrected the person's data"))


def _told(data: Mapping[str, Any]) -> tuple[str, Text]:
    found = (act for (key, value), act in _ACTS.items() if data.get(key) == value)
    return next(found, _OTHERWISE)
