"""Two records of one person become one, and two again: nothing is lost on either way."""

from random import Random
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.utils import ProgrammingError

from cases import services as cases
from cases.models import Case, Participant
from crm.audit.models import AuditEntry
from crm.citizens import checking
from crm.citizens.aliases import known_as
from crm.citizens.merge_models import CITIZEN, references
from crm.citizens.models import (
    Channel,
    Citizen,
    CitizenRecord,
    Consent,
    DuplicatePair,
    Identifier,
    Merge,
    MergeLine,
)
from crm.citizens.selectors import contact_points
from crm.citizens.services import details, records, registration
from crm.citizens.services.consents import last_word
from crm.citizens.services.merging import (
    CHOSEN,
    counts,
    merge_citizens,
    pair_of,
    preview_undo,
    undo_merge,
)
from crm.citizens.story import timeline
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.ledger import guard_names, pointing_to
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.campaigns import say, topic_of
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory, made_up_nif
from tests.factories.histories import Past, differences, everything, nif_of

pytestmark = pytest.mark.django_db
WHY = "La misma persona, dada de alta dos veces"


@pytest.fixture
def boss(world: World) -> Actor:
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


@pytest.fixture
def ana(world: World) -> Citizen:
    return CitizenFactory(name="Ana", surname1="García", organisation=world.here, nif="")


@pytest.fixture
def anna(world: World) -> Citizen:
    return CitizenFactory(name="Anna", surname1="Garcia", organisation=world.here, nif="")


# --- what is merged is one ----------------------------------------------------------------------


def test_all_of_the_merged_record_points_to_the_survivor(world, boss, ana, anna):
    case = CaseFactory(unit=world.unit, citizen=anna)
    part = CaseFactory(unit=world.unit, citizen=None)
    cases.add_participant(boss, part.uuid, anna.uuid, "witness")
    point = ContactPointFactory(citizen=anna, organisation=world.here)
    number = Identifier.objects.create(citizen=anna, kind="passport", value="AB1", country="MA")
    merge = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    for row in (case, point, number):
        row.refresh_from_db()
        assert row.citizen_id == ana.pk
    assert Participant.objects.get(case=part).citizen_id == ana.pk
    anna.refresh_from_db()
    assert anna.merged_into_id == ana.pk
    assert known_as(ana) == [str(ana.uuid), str(anna.uuid)]
    assert Citizen.objects.for_actor(boss).known_by(anna.uuid).get() == ana
    moved = set(merge.lines.filter(before=str(anna.pk)).values_list("model", "row", "column"))
    assert moved == {
        ("cases.case", case.pk, "citizen"),
        ("cases.participant", Participant.objects.get(case=part).pk, "citizen"),
        ("citizens.contactpoint", point.pk, "citizen"),
        ("citizens.identifier", number.pk, "citizen"),
    }


def test_the_survivor_takes_what_was_chosen_and_keeps_the_rest(world, boss, ana, anna):
    CitizenRecord.objects.filter(citizen=anna).update(
        language="ca", accessibility_needs=["hearing"], preferred_channel="email"
    )
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY, taken=["name", "language"])
    ana.refresh_from_db()
    record = CitizenRecord.objects.get(citizen=ana, organisation=world.here)
    assert (ana.name, ana.surname1) == ("Anna", "García")
    assert (record.language, record.preferred_channel, record.accessibility_needs) == ("ca", "", [])


def test_the_same_address_stands_once_and_the_last_word_on_it_counts(world, boss, ana, anna):
    topic = topic_of(world.here)
    points = [
        ContactPointFactory(
            citizen=one,
            organisation=world.here,
            channel=Channel.EMAIL,
            address="ana@correo.example",
            preferred=True,
        )
        for one in (ana, anna)
    ]
    say(world.here, points[0], topic, "granted")
    say(world.here, points[1], topic, "withdrawn")
    before = Consent.objects.count()
    merge = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    assert contact_points(boss, ana) == [points[0]]
    assert last_word(points[0], topic) == "withdrawn"
    points[1].refresh_from_db()
    assert points[1].citizen_id == ana.pk
    assert points[1].ended_at is not None
    assert not points[1].preferred
    undo_merge(boss, merge.uuid, reason=WHY)
    assert last_word(points[0], topic) == "granted"
    assert Consent.objects.count() == before


def test_what_an_organisation_protects_stays_protected(world, boss, ana, anna):
    records_ = [
        CitizenRecord.objects.create(
            citizen=one,
            organisation=world.elsewhere,
            accessibility_needs=[need],
            **({"protected": True, "protected_reason": "Orden"} if one == anna else {}),
        )
        for one, need in ((ana, "sight"), (anna, "hearing"))
    ]
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY, taken=["accessibility_needs"])
    records_[0].refresh_from_db()
    assert records_[0].protected
    assert records_[0].protected_reason == "Orden"
    assert records_[0].accessibility_needs == ["sight", "hearing"]


