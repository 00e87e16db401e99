"""Versions compared and types as text, in the studio: readable, and wrong texts say line and word."""

from copy import deepcopy
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override

from cases import services
from cases.models import CaseType, CaseTypeVersion
from cases.services import carrying
from cases.type_diff import differences
from cases.type_texts import Written, located, read, write
from cases.workflow import check, simple_bundle
from crm.accounts.models import User
from crm.kit.errors import Invalid
from tests.cases.test_type_texts import whole
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
def kind(world: World) -> CaseType:
    return CaseTypeFactory(organisation=world.here, code="rental", name="Ayuda", bundle=whole())


def changed() -> dict[str, Any]:
    after = deepcopy(whole())
    after["states"][1]["names"] = {"ca": "En curs"}
    after["moves"][0]["permission"] = "cases.close_case"
    after["moves"][0]["requires"] = ["reason", "note"]
    after["fields"]["properties"]["rent"]["x-when"] = {"field": "tenure", "in": ["own", "rent"]}
    after["term"] = "15d"
    after["messages"][0]["texts"] = {"ca": "Hola, ((citizen))"}
    after["tasks"] = [{"code": "call", "name": "Llamar"}]
    after["service"] = [{"measure": "resolution", "within": "40h", "warn": "8h"}]
    return after


@override("en")
def test_every_difference_is_said_in_words_that_people_know() -> None:
    found = {
        one.where: (one.what, one.before, one.after) for one in differences(whole(), changed())
    }
    assert found == {
        "states.in_progress.names.ca": ("Name (Català)", "—", "En curs"),
        "moves.start.permission": (
            "Who may make it",
            "edit cases, write notes and messages, and add documents",
            "resolve, close and reopen cases",
        ),
        "moves.start.requires": ("What must be said", "—", "a reason, Nota"),
        "fields.rent.x-when": (
            "Asked only when",
            "Régimen: Alquiler",
            "Régimen: Propiedad, Alquiler",
        ),
        "term": ("Term", "3 months", "15 calendar days"),
        "messages.missing.texts.ca": ("Text (Català)", "—", "Hola, ((citizen))"),
        "tasks.call": ("", "", ""),
        "service.1": ("", "", ""),
    }
    words = [one.words for one in differences(whole(), changed())]
    assert "Task “Llamar”: added." in words
    assert "Service target “1. Resolution”: added." in words
    assert "Term was “3 months” and is “15 calendar days”." in words
    back = {one.where: one.kind for one in differences(changed(), whole())}
    assert (back["tasks.call"], back["service.1"], back["term"]) == (
        "removed",
        "removed",
        "changed",
    )


def test_any_two_versions_are_compared_part_by_part(
    client: Client, kind: CaseType, admin: User, world: World
) -> None:
    CaseFactory(unit=world.unit, case_type=kind, data={"tenure": "own"})
    address = f"{TYPES}rental/estudio/versiones/"
    alone = client.get(address)
    assert alone.context["compared"] is False
    actor = acting(admin)
    services.publish_version(actor, kind, changed())
    page = client.get(address)
    assert (page.context["before"], page.context["after"]) == ("1", "2")
    groups = {str(group.title): group for group in page.context["groups"]}
    assert list(groups) == [
        *("States", "Moves", "Form", "Term", "Messages", "Tasks", "Service targets")
    ]
    assert groups["Moves"].things[0].name == "Start work"
    assert [one.what for one in groups["Moves"].things[0].changes] == [
        "Who may make it",
        "What must be said",
    ]
    text = page.content.decode()
    assert "3 months" in text
    assert "15 calendar days" in text
    assert "Open cases: 1" in text
    services.start_draft(actor, "rental", version=None)
    services.change_draft(actor, "rental", "term", "1y")
    page = client.get(f"{address}?antes=1&despues=borrador")
    term = next(group for group in page.context["groups"] if str(group.title) == "Term")
    assert term.things[0].changes[0].after == "1 year"
    assert "They say the same." in client.get(f"{address}?antes=1&despues=1").content.decode()
    assert client.get(f"{address}?antes=99&despues=x").status_code == 200  # the usual two


def test_the_text_of_each_version_is_a_file(client: Client, kind: CaseType, admin: User) -> None:
    services.publish_version(acting(admin), kind, changed())
    address = f"{TYPES}rental/estudio/texto/"
    old = client.get(f"{address}?version=1")
    assert old["Content-Disposition"] == 'attachment; filename="rental-1.yaml"'
    assert read(old.content.decode()).bundle["term"] == "3m"
    assert read(client.get(address).content.decode()).bundle["term"] == "15d"
    for wrong in ("borrador", "9", "x", "-1", "²", "99999999999"):
        assert client.get(f"{address}?version={wrong}").status_code == 404, wrong


# --- In -----------------------------------------------------------------------------------------


def test_a_text_is_looked_at_before_it_is_kept(client: Client, kind: CaseType, admin: User) -> None:
    text = write(Written("rental", "Ayuda", "application", changed()))
    page = client.post(f"{TYPES}importar/", {"text": text})
    assert page.status_code == 200
    assert page.context["preview"].kind == kind
    assert [str(group.title) for group in page.context["groups"]][:2] == ["States", "Moves"]
    assert not CaseTypeVersion.objects.filter(status="draft").exists()
    answer = client.post(f"{TYPES}importar/", {"text": text, "keep": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"{TYPES}rental/")
    draft = services.draft_of(acting(admin), "rental")
    assert draft is not None
    assert differences(draft.bundle, changed()) == []


def test_a_file_is_read_into_the_box_and_a_draft_that_gives_way_is_named(
    client: Client, kind: CaseType, admin: User
) -> None:
    actor = acting(admin)
    services.start_draft(actor, "rental")
    services.change_draft(actor, "rental", "term", "1y")
    text = write(Written("rental", "Ayuda", "application", changed()))
    file = SimpleUploadedFile("t.yaml", b"\xef\xbb\xbf" + text.encode())
    page = client.post(f"{TYPES}importar/", {"file": file})
    assert page.context["form"]["text"].value() == text
    assert "It was changed last by: Ana Admin." in page.content.decode()
    wrong = SimpleUploadedFile("t.yaml", b"\xff\xfe\x00")
    page = client.post(f"{TYPES}importar/", {"file": wrong})
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["file"])
    assert client.post(f"{TYPES}importar/", {"text": "  "}).status_code == 422


