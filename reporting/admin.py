"""The technical back office of the reporting room: to look, never to touch."""

from django.contrib import admin

from crm.audit.admin_base import ScopedAdmin
from reporting.models import HistoryBatch, IssuedHistory
from reporting.permissions import ISSUE_HISTORY


class _Work(ScopedAdmin):
    """Rows are made and revoked by the verbs of reporting.services only."""

    permission = ISSUE_HISTORY
    ordering = ("-id",)
    list_filter = ("status", "variant")


@admin.register(IssuedHistory)
class IssuedHistoryAdmin(_Work):
    """Issued histories, without what they tell."""

    list_display = ("case", "variant", "status", "error", "attempts", "created_at", "issued_at")
    list_select_related = ("case",)
    exclude = ("content", "code")


@admin.register(HistoryBatch)
class HistoryBatchAdmin(_Work):
    """Batches of histories."""

    list_display = ("uuid", "variant", "status", "error", "attempts", "created_at", "finished_at")
