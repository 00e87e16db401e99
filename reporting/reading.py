"""Reading what was counted: out of the roll-ups where one holds what is asked, and else out of the facts.

Both give the same. The whole months of a period come from roll-ups of months, the days at its ends from
roll-ups of days, or from the facts what no roll-up of days tells apart.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from reporting.facts import HOURS, MEASURES
from reporting.models import Tally

ONE_DAY = timedelta(days=1)
BANDS = (8, 16, 31, 61, 91)  # days: the first of each band of age but the first


@dataclass(frozen=True)
class Scope:
    """What figures are asked of. Both days count; no units, types or channels: all of them."""

    organisation_id: int
    start: date
    end: date
    units: frozenset[int] | None = None  # None: the whole organisation
    case_types: frozenset[int] = frozenset()
    channels: frozenset[str] = frozenset()

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    def at(self, start: date, end: date) -> "Scope":
        """The same of another period."""
        return replace(self, start=start, end=end)


# --- What happened ------------------------------------------------------------------------------

# the roll-ups of days and of months for what is asked: which units, and which types or channels
_CUTS: Mapping[tuple[str, bool], tuple[Tally.Cut | None, Tally.Cut]] = {
    ("", False): (Tally.Cut.WHOLE, Tally.Cut.WHOLE_MONTH),
    ("units", False): (Tally.Cut.UNIT, Tally.Cut.UNIT_MONTH),
    ("subtrees", False): (Tally.Cut.SUBTREE, Tally.Cut.SUBTREE_MONTH),
    ("", True): (Tally.Cut.KIND, Tally.Cut.KIND_MONTH),
    ("units", True): (None, Tally.Cut.ALL_MONTH),
}
# what rows are grouped by, in the columns of a tally; the first needs days, the others may have months
_GROUPS = {
    "day": "day",
    "value": "value",
    "unit": "unit_id",
    "weekday": "value",
    "kind": "case_type_id, channel",
}

Rows = list[tuple[Any, ...]]
Parameters = dict[str, Any]


def read(scope: Scope, measures: Sequence[str], by: str, *, until_now: bool = False) -> Rows:
    """Rows of (measure, what `by` says, how often) of what happened in the period (and since).

    A measure that tells no values apart has its counts under any of them: they are added up.
    """
    if until_now:
        scope = scope.at(scope.start, date.max)
    group = _GROUPS[by]
    parameters: Parameters = {}
    parts = list(_parts(scope, measures, by, parameters))
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT measure, {group}, sum(count)::bigint FROM ({' UNION ALL '.join(parts)}) s"  # noqa: S608 - our own names, values apart
            f" GROUP BY measure, {group}",
            parameters,
        )
        found = list(cursor.fetchall())
    if by == "weekday":
        return [(measure, *divmod(value, HOURS), count) for measure, value, count in found]
    return found


def read_kinds(
    scope: Scope, measures: Sequence[str]
) -> tuple[dict[int, Counter[str]], dict[str, Counter[str]]]:
    """What happened in the period by case type, and by channel."""
    types: dict[int, Counter[str]] = {}
    channels: dict[str, Counter[str]] = {}
    for measure, case_type, channel, count in read(scope, measures, "kind"):
        types.setdefault(case_type, Counter())[measure] += count
        channels.setdefault(channel, Counter())[measure] += count
    return types, channels


def _parts(scope: Scope, measures: Sequence[str], by: str, parameters: Parameters) -> Iterator[str]:
    """SELECTs of rows (measure, what is grouped by, count) that together hold the period once."""
    kinds = by == "kind" or bool(scope.case_types or scope.channels)
    if by == "unit" or scope.units is None or kinds:
        told = "units" if by == "unit" or scope.units is not None else ""
        yield from _spanned(scope, _CUTS[told, kinds], measures, by, parameters)
        return
    subtrees = _subtrees_within(scope)
    below = frozenset[int]().union(*subtrees.values())
    if subtrees:
        whole = replace(scope, units=below)
        tops = replace(scope, units=frozenset(subtrees))
        yield from _spanned(whole, _CUTS["subtrees", False], measures, by, parameters, tops)
    if single := scope.units - below:
        alone = replace(scope, units=single)
        yield from _spanned(alone, _CUTS["units", False], measures, by, parameters)


def _subtrees_within(scope: Scope) -> dict[int, frozenset[int]]:
    """The fewest subtrees that lie within the units asked for, none in another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT top_id, array_agg(unit_id) FROM reporting_subtree WHERE organisation_id = %s"
            " GROUP BY top_id HAVING bool_and(unit_id = ANY(%s)) ORDER BY count(*) DESC, top_id",
            [scope.organisation_id, sorted(scope.units or ())],
        )
        rows = cursor.fetchall()
    found: dict[int, frozenset[int]] = {}
    taken: set[int] = set()
    for top, units in rows:
        if taken.isdisjoint(units):
            found[top] = frozenset(units)
            taken.update(units)
    return found


