"""Who may be on record twice: looked for in the background, proposed with reasons, and remembered for
ever where somebody found that they are two.

An organisation's own records are looked through in batches in the order of registration. Each is
compared with the few that share a key with it: an address, a number, or a birthday with a name. So the
work grows with the records, never with their square, and a batch cut short is simply done again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.accounts.actors import system_actor
from crm.audit.record import record as write_down
from crm.citizens.checking import Names, NewContactPoint, NewIdentifier
from crm.citizens.matching import REASONS, compared
from crm.citizens.models import (
    Citizen,
    CitizenRecord,
    ContactPoint,
    DuplicatePair,
    DuplicateScan,
)
from crm.citizens.permissions import MERGE_CITIZENS, VIEW_PROTECTED
from crm.citizens.search import record_search
from crm.citizens.selectors import MaskedNumber, masked_numbers_of
from crm.citizens.services.merging import remember_different
from crm.kit import tasks
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Text
from crm.kit.keyset import Order
from crm.kit.policy import require
from crm.kit.scoping import ScopedQuerySet
from crm.organisations.models import Organisation

PAGE = 25
LIKELIEST = Order(("score", "id"), descending=True)
BATCH = 500
WORTH_PROPOSING = 75  # a name alone is shared by thousands
MOST_OF_ONE_KEY = 25  # a mailbox of more people is an institution's
LOOK = "citizens.look_for_duplicates"


@dataclass(frozen=True, slots=True)
class Person:
    """One of two who are proposed, as a list may show them."""

    uuid: UUID
    name: str
    protected: bool
    citizen: Citizen
    numbers: Sequence[MaskedNumber] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two who may be one person, and why."""

    pair: DuplicatePair
    people: tuple[Person, Person]
    reasons: list[Text]


def open_pairs(actor: Actor) -> "ScopedQuerySet[DuplicatePair]":
    """The pairs to be looked at: of two whom the actor may open, as they stand now."""
    require(actor, MERGE_CITIZENS)
    rows = DuplicatePair.objects.for_actor(actor).filter(
        verdict=DuplicatePair.Verdict.OPEN, one__merged_into=None, other__merged_into=None
    )
    mine = CitizenRecord.objects.for_actor(actor)
    if not actor.holds(VIEW_PROTECTED):
        mine = mine.filter(protected=False)
    for side in ("one", "other"):
        rows = rows.filter(Exists(mine.filter(citizen=OuterRef(side))))
    return rows.select_related("one", "other")


def tell_shown(actor: Actor, found: int) -> None:
    """One audit entry says that proposals were looked at."""
    record_search(actor, "duplicates", found=found)


def shown(actor: Actor, pairs: Sequence[DuplicatePair], *, tell: bool = True) -> list[Proposal]:
    """The pairs as a page shows them; one audit entry says that it was looked at."""
    keys = {key for pair in pairs for key in (pair.one_id, pair.other_id)}
    records = CitizenRecord.objects.for_actor(actor).filter(citizen__in=keys)
    by_citizen = {row.citizen_id: row for row in records.select_related("citizen")}
    if tell:
        tell_shown(actor, len(pairs))
    open_ = [row.citizen_id for row in by_citizen.values() if not row.protected]
    numbers = masked_numbers_of(open_)
    return [
        Proposal(
            pair,
            (
                _person(by_citizen[pair.one_id], numbers),
                _person(by_citizen[pair.other_id], numbers),
            ),
            [REASONS[code] for code in pair.reasons if code in REASONS],
        )
        for pair in pairs
    ]


def _person(record: CitizenRecord, numbers: Mapping[int, list[MaskedNumber]]) -> Person:
    citizen = record.citizen
    own = numbers.get(citizen.pk, ())
    return Person(citizen.uuid, record.shown_name, record.protected, citizen, own)


