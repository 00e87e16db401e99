"""Assigning, notes, messages, documents, participants and links."""

import smtplib
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import DatabaseError
from django.test import Client

from cases import citizen_story, services, timeline
from cases.models import Confidentiality, Document, Event, Link, Message, Note, Participant
from cases.permissions import ENDED
from cases.selectors import people_who_see
from cases.services import NewCase, bulk
from cases.tasks import look_again
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint
from crm.citizens.story import Asked
from crm.kit import files, outbox
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.models import Outbox
from crm.organisations.models import Organisation
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


def citizen(organisation: Organisation, email: str = "") -> Citizen:
    person = Citizen.objects.create(name="Rosa", surname1="Quiñones")
    CitizenRecord.objects.create(organisation=organisation, citizen=person)
    if email:
        ContactPoint.objects.create(
            organisation=organisation,
            citizen=person,
            channel="email",
            address=email,
            address_key=email.lower(),
        )
    return person


def kinds(case: Any) -> list[str]:
    return list(case.events.order_by("seq").values_list("kind", flat=True))


def carry_out() -> None:
    """Workers have done what is owed; within a test's transaction nothing is due by itself."""
    Outbox.objects.update(due_at="2000-01-01T00:00:00Z")
    while outbox.drain():
        pass


def test_nobody_is_given_a_specially_protected_case_that_they_cannot_see(world: World) -> None:
    boss = employee(world.here, "supervisor", unit=world.unit)
    actor, alice = world.actor(boss), world.alice.uuid
    special = CaseFactory(unit=world.unit, confidentiality=Confidentiality.SPECIAL)
    with pytest.raises(Invalid) as refused:
        services.assign_case(actor, special.uuid, alice)
    assert "protected" in refused.value.in_a_line
    preview = bulk.prepare_bulk(
        actor,
        bulk.chosen_cases(actor, [special.uuid]),
        bulk.Bulk(action="assign", person=alice),
    )
    assert (preview.total, preview.refused) == (1, 1)
    new = NewCase(
        case_type=special.case_type.code,
        subject="Reservado",
        unit=world.unit.uuid,
        assignee=alice,
        confidentiality=Confidentiality.SPECIAL,
    )
    with pytest.raises(Invalid):
        services.open_case(actor, new)
    services.assign_case(actor, special.uuid, boss.uuid)
    offered = people_who_see(actor, special)
    assert (world.alice in offered, boss in offered) == (False, True)
    assert world.alice in people_who_see(actor, CaseFactory(unit=world.unit))


def test_whoever_can_no_longer_see_a_case_no_longer_has_it(world: World) -> None:
    boss = employee(world.here, "supervisor", unit=world.unit)
    hers = CaseFactory(unit=world.unit, assignee=world.alice)
    his = CaseFactory(unit=world.unit, assignee=boss)
    for case in (hers, his):
        services.change_confidentiality(
            world.actor(boss), case.uuid, Confidentiality.SPECIAL, reason="Víctima"
        )
        case.refresh_from_db()
    assert hers.assignee is None
    assert kinds(hers)[-2:] == ["released", "confidentiality_changed"]
    assert his.assignee == boss


