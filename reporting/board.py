"""The board: the catalogue's figures of what was asked, compared, drawn and led to what is behind them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.accounts.actors import actor_for
from crm.accounts.models import Membership, User
from crm.kit.actor import EVERYWHERE, Actor
from crm.kit.errors import Text
from crm.organisations.models import DataClass, Organisation, SharingAgreement
from crm.organisations.selectors import Node
from reporting import facts
from reporting.asking import Asked, asked_by
from reporting.charts import Bar, Cell, Lines, bars, level, lines
from reporting.metrics import Metric, Reading, Unit, catalogue, reading, readings
from reporting.models import District
from reporting.permissions import VIEW_REPORT
from reporting.reading import Open, Scope, read, read_kinds, read_open_by_unit

MOST_DAYS, MOST_WEEKS = 45, 200  # days told one by one; days told week by week
MOST_BARS = 12
COMPARED = ("opened", "ended", "backlog", "solved_median", "late")
BAND_NAMES: Sequence[Text] = (
    gettext_lazy("Up to 7 days"),
    gettext_lazy("8 to 15 days"),
    gettext_lazy("16 to 30 days"),
    gettext_lazy("31 to 60 days"),
    gettext_lazy("61 to 90 days"),
    gettext_lazy("More than 90 days"),
)


def in_words(unit: Unit, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "—"
    if unit is Unit.SHARE:
        return _("%(number)s %%") % {"number": number_format(100 * value, 1)}
    if unit is Unit.CASES:
        return number_format(value, 0, force_grouping=True)
    if value < 60:
        return _("%(count)s min") % {"count": int(value)}
    hours = value / 60
    digits = 1 if hours < 10 else 0
    return _("%(count)s h") % {"count": number_format(hours, digits, force_grouping=True)}


@dataclass(frozen=True)
class Figure:
    """A figure of the catalogue with its value, and what it was in the period compared with."""

    metric: Metric
    value: float | None
    before: float | None
    compared: bool
    url: str
    note: str = ""

    @property
    def text(self) -> str:
        """The value as people read it."""
        return in_words(self.metric.unit, self.value)

    @property
    def before_text(self) -> str:
        """The value it is compared with."""
        return in_words(self.metric.unit, self.before)

    @property
    def change(self) -> float | None:
        """By how much it differs: as a part of before; shares as the difference itself."""
        if self.value is None or self.before is None:
            return None
        if self.metric.unit is Unit.SHARE:
            return self.value - self.before
        return (self.value - self.before) / self.before if self.before else None

    @property
    def change_text(self) -> str:
        """The difference as people read it, with its sign."""
        if self.change is None:
            return ""
        sign = "+" if self.change > 0 else "−" if self.change < 0 else "±"
        number = number_format(abs(100 * self.change), 1 if self.metric.unit is Unit.SHARE else 0)
        words = _("%(number)s points") if self.metric.unit is Unit.SHARE else _("%(number)s %%")
        return sign + words % {"number": number}

    @property
    def kind(self) -> str:
        """How the change looks: better, worse or neither, always beside its words."""
        if not self.change or not self.metric.better:
            return "end"
        return "ok" if (self.change < 0) == (self.metric.better == "less") else "bad"

    @property
    def icon(self) -> str:
        """Which way it went."""
        if not self.change:
            return "equal"
        return "trending-up" if self.change > 0 else "trending-down"


@dataclass(frozen=True)
class Compared:
    """A row of a comparison: somebody's figures of the same period."""

    name: Text
    url: str
    figures: Sequence[str]
    depth: int = 0
    values: Sequence[float | None] = ()


