"""Lists of cases: what may be asked, how it is answered by an index, how many there are at most.

How each list finds its index, and the measurements behind it: data-and-speed.md sections 1 and 2.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, transaction
from django.db.models import F, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Participant, StateCategory
from cases.models.case import CaseQuerySet
from cases.permissions import VIEW_CASE
from crm.citizens.aliases import Survivor
from crm.citizens.models import CitizenRecord
from crm.kit.actor import Actor
from crm.kit.errors import Text, Unavailable
from crm.kit.keyset import SIZE, Order, Page, following, read_page
from crm.organisations import options
from crm.organisations.models import Organisation
from crm.organisations.selectors import unit_tree

BY_DUE = Order(("due_sort", "id"))
NEWEST = Order(("opened_at", "id"), descending=True)
BY_TARGET = Order(("service_clock__due_at", "id"))
LAST_ENDED = Order(("closed_at", "id"), descending=True)
OPEN, ENDED, ALL = "open", "ended", "all"
ME, NOBODY = "me", "nobody"
COUNT_CAP = 1_000
FEW_BY_WORDS = 500
COUNT_MS, SEARCH_MS = 50, 1_000
MOST_UNITS_MERGED = 200  # beyond it one walk of the organisation's index is cheaper
# what a row shows, and what its clock and its rights are reckoned from
_SHOWN = (
    *(
        "uuid",
        "reference",
        "subject",
        "state",
        "category",
        "channel",
        "priority",
        "confidentiality",
    ),
    *("opened_at", "due_at", "due_sort", "suspended_on", "closed_at", "updated_at", "version"),
    *("organisation_id", "type_version_id", "case_type__name", "assignee__full_name"),
    *("unit__name", "unit__organisation__units_version"),
    *(f"service_clock__{name}" for name in ("measure", "started_at", "due_at", "danger_at")),
    "service_clock__paused_at",
    *("citizen__kind", "citizen__name", "citizen__surname1", "citizen__surname2", "citizen__uuid"),
)
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,12}-\d{4}-\d{7}")
_HOW = {
    "months",
    "by",
    "also",
    "led",
    "due_words",
}  # how it is shown or found; an expression is told as written


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """What is asked of a list. Everything that is set must hold."""

    work: str = OPEN  # open, ended or all
    categories: frozenset[int] = frozenset()
    state: str = ""
    case_type: str = ""  # its code
    unit: UUID | None = None  # with its sub-units
    alone: bool = False  # the unit without them
    assignee: UUID | str = ""  # a person's UUID, ME or NOBODY
    citizen: UUID | None = None
    channel: str = ""
    priority: int | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    due_words: str = ""  # how an expression says it so that it goes on with the days
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    text: str = ""
    any_time: bool = False  # a text search goes back further than it does at first
    months: int | None = None  # how far at first; None: as the organisation decided
    reference: str = ""
    also: Q | None = None  # what an expression asks beyond all this (cases.query)
    danger: bool = False  # a service target of it is in danger or late
    led: bool = False  # by an index of what `also` asks, before that of the units
    by: str = ""  # "due", "newest" or "target"; default: due for open work

    @property
    def given(self) -> list[str]:
        """The names of what was asked, for the audit trail: how it is shown is none of it."""
        asked = [field for field in fields(self) if field.name not in _HOW]
        return [field.name for field in asked if getattr(self, field.name) != field.default]

    @property
    def looks_back_at_first(self) -> bool:
        """Whether words are searched only as far back as the organisation decided."""
        return bool(self.text) and not self.any_time and self.opened_from is None

    @property
    def order(self) -> Order:
        """By due date only where work is open, for only open work is indexed so."""
        if self.text or self.by == "newest" or self.work == ALL:
            return NEWEST
        if self.by == "target" and self.work == OPEN:
            return BY_TARGET
        return BY_DUE if self.work == OPEN else LAST_ENDED


def find(actor: Actor, asked: CaseFilter, cursor: str = "", size: int = SIZE) -> Page[Case]:
    """A page of the cases that the actor may see and that fit, with what a row shows of each."""
    order = asked.order
    with patience(asked.text or asked.also is not None):
        units, rows = leading(actor, asked)
        if units is not None:
            rows = merged(actor, following(rows, order, cursor), order, units, size + 1)
            rows = _with_target(rows) if order == BY_TARGET else rows
        elif asked.text:
            rows = led_by_words(rows, asked.text)
        return read_page(with_row(rows, actor), order, cursor, size)


def leading(actor: Actor, asked: CaseFilter) -> tuple[list[int] | None, CaseQuerySet]:
    """The cases that fit; with the units whose lists are to be merged, as cases of the unit around."""
    units = _units_to_merge(actor, asked)
    if units is None:
        return None, matching(actor, asked)
    around = Case.objects.of_unit_around(actor)
    if asked.order == BY_TARGET:  # said of its own row, too, the index by unit and moment leads
        around = around.filter(service_clock__unit=RawSQL("u.id", ()))
    return units, _fitting(around, actor, asked)


def matching(actor: Actor, asked: CaseFilter) -> CaseQuerySet:
    """The cases that the actor may see and that fit, in no order: for lists and for bulk actions."""
    rows = Case.objects.for_actor(actor)
    if is_reference(asked.text.strip()):
        return rows.filter(reference=asked.text.strip().upper())
    if asked.unit:
        rows = rows.filter(unit__in=_units_asked(actor, asked))
    return _fitting(rows, actor, asked)


def _fitting(rows: CaseQuerySet, actor: Actor, asked: CaseFilter) -> CaseQuerySet:
    """Of the rows, those that fit all but the unit."""
    rows = _by_state(rows, asked)
    rows = _by_people(rows, actor, asked)
    rows = _by_targets(rows, actor, asked)
    for lookup, value in (
        ("due_sort__gte", asked.due_from),
        ("due_sort__lt", asked.due_before),
        ("opened_at__gte", asked.opened_from),
        ("opened_at__lt", asked.opened_before),
        ("channel", asked.channel),
        ("priority", asked.priority),
        ("reference", asked.reference),
    ):
        if value not in (None, ""):
            rows = rows.filter(**{lookup: value})
    if asked.due_from:  # no due date sorts last, but is not late in coming
        rows = rows.exclude(due_at=None)
    if asked.also is not None:
        rows = rows.filter(asked.also)
    if asked.text:
        rows = rows.filter(search=words_in(asked.text))
        if asked.looks_back_at_first:
            months = search_months(actor) if asked.months is None else asked.months
            rows = rows.filter(opened_at__gte=timezone.now() - timedelta(days=months * 365 // 12))
    return rows


def _with_target(rows: CaseQuerySet) -> CaseQuerySet:
    """Those of which a service target runs, with its moment, as they are put in order by it."""
    dated = rows.filter(service_clock__due_at__isnull=False)
    return dated.annotate(service_clock__due_at=F("service_clock__due_at"))


def search_months(actor: Actor) -> int:
    """How far a search for words goes back at first, as the organisation decided."""
    organisation = next(iter(Organisation.objects.for_actor(actor).only("options")), None)
    return options.read(organisation).search_months if organisation else 0


def count(actor: Actor, asked: CaseFilter) -> int | None:
    """How many fit, COUNT_CAP + 1 when there are more; None when that cannot be said quickly."""
    try:
        ((_name, found),) = counted_together(actor, [("", asked)], COUNT_MS)
    except Unavailable:
        return None
    return found


def counted_together(
    actor: Actor,
    wanted: Iterable[tuple[str, CaseFilter | None]],
    milliseconds: int,
    broken: int = 0,
) -> list[tuple[str, int]]:
    """How many fit each list, by one statement; Unavailable when that takes longer. None: `broken`."""
    names: list[str] = []
    queries: list[str] = []
    values: list[Any] = []
    with _within(milliseconds):
        for name, asked in wanted:
            query, parameters = (str(broken), ()) if asked is None else _counting(actor, asked)
            names.append(name)
            queries.append(f"({query})")
            values += parameters
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(queries)}", values)
            return list(zip(names, cursor.fetchall()[0], strict=True))


def _counting(actor: Actor, asked: CaseFilter) -> tuple[str, Sequence[Any]]:
    """The statement that counts the cases of a list up to the cap."""
    units, rows = leading(actor, asked)
    limit = COUNT_CAP + 1
    if units is not None and not units:
        return "0", ()
    try:
        query, values = rows.order_by().values_list("pk")[:limit].query.sql_with_params()
    except EmptyResultSet:  # nothing can fit
        return "0", ()
    if units is not None:
        query = f"SELECT 1 FROM unnest(%s::bigint[]) AS u(id), LATERAL ({query}) AS l LIMIT {limit}"  # noqa: S608 - Django's own SQL
        values = (units, *values)
    return f"SELECT count(*) FROM ({query}) AS c", values  # noqa: S608 - the same


# --- Inside -------------------------------------------------------------------------------------


def _by_state(rows: CaseQuerySet, asked: CaseFilter) -> CaseQuerySet:
    if asked.work == OPEN:
        rows = rows.filter(category__lt=StateCategory.RESOLVED)
    elif asked.work == ENDED:
        rows = rows.filter(category__gte=StateCategory.RESOLVED)
    if asked.categories:
        rows = rows.filter(category__in=sorted(asked.categories))
    if asked.case_type:
        rows = rows.filter(case_type__code=asked.case_type)
    if asked.state:
        rows = rows.filter(state=asked.state)
    return rows


def _by_people(rows: CaseQuerySet, actor: Actor, asked: CaseFilter) -> CaseQuerySet:
    if asked.assignee == NOBODY:
        rows = rows.filter(assignee=None)
    elif asked.assignee == ME:
        rows = rows.filter(assignee=actor.user_id) if actor.user_id else rows.none()
    elif asked.assignee:
        rows = rows.filter(assignee__uuid=asked.assignee)
    if asked.citizen:
        rows = rows.filter(pk__in=keys_of_citizen(actor, citizen=Survivor(asked.citizen)))
    return rows


def _by_targets(rows: CaseQuerySet, actor: Actor, asked: CaseFilter) -> CaseQuerySet:
    if asked.danger:
        rows = rows.filter(service_clock__danger_at__lte=timezone.now())
    if asked.order == BY_TARGET:
        rows = _with_target(rows.filter(service_clock__organisation=actor.organisation_id))
    return rows


def _merges(asked: CaseFilter) -> bool:
    """Whether the unit's index leads: a person, a citizen or words find fewer rows by their own."""
    found_otherwise = asked.text or asked.citizen or asked.reference or asked.led
    return not (found_otherwise or asked.assignee not in ("", NOBODY))


