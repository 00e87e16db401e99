"""Going back: a case stands again as before a move that is undone while nothing else touched it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.models import Case, EventKind
from cases.permissions import CHANGE_CASE, CLOSE_CASE
from cases.services.writing import fetch, write
from cases.workflow import of_version
from crm.kit.actor import Actor
from crm.kit.errors import Conflict
from crm.kit.policy import require


@transaction.atomic
def restore_state(actor: Actor, case: Case, before: Mapping[str, Any]) -> None:
    """The case is in the state that it left, with the outcome that it had.

    No move of its type need lead back: what is undone was a mistake and no step of the procedure. The
    rights are those of the move itself, and of ending or reopening where work had ended.
    """
    row = fetch(actor, case.uuid)
    require(actor, CHANGE_CASE, row)
    workflow = of_version(row.type_version.bundle)
    if before["state"] not in workflow.states:
        raise Conflict("state_gone", _("Its case type no longer has the state that it left."))
    if before["closed_at"] is not None or row.ended:
        require(actor, CLOSE_CASE, row)
    if before["suspended_on"] is not None and row.suspended_on is None:
        text = _(
            "Its legal deadline was suspended, and that ended with the work: reopen it by hand."
        )
        raise Conflict("clock_ended", text)
    told = {
        "move": "",
        "from": row.state,
        "from_name": workflow.name_of(row.state),
        "to": before["state"],
        "to_name": workflow.name_of(before["state"]),
        "category": before["category"],
        "reason": _("A bulk action is undone."),
    }
    closed = before["closed_at"]
    row.state, row.category, row.outcome = before["state"], before["category"], before["outcome"]
    row.closed_at = datetime.fromisoformat(closed) if closed else None
    changed = ("state", "category", "closed_at", "outcome")
    write(actor, CHANGE_CASE, row, EventKind.MOVED, told, changed=changed)
