"""Booking: a time is held, confirmed by code, moved and cancelled; nobody's time is given twice."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zlib import crc32

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from crm.audit.record import record
from crm.citizens import checking
from crm.citizens.models import Channel
from crm.kit import tries
from crm.kit.actor import Actor, Kind
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.models import uuid7
from crm.kit.policy import require
from crm.kit.secrets import decrypt, encrypt
from scheduling import selectors
from scheduling.availability import Slot
from scheduling.models import (
    ACTIVE,
    Appointment,
    BookableService,
    EventKind,
    Notice,
    Office,
    Resource,
    Status,
)
from scheduling.permissions import BOOK_APPOINTMENT
from scheduling.services import notices
from scheduling.services.people import (
    Person,
    checked,
    citizen_of,
    columns_of,
    recognised,
    with_mailbox,
)
from scheduling.services.writing import announce, fetch, moment, require_status, write

CONSENT = "2026-11"  # version of what public pages say about data
OFFERED = 3  # further times that whoever was late is offered
_CODE_TRIES, _CODE_WINDOW = 10, 3600


class SlotTaken(Conflict):
    """The time is not free (any more); `slots` are the next ones that are."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.slots = list(slots)
        text = _("This time is no longer free. Choose another one.")
        told = [{"start": slot.start.isoformat(), "end": slot.end.isoformat()} for slot in slots]
        super().__init__("slot_taken", text, next=told)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: a service in an office at a time."""

    service: str  # code
    office: str  # code
    start: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A service in an office, found for somebody."""

    service: BookableService
    office: Office


# --- The verbs -----------------------------------------------------------------------------------


@transaction.atomic
def hold_slot(
    actor: Actor, wish: Wish, person: Person, *, consent: bool, key: UUID | None = None
) -> Appointment:
    """The time is kept for this person until they confirm it with the code that is on its way to their
    mailbox. The same `key` again gives the same hold.

    Raises SlotTaken with what is free next.
    """
    place = place_of(actor, wish.service, wish.office, public=True)
    person = checked(person, consent=consent, needs_mailbox=True)
    known = Appointment.objects.for_actor(actor).filter(uuid=key).first() if key else None
    if known and known.status == Status.HELD and known.email == person.email:
        return known
    row = Appointment(
        uuid=uuid7() if known or key is None else key,  # a key that is another's is none
        organisation_id=actor.organisation_id,
        channel=Channel.WEB_FORM,
        status=Status.HELD,
        hold_expires_at=moment() + timedelta(minutes=place.service.hold_minutes),
        code=encrypt(f"{secrets.randbelow(10**8):08}"),
        consent_at=moment(),
        consent_text=CONSENT,
        **columns_of(person),
    )
    _few_enough(actor, place.service, row, [Status.HELD])
    _settle(actor, row, place, wish.start, by_person=True)
    record(actor, BOOK_APPOINTMENT, row, act="held")
    record(actor, "consent_given", row, text=CONSENT)
    notices.tell(row, Notice.Kind.CODE)
    return row


@transaction.atomic
def confirm_hold(actor: Actor, appointment: UUID, code: str) -> Appointment:
    """Whoever has the code has the appointment. A hold that ran out is taken up again if its time is
    still free, else SlotTaken.

    A second confirmation finds it booked and changes nothing.
    """
    row = (
        Appointment.objects.for_actor(actor)
        .select_for_update(of=("self",))
        .select_related("service", "office__unit__organisation", "resource", "citizen")
        .filter(uuid=appointment)
        .first()
    )
    if row is None:
        raise NotFound
    count_try(row.reference)
    if not opens(row, code):
        raise Invalid(errors={"code": [_("This is not the code that we sent you.")]})
    if row.status not in {Status.HELD, Status.EXPIRED}:
        return row
    changed = ["status", "hold_expires_at", "arranged_at", "citizen"]
    row.citizen = recognised(actor, row)
    _few_enough(actor, row.service, row, [Status.BOOKED])
    if (
        row.status == Status.EXPIRED
        or row.hold_expires_at is None
        or row.hold_expires_at <= moment()
    ):
        _settle(actor, row, Place(row.service, row.office), row.starts_at, by_person=True)
    row.status, row.hold_expires_at, row.arranged_at = Status.BOOKED, None, moment()
    write(actor, BOOK_APPOINTMENT, row, EventKind.BOOKED, _when(row), changed=tuple(changed))
    notices.tell(row, Notice.Kind.BOOKED)
    return row


