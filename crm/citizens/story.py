"""The timeline of a person: what each room says happened, in one order, newest first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.models import AuditEntry, Result
from crm.citizens.aliases import known_as
from crm.citizens.models import Channel, Citizen
from crm.citizens.permissions import (
    CHANGE_CITIZEN,
    MANAGE_MANDATES,
    MERGE_CITIZENS,
    PROTECT_RECORD,
    VERIFY_MANDATE,
    VIEW_CITIZEN,
)
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.registry import Registry
from crm.kit.stories import UNTOLD, By, Telling, beyond, place

SHOWN = 25
_ROUNDS = 8  # of reading for one page
RECORD = "record"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened with a person."""

    at: datetime
    icon: str
    text: Text
    by: str = ""
    about: str = ""  # what it happened in, and its address
    url: str = ""
    place: str = ""  # in the whole timeline (crm.kit.stories)
    channel: str = ""  # by which it happened (crm.citizens.models.Channel), where one was
    open: bool = False  # what it belongs to still goes on
    telling: Telling = UNTOLD  # for a sealed history


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of the timeline is wanted: of these groups (none: all), before a place, so many."""

    groups: frozenset[str] = frozenset()
    before: str = ""
    limit: int = SHOWN + 1
    whole: bool = False  # for a sealed history: with every word said and written, notes too


@dataclass(frozen=True)
class Story:
    """What one room tells of a person: newest first, in groups that a reader may ask for alone."""

    groups: Mapping[str, Text]
    tell: Callable[[Actor, Citizen, Asked], list[Moment]]
    permission: str = VIEW_CITIZEN
    within: bool = False  # it tells an actor what may be told to who is attended


def _heard(actor: Actor, citizen: Citizen) -> "list[Story]":
    """What the actor may hear of the person, and through them who is attended in the person's name."""
    attended = actor.attended(citizen.pk)
    partly = attended is not None and not attended.everything
    return [
        story
        for story in stories.values()
        if actor.holds(story.permission) and (story.within or not partly)
    ]


stories: Registry[Story] = Registry("story")


def whole(actor: Actor, citizen: Citizen) -> list[Moment]:
    """All that every room tells of the person for a sealed history, oldest first."""
    asked = Asked(limit=1_000_000, whole=True)
    heard = (story for story in stories.values() if actor.holds(story.permission))
    told = [moment for story in heard for moment in story.tell(actor, citizen, asked)]
    return sorted(told, key=lambda moment: (moment.at, moment.place))


@dataclass(frozen=True, slots=True)
class Sieve:
    """Which things of the timeline are wanted, whatever room tells them."""

    channel: str = ""
    since: date | None = None
    until: date | None = None
    going_on: bool = False  # only what belongs to something that still goes on

    def takes(self, moment: Moment) -> bool:
        """Whether it is wanted; its day has been seen to already where that is the last one."""
        if self.channel and moment.channel != self.channel:
            return False
        return moment.open or not self.going_on

    @property
    def edge(self) -> str:
        """The place after the last day, to begin from; none when there is no last day."""
        return place(_midnight(self.until, 1), "", 0) if self.until else ""

    @property
    def floor(self) -> datetime | None:
        """The moment before which nothing is wanted."""
        return _midnight(self.since) if self.since else None

    @property
    def asked(self) -> list[tuple[str, str]]:
        """It as an address says it."""
        days = [("desde", self.since), ("hasta", self.until)]
        found = [("canal", self.channel)] if self.channel else []
        found += [(name, day.isoformat()) for name, day in days if day]
        return found + ([("abiertos", "1")] if self.going_on else [])


def _midnight(day: date, later: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=later), time.min))


def timeline(
    actor: Actor,
    citizen: Citizen,
    groups: Iterable[str] = (),
    before: str = "",
    sieve: Sieve | None = None,
) -> Mapping[str, object]:
    """A page of what every story tells, newest first, and what to choose from."""
    sieve = sieve or Sieve()
    heard = _heard(actor, citizen)
    known = {key: label for story in heard for key, label in story.groups.items()}
    asked = Asked(frozenset(groups) & known.keys(), before or sieve.edge)
    moments, further = _sifted(actor, citizen, heard, asked, sieve)
    query = [("ver", group) for group in sorted(asked.groups)] + sieve.asked
    return {
        "citizen": citizen,
        "moments": moments,
        "groups": [(key, label, key in asked.groups) for key, label in known.items()],
        "channels": Channel.choices,
        "sieve": sieve,
        "earlier": urlencode([*query, ("antes", further)]) if further else "",
    }


