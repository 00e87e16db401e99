"""Finding a citizen by number, telephone, e-mail or name, as data-and-speed.md 2.2 measured it.

Attempts from the cheapest on, until one finds somebody; at most 200 candidates, ranked here. None
reads more than two thousand rows of an index, whatever the name and however large the table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.audit.record import record as write_down
from crm.audit.record import without_numbers
from crm.citizens.identifiers import SEARCH_LIMIT, Guess, Kind, guess, mask
from crm.citizens.likeness import misspellings, slips
from crm.citizens.models import (
    Channel,
    Citizen,
    CitizenRecord,
    ContactPoint,
    Identifier,
    NameWord,
    agreements_in_force,
    records_reaching,
)
from crm.citizens.permissions import VIEW_CITIZEN
from crm.citizens.vocabulary import words_of
from crm.kit.actor import Actor
from crm.kit.policy import require

CANDIDATES = 200
LOTS = (CANDIDATES, 2_000)  # rows looked at for those that exist for the actor: few, then many
ENOUGH = 20
MOST_WORDS = 8
ALTERNATIVES = 10  # spellings tried for one word, the commonest first
SHORTEST_PREFIX = 3  # a shorter one would gather a tenth of all names

Attempt = Sequence[QuerySet[Any, int]]  # keys of citizens, from as many index ranges


@dataclass(frozen=True, slots=True)
class Hit:
    """A citizen as a list may show them; of a protected record only the initials."""

    uuid: UUID
    name: str
    kind: str
    protected: bool
    birth_date: date | None = None
    identifier: str = ""  # masked
    locality: str = ""
    shared_by: str = ""  # the organisation whose citizen it is, by an agreement


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first; `more` when a fuller name would find others."""

    hits: tuple[Hit, ...]
    more: bool = False


def search(actor: Actor, text: str, limit: int = 20) -> Found:
    """The citizens whom the text may mean; one audit entry says who looked for what."""
    require(actor, VIEW_CITIZEN)
    text = "".join(char if char.isprintable() else " " for char in text).strip()
    citizens, more = _citizens(actor, text)
    hits = hits_of(actor, citizens[:limit])
    record_search(actor, "citizens", text=text, found=len(hits))
    return Found(hits, more or len(citizens) > limit)


def called(actor: Actor, words: Sequence[str]) -> QuerySet[Citizen, int]:
    """The keys of those whose names have all these words and who may be found by them: who exist for
    the actor and whom its organisation does not protect, for being found tells who they are."""
    require(actor, VIEW_CITIZEN)
    reaching = records_reaching(actor).filter(citizen=OuterRef("pk"))
    hidden = CitizenRecord.objects.for_actor(actor).filter(citizen=OuterRef("pk"), protected=True)
    (found,) = _having(_and(words[:MOST_WORDS]))
    assert isinstance(found, QuerySet)
    return found.filter(Exists(reaching), ~Exists(hidden))


def record_search(
    actor: Actor,
    what: str,
    *,
    filters: Iterable[str] = (),
    text: str = "",
    query: str = "",
    found: int | None = None,
) -> None:
    """Write down that the actor looked through a list: of what, by which filters, for which words.

    Each page of it is a look of its own, by whatever door. `query` is an expression in which numbers
    of people are masked already.
    """
    told: dict[str, Any] = {
        "filters": sorted(filters),
        "text": as_typed(text),
        "query": query,
        "found": found,
    }
    said = {name: value for name, value in told.items() if value not in ([], "", None)}
    write_down(actor, "searched", what=what, **said)


def as_typed(text: str) -> str:
    """The text as it is kept in the audit trail: as typed, but an identity number is masked."""
    shown = text[:SEARCH_LIMIT]
    if all(meaning.kind in ("phone", "case", "name") for meaning in guess(text)) and guess(text):
        return shown
    return without_numbers(shown)


# --- attempts ------------------------------------------------------------------------------------


def _citizens(actor: Actor, text: str) -> tuple[list[Citizen], bool]:
    meanings = guess(text)
    reaching = records_reaching(actor)
    if numbers := _by_number(actor, meanings):
        found, more = _known(reaching, numbers)
        if found:
            return found, more
    if any(meaning.kind not in ("name", Kind.PASSPORT, Kind.FOREIGN) for meaning in meanings):
        return [], False
    words = words_of(text)[:MOST_WORDS] if len(text) <= SEARCH_LIMIT else []
    for attempt in _by_name(words):
        found, more = _known(reaching, attempt)
        if found:
            return sorted(found, key=lambda citizen: _rank(words, citizen)), more
    return [], False


