"""Channels in the technical back office: to be looked at, by the same rules as everywhere; no secrets."""

from django.contrib import admin

from channels_app.models import ChannelAccount, Conversation, Queue
from channels_app.permissions import MANAGE_CHANNELS, VIEW_CONVERSATION
from crm.accounts.admin_base import ScopedAdmin


@admin.register(ChannelAccount)
class ChannelAccountAdmin(ScopedAdmin):
    """Accounts without what is sealed in them."""

    permission = MANAGE_CHANNELS
    list_display = ("code", "kind", "name", "address", "unit", "is_active", "last_inbound_at")
    list_select_related = ("unit",)
    list_filter = ("kind", "is_active")
    fields = (
        "uuid", "kind", "code", "name", "address", "public_key", "allowed_origins", "unit", "queue",
        "is_active", "last_inbound_at",
    )  # fmt: skip


@admin.register(Queue)
class QueueAdmin(ScopedAdmin):
    """Where conversations wait."""

    permission = MANAGE_CHANNELS
    list_display = ("code", "unit", "priority", "offer_seconds", "target_seconds", "is_active")
    list_select_related = ("unit",)


@admin.register(Conversation)
class ConversationAdmin(ScopedAdmin):
    """Lists no words of citizens; a row that is opened leaves its entry."""

    permission = VIEW_CONVERSATION
    list_display = ("uuid", "account", "queue", "state", "opened_at", "closed_at")
    list_select_related = ("account", "queue")
    list_filter = ("state",)
    show_full_result_count = False
    ordering = ("-pk",)
    fields = (
        "uuid", "account", "queue", "unit", "owner", "state", "version", "language", "opened_at",
        "accepted_at", "answered_at", "ended_at", "ended_by", "closed_at", "wrap_up_code",
    )  # fmt: skip
