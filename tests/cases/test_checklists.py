"""What a case type plans: tasks and papers, checked in its bundle, made once, minded by moves."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from cases import services, tasklists
from cases.models import Case, CaseType, Document, Paper, Task
from cases.services import told_at
from cases.workflow import check, simple_bundle
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.organisations.services import load_public_holidays
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

MADRID = ZoneInfo("Europe/Madrid")
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T10:00").replace(tzinfo=MADRID)


def bundle(**parts: Any) -> dict[str, Any]:
    return {**simple_bundle(), **parts}


def problems(**parts: Any) -> list[tuple[str, str]]:
    return [(one.where, str(one.message)) for one in check(bundle(**parts))]


TASKS = [
    {"code": "revisar", "name": "Revisar la solicitud", "term": "2wd", "closing": "blocks"},
    {
        "code": "informe",
        "name": "Informe técnico",
        "to": "SOUTH",
        "term": "5wd",
        "after": ["revisar"],
        "instructions": "Con medición.",
    },
    {
        "code": "propuesta",
        "name": "Propuesta de resolución",
        "when": "in_progress",
        "to": "unit",
        "approval": True,
        "closing": "warns",
    },
]
PAPERS = [
    {"code": "dni", "name": "Documento de identidad", "by": "in_progress"},
    {"code": "plano", "name": "Plano", "required": False},
    {"code": "catastro", "name": "Certificado catastral", "from": "administration"},
]


@pytest.fixture
def alice(world: World) -> Actor:
    load_public_holidays()
    return acting(world.alice)


@pytest.fixture
def boss(world: World) -> Actor:
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


@pytest.fixture
def kind(world: World) -> CaseType:
    made: CaseType = CaseTypeFactory(
        organisation=world.here, code="obra", bundle=bundle(tasks=TASKS, papers=PAPERS)
    )
    return made


@pytest.fixture
def case(world: World, alice: Actor, kind: CaseType) -> Case:
    with told_at(at("2026-03-02")):
        made: Case = CaseFactory(actor=alice, unit=world.unit, case_type=kind)
    return made


def task_of(case: Case, code: str) -> Task:
    return case.tasks.get(template=code)


def paper_of(case: Case, code: str) -> Paper:
    return case.papers.get(code=code)


# --- Checking -----------------------------------------------------------------------------------


def test_a_well_formed_checklist_has_no_problems() -> None:
    assert problems(tasks=TASKS, papers=PAPERS) == []
    assert problems(tasks=[], papers=None) == []


@pytest.mark.parametrize(
    ("task", "where"),
    [
        ({"name": "Sin código"}, "tasks[0].code"),
        ({"code": "a", "name": " "}, "tasks[0].name"),
        ({"code": "a", "name": "A", "when": "never"}, "tasks[0].when"),
        ({"code": "a", "name": "A", "to": 3}, "tasks[0].to"),
        ({"code": "a", "name": "A", "term": "5 días"}, "tasks[0].term"),
        ({"code": "a", "name": "A", "term": 5}, "tasks[0].term"),
        ({"code": "a", "name": "A", "after": "b"}, "tasks[0].after"),
        ({"code": "a", "name": "A", "after": ["b"]}, "tasks[0].after"),
        ({"code": "a", "name": "A", "approval": "yes"}, "tasks[0].approval"),
        ({"code": "a", "name": "A", "closing": "stops"}, "tasks[0].closing"),
        ({"code": "a", "name": "A", "instructions": "x" * 4_001}, "tasks[0].instructions"),
        ({"code": "a", "name": "A", "who": "me"}, "tasks[0].who"),
        ("a", "tasks[0]"),
    ],
)
def test_what_is_wrong_with_a_planned_task_is_said_at_its_place(task: Any, where: str) -> None:
    assert [place for place, _text in problems(tasks=[task])] == [where]


@pytest.mark.parametrize(
    ("paper", "where"),
    [
        ({"code": "A", "name": "A"}, "papers[0].code"),
        ({"code": "a", "name": "A", "required": 1}, "papers[0].required"),
        ({"code": "a", "name": "A", "from": "nobody"}, "papers[0].from"),
        ({"code": "a", "name": "A", "by": "never"}, "papers[0].by"),
        ({"code": "a", "name": "A", "when": "opened"}, "papers[0].when"),
    ],
)
def test_what_is_wrong_with_a_planned_paper_is_said_at_its_place(paper: Any, where: str) -> None:
    assert [place for place, _text in problems(papers=[paper])] == [where]


def test_planned_tasks_in_a_circle_are_refused_with_the_way_round() -> None:
    tasks = [
        {"code": "a", "name": "A", "after": ["c"]},
        {"code": "b", "name": "B", "after": ["a"]},
        {"code": "c", "name": "C", "after": ["b"]},
    ]
    ((where, text),) = problems(tasks=tasks)
    assert where == "tasks[0].after"
    assert text.startswith("These tasks come after each other in a circle: ")
    assert text.count("→") == 3


def test_a_planned_task_comes_after_what_is_there_when_it_begins() -> None:
    tasks = [
        {"code": "a", "name": "A", "when": "in_progress"},
        {"code": "b", "name": "B", "after": ["a"]},
        {"code": "b", "name": "Otra"},
    ]
    assert problems(tasks=tasks) == [
        ("tasks", "The code “b” is repeated."),
    ] or [place for place, _text in problems(tasks=tasks)] == ["tasks", "tasks[1].after"]


def test_a_case_type_names_no_unit_that_there_is_not(world: World) -> None:
    tasks = [{"code": "a", "name": "A", "to": "FAR"}]  # of the other organisation
    with pytest.raises(Invalid) as error:
        CaseTypeFactory(organisation=world.here, code="mala", bundle=bundle(tasks=tasks))
    assert error.value.errors == {"tasks[0].to": ["There is no open unit with the code “FAR”."]}


# --- Made once ----------------------------------------------------------------------------------


def test_a_case_that_opens_has_its_tasks_and_papers(world: World, case: Case) -> None:
    first, second = task_of(case, "revisar"), task_of(case, "informe")
    assert case.tasks.count() == 2
    assert (first.title, first.closing, first.unit, first.assignee) == (
        "Revisar la solicitud",
        "blocks",
        None,
        None,
    )
    assert first.due_at is not None
    assert first.due_at.astimezone(MADRID).date().isoformat() == "2026-03-04"
    assert (second.unit, second.instructions, second.due_at) == (
        world.other_unit,
        "Con medición.",
        None,
    )
    assert [order.after for order in second.orders.all()] == [first]
    assert list(case.papers.order_by("position").values_list("code", "required", "source")) == [
        ("dni", True, "citizen"),
        ("plano", False, "citizen"),
        ("catastro", True, "administration"),
    ]
    assert [event.kind for event in case.events.order_by("seq")] == ["opened", "task_added"]
    event = case.events.get(kind="task_added")
    assert event.data["title"] == "Revisar la solicitud, Informe técnico"


def test_tasks_of_a_state_are_made_once_however_often_it_is_entered(
    world: World, alice: Actor, case: Case
) -> None:
    services.tick_paper(alice, case.uuid, paper_of(case, "dni").uuid, "held", reason="Policía")
    services.move_case(alice, case.uuid, "start")
    planned = task_of(case, "propuesta")
    assert (planned.needs_approval, planned.unit) == (True, world.unit)
    services.move_case(alice, case.uuid, "ask_citizen", reason="Falta el plano")
    services.move_case(alice, case.uuid, "resume")
    assert case.tasks.count() == 3
    assert case.events.filter(kind="task_added").count() == 2


def test_a_case_without_its_tasks_does_not_exist(
    world: World, alice: Actor, kind: CaseType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("cases.services.lifecycle.plan_tasks", broken)
    with suppress(ConnectionError), transaction.atomic():
        CaseFactory(actor=alice, unit=world.unit, case_type=kind)
    assert not Case.objects.for_actor(alice).exists()
    assert not Paper.objects.for_actor(alice).exists()


def test_open_cases_keep_the_tasks_of_their_version(
    world: World, alice: Actor, boss: Actor, kind: CaseType, case: Case
) -> None:
    admin = acting(employee(world.here, "administrator", full_name="Admin"))
    services.change_case_type(
        admin,
        "obra",
        name=kind.name,
        nature=kind.nature,
        is_active=True,
        bundle=bundle(tasks=[{"code": "otra", "name": "Otra", "when": "in_progress"}]),
    )
    services.tick_paper(alice, case.uuid, paper_of(case, "dni").uuid, "held", reason="Policía")
    services.move_case(alice, case.uuid, "start")
    assert sorted(case.tasks.values_list("template", flat=True)) == [
        "informe",
        "propuesta",
        "revisar",
    ]


# --- Moves --------------------------------------------------------------------------------------


def refused(code: str, call: Any) -> Conflict:
    with pytest.raises(Conflict) as error:
        call()
    assert error.value.code == code
    return error.value


def test_a_paper_is_asked_for_by_the_state_that_needs_it(alice: Actor, case: Case) -> None:
    error = refused("not_ready", lambda: services.move_case(alice, case.uuid, "start"))
    assert str(error) == "Papers that are missing: Documento de identidad."
    assert error.details["papers"] == ["Documento de identidad"]
    document = services.attach_document(alice, case.uuid, [PDF], "dni.pdf")
    paper = paper_of(case, "dni")
    services.tick_paper(alice, case.uuid, paper.uuid, "received", document=document.uuid)
    assert services.move_case(alice, case.uuid, "start").state == "in_progress"


def test_work_does_not_end_before_what_blocks_it_and_warns_of_the_rest(
    alice: Actor, boss: Actor, case: Case
) -> None:
    services.tick_paper(alice, case.uuid, paper_of(case, "dni").uuid, "held", reason="Policía")
    services.move_case(alice, case.uuid, "start")
    ends = {"outcome": "Concedida"}
    error = refused("not_ready", lambda: services.move_case(alice, case.uuid, "resolve", **ends))
    assert str(error) == "To do before it can end: Revisar la solicitud."
    refused(  # saying that it may stay open passes only what warns
        "not_ready",
        lambda: services.move_case(alice, case.uuid, "resolve", **ends, despite_open=True),
    )
    services.cancel_task(alice, task_of(case, "revisar").uuid, reason="Lo hizo otro")
    error = refused("tasks_open", lambda: services.move_case(alice, case.uuid, "resolve", **ends))
    assert error.details["tasks"] == ["Propuesta de resolución"]
    refused("tasks_open", lambda: services.close_case(alice, case.uuid, **ends))
    case.refresh_from_db()
    assert case.closed_at is None
    done = services.close_case(alice, case.uuid, **ends, despite_open=True)
    assert done.state == "resolved"
    again = services.finish_task(alice, task_of(case, "propuesta").uuid)  # it may be done after
    assert again.state == "review"
    assert services.reopen_case(alice, case.uuid, reason="Recurso").state == "in_progress"


def test_what_waits_for_approval_is_open_still(alice: Actor, boss: Actor, case: Case) -> None:
    services.tick_paper(alice, case.uuid, paper_of(case, "dni").uuid, "held", reason="Policía")
    services.move_case(alice, case.uuid, "start")
    services.finish_task(alice, task_of(case, "revisar").uuid)
    task = task_of(case, "propuesta")
    services.finish_task(alice, task.uuid)
    refused("tasks_open", lambda: services.close_case(alice, case.uuid, outcome="Sí"))
    services.approve_task(boss, task.uuid)
    assert services.close_case(alice, case.uuid, outcome="Sí").state == "resolved"


def test_due_in_is_one_question(alice: Actor, case: Case, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        left = tasklists.due_in(case)
    assert sorted((one.title, one.closing, one.paper_by) for one in left) == [
        ("Certificado catastral", "", "-"),
        ("Documento de identidad", "", "in_progress"),
        ("Informe técnico", "", ""),
        ("Revisar la solicitud", "blocks", ""),
    ]


# --- Papers -------------------------------------------------------------------------------------


def test_a_paper_is_ticked_by_a_document_of_the_same_case(
    world: World, alice: Actor, case: Case
) -> None:
    paper = paper_of(case, "plano")
    other: Case = CaseFactory(actor=alice, unit=world.unit)
    elsewhere = services.attach_document(alice, other.uuid, [PDF], "otro.pdf")
    for document in (None, elsewhere.uuid):
        with pytest.raises(Invalid) as error:
            services.tick_paper(alice, case.uuid, paper.uuid, "received", document=document)
        assert list(error.value.errors) == ["document"]
    with pytest.raises(NotFound):
        services.tick_paper(alice, other.uuid, paper.uuid, "missing")
    own = services.attach_document(alice, case.uuid, [PDF], "plano.pdf")
    services.tick_paper(alice, case.uuid, paper.uuid, "received", document=own.uuid)
    count = case.events.count()
    services.tick_paper(alice, case.uuid, paper.uuid, "received", document=own.uuid)
    assert case.events.count() == count  # said already
    services.withdraw_document(alice, case.uuid, own.uuid, reason="Era de otra persona")
    paper.refresh_from_db()
    assert (paper.state, paper.document, paper.ticked_by_name) == ("missing", None, "")
    assert Document.objects.for_actor(alice).get(uuid=own.uuid).withdrawn_at is not None


@pytest.mark.parametrize("state", ["not_needed", "held"])
def test_a_paper_is_spared_with_its_reason(alice: Actor, case: Case, state: str) -> None:
    paper = paper_of(case, "catastro")
    with pytest.raises(Invalid) as error:
        services.tick_paper(alice, case.uuid, paper.uuid, state, reason=" ")
    assert list(error.value.errors) == ["reason"]
    ticked = services.tick_paper(alice, case.uuid, paper.uuid, state, reason="Consta en 2025")
    assert (ticked.state, ticked.reason, ticked.ticked_by_name) == (
        state,
        "Consta en 2025",
        "Alice Arias",
    )
    event = case.events.latest("seq")
    assert (event.kind, event.data["state"], event.data["reason"]) == (
        "paper_ticked",
        state,
        "Consta en 2025",
    )


# --- In the form of the case type -----------------------------------------------------------------
