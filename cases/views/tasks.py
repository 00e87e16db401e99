"""Tasks and papers in the console: of a case, one by itself, and what is somebody's to do."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import selectors, services, tasklists
from cases.models import Case, Paper, Task, TaskState
from cases.permissions import APPROVE_TASK, CHANGE_CASE, ENDED, VIEW_CASE
from cases.task_forms import TaskForm
from cases.tasklists import APPROVAL, MINE, UNIT
from cases.views.acts import act
from cases.workflow import of_version
from crm.audit.record import record_part
from crm.kit.access import ActorRequest, needs
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import Decision, decide

VIEWS = {
    MINE: gettext_lazy("Mine"),
    UNIT: gettext_lazy("Of my unit"),
    APPROVAL: gettext_lazy("Waiting for my approval"),
}
_TAB = "tareas"


@require_GET
@needs(VIEW_CASE)
def my_tasks(request: ActorRequest) -> HttpResponse:
    """« Mis tareas », those of the unit, and those to approve, the soonest due first."""
    actor = request.actor
    offered = [key for key in VIEWS if key != APPROVAL or actor.holds(APPROVE_TASK)]
    view = request.GET.get("ver", MINE)
    view = view if view in offered else MINE
    page = tasklists.page(actor, view, request.GET.get("after", ""))
    counted = tasklists.counts(actor)
    context = {
        "rows": tasklists.rows_of(actor, page.rows),
        "after": page.after,
        "view": view,
        "views": [
            {"key": key, "label": VIEWS[key], "count": getattr(counted, key, 0)} for key in offered
        ],
    }
    part = "cases/tasks.html#rows" if request.htmx and page.rows else "cases/tasks.html"
    return render(request, part, context)


@require_GET
@needs(VIEW_CASE)
def case_tasks(request: ActorRequest, case: UUID) -> HttpResponse:
    """What is to be done in a case and what papers it needs; a part of its page."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    record_part(actor, row, "tasks")
    change = decide(actor, CHANGE_CASE, row)
    papers = list(tasklists.papers_of(actor, row))
    workflow = of_version(row.type_version.bundle)
    context = {
        "case": row,
        "rows": tasklists.rows_of(actor, tasklists.of_case(actor, row)),
        "papers": [(one, tasklists.state_named(workflow, one)) for one in papers],
        "documents": _documents(actor, row) if papers else [],
        "paper_states": Paper.State.choices,
        "working": change if not row.ended else Decision(False, ENDED),
    }
    return render(request, "cases/_tasks.html", context)


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def new_task(request: ActorRequest, case: UUID) -> HttpResponse:
    """A new task of a case."""
    actor = request.actor
    row = selectors.case_of(actor, case)
    if row.ended and request.method != "POST":
        messages.error(request, ENDED)
        return HttpResponseRedirect(_case_page(row))
    record_part(actor, row, "tasks")
    form = _form(request, row, None)
    if request.method == "POST":
        status = form.saved(lambda: services.add_task(actor, case, form.new_task()))
        if status == 200:
            messages.success(request, _("The task has been added."))
            return HttpResponseRedirect(_case_page(row))
        return _form_page(request, form, row, None, status)
    return _form_page(request, form, row, None)


@require_http_methods(["GET", "POST"])
@needs(CHANGE_CASE)
def edit_task(request: ActorRequest, task: UUID) -> HttpResponse:
    """A task that is changed. Who is late is told what it says now, and keeps everything typed."""
    actor = request.actor
    found = tasklists.tasks(actor).get_or_refuse(uuid=task)
    row = selectors.case_of(actor, found.case.uuid)
    if (found.settled or row.ended) and request.method != "POST":
        messages.error(request, ENDED if row.ended else _("The task is settled: take it up again."))
        return HttpResponseRedirect(reverse("cases:task", args=[task]))
    record_part(actor, row, "tasks")
    form = _form(request, row, found)
    if request.method != "POST":
        return _form_page(request, form, row, found)

    def change() -> None:
        seen = form.cleaned_data["seen"]
        services.change_task(actor, task, form.said(), version=seen)

    def now() -> dict[str, Any]:
        return TaskForm.of(tasklists.tasks(actor).get_or_refuse(uuid=task))

    status = form.saved(change, now)
    if status == 200:
        messages.success(request, _("The task has been saved."))
        return HttpResponseRedirect(reverse("cases:task", args=[task]))
    return _form_page(request, form, row, found, status)


@require_GET
@needs(VIEW_CASE)
def task(request: ActorRequest, task: UUID) -> HttpResponse:
    """One task: what is to be done, why it is due when it is, and what may be done with it. For whom
    it was given to, too, who may not see the case."""
    actor = request.actor
    found = tasklists.tasks(actor).get_or_refuse(uuid=task)
    record_part(actor, found.case, "task")
    before = tasklists.predecessors([found]).get(found.pk, [])
    row = tasklists.row_of(actor, found, before, timezone.now())
    change = decide(actor, CHANGE_CASE, found.case)
    mine = actor.user_id is not None and found.assignee_id == actor.user_id
    may_work = tasklists.decide_task(actor, CHANGE_CASE, found)
    settled = found.state in (TaskState.DONE, TaskState.CANCELLED, TaskState.REVIEW)
    context = {
        "row": row,
        "task": found,
        "case": found.case,
        "before": before,
        "lines": tasklists.sum_of(found) if not found.settled else [],
        "change": change.allowed and not found.settled and not found.case.ended,
        "cancel": change.allowed and not found.settled,
        "take": may_work.allowed and not mine and not found.settled and actor.user_id is not None,
        "reopen": may_work.allowed and settled and not found.case.ended,
    }
    return render(request, "cases/task.html", context)


