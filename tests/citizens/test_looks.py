"""Who looked: the person is told when, why and what kind of reader; the auditor, who."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.services.documents import attach_document
from crm.audit.models import AuditEntry
from crm.citizens import looks
from crm.citizens.looks import Period
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.services.records import open_citizen
from crm.kit.actor import Actor
from crm.kit.errors import NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lucia(world: World) -> Citizen:
    return CitizenFactory(name="Lucía", surname1="Sanz", organisation=world.here)


@pytest.fixture
def officer(world: World) -> Actor:
    return acting(employee(world.here, "data_protection", full_name="Delia Delegada"))


@pytest.fixture
def auditor(world: World) -> Actor:
    return acting(employee(world.here, "auditor", full_name="Aurora Auditora"))


def signed_in(user: object) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def test_the_person_is_told_when_and_why_and_by_what_kind_never_by_whom(
    world: World, lucia: Citizen, officer: Actor
) -> None:
    alice = world.actor(world.alice)
    open_citizen(alice, lucia.uuid, reason="Her pension")
    _opened, page = looks.report(officer, lucia.uuid, Period())
    own, look = looks.told(officer, page.rows)
    assert (look.purpose, str(look.kind), look.body) == (
        "Her pension",
        "A public employee",
        world.here.name,
    )
    assert own.purpose == "Report of who looked, for the person"
    client = signed_in(employee(world.here, "data_protection"))
    shown = client.get(reverse("citizens:looks", args=[lucia.uuid])).content.decode()
    assert "Her pension" in shown
    paper = shown.split('aria-label="Report"')[1]
    assert alice.name not in shown
    assert officer.name not in paper
    named = reverse("citizens:looks_named", args=[lucia.uuid])
    assert named not in shown
    assert client.get(named).status_code == 403


def test_looks_at_their_cases_and_papers_are_told_too_and_at_others_are_not(
    world: World, lucia: Citizen, officer: Actor
) -> None:
    mine = CaseFactory(unit=world.unit, citizen=lucia)
    other = CaseFactory(unit=world.unit, citizen=CitizenFactory(organisation=world.here))
    client = signed_in(world.alice)
    for case in (mine, other):
        client.get(reverse("cases:detail", args=[case.uuid]))
    alice = world.actor(world.alice)
    paper = attach_document(alice, mine.uuid, [b"%PDF-1.4\n"], "poder.pdf")
    client.get(reverse("cases:document", args=[mine.uuid, paper.uuid]))
    _opened, page = looks.report(officer, lucia.uuid, Period())
    told = looks.told(officer, page.rows)
    assert any(mine.reference in look.what for look in told)
    assert any("poder.pdf" in look.what for look in told)
    assert not any(other.reference in look.what for look in told)


def test_the_days_are_both_included(world: World, lucia: Citizen, officer: Actor) -> None:
    open_citizen(world.actor(world.alice), lucia.uuid)
    today = timezone.localdate()

    def seen(since: date | None, until: date | None) -> int:
        _opened, page = looks.report(officer, lucia.uuid, Period(since, until))
        return sum(1 for entry in page.rows if entry.actor_name == world.alice.full_name)

    day = timedelta(days=1)
    assert (seen(today, today), seen(today + day, None), seen(None, today - day)) == (1, 0, 0)


def test_the_paper_speaks_the_persons_language(world: World, lucia: Citizen) -> None:
    CitizenRecord.objects.filter(citizen=lucia).update(language="fr")
    client = signed_in(employee(world.here, "data_protection"))
    place = reverse("citizens:looks", args=[lucia.uuid])
    assert 'lang="fr" aria-label="Report"' in client.get(place).content.decode()
    assert 'lang="eu"' in client.get(place, {"idioma": "eu"}).content.decode()
    forged = client.get(place, {"idioma": '"><script>', "desde": "never"})
    assert forged.status_code == 200
    assert 'lang="fr" aria-label="Report"' in forged.content.decode()


def test_a_protected_persons_report_asks_for_the_reason(world: World, lucia: Citizen) -> None:
    rows = CitizenRecord.objects.filter(citizen=lucia)
    rows.update(protected=True, protected_reason="Orden")
    client = signed_in(employee(world.here, "data_protection"))
    place = reverse("citizens:looks", args=[lucia.uuid])
    assert client.get(place).status_code == 403
    client.post(
        reverse("citizens:state_reason", args=[lucia.uuid]),
        {"usual": "other", "other": "She asks for it"},
    )
    shown = client.get(place)
    assert "Lucía" not in shown.content.decode()
    assert "L. S." in shown.content.decode()


def test_the_auditor_reads_and_takes_away_names(
    world: World, lucia: Citizen, auditor: Actor
) -> None:
    open_citizen(world.actor(world.alice), lucia.uuid, reason="Her pension")
    _found, page = looks.named(auditor, lucia.uuid, Period())
    assert [entry.actor_name for entry in page.rows] == [world.alice.full_name]
    client = signed_in(employee(world.here, "auditor"))
    shown = client.get(reverse("citizens:looks_named", args=[lucia.uuid])).content.decode()
    assert world.alice.full_name in shown
    csv = client.post(reverse("citizens:looks_export", args=[lucia.uuid]))
    text = b"".join(csv.streaming_content).decode()
    assert world.alice.full_name in text
    assert "Her pension" in text
    last = AuditEntry.objects.for_actor(auditor).filter(action="exported").latest("pk")
    assert (last.object_id, last.purpose) == (str(lucia.uuid), "Audit")


def test_not_by_others_nor_of_others(
    world: World, lucia: Citizen, officer: Actor, auditor: Actor
) -> None:
    alice = world.actor(world.alice)
    with pytest.raises(Refused):
        looks.report(alice, lucia.uuid, Period())
    with pytest.raises(Refused):
        looks.named(officer, lucia.uuid, Period())
    with pytest.raises(NotFound):
        looks.report(acting(employee(world.elsewhere, "data_protection")), lucia.uuid, Period())
    with pytest.raises(NotFound):
        looks.named(acting(employee(world.elsewhere, "auditor")), lucia.uuid, Period())


def test_what_another_organisation_did_is_not_told_here(
    world: World, lucia: Citizen, officer: Actor
) -> None:
    CitizenRecord.objects.create(citizen=lucia, organisation=world.elsewhere)
    open_citizen(world.actor(world.charlie), lucia.uuid, reason="Elsewhere")
    _opened, page = looks.report(officer, lucia.uuid, Period())
    assert all(entry.purpose != "Elsewhere" for entry in page.rows)
