"""Mandates by API, and reading for somebody by one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import Case, Representation
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, Mandate
from crm.citizens.services.mandates import end_mandate
from crm.kit.actor import Actor
from tests.api.conftest import Caller
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.mandates import make_mandate

pytestmark = pytest.mark.django_db
SCOPES = (
    *("citizens.view_citizen", "citizens.view_mandate", "citizens.manage_mandates"),
    *("citizens.verify_mandate", "cases.view_case", "cases.open_case", "cases.change_case"),
)


@dataclass
class Scene:
    """A father with two cases, and his daughter, who may know of one."""

    system: Caller
    actor: Actor
    father: Citizen
    daughter: Citizen
    mine: Case
    secret: Case
    mandate: Mandate


@pytest.fixture
def scene(world: World, caller: Callable[..., Caller]) -> Scene:
    actor = acting(employee(world.here, "office"))
    father = CitizenFactory(name="Manuel", organisation=world.here)
    daughter = CitizenFactory(name="Carmen", organisation=world.here)
    pension = CaseTypeFactory(organisation=world.here, code="pension")
    rent = CaseTypeFactory(organisation=world.here, code="alquiler")
    made = {"unit": world.unit, "citizen": father}
    mine = CaseFactory(case_type=pension, subject="Pensión", **made)
    secret = CaseFactory(case_type=rent, subject="Secreto", **made)
    CaseFactory(unit=world.unit, case_type=pension, citizen=daughter, subject="De ella")
    mandate = make_mandate(actor, father, daughter, scope="matter", covers=["pension"])
    return Scene(caller(*SCOPES), actor, father, daughter, mine, secret, mandate)


def test_a_mandate_is_recorded_checked_weighed_and_ended(scene: Scene) -> None:
    today = timezone.localdate()
    body = {
        "holder": str(scene.daughter.uuid),
        "scope": "general",
        "acts": ["inform"],
        "proof": "registered",
        "proof_number": "RAP-9",
        "granted_on": str(today),
        "valid_until": str(today + timedelta(days=30)),
    }
    address = f"/citizens/{scene.father.uuid}/mandates/"
    made = scene.system.send("post", address, body)
    assert made.status_code == 201, made.content
    said = made.json()
    assert (said["state"], said["assurance"]) == ("unverified", "high")
    twice = scene.system.send("post", address, body)
    assert (twice.status_code, twice.json()["type"].rpartition("/")[2]) == (409, "mandate_overlaps")
    wrong = scene.system.send("post", address, {**body, "holder": str(scene.father.uuid)})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/holder")
    asked = {"holder": said["holder"], "grantor": said["grantor"], "act": "inform"}
    before = scene.system.send("post", "/mandates/decision/", asked).json()
    assert before["allowed"] is False
    assert before["reason"] != ""
    checked = scene.system.send("post", f"/mandates/{said['id']}/verify/", {})
    assert checked.json()["state"] == "in_force"
    after = scene.system.send("post", "/mandates/decision/", asked).json()
    assert after == {"allowed": True, "reason": "", "mandate": said["id"]}
    ended = scene.system.send(
        "post", f"/mandates/{said['id']}/end/", {"how": "revoked", "reason": "Lo pide"}
    )
    assert ended.json()["state"] == "revoked"
    listed = scene.system.get(f"/api/v1{address}").json()["results"]
    assert [one["state"] for one in listed] == ["in_force", "revoked"]
    held = scene.system.get(f"/api/v1/citizens/{scene.daughter.uuid}/mandates/", {"side": "held"})
    assert len(held.json()["results"]) == 2


def test_what_is_read_for_somebody_is_what_the_mandate_lets_be_told(scene: Scene) -> None:
    by = {"On_Behalf_Of": str(scene.mandate.uuid)}
    listed = scene.system.send("get", "/cases/", **by)
    assert [one["subject"] for one in listed.json()["results"]] == ["Pensión"]
    one = scene.system.send("get", f"/cases/{scene.mine.uuid}/", **by)
    assert one.status_code == 200
    looked = AuditEntry.objects.filter(action="viewed", object_id=str(scene.mine.uuid)).latest("id")
    assert looked.on_behalf_of == "Manuel Apellido, through Carmen Apellido" or (
        "through Carmen" in looked.on_behalf_of
    )
    hidden = scene.system.send("get", f"/cases/{scene.secret.uuid}/", **by)
    assert hidden.status_code == 403
    father = f"/citizens/{scene.father.uuid}/?purpose=Seguimiento"
    assert scene.system.send("get", father, **by).json()["contact_points"] == []
    daughter = f"/citizens/{scene.daughter.uuid}/?purpose=Seguimiento"
    assert scene.system.send("get", daughter, **by).status_code == 404  # of nobody else anything
    elsewhere = scene.system.send("get", "/units/", **by)
    assert elsewhere.status_code in (400, 403)


def test_revoking_refuses_the_next_read(scene: Scene) -> None:
    by = {"On_Behalf_Of": str(scene.mandate.uuid)}
    assert scene.system.send("get", f"/cases/{scene.mine.uuid}/", **by).status_code == 200
    end_mandate(scene.actor, scene.mandate.uuid, "revoked", reason="Lo pide Manuel")
    for address in ("/cases/", f"/cases/{scene.mine.uuid}/"):
        refused = scene.system.send("get", address, **by)
        assert refused.status_code == 403
        assert refused.json()["detail"] != ""
    unknown = scene.system.send(
        "get", "/cases/", On_Behalf_Of="01a20249-0000-7000-8000-000000000000"
    )
    assert unknown.status_code == 400
    assert scene.system.send("get", "/cases/", On_Behalf_Of="x").status_code == 400


def test_a_case_is_opened_for_the_grantor(world: World, scene: Scene) -> None:
    body = {
        "case_type": "pension",
        "subject": "Revisión",
        "unit": str(world.unit.uuid),
        "channel": "web_form",
        "citizen": str(scene.father.uuid),
        "representative": str(scene.daughter.uuid),
    }
    made = scene.system.send("post", "/cases/", body)
    assert made.status_code == 201, made.content
    assert Representation.objects.get(act="file").mandate == scene.mandate
    wrong = scene.system.send("post", "/cases/", {**body, "case_type": "alquiler"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/representative")
