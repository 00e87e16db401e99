"""The pages: who sees what, how many queries, what a conflict keeps, what is written down."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import Settings

from cases import services
from cases.models import Case, Event
from cases.permissions import ENDED
from crm.accounts.actors import system_actor
from crm.accounts.models import Role, User
from crm.accounts.services.roles import give_role
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord
from crm.organisations.services import change_options
from tests.conftest import World
from tests.factories.accounts import ORIGIN, employee
from tests.factories.cases import CaseFactory, CaseTypeFactory

FIELDS = {
    "type": "object",
    "properties": {
        "plate": {"type": "string", "title": "Matrícula", "maxLength": 8},
        "kind": {"type": "string", "title": "Clase", "enum": ["turismo", "moto"]},
        "since": {"type": "string", "title": "Desde", "format": "date"},
        "wheels": {"type": "integer", "title": "Ruedas", "minimum": 2},
        "old": {"type": "boolean", "title": "Antiguo"},
        "extras": {"type": "array", "title": "Extras", "items": {"enum": ["aire", "radio"]}},
    },
    "required": ["kind"],
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(page: str) -> str:
    """What people read of a page."""
    return re.sub(r"<[^>]*>", " ", page)


def rosa(world: World, **fields: Any) -> Citizen:
    person = Citizen.objects.create(name="Rosa", surname1="Quiñones", surname2="Tordera")
    CitizenRecord.objects.create(organisation=world.here, citizen=person, **fields)
    return person


def test_home_says_what_is_true(world: World) -> None:
    CaseTypeFactory(organisation=world.here, term="1wd")
    CaseFactory(unit=world.unit, assignee=world.alice, subject="Mi asunto urgente")
    CaseFactory(unit=world.unit, subject="De nadie")
    CaseFactory(unit=world.other_unit, subject="De otra unidad")
    page = signed_in(world.alice).get("/").content.decode()
    assert "Alice Arias" in page
    assert "Mi asunto urgente" in page
    assert "De nadie" in page
    assert "De otra unidad" not in page


def test_the_day_of_whoever_supervises_or_only_reads_holds_all_their_units(world: World) -> None:
    CaseFactory(unit=world.unit, subject="De Alice", assignee=world.alice)
    CaseFactory(unit=world.other_unit, subject="De nadie")
    days = {}
    for code in ("supervisor", "auditor"):
        person = employee(world.here)
        role = Role.objects.get(organisation=world.here, code=code)
        give_role(system_actor(world.here, ORIGIN), person, role)
        days[code] = signed_in(person).get("/")
        assert "De nadie" in days[code].content.decode()
        assert 'href="/casos/?vista=free"' in days[code].content.decode()
    assert 'href="/casos/?vista=late"' in days["supervisor"].content.decode()
    assert "/siguiente/" in days["supervisor"].content.decode()
    assert (
        "/siguiente/" not in days["auditor"].content.decode()
    )  # reads everything, changes nothing


@pytest.mark.parametrize("role", ["administrator", "communications"])
def test_the_day_of_whoever_sees_no_cases_leads_nowhere_closed(world: World, role: str) -> None:
    client = signed_in(employee(world.here, role))
    page = client.get("/").content.decode()
    links = set(re.findall(r'href="(/[^"#]*)"', page)) - {"/"}
    pages = {link for link in links if not link.startswith("/static/")}
    assert "/perfil/" in pages
    assert {link: client.get(link).status_code for link in pages} == dict.fromkeys(pages, 200)


def test_whoever_works_on_no_cases_or_in_no_unit_begins_with_all(world: World) -> None:
    CaseFactory(unit=world.other_unit, subject="De otra unidad")
    auditor = employee(world.here, unit=world.unit)
    role = Role.objects.get(organisation=world.here, code="auditor")
    give_role(system_actor(world.here, ORIGIN), auditor, role)
    assert "De otra unidad" in signed_in(auditor).get("/casos/").content.decode()
    assert "De otra unidad" not in signed_in(world.alice).get("/casos/").content.decode()
    anywhere = employee(world.here)
    give_role(
        system_actor(world.here, ORIGIN),
        anywhere,
        Role.objects.get(organisation=world.here, code="supervisor"),
    )
    assert "De otra unidad" in signed_in(anywhere).get("/casos/").content.decode()


@pytest.mark.parametrize("count", [3, 24])
def test_lists_and_pages_cost_the_same_queries_whatever_they_hold(
    world: World, count: int, django_assert_max_num_queries: Any
) -> None:
    CaseTypeFactory(organisation=world.here, term="30wd")
    person = rosa(world)
    for number in range(count):
        assignee = world.alice if number % 2 else None
        CaseFactory(unit=world.unit, citizen=person, assignee=assignee)
    case = Case.objects.unscoped("a test").first()
    assert case is not None
    for _line in range(count):
        services.add_note(world.actor(world.alice), case.uuid, "Nota")
    client = signed_in(world.alice)
    client.get("/casos/")  # calendars and content types are kept from here on
    for address, budget in (
        ("/", 17),
        ("/casos/", 16),
        ("/casos/?vista=all", 16),
        (f"/casos/{case.uuid}/", 26),
        (f"/casos/{case.uuid}/cronologia/", 15),
    ):
        with django_assert_max_num_queries(budget):
            assert client.get(address).status_code == 200, address


def test_a_stranger_finds_nothing(world: World) -> None:
    case = CaseFactory(unit=world.unit, subject="Reservado")
    auditor = employee(world.here, "administrator", unit=world.unit)
    pages = ["", "cronologia/", "editar/", "mover/start/"]
    for user, statuses in ((world.bob, {404}), (world.charlie, {404}), (auditor, {403})):
        client = signed_in(user)
        for page in pages:
            response = client.get(f"/casos/{case.uuid}/{page}")
            assert response.status_code in statuses, (user, page)
            assert "Reservado" not in response.content.decode()
        for act in ("asumir/", "devolver/", "asignar/", "notas/", "mensajes/", "relaciones/"):
            response = client.post(f"/casos/{case.uuid}/{act}", {"text": "x"})
            assert response.status_code in statuses, (user, act)
    assert list(case.events.values_list("kind", flat=True)) == ["opened"]
    assert Client().get(f"/casos/{case.uuid}/").status_code == 302


def test_opening_a_case_leaves_one_entry(world: World) -> None:
    case = CaseFactory(unit=world.unit, citizen=rosa(world))
    client = signed_in(world.alice)
    client.get(f"/casos/{case.uuid}/")
    looks = AuditEntry.objects.filter(action="viewed")
    assert [(look.object_type, look.object_id) for look in looks] == [
        ("cases.case", str(case.uuid))
    ]
    client.get(f"/casos/{case.uuid}/cronologia/", headers={"HX-Request": "true"})
    assert looks.count() == 1


def test_a_protected_citizen_is_only_initials(world: World) -> None:
    person = rosa(world, protected=True, protected_reason="Violencia de género")
    case = CaseFactory(unit=world.unit, citizen=person)
    client = signed_in(world.alice)
    for address in ("/casos/", f"/casos/{case.uuid}/"):
        page = client.get(address).content.decode()
        assert "Quiñones" not in page, address
        assert "R. Q. T." in page, address


def test_the_list_filters_and_pages(world: World) -> None:
    for number in range(30):
        CaseFactory(unit=world.unit, subject=f"Beca comedor {number}")
    found = CaseFactory(unit=world.unit, subject="Farola apagada", channel="phone")
    CaseFactory(unit=world.other_unit, subject="Farola ajena")
    client = signed_in(world.alice)
    first = client.get("/casos/")
    page = first.content.decode()
    assert page.count('id="case-') == 26
    assert f'href="{escape(first.context["next_url"])}"' in page
    boss = signed_in(employee(world.here, "supervisor", unit=world.unit))
    first = boss.get("/casos/")
    rest = boss.get(first.context["next_url"], headers={"HX-Request": "true"}).content.decode()
    assert rest.count('id="case-') == rest.count('name="case"') == 5
    assert "<table" not in rest
    searched = client.get("/casos/", {"q": "farolas"}).content.decode()
    assert "Farola apagada" in searched
    assert "Farola ajena" not in searched
    assert "Beca" not in searched
    entry = AuditEntry.objects.get(action="searched", data__text="farolas")
    assert entry.data == {"what": "cases", "filters": ["text"], "text": "farolas", "found": 1}
    by_number = client.get("/casos/", {"q": found.reference.lower()}).content.decode()
    assert "Farola apagada" in by_number
    by_channel = client.get("/casos/", {"canal": "phone"}).content.decode()
    assert by_channel.count('id="case-') == 1
    wrong = client.get("/casos/", {"canal": "pigeon", "unidad": "nowhere", "responsable": "king"})
    assert wrong.status_code == 200
    for day in ("9999-12-31", "0001-01-01"):  # left out like any other wrong filter
        ends = client.get("/casos/", {"canal": "phone", "hasta": day, "desde": day})
        assert found.reference in ends.content.decode()
    assert client.get("/casos/", {"cursor": "rubbish"}).status_code == 200


def test_the_list_of_one_person_is_chosen_by_name(world: World) -> None:
    CaseFactory(unit=world.unit, assignee=world.alice, subject="De Alice")
    CaseFactory(unit=world.unit, subject="De nadie")
    client = signed_in(employee(world.here, "supervisor", unit=world.unit))
    offered = client.get("/casos/filtros/").content.decode()
    choice = f'<option value="{world.alice.uuid}">Alice Arias</option>'
    assert choice in offered
    assert "Charlie" not in offered
    page = client.get("/casos/", {"responsable": str(world.alice.uuid)}).content.decode()
    assert "De Alice" in page
    assert "De nadie" not in page
    asked = {"responsable": str(world.alice.uuid)}
    again = client.get("/casos/filtros/", asked).content.decode()
    assert choice.replace('">', '" selected>') in again


def test_a_search_goes_back_as_far_as_the_organisation_decided(world: World) -> None:
    CaseFactory(
        unit=world.unit, subject="Farola rota", opened_at=timezone.now() - timedelta(days=100)
    )
    client = signed_in(world.alice)
    assert "Farola rota" in client.get("/casos/", {"q": "farola"}).content.decode()
    change_options(system_actor(world.here, ORIGIN), {"search_months": 2})
    page = client.get("/casos/", {"q": "farola"}).content.decode()
    assert "Farola rota" not in page
    assert "Opened in the last 2 months." in page
    assert "Farola rota" in client.get("/casos/", {"q": "farola", "todo": "on"}).content.decode()


def test_a_case_is_told_in_words_and_dates_not_in_codes(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="coche", fields=FIELDS)
    data = {"kind": "moto", "since": "2026-06-05"}
    case = CaseFactory(unit=world.unit, channel="whatsapp", data=data)
    client = signed_in(world.alice)
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "2026-06-05" not in page
    assert "whatsapp" not in text_of(page)
    services.edit_case(world.actor(world.alice), case.uuid, {"channel": "in_person"})
    story = client.get(f"/casos/{case.uuid}/cronologia/").content.decode()
    assert "in_person" not in text_of(story)


def test_what_has_ended_is_not_offered_to_be_edited(world: World) -> None:
    case = CaseFactory(unit=world.unit, assignee=world.alice)
    services.close_case(world.actor(world.alice), case.uuid, outcome="Hecho")
    address = reverse("cases:detail", args=[case.uuid])
    answer = signed_in(world.alice).get(f"{address}editar/", follow=True)
    assert answer.redirect_chain == [(address, 302)]
    assert str(ENDED) in answer.content.decode()


def test_columns_are_ones_own(world: World) -> None:
    CaseFactory(unit=world.unit, channel="phone")
    client = signed_in(world.alice)
    client.post("/casos/columnas/", {"column": ["channel", "password", "unit"]})
    world.alice.refresh_from_db()
    assert world.alice.columns == {"cases": ["channel", "unit"]}
    page = client.get("/casos/").content.decode()
    assert page.count('class="h-mv"') == 2
    assert 'class="h-st"' not in page


def test_counters_are_capped_and_scoped(world: World) -> None:
    CaseFactory(unit=world.unit, assignee=world.alice)
    CaseFactory(unit=world.other_unit)
    page = signed_in(world.alice).get("/casos/contadores/").content.decode()
    assert page.count('<span class="num">1</span>') >= 2
    assert ">2<" not in page


def test_the_map_begins_where_the_organisation_says(world: World, settings: Settings) -> None:
    settings.MAP_TILE_URL = "https://tiles.example/{z}/{x}/{y}.png"
    change_options(
        system_actor(world.here, ORIGIN),
        {"map_latitude": 39.47, "map_longitude": -0.38, "map_zoom": 12},
    )
    case = CaseFactory(unit=world.unit, latitude=43.1, longitude=-8.4)
    clerk = signed_in(employee(world.here, "supervisor"))
    stranger = signed_in(employee(world.elsewhere, "supervisor"))
    places = (
        (clerk, reverse("cases:new"), "39.47", "-0.38", "12"),
        (clerk, reverse("cases:edit", args=[case.uuid]), "39.47", "-0.38", "12"),
        (stranger, reverse("cases:new"), "40.0", "-4.0", "6"),
    )
    for browser, address, latitude, longitude, zoom in places:
        shown = browser.get(address).content.decode()
        figure = re.search(r'<figure class="v-map"[^>]*>', shown)
        assert figure, address
        assert f'data-latitude="{latitude}" data-longitude="{longitude}"' in figure[0]
        assert f'data-zoom="{zoom}"' in figure[0]


def test_a_new_case_keeps_everything_typed(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="coche", name="Coche", fields=FIELDS)
    person = rosa(world)
    client = signed_in(world.alice)
    typed = {
        "case_type": "coche",
        "subject": "Multa de aparcamiento",
        "description": "La grúa se lo llevó.",
        "unit": str(world.unit.uuid),
        "channel": "phone",
        "priority": "1",
        "language": "es",
        "confidentiality": "1",
        "citizen": str(person.uuid),
        "mine": "on",
        "data.plate": "1234ABC",
        "data.wheels": "1",
        "data.extras": ["aire"],
        "data.since": "2026-01-31",
        "data.old": "on",
    }
    refused = client.post("/casos/nuevo/", typed)
    assert refused.status_code == 422
    page = refused.content.decode()
    for text in ("Multa de aparcamiento", "La grúa se lo llevó.", "1234ABC", "Rosa Quiñones"):
        assert text in page
    assert not Case.objects.unscoped("nothing yet").exists()

    answer = client.post("/casos/nuevo/", {**typed, "data.kind": "moto", "data.wheels": "2"})

    case = Case.objects.unscoped("a test").get()
    assert answer["Location"] == reverse("cases:detail", args=[case.uuid])
    assert case.data == {
        "plate": "1234ABC",
        "wheels": 2,
        "extras": ["aire"],
        "since": "2026-01-31",
        "old": True,
        "kind": "moto",
    }
    assert (case.assignee, case.citizen, case.channel) == (world.alice, person, "phone")
    page = client.get(answer["Location"]).content.decode()
    assert "Matrícula" in page
    assert "1234ABC" in page


def test_choosing_the_kind_brings_its_fields_and_judges_nothing(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="coche", fields=FIELDS)
    client = signed_in(world.alice)
    answer = client.post(
        "/casos/nuevo/",
        {"case_type": "coche", "choose": "type"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert 'name="data.plate"' in answer.content.decode()
    whole = client.post(
        "/casos/nuevo/", {"case_type": "coche", "choose": "type", "subject": "A medias"}
    )
    assert whole.status_code == 200
    assert "A medias" in whole.content.decode()
    assert 'class="v-errors"' not in whole.content.decode()


def test_ids_of_others_in_a_form_are_refused(world: World) -> None:
    CaseTypeFactory(organisation=world.here, code="coche")
    CaseTypeFactory(organisation=world.elsewhere, code="ajeno")
    stranger = Citizen.objects.create(name="Ajena")
    CitizenRecord.objects.create(organisation=world.elsewhere, citizen=stranger)
    client = signed_in(world.alice)
    typed = {
        "case_type": "coche",
        "subject": "Prueba",
        "unit": str(world.unit.uuid),
        "channel": "phone",
        "priority": "1",
        "language": "es",
        "confidentiality": "1",
    }
    for change in (
        {"case_type": "ajeno"},
        {"unit": str(world.foreign_unit.uuid)},
        {"unit": str(world.other_unit.uuid)},
        {"citizen": str(stranger.uuid)},
        {"citizen": "x"},
        {"confidentiality": "9"},
    ):
        answer = client.post("/casos/nuevo/", {**typed, **change})
        assert answer.status_code == 422, change
        assert "Ajena" not in answer.content.decode()
    refused = client.post("/casos/nuevo/", {**typed, "confidentiality": "3"})
    assert refused.status_code == 403
    assert not Case.objects.unscoped("nothing was opened").exists()


def test_a_case_of_nobody_known_gets_its_citizen_by_editing(world: World) -> None:
    case, person = CaseFactory(unit=world.unit), rosa(world)
    client, address = signed_in(world.alice), f"/casos/{case.uuid}/editar/"
    assert 'name="person"' in client.get(address).content.decode()
    typed = {"subject": "Asunto", "channel": case.channel, "priority": "1", "language": "es"}
    chosen = {**typed, "version": "1", "citizen": str(person.uuid)}
    assert client.post(address, chosen).status_code == 302
    case.refresh_from_db()
    assert case.citizen == person
    assert "Rosa Quiñones" in client.get(address).content.decode()
    # a search that chose nobody changes nothing; « nobody known » is a choice
    assert client.post(address, {**typed, "subject": "Otro", "version": "2"}).status_code == 302
    case.refresh_from_db()
    assert (case.subject, case.citizen) == ("Otro", person)
    assert client.post(address, {**typed, "version": "3", "citizen": ""}).status_code == 302
    case.refresh_from_db()
    assert case.citizen is None


def test_the_loser_of_an_act_is_told_and_keeps_the_reason(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    boss = signed_in(employee(world.here, "supervisor"))
    services.take_case(world.actor(world.alice), case.uuid)
    typed = {"unit": str(world.other_unit.uuid), "reason": "Es de Sur", "version": "1"}
    answer = boss.post(f"/casos/{case.uuid}/unidad/", typed, follow=True)
    told = [str(message) for message in answer.context["messages"]]
    assert "Alice Arias assigned the case to Alice Arias" in told
    assert "What you had written: Es de Sur" in told
    case.refresh_from_db()
    assert case.unit == world.unit
    assert boss.post(f"/casos/{case.uuid}/unidad/", {**typed, "version": "2"}).status_code == 302
    case.refresh_from_db()
    assert case.unit == world.other_unit


def test_moving_asks_at_the_field(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    client = signed_in(world.alice)
    address = f"/casos/{case.uuid}/mover/resolve/"
    assert client.get(address).status_code == 200
    refused = client.post(address, {"outcome": " "})
    assert refused.status_code == 422
    assert client.post(address, {"outcome": "Concedida"}).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("resolved", "Concedida")
    again = client.post(address, {"outcome": "Otra", "version": "1"})
    assert again.status_code == 409
    page = again.content.decode()
    assert 'value="Otra"' in page
    assert "Alice Arias moved it from" in page
    case.refresh_from_db()
    assert case.outcome == "Concedida"
    assert client.post(f"/casos/{case.uuid}/mover/teleport/").status_code == 404


def test_a_refused_move_says_exactly_why(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    auditor = employee(world.here, "auditor")
    page = signed_in(auditor).get(f"/casos/{case.uuid}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'aria-disabled="true"' in text
    assert "composer-text" not in text
    record = signed_in(auditor).get(f"/casos/{case.uuid}/registro/")
    assert [entry.action for entry, _sentence in record.context["entries"]] == [
        "viewed",
        "cases.open_case",
    ]
    assert signed_in(world.alice).get(f"/casos/{case.uuid}/registro/").status_code == 403


def test_the_composer_answers_with_the_new_entry(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    client, key = signed_in(world.alice), uuid4().hex
    for _twice in range(2):
        answer = client.post(
            f"/casos/{case.uuid}/notas/",
            {"text": "<script>alert(1)</script> Llamó", "idempotency_key": key},
            headers={"HX-Request": "true"},
        )
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
    assert case.notes.count() == 1


def test_what_a_script_cannot_do_is_told_in_a_line_it_can_show(
    world: World, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(unit=world.unit)
    client, script = signed_in(world.alice), {"HX-Request": "true"}
    empty = client.post(f"/casos/{case.uuid}/notas/", {"text": " "}, headers=script)
    virus = SimpleUploadedFile("virus.exe", b"MZ\x90\0", "image/png")
    refused = client.post(f"/casos/{case.uuid}/documentos/", {"file": virus}, headers=script)
    for answer, words in ((empty, "campo"), (refused, "“virus.exe”: Files of this kind")):
        assert answer.status_code == 422
        assert answer["Content-Type"] == "application/problem+json"
        assert words in answer.json()["detail"]
    stranger = signed_in(world.charlie)
    hidden = stranger.post(f"/casos/{case.uuid}/notas/", {}, headers={"Accept": "application/json"})
    assert hidden.json()["status"] == hidden.status_code == 404


def test_registering_a_person_costs_nothing_typed_in_a_new_case(world: World) -> None:
    page = signed_in(world.alice).get("/casos/nuevo/persona/", {"person": "Nadie Conocido"})
    assert re.search(r'href="/ciudadania/nueva/" target="_blank"', page.content.decode())


def test_what_the_citizen_said_stands_in_the_story_as_theirs(world: World) -> None:
    case = CaseFactory(unit=world.unit, citizen=rosa(world))
    client, key = signed_in(world.alice), uuid4().hex
    address, by_htmx = f"/casos/{case.uuid}/mensajes/recibidos/", {"HX-Request": "true"}
    given = {"text": "Lo <b>traerá</b> el lunes", "channel": "in_person", "idempotency_key": key}
    for _twice in range(2):
        entry = client.post(address, given, headers=by_htmx).content.decode()
        assert "Rosa Quiñones" in entry
        assert "written down by Alice Arias" in entry
        assert "Lo &lt;b&gt;traerá" in entry
        assert "v-msg-out" not in entry
    newest_first = client.post(address, {**given, "orden": "reciente"}, headers=by_htmx)
    assert newest_first["HX-Reswap"] == "afterbegin show:top"
    message = case.messages.get()
    assert (message.direction, message.channel, message.state) == ("in", "in_person", "recorded")
    assert message.author_id is None
    for wrong in ({"channel": ""}, {"channel": "pigeon"}, {"text": " "}):
        assert client.post(address, {**given, **wrong}, headers=by_htmx).status_code == 422
    told = client.get(f"/casos/{case.uuid}/cronologia/", {"ver": "messages"}).content.decode()
    assert told.count("Lo &lt;b&gt;traerá") == 1


def test_what_nobody_known_said_is_not_said_by_the_employee(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    given = {"text": "Hay un socavón", "channel": "phone"}
    address = f"/casos/{case.uuid}/mensajes/recibidos/"
    page = signed_in(world.alice).post(address, given, follow=True).content.decode()
    assert "<b>Citizen</b>" in page
    assert "written down by Alice Arias" in page
    assert case.messages.get().author_name == ""


def test_the_story_filters_and_goes_back(world: World) -> None:
    case = CaseFactory(unit=world.unit)
    alice = world.actor(world.alice)
    for number in range(45):
        services.add_note(alice, case.uuid, f"Nota número {number:02d}.")
    client = signed_in(world.alice)
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert "Nota número 44." in page
    assert "Nota número 04." not in page
    assert page.index("Nota número 10.") < page.index("Nota número 44.")
    newest = client.get(f"/casos/{case.uuid}/cronologia/", {"orden": "reciente"}).content.decode()
    assert newest.index("Nota número 44.") < newest.index("Nota número 10.")
    start = page.index("?antes=") if "?antes=" in page else page.index("antes=")
    cursor = page[start:].split("antes=")[1].split('"')[0]
    earlier = client.get(f"/casos/{case.uuid}/cronologia/?antes={cursor}").content.decode()
    assert "Nota número 04." in earlier
    assert "Nota número 05." not in earlier
    moves = client.get(f"/casos/{case.uuid}/cronologia/", {"ver": "moves"}).content.decode()
    assert "Nota número" not in moves
    assert client.get(f"/casos/{case.uuid}/cronologia/?antes=rubbish").status_code == 200


def test_documents_are_downloaded_safely_and_written_down(
    world: World, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(unit=world.unit)
    client = signed_in(world.alice)
    text = SimpleUploadedFile("carta.txt", "Estimados señores".encode(), "image/png")
    answer = client.post(
        f"/casos/{case.uuid}/documentos/", {"file": text}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    document = case.documents.get()
    address = f"/casos/{case.uuid}/documentos/{document.uuid}/"
    served = client.get(address)
    assert served["Content-Disposition"].startswith("attachment")
    assert served["X-Content-Type-Options"] == "nosniff"
    assert AuditEntry.objects.filter(action="downloaded").count() == 1
    for stranger in (world.bob, world.charlie):
        assert signed_in(stranger).get(address).status_code == 404
    other = CaseFactory(unit=world.unit)
    assert client.get(f"/casos/{other.uuid}/documentos/{document.uuid}/").status_code == 404


def test_who_brought_a_paper_and_who_may_know_it_is_said_on_the_page(
    world: World, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case, client = CaseFactory(unit=world.unit), signed_in(world.alice)
    page = client.get(f"/casos/{case.uuid}/").content.decode()
    assert 'name="origin"' in page
    offered = page.partition('name="confidentiality"')[2].partition("</select>")[0]
    assert offered.count("<option") == 3  # of the special ones she may see none

    def attach(**said: str) -> Any:
        file = SimpleUploadedFile("carta.txt", b"Estimada Alice")
        address = f"/casos/{case.uuid}/documentos/"
        return client.post(address, {"file": file, **said}, headers={"HX-Request": "true"})

    brought = attach(origin="citizen", confidentiality="0")
    assert brought.status_code == 200
    assert "<img" not in brought.content.decode()  # of a text there is no preview
    document = case.documents.get()
    assert (document.origin, document.confidentiality) == ("citizen", 0)
    assert attach(origin="neighbour").status_code == 422
    assert attach(confidentiality="9").status_code == 422
    assert attach(confidentiality="3").status_code == 403
    assert case.documents.count() == 1


def test_what_happens_is_followed_live(world: World) -> None:
    from crm.kit import realtime

    case = CaseFactory(unit=world.unit)
    stream = f"case:{case.uuid}"
    assert realtime.authorise(world.actor(world.alice), stream)
    assert not realtime.authorise(world.actor(world.bob), stream)
    assert not realtime.authorise(world.actor(world.charlie), stream)
    assert not realtime.authorise(world.actor(world.alice), "case:rubbish")
    services.take_case(world.actor(world.alice), case.uuid)
    patches = realtime.replay(stream, 0)
    assert patches is not None
    assert [patch.patch["kind"] for patch in patches] == ["assigned"]
    assert Event.objects.for_actor(world.actor(world.alice)).filter(case=case).count() == 2
