"""Drafts: whose they are, what survives, who goes on with them, and that no file ever holds them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from cases import services
from cases.drafts import drafts_on, own_drafts, shared_drafts
from cases.models import Confidentiality, Draft, Message, Note
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import drafting
from cases.services.merging import merge_cases, undo_case_merge
from crm.accounts.actors import system_actor
from crm.accounts.models import Membership
from crm.accounts.services.api_clients import create_api_client
from crm.audit.models import AuditEntry
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from reporting.case_history import content
from tests.cases.test_pages import signed_in
from tests.cases.transferring import sides_of
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee
from tests.factories.cases import CaseFactory

save = drafting.save_draft


def texts(rows: Any) -> list[str]:
    return sorted(draft.text for draft in rows)


def keep(client: Client, case: Any, kind: str = "reply", **fields: object) -> tuple[int, Any]:
    answer = client.post(
        f"/casos/{case.uuid}/borradores/{kind}/", fields, headers={"Accept": "application/json"}
    )
    return answer.status_code, json.loads(answer.content)


def test_what_is_typed_is_there_on_another_computer_each_mode_its_own(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), signed_in(world.alice)
    assert keep(alice, case, text="Estimada", version=0)[1]["version"] == 1
    assert keep(alice, case, text="Estimada Rosa:", version=1)[1]["version"] == 2
    keep(alice, case, "note", text="Ojo: falta el DNI", version=0)
    keep(alice, case, "said", text="Vendrá el lunes", version=0, channel="phone")
    page = signed_in(world.alice).get(f"/casos/{case.uuid}/")
    found = page.context["drafts"].as_data()
    assert {kind: one["text"] for kind, one in found.items()} == {
        "reply": "Estimada Rosa:",
        "note": "Ojo: falta el DNI",
        "said": "Vendrá el lunes",
    }
    assert found["said"]["channel"] == "phone"
    assert "Ojo: falta el DNI" in signed_in(world.alice).get("/borradores/").content.decode()
    assert case.subject in signed_in(world.alice).get("/").content.decode()


def test_two_tabs_lose_neither_text(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), signed_in(world.alice)
    keep(alice, case, text="Uno", version=0)
    status, told = keep(alice, case, text="Dos", version=0)
    assert (status, told["now"]["text"], told["now"]["version"]) == (409, "Uno", 1)
    assert keep(alice, case, text="Dos", version=1)[0] == 200
    actor = world.actor(world.alice)
    services.send_message(actor, case.uuid, "Dos", draft=Draft.objects.for_actor(actor).get().uuid)
    status, told = keep(alice, case, text="Dos y más", version=2)  # typed on in the other tab
    assert (status, told["now"]) == (409, None)
    assert not Draft.objects.for_actor(actor).exists()  # nothing that was sent comes back


def test_nobody_else_reads_it_until_it_is_shared_then_who_sees_the_case(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    ana = employee(world.here, "agent", unit=world.unit, full_name="Ana Gil")
    boss = employee(world.here, "supervisor", full_name="Sofía Sanz")
    draft = save(world.actor(world.alice), case.uuid, "reply", "Estimada Rosa:")
    assert draft is not None
    for other in (ana, boss, world.bob, world.charlie):
        actor = world.actor(other)
        assert not Draft.objects.for_actor(actor).exists()
        for verb in (drafting.take_draft, drafting.discard_draft, drafting.share_draft):
            with pytest.raises(NotFound):
                verb(actor, draft.uuid)
    assert "Estimada" not in signed_in(ana).get(f"/casos/{case.uuid}/").content.decode()
    drafting.share_draft(world.actor(world.alice), draft.uuid)
    assert texts(shared_drafts(world.actor(ana))) == ["Estimada Rosa:"]
    assert "Estimada" in signed_in(ana).get(f"/casos/{case.uuid}/").content.decode()
    for stranger in (world.bob, world.charlie):  # another unit, another organisation
        with pytest.raises(NotFound):
            drafting.take_draft(world.actor(stranger), draft.uuid)
    for verb in (drafting.discard_draft, drafting.share_draft):  # shared is not given away
        with pytest.raises(NotFound):
            verb(world.actor(ana), draft.uuid)


def test_a_colleague_goes_on_and_it_is_written_down(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    ana = employee(world.here, "agent", unit=world.unit, full_name="Ana Gil")
    draft = save(world.actor(world.alice), case.uuid, "reply", "Estimada Rosa:")
    assert draft is not None
    drafting.share_draft(world.actor(world.alice), draft.uuid)
    answer = signed_in(ana).post(f"/borradores/{draft.uuid}/seguir/")
    assert answer["Location"] == f"/casos/{case.uuid}/?escribir=reply#composer"
    draft.refresh_from_db()
    assert (draft.author, draft.begun_by, draft.shared_at) == (ana, "Alice Arias", None)
    with pytest.raises(Conflict) as late:  # who began it types on
        save(world.actor(world.alice), case.uuid, "reply", "Estimada Rosa: le", version=1)
    assert late.value.details["now"] is None
    entry = AuditEntry.objects.for_actor(world.actor(ana)).filter(data__change="taken").get()
    assert entry.data["draft"] == "reply"
    assert entry.data["before"] == "Alice Arias"
    assert case.events.count() == 1  # the story says nothing of it: only « opened »


def test_one_taken_over_stands_beside_what_one_writes_oneself(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    ana = world.actor(employee(world.here, "agent", unit=world.unit, full_name="Ana Gil"))
    theirs = save(alice, case.uuid, "reply", "De Alice")
    assert theirs is not None
    drafting.share_draft(alice, theirs.uuid)
    save(ana, case.uuid, "reply", "De Ana")
    assert drafting.take_draft(ana, theirs.uuid).aside
    found = drafts_on(ana, case)
    assert found.written["reply"].text == "De Ana"
    assert texts(found.aside) == ["De Alice"]
    drafting.bring_in(ana, theirs.uuid)
    found = drafts_on(ana, case)
    assert found.written["reply"].text == "De Alice"
    assert texts(found.aside) == ["De Ana"]


def test_discarded_it_comes_back_for_a_week(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    draft = save(alice, case.uuid, "note", "Llamar mañana")
    assert draft is not None
    drafting.share_draft(alice, draft.uuid)
    page = signed_in(world.alice).post(f"/borradores/{draft.uuid}/descartar/", follow=True)
    assert "Discarded in the last seven days" in page.content.decode()
    assert not own_drafts(alice).exists()
    ana = world.actor(employee(world.here, "agent", unit=world.unit))
    assert not Draft.objects.for_actor(ana).exists()
    drafting.restore_draft(alice, draft.uuid)
    assert drafts_on(alice, case).written["note"].text == "Llamar mañana"
    save(alice, case.uuid, "note", "")  # emptied: the same as discarded
    save(alice, case.uuid, "note", "Otra cosa")
    assert drafting.restore_draft(alice, draft.uuid).aside
    assert texts(own_drafts(alice)) == ["Llamar mañana", "Otra cosa"]


@pytest.mark.parametrize("kind", ["reply", "note", "said"])
def test_sent_it_is_gone_and_only_it(world: World, kind: str) -> None:
    case, alice = CaseFactory(unit=world.unit), signed_in(world.alice)
    for each in ("reply", "note", "said"):
        keep(alice, case, each, text=f"Texto {each}", version=0)
    address = {"reply": "mensajes/", "note": "notas/", "said": "mensajes/recibidos/"}[kind]
    draft = own_drafts(world.actor(world.alice)).get(kind=kind)
    given = {"text": "Hecho", "draft": str(draft.uuid), "channel": "phone"}
    assert alice.post(f"/casos/{case.uuid}/{address}", given).status_code == 302
    left = set(own_drafts(world.actor(world.alice)).values_list("kind", flat=True))
    assert left == {"reply", "note", "said"} - {kind}


def test_what_cannot_be_sent_keeps_its_draft(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    draft = save(alice, case.uuid, "note", "Nota")
    assert draft is not None
    with pytest.raises(Invalid):
        services.add_note(alice, case.uuid, "  ", draft=draft.uuid)
    assert texts(own_drafts(alice)) == ["Nota"]


def test_by_sending_nobody_deletes_anothers_draft(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    draft = save(alice, case.uuid, "note", "Nota")
    assert draft is not None
    drafting.share_draft(alice, draft.uuid)
    ana = world.actor(employee(world.here, "agent", unit=world.unit))
    services.add_note(ana, case.uuid, "Otra", draft=draft.uuid)
    assert texts(own_drafts(alice)) == ["Nota"]


def test_lost_from_sight_with_the_case_and_back_with_it(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    save(alice, case.uuid, "reply", "Estimada")
    boss = world.actor(employee(world.here, "supervisor"))
    services.change_confidentiality(boss, case.uuid, Confidentiality.SPECIAL, reason="Víctima")
    assert not own_drafts(alice).exists()
    with pytest.raises(NotFound):
        save(alice, case.uuid, "reply", "Más")
    assert signed_in(world.alice).get("/borradores/").context["own"] == []
    services.change_confidentiality(boss, case.uuid, Confidentiality.INTERNAL, reason="Error")
    assert texts(own_drafts(alice)) == ["Estimada"]
    services.change_unit(boss, case.uuid, world.other_unit.uuid, reason="Es suyo")
    assert not own_drafts(alice).exists()


def test_given_to_another_organisation_it_hides_and_never_travels(world: World) -> None:
    sides = sides_of(world)
    case = CaseFactory(unit=world.unit, case_type=sides.kind, citizen=None)
    alice = world.actor(world.alice)
    draft = save(alice, case.uuid, "note", "Nota a medias")
    assert draft is not None
    drafting.share_draft(alice, draft.uuid)
    offered = sides.offer_abroad(case)
    services.accept_transfer(sides.far, offered.uuid, case_type="socorro")
    assert not own_drafts(alice).exists()
    assert not Draft.objects.for_actor(sides.far).exists()
    draft.refresh_from_db()
    assert (draft.text, draft.case_id) == ("Nota a medias", case.pk)  # nothing is lost


def test_who_only_reads_writes_none(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    auditor = employee(world.here, "auditor")
    with pytest.raises(Refused):
        save(world.actor(auditor), case.uuid, "note", "Nota")
    assert keep(signed_in(world.charlie), case, text="Hola")[0] == 404
    assert keep(signed_in(world.alice), case, "poem", text="Hola")[0] == 422
    assert keep(signed_in(world.alice), case, text="x" * 20_001)[0] == 422


def test_when_cases_are_merged_both_texts_are_there_and_part_again(world: World) -> None:
    rosa = CaseFactory(unit=world.unit)
    other = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    save(alice, rosa.uuid, "reply", "Del que queda", seen=1)
    save(alice, other.uuid, "reply", "Del que se une", seen=1)
    save(alice, other.uuid, "note", "Nota del que se une")
    merge = merge_cases(alice, other.uuid, rosa.uuid, reason="Es lo mismo")
    found = drafts_on(alice, rosa)
    assert {kind: one.text for kind, one in found.written.items()} == {
        "reply": "Del que queda",
        "note": "Nota del que se une",
    }
    assert texts(found.aside) == ["Del que se une"]
    assert found.aside[0].read_up_to == 0  # numbered in another case: what was read is not known
    assert found.written["reply"].read_up_to == 1
    undo_case_merge(alice, merge.uuid, reason="No lo es")
    assert {kind: one.text for kind, one in drafts_on(alice, other).written.items()} == {
        "reply": "Del que se une",
        "note": "Nota del que se une",
    }


def test_the_database_keeps_one_of_a_kind_and_none_empty(world: World) -> None:
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    draft = save(alice, case.uuid, "reply", "Estimada")
    assert draft is not None
    again = {"case": case, "author": world.alice, "kind": "reply", "seen_in": case.pk}
    for wrong in ({"text": "Otra"}, {"text": "", "aside": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Draft.objects.create(**again, **wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Draft.objects.create(case=case, kind="note", text="De nadie", seen_in=case.pk)


def test_the_sweeper_takes_what_nobody_will_finish_and_nothing_else(world: World) -> None:
    alice, boss = world.actor(world.alice), world.actor(employee(world.here, "supervisor"))
    gone = employee(world.here, "agent", unit=world.unit)
    kept, closed, discarded, fresh = (CaseFactory(unit=world.unit) for _each in range(4))
    for case in (kept, closed, discarded, fresh):
        save(alice, case.uuid, "reply", case.subject)
    save(world.actor(gone), kept.uuid, "note", "De quien se fue")
    services.close_case(boss, closed.uuid, outcome="Hecho")
    services.close_case(boss, fresh.uuid, outcome="Hecho")
    drafting.discard_draft(alice, own_drafts(alice).get(case=discarded).uuid)
    Membership.objects.for_actor(alice).filter(user=gone).update(ended_at=timezone.now())
    rows = Draft.objects.unscoped("a test's own")
    long_ago = timezone.now() - drafting.UNTOUCHED_FOR - timedelta(minutes=1)
    rows.exclude(case=fresh).update(updated_at=long_ago)
    rows.filter(case=discarded).update(
        discarded_at=timezone.now() - drafting.TAKEN_BACK_WITHIN - timedelta(minutes=1)
    )
    assert drafting.sweep_drafts() == 3
    assert sorted(rows.values_list("case", flat=True)) == sorted([kept.pk, fresh.pk])
    assert drafting.sweep_drafts() == 0


def test_no_draft_is_ever_in_the_file(world: World) -> None:
    """Ley 39/2015 art. 70.4: what is written and not sent is no part of it."""
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    save(alice, case.uuid, "reply", "SECRETO-A")
    save(alice, case.uuid, "note", "SECRETO-B")
    services.add_note(alice, case.uuid, "Una nota de verdad")
    told = repr(content(case, "full", "es", alice))
    assert "Una nota de verdad" in told
    assert "SECRETO" not in told
    assert Note.objects.for_actor(alice).count() == 1
    assert not Message.objects.for_actor(alice).exists()


def test_by_api_a_system_leaves_a_draft_that_an_employee_sends(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    _client, secret = create_api_client(
        system_actor(world.here, ORIGIN),
        name="Asistente",
        scopes=[VIEW_CASE, CHANGE_CASE],
        expires_at=timezone.now() + timedelta(days=1),
    )
    key = {"Authorization": f"Bearer {secret}"}
    client = Client(headers=key)
    place = f"/api/v1/cases/{case.uuid}/drafts/"
    given = {"kind": "reply", "text": "Propuesta", "version": 0}
    told = client.post(place, given, content_type="application/json")
    assert (told.status_code, told.json()["version"]) == (201, 1)
    late = client.post(place, given, content_type="application/json")
    assert late.status_code == 409
    assert late.json()["now"]["text"] == "Propuesta"
    draft = told.json()["id"]
    assert not shared_drafts(world.actor(world.alice)).exists()
    client.post(f"/api/v1/drafts/{draft}/share/", {"shared": True}, content_type="application/json")
    taken = signed_in(world.alice).post(f"/borradores/{draft}/seguir/")
    assert taken.status_code == 302
    assert client.get("/api/v1/drafts/").json()["results"] == []
    assert client.get(f"/api/v1/drafts/{draft}/").status_code == 404
