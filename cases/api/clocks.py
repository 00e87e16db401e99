"""The legal deadline of a case by API: its account, and what stops, resumes and extends it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.serializers import DateField as Day

from cases import clocks, services
from cases.api.shapes import CaseOutput
from cases.api.views import CaseAPIView
from cases.models import ClockInterval
from cases.permissions import CHANGE_CLOCK, VIEW_CASE
from cases.silence import Effect, procedure_of, silence
from cases.workflow import of_version
from crm.kit.api import operation
from crm.kit.api.shapes import Choice, Flag, Id, Input, Listing, Output, Text, Whole
from crm.organisations.services import calendar_for

Kind = ClockInterval.Kind  # named here so that the schema can name it


class SuspendInput(Input):
    """By which article of Ley 39/2015, since when, and until when at the latest."""

    ground = Choice(choices=list(clocks.SUSPENDS))
    reason = Text(max_length=1_000)
    on = Day(required=False, help_text="Today, unless the notice was served on an earlier day.")
    limit = Day(required=False, help_text="The term granted (22.1.a); three months for 22.1.d.")


class ResumeInput(Input):
    """Since when the days count again."""

    reason = Text(max_length=1_000)
    on = Day(required=False, help_text="The day on which the cause ended; today if left out.")


class ExtendInput(Input):
    """By which article of Ley 39/2015, and by how much."""

    ground = Choice(choices=list(clocks.EXTENDS))
    term = Text(max_length=8, help_text="30wd, 15d, 3m or 1y.")
    reason = Text(max_length=1_000)


class IntervalOutput(Output):
    """A suspension or an extension."""

    id = Id(source="uuid")
    kind = Choice(choices=Kind.choices)
    ground = Text()
    reason = Text()
    starts_on = Day()
    ends_on = Day(allow_null=True)
    limit_on = Day(allow_null=True)
    term = Text(allow_blank=True)


class NotLoadedOutput(Output):
    """A calendar and a year whose holidays nobody entered: the date may move."""

    calendar = Text()
    year = Whole()


class SilenceOutput(Output):
    """What it means when the term passes without a notified resolution (arts. 24 and 25)."""

    effect = Choice(choices=[*Effect])
    article = Text()
    since = Day(allow_null=True, help_text="Null while the term stands still.")
    happened = Flag(help_text="Whether the term has passed.")


class ClockOutput(Output):
    """Why the legal term ends when it ends."""

    term = Text(allow_null=True, help_text="Null when the case type has none.")
    due_on = Day(allow_null=True, help_text="Null while it stands still without a limit.")
    explanation = Listing(Text())
    intervals = IntervalOutput(many=True)
    not_loaded = NotLoadedOutput(many=True)
    silence = SilenceOutput(
        allow_null=True, help_text="Null when no procedure says it, or it ended in time."
    )


class CaseClock(CaseAPIView):
    """The legal deadline of a case."""

    @operation("Read the legal deadline", needs=VIEW_CASE, answers=ClockOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """With the sum that leads to it."""
        case = self.look(case_id, "clock")
        term = of_version(case.type_version.bundle).term
        calendar = calendar_for(case.unit)
        found = clocks.account(case, term, calendar) if term else None
        missing = found.not_loaded if found else ()
        told: dict[str, Any] = {
            "term": str(found.term) if found else None,
            "due_on": found.due if found else None,
            "explanation": [str(line) for line in found.lines] if found else [],
            "intervals": found.intervals if found else [],
            "silence": silence(case, procedure_of(case), calendar, timezone.now()),
            "not_loaded": [{"calendar": name, "year": year} for name, year in missing],
        }
        return self.reply(told)


class SuspendClock(CaseAPIView):
    """Stopping the legal term."""

    @operation(
        "Suspend the legal deadline", needs=CHANGE_CLOCK, reads=SuspendInput, answers=CaseOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when it is suspended already, has ended, or the case type has none."""
        return self.show(services.suspend_clock(self.actor, case_id, **self.read()))


class ResumeClock(CaseAPIView):
    """Having the legal term run again."""

    @operation(
        "Resume the legal deadline", needs=CHANGE_CLOCK, reads=ResumeInput, answers=CaseOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when it is not suspended."""
        return self.show(services.resume_clock(self.actor, case_id, **self.read()))


class ExtendClock(CaseAPIView):
    """A longer legal term."""

    @operation(
        "Extend the legal deadline", needs=CHANGE_CLOCK, reads=ExtendInput, answers=CaseOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """422 when the article does not allow so much; 409 when the term has ended."""
        return self.show(services.extend_clock(self.actor, case_id, **self.read()))
