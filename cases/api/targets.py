"""The service targets of a case by API: what was promised, until when, and what became of it."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from cases import selectors
from cases.api.views import CaseAPIView
from cases.models import Measure, ServiceTarget
from cases.permissions import VIEW_CASE
from crm.kit.api import operation
from crm.kit.api.shapes import Choice, Id, Listing, Moment, Output, Text, Whole
from crm.organisations.services import calendar_for

TargetEnd = ServiceTarget.End  # named here so that the schema can name it


class PauseOutput(Output):
    """Time in which it stood still."""

    category = Whole(help_text="Of the state that held it: 2 waits for the citizen, 3 for others.")
    starts_at = Moment()
    ends_at = Moment(allow_null=True)


class TargetOutput(Output):
    """A service target, running or ended."""

    id = Id(source="uuid")
    measure = Choice(choices=Measure.choices)
    minutes = Whole(help_text="Of working time of the case's unit.")
    started_at = Moment()
    due_at = Moment(allow_null=True, help_text="Null while it stands still.")
    warn_at = Moment(allow_null=True)
    paused_at = Moment(allow_null=True)
    warned_at = Moment(allow_null=True)
    breached_at = Moment(allow_null=True, help_text="When it was missed, if it was.")
    ended_at = Moment(allow_null=True)
    end = Choice(choices=TargetEnd.choices, allow_blank=True)
    margin_seconds = Whole(
        source="margin",
        allow_null=True,
        help_text="Working time that was left at its end; negative: too late by.",
    )
    pauses = PauseOutput(many=True, source="held")
    explanation = Listing(Text())


class TargetsOutput(Output):
    """All service targets of a case, oldest first."""

    targets = TargetOutput(many=True)


class CaseTargets(CaseAPIView):
    """The service targets of a case."""

    @operation("Read the service targets", needs=VIEW_CASE, answers=TargetsOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Each with the sum that leads to its moment."""
        case = self.look(case_id, "targets")
        found = selectors.targets_of(
            self.actor, case, timezone.now(), explained=True, calendar=calendar_for(case.unit)
        )
        for one in found:
            one.row.held = list(one.row.pauses.all())  # type: ignore[attr-defined]
            one.row.explanation = [str(line) for line in one.lines]  # type: ignore[attr-defined]
        return self.reply({"targets": [one.row for one in found]})
