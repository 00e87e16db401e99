"""Tasks and papers by API: whole lives of them, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from cases import services
from cases.models import Case
from cases.workflow import simple_bundle
from tests.api.conftest import Caller
from tests.conftest import World
from tests.factories.accounts import acting
from tests.factories.cases import CaseFactory, CaseTypeFactory

SCOPES = ("cases.view_case", "cases.change_case", "cases.close_case", "cases.approve_task")


@pytest.fixture
def system(caller: Callable[..., Caller]) -> Caller:
    return caller(*SCOPES)


@pytest.fixture
def case(world: World) -> Case:
    kind = CaseTypeFactory(
        organisation=world.here,
        code="obra",
        bundle={
            **simple_bundle(),
            "papers": [{"code": "dni", "name": "Documento de identidad", "by": "in_progress"}],
        },
    )
    made: Case = CaseFactory(unit=world.unit, case_type=kind)
    return made


def test_a_task_is_added_read_changed_done_and_reopened(case: Case, system: Caller) -> None:
    address = f"/cases/{case.uuid}/tasks/"
    made = system.send("post", address, {"title": "Medir", "due_at": "2026-05-04T10:00:00Z"})
    assert made.status_code == 201, made.content
    task = made.json()
    assert made["Location"] == f"/api/v1/tasks/{task['id']}/"
    assert (task["state"], task["after"], task["due_at"]) == ("open", [], "2026-05-04T10:00:00Z")
    second = system.send("post", address, {"title": "Firmar", "after": [task["id"]]}).json()
    assert (second["after"], second["starts_on"]) == ([task["id"]], None)
    one = f"/tasks/{task['id']}/"
    changed = system.send("patch", one, {"title": "Medir dos veces"}, If_Match='"1"')
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    assert system.send("patch", one, {"title": "Otra"}, If_Match='"1"').status_code == 412
    assert system.send("post", f"/tasks/{second['id']}/done/", {}).status_code == 409
    done = system.send("post", f"{one}done/", {"comment": "3,20 m"})
    assert (done.json()["state"], done.json()["comment"]) == ("done", "3,20 m")
    assert system.send("post", f"{one}reopen/", {}).json()["state"] == "open"
    assert system.send("post", f"{one}cancel/", {"reason": "Ya no"}).json()["state"] == "cancelled"
    listed = system.send("get", address).json()["results"]
    assert [row["title"] for row in listed] == ["Medir dos veces", "Firmar"]


def test_what_is_wrong_is_said_at_its_field(case: Case, system: Caller, world: World) -> None:
    address = f"/cases/{case.uuid}/tasks/"
    for body in (
        {"title": ""},
        {"title": "A", "term": "pronto"},
        {"title": "A", "term": "5wd", "due_at": "2026-05-04T10:00:00Z"},
        {"title": "A", "unit": str(world.foreign_unit.uuid)},
        {"title": "A", "closing": "never"},
    ):
        assert system.send("post", address, body).status_code in (400, 422), body
    assert case.tasks.count() == 0


def test_a_machine_approves_nothing(case: Case, system: Caller, world: World) -> None:
    made: Any = services.add_task(
        acting(world.alice), case.uuid, services.NewTask(title="Propuesta", needs_approval=True)
    )
    services.finish_task(acting(world.alice), made.uuid)
    answer = system.send("post", f"/tasks/{made.uuid}/approve/")
    assert answer.status_code == 403
    made.refresh_from_db()
    assert made.state == "review"


def test_papers_are_listed_and_ticked_and_moves_mind_them(case: Case, system: Caller) -> None:
    address = f"/cases/{case.uuid}/papers/"
    (paper,) = system.send("get", address).json()["results"]
    assert (paper["code"], paper["state"], paper["needed_by"]) == ("dni", "missing", "in_progress")
    refused = system.send("post", f"/cases/{case.uuid}/move/", {"move": "start"})
    assert refused.status_code == 409
    assert refused.json()["detail"] == "Papers that are missing: Documento de identidad."
    tick = f"{address}{paper['id']}/"
    assert system.send("post", tick, {"state": "held"}).status_code == 422
    said = {"state": "held", "reason": "Dirección General de la Policía"}
    assert system.send("post", tick, said).json()["state"] == "held"
    assert system.send("post", f"/cases/{case.uuid}/move/", {"move": "start"}).status_code == 200