@transaction.atomic
def book_appointment(
    actor: Actor,
    wish: Wish,
    *,
    citizen: UUID | None = None,
    person: Person | None = None,
    case: UUID | None = None,
    channel: str = Channel.PHONE,
    key: UUID | None = None,
) -> Appointment:
    """The person has the appointment: somebody who may book says so, a citizen on record or anybody."""
    require(actor, BOOK_APPOINTMENT)
    place = place_of(actor, wish.service, wish.office)
    known = Appointment.objects.for_actor(actor).filter(uuid=key).first() if key else None
    if known:
        return known
    if channel not in Channel.values:
        raise Invalid(errors={"channel": [_("Choose one of the offered values.")]})
    on_record = citizen_of(actor, citizen) if citizen else None
    given = with_mailbox(actor, person or Person(), on_record)
    row = Appointment(
        uuid=key or uuid7(),
        organisation_id=actor.organisation_id,
        citizen=on_record,
        case=_case_of(actor, case) if case else None,
        channel=channel,
        status=Status.BOOKED,
        arranged_at=moment(),
        code=encrypt(f"{secrets.randbelow(10**8):08}"),
        **columns_of(checked(given, named=on_record is None)),
    )
    by_person = actor.kind is Kind.API_CLIENT  # a portal books as the person would
    if by_person:
        _few_enough(actor, place.service, row, [Status.HELD, Status.BOOKED])
    _settle(actor, row, place, wish.start, by_person=by_person)
    write(actor, BOOK_APPOINTMENT, row, EventKind.BOOKED, _when(row))
    notices.tell(row, Notice.Kind.BOOKED)
    return row


@transaction.atomic
def move_appointment(
    actor: Actor,
    appointment: UUID,
    start: datetime,
    *,
    office: str = "",
    version: int | None = None,
    by_person: bool = False,
) -> Appointment:
    """The appointment is at another time (or in another office); calendars that have it follow."""
    row = fetch(actor, appointment, version)
    require(actor, BOOK_APPOINTMENT, row)
    require_status(row, Status.BOOKED)
    by_person = by_person or actor.kind is Kind.API_CLIENT
    if by_person:
        require_in_time(row)
    before, earlier_office = _when(row), row.office.uuid
    place = place_of(actor, row.service.code, office or row.office.code)
    _settle(actor, row, place, start, by_person=by_person)
    row.arranged_at = moment()
    row.ical_sequence += 1
    changed = ("office", "resource", "starts_at", "ends_at", "during", "time_zone")
    write(
        actor,
        BOOK_APPOINTMENT,
        row,
        EventKind.MOVED,
        {"before": before, **_when(row)},
        changed=(*changed, "arranged_at", "ical_sequence"),
    )
    if earlier_office != row.office.uuid:
        announce(row, EventKind.MOVED, earlier_office)
    notices.tell(row, Notice.Kind.MOVED)
    return row


