"""Kinds of cases by API: made, changed, a new version published."""

from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from cases.models import CaseType, CaseTypeVersion, Event, VersionMigration
from cases.services.versions import run_migration
from cases.workflow import simple_bundle
from crm.accounts.models import ApiClient
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


def test_a_draft_is_designed_and_published(world: World, caller: Callable[..., Caller]) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    system = caller("cases.publish_case_type")
    address = f"/case-types/{kind.uuid}/"
    assert system.send("get", f"{address}draft/").status_code == 404
    draft = system.send("post", f"{address}draft/", {}).json()
    assert (draft["made_from"], draft["problems"]) == (1, [])
    wrong = {"bundle": {"states": "later"}, "seen": draft["seen"]}
    kept = system.send("patch", f"{address}draft/", wrong).json()
    assert kept["bundle"] == {"states": "later"}
    assert {"states", "initial", "moves"} <= {problem["where"] for problem in kept["problems"]}
    assert system.send("patch", f"{address}draft/", wrong).status_code == 409  # seen is past
    refused = system.send("post", f"{address}draft/publish/", {"despite": True})
    assert refused.status_code == 422
    right = {"bundle": simple_bundle(term="3m"), "seen": kept["seen"]}
    seen = system.send("patch", f"{address}draft/", right).json()["seen"]
    made = system.send("post", f"{address}draft/publish/", {"seen": seen})
    assert (made.status_code, made.json()["number"]) == (200, 2)
    listed = system.send("get", f"{address}versions/").json()["results"]
    assert [(one["number"], one["status"]) for one in listed] == [(2, "published"), (1, "retired")]
    told = system.send("get", f"{address}differences/?before=1&after=2").json()["changes"]
    assert [(one["where"], one["kind"]) for one in told] == [("term", "added")]
    CaseFactory(unit=world.unit, case_type=kind)
    tried = system.send("post", f"{address}migrations/try/", {"source": 2, "target": 1}).json()
    assert (tried["total"], tried["refusals"]) == (1, [])
    assert [(one["code"], one["target"]) for one in tried["states"]] == [("new", "new")]
    assert system.send("get", f"{address}migrations/").json()["results"] == []
    assert system.send("post", f"{address}draft/", {"version": 1}).json()["made_from"] == 1
    assert system.send("delete", f"{address}draft/").status_code == 204
    assert system.send("post", f"{address}retire/", {}).status_code == 204
    assert system.send("get", address).json()["version"] is None


def test_a_migration_is_started_and_followed_by_the_system_that_asked(
    world: World, caller: Callable[..., Caller]
) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    system = caller("cases.publish_case_type")
    case = CaseFactory(unit=world.unit, case_type=kind)
    address = f"/case-types/{kind.uuid}/"
    system.send("patch", address, {"bundle": simple_bundle(term="2m")})
    wrong = {
        "source": 1,
        "target": 2,
        "states": {"new": ["x"]},
        "fields": {"a": 3},
        "fill": {"b": 1},
    }
    for verb in ("migrations/", "migrations/try/"):
        refused = system.send("post", address + verb, wrong)
        assert refused.status_code == 422
        places = [error["pointer"] for error in refused.json()["errors"]]
        assert places == ["/states/new", "/fields/a", "/fill/b"]
    started = system.send("post", f"{address}migrations/", {"source": 1, "target": 2})
    assert started.status_code == 202
    told = started.json()
    assert (told["status"], told["total"], told["done"]) == ("running", 1, 0)
    again = system.send("post", f"{address}migrations/", {"source": 1, "target": 2})
    assert again.status_code == 409
    run_migration(UUID(told["id"]))
    case.refresh_from_db()
    assert case.type_version.number == 2
    one = system.send("get", f"{address}migrations/{told['id']}/").json()
    assert (one["migration"]["status"], one["migration"]["done"], one["refusals"]) == (
        "done",
        1,
        [],
    )
    event = Event.objects.get(case=case, kind="migrated")
    assert event.actor_name == ApiClient.objects.unscoped("a test").get().name
    foreign = CaseTypeFactory(organisation=world.elsewhere, code="ajena")
    sent = system.send(
        "post", f"/case-types/{foreign.uuid}/migrations/", {"source": 1, "target": 2}
    )
    assert sent.status_code == 404
    reader = caller("cases.view_case")
    sent = reader.send("post", f"{address}migrations/", {"source": 1, "target": 2})
    assert sent.status_code == 403
    assert VersionMigration.objects.unscoped("a test").count() == 1