def _known(reaching: QuerySet[CitizenRecord], attempt: Attempt) -> tuple[list[Citizen], bool]:
    """Those of an attempt who exist for the actor, and whether there may be more."""
    for lot in LOTS:
        share = lot // len(attempt)  # so that one range does not crowd out the others
        first, *others = (source[:share] for source in attempt)
        ids = list(first.union(*others, all=True) if others else first)
        whole = len(ids) < share
        mine = set(reaching.filter(citizen__in=ids).values_list("citizen_id", flat=True))
        if whole or len(mine) >= ENOUGH:
            break
    nearest = [pk for pk in dict.fromkeys(ids) if pk in mine][:CANDIDATES]
    return list(_all().filter(pk__in=nearest, merged_into=None)), not whole


def _all() -> QuerySet[Citizen]:
    return Citizen.objects.unscoped("narrowed to those who exist for the actor in _known")


def _by_number(actor: Actor, meanings: Sequence[Guess]) -> Attempt:
    """By what is on a card, or where the organisation reaches them: b-trees of exact values."""
    cards, points = Q(), Q()
    for meaning in meanings:
        if meaning.kind in Identifier.Kind.values:
            cards |= Q(kind=meaning.kind, value=meaning.value)
        elif meaning.kind in _CHANNELS:
            points |= Q(channel__in=_CHANNELS[meaning.kind], address_key=meaning.value.lower())
    sources: list[QuerySet[Any, int]] = []
    if cards:
        numbers = Identifier.objects.unscoped("narrowed in _known").filter(cards, ended_at=None)
        sources.append(numbers.values_list("citizen_id", flat=True))
    if points:
        reached = ContactPoint.objects.for_actor(actor).filter(points, ended_at=None)
        sources.append(reached.values_list("citizen_id", flat=True))
    return sources


_CHANNELS = {
    "phone": (Channel.PHONE, Channel.SMS, Channel.WHATSAPP),
    "email": (Channel.EMAIL,),
}


def _by_name(words: Sequence[str]) -> Iterator[Attempt]:
    if not words or not any(char.isalpha() for word in words for char in word):
        return
    if len(words) == 1:
        yield _one_word(words[0])
        yield _beginnings(words[0])
    else:
        yield _surnames(words)
        yield _having(_and(words))
        yield _next_word(words)
    if len(words[-1]) >= SHORTEST_PREFIX:
        yield _having(_and(words, typing=True))
    alternatives = _alternatives(words)
    if any(alternatives.values()):
        yield _having(_one_slip(words, alternatives))
        if len(words) > 1:
            yield _having(" & ".join(_either([word, *alternatives[word]]) for word in words))


def _one_word(word: str) -> Attempt:
    """Those of that first surname in order, and whoever bears the word at all."""
    return [_ordered(surname1_key=word), *_having(_quoted(word))]


def _beginnings(start: str) -> Attempt:
    names = _all().filter(name_key__startswith=start).order_by("name_key", "pk")
    return [_ordered(surname1_key__startswith=start), names.values_list("pk", flat=True)]


def _surnames(words: Sequence[str]) -> Attempt:
    """Two of the words are the surnames, before or after the name and in either order."""
    pairs = [(words[:2], words[2:])]
    if len(words) > 2:
        pairs.append((words[-2:], words[:-2]))
    ranges = {
        (first, second, *rest) for pair, rest in pairs for first, second in (pair, pair[::-1])
    }
    return [
        _ordered(surname1_key=first, surname2_key=second).filter(_named(rest))
        for first, second, *rest in sorted(ranges)
    ]


def _next_word(words: Sequence[str]) -> Attempt:
    """The last word is still being written: a second surname, or a first one after the name."""
    *before, last = words
    return [
        _ordered(surname1_key=before[-1], surname2_key__startswith=last).filter(
            _named(before[:-1])
        ),
        _ordered(name_key=" ".join(before), surname1_key__startswith=last),
    ]


def _ordered(**keys: Any) -> QuerySet[Citizen, int]:
    """A range of the surnames' index, walked in its order until there are enough: no sort."""
    order = ("surname1_key", "surname2_key", "name_key", "pk")
    return _all().filter(**keys).order_by(*order).values_list("pk", flat=True)


def _named(words: Sequence[str]) -> Q:
    """The name has these words too: read off the surnames' index, which ends with it (0.3 μs a row)."""
    return Q(*(Q(name_key__regex=rf"\m{word}\M") for word in words))


def _having(query: str) -> Attempt:
    """By the GIN index over the words of names, in no order."""
    return [_all().filter(words=_query(query)).order_by().values_list("pk", flat=True)]


