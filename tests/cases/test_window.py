"""The public pages: finding a procedure, applying for it, and following the case."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import services
from cases.models import AccessCode, Application, Case, Document, Procedure
from cases.services import access
from crm.accounts.actors import system_actor
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen
from crm.kit import outbox
from crm.kit.errors import TooMany
from crm.kit.models import Outbox
from tests.conftest import World
from tests.factories.accounts import ORIGIN
from tests.factories.cases import ArticleFactory, CaseFactory, CaseTypeFactory, ProcedureFactory

PAPER = b"%PDF-1.4\n%paper\n"
FIELDS = {
    "properties": {
        "calle": {"type": "string", "title": "Calle", "maxLength": 100},
        "personas": {"type": "integer", "title": "Personas", "minimum": 1},
    },
    "required": ["calle"],
}


@pytest.fixture(autouse=True)
def _nobody_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def procedure(world: World) -> Procedure:
    """Registering at an address, as citizens see it."""
    kind = CaseTypeFactory(organisation=world.here, fields=FIELDS, term="30wd")
    return ProcedureFactory(
        unit=world.unit,
        case_type=kind,
        code="empadronamiento",
        name="Empadronamiento",
        summary="Inscribirse en el padrón al cambiar de casa o llegar al municipio.",
        who="Quien vive en el municipio.",
        papers="DNI o pasaporte\nContrato de alquiler",
        silence="granted",
    )


def said(**more: Any) -> dict[str, Any]:
    """A whole application."""
    return {
        "key": str(uuid4()),
        "name": "Lucía",
        "surname1": "Marín",
        "surname2": "Soto",
        "identifier": "12345678z",
        "email": "lucia@example.org",
        "data.calle": "Mayor 3",
        "data.personas": "2",
        "request": "Quiero empadronarme con mi hija.",
        "agree": "on",
        **more,
    }


def url(name: str, **ids: Any) -> str:
    return reverse(f"cases:window_{name}", kwargs={"organisation": "HERE", **ids})


def file(client: Client, **more: Any) -> Any:
    return client.post(url("apply", code="empadronamiento"), said(**more))


def drained() -> list[mail.EmailMessage]:
    """The mails that the outbox owes, sent."""
    connection.run_on_commit.clear()
    rows = list(Outbox.objects.filter(status=0).order_by("pk"))
    for row in rows:
        for effect in outbox._effects[row.topic]:
            effect(row.payload)
        row.delete()
    return mail.outbox


# --- Finding ---


@pytest.mark.parametrize(
    "words",
    [
        "empadronamiento",
        "EMPADRONARME",
        "padron",
        "me he cambiado de casa",
        "enpadronamiento",
        "empadronamineto",
    ],
)
def test_plain_words_find_the_procedure(procedure: Procedure, client: Client, words: str) -> None:
    ProcedureFactory(unit=procedure.unit, name="Vado permanente", summary="Entrada de vehículos.")
    page = client.get(url("index"), {"q": words})
    assert [one.procedure.code for one in page.context["procedures"]] == ["empadronamiento"]


def test_words_that_nothing_has_find_nothing_and_say_so(
    procedure: Procedure, client: Client
) -> None:
    page = client.get(url("index"), {"q": "submarino atómico"})
    assert page.context["procedures"] == []
    assert "Nothing here has these words" in page.content.decode()


@pytest.mark.parametrize(
    ("words", "found", "related"),
    [
        ("pensión de viudedad", ["viudedad"], ["jubilacion", "orfandad"]),
        ("¿Cómo pido la pensión de viudedad?", ["viudedad"], ["jubilacion", "orfandad"]),
        ("pensión", ["jubilacion", "orfandad", "viudedad"], []),
        ("pensión para submarinos atómicos", [], ["jubilacion", "orfandad", "viudedad"]),
        ("pension viudeda", ["viudedad"], ["jubilacion", "orfandad"]),
        ("submarinos atómicos", [], []),
        ("de la", [], []),
        ('-pensión "viudedad', ["viudedad"], ["jubilacion", "orfandad"]),
    ],
)
def test_what_has_only_some_of_the_words_is_related_and_not_found(
    world: World, client: Client, words: str, found: list[str], related: list[str]
) -> None:
    for code, name in (
        ("jubilacion", "Pensión de jubilación"),
        ("orfandad", "Pensión de orfandad"),
        ("viudedad", "Pensión de viudedad"),
    ):
        ProcedureFactory(unit=world.unit, code=code, name=name, summary="Trámite.")
        ArticleFactory(unit=world.unit, code=code, title=name, body="Se pide en la oficina.")
    page = client.get(url("index"), {"q": words})

    def codes(part: list[Any]) -> list[str]:
        return sorted(one.procedure.code for one in part)

    assert codes(page.context["procedures"]) == found
    assert codes(page.context["related"]["procedures"]) == related
    assert ("Related results" in page.content.decode()) is bool(related)
    if "viudeda" not in words.split():  # of articles no slip is forgiven
        answers = [page.context["articles"], page.context["related"]["articles"]]
        assert [sorted(one.article.code for one in part) for part in answers] == [found, related]


def test_only_what_is_published_here_is_shown(world: World, client: Client) -> None:
    ProcedureFactory(unit=world.unit, code="borrador", published=False)
    ProcedureFactory(unit=world.foreign_unit, code="ajeno")
    assert client.get(url("index")).context["procedures"] == []
    for code in ("borrador", "ajeno"):
        assert client.get(url("procedure", code=code)).status_code == 404
        assert client.get(url("apply", code=code)).status_code == 404


def test_the_page_says_who_papers_term_and_silence(procedure: Procedure, client: Client) -> None:
    text = client.get(url("procedure", code="empadronamiento")).content.decode()
    for words in (
        "Quien vive en el municipio.",
        "Contrato de alquiler",
        "30 working days",
        "is granted",
        "Norte",
    ):
        assert words in text


def test_an_article_is_shown_without_what_could_run(
    world: World, procedure: Procedure, client: Client
) -> None:
    ArticleFactory(
        unit=world.unit,
        code="peligro",
        title="<b>Ojo</b>",
        body="Vea [esto](javascript:alert) y <script>x</script>\n\n- **uno**",
        procedures=["empadronamiento"],
    )
    text = client.get(url("article", code="peligro")).content.decode()
    assert "<script>x" not in text
    assert 'href="javascript' not in text
    assert "&lt;b&gt;Ojo" in text
    assert "<ul><li><strong>uno</strong></li></ul>" in text
    assert "Empadronamiento" in text


# --- Applying ---


def test_an_application_opens_a_case_with_its_receipt(procedure: Procedure, client: Client) -> None:
    paper = SimpleUploadedFile("contrato.pdf", PAPER)
    answer = file(client, papers=paper)
    case = Case.objects.unscoped("a test looks").get()
    assert answer.url == url("receipt", case=case.uuid)
    assert case.channel == "web_form"
    assert case.subject == "Empadronamiento"
    assert case.unit == procedure.unit
    assert case.data == {"calle": "Mayor 3", "personas": 2}
    assert case.description == "Quiero empadronarme con mi hija."
    document = Document.objects.unscoped("a test looks").get()
    assert (document.name, document.origin) == ("contrato.pdf", "citizen")
    page = client.get(answer.url).content.decode()
    for words in (case.reference, "Lucía Marín Soto", "contrato.pdf", document.sha256, "Mayor 3"):
        assert words in page
    [sent] = drained()
    assert sent.to == ["lucia@example.org"]
    assert case.reference in sent.subject
    assert document.sha256 in sent.body


def test_whoever_applies_is_nobody_until_an_employee_has_looked(
    procedure: Procedure, client: Client
) -> None:
    """A claimed number or mailbox makes nobody a citizen, nor the citizen who has it."""
    file(client)
    case = Case.objects.unscoped("a test looks").get()
    assert case.citizen is None
    assert not Citizen.objects.unscoped("a test looks").exists()
    claimed = Application.objects.unscoped("a test looks").get()
    assert (claimed.full_name, claimed.identifier) == ("Lucía Marín Soto", "12345678Z")


def test_sent_twice_it_is_one_case(procedure: Procedure, client: Client) -> None:
    key = str(uuid4())
    words = {"request": "  Quiero\r\n\r\n\r\nempadronarme.  ", "phone": "600 11 22 33"}

    def sent() -> Any:
        return file(client, key=key, papers=SimpleUploadedFile("c.pdf", PAPER), **words)

    first, second = sent(), sent()
    assert first.url == second.url
    assert Case.objects.unscoped("a test looks").count() == 1
    assert len(drained()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Carmen"},
        {"data.calle": "Real 9"},
        {"request": "Quiero empadronar a mi padre."},
        {"papers": True},
    ],
    ids=["applicant", "answers", "request", "papers"],
)
def test_another_application_in_a_form_that_was_sent_is_filed(
    procedure: Procedure, client: Client, other: dict[str, Any]
) -> None:
    """Bug: whoever went back and filled the form in anew was shown the first receipt, and nothing of
    theirs was kept; on a computer that others use, they saw another's."""
    if "papers" in other:
        other = {"papers": SimpleUploadedFile("contrato.pdf", PAPER)}
    key = str(uuid4())
    first, second = file(client, key=key), file(Client(), key=key, **other)
    assert first.url != second.url
    assert Case.objects.unscoped("a test looks").count() == 2
    assert len(drained()) == 2


