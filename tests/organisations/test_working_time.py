"""Calendars from their rows: official holidays, layers of an organisation, hours, and who may set them."""

from datetime import UTC, date, datetime, time
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Invalid, NotFound, Refused
from crm.organisations import calendars
from crm.organisations.calendars import Interval
from crm.organisations.models import Holiday, OpeningHours, Organisation, Unit, WorkingCalendar
from crm.organisations.permissions import MANAGE_CALENDARS
from crm.organisations.selectors import organisation_calendar, years_not_loaded
from crm.organisations.services import (
    calendar_for,
    change_unit,
    create_calendar,
    load_public_holidays,
    remove_holiday,
    rename_calendar,
    set_date_hours,
    set_holiday,
    set_weekly_hours,
    working_time,
)
from crm.organisations.tasks import load_holidays
from tests.conftest import World

pytestmark = pytest.mark.django_db
MORNING = Interval(time(9), time(14))
EVENING = Interval(time(16), time(18))
NIGHT = Interval(time(22), time(6))


def fresh(unit: Unit) -> Unit:
    return Unit.objects.select_related("organisation").get(pk=unit.pk)


@pytest.fixture
def local(world: World, admin: Actor) -> WorkingCalendar:
    """A local calendar over that of Madrid, which the organisation uses."""
    base = load_public_holidays("MD")
    calendar = create_calendar(admin, name="Aquí", code="28079", layer="local", base_id=base.uuid)
    Organisation.objects.filter(pk=world.here.pk).update(calendar=calendar)
    return calendar


def test_official_holidays_are_loaded_once_for_all() -> None:
    madrid = load_public_holidays("MD")
    again = load_public_holidays("MD")
    navarre = load_public_holidays("NC")

    assert madrid == again
    assert madrid.base == navarre.base == WorkingCalendar.objects.get(code="ES")
    assert set(WorkingCalendar.objects.filter(organisation=None).values_list("code", "layer")) == {
        ("ES", "national"),
        ("ES-MD", "regional"),
        ("ES-NC", "regional"),
    }
    days = Holiday.objects.filter(day=date(2026, 5, 2))
    assert [(day.calendar.code, day.working) for day in days] == [("ES-MD", False)]
    this_year = datetime.now(UTC).year
    assert {this_year - 1, this_year, this_year + 1, this_year + 2} <= set(madrid.years)


def test_a_new_year_is_added_and_what_there_was_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_time, "public_holiday_years", lambda: range(2025, 2027))
    spain = load_public_holidays()
    before = spain.days.count()
    monkeypatch.setattr(working_time, "public_holiday_years", lambda: range(2025, 2028))

    load_holidays()

    spain.refresh_from_db()
    assert spain.years == [2025, 2026, 2027]
    assert spain.days.filter(day__year__lt=2027).count() == before
    assert spain.days.filter(day=date(2027, 1, 1)).exists()


def test_a_unit_counts_by_the_nearest_calendar(
    world: World, admin: Actor, local: WorkingCalendar
) -> None:
    own = create_calendar(admin, name="Norte", code="N", layer="unit", base_id=local.uuid)
    change_unit(admin, world.unit.uuid, name="Norte", code="NORTH", calendar=own)
    set_holiday(admin, local.uuid, day=date(2026, 5, 15), name="San Isidro")
    set_holiday(admin, own.uuid, day=date(2026, 6, 1), name="Traslado")

    north, south = calendar_for(fresh(world.unit)), calendar_for(fresh(world.other_unit))

    assert [layer.name for layer in north.layers] == [
        "España",
        "Comunidad de Madrid",
        "Aquí",
        "Norte",
    ]
    assert [layer.name for layer in south.layers] == ["España", "Comunidad de Madrid", "Aquí"]
    closed = calendars.why_not_working(north, date(2026, 5, 15))
    assert closed is not None
    assert (closed.name, closed.layer) == ("San Isidro", "Aquí")
    assert not calendars.is_working_day(north, date(2026, 6, 1))
    assert calendars.is_working_day(south, date(2026, 6, 1))
    assert calendars.add_working_days(south, date(2026, 5, 14), 1) == date(2026, 5, 18)


