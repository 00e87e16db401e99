"""When people attend a queue, by its layered calendar, and when they are back."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from channels_app.models import Queue
from crm.organisations.calendars import Calendar, NotCovered, is_open_at, next_opening
from crm.organisations.selectors import calendar_for, calendar_of


@dataclass(frozen=True, slots=True)
class Hours:
    """Whether people attend now; if not, when they are back, as far as the calendar knows."""

    open: bool
    back_at: datetime | None = None


def hours_of(queue: Queue, at: datetime | None = None) -> Hours:
    """The queue's hours at a moment (now). Needs `queue.unit.organisation` loaded."""
    at = at or timezone.now()
    calendar = _calendar(queue)
    try:
        if is_open_at(calendar, at):
            return Hours(True)
        return Hours(False, next_opening(calendar, at).start)
    except NotCovered:  # nobody has said when: better a form than nobody who answers
        return Hours(False)


def _calendar(queue: Queue) -> Calendar:
    if queue.calendar_id is not None:
        return calendar_of(queue.unit.organisation, queue.calendar_id)
    return calendar_for(queue.unit)
