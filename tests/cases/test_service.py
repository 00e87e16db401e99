"""Service targets of cases: they follow what happens, and are told once when in danger or missed."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from cases import services
from cases.models import Case, CaseType, EventKind, ServiceClock, ServicePause, ServiceTarget
from cases.services import told_at, units
from cases.services.clocks import recompute
from cases.services.targets import sweep
from cases.workflow import simple_bundle
from crm.kit import outbox
from crm.kit.actor import Actor
from crm.kit.models import Outbox
from crm.organisations.calendars import Interval
from crm.organisations.models import Unit
from crm.organisations.services import (
    create_calendar,
    load_public_holidays,
    set_holiday,
    set_weekly_hours,
)
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory

MADRID = ZoneInfo("Europe/Madrid")
TELL = {"tell": ["assignee", "supervisors"]}
RULES = [
    {
        "measure": "first_answer",
        "within": "1h",
        "warn": "75%",
        "for": {"priority": ["high", "urgent"]},
        "at_warning": TELL,
        "at_breach": {"tell": ["supervisors", "unit:SOUTH"], "raise_priority": True},
    },
    {"measure": "first_answer", "within": "30min", "for": {"need": ["accessibility"]}},
    {"measure": "first_answer", "within": "4h", "warn": "1h", "at_warning": TELL},
    {"measure": "next_answer", "within": "8h"},
    {"measure": "resolution", "within": "20h", "warn": "75%"},
]


def at(text: str) -> datetime:
    """Of the week of Monday 2 March 2026."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=MADRID)


def shown(moment: datetime | None) -> str | None:
    return moment.astimezone(MADRID).strftime("%dT%H:%M") if moment else None


def target(case: Case, measure: str) -> ServiceTarget:
    return case.service_targets.filter(measure=measure).latest("started_at")


def due(case: Case, measure: str) -> str | None:
    return shown(target(case, measure).due_at)


def kinds(case: Case) -> list[str]:
    return [event.kind for event in case.events.order_by("seq")]


MORNING = Interval(time(9), time(14))


def attends(world: World, unit: Unit, week: dict[int, tuple[Interval, ...]]) -> None:
    """The unit has a calendar of its own with these hours."""
    base = load_public_holidays()
    email = f"cal-{unit.code}@here.example"
    admin = acting(employee(world.here, "administrator", email=email))
    own = create_calendar(admin, name=unit.name, code=unit.code, layer="local", base_id=base.uuid)
    set_weekly_hours(admin, own.uuid, week)
    Unit.objects.unscoped("a test").filter(pk=unit.pk).update(calendar=own)
    world.here.refresh_from_db()
    world.here.units_version += 1
    world.here.save()
    unit.refresh_from_db()
    unit.organisation.refresh_from_db()


@pytest.fixture
def boss(world: World) -> Actor:
    """The supervisor of « Norte », which attends from 9 to 14 and Mondays also from 16 to 18."""
    week = dict.fromkeys(range(5), (MORNING,)) | {0: (MORNING, Interval(time(16), time(18)))}
    attends(world, world.unit, week)
    supervisor = employee(
        world.here, "supervisor", unit=world.unit, full_name="Berta Salcedo", email="b@here.example"
    )
    return acting(supervisor)


@pytest.fixture
def kind(world: World) -> CaseType:
    made: CaseType = CaseTypeFactory(
        organisation=world.here, code="aviso", bundle={**simple_bundle(), "service": RULES}
    )
    return made


@pytest.fixture
def case(world: World, boss: Actor, kind: CaseType) -> Case:
    """Opened on Monday 2 March at 10:00."""
    return opened(world, boss, kind)


def opened(world: World, boss: Actor, kind: CaseType, **given: Any) -> Case:
    moment = given.pop("moment", at("02T10:00"))
    with told_at(moment):
        made: Case = CaseFactory(
            actor=boss, unit=world.unit, case_type=kind, opened_at=moment, **given
        )
    return made


def test_a_new_case_has_its_targets(case: Case) -> None:
    assert due(case, "first_answer") == "02T14:00"
    assert due(case, "resolution") == "05T13:00"  # 4 + 2, 5, 5 and 4 hours
    assert shown(target(case, "first_answer").warn_at) == "02T13:00"
    clock = case.service_clock
    assert (clock.measure, shown(clock.due_at)) == ("first_answer", "02T14:00")
    assert shown(clock.danger_at) == "02T13:00"
    assert clock.unit_id == case.unit_id
    assert kinds(case) == ["opened"]


def test_a_type_without_targets_writes_nothing(world: World, boss: Actor) -> None:
    plain = CaseFactory(actor=boss, unit=world.unit)
    services.send_message(boss, plain.uuid, "Buenos días")
    assert not ServiceTarget.objects.unscoped("a test").exists()
    assert not ServiceClock.objects.unscoped("a test").exists()


