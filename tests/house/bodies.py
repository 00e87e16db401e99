"""Bodies with which every operation of the API could be done, made from its declared shapes."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework import serializers

from cases.type_texts import Written, write
from cases.workflow import simple_bundle
from crm.kit.api.shapes import Id, Input, Named, shape
from tests.factories.citizens import made_up_nif
from tests.house.estate import PAPER, Side

# What a field of this name holds: an attribute of a Side, or the value itself.
VALUES: dict[str, Any] = {
    "papers": "DNI",
    "end": "withdrawn",
    "subject": "Asunto",
    "channel": "phone",
    "case": "case.uuid",
    "cases": "case.uuid",
    "view": "view.uuid",
    "expression": "state:open",
    "case_type": "case_type.code",
    "unit": "unit.uuid",
    "assignee": "employee.uuid",
    "citizen": "citizen.uuid",
    "other": "third_case.uuid",
    "parent": "unit.uuid",
    "despite": "citizen.uuid",
    "role": "other",
    "move": "start",
    "macro": "macro.uuid",
    "answers": "answer.uuid",
    "reason": "Motivo",
    "text": "Palabras",
    "comment": "Palabras",
    "name": "Nombre",
    "kind": "nif",
    "address": "+34600000001",
    "quality": "good",
    "confidentiality": "confidential",
    "q": "apellido",
    "service": "service.code",
    "office": "office.code",
    "start": "slot.start",
    "holder": "holder.uuid",
    "grantor": "citizen.uuid",
    "representative": "holder.uuid",
    "scope": "general",
    "acts": "notify",
    "act": "inform",
    "proof": "public_deed",
    "granted_on": "2026-01-02",
    "how": "revoked",
}
# Where a shape's field means something else than the name usually does.
SPECIAL: dict[tuple[str, str], Any] = {
    ("WrittenDraftInput", "kind"): "note",
    ("ShareInput", "shared"): True,
    ("NewAbsenceInput", "person"): "employee.email",
    ("NewAbsenceInput", "first"): "2031-03-03",
    ("NewAbsenceInput", "last"): "2031-03-09",
    ("UnitInput", "unit"): "other_unit.uuid",
    ("OfferInput", "unit"): "other_unit.uuid",
    ("OfferInput", "documents"): "document.uuid",
    ("AskInput", "unit"): "other_unit.uuid",
    ("AskInput", "documents"): "document.uuid",
    ("AskInput", "term"): "3wd",
    ("TermInput", "term"): "10wd",
    ("AcceptInput", "unit"): "other_unit.uuid",
    ("AcceptInput", "assignee"): "everything.uuid",
    ("NewInteractionInput", "started_at"): "2026-03-02T09:00:00Z",
    ("NewInteractionInput", "ended_at"): "2026-03-02T09:05:00Z",
    ("NewInteractionInput", "messages"): {"direction": "in", "text": "Pregunta por el padrón."},
    ("IdentifierInput", "value"): made_up_nif(777_000),
    ("NewUnitInput", "code"): "V1",
    ("UnitChanges", "code"): "V2",
    ("NewCaseTypeInput", "code"): "otra",
    ("NewCaseTypeInput", "nature"): "application",
    ("NewCaseTypeInput", "bundle"): simple_bundle(),
    ("CaseTypeChanges", "nature"): "application",
    ("CaseTypeChanges", "bundle"): simple_bundle(),
    ("DraftChanges", "bundle"): simple_bundle(),
    ("DraftChanges", "seen"): "draft_seen.now",
    ("DifferenceFilters", "before"): 1,
    ("ImportInput", "text"): write(Written("nueva", "Nueva", "enquiry", simple_bundle())),
    ("MigrationInput", "source"): 1,
    ("MigrationInput", "target"): 2,
    ("ParentInput", "parent"): "other_unit.uuid",
    ("MergeInput", "into"): "other_unit.uuid",
    ("TaskChanges", "title"): "Llamar",
    ("NewTaskInput", "title"): "Llamar",
    ("NewTaskInput", "after"): "task.uuid",
    ("TaskChanges", "after"): "done_task.uuid",
    ("TickInput", "state"): "received",
    ("TickInput", "document"): "document.uuid",
    ("CitizenMergeInput", "merged"): "twin.uuid",
    ("CaseMergeInput", "merged"): "twin_case.uuid",
    ("SplitInput", "subject"): "Otro asunto",
    ("SplitInput", "messages"): "message.uuid",
    ("SplitInput", "notes"): "note.uuid",
    ("SplitInput", "documents"): "document.uuid",
    ("NewRelationInput", "other"): "twin.uuid",
    ("NewRelationInput", "kind"): "sibling",
    ("FreezeInput", "shown"): "shown.machine",
    ("SuspendInput", "ground"): "22.1.b",
    ("ExtendInput", "ground"): "23",
    ("ExtendInput", "term"): "1d",
    ("NewBulkInput", "action"): "assign",
    ("WayChanges", "kind"): "mentioned",
    ("NewAnswerInput", "code"): "otra",
    ("NewAnswerInput", "texts"): {"es": "Hola"},
    ("NewAnswerInput", "audience"): "unit",
    ("AnswerChanges", "code"): "otra",
    ("AnswerChanges", "texts"): {"es": "Hola"},
    ("AnswerChanges", "audience"): "unit",
    ("NewViewInput", "audience"): "unit",
    ("ViewChanges", "audience"): "unit",
}

# Fields that are not required by themselves, but by what the others say.
ALSO = {
    "TickInput": ("document",),
    "NewBulkInput": ("cases", "assignee"),
    "NewCaseInput": ("unit", "citizen"),
    "NewAnswerInput": ("unit",),
    "AnswerChanges": ("unit",),
    "NewAppointmentInput": ("citizen",),
}


def body_of(kind: type[Input], side: Side) -> dict[str, Any]:
    """The least that this shape takes, in the words of that organisation."""
    fields = shape(kind).fields
    return {
        name: value_of(kind, name, field, side)
        for name, field in fields.items()
        if field.required or name in ALSO.get(kind.__name__, ())
    }


def value_of(kind: type[Input], name: str, field: Any, side: Side) -> Any:
    """A value of that organisation for one field of a shape."""
    if isinstance(field, serializers.FileField):
        return SimpleUploadedFile("papel.pdf", PAPER)
    given = SPECIAL.get((kind.__name__, name), VALUES.get(name))
    assert given is not None, f"say in VALUES what {kind.__name__}.{name} holds"
    found = given if isinstance(given, dict | int) else str(side.get(given))
    return [found] if isinstance(field, serializers.ListField) else found


def id_fields(kind: type[Input]) -> list[str]:
    """The fields of a shape that name a row: by UUID, or by a code of the organisation's."""
    return [
        name
        for name, field in shape(kind).fields.items()
        if isinstance(field, Id)
        or isinstance(getattr(field, "child", None), Id)
        or (name == "case_type" and not isinstance(field, Named))
    ]
