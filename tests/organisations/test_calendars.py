from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays as holidays_library
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.organisations.calendars import (
    REGIONS,
    Calendar,
    Interval,
    Layer,
    NonWorking,
    NotCovered,
    Reason,
    add_calendar_days,
    add_months,
    add_working_days,
    add_working_time,
    add_years,
    intervals,
    is_open_at,
    is_working_day,
    next_opening,
    next_working_day,
    spanish_holidays,
    why_not_working,
    working_days_between,
    working_time_between,
)

MADRID = ZoneInfo("Europe/Madrid")
CANARY = ZoneInfo("Atlantic/Canary")
YEARS = range(2026, 2029)
MORNING = (Interval(time(9), time(14)),)
SPLIT = (Interval(time(9), time(14)), Interval(time(16, 30), time(19)))
NIGHT = (Interval(time(22), time(6)),)
WHOLE_DAY = (Interval(time(0), time(0)),)


def hours(*spans: str) -> tuple[Interval, ...]:
    """`hours("09:00-14:00")`."""
    pairs = (span.split("-") for span in spans)
    return tuple(Interval(time.fromisoformat(a), time.fromisoformat(b)) for a, b in pairs)


def office(*layers: Layer, zone=MADRID, covered=YEARS, weekly=None, **rest) -> Calendar:
    weekly_hours = dict.fromkeys(range(5), MORNING) if weekly is None else weekly
    base = Layer(name="España", holidays=spanish_holidays(covered).holidays)
    return Calendar(
        (base, Layer("hours", weekly_hours=weekly_hours), *layers), zone, covered, **rest
    )


