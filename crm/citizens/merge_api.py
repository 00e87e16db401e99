"""Merging by API: two records made one and parted again, and who may be on record twice."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.serializers import IntegerField

from crm.citizens.permissions import MERGE_CITIZENS
from crm.citizens.services import duplicates, merging
from crm.citizens.services.merging import CHOSEN
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Choice, Flag, Id, Input, Listing, Moment, Output, Text

TakenField = [(name, name) for name in CHOSEN]


class CitizenMergeInput(Input):
    """The record that becomes part of the one in the address."""

    merged = Id()
    reason = Text(max_length=240)
    taken = Listing(
        Choice(choices=TakenField),
        required=False,
        max_length=len(CHOSEN),
        help_text="What the record that stays takes from the merged one; the rest stays as it is.",
    )
    despite = Flag(
        required=False,
        help_text="What speaks against it (`doubts` of a 409) was looked at: it is one person.",
    )


class CitizenMergeOutput(Output):
    """A merge of two records."""

    id = Id(source="uuid")
    merged = Id(source="merged.uuid")
    into = Id(source="survivor.uuid")
    reason = Text()
    taken = Listing(Text())
    at = Moment()
    undone_at = Moment(allow_null=True)


class UndoCitizenMergeInput(Input):
    """Why a merge is taken back."""

    reason = Text(max_length=240)
    different = Flag(
        required=False, help_text="They are two people: never proposed again. True unless said."
    )


class CitizenRowsOutput(Output):
    """How many rows of a kind, as far as the caller may see them."""

    kind = Text(source="label")
    rows = IntegerField()


class UndoneCitizenMergeOutput(Output):
    """What taking a merge back comes to."""

    merge = CitizenMergeOutput()
    returned = CitizenRowsOutput(
        many=True, help_text="What goes back to the record that was merged."
    )
    along = CitizenRowsOutput(many=True, help_text="Added since, with what it belongs to.")
    stayed = CitizenRowsOutput(many=True, help_text="Added since, and the survivor's.")
    newer = Listing(Text(), help_text="Changed since, and left as it is.")


class LikelyDuplicateOutput(Output):
    """One of two who may be the same person; of a protected record the initials."""

    id = Id(source="uuid")
    name = Text()
    protected = Flag()


class DuplicatePairOutput(Output):
    """Two who may be the same person, and why."""

    id = Id(source="pair.uuid")
    score = IntegerField(source="pair.score", help_text="0 to 100.")
    people = LikelyDuplicateOutput(many=True)
    reasons = Listing(Text())


class MergeIntoCitizen(ActorAPIView):
    """Making two records of one person one."""

    @operation(
        "Merge a record into this citizen",
        needs=MERGE_CITIZENS,
        reads=CitizenMergeInput,
        answers=CitizenMergeOutput,
        status=201,
    )
    def post(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """The merged record's id leads here from now on: a GET of it answers 301, writes reach this one.
        409 `citizens_may_differ` lists what speaks against it; 409 `citizens_differ` is final."""
        given = self.read()
        merged = given.pop("merged")
        return self.reply(merging.merge_citizens(self.actor, merged, citizen_id, **given))


class OneMerge(ActorAPIView):
    """One merge of two records."""

    @operation(
        "Preview taking a merge back", needs=MERGE_CITIZENS, answers=UndoneCitizenMergeOutput
    )
    def get(self, request: Request, merge_id: UUID) -> HttpResponse:
        """What would go where; nothing is changed."""
        return self.reply(merging.preview_undo(self.actor, merge_id))


class UndoMerge(ActorAPIView):
    """Taking a merge back."""

    @operation(
        "Take a merge back",
        needs=MERGE_CITIZENS,
        reads=UndoCitizenMergeInput,
        answers=UndoneCitizenMergeOutput,
    )
    def post(self, request: Request, merge_id: UUID) -> HttpResponse:
        """Each record has again what was its own. 409 `merge_not_last` when a later merge has to be
        taken back before."""
        return self.reply(merging.undo_merge(self.actor, merge_id, **self.read()))


class Duplicates(ActorAPIView):
    """Who may be on record twice."""

    @operation(
        "List likely duplicates", needs=MERGE_CITIZENS, answers=DuplicatePairOutput, paged=True
    )
    def get(self, request: Request) -> HttpResponse:
        """The likeliest first; pairs that were found to be two people are never listed again."""
        return self.page(
            duplicates.open_pairs(self.actor),
            duplicates.LIKELIEST,
            show=lambda pair: duplicates.shown(self.actor, [pair], tell=False)[0],
            complete=lambda pairs: duplicates.tell_shown(self.actor, len(pairs)),
        )


class DifferentPeople(ActorAPIView):
    """Two who are not the same person."""

    @operation("Say that they are not the same person", needs=MERGE_CITIZENS, status=204)
    def post(self, request: Request, pair_id: UUID) -> HttpResponse:
        """They are never proposed again."""
        self.read()
        duplicates.say_different(self.actor, pair_id)
        return HttpResponse(status=204)


urlpatterns = [
    path("citizens/<uuid:citizen_id>/merge/", MergeIntoCitizen.as_view(), name="citizen-merge"),
    path("citizen-merges/<uuid:merge_id>/", OneMerge.as_view(), name="citizen-merge-preview"),
    path("citizen-merges/<uuid:merge_id>/undo/", UndoMerge.as_view(), name="citizen-merge-undo"),
    path("citizen-duplicates/", Duplicates.as_view(), name="citizen-duplicates"),
    path(
        "citizen-duplicates/<uuid:pair_id>/different/",
        DifferentPeople.as_view(),
        name="citizen-duplicate-different",
    ),
]