def test_an_answer_meets_the_first_and_words_of_the_citizen_begin_the_next(
    boss: Actor, case: Case
) -> None:
    with told_at(at("02T11:30")):
        services.send_message(boss, case.uuid, "Lo miramos hoy.")
    first = target(case, "first_answer")
    assert (first.end, shown(first.ended_at), first.margin) == ("met", "02T11:30", 9_000)
    case.refresh_from_db()
    assert case.service_clock.measure == "resolution"
    with told_at(at("02T17:00")):
        services.record_message(boss, case.uuid, "¿Qué tal va?", channel="phone")
    assert due(case, "next_answer") == "04T11:00"
    with told_at(at("03T09:00")):
        services.record_message(boss, case.uuid, "¿Hola?", channel="phone")
    assert due(case, "next_answer") == "04T11:00"  # they waited already
    with told_at(at("04T12:30")):
        services.send_message(boss, case.uuid, "Ya está.")
    late = target(case, "next_answer")
    assert (late.end, late.margin, shown(late.breached_at)) == ("missed", -5_400, "04T11:00")
    case.refresh_from_db()
    assert case.service_clock.breached


def test_waiting_stands_still_and_never_shortens(boss: Actor, case: Case) -> None:
    with told_at(at("02T12:00")):
        services.move_case(boss, case.uuid, "ask_citizen", reason="Falta el padrón")
    assert due(case, "resolution") is None
    assert due(case, "first_answer") == "02T14:00"  # who wrote waits on
    assert shown(target(case, "resolution").paused_at) == "02T12:00"
    with told_at(at("04T10:00")):
        services.move_case(boss, case.uuid, "resume")
    assert due(case, "resolution") == "09T13:00"  # 2 before, then 4, 5, 5 and 4
    (pause,) = ServicePause.objects.unscoped("a test")
    assert (shown(pause.starts_at), shown(pause.ends_at), pause.category) == (
        "02T12:00",
        "04T10:00",
        2,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        ServicePause.objects.create(
            target=pause.target, category=2, starts_at=at("03T10:00"), ends_at=None
        )


def test_work_that_ends_meets_what_is_promised_and_begins_anew_when_reopened(
    boss: Actor, case: Case
) -> None:
    with told_at(at("03T10:00")):
        services.close_case(boss, case.uuid, outcome="Resuelto")
    done = target(case, "resolution")
    assert (done.end, done.margin) == ("met", 46_800)  # 7 of 20 hours were used
    first = target(case, "first_answer")
    assert (first.end, first.breached_at is not None) == ("missed", True)
    case.refresh_from_db()
    assert (case.service_clock.measure, case.service_clock.due_at) == ("", None)
    with told_at(at("04T09:00")):
        services.reopen_case(boss, case.uuid, reason="Alega")
    assert due(case, "resolution") == "09T14:00"  # 5 on each of four days, begun anew
    assert [one.end for one in case.service_targets.filter(measure="resolution")] == ["met", ""]


def test_priority_and_need_choose_another_and_the_story_says_so(
    world: World, boss: Actor, case: Case
) -> None:
    with told_at(at("02T10:15")):
        services.edit_case(boss, case.uuid, {"priority": 2})
    assert due(case, "first_answer") == "02T11:00"
    event = case.events.order_by("-seq")[0]
    assert event.kind == EventKind.TARGET_RECOMPUTED
    assert datetime.fromisoformat(event.data["before"]) == at("02T14:00")
    assert event.data["why"] == "For such a case there is another service target."
    needing = CitizenFactory(
        organisation=world.here, organisation__accessibility_needs=["hearing"], nif=""
    )
    other = opened(world, boss, CaseType.objects.get(code="aviso"))
    with told_at(at("02T10:10")):
        services.edit_case(boss, other.uuid, {"citizen": needing.uuid})
    assert due(other, "first_answer") == "02T10:30"
    with told_at(at("02T10:11")):
        services.edit_case(boss, other.uuid, {"subject": "Otro"})
    assert kinds(other)[-1] == "edited"


def test_warned_and_missed_once_each_and_whoever_must_know_is_told(
    world: World, boss: Actor, kind: CaseType
) -> None:
    south = employee(
        world.here,
        "supervisor",
        unit=world.other_unit,
        full_name="Sara Sur",
        email="s@here.example",
    )
    case = opened(world, boss, kind, priority=2, assignee=world.alice)
    with told_at(at("02T10:44")):
        assert sweep() == 0
    with told_at(at("02T10:45")):
        assert (sweep(), sweep()) == (1, 0)
    warned = case.events.order_by("-seq")[0]
    assert (warned.kind, warned.actor_kind) == ("target_warned", "system")
    assert warned.data["to"] == [world.alice.full_name, "Berta Salcedo"]
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass
    assert {one.to[0] for one in mail.outbox} == {world.alice.email, "b@here.example"}
    assert len(mail.outbox) == 2
    assert case.subject not in mail.outbox[0].body
    assert case.reference in mail.outbox[0].subject
    with told_at(at("02T11:00")):
        assert (sweep(), sweep()) == (1, 0)
    assert kinds(case)[-2:] == ["target_breached", "edited"]
    case.refresh_from_db()
    assert case.priority == 3
    row = target(case, "first_answer")
    assert (shown(row.breached_at), row.minutes) == ("02T11:00", 60)  # what it raised leaves it
    told = case.events.get(kind="target_breached").data["to"]
    assert told == ["Berta Salcedo"]  # of the south nobody may see the case
    assert south.full_name not in told
    assert case.service_clock.breached
    with told_at(at("02T12:00")):
        services.send_message(boss, case.uuid, "Perdone la espera.")
    row.refresh_from_db()
    assert (row.end, row.margin) == ("missed", -3_600)


def test_who_was_down_tells_of_the_breach_alone(boss: Actor, case: Case) -> None:
    with told_at(at("02T17:00")):
        assert (sweep(), sweep()) == (1, 0)
    assert kinds(case) == ["opened", "target_breached"]


def test_a_worker_killed_between_leaves_all_or_nothing(
    boss: Actor, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_args: Any, **_given: Any) -> None:
        raise RuntimeError("killed")

    with told_at(at("02T13:30")):
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "send_later", killed)
            assert sweep() == 0
        assert kinds(case) == ["opened"]
        assert target(case, "first_answer").warned_at is None
        assert sweep() == 1
    assert kinds(case) == ["opened", "target_warned"]


