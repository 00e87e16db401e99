"""Two cases become one and two again, and a part becomes a case of its own: nothing is lost."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from cases import services as cases
from cases.models import (
    Case,
    CaseMerge,
    Link,
    Message,
    Note,
    Participant,
)
from cases.models.merging import CASE, merged_into, references
from cases.services.merging import (
    merge_cases,
    preview_case_undo,
    split_case,
    undo_case_merge,
)
from cases.timeline import whole_story
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.ledger import guard_names, pointing_to
from tests.conftest import World
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.histories import Past, differences, everything

pytestmark = pytest.mark.django_db
WHY = "El mismo asunto, abierto dos veces"


@pytest.fixture
def alice(world: World) -> Actor:
    return world.actor(world.alice)


@pytest.fixture
def pair(world: World, alice: Actor) -> tuple[Case, Case]:
    """The case that stays, and the one to be merged into it."""
    person = CitizenFactory(organisation=world.here)
    CaseTypeFactory(organisation=world.here, term="30wd")
    stays, gone = (CaseFactory(unit=world.unit, citizen=person, actor=alice) for _ in range(2))
    cases.record_message(alice, gone.uuid, "Llamé ayer", channel="phone")
    cases.add_note(alice, gone.uuid, "Nota del otro")
    return stays, gone


def story(actor: Actor, case: Case) -> list[str]:
    return [str(entry.sentence) for entry in whole_story(actor, case)]


def test_what_the_merged_case_had_is_the_others_and_it_ends(world, alice, pair):
    stays, gone = pair
    other = CitizenFactory(organisation=world.here)
    cases.add_participant(alice, gone.uuid, other.uuid, "witness")
    message = Message.objects.get(case=gone)
    merge = merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    for model in (Message, Note, Participant):
        assert model.objects.get().case_id == stays.pk
    message.refresh_from_db()
    assert message.channel == "phone"  # by which it came
    gone.refresh_from_db()
    assert gone.ended
    assert gone.outcome == f"Merged into {stays.reference}"
    assert merged_into(gone) == stays
    link = Link.objects.get()
    assert (link.case_id, link.other_id, link.kind) == (gone.pk, stays.pk, "duplicate")
    assert merge.survivor_id == stays.pk


def test_the_story_of_what_stays_tells_what_happened_in_the_other(world, alice, pair):
    stays, gone = pair
    merge = merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    told = story(alice, stays)
    assert told == [
        "opened the case in Norte",
        "opened the case in Norte",
        "wrote down what the citizen said",
        "wrote an internal note",
        f"merged the case {gone.reference} into this one",
    ]
    notes = whole_story(alice, stays, ["notes"])
    assert notes[0].subject.body == "Nota del otro"
    assert story(alice, gone)[-1] == f"merged this case into {stays.reference}"
    undo_case_merge(alice, merge.uuid, reason=WHY)
    assert story(alice, stays) == [
        "opened the case in Norte",
        f"merged the case {gone.reference} into this one",
        f"took back the merge with the case {gone.reference}",
    ]


def test_the_term_runs_from_the_earlier_filing(world, alice, pair):
    stays, gone = pair
    earlier = timezone.now() - timedelta(days=30)
    Case.objects.filter(pk=gone.pk).update(opened_at=earlier)
    gone.refresh_from_db()
    before = stays.due_at
    merge = merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    stays.refresh_from_db()
    assert stays.opened_at == earlier
    assert stays.due_at < before
    undo_case_merge(alice, merge.uuid, reason=WHY)
    stays.refresh_from_db()
    assert stays.due_at == before


def test_writing_to_a_merged_case_is_refused_with_where_to_go_on(world, alice, pair):
    stays, gone = pair
    merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    third = CaseFactory(unit=world.unit, citizen=stays.citizen)
    for verb in (
        lambda: cases.add_note(alice, gone.uuid, "Tarde"),
        lambda: cases.reopen_case(alice, gone.uuid, reason="x"),
        lambda: cases.link_cases(alice, third.uuid, gone.uuid),
    ):
        with pytest.raises(Conflict) as refused:
            verb()
        assert refused.value.code == "case_merged"
        assert refused.value.details["merged_into"] == str(stays.uuid)
    for write in (
        lambda: Note.objects.create(case=gone, body="Tarde", author_name="x"),
        lambda: Message.objects.filter(case=stays).update(case=gone),
    ):
        with pytest.raises(OperationalError), transaction.atomic():
            write()


def test_what_may_not_be_merged_is_refused_with_the_reason(world, alice, pair):
    stays, gone = pair
    other = CaseFactory(unit=world.unit, citizen=CitizenFactory(organisation=world.here))
    secret = CaseFactory(unit=world.unit, citizen=stays.citizen, confidentiality=2)
    ended = CaseFactory(unit=world.unit, citizen=stays.citizen, actor=alice)
    Case.objects.filter(pk=ended.pk).update(category=5, closed_at=timezone.now())
    foreign = CaseFactory(unit=world.foreign_unit)
    hidden = CaseFactory(unit=world.other_unit, citizen=stays.citizen)
    with pytest.raises(Invalid):
        merge_cases(alice, stays.uuid, stays.uuid, reason=WHY)
    for one, into, code in (
        (other, stays, "cases_of_different_people"),
        (secret, stays, "less_confidential"),
        (gone, ended, "case_ended"),
    ):
        with pytest.raises(Conflict) as refused:
            merge_cases(alice, one.uuid, into.uuid, reason=WHY)
        assert refused.value.code == code
    for stranger in (foreign, hidden):
        with pytest.raises(NotFound):
            merge_cases(alice, gone.uuid, stranger.uuid, reason=WHY)
    with pytest.raises(Invalid):
        merge_cases(alice, gone.uuid, stays.uuid, reason="  ")
    assert not CaseMerge.objects.exists()


def test_a_chain_of_merges_is_taken_back_from_its_end(world, alice, pair):
    stays, gone = pair
    last = CaseFactory(unit=world.unit, citizen=stays.citizen)
    first = merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    second = merge_cases(alice, stays.uuid, last.uuid, reason=WHY)
    gone.refresh_from_db()
    assert merged_into(gone) == last
    assert "wrote an internal note" in story(alice, last)
    with pytest.raises(Conflict) as early:
        undo_case_merge(alice, first.uuid, reason=WHY)
    assert early.value.code == "merge_not_last"
    undo_case_merge(alice, second.uuid, reason=WHY)
    undo_case_merge(alice, first.uuid, reason=WHY)
    gone.refresh_from_db()
    assert merged_into(gone) is None
    assert not gone.ended


def test_a_part_becomes_a_case_of_its_own_and_goes_back_by_merging(world, alice, pair):
    stays, _gone = pair
    cases.record_message(alice, stays.uuid, "De esto", channel="phone")
    other = cases.record_message(alice, stays.uuid, "Y de lo otro", channel="email")
    note = cases.add_note(alice, stays.uuid, "Sobre lo otro")
    new = split_case(
        alice,
        stays.uuid,
        subject="Lo otro",
        reason="Son dos asuntos",
        messages=[other.uuid],
        notes=[note.uuid],
    )
    other.refresh_from_db()
    assert (other.case_id, other.channel) == (new.pk, "email")
    assert Note.objects.get(uuid=note.uuid).case_id == new.pk
    assert (new.citizen_id, new.unit_id, new.subject) == (
        stays.citizen_id,
        stays.unit_id,
        "Lo otro",
    )
    assert new.opened_at == max(stays.opened_at, other.created_at)
    assert story(alice, new)[-1] == f"split this case off from {stays.reference}"
    written = [e.subject for e in whole_story(alice, new, ["messages", "notes"])]
    assert written == [other, note]
    assert [e.subject for e in whole_story(alice, stays, ["notes"])] == [None]  # told, not shown
    merge_cases(alice, new.uuid, stays.uuid, reason="Era lo mismo")
    other.refresh_from_db()
    assert other.case_id == stays.pk
    assert [e.subject for e in whole_story(alice, stays, ["notes"])] == [note]
    with pytest.raises(NotFound):
        split_case(alice, stays.uuid, subject="X", reason="X", notes=[UUID(int=0)])
    with pytest.raises(Invalid):
        split_case(alice, stays.uuid, subject="X", reason="X")


def _comparable(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without the number of a case's newest event, its version and when it changed, which count what
    happened, and with it."""
    columns = [field.column for field in Case._meta.concrete_fields]
    shown = [c for c in columns if c not in {"last_event", "version", "updated_at"}]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({', '.join(shown)})::text FROM cases_case ORDER BY 1")  # noqa: S608
        rows = [row for (row,) in cursor.fetchall()]
    return {**tables, "cases_case": rows, "kit_idempotencykey": []}


