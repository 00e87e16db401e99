"""Typed options: defaults are safe, what is written is checked, what is read is always valid."""

import pytest

from crm.kit.errors import Invalid
from crm.organisations import options
from crm.organisations.models import Organisation


def test_an_organisation_that_decided_nothing_has_the_safe_defaults() -> None:
    read = options.read(Organisation())

    assert read.second_factor is True
    assert (read.idle_minutes, read.session_hours, read.search_months) == (15, 12, 12)
    assert [str(purpose) for purpose in read.usual_purposes] == [
        str(purpose) for purpose in options.USUAL_PURPOSES
    ]


def test_what_is_written_is_read_and_the_rest_stays() -> None:
    organisation = Organisation(options={"second_factor": False})

    options.write(
        organisation,
        {"idle_minutes": 30, "map_latitude": 41, "purposes": [" Ventanilla ", "", "Ventanilla"]},
    )

    assert organisation.options == {
        "second_factor": False,
        "idle_minutes": 30,
        "map_latitude": 41.0,
        "purposes": ["Ventanilla"],
    }
    assert options.read(organisation) == options.Options(
        second_factor=False, idle_minutes=30, map_latitude=41.0, purposes=("Ventanilla",)
    )
    assert options.read(organisation).usual_purposes == ("Ventanilla",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("second_factor", "false"),
        ("second_factor", 0),
        ("idle_minutes", 0),
        ("idle_minutes", 121),
        ("idle_minutes", True),
        ("idle_minutes", "15"),
        ("session_hours", 25),
        ("search_months", 1.5),
        ("map_latitude", 90.1),
        ("map_latitude", "40"),
        ("map_latitude", None),
        ("map_longitude", float("nan")),
        ("map_longitude", float("-inf")),
        ("map_longitude", True),
        ("map_longitude", 10**400),
        ("map_zoom", 0),
        ("map_zoom", 6.0),
        ("purposes", "one"),
        ("purposes", [1]),
        ("purposes", ["x" * 121]),
        ("purposes", [str(number) for number in range(21)]),
        ("colour", "red"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_changes_nothing(name: str, value: object) -> None:
    organisation = Organisation(options={"idle_minutes": 20})

    with pytest.raises(Invalid) as refused:
        options.write(organisation, {name: value, "session_hours": 8} | {name: value})

    assert list(refused.value.errors) == [name]
    assert organisation.options == {"idle_minutes": 20}


def test_a_stored_value_that_is_no_longer_valid_counts_as_not_set() -> None:
    stored = {"second_factor": "no", "idle_minutes": 10_000, "gone": 1, "session_hours": 8}

    assert options.read(Organisation(options=stored)) == options.Options(session_hours=8)
