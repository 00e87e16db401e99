"""What a task says, as it comes through any door: read, checked, and wrong at its field."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from cases.models import Case, Confidentiality, Task, TaskOrder
from cases.permissions import VIEW_CASE
from cases.terms import read_term
from cases.texts import one_line, paragraphs
from crm.accounts.actors import actor_for
from crm.accounts.models import User
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Text
from crm.organisations.models import Organisation, Unit

_LONGEST = {"title": 200, "comment": 1_000, "reason": 1_000}


def apply(actor: Actor, task: Task, said: Mapping[str, Any]) -> list[Task]:
    """The task says so; the tasks that come before it. Invalid says what is wrong, by field."""
    errors: dict[str, list[Text]] = {}
    after: list[Task] = []
    for name, read in READERS.items():
        if name not in said:
            continue
        try:
            value = read(actor, task, said[name])
        except Invalid as error:
            errors |= {key: [*texts] for key, texts in error.errors.items()}
            continue
        if name == "after":
            after = value
        else:
            setattr(task, name, value)
    if said.get("due_at") and task.term:
        errors["due_at"] = [_("Give a term or a date, not both.")]
    elif "term" in said and not task.term and "due_at" not in said:
        task.due_at = None
    if errors:
        raise Invalid(errors=errors)
    return after


def _title(_actor: Actor, _task: Task, text: str) -> str:
    title = one_line(text)
    if not title:
        raise Invalid(errors={"title": [_("This field is required.")]})
    return bounded("title", title)


def _instructions(_actor: Actor, _task: Task, text: str) -> str:
    most = Task._meta.get_field("instructions").max_length or 0
    said = paragraphs(text)
    if len(said) > most:
        raise Invalid(errors={"instructions": [_too_long(most)]})
    return said


def bounded(name: str, text: str) -> str:
    """A line that is not too long."""
    most, said = _LONGEST[name], one_line(text)
    if len(said) > most:
        raise Invalid(errors={name: [_too_long(most)]})
    return said


def _too_long(most: int) -> Text:
    return _("Write at most %(limit)s characters.") % {"limit": most}


def reason_of(reason: str) -> str:
    """Why, which must be said."""
    said = bounded("reason", reason)
    if not said:
        raise Invalid(errors={"reason": [_("This field is required.")]})
    return said


def _term(_actor: Actor, _task: Task, text: str) -> str:
    try:
        term = read_term((text or "").strip())
    except ValueError:
        raise Invalid(errors={"term": [_("Write the term as 30wd, 15d, 3m or 1y.")]}) from None
    return str(term) if term else ""


def _unit(actor: Actor, task: Task, unit: UUID | None) -> Unit | None:
    if unit is None:
        return None
    case = task.case
    rows = Unit.objects.for_actor(actor).filter(closed_on=None).select_related("organisation")
    found = rows.filter(uuid=unit).first()
    if found is None:
        raise Invalid(errors={"unit": [_("There is no such unit, or it is closed.")]})
    if case.confidentiality == Confidentiality.SPECIAL and found.pk != case.unit_id:
        text = _("The case is specially protected: its tasks stay in its unit.")
        raise Invalid(errors={"unit": [text]})
    return found


def _person(actor: Actor, task: Task, person: UUID | None) -> User | None:
    """Somebody who can see the task: as one of the case's unit, or of the unit that it is given to."""
    if person is None:
        return None
    user = User.objects.filter(uuid=person).first()
    organisation = Organisation.objects.for_actor(actor).get()
    theirs = actor_for(user, organisation, actor.origin) if user else None
    if user is None or theirs is None:
        raise Invalid(errors={"assignee": [_("This person does not work here.")]})
    reach = theirs.reach(VIEW_CASE)
    place = task.unit_id or task.case.unit_id
    protected = task.case.confidentiality == Confidentiality.SPECIAL
    if not reach.covers(place) or (
        protected and not Case.objects.for_actor(theirs).filter(pk=task.case_id).exists()
    ):
        text = _("%(name)s cannot see the cases of this unit.") % {"name": theirs.name}
        raise Invalid(errors={"assignee": [text]})
    return user


def _before(actor: Actor, task: Task, uuids: Iterable[UUID]) -> list[Task]:
    """The tasks of the case that come before; Invalid when one of them comes after this one."""
    wanted = set(uuids)
    found = list(Task.objects.for_actor(actor).filter(case=task.case, uuid__in=wanted))
    if len(found) != len(wanted):
        raise Invalid(errors={"after": [_("There is no such task in this case.")]})
    if task.pk is None:
        return found
    circle = _circle(task, found)
    if circle:
        text = _("These tasks would come after each other in a circle: %(tasks)s.")
        raise Invalid(errors={"after": [text % {"tasks": " → ".join(circle)}]})
    return found


def _circle(task: Task, after: Iterable[Task]) -> list[str]:
    """The titles on the way by which the task would come after itself; none when it would not."""
    titles = dict(task.case.tasks.values_list("pk", "title"))
    before: dict[int, list[int]] = {}
    orders = TaskOrder.objects.filter(task__case=task.case).exclude(task=task)
    for own, other in orders.values_list("task", "after"):
        before.setdefault(own, []).append(other)
    ways = [[one.pk] for one in after]
    seen: set[int] = set()
    while ways:
        way = ways.pop(0)
        if way[-1] == task.pk:
            return [task.title, *(titles[key] for key in reversed(way[:-1])), task.title]
        for other in before.get(way[-1], []):
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def _closing(_actor: Actor, _task: Task, closing: str) -> str:
    if closing not in ("", *Task.Closing.values):
        raise Invalid(errors={"closing": [_("Choose one of the offered values.")]})
    return closing


READERS: Mapping[str, Callable[[Actor, Task, Any], Any]] = {
    "title": _title,
    "instructions": _instructions,
    "unit": _unit,  # before the person, who is of it
    "assignee": _person,
    "term": _term,
    "due_at": lambda _actor, _task, moment_: moment_,
    "needs_approval": lambda _actor, _task, wanted: bool(wanted),
    "closing": _closing,
    "after": _before,
}
