"""The pages and the API by which records are merged and parted."""

import pytest
from django.test import Client
from django.urls import reverse

from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord, DuplicatePair, Identifier, Merge
from crm.citizens.services import duplicates
from crm.citizens.services.merging import merge_citizens
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseFactory
from tests.factories.citizens import CitizenFactory

pytestmark = pytest.mark.django_db
WHY = "Dada de alta dos veces"
MERGE, VIEW, CHANGE = "citizens.merge_citizens", "citizens.view_citizen", "citizens.change_citizen"


@pytest.fixture
def boss(world: World) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(employee(world.here, "supervisor"))
    return client


@pytest.fixture
def twins(world: World) -> tuple[Citizen, Citizen]:
    made = [
        CitizenFactory(
            name=name,
            surname1="García",
            organisation=world.here,
            nif="",
            birth_date="1950-02-03",
        )
        for name in ("Ana", "Anna")
    ]
    return made[0], made[1]


def page(name: str, *args: object) -> str:
    return reverse(f"citizens:{name}", args=args)


def test_two_are_found_compared_merged_and_parted_again(world, boss, twins):
    ana, anna = twins
    CaseFactory(unit=world.unit, citizen=anna)
    actor = acting(employee(world.here, "supervisor"))
    duplicates.start_scan(actor)
    duplicates.look_on()
    shown = boss.get(page("duplicates")).content.decode()
    assert "Almost the same name, and the same date of birth" in shown
    assert page("merge", ana.uuid, anna.uuid) in shown
    assert (
        page("merge", ana.uuid, anna.uuid)
        in boss.get(page("merge_choose", ana.uuid)).content.decode()
    )
    compared = boss.get(page("merge", ana.uuid, anna.uuid))
    assert compared.status_code == 200
    assert compared.context["counts"] == [("Citizen's records", 1, 1), ("Cases", 0, 1)]
    refused = boss.post(page("merge", ana.uuid, anna.uuid), {"take_name": "merged"})
    assert refused.status_code == 422
    answer = boss.post(page("merge", ana.uuid, anna.uuid), {"take_name": "merged", "reason": WHY})
    assert answer.status_code == 302, answer.content.decode()
    ana.refresh_from_db()
    assert ana.name == "Anna"
    merge = Merge.objects.get()
    detail = boss.get(page("detail", ana.uuid)).content.decode()
    assert page("unmerge", merge.uuid) in detail
    undo = boss.get(page("unmerge", merge.uuid)).content.decode()
    assert "It goes back to Anna García Prueba" in undo
    done = boss.post(page("unmerge", merge.uuid), {"reason": "No es ella", "different": "on"})
    assert done.status_code == 302
    ana.refresh_from_db()
    assert ana.name == "Ana"
    assert DuplicatePair.objects.get().verdict == "different"
    assert "No likely duplicates" in boss.get(page("duplicates")).content.decode()


def test_old_addresses_lead_to_the_survivor(world, boss, twins):
    ana, anna = twins
    merge_citizens(acting(employee(world.here, "supervisor")), anna.uuid, ana.uuid, reason=WHY)
    led = boss.get(f"{page('detail', anna.uuid)}?case=X")
    assert (led.status_code, led["Location"]) == (302, f"{page('detail', ana.uuid)}?case=X")
    posted = boss.post(
        page("add_contact_point", anna.uuid),
        {"channel": "phone", "address": "600123123", "quality": "unsure"},
    )
    assert posted["Location"] == page("detail", ana.uuid)
    assert ana.contact_points.get().address_key == "+34600123123"
    again = boss.get(page("merge", ana.uuid, anna.uuid))
    assert again.status_code == 409


def test_opening_the_comparison_is_a_look_at_both(world, boss, twins):
    boss.get(page("merge", twins[0].uuid, twins[1].uuid))
    looks = AuditEntry.objects.filter(action="viewed").values_list("object_id", flat=True)
    assert set(looks) == {str(one.uuid) for one in twins}


def test_a_protected_record_asks_for_the_reason_first(world, boss, twins):
    CitizenRecord.objects.filter(citizen=twins[1]).update(protected=True, protected_reason="Orden")
    asked = boss.get(page("merge", twins[0].uuid, twins[1].uuid))
    assert asked.status_code == 403
    assert "Anna" not in asked.content.decode()


def test_what_speaks_against_it_is_told_and_asked(world, boss, twins):
    for number, one in enumerate(twins):
        Identifier.objects.create(citizen=one, kind="passport", value=f"P{number}", country="MA")
    shown = boss.get(page("merge", twins[0].uuid, twins[1].uuid)).content.decode()
    assert "Each has a Passport of their own." in shown
    address = page("merge", twins[0].uuid, twins[1].uuid)
    assert boss.post(address, {"take_name": "survivor", "reason": WHY}).status_code == 422
    given = {"take_name": "survivor", "reason": WHY, "despite": "on"}
    assert boss.post(address, given).status_code == 302


def test_by_api(world, twins):
    ana, anna = twins
    system = Caller(key_for(world.here, MERGE, VIEW, CHANGE))
    made = system.send(
        "post", f"/citizens/{ana.uuid}/merge/", {"merged": str(anna.uuid), "reason": WHY}
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["merged"], body["into"]) == (str(anna.uuid), str(ana.uuid))
    old = system.send("get", f"/citizens/{anna.uuid}/?purpose=Llama")
    assert (old.status_code, old.json()) == (301, {"merged_into": str(ana.uuid)})
    assert old["Location"] == f"/api/v1/citizens/{ana.uuid}/?purpose=Llama"
    changed = system.send("patch", f"/citizens/{anna.uuid}/", {"name": "Aina"})
    assert changed.json()["id"] == str(ana.uuid)
    shown = system.send("get", f"/citizen-merges/{body['id']}/").json()
    assert shown["returned"] == []
    assert shown["newer"] == []
    undone = system.send("post", f"/citizen-merges/{body['id']}/undo/", {"reason": "No es ella"})
    assert undone.status_code == 200
    assert undone.json()["merge"]["undone_at"]
    assert system.send("get", f"/citizens/{anna.uuid}/?purpose=Llama").status_code == 200


def test_proposals_by_api(world, twins):
    actor = acting(employee(world.here, "supervisor"))
    duplicates.start_scan(actor)
    duplicates.look_on()
    system = Caller(key_for(world.here, MERGE))
    listed = system.send("get", "/citizen-duplicates/").json()
    (proposal,) = listed["results"]
    assert proposal["score"] == 75
    assert {one["id"] for one in proposal["people"]} == {str(one.uuid) for one in twins}
    said = system.send("post", f"/citizen-duplicates/{proposal['id']}/different/", {})
    assert said.status_code == 204
    assert system.send("get", "/citizen-duplicates/").json()["results"] == []
