"""Relations between people by API."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from crm.citizens.aliases import Survivor
from crm.citizens.api_shapes import PURPOSE_HEADER
from crm.citizens.models import CitizenRecord
from crm.citizens.permissions import CHANGE_CITIZEN, VIEW_CITIZEN
from crm.citizens.relation_models import Kind, Source
from crm.citizens.services import related
from crm.citizens.services.records import open_part
from crm.citizens.services.related import Line, NewRelation
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Choice, Day, Flag, Id, Input, Moment, Output, Text

RelationKind, RelationSource = Kind, Source  # named here so that the schema can name them


class NewRelationInput(Input):
    """What somebody is to the citizen in the address."""

    other = Id(help_text="The other person.")
    kind = Choice(choices=RelationKind.choices, help_text="What they are to the citizen.")
    known_by = Choice(choices=RelationSource.choices, required=False)
    remarks = Text(max_length=240, required=False, allow_blank=True)
    valid_from = Day(required=False, allow_null=True)
    valid_until = Day(required=False, allow_null=True)


class EndRelationInput(Input):
    """Why it is no longer so."""

    reason = Text(max_length=240)


class RelationOutput(Output):
    """A relation from the citizen's side."""

    id = Id(source="relation.uuid")
    other = Id(source="other.uuid")
    name = Text(help_text="Of the protected, initials.")
    kind = Choice(choices=RelationKind.choices, source="code")
    known_by = Choice(choices=RelationSource.choices, source="relation.source")
    remarks = Text(source="relation.remarks", allow_blank=True)
    valid_from = Day(source="relation.valid_from", allow_null=True)
    valid_until = Day(source="relation.valid_until", allow_null=True)
    over = Flag()


class EndedOutput(Output):
    """A relation that is no more."""

    id = Id(source="uuid")
    ended_at = Moment()
    ended_reason = Text()


class RelationsOutput(Output):
    """Who is related to the citizen now."""

    relations = RelationOutput(many=True)


class Relations(ActorAPIView):
    """Family, guardians and companies of a citizen."""

    @operation("List a citizen's relations", needs=VIEW_CITIZEN, answers=RelationsOutput)
    def get(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """From the citizen's side. A relation gives nobody a right. The header Access-Purpose says why
        where a protected record asks for it."""
        CitizenRecord.objects.for_actor(self.actor).get_or_refuse(citizen=Survivor(citizen_id))
        reason = self.http.headers.get(PURPOSE_HEADER, "")
        opened = open_part(self.actor, citizen_id, "relations", reason=reason)
        return self.reply({"relations": related.lines(self.actor, opened.citizen)})

    @operation(
        "Record a relation",
        needs=CHANGE_CITIZEN,
        reads=NewRelationInput,
        answers=RelationOutput,
        status=201,
    )
    def post(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """409 when it is on record already, from either side."""
        given = self.read()
        given["source"] = given.pop("known_by", RelationSource.DECLARED)
        made = related.record_relation(self.actor, citizen_id, NewRelation(**given))
        return self.reply(self._line(made.pk, made.citizen))

    def _line(self, key: int, citizen: object) -> Line:
        found = related.lines(self.actor, citizen)  # type: ignore[arg-type]
        return next(line for line in found if line.relation.pk == key)


class EndRelation(ActorAPIView):
    """Ending one."""

    @operation("End a relation", needs=CHANGE_CITIZEN, reads=EndRelationInput, answers=EndedOutput)
    def post(self, request: Request, citizen_id: UUID, relation_id: UUID) -> HttpResponse:
        """It stays on record with the reason."""
        ended = related.end_relation(self.actor, citizen_id, relation_id, **self.read())
        return self.reply(ended)


_RELATIONS = "citizens/<uuid:citizen_id>/relations/"
urlpatterns = [
    path(_RELATIONS, Relations.as_view()),
    path(f"{_RELATIONS}<uuid:relation_id>/end/", EndRelation.as_view()),
]
