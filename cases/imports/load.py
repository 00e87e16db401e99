"""Carrying out an import: rows are read and turned in one thread, loaded set by set in another.

Each set is one transaction: its rows are copied into a temporary table, those already known dropped,
numbers taken from the counter, and cases, events, audit entries and outbox rows inserted; how far
the import got is saved in the same transaction. Killed anywhere, it goes on from there; run twice,
it inserts nothing (organisation, source and external id are unique).
"""

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from cases import clocks, numbers
from cases.events import CaseEvent
from cases.imports.mapping import BadRow, Binding, ImportMapping, Row, build
from cases.imports.reader import open_rows
from cases.models import Case, CaseType, CaseTypeVersion, Confidentiality, Import, ImportProblem
from cases.permissions import IMPORT_CASES
from cases.services.news import tell_import
from cases.workflow import CATEGORIES, State, Workflow, of_version, simple_bundle
from crm.audit.record import record_rows
from crm.kit import realtime
from crm.kit.actor import Actor
from crm.kit.csvfile import lines
from crm.kit.errors import Invalid
from crm.kit.models import uuid7
from crm.organisations.models import Unit
from crm.organisations.services import calendar_for

SET = 3_000  # rows of a transaction: the counter's row is held for its time, about 0.3 s
MOST_PROBLEMS = 10_000  # kept with their reasons; the rest is only counted

COLUMNS: dict[str, str] = {
    "row": "integer",
    "uuid": "uuid",
    "external_id": "text",
    "case_type_id": "bigint",
    "type_version_id": "bigint",
    "state": "text",
    "category": "smallint",
    "unit_id": "bigint",
    "citizen_number": "text",
    "subject": "text",
    "description": "text",
    "priority": "smallint",
    "channel": "text",
    "language": "text",
    "address": "text",
    "latitude": "float8",
    "longitude": "float8",
    "data": "jsonb",
    "outcome": "text",
    "opened_at": "timestamptz",
    "due_at": "timestamptz",
    "closed_at": "timestamptz",
    "state_name": "text",
}
FINISHED = object()


class Overtaken(Exception):  # noqa: N818 - nothing went wrong
    """Another worker carries this import on, or somebody cancelled it: this run ends here."""


@dataclass
class Set:
    """Some consecutive rows of the file: those that can become cases, and those that cannot."""

    first: int
    last: int = 0
    good: list[tuple[Any, ...]] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)  # row, external id, reason


@dataclass(frozen=True)
class Kind:
    """A case type as rows need it."""

    case_type_id: int
    version_id: int
    workflow: Workflow
    states: dict[str, State]  # by code, and by category for the first of each


def run(actor: Actor, load: Import, on_progress: Callable[[Import], None] | None = None) -> Import:
    """The file's rows are cases of the actor's organisation, as far as they can be.

    Goes on where an earlier run of the same import stopped. A dry run checks every row and inserts
    nothing. Raises BadMapping when the file and the mapping do not fit, Overtaken when it is no
    longer this run's to do.
    """
    mapping = build(load.mapping)
    Import.objects.filter(pk=load.pk, status__in=Import.UNFINISHED).update(
        status=Import.Status.LOADING,
        started_at=load.started_at or timezone.now(),
        error="",
        updated_at=timezone.now(),
    )
    with connection.cursor() as cursor:
        _make_table(cursor)
    sets: queue.Queue[Any] = queue.Queue(maxsize=3)
    stop = threading.Event()
    reader = threading.Thread(
        target=_read_ahead, args=(Turner(actor, load), load, mapping, sets, stop), daemon=True
    )
    reader.start()
    try:
        while (item := sets.get()) is not FINISHED:
            if isinstance(item, BaseException):
                raise item
            load = _load_set(actor, load.pk, mapping.source, item)
            if on_progress:
                on_progress(load)
    except Overtaken:
        raise
    except Exception as error:
        _end(load.pk, Import.Status.FAILED, error=str(error)[:2000])
        raise
    finally:
        stop.set()
    return _end(load.pk, Import.Status.DONE)


# --- Reading and turning, in a thread of its own --------------------------------------------------


def _read_ahead(
    turner: "Turner",
    load: Import,
    mapping: ImportMapping,
    sets: "queue.Queue[Any]",
    stop: threading.Event,
) -> None:
    """Fill the queue with sets, without the database; an error travels through it to the loader."""
    try:
        for item in _sets(turner, load, mapping):
            while not stop.is_set():
                try:
                    sets.put(item, timeout=0.5)
                    break
                except queue.Full:
                    continue
            if stop.is_set():
                return
        sets.put(FINISHED)
    except BaseException as error:  # noqa: BLE001 - the loader raises it in its own thread
        sets.put(error)


