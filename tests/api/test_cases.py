"""Cases by API: list, open, edit, verbs, and what belongs to a case."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from cases import lists
from cases.api import views as api
from cases.models import Case, CaseType, Document, Note
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen, CitizenRecord
from tests.api.conftest import Caller, key_for
from tests.conftest import World
from tests.factories.cases import CaseFactory, CaseTypeFactory
from tests.factories.organisations import UnitFactory

ALL = ("cases.view_case", "cases.open_case", "cases.change_case", "cases.close_case")
FIELDS = {
    "type": "object",
    "properties": {"street": {"type": "string", "title": "Calle"}},
    "required": ["street"],
}


@pytest.fixture
def works(world: World) -> CaseType:
    """A case type of Alice's organisation."""
    return CaseTypeFactory(organisation=world.here, code="works", fields=FIELDS)


@pytest.fixture
def system(caller: Callable[..., Caller]) -> Caller:
    """A system that may do what integrations do."""
    return caller(*ALL)


def new(world: World, **values: Any) -> dict[str, Any]:
    """The body of a case to open."""
    return {
        "case_type": "works",
        "subject": "Farola apagada",
        "channel": "web_form",
        "unit": str(world.unit.uuid),
        "data": {"street": "Mayor"},
        **values,
    }


def test_a_case_is_opened_read_edited_and_closed(
    world: World, works: CaseType, system: Caller
) -> None:
    opened = system.send("post", "/cases/", new(world, external_id="A-1", source="portal"))
    assert opened.status_code == 201, opened.content
    body = opened.json()
    address = f"/cases/{body['id']}/"
    assert opened["Location"] == f"/api/v1{address}"
    assert opened["ETag"] == '"1"'
    assert body["state"] == "new"
    assert body["category"] == "new"
    assert body["unit"] == str(world.unit.uuid)
    assert body["external_id"] == "A-1"
    assert body["citizen"] is None
    assert body["assignee"] is None
    assert system.send("get", address).json() == body

    edited = system.send("patch", address, {"subject": "Farola rota", "priority": "high"})
    assert edited.status_code == 200, edited.content
    assert edited.json()["subject"] == "Farola rota"
    assert edited.json()["priority"] == "high"
    assert edited["ETag"] == '"2"'

    closed = system.send("post", f"{address}close/", {"outcome": "Arreglada"})
    assert closed.status_code == 200, closed.content
    assert closed.json()["category"] == "resolved"
    assert closed.json()["outcome"] == "Arreglada"
    again = system.send("post", f"{address}close/", {"outcome": "Arreglada"})
    assert again.status_code == 409
    assert again.json()["type"] == "/api/v1/problems/case_ended"
    reopened = system.send("post", f"{address}reopen/", {"reason": "Sigue apagada"})
    assert reopened.json()["category"] == "open"


def test_what_is_wrong_is_said_with_its_place(
    world: World, works: CaseType, system: Caller
) -> None:
    answer = system.send(
        "post", "/cases/", new(world, subject="", priority="huge", latitude=91, data={"x": 1})
    )
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert sorted(pointers) == ["/latitude", "/priority", "/subject"]
    wrong_data = system.send("post", "/cases/", new(world, data={"x": 1}))
    pointers = [error["pointer"] for error in wrong_data.json()["errors"]]
    assert sorted(pointers) == ["/data/street", "/data/x"]
    assert Case.objects.unscoped("a test").count() == 0


@pytest.mark.parametrize(
    "name",
    ["organisation", "created_by", "closed_at", "reference", "version", "state", "id", "uuid",
     "category", "last_event", "created_at", "is_superuser"],
)  # fmt: skip
def test_nobody_sets_what_is_not_theirs_to_set(
    world: World, works: CaseType, system: Caller, name: str
) -> None:
    opened = system.send("post", "/cases/", new(world, **{name: "1"}))
    assert opened.status_code == 422
    assert [error["pointer"] for error in opened.json()["errors"]] == [f"/{name}"]
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    edited = system.send("patch", f"/cases/{case.uuid}/", {name: "1"})
    assert edited.status_code == 422
    assert Case.objects.unscoped("a test").get().version == case.version