@dataclass
class Board:
    """What the page shows; each part is read when it is first looked at."""

    asked: Asked

    @property
    def scope(self) -> Scope:
        """What its figures are of."""
        return self.asked.scope

    @cached_property
    def counted_at(self) -> Any:
        """Until when everything is counted."""
        return facts.counted_at(self.scope.organisation_id)

    @property
    def open(self) -> Open:
        """What is open now."""
        return self.asked.open

    @cached_property
    def readings(self) -> list[Reading]:
        """Of the period, and of the one it is compared with if there is one."""
        scopes = [self.scope, *([self.asked.before] if self.asked.before else [])]
        return readings(scopes, self.asked.now, self.open.total)

    @property
    def now(self) -> Reading:
        """Of the period."""
        return self.readings[0]

    @property
    def before(self) -> Reading | None:
        """Of the period that it is compared with."""
        return self.readings[1] if len(self.readings) > 1 else None

    @cached_property
    def figures(self) -> list[Figure]:
        """The catalogue's."""
        return [
            Figure(
                metric,
                metric.value(self.now),
                metric.value(self.before) if self.before else None,
                self.before is not None,
                self.behind(metric.behind),
                self._clock(metric),
            )
            for metric in catalogue.values()
        ]

    def behind(self, measure: str, **narrow: str | list[str]) -> str:
        """The list of cases behind what a measure counts here."""
        own = {name: value for name, value in narrow.items() if name in ("tipo", "canal", "unidad")}
        rest = {name: value for name, value in narrow.items() if name not in own}
        query = self.asked.address(**own)
        more = "".join(f"&{name}={value}" for name, value in rest.items())
        return f"{reverse('reporting:behind')}?figura={measure}{more}{'&' if query else ''}{query}"

    def _clock(self, metric: Metric) -> str:
        """By which clock a duration counts."""
        if metric.unit is not Unit.MINUTES:
            return ""
        natural, total = self.now.natural("answer" if "answer" in metric.code else "solved")
        if not natural:
            return _("opening hours") if total else ""
        if natural == total:
            return _("natural time")
        share = number_format(100 * natural / total, 0)
        return _("opening hours; %(share)s %% in natural time") % {"share": share}

    # --- over time ---

    @cached_property
    def buckets(self) -> list[tuple[str, date, date]]:
        """The period in days, weeks or months: word, first and last day."""
        return list(buckets(self.scope.start, self.scope.end))

    @cached_property
    def flow(self) -> Lines:
        """What came in and what was done."""
        by_day = self.now.by_day

        def series(measure: str) -> list[int]:
            told = by_day.get(measure, {})
            return [
                sum(told.get(first + timedelta(days=n), 0) for n in range((last - first).days + 1))
                for _word, first, last in self.buckets
            ]

        words = [word for word, _first, _last in self.buckets]
        return lines(
            words,
            [
                (catalogue["opened"].name, "a", series("opened")),
                (catalogue["ended"].name, "b", series("ended")),
            ],
        )

    @cached_property
    def stock(self) -> Lines:
        """What was left open at the end of each day, week or month."""
        words = [word for word, _first, _last in self.buckets]
        left = [self.now.backlog(last) for _word, _first, last in self.buckets]
        return lines(words, [(catalogue["backlog"].name, "c", left)])

    @cached_property
    def ages(self) -> list[Bar]:
        """How old what is open now is."""
        return bars(
            [
                (name, count, self.behind("open", edad=str(number)))
                for number, (name, count) in enumerate(
                    zip(BAND_NAMES, self.open.bands, strict=True)
                )
            ]
        )

    # --- demand ---

    @cached_property
    def _kinds(self) -> tuple[dict[int, Counter[str]], dict[str, Counter[str]]]:
        return read_kinds(self.scope, ["opened"])

    @cached_property
    def types(self) -> list[Bar]:
        """By case type."""
        types = self.asked.types
        found = [
            (row.name, counts["opened"], self.behind("opened", tipo=row.code))
            for pk, counts in self._kinds[0].items()
            if (row := types.get(pk)) and counts["opened"]
        ]
        return _longest(found)

    @cached_property
    def channels(self) -> list[Bar]:
        """By channel."""
        return _longest(
            [
                (
                    self.asked.channel_name(channel),
                    counts["opened"],
                    self.behind("opened", canal=channel),
                )
                for channel, counts in self._kinds[1].items()
                if counts["opened"]
            ]
        )

    @cached_property
    def _by_unit(self) -> dict[int, Counter[str]]:
        found: dict[int, Counter[str]] = {}
        for measure, unit, count in read(self.scope, ["opened", "ended", "due", "late"], "unit"):
            found.setdefault(unit, Counter())[measure] = count
        return found

    @cached_property
    def units(self) -> list[Compared]:
        """The units next below what was chosen, each with those under it."""
        tree, now_open = self.asked.tree, read_open_by_unit(self.scope)
        rows = []
        shown = self._shown_units()
        parents = {node.parent_id for node in shown}
        for node in shown:
            # a unit whose sub-units stand beside it is counted without them
            below = tree.below([node.id]) if node.id not in parents else frozenset({node.id})
            if self.scope.units is not None:
                below &= self.scope.units
            total: Counter[str] = Counter()
            for unit in below:
                total.update(self._by_unit.get(unit, {}))
                total["open"] += now_open.get(unit, 0)
            late = total["late"] / total["due"] if total["due"] else None
            values: list[float | None] = [total["opened"], total["ended"], total["open"], late]
            kinds = (Unit.CASES, Unit.CASES, Unit.CASES, Unit.SHARE)
            if total["opened"] or total["ended"] or total["open"]:
                rows.append(
                    Compared(
                        node.name,
                        f"?{self.asked.address(unidad=node.uuid)}",
                        [in_words(kind, value) for kind, value in zip(kinds, values, strict=True)],
                        values=values,
                    )
                )
        return sorted(rows, key=lambda row: -(row.values[0] or 0))

    def _shown_units(self) -> list[Node]:
        """Where more than one unit was chosen or is in reach, these; of a single one its sub-units."""
        tree, scope = self.asked.tree, self.scope
        inside = [node for node in tree.nodes if scope.units is None or node.id in scope.units]
        ids = {node.id for node in inside}
        tops = [node for node in inside if node.parent_id not in ids]
        while len(tops) == 1:
            under = [node for node in inside if node.parent_id == tops[0].id]
            if not under:
                break
            if tops[0].id in self._by_unit:
                return [tops[0], *under]
            tops = under
        return tops

    @cached_property
    def districts(self) -> list[Bar]:
        """By district; none where no districts were set up."""
        return _longest(
            [
                (name, count, self.behind("opened", distrito=key))
                for key, name, count, _place in self._districts
            ]
        )

    @cached_property
    def _districts(self) -> list[tuple[str, Text, int, District | None]]:
        places = {row.pk: row for row in District.objects.for_actor(self.asked.actor)}
        if not places:
            return []
        found: list[tuple[str, Text, int, District | None]] = []
        for _measure, value, count in read(self.scope, ["district"], "value"):
            place = places.get(value)
            if place:
                found.append((str(place.uuid), place.name, count, place))
            else:
                found.append(("sin", _("Not known"), count, None))
        return found

    @cached_property
    def map(self) -> list[dict[str, Any]]:
        """The districts as the map draws them."""
        return [
            {
                "name": str(name),
                "count": count,
                "latitude": place.latitude,
                "longitude": place.longitude,
                "text": ngettext("%(count)s case", "%(count)s cases", count) % {"count": count},
                "url": self.behind("opened", distrito=key),
            }
            for key, name, count, place in self._districts
            if place is not None
        ]

    @cached_property
    def heat(self) -> list[tuple[str, list[Cell]]]:
        """When people come: a row for each weekday, a field for each hour."""
        found = {(day, hour): n for _m, day, hour, n in read(self.scope, ["hour"], "weekday")}
        most = max(found.values(), default=0)
        monday = date(2024, 1, 1)
        return [
            (
                date_format(monday + timedelta(days=day - 1), "l").capitalize(),
                [
                    Cell(
                        count := found.get((day, hour), 0),
                        level(count, most),
                        self.behind("opened", franja=f"{day}-{hour}") if count else "",
                    )
                    for hour in range(24)
                ],
            )
            for day in range(1, 8)
        ]


