"""Legal terms: the law's examples, and a hundred thousand random ones against counting day by day."""

# ruff: noqa: S311 - chance that can be repeated

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from cases.terms import Stop, Term, deadline, explained, read_term
from crm.organisations.calendars import Calendar, Layer, NotCovered, spanish_holidays

MADRID = ZoneInfo("Europe/Madrid")
YEARS = range(2024, 2031)
ONE_DAY = timedelta(days=1)
SPAIN = Calendar((spanish_holidays(YEARS, None),), MADRID, YEARS)
CHRISTMAS = Calendar(
    (
        Layer(
            "Vectors",
            holidays={
                date(2026, 12, 25): "Navidad",
                date(2027, 1, 1): "Año Nuevo",
                date(2027, 1, 6): "Epifanía",
            },
        ),
    ),
    MADRID,
    YEARS,
)
BARE = Calendar((), MADRID, YEARS)


def day(text: str) -> date:
    return date.fromisoformat(text)


def terms(*texts: str) -> list[Term]:
    return [found for text in texts if (found := read_term(text))]


@pytest.mark.parametrize(
    ("calendar", "start", "wanted", "stops", "due"),
    [
        # standards.md A7
        (BARE, "2026-01-30", ["1m"], [], "2026-03-02"),
        (CHRISTMAS, "2026-12-23", ["10wd"], [], "2027-01-11"),
        # art. 30.4: the same day number, or the last of the month; 29 February in a common year
        (BARE, "2026-01-15", ["1m"], [], "2026-02-16"),
        (BARE, "2027-08-31", ["1m"], [], "2027-09-30"),
        (BARE, "2028-02-29", ["1y"], [], "2029-02-28"),
        # art. 30.2: natural days, and a last day that is a Sunday
        (BARE, "2026-03-01", ["15d"], [], "2026-03-16"),
        (BARE, "2026-03-01", ["14d"], [], "2026-03-16"),
        # suspended from the notice on Tuesday 10 March to the papers on Friday 20 March
        (BARE, "2026-03-02", ["10wd"], ["2026-03-10/2026-03-20"], "2026-03-26"),
        (BARE, "2026-03-02", ["3m"], ["2026-03-10/2026-03-20"], "2026-06-12"),
        # papers that came the same day cost nothing; two suspensions that touch are not counted twice
        (BARE, "2026-03-02", ["10wd"], ["2026-03-10/2026-03-10"], "2026-03-16"),
        (
            BARE,
            "2026-03-02",
            ["10wd"],
            ["2026-03-10/2026-03-18", "2026-03-16/2026-03-20"],
            "2026-03-26",
        ),
        # a suspension after the term has ended changes nothing, one that begins before it begins too
        (BARE, "2026-03-02", ["10wd"], ["2026-03-17/2026-04-20"], "2026-03-16"),
        (BARE, "2026-03-02", ["10wd"], ["2026-02-01/2026-03-09"], "2026-03-23"),
        # the term has run out on a Saturday when a suspension begins: it is still the next that runs
        (BARE, "2026-02-28", ["14d"], ["2026-03-15/2026-03-19"], "2026-03-20"),
        # extended: months by months are one term, by working days one after the other
        (BARE, "2026-01-31", ["1m", "1m"], [], "2026-03-31"),
        (BARE, "2026-01-31", ["1m", "5wd"], [], "2026-03-06"),
    ],
)
def test_dated_examples(
    calendar: Calendar, start: str, wanted: list[str], stops: list[str], due: str
) -> None:
    apart = [Stop(*map(day, stop.split("/"))) for stop in stops]
    assert deadline(calendar, day(start), terms(*wanted), apart).due == day(due)


