"""Tasks within a case: adding, changing, doing, approving, taking up again, cancelling."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from cases.checklists import OPENED, UNIT, PlannedTask
from cases.models import (
    UNSETTLED,
    Case,
    Confidentiality,
    EventKind,
    Task,
    TaskOrder,
    TaskState,
)
from cases.permissions import APPROVE_TASK, ASSIGN_CASE, CHANGE_CASE
from cases.services.task_saying import READERS, apply, bounded, reason_of
from cases.services.writing import fetch, moment, require_work_goes_on, write
from cases.tasklists import (
    calendar_of,
    decide_task,
    due_at_of,
    due_in,
    may_finish,
    may_review,
    obstacles_of,
    predecessors,
)
from cases.workflow import State, Workflow
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Changed, Conflict, Invalid, Refused
from crm.kit.policy import Decision, decide
from crm.organisations.models import Unit

MOST_TASKS = 100


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """What a task is added with. UUIDs as they come through any door."""

    title: str
    instructions: str = ""
    assignee: UUID | None = None
    unit: UUID | None = None
    term: str = ""
    due_at: datetime | None = None
    after: Collection[UUID] = ()
    needs_approval: bool = False
    closing: str = ""


@transaction.atomic
def add_task(actor: Actor, case: UUID, new: NewTask, *, key: UUID | None = None) -> Task:
    """The case has one more task; the same `key` again gives the same task."""
    row = fetch(actor, case)
    _require(decide_case(actor, row), CHANGE_CASE, row)
    require_work_goes_on(row)
    known = Task.objects.for_actor(actor).filter(case=row, uuid=key).first() if key else None
    if known is not None:
        return known
    if row.tasks.count() >= MOST_TASKS:
        raise Conflict(
            "too_many_tasks", _("A case has at most %(count)s tasks.") % {"count": MOST_TASKS}
        )
    task = Task(organisation_id=row.organisation_id, case=row, created_at=moment())
    if key is not None:
        task.uuid = key
    said = {one.name: getattr(new, one.name) for one in fields(new)}
    after = apply(actor, task, said)
    task.starts_on = None if _unsettled(after) else _today(task)
    _reckon(task)
    task.save(force_insert=True)
    _order(task, after)
    _tell(actor, task, EventKind.TASK_ADDED, **_given(task))
    return task


@transaction.atomic
def change_task(
    actor: Actor, task: UUID, changes: Mapping[str, Any], *, version: int | None = None
) -> Task:
    """The task says what `changes` says; Changed when somebody else changed it since that version."""
    row = _fetch(actor, task, version)
    _require(decide_case(actor, row.case), CHANGE_CASE, row)
    require_work_goes_on(row.case)
    if row.settled:
        raise Conflict("task_settled", _("The task is settled: take it up again first."))
    unknown = sorted(set(changes) - set(READERS))
    if unknown:
        raise Invalid(errors={name: [_("This cannot be edited.")] for name in unknown})
    seen = _said(row)
    after = apply(actor, row, changes)
    if row.state != TaskState.OPEN and seen["needs_approval"] != row.needs_approval:
        text = _("Whether it is approved can be changed only before it is done.")
        raise Invalid(errors={"needs_approval": [text]})
    if "after" in changes:
        row.orders.exclude(after__in=after).delete()
        _order(row, after)
    _begin(row)
    changed = sorted(name for name, value in _said(row).items() if seen[name] != value)
    if not changed:
        return row
    _save(row)
    _tell(actor, row, EventKind.TASK_CHANGED, **_given(row), fields=changed)
    return row


@transaction.atomic
def take_task(actor: Actor, task: UUID, *, version: int | None = None) -> Task:
    """The task is the actor's; Conflict tells the loser of two who take it."""
    row = _fetch(actor, task, version)
    _require(decide_task(actor, CHANGE_CASE, row), CHANGE_CASE, row)
    if actor.user_id is None:
        raise Refused(CHANGE_CASE, _("Only a person takes a task."), row.case)
    if row.settled:
        raise Conflict("task_settled", _("The task is settled: take it up again first."))
    if row.assignee_id == actor.user_id:
        return row
    if row.assignee is not None and not decide(actor, ASSIGN_CASE, row.case):
        text = _("%(name)s already has this task.")
        raise Conflict("task_taken", text % {"name": row.assignee.full_name})
    row.assignee = User.objects.get(pk=actor.user_id)
    _save(row)
    _tell(actor, row, EventKind.TASK_CHANGED, **_given(row), fields=["assignee"])
    return row


