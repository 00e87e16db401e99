"""Units by API."""

from collections.abc import Callable

from crm.organisations.models import Unit
from tests.api.conftest import Caller
from tests.conftest import World
from tests.factories.organisations import UnitFactory


def test_units_of_the_organisation_and_no_other(
    world: World, caller: Callable[..., Caller]
) -> None:
    answer = caller().send("get", "/units/")
    assert answer.status_code == 200
    assert [unit["code"] for unit in answer.json()["results"]] == ["NORTH", "ROOT", "SOUTH"]
    north = answer.json()["results"][0]
    assert north == {
        "id": str(world.unit.uuid),
        "code": "NORTH",
        "name": "Norte",
        "dir3_code": "",
        "parent": str(world.unit.parent.uuid),
        "valid_from": None,
        "closed_on": None,
        "merged_into": None,
    }


def test_pages_go_on_where_they_ended(world: World, caller: Callable[..., Caller]) -> None:
    for number in range(5):
        UnitFactory(organisation=world.here, code=f"X{number}")
    system = caller()
    codes, address = [], "/units/?limit=3"
    while address:
        page = system.send("get", address).json()
        codes += [unit["code"] for unit in page["results"]]
        address = (page["next"] or "").partition("/api/v1")[2]
    assert codes == ["NORTH", "ROOT", "SOUTH", "X0", "X1", "X2", "X3", "X4"]


def test_filters(world: World, caller: Callable[..., Caller]) -> None:
    system = caller()

    def codes(query: str) -> list[str]:
        return [unit["code"] for unit in system.send("get", f"/units/?{query}").json()["results"]]

    assert codes("code=SOUTH") == ["SOUTH"]
    assert codes(f"parent={world.unit.parent.uuid}") == ["NORTH", "SOUTH"]
    assert codes("closed=true") == []
    assert codes("closed=false&code=NORTH") == ["NORTH"]


def test_one_unit_and_a_foreign_one(world: World, caller: Callable[..., Caller]) -> None:
    system = caller()
    assert system.send("get", f"/units/{world.unit.uuid}/").json()["code"] == "NORTH"
    foreign = system.send("get", f"/units/{world.foreign_unit.uuid}/")
    assert foreign.status_code == 404
    assert foreign["Content-Type"] == "application/problem+json"
    assert foreign.json()["type"] == "/api/v1/problems/not_found"


def test_a_unit_is_made_renamed_moved_merged_and_closed(
    world: World, caller: Callable[..., Caller]
) -> None:
    system = caller("organisations.manage_units")
    parent = str(world.unit.uuid)
    given = {"parent": parent, "name": "Ventanilla 1", "code": "V1"}
    made = system.send("post", "/units/", given)
    assert (made.status_code, made.json()["parent"]) == (201, parent)
    address = f"/units/{made.json()['id']}/"
    assert made["Location"].endswith(address)
    again = system.send("post", "/units/", given)
    assert again.status_code == 422
    assert again.json()["errors"][0]["pointer"] == "/code"
    renamed = system.send("patch", address, {"name": "Ventanilla única"})
    assert (renamed.json()["name"], renamed.json()["code"]) == ("Ventanilla única", "V1")
    target = str(world.other_unit.uuid)
    moved = system.send("post", f"{address}move/", {"parent": target})
    assert moved.json()["parent"] == target
    itself = system.send("post", f"{address}move/", {"parent": made.json()["id"]})
    assert itself.status_code == 422
    other = system.send("post", "/units/", {**given, "code": "V2"}).json()["id"]
    merged = system.send("post", f"{address}merge/", {"into": other}).json()
    assert (merged["merged_into"], bool(merged["closed_on"])) == (other, True)
    assert system.send("post", f"{address}close/", {}).status_code == 409  # it is closed already
    closed = system.send("post", f"/units/{other}/close/", {})
    assert closed.json()["closed_on"]
    assert Unit.objects.unscoped("a test").filter(closed_on=None, code__startswith="V").count() == 0


def test_units_are_kept_by_who_may(world: World, caller: Callable[..., Caller]) -> None:
    reader = caller("cases.view_case")
    given = {"parent": str(world.unit.uuid), "name": "X", "code": "X"}
    assert reader.send("post", "/units/", given).status_code == 403
    system = caller("organisations.manage_units")
    foreign = {**given, "parent": str(world.foreign_unit.uuid)}
    assert system.send("post", "/units/", foreign).status_code in (404, 422)
    assert system.send("post", f"/units/{world.foreign_unit.uuid}/close/", {}).status_code == 404
    assert not Unit.objects.unscoped("a test").filter(code="X").exists()
