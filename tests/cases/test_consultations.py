"""Questions between areas: asked with a deadline and a packet, answered, asked back, declined, late."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cases import services
from cases.models import Case, Consultation, Document
from cases.services import Ticked, told_at
from cases.timeline import whole_story
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.organisations.models import DataClass
from tests.cases.transferring import Sides, at, sides_of
from tests.conftest import World
from tests.factories.accounts import acting
from tests.factories.cases import CaseFactory


@pytest.fixture
def sides(world: World) -> Sides:
    return sides_of(world)


@pytest.fixture
def case(sides: Sides) -> Case:
    made: Case = CaseFactory(
        unit=sides.world.unit,
        case_type=sides.kind,
        subject="Farola",
        description="Junto al 14",
        opened_at=at("2026-03-02"),
    )
    return made


@contextmanager
def conflict(code: str) -> Iterator[None]:
    with pytest.raises(Conflict) as error:
        yield
    assert error.value.code == code


def ask(sides: Sides, case: Case, **given: Any) -> Consultation:
    given = {"text": "¿Hay obra?", "term": "2wd", "unit": sides.world.other_unit, **given}
    unit = given.pop("unit")
    code = unit.organisation.code
    alice = acting(sides.world.alice)
    return services.ask_area(alice, case.uuid, unit.uuid, organisation=code, **given)


def test_asked_and_answered(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-05")):
        row = ask(sides, case, ticked=Ticked(parts=frozenset(["description"])))
    bob = acting(sides.world.bob)
    seen = Consultation.objects.for_actor(bob).get()
    assert (seen.text, seen.packet["description"]) == ("¿Hay obra?", "Junto al 14")
    assert not Case.objects.for_actor(bob).exists()  # the question, not the case
    with told_at(at("2026-03-06")):
        services.answer_area(bob, row.uuid, text="Sí, hasta mayo")
    row.refresh_from_db()
    case.refresh_from_db()
    assert (row.state, row.late, case.unit) == ("answered", False, sides.world.unit)
    assert "description" not in row.packet
    assert [(word.kind, word.text) for word in row.words.all()] == [("answered", "Sí, hasta mayo")]
    told = [
        (str(entry.sentence), entry.details.get("reason"))
        for entry in whole_story(sides.boss, case)
    ]
    assert told[:2] == [
        ("asked Sur, which may answer until 9 mar 2026, 23:59", "¿Hay obra?"),
        ("answered the question to Sur", "Sí, hasta mayo"),
    ]
    with conflict("consultation_over"):
        services.answer_area(bob, row.uuid, text="Otra vez")


def test_a_late_answer_says_so(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-05")):
        row = ask(sides, case)
    assert row.late  # its time has passed long ago
    with told_at(at("2026-03-12")):
        services.answer_area(acting(sides.world.bob), row.uuid, text="Sí")
    row.refresh_from_db()
    assert row.late
    assert case.events.order_by("-seq")[0].data["why"] == "Late."


def test_asked_back_and_clarified(sides: Sides, case: Case) -> None:
    row = ask(sides, case)
    bob, alice = acting(sides.world.bob), acting(sides.world.alice)
    with conflict("consultation_not_asked_back"):
        services.clarify(alice, row.uuid, text="Nada")
    services.ask_back(bob, row.uuid, text="¿Qué calle?")
    with conflict("consultation_asked_back"):
        services.answer_area(bob, row.uuid, text="No sé")
    services.clarify(alice, row.uuid, text="Mayor")
    services.decline_area(bob, row.uuid, text="No es nuestra")
    row.refresh_from_db()
    assert row.state == "declined"
    assert [word.kind for word in row.words.all()] == ["asked_back", "clarified", "declined"]


def test_more_time_and_never_less(sides: Sides, case: Case) -> None:
    with told_at(at("2026-03-05")):
        row = ask(sides, case)
        with pytest.raises(Invalid) as error:
            services.extend_area(acting(sides.world.alice), row.uuid, term="1wd")
        assert [*error.value.errors] == ["term"]
        services.extend_area(acting(sides.world.alice), row.uuid, term="5wd")
    row.refresh_from_db()
    assert row.due_at.astimezone(at("2026-03-05").tzinfo).date().isoformat() == "2026-03-12"


def test_withdrawn_by_hand_and_when_work_ends(sides: Sides, case: Case) -> None:
    row = ask(sides, case)
    services.withdraw_area(acting(sides.world.alice), row.uuid)
    other = ask(sides, case)
    services.move_case(sides.boss, case.uuid, "start")
    services.close_case(sides.boss, case.uuid, outcome="Hecho")
    for one in (row, other):
        one.refresh_from_db()
        assert one.state == "withdrawn"
    with conflict("case_ended"):
        ask(sides, case)


def test_an_answer_brings_a_paper(sides: Sides, case: Case, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    row = ask(sides, case)
    services.answer_area(
        acting(sides.world.bob), row.uuid, text="Va", file=[b"Informe"], file_name="informe.txt"
    )
    assert Document.objects.unscoped("a test").get(case=case).name == "informe.txt"
    kinds = [event.kind for event in case.events.order_by("seq")]
    assert kinds[-2:] == ["attached", "consultation_answered"]


def test_another_organisation_within_an_agreement(sides: Sides, case: Case) -> None:
    far = sides.world.foreign_unit
    with pytest.raises(Invalid) as error:
        ask(sides, case, unit=far)
    assert [*error.value.errors] == ["unit"]
    sides.agree(DataClass.CASE_STATUS)
    with pytest.raises(Invalid):  # the content is not in it
        ask(sides, case, unit=far, ticked=Ticked(parts=frozenset(["description"])))
    row = ask(sides, case, unit=far)
    charlie = acting(sides.world.charlie)
    assert Consultation.objects.for_actor(charlie).get() == row
    assert not Consultation.objects.for_actor(acting(sides.world.bob)).exists()
    services.answer_area(charlie, row.uuid, text="Aquí consta")
    last = case.events.order_by("-seq")[0]
    assert last.actor_name == sides.world.elsewhere.name
    trail = AuditEntry.objects.unscoped("a test").filter(object_type="cases.consultation")
    assert {entry.organisation_id for entry in trail} == {sides.world.elsewhere.pk}


def test_who_answers_and_who_withdraws(sides: Sides, case: Case) -> None:
    row = ask(sides, case)
    with pytest.raises(NotFound):
        services.answer_area(acting(sides.world.alice), row.uuid, text="Yo misma")
    with pytest.raises(NotFound):
        services.withdraw_area(acting(sides.world.bob), row.uuid)
    with pytest.raises(NotFound):
        services.answer_area(acting(sides.world.charlie), row.uuid, text="Sí")


def test_whoever_has_the_case_now_has_its_questions(sides: Sides, case: Case) -> None:
    root = sides.world.unit.parent
    assert root is not None
    row = ask(sides, case)
    services.change_unit(sides.boss, case.uuid, root.uuid, reason="Zona")
    assert not Consultation.objects.for_actor(acting(sides.world.alice)).exists()
    assert Consultation.objects.for_actor(sides.boss).sent_by(sides.boss).get() == row
