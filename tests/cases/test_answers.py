"""Canned answers: whose they are, what they may say, which fit a case, how they are sent."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from cases import answers as reading
from cases import selectors
from cases.models import (
    AnswerVersion,
    CannedAnswer,
    Case,
    CaseType,
    Confidentiality,
    Document,
    Message,
    MessageFile,
)
from cases.services import answers as verbs
from cases.services import change_confidentiality, deliver_message, send_message
from cases.services.answers import Answer
from crm.accounts.models import User
from crm.audit.models import AuditEntry
from crm.citizens.models import Channel, Citizen
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, NotFound, Refused
from tests.api.conftest import key_for
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.citizens import CitizenFactory, ContactPointFactory
from tests.factories.organisations import UnitFactory

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Pages read in English leave the thread as it was."""
    before = translation.get_language()
    yield
    translation.activate(before or "es")


@pytest.fixture
def boss(world: World) -> Actor:
    """Supervises everywhere."""
    return world.actor(employee(world.here, "supervisor", full_name="Jefa Juste"))


@pytest.fixture
def rent(world: World) -> CaseType:
    """A type with a field of its own."""
    fields = {
        "properties": {"rent": {"type": "number", "title": "Renta"}},
        "required": [],
    }
    return CaseTypeFactory(organisation=world.here, code="rent", fields=fields)


@pytest.fixture
def citizen(world: World) -> Citizen:
    """Ana, who reads Valencian and has a mailbox."""
    ana = CitizenFactory(organisation=world.here, name="Ana", surname1="Pla", surname2="")
    ContactPointFactory(
        citizen=ana, organisation=world.here, channel=Channel.EMAIL, address="ana@example.org"
    )
    return ana


@pytest.fixture
def case(world: World, rent: CaseType, citizen: Citizen) -> Case:
    return CaseFactory(
        unit=world.unit, case_type=rent, citizen=citizen, language="ca-es-valencia", subject="Piso"
    )


def said(**given: Any) -> Answer:
    return Answer(
        **{"code": "hola", "name": "Saludo", "texts": {"es": "Hola, ((citizen)):"}, **given}
    )


def made(actor: Actor, **given: Any) -> CannedAnswer:
    """Published."""
    row = verbs.create_answer(actor, said(**given))
    return row if row.status == "published" else verbs.publish_answer(actor, row.uuid)


def codes(actor: Actor, case: Case, **asked: Any) -> list[str]:
    found = reading.offered(actor, selectors.case_of(actor, case.uuid), **asked)
    return [one.answer.code for one in found]


# --- What may be written --------------------------------------------------------------------------


