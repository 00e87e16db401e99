"""What employees fill in about tasks and papers of a case."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.forms import unit_choices
from cases.models import Paper, Task
from cases.services import NewTask
from cases.terms import read_term
from crm.accounts.models import User
from crm.kit.forms import ServiceForm
from crm.organisations.selectors import Node

_UNITS = (
    ("wd", gettext_lazy("working days")),
    ("d", gettext_lazy("calendar days")),
    ("m", gettext_lazy("months")),
)


class MomentInput(forms.DateTimeInput):
    """A day and an hour."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class TaskForm(ServiceForm):
    """What is to be done, by whom, until when and after what."""

    title = forms.CharField(label=gettext_lazy("What is to be done"), max_length=200)
    instructions = forms.CharField(
        label=gettext_lazy("Instructions"),
        max_length=4_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    unit = forms.TypedChoiceField(
        label=gettext_lazy("Unit that does it"),
        help_text=gettext_lazy("Its people see this task and the case's subject, not the case."),
        coerce=UUID,
        empty_value=None,
        required=False,
    )
    assignee = forms.TypedChoiceField(
        label=gettext_lazy("Person"), coerce=UUID, empty_value=None, required=False
    )
    term_count = forms.IntegerField(
        label=gettext_lazy("To be done within"), min_value=1, max_value=999, required=False
    )
    term_unit = forms.ChoiceField(label=gettext_lazy("Counted in"), choices=_UNITS, required=False)
    due_at = forms.DateTimeField(
        label=gettext_lazy("Or on a day and at an hour"), widget=MomentInput, required=False
    )
    after = forms.TypedMultipleChoiceField(
        label=gettext_lazy("After these tasks"),
        coerce=UUID,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    closing = forms.ChoiceField(
        label=gettext_lazy("If it is not done when the case ends"),
        choices=[
            ("", gettext_lazy("Nothing happens")),
            (Task.Closing.WARNS, gettext_lazy("A warning is shown")),
            (Task.Closing.BLOCKS, gettext_lazy("The case cannot end")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    needs_approval = forms.BooleanField(
        label=gettext_lazy("Another person approves it"), required=False
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    places = {"term": "term_count"}

    def __init__(
        self,
        *args: Any,
        people: Iterable[User],
        units: Iterable[Node],
        others: Iterable[Task],
        task: Task | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        found = {str(one.uuid): one.full_name for one in people}
        if task is not None:
            self.initial = self.of(task)
            if task.assignee is not None:
                found.setdefault(str(task.assignee.uuid), task.assignee.full_name)
        nobody = ("", _("Whoever has the case"))
        self._offer("unit", [("", _("That of the case")), *unit_choices(units)])
        self._offer("assignee", [nobody, *found.items()])
        self._offer("after", [(str(one.uuid), one.title) for one in others])
        if not self.fields["after"].choices:  # type: ignore[attr-defined]
            del self.fields["after"]

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    @staticmethod
    def of(task: Task) -> dict[str, Any]:
        """What the fields hold at first."""
        term = read_term(task.term)
        return {
            "title": task.title,
            "instructions": task.instructions,
            "unit": str(task.unit.uuid) if task.unit else "",
            "assignee": str(task.assignee.uuid) if task.assignee else "",
            "term_count": term.count if term else None,
            "term_unit": term.unit if term else "wd",
            "due_at": None if term else task.due_at,
            "after": [str(order.after.uuid) for order in task.orders.select_related("after")],
            "closing": task.closing,
            "needs_approval": task.needs_approval,
            "seen": task.version,
        }

    def said(self) -> dict[str, Any]:
        """What the form says of the task, by the verb's names."""
        given = self.cleaned_data
        count = given["term_count"]
        names = ("title", "instructions", "unit", "assignee", "due_at", "closing", "needs_approval")
        return {
            **{name: given[name] for name in names},
            "term": f"{count}{given['term_unit'] or 'wd'}" if count else "",
            "after": given.get("after", []),
        }

    def new_task(self) -> NewTask:
        """The task that the form describes."""
        return NewTask(**self.said())


def states_of(paper: Paper) -> list[tuple[str, str]]:
    """What may be said of a paper."""
    return [(value, str(label)) for value, label in Paper.State.choices if value != paper.state]
