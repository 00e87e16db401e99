"""What may be done to accounts and roles: permissions in plain words, and the rules on single objects."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

INVITE_USER = declare(
    "accounts.invite_user",
    _("invite and suspend employees"),
    roles="administrator",
)
GRANT_ROLE = declare(
    "accounts.grant_role",
    _("give and remove roles, except their own"),
    roles="administrator",
)
MANAGE_API_CLIENTS = declare(
    "accounts.manage_api_clients",
    _("create and revoke keys of connected systems"),
    roles="administrator",
)
MANAGE_ABSENCES = declare(
    "accounts.manage_absences",
    _("record when employees of their units are away, and who stands in for them"),
    roles="supervisor administrator",
)
