"""A citizen's way through the pages: to an appointment, and back to it by reference and code."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict
from crm.kit.secrets import decrypt
from scheduling import services
from scheduling.models import Appointment, Status
from scheduling.public_forms import written_start
from scheduling.services.writing import told_at
from tests.conftest import World
from tests.factories.scheduling import at, book, make_office, make_resource, person, wish
from tests.scheduling.conftest import Desk, carry_out

PLACE = "/cita/HERE/para/padron/plaza/"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


def typed(**given: Any) -> dict[str, Any]:
    return {
        "name": "Lucía Marín",
        "email": "lucia@example.org",
        "phone": "",
        "subject": "",
        "consent": "on",
        "start": written_start(at("09:00")),
        **given,
    }


def held(client: Client, **given: Any) -> Appointment:
    answer = client.post(f"{PLACE}datos/", typed(**given))
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"] == "/cita/HERE/confirmar/"
    return Appointment.objects.latest("pk")


def confirmed(client: Client, **given: Any) -> Appointment:
    row = held(client, **given)
    answer = client.post("/cita/HERE/confirmar/", {"code": decrypt(row.code)})
    assert answer["Location"] == "/cita/HERE/mia/"
    row.refresh_from_db()
    return row


def test_from_the_service_to_the_receipt(client: Client, desk: Desk) -> None:
    assert "Empadronamiento" in client.get("/cita/HERE/").content.decode()
    one_office = client.get("/cita/HERE/para/padron/")
    assert one_office["Location"] == PLACE  # there is only one: nobody is asked
    page = client.get(PLACE).content.decode()
    first = re.search(r'name="hora" value="(\w+)"', page)
    assert first
    form = client.get(f"{PLACE}datos/?hora={first[1]}").content.decode()
    assert f'value="{first[1]}"' in form
    row = confirmed(client)
    receipt = client.get("/cita/HERE/mia/")
    text = receipt.content.decode()
    assert row.shown_reference in text
    assert "data:image/svg+xml;base64," in text
    assert "Su DNI" in text
    assert "no-store" in receipt["Cache-Control"]
    assert receipt["X-Robots-Tag"] == "noindex"
    carry_out()
    assert [one.to for one in mail.outbox] == [["lucia@example.org"]] * 2


def test_several_offices_are_offered(client: Client, desk: Desk, world: World) -> None:
    other = make_office(world.here, world.unit, code="otra", name="La otra oficina")
    make_resource(other, desk.service)
    page = client.get("/cita/HERE/para/padron/").content.decode()
    assert "Oficina de la Plaza" in page
    assert "La otra oficina" in page


@pytest.mark.parametrize(
    "address",
    [
        "/cita/NADIE/",
        "/cita/HERE/para/nada/",
        "/cita/HERE/para/padron/nada/",
        "/cita/ELSE/para/padron/plaza/",
        "/cita/here/",
    ],
)
def test_what_is_not_there_is_not_found(client: Client, desk: Desk, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "query", ["?dia=nunca", "?dia=2026-02-30", "?desde=9999-12-31", "?desde=0001-01-01", "?dia=%00"]
)
def test_no_day_in_the_address_falls_over(client: Client, desk: Desk, query: str) -> None:
    assert client.get(PLACE + query).status_code in {200, 400}


@pytest.mark.parametrize("hour", ["", "ayer", "20260230T0900Z", "x" * 500, "99991231T2359Z"])
def test_no_hour_in_the_address_falls_over(client: Client, desk: Desk, hour: str) -> None:
    assert client.get(f"{PLACE}datos/", {"hora": hour}).status_code in {200, 302}
    assert client.post(f"{PLACE}datos/", typed(start=hour)).status_code in {302, 409, 422}
    assert not Appointment.objects.exists()


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    client: Client, desk: Desk
) -> None:
    wrong = typed(email="sin arroba", consent="", name="Lucía <b>")
    answer = client.post(f"{PLACE}datos/", wrong)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "is not a valid e-mail address" in text
    assert "Without your agreement" in text
    assert "Lucía &lt;b&gt;" in text
    assert not Appointment.objects.exists()


def test_whoever_is_late_is_offered_the_next_times_and_keeps_what_they_wrote(
    client: Client, desk: Desk
) -> None:
    for number in (1, 2):
        services.hold_slot(desk.public, wish(at("09:00")), person(number), consent=True)
    answer = client.post(f"{PLACE}datos/", typed(subject="Vengo con mi madre"))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody has just taken that time" in text
    assert "Vengo con mi madre" in text
    offered = re.findall(r'type="radio" name="start" value="(\w+)"', text)
    assert offered == [written_start(at("09:00") + timedelta(minutes=m)) for m in (20, 40, 60)]
    assert held(client, start=offered[0]).starts_at == at("09:20")


def test_the_code_is_asked_again_and_the_time_waits(client: Client, desk: Desk) -> None:
    row = held(client)
    answer = client.post("/cita/HERE/confirmar/", {"code": "0"})
    assert answer.status_code == 422
    assert "This is not the code" in answer.content.decode()
    carry_out()
    client.post("/cita/HERE/confirmar/codigo/")
    carry_out()
    codes = [one for one in mail.outbox if "code to confirm" in one.subject]
    assert len(codes) == 2
    row.refresh_from_db()
    assert row.status == Status.HELD


def test_a_hold_is_confirmed_from_its_own_browser_only(client: Client, desk: Desk) -> None:
    row = held(client)
    stranger = Client()
    answer = stranger.post("/cita/HERE/confirmar/", {"code": decrypt(row.code)})
    assert answer["Location"] == "/cita/HERE/"
    row.refresh_from_db()
    assert row.status == Status.HELD


def test_by_reference_and_code_it_opens_elsewhere(client: Client, desk: Desk) -> None:
    row = confirmed(client)
    elsewhere = Client()
    given = {"reference": row.shown_reference.lower(), "code": decrypt(row.code)}
    assert elsewhere.post("/cita/HERE/consultar/", given)["Location"] == "/cita/HERE/mia/"
    assert row.shown_reference in elsewhere.get("/cita/HERE/mia/").content.decode()
    assert AuditEntry.objects.filter(action="viewed", object_id=str(row.uuid)).count() == 1


def answers_to(row: Appointment, reference: str, code: str) -> tuple[int, str]:
    answer = Client().post("/cita/HERE/consultar/", {"reference": reference, "code": code})
    text = re.sub(r'(value="[^"]*"|nonce="[^"]*"|\b[A-Za-z0-9]{64}\b)', "", answer.content.decode())
    return answer.status_code, text


def test_the_answer_is_the_same_whatever_is_wrong(client: Client, desk: Desk) -> None:
    """No reference can be found out: wrong code, unknown, unconfirmed and of another organisation alike."""
    row = confirmed(client)
    hold = held(Client(), email="otra@example.org", start=written_start(at("10:00")))
    right = decrypt(row.code)
    wrong = str((int(right) + 1) % 10**8).zfill(8)
    cases = [
        (row.reference, wrong),
        ("ZZZZZZZZ", right),
        (hold.reference, decrypt(hold.code)),
    ]
    answers = {answers_to(row, *case) for case in cases}
    assert len(answers) == 1
    status, text = answers.pop()
    assert status == 422
    assert "There is no appointment with this reference and code" in text
    other = Client().post("/cita/ELSE/consultar/", {"reference": row.reference, "code": right})
    assert other.status_code == 422


def test_codes_cannot_be_tried_for_ever(client: Client, desk: Desk) -> None:
    row = confirmed(client)
    for reference in (row.reference, "ZZZZZZZZ"):
        statuses = [answers_to(row, reference, "00000000")[0] for _try in range(12)]
        assert 429 in statuses
        cache.clear()


def test_a_lost_code_is_sent_to_its_mailbox_only_and_nobody_learns_whether_it_exists(
    client: Client, desk: Desk
) -> None:
    row = confirmed(client)
    carry_out()
    mail.outbox.clear()
    said = set()
    for reference, email in (
        (row.reference, "lucia@example.org"),
        (row.reference, "mala@example.org"),
        ("ZZZZZZZZ", "lucia@example.org"),
    ):
        browser = Client()
        given = {"reference": reference, "email": email}
        answer = browser.post("/cita/HERE/consultar/codigo/", given, follow=True)
        said.add((answer.status_code, str(next(iter(answer.context["messages"])))))
    assert len(said) == 1
    carry_out()
    assert [one.to for one in mail.outbox] == [["lucia@example.org"]]


def test_it_is_moved_and_cancelled_by_its_person(client: Client, desk: Desk) -> None:
    row = confirmed(client)
    assert client.get("/cita/HERE/mia/cambiar/").status_code == 200
    assert client.get("/cita/HERE/mia/anular/").status_code == 200  # asks, does nothing
    row.refresh_from_db()
    assert row.status == Status.BOOKED
    moved = client.post("/cita/HERE/mia/cambiar/", {"start": written_start(at("11:00"))})
    assert moved["Location"] == "/cita/HERE/mia/"
    row.refresh_from_db()
    assert (row.starts_at, row.ical_sequence) == (at("11:00"), 1)
    client.post("/cita/HERE/mia/anular/")
    row.refresh_from_db()
    assert row.status == Status.CANCELLED
    assert "Your appointment is cancelled" in client.get("/cita/HERE/mia/").content.decode()


def test_without_its_key_nothing_of_it_is_reached(desk: Desk) -> None:
    book(desk.alice, at("09:00"))
    stranger = Client()
    for path in ("mia/", "mia/cambiar/", "mia/anular/", "mia/cita.ics"):
        assert stranger.get(f"/cita/HERE/{path}")["Location"] == "/cita/HERE/consultar/"
    for path in ("mia/cambiar/", "mia/anular/"):
        assert stranger.post(f"/cita/HERE/{path}")["Location"] == "/cita/HERE/consultar/"
    assert Appointment.objects.get().status == Status.BOOKED


def test_a_browser_forgets_after_half_an_hour(client: Client, desk: Desk) -> None:
    confirmed(client)
    session = client.session
    session["appointment_opened_until"] = timezone.now().timestamp() - 1
    session.save()
    assert client.get("/cita/HERE/mia/")["Location"] == "/cita/HERE/consultar/"


def test_what_is_opened_of_one_organisation_is_not_of_another(client: Client, desk: Desk) -> None:
    confirmed(client)
    assert client.get("/cita/ELSE/mia/")["Location"] == "/cita/ELSE/consultar/"


def test_the_calendar_file_is_a_download(client: Client, desk: Desk) -> None:
    row = confirmed(client)
    answer = client.get("/cita/HERE/mia/cita.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment")
    text = answer.content.decode()
    assert f"DTSTART:{row.starts_at:%Y%m%dT%H%M%SZ}\r\n" in text
    assert "METHOD:PUBLISH\r\n" in text
    assert "ATTENDEE" not in text


def test_too_late_there_is_no_button_and_no_way_around(client: Client, desk: Desk) -> None:
    row = confirmed(client)
    with told_at(row.starts_at - timedelta(minutes=30)):
        assert "mia/anular/" not in client.get("/cita/HERE/mia/").content.decode()
        client.post("/cita/HERE/mia/anular/")
    row.refresh_from_db()
    assert row.status == Status.BOOKED


def test_so_many_holds_from_one_place(client: Client, desk: Desk) -> None:
    answers = {
        client.post(
            f"{PLACE}datos/", typed(email=f"p{number}@example.org", start="20200101T0900Z")
        ).status_code
        for number in range(31)
    }
    assert 429 in answers


def test_in_the_language_of_the_page_the_mail_comes(client: Client, desk: Desk) -> None:
    client.cookies["django_language"] = "eu"
    assert held(client).language == "eu"


def test_typing_a_mailbox_does_not_tell_whether_it_has_appointments(
    client: Client, desk: Desk
) -> None:
    """Bug: a third hold for somebody else's mailbox said that they had as many as one may have."""
    for hour in ("09:00", "09:20"):
        confirmed(Client(), start=written_start(at(hour)))
    row = held(client, start=written_start(at("10:00")))  # by anybody at all
    answer = client.post("/cita/HERE/confirmar/", {"code": decrypt(row.code)})  # its own person
    assert answer.status_code == 409
    (told,) = answer.context["form"].non_field_errors()
    assert told in answer.content.decode()
    row.refresh_from_db()
    assert row.status == Status.HELD
    assert Appointment.objects.filter(status=Status.BOOKED).count() == 2


