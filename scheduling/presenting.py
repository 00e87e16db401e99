"""How appointments are said: day and hour by the office's clock, codes in groups, states as chips."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from scheduling.models import Appointment, Status

CHIPS: Mapping[str, tuple[str, str]] = {
    Status.HELD: ("cit", "hourglass"),
    Status.BOOKED: ("new", "calendar-check"),
    Status.CHECKED_IN: ("run", "armchair"),
    Status.IN_SERVICE: ("run", "progress"),
    Status.COMPLETED: ("ok", "circle-check"),
    Status.CANCELLED: ("end", "calendar-x"),
    Status.NO_SHOW: ("bad", "user-x"),
    Status.EXPIRED: ("end", "clock-x"),
}
"""State → colour of its chip and icon."""


def long_day(moment: datetime) -> str:
    """A local day with its weekday, in the reader's language."""
    return f"{date_format(moment, 'l')}, {date_format(moment, 'DATE_FORMAT')}"


def day_and_hour(row: Appointment) -> str:
    """When it begins, by the clock of its office."""
    start = row.local_start
    return _("%(day)s, %(hour)s") % {"day": long_day(start), "hour": f"{start:%H:%M}"}


def shown_code(code: str) -> str:
    """A code in two groups of four, as people read and type it."""
    return f"{code[:4]} {code[4:]}"
