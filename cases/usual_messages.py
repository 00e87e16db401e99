"""The messages that a case type has ready, filled in for one case and in its citizen's language."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.timezone import localtime

from cases.models import Case
from cases.parts.messages import DATA
from cases.presenting import named
from cases.timeline import shown
from cases.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Usual:
    """A message that may be written now, as it would read."""

    name: str
    text: str


def offered(case: Case, workflow: Workflow, move: str = "") -> list[Usual]:
    """Those of the type: first what belongs to the move that was just made, then what always fits; what
    belongs to other moves only is left out after a move."""
    value_of = values_of(case, workflow)
    first = [one for one in workflow.messages if move and move in one.moves]
    always = [one for one in workflow.messages if not one.moves or not move]
    return [
        Usual(one.name, one.written(case.language, value_of))
        for one in (*first, *(one for one in always if one not in first))
    ]


def values_of(case: Case, workflow: Workflow) -> Callable[[str], str]:
    """What is known of the case, asked in the language in which it is to be read."""
    known: dict[str, Callable[[], str]] = {
        "citizen": lambda: named(case.citizen),
        "reference": lambda: case.reference,
        "subject": lambda: case.subject,
        "type": lambda: case.case_type.name,
        "state": lambda: workflow.name_of(case.state),
        "outcome": lambda: case.outcome,
        "result": lambda: _result(case, workflow),
        "due": lambda: date_format(localtime(case.due_at), "DATE_FORMAT") if case.due_at else "",
        "unit": lambda: case.unit.name,
        "organisation": lambda: case.organisation.name,
    }

    def value_of(name: str) -> str:
        if name in known:
            return known[name]()
        field = name.removeprefix(DATA)
        value = case.data.get(field)
        empty = value is None or value in ("", [])
        return "" if empty else shown(workflow.fields.said(field, value))

    return value_of


def _result(case: Case, workflow: Workflow) -> str:
    kept = getattr(case, "result", None)
    own = workflow.result(kept.code) if kept else None
    return own.name if own else kept.name if kept else ""
