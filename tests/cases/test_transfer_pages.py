"""The pages and the API of transfers and questions, as the two sides meet them."""

from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import Case, CaseTransfer, Consultation
from crm.accounts.models import User
from tests.cases.transferring import RULE, Sides, sides_of
from tests.conftest import World
from tests.factories.accounts import acting
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory


@pytest.fixture
def sides(world: World) -> Sides:
    return sides_of(world)


@pytest.fixture
def case(sides: Sides) -> Case:
    citizen = CitizenFactory(name="Lucía", surname1="Sanz", organisation=sides.world.here)
    made: Case = CaseFactory(
        unit=sides.world.unit,
        case_type=sides.kind,
        citizen=citizen,
        subject="Ayuda urgente",
        description="Sin calefacción",
    )
    services.add_note(sides.boss, made.uuid, "Nota muy interna")
    return made


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_offered_and_accepted_on_pages(sides: Sides, case: Case) -> None:
    north, south = of(sides.north_user), of(sides.south_user)
    page = text(north, f"/casos/{case.uuid}/")
    assert f"/casos/{case.uuid}/trasladar/" in page
    given = {
        "unit": str(sides.world.other_unit.uuid),
        "term": "3wd",
        "comment": "",
        "version": str(Case.objects.for_actor(sides.boss).get().version),
    }
    again = north.post(f"/casos/{case.uuid}/trasladar/", given)
    assert again.status_code == 422  # and nothing typed is lost
    assert f'value="{sides.world.other_unit.uuid}" selected' in again.content.decode()
    done = north.post(f"/casos/{case.uuid}/trasladar/", {**given, "comment": "Es de vuestra zona"})
    assert done.status_code == 302
    row = CaseTransfer.objects.for_actor(sides.south).get()
    assert "Offered to Sur" in text(north, f"/casos/{case.uuid}/")
    assert "1 transfer offered to us" in text(south, "/")
    inbox = text(south, "/traslados/")
    assert case.reference in inbox
    assert "Es de vuestra zona" in inbox
    assert "Sin calefacción" in text(south, f"/traslados/{row.uuid}/")
    assert text(south, f"/casos/{case.uuid}/", 404)
    back = south.post(f"/traslados/{row.uuid}/devolver/", {"reason": ""})
    assert back.status_code == 422
    taken = south.post(f"/traslados/{row.uuid}/aceptar/", {"assignee": str(sides.world.bob.uuid)})
    assert taken.status_code == 302
    assert taken.headers["Location"] == f"/casos/{case.uuid}/"
    assert "Bob Bueno" in text(south, f"/casos/{case.uuid}/")
    told = text(south, f"/casos/{case.uuid}/responsables/")
    assert told.index("Norte") < told.index("Sur")
    late = south.post(f"/traslados/{row.uuid}/aceptar/", {})  # a second time: told, not done
    assert late.status_code == 302


