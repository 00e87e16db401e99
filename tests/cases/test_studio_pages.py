"""The studio: a case type is built and changed through forms, nothing typed is lost, nobody sees JSON."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from cases import services
from cases.designing import LOTS, code_of, moved, problems_found
from cases.fields import Problem
from cases.models import Case, CaseType, CaseTypeVersion
from cases.studio_forms import FORMS
from cases.studio_forms.conditions import conditions_read, conditions_written
from cases.studio_forms.questions import FieldForm
from cases.studio_words import told
from cases.workflow import PARTS, check, simple_bundle
from cases.workflow_picture import draw
from crm.accounts.models import User
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

TYPES = "/organizacion/tipos/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(world: World) -> User:
    return employee(world.here, "administrator", language="en", full_name="Ana Admin")


@pytest.fixture
def client(admin: User) -> Client:
    return signed_in(admin)


@pytest.fixture
def beca(world: World) -> str:
    CaseTypeFactory(organisation=world.here, code="beca", name="Beca")
    return f"{TYPES}beca/"


def draft(code: str = "beca") -> CaseTypeVersion:
    return CaseTypeVersion.objects.get(case_type__code=code, status="draft")


def shown(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back of a form as it stands."""
    form = client.get(address).context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, "", False)}


FIELD = {"name": "Renta mensual", "kind": "number", "least": "0", "required": "on"}


def test_a_type_is_built_from_nothing_and_published(client: Client, world: World) -> None:
    said = {"name": "Ayuda al alquiler", "nature": "application", "start": "empty"}
    answer = client.post(f"{TYPES}nuevo/", said)
    assert (answer.status_code, answer["Location"]) == (302, f"{TYPES}ayuda-al-alquiler/")
    studio = answer["Location"] + "estudio/"
    assert client.post(f"{studio}publicar/").status_code == 422
    for name, category in (("Recibida", "new"), ("En estudio", "open"), ("Cerrada", "closed")):
        client.post(f"{studio}estados/nuevo/", {"name": name, "category": category})
    start = {"name": "Estudiar", "sources": ["recibida"], "goes_to": "en_estudio"}
    client.post(f"{studio}pasos/nuevo/", start | {"permission": "cases.change_case"})
    end = {"name": "Cerrar", "sources": ["en_estudio"], "goes_to": "cerrada"}
    wrong = client.post(f"{studio}pasos/nuevo/", end | {"permission": "cases.change_case"})
    assert wrong.status_code == 422
    assert "permission" in wrong.context["form"].errors
    end |= {"permission": "cases.close_case", "requires": ["outcome"]}
    assert client.post(f"{studio}pasos/nuevo/", end).status_code == 302
    client.post(f"{studio}campos/nuevo/", FIELD)
    client.post(f"{studio}plazos/", {"count": "3", "counted_in": "m"})
    assert client.post(f"{studio}publicar/").status_code == 302
    version = CaseTypeVersion.objects.get(case_type__code="ayuda-al-alquiler")
    assert (version.number, version.status) == (1, "published")
    assert version.bundle == {
        "states": [
            {"code": "recibida", "name": "Recibida", "category": "new"},
            {"code": "en_estudio", "name": "En estudio", "category": "open"},
            {"code": "cerrada", "name": "Cerrada", "category": "closed"},
        ],
        "initial": "recibida",
        "moves": [
            {
                "code": "estudiar",
                "name": "Estudiar",
                "from": ["recibida"],
                "to": "en_estudio",
                "permission": "cases.change_case",
                "requires": [],
            },
            {
                "code": "cerrar",
                "name": "Cerrar",
                "from": ["en_estudio"],
                "to": "cerrada",
                "permission": "cases.close_case",
                "requires": ["outcome"],
            },
        ],
        "fields": {
            "type": "object",
            "properties": {
                "renta_mensual": {"title": "Renta mensual", "type": "number", "minimum": 0}
            },
            "required": ["renta_mensual"],
            "x-order": ["renta_mensual"],
        },
        "term": "3m",
    }
    kind = CaseType.objects.unscoped("a test").get(code="ayuda-al-alquiler")
    case = CaseFactory(unit=world.unit, case_type=kind, data={"renta_mensual": 450})
    assert case.state == "recibida"


