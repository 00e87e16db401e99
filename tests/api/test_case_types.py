"""Kinds of cases by API: made, changed, a new version published."""

from collections.abc import Callable

from cases.models import CaseType, CaseTypeVersion
from cases.workflow import simple_bundle
from tests.api.conftest import Caller
from tests.conftest import World
from tests.factories.cases import CaseFactory, CaseTypeFactory


def test_a_case_type_is_made_and_its_next_version_published(
    world: World, caller: Callable[..., Caller]
) -> None:
    system = caller("cases.publish_case_type")
    given = {
        "code": "ayuda-alquiler",
        "name": "Ayuda al alquiler",
        "nature": "application",
        "bundle": simple_bundle(term="3m"),
    }
    made = system.send("post", "/case-types/", given)
    assert made.status_code == 201
    told = made.json()
    assert (told["code"], told["version"], told["term"]) == ("ayuda-alquiler", 1, "3m")
    assert system.send("post", "/case-types/", given).status_code == 422
    kind = CaseType.objects.unscoped("a test").get(code="ayuda-alquiler")
    case = CaseFactory(unit=world.unit, case_type=kind)
    address = f"/case-types/{told['id']}/"
    same = system.send("patch", address, {"name": "Ayuda al alquiler joven"}).json()
    assert (same["name"], same["version"]) == ("Ayuda al alquiler joven", 1)
    next_one = system.send("patch", address, {"bundle": simple_bundle(term="2m")}).json()
    assert (next_one["version"], next_one["term"], next_one["nature"]) == (2, "2m", "application")
    case.refresh_from_db()
    assert case.type_version.number == 1
    assert CaseTypeVersion.objects.filter(case_type=kind).count() == 2


def test_a_wrong_definition_says_where(world: World, caller: Callable[..., Caller]) -> None:
    system = caller("cases.publish_case_type")
    bundle = {**simple_bundle(), "initial": "nowhere"}
    given = {"code": "mal", "name": "Mal", "nature": "application", "bundle": bundle}
    answer = system.send("post", "/case-types/", given)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/initial"]
    assert not CaseType.objects.unscoped("a test").filter(code="mal").exists()


def test_case_types_are_designed_by_who_may(world: World, caller: Callable[..., Caller]) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    foreign = CaseTypeFactory(organisation=world.elsewhere, code="ajena")
    change = {"name": "Otro"}
    reader = caller("cases.view_case")
    assert reader.send("patch", f"/case-types/{kind.uuid}/", change).status_code == 403
    system = caller("cases.publish_case_type")
    assert system.send("patch", f"/case-types/{foreign.uuid}/", change).status_code == 404
    kind.refresh_from_db()
    assert kind.name != "Otro"


def test_null_is_no_change(world: World, caller: Callable[..., Caller]) -> None:
    """`null` as the body of a PATCH fell over (found by schemathesis)."""
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    system = caller("cases.publish_case_type")
    address = f"/api/v1/case-types/{kind.uuid}/"
    answer = system.patch(address, data="null", content_type="application/json")
    assert answer.status_code == 422
    answer = system.patch(address, data="{}", content_type="application/json")
    assert (answer.status_code, answer.json()["name"]) == (200, kind.name)
    assert kind.versions.count() == 1