def test_abroad_with_a_preview_and_then_only_the_state(sides: Sides, case: Case) -> None:
    boss, far = of(sides.boss_user), of(sides.far_user)
    address = f"/casos/{case.uuid}/trasladar/?organismo=ELSE"
    given: dict[str, Any] = {
        "unit": str(sides.world.foreign_unit.uuid),
        "term": "3wd",
        "comment": "Es de allí",
        "basis": "rule",
        "basis_text": RULE,
        "parts": ["description", "citizen"],
    }
    preview = boss.post(address, given)
    assert preview.status_code == 200
    assert "This is all that they will see" in preview.content.decode()
    assert not CaseTransfer.objects.for_actor(sides.boss).exists()
    assert boss.post(address, {**given, "confirm": "1"}).status_code == 302
    row = CaseTransfer.objects.for_actor(sides.far).get()
    page = text(far, f"/traslados/{row.uuid}/")
    assert "Sin calefacción" in page
    assert "Nota muy interna" not in page
    assert text(of(sides.world.bob), f"/traslados/{row.uuid}/", 404)
    taken = far.post(
        f"/traslados/{row.uuid}/aceptar/",
        {"case_type": "socorro", "unit": str(sides.world.foreign_unit.uuid)},
    )
    assert taken.status_code == 302
    row.refresh_from_db()
    received = row.received_case
    assert received is not None
    services.add_note(sides.far, received.uuid, "Secreto de allí")
    services.move_case(sides.far, received.uuid, "start")

    led = boss.get(f"/casos/{case.uuid}/")
    assert led.headers["Location"] == f"/traslados/{row.uuid}/"
    secrets = ("Sin calefacción", "Nota muy interna", "Secreto de allí", "Ayuda urgente", "Lucía")
    seen = [
        text(boss, f"/traslados/{row.uuid}/"),
        text(boss, "/traslados/?ver=enviados&todos=1"),
        text(boss, "/casos/?estado=all"),
        text(boss, "/casos/?q=calefacci%C3%B3n&estado=all"),
    ]
    assert received.reference in seen[0]
    for page in seen:
        for secret in secrets[:4]:
            # what was asked for stands in the box itself
            assert secret not in page.replace("calefacción", "")
    for part in ("cronologia/", "registro/", "plazo/", "responsables/", "editar/"):
        assert boss.get(f"/casos/{case.uuid}/{part}").status_code in (403, 404)
    assert boss.get(f"/casos/{case.uuid}/historiales/").status_code == 404
    for verb in ("notas/", "mensajes/"):
        assert boss.post(f"/casos/{case.uuid}/{verb}", {"text": "x"}).status_code == 404


def test_questions_on_pages(sides: Sides, case: Case) -> None:
    alice, bob = of(sides.world.alice), of(sides.world.bob)
    given = {
        "unit": str(sides.world.other_unit.uuid),
        "text": "¿Hay obra?",
        "term": "2wd",
        "parts": ["description"],
    }
    assert alice.post(f"/casos/{case.uuid}/consultar/", given).status_code == 302
    row = Consultation.objects.for_actor(acting(sides.world.bob)).get()
    assert "Sur was asked" in text(alice, f"/casos/{case.uuid}/")
    assert "1 question to us" in text(bob, "/")
    assert "¿Hay obra?" in text(bob, "/traslados/?ver=consultas")
    page = text(bob, f"/consultas/{row.uuid}/")
    assert "Sin calefacción" in page
    assert "Lucía" not in page
    assert bob.post(f"/consultas/{row.uuid}/responder/", {"text": ""}).status_code == 422
    assert bob.post(f"/consultas/{row.uuid}/preguntar/", {"text": "¿Dónde?"}).status_code == 302
    assert "¿Dónde?" in text(alice, f"/consultas/{row.uuid}/")
    assert alice.post(f"/consultas/{row.uuid}/aclarar/", {"text": "Aquí"}).status_code == 302
    assert bob.post(f"/consultas/{row.uuid}/responder/", {"text": "Sí"}).status_code == 302
    late = bob.post(f"/consultas/{row.uuid}/responder/", {"text": "Sí"})
    assert late.status_code == 409
    assert text(of(sides.world.charlie), f"/consultas/{row.uuid}/", 404)


def test_a_question_may_stop_the_clock(sides: Sides, case: Case) -> None:
    row = services.ask_area(
        sides.boss, case.uuid, sides.world.other_unit.uuid, text="Informe", term="10wd"
    )
    boss = of(sides.boss_user)
    assert "art. 22.1.d" in text(boss, f"/consultas/{row.uuid}/")
    boss.post(f"/casos/{case.uuid}/plazo/suspender/", {"ground": "22.1.d", "reason": "Informe"})
    case.refresh_from_db()
    assert case.suspended_on is not None
    assert "art. 22.1.d" not in text(boss, f"/consultas/{row.uuid}/")
