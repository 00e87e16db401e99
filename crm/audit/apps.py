"""Wiring of the audit room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.kit import nav


class AuditConfig(AppConfig):
    """Floor 1: the audit trail; refusals at any door are written down here."""

    name = "crm.audit"
    verbose_name = _("Audit")

    def ready(self) -> None:
        """Listen to refusals, tell /healthz how far the sealer is behind, offer the auditor's page."""
        from crm.audit import chain
        from crm.audit.permissions import VIEW_ENTRY
        from crm.audit.record import record_refusal
        from crm.kit.errors import on_refusal
        from crm.kit.web import health

        on_refusal(record_refusal)
        health.register("audit_seal_lag_s", chain.health)
        nav.add(
            nav.NavItem(
                "audit",
                _("Audit"),
                "history",
                "audit:trail",
                permission=VIEW_ENTRY,
                order=80,
                keys="g a",
            )
        )
