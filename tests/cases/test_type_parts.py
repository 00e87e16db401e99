"""The further parts of a case type: conditions, sections, languages, roles, messages, results."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from cases import services
from cases.fields import Fields
from cases.forms import DataForm
from cases.models import Case, CaseResult, CaseType, Confidentiality, Event
from cases.parts.conditions import Condition, circles
from cases.parts.results import Outcome
from cases.services import NewCase
from cases.terms import Term
from cases.workflow import check, of_version, simple_bundle
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory

RENT = {
    "properties": {
        "tenure": {
            "type": "string",
            "title": "Régimen",
            "enum": ["rent", "own"],
            "x-labels": {"rent": "Alquiler", "own": "Propiedad"},
            "x-i18n": {"en": {"title": "Tenure", "labels": {"rent": "Rented", "own": "Owned"}}},
            "x-section": "home",
        },
        "rent": {
            "type": "integer",
            "title": "Renta",
            "x-when": {"field": "tenure", "equals": "rent"},
            "x-section": "home",
        },
        "guarantor": {
            "type": "string",
            "title": "Avalista",
            "x-when": {"field": "rent", "filled": True},
        },
        "note": {"type": "string", "title": "Nota", "description": "Lo que quiera."},
    },
    "required": ["tenure", "rent"],
    "x-order": ["tenure", "rent", "guarantor", "note"],
    "x-sections": [
        {"code": "home", "title": "Vivienda", "x-i18n": {"en": {"title": "Home"}}},
    ],
}
RESULTS = [
    {"code": "granted", "name": "Concedida", "nomination": "keep", "term": "10y"},
    {"code": "denied", "name": "Denegada", "names": {"en": "Refused"}},
]
RETENTION = {"nomination": "destroy", "term": "5y"}


def bundle(**parts: Any) -> dict[str, Any]:
    return {**simple_bundle(), **parts}


def problems(**parts: Any) -> list[str]:
    return [problem.where for problem in check(bundle(**parts))]


@pytest.fixture
def rental(world: World) -> CaseType:
    parts = bundle(
        fields=RENT,
        results=RESULTS,
        retention=RETENTION,
        confidentiality="confidential",
        roles=[
            {"code": "tenant", "name": "Inquilino", "names": {"en": "Tenant"}, "most": 1},
            {"code": "landlord", "name": "Arrendador"},
        ],
    )
    return CaseTypeFactory(organisation=world.here, code="rental", bundle=parts)


def opened(actor: Actor, **data: Any) -> Case:
    return services.open_case(actor, NewCase(case_type="rental", subject="Ayuda", data=data))


# --- Fields -------------------------------------------------------------------------------------


def test_a_field_that_is_not_asked_is_neither_required_nor_kept() -> None:
    fields = Fields(RENT)
    assert check(bundle(fields=RENT)) == []
    assert fields.shown({"tenure": "own"}) == {"tenure", "note"}
    assert fields.kept({"tenure": "own", "rent": 400, "guarantor": "Luz", "ghost": 1}) == {
        "tenure": "own",
        "ghost": 1,
    }
    assert fields.errors({"tenure": "own"}) == {}
    assert fields.errors({"tenure": "own", "rent": "much"}) == {}
    assert list(fields.errors({"tenure": "rent"})) == ["rent"]
    assert fields.shown({"tenure": "rent", "rent": 400}) == {"tenure", "rent", "guarantor", "note"}
    # rent is not asked of an owner, so what was said of it asks for no guarantor either
    assert "guarantor" not in fields.shown({"tenure": "own", "rent": 400})


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (Condition("a", (1,)), 1, True),
        (Condition("a", (1,)), True, False),
        (Condition("a", (True,)), True, True),
        (Condition("a", ("x", "y")), "y", True),
        (Condition("a", ("x",)), ["w", "x"], True),
        (Condition("a", ("x",)), None, False),
        (Condition("a", None), 0, True),
        (Condition("a", None), False, False),
        (Condition("a", None), "", False),
        (Condition("a", None, filled=False), None, True),
        (Condition("a", None, filled=False), "x", False),
    ],
)
def test_conditions(condition: Condition, value: Any, *, holds: bool) -> None:
    assert condition.holds(value) is holds


@pytest.mark.parametrize(
    ("when", "where"),
    [
        ({"field": "ghost", "filled": True}, "fields.properties.b.x-when.field"),
        ({"field": "b", "filled": True}, "fields.properties.b.x-when.field"),
        ({"field": "a"}, "fields.properties.b.x-when"),
        ({"field": "a", "like": "x"}, "fields.properties.b.x-when"),
        ({"field": "a", "equals": "x", "filled": True}, "fields.properties.b.x-when"),
        ({"field": "a", "filled": "yes"}, "fields.properties.b.x-when.filled"),
        ({"field": "a", "in": "x"}, "fields.properties.b.x-when.in"),
        ({"field": "a", "equals": "z"}, "fields.properties.b.x-when.equals"),
        ([{"field": "a", "filled": True}, "what"], "fields.properties.b.x-when[1]"),
        ([], "fields.properties.b.x-when"),
        ("soon", "fields.properties.b.x-when"),
    ],
)
def test_a_wrong_condition_says_where(when: Any, where: str) -> None:
    fields = {
        "properties": {
            "a": {"type": "string", "enum": ["x", "y"]},
            "b": {"type": "string", "x-when": when},
        }
    }
    assert problems(fields=fields) == [where]


def test_conditions_do_not_go_round_in_circles() -> None:
    fields = {
        "properties": {
            name: {"type": "string", "x-when": {"field": other, "filled": True}}
            for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
        }
    }
    found = check(bundle(fields=fields))
    assert [problem.where for problem in found] == ["fields.properties.a.x-when"]
    assert "a → b → c → a" in str(found[0].message)
    assert circles({"a": [Condition("b", None)], "b": []}) == []
    assert Fields(fields).shown({"a": "x", "b": "x", "c": "x"}) == set()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"x-sections": "home"}, "fields.x-sections"),
        ({"x-sections": [{"code": "home"}]}, "fields.x-sections[0].title"),
        ({"x-sections": [{"code": "h", "title": "H", "size": 1}]}, "fields.x-sections[0].size"),
        ({"x-sections": []}, "fields.properties.tenure.x-section"),
    ],
)
def test_wrong_sections_say_where(change: dict[str, Any], where: str) -> None:
    assert where in problems(fields={**RENT, **change})


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ({"xx": {"title": "?"}}, "fields.properties.a.x-i18n.xx"),
        ({"ca": "Títol"}, "fields.properties.a.x-i18n.ca"),
        ({"ca": {"titel": "Títol"}}, "fields.properties.a.x-i18n.ca.titel"),
        ({"ca": {"title": 3}}, "fields.properties.a.x-i18n.ca.title"),
        ({"ca": {"labels": {"x": 1}}}, "fields.properties.a.x-i18n.ca.labels"),
    ],
)
def test_wrong_translations_of_a_field_say_where(words: Any, where: str) -> None:
    assert problems(fields={"properties": {"a": {"type": "string", "x-i18n": words}}}) == [where]


def test_a_form_is_read_in_the_readers_language() -> None:
    fields = Fields(RENT)
    tenure = fields.get("tenure")
    assert tenure is not None
    with translation.override("en"):
        assert (tenure.label, tenure.said("rent")) == ("Tenure", "Rented")
        assert [section.title for section in fields.sections] == ["", "Home"]
    with translation.override("gl"):
        assert (tenure.label, tenure.said("rent")) == ("Régimen", "Alquiler")
    names = [[field.name for field in section.fields] for section in fields.sections]
    assert names == [["guarantor", "note"], ["tenure", "rent"]]


def test_states_and_moves_are_named_in_the_readers_language() -> None:
    definition = simple_bundle()
    definition["states"][0]["names"] = {"ca": "Nou"}
    definition["moves"][0]["names"] = {"ca": "Comença"}
    workflow = of_version(definition)
    with translation.override("ca-valencia"):  # what has no words of its own takes Catalan's
        assert workflow.name_of("new") == "Nou"
        assert workflow.moves[0].name == "Comença"
    with translation.override("fr"):
        assert workflow.name_of("new") == definition["states"][0]["name"]
    definition["states"][0]["names"] = {"xx": "Nou", "ca": ""}
    assert [one.where for one in check(definition)] == ["states[0].names.xx", "states[0].names.ca"]


# --- The same meaning through every door ---------------------------------------------------------


def test_verbs_keep_only_what_is_asked(world: World, rental: CaseType) -> None:
    alice = world.actor(world.alice)
    case = opened(alice, tenure="rent", rent=400, guarantor="Luz")
    assert case.data == {"tenure": "rent", "rent": 400, "guarantor": "Luz"}
    with pytest.raises(Invalid) as raised:
        opened(alice, tenure="rent")
    assert list(raised.value.errors) == ["data.rent"]
    edited = services.edit_case(
        alice, case.uuid, {"data": {"tenure": "own", "rent": 400, "guarantor": "Luz"}}
    )
    assert edited.data == {"tenure": "own"}
    moved = services.move_case(alice, case.uuid, "start", data={"rent": 9, "note": "Sí"})
    assert moved.data == {"tenure": "own", "note": "Sí"}


def test_forms_ask_the_same() -> None:
    def filled(**said: str) -> DataForm:
        form = DataForm({f"data.{name}": value for name, value in said.items()})
        form.add_data_fields(Fields(RENT), {})
        return form

    def kept(form: DataForm) -> dict[str, Any]:
        assert form.is_valid()
        return form.cleaned_case_data()

    assert kept(filled(tenure="own", rent="much")) == {"tenure": "own"}
    assert kept(filled(tenure="rent", rent="400", guarantor="Luz")) == {
        "tenure": "rent",
        "rent": 400,
        "guarantor": "Luz",
    }
    assert list(filled(tenure="rent").errors) == ["data.rent"]
    assert list(filled(tenure="rent", rent="much").errors) == ["data.rent"]
    sections = filled(tenure="own").data_sections()
    told = [(one.field.name, one.when, one.must) for _section, asked in sections for one in asked]
    assert told == [
        ("data.guarantor", '[{"field": "rent", "filled": true}]', False),
        ("data.note", "", False),
        ("data.tenure", "", True),
        ("data.rent", '[{"field": "tenure", "in": ["rent"]}]', True),
    ]


def test_a_new_case_is_as_confidential_as_its_type_says(world: World, rental: CaseType) -> None:
    alice = world.actor(world.alice)
    assert opened(alice, tenure="own").confidentiality == Confidentiality.CONFIDENTIAL
    said = NewCase(
        case_type="rental",
        subject="A",
        data={"tenure": "own"},
        confidentiality=Confidentiality.PUBLIC,
    )
    assert services.open_case(alice, said).confidentiality == Confidentiality.PUBLIC
    assert problems(confidentiality="secret") == ["confidentiality"]
    CaseTypeFactory(
        organisation=world.here, code="closed", bundle=bundle(confidentiality="special")
    )
    with pytest.raises(Refused):  # nobody opens what they could not see
        services.open_case(alice, NewCase(case_type="closed", subject="A"))


# --- Results ------------------------------------------------------------------------------------


def test_a_move_that_ends_work_asks_for_a_result_and_keeps_it(
    world: World, rental: CaseType
) -> None:
    actor = world.actor(employee(world.here, "supervisor"))
    case = CaseFactory(unit=world.unit, case_type=rental, data={"tenure": "own"})
    for wrong in ("", "lost"):
        with pytest.raises(Invalid) as raised:
            services.close_case(actor, case.uuid, outcome="Concedida", result=wrong)
        assert list(raised.value.errors) == ["result"]
    with pytest.raises(Invalid) as raised:  # nothing ends by starting
        services.move_case(actor, case.uuid, "start", result="denied")
    assert list(raised.value.errors) == ["result"]
    ended = services.close_case(actor, case.uuid, outcome="No", result="denied")
    kept = CaseResult.objects.get(case=case)
    assert ended.closed_at is not None
    assert (kept.code, kept.name, kept.nomination, kept.term) == (
        "denied",
        "Denegada",
        "destroy",
        "5y",
    )
    assert kept.keep_until.year == kept.ended_on.year + 5
    told = Event.objects.filter(case=case, kind="moved").latest("seq").data
    assert (told["result"], told["result_name"]) == ("denied", "Denegada")
    services.move_case(
        actor, case.uuid, "close", reason="Archivo"
    )  # ended already: not asked again
    assert CaseResult.objects.get(case=case).code == "denied"
    services.reopen_case(actor, case.uuid, reason="Recurso")
    assert not CaseResult.objects.filter(case=case).exists()
    services.close_case(actor, case.uuid, outcome="Sí", result="granted")
    assert CaseResult.objects.get(case=case).nomination == "keep"


def test_the_last_day_of_a_file() -> None:
    leap = Outcome("a", "A", {}, "destroy", Term(1, "y"))
    assert leap.keep_until(date(2024, 2, 29)) == date(2025, 2, 28)
    assert Outcome("a", "A", {}, "destroy", Term(6, "m")).keep_until(date(2026, 8, 31)) == date(
        2027, 2, 28
    )


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"results": [{"code": "a", "name": "A"}]}, ["results[0].nomination", "results[0].term"]),
        ({"results": [{"code": "a", "name": "A"}], "retention": RETENTION}, []),
        (
            {"results": [{"code": "a", "name": "A", "term": "30wd"}], "retention": RETENTION},
            ["results[0].term"],
        ),
        (
            {"retention": {"nomination": "burn", "term": "500y"}},
            ["retention.nomination", "retention.term"],
        ),
        ({"retention": {"years": 5}}, ["retention.years"]),
        ({"results": [*RESULTS, RESULTS[0]], "retention": RETENTION}, ["results"]),
        ({"results": {}}, ["results"]),
    ],
)
def test_wrong_results_say_where(parts: dict[str, Any], where: list[str]) -> None:
    assert problems(**parts) == where


# --- Roles and messages -------------------------------------------------------------------------


def test_people_take_part_in_the_roles_of_the_type(world: World, rental: CaseType) -> None:
    alice = world.actor(world.alice)
    case = opened(alice, tenure="own")
    one, two = CitizenFactory(organisation=world.here), CitizenFactory(organisation=world.here)
    for role in ("applicant", "witness"):
        with pytest.raises(Invalid) as raised:
            services.add_participant(alice, case.uuid, one.uuid, role)
        assert list(raised.value.errors) == ["role"]
    added = services.add_participant(alice, case.uuid, one.uuid, "tenant")
    with pytest.raises(Invalid) as raised:
        services.add_participant(alice, case.uuid, two.uuid, "tenant")
    assert list(raised.value.errors) == ["role"]
    services.add_participant(alice, case.uuid, two.uuid, "landlord")
    services.end_participant(alice, case.uuid, added.uuid)
    services.add_participant(alice, case.uuid, two.uuid, "tenant")
    told = Event.objects.filter(case=case, kind="participant_added").earliest("seq").data
    assert told["role_name"] == "Inquilino"
    workflow = of_version(case.type_version.bundle)
    with translation.override("en"):
        assert workflow.role_name("tenant") == "Tenant"
        assert workflow.role_name("witness") == "Witness"
        assert workflow.role_name("gone") == "gone"


@pytest.mark.parametrize(
    ("roles", "where"),
    [
        ([{"code": "a", "name": "A", "most": 0}], ["roles[0].most"]),
        ([{"code": "a" * 21, "name": "A"}], ["roles[0].code"]),
        ([{"code": "a", "name": "A", "least": 1}], ["roles[0].least"]),
        (["a"], ["roles[0]"]),
    ],
)
def test_wrong_roles_say_where(roles: Any, where: list[str]) -> None:
    assert problems(roles=roles) == where


def test_messages_are_written_in_the_citizens_language() -> None:
    text = "Hola, ((citizen)): su caso ((reference)) está ((state)). ((data.rent))"
    message = {
        "code": "hello",
        "name": "Saludo",
        "text": text,
        "texts": {"en": "Hello, ((citizen))."},
        "moves": ["start"],
    }
    definition = bundle(fields=RENT, messages=[message])
    assert check(definition) == []
    template = of_version(definition).messages[0]
    known = {"citizen": "Rosa", "reference": "HERE-2026-0000001", "data.rent": ""}.get
    value_of: Callable[[str], str] = lambda name: known(name) or ""  # noqa: E731
    assert template.written("en-gb", value_of) == "Hello, Rosa."
    assert template.written("es", value_of) == (
        "Hola, Rosa: su caso HERE-2026-0000001 está ((state)). ((data.rent))"
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"text": "((colour))"}, ["messages[0].text"]),
        ({"text": "((data.colour))"}, ["messages[0].text"]),
        ({"text": " "}, ["messages[0].text"]),
        ({"texts": {"ca": "((colour))"}}, ["messages[0].texts.ca"]),
        ({"texts": {"xx": "?"}}, ["messages[0].texts.xx"]),
        ({"moves": ["fly"]}, ["messages[0].moves"]),
        ({"moves": "start"}, ["messages[0].moves"]),
        ({"body": "x"}, ["messages[0].body"]),
    ],
)
def test_wrong_messages_say_where(change: dict[str, Any], where: list[str]) -> None:
    message = {"code": "a", "name": "A", "text": "Hola", **change}
    assert problems(fields=RENT, messages=[message]) == where


# --- Pages --------------------------------------------------------------------------------------


def test_the_pages_show_sections_conditions_results_and_roles(
    world: World, rental: CaseType, client: Client
) -> None:
    boss = employee(world.here, "supervisor", unit=world.unit)
    client.force_login(boss)
    new = client.get("/casos/nuevo/?case_type=rental").content.decode()
    assert "Vivienda" in new
    assert "data-when" in new
    case = CaseFactory(unit=world.unit, case_type=rental, data={"tenure": "rent", "rent": 400})
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "Alquiler" in page
    assert "Inquilino" in page
    move = client.get(f"/casos/{case.uuid}/mover/resolve/").content.decode()
    assert "Denegada" in move
    sent = {"outcome": "Sí", "result": "denied", "version": case.version}
    assert client.post(f"/casos/{case.uuid}/mover/resolve/", sent).status_code == 302
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert page.count("Denegada") >= 2  # among the data and in the story
