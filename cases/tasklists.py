"""Reading tasks and papers: of a case, of a person, of a unit; whether and why not something may be done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.clocks import AT_RISK_DAYS, end_of
from cases.models import (
    UNSETTLED,
    Case,
    Confidentiality,
    Paper,
    StateCategory,
    Task,
    TaskOrder,
    TaskState,
)
from cases.models.task import TaskQuerySet
from cases.permissions import APPROVE_TASK, CHANGE_CASE, VIEW_CASE
from cases.terms import Deadline, deadline, explained, read_term
from cases.workflow import State, Workflow
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.keyset import Order, Page, read_page
from crm.kit.policy import ALLOWED, Decision, decide
from crm.organisations import calendars
from crm.organisations.calendars import Calendar, NotCovered
from crm.organisations.services import calendar_for

MINE, UNIT, APPROVAL = "mine", "unit", "approval"
NOT_NOW = Decision(False)
DUE_FIRST = Order(("due_sort", "id"))


# --- Rights -------------------------------------------------------------------------------------


def decide_task(actor: Actor, permission: str, task: Task) -> Decision:
    """What may be done with a task: by the case's unit, and by whom or where it was given."""
    case = task.case
    decision = decide(actor, permission, case)
    if decision or not actor.holds(permission) or case.confidentiality == Confidentiality.SPECIAL:
        return decision
    personally = actor.user_id is not None and task.assignee_id == actor.user_id
    if personally and permission != APPROVE_TASK:
        return ALLOWED
    if task.unit_id is not None and actor.reach(permission).covers(task.unit_id):
        return ALLOWED
    return decision


def may_review(actor: Actor, task: Task) -> Decision:
    """Whoever may approve tasks here, and did not do this one."""
    decision = decide_task(actor, APPROVE_TASK, task)
    if not decision:
        return decision
    if actor.user_id is None:
        return Decision(False, _("Only a person approves a task."))
    return Decision(
        task.done_by_id != actor.user_id,
        _("Whoever did it does not approve it: ask another person."),
    )


# --- Lists --------------------------------------------------------------------------------------


def of_actor(actor: Actor) -> "Q":
    """The tasks that are the actor's own: given to them, or to whoever has the case, which is them."""
    if actor.user_id is None:
        return Q(pk__in=[])
    return Q(assignee=actor.user_id) | Q(assignee=None, unit=None, case__assignee=actor.user_id)


def tasks(actor: Actor) -> TaskQuerySet:
    """Those that the actor may see, each with what a row shows of it."""
    return (
        Task.objects.for_actor(actor)
        .select_related(
            "case__unit__organisation", "case__assignee", "unit__organisation", "assignee"
        )
        .defer("case__search")
    )


def unsettled(actor: Actor, view: str) -> TaskQuerySet:
    """What is left to do: mine, of the unit where I work, or what waits for my approval."""
    rows = tasks(actor)
    if view == APPROVAL:
        return _to_approve(actor, rows)
    rows = rows.filter(state__in=UNSETTLED)
    if view == MINE:
        return rows.filter(of_actor(actor)).exclude(state=TaskState.REVIEW)
    if actor.home_unit_id is None:
        return rows
    home = actor.home_unit_id
    return rows.filter(Q(unit=home) | Q(unit=None, case__unit=home))


def _to_approve(actor: Actor, rows: TaskQuerySet) -> TaskQuerySet:
    reach = actor.reach(APPROVE_TASK)
    if actor.user_id is None or not reach:
        return rows.none()
    rows = rows.filter(state=TaskState.REVIEW).exclude(done_by=actor.user_id)
    if reach.everywhere:
        return rows
    units = sorted(reach.units)
    return rows.filter(Q(case__unit__in=units) | Q(unit__in=units))


