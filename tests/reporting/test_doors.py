"""Sealed histories tell what came through every door, to each reader what is theirs."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import pytest

from campaigns.models import Delivery
from campaigns.services import launching
from cases import services as cases
from cases import timeline
from cases.models import Case, Confidentiality
from channels_app import services as channels
from channels_app.email import verbs
from channels_app.models import Conversation, Message
from crm.citizens.identifiers import folded
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint
from crm.kit.actor import Actor
from crm.kit.errors import DomainError, NotFound, Refused
from reporting.case_history import Content, content, content_of_person
from reporting.models import IssuedHistory, Variant
from reporting.services import (
    download_history,
    issue_history,
    issue_person_history,
    make_history,
)
from scheduling.models import Happening
from scheduling.services import book_appointment
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.campaigns import approved, say, topic_of
from tests.factories.cases import CaseFactory
from tests.factories.channels_app import begin, make_account, make_agent, make_queue
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.mail import arrive, letter, make_mailbox
from tests.factories.scheduling import at, make_office, make_resource, make_service, wish
from tests.reporting.conftest import pages_of


@dataclass
class Doors:
    """One citizen who came through every door about one case, and what stands there."""

    case: Case
    chat: Conversation
    mail: Conversation
    alice: Actor

    def told(self, variant: str, actor: Actor) -> tuple[Content, str]:
        found = content(self.case, variant, "en", actor)
        return found, json.dumps(asdict(found), ensure_ascii=False)


def told_of(citizen: Citizen, variant: str, actor: Actor) -> tuple[Content, str]:
    found = content_of_person(citizen, variant, "en", actor)
    return found, json.dumps(asdict(found), ensure_ascii=False)


@pytest.fixture
def doors(world: World, person: Citizen, case: Case) -> Doors:
    alice = world.actor(world.alice)
    queue = make_queue(world.unit)
    make_agent(world.alice, queue, units=9)
    chat, _token = begin(
        make_account(queue),
        text="Hola, soy Iñigo y mi teléfono es 600 123 456",
        name="Iñi Zubi",
        address="inigo@correo.example",
    )
    channels.take(alice, chat.uuid)
    channels.reply(alice, chat.uuid, "Buenos días, señor Zubizarreta: traiga su DNI.")
    channels.add_note(alice, chat.uuid, "NOTA-DEL-CHAT sobre Peñalver")
    channels.identify(alice, chat.uuid, person.uuid)
    channels.link_case(alice, chat.uuid, case.reference)
    mailbox = make_mailbox(world.unit)
    raw = letter(
        "Le escribo otra vez, soy Zubizarreta.",
        sender="Iñigo Z <inigo@correo.example>",
        subject="Mi ingreso",
        files={"recibo-penalver.pdf": b"%PDF-1.4 x"},
    )
    mail = arrive(mailbox, raw).conversation
    assert mail is not None
    verbs.take(alice, mail.uuid)
    verbs.answer(alice, mail.uuid, "Lo hemos recibido, Íñigo.")
    channels.identify(alice, mail.uuid, person.uuid)
    channels.link_case(alice, mail.uuid, case.reference)
    service = make_service(world.here)
    make_resource(make_office(world.here, world.unit), service)
    book_appointment(alice, wish(at("10:00")), citizen=person.uuid, case=case.uuid)
    return Doors(case, chat, mail, alice)


def test_the_cases_history_tells_its_chat_its_mail_and_its_appointment(
    doors: Doors, boss: Actor
) -> None:
    found, text = doors.told("full", boss)
    said = [(words.who, words.direction, words.text) for words in found.messages]
    name = "Íñigo Zubizarreta Peñalver"
    assert said == [
        (name, "From the citizen", "Soy Íñigo. ¿Cuándo me pagan?"),
        ("Alice Arias", "To the citizen", "Estimado Sr. Peñalver: la semana próxima."),
        (name, "From the citizen", "Hola, soy Iñigo y mi teléfono es 600 123 456"),
        ("Alice Arias", "To the citizen", "Buenos días, señor Zubizarreta: traiga su DNI."),
        (name, "From the citizen", "Le escribo otra vez, soy Zubizarreta."),
        ("Atención de prueba", "To the citizen", "We have received your message."),
        ("Alice Arias", "To the citizen", "Lo hemos recibido, Íñigo."),
    ]
    assert all(words.at for words in found.messages)
    assert [note.text for note in found.notes] == [
        "Sospechamos de Castromil. SECRETO-INTERNO",
        "NOTA-DEL-CHAT sobre Peñalver",
    ]
    assert "recibo-penalver.pdf · SHA-256 " in text
    others = [(step.who, step.what) for step in found.timeline if not step.number]
    assert (name, "Began the conversation") in others
    assert ("Alice Arias", "Attends the conversation") in others
    (booked,) = [what for who, what in others if who == "Alice Arias" and "ooked" in what]
    assert booked.startswith("Booked Empadronamiento in Oficina de la Plaza: ")
    own = [step.number for step in found.timeline if step.number]
    assert own == list(range(1, doors.case.last_event + 1))


def test_the_citizens_copy_of_what_other_rooms_tell_has_no_notes_and_no_employees(
    doors: Doors, boss: Actor
) -> None:
    found, text = doors.told("citizen", boss)
    assert found.notes == []
    for secret in ("NOTA-DEL-CHAT", "SECRETO-INTERNO", "Alice", "Arias", "inigo@correo.example"):
        assert secret not in text
    assert "Buenos días, señor Zubizarreta: traiga su DNI." in text
    assert {words.who for words in found.messages} == {
        "Íñigo Zubizarreta Peñalver",
        "Organismo de aquí",
    }


def test_pseudonyms_hold_in_chats_and_mails(doors: Doors, boss: Actor) -> None:
    found, text = doors.told("redacted", boss)
    plain = folded(text)
    for word in ("inigo", "zubi", "penalver", "alice", "arias", "correo.example"):
        assert word not in plain, word
    for secret in ("600 123 456", "600123456", "NOTA-DEL-CHAT"):
        assert secret not in text
    assert [(words.who, words.text) for words in found.messages[2:]] == [
        ("Person 1", "Hola, soy Person 1 y mi teléfono es [number]"),
        ("Employee 1", "Buenos días, señor Person 1: traiga su DNI."),
        ("Person 1", "Le escribo otra vez, soy Person 1."),
        ("Atención de prueba", "We have received your message."),
        ("Employee 1", "Lo hemos recibido, Person 1."),
    ]


def test_pseudonyms_stay_when_an_older_chat_is_linked_later(
    doors: Doors, boss: Actor, world: World
) -> None:
    before = [person.name for person in doors.told("redacted", boss)[0].people]
    other = CitizenFactory(name="Zoe", surname1="Zorita", organisation=world.here, nif="")
    Conversation.objects.unscoped("test").filter(pk=doors.chat.pk).update(citizen=None)
    row = doors.mail
    Conversation.objects.unscoped("test").filter(pk=row.pk).update(citizen=other)
    found = doors.told("redacted", boss)[0]
    assert [person.name for person in found.people] == before
    assert found.messages[4].who == "Person 3"
    assert found.messages[2].who == "Other person 1"


@pytest.mark.parametrize("variant", Variant.values)
def test_what_other_rooms_tell_costs_no_query_a_row(
    doors: Doors, boss: Actor, variant: str, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(19):
        content(doors.case, variant, "es", boss)
    _many(doors)
    with django_assert_num_queries(19):
        content(doors.case, variant, "es", boss)


def _many(doors: Doors) -> None:
    happening = Happening.objects.unscoped("test").first()
    assert happening is not None
    for number in range(100, 120):
        for row in (doors.chat, doors.mail):
            Message.objects.create(
                conversation=row,
                account=row.account,
                number=number,
                direction="in",
                author_kind="citizen",
                body=f"Mensaje {number}",
            )
        happening.pk, happening.seq = None, number
        happening.save()


def test_a_conversation_of_nobodys_case_is_in_no_cases_history(
    doors: Doors, boss: Actor, world: World
) -> None:
    other = CaseFactory(unit=world.unit, actor=doors.alice, subject="Otra cosa")
    found = content(other, "full", "en", boss)
    assert (found.messages, found.notes) == ([], [])
    assert [step.what for step in found.timeline] == ["Opened"]


# --- The history of a person ----------------------------------------------------------------------


@pytest.fixture
def campaign(world: World, person: Citizen) -> None:
    """They were sent a campaign's message."""
    point = ContactPointFactory(
        citizen=person,
        organisation=world.here,
        channel=Channel.EMAIL,
        address="inigo@correo.example",
        quality=ContactPoint.Quality.GOOD,
    )
    topic = topic_of(world.here)
    say(world.here, point, topic, "granted")
    launching.launch(approved(world.here, topic, name="Talleres de otoño").pk)
    delivery = Delivery.objects.unscoped("test").get()
    delivery.status, delivery.settled_at = Delivery.Status.SENT, delivery.created_at
    delivery.save()