def _spanned(
    scope: Scope,
    cuts: tuple[Tally.Cut | None, Tally.Cut],
    measures: Sequence[str],
    by: str,
    parameters: Parameters,
    tops: Scope | None = None,
) -> Iterator[str]:
    """The period out of these roll-ups, as far as they hold it, and else out of the facts.

    `tops` asks the roll-ups by subtree what `scope` asks the facts.
    """
    rolled_up = tops or scope
    daily = _holding(cuts[0], measures)
    monthly = _holding(cuts[1], measures) if by != "day" else None
    rest = [(scope.start, scope.end)]
    months = whole_months(scope.start, scope.end) if monthly is not None else None
    if monthly is not None and months is not None:
        yield _tallied(rolled_up, by, monthly, months, measures, parameters)
        rest = [(scope.start, months[0] - ONE_DAY), (months[1] + ONE_DAY, scope.end)]
    for days in rest:
        if days[0] > days[1]:
            continue
        if daily is not None:
            yield _tallied(rolled_up, by, daily, days, measures, parameters)
        else:
            yield from _single(scope, measures, by, days, parameters)


def _holding(cut: Tally.Cut | None, measures: Sequence[str]) -> Tally.Cut | None:
    """The roll-up, if it holds them all."""
    return cut if all(cut in MEASURES[name].cuts for name in measures) else None


def whole_months(start: date, end: date) -> tuple[date, date] | None:
    """The first and last day of the whole months that lie between two days, if any do."""
    first = start if start.day == 1 else _next_month(start)
    last = end if end == date.max else (end + ONE_DAY).replace(day=1) - ONE_DAY
    return (first, last) if first <= last else None


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _tallied(
    scope: Scope,
    by: str,
    cut: Tally.Cut,
    days: tuple[date, date],
    measures: Sequence[str],
    parameters: Parameters,
) -> str:
    """What a roll-up holds of these days."""
    first, last = (_given(parameters, day) for day in days)
    return (
        f"SELECT measure, {_GROUPS[by]}, count FROM reporting_tally"  # noqa: S608 - our own names, values apart
        f" WHERE {_where(scope, parameters)} AND cut = {int(cut)}"
        f" AND measure = ANY({_given(parameters, list(measures))})"
        f" AND day BETWEEN {first}::date AND {last}::date"
    )


