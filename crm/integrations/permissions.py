"""What may be done with other systems: permissions in plain words, and the rules on single objects."""

from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import ALLOWED, Decision, catalogue, declare, rule

if TYPE_CHECKING:
    from crm.integrations.models import Connection

MANAGE_CONNECTIONS = declare(
    "integrations.manage_connections",
    _("set up connections with other systems and see their failures"),
    roles="administrator",
)
CONSULT_SYSTEMS = declare(
    "integrations.consult_systems",
    _("see what connected systems say of a person whose record is open"),
    roles="agent office supervisor",
)


@rule(CONSULT_SYSTEMS)
def _only_what_is_switched_on(actor: Actor, connection: "Connection") -> Decision:
    return Decision(connection.is_active, _("The connection is switched off."))


@rule(CONSULT_SYSTEMS)
def _only_by_who_holds_its_own_right(actor: Actor, connection: "Connection") -> Decision:
    """Each system may ask for one more right of the catalogue than the one that they all ask for."""
    if actor.holds(connection.permission):
        return ALLOWED
    right = catalogue.get(connection.permission)
    words = right.sentence if right else connection.permission
    return Decision(False, format_lazy(_("This system is only for who may: {right}."), right=words))
