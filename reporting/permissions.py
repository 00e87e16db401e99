"""What may be done with case histories and reports: permissions in plain words."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

ISSUE_HISTORY = declare(
    "reporting.issue_history",
    _("issue the sealed history of a case or of a person"),
    roles="supervisor auditor",
)
VIEW_REPORT = declare(
    "reporting.view_report",
    _("see and export the indicators of their units"),
    roles="supervisor administrator communications auditor",
)
