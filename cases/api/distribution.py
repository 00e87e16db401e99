"""Who is away, and giving a case to whom the rule says, by API: for systems that keep the rota."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from cases import services
from cases.api.shapes import CaseOutput
from cases.api.views import CaseAPIView
from cases.permissions import ASSIGN_CASE
from crm.accounts.models import Absence, Membership
from crm.accounts.permissions import MANAGE_ABSENCES
from crm.accounts.services import absences
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Day, Filters, Flag, Id, Input, Moment, Output, Text
from crm.kit.errors import Invalid
from crm.kit.keyset import Order

IN_ORDER = Order(("starts_at", "id"))


class AbsenceFilters(Filters):
    """Whose, and when."""

    person = Text(required=False, max_length=254, help_text="Their e-mail address.")


class NewAbsenceInput(Input):
    """From the first day to the last, both whole days where the organisation is; no reason is kept."""

    person = Text(max_length=254, help_text="The e-mail address of whoever is away.")
    first = Day()
    last = Day()
    substitute = Text(
        required=False, max_length=254, help_text="The e-mail address of who stands in."
    )
    returns = Flag(required=False, help_text="Whether what is still open comes back; true.")


class AbsenceOutput(Output):
    """Somebody is away."""

    id = Id(source="uuid")
    person = Text(source="user.email")
    starts_at = Moment()
    ends_at = Moment()
    substitute = Text(source="substitute.email", allow_null=True)
    returns = Flag()


class DealCase(CaseAPIView):
    """Giving a case out."""

    @operation("Give a case to whom the rule says", needs=ASSIGN_CASE, answers=CaseOutput)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when somebody has it, or nobody of its unit can have it; the detail says who why not."""
        self.read()
        return self.show(services.deal_case(self.actor, case_id))


class Absences(ActorAPIView):
    """Who is away now or will be."""

    @operation(
        "List absences",
        needs=MANAGE_ABSENCES,
        answers=AbsenceOutput,
        filters=AbsenceFilters,
        paged=True,
    )
    def get(self, request: Request) -> HttpResponse:
        """Those that are not over, of the people whose absences the caller may record."""
        rows = Absence.objects.for_actor(self.actor).filter(ends_at__gt=timezone.now())
        reach = self.actor.reach(MANAGE_ABSENCES)
        if not reach.everywhere:
            members = Membership.objects.for_actor(self.actor).in_force()
            rows = rows.filter(user__in=members.filter(unit__in=reach.units).values("user"))
        if person := self.filters().get("person"):
            rows = rows.filter(user__email__iexact=person)
        return self.page(rows.select_related("user", "substitute"), IN_ORDER)

    @operation(
        "Record an absence",
        needs=MANAGE_ABSENCES,
        reads=NewAbsenceInput,
        answers=AbsenceOutput,
        status=201,
    )
    def post(self, request: Request) -> HttpResponse:
        """422 when it overlaps another of the same person, or is over already."""
        given = self.read()
        person = _member(self.actor, given.pop("person"), "person")
        if given.get("substitute"):
            given["substitute"] = _member(self.actor, given["substitute"], "substitute")
        made = absences.record_absence(self.actor, person, **given)
        return self.reply(made, location=f"{request.path}{made.uuid}/")


class OneAbsence(ActorAPIView):
    """One absence."""

    @operation("End an absence", needs=MANAGE_ABSENCES, status=204)
    def delete(self, request: Request, absence_id: UUID) -> HttpResponse:
        """The person is back from now on; one that has not begun is removed. 409 when it is over."""
        absences.end_absence(self.actor, absence_id)
        return HttpResponse(status=204)


def _member(actor: Actor, email: str, field: str) -> UUID:
    rows = Membership.objects.for_actor(actor).in_force().filter(user__email__iexact=email)
    found: UUID | None = rows.values_list("user__uuid", flat=True).first()
    if found is None:
        raise Invalid(errors={field: [_("This person does not work here.")]})
    return found