def test_a_text_that_cannot_be_read_says_line_and_column_and_stays_in_the_box(
    client: Client, kind: CaseType
) -> None:
    text = "case_type_format: 1\ncode: [a\n"
    page = client.post(f"{TYPES}importar/", {"text": text, "keep": "1"})
    assert page.status_code == 422
    assert page.context["form"]["text"].value() == text
    assert "Line 3, column 1" in page.content.decode()
    assert not CaseTypeVersion.objects.filter(status="draft").exists()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("initial: new", "initial: nowhere", "nowhere"),
        ("term: 3m", "term: soon", "soon"),
        ("to: resolved", "to: solved", "solved"),
        ("permission: cases.close_case", "permission: cases.fly", "cases.fly"),
        ("category: waiting_citizen", "category: waiting", "waiting"),
        ("((reference))", "((refference))", "Hola, ((citizen)):"),
        ("most: 1", "most: none", "none"),
    ],
)
def test_what_is_wrong_in_a_text_says_line_and_word(old: str, new: str, word: str) -> None:
    text = write(Written("rental", "Ayuda", "application", whole()))
    assert old in text
    wrong = text.replace(old, new, 1)
    found = located(wrong, check(read(wrong).bundle))
    assert found
    assert found[0].word == word
    line = wrong.split("\n")[found[0].line - 1]
    if word != "Hola, ((citizen)):":  # of a text over several lines, the line where it begins
        assert line[found[0].column - 1 :].startswith(word)
    assert f"Line {found[0].line}," in found[0].words


def test_a_place_that_the_text_does_not_have_leads_to_what_is_around_it() -> None:
    bundle = whole()
    del bundle["moves"][1]["permission"]
    text = write(Written("rental", "Ayuda", "application", bundle))
    found = located(text, check(read(text).bundle))
    assert (found[0].problem.where, found[0].word) == (
        "moves[1].permission",
        "Wait for the citizen",
    )


def test_what_would_be_refused_is_said_beforehand_and_nobody_else_may(
    client: Client, world: World
) -> None:
    text = write(
        Written(
            "Mal código",
            "Nueva",
            "whatever",
            {**simple_bundle(), "tasks": [{"code": "a", "name": "A", "to": "NOWHERE"}]},
        )
    )
    page = client.post(f"{TYPES}importar/", {"text": text})
    places = [one.problem.where for one in page.context["preview"].problems]
    assert places == ["code", "nature", "tasks[0].to"]
    kept = client.post(f"{TYPES}importar/", {"text": text, "keep": "1"})
    assert kept.status_code == 422
    assert not CaseType.objects.unscoped("a test").filter(name="Nueva").exists()
    assert signed_in(world.alice).post(f"{TYPES}importar/", {"text": text}).status_code == 403


# --- Between installations ------------------------------------------------------------------------


def test_two_installations_end_equal_whoever_changes_first(world: World) -> None:
    here, there = (
        acting(employee(place, "administrator")) for place in (world.here, world.elsewhere)
    )
    CaseTypeFactory(organisation=world.here, code="rental", name="Ayuda", bundle=whole())

    def equal() -> None:
        sides = [carrying.written(actor, "rental") for actor in (here, there)]
        assert differences(sides[0].bundle, sides[1].bundle) == []
        assert write(sides[0]) == write(sides[1])

    carrying.import_text(there, carrying.export_text(here, "rental"), publish=True)
    equal()
    # it goes on there: another bundle, another name
    services.start_draft(there, "rental")
    services.replace_draft(there, "rental", changed())
    services.publish_draft(there, "rental", despite=True)
    services.change_case_type(
        there, "rental", name="Ayuda al alquiler", nature="application", is_active=True
    )
    text = carrying.export_text(there, "rental")
    seen = carrying.look_at_text(here, text)
    assert next(one.where for one in seen.changes) == "name"
    carrying.import_text(here, text, publish=True, despite=True)
    equal()
    assert CaseType.objects.for_actor(here).get(code="rental").name == "Ayuda al alquiler"
    # and back again: the first version comes home as the third
    first = carrying.export_text(here, "rental", number=1).replace("name: Ayuda\n", "name: Otra\n")
    for actor in (here, there):
        carrying.import_text(actor, first, publish=True, despite=True)
    equal()
    assert carrying.compare(here, "rental", 1, 3) == []
    assert carrying.look_at_text(there, first).changes == []


def test_a_unit_that_the_other_installation_does_not_have_is_named(world: World) -> None:
    admin = acting(employee(world.here, "administrator"))
    bundle = {**simple_bundle(), "tasks": [{"code": "a", "name": "A", "to": "NOWHERE"}]}
    draft = carrying.import_text(admin, write(Written("new", "N", "enquiry", bundle)))
    assert [one.where for one in services.problems_of(admin, draft)] == ["tasks[0].to"]
    with pytest.raises(Invalid):
        services.publish_draft(admin, "new", despite=True)
