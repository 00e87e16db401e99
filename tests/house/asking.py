"""Asking at every address in every way, and seeing what it changed."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from crm.kit.api import FORM
from tests.house.bodies import body_of
from tests.house.doors import ENTRIES, Door, Guarded
from tests.house.estate import Estate, Side

# Written whoever asks: sessions and their clocks, the trail of refusals and failed attempts.
OWN_TRACES = frozenset(
    {
        "audit_auditentry",
        "django_session",
        "accounts_usersession",
        "accounts_apiclient",
        "axes_accessattempt",
        "axes_accesslog",
        "axes_accessfailurelog",
        "kit_idempotencykey",
    }
)
ALL_METHODS = ("get", "post", "put", "patch", "delete")
_WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
_CHANGING = re.compile(rb"\b[A-Za-z0-9]{64}\b|nonce=\"[^\"]*\"|urn:request:[\w-]*")
_methods: dict[str, list[str]] = {}


@contextmanager
def writes() -> Iterator[list[str]]:
    """The tables written within, but those in which every caller leaves traces."""
    found: list[str] = []

    def watch(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        written = _WRITE.match(str(sql))
        if written and written[1] not in OWN_TRACES:
            found.append(written[1])
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield found


@contextmanager
def undone() -> Iterator[None]:
    """What is done within is as if it had not been."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def entry_of(door: Door) -> Any:
    """What the table says of the address."""
    assert door.name in ENTRIES, (
        f"new route {door.name}: say in tests/house/doors.py what its ids are"
    )
    return ENTRIES[door.name]


def ids_of(door: Door, side: Side) -> dict[str, str]:
    """The ids of the address, of that organisation."""
    return {name: str(side.get(entry_of(door).ids[name])) for name in door.names}


def methods_of(door: Door, estate: Estate) -> list[str]:
    """Every method that the view accepts, as it says itself; one that does not say is tried with two."""
    if door.api is not None:
        return list(door.api.operations)
    if door.name not in _methods:
        address = door.address(ids_of(door, estate.here))
        answer = estate.caller("everything").generic("TRACE", address)
        allowed = (
            answer["Allow"].lower().split(", ") if answer.status_code == 405 else ("get", "post")
        )
        _methods[door.name] = [method for method in allowed if method in ALL_METHODS]
    return _methods[door.name]


def ask(client: Client, door: Door, method: str, ids: dict[str, str], side: Side) -> HttpResponse:
    """The answer to this method with these ids and a body in the words of that organisation."""
    address = door.address(ids)
    if door.api is not None:
        return _ask_api(client, door, method, address, side)
    if method in {"get", "head"}:
        answer = getattr(client, method)(address)
    else:
        given = entry_of(door).post if isinstance(entry_of(door), Guarded) else {}
        body = {
            name: SimpleUploadedFile("papel.pdf", b"%PDF-1.4\n%%EOF")
            if value == "a file"
            else str(side.get(value))
            for name, value in given.items()
        }
        answer = getattr(client, method)(address, body)
    assert isinstance(answer, HttpResponse) or hasattr(answer, "streaming_content")
    return answer  # type: ignore[no-any-return]


def _ask_api(client: Client, door: Door, method: str, address: str, side: Side) -> HttpResponse:
    assert door.api is not None
    operation = door.api.operations[method]
    if method == "get":
        answer = client.get(address, {**body_of(operation.query, side), **entry_of(door).query})
    elif operation.media_type == FORM:
        answer = client.post(address, body_of(operation.reads, side))
    else:
        text = json.dumps(body_of(operation.reads, side))
        answer = getattr(client, method)(address, text, content_type="application/json")
    assert isinstance(answer, HttpResponse) or hasattr(answer, "streaming_content")
    return answer  # type: ignore[no-any-return]


def is_file(answer: HttpResponse) -> bool:
    """Whether it is handed over to be kept, and not shown."""
    disposition = answer.get("Content-Disposition", "")
    return answer.status_code == HTTPStatus.OK and disposition.startswith("attachment")


def told(answer: HttpResponse, ids: dict[str, str]) -> bytes:
    """What an answer says, but for the ids in its address and what differs with every answer."""
    body = answer.content
    for value in ids.values():
        if value.isdigit():  # a small number stands elsewhere, too
            body = body.replace(f"/{value}/".encode(), b"/ID/")
        else:
            body = body.replace(value.encode(), b"ID")
    return _CHANGING.sub(b"", body)
