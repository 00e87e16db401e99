"""Files of a case: taking them in, withdrawing them, handing them out."""

import logging
import time
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Case, Confidentiality, Document, EventKind
from cases.permissions import CHANGE_CASE, VIEW_SPECIAL
from cases.services import papers
from cases.services.sending_on import send_document_on
from cases.services.writing import fetch, moment, write
from cases.texts import one_line
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.kit import files
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, Invalid, NotFound
from crm.kit.policy import require

PATIENCE = 60  # seconds for a scanner that answers slowly

log = logging.getLogger(__name__)


def attach_document(
    actor: Actor,
    case: UUID,
    chunks: Iterable[bytes],
    name: str,
    *,
    origin: str = Document.Origin.ADMINISTRATION,
    confidentiality: int = Confidentiality.INTERNAL,
) -> Document:
    """The file is kept and is a document of the case; FileRefused says by name what is wrong with it.

    Permission is asked before the bytes are read, and again with the case locked.
    """
    with transaction.atomic():
        require(actor, CHANGE_CASE, fetch(actor, case))
    _require_known(origin, confidentiality)
    stored = files.store(chunks, name)
    with transaction.atomic():
        row = fetch(actor, case)
        require(actor, CHANGE_CASE, row)
        if confidentiality == Confidentiality.SPECIAL:
            require(actor, VIEW_SPECIAL, row)
        return attach_stored(actor, row, stored, origin=origin, confidentiality=confidentiality)


def attach_stored(
    actor: Actor,
    row: Case,
    stored: files.Stored,
    *,
    origin: str,
    confidentiality: int = Confidentiality.INTERNAL,
) -> Document:
    """A kept file is a document of the case, which the caller has fetched and locked."""
    document = Document.objects.create(
        organisation_id=row.organisation_id,
        case=row,
        name=stored.name[:200],
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        scan=stored.scan,
        origin=origin,
        confidentiality=confidentiality,
        added_by_id=actor.user_id,
        added_by_name=actor.name[:200],
        created_at=moment(),
    )
    told = {
        "document": str(document.uuid),
        "name": document.name,
        "size": document.size,
        "sha256": document.sha256,
    }
    write(actor, CHANGE_CASE, row, EventKind.ATTACHED, told)
    send_document_on(actor, row, document)
    return document


@transaction.atomic
def withdraw_document(actor: Actor, case: UUID, document: UUID, *, reason: str) -> Document:
    """The document is no longer handed out; that it was there, and why it went, stays."""
    row = fetch(actor, case)
    require(actor, CHANGE_CASE, row)
    found = (
        Document.objects.for_actor(actor)
        .select_for_update(of=("self",))
        .get_or_refuse(case=row, uuid=document)
    )
    if not one_line(reason):
        raise Invalid(errors={"reason": [_("This field is required.")]})
    if found.withdrawn_at is not None:
        raise Conflict("document_withdrawn", _("The document has been withdrawn."))
    found.withdrawn_at, found.withdrawn_reason = timezone.now(), one_line(reason)[:240]
    found.save(update_fields=["withdrawn_at", "withdrawn_reason", "updated_at"])
    told = {"document": str(found.uuid), "name": found.name, "reason": found.withdrawn_reason}
    write(actor, CHANGE_CASE, row, EventKind.WITHDRAWN, told)
    papers.document_gone(found)
    return found


def look_again(at_most: int = 200) -> int:
    """Files that wait for the virus scanner are judged, whatever case they are of; how many were.

    Those asked about longest ago come first, so that one which the scanner cannot judge stops no other.
    """
    waiting = Document.objects.unscoped("the scanner judges for everyone").filter(
        scan=files.Scan.UNAVAILABLE
    )
    judged, began = 0, time.monotonic()
    for document in waiting.select_related("organisation").order_by("updated_at", "pk")[:at_most]:
        if time.monotonic() - began > PATIENCE:
            break
        try:
            found = files.scan(document.path)
        except NotFound:
            found = files.Scan.UNAVAILABLE
            log.error("document_lost", extra={"document": str(document.uuid)})
        with transaction.atomic():
            document.scan = found
            document.save(update_fields=["scan", "updated_at"])
            if found != files.Scan.UNAVAILABLE:
                actor = system_actor(document.organisation, Origin(Door.TASK))
                record(actor, CHANGE_CASE, document, scan=found.value)
                judged += 1
    return judged


def open_document(actor: Actor, case: UUID, document: UUID) -> Document:
    """The document, about to be handed out: one entry "downloaded" says to whom."""
    found = document_of(actor, case, document)
    record(actor, "downloaded", found, case=found.case.reference if found.case else "")
    return found


def document_of(actor: Actor, case: UUID, document: UUID) -> Document:
    """A document that may be shown to the actor; Conflict when it has been withdrawn."""
    found = (
        Document.objects.for_actor(actor)
        .select_related("case")
        .get_or_refuse(case__uuid=case, uuid=document)
    )
    if found.withdrawn_at is not None:
        raise Conflict("document_withdrawn", _("The document has been withdrawn."))
    return found


def _require_known(origin: str, confidentiality: int) -> None:
    if origin not in Document.Origin.values:
        raise Invalid(errors={"origin": [_("Choose one of the offered values.")]})
    if confidentiality not in Confidentiality.values:
        raise Invalid(errors={"confidentiality": [_("There is no such level.")]})
