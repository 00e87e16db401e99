"""Appointments by API: free times, book, move, cancel; once by its key, never over another's change."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.audit.models import AuditEntry
from scheduling import services
from scheduling.models import Appointment, Status
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.scheduling import at, book
from tests.scheduling.conftest import Desk, set_up

BOOK = "scheduling.book_appointment"
PERSON = ("name", "email")


@pytest.fixture
def desk(world: World) -> Desk:
    return set_up(world)


@pytest.fixture
def portal(caller: Callable[..., Caller]) -> Caller:
    return caller(BOOK)


def wanted(start: datetime, **given: Any) -> dict[str, Any]:
    return {
        "service": "padron",
        "office": "plaza",
        "start": start.isoformat(),
        "name": "Lucía Marín",
        "email": "lucia@example.org",
        **given,
    }


def test_of_the_protected_an_appointment_tells_initials_and_no_way_to_reach_them(
    portal: Caller, desk: Desk, world: World
) -> None:
    """They booked by themselves, under their name; the order came later."""
    rosa = CitizenFactory(organisation=world.here, name="Rosa", surname1="Quiñones", surname2="")
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid)
    Appointment.objects.filter(pk=row.pk).update(
        person="Rosa Quiñones", email="rosa@example.org", phone="+34600111222"
    )
    one = portal.send("get", f"/appointments/{row.uuid}/").json()
    assert (one["name"], one["email"], one["phone"]) == (
        *("Rosa Quiñones", "rosa@example.org"),
        "+34600111222",
    )
    rosa.records.update(protected=True, protected_reason="Violencia")
    listed = portal.send("get", "/appointments/").json()["results"][0]
    moved = portal.send(
        "post", f"/appointments/{row.uuid}/move/", {"start": at("09:20").isoformat()}
    ).json()
    for said in (portal.send("get", f"/appointments/{row.uuid}/").json(), listed, moved):
        assert (said["name"], said["email"], said["phone"]) == ("R. Q.", "", "")


def test_a_case_that_a_key_may_not_see_is_not_told(
    portal: Caller, caller: Callable[..., Caller], desk: Desk, world: World
) -> None:
    case = CaseFactory(unit=world.unit)
    rosa = CitizenFactory(organisation=world.here)
    row = book(desk.alice, at("09:00"), citizen=rosa.uuid, case=case.uuid)
    sees = caller(BOOK, "cases.view_case")
    for path, listed in ((f"/appointments/{row.uuid}/", False), ("/appointments/", True)):
        for key, expected in ((portal, None), (sees, str(case.uuid))):
            answer = key.send("get", path).json()
            one = answer["results"][0] if listed else answer
            assert one["case"] == expected


def test_who_may_not_open_a_record_books_for_nobody_on_record(
    portal: Caller, caller: Callable[..., Caller], desk: Desk, world: World
) -> None:
    """With the appointment the mailbox on record would be told."""
    rosa = CitizenFactory(organisation=world.here)
    ContactPointFactory(
        citizen=rosa, organisation=world.here, channel="email", address="rosa@example.org"
    )
    body = {name: value for name, value in wanted(at("09:00")).items() if name not in PERSON}
    body["citizen"] = str(rosa.uuid)
    refused = portal.send("post", "/appointments/", body)
    assert (refused.status_code, Appointment.objects.count()) == (403, 0)
    assert "rosa@example.org" not in refused.content.decode()

    opens = caller(BOOK, "citizens.view_citizen")
    rosa.records.update(protected=True, protected_reason="Violencia")
    assert opens.send("post", "/appointments/", body).status_code == 403
    rosa.records.update(protected=False, protected_reason="")
    answer = opens.send("post", "/appointments/", body)
    assert (answer.status_code, answer.json()["email"]) == (201, "rosa@example.org")


def test_what_is_free_is_booked_once_and_no_longer_free(portal: Caller, desk: Desk) -> None:
    first = at("09:00").date().isoformat()
    address = f"/appointments/free-slots/?service=padron&office=plaza&first={first}&days=1"
    before = portal.send("get", address).json()["results"]
    assert before[0]["start"].endswith("Z")
    for number in range(2):
        body = wanted(at("09:00"), email=f"p{number}@example.org")
        answer = portal.send("post", "/appointments/", body)
        assert answer.status_code == 201, answer.content
    after = portal.send("get", address).json()["results"]
    assert len(after) == len(before) - 1
    taken = portal.send("post", "/appointments/", wanted(at("09:00"), email="tarde@example.org"))
    assert taken.status_code == 409
    assert taken.json()["type"].endswith("slot_taken")
    offered = datetime.fromisoformat(taken.json()["next"][0]["start"])
    assert offered == at("09:20")


def test_the_same_key_books_once(portal: Caller, desk: Desk) -> None:
    body = wanted(at("09:00"))
    first = portal.send("post", "/appointments/", body, Idempotency_Key="portal-1")
    again = portal.send("post", "/appointments/", body, Idempotency_Key="portal-1")
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Appointment.objects.count() == 1


def test_it_is_read_moved_and_cancelled_at_the_version_known(portal: Caller, desk: Desk) -> None:
    made = portal.send("post", "/appointments/", wanted(at("09:00")))
    address = f"/appointments/{made.json()['id']}/"
    assert made["Location"] == f"/api/v1{address}"
    tag = portal.send("get", address)["ETag"]
    body = {"start": at("10:00").isoformat()}
    moved = portal.send("post", f"{address}move/", body, If_Match=tag)
    assert moved.status_code == 200
    assert datetime.fromisoformat(moved.json()["starts_at"]) == at("10:00")
    late = portal.send("post", f"{address}cancel/", {}, If_Match=tag)
    assert late.status_code == 412
    gone = portal.send("post", f"{address}cancel/", {"reason": "No puede"}, If_Match=moved["ETag"])
    assert gone.json()["status"] == "cancelled"
    assert portal.send("post", f"{address}cancel/", {}).status_code == 409


def test_the_list_is_filtered_paged_and_tells_no_unconfirmed_hold(
    portal: Caller, desk: Desk, world: World
) -> None:
    rosa = CitizenFactory(organisation=world.here)
    rows = [book(desk.alice, at(f"{hour:02}:00"), citizen=rosa.uuid) for hour in (9, 10, 11)]
    services.cancel_appointment(desk.alice, rows[1].uuid)
    services.hold_slot(
        desk.public,
        services.Wish("padron", "plaza", at("12:00")),
        services.Person(name="Sin Confirmar", email="x@example.org"),
        consent=True,
    )
    first = portal.send("get", "/appointments/?limit=2").json()
    assert [one["id"] for one in first["results"]] == [str(row.uuid) for row in rows[:2]]
    rest = portal.get(first["next"]).json()
    assert [one["id"] for one in rest["results"]] == [str(rows[2].uuid)]
    assert rest["next"] is None

    def found(query: str) -> int:
        return len(portal.send("get", f"/appointments/?{query}").json()["results"])

    assert found(f"citizen={rosa.uuid}") == 3
    assert found("status=cancelled") == 1
    assert found("office=nada") == 0
    assert found(f"reference={rows[0].shown_reference}") == 1
    assert found(f"starts_from={at('10:30').isoformat().replace('+', '%2B')}") == 1
    assert portal.send("get", "/appointments/?status=held").status_code == 400


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"start": "2026-11-23T09:00:00"}, 422),
        ({"service": "nada"}, 422),
        ({"office": "nada"}, 422),
        ({"name": ""}, 422),
        ({"email": "sin arroba"}, 422),
        ({"citizen": "00000000-0000-4000-8000-000000000000"}, 422),
        ({"status": "completed"}, 422),
        ({"organisation": 1}, 422),
        ({"channel": "paloma"}, 422),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_and_nothing_kept(
    portal: Caller, desk: Desk, changed: dict[str, Any], status: int
) -> None:
    answer = portal.send("post", "/appointments/", {**wanted(at("09:00")), **changed})
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Appointment.objects.exists()


def test_a_portal_books_as_the_person_would(portal: Caller, desk: Desk) -> None:
    for hour in ("09:00", "10:00"):
        assert portal.send("post", "/appointments/", wanted(at(hour))).status_code == 201
    third = portal.send("post", "/appointments/", wanted(at("11:00")))
    assert third.status_code == 409
    assert third.json()["type"].endswith("too_many_appointments")


def test_offices_and_services_say_their_codes(portal: Caller, desk: Desk) -> None:
    offices = portal.send("get", "/offices/").json()["results"]
    assert [one["code"] for one in offices] == ["plaza"]
    (service,) = portal.send("get", "/bookable-services/").json()["results"]
    assert (service["code"], service["duration"]) == ("padron", 20)


def test_another_organisations_key_finds_nothing(desk: Desk, world: World) -> None:
    row = book(desk.alice, at("09:00"))
    foreign = Caller(key_for(world.elsewhere, BOOK))
    for method, path, body in (
        ("get", "", None),
        ("post", "move/", {"start": at("10:00").isoformat()}),
        ("post", "cancel/", {}),
    ):
        assert foreign.send(method, f"/appointments/{row.uuid}/{path}", body).status_code == 404
    assert foreign.send("get", "/appointments/").json()["results"] == []
    row.refresh_from_db()
    assert (row.status, row.starts_at) == (Status.BOOKED, at("09:00"))


def test_a_look_by_api_is_written_down(portal: Caller, desk: Desk) -> None:
    row = book(desk.alice, at("09:00"))
    portal.send("get", f"/appointments/{row.uuid}/")
    entry = AuditEntry.objects.get(action="viewed", object_id=str(row.uuid))
    assert (entry.actor_kind, entry.door) == ("api_client", "api")


def test_free_times_are_of_at_most_a_month(portal: Caller, desk: Desk) -> None:
    query = "service=padron&office=plaza"
    for wrong in ("days=32", "days=0", "days=x", "first=nunca", "days=-1"):
        answer = portal.send("get", f"/appointments/free-slots/?{query}&{wrong}")
        assert answer.status_code == 400, wrong
    far = (at("09:00") + timedelta(days=3000)).date().isoformat()
    empty = portal.send("get", f"/appointments/free-slots/?{query}&first={far}")
    assert empty.json()["results"] == []
