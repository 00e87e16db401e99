"""Service targets on pages, in lists, by API and in queries."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from cases import services
from cases.lists import CaseFilter, find
from cases.models import Case, CaseType, ServiceClock
from cases.query import understood
from cases.services import told_at
from crm.accounts.models import User
from crm.kit.actor import Actor
from tests.cases.test_service import at, attends, boss, case, kind, opened  # noqa: F401 - fixtures
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

NOW = timezone.now()


def due_in(case: Case, hours: float | None, **more: Any) -> Case:  # noqa: F811
    """The case's nearest target ends so many hours from now."""
    due = None if hours is None else timezone.now() + timedelta(hours=hours)
    danger = due - timedelta(hours=2) if due else None
    ServiceClock.objects.unscoped("a test").filter(case=case).update(
        due_at=due, danger_at=danger, **more
    )
    return case


def test_lists_go_by_the_nearest_target(world: World, boss: Actor, kind: CaseType) -> None:  # noqa: F811
    made = [opened(world, boss, kind, subject=str(number)) for number in range(7)]
    for number, hours in enumerate((5, -3, 1, None, 30, -1, 8)):
        due_in(made[number], hours)
    plain = CaseTypeFactory(organisation=world.here)
    CaseFactory(actor=boss, unit=world.unit, case_type=plain, subject="sin objetivos")
    services.close_case(boss, made[6].uuid, outcome="Hecho")
    wide = acting(employee(world.here, "supervisor", email="wide@here.example"))
    for actor in (boss, wide):
        for unit in (None, world.unit.uuid):
            asked, seen, cursor = CaseFilter(unit=unit, by="target"), [], ""
            while True:
                page = find(actor, asked, cursor, size=2)
                seen += [one.subject for one in page.rows]
                if not (cursor := page.after):
                    break
            assert seen == ["1", "5", "2", "0", "4"]
            late = find(actor, CaseFilter(unit=unit, by="target", danger=True)).rows
            assert [one.subject for one in late] == ["1", "5", "2"]


def test_queries_find_by_targets(world: World, boss: Actor, kind: CaseType) -> None:  # noqa: F811
    near, far = opened(world, boss, kind), opened(world, boss, kind)
    due_in(near, 1)
    due_in(far, 50)
    near.service_targets.filter(measure="first_answer").update(
        due_at=timezone.now() + timedelta(hours=1), breached_at=timezone.now()
    )
    far.service_targets.update(due_at=timezone.now() + timedelta(hours=50))
    for text, wanted in (
        ("target<2h", {near}),
        ("first-answer<2h", {near}),
        ("primera-respuesta>2h", {far}),
        ("breached:first-answer", {near}),
        ("incumplido:resolución", set()),
        ("service:danger", {near}),
        ("servicio:en-riesgo -breached:any", set()),
        ("service:running", {near, far}),
    ):
        expression = understood(boss, text)
        assert expression.problems == (), text
        assert set(find(boss, expression.alone()).rows) == wanted, text


def test_the_page_shows_them_beside_the_legal_one(
    world: World,
    boss: Actor,  # noqa: F811
    case: Case,  # noqa: F811
    client: Client,
) -> None:
    with told_at(at("02T12:00")):
        services.move_case(boss, case.uuid, "ask_citizen", reason="Falta")
    with told_at(at("02T13:00")):
        services.send_message(boss, case.uuid, "Hola")
        services.move_case(boss, case.uuid, "resume")
    client.force_login(User.objects.get(pk=boss.user_id))
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "First answer: met, 1 h before its end" in page
    assert "Why these moments?" in page
    why = client.get(f"/casos/{case.uuid}/objetivos/").content.decode()
    for text in (
        "20 h of working time from lun 2 mar 10:00",
        "minus 1 h paused: lun 2 mar 12:00–13:00 (waiting for citizen)",
        "2 h count: lun 2 mar 16:00–18:00",
        "ends on jue 5 mar 14:00",
    ):
        assert text in why, text


def test_a_case_without_them_says_nothing(world: World, boss: Actor, client: Client) -> None:  # noqa: F811
    plain = CaseFactory(actor=boss, unit=world.unit)
    client.force_login(User.objects.get(pk=boss.user_id))
    assert "Why these moments?" not in client.get(f"/casos/{plain.uuid}/").content.decode()
    why = client.get(f"/casos/{plain.uuid}/objetivos/").content.decode()
    assert "This case has no service targets." in why


def test_what_is_in_danger_is_given_to_who_has_room(
    world: World,
    boss: Actor,  # noqa: F811
    kind: CaseType,  # noqa: F811
    client: Client,
) -> None:
    busy = employee(world.here, "agent", unit=world.unit, full_name="Quique Lleno")
    for _each in range(2):
        opened(world, boss, kind, assignee=busy)
    late = due_in(opened(world, boss, kind, subject="Farola rota", assignee=busy), -1)
    due_in(opened(world, boss, kind, subject="Con tiempo"), 40)
    client.force_login(User.objects.get(pk=boss.user_id))
    ServiceClock.objects.unscoped("a test").exclude(case=late).update(
        due_at=timezone.now() + timedelta(hours=40), danger_at=timezone.now() + timedelta(hours=38)
    )
    page = client.get("/casos/en-riesgo/").content.decode()
    assert "Farola rota" in page
    assert "Con tiempo" not in page
    assert page.index(world.alice.full_name) < page.index("Quique Lleno</b>")
    assert "3 open cases, 1 in danger" in page
    answer = client.post(
        f"/casos/{late.uuid}/asignar/", {"person": world.alice.uuid, "danger": "unidad=x"}
    )
    assert answer.headers["Location"] == "/casos/en-riesgo/?unidad=x"
    late.refresh_from_db()
    assert late.assignee == world.alice
    client.force_login(world.alice)
    assert client.get("/casos/en-riesgo/").status_code == 403
    day = client.get("/").content.decode()
    assert "Service targets in danger" in day
    assert "Farola rota" in day


def test_the_list_shows_and_filters_them(
    world: World,
    boss: Actor,  # noqa: F811
    kind: CaseType,  # noqa: F811
    client: Client,
) -> None:
    due_in(opened(world, boss, kind, subject="Farola rota"), -1)
    client.force_login(world.alice)
    page = client.get("/casos/?objetivo=riesgo&orden=target").content.decode()
    assert "Farola rota" in page
    assert "the nearest service target first" in page
    assert "First answer: late by" in page
    assert "servicio:en-riesgo" in page


def test_by_api(world: World, boss: Actor, case: Case, client: Client) -> None:  # noqa: F811
    client.force_login(User.objects.get(pk=boss.user_id))
    told = client.get(f"/api/v1/cases/{case.uuid}/targets/").json()["targets"]
    assert [one["measure"] for one in told] == ["first_answer", "resolution"]
    assert told[0]["due_at"] == "2026-03-02T13:00:00Z"
    assert told[0]["explanation"][-1].startswith("ends on")
    assert told[1]["pauses"] == []