def test_rows_of_other_organisations_move_and_are_not_shown(world, boss, ana, anna):
    CitizenRecord.objects.create(citizen=anna, organisation=world.elsewhere)
    theirs = CaseFactory(unit=world.foreign_unit, citizen=anna)
    CaseFactory(unit=world.unit, citizen=anna)
    shown = {str(count.label): count.rows for count in counts(boss, anna)}
    assert shown == {"Citizen's records": 1, "Cases": 1}
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    theirs.refresh_from_db()
    assert theirs.citizen_id == ana.pk
    charlie = world.actor(world.charlie)
    assert records.open_citizen(charlie, anna.uuid, reason="Llama").citizen == ana
    told = AuditEntry.objects.filter(
        organisation_id=world.elsewhere.pk, action="citizens.merge_citizens"
    )
    assert [(entry.actor_kind, entry.data) for entry in told] == [
        ("system", {"merged": "elsewhere"})
    ]


def test_both_tell_of_it_in_their_story(world, boss, ana, anna):
    merge = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    assert [str(moment.text) for moment in timeline(boss, ana)["moments"]] == [
        "merged another record of the person into this one",
        "merged this record into another of the person",
    ]
    undo_merge(boss, merge.uuid, reason=WHY)
    told = [
        [str(moment.text) for moment in timeline(boss, Citizen.objects.get(pk=one.pk))["moments"]]
        for one in (ana, anna)
    ]
    assert told[0][0] == "took a merge back: this record is apart again"
    assert told[1][0] == "took a merge back: this record is its own again"
    assert [len(texts) for texts in told] == [2, 2]


# --- who may, and what speaks against it --------------------------------------------------------


def test_a_record_is_not_merged_with_itself_nor_twice(world, boss, ana, anna):
    with pytest.raises(Invalid) as itself:
        merge_citizens(boss, ana.uuid, ana.uuid, reason=WHY)
    assert itself.value.errors == {"into": ["A record cannot be merged with itself."]}
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    other = CitizenFactory(organisation=world.here)
    for pair in ((anna, other), (other, anna), (ana, anna)):
        with pytest.raises(Conflict) as already:
            merge_citizens(boss, pair[0].uuid, pair[1].uuid, reason=WHY)
        assert already.value.code == "citizen_merged"
        assert already.value.details == {"merged_into": str(ana.uuid)}
    assert Merge.objects.count() == 1


def test_who_may_not_is_refused_and_strangers_do_not_exist(world, boss, ana, anna):
    with pytest.raises(Refused):
        merge_citizens(world.actor(world.alice), anna.uuid, ana.uuid, reason=WHY)
    stranger = CitizenFactory(organisation=world.elsewhere)
    for pair in ((stranger.uuid, ana.uuid), (ana.uuid, stranger.uuid), (uuid4(), ana.uuid)):
        with pytest.raises(NotFound):
            merge_citizens(boss, *pair, reason=WHY)
    with pytest.raises(Invalid):
        merge_citizens(boss, anna.uuid, ana.uuid, reason=" ")
    with pytest.raises(Invalid):
        merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY, taken=["merged_into"])
    assert not Merge.objects.exists()


def test_a_protected_record_is_merged_only_by_who_may_open_it(world, ana, anna, monkeypatch):
    from dataclasses import replace

    CitizenRecord.objects.filter(citizen=anna).update(protected=True, protected_reason="Orden")
    able = acting(employee(world.here, "supervisor"))
    lesser = replace(
        able,
        permissions={
            name: reach
            for name, reach in able.permissions.items()
            if name != "citizens.view_protected"
        },
    )
    for pair in ((anna, ana), (ana, anna)):
        with pytest.raises(Refused) as refused:
            merge_citizens(lesser, pair[0].uuid, pair[1].uuid, reason=WHY)
        assert "protected" in str(refused.value)
    merge_citizens(able, anna.uuid, ana.uuid, reason=WHY)


def test_nobody_has_two_verified_nif(world, boss, ana, anna):
    nif_of(ana, 1, verified=True)
    nif_of(anna, 2, verified=True)
    for despite in (False, True):
        with pytest.raises(Conflict) as refused:
            merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY, despite=despite)
        assert refused.value.code == "citizens_differ"
    natural, legal = ana, CitizenFactory(kind="legal_person", organisation=world.here, nif="")
    with pytest.raises(Conflict) as kinds:
        merge_citizens(boss, legal.uuid, natural.uuid, reason=WHY, despite=True)
    assert kinds.value.code == "citizens_differ"


