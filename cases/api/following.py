"""Following cases by API: a person's own; a machine follows nothing."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from cases import services
from cases.api.views import CaseAPIView
from cases.models import Follower
from cases.permissions import VIEW_CASE
from crm.kit.api import operation
from crm.kit.api.shapes import Choice, Id, Moment, Output, Text
from crm.kit.keyset import Order

FollowReason = Follower.Why  # named here so that the schema can name it
IN_ORDER = Order(("id",))


class FollowerOutput(Output):
    """Somebody who follows a case."""

    person = Id(source="user.uuid")
    name = Text(source="user.full_name")
    why = Choice(choices=FollowReason.choices)
    since = Moment(source="created_at")


class Followers(CaseAPIView):
    """Who follows a case."""

    @operation("List followers", needs=VIEW_CASE, answers=FollowerOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Those who follow it now."""
        case = self.look(case_id, "followers")
        rows = Follower.objects.for_actor(self.actor).filter(case=case, ended_at=None)
        return self.page(rows.select_related("user"), IN_ORDER)


class FollowCase(CaseAPIView):
    """The caller's following of a case."""

    @operation("Follow a case", needs=VIEW_CASE, answers=FollowerOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """What happens in it is among the caller's updates from now on."""
        self.read()
        return self.reply(services.follow_case(self.actor, case_id))


class UnfollowCase(CaseAPIView):
    """The end of it."""

    @operation("Stop following a case", needs=VIEW_CASE, status=204)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """The caller is not taken in again by itself."""
        self.read()
        services.unfollow_case(self.actor, case_id)
        return HttpResponse(status=204)