def test_what_opens_the_studio_changes_nothing(client: Client, beca: str) -> None:
    pages = ["", *(f"estudio/{page}/" for page in ("general", "plazos", "publicar", "vista"))]
    pages += ["estudio/campos/", "estudio/estados/", "estudio/pasos/", "estudio/vista/solicitud/"]
    pages += ["estudio/campos/nuevo/", "estudio/estados/new/", "estudio/pasos/close/"]
    for page in pages:
        answer = client.get(beca + page)
        assert answer.status_code == 200, page
        assert not re.search(
            r"&quot;code|\"properties\"|cases\.close_case<", answer.content.decode()
        )
    assert not CaseTypeVersion.objects.filter(status="draft").exists()


def test_the_first_change_begins_the_draft_and_nothing_holds_before_it_is_published(
    client: Client, beca: str, world: World
) -> None:
    address = f"{beca}estudio/estados/in_progress/"
    said = shown(client, address) | {"name": "En estudio"}
    assert client.post(address, said).status_code == 302
    assert draft().bundle["states"][1]["name"] == "En estudio"
    published = CaseTypeVersion.objects.get(case_type__code="beca", status="published")
    assert published.bundle["states"][1]["name"] != "En estudio"
    assert [one["code"] for one in draft().bundle["states"]] == [
        one["code"] for one in published.bundle["states"]
    ]
    page = client.get(beca).content.decode()
    assert "Ana Admin" in page
    assert "version 1 stays in force until you publish" in page


def test_two_designers_of_different_things_do_not_disturb_each_other(
    client: Client, beca: str, world: World
) -> None:
    other = signed_in(employee(world.here, "administrator", language="en"))
    mine, theirs = f"{beca}estudio/estados/new/", f"{beca}estudio/estados/closed/"
    said, told = shown(client, mine), shown(other, theirs)
    assert other.post(theirs, told | {"name": "Archivada"}).status_code == 302
    assert client.post(mine, said | {"name": "Recibida"}).status_code == 302
    names = [state["name"] for state in draft().bundle["states"]]
    assert (names[0], names[-1]) == ("Recibida", "Archivada")


def test_the_slower_of_two_is_told_what_it_says_now_and_loses_nothing(
    client: Client, beca: str, world: World
) -> None:
    other = signed_in(employee(world.here, "administrator", language="en"))
    address = f"{beca}estudio/estados/new/"
    mine, theirs = shown(client, address), shown(other, address)
    assert other.post(address, theirs | {"name": "Entrada"}).status_code == 302
    late = client.post(address, mine | {"name": "Recibida"})
    assert late.status_code == 409
    form = late.context["form"]
    assert form.now == [("Name", "Entrada")]
    assert form["name"].value() == "Recibida"
    assert draft().bundle["states"][0]["name"] == "Entrada"
    again = mine | {"name": "Recibida", "seen": form["seen"].value()}
    assert client.post(address, again).status_code == 302
    assert draft().bundle["states"][0]["name"] == "Recibida"


def test_what_saves_by_itself_says_so_and_goes_on(client: Client, beca: str) -> None:
    address = f"{beca}estudio/pasos/start/"
    said = shown(client, address)
    saved = client.post(address, said | {"name": "Empezar"}, headers={"HX-Request": "true"})
    assert saved.status_code == 200
    assert saved.context["saved"] is True
    page = saved.content.decode()
    assert 'role="status"' in page
    assert "<html" not in page
    seen = re.search(r'id="studio-seen" value="(\w+)"', page)
    assert seen
    again = said | {"name": "Empezar ya", "seen": seen[1]}
    assert client.post(address, again, headers={"HX-Request": "true"}).status_code == 200
    assert draft().bundle["moves"][0]["name"] == "Empezar ya"
    wrong = client.post(address, again | {"name": ""}, headers={"HX-Request": "true"})
    assert wrong.status_code == 422
    assert "Name" in wrong.content.decode()
    assert draft().bundle["moves"][0]["name"] == "Empezar ya"


