"""Tasks and papers of cases by API: whose they are, and what is done with them."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.serializers import DateField as Day

from cases import services, tasklists
from cases.api.views import AS_WRITTEN, CaseAPIView
from cases.models import Case, Paper, Task, TaskState
from cases.permissions import APPROVE_TASK, CHANGE_CASE, VIEW_CASE
from cases.services import NewTask
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.api import ActorAPIView, operation
from crm.kit.api.shapes import Choice, Filters, Flag, Id, Input, Listing, Moment, Output, Text

TaskClosing = Task.Closing  # named here so that the schema can name them
PaperState = Paper.State
PaperSource = Paper.Source
MINE_OR_UNIT = (tasklists.MINE, tasklists.UNIT, tasklists.APPROVAL)


class TaskChanges(Input):
    """What may be changed of a task."""

    title = Text(max_length=200)
    instructions = Text(required=False, allow_blank=True, max_length=4_000)
    assignee = Id(required=False, allow_null=True, help_text="Null: its unit's, or whoever's.")
    unit = Id(required=False, allow_null=True, help_text="Null: that of the case.")
    term = Text(required=False, allow_blank=True, max_length=8, help_text="5wd, 15d, 3m or 1y.")
    due_at = Moment(required=False, allow_null=True, help_text="Instead of a term.")
    after = Listing(Id(), required=False, max_length=100, help_text="Tasks that come before.")
    needs_approval = Flag(required=False)
    closing = Choice(choices=TaskClosing.choices, required=False, allow_blank=True)


class NewTaskInput(TaskChanges):
    """A task to be added."""


class CommentInput(Input):
    """What came of it."""

    comment = Text(required=False, allow_blank=True, max_length=1_000)


class WhyInput(Input):
    """Why."""

    reason = Text(max_length=1_000)


class WhyNotInput(Input):
    """Why, if there is something to say."""

    reason = Text(required=False, allow_blank=True, max_length=1_000)


class TickInput(Input):
    """How a paper stands; a received one by a document of the case, a spared one with its reason."""

    state = Choice(choices=PaperState.choices)
    document = Id(required=False, allow_null=True)
    reason = Text(required=False, allow_blank=True, max_length=1_000)


class TaskFilters(Filters):
    """Which tasks."""

    whose = Choice(choices=MINE_OR_UNIT, required=False, help_text="`mine` unless said otherwise.")


class TaskOutput(Output):
    """Something to be done within a case."""

    id = Id(source="uuid")
    case = Id(source="case.uuid")
    reference = Text(source="case.reference")
    title = Text()
    instructions = Text(allow_blank=True)
    state = Choice(choices=TaskState.choices)
    assignee = Id(source="assignee.uuid", allow_null=True)
    unit = Id(source="unit.uuid", allow_null=True)
    term = Text(allow_blank=True)
    starts_on = Day(allow_null=True, help_text="Null while others must be done before.")
    due_at = Moment(allow_null=True)
    after = Listing(Id(), source="comes_after")
    needs_approval = Flag()
    closing = Choice(choices=TaskClosing.choices, allow_blank=True)
    comment = Text(allow_blank=True)
    reason = Text(allow_blank=True)
    done_by_name = Text(allow_blank=True)
    done_at = Moment(allow_null=True)
    reviewed_by_name = Text(allow_blank=True)
    reviewed_at = Moment(allow_null=True)
    explanation = Listing(Text(), help_text="The sum of its due date.")


class PaperOutput(Output):
    """A document that a case needs."""

    id = Id(source="uuid")
    code = Text()
    name = Text()
    required = Flag()  # type: ignore[assignment]
    source = Choice(choices=PaperSource.choices)  # type: ignore[assignment]
    needed_by = Text(allow_blank=True, help_text="Code of the state that it must be there for.")
    state = Choice(choices=PaperState.choices)
    document = Id(source="document.uuid", allow_null=True)
    reason = Text(allow_blank=True)
    ticked_by_name = Text(allow_blank=True)
    ticked_at = Moment(allow_null=True)


def told(rows: list[Task]) -> None:
    """What each task's answer says beyond its row."""
    before = tasklists.predecessors(rows)
    for task in rows:
        task.comes_after = [one.uuid for one in before.get(task.pk, [])]  # type: ignore[attr-defined]
        lines = [] if task.settled else tasklists.sum_of(task)
        task.explanation = [str(line) for line in lines]  # type: ignore[attr-defined]


def locked_version(actor: Actor, task_id: UUID) -> int:
    """The task's version, which nobody else can change before this transaction ends."""
    seen = Task.objects.for_actor(actor).only("case_id").get_or_refuse(uuid=task_id)
    cases = Case.objects.unscoped("the actor sees a task of it")
    cases.select_for_update(of=("self",), no_key=True).only("pk").get(pk=seen.case_id)
    return Task.objects.for_actor(actor).only("version").get_or_refuse(uuid=task_id).version