def at(text: str, zone=MADRID, *, fold: int = 0) -> datetime:
    """A local clock time, as the instant it is: Python never calls a repeated hour equal."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def days(*texts: str) -> dict[date, str]:
    return {date.fromisoformat(text): f"Fiesta {text}" for text in texts}


# --- working days ---------------------------------------------------------------------------------


def test_ten_working_days_across_christmas_end_on_the_date_of_the_law_vector():
    """standards.md A7: notified 2026-12-23, holidays 25-12, 1-1, 6-1."""
    layer = Layer("España", holidays=days("2026-12-25", "2027-01-01", "2027-01-06"))
    calendar = Calendar((layer,), MADRID, YEARS)
    assert add_working_days(calendar, date(2026, 12, 23), 10) == date(2027, 1, 11)
    assert add_working_days(office(), date(2026, 12, 23), 10) == date(2027, 1, 11)


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        ("2026-01-30", 1, "2026-03-02"),  # standards.md A7: 28-02 is a Saturday
        ("2026-01-31", 3, "2026-04-30"),  # last day of a shorter month
        ("2026-02-28", 1, "2026-03-30"),  # the same number, a Saturday: Monday
        ("2026-11-25", 1, "2026-12-28"),  # Christmas is a Friday
        ("2026-12-31", 2, "2027-03-01"),  # 28-02-2027 is a Sunday
        ("2027-12-29", 2, "2028-02-29"),  # a leap day exists
        ("2027-12-31", 2, "2028-02-29"),
        ("2026-05-05", 0, "2026-05-05"),
    ],
)
def test_months_end_on_the_same_number_or_the_last_day_and_move_to_a_working_day(
    start, months, due
):
    assert add_months(office(), date.fromisoformat(start), months) == date.fromisoformat(due)


def test_a_year_from_a_leap_day_ends_on_the_28th_of_february():
    calendar = office(covered=range(2024, 2030))
    assert add_years(calendar, date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert add_years(calendar, date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert add_years(calendar, date(2026, 11, 20), 1) == date(2027, 11, 22)  # Saturday


def test_calendar_days_move_from_a_non_working_last_day_only_if_they_are_a_term():
    start = date(2026, 12, 15)
    assert add_calendar_days(office(), start, 10) == date(2026, 12, 28)
    assert add_calendar_days(office(), start, 10, extend=False) == date(2026, 12, 25)
    assert add_calendar_days(office(), date(2026, 12, 14), 10) == date(2026, 12, 24)


def test_no_working_days_is_the_day_itself_or_the_next_working_one():
    assert add_working_days(office(), date(2026, 12, 24), 0) == date(2026, 12, 24)
    assert add_working_days(office(), date(2026, 12, 25), 0) == date(2026, 12, 28)
    with pytest.raises(ValueError, match="negative"):
        add_working_days(office(), date(2026, 12, 24), -1)


def test_a_day_that_does_not_count_says_why_and_by_whom():
    town = Layer("Valdelagua", holidays=days("2026-09-08"))
    calendar = office(town)
    assert why_not_working(calendar, date(2026, 9, 7)) is None
    assert why_not_working(calendar, date(2026, 9, 8)) == NonWorking(
        Reason.HOLIDAY, "Fiesta 2026-09-08", "Valdelagua"
    )
    assert why_not_working(calendar, date(2026, 12, 25)) == NonWorking(
        Reason.HOLIDAY, "Natividad del Señor", "España"
    )
    saturday = why_not_working(calendar, date(2026, 8, 15))  # a holiday that counts as Saturday
    assert (saturday.reason, saturday.layer) == (Reason.SATURDAY, "")
    assert why_not_working(calendar, date(2026, 8, 16)).reason == Reason.SUNDAY


def test_a_later_layer_adds_a_holiday_and_takes_one_away():
    town = Layer(
        "town", holidays=days("2026-05-15"), working_exceptions=days("2026-01-06", "2026-08-15")
    )
    calendar = office(town)
    assert not is_working_day(calendar, date(2026, 5, 15))
    assert is_working_day(calendar, date(2026, 1, 6))
    assert not is_working_day(office(), date(2026, 1, 6))
    assert not is_working_day(calendar, date(2026, 8, 15))  # lifted, and still a Saturday
    unit = Layer("unit", holidays=days("2026-01-06"))
    assert why_not_working(office(town, unit), date(2026, 1, 6)).layer == "unit"


def test_a_day_counts_only_if_it_counts_for_the_person_too():
    """Ley 39/2015 art. 30.6."""
    residence = Calendar((Layer("Getafe", holidays=days("2026-05-28")),), MADRID, YEARS)
    calendar = office(alongside=(residence,))
    assert why_not_working(calendar, date(2026, 5, 28)).layer == "Getafe"
    assert not is_working_day(calendar, date(2026, 12, 25))
    assert add_working_days(calendar, date(2026, 5, 27), 1) == date(2026, 5, 29)
    assert add_working_days(office(), date(2026, 5, 27), 1) == date(2026, 5, 28)


def test_working_days_between_undoes_adding_and_turns_negative():
    calendar = office()
    assert working_days_between(calendar, date(2026, 12, 23), date(2027, 1, 11)) == 10
    assert working_days_between(calendar, date(2027, 1, 11), date(2026, 12, 23)) == -10
    assert working_days_between(calendar, date(2026, 12, 25), date(2026, 12, 27)) == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: is_working_day(c, date(2025, 12, 31)),
        lambda c: next_working_day(c, date(2029, 1, 1)),
        lambda c: add_working_days(c, date(2028, 12, 20), 30),
        lambda c: add_working_days(c, date(2026, 1, 1), 10**9),
        lambda c: add_calendar_days(c, date(2026, 1, 1), 10**12),
        lambda c: add_calendar_days(c, date(2028, 12, 30), 3, extend=False),
        lambda c: add_months(c, date(2026, 1, 1), 10**12),
        lambda c: add_months(c, date(2025, 12, 31), 1),
        lambda c: add_years(c, date(2026, 1, 1), 3),
        lambda c: working_days_between(c, date(2025, 12, 31), date(2026, 1, 2)),
        lambda c: working_days_between(c, date(2026, 1, 2), date(2029, 1, 1)),
        lambda c: intervals(c, date(2029, 1, 1)),
        lambda c: is_open_at(c, at("2029-01-01T10:00")),
        lambda c: next_opening(c, at("2028-12-29T14:00")),
        lambda c: add_working_time(c, at("2028-12-29T09:00"), timedelta(hours=6)),
        lambda c: add_working_time(c, at("2025-12-31T09:00"), timedelta(0)),
        lambda c: working_time_between(c, at("2025-12-31T09:00"), at("2026-01-02T09:00")),
        lambda c: working_time_between(c, at("2028-12-29T09:00"), at("2029-01-02T09:00")),
    ],
)
def test_years_without_holidays_are_refused_not_guessed(ask):
    with pytest.raises(NotCovered) as refused:
        ask(office())
    assert refused.value.details == {"first_year": 2026, "last_year": 2028}


def test_a_residence_calendar_must_reach_as_far():
    residence = Calendar((), MADRID, range(2026, 2027))
    calendar = office(alongside=(residence,))
    with pytest.raises(NotCovered):
        add_working_days(calendar, date(2026, 12, 30), 5)


# --- opening hours --------------------------------------------------------------------------------


def test_a_split_day_is_two_openings_in_utc():
    calendar = office(weekly={0: SPLIT})
    assert intervals(calendar, date(2026, 11, 23)) == (
        (datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 13, tzinfo=UTC)),
        (datetime(2026, 11, 23, 15, 30, tzinfo=UTC), datetime(2026, 11, 23, 18, tzinfo=UTC)),
    )
    assert intervals(calendar, date(2026, 11, 24)) == ()


def test_the_canary_islands_open_an_hour_later():
    opened = intervals(office(zone=CANARY), date(2026, 7, 1))[0].start
    assert opened == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert opened - intervals(office(), date(2026, 7, 1))[0].start == timedelta(hours=1)


def test_a_night_belongs_to_the_day_it_starts():
    calendar = office(weekly={4: NIGHT})  # Friday
    assert intervals(calendar, date(2026, 11, 21)) == ()
    assert is_open_at(calendar, at("2026-11-21T05:59"))
    assert not is_open_at(calendar, at("2026-11-21T06:00"))
    assert not is_open_at(calendar, at("2026-11-20T05:00"))
    assert next_opening(calendar, at("2026-11-21T03:00")).start == at("2026-11-20T22:00")


def test_a_night_before_a_holiday_stays_and_that_of_the_holiday_goes():
    calendar = office(weekly=dict.fromkeys(range(7), NIGHT))
    assert is_open_at(calendar, at("2026-12-25T05:00"))
    assert not is_open_at(calendar, at("2026-12-25T23:00"))
    assert not is_open_at(calendar, at("2026-12-26T05:00"))


def test_the_first_covered_night_needs_the_day_before_it():
    with pytest.raises(NotCovered):
        is_open_at(office(weekly={0: NIGHT}), at("2026-01-01T03:00"))
    assert not is_open_at(office(), at("2026-01-01T03:00"))


def test_hours_that_touch_or_overlap_are_one_opening_and_count_once():
    touching = hours("09:00-12:00", "12:00-14:00", "13:00-15:00")
    calendar = office(weekly={0: touching})
    [opening] = intervals(calendar, date(2026, 11, 23))
    assert opening.end - opening.start == timedelta(hours=6)
    shifts = office(weekly={0: NIGHT, 1: hours("05:00-08:00")})
    monday, wednesday = at("2026-11-23T00:00"), at("2026-11-25T00:00")
    assert working_time_between(shifts, monday, wednesday) == timedelta(hours=10)
    assert add_working_time(shifts, monday, timedelta(hours=9)) == at("2026-11-24T07:00")


def test_the_most_particular_layer_sets_the_hours_of_a_weekday_or_a_date():
    town = Layer("town", weekly_hours={4: (), 5: hours("10:00-13:00")})
    unit = Layer("unit", date_hours={date(2026, 12, 25): MORNING, date(2026, 11, 23): ()})
    calendar = office(town, unit)
    assert intervals(calendar, date(2026, 11, 20)) == ()  # Friday, closed by the town
    assert is_open_at(calendar, at("2026-11-21T10:00"))  # Saturday: open, yet not a working day
    assert not is_working_day(calendar, date(2026, 11, 21))
    assert is_open_at(calendar, at("2026-11-24T09:00"))  # Tuesday, as below
    assert is_open_at(calendar, at("2026-12-25T09:00"))  # attended on a holiday
    assert not is_working_day(calendar, date(2026, 12, 25))
    assert not is_open_at(calendar, at("2026-11-23T09:00"))  # closed by date
    assert is_working_day(calendar, date(2026, 11, 23))


def test_a_lifted_holiday_opens_as_its_weekday_and_a_later_one_closes_a_set_date():
    lifted = Layer("region", working_exceptions=days("2026-12-08"))
    assert is_open_at(office(lifted), at("2026-12-08T10:00"))
    assert not is_open_at(office(), at("2026-12-08T10:00"))
    reduced = Layer("town", date_hours={date(2026, 12, 24): hours("09:00-12:00")})
    closed = Layer("unit", holidays=days("2026-12-24"))
    kept = Layer("unit", working_exceptions=days("2026-12-24"))
    assert intervals(office(reduced, closed), date(2026, 12, 24)) == ()
    assert not is_open_at(office(reduced, kept), at("2026-12-24T13:00"))


def test_time_is_counted_from_opening_to_closing_and_over_the_weekend():
    calendar = office()
    friday = at("2026-11-20T13:00")
    assert add_working_time(calendar, friday, timedelta(hours=1)) == at("2026-11-20T14:00")
    assert add_working_time(calendar, friday, timedelta(hours=2)) == at("2026-11-23T10:00")
    assert add_working_time(calendar, friday, timedelta(0)) == friday
    assert working_time_between(calendar, friday, at("2026-11-23T10:00")) == timedelta(hours=2)
    assert working_time_between(calendar, at("2026-11-23T10:00"), friday) == timedelta(hours=-2)
    assert working_time_between(calendar, at("2026-11-21T10:00"), at("2026-11-22T10:00")) == (
        timedelta(0)
    )
    opening = next_opening(calendar, at("2026-11-20T14:00"))
    assert opening == (at("2026-11-23T09:00"), at("2026-11-23T14:00"))
    assert next_opening(calendar, friday) == (at("2026-11-20T09:00"), at("2026-11-20T14:00"))


def test_the_october_night_lasts_nine_hours_and_the_march_night_seven():
    calendar = office(weekly=dict.fromkeys(range(7), NIGHT))
    october, march = intervals(calendar, date(2026, 10, 24)), intervals(calendar, date(2026, 3, 28))
    assert october[0].end - october[0].start == timedelta(hours=9)
    assert march[0].end - march[0].start == timedelta(hours=7)
    start = at("2026-10-24T22:00")
    assert add_working_time(calendar, start, timedelta(hours=5)) == at("2026-10-25T02:00", fold=1)
    assert working_time_between(
        calendar, at("2026-10-25T02:30"), at("2026-10-25T02:30", fold=1)
    ) == timedelta(hours=1)
    assert is_open_at(calendar, at("2026-10-25T02:30", fold=1))


def test_whole_days_are_25_and_23_hours_when_the_clock_changes():
    calendar = office(weekly=dict.fromkeys(range(7), WHOLE_DAY))
    for day, length in ((date(2026, 10, 25), 25), (date(2026, 3, 29), 23), (date(2026, 3, 30), 24)):
        [opening] = intervals(calendar, day)
        assert opening.end - opening.start == timedelta(hours=length)
    start = at("2026-10-24T12:00")
    assert add_working_time(calendar, start, timedelta(hours=24)) == at("2026-10-25T11:00")


def test_clock_times_that_do_not_exist_make_no_negative_opening():
    calendar = office(weekly={6: hours("02:15-03:00", "02:30-05:00")})
    [opening] = intervals(calendar, date(2026, 3, 29))
    assert opening == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), at("2026-03-29T05:00"))


def test_a_deadline_counts_local_calendar_days_over_the_clock_change():
    assert add_working_days(office(), date(2026, 10, 23), 1) == date(2026, 10, 26)
    assert add_calendar_days(office(), date(2026, 10, 24), 3) == date(2026, 10, 27)


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        is_open_at(office(), datetime(2026, 11, 20, 10))  # noqa: DTZ001
    with pytest.raises(ValueError, match="local time"):
        Interval(time(9, tzinfo=UTC), time(10))
    with pytest.raises(ValueError, match="negative"):
        add_working_time(office(), at("2026-11-20T13:00"), timedelta(seconds=-1))


# --- against an oracle ----------------------------------------------------------------------------

covered_days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
holiday_sets = st.dictionaries(covered_days, st.just("Fiesta"), max_size=40)
day_layers = st.builds(
    Layer, name=st.just("layer"), holidays=holiday_sets, working_exceptions=holiday_sets
)
day_calendars = st.lists(day_layers, max_size=4).map(
    lambda layers: Calendar(tuple(layers), MADRID, YEARS)
)


def oracle_is_working(calendar: Calendar, day: date) -> bool:
    """Layers painted one over another, from the bottom."""
    holiday = False
    for layer in calendar.layers:
        if day in layer.working_exceptions:
            holiday = False
        if day in layer.holidays:
            holiday = True
    return day.isoweekday() < 6 and not holiday


@settings(max_examples=300, deadline=None)
@given(day_calendars, covered_days, st.integers(0, 200), st.integers(0, 40))
def test_working_days_equal_the_naive_count(calendar, start, count, more):
    expected, left = start, count
    while left or not oracle_is_working(calendar, expected):
        expected += timedelta(days=1)
        left -= oracle_is_working(calendar, expected) and left > 0
    result = add_working_days(calendar, start, count)
    assert result == expected
    assert oracle_is_working(calendar, result)
    assert add_working_days(calendar, start, count + more) >= result
    if count:
        assert working_days_between(calendar, start, result) == count


@settings(max_examples=300, deadline=None)
@given(day_calendars, covered_days, st.integers(0, 11))
def test_months_equal_the_naive_walk(calendar, start, count):
    month = start.replace(day=1)
    for _each in range(count):
        month = (month + timedelta(days=32)).replace(day=1)
    due = month
    while due.day < start.day and (due + timedelta(days=1)).month == month.month:
        due += timedelta(days=1)
    while not oracle_is_working(calendar, due):
        due += timedelta(days=1)
    assert add_months(calendar, start, count) == due


quarters = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
some_hours = st.lists(st.builds(Interval, quarters, quarters), max_size=3).map(tuple)
# a week around each clock change, and the turn of the year
weeks = st.sampled_from([date(2026, 3, 25), date(2026, 10, 21), date(2026, 12, 28)])
zones = st.sampled_from([MADRID, CANARY])


@st.composite
def opening_calendars(draw):
    week = draw(weeks)
    dates = st.sampled_from([week + timedelta(days=number) for number in range(9)])
    layer = st.builds(
        Layer,
        name=st.just("layer"),
        holidays=st.dictionaries(dates, st.just("Fiesta"), max_size=2),
        weekly_hours=st.none() | st.dictionaries(st.integers(0, 6), some_hours, max_size=7),
        date_hours=st.dictionaries(dates, some_hours, max_size=2),
    )
    layers = draw(st.lists(layer, min_size=1, max_size=3))
    return week, Calendar(tuple(layers), draw(zones), YEARS)


def oracle_open_minutes(calendar: Calendar, week: date) -> list[datetime]:
    """Every open minute of nine days, found by asking each interval of each day about it."""
    stretches = []
    for number in range(-1, 10):
        day = week + timedelta(days=number)
        stated = ()
        for layer in calendar.layers:  # painted from the bottom: first the weekday…
            stated = (layer.weekly_hours or {}).get(day.weekday(), stated)
        for layer in calendar.layers:  # …then what is said of the date
            if day in layer.holidays:
                stated = ()
            stated = layer.date_hours.get(day, stated)
        for interval in stated:
            until = day + timedelta(days=1) if interval.end <= interval.start else day
            start = datetime.combine(day, interval.start, calendar.zone).timestamp()
            end = datetime.combine(until, interval.end, calendar.zone).timestamp()
            stretches.append((start, end))
    first = datetime.combine(week, time(0), calendar.zone).astimezone(UTC)
    minutes = (first + timedelta(minutes=number) for number in range(8 * 24 * 60))
    return [m for m in minutes if any(a <= m.timestamp() < b for a, b in stretches)]


@settings(max_examples=60, deadline=None)
@given(opening_calendars(), st.integers(0, 4 * 24 * 60), st.integers(0, 3 * 24 * 60))
def test_opening_time_equals_the_minute_by_minute_count(drawn, offset, length):
    week, calendar = drawn
    opened = oracle_open_minutes(calendar, week)
    start = datetime.combine(week, time(0), calendar.zone).astimezone(UTC)
    start += timedelta(minutes=offset)
    end = start + timedelta(minutes=length)
    inside = [minute for minute in opened if start <= minute < end]
    assert working_time_between(calendar, start, end) == timedelta(minutes=len(inside))
    assert is_open_at(calendar, start) == (start in set(opened))
    later = [minute for minute in opened if minute >= start]
    if later:
        opening = next_opening(calendar, start)
        assert max(opening.start, start) == later[0]
        wanted = timedelta(minutes=min(length, len(later)))
        due = add_working_time(calendar, start, wanted)
        assert working_time_between(calendar, start, due) == wanted
        if wanted:
            assert due == later[int(wanted / timedelta(minutes=1)) - 1] + timedelta(minutes=1)
            assert add_working_time(calendar, start, wanted / 2) <= due


# --- the holidays of Spain ------------------------------------------------------------------------


@pytest.mark.parametrize("region", REGIONS)
def test_national_and_regional_layers_make_the_region_of_the_library(region):
    years = (2026, 2027)
    layers = (spanish_holidays(years), spanish_holidays(years, region))
    calendar = Calendar(layers, MADRID, range(2026, 2028))
    expected = holidays_library.country_holidays("ES", subdiv=region, years=years)
    for number in range(730):
        day = date(2026, 1, 1) + timedelta(days=number)
        assert is_working_day(calendar, day) == (day.isoweekday() < 6 and day not in expected), day


def test_two_regions_differ_in_what_they_add():
    national = spanish_holidays([2026, 2027])
    madrid, catalonia = (spanish_holidays([2026, 2027], region) for region in ("MD", "CT"))
    assert (national.name, madrid.name) == ("España", "Comunidad de Madrid")
    assert national.holidays[date(2026, 10, 12)] == "Fiesta Nacional de España"
    assert date(2026, 9, 11) not in national.holidays
    assert catalonia.holidays[date(2026, 9, 11)] == "Fiesta Nacional de Cataluña"
    assert date(2026, 9, 11) not in madrid.holidays
    # All Saints is a Sunday in 2026: Madrid moves it to Monday, Cataluña does not.
    assert madrid.holidays[date(2026, 11, 2)] == "Lunes siguiente a Todos los Santos"
    assert date(2026, 11, 2) not in catalonia.holidays
    assert catalonia.holidays[date(2027, 3, 29)] == "Lunes de Pascua"
    assert madrid.holidays[date(2027, 3, 19)] == "San José"
    assert not set(national.holidays) & set(madrid.holidays)


def test_a_national_day_a_region_gives_up_is_worked_there(monkeypatch):
    everywhere = {date(2026, 1, 6): "Epifanía del Señor", date(2026, 12, 25): "Natividad"}
    replaced = {date(2026, 1, 2): "Día propio", date(2026, 12, 25): "Natividad"}
    monkeypatch.setattr(
        holidays_library,
        "country_holidays",
        lambda _country, subdiv, **_rest: dict(replaced if subdiv else everywhere),
    )
    region = spanish_holidays([2026], "NC")
    assert region.holidays == {date(2026, 1, 2): "Día propio"}
    assert region.working_exceptions == {date(2026, 1, 6): "Epifanía del Señor"}
    calendar = Calendar((spanish_holidays([2026]), region), MADRID, range(2026, 2027))
    assert is_working_day(calendar, date(2026, 1, 6))
    assert not is_working_day(calendar, date(2026, 1, 2))


def test_years_the_library_does_not_know_are_refused():
    with pytest.raises(NotCovered):
        spanish_holidays([2007, 2026])
    with pytest.raises(KeyError):
        spanish_holidays([2026], "XX")
