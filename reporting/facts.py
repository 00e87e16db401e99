"""Facts and roll-ups, from which every figure is counted: kept up with the cases' events, rebuilt at will.

What happened is read from the cases' own events, so nothing that a verb did is missed, and a change
that bears an earlier date corrects the day it belongs to. Counting again what was counted changes
nothing: a case's old fact is taken out of the tallies when its new one is put in.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from cases.models import CaseTypeVersion, StateCategory
from cases.workflow import of_version
from crm.kit.tasks import exclusive
from crm.organisations.models import Organisation, Unit
from crm.organisations.selectors import calendar_for, unit_tree
from reporting.deriving import Deriver, Fact, Place, Raw
from reporting.models import CaseFact, District, FactState, Subtree, Tally

BATCH = 20_000
log = logging.getLogger(__name__)
MOST_CHANGED = 200_000  # beyond it everything is counted anew: that is quicker
HOURS = 24
_BY_UNIT = (Tally.Cut.UNIT, Tally.Cut.UNIT_MONTH, Tally.Cut.ALL_MONTH)
_BY_KIND = (Tally.Cut.KIND, Tally.Cut.KIND_MONTH, Tally.Cut.ALL_MONTH)
_BY_SUBTREE = (Tally.Cut.SUBTREE, Tally.Cut.SUBTREE_MONTH)
_MONTHLY = (
    *(Tally.Cut.WHOLE_MONTH, Tally.Cut.KIND_MONTH, Tally.Cut.UNIT_MONTH),
    *(Tally.Cut.ALL_MONTH, Tally.Cut.SUBTREE_MONTH),
)
_ALL = tuple(Tally.Cut)
_TOLD = (
    *(Tally.Cut.WHOLE, Tally.Cut.WHOLE_MONTH),
    *(Tally.Cut.KIND_MONTH, Tally.Cut.SUBTREE_MONTH),
)


@dataclass(frozen=True)
class Measure:
    """Something that happens to cases on a day, in terms of the columns of CaseFact.

    It happens on `day`, and on each of the days of the array `also`; `value` is what is told apart of
    it. `cuts` are those of the roll-ups that hold it; other questions are answered from the facts.
    """

    day: str = ""
    also: str = ""
    value: str = "0"
    where: str = "TRUE"
    cuts: tuple[Tally.Cut, ...] = (Tally.Cut.WHOLE,)


MEASURES: Mapping[str, Measure] = {
    "opened": Measure("opened_on", cuts=_ALL),
    "ended": Measure("ended_on", "ended_before", cuts=_ALL),
    "reopened": Measure("", "reopened_on", cuts=_ALL),
    "due": Measure("ended_on", where="f.ended_late IS NOT NULL", cuts=_ALL),
    "late": Measure("ended_on", where="f.ended_late", cuts=_ALL),
    "hour": Measure(  # of a weekday
        "opened_on",
        value=f"extract(isodow FROM f.opened_on)::int * {HOURS} + f.opened_hour",
        cuts=_TOLD,
    ),
    "district": Measure("opened_on", value="coalesce(f.district_id, 0)", cuts=_TOLD),
    "answer": Measure("answered_on", value="f.answer_minutes", cuts=_TOLD),
    "answer_natural": Measure("answered_on", where="f.answer_natural", cuts=_TOLD),
    "solved": Measure("ended_on", value="f.solved_minutes", cuts=_TOLD),
    "solved_natural": Measure("ended_on", where="f.solved_natural", cuts=_TOLD),
}
_KEYS = "organisation_id, cut, measure, day, unit_id, case_type_id, channel, value"
_COLUMNS = ", ".join(["organisation_id", *Fact._fields])


def refresh(organisation: Organisation) -> int:
    """The facts hold everything that has happened until now; how many cases were looked at."""
    with transaction.atomic():
        state = _locked(organisation)
        if not state.tx:
            return _rebuild(organisation, state)
        horizon = _horizon()
        if state.units_version != organisation.units_version and _set_subtrees(organisation):
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM reporting_tally WHERE organisation_id = %s AND cut = ANY(%s)",
                    [organisation.pk, list(_BY_SUBTREE)],
                )
            _count(organisation, _BY_SUBTREE)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT case_id FROM cases_event WHERE organisation_id = %s AND tx >= %s"
                " ORDER BY case_id LIMIT %s",
                [organisation.pk, state.tx, MOST_CHANGED + 1],
            )
            changed = [pk for (pk,) in cursor.fetchall()]
        if len(changed) > MOST_CHANGED:
            return _rebuild(organisation, state)
        deriver = _deriver(organisation) if changed else None
        for start in range(0, len(changed), BATCH):
            assert deriver
            _exchange(organisation, deriver, changed[start : start + BATCH])
        state.tx, state.counted_at = horizon, timezone.now()
        state.units_version = organisation.units_version
        state.save(update_fields=["tx", "counted_at", "units_version"])
        return len(changed)


def rebuild(organisation: Organisation) -> int:
    """The facts and roll-ups are those that the cases give today, whatever they were; how many cases.

    Times count by today's calendars, districts by today's places.
    """
    with transaction.atomic():
        return _rebuild(organisation, _locked(organisation))


def refresh_alone(organisation: Organisation) -> None:
    """The same, unless somebody else is at it; what goes wrong is told, and tried again next time."""
    try:
        with exclusive(f"facts {organisation.pk}") as mine:
            if mine:
                refresh(organisation)
    except Exception:
        log.exception("The facts of %s could not be counted", organisation.code)


def counted_at(organisation_id: int) -> Any:
    """Until when an organisation's facts are kept; None before they were ever counted."""
    rows = FactState.objects.unscoped("a moment, nobody's data")
    return rows.filter(pk=organisation_id).values_list("counted_at", flat=True).first()


