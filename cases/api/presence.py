"""Who is at a case just now, by API."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from cases.api.views import CaseAPIView
from cases.permissions import VIEW_CASE
from crm.kit import presence
from crm.kit.api import operation
from crm.kit.api.shapes import Id, Output, Text, Whole


class PresentOutput(Output):
    """Somebody who has the case before them."""

    person = Id(source="who")
    name = Text()
    doing = Text(
        allow_blank=True,
        help_text="reply, note or said: writes one; data: changes the data; empty: looks.",
    )
    seconds = Whole(help_text="For how long.")


class PresenceOutput(Output):
    """Who is there. It is kept nowhere, and nobody is seen while it cannot be known."""

    people = PresentOutput(many=True)


class CasePresence(CaseAPIView):
    """Who is at the case."""

    @operation("Read who is at a case", needs=VIEW_CASE, answers=PresenceOutput)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Those who have it open in the console at this moment."""
        stream = f"case:{self.look(case_id, 'presence').uuid}"
        return self.reply({"people": presence.at([stream]).get(stream, [])})
