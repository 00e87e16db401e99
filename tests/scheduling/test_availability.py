"""Free times as a pure function: local time, the two nights of the year, holidays, what is taken."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.organisations.calendars import Calendar, Interval, Layer
from scheduling.availability import Agenda, Rule, Shape, Slot, Span, free_slots, instant, local_days

MADRID = ZoneInfo("Europe/Madrid")
CANARIAS = ZoneInfo("Atlantic/Canary")
MONDAY = date(2026, 11, 23)
ALWAYS = {
    "earliest": datetime(2020, 1, 1, tzinfo=UTC),
    "latest": datetime(2030, 1, 1, tzinfo=UTC),
}
TWENTY = Shape(timedelta(minutes=20), timedelta(minutes=20))


def calendar(zone: ZoneInfo = MADRID, **layer: object) -> Calendar:
    return Calendar((Layer("Prueba", **layer),), zone, range(2025, 2028))  # type: ignore[arg-type]


def every_day(start: str, end: str) -> list[Rule]:
    return [Rule(day, time.fromisoformat(start), time.fromisoformat(end)) for day in range(7)]


def clock(slots: list[Slot], zone: ZoneInfo = MADRID) -> list[str]:
    return [f"{slot.start.astimezone(zone):%H:%M}" for slot in slots]


def on(day: date, agenda: Agenda, shape: Shape = TWENTY, **more: object) -> list[Slot]:
    given = {"calendar": calendar(), **ALWAYS, **more}
    return free_slots([agenda], shape, days=[day], **given)  # type: ignore[arg-type]


def test_an_hour_has_three_times_of_twenty_minutes_and_what_does_not_fit_is_none() -> None:
    assert clock(on(MONDAY, Agenda(1, every_day("09:00", "10:10")))) == ["09:00", "09:20", "09:40"]


def test_a_rule_holds_on_its_weekday_and_within_its_dates() -> None:
    rule = Rule(0, time(9), time(9, 20), valid_from=MONDAY, valid_until=MONDAY)
    agenda = Agenda(1, [rule])
    for day, expected in (
        (MONDAY, 1),
        (MONDAY + timedelta(1), 0),
        (MONDAY + timedelta(7), 0),
        (MONDAY - timedelta(7), 0),
    ):
        assert len(on(day, agenda)) == expected


def test_a_dated_exception_replaces_the_week() -> None:
    hours = {MONDAY: [(time(16), time(16, 40))], MONDAY + timedelta(1): []}
    agenda = Agenda(1, every_day("09:00", "10:00"), hours)
    assert clock(on(MONDAY, agenda)) == ["16:00", "16:20"]
    assert on(MONDAY + timedelta(1), agenda) == []


def test_holidays_close_and_opening_hours_bound() -> None:
    agenda = Agenda(1, every_day("08:00", "10:00"))
    assert on(MONDAY, agenda, calendar=calendar(holidays={MONDAY: "Fiesta"})) == []
    hours = {0: (Interval(time(9), time(9, 45)),)}
    assert clock(on(MONDAY, agenda, calendar=calendar(weekly_hours=hours))) == ["09:00", "09:20"]
    special = {MONDAY: (Interval(time(8), time(8, 20)),)}
    opened = calendar(holidays={MONDAY: "Fiesta"}, date_hours=special)
    assert clock(on(MONDAY, agenda, calendar=opened)) == ["08:00"]


def test_where_the_calendar_knows_no_hours_the_agenda_decides_saturdays_too() -> None:
    saturday = date(2026, 11, 28)
    assert clock(on(saturday, Agenda(1, every_day("09:00", "09:20")))) == ["09:00"]


def test_beyond_the_covered_years_nothing_is_free() -> None:
    assert on(date(2028, 1, 3), Agenda(1, every_day("09:00", "10:00"))) == []


def test_what_is_taken_is_not_free_and_neighbours_are() -> None:
    start = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)  # 09:20 in Madrid
    agenda = Agenda(1, every_day("09:00", "10:00"), busy=[Span(start, start + TWENTY.duration)])
    assert clock(on(MONDAY, agenda)) == ["09:00", "09:40"]


def test_minutes_kept_free_push_neighbours_away() -> None:
    start = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
    shape = Shape(timedelta(minutes=20), timedelta(minutes=20), after=timedelta(minutes=10))
    agenda = Agenda(1, every_day("09:00", "10:20"), busy=[shape.around(start)])
    assert clock(on(MONDAY, agenda, shape)) == ["10:00"]


def test_a_closure_takes_the_times_that_it_touches() -> None:
    closed = Span(
        datetime(2026, 11, 23, 8, 30, tzinfo=UTC), datetime(2026, 11, 23, 8, 31, tzinfo=UTC)
    )
    agenda = Agenda(1, every_day("09:00", "10:00"))
    assert clock(on(MONDAY, agenda, closures=[closed])) == ["09:00", "09:40"]


def test_notice_and_horizon_bound() -> None:
    agenda = Agenda(1, every_day("09:00", "10:00"))
    earliest = datetime(2026, 11, 23, 8, 1, tzinfo=UTC)
    latest = datetime(2026, 11, 23, 8, 39, tzinfo=UTC)
    assert clock(on(MONDAY, agenda, earliest=earliest, latest=latest)) == ["09:20"]


def test_two_agendas_that_are_free_at_once_are_one_time() -> None:
    rules = every_day("09:00", "09:40")
    taken = Span(
        datetime(2026, 11, 23, 8, 0, tzinfo=UTC), datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
    )
    found = free_slots(
        [Agenda(1, rules, busy=[taken]), Agenda(2, rules)], TWENTY, calendar(), [MONDAY], **ALWAYS
    )
    assert [slot.agendas for slot in found] == [(2,), (1, 2)]


@pytest.mark.parametrize(
    ("day", "utc_hour"), [(date(2026, 3, 27), 8), (date(2026, 3, 30), 7)], ids=["winter", "summer"]
)
def test_nine_in_the_morning_is_nine_in_the_morning_all_year(day: date, utc_hour: int) -> None:
    """Expanded in UTC it would be ten after the last Sunday of March."""
    (slot,) = on(day, Agenda(1, every_day("09:00", "09:20")))
    assert slot.start == datetime(day.year, day.month, day.day, utc_hour, tzinfo=UTC)


def test_a_time_that_does_not_exist_is_skipped() -> None:
    night = date(2026, 3, 29)
    assert instant(night, time(2, 30), MADRID) is None
    found = on(night, Agenda(1, every_day("01:40", "03:20")))
    assert clock(found) == ["01:40", "03:00"]


def test_a_time_that_occurs_twice_is_its_first_occurrence() -> None:
    night = date(2026, 10, 25)
    assert instant(night, time(2, 30), MADRID) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    found = on(night, Agenda(1, every_day("02:00", "03:20")))
    assert clock(found) == ["02:00", "02:20", "02:40", "03:00"]
    assert [slot.start.hour for slot in found] == [0, 0, 0, 2]


def test_the_clock_is_the_offices_own() -> None:
    (slot,) = on(MONDAY, Agenda(1, every_day("09:00", "09:20")), calendar=calendar(CANARIAS))
    assert slot.start == datetime(2026, 11, 23, 9, tzinfo=UTC)


TIMES = st.times().map(lambda found: found.replace(second=0, microsecond=0))
ZONES = st.sampled_from(["Europe/Madrid", "Atlantic/Canary", "America/Vancouver", "Asia/Kolkata"])
DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1)]
)


@settings(max_examples=200, deadline=None)
@given(
    day=DAYS,
    zone=ZONES,
    hours=st.lists(st.tuples(TIMES, TIMES), max_size=3),
    minutes=st.integers(5, 120),
    step=st.integers(5, 120),
    taken=st.lists(st.tuples(st.integers(0, 26 * 60), st.integers(1, 180)), max_size=4),
)
def test_every_free_time_is_one_that_can_be_kept(
    day: date,
    zone: str,
    hours: list[tuple[time, time]],
    minutes: int,
    step: int,
    taken: list[tuple[int, int]],
) -> None:
    """Within a rule on the wall's clock, on that day, not touching what is taken, once, in order."""
    where = ZoneInfo(zone)
    shape = Shape(timedelta(minutes=minutes), timedelta(minutes=step))
    midnight = datetime.combine(day, time(), tzinfo=where).astimezone(UTC)
    busy = [
        Span(midnight + timedelta(minutes=start), midnight + timedelta(minutes=start + length))
        for start, length in taken
    ]
    rules = [Rule(day.weekday(), start, end) for start, end in hours]
    found = free_slots([Agenda(7, rules, busy=busy)], shape, calendar(where), [day], **ALWAYS)
    starts = [slot.start for slot in found]
    assert starts == sorted(set(starts))
    for slot in found:
        wall = slot.start.astimezone(where)
        assert wall.date() == day
        assert wall.fold == 0
        assert slot.end - slot.start == shape.duration
        assert slot.agendas == (7,)
        assert not any(Span(slot.start, slot.end).meets(span) for span in busy)
        assert any(
            start <= wall.time()
            and wall.replace(tzinfo=None) + shape.duration <= datetime.combine(day, end)
            for start, end in hours
        )
        # and by the clock that really runs, nobody stays longer than the desk is there
        assert any(
            slot.end <= datetime.combine(day, end).replace(tzinfo=where, fold=1).astimezone(UTC)
            for _start, end in hours
        )


@settings(max_examples=100, deadline=None)
@given(day=DAYS, zone=ZONES, clock_time=TIMES)
def test_an_instant_reads_as_the_time_it_was_made_of(
    day: date, zone: str, clock_time: time
) -> None:
    where = ZoneInfo(zone)
    found = instant(day, clock_time, where)
    if found is not None:
        local = found.astimezone(where)
        assert (local.date(), local.time().replace(fold=0)) == (day, clock_time)


def test_days_in_a_row() -> None:
    assert local_days(date(2026, 12, 31), 2) == [date(2026, 12, 31), date(2027, 1, 1)]
