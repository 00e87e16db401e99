"""What each variant tells, and what it must not."""

import json
import unicodedata
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cases import services as cases
from cases.models import Case, Confidentiality, Event, Message
from crm.citizens.identifiers import folded
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.actor import Actor
from reporting.case_history import Content, content
from reporting.models import Variant
from reporting.redaction import Known, Redactor
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.citizens import CitizenFactory


def told(case: Case, variant: str, actor: Actor) -> tuple[Content, str]:
    found = content(case, variant, "en", actor)
    return found, json.dumps(asdict(found), ensure_ascii=False)


def test_the_full_history_tells_everything_by_name(case: Case, boss: Actor) -> None:
    found, text = told(case, "full", boss)
    assert [note.text for note in found.notes] == ["Sospechamos de Castromil. SECRETO-INTERNO"]
    assert [(person.name, person.identifiers) for person in found.people] == [
        ("Íñigo Zubizarreta Peñalver", ["NIF 12345678Z"]),
        ("Xoana Castromil", ["NIF 00000000T"]),
    ]
    assert [step.number for step in found.timeline] == list(range(1, case.last_event + 1))
    assert {paper.name for paper in found.documents} == {
        "informe-secreto.pdf",
        "oficio-interno.pdf",
        "recibo-zubizarreta.pdf",
        "resolucion.pdf",
    }
    assert "MOTIVO-INTERNO" in text
    assert "Alice Arias" in text


def test_the_citizens_copy_leaves_out_what_is_internal(case: Case, boss: Actor) -> None:
    found, text = told(case, "citizen", boss)
    assert found.notes == []
    for secret in ("SECRETO-INTERNO", "MOTIVO-INTERNO", "Alice", "Arias", "informe-secreto"):
        assert secret not in text
    assert [paper.name for paper in found.documents] == ["recibo-zubizarreta.pdf", "resolucion.pdf"]
    assert {event.what for event in found.timeline} == {
        "Opened",
        "Participant added",
        "Message",
        "Document added",
        "Moved",
    }
    assert {step.who for step in found.timeline} == {"Organismo de aquí"}
    assert found.people[0].identifiers == ["NIF ***4567**"]
    assert "Se devuelve el ingreso" in text


def test_the_redacted_history_says_nobodys_name_or_number(case: Case, boss: Actor) -> None:
    found, text = told(case, "redacted", boss)
    plain = folded(text)
    for word in ("inigo", "zubizarreta", "penalver", "xoana", "castromil", "alice", "arias"):
        assert word not in plain
    for number in ("12345678", "12.345.678", "600123456", "600 123 456", "00000000", "olmo"):
        assert number not in plain
    assert found.subject == "Devolución de ingresos de Person 1"
    assert found.description == "Dice Person 1 que le llamen al [number]; su DNI es [hidden]."
    assert [(person.name, person.identifiers) for person in found.people] == [
        ("Person 1", []),
        ("Person 2", []),
    ]
    assert {step.who for step in found.timeline} == {"Employee 1"}
    assert found.notes == []
    assert found.reference == case.reference


def test_pseudonyms_stay_when_more_people_come(
    case: Case, boss: Actor, world: World, person: Citizen
) -> None:
    alice = world.actor(world.alice)
    cases.reopen_case(alice, case.uuid, reason="Otra vez")
    newcomer = CitizenFactory(name="Aarón", surname1="Abad", organisation=world.here, nif="")
    cases.edit_case(alice, case.uuid, {"citizen": newcomer.uuid})
    colleague = world.actor(employee(world.here, "agent", unit=world.unit, full_name="Abel Abril"))
    cases.record_message(colleague, case.uuid, "Dice Zubizarreta que no.", channel="phone")
    found, text = told(case, "redacted", boss)
    assert [each.name for each in found.people] == ["Person 3", "Person 2"]
    assert found.messages[0].text == "Soy Person 1. ¿Cuándo me pagan?"
    assert found.messages[-1].text == "Dice Person 1 que no."
    assert found.messages[-1].who == "Person 3"
    assert "Employee 2" in {step.who for step in found.timeline}
    assert "zubizarreta" not in folded(text)


