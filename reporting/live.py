"""What goes on at this moment: a strip of numbers that rooms contribute to.

A room's numbers come from a LiveSource. Lower rooms cannot reach up: their sources are written here,
out of their selectors, and registered in this room's AppConfig.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case
from channels_app.models import Presence
from channels_app.permissions import SUPERVISE
from channels_app.selectors import wallboard
from crm.kit.errors import Text
from crm.kit.registry import Registry
from reporting.asking import Asked
from reporting.behind import facts_behind
from reporting.board import Board
from reporting.reading import read


@dataclass(frozen=True)
class LiveNumber:
    """One number of the strip, or since when something waits."""

    label: Text
    value: int | None = None
    since: datetime | None = None
    url: str = ""
    alarm: bool = False
    """Whether it asks for somebody."""


@dataclass(frozen=True)
class LiveSource:
    """What a room tells of this moment, for the units, types and channels that were asked for."""

    title: Text
    load: Callable[[Asked], Sequence[LiveNumber]]
    order: int = 50


sources: Registry[LiveSource] = Registry("live source")


def strip(asked: Asked) -> list[tuple[LiveSource, Sequence[LiveNumber]]]:
    """What every room tells, those that have nothing to tell left out."""
    found = []
    for source in sorted(sources.values(), key=lambda one: one.order):
        numbers = source.load(asked)
        if numbers:
            found.append((source, numbers))
    return found


def of_cases(asked: Asked) -> Sequence[LiveNumber]:
    """The cases of this very day."""
    board = Board(asked)
    now, today = board.open, asked.scope.at(asked.today, asked.today)
    counts: dict[str, int] = {}
    for measure, _value, count in read(today, ["opened", "ended", "answer"], "value"):
        counts[measure] = counts.get(measure, 0) + count
    return [
        LiveNumber(_("Open now"), now.total, url=board.behind("open")),
        LiveNumber(_("Waiting longest"), since=now.oldest, url=_oldest(asked)),
        LiveNumber(
            _("Overdue now"), now.overdue, url=board.behind("overdue"), alarm=bool(now.overdue)
        ),
        LiveNumber(_("Opened today"), counts.get("opened", 0)),
        LiveNumber(_("Answered today"), counts.get("answer", 0)),
        LiveNumber(_("Resolved today"), counts.get("ended", 0)),
    ]


def _oldest(asked: Asked) -> str:
    """Where the case is that waits longest, if the actor may see it."""
    waiting = facts_behind(asked.actor, asked.scope, "open", Q()).order_by("opened_at")
    first = waiting.values_list("pk", flat=True)[:1]
    case = Case.objects.for_actor(asked.actor).filter(pk__in=list(first)).only("uuid").first()
    return reverse("cases:detail", args=[case.uuid]) if case else ""


CASES = LiveSource(gettext_lazy("Cases today"), of_cases, order=10)


def of_queues(asked: Asked) -> Sequence[LiveNumber]:
    """The queues of conversations at this moment, for who supervises them."""
    if not asked.actor.holds(SUPERVISE):
        return []
    units = asked.scope.units
    every, agents = wallboard(asked.actor)
    queues = [now for now in every if units is None or now.queue.unit_id in units]
    if not queues:
        return []
    url = reverse("channels_app:wallboard")
    return [
        LiveNumber(
            _("Waiting in the queues"),
            sum(now.waiting for now in queues),
            url=url,
            alarm=any(now.late for now in queues),
        ),
        LiveNumber(
            _("Longest wait"), since=min((now.oldest for now in queues if now.oldest), default=None)
        ),
        LiveNumber(_("Conversations being attended"), sum(now.attended for now in queues)),
        LiveNumber(
            _("Employees available"),
            sum(agent.state == Presence.AVAILABLE for agent in agents),
            url=url,
        ),
        LiveNumber(_("Conversations answered today"), sum(now.answered_today for now in queues)),
        LiveNumber(_("Left without an answer today"), sum(now.abandoned_today for now in queues)),
    ]


QUEUES = LiveSource(gettext_lazy("Conversations now"), of_queues, order=20)
