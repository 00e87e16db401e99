"""The chain of seals: what makes a change to the audit trail show, whoever makes it.

Entries are written plainly; a sealer follows within seconds and links their digests into a chain
(an in-transaction chain would make every writer wait for the others). It takes only what no open
transaction can add to any more, so no entry is skipped however late it commits.

A *generation* is one database cluster: transaction ids start afresh when a dump is restored into
another. The first pass there closes the old generation over all entries that came with the dump.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.audit.checkpoints import Checkpoint
from crm.audit.models import AuditEntry, Seal
from crm.kit.errors import Text
from crm.kit.tasks import exclusive
from crm.kit.web import Health

BATCH = 20_000  # entries in one seal: after a bulk load a pass makes several
GENESIS = bytes(32)
MOST_LAG = timedelta(seconds=10)

# One entry as text that says the same in every session: no time zone, no locale, no NULL that could
# be mistaken for a word. Every column is in it; a test holds this list to the model.
CANONICAL = """convert_to(jsonb_build_array(
    e.id, e.tx, e.organisation_id, extract(epoch FROM e.at)::text, e.actor_kind, e.actor_id,
    e.actor_name, e.on_behalf_of, e.action, e.object_type, e.object_id, e.object_name, e.purpose,
    e.result, e.door, host(e.ip), e.request_id, e.data)::text, 'UTF8')"""

# A seal's root covers all that the seal says.
ROOT = """sha256(s.previous || convert_to(jsonb_build_array(
    s.number, s.generation, s.id_floor, s.tx_from, s.tx_to, s.count, s.total, s.ids,
    s.organisation_ids, extract(epoch FROM s.sealed_at)::text)::text, 'UTF8')
    || (SELECT coalesce(string_agg(digest, ''::bytea ORDER BY place), ''::bytea)
        FROM unnest(s.digests) WITH ORDINALITY AS d (digest, place)))"""

# When an entry was made, if that is a moment that can be shown: whoever alters it may write 'infinity'.
AT = "CASE WHEN e.at BETWEEN '0002-01-01' AND '9999-01-01' THEN e.at END"


# --- sealing --------------------------------------------------------------------------------------


def seal() -> int:
    """Seal every entry that is final by now; how many that were. One sealer works at a time."""
    sealed = 0
    while batch := _seal_batch():
        sealed += batch
    return sealed


def _seal_batch() -> int:
    with exclusive("audit.seal") as mine:
        if not mine:
            return 0
        last = last_seal()
        generation = _generation()
        if last is not None and last.generation != generation:
            return _close_generation(last, generation)
        tx_from, floor = (last.tx_to, last.id_floor) if last else (0, 0)
        tx_to = _end_of_batch(tx_from, floor, _horizon())
        if tx_to is None:
            return 0
        where = "e.id > %s AND e.tx >= %s AND e.tx < %s"
        return _link(last, generation, floor, tx_from, tx_to, where, [floor, tx_from, tx_to])


def _horizon() -> int:
    """The first transaction id that may still write an entry.

    The oldest one in progress, as pg_snapshot_xmin says it, but leaving out those known to run in
    another database of the cluster, which cannot write here: they would stall the seal for nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce((
                SELECT min(tx::text::bigint) FROM pg_snapshot_xip(snapshot) AS tx
                WHERE NOT EXISTS (
                    SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
                    WHERE locktype = 'transactionid' AND transactionid = tx::xid
                      AND mode = 'ExclusiveLock' AND datname <> current_database())
                ), pg_snapshot_xmax(snapshot)::text::bigint)
            FROM pg_current_snapshot() AS snapshot
            """
        )
        return _number(cursor.fetchone())


def _end_of_batch(tx_from: int, floor: int, horizon: int) -> int | None:
    """Where a seal of about BATCH entries ends, between transactions; None when nothing is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT max(tx) FROM (
                SELECT tx FROM audit_auditentry WHERE id > %s AND tx >= %s AND tx < %s
                ORDER BY tx LIMIT %s) AS batch
            """,
            [floor, tx_from, horizon, BATCH],
        )
        row = cursor.fetchone()
    if row is None or row[0] is None:
        return None
    return int(row[0]) + 1


def _close_generation(last: Seal, generation: UUID) -> int:
    """Seal all that came with a dump; what is written from now on is told apart by its id.

    Writers wait meanwhile, so that nothing with a smaller id is still on its way. Once per restore.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE audit_auditentry IN SHARE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM audit_auditentry")
        floor = _number(cursor.fetchone())
    start = _horizon()
    unsealed = (
        "NOT EXISTS (SELECT FROM (SELECT unnest(ids) AS id FROM audit_seal) AS sealed"
        " WHERE sealed.id = e.id)"
    )
    return _link(last, generation, floor, start, start, unsealed, [])