# --- words as a text-search query; they are letters and digits only ------------------------------


def _query(query: str) -> SearchQuery:
    return SearchQuery(query, config="simple", search_type="raw")


def _quoted(word: str) -> str:
    return f"'{word}'"


def _and(words: Sequence[str], *, typing: bool = False) -> str:
    return " & ".join(map(_quoted, words)) + (":*" if typing else "")


def _either(words: Sequence[str]) -> str:
    return "(" + " | ".join(map(_quoted, words)) + ")"


def _one_slip(words: Sequence[str], alternatives: dict[str, list[str]]) -> str:
    """One of the words was misspelt, the others are right (the last perhaps not finished)."""
    branches = []
    for place, word in enumerate(words):
        if alternatives[word]:
            terms = [_quoted(other) for other in words]
            if len(words[-1]) >= SHORTEST_PREFIX:
                terms[-1] += ":*"
            terms[place] = _either(alternatives[word])
            branches.append(f"({' & '.join(terms)})")
    return " | ".join(branches)


def _alternatives(words: Sequence[str]) -> dict[str, list[str]]:
    """The commonest words of names that are one slip away from each word."""
    spellings = {word: misspellings(word) if 3 <= len(word) <= 30 else set() for word in words}
    known = NameWord.objects.filter(word__in=set().union(*spellings.values())).order_by("-bearers")
    common = list(known.values_list("word", flat=True))
    return {
        word: [other for other in common if other in spellings[word]][:ALTERNATIVES]
        for word in words
    }


# --- what is shown -------------------------------------------------------------------------------


def _rank(words: Sequence[str], citizen: Citizen) -> tuple[int, int, str]:
    """Fewest slips first, then who is called so and nothing more, then by name."""
    called = words_of(citizen.full_name)
    apart = 0
    for place, word in enumerate(words):
        if word not in called:
            starts = place == len(words) - 1 and any(own.startswith(word) for own in called)
            apart += 1 if starts else 2 * min(slips(word, own, 1) for own in called)
    return apart, len(called), f"{citizen.surname1} {citizen.surname2} {citizen.name}"


_USUAL: Sequence[str] = [Kind.NIF, Kind.NIE, Kind.CIF, Kind.PASSPORT, Kind.FOREIGN, Kind.NAF]
"""Kinds of numbers, the one by which people know each other first."""


def hits_of(actor: Actor, citizens: Sequence[Citizen]) -> tuple[Hit, ...]:
    """The citizens as a list may show them to the actor."""
    records = {
        record.citizen_id: record
        for record in CitizenRecord.objects.for_actor(actor).filter(citizen__in=citizens)
    }
    active = Identifier.objects.unscoped("of citizens who exist for the actor")
    numbers: dict[int, Identifier] = {}
    for number in active.filter(citizen__in=citizens, ended_at=None).order_by("pk"):
        numbers[number.citizen_id] = min(
            number, numbers.get(number.citizen_id, number), key=lambda each: _USUAL.index(each.kind)
        )
    places = dict(
        ContactPoint.objects.for_actor(actor)
        .filter(citizen__in=citizens, ended_at=None, channel=Channel.POST)
        .values_list("citizen_id", "locality")
    )
    givers = _givers(actor, [citizen for citizen in citizens if citizen.pk not in records])
    return tuple(
        _hit(
            citizen,
            records.get(citizen.pk),
            numbers.get(citizen.pk),
            places.get(citizen.pk, ""),
            givers.get(citizen.pk, ""),
        )
        for citizen in citizens
    )


def _hit(
    citizen: Citizen,
    record: CitizenRecord | None,
    number: Identifier | None,
    locality: str,
    giver: str,
) -> Hit:
    if record is not None and record.protected:
        record.citizen = citizen
        return Hit(citizen.uuid, record.shown_name, citizen.kind, protected=True)
    return Hit(
        citizen.uuid,
        citizen.full_name,
        citizen.kind,
        protected=False,
        birth_date=citizen.birth_date,
        identifier=mask(number.kind, number.value) if number else "",
        locality=locality,
        shared_by=giver,
    )


def _givers(actor: Actor, citizens: Sequence[Citizen]) -> dict[int, str]:
    """Whose citizens they are that are seen by an agreement only."""
    if not citizens:
        return {}
    agreements = agreements_in_force(actor)
    shared = CitizenRecord.objects.unscoped("shared by an agreement in force").filter(
        citizen__in=citizens, organisation__in=agreements.values("giver"), protected=False
    )
    return dict(shared.values_list("citizen_id", "organisation__name"))
