"""Cases in the technical back office: to be looked at, by the same rules as everywhere."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from cases.models import BulkAction, Case, CaseType
from cases.permissions import PUBLISH_CASE_TYPE, RUN_BULK, VIEW_CASE
from crm.accounts.admin_base import ScopedAdmin


@admin.register(Case)
class CaseAdmin(ScopedAdmin):
    """Lists no words of citizens; a row that is opened leaves its entry."""

    permission = VIEW_CASE
    list_display = ("reference", "case_type", "state", "unit", "opened_at", "due_at", "closed_at")
    list_select_related = ("case_type", "unit")
    list_filter = ("category", "channel")
    search_fields = ("reference__iexact", "external_id__exact")
    search_help_text = _("Case number or external identifier")
    ordering = ("-pk",)
    fields = (
        "uuid", "reference", "case_type", "type_version", "state", "category", "unit", "assignee",
        "priority", "confidentiality", "channel", "source", "external_id", "opened_at", "due_at",
        "closed_at", "version", "last_event",
    )  # fmt: skip


@admin.register(CaseType)
class CaseTypeAdmin(ScopedAdmin):
    """Kinds of cases; they are designed in the console."""

    permission = PUBLISH_CASE_TYPE
    list_display = ("code", "name", "nature", "is_active", "organisation")
    list_select_related = ("organisation",)
    list_filter = ("nature", "is_active")
    search_fields = ("code", "name")
    fields = ("uuid", "organisation", "code", "name", "nature", "is_active")


@admin.register(BulkAction)
class BulkActionAdmin(ScopedAdmin):
    """How far background work on many cases is."""

    permission = RUN_BULK
    list_display = ("created_at", "action", "status", "done", "refused", "organisation")
    list_select_related = ("organisation",)
    list_filter = ("status", "action")
    ordering = ("-pk",)
    fields = (
        "uuid", "organisation", "action", "status", "total", "looked", "done", "refused",
        "requested_by", "client", "created_at", "updated_at", "started_at", "finished_at",
    )  # fmt: skip
