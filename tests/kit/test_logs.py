"""Logs: lines of JSON with the request's id, and nothing of whom it was about."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory

import boot
from crm.kit.logs import configure, without_secrets
from tests.api.conftest import Caller, key_for
from tests.conftest import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process in production would write from now on."""
    written = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        configure({"level": "INFO", "json": True})
    yield written
    configure(settings.LOGGING)


def facts(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_every_line_is_json_with_the_id_of_its_request(
    world: World, client: Client, lines: io.StringIO
) -> None:
    client.force_login(world.alice)
    client.get("/perfil/")
    finished = [one for one in facts(lines) if one["event"] == "request_finished"]
    assert [(one["request"], one["code"], one["level"]) for one in finished] == [
        ("GET /perfil/", 200, "info")
    ]
    assert re.fullmatch(r"[0-9a-f-]{36}", finished[0]["request_id"])
    assert finished[0]["user_id"] == str(world.alice.uuid)


def test_nothing_of_a_person_is_written(world: World, client: Client, lines: io.StringIO) -> None:
    secrets = ("12345678Z", "Quintanilla", "remedios", "600112233", "Alice", "alice", "10.11.12.13")
    asked = {"q": "Quintanilla 12345678Z", "desde": "x"}
    caller = {"REMOTE_ADDR": "10.11.12.13"}
    for _try in range(7):  # until the door is locked
        client.post("/entrar/", {"login": world.alice.email, "password": "Quintanilla"}, **caller)  # type: ignore[arg-type]
    client.force_login(world.alice)
    for address in ("/ciudadania/", "/casos/", "/auditoria/", "/no-existe/", "/paleta/"):
        client.get(address, asked, **caller)  # type: ignore[arg-type]
    typed = {"name": "Remedios", "surname1": "Quintanilla", "phone": "600112233", "kind": "x"}
    client.post("/ciudadania/nueva/", typed)
    client.post("/casos/nuevo/?q=Quintanilla", {"subject": "De Quintanilla"})
    system = Caller(key_for(world.here, "citizens.view_citizen"))
    system.send("get", "/citizens/?q=12345678Z")
    system.send("get", "/citizens/?nombre=Quintanilla")

    told = facts(lines)
    assert {one["code"] for one in told if "code" in one} >= {200, 400, 403, 404, 422}
    assert len(told) > 20
    for one in told:
        assert not [secret for secret in secrets if secret in json.dumps(one)], one


def test_a_fault_is_told_without_the_row_that_it_was_about(lines: io.StringIO) -> None:
    name = "Quintanilla\n\n12345678Z"  # apart: a traceback quotes lines of code
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE person (name text CHECK (name = ''))")
            cursor.execute("INSERT INTO person VALUES (%s)", [name])
    except DatabaseError:
        request = RequestFactory().get("/casos/", {"q": "Quintanilla"})
        logging.getLogger("django.request").exception(
            "Internal Server Error: %s", request.path, extra={"request": request}
        )
    (told,) = facts(lines)
    assert "psycopg.errors.CheckViolation" in told["exception"]
    assert "During handling" in told["exception"] or "The above" in told["exception"]
    assert told["exception"].count("violates check constraint") == 2
    assert "Quintanilla" not in json.dumps(told)
    assert "12345678Z" not in json.dumps(told)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("/invitacion/3dCYlZ_4XT90iSSvF9M_OoXC3UJlgygcH4cmUvddxUg/", "/invitacion/…/"),
        (
            "/entrar/contrasena/1-d2k8x1-0a1b2c3d4e5f60718293a4b5c6d7e8f9/",
            "/entrar/contrasena/…/",
        ),
        ("/baja/eyJhIjoxfQ:1vM:abcDEF_ghijklmnop/", "/baja/…/"),
        ("Not Found: /invitacion/3dCYlZ_4XT90iSSvF9M_OoXC3UJlg", "Not Found: /invitacion/…"),
        *(
            (same, same)
            for same in (
                "/casos/01a2018b-6fb4-70db-9b42-aaff0dd0fb5e/notas/",
                "/sede/INP/tramites/ayuda-al-alquiler-de-vivienda-2026/solicitud/",
                "GET /api/v1/cases/",
            )
        ),
    ],
)
def test_what_opens_something_is_not_written(address: str, written: str) -> None:
    assert without_secrets(address) == written


def test_an_invitation_is_not_to_be_taken_from_the_logs(client: Client, lines: io.StringIO) -> None:
    token = "3dCYlZ_4XT90iSSvF9M_OoXC3UJlgygcH4cmUvddxUg"
    client.get(f"/invitacion/{token}/")
    told = facts(lines)
    assert told
    assert token not in json.dumps(told)


def test_the_server_of_sockets_writes_no_lines_of_its_own() -> None:
    """They are no JSON and name the caller and, where it serves all, what is searched for."""
    start = (boot.ROOT / "deploy" / "start").read_text()
    launcher = (boot.ROOT / "boot.py").read_text()
    assert re.findall(r"exec daphne (.{4})", start) == ["-v 0"]
    assert '"daphne", "-v", 0,' in launcher
