"""The service targets of one case as what happens moves them: starts, pauses, goes on, ends. In memory."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases import targets
from cases.models import Case, ServicePause, ServiceTarget, StateCategory
from cases.targets import FIRST_ANSWER, NEXT_ANSWER, RESOLUTION, Pause, Target
from crm.organisations.calendars import Calendar, NotCovered

End = ServiceTarget.End
_ANSWERS = (FIRST_ANSWER, NEXT_ANSWER)


@dataclass(eq=False)
class Kept:
    """One target with its pauses."""

    row: ServiceTarget
    pauses: list[ServicePause] = field(default_factory=list)
    touched: bool = False

    @property
    def spans(self) -> list[Pause]:
        """When it stood still."""
        return [Pause(one.starts_at, one.ends_at) for one in self.pauses]

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.row.ended_at is None


@dataclass
class Book:
    """All the targets of a case. What changes is `touched`, for whoever keeps it."""

    case: Case
    plan: Sequence[Target]
    calendar: Calendar
    kept: list[Kept] = field(default_factory=list)
    needs: Collection[str] = frozenset()

    @property
    def running(self) -> list[Kept]:
        """Those that have not ended."""
        return [one for one in self.kept if one.runs]

    def of(self, *measures: str) -> list[Kept]:
        """Those of a measure that run."""
        return [one for one in self.running if one.row.measure in measures]

    # --- What happens ---------------------------------------------------------------------------

    def opened(self) -> None:
        """The case is there."""
        for measure in (FIRST_ANSWER, RESOLUTION):
            self._start(measure, self.case.opened_at)
        self._hold(self.case.opened_at, self.case.category)

    def heard(self, at: datetime) -> None:
        """The citizen wrote, and waits for an answer unless they waited already."""
        if not self.of(*_ANSWERS) and not self.case.ended:
            self._start(NEXT_ANSWER, at)
            self._hold(at, self.case.category)

    def answered(self, at: datetime, written: datetime | None = None) -> None:
        """A public message left; it answers what came before it was written."""
        for one in self.of(*_ANSWERS):
            if one.row.started_at <= (written or at):
                self._end(one, at)

    def moved(self, at: datetime, category: int) -> None:
        """The case is in a state of this category."""
        if category >= StateCategory.RESOLVED:
            for one in self.running:
                self._end(one, at, dropped=one.row.measure != RESOLUTION)
            return
        if not self.of(RESOLUTION) and any(one.row.measure == RESOLUTION for one in self.kept):
            self._start(RESOLUTION, at)  # taken up again: another promise
        self._hold(at, category)

    def fitted(self, at: datetime) -> list[tuple[Kept, datetime]]:
        """Each target is the one that fits the case now; those whose moment moved, with the one before."""
        for one in self.running:
            found = self._chosen(one.row.measure)
            if found is None:
                self._end(one, at, dropped=True)
            elif found.rule != one.row.rule:
                one.row.rule, one.row.minutes = dict(found.rule), found.minutes
                one.touched = True
        if not self.of(RESOLUTION) and not self.case.ended:
            self._start(RESOLUTION, at)
        self._hold(at, self.case.category)
        return self.reckoned(at)

    def reckoned(self, now: datetime) -> list[tuple[Kept, datetime]]:
        """Each that runs ends when its rule and the calendar say; those that moved, with the moment before."""
        moved = []
        for one in self.running:
            before, new = one.row.due_at, one.row.pk is None
            self._reckon(one, now)
            if one.row.due_at != before and not new and before and one.row.due_at:
                moved.append((one, before))
        return moved

    # --- Inside ---------------------------------------------------------------------------------

    def _chosen(self, measure: str) -> Target | None:
        case = self.case
        return targets.chosen(self.plan, measure, case.priority, case.channel, self.needs)

    def _start(self, measure: str, at: datetime) -> None:
        found = self._chosen(measure)
        if found is None:
            return
        row = ServiceTarget(
            case=self.case,
            measure=measure,
            rule=dict(found.rule),
            minutes=found.minutes,
            started_at=at,
        )
        one = Kept(row, touched=True)
        self.kept.append(one)
        self._reckon(one, at)

    def _hold(self, at: datetime, category: int) -> None:
        """Those that stand still in such a state do, the others run."""
        for one in self.running:
            holds = category in targets.read(one.row.rule).pauses
            if holds == (one.row.paused_at is not None):
                continue
            at = max(at, one.row.started_at)
            if holds:
                begin = max([at, *(pause.ends_at for pause in one.pauses if pause.ends_at)])
                one.pauses.append(ServicePause(target=one.row, category=category, starts_at=begin))
                one.row.paused_at = begin
            else:
                self._resume(one, at)
            self._reckon(one, at)

    def _resume(self, one: Kept, at: datetime) -> None:
        for pause in one.pauses:
            if pause.ends_at is None:
                pause.ends_at = max(at, pause.starts_at)
        one.row.paused_at = None
        one.touched = True

    def _reckon(self, one: Kept, now: datetime) -> None:
        """When it ends and when it is in danger; what no calendar knows stays as it was promised."""
        row, target = one.row, targets.read(one.row.rule)
        try:
            due = targets.due_at(self.calendar, row.started_at, row.minutes, one.spans)
            early = row.minutes - target.warn_minutes
            warn = targets.due_at(self.calendar, row.started_at, early, one.spans)
        except NotCovered:
            return
        row.due_at, row.warn_at = due, warn if target.warn_minutes else None
        if row.breached_at is not None and (due is None or due > now):
            row.breached_at = None
        if row.warned_at is not None and (row.warn_at is None or row.warn_at > now):
            row.warned_at = None
        one.touched = True

    def _end(self, one: Kept, at: datetime, *, dropped: bool = False) -> None:
        row = one.row
        at = max(at, row.started_at)
        self._resume(one, at)
        self._reckon(one, at)
        row.ended_at = at
        late = row.due_at is not None and at > row.due_at
        if late and row.breached_at is None:
            row.breached_at = row.due_at
        row.end = End.MISSED if row.breached_at else End.DROPPED if dropped else End.MET
        try:
            gone = targets.used(self.calendar, row.started_at, at, one.spans)
            row.margin = round(row.minutes * 60 - gone.total_seconds())
        except NotCovered:
            row.margin = None


def nearest(rows: Iterable[ServiceTarget]) -> dict[str, Any]:
    """What lists show of a case's targets: the columns of its ServiceClock."""
    rows = list(rows)
    running = [row for row in rows if row.ended_at is None]
    dated = [row for row in running if row.due_at is not None]
    first = min(dated, key=lambda row: row.due_at or row.started_at, default=None)
    shown = first or (running[0] if running else None)
    dangers = [row.warn_at or row.due_at for row in dated if row.warn_at or row.due_at]
    return {
        "measure": shown.measure if shown else "",
        "started_at": shown.started_at if shown else None,
        "due_at": first.due_at if first else None,
        "danger_at": min((one for one in dangers if one), default=None),
        "paused_at": shown.paused_at if shown and first is None else None,
        "breached": any(row.breached_at is not None for row in rows),
    }
