"""Reading organisations: the tree of units and the calendars, resolved in Python, kept per version."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Text
from crm.organisations import calendars
from crm.organisations.calendars import Calendar, Hours, Interval
from crm.organisations.models import Layer, Organisation, Unit, WorkingCalendar


@dataclass(frozen=True)
class Node:
    """A unit as the tree knows it."""

    id: int
    uuid: str
    code: str
    name: str
    parent_id: int | None
    depth: int
    closed: bool


class UnitTree:
    """All units of an organisation in tree order (parents before children, siblings by name)."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = tuple(nodes)
        self._by_id = {node.id: node for node in self.nodes}
        self._children: dict[int | None, list[int]] = defaultdict(list)
        for node in self.nodes:
            self._children[node.parent_id].append(node.id)

    def get(self, unit_id: int) -> Node | None:
        """The node of a unit, or None when it is not of this organisation."""
        return self._by_id.get(unit_id)

    def below(self, unit_ids: Iterable[int]) -> frozenset[int]:
        """These units and all under them."""
        found: set[int] = set()
        waiting = [unit_id for unit_id in unit_ids if unit_id in self._by_id]
        while waiting:
            unit_id = waiting.pop()
            if unit_id not in found:
                found.add(unit_id)
                waiting.extend(self._children.get(unit_id, ()))
        return frozenset(found)

    def path(self, unit_id: int) -> list[Node]:
        """From the root down to the unit."""
        path: list[Node] = []
        node = self._by_id.get(unit_id)
        while node is not None:
            path.append(node)
            node = self._by_id.get(node.parent_id) if node.parent_id is not None else None
        return path[::-1]


def unit_tree(organisation: Organisation) -> UnitTree:
    """The organisation's units; `units_version` changes with every change to them or calendars."""
    return _unit_tree(organisation.pk, organisation.units_version)


@lru_cache(maxsize=512)
def _unit_tree(organisation_id: int, version: int) -> UnitTree:
    rows = Unit.objects.unscoped("the tree itself, before any actor").filter(
        organisation=organisation_id
    )
    children: dict[int | None, list[Unit]] = defaultdict(list)
    for unit in rows.order_by("name", "id"):
        children[unit.parent_id].append(unit)
    nodes: list[Node] = []

    def visit(parent_id: int | None, depth: int) -> None:
        for unit in children[parent_id]:
            nodes.append(
                Node(
                    unit.pk,
                    str(unit.uuid),
                    unit.code,
                    unit.name,
                    unit.parent_id,
                    depth,
                    unit.closed_on is not None,
                )
            )
            visit(unit.pk, depth + 1)

    visit(None, 0)
    return UnitTree(nodes)


# --- calendars ------------------------------------------------------------------------------------

PUBLIC_CALENDAR = "ES"


def calendar_for(unit: Unit) -> Calendar:
    """The working days and hours of a unit: its own calendar, else that of the nearest unit above,
    else the organisation's, else the national one.

    Asks the database only after a change; `unit.organisation` should be loaded with the unit.
    """
    return _calendars(unit.organisation_id, unit.organisation.units_version).of(unit.pk)


def organisation_calendar(organisation: Organisation) -> Calendar:
    """The working days and hours of the organisation as a whole."""
    return _calendars(organisation.pk, organisation.units_version).of(None)


def calendar_of(organisation: Organisation, calendar_id: int) -> Calendar:
    """The working days and hours of one of the organisation's calendars, with those it builds on."""
    return _calendars(organisation.pk, organisation.units_version).built_from(calendar_id)


def years_not_loaded(calendar: WorkingCalendar, today: date | None = None) -> list[int]:
    """This year and the next, where nobody has entered or loaded the calendar's holidays."""
    year = (today or timezone.localdate()).year
    if calendar.layer == Layer.UNIT:  # usually has hours only
        return []
    return [wanted for wanted in (year, year + 1) if wanted not in calendar.years]