def test_what_is_saved_as_it_was_writes_nothing(client: Client, beca: str, admin: User) -> None:
    address = f"{beca}estudio/pasos/resolve/"
    services.start_draft(acting(admin), "beca")
    before = draft().updated_at
    assert client.post(address, shown(client, address)).status_code == 302
    assert draft().updated_at == before


def test_things_are_put_in_order_and_taken_out(client: Client, beca: str) -> None:
    def codes() -> list[str]:
        return [state["code"] for state in draft().bundle["states"]]

    address = f"{beca}estudio/estados/"
    assert client.post(f"{address}in_progress/orden/", {"to": "up"}).status_code == 302
    assert codes()[:2] == ["in_progress", "new"]
    part = client.post(
        f"{address}in_progress/orden/", {"to": "down"}, headers={"HX-Request": "true"}
    )
    assert codes()[:2] == ["new", "in_progress"]
    assert "stands at place 2 of 6" in part.content.decode()
    assert client.post(f"{address}new/orden/", {"to": "up"}).status_code == 302  # it is the first
    assert codes()[:2] == ["new", "in_progress"]
    assert client.post(f"{address}resolved/quitar/").status_code == 302
    assert "resolved" not in codes()
    assert client.get(f"{address}resolved/").status_code == 404
    page = client.get(f"{beca}estudio/pasos/").content.decode()
    assert "There is no state “resolved”" in page  # marked where it is still spoken of


def test_a_problem_leads_to_the_very_field(client: Client, beca: str, admin: User) -> None:
    states = simple_bundle()["states"]
    actor = acting(admin)
    services.start_draft(actor, "beca")
    services.change_draft(actor, "beca", "states", [*states, {**states[1], "code": "lost"}])
    services.change_draft(actor, "beca", "term", "soon")
    page = client.get(f"{beca}estudio/publicar/")
    urls = [one["url"] for one in page.context["studio"].to_do()]
    assert urls == [f"{beca}estudio/plazos/#id_count"]
    services.change_draft(actor, "beca", "term", None)
    page = client.get(f"{beca}estudio/publicar/")
    assert [one["url"] for one in page.context["studio"].to_do()] == [
        f"{beca}estudio/estados/lost/"
    ]
    marks = {part["slug"]: part["problems"] for part in page.context["studio"].parts}
    assert marks["estados"] == 1
    assert sum(marks.values()) == 1


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ("states[1].names.ca", "ca.name"),
        ("states[1].category", "category"),
        ("moves[0].from", "sources"),
        ("moves[0].permission", "permission"),
        ("fields.properties.plate.x-when[0].in", "when"),
        ("fields.properties.plate.x-i18n.ca.title", "ca.name"),
        ("fields.properties.plate.enum", "choices"),
        ("initial", "first_state"),
    ],
)
def test_every_place_of_a_check_has_its_field(where: str, field: str) -> None:
    bundle = simple_bundle(fields={"properties": {"plate": {"type": "string", "title": "P"}}})
    (found,) = problems_found(bundle, [Problem(where, "…")])
    assert found.field == field


def test_a_draft_with_anything_in_it_can_be_opened(client: Client, beca: str, admin: User) -> None:
    actor = acting(admin)
    services.start_draft(actor, "beca")
    junk: list[Any] = [None, 3, "x", [], {}, {"code": 3}, {"code": "a", "name": 5}, {"code": "a"}]
    for part in ("states", "moves"):
        services.change_draft(actor, "beca", part, junk)
    services.change_draft(actor, "beca", "initial", ["x"])
    services.change_draft(actor, "beca", "term", {"a": 1})
    services.change_draft(
        actor,
        "beca",
        "fields",
        {"properties": {"a": 3, "b": {}, "c/d": {"type": [], "enum": 3, "x-when": 7}}},
    )
    for page in ("", "estudio/estados/", "estudio/pasos/", "estudio/campos/", "estudio/plazos/"):
        assert client.get(beca + page).status_code == 200, page
    for page in ("estudio/publicar/", "estudio/vista/", "estudio/vista/solicitud/"):
        assert client.get(beca + page).status_code == 200, page
    for lot in ("estados", "pasos", "campos"):
        for key, _item in LOTS[lot].keyed(draft().bundle):
            assert client.get(f"{beca}estudio/{lot}/{key}/").status_code == 200, (lot, key)
    services.change_draft(actor, "beca", "states", {"a": "list?"})
    assert client.get(f"{beca}estudio/estados/").status_code == 200
    told = {"name": "Nueva", "category": "new"}
    assert client.post(f"{beca}estudio/estados/nuevo/", told).status_code == 302


