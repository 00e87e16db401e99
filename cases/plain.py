"""What a case's state means to whoever filed it, and what happens next, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from cases.models import Case, StateCategory
from crm.kit.errors import Text


@dataclass(frozen=True, slots=True)
class Told:
    """A state in a few words, and the next thing that happens."""

    state: Text
    next: Text
    yours: bool = False  # it is the citizen's turn


_TOLD: Mapping[StateCategory, Told] = {
    StateCategory.NEW: Told(
        _("We have received it"),
        _("Somebody will look at it and tell you if anything is missing. You need do nothing now."),
    ),
    StateCategory.OPEN: Told(
        _("We are working on it"),
        _("We check what you sent and prepare the answer. You need do nothing now."),
    ),
    StateCategory.WAITING_CITIZEN: Told(
        _("It is your turn"),
        _(
            "We need something from you: read the last message below. The work goes on when we have it."
        ),
        yours=True,
    ),
    StateCategory.WAITING_THIRD_PARTY: Told(
        _("We wait for another office"),
        _("We have asked for a report and go on as soon as it comes. You need do nothing now."),
    ),
    StateCategory.RESOLVED: Told(
        _("There is a decision"),
        _("We will notify you of it. If you do not agree, the notification says how to appeal."),
    ),
    StateCategory.CLOSED: Told(
        _("It has ended"),
        _("There is nothing more to do. If you need something else, file a new application."),
    ),
}


def told(case: Case) -> Told:
    """How the case stands."""
    return _TOLD[StateCategory(case.category)]


STEPS: tuple[tuple[StateCategory, Text], ...] = (
    (StateCategory.NEW, _("Received")),
    (StateCategory.OPEN, _("Being worked on")),
    (StateCategory.RESOLVED, _("Decided")),
)


def steps(case: Case) -> list[tuple[Text, str]]:
    """The way of a case in three steps, each done, present or to come."""
    at = 0 if case.category == StateCategory.NEW else 2 if case.ended else 1
    marks = ("is-done", "is-now", "")
    return [
        (name, marks[0] if place < at or case.ended else marks[1] if place == at else marks[2])
        for place, (_category, name) in enumerate(STEPS)
    ]
