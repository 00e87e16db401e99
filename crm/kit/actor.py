"""Who acts: one person, machine or the system itself, for one organisation, with what it may do there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from uuid import UUID


class Kind(StrEnum):
    """What stands behind an actor."""

    USER = "user"
    API_CLIENT = "api_client"
    SYSTEM = "system"


class Door(StrEnum):
    """Through which door the act came in."""

    CONSOLE = "console"
    API = "api"
    ADMIN = "admin"
    SOCKET = "socket"
    TASK = "task"
    COMMAND = "command"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act came from, as it is written in the audit trail."""

    door: Door
    request_id: str = ""
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a permission reaches: the whole organisation, or some units (sub-units included)."""

    everywhere: bool = False
    units: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.units)

    def covers(self, unit_id: int | None) -> bool:
        """Whether something placed in this unit lies within reach; None is the organisation itself."""
        return self.everywhere or unit_id in self.units

    def __or__(self, other: Self) -> Self:
        return replace(
            self,
            everywhere=self.everywhere or other.everywhere,
            units=self.units | other.units,
        )


NOWHERE = Reach()
EVERYWHERE = Reach(everywhere=True)


@dataclass(frozen=True, slots=True)
class Attended:
    """Somebody who is attended in another's name: of the one they speak for, what may be told to them."""

    subject: int  # key of the one they speak for
    words: str  # who speaks for whom, as events and the audit trail keep it
    holder: int  # key of the one who speaks
    everything: bool = False  # else only what lies within:
    codes: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    refusal: str = ""  # nothing may be told any more, and why
    alone: bool = False  # and of nobody else anything


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor in one organisation. Made only by crm.accounts.actors (and by tests through it)."""

    kind: Kind
    id: int | None
    uuid: UUID | None
    name: str
    organisation_id: int
    organisation_code: str
    organisation_name: str
    origin: Origin
    permissions: Mapping[str, Reach] = field(default_factory=lambda: MappingProxyType({}))
    home_unit_id: int | None = None
    on_behalf_of: str = ""
    attends: tuple[Attended, ...] = ()  # narrows what is read of those in whose name they are

    def attended(self, subject: int | None) -> Attended | None:
        """Who is attended in the name of this one; None: nobody, they are attended themselves."""
        return next((one for one in self.attends if one.subject == subject), None)

    def without_attended(self) -> "Actor":
        """The same actor, who attends nobody in another's name."""
        return replace(self, attends=())

    def about(self, subject: int | None) -> "Actor":
        """The same actor, whose acts about this one say in whose name they were asked for."""
        found = self.attended(subject)
        return replace(self, on_behalf_of=found.words) if found else self

    def reach(self, permission: str) -> Reach:
        """How far the permission reaches for this actor; the system's own acts reach everywhere."""
        if self.kind is Kind.SYSTEM:
            return EVERYWHERE
        return self.permissions.get(permission, NOWHERE)

    def holds(self, permission: str) -> bool:
        """Whether the actor has the permission anywhere in the organisation."""
        return bool(self.reach(permission))

    @property
    def user_id(self) -> int | None:
        """The user's id when a person acts, None for machines and the system."""
        return self.id if self.kind is Kind.USER else None
