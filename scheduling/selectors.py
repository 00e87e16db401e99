"""Reading appointments: free times, the day of an office, what a citizen has, who may follow what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Min, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_PROTECTED
from crm.citizens.profile import Coming
from crm.kit.actor import Actor
from crm.kit.keyset import Order
from crm.kit.policy import ALLOWED, Decision, decide
from crm.organisations.calendars import Calendar
from crm.organisations.models import Organisation
from crm.organisations.selectors import calendar_for
from crm.organisations.selectors import calendar_of as organisation_calendar_of
from scheduling.availability import (
    ONE_DAY,
    Agenda,
    Rule,
    Shape,
    Slot,
    Span,
    free_slots,
    local_days,
)
from scheduling.models import (
    ACTIVE,
    Appointment,
    BookableService,
    Closure,
    DayException,
    Office,
    Resource,
    Status,
    WeeklyRule,
)
from scheduling.permissions import ATTEND_DESK, BOOK_APPOINTMENT
from scheduling.presenting import CHIPS

BY_TIME = Order(("starts_at", "id"))
WEEK = 7


# --- Offices and services -------------------------------------------------------------------------


def offices(actor: Actor, service: BookableService | None = None) -> QuerySet[Office]:
    """The offices that take appointments (of a service), by name."""
    rows = (
        Office.objects.for_actor(actor).filter(is_active=True).select_related("unit__organisation")
    )
    if service is not None:
        attending = Resource.objects.for_actor(actor).filter(services=service, is_active=True)
        rows = rows.filter(pk__in=attending.values("office"))
    return rows.order_by("name")


def services(actor: Actor, *, public: bool = False) -> QuerySet[BookableService]:
    """What can be booked now (by citizens themselves), by name: some agenda attends it."""
    attending = Resource.objects.for_actor(actor).filter(is_active=True, office__is_active=True)
    rows = BookableService.objects.for_actor(actor).filter(
        is_active=True, pk__in=attending.values("services")
    )
    return (rows.filter(is_public=True) if public else rows).order_by("name")


def calendar_of(office: Office) -> Calendar:
    """The layered calendar of an office, its own or its unit's, on the office's clock."""
    if office.calendar_id is not None:
        found = organisation_calendar_of(office.unit.organisation, office.calendar_id)
    else:
        found = calendar_for(office.unit)
    return replace(found, zone=office.zone)


# --- Free times -----------------------------------------------------------------------------------


def shape_of(service: BookableService) -> Shape:
    """How long its appointments are and what is kept free around them."""
    return Shape(
        duration=timedelta(minutes=service.duration),
        step=timedelta(minutes=service.step),
        before=timedelta(minutes=service.buffer_before),
        after=timedelta(minutes=service.buffer_after),
    )


def bounds(
    service: BookableService, now: datetime, *, by_person: bool
) -> tuple[datetime, datetime]:
    """From when until when it can be booked: who books for themselves gives notice."""
    notice = timedelta(minutes=service.min_notice) if by_person else timedelta(0)
    return now + notice, now + timedelta(days=service.horizon_days)


def free_times(
    actor: Actor,
    service: BookableService,
    office: Office,
    days: Sequence[date],
    *,
    by_person: bool,
    moving: Appointment | None = None,
    now: datetime | None = None,
) -> list[Slot]:
    """The free times of a service in an office on these days of its clock, in order.

    The time that `moving` has now counts as free; a hold that has run out does, too.
    """
    if not days:
        return []
    now = now or timezone.now()
    around = _around(days, office)
    resources = list(
        Resource.objects.for_actor(actor)
        .filter(office=office, services=service, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    earliest, latest = bounds(service, now, by_person=by_person)
    closures = Closure.objects.for_actor(actor).filter(
        office=office, starts_at__lt=around.end, ends_at__gt=around.start
    )
    return free_slots(
        _agendas(actor, resources, around, moving, now),
        shape_of(service),
        calendar_of(office),
        days,
        earliest=earliest,
        latest=latest,
        closures=[Span(*span) for span in closures.values_list("starts_at", "ends_at")],
    )


def next_free(
    actor: Actor,
    service: BookableService,
    office: Office,
    after: datetime,
    *,
    by_person: bool,
    moving: Appointment | None = None,
    count: int = 1,
    now: datetime | None = None,
) -> list[Slot]:
    """The first free times from a moment on, as far as the service can be booked."""
    now = now or timezone.now()
    _earliest, latest = bounds(service, now, by_person=by_person)
    first = max(after, now).astimezone(office.zone).date()
    last = latest.astimezone(office.zone).date()
    found: list[Slot] = []
    while first <= last and len(found) < count:
        days = local_days(first, min(WEEK, (last - first).days + 1))
        free = free_times(actor, service, office, days, by_person=by_person, moving=moving, now=now)
        found += [slot for slot in free if slot.start >= after]
        first = days[-1] + ONE_DAY
    return found[:count]


@dataclass(frozen=True)
class Day:
    """A day with free times."""

    day: date
    slots: list[Slot]


def days_with_free(
    actor: Actor,
    service: BookableService,
    office: Office,
    first: date,
    *,
    by_person: bool,
    moving: Appointment | None = None,
    count: int = 5,
) -> list[Day]:
    """The next days that have free times, from the first on."""
    now = timezone.now()
    _earliest, latest = bounds(service, now, by_person=by_person)
    today, last = (moment.astimezone(office.zone).date() for moment in (now, latest))
    first = max(first, today)
    found: dict[date, list[Slot]] = {}
    while first <= last and len(found) < count:
        days = local_days(first, min(WEEK, (last - first).days + 1))
        for slot in free_times(
            actor, service, office, days, by_person=by_person, moving=moving, now=now
        ):
            found.setdefault(slot.start.astimezone(office.zone).date(), []).append(slot)
        first = days[-1] + ONE_DAY
    return [Day(day, slots) for day, slots in sorted(found.items())][:count]


def _around(days: Sequence[date], office: Office) -> Span:
    """The days with what may reach into them."""
    zone = office.zone
    start = datetime.combine(min(days), time(), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(max(days) + ONE_DAY, time(), tzinfo=zone).astimezone(UTC)
    return Span(start - ONE_DAY, end + ONE_DAY)


def _agendas(
    actor: Actor,
    resources: Sequence[int],
    around: Span,
    moving: Appointment | None,
    now: datetime,
) -> list[Agenda]:
    rules: dict[int, list[Rule]] = defaultdict(list)
    for rule in WeeklyRule.objects.for_actor(actor).filter(resource__in=resources):
        rules[rule.resource_id].append(
            Rule(rule.weekday, rule.starts, rule.ends, rule.valid_from, rule.valid_until)
        )
    exceptions: dict[int, dict[date, list[tuple[time, time]]]] = defaultdict(dict)
    dated = DayException.objects.for_actor(actor).filter(
        resource__in=resources, day__range=(around.start.date(), around.end.date())
    )
    for row in dated:
        hours = exceptions[row.resource_id].setdefault(row.day, [])
        if row.starts is not None and row.ends is not None:
            hours.append((row.starts, row.ends))
    busy: dict[int, list[Span]] = defaultdict(list)
    taken = (
        Appointment.objects.for_actor(actor)
        .filter(resource__in=resources, status__in=ACTIVE, during__overlap=around)
        .exclude(status=Status.HELD, hold_expires_at__lte=now)
    )
    if moving is not None:
        taken = taken.exclude(pk=moving.pk)
    for resource, during in taken.values_list("resource_id", "during"):
        busy[resource].append(Span(during.lower, during.upper))
    return [Agenda(key, rules[key], exceptions[key], busy[key]) for key in resources]


# --- Appointments ---------------------------------------------------------------------------------


def with_people(rows: QuerySet[Appointment], actor: Actor) -> QuerySet[Appointment]:
    """The appointments with what a row of them shows."""
    here = Prefetch(
        "citizen__records", queryset=CitizenRecord.objects.for_actor(actor), to_attr="here"
    )
    return rows.select_related(
        "service", "office__unit__organisation", "resource", "citizen"
    ).prefetch_related(here)


def appointment_of(actor: Actor, appointment: UUID) -> Appointment:
    """The appointment with what its page shows; NotFound when it does not exist for the actor."""
    rows = with_people(Appointment.objects.for_actor(actor), actor)
    return rows.exclude(status=Status.EXPIRED).get_or_refuse(uuid=appointment)  # type: ignore[attr-defined,no-any-return]


def shown_name(row: Appointment) -> str:
    """Who it is for as a list may say it: of a protected record the initials."""
    if row.citizen is None:
        return row.person
    records: list[CitizenRecord] = getattr(row.citizen, "here", [])
    if records:
        records[0].citizen = row.citizen
        return records[0].shown_name
    return row.citizen.full_name


def reaches(actor: Actor, row: Appointment) -> bool:
    """Whether the actor may be told how the person is reached: of a protected record who may open it."""
    records: list[CitizenRecord] = getattr(row.citizen, "here", [])
    return not any(one.protected for one in records) or actor.holds(VIEW_PROTECTED)


def day_of(actor: Actor, office: Office, day: date) -> list[Appointment]:
    """The appointments of an office on a day of its clock, in order, unconfirmed ones left out."""
    start = datetime.combine(day, time(), tzinfo=office.zone)
    end = datetime.combine(day + ONE_DAY, time(), tzinfo=office.zone)
    rows = Appointment.objects.for_actor(actor).filter(
        office=office, starts_at__gte=start, starts_at__lt=end
    )
    rows = rows.exclude(status__in=[Status.HELD, Status.EXPIRED])
    return list(with_people(rows, actor).order_by("starts_at", "resource__name", "pk"))


def next_day_of(actor: Actor, office: Office, day: date) -> date | None:
    """The first day after that one, on the office's clock, on which somebody is expected."""
    end = datetime.combine(day + ONE_DAY, time(), tzinfo=office.zone)
    rows = Appointment.objects.for_actor(actor).filter(office=office, starts_at__gte=end)
    first = rows.filter(status=Status.BOOKED).aggregate(first=Min("starts_at"))["first"]
    return first.astimezone(office.zone).date() if first else None