def months_on(at: date, count: int) -> date:
    """Month after month; the same day number, or the last of the month."""
    goal = at
    for _ in range(count):
        goal = (goal.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (goal.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY
    return min(last, goal.replace(day=1) + (at.day - 1) * ONE_DAY)


def naive(calendar: Calendar, start: date, wanted: Sequence[Term], stops: Sequence[Stop]) -> date:
    """Counting on the fingers: one day after the other."""
    off = {found for layer in calendar.layers for found in layer.holidays}
    stopped = {
        stop.start + number * ONE_DAY
        for stop in stops
        for number in range(1, (stop.end - stop.start).days + 1)
    }

    def works(at: date) -> bool:
        return at.weekday() < 5 and at not in off

    at, months = start, 0
    for number, term in enumerate(wanted):
        left = term.count
        if term.unit in "my":
            months += term.count * (12 if term.unit == "y" else 1)
            if [other.unit for other in wanted[number + 1 : number + 2]] == [term.unit]:
                continue
            left, months = (months_on(at, months) - at).days, 0
        while left:
            at += ONE_DAY
            left -= at not in stopped and (term.unit != "wd" or works(at))
    while at in stopped or not works(at):
        at += ONE_DAY
    return at


def chance(dice: Random) -> tuple[date, list[Term], list[Stop]]:
    start = date(2025, 1, 1) + dice.randint(0, 600) * ONE_DAY
    most = {"wd": 60, "d": 90, "m": 6, "y": 1}
    units = dice.choices(list(most), weights=[5, 3, 3, 1], k=dice.choice([1, 1, 1, 2, 3]))
    wanted = [Term(dice.randint(1, most[unit]), unit) for unit in units]
    stops = []
    for _ in range(dice.choice([0, 0, 1, 1, 2, 3])):
        begin = start + dice.randint(-5, 120) * ONE_DAY
        stops.append(Stop(begin, begin + dice.randint(0, 40) * ONE_DAY))
    return start, wanted, stops


def test_a_hundred_thousand_terms_end_where_counting_on_the_fingers_ends() -> None:
    dice = Random(30)
    for _ in range(100_000):
        start, wanted, stops = chance(dice)
        found = deadline(SPAIN, start, wanted, stops)
        assert found.due == naive(SPAIN, start, wanted, stops), (start, wanted, stops)
        days = found.counted + found.suspended + found.skipped + found.moved
        assert found.due == start + days * ONE_DAY, (start, wanted, stops)


@given(st.integers(0, 10**9))
def test_suspending_and_extending_never_shorten(seed: int) -> None:
    dice = Random(seed)
    start, wanted, stops = chance(dice)
    due = deadline(SPAIN, start, wanted, stops).due
    begin = start + dice.randint(0, 200) * ONE_DAY
    more = [*stops, Stop(begin, begin + dice.randint(0, 60) * ONE_DAY)]
    assert deadline(SPAIN, start, wanted, more).due >= due
    assert deadline(SPAIN, start, [*wanted, Term(dice.randint(1, 20), "wd")], stops).due >= due


@given(st.integers(0, 10**9))
def test_the_last_day_is_a_working_day_that_is_not_suspended(seed: int) -> None:
    start, wanted, stops = chance(Random(seed))
    due = deadline(SPAIN, start, wanted, stops).due
    assert due.toordinal() in SPAIN.working_days
    assert not any(stop.start < due <= stop.end for stop in stops)


def test_the_sum_is_told_line_by_line() -> None:
    stop = Stop(day("2026-12-09"), day("2026-12-15"))
    found = deadline(CHRISTMAS, day("2026-12-03"), terms("20wd"), [stop])
    with translation.override("en"):
        assert [str(line) for line in explained(CHRISTMAS, found)] == [
            "20 working days from the day after Dec. 3, 2026",
            "plus 4 days of suspension",
            "plus 12 Saturdays and Sundays",
            "plus 3 holidays: 25 dec (Navidad), 1 jan (Año Nuevo), 6 jan (Epifanía)",
            "ends on monday, Jan. 11, 2027",
        ]


def test_a_moved_last_day_says_why() -> None:
    found = deadline(BARE, day("2026-01-30"), terms("1m"))
    with translation.override("en"):
        assert [str(line) for line in explained(BARE, found)] == [
            "1 month from the day after Jan. 30, 2026",
            "that is 29 days, to Feb. 28, 2026",
            "plus 2 days to the next working day, as 28 feb 2026 is none (saturday)",
            "ends on monday, March 2, 2026",
        ]


@pytest.mark.parametrize("wanted", ["9999wd", "9999d", "9999m", "9999y", "5y"])
def test_a_year_without_holidays_is_no_guess(wanted: str) -> None:
    with pytest.raises(NotCovered):
        deadline(SPAIN, day("2026-01-30"), terms(wanted))
    with pytest.raises(NotCovered):
        deadline(SPAIN, day("2023-12-30"), terms("1d"))
