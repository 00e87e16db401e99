"""Whoever speaks for somebody is shown no more than their mandate, in the newer parts as in the old."""

from dataclasses import replace

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from cases.counters import Count, Wanted, counts
from cases.drafts import drafts_on
from cases.frozen import kept_in, of_case, told_in
from cases.lists import CaseFilter
from cases.models import Case, EventKind, FrozenAnswer
from cases.services.drafting import save_draft, share_draft, take_draft
from cases.services.freezing import open_frozen
from cases.services.writing import write
from crm.audit.record import record
from crm.citizens import looks
from crm.citizens.attending import by_mandate, narrowed
from crm.citizens.looks import Period
from crm.citizens.models import Citizen, Mandate
from crm.citizens.services.merging import merge_citizens
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.actor import Actor
from crm.kit.errors import NotFound, Refused
from tests.api.conftest import key_for
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.mandates import make_mandate

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(world: World) -> Actor:
    return acting(employee(world.here, "supervisor", unit=world.unit))


@pytest.fixture
def father(world: World) -> Citizen:
    made: Citizen = CitizenFactory(name="Manuel", organisation=world.here)
    return made


@pytest.fixture
def daughter(world: World) -> Citizen:
    made: Citizen = CitizenFactory(name="Carmen", organisation=world.here)
    return made


@pytest.fixture
def case(world: World, father: Citizen) -> Case:
    kind = CaseTypeFactory(organisation=world.here, code="pension")
    made: Case = CaseFactory(unit=world.unit, citizen=father, case_type=kind)
    return made


@pytest.fixture
def partly(worker: Actor, father: Citizen, daughter: Citizen) -> Mandate:
    boss = acting(employee(father.records.get().organisation, "office"))
    return make_mandate(
        boss, father, daughter, scope="matter", covers=["pension"], acts=["inform", "file"]
    )


def kept(actor: Actor, case: Case, of: Citizen, **given: str) -> FrozenAnswer:
    """What a system said of somebody, in the case and told by an event of it."""
    now = timezone.now()
    said = {
        "connection": of.uuid,
        "source": "Registro",
        "permission": CONSULT_SYSTEMS,
        "purpose": "Caso",
        "records": [[["Prestación", "Ingreso mínimo vital"]]],
        "asked_at": now,
        "obtained_at": now,
        "frozen_at": now,
        "by_name": actor.name,
        "content": "{}",
        "sha256": of.uuid.hex,
        **given,
    }
    row = FrozenAnswer.objects.create(
        organisation_id=case.organisation_id, case=case, citizen=of, **said
    )
    case.refresh_from_db()
    write(actor, "cases.change_case", case, EventKind.FROZEN, {"frozen": str(row.uuid)})
    return row


def test_by_a_mandate_nothing_is_read_that_systems_said_of_others_in_the_case(
    world: World, worker: Actor, case: Case, father: Citizen, daughter: Citizen
) -> None:
    """A kept answer about another participant was read On-Behalf-Of the citizen's representative."""
    boss = acting(employee(world.here, "office"))
    mandate = make_mandate(boss, father, daughter)
    tenant = CitizenFactory(name="Tina", organisation=world.here)
    own, other = kept(worker, case, father), kept(worker, case, tenant)
    by = by_mandate(worker, str(mandate.uuid))
    assert open_frozen(by, case.uuid, own.uuid) == own
    with pytest.raises(NotFound):
        open_frozen(by, case.uuid, other.uuid)
    assert [row.uuid for row in kept_in(by, case)] == [own.uuid]
    assert open_frozen(worker, case.uuid, other.uuid) == other


def test_what_systems_said_is_on_no_paper_for_who_speaks_in_one_matter(
    worker: Actor, case: Case, father: Citizen, daughter: Citizen, partly: Mandate
) -> None:
    """The page refused it, the list led to it and the sealed history printed it."""
    row = kept(worker, case, father)
    attending = narrowed(worker, [(daughter.uuid, father.uuid)])
    events = list(case.events.all())
    with pytest.raises(Refused):
        open_frozen(attending, case.uuid, row.uuid)
    assert of_case(attending, case) == [(row, False)]
    assert told_in(attending, case, events) == {}
    assert list(told_in(worker, case, events)) == [str(row.uuid)]


def test_who_may_not_ask_systems_reads_on_paper_no_answer_of_one_with_a_right_of_its_own(
    worker: Actor, case: Case, father: Citizen
) -> None:
    """The page asked for both rights, the paper only for the system's own."""
    row = kept(worker, case, father, permission="cases.view_case")
    rights = {name: reach for name, reach in worker.permissions.items() if name != CONSULT_SYSTEMS}
    blind = replace(worker, permissions=rights)
    with pytest.raises(Refused):
        open_frozen(blind, case.uuid, row.uuid)
    assert of_case(blind, case) == [(row, False)]
    assert told_in(blind, case, list(case.events.all())) == {}