def _units_asked(actor: Actor, asked: CaseFilter) -> list[int]:
    tree = unit_tree(Organisation.objects.for_actor(actor).get())
    root = next((node.id for node in tree.nodes if node.uuid == str(asked.unit)), None)
    if root is None:
        return []
    return [root] if asked.alone else sorted(tree.below([root]))


def _units_to_merge(actor: Actor, asked: CaseFilter) -> list[int] | None:
    if not _merges(asked):
        return None
    return units_to_merge(actor, _units_asked(actor, asked) if asked.unit else None)


def units_to_merge(actor: Actor, chosen: Iterable[int] | None) -> list[int] | None:
    """The units whose lists are merged: of those chosen, or else of all; None: another index leads."""
    reach = actor.reach(VIEW_CASE)
    if chosen is not None:
        return [unit for unit in chosen if reach.covers(unit)]
    if reach.everywhere or len(reach.units) > MOST_UNITS_MERGED:
        return None
    return sorted(reach.units)


def merged(
    actor: Actor, rows: CaseQuerySet, order: Order, units: list[int], limit: int
) -> CaseQuerySet:
    """The first cases of all these units together; `rows` are those `of_unit_around` that are wanted."""
    return Case.objects.for_actor(actor).filter(pk__in=_merged(rows, order, units, limit))