def _single(
    scope: Scope,
    measures: Sequence[str],
    by: str,
    days: tuple[date, date],
    parameters: Parameters,
) -> Iterator[str]:
    """What the facts hold of these days: walked once for all that bears the same date."""
    first, last = (f"{_given(parameters, day)}::date" for day in days)
    where = _where(scope, parameters)
    for column in dict.fromkeys(MEASURES[name].day for name in measures):
        dated = [name for name in measures if column and MEASURES[name].day == column]
        if not dated:
            continue
        values = [MEASURES[name].value for name in dated if MEASURES[name].value != "0"]
        group = _of_facts(by, f"f.{column}", values[0] if values else "0")
        counts = ", ".join(
            f"count(*) FILTER (WHERE {MEASURES[name].where}) AS m{number}"
            for number, name in enumerate(dated)
        )
        names = ", ".join(f"('{name}', m{number})" for number, name in enumerate(dated))
        yield (
            f"SELECT v.measure, {_GROUPS[by]}, v.n AS count FROM (SELECT {group}, {counts}"  # noqa: S608 - our own names, values apart
            f" FROM reporting_casefact f WHERE {where} AND f.{column} BETWEEN {first} AND {last}"
            f" GROUP BY {_GROUPS[by]}) g CROSS JOIN LATERAL (VALUES {names}) v(measure, n)"
            " WHERE v.n > 0"
        )
    for name in measures:
        told = MEASURES[name]
        if told.also:  # a case has as many ends undone as reopenings: one index finds both
            yield (
                f"SELECT '{name}', {_of_facts(by, 'a.day', told.value)}, 1 FROM reporting_casefact f"  # noqa: S608 - our own names, values apart
                f" CROSS JOIN LATERAL unnest(f.{told.also}) AS a(day) WHERE {where}"
                f" AND f.reopened_on <> '{{}}' AND {told.where} AND a.day BETWEEN {first} AND {last}"
            )


def _of_facts(by: str, day: str, value: str) -> str:
    """What is grouped by, in the columns of the facts."""
    found = {"day": f"{day} AS day", "value": f"{value} AS value", "weekday": f"{value} AS value"}
    return found.get(by, _GROUPS[by])


def _where(scope: Scope, parameters: Parameters) -> str:
    """The organisation and the filters in force; None is no filter, and no unit at all is nothing."""
    where = f"organisation_id = {_given(parameters, scope.organisation_id)}"
    for column, chosen in (
        ("unit_id", scope.units),
        ("case_type_id", scope.case_types or None),
        ("channel", scope.channels or None),
    ):
        if chosen is not None:
            where += f" AND {column} = ANY({_given(parameters, sorted(chosen))})"
    return where


def _given(parameters: Parameters, value: Any) -> str:
    """The place of a value in the query."""
    known = [name for name, other in parameters.items() if other == value]
    name = known[0] if known else f"p{len(parameters)}"
    parameters[name] = value
    return f"%({name})s"


# --- What is open -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Open:
    """What is open now: how many by band of age, how many overdue, since when the oldest waits."""

    bands: tuple[int, ...]
    overdue: int
    oldest: datetime | None

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.bands)


def read_open(scope: Scope, now: datetime) -> Open:
    """What is open now; `now` bears the organisation's clock."""
    bands, overdue, oldest = [0] * (len(BANDS) + 1), 0, None
    parameters: Parameters = {"today": now.date(), "now": now, "bands": list(BANDS)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(%(today)s::date - opened_on, %(bands)s::int[]), count(*),"  # noqa: S608 - our own names, values apart
            " count(*) FILTER (WHERE due_at < %(now)s), min(opened_at)"
            f" FROM reporting_casefact WHERE {_where(scope, parameters)} AND ended_on IS NULL GROUP BY 1",
            parameters,
        )
        for band, count, late, first in cursor.fetchall():
            bands[band] += count
            overdue += late
            oldest = min(filter(None, (oldest, first)))
    return Open(tuple(bands), overdue, oldest)


def read_open_by_unit(scope: Scope) -> dict[int, int]:
    """How many are open now, by unit."""
    parameters: Parameters = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT unit_id, count(*) FROM reporting_casefact"  # noqa: S608 - our own names, values apart
            f" WHERE {_where(scope, parameters)} AND ended_on IS NULL GROUP BY unit_id",
            parameters,
        )
        return dict(cursor.fetchall())
