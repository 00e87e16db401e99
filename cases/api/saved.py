"""Saved views by API: those of the caller, kept and changed; their cases by `/cases/?view=`."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from cases import saved
from cases.counters import counts
from cases.lists import COUNT_CAP
from cases.models import SavedView
from cases.permissions import VIEW_CASE
from cases.presenting import COLUMNS
from cases.saved import ICONS
from cases.services.views import (
    View,
    change_view,
    delete_view,
    save_view,
    view_as_given,
)
from crm.audit.record import record
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import (
    Choice,
    Flag,
    Id,
    Input,
    Listing,
    Output,
    Text,
    Whole,
)
from crm.kit.keyset import Order
from crm.kit.query import LONGEST

Audience = SavedView.Audience  # named here so that the schema can name it
IN_ORDER = Order(("id",))


class ViewChanges(Input):
    """What a view says; whom it is for decides who may keep it."""

    name = Text(max_length=80)
    expression = Text(max_length=LONGEST, help_text="A query (docs/queries.md).")
    audience = Choice(choices=Audience.choices)
    unit = Id(required=False, allow_null=True, help_text="Of a unit's view; else where one works.")
    by = Choice(choices=["", "due", "newest"], required=False)
    columns = Listing(Choice(choices=list(COLUMNS)), required=False, max_length=20)
    icon = Choice(choices=list(ICONS), required=False)
    linked = Flag(required=False, help_text="One's own: colleagues who have its link may open it.")


class NewViewInput(ViewChanges):
    """A view to be kept."""


class ViewOutput(Output):
    """A saved view."""

    id = Id(source="uuid")
    name = Text()
    expression = Text()
    audience = Choice(choices=Audience.choices)
    unit = Id(source="unit.uuid", allow_null=True, default=None)
    by = Text(allow_blank=True)
    columns = Listing(Text())
    icon = Text()
    linked = Flag()
    version = Whole()


class CountOutput(Output):
    """How many cases it holds."""

    count = Whole(allow_null=True, help_text=f"{COUNT_CAP + 1} when there are more; null: unknown.")
    broken = Flag(help_text="Its query means nothing any more.")


class Views(ActorAPIView):
    """The saved views that exist for the caller."""

    @operation("List saved views", needs=VIEW_CASE, answers=ViewOutput, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """Own ones, those of the caller's units, the organisation's."""
        record(self.actor, "searched", what="views")
        rows = SavedView.objects.for_actor(self.actor).select_related("unit")
        return self.page(rows, IN_ORDER)

    @operation("Keep a view", needs=VIEW_CASE, reads=NewViewInput, answers=ViewOutput, status=201)
    def post(self, request: Request) -> HttpResponse:
        """422 says what is wrong with its query; for a unit or the organisation it takes a right."""
        row = save_view(self.actor, View(**self.read()))
        return self.reply(row, etag=row.version, location=f"{request.path}{row.uuid}/")


def _version(actor: Any, view_id: UUID) -> int:
    return saved.view_of(actor, view_id).version


class OneView(ActorAPIView):
    """One saved view."""

    versioned = staticmethod(_version)

    @operation("Read a view", needs=VIEW_CASE, answers=ViewOutput)
    def get(self, request: Request, view_id: UUID) -> HttpResponse:
        """The ETag is its version."""
        row = saved.view_of(self.actor, view_id)
        record(self.actor, "viewed", row)
        return self.reply(row, etag=row.version)

    @operation("Change a view", needs=VIEW_CASE, reads=ViewChanges, answers=ViewOutput)
    def patch(self, request: Request, view_id: UUID) -> HttpResponse:
        """Only what is sent changes."""
        now = asdict(view_as_given(saved.view_of(self.actor, view_id)))
        row = change_view(self.actor, view_id, View(**{**now, **self.read()}))
        return self.reply(row, etag=row.version)

    @operation("Delete a view", needs=VIEW_CASE, status=204)
    def delete(self, request: Request, view_id: UUID) -> HttpResponse:
        """The cases stay as they are."""
        delete_view(self.actor, view_id)
        return HttpResponse(status=204)


class ViewCount(ActorAPIView):
    """The number of a view."""

    @operation("Count a view", needs=VIEW_CASE, answers=CountOutput)
    def get(self, request: Request, view_id: UUID) -> HttpResponse:
        """As it was at most some seconds ago."""
        row = saved.view_of(self.actor, view_id)
        record(self.actor, "viewed", row, part="count")
        (found,) = counts(self.actor, saved.wanted(self.actor, [row])).values()
        return self.reply({"count": found.value, "broken": found.broken})
