"""The command that computes a legal term: what it prints, and what it refuses."""

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm.kit.actor import Actor
from crm.organisations.services import create_calendar, load_public_holidays, set_holiday
from tests.conftest import World
from tests.factories.accounts import acting, employee


def told(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("deadline", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_examples_of_the_law() -> None:
    assert told("--from=2026-01-30", "--term=1m", "--holidays=")["due"] == "2026-03-02"
    found = told("--from=2026-12-23", "--term=10wd", "--holidays=2026-12-25,2027-01-01,2027-01-06")
    assert (found["due"], found["counted"], found["skipped"]) == ("2027-01-11", 10, 9)
    assert found["warnings"] == []


def test_suspensions_and_extensions() -> None:
    found = told(
        *("--from=2026-03-02", "--term=10wd", "--extend=5wd", "--holidays="),
        *("--suspend=2026-03-10..2026-03-20", "--suspend=2026-03-23..2026-03-24"),
    )
    assert found["due"] == "2026-04-03"
    assert (found["counted"], found["suspended"]) == (15, 9)
    assert found["explanation"][:3] == [
        "10 working days from the day after 2 de marzo de 2026",
        "plus 5 working days of extension",
        "plus 9 days of suspension",
    ]


@pytest.fixture
def admin(world: World) -> Actor:
    return acting(employee(world.here, "administrator", email="calendarios@here.example"))


def test_a_day_that_is_none_in_the_municipality_counts_neither(world: World, admin: Actor) -> None:
    base = load_public_holidays()
    town = create_calendar(admin, name="Getafe", code="28065", layer="local", base_id=base.uuid)
    set_holiday(admin, town.uuid, day=date(2026, 5, 28), name="Corpus")
    asked = ("--from=2026-05-27", "--term=1wd", "--organisation=HERE")
    assert told(*asked)["due"] == "2026-05-28"
    found = told(*asked, "--municipality=28065")
    assert found["due"] == "2026-05-29"
    assert found["warnings"] == []
    later = told(
        *("--from=2027-05-27", "--term=1wd", "--organisation=HERE", "--municipality=28065")
    )
    assert later["warnings"] == [
        "The holidays of 2027 are not loaded in “Getafe”: the date may move."
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from=soon", "--term=1m"], "“soon” is no date. Write it as 2026-03-02."),
        (
            ["--from=2026-01-30", "--term=1x"],
            ("“1x” is no term. Write 30wd (working days), 15d (days), 3m (months) or 1y (years)."),
        ),
        (
            ["--from=2026-01-30", "--term=1m", "--suspend=2026-03-10"],
            "“2026-03-10” is no suspension. Write it as 2026-03-10..2026-03-20.",
        ),
        (
            ["--from=2026-01-30", "--term=1m", "--suspend=2026-03-10..2026-03-09"],
            "The suspension 2026-03-10..2026-03-09 ends before it begins.",
        ),
        (
            ["--from=2026-01-30", "--term=1m", "--organisation=NADIE"],
            "There is no organisation NADIE. There are: ELSE, HERE.",
        ),
        (
            ["--from=2026-01-30", "--term=1m", "--municipality=28065"],
            "Say with --organisation whose calendars know that municipality.",
        ),
        (
            ["--from=2026-01-30", "--term=1m", "--organisation=HERE", "--municipality=99999"],
            "There is no calendar of the municipality 99999. There are: none.",
        ),
    ],
)
def test_what_is_wrong_is_told(world: World, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as error:
        told(*arguments)
    assert str(error.value) == message


def test_a_date_beyond_the_calendars_is_refused() -> None:
    with pytest.raises(CommandError, match=r"not loaded in the calendar\. Years: 2008-"):
        told("--from=2026-01-30", "--term=40y")