def test_discarding_is_of_what_was_seen(client: Client, beca: str, admin: User) -> None:
    actor = acting(admin)
    services.start_draft(actor, "beca")
    seen = client.get(beca).context["studio"].seen
    services.change_draft(actor, "beca", "term", "3m")
    assert client.post(f"{beca}estudio/descartar/", {"seen": seen}).status_code == 409
    assert draft().bundle["term"] == "3m"
    seen = client.get(beca).context["studio"].seen
    assert client.post(f"{beca}estudio/descartar/", {"seen": seen}).status_code == 302
    assert not CaseTypeVersion.objects.filter(status="draft").exists()


def test_publishing_is_of_what_was_seen(client: Client, beca: str, admin: User) -> None:
    actor = acting(admin)
    services.start_draft(actor, "beca")
    seen = client.get(beca).context["studio"].seen
    services.change_draft(actor, "beca", "term", "3m")
    assert client.post(f"{beca}estudio/publicar/", {"seen": seen}).status_code == 409
    assert draft().number == 0


def test_a_retired_type_opens_nothing_until_it_is_published_again(
    client: Client, beca: str
) -> None:
    assert client.post(f"{beca}retirar/").status_code == 302
    assert "Retired" in client.get(TYPES).content.decode()
    assert 'value="beca"' not in signed_in_options(client)
    client.post(f"{beca}estudio/plazos/", {"count": "1", "counted_in": "m"})
    assert client.post(f"{beca}estudio/publicar/").status_code == 302
    listed = client.get(TYPES).content.decode()
    assert "Published: version 2" in listed


def signed_in_options(client: Client) -> str:
    return client.get("/casos/nuevo/").content.decode()


def test_the_preview_judges_and_keeps_nothing(client: Client, beca: str) -> None:
    client.post(f"{beca}estudio/campos/nuevo/", FIELD)
    page = client.get(f"{beca}estudio/vista/").content.decode()
    assert "Renta mensual" in page
    public = f"{beca}estudio/vista/solicitud/?idioma=es"
    sent = client.post(public, {"name": "Rosa"})
    assert sent.status_code == 422
    assert "data.renta_mensual" in sent.context["form"].errors
    said = {"name": "Rosa", "surname1": "Q", "email": "r@example.org", "request": "x"}
    said["key"] = str(uuid4())
    good = client.post(public, said | {"agree": "on", "data.renta_mensual": "450"})
    assert good.status_code == 200, good.context["form"].errors
    assert good.context["good"] is True
    assert not Case.objects.unscoped("a test").exists()


def test_only_designers_of_the_organisation_come_in(beca: str, world: World) -> None:
    agent = signed_in(world.alice)
    stranger = signed_in(employee(world.elsewhere, "administrator"))
    for page in ("", "estudio/estados/", "estudio/estados/new/", "estudio/publicar/"):
        assert agent.get(beca + page).status_code == 403
        assert stranger.get(beca + page).status_code == 404
    assert stranger.post(f"{beca}estudio/estados/new/orden/", {"to": "up"}).status_code == 404
    assert stranger.post(f"{beca}estudio/estados/new/quitar/").status_code == 404


