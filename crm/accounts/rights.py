"""Rights in plain words: the matrix of roles, what a change means for how many people, and why or why not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.accounts.actors import actor_for
from crm.accounts.models import Role, RolePermission, RolePlace, User
from crm.accounts.services.roles import fits, published, version_of
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.policy import Decision, Permission, catalogue, decide
from crm.kit.registry import Registry
from crm.organisations.models import Organisation, Unit
from crm.organisations.selectors import Node, unit_tree

NO = "no"
PLACE, EVERYWHERE = RolePermission.Reach.PLACE.value, RolePermission.Reach.EVERYWHERE.value
CELLS: Mapping[str, Text] = {
    NO: _("No"),
    PLACE: _("Their unit"),
    EVERYWHERE: _("Whole organisation"),
}
ROOMS: Mapping[str, tuple[Text, str]] = {  # heading and icon, in the order of the matrix
    "cases": (_("Cases"), "folder"),
    "citizens": (_("Citizens"), "users"),
    "campaigns": (_("Campaigns"), "speakerphone"),
    "reporting": (_("Reports"), "chart-bar"),
    "organisations": (_("Organisation"), "building-community"),
    "accounts": (_("Employees"), "id-badge-2"),
    "audit": (_("Audit"), "history"),
}

# --- The matrix -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A role, and how many people have it."""

    role: Role
    people: int


@dataclass(frozen=True, slots=True)
class Cell:
    """How far a role reaches with a permission: as published, and as somebody would have it."""

    role: Role
    published: str
    wanted: str
    fits: bool

    @property
    def changed(self) -> bool:
        """Whether it is still to be published."""
        return self.published != self.wanted

    @property
    def before(self) -> Text:
        """The published value in words."""
        return CELLS[self.published]


@dataclass(frozen=True, slots=True)
class Row:
    """A permission across the roles."""

    permission: Permission
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Group:
    """The permissions of one room of the product."""

    heading: Text
    icon: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Change:
    """What publishing means for one role, for so many people."""

    role: Role
    people: int
    gained: list[Text]
    lost: list[Text]
    moved: list[tuple[Text, Text]]  # permission, new reach


@dataclass(frozen=True, slots=True)
class Matrix:
    """Permissions by roles; `version` changes with every published change."""

    columns: list[Column]
    groups: list[Group]
    changes: list[Change]
    version: str

    @property
    def pending(self) -> int:
        """How many cells are still to be published."""
        return sum(len(one.gained) + len(one.lost) + len(one.moved) for one in self.changes)


Wanted = Mapping[str, Mapping[str, str]]  # role's uuid → permission → cell


def matrix(actor: Actor, wanted: Wanted | None = None) -> Matrix:
    """The organisation's roles as they are published, with the changes that somebody would make."""
    wanted = wanted or {}
    roles = list(Role.objects.for_actor(actor).order_by("exclusive", "pk"))
    people = _people_by_role(actor)
    columns = [Column(role, people[role.pk]) for role in roles]
    now = published(actor.organisation_id)
    groups: dict[str, list[Row]] = defaultdict(list)
    for permission in catalogue.values():
        cells = [
            _cell(role, permission.name, now.get(role.pk, {}), wanted.get(str(role.uuid), {}))
            for role in roles
        ]
        groups[permission.app].append(Row(permission, cells))
    order = [room for room in ROOMS if room in groups] + sorted(set(groups) - set(ROOMS))
    return Matrix(
        columns=columns,
        groups=[Group(*ROOMS.get(room, (room, "puzzle")), groups[room]) for room in order],
        changes=[change for column in columns if (change := _change(column, groups))],
        version=version_of(now),
    )


def _cell(role: Role, name: str, reaches: Mapping[str, str], wanted: Mapping[str, str]) -> Cell:
    now = reaches.get(name, NO)
    wish = wanted.get(name, now)
    return Cell(role, now, wish if wish in CELLS else now, fits(role, name))


