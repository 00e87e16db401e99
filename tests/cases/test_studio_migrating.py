"""Open cases go to another version by the studio's pages: tried, mapped, started, followed, its failures."""

import pytest
from django.test import Client

from cases import services
from cases.models import Case, CaseType, VersionMigration
from cases.services import versions
from cases.workflow import simple_bundle
from crm.accounts.models import User
from tests.cases.test_studio_versions import signed_in
from tests.cases.test_type_migration import OLD, second
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

STUDIO = "/organizacion/tipos/rental/estudio/casos/"
SAID = {
    "state.new": "new",
    "state.waiting_citizen": "asked",
    "field.rent": "price",
    "field.pet": "-",
    "data.floor": "bajo",
}


@pytest.fixture
def admin(world: World) -> User:
    return employee(world.here, "administrator", language="en", full_name="Ana Admin")


@pytest.fixture
def client(admin: User) -> Client:
    return signed_in(admin)


@pytest.fixture
def kind(world: World) -> CaseType:
    return CaseTypeFactory(organisation=world.here, code="rental", fields=OLD)


@pytest.fixture
def cases(world: World, kind: CaseType, admin: User) -> list[Case]:
    """Of version 1: one new, one that waits, one too dear. Version 2 is published."""
    boss = world.actor(employee(world.here, "supervisor"))
    data = [{"rent": 400, "pet": "Gato"}, {}, {"rent": 1_000}]
    found = [CaseFactory(unit=world.unit, case_type=kind, data=said) for said in data]
    services.move_case(boss, found[1].uuid, "ask_citizen", reason="Papeles")
    services.publish_version(acting(admin), kind, second())
    return found


def standing(cases: list[Case]) -> list[int]:
    return [Case.objects.unscoped("a test").get(pk=case.pk).type_version.number for case in cases]


def test_the_page_says_where_open_cases_stand(client: Client, cases: list[Case]) -> None:
    page = client.get(STUDIO)
    assert [(row["version"].number, row["open"]) for row in page.context["rows"]] == [
        (2, 0),
        (1, 3),
    ]
    assert "Take those of version 1 to 2" in page.content.decode()
    assert page.context["others"] == []


def test_what_vanished_is_mapped_and_tried_before_anything_happens(
    client: Client, cases: list[Case]
) -> None:
    first = client.get(f"{STUDIO}1/2/")
    form = first.context["form"]
    assert sorted(form.fields) == [
        *("data.floor", "data.price", "field.pet", "field.rent"),
        *("state.new", "state.waiting_citizen"),
    ]
    assert form.fields["state.new"].choices[0][0] == "new"
    assert "" in [value for value, _label in form.fields["state.waiting_citizen"].choices]
    assert "resolved" not in [value for value, _label in form.fields["state.new"].choices]
    assert len(first.context["dry"].refusals) == 3
    tried = client.post(f"{STUDIO}1/2/", SAID | {"try": "1"})
    assert tried.status_code == 200
    dry = tried.context["dry"]
    assert (dry.total, len(dry.refusals), [one.target for one in dry.states]) == (
        3,
        1,
        ["new", "asked"],
    )
    assert cases[2].reference in tried.content.decode()
    assert standing(cases) == [1, 1, 1]
    assert not VersionMigration.objects.unscoped("a test").exists()


