"""Wiring of the channels room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav


class ChannelsAppConfig(AppConfig):
    """Floor 7."""

    name = "channels_app"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        """Plug into the floors below: places, live streams, stories of cases and citizens, effects."""
        from cases import timeline
        from cases.models.merging import references as of_cases
        from channels_app import citizen_story, handlers, ports, selectors, stories  # noqa: F401
        from channels_app.email.wiring import wire
        from channels_app.models import AccountKind, Attachment
        from channels_app.permissions import VIEW_CONVERSATION
        from crm.citizens.merge_models import references
        from crm.citizens.profile import Panel, panels
        from crm.citizens.services.records import matters
        from crm.citizens.story import Story
        from crm.citizens.story import stories as of_citizens
        from crm.kit import realtime
        from crm.kit.files import holders
        from crm.kit.public import PublicDoor, doors

        references.follows("channels_app.Conversation", "citizen")
        of_cases.follows("channels_app.ConversationCase", "case")
        wire()
        holders.register("channels_app.attachment", Attachment)
        for place in _places():
            nav.add(place)
        doors.register(
            "chat",
            PublicDoor(_("Chat with us"), "message-circle", selectors.chat_address, order=30),
        )
        realtime.streams.register("conversation", selectors.may_follow_conversation)
        realtime.streams.register("desk", selectors.may_follow_desk)
        ports.carriers.register(AccountKind.WEB_CHAT, ports.OwnStream())
        timeline.sources.register(stories.SOURCE, stories.of_case)
        matters.register("conversations", citizen_story.has_open)
        of_citizens.register(
            citizen_story.SOURCE,
            Story(citizen_story.TOLD, citizen_story.tell, VIEW_CONVERSATION),
        )
        panels.register(
            "conversations",
            Panel(
                name="conversations",
                title=_("Open conversations"),
                icon="messages",
                template="channels_app/_panel.html",
                load=citizen_story.panel,
                permission=VIEW_CONVERSATION,
                order=15,
            ),
        )


def _places() -> list[nav.NavItem]:
    from channels_app import permissions

    return [
        nav.NavItem(
            "desk",
            _("Conversations"),
            "messages",
            "channels_app:desk",
            short=_("Chats"),
            permission=permissions.ATTEND,
            order=25,
            keys="g m",
        ),
        nav.NavItem(
            "wallboard",
            _("Queues live"),
            "device-desktop",
            "channels_app:wallboard",
            short=_("Queues"),
            permission=permissions.SUPERVISE,
            order=26,
        ),
        nav.NavItem(
            "assistant",
            _("Assistant of the chat"),
            "robot",
            "channels_app:assistant",
            short=_("Assistant"),
            permission=permissions.MANAGE_CHANNELS,
            group="settings",
            order=46,
        ),
        nav.NavItem(
            "channels-setup",
            _("Chats and queues"),
            "message-cog",
            "channels_app:setup",
            permission=permissions.MANAGE_CHANNELS,
            group="settings",
            order=44,
        ),
    ]
