"""The studio's pages for service targets, confidentiality and keeping, tasks and papers; and every check of
publishing leads to the very place where it is put right."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import CaseTypeVersion, Confidentiality
from cases.services import NewCase
from cases.studio_forms import FORMS
from cases.studio_forms.whole import KeepingForm
from cases.workflow import check, of_version, simple_bundle
from crm.accounts.models import RolePermission, User
from tests.cases.test_studio_pages import draft, shown, signed_in
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseTypeFactory

BECA = "/organizacion/tipos/beca/"
STUDIO = f"{BECA}estudio/"
TARGET = {
    "measure": "first_answer",
    "within": "4h",
    "warn": "75%",
    "priority": ["high", "urgent"],
    "channel": ["phone"],
    "need": ["accessibility"],
    "warning_tell": ["assignee"],
    "breach_tell": ["supervisors", "unit:NORTE"],
    "breach_raise": "on",
}
SAID = {
    "measure": "first_answer",
    "within": "4h",
    "warn": "75%",
    "for": {"priority": ["high", "urgent"], "channel": ["phone"], "need": ["accessibility"]},
    "at_warning": {"tell": ["assignee"]},
    "at_breach": {"tell": ["supervisors", "unit:NORTE"], "raise_priority": True},
}


@pytest.fixture
def admin(world: World) -> User:
    CaseTypeFactory(organisation=world.here, code="beca", name="Beca")
    return employee(world.here, "administrator", language="en", full_name="Ana Admin")


@pytest.fixture
def client(admin: User) -> Client:
    return signed_in(admin)


# --- Service targets ----------------------------------------------------------------------------


def target_form(said: Any, item: dict[str, Any] | None) -> Any:
    units = [("NORTE", "Norte")]
    return FORMS["compromisos"](said, item=item, bundle={}, languages=["ca"], units=units)


def test_a_service_target_is_written_as_its_room_reads_it() -> None:
    form = target_form(TARGET, None)
    assert form.is_valid(), form.errors
    assert form.item() == SAID
    assert check({**simple_bundle(), "service": [SAID]}) == []


@pytest.mark.parametrize(
    "item",
    [
        SAID,
        {"measure": "resolution", "within": "40h"},
        {"measure": "resolution", "within": "40h", "pauses": []},
        {"measure": "resolution", "within": "90min", "pauses": ["waiting_citizen"]},
        {"measure": "next_answer", "within": "1h30min", "at_breach": {"tell": ["unit:GONE"]}},
    ],
)
def test_a_target_saved_as_it_is_stays_as_it_is(item: dict[str, Any]) -> None:
    form = target_form(None, item)
    values = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    again = target_form(sent, item)
    assert again.is_valid(), again.errors
    assert again.item() == item


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"within": "soon"}, "within"),
        ({"warn": "5h"}, "warn"),
        ({"warn": ""}, "warn"),
        ({"channel": ["pigeon"]}, "channel"),
    ],
)
def test_a_wrong_target_says_where(change: dict[str, Any], field: str) -> None:
    form = target_form(TARGET | change, None)
    assert not form.is_valid()
    assert list(form.errors) == [field]


def test_targets_are_written_ordered_and_taken_out(client: Client, world: World) -> None:
    tell = {"breach_tell": ["supervisors", f"unit:{world.unit.code}"]}
    said = SAID | {"at_breach": {"tell": tell["breach_tell"], "raise_priority": True}}
    page = client.get(f"{STUDIO}compromisos/")
    assert "Nothing is promised beyond the law." in page.content.decode()
    assert client.post(f"{STUDIO}compromisos/nuevo/", TARGET | tell).status_code == 302
    second = {"measure": "first_answer", "within": "8h", "pauses": []}
    assert client.post(f"{STUDIO}compromisos/nuevo/", second).status_code == 302
    assert draft().bundle["service"] == [said, {"measure": "first_answer", "within": "8h"}]
    listed = client.get(f"{STUDIO}compromisos/").content.decode()
    assert "First answer (4h)" in listed
    assert "Only for" not in listed
    assert "Priority: High, Urgent" in listed
    assert client.post(f"{STUDIO}compromisos/1/orden/", {"to": "up"}).status_code == 302
    page = client.get(f"{STUDIO}publicar/")
    (wrong,) = [
        one
        for one in page.context["studio"].to_do()
        if "put this one" in str(one["problem"].message)
    ]
    assert wrong["url"] == f"{STUDIO}compromisos/1/"  # the general stands before the particular
    assert client.post(f"{STUDIO}compromisos/0/quitar/").status_code == 302
    assert draft().bundle["service"] == [said]


# --- Messages -----------------------------------------------------------------------------------


def test_messages_say_what_is_not_known_in_each_language(client: Client, world: World) -> None:
    world.here.languages = ["es", "ca"]
    world.here.save()
    said = {"name": "Aviso", "text": "Hola, ((citicen)).", "ca.text": "Hola, ((data.nada))"}
    wrong = client.post(f"{STUDIO}mensajes/nuevo/", said)
    assert wrong.status_code == 422
    assert list(wrong.context["form"].errors) == ["text", "ca.text"]
    assert "citicen" in str(wrong.context["form"].errors["text"])
    said |= {"text": "Hola, ((citizen)):\r\nAdiós", "ca.text": "Hola, ((citizen))"}
    assert client.post(f"{STUDIO}mensajes/nuevo/", said).status_code == 302
    (message,) = draft().bundle["messages"]
    assert message == {
        "code": "aviso",
        "name": "Aviso",
        "text": "Hola, ((citizen)):\nAdiós",
        "texts": {"ca": "Hola, ((citizen))"},
    }
    page = client.get(f"{STUDIO}mensajes/aviso/").content.decode()
    assert "((reference))" in page


def test_a_message_saved_as_it_is_stays_as_it_is() -> None:
    item = {"code": "a", "name": "A", "text": "Hola:\n\nAdiós\n", "texts": {"ca": "Hola\n"}}
    made = FORMS["mensajes"](None, item=item, bundle=simple_bundle(), languages=["ca"])
    sent = {name: str(made[name].value() or "").replace("\n", "\r\n") for name in made.fields}
    sent["moves"] = ""
    form = FORMS["mensajes"](sent, item=item, bundle=simple_bundle(), languages=["ca"])
    form.full_clean()
    form.errors.pop("moves", None)
    form.cleaned_data["moves"] = []
    assert form.item() == item


# --- Confidentiality and keeping ----------------------------------------------------------------


def test_what_is_usual_holds_for_new_cases_and_their_results(
    client: Client, admin: User, world: World
) -> None:
    address = f"{STUDIO}custodia/"
    said = {
        "confidentiality": "special",
        "nomination": "destroy",
        "count": "6",
        "counted_in": "y",
    }
    assert client.post(address, shown(client, address) | said).status_code == 302
    kept = draft().bundle
    assert (kept["confidentiality"], kept["retention"]) == (
        "special",
        {"nomination": "destroy", "term": "6y"},
    )
    page = client.get(f"{STUDIO}resultados/nuevo/").content.decode()
    assert "As usual for this case type: Destroy it" in page
    assert "6 years" in page
    result = {"name": "Denegada", "nomination": "", "count": "", "counted_in": "y"}
    assert client.post(f"{STUDIO}resultados/nuevo/", result).status_code == 302
    assert draft().bundle["results"] == [{"code": "denegada", "name": "Denegada"}]
    assert client.post(f"{STUDIO}publicar/").status_code == 302
    version = CaseTypeVersion.objects.get(case_type__code="beca", status="published")
    workflow = of_version(version.bundle)
    assert [(one.nomination, str(one.term)) for one in workflow.results] == [("destroy", "6y")]
    boss = world.actor(employee(world.here, "supervisor"))
    case = services.open_case(boss, NewCase(case_type="beca", subject="Beca"))
    assert case.confidentiality == Confidentiality.SPECIAL


def test_keeping_that_was_never_said_is_not_written_by_looking(client: Client, admin: User) -> None:
    address = f"{STUDIO}custodia/"
    assert client.post(address, shown(client, address)).status_code == 302
    assert "confidentiality" not in draft().bundle
    assert "retention" not in draft().bundle


def test_two_who_change_keeping_are_told(client: Client, admin: User, world: World) -> None:
    address = f"{STUDIO}custodia/"
    mine = shown(client, address)
    services.start_draft(acting(admin), "beca")
    services.change_draft(acting(admin), "beca", "retention", {"term": "9y"})
    late = client.post(address, mine | {"confidentiality": "special"})
    assert late.status_code == 409
    assert draft().bundle["retention"] == {"term": "9y"}
    assert KeepingForm(bundle=draft().bundle).initial["count"] == 9


# --- Tasks and papers ---------------------------------------------------------------------------


def test_papers_and_tasks_written_in_the_studio_can_be_published(
    client: Client, world: World
) -> None:
    """A paper with a state was written as `state`, of which no reader knew; with a second language both
    got `names`: neither could ever be published."""
    world.here.languages = ["es", "ca"]
    world.here.save()
    paper = {"name": "Contrato", "required": "on", "origin": "citizen", "state": "resolved"}
    assert client.post(f"{STUDIO}documentos/nuevo/", paper).status_code == 302
    task = {"name": "Revisar", "starts": "opened", "doer": world.unit.code, "counted_in": "wd"}
    assert client.post(f"{STUDIO}tareas/nuevo/", task).status_code == 302
    kept = draft().bundle
    assert kept["papers"][0]["by"] == "resolved"
    assert kept["tasks"][0]["to"] == world.unit.code
    assert not {"names"} & {*kept["papers"][0], *kept["tasks"][0]}
    assert [one for one in check(kept) if one.where.startswith(("tasks", "papers"))] == []
    assert client.post(f"{STUDIO}publicar/", {"despite": "on"}).status_code == 302
    listed = client.get(f"{STUDIO}documentos/").content.decode()
    assert "before “" in listed


# --- Where each check leads ---------------------------------------------------------------------

FIELDS = {"properties": {"rent": {"type": "number", "title": "Renta"}}, "required": []}


def without(part: str, code: str) -> Callable[[dict[str, Any]], None]:
    def change(bundle: dict[str, Any]) -> None:
        bundle[part] = [item for item in bundle[part] if item["code"] != code]

    return change


def unreachable(bundle: dict[str, Any]) -> None:
    bundle["states"].append({"code": "lost", "name": "Perdida", "category": "open"})
    leave = {**bundle["moves"][0], "code": "leave", "from": ["lost"]}
    bundle["moves"].append(leave)


def stuck(bundle: dict[str, Any]) -> None:
    bundle["states"].append({"code": "stuck", "name": "Atascada", "category": "open"})
    bundle["moves"].append({**bundle["moves"][0], "code": "stick", "to": "stuck"})


def used(bundle: dict[str, Any]) -> None:
    bundle["moves"][0]["requires"] = ["rent"]
    bundle["messages"] = [{"code": "hi", "name": "Hola", "text": "((data.rent))"}]
    bundle["fields"]["properties"]["pet"] = {
        "type": "string",
        "title": "Mascota",
        "x-when": {"field": "rent", "filled": True},
    }
    del bundle["fields"]["properties"]["rent"]


def circular(bundle: dict[str, Any]) -> None:
    bundle["tasks"] = [
        {"code": "first", "name": "Una"},
        {"code": "a", "name": "A", "after": ["b"]},
        {"code": "b", "name": "B", "after": ["a"]},
    ]


def round_fields(bundle: dict[str, Any]) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        bundle["fields"]["properties"][name] = {
            "type": "string",
            "title": name,
            "x-when": {"field": other, "filled": True},
        }


def nobodys_unit(bundle: dict[str, Any]) -> None:
    bundle["tasks"] = [{"code": "a", "name": "A", "to": "NOWHERE"}]


def bad_keeping(bundle: dict[str, Any]) -> None:
    bundle["confidentiality"], bundle["retention"] = "top", {"term": "soon", "nomination": "burn"}


def bad_target(bundle: dict[str, Any]) -> None:
    bundle["service"] = [{"measure": "resolution", "within": "4h", "at_breach": {"tell": ["me"]}}]


@pytest.mark.parametrize(
    ("change", "blocks", "places"),
    [
        (unreachable, True, ["estados/lost/"]),
        (stuck, False, ["estados/stuck/"]),
        (
            without("states", "closed"),
            True,
            ["pasos/close/#id_goes_to", "pasos/reopen/#id_sources"],
        ),
        (
            used,
            True,
            ["pasos/start/#id_requires", "campos/pet/#id_when", "mensajes/hi/#id_text"],
        ),
        (circular, True, ["tareas/a/#id_after"]),
        (round_fields, True, ["campos/a/#id_when"]),
        (nobodys_unit, True, ["tareas/a/#id_doer"]),
        (
            bad_keeping,
            True,
            ["custodia/#id_confidentiality", "custodia/#id_nomination", "custodia/#id_count"],
        ),
        (bad_target, True, ["compromisos/0/#id_breach_tell"]),
    ],
)
def test_every_check_leads_to_where_it_is_put_right(
    change: Callable[[dict[str, Any]], None],
    blocks: bool,
    places: list[str],
    client: Client,
    admin: User,
) -> None:
    actor, bundle = acting(admin), simple_bundle(fields=deepcopy(FIELDS))
    change(bundle)
    services.start_draft(actor, "beca")
    services.replace_draft(actor, "beca", bundle)
    page = client.get(f"{STUDIO}publicar/")
    told = page.context["studio"].to_do()
    assert [one["url"].removeprefix(STUDIO) for one in told] == places
    assert {one["problem"].blocks for one in told} == {blocks}
    for one in told:  # the link leads to a page that has the field
        address, _hash, field = one["url"].partition("#")
        there = client.get(address)
        assert there.status_code == 200
        assert not field or f'id="{field}"' in there.content.decode(), one["url"]
    despite = client.post(f"{STUDIO}publicar/", {"despite": "on"})
    assert despite.status_code == (422 if blocks else 302)


def test_moves_of_nobody_and_missing_translations_lead_to_their_fields(
    client: Client, admin: User, world: World
) -> None:
    world.here.languages = ["es", "ca"]
    world.here.save()
    close = RolePermission.objects.filter(permission="cases.close_case")
    close.filter(role__organisation=world.here).delete()
    services.start_draft(acting(admin), "beca")
    urls = [one["url"] for one in client.get(f"{STUDIO}publicar/").context["studio"].to_do()]
    assert f"{STUDIO}pasos/resolve/#id_permission" in urls
    assert f"{STUDIO}estados/new/#id_ca.name" in urls
    assert 'id="id_ca.name"' in client.get(f"{STUDIO}estados/new/").content.decode()