# --- Inside -------------------------------------------------------------------------------------


def _locked(organisation: Organisation) -> FactState:
    """How far the facts are, held until the transaction ends: two who count would count twice."""
    rows = FactState.objects.unscoped("the workers' own")
    rows.get_or_create(organisation=organisation)
    return rows.select_for_update().get(organisation=organisation)


def _horizon() -> int:
    """The oldest transaction that may still write: all before it are seen from now on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (found,) = cursor.fetchall()[0]
    return int(found)


def _rebuild(organisation: Organisation, state: FactState) -> int:
    state.tx = _horizon()
    count = 0
    with connection.cursor() as cursor:
        for table in (Tally._meta.db_table, CaseFact._meta.db_table):
            cursor.execute(f"DELETE FROM {table} WHERE organisation_id = %s", [organisation.pk])  # noqa: S608 - our own names
        deriver, last = _deriver(organisation), 0
        while rows := _raw(organisation, "c.id > %s ORDER BY c.id LIMIT %s", [last, BATCH]):
            _copy(organisation, deriver, rows, CaseFact._meta.db_table)
            last, count = rows[-1].case, count + len(rows)
    _set_subtrees(organisation)
    _count(organisation, _ALL)
    state.units_version = organisation.units_version
    state.counted_at = state.rebuilt_at = timezone.now()
    state.save()
    return count


def _count(organisation: Organisation, cuts: Sequence[Tally.Cut]) -> None:
    """These roll-ups, of which there is nothing yet, hold what the facts say."""
    own = f"(SELECT * FROM reporting_casefact WHERE organisation_id = {organisation.pk:d})"  # noqa: S608 - a number
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reporting_tally ({_KEYS}, count) SELECT {_KEYS}, count(*)"  # noqa: S608 - our own names
            f" FROM ({_cut(own, cuts)}) t GROUP BY {_KEYS}"
        )


def _set_subtrees(organisation: Organisation) -> bool:
    """Subtrees are those of the tree as it is now; whether they were others."""
    tree = unit_tree(organisation)
    now = {
        (node.id, unit)
        for node in tree.nodes
        if len(below := tree.below([node.id])) > 1
        for unit in below
    }
    kept = Subtree.objects.unscoped("counting serves no single actor")
    kept = kept.filter(organisation=organisation)
    if set(kept.values_list("top_id", "unit_id")) == now:
        return False
    kept.delete()
    kept.bulk_create(
        Subtree(organisation=organisation, top_id=top, unit_id=unit) for top, unit in sorted(now)
    )
    return True


def _exchange(organisation: Organisation, deriver: Deriver, cases: Sequence[int]) -> None:
    """The facts of these cases are the present ones, and the tallies know."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS fact_new (LIKE reporting_casefact) ON COMMIT DROP"
        )
        cursor.execute("TRUNCATE fact_new")
        rows = _raw(organisation, "c.id = ANY(%s)", [list(cases)])
        _copy(organisation, deriver, rows, "fact_new")
        cursor.execute(
            "DELETE FROM fact_new n USING reporting_casefact f WHERE f.case_id = n.case_id"
            " AND ROW(f.*) IS NOT DISTINCT FROM ROW(n.*)"
        )
        cursor.execute("DROP TABLE IF EXISTS fact_delta")
        old = "(SELECT * FROM reporting_casefact WHERE case_id IN (SELECT case_id FROM fact_new))"
        cursor.execute(
            f"CREATE TEMPORARY TABLE fact_delta ON COMMIT DROP AS SELECT {_KEYS}, sum(n)::int AS n"  # noqa: S608 - our own names
            f" FROM (SELECT *, 1 AS n FROM ({_cut('fact_new')}) a"
            f" UNION ALL SELECT *, -1 FROM ({_cut(old)}) b) t"
            f" GROUP BY {_KEYS} HAVING sum(n) <> 0"
        )
        same = " AND ".join(f"t.{key.strip()} = d.{key.strip()}" for key in _KEYS.split(","))
        cursor.execute(
            f"UPDATE reporting_tally t SET count = t.count + d.n FROM fact_delta d WHERE {same}"  # noqa: S608 - our own names
        )
        cursor.execute(
            f"INSERT INTO reporting_tally ({_KEYS}, count) SELECT {_KEYS}, n FROM fact_delta d"  # noqa: S608 - our own names
            f" WHERE NOT EXISTS (SELECT FROM reporting_tally t WHERE {same})"
        )
        cursor.execute(
            "DELETE FROM reporting_tally WHERE organisation_id = %s AND count = 0",
            [organisation.pk],
        )
        cursor.execute(
            "DELETE FROM reporting_casefact WHERE case_id IN (SELECT case_id FROM fact_new)"
        )
        cursor.execute(
            f"INSERT INTO reporting_casefact ({_COLUMNS}) SELECT {_COLUMNS} FROM fact_new"  # noqa: S608 - our own names
        )


