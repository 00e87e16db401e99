"""Who may be on record twice is proposed with reasons, never twice, and only to who may see both."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.citizens.models import Citizen, CitizenRecord, DuplicatePair, DuplicateScan, Identifier
from crm.citizens.services import duplicates
from crm.citizens.services.merging import merge_citizens, undo_merge
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory, ContactPointFactory

pytestmark = pytest.mark.django_db
BORN = date(1950, 2, 3)


@pytest.fixture
def boss(world: World) -> Actor:
    return acting(employee(world.here, "supervisor"))


def person(world: World, name: str = "Ana", surname1: str = "García", **more: object) -> Citizen:
    more = {"organisation": world.here, "nif": "", "birth_date": BORN, **more}
    return CitizenFactory(name=name, surname1=surname1, **more)


def look(actor: Actor, size: int = 500) -> DuplicateScan:
    scan = duplicates.start_scan(actor)
    while duplicates.look_on(size):
        pass
    scan.refresh_from_db()
    return scan


def pairs(actor: Actor) -> list[tuple[set[int], int, list[str]]]:
    rows = duplicates.open_pairs(actor).order_by("-score", "-pk")
    return [({row.one_id, row.other_id}, row.score, row.reasons) for row in rows]


def test_each_rule_finds_its_pair_and_says_why(world, boss):
    same = [person(world), person(world)]
    almost = [person(world, "Núria", "Vila"), person(world, "Nuria", "Villa")]
    reached = [
        person(world, "Joan", "Serra", birth_date=None),
        person(world, "Juan", "Serra", birth_date=None),
    ]
    for one in reached:
        ContactPointFactory(citizen=one, organisation=world.here, address="+34600111222")
    number = [
        person(world, "Pau", "Bosch", birth_date=None),
        person(world, "Marta", "Riba", birth_date=None),
    ]
    from django.utils import timezone

    Identifier.objects.create(
        citizen=number[0], kind="passport", value="AB1", country="MA", ended_at=timezone.now()
    )
    Identifier.objects.create(citizen=number[1], kind="passport", value="AB1", country="MA")
    scan = look(boss)
    assert (scan.looked, scan.found) == (8, 4)
    assert scan.finished_at is not None
    found = {frozenset(keys): (score, reasons) for keys, score, reasons in pairs(boss)}
    assert found[frozenset(p.pk for p in same)] == (95, ["born"])
    assert found[frozenset(p.pk for p in almost)] == (75, ["born_alike"])
    assert found[frozenset(p.pk for p in reached)] == (80, ["reached_alike"])
    assert frozenset(p.pk for p in number) in found


def test_people_who_only_share_a_name_a_birthday_or_a_telephone_are_not_proposed(world, boss):
    people = [
        person(world, "Ana", "García", birth_date=None),
        person(world, "Ana", "García", birth_date=None),
        person(world, "Ana", "Soler"),
        person(world, "Blai", "García"),
    ]
    for one in people[2:]:
        ContactPointFactory(citizen=one, organisation=world.here, address="+34600111222")
    person(world, organisation=world.elsewhere)
    assert look(boss).found == 0
    assert pairs(boss) == []


def test_two_who_were_found_different_are_never_proposed_again(world, boss):
    one, other = person(world), person(world)
    look(boss)
    (pair,) = duplicates.open_pairs(boss)
    duplicates.say_different(boss, pair.uuid)
    assert pairs(boss) == []
    assert look(boss).found == 0
    assert pairs(boss) == []
    third = person(world, "Otra", "Persona", birth_date=None)
    merge_citizens(boss, one.uuid, third.uuid, reason="La misma", taken=["name", "surname1"])
    Citizen.objects.filter(pk=third.pk).update(birth_date=BORN)
    look(boss)
    assert {frozenset((other.pk, third.pk))} not in [keys for keys, _s, _r in pairs(boss)]
    assert pairs(boss) == []


def test_a_merged_pair_is_not_proposed_and_an_undone_one_neither(world, boss):
    one, other = person(world), person(world)
    look(boss)
    merge = merge_citizens(boss, other.uuid, one.uuid, reason="La misma")
    assert pairs(boss) == []
    undo_merge(boss, merge.uuid, reason="No era la misma")
    assert pairs(boss) == []
    assert look(boss).found == 0


def test_a_merged_record_is_no_likely_duplicate_of_who_is_registered(world, boss):
    """Regression: a record that stays with the merged citizen was offered as the same person."""
    from crm.citizens.checking import Names
    from crm.citizens.matching import likely_duplicates

    one, other = person(world), person(world)
    merge_citizens(boss, other.uuid, one.uuid, reason="La misma")
    found = likely_duplicates(boss, Names("natural_person", "Ana", "García", "Prueba", BORN))
    assert [duplicate.citizen for duplicate in found] == [one]


def test_proposals_are_of_people_whom_the_actor_may_open(world, boss):
    one, other = person(world), person(world)
    CitizenRecord.objects.filter(citizen=other).update(protected=True, protected_reason="Orden")
    look(boss)
    assert len(pairs(boss)) == 1
    shown = duplicates.shown(boss, list(duplicates.open_pairs(boss)))
    assert {p.name for p in shown[0].people} == {"Ana García Prueba", "A. G. P."}
    from dataclasses import replace

    rights = {k: v for k, v in boss.permissions.items() if k != "citizens.view_protected"}
    assert not duplicates.open_pairs(replace(boss, permissions=rights)).exists()
    stranger = acting(employee(world.elsewhere, "supervisor"))
    assert not duplicates.open_pairs(stranger).exists()
    with pytest.raises(NotFound):
        duplicates.say_different(stranger, DuplicatePair.objects.get().uuid)
    with pytest.raises(Refused):
        duplicates.open_pairs(world.actor(world.alice))
    CitizenRecord.objects.create(citizen=one, organisation=world.elsewhere)
    assert not duplicates.open_pairs(stranger).exists()


def test_a_look_goes_on_where_it_stopped_and_only_one_runs(world, boss):
    for number in range(5):
        person(world, f"Ana{number}")
    scan = duplicates.start_scan(boss)
    with pytest.raises(Conflict):
        duplicates.start_scan(boss)
    assert duplicates.look_on(2)
    scan.refresh_from_db()
    assert (scan.looked, scan.finished_at) == (2, None)
    while duplicates.look_on(2):
        pass
    scan.refresh_from_db()
    assert (scan.looked, scan.finished_at is not None) == (5, True)
    records = CitizenRecord.objects.order_by("-pk")
    assert scan.last == records[0].pk


def test_a_batch_asks_the_same_few_questions_however_many_people_there_are(world, boss):
    counts = []
    for size in (3, 12):
        for number in range(size):
            person(world, f"Ana{number}", f"García{size}{number}")
            person(world, f"Ana{number}", f"García{size}{number}")
        duplicates.start_scan(boss)
        with CaptureQueriesContext(connection) as asked:
            duplicates.look_on(500)
        counts.append(len(asked))
        assert DuplicatePair.objects.filter(reasons=["born"]).exists()
    assert counts[0] == counts[1]
