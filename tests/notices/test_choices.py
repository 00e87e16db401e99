"""The page of one's choices, and news by API."""

import json
from typing import Any

from django.test import Client

from cases.models import Case
from crm.notices import selectors
from crm.notices.models import Choice, Habits
from crm.notices.services import News, notify
from tests.conftest import World
from tests.factories.cases import CaseFactory

HOURS = {"quiet_from": "20:00", "quiet_to": "07:30", "daily_at": "09:15", "switches": "1"}


def of(world: World) -> Client:
    client = Client()
    client.force_login(world.alice)
    return client


def post(client: Client, address: str, **said: object) -> Any:
    return client.post(address, json.dumps(said), content_type="application/json")


def test_what_is_chosen_stays(world: World) -> None:
    client = of(world)
    said = {**HOURS, "mail-mentioned": "now", "mail-moved": "none", "switch-follow_had": "on"}
    assert client.post("/novedades/preferencias/", said).status_code == 302
    alice = world.actor(world.alice)
    assert selectors.chosen_by(alice) == {"mentioned": (False, "now"), "moved": (False, "none")}
    habits = selectors.habits_of(alice)
    assert (f"{habits.quiet_from}", f"{habits.daily_at}") == ("20:00:00", "09:15:00")
    assert habits.switches == {
        "follow_mentioned": False,
        "follow_answered": False,
        "follow_had": True,
    }
    assert selectors.chosen_by(world.actor(world.bob)) == {}
    page = client.get("/novedades/preferencias/").content.decode()
    assert 'value="20:00"' in page


def test_a_missing_hour_is_said_and_nothing_typed_is_lost(world: World) -> None:
    client = of(world)
    said = {**HOURS, "quiet_to": "", "mail-mentioned": "daily", "console-mentioned": "on"}
    answer = client.post("/novedades/preferencias/", said)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Say from when and until when, or neither." in page
    assert '<option value="daily" selected>' in page
    assert not Choice.objects.unscoped("looking").exists()
    assert not Habits.objects.unscoped("looking").exists()


def test_a_way_that_there_is_none_of_is_refused(world: World) -> None:
    answer = of(world).post("/novedades/preferencias/", {**HOURS, "mail-mentioned": "weekly"})
    assert answer.status_code == 422
    assert not Choice.objects.unscoped("looking").exists()


def told(world: World) -> Case:
    case = CaseFactory(unit=world.unit, subject="Ayuda")
    for kind in ("noted", "mentioned"):
        news = News(kind, "case", case.uuid, kind, actor_name="Sara Soto")
        notify(world.here.pk, [world.alice.pk], news)
    return case


def test_by_api_one_reads_ones_own(world: World) -> None:
    case, client = told(world), of(world)
    rows = client.get("/api/v1/notifications/").json()["results"]
    assert [(row["kind"], row["text"], row["title"], row["read_at"]) for row in rows] == [
        ("mentioned", "Sara Soto mentioned you in a note", case.reference, None),
        ("noted", "Sara Soto wrote a note", case.reference, None),
    ]
    assert rows[0]["url"] == f"/casos/{case.uuid}/"
    read = post(client, f"/api/v1/notifications/{rows[0]['id']}/read/").json()
    assert read["read_at"] is not None
    left = client.get("/api/v1/notifications/?unread=true").json()["results"]
    assert [row["kind"] for row in left] == ["noted"]
    assert post(client, "/api/v1/notifications/read/").json() == {"count": 1}


def test_by_api_what_one_may_not_see_has_neither_words_nor_title(world: World) -> None:
    case, client = told(world), of(world)
    Case.objects.filter(pk=case.pk).update(unit=world.other_unit)
    row = client.get("/api/v1/notifications/").json()["results"][0]
    assert (row["text"], row["title"], row["url"], row["thing_id"]) == ("", "", "", None)


def test_by_api_one_chooses(world: World) -> None:
    client = of(world)

    def choose(**said: object) -> tuple[int, dict[str, dict[str, object]]]:
        answer = post(client, "/api/v1/notifications/choices/", **said)
        rows = answer.json().get("kinds", ())
        return answer.status_code, {row["kind"]: row for row in rows}

    status, ways = choose(kind="noted", mail="daily")
    assert (status, ways["noted"]["console"], ways["noted"]["mail"]) == (200, True, "daily")
    assert ways["mentioned"]["mail"] == "hourly", "as is usual"
    assert choose(kind="nothing", mail="daily")[0] == 422
    assert choose(kind="noted", mail="weekly")[0] == 422


def test_by_api_one_follows(world: World) -> None:
    case, client = CaseFactory(unit=world.unit), of(world)
    place = f"/api/v1/cases/{case.uuid}"
    assert post(client, f"{place}/follow/").json()["name"] == "Alice Arias"
    rows = client.get(f"{place}/followers/").json()["results"]
    assert [(row["person"], row["why"]) for row in rows] == [(str(world.alice.uuid), "hand")]
    assert post(client, f"{place}/unfollow/").status_code == 204
    assert client.get(f"{place}/followers/").json()["results"] == []
    note = post(client, f"{place}/notes/", text="@Bob Bueno")
    assert note.json()["not_told"] == ["Bob Bueno cannot see this case: they will not be told."]
