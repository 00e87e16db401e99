"""The audit trail in the technical back office: to be looked at, by auditors and superusers."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.audit.admin_base import ScopedAdmin, is_superuser
from crm.audit.models import AuditEntry, Seal
from crm.audit.permissions import VIEW_ENTRY


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Entries, newest first."""

    permission = VIEW_ENTRY
    list_display = ("at", "actor_name", "action", "object_type", "object_name", "result")
    list_filter = ("result", "door")
    ordering = ("-at", "-id")
    fields = (
        "id", "tx", "at", "organisation_id", "actor_kind", "actor_name", "on_behalf_of", "action",
        "object_type", "object_id", "object_name", "purpose", "result", "door", "ip", "request_id",
        "data",
    )  # fmt: skip


@admin.register(Seal)
class SealAdmin(ScopedAdmin):
    """The chain's links; they are the installation's, so superusers see them."""

    list_display = ("number", "sealed_at", "count", "total", "generation")
    ordering = ("-number",)
    fields = ("number", "sealed_at", "count", "total", "generation", "tx_from", "tx_to", "id_floor")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Seal]":
        """Without the long lists of what each covers."""
        rows = Seal.objects.defer("ids", "organisation_ids", "digests")
        return rows if is_superuser(request) else rows.none()
