"""At the desk: somebody has come, is attended, has been attended, or did not come.

That is for who may do it in the office's unit; booking, moving and cancelling reach every office, because
who calls does not know which one answers.
"""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.errors import Conflict
from crm.kit.policy import require
from scheduling.models import Appointment, EventKind, Status
from scheduling.permissions import ATTEND_DESK
from scheduling.services.writing import fetch, moment, require_status, write


@transaction.atomic
def check_in(actor: Actor, appointment: UUID, *, version: int | None = None) -> Appointment:
    """The person is here and waits."""
    row = _today(actor, appointment, version)
    require_status(row, Status.BOOKED)
    row.status, row.checked_in_at = Status.CHECKED_IN, moment()
    write(actor, ATTEND_DESK, row, EventKind.CHECKED_IN, changed=("status", "checked_in_at"))
    return row


@transaction.atomic
def start_service(actor: Actor, appointment: UUID, *, version: int | None = None) -> Appointment:
    """The person is being attended; on the telephone nobody checks in before."""
    row = _today(actor, appointment, version)
    require_status(row, Status.BOOKED, Status.CHECKED_IN)
    row.status, row.service_began_at = Status.IN_SERVICE, moment()
    row.checked_in_at = row.checked_in_at or row.service_began_at
    changed = ("status", "service_began_at", "checked_in_at")
    write(actor, ATTEND_DESK, row, EventKind.STARTED, changed=changed)
    return row


@transaction.atomic
def complete_service(actor: Actor, appointment: UUID, *, version: int | None = None) -> Appointment:
    """The person has been attended; what is left of the time is free again."""
    row = fetch(actor, appointment, version)
    require(actor, ATTEND_DESK, row.office)
    require_status(row, Status.IN_SERVICE)
    row.status, row.ended_at = Status.COMPLETED, moment()
    write(actor, ATTEND_DESK, row, EventKind.COMPLETED, changed=("status", "ended_at"))
    return row


@transaction.atomic
def mark_no_show(actor: Actor, appointment: UUID, *, version: int | None = None) -> Appointment:
    """The person did not come, or left before being attended."""
    row = fetch(actor, appointment, version)
    require(actor, ATTEND_DESK, row.office)
    require_status(row, Status.BOOKED, Status.CHECKED_IN)
    if moment() < row.starts_at:
        raise Conflict("not_yet", _("The time of the appointment has not come yet."))
    row.status, row.ended_at = Status.NO_SHOW, moment()
    write(actor, ATTEND_DESK, row, EventKind.NO_SHOW, changed=("status", "ended_at"))
    return row


def _today(actor: Actor, appointment: UUID, version: int | None) -> Appointment:
    row = fetch(actor, appointment, version)
    require(actor, ATTEND_DESK, row.office)
    if moment().astimezone(row.zone).date() != row.local_start.date():
        raise Conflict("another_day", _("The appointment is on another day."))
    return row
