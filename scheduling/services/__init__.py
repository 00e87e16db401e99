"""The verbs of the scheduling room: each scopes, requires, changes, records and tells, in one transaction."""

from scheduling.services.booking import (
    Place,
    SlotTaken,
    Wish,
    book_appointment,
    cancel_appointment,
    confirm_hold,
    expire_holds,
    hold_slot,
    identify_person,
    move_appointment,
)
from scheduling.services.desk import check_in, complete_service, mark_no_show, start_service
from scheduling.services.notices import deliver_notice, doubt_notice, remind_due, send_code_again
from scheduling.services.people import Person

__all__ = [
    "Person",
    "Place",
    "SlotTaken",
    "Wish",
    "book_appointment",
    "cancel_appointment",
    "check_in",
    "complete_service",
    "confirm_hold",
    "deliver_notice",
    "doubt_notice",
    "expire_holds",
    "hold_slot",
    "identify_person",
    "mark_no_show",
    "move_appointment",
    "remind_due",
    "send_code_again",
    "start_service",
]
