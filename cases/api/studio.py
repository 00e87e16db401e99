"""Designing case types by API: the draft, publishing, texts, differences, and cases that go along."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from cases import services
from cases.api import studio_shapes as shapes
from cases.fields import Problem
from cases.models import CaseType, CaseTypeVersion, VersionMigration
from cases.permissions import PUBLISH_CASE_TYPE
from cases.services import carrying, versions
from cases.services.versions import Way
from crm.kit.api import ActorAPIView, operation
from crm.kit.errors import NotFound
from crm.kit.keyset import Order

NEWEST = Order(("-number", "-id"))
NEWEST_MIGRATION = Order(("-id",))


@dataclass(frozen=True)
class Drafted:
    """A draft with what publishing it would say."""

    row: CaseTypeVersion
    problems: list[Problem]

    @property
    def seen(self) -> str:
        """What a change of it states, to meet nobody else's."""
        return services.draft_seen(self.row)


@dataclass(frozen=True)
class Tried:
    """What a migration would do."""

    dry: versions.DryRun

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """Of those looked at."""
        return [{"reference": case.reference, "reason": why} for case, why in self.dry.refusals]


class TypeAPIView(ActorAPIView):
    """An address of one case type, of whoever designs them."""

    def code(self, type_id: UUID) -> str:
        """What its verbs call it."""
        return CaseType.objects.for_actor(self.actor).get_or_refuse(uuid=type_id).code

    def way(self, type_id: UUID) -> tuple[str, int, int, Way]:
        """Of which type's cases, from where to where, and how."""
        given = self.read()
        source, target = given.pop("source"), given.pop("target")
        return self.code(type_id), source, target, Way(**given)

    def draft(self, row: CaseTypeVersion | None) -> HttpResponse:
        """The draft as it stands."""
        if row is None:
            raise NotFound
        return self.reply(Drafted(row, services.problems_of(self.actor, row)))


class CaseTypeDraft(TypeAPIView):
    """The draft of a case type."""

    @operation("Read the draft", needs=PUBLISH_CASE_TYPE, answers=shapes.DraftOutput)
    def get(self, request: Request, type_id: UUID) -> HttpResponse:
        """With everything that publishing it would say."""
        return self.draft(services.draft_of(self.actor, self.code(type_id)))

    @operation(
        "Begin a draft",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.NewDraftInput,
        answers=shapes.DraftOutput,
        problems=(409,),
    )
    def post(self, request: Request, type_id: UUID) -> HttpResponse:
        """From the newest version or the one asked for; the draft that is there already is the answer."""
        return self.draft(services.start_draft(self.actor, self.code(type_id), **self.read()))

    @operation(
        "Change the draft",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.DraftChanges,
        answers=shapes.DraftOutput,
        problems=(409,),
    )
    def patch(self, request: Request, type_id: UUID) -> HttpResponse:
        """It may be unfinished and wrong, and is kept all the same; 409 when `seen` is past."""
        given, code = self.read(), self.code(type_id)
        if "bundle" not in given:
            return self.draft(services.draft_of(self.actor, code))
        return self.draft(services.replace_draft(self.actor, code, **given))

    @operation("Discard the draft", needs=PUBLISH_CASE_TYPE, status=204)
    def delete(self, request: Request, type_id: UUID) -> HttpResponse:
        """What is published stays."""
        services.discard_draft(self.actor, self.code(type_id))
        return HttpResponse(status=204)


class PublishDraft(TypeAPIView):
    """The draft comes into force."""

    @operation(
        "Publish the draft",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.PublishInput,
        answers=shapes.VersionOutput,
        problems=(409,),
    )
    def post(self, request: Request, type_id: UUID) -> HttpResponse:
        """422 says every problem with its place; `despite` passes over mere advice."""
        return self.reply(services.publish_draft(self.actor, self.code(type_id), **self.read()))


class RetireCaseType(TypeAPIView):
    """Nothing new is opened by the type."""

    @operation("Retire a case type", needs=PUBLISH_CASE_TYPE, status=204)
    def post(self, request: Request, type_id: UUID) -> HttpResponse:
        """What is open is worked to its end; publishing revives it."""
        self.read()
        services.retire_case_type(self.actor, self.code(type_id))
        return HttpResponse(status=204)


