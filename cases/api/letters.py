"""The information letter and requests for papers by API."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from cases.api.views import CaseAPIView
from cases.models import PapersRequest
from cases.permissions import CHANGE_CASE, VIEW_CASE
from cases.services import letters
from crm.kit.api import operation
from crm.kit.api.shapes import Choice, Day, Flag, Id, Input, Output, Text

PapersEnd = PapersRequest.End  # named here so that the schema can name it


class LetterOutput(Output):
    """The letter of art. 21.4 that was sent."""

    id = Id(source="uuid")
    message = Id(source="message.uuid")
    automatic = Flag()


class PapersInput(Input):
    """What the citizen must bring, and how long they have."""

    papers = Text(max_length=letters.LONGEST)
    term = Text(
        max_length=8, required=False, help_text="10wd, 15d, 1m; ten working days if left out."
    )
    on = Day(required=False, help_text="The day of the notice; today if left out.")


class EndPapersInput(Input):
    """What became of the request."""

    end = Choice(choices=PapersEnd.choices)
    on = Day(
        required=False, help_text="The day it came; one that is no working day counts as the next."
    )


class PapersOutput(Output):
    """A request for papers with the citizen's deadline."""

    id = Id(source="uuid")
    papers = Text()
    term = Text()
    notified_on = Day()
    due_on = Day()
    ended_on = Day(allow_null=True)
    end = Choice(choices=PapersEnd.choices, allow_blank=True)


class AllPapersOutput(Output):
    """All requests for papers of a case, oldest first."""

    requests = PapersOutput(many=True)


class SendLetter(CaseAPIView):
    """The information letter."""

    @operation("Send the information letter", needs=CHANGE_CASE, answers=LetterOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when it has been sent: it goes once for each case."""
        self.read()
        return self.reply(letters.send_letter(self.actor, case_id))


class Papers(CaseAPIView):
    """What the citizen was asked to bring."""

    @operation("List requests for papers", needs=VIEW_CASE, answers=AllPapersOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Each with its deadline."""
        case = self.look(case_id, "papers")
        rows = PapersRequest.objects.for_actor(self.actor).filter(case=case)
        return self.reply({"requests": list(rows)})

    @operation("Ask for papers", needs=CHANGE_CASE, reads=PapersInput, answers=PapersOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 while another request runs; the citizen gets a message with the date."""
        given: dict[str, Any] = self.read()
        return self.reply(letters.request_papers(self.actor, case_id, **given))


class EndPapers(CaseAPIView):
    """The end of a request."""

    @operation(
        "End a request for papers", needs=CHANGE_CASE, reads=EndPapersInput, answers=PapersOutput
    )
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when none runs."""
        given: dict[str, Any] = self.read()
        return self.reply(letters.end_papers(self.actor, case_id, **given))