def test_it_is_started_followed_and_says_what_stayed(client: Client, cases: list[Case]) -> None:
    started = client.post(f"{STUDIO}1/2/", SAID | {"start": "1"})
    assert started.status_code == 302
    row = VersionMigration.objects.unscoped("a test").get()
    assert started["Location"] == f"{STUDIO}{row.uuid}/"
    assert (row.states, row.fields, row.fill) == (
        {"waiting_citizen": "asked"},
        {"rent": "price", "pet": None},
        {"floor": "bajo"},
    )
    second_try = client.post(f"{STUDIO}1/2/", SAID | {"start": "1"})
    assert second_try.status_code == 409
    assert second_try.context["form"]["data.floor"].value() == "bajo"  # nothing typed is lost
    running = client.get(f"{STUDIO}{row.uuid}/avance/").json()
    assert running == {"done": 0, "total": 3, "finished": False}
    versions.run_migration(row.uuid)
    assert client.get(f"{STUDIO}{row.uuid}/avance/").json() == {
        "done": 3,
        "total": 3,
        "finished": True,
    }
    assert standing(cases) == [2, 2, 1]
    page = client.get(f"{STUDIO}{row.uuid}/")
    ((reason, numbers),) = page.context["reasons"]
    assert numbers == [cases[2].reference]
    assert "900" in reason
    told = page.context["told"]
    assert sorted(told[1:]) == ["Renta → Precio", "floor = bajo", "pet → left behind"]
    file = b"".join(client.get(f"{STUDIO}{row.uuid}/rechazos/").streaming_content)  # type: ignore[attr-defined]
    assert cases[2].reference.encode() in file
    assert file.count(b"\n") == 2
    assert "Done: 2. Stayed: 1." in client.get(STUDIO).content.decode()
    again = client.get(f"{STUDIO}1/2/?como={row.uuid}")  # what was said then need not be said again
    assert again.context["form"]["field.pet"].value() == "-"
    assert again.context["form"]["data.floor"].value() == "bajo"


def test_a_question_that_only_the_new_version_requires_can_be_answered_for_all(
    client: Client, world: World, admin: User
) -> None:
    """Cases without an answer all stayed, and nothing could be done about it."""
    fields = {"properties": {"rent": {"type": "integer", "title": "Renta"}}}
    kind = CaseTypeFactory(organisation=world.here, code="rental", fields=fields)
    silent, said = (
        CaseFactory(unit=world.unit, case_type=kind, data=one) for one in ({}, {"rent": 7})
    )
    must = simple_bundle(fields=fields | {"required": ["rent"]})
    services.publish_version(acting(admin), kind, must)
    page = client.get(f"{STUDIO}1/2/")
    assert len(page.context["dry"].refusals) == 1
    assert "data.rent" in page.context["form"].fields
    tried = client.post(f"{STUDIO}1/2/", {"state.new": "new", "data.rent": "5", "try": "1"})
    assert tried.context["dry"].refusals == []
    client.post(f"{STUDIO}1/2/", {"state.new": "new", "data.rent": "5", "start": "1"})
    versions.run_migration(VersionMigration.objects.unscoped("a test").get().uuid)
    rows = [Case.objects.unscoped("a test").get(pk=one.pk) for one in (silent, said)]
    assert [row.data for row in rows] == [{"rent": 5}, {"rent": 7}]


def test_what_was_said_wrongly_is_said_at_its_field(client: Client, cases: list[Case]) -> None:
    wrong = client.post(f"{STUDIO}1/2/", SAID | {"state.new": "closed", "try": "1"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["state.new"])
    wrong = client.post(f"{STUDIO}1/2/", SAID | {"data.price": "1000", "start": "1"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["data.price"])
    assert client.get(f"{STUDIO}1/9/").status_code == 404
    assert client.get(f"{STUDIO}1/2/?como=x").status_code == 200
    assert client.get(f"{STUDIO}1/1/").status_code == 422


def test_only_designers_and_only_here(world: World, client: Client, cases: list[Case]) -> None:
    client.post(f"{STUDIO}1/2/", SAID | {"start": "1"})
    row = VersionMigration.objects.unscoped("a test").get()
    agent = signed_in(world.alice)
    stranger = signed_in(employee(world.elsewhere, "administrator"))
    pages = ("", "1/2/", f"{row.uuid}/", f"{row.uuid}/avance/", f"{row.uuid}/rechazos/")
    for page in pages:
        assert agent.get(STUDIO + page).status_code == 403
        assert stranger.get(STUDIO + page).status_code == 404
    assert stranger.post(f"{STUDIO}1/2/", SAID | {"start": "1"}).status_code == 404
    assert VersionMigration.objects.unscoped("a test").count() == 1
