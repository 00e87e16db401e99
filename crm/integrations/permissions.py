"""What may be done with other systems: permissions in plain words, and the rules on single objects."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import Decision, declare, rule

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