# --- Acts ---------------------------------------------------------------------------------------


@require_POST
@needs(CHANGE_CASE)
def finish(request: ActorRequest, task: UUID) -> HttpResponse:
    """« Hecha »."""
    comment = request.POST.get("comment", "")

    def perform() -> str:
        done = services.finish_task(request.actor, task, comment=comment)
        if done.state == TaskState.REVIEW:
            return _("“%(title)s” waits for approval now.") % {"title": done.title}
        return _("“%(title)s” is done.") % {"title": done.title}

    return _act(request, task, perform, comment)


@require_POST
@needs(CHANGE_CASE)
def take_task(request: ActorRequest, task: UUID) -> HttpResponse:
    """« Asumir »."""

    def perform() -> str:
        taken = services.take_task(request.actor, task)
        return _("“%(title)s” is yours.") % {"title": taken.title}

    return _act(request, task, perform)


@require_POST
@needs(CHANGE_CASE)
def reopen(request: ActorRequest, task: UUID) -> HttpResponse:
    """« Retomar »."""
    reason = request.POST.get("reason", "")

    def perform() -> str:
        again = services.reopen_task(request.actor, task, reason=reason)
        return _("“%(title)s” is to be done again.") % {"title": again.title}

    return _act(request, task, perform, reason)


@require_POST
@needs(CHANGE_CASE)
def cancel(request: ActorRequest, task: UUID) -> HttpResponse:
    """« Cancelar »."""
    reason = request.POST.get("reason", "")

    def perform() -> str:
        gone = services.cancel_task(request.actor, task, reason=reason)
        return _("“%(title)s” is cancelled.") % {"title": gone.title}

    return _act(request, task, perform, reason)


@require_POST
@needs(APPROVE_TASK)
def approve(request: ActorRequest, task: UUID) -> HttpResponse:
    """« Aprobar »."""

    def perform() -> str:
        good = services.approve_task(request.actor, task)
        return _("“%(title)s” is approved.") % {"title": good.title}

    return _act(request, task, perform)


@require_POST
@needs(APPROVE_TASK)
def reject(request: ActorRequest, task: UUID) -> HttpResponse:
    """« No aprobar »."""
    reason = request.POST.get("reason", "")

    def perform() -> str:
        bad = services.reject_task(request.actor, task, reason=reason)
        return _("“%(title)s” goes back to whoever did it.") % {"title": bad.title}

    return _act(request, task, perform, reason)


@act(CHANGE_CASE, _TAB)
def tick(request: ActorRequest, case: UUID, paper: UUID) -> str:
    """« Anotar » how a paper stands."""
    document = request.POST.get("document", "")
    try:
        proof = UUID(document) if document else None
    except ValueError:
        raise Invalid(errors={"document": [_("Choose one of the offered values.")]}) from None
    found = services.tick_paper(
        request.actor,
        case,
        paper,
        request.POST.get("state", ""),
        document=proof,
        reason=request.POST.get("reason", ""),
    )
    told = {"name": found.name, "state": found.get_state_display().lower()}
    return _("“%(name)s”: %(state)s.") % told


# --- Inside -------------------------------------------------------------------------------------


def _act(
    request: ActorRequest, task: UUID, perform: Callable[[], str], typed: str = ""
) -> HttpResponse:
    """Does it and says so, or says why not, and gives back what was typed."""
    found = tasklists.tasks(request.actor).get_or_refuse(uuid=task)
    try:
        messages.success(request, perform())
    except (Invalid, Conflict) as error:
        messages.error(request, error.in_a_line)
        if typed.strip():
            messages.warning(request, _("What you had written: %(text)s") % {"text": typed.strip()})
    back = request.POST.get("back", "")
    if back in VIEWS:
        return HttpResponseRedirect(f"{reverse('cases:my_tasks')}?ver={back}")
    if back == "case":
        return HttpResponseRedirect(_case_page(found.case))
    return HttpResponseRedirect(reverse("cases:task", args=[task]))


def _case_page(case: Case) -> str:
    return f"{reverse('cases:detail', args=[case.uuid])}#tab-{_TAB}"


def _documents(actor: Actor, case: Case) -> list[Any]:
    return [one for one in selectors.documents_of(actor, case) if one.withdrawn_at is None]


def _form(request: ActorRequest, case: Case, task: Task | None) -> TaskForm:
    actor = request.actor
    others = tasklists.of_case(actor, case).exclude(state=TaskState.CANCELLED)
    return TaskForm(
        request.POST or None,
        people=selectors.people_who_see(actor, case),
        units=selectors.all_units(actor),
        others=[one for one in others if task is None or one.pk != task.pk],
        task=task,
    )


def _form_page(
    request: ActorRequest, form: TaskForm, case: Case, task: Task | None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "case": case, "task": task}
    return render(request, "cases/task_edit.html", context, status=status)
