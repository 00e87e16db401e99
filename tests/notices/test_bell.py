"""The bell and the page of one's own news."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases import services
from cases.models import Case
from crm.accounts.models import User
from crm.kit.models import uuid7
from crm.notices import selectors
from crm.notices.models import Notification
from crm.notices.services import News, forget_old, notify
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory


@pytest.fixture
def case(world: World) -> Case:
    return CaseFactory(unit=world.unit, subject="Ayuda <i>")


def tell(world: World, person: User, case: Case, kind: str = "noted", key: str = "") -> int:
    news = News(kind, "case", case.uuid, key or str(uuid7()), actor_name="Sara Soto")
    return notify(world.here.pk, [person.pk], news)


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_same_key_comes_once(world: World, case: Case) -> None:
    assert tell(world, world.alice, case, key="k") == 1
    assert tell(world, world.alice, case, key="k") == 0
    assert tell(world, world.charlie, case, key="k") == 0, "they do not work here"
    assert Notification.objects.unscoped("looking").count() == 1


def test_the_count_says_how_many_in_words(world: World, case: Case) -> None:
    client = of(world.alice)
    assert client.get("/novedades/cuenta/").json() == {
        "after": 0,
        "count": 0,
        "shown": "0",
        "words": "No unread updates",
    }
    for _ in range(2):
        tell(world, world.alice, case)
    assert client.get("/novedades/cuenta/").json() == {
        "after": 2,
        "count": 2,
        "shown": "2",
        "words": "2 unread updates",
    }
    assert of(world.bob).get("/novedades/cuenta/").json()["count"] == 0


def test_more_than_a_hundred_have_no_number(world: World, case: Case) -> None:
    Notification.objects.bulk_create(
        Notification(
            organisation=world.here,
            user=world.alice,
            kind="noted",
            thing="case",
            thing_id=case.uuid,
            key=str(n),
        )
        for n in range(120)
    )
    answer = of(world.alice).get("/novedades/cuenta/").json()
    assert (answer["count"], answer["shown"]) == (100, "99+")


def test_news_of_one_case_stand_together_and_lead_there(world: World, case: Case) -> None:
    other = CaseFactory(unit=world.unit)
    tell(world, world.alice, case)
    tell(world, world.alice, other, "mentioned")
    tell(world, world.alice, case)
    client = of(world.alice)
    page = client.get("/novedades/campana/").content.decode()
    assert f"2 updates in {case.reference}" in page
    assert "Sara Soto mentioned you in a note" in page
    assert "Ayuda &lt;i&gt;" in page
    first = selectors.newest(world.actor(world.alice))[0].first
    answer = client.get(f"/novedades/{first.uuid}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/casos/{case.uuid}/")
    assert selectors.unread(world.actor(world.alice)) == 1, "both of that case are read"


def test_lists_are_of_what_they_say(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    for kind in ("noted", "mentioned", "assigned"):
        tell(world, world.alice, case, kind)
    selectors_of = {
        which: [row.kind for row in selectors.page_of(alice, which, "").rows]
        for which in selectors.LISTS
    }
    assert selectors_of == {
        "todas": ["assigned", "mentioned", "noted"],
        "sin-leer": ["assigned", "mentioned", "noted"],
        "menciones": ["mentioned"],
        "mias": ["assigned", "mentioned"],
    }


def test_the_page_goes_on_by_the_place_of_its_last_row(world: World) -> None:
    cases = [CaseFactory(unit=world.unit) for _ in range(27)]
    for one in cases:
        tell(world, world.alice, one)
    client = of(world.alice)
    page = selectors.page_of(world.actor(world.alice), "todas", "")
    assert [str(row.thing_id) for row in page.rows] == [str(c.uuid) for c in cases[:1:-1]]
    rest = client.get(f"/novedades/?desde={page.after}", headers={"HX-Request": "true"})
    text = rest.content.decode()
    assert [one.reference in text for one in cases[:3]] == [True, True, False]
    assert "<html" not in text


def test_all_are_read_and_none_of_others(world: World, case: Case) -> None:
    for person in (world.alice, world.bob):
        tell(world, person, case)
    client = of(world.alice)
    assert client.post("/novedades/leidas/", {"ver": "sin-leer"})["Location"] == (
        "/novedades/?ver=sin-leer"
    )
    assert selectors.unread(world.actor(world.alice)) == 0
    assert selectors.unread(world.actor(world.bob)) == 1


def test_opening_a_case_reads_what_is_of_it_only(world: World, case: Case) -> None:
    other = CaseFactory(unit=world.unit)
    tell(world, world.alice, case)
    tell(world, world.alice, other)
    answer = of(world.alice).post("/novedades/leidas/", {"thing": f"case:{case.uuid}"})
    assert answer.status_code == 204
    rows = Notification.objects.for_actor(world.actor(world.alice)).filter(read_at=None)
    assert [row.thing_id for row in rows] == [other.uuid]
    assert of(world.alice).post("/novedades/leidas/", {"thing": "case:no"}).status_code == 204


def test_anothers_news_do_not_exist(world: World, case: Case) -> None:
    tell(world, world.alice, case)
    row = Notification.objects.unscoped("looking").get()
    for one in (world.bob, world.charlie):
        assert of(one).get(f"/novedades/{row.uuid}/").status_code == 404
        assert of(one).post(f"/novedades/{row.uuid}/leida/").status_code == 404
    assert of(world.alice).get(f"/novedades/{uuid4()}/").status_code == 404
    row.refresh_from_db()
    assert row.read_at is None


def test_who_lost_the_right_is_led_back(world: World, case: Case) -> None:
    tell(world, world.alice, case)
    Case.objects.filter(pk=case.pk).update(unit=world.other_unit)
    client = of(world.alice)
    page = client.get("/novedades/").content.decode()
    assert "Something that you may not see any more" in page
    assert case.reference not in page
    assert "Ayuda" not in page
    assert "Sara Soto" not in page
    row = Notification.objects.unscoped("looking").get()
    assert client.get(f"/novedades/{row.uuid}/")["Location"] == "/novedades/"


def test_what_was_read_a_month_ago_and_all_of_three_months_goes(world: World, case: Case) -> None:
    now = timezone.now()
    ages = {
        "new": (1, None),
        "read": (31, 31),
        "old": (89, None),
        "just": (40, 29),
        "gone": (91, None),
    }
    for key, (age, read) in ages.items():
        tell(world, world.alice, case, key=key)
        row = Notification.objects.unscoped("ageing").filter(key=key)
        row.update(
            created_at=now - timedelta(days=age),
            read_at=now - timedelta(days=read) if read else None,
        )
    assert forget_old() == 2
    kept = Notification.objects.unscoped("looking").order_by("key")
    assert list(kept.values_list("key", flat=True)) == ["just", "new", "old"]


def test_following_and_who_does(world: World, case: Case) -> None:
    client = of(world.alice)
    assert "Follow the case" in client.get(f"/casos/{case.uuid}/").content.decode()
    client.post(f"/casos/{case.uuid}/seguir/")
    assert "Stop following the case" in client.get(f"/casos/{case.uuid}/").content.decode()
    page = client.get(f"/casos/{case.uuid}/seguidores/").content.decode()
    assert "Alice Arias" in page
    client.post(f"/casos/{case.uuid}/dejar-de-seguir/")
    page = client.get(f"/casos/{case.uuid}/seguidores/").content.decode()
    assert "Nobody follows this case." in page


def test_a_note_that_names_in_vain_says_so(world: World, case: Case) -> None:
    client = of(world.alice)
    answer = client.post(
        f"/casos/{case.uuid}/notas/", {"text": "@Bob Bueno"}, headers={"HX-Request": "true"}
    )
    assert "cannot see this case" in answer["HX-Trigger"]
    services.take_case(world.actor(world.alice), case.uuid)
    found = client.get(f"/casos/{case.uuid}/menciones/?q=bob").json()["options"]
    assert found == [
        {"text": "Bob Bueno", "sub": world.bob.email, "refusal": "Cannot see this case"}
    ]


def test_many_who_hear_cost_no_more_statements_but_their_own_bells(
    world: World, case: Case
) -> None:
    """Of each person: the number of their stream and its event."""
    counted = []
    for people in (2, 12):
        users = [employee(world.here, "agent", unit=world.unit).pk for _ in range(people)]
        with CaptureQueriesContext(connection) as made:
            notify(world.here.pk, users, News("noted", "case", case.uuid, str(people)))
        counted.append(len(made) - 2 * people)
    assert counted[0] == counted[1]
