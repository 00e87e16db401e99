"""What boot.py says before it starts anything."""

import subprocess
import sys

import pytest

import boot


def answer(*arguments: str, **env: str) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, boot.ROOT / "boot.py", *arguments],
        env={"PATH": "/nowhere", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def test_doctor_names_what_is_missing_and_the_line_that_installs_it() -> None:
    code, said = answer("doctor")
    assert code == 1
    assert "MISSING  npm" in said
    assert "MISSING  gettext" in said
    assert "MISSING  Chromium: without it browser journeys are skipped (only tests need it)" in said
    last = said.strip().splitlines()[-1]
    assert last.split()[-1] in {"poppler-utils", "poppler"}
    assert " gettext " in last


def test_whoever_is_not_root_is_given_the_whole_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(boot.sys, "platform", "linux")
    gettext = [need for need in boot.NEEDS if need.name == "gettext"]
    assert boot.install_line(gettext) == (
        "sudo apt-get update && sudo apt-get install --yes --no-install-recommends gettext"
    )


@pytest.mark.parametrize("port", ["", "eight", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    code, said = answer("run", PORT=port)
    assert code == 1
    assert f"PORT is {port!r}" in said


def test_production_is_refused() -> None:
    code, said = answer("run", APP_ENV="production")
    assert code == 1
    assert "docs/operator.md" in said


@pytest.mark.parametrize("arguments", [(), ("help",), ("runn",), ("run", "8001")])
def test_a_wrong_command_shows_the_right_ones(arguments: tuple[str, ...]) -> None:
    code, said = answer(*arguments)
    assert code == (0 if arguments in {(), ("help",)} else 2)
    for command in ("run", "test", "lint", "fmt", "bench", "manage", "demo-reset", "doctor"):
        assert f"\n  {command}" in said