@pytest.mark.parametrize("kind", ["passport", "nie", "nif"])
def test_two_numbers_of_a_kind_ask_for_a_second_look(world, boss, ana, anna, kind):
    for number, one in enumerate((ana, anna)):
        Identifier.objects.create(citizen=one, kind=kind, value=f"X{number}")
    with pytest.raises(Conflict) as doubted:
        merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    assert doubted.value.code == "citizens_may_differ"
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY, despite=True)
    assert set(ana.identifiers.values_list("value", flat=True)) == {"X0", "X1"}


def test_what_a_colleague_found_different_asks_for_a_second_look(world, boss, ana, anna):
    from crm.citizens.services.merging import remember_different

    remember_different(boss, anna, ana)
    assert [str(doubt.text) for doubt in pair_of(boss, anna.uuid, ana.uuid).doubts(boss)] == [
        "A colleague found that they are not the same person."
    ]
    with pytest.raises(Conflict):
        merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)


# --- the merged record is a name that leads to the survivor -------------------------------------


def test_verbs_on_the_old_uuid_reach_the_survivor(world, boss, ana, anna):
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    point = details.add_contact_point(
        boss, anna.uuid, checking.NewContactPoint(channel="phone", address="600 123 123")
    )
    assert point.citizen_id == ana.pk
    registration.change_citizen(boss, anna.uuid, checking.Names("natural_person", "Aina", "Gil"))
    ana.refresh_from_db()
    assert ana.name == "Aina"
    CaseTypeFactory(organisation=world.here, code="tipo")
    case = cases.open_case(
        boss, cases.NewCase(case_type="tipo", subject="X", citizen=anna.uuid, unit=world.unit.uuid)
    )
    assert case.citizen_id == ana.pk


def test_the_database_refuses_to_write_to_a_merged_record(world, boss, ana, anna):
    case = CaseFactory(unit=world.unit, citizen=ana)
    CitizenRecord.objects.create(citizen=ana, organisation=world.elsewhere)
    CitizenRecord.objects.create(citizen=anna, organisation=world.elsewhere)  # stays with anna
    merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    for error, write in (
        (ProgrammingError, lambda: Citizen.objects.filter(pk=anna.pk).update(name="Otra")),
        (OperationalError, lambda: Case.objects.filter(pk=case.pk).update(citizen=anna)),
        (
            OperationalError,
            lambda: CitizenRecord.objects.filter(citizen=anna).update(language="ca"),
        ),
        (OperationalError, lambda: Identifier.objects.create(citizen=anna, kind="nif", value="1")),
        (
            OperationalError,
            lambda: Participant.objects.bulk_create(
                [Participant(case=case, citizen=one, role="witness") for one in (ana, anna)]
            ),
        ),
        (OperationalError, lambda: Citizen.objects.filter(pk=ana.pk).update(merged_into=anna)),
    ):
        with pytest.raises(error), transaction.atomic():
            write()
    assert CitizenRecord.objects.filter(citizen=anna).count() == 2


def test_every_key_to_a_citizen_says_what_becomes_of_it():
    """A foreign key to Citizen that no room registered is left behind by every merge."""
    known = {f"{reference.model}.{reference.field}" for reference in references}
    assert set(pointing_to(CITIZEN)) == known


