"""The room's pages: who may enter, what they show, and what a form keeps after an error."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client

from cases.models import Case
from crm.accounts.models import Membership, Role, User
from crm.audit.models import AuditEntry
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.organisations import UnitFactory

Queries = Callable[[int], AbstractContextManager[object]]


@pytest.fixture
def admin(world: World) -> User:
    """An administrator of the whole organisation."""
    return employee(world.here, "administrator", full_name="Ana Admin")


@pytest.fixture
def console(client: Client, admin: User) -> Client:
    """The administrator's browser."""
    client.force_login(admin)
    return client


PAGES = [
    "/organizacion/personal/",
    "/organizacion/personal/invitar/",
    "/organizacion/roles/",
    "/organizacion/roles/nuevo/",
    "/organizacion/roles/agent/",
    "/organizacion/permisos/",
    "/organizacion/sistemas/",
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_for_who_holds_the_permission(world: World, page: str, console: Client) -> None:
    assert console.get(page).status_code == 200
    anonymous = Client().get(page)
    assert anonymous["Location"] == f"/entrar/?next={page}"
    agent = Client()
    agent.force_login(world.alice)
    assert agent.get(page).status_code == 403


def test_a_partial_leads_the_whole_window_to_the_door(world: World) -> None:
    response = Client().get(
        "/organizacion/personal/",
        headers={
            "HX-Request": "true",
            "HX-Current-URL": "http://testserver/organizacion/personal/?q=a",
        },
    )
    assert response["HX-Redirect"] == "/entrar/?next=/organizacion/personal/%3Fq%3Da"


def test_the_list_finds_by_name_and_state(world: World, console: Client) -> None:
    page = console.get("/organizacion/personal/?q=alice").content.decode()
    assert "Alice Arias" in page
    assert "Bob Bueno" not in page
    assert "Charlie" not in console.get("/organizacion/personal/").content.decode()
    assert "Alice" not in console.get("/organizacion/personal/?state=suspended").content.decode()


def test_the_list_goes_on_where_it_stopped(
    world: World, console: Client, django_assert_num_queries: Queries
) -> None:
    for number in range(60):
        employee(world.here, "agent", unit=world.unit, full_name=f"Zoe {number:02}")
    first = console.get("/organizacion/personal/")
    names = [one.membership.user.full_name for one in first.context["people"]]
    second = console.get("/organizacion/personal/", {"after": first.context["following"]})
    more = [one.membership.user.full_name for one in second.context["people"]]
    assert (len(names), len(more), second.context["following"]) == (50, 13, "")
    assert names + more == sorted(names + more)


@pytest.mark.parametrize("after", ["x", "9" * 40 + ":A", "9" * 5_000 + ":A", "1", ":", "-1:A"])
def test_a_made_up_place_in_the_list_is_its_beginning(console: Client, after: str) -> None:
    shown = console.get("/organizacion/personal/", {"after": after}).context["people"]
    assert shown[0].membership.user.full_name == "Alice Arias"


def test_the_list_takes_a_fixed_number_of_queries(
    world: World, console: Client, django_assert_max_num_queries: Queries
) -> None:
    for number in range(30):
        employee(world.here, "agent", unit=world.unit, full_name=f"Zoe {number:02}")
    with django_assert_max_num_queries(16):
        console.get("/organizacion/personal/")


def test_a_units_administrator_sees_its_people_only(world: World, client: Client) -> None:
    client.force_login(employee(world.here, "administrator", unit=world.unit))
    page = client.get("/organizacion/personal/").content.decode()
    assert "Alice Arias" in page
    assert "Bob Bueno" not in page
    assert client.get(f"/organizacion/personal/{world.bob.uuid}/").status_code == 404
    assert client.get(f"/organizacion/personal/{world.alice.uuid}/").status_code == 200


@pytest.mark.parametrize(
    "verb",
    [
        "",
        "unidad/",
        "suspender/",
        "roles/",
        "roles/quitar/",
        "reactivar/",
        "terminar/",
        "reenviar/",
        "retirar/",
        "quitar-segundos-factores/",
    ],
)
def test_a_stranger_does_not_exist(world: World, console: Client, verb: str) -> None:
    address = f"/organizacion/personal/{world.charlie.uuid}/{verb}"
    response = console.post(address, {"reason": "x"}) if verb else console.get(address)
    assert response.status_code == 404


def test_an_invitation_keeps_what_was_typed_when_refused(world: World, console: Client) -> None:
    page = console.post(
        "/organizacion/personal/invitar/", {"email": world.alice.email, "full_name": "Otra Alicia"}
    )
    assert page.status_code == 422
    assert 'value="Otra Alicia"' in page.content.decode()
    assert "email" in page.context["form"].errors


def test_roles_are_given_and_taken_on_the_persons_page(world: World, console: Client) -> None:
    role = Role.objects.get(organisation=world.here, code="supervisor")
    address = f"/organizacion/personal/{world.alice.uuid}/roles/"
    console.post(address, {"role": role.pk, "unit": world.unit.pk})
    assert world.alice.groups.filter(role_place__role=role).exists()
    console.post(f"{address}quitar/", {"role": "supervisor", "unit": str(world.unit.uuid)})
    assert not world.alice.groups.filter(role_place__role=role).exists()
    assert console.post(f"{address}quitar/", {"role": "supervisor", "unit": ""}).status_code == 404


def test_a_foreign_role_or_unit_is_no_choice(world: World, console: Client) -> None:
    foreign = Role.objects.get(organisation=world.elsewhere, code="agent")
    address = f"/organizacion/personal/{world.alice.uuid}/roles/"
    assert console.post(address, {"role": foreign.pk}).status_code == 422
    mine = Role.objects.get(organisation=world.here, code="supervisor")
    assert (
        console.post(address, {"role": mine.pk, "unit": world.foreign_unit.pk}).status_code == 422
    )


def test_the_matrix_is_published_with_a_reason(world: World, console: Client) -> None:
    agent = Role.objects.get(organisation=world.here, code="agent")
    page = console.get("/organizacion/roles/")
    version = page.context["matrix"].version
    cell = {f"cell:{agent.uuid}:cases.assign_case": "place", "version": version}
    words = console.post("/organizacion/roles/cambios/", cell)
    assert words.context["matrix"].pending == 1
    # in the bar, and for the dialog in which it is published
    assert words.content.decode().count("may now") == 2
    assert b'id="publish-changes" hx-swap-oob' in words.content
    assert not agent.permissions.filter(permission="cases.assign_case").exists()
    refused = console.post("/organizacion/roles/", cell)
    assert refused.status_code == 422
    assert refused.context["matrix"].pending == 1
    assert refused.content.decode().count("may now") == 2
    assert console.post("/organizacion/roles/", {**cell, "reason": "summer"}).status_code == 302
    assert agent.permissions.filter(permission="cases.assign_case").exists()
    other = {f"cell:{agent.uuid}:cases.run_bulk": "place", "version": version, "reason": "late"}
    assert console.post("/organizacion/roles/", other).status_code == 409
    foreign = Role.objects.get(organisation=world.elsewhere, code="agent")
    console.post(
        "/organizacion/roles/", {f"cell:{foreign.uuid}:cases.run_bulk": "place", "reason": "x"}
    )
    assert not foreign.permissions.filter(permission="cases.run_bulk").exists()


def test_a_role_is_created_as_a_copy_and_deleted(world: World, console: Client) -> None:
    agent = Role.objects.get(organisation=world.here, code="agent")
    console.post("/organizacion/roles/nuevo/", {"name": "Verano", "copy_of": agent.pk})
    assert Role.objects.get(code="verano").permissions.count() == agent.permissions.count()
    assert console.post("/organizacion/roles/agent/").status_code == 409
    console.post("/organizacion/roles/verano/")
    assert not Role.objects.filter(code="verano").exists()


def test_the_inspector_explains(world: World, console: Client) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit, name="Mostrador")
    question = {"person": str(world.alice.uuid), "permission": "cases.view_case"}
    yes = console.get("/organizacion/permisos/", {**question, "unit": str(below.uuid)})
    assert yes.context["explanation"].decision.allowed
    assert "Mostrador" in yes.content.decode()
    no = console.get("/organizacion/permisos/", {**question, "unit": str(world.other_unit.uuid)})
    assert not no.context["explanation"].decision.allowed
    for wrong in (
        {"person": str(world.charlie.uuid)},
        {"unit": str(world.foreign_unit.uuid)},
        {"permission": "x"},
    ):
        page = console.get("/organizacion/permisos/", {**question, **wrong})
        assert page.status_code == 200
        assert "explanation" not in page.context


