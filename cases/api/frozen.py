"""Answers of other systems kept in cases, by API."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from cases import frozen
from cases.api.views import AS_WRITTEN, CaseAPIView
from cases.models import FrozenAnswer
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import freezing
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.api import operation
from crm.kit.api.shapes import Bag, Flag, Id, Input, Listing, Moment, Output, Text


class FreezeInput(Input):
    """What was shown."""

    shown = Text(
        max_length=1_000_000,
        help_text="`shown` of GET citizens/{citizen_id}/systems/{connection_id}/, within an hour.",
    )


class FrozenOutput(Output):
    """An answer kept in the case, without what it says."""

    id = Id(source="uuid")
    citizen = Id(source="citizen.uuid")
    connection = Id()
    system = Text(source="source")
    legal_basis = Text(allow_blank=True)
    purpose = Text()
    asked_at = Moment()
    obtained_at = Moment()
    stale = Flag()
    frozen_at = Moment()
    by_name = Text()
    sha256 = Text()


class FrozenContentOutput(FrozenOutput):
    """An answer kept in the case, as it was shown."""

    rows = Listing(Bag(), help_text="Records of label and value, in the language of the request.")
    content = Text(help_text="The text whose SHA-256 it bears.")
    intact = Flag(help_text="Whether the digest is that of the content.")


def _shown(row: FrozenAnswer) -> FrozenAnswer:
    row.rows = [dict(record) for record in frozen.rows_in_words(row)]  # type: ignore[attr-defined]
    return row


class FrozenAnswers(CaseAPIView):
    """The answers of other systems kept in a case."""

    @operation("List kept answers", needs=VIEW_CASE, answers=FrozenOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In the order of keeping."""
        case = self.look(case_id, "frozen")
        rows = frozen.kept_in(self.actor, case)
        return self.page(rows.select_related("citizen").defer("records", "content"), AS_WRITTEN)

    @operation(
        "Keep an answer in a case",
        needs=CHANGE_CASE,
        reads=FreezeInput,
        answers=FrozenContentOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """The same answer sent again is the same one; 409 when it was shown too long ago."""
        return self.reply(_shown(freezing.freeze(self.actor, case_id, self.read()["shown"])))


class OneFrozenAnswer(CaseAPIView):
    """One of them."""

    @operation("Read a kept answer", needs=CONSULT_SYSTEMS, answers=FrozenContentOutput)
    def get(self, request: Request, case_id: UUID, answer_id: UUID) -> HttpResponse:
        """Only to who could ask for it; the audit trail keeps the look."""
        return self.reply(_shown(freezing.open_frozen(self.actor, case_id, answer_id)))