def _link(
    last: Seal | None,
    generation: UUID,
    floor: int,
    tx_from: int,
    tx_to: int,
    where: str,
    parameters: Sequence[int],
) -> int:
    """Add the seal of the entries `e` that the condition takes; how many they are."""
    number, total, previous = 0, 0, GENESIS
    if last is not None:
        number, total, previous = last.number, last.total, bytes(last.root)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO audit_seal (number, generation, id_floor, tx_from, tx_to, count, total,
                                    ids, organisation_ids, digests, previous, sealed_at, root)
            SELECT s.*, {ROOT} FROM (
                SELECT %s::bigint AS number, %s::uuid AS generation, %s::bigint AS id_floor,
                       %s::bigint AS tx_from, %s::bigint AS tx_to, count(*)::int AS count,
                       %s::bigint + count(*) AS total,
                       coalesce(array_agg(e.id ORDER BY e.tx, e.id), '{{}}') AS ids,
                       coalesce(array_agg(e.organisation_id ORDER BY e.tx, e.id), '{{}}')
                           AS organisation_ids,
                       coalesce(array_agg(sha256({CANONICAL}) ORDER BY e.tx, e.id), '{{}}')
                           AS digests,
                       %s::bytea AS previous, clock_timestamp() AS sealed_at
                FROM audit_auditentry e WHERE {where}) AS s
            RETURNING count
            """,  # noqa: S608 - put together from this module's own text
            [number + 1, generation, floor, tx_from, tx_to, total, previous, *parameters],
        )
        return _number(cursor.fetchone())


def _generation() -> UUID:
    """Which cluster and database this is; a restored dump lies in another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT md5(system_identifier || ':' || oid)::uuid"
            " FROM pg_control_system(), pg_database WHERE datname = current_database()"
        )
        row = cursor.fetchone()
    assert row is not None
    assert isinstance(row[0], UUID)
    return row[0]


def _number(row: tuple[Any, ...] | None) -> int:
    assert row is not None
    return int(row[0])


# --- state ----------------------------------------------------------------------------------------


def last_seal() -> Seal | None:
    """The end of the chain, without the lists of what it covers."""
    return Seal.objects.defer("ids", "organisation_ids", "digests").order_by("-number").first()


def lag() -> timedelta:
    """How long the oldest entry has been waiting for its seal; zero when all are sealed."""
    last = last_seal()
    tx_from, floor = (last.tx_to, last.id_floor) if last else (0, 0)
    oldest = (
        AuditEntry.objects.unscoped("the whole installation's chain")
        .filter(tx__gte=tx_from, id__gt=floor)
        .order_by("tx", "id")
        .values_list("at", flat=True)
        .first()
    )
    return max(timezone.now() - oldest, timedelta(0)) if oldest else timedelta(0)


def health() -> Health:
    """For /healthz: how many seconds the sealer is behind; what is not sealed yet could be changed
    unseen."""
    seconds = lag().total_seconds()
    return Health(value=int(seconds), well=seconds <= MOST_LAG.total_seconds())


# --- verification ---------------------------------------------------------------------------------


