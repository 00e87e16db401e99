"""The auditor's pages: found by what is asked, shown in words, exported harmlessly, and looked at themselves."""

import csv
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.accounts.models import User
from crm.audit import selectors, tasks, words
from crm.audit.models import AuditEntry
from crm.audit.record import record
from crm.citizens.services.records import open_citizen
from crm.kit.actor import Actor
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(world: World) -> User:
    return employee(world.here, "auditor", full_name="Ana Auditora", language="en")


@pytest.fixture
def page(client: Client, auditor: User) -> Client:
    """The auditor's browser."""
    client.force_login(auditor)
    return client


@pytest.fixture
def alice(world: World) -> Actor:
    return acting(world.alice)


def text(page: Client, **asked: str) -> str:
    """The page of a search."""
    answer = page.get("/auditoria/?" + urlencode(asked))
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def searches() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="searched").order_by("id"))


def old(**fields: object) -> AuditEntry:
    """An entry of 90 days ago."""
    return AuditEntry.objects.create(
        at=timezone.now() - timedelta(days=90),
        actor_kind="user",
        action="viewed",
        door="console",
        **fields,
    )


def test_entries_are_found_by_each_filter(page: Client, world: World, alice: Actor) -> None:
    record(alice, "viewed", world.unit, purpose="Consulta del padrón")
    record(acting(world.bob), "exported", world.other_unit, purpose="Informe")
    both = ("unit “Norte”", "unit “Sur”")

    assert all(name in text(page) for name in both)
    for asked in (
        {"who": "alice"},
        {"object": "norte"},
        {"object": str(world.unit.uuid)},
        {"kind": "organisations.unit", "object": str(world.unit.uuid)},
        {"action": "viewed", "kind": "organisations.unit"},
        {"purpose": "PADRÓN"},
    ):
        found = text(page, **asked)
        assert both[0] in found, asked
        assert both[1] not in found, asked
    assert both[0] not in text(page, result="refused")
    assert both[0] not in text(page, until="2020-01-01", since="2019-01-01")


def test_a_sentence_says_what_happened(page: Client, world: World, alice: Actor) -> None:
    record(alice, "organisations.manage_units", world.unit, result="refused", reason="No puede.")

    found = text(page, result="refused")

    assert "Refused: Create, move, merge and close units: unit “Norte”" in found
    assert "No puede." in found
    assert "Alice Arias" in found


def test_without_dates_the_last_thirty_days_are_shown(page: Client, world: World) -> None:
    entry = old(organisation_id=world.here.pk, object_id=str(uuid4()), object_name="Antiguo")
    entry.refresh_from_db()

    assert f"/auditoria/{entry.pk}/" not in text(page)
    assert f"/auditoria/{entry.pk}/" in text(page, object=entry.object_id)
    since = (timezone.localdate() - timedelta(days=91)).isoformat()
    assert f"/auditoria/{entry.pk}/" in text(page, since=since)


def test_another_organisations_entries_do_not_exist(page: Client, world: World) -> None:
    record(acting(world.charlie), "viewed", world.foreign_unit)
    foreign = AuditEntry.objects.get(action="viewed")

    assert "Lejos" not in text(page)
    assert "Lejos" not in text(page, object=str(world.foreign_unit.uuid))
    assert page.get(f"/auditoria/{foreign.pk}/").status_code == 404
    assert page.get("/auditoria/999999999999/").status_code == 404
    answer = page.post("/auditoria/exportar/", {})
    assert "Lejos" not in b"".join(answer).decode()


def test_the_auditors_own_looks_are_recorded(
    page: Client, world: World, auditor: User, alice: Actor
) -> None:
    record(alice, "viewed", world.unit)
    seen = AuditEntry.objects.get(action="viewed")

    text(page, who="Alice", purpose="")
    page.get(f"/auditoria/{seen.pk}/")
    b"".join(page.post("/auditoria/exportar/", {"who": "Alice"}))

    made = AuditEntry.objects.filter(actor_id=auditor.pk).order_by("id")
    assert [entry.action for entry in made] == ["searched", "viewed", "exported"]
    since = (timezone.localdate() - timedelta(days=30)).isoformat()
    assert made[0].data == {"what": "audit", "asked": {"who": "Alice", "since": since}, "found": 1}
    assert (made[1].object_type, made[1].object_name) == ("audit.auditentry", str(seen.pk))
    assert made[2].data == {"what": "audit", "asked": {"who": "Alice", "since": since}}


