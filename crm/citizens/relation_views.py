"""Pages of relations between people: recording one, ending one."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.citizens.forms import EndRelationForm, RelationForm
from crm.citizens.mandate_views import chosen
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.citizens.services import related
from crm.citizens.views import GET_OR_POST, correct
from crm.kit.access import ActorRequest, needs


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def new_relation(request: ActorRequest, citizen: UUID) -> HttpResponse:
    """Record who is family, guardian or company of the person."""

    def save(typed: RelationForm) -> None:
        related.record_relation(request.actor, citizen, typed.new())

    def form(_record: object, data: Any) -> RelationForm:
        return RelationForm(data)

    return correct(
        request,
        citizen,
        title=_("Record a relation"),
        form=form,
        save=save,
        done=_("The relation is on record."),
        template="citizens/new_relation.html",
        context={"picked": chosen(request)},
    )


@require_http_methods(GET_OR_POST)
@needs(CHANGE_CITIZEN)
def end_relation(request: ActorRequest, citizen: UUID, relation: UUID) -> HttpResponse:
    """It is no longer so."""
    related.of_citizen(request.actor, citizen, relation)

    def save(typed: EndRelationForm) -> None:
        reason = typed.cleaned_data["reason"]
        related.end_relation(request.actor, citizen, relation, reason=reason)

    return correct(
        request,
        citizen,
        title=_("End the relation"),
        form=lambda _record, data: EndRelationForm(data),
        save=save,
        done=_("The relation is ended."),
    )