def test_holds_that_ran_out_do_not_add_up_to_more_than_one_may_have(
    client: Client, desk: Desk
) -> None:
    """Bug: each was confirmed afterwards, whatever the person had by then."""
    rows = []
    for number, hour in enumerate(("09:00", "09:20", "09:40", "10:00")):
        with told_at(timezone.now() + timedelta(hours=number)):
            rows.append(services.hold_slot(desk.public, wish(at(hour)), person(), consent=True))
            Appointment.objects.filter(pk=rows[-1].pk).update(
                status=Status.EXPIRED, hold_expires_at=timezone.now()
            )
    codes = []
    for row in rows:
        try:
            codes.append(services.confirm_hold(desk.public, row.uuid, decrypt(row.code)).status)
        except Conflict as error:
            codes.append(error.code)
    assert codes == ["booked", "booked", "too_many_appointments", "too_many_appointments"]


def test_asking_for_others_codes_leaves_theirs_to_be_asked_for(client: Client, desk: Desk) -> None:
    """Bug: five forms with a mailbox and any reference, and nobody had a code sent there for an hour."""
    row = confirmed(client)
    for number in range(6):
        given = {"reference": f"ZZZZZZZ{number}", "email": "lucia@example.org"}
        assert Client().post("/cita/HERE/consultar/codigo/", given).status_code == 302
    carry_out()
    mail.outbox.clear()
    own = {"reference": row.shown_reference, "email": "lucia@example.org"}
    statuses = [
        Client().post("/cita/HERE/consultar/codigo/", own).status_code for _each in range(6)
    ]
    assert statuses == [302, 302, 302, 302, 302, 429]
    carry_out()
    assert {tuple(one.to) for one in mail.outbox} == {("lucia@example.org",)}


def test_whoever_confirms_too_late_is_led_to_other_times(client: Client, desk: Desk) -> None:
    row = held(client)
    Appointment.objects.filter(pk=row.pk).update(status=Status.EXPIRED)
    for number in (5, 6):
        book(desk.alice, at("09:00"), person=person(number))
    answer = client.post("/cita/HERE/confirmar/", {"code": decrypt(row.code)})
    assert (answer.status_code, answer.get("Location")) == (302, PLACE)