def test_ones_own_is_offered_at_once_to_oneself_alone(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    row = verbs.create_answer(alice, said())
    assert (row.status, row.owner_id) == ("published", world.alice.pk)
    assert codes(alice, case) == ["hola"]
    colleague = world.actor(employee(world.here, "agent", unit=world.unit))
    assert codes(colleague, case) == []
    with pytest.raises(NotFound):
        verbs.change_answer(colleague, row.uuid, said(name="Otro"))
    assert (
        AuditEntry.objects.filter(object_id=str(row.uuid), action="cases.change_case").count() == 1
    )


def test_a_shared_one_is_a_draft_until_somebody_with_the_right_publishes_it(
    world: World, boss: Actor, case: Case
) -> None:
    alice = world.actor(world.alice)
    row = verbs.create_answer(alice, said(audience="organisation"))
    assert (row.status, codes(alice, case)) == ("draft", [])
    with pytest.raises(Refused):
        verbs.publish_answer(alice, row.uuid)
    verbs.publish_answer(boss, row.uuid)
    assert codes(alice, case) == ["hola"]
    # other words are a draft again; those published stay
    verbs.change_answer(alice, row.uuid, said(audience="organisation", texts={"es": "Buenas"}))
    (offer,) = reading.offered(alice, selectors.case_of(alice, case.uuid))
    assert offer.said.text == "Hola, Ana Pla:"
    verbs.publish_answer(boss, row.uuid)
    (offer,) = reading.offered(alice, selectors.case_of(alice, case.uuid))
    assert offer.said.text == "Buenas"
    kept = AnswerVersion.objects.filter(answer=row).order_by("number")
    assert [(one.number, one.status) for one in kept] == [(1, "superseded"), (2, "published")]
    verbs.retire_answer(boss, row.uuid)
    assert codes(alice, case) == []
    with pytest.raises(Conflict):
        verbs.change_answer(alice, row.uuid, said(audience="organisation"))


def test_who_may_not_publish_changes_no_published_answers_place(
    world: World, boss: Actor, rent: CaseType
) -> None:
    row = made(boss, audience="organisation")
    with pytest.raises(Refused):
        verbs.change_answer(
            world.actor(world.alice), row.uuid, said(audience="organisation", case_types=["rent"])
        )
    row.refresh_from_db()
    assert row.case_types == []


def test_a_unit_supervisor_publishes_in_their_unit_only(world: World) -> None:
    head = world.actor(employee(world.here, "supervisor", unit=world.unit))
    theirs = verbs.create_answer(head, said(audience="unit", unit=world.unit.uuid))
    assert verbs.publish_answer(head, theirs.uuid).status == "published"
    others = verbs.create_answer(head, said(audience="unit", unit=world.other_unit.uuid))
    whole = verbs.create_answer(head, said(audience="organisation"))
    for row in (others, whole):
        with pytest.raises(Refused):
            verbs.publish_answer(head, row.uuid)


def test_an_unknown_variable_is_refused_with_its_place(world: World, rent: CaseType) -> None:
    alice = world.actor(world.alice)
    text = "Hola:\nsu renta es ((data.rent)) y ((sueldo))"
    with pytest.raises(Invalid) as refused:
        verbs.create_answer(alice, said(texts={"es": text}, case_types=["rent"]))
    (told,) = refused.value.errors["text_es"]
    assert str(told).startswith("Line 2, sign 29: nothing is known by the name “sueldo”.")
    assert "data.rent" in str(told)
    with pytest.raises(Invalid) as refused:  # of no type in particular no field is known
        verbs.create_answer(alice, said(texts={"es": "((data.rent))"}))
    assert "Line 1, sign 1" in str(refused.value.errors["text_es"][0])
    other = CaseTypeFactory(organisation=world.here, code="other")
    with pytest.raises(Invalid):  # nor when one of the types does not have it
        verbs.create_answer(
            alice, said(texts={"es": "((data.rent))"}, case_types=["rent", other.code])
        )
    assert not CannedAnswer.objects.unscoped("none was made").exists()


def test_what_is_wrong_is_said_by_field(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        verbs.create_answer(
            world.actor(world.alice),
            Answer(
                code="Con Espacio",
                name="",
                texts={},
                case_types=["nothing"],
                states=["nowhere"],
                channels=["smoke"],
            ),
        )
    assert set(refused.value.errors) == {
        "code", "name", "text_es", "case_types", "states", "channels",
    }  # fmt: skip


def test_a_short_name_is_once_in_its_place(world: World, boss: Actor) -> None:
    alice, bob = world.actor(world.alice), world.actor(world.bob)
    for actor in (alice, bob):
        verbs.create_answer(actor, said())
    made(boss, audience="organisation")
    with pytest.raises(Invalid) as refused:
        verbs.create_answer(alice, said())
    assert set(refused.value.errors) == {"code"}
    verbs.retire_answer(alice, CannedAnswer.objects.for_actor(alice).get(owner=world.alice).uuid)
    assert verbs.create_answer(alice, said()).status == "published"


def test_a_late_change_overwrites_nothing(world: World) -> None:
    alice = world.actor(world.alice)
    row = verbs.create_answer(alice, said())
    seen = row.version
    verbs.change_answer(alice, row.uuid, said(name="Primero"), version=seen)
    with pytest.raises(Changed):
        verbs.change_answer(alice, row.uuid, said(name="Segundo"), version=seen)
    row.refresh_from_db()
    assert row.name == "Primero"


def test_another_organisations_answers_do_not_exist(world: World, boss: Actor) -> None:
    row = made(boss, audience="organisation")
    charlie = world.actor(world.charlie)
    assert list(reading.answers(charlie)) == []
    with pytest.raises(NotFound):
        verbs.publish_answer(charlie, row.uuid)


# --- Which fit, and how they read -----------------------------------------------------------------


def test_those_that_fit_come_first(world: World, boss: Actor, case: Case) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit, code="DESK")
    everyone = {"audience": "organisation"}
    made(boss, code="todos", **everyone)
    made(boss, code="valenciano", texts={"es": "A", "ca-es-valencia": "B"}, **everyone)
    made(boss, code="estado", states=["new"], **everyone)
    made(boss, code="tipo", case_types=["rent"], **everyone)
    made(boss, code="unidad", audience="unit", unit=world.unit.uuid)
    made(boss, code="ajena", audience="unit", unit=world.other_unit.uuid)
    made(boss, code="debajo", audience="unit", unit=below.uuid)
    made(boss, code="cerrados", states=["closed"], **everyone)
    CaseTypeFactory(organisation=world.here, code="other")
    made(boss, code="otro-tipo", case_types=["other"], **everyone)
    alice = world.actor(world.alice)
    assert codes(alice, case) == ["unidad", "tipo", "estado", "valenciano", "todos"]
    # what an answer of the unit above says holds in the units under it
    lower = CaseFactory(unit=below, case_type=case.case_type)
    assert codes(boss, lower)[:2] == ["debajo", "unidad"]
    # words find also what does not fit in the state, after the rest; never another type's or unit's
    assert codes(alice, case, text="cerr") == ["cerrados"]
    assert codes(alice, case, text="saludo")[-1] == "cerrados"
    assert codes(alice, case, text="ajena") == codes(alice, case, text="otro tipo") == []
    # then the most used
    CannedAnswer.objects.for_actor(boss).filter(code="todos").update(uses=5)
    made(boss, code="nuevo-todos", **everyone)
    assert codes(alice, case)[-2:] == ["todos", "nuevo-todos"]


def test_words_without_accents_and_the_short_name_find(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    made(alice, code="falta-doc", name="Falta documentación", texts={"es": "Aporte el padrón."})
    assert codes(alice, case, text="documentacion PADRON") == ["falta-doc"]
    assert codes(alice, case, text="falta-doc") == ["falta-doc"]
    assert codes(alice, case, text="nómina") == []


@pytest.mark.parametrize(
    ("texts", "language", "expected"),
    [
        ({"es": "E", "ca": "C", "ca-es-valencia": "V"}, "ca-es-valencia", "ca-es-valencia"),
        ({"es": "E", "ca": "C"}, "ca-es-valencia", "ca"),
        ({"es": "E", "ca": "C"}, "gl", "es"),
        ({"eu": "K", "en": "E"}, "gl", "eu"),
    ],
)
def test_a_language_falls_back_by_rule(texts: dict[str, str], language: str, expected: str) -> None:
    assert reading.chosen(texts, language) == expected


def test_it_reads_as_the_case_says_and_says_what_lacks(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    text = "((citizen)), sobre ((subject)) (((reference))): antes del ((due)), renta ((data.rent))."
    made(alice, texts={"es": text}, case_types=["rent"])
    (offer,) = reading.offered(alice, selectors.case_of(alice, case.uuid))
    assert offer.said.text == (
        f"Ana Pla, sobre Piso ({case.reference}): antes del ((due)), renta ((data.rent))."
    )
    assert [(one.name, one.label) for one in offer.said.missing] == [
        ("due", "Due date"),
        ("data.rent", "Renta"),
    ]
    assert (offer.said.language, offer.said.fell_back) == ("es", True)


def test_the_name_of_the_protected_is_left_to_be_filled_in(
    world: World, case: Case, citizen: Citizen
) -> None:
    alice = world.actor(world.alice)
    made(alice)
    citizen.records.update(protected=True, protected_reason="Medida judicial")
    (offer,) = reading.offered(alice, selectors.case_of(alice, case.uuid))
    assert offer.said.text == "Hola, ((citizen)):"


def test_many_answers_are_offered_by_as_many_questions_as_one(
    world: World, boss: Actor, case: Case
) -> None:
    """The files of each were asked for by themselves, at every letter that is typed."""
    found = selectors.case_of(boss, case.uuid)
    made(boss, audience="organisation")
    reading.offered(boss, found)
    with CaptureQueriesContext(connection) as one:
        reading.offered(boss, found)
    for number in range(3):
        made(boss, audience="organisation", code=f"otra-{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(reading.offered(boss, found)) == 4
    assert len(many) == len(one)


# --- Sending --------------------------------------------------------------------------------------


def test_what_is_not_filled_in_stops_the_sending(world: World, case: Case) -> None:
    alice = world.actor(world.alice)
    with pytest.raises(Invalid) as refused:
        send_message(alice, case.uuid, "Antes del ((due)) y ((data.rent)).")
    assert refused.value.errors == {
        "text": ["Fill in or delete before sending: ((due)) Due date, ((data.rent)) Renta."]
    }
    assert not Message.objects.filter(case=case).exists()
    send_message(alice, case.uuid, "Esto (entre ((paréntesis))) sí sale.")
    assert Message.objects.filter(case=case).count() == 1


def test_files_go_with_the_message_as_documents_once(
    world: World, boss: Actor, case: Case, settings: Any, tmp_path: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path
    alice = world.actor(world.alice)
    one = made(boss, audience="organisation")
    two = made(boss, code="otra", audience="organisation")
    for row in (one, two):
        verbs.add_file(boss, row.uuid, [PDF], "modelo.pdf")
    key = uuid4()
    sent = verbs.send_answered(alice, case.uuid, "Va.", [one.uuid, two.uuid], key=key)
    again = verbs.send_answered(alice, case.uuid, "Va.", [one.uuid, two.uuid], key=key)
    assert sent == again
    (document,) = Document.objects.filter(case=case)
    assert (document.name, document.confidentiality) == ("modelo.pdf", Confidentiality.PUBLIC)
    assert MessageFile.objects.get().document == document
    assert sent.state == Message.State.QUEUED
    verbs.send_answered(alice, case.uuid, "Otra vez.", [one.uuid], key=uuid4())
    assert Document.objects.filter(case=case).count() == 1  # by reference
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.uses, two.uses) == (2, 1)
    assert one.last_used_at is not None
    deliver_message(sent.uuid)
    assert [part[:1] + part[2:] for part in mail.outbox[0].attachments] == [
        ("modelo.pdf", "application/pdf")
    ]
    assert mail.outbox[0].attachments[0][1] == PDF


def test_the_files_of_many_answers_are_bounded_together(
    world: World, boss: Actor, case: Case, settings: Any, tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each answer had its bound, twenty in one e-mail had none."""
    settings.MEDIA_ROOT = tmp_path
    one = made(boss, audience="organisation")
    two = made(boss, code="otra", audience="organisation")
    verbs.add_file(boss, one.uuid, [PDF], "modelo.pdf")
    verbs.add_file(boss, two.uuid, [PDF + b"%"], "otro.pdf")
    monkeypatch.setattr(verbs, "MOST_BYTES", 2 * len(PDF))
    with pytest.raises(Invalid):
        verbs.send_answered(world.actor(world.alice), case.uuid, "Va.", [one.uuid, two.uuid])
    assert not Message.objects.filter(case=case).exists()
    assert not Document.objects.filter(case=case).exists()


def test_a_file_that_is_not_clean_stops_the_sending(
    world: World, case: Case, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    alice = world.actor(world.alice)
    row = made(alice)
    file = verbs.add_file(alice, row.uuid, [PDF], "modelo.pdf")
    file.scan = "unavailable"
    file.save()
    monkeypatch.setattr("crm.kit.files.scan", lambda _path: verbs.kept.Scan.UNAVAILABLE)
    monkeypatch.setattr(verbs.kept, "scan", lambda _path: verbs.kept.Scan.UNAVAILABLE)
    with pytest.raises(Conflict, match=r"modelo\.pdf"):
        verbs.send_answered(alice, case.uuid, "Va.", [row.uuid])
    assert not Message.objects.filter(case=case).exists()
    assert not Document.objects.filter(case=case).exists()


def test_nobody_sends_with_a_colleagues_own_answer(world: World, case: Case) -> None:
    bobs = made(world.actor(world.bob))
    verbs.send_answered(world.actor(world.alice), case.uuid, "Va.", [bobs.uuid])
    bobs.refresh_from_db()
    assert bobs.uses == 0


# --- Pages ----------------------------------------------------------------------------------------


def signed_in(user: User) -> Client:
    user.language = "en"
    user.save()
    client = Client()
    client.force_login(user)
    return client


def test_the_composer_is_offered_what_fits_in_the_citizens_language(
    world: World, case: Case
) -> None:
    alice = world.actor(world.alice)
    made(alice, texts={"es": "Hola", "ca": "Bon dia, ((citizen))", "gl": "Bo día"})
    client = signed_in(world.alice)
    found = client.get(f"/casos/{case.uuid}/respuestas-tipo/?q=hola").json()
    assert found["language"] == "ca-es-valencia"
    (item,) = found["items"]
    assert (item["text"], item["note"]) == ("Bon dia, Ana Pla", "Only in Català")
    other = client.get(f"/casos/{case.uuid}/respuestas-tipo/?q=hola&idioma=gl").json()["items"][0]
    assert (other["text"], other["note"], other["missing"]) == ("Bo día", "", [])


def test_a_case_that_is_not_seen_discloses_nothing(world: World, boss: Actor, case: Case) -> None:
    made(boss, audience="organisation")
    assert signed_in(world.bob).get(f"/casos/{case.uuid}/respuestas-tipo/").status_code == 404
    head = world.actor(employee(world.here, "supervisor"))
    change_confidentiality(head, case.uuid, Confidentiality.SPECIAL)
    assert signed_in(world.alice).get(f"/casos/{case.uuid}/respuestas-tipo/").status_code == 404


def test_the_editor_keeps_what_was_typed_and_says_where_it_is_wrong(world: World) -> None:
    client = signed_in(world.alice)
    typed = {"name": "Saludo", "code": "hola", "audience": "own", "text_es": "Hola ((nadie))"}
    answer = client.post("/respuestas/nueva/", typed)
    assert answer.status_code == 422
    assert "Hola ((nadie))" in answer.content.decode()
    assert "Line 1, sign 6" in answer.content.decode()
    typed["text_es"] = "Hola ((citizen))"
    assert client.post("/respuestas/nueva/", typed).status_code == 302
    row = CannedAnswer.objects.for_actor(world.actor(world.alice)).get()
    late = {**typed, "name": "Tarde", "version": str(row.version - 1)}
    assert client.post(f"/respuestas/{row.uuid}/", late).status_code == 409
    assert client.get("/respuestas/?q=hola").content.decode().count("Saludo") == 1


# --- By API ---------------------------------------------------------------------------------------


def api_of(world: World, *scopes: str) -> Client:
    return Client(
        headers={"authorization": f"Bearer {key_for(world.here, *scopes, name=scopes[-1])}"}
    )


def test_by_api_an_answer_is_written_published_and_retired(world: World) -> None:
    writer = api_of(world, "cases.view_case", "cases.write_article")
    url = "/api/v1/canned-answers/"
    body = {"code": "hola", "name": "Saludo", "texts": {"es": "Hola"}, "audience": "organisation"}
    once = {"headers": {"idempotency-key": "una"}, "content_type": "application/json"}
    made_one = writer.post(url, body, **once)
    assert (made_one.status_code, made_one["ETag"]) == (201, '"1"')
    row = made_one.json()
    assert (row["status"], row["texts"], row["draft"]) == ("draft", None, {"es": "Hola"})
    assert writer.post(url, body, **once).json() == row
    assert CannedAnswer.objects.for_actor(world.actor(world.alice)).count() == 1
    one = f"{url}{row['id']}/"
    given: dict[str, Any] = {"content_type": "application/json"}
    wrong = writer.patch(one, {"texts": {"es": "Hola ((nadie))"}}, **given)
    assert (wrong.status_code, b"Line 1, sign 6" in wrong.content) == (422, True)
    assert writer.patch(one, {"texts": {"es": 5}}, **given).status_code == 422
    changed = writer.patch(one, {"texts": {"es": "Buenas"}}, headers={"if-match": '"1"'}, **given)
    assert changed.json()["draft"] == {"es": "Buenas"}
    late = writer.patch(one, {"name": "Tarde"}, headers={"if-match": '"1"'}, **given)
    assert late.status_code == 412
    assert writer.post(f"{one}publish/", {}, **given).status_code == 403
    boss = api_of(world, "cases.view_case", "cases.write_article", "cases.publish_article")
    published = boss.post(f"{one}publish/", {}, **given).json()
    assert (published["status"], published["texts"]) == ("published", {"es": "Buenas"})
    assert published["draft"] is None
    assert boss.post(f"{one}publish/", {}, **given).status_code == 409
    assert writer.get(one).json() == published
    assert boss.post(f"{one}retire/", {}, **given).json()["status"] == "retired"
    assert writer.get(url).json()["results"] == []
    assert writer.patch(one, {"name": "Otra"}, **given).status_code == 409


def test_by_api_a_message_names_its_answers_whose_files_go_along(
    world: World, boss: Actor, case: Case
) -> None:
    row = made(boss, audience="organisation")
    verbs.add_file(boss, row.uuid, [PDF], "guia.pdf")
    draft = verbs.create_answer(boss, said(audience="organisation", code="otra"))
    api = api_of(world, "cases.view_case", "cases.change_case")
    url, given = f"/api/v1/cases/{case.uuid}/messages/", {"content_type": "application/json"}
    for refused in (
        {"text": "Hola", "answers": [str(draft.uuid)]},
        {"text": "Hola", "answers": [str(uuid4())]},
        {"text": "Hola", "answers": [str(row.uuid)], "channel": "phone"},
    ):
        assert api.post(url, refused, **given).status_code == 422  # type: ignore[arg-type]
    assert not Message.objects.exists()
    body = {"text": "Hola", "answers": [str(row.uuid), str(row.uuid)]}
    for _again in range(2):
        answer = api.post(url, body, headers={"idempotency-key": "una"}, **given)  # type: ignore[arg-type]
        assert answer.status_code == 201
    message = Message.objects.get()
    files = MessageFile.objects.filter(message=message)
    assert [file.document.name for file in files] == ["guia.pdf"]
    row.refresh_from_db()
    assert row.uses == 1