def test_what_is_wrong_is_said_and_nothing_typed_or_sent_is_lost(
    procedure: Procedure, client: Client
) -> None:
    paper = SimpleUploadedFile("contrato.pdf", PAPER)
    wrong = {"email": "lucia", "data.calle": "", "papers": paper}
    page = file(client, **wrong)
    text = page.content.decode()
    assert page.status_code == 422
    assert {"data.calle"} <= set(page.context["form"].errors)
    assert 'value="Lucía"' in text
    assert "Quiero empadronarme con mi hija." in text
    assert not Case.objects.unscoped("a test looks").exists()
    kept = page.context["kept"]
    file(client, kept=kept)
    assert Document.objects.unscoped("a test looks").get().name == "contrato.pdf"


def test_a_mailbox_that_is_none_is_said_at_its_field(procedure: Procedure, client: Client) -> None:
    page = file(client, email="lucia")
    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["email"]


def test_papers_that_nobody_sent_cannot_be_claimed(procedure: Procedure, client: Client) -> None:
    file(client, kept="[{}]:forged")
    assert not Document.objects.unscoped("a test looks").exists()


def test_a_file_that_is_refused_is_named(procedure: Procedure, client: Client) -> None:
    bad = SimpleUploadedFile("foto.exe", b"MZ\0\0\0")
    page = file(client, papers=bad)
    assert page.status_code == 422
    assert "foto.exe" in page.content.decode()
    assert not Case.objects.unscoped("a test looks").exists()


