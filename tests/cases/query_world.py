"""Random cases, people who see different parts of them, and random expressions that are read twice:
by the product, and here in plain Python, one case after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from django.utils import timezone
from hypothesis import strategies as st

from cases.models import (
    Case,
    CaseTransfer,
    CaseType,
    CaseTypeVersion,
    Document,
    Event,
    Follower,
    Link,
    Note,
    Participant,
    ServiceClock,
    ServiceTarget,
    Task,
)
from cases.target_book import nearest
from crm.accounts.models import User
from crm.citizens.models import Citizen
from crm.citizens.permissions import VIEW_CITIZEN
from crm.kit.actor import Actor
from crm.organisations.models import Organisation, Unit
from tests.conftest import World
from tests.factories.accounts import acting, employee
from tests.factories.cases import CaseTypeFactory
from tests.factories.citizens import CitizenFactory
from tests.factories.organisations import UnitFactory

WORDS = ("farola", "beca", "arbol", "ruido", "fuente")
STATES = ("new", "in_progress", "waiting_citizen", "waiting_third_party", "resolved", "closed")
MEASURES = ("first_answer", "next_answer", "resolution")
CHANNELS = ("phone", "web_form", "in_person")
SPECIAL = 3


@dataclass(frozen=True, repr=False)
class Seer:
    """Somebody who asks, with the units whose cases they see and those whose special ones too."""

    actor: Actor
    user: User
    units: frozenset[int]
    special: frozenset[int]
    finds_citizens: bool = True

    def __repr__(self) -> str:
        return self.actor.name

    def sees(self, case: Case) -> bool:
        """Whether the case exists for them."""
        if case.organisation_id != self.actor.organisation_id or case.unit_id not in self.units:
            return False
        return case.confidentiality < SPECIAL or case.unit_id in self.special


@dataclass(repr=False)
class Heap:
    """Everything that is asked about, read once."""

    now: datetime
    seers: list[Seer] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    citizens: dict[int, Citizen] = field(default_factory=dict)
    hidden: set[tuple[int, int]] = field(default_factory=set)  # (citizen, organisation)
    known: set[tuple[int, int]] = field(default_factory=set)
    targets: dict[int, list[ServiceTarget]] = field(default_factory=dict)
    parts: dict[int, set[int]] = field(default_factory=dict)  # case → citizens taking part
    representatives: dict[int, set[int | None]] = field(
        default_factory=dict
    )  # case → those among them
    events: dict[int, list[Event]] = field(default_factory=dict)
    documents: dict[int, list[Document]] = field(default_factory=dict)
    notes: set[int] = field(default_factory=set)
    followers: dict[int, set[int]] = field(default_factory=dict)  # case → who follows it now
    links: list[tuple[int, int]] = field(default_factory=list)
    tasks: dict[int, list[Task]] = field(default_factory=dict)
    transfers: dict[int, set[str]] = field(default_factory=dict)  # case → what became of its offers
    units: dict[str, Unit] = field(default_factory=dict)  # of « here », by code
    types: dict[str, CaseType] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)


# --- Making it ----------------------------------------------------------------------------------


def make_heap(world: World, seed: int, now: datetime, size: int = 36) -> Heap:
    """A heap that this seed always makes."""
    dice, heap = Random(seed), Heap(now)  # noqa: S311 - what is made must be made again
    north, south = world.unit, world.other_unit
    below = UnitFactory(organisation=world.here, parent=north, code="N1", name="Norte uno")
    deep = UnitFactory(organisation=world.here, parent=below, code="N11", name="Norte once")
    root = Unit.objects.get(organisation=world.here, parent=None)
    root.code = "TOP"  # which the other organisation does not have
    root.save()
    world.here.units_version += 1
    world.here.save()
    heap.units = {unit.code: unit for unit in (root, north, south, below, deep)}
    _people(world, heap)
    for organisation in (world.here, world.elsewhere):
        for code in ("pension", "beca"):
            made = CaseTypeFactory(organisation=organisation, code=code, name=code.title())
            if organisation == world.here:
                heap.types[code] = made
    people = [_citizen(world, heap, dice) for _each in range(6)]
    for number in range(size):
        _case(world, heap, dice, number, people)
    _around(heap, dice, people)
    return heap


def _people(world: World, heap: Heap) -> None:
    codes = heap.units
    everything = frozenset(unit.pk for unit in codes.values())
    northern = frozenset(codes[code].pk for code in ("NORTH", "N1", "N11"))
    southern, none = frozenset({codes["SOUTH"].pk}), frozenset[int]()
    boss = employee(world.here, "supervisor", full_name="Jefa Juste", email="jefa@example.org")
    head = employee(world.here, "supervisor", unit=world.unit, full_name="Berta Norte")
    clerk = employee(world.here, "administrator", full_name="Ada Admin")
    both = employee(world.here, "agent", unit=world.unit, full_name="Dos Sitios")
    heap.people = {"alice": world.alice, "bob": world.bob, "jefa": boss}
    heap.seers = [
        Seer(acting(user), user, units, special, finds)
        for user, units, special, finds in (
            (world.alice, northern, none, True),
            (world.bob, southern, none, True),
            (boss, everything, everything, True),
            (head, northern, northern, True),
            (clerk, none, none, False),
        )
    ]
    rights = {
        right: reach for right, reach in acting(both).permissions.items() if right != VIEW_CITIZEN
    }
    blind = replace(acting(both), permissions=MappingProxyType(rights))
    heap.seers.append(Seer(blind, both, northern, none, finds_citizens=False))
    far = frozenset({world.foreign_unit.pk})
    heap.seers.append(Seer(acting(world.charlie), world.charlie, far, none))


def _citizen(world: World, heap: Heap, dice: Random) -> Citizen:
    here, hidden = dice.random() < 0.9, dice.random() < 0.25
    home: Organisation = world.here if here else world.elsewhere
    person = CitizenFactory(
        organisation=home,
        organisation__protected=hidden,
        organisation__protected_reason="Orden" if hidden else "",
        name=dice.choice(("Ana", "Luis")),
        surname1=dice.choice(("García", "Peña")),
        surname2=dice.choice(("Gil", "García")),
        nif="",
    )
    heap.citizens[person.pk] = person
    heap.known.add((person.pk, home.pk))
    if hidden:
        heap.hidden.add((person.pk, home.pk))
    return person


def _moment(heap: Heap, dice: Random) -> datetime:
    """Within two months; often at a midnight, where days end."""
    day = heap.now.date() + timedelta(days=dice.randint(-60, 20))
    at = time.min if dice.random() < 0.3 else time(dice.randint(0, 23), dice.randint(0, 59))
    return datetime.combine(day, at, heap.now.tzinfo)


def _case(world: World, heap: Heap, dice: Random, number: int, people: list[Citizen]) -> None:
    away = dice.random() < 0.15
    unit = world.foreign_unit if away else dice.choice(list(heap.units.values()))
    kind = CaseType.objects.get(
        organisation=unit.organisation, code=dice.choice(("pension", "beca"))
    )
    state = dice.choice(STATES)
    category = STATES.index(state)
    case = Case.objects.create(
        reference=f"ABC-2026-{number:07}",
        organisation=unit.organisation,
        case_type=kind,
        type_version=CaseTypeVersion.objects.get(case_type=kind),
        state=state,
        category=category,
        unit=unit,
        assignee=dice.choice([None, *heap.people.values()]),
        citizen=dice.choice([None, *people]),
        subject=" ".join(dice.choices(WORDS, k=dice.randint(1, 3))),
        description=dice.choice(("", "de la calle mayor", "mayor calle", "beca")),
        priority=dice.randint(0, 3),
        confidentiality=dice.choice((0, 1, 1, 2, SPECIAL)),
        channel=dice.choice(CHANNELS),
        language=dice.choice(("es", "ca")),
        latitude=(latitude := dice.choice((None, 40.0))),
        longitude=latitude,
        outcome=dice.choice(("", "Hecho")),
        source=dice.choice(("", "portal")),
        external_id=dice.choice((None, f"x{number}")),
        opened_at=_moment(heap, dice),
        due_at=dice.choice((None, _moment(heap, dice), _moment(heap, dice))),
        suspended_on=dice.choice((None, _moment(heap, dice).date())),
        closed_at=_moment(heap, dice) if category >= 4 else None,
    )
    Case.objects.filter(pk=case.pk).update(updated_at=_moment(heap, dice))
    heap.cases.append(Case.objects.defer("search").get(pk=case.pk))
    if dice.random() < 0.6:
        _promise(heap, dice, case)


def _promise(heap: Heap, dice: Random, case: Case) -> None:
    """Service targets that stand as they may, and what lists know of them."""
    rows = []
    for measure in dice.sample(MEASURES, dice.randint(1, 3)):
        due = dice.choice((None, _moment(heap, dice), _moment(heap, dice)))
        ended = dice.choice((None, None, _moment(heap, dice)))
        rows.append(
            ServiceTarget.objects.create(
                case=case,
                measure=measure,
                rule={},
                minutes=60,
                started_at=heap.now - timedelta(days=100),
                due_at=due,
                warn_at=due - timedelta(hours=3) if due and dice.random() < 0.5 else None,
                paused_at=heap.now if due is None and ended is None else None,
                breached_at=due if due and dice.random() < 0.3 else None,
                ended_at=ended,
                end="met" if ended else "",
            )
        )
    heap.targets[case.pk] = rows
    ServiceClock.objects.create(
        case=case, organisation_id=case.organisation_id, unit=case.unit, **nearest(rows)
    )


def _followers(heap: Heap, dice: Random, case: Case) -> None:
    """Some follow it, some did."""
    for user in heap.people.values():
        if case.unit not in heap.units.values() or dice.random() > 0.2:
            continue
        ended = dice.random() < 0.3
        end = {"ended_at": heap.now, "end": Follower.End.LEFT} if ended else {}
        Follower.objects.create(case=case, user=user, **end)
        if not ended:
            heap.followers.setdefault(case.pk, set()).add(user.pk)


def _around(heap: Heap, dice: Random, people: list[Citizen]) -> None:
    for case in heap.cases:
        _parts(heap, dice, case, people)
        heap.events[case.pk] = [
            _event(heap, dice, case, number) for number in range(dice.randint(0, 4))
        ]
        if dice.random() < 0.3:
            Note.objects.create(case=case, author_name="x", body="x")
            heap.notes.add(case.pk)
        _followers(heap, dice, case)
        heap.documents[case.pk] = [
            Document.objects.create(
                organisation_id=case.organisation_id,
                case=case,
                name="a.pdf",
                media_type="application/pdf",
                size=1,
                sha256="0" * 64,
                scan="clean",
                origin="citizen",
                confidentiality=dice.choice((1, SPECIAL)),
                added_by_name="x",
                withdrawn_at=dice.choice((None, heap.now)),
            )
            for _each in range(dice.choice((0, 0, 1)))
        ]
        heap.transfers[case.pk] = _transfers(heap, dice, case)
    for _each in range(8):
        one, other = dice.sample(heap.cases, 2)
        if one.organisation_id == other.organisation_id:
            Link.objects.get_or_create(case=one, other=other)
            heap.links.append((one.pk, other.pk))
    for case in heap.cases:
        heap.tasks[case.pk] = [
            _task(heap, dice, case) for _each in range(dice.choice((0, 0, 1, 2)))
        ]


def _parts(heap: Heap, dice: Random, case: Case, people: list[Citizen]) -> None:
    heap.parts[case.pk], heap.representatives[case.pk] = set(), set()
    for who in dice.sample(people, dice.choice((0, 0, 1, 2))):
        ended = heap.now if dice.random() < 0.3 else None
        role = dice.choice(("interested_party", "representative"))
        Participant.objects.create(case=case, citizen=who, ended_at=ended, role=role)
        if ended is None:
            heap.parts[case.pk].add(who.pk)
            if role == "representative":
                heap.representatives[case.pk].add(who.pk)


def _task(heap: Heap, dice: Random, case: Case) -> Task:
    state = dice.choice(("open", "open", "review", "rejected", "done", "cancelled"))
    settled = state in ("review", "done", "rejected")
    mine, units = dice.choice([None, *heap.people.values()]), list(heap.units.values())
    return Task.objects.create(
        organisation_id=case.organisation_id,
        case=case,
        title="x",
        assignee=mine,
        unit=None if mine or case.unit not in units else dice.choice([None, *units]),
        due_at=dice.choice((None, _moment(heap, dice))),
        state=state,
        reason="x",
        needs_approval=state in ("review", "rejected"),
        done_at=heap.now if settled else None,
        done_by=heap.people["alice"] if settled else None,
    )


def _transfers(heap: Heap, dice: Random, case: Case) -> set[str]:
    """Offers within the organisation, of which one at most is open."""
    states = set(
        dice.sample(("offered", "accepted", "expired", "refused"), dice.choice((0, 0, 1, 2)))
    )
    above = Unit.objects.unscoped("a test").filter(organisation=case.organisation_id)
    target = above.exclude(pk=case.unit_id).order_by("pk")[0]
    for state in states:
        CaseTransfer.objects.create(
            case=case,
            origin_organisation_id=case.organisation_id,
            origin_unit_id=case.unit_id,
            target_organisation_id=case.organisation_id,
            target_unit=target,
            text="Zona",
            state=state,
            answer="No",
            due_at=heap.now,
            sent_at=heap.now,
            sent_by_name="x",
            answered_at=None if state == "offered" else heap.now,
        )
    return states


def _event(heap: Heap, dice: Random, case: Case, number: int) -> Event:
    kind = dice.choice(("moved", "assigned", "noted"))
    by = dice.choice([None, *heap.people.values()])
    data = {
        "moved": {"to": dice.choice(STATES), "from": dice.choice(STATES)},
        "assigned": {"to_id": str(dice.choice(list(heap.people.values())).uuid)},
        "noted": {"note": str(uuid4())},
    }[kind]
    return Event.objects.create(
        case=case,
        organisation_id=case.organisation_id,
        seq=number + 1,
        kind=kind,
        at=_moment(heap, dice),
        actor_kind="user" if by else "system",
        actor_id=by.pk if by else None,
        actor_name="x",
        data=data,
    )


# --- Expressions, each with what it means -------------------------------------------------------

Meaning = Callable[[Seer, Case], bool]
Reads = Callable[[Case], datetime | None]


@dataclass(frozen=True)
class Said:
    """A part of an expression: its text, what it means, and how it behaves beside others."""

    text: str
    means: Meaning
    words: tuple[str, ...] = ()  # looked for together with the words beside it
    group: bool = False  # stands in parentheses beside others
    names: bool = False  # names citizens, which not everybody may

    def __repr__(self) -> str:
        return self.text


def expressions(heap: Heap) -> st.SearchStrategy[Said]:
    """Random expressions about this heap."""
    leaves = _leaves(heap)
    trees = st.recursive(leaves, _joined, max_leaves=7)
    return trees


def _joined(inner: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(
        several.map(_all),
        several.map(_all),
        st.tuples(several, st.sampled_from((" or ", " o ", " OR "))).map(lambda two: _any(*two)),
        st.tuples(inner, st.sampled_from(("-", "not "))).map(lambda two: _not(*two)),
    )


def _in(part: Said) -> str:
    return f"({part.text})" if part.group else part.text


def _all(parts: list[Said]) -> Said:
    words = [word for part in parts for word in part.words]
    others = [part for part in parts if not part.words]

    def means(seer: Seer, case: Case) -> bool:
        found = not words or _found(case, tuple(words))
        return found and all(part.means(seer, case) for part in others)

    return Said(" ".join(map(_in, parts)), means, group=True, names=_names(parts))


def _any(parts: list[Said], between: str) -> Said:
    return Said(
        between.join(map(_in, parts)),
        lambda seer, case: any(part.means(seer, case) for part in parts),
        group=True,
        names=_names(parts),
    )


def _not(part: Said, sign: str) -> Said:
    return Said(sign + _in(part), lambda seer, case: not part.means(seer, case), names=part.names)


def _names(parts: list[Said]) -> bool:
    return any(part.names for part in parts)


def _found(case: Case, phrases: tuple[str, ...]) -> bool:
    """Words that say nothing count for nothing, but alone they find nothing."""
    stop = {"de", "la"}
    text = [
        word if word not in stop else ""
        for word in f"{case.subject} {case.description}".casefold().split()
    ]
    asked = [phrase.split() for phrase in phrases if set(phrase.split()) - stop]
    return bool(asked) and all(_has(text, phrase) for phrase in asked)


def _has(text: list[str], phrase: list[str]) -> bool:
    ends = range(len(text) - len(phrase) + 1)
    return any(text[at : at + len(phrase)] == phrase for at in ends)


def _leaves(heap: Heap) -> st.SearchStrategy[Said]:
    return st.one_of(
        *(_some(names, values) for names, values in _valued(heap)),
        *(_dated(heap, *one) for one in _DATES),
        *(_dated(heap, *one) for one in _promised(heap)),
        _words(),
        _priorities(),
        _happened(heap),
    )


def _some(names: tuple[str, ...], known: list[tuple[str, Meaning]]) -> st.SearchStrategy[Said]:
    """A field with one to three values, any of which will do."""

    def said(drawn: tuple[str, list[tuple[str, Meaning]]]) -> Said:
        name, values = drawn
        return Said(
            f"{name}:{','.join(text for text, _means in values)}",
            lambda seer, case: any(means(seer, case) for _text, means in values),
            names=name in ("citizen", "ciudadano", "represented-by", "representante"),
        )

    chosen = st.lists(st.sampled_from(known), min_size=1, max_size=3)
    return st.tuples(st.sampled_from(names), chosen).map(said)


def _is(column: str, *values: Any) -> Meaning:
    return lambda _seer, case: getattr(case, column) in values


def _valued(heap: Heap) -> list[tuple[tuple[str, ...], list[tuple[str, Meaning]]]]:
    codes = heap.units
    below = {
        "TOP": set(codes),
        "NORTH": {"NORTH", "N1", "N11"},
        "N1": {"N1", "N11"},
        "SOUTH": {"SOUTH"},
    }
    units = [(code, _is("unit_id", unit.pk)) for code, unit in codes.items()]
    units += [
        (f"{code}/*", _is("unit_id", *(codes[one].pk for one in inner)))
        for code, inner in below.items()
    ]
    people = heap.people.items()
    return [
        (("type", "tipo"), [(code, _of_type(code)) for code in heap.types]),
        (("state", "estado"), _STATES),
        (("state-code",), [(state, _is("state", state)) for state in STATES]),
        (
            ("category", "categoría"),
            _CATEGORIES,
        ),
        (("unit", "unidad"), units),
        (
            ("assignee", "responsable"),
            [(user.email, _is("assignee_id", user.pk)) for _name, user in people]
            + [("nobody", _is("assignee_id", None)), ("nadie", _is("assignee_id", None))]
            + [("me", lambda seer, case: case.assignee_id == seer.user.pk)],
        ),
        (
            ("followed-by", "siguiendo"),
            [(user.email, _followed(heap, user.pk)) for _name, user in people]
            + [("me", lambda seer, case: seer.user.pk in heap.followers.get(case.pk, ()))],
        ),
        (
            ("citizen", "ciudadano"),
            _citizens(heap, lambda case: {case.citizen_id, *heap.parts[case.pk]}),
        ),
        (
            ("represented-by", "representante"),
            _citizens(heap, lambda case: heap.representatives[case.pk]),
        ),
        (("channel", "canal"), [(one.replace("_", "-"), _is("channel", one)) for one in CHANNELS]),
        (("language",), [("es", _is("language", "es")), ("ca", _is("language", "ca"))]),
        (("source",), [("portal", _is("source", "portal")), ('""', _is("source", ""))]),
        (("external",), [("x3", _is("external_id", "x3")), ("x4", _is("external_id", "x4"))]),
        (("has", "tiene"), _haves(heap)),
        (("task", "tarea"), _tasks(heap)),
        (("service", "servicio"), _services(heap)),
        (("breached", "incumplido"), _breaches(heap)),
        (("transfer", "traslado"), _offered(heap)),
        (
            ("ref", "expediente"),
            [(case.reference.lower(), _is("pk", case.pk)) for case in heap.cases[:5]],
        ),
    ]


def _followed(heap: Heap, user: int) -> Meaning:
    return lambda _seer, case: user in heap.followers.get(case.pk, ())


def _services(heap: Heap) -> list[tuple[str, Meaning]]:
    def running(case: Case) -> list[ServiceTarget]:
        return [one for one in heap.targets.get(case.pk, ()) if one.ended_at is None]

    def danger(_seer: Seer, case: Case) -> bool:
        moments = [one.warn_at or one.due_at for one in running(case)]
        return any(moment and moment <= heap.now for moment in moments)

    def still(_seer: Seer, case: Case) -> bool:
        found = running(case)
        return bool(found) and all(one.due_at is None for one in found)

    def missed(_seer: Seer, case: Case) -> bool:
        return any(one.breached_at for one in heap.targets.get(case.pk, ()))

    return [
        ("danger", danger),
        ("en-riesgo", danger),
        ("paused", still),
        ("missed", missed),
        ("running", lambda _seer, case: bool(running(case))),
    ]


def _breaches(heap: Heap) -> list[tuple[str, Meaning]]:
    def of(measure: str) -> Meaning:
        return lambda _seer, case: any(
            one.breached_at and measure in ("", one.measure)
            for one in heap.targets.get(case.pk, ())
        )

    known = [(one.replace("_", "-"), of(one)) for one in MEASURES]
    return [*known, ("any", of("")), ("alguno", of(""))]


_STATES: list[tuple[str, Meaning]] = [
    ("open", lambda _seer, case: case.category < 4),
    ("abierto", lambda _seer, case: case.category < 4),
    ("ended", lambda _seer, case: case.category >= 4),
    ("all", lambda _seer, case: True),
    *((state, _is("state", state)) for state in STATES),
]


_CATEGORIES: list[tuple[str, Meaning]] = [
    ("new", _is("category", 0)),
    ("in-progress", _is("category", 1)),
    ("resuelto", _is("category", 4)),
    ("closed", _is("category", 5)),
]


def _of_type(code: str) -> Meaning:
    return lambda _seer, case: case.case_type.code == code


def _citizens(heap: Heap, of_case: Callable[[Case], set[int | None]]) -> list[tuple[str, Meaning]]:
    def called(*words: str) -> Meaning:
        def means(seer: Seer, case: Case) -> bool:
            here = seer.actor.organisation_id
            for key in of_case(case):
                if key is None:
                    continue
                person = heap.citizens[key]
                name = f"{person.name} {person.surname1} {person.surname2}".casefold().split()
                seen = (key, here) in heap.known and (key, here) not in heap.hidden
                if seen and set(words) <= set(name):
                    return True
            return False

        return means

    def one(key: int) -> Meaning:
        return lambda _seer, case: key in of_case(case)

    uuids = [(str(person.uuid), one(key)) for key, person in heap.citizens.items()]
    return [
        ('"García"', called("garcía")),
        ("pena", called("peña")),
        ('"Ana García"', called("ana", "garcía")),
        ("nadie", called("nadie")),
        *uuids[:2],
    ]


def _haves(heap: Heap) -> list[tuple[str, Meaning]]:
    visible = {case.pk: case for case in heap.cases}

    def linked(seer: Seer, case: Case) -> bool:
        others = [b if a == case.pk else a for a, b in heap.links if case.pk in (a, b)]
        return any(seer.sees(visible[other]) for other in others)

    def papers(seer: Seer, case: Case) -> bool:
        return any(
            paper.withdrawn_at is None
            and (paper.confidentiality < SPECIAL or case.unit_id in seer.special)
            for paper in heap.documents[case.pk]
        )

    return [
        ("assignee", lambda _seer, case: case.assignee_id is not None),
        ("persona", lambda _seer, case: case.citizen_id is not None),
        ("due", lambda _seer, case: case.due_at is not None),
        ("suspension", lambda _seer, case: case.suspended_on is not None),
        ("outcome", lambda _seer, case: case.outcome != ""),
        ("place", lambda _seer, case: case.latitude is not None),
        ("notes", lambda _seer, case: case.pk in heap.notes),
        ("participants", lambda _seer, case: bool(heap.parts[case.pk])),
        ("documents", papers),
        ("links", linked),
        ("messages", lambda _seer, case: False),
    ]


def _tasks(heap: Heap) -> list[tuple[str, Meaning]]:
    def left(case: Case) -> list[Task]:
        return [
            task for task in heap.tasks[case.pk] if task.state in ("open", "review", "rejected")
        ]

    def mine(seer: Seer, case: Case) -> bool:
        key = seer.user.pk
        return any(
            task.assignee_id == key
            or (task.assignee_id is None and task.unit_id is None and case.assignee_id == key)
            for task in left(case)
        )

    def late(_seer: Seer, case: Case) -> bool:
        return any(task.due_at is not None and task.due_at < heap.now for task in left(case))

    return [
        ("open", lambda _seer, case: bool(left(case))),
        ("abiertas", lambda _seer, case: bool(left(case))),
        ("late", late),
        ("mine", mine),
        ("mías", mine),
        ("ninguna", lambda _seer, case: not left(case)),
    ]


def _offered(heap: Heap) -> list[tuple[str, Meaning]]:
    def became(state: str) -> Meaning:
        return lambda _seer, case: state in heap.transfers[case.pk]

    return [
        ("offered", became("offered")),
        ("recibido", became("accepted")),
        ("expired", became("expired")),
        ("ninguno", lambda _seer, case: not heap.transfers[case.pk]),
    ]


_DATES = (
    (("due", "vence"), "due_at", 1),
    (("opened", "abierto"), "opened_at", -1),
    (("closed", "cerrado"), "closed_at", -1),
    (("updated",), "updated_at", -1),
    (("suspended", "suspendido"), "suspended_on", -1),
)
_SIGNS = (":", "<", "<=", ">", ">=")


def _days(heap: Heap, way: int) -> st.SearchStrategy[tuple[str, date, date]]:
    """A word for days, with the first of them and the day after the last."""
    today = heap.now.date()
    monday = today - timedelta(days=today.weekday())
    day, week = timedelta(days=1), timedelta(days=7)
    first = today.replace(day=1)
    fixed = [
        ("today", today, today + day),
        ("ayer", today - day, today),
        ("tomorrow", today + day, today + 2 * day),
        ("this-week", monday, monday + week),
        ("semana-pasada", monday - week, monday),
        ("mes-pasado", (first - day).replace(day=1), first),
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-10", date(2026, 10, 1), date(2026, 11, 1)),
        ("5/11/2026", date(2026, 11, 5), date(2026, 11, 6)),
        ("2026-10-30..2026-11-10", date(2026, 10, 30), date(2026, 11, 11)),
    ]

    def away(drawn: tuple[int, str]) -> tuple[str, date, date]:
        number, sign = drawn
        days = number * (1 if sign == "+" else -1 if sign == "-" else way)
        at = today + timedelta(days=days)
        return f"{sign}{number}d", at, at + day

    distances = st.tuples(st.integers(0, 60), st.sampled_from(("", "+", "-"))).map(away)
    return st.one_of(st.sampled_from(fixed), distances)


def _lies(moment: datetime | date | None, sign: str, first: date, after: date) -> bool:
    if moment is None:
        return False
    on = timezone.localtime(moment).date() if isinstance(moment, datetime) else moment
    return {
        ":": first <= on < after,
        "<": on < first,
        "<=": on < after,
        ">": on >= after,
        ">=": on >= first,
    }[sign]


def _promised(heap: Heap) -> list[tuple[tuple[str, ...], Reads, int]]:
    """The moments of running targets: of each measure, and the first of all."""

    def of(*measures: str) -> Reads:
        def reads(case: Case) -> datetime | None:
            running = [
                one.due_at
                for one in heap.targets.get(case.pk, ())
                if one.ended_at is None and one.due_at and one.measure in measures
            ]
            return min(running, default=None)

        return reads

    return [
        (("target", "objetivo"), of(*MEASURES), 1),
        (("first-answer", "primera-respuesta"), of("first_answer"), 1),
        (("next-answer", "siguiente-respuesta"), of("next_answer"), 1),
        (("resolution", "resolución"), of("resolution"), 1),
    ]


def _dated(
    heap: Heap, names: tuple[str, ...], column: str | Reads, way: int
) -> st.SearchStrategy[Said]:
    def read(case: Case) -> Any:
        return getattr(case, column) if isinstance(column, str) else column(case)

    def said(drawn: tuple[str, str, tuple[str, date, date]]) -> Said:
        name, sign, (text, first, after) = drawn
        return Said(
            f"{name}{sign}{text}",
            lambda _seer, case: _lies(read(case), sign, first, after),
        )

    return st.tuples(st.sampled_from(names), st.sampled_from(_SIGNS), _days(heap, way)).map(said)


def _words() -> st.SearchStrategy[Said]:
    texts = (*WORDS, "calle mayor", "beca beca", "de", "la", "zanahoria")

    def said(drawn: tuple[str, str]) -> Said:
        before, text = drawn
        quoted = f'"{text}"' if " " in text else text
        return Said(before + quoted, lambda _seer, case: _found(case, (text,)), words=(text,))

    return st.tuples(st.sampled_from(("", "", "text:", "texto:")), st.sampled_from(texts)).map(said)


def _priorities() -> st.SearchStrategy[Said]:
    names = ("low", "normal", "alta", "urgent")

    def said(drawn: tuple[str, int]) -> Said:
        sign, level = drawn
        return Said(
            f"priority{sign}{names[level]}",
            lambda _seer, case: {
                ":": case.priority == level,
                "<": case.priority < level,
                "<=": case.priority <= level,
                ">": case.priority > level,
                ">=": case.priority >= level,
            }[sign],
        )

    return st.tuples(st.sampled_from(_SIGNS), st.integers(0, 3)).map(said)


def _happened(heap: Heap) -> st.SearchStrategy[Said]:
    """One event: what, by whom, when; all of it of one and the same."""
    what: list[tuple[str, Callable[[Event], bool]]] = [
        ("event:noted", lambda event: event.kind == "noted"),
        ("suceso:asignado,anotado", lambda event: event.kind in ("assigned", "noted")),
    ]
    for state in STATES[:3]:
        what.append((f"moved-to:{state}", lambda event, to=state: event.data.get("to") == to))
        what.append(
            (f"moved-from:{state}", lambda event, gone=state: event.data.get("from") == gone)
        )
    what += [
        (
            f"assigned-to:{user.email}",
            lambda event, to=str(user.uuid): event.data.get("to_id") == to,
        )
        for user in heap.people.values()
    ]
    who: list[tuple[str, Callable[[Seer, Event], bool]]] = [
        (f"by:{user.email}", lambda _seer, event, key=user.pk: event.actor_id == key)
        for user in heap.people.values()
    ]
    who.append(("por:yo", lambda seer, event: event.actor_id == seer.user.pk))

    def said(drawn: tuple[Any, Any, Any]) -> Said:
        done, by, days = drawn
        parts = [one[0] for one in (done, by) if one]
        if days:
            bare = days[0] in ("today", "ayer", "tomorrow", "this-week", "semana-pasada")
            parts.append(days[0] if bare else f"when:{days[0]}")

        def means(seer: Seer, case: Case) -> bool:
            return any(
                (not done or done[1](event))
                and (not by or by[1](seer, event))
                and (not days or _lies(event.at, ":", days[1], days[2]))
                for event in heap.events[case.pk]
            )

        return Said(" ".join(parts), means, group=True)

    return (
        st.tuples(
            st.one_of(st.none(), st.sampled_from(what)),
            st.one_of(st.none(), st.sampled_from(who)),
            st.one_of(st.none(), _days(heap, -1)),
        )
        .filter(lambda three: bool(three[0] or three[1]))
        .map(said)
    )
