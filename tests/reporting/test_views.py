"""Pages of histories and the public verification page."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from cases.models import Case
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.actor import Actor
from reporting.models import HistoryBatch, IssuedHistory
from reporting.services import issue_batch, issue_history, make_batch, revoke_history
from reporting.streams import may_follow_batch, may_follow_history
from tests.conftest import World
from tests.factories.accounts import employee
from tests.reporting.conftest import made

VERIFY = "/verificar/"
NOTHING = "There is no valid document with this code"

pytestmark = pytest.mark.usefixtures("sheet")


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def chief(world: World, boss: Actor) -> Client:
    return signed_in(User.objects.get(pk=boss.id))


@pytest.fixture
def anybody() -> Client:
    return Client(headers={"accept-language": "en"})


def addresses(history: IssuedHistory, batch: HistoryBatch) -> list[tuple[str, str]]:
    """Every address of the room that names a thing, with its method."""
    return [
        ("get", reverse("reporting:of_case", args=[history.case.uuid])),
        ("post", reverse("reporting:issue", args=[history.case.uuid])),
        ("get", reverse("reporting:history", args=[history.uuid])),
        ("get", reverse("reporting:download", args=[history.uuid])),
        ("get", reverse("reporting:text", args=[history.uuid])),
        ("get", reverse("reporting:revoke", args=[history.uuid])),
        ("post", reverse("reporting:revoke", args=[history.uuid])),
        ("get", reverse("reporting:batch_row", args=[batch.uuid])),
        ("get", reverse("reporting:download_batch", args=[batch.uuid])),
    ]


def test_the_stranger_finds_nothing_and_the_colleague_is_refused(
    world: World, case: Case, boss: Actor, anybody: Client
) -> None:
    history, batch = made(boss, case), issue_batch(boss, [case.uuid], "full")
    foreign_chief = employee(world.elsewhere, "supervisor", unit=world.foreign_unit)
    other_chief = employee(world.here, "supervisor", unit=world.other_unit)
    for method, url in addresses(history, batch):
        ask = {"data": {"variant": "full", "reason": "x"}} if method == "post" else {}
        assert getattr(anybody, method)(url, **ask).status_code == 302, url
        assert getattr(signed_in(foreign_chief), method)(url, **ask).status_code == 404, url
        assert getattr(signed_in(other_chief), method)(url, **ask).status_code == 404, url
        assert getattr(signed_in(world.alice), method)(url, **ask).status_code == 403, url
    for url in (reverse("reporting:histories"),):
        assert anybody.get(url).status_code == 302
        assert signed_in(world.alice).get(url).status_code == 403
    answer = signed_in(other_chief).get(reverse("reporting:histories"))
    assert case.reference not in answer.content.decode()
    history.refresh_from_db()
    assert history.revoked_at is None


def test_a_history_is_asked_for_followed_and_downloaded(
    chief: Client, case: Case, boss: Actor
) -> None:
    answer = chief.post(
        reverse("reporting:issue", args=[case.uuid]),
        {"variant": "citizen"},
        headers={"HX-Request": "true"},
    )
    history = IssuedHistory.objects.for_actor(boss).get()
    page = answer.content.decode()
    assert f'data-stream="history:{history.uuid}"' in page
    made(boss, case, "citizen")
    row = chief.get(reverse("reporting:history", args=[history.uuid])).content.decode()
    history.refresh_from_db()
    assert history.code in row
    assert "data-stream" not in row
    entries = AuditEntry.objects.unscoped("test").filter(action="downloaded")
    assert not entries.exists()
    answer = chief.get(reverse("reporting:download", args=[history.uuid]))
    assert hashlib.sha256(answer.content).hexdigest() == history.sha256
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{case.reference}-citizen.pdf"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert [entry.object_id for entry in entries] == [str(history.uuid)]
    assert chief.get(reverse("reporting:text", args=[history.uuid])).status_code == 409


def test_the_list_of_histories_is_a_look(chief: Client, case: Case) -> None:
    for query in ("", f"?caso={case.uuid}"):
        assert chief.get(reverse("reporting:histories") + query).status_code == 200
    looks = AuditEntry.objects.unscoped("test").filter(action="searched").order_by("pk")
    assert [look.data for look in looks] == [
        {"what": "histories", "found": 0},
        {"what": "histories", "filters": ["case"], "found": 0},
    ]


def test_without_scripts_the_form_leads_to_the_list(chief: Client, case: Case) -> None:
    answer = chief.post(reverse("reporting:issue", args=[case.uuid]), {"variant": "full"})
    assert answer.status_code == 302
    page = chief.get(answer["Location"]).content.decode()
    assert case.reference in page
    assert "Issue sealed history" in page
    answer = chief.post(reverse("reporting:issue", args=[case.uuid]), {"variant": "<b>"})
    assert answer.status_code == 422


def test_revoking_asks_for_a_reason(chief: Client, case: Case, boss: Actor) -> None:
    history = made(boss, case)
    url = reverse("reporting:revoke", args=[history.uuid])
    assert chief.get(url).status_code == 200
    assert chief.post(url, {"reason": " "}).status_code == 422
    assert chief.post(url, {"reason": "Error"}).status_code == 302
    history.refresh_from_db()
    assert history.revoked_reason == "Error"
    assert chief.get(reverse("reporting:download", args=[history.uuid])).status_code == 409


def test_the_list_takes_the_same_queries_however_long(
    chief: Client, case: Case, boss: Actor, world: World
) -> None:
    url = reverse("reporting:histories")
    issue_history(boss, case.uuid, "full")
    issue_batch(boss, [case.uuid], "full")
    chief.get(url)
    with CaptureQueriesContext(connection) as before:
        chief.get(url)
    first = IssuedHistory.objects.for_actor(boss).get()
    for number in range(60):
        IssuedHistory.objects.create(
            organisation=world.here,
            case=case,
            variant="full",
            code=f"{number:028}",
            fingerprint=f"{number:064}",
            content=first.content,
            requested_by_name="x",
        )
    issue_batch(boss, [case.uuid], "citizen")
    with CaptureQueriesContext(connection) as after:
        page = chief.get(url).content.decode()
    assert len(after) == len(before)
    assert page.count('<li id="history-') == 50
    next_page = page.split('href="?desde=')[1].split('"')[0]
    rest = chief.get(url, {"desde": next_page}).content.decode()
    assert rest.count('<li id="history-') == 11


def test_a_batch_from_the_list_of_cases(chief: Client, case: Case, boss: Actor) -> None:
    url = reverse("reporting:batch")
    page = chief.post(url, {"case": [str(case.uuid)]}).content.decode()
    assert f'name="case" value="{case.uuid}"' in page
    assert not HistoryBatch.objects.for_actor(boss).exists()
    chosen = {"case": [str(case.uuid)], "variant": "full"}
    assert chief.post(url, chosen).status_code == 302
    batch = HistoryBatch.objects.for_actor(boss).get()
    assert f'id="batch-{batch.uuid}"' in chief.get(reverse("reporting:histories")).content.decode()
    for wrong in ({**chosen, "case": ["x"]}, {"variant": "full"}, {**chosen, "variant": "?"}):
        assert chief.post(url, wrong).status_code == 422
    assert HistoryBatch.objects.for_actor(boss).count() == 1


def test_a_zip_comes_piece_by_piece(chief: Client, case: Case, boss: Actor) -> None:
    batch = issue_batch(boss, [case.uuid], "citizen")
    url = reverse("reporting:download_batch", args=[batch.uuid])
    assert chief.get(url).status_code == 409
    made(boss, case, "citizen")
    make_batch(batch.pk)
    answer = chief.get(url)
    assert answer.streaming
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.namelist() == [f"{case.reference}-citizen.pdf", "index.csv"]


def test_streams_are_for_who_may(case: Case, boss: Actor, world: World) -> None:
    history = issue_history(boss, case.uuid, "full")
    batch = issue_batch(boss, [case.uuid], "full")
    assert may_follow_history(boss, str(history.uuid))
    assert may_follow_batch(boss, str(batch.uuid))
    for somebody in (world.alice, world.bob, world.charlie):
        actor = world.actor(somebody)
        assert not may_follow_history(actor, str(history.uuid))
        assert not may_follow_batch(actor, str(batch.uuid))
    assert not may_follow_history(boss, "nonsense")


# --- The public page ------------------------------------------------------------------------------


def test_anybody_verifies_and_gets_the_original(case: Case, boss: Actor, anybody: Client) -> None:
    history = made(boss, case)
    assert anybody.get(VERIFY)["X-Robots-Tag"] == "noindex"
    typed = history.code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    answer = anybody.post(VERIFY, {"code": typed})
    page = answer.content.decode()
    for words in (history.sha256, "Organismo de aquí", "B-B", history.signer):
        assert escape(words) in page  # another test may have made the authority, under any name
    for personal in ("Zubizarreta", "Devolución", case.reference):
        assert personal not in page
    answer = anybody.post(VERIFY, {"code": history.code, "download": "1"})
    assert hashlib.sha256(answer.content).hexdigest() == history.sha256
    assert answer["X-Robots-Tag"] == "noindex"
    verified = AuditEntry.objects.unscoped("test").filter(action="verified", result="done")
    assert [(entry.door, entry.object_id) for entry in verified] == [
        ("public", str(history.uuid))
    ] * 2


def test_unknown_malformed_unfinished_and_revoked_are_told_alike(
    case: Case, boss: Actor, anybody: Client, django_assert_num_queries: Any
) -> None:
    history = made(boss, case)
    revoke_history(boss, history.uuid, "Error en los datos")
    waiting = issue_history(boss, case.uuid, "citizen")
    anybody.get(VERIFY)
    answers = []
    for code in (
        history.code,
        waiting.code,
        "0" * 28,
        "x",
        "-" * 100,
        "7" * 28,
        "' OR 1=1 --",
        "\u202e",
    ):
        with django_assert_num_queries(1):
            answer = anybody.post(VERIFY, {"code": code})
        assert answer.status_code == 200
        page = answer.content.decode().replace(f'value="{code}"', "").replace("&#x27;", "'")
        page = page.replace(f'value="{code}"', "")
        assert NOTHING in page
        assert "Error en los datos" not in page
        answers.append(len(page))
    assert anybody.post(VERIFY, {"code": history.code, "download": "1"})["Content-Type"].startswith(
        "text/html"
    )
    assert max(answers) - min(answers) <= 60  # the csrf token and what was typed
    assert not AuditEntry.objects.unscoped("test").filter(action="verified").exists()


def test_employees_who_may_are_told_of_a_revocation(
    case: Case, boss: Actor, chief: Client, world: World
) -> None:
    history = made(boss, case)
    revoke_history(boss, history.uuid, "Error en los datos")
    assert "Error en los datos" in chief.post(VERIFY, {"code": history.code}).content.decode()
    for somebody in (world.alice, world.charlie):
        page = signed_in(somebody).post(VERIFY, {"code": history.code}).content.decode()
        assert NOTHING in page
        assert "Error en los datos" not in page


def test_guesses_are_limited_by_address(anybody: Client, db: None) -> None:
    for _guess in range(20):
        assert anybody.post(VERIFY, {"code": "0" * 28}).status_code == 200
    answer = anybody.post(VERIFY, {"code": "0" * 28})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "60"
    assert anybody.get(VERIFY).status_code == 200
    elsewhere = Client(headers={"accept-language": "en"}, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.post(VERIFY, {"code": "0" * 28}).status_code == 200


def test_changed_bytes_are_an_alarm_and_not_available(
    case: Case, boss: Actor, anybody: Client, settings: Any
) -> None:
    history = made(boss, case)
    (Path(settings.MEDIA_ROOT) / history.path).write_bytes(b"%PDF-1.4 something else")
    answer = anybody.post(VERIFY, {"code": history.code})
    assert answer.status_code == 503
    assert history.sha256 not in answer.content.decode()
    entry = AuditEntry.objects.unscoped("test").get(action="verified")
    assert (entry.result, entry.object_id) == ("failed", str(history.uuid))


def test_the_code_is_in_no_address(case: Case, boss: Actor, anybody: Client) -> None:
    history = made(boss, case)
    assert NOTHING not in anybody.get(f"{VERIFY}?code={history.code}").content.decode()
    page = anybody.post(VERIFY, {"code": history.code}).content.decode()
    assert f'href="{VERIFY}"' in page
    assert f"={history.code}" not in page.replace(f'value="{history.code}"', "")


def test_the_cases_page_offers_histories_to_who_may(
    chief: Client, case: Case, world: World
) -> None:
    address = reverse("reporting:of_case", args=[case.uuid])
    detail, everything = reverse("cases:detail", args=[case.uuid]), reverse("cases:list")
    assert address in chief.get(detail).content.decode()
    assert reverse("reporting:batch") in chief.get(everything).content.decode()
    alice = signed_in(world.alice)
    assert address not in alice.get(detail).content.decode()
    assert reverse("reporting:batch") not in alice.get(everything).content.decode()
