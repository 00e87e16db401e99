"""Who may already be on record: likely duplicates of a person about to be registered, with reasons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.citizens.checking import Names, NewContactPoint, NewIdentifier
from crm.citizens.identifiers import folded
from crm.citizens.likeness import name_slips
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint, Identifier
from crm.kit.actor import Actor
from crm.kit.errors import Text
from crm.kit.prepared import by_key

CERTAIN = 100
WORTH_ASKING = 50
CANDIDATES = 200  # of each sort; a telephone of hundreds of people is an institution's
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A citizen who may be the same person: how likely (0 to 100) and why."""

    citizen: Citizen
    record: CitizenRecord
    score: int
    reasons: tuple[Text, ...]


@by_key(on=False)
def likely_duplicates(
    actor: Actor,
    names: Names,
    identifiers: Sequence[NewIdentifier] = (),
    contact_points: Sequence[NewContactPoint] = (),
) -> list[Duplicate]:
    """The organisation's own citizens who may be this person, likeliest first, five at most.

    Takes what `checking` has put in its kept form.
    """
    known = (
        CitizenRecord.objects.for_actor(actor)
        .filter(citizen__in=_candidates(actor, names, identifiers, contact_points))
        .select_related("citizen")
        .prefetch_related(
            "citizen__identifiers",
            Prefetch(
                "citizen__contact_points",
                ContactPoint.objects.for_actor(actor).filter(ended_at=None),
            ),
        )
    )
    found = [_compared(record, names, identifiers, contact_points) for record in known]
    worth = [duplicate for duplicate in found if duplicate.score >= WORTH_ASKING]
    return sorted(worth, key=lambda d: (-d.score, d.citizen.full_name, d.citizen.pk))[:SHOWN]


def _candidates(
    actor: Actor,
    names: Names,
    identifiers: Sequence[NewIdentifier],
    contact_points: Sequence[NewContactPoint],
) -> set[int]:
    sources: list[QuerySet[CitizenRecord, int]] = []
    own = (
        CitizenRecord.objects.for_actor(actor)
        .filter(citizen__merged_into=None)
        .values_list("citizen_id", flat=True)
    )
    if identifiers:
        numbers = Identifier.objects.unscoped("narrowed to the actor's own records").filter(
            value__in=[number.value for number in identifiers]
        )
        sources.append(own.filter(citizen__in=numbers.values("citizen")))
    if contact_points:
        points = ContactPoint.objects.for_actor(actor).filter(
            ended_at=None,
            address_key__in=[point.key for point in contact_points],
            channel__in=[point.channel for point in contact_points],
        )
        sources.append(own.filter(citizen__in=points.values("citizen")))
    if names.birth_date:
        sources.append(own.filter(citizen__birth_date=names.birth_date))
    first, second = folded(names.surname1), folded(names.surname2)
    same = Q(citizen__surname1_key=first, citizen__surname2_key=second)
    turned = Q(citizen__surname1_key=second, citizen__surname2_key=first)
    called = own.filter(citizen__name_key=folded(names.name))
    sources.append(called.filter(same))
    if second:
        sources.append(called.filter(turned))
    return {pk for source in sources for pk in source[:CANDIDATES]}


REASONS: Mapping[str, Text] = {
    "number": _("Same identification number"),
    "number_before": _("The identification number was theirs before"),
    "reached_alike": _("Same telephone, email or address, and a similar name"),
    "born_alike": _("Almost the same name, and the same date of birth"),
    "born": _("Same name and date of birth"),
    "name": _("Same name"),
}
"""Why two records may be one person's, by code."""


def _compared(
    record: CitizenRecord,
    names: Names,
    identifiers: Sequence[NewIdentifier],
    contact_points: Sequence[NewContactPoint],
) -> Duplicate:
    score, codes = compared(record.citizen, names, identifiers, contact_points)
    return Duplicate(record.citizen, record, score, tuple(REASONS[code] for code in codes))


def compared(
    citizen: Citizen,
    names: Names,
    identifiers: Sequence[NewIdentifier],
    contact_points: Sequence[NewContactPoint],
) -> tuple[int, list[str]]:
    """Every reason found (of REASONS), the strongest first, and the score of that one."""
    reasons: list[tuple[int, str]] = [
        *_same_numbers(citizen, identifiers),
        *_alike(citizen, names, contact_points),
    ]
    reasons.sort(key=lambda reason: -reason[0])
    return (reasons[0][0] if reasons else 0), [code for _score, code in reasons]


def _same_numbers(
    citizen: Citizen, identifiers: Sequence[NewIdentifier]
) -> Iterable[tuple[int, str]]:
    given = {(number.kind, number.value, number.country) for number in identifiers}
    for number in citizen.identifiers.all():
        if (number.kind, number.value, number.country) in given:
            if number.ended_at is None:
                yield CERTAIN, "number"
            else:
                yield 85, "number_before"


def _alike(
    citizen: Citizen, names: Names, contact_points: Sequence[NewContactPoint]
) -> Iterable[tuple[int, str]]:
    apart = name_slips(
        _words(names.name, names.surname1, names.surname2),
        _words(citizen.name, citizen.surname1, citizen.surname2),
    )
    if apart > 2 or citizen.kind != names.kind:
        return
    keys = {(point.channel, point.key) for point in contact_points}
    if any((point.channel, point.address_key) in keys for point in citizen.contact_points.all()):
        yield 80 if apart else 90, "reached_alike"
    if names.birth_date and citizen.birth_date == names.birth_date:
        yield (75, "born_alike") if apart else (95, "born")
    elif not apart and not (names.birth_date and citizen.birth_date):
        yield 55, "name"


def _words(*parts: str) -> list[str]:
    return folded(" ".join(parts)).split()