def of_citizen(actor: Actor, citizen: Citizen, limit: int = 12) -> list[Appointment]:
    """The citizen's appointments: those to come first, then the newest past ones."""
    theirs = Appointment.objects.for_actor(actor).filter(citizen=citizen)
    mine = with_people(theirs.exclude(status__in=[Status.HELD, Status.EXPIRED]), actor)
    now = timezone.now()
    to_come = mine.filter(ends_at__gte=now, status__in=ACTIVE).order_by("starts_at", "pk")
    found = list(to_come[:limit])
    past = mine.exclude(ends_at__gte=now, status__in=ACTIVE).order_by("-starts_at", "-pk")
    return found + list(past[: limit - len(found)])


def to_come_of(
    actor: Actor,
    person_key: str,
    citizen: Citizen | None,
    counted: Sequence[Status],
    now: datetime,
) -> int:
    """How many appointments in these states somebody has before them; holds that ran out are none."""
    who = Q(person_key=person_key) if person_key else Q(pk__in=[])
    if citizen is not None:
        who |= Q(citizen=citizen)
    rows = Appointment.objects.for_actor(actor).filter(who, status__in=counted)
    rows = rows.exclude(status=Status.HELD, hold_expires_at__lte=now)
    return rows.filter(ends_at__gt=now).count()


