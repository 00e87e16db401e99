"""iCalendar in and out: every calendar of the shared data is read or refused with a reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduling import ical_reading
from scheduling.ical_reading import CannotRead, closures_in, components
from scheduling.ical_writing import escaped, folded
from scheduling.recurrence import NotUnderstood, occurrences, parse_rule

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str) -> bytes:
    return calendar("BEGIN:VEVENT", "UID:1", "SUMMARY:Cerrado", *lines, "END:VEVENT")


def closed(content: bytes) -> list[tuple[str, str]]:
    found, problems = closures_in(content, MADRID, NOW)
    assert problems == []
    local = [(one.start.astimezone(MADRID), one.end.astimezone(MADRID)) for one in found]
    return [(f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}") for start, end in local]


# --- The shared data ------------------------------------------------------------------------------

# Read at the moment at which most of them speak, so that reading them means something.
THEN = datetime(2012, 1, 1, tzinfo=UTC)


def test_every_calendar_is_taken_in_or_refused_cleanly(shared_data: Path) -> None:
    files = sorted((shared_data / "calendars").rglob("*.ics"))
    assert len(files) > 130
    read, refused, left_out = 0, {}, {}
    for file in files:
        content = file.read_bytes()
        try:
            for moment in (THEN, NOW):
                _found, problems = closures_in(content, MADRID, moment)
                left_out[file.name] = [str(problem.reason) for problem in problems]
        except CannotRead as error:
            refused[file.name] = str(error.message)
        else:
            read += 1
    assert set(refused) == REFUSED, refused
    assert all(refused.values())
    assert read == len(files) - len(refused)
    assert all(reason for reasons in left_out.values() for reason in reasons)


# No iCalendar at all, broken off, or nothing in it.
REFUSED = {
    "big_bad_calendar.ics",
    "fuzz_testcase_0_char_in_component_name.ics",
    "fuzz_testcase_invalid_month.ics",
    "issue_350.ics",
    "pr_480_summary_with_colon.ics",
    "small_bad_calendar.ics",
    "timezone_same_start_and_offset.ics",
}


def test_what_a_calendar_of_the_shared_data_says(shared_data: Path) -> None:
    """The fifth Monday of each month, moved and left out: as icaljs tells it."""
    content = (shared_data / "calendars" / "icaljs" / "recur_instances.ics").read_bytes()
    now = datetime(2012, 10, 1, tzinfo=UTC)
    found, problems = closures_in(content, ZoneInfo("America/Los_Angeles"), now)
    assert problems == []
    local = sorted(one.start.astimezone(ZoneInfo("America/Los_Angeles")) for one in found)
    first = [f"{moment:%Y-%m-%d %H:%M}" for moment in local[:6]]
    assert first == [
        "2012-10-02 15:00",  # moved within the day
        "2012-11-06 10:00",
        "2012-11-06 20:00",  # in place of the fifth, which is listed
        "2012-11-10 10:00",
        "2012-11-30 10:00",
        "2013-01-01 10:00",  # that of 4 December is left out
    ]


# --- Reading --------------------------------------------------------------------------------------


def test_a_whole_day_is_the_offices_own_day() -> None:
    assert closed(event("DTSTART;VALUE=DATE:20261224")) == [
        ("2026-12-24 00:00", "2026-12-25 00:00")
    ]


def test_days_until_the_one_before_the_end() -> None:
    lines = ("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227")
    assert closed(event(*lines)) == [("2026-12-24 00:00", "2026-12-27 00:00")]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("DTSTART:20261224T090000", "2026-12-24 09:00"),
        ("DTSTART:20261224T080000Z", "2026-12-24 09:00"),
        ("DTSTART;TZID=America/New_York:20261224T030000", "2026-12-24 09:00"),
        (
            "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Madrid:20261224T090000",
            "2026-12-24 09:00",
        ),
        ('DTSTART;TZID="Romance Standard Time":20261224T090000', "2026-12-24 09:00"),
    ],
)
def test_a_time_is_of_the_zone_that_it_names_else_of_the_office(start: str, expected: str) -> None:
    assert closed(event(start, "DURATION:PT2H"))[0][0] == expected


def test_lines_are_unfolded_and_texts_unescaped() -> None:
    content = calendar(
        "BEGIN:VEVENT",
        "UID:1",
        "SUMMARY:Cerrado\\, por",
        "  obras\\n en el ",
        "\tsótano",
        "DTSTART;VALUE=DATE:20261224",
        "END:VEVENT",
    )
    found, _problems = closures_in(content, MADRID, NOW)
    assert found[0].name == "Cerrado, por obras en el sótano"


def test_what_is_cancelled_free_or_past_closes_nothing() -> None:
    for line in ("STATUS:CANCELLED", "TRANSP:TRANSPARENT"):
        assert closed(event("DTSTART;VALUE=DATE:20261224", line)) == []
    assert closed(event("DTSTART;VALUE=DATE:20251224")) == []
    assert closed(event("DTSTART;VALUE=DATE:20301224")) == []


def test_a_repetition_keeps_the_wall_clock_over_the_change_of_hour() -> None:
    lines = ("DTSTART:20270326T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2")
    found, _problems = closures_in(event(*lines), MADRID, NOW)
    assert [one.start for one in found] == [
        datetime(2027, 3, 26, 8, tzinfo=UTC),
        datetime(2027, 4, 2, 7, tzinfo=UTC),
    ]


def test_dates_are_left_out_and_added() -> None:
    lines = (
        *("DTSTART:20261201T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"),
        *("EXDATE:20261202T090000", "RDATE:20261210T160000"),
    )
    assert [start for start, _end in closed(event(*lines))] == [
        *("2026-12-01 09:00", "2026-12-03 09:00", "2026-12-10 16:00"),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:mañana",),
        ("DTSTART:20261332T090000", "DURATION:PT1H"),
        ("DTSTART:20261224T090000",),  # no end
        ("DTSTART:20261224T090000", "DTEND:20261224T080000"),
        ("DTSTART:20261224T090000", "DURATION:-PT1H"),
        ("DTSTART:20261224T090000", "DURATION:P"),
        ("DTSTART;TZID=Nowhere/At_All:20261224T090000", "DURATION:PT1H"),
        ("DTSTART;TZID=../../etc/passwd:20261224T090000", "DURATION:PT1H"),
        ("DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=SECONDLY"),
        ("DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=YEARLY;BYWEEKNO=20"),
        ("DTSTART;VALUE=DATE:20261224", "RRULE:RSCALE=HEBREW;FREQ=YEARLY"),
        ("DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=DAILY;INTERVAL=0"),
        ("DTSTART;VALUE=DATE:20261224", "RRULE:nonsense"),
        ("DTSTART;VALUE=DATE:19000101", "RRULE:FREQ=DAILY;COUNT=99999"),
        ("DTSTART;VALUE=DATE:99991231",),
    ],
    ids=" ".join,
)
def test_an_event_that_is_not_understood_is_named_and_others_are_taken(
    lines: tuple[str, ...],
) -> None:
    good = ("BEGIN:VEVENT", "UID:2", "SUMMARY:Bien", "DTSTART;VALUE=DATE:20261224", "END:VEVENT")
    bad = ("BEGIN:VEVENT", "UID:1", "SUMMARY:Mal", *lines, "END:VEVENT")
    found, problems = closures_in(calendar(*bad, *good), MADRID, NOW)
    assert [one.name for one in found] == ["Bien"]
    assert [problem.event for problem in problems] == ["Mal"]
    assert str(problems[0].reason)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04 a zip",
        b"BEGIN:VCALENDAR\n",
        b"BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR\n",
        b"VERSION:2.0\n",
        b"BEGIN:VCALENDAR\nSUMMARY:\x00\nEND:VCALENDAR\n",
        "BEGIN:VCALENDAR\nSUMMARY:ñ\nEND:VCALENDAR\n".encode("latin-1"),
        b"BEGIN:" + b"A" * 10,
        b"x" * (ical_reading.MOST_BYTES + 1),
        b"BEGIN:A\n" * 100,
        b"<!doctype html><p>calendario</p>",
    ],
    ids=range(12),
)
def test_what_is_no_calendar_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(CannotRead) as refused:
        components(content)
    assert str(refused.value.message)


def test_too_many_events_are_refused() -> None:
    many = ("BEGIN:VEVENT", "UID:1", "END:VEVENT") * (ical_reading.MOST_EVENTS + 1)
    with pytest.raises(CannotRead):
        closures_in(calendar(*many), MADRID, NOW)


def test_a_rule_that_never_meets_its_own_conditions_ends() -> None:
    content = event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    assert closures_in(content, MADRID, NOW) == ([], [])


# --- Repetitions, against the examples of RFC 5545 3.8.5.3 ----------------------------------------


def local(*parts: int) -> datetime:
    """A time on some wall's clock."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


