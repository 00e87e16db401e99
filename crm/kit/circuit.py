"""Circuits: who does not answer is left alone for a while, as all processes of the installation agree.

Counted in the cache, which is Valkey's; while Valkey is away each process counts for itself.
"""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from django.core.cache import cache

FAILURES = 3
"""In a row, within WINDOW seconds, that open a circuit."""

WINDOW = 120
FIRST_REST, LONGEST_REST = 15, 300  # seconds, doubled each time that the one try in between fails
_PROBE = 60  # seconds within which whoever tries first must have come back
_REMEMBERED = 3_600


class State(StrEnum):
    """What a circuit says: go on, leave it alone, or one may try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """The circuit before one other system."""

    name: str

    def _key(self, part: str) -> str:
        return f"circuit:{self.name}:{part}"

    @property
    def state(self) -> State:
        """As it stands now."""
        if cache.get(self._key("resting")):
            return State.OPEN
        return State.HALF_OPEN if cache.get(self._key("rest")) else State.CLOSED

    def allows(self) -> bool:
        """Whether a call may be made now; of a half-open circuit one caller tries for all."""
        match self.state:
            case State.CLOSED:
                return True
            case State.OPEN:
                return False
        return bool(cache.add(self._key("probe"), 1, _PROBE))

    def succeeded(self) -> None:
        """The other side answered: the circuit is closed."""
        cache.delete_many([self._key(part) for part in ("failures", "rest", "resting", "probe")])

    def failed(self) -> None:
        """The other side did not answer; the last of several times in a row opens the circuit."""
        rest = cache.get(self._key("rest"))
        if rest is None and self._counted() < FAILURES:
            return
        pause = FIRST_REST if rest is None else min(2 * int(rest), LONGEST_REST)
        cache.set(self._key("resting"), 1, pause)
        cache.set(self._key("rest"), pause, _REMEMBERED)
        cache.delete(self._key("probe"))

    def _counted(self) -> int:
        cache.add(self._key("failures"), 0, WINDOW)
        with suppress(ValueError):  # it ran out in between
            return int(cache.incr(self._key("failures")))
        return 1