def _merged(rows: CaseQuerySet, order: Order | None, units: list[int], limit: int) -> list[int]:
    """The keys of the first rows of all units together: the first of each by its index, then merged.

    Left alone, the planner sorts all rows of all units (40 to 700 ms at ten million cases).
    """
    if not units:
        return []
    columns = order.columns if order else ()
    each = rows.values_list("id", *(set(columns) - {"id"}))
    each = each.order_by(*order.terms) if order else each.order_by()
    try:
        query, parameters = each[:limit].query.sql_with_params()
    except EmptyResultSet:  # nothing can fit
        return []
    ways = ", ".join(
        f"l.{column}{' DESC' if order and order.descending else ''}" for column in columns
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.id FROM unnest(%s::bigint[]) AS u(id), LATERAL ({query}) AS l"  # noqa: S608 - Django's own SQL and our columns
            + (f" ORDER BY {ways}" if ways else "")
            + " LIMIT %s",
            [units, *parameters, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def keys_of_citizen(actor: Actor, **who: object) -> QuerySet[Case, int]:
    """The keys of a citizen's cases, theirs and those where they take part, that the actor may see.

    A union: of an OR the planner makes a walk through all cases of the organisation.
    """
    cases = Case.objects.for_actor(actor)
    part = Participant.objects.for_actor(actor).filter(**who, ended_at=None)
    return cases.filter(**who).values_list("pk", flat=True).union(part.values_list("case"))


def is_reference(text: str) -> bool:
    """Whether a text looks like a case's number."""
    return _REFERENCE.fullmatch(text) is not None


def words_in(text: str) -> SearchQuery:
    """What is looked for in cases: all the words, "those in quotes" together, and not -this one."""
    return SearchQuery(text, config="es", search_type="websearch")


def led_by_words(rows: CaseQuerySet, text: str) -> CaseQuerySet:
    """Of a search for words: the rows by their keys when they are few, else as they were.

    The planner takes any word outside its statistics for one in 200 cases. It would rather walk
    through half a million newer cases than ask the index of words (measured: 480 ms instead of 30).
    """
    if not _may_be_rare(text):
        return rows
    keys = list(rows.order_by().values_list("pk", flat=True)[: FEW_BY_WORDS + 1])
    return rows if len(keys) > FEW_BY_WORDS else rows.filter(pk__in=keys)


def _may_be_rare(text: str) -> bool:
    """Whether the planner expects the words in less than one case of a hundred."""
    cases = Case.objects.unscoped("what the planner expects: no row is read").order_by()
    fitting, all_of_them = (
        json.loads(rows.values("pk").explain(format="json"))[0]["Plan"]["Plan Rows"]
        for rows in (cases.filter(search=words_in(text)), cases)
    )
    return bool(fitting * 100 < all_of_them)


def with_row(rows: CaseQuerySet, actor: Actor) -> CaseQuerySet:
    """The cases with what a row shows of each, and no more; the citizen with their record here."""
    return with_people(rows, actor).only(*_SHOWN)


def with_people(rows: CaseQuerySet, actor: Actor) -> CaseQuerySet:
    """The whole cases with their type, unit and people; the citizen with their record here."""
    here = Prefetch(
        "citizen__records", queryset=CitizenRecord.objects.for_actor(actor), to_attr="here"
    )
    return (
        rows.select_related(
            "case_type", "citizen", "unit__organisation", "assignee", "service_clock"
        )
        .prefetch_related("type_version", here)
        .defer("search")
    )


def patience(searched: object, milliseconds: int = SEARCH_MS) -> AbstractContextManager[None]:
    """Within it a search for words or by an expression ends after so long; Unavailable says how to ask
    for less."""
    return _within(milliseconds) if searched else nullcontext()


@contextmanager
def _within(milliseconds: int) -> Iterator[None]:
    """Within it the database gives up after so long; Unavailable says how to ask for less."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('statement_timeout'),"
                " set_config('statement_timeout', %s, true)",
                [str(milliseconds)],
            )
            before = cursor.fetchall()[0][0]
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if "statement timeout" not in str(error):
            raise
        text = _("There are too many cases to look through: add words, dates or a type.")
        raise Unavailable("search_slow", text) from error


# --- The views of the left pane -----------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """A list that is always at hand."""

    key: str
    label: Text
    group: str  # mine, unit or organisation
    asked: CaseFilter
    urgent: bool = False  # its count is a warning
    counted: bool = True


def standing_views(actor: Actor, unit: UUID | None) -> list[View]:
    """The views of everyone: mine, those of the unit where one works, the organisation's."""
    end_of_week = _end_of_week()
    mine = CaseFilter(assignee=ME)
    found = [
        View("mine", _("Open in my name"), "mine", mine),
        View(
            "mine-week",
            _("Due this week"),
            "mine",
            replace(mine, due_before=end_of_week, due_words="next-week"),
            urgent=True,
        ),
        View(
            "mine-waiting",
            _("Waiting for citizen"),
            "mine",
            replace(mine, categories=frozenset({StateCategory.WAITING_CITIZEN})),
        ),
    ]
    label = _("Service targets in danger")
    found.append(
        View("mine-danger", label, "mine", replace(mine, danger=True, by="target"), urgent=True)
    )
    if unit is not None:
        ours = CaseFilter(unit=unit)
        found += [
            View("unit", _("All open"), "unit", ours),
            View("unit-free", _("Unassigned"), "unit", replace(ours, assignee=NOBODY)),
            View(
                "unit-late",
                _("Overdue"),
                "unit",
                replace(ours, due_before=timezone.now(), due_words="now"),
                urgent=True,
            ),
            View(
                "unit-danger", label, "unit", replace(ours, danger=True, by="target"), urgent=True
            ),
            View("unit-ended", _("Ended"), "unit", replace(ours, work=ENDED), counted=False),
        ]
    if actor.reach(VIEW_CASE):
        found += [
            View("all", _("All open"), "organisation", CaseFilter()),
            View("free", _("Unassigned"), "organisation", CaseFilter(assignee=NOBODY)),
            View(
                "late",
                _("Overdue"),
                "organisation",
                CaseFilter(due_before=timezone.now(), due_words="now"),
                urgent=True,
            ),
            View("everything", _("All cases"), "organisation", CaseFilter(work=ALL), counted=False),
        ]
    return found


def _end_of_week() -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())
