"""Who looked at a person's data: for the person without names (CJEU C-579/21), for the auditor with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.audit.models import AuditEntry, Result
from crm.audit.permissions import VIEW_ENTRY
from crm.audit.record import record
from crm.audit.words import DOORS
from crm.audit.words import action as action_in_words
from crm.citizens.aliases import Survivor, known_as
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_ACCESS_REPORT
from crm.citizens.services.records import Opened, open_citizen
from crm.kit.actor import Actor, Kind
from crm.kit.errors import Refused, Text
from crm.kit.keyset import Order, Page, read_page
from crm.kit.policy import require
from crm.kit.registry import Registry
from crm.kit.scoping import ScopedQuerySet

NEWEST = Order(("at", "id"), descending=True)
PAGE = 200
MOST = 20_000
SEEN = ("viewed", "revealed", "exported", "printed", "downloaded", "disclosed")

Traces = Callable[[Actor, Citizen], Iterable[tuple[str, list[str]]]]
traces: Registry[Traces] = Registry("kind of thing in which a person's data lie")
"""Higher rooms say which objects of theirs are a person's, whoever may see them: type and identities."""

KINDS: Mapping[str, Text] = {
    Kind.USER: gettext_lazy("A public employee"),
    Kind.API_CLIENT: gettext_lazy("A connected system"),
    Kind.SYSTEM: gettext_lazy("The system itself"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both included; either may be left out."""

    since: date | None = None
    until: date | None = None

    @property
    def wanted(self) -> Q:
        """The entries of these days."""
        found = Q()
        if self.since:
            found &= Q(at__gte=_midnight(self.since))
        if self.until:
            found &= Q(at__lt=_midnight(self.until + timedelta(days=1)))
        return found


@dataclass(frozen=True, slots=True)
class Look:
    """One time that a person's data were looked at, as the person is told: by whom in kind only."""

    at: datetime
    body: str
    kind: Text
    what: str
    purpose: str
    channel: Text


def told(actor: Actor, entries: Iterable[AuditEntry]) -> list[Look]:
    """The entries without anybody's name."""
    return [
        Look(
            at=entry.at,
            body=actor.organisation_name,
            kind=KINDS.get(entry.actor_kind, entry.actor_kind),
            what=_what(entry),
            purpose=entry.purpose or _implied(entry),
            channel=DOORS.get(entry.door, entry.door),
        )
        for entry in entries
    ]


def report(
    actor: Actor, citizen: UUID, period: Period, cursor: str = "", reason: str = ""
) -> tuple[Opened, Page[AuditEntry]]:
    """A page of who looked, newest first, for who may tell the person; told without names by `told`.

    That it was read is a look as well. Raises ReasonNeeded as opening the record does, and Refused while
    somebody is attended in the person's name to whom not everything may be told: it names every case.
    """
    require(actor, VIEW_ACCESS_REPORT)
    own = CitizenRecord.objects.for_actor(actor).get_or_refuse(citizen=Survivor(citizen))
    attended = actor.attended(own.citizen_id)
    if attended is not None and not attended.everything:
        why = attended.refusal or _("The mandate does not cover it.")
        raise Refused(VIEW_ACCESS_REPORT, why, own)
    purpose = _("Report of who looked, for the person")
    opened = open_citizen(actor, citizen, purpose=purpose, reason=reason)
    rows = _entries(actor, opened.citizen, period)
    return opened, read_page(rows, NEWEST, cursor, PAGE)


def named(
    actor: Actor, citizen: UUID, period: Period, cursor: str = ""
) -> tuple[Citizen, Page[AuditEntry]]:
    """The same with names, for the auditor: who reads the trail anyway, and whose reading is an entry."""
    found = _for_auditor(actor, citizen)
    record(actor, "searched", found, name="", what="audit", purpose=_("Audit"))
    return found, read_page(_entries(actor, found, period), NEWEST, cursor, PAGE)


def exported(actor: Actor, citizen: UUID, period: Period) -> Iterator[AuditEntry]:
    """All of it with names, up to MOST; the export is an entry before its first line."""
    found = _for_auditor(actor, citizen)
    record(actor, "exported", found, name="", what="audit", purpose=_("Audit"))
    return iter(_entries(actor, found, period).order_by("-at", "-id")[:MOST])


def _for_auditor(actor: Actor, citizen: UUID) -> Citizen:
    require(actor, VIEW_ENTRY)
    if not actor.reach(VIEW_ENTRY).everywhere:
        reason = _("The audit trail is one for the whole organisation: ask for the role there.")
        raise Refused(VIEW_ENTRY, reason)
    return Citizen.objects.for_actor(actor).known_by(citizen).get_or_refuse()


def _entries(actor: Actor, citizen: Citizen, period: Period) -> ScopedQuerySet[AuditEntry]:
    """The looks at the person and at what is theirs, which were done and not refused."""
    theirs = Q(object_type=citizen._meta.label_lower, object_id__in=known_as(citizen))
    for trace in traces.values():
        for kind, identities in trace(actor, citizen):
            theirs |= Q(object_type=kind, object_id__in=identities)
    rows = AuditEntry.objects.for_actor(actor).filter(action__in=SEEN, result=Result.DONE)
    return rows.filter(theirs & period.wanted)


def _what(entry: AuditEntry) -> str:
    """What was done, and of which other system's answer or case."""
    words = action_in_words(entry.action)
    if entry.data.get("connection"):
        return f"{words}: {entry.data.get('part', '')}"
    own = entry.object_type == Citizen._meta.label_lower
    return words if own else f"{words}: {entry.object_name}"


def _implied(entry: AuditEntry) -> str:
    """Of a look that states no reason, the one that its object gives."""
    if entry.object_type == Citizen._meta.label_lower:
        return ""
    return _("Handling a case")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
