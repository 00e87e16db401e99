"""Saved views by API: kept, changed, counted, and the list of cases by one of them."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.cache import cache

from cases.services.views import View, save_view
from tests.api.conftest import Caller
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory

pytestmark = pytest.mark.django_db


def test_a_list_by_a_view(world: World, caller: Callable[..., Caller]) -> None:
    cache.clear()
    boss = employee(world.here, "supervisor")
    for channel in ("phone", "email"):
        CaseFactory(unit=world.unit, channel=channel)
    given = View(name="V", audience="organisation", expression="channel:phone or farola")
    view = save_view(world.actor(boss), given)
    client = caller("cases.view_case")
    found = client.send("get", f"/cases/?view={view.uuid}").json()["results"]
    assert [row["channel"] for row in found] == ["phone"]
    narrowed = client.send("get", f"/cases/?view={view.uuid}&query=channel:email")
    assert narrowed.json()["results"] == []
    either = client.send("get", f"/cases/?view={view.uuid}&query=channel:email or channel:phone")
    assert [row["channel"] for row in either.json()["results"]] == ["phone"]
    assert client.send("get", f"/cases/?view={uuid4()}").json()["results"] == []
    counted = client.send("get", f"/views/{view.uuid}/count/")
    assert counted.json() == {"count": 1, "broken": False}


def test_views_are_kept_and_changed(world: World, caller: Callable[..., Caller]) -> None:
    employee(world.here, "supervisor")
    body = {"name": "API", "expression": "state:open", "audience": "organisation"}
    assert caller("cases.view_case").send("post", "/views/", body).status_code == 403
    client = caller("cases.view_case", "cases.share_view")
    made = client.send("post", "/views/", body)
    assert made.status_code == 201
    address = f"/views/{made.json()['id']}/"
    wrong = client.send("post", "/views/", {**body, "name": "b", "expression": "chanel:x"})
    assert wrong.status_code == 422
    assert client.send("post", "/views/", {**body, "audience": "own"}).status_code == 422
    patched = client.send("patch", address, {"name": "otra"}).json()
    assert (patched["name"], patched["expression"], patched["version"]) == (
        "otra",
        "state:open",
        2,
    )
    old = client.send("patch", address, {"name": "tarde"}, if_match='"1"')
    assert old.status_code == 412
    assert [one["name"] for one in client.send("get", "/views/").json()["results"]] == ["otra"]
    assert client.send("delete", address).status_code == 204
    assert client.send("get", address).status_code == 404