def test_the_inspector_explains_on_a_case_by_its_number(world: World, console: Client) -> None:
    case_type = CaseTypeFactory(organisation=world.here)
    mine = CaseFactory(unit=world.unit, case_type=case_type)
    other = CaseFactory(unit=world.other_unit, case_type=case_type)
    foreign = CaseFactory(
        unit=world.foreign_unit, case_type=CaseTypeFactory(organisation=world.elsewhere)
    )
    question = {"person": str(world.alice.uuid), "permission": "cases.change_case"}
    yes = console.get("/organizacion/permisos/", {**question, "thing": mine.reference.lower()})
    assert yes.context["explanation"].decision.allowed
    no = console.get("/organizacion/permisos/", {**question, "thing": other.reference})
    assert not no.context["explanation"].decision.allowed
    for unknown in (f"{foreign.reference}x", "'; --"):
        page = console.get("/organizacion/permisos/", {**question, "thing": unknown})
        assert page.context["form"].errors
    # numbers repeat between organisations only when their codes do: a stranger's is not found
    same = console.get("/organizacion/permisos/", {**question, "thing": foreign.reference})
    assert same.context["form"].errors


def test_the_inspector_knows_special_protection_as_the_lists_do(
    world: World, console: Client
) -> None:
    case = CaseFactory(unit=world.unit, confidentiality=3)
    asked = {"person": str(world.alice.uuid), "thing": case.reference}
    for permission in ("cases.view_case", "cases.change_case"):
        page = console.get("/organizacion/permisos/", {**asked, "permission": permission})
        assert not page.context["explanation"].decision
        assert "specially protected" in page.content.decode()
    assert not Case.objects.for_actor(world.actor(world.alice)).filter(pk=case.pk).exists()


