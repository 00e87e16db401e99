"""The verbs of the cases room: each scopes, requires, changes, records and tells, in one transaction."""

from cases.services.assignment import assign_case, change_unit, release_case, take_case
from cases.services.catalogue import change_case_type, create_case_type, publish_version
from cases.services.clocks import extend_clock, resume_clock, suspend_clock
from cases.services.dealing import deal_case, deal_waiting, take_next
from cases.services.documents import (
    attach_document,
    document_of,
    look_again,
    open_document,
    withdraw_document,
)
from cases.services.handover import give_back, hand_over
from cases.services.lifecycle import (
    EDITABLE,
    NewCase,
    change_confidentiality,
    close_case,
    edit_case,
    move_case,
    open_case,
    published_version,
    reopen_case,
)
from cases.services.notes import (
    add_note,
    address_for,
    deliver_message,
    mailbox_of,
    message_bounced,
    record_message,
    retry_message,
    send_message,
)
from cases.services.papers import tick_paper
from cases.services.relations import (
    add_participant,
    end_participant,
    link_cases,
    unlink_cases,
)
from cases.services.tasks import (
    NewTask,
    add_task,
    approve_task,
    cancel_task,
    change_task,
    finish_task,
    reject_task,
    reopen_task,
    take_task,
)
from cases.services.writing import changes_since, told_at

__all__ = [
    "EDITABLE",
    "NewCase",
    "NewTask",
    "add_note",
    "add_participant",
    "add_task",
    "address_for",
    "approve_task",
    "assign_case",
    "attach_document",
    "cancel_task",
    "change_case_type",
    "change_confidentiality",
    "change_task",
    "change_unit",
    "changes_since",
    "close_case",
    "create_case_type",
    "deal_case",
    "deal_waiting",
    "deliver_message",
    "document_of",
    "edit_case",
    "end_participant",
    "extend_clock",
    "finish_task",
    "give_back",
    "hand_over",
    "link_cases",
    "look_again",
    "mailbox_of",
    "message_bounced",
    "move_case",
    "open_case",
    "open_document",
    "publish_version",
    "published_version",
    "record_message",
    "reject_task",
    "release_case",
    "reopen_case",
    "reopen_task",
    "resume_clock",
    "retry_message",
    "send_message",
    "suspend_clock",
    "take_case",
    "take_next",
    "take_task",
    "tick_paper",
    "told_at",
    "unlink_cases",
    "withdraw_document",
]
