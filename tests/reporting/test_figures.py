"""The figures: each equals independent SQL on random lives of cases, however its facts came about."""

# ruff: noqa: S608, S311 - SQL of the test's own words, chance that can be repeated

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from cases import services as cases
from cases.models import Case, CaseType
from cases.services import told_at
from crm.accounts.actors import system_actor
from crm.kit.actor import Actor
from crm.organisations.calendars import Interval, working_time_between
from crm.organisations.models import Organisation, Unit, WorkingCalendar
from crm.organisations.selectors import calendar_for
from crm.organisations.services import (
    create_calendar,
    load_public_holidays,
    move_unit,
    set_weekly_hours,
)
from reporting import facts, metrics, reading, tasks
from reporting.deriving import rounded
from reporting.models import CaseFact, District, FactState, Subtree, Tally
from reporting.reading import Scope
from tests.conftest import World
from tests.factories.accounts import ORIGIN, acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.organisations import UnitFactory

MADRID = ZoneInfo("Europe/Madrid")
# yesterday evening: whatever the time of day is now, nothing is opened in the future
NOW = (datetime.now(MADRID) - timedelta(days=1)).replace(hour=20, minute=0, second=0, microsecond=0)
END = NOW.date() - timedelta(days=5)
START = END - timedelta(days=24)
CHANNELS = ("phone", "email", "in_person")


@pytest.fixture
def boss(world: World) -> Actor:
    return acting(employee(world.here, "supervisor", full_name="Berta Salcedo"))


@pytest.fixture
def types(world: World) -> list[CaseType]:
    return [
        CaseTypeFactory(organisation=world.here, code=f"tipo-{n}", term=term)
        for n, term in enumerate(("5d", "20d", None))
    ]


@pytest.fixture
def south(world: World) -> dict[str, Unit]:
    """What lies below the south: a district with two desks, and a desk of its own."""
    made = {"district": UnitFactory(organisation=world.here, parent=world.other_unit)}
    for name in ("first", "second"):
        made[name] = UnitFactory(organisation=world.here, parent=made["district"])
    made["desk"] = UnitFactory(organisation=world.here, parent=world.other_unit)
    world.here.refresh_from_db()
    return {"top": world.other_unit, **made}


def live(
    dice: Random,
    world: World,
    boss: Actor,
    types: list[CaseType],
    *,
    since: int = 45,
    units: Sequence[Unit] = (),
) -> Case:
    """A case that was opened some day and of which this and that happened until now."""
    at = NOW - timedelta(days=dice.randint(0, since), minutes=dice.randint(0, 1439))
    case: Case = CaseFactory(
        actor=boss,
        unit=dice.choice([world.unit, world.other_unit, *units]),
        case_type=dice.choice(types),
        channel=dice.choice(CHANNELS),
        opened_at=at,
    )
    go_on(dice, boss, case, at)
    return case


def go_on(dice: Random, boss: Actor, case: Case, at: datetime) -> None:
    """Some of what may happen to a case happens, in order, after that moment."""
    for what in ("answer", "close", "reopen", "answer", "close", "reopen"):
        at += timedelta(minutes=dice.choice((3, 50, 700, 4_000, 9_000)))
        if at > NOW or dice.random() < 0.15:
            return
        with told_at(at):
            act(what, boss, case)


def act(what: str, boss: Actor, case: Case) -> None:
    case.refresh_from_db()
    if what == "answer":
        cases.record_message(boss, case.uuid, "Se le llama.", channel="phone", direction="out")
    elif what == "close" and not case.ended:
        cases.close_case(boss, case.uuid, outcome="Hecho")
    elif what == "reopen" and case.ended:
        cases.reopen_case(boss, case.uuid, reason="Falta algo")