@transaction.atomic
def cancel_appointment(
    actor: Actor,
    appointment: UUID,
    *,
    reason: str = "",
    version: int | None = None,
    by_person: bool = False,
) -> Appointment:
    """The appointment will not take place, and its time is free for others at once."""
    row = fetch(actor, appointment, version)
    require(actor, BOOK_APPOINTMENT, row)
    require_status(row, Status.BOOKED)
    if by_person or actor.kind is Kind.API_CLIENT:
        require_in_time(row)
    row.status = Status.CANCELLED
    row.cancelled_by = actor.name[:200]
    row.cancel_reason = _text(reason, 240, "reason")
    row.ended_at = moment()
    row.ical_sequence += 1
    changed = ("status", "cancelled_by", "cancel_reason", "ended_at", "ical_sequence")
    told = {**_when(row), **({"reason": row.cancel_reason} if row.cancel_reason else {})}
    write(actor, BOOK_APPOINTMENT, row, EventKind.CANCELLED, told, changed=changed)
    notices.tell(row, Notice.Kind.CANCELLED)
    return row


@transaction.atomic
def identify_person(actor: Actor, appointment: UUID, citizen: UUID) -> Appointment:
    """The person who booked is this citizen on record."""
    row = fetch(actor, appointment)
    require(actor, BOOK_APPOINTMENT, row)
    row.citizen = citizen_of(actor, citizen)
    write(actor, BOOK_APPOINTMENT, row, EventKind.IDENTIFIED, changed=("citizen",))
    return row


def expire_holds() -> int:
    """Holds that ran out are expired, and a day later nothing is kept of them; how many expired."""
    now = moment()
    rows = Appointment.objects.unscoped("holds of every organisation run out")
    run_out = rows.filter(status=Status.HELD, hold_expires_at__lte=now)
    locked = run_out.select_for_update(skip_locked=True, no_key=True)
    with transaction.atomic():
        expired = rows.filter(pk__in=list(locked.values_list("pk", flat=True)[:1000])).update(
            status=Status.EXPIRED
        )
    rows.filter(status=Status.EXPIRED, hold_expires_at__lte=now - timedelta(days=1)).delete()
    return expired


# --- What doors ask ------------------------------------------------------------------------------


def place_of(actor: Actor, service: str, office: str, *, public: bool = False) -> Place:
    """The service and office of these codes; Invalid names the one that cannot be booked."""
    found = selectors.services(actor, public=public).filter(code=service).first()
    if found is None:
        raise Invalid(errors={"service": [_("This service cannot be booked.")]})
    where = selectors.offices(actor, found).filter(code=office).first()
    if where is None:
        raise Invalid(errors={"office": [_("This office does not attend it.")]})
    return Place(found, where)


def code_of(row: Appointment) -> str:
    """The eight figures that open the appointment to its person."""
    return decrypt(row.code)


def opens(row: Appointment | None, code: str) -> bool:
    """Whether this is the code of the appointment, however it was typed; of none, as much work for a no."""
    typed = "".join(sign for sign in code if sign.isascii() and sign.isdigit())[:20]
    right = code_of(row) if row else decrypt(encrypt(""))
    return secrets.compare_digest(typed, right) and right != ""


def count_try(reference: str) -> None:
    """Count one code that was tried for a reference, of which nobody is told whether it exists."""
    tries.count_try(
        "appointment",
        reference[:12],
        most=_CODE_TRIES,
        seconds=_CODE_WINDOW,
        message=_("Too many codes were tried. Wait an hour, or call us."),
    )


def require_in_time(row: Appointment) -> None:
    """Conflict when it is too late for the person themselves to change it."""
    limit = timedelta(minutes=row.service.cancel_until)
    if moment() > row.starts_at - limit:
        raise Conflict(
            "too_late", _("It is too late to change it here. Call us, or come at that time.")
        )


# --- Inside --------------------------------------------------------------------------------------


