"""What may be done with conversations: permissions in plain words, and the rules on single objects."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.policy import Decision, declare, rule

if TYPE_CHECKING:
    from channels_app.models import Conversation

VIEW_CONVERSATION = declare(
    "channels_app.view_conversation",
    _("read the conversations of their units"),
    roles="agent office supervisor auditor",
)
ATTEND = declare(
    "channels_app.attend",
    _("attend the conversations that are offered to them"),
    roles="agent office supervisor",
)
SUPERVISE = declare(
    "channels_app.supervise",
    _("see queues and agents live and give conversations to somebody else"),
    roles="supervisor",
)
RECORD = declare(
    "channels_app.record",
    _("take down conversations that were held elsewhere, and link conversations to cases"),
    roles="supervisor",
)
MANAGE_CHANNELS = declare(
    "channels_app.manage_channels",
    _("set up channels, queues and who serves them"),
    roles="administrator",
)


@rule(ATTEND)
def only_its_owner(actor: Actor, conversation: "Conversation") -> Decision:
    """One person attends a conversation; two would answer twice."""
    return Decision(
        conversation.owner_id is not None and conversation.owner_id == actor.user_id,
        _("Somebody else attends this conversation, or nobody has taken it yet."),
    )