def test_a_key_that_was_withdrawn_stops_its_migration(
    world: World, caller: Callable[..., Caller]
) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    system = caller("cases.publish_case_type")
    case = CaseFactory(unit=world.unit, case_type=kind)
    address = f"/case-types/{kind.uuid}/"
    system.send("patch", address, {"bundle": simple_bundle(term="2m")})
    told = system.send("post", f"{address}migrations/", {"source": 1, "target": 2}).json()
    ApiClient.objects.unscoped("a test").update(revoked_at=timezone.now())
    run_migration(UUID(told["id"]))
    case.refresh_from_db()
    assert case.type_version.number == 1
    assert VersionMigration.objects.unscoped("a test").get().status == "failed"


def test_a_text_is_tried_before_it_comes_in(world: World, caller: Callable[..., Caller]) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    system = caller("cases.publish_case_type")
    text = system.send("get", f"/case-types/{kind.uuid}/text/").json()["text"]
    text = text.replace("initial: new", "initial: nowhere")
    told = system.send("post", "/case-types/import/try/", {"text": text}).json()
    assert (told["code"], told["known"], told["replaces_draft"]) == ("mia", True, False)
    assert [one["where"] for one in told["changes"]] == ["initial"]
    problem = told["problems"][0]
    assert (problem["where"], problem["word"], problem["blocks"]) == ("initial", "nowhere", True)
    assert text.split("\n")[problem["line"] - 1] == "initial: nowhere"
    assert kind.versions.count() == 1
    refused = system.send("post", "/case-types/import/try/", {"text": "states: ["})
    assert refused.status_code == 422


def test_a_type_is_carried_as_text(world: World, caller: Callable[..., Caller]) -> None:
    kind = CaseTypeFactory(organisation=world.here, code="mia")
    system = caller("cases.publish_case_type")
    text = system.send("get", f"/case-types/{kind.uuid}/text/").json()["text"]
    assert text.startswith("case_type_format: 1\ncode: mia\n")
    given = {"text": text.replace("code: mia", "code: otra"), "publish": True}
    assert system.send("post", "/case-types/import/", given).status_code == 200
    made = system.send("get", "/case-types/?code=otra").json()["results"]
    assert [one["version"] for one in made] == [1]
    refused = system.send("post", "/case-types/import/", {"text": "states: ["})
    assert refused.status_code == 422
    reader = caller("cases.view_case")
    assert reader.send("get", f"/case-types/{kind.uuid}/text/").status_code == 403


def test_work_ends_with_a_result(world: World, caller: Callable[..., Caller]) -> None:
    bundle = {
        **simple_bundle(),
        "results": [{"code": "granted", "name": "Concedida", "nomination": "keep", "term": "5y"}],
    }
    kind = CaseTypeFactory(organisation=world.here, code="mia", bundle=bundle)
    case = CaseFactory(unit=world.unit, case_type=kind)
    system = caller("cases.view_case", "cases.change_case", "cases.close_case")
    assert system.send("get", f"/cases/{case.uuid}/").json()["result"] is None
    ended = {"outcome": "Concedida"}
    assert system.send("post", f"/cases/{case.uuid}/close/", ended).status_code == 422
    told = system.send("post", f"/cases/{case.uuid}/close/", {**ended, "result": "granted"})
    assert (told.status_code, told.json()["result"]) == (200, "granted")
    listed = system.send("get", "/cases/?category=resolved").json()["results"]
    assert [one["result"] for one in listed] == ["granted"]
    assert [
        one["code"] for one in system.send("get", f"/case-types/{kind.uuid}/").json()["results"]
    ] == ["granted"]
