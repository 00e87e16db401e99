"""Relations between people: read from both sides, ended with a reason, and no right to anything."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord, Relation
from crm.citizens.services.merging import merge_citizens, undo_merge
from crm.citizens.services.related import NewRelation, end_relation, lines, record_relation
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(world: World) -> Citizen:
    return CitizenFactory(name="Ana", surname1="Roca", surname2="", organisation=world.here)


@pytest.fixture
def leo(world: World) -> Citizen:
    return CitizenFactory(name="Leo", surname1="Roca", surname2="", organisation=world.here)


@pytest.fixture
def alice(world: World) -> Actor:
    return world.actor(world.alice)


def told(actor: Actor, citizen: Citizen) -> list[tuple[str, str, bool]]:
    return [(line.name, line.kind, line.over) for line in lines(actor, citizen)]


def test_it_is_told_from_both_sides_and_in_both_trails(
    alice: Actor, ana: Citizen, leo: Citizen
) -> None:
    record_relation(alice, ana.uuid, NewRelation(leo.uuid, "child", source="register"))
    assert told(alice, ana) == [("Leo Roca", "Child", False)]
    assert told(alice, leo) == [("Ana Roca", "Parent", False)]
    entries = AuditEntry.objects.for_actor(alice).filter(data__relation="recorded")
    assert {(one.object_id, one.data["kind"]) for one in entries} == {
        (str(ana.uuid), "child"),
        (str(leo.uuid), "parent"),
    }


def test_the_same_one_is_on_record_once_from_either_side(
    alice: Actor, ana: Citizen, leo: Citizen
) -> None:
    record_relation(alice, ana.uuid, NewRelation(leo.uuid, "child"))
    for one, other, kind in ((ana, leo, "child"), (leo, ana, "parent")):
        with pytest.raises(Conflict):
            record_relation(alice, one.uuid, NewRelation(other.uuid, kind))
    record_relation(alice, ana.uuid, NewRelation(leo.uuid, "ward"))
    assert Relation.objects.for_actor(alice).count() == 2


def test_what_cannot_be_is_refused(alice: Actor, ana: Citizen, leo: Citizen) -> None:
    today = timezone.localdate()
    wrong = {
        "citizen": NewRelation(ana.uuid, "sibling"),
        "kind": NewRelation(leo.uuid, "owner"),
        "source": NewRelation(leo.uuid, "child", source="gossip"),
        "valid_until": NewRelation(
            leo.uuid, "child", valid_from=today, valid_until=today - timedelta(days=1)
        ),
    }
    for field, new in wrong.items():
        with pytest.raises(Invalid) as refused:
            record_relation(alice, ana.uuid, new)
        assert list(refused.value.errors) == [field]
    assert not Relation.objects.for_actor(alice).exists()


def test_it_is_ended_with_its_reason_and_never_changed(
    alice: Actor, ana: Citizen, leo: Citizen
) -> None:
    row = record_relation(alice, ana.uuid, NewRelation(leo.uuid, "spouse"))
    with pytest.raises(Invalid):
        end_relation(alice, leo.uuid, row.uuid, reason=" ")
    end_relation(alice, leo.uuid, row.uuid, reason="Divorcio")
    assert told(alice, ana) == []
    with pytest.raises(Conflict):
        end_relation(alice, ana.uuid, row.uuid, reason="Otra vez")
    mine = Relation.objects.for_actor(alice).filter(pk=row.pk)
    for change in (lambda: mine.update(kind="parent"), mine.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    record_relation(alice, ana.uuid, NewRelation(leo.uuid, "spouse"))


def test_a_guardian_sees_and_does_no_more_for_that(
    world: World, alice: Actor, ana: Citizen, leo: Citizen
) -> None:
    CitizenRecord.objects.filter(citizen=leo).update(protected=True, protected_reason="Orden")
    supervisor = acting(employee(world.here, "supervisor"))
    record_relation(supervisor, ana.uuid, NewRelation(leo.uuid, "ward"))
    assert told(alice, ana) == [("L. R.", "Under their guardianship", False)]
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.alice)
    assert client.get(reverse("citizens:detail", args=[leo.uuid])).status_code == 403
    shown = client.get(reverse("citizens:more", args=[ana.uuid])).content.decode()
    assert "Leo" not in shown
    with pytest.raises(Refused):
        record_relation(alice, ana.uuid, NewRelation(leo.uuid, "child"))


def test_of_strangers_nothing_is_recorded_or_told(
    world: World, alice: Actor, ana: Citizen, leo: Citizen
) -> None:
    row = record_relation(alice, ana.uuid, NewRelation(leo.uuid, "sibling"))
    theirs = CitizenFactory(organisation=world.elsewhere)
    charlie = world.actor(world.charlie)
    with pytest.raises(NotFound):
        record_relation(alice, ana.uuid, NewRelation(theirs.uuid, "sibling"))
    with pytest.raises(NotFound):
        end_relation(charlie, ana.uuid, row.uuid, reason="Nada")
    with pytest.raises(NotFound):
        end_relation(alice, theirs.uuid, row.uuid, reason="Nada")
    for citizen in (ana, leo):
        CitizenRecord.objects.create(citizen=citizen, organisation=world.elsewhere)
    assert told(charlie, ana) == [], "what one organisation knows is its own"


def test_it_is_recorded_and_ended_on_the_page(world: World, ana: Citizen, leo: Citizen) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.alice)
    place = reverse("citizens:new_relation", args=[ana.uuid])
    assert client.get(place).status_code == 200
    wrong = client.post(place, {"kind": "child", "source": "declared", "remarks": "Kept"})
    assert wrong.status_code in (404, 422)
    given = {"citizen": str(leo.uuid), "kind": "child", "source": "document"}
    assert client.post(place, given).status_code == 302
    assert client.post(place, given).status_code == 409
    more = client.get(reverse("citizens:more", args=[ana.uuid])).content.decode()
    assert "Leo Roca" in more
    row = Relation.objects.unscoped("a test").get()
    end = reverse("citizens:end_relation", args=[ana.uuid, row.uuid])
    assert end in more
    assert client.get(end).status_code == 200
    assert client.post(end, {"reason": ""}).status_code == 422
    assert client.post(end, {"reason": "Emancipación"}).status_code == 302
    assert "Leo Roca" not in client.get(reverse("citizens:more", args=[ana.uuid])).content.decode()


def test_merging_people_carries_their_relations_and_gives_them_back(
    world: World, alice: Actor, ana: Citizen, leo: Citizen
) -> None:
    again = CitizenFactory(name="Anna", surname1="Roca", surname2="", organisation=world.here)
    record_relation(alice, ana.uuid, NewRelation(leo.uuid, "child"))
    record_relation(alice, again.uuid, NewRelation(leo.uuid, "child"))
    boss = acting(employee(world.here, "supervisor"))
    merge = merge_citizens(boss, ana.uuid, again.uuid, reason="La misma", despite=True)
    survivor = Citizen.objects.get(pk=again.pk)
    assert told(boss, survivor) == [("Leo Roca", "Child", False)]
    undo_merge(boss, merge.uuid, reason="No lo era")
    assert told(boss, ana) == told(boss, again) == [("Leo Roca", "Child", False)]