def test_a_copy_begins_with_what_the_other_says(client: Client, beca: str) -> None:
    said = {"name": "Beca", "nature": "application", "start": "copy", "copy_of": "beca"}
    answer = client.post(f"{TYPES}nuevo/", said)
    assert answer["Location"] == f"{TYPES}beca-2/"
    kept = CaseTypeVersion.objects.get(case_type__code="beca", status="published")
    assert draft("beca-2").bundle == kept.bundle
    said["copy_of"] = ""
    assert client.post(f"{TYPES}nuevo/", said).status_code == 422


def test_no_way_of_the_picture_leaves_it() -> None:
    """Ways over what stands between were cut off at the upper edge."""
    picture = draw(simple_bundle())
    for arrow in picture.arrows:
        numbers = [int(one) for one in re.findall(r"-?[0-9]+", arrow.path)]
        first, *controls, last = numbers[1::2]
        if len(controls) == 2:  # a cubic curve: its middle is the highest of those that go over
            middle = (first + 3 * controls[0] + 3 * controls[1] + last) / 8
            assert 0 <= middle <= picture.height
        assert 11 <= arrow.y <= picture.height - 11  # its number stands in a circle


# --- Pure ---------------------------------------------------------------------------------------


def test_codes_are_made_of_names() -> None:
    assert code_of("Renta mensual (€)", set()) == "renta_mensual"
    assert code_of("Año", {"ano"}) == "ano_2"
    assert code_of("2ª vivienda", set()) == "x_2a_vivienda"
    assert code_of("¿?", set()) == "x"
    assert code_of("Nuevo", set()) == "nuevo_2"  # the word for what is not there yet
    assert code_of("a" * 60, {"a" * 40}) == "a" * 38 + "_2"
    assert code_of("Ayuda al alquiler", set(), 60, "-") == "ayuda-al-alquiler"


def test_moving_stops_at_both_ends() -> None:
    assert moved([1, 2, 3], 0, -1) == [1, 2, 3]
    assert moved([1, 2, 3], 2, 1) == [1, 2, 3]
    assert moved([1, 2, 3], 1, 1) == [1, 3, 2]


FIELDS: dict[str, Any] = {
    "properties": {
        "plate": {"type": "string", "title": "Matrícula", "maxLength": 8},
        "story": {"type": "string", "title": "Relato"},
        "kind": {
            "type": "string",
            "title": "Clase",
            "enum": ["a", "b"],
            "x-labels": {"a": "Turismo"},
            "x-i18n": {"ca": {"title": "Classe", "labels": {"a": "Turisme"}}},
        },
        "since": {"type": "string", "title": "Desde", "format": "date"},
        "wheels": {"type": "integer", "title": "Ruedas", "minimum": 2},
        "amount": {"type": "number", "title": "Importe", "maximum": 3.5},
        "old": {"type": "boolean", "title": "Antiguo", "description": "¿Lo es?"},
        "extras": {
            "type": "array",
            "title": "Extras",
            "items": {"type": "string", "enum": ["aire", "radio"]},
            "x-when": [{"field": "kind", "in": ["a", "b"]}, {"field": "plate", "filled": True}],
        },
    },
    "required": ["kind"],
}


@pytest.mark.parametrize("name", FIELDS["properties"])
def test_a_question_saved_as_it_is_stays_as_it_is(name: str) -> None:
    bundle = simple_bundle(fields=FIELDS)
    found = LOTS["campos"].find(bundle, name)
    assert found
    form = FieldForm(item=found[1], bundle=bundle, languages=["ca"])
    values = {field: form[field].value() for field in form.fields}
    sent = FieldForm(
        {field: value for field, value in values.items() if value not in (None, False)},
        item=found[1],
        bundle=bundle,
        languages=["ca"],
    )
    assert sent.is_valid(), sent.errors
    assert sent.item() == found[1]


def test_an_answer_that_is_only_called_otherwise_keeps_its_value() -> None:
    bundle = simple_bundle(fields=FIELDS)
    found = LOTS["campos"].find(bundle, "kind")
    assert found
    said = {"name": "Clase", "kind": "choice", "choices": "b\nTurismo\nCamión"}
    form = FieldForm(said, item=found[1], bundle=bundle, languages=[])
    assert form.is_valid(), form.errors
    item = form.item()
    assert item["enum"] == ["b", "a", "Camión"]
    assert item["x-labels"] == {"a": "Turismo"}
    twice = FieldForm(said | {"choices": "b\nb"}, item=found[1], bundle=bundle, languages=[])
    assert "choices" in twice.errors


