"""Booking: hold, confirm, book, move, cancel; who may, what is told, and what must not happen."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, Identifier
from crm.kit.errors import Conflict, Invalid, NotFound, Refused, TooMany
from crm.kit.models import Outbox, StreamEvent
from crm.kit.secrets import decrypt
from crm.organisations.models import WorkingCalendar
from crm.organisations.services import close_unit, create_calendar, merge_units, set_holiday
from scheduling import selectors, services
from scheduling.models import Appointment, EventKind, Happening, Notice, Status
from scheduling.services import SlotTaken
from scheduling.services.writing import told_at
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.scheduling import (
    MADRID,
    at,
    book,
    make_office,
    make_resource,
    make_service,
    person,
    wish,
)
from tests.scheduling.conftest import Desk, carry_out


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


def hold(desk: Desk, start: Any, number: int = 1, **given: Any) -> Appointment:
    return services.hold_slot(desk.public, wish(start), person(number), consent=True, **given)


def code_of(row: Appointment) -> str:
    return decrypt(row.code)


def kinds(row: Appointment) -> list[str]:
    return list(row.happenings.order_by("seq").values_list("kind", flat=True))


# --- Hold and confirm -----------------------------------------------------------------------------


def test_a_time_is_held_and_confirmed_by_the_code_in_the_mail(desk: Desk) -> None:
    start = at("09:00")
    row = hold(desk, start)
    assert (row.status, row.starts_at, row.reference[:0]) == (Status.HELD, start, "")
    assert row.ends_at - row.starts_at == timedelta(minutes=20)
    assert kinds(row) == []  # nothing has happened yet in anybody's story
    carry_out()
    (letter,) = mail.outbox
    assert letter.to == ["persona1@example.org"]
    code = code_of(row)
    assert f"{code[:4]} {code[4:]}" in letter.body
    booked = services.confirm_hold(desk.public, row.uuid, f" {code[:4]}-{code[4:]} ")
    assert (booked.status, booked.hold_expires_at) == (Status.BOOKED, None)
    assert kinds(booked) == [EventKind.BOOKED]
    carry_out()
    confirmation = mail.outbox[1]
    attached = [part for part in confirmation.attachments if not isinstance(part, tuple)]
    told = attached[0].get_payload(decode=True).decode()
    assert "METHOD:REQUEST\r\n" in told
    assert f"UID:{row.ical_uid}\r\n" in told
    assert "SEQUENCE:0\r\n" in told
    assert booked.shown_reference in confirmation.body
    assert "Su DNI" in confirmation.body


def test_the_code_is_nowhere_in_clear(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    code = code_of(row)
    kept = Appointment.objects.filter(pk=row.pk).values().get()
    said = [str(kept), *(str(one) for one in Outbox.objects.values_list("payload", flat=True))]
    said += [str(one) for one in AuditEntry.objects.values_list("data", flat=True)]
    assert not any(code in text for text in said)


def test_a_wrong_code_confirms_nothing_and_ten_of_them_close_the_door(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    wrong = "".join(str((int(sign) + 1) % 10) for sign in code_of(row))
    for _try in range(10):
        with pytest.raises(Invalid):
            services.confirm_hold(desk.public, row.uuid, wrong)
    with pytest.raises(TooMany):
        services.confirm_hold(desk.public, row.uuid, code_of(row))
    row.refresh_from_db()
    assert row.status == Status.HELD


def test_without_consent_or_mailbox_nothing_is_kept(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        services.hold_slot(
            desk.public, wish(at("09:00")), person(email="nada", name=" "), consent=False
        )
    assert set(refused.value.errors) == {"name", "email", "consent"}
    assert not Appointment.objects.exists()


def test_consent_is_written_down_with_its_version(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    entry = AuditEntry.objects.get(action="consent_given")
    assert (entry.object_id, entry.data) == (str(row.uuid), {"text": "2026-11"})
    assert row.consent_at is not None


def test_the_same_hold_sent_twice_is_one(desk: Desk) -> None:
    key = uuid4()
    assert hold(desk, at("09:00"), key=key).pk == hold(desk, at("09:00"), key=key).pk
    assert Appointment.objects.count() == 1
    assert Notice.objects.count() == 1


def test_somebody_elses_key_gives_nothing_away(desk: Desk) -> None:
    theirs = hold(desk, at("09:00"), 1)
    mine = hold(desk, at("09:00"), 2, key=theirs.uuid)
    assert mine.pk != theirs.pk
    assert mine.uuid != theirs.uuid


def test_confirming_twice_books_once(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    for _time in range(2):
        services.confirm_hold(desk.public, row.uuid, code_of(row))
    assert kinds(row) == [EventKind.BOOKED]
    assert Notice.objects.filter(kind=Notice.Kind.BOOKED).count() == 1


def test_a_hold_that_ran_out_gives_way_in_the_same_transaction(desk: Desk) -> None:
    start = at("09:00")
    first, second = hold(desk, start, 1), hold(desk, start, 2)
    with pytest.raises(SlotTaken):
        hold(desk, start, 3)
    with told_at(timezone.now() + timedelta(minutes=16)):
        third = hold(desk, start, 3)
    assert third.status == Status.HELD
    for row in (first, second):
        row.refresh_from_db()
    assert [first.status, second.status] == [Status.EXPIRED, Status.EXPIRED]


def test_a_hold_that_ran_out_is_taken_up_again_if_its_time_is_still_free(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    with told_at(timezone.now() + timedelta(minutes=16)):
        services.expire_holds()
        assert services.confirm_hold(desk.public, row.uuid, code_of(row)).status == Status.BOOKED


def test_a_hold_that_ran_out_and_whose_time_is_gone_says_what_is_free(desk: Desk) -> None:
    start = at("09:00")
    row = hold(desk, start, 1)
    with told_at(timezone.now() + timedelta(minutes=16)):
        services.expire_holds()
        for number in (2, 3):
            hold(desk, start, number)
        with pytest.raises(SlotTaken) as taken:
            services.confirm_hold(desk.public, row.uuid, code_of(row))
    assert taken.value.slots[0].start == start + timedelta(minutes=20)


def test_nothing_is_kept_of_who_never_confirmed(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    with told_at(timezone.now() + timedelta(hours=1)):
        assert services.expire_holds() == 1
        assert services.expire_holds() == 0
    row.refresh_from_db()
    assert row.person  # for a day: who comes back need not write it again
    with told_at(timezone.now() + timedelta(days=2)):
        services.expire_holds()
    assert not Appointment.objects.exists()
    assert not Notice.objects.exists()
    history = apps.get_model("scheduling.AppointmentEvent")
    assert history.objects.exists()
    names = {field.name for field in history._meta.fields}
    assert not names & {"person", "email", "phone", "subject", "needs", "code"}


def test_one_person_has_so_many_at_once(desk: Desk) -> None:
    hold(desk, at("09:00"), 1)
    hold(desk, at("09:20"), 1)
    with pytest.raises(Conflict) as refused:
        hold(desk, at("09:40"), 1)
    assert refused.value.code == "too_many_appointments"
    assert hold(desk, at("09:40"), 2)


def test_notice_and_horizon_are_the_services(desk: Desk, world: World) -> None:
    service = make_service(
        world.here, code="lento", name="Con aviso", min_notice=3 * 24 * 60, horizon_days=5
    )
    make_resource(desk.office, service, name="Mesa 3")
    for days in (2, 6):
        with pytest.raises(SlotTaken):
            services.hold_slot(
                desk.public, wish(at("09:00", days), "lento"), person(), consent=True
            )
    row = services.hold_slot(desk.public, wish(at("12:00", 4), "lento"), person(), consent=True)
    assert row.status == Status.HELD
    # an employee needs no notice
    booked = services.book_appointment(desk.alice, wish(at("09:00", 1), "lento"), person=person(2))
    assert booked.status == Status.BOOKED


def test_what_is_not_public_is_not_for_the_public(desk: Desk, world: World) -> None:
    service = make_service(world.here, code="dentro", name="Interno", is_public=False)
    make_resource(desk.office, service, name="Mesa 3")
    with pytest.raises(Invalid) as refused:
        services.hold_slot(desk.public, wish(at("09:00"), "dentro"), person(), consent=True)
    assert set(refused.value.errors) == {"service"}
    assert services.book_appointment(desk.alice, wish(at("09:00"), "dentro"), person=person())


@pytest.mark.parametrize("minutes", [1, 7, 13 * 60])
def test_a_time_that_the_agenda_does_not_offer_is_not_given(desk: Desk, minutes: int) -> None:
    with pytest.raises(SlotTaken) as taken:
        hold(desk, at("09:00") + timedelta(minutes=minutes))
    assert taken.value.slots
    assert not Appointment.objects.exists()


def test_the_other_desk_is_given_before_anybody_is_sent_away(desk: Desk) -> None:
    start = at("09:00")
    given = {hold(desk, start, number).resource_id for number in (1, 2)}
    assert given == {desk.one.pk, desk.two.pk}
    with pytest.raises(SlotTaken) as taken:
        hold(desk, start, 3)
    assert [slot.start for slot in taken.value.slots] == [
        start + timedelta(minutes=minutes) for minutes in (20, 40, 60)
    ]


def test_minutes_kept_free_are_part_of_what_is_taken(desk: Desk, world: World) -> None:
    service = make_service(
        world.here, code="limpieza", name="Con limpieza", buffer_after=10, step=10
    )
    other = make_office(world.here, world.unit, code="otra", name="Otra")
    make_resource(other, service)
    start = at("09:00")
    services.hold_slot(desk.public, wish(start, "limpieza", "otra"), person(1), consent=True)
    with pytest.raises(SlotTaken) as taken:
        services.hold_slot(
            desk.public,
            wish(start + timedelta(minutes=20), "limpieza", "otra"),
            person(2),
            consent=True,
        )
    assert taken.value.slots[0].start == start + timedelta(minutes=30)


# --- The database's own promise -------------------------------------------------------------------


def twin(row: Appointment, **changed: Any) -> Appointment:
    kept = {
        field.attname: getattr(row, field.attname)
        for field in Appointment._meta.concrete_fields
        if field.attname not in {"id", "uuid", "reference"}
    }
    return Appointment(**{**kept, **changed})


@pytest.mark.parametrize("status", ["held", "booked", "checked_in", "in_service"])
def test_no_agenda_is_given_twice_whatever_code_does(desk: Desk, status: str) -> None:
    row = hold(desk, at("09:00"))
    with pytest.raises(IntegrityError, match="appointment_no_overlap"), transaction.atomic():
        twin(row, status=status).save()


@pytest.mark.parametrize("status", ["expired", "cancelled", "completed", "no_show"])
def test_what_is_over_takes_nothing(desk: Desk, status: str) -> None:
    row = hold(desk, at("09:00"))
    twin(row, status=status).save()
    assert Appointment.objects.count() == 2


def test_back_to_back_is_no_overlap(desk: Desk) -> None:
    row = hold(desk, at("09:00"))
    shift = timedelta(minutes=20)
    during = type(row.during)(row.during.lower + shift, row.during.upper + shift, "[)")
    twin(row, starts_at=row.starts_at + shift, ends_at=row.ends_at + shift, during=during).save()
    assert Appointment.objects.filter(resource=row.resource).count() == 2


def test_what_happened_is_never_changed(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    told = row.happenings.get()
    told.kind = EventKind.NO_SHOW
    with pytest.raises(Exception, match="append_only"), transaction.atomic():
        told.save()


# --- An employee books ----------------------------------------------------------------------------


def citizen(world: World, email: str = "rosa@example.org") -> Citizen:
    found = CitizenFactory(organisation=world.here, name="Rosa", surname1="Quiñones", surname2="")
    if email:
        ContactPointFactory(
            citizen=found,
            organisation=world.here,
            channel="email",
            address=email,
            address_key=email,
        )
    return found


def test_an_employee_books_for_a_citizen_whose_mailbox_is_on_record(
    desk: Desk, world: World
) -> None:
    rosa = citizen(world)
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid)
    assert (row.status, row.citizen_id, row.email, row.person) == (
        Status.BOOKED,
        rosa.pk,
        "rosa@example.org",
        "",
    )
    carry_out()
    assert mail.outbox[0].to == ["rosa@example.org"]
    entry = AuditEntry.objects.get(action="scheduling.book_appointment")
    assert entry.data["citizen"] == str(rosa.uuid)
    assert entry.actor_name == "Alice Arias"


def test_who_has_no_mailbox_is_told_by_nobody_and_that_is_no_fault(
    desk: Desk, world: World
) -> None:
    row = book(desk.alice, at("09:00"), citizen=citizen(world, "").uuid)
    assert row.status == Status.BOOKED
    assert not Notice.objects.exists()


def test_booking_needs_the_right(desk: Desk, world: World) -> None:
    nobody = world.actor(employee(world.here, unit=world.unit))
    row = book(desk.alice, at("09:00"))
    for act in (
        lambda: book(nobody, at("09:20")),
        lambda: services.move_appointment(nobody, row.uuid, at("10:00")),
        lambda: services.cancel_appointment(nobody, row.uuid),
        lambda: services.check_in(nobody, row.uuid),
    ):
        with pytest.raises(Refused):
            act()
    row.refresh_from_db()
    assert (row.status, row.version) == (Status.BOOKED, 2)


def test_to_a_stranger_it_does_not_exist(desk: Desk, world: World) -> None:
    row = book(desk.alice, at("09:00"))
    charlie = world.actor(world.charlie)
    for act in (
        lambda: services.move_appointment(charlie, row.uuid, at("10:00")),
        lambda: services.cancel_appointment(charlie, row.uuid),
        lambda: services.check_in(charlie, row.uuid),
        lambda: selectors.appointment_of(charlie, row.uuid),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Invalid):  # nor does the service
        book(charlie, at("09:00"))


def test_a_strangers_citizen_or_case_is_none(desk: Desk, world: World) -> None:
    theirs = CitizenFactory(organisation=world.elsewhere)
    case = CaseFactory(unit=world.foreign_unit)
    for given in ({"citizen": theirs.uuid}, {"person": person(), "case": case.uuid}):
        with pytest.raises(Invalid):
            book(desk.alice, at("09:00"), **given)
    assert not Appointment.objects.exists()


# --- Move and cancel ------------------------------------------------------------------------------


def test_a_move_keeps_the_identity_and_frees_the_time(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    moved = services.move_appointment(desk.alice, row.uuid, at("12:00", 4), version=row.version)
    assert (moved.pk, moved.reference, moved.ical_uid) == (row.pk, row.reference, row.ical_uid)
    assert (moved.starts_at, moved.ical_sequence) == (at("12:00", 4), 1)
    assert kinds(moved) == [EventKind.BOOKED, EventKind.MOVED]
    told = moved.happenings.get(kind=EventKind.MOVED).data
    assert told["before"]["start"] == row.starts_at.isoformat()
    for number in (2, 3):  # both desks are free again at the first time
        hold(desk, at("09:00"), number)
    carry_out()
    letter = next(one for one in mail.outbox if "Your appointment has changed" in one.subject)
    calendar = letter.attachments[0].get_payload(decode=True).decode()
    assert "SEQUENCE:1\r\n" in calendar
    assert "METHOD:REQUEST\r\n" in calendar


def test_a_move_to_a_taken_time_leaves_everything_as_it_was(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    for number in (2, 3):
        hold(desk, at("10:00"), number)
    with pytest.raises(SlotTaken) as taken:
        services.move_appointment(desk.alice, row.uuid, at("10:00"))
    assert taken.value.slots[0].start == at("10:20")
    row.refresh_from_db()
    assert (row.starts_at, row.ical_sequence, row.version) == (at("09:00"), 0, 2)


def test_a_move_by_a_few_minutes_over_its_own_time_is_possible(desk: Desk, world: World) -> None:
    service = make_service(world.here, code="fino", name="Fino", step=10)
    make_resource(desk.office, service, name="Mesa 3")
    row = services.book_appointment(desk.alice, wish(at("09:00"), "fino"), person=person())
    moved = services.move_appointment(desk.alice, row.uuid, at("09:10"))
    assert moved.starts_at == at("09:10")


def test_of_two_who_move_it_the_late_one_is_told(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    services.move_appointment(desk.alice, row.uuid, at("10:00"), version=row.version)
    with pytest.raises(Conflict) as late:
        services.move_appointment(desk.alice, row.uuid, at("11:00"), version=row.version)
    assert late.value.code == "appointment_changed"


def test_to_another_office_both_days_are_told(desk: Desk, world: World) -> None:
    other = make_office(world.here, world.unit, code="otra", name="Otra")
    make_resource(other, desk.service)
    row = book(desk.alice, at("09:00"))
    StreamEvent.objects.all().delete()
    moved = services.move_appointment(desk.alice, row.uuid, at("09:00"), office="otra")
    assert moved.office == other
    told = set(StreamEvent.objects.values_list("stream", flat=True))
    assert told == {f"office:{desk.office.uuid}", f"office:{other.uuid}"}


def test_a_cancelled_time_is_free_at_once_and_calendars_let_go_of_it(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    hold(desk, at("09:00"), 2)
    services.cancel_appointment(desk.alice, row.uuid, reason="No puede venir")
    assert hold(desk, at("09:00"), 3)
    row.refresh_from_db()
    assert (row.status, row.cancel_reason, row.cancelled_by) == (
        Status.CANCELLED,
        "No puede venir",
        "Alice Arias",
    )
    carry_out()
    letter = next(one for one in mail.outbox if "is cancelled" in one.subject)
    calendar = letter.attachments[0].get_payload(decode=True).decode()
    assert "METHOD:CANCEL\r\n" in calendar
    assert "STATUS:CANCELLED\r\n" in calendar
    assert "SEQUENCE:1\r\n" in calendar
    with pytest.raises(Conflict):
        services.move_appointment(desk.alice, row.uuid, at("10:00"))


def test_the_person_themselves_cancels_in_time_and_the_employee_also_later(
    desk: Desk,
) -> None:
    row = book(desk.alice, at("12:00", 1))
    with told_at(row.starts_at - timedelta(minutes=30)):
        for act in (
            lambda: services.cancel_appointment(desk.public, row.uuid, by_person=True),
            lambda: services.move_appointment(
                desk.public, row.uuid, at("12:00", 2), by_person=True
            ),
        ):
            with pytest.raises(Conflict) as late:
                act()
            assert late.value.code == "too_late"
        assert services.cancel_appointment(desk.alice, row.uuid).status == Status.CANCELLED


# --- Who it is ------------------------------------------------------------------------------------


def test_who_confirms_with_the_mailbox_and_name_on_record_is_recognised(
    desk: Desk, world: World
) -> None:
    rosa = citizen(world)
    row = services.hold_slot(
        desk.public,
        wish(at("09:00")),
        person(name="quiñones rosa", email="Rosa@example.org"),
        consent=True,
    )
    assert row.citizen is None  # before the code it is only said
    assert services.confirm_hold(desk.public, row.uuid, code_of(row)).citizen == rosa


@pytest.mark.parametrize("name", ["Rosa Otra", "Persona"])
def test_another_name_or_two_of_the_same_are_not_recognised(
    desk: Desk, world: World, name: str
) -> None:
    citizen(world)
    row = services.hold_slot(
        desk.public, wish(at("09:00")), person(name=name, email="rosa@example.org"), consent=True
    )
    assert services.confirm_hold(desk.public, row.uuid, code_of(row)).citizen is None


def test_a_protected_person_is_never_recognised_by_a_machine(desk: Desk, world: World) -> None:
    rosa = citizen(world)
    rosa.records.update(protected=True, protected_reason="Orden de protección")
    row = services.hold_slot(
        desk.public,
        wish(at("09:00")),
        person(name="Rosa Quiñones", email="rosa@example.org"),
        consent=True,
    )
    assert services.confirm_hold(desk.public, row.uuid, code_of(row)).citizen is None


def test_an_employee_says_who_it_is(desk: Desk, world: World) -> None:
    rosa = citizen(world)
    row = hold(desk, at("09:00"))
    services.confirm_hold(desk.public, row.uuid, code_of(row))
    assert services.identify_person(desk.alice, row.uuid, rosa.uuid).citizen == rosa
    assert kinds(row) == [EventKind.BOOKED, EventKind.IDENTIFIED]
    assert Identifier.objects.filter(citizen=rosa).count() == 1  # nothing else of them changed


# --- The desk -------------------------------------------------------------------------------------


def test_the_way_through_the_office(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    with told_at(at("08:55")):
        services.check_in(desk.alice, row.uuid)
    with told_at(at("09:02")):
        services.start_service(desk.alice, row.uuid)
    with told_at(at("09:10")):
        done = services.complete_service(desk.alice, row.uuid)
    assert done.status == Status.COMPLETED
    assert (done.checked_in_at, done.service_began_at, done.ended_at) == (
        at("08:55"),
        at("09:02"),
        at("09:10"),
    )
    assert kinds(done) == ["booked", "checked_in", "started", "completed"]


def test_nobody_comes_on_another_day_nor_fails_to_come_before_the_time(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    with pytest.raises(Conflict) as early:
        services.check_in(desk.alice, row.uuid)
    assert early.value.code == "another_day"
    with told_at(at("08:59")), pytest.raises(Conflict) as early:
        services.mark_no_show(desk.alice, row.uuid)
    assert early.value.code == "not_yet"
    with told_at(at("09:15")):
        assert services.mark_no_show(desk.alice, row.uuid).status == Status.NO_SHOW


@pytest.mark.parametrize("verb", ["check_in", "start_service", "complete_service", "mark_no_show"])
def test_what_is_cancelled_goes_no_further(desk: Desk, verb: str) -> None:
    row = book(desk.alice, at("09:00"))
    services.cancel_appointment(desk.alice, row.uuid)
    with told_at(at("09:05")), pytest.raises(Conflict):
        getattr(services, verb)(desk.alice, row.uuid)
    assert Happening.objects.filter(appointment=row).count() == 2


# --- Reminders ------------------------------------------------------------------------------------


def reminded() -> list[str]:
    return [one.to[0] for one in mail.outbox if "Reminder" in one.subject]


def test_the_day_before_everybody_is_reminded_once(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    carry_out()
    assert services.remind_due() == 0  # three days before
    with told_at(row.starts_at - timedelta(hours=23)):
        assert services.remind_due() == 1
        assert services.remind_due() == 0
        carry_out()
    assert reminded() == ["persona1@example.org"]
    assert kinds(row) == [EventKind.BOOKED, EventKind.REMINDED]


def test_who_arranged_it_within_the_day_knows_it(desk: Desk) -> None:
    row = book(desk.alice, at("20:00", 0) - timedelta(hours=1) + timedelta(days=1))
    row.arranged_at = row.starts_at - timedelta(hours=5)
    row.save()
    with told_at(row.starts_at - timedelta(hours=4)):
        assert services.remind_due() == 0


def test_nobody_is_reminded_of_what_was_cancelled_meanwhile(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    carry_out()
    with told_at(row.starts_at - timedelta(hours=23)):
        assert services.remind_due() == 1  # queued, and then
        services.cancel_appointment(desk.alice, row.uuid)
        carry_out()
    assert reminded() == []
    assert Notice.objects.get(kind=Notice.Kind.REMINDER).state == Notice.State.SKIPPED


def test_a_moved_appointment_is_reminded_of_its_new_time_only(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    with told_at(row.starts_at - timedelta(hours=23)):
        services.remind_due()
        services.move_appointment(desk.alice, row.uuid, at("09:00", 6))
        carry_out()
    assert reminded() == []
    with told_at(at("09:00", 5) + timedelta(hours=1)):
        assert services.remind_due() == 1
        carry_out()
    assert reminded() == ["persona1@example.org"]
    states = Notice.objects.filter(kind=Notice.Kind.REMINDER).order_by("sequence")
    assert [(one.sequence, one.state) for one in states] == [(0, "skipped"), (1, "sent")]


def test_nobody_is_told_the_same_twice_by_the_database(desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    with pytest.raises(IntegrityError, match="appointment_told_once"), transaction.atomic():
        Notice.objects.create(
            appointment=row, kind=Notice.Kind.BOOKED, sequence=0, address="x@example.org"
        )


# --- Where and when an office is open -------------------------------------------------------------


def test_an_office_keeps_its_own_clock(desk: Desk, world: World) -> None:
    islands = make_office(
        world.here, world.unit, code="las-palmas", name="Las Palmas", time_zone="Atlantic/Canary"
    )
    make_resource(islands, desk.service)
    first = selectors.days_with_free(
        desk.public, desk.service, islands, at("12:00").date(), by_person=True, count=1
    )[0]
    local = first.slots[0].start.astimezone(islands.zone)
    assert f"{local:%H:%M}" == "08:00"
    row = services.book_appointment(
        desk.alice, wish(first.slots[0].start, office="las-palmas"), person=person()
    )
    assert (row.time_zone, f"{row.local_start:%H:%M}") == ("Atlantic/Canary", "08:00")


def test_the_layers_of_its_calendar_close_an_office(desk: Desk, world: World) -> None:
    boss = world.actor(employee(world.here, "administrator"))
    day = at("09:00").astimezone(MADRID).date()
    national = WorkingCalendar.objects.get(organisation=None)
    local = create_calendar(boss, name="Local", code="LOCAL", layer="local", base_id=national.uuid)
    desk.office.calendar = local
    desk.office.save()
    assert hold(desk, at("09:00"))
    set_holiday(boss, local.uuid, day=day, name="Fiesta")
    with pytest.raises(SlotTaken) as taken:
        hold(desk, at("09:20"), 2)
    assert taken.value.slots[0].start.astimezone(MADRID).date() > day


def test_the_unit_moves_its_offices_along_and_is_not_closed_under_them(
    desk: Desk, world: World
) -> None:
    boss = world.actor(employee(world.here, "administrator"))
    with pytest.raises(Invalid):
        close_unit(boss, world.unit.uuid, on=timezone.localdate())
    merge_units(boss, world.unit.uuid, world.other_unit.uuid)
    desk.office.refresh_from_db()
    assert desk.office.unit == world.other_unit
    world.here.refresh_from_db()
    assert book(world.actor(world.bob), at("09:00"))
