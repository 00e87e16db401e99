"""The catalogue of figures: what each is called, what it means, in what it is counted and how.

A figure is read for a Scope (reporting.reading): whose, which units, types and channels, which days.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from django.utils.translation import gettext_lazy as _

from crm.kit.errors import Text
from crm.kit.registry import Registry
from reporting.facts import MEASURES
from reporting.reading import Scope, read, read_open

COUNTED = ("opened", "ended", "reopened", "due", "late")


class Unit(StrEnum):
    """In what a figure is counted."""

    CASES = "cases"
    MINUTES = "minutes"
    SHARE = "share"  # of one


UNIT_NAMES: Mapping[str, Text] = {
    Unit.CASES: _("cases"),
    Unit.MINUTES: _("hours of attention"),
    Unit.SHARE: _("per cent"),
}


Spread = Mapping[int, int]  # minutes → how often


def percentile(spread: Spread, fraction: float) -> int | None:
    """The least value that at least this part of all does not exceed; None of nothing."""
    wanted, seen = fraction * sum(spread.values()), 0
    for value in sorted(spread):
        seen += spread[value]
        if seen >= wanted:
            return value
    return None


@dataclass
class Reading:
    """What the catalogue's figures are made of, of one scope: read once, in a few queries."""

    scope: Scope
    by_day: Mapping[str, Mapping[date, int]]  # measure → day → how often; also after the period
    open_now: int
    spreads: Callable[[], Mapping[str, Spread]] = field(repr=False)

    def total(self, measure: str) -> int:
        """How often in the period."""
        return sum(
            count
            for day, count in self.by_day.get(measure, {}).items()
            if self.scope.start <= day <= self.scope.end
        )

    def backlog(self, day: date) -> int:
        """How many were open when the day ended: those open now, undoing what happened since."""
        since = Counter[str]()
        for measure in ("opened", "ended", "reopened"):
            for when, count in self.by_day.get(measure, {}).items():
                if when > day:
                    since[measure] += count
        return self.open_now - since["opened"] + since["ended"] - since["reopened"]

    @cached_property
    def spread(self) -> Mapping[str, Spread]:
        """Of "answer" and "solved", and in natural time of how many."""
        return self.spreads()

    def natural(self, measure: str) -> tuple[int, int]:
        """How many of the durations are natural time, and of how many."""
        natural = self.spread.get(f"{measure}_natural", {})
        return sum(natural.values()), sum(self.spread.get(measure, {}).values())


def reading(scope: Scope, now: datetime, open_now: int | None = None) -> Reading:
    """What the figures of a scope are made of."""
    return readings([scope], now, open_now)[0]


def readings(scopes: Sequence[Scope], now: datetime, open_now: int | None = None) -> list[Reading]:
    """The same for several periods of one scope, in one walk."""
    wide = scopes[0].at(min(one.start for one in scopes), max(one.end for one in scopes))
    by_day: dict[str, dict[date, int]] = {}
    for measure, day, count in read(wide, COUNTED, "day", until_now=True):
        by_day.setdefault(measure, {})[day] = count
    if open_now is None:
        open_now = read_open(wide, now).total

    def spreads_of(scope: Scope) -> Callable[[], Mapping[str, Spread]]:
        def found() -> Mapping[str, Spread]:
            spreads: dict[str, dict[int, int]] = {}
            measures = ("answer", "solved", "answer_natural", "solved_natural")
            for measure, value, count in read(scope, measures, "value"):
                spreads.setdefault(measure, {})[value] = count
            return spreads

        return found

    return [Reading(scope, by_day, open_now, spreads_of(scope)) for scope in scopes]


# --- The catalogue ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Metric:
    """A figure of the catalogue."""

    code: str
    name: Text
    meaning: Text
    unit: Unit
    query: str
    """How it is counted, in terms of the facts: shown to whoever wants to know exactly."""
    value: Callable[[Reading], float | None]
    better: str = ""  # "less" or "more", where one can say
    behind: str = ""  # the measure whose cases stand behind it; "open": what is open now


catalogue: Registry[Metric] = Registry("figure")


def _add(metric: Metric) -> None:
    catalogue.register(metric.code, metric)


