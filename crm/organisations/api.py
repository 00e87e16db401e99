"""Units of the organisation by API: read only, they are kept in the console."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Day, Filters, FlagParameter, Id, Output, Text
from crm.kit.keyset import Order
from crm.kit.scoping import ScopedQuerySet
from crm.organisations.models import Unit

BY_CODE = Order(("code", "id"))


class UnitFilters(Filters):
    """Which units."""

    code = Text(required=False, max_length=40)
    dir3_code = Text(required=False, max_length=9)
    parent = Id(required=False, help_text="The unit right above.")  # type: ignore[assignment]
    closed = FlagParameter(required=False, help_text="Only closed units, or only open ones.")


class UnitOutput(Output):
    """A unit of the organisation's tree."""

    id = Id(source="uuid")
    code = Text()
    name = Text()
    dir3_code = Text(allow_blank=True)
    parent = Id(source="parent.uuid", allow_null=True)  # type: ignore[assignment]
    valid_from = Day(allow_null=True)
    closed_on = Day(allow_null=True)
    merged_into = Id(source="merged_into.uuid", allow_null=True)


class Units(ActorAPIView):
    """The organisation's units."""

    @operation("List units", needs=None, answers=UnitOutput, filters=UnitFilters, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """All units of the organisation, closed ones too, by their code."""
        rows = _units(self)
        given = self.filters()
        if "closed" in given:
            rows = rows.filter(closed_on__isnull=not given.pop("closed"))
        if "parent" in given:
            rows = rows.filter(parent__uuid=given.pop("parent"))
        return self.page(rows.filter(**given), BY_CODE)


class OneUnit(ActorAPIView):
    """One unit."""

    @operation("Read a unit", needs=None, answers=UnitOutput)
    def get(self, request: Request, unit_id: UUID) -> HttpResponse:
        """The unit as it is now."""
        return self.reply(_units(self).get_or_refuse(uuid=unit_id))


def _units(view: ActorAPIView) -> ScopedQuerySet[Unit]:
    return Unit.objects.for_actor(view.actor).select_related("parent", "merged_into")


urlpatterns = [
    path("units/", Units.as_view(), name="units"),
    path("units/<uuid:unit_id>/", OneUnit.as_view(), name="unit"),
]