def of_citizen(actor: Actor, citizen: Citizen, limit: int = 5) -> list[Proposal]:
    """The proposals with one person, the likeliest first."""
    rows = open_pairs(actor).filter(Q(one=citizen) | Q(other=citizen))
    return shown(actor, list(rows.order_by("-score", "-pk")[:limit]))


@transaction.atomic
def say_different(actor: Actor, pair: UUID) -> DuplicatePair:
    """The two of a pair are not the same person, and are never proposed again."""
    found = open_pairs(actor).get_or_refuse(uuid=pair)
    said = remember_different(actor, found.one, found.other)
    for one, other in ((found.one, found.other), (found.other, found.one)):
        write_down(
            actor, MERGE_CITIZENS, one, name="", different=str(other.uuid), pair=str(found.uuid)
        )
    return said


# --- The look through all records -----------------------------------------------------------------


def last_scan(actor: Actor) -> DuplicateScan | None:
    """The look through the records that runs, or the last one."""
    return DuplicateScan.objects.for_actor(actor).order_by("-pk").first()


@transaction.atomic
def start_scan(actor: Actor) -> DuplicateScan:
    """All the organisation's records are looked through anew in the background."""
    require(actor, MERGE_CITIZENS)
    try:
        with transaction.atomic():
            scan = DuplicateScan.objects.create(organisation_id=actor.organisation_id)
    except IntegrityError as error:
        text = _("The records are being looked through already.")
        raise Conflict("scan_runs", text) from error
    write_down(actor, MERGE_CITIZENS, scan, started=True)
    tasks.enqueue(LOOK)
    return scan


def start_everywhere() -> int:
    """Each organisation's records are looked through; how many looks began."""
    began = 0
    running = DuplicateScan.objects.unscoped("a nightly task of all").filter(finished_at=None)
    rest = Organisation.objects.unscoped("likewise").exclude(pk__in=running.values("organisation"))
    for organisation in rest.order_by("pk"):
        start_scan(system_actor(organisation, Origin(Door.TASK)))
        began += 1
    return began


@transaction.atomic
def look_on(size: int = BATCH) -> bool:
    """One batch more of a look that runs is done; False when none is left. What a worker that died had
    not committed the next one does again."""
    scan = (
        DuplicateScan.objects.unscoped("a worker serves every organisation")
        .filter(finished_at=None)
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .first()
    )
    if scan is None:
        return False
    records = (
        CitizenRecord.objects.unscoped("of the organisation of the look")
        .filter(organisation=scan.organisation_id, pk__gt=scan.last)
        .order_by("pk")
    )
    batch = list(records.values_list("pk", "citizen")[:size])
    if batch:
        found = _propose(scan.organisation_id, [citizen for _record, citizen in batch])
        scan.last, scan.looked = batch[-1][0], scan.looked + len(batch)
        scan.found += found
    if len(batch) < size:
        scan.finished_at = timezone.now()
    scan.save(update_fields=["last", "looked", "found", "finished_at", "updated_at"])
    return True


def _propose(organisation_id: int, citizens: list[int]) -> int:
    """Pairs with these citizens that were not known; how many."""
    candidates = _candidates(organisation_id, citizens) - _different_before(organisation_id)
    people = _people(organisation_id, {key for pair in candidates for key in pair})
    pairs = []
    for one, other in sorted(candidates):
        if one not in people or other not in people:
            continue
        score, reasons = compared(people[other], *_as_given(people[one]))
        if score >= WORTH_PROPOSING:
            pairs.append(
                DuplicatePair(
                    organisation_id=organisation_id,
                    one_id=one,
                    other_id=other,
                    score=score,
                    reasons=reasons,
                )
            )
    known = DuplicatePair.objects.unscoped("of one organisation").filter(
        organisation=organisation_id, one__in={pair.one_id for pair in pairs}
    )
    there = set(known.values_list("one", "other"))
    new = [pair for pair in pairs if (pair.one_id, pair.other_id) not in there]
    DuplicatePair.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _different_before(organisation_id: int) -> set[tuple[int, int]]:
    """Pairs that were found to be two people when one of them was on record otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT citizens_survivor(one.uuid), citizens_survivor(other.uuid)
            FROM citizens_duplicatepair pair
            JOIN citizens_citizen one ON one.id = pair.one_id
            JOIN citizens_citizen other ON other.id = pair.other_id
            WHERE pair.organisation_id = %s AND pair.verdict = 'different'
              AND (one.merged_into_id IS NOT NULL OR other.merged_into_id IS NOT NULL)
            """,
            [organisation_id],
        )
        return {(min(pair), max(pair)) for pair in cursor.fetchall()}


