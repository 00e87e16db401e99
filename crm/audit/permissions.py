"""What may be done with the audit trail: permissions in plain words, and the rules on single objects."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

VIEW_ENTRY = declare(
    "audit.view_entry",
    _("read, export and verify the organisation's audit trail"),
    roles="auditor",
)