def asked(sql: str, scope: Scope) -> list[tuple[Any, ...]]:
    """The independent answer: from the cases and their events alone."""
    where = "c.organisation_id = %(organisation)s"
    if scope.units is not None:
        where += " AND c.unit_id = ANY(%(units)s)"
    if scope.case_types:
        where += " AND c.case_type_id = ANY(%(types)s)"
    if scope.channels:
        where += " AND c.channel = ANY(%(channels)s)"
    crossing = f"""
        WITH moved AS (
          SELECT e.case_id, e.at, e.seq, (e.data->>'category')::int >= 4 AS ended,
            coalesce(lag((e.data->>'category')::int >= 4)
              OVER (PARTITION BY e.case_id ORDER BY e.seq), false) AS before
          FROM cases_event e JOIN cases_case c ON c.id = e.case_id
          WHERE e.kind = 'moved' AND {where}),
        mine AS (
          SELECT c.*, (SELECT min(at) FROM (
            SELECT e.at FROM cases_event e WHERE e.case_id = c.id AND e.kind = 'messaged'
              AND e.data->>'direction' = 'out'
            UNION ALL SELECT at FROM moved m WHERE m.case_id = c.id AND m.ended) a) AS answered_at
          FROM cases_case c WHERE {where}),
        local AS (SELECT 'Europe/Madrid'::text AS zone)
    """
    with connection.cursor() as cursor:
        cursor.execute(
            crossing + sql,
            {
                "organisation": scope.organisation_id,
                "units": sorted(scope.units or ()),
                "types": sorted(scope.case_types),
                "channels": sorted(scope.channels),
                "start": scope.start,
                "end": scope.end,
            },
        )
        return cursor.fetchall()


def day(column: str) -> str:
    return f"({column} AT TIME ZONE 'Europe/Madrid')::date"


WITHIN = "BETWEEN %(start)s AND %(end)s"
SQL = {
    "opened": f"SELECT count(*) FROM mine WHERE {day('opened_at')} {WITHIN}",
    "ended": f"SELECT count(*) FROM moved WHERE ended AND NOT before AND {day('at')} {WITHIN}",
    "reopened": f"SELECT count(*) FROM moved WHERE before AND NOT ended AND {day('at')} {WITHIN}",
    "backlog": f"""SELECT count(*) FROM mine WHERE {day("opened_at")} <= %(end)s AND NOT coalesce((
        SELECT ended FROM moved m WHERE m.case_id = mine.id AND {day("m.at")} <= %(end)s
        ORDER BY seq DESC LIMIT 1), false)""",
    "late": f"""SELECT (count(*) FILTER (WHERE closed_at > due_at))::float / nullif(count(*), 0)
        FROM mine WHERE due_at IS NOT NULL AND {day("closed_at")} {WITHIN}""",
    **{
        f"{name}_{label}": f"""SELECT percentile_disc({part}) WITHIN GROUP (ORDER BY
            floor(extract(epoch FROM {column} - opened_at) / 60)) FROM mine
            WHERE {day(column)} {WITHIN}"""
        for name, column in (("answer", "answered_at"), ("solved", "closed_at"))
        for label, part in (("median", 0.5), ("p90", 0.9))
    },
}


def scopes(world: World, types: list[CaseType]) -> list[Scope]:
    whole = Scope(world.here.pk, START, END)
    return [
        whole,
        whole.at(NOW.date() - timedelta(days=60), NOW.date()),
        whole.at(END, END),
        Scope(world.here.pk, START, END, units=frozenset({world.unit.pk})),
        Scope(world.here.pk, START, END, case_types=frozenset({types[0].pk, types[2].pk})),
        Scope(world.here.pk, START, END, channels=frozenset({"email"})),
        Scope(
            world.here.pk,
            START,
            END,
            units=frozenset({world.unit.pk, world.other_unit.pk}),
            case_types=frozenset({types[1].pk}),
            channels=frozenset({"phone", "in_person"}),
        ),
        Scope(world.here.pk, START, END, units=frozenset()),
        *wide_scopes(world, types),
    ]


