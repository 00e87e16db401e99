"""Nobody is seen in silence: every way to read a case or a person leaves its entry, without numbers."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases import services
from cases.models import Case, Confidentiality, Event
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.search import as_typed
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.accounts import employee
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.house.estate import PAPER

pytestmark = pytest.mark.django_db

NIF = "12345678Z"
SCOPES = ("cases.view_case", "cases.change_case", "citizens.change_citizen", "cases.assign_case")


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def person(world: World, **fields: Any) -> Citizen:
    citizen = Citizen.objects.create(name="Rosa", surname1="Quiñones", surname2="Tordera")
    CitizenRecord.objects.create(organisation=world.here, citizen=citizen, **fields)
    return citizen


def protected(world: World) -> Citizen:
    return person(world, protected=True, protected_reason="Orden de alejamiento")


@pytest.fixture
def case(world: World) -> Case:
    CaseTypeFactory(organisation=world.here, code="complaint")
    found = CaseFactory(unit=world.unit, description="Palabras del ciudadano")
    assert isinstance(found, Case)
    return found


def entries(**found: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.unscoped("a test").filter(**found).order_by("pk"))


# --- One entry for each look ----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["cronologia/", "editar/", "mover/start/"])
def test_a_page_of_a_case_that_was_not_opened_leaves_an_entry(
    world: World, case: Case, page: str
) -> None:
    client = signed_in(world.alice)
    assert client.get(f"/casos/{case.uuid}/{page}").status_code == 200
    assert len(entries(action="viewed", object_id=str(case.uuid))) == 1


@pytest.mark.parametrize("page", ["cronologia/", "editar/", "mover/start/"])
def test_a_page_of_a_case_that_stands_open_leaves_no_second_entry(
    world: World, case: Case, page: str
) -> None:
    client = signed_in(world.alice)
    client.get(f"/casos/{case.uuid}/")
    client.get(f"/casos/{case.uuid}/{page}")
    assert len(entries(action="viewed", object_id=str(case.uuid))) == 1


def test_somebody_elses_look_is_not_mine(world: World, case: Case) -> None:
    other = employee(world.here, "agent", unit=world.unit)
    signed_in(other).get(f"/casos/{case.uuid}/")
    signed_in(world.alice).get(f"/casos/{case.uuid}/cronologia/")
    assert len(entries(action="viewed", object_id=str(case.uuid))) == 2


def test_who_reads_the_record_of_a_case_is_in_it(world: World, case: Case) -> None:
    auditor = employee(world.here, "auditor")
    assert signed_in(auditor).get(f"/casos/{case.uuid}/registro/").status_code == 200
    [entry] = entries(action="viewed", object_id=str(case.uuid))
    assert entry.data == {"part": "record"}


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("patch", "", {}),
        ("post", "release/", {}),
        ("post", "confidentiality/", {"confidentiality": "internal"}),
    ],
)
def test_a_write_that_changes_nothing_shows_the_case_and_says_so(
    world: World, case: Case, method: str, address: str, body: dict[str, Any]
) -> None:
    caller = Caller(key_for(world.here, *SCOPES))
    answer = caller.send(method, f"/cases/{case.uuid}/{address}", body)
    assert answer.json()["description"] == "Palabras del ciudadano"
    assert len(entries(action="viewed", object_id=str(case.uuid))) == 1


def test_a_write_that_changes_something_leaves_one_entry(world: World, case: Case) -> None:
    caller = Caller(key_for(world.here, *SCOPES))
    before = len(entries(object_id=str(case.uuid)))
    assert caller.send("patch", f"/cases/{case.uuid}/", {"subject": "Otro"}).status_code == 200
    assert len(entries(object_id=str(case.uuid))) == before + 1


def test_reading_a_case_by_api_leaves_one_entry(world: World, case: Case) -> None:
    caller = Caller(key_for(world.here, *SCOPES))
    assert caller.send("get", f"/cases/{case.uuid}/").status_code == 200
    assert len(entries(action="viewed", object_id=str(case.uuid))) == 1


@pytest.mark.parametrize(
    ("console", "api"),
    [
        ("/casos/?unidad={unit}", "/cases/?unit={unit}"),
        ("/casos/?responsable=nobody", None),
        ("/casos/?vista=mine", None),
        ("/casos/?canal=phone&tipo=complaint", "/cases/?channel=phone&case_type=complaint"),
        ("/casos/?q=farola", "/cases/?text=farola"),
        ("/casos/?estado=all&orden=newest", None),
        ("/casos/?vista=all", "/cases/"),
    ],
)
def test_a_list_of_cases_is_a_look_whatever_is_asked(
    world: World, case: Case, console: str, api: str | None
) -> None:
    client = signed_in(employee(world.here, "supervisor", unit=world.unit))
    assert client.get(console.format(unit=world.unit.uuid)).status_code == 200
    [entry] = entries(action="searched")
    asked = {name: value for name, value in entry.data.items() if name != "found"}
    names = {"unidad": "unit", "responsable": "assignee", "mine": "assignee", "q": "text"}
    wanted = [name for word, name in names.items() if word in console]
    assert set(wanted) <= set(entry.data.get("filters", []))
    if api:
        caller = Caller(key_for(world.here, *SCOPES))
        caller.send("get", api.format(unit=world.unit.uuid))
        assert entries(action="searched")[-1].data == asked, "the API says the same"


def test_each_page_of_a_list_is_a_look_in_the_console_as_by_api(world: World, case: Case) -> None:
    CaseFactory.create_batch(26, unit=world.unit)
    client = signed_in(world.alice)
    url = client.get("/casos/").context["next_url"]
    client.get(url, headers={"HX-Request": "true"})
    assert [entry.data["found"] for entry in entries(action="searched")] == [26, 1]
    caller = Caller(key_for(world.here, *SCOPES))
    after = caller.send("get", "/cases/?limit=20").json()["next"].partition("/api/v1")[2]
    caller.send("get", after)
    assert len(entries(action="searched")) == 4


@pytest.mark.parametrize("page", ["/", "/casos/contadores/", "/casos/filtros/"])
def test_neither_the_day_nor_counters_are_searches(world: World, case: Case, page: str) -> None:
    assert signed_in(world.alice).get(page).status_code == 200
    assert not entries(action="searched")


@pytest.mark.django_db(transaction=True)  # the feed tells what is committed
def test_the_feed_of_events_says_who_followed_it(world: World, case: Case) -> None:
    caller = Caller(key_for(world.here, *SCOPES))
    answer = caller.send("get", "/events/").json()
    assert answer["results"]
    [entry] = entries(action="searched")
    assert entry.data == {"what": "events", "found": len(answer["results"])}
    assert not caller.send("get", answer["next"].partition("/api/v1")[2]).json()["results"]
    assert len(entries(action="searched")) == 1, "nothing told, nothing seen"


def test_an_empty_correction_of_a_person_is_no_way_to_read_them(world: World) -> None:
    citizen = person(world)
    caller = Caller(key_for(world.here, *SCOPES))
    answer = caller.send("patch", f"/citizens/{citizen.uuid}/", {})
    assert answer.status_code == 422
    assert "Quiñones" not in answer.content.decode()


# --- Who is protected is not named ----------------------------------------------------------------


def test_a_protected_participant_is_initials_to_all(world: World, case: Case) -> None:
    citizen = protected(world)
    client = signed_in(world.alice)
    data = {"citizen": str(citizen.uuid), "role": "witness"}
    answer = client.post(f"/casos/{case.uuid}/intervinientes/", data, follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "R. Q. T." in page
    assert "Quiñones" not in page
    participant = case.participants.get()
    client.post(f"/casos/{case.uuid}/intervinientes/{participant.uuid}/retirar/")
    told = [str(event.data) for event in Event.objects.filter(case=case)]
    assert "Quiñones" not in "".join(told)
    assert "R. Q. T." in "".join(told)


def test_a_participant_protected_later_is_initials_in_the_story(world: World, case: Case) -> None:
    citizen = person(world)
    services.add_participant(world.actor(world.alice), case.uuid, citizen.uuid, "witness")
    CitizenRecord.objects.unscoped("a test").filter(citizen=citizen).update(
        protected=True, protected_reason="Orden de alejamiento"
    )
    page = signed_in(world.alice).get(f"/casos/{case.uuid}/").content.decode()
    assert "R. Q. T." in page
    assert "Quiñones" not in page


def test_the_words_of_somebody_protected_bear_initials(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="complaint")
    case = CaseFactory(unit=world.unit, citizen=protected(world))
    caller, said = Caller(key_for(world.here, *SCOPES)), {"text": "Soy yo", "channel": "phone"}
    address = f"/cases/{case.uuid}/messages/"
    told = [caller.send("post", address, {**said, "direction": "in"}), caller.send("get", address)]
    told.append(signed_in(world.alice).get(f"/casos/{case.uuid}/"))
    for answer in told:
        assert "R. Q. T." in answer.content.decode()
        assert "Quiñones" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_feed_of_events_names_neither_people_nor_documents(world: World, case: Case) -> None:
    citizen = person(world)
    actor = world.actor(world.alice)
    services.add_participant(actor, case.uuid, citizen.uuid, "witness")
    services.attach_document(actor, case.uuid, [PAPER], "informe-violencia.pdf")
    answer = Caller(key_for(world.here, *SCOPES)).send("get", "/events/").content.decode()
    assert str(citizen.uuid) in answer
    assert "Quiñones" not in answer
    assert "informe-violencia" not in answer


def test_a_new_case_of_somebody_protected_names_initials(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="complaint")
    citizen = protected(world)
    page = signed_in(world.alice).get(f"/casos/nuevo/?citizen={citizen.uuid}").content.decode()
    assert "R. Q. T." in page
    assert "Quiñones" not in page


def test_the_name_of_a_specially_protected_document_is_not_told(world: World, case: Case) -> None:
    chief = employee(world.here, "supervisor", unit=world.unit)
    document = services.attach_document(
        world.actor(chief),
        case.uuid,
        [PAPER],
        "informe-violencia.pdf",
        confidentiality=Confidentiality.SPECIAL,
    )
    services.withdraw_document(world.actor(chief), case.uuid, document.uuid, reason="Error")
    page = signed_in(world.alice).get(f"/casos/{case.uuid}/").content.decode()
    assert "informe-violencia" not in page
    assert "informe-violencia" in signed_in(chief).get(f"/casos/{case.uuid}/").content.decode()


# --- What was searched for, without identification numbers ----------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        NIF,
        f"recurso de {NIF}",
        f"IBI {NIF} 2026",
        "12.345.678-Z",
        "X1234567L",
        "nie X-1234567-L de Ana",
        "B12345674",
        "281234567840",
        "28/12345678/40",
        "pasaporte AAA123456",
    ],
)
def test_no_number_is_kept_of_what_was_searched_for(text: str) -> None:
    kept = as_typed(text)
    assert "•" in kept
    for digits in ("12345", "345678", "345.678", "234567", "123456"):
        assert digits not in kept


@pytest.mark.parametrize("text", ["multa de tráfico 2026", "HERE-2026-0000123", "calle Mayor 12"])
def test_other_words_are_kept_as_typed(text: str) -> None:
    assert as_typed(text) == text


@pytest.mark.parametrize("address", ["/casos/?q={}", "/paleta/?q={}", "/api/v1/cases/?text={}"])
def test_a_search_for_a_number_is_recorded_without_it(world: World, address: str) -> None:
    CaseTypeFactory(organisation=world.here, code="complaint")
    assert signed_in(world.alice).get(address.format(f"recurso+{NIF}")).status_code == 200
    found = entries(action="searched")
    assert found
    for entry in found:
        assert "345678" not in str(entry.data)
        assert "recurso" in str(entry.data)


def test_a_search_by_api_has_the_time_limit_of_the_lists(world: World) -> None:
    caller = Caller(key_for(world.here, *SCOPES))
    with CaptureQueriesContext(connection) as asked:
        assert caller.send("get", "/cases/?text=licencia").status_code == 200
    said = [query["sql"] for query in asked]
    limited = next(n for n, sql in enumerate(said) if "'statement_timeout', '1000'" in sql)
    searched = next(n for n, sql in enumerate(said) if "websearch_to_tsquery" in sql)
    assert limited < searched


def test_an_auditors_own_search_for_a_number_is_recorded_without_it(world: World) -> None:
    auditor = employee(world.here, "auditor")
    assert signed_in(auditor).get(f"/auditoria/?object={NIF}").status_code == 200
    [entry] = entries(action="searched")
    assert "345678" not in str(entry.data)
