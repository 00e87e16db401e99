"""When and why a citizen's data were looked at, by API: as the person may be told, without names."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.serializers import DateField as Day

from crm.citizens import looks
from crm.citizens.api_shapes import PURPOSE_HEADER
from crm.citizens.looks import Period
from crm.citizens.permissions import VIEW_ACCESS_REPORT
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Filters, Listing, Moment, Output, Text


class LooksFilters(Filters):
    """Which days, and from where on."""

    since = Day(required=False)
    until = Day(required=False)
    after = Text(required=False, max_length=200, help_text="`next` of the page before.")


class LookOutput(Output):
    """One look."""

    at = Moment()
    body = Text()
    kind = Text(help_text="What kind of reader; never who.")
    what = Text()
    purpose = Text(allow_blank=True)
    channel = Text()


class LooksOutput(Output):
    """A page of looks, newest first."""

    looks = Listing(LookOutput())
    next = Text(allow_null=True)


class Looks(ActorAPIView):
    """Who looked, by kind."""

    @operation(
        "Report who looked at a citizen",
        needs=VIEW_ACCESS_REPORT,
        filters=LooksFilters,
        answers=LooksOutput,
        problems=(422,),
    )
    def get(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """In the language of the request; that it was asked for is a look as well. The header
        Access-Purpose says why where a protected record asks for it."""
        given = self.query
        reason = self.http.headers.get(PURPOSE_HEADER, "")
        period = Period(given.get("since"), given.get("until"))
        _opened, page = looks.report(self.actor, citizen_id, period, given.get("after", ""), reason)
        told = looks.told(self.actor, page.rows)
        return self.reply({"looks": told, "next": page.after or None})


urlpatterns = [path("citizens/<uuid:citizen_id>/accesses/", Looks.as_view())]
