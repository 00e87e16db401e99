"""Kinds of cases, and documents by their own address."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from cases import services
from cases.api import shapes
from cases.models import CaseType, CaseTypeVersion, Document
from cases.permissions import PUBLISH_CASE_TYPE, VIEW_CASE
from cases.workflow import State, Workflow, of_version
from crm.audit.record import record
from crm.citizens.search import record_search
from crm.kit import files
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.keyset import Order

BY_CODE = Order(("code", "id"))
AS_ARRIVED = Order(("id",))
_DOCUMENT_FILTERS = {"case": "case__uuid", "created_since": "created_at__gte"}


@dataclass(frozen=True)
class Kind:
    """A case type with its published definition, if it has one."""

    row: CaseType
    version: int | None
    workflow: Workflow | None

    @property
    def states(self) -> list[State]:
        """In the definition's order."""
        return list(self.workflow.states.values()) if self.workflow else []

    @property
    def moves(self) -> Any:
        """In the definition's order."""
        return self.workflow.moves if self.workflow else ()

    @property
    def roles(self) -> Any:
        """The type's own; none: the usual ones."""
        return self.workflow.roles if self.workflow else ()

    @property
    def results(self) -> Any:
        """In the definition's order."""
        return self.workflow.results if self.workflow else ()

    @property
    def schema(self) -> Any:
        """JSON Schema of the case's data."""
        return self.workflow.fields.schema if self.workflow else {}


class CaseTypes(ActorAPIView):
    """The kinds of cases that the organisation attends."""

    @operation(
        "List case types",
        needs=None,
        filters=shapes.CaseTypeFilters,
        answers=shapes.CaseTypeOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """By code, those no longer in use too."""
        return self.page(_types(self.actor).filter(**self.filters()), BY_CODE, show=_kind)

    @operation(
        "Create a case type",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.NewCaseTypeInput,
        answers=shapes.CaseTypeOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """Its definition is published at once; 422 says where it is wrong."""
        made = services.create_case_type(self.actor, **self.read())
        kind = _kind(_types(self.actor).get(pk=made.pk))
        return self.reply(kind, location=f"{request.path}{made.uuid}/")


class OneCaseType(ActorAPIView):
    """One kind of case."""

    @operation("Read a case type", needs=None, answers=shapes.CaseTypeOutput)
    def get(self, request: Request, type_id: UUID) -> HttpResponse:
        """Its states, moves and fields, as new cases are worked."""
        return self.reply(_kind(_types(self.actor).get(uuid=type_id)))

    @operation(
        "Change a case type",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.CaseTypeChanges,
        answers=shapes.CaseTypeOutput,
    )
    def patch(self, request: Request, type_id: UUID) -> HttpResponse:
        """Only what is sent changes; another definition is a new version, open cases keep theirs."""
        row = _types(self.actor).get(uuid=type_id)
        kept = {"name": row.name, "nature": row.nature, "is_active": row.is_active}
        given = {**kept, **self.read()}
        changed = services.change_case_type(self.actor, row.code, **given)
        return self.reply(_kind(_types(self.actor).get(pk=changed.pk)))


class Documents(ActorAPIView):
    """The files of all cases that the caller may see."""

    narrows = True

    @operation(
        "List documents of all cases",
        needs=VIEW_CASE,
        filters=shapes.DocumentFilters,
        answers=shapes.DocumentOutput,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """In the order of arrival, withdrawn ones too."""
        given = self.filters()
        record_search(self.actor, "documents", filters=given)
        wanted = {_DOCUMENT_FILTERS.get(name, name): value for name, value in given.items()}
        rows = Document.objects.for_actor(self.actor).filter(
            organisation=self.actor.organisation_id, **wanted
        )
        return self.page(rows.select_related("case"), AS_ARRIVED)


class OneDocument(ActorAPIView):
    """One file of a case."""

    narrows = True

    @operation("Read a document's data", needs=VIEW_CASE, answers=shapes.DocumentOutput)
    def get(self, request: Request, document_id: UUID) -> HttpResponse:
        """Name, type, size and digest."""
        found = _document(self.actor, document_id)
        record(self.actor, "viewed", found)
        return self.reply(found)


class DocumentContent(ActorAPIView):
    """The bytes of a file."""

    narrows = True

    @operation("Download a document", needs=VIEW_CASE, problems=(409,))
    def get(self, request: Request, document_id: UUID) -> HttpResponseBase:
        """As an attachment, whatever it is; 409 when it was withdrawn or is not cleared of viruses."""
        found = _document(self.actor, document_id)
        assert found.case is not None
        document = services.open_document(self.actor, found.case.uuid, document_id)
        return files.serve(
            document.path, name=document.name, media_type=document.media_type, scan=document.scan
        )


def _document(actor: Actor, document_id: UUID) -> Document:
    rows = Document.objects.for_actor(actor).select_related("case")
    return rows.get_or_refuse(uuid=document_id)


def _types(actor: Actor) -> QuerySet[CaseType]:
    published = CaseTypeVersion.objects.filter(status=CaseTypeVersion.Status.PUBLISHED)
    return CaseType.objects.for_actor(actor).prefetch_related(
        Prefetch("versions", published, to_attr="published")
    )


def _kind(row: Any) -> Kind:
    version = next(iter(row.published), None)
    if version is None:
        return Kind(row, None, None)
    return Kind(row, version.number, of_version(version.bundle))