def wide_scopes(world: World, types: list[CaseType]) -> list[Scope]:
    """Each filter, and several together, over a period with whole months inside."""
    wide = Scope(world.here.pk, NOW.date() - timedelta(days=75), NOW.date())
    kind = {"case_types": frozenset({types[0].pk, types[1].pk})}
    one = {"units": frozenset({world.unit.pk})}
    by_phone = {"channels": frozenset({"phone"})}
    filters: list[dict[str, Any]] = [
        *(kind, by_phone, one, kind | by_phone, one | kind, one | by_phone, one | kind | by_phone)
    ]
    return [replace(wide, **given) for given in filters]


def compare(scope: Scope) -> None:
    found = metrics.values(metrics.reading(scope, NOW))
    assert set(found) == set(SQL)
    for code, sql in SQL.items():
        expected = asked(sql, scope)[0][0]
        if code.startswith(("answer", "solved")) and expected is not None:
            expected = rounded(int(expected))
        assert found[code] == expected, (code, scope)


def kept() -> tuple[list[Any], list[Any], set[Any]]:
    """Every fact and every tally there is, in order, and which units are counted together."""
    rows = CaseFact.objects.unscoped("comparing").order_by("pk").values()
    tallies = Tally.objects.unscoped("comparing").values_list(
        *("organisation_id", "cut", "measure", "day"),
        *("unit_id", "case_type_id", "channel", "value", "count"),
    )
    together = Subtree.objects.unscoped("comparing").values_list("top_id", "unit_id")
    return list(rows), sorted(tallies), set(together)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_figure_equals_independent_sql(
    seed: int, world: World, boss: Actor, types: list[CaseType]
) -> None:
    dice = Random(seed)
    for _ in range(30):
        live(dice, world, boss, types)
    facts.refresh(world.here)
    assert reading.read_open(Scope(world.here.pk, START, END), NOW).total > 0
    for scope in scopes(world, types):
        compare(scope)


@pytest.mark.parametrize("back", [25, 40, 365])
def test_both_periods_of_a_comparison_equal_independent_sql(
    back: int, world: World, boss: Actor, types: list[CaseType]
) -> None:
    dice = Random(9)
    for _ in range(30):
        live(dice, world, boss, types, since=80)
    facts.refresh(world.here)
    for scope in wide_scopes(world, types):
        before = scope.at(scope.start - timedelta(days=back), scope.end - timedelta(days=back))
        for made in metrics.readings([scope, before], NOW):
            found = metrics.values(made)
            for code in ("opened", "ended", "reopened", "backlog", "late"):
                assert found[code] == asked(SQL[code], made.scope)[0][0], (code, made.scope)
            for code in ("answer_median", "solved_p90"):
                expected = asked(SQL[code], made.scope)[0][0]
                assert found[code] == (None if expected is None else rounded(int(expected)))


def test_whole_months_are_read_from_roll_ups_and_not_from_single_facts(
    world: World, boss: Actor, types: list[CaseType]
) -> None:
    """What makes a type over ninety days quick at a million cases: its facts may as well be gone."""
    dice = Random(10)
    for _ in range(30):
        live(dice, world, boss, types)
    facts.refresh(world.here)

    def told(scope: Scope) -> list[object]:
        values = ["answer", "solved", "answer_natural", "solved_natural"]
        found: list[object] = []
        if scope.units is None:
            found += [sorted(reading.read(scope, values, "value"))]
            found += [sorted(reading.read(scope, ["hour"], "weekday"))]
            found += [sorted(reading.read(scope, ["district"], "value"))]
        flow = ["opened", "ended", "due", "late"]
        return [*found, sorted(reading.read(scope, flow, "unit")), reading.read_kinds(scope, flow)]

    months = reading.whole_months(NOW.date() - timedelta(days=75), NOW.date())
    assert months
    narrow = [scope.at(*months) for scope in wide_scopes(world, types)]
    before = [told(scope) for scope in narrow]
    assert any(any(found) for found in before)
    CaseFact.objects.unscoped("a test").all().delete()
    assert [told(scope) for scope in narrow] == before


