"""What other systems say of a person: each part with its source, time, rule and state, and only to whom it may be told."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from crm.audit.models import AuditEntry
from crm.citizens import keeping
from crm.citizens.attending import narrowed
from crm.citizens.models import Citizen
from crm.citizens.services import lookups
from crm.integrations import legacy, mapping
from crm.integrations.models import CallLog, Connection, KeptAnswer, Outcome
from crm.integrations.services import connections
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Refused
from tests.conftest import World
from tests.factories.citizens import CitizenFactory
from tests.integrations.conftest import described
from tests.integrations.servers import Elsewhere, saying

pytestmark = pytest.mark.django_db

NUMBER = "99000001H"
BASIS = "Ley 39/2015, art. 28.2"
BACKEND = "crm.accounts.authentication.PasswordBackend"


@pytest.fixture
def person(world: World) -> Citizen:
    return CitizenFactory(organisation=world.here, nif=NUMBER)


@pytest.fixture
def agent(client: Client, world: World) -> Client:
    client.force_login(world.alice, backend=BACKEND)
    return client


def made(admin: Actor, system: Elsewhere, **more: Any) -> Connection:
    return connections.create_connection(admin, described(system.address, **more))


def text_of(response: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def part(person: Citizen, row: Connection) -> str:
    return f"/ciudadania/{person.uuid}/sistemas/{row.uuid}/"


@pytest.mark.parametrize("basis", ["", "   ", "por convenio", "28.2", "Ley\n1, art. 2"])
def test_a_new_connection_says_its_rule_and_article(
    admin: Actor, registry: Elsewhere, basis: str
) -> None:
    with pytest.raises(Invalid) as refused:
        made(admin, registry, legal_basis=basis)
    assert list(refused.value.errors) == ["legal_basis"]
    assert not Connection.objects.for_actor(admin).exists()


def test_its_own_right_is_one_of_the_catalogue(admin: Actor, registry: Elsewhere) -> None:
    with pytest.raises(Invalid) as refused:
        made(admin, registry, permission="cases.made_up")
    assert list(refused.value.errors) == ["permission"]


def test_each_part_says_source_time_rule_and_limit(
    agent: Client, admin: Actor, registry: Elsewhere, person: Citizen
) -> None:
    row = made(admin, registry)
    first = agent.get(part(person, row), headers={"HX-Request": "true"})
    assert 'data-state="now"' in first.content.decode()
    for words in ("Registro", "Up to date", "Obtained:", "shown until:", f"Legal basis: {BASIS}"):
        assert words in text_of(first)
    again = agent.get(part(person, row), headers={"HX-Request": "true"})
    assert 'data-state="kept"' in again.content.decode()
    assert "From a short while ago" in text_of(again)
    assert len(registry.asked) == 1
    looks = AuditEntry.objects.for_actor(admin).filter(data__connection=str(row.uuid))
    assert looks.count() == 2, "what is shown from here is looked at all the same"
    assert "" not in looks.values_list("purpose", flat=True)


def test_a_fault_says_so_with_the_last_known_and_a_way_to_ask_again(
    agent: Client, admin: Actor, registry: Elsewhere, person: Citizen
) -> None:
    row = made(admin, registry, cache_seconds=0)
    agent.get(part(person, row))
    registry.reply = saying(500)
    shown = agent.get(part(person, row), headers={"HX-Request": "true"})
    assert 'data-state="stale"' in shown.content.decode()
    for words in ("No answer: as it last was", "As it was:", "Ingreso mínimo vital", "Ask again"):
        assert words in text_of(shown)
    KeptAnswer.objects.for_actor(admin).delete()
    silent = agent.get(part(person, row), headers={"HX-Request": "true"})
    assert 'data-state="silent"' in silent.content.decode()
    assert "Ingreso" not in text_of(silent)


def test_its_own_right_is_asked_for_and_the_page_says_which(
    agent: Client, world: World, admin: Actor, registry: Elsewhere, person: Citizen
) -> None:
    row = made(admin, registry, permission="cases.assign_case")
    page = agent.get(f"/ciudadania/{person.uuid}/")
    assert f'data-part="{part(person, row)}"' not in page.content.decode()
    assert "Without permission" in text_of(page)
    assert "This system is only for who may: assign cases to others in the unit." in text_of(page)
    assert agent.get(part(person, row)).status_code == 403
    assert registry.asked == []
    assert not CallLog.objects.for_actor(admin).exists()


def test_what_is_kept_is_of_one_person_and_not_of_their_number(
    admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    legacy.look_up(row, NUMBER, about="one")
    legacy.look_up(row, NUMBER, about="one")
    assert len(registry.asked) == 1
    legacy.look_up(row, NUMBER, about="who bears it now")
    assert len(registry.asked) == 2
    for kept in KeptAnswer.objects.for_actor(admin):
        assert NUMBER not in kept.subject + kept.content


def test_what_may_not_be_kept_is_not(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry, cache_seconds=0, keep_hours=0)
    assert legacy.look_up(row, NUMBER).outcome is Outcome.FOUND
    assert not KeptAnswer.objects.for_actor(admin).exists()


def test_one_thread_is_left_for_everything_else(
    admin: Actor, registry: Elsewhere, settings: Any
) -> None:
    settings.SYSTEMS_AT_ONCE = 1
    row = made(admin, registry)
    with legacy._turns(1):
        assert legacy.look_up(row, NUMBER).outcome is Outcome.BUSY
    assert registry.asked == []
    assert legacy.look_up(row, NUMBER).outcome is Outcome.FOUND


def test_while_a_representative_is_attended_no_system_is_asked(
    world: World, admin: Actor, registry: Elsewhere, person: Citizen
) -> None:
    row = made(admin, registry)
    other = CitizenFactory(organisation=world.here)
    actor = narrowed(world.actor(world.alice), [(other.uuid, person.uuid)])
    assert actor.attended(person.pk) is not None
    with pytest.raises(Refused):
        lookups.look_up(actor, person.uuid, row.uuid)
    assert registry.asked == []


def test_the_list_of_systems_is_a_part_of_its_own(
    agent: Client, world: World, admin: Actor, registry: Elsewhere, person: Citizen
) -> None:
    row = made(admin, registry)
    place = f"/ciudadania/{person.uuid}/sistemas/"
    listed = agent.get(f"{place}?case=HERE-2026-0000012", headers={"HX-Request": "true"})
    assert f'data-part="{part(person, row)}"' in listed.content.decode()
    assert '{"case": "HERE-2026-0000012"}' in listed.content.decode()
    assert registry.asked == []
    assert "<html" in agent.get(place).content.decode()
    forged = agent.get(f"{place}?case=x%22%7D%3Cscript%3E", headers={"HX-Request": "true"})
    assert "script" not in forged.content.decode().replace("noscript", "")


def test_a_sealed_answer_is_read_by_whom_it_was_shown_to_alone(
    world: World, admin: Actor, registry: Elsewhere, person: Citizen, monkeypatch: Any
) -> None:
    row = made(admin, registry)
    alice, bob = world.actor(world.alice), world.actor(world.bob)
    shown = lookups.look_up(alice, person.uuid, row.uuid, purpose="Case X").shown
    assert shown is not None
    sealed = keeping.seal(alice, shown)
    assert "vital" not in sealed
    assert keeping.unseal(alice, sealed) == shown
    for actor, text in ((bob, sealed), (alice, sealed[:-2]), (alice, ""), (alice, "x" * 40)):
        with pytest.raises(Invalid):
            keeping.unseal(actor, text)
    later = keeping.timezone.now() + keeping.LASTS
    monkeypatch.setattr(keeping.timezone, "now", lambda: later)
    with pytest.raises(Conflict):
        keeping.unseal(alice, sealed)


def test_what_is_no_number_of_any_json_is_not_taken() -> None:
    """Python reads NaN; kept in a case, the database refused it with a fault of ours."""
    answer = json.loads('{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1.5}')
    (record,) = mapping.taken(answer, "", [[name, name] for name in "abcd"])
    assert record == [("a", None), ("b", None), ("c", None), ("d", 1.5)]
