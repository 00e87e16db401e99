"""What templates ask about case histories."""

from django import template

from cases.models import Case
from crm.kit.actor import Actor
from crm.kit.policy import decide
from reporting.permissions import ISSUE_HISTORY

register = template.Library()


@register.filter
def may_issue_history(actor: Actor, case: Case) -> bool:
    """Whether the actor may issue the histories of this case."""
    return bool(decide(actor, ISSUE_HISTORY, case))


@register.filter
def may_issue_histories(actor: Actor) -> bool:
    """Whether the actor may issue the histories of some cases."""
    return actor.holds(ISSUE_HISTORY)
