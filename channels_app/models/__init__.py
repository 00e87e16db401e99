"""Tables of the channels room, split by concern."""

from channels_app.models.account import (
    AccountKind,
    ChannelAccount,
    ConsentText,
    ContactReason,
    Queue,
    RecordedKind,
    WrapUpCode,
    in_language,
)
from channels_app.models.assistant import ModelServer, OwedAnswer
from channels_app.models.conversation import (
    Attachment,
    Author,
    Conversation,
    ConversationCase,
    ConversationEvent,
    Delivery,
    Direction,
    EventKind,
    Message,
    State,
)
from channels_app.models.email import InboundMail, Mailbox
from channels_app.models.routing import (
    AgentSlot,
    Offer,
    PauseReason,
    Presence,
    PresenceChange,
    QueueMember,
    WorkItem,
)

__all__ = [
    "AccountKind",
    "AgentSlot",
    "Attachment",
    "Author",
    "ChannelAccount",
    "ConsentText",
    "ContactReason",
    "Conversation",
    "ConversationCase",
    "ConversationEvent",
    "Delivery",
    "Direction",
    "EventKind",
    "InboundMail",
    "Mailbox",
    "Message",
    "ModelServer",
    "Offer",
    "OwedAnswer",
    "PauseReason",
    "Presence",
    "PresenceChange",
    "Queue",
    "QueueMember",
    "RecordedKind",
    "State",
    "WorkItem",
    "WrapUpCode",
    "in_language",
]
