"""What an address of the board asks for, of what the actor may see: the one reader of its filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

from cases.models import CaseType
from crm.citizens.models import Channel
from crm.kit.actor import Actor, Reach
from crm.organisations.models import Organisation
from crm.organisations.selectors import Node, UnitTree, unit_tree
from reporting.forms import BoardForm
from reporting.permissions import VIEW_REPORT
from reporting.reading import Open, Scope, read_open

FILTERS = ("periodo", "desde", "hasta", "comparar", "unidad", "tipo", "canal")


@dataclass
class Asked:
    """A board that was asked for: its scope, what it is compared with, and the words for both."""

    actor: Actor
    organisation: Organisation
    query: QueryDict

    @cached_property
    def now(self) -> datetime:
        """This moment by the organisation's clock."""
        return timezone.now().astimezone(ZoneInfo(self.organisation.time_zone))

    @property
    def today(self) -> date:
        """This day by the organisation's clock."""
        return self.now.date()

    @cached_property
    def tree(self) -> UnitTree:
        """The organisation's units."""
        return unit_tree(self.organisation)

    @property
    def reach(self) -> Reach:
        """How far the actor's right to see reports goes."""
        return self.actor.reach(VIEW_REPORT)

    @cached_property
    def units(self) -> list[Node]:
        """The units whose reports the actor may see, closed ones too, in the tree's order."""
        return [node for node in self.tree.nodes if self.reach.covers(node.id)]

    @cached_property
    def types(self) -> Mapping[int, CaseType]:
        """The organisation's kinds of cases, those no longer in use too, by name."""
        rows = CaseType.objects.for_actor(self.actor).order_by("name")
        return {row.pk: row for row in rows}

    @cached_property
    def form(self) -> BoardForm:
        """The filters, checked."""
        form = BoardForm(
            self.query,
            units=[(node.uuid, node.name) for node in self.units],
            types=[(row.code, row.name) for row in self.types.values()],
            today=self.today,
        )
        form.is_valid()
        return form

    @cached_property
    def scope(self) -> Scope:
        """What the figures are asked of."""
        start, end = self.form.period()
        chosen = set(self.form.chosen("tipo"))
        return Scope(
            self.organisation.pk,
            start,
            end,
            self._units(),
            frozenset(pk for pk, row in self.types.items() if row.code in chosen),
            frozenset(self.form.chosen("canal")),
        )

    @cached_property
    def before(self) -> Scope | None:
        """What they are compared with."""
        compared = self.form.compared()
        return self.scope.at(*compared) if compared else None

    @cached_property
    def open(self) -> Open:
        """What is open now, of the scope: the board and its live strip tell of the same."""
        return read_open(self.scope, self.now)

    def _units(self) -> frozenset[int] | None:
        chosen = set(self.form.chosen("unidad"))
        if not chosen:
            return None if self.reach.everywhere else self.reach.units
        roots = [node.id for node in self.units if node.uuid in chosen]
        below = self.tree.below(roots)
        if self.reach.everywhere:
            return None if len(below) == len(self.tree.nodes) else below
        return below & self.reach.units

    # --- addresses ---

    def address(self, **changes: str | list[str]) -> str:
        """The query of the same board but for these filters."""
        kept = {name: self.query.getlist(name) for name in FILTERS if self.query.get(name)}
        for name, value in changes.items():
            kept[name] = value if isinstance(value, list) else [value] * bool(value)
        return urlencode(kept, doseq=True)

    @property
    def kept(self) -> dict[str, list[str]]:
        """The filters as an export keeps them: its period stays when days go by."""
        kept = {name: self.query.getlist(name) for name in FILTERS if self.query.get(name)}
        kept |= {
            "periodo": ["otro"],
            "desde": [self.scope.start.isoformat()],
            "hasta": [self.scope.end.isoformat()],
        }
        return kept

    def channel_name(self, channel: str) -> str:
        """The word for a channel."""
        return str(dict(Channel.choices).get(channel, channel))


def asked_by(actor: Actor, query: QueryDict | Mapping[str, list[str]]) -> Asked:
    """What the address (or what an export kept of it) asks for."""
    organisation = Organisation.objects.for_actor(actor).get()
    if not isinstance(query, QueryDict):
        query = QueryDict(urlencode(query, doseq=True))
    return Asked(actor, organisation, query)
