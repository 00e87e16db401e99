"""Valkey is gone: the house works on, as queues and sockets are hints and sessions lie in the database."""

import socket
import threading
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from celery import Celery
from django.core.cache import cache
from django.test import Client
from structlog.testing import capture_logs

from cases.models import Note
from cases.services import add_note
from crm.kit import tasks
from crm.kit.models import StreamEvent
from reporting.models import IssuedHistory, Status, Variant
from reporting.services import issue_history
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.accounts import PASSWORD, employee
from tests.factories.cases import CaseFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["refuses", "is silent"])
def without_valkey(
    world: World, request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Nobody listens at its port; or somebody does and never answers. It went when the world was made."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        held: list[socket.socket] = []
        if request.param == "is silent":
            server.listen(50)
            threading.Thread(target=_take_in, args=(server, held), daemon=True).start()
        nowhere = f"redis://127.0.0.1:{server.getsockname()[1]}"
        settings.COUNTERS_URL = f"{nowhere}/2"
        caches = deepcopy(settings.CACHES)
        caches["default"]["LOCATION"] = settings.COUNTERS_URL
        settings.CACHES = caches
        layers = deepcopy(settings.CHANNEL_LAYERS)
        layers["default"]["CONFIG"]["hosts"][0]["address"] = f"{nowhere}/1"
        settings.CHANNEL_LAYERS = layers
        broken = Celery("nowhere", set_as_current=False)
        broken.config_from_object("django.conf:settings", namespace="CELERY")
        broken.conf.broker_url = nowhere
        monkeypatch.setattr(tasks, "current_app", broken)
        cache.clear()
        yield
        for one in held:
            one.close()
    cache.clear()


def _take_in(server: socket.socket, held: list[socket.socket]) -> None:
    while True:
        try:
            held.append(server.accept()[0])
        except OSError:
            return


def enter(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/entrar/", {"login": email, "password": password})


@pytest.mark.usefixtures("without_valkey")
def test_an_employee_signs_in_with_a_second_factor_and_works(world: World, client: Client) -> None:
    secret = generate_totp_secret()
    TOTP.activate(world.alice, secret)
    case = CaseFactory(unit=world.unit)
    step = enter(client, world.alice.email)["Location"]
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert client.post(step, {"code": code})["Location"] == "/"
    for page in ("/", "/casos/", f"/casos/{case.uuid}/", "/perfil/"):
        assert client.get(page).status_code == 200, page
    again = Client()
    enter(again, world.alice.email)
    assert again.post(step, {"code": code}).status_code == 200  # taken once only


@pytest.mark.usefixtures("without_valkey")
def test_tries_are_counted_all_the_same(world: World, settings: Any, client: Client) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    statuses = [enter(client, "nobody@example.org", "wrong").status_code for _ in range(4)]
    assert statuses[-1] == 429


@pytest.mark.usefixtures("without_valkey")
def test_known_systems_write_on_and_strangers_are_turned_away(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    system = Caller(key_for(world.here, "cases.view_case", "cases.change_case"))
    answer = system.send("post", f"/cases/{case.uuid}/notes/", {"text": "x"}, Idempotency_Key="k")
    assert answer.status_code == 201
    assert "RateLimit" not in answer
    assert Note.objects.unscoped("a test").count() == 1
    assert Caller("vnt_wrong_key").send("get", "/cases/").status_code == 503


@pytest.mark.usefixtures("without_valkey")
def test_what_nobody_could_be_told_can_be_caught_up(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    add_note(world.actor(world.alice), case.uuid, "Llamó")
    assert StreamEvent.objects.filter(stream=f"case:{case.uuid}").count() == 1


@pytest.mark.parametrize("without_valkey", ["refuses"], indirect=True)
def test_work_that_no_worker_was_told_of_waits_for_the_sweeper(
    world: World, without_valkey: None
) -> None:
    case = CaseFactory(unit=world.unit)
    boss = world.actor(employee(world.here, "supervisor"))
    history = issue_history(boss, case.uuid, Variant.choices[0][0])
    assert IssuedHistory.objects.for_actor(boss).get(pk=history.pk).status == Status.QUEUED


@pytest.mark.usefixtures("without_valkey")
def test_health_says_so(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["broker"]) == ("ok", "down")


@pytest.mark.usefixtures("without_valkey")
def test_a_worker_that_cannot_be_heard_works_on() -> None:
    with capture_logs() as said:
        tasks.heartbeat(type("Worker", (), {"hostname": "worker@here"}))
    assert [line["event"] for line in said] == ["heartbeat_unheard"]
