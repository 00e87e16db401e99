"""Two who answer one citizen: whoever is second is shown what the first said, and sends knowingly."""

import json
from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.drafts import own_drafts
from cases.models import Case, Message
from crm.accounts.actors import system_actor
from crm.kit.errors import Conflict
from tests.api.conftest import key_for
from tests.cases.test_pages import signed_in
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee
from tests.factories.cases import CaseFactory

pytestmark = pytest.mark.django_db


def send(client: Client, case: Case, text: str, **given: Any) -> Any:
    return client.post(
        f"/casos/{case.uuid}/mensajes/", {"text": text, **given}, headers={"HX-Request": "true"}
    )


def sent(case: Case) -> list[str]:
    rows = Message.objects.unscoped("a test's own").filter(case=case).order_by("pk")
    return list(rows.values_list("body", flat=True))


def test_two_answers_do_not_cross_unknowingly(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    ana = signed_in(employee(world.here, "agent", unit=world.unit, full_name="Ana Gil"))
    alice = signed_in(world.alice)
    page = alice.get(f"/casos/{case.uuid}/").content.decode()
    assert 'data-seen="1"' in page  # both have read up to the first event
    assert send(ana, case, "De Ana", seen="1").status_code == 200
    late = send(alice, case, "De Alice", seen="1")
    assert (late.status_code, late["HX-Retarget"]) == (409, "#composer-crossed")
    told = late.content.decode()
    assert "Ana Gil has answered" in told
    assert "De Ana" in told
    assert 'value="2"' in told
    assert sent(case) == ["De Ana"]
    assert (
        send(ana, case, "Y otra de Ana", seen="1").status_code == 200
    )  # one's own crosses nothing
    again = send(alice, case, "De Alice", seen="2")  # meanwhile another one: shown as well
    assert again.status_code == 409
    assert "Y otra de Ana" in again.content.decode()
    assert ">De Ana<" not in again.content.decode()
    assert send(alice, case, "De Alice", seen="3").status_code == 200
    assert sent(case) == ["De Ana", "Y otra de Ana", "De Alice"]


def test_without_a_script_what_was_written_is_kept(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    ana = world.actor(employee(world.here, "agent", unit=world.unit))
    services.send_message(ana, case.uuid, "De Ana")
    given = {"text": "De Alice", "seen": "1"}
    answer = signed_in(world.alice).post(f"/casos/{case.uuid}/mensajes/", given)
    assert answer.status_code == 302
    assert sent(case) == ["De Ana"]
    assert own_drafts(world.actor(world.alice)).get().text == "De Alice"


@pytest.mark.parametrize("what", ["note", "said by the citizen", "automatic", "not asked"])
def test_only_an_answer_of_somebody_else_crosses(world: World, what: str) -> None:
    case = CaseFactory(unit=world.unit)
    ana = world.actor(employee(world.here, "agent", unit=world.unit))
    if what == "note":
        services.add_note(ana, case.uuid, "Nota")
    elif what == "said by the citizen":
        services.record_message(ana, case.uuid, "¿Y bien?", channel="phone")
    elif what == "automatic":
        system = system_actor(world.here, ORIGIN)
        services.send_message(system, case.uuid, "Recibido", automatic=True)
    else:
        services.send_message(ana, case.uuid, "De Ana")
    seen = None if what == "not asked" else 1
    services.send_message(world.actor(world.alice), case.uuid, "De Alice", seen=seen)
    assert sent(case)[-1] == "De Alice"


def test_the_same_sent_twice_is_told_nothing_of_what_came_between(world: World) -> None:
    """A retry after a lost answer: it was taken the first time."""
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    ana = world.actor(employee(world.here, "agent", unit=world.unit))
    key = services.send_message(alice, case.uuid, "De Alice", seen=1).uuid
    services.send_message(ana, case.uuid, "De Ana")
    assert services.send_message(alice, case.uuid, "De Alice", key=key, seen=1).uuid == key
    assert sent(case) == ["De Alice", "De Ana"]


def test_what_was_told_by_another_way_crosses_too(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    ana = world.actor(employee(world.here, "agent", unit=world.unit))
    services.record_message(ana, case.uuid, "Por teléfono", channel="phone", direction="out")
    with pytest.raises(Conflict):
        services.send_message(alice, case.uuid, "De Alice", seen=1)


def test_by_api_the_same(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    services.send_message(world.actor(world.alice), case.uuid, "De Alice")
    key = key_for(world.here, "cases.view_case", "cases.change_case")
    client = Client(headers={"Authorization": f"Bearer {key}"})
    place = f"/api/v1/cases/{case.uuid}/messages/"
    given = {"text": "Del sistema", "seen_event": 1}
    late = client.post(place, given, content_type="application/json")
    problem = json.loads(late.content)
    assert (late.status_code, problem["type"].rpartition("/")[2]) == (409, "answered_meanwhile")
    assert problem["now"]["seen_event"] == 2
    assert [one["text"] for one in problem["now"]["answers"]] == ["De Alice"]
    given["seen_event"] = problem["now"]["seen_event"]
    assert client.post(place, given, content_type="application/json").status_code == 201
