"""Which state of a conversation may follow which: pure, so that a test can walk every way through it."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from channels_app.models import State
from crm.kit.errors import Conflict

MOVES: Mapping[str, frozenset[str]] = {
    State.MACHINE: frozenset({State.WAITING, State.CLOSED}),
    State.WAITING: frozenset({State.ACTIVE, State.CLOSED}),
    State.ACTIVE: frozenset({State.WAITING, State.WRAP_UP, State.CLOSED}),
    State.WRAP_UP: frozenset({State.CLOSED}),
    State.CLOSED: frozenset({State.WAITING}),  # a thread by e-mail goes on; a chat never does
}
OPEN = (State.MACHINE, State.WAITING, State.ACTIVE)


def require_move(before: str, after: str) -> None:
    """Conflict unless a conversation may go from one state to the other."""
    if after not in MOVES[before]:
        raise Conflict(
            "conversation_moved_on",
            _("This conversation has moved on. Look at it again before you go on."),
        )
