"""Reading news: one's own, each with what it is about as one may see it now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.keyset import Order, Page, read_page
from crm.kit.models import StreamHead
from crm.kit.policy import Decision
from crm.notices.kinds import Shown, kinds, sentence, things
from crm.notices.models import Choice, Habits, Notification

NEWEST = Order(("id",), descending=True)
MOST = 99  # beyond that the bell says no number
IN_PANEL = 20
ALL, UNREAD, MENTIONS, MINE = "todas", "sin-leer", "menciones", "mias"
LISTS: Mapping[str, Text] = {
    ALL: _("All"),
    UNREAD: _("Unread"),
    MENTIONS: _("Mentions of me"),
    MINE: _("My work"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of news; without words when what it is about is none of the reader's any more."""

    row: Notification
    icon: str
    words: str


@dataclass(slots=True)
class Group:
    """All news of one thing that stand together."""

    shown: Shown | None
    lines: list[Line] = field(default_factory=list)

    @property
    def first(self) -> Notification:
        """The newest, by whose address the thing is opened."""
        return self.lines[0].row

    @property
    def unread(self) -> int:
        """How many of them nobody has read."""
        return sum(1 for line in self.lines if line.row.read_at is None)

    @property
    def at(self) -> datetime:
        """When the newest happened."""
        return self.first.at


def news(actor: Actor, which: str = ALL) -> "QuerySet[Notification]":
    """The actor's own, of one of the lists."""
    rows = Notification.objects.for_actor(actor).filter(in_console=True)
    if which == UNREAD:
        return rows.filter(read_at=None)
    if which == MENTIONS:
        return rows.filter(kind__in=[name for name, kind in kinds.items() if kind.names])
    if which == MINE:
        return rows.filter(kind__in=[name for name, kind in kinds.items() if kind.mine])
    return rows


def page_of(actor: Actor, which: str, cursor: str) -> "Page[Notification]":
    """One page of a list, newest first."""
    return read_page(news(actor, which), NEWEST, cursor)


def newest(actor: Actor) -> list[Group]:
    """What the bell shows."""
    return grouped(actor, news(actor).order_by(*NEWEST.terms)[:IN_PANEL])


def unread(actor: Actor) -> int:
    """How many are unread; MOST + 1 when there are more."""
    return news(actor, UNREAD)[: MOST + 1].count()


def heard(actor: Actor) -> int:
    """The number up to which the actor's stream has told all that the count holds. Asked before it."""
    head = StreamHead.objects.filter(pk=f"news:{actor.uuid}").values_list("seq", flat=True).first()
    return head or 0


def grouped(actor: Actor, rows: Iterable[Notification]) -> list[Group]:
    """The news by thing, in the order of the newest of each."""
    found: dict[tuple[str, str], list[Notification]] = defaultdict(list)
    for row in rows:
        found[row.thing, str(row.thing_id)].append(row)
    seen = shown(actor, found)
    return [
        Group(seen.get(about), [line(row, about in seen) for row in mine])
        for about, mine in found.items()
    ]


def shown(actor: Actor, about: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Shown]:
    """Of these things, those that exist for the actor, each kind of thing asked for once."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for thing, key in about:
        wanted[thing].add(key)
    found: dict[tuple[str, str], Shown] = {}
    for thing, keys in wanted.items():
        show = things.get(thing)
        if show is not None:
            found |= {(thing, key): one for key, one in show(actor, keys).items()}
    return found


def line(row: Notification, visible: bool) -> Line:
    """A piece of news in words, for who may see what it is about."""
    kind = kinds.get(row.kind)
    words = sentence(row.kind, row.actor_name, row.data) if visible else ""
    return Line(row, kind.icon if kind and visible else "eye-off", words)


def may_follow(actor: Actor, key: str) -> Decision:
    """Everybody follows their own news only."""
    return Decision(actor.user_id is not None and key == str(actor.uuid))


def chosen_by(actor: Actor) -> dict[str, tuple[bool, str]]:
    """How the actor wants to hear of each kind that they chose about."""
    rows = Choice.objects.for_actor(actor).values_list("kind", "console", "mail")
    return {kind: (console, mail) for kind, console, mail in rows}


def habits_of(actor: Actor) -> Habits:
    """The actor's habits, or the usual ones."""
    return Habits.objects.for_actor(actor).first() or Habits()
