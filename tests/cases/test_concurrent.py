"""Two who edit one case: what only one of them changed is kept, of what both did one chooses."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases import services
from cases.models import Case
from crm.kit.errors import Conflict
from crm.kit.threeway import merge, same
from tests.api.conftest import key_for
from tests.cases.test_pages import FIELDS, rosa, signed_in
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory


@pytest.fixture
def case(world: World) -> Case:
    kind = CaseTypeFactory(organisation=world.here, code="coche", fields=FIELDS)
    data = {"kind": "moto", "plate": "1111AAA", "old": True, "extras": ["aire"]}
    made: Case = CaseFactory(unit=world.unit, case_type=kind, subject="Antes", data=data)
    return made


@pytest.fixture
def iker(world: World) -> Any:
    return employee(world.here, "agent", unit=world.unit, full_name="Iker Echevarría")


def typed(case: Case, **fields: Any) -> dict[str, Any]:
    return {
        "subject": "Antes",
        "description": "",
        "channel": case.channel,
        "priority": "1",
        "language": "es",
        "version": "1",
        "data.kind": "moto",
        "data.plate": "1111AAA",
        "data.old": "on",
        "data.extras": ["aire"],
        **fields,
    }


def test_different_fields_are_both_kept_without_a_question(
    world: World, case: Case, iker: Any
) -> None:
    address = f"/casos/{case.uuid}/editar/"
    his = typed(case, subject="De Iker", **{"data.plate": "2222BBB", "data.old": ""})
    assert signed_in(iker).post(address, his).status_code == 302
    mine = typed(case, description="Un párrafo entero.", **{"data.extras": ["aire", "radio"]})
    answer = signed_in(world.alice).post(address, mine, follow=True)
    assert "Iker Echevarría" in "".join(map(str, answer.context["messages"]))
    case.refresh_from_db()
    assert (case.subject, case.description) == ("De Iker", "Un párrafo entero.")
    assert case.data == {
        "kind": "moto",
        "plate": "2222BBB",
        "old": False,
        "extras": ["aire", "radio"],
    }
    told = case.events.get(seq=3).data
    assert sorted(told["fields"]) == ["data", "description"]


def test_of_the_same_field_both_values_are_shown_there_and_nothing_is_lost(
    world: World, case: Case, iker: Any
) -> None:
    address, alice = f"/casos/{case.uuid}/editar/", signed_in(world.alice)
    his = typed(case, subject="De Iker", priority="2", **{"data.plate": "2222BBB"})
    assert signed_in(iker).post(address, his).status_code == 302
    mine = typed(case, subject="De Alice", description="Mío.", **{"data.plate": "3333CCC"})
    late = alice.post(address, mine)
    assert late.status_code == 409
    page, form = late.content.decode(), late.context["form"]
    assert form["subject"].value() == "De Alice"
    assert (form["subject"].clash.theirs, form["subject"].clash.by) == (
        "De Iker",
        "Iker Echevarría",
    )
    assert form["subject"].clash.at is not None
    assert form["data.plate"].clash.theirs == "2222BBB"
    assert form["priority"].value() == "2"  # only he changed it: it stays his
    assert not hasattr(form["priority"], "clash")
    for text in ("De Iker", "2222BBB", "3333CCC", "Mío.", 'name="version" value="2"'):
        assert text in page
    case.refresh_from_db()
    assert (case.subject, case.version) == ("De Iker", 2)
    chosen = {**mine, "version": "2", "priority": "2"}
    chosen |= {"choice-subject": "theirs", "choice-data.plate": "mine"}
    assert alice.post(address, chosen).status_code == 302
    case.refresh_from_db()
    assert (case.subject, case.description, case.priority) == ("De Iker", "Mío.", 2)
    assert case.data["plate"] == "3333CCC"


def test_half_of_one_place_and_half_of_another_is_none(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    services.edit_case(alice, case.uuid, {"latitude": 40.4, "longitude": -3.7}, version=1)
    with pytest.raises(Conflict) as raised:
        services.edit_case(alice, case.uuid, {"latitude": 40.4, "longitude": -3.8}, version=1)
    assert sorted(raised.value.details["both"]) == ["latitude", "longitude"]
    case.refresh_from_db()
    assert case.longitude == -3.7


def test_the_citizen_is_a_field_like_others(world: World, case: Case) -> None:
    alice, person, other = world.actor(world.alice), rosa(world), rosa(world)
    services.edit_case(alice, case.uuid, {"citizen": person.uuid}, version=1)
    services.edit_case(alice, case.uuid, {"subject": "Otro"}, version=1)
    case.refresh_from_db()
    assert (case.citizen, case.subject) == (person, "Otro")
    with pytest.raises(Conflict) as raised:
        services.edit_case(alice, case.uuid, {"citizen": other.uuid}, version=1)
    assert list(raised.value.details["both"]) == ["citizen"]


def test_a_version_that_never_was_is_no_ground_to_go_on_from(world: World, case: Case) -> None:
    with pytest.raises(Conflict):
        services.edit_case(world.actor(world.alice), case.uuid, {"subject": "Otro"}, version=7)


def test_by_api_the_same_and_if_match_says_who_changed_what(world: World, case: Case) -> None:
    key = key_for(world.here, "cases.view_case", "cases.change_case")
    client = Client(headers={"Authorization": f"Bearer {key}"})
    place = f"/api/v1/cases/{case.uuid}/"

    def patch(given: dict[str, Any], **headers: str) -> Any:
        text = json.dumps(given)
        return client.patch(place, text, content_type="application/json", headers=headers)

    services.edit_case(world.actor(world.alice), case.uuid, {"subject": "De Alice"})
    both = patch({"version": 1, "description": "Del sistema"})
    assert (both.status_code, both.json()["subject"]) == (200, "De Alice")
    assert both["ETag"] == '"3"'
    late = patch({"version": 1, "subject": "Del sistema"})
    assert late.status_code == 409
    said = late.json()["now"]
    assert said["version"] == 3
    assert said["fields"]["subject"]["mine"] == "Del sistema"
    assert said["fields"]["subject"]["now"] == "De Alice"
    assert said["fields"]["subject"]["by"] == "Alice Arias"
    strict = patch({"subject": "Del sistema"}, **{"If-Match": '"1"'})
    assert strict.status_code == 412
    assert [one["fields"] for one in strict.json()["now"]["changes"]] == [
        ["subject"],
        ["description"],
    ]
    case.refresh_from_db()
    assert (case.subject, case.description) == ("De Alice", "Del sistema")


def test_by_api_of_two_citizens_their_own_identities_are_told(world: World, case: Case) -> None:
    """Keys of the database were told, which mean nothing to anybody else."""
    hers, mine = (CitizenFactory(organisation=world.here) for _ in range(2))
    services.edit_case(world.actor(world.alice), case.uuid, {"citizen": hers.uuid})
    with pytest.raises(Conflict) as late:
        services.edit_case(world.actor(world.alice), case.uuid, {"citizen": mine.uuid}, version=1)
    said = late.value.details["now"]["fields"]["citizen"]
    assert (said["mine"], said["now"]) == (str(mine.uuid), str(hers.uuid))


values = st.none() | st.integers(0, 2) | st.sampled_from(["", "a", "b"]) | st.booleans()
forms = st.dictionaries(st.sampled_from("abcd"), values)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(was=forms, now=forms, mine=forms)
def test_nothing_of_either_is_lost_unasked(was: Any, now: Any, mine: Any) -> None:
    merged = merge(was, now, mine)
    assert not merged.changes.keys() & merged.clashes.keys()
    result = {**now, **merged.changes}
    for name in {*was, *now, *mine}:
        if name in merged.clashes:
            assert same(result.get(name), now.get(name))  # theirs stands until it is chosen
            assert same(merged.clashes[name].mine, mine[name])
        elif name in mine and not same(mine[name], was.get(name)):
            assert same(result.get(name), mine[name])
        else:
            assert same(result.get(name), now.get(name))
