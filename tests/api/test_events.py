"""The feed of events: once each, in an order in which nothing is missed."""

from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from cases.models import Confidentiality, Event
from crm.audit.models import AuditEntry
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.cases import CaseFactory, CaseTypeFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def system(world: World) -> Caller:
    """A system that follows the events of Alice's organisation."""
    CaseTypeFactory(organisation=world.here)
    CaseTypeFactory(organisation=world.elsewhere)
    return Caller(key_for(world.here, "cases.view_case"))


@pytest.fixture
def elsewhere() -> Any:
    """A second connection, as another process has."""
    other = DatabaseWrapper(connection.settings_dict, alias="default")
    yield other
    other.close()


def follow(system: Caller, address: str) -> tuple[list[tuple[str, int, str]], str]:
    """The events after an address, and where to go on."""
    answer = system.send("get", address)
    assert answer.status_code == 200, answer.content
    page = answer.json()
    told = [(event["reference"], event["seq"], event["kind"]) for event in page["results"]]
    return told, page["next"].partition("/api/v1")[2]


def test_each_event_is_told_once(world: World, system: Caller) -> None:
    one = CaseFactory(unit=world.unit)
    CaseFactory(unit=world.foreign_unit)
    told, following = follow(system, "/events/")
    assert told == [(one.reference, 1, "opened")]
    assert follow(system, following) == ([], following)
    two = CaseFactory(unit=world.unit)
    assert follow(system, following)[0] == [(two.reference, 1, "opened")]


def test_pages_say_whether_there_is_more(world: World, system: Caller) -> None:
    cases = [CaseFactory(unit=world.unit) for _ in range(3)]
    first = system.send("get", "/events/?limit=2").json()
    assert first["more"] is True
    rest = system.send("get", first["next"].partition("/api/v1")[2]).json()
    assert rest["more"] is False
    told = [event["reference"] for event in first["results"] + rest["results"]]
    assert told == [case.reference for case in cases]


def test_from_now_on(world: World, system: Caller) -> None:
    CaseFactory(unit=world.unit)
    told, following = follow(system, "/events/?after=now")
    assert told == []
    new = CaseFactory(unit=world.unit)
    assert follow(system, following)[0] == [(new.reference, 1, "opened")]


def test_a_slow_transaction_is_waited_for(world: World, system: Caller, elsewhere: Any) -> None:
    """Its event has the lower number but appears later: a reader by number would never see it."""
    case = CaseFactory(unit=world.unit)
    _told, following = follow(system, "/events/")
    elsewhere.set_autocommit(False)
    with elsewhere.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_event (case_id, organisation_id, seq, kind, actor_kind, actor_name,"
            " data) VALUES (%s, %s, 2, 'noted', 'system', 'Slow', '{}')",
            [case.pk, case.organisation_id],
        )
    quick = CaseFactory(unit=world.unit)
    assert follow(system, following)[0] == []
    elsewhere.commit()
    told, _following = follow(system, following)
    assert set(told) == {(case.reference, 2, "noted"), (quick.reference, 1, "opened")}
    slow = Event.objects.unscoped("a test").get(seq=2)
    assert slow.pk < Event.objects.unscoped("a test").get(case=quick).pk


def test_what_the_key_may_not_see_is_not_told(world: World, system: Caller) -> None:
    CaseFactory(unit=world.unit, confidentiality=Confidentiality.SPECIAL)
    plain = CaseFactory(unit=world.unit)
    assert [reference for reference, *_ in follow(system, "/events/")[0]] == [plain.reference]
    assert (
        Caller(key_for(world.elsewhere, "citizens.view_citizen"))
        .send("get", "/events/")
        .status_code
        == 403
    )


def test_contents_are_not_told(world: World) -> None:
    CaseTypeFactory(organisation=world.here)
    system = Caller(key_for(world.here, "cases.view_case", "cases.change_case"))
    case = CaseFactory(unit=world.unit, subject="Antes")
    system.send("patch", f"/cases/{case.uuid}/", {"subject": "Después"})
    edited = system.send("get", "/events/").json()["results"][1]
    assert edited["data"]["fields"] == ["subject"]
    assert "Antes" not in str(edited)
    assert "Después" not in str(edited)


def test_the_feed_of_one_case_or_of_one_kind(world: World) -> None:
    CaseTypeFactory(organisation=world.here)
    system = Caller(key_for(world.here, "cases.view_case", "cases.change_case"))
    one, other = (CaseFactory(unit=world.unit) for _each in range(2))
    system.send("patch", f"/cases/{one.uuid}/", {"subject": "Otro"})
    hers = [(one.reference, 1, "opened"), (one.reference, 2, "edited")]

    assert follow(system, f"/events/?case={one.uuid}")[0] == hers
    assert follow(system, "/events/?kind=edited")[0] == hers[1:]
    assert follow(system, f"/events/?kind=edited&case={other.uuid}")[0] == []
    # the way on keeps the filters
    first = system.send("get", f"/events/?case={one.uuid}&limit=1").json()
    assert f"case={one.uuid}" in first["next"]
    assert follow(system, first["next"].partition("/api/v1")[2])[0] == hers[1:]
    asked = AuditEntry.objects.filter(action="searched").order_by("pk").first()
    assert asked is not None
    assert asked.data == {"what": "events", "filters": ["case"], "found": 2}


def test_one_event_is_read_by_its_number(world: World, system: Caller) -> None:
    case = CaseFactory(unit=world.unit)
    strange = CaseFactory(unit=world.foreign_unit)
    told = system.send("get", "/events/").json()["results"][0]

    assert system.send("get", f"/cases/{case.uuid}/events/1/").json() == told
    looked = AuditEntry.objects.filter(action="viewed").get()
    assert (looked.object_name, looked.data["part"]) == (case.reference, "event")
    for address in (f"{case.uuid}/events/2/", f"{case.uuid}/events/{10**30}/"):
        assert system.send("get", f"/cases/{address}").status_code == 404
    assert system.send("get", f"/cases/{strange.uuid}/events/1/").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        *("after=x", "after=12", "limit=0", "limit=201", "cursor=x", "case=x", "kind=x"),
        "reference=VAL-2026-1",
    ],
)
def test_a_place_that_was_not_given_out(system: Caller, query: str) -> None:
    assert system.send("get", f"/events/?{query}").status_code == 400
