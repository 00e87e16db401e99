"""What every address of the API does alike: who comes in, problems, bodies, limits, one effect per key."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from cases.models import Case, CaseType, Note
from crm.accounts.models import ApiClient
from crm.audit.models import AuditEntry
from crm.kit.api import limits
from crm.kit.models import IdempotencyKey
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.cases import CaseFactory, CaseTypeFactory

SCOPES = ("cases.view_case", "cases.open_case", "cases.change_case")


@pytest.fixture
def works(world: World) -> CaseType:
    """A case type of Alice's organisation."""
    return CaseTypeFactory(organisation=world.here, code="works")


def new(world: World, **values: Any) -> dict[str, Any]:
    """The body of a case to open."""
    return {
        "case_type": "works",
        "subject": "Farola",
        "channel": "web_form",
        "unit": str(world.unit.uuid),
        **values,
    }


# --- Who comes in -------------------------------------------------------------------------------


def test_without_a_valid_key_nothing_is_answered(world: World) -> None:
    key = key_for(world.here)
    for wrong in ("", "vnt_nothing_at-all", key[:-1], key + "x", "Basic abc", "ñ"):
        answer = Caller(wrong).send("get", "/cases/")
        assert answer.status_code == 401, wrong
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert answer["Content-Type"] == "application/problem+json"
    assert Caller(key).send("get", "/cases/").status_code == 200


def test_an_expired_or_revoked_key_opens_nothing(world: World) -> None:
    key = key_for(world.here)
    ApiClient.objects.unscoped("a test").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Caller(key).send("get", "/cases/").status_code == 401
    ApiClient.objects.unscoped("a test").update(expires_at=None, revoked_at=timezone.now())
    assert Caller(key).send("get", "/cases/").status_code == 401