def test_a_long_trail_comes_in_pages_and_each_is_recorded(
    page: Client, world: World, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    for number in range(5):
        record(alice, "viewed", world.unit, purpose=f"nº {number}.")

    whole = text(page, action="viewed")
    assert [f"nº {number}." in whole for number in range(5)] == [False, False, False, True, True]
    url = whole.partition('hx-get="')[2].partition("after=")[2].partition('"')[0]
    answer = page.get(
        "/auditoria/?action=viewed&after=" + url, headers={"HX-Request": "true"}
    ).content.decode()
    assert [f"nº {number}." in answer for number in range(5)] == [False, True, True, False, False]
    assert "<html" not in answer
    assert len(searches()) == 2


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "2026-01-02", "until": "2026-01-01"},
        {"action": "everything"},
        {"result": "x"},
        {"kind": "auth.user"},
        {"actor": "1"},
        {"after": "abc"},
        {"who": "x" * 201},
    ],
)
def test_a_wrong_search_says_so_and_shows_nothing(
    page: Client, world: World, alice: Actor, asked: dict[str, str]
) -> None:
    record(alice, "viewed", world.unit)

    answer = page.get("/auditoria/?" + urlencode(asked))

    assert answer.status_code == 422
    assert "v-errors" in answer.content.decode()
    assert "“Norte”" not in answer.content.decode()
    assert searches() == []


def test_a_search_that_takes_too_long_is_stopped(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "_LIMIT", "1")
    monkeypatch.setattr(
        selectors,
        "entries",
        lambda *_asked: AuditEntry.objects.extra(where=["pg_sleep(1) IS NULL"]),
    )
    AuditEntry.objects.create(actor_kind="user", action="viewed", door="console")

    answer = page.get("/auditoria/")

    assert answer.status_code == 503
    assert "Choose a shorter period." in answer.content.decode()


def test_the_employees_other_acts_are_one_link_away(
    page: Client, world: World, alice: Actor
) -> None:
    record(alice, "viewed", world.unit)
    record(acting(world.bob), "viewed", world.other_unit)
    entry = AuditEntry.objects.get(actor_id=world.alice.pk, action="viewed")

    whole = page.get(f"/auditoria/{entry.pk}/").content.decode()

    token = whole.partition("?actor=")[2].partition('"')[0]
    found = page.get(f"/auditoria/?actor={token}").content.decode()
    assert "“Norte”" in found
    assert "“Sur”" not in found


def test_the_export_holds_what_the_page_showed_and_runs_nothing(
    page: Client, world: World, alice: Actor
) -> None:
    record(alice, "viewed", world.unit, purpose="=HYPERLINK(1)", note="ñ")
    record(acting(world.bob), "viewed", world.other_unit)

    answer = page.post("/auditoria/exportar/", {"who": "Alice", "action": "viewed"})

    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert len(rows) == 2
    named = dict(zip(rows[0], rows[1], strict=True))
    assert named["Reason for access"] == "'=HYPERLINK(1)"
    assert named["Name or reference"] == "Norte"
    assert named["Who"] == "Alice Arias"
    assert named["Details"] == '{"note": "ñ"}'


def test_the_export_reads_in_pieces_and_stops_at_its_limit(
    page: Client, world: World, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "CHUNK", 2)
    monkeypatch.setattr(selectors, "MOST_EXPORTED", 5)
    for number in range(7):
        record(alice, "viewed", world.unit, purpose=f"n{number}")

    found = list(selectors.every(alice, selectors.Asked(action="viewed")))

    assert [entry.purpose for entry in found] == ["n6", "n5", "n4", "n3", "n2"]


