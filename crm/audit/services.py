"""What can be done with the audit trail: have it verified, and read it out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from crm.audit import chain, checkpoints, selectors
from crm.audit.models import AuditEntry, Result
from crm.audit.permissions import VIEW_ENTRY
from crm.audit.record import record, record_by_itself, without_numbers
from crm.audit.selectors import Asked
from crm.kit.actor import Actor, Door
from crm.kit.errors import Refused
from crm.kit.keyset import Page
from crm.kit.policy import require
from crm.kit.tasks import enqueue

VERIFIED, BROKEN = "audit_verified", "audit_broken"


def verify_trail(
    *,
    organisation_id: int | None,
    door: Door,
    asked_by: str = "",
    files: tuple[Path, ...] = (),
) -> chain.Verdict:
    """Verify the trail (of one organisation) against its seals and checkpoints; the result is
    recorded."""
    verdict = chain.verify(checkpoints.read(*files), organisation_id)
    with override("en"):  # an entry says the same whoever reads it
        faults = [{"kind": fault.kind, "text": str(fault)} for fault in verdict.faults]
    record_by_itself(
        VERIFIED if verdict.whole else BROKEN,
        organisation_id=organisation_id,
        door=door,
        on_behalf_of=asked_by,
        result=Result.DONE if verdict.whole else Result.FAILED,
        entries=verdict.entries,
        seals=verdict.seals,
        checkpoints=verdict.checkpoints,
        faults=faults,
    )
    return verdict


def ask_for_verification(actor: Actor) -> None:
    """A worker verifies the organisation's trail; the result will be an entry."""
    _require_auditor(actor)
    enqueue("audit.verify", actor.organisation_id, actor.name)


def search(actor: Actor, asked: Asked, cursor: str = "") -> Page[AuditEntry]:
    """A page of the organisation's entries; that somebody looked for them is an entry, too."""
    _require_auditor(actor)
    found = selectors.page(actor, asked, cursor)
    record(actor, "searched", what="audit", asked=_kept(asked), found=len(found.rows))
    return found


def open_entry(actor: Actor, number: int) -> AuditEntry:
    """One entry with all that it says."""
    _require_auditor(actor)
    entry = AuditEntry.objects.for_actor(actor).get_or_refuse(id=number)
    record(actor, "viewed", entry, name=str(number))
    return entry


def export(actor: Actor, asked: Asked) -> Iterator[AuditEntry]:
    """All entries that were asked for; the export is recorded before its first line."""
    _require_auditor(actor)
    record(actor, "exported", what="audit", asked=_kept(asked))
    return selectors.every(actor, asked)


@dataclass(frozen=True, slots=True)
class ChainState:
    """How the chain stands: what the auditor's page shows beside the entries."""

    sealed: int
    sealed_at: datetime | None
    late: bool
    checkpoint_at: datetime | None
    verification: AuditEntry | None


def chain_state(actor: Actor) -> ChainState:
    """How the chain stands, and when the organisation's entries were last verified."""
    _require_auditor(actor)
    last = chain.last_seal()
    checkpoint = checkpoints.latest()
    return ChainState(
        sealed=last.total if last else 0,
        sealed_at=last.sealed_at if last else None,
        late=chain.lag() > chain.MOST_LAG,
        checkpoint_at=checkpoint.at if checkpoint else None,
        verification=selectors.last_verification(actor),
    )


def _kept(asked: Asked) -> dict[str, Any]:
    """What was asked for, without anybody's number."""
    given = asked.given().items()
    return {name: without_numbers(it) if isinstance(it, str) else it for name, it in given}


def _require_auditor(actor: Actor) -> None:
    """The trail knows no units: a right given in one of them does not open it."""
    require(actor, VIEW_ENTRY)
    if not actor.reach(VIEW_ENTRY).everywhere:
        reason = _("The audit trail is one for the whole organisation: ask for the role there.")
        raise Refused(VIEW_ENTRY, reason)