def _candidates(organisation_id: int, citizens: list[int]) -> set[tuple[int, int]]:
    """Pairs that share a key, each found through an index; of one key MOST_OF_ONE_KEY at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH batch AS (
                SELECT id, name_key, surname1_key, surname2_key, birth_date FROM citizens_citizen
                WHERE id = ANY(%(citizens)s) AND merged_into_id IS NULL),
            found (one, other) AS (
                SELECT b.id, o.id FROM batch b CROSS JOIN LATERAL (
                    SELECT c.id FROM citizens_citizen c
                    WHERE c.birth_date = b.birth_date AND c.id <> b.id
                      AND (c.name_key = b.name_key OR c.surname1_key = b.surname1_key
                           OR c.surname1_key = b.surname2_key)
                    LIMIT %(most)s) o
                UNION
                SELECT b.id, o.citizen_id FROM batch b
                JOIN citizens_contactpoint mine ON mine.citizen_id = b.id
                  AND mine.organisation_id = %(organisation)s AND mine.ended_at IS NULL
                CROSS JOIN LATERAL (
                    SELECT p.citizen_id FROM citizens_contactpoint p
                    WHERE p.organisation_id = %(organisation)s AND p.channel = mine.channel
                      AND p.address_key = mine.address_key AND p.ended_at IS NULL
                      AND p.citizen_id <> b.id
                    LIMIT %(most)s) o
                UNION
                SELECT b.id, o.citizen_id FROM batch b
                JOIN citizens_identifier mine ON mine.citizen_id = b.id
                JOIN citizens_identifier o ON o.value = mine.value AND o.ended_at IS NULL
                  AND o.citizen_id <> b.id)
            SELECT DISTINCT least(one, other), greatest(one, other) FROM found
            """,
            {"citizens": citizens, "organisation": organisation_id, "most": MOST_OF_ONE_KEY},
        )
        return {(one, other) for one, other in cursor.fetchall()}


def _people(organisation_id: int, keys: Iterable[int]) -> dict[int, Citizen]:
    """Those of them of whom the organisation keeps a record, with what they are compared by."""
    records = CitizenRecord.objects.unscoped("of one organisation").filter(
        organisation=organisation_id, citizen=OuterRef("pk")
    )
    points = ContactPoint.objects.unscoped("of one organisation").filter(
        organisation=organisation_id, ended_at=None
    )
    rows = Citizen.objects.unscoped("of whom the organisation keeps a record").filter(
        Exists(records), pk__in=list(keys), merged_into=None
    )
    return {
        row.pk: row
        for row in rows.prefetch_related("identifiers", Prefetch("contact_points", points))
    }


def _as_given(citizen: Citizen) -> tuple[Names, list[NewIdentifier], list[NewContactPoint]]:
    """Somebody on record as if they came to be registered."""
    return (
        Names(citizen.kind, citizen.name, citizen.surname1, citizen.surname2, citizen.birth_date),
        [NewIdentifier(n.kind, n.value, n.country) for n in citizen.identifiers.all()],
        [
            NewContactPoint(channel=p.channel, address=p.address, key=p.address_key)
            for p in citizen.contact_points.all()
        ],
    )