@dataclass
class _Calendars:
    """The calendars of one organisation at one version."""

    zone: ZoneInfo
    tree: UnitTree
    default: int | None
    by_unit: Mapping[int, int]
    rows: Mapping[int, WorkingCalendar]
    built: dict[int | None, Calendar] = field(default_factory=dict)

    def of(self, unit_id: int | None) -> Calendar:
        chosen = self.default
        for node in self.tree.path(unit_id) if unit_id is not None else ():
            chosen = self.by_unit.get(node.id, chosen)
        return self.built_from(chosen)

    def built_from(self, calendar_id: int | None) -> Calendar:
        if calendar_id not in self.built:
            self.built[calendar_id] = self._build(calendar_id)
        return self.built[calendar_id]

    def _build(self, calendar_id: int | None) -> Calendar:
        if calendar_id is None:  # an installation where no holidays were ever loaded
            years = public_holiday_years()
            return Calendar((calendars.spanish_holidays(years),), self.zone, years)
        chain: list[WorkingCalendar] = []
        while calendar_id is not None:
            row = self.rows[calendar_id]
            chain.append(row)
            calendar_id = row.base_id
        official = [row.years for row in chain if row.layer in (Layer.NATIONAL, Layer.REGIONAL)]
        covered = set.intersection(*(set(years) for years in official)) if official else set()
        return Calendar(
            tuple(_layer(row) for row in reversed(chain)), self.zone, _run_of_years(covered)
        )


def public_holiday_years() -> range:
    """The years whose holidays are kept: from the first known to the year after next."""
    return range(calendars.FIRST_YEAR_OF_HOLIDAYS, timezone.localdate().year + 3)


@lru_cache(maxsize=256)
def _calendars(organisation_id: int, version: int) -> _Calendars:
    organisation = Organisation.objects.unscoped("its calendars, before any actor").get(
        pk=organisation_id
    )
    rows = {
        row.pk: row
        for row in WorkingCalendar.objects.unscoped("its calendars, before any actor")
        .filter(Q(organisation=None) | Q(organisation=organisation_id))
        .prefetch_related("days", "hours")
    }
    public = next(
        (
            row.pk
            for row in rows.values()
            if row.organisation_id is None and row.code == PUBLIC_CALENDAR
        ),
        None,
    )
    units = Unit.objects.unscoped("its calendars, before any actor").filter(
        organisation=organisation_id, calendar__isnull=False
    )
    return _Calendars(
        zone=ZoneInfo(organisation.time_zone),
        tree=_unit_tree(organisation_id, version),
        default=organisation.calendar_id or public,
        by_unit=dict(units.values_list("pk", "calendar_id")),
        rows=rows,
    )


def _layer(row: WorkingCalendar) -> calendars.Layer:
    """A layer as the arithmetic wants it; `days` and `hours` are prefetched."""
    weekly: dict[int, list[Interval]] = defaultdict(list)
    dated: dict[date, list[Interval]] = defaultdict(list)
    for hours in row.hours.all():
        place = dated[hours.day] if hours.day is not None else weekly[hours.weekday or 0]
        if hours.opens is not None and hours.closes is not None:
            place.append(Interval(hours.opens, hours.closes))
    return calendars.Layer(
        name=row.name,
        holidays={day.day: day.name for day in row.days.all() if not day.working},
        working_exceptions={day.day: day.name for day in row.days.all() if day.working},
        weekly_hours={weekday: _in_order(found) for weekday, found in weekly.items()} or None,
        date_hours={day: _in_order(found) for day, found in dated.items()},
        years=frozenset(row.years) if row.layer == Layer.LOCAL else None,
    )


def _in_order(intervals: Iterable[Interval]) -> Hours:
    return tuple(sorted(intervals, key=lambda interval: interval.start))


def _run_of_years(years: Iterable[int]) -> range:
    """The years without a gap that end with the last one."""
    found = sorted(years)
    if not found:
        return range(0)
    first = last = found[-1]
    while first - 1 in found:
        first -= 1
    return range(first, last + 1)


# --- what a unit was ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One fact of a unit that changed: when, which, from what to what."""

    at: datetime
    field: Text
    before: str
    after: str


_FACTS: Mapping[str, Text] = {
    "name": _("name"),
    "code": _("code"),
    "dir3_code": _("DIR3 code"),
    "parent": _("unit above"),
    "calendar": _("calendar"),
    "closed_on": _("closed on"),
    "merged_into": _("merged into"),
}


def unit_history(unit: Unit) -> list[Change]:
    """What changed in a unit, newest first: each row of history is what it was until then."""
    rows = unit.history.select_related(  # type: ignore[attr-defined]  # pghistory gives it
        "parent", "calendar", "merged_into"
    ).order_by("-pgh_id")
    found, after = [], unit
    for before in rows:
        for name, label in _FACTS.items():
            old, new = getattr(before, name), getattr(after, name)
            if old != new:
                found.append(Change(before.pgh_created_at, label, str(old or "—"), str(new or "—")))
        after = before
    return found
