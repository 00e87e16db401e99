"""What still reaches a case that another organisation has goes on to the case there: nothing is lost."""

from cases.models import TRANSFERRED, Case, CaseTransfer, Document, EventKind
from cases.permissions import CHANGE_CASE
from cases.services.writing import fetch, moment, write
from crm.accounts.actors import system_actor
from crm.kit.actor import Actor


def onward(actor: Actor, case: Case) -> tuple[Actor, Case] | None:
    """Where what came to a case that was given away goes on to, and who writes there."""
    if case.state != TRANSFERRED:
        return None
    rows = CaseTransfer.objects.unscoped("where what is not ours any more goes on to")
    row = rows.select_related("received_case__organisation").get(
        case=case, received_case__isnull=False
    )
    assert row.received_case is not None
    there = row.received_case
    name = f"{actor.name} ({actor.organisation_name})"
    return system_actor(there.organisation, actor.origin, name=name), there


def send_document_on(actor: Actor, case: Case, document: Document) -> None:
    """A document that came to a case that was given away is in the case there, by its digest."""
    found = onward(actor, case)
    if found is None:
        return
    theirs, there = found
    row = fetch(theirs, there.uuid)
    copy = Document.objects.create(
        organisation_id=row.organisation_id,
        case=row,
        name=document.name,
        media_type=document.media_type,
        size=document.size,
        sha256=document.sha256,
        scan=document.scan,
        origin=document.origin,
        confidentiality=document.confidentiality,
        added_by_name=theirs.name[:200],
        created_at=moment(),
    )
    told = {
        "document": str(copy.uuid),
        "name": copy.name,
        "size": copy.size,
        "sha256": copy.sha256,
    }
    write(theirs, CHANGE_CASE, row, EventKind.ATTACHED, told)
    send_document_on(theirs, row, copy)