def _settle(
    actor: Actor, row: Appointment, place: Place, start: datetime, *, by_person: bool
) -> None:
    """The appointment has an agenda of the place at that time, and is saved if it is new.

    The agendas are locked in one order, so that whoever comes meanwhile waits and then sees what was
    given; should code fail, the exclusion constraint still gives nothing twice.
    """
    resources = list(
        Resource.objects.for_actor(actor)
        .filter(office=place.office, services=place.service, is_active=True)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
        .values_list("pk", flat=True)
    )
    now = moment()
    _free_what_ran_out(actor, resources, now)
    moving = row if row.pk else None
    day = start.astimezone(place.office.zone).date()
    free = selectors.free_times(
        actor, place.service, place.office, [day], by_person=by_person, moving=moving, now=now
    )
    slot = next((slot for slot in free if slot.start == start), None)
    if slot is None:
        raise SlotTaken(_next(actor, place, start, by_person, moving, now))
    around = selectors.shape_of(place.service).around(slot.start)
    row.service, row.office = place.service, place.office
    row.resource = _least_busy(actor, slot, row)
    row.starts_at, row.ends_at = slot.start, slot.end
    row.during = DateTimeTZRange(around.start, around.end, "[)")
    row.time_zone, row.modality = place.office.time_zone, place.service.modality
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "appointment_no_overlap" not in str(error):
            raise
        raise SlotTaken(_next(actor, place, start, by_person, moving, now)) from error


def _next(
    actor: Actor,
    place: Place,
    start: datetime,
    by_person: bool,
    moving: Appointment | None,
    now: datetime,
) -> list[Slot]:
    """What is free from that time on; when that is nothing, what is free at all."""
    for after in (start, now):
        found = selectors.next_free(
            actor,
            place.service,
            place.office,
            after,
            by_person=by_person,
            moving=moving,
            count=OFFERED,
            now=now,
        )
        if found:
            return found
    return []


def _free_what_ran_out(actor: Actor, resources: Sequence[int], now: datetime) -> None:
    """A constraint cannot read the clock: holds that ran out give way in the same transaction."""
    held = Appointment.objects.for_actor(actor).filter(
        resource__in=resources, status=Status.HELD, hold_expires_at__lte=now
    )
    held.update(status=Status.EXPIRED)


def _least_busy(actor: Actor, slot: Slot, row: Appointment) -> Resource:
    """Of the agendas that are free then, the one with the least to do that day; its own stays its own."""
    if row.resource_id in slot.agendas:
        return row.resource
    near = (slot.start - timedelta(hours=12), slot.start + timedelta(hours=12))
    busy = dict(
        Appointment.objects.for_actor(actor)
        .filter(resource__in=slot.agendas, status__in=ACTIVE, starts_at__range=near)
        .values_list("resource")
        .annotate(count=Count("pk"))
    )
    chosen = min(slot.agendas, key=lambda key: (busy.get(key, 0), key))
    return Resource.objects.for_actor(actor).get(pk=chosen)


def _few_enough(
    actor: Actor, service: BookableService, row: Appointment, counted: Sequence[Status]
) -> None:
    """Conflict when the person has as many appointments before them as the service allows.

    Of whoever has only typed a mailbox, holds alone are counted: what is booked is told to nobody who has
    not shown by the code that the mailbox is theirs.
    """
    number = crc32(f"{actor.organisation_id} {row.person_key}".encode())
    with (
        connection.cursor() as cursor
    ):  # whoever books twice at once is counted one after the other
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [19, number - 2**31])
    has = selectors.to_come_of(actor, row.person_key, row.citizen, counted, moment())
    if has >= service.max_active_per_citizen:
        raise Conflict(
            "too_many_appointments",
            _("You already have as many appointments as one person may have. Cancel one first."),
        )


def _case_of(actor: Actor, case: UUID) -> Case:
    found = Case.objects.for_actor(actor).filter(uuid=case).first()
    if found is None:
        raise Invalid(errors={"case": [_("There is no such case.")]})
    return found


def _when(row: Appointment) -> dict[str, str]:
    """Time and place as a happening keeps them."""
    return {
        "start": row.starts_at.isoformat(),
        "zone": row.time_zone,
        "office": row.office.name,
        "service": row.service.name,
    }


def _text(raw: str, longest: int, field: str) -> str:
    try:
        return checking.text(raw, longest)
    except Invalid as error:
        raise Invalid(errors={field: [error.message]}) from error
