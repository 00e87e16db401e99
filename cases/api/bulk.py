"""Bulk actions by API: prepared with a preview, started, followed, cancelled, undone."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from cases.macros import macros
from cases.models import BulkAction, BulkRow, Case
from cases.permissions import RUN_BULK
from cases.query import as_audited, understood
from cases.selectors import people_of
from cases.services.bulk import (
    Bulk,
    cancel_bulk,
    chosen_cases,
    own,
    prepare_bulk,
    reasons_of,
    start_bulk,
    undo_bulk,
)
from cases.services.bulk_macro import ALL_ACTS as ACTS
from cases.services.places import unit_of
from crm.audit.record import record
from crm.kit.api import ActorAPIView, BadExpression, operation
from crm.kit.api.shapes import Choice, Id, Input, Listing, Moment, Named, Output, Text, Whole
from crm.kit.errors import Invalid
from crm.kit.keyset import Order
from crm.kit.query import LONGEST

BulkStatus = BulkAction.Status  # named here so that the schema can name it
IN_ORDER = Order(("id",))
MOST_NAMED = 1_000


class NewBulkInput(Input):
    """What is to be done, and to which cases: those named, or all that a query finds."""

    action = Choice(choices=list(ACTS))
    cases = Listing(Id(), required=False, max_length=MOST_NAMED)
    query = Text(
        required=False, max_length=LONGEST, help_text="Instead of cases (docs/queries.md)."
    )
    assignee = Id(required=False, help_text="Of « assign ».")
    unit = Id(required=False, help_text="Of « unit ».")
    move = Text(required=False, max_length=60, help_text="Of « move ».")
    priority = Named(Case.Priority, required=False, help_text="Of « priority ».")
    text = Text(required=False, max_length=20_000, help_text="Of « note » and « message ».")
    macro = Id(required=False, help_text="Of « macro ».")
    reason = Text(required=False, max_length=1_000)
    outcome = Text(required=False, max_length=240)


class ReasonOutput(Output):
    """Why so many cases are refused."""

    reason = Text()
    count = Whole()


class BulkOutput(Output):
    """A bulk action: its preview while it is ready, its result once it has ended."""

    id = Id(source="uuid")
    action = Text()
    status = Choice(choices=BulkStatus.choices)
    total = Whole()
    done = Whole()
    refused = Whole()
    undoes = Id(allow_null=True, help_text="The action that this one takes back.")
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    reasons = ReasonOutput(many=True)


class RefusalOutput(Output):
    """A case that is refused, foreseen or met."""

    case = Id(source="case.uuid")
    reference = Text(source="case.reference")
    reason = Text()


class BulkAPIView(ActorAPIView):
    """An address of the caller's own bulk actions."""

    def row(self, bulk_id: UUID) -> BulkAction:
        """The action, if the caller asked for it."""
        rows = BulkAction.objects.for_actor(self.actor).select_related("undoes")
        return rows.get_or_refuse(uuid=bulk_id, **own(self.actor))

    def show(self, row: BulkAction, **how: Any) -> HttpResponse:
        """The action with the reasons of its refusals."""
        reasons = reasons_of(row, first=0) if row.refused else []
        told = {
            **{name: getattr(row, name) for name in _SHOWN},
            "undoes": row.undoes.uuid if row.undoes else None,
            "reasons": [{"reason": one.text, "count": one.count} for one in reasons],
        }
        return self.reply(told, **how)


_SHOWN = ("uuid", "action", "status", "total", "done", "refused", "started_at", "finished_at")


class Bulks(BulkAPIView):
    """Bulk actions of the caller."""

    @operation(
        "Prepare a bulk action", needs=RUN_BULK, reads=NewBulkInput, answers=BulkOutput, status=201
    )
    def post(self, request: Request) -> HttpResponse:
        """Looks through every case; nothing is done before it is started."""
        given = self.read()
        named, query = given.pop("cases", None), given.pop("query", "")
        if (named is None) == (not query):
            raise Invalid(errors={"cases": [_("Name the cases, or give a query: one of the two.")]})
        asked = None
        if query:
            expression = understood(self.actor, query)
            if expression.problems:
                raise BadExpression("query", expression.problems)
            asked = expression.alone()
        cases = chosen_cases(self.actor, named or (), asked)
        if named is not None and not cases.exists():
            raise Invalid(errors={"cases": [_("There is no such case.")]})
        if "unit" in given:
            unit_of(self.actor, given["unit"])
        if "assignee" in given and not people_of(self.actor).filter(uuid=given["assignee"]):
            raise Invalid(errors={"assignee": [_("This person does not work here.")]})
        if "macro" in given and not macros(self.actor).filter(uuid=given["macro"]).exists():
            raise Invalid(errors={"macro": [_("There is no such macro, or it is retired.")]})
        given["person"], given["body"] = given.pop("assignee", None), given.pop("text", "")
        row = prepare_bulk(self.actor, cases, Bulk(**given), asked=as_audited(query))
        return self.show(row, location=f"{request.path}{row.uuid}/")


class OneBulk(BulkAPIView):
    """One bulk action."""

    @operation("Follow a bulk action", needs=RUN_BULK, answers=BulkOutput)
    def get(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """`ready` with its preview, `running`, `done`, `cancelled` or `failed`."""
        row = self.row(bulk_id)
        record(self.actor, "viewed", row)
        return self.show(row)


class StartBulk(BulkAPIView):
    """Starting what was looked through."""

    @operation("Start a bulk action", needs=RUN_BULK, answers=BulkOutput)
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """409 while it is being looked through, and once it was started."""
        self.read()
        return self.show(start_bulk(self.actor, bulk_id))


class CancelBulk(BulkAPIView):
    """Stopping it."""

    @operation("Cancel a bulk action", needs=RUN_BULK, answers=BulkOutput)
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """What is done stays done. 409 when it has ended."""
        self.read()
        return self.show(cancel_bulk(self.actor, bulk_id))


class UndoBulk(BulkAPIView):
    """Taking it back."""

    @operation("Undo a bulk action", needs=RUN_BULK, answers=BulkOutput, status=201)
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """The action that undoes it, with its preview, to be started. Cases that something else has
        touched since are refused."""
        self.read()
        row = undo_bulk(self.actor, bulk_id)
        return self.show(row, location=f"/api/v1/bulk-actions/{row.uuid}/")


class Refusals(BulkAPIView):
    """The cases that are refused."""

    @operation("List refusals", needs=RUN_BULK, answers=RefusalOutput, paged=True)
    def get(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """In the order of the action."""
        row = self.row(bulk_id)
        record(self.actor, "exported", row, refused=row.refused)
        rows = BulkRow.objects.for_actor(self.actor).filter(action=row).exclude(reason="")
        return self.page(
            rows.select_related("case").only("reason", "case__uuid", "case__reference"), IN_ORDER
        )
