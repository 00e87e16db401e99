"""Units of the organisation by API: read by everybody, kept by whoever may manage them."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Day, Filters, FlagParameter, Id, Input, Output, Text
from crm.kit.keyset import Order
from crm.kit.scoping import ScopedQuerySet
from crm.organisations import services
from crm.organisations.models import Unit
from crm.organisations.permissions import MANAGE_UNITS

BY_CODE = Order(("code", "id"))


class UnitFilters(Filters):
    """Which units."""

    code = Text(required=False, max_length=40)
    dir3_code = Text(required=False, max_length=9)
    parent = Id(required=False, help_text="The unit right above.")  # type: ignore[assignment]
    closed = FlagParameter(required=False, help_text="Only closed units, or only open ones.")


class UnitChanges(Input):
    """What a unit is called."""

    name = Text(max_length=200)
    code = Text(max_length=40, help_text="Once in the organisation.")
    dir3_code = Text(required=False, allow_blank=True, max_length=9)


class NewUnitInput(UnitChanges):
    """A unit right below another."""

    parent = Id()  # type: ignore[assignment]


class ParentInput(Input):
    """Under which unit it is to hang."""

    parent = Id()  # type: ignore[assignment]


class CloseUnitInput(Input):
    """Since when it takes no more work."""

    on = Day(required=False, help_text="Today, unless it was earlier.")


class MergeInput(Input):
    """Which unit takes all that it holds."""

    into = Id()


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

    @operation(
        "Create a unit", needs=MANAGE_UNITS, reads=NewUnitInput, answers=UnitOutput, status=201
    )
    def post(self, request: Request) -> HttpResponse:
        """Right below another that is open."""
        given = self.read()
        made = services.create_unit(self.actor, given.pop("parent"), **given)
        return self.reply(made, location=f"{request.path}{made.uuid}/")


class OneUnit(ActorAPIView):
    """One unit."""

    @operation("Read a unit", needs=None, answers=UnitOutput)
    def get(self, request: Request, unit_id: UUID) -> HttpResponse:
        """The unit as it is now."""
        return self.reply(_units(self).get_or_refuse(uuid=unit_id))

    @operation("Rename a unit", needs=MANAGE_UNITS, reads=UnitChanges, answers=UnitOutput)
    def patch(self, request: Request, unit_id: UUID) -> HttpResponse:
        """Only what is sent changes; what it was called stays in its history."""
        row = _units(self).select_related("calendar").get_or_refuse(uuid=unit_id)
        kept = {"name": row.name, "code": row.code, "dir3_code": row.dir3_code}
        given = {**kept, **self.read(), "calendar": row.calendar}
        return self.reply(services.change_unit(self.actor, unit_id, **given))


class MoveUnit(ActorAPIView):
    """Another place in the tree."""

    @operation("Move a unit", needs=MANAGE_UNITS, reads=ParentInput, answers=UnitOutput)
    def post(self, request: Request, unit_id: UUID) -> HttpResponse:
        """With all below it; 422 under itself."""
        return self.reply(services.move_unit(self.actor, unit_id, self.read()["parent"]))


class CloseUnit(ActorAPIView):
    """The end of a unit."""

    @operation("Close a unit", needs=MANAGE_UNITS, reads=CloseUnitInput, answers=UnitOutput)
    def post(self, request: Request, unit_id: UUID) -> HttpResponse:
        """It takes no more work; 422 says what it still holds."""
        return self.reply(services.close_unit(self.actor, unit_id, **self.read()))


class MergeUnit(ActorAPIView):
    """One unit for two."""

    @operation("Merge a unit", needs=MANAGE_UNITS, reads=MergeInput, answers=UnitOutput)
    def post(self, request: Request, unit_id: UUID) -> HttpResponse:
        """It is closed, and the other has all that it held."""
        return self.reply(services.merge_units(self.actor, unit_id, self.read()["into"]))


def _units(view: ActorAPIView) -> ScopedQuerySet[Unit]:
    return Unit.objects.for_actor(view.actor).select_related("parent", "merged_into")


urlpatterns = [
    path("units/", Units.as_view(), name="units"),
    path("units/<uuid:unit_id>/", OneUnit.as_view(), name="unit"),
    path("units/<uuid:unit_id>/move/", MoveUnit.as_view(), name="unit_move"),
    path("units/<uuid:unit_id>/close/", CloseUnit.as_view(), name="unit_close"),
    path("units/<uuid:unit_id>/merge/", MergeUnit.as_view(), name="unit_merge"),
]
