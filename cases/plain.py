"""What a case's state means to whoever filed it, and what happens next, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from cases.models import Case, StateCategory
from cases.silence import Effect, Silence
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


def silence_told(found: Silence | None) -> Text:
    """What the silence of the administration means to whoever filed a case; "" when nothing does."""
    if found is None or found.since is None or found.late:
        return ""
    words = (_PASSED if found.happened else _COMING)[found.effect]
    return str(words) % {"date": date_format(found.since)}


_COMING: Mapping[Effect, Text] = {
    Effect.GRANTED: _(
        "If we have not notified you of an answer by then, what you ask for counts as granted from"
        " %(date)s."
    ),
    Effect.DENIED: _(
        "If we have not notified you of an answer by then, you may take it as denied and appeal from"
        " %(date)s. We still have to answer you."
    ),
    Effect.EXPIRED: _("If we have not notified an answer by then, the procedure ends on %(date)s."),
    Effect.NONE: _("If we are late, you lose nothing: after %(date)s we still have to answer you."),
}
_PASSED: Mapping[Effect, Text] = {
    Effect.GRANTED: _(
        "The term has passed without our answer. By law, what you asked for counts as granted since"
        " %(date)s. You may ask us for a certificate of it."
    ),
    Effect.DENIED: _(
        "The term has passed without our answer. By law, since %(date)s you may take it as denied and"
        " appeal. We still have to answer you."
    ),
    Effect.EXPIRED: _(
        "The term has passed without an answer. By law, the procedure has ended on %(date)s, and we"
        " have to tell you so."
    ),
    Effect.NONE: _(
        "The term passed on %(date)s without our answer. That has no effect by itself: we still have"
        " to answer you."
    ),
}


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
