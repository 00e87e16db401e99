"""Colleagues and units named in a note by @: plain words that everybody can read, each with whom it means.

`@Ana López`, `@ana@example.org`, `@Unit of Pensions` or its code: the longest name that fits counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Q
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from cases.models import Case
from cases.selectors import people_of, people_who_see
from crm.accounts.models import Membership, User
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.organisations.models import Unit

MOST = 20  # names in one note
_LONGEST = 200
_CANDIDATES = 400
_AT = re.compile(r"(?<![\w@.])@(?=\w)")
_WORD = re.compile(r"[\w.'’+@-]+")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name as it is written after @, and whom it means."""

    name: str
    person: User | None = None
    unit: Unit | None = None

    @property
    def kept(self) -> dict[str, str]:
        """What the event of the note keeps: the name as written, and a reference that stays."""
        if self.person is not None:
            return {"name": self.name, "person": str(self.person.uuid)}
        assert self.unit is not None
        return {"name": self.name, "unit": str(self.unit.uuid)}


@dataclass(slots=True)
class Named:
    """Whom a note names, and why somebody of them will not be told."""

    mentions: list[Mention] = field(default_factory=list)
    not_told: list[Text] = field(default_factory=list)


def named_in(actor: Actor, case: Case, text: str) -> Named:
    """Whom the text names among the people and units of the organisation; nothing asked without an @."""
    rests = [text[found.end() : found.end() + _LONGEST] for found in _AT.finditer(text)][:MOST]
    if not rests:
        return Named()
    people, units = _candidates(actor, rests)
    found = Named()
    for rest in rests:
        _add(found, rest, people, units)
    seeing = {row.pk for row in people_who_see(actor, case)} if found.mentions else set()
    for mention in found.mentions:
        person = mention.person
        if person is not None and person.pk not in seeing and person.pk != actor.user_id:
            told = _("%(name)s cannot see this case: they will not be told.")
            found.not_told.append(told % {"name": person.full_name})
    return found


def told_of(actor: Actor, case: Case, kept: Iterable[Mapping[str, str]]) -> list[int]:
    """The keys of those whom the mentions of an event mean and who may see the case."""
    people = [one["person"] for one in kept if "person" in one]
    units = [one["unit"] for one in kept if "unit" in one]
    working = Membership.objects.unscoped("whoever is told").in_force()  # who left it is not meant
    there = working.filter(unit__in=Unit.objects.for_actor(actor).filter(uuid__in=units))
    seeing = people_who_see(actor, case)
    meant = seeing.filter(Q(uuid__in=people) | Q(pk__in=there.values("user")))
    return sorted(set(meant.values_list("pk", flat=True)))


def marked(text: str, kept: Sequence[Mapping[str, Any]]) -> SafeString:
    """The text as paragraphs, with the names marked that its event says were meant."""
    names = sorted({str(one["name"]) for one in kept}, key=len, reverse=True)
    paragraphs = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip())
    inner = [_marked(paragraph, names) for paragraph in paragraphs]
    return mark_safe("\n\n".join(f"<p>{one}</p>" for one in inner))  # noqa: S308 - escaped piece by piece


def _marked(text: str, names: Sequence[str]) -> str:
    if not names:
        return _lines(text)
    shape = re.compile(r"(?<![\w@.])@(" + "|".join(map(re.escape, names)) + r")(?!\w)")
    found, at = "", 0
    for one in shape.finditer(text):
        found += _lines(text[at : one.start()])
        found += format_html('<span class="v-mention">@{}</span>', one[1])
        at = one.end()
    return found + _lines(text[at:])


def _lines(text: str) -> str:
    return conditional_escape(text).replace("\n", "<br>")


# --- Offered while writing ------------------------------------------------------------------------

OFFERED = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """A name that may be written after @, and why it would be in vain."""

    text: str
    sub: str
    refusal: Text = ""


def offers(actor: Actor, case: Case, begun: str) -> list[Offer]:
    """Colleagues and units whose names hold what is begun, those who may see the case first."""
    words = begun.split()
    like = Q()
    for word in words:
        like &= Q(full_name__icontains=word) | Q(email__istartswith=word)
    people = people_of(actor).exclude(Q(pk=actor.user_id)).filter(like)[: OFFERED * 3]
    seeing = set(people_who_see(actor, case).filter(pk__in=people).values_list("pk", flat=True))
    ordered = sorted(people, key=lambda one: (one.pk not in seeing, one.full_name))[:OFFERED]
    twice = _twice(actor, ordered)
    found = [
        Offer(
            one.email if one.full_name in twice else one.full_name,
            one.full_name if one.full_name in twice else one.email,
            "" if one.pk in seeing else _("Cannot see this case"),
        )
        for one in ordered
    ]
    named = Q()
    for word in words:
        named &= Q(name__icontains=word) | Q(code__istartswith=word)
    units = Unit.objects.for_actor(actor).filter(named, closed_on=None).order_by("name")
    room = OFFERED if words else 0  # by the bare @ people only
    return found + [Offer(unit.name, _("Unit")) for unit in units[: max(0, room - len(found)) or 2]]


def _twice(actor: Actor, people: Iterable[User]) -> set[str]:
    """The names that more than one colleague bears."""
    names = [one.full_name for one in people]
    rows = list(people_of(actor).filter(full_name__in=names).values_list("full_name", flat=True))
    return {name for name in rows if rows.count(name) > 1}


# --- Inside ---------------------------------------------------------------------------------------


def _candidates(actor: Actor, rests: Iterable[str]) -> tuple[list[User], list[Unit]]:
    """Whoever's name, login or code begins with the first word after one of the @."""
    firsts = {found[0].strip(".'’-") for rest in rests if (found := _WORD.match(rest))}
    people, units = Q(pk=None), Q(pk=None)
    for word in firsts:
        people |= Q(email__iexact=word) if "@" in word else Q(full_name__istartswith=word)
        units |= Q(name__istartswith=word) | Q(code__iexact=word)
    rows = Unit.objects.for_actor(actor).filter(units, closed_on=None)
    return list(people_of(actor).filter(people)[:_CANDIDATES]), list(rows[:_CANDIDATES])


def _add(found: Named, rest: str, people: Iterable[User], units: Iterable[Unit]) -> None:
    """The longest name with which the rest begins, once."""
    names = [(one.full_name, one) for one in people] + [(one.email, one) for one in people]
    places = [(one.name, one) for one in units] + [(one.code, one) for one in units]
    persons = _longest(rest, names)
    unit = _longest(rest, places)
    if persons and (not unit or len(persons[0][0]) >= len(unit[0][0])):
        if len(persons) > 1:
            told = _("%(name)s is the name of several people: choose one from the list after @.")
            found.not_told.append(told % {"name": persons[0][0]})
            return
        name, person = persons[0]
        mention = Mention(rest[: len(name)], person=person)
    elif unit:
        mention = Mention(rest[: len(unit[0][0])], unit=unit[0][1])
    else:
        return
    if mention not in found.mentions:
        found.mentions.append(mention)


def _longest(rest: str, names: Iterable[tuple[str, T]]) -> list[tuple[str, T]]:
    """Those of the longest name that the rest begins with and that ends where a word ends."""
    fits = [
        (name, one)
        for name, one in names
        if name
        and rest[: len(name)].casefold() == name.casefold()
        and not rest[len(name) : len(name) + 1].isalnum()
    ]
    longest = max((len(name) for name, _one in fits), default=0)
    return [(name, one) for name, one in fits if len(name) == longest]
