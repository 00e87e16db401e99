"""Saved views: whose they are, what their link opens, what they ask, how they are counted and arranged."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases import counters, lists, saved
from cases.counters import Count, Wanted, counts
from cases.lists import CaseFilter
from cases.models import CaseType, SavedView, ViewPlace
from cases.services.views import (
    View,
    arrange_view,
    change_view,
    copy_view,
    delete_view,
    save_view,
    view_as_given,
)
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.kit.errors import Changed, Invalid, NotFound, Refused, Unavailable
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.organisations import UnitFactory


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """And as much patience as a busy machine needs."""
    cache.clear()
    monkeypatch.setattr(counters, "BUDGET_MS", 60_000)
    monkeypatch.setattr(counters, "COUNT_MS", 2_000)


@pytest.fixture
def head(world: World) -> User:
    """Supervises one unit."""
    return employee(world.here, "supervisor", unit=world.unit, full_name="Berta Norte")


@pytest.fixture
def boss(world: World) -> User:
    """Supervises everywhere."""
    return employee(world.here, "supervisor", full_name="Jefa Juste")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def in_english(user: User) -> Client:
    user.language = "en"
    user.save()
    return signed_in(user)


def names(actor: Any) -> list[str]:
    return [one.view.name for one in saved.views_of(actor)]


def given(**said: Any) -> View:
    return View(**{"name": "Vista", "expression": "state:open", **said})


# --- Whose ----------------------------------------------------------------------------------------


def test_own_unit_and_organisation(world: World, head: User, boss: User) -> None:
    alice, bob = world.actor(world.alice), world.actor(world.bob)
    save_view(alice, given(name="de Alice"))
    save_view(world.actor(head), given(name="del Norte", audience="unit", unit=world.unit.uuid))
    save_view(world.actor(boss), given(name="de todos", audience="organisation"))
    assert names(alice) == ["de Alice", "del Norte", "de todos"]
    assert names(bob) == ["de todos"]
    assert names(world.actor(boss)) == ["del Norte", "de todos"]
    assert names(world.actor(world.charlie)) == []


def test_for_others_it_takes_a_right_there(world: World, head: User, boss: User) -> None:
    north = given(audience="unit", unit=world.unit.uuid)
    south = given(audience="unit", unit=world.other_unit.uuid)
    everybody = given(audience="organisation")
    for user, refused in (
        (world.alice, (north, south, everybody)),
        (head, (south, everybody)),
        (boss, ()),
    ):
        for view in refused:
            with pytest.raises(Refused):
                save_view(world.actor(user), view)
    kept = save_view(world.actor(boss), everybody)
    for change in (
        lambda: change_view(world.actor(head), kept.uuid, given(name="otra")),
        lambda: delete_view(world.actor(head), kept.uuid),
    ):
        with pytest.raises(Refused):
            change()
    mine = save_view(world.actor(head), given(name="mía"))
    with pytest.raises(Refused):  # nor does one's own become everybody's
        change_view(world.actor(head), mine.uuid, everybody)
    with pytest.raises(Invalid):
        save_view(world.actor(boss), given(audience="unit", unit=world.foreign_unit.uuid))
    assert SavedView.objects.unscoped("all of the test").count() == 2


def test_a_link_opens_for_whoever_may_and_shows_their_own_cases(world: World, boss: User) -> None:
    CaseFactory(unit=world.unit, subject="del norte")
    CaseFactory(unit=world.other_unit, subject="del sur")
    alice = world.actor(world.alice)
    private = save_view(alice, given(name="privada"))
    shared = save_view(alice, given(name="compartida", linked=True))
    bob = signed_in(world.bob)
    assert bob.get(f"/casos/?vista={private.uuid}").status_code == 404
    page = bob.get(f"/casos/?vista={shared.uuid}")
    assert [row.case.subject for row in page.context["rows"]] == ["del sur"]
    assert names(world.actor(world.bob)) == []
    own = signed_in(world.alice).get(f"/casos/?vista={shared.uuid}")
    assert [row.case.subject for row in own.context["rows"]] == ["del norte"]
    everyones = save_view(world.actor(boss), given(name="todas", audience="organisation"))
    for view in (private, shared, everyones):
        for method, address in (
            ("get", f"/casos/?vista={view.uuid}"),
            ("get", f"/casos/vistas/{view.uuid}/"),
            ("post", f"/casos/vistas/{view.uuid}/copiar/"),
            ("post", f"/casos/vistas/{view.uuid}/borrar/"),
        ):
            stranger = signed_in(world.charlie)
            assert getattr(stranger, method)(address).status_code == 404
    with pytest.raises(Refused):
        delete_view(world.actor(world.bob), shared.uuid)
    with pytest.raises(NotFound):
        delete_view(world.actor(world.bob), private.uuid)


def test_a_copy_is_ones_own_to_change(world: World, boss: User) -> None:
    everyones = save_view(
        world.actor(boss), given(name="todas", audience="organisation", columns=["unit"])
    )
    alice = world.actor(world.alice)
    first, second = copy_view(alice, everyones.uuid), copy_view(alice, everyones.uuid)
    assert [first.name, second.name] == ["todas", "todas (2)"]
    assert (first.audience, first.columns, first.owner_id) == ("own", ["unit"], world.alice.pk)
    change_view(alice, first.uuid, given(name="mía"))
    everyones.refresh_from_db()
    assert everyones.name == "todas"


def test_what_is_wrong_is_told_at_its_field(world: World) -> None:
    alice = world.actor(world.alice)
    save_view(alice, given())
    for wrong, field in (
        (given(), "name"),
        (given(name=" "), "name"),
        (given(name="x" * 81), "name"),
        (given(name="a", expression=""), "expression"),
        (given(name="a", expression="chanel:phone"), "expression"),
        (given(name="a", icon="skull"), "icon"),
        (given(name="a", by="random"), "by"),
        (given(name="a", columns=["salary"]), "columns"),
        (given(name="a", audience="world"), "audience"),
    ):
        with pytest.raises(Invalid) as told:
            assert save_view(alice, wrong) is wrong
        assert list(told.value.errors) == [field], wrong
    with pytest.raises(Invalid) as told:
        save_view(alice, given(name="a", expression="state:open chanel:phone"))
    assert str(told.value.errors["expression"][0]).startswith("«chanel»: ")


def test_two_who_change_one_lose_nothing_unseen(world: World) -> None:
    alice = world.actor(world.alice)
    view = save_view(alice, given())
    change_view(alice, view.uuid, given(name="primera"), version=1)
    with pytest.raises(Changed):
        change_view(alice, view.uuid, given(name="segunda"), version=1)
    client = signed_in(world.alice)
    form = {"name": "tercera", "expression": "state:all", "audience": "own", "icon": "star"}
    page = client.post(f"/casos/vistas/{view.uuid}/", {**form, "version": "1"})
    assert page.status_code == 409
    assert "tercera" in page.content.decode()
    assert client.post(f"/casos/vistas/{view.uuid}/", {**form, "version": "2"}).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.version) == ("tercera", 3)


def test_keeping_changing_and_deleting_is_written_down(world: World, boss: User) -> None:
    actor = world.actor(boss)
    view = save_view(actor, given(audience="organisation", expression="farola 12345678Z"))
    change_view(actor, view.uuid, given(name="otra", audience="organisation"))
    delete_view(actor, view.uuid)
    entries = AuditEntry.objects.filter(object_type="cases.savedview").order_by("id")
    assert [(entry.action, entry.data["what"]) for entry in entries] == [
        ("cases.share_view", "saved"),
        ("cases.share_view", "changed"),
        ("cases.share_view", "deleted"),
    ]
    assert "12345678Z" not in entries[0].data["query"]


# --- What it asks ---------------------------------------------------------------------------------


def test_the_filters_of_a_list_become_a_query_that_goes_on_with_the_days(world: World) -> None:
    client = in_english(world.alice)
    for address, expected in (
        ("canal=phone&estado=open", "state:open channel:phone"),
        ("vence=today&estado=open", "state:open due<tomorrow"),
        ("vence=month&estado=open", "state:open due<30d"),
        ("vence=late&estado=open", "state:open due<now"),
        ("vista=mine", "state:open assignee:me"),
        ("vista=mine-week", "state:open assignee:me due<next-week"),
        ("vista=unit-free", "state:open unit:NORTH/* assignee:nobody"),
        ("q=farola+or+beca", "state:open (farola or beca)"),
        ("q=state:all+farola", "state:all farola"),
    ):
        page = client.get(f"/casos/vistas/nueva/?{address}")
        assert page.context["form"].initial["expression"] == expected, address
    form = {"name": "Teléfono", "audience": "own", "icon": "phone"}
    kept = client.post(
        "/casos/vistas/nueva/", {**form, "expression": "estado:abierto canal:teléfono"}
    )
    view = SavedView.objects.unscoped("a test").get()
    assert kept["Location"] == f"/casos/?vista={view.uuid}"
    assert view.expression == "estado:abierto canal:teléfono"  # kept as it was written
    CaseFactory(unit=world.unit, channel="phone", subject="por teléfono")
    CaseFactory(unit=world.unit, channel="email", subject="por carta")
    page = client.get(kept["Location"])
    assert [row.case.subject for row in page.context["rows"]] == ["por teléfono"]
    assert "estado:abierto canal:teléfono" in page.content.decode()


def test_the_box_of_a_view_narrows_and_changes_it(world: World) -> None:
    for channel in ("phone", "email"):
        CaseFactory(unit=world.unit, channel=channel, subject=channel)
    view = save_view(world.actor(world.alice), given(columns=["unit", "channel"]))
    client = in_english(world.alice)
    address = f"/casos/?vista={view.uuid}"
    whole = client.get(address)
    assert (len(whole.context["rows"]), whole.context["edited"]) == (2, False)
    assert [key for key, shown in whole.context["columns"].items() if shown] == [
        "unit",
        "channel",
    ]
    filtered = client.get(f"{address}&canal=phone")
    assert [row.case.subject for row in filtered.context["rows"]] == ["phone"]
    assert filtered.context["edited"]
    begun = client.get(f"/casos/vistas/{view.uuid}/?vista={view.uuid}&canal=phone")
    assert begun.context["form"].initial["expression"] == "channel:phone state:open"
    typed = client.get(f"{address}&q=state:ended")
    assert (len(typed.context["rows"]), typed.context["edited"]) == (0, True)


def test_a_query_that_means_nothing_any_more_says_so_and_loses_nothing(world: World) -> None:
    CaseFactory(unit=world.unit)
    below = UnitFactory(organisation=world.here, parent=world.unit, code="N1", name="Norte uno")
    alice = world.actor(world.alice)
    view = save_view(alice, given(expression="state:open unit:N1"))
    type_ = CaseTypeFactory(organisation=world.here, code="beca", name="Beca")
    kept = save_view(alice, given(name="becas", expression="type:beca"))
    client = signed_in(world.alice)
    below.closed_on = timezone.localdate()
    below.save()
    CaseType.objects.filter(pk=type_.pk).update(is_active=False)
    world.here.units_version += 1
    world.here.save()
    page = client.get(f"/casos/?vista={view.uuid}")
    (told,) = page.context["remarks"]
    assert (told.word, str(told.message)) == ("unit:N1", "The unit Norte uno has been closed.")
    (told,) = client.get(f"/casos/?vista={kept.uuid}").context["remarks"]
    assert told.word == "type:beca"
    below.delete()
    world.here.units_version += 1
    world.here.save()
    page = client.get(f"/casos/?vista={view.uuid}")
    assert page.status_code == 200
    (fault,) = page.context["faults"]
    assert fault.word == "N1"
    assert "state:open unit:N1" in page.content.decode()
    side = client.get("/casos/contadores/").content.decode()
    assert "Its query means nothing any more" in side
    assert client.get("/casos/vistas/").status_code == 200
    renamed = {**view_as_given(view).__dict__, "name": "otra"}
    assert change_view(alice, view.uuid, View(**renamed)).expression == "state:open unit:N1"
    assert copy_view(alice, view.uuid).expression == "state:open unit:N1"
    arrange_view(alice, view.uuid, pinned=True)
    assert "means nothing any more" in client.get("/casos/vistas/tablero/").content.decode()


# --- Counting -------------------------------------------------------------------------------------


def test_counters_are_by_the_readers_rights(world: World, boss: User) -> None:
    for _each in range(2):
        CaseFactory(unit=world.unit)
    CaseFactory(unit=world.other_unit, assignee=world.bob)
    view = save_view(world.actor(boss), given(audience="organisation"))
    mine = save_view(
        world.actor(boss), given(name="mías", audience="organisation", expression="assignee:me")
    )
    for user, all_of_them, own in ((world.alice, 2, 0), (world.bob, 1, 1), (boss, 3, 0)):
        actor = world.actor(user)
        found = counts(actor, saved.wanted(actor, [view, mine]))
        assert found == {str(view.uuid): Count(all_of_them), str(mine.uuid): Count(own)}


def test_a_number_is_kept_for_those_with_the_same_rights(world: World, boss: User) -> None:
    view = save_view(world.actor(boss), given(audience="organisation"))
    alba = employee(world.here, "agent", unit=world.unit, full_name="Alba")
    CaseFactory(unit=world.unit)
    asked = []

    def wanted(actor: Any, *, personal: bool = False) -> dict[str, Wanted]:
        def make() -> CaseFilter:
            asked.append(actor.name)
            return CaseFilter()

        return {"x": Wanted(f"query {view.expression}", make, personal)}

    alice, hers = world.actor(world.alice), world.actor(alba)
    assert counts(alice, wanted(alice)) == {"x": Count(1)}
    CaseFactory(unit=world.unit)
    assert counts(hers, wanted(hers)) == {"x": Count(1)}
    assert asked == ["Alice Arias"]
    bob = world.actor(world.bob)
    assert counts(bob, wanted(bob)) == {"x": Count(0)}
    assert counts(hers, wanted(hers, personal=True)) == {"x": Count(2)}
    assert asked == ["Alice Arias", "Bob Bueno", "Alba"]


def test_one_counts_and_the_others_are_shown_the_last_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    wanted = {"x": Wanted("query a", CaseFilter)}
    monkeypatch.setattr(counters, "FRESH", -1)  # what is kept is always old
    assert counts(alice, wanted) == {"x": Count(1)}
    CaseFactory(unit=world.unit)
    assert counts(alice, wanted) == {"x": Count(1)}  # somebody else is counting
    cache.delete(f"{counters._key(counters._rights(alice, own=True), 'query a')}:counting")
    assert counts(alice, wanted) == {"x": Count(2)}
    assert counts(alice, {"y": Wanted("query b", CaseFilter)}) == {"y": Count(2)}
    other = {"z": Wanted("query c", CaseFilter)}
    key = counters._key(counters._rights(alice, own=True), "query c")
    cache.add(f"{key}:counting", 1, 60)
    assert counts(alice, other) == {"z": Count(pending=True)}


def test_an_old_number_is_shown_and_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    wanted = {"x": Wanted("query old", CaseFilter)}
    monkeypatch.setattr(counters, "FRESH", -1)
    assert counts(alice, wanted) == {"x": Count(1)}  # and is being counted, for somebody else
    monkeypatch.setattr(counters, "OLD", -1)
    assert counts(alice, wanted) == {"x": Count(1, pending=True)}
    monkeypatch.setattr(counters, "BUDGET_MS", 0)
    cache.delete(f"{counters._key(counters._rights(alice, own=True), 'query old')}:counting")
    assert counts(alice, wanted) == {"x": Count(1, pending=True)}  # not reached: not forgotten


def test_what_cannot_be_counted_quickly_is_a_dash_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    really = lists._counting

    def slow(actor: Any, asked: CaseFilter) -> Any:
        if asked.text == "lento":
            return "SELECT pg_sleep(9)::text::int", ()
        return really(actor, asked)

    monkeypatch.setattr(lists, "_counting", slow)
    wanted = {
        name: Wanted(f"query {name}", lambda name=name: CaseFilter(text=name))  # type: ignore[misc]
        for name in ("nada", "lento", "otro")
    }
    assert counts(alice, wanted) == {"nada": Count(0), "lento": Count(None), "otro": Count(0)}
    monkeypatch.setattr(lists, "_counting", really)
    assert counts(alice, wanted)["lento"] == Count(None)  # not tried again for a while
    with pytest.raises(Unavailable), lists._within(20), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(9)")


def test_a_hundred_views_are_counted_by_few_statements(world: World) -> None:
    CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    for number in range(100):
        save_view(alice, given(name=f"v{number}", expression=f"state:open -farola{number}"))
    client = signed_in(world.alice)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/casos/contadores/")
    counting = [one for one in asked.captured_queries if "count(*)" in one["sql"].lower()]
    assert len(counting) <= 7
    shown = [view for group in page.context["views"] for view in group["views"]]
    assert sum(view["count"] == 1 for view in shown) >= 100 or page.context["pending"]
    with CaptureQueriesContext(connection) as asked:
        client.get("/casos/contadores/")
    assert len([one for one in asked.captured_queries if "count(*)" in one["sql"].lower()]) <= 7


# --- Arranging ------------------------------------------------------------------------------------


def test_order_pins_and_hiding_are_each_persons_own(world: World, boss: User) -> None:
    actor = world.actor(boss)
    views = {name: save_view(actor, given(name=name, audience="organisation")) for name in "abc"}
    alice, bob = world.actor(world.alice), world.actor(world.bob)
    arrange_view(alice, views["c"].uuid, step=-1)
    assert (names(alice), names(bob)) == (["a", "c", "b"], ["a", "b", "c"])
    arrange_view(alice, views["c"].uuid, step=-1)
    arrange_view(alice, views["c"].uuid, step=-1)
    assert names(alice) == ["c", "a", "b"]
    arrange_view(alice, views["a"].uuid, pinned=True)
    arrange_view(alice, views["b"].uuid, hidden=True)
    assert names(alice) == ["c", "a", "b"]
    placed = {one.view.name: (one.pinned, one.hidden) for one in saved.views_of(alice)}
    assert placed == {"a": (True, False), "b": (False, True), "c": (False, False)}
    assert not any(one.pinned or one.hidden for one in saved.views_of(bob))
    side = signed_in(world.alice).get("/casos/").context["views"]
    assert [view["label"] for group in side for view in group["views"]][-2:] == ["c", "a"]
    delete_view(actor, views["a"].uuid)
    assert ViewPlace.objects.for_actor(alice).count() == 2


def test_my_day_shows_the_pinned_ones(world: World) -> None:
    case = CaseFactory(unit=world.unit, subject="en el tablero")
    alice = world.actor(world.alice)
    client = signed_in(world.alice)
    view = save_view(alice, given(name="tablero"))
    assert client.get("/casos/vistas/tablero/").content.decode().strip() == ""
    answer = client.post(f"/casos/vistas/{view.uuid}/colocar/", {"do": "pin"})
    assert answer.status_code == 302
    page = client.get("/casos/vistas/tablero/").content.decode()
    assert "en el tablero" in page
    assert f"/casos/{case.uuid}/" in page
    assert "/casos/vistas/tablero/" in client.get("/").content.decode()
    assert client.post(f"/casos/vistas/{view.uuid}/colocar/", {"do": "x"}).status_code == 422
    assert client.post(f"/casos/vistas/{uuid4()}/colocar/", {"do": "pin"}).status_code == 404