def test_every_key_to_a_citizen_is_guarded_by_the_database(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger")
        there = set(cursor.fetchall())
    for reference in references:
        table = reference.rows.model._meta.db_table
        for name in guard_names(reference):
            assert ((table, name) in there) is reference.guarded, (table, name)


# --- taking it back -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_merging_and_taking_back_leaves_the_database_as_it_was(world, boss, seed):
    dice = Random(seed)  # noqa: S311
    past = Past(dice, world.unit, world.foreign_unit)
    steps: list[tuple[UUID, dict[str, list[str]]]] = []
    people = list(past.people)
    while len(people) > 1:
        before = everything()
        merged = people.pop(dice.randrange(len(people)))
        into = dice.choice(people)
        taken = dice.sample(CHOSEN, dice.randrange(len(CHOSEN)))
        merge = merge_citizens(boss, merged.uuid, into.uuid, reason=WHY, taken=taken, despite=True)
        assert differences(before, everything())
        steps.append((merge.uuid, before))
    for merge_id, before in reversed(steps):
        assert not preview_undo(boss, merge_id).newer
        assert not undo_merge(boss, merge_id, reason=WHY, different=False).newer
        assert differences(before, everything()) == {}
    assert MergeLine.objects.exists()


@pytest.mark.parametrize("seed", range(4))
def test_a_preview_changes_nothing(world, boss, seed):
    past = Past(Random(seed), world.unit, world.foreign_unit, people=2)  # noqa: S311
    one, other = past.people
    merge = merge_citizens(boss, one.uuid, other.uuid, reason=WHY, despite=True)
    before = everything()
    shown = preview_undo(boss, merge.uuid)
    assert differences(before, everything()) == {}
    assert shown.returned == undo_merge(boss, merge.uuid, reason=WHY).returned


def test_after_new_activity_what_belongs_to_what_goes_back_goes_along(world, boss, ana, anna):
    going, staying = (CaseFactory(unit=world.unit, citizen=one) for one in (anna, ana))
    merge = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY, taken=["surname1"])
    cases.add_participant(boss, going.uuid, ana.uuid, "witness")
    cases.add_participant(boss, staying.uuid, ana.uuid, "witness")
    cases.add_note(boss, going.uuid, "Escrito después de unir")
    new = CaseFactory(unit=world.unit, citizen=ana)
    registration.change_citizen(boss, ana.uuid, checking.Names("natural_person", "Ana", "Gracia"))
    number = details.add_identifier(
        boss, ana.uuid, checking.NewIdentifier(kind="nif", value=made_up_nif(5))
    )
    shown = preview_undo(boss, merge.uuid)
    done = undo_merge(boss, merge.uuid, reason="No eran la misma")
    assert (shown.returned, shown.along, shown.stayed, shown.newer) == (
        done.returned,
        done.along,
        done.stayed,
        done.newer,
    )
    for row, owner in ((going, anna), (staying, ana), (new, ana), (number, ana)):
        row.refresh_from_db()
        assert row.citizen_id == owner.pk
    assert Participant.objects.get(case=going).citizen_id == anna.pk
    assert Participant.objects.get(case=staying).citizen_id == ana.pk
    ana.refresh_from_db()
    assert ana.surname1 == "Gracia"  # corrected since: the newer name stays
    assert [(str(c.label), c.rows) for c in done.returned] == [("Cases", 1)]
    assert [(str(c.label), c.rows) for c in done.along] == [("Participants", 1)]
    assert [(str(c.label), c.rows) for c in done.stayed] == [
        ("Identification numbers", 1),
        ("Cases", 1),
        ("Participants", 1),
    ]
    assert done.newer == ["Citizen: first surname was changed since, and stays so."]
    assert DuplicatePair.objects.get().verdict == "different"


def test_a_case_given_to_another_since_stays_theirs(world, boss, ana, anna):
    case = CaseFactory(unit=world.unit, citizen=anna)
    merge = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    third = CitizenFactory(organisation=world.here)
    cases.edit_case(boss, case.uuid, {"citizen": third.uuid})
    done = undo_merge(boss, merge.uuid, reason=WHY)
    case.refresh_from_db()
    assert case.citizen_id == third.pk
    assert done.newer == ["Case: citizen was changed since, and stays so."]


def test_a_chain_is_taken_back_from_its_end(world, boss, ana, anna):
    last = CitizenFactory(organisation=world.here, nif="")
    first = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    second = merge_citizens(boss, ana.uuid, last.uuid, reason=WHY)
    assert Citizen.objects.for_actor(boss).known_by(anna.uuid).get() == last
    with pytest.raises(Conflict) as early:
        undo_merge(boss, first.uuid, reason=WHY)
    assert early.value.code == "merge_not_last"
    undo_merge(boss, second.uuid, reason=WHY)
    undo_merge(boss, first.uuid, reason=WHY)
    with pytest.raises(Conflict) as twice:
        undo_merge(boss, first.uuid, reason=WHY)
    assert twice.value.code == "merge_undone"
    assert Citizen.objects.for_actor(boss).known_by(anna.uuid).get() == anna


def test_merges_into_one_record_are_taken_back_newest_first(world, boss, ana, anna):
    other = CitizenFactory(organisation=world.here, nif="")
    first = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    merge_citizens(boss, other.uuid, ana.uuid, reason=WHY)
    with pytest.raises(Conflict) as early:
        undo_merge(boss, first.uuid, reason=WHY)
    assert early.value.code == "merge_not_last"


def test_taking_back_asks_for_the_same_right(world, boss, ana, anna):
    merge = merge_citizens(boss, anna.uuid, ana.uuid, reason=WHY)
    with pytest.raises(Refused):
        undo_merge(world.actor(world.alice), merge.uuid, reason=WHY)
    stranger = acting(employee(world.elsewhere, "supervisor"))
    with pytest.raises(NotFound):
        undo_merge(stranger, merge.uuid, reason=WHY)
