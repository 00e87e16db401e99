"""Enormous, broken and impossible input: a clear answer, never a fault of ours."""

import io
import json
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from tests.house.asking import entry_of, ids_of, methods_of, undone
from tests.house.bodies import body_of
from tests.house.doors import ENTRIES, Door, Guarded, Public, doors
from tests.house.estate import Estate

pytestmark = pytest.mark.django_db

MEGABYTE = 1024 * 1024
FORMS = [
    door
    for door in doors()
    if isinstance(ENTRIES.get(door.name), Guarded | Public)
    and door.api is None
    and door.name not in {"account_logout", "accounts:switch", "metrics", "healthz"}
]
READS = [
    pytest.param(door, method, id=f"{method} {door.name}")
    for door in doors()
    if door.api is not None
    for method, operation in door.api.operations.items()
    if operation.reads().fields and operation.media_type == "application/json"
]
PUBLIC = [door for door in doors() if isinstance(ENTRIES.get(door.name), Public) and door.names]
LISTS = [
    door
    for door in doors()
    if door.api is None and not door.names and isinstance(ENTRIES.get(door.name), Guarded)
]
IMPOSSIBLE = [
    "a\0b",
    "\ud800",
    "😀" * 300,
    "9" * 400,
    "-1",
    "NaN",
]


def said_clearly(answer: HttpResponse) -> None:
    """Refused, or taken as what it is; no fault of ours."""
    assert answer.status_code < 500, answer.status_code


def _names(door: Door, estate: Estate) -> list[str]:
    """What the form on this page asks for, as its own page shows."""
    known = list(getattr(entry_of(door), "post", {}))
    usual = ["q", "text", "reason", "name", "subject", "next", "code", "email", "day", "unit"]
    return [*known, *usual]


@pytest.mark.parametrize("door", FORMS, ids=lambda door: door.name)
def test_no_form_falls_over_what_no_database_keeps(door: Door, estate: Estate) -> None:
    if "post" not in methods_of(door, estate):
        return
    here = estate.here
    address = door.address({name: str(here.get(entry_of(door).ids[name])) for name in door.names})
    names = _names(door, estate)
    for value in ("a\0b", "9" * 400 + "😀"):
        with undone():
            given: dict[str, Any] = dict.fromkeys(names, value)
            said_clearly(estate.caller("everything").post(address, given))
    for name, word in getattr(entry_of(door), "post", {}).items():
        whole = {
            key: SimpleUploadedFile("a.pdf", b"%PDF-1.4") if one == "a file" else str(here.get(one))
            for key, one in entry_of(door).post.items()
        }
        if word == "a file":
            continue
        for value in ("-1", "9" * 30):
            with undone():
                said_clearly(estate.caller("everything").post(address, {**whole, name: value}))


@pytest.mark.parametrize("door", PUBLIC, ids=lambda door: door.name)
def test_no_address_for_anybody_falls_over(door: Door, estate: Estate) -> None:
    """Bug: a NUL in the address of the chat or of a short link reached the database."""
    ids = {name: str(estate.here.get(entry_of(door).ids[name])) for name in door.names}
    client = estate.caller("nobody")
    for name in door.names:
        for value in ("a%00b", "%ff%fe", "9" * 5000, "%F0%9F%98%80" * 50, "a%0d%0ab"):
            address = door.address({**ids, name: value})
            for method in ("get", "post"):
                said_clearly(getattr(client, method)(address))


@pytest.mark.parametrize("door", LISTS, ids=lambda door: door.name)
def test_no_filter_falls_over(door: Door, estate: Estate) -> None:
    if "get" not in methods_of(door, estate):
        return
    names = [
        *("q", "cursor", "after", "desde", "hasta", "estado", "tipo", "unidad", "responsable"),
        *("vista", "orden", "state", "who", "since", "until", "actor", "object", "kind", "thing"),
        *("person", "unit", "caso", "antes", "asked_at", "year", "ano", "case_type", "citizen"),
        *("prioridad", "vence", "canal", "result", "action", "permission"),
    ]
    for value in ("😀" * 30, "9" * 400, "-1", "2026-13-45'", "0001-01-01", "9999-12-31"):
        answer = estate.caller("everything").get(door.address({}), dict.fromkeys(names, value))
        said_clearly(answer)