def test_the_receipt_is_only_for_who_filed(procedure: Procedure, client: Client) -> None:
    address = file(client).url
    assert Client().get(address).status_code == 404


# --- Following ---


def asked(client: Client, reference: str) -> str:
    page = client.post(url("follow"), {"reference": reference})
    assert page.status_code == 200
    return re.sub(r'value="[^"]*"|content="[^"]*"', "", page.content.decode()).replace(
        reference, "REF"
    )


def code_sent() -> str:
    found = re.search(r"\d{6}", drained()[-1].body)
    assert found
    return found[0]


def test_the_code_of_the_mailbox_opens_the_case_once(procedure: Procedure, client: Client) -> None:
    file(client)
    case = Case.objects.unscoped("a test looks").get()
    drained()
    stranger = Client()
    asked(stranger, case.reference.lower())
    code = code_sent()
    assert not Outbox.objects.exists()
    given = {"reference": case.reference, "code": code}
    answer = stranger.post(url("follow"), given)
    assert answer.url == url("case", case=case.uuid)
    page = stranger.get(answer.url).content.decode()
    assert "We have received it" in page
    assert "Somebody will look at it" in page
    again = Client().post(url("follow"), given)
    assert again.status_code == 422
    stranger.post(url("leave"))
    assert stranger.get(answer.url).status_code == 404