def test_of_two_who_take_a_case_one_has_it(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    colleague = world.actor(employee(world.here, "agent", unit=world.unit, full_name="Ana Gil"))
    services.take_case(alice, case.uuid)
    with pytest.raises(Conflict) as raised:
        services.take_case(colleague, case.uuid)
    assert "Alice Arias" in str(raised.value)
    services.take_case(alice, case.uuid)
    assert kinds(case) == ["opened", "assigned"]
    services.release_case(alice, case.uuid)
    case.refresh_from_db()
    assert case.assignee is None
    assert kinds(case) == ["opened", "assigned", "released"]


def test_a_case_is_assigned_only_to_who_can_see_it(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    boss = world.actor(employee(world.here, "supervisor", unit=world.unit))
    with pytest.raises(Refused):
        services.assign_case(world.actor(world.alice), case.uuid, world.bob.uuid)
    for stranger in (world.bob, world.charlie):
        with pytest.raises(Invalid) as raised:
            services.assign_case(boss, case.uuid, stranger.uuid)
        assert list(raised.value.errors) == ["assignee"]
    assert services.assign_case(boss, case.uuid, world.alice.uuid).assignee == world.alice
    services.close_case(boss, case.uuid, outcome="Hecho")
    with pytest.raises(Refused) as refused:
        services.assign_case(boss, case.uuid, world.alice.uuid)
    assert refused.value.message == ENDED


def test_changing_unit_leaves_it_to_nobody_yet(world: World) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    boss = world.actor(employee(world.here, "supervisor"))
    with pytest.raises(Refused):
        services.change_unit(
            world.actor(world.alice), case.uuid, world.other_unit.uuid, reason="Es suyo"
        )
    with pytest.raises(Invalid):
        services.change_unit(boss, case.uuid, world.foreign_unit.uuid, reason="Es suyo")
    with pytest.raises(Invalid):
        services.change_unit(boss, case.uuid, world.other_unit.uuid, reason=" ")
    moved = services.change_unit(boss, case.uuid, world.other_unit.uuid, reason="Es suyo")
    assert (moved.unit, moved.assignee) == (world.other_unit, None)
    with pytest.raises(NotFound):
        services.add_note(world.actor(world.alice), case.uuid, "¿Dónde está?")


def test_a_note_sent_twice_is_one_note(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice, key = world.actor(world.alice), uuid4()
    first = services.add_note(alice, case.uuid, "  Llamó.\r\nVolverá. ", key=key)
    again = services.add_note(alice, case.uuid, "Llamó.", key=key)
    assert first == again
    assert Note.objects.for_actor(alice).get().body == "Llamó.\nVolverá."
    assert kinds(case) == ["opened", "noted"]
    with pytest.raises(Invalid):
        services.add_note(alice, case.uuid, "\0 \n")
    with pytest.raises(Invalid):
        services.add_note(alice, case.uuid, "x" * 20_001)


def test_a_message_reaches_the_mailbox_once(world: World) -> None:
    case = CaseFactory(
        unit=world.unit, citizen=citizen(world.here, "rosa@example.org"), subject="Beca"
    )
    alice, key = world.actor(world.alice), uuid4()
    message = services.send_message(alice, case.uuid, "Buenos días", key=key)
    services.send_message(alice, case.uuid, "Buenos días", key=key)
    assert (message.state, message.channel) == ("queued", "email")
    carry_out()
    services.deliver_message(message.uuid)
    assert len(mail.outbox) == 1
    sent = mail.outbox[0]
    assert sent.to == ["rosa@example.org"]
    assert sent.subject == f"[{case.reference}] Beca"
    assert str(message.uuid) in sent.extra_headers["Message-ID"]
    message.refresh_from_db()
    assert (message.state, message.sent_at is not None) == ("sent", True)
    assert kinds(case) == ["opened", "messaged"]


def test_without_a_mailbox_a_message_is_recorded(world: World) -> None:
    case = CaseFactory(unit=world.unit, citizen=citizen(world.here), channel="phone")
    message = services.send_message(world.actor(world.alice), case.uuid, "Se lo he dicho")
    assert (message.state, message.channel, message.address) == ("recorded", "phone", "")
    carry_out()
    assert mail.outbox == []


def test_a_refused_address_fails_and_can_be_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CaseFactory(unit=world.unit, citizen=citizen(world.here, "rosa@example.org"))
    alice = world.actor(world.alice)
    message = services.send_message(alice, case.uuid, "Buenos días")

    def refuse(*_args: object, **_kwargs: object) -> int:
        raise smtplib.SMTPRecipientsRefused({"rosa@example.org": (550, b"no")})

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        services.deliver_message(message.uuid)
    message.refresh_from_db()
    assert message.state == Message.State.FAILED
    assert "rosa" not in message.state_reason
    services.retry_message(alice, case.uuid, message.uuid)
    with pytest.raises(Conflict):
        services.retry_message(alice, case.uuid, message.uuid)
    services.deliver_message(message.uuid)
    message.refresh_from_db()
    assert message.state == Message.State.SENT


def test_a_server_that_does_not_answer_is_tried_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CaseFactory(unit=world.unit, citizen=citizen(world.here, "rosa@example.org"))
    message = services.send_message(world.actor(world.alice), case.uuid, "Buenos días")

    def silence(*_args: object, **_kwargs: object) -> int:
        raise TimeoutError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", silence)
    with pytest.raises(outbox.TryLater):
        services.deliver_message(message.uuid)
    message.refresh_from_db()
    assert message.state == Message.State.QUEUED


def test_a_message_whose_sending_broke_off_asks_a_person_before_it_goes_again(
    world: World, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    case = CaseFactory(unit=world.unit, citizen=citizen(world.here, "rosa@example.org"))
    alice = world.actor(world.alice)
    message = services.send_message(alice, case.uuid, "Buenos días")

    def break_off(*_args: object, **_kwargs: object) -> int:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", break_off)
        carry_out()
    message.refresh_from_db()
    assert (message.state, message.sent_at) == (Message.State.UNKNOWN, None)
    client.force_login(world.alice)
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "Perhaps delivered" in page
    assert message.state_reason in page
    assert f"/{message.uuid}/" in page  # where it is sent again
    carry_out()
    assert mail.outbox == []
    services.retry_message(alice, case.uuid, message.uuid)
    carry_out()
    message.refresh_from_db()
    assert (message.state, message.state_reason) == (Message.State.SENT, "")
    assert len(mail.outbox) == 1


def test_a_document_is_kept_by_its_content(world: World, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    document = services.attach_document(alice, case.uuid, [PDF], "../Certificado.exe.pdf")
    assert (document.media_type, document.size) == ("application/pdf", len(PDF))
    assert "/" not in document.name
    with pytest.raises(Invalid):
        services.attach_document(alice, case.uuid, [b"<svg onload=alert(1)>"], "foto.jpg")
    with pytest.raises(NotFound):
        services.attach_document(world.actor(world.bob), case.uuid, [PDF], "x.pdf")
    assert kinds(case) == ["opened", "attached"]
    services.withdraw_document(alice, case.uuid, document.uuid, reason="Era de otra persona")
    with pytest.raises(Conflict):
        services.open_document(alice, case.uuid, document.uuid)
    with pytest.raises(Conflict):
        services.withdraw_document(alice, case.uuid, document.uuid, reason="Otra vez")


def test_a_specially_protected_document_is_hidden(
    world: World, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(unit=world.unit)
    boss = world.actor(employee(world.here, "supervisor", unit=world.unit))
    with pytest.raises(Refused):
        services.attach_document(
            world.actor(world.alice), case.uuid, [PDF], "x.pdf", confidentiality=3
        )
    document = services.attach_document(
        boss, case.uuid, [PDF], "x.pdf", confidentiality=Confidentiality.SPECIAL
    )
    assert list(Document.objects.for_actor(boss)) == [document]
    assert not Document.objects.for_actor(world.actor(world.alice)).exists()
    with pytest.raises(NotFound):
        services.open_document(world.actor(world.alice), case.uuid, document.uuid)


def test_participants_come_and_go(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice, person = world.actor(world.alice), citizen(world.here)
    stranger = citizen(world.elsewhere)
    with pytest.raises(Invalid):
        services.add_participant(alice, case.uuid, stranger.uuid, "witness")
    with pytest.raises(Invalid):
        services.add_participant(alice, case.uuid, person.uuid, "king")
    participant = services.add_participant(alice, case.uuid, person.uuid, "witness")
    with pytest.raises(Invalid):
        services.add_participant(alice, case.uuid, person.uuid, "witness")
    services.end_participant(alice, case.uuid, participant.uuid)
    services.end_participant(alice, case.uuid, participant.uuid)
    assert Participant.objects.for_actor(alice).get().ended_at is not None
    assert kinds(case) == ["opened", "participant_added", "participant_ended"]


def test_links_are_told_on_both_sides(world: World) -> None:
    one, two = CaseFactory(unit=world.unit), CaseFactory(unit=world.unit)
    hidden = CaseFactory(unit=world.other_unit)
    alice = world.actor(world.alice)
    with pytest.raises(NotFound):
        services.link_cases(alice, one.uuid, hidden.uuid)
    with pytest.raises(Invalid):
        services.link_cases(alice, one.uuid, one.uuid)
    link = services.link_cases(alice, one.uuid, two.uuid, "parent")
    with pytest.raises(Conflict):
        services.link_cases(alice, one.uuid, two.uuid)
    assert kinds(one) == kinds(two) == ["opened", "linked"]
    services.unlink_cases(alice, one.uuid, link.uuid)
    assert not Link.objects.for_actor(alice).exists()
    assert kinds(two) == ["opened", "linked", "unlinked"]


def test_of_a_linked_case_that_one_may_not_see_not_even_the_number_is_told(world: World) -> None:
    near, far = CaseFactory(unit=world.unit), CaseFactory(unit=world.other_unit)
    person = citizen(world.here)
    boss = world.actor(employee(world.here, "supervisor"))
    services.edit_case(boss, near.uuid, {"citizen": person.uuid}, version=near.version)
    services.link_cases(boss, near.uuid, far.uuid)

    def told(actor: Actor) -> list[str]:
        story = [entry.sentence for entry in timeline.whole_story(actor, near)]
        rows = Asked(limit=50)
        return story + [str(moment.text) for moment in citizen_story.tell(actor, person, rows)]

    assert len([text for text in told(boss) if far.reference in text]) == 2
    words = told(world.actor(world.alice))
    assert "linked the case …" in words
    assert not [text for text in words if far.reference in text]


def test_events_cannot_be_rewritten(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    event = Event.objects.for_actor(world.actor(world.alice)).get(case=case)
    event.actor_name = "Nadie"
    with pytest.raises(DatabaseError, match=r"(?i)cannot update"):
        event.save()


def test_what_came_while_the_scanner_was_away_is_judged_when_it_is_back(
    world: World, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.CLAMD_URL = f"unix:{tmp_path}/nobody"
    case, alice = CaseFactory(unit=world.unit), world.actor(world.alice)
    good = services.attach_document(alice, case.uuid, [PDF], "bueno.pdf")
    bad = services.attach_document(alice, case.uuid, [PDF + b"\n"], "malo.pdf")
    lost = services.attach_document(alice, case.uuid, [PDF + b"\n\n"], "perdido.pdf")
    files.discard(lost.path)
    look_again()
    assert set(case.documents.values_list("scan", flat=True)) == {"unavailable"}

    found = {good.path: files.Scan.CLEAN, bad.path: files.Scan.INFECTED}
    monkeypatch.setattr(files, "scan", lambda path: found.get(path) or files.open_stored(path))
    look_again()

    states = {row.name: row.scan for row in case.documents.all()}
    assert states == {"bueno.pdf": "clean", "malo.pdf": "infected", "perdido.pdf": "unavailable"}
    entries = AuditEntry.objects.filter(object_id=str(bad.uuid), data__scan="infected")
    assert entries.count() == 1
    client = Client()
    client.force_login(world.alice)
    for document, status in ((good, 200), (bad, 409), (lost, 409)):
        answer = client.get(f"/casos/{case.uuid}/documentos/{document.uuid}/")
        assert answer.status_code == status, document.name