def test_conditions_go_through_the_boxes_and_back() -> None:
    written = [
        {"field": "kind", "in": ["a", "b"]},
        {"field": "old", "equals": True},
        {"field": "plate", "filled": False},
    ]
    assert conditions_read(conditions_written(written)) == written
    assert check(simple_bundle(fields=FIELDS)) == []


# --- Parts that other rooms bring: their pages are there as soon as a bundle may have them ---------


FURTHER: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "intervinientes": (
        "roles",
        {"name": "Arrendador", "most": "2"},
        {"code": "arrendador", "name": "Arrendador", "most": 2},
    ),
    "resultados": (
        "results",
        {"name": "Concedida", "nomination": "keep", "count": "5", "counted_in": "y"},
        {"code": "concedida", "name": "Concedida", "nomination": "keep", "term": "5y"},
    ),
    "documentos": (
        "papers",
        {"name": "Contrato", "required": "on", "origin": "citizen", "state": "resolved"},
        {
            "code": "contrato",
            "name": "Contrato",
            "required": True,
            "from": "citizen",
            "by": "resolved",
        },
    ),
    "mensajes": (
        "messages",
        {"name": "Faltan papeles", "text": "Hola, ((citizen)).", "moves": ["ask_citizen"]},
        {
            "code": "faltan_papeles",
            "name": "Faltan papeles",
            "text": "Hola, ((citizen)).",
            "moves": ["ask_citizen"],
        },
    ),
    "tareas": (
        "tasks",
        {
            "name": "Revisar rentas",
            "instructions": "Padrón y Hacienda",
            "starts": "in_progress",
            "doer": "unit",
            "count": "5",
            "counted_in": "wd",
            "approval": "on",
            "closing": "blocks",
        },
        {
            "code": "revisar_rentas",
            "name": "Revisar rentas",
            "instructions": "Padrón y Hacienda",
            "when": "in_progress",
            "to": "unit",
            "term": "5wd",
            "approval": True,
            "closing": "blocks",
        },
    ),
}


@pytest.mark.parametrize("slug", FURTHER)
def test_further_parts_are_written_as_their_rooms_read_them(slug: str) -> None:
    _part, said, item = FURTHER[slug]
    bundle = simple_bundle()
    form = FORMS[slug](said, item=None, bundle=bundle, languages=[])
    assert form.is_valid(), form.errors
    assert {"code": item["code"], **form.item()} == item
    again = FORMS[slug](item=item, bundle=bundle, languages=["ca"])
    values = {name: again[name].value() for name in again.fields}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    form = FORMS[slug](sent, item=item, bundle=bundle, languages=["ca"])
    assert form.is_valid(), form.errors
    assert form.item() == item
    assert told(slug, item, bundle)


def with_part(part: str) -> Any:
    """The parts that are known, and one more that nobody checks."""
    known: Any = PARTS
    return {**known, part: lambda _bundle: []} if isinstance(known, Mapping) else (*known, part)


@pytest.mark.parametrize("slug", FURTHER)
def test_the_page_of_a_further_part_is_there_with_the_part(
    slug: str, client: Client, beca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, said, item = FURTHER[slug]
    if part not in PARTS:
        assert client.get(f"{beca}estudio/{slug}/").status_code == 404
        assert f"estudio/{slug}/" not in client.get(beca).content.decode()
        for module in ("cases.designing", "cases.services.studio", "cases.workflow"):
            monkeypatch.setattr(f"{module}.PARTS", with_part(part))
    address = f"{beca}estudio/{slug}/"
    assert client.get(f"{address}nuevo/").status_code == 200
    assert client.post(f"{address}nuevo/", said).status_code == 302
    assert draft().bundle[part] == [item]
    assert item["name"] in client.get(address).content.decode()
    assert client.get(f"{address}{item['code']}/").status_code == 200