def counts_by_status(rows: Iterable[Appointment]) -> Mapping[str, int]:
    """How many stand in each state."""
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row.status] += 1
    return found


def organisation_of(code: str) -> Organisation | None:
    """The organisation whose public pages are asked for."""
    rows = Organisation.objects.unscoped("whose pages these are is public")
    return rows.filter(code=code, is_active=True).first()


# --- What other rooms ask for --------------------------------------------------------------------


def public_address(code: str) -> str:
    """Where the citizens of an organisation book by themselves; empty when nothing can be booked now."""
    attending = Resource.objects.unscoped("whether anything is booked is public").filter(
        is_active=True, office__is_active=True, organisation__code=code
    )
    offered = BookableService.objects.unscoped("what citizens book is public").filter(
        is_active=True, is_public=True, pk__in=attending.values("services")
    )
    return reverse("scheduling:start", args=[code]) if offered.exists() else ""


def dates(actor: Actor, citizen: Citizen) -> list[Coming]:
    """The person's appointments to come."""
    rows = Appointment.objects.for_actor(actor).filter(citizen=citizen, ends_at__gte=timezone.now())
    theirs = rows.filter(status__in=ACTIVE).exclude(status=Status.HELD)
    theirs = theirs.select_related("service", "office")
    return [
        Coming(
            at=row.starts_at,
            icon="calendar",
            text=row.service.name,
            about=row.office.name,
            url=reverse("scheduling:appointment", args=[row.uuid]),
            timed=True,
        )
        for row in theirs.order_by("starts_at", "pk")[:10]
    ]


def has_open(actor: Actor, citizen: Citizen) -> bool:
    """Whether the person has an appointment to come that the actor sees."""
    return any(row.status in ACTIVE for row in of_citizen(actor, citizen))


def panel(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """What the citizen's page shows of their appointments, and the way to one more."""
    record = CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).first()
    rows = of_citizen(actor, citizen)
    if not rows and (record is None or not services(actor).exists()):
        return None
    chips = [(row, *CHIPS[row.status]) for row in rows]
    return {"rows": chips, "may_book": record is not None, "now": timezone.now()}


def may_follow_office(actor: Actor, key: str) -> Decision:
    """Who books or attends follows the day of an office."""
    may = decide(actor, ATTEND_DESK) or decide(actor, BOOK_APPOINTMENT)
    try:
        exists = bool(may) and Office.objects.for_actor(actor).filter(uuid=UUID(key)).exists()
    except ValueError:
        exists = False
    return ALLOWED if exists else Decision(False)