def test_only_auditors_of_the_whole_organisation_come_in(client: Client, world: World) -> None:
    of_a_unit = employee(world.here, "auditor", unit=world.unit)
    for user in (world.alice, employee(world.here, "administrator"), of_a_unit):
        client.force_login(user)
        assert client.get("/auditoria/").status_code == 403
        assert client.get("/auditoria/1/").status_code == 403
        assert client.get("/auditoria/cadena/").status_code == 403
        assert client.post("/auditoria/exportar/").status_code == 403
        assert client.post("/auditoria/comprobar/").status_code == 403
    client.logout()
    assert client.get("/auditoria/").status_code == 302


def test_verification_is_asked_for_and_its_result_is_shown(page: Client, world: World) -> None:
    assert "have not been verified yet" in text(page)

    answer = page.post("/auditoria/comprobar/", headers={"HX-Request": "true"})
    waiting = answer.content.decode()
    assert "Verifying…" in waiting
    again = waiting.partition('hx-get="')[2].partition('"')[0]
    assert "Verifying…" in page.get(again).content.decode()

    tasks.verify(world.here.pk, "Ana Auditora")

    done = page.get(again).content.decode()
    assert "No entry is missing, altered or added." in done
    assert "hx-trigger" not in done


@pytest.mark.parametrize("asked_at", ["x", "2026-13-01", "2026-01-01", "2026-01-01T00:00:00"])
def test_a_made_up_moment_does_no_harm(page: Client, asked_at: str) -> None:
    answer = page.get("/auditoria/cadena/?" + urlencode({"asked_at": asked_at}))

    assert answer.status_code == 200
    assert "Verifying…" not in answer.content.decode()


def test_a_page_costs_the_same_whatever_it_holds(page: Client, world: World, alice: Actor) -> None:
    page.get("/auditoria/")
    for _each in range(30):
        record(alice, "viewed", world.unit)
    counts = []
    for _each in range(2):
        with CaptureQueriesContext(connection) as queries:
            page.get("/auditoria/")
        counts.append(len(queries))
        for _more in range(15):
            record(alice, "searched")

    assert counts[0] == counts[1]


def test_a_moment_is_shown_in_local_time(page: Client, world: World) -> None:
    AuditEntry.objects.create(
        at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
        organisation_id=world.here.pk,
        actor_kind="system",
        actor_name="Ventanilla",
        action="sent",
        door="task",
    )

    assert "00:30" in text(page, since="2026-07-02", until="2026-07-02")
    assert "00:30" not in text(page, since="2026-07-01", until="2026-07-01")


def test_who_looked_at_a_person_is_found_by_their_number(
    page: Client, world: World, alice: Actor
) -> None:
    hidden = CitizenFactory(
        organisation=world.here, organisation__protected=True, organisation__protected_reason="Sí"
    )
    stranger = CitizenFactory(organisation=world.elsewhere)
    for person in (hidden, CitizenFactory(organisation=world.here)):
        open_citizen(acting(employee(world.here, "supervisor")), person.uuid, reason="Queja 7")
    number = hidden.identifiers.get().value
    answer = page.get("/auditoria/", {"object": f"{number[:8]}-{number[8].lower()}"})
    found = [line["entry"].object_id for line in answer.context["lines"]]
    assert found == [str(hidden.uuid)]
    assert number not in str(searches()[-1].data)
    export = page.post("/auditoria/exportar/", {"object": number})
    lines = b"".join(export.streaming_content).decode()
    assert lines.count("Queja 7") == 1
    theirs = page.get("/auditoria/", {"object": stranger.identifiers.get().value})
    assert theirs.context["lines"] == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "—"),
        (True, "Yes"),
        (["a", 2], "a, 2"),
        ({"from": "x", "to": None}, "from: x; to: —"),
        (7, "7"),
    ],
)
def test_facts_are_told_in_words(value: object, told: str) -> None:
    assert words.fact(value) == told