@pytest.mark.parametrize(
    "query",
    ["citizen__user__password=x", "organisation=1", "ordering=id", "unit__code=x", "limit=0",
     "limit=201", "cursor=x", "state=a&text=b&text=c", "opened_from=yesterday", "id=1",
     "opened_from=2026-01-01T00:00:00", "text=%00", "unit=x", "category=9", "assignee__isnull=1"],
)  # fmt: skip
def test_a_filter_that_is_not_offered_is_refused(world: World, system: Caller, query: str) -> None:
    answer = system.send("get", f"/cases/?{query}")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_ids_inside_bodies_are_those_of_the_organisation(
    world: World, works: CaseType, system: Caller
) -> None:
    foreign_case = CaseFactory(unit=world.foreign_unit)
    stranger = Citizen.objects.create(name="Ajena", surname1="Ajena")
    CitizenRecord.objects.create(citizen=stranger, organisation=world.elsewhere)
    for field, value in {
        "unit": world.foreign_unit.uuid,
        "assignee": world.charlie.uuid,
        "citizen": stranger.uuid,
        "case_type": foreign_case.case_type.code,
    }.items():
        foreign = system.send("post", "/cases/", new(world, **{field: str(value)}))
        absent = system.send("post", "/cases/", new(world, **{field: str(uuid4())}))
        assert foreign.status_code == absent.status_code == 422, field
        assert [error["pointer"] for error in foreign.json()["errors"]] == [f"/{field}"]
        assert foreign.json()["errors"] == absent.json()["errors"]
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    linked = system.send("post", f"/cases/{case.uuid}/links/", {"other": str(foreign_case.uuid)})
    absent = system.send("post", f"/cases/{case.uuid}/links/", {"other": str(uuid4())})
    assert linked.status_code == absent.status_code == 422
    assert linked.json()["errors"] == absent.json()["errors"]


def test_another_organisations_case_does_not_exist(world: World, system: Caller) -> None:
    case = CaseFactory(unit=world.foreign_unit)
    assert system.send("get", f"/cases/{case.uuid}/").status_code == 404
    assert system.send("patch", f"/cases/{case.uuid}/", {"subject": "x"}).status_code == 404
    noted = system.send("post", f"/cases/{case.uuid}/notes/", {"text": "x"})
    assert noted.status_code == 404
    assert system.send("get", "/cases/").json()["results"] == []