def test_a_calendar_is_read_once_until_it_changes(
    world: World,
    admin: Actor,
    local: WorkingCalendar,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    unit, other = fresh(world.unit), fresh(world.other_unit)
    assert calendars.is_working_day(calendar_for(unit), date(2026, 5, 15))
    with django_assert_num_queries(0):
        calendar_for(unit)
        calendar_for(other)

    set_holiday(admin, local.uuid, day=date(2026, 5, 15), name="San Isidro")
    assert not calendars.is_working_day(calendar_for(fresh(unit)), date(2026, 5, 15))
    remove_holiday(admin, local.uuid, date(2026, 5, 15))
    assert calendars.is_working_day(calendar_for(fresh(unit)), date(2026, 5, 15))


def test_without_any_calendar_the_national_holidays_hold(world: World) -> None:
    calendar = calendar_for(fresh(world.unit))

    assert not calendars.is_working_day(calendar, date(2026, 12, 25))
    assert calendars.is_working_day(calendar, date(2026, 12, 24))
    load_public_holidays()
    assert [layer.name for layer in calendar_for(fresh(world.unit)).layers] == ["España"]
    world.here.refresh_from_db()
    assert [layer.name for layer in organisation_calendar(world.here).layers] == ["España"]


def test_hours_of_weekdays_and_of_dates(world: World, admin: Actor, local: WorkingCalendar) -> None:
    week = {0: [EVENING, MORNING], 4: [NIGHT], 5: []}
    set_weekly_hours(admin, local.uuid, week)
    set_date_hours(admin, local.uuid, day=date(2026, 11, 23), intervals=[])
    set_date_hours(admin, local.uuid, day=date(2026, 12, 25), intervals=[MORNING])

    calendar = calendar_for(fresh(world.unit))

    assert calendar.layers[-1].weekly_hours == {0: (MORNING, EVENING), 4: (NIGHT,), 5: ()}
    assert calendars.intervals(calendar, date(2026, 11, 23)) == ()
    assert len(calendars.intervals(calendar, date(2026, 11, 30))) == 2
    assert len(calendars.intervals(calendar, date(2026, 12, 25))) == 1
    assert calendars.is_open_at(calendar, datetime(2026, 11, 28, 4, 0, tzinfo=UTC))
    set_date_hours(admin, local.uuid, day=date(2026, 11, 23), intervals=None)
    assert len(calendars.intervals(calendar_for(fresh(world.unit)), date(2026, 11, 23))) == 2
    entry = AuditEntry.objects.filter(data__act="weekly_hours").get()
    assert entry.data["week"] == {
        "0": ["16:00-18:00", "09:00-14:00"],
        "4": ["22:00-06:00"],
        "5": [],
    }


def test_a_calendar_is_renamed_where_it_counts_and_it_is_written_down(
    world: World, admin: Actor, local: WorkingCalendar
) -> None:
    assert calendar_for(fresh(world.unit)).layers[-1].name == "Aquí"

    rename_calendar(admin, local.uuid, name=" Casa  Norte ", seen="Aquí")
    rename_calendar(admin, local.uuid, name="Casa Norte")

    assert calendar_for(fresh(world.unit)).layers[-1].name == "Casa Norte"
    entry = AuditEntry.objects.filter(data__act="renamed").get()
    assert (entry.data["before"], entry.data["after"]) == ("Aquí", "Casa Norte")
    assert (entry.object_name, entry.action) == ("Casa Norte", MANAGE_CALENDARS)
    with pytest.raises(Changed):
        rename_calendar(admin, local.uuid, name="Otra", seen="Aquí")
    for name in (" ", "x" * 121):
        with pytest.raises(Invalid):
            rename_calendar(admin, local.uuid, name=name)


@pytest.mark.parametrize(
    "intervals",
    [
        [MORNING, Interval(time(13), time(15))],
        [NIGHT, Interval(time(23), time(23, 30))],
        [Interval(time(hour), time(hour, 30)) for hour in range(7)],
    ],
)
def test_hours_that_overlap_or_are_too_many_are_refused(
    admin: Actor, local: WorkingCalendar, intervals: list[Interval]
) -> None:
    with pytest.raises(Invalid) as refused:
        set_weekly_hours(admin, local.uuid, {0: [MORNING], 2: intervals})
    assert list(refused.value.errors) == ["weekday_2"]
    with pytest.raises(Invalid):
        set_date_hours(admin, local.uuid, day=date(2026, 1, 2), intervals=intervals)
    assert not OpeningHours.objects.exists()


def test_a_year_without_holidays_is_told(admin: Actor, local: WorkingCalendar) -> None:
    today = date(2026, 11, 20)
    assert years_not_loaded(local, today) == [2026, 2027]

    set_holiday(admin, local.uuid, day=date(2026, 5, 15), name="San Isidro")
    local.refresh_from_db()
    assert years_not_loaded(local, today) == [2027]
    assert local.base is not None
    assert years_not_loaded(local.base, today) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("code", "a b"),
        ("code", "28079"),
        ("code", "ES-MD"),
        ("layer", "national"),
        ("base_id", uuid4()),
    ],
)
def test_a_wrong_calendar_is_refused_by_field(
    admin: Actor, local: WorkingCalendar, field: str, value: object
) -> None:
    given = {"name": "Otro", "code": "X", "layer": "unit", "base_id": local.uuid} | {field: value}

    with pytest.raises(Invalid) as refused:
        create_calendar(admin, **given)

    assert list(refused.value.errors) == [field.removesuffix("_id")]


def test_official_and_foreign_calendars_are_not_ours_to_change(
    world: World, admin: Actor, unit_admin: Actor, local: WorkingCalendar
) -> None:
    official = WorkingCalendar.objects.get(code="ES-MD")
    foreign = WorkingCalendar.objects.create(
        organisation=world.elsewhere, layer="local", name="Allí", code="X", base=official
    )

    with pytest.raises(Refused):
        set_holiday(admin, official.uuid, day=date(2026, 1, 2), name="x")
    with pytest.raises(Refused):
        rename_calendar(admin, official.uuid, name="x")
    with pytest.raises(NotFound):
        set_holiday(admin, foreign.uuid, day=date(2026, 1, 2), name="x")
    for actor in (world.actor(world.alice), unit_admin):
        with pytest.raises(Refused):
            set_holiday(actor, local.uuid, day=date(2026, 1, 2), name="x")
    assert not Holiday.objects.filter(name="x").exists()