RFC = local(1997, 9, 2, 9)
LONG = timedelta(days=10_000)


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", RFC, ["0902", "0903", "0904"]),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", RFC, ["0902", "0912", "0922"]),
        ("FREQ=WEEKLY;COUNT=5;WKST=SU;BYDAY=TU,TH", RFC, ["0902", "0904", "0909", "0911", "0916"]),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=5;WKST=SU;BYDAY=TU,TH",
            RFC,
            ["0902", "0904", "0916", "0918", "0930"],
        ),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", local(1997, 9, 5, 9), ["0905", "1003", "1107"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", local(1997, 9, 22, 9), ["0922", "1020", "1117"]),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", local(1997, 9, 28, 9), ["0928", "1029", "1128"]),
        (
            "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=1,-1",
            local(1997, 9, 30, 9),
            ["0930", "1001", "1031", "1101"],
        ),
        (
            "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
            local(1997, 9, 4, 9),
            ["0904", "1007", "1106"],
        ),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=6,7", local(1997, 6, 10, 9), ["0610", "0710", "0610"]),
        ("FREQ=YEARLY;COUNT=2;BYDAY=20MO", local(1997, 5, 19, 9), ["0519", "0518"]),
        ("FREQ=DAILY;UNTIL=19970904T000000Z", RFC, ["0902", "0903"]),
        ("FREQ=MONTHLY;COUNT=2;BYMONTHDAY=13;BYDAY=FR", local(1998, 2, 13, 9), ["0213", "0313"]),
    ],
)
def test_a_rule_gives_what_the_standard_says(
    text: str, start: datetime, expected: list[str]
) -> None:
    rule, last = parse_rule(text), start + LONG
    zone = ZoneInfo("America/New_York")
    found = list(occurrences(rule, start, zone, start, last))[: len(expected)]
    assert [f"{moment:%m%d}" for moment in found] == expected


