"""Tables of the scheduling room, split by concern."""

from scheduling.models.appointment import (
    ACTIVE,
    Appointment,
    EventKind,
    Happening,
    Notice,
    Status,
)
from scheduling.models.office import (
    BookableService,
    Closure,
    DayException,
    Modality,
    Office,
    Resource,
    WeeklyRule,
)

__all__ = [
    "ACTIVE",
    "Appointment",
    "BookableService",
    "Closure",
    "DayException",
    "EventKind",
    "Happening",
    "Modality",
    "Notice",
    "Office",
    "Resource",
    "Status",
    "WeeklyRule",
]
