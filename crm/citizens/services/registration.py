"""Who is on record: registering a person, once in the installation, and correcting their names."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.citizens import checking
from crm.citizens.checking import Errors, Names, NewContactPoint, NewIdentifier, Wishes
from crm.citizens.events import CitizenChanged, CitizenRegistered
from crm.citizens.matching import CERTAIN, Duplicate, likely_duplicates
from crm.citizens.models import Citizen, CitizenRecord, ContactPoint, Identifier
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.citizens.services.records import note, own_record, require_as_seen
from crm.citizens.vocabulary import learn
from crm.kit.actor import Actor
from crm.kit.errors import Conflict
from crm.kit.events import publish
from crm.kit.policy import require


class Duplicates(Conflict):
    """Somebody on record may be this person; `certain` when a number proves it."""

    def __init__(self, duplicates: Sequence[Duplicate]) -> None:
        self.duplicates = duplicates
        self.certain = duplicates[0].score == CERTAIN
        if self.certain:
            message = _("This person is already on record: the identification number is theirs.")
        else:
            message = _(
                "This person may already be on record. Look before creating another record."
            )
        super().__init__("already_registered" if self.certain else "likely_duplicates", message)


@dataclass(frozen=True, slots=True)
class Registered:
    """A new record; `known` when the citizen was already in the installation: names stand as they were."""

    record: CitizenRecord
    known: bool


@transaction.atomic
def register_citizen(
    actor: Actor,
    names: Names,
    *,
    identifiers: Sequence[NewIdentifier] = (),
    contact_points: Sequence[NewContactPoint] = (),
    wishes: Wishes | None = None,
    despite: Collection[UUID] = (),
) -> Registered:
    """The organisation keeps a record of this person, with these numbers and contact points.

    A number that already belongs to a citizen of the installation leads to a record of that same
    citizen, as their names stand. Raises Duplicates when somebody on record may be this person,
    unless all of them are named in `despite`: shown, looked at, and not the same.
    """
    require(actor, CHANGE_CITIZEN)
    names, numbers, points, wishes = _checked(
        names, identifiers, contact_points, wishes or Wishes()
    )
    found = likely_duplicates(actor, names, numbers, points)
    if any(duplicate.score == CERTAIN for duplicate in found) or any(
        duplicate.citizen.uuid not in despite for duplicate in found
    ):
        raise Duplicates(found)
    citizen, known = _citizen_of(names, numbers)
    record, made = CitizenRecord.objects.for_actor(actor).get_or_create(
        citizen=citizen, organisation_id=actor.organisation_id, defaults=asdict(wishes)
    )
    if not made:  # a colleague was faster by a moment
        raise Duplicates([Duplicate(citizen, record, CERTAIN, (_("Same identification number"),))])
    _add_points(record, points)
    note(
        actor,
        CHANGE_CITIZEN,
        record,
        registered=True,
        known_before=known,
        despite=[str(duplicate.citizen.uuid) for duplicate in found],
    )
    publish(CitizenRegistered(str(citizen.uuid), record.organisation_id))
    return Registered(record, known)


def _checked(
    names: Names,
    identifiers: Sequence[NewIdentifier],
    contact_points: Sequence[NewContactPoint],
    wishes: Wishes,
) -> tuple[Names, list[NewIdentifier], list[NewContactPoint], Wishes]:
    """Everything in its kept form; Invalid names all that is wrong at once (`identifiers.0`…)."""
    errors = Errors()
    numbers: dict[tuple[str, str, str], NewIdentifier] = {}
    points: dict[tuple[str, str], NewContactPoint] = {}
    kind = names.kind
    with errors.at(""):
        names = checking.names(names)
    for place, given in enumerate(identifiers):
        with errors.at(f"identifiers.{place}"):
            number = checking.identifier(given, kind)
            numbers[number.kind, number.value, number.country] = number
    for place, offered in enumerate(contact_points):
        with errors.at(f"contact_points.{place}"):
            point = checking.contact_point(offered)
            points.setdefault((point.channel, point.key), point)
    with errors.at(""):
        wishes = checking.wishes(wishes)
    errors.refuse()
    # in order, so that two registrations with the same numbers cannot wait for each other
    return names, [numbers[key] for key in sorted(numbers)], list(points.values()), wishes


def _citizen_of(names: Names, numbers: Sequence[NewIdentifier]) -> tuple[Citizen, bool]:
    """The citizen to whom the numbers belong, or a new one; whether they were known."""
    citizen = _holder(numbers)
    if citizen is None:
        try:
            with transaction.atomic():
                return _new_citizen(names, numbers), False
        except IntegrityError:  # somebody registered the number while we did
            citizen = _holder(numbers)
            if citizen is None:
                raise
    _add_numbers(citizen, numbers)
    return citizen, True


def _holder(numbers: Sequence[NewIdentifier]) -> Citizen | None:
    """The one citizen with an active number of these."""
    if not numbers:
        return None
    same = Q()
    for number in numbers:
        same |= Q(kind=number.kind, value=number.value, country=number.country)
    holders = list(
        Citizen.objects.unscoped("a number is one citizen's in the whole installation").filter(
            pk__in=Identifier.objects.unscoped("likewise")
            .filter(same, ended_at=None)
            .values("citizen")
        )
    )
    if len(holders) > 1:
        raise Conflict(
            "numbers_of_two",
            _("These identification numbers belong to different people. Check them."),
        )
    return holders[0] if holders else None


def _new_citizen(names: Names, numbers: Sequence[NewIdentifier]) -> Citizen:
    citizen = Citizen.objects.create(**asdict(names))
    _add_numbers(citizen, numbers)
    learn(citizen)
    return citizen


def _add_numbers(citizen: Citizen, numbers: Sequence[NewIdentifier]) -> None:
    """Those that the citizen does not have yet."""
    has = set(citizen.identifiers.filter(ended_at=None).values_list("kind", "value", "country"))
    Identifier.objects.bulk_create(
        Identifier(citizen=citizen, **asdict(number))
        for number in numbers
        if (number.kind, number.value, number.country) not in has
    )


def _add_points(record: CitizenRecord, points: Sequence[NewContactPoint]) -> None:
    preferred: set[str] = set()
    rows = []
    for point in points:
        first = point.preferred and point.channel not in preferred
        preferred |= {point.channel} if first else set()
        rows.append(
            ContactPoint(
                organisation_id=record.organisation_id,
                citizen=record.citizen,
                channel=point.channel,
                address=point.address,
                address_key=point.key,
                postal_code=point.postal_code,
                municipality=point.municipality,
                locality=point.locality,
                preferred=first,
            )
        )
    ContactPoint.objects.bulk_create(rows)


@transaction.atomic
def change_citizen(
    actor: Actor, citizen_id: UUID, names: Names, *, seen: datetime | None = None
) -> Citizen:
    """The citizen is called so, for every organisation that keeps a record of them.

    `seen` is the `updated_at` of what the person corrected: if somebody else changed it since,
    raises Conflict.
    """
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    names = checking.names(names)
    citizen = Citizen.objects.for_actor(actor).select_for_update().get(pk=record.citizen_id)
    require_as_seen(citizen, seen)
    values = asdict(names)
    changed = [field for field, value in values.items() if getattr(citizen, field) != value]
    for field in changed:
        setattr(citizen, field, values[field])
    if changed:
        citizen.save(update_fields=[*changed, "updated_at"])
        learn(citizen)
    record.citizen = citizen
    note(actor, CHANGE_CITIZEN, record, changed=changed)
    publish(CitizenChanged(str(citizen.uuid), record.organisation_id))
    return citizen