def _longest(rows: Sequence[tuple[Text, int, str]]) -> list[Bar]:
    """The longest bars first, the rest as one."""
    ordered = sorted(rows, key=lambda row: (-row[1], str(row[0])))
    if len(ordered) > MOST_BARS:
        rest = sum(row[1] for row in ordered[MOST_BARS - 1 :])
        ordered = [*ordered[: MOST_BARS - 1], (_("All others"), rest, "")]
    return bars(ordered)


def buckets(start: date, end: date) -> Iterator[tuple[str, date, date]]:
    """A period cut into days, weeks from Monday, or months; the first and the last may be short."""
    days = (end - start).days + 1
    first = start
    while first <= end:
        if days <= MOST_DAYS:
            last, word = first, date_format(first, "j b")
        elif days <= MOST_WEEKS:
            last = first + timedelta(days=6 - first.weekday())
            word = date_format(first, "j b")
        else:
            last = (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            word = date_format(first, "b y")
        last = min(last, end)
        yield word, first, last
        first = last + timedelta(days=1)


# --- Organisations ------------------------------------------------------------------------------


def organisations(asked: Asked, user: User | None) -> list[Compared]:
    """One's own organisation beside those whose figures one may see, in the same period.

    Those are the ones where the same person sees the whole board, and those that share the state of
    their cases by an agreement in force. Others do not appear, and nothing says that they exist.
    """
    if not asked.reach.everywhere:
        return []
    scope = Scope(asked.organisation.pk, asked.scope.start, asked.scope.end)
    rows = [(asked.organisation, ""), *((one, "") for one in beside(asked.actor, user))]
    if len(rows) < 2:
        return []
    found = []
    for organisation, url in rows:
        made = reading(replace(scope, organisation_id=organisation.pk), asked.now)
        values = [catalogue[code].value(made) for code in COMPARED]
        texts = [
            in_words(catalogue[code].unit, value)
            for code, value in zip(COMPARED, values, strict=True)
        ]
        found.append(Compared(organisation.name, url, texts, values=values))
    return found


def beside(actor: Actor, user: User | None) -> list[Organisation]:
    """The other organisations whose figures the actor may see beside their own."""
    agreements = SharingAgreement.objects.for_actor(actor).filter(
        receiver=actor.organisation_id,
        revoked_at=None,
        valid__contains=timezone.localdate(),
        data_classes__contains=[DataClass.CASE_STATUS],
    )
    allowed = set(agreements.values_list("giver_id", flat=True))
    if user is not None:
        works = Membership.objects.unscoped("where the actor's own person works")
        for membership in (
            works.in_force()
            .filter(user=user)
            .exclude(organisation=actor.organisation_id)
            .select_related("organisation")
        ):
            there = actor_for(user, membership.organisation, actor.origin)
            if there is not None and there.reach(VIEW_REPORT) == EVERYWHERE:
                allowed.add(membership.organisation_id)
    rows = Organisation.objects.unscoped("those that share their figures with the actor")
    return list(rows.filter(pk__in=allowed, is_active=True).order_by("name"))


def board_of(actor: Actor, query: Any) -> Board:
    """The board that an address asks for."""
    return Board(asked_by(actor, query))
