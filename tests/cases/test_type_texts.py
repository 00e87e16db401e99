"""Case types as text, and in what they differ; what is said before publishing."""

import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from cases import services
from cases.models import CaseType
from cases.services import carrying
from cases.type_diff import differences
from cases.type_texts import Written, read, write
from cases.workflow import check, of_version, simple_bundle
from crm.accounts.models import RolePermission
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, NotFound, Refused
from tests.cases.test_type_parts import RENT, RESULTS, RETENTION
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseTypeFactory, ProcedureFactory

MESSAGE = {
    "code": "missing",
    "name": "Faltan papeles",
    "text": "Hola, ((citizen)):\n\nFaltan papeles en ((reference)).\n",
    "moves": ["ask_citizen"],
}


def whole() -> dict[str, Any]:
    bundle = deepcopy(
        {
            **simple_bundle(fields=RENT, term="3m"),
            "results": RESULTS,
            "retention": RETENTION,
            "roles": [{"code": "tenant", "name": "Inquilino", "most": 1}],
            "messages": [MESSAGE],
            "confidentiality": "internal",
        }
    )
    bundle["fields"]["properties"]["guarantor"]["x-section"] = "home"
    return bundle


@pytest.fixture
def admin(world: World) -> Actor:
    return world.actor(employee(world.here, "administrator"))


# --- Text ---------------------------------------------------------------------------------------


def test_a_text_says_all_and_always_the_same() -> None:
    said = Written("rental", "Ayuda: al «alquiler»", "application", whole())
    text = write(said)
    assert check(whole()) == []
    assert read(text) == said
    shuffled = json.loads(json.dumps(said.bundle, sort_keys=True))
    assert write(Written("rental", said.name, said.nature, shuffled)) == text
    assert "    text: |\n      Hola, ((citizen)):\n" in text
    assert text.startswith("case_type_format: 1\ncode: rental\n")


@pytest.mark.parametrize(
    "word", ["no", "yes", "on", "1y", "null", "2026-01-01", "0x10", "~", " a", "1e3"]
)
def test_words_stay_words(word: str) -> None:
    said = Written(word, word, word, {"term": word, "initial": [word, 1, 1.5, True, None]})
    assert read(write(said)) == said


def test_only_true_and_false_are_truth() -> None:
    text = write(Written("a", "A", "enquiry", {})) + "term: no\ninitial: on\nroles: 2026-01-01\n"
    assert read(text).bundle == {"term": "no", "initial": "on", "roles": "2026-01-01"}


@pytest.mark.parametrize(
    ("text", "where", "told"),
    [
        ("", "case_type_format", ""),
        ("[]", "case_type_format", ""),
        ("case_type_format: 2\n", "case_type_format", ""),
        ("case_type_format: 1\ncode: [a\n", "", "3"),
        ("case_type_format: 1\ncode: a\ncode: b\n", "", "3"),
        ("case_type_format: 1\ncode: &x a\nname: *x\n", "", "3"),
        ("case_type_format: 1\ncode: !!python/object:os.system a\n", "", "2"),
        ("case_type_format: 1\n? [a]\n: b\n", "", "2"),
        ("case_type_format: 1\ncode: a\nname: A\n", "nature", ""),
        ("case_type_format: 1\na: \0\n", "", ""),
        ("[" * 5_000, "", ""),
        ("a" * 600_000, "", ""),
    ],
)
def test_what_cannot_be_read_says_where(text: str, where: str, told: str) -> None:
    with pytest.raises(Invalid) as raised:
        read(text)
    assert list(raised.value.errors) == [where]
    assert told in str(raised.value.errors[where][0])


def test_two_installations_end_equal_by_diff(world: World, admin: Actor) -> None:
    there = world.actor(employee(world.elsewhere, "administrator"))
    CaseTypeFactory(organisation=world.here, code="rental", name="Ayuda", bundle=whole())
    old = {**simple_bundle(term="1m")}
    CaseTypeFactory(organisation=world.elsewhere, code="rental", name="Ayuda", bundle=old)
    text = carrying.export_text(admin, "rental")
    draft = carrying.import_text(there, text)
    assert (draft.status, draft.number) == ("draft", 0)
    assert carrying.compare(there, "rental", 1, None)  # it was another one there
    services.publish_draft(there, "rental")
    here, elsewhere = (carrying.written(actor, "rental") for actor in (admin, there))
    assert differences(here.bundle, elsewhere.bundle) == []
    assert carrying.export_text(there, "rental") == text
    carrying.import_text(there, text.replace("code: rental", "code: rental-two"), publish=True)
    new = CaseType.objects.for_actor(there).get(code="rental-two")
    assert [version.status for version in new.versions.all()] == ["published"]


