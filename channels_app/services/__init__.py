"""The verbs of the channels room: each scopes, requires, changes, records and tells, in one transaction."""

from channels_app.services.attending import (
    add_note,
    attach,
    close,
    end,
    identify,
    link_case,
    mark_read,
    open_attachment,
    open_case,
    open_conversation,
    reply,
    transfer,
)
from channels_app.services.presence import beat, set_presence
from channels_app.services.recording import Held, Words, link_interaction, record_interaction
from channels_app.services.routing import accept, decline, match, take
from channels_app.services.slots import slot_of
from channels_app.services.supervising import reassign

__all__ = [
    "Held",
    "Words",
    "accept",
    "add_note",
    "attach",
    "beat",
    "close",
    "decline",
    "end",
    "identify",
    "link_case",
    "link_interaction",
    "mark_read",
    "match",
    "open_attachment",
    "open_case",
    "open_conversation",
    "reassign",
    "record_interaction",
    "reply",
    "set_presence",
    "slot_of",
    "take",
    "transfer",
]
