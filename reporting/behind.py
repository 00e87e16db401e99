"""The cases behind a figure: as many as it counts, where it counts cases and not times."""

from collections.abc import Callable, Mapping
from datetime import date

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from cases.models import Case
from cases.models.case import CaseQuerySet
from crm.kit.actor import Actor
from reporting.models import CaseFact
from reporting.reading import BANDS, Scope

Facts = QuerySet[CaseFact]


def facts_behind(actor: Actor, scope: Scope, measure: str, narrow: Q) -> Facts:
    """The facts that a measure counts in a scope, of the units whose reports the actor may see."""
    rows: Facts = CaseFact.objects.for_actor(actor).filter(organisation=scope.organisation_id)
    if scope.units is not None:
        rows = rows.filter(unit__in=sorted(scope.units))
    if scope.case_types:
        rows = rows.filter(case_type__in=sorted(scope.case_types))
    if scope.channels:
        rows = rows.filter(channel__in=sorted(scope.channels))
    return _MEASURES[measure](rows.filter(narrow), scope)


def cases_behind(actor: Actor, scope: Scope, measure: str, narrow: Q) -> CaseQuerySet:
    """Their cases, of those that the actor may see as cases."""
    rows = facts_behind(actor, scope, measure, narrow)
    return Case.objects.for_actor(actor).filter(pk__in=rows.values("pk"))


def of_age(band: int, today: date) -> Q:
    """Those open of a band of age, which `metrics.BANDS` begin."""
    edges = (0, *BANDS)
    if not 0 <= band < len(edges):
        return Q(pk=None)
    oldest = Q()
    if band + 1 < len(edges):
        oldest = Q(opened_on__gt=date.fromordinal(today.toordinal() - edges[band + 1]))
    if band == 0:
        return oldest
    return oldest & Q(opened_on__lte=date.fromordinal(today.toordinal() - edges[band]))


def at_hour(weekday: int, hour: int) -> Q:
    """Those opened on this weekday (1 is Monday) in this hour."""
    return Q(opened_on__iso_week_day=weekday, opened_hour=hour)


def _on_days(rows: Facts, column: str, scope: Scope) -> Facts:
    found = RawSQL(  # noqa: S611 - our own column, values apart
        f"EXISTS (SELECT FROM unnest({column}) d WHERE d BETWEEN %s AND %s)",
        (scope.start, scope.end),
        output_field=BooleanField(),
    )
    return rows.annotate(**{f"on_{column}": found})  # its name says which column's


def _ended(rows: Facts, scope: Scope) -> Facts:
    rows = _on_days(rows, "ended_before", scope)
    return rows.filter(Q(ended_on__range=(scope.start, scope.end)) | Q(on_ended_before=True))


def _reopened(rows: Facts, scope: Scope) -> Facts:
    found = _on_days(rows.exclude(reopened_on=[]), "reopened_on", scope)
    return found.filter(Q(on_reopened_on=True))


def _backlog(rows: Facts, scope: Scope) -> Facts:
    still = RawSQL(
        "coalesce(ended_on <= %s, false)::int"
        " + (SELECT count(*) FROM unnest(ended_before) d WHERE d <= %s)"
        " <= (SELECT count(*) FROM unnest(reopened_on) d WHERE d <= %s)",
        (scope.end, scope.end, scope.end),
        output_field=BooleanField(),
    )
    return rows.annotate(still=still).filter(opened_on__lte=scope.end, still=True)


_MEASURES: Mapping[str, Callable[[Facts, Scope], Facts]] = {
    "opened": lambda rows, scope: rows.filter(opened_on__range=(scope.start, scope.end)),
    "ended": _ended,
    "reopened": _reopened,
    "backlog": _backlog,
    "open": lambda rows, scope: rows.filter(ended_on=None),
    "overdue": lambda rows, scope: rows.filter(ended_on=None),
    "answer": lambda rows, scope: rows.filter(answered_on__range=(scope.start, scope.end)),
    "solved": lambda rows, scope: rows.filter(ended_on__range=(scope.start, scope.end)),
    "late": lambda rows, scope: rows.filter(
        ended_on__range=(scope.start, scope.end), ended_late=True
    ),
}
BEHIND = frozenset(_MEASURES)