def test_texts_are_for_who_designs(world: World, admin: Actor) -> None:
    CaseTypeFactory(organisation=world.elsewhere, code="ajena", bundle=whole())
    text = write(Written("ajena", "A", "enquiry", whole()))
    with pytest.raises(NotFound):
        carrying.export_text(admin, "ajena")
    alice = world.actor(world.alice)
    for verb in (
        lambda: carrying.import_text(alice, text),
        lambda: carrying.written(alice, "ajena"),
    ):
        with pytest.raises(Refused):
            verb()


# --- Differences --------------------------------------------------------------------------------


def test_differences_say_what_and_where() -> None:
    after = deepcopy(whole())
    after["states"][0]["name"] = "Recibido"
    after["moves"] = [move for move in after["moves"] if move["code"] != "reopen"]
    after["fields"]["properties"]["floor"] = {"type": "string", "title": "Planta"}
    after["fields"]["x-order"] = ["note", "tenure", "rent", "guarantor", "floor"]
    after["fields"]["required"] = ["tenure"]
    after["term"] = "2m"
    del after["retention"]
    after["results"] = after["results"][::-1]
    found = differences(whole(), after)
    assert [(one.where, one.kind) for one in found] == [
        ("states.new.name", "changed"),
        ("moves.reopen", "removed"),
        ("fields.rent.required", "changed"),
        ("fields.floor", "added"),
        ("fields.x-order", "changed"),
        ("term", "changed"),
        ("results", "changed"),
        ("retention", "removed"),
    ]
    assert all(one.words for one in found)
    assert "Recibido" in found[0].words
    assert differences(whole(), json.loads(json.dumps(whole(), sort_keys=True))) == []


# --- Before publishing --------------------------------------------------------------------------


def advice(admin: Actor, code: str) -> dict[str, bool]:
    draft = services.draft_of(admin, code)
    assert draft is not None
    return {problem.where: problem.blocks for problem in services.problems_of(admin, draft)}


def drafted(admin: Actor, bundle: dict[str, Any], code: str = "rental") -> dict[str, bool]:
    services.start_draft(admin, code)
    services.replace_draft(admin, code, bundle)
    return advice(admin, code)


def test_a_sound_draft_needs_no_advice(world: World, admin: Actor) -> None:
    CaseTypeFactory(organisation=world.here, code="rental", bundle=whole())
    assert drafted(admin, {**whole(), "fields": {}, "messages": []}) == {}


def test_states_without_a_way_on(world: World, admin: Actor) -> None:
    CaseTypeFactory(organisation=world.here, code="rental")
    bundle = simple_bundle()
    bundle["states"].append({"code": "stuck", "name": "Atascado", "category": "open"})
    bundle["moves"].append(
        {
            "code": "stick",
            "name": "Atascar",
            "from": ["new"],
            "to": "stuck",
            "permission": "cases.change_case",
        }
    )
    assert drafted(admin, bundle) == {"states[6]": False}
    bundle["moves"].append(
        {**bundle["moves"][-1], "code": "turn", "from": ["stuck"], "to": "stuck"}
    )
    assert drafted(admin, bundle) == {"states[6]": False}
    with pytest.raises(Invalid) as raised:
        services.publish_draft(admin, "rental")
    assert list(raised.value.errors) == ["states[6]"]
    assert services.publish_draft(admin, "rental", despite=True).number == 2


def test_moves_that_nobody_may_make(world: World, admin: Actor) -> None:
    CaseTypeFactory(organisation=world.here, code="rental")
    assert drafted(admin, simple_bundle()) == {}
    close = RolePermission.objects.filter(permission="cases.close_case")
    close.filter(role__organisation=world.here).delete()
    assert drafted(admin, simple_bundle()) == {
        f"moves[{place}].permission": False for place in (4, 5, 6)
    }