@pytest.mark.usefixtures("campaign")
def test_a_persons_history_tells_every_door(doors: Doors, boss: Actor, person: Citizen) -> None:
    found, text = told_of(person, "full", boss)
    assert (found.reference, found.subject) == ("", "Íñigo Zubizarreta Peñalver")
    assert [step.number for step in found.timeline] == list(range(1, len(found.timeline) + 1))
    whats = [step.what for step in found.timeline]
    assert "Opened the case in Norte" in whats
    assert whats.count("Began the conversation") == 2
    assert any(what.startswith("Booked Empadronamiento") for what in whats)
    assert "Was sent a campaign's message" in whats
    for words in (
        "Soy Íñigo. ¿Cuándo me pagan?",
        "Hola, soy Iñigo y mi teléfono es 600 123 456",
        "Le escribo otra vez, soy Zubizarreta.",
        "Talleres de otoño",
        "NOTA-DEL-CHAT",
        "SECRETO-INTERNO",
        doors.case.reference,
        "Web chat",
        "Email",
    ):
        assert words in text, words


@pytest.mark.usefixtures("campaign")
def test_the_persons_own_copy_leaves_out_what_is_the_houses(
    doors: Doors, boss: Actor, person: Citizen
) -> None:
    CitizenRecord.objects.unscoped("test").filter(citizen=person).update(language="en")
    found, text = told_of(person, "citizen", boss)
    assert found.notes == []
    for secret in (
        *("NOTA-DEL-CHAT", "SECRETO-INTERNO", "MOTIVO-INTERNO", "Alice", "Arias", "Alta prioridad"),
        *("informe-secreto", "oficio-interno", "12345678Z"),
    ):
        assert secret not in text, secret
    assert "resolucion.pdf" in text
    assert "Talleres de otoño" in text
    assert "Lo hemos recibido, Íñigo." in text


