"""Units by API."""

from collections.abc import Callable

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
