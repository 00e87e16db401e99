"""Production refuses what is only meant for a newcomer's machine, before anything of it starts."""

from typing import Any

import pytest
from django.core.checks import ERROR, run_checks
from django.core.management import CommandError, call_command

import boot

STRONG = "kq3-Zr8_wT1yVbN5mC7xLpA9sD2fG4hJ6uI0oE-RtYbQvWcXnMzKjH"


@pytest.fixture
def production(settings: Any) -> Any:
    """An installation as it ought to be."""
    settings.PRODUCTION, settings.DEBUG, settings.EMBEDDED_SERVICES = True, False, False
    settings.SECRET_KEY = STRONG
    return settings


def refused() -> list[str | None]:
    found = run_checks(tags=["security"])
    return [each.id for each in found if each.level >= ERROR]


def test_an_installation_as_it_ought_to_be_starts(production: Any) -> None:
    assert refused() == []


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("EMBEDDED_SERVICES", True, "ventanilla.E001"),
        ("DEBUG", True, "ventanilla.E002"),
        ("SECRET_KEY", STRONG[:49], "ventanilla.E003"),
        ("SECRET_KEY", "ab" * 40, "ventanilla.E003"),
    ],
)
def test_what_is_unsafe_stops_it(production: Any, setting: str, value: object, reason: str) -> None:
    setattr(production, setting, value)
    assert refused() == [reason]
    with pytest.raises(CommandError, match=reason):  # as deploy/start asks before each role
        call_command("check", "--tag", "security")
    production.PRODUCTION = False
    assert refused() == []


def test_every_role_asks_before_it_starts() -> None:
    start = (boot.ROOT / "deploy" / "start").read_text()
    asks = '[ "$role" = manage ] || python manage.py check --tag security >&2'
    assert start.index("set -eu") < start.index(asks) < start.index("exec ")