def test_without_the_scope_the_reason_is_told_and_written_down(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    answer = caller("cases.view_case").send("post", "/cases/", new(world))
    assert answer.status_code == 403
    assert answer.json()["type"] == "/api/v1/problems/refused"
    refusals = AuditEntry.objects.unscoped("a test").filter(result="refused")
    assert [entry.action for entry in refusals] == ["cases.open_case"]


def test_every_look_leaves_one_entry(world: World, works: CaseType, system: Caller) -> None:
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    before = AuditEntry.objects.unscoped("a test").count()
    for part in ("", "notes/", "messages/", "documents/", "links/", "participants/"):
        assert system.send("get", f"/cases/{case.uuid}/{part}").status_code == 200
    entries = AuditEntry.objects.unscoped("a test").order_by("id")[before:]
    assert [(entry.action, entry.object_id) for entry in entries if entry.action != "key_used"] == [
        ("viewed", str(case.uuid))
    ] * 6


def test_filters_find_what_they_say(world: World, works: CaseType, system: Caller) -> None:
    one = CaseFactory(
        unit=world.unit, case_type=works, data={"street": "x"}, subject="Farola apagada",
        channel="phone",
    )  # fmt: skip
    two = CaseFactory(
        unit=world.other_unit, case_type=works, data={"street": "x"}, subject="Bache",
        assignee=world.bob, priority=3, source="portal", external_id="P-2",
    )  # fmt: skip

    def found(query: str) -> list[str]:
        answer = system.send("get", f"/cases/?{query}")
        assert answer.status_code == 200, answer.content
        return [row["reference"] for row in answer.json()["results"]]

    assert found("") == [two.reference, one.reference]
    assert found("channel=phone") == [one.reference]
    assert found(f"unit={world.unit.uuid}") == [one.reference]
    assert found(f"unit={world.unit.uuid}&unit={world.other_unit.uuid}&limit=1") == [two.reference]
    assert found(f"unit={world.foreign_unit.uuid}") == []
    assert found("text=farolas") == [one.reference]
    assert found(f"assignee={world.bob.uuid}") == [two.reference]
    assert found("unassigned=true") == [one.reference]
    assert found("case_type=works&category=new&category=open") == [two.reference, one.reference]
    assert found("category=closed") == []
    assert found("state=new") == [two.reference, one.reference]
    assert found(f"reference={one.reference}") == [one.reference]
    assert found("source=portal&external_id=P-2") == [two.reference]
    assert found("opened_before=2020-01-01T00:00:00Z") == []
    assert found("updated_since=2020-01-01T00:00:00%2B01:00&opened_from=2020-01-01T00:00:00Z") == [
        two.reference,
        one.reference,
    ]


def test_an_employee_of_some_units_gets_them_merged_page_by_page(
    world: World, works: CaseType
) -> None:
    below = UnitFactory(organisation=world.here, parent=world.unit)
    made = [
        CaseFactory(unit=unit, case_type=works, data={"street": "x"}, subject=f"Farola {number}")
        for number, unit in enumerate([world.unit, below, world.other_unit, world.unit, below])
    ]
    mine = [case.reference for case in made if case.unit_id != world.other_unit.pk][::-1]
    alice = Caller()
    alice.force_login(world.alice)

    def found(query: str) -> list[str]:
        answer = alice.send("get", f"/cases/?{query}")
        assert answer.status_code == 200, answer.content
        rows, after = [row["reference"] for row in answer.json()["results"]], answer.json()["next"]
        return rows + (found(after.partition("?")[2]) if after else [])

    with CaptureQueriesContext(connection) as made_queries:
        assert found("limit=1") == mine
    assert sum("LATERAL" in query["sql"] for query in made_queries) == 4
    assert found("text=farola&limit=3") == mine
    assert found(f"unit={below.uuid}&unit={world.other_unit.uuid}") == [
        case.reference for case in (made[4], made[1])
    ]
    assert alice.send("get", "/cases/?cursor=nonsense").status_code == 400


def test_a_search_that_takes_too_long_says_so(
    world: World, works: CaseType, system: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseFactory(unit=world.unit, case_type=works, data={"street": "x"}, subject="Farola")
    slow = Q(RawSQL("pg_sleep(2) IS NOT NULL", (), output_field=BooleanField()))
    monkeypatch.setitem(api._FILTERS, "text", lambda _actor, _text: slow)
    monkeypatch.setattr(lists, "SEARCH_MS", 40)
    answer = system.send("get", "/cases/?text=farola")
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("/search_slow")


def test_the_list_asks_a_fixed_number_of_queries(
    world: World, works: CaseType, system: Caller, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        CaseFactory(unit=world.unit, case_type=works, data={"street": "x"}, subject=f"{number}")
    system.send("get", "/cases/")
    with django_assert_num_queries(3):  # the key, the entry of the audit trail, the rows
        assert len(system.send("get", "/cases/").json()["results"]) == 3


def test_words_files_links_and_participants(
    world: World, works: CaseType, system: Caller, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    other = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    citizen = Citizen.objects.create(name="Ana", surname1="Gil")
    CitizenRecord.objects.create(citizen=citizen, organisation=world.here)
    address = f"/cases/{case.uuid}/"

    noted = system.send("post", f"{address}notes/", {"text": "Llamar mañana"})
    assert noted.status_code == 201
    assert system.send("get", f"{address}notes/").json()["results"] == [noted.json()]

    said = system.send("post", f"{address}messages/", {"text": "Gracias", "direction": "in"})
    assert said.status_code == 422
    said = system.send(
        "post", f"{address}messages/", {"text": "Gracias", "direction": "in", "channel": "phone"}
    )
    assert said.status_code == 201
    assert said.json()["state"] == "recorded"
    sent = system.send("post", f"{address}messages/", {"text": "Está en marcha"})
    assert sent.json()["direction"] == "out"
    listed = system.send("get", f"{address}messages/").json()["results"]
    assert [message["text"] for message in listed] == ["Gracias", "Está en marcha"]

    linked = system.send("post", f"{address}links/", {"other": str(other.uuid)})
    assert linked.json()["reference"] == other.reference
    assert system.send("get", f"{address}links/").json()["results"] == [linked.json()]
    assert system.send("delete", f"{address}links/{linked.json()['id']}/").status_code == 204
    assert system.send("get", f"{address}links/").json()["results"] == []

    part = system.send(
        "post", f"{address}participants/", {"citizen": str(citizen.uuid), "role": "witness"}
    )
    assert part.json()["citizen"] == str(citizen.uuid)
    ended = system.send("post", f"{address}participants/{part.json()['id']}/end/")
    assert ended.json()["ended_at"] is not None

    file = SimpleUploadedFile("nota.txt", b"Texto llano.\n")
    attached = system.post(f"/api/v1{address}documents/", {"file": file, "origin": "citizen"})
    assert attached.status_code == 201, attached.content
    document = attached.json()
    assert document["media_type"] == "text/plain"
    assert system.send("get", f"/documents/{document['id']}/").json() == document
    content = system.get(f"/api/v1/documents/{document['id']}/content/")
    assert b"".join(content.streaming_content) == b"Texto llano.\n"
    assert content["Content-Disposition"].startswith("attachment")
    withdrawn = system.send(
        "post", f"{address}documents/{document['id']}/withdraw/", {"reason": "Repetido"}
    )
    assert withdrawn.json()["withdrawn_reason"] == "Repetido"
    gone = system.get(f"/api/v1/documents/{document['id']}/content/")
    assert gone.status_code == 409

    unfit = SimpleUploadedFile("foto.jpg", b"<html><script>alert(1)</script></html>")
    refused = system.post(f"/api/v1{address}documents/", {"file": unfit})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/file"
    assert Document.objects.unscoped("a test").count() == 1


def test_the_key_of_another_organisation_reaches_no_document(
    world: World, works: CaseType, system: Caller, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    file = SimpleUploadedFile("nota.txt", b"Texto.")
    document = system.post(f"/api/v1/cases/{case.uuid}/documents/", {"file": file}).json()
    stranger = Caller(key_for(world.elsewhere, *ALL))
    for part in ("", "content/"):
        assert stranger.send("get", f"/documents/{document['id']}/{part}").status_code == 404


def test_documents_of_all_cases_are_listed_and_filtered(
    world: World, works: CaseType, system: Caller, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    ids = []
    for number in range(3):
        case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
        file = SimpleUploadedFile("nota.txt", f"Texto {number}.".encode())
        origin = "citizen" if number else "administration"
        said = {"file": file, "origin": origin}
        answer = system.post(f"/api/v1/cases/{case.uuid}/documents/", said)
        ids.append(answer.json()["id"])
    first = system.send("get", "/documents/?limit=2").json()
    assert [row["id"] for row in first["results"]] == ids[:2]
    assert [row["id"] for row in system.get(first["next"]).json()["results"]] == ids[2:]
    by_case = system.send("get", f"/documents/?case={case.uuid}").json()["results"]
    assert [row["id"] for row in by_case] == ids[2:]
    brought = system.send("get", "/documents/?origin=citizen&scan=unscanned").json()["results"]
    assert [row["id"] for row in brought] == ids[1:]
    digest = by_case[0]["sha256"]
    assert len(system.send("get", f"/documents/?sha256={digest}").json()["results"]) == 1
    assert system.send("get", "/documents/?name=nota").status_code == 400
    stranger = Caller(key_for(world.elsewhere, *ALL))
    assert stranger.send("get", "/documents/").json()["results"] == []


def test_what_was_said_of_a_case_is_taken_back(
    world: World, works: CaseType, system: Caller
) -> None:
    case = CaseFactory(
        unit=world.unit, case_type=works, data={"street": "x"}, latitude=39.5, longitude=-0.4
    )
    address = f"/cases/{case.uuid}/"
    nowhere = {"latitude": None, "longitude": None, "citizen": None}
    changed = system.send("patch", address, nowhere)
    assert changed.status_code == 200, changed.content
    assert (changed.json()["latitude"], changed.json()["longitude"]) == (None, None)
    assert system.send("patch", address, {"latitude": None}).status_code == 422
    late = system.send("get", "/cases/?due_before=2026-01-01T00:00:00Z&priority=urgent")
    assert late.json()["results"] == []


def test_a_change_of_another_version_is_not_made(
    world: World, works: CaseType, system: Caller
) -> None:
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    address = f"/cases/{case.uuid}/"
    etag = system.send("get", address)["ETag"]
    system.send("patch", address, {"subject": "Otro"})
    late = system.send("patch", address, {"subject": "Tarde"}, If_Match=etag)
    assert late.status_code == 412
    assert late.json()["type"] == "/api/v1/problems/version_changed"
    late = system.send("post", f"{address}notes/", {"text": "Tarde"}, If_Match=etag)
    assert late.status_code == 412
    assert system.send("get", address).json()["subject"] == "Otro"
    assert Note.objects.unscoped("a test").count() == 0
    for header in ('"2"', '"0", "3"', "*"):
        answer = system.send("patch", address, {"subject": f"Con {header}"}, If_Match=header)
        assert answer.status_code == 200
    weak = system.send("patch", address, {"subject": "Débil"}, If_Match='W/"5"')
    assert weak.status_code == 412


def test_case_types_say_how_cases_are_worked(world: World, works: CaseType, system: Caller) -> None:
    listed = system.send("get", "/case-types/").json()["results"]
    assert [kind["code"] for kind in listed] == ["works"]
    kind = system.send("get", f"/case-types/{listed[0]['id']}/").json()
    assert kind == listed[0]
    assert kind["fields"]["properties"] == FIELDS["properties"]
    assert kind["initial"] == "new"
    assert {move["code"] for move in kind["moves"]} >= {"start", "close", "reopen"}


def test_case_types_are_narrowed(world: World, works: CaseType, system: Caller) -> None:
    CaseTypeFactory(organisation=world.here, code="antiguo")
    CaseType.objects.filter(code="antiguo").update(is_active=False)

    def codes(query: str) -> list[str]:
        answer = system.send("get", f"/case-types/?{query}").json()
        return [row["code"] for row in answer["results"]]

    assert codes("") == ["antiguo", works.code]
    assert codes("is_active=true") == [works.code]
    assert codes("is_active=false") == ["antiguo"]
    assert codes(f"code={works.code}&nature={works.nature}") == [works.code]
    assert codes("code=otro") == []
    assert system.send("get", "/case-types/?name=x").status_code == 400


def test_moves_units_and_confidentiality(
    world: World, works: CaseType, caller: Callable[..., Caller]
) -> None:
    system = caller(*ALL, "cases.assign_case", "cases.transfer_case", "cases.view_special")
    case = CaseFactory(unit=world.unit, case_type=works, data={"street": "x"})
    address = f"/cases/{case.uuid}/"
    assert system.send("post", f"{address}take/").status_code == 403
    moved = system.send("post", f"{address}move/", {"move": "start"})
    assert moved.json()["state"] == "in_progress"
    assert system.send("post", f"{address}move/", {"move": "start"}).status_code == 409
    assigned = system.send("post", f"{address}assign/", {"assignee": str(world.alice.uuid)})
    assert assigned.json()["assignee"] == str(world.alice.uuid)
    assert assigned.json()["assignee_name"] == "Alice Arias"
    foreign = system.send("post", f"{address}assign/", {"assignee": str(world.charlie.uuid)})
    assert [error["pointer"] for error in foreign.json()["errors"]] == ["/assignee"]
    released = system.send("post", f"{address}release/")
    assert released.json()["assignee"] is None
    given = {"unit": str(world.other_unit.uuid), "reason": "Es suyo"}
    assert system.send("post", f"{address}unit/", given).json()["unit"] == given["unit"]
    level = system.send("post", f"{address}confidentiality/", {"confidentiality": "special"})
    assert level.json()["confidentiality"] == "special"