class CaseTypeVersions(TypeAPIView):
    """What was published of a type."""

    @operation("List versions", needs=PUBLISH_CASE_TYPE, answers=shapes.VersionOutput, paged=True)
    def get(self, request: Request, type_id: UUID) -> HttpResponse:
        """The newest first, without the draft."""
        rows = CaseTypeVersion.objects.filter(case_type__organisation=self.actor.organisation_id)
        kept = rows.filter(case_type__code=self.code(type_id)).exclude(number=0)
        return self.page(kept, NEWEST)


class CaseTypeText(TypeAPIView):
    """A case type as text."""

    @operation(
        "Export a case type",
        needs=PUBLISH_CASE_TYPE,
        filters=shapes.TextFilters,
        answers=shapes.TextOutput,
    )
    def get(self, request: Request, type_id: UUID) -> HttpResponse:
        """YAML, the same for equal types; of the newest version, another one, or the draft."""
        given = self.filters()
        text = carrying.export_text(
            self.actor,
            self.code(type_id),
            number=given.get("version"),
            draft=given.get("draft", False),
        )
        return self.reply({"text": text})


class ImportCaseType(ActorAPIView):
    """A case type comes in as text."""

    @operation(
        "Import a case type",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.ImportInput,
        answers=shapes.DraftOutput,
    )
    def post(self, request: Request) -> HttpResponse:
        """It is the draft of the type with its code, which is made where there is none."""
        draft = carrying.import_text(self.actor, **self.read())
        return self.reply(Drafted(draft, services.problems_of(self.actor, draft)))


class TryImport(ActorAPIView):
    """What a text would do."""

    @operation(
        "Try an import",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.TryImportInput,
        answers=shapes.PreviewOutput,
    )
    def post(self, request: Request) -> HttpResponse:
        """Nothing is kept: what would change, and what is wrong with its line and column."""
        return self.reply(carrying.look_at_text(self.actor, **self.read()))


class CaseTypeDifferences(TypeAPIView):
    """What differs between two versions."""

    @operation(
        "Compare two versions",
        needs=PUBLISH_CASE_TYPE,
        filters=shapes.DifferenceFilters,
        answers=shapes.DifferencesOutput,
    )
    def get(self, request: Request, type_id: UUID) -> HttpResponse:
        """In words and with the place of each; without `after`, of the draft."""
        given = self.filters()
        changes = carrying.compare(
            self.actor, self.code(type_id), given["before"], given.get("after")
        )
        return self.reply({"changes": changes})


class TryMigration(TypeAPIView):
    """What taking open cases to another version would do."""

    @operation(
        "Try a migration",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.MigrationInput,
        answers=shapes.DryRunOutput,
    )
    def post(self, request: Request, type_id: UUID) -> HttpResponse:
        """Nothing is done: how many cases by state, and of the first 500 which would be refused and why."""
        code, source, target, way = self.way(type_id)
        return self.reply(Tried(versions.try_migration(self.actor, code, source, target, way)))


class Migrations(TypeAPIView):
    """Open cases on their way to another version."""

    @operation(
        "List migrations", needs=PUBLISH_CASE_TYPE, answers=shapes.MigrationOutput, paged=True
    )
    def get(self, request: Request, type_id: UUID) -> HttpResponse:
        """The newest first."""
        rows = versions.migrations_of(self.actor, self.code(type_id)).order_by()
        return self.page(rows, NEWEST_MIGRATION)

    @operation(
        "Start a migration",
        needs=PUBLISH_CASE_TYPE,
        reads=shapes.MigrationInput,
        answers=shapes.MigrationOutput,
        status=202,
        problems=(409,),
    )
    def post(self, request: Request, type_id: UUID) -> HttpResponse:
        """In the background, each case once; 409 while the cases of that version are on their way already."""
        code, source, target, way = self.way(type_id)
        return self.reply(versions.start_migration(self.actor, code, source, target, way))


class OneMigration(TypeAPIView):
    """One migration."""

    @operation("Read a migration", needs=PUBLISH_CASE_TYPE, answers=shapes.OneMigrationOutput)
    def get(self, request: Request, type_id: UUID, migration_id: UUID) -> HttpResponse:
        """How far it got, and which cases stayed and why."""
        rows = versions.migrations_of(self.actor, self.code(type_id))
        row: Any = rows.filter(uuid=migration_id).first()
        if row is None:
            raise NotFound
        assert isinstance(row, VersionMigration)
        told = versions.refusals_of(self.actor, row)
        refusals = [{"reference": reference, "reason": why} for reference, why in told]
        return self.reply({"row": row, "refusals": refusals})