def page(actor: Actor, view: str, after: str = "") -> Page[Task]:
    """A page of them, the soonest due first."""
    return read_page(unsettled(actor, view), DUE_FIRST, after)


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for somebody."""

    mine: int = 0
    late: int = 0
    approval: int = 0
    may_approve: bool = False


def counts(actor: Actor) -> Counts:
    """How many tasks are mine, how many of these are late, and how many wait for my approval."""
    mine = Task.objects.for_actor(actor).filter(of_actor(actor))
    mine = mine.filter(state__in=[TaskState.OPEN, TaskState.REJECTED])
    found = mine.aggregate(mine=Count("pk"), late=Count("pk", filter=Q(due_at__lt=timezone.now())))
    may_approve = actor.user_id is not None and actor.holds(APPROVE_TASK)
    waiting = _to_approve(actor, Task.objects.for_actor(actor)).count() if may_approve else 0
    return Counts(found["mine"], found["late"], waiting, may_approve)


# --- A task as it is shown ----------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A task in a list, and what may be done with it."""

    task: Task
    whose: str
    due: str
    level: str  # "", ok, warn or bad
    waits_for: list[Task] = field(default_factory=list)
    finish: Decision = ALLOWED
    review: Decision = NOT_NOW
    sees_case: bool = True


def rows_of(actor: Actor, found: Iterable[Task]) -> list[Row]:
    """The tasks as rows for the actor, with one query for what comes before them."""
    rows = list(found)
    before = predecessors(rows)
    now = timezone.now()
    return [row_of(actor, task, before.get(task.pk, []), now) for task in rows]


def row_of(actor: Actor, task: Task, before: list[Task], now: datetime) -> Row:
    """One of them."""
    waits_for = [one for one in before if not one.settled]
    due, level = due_of(task, now)
    return Row(
        task=task,
        whose=whose(task),
        due=due,
        level=level,
        waits_for=waits_for,
        finish=may_finish(actor, task, waits_for),
        review=may_review(actor, task) if task.state == TaskState.REVIEW else NOT_NOW,
        sees_case=decide(actor, VIEW_CASE, task.case).allowed,
    )


def may_finish(actor: Actor, task: Task, waits_for: list[Task]) -> Decision:
    """Whether the actor may say now that it is done."""
    if task.state not in (TaskState.OPEN, TaskState.REJECTED):
        return Decision(False, _("The task is not waiting to be done."))
    if waits_for:
        text = _("Before it, this must be done: %(tasks)s.")
        return Decision(False, text % {"tasks": ", ".join(one.title for one in waits_for)})
    return decide_task(actor, CHANGE_CASE, task)


def predecessors(rows: Iterable[Task]) -> Mapping[int, list[Task]]:
    """What comes before each of these tasks."""
    keys = [task.pk for task in rows]
    found: dict[int, list[Task]] = {}
    if keys:
        orders = TaskOrder.objects.filter(task__in=keys).select_related("after").order_by("after")
        for order in orders:
            found.setdefault(order.task_id, []).append(order.after)
    return found


def whose(task: Task) -> str:
    """Who is to do it, in words."""
    if task.assignee is not None:
        return task.assignee.full_name
    if task.unit is not None:
        return task.unit.name
    if task.case.assignee is not None:
        return task.case.assignee.full_name
    return _("Whoever takes the case")


def due_of(task: Task, now: datetime) -> tuple[str, str]:
    """When it must be done, in words, and how pressing that is."""
    if task.settled:
        return "", ""
    if task.due_at is None:
        if task.term and task.starts_on is None:
            return _("%(term)s once it can begin") % {"term": task.term_words}, ""
        return "", ""
    calendar = calendar_of(task)
    today, last = (one.astimezone(calendar.zone).date() for one in (now, task.due_at))
    if now > task.due_at:
        days = (today - last).days
        text = ngettext("%(count)s day late", "%(count)s days late", days) if days else _("Late")
        return text % {"count": days}, "bad"
    if today == last:
        return _("Due today"), "warn"
    text = _("Due on %(date)s") % {"date": date_format(last, "j b Y")}
    try:
        left = calendars.working_days_between(calendar, today, last)
    except NotCovered:
        return text, "ok"
    return text, "warn" if left <= AT_RISK_DAYS else "ok"


# --- When it is due -----------------------------------------------------------------------------


def calendar_of(task: Task) -> Calendar:
    """The calendar of the unit that does it, else of the case's."""
    return calendar_for(task.unit or task.case.unit)


def reckoned(task: Task) -> Deadline | None:
    """By what its term ends; None without a term, or while it cannot begin."""
    term = read_term(task.term)
    if term is None or task.starts_on is None:
        return None
    return deadline(calendar_of(task), task.starts_on, [term])