@pytest.mark.usefixtures("campaign")
def test_nobody_is_named_in_a_persons_redacted_history(
    doors: Doors, boss: Actor, person: Citizen
) -> None:
    found, text = told_of(person, "redacted", boss)
    plain = folded(text)
    for word in ("inigo", "zubi", "penalver", "xoana", "castromil", "alice", "arias", "correo."):
        assert word not in plain, word
    assert found.subject == "Person 1"
    assert found.notes == []
    assert "Hola, soy Person 1 y mi teléfono es [number]" in text
    assert doors.case.reference in text


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("variant", Variant.values)
def test_a_persons_history_costs_no_query_a_row(
    doors: Doors,
    boss: Actor,
    person: Citizen,
    variant: str,
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    content_of_person(person, variant, "es", boss)  # what is asked once
    with django_assert_num_queries(24):
        content_of_person(person, variant, "es", boss)
    _many(doors)
    for _number in range(5):
        row = CaseFactory(unit=doors.case.unit, actor=doors.alice, citizen=person)
        cases.record_message(doors.alice, row.uuid, "Otra vez yo", channel="phone")
    with django_assert_num_queries(24):
        content_of_person(person, variant, "es", boss)


def test_what_is_kept_from_the_actor_is_in_no_history_of_theirs(
    doors: Doors, boss: Actor, world: World, person: Citizen
) -> None:
    """Somebody else's unit, specially protected cases, and conversations that belong to them."""
    elsewhere = world.actor(employee(world.here, "supervisor", unit=world.other_unit))
    text = told_of(person, "full", elsewhere)[1]
    for words in ("Soy Íñigo", "Hola, soy Iñigo", "Le escribo otra vez", doors.case.reference):
        assert words not in text, words

    Case.objects.unscoped("test").filter(pk=doors.case.pk).update(
        confidentiality=Confidentiality.SPECIAL
    )
    auditor = world.actor(employee(world.here, "auditor"))
    found, text = told_of(person, "full", auditor)
    assert not found.special
    for words in ("Soy Íñigo", "Hola, soy Iñigo", "Le escribo otra vez", doors.case.reference):
        assert words not in text, words
    assert told_of(person, "full", boss)[0].special


def test_somebody_elses_case_lends_no_words_to_who_takes_part_in_it(
    doors: Doors, boss: Actor
) -> None:
    """Xoana represents Íñigo: that he wrote, and what he filed, is not hers."""
    xoana = Citizen.objects.unscoped("test").get(name="Xoana")
    for variant in Variant.values:
        found, text = told_of(xoana, variant, boss)
        assert (found.messages, found.notes) == ([], [])
        for words in ("Soy Íñigo", "DNI es", "SECRETO-INTERNO", "informe-secreto", "recibo"):
            assert words not in text, (variant, words)
        who = "Person 1" if variant == "redacted" else "Xoana Castromil"
        assert [step.what for step in found.timeline] == [f"Added {who} as representative"]


@pytest.mark.usefixtures("sheet")
def test_a_persons_history_exists_for_its_asker_and_who_sees_all(
    doors: Doors, boss: Actor, world: World, person: Citizen
) -> None:
    history = issue_person_history(boss, person.uuid, "full")
    make_history(history.pk)
    assert issue_person_history(boss, person.uuid, "full").pk == history.pk
    row, document = download_history(boss, history.uuid)
    assert row.sha256
    assert document.startswith(b"%PDF")
    assert str(person.uuid) not in row.file_name
    colleague = world.actor(employee(world.here, "supervisor", unit=world.unit))
    stranger = world.actor(employee(world.elsewhere, "supervisor"))
    for other in (colleague, stranger, world.actor(employee(world.here, "auditor"))):
        with pytest.raises(NotFound):
            download_history(other, history.uuid)
    everywhere = world.actor(employee(world.here, "supervisor"))
    assert download_history(everywhere, history.uuid)[1] == document
    with pytest.raises(NotFound):
        issue_person_history(stranger, person.uuid, "full")
    with pytest.raises(Refused):
        issue_person_history(doors.alice, person.uuid, "full")


@pytest.mark.usefixtures("sheet")
def test_a_protected_persons_history_asks_for_a_reason_and_for_who_may_open_them(
    boss: Actor, world: World, person: Citizen
) -> None:
    history = issue_person_history(boss, person.uuid, "full")
    CitizenRecord.objects.unscoped("test").filter(citizen=person).update(
        protected=True, protected_reason="Violencia"
    )
    auditor = world.actor(employee(world.here, "auditor"))
    with pytest.raises(DomainError) as refused:
        issue_person_history(boss, person.uuid, "full")
    assert refused.value.code == "reason_needed"
    with pytest.raises(Refused):
        issue_person_history(auditor, person.uuid, "full", reason="Auditoría")
    issue_person_history(boss, person.uuid, "full", reason="Recurso 12/2026")
    assert IssuedHistory.objects.for_actor(auditor).count() == 0
    assert IssuedHistory.objects.for_actor(boss).filter(pk=history.pk).exists()


def test_a_history_that_names_the_protected_is_for_who_may_open_them(
    doors: Doors, boss: Actor, world: World
) -> None:
    """The auditor sees initials on the case's page, and no whole name in its history."""
    auditor = world.actor(employee(world.here, "auditor"))
    full = issue_history(boss, doors.case.uuid, "full")
    nobodys = issue_history(auditor, CaseFactory(unit=world.unit).uuid, "full")
    assert IssuedHistory.objects.for_actor(auditor).filter(pk=full.pk).exists()
    xoana = Citizen.objects.unscoped("test").get(name="Xoana")  # only takes part
    CitizenRecord.objects.unscoped("test").filter(citizen=xoana).update(
        protected=True, protected_reason="Violencia"
    )
    for variant in ("full", "citizen"):
        with pytest.raises(Refused):
            issue_history(auditor, doors.case.uuid, variant)
    redacted = issue_history(auditor, doors.case.uuid, "redacted")
    assert {*IssuedHistory.objects.for_actor(auditor)} == {redacted, nobodys}
    assert IssuedHistory.objects.for_actor(boss).filter(pk=full.pk).exists()


def test_a_persons_history_that_names_somebody_protected_is_for_who_may_open_them(
    doors: Doors, boss: Actor, world: World, person: Citizen
) -> None:
    """Íñigo is nobody to hide; Xoana, who takes part in his case, is."""
    auditor = world.actor(employee(world.here, "auditor"))
    xoana = Citizen.objects.unscoped("test").get(name="Xoana")
    assert "Xoana Castromil" in told_of(person, "full", auditor)[1]
    before = issue_person_history(auditor, person.uuid, "full")
    nobodys = issue_person_history(
        auditor, CitizenFactory(organisation=world.here).uuid, "full", reason=""
    )
    CitizenRecord.objects.unscoped("test").filter(citizen=xoana).update(
        protected=True, protected_reason="Violencia"
    )
    for variant in ("full", "citizen"):
        with pytest.raises(Refused):
            issue_person_history(auditor, person.uuid, variant)
    redacted = issue_person_history(auditor, person.uuid, "redacted")
    mine = IssuedHistory.objects.for_actor(auditor)
    assert {*mine} == {redacted, nobodys}
    assert before not in mine
    issue_person_history(boss, person.uuid, "full")


def test_who_only_wrote_in_a_cases_chat_is_protected_too(doors: Doors, world: World) -> None:
    neighbour = CitizenFactory(name="Zoe", surname1="Zorita", organisation=world.here, nif="")
    Conversation.objects.unscoped("test").filter(pk=doors.chat.pk).update(citizen=neighbour)
    auditor = world.actor(employee(world.here, "auditor"))
    issue_history(auditor, doors.case.uuid, "full")
    CitizenRecord.objects.unscoped("test").filter(citizen=neighbour).update(
        protected=True, protected_reason="Violencia"
    )
    with pytest.raises(Refused):
        issue_history(auditor, doors.case.uuid, "full")
    assert not IssuedHistory.objects.for_actor(auditor).exists()


def test_of_the_protected_a_conversation_shows_initials(
    doors: Doors, world: World, person: Citizen
) -> None:
    """What they called themselves in the chat is their name, too."""
    CitizenRecord.objects.unscoped("test").filter(citizen=person).update(
        protected=True, protected_reason="Violencia"
    )
    told = timeline.told_by_others(doors.alice, doors.case)
    names = {entry.author for entry in told}
    assert "Iñi Zubi" not in names
    assert "Iñigo Z" not in names
    assert "Í. Z. P." in names


def test_who_may_not_open_a_protected_record_confirms_nobody_as_them(
    doors: Doors, world: World, person: Citizen
) -> None:
    Conversation.objects.unscoped("test").filter(pk=doors.chat.pk).update(citizen=None)
    CitizenRecord.objects.unscoped("test").filter(citizen=person).update(
        protected=True, protected_reason="Violencia"
    )
    with pytest.raises(Refused):
        channels.identify(doors.alice, doors.chat.uuid, person.uuid)
    doors.chat.refresh_from_db()
    assert doors.chat.citizen is None


def test_a_case_opened_in_a_chat_is_theirs_who_is_confirmed_and_no_older_one(
    doors: Doors, world: World, person: Citizen
) -> None:
    """Nobody's older case, which somebody only asks about, stays nobody's."""
    Conversation.objects.unscoped("test").filter(pk=doors.chat.pk).update(citizen=None)
    older = CaseFactory(unit=world.unit, actor=doors.alice, subject="Una farola")
    before = doors.chat.opened_at - timedelta(days=1)
    Case.objects.unscoped("test").filter(pk=older.pk).update(opened_at=before)
    channels.link_case(doors.alice, doors.chat.uuid, older.reference)
    newer = channels.open_case(
        doors.alice, doors.chat.uuid, case_type=older.case_type.code, subject="Lo del chat"
    )
    assert newer.citizen is None
    channels.identify(doors.alice, doors.chat.uuid, person.uuid)
    newer.refresh_from_db()
    older.refresh_from_db()
    assert (newer.citizen, older.citizen) == (person, None)


def test_another_organisation_with_the_same_citizen_tells_nothing_of_ours(
    doors: Doors, world: World, person: Citizen
) -> None:
    CitizenRecord.objects.create(citizen=person, organisation=world.elsewhere)
    theirs = world.actor(employee(world.elsewhere, "supervisor"))
    for variant in Variant.values:
        found, text = told_of(person, variant, theirs)
        assert (found.organisation_code, found.timeline) == ("ELSE", [])
        assert (found.messages, found.notes) == ([], [])
        assert doors.case.reference not in text


@pytest.mark.usefixtures("campaign")
def test_the_sealed_document_holds_every_door(doors: Doors, boss: Actor, person: Citizen) -> None:
    history = issue_person_history(boss, person.uuid, "full", language="en")
    make_history(history.pk)
    history.refresh_from_db()
    assert history.status == "done", history.error
    text = " ".join(pages_of(download_history(boss, history.uuid)[1]))
    for words in (
        *("History of a person", "Began the conversation", "Booked Empadronamiento"),
        *("Was sent a campaign's message", "Le escribo otra vez, soy Zubizarreta."),
    ):
        assert words in text, words
    assert "The matter" not in text
