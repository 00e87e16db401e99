"""Who and what the demo's stories are told with: people at their desks, citizens, papers, calendars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from cases.demo.matters import Book
from cases.models import CaseTypeVersion
from cases.permissions import CHANGE_CASE
from crm.accounts.models import User
from crm.citizens.models import Citizen, CitizenRecord
from crm.kit.actor import Actor
from crm.kit.files import Stored
from crm.organisations import calendars
from crm.organisations.models import Unit
from crm.organisations.services import calendar_for


@dataclass(frozen=True)
class Worker:
    """Somebody who works on cases."""

    user: User
    actor: Actor
    place: Unit


@dataclass(frozen=True)
class Client:
    """A citizen as the organisation reaches them."""

    record: CitizenRecord
    mailbox: str
    municipality: str

    @property
    def citizen(self) -> Citizen:
        """Who it is."""
        return self.record.citizen


@dataclass
class Cast:
    """Who and what an organisation's stories are told with."""

    now: datetime
    book: Book
    versions: Mapping[str, CaseTypeVersion]
    units: Mapping[str, Unit]
    clients: Sequence[Client]
    workers: Sequence[Worker]
    supervisors: Sequence[Worker]
    portal: Actor
    papers: Mapping[str, Sequence[Stored]]
    _days: dict[tuple[int, date], bool] = field(default_factory=dict)

    def works(self, unit: Unit, day: date) -> bool:
        """Whether it is a working day where the unit is."""
        key = (unit.pk, day)
        if key not in self._days:
            self._days[key] = calendars.is_working_day(calendar_for(unit), day)
        return self._days[key]

    def at_work(self, unit: Unit, moment: datetime, dice: Random) -> datetime:
        """The moment itself in office hours, else one on the next working morning."""
        kept = moment
        if not 8 <= kept.hour < 15:
            kept = kept.replace(hour=dice.randint(8, 14), minute=dice.randint(0, 59))
            if kept < moment:
                kept += timedelta(days=1)
        while not self.works(unit, kept.date()):
            kept += timedelta(days=1)
        return kept

    def who_works_in(self, unit: Unit, *, special: bool = False) -> Sequence[Worker]:
        """Those who may work on the unit's cases; on specially protected ones only who supervises."""
        among = self.supervisors if special else self.workers
        return [one for one in among if one.actor.reach(CHANGE_CASE).covers(unit.pk)]


@dataclass(frozen=True)
class Act:
    """Who did what on a case: what the audit trail will say of it."""

    actor: Actor
    permission: str
    kind: str
    at: datetime
    seq: int
