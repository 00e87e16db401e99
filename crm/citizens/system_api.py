"""What other systems say of a citizen, by API."""

from types import SimpleNamespace
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from rest_framework.request import Request

from crm.citizens import keeping
from crm.citizens.aliases import Survivor
from crm.citizens.api_shapes import PURPOSE_HEADER
from crm.citizens.models import CitizenRecord
from crm.citizens.services import lookups
from crm.citizens.services.lookups import Looked, State
from crm.integrations.models import Outcome
from crm.integrations.permissions import CONSULT_SYSTEMS
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.problems import BadParameters
from crm.kit.api.shapes import Bag, Choice, Filters, Flag, Id, Listing, Moment, Output, Text

SystemState, CallOutcome = State, Outcome  # named here so that the schema can name them


class AskingFilters(Filters):
    """Why the system is asked."""

    purpose = Text(
        required=False,
        max_length=240,
        help_text=f"Why, as the audit trail keeps it. Required here or as {PURPOSE_HEADER} header.",
    )


class SystemOutput(Output):
    """A system that can be asked about the citizen."""

    id = Id(source="connection.uuid")
    name = Text(source="connection.name")
    legal_basis = Text(source="connection.legal_basis", allow_blank=True)
    may_be_asked = Flag(source="asked.allowed")
    reason = Text(source="asked.reason", allow_blank=True, help_text="Why not.")


class SystemsOutput(Output):
    """The systems that are asked about people here."""

    systems = SystemOutput(many=True)


class LookedOutput(Output):
    """What one system says: now, as it was, or why nothing."""

    state = Choice(choices=SystemState.choices)
    outcome = Choice(choices=CallOutcome.choices, allow_null=True, help_text="How the call ended.")
    system = Text(source="connection.name")
    legal_basis = Text(source="connection.legal_basis", allow_blank=True)
    purpose = Text()
    asked_at = Moment()
    obtained_at = Moment(allow_null=True)
    shown_until = Moment(allow_null=True, help_text="When what is kept of it here is erased.")
    rows = Listing(Bag(), allow_null=True, help_text="Records of label and value; null: no answer.")
    shown = Text(
        allow_null=True,
        help_text="Sealed for you, for an hour: POST it to cases/{case_id}/answers/ to keep it.",
    )


class Systems(ActorAPIView):
    """The systems that can be asked about a citizen."""

    @operation("List connected systems", needs=CONSULT_SYSTEMS, answers=SystemsOutput)
    def get(self, request: Request, citizen_id: UUID) -> HttpResponse:
        """Also those that this caller may not ask, with the reason. Nobody is asked yet."""
        CitizenRecord.objects.for_actor(self.actor).get_or_refuse(citizen=Survivor(citizen_id))
        return self.reply({"systems": lookups.systems(self.actor)})


class OneSystem(ActorAPIView):
    """What one of them says."""

    @operation(
        "Ask a connected system",
        needs=CONSULT_SYSTEMS,
        filters=AskingFilters,
        answers=LookedOutput,
    )
    def get(self, request: Request, citizen_id: UUID, connection_id: UUID) -> HttpResponse:
        """Says why in `purpose` or in the header Access-Purpose. A system that does not answer is no
        error here: `state` says so."""
        purpose = self.query.get("purpose") or self.http.headers.get(PURPOSE_HEADER, "")
        if not purpose.strip():
            text = _("Say why: here, or in the header %(header)s.") % {"header": PURPOSE_HEADER}
            raise BadParameters(errors={"purpose": [text]})
        looked = lookups.look_up(self.actor, citizen_id, connection_id, reason=purpose)
        return self.reply(self._told(looked))

    def _told(self, looked: Looked) -> SimpleNamespace:
        found, shown = looked.found, looked.shown
        rows = found.rows if found else None
        return SimpleNamespace(
            state=looked.state,
            outcome=found.outcome if found else None,
            connection=looked.connection,
            purpose=looked.purpose,
            asked_at=looked.asked_at,
            obtained_at=found.fetched_at if found else None,
            shown_until=looked.shown_until,
            rows=None if rows is None else [dict(record) for record in rows],
            shown=keeping.seal(self.actor, shown) if shown else None,
        )


_SYSTEMS = "citizens/<uuid:citizen_id>/systems/"
urlpatterns = [
    path(_SYSTEMS, Systems.as_view()),
    path(f"{_SYSTEMS}<uuid:connection_id>/", OneSystem.as_view()),
]
