"""To whom a case is given, and why: a pure function over what is known of the people of its unit.

Who is away, cannot see it, lacks a skill or has no room is passed over; of the rest those who speak the
citizen's language go first, then the rule decides: in turn, or to whoever has least for their working time.
Ties fall to who was given something longest ago, then to the lower number, so that the same situation
always has the same answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import Method
from crm.kit.errors import Text

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the unit, as far as giving out work goes. `share` is in percent, the rest in points."""

    key: int
    name: str
    load: int
    capacity: int
    share: int = 100
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    last_given: datetime | None = None
    away: bool = False
    returned_it: bool = False  # they gave this very case back
    sees_it: bool = True

    @property
    def burden(self) -> Fraction:
        """What they have, for a full working day."""
        return Fraction(self.load * 100, self.share)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a case asks of whoever gets it."""

    method: Method
    weight: int = 1
    skills: frozenset[str] = frozenset()
    language: str = ""


class Passed(StrEnum):
    """Why somebody was passed over."""

    AWAY = "away"
    HIDDEN = "hidden"
    RETURNED = "returned"
    SKILLS = "skills"
    FULL = "full"

    @property
    def words(self) -> Text:
        """The reason as a supervisor reads it."""
        return {
            Passed.AWAY: _("Away"),
            Passed.HIDDEN: _("May not see it"),
            Passed.RETURNED: _("Gave it back"),
            Passed.SKILLS: _("Lacks a skill"),
            Passed.FULL: _("No room"),
        }[self]


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets it (nobody: it waits), how it was decided, and who was passed over for what."""

    person: Person | None
    ask: Ask
    among: int
    passed: tuple[tuple[Person, Passed], ...]
    speaks: bool = False

    @property
    def why(self) -> dict[str, Any]:
        """What the case's story keeps of it."""
        if self.person is None:
            return {}
        told: dict[str, Any] = {
            "how": str(self.ask.method),
            "among": self.among,
            "load": self.person.load,
            "capacity": self.person.capacity,
        }
        if self.ask.skills:
            told["skills"] = sorted(self.ask.skills)
        if self.speaks:
            told["language"] = self.ask.language
        return told


def choose(ask: Ask, people: Iterable[Person]) -> Choice:
    """Who gets a case that asks this; the same people in another order are answered alike."""
    passed: list[tuple[Person, Passed]] = []
    able: list[Person] = []
    for person in sorted(people, key=lambda one: one.key):
        reason = passed_over(ask, person)
        if reason is None:
            able.append(person)
        else:
            passed.append((person, reason))
    speakers = [one for one in able if ask.language and speaks(one, ask.language)]
    # with everybody or nobody speaking it, the language decided nothing
    by_language = bool(speakers) and len(speakers) < len(able)
    among = speakers if by_language else able
    order = _ORDERS.get(ask.method, _burden)
    chosen = min(among, key=order, default=None)
    return Choice(chosen, ask, len(among), tuple(passed), by_language)


def passed_over(ask: Ask, person: Person) -> Passed | None:
    """Why somebody cannot get it, the first reason that there is; None if they can."""
    if person.away:
        return Passed.AWAY
    if not person.sees_it:
        return Passed.HIDDEN
    if person.returned_it:
        return Passed.RETURNED
    if not ask.skills <= person.skills:
        return Passed.SKILLS
    if person.load + ask.weight > person.capacity:
        return Passed.FULL
    return None


def speaks(person: Person, language: str) -> bool:
    """Whether somebody speaks a language; a variant (ca-valencia) is spoken by who speaks its own."""
    return language in person.languages or language.partition("-")[0] in person.languages


def _turn(person: Person) -> tuple[Any, ...]:
    return (person.last_given or _NEVER, person.burden, person.key)


def _burden(person: Person) -> tuple[Any, ...]:
    return (person.burden, person.last_given or _NEVER, person.key)


_ORDERS: Mapping[Method, Callable[[Person], tuple[Any, ...]]] = {
    Method.ROUND_ROBIN: _turn,
    Method.LEAST_BUSY: _burden,
}


def in_words(why: Mapping[str, Any]) -> str:
    """« Why me »: how a case came to somebody, from what its story keeps (`Choice.why`, or an absence)."""
    how = why.get("how")
    if how in (Method.ROUND_ROBIN, Method.LEAST_BUSY):
        return " ".join(filter(None, [_by_rule(how, why), _needed(why)]))
    values = {"name": why.get("absent", "…"), "day": _day(why.get("until"))}
    return {
        Method.TAKE_NEXT: _("It was the most urgent one that nobody had."),
        "substitute": _("%(name)s is away until %(day)s, and this is who stands in.") % values,
        "away": _("%(name)s is away until %(day)s, and nobody who stands in can have it.") % values,
        "back": _("%(name)s is back.") % values,
        "gone": _("%(name)s does not work here any more.") % values,
    }.get(str(how), "")


def _by_rule(how: str, why: Mapping[str, Any]) -> str:
    among = int(why.get("among", 1))
    values = {"count": among, "load": why.get("load"), "capacity": why.get("capacity")}
    if among == 1:
        text = _("Nobody else could have it; %(load)s of %(capacity)s points before.")
    elif how == Method.ROUND_ROBIN:
        text = ngettext(
            "In turn among %(count)s person; %(load)s of %(capacity)s points before.",
            "In turn among %(count)s people; %(load)s of %(capacity)s points before.",
            among,
        )
    else:
        text = ngettext(
            "The least busy of %(count)s person: %(load)s of %(capacity)s points before.",
            "The least busy of %(count)s people: %(load)s of %(capacity)s points before.",
            among,
        )
    return text % values


def _needed(why: Mapping[str, Any]) -> str:
    said = []
    if why.get("skills"):
        said.append(_("Skills: %(names)s.") % {"names": ", ".join(why["skills"])})
    if why.get("language"):
        said.append(_("Language: %(code)s.") % {"code": why["language"]})
    return " ".join(said)


def _day(text: Any) -> str:
    day = parse_date(text) if isinstance(text, str) else None
    return date_format(day) if day else "…"