def test_many_units_are_read_as_the_subtrees_they_are(
    world: World, boss: Actor, types: list[CaseType], south: dict[str, Unit]
) -> None:
    """Half of the provinces over a year are a few subtrees: neither facts nor units are walked."""
    dice = Random(11)
    for _ in range(40):
        live(dice, world, boss, types, since=80, units=list(south.values()))
    facts.refresh(world.here)
    wide = Scope(world.here.pk, NOW.date() - timedelta(days=75), NOW.date())
    pk = {name: unit.pk for name, unit in south.items()}
    district = {pk["district"], pk["first"], pk["second"]}
    whole = replace(wide, units=frozenset(pk.values()))
    for units in (
        whole.units,
        district,
        {*district, world.unit.pk},
        {pk["top"], pk["district"], pk["first"]},  # no subtree: a desk of each is missing
        {*pk.values(), world.unit.pk} - {pk["desk"]},
    ):
        assert units
        scope = replace(wide, units=frozenset(units))
        compare(scope)
        compare(replace(scope, case_types=frozenset({types[0].pk})))

    months = reading.whole_months(wide.start, wide.end)
    assert months
    inside = whole.at(*months)

    def told() -> list[object]:
        return [
            sorted(reading.read(inside, ["answer", "solved", "district"], "value")),
            sorted(reading.read(inside, ["hour"], "weekday")),
            sorted(reading.read(whole, ["opened", "ended", "reopened", "late"], "day")),
        ]

    before = told()
    assert all(before)
    CaseFact.objects.unscoped("a test").all().delete()
    by_unit = Tally.Cut.UNIT, Tally.Cut.UNIT_MONTH
    Tally.objects.unscoped("a test").filter(cut__in=by_unit).delete()
    assert told() == before


def test_figures_stay_true_while_the_tree_of_units_changes(
    world: World, boss: Actor, types: list[CaseType], south: dict[str, Unit]
) -> None:
    dice = Random(12)
    for _ in range(30):
        live(dice, world, boss, types, since=80, units=list(south.values()))
    facts.refresh(world.here)
    _facts, _tallies, first = kept()
    pk = {name: unit.pk for name, unit in south.items()}
    assert {unit for top, unit in first if top == pk["top"]} == set(pk.values())
    admin = acting(employee(world.here, "administrator", email="arbol@here.example"))
    move_unit(admin, south["district"].uuid, world.unit.uuid)
    world.here.refresh_from_db()
    wide = Scope(world.here.pk, NOW.date() - timedelta(days=75), NOW.date())
    district = {pk["district"], pk["first"], pk["second"]}
    scopes_now = [
        replace(wide, units=frozenset({world.unit.pk, *district})),
        replace(wide, units=frozenset({pk["top"], pk["desk"]})),
        replace(wide, units=frozenset(pk.values())),
    ]
    for scope in scopes_now:  # nothing was counted since
        compare(scope)
    live(dice, world, boss, types, units=[south["first"]])
    facts.refresh(world.here)
    _facts, _tallies, second = kept()
    assert {unit for top, unit in second if top == pk["top"]} == {pk["top"], pk["desk"]}
    assert {unit for top, unit in second if top == world.unit.pk} == {world.unit.pk, *district}
    for scope in scopes_now:
        compare(scope)
    before = kept()
    facts.rebuild(world.here)
    assert kept() == before


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-08-24", "2026-11-21", ("2026-09-01", "2026-10-31")),
        ("2026-09-01", "2026-09-30", ("2026-09-01", "2026-09-30")),
        ("2026-09-01", "2026-09-29", None),
        ("2026-09-02", "2026-10-30", None),
        ("2025-12-31", "2026-03-01", ("2026-01-01", "2026-02-28")),
        ("2024-01-31", "2024-02-29", ("2024-02-01", "2024-02-29")),
        ("2026-09-10", "2026-09-20", None),
    ],
)
def test_whole_months_between_two_days(
    start: str, end: str, expected: tuple[str, str] | None
) -> None:
    found = reading.whole_months(date.fromisoformat(start), date.fromisoformat(end))
    assert (tuple(day.isoformat() for day in found) if found else None) == expected