def test_the_code_is_not_written_down(procedure: Procedure, client: Client) -> None:
    file(client)
    case = Case.objects.unscoped("a test looks").get()
    drained()
    asked(Client(), case.reference)
    row = Outbox.objects.get(topic=access.CODE_MAIL)
    code = code_sent()
    assert code not in str(row.payload)
    assert code not in AccessCode.objects.unscoped("a test looks").get().digest


def test_nobody_learns_whether_a_case_exists(procedure: Procedure, client: Client) -> None:
    file(client)
    known = Case.objects.unscoped("a test looks").get().reference
    drained()
    assert asked(Client(), known) == asked(Client(), "HERE-2026-9999999")
    wrong = [
        Client().post(url("follow"), {"reference": reference, "code": "000000"})
        for reference in (known, "HERE-2026-9999999")
    ]
    assert {page.status_code for page in wrong} == {422}
    assert len({str(page.context["form"].errors) for page in wrong}) == 1


def test_a_code_is_of_no_use_after_five_tries_or_a_quarter_of_an_hour(
    procedure: Procedure, world: World, client: Client
) -> None:
    file(client)
    case = Case.objects.unscoped("a test looks").get()
    visitor = system_actor(world.here, ORIGIN)
    access.request_code(visitor, case.reference)
    code = code_sent()
    wrong = "000000" if code != "000000" else "111111"
    for _try in range(access.MOST_TRIES):
        assert access.redeem_code(visitor, case.reference, wrong) is None
    assert access.redeem_code(visitor, case.reference, code) is None
    access.request_code(visitor, case.reference)
    code = code_sent()
    AccessCode.objects.unscoped("time passes").update(expires_at=timezone.now())
    assert access.redeem_code(visitor, case.reference, code) is None


def test_codes_for_one_case_are_counted(procedure: Procedure, world: World, client: Client) -> None:
    visitor = system_actor(world.here, ORIGIN)
    for _time in range(3):
        access.request_code(visitor, "HERE-2026-0000001")
    with pytest.raises(TooMany):
        access.request_code(visitor, "here-2026-0000001 ")


def test_a_case_that_few_may_know_of_is_not_followed(
    procedure: Procedure, world: World, client: Client
) -> None:
    file(client)
    case = Case.objects.unscoped("a test looks").get()
    drained()
    services.change_confidentiality(system_actor(world.here, ORIGIN), case.uuid, 3)
    mail.outbox.clear()
    asked(Client(), case.reference)
    assert drained() == []


def test_another_organisations_case_is_not_followed_here(
    procedure: Procedure, world: World, client: Client
) -> None:
    other = CaseFactory(unit=world.foreign_unit)
    asked(client, other.reference)
    assert not AccessCode.objects.unscoped("a test looks").exists()


def test_an_answer_reaches_who_filed_though_nobody_has_identified_them(
    procedure: Procedure, world: World, client: Client
) -> None:
    file(client)
    case = Case.objects.unscoped("a test looks").get()
    drained()
    services.send_message(world.actor(world.alice), case.uuid, "Falta el contrato.")
    assert drained()[-1].to == ["lucia@example.org"]
    page = client.get(url("case", case=case.uuid)).content.decode()
    assert "Falta el contrato." in page


def test_looks_from_outside_are_in_the_trail(procedure: Procedure, client: Client) -> None:
    client.get(file(client).url)
    looks = AuditEntry.objects.unscoped("a test looks").filter(action="viewed")
    assert [one.data.get("part") for one in looks] == ["receipt"]
    assert looks[0].door == "public"


def test_the_example_of_a_number_is_the_organisations_own(world: World) -> None:
    page = Client().get("/sede/HERE/seguimiento/").content.decode()
    assert f"HERE-{timezone.localdate().year}-0000123" in page