def _happened(measure: str) -> str:
    told = MEASURES[measure]
    where = "" if told.where == "TRUE" else f" AND {told.where.removeprefix('f.')}"
    days = [f"{told.day} BETWEEN :start AND :end{where}"] if told.day else []
    days += [f"each day of {told.also} BETWEEN :start AND :end"] if told.also else []
    return f"count of reporting_casefact WHERE {', plus '.join(days)}"


def _share(part: str, whole: str) -> Callable[[Reading], float | None]:
    def value(made: Reading) -> float | None:
        total = made.total(whole)
        return made.total(part) / total if total else None

    return value


def _percentile(measure: str, fraction: float) -> Callable[[Reading], float | None]:
    return lambda made: percentile(made.spread.get(measure, {}), fraction)


_ROUNDED = _(
    "Counted in the opening hours of the case's unit where its calendar gives any, otherwise in"
    " natural time; to two significant digits."
)

_add(
    Metric(
        "opened",
        _("Cases opened"),
        _("Cases opened in the period, by whichever channel."),
        Unit.CASES,
        _happened("opened"),
        lambda made: made.total("opened"),
        behind="opened",
    )
)
_add(
    Metric(
        "ended",
        _("Cases resolved"),
        _(
            "Times that work on a case ended in the period, resolved or closed. A case that was"
            " reopened and ended again counts twice."
        ),
        Unit.CASES,
        _happened("ended"),
        lambda made: made.total("ended"),
        better="more",
        behind="ended",
    )
)
_add(
    Metric(
        "backlog",
        _("Backlog"),
        _("Cases still open when the last day of the period ended, whenever they were opened."),
        Unit.CASES,
        "count of reporting_casefact WHERE opened_on <= :end AND NOT ended by :end"
        " (ended_on, ended_before, reopened_on)",
        lambda made: made.backlog(made.scope.end),
        better="less",
        behind="backlog",
    )
)
_add(
    Metric(
        "answer_median",
        _("First answer, median"),
        _(
            "Half of the first answers given in the period took at most this long from the opening."
            " The first answer is the first message to the citizen, or the end of the work if that"
            " came before."
        ),
        Unit.MINUTES,
        "percentile_disc(0.5) of answer_minutes WHERE answered_on BETWEEN :start AND :end",
        _percentile("answer", 0.5),
        better="less",
        behind="answer",
    )
)
_add(
    Metric(
        "answer_p90",
        _("First answer, nine in ten"),
        _("Nine in ten first answers given in the period took at most this long."),
        Unit.MINUTES,
        "percentile_disc(0.9) of answer_minutes WHERE answered_on BETWEEN :start AND :end",
        _percentile("answer", 0.9),
        better="less",
        behind="answer",
    )
)
_add(
    Metric(
        "solved_median",
        _("Resolution, median"),
        _("Half of the cases whose work ended in the period took at most this long to that end."),
        Unit.MINUTES,
        "percentile_disc(0.5) of solved_minutes WHERE ended_on BETWEEN :start AND :end",
        _percentile("solved", 0.5),
        better="less",
        behind="solved",
    )
)
_add(
    Metric(
        "solved_p90",
        _("Resolution, nine in ten"),
        _("Nine in ten cases whose work ended in the period took at most this long to that end."),
        Unit.MINUTES,
        "percentile_disc(0.9) of solved_minutes WHERE ended_on BETWEEN :start AND :end",
        _percentile("solved", 0.9),
        better="less",
        behind="solved",
    )
)
_add(
    Metric(
        "reopened",
        _("Cases reopened"),
        _("Times that work on an ended case was taken up again in the period."),
        Unit.CASES,
        _happened("reopened"),
        lambda made: made.total("reopened"),
        better="less",
        behind="reopened",
    )
)
_add(
    Metric(
        "late",
        _("Overdue share"),
        _(
            "Of the cases with a due date whose work ended in the period, the part that ended after"
            " that date."
        ),
        Unit.SHARE,
        f"{_happened('late')} / {_happened('due')}",
        _share("late", "due"),
        better="less",
        behind="late",
    )
)


def explained(metric: Metric) -> Sequence[Text]:
    """Its meaning in sentences."""
    return [metric.meaning, _ROUNDED] if metric.unit is Unit.MINUTES else [metric.meaning]


def values(made: Reading, codes: Iterable[str] | None = None) -> dict[str, float | None]:
    """The figures of a reading by their codes."""
    return {code: catalogue[code].value(made) for code in codes or catalogue}