def test_the_inspector_explains_on_a_person_without_naming_them(
    world: World, console: Client
) -> None:
    person = CitizenFactory(organisation=world.here, name="Secretísima")
    hidden = CitizenFactory(
        organisation=world.here, organisation__protected=True, organisation__protected_reason="Sí"
    )
    stranger = CitizenFactory(organisation=world.elsewhere)
    asked = {"person": str(world.alice.uuid), "permission": "citizens.change_citizen"}

    def ask(thing: str, **other: str) -> Any:
        return console.get("/organizacion/permisos/", {**asked, "thing": thing, **other})

    yes = ask(f"https://ventanilla.example/ciudadania/{person.uuid}/")
    assert yes.context["explanation"].decision
    assert "Secretísima" not in yes.content.decode()
    for permission in ("citizens.view_citizen", "citizens.change_citizen"):
        no = ask(str(hidden.uuid), permission=permission)
        assert "The record is protected" in str(no.context["explanation"].decision.reason)
    assert ask(str(stranger.uuid)).context["form"].errors
    # a permission that has nothing to do with the thing is said, and harms nothing
    assert ask(str(person.uuid), permission="cases.view_case").context["form"].errors
    case = CaseFactory(unit=world.unit)
    assert ask(case.reference).context["form"].errors


# --- One's own ------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended(world: World, client: Client) -> None:
    other, third = (
        Client(),
        Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/130.0"}),
    )
    for one in (other, third, client):
        one.force_login(world.alice)
    third.post("/entrar/")
    page = client.get("/perfil/")
    sessions = page.context["sessions"]
    assert [one.current for one in sessions] == [True, False, False]
    client.post(f"/perfil/sesiones/{sessions[1].uuid}/terminar/")
    assert sorted([other.get("/perfil/").status_code, third.get("/perfil/").status_code]) == [
        200,
        302,
    ]
    client.post("/perfil/sesiones/terminar/")
    assert [one.get("/perfil/").status_code for one in (other, third, client)] == [302, 302, 200]


def test_nobody_ends_anothers_session(world: World, client: Client) -> None:
    bob = Client()
    bob.force_login(world.bob)
    client.force_login(world.alice)
    client.post(f"/perfil/sesiones/{world.bob.sessions.get().uuid}/terminar/")
    assert bob.get("/perfil/").status_code == 200


def test_preferences_are_kept_and_checked(world: World, client: Client) -> None:
    client.force_login(world.alice)
    for key, value in {
        "theme": "dark",
        "density": "compact",
        "rail": "compact",
        "shortcuts": "off",
        "language": "eu",
    }.items():
        assert client.post("/perfil/preferencias/", {key: value}).status_code == 204, key
    world.alice.refresh_from_db()
    assert (world.alice.theme, world.alice.density, world.alice.rail) == (
        "dark",
        "compact",
        "compact",
    )
    assert (world.alice.single_key_shortcuts, world.alice.language) == (False, "eu")
    for wrong in (
        {"theme": "neon"},
        {"is_superuser": "1"},
        {"state": "active"},
        {"language": "xx"},
    ):
        assert client.post("/perfil/preferencias/", wrong).status_code == 422, wrong
    assert 'data-theme="dark"' in client.get("/perfil/").content.decode()


def test_switching_organisation_is_audited_and_only_where_one_works(
    world: World, client: Client
) -> None:
    client.force_login(world.alice)
    assert client.post("/perfil/organismo/", {"organisation": "ELSE"}).status_code == 404
    Membership.objects.create(organisation=world.elsewhere, user=world.alice)
    assert client.get("/perfil/organismo/").status_code == 405
    assert client.post("/perfil/organismo/", {"organisation": "ELSE"})["Location"] == "/"
    assert client.get("/perfil/").context["actor"].organisation_code == "ELSE"
    entry = AuditEntry.objects.get(action="organisation_switched")
    assert (entry.organisation_id, entry.data) == (world.here.pk, {"to": "ELSE"})


def test_who_works_nowhere_is_told_so(world: World, client: Client) -> None:
    client.force_login(world.alice)
    Membership.objects.filter(user=world.alice).delete()
    response = client.get("/perfil/")
    assert response.status_code == 403
