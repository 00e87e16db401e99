"""Drafts by API: one's own, shared with the people of the case, taken over, discarded."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from cases import drafts
from cases.api.views import CaseAPIView
from cases.models import Draft
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import drafting
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Choice, Flag, Id, Input, Moment, Output, Text, Whole
from crm.kit.errors import Invalid
from crm.kit.keyset import Order

DraftKind = Draft.Kind  # named here so that the schema can name it
IN_ORDER = Order(("id",))


class WrittenDraftInput(Input):
    """What is being written. One of each kind on a case: sent again, it replaces what was there."""

    kind = Choice(choices=DraftKind.choices)
    text = Text(max_length=drafting.LONGEST)
    channel = Choice(choices=Channel.choices, required=False)
    version = Whole(
        required=False,
        min_value=0,
        help_text="The one that you go on from, 0 for none: 409 when it is another by now.",
    )


class ShareInput(Input):
    """Who goes on with it."""

    shared = Flag(help_text="Whoever may see the case reads it and may take it over.")


class WrittenDraftOutput(Output):
    """A draft: no part of the case's file."""

    id = Id(source="uuid")
    case = Id(source="case.uuid")
    kind = Choice(choices=DraftKind.choices)
    author = Text(source="author_name")
    begun_by = Text(allow_blank=True, help_text="From whom it was taken over.")
    text = Text()
    channel = Text(allow_blank=True)
    version = Whole()
    shared_at = Moment(allow_null=True)
    updated_at = Moment()


class CaseDraftsOutput(Output):
    """The caller's drafts on a case, and those that others share there."""

    drafts = WrittenDraftOutput(many=True)


class Drafts(ActorAPIView):
    """What the caller has unfinished."""

    @operation("List my drafts", needs=VIEW_CASE, answers=WrittenDraftOutput, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """In the order in which they were begun; discarded ones are left out."""
        record(self.actor, "searched", what="drafts")
        return self.page(drafts.own_drafts(self.actor), IN_ORDER)


class CaseDrafts(CaseAPIView):
    """Drafts on one case."""

    @operation("List the drafts of a case", needs=VIEW_CASE, answers=CaseDraftsOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """One's own, and what others share."""
        found = drafts.drafts_on(self.actor, self.look(case_id, "drafts"))
        return self.reply({"drafts": [*found.written.values(), *found.aside, *found.shared]})

    @operation(
        "Keep a draft",
        needs=CHANGE_CASE,
        reads=WrittenDraftInput,
        answers=WrittenDraftOutput,
        status=201,
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Nothing is sent. 409 when it was changed, sent or taken over since `version`."""
        given: dict[str, Any] = self.read()
        kind, text = given.pop("kind"), given.pop("text")
        row = drafting.save_draft(self.actor, case_id, kind, text, **given)
        if row is None:
            raise Invalid(errors={"text": [_("This field is required.")]})
        return self.reply(row)


class OneDraft(ActorAPIView):
    """One draft."""

    @operation("Read a draft", needs=VIEW_CASE, answers=WrittenDraftOutput)
    def get(self, request: Request, draft_id: UUID) -> HttpResponse:
        """One's own or a shared one."""
        row = drafts.draft_of(self.actor, draft_id)
        record(self.actor.about(row.case.citizen_id), "viewed", row.case, part="drafts")
        return self.reply(row)

    @operation("Discard a draft", needs=CHANGE_CASE, status=204)
    def delete(self, request: Request, draft_id: UUID) -> HttpResponse:
        """It is kept for a week, in which its writer can take it back."""
        drafting.discard_draft(self.actor, draft_id)
        return HttpResponse(status=204)


class ShareDraft(ActorAPIView):
    """Who reads it."""

    @operation("Share a draft", needs=CHANGE_CASE, reads=ShareInput, answers=WrittenDraftOutput)
    def post(self, request: Request, draft_id: UUID) -> HttpResponse:
        """With whoever works on the case, or no longer."""
        return self.reply(drafting.share_draft(self.actor, draft_id, **self.read()))


class TakeDraft(ActorAPIView):
    """Going on with what another began."""

    @operation("Take over a shared draft", needs=CHANGE_CASE, answers=WrittenDraftOutput)
    def post(self, request: Request, draft_id: UUID) -> HttpResponse:
        """It is the caller's from now on; the audit trail says whose it was."""
        self.read()
        return self.reply(drafting.take_draft(self.actor, draft_id))