def _sets(turner: "Turner", load: Import, mapping: ImportMapping) -> Iterator[Set]:
    with open_rows(Path(load.file_path), mapping.file) as (header, rows):
        binding = Binding(mapping, header)
        current = Set(first=load.next_row)
        for number, cells in enumerate(rows, start=1):
            if number < load.next_row:
                continue
            current.last = number
            try:
                if isinstance(cells, str):
                    raise BadRow(cells)
                current.good.append(turner.turn(number, binding.turn(cells)))
            except BadRow as problem:
                external = cells[0][:120] if isinstance(cells, list) and cells else ""
                current.bad.append((number, external.replace("\0", ""), str(problem)[:400]))
            if number - current.first + 1 >= SET:
                yield current
                current = Set(first=number + 1)
        if current.last:
            yield current


class Turner:
    """Turns mapped rows into columns: finds types, states and units, computes due dates."""

    def __init__(self, actor: Actor, load: Import) -> None:
        units = Unit.objects.for_actor(actor).filter(closed_on=None)
        self._units = {unit.code: unit for unit in units}
        own = load.unit or units.filter(parent=None).first()
        if own is None:
            raise Invalid(_("The organisation has no unit to receive the cases."))
        self._unit = own
        self._kinds = _kinds(actor)
        brought = load.mapping.get("case_type")
        if (
            brought and brought["code"] not in self._kinds
        ):  # while columns are tried; a load makes it
            self._kinds[brought["code"]] = _kind(0, 0, of_version(bundle_of(brought)))
        if any(kind.workflow.term for kind in self._kinds.values()):
            self._calendars = {unit.code: calendar_for(unit) for unit in self._units.values()}
        self._valid = lru_cache(maxsize=50_000)(self._check_data)
        self._due = lru_cache(maxsize=50_000)(self._compute_due)

    def turn(self, number: int, row: Row) -> tuple[Any, ...]:
        """The row in the order of COLUMNS; BadRow when it names what does not exist."""
        kind = self._kinds.get(row.type)
        if kind is None:
            raise BadRow(
                _("There is no case type in use with the code %(code)s.") % {"code": row.type}
            )
        state = kind.states.get(row.state or kind.workflow.initial)
        if state is None:
            raise BadRow(_("Its case type has no state %(state)s.") % {"state": row.state})
        unit = self._units.get(row.unit) if row.unit else self._unit
        if unit is None:
            raise BadRow(_("There is no open unit with the code %(code)s.") % {"code": row.unit})
        data = json.dumps(dict(row.data), ensure_ascii=False)
        problem = self._valid(row.type, data)
        if problem:
            raise BadRow(problem)
        return (
            number,
            uuid7(),
            row.external_id,
            kind.case_type_id,
            kind.version_id,
            state.code,
            int(state.category),
            unit.pk,
            row.citizen or None,
            row.subject,
            row.description,
            row.priority,
            row.channel,
            row.language or "es",
            row.address,
            row.latitude,
            row.longitude,
            Jsonb(kind.workflow.fields.kept(row.data)) if row.data else Jsonb({}),
            row.outcome,
            row.opened_at,
            self._due(row.type, unit.code, row.opened_at.date(), row.channel),
            self._closing(row, state),
            state.name,
        )

    def _closing(self, row: Row, state: State) -> datetime | None:
        """When work ended, if it did; a date given for a case still open says nothing."""
        if state.category < CATEGORIES["resolved"]:
            return None
        if row.closed_at is None:
            raise BadRow(_("It has ended, but has no closing date."))
        if row.closed_at < row.opened_at:
            raise BadRow(_("It ended before it was opened."))
        return row.closed_at

    def _check_data(self, type_code: str, data: str) -> str:
        try:
            self._kinds[type_code].workflow.fields.require_valid(json.loads(data))
        except Invalid as error:
            return "; ".join(f"{name}: {text[0]}" for name, text in error.errors.items())
        return ""

    def _compute_due(
        self, type_code: str, unit_code: str, opened: Any, channel: str
    ) -> datetime | None:
        term = self._kinds[type_code].workflow.term
        if term is None:
            return None
        calendar = self._calendars[unit_code]
        moment = datetime(opened.year, opened.month, opened.day, 12, tzinfo=calendar.zone)
        return clocks.due_at(term, calendar, moment, channel)