class TaskAPIView(ActorAPIView):
    """An address of one task."""

    versioned = staticmethod(locked_version)

    def show(self, task: Task) -> HttpResponse:
        """The task as it stands, with its version as ETag."""
        told([task])
        return self.reply(task, etag=task.version)


class CaseTasks(CaseAPIView):
    """What is to be done in a case."""

    @operation("List the tasks of a case", needs=VIEW_CASE, answers=TaskOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In the order in which they were added."""
        case = self.look(case_id, "tasks")
        rows = tasklists.tasks(self.actor).filter(case=case)
        return self.page(rows, AS_WRITTEN, complete=told)

    @operation("Add a task", needs=CHANGE_CASE, reads=NewTaskInput, answers=TaskOutput, status=201)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """409 when work on the case has ended."""
        task = services.add_task(self.actor, case_id, NewTask(**self.read()))
        told([task])
        return self.reply(task, etag=task.version, location=f"/api/v1/tasks/{task.uuid}/")


class Tasks(ActorAPIView):
    """What is to be done, whatever the case."""

    @operation("List tasks", needs=VIEW_CASE, filters=TaskFilters, answers=TaskOutput, paged=True)
    def get(self, request: Request) -> HttpResponse:
        """What is left to do, the soonest due first."""
        whose = self.filters().get("whose", tasklists.MINE)
        rows = tasklists.unsettled(self.actor, whose)
        return self.page(rows, tasklists.DUE_FIRST, complete=told)


class OneTask(TaskAPIView):
    """One task."""

    @operation("Read a task", needs=VIEW_CASE, answers=TaskOutput)
    def get(self, request: Request, task_id: UUID) -> HttpResponse:
        """Also for whom it was given to who may not see the case."""
        task = tasklists.tasks(self.actor).get_or_refuse(uuid=task_id)
        record(self.actor, "viewed", task.case, part="task")
        return self.show(task)

    @operation("Change a task", needs=CHANGE_CASE, reads=TaskChanges, answers=TaskOutput)
    def patch(self, request: Request, task_id: UUID) -> HttpResponse:
        """Only what is sent changes; 409 once it is settled."""
        return self.show(services.change_task(self.actor, task_id, self.read()))


class TakeTask(TaskAPIView):
    """Taking a task oneself."""

    @operation("Take a task", needs=CHANGE_CASE, answers=TaskOutput)
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """409 when somebody else has it."""
        self.read()
        return self.show(services.take_task(self.actor, task_id))


class FinishTask(TaskAPIView):
    """Saying that a task is done."""

    @operation("Finish a task", needs=CHANGE_CASE, reads=CommentInput, answers=TaskOutput)
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """409 while others must be done before it."""
        return self.show(services.finish_task(self.actor, task_id, **self.read()))


class ReopenTask(TaskAPIView):
    """Taking a settled task up again."""

    @operation("Reopen a task", needs=CHANGE_CASE, reads=WhyNotInput, answers=TaskOutput)
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """As if nobody had done it."""
        return self.show(services.reopen_task(self.actor, task_id, **self.read()))


class CancelTask(TaskAPIView):
    """The end of a task that need not be done."""

    @operation("Cancel a task", needs=CHANGE_CASE, reads=WhyInput, answers=TaskOutput)
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """What came after it may begin."""
        return self.show(services.cancel_task(self.actor, task_id, **self.read()))


class ApproveTask(TaskAPIView):
    """Approving what another person did."""

    @operation("Approve a task", needs=APPROVE_TASK, answers=TaskOutput)
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """403 to who did it, and to machines."""
        self.read()
        return self.show(services.approve_task(self.actor, task_id))


class RejectTask(TaskAPIView):
    """Not approving what another person did."""

    @operation("Reject a task", needs=APPROVE_TASK, reads=WhyInput, answers=TaskOutput)
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """It is to be done again."""
        return self.show(services.reject_task(self.actor, task_id, **self.read()))


class CasePapers(CaseAPIView):
    """The papers that a case needs."""

    @operation("List the papers of a case", needs=VIEW_CASE, answers=PaperOutput, paged=True)
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """In the order of the case type."""
        case = self.look(case_id, "tasks")
        rows = Paper.objects.for_actor(self.actor).filter(case=case).select_related("document")
        return self.page(rows, AS_WRITTEN)


class TickPaper(CaseAPIView):
    """How one paper stands."""

    @operation("Tick a paper", needs=CHANGE_CASE, reads=TickInput, answers=PaperOutput)
    def post(self, request: Request, case_id: UUID, paper_id: UUID) -> HttpResponse:
        """422 for a received paper without a document, or a spared one without a reason."""
        return self.reply(services.tick_paper(self.actor, case_id, paper_id, **self.read()))
