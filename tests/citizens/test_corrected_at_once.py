"""Two who correct one person's data: what only one of them changed is kept, of what both did one chooses."""

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.citizens.models import Citizen
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(world: World) -> Citizen:
    made: Citizen = CitizenFactory(
        organisation=world.here, name="Rosa", surname1="Quiñones", surname2="Tordera"
    )
    return made


def as_sent(page: str, **typed: str) -> dict[str, str]:
    """What the form of a page sends, with what somebody typed."""
    found = {
        name: html.unescape(value)
        for name, value in re.findall(
            r'<input type="hidden" name="(seen|began)" value="([^"]*)"', page
        )
    }
    assert set(found) == {"seen", "began"}
    own = {"kind": "natural_person", "name": "Rosa", "surname1": "Quiñones", "surname2": "Tordera"}
    return {**own, "birth_date": "", **found, **typed}


def two(world: World, rosa: Citizen) -> tuple[str, Client, Client, str]:
    boss = employee(world.here, "supervisor", "agent", unit=world.unit)
    clients = []
    for user in (world.alice, boss):
        client = Client()
        client.force_login(user)
        clients.append(client)
    address = reverse("citizens:names", args=[rosa.uuid])
    page = clients[0].get(address).content.decode()
    return address, clients[0], clients[1], page


def names(rosa: Citizen) -> tuple[Any, ...]:
    rosa.refresh_from_db()
    return rosa.name, rosa.surname1, rosa.surname2


def test_different_fields_are_both_kept(world: World, rosa: Citizen) -> None:
    address, alice, boss, page = two(world, rosa)
    assert boss.post(address, as_sent(page, surname1="Quintana")).status_code == 302
    assert alice.post(address, as_sent(page, name="Rosalía")).status_code == 302
    assert names(rosa) == ("Rosalía", "Quintana", "Tordera")


def test_of_one_field_both_values_stand_there_to_choose_from(world: World, rosa: Citizen) -> None:
    address, alice, boss, page = two(world, rosa)
    given = as_sent(page, name="Rosario", surname2="Torres")
    assert boss.post(address, given).status_code == 302
    late = alice.post(address, as_sent(page, name="Rosalía"))
    assert late.status_code == 409
    form = late.context["form"]
    assert (form["name"].value(), form["name"].clash.theirs) == ("Rosalía", "Rosario")
    assert form["surname2"].value() == "Torres"
    assert names(rosa) == ("Rosario", "Quiñones", "Torres")
    again = as_sent(late.content.decode(), name="Rosalía", surname2="Torres")
    assert alice.post(address, {**again, "choice-name": "theirs"}).status_code == 302
    assert names(rosa) == ("Rosario", "Quiñones", "Torres")
    fresh = alice.get(address).content.decode()
    assert boss.post(address, as_sent(fresh, name="R.", surname2="Torres")).status_code == 302
    late = alice.post(address, as_sent(fresh, name="Rosalía", surname2="Torres"))
    again = as_sent(late.content.decode(), name="Rosalía", surname2="Torres")
    assert alice.post(address, {**again, "choice-name": "mine"}).status_code == 302
    assert names(rosa) == ("Rosalía", "Quiñones", "Torres")


@pytest.mark.parametrize("began", ["", "{", "[]", '{"name": 1}'])
def test_of_what_nobody_knows_the_beginning_one_is_asked(
    world: World, rosa: Citizen, began: str
) -> None:
    address, alice, boss, page = two(world, rosa)
    assert boss.post(address, as_sent(page, name="Rosario")).status_code == 302
    late = alice.post(address, {**as_sent(page, name="Rosalía"), "began": began})
    assert late.status_code == 409
    assert names(rosa)[0] == "Rosario"