def test_another_units_hours_move_it_with_a_reason(world: World, boss: Actor, case: Case) -> None:
    mover = acting(employee(world.here, "supervisor", email="all@here.example"))
    attends(world, world.other_unit, dict.fromkeys(range(5), (Interval(time(8), time(10, 30)),)))
    with told_at(at("02T10:20")):
        services.change_unit(mover, case.uuid, world.other_unit.uuid, reason="Es suyo")
    assert due(case, "first_answer") == "04T09:00"
    assert kinds(case)[-3:] == ["unit_changed", "target_recomputed", "target_recomputed"]
    assert case.events.order_by("-seq")[0].data["why"] == "The other unit has another calendar."
    clock = ServiceClock.objects.unscoped("a test").get(case=case)
    assert clock.unit_id == world.other_unit.pk


def test_units_that_merge_take_their_clocks_along(world: World, boss: Actor, case: Case) -> None:
    with transaction.atomic():
        units.move_all(boss, world.unit, world.other_unit)
    clock = ServiceClock.objects.unscoped("a test").get(case=case)
    assert clock.unit_id == world.other_unit.pk


def test_a_new_holiday_moves_what_runs_once(world: World, boss: Actor, case: Case) -> None:
    world.here.refresh_from_db()
    with told_at(at("02T10:30")):
        recompute(world.here)
        assert kinds(case) == ["opened"]
        admin = acting(employee(world.here, "administrator", email="two@here.example"))
        own = world.unit.calendar
        assert own is not None
        set_holiday(admin, own.uuid, day=at("03T00:00").date(), name="Fiesta")
        world.here.refresh_from_db()
        recompute(world.here)
    assert due(case, "first_answer") == "02T14:00"
    assert due(case, "resolution") == "06T13:00"
    assert kinds(case) == ["opened", "target_recomputed"]
    event = case.events.order_by("-seq")[0]
    assert (event.data["measure"], event.data["why"]) == ("resolution", "The calendar changed.")


def test_a_unit_that_says_no_hours_opens_cases_all_the_same(
    world: World, boss: Actor, kind: CaseType
) -> None:
    mover = acting(employee(world.here, "supervisor", email="all@here.example"))
    made = CaseFactory(actor=mover, unit=world.other_unit, case_type=kind)
    assert target(made, "first_answer").due_at is None
    assert sweep() == 0
    assert made.service_clock.due_at is None


def test_the_database_keeps_one_of_a_kind(case: Case) -> None:
    row = target(case, "resolution")
    with pytest.raises(IntegrityError, match="service_target_runs_once"), transaction.atomic():
        ServiceTarget.objects.create(
            case=case, measure=row.measure, rule=row.rule, minutes=1, started_at=row.started_at
        )
    with pytest.raises(Exception, match="kept"), transaction.atomic():
        row.delete()
