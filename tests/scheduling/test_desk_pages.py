"""Employees' pages: the day of an office, booking and moving on the telephone, setting up."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from cases.timeline import whole_story
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.story import timeline
from crm.kit.realtime import authorise
from scheduling import services
from scheduling.models import (
    Appointment,
    BookableService,
    Closure,
    Notice,
    Office,
    Resource,
    Status,
    WeeklyRule,
)
from scheduling.presenting import shown_code
from scheduling.public_forms import written_start
from scheduling.services.booking import code_of
from scheduling.services.writing import told_at
from scheduling.ticket import ticket_of
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.scheduling import MADRID, at, book, make_service
from tests.scheduling.conftest import Desk


@pytest.fixture
def alice(client: Client, world: World) -> Client:
    client.force_login(world.alice)
    return client


@pytest.fixture
def rosa(world: World) -> Citizen:
    found: Citizen = CitizenFactory(organisation=world.here, name="Rosa", surname1="Quiñones")
    return found


def day(start: Any) -> str:
    return f"{start.astimezone(MADRID):%Y-%m-%d}"


def test_the_day_lists_who_comes_and_nobody_else(alice: Client, desk: Desk, rosa: Citizen) -> None:
    book(desk.alice, at("09:00"), citizen=rosa.uuid)
    book(desk.alice, at("09:00", 4))
    services.hold_slot(
        desk.public,
        services.Wish("padron", "plaza", at("09:20")),
        services.Person(name="Sin Confirmar", email="x@example.org"),
        consent=True,
    )
    text = alice.get(f"/citas/?dia={day(at('09:00'))}").content.decode()
    assert "Rosa Quiñones" in text
    assert "Persona Número1" not in text
    assert "Sin Confirmar" not in text
    assert (
        AuditEntry.objects.filter(action="searched", object_id=str(desk.office.uuid)).count() == 1
    )


def test_an_empty_day_leads_to_the_next_one_with_somebody(alice: Client, desk: Desk) -> None:
    book(desk.alice, at("09:00", 4))
    cancelled = book(desk.alice, at("09:00", 2))
    services.cancel_appointment(desk.alice, cancelled.uuid, reason="No puede venir")
    text = alice.get(f"/citas/?dia={day(at('09:00'))}").content.decode()
    assert "Nobody has an appointment on this day" in text
    assert f"dia={day(at('09:00', 4))}" in text
    assert (
        f'class="v-btn" href="/citas/?oficina={desk.office.uuid}&amp;dia={day(at("09:00", 2))}"'
        not in text
    )
    last = alice.get(f"/citas/?dia={day(at('09:00', 5))}").content.decode()
    assert "Nobody has an appointment on this day" in last
    assert "Go to " not in last


def test_a_protected_person_is_listed_by_initials(alice: Client, desk: Desk, rosa: Citizen) -> None:
    book(desk.alice, at("09:00"), citizen=rosa.uuid)
    rosa.records.update(protected=True, protected_reason="Orden de protección")
    text = alice.get(f"/citas/?dia={day(at('09:00'))}").content.decode()
    assert "R. Q. P." in text
    assert "Quiñones" not in text


def test_how_a_protected_person_is_reached_is_told_to_who_may_open_them(
    alice: Client, desk: Desk, rosa: Citizen, world: World
) -> None:
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid)
    Appointment.objects.filter(pk=row.pk).update(email="rosa@example.org", phone="+34600111222")
    assert "rosa@example.org" in alice.get(f"/citas/{row.uuid}/").content.decode()
    rosa.records.update(protected=True, protected_reason="Orden de protección")
    text = alice.get(f"/citas/{row.uuid}/").content.decode()
    assert "R. Q. P." in text
    assert "rosa@example.org" not in text
    assert "600111222" not in text
    boss = Client()
    boss.force_login(employee(world.here, "supervisor", unit=world.unit))
    assert "rosa@example.org" in boss.get(f"/citas/{row.uuid}/").content.decode()


def test_the_code_of_a_protected_persons_appointment_is_for_who_may_open_them(
    alice: Client, desk: Desk, rosa: Citizen, world: World
) -> None:
    """With reference and code anybody opens, moves and cancels it on the public page."""
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid)
    row.refresh_from_db()
    code, path = shown_code(code_of(row)), f"/citas/{row.uuid}/justificante/"
    assert code in alice.get(path).content.decode()
    rosa.records.update(protected=True, protected_reason="Orden de protección")
    answer = alice.get(path)
    assert answer.status_code == 403
    assert code not in answer.content.decode()
    assert path not in alice.get(f"/citas/{row.uuid}/").content.decode()
    boss = Client()
    boss.force_login(employee(world.here, "supervisor", unit=world.unit))
    assert code in boss.get(path).content.decode()
    assert path in boss.get(f"/citas/{row.uuid}/").content.decode()


def test_from_the_day_through_the_office(alice: Client, desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    back = f"/citas/?oficina={desk.office.uuid}&dia={day(row.starts_at)}"
    with told_at(row.starts_at):
        for path, status in (
            ("llegada", Status.CHECKED_IN),
            ("atender", Status.IN_SERVICE),
            ("terminar", Status.COMPLETED),
        ):
            answer = alice.post(f"/citas/{row.uuid}/{path}/", {"back": back})
            assert answer["Location"] == back
            row.refresh_from_db()
            assert row.status == status


def test_at_another_units_desk_one_reads_and_moves_but_attends_nobody(
    desk: Desk, world: World
) -> None:
    """Bob answers the telephone for every office; who comes to that one is received there."""
    row = book(desk.alice, at("09:00"))
    bob = Client()
    bob.force_login(world.bob)
    back = f"/citas/?oficina={desk.office.uuid}&dia={day(row.starts_at)}"
    with told_at(row.starts_at):
        for path in ("llegada", "atender", "terminar", "ausencia"):
            assert bob.post(f"/citas/{row.uuid}/{path}/", {"back": back}).status_code == 403
    row.refresh_from_db()
    assert row.status == Status.BOOKED
    assert "Número1" in bob.get(back).content.decode()
    moved = services.move_appointment(world.actor(world.bob), row.uuid, at("10:00"))
    assert moved.starts_at == at("10:00")


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/citas/evil", "javascript:1"]
)
def test_nobody_is_led_away(alice: Client, desk: Desk, back: str) -> None:
    row = book(desk.alice, at("09:00"))
    answer = alice.post(f"/citas/{row.uuid}/llegada/", {"back": back})
    assert answer["Location"] == f"/citas/{row.uuid}/"


def test_who_presses_late_is_told_and_changes_nothing(alice: Client, desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    with told_at(row.starts_at):
        services.check_in(desk.alice, row.uuid)
        answer = alice.post(f"/citas/{row.uuid}/llegada/", {"version": row.version}, follow=True)
    assert "Somebody has changed this appointment" in answer.content.decode()


def test_on_the_telephone_it_is_booked_from_the_citizens_page(
    alice: Client, desk: Desk, rosa: Citizen, world: World
) -> None:
    case = CaseFactory(unit=world.unit, citizen=rosa)
    page = alice.get(f"/ciudadania/{rosa.uuid}/").content.decode()
    assert f"/citas/nueva/?citizen={rosa.uuid}" in page
    form = alice.get(f"/citas/nueva/?citizen={rosa.uuid}&desde={day(at('09:00'))}").content.decode()
    assert written_start(at("09:00")) in form
    assert case.reference in form
    given = {"start": written_start(at("09:00")), "channel": "phone", "case": str(case.uuid)}
    answer = alice.post(f"/citas/nueva/?citizen={rosa.uuid}", given)
    row = Appointment.objects.get()
    assert answer["Location"] == f"/citas/{row.uuid}/"
    assert (row.citizen, row.case, row.channel) == (rosa, case, "phone")
    assert "Empadronamiento" in alice.get(f"/ciudadania/{rosa.uuid}/").content.decode()


def test_it_stands_in_the_persons_and_in_the_cases_story(
    desk: Desk, rosa: Citizen, world: World
) -> None:
    case = CaseFactory(unit=world.unit, citizen=rosa)
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid, case=case.uuid)
    services.move_appointment(desk.alice, row.uuid, at("10:00"))
    told = timeline(desk.alice, rosa)["moments"]
    assert isinstance(told, list)
    mine = [str(one.text) for one in told if one.about == row.shown_reference]
    assert [text.split(" ")[0] for text in mine] == ["moved", "booked"]
    only = timeline(desk.alice, rosa, ["appointments"])["moments"]
    assert isinstance(only, list)
    assert len(only) == 2
    story = [entry.sentence for entry in whole_story(desk.alice, case)]
    assert [str(text).split(" ")[0] for text in story][-2:] == ["booked", "moved"]
    notes = whole_story(desk.alice, case, ["notes"])
    assert notes == []


def test_the_slower_of_two_employees_is_offered_the_next(alice: Client, desk: Desk) -> None:
    for _desk in range(2):
        book(desk.alice, at("09:00"))
    given = {
        "start": written_start(at("09:00")),
        "channel": "phone",
        "name": "Nadie Más",
        "subject": "Prisa",
    }
    answer = alice.post("/citas/nueva/", given)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert written_start(at("09:20")) in text
    assert "Nadie Más" in text
    assert "Prisa" in text


def test_it_is_moved_while_the_person_is_on_the_line(alice: Client, desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    page = alice.get(f"/citas/{row.uuid}/mover/?desde={day(row.starts_at)}").content.decode()
    assert written_start(at("09:20")) in page
    assert written_start(at("09:00")) not in page  # where it already is
    given = {"start": written_start(at("09:20")), "version": row.version}
    alice.post(f"/citas/{row.uuid}/mover/", given)
    row.refresh_from_db()
    assert row.starts_at == at("09:20")
    late = alice.post(f"/citas/{row.uuid}/mover/", given)
    assert late.status_code == 409


def test_it_is_cancelled_with_a_reason(alice: Client, desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    alice.get(f"/citas/{row.uuid}/anular/")
    row.refresh_from_db()
    assert row.status == Status.BOOKED
    alice.post(f"/citas/{row.uuid}/anular/", {"reason": "Está enferma"})
    row.refresh_from_db()
    assert (row.status, row.cancel_reason) == (Status.CANCELLED, "Está enferma")
    assert "Está enferma" in alice.get(f"/citas/{row.uuid}/").content.decode()


def test_the_day_is_live_for_who_books_or_attends(desk: Desk, world: World) -> None:
    stream = f"office:{desk.office.uuid}"
    assert authorise(desk.alice, stream)
    assert not authorise(world.actor(world.charlie), stream)
    assert not authorise(world.actor(employee(world.here)), stream)


# --- Setting up -----------------------------------------------------------------------------------


@pytest.fixture
def boss(client: Client, world: World) -> Client:
    client.force_login(employee(world.here, "administrator", full_name="Adela"))
    return client


def test_an_administrator_sets_up_an_office_from_nothing(boss: Client, world: World) -> None:
    office = {
        "name": "Oficina Nueva",
        "code": "nueva",
        "unit": str(world.unit.uuid),
        "calendar": "",
        "time_zone": "Atlantic/Canary",
        "address": "Calle del Mar 3",
        "latitude": "28.1",
        "longitude": "-15.4",
        "is_active": "on",
    }
    made = boss.post("/organizacion/citas/oficinas/nueva/", office)
    row = Office.objects.get()
    assert made["Location"] == f"/organizacion/citas/oficinas/{row.uuid}/"
    assert (row.time_zone, row.unit) == ("Atlantic/Canary", world.unit)
    make_service(world.here)
    agenda = {
        "name": "Mesa 1",
        "kind": "desk",
        "services": ["padron"],
        "is_active": "on",
        "weekday_0": "09:00-14:00, 16:00-18:00",
    }
    boss.post(f"/organizacion/citas/oficinas/{row.uuid}/agendas/nueva/", agenda)
    resource = Resource.objects.get()
    assert [str(rule) for rule in WeeklyRule.objects.order_by("starts")] == [
        "0 09:00-14:00",
        "0 16:00-18:00",
    ]
    later = timezone.localdate() + timedelta(days=10)
    boss.post(
        f"/organizacion/citas/agendas/{resource.uuid}/fechas/",
        {"day": later.isoformat(), "intervals": "", "reason": "Formación"},
    )
    assert resource.exceptions.get().starts is None
    assert AuditEntry.objects.filter(action="scheduling.manage_agenda").count() == 4


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": "Con Espacios"}, "code"),
        ({"unit": ""}, "unit"),
        ({"time_zone": "Marte/Base"}, "time_zone"),
        ({"latitude": "28.1", "longitude": ""}, "latitude"),
        ({"name": "  "}, "name"),
    ],
    ids=["code", "unit", "zone", "place", "name"],
)
def test_an_office_that_makes_no_sense_is_refused(
    boss: Client, world: World, changed: dict[str, str], field: str
) -> None:
    good = {
        "name": "Oficina",
        "code": "oficina",
        "unit": str(world.unit.uuid),
        "time_zone": "Europe/Madrid",
        "address": "Calle 1",
    }
    answer = boss.post("/organizacion/citas/oficinas/nueva/", {**good, **changed})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Office.objects.exists()


def test_overlapping_hours_are_refused_and_what_stood_stays(boss: Client, desk: Desk) -> None:
    given = {
        "name": "Mesa 1",
        "kind": "desk",
        "services": ["padron"],
        "weekday_0": "09:00-14:00, 13:00-15:00",
    }
    answer = boss.post(f"/organizacion/citas/agendas/{desk.one.uuid}/", given)
    assert answer.status_code == 422
    assert desk.one.rules.count() == 7


def test_who_is_late_compares_before_saving_again(boss: Client, desk: Desk, world: World) -> None:
    seen = desk.service.updated_at.isoformat()
    page = boss.get(f"/organizacion/citas/servicios/{desk.service.uuid}/")
    given = {**page.context["form"].initial, "seen": seen, "name": "Padrón", "required_papers": ""}
    BookableService.objects.get(pk=desk.service.pk).save()  # a colleague was faster
    answer = boss.post(f"/organizacion/citas/servicios/{desk.service.uuid}/", given)
    assert answer.status_code == 409
    desk.service.refresh_from_db()
    assert desk.service.name == "Empadronamiento"


def calendar(*lines: str) -> SimpleUploadedFile:
    text = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])
    return SimpleUploadedFile("cierres.ics", text.encode(), "text/calendar")


def test_closures_come_from_a_calendar_once_and_close_the_office(boss: Client, desk: Desk) -> None:
    closed = at("09:00", 5).astimezone(MADRID)
    lines = (
        *("BEGIN:VEVENT", "UID:obras", "SUMMARY:Obras", f"DTSTART;VALUE=DATE:{closed:%Y%m%d}"),
        *("END:VEVENT", "BEGIN:VEVENT", "UID:mal", "SUMMARY:Mal", "DTSTART:mal", "END:VEVENT"),
    )
    for new in (1, 0):
        address = f"/organizacion/citas/oficinas/{desk.office.uuid}/cierres/importar/"
        answer = boss.post(address, {"file": calendar(*lines)}, follow=True)
        said = [str(one) for one in answer.context["messages"]]
        assert said[0].startswith(f"{new} closure")
        assert "Mal" in said[1]
    assert Closure.objects.count() == 1
    with pytest.raises(services.SlotTaken):
        book(desk.alice, at("09:00", 5))
    assert book(desk.alice, at("09:00", 6))


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", b"BEGIN:VCALENDAR\n", b"\xff\xfe\x00"])
def test_what_is_no_calendar_is_refused(boss: Client, desk: Desk, content: bytes) -> None:
    file = SimpleUploadedFile("cierres.ics", content or b" ")
    address = f"/organizacion/citas/oficinas/{desk.office.uuid}/cierres/importar/"
    answer = boss.post(address, {"file": file}, follow=True)
    assert [one.level_tag for one in answer.context["messages"]] == ["error"]
    assert not Closure.objects.exists()


def test_a_supervisor_sets_up_in_their_unit_only(client: Client, desk: Desk, world: World) -> None:
    client.force_login(employee(world.here, "supervisor", unit=world.other_unit))
    given = {"first": timezone.localdate().isoformat(), "name": "Cierre"}
    answer = client.post(f"/organizacion/citas/oficinas/{desk.office.uuid}/cierres/", given)
    assert answer.status_code == 403
    assert not Closure.objects.exists()


def test_who_has_no_mailbox_is_booked_and_takes_the_receipt_on_paper(
    alice: Client, desk: Desk, rosa: Citizen
) -> None:
    CitizenRecord.objects.unscoped("test").filter(citizen=rosa).update(language="ca")
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid)
    assert row.email == ""
    assert not Notice.objects.for_actor(desk.alice).exists()
    page = alice.get(f"/citas/{row.uuid}/").content.decode()
    assert f"/citas/{row.uuid}/justificante/" in page
    code = shown_code(code_of(row))
    assert code not in page
    paper = alice.get(f"/citas/{row.uuid}/justificante/").content.decode()
    for words in (row.shown_reference, code, "Oficina de la Plaza", "Su DNI", "Rosa Quiñones"):
        assert words in paper, words
    assert 'lang="ca"' in paper
    looks = AuditEntry.objects.filter(
        action="viewed", object_id=str(row.uuid), data__part="receipt"
    )
    assert looks.count() == 1


def test_the_code_on_paper_opens_the_appointment_to_its_person(
    alice: Client, desk: Desk, rosa: Citizen
) -> None:
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid)
    told = ticket_of(row, row.organisation)
    found = Client().post(
        f"/cita/{row.organisation.code}/consultar/",
        {"reference": row.shown_reference, "code": told["code"]},
        follow=True,
    )
    assert told["code"] in found.content.decode()
    assert f"/cita/{row.organisation.code}/consultar/" in told["page"]


def test_anybody_on_record_can_be_said_to_be_the_person_and_a_mistake_corrected(
    alice: Client, desk: Desk, rosa: Citizen, world: World
) -> None:
    """No two names need be alike; the dialog is there before and after somebody was named."""
    row = book(desk.alice, at("09:00"))
    other = CitizenFactory(organisation=world.here, name="Otra", surname1="Distinta")
    for citizen in (rosa, other):
        page = alice.get(f"/citas/{row.uuid}/").content.decode()
        assert f'action="/citas/{row.uuid}/persona/"' in page
        assert 'data-open="identify"' in page
        alice.post(f"/citas/{row.uuid}/persona/", {"citizen": str(citizen.uuid)})
        row.refresh_from_db()
        assert row.citizen == citizen


def test_a_protected_person_is_said_to_be_nobody_by_who_may_not_open_them(
    alice: Client, desk: Desk, rosa: Citizen
) -> None:
    row = book(desk.alice, at("09:00"))
    CitizenRecord.objects.unscoped("test").filter(citizen=rosa).update(
        protected=True, protected_reason="Violencia"
    )
    answer = alice.post(f"/citas/{row.uuid}/persona/", {"citizen": str(rosa.uuid)})
    row.refresh_from_db()
    assert (answer.status_code, row.citizen) == (403, None)