@pytest.mark.parametrize(("door", "method"), READS)
def test_no_operation_falls_over(door: Door, method: str, estate: Estate) -> None:
    assert door.api is not None
    kind = door.api.operations[method].reads
    address = door.address(ids_of(door, estate.here))
    machine = estate.caller("machine")
    body = body_of(kind, estate.here)
    for name in kind().fields:
        for value in (*IMPOSSIBLE, None, [[]], 10**400, {"a": {"b": "\0"}}):
            with undone():
                answer = getattr(machine, method)(
                    address, json.dumps({**body, name: value}), content_type="application/json"
                )
            said_clearly(answer)
            if isinstance(value, str) and "\0" in value:
                assert answer.status_code in {400, 409, 422}, (name, value)


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 2}',
    b"[" * 100_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"text": "' + b"a" * (MEGABYTE + 1) + b'"}',
    b'{"text": "\\ud800"}',
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_body_is_refused_by_name(body: bytes, estate: Estate) -> None:
    address = f"/api/v1/cases/{estate.here.case.uuid}/notes/"
    begun = time.monotonic()
    answer = estate.caller("machine").post(address, body, content_type="application/json")
    assert answer.status_code in {400, 413, 422}, answer.status_code
    assert answer["Content-Type"] == "application/problem+json"
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/xml", "text/plain", "multipart/form-data"]
)
def test_another_kind_of_body_is_refused_by_name(kind: str, estate: Estate) -> None:
    address = f"/api/v1/cases/{estate.here.case.uuid}/notes/"
    answer = estate.caller("machine").post(address, b"<a/>", content_type=kind)
    assert answer.status_code == 415


@pytest.mark.parametrize("charset", ["hex", "idna", "undefined", "unicode_escape"])
def test_a_form_is_read_as_utf_8_whatever_codec_it_names(charset: str, estate: Estate) -> None:
    sent = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xc3\xb1\\ud800\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    case = estate.here.case
    answer = estate.caller("everything").generic("POST", f"/casos/{case.uuid}/notas/", sent, kind)
    assert answer.status_code == 302
    assert case.notes.latest("pk").body == "ñ\\ud800"


def test_a_field_of_a_megabyte_is_refused_and_named(estate: Estate) -> None:
    client, case = estate.caller("everything"), estate.here.case
    long = "a" * MEGABYTE
    answer = client.post("/casos/nuevo/", {"subject": long, "description": long})
    assert answer.status_code == 422
    for address, name in (
        (f"/casos/{case.uuid}/notas/", "text"),
        (f"/casos/{case.uuid}/mensajes/", "text"),
        (f"/casos/{case.uuid}/mensajes/recibidos/", "text"),
        ("/verificar/", "code"),
        ("/entrar/", "login"),
    ):
        answer = client.post(address, {name: long, "password": long})
        said_clearly(answer)
        assert answer.status_code != 201
    assert client.get("/casos/", {"q": long[:100_000]}).status_code < 500
    assert client.get("/ciudadania/", {"q": long[:100_000]}).status_code < 500


def test_ten_thousand_parameters_are_refused(estate: Estate) -> None:
    many = {f"x{number}": "y" for number in range(10_000)}
    client = estate.caller("everything")
    assert client.post("/casos/nuevo/", many).status_code == 400
    assert client.get("/casos/", many).status_code < 500
    machine = estate.caller("machine")
    assert machine.get("/api/v1/cases/", many).status_code in {400, 422}
    text = json.dumps(many)
    address = f"/api/v1/cases/{estate.here.case.uuid}/notes/"
    answer = machine.post(address, text, content_type="application/json")
    assert answer.status_code == 422


def test_a_body_of_forty_megabytes_is_refused(estate: Estate) -> None:
    answer = estate.caller("everything").post(
        "/casos/nuevo/",
        "a=" + "b" * (6 * MEGABYTE),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code in {400, 413}


XML = {
    "factura.xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "dibujo.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "pagina.html": b"<!doctype html><script>alert(1)</script>",
    "foto.jpg": b"<?xml version='1.0'?><a/>",
    "papel.pdf": b"<html><body>x",
}


@pytest.mark.parametrize("name", XML)
def test_markup_is_not_taken_in_as_a_paper(name: str, estate: Estate) -> None:
    file = io.BytesIO(XML[name])
    file.name = name
    answer = estate.caller("everything").post(
        f"/casos/{estate.here.case.uuid}/documentos/", {"file": file}
    )
    assert answer.status_code == 422
    assert name in answer.content.decode()
    api = estate.caller("machine").post(
        f"/api/v1/cases/{estate.here.case.uuid}/documents/",
        {"file": SimpleUploadedFile(name, XML[name])},
    )
    assert api.status_code == 422
