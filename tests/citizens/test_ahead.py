"""What the page of a person says first of all: what is open, what comes next, their papers and consents."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from cases.services.documents import attach_document, withdraw_document
from crm.audit.models import AuditEntry
from crm.citizens import profile
from crm.citizens.models import Channel, Citizen
from tests.conftest import World
from tests.factories.campaigns import say, topic_of
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lucia(world: World) -> Citizen:
    return CitizenFactory(name="Lucía", surname1="Sanz", organisation=world.here)


def page(world: World, citizen: Citizen) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.alice)
    found = client.get(reverse("citizens:detail", args=[citizen.uuid])).content.decode()
    later = client.get(
        reverse("citizens:more", args=[citizen.uuid]), headers={"HX-Request": "true"}
    )
    assert AuditEntry.objects.latest("pk").data == {}, (
        "no second entry for what is asked for by itself"
    )
    found += later.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found)).split())


def due(case: Case, days: int | None, **more: object) -> Case:
    at = None if days is None else timezone.now() + timedelta(days=days)
    Case.objects.unscoped("a test").filter(pk=case.pk).update(due_at=at, **more)
    return case


def test_the_next_dates_come_nearest_first_and_only_of_what_runs(
    world: World, lucia: Citizen
) -> None:
    made = {
        name: CaseFactory(unit=world.unit, citizen=lucia, subject=name)
        for name in ("Later", "Late", "Sooner", "Ended", "Paused")
    }
    due(made["Later"], 9)
    due(made["Sooner"], 2)
    due(made["Late"], -1)
    due(made["Ended"], 1, category=5, closed_at=timezone.now(), state="done")
    due(made["Paused"], 1, suspended_on=timezone.localdate())
    hidden = due(CaseFactory(unit=world.other_unit, citizen=lucia, subject="Hidden"), 1)
    actor = world.actor(world.alice)
    shown = profile.ahead(actor, lucia)
    assert shown is not None
    told = [(one.about, one.late) for one in shown["dates"]]  # type: ignore[attr-defined]
    assert told == [
        (made["Late"].reference, True),
        (made["Sooner"].reference, False),
        (made["Later"].reference, False),
    ]
    text = page(world, lucia)
    assert "Deadline: Sooner" in text
    assert hidden.reference not in text


def test_open_matters_come_before_all_that_is_past(world: World, lucia: Citizen) -> None:
    due(CaseFactory(unit=world.unit, citizen=lucia), 3)
    text = page(world, lucia)
    places = [text.index(f" {title} ") for title in ("Next deadlines and appointments", "Timeline")]
    assert places == sorted(places)


def test_papers_of_their_cases_stand_there_until_withdrawn(world: World, lucia: Citizen) -> None:
    alice = world.actor(world.alice)
    case = CaseFactory(unit=world.unit, citizen=lucia)
    kept = attach_document(alice, case.uuid, [b"%PDF-1.4\n"], "contrato.pdf")
    gone = attach_document(alice, case.uuid, [b"%PDF-1.4\n1"], "equivocado.pdf")
    withdraw_document(alice, case.uuid, gone.uuid, reason="De otra persona")
    other = CaseFactory(unit=world.other_unit, citizen=lucia)
    attach_document(world.actor(world.bob), other.uuid, [b"%PDF-1.4\n2"], "ajeno.pdf")
    text = page(world, lucia)
    assert kept.name in text
    assert "equivocado.pdf" not in text.split("This look is recorded")[1]
    assert "ajeno.pdf" not in text


def test_consents_are_the_last_word_of_each(world: World, lucia: Citizen) -> None:
    assert "Consents" not in page(world, lucia)
    point = ContactPointFactory(
        citizen=lucia, organisation=world.here, channel=Channel.EMAIL, address="lucia@example.org"
    )
    topic = topic_of(world.here, "Talleres")
    say(world.here, point, topic, "granted")
    assert "Granted" in page(world, lucia)
    say(world.here, point, topic, "withdrawn")
    text = page(world, lucia)
    assert "Withdrawn" in text
    assert "Granted" not in text