def _sifted(
    actor: Actor, citizen: Citizen, heard: "list[Story]", asked: Asked, sieve: Sieve
) -> tuple[list[Moment], str]:
    """A page of what passes the sieve, and the place from which there may be more. Of a long story of
    which little passes, a page ends early rather than read all of it."""
    found: list[Moment] = []
    floor = sieve.floor
    for _round in range(_ROUNDS):
        told = [
            moment
            for story in heard
            if not asked.groups or asked.groups & story.groups.keys()
            for moment in story.tell(actor, citizen, asked)
        ]
        told.sort(key=lambda moment: (moment.at, moment.place), reverse=True)
        read = told[:SHOWN]
        for moment in read:
            if floor and moment.at < floor:
                return found, ""
            if sieve.takes(moment):
                found.append(moment)
                if len(found) == SHOWN:
                    last = moment is told[-1]
                    return found, "" if last else moment.place
        if len(told) <= SHOWN:
            return found, ""
        asked = replace(asked, before=read[-1].place)
    return found, asked.before


def panel(actor: Actor, citizen: Citizen) -> Mapping[str, object] | None:
    """What the citizen's page shows of the timeline; nothing when there is nothing to tell."""
    newest = timeline(actor, citizen)
    return newest if newest["moments"] else None


def record_story(actor: Actor, citizen: Citizen, asked: Asked) -> list[Moment]:
    """What the organisation itself did with its record: registered, corrected, verified, protected."""
    acts = AuditEntry.objects.for_actor(actor).filter(
        object_type=citizen._meta.label_lower,
        object_id__in=known_as(citizen),
        action__in=[
            CHANGE_CITIZEN,
            PROTECT_RECORD,
            MERGE_CITIZENS,
            MANAGE_MANDATES,
            VERIFY_MANDATE,
        ],
        result=Result.DONE,
    )
    acts = beyond(acts, RECORD, asked.before, newest_first=True)
    return [
        Moment(
            act.at,
            *_told(act.data),
            by=act.actor_name,
            place=place(act.at, RECORD, act.pk),
            telling=Telling(
                by=By.EMPLOYEE if act.actor_kind == By.EMPLOYEE else By.MACHINE,
                for_person=act.action != PROTECT_RECORD,
            ),
        )
        for act in acts.order_by("-at", "-id")[: asked.limit]
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
    ("consent", "granted"): ("mail-check", _("recorded consent to be written to")),
    ("consent", "withdrawn"): ("mail-off", _("recorded that consent was withdrawn")),
    ("mandate", "granted"): ("users", _("recorded a mandate")),
    ("mandate", "granted_many"): ("users", _("recorded mandates of many grantors")),
    ("mandate", "verified"): ("shield-check", _("checked the proof of a mandate")),
    ("mandate", "paper"): ("file-text", _("attached the proof of a mandate")),
    ("mandate", "ended"): ("ban", _("ended a mandate")),
    ("mandate", "expiring"): ("calendar-off", _("noted that a mandate ends soon")),
    ("relation", "recorded"): ("users-group", _("recorded a relation with another person")),
    ("relation", "ended"): ("users-minus", _("ended a relation with another person")),
    ("professional", "authorised"): ("certificate", _("recorded a RED authorisation")),
    ("professional", "ended"): ("certificate-off", _("ended a RED authorisation")),
    ("merged", "from"): ("arrows-join", _("merged another record of the person into this one")),
    ("merged", "into"): ("arrows-join", _("merged this record into another of the person")),
    ("merged", "elsewhere"): (
        "arrows-join",
        _("another organisation merged two records of the person"),
    ),
    ("unmerged", "from"): ("arrows-split", _("took a merge back: this record is apart again")),
    ("unmerged", "into"): ("arrows-split", _("took a merge back: this record is its own again")),
    ("unmerged", "elsewhere"): (
        "arrows-split",
        _("another organisation took back that two records were one"),
    ),
    ("protected", True): ("shield-lock", _("protected the record")),
    ("protected", False): ("shield-off", _("lifted the protection of the record")),
}
_OTHERWISE: tuple[str, Text] = ("edit", _("corrected the person's data"))


def _told(data: Mapping[str, Any]) -> tuple[str, Text]:
    found = (act for (key, value), act in _ACTS.items() if data.get(key) == value)
    return next(found, _OTHERWISE)
