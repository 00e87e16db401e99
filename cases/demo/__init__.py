"""The demo's case types and five thousand cases with their histories, as they stand today."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cases import clocks, numbers
from cases.demo import (
    answers,
    distribution,
    handing,  # noqa: F401 - registers itself
    looks,
    mandates,  # noqa: F401 - registers itself
    news,  # noqa: F401 - registers itself
    related,  # noqa: F401 - registers itself
    reports,  # noqa: F401 - registers itself
    service,
    studio,
    todo,
    unfinished,
    window,
)
from cases.demo.cast import Cast, Client, Worker
from cases.demo.matters import Kind, book_of
from cases.demo.papers import make_papers
from cases.demo.stories import Row, Story
from cases.models import (
    Case,
    CaseTypeVersion,
    Document,
    Event,
    Link,
    Message,
    Note,
    Participant,
)
from cases.permissions import CHANGE_CASE, VIEW_SPECIAL
from cases.services import create_case_type
from cases.workflow import of_version
from crm.accounts.actors import actor_for, actor_for_client, system_actor
from crm.accounts.demo import PORTAL, address
from crm.accounts.models import ApiClient, Membership
from crm.audit.record import dated, record_many
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint
from crm.kit.actor import Actor, Door, Origin
from crm.kit.copying import copy_rows, take_keys
from crm.kit.demo import Demo, Seeder, seeders
from crm.organisations import options
from crm.organisations.demo import INSTITUTE, TOWN
from crm.organisations.models import Organisation, Unit
from crm.organisations.services import calendar_for

CASES = {INSTITUTE: 3_300, TOWN: 1_700}


class Wanted(NamedTuple):
    """A case on the desk of the agent whose login is known: due in so many days, and how it stands."""

    due_in: int
    stage: str  # the last step that has happened


# Five late, three due today, the rest to come; some wait for the citizen or for somebody else.
_MINE = (
    [Wanted(days, stage) for days, stage in ((-9, "asked"), (-6, "noted"), (-4, "noted"))]
    + [Wanted(-2, "reported"), Wanted(-1, "started")]
    + [Wanted(0, stage) for stage in ("noted", "started", "replied")]
    + [Wanted(days, "noted") for days in (1, 1, 2, 3, 5, 8, 13, 20)]
    + [Wanted(days, "asked") for days in (2, 4, 6, 9, 12, 17, 25)]
    + [Wanted(days, "reported") for days in (3, 7, 14, 30)]
    + [Wanted(days, "started") for days in (4, 6, 10, 16, 22, 34)]
    + [Wanted(days, "assigned") for days in (7, 11, 18, 27, 40)]
)
_FREE = [Wanted(days, "opened") for days in (1, 3, 5, 7, 8, 9, 10, 12, 15, 20, 28)]
# Where cases of the institute are worked: by the town where the person lives.
_OFFICES = {
    "28079": ("DP28", "DP28", "OF2801", "CATT"),
    "28005": ("OF2802",),
    "28065": ("OF2803",),
    "08019": ("DP08", "DP08", "CATT"),
    "08187": ("OF0801",),
    "46250": ("DP46", "DP46", "CATT"),
    "46131": ("OF4601",),
    "41091": ("DP41", "CATT"),
    "41038": ("OF4101",),
    "50297": ("DP50", "CATT"),
    "15030": ("DP15", "CATT"),
    "15036": ("OF1501",),
    "48020": ("DP48", "CATT"),
    "35016": ("DP35", "CATT"),
}
_ELSEWHERE = ("DP28", "CATT")
_DESK = {INSTITUTE: ("DP28", "OF2801"), TOWN: ("OAC",)}
_HOURS = {  # of the day, by how the case comes in; 0 first
    "counter": (*[0] * 8, 3, 9, 10, 10, 8, 6, 1, *[0] * 9),
    "phone": (*[0] * 8, 5, 10, 11, 10, 8, 6, 4, 3, 4, 5, 4, 2, *[0] * 4),
    "written": (1, 0, 0, 0, 0, 1, 1, 2, 4, 7, 9, 9, 8, 7, 5, 5, 6, 7, 7, 6, 5, 4, 3, 2),
}


def fill(demo: Demo) -> None:
    """Both organisations attend their kinds of cases, and have done so for fourteen months."""
    for code, count in CASES.items():
        organisation = Organisation.objects.unscoped("the demo's own").get(code=code)
        cast = _cast(demo, organisation)
        office = _Office(demo, organisation, cast)
        stories = office.stories(demo.share(count))
        _number(organisation, stories)
        links = _link(demo, stories)
        _save(stories, links)
        todo.fill(demo, cast, office.agent, stories)
        unfinished.fill(demo, cast, office.agent, stories)
        service.promise(demo, stories)
        studio.results(demo, stories)
        purposes = [str(purpose) for purpose in options.read(organisation).usual_purposes]
        demo.made["audit entries"] += record_many(looks.entries_of(demo, cast, stories, purposes))
        window.fill(demo, organisation)
        studio.design(demo, organisation)
        answers.fill(demo, organisation)
        distribution.fill(demo, system_actor(organisation, Origin(Door.COMMAND)))
        demo.made["cases"] += len(stories)
        demo.made["events"] += sum(story.case.last_event for story in stories)


# --- Who and what -------------------------------------------------------------------------------


def _cast(demo: Demo, organisation: Organisation) -> Cast:
    system = system_actor(organisation, Origin(Door.COMMAND))
    book = book_of(organisation.code)
    with dated(demo.began + timedelta(hours=3)):
        for kind in book.kinds:
            bundle = {**kind.bundle, "service": service.promised(kind.term)}
            create_case_type(
                system, code=kind.code, name=kind.name, nature=kind.nature, bundle=bundle
            )
    versions = CaseTypeVersion.objects.filter(case_type__organisation=organisation).select_related(
        "case_type"
    )
    units = Unit.objects.for_actor(system).select_related("organisation")
    everybody = _workers(demo, organisation)
    portal = ApiClient.objects.for_actor(system).select_related("organisation").get(name=PORTAL)
    return Cast(
        now=demo.now,
        book=book,
        versions={version.case_type.code: version for version in versions},
        units={unit.code: unit for unit in units},
        clients=_clients(system),
        workers=[one for one in everybody if not one.actor.holds(VIEW_SPECIAL)],
        supervisors=[one for one in everybody if one.actor.holds(VIEW_SPECIAL)],
        portal=actor_for_client(portal, Origin(Door.API)),
        papers=make_papers(demo, (ask.paper for ask in book.asks)),
    )


def _workers(demo: Demo, organisation: Organisation) -> list[Worker]:
    """Who may work on cases, each at a desk with an address of its own."""
    dice, found = demo.dice("desks"), []
    root = Unit.objects.unscoped("the demo's own").get(organisation=organisation, parent=None)
    memberships = (
        Membership.objects.unscoped("the demo's own")
        .filter(organisation=organisation)
        .select_related("user", "unit__organisation")
        .order_by("pk")
    )
    for membership in memberships:
        ip = f"10.{organisation.pk % 250}.{dice.randint(1, 40)}.{dice.randint(2, 250)}"
        actor = actor_for(membership.user, organisation, Origin(Door.CONSOLE, ip=ip))
        assert actor is not None
        if actor.holds(CHANGE_CASE):
            found.append(Worker(membership.user, actor, membership.unit or root))
    integrating = address("integracion", organisation.code)
    return [one for one in found if one.user.email != integrating]


def _clients(actor: Actor) -> list[Client]:
    points: dict[int, dict[str, ContactPoint]] = defaultdict(dict)
    for point in ContactPoint.objects.for_actor(actor).order_by("pk"):
        points[point.citizen_id][point.channel] = point
    records = (
        CitizenRecord.objects.for_actor(actor)
        .select_related("citizen")
        .prefetch_related("citizen__identifiers")
        .order_by("pk")
    )
    return [
        Client(record, _mailbox(points[record.citizen_id]), _town(points[record.citizen_id]))
        for record in records
    ]


def _mailbox(points: dict[str, ContactPoint]) -> str:
    point = points.get(Channel.EMAIL)
    return point.address if point and point.quality != ContactPoint.Quality.BAD else ""


def _town(points: dict[str, ContactPoint]) -> str:
    point = points.get(Channel.POST)
    return point.municipality if point else ""


# --- Cases --------------------------------------------------------------------------------------


class _Office:
    """Opens an organisation's cases, spread over the past as people come, and lets them live."""

    def __init__(self, demo: Demo, organisation: Organisation, cast: Cast) -> None:
        self._demo, self._cast, self._code = demo, cast, organisation.code
        self._opened_so_far = 0
        self._dice = self._new_dice()
        self._people = [one for one in cast.clients if one.citizen.kind == Citizen.Kind.NATURAL]
        self._companies = [one for one in cast.clients if one.citizen.kind == Citizen.Kind.LEGAL]
        self._weights = [kind.weight for kind in cast.book.kinds]
        login = address("agente", organisation.code)
        self.agent = next(one for one in cast.workers if one.user.email == login)
        # what the agent has open is chosen; nothing else that is open falls to them
        self._others = replace(cast, workers=[one for one in cast.workers if one is not self.agent])
        self._days = self._weighed_days()

    def stories(self, count: int) -> list[Story]:
        """So many, in the order of opening, those on the known agent's desk among them."""
        wanted = [(one, self.agent) for one in _MINE[:: self._every(count)]]
        free = [(one, None) for one in _FREE[:: self._every(count)]]
        chosen = [
            story
            for one, worker in (*wanted, *free)
            if (story := self._chosen(one, worker)) is not None
        ]
        rest = [self._any() for _ in range(count - len(chosen))]
        return sorted([*chosen, *rest], key=lambda story: story.case.opened_at)

    def _every(self, count: int) -> int:
        """In a small demo the desk is small, too: every how manieth is kept."""
        return max(1, round(CASES[self._code] / count / 5))

    def _new_dice(self) -> Random:
        """Each case has its own chance: an hour later, all the others are still the same."""
        self._opened_so_far += 1
        return self._demo.dice(f"case {self._code} {self._opened_so_far}")

    def _any(self) -> Story:
        dice = self._dice = self._new_dice()
        kind = dice.choices(self._cast.book.kinds, self._weights)[0]
        client = self._client(kind)
        unit = self._unit(kind, client)
        story = Story(self._others, dice, kind, unit, client, self._opened(unit))
        opened, due = story.case.opened_at, story.case.due_at
        assert due is not None
        whole = (due - opened) * dice.lognormvariate(-0.62, 0.52)
        mine = self.agent.actor.reach(CHANGE_CASE).covers(unit.pk)
        ended = opened + whole < self._demo.now - timedelta(days=30)
        private = story.case.confidentiality > 2
        story.live(
            whole, self.agent if mine and ended and not private and dice.random() < 0.3 else None
        )
        return story

    def _chosen(self, wanted: Wanted, worker: Worker | None) -> Story | None:
        """A case that stands as wanted, if any kind has a term by which it can."""
        dice = self._dice = self._new_dice()
        unit = self._cast.units[dice.choice(_DESK[self._code])]
        day = self._demo.now.date() + timedelta(days=wanted.due_in)
        kinds = dice.sample(list(self._cast.book.kinds), len(self._cast.book.kinds))
        for kind in kinds:
            if kind.private or kind.companies:
                continue
            opened = self._opened_to_be_due(kind, unit, day, wanted.stage)
            if opened is not None:
                story = Story(self._others, dice, kind, unit, self._client(kind), opened)
                if worker is not None:
                    story.live_until(wanted.stage, worker)
                return story
        return None

    def _opened_to_be_due(self, kind: Kind, unit: Unit, day: date, stage: str) -> datetime | None:
        """A working day's moment from which the term ends on that day, or on the next that can be."""
        term = of_version(self._cast.versions[kind.code].bundle).term
        assert term is not None
        calendar, now = calendar_for(unit), self._demo.now
        least = 0 if stage in {"opened", "assigned"} else 3
        for later in range(4):
            for back in range(2, 110):
                opened = now.replace(hour=9, minute=0) - timedelta(days=back - 2 + least)
                if not self._cast.works(unit, opened.date()):
                    continue
                due = clocks.due_at(term, calendar, opened).date()
                if due == day + timedelta(days=later):
                    moment = opened + timedelta(minutes=self._dice.randint(0, 290))
                    return min(moment, now - timedelta(minutes=40))
        return None

    def _client(self, kind: Kind) -> Client | None:
        dice = self._dice
        if kind.companies and self._companies and dice.random() < 0.9:
            return dice.choice(self._companies)
        if dice.random() < (0.14 if kind.street else 0.02):
            return None
        return dice.choice(self._people)

    def _unit(self, kind: Kind, client: Client | None) -> Unit:
        dice, units = self._dice, self._cast.units
        if kind.unit:
            return units["OAC" if dice.random() < 0.12 and not kind.private else kind.unit]
        if kind.code == "reclamacion" and dice.random() < 0.4:
            return units["SGP"]
        place = client.municipality if client else ""
        return units[dice.choice(_OFFICES.get(place, _ELSEWHERE))]

    def _opened(self, unit: Unit) -> datetime:
        """A day as people come, an hour as offices and habits have it; never in the future."""
        dice = self._dice
        day = dice.choices(self._days[0], cum_weights=self._days[1])[0]
        way = dice.choices(("counter", "phone", "written"), (27, 26, 47))[0]
        hour = dice.choices(range(24), _HOURS[way])[0]
        opened = self._demo.now.replace(
            year=day.year,
            month=day.month,
            day=day.day,
            hour=hour,
            minute=dice.randint(0, 59),
            second=dice.randint(0, 59),
            microsecond=0,
        )
        while opened > self._demo.now - timedelta(minutes=3):
            opened -= timedelta(days=7)  # the same weekday of the week before
        return opened

    def _weighed_days(self) -> tuple[list[date], list[float]]:
        """The days of the past with their weights, added up: more lately, few on holidays."""
        unit = self._cast.units[_DESK[self._code][0]]
        first, last = self._demo.began.date(), self._demo.now.date()
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        total, summed = 0.0, []
        for number, day in enumerate(days):
            weight = 0.7 + 0.6 * number / len(days)
            weight *= 1.25 if day.weekday() == 0 else 1.0
            weight *= 0.55 if day.month == 8 else 1.0
            weight *= 1.0 if self._cast.works(unit, day) else 0.15
            total += weight
            summed.append(total)
        return days, summed


