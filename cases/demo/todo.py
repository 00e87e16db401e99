"""What is to be done in the cases on the known agents' desks, so that « Tareas » looks alive."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import cycle

from cases.demo.cast import Cast, Worker
from cases.demo.stories import Story
from cases.models import Case, Task
from cases.services import NewTask, add_task, finish_task, told_at
from cases.services.papers import list_papers
from cases.services.tasks import plan_tasks
from cases.workflow import of_version
from crm.audit.record import dated
from crm.kit.demo import Demo
from crm.kit.models import uuid7

CASES = 14
_CALL = NewTask(
    title="Llamar a la persona interesada",
    instructions="Confirmar el teléfono y explicarle qué falta y hasta cuándo puede aportarlo.",
    term="2wd",
)
_CHECK = NewTask(
    title="Comprobar los datos en el registro",
    instructions="Si no coinciden, dejar nota con la diferencia antes de seguir.",
    term="3wd",
    closing="blocks",
)
_PROPOSE = NewTask(
    title="Redactar la propuesta de resolución",
    instructions="Con los hechos, los fundamentos y el pie de recurso.",
    term="10wd",
    needs_approval=True,
    closing="blocks",
)
_FILE = NewTask(title="Archivar la copia en papel", term="1m", closing="warns")
_PLANS = ((_CALL,), (_CHECK, _PROPOSE), (_FILE,), (_CHECK, _CALL), (_PROPOSE,))


def fill(demo: Demo, cast: Cast, agent: Worker, stories: Iterable[Story]) -> None:
    """Some of the agent's open cases have tasks: to do, late, done, waiting for approval."""
    mine = [one for one in stories if one.case.assignee_id == agent.user.pk and not one.case.ended]
    plans, others = cycle(_PLANS), cycle(sorted(cast.units))
    for number, story in enumerate(mine[:CASES]):
        at = story.at + timedelta(minutes=25)
        if at > demo.now:
            continue
        with told_at(at), dated(at):
            made = _plan(
                agent, story.case, next(plans), cast, next(others) if number % 5 == 3 else ""
            )
            if number % 3 == 1:
                finish_task(agent.actor, made[0].uuid, comment="Hecho; queda en el expediente.")
        _stands(story.case, at)
        demo.made["tasks"] += story.case.tasks.count()


def _plan(agent: Worker, case: Case, plan: Iterable[NewTask], cast: Cast, other: str) -> list[Task]:
    """The tasks of the case: its type's own, or those of the plan, one after the other."""
    workflow = of_version(case.type_version.bundle)
    if workflow.checklist.tasks:
        list_papers(case, workflow)
        plan_tasks(agent.actor, case, workflow, "opened", workflow.initial)
        return [task for task in case.tasks.order_by("pk") if task.starts_on is not None]
    made: list[Task] = []
    for new in plan:
        said: Mapping[str, object] = {
            **{name: getattr(new, name) for name in ("title", "instructions", "term", "closing")},
            "needs_approval": new.needs_approval,
            "after": [one.uuid for one in made],
            "unit": cast.units[other].uuid if other and not made else None,
        }
        made.append(add_task(agent.actor, case.uuid, NewTask(**said), key=uuid7()))  # type: ignore[arg-type]
    return made


def _stands(case: Case, at: datetime) -> None:
    """The case changed last when its newest event says."""
    Case.objects.unscoped("the demo's own").filter(pk=case.pk).update(updated_at=at)