@transaction.atomic
def finish_task(actor: Actor, task: UUID, *, comment: str = "", version: int | None = None) -> Task:
    """The task is done, or where it must be approved waits for another person to do so."""
    row = _fetch(actor, task, version)
    waits_for = [one for one in predecessors([row]).get(row.pk, []) if not one.settled]
    _require(decide_task(actor, CHANGE_CASE, row), CHANGE_CASE, row)
    decision = may_finish(actor, row, waits_for)
    if not decision:
        raise Conflict("task_not_ready", decision.reason)
    if row.needs_approval and actor.user_id is None:
        text = _("Only a person does a task that another person approves.")
        raise Refused(CHANGE_CASE, text, row.case)
    row.comment = bounded("comment", comment)
    row.state = TaskState.REVIEW if row.needs_approval else TaskState.DONE
    row.done_by_id, row.done_by_name, row.done_at = actor.user_id, actor.name[:200], moment()
    row.reviewed_by, row.reviewed_by_name, row.reviewed_at, row.reason = None, "", None, ""
    _save(row)
    _tell(actor, row, EventKind.TASK_DONE, comment=row.comment, waits=row.needs_approval)
    _begin_followers(row)
    return row


@transaction.atomic
def approve_task(actor: Actor, task: UUID, *, version: int | None = None) -> Task:
    """The task is done: another person than who did it has approved it."""
    row = _reviewed(actor, task, version)
    row.state = TaskState.DONE
    _save(row)
    _tell(actor, row, EventKind.TASK_APPROVED, permission=APPROVE_TASK, done_by=row.done_by_name)
    _begin_followers(row)
    return row


@transaction.atomic
def reject_task(actor: Actor, task: UUID, *, reason: str, version: int | None = None) -> Task:
    """The task was not done as it should: it is to be done again, and the reason says why."""
    said = reason_of(reason)
    row = _reviewed(actor, task, version)
    row.state, row.reason = TaskState.REJECTED, said
    _save(row)
    _tell(
        actor,
        row,
        EventKind.TASK_REJECTED,
        permission=APPROVE_TASK,
        reason=said,
        done_by=row.done_by_name,
    )
    return row


@transaction.atomic
def cancel_task(actor: Actor, task: UUID, *, reason: str, version: int | None = None) -> Task:
    """The task need not be done any more; what came after it may begin."""
    said = reason_of(reason)
    row = _fetch(actor, task, version)
    _require(decide_case(actor, row.case), CHANGE_CASE, row)
    if row.settled:
        raise Conflict("task_settled", _("The task is settled: take it up again first."))
    row.state, row.reason = TaskState.CANCELLED, said
    _save(row)
    _tell(actor, row, EventKind.TASK_CANCELLED, reason=said)
    _begin_followers(row)
    return row


@transaction.atomic
def reopen_task(actor: Actor, task: UUID, *, reason: str = "", version: int | None = None) -> Task:
    """The task is to be done again, as if nobody had done it; what others did after it stays."""
    said = bounded("reason", reason)
    row = _fetch(actor, task, version)
    _require(decide_task(actor, CHANGE_CASE, row), CHANGE_CASE, row)
    require_work_goes_on(row.case)
    if row.state in (TaskState.OPEN, TaskState.REJECTED):
        raise Conflict("task_open", _("The task is not settled."))
    row.state, row.reason, row.comment = TaskState.OPEN, "", ""
    row.done_by, row.done_by_name, row.done_at = None, "", None
    row.reviewed_by, row.reviewed_by_name, row.reviewed_at = None, "", None
    _begin(row)
    _save(row)
    _tell(actor, row, EventKind.TASK_REOPENED, reason=said)
    return row


# --- What the life of a case asks for -------------------------------------------------------------


def plan_tasks(actor: Actor, case: Case, workflow: Workflow, *moments: str) -> None:
    """The tasks that the case type plans for these moments are in the locked case, each only once."""
    planned = workflow.checklist.tasks_at(*moments)
    if not planned:
        return
    made = {task.template: task for task in case.tasks.exclude(template="")}
    missing = [one for one in planned if one.code not in made]
    units = _units_of(case, missing)
    for one in missing:
        made[one.code] = _planned(case, one, units, made)
    if missing:
        titles = [one.name for one in missing]
        told = {"tasks": [str(made[one.code].uuid) for one in missing], "title": ", ".join(titles)}
        write(actor, CHANGE_CASE, case, EventKind.TASK_ADDED, told)


def require_ready(case: Case, target: State, *, despite_open: bool) -> None:
    """Conflict with the list of what is left when it keeps the case from entering a state.

    What only warns is passed by saying that it may stay open.
    """
    found = obstacles_of(case, target, due_in(case))
    if found.refusal:
        raise Conflict(
            "not_ready", found.refusal, tasks=list(found.blocking), papers=list(found.missing)
        )
    if found.caution and not despite_open:
        text = _("%(left)s Say that they may stay open to go on.") % {"left": found.caution}
        raise Conflict("tasks_open", text, tasks=list(found.warning))


def follow_unit(case: Case, before: Unit | int | None, after: Unit) -> None:
    """What the case's unit had to do is its new unit's."""
    Task.objects.unscoped("of the case that moves").filter(
        case=case, unit=before, state__in=UNSETTLED
    ).update(unit=after, version=F("version") + 1)


def decide_case(actor: Actor, case: Case) -> Decision:
    """Whether the actor may say what has to be done in a case."""
    return decide(actor, CHANGE_CASE, case)


# --- Inside -------------------------------------------------------------------------------------


