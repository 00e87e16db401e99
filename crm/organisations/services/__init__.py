"""What can be done to organisations, units, calendars and agreements; one module for each."""

from crm.organisations.selectors import calendar_for
from crm.organisations.services.organisation import (
    change_options,
    change_organisation,
    create_organisation,
    remove_logo,
    set_logo,
    set_seats,
)
from crm.organisations.services.sharing import make_agreement, revoke_agreement
from crm.organisations.services.units import (
    change_unit,
    close_unit,
    create_unit,
    merge_units,
    move_unit,
)
from crm.organisations.services.working_time import (
    create_calendar,
    load_public_holidays,
    remove_holiday,
    rename_calendar,
    set_date_hours,
    set_holiday,
    set_weekly_hours,
)

__all__ = [
    "calendar_for",
    "change_options",
    "change_organisation",
    "change_unit",
    "close_unit",
    "create_calendar",
    "create_organisation",
    "create_unit",
    "load_public_holidays",
    "make_agreement",
    "merge_units",
    "move_unit",
    "remove_holiday",
    "remove_logo",
    "rename_calendar",
    "revoke_agreement",
    "set_date_hours",
    "set_holiday",
    "set_logo",
    "set_seats",
    "set_weekly_hours",
]