def test_the_consoles_session_writes_only_with_its_token(world: World, works: CaseType) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(world.alice, backend="crm.accounts.authentication.PasswordBackend")
    assert browser.get("/api/v1/cases/").status_code == 200
    body = json.dumps(new(world))
    bare = browser.post("/api/v1/cases/", body, content_type="application/json")
    assert bare.status_code == 403
    assert bare["Content-Type"] == "application/problem+json"
    token = browser.cookies["csrftoken"] = "a" * 32
    done = browser.post(
        "/api/v1/cases/", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert done.status_code == 201, done.content
    assert Case.objects.unscoped("a test").count() == 1


def test_a_method_that_is_not_there(world: World, caller: Callable[..., Caller]) -> None:
    answer = caller().send("put", "/cases/", {})
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, POST, HEAD"
    assert caller().options("/api/v1/cases/").status_code == 405


def test_where_nothing_is_a_problem_says_so(world: World, caller: Callable[..., Caller]) -> None:
    for address in ("/nothing/", "/cases", "/cases/1/", "/units/not-a-uuid/"):
        answer = caller().send("get", address)
        assert answer.status_code == 404, address
        assert answer["Content-Type"] == "application/problem+json"


# --- Problems -----------------------------------------------------------------------------------


def test_a_problem_speaks_the_language_asked_for(
    world: World, caller: Callable[..., Caller]
) -> None:
    answer = caller().send("get", "/cases/?nothing=1", Accept_Language="en")
    assert answer.json() == {
        "type": "/api/v1/problems/parameters",
        "title": "Some of the information is not valid",
        "status": 400,
        "detail": "The request does not have the form it should have.",
        "instance": answer.json()["instance"],
        "errors": [{"parameter": "nothing", "detail": "There is no such parameter."}],
    }
    assert answer["Content-Language"] == "en"
    assert answer.json()["instance"].startswith("urn:request:")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("cause", "status", "kind"),
    [
        (psycopg.errors.QueryCanceled("x"), 503, "took_too_long"),
        (psycopg.OperationalError("x"), 503, "database"),
        (psycopg.errors.UniqueViolation("x"), 409, "exists_already"),
        (psycopg.errors.CheckViolation("secret"), 500, "unexpected"),
    ],
)
def test_what_the_database_says(
    world: World,
    works: CaseType,
    caller: Callable[..., Caller],
    monkeypatch: pytest.MonkeyPatch,
    cause: Exception,
    status: int,
    kind: str,
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("secret") from cause

    monkeypatch.setattr("cases.services.open_case", fail)
    answer = caller(*SCOPES).send("post", "/cases/", new(world))
    assert answer.status_code == status
    assert answer.json()["type"] == f"/api/v1/problems/{kind}"
    assert b"secret" not in answer.content
    assert ("Retry-After" in answer) is (status == 503)


def test_a_fault_of_ours_is_logged_and_says_nothing(
    world: World,
    works: CaseType,
    caller: Callable[..., Caller],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("cases.services.open_case", fail)
    answer = caller(*SCOPES).send("post", "/cases/", new(world))
    assert answer.status_code == 500
    assert answer.json()["type"] == "/api/v1/problems/unexpected"
    assert b"secret" not in answer.content
    assert "ZeroDivisionError" in caplog.text


# --- Bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"{", 400, "json"),
        (b'{"a": NaN}', 400, "json"),
        (b'{"a": 1e999}', 400, "json"),
        (b'{"subject": "a", "subject": "b"}', 400, "json"),
        (b'{"a": ' + b"9" * 5000 + b"}", 400, "json"),
        (b"\xff\xfe", 400, "encoding"),
        (b"[" * 100_000, 400, "too_deep"),
        (b'{"data": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "too_deep"),
        (b'{"subject": "a\\u0000b"}', 422, "nul"),
        (b'{"data": {"a\\u0000": 1}}', 422, "nul"),
        (b'{"subject": "a\\ud800b"}', 422, "surrogate"),
        (b'{"a": "' + b"x" * 2_000_000 + b'"}', 413, "too_large"),
    ],
)
def test_a_body_that_cannot_be_read(
    world: World,
    works: CaseType,
    caller: Callable[..., Caller],
    body: bytes,
    status: int,
    kind: str,
) -> None:
    answer = caller(*SCOPES).post("/api/v1/cases/", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert answer.json()["type"] == f"/api/v1/problems/{kind}"


def test_a_body_of_unknown_length_is_refused_and_not_taken_for_nothing(
    world: World, caller: Callable[..., Caller]
) -> None:
    case = CaseFactory(unit=world.unit)
    answer = caller(*SCOPES).generic(
        "PATCH",
        f"/api/v1/cases/{case.uuid}/",
        headers={"Transfer-Encoding": "chunked"},
        **{"wsgi.input": BytesIO(b'{"subject": "Otro"}')},
    )
    assert answer.status_code == 400
    assert answer.json()["type"] == "/api/v1/problems/length_required"


def test_other_kinds_of_content(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    system = caller(*SCOPES)
    assert system.post("/api/v1/cases/", {"subject": "x"}).status_code == 415
    xml = system.post("/api/v1/cases/", "<x/>", content_type="application/xml")
    assert xml.status_code == 415
    case = CaseFactory(unit=world.unit)
    sent = system.send("post", f"/cases/{case.uuid}/documents/", {"file": "x"})
    assert sent.status_code == 415


# --- One effect per key -------------------------------------------------------------------------


def test_a_retry_with_the_same_key_gives_the_same_answer(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    system = caller(*SCOPES)
    first = system.send("post", "/cases/", new(world), Idempotency_Key="k-1")
    again = system.send("post", "/cases/", new(world), Idempotency_Key="k-1")
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert Case.objects.unscoped("a test").count() == 1

    other = system.send("post", "/cases/", new(world, subject="Otra"), Idempotency_Key="k-1")
    assert other.status_code == 422
    assert other.json()["type"] == "/api/v1/problems/idempotency_key_reused"
    stranger = caller(*SCOPES).send("post", "/cases/", new(world), Idempotency_Key="k-1")
    assert stranger.json()["id"] != first.json()["id"]
    elsewhere = f"/cases/{first.json()['id']}/notes/"
    noted = system.send("post", elsewhere, {"text": "x"}, Idempotency_Key="k-1")
    assert noted.status_code == 201


def test_a_write_that_failed_may_be_tried_again_under_its_key(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    system = caller(*SCOPES)
    failed = system.send("post", "/cases/", new(world, case_type="none"), Idempotency_Key="k-2")
    assert failed.status_code == 422
    assert IdempotencyKey.objects.count() == 0
    done = system.send("post", "/cases/", new(world), Idempotency_Key="k-2")
    assert done.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ñ"])
def test_a_key_that_is_none(
    world: World, works: CaseType, caller: Callable[..., Caller], key: str
) -> None:
    answer = caller(*SCOPES).send("post", "/cases/", new(world), Idempotency_Key=key)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/api/v1/problems/idempotency_key"


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_the_same_key_have_one_effect(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="works")
    key, start = key_for(world.here, *SCOPES), Barrier(6)
    answers: list[Any] = []

    def send() -> None:
        start.wait()
        try:
            caller = Caller(key)
            answers.append(caller.send("post", "/cases/", new(world), Idempotency_Key="same"))
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert statuses.count(201) >= 1
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    losers = {answer.json()["type"] for answer in answers if answer.status_code == 409}
    assert losers <= {"/api/v1/problems/idempotency_key_running"}
    assert Case.objects.unscoped("a test").count() == 1


def test_the_answer_is_kept_only_with_its_effect(
    world: World,
    works: CaseType,
    caller: Callable[..., Caller],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = caller(*SCOPES)
    case = CaseFactory(unit=world.unit)

    def fail(**_values: object) -> None:
        raise RuntimeError("the machine stops here")

    with monkeypatch.context() as patch:
        patch.setattr(IdempotencyKey.objects, "create", fail)
        address = f"/cases/{case.uuid}/notes/"
        assert system.send("post", address, {"text": "x"}, Idempotency_Key="k").status_code == 500
    assert Note.objects.unscoped("a test").count() == 0
    assert system.send("post", address, {"text": "x"}, Idempotency_Key="k").status_code == 201
    assert Note.objects.unscoped("a test").count() == 1


# --- Limits -------------------------------------------------------------------------------------


def test_who_asks_too_much_is_told_when_to_come_back(
    world: World, caller: Callable[..., Caller], settings: Any
) -> None:
    settings.API_RATE_PER_MINUTE = 2
    system = caller()
    first = system.send("get", "/units/")
    assert first["RateLimit-Policy"] == '"caller";q=2;w=60'
    assert first["RateLimit"].startswith('"caller";r=1;t=')
    system.send("get", "/units/")
    refused = system.send("get", "/units/")
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused.json()["type"] == "/api/v1/problems/too_many"
    assert caller().send("get", "/units/").status_code == 200  # another key has its own minute


def test_who_has_no_key_is_counted_by_address(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGERS_PER_MINUTE", 3)
    stranger = Caller("vnt_wrong_key")
    statuses = [stranger.send("get", "/units/").status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


def test_without_the_counter_known_callers_go_on_and_strangers_do_not(
    world: World, caller: Callable[..., Caller], settings: Any
) -> None:
    system = caller()
    settings.COUNTERS_URL = "redis://127.0.0.1:1"  # nobody listens there
    answer = system.send("get", "/units/")
    assert answer.status_code == 200
    assert "RateLimit" not in answer
    assert Caller("vnt_wrong_key").send("get", "/units/").status_code == 503


# --- Pages --------------------------------------------------------------------------------------


def test_pages_follow_each_other_to_the_end(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    system = caller(*SCOPES)
    for _ in range(3):
        CaseFactory(unit=world.unit)
    for wrong in ("x", "x" * 5000, "W10", "WyJ4IiwieSJd", "%00"):
        assert system.send("get", f"/cases/?cursor={wrong}").status_code == 400, wrong
    seen, address = [], "/cases/?limit=1"
    while address:
        page = system.send("get", address).json()
        seen += [row["id"] for row in page["results"]]
        address = (page["next"] or "").partition("/api/v1")[2]
    newest = Case.objects.unscoped("a test").order_by("-opened_at", "-id")
    assert seen == [str(case.uuid) for case in newest]


def test_refusals_reach_the_audit_trail_outside_the_undone_transaction(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    system = caller("cases.view_case", "cases.open_case")
    case = CaseFactory(unit=world.unit)
    answer = system.send("post", f"/cases/{case.uuid}/notes/", {"text": "x"}, Idempotency_Key="r")
    assert answer.status_code == 403
    refused = AuditEntry.objects.unscoped("a test").filter(result="refused")
    assert [entry.action for entry in refused] == ["cases.change_case"]
