"""Service targets: the arithmetic against an oracle that walks minute by minute, and the bundle's part."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import targets
from cases.targets import Pause, check, chosen, due_at, explained, of_bundle, pieces, read, used
from cases.workflow import check as check_bundle
from cases.workflow import simple_bundle
from crm.organisations.calendars import Calendar, Interval, Layer, NotCovered

MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)
MORNING, AFTERNOON = Interval(time(9), time(14)), Interval(time(16, 30), time(18))
WEEK = {day: (MORNING, AFTERNOON) if day < 4 else (MORNING,) for day in range(5)}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MADRID)


def calendar(**layer: Any) -> Calendar:
    given = {"holidays": {date(2026, 12, 8): "Inmaculada"}, "weekly_hours": WEEK, **layer}
    return Calendar((Layer("Madrid", **given),), MADRID, range(2025, 2028))


OFFICE = calendar()


def is_open(moment: datetime, holidays: Sequence[date], week: dict[int, Any]) -> bool:
    """Of the test's own: no function of the product is asked."""
    here = moment.astimezone(MADRID)
    if here.date() in holidays:
        return False
    return any(one.start <= here.time() < one.end for one in week.get(here.weekday(), ()))


def walked(
    start: datetime,
    minutes: int,
    pauses: Sequence[Pause],
    holidays: Sequence[date],
    week: dict[int, Any],
) -> datetime | None:
    """Minute by minute from the start, each that is open and in no pause counted."""
    at, left = start.astimezone(UTC), minutes
    while left:
        stopped = [one for one in pauses if one.start <= at and (one.end is None or at < one.end)]
        if any(one.end is None for one in stopped):
            return None
        if not stopped and is_open(at, holidays, week):
            left -= 1
        at += MINUTE
    return at


@st.composite
def matters(draw: st.DrawFn) -> tuple[datetime, int, list[Pause], list[date], dict[int, Any]]:
    """Starts around the changes of the clock, the year's end and ordinary weeks."""
    base = draw(
        st.sampled_from(
            [
                local("2026-03-27T08:00"),  # spring: 29 March
                local("2026-10-23T08:00"),  # autumn: 25 October
                local("2026-12-04T12:00"),  # a long weekend with a holiday
                local("2026-12-30T17:00"),
            ]
        )
    ).astimezone(UTC)
    start = base + MINUTE * draw(st.integers(0, 3 * 24 * 60))
    minutes = draw(st.integers(1, 900))
    pauses, at = [], start - timedelta(hours=draw(st.integers(0, 20)))
    for _each in range(draw(st.integers(0, 4))):
        begin = at + MINUTE * draw(st.integers(0, 1_500))
        at = begin + MINUTE * draw(st.integers(0, 2_000))
        pauses.append(Pause(begin, at))
        at -= MINUTE * draw(st.integers(0, 60))  # some overlap
    if pauses and draw(st.booleans()) and draw(st.booleans()):
        pauses[-1] = Pause(pauses[-1].start, None)
    first = base.astimezone(MADRID).date()
    holidays = [first + timedelta(days=one) for one in draw(st.sets(st.integers(0, 9), max_size=3))]
    week = dict(WEEK)
    if draw(st.booleans()):  # attention on a Saturday and through the night of Sunday
        week |= {5: (Interval(time(10), time(13)),), 6: (Interval(time(0, 30), time(4)),)}
    return start, minutes, pauses, holidays, week


@settings(max_examples=300, deadline=None)
@given(matter=matters())
def test_it_ends_when_an_oracle_that_walks_each_minute_says(matter: Any) -> None:
    start, minutes, pauses, holidays, week = matter
    # a clock time that occurs twice is its first occurrence: there the oracle counts an hour more
    folded = {6: (Interval(time(4), time(6)),)} if 6 in week else {}
    week |= folded
    known = calendar(holidays=dict.fromkeys(holidays, "Fiesta"), weekly_hours=week)
    due = due_at(known, start, minutes, pauses)
    assert due == walked(start, minutes, pauses, holidays, week)
    plain = due_at(known, start, minutes)
    assert plain is not None
    if due is None:
        return
    assert due >= plain  # standing still never shortens
    counted = used(known, start, due, pauses)
    assert counted == timedelta(minutes=minutes)
    told = pieces(known, start, due, pauses)
    if len(told) <= targets.MOST_PIECES:
        assert sum(((one.end or due) - one.start for one in told), timedelta(0)) == counted


def test_a_thousand_more_by_a_seed() -> None:
    dice = Random(4)  # noqa: S311 - the same each time
    for _each in range(1_000):
        start = local("2026-11-02T00:00").astimezone(UTC) + MINUTE * dice.randrange(40_000)
        minutes = dice.randrange(1, 600)
        pauses = []
        for _pause in range(dice.randrange(3)):
            begin = start + MINUTE * dice.randrange(2_000)
            pauses.append(Pause(begin, begin + MINUTE * dice.randrange(3_000)))
        found = due_at(OFFICE, start, minutes, pauses)
        assert found == walked(start, minutes, pauses, [date(2026, 12, 8)], WEEK)