def test_the_report_of_who_looked_names_no_case_to_who_speaks_in_one_matter(
    world: World, worker: Actor, case: Case, father: Citizen, daughter: Citizen, partly: Mandate
) -> None:
    """It lists every case of the person, also those that the mandate does not reach."""
    officer = acting(employee(world.here, "data_protection"))
    secret = CaseFactory(unit=world.unit, citizen=father)
    record(worker, "viewed", secret)
    attending = narrowed(officer, [(daughter.uuid, father.uuid)])
    with pytest.raises(Refused):
        looks.report(attending, father.uuid, Period())
    _opened, page = looks.report(officer, father.uuid, Period())
    assert any(secret.reference in look.what for look in looks.told(officer, page.rows))


def test_drafts_that_colleagues_share_are_not_for_who_asks_by_a_mandate(
    world: World, worker: Actor, case: Case, father: Citizen, daughter: Citizen
) -> None:
    """What is not sent is no part of the file; a representative's system read it all the same."""
    boss = acting(employee(world.here, "office"))
    mandate = make_mandate(boss, father, daughter)
    draft = save_draft(worker, case.uuid, "reply", "Se le denegará")
    assert draft is not None
    share_draft(worker, draft.uuid)
    by = by_mandate(boss, str(mandate.uuid))
    assert [one.pk for one in drafts_on(boss, case).shared] == [draft.pk]
    assert drafts_on(by, case).shared == []
    with pytest.raises(NotFound):
        take_draft(by, draft.uuid)


def test_who_attends_counts_what_they_are_shown_and_colleagues_count_their_own(
    world: World, worker: Actor, case: Case, father: Citizen, daughter: Citizen, partly: Mandate
) -> None:
    """The number of one was kept for the other, as if both saw the same."""
    cache.clear()
    rent = CaseTypeFactory(organisation=world.here, code="alquiler")
    CaseFactory(unit=world.unit, citizen=father, case_type=rent)
    attending = narrowed(worker, [(daughter.uuid, father.uuid)])
    wanted = {"x": Wanted("estado:abierto", lambda: CaseFilter(work="all"), personal=False)}
    assert counts(attending, wanted) == {"x": Count(1)}
    assert counts(worker, wanted) == {"x": Count(2)}
    assert counts(attending, wanted) == {"x": Count(1)}


def test_after_a_merge_of_people_the_mandate_bounds_what_was_kept_of_the_old_record(
    world: World, worker: Actor, case: Case, father: Citizen, daughter: Citizen, partly: Mandate
) -> None:
    """What was kept of the record that was merged counted as of somebody else, whom nobody attends."""
    before = CitizenFactory(name="Manolo", organisation=world.here)
    row = kept(worker, case, before)
    boss = acting(employee(world.here, "supervisor"))
    merge_citizens(boss, before.uuid, father.uuid, reason="Es el mismo", despite=True)
    attending = narrowed(worker, [(daughter.uuid, father.uuid)])
    assert open_frozen(worker, case.uuid, row.uuid) == row
    with pytest.raises(Refused):
        open_frozen(attending, case.uuid, row.uuid)
    assert of_case(attending, case) == [(row, False)]


def test_what_was_kept_of_a_protected_person_is_read_by_who_opens_such_records(
    world: World, worker: Actor, case: Case, father: Citizen
) -> None:
    """Whoever saw the case read it, who could not have asked the system themselves."""
    row = kept(worker, case, father)
    agent = acting(employee(world.here, "agent", unit=world.unit))
    assert open_frozen(agent, case.uuid, row.uuid) == row
    father.records.update(protected=True, protected_reason="Medida judicial")
    with pytest.raises(Refused):
        open_frozen(agent, case.uuid, row.uuid)
    assert of_case(agent, case) == [(row, False)]
    assert told_in(agent, case, list(case.events.all())) == {}
    assert open_frozen(worker, case.uuid, row.uuid) == row


def test_relations_of_a_protected_person_are_listed_by_who_opens_such_records(
    world: World, father: Citizen
) -> None:
    """By API they were there for whoever sees citizens, without a reason."""
    father.records.update(protected=True, protected_reason="Medida judicial")
    address = f"/api/v1/citizens/{father.uuid}/relations/"
    for scopes, why, status in (
        (("citizens.view_citizen",), "Revisión", 403),
        (("citizens.view_citizen", "citizens.view_protected"), "", 403),
        (("citizens.view_citizen", "citizens.view_protected"), "Revisión", 200),
    ):
        key = key_for(world.here, *scopes, name=f"{len(scopes)} {why}")
        headers = {"authorization": f"Bearer {key}", "access-purpose": why}
        answer = Client().get(address, headers=headers)
        assert answer.status_code == status, (scopes, why)
