"""What it means when the term passes without a resolution: on the page, by API, in queries, to the citizen."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from cases import plain, services
from cases.lists import find
from cases.models import Case, CaseType, Procedure
from cases.query import understood
from cases.services import told_at
from cases.silence import procedure_of, silence
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.organisations.services import calendar_for, load_public_holidays
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory, ProcedureFactory

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T10:00").replace(tzinfo=MADRID)


@pytest.fixture
def boss(world: World) -> Actor:
    load_public_holidays()
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


def made(world: World, boss: Actor, says: str, nature: str = "application", **case: Any) -> Case:
    kind = CaseTypeFactory(organisation=world.here, term="10wd", nature=nature)
    ProcedureFactory(unit=world.unit, case_type=kind, silence=says)
    return CaseFactory(
        actor=boss,
        unit=world.unit,
        case_type=kind,
        **{"opened_at": at("2026-03-02"), **case},  # due on Monday 16 March
    )


def meant(case: Case, moment: datetime) -> tuple[str, str, date | None, bool] | None:
    case = Case.objects.select_related("case_type", "type_version", "unit__organisation").get(
        pk=case.pk
    )
    found = silence(case, procedure_of(case), calendar_for(case.unit), moment)
    return found and (found.effect.value, found.article, found.since, found.happened)


@pytest.mark.parametrize(
    ("says", "nature", "effect", "article"),
    [
        ("granted", "application", "granted", "24.1"),
        ("denied", "appeal", "denied", "24.1"),
        ("none", "application", "none", "21.1"),
        ("denied", "infringement_report", "denied", "25.1.a"),
        ("none", "infringement_report", "expired", "25.1.b"),
    ],
)
def test_begun_by_the_citizen_or_ex_officio(
    world: World, boss: Actor, says: str, nature: str, effect: str, article: str
) -> None:
    case = made(world, boss, says, nature)
    assert meant(case, at("2026-03-16")) == (effect, article, date(2026, 3, 17), False)
    assert meant(case, at("2026-03-17")) == (effect, article, date(2026, 3, 17), True)


def test_a_suspension_moves_the_day(boss: Actor, world: World) -> None:
    case = made(world, boss, "granted")
    with told_at(at("2026-03-10")):
        services.suspend_clock(boss, case.uuid, ground="22.1.b", reason="Consulta")
    assert meant(case, at("2026-04-01")) == ("granted", "24.1", None, False)
    with told_at(at("2026-03-20")):
        services.resume_clock(boss, case.uuid, reason="Contestan")
    assert meant(case, at("2026-03-20")) == ("granted", "24.1", date(2026, 3, 27), False)


def test_resolved_in_time_there_is_none_and_late_there_was(boss: Actor, world: World) -> None:
    case, late = made(world, boss, "granted"), made(world, boss, "granted")
    with told_at(at("2026-03-16")):
        services.close_case(boss, case.uuid, outcome="Concedida")
    with told_at(at("2026-03-18")):
        services.close_case(boss, late.uuid, outcome="Concedida")
    assert meant(case, at("2026-04-01")) is None
    assert meant(late, at("2026-04-01")) == ("granted", "24.1", date(2026, 3, 17), True)


def test_where_no_procedure_says_it_nothing_is_said(boss: Actor, world: World) -> None:
    two = made(world, boss, "granted")
    ProcedureFactory(unit=world.unit, case_type=two.case_type, silence="denied")
    assert meant(two, at("2026-04-01")) is None  # which of the two is not known
    kind = CaseTypeFactory(organisation=world.here, term="10wd")
    assert meant(CaseFactory(actor=boss, unit=world.unit, case_type=kind), timezone.now()) is None


def test_pages_api_and_queries_say_it(boss: Actor, world: World, client: Client) -> None:
    granted, denied = made(world, boss, "granted"), made(world, boss, "denied")
    fresh = made(world, boss, "granted", opened_at=timezone.now())
    client.force_login(User.objects.get(pk=boss.user_id))
    page = client.get(f"/casos/{granted.uuid}/").content.decode()
    assert "Granted by silence since 17 de marzo de 2026 (Ley 39/2015, art. 24.1)" in page
    assert "Effect of silence" not in client.get(f"/casos/{fresh.uuid}/").content.decode()
    why = client.get(f"/casos/{fresh.uuid}/plazo/").content.decode()
    assert "Without a notified resolution it counts as granted by silence from" in why
    told = client.get(f"/api/v1/cases/{denied.uuid}/clock/").json()["silence"]
    assert told == {
        "effect": "denied",
        "article": "24.1",
        "since": "2026-03-17",
        "happened": True,
    }
    for text, wanted in (
        ("silence:granted", {granted}),
        ("silencio:desestimatorio", {denied}),
        ("silence:any", {granted, denied}),
        ("silence:expired", set()),
        ("-silence:any", {fresh}),
    ):
        assert set(find(boss, understood(boss, text).alone()).rows) == wanted, text


def test_the_citizen_is_told_honestly(boss: Actor, world: World) -> None:
    case = made(world, boss, "granted")
    procedure = Procedure.objects.unscoped("a test").get()
    row = Case.objects.select_related("case_type", "type_version").get(pk=case.pk)

    def told(moment: datetime) -> str:
        return str(plain.silence_told(silence(row, procedure, calendar_for(world.unit), moment)))

    assert told(at("2026-03-10")).startswith("If we have not notified you of an answer by then")
    assert told(at("2026-03-17")).startswith("The term has passed without our answer. By law")
    row.closed_at, row.category = row.due_at + timedelta(days=1), 4  # type: ignore[operator]
    assert told(at("2026-03-20")) == ""
    assert CaseType.objects.get().nature == "application"