def _cut(source: str, cuts: Sequence[Tally.Cut] = _ALL) -> str:
    """What happened in the facts of `source`, once for each of these cuts that keeps it."""
    parts: list[str] = []
    for name, measure in MEASURES.items():
        for cut in (one for one in measure.cuts if one in cuts):
            unit = "f.unit_id" if cut in _BY_UNIT else "0::bigint AS unit_id"
            facts = f"{source} f"
            if cut in _BY_SUBTREE:
                unit = "s.top_id AS unit_id"
                facts += " JOIN reporting_subtree s ON s.unit_id = f.unit_id"
            kind = (
                "f.case_type_id, f.channel"
                if cut in _BY_KIND
                else "0::bigint AS case_type_id, ''::text AS channel"
            )
            head = f"f.organisation_id, {int(cut)} AS cut, {unit}, {kind}, '{name}' AS measure"
            parts += _flows(measure, facts, head, monthly=cut in _MONTHLY)
    return " UNION ALL ".join(parts)


def _flows(told: Measure, facts: str, columns: str, *, monthly: bool) -> Iterator[str]:
    """SELECTs of these columns, day and value: a row for each time that it happened."""
    day = "date_trunc('month', {})::date AS day" if monthly else "{} AS day"
    if told.day:
        yield (
            f"SELECT {columns}, {day.format(f'f.{told.day}')}, {told.value} AS value"  # noqa: S608 - our own names
            f" FROM {facts} WHERE f.{told.day} IS NOT NULL AND {told.where}"
        )
    if told.also:
        yield (
            f"SELECT {columns}, {day.format('a.day')}, {told.value} AS value FROM {facts}"  # noqa: S608 - our own names
            f" CROSS JOIN LATERAL unnest(f.{told.also}) AS a(day)"
            f" WHERE f.{told.also} <> '{{}}' AND {told.where}"
        )


def _copy(organisation: Organisation, deriver: Deriver, rows: Sequence[Raw], table: str) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({_COLUMNS}) FROM STDIN") as copy,
    ):
        for raw in rows:
            copy.write_row([organisation.pk, *deriver.fact(raw)])


def _raw(organisation: Organisation, where: str, parameters: Sequence[Any]) -> list[Raw]:
    """The cases of the organisation that fit, as they are kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT c.id, c.unit_id, c.case_type_id, c.channel, c.type_version_id, c.opened_at,
              c.due_at, c.closed_at, c.latitude, c.longitude, h.municipality, e.answered, e.moves
            FROM cases_case c
            CROSS JOIN LATERAL (
              SELECT min(at) FILTER (WHERE kind = 'messaged' AND data->>'direction' = 'out')
                  AS answered,
                json_agg(json_build_array(
                    extract(epoch FROM at), data->>'to', (data->>'category')::int) ORDER BY seq)
                  FILTER (WHERE kind = 'moved' AND data ? 'to') AS moves
              FROM cases_event WHERE case_id = c.id AND kind IN ('messaged', 'moved')) e
            LEFT JOIN LATERAL (
              SELECT p.municipality FROM citizens_contactpoint p
              WHERE c.latitude IS NULL AND p.citizen_id = c.citizen_id
                AND p.organisation_id = c.organisation_id
                AND p.ended_at IS NULL AND p.municipality <> ''
                AND EXISTS (SELECT FROM reporting_district d
                  WHERE d.organisation_id = c.organisation_id AND d.municipality <> '')
              ORDER BY p.preferred DESC, p.id LIMIT 1) h ON true
            WHERE c.organisation_id = %s AND {where}
            """,  # noqa: S608 - our own conditions, values apart
            [organisation.pk, *parameters],
        )
        return [Raw(*row) for row in cursor.fetchall()]


def _deriver(organisation: Organisation) -> Deriver:
    units = Unit.objects.unscoped("counting serves no single actor")
    versions = CaseTypeVersion.objects.filter(case_type__organisation=organisation).exclude(
        status=CaseTypeVersion.Status.DRAFT
    )
    places = District.objects.unscoped("counting serves no single actor")
    return Deriver(
        zone=ZoneInfo(organisation.time_zone),
        calendars={
            unit.pk: calendar_for(unit)
            for unit in units.filter(organisation=organisation).select_related("organisation")
        },
        ended_states={
            version.pk: frozenset(
                state.code
                for state in of_version(version.bundle).states.values()
                if state.category >= StateCategory.RESOLVED
            )
            for version in versions
        },
        places=[
            Place(*row)
            for row in places.filter(organisation=organisation)
            .order_by("pk")
            .values_list("pk", "latitude", "longitude", "municipality")
        ],
    )
