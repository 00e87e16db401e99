"""What became true of a conversation, in words that follow the author's name."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from channels_app.models import Conversation, ConversationEvent, EventKind, in_language
from crm.kit.errors import Text

SENTENCES: Mapping[str, Text] = {
    EventKind.OPENED: _("began the conversation"),
    EventKind.QUEUED: _("put the conversation in a queue"),
    EventKind.ACCEPTED: _("attends the conversation"),
    EventKind.TRANSFERRED: _("transferred it to %(queue)s"),
    EventKind.IDENTIFIED: _("confirmed who the person is"),
    EventKind.CASE_LINKED: _("linked the case %(case)s"),
    EventKind.ENDED: _("ended the conversation"),
    EventKind.CLOSED: _("closed the conversation"),
    EventKind.REOPENED: _("reopened the conversation"),
    EventKind.TRANSCRIPT_ASKED: _("asked for a copy by e-mail"),
}
ICONS: Mapping[str, str] = {
    EventKind.OPENED: "messages",
    EventKind.QUEUED: "inbox",
    EventKind.ACCEPTED: "hand-grab",
    EventKind.TRANSFERRED: "transfer",
    EventKind.IDENTIFIED: "shield-check",
    EventKind.CASE_LINKED: "link",
    EventKind.ENDED: "check",
    EventKind.CLOSED: "checks",
    EventKind.REOPENED: "arrow-back-up",
    EventKind.TRANSCRIPT_ASKED: "send",
}


def sentence(event: ConversationEvent) -> str:
    """What happened, in words that follow the author's name."""
    if event.kind == EventKind.ENDED and event.data.get("by") == Conversation.EndedBy.SYSTEM:
        return str(_("ended the conversation: nobody was there any more"))
    if event.kind == EventKind.OPENED and event.data.get("recorded"):
        return str(_("took down a conversation that was held"))
    values = {
        "queue": in_language(event.data.get("names", {})) or event.data.get("to", "…"),
        "case": event.data.get("case", "…"),
    }
    return str(SENTENCES.get(event.kind, event.kind)) % values
