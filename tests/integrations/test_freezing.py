"""Keeping an answer in a case: exactly as it was shown, once, for good; told in the story and on paper."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from cases.frozen import of_case
from cases.models import Case, Event, EventKind, FrozenAnswer
from cases.services.freezing import freeze, open_frozen
from cases.services.merging import merge_cases, undo_case_merge
from cases.timeline import whole_story
from crm.audit.models import AuditEntry
from crm.citizens import keeping
from crm.citizens.models import Citizen
from crm.citizens.services import lookups
from crm.integrations.models import Connection, KeptAnswer
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.integrations.services import connections
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from reporting.case_history import Step, content
from reporting.models import Variant
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory
from tests.integrations.conftest import described
from tests.integrations.servers import Elsewhere, saying

pytestmark = pytest.mark.django_db

NUMBER = "99000001H"
BACKEND = "crm.accounts.authentication.PasswordBackend"


@pytest.fixture
def person(world: World) -> Citizen:
    return CitizenFactory(organisation=world.here, nif=NUMBER)


@pytest.fixture
def case(world: World, person: Citizen) -> Case:
    made: Case = CaseFactory(unit=world.unit, citizen=person, subject="Ayuda al alquiler")
    return made


@pytest.fixture
def row(admin: Actor, registry: Elsewhere) -> Connection:
    return connections.create_connection(admin, described(registry.address))


@pytest.fixture
def alice(world: World) -> Actor:
    return world.actor(world.alice)


def shown_to(actor: Actor, person: Citizen, row: Connection) -> str:
    shown = lookups.look_up(actor, person.uuid, row.uuid, purpose="Case").shown
    assert shown is not None
    return keeping.seal(actor, shown)


def paper(actor: Actor, case: Case) -> list[Step]:
    return content(case, Variant.FULL, "es", actor).timeline


def test_what_was_shown_is_kept_whatever_the_system_says_later(
    alice: Actor, case: Case, person: Citizen, row: Connection, registry: Elsewhere
) -> None:
    sealed = shown_to(alice, person, row)
    registry.reply = saying(200, b'{"prestaciones": [{"denominacion": "Otra"}]}')
    KeptAnswer.objects.for_actor(alice).delete()
    frozen = freeze(alice, case.uuid, sealed)
    assert frozen.records[0][0] == ["Prestación", "Ingreso mínimo vital"]
    assert (frozen.source, frozen.legal_basis) == ("Registro", "Ley 39/2015, art. 28.2")
    assert (frozen.by_name, frozen.citizen, frozen.intact) == (alice.name, person, True)
    assert frozen.obtained_at <= frozen.frozen_at
    assert NUMBER not in json.dumps(frozen.records) + frozen.content
    told = Event.objects.for_actor(alice).get(case=case, kind=EventKind.FROZEN)
    assert told.data["sha256"] == frozen.sha256
    (entry,) = [one for one in whole_story(alice, case) if one.event == told]
    assert (entry.group, entry.template) == ("documents", "cases/_entry_frozen.html")
    assert "kept in the case what Registro says" in str(entry.sentence)
    assert "Ingreso" not in json.dumps(told.data), "what it says is read by who may alone"


def test_the_same_answer_is_in_a_case_once(
    alice: Actor, case: Case, person: Citizen, row: Connection
) -> None:
    sealed, again = shown_to(alice, person, row), shown_to(alice, person, row)
    assert freeze(alice, case.uuid, sealed) == freeze(alice, case.uuid, sealed)
    assert freeze(alice, case.uuid, again).pk == FrozenAnswer.objects.for_actor(alice).get().pk
    assert Event.objects.for_actor(alice).filter(kind=EventKind.FROZEN).count() == 1


def test_nobody_alters_or_removes_it(
    alice: Actor, case: Case, person: Citizen, row: Connection
) -> None:
    frozen = freeze(alice, case.uuid, shown_to(alice, person, row))
    mine = FrozenAnswer.objects.for_actor(alice).filter(pk=frozen.pk)
    for change in (
        lambda: mine.update(records=[]),
        lambda: mine.update(frozen_at=frozen.frozen_at + timedelta(days=1)),
        lambda: mine.update(source="Otro"),
        mine.delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert mine.get().records == frozen.records


def test_of_nobody_who_has_no_part_in_the_case(
    world: World, alice: Actor, person: Citizen, row: Connection
) -> None:
    other = CaseFactory(unit=world.unit, citizen=CitizenFactory(organisation=world.here))
    with pytest.raises(Invalid):
        freeze(alice, other.uuid, shown_to(alice, person, row))
    assert not FrozenAnswer.objects.for_actor(alice).exists()


def test_not_by_others_nor_in_others_nor_when_work_has_ended(
    world: World, alice: Actor, case: Case, person: Citizen, row: Connection
) -> None:
    sealed = shown_to(alice, person, row)
    bob, charlie = world.actor(world.bob), world.actor(world.charlie)
    for actor in (bob, charlie):
        with pytest.raises((Invalid, Refused, NotFound)):
            freeze(actor, case.uuid, sealed)
    with pytest.raises(Invalid):
        freeze(alice, case.uuid, "")
    Case.objects.for_actor(alice).filter(pk=case.pk).update(
        category=5, closed_at=case.opened_at, state="done"
    )
    with pytest.raises(Conflict):
        freeze(alice, case.uuid, sealed)
    assert not FrozenAnswer.objects.unscoped("a test").exists()


def test_it_is_opened_by_who_could_ask_and_each_time_leaves_an_entry(
    client: Client, world: World, alice: Actor, case: Case, person: Citizen, row: Connection
) -> None:
    frozen = freeze(alice, case.uuid, shown_to(alice, person, row))
    place = f"/casos/{case.uuid}/incorporado/{frozen.uuid}/"
    client.force_login(world.alice, backend=BACKEND)
    page = client.get(place).content.decode()
    for words in ("Ingreso mínimo vital", frozen.sha256, "Ley 39/2015, art. 28.2"):
        assert words in page
    look = AuditEntry.objects.for_actor(alice).latest("pk")
    assert (look.action, look.object_id) == ("viewed", str(frozen.uuid))
    listed = client.get(f"/casos/{case.uuid}/incorporado/").content.decode()
    assert place in listed
    assert "Ingreso" not in listed
    rights = {name: reach for name, reach in alice.permissions.items() if name != CONSULT_SYSTEMS}
    blind = replace(alice, permissions=rights)
    with pytest.raises(Refused):
        open_frozen(blind, case.uuid, frozen.uuid)
    assert of_case(blind, case) == [(frozen, False)]
    assert all(fact.label != "Prestación" for one in paper(blind, case) for fact in one.facts)
    assert any(fact.label == "Prestación" for one in paper(alice, case) for fact in one.facts)
    client.force_login(world.charlie, backend=BACKEND)
    assert client.get(place).status_code == 404


def test_the_part_offers_the_case_from_which_one_comes(
    client: Client, world: World, case: Case, person: Citizen, row: Connection
) -> None:
    other = CaseFactory(unit=world.unit, citizen=person)
    client.force_login(world.alice, backend=BACKEND)
    part = f"/ciudadania/{person.uuid}/sistemas/{row.uuid}/"
    both = client.get(part, headers={"HX-Request": "true"}).content.decode()
    assert str(case.uuid) in both
    assert str(other.uuid) in both
    one = client.get(part, {"case": case.reference}, headers={"HX-Request": "true"})
    text = one.content.decode()
    assert f'name="case" value="{case.uuid}"' in text
    assert str(other.uuid) not in text
    sealed = text.split('name="shown" value="')[1].split('"')[0]
    given = {"case": str(case.uuid), "shown": sealed}
    there = client.post("/casos/incorporar/", given)
    assert there.status_code == 302
    assert client.post("/casos/incorporar/", given)["Location"] == there["Location"]
    assert "Ingreso mínimo vital" in client.get(there["Location"]).content.decode()
    assert client.post("/casos/incorporar/", {"shown": sealed}).status_code in (400, 422)


def test_it_stands_on_paper_with_what_it_says_for_employees_alone(
    alice: Actor, case: Case, person: Citizen, row: Connection
) -> None:
    freeze(alice, case.uuid, shown_to(alice, person, row))
    for variant, says in ((Variant.FULL, True), (Variant.CITIZEN, False)):
        told = content(case, variant, "es", alice)
        (step,) = [one for one in told.timeline if any(f.label == "SHA-256" for f in one.facts)]
        facts = {fact.label: fact.value for fact in step.facts}
        assert facts["Legal basis"] == "Ley 39/2015, art. 28.2"
        assert ("Prestación" in facts) is says


def test_a_merge_of_cases_carries_it_and_taking_it_back_returns_it(
    world: World, admin: Actor, alice: Actor, case: Case, person: Citizen, row: Connection
) -> None:
    frozen = freeze(alice, case.uuid, shown_to(alice, person, row))
    into = CaseFactory(unit=world.unit, citizen=person, case_type=case.case_type)
    boss = acting(employee(world.here, "supervisor", unit=world.unit))
    merge = merge_cases(boss, case.uuid, into.uuid, reason="Es el mismo")
    assert open_frozen(boss, into.uuid, frozen.uuid).records == frozen.records
    assert any(one.event and one.event.kind == "frozen" for one in whole_story(boss, into))
    undo_case_merge(boss, merge.uuid, reason="No lo era")
    assert open_frozen(boss, case.uuid, frozen.uuid).case_id == case.pk