class Kind(StrEnum):
    """What can be wrong with the trail."""

    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    SEAL = "seal"
    CUT = "cut"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing of its kind that is wrong, with all that is still known of it.

    `at` is when the entry was made; of one that is missing, when it was sealed a moment later.
    """

    kind: Kind
    seal: int | None
    at: datetime | None = None
    entry: int | None = None
    action: str = ""
    place: str = ""  # the line of the checkpoints

    def __str__(self) -> str:
        return str(_SENTENCES[self.kind]) % {
            "entry": self.entry,
            "action": self.action,
            "seal": self.seal,
            "place": self.place,
            "at": timezone.localtime(self.at).strftime("%Y-%m-%d %H:%M:%S") if self.at else "?",
        }


_SENTENCES: Mapping[Kind, Text] = {
    Kind.ALTERED: _("Entry %(entry)s of %(at)s (%(action)s) has been altered."),
    Kind.MISSING: _("Entry %(entry)s, sealed at %(at)s, is missing."),
    Kind.ADDED: _("Entry %(entry)s of %(at)s (%(action)s) was added afterwards."),
    Kind.SEAL: _("Seal %(seal)s of %(at)s is forged: the chain does not hold there."),
    Kind.CUT: _(
        "The end is cut off: seal %(seal)s, which the checkpoint of %(at)s knows, is gone."
    ),
    Kind.CHECKPOINT: _(
        "Seal %(seal)s is not the one that the checkpoint of %(at)s signed (%(place)s)."
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: nothing wrong, or the first fault of each kind."""

    entries: int
    seals: int
    sealed_at: datetime | None
    checkpoints: int
    faults: tuple[Fault, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify(checkpoints: Sequence[Checkpoint], organisation_id: int | None = None) -> Verdict:
    """Compare every sealed entry with its digest, every seal with the chain, the chain with the
    checkpoints.

    With an organisation only its entries are compared, against the whole chain.
    """
    last = last_seal()
    found: list[Fault | None] = []
    if last is not None:
        with transaction.atomic(), connection.cursor() as cursor:
            # a list's length is unknown to the planner, which then looks rows up one by one
            cursor.execute("SET LOCAL enable_nestloop = off")
            cursor.execute("SET LOCAL work_mem = '64MB'")
            found = [
                _altered_or_missing(cursor, last, organisation_id),
                _forged_seal(cursor, last),
                _added(cursor, last, organisation_id),
            ]
    found.append(_differing_checkpoint(checkpoints))
    return Verdict(
        entries=last.total if last else 0,
        seals=last.number if last else 0,
        sealed_at=last.sealed_at if last else None,
        checkpoints=len(checkpoints),
        faults=tuple(fault for fault in found if fault),
    )


def _altered_or_missing(
    cursor: CursorWrapper, last: Seal, organisation_id: int | None
) -> Fault | None:
    cursor.execute(
        f"""
        WITH sealed AS MATERIALIZED (  -- else the planner reads all entries once for each seal
            SELECT s.number, s.sealed_at, listed.* FROM audit_seal s,
                unnest(s.ids, s.organisation_ids, s.digests) WITH ORDINALITY
                    AS listed (id, organisation_id, digest, place)
            WHERE s.number <= %s)
        SELECT sealed.number, sealed.id, e.id IS NULL,
            CASE WHEN e.id IS NULL THEN sealed.sealed_at ELSE {AT} END, e.action
        FROM sealed LEFT JOIN audit_auditentry e ON e.id = sealed.id
        WHERE (e.id IS NULL OR sha256({CANONICAL}) IS DISTINCT FROM sealed.digest)
          AND (%s::bigint IS NULL OR sealed.organisation_id = %s)
        ORDER BY sealed.number, sealed.place LIMIT 1
        """,  # noqa: S608 - as above
        [last.number, organisation_id, organisation_id],
    )
    row = cursor.fetchone()
    if row is None:
        return None
    number, entry, missing, at, action = row
    return Fault(Kind.MISSING if missing else Kind.ALTERED, number, at, entry, action or "")


def _forged_seal(cursor: CursorWrapper, last: Seal) -> Fault | None:
    cursor.execute(
        f"""
        SELECT number, sealed_at FROM (
            SELECT s.*, {ROOT} AS computed, lag(s.root) OVER chain AS root_before,
                   lag(s.number, 1, 0) OVER chain AS number_before,
                   lag(s.total, 1, 0) OVER chain AS total_before
            FROM audit_seal s WHERE s.number <= %s WINDOW chain AS (ORDER BY s.number)) AS s
        WHERE root <> computed OR previous <> coalesce(root_before, %s)
           OR number <> number_before + 1 OR total <> total_before + count
           OR cardinality(ids) <> count OR cardinality(organisation_ids) <> count
           OR cardinality(digests) <> count
        ORDER BY number LIMIT 1
        """,  # noqa: S608 - as above
        [last.number, GENESIS],
    )
    row = cursor.fetchone()
    return Fault(Kind.SEAL, row[0], row[1]) if row else None


def _added(cursor: CursorWrapper, last: Seal, organisation_id: int | None) -> Fault | None:
    """An entry that no seal lists and none will: older than the end of the chain, or said to be of a
    transaction that has not been (in a restored dump only once its generation is closed)."""
    cursor.execute(
        f"""
        SELECT e.id, {AT}, e.action FROM audit_auditentry e
        WHERE (e.tx < %s OR e.id <= %s OR %s AND e.tx > greatest(
                pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1,
                pg_current_xact_id_if_assigned()::text::bigint))
          AND (%s::bigint IS NULL OR e.organisation_id = %s)
          AND NOT EXISTS (
            SELECT FROM (SELECT unnest(ids) AS id FROM audit_seal WHERE number <= %s) AS sealed
            WHERE sealed.id = e.id)
        ORDER BY e.id LIMIT 1
        """,  # noqa: S608 - as above
        [
            last.tx_to,
            last.id_floor,
            last.generation == _generation(),
            organisation_id,
            organisation_id,
            last.number,
        ],
    )
    row = cursor.fetchone()
    return Fault(Kind.ADDED, None, row[1], row[0], row[2]) if row else None


def _differing_checkpoint(checkpoints: Sequence[Checkpoint]) -> Fault | None:
    """The first checkpoint that was not signed by us, or that the chain does not bear out."""
    numbers = [checkpoint.number for checkpoint in checkpoints]
    roots = dict(Seal.objects.filter(number__in=numbers).values_list("number", "root"))
    for checkpoint in checkpoints:
        root = roots.get(checkpoint.number)
        if checkpoint.genuine and root is None:
            return Fault(Kind.CUT, checkpoint.number, checkpoint.at)
        if root is None or not checkpoint.genuine or bytes(root) != checkpoint.root:
            return Fault(Kind.CHECKPOINT, checkpoint.number, checkpoint.at, place=checkpoint.place)
    return None
