"""What the acts of macros are called, and how a run of one is told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from crm.kit.errors import Text

LABELS: Mapping[str, Text] = {
    "take": gettext_lazy("Assign to whoever runs it"),
    "assign": gettext_lazy("Assign to"),
    "move": gettext_lazy("Move to another state"),
    "priority": gettext_lazy("Change the priority"),
    "note": gettext_lazy("Write an internal note"),
    "answer": gettext_lazy("Send a canned answer"),
    "message": gettext_lazy("Send a message"),
    "task": gettext_lazy("Add a task"),
    "suspend": gettext_lazy("Suspend the legal deadline"),
    "papers": gettext_lazy("Ask the citizen for papers"),
    "unit": gettext_lazy("Change the unit"),
}
"""In the order in which they are offered."""


def in_words(steps: Iterable[Sequence[str]]) -> list[str]:
    """Each act, with what it is about where there is something to say."""
    return [
        f"{LABELS.get(act, act)}: {what}" if what else str(LABELS.get(act, act))
        for act, what in steps
    ]


def values(data: Mapping[str, Any]) -> dict[str, str]:
    """What an event of a run says, in words."""
    return {"did": "; ".join(in_words(data.get("steps", ())))}