def _number(organisation: Organisation, stories: Sequence[Story]) -> None:
    """Each case has the next number of its year, in the order of opening."""
    zone = ZoneInfo(organisation.time_zone)
    of_year: dict[int, list[Case]] = defaultdict(list)
    for story in stories:
        of_year[story.case.opened_at.astimezone(zone).year].append(story.case)
    for _year, cases in sorted(of_year.items()):
        year, first = numbers.take(organisation.pk, cases[0].opened_at, len(cases))
        for number, case in enumerate(cases, start=first):
            case.reference = numbers.reference(organisation.code, year, number)


def _link(demo: Demo, stories: Sequence[Story]) -> list[Link]:
    """Some cases of one person have to do with each other."""
    dice = demo.dice("links")
    of_person: dict[int, list[Story]] = defaultdict(list)
    for story in stories:
        if story.client:
            of_person[story.client.citizen.pk].append(story)
    links = []
    for one, other in (pair for known in of_person.values() for pair in pairwise(known)):
        at = max(one.at, other.at) + timedelta(minutes=dice.randint(5, 300))
        if dice.random() < 0.09 and at < demo.now:
            links.append(other.link(one, at))
    return links


def _save(stories: Sequence[Story], links: Sequence[Link]) -> None:
    keys = take_keys(Case, len(stories))
    for story, key in zip(stories, keys, strict=True):
        story.case.pk, story.case.updated_at = key, story.at
    copy_rows(Case, (vars(story.case) for story in stories))
    for model in (Event, Note, Message, Document, Participant):
        rows = (row for story in stories for row in story.rows if type(row) is model)
        copy_rows(model, (vars(_placed(row)) for row in rows))
    Link.objects.bulk_create(links)


def _placed(row: Row) -> Row:
    """The row knows its case's key, which the case did not have when it was told."""
    row.case = row.case
    return row


seeders.register("cases", Seeder(6, fill))
