"""What may be done to an organisation: permissions in plain words, and the rules on single objects."""

from django.utils.translation import gettext_lazy as _

from crm.kit.policy import declare

CHANGE_ORGANISATION = declare(
    "organisations.change_organisation",
    _("change the organisation's data, branding, languages and options"),
    roles="administrator",
)
MANAGE_UNITS = declare(
    "organisations.manage_units",
    _("create, move, merge and close units"),
    roles="administrator",
)
MANAGE_CALENDARS = declare(
    "organisations.manage_calendars",
    _("set working days and opening hours"),
    roles="administrator",
)
MANAGE_SHARING = declare(
    "organisations.manage_sharing",
    _("make and withdraw data-sharing agreements"),
    roles="administrator data_protection",
)
