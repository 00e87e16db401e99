"""The pages of tasks and papers: on the case, one by itself, what is mine; what citizens still owe."""

import time
from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import Case, CaseType, Task
from cases.services import NewTask
from cases.views import window
from cases.workflow import simple_bundle
from crm.kit.actor import Actor
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

PAPERS = [
    {"code": "dni", "name": "Documento de identidad"},
    {"code": "foto", "name": "Fotografías", "required": False},
    {"code": "catastro", "name": "Certificado catastral", "from": "administration"},
]
TASKS = [
    {"code": "revisar", "name": "Revisar la solicitud", "closing": "blocks"},
    {"code": "archivar", "name": "Archivar copia", "closing": "warns"},
]


@pytest.fixture
def alice(world: World) -> Actor:
    return acting(world.alice)


@pytest.fixture
def kind(world: World) -> CaseType:
    made: CaseType = CaseTypeFactory(
        organisation=world.here,
        code="obra",
        bundle={**simple_bundle(), "tasks": TASKS, "papers": PAPERS},
    )
    return made


@pytest.fixture
def case(world: World, alice: Actor, kind: CaseType) -> Case:
    made: Case = CaseFactory(actor=alice, unit=world.unit, case_type=kind, subject="Vallado")
    return made


@pytest.fixture
def signed(world: World, client: Client) -> Client:
    client.force_login(world.alice)
    return client


def page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return " ".join(str(answer.content.decode()).split())


def test_the_case_says_how_much_is_left_and_what_keeps_it_from_ending(
    signed: Client, case: Case
) -> None:
    shown = page(signed.get(f"/casos/{case.uuid}/"))
    assert 'aria-selected="false" tabindex="-1">Tasks<span class="v-badge">4</span>' in shown
    assert "To do before it can end: Revisar la solicitud." in shown


def test_tasks_and_papers_stand_in_the_case(signed: Client, case: Case) -> None:
    shown = page(signed.get(f"/casos/{case.uuid}/tareas/"))
    for words in ("Revisar la solicitud", "Archivar copia", "Whoever takes the case"):
        assert words in shown
    for words in ("Documento de identidad", "Fotografías", "Certificado catastral", "Missing"):
        assert words in shown


def test_a_task_is_added_changed_and_done_on_pages(
    world: World, signed: Client, alice: Actor, case: Case
) -> None:
    address = f"/casos/{case.uuid}/tareas/nueva/"
    first = case.tasks.get(template="revisar")
    assert signed.post(address, {"title": ""}).status_code == 422
    answer = signed.post(
        address,
        {"title": "Medir", "term_count": "5", "term_unit": "d", "after": [str(first.uuid)]},
    )
    assert answer["Location"] == f"/casos/{case.uuid}/#tab-tareas"
    made = case.tasks.get(title="Medir")
    assert (made.term, [order.after for order in made.orders.all()]) == ("5d", [first])
    shown = page(signed.get(f"/tareas/{made.uuid}/"))
    assert "Before it, this must be done: Revisar la solicitud." in shown
    edit = f"/tareas/{made.uuid}/editar/"
    assert "Medir" in page(signed.get(edit))
    answer = signed.post(edit, {"title": "Medir dos veces", "seen": "1"})
    assert answer.status_code == 302
    late = signed.post(edit, {"title": "Medir tres veces", "seen": "1"})
    assert late.status_code == 409
    assert "Medir tres veces" in late.content.decode()
    made.refresh_from_db()
    assert (made.title, made.term, made.orders.count()) == ("Medir dos veces", "", 0)
    answer = signed.post(f"/tareas/{made.uuid}/hecha/", {"comment": "3,20 m", "back": "mine"})
    assert answer["Location"] == "/tareas/?ver=mine"
    assert "3,20 m" in page(signed.get(f"/tareas/{made.uuid}/"))


def test_what_was_typed_comes_back_when_a_task_cannot_be_done(
    signed: Client, alice: Actor, case: Case
) -> None:
    task = case.tasks.get(template="revisar")
    services.finish_task(alice, task.uuid)
    answer = signed.post(f"/tareas/{task.uuid}/hecha/", {"comment": "Otra vez"}, follow=True)
    assert "What you had written: Otra vez" in page(answer)


