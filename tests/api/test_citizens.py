"""Citizens by API: found, opened with a purpose, registered once, corrected."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.citizens import CitizenFactory

SCOPES = ("citizens.view_citizen", "citizens.change_citizen")
ANA = {
    "name": "Ana",
    "surname1": "García",
    "surname2": "Gil",
    "birth_date": "1980-02-29",
    "language": "gl",
    "identifiers": [{"kind": "nif", "value": "12345678Z"}],
    "contact_points": [
        {"channel": "phone", "address": "600 11 22 33", "preferred": True},
        {"channel": "email", "address": "ana@example.org"},
    ],
}


@pytest.fixture
def system(caller: Callable[..., Caller]) -> Caller:
    """A system that may register citizens."""
    return caller(*SCOPES)


def entries(*actions: str) -> list[AuditEntry]:
    """What the audit trail says of these actions."""
    return list(AuditEntry.objects.unscoped("a test").filter(action__in=actions).order_by("id"))


def test_somebody_is_registered_found_and_opened(world: World, system: Caller) -> None:
    made = system.send("post", "/citizens/", ANA)
    assert made.status_code == 201, made.content
    citizen = made.json()["id"]
    assert made["Location"] == f"/api/v1/citizens/{citizen}/"
    assert made.json()["language"] == "gl"
    for text in ("12345678Z", "600112233", "ana@example.org", "garcia gil ana", "Garcia"):
        found = system.send("get", f"/citizens/?q={text}")
        assert found.status_code == 200
        assert [hit["id"] for hit in found.json()["results"]] == [citizen], text
        assert "12345678Z" not in found.content.decode()
    opened = system.send("get", f"/citizens/{citizen}/?purpose=Solicitud+123")
    assert opened.status_code == 200, opened.content
    body = opened.json()
    assert body["surname1"] == "García"
    assert body["birth_date"] == "1980-02-29"
    assert body["protected"] is False
    assert [(point["channel"], point["address"]) for point in body["contact_points"]] == [
        ("email", "ana@example.org"),
        ("phone", "+34600112233"),
    ]
    assert "12345678Z" not in opened.content.decode()
    assert [(entry.purpose, entry.object_id) for entry in entries("viewed")] == [
        ("Solicitud 123", citizen)
    ]


def test_nobody_is_opened_without_a_purpose(world: World, system: Caller) -> None:
    citizen = system.send("post", "/citizens/", ANA).json()["id"]
    for query in ("", "?purpose=", "?purpose=%20"):
        answer = system.send("get", f"/citizens/{citizen}/{query}")
        assert answer.status_code == 400
        assert [error["parameter"] for error in answer.json()["errors"]] == ["purpose"]
    assert entries("viewed") == []
    headed = system.send("get", f"/citizens/{citizen}/", Access_Purpose="Queja")
    assert headed.status_code == 200
    assert [entry.purpose for entry in entries("viewed")] == ["Queja"]


def test_numbers_in_full_need_their_own_right(
    world: World, system: Caller, caller: Callable[..., Caller]
) -> None:
    citizen = system.send("post", "/citizens/", ANA).json()["id"]
    address = f"/citizens/{citizen}/?purpose=x&reveal=true"
    assert system.send("get", address).status_code == 403
    assert entries("viewed", "revealed") == []
    trusted = caller("citizens.view_citizen", "citizens.reveal_identifier")
    shown = trusted.send("get", address)
    assert [number["value"] for number in shown.json()["identifiers"]] == ["12345678Z"]
    assert [entry.action for entry in entries("viewed", "revealed")] == ["viewed", "revealed"]


def test_a_likely_duplicate_is_shown_and_may_be_confirmed(world: World, system: Caller) -> None:
    first = system.send("post", "/citizens/", ANA).json()["id"]
    namesake = {"name": "Ana", "surname1": "Garcia", "surname2": "Gil"}
    doubted = system.send("post", "/citizens/", namesake)
    assert doubted.status_code == 409
    assert doubted.json()["type"] == "/api/v1/problems/likely_duplicates"
    assert [candidate["id"] for candidate in doubted.json()["candidates"]] == [first]
    assert Citizen.objects.unscoped("a test").count() == 1
    confirmed = system.send("post", "/citizens/", {**namesake, "despite": [first]})
    assert confirmed.status_code == 201
    certain = system.send("post", "/citizens/", {**ANA, "despite": [first]})
    assert certain.status_code == 409
    assert certain.json()["type"] == "/api/v1/problems/already_registered"


def test_what_is_wrong_is_said_with_its_place(world: World, system: Caller) -> None:
    answer = system.send(
        "post",
        "/citizens/",
        {
            "name": "Ana",
            "identifiers": [{"kind": "nif", "value": "12345678A"}, {"kind": "nif", "value": 5}],
            "contact_points": [{"channel": "email", "address": "x", "organisation": 1}],
            "merged_into": 1,
        },
    )
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/identifiers/1/value",
        "/contact_points/0/organisation",
        "/merged_into",
    }
    wrong = system.send(
        "post", "/citizens/", {"name": "Ana", "identifiers": [{"kind": "nif", "value": "1A"}]}
    )
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/identifiers/0"]


def test_names_wishes_and_contact_points_are_corrected(world: World, system: Caller) -> None:
    citizen = system.send("post", "/citizens/", ANA).json()["id"]
    address = f"/citizens/{citizen}/"
    changed = system.send("patch", address, {"surname1": "Garcés", "language": "eu"})
    assert changed.status_code == 200, changed.content
    body = changed.json()
    assert (body["name"], body["surname1"], body["language"]) == ("Ana", "Garcés", "eu")
    assert system.send("patch", address, {"protected": True}).status_code == 422
    point = system.send(
        "post", f"{address}contact-points/", {"channel": "phone", "address": "911234567"}
    )
    assert point.status_code == 201
    new = {"channel": "phone", "address": "911234568", "quality": "good"}
    put = system.send("put", f"{address}contact-points/{point.json()['id']}/", new)
    assert put.json()["address"] == "+34911234568"
    assert system.send(
        "post", f"{address}contact-points/{point.json()['id']}/end/"
    ).status_code == 200  # fmt: skip
    ended = ContactPoint.objects.unscoped("a test").get(uuid=point.json()["id"])
    assert ended.ended_at is not None
    number = system.send(
        "post", f"{address}identifiers/", {"kind": "passport", "value": "AB123456", "country": "FR"}
    )
    assert number.status_code == 201
    assert "AB123456" not in number.content.decode()
    permanent = {"kind": "nie", "value": "X1234567L", "valid_until": "9999-01-01"}
    lasting = system.send("post", f"{address}identifiers/", permanent)
    assert lasting.status_code == 201
    assert lasting.json()["valid_until"] == "9999-01-01"
    for day in ("9999-01-02", "2200-01-01", "1799-12-31"):
        refused = system.send("post", f"{address}identifiers/", {**permanent, "valid_until": day})
        assert [one["pointer"] for one in refused.json()["errors"]] == ["/valid_until"]


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("get", "?purpose=x", None),
        ("patch", "", {"name": "X"}),
        ("post", "identifiers/", {"kind": "nif", "value": "12345678Z"}),
        ("post", "contact-points/", {"channel": "email", "address": "a@example.org"}),
    ],
)
def test_another_organisations_citizen_does_not_exist(
    world: World, system: Caller, method: str, rest: str, body: Any
) -> None:
    citizen = system.send("post", "/citizens/", ANA).json()["id"]
    stranger = Caller(key_for(world.elsewhere, *SCOPES))
    foreign = stranger.send(method, f"/citizens/{citizen}/{rest}", body)
    absent = stranger.send(method, f"/citizens/{uuid4()}/{rest}", body)
    assert foreign.status_code == absent.status_code == 404
    same = ("type", "title", "detail")
    assert [foreign.json()[name] for name in same] == [absent.json()[name] for name in same]
    assert stranger.send("get", "/citizens/?q=García").json()["results"] == []


def test_a_protected_record_needs_its_own_right(
    world: World, system: Caller, caller: Callable[..., Caller]
) -> None:
    citizen = system.send("post", "/citizens/", ANA).json()["id"]
    CitizenRecord.objects.unscoped("a test").update(protected=True, protected_reason="Víctima")
    refused = system.send("get", f"/citizens/{citizen}/?purpose=Queja")
    assert refused.status_code == 403
    assert "García" not in refused.content.decode()
    found = system.send("get", "/citizens/?q=García").json()["results"]
    assert [hit["name"] for hit in found] == ["A. G. G."]
    trusted = caller("citizens.view_citizen", "citizens.view_protected")
    assert trusted.send("get", f"/citizens/{citizen}/?purpose=Queja").status_code == 200


def test_all_are_listed_page_by_page_and_those_changed_since(
    world: World, system: Caller, caller: Callable[..., Caller]
) -> None:
    people = [CitizenFactory(organisation=world.here) for _number in range(3)]
    hidden = CitizenFactory(
        organisation=world.here, organisation__protected=True, organisation__protected_reason="Sí"
    )
    CitizenFactory(organisation=world.elsewhere)
    first = system.send("get", "/citizens/?limit=3").json()
    assert [hit["id"] for hit in first["results"]] == [str(person.uuid) for person in people]
    assert first["more"] is True
    rest = system.get(first["next"]).json()
    assert [hit["id"] for hit in rest["results"]] == [str(hidden.uuid)]
    assert hidden.surname1 not in str(rest)
    assert (rest["more"], rest["next"]) == (False, None)
    assert [entry.data["what"] for entry in entries("searched")] == ["citizens"] * 2
    CitizenRecord.objects.unscoped("a test").update(updated_at="2020-01-01T00:00:00Z")
    system.send("patch", f"/citizens/{people[1].uuid}/", {"language": "eu"})
    since = system.send("get", "/citizens/?updated_since=2021-01-01T00:00:00Z").json()
    assert [hit["id"] for hit in since["results"]] == [str(people[1].uuid)]
    for query in ("q=Ana&cursor=x", "q=Ana&updated_since=2021-01-01T00:00:00Z", "cursor=junk"):
        assert system.send("get", f"/citizens/?{query}").status_code == 400, query
    assert caller("cases.view_case").send("get", "/citizens/").status_code == 403


def test_a_change_of_another_version_of_a_citizen_is_not_made(world: World, system: Caller) -> None:
    made = system.send("post", "/citizens/", ANA)
    address = f"/citizens/{made.json()['id']}/"
    etag = system.send("get", f"{address}?purpose=Prueba")["ETag"]
    assert etag == made["ETag"]
    point = {"channel": "phone", "address": "600112244"}
    added = system.send("post", f"{address}contact-points/", point, If_Match=etag)
    assert added.status_code == 201, added.content
    for verb, path, body in (
        ("patch", "", {"language": "ca"}),
        ("post", "contact-points/", {"channel": "phone", "address": "600112255"}),
        ("post", "identifiers/", {"kind": "passport", "value": "AAA111222", "country": "FR"}),
        ("post", f"contact-points/{added.json()['id']}/end/", None),
    ):
        late = system.send(verb, f"{address}{path}", body, If_Match=etag)
        assert late.status_code == 412, path
    fresh = system.send("get", f"{address}?purpose=Prueba")["ETag"]
    assert fresh != etag
    changed = system.send("patch", address, {"language": "ca"}, If_Match=fresh)
    assert changed.status_code == 200
    assert changed["ETag"] != fresh