@pytest.mark.parametrize("seed", range(6))
def test_merging_and_taking_back_leaves_the_database_as_it_was(world, seed):
    from crm.accounts.actors import system_actor
    from tests.factories.accounts import ORIGIN

    dice = Random(seed)  # noqa: S311
    past = Past(dice, world.unit, world.foreign_unit, people=2)
    actor = system_actor(world.here, ORIGIN)
    person = CitizenFactory(organisation=world.here)
    rows = [CaseFactory(unit=world.unit, citizen=dice.choice([None, person])) for _ in range(4)]
    past.cases = rows
    for _number in range(12):
        past.something()
    steps: list[tuple[UUID, dict[str, Any]]] = []
    while len(rows) > 1:
        gone = rows.pop(dice.randrange(len(rows)))
        into = dice.choice(rows)
        before = _comparable(everything())
        steps.append((merge_cases(actor, gone.uuid, into.uuid, reason=WHY).uuid, before))
        assert differences(before, _comparable(everything()))
    for merge, before in reversed(steps):
        shown = preview_case_undo(actor, merge)
        done = undo_case_merge(actor, merge, reason=WHY)
        assert (shown.returned, shown.newer) == (done.returned, [])
        assert differences(before, _comparable(everything())) == {}


def test_after_new_activity_what_is_new_stays_with_the_case_that_stayed(world, alice, pair):
    stays, gone = pair
    merge = merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    new = cases.add_note(alice, stays.uuid, "Después")
    done = undo_case_merge(alice, merge.uuid, reason=WHY)
    new.refresh_from_db()
    assert new.case_id == stays.pk
    assert Note.objects.get(body="Nota del otro").case_id == gone.pk
    assert [(str(c.label), c.rows) for c in done.stayed] == [("Internal notes", 1)]


def test_a_merge_of_cases_asks_for_its_right(world, alice, pair):
    stays, gone = pair
    merge = merge_cases(alice, gone.uuid, stays.uuid, reason=WHY)
    with pytest.raises(NotFound):
        undo_case_merge(world.actor(world.bob), merge.uuid, reason=WHY)
    from dataclasses import replace

    rights = {name: at for name, at in alice.permissions.items() if name != "cases.merge_case"}
    with pytest.raises(Refused):
        undo_case_merge(replace(alice, permissions=rights), merge.uuid, reason=WHY)


def test_every_key_to_a_case_says_what_becomes_of_it():
    """A foreign key to Case that no room registered is left behind by every merge."""
    known = {f"{reference.model}.{reference.field}" for reference in references}
    assert set(pointing_to(CASE)) == known


def test_every_key_to_a_case_is_guarded_by_the_database(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger")
        there = set(cursor.fetchall())
    for reference in references:
        table = reference.rows.model._meta.db_table
        for name in guard_names(reference):
            assert ((table, name) in there) is reference.guarded, (table, name)