@pytest.mark.parametrize(
    ("start", "minutes", "pauses", "due"),
    [
        ("2026-11-20T13:00", 240, [], "2026-11-23T12:00"),  # 1 h on Friday, 3 on Monday
        (
            "2026-11-20T10:00",
            240,
            [("2026-11-20T11:00", "2026-11-20T13:00")],
            "2026-11-23T11:00",
        ),
        ("2026-11-21T10:00", 60, [], "2026-11-23T10:00"),  # Saturday: from Monday's first hour
        ("2026-12-07T16:00", 120, [], "2026-12-09T09:30"),  # 8 December is a holiday
        ("2026-10-23T13:30", 60, [], "2026-10-26T09:30"),  # the night with 25 hours between
        ("2026-03-27T13:30", 60, [], "2026-03-30T09:30"),  # and that with 23
        ("2026-11-20T10:00", 60, [("2026-11-20T10:30", None)], None),
        ("2026-11-20T10:00", 60, [("2026-11-20T11:00", None)], "2026-11-20T11:00"),
    ],
)
def test_dated(start: str, minutes: int, pauses: Any, due: str | None) -> None:
    spans = [Pause(local(begin), local(end) if end else None) for begin, end in pauses]
    assert due_at(OFFICE, local(start), minutes, spans) == (local(due) if due else None)


def test_anyone_can_read_why() -> None:
    pause = Pause(local("2026-11-20T13:15"), local("2026-11-23T10:00"))
    due = due_at(OFFICE, local("2026-11-20T13:00"), 120, [pause])
    lines = explained(
        OFFICE, local("2026-11-20T13:00"), 120, [(pause, "pendiente de la persona")], due
    )
    assert [str(line) for line in lines] == [
        "2 h of working time from vie 20 nov 13:00",
        "minus 1 h 45 min paused: vie 20 nov 13:15–lun 23 nov 10:00 (pendiente de la persona)",
        "15 min count: vie 20 nov 13:00–13:15",
        "1 h 45 min count: lun 23 nov 10:00–11:45",
        "ends on lun 23 nov 11:45",
    ]


def test_a_unit_without_hours_promises_no_moment() -> None:
    with pytest.raises(NotCovered):
        due_at(calendar(weekly_hours=None), local("2026-11-20T10:00"), 60)


# --- The part of the bundle -----------------------------------------------------------------------

RULE = {"measure": "first_answer", "within": "4h"}


def test_the_first_that_fits_counts() -> None:
    rules = [
        {**RULE, "within": "30min", "for": {"priority": ["urgent"]}},
        {**RULE, "within": "1h", "for": {"channel": ["phone"], "need": ["accessibility"]}},
        {**RULE, "within": "1h30min", "warn": "75%", "for": {"priority": ["high", "urgent"]}},
        RULE,
    ]
    plan = of_bundle({"service": rules})

    def minutes(priority: int, channel: str, *needs: str) -> int:
        found = chosen(plan, "first_answer", priority, channel, needs)
        assert found is not None
        return found.minutes

    assert minutes(3, "phone") == 30
    assert minutes(1, "phone", "accessibility") == 60
    assert minutes(1, "phone", "language") == 240
    assert minutes(2, "email", "accessibility") == 90
    assert minutes(1, "email") == 240
    assert chosen(plan, "resolution", 1, "email", ()) is None
    assert plan[2].warn_minutes == 23  # the last quarter
    assert read({**RULE, "warn": "1h"}).warn_minutes == 60
    assert read(RULE).pauses == frozenset()
    assert read({**RULE, "measure": "resolution"}).pauses == {2, 3}


@pytest.mark.parametrize(
    ("service", "where"),
    [
        ({}, ["service"]),
        ([1], ["service[0]"]),
        ([{**RULE, "measure": "speed"}], ["service[0].measure"]),
        ([{**RULE, "within": "4"}], ["service[0].within"]),
        ([{**RULE, "within": "0h"}], ["service[0].within"]),
        ([{**RULE, "within": 4}], ["service[0].within"]),
        ([{**RULE, "within": "9999h"}], ["service[0].within"]),
        ([{**RULE, "warn": "100%"}], ["service[0].warn"]),
        ([{**RULE, "warn": "4h"}], ["service[0].warn"]),
        ([{**RULE, "speed": 1}], ["service[0].speed"]),
        ([{**RULE, "for": {"priority": ["x"]}}], ["service[0].for.priority"]),
        ([{**RULE, "for": {"weather": []}}], ["service[0].for.weather"]),
        ([{**RULE, "for": {"channel": "phone"}}], ["service[0].for.channel"]),
        ([{**RULE, "pauses": ["closed"]}], ["service[0].pauses"]),
        ([{**RULE, "at_breach": {"tell": ["boss"]}}], ["service[0].at_breach.tell"]),
        (
            [{**RULE, "at_breach": {"raise_priority": "yes"}}],
            ["service[0].at_breach.raise_priority"],
        ),
        ([{**RULE, "at_warning": {"tell": ["assignee"]}}], ["service[0].warn"]),
        ([RULE, {**RULE, "for": {"priority": ["high"]}}], ["service[1]"]),
        ([RULE], []),
        (None, []),
    ],
)
def test_what_is_wrong_is_said_with_its_place(service: Any, where: list[str]) -> None:
    assert [problem.where for problem in check(service)] == where
    bundle = {**simple_bundle(), "service": service}
    assert [problem.where for problem in check_bundle(bundle)] == where


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["measure", "within", "for", "warn", "pauses", "tell", "at_breach"])
                | st.text(max_size=4),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_no_definition_breaks_the_check(service: Any) -> None:
    list(check(service))
