"""What may be done with case histories: permissions in plain words, and the rules on single objects."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

ISSUE_HISTORY = declare(
    "reporting.issue_history",
    _("issue a case's sealed history and electronic file"),
    roles="supervisor auditor",
)