def test_work_ends_with_a_warning_only_when_it_is_said(
    signed: Client, alice: Actor, case: Case
) -> None:
    address = f"/casos/{case.uuid}/mover/resolve/"
    answer = signed.post(address, {"outcome": "Hecho"})
    assert answer.status_code == 409
    assert "To do before it can end: Revisar la solicitud." in answer.content.decode()
    services.finish_task(alice, case.tasks.get(template="revisar").uuid)
    shown = page(signed.get(address))
    assert "Tasks that stay open: Archivar copia." in shown
    assert signed.post(address, {"outcome": "Hecho"}).status_code == 409
    assert signed.post(address, {"outcome": "Hecho", "despite_open": "on"}).status_code == 302
    case.refresh_from_db()
    assert case.state == "resolved"


def test_who_was_given_a_task_sees_it_and_not_the_case(
    world: World, client: Client, alice: Actor, case: Case
) -> None:
    given = services.add_task(
        alice, case.uuid, NewTask(title="Informe", unit=world.other_unit.uuid)
    )
    client.force_login(world.bob)
    shown = page(client.get(f"/tareas/{given.uuid}/"))
    assert "Vallado" in shown
    assert "The case itself belongs to another unit" in shown
    assert f"/casos/{case.uuid}/" not in shown
    assert client.get(f"/casos/{case.uuid}/").status_code == 404
    assert client.get(f"/tareas/{case.tasks.get(template='revisar').uuid}/").status_code == 404
    assert "Informe" in page(client.get("/tareas/?ver=unit"))
    answer = client.post(f"/tareas/{given.uuid}/hecha/", {"back": "unit"})
    assert answer.status_code == 302
    given.refresh_from_db()
    assert given.state == "done"


def test_my_tasks_stand_on_my_day_and_on_their_page(
    world: World, client: Client, alice: Actor, case: Case
) -> None:
    services.take_case(alice, case.uuid)
    task = services.add_task(
        alice, case.uuid, NewTask(title="Propuesta", needs_approval=True, closing="warns")
    )
    client.force_login(world.alice)
    home = page(client.get("/"))
    assert '<dd class="v-mid">3</dd>' in home
    assert "To approve" not in home
    assert "Propuesta" in page(client.get("/tareas/"))
    services.finish_task(alice, task.uuid)
    assert "Propuesta" not in page(client.get("/tareas/"))
    client.force_login(employee(world.here, "supervisor", full_name="Berta"))
    assert "To approve" in page(client.get("/"))
    assert "Propuesta" in page(client.get("/tareas/?ver=approval"))
    client.post(f"/tareas/{task.uuid}/aprobar/", {"back": "approval"})
    assert Task.objects.for_actor(alice).get(uuid=task.uuid).state == "done"


def test_a_paper_is_ticked_on_the_case(signed: Client, case: Case) -> None:
    paper = case.papers.get(code="dni")
    address = f"/casos/{case.uuid}/papeles/{paper.uuid}/"
    answer = signed.post(address, {"state": "held", "reason": ""}, follow=True)
    assert "Say which administration has it, and since when." in page(answer)
    answer = signed.post(address, {"state": "held", "reason": "Dirección General de la Policía"})
    assert answer["Location"] == f"/casos/{case.uuid}/#tab-tareas"
    paper.refresh_from_db()
    assert (paper.state, paper.reason) == ("held", "Dirección General de la Policía")


def test_the_citizen_reads_what_is_missing_and_nothing_of_the_house(
    world: World, client: Client, alice: Actor, case: Case
) -> None:
    session = client.session
    session[window.SESSION] = {str(case.uuid): time.time() + 60}
    session.save()
    address = f"/sede/HERE/seguimiento/{case.uuid}/"
    shown = page(client.get(address))
    assert "Papers that we still need from you" in shown
    assert "<li>Documento de identidad</li>" in shown
    assert 'Fotografías <span class="v-sub">(if you have it)</span>' in shown
    assert "Certificado catastral" not in shown  # the administration brings it
    assert "Revisar la solicitud" not in shown
    for paper in case.papers.filter(source="citizen"):
        services.tick_paper(alice, case.uuid, paper.uuid, "not_needed", reason="Ya consta")
    assert "Papers that we still need" not in page(client.get(address))