@pytest.mark.parametrize("seed", [4, 5])
def test_what_is_kept_up_equals_what_is_built_anew(
    seed: int, world: World, boss: Actor, types: list[CaseType]
) -> None:
    """Things go on happening between counts, some of them to days long counted."""
    dice = Random(seed)
    there = [live(dice, world, boss, types) for _ in range(12)]
    facts.refresh(world.here)
    for _ in range(4):
        for case in dice.sample(there, 6):
            go_on(dice, boss, case, case.opened_at + timedelta(days=dice.randint(0, 20)))
        moving = dice.choice(there)
        moving.refresh_from_db()
        if not moving.ended:
            target = world.unit if moving.unit_id == world.other_unit.pk else world.other_unit
            cases.change_unit(boss, moving.uuid, target.uuid, reason="Es de allí")
        there += [live(dice, world, boss, types) for _ in range(2)]
        facts.refresh(world.here)
        facts.refresh(world.here)  # counting again changes nothing
        before = kept()
        assert before[1]
        facts.rebuild(world.here)
        assert kept() == before
    for scope in scopes(world, types):
        compare(scope)


def test_a_late_change_of_a_past_day_corrects_that_day(world: World, boss: Actor) -> None:
    opened = datetime.combine(START, time(10), MADRID)
    case = CaseFactory(actor=boss, unit=world.unit, opened_at=opened)
    facts.refresh(world.here)
    on_the_day = Scope(world.here.pk, START, START)
    assert metrics.values(metrics.reading(on_the_day, NOW))["backlog"] == 1
    with told_at(opened + timedelta(hours=3)):  # entered today, but it was done then
        cases.close_case(boss, case.uuid, outcome="Se resolvió en el acto")
    facts.refresh(world.here)
    found = metrics.values(metrics.reading(on_the_day, NOW))
    assert (found["ended"], found["backlog"], found["solved_median"]) == (1, 0, 180)
    assert not Tally.objects.unscoped("none is left over").filter(count__lte=0).exists()


@pytest.mark.parametrize(
    ("moment", "expected", "hour"),
    [
        # the clock goes back on 26 October 2025: 00:30 UTC is still summer time, 23 hours later not
        (datetime(2025, 10, 25, 22, 30, tzinfo=UTC), date(2025, 10, 26), 0),
        (datetime(2025, 10, 26, 0, 30, tzinfo=UTC), date(2025, 10, 26), 2),
        (datetime(2025, 10, 26, 1, 30, tzinfo=UTC), date(2025, 10, 26), 2),
        (datetime(2025, 10, 26, 22, 59, tzinfo=UTC), date(2025, 10, 26), 23),
        (datetime(2025, 10, 26, 23, 0, tzinfo=UTC), date(2025, 10, 27), 0),
        # and forward on 29 March 2026, which has 23 hours
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29), 0),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), date(2026, 3, 29), 3),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29), 23),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30), 0),
    ],
)
def test_days_and_hours_are_the_organisations_own(
    moment: datetime, expected: date, hour: int, world: World, boss: Actor
) -> None:
    case = CaseFactory(actor=boss, unit=world.unit, opened_at=moment)
    facts.refresh(world.here)
    fact = CaseFact.objects.for_actor(boss).get(case=case)
    assert (fact.opened_on, fact.opened_hour) == (expected, hour)