def _fetch(actor: Actor, task: UUID, version: int | None) -> Task:
    """The task with its case, both locked; the case first, as every verb does."""
    seen = Task.objects.for_actor(actor).only("case_id").get_or_refuse(uuid=task)
    cases = Case.objects.unscoped("the actor sees a task of it")
    case = (
        cases.select_related("case_type", "type_version", "unit__organisation", "assignee")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=seen.case_id)
    )
    rows = Task.objects.for_actor(actor).select_related("unit__organisation", "assignee")
    row = rows.select_for_update(of=("self",), no_key=True).get_or_refuse(uuid=task)
    row.case = case
    if version is not None and row.version != version:
        raise Changed(_("Somebody else has changed this. Compare before saving again."))
    return row


def _require(decision: Decision, permission: str, target: object) -> None:
    if not decision:
        raise Refused(permission, decision.reason, getattr(target, "case", target))


def _reviewed(actor: Actor, task: UUID, version: int | None) -> Task:
    row = _fetch(actor, task, version)
    _require(may_review(actor, row), APPROVE_TASK, row)
    if row.state != TaskState.REVIEW:
        raise Conflict("task_not_done", _("The task does not wait for approval."))
    row.reviewed_by_id, row.reviewed_by_name = actor.user_id, actor.name[:200]
    row.reviewed_at = moment()
    return row


def _order(task: Task, after: Iterable[Task]) -> None:
    TaskOrder.objects.bulk_create(
        [TaskOrder(task=task, after=one) for one in after], ignore_conflicts=True
    )


def _unsettled(rows: Iterable[Task]) -> bool:
    return any(not one.settled for one in rows)


def _reckon(task: Task) -> None:
    """Where a term says when it is due, it is due then."""
    if task.term:
        task.due_at = due_at_of(task)


def _today(task: Task) -> date:
    """The day that it is where the task is done."""
    return moment().astimezone(calendar_of(task).zone).date()


def _begin(task: Task) -> None:
    """Its term runs from the day when nothing stands before it any more."""
    if _unsettled(predecessors([task]).get(task.pk, [])):
        task.starts_on = None
    elif task.starts_on is None:
        task.starts_on = _today(task)
    _reckon(task)


def _begin_followers(done: Task) -> None:
    """What waited for this task alone can begin, and its term runs."""
    if not done.settled:
        return
    waiting = Task.objects.unscoped("of the case that the verb holds").filter(
        orders__after=done, state__in=UNSETTLED, starts_on=None
    )
    for task in waiting.select_related("unit__organisation").order_by("pk"):
        task.case = done.case
        _begin(task)
        if task.starts_on is not None:
            _save(task)


def _save(task: Task) -> None:
    task.version += 1
    task.save()


def _planned(
    case: Case, one: PlannedTask, units: Mapping[str, Unit], made: Mapping[str, Task]
) -> Task:
    """A task of the case type is in the case, after those that come before it there."""
    after = [made[code] for code in one.after if code in made]
    task = Task(
        organisation_id=case.organisation_id,
        case=case,
        template=one.code,
        title=one.name[:200],
        instructions=one.instructions,
        unit=units.get(one.to),
        term=one.term,
        needs_approval=one.approval,
        closing=one.closing,
        created_at=moment(),
    )
    if not _unsettled(after):
        begins = case.opened_at if one.when == OPENED else moment()
        task.starts_on = begins.astimezone(calendar_of(task).zone).date()
    _reckon(task)
    task.save(force_insert=True)
    _order(task, after)
    return task


def _units_of(case: Case, planned: Iterable[PlannedTask]) -> dict[str, Unit]:
    """The units that tasks go to by their code; one that has closed meanwhile: the case's."""
    codes = {one.to for one in planned}
    found = {UNIT: case.unit} if UNIT in codes else {}
    if case.confidentiality == Confidentiality.SPECIAL:
        return found
    rows = Unit.objects.unscoped("of the case's own organisation").filter(
        organisation=case.organisation_id, code__in=codes, closed_on=None
    )
    return found | {unit.code: unit for unit in rows.select_related("organisation")}


def _said(task: Task) -> dict[str, Any]:
    """What may be changed of a task, to be compared."""
    plain = ("title", "instructions", "assignee_id", "unit_id", "term", "due_at", "closing")
    said = {name.removesuffix("_id"): getattr(task, name) for name in plain}
    after = frozenset(task.orders.values_list("after", flat=True))
    return said | {"needs_approval": task.needs_approval, "after": after}


def _given(task: Task) -> dict[str, str]:
    """To whom, where that is somebody else than whoever has the case."""
    unit = task.unit.name if task.unit is not None else ""
    if task.assignee is None:
        return {"to": "", "unit": unit}
    return {"to": task.assignee.full_name, "to_id": str(task.assignee.uuid), "unit": unit}


def _tell(
    actor: Actor, task: Task, kind: EventKind, *, permission: str = CHANGE_CASE, **said: Any
) -> None:
    told = {"task": str(task.uuid), "title": task.title}
    if kind in (EventKind.TASK_ADDED, EventKind.TASK_CHANGED) and task.due_at:
        told["due"] = task.due_at.isoformat()
    write(actor, permission, task.case, kind, told | {k: v for k, v in said.items() if v})