def bundle_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The workflow of a case type that a mapping brings along."""
    fields = {
        name: {"type": "string", "title": title}
        for name, title in dict(definition.get("fields", {})).items()
    }
    return simple_bundle(
        fields={"type": "object", "properties": fields}, term=definition.get("term")
    )


def _kinds(actor: Actor) -> dict[str, Kind]:
    versions = CaseTypeVersion.objects.filter(
        case_type__in=CaseType.objects.for_actor(actor).filter(is_active=True),
        status=CaseTypeVersion.Status.PUBLISHED,
    ).select_related("case_type")
    kinds = {}
    for version in versions:
        kinds[version.case_type.code] = _kind(
            version.case_type_id, version.pk, of_version(version.bundle)
        )
    return kinds


def _kind(case_type_id: int, version_id: int, workflow: Workflow) -> Kind:
    states = dict(workflow.states)
    for name, category in CATEGORIES.items():
        first = next((s for s in workflow.states.values() if s.category == category), None)
        if first is not None:
            states.setdefault(name, first)
    return Kind(case_type_id, version_id, workflow, states)


# --- Loading, one set a transaction ---------------------------------------------------------------


def _make_table(cursor: Any) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS import_set (id bigint, reference text, "
        f"citizen_id bigint, {columns})"
    )


@transaction.atomic
def _load_set(actor: Actor, load_id: int, source: str, rows: Set) -> Import:
    """The set's rows are cases, and the import says so."""
    load = Import.objects.select_for_update().get(pk=load_id)
    if load.status != Import.Status.LOADING or load.next_row != rows.first:
        raise Overtaken
    bad = list(rows.bad)
    with connection.cursor() as cursor:
        # loads of one source go one after the other, so that no number is taken twice or in vain
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s))",
            [f"import {actor.organisation_id} {source}"],
        )
        cursor.execute("TRUNCATE import_set")
        with cursor.copy(f"COPY import_set ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows.good:
                copy.write_row(row)
        cursor.execute(
            "ANALYZE import_set"
        )  # without it the planner expects one row (measured: 20×)
        bad += _find_citizens(cursor, actor)
        skipped = _drop_known(cursor, actor, source)
        if load.dry_run:
            inserted = len(rows.good) - skipped - (len(bad) - len(rows.bad))
        else:
            _number(cursor, actor)
            inserted = _insert(cursor, actor, source)
    room = max(0, MOST_PROBLEMS - load.bad)
    ImportProblem.objects.bulk_create(
        ImportProblem(load=load, row=row, external_id=external, reason=reason)
        for row, external, reason in sorted(bad)[:room]
    )
    load.rows = max(load.rows, rows.last)
    load.next_row = rows.last + 1
    load.inserted += inserted
    load.skipped += skipped
    load.bad += len(bad)
    load.save(update_fields=["rows", "next_row", "inserted", "skipped", "bad", "updated_at"])
    realtime.append(f"import:{load.uuid}", progress(load))
    return load


def _find_citizens(cursor: Any, actor: Actor) -> list[tuple[int, str, str]]:
    """Rows that name a citizen point to them; those whose number nobody here has are taken out."""
    cursor.execute(
        """
        UPDATE import_set s SET citizen_id = i.citizen_id
        FROM citizens_identifier i
        JOIN citizens_citizenrecord r ON r.citizen_id = i.citizen_id AND r.organisation_id = %s
        WHERE s.citizen_number IS NOT NULL AND i.ended_at IS NULL AND i.value = upper(s.citizen_number)
        """,
        [actor.organisation_id],
    )
    cursor.execute(
        "DELETE FROM import_set WHERE citizen_number IS NOT NULL AND citizen_id IS NULL "
        "RETURNING row, external_id"
    )
    reason = _("No citizen of this organisation has that identification number.")
    return [(row, external, reason) for row, external in cursor.fetchall()]


def _drop_known(cursor: Any, actor: Actor, source: str) -> int:
    """Rows already loaded, or repeated within the set, are taken out; how many."""
    cursor.execute(
        """
        DELETE FROM import_set s USING cases_case c
        WHERE c.organisation_id = %s AND c.source = %s AND c.external_id = s.external_id
        """,
        [actor.organisation_id, source],
    )
    known: int = cursor.rowcount
    cursor.execute(
        "DELETE FROM import_set s USING import_set earlier "
        "WHERE earlier.external_id = s.external_id AND earlier.row < s.row"
    )
    return known + int(cursor.rowcount)


def _number(cursor: Any, actor: Actor) -> None:
    """Each row has its key and its case number: a range of the year's counter, without holes."""
    year_of = numbers.LOCAL_YEAR.format(moment="opened_at")
    cursor.execute(
        f"SELECT {year_of}, min(opened_at), count(*) FROM import_set GROUP BY 1 ORDER BY 1",
        [actor.organisation_id],
    )
    for year, moment, count in cursor.fetchall():
        _year, first = numbers.take(actor.organisation_id, moment, count)
        cursor.execute(
            f"""
            UPDATE import_set s SET
              id = nextval('cases_case_id_seq'),
              reference = %s || lpad((%s + n.place - 1)::text, 7, '0')
            FROM (SELECT row, row_number() OVER (ORDER BY row) AS place FROM import_set
                  WHERE {year_of} = %s) n
            WHERE n.row = s.row
            """,
            [f"{actor.organisation_code}-{year}-", first, actor.organisation_id, year],
        )


def _insert(cursor: Any, actor: Actor, source: str) -> int:
    """Cases with all that belongs to them: two events for those that moved on, audit, outbox."""
    cursor.execute(
        """
        INSERT INTO cases_case (id, uuid, organisation_id, reference, case_type_id, type_version_id,
          state, category, unit_id, citizen_id, subject, description, priority, confidentiality,
          channel, language, address, latitude, longitude, data, outcome, source, external_id,
          opened_at, due_at, closed_at, version, last_event, updated_at)
        SELECT id, uuid, %s, reference, case_type_id, type_version_id, state, category, unit_id,
          citizen_id, subject, description, priority, %s, channel, language, address, latitude,
          longitude, data, outcome, %s, external_id, opened_at, due_at, closed_at, 1,
          CASE WHEN category = 0 THEN 1 ELSE 2 END, now()
        FROM import_set ORDER BY row
        """,
        [actor.organisation_id, Confidentiality.INTERNAL, source],
    )
    inserted: int = cursor.rowcount
    told = [actor.organisation_id, actor.kind, actor.id, actor.name[:200]]
    cursor.execute(
        """
        INSERT INTO cases_event (case_id, organisation_id, seq, kind, at, actor_kind, actor_id,
          actor_name, data)
        SELECT id, %s, 1, 'imported', opened_at, %s, %s::bigint, %s,
          jsonb_build_object('source', %s::text, 'external_id', external_id)
        FROM import_set
        UNION ALL
        SELECT id, %s, 2, 'moved', coalesce(closed_at, opened_at), %s, %s::bigint, %s,
          jsonb_build_object('to', state, 'name', state_name, 'source', %s::text)
        FROM import_set WHERE category > 0
        """,
        [*told, source, *told, source],
    )
    record_rows(
        actor,
        IMPORT_CASES,
        Case,
        "SELECT uuid, reference, jsonb_build_object('source', %s::text, 'external_id', external_id) "
        "FROM import_set",
        [source],
    )
    cursor.execute(
        """
        INSERT INTO kit_outbox (topic, payload)
        SELECT %s, jsonb_build_object('organisation_id', %s, 'case', uuid, 'reference', reference,
          'seq', 1, 'kind', 'imported')
        FROM import_set
        """,
        [CaseEvent.topic, actor.organisation_id],
    )
    return inserted


# --- Telling --------------------------------------------------------------------------------------


def progress(load: Import) -> dict[str, Any]:
    """How far it got, for the live page."""
    return {
        "done": load.rows,
        "total": load.total,
        "finished": load.status not in {Import.Status.DRAFT, Import.Status.LOADING},
    }


@transaction.atomic
@transaction.atomic
def _end(load_id: int, status: Import.Status, **more: str) -> Import:
    """It is over, and whoever started it is told."""
    rows = Import.objects.filter(pk=load_id)
    rows.update(status=status, finished_at=timezone.now(), **more)
    load = _tell(load_id)
    tell_import(load)
    return load


def _tell(load_id: int) -> Import:
    load = Import.objects.get(pk=load_id)
    realtime.append(f"import:{load.uuid}", progress(load))
    return load


def problem_lines(load: Import) -> Iterator[str]:
    """The file of errors: row number, the row's own id, the reason and the file that it is of."""
    rows = load.problems.order_by("row").values_list("row", "external_id", "reason")
    told = ((*row, load.file_name) for row in rows.iterator())
    return lines([_("Row"), _("Identifier"), _("Reason"), _("File")], told)