def test_an_employee_who_may_not_see_special_documents_does_not_print_them(
    case: Case, boss: Actor, world: World
) -> None:
    alice = world.actor(world.alice)
    cases.reopen_case(alice, case.uuid, reason="Falta un informe")
    cases.attach_document(
        boss,
        case.uuid,
        [b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"],
        "historia-clinica.pdf",
        confidentiality=Confidentiality.SPECIAL,
    )
    auditor = world.actor(employee(world.here, "auditor"))
    assert told(case, "full", boss)[0].special
    found, text = told(case, "full", auditor)
    assert not found.special
    assert "historia-clinica" not in text


def test_a_protected_citizens_number_is_never_whole(
    case: Case, boss: Actor, person: Citizen
) -> None:
    CitizenRecord.objects.unscoped("test").filter(citizen=person).update(
        protected=True, protected_reason="Violencia"
    )
    found, _text = told(case, "full", boss)
    assert found.people[0].identifiers == ["NIF ***4567**"]


def test_the_fingerprint_changes_with_what_is_told_only(
    case: Case, boss: Actor, world: World
) -> None:
    before = content(case, "citizen", "es", boss).fingerprint
    assert content(case, "citizen", "es", boss).fingerprint == before
    cases.add_note(world.actor(world.alice), case.uuid, "Otra nota")
    assert content(case, "citizen", "es", boss).fingerprint == before
    cases.record_message(world.actor(world.alice), case.uuid, "Gracias", channel="phone")
    assert content(case, "citizen", "es", boss).fingerprint != before


@pytest.mark.parametrize("language", ["es", "ca", "ca-es-valencia", "gl", "eu", "fr", "en"])
def test_every_language_tells_the_same_case(case: Case, boss: Actor, language: str) -> None:
    found = content(case, "full", language, boss)
    assert found.language == language
    assert len(found.timeline) == case.last_event


@pytest.mark.parametrize("variant", Variant.values)
def test_what_nobody_known_said_is_told_without_a_name(
    case: Case, boss: Actor, world: World, variant: str
) -> None:
    alice = world.actor(world.alice)
    cases.edit_case(alice, cases.reopen_case(alice, case.uuid, reason="x").uuid, {"citizen": None})
    cases.record_message(alice, case.uuid, "Hay un socavón", channel="phone")
    said = told(case, variant, boss)[0].messages[-1]
    assert (said.who, said.direction, said.text) == ("", "From the citizen", "Hay un socavón")


def test_texts_cannot_hide_what_they_say(case: Case, boss: Actor) -> None:
    Message.objects.unscoped("test").filter(case=case).update(body="a\u202eb\u200bc\x07d")
    assert content(case, "full", "es", boss).messages[0].text == "abcd"


@pytest.mark.parametrize("variant", Variant.values)
def test_the_number_of_queries_does_not_grow_with_the_case(
    case: Case, boss: Actor, variant: str, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(14):  # type: ignore[operator]
        content(case, variant, "es", boss)
    event = case.events.get(seq=1)
    for number in range(100, 150):
        Event.objects.create(
            case=case,
            organisation_id=case.organisation_id,
            seq=number,
            kind=event.kind,
            actor_kind="user",
            actor_name=f"Persona {number}",
            data=event.data,
        )
        Message.objects.create(
            case=case, direction="in", channel="phone", author_name="x", body="x", state="recorded"
        )
    with django_assert_num_queries(14):  # type: ignore[operator]
        content(case, variant, "es", boss)


# --- Redaction of texts ---------------------------------------------------------------------------

NAMES = ("José Luis", "García-Pérez", "Ñúñez")
SHAPES = (
    str,
    str.upper,
    str.lower,
    lambda text: unicodedata.normalize("NFD", text),
    folded,
    lambda text: text.replace(" ", "_"),
    lambda text: text.replace(" ", "").replace("-", ""),
    "\u200b".join,
    lambda text: text.replace(" ", " \u00a0"),
)
SECRETS = ("12345678Z", "X1234567L", "ES9121000418450200051332", "600123456", "AAB123456")
WRITTEN = (
    str,
    str.lower,
    lambda text: "-".join(text[start : start + 4] for start in range(0, len(text), 4)),
    lambda text: " ".join(text[start : start + 3] for start in range(0, len(text), 3)),
    lambda text: ".".join(text[start : start + 3] for start in range(0, len(text), 3)),
    "\u200d".join,
)
redactor = Redactor(
    [Known("Person 1", (" ".join(NAMES),)), Known("Employee 1", ("Ana Belmonte",))],
    identifiers=SECRETS,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example("", 0, 0, "12345678Z", 0, "")
@given(
    st.text(alphabet=" ,.;:()¿?\n«»\"'", max_size=12),
    st.integers(0, len(NAMES) - 1),
    st.integers(0, len(SHAPES) - 1),
    st.sampled_from(SECRETS),
    st.integers(0, len(WRITTEN) - 1),
    st.text(alphabet=" ,.;:()¿?\n«»\"'", max_size=12),
)
def test_no_name_or_number_survives(
    before: str, name: int, shape: int, secret: str, form: int, after: str
) -> None:
    text = f"{before} {SHAPES[shape](NAMES[name])} {after} {WRITTEN[form](secret)} {after}"
    hidden = redactor(text)
    words = set(folded(hidden).replace("_", " ").replace("-", " ").split())
    assert not words & {"jose", "luis", "garcia", "perez", "nunez", "joseluis", "garciaperez"}
    compact = "".join(char for char in folded(hidden) if char.isalnum())
    assert folded(secret) not in compact


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Escriba a jose.luis@correo.example.", "Escriba a [e-mail]."),
        ("Vive en c/ Gran Vía, nº 12, 3º B. Fin", "Vive en [address]. Fin"),
        ("Llame al +34 (91) 123 45 67 hoy", "Llame al [number] hoy"),
        ("Tel. 612345678/654321987", "Tel. [number]"),
        ("Pagó 1.250,75 € el 20/11/2026", "Pagó 1.250,75 € el 20/11/2026"),
        ("Código postal 28013, artículo 53.1.a", "Código postal 28013, artículo 53.1.a"),
        ("Firmado: Belmonte, Ana (Ana)", "Firmado: Employee 1 (Employee 1)"),
        ("una semana, mañana", "una semana, mañana"),
    ],
)
def test_what_identifies_goes_and_the_rest_stays(text: str, hidden: str) -> None:
    assert redactor(text) == hidden


def test_shared_names_are_hidden_without_blaming_anyone() -> None:
    shared = Redactor([Known("Person 1", ("Eva Ruiz Gil",)), Known("Person 2", ("Leo Ruiz",))])
    assert (
        shared("Ruiz pidió; Eva Ruiz firmó; Leo no.")
        == "[name] pidió; Person 1 firmó; Person 2 no."
    )


def test_a_company_is_known_by_its_whole_name() -> None:
    company = Redactor([Known("Person 1", ("Obras del Sur, S.L.",), natural=False)])
    assert company("Las obras del sur de OBRAS DEL SUR") == "Las Person 1 de Person 1"
    assert company("obras en el sur") == "obras en el sur"
