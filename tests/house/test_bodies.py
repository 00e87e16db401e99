"""Ids inside bodies, filters and forms: another organisation's does not exist there either."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from crm.kit.api.view import Operation
from reporting.models import HistoryBatch
from reporting.services import make_batch
from tests.house.asking import ids_of, told, undone, writes
from tests.house.bodies import body_of, id_fields, value_of
from tests.house.doors import Door, doors
from tests.house.estate import Estate, Side

pytestmark = pytest.mark.django_db

OPERATIONS = [
    pytest.param(door, method, name, id=f"{method} {door.name} {name}")
    for door in doors()
    if door.api is not None
    for method, operation in door.api.operations.items()
    for name in id_fields(operation.query if method == "get" else operation.reads)
]


def _asked(
    client: Client, door: Door, method: str, side: Side, body: dict[str, Any]
) -> HttpResponse:
    address = door.address(ids_of(door, side))
    with undone():
        if method == "get":
            answer = client.get(address, body)
        else:
            text = json.dumps(body)
            answer = getattr(client, method)(address, text, content_type="application/json")
    assert isinstance(answer, HttpResponse)
    return answer


def _operation(door: Door, method: str) -> Operation:
    assert door.api is not None
    return door.api.operations[method]


@pytest.mark.parametrize(("door", "method", "name"), OPERATIONS)
def test_by_api_a_strangers_id_is_one_that_does_not_exist(
    door: Door, method: str, name: str, estate: Estate
) -> None:
    operation = _operation(door, method)
    kind = operation.query if method == "get" else operation.reads
    field = kind().fields[name]
    here, elsewhere = estate.here, estate.elsewhere
    machine = estate.caller("machine")
    body = body_of(kind, here)
    foreign = value_of(kind, name, field, elsewhere)
    unknown: Any = "no-such-type" if name == "case_type" else str(uuid4())
    unknown = [unknown] if isinstance(foreign, list) else unknown
    with writes() as written:
        answer = _asked(machine, door, method, here, {**body, name: foreign})
    other = _asked(machine, door, method, here, {**body, name: unknown})
    one = foreign[0] if isinstance(foreign, list) else foreign
    none = unknown[0] if isinstance(unknown, list) else unknown
    assert answer.status_code == other.status_code
    if name != "despite":  # says of whom it is not a duplicate: of nobody, then
        assert told(answer, {"": one}) == told(other, {"": none})
        assert not written
        expected = {200} if method == "get" else {400, 404, 422}
        assert answer.status_code in expected, answer.content
    if method == "get":
        assert json.loads(answer.content)["results"] == []
    own = _asked(machine, door, method, here, {**body, name: value_of(kind, name, field, here)})
    assert own.status_code < 400, own.content  # it was the id, nothing else


_MAIL_ACCOUNT = {
    "name": "Correo",
    "address": "nuevo@x.example",
    "acknowledge_hours": "24",
    "imap_port": "993",
    "imap_security": "tls",
    "folder": "INBOX",
    "smtp_port": "587",
    "smtp_security": "starttls",
}

_CHAT = {
    "name": "Otro chat",
    "unit": "unit.uuid",
    "queue": "queue.uuid",
    "consent_es": "Tratamos sus datos.",
}
_QUEUE = {
    "name_es": "Otra cola",
    "unit": "unit.uuid",
    "priority": "50",
    "offer_seconds": "30",
    "wrap_up_seconds": "60",
    "target_seconds": "60",
    "max_waiting": "0",
}

# Every field of a form that names a row: the page that it stands on, what else is filled in, and
# what it holds. `own` is taken, the same attribute of the other side is refused.
NEW_CASE = {
    "case_type": "case_type.code",
    "unit": "unit.uuid",
    "subject": "Asunto",
    "channel": "phone",
    "priority": "1",
    "language": "es",
    "confidentiality": "1",
}
NEW_PROCEDURE = {
    "code": "otro",
    "case_type": "case_type.code",
    "unit": "unit.uuid",
    "silence": "none",
    "es.name": "Otro",
    "es.summary": "Para algo.",
}
NEW_OFFICE = {
    "name": "Otra",
    "code": "otra",
    "time_zone": "Europe/Madrid",
    "address": "Calle Mayor 1",
}
NEW_SERVICE = {"name": "N", "code": "nuevo", "case_type": "case_type.code", "unit": "unit.uuid"}
NEW_CAMPAIGN = {
    "name": "Campaña",
    "topic": "topic.uuid",
    "segment": "segment.uuid",
    "template": "template.uuid",
    "send_at": "2031-01-01T10:00",
    "send_not_after": "2031-01-02T10:00",
    "max_error_rate": "10",
}
FIELDS: dict[tuple[str, str], tuple[str, dict[str, str], str]] = {
    **{
        ("CampaignForm", name): ("campaigns:new", NEW_CAMPAIGN, f"{name}.uuid")
        for name in ("topic", "segment", "template")
    },
    ("NewCaseForm", "case_type"): ("cases:new", NEW_CASE, "case_type.code"),
    ("NewCaseForm", "unit"): ("cases:new", NEW_CASE, "unit.uuid"),
    ("NewCaseForm", "citizen"): ("cases:new", NEW_CASE, "citizen.uuid"),
    ("EditCaseForm", "citizen"): (
        "cases:edit",
        {**NEW_CASE, "version": "case.version"},
        "citizen.uuid",
    ),
    ("BulkForm", "person"): (
        "cases:bulk_prepare",
        {"action": "assign", "case": "case.uuid", "ready": "start"},
        "employee.uuid",
    ),
    ("AbsenceForm", "substitute"): (
        "accounts:absences",
        {"first": "2030-01-07", "last": "2030-01-08"},
        "nothing.pk",
    ),
    ("RuleForm", "case_type"): (
        "cases:set_rule",
        {"unit": "unit.uuid", "method": "manual", "weight": "1"},
        "case_type.code",
    ),
    ("AskForm", "unit"): (
        "cases:consultation_new",
        {"term": "3wd", "text": "Palabras"},
        "other_unit.uuid",
    ),
    ("TaskForm", "unit"): ("cases:new_task", {"title": "Llamar"}, "other_unit.uuid"),
    ("TaskForm", "assignee"): ("cases:new_task", {"title": "Llamar"}, "employee.uuid"),
    ("TaskForm", "after"): ("cases:new_task", {"title": "Llamar"}, "task.uuid"),
    ("act", "document"): ("cases:tick_paper", {"state": "received"}, "document.uuid"),
    ("ViewForm", "unit"): (
        "cases:view_new",
        {"name": "Otra", "expression": "state:open", "audience": "unit", "icon": "star"},
        "unit.uuid",
    ),
    ("BulkForm", "unit"): (
        "cases:bulk_prepare",
        {"action": "unit", "case": "case.uuid", "ready": "preview", "reason": "Motivo"},
        "other_unit.uuid",
    ),
    ("BulkForm", "macro"): (
        "cases:bulk_prepare",
        {"action": "macro", "case": "case.uuid", "ready": "preview"},
        "macro.uuid",
    ),
    ("act", "person"): ("cases:assign", {}, "employee.uuid"),
    ("act", "unit"): ("cases:unit", {"reason": "Motivo"}, "other_unit.uuid"),
    ("act", "citizen"): ("cases:add_participant", {"role": "other"}, "citizen.uuid"),
    ("act", "reference"): ("cases:link", {"kind": "parent"}, "third_case.reference"),
    ("InviteForm", "unit"): (
        "accounts:invite",
        {"email": "nueva@example.org", "full_name": "Nueva"},
        "unit.pk",
    ),
    ("InviteForm", "role"): (
        "accounts:invite",
        {"email": "nueva@example.org", "full_name": "Nueva", "unit": "unit.pk"},
        "agent_role.pk",
    ),
    ("GiveRoleForm", "role"): ("accounts:give_role", {}, "role.pk"),
    ("GiveRoleForm", "unit"): ("accounts:give_role", {"role": "role.pk"}, "unit.pk"),
    ("MoveForm", "unit"): ("accounts:move", {}, "other_unit.pk"),
    ("NewRoleForm", "copy_of"): ("accounts:role_new", {"name": "Nuevo"}, "role.pk"),
    ("TargetForm", "target"): ("organisations:move_unit", {}, "other_unit.uuid"),
    ("UnitForm", "calendar"): (
        "organisations:new_unit",
        {"name": "Nueva", "code": "NUEVA"},
        "calendar.uuid",
    ),
    ("OrganisationForm", "calendar"): (
        "organisations:settings",
        {"name": "N", "accent": "#0b5a6b", "languages": "es", "time_zone": "Europe/Madrid"},
        "calendar.uuid",
    ),
    ("CalendarForm", "base"): (
        "organisations:new_calendar",
        {"name": "Otro", "code": "OTRO", "layer": "local"},
        "calendar.uuid",
    ),
    ("NewTypeForm", "copy_of"): (
        "cases:new_type",
        {"name": "Otra", "nature": "enquiry", "start": "copy"},
        "case_type.code",
    ),
    ("ProcedureForm", "unit"): ("cases:new_procedure", NEW_PROCEDURE, "unit.uuid"),
    ("ProcedureForm", "case_type"): ("cases:new_procedure", NEW_PROCEDURE, "case_type.code"),
    ("ArticleForm", "unit"): (
        "cases:new_article",
        {"code": "otra", "language": "es", "title": "T", "body": "B", "review_on": "2100-01-01"},
        "unit.uuid",
    ),
    ("AnswerForm", "unit"): (
        "cases:new_answer",
        {"name": "Otra", "code": "otra", "audience": "unit", "text_es": "Hola"},
        "unit.uuid",
    ),
    ("MacroForm", "unit"): (
        "cases:new_macro",
        {"name": "Otra", "audience": "unit", "act": "note", "s1.body": "Visto", "do": "save"},
        "unit.uuid",
    ),
    ("RelationForm", "citizen"): (
        "citizens:new_relation",
        {"kind": "sibling", "source": "declared"},
        "twin.uuid",
    ),
    ("ApplicantForm", "citizen"): ("cases:applicant", {}, "citizen.uuid"),
    ("OfficeForm", "unit"): ("scheduling:new_office", NEW_OFFICE, "unit.uuid"),
    ("OfficeForm", "calendar"): (
        "scheduling:new_office",
        {**NEW_OFFICE, "unit": "unit.uuid"},
        "calendar.uuid",
    ),
    ("BookForm", "case"): (
        "scheduling:new",
        {"citizen": "citizen.uuid", "start": "slot.written", "channel": "phone"},
        "other_case.uuid",
    ),
    ("desk", "citizen"): ("scheduling:identify", {}, "citizen.uuid"),
    ("ResourceForm", "services"): (
        "scheduling:new_resource",
        {"name": "Otra mesa", "kind": "desk"},
        "service.code",
    ),
    ("OfferForm", "case_type"): ("cases:new_open311_service", NEW_SERVICE, "case_type.code"),
    ("OfferForm", "unit"): ("cases:new_open311_service", NEW_SERVICE, "unit.uuid"),
    ("UploadForm", "unit"): ("cases:import_new", {"file": "a file"}, "unit.uuid"),
    **{
        ("ChatForm", name): ("channels_app:setup_new_chat", _CHAT, f"{name}.uuid")
        for name in ("unit", "queue")
    },
    **{
        ("QueueForm", name): ("channels_app:setup_new_queue", _QUEUE, f"{name}.uuid")
        for name in ("unit", "calendar", "case_type")
    },
    ("ReasonForm", "queue"): (
        "channels_app:setup_new_reason",
        {"name_es": "Otro motivo", "position": "1"},
        "queue.uuid",
    ),
    ("MemberForm", "person"): ("channels_app:setup_add_member", {"room": "2"}, "employee.uuid"),
    ("AccountForm", "unit"): ("mail:new_account", _MAIL_ACCOUNT, "unit.uuid"),
    ("AccountForm", "case_type"): (
        "mail:new_account",
        {**_MAIL_ACCOUNT, "unit": "unit.uuid"},
        "case_type.code",
    ),
}
# Filters only narrow what one sees already: a stranger's id finds nothing.
ASKING = {"BoardForm", "ListForm", "SearchForm", "WhyForm"}
# Another organisation is what an agreement is made with; samples of components name nothing; the key of
# an application names the form itself.
FOREIGN_BY_NATURE = {
    ("AgreementForm", "receiver"),
    ("_SampleForm", "unit"),
    ("ApplicationForm", "key"),
    ("SimulatedForm", "to"),  # a citizen may write to any mailbox
    ("AbroadForm", "unit"),  # another organisation's, within an agreement
    # of acts that only the other side of a transfer or the grantor's page reaches: their verbs fetch by
    # person_for, unit_of, published_version and citizen_of, which other forms here try
    ("AcceptForm", "assignee"),
    ("ReceiveForm", "case_type"),
    ("ReceiveForm", "unit"),
    ("NewMandateForm", "citizen"),
}
# Names that a field naming a row bears.
NAMING = {
    *("unit", "unidad", "person", "citizen", "case", "cases", "case_type", "tipo", "role"),
    *("queue", "copy_of", "target", "into", "calendar", "base", "receiver", "parent", "assignee"),
}


def _all_forms() -> list[type[forms.BaseForm]]:
    found: list[type[forms.BaseForm]] = []
    waiting: list[type[forms.BaseForm]] = [forms.Form]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.split(".")[0] in {
            "crm",
            "cases",
            "channels_app",
            "scheduling",
            "campaigns",
            "reporting",
        }:
            found.append(kind)
    return found


def test_every_field_of_a_form_that_names_a_row_is_tried() -> None:
    kinds = _all_forms()
    parents = {base for kind in kinds for base in kind.__mro__[1:]}
    naming = {
        (kind.__name__, name)
        for kind in kinds
        if kind not in parents and kind.__name__ not in ASKING
        for name, field in kind.base_fields.items()
        if name in NAMING or isinstance(field, forms.ModelChoiceField | forms.UUIDField)
    }
    assert naming - set(FIELDS) - FOREIGN_BY_NATURE == set()


@pytest.mark.parametrize(("form", "name"), FIELDS, ids=lambda part: part)
def test_in_a_form_a_strangers_id_is_refused_and_changes_nothing(
    form: str, name: str, estate: Estate
) -> None:
    route, rest, own = FIELDS[form, name]
    door = next(door for door in doors() if door.name == route)
    here, elsewhere = estate.here, estate.elsewhere
    address = door.address(ids_of(door, here))
    client = estate.caller("everything")

    def post(value: str) -> HttpResponse:
        filled = {key: _filled(here, word) for key, word in rest.items()}
        with undone():
            answer = client.post(address, {**filled, name: value})
        assert isinstance(answer, HttpResponse)
        return answer

    with writes() as written:
        refused = post(str(elsewhere.get(own)))
    assert refused.status_code in {302, 404, 422}, refused.content
    assert not set(written) - {"accounts_user"}, (refused.status_code, written)
    with writes() as written:
        taken = post(str(here.get(own)))
    assert taken.status_code in {200, 302}, taken.content.decode()[:3000]
    assert written, "with one's own id it is done"


def _filled(side: Side, word: str) -> Any:
    if word == "a file":
        return SimpleUploadedFile("filas.csv", b"a,b\n1,2\n")
    return str(side.get(word))


def test_in_a_batch_a_strangers_case_is_left_out_like_one_that_does_not_exist(
    estate: Estate,
) -> None:
    foreign, unknown = str(estate.elsewhere.case.uuid), str(uuid4())
    asked = {"variant": "full", "case": [foreign, unknown]}
    answer = estate.caller("everything").post("/historiales/lotes/", asked)
    assert answer.status_code == 302
    batch = HistoryBatch.objects.unscoped("a test's own").latest("pk")
    make_batch(batch.pk)
    batch.refresh_from_db()
    assert set(batch.left_out) == {foreign, unknown}
    assert batch.left_out[foreign] == batch.left_out[unknown]
    assert batch.histories.count() == 0
