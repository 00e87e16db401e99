"""Connections: described by who may, with a secret that stays one; asked within bounds; shown as it is."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from crm.audit.models import AuditEntry
from crm.citizens.models import CitizenRecord
from crm.integrations import legacy, mapping
from crm.integrations.models import CallLog, Connection, KeptAnswer, Outcome
from crm.integrations.services import connections as services
from crm.integrations.tasks import forget_old_rows
from crm.kit import http
from crm.kit.actor import Actor
from crm.kit.circuit import FAILURES, State
from crm.kit.errors import Changed, Invalid, NotFound, Refused
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory
from tests.integrations.conftest import BENEFITS, described
from tests.integrations.servers import Elsewhere, Reply, never, saying

pytestmark = pytest.mark.django_db

NUMBER = "99000001H"
SHOWN = [
    [
        ("Prestación", "Ingreso mínimo vital"),
        ("Situación", "En vigor"),
        ("Importe", "612,4"),
        ("Desde", "2 ene 2026"),
    ]
]
Start = Callable[[Reply], Elsewhere]


def made(admin: Actor, system: Elsewhere, **more: Any) -> Connection:
    return services.create_connection(admin, described(system.address, **more))


# --- Describing ----------------------------------------------------------------------------------


def test_a_connection_is_kept_with_its_secret_encrypted(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry)
    assert row.key == "clave-123"
    assert "clave-123" not in row.secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM integrations_connection t")
        assert "clave-123" not in cursor.fetchone()[0]
    said = AuditEntry.objects.for_actor(admin).latest("pk")
    assert said.action == "integrations.manage_connections"
    assert "clave" not in json.dumps(said.data)
    assert said.data["host"] == registry.address, "of an address its host: paths may hold keys"


def test_without_a_new_secret_the_old_one_stays(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry)
    services.change_connection(admin, row.uuid, described(registry.address, secret="", seconds=2))
    row.refresh_from_db()
    assert (row.key, row.seconds) == ("clave-123", 2)
    bare = described(registry.address, authentication="none", secret="")
    services.change_connection(admin, row.uuid, bare)
    row.refresh_from_db()
    assert row.secret == ""


@pytest.mark.parametrize("way", ["another host", "another port", "in clear"])
def test_a_key_goes_to_nobody_whom_it_was_not_given_for(
    admin: Actor, elsewhere: Start, registry: Elsewhere, way: str
) -> None:
    """Who may change the address was never shown the key: they do not get it sent to themselves."""
    row = made(admin, registry)
    address = {
        "another host": "https://listo.example",
        "another port": elsewhere(saying(200)).address,
        "in clear": registry.address.replace("http:", "https:"),
    }[way]
    with pytest.raises(Invalid) as refused:
        services.change_connection(admin, row.uuid, described(address, secret=""))
    assert list(refused.value.errors) == ["secret"]
    row.refresh_from_db()
    assert (row.base_url, row.key) == (registry.address, "clave-123")
    services.change_connection(admin, row.uuid, described(f"{registry.address}/v2", secret=""))
    services.change_connection(admin, row.uuid, described(address, secret="otra-clave"))
    row.refresh_from_db()
    assert (row.base_url, row.key) == (address, "otra-clave")


def test_who_was_late_is_told(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry)
    with pytest.raises(Changed):
        services.change_connection(
            admin, row.uuid, described(registry.address), seen=row.updated_at - timedelta(seconds=1)
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "http://example.org"),  # in clear, to somebody else
        ("base_url", "ftp://example.org"),
        ("base_url", "https://user:key@example.org"),
        ("base_url", "https://example.org/?key=1"),
        ("base_url", "https://"),
        ("path", "/personas"),
        ("path", "/personas/{number} HTTP/1.1\r\nX: y"),
        ("fields", ""),
        ("fields", "Sin igual"),
        ("fields", "Dos puntos = a..b"),
        ("secret", "clave\r\nX-Otra: 1"),
        ("seconds", 11),
        ("retries", 4),
        ("name", ""),
    ],
)
def test_what_cannot_be_asked_is_not_saved(
    admin: Actor, registry: Elsewhere, field: str, value: object
) -> None:
    with pytest.raises(Invalid) as refused:
        made(admin, registry, **{field: value})
    assert list(refused.value.errors) == [field]
    assert not Connection.objects.for_actor(admin).exists()


@pytest.mark.parametrize("header", ["", "Host", "Cookie", "X Y", "Content-Length", "X\r\nY"])
def test_a_header_of_ours_is_nobody_elses(admin: Actor, registry: Elsewhere, header: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(admin, registry, authentication="header", header=header)
    assert list(refused.value.errors) == ["header"]


def test_others_set_up_nothing(world: World, admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry)
    agent, stranger = world.actor(world.alice), acting(employee(world.elsewhere, "administrator"))
    with pytest.raises(Refused):
        services.create_connection(agent, described(registry.address))
    with pytest.raises(NotFound):
        services.try_connection(stranger, row.uuid, NUMBER)
    with pytest.raises(NotFound):
        services.consult(stranger, row.uuid, NUMBER)
    assert registry.asked == []


# --- Asking --------------------------------------------------------------------------------------


def test_the_answer_is_shown_in_the_words_of_the_mapping(admin: Actor, registry: Elsewhere) -> None:
    found = legacy.look_up(made(admin, registry), NUMBER)
    assert (found.outcome, found.rows, found.stale) == (Outcome.FOUND, SHOWN, False)
    (asked,) = registry.asked
    assert (asked.method, asked.path) == ("GET", f"/personas/{NUMBER}")
    assert asked.headers["authorization"] == "Bearer clave-123"


def test_what_is_fresh_is_not_asked_again_and_lies_encrypted(
    admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    first, second = legacy.look_up(row, NUMBER), legacy.look_up(row, NUMBER)
    assert second.rows == first.rows
    assert second.fetched_at == first.fetched_at
    assert len(registry.asked) == 1
    kept = KeptAnswer.objects.for_actor(admin).get()
    assert NUMBER not in kept.subject
    assert "vital" not in kept.content
    assert legacy.look_up(row, "99000002L").outcome is Outcome.FOUND
    assert len(registry.asked) == 2, "another person's answer is another one"


def aged(row: Connection, **age: float) -> None:
    kept = KeptAnswer.objects.unscoped("a test").filter(connection=row)
    kept.update(fetched_at=timezone.now() - timedelta(**age))


FAULTS: dict[Outcome, Reply] = {
    Outcome.TIMEOUT: never,
    Outcome.STATUS: saying(500),
    Outcome.REFUSED: saying(401),
    Outcome.WRONG: saying(200, b"<html>Mantenimiento</html>"),
    Outcome.TOO_LARGE: saying(200, b"[" + b" " * 300_000 + b"]"),
}


@pytest.mark.parametrize("outcome", FAULTS)
def test_what_cannot_be_had_now_is_shown_with_its_age(
    admin: Actor, registry: Elsewhere, outcome: Outcome
) -> None:
    row = made(admin, registry)
    legacy.look_up(row, NUMBER)
    aged(row, hours=2)
    registry.reply = FAULTS[outcome]
    found = legacy.look_up(row, NUMBER)
    assert (found.outcome, found.rows, found.stale) == (outcome, SHOWN, True)
    assert found.fetched_at is not None
    assert timezone.now() - found.fetched_at > timedelta(hours=1)
    aged(row, hours=25)
    again = legacy.look_up(row, NUMBER)
    assert (again.rows, again.stale) == (None, False), "too old to be shown"


@pytest.mark.parametrize(
    "body",
    [
        b"null-ish", b"[1, 2]", b'"text"', b'{"prestaciones": [1]}', b'{"prestaciones": [{}]}',
        b'{"prestaciones": [{"otra": 1}]}', b"[" * 100_000, b"\xff\xfe", b'{"prestaciones": {"a": 1}}',
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_wrong(admin: Actor, elsewhere: Start, body: bytes) -> None:
    row = made(admin, elsewhere(saying(200, body)))
    assert legacy.look_up(row, NUMBER).outcome is Outcome.WRONG


@pytest.mark.parametrize("reply", [saying(404), saying(204), saying(200, b'{"prestaciones": []}')])
def test_nothing_on_record_is_an_answer(admin: Actor, elsewhere: Start, reply: Reply) -> None:
    system = elsewhere(reply)
    row = made(admin, system)
    assert legacy.look_up(row, NUMBER).outcome is Outcome.NOTHING
    assert legacy.look_up(row, NUMBER).rows == []
    assert len(system.asked) == 1


def test_who_does_not_answer_is_left_alone_and_asked_again_later(
    admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry, cache_seconds=0)
    registry.reply = saying(500)
    for _call in range(FAILURES):
        assert legacy.look_up(row, NUMBER).outcome is Outcome.STATUS
    assert row.circuit.state is State.OPEN
    assert legacy.look_up(row, NUMBER).outcome is Outcome.RESTING
    assert len(registry.asked) == FAILURES
    registry.reply = saying(200, BENEFITS)
    cache.delete(row.circuit._key("resting"))  # the rest is over
    assert row.circuit.state is State.HALF_OPEN
    assert row.circuit.allows()
    assert not row.circuit.allows(), "one tries for all"
    cache.delete(row.circuit._key("probe"))
    assert legacy.look_up(row, NUMBER).outcome is Outcome.FOUND
    assert row.circuit.state is State.CLOSED


def test_a_failed_try_in_between_doubles_the_rest(admin: Actor, registry: Elsewhere) -> None:
    circuit = made(admin, registry).circuit
    for _call in range(FAILURES):
        circuit.failed()
    assert cache.get(circuit._key("rest")) == 15
    circuit.failed()
    assert cache.get(circuit._key("rest")) == 30


def test_a_slow_system_is_asked_one_question_at_a_time(admin: Actor, registry: Elsewhere) -> None:
    """Else two employees would hold both threads of a web process for as long as it is slow."""
    row = made(admin, registry)
    legacy.look_up(row, NUMBER)
    aged(row, hours=1)
    turn = http._turns[row.circuit.name]
    with turn:
        found = legacy.look_up(row, NUMBER)
    assert (found.outcome, found.rows) == (Outcome.BUSY, SHOWN)
    assert len(registry.asked) == 1
    assert row.circuit.state is State.CLOSED
    assert legacy.look_up(row, NUMBER).outcome is Outcome.FOUND


def test_reads_are_tried_again(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry, retries=2, seconds=5)
    well = registry.reply
    answers = iter([saying(503), saying(503), well])

    def one_after_the_other(handler: Any) -> None:
        next(answers)(handler)

    registry.reply = one_after_the_other
    assert legacy.look_up(row, NUMBER).outcome is Outcome.FOUND
    assert len(registry.asked) == 3


def test_a_call_is_written_down_without_whom_it_was_about(
    admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    legacy.look_up(row, NUMBER, request_id="r-1")
    call = CallLog.objects.for_actor(admin).get()
    assert (call.outcome, call.status, call.request_id) == ("found", 200, "r-1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM integrations_calllog t")
        assert NUMBER not in cursor.fetchone()[0]
    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        CallLog.objects.for_actor(admin).update(outcome="found")


def test_nothing_inside_is_called_and_nobody_learns_what_is_there(
    admin: Actor, registry: Elsewhere, settings: Any
) -> None:
    row = made(admin, registry)
    settings.OUTBOUND_ALLOWED_HOSTS = []
    open_port = services.try_connection(admin, row.uuid, NUMBER)
    registry.stop()
    closed_port = services.try_connection(admin, row.uuid, NUMBER)
    assert open_port.outcome is closed_port.outcome is Outcome.ADDRESS
    assert registry.asked == []
    assert row.circuit.state is State.CLOSED
    registry.server = Elsewhere(saying(200)).server  # for the fixture to stop


def test_a_test_says_what_came_and_not_what_it_says(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry)
    tried = services.try_connection(admin, row.uuid, NUMBER)
    assert (tried.outcome, tried.records) == (Outcome.FOUND, 1)
    assert dict(tried.parts) == dict.fromkeys(("Prestación", "Situación", "Importe", "Desde"), True)
    assert "vital" not in repr(tried)
    assert not KeptAnswer.objects.for_actor(admin).exists()


def test_what_was_kept_long_enough_is_forgotten(admin: Actor, registry: Elsewhere) -> None:
    row = made(admin, registry)
    legacy.look_up(row, NUMBER)
    CallLog.objects.create(
        organisation_id=row.organisation_id,
        connection=row,
        at=timezone.now() - timedelta(days=91),
        cause="test",
        outcome="found",
        milliseconds=1,
    )
    forget_old_rows()
    assert CallLog.objects.for_actor(admin).count() == 1
    assert KeptAnswer.objects.for_actor(admin).count() == 1
    aged(row, hours=25)
    forget_old_rows()
    assert not KeptAnswer.objects.for_actor(admin).exists()


def test_values_are_taken_in_order_and_without_what_is_not_asked_for() -> None:
    answer = {"a": {"b": [{"c": "uno\x00\u202e"}, {"c": True}]}, "d": None}
    assert mapping.taken(answer, "", [["C", "a.b.0.c"], ["D", "d"]]) == [
        [("C", "uno"), ("D", None)]
    ]
    assert mapping.in_words(mapping.taken(answer, "a.b", [["C", "c"]])) == [
        [("C", "uno")],
        [("C", "Sí")],
    ]
    pairs = mapping.read_lines("A = b = c.d\n\n  E=f ")
    assert pairs == [("A = b", "c.d"), ("E", "f")]
    assert mapping.as_lines(pairs) == "A = b = c.d\nE = f"


# --- On a person's page --------------------------------------------------------------------------


@pytest.fixture
def agent(client: Client, world: World) -> Client:
    client.force_login(world.alice, backend="crm.accounts.authentication.PasswordBackend")
    return client


def test_the_page_asks_nobody_and_its_part_does(
    agent: Client, world: World, admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    citizen = CitizenFactory(organisation=world.here, nif=NUMBER)
    page = agent.get(f"/ciudadania/{citizen.uuid}/?case=HERE-2026-1")
    part = f"/ciudadania/{citizen.uuid}/sistemas/{row.uuid}/"
    assert f'data-part="{part}"' in page.content.decode()
    assert registry.asked == []
    answer = agent.get(part, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "Ingreso mínimo vital" in text
    assert "<html" not in text
    look = AuditEntry.objects.unscoped("a test").latest("pk")
    assert (look.action, look.object_id) == ("viewed", str(citizen.uuid))
    assert look.data["part"] == "Registro"
    assert (
        look.purpose
        == AuditEntry.objects.unscoped("a test")
        .filter(action="viewed", object_id=str(citizen.uuid))
        .earliest("pk")
        .purpose
    )
    whole = agent.get(part).content.decode()
    assert "<html" in whole


@pytest.mark.django_db(transaction=True)
def test_the_page_is_whole_while_the_other_system_hangs(
    client: Client, world: World, admin: Actor, registry: Elsewhere
) -> None:
    """By the order of what happens, not by the clock: the part still waits when the page is there."""
    row = made(admin, registry, seconds=10)
    citizen = CitizenFactory(organisation=world.here, nif=NUMBER)
    well, reached, go_on = registry.reply, threading.Event(), threading.Event()

    def hang(handler: Any) -> None:
        reached.set()
        go_on.wait(30)
        well(handler)

    registry.reply = hang
    client.force_login(world.alice, backend="crm.accounts.authentication.PasswordBackend")
    other = Client()
    other.cookies = client.cookies
    place, said = f"/ciudadania/{citizen.uuid}/", []

    def ask_part() -> None:
        try:
            said.append(other.get(f"{place}sistemas/{row.uuid}/").content.decode())
        finally:
            connection.close()

    part = threading.Thread(target=ask_part)
    part.start()
    try:
        assert reached.wait(20)
        page = client.get(place)
        assert page.status_code == 200
        assert citizen.full_name in page.content.decode()
        assert (part.is_alive(), said) == (True, [])
    finally:
        go_on.set()
        part.join(30)
    assert "Ingreso mínimo vital" in said[0]
    assert len(registry.asked) == 1, "the page asked nobody"


@pytest.mark.parametrize("fault", ["hangs", "fails", "talks nonsense", "is gone"])
def test_the_page_is_whole_and_the_part_says_that_it_rests(
    agent: Client, world: World, admin: Actor, registry: Elsewhere, fault: str
) -> None:
    row = made(admin, registry, cache_seconds=0)
    faults = {"hangs": never, "fails": saying(500), "talks nonsense": saying(503, b"<html>")}
    if fault == "is gone":
        registry.stop()
    else:
        registry.reply = faults[fault]
    citizen = CitizenFactory(organisation=world.here, nif=NUMBER)
    place = f"/ciudadania/{citizen.uuid}/"
    for _call in range(FAILURES):
        text = agent.get(f"{place}sistemas/{row.uuid}/").content.decode()
        assert "The rest of the page works." in text
        assert "Not asked: it has not answered lately" not in text
    asked = len(registry.asked)
    text = agent.get(f"{place}sistemas/{row.uuid}/").content.decode()
    assert "Not asked: it has not answered lately" in text
    assert agent.get(place).status_code == 200
    assert len(registry.asked) == asked
    last = CallLog.objects.for_actor(admin).latest("pk")
    assert (last.outcome, last.milliseconds < 1000) == (Outcome.RESTING, True)
    if fault == "is gone":
        registry.server = Elsewhere(saying(200)).server  # for the fixture to stop


def test_nothing_of_a_key_or_a_number_is_logged(
    agent: Client, world: World, admin: Actor, registry: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    row = made(admin, registry, cache_seconds=0)
    citizen = CitizenFactory(organisation=world.here, nif=NUMBER)
    caplog.set_level("DEBUG")
    for reply in (registry.reply, saying(500), saying(302, Location="http://127.0.0.1/x"), never):
        registry.reply = reply
        agent.get(f"/ciudadania/{citizen.uuid}/sistemas/{row.uuid}/")
    assert len(registry.asked) == 4, "a redirect is not followed"
    for text in (caplog.text, json.dumps(list(CallLog.objects.values()), default=str)):
        assert "clave-123" not in text
        assert NUMBER not in text


def test_the_part_says_why_there_is_nothing(
    agent: Client, world: World, admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    registry.reply = saying(500)
    citizen = CitizenFactory(organisation=world.here, nif=NUMBER)
    text = agent.get(f"/ciudadania/{citizen.uuid}/sistemas/{row.uuid}/").content.decode()
    assert "It answered with an error" in text
    assert "Ask again" in text
    nameless = CitizenFactory(organisation=world.here, nif="")
    text = agent.get(f"/ciudadania/{nameless.uuid}/sistemas/{row.uuid}/").content.decode()
    assert "There is no NIF or NIE" in text


def test_a_protected_person_is_asked_about_by_who_may_and_says_why(
    client: Client, world: World, admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    citizen = CitizenFactory(
        organisation=world.here,
        organisation__protected=True,
        organisation__protected_reason="Orden de protección",
        nif=NUMBER,
    )
    place = f"/ciudadania/{citizen.uuid}/sistemas/{row.uuid}/"
    backend = "crm.accounts.authentication.PasswordBackend"
    client.force_login(world.alice, backend=backend)
    assert client.get(place).status_code == 403
    client.force_login(employee(world.here, "supervisor"), backend=backend)
    assert client.get(place).status_code == 403, "the reason is asked for first"
    assert registry.asked == []
    client.post(
        f"/ciudadania/{citizen.uuid}/motivo/", {"usual": "other", "other": "Oficio judicial"}
    )
    assert client.get(place).status_code == 200
    assert AuditEntry.objects.unscoped("a test").latest("pk").purpose == "Oficio judicial"


def test_who_is_seen_by_an_agreement_only_is_not_asked_about(
    agent: Client, world: World, admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry)
    theirs = CitizenFactory(organisation=world.elsewhere, nif=NUMBER)
    assert not CitizenRecord.objects.for_actor(admin).filter(citizen=theirs).exists()
    assert agent.get(f"/ciudadania/{theirs.uuid}/sistemas/{row.uuid}/").status_code == 404
    assert registry.asked == []


def test_what_is_switched_off_is_not_asked(
    agent: Client, world: World, admin: Actor, registry: Elsewhere
) -> None:
    row = made(admin, registry, is_active=False)
    citizen = CitizenFactory(organisation=world.here, nif=NUMBER)
    page = agent.get(f"/ciudadania/{citizen.uuid}/").content.decode()
    assert "/sistemas/" not in page
    assert agent.get(f"/ciudadania/{citizen.uuid}/sistemas/{row.uuid}/").status_code == 403


# --- The administrator's pages -------------------------------------------------------------------


def form(address: str, **more: Any) -> dict[str, Any]:
    given = described(address, is_active="on", header="", **more)
    given["fields_shown"] = given.pop("fields")
    return given


def test_an_administrator_describes_tries_and_removes_it(
    client: Client, world: World, registry: Elsewhere
) -> None:
    client.force_login(
        employee(world.here, "administrator"),
        backend="crm.accounts.authentication.PasswordBackend",
    )
    answer = client.post("/integraciones/conexiones/nueva/", form(registry.address))
    place = answer["Location"]
    page = client.get(place).content.decode()
    assert "clave-123" not in page
    assert "A key is saved." in page
    tried = client.post(f"{place}probar/", {"number": NUMBER}).content.decode()
    assert "Answered" in tried
    assert "Prestación" in tried
    assert "Ingreso mínimo vital" not in tried
    registry.reply = saying(401)
    tried = client.post(f"{place}probar/", {"number": NUMBER}).content.decode()
    assert "It does not accept our key" in tried
    listed = client.get("/integraciones/conexiones/").content.decode()
    assert "It fails" in listed
    refused = client.post(place, form("http://example.org"))
    assert refused.status_code == 422
    assert "clave-123" not in refused.content.decode()
    assert client.post(f"{place}quitar/")["Location"] == "/integraciones/conexiones/"
    assert not Connection.objects.unscoped("a test").exists()
