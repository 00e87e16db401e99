"""Demo data: what every room adds to an empty installation so that it looks alive on any day."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from crm.kit.registry import Registry

SEED = "valdelagua"
MONTHS = 14  # how far the made-up past reaches back
PAST = timedelta(days=MONTHS * 365 / 12)


@dataclass
class Demo:
    """One filling: what is drawn hangs on the seed and the day only; `scale` 1 is the whole demo."""

    scale: float = 1.0
    seed: str = SEED
    now: datetime = field(default_factory=timezone.localtime)
    made: Counter[str] = field(default_factory=Counter)  # for the summary: what → how many

    @property
    def began(self) -> datetime:
        """When the made-up organisations started to use the product."""
        return self.now.replace(hour=8, minute=0, second=0, microsecond=0) - PAST

    def dice(self, what: str) -> Random:
        """Chance of its own for each thing, so that more of one does not shift all the others."""
        return Random(f"{self.seed} {what}")  # noqa: S311 - made-up data, repeatable by design

    def share(self, count: int) -> int:
        """So many at full scale; at least one."""
        return max(1, round(count * self.scale))


@dataclass(frozen=True)
class Seeder:
    """What a room adds, after those of lower order, and how it knows that it already has."""

    order: int  # the room's floor
    fill: Callable[[Demo], None]
    present: Callable[[], bool] = lambda: False


# A room's `demo.py` registers when it is imported, which `seed_demo` does.
seeders: Registry[Seeder] = Registry("seeder")
