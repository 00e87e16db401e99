"""Merging and splitting cases by API."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.serializers import IntegerField

from cases.api.shapes import CaseOutput
from cases.api.views import CaseAPIView
from cases.permissions import MERGE_CASE
from cases.services import merging
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Id, Input, Listing, Moment, Output, Text


class CaseMergeInput(Input):
    """The case that becomes part of the one in the address, and why."""

    merged = Id()
    reason = Text(max_length=240)


class CaseMergeOutput(Output):
    """A merge of two cases."""

    id = Id(source="uuid")
    merged = Id(source="merged.uuid")
    merged_reference = Text(source="merged.reference")
    into = Id(source="survivor.uuid")
    into_reference = Text(source="survivor.reference")
    reason = Text()
    at = Moment()
    undone_at = Moment(allow_null=True)


class UndoCaseMergeInput(Input):
    """Why a merge is taken back."""

    reason = Text(max_length=240)


class CaseCountOutput(Output):
    """How many rows of a kind."""

    kind = Text(source="label")
    rows = IntegerField()


class UndoneCaseMergeOutput(Output):
    """What taking a merge of cases back comes to."""

    merge = CaseMergeOutput()
    returned = CaseCountOutput(many=True, help_text="What goes back to the case that was merged.")
    along = CaseCountOutput(many=True, help_text="Added since, with what it belongs to.")
    stayed = CaseCountOutput(many=True, help_text="Added since, and of the case that stayed.")
    newer = Listing(Text(), help_text="Changed since, and left as it is.")


class SplitInput(Input):
    """What goes to a case of its own."""

    subject = Text(max_length=240)
    reason = Text(max_length=240)
    messages = Listing(Id(), required=False, max_length=200)
    notes = Listing(Id(), required=False, max_length=200)
    documents = Listing(Id(), required=False, max_length=200)


class MergeIntoCase(CaseAPIView):
    """Making two cases one."""

    @operation(
        "Merge a case into this one",
        needs=MERGE_CASE,
        reads=CaseMergeInput,
        answers=CaseMergeOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """What the merged case had passes to this one; it ends. Writes to it are answered from then on
        with 409 `case_merged`, which names this case in `merged_into`."""
        given = self.read()
        return self.reply(
            merging.merge_cases(self.actor, given["merged"], case_id, reason=given["reason"])
        )


class SplitCase(CaseAPIView):
    """Making a part of a case a case of its own."""

    @operation("Split a case", needs=MERGE_CASE, reads=SplitInput, answers=CaseOutput, status=201)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """The new case, linked with this one. Merging it into this one takes the split back."""
        new = merging.split_case(self.actor, case_id, **self.read())
        return self.reply(new, etag=new.version)


class OneCaseMerge(ActorAPIView):
    """One merge of cases."""

    @operation(
        "Preview taking a merge of cases back", needs=MERGE_CASE, answers=UndoneCaseMergeOutput
    )
    def get(self, request: Request, merge_id: UUID) -> HttpResponse:
        """What would go where; nothing is changed."""
        return self.reply(merging.preview_case_undo(self.actor, merge_id))


class UndoCaseMerge(ActorAPIView):
    """Taking a merge of cases back."""

    @operation(
        "Take a merge of cases back",
        needs=MERGE_CASE,
        reads=UndoCaseMergeInput,
        answers=UndoneCaseMergeOutput,
    )
    def post(self, request: Request, merge_id: UUID) -> HttpResponse:
        """Each case has again what was its own. 409 `merge_not_last` when a later merge has to be taken
        back before."""
        return self.reply(merging.undo_case_merge(self.actor, merge_id, **self.read()))
