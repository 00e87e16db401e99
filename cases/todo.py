"""What the events of tasks and papers say in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from cases.models import EventKind, Paper
from crm.kit.errors import Text

KINDS = (
    EventKind.TASK_ADDED,
    EventKind.TASK_CHANGED,
    EventKind.TASK_DONE,
    EventKind.TASK_APPROVED,
    EventKind.TASK_REJECTED,
    EventKind.TASK_CANCELLED,
    EventKind.TASK_REOPENED,
    EventKind.PAPER_TICKED,
)

SENTENCES: Mapping[str, Text] = {
    EventKind.TASK_ADDED: gettext_lazy("added what is to be done: %(title)s"),
    EventKind.TASK_CHANGED: gettext_lazy("changed the task “%(title)s”: %(fields)s"),
    EventKind.TASK_DONE: gettext_lazy("did the task “%(title)s”"),
    EventKind.TASK_APPROVED: gettext_lazy(
        "approved the task “%(title)s” that %(done_by)s had done"
    ),
    EventKind.TASK_REJECTED: gettext_lazy(
        "did not approve the task “%(title)s” that %(done_by)s had done"
    ),
    EventKind.TASK_CANCELLED: gettext_lazy("cancelled the task “%(title)s”"),
    EventKind.TASK_REOPENED: gettext_lazy("took up the task “%(title)s” again"),
    EventKind.PAPER_TICKED: gettext_lazy("noted of the paper “%(title)s”: %(what)s"),
}
FIELD_LABELS: Mapping[str, Text] = {
    "title": gettext_lazy("title"),
    "instructions": gettext_lazy("instructions"),
    "assignee": gettext_lazy("who does it"),
    "unit": gettext_lazy("unit that does it"),
    "term": gettext_lazy("term"),
    "due_at": gettext_lazy("due date"),
    "after": gettext_lazy("what comes before"),
    "needs_approval": gettext_lazy("approval"),
    "closing": gettext_lazy("what it means when the case ends"),
}


def values_of(data: Mapping[str, Any]) -> dict[str, str]:
    """What an event of a task says, in words: the fields that changed, the due date, how a paper stands."""
    found = {}
    if data.get("fields"):
        found["fields"] = ", ".join(str(FIELD_LABELS.get(name, name)) for name in data["fields"])
    if data.get("due"):
        found["due"] = date_format(localtime(datetime.fromisoformat(data["due"])), "j b Y")
    if data.get("state"):
        found["what"] = str(dict(Paper.State.choices).get(data["state"], "…")).lower()
    return found