@pytest.mark.parametrize("freq", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
@pytest.mark.parametrize("interval", [1, 2, 3])
def test_skipping_what_is_long_past_finds_the_same(freq: str, interval: int) -> None:
    rule = parse_rule(f"FREQ={freq};INTERVAL={interval}")
    first, last = RFC + timedelta(days=5000), RFC + timedelta(days=7000)
    everything = [moment for moment in occurrences(rule, RFC, MADRID, RFC, last) if moment >= first]
    assert list(occurrences(rule, RFC, MADRID, first, last)) == everything
    assert everything


def test_a_rule_that_repeats_without_end_is_told_apart() -> None:
    with pytest.raises(NotUnderstood):
        list(
            occurrences(
                parse_rule("FREQ=DAILY;COUNT=90000"), RFC, MADRID, RFC + 20 * LONG, RFC + 30 * LONG
            )
        )


# --- Writing --------------------------------------------------------------------------------------


def test_long_lines_are_folded_by_octets_and_no_character_is_cut() -> None:
    line = "SUMMARY:" + "ñ€𝄞" * 60
    parts = list(folded(line))
    assert all(len(part.encode()) <= 75 for part in parts)
    assert parts[0] + "".join(part[1:] for part in parts[1:]) == line
    assert all(part.startswith(" ") for part in parts[1:])


def test_texts_are_escaped_and_bring_no_line_of_their_own() -> None:
    assert escaped("a;b,c\\d\r\nATTENDEE:x") == "a\\;b\\,c\\\\d\\nATTENDEE:x"