def _change(column: Column, groups: Mapping[str, list[Row]]) -> Change | None:
    gained: list[Text] = []
    lost: list[Text] = []
    moved: list[tuple[Text, Text]] = []
    for row in (row for rows in groups.values() for row in rows):
        cell = next(cell for cell in row.cells if cell.role.pk == column.role.pk)
        if not cell.changed:
            continue
        if cell.published == NO:
            gained.append(row.permission.sentence)
        elif cell.wanted == NO:
            lost.append(row.permission.sentence)
        else:
            moved.append((row.permission.sentence, CELLS[cell.wanted]))
    if not (gained or lost or moved):
        return None
    return Change(column.role, column.people, gained, lost, moved)


def _people_by_role(actor: Actor) -> Counter[int]:
    rows = (
        RolePlace.objects.filter(role__organisation=actor.organisation_id)
        .values("role")
        .annotate(people=Count("group__user", distinct=True))
    )
    return Counter({row["role"]: row["people"] for row in rows})


# --- Why, or why not ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing that rights are explained on: how a text names one, whose permissions fit it."""

    find: Callable[[Actor, str], object | None]
    rooms: frozenset[str]


things: Registry[Thing] = Registry("kind of thing that rights are explained on")


@dataclass(frozen=True, slots=True)
class Path:
    """How a role brings a permission to a place: role, where it is given, the way down from there."""

    role: Role
    place: Unit | None
    reach: str
    units: list[
        Node
    ]  # from the place down to the unit asked about; empty when it does not get there
    arrives: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether somebody may, through which roles, and if not what is missing."""

    decision: Decision
    paths: list[Path]
    roles_with_it: list[Role]  # which could be given


def explain(
    asker: Actor, user: User, permission: str, *, unit: Unit | None, thing: object | None = None
) -> Explanation:
    """Why a person of the asker's organisation may do something, or why not; rules speak last.

    `thing` is what it would be done to; else it is asked about a unit, or about the organisation.
    """
    organisation = Organisation.objects.for_actor(asker).get()
    actor = actor_for(user, organisation, asker.origin)
    if actor is None:
        decision = Decision(
            False, _("This person cannot act here now: invited, suspended or gone.")
        )
    elif thing is not None:
        decision = decide(actor, permission, thing)
    else:
        decision = _decide_on_place(actor, permission, unit)
    where = thing if thing is not None else unit
    unit_id = getattr(where, "unit_id", None)
    with_it = Role.objects.for_actor(asker).filter(permissions__permission=permission)
    return Explanation(
        decision=decision,
        paths=list(_paths(organisation, user, permission, unit_id)),
        roles_with_it=list(with_it.order_by("name")),
    )


def _decide_on_place(actor: Actor, permission: str, unit: Unit | None) -> Decision:
    """As the policy decides, before any rule, which needs the thing itself."""
    decision = decide(actor, permission)
    if decision and not actor.reach(permission).covers(unit.pk if unit else None):
        return Decision(False, _("Their roles include this permission, but not there."))
    return decision


def _paths(
    organisation: Organisation, user: User, permission: str, unit_id: int | None
) -> Iterator[Path]:
    places = RolePlace.objects.filter(
        group__user=user, role__organisation=organisation, role__permissions__permission=permission
    ).select_related("role", "unit")
    reaches = dict(
        RolePermission.objects.filter(
            role__organisation=organisation, permission=permission
        ).values_list("role", "reach")
    )
    way = unit_tree(organisation).path(unit_id) if unit_id is not None else []
    for place in places.order_by("role__name", "pk"):
        reach = reaches[place.role_id]
        if place.unit is None or reach == EVERYWHERE:
            yield Path(place.role, place.unit, reach, way, arrives=True)
            continue
        ids = [node.id for node in way]
        down = way[ids.index(place.unit.pk) :] if place.unit.pk in ids else []
        yield Path(place.role, place.unit, reach, down, arrives=bool(down))


def find(asker: Actor, text: str, permission: str) -> object | None:
    """The thing that a text names, of a kind with which the permission has to do."""
    room = catalogue[permission].app
    fitting = (thing.find(asker, text.strip()) for thing in things.values() if room in thing.rooms)
    return next((found for found in fitting if found is not None), None)


def holders(role: Role) -> QuerySet[Any]:
    """Who has a role, and where."""
    return (
        User.groups.through.objects.filter(group__role_place__role=role)
        .select_related("user", "group__role_place__unit")
        .order_by("user__full_name", "pk")
    )