def test_another_clock_has_other_days(world: World, boss: Actor) -> None:
    Organisation.objects.filter(pk=world.here.pk).update(time_zone="Atlantic/Canary")
    world.here.refresh_from_db()
    CaseFactory(actor=boss, unit=world.unit, opened_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    facts.refresh(world.here)
    assert CaseFact.objects.for_actor(boss).get().opened_on == date(2026, 3, 1)


def test_a_night_of_the_clock_change_lasts_what_it_lasts(world: World, boss: Actor) -> None:
    opened = datetime(2025, 10, 26, 0, 30, tzinfo=MADRID)
    case = CaseFactory(actor=boss, unit=world.unit, opened_at=opened)
    with told_at(datetime(2025, 10, 26, 4, 30, tzinfo=MADRID)):
        cases.close_case(boss, case.uuid, outcome="Hecho")
    facts.refresh(world.here)
    fact = CaseFact.objects.for_actor(boss).get(case=case)
    assert (fact.solved_minutes, fact.solved_natural) == (300, True)  # five hours, not four


@pytest.fixture
def hours(world: World, boss: Actor) -> WorkingCalendar:
    """Attention from nine to two on weekdays in Alice's unit; the other unit has none."""
    system = system_actor(world.here, ORIGIN)
    calendar = create_calendar(
        system,
        name="Mañanas",
        code="M",
        layer="local",
        base_id=load_public_holidays("MD").uuid,
    )
    morning = (Interval(time(9), time(14)),)
    set_weekly_hours(system, calendar.uuid, dict.fromkeys(range(5), morning))
    world.unit.calendar = calendar
    world.unit.save()
    world.here.units_version += 1
    world.here.save()
    world.unit.refresh_from_db()
    return calendar


def test_times_count_in_opening_hours_where_a_calendar_says(
    world: World, boss: Actor, types: list[CaseType], hours: WorkingCalendar
) -> None:
    dice = Random(6)
    for _ in range(25):
        live(dice, world, boss, types)
    facts.refresh(world.here)
    calendar = calendar_for(world.unit)
    measured = 0
    for fact in CaseFact.objects.for_actor(boss).exclude(ended_on=None).select_related("case"):
        case = fact.case
        assert case.closed_at is not None
        spent = case.closed_at - case.opened_at
        if fact.unit_id == world.unit.pk:
            spent = working_time_between(calendar, case.opened_at, case.closed_at)
            measured += 1
        assert fact.solved_minutes == rounded(int(spent.total_seconds()) // 60)
        assert fact.solved_natural is (fact.unit_id != world.unit.pk)
    assert measured
    made = metrics.reading(Scope(world.here.pk, NOW.date() - timedelta(days=60), NOW.date()), NOW)
    natural, total = made.natural("solved")
    assert 0 < natural < total


def test_demand_by_type_channel_unit_hour_and_district(
    world: World, boss: Actor, types: list[CaseType]
) -> None:
    places = [
        District.objects.create(organisation=world.here, name=name, latitude=lat, longitude=-3.44)
        for name, lat in (("Centro", 40.30), ("Ensanche", 40.33))
    ]
    dice = Random(7)
    for _ in range(20):
        live(dice, world, boss, types)
    for latitude in (40.301, 40.299, 40.34, 43.0):
        CaseFactory(
            actor=boss, unit=world.unit, latitude=latitude, longitude=-3.44, case_type=types[0]
        )
    facts.refresh(world.here)
    for one in scopes(world, types):
        scope = one.at(NOW.date() - timedelta(days=75), NOW.date() + timedelta(days=1))
        by_type, by_channel = reading.read_kinds(scope, ["opened", "ended"])
        own = dict(asked("SELECT case_type_id, count(*) FROM mine GROUP BY 1", scope))
        assert {key: row["opened"] for key, row in by_type.items() if row["opened"]} == own
        own = dict(asked("SELECT channel, count(*) FROM mine GROUP BY 1", scope))
        assert {key: row["opened"] for key, row in by_channel.items() if row["opened"]} == own
        units = {unit: n for _m, unit, n in reading.read(scope, ["opened"], "unit")}
        assert units == dict(asked("SELECT unit_id, count(*) FROM mine GROUP BY 1", scope))
        heat = {(d, h): n for _m, d, h, n in reading.read(scope, ["hour"], "weekday")}
        local = "opened_at AT TIME ZONE 'Europe/Madrid'"
        assert heat == {
            (weekday, hour): count
            for weekday, hour, count in asked(
                f"SELECT extract(isodow FROM {local})::int, extract(hour FROM {local})::int,"
                " count(*) FROM mine GROUP BY 1, 2",
                scope,
            )
        }
        open_now = reading.read_open_by_unit(scope)
        own = dict(asked("SELECT unit_id, count(*) FROM mine WHERE category < 4 GROUP BY 1", scope))
        assert open_now == own
        assert reading.read_open(scope, NOW).total == sum(own.values())
    whole = scopes(world, types)[0].at(
        NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=1)
    )
    districts = {value: n for _m, value, n in reading.read(whole, ["district"], "value")}
    assert districts[places[0].pk] == 2
    assert districts[places[1].pk] == 1
    assert districts[0] >= 1  # far from every district


def test_age_is_told_by_bands(world: World, boss: Actor) -> None:
    for days in (0, 7, 8, 15, 16, 30, 31, 60, 61, 90, 91, 400):
        CaseFactory(actor=boss, unit=world.unit, opened_at=NOW - timedelta(days=days, hours=1))
    facts.refresh(world.here)
    found = reading.read_open(Scope(world.here.pk, START, END), NOW)
    assert found.bands == (2, 2, 2, 2, 2, 2)
    assert found.oldest == NOW - timedelta(days=400, hours=1)


def test_an_imported_case_that_had_ended_counts_as_ended_then(
    world: World, boss: Actor, types: list[CaseType]
) -> None:
    """Its own closing date has the last word where no event tells of the end."""
    case = CaseFactory(
        actor=boss, unit=world.unit, opened_at=datetime.combine(START, time(9), MADRID)
    )
    closed = datetime.combine(START + timedelta(days=2), time(9), MADRID)
    Case.objects.for_actor(boss).filter(pk=case.pk).update(category=5, closed_at=closed)
    facts.rebuild(world.here)
    lasted = rounded(int(closed.timestamp() - case.opened_at.timestamp()) // 60)
    found = metrics.values(
        metrics.reading(Scope(world.here.pk, START, START + timedelta(days=2)), NOW)
    )
    assert (found["ended"], found["backlog"], found["solved_median"]) == (1, 0, lasted)


def test_facts_of_others_are_not_touched(world: World, boss: Actor) -> None:
    CaseFactory(actor=boss, unit=world.unit)
    CaseFactory(unit=world.foreign_unit)
    facts.refresh(world.elsewhere)
    facts.refresh(world.here)
    before = kept()
    facts.rebuild(world.here)
    assert kept() == before
    assert FactState.objects.unscoped("both").count() == 2


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, 0), (7, 7), (99, 99), (100, 100), (129, 120), (86_412, 86_000)]
)
def test_durations_keep_two_digits(minutes: int, expected: int) -> None:
    assert rounded(minutes) == expected


def test_a_percentile_is_a_value_that_occurred() -> None:
    spread = {10: 5, 20: 4, 90: 1}
    parts = (0.5, 0.51, 0.9, 0.91, 1)
    assert [metrics.percentile(spread, part) for part in parts] == [10, 20, 20, 90, 90]
    assert metrics.percentile({}, 0.5) is None


def test_one_organisations_trouble_is_not_the_others(
    world: World, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseFactory(actor=boss, unit=world.unit)
    CaseFactory(unit=world.foreign_unit)
    real = facts.refresh

    def broken(organisation: Organisation) -> int:
        if organisation == world.here:
            raise ValueError("its books are torn")
        return real(organisation)

    monkeypatch.setattr(facts, "refresh", broken)
    tasks.refresh_facts()
    counted = CaseFact.objects.unscoped("both").values_list("organisation", flat=True)
    assert list(counted) == [world.elsewhere.pk]
    monkeypatch.undo()
    tasks.refresh_facts()
    again = CaseFact.objects.unscoped("both").values_list("organisation", flat=True)
    assert sorted(again) == sorted([world.here.pk, world.elsewhere.pk])