def due_at_of(task: Task) -> datetime | None:
    """The moment by which a term has it done."""
    found = reckoned(task)
    return end_of(found.due, calendar_of(task)) if found else None


def sum_of(task: Task) -> list[Text]:
    """The sum that leads to its due date, for anyone to check."""
    try:
        found = reckoned(task)
        return explained(calendar_of(task), found) if found else []
    except NotCovered as error:
        return [error.message]


# --- Of a case ----------------------------------------------------------------------------------


def of_case(actor: Actor, case: Case) -> QuerySet[Task]:
    """The tasks of a case, in the order in which they were added."""
    return tasks(actor).filter(case=case).order_by("pk")


def papers_of(actor: Actor, case: Case) -> QuerySet[Paper]:
    """The papers that a case needs, in the order of the case type."""
    return (
        Paper.objects.for_actor(actor)
        .filter(case=case)
        .select_related("document")
        .order_by("position", "pk")
    )


@dataclass(frozen=True, slots=True)
class Due:
    """What is left to do or to come in a case."""

    title: str
    closing: str = ""  # of a task
    paper_by: str = ""  # of a required paper: the state that it must be there for


def due_in(case: Case) -> list[Due]:
    """Unsettled tasks and missing required papers of a case: one query for both."""
    left = (
        Task.objects.unscoped("of a case that the caller fetched")
        .filter(case=case, state__in=UNSETTLED)
        .order_by()
        .values_list("title", "closing", Value("", output_field=Task._meta.get_field("term")))
    )
    papers = (
        Paper.objects.unscoped("of a case that the caller fetched")
        .filter(case=case, state=Paper.State.MISSING, required=True)
        .order_by()
        .values_list("name", Value("paper"), "needed_by")
    )
    found = left.union(papers, all=True)
    return [
        Due(title, "", by or "-") if closing == "paper" else Due(title, closing)
        for title, closing, by in found
    ]


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What stands in the way of a move, or gives cause to think twice."""

    blocking: tuple[str, ...] = ()
    warning: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def refusal(self) -> Text:
        """Why the move is not possible; nothing when it is."""
        if self.blocking:
            text = _("To do before it can end: %(tasks)s.")
            return text % {"tasks": ", ".join(self.blocking)}
        if self.missing:
            return _("Papers that are missing: %(papers)s.") % {"papers": ", ".join(self.missing)}
        return ""

    @property
    def caution(self) -> Text:
        """What is left open by it; nothing when all is settled."""
        if not self.warning:
            return ""
        return _("Tasks that stay open: %(tasks)s.") % {"tasks": ", ".join(self.warning)}


def obstacles(left: Iterable[Due], state: str, *, ends: bool) -> Obstacles:
    """Of what is left, what concerns entering this state."""
    left = list(left)
    return Obstacles(
        tuple(one.title for one in left if ends and one.closing == Task.Closing.BLOCKS),
        tuple(one.title for one in left if ends and one.closing == Task.Closing.WARNS),
        tuple(one.title for one in left if one.paper_by == state),
    )


def obstacles_of(case: Case, target: State, left: Iterable[Due]) -> Obstacles:
    """What stands in the way of a move of the case to this state."""
    ends = target.category >= StateCategory.RESOLVED and not case.ended
    return obstacles(left, target.code, ends=ends)


def state_named(workflow: Workflow, paper: Paper) -> str:
    """The state that a paper must be there for, as the organisation calls it."""
    return workflow.name_of(paper.needed_by) if paper.needed_by else ""


def missing_of_citizen(actor: Actor, case: Case) -> list[Paper]:
    """What the citizen still has to bring, the required first."""
    rows = papers_of(actor, case).filter(state=Paper.State.MISSING, source=Paper.Source.CITIZEN)
    return list(rows.order_by("-required", "position", "pk"))


# --- Of the query language ----------------------------------------------------------------------


def having(actor: Actor, which: str, now: datetime) -> Q:
    """The cases with tasks that are open, late or mine, or with none open."""
    left = (
        Task.objects.unscoped("of cases that the query around lets through")
        .filter(case=OuterRef("pk"), state__in=UNSETTLED)
        .order_by()
    )
    if which == "late":
        left = left.filter(due_at__lt=now)
    elif which == "mine":
        left = left.filter(of_actor(actor))
    return ~Q(Exists(left)) if which == "none" else Q(Exists(left))
