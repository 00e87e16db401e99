"""The legal deadline of a case: suspended, resumed, extended, and reckoned anew when calendars change."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from cases import services
from cases.models import Case, CaseType, ClockInterval, ClockState
from cases.services import told_at
from cases.services.clocks import recompute, resume_expired
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.organisations.models import Unit
from crm.organisations.services import create_calendar, load_public_holidays, set_holiday
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T10:00").replace(tzinfo=MADRID)


def day(text: str) -> date:
    return date.fromisoformat(text)


def due(case: Case) -> str | None:
    case.refresh_from_db()
    return case.due_at.astimezone(MADRID).date().isoformat() if case.due_at else None


def kinds(case: Case) -> list[str]:
    return [event.kind for event in case.events.order_by("seq")]


def last_event(case: Case) -> dict[str, Any]:
    event = case.events.order_by("-seq")[0]
    return {name: value for name, value in event.data.items() if name != "version"}


@pytest.fixture
def boss(world: World) -> Actor:
    load_public_holidays()
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


@pytest.fixture
def kind(world: World) -> CaseType:
    made: CaseType = CaseTypeFactory(organisation=world.here, code="ayuda", term="10wd")
    return made


@pytest.fixture
def case(world: World, boss: Actor, kind: CaseType) -> Case:
    """Opened on Monday 2 March 2026, due on Monday 16."""
    made: Case = CaseFactory(
        actor=boss, unit=world.unit, case_type=kind, opened_at=at("2026-03-02")
    )
    assert due(made) == "2026-03-16"
    return made


@contextmanager
def conflict(code: str) -> Iterator[None]:
    with pytest.raises(Conflict) as error:
        yield
    assert error.value.code == code


def suspend(boss: Actor, case: Case, when: str, **given: Any) -> Case:
    given = {"ground": "22.1.a", "reason": "Falta el padrón", "limit": day("2026-03-25"), **given}
    with told_at(at(when)):
        return services.suspend_clock(boss, case.uuid, **given)


def test_papers_are_asked_for_and_come(boss: Actor, case: Case) -> None:
    suspend(boss, case, "2026-03-10")
    assert due(case) == "2026-03-31"  # if they come on the last day
    assert case.suspended_on == day("2026-03-10")
    assert last_event(case) == {
        "ground": "22.1.a",
        "on": "2026-03-10",
        "limit": "2026-03-25",
        "reason": "Falta el padrón",
        "before": "2026-03-16",
        "due": "2026-03-31",
    }
    with told_at(at("2026-03-20")):
        services.resume_clock(boss, case.uuid, reason="Aportado")
    assert due(case) == "2026-03-26"
    assert case.suspended_on is None
    assert kinds(case)[-2:] == ["clock_suspended", "clock_resumed"]
    verbs = AuditEntry.objects.unscoped("a test").filter(object_id=str(case.uuid))
    assert verbs.filter(action="cases.change_clock").count() == 2


def test_an_open_suspension_has_no_due_date_and_is_not_late(boss: Actor, case: Case) -> None:
    suspend(boss, case, "2026-03-10", ground="22.1.g", limit=None)
    assert due(case) is None
    with told_at(at("2026-05-11")):
        services.resume_clock(boss, case.uuid, reason="Sentencia", on=day("2026-05-08"))
    assert due(case) == "2026-05-14"


def test_a_report_holds_it_three_months_at_most(boss: Actor, case: Case) -> None:
    with pytest.raises(Invalid) as error:
        suspend(boss, case, "2026-03-10", ground="22.1.d", limit=day("2026-06-11"))
    assert [*error.value.errors] == ["limit"]
    suspend(boss, case, "2026-03-10", ground="22.1.d", limit=None)
    assert case.clock_intervals.get().limit_on == day("2026-06-10")
    assert due(case) == "2026-06-16"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"ground": "22.9"}, "ground"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 1_001}, "reason"),  # fell over: the browser alone kept to the length
        ({"limit": None}, "limit"),
        ({"limit": day("2026-03-10")}, "limit"),
        ({"ground": "22.1.b", "limit": day("2026-03-25")}, "limit"),
        ({"on": day("2026-03-11")}, "on"),
        ({"on": day("2026-03-01")}, "on"),
    ],
)
def test_a_wrong_suspension_is_refused_at_its_field(
    boss: Actor, case: Case, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as error:
        suspend(boss, case, "2026-03-10", **given)
    assert [*error.value.errors] == [field]
    assert due(case) == "2026-03-16"
    assert not case.clock_intervals.exists()


def test_what_has_ended_neither_stops_nor_grows(boss: Actor, case: Case) -> None:
    with conflict("clock_expired"):
        suspend(boss, case, "2026-03-17")
    with told_at(at("2026-03-17")), conflict("clock_expired"):
        services.extend_clock(boss, case.uuid, ground="32", term="5wd", reason="Volumen")
    assert due(case) == "2026-03-16"


def test_it_is_suspended_once_at_a_time(boss: Actor, case: Case) -> None:
    suspend(boss, case, "2026-03-10")
    with conflict("clock_suspended"):
        suspend(boss, case, "2026-03-11")
    with told_at(at("2026-03-12")):
        services.resume_clock(boss, case.uuid, reason="Aportado")
        with conflict("clock_running"):
            services.resume_clock(boss, case.uuid, reason="Otra vez")
        with pytest.raises(Invalid) as error:  # into the one before
            suspend(boss, case, "2026-03-12", on=day("2026-03-11"))
    assert [*error.value.errors] == ["on"]
    suspend(boss, case, "2026-03-12")
    assert case.clock_intervals.count() == 2


def test_the_database_keeps_suspensions_apart_and_the_case_informed(
    boss: Actor, case: Case
) -> None:
    suspend(boss, case, "2026-03-10")
    second = {
        "kind": "suspended",
        "ground": "22.1.b",
        "reason": "x",
        "starts_on": day("2026-03-12"),
    }
    with (
        pytest.raises(IntegrityError, match="clock_suspended_once_at_a_time"),
        transaction.atomic(),
    ):
        ClockInterval.objects.create(case=case, **second)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_clockinterval SET ends_on = '2026-03-11'")
    case.refresh_from_db()
    assert case.suspended_on is None
    with (
        pytest.raises(Exception, match="kept"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM cases_clockinterval")


def test_extended_by_half_or_by_itself(boss: Actor, case: Case) -> None:
    with told_at(at("2026-03-10")):
        with pytest.raises(Invalid) as error:
            services.extend_clock(boss, case.uuid, ground="32", term="6wd", reason="Volumen")
        assert [*error.value.errors] == ["term"]
        services.extend_clock(boss, case.uuid, ground="32", term="5wd", reason="Volumen")
        assert due(case) == "2026-03-23"
        with pytest.raises(Invalid) as error:
            services.extend_clock(boss, case.uuid, ground="32", term="1wd", reason="Más")
        assert [*error.value.errors] == ["ground"]
        services.extend_clock(boss, case.uuid, ground="23", term="10wd", reason="Medios agotados")
    assert due(case) == "2026-04-07"  # 3 April is Good Friday
    assert last_event(case)["term"] == "10wd"


def test_a_type_without_a_term_has_nothing_to_stop(world: World, boss: Actor) -> None:
    free = CaseTypeFactory(organisation=world.here, code="libre", term=None)
    case = CaseFactory(actor=boss, unit=world.unit, case_type=free)
    with conflict("no_legal_term"):
        services.suspend_clock(boss, case.uuid, ground="22.1.b", reason="x")
    assert kinds(case) == ["opened"]


def test_rights(world: World, boss: Actor, case: Case) -> None:
    with pytest.raises(Refused):
        suspend(acting(world.alice), case, "2026-03-10")
    with pytest.raises(NotFound):
        suspend(acting(employee(world.elsewhere, "supervisor")), case, "2026-03-10")
    assert kinds(case) == ["opened"]


def test_what_ends_by_itself_is_over_with_its_limit(boss: Actor, case: Case) -> None:
    suspend(boss, case, "2026-03-10")
    with told_at(at("2026-03-25")):
        assert resume_expired() == 0
    with told_at(at("2026-03-26")):
        assert resume_expired() == 1
        assert resume_expired() == 0
    assert due(case) == "2026-03-31"
    assert last_event(case)["on"] == "2026-03-25"
    assert case.events.order_by("-seq")[0].actor_kind == "system"


def test_resumed_late_it_ran_since_its_limit(boss: Actor, case: Case) -> None:
    suspend(boss, case, "2026-03-10")
    with told_at(at("2026-03-30")):
        services.resume_clock(boss, case.uuid, reason="Nadie vino")
    assert case.clock_intervals.get().ends_on == day("2026-03-25")
    assert due(case) == "2026-03-31"


def test_work_that_ends_ends_the_suspension(boss: Actor, case: Case) -> None:
    suspend(boss, case, "2026-03-10")
    with told_at(at("2026-03-12")):
        services.close_case(boss, case.uuid, outcome="Desiste")
    case.refresh_from_db()
    assert (case.ended, case.suspended_on) == (True, None)
    assert kinds(case)[-3:] == ["clock_suspended", "clock_resumed", "moved"]


def test_a_new_holiday_moves_open_deadlines_once_and_says_why(
    world: World, boss: Actor, case: Case, kind: CaseType
) -> None:
    done = CaseFactory(actor=boss, unit=world.unit, case_type=kind, opened_at=at("2026-03-02"))
    services.close_case(boss, done.uuid, outcome="Hecho")
    suspend(boss, case, "2026-03-10")
    before = len(kinds(case))
    world.here.refresh_from_db()
    assert recompute(world.here) == 0
    admin = acting(employee(world.here, "administrator", email="cal@here.example"))
    base = load_public_holidays()
    own = create_calendar(admin, name="Local", code="L", layer="local", base_id=base.uuid)
    Unit.objects.unscoped("a test").filter(pk=world.unit.pk).update(calendar=own)
    set_holiday(admin, own.uuid, day=day("2026-03-30"), name="Fiesta")
    world.here.refresh_from_db()
    assert recompute(world.here) == 1
    assert due(case) == "2026-04-01"
    assert last_event(case) == {
        "why": "The calendar changed.",
        "before": "2026-03-31",
        "due": "2026-04-01",
    }
    assert recompute(world.here) == 0
    state = ClockState.objects.unscoped("a test").get(organisation=world.here)
    state.units_version -= 1
    state.save()
    assert recompute(world.here) == 0  # again: nothing moves twice
    assert len(kinds(case)) == before + 1
    assert due(done) == "2026-03-16"


def test_a_calendar_that_ends_too_early_keeps_the_date_that_was_promised(
    world: World, boss: Actor, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.here.refresh_from_db()
    far = timedelta(days=400)
    Case.objects.unscoped("a test").filter(pk=case.pk).update(opened_at=case.opened_at - 20 * far)
    assert recompute(world.here) == 0
    assert due(case) == "2026-03-16"


def test_the_page_tells_the_sum(world: World, boss: Actor, case: Case, client: Client) -> None:
    suspend(boss, case, "2026-03-10")
    with told_at(at("2026-03-20")):
        services.resume_clock(boss, case.uuid, reason="Aportado")
    client.force_login(world.alice)
    page = client.get(f"/casos/{case.uuid}/plazo/").content.decode()
    for text in (
        "10 working days from the day after 2 de marzo de 2026",
        "plus 8 days of suspension",
        "plus 6 Saturdays and Sundays",
        "ends on jueves, 26 de marzo de 2026",
        "Ley 39/2015, art. 22.1.a",
        "Falta el padrón",
    ):
        assert text in page
    whole = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "Why this date?" in whole
    assert "Suspend the legal deadline" not in whole  # an agent may not


def test_what_cannot_be_suspended_any_more_says_so_in_the_menu(
    boss: Actor, case: Case, kind: CaseType, world: World, client: Client
) -> None:
    client.force_login(User.objects.get(pk=boss.user_id))
    late = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "The term has ended." in late
    assert 'data-open="clock-suspend"' not in late
    fresh = CaseFactory(actor=boss, unit=world.unit, case_type=kind)
    page = client.get(f"/casos/{fresh.uuid}/").content.decode()
    assert 'data-open="clock-suspend"' in page
    answer = client.post(
        f"/casos/{fresh.uuid}/plazo/suspender/",
        {"ground": "22.1.b", "reason": "Consulta", "version": fresh.version},
        follow=True,
    ).content.decode()
    assert "The legal deadline is suspended" in answer
    assert 'data-open="clock-resume"' in answer
    assert 'data-open="clock-suspend"' not in answer