def test_missing_translations_for_the_languages_of_the_organisation(
    world: World, admin: Actor
) -> None:
    CaseTypeFactory(organisation=world.here, code="rental")
    world.here.languages = ["es", "ca"]
    world.here.save()
    bundle = whole()
    for part in ("states", "moves", "roles", "results", "messages"):
        for item in bundle[part] if isinstance(bundle[part], list) else ():
            item["names"] = {"ca": "…"}
    found = drafted(admin, bundle)
    assert set(found.values()) == {False}
    assert "messages[0].texts.ca" in found
    assert "fields.properties.tenure.x-i18n.ca.title" in found
    assert "fields.properties.tenure.x-i18n.ca.labels.rent" in found
    assert "fields.properties.note.x-i18n.ca.description" in found
    assert "fields.x-sections[0].x-i18n.ca.title" in found
    assert not [where for where in found if where.startswith(("states", "moves"))]


def test_conditions_on_what_comes_later(world: World, admin: Actor) -> None:
    CaseTypeFactory(organisation=world.here, code="rental")
    fields = deepcopy(RENT)
    fields["x-order"] = ["rent", "tenure", "guarantor", "note"]
    # the guarantor is asked before the home, on whose rent it hangs
    assert drafted(admin, simple_bundle(fields=fields)) == {
        "fields.properties.rent.x-when": False,
        "fields.properties.guarantor.x-when": False,
    }


def test_fields_that_are_used_and_removed(world: World, admin: Actor) -> None:
    bundle = whole()
    bundle["moves"][0]["requires"] = ["note"]
    bundle["messages"][0]["text"] = "((data.note))"
    kind = CaseTypeFactory(organisation=world.here, code="rental", bundle=bundle)
    form = {"properties": {name: {"type": "string"} for name in ("tenure", "rent", "note")}}
    form["required"] = ["tenure", "rent"]  # type: ignore[assignment]
    ProcedureFactory(unit=world.unit, case_type=kind, form=form, code="ayuda")
    gone = deepcopy(bundle)
    del gone["fields"]["properties"]["note"]
    gone["fields"]["x-order"].remove("note")
    assert drafted(admin, gone) == {"moves[0].requires": True, "messages[0].text": True}
    gone["moves"][0]["requires"], gone["messages"][0]["text"] = [], "Hola"
    found = drafted(admin, gone)
    assert found["fields.properties"] is False
    more = deepcopy(bundle)
    more["fields"]["required"].append("note")
    assert drafted(admin, more)["fields.properties.note"] is True
    with pytest.raises(Invalid) as raised:  # nobody could file an application any more
        services.publish_version(admin, kind, more)
    assert list(raised.value.errors) == ["fields.properties.note"]


# --- The command --------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("case_type", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_carries_compares_and_checks(
    world: World, admin: Actor, tmp_path: Path
) -> None:
    CaseTypeFactory(organisation=world.here, code="rental", bundle=whole())
    code, text, _err = run("export", "HERE", "rental")
    assert (code, read(text).code) == (0, "rental")
    file = tmp_path / "rental.yaml"
    file.write_text(text)
    assert run("check", str(file))[0] == 0
    assert run("import", "ELSE", str(file), "--publish")[0] == 0
    assert run("diff", "HERE/rental", "ELSE/rental") == (0, "", "")
    file.write_text(text.replace("term: 3m", "term: 4m"))
    code, told, _err = run("diff", "HERE/rental@1", str(file), "--json")
    assert (code, [one["where"] for one in json.loads(told)["changes"]]) == (1, ["term"])
    file.write_text(text.replace("initial: new", "initial: nowhere"))
    code, told, _err = run("check", str(file), "--json")
    assert (code, json.loads(told)["problems"][0]["where"]) == (1, "initial")
    code, _out, err = run("import", "ELSE", str(file), "--publish")
    assert code == 1
    assert err.startswith("initial: ")
    assert run("check", "ELSE/rental")[0] == 0  # nothing of what was refused was kept
    kept = carrying.written(world.actor(employee(world.elsewhere, "administrator")), "rental")
    assert of_version(kept.bundle).initial == "new"
