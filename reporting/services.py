"""Verbs on sealed histories: issue, hand out, revoke; and, for workers, make."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Case
from crm.accounts.actors import actor_for, system_actor
from crm.audit.models import Result
from crm.audit.record import record
from crm.citizens.models import Citizen, CitizenRecord
from crm.citizens.permissions import VIEW_CITIZEN, VIEW_PROTECTED
from crm.citizens.services.records import note, open_citizen
from crm.kit.actor import Actor, Door, Origin
from crm.kit.errors import Conflict, DomainError, Invalid, NotFound, Refused, Unavailable
from crm.kit.files import open_stored, store
from crm.kit.pdf import new_code
from crm.kit.policy import require
from crm.kit.tasks import enqueue
from crm.organisations.models import Organisation
from reporting.case_history import Content, content, content_of_person
from reporting.failures import NO_RIGHTS
from reporting.leases import claim, end, give_up, hold, release
from reporting.models import (
    HistoryBatch,
    IssuedHistory,
    Status,
    Variant,
    beside_protected,
    cases_of_protected,
)
from reporting.permissions import ISSUE_HISTORY
from reporting.printing import Printed, print_history, require_certificate, write_text

MOST_IN_BATCH = 100
_LOOK_AGAIN = timedelta(seconds=10)  # at a batch whose histories are not all made

log = logging.getLogger(__name__)


@transaction.atomic
def issue_history(actor: Actor, case: UUID, variant: str, *, language: str = "") -> IssuedHistory:
    """The history of the case as it is now exists or is being made.

    An unchanged case has the same document with the same code (RD 203/2021 art. 21); one that could
    not be made is tried again.
    """
    row = (
        Case.objects.for_actor(actor)
        .select_related("organisation")
        .select_for_update(of=("self",), no_key=True)
        .get_or_refuse(uuid=case)
    )
    require(actor, ISSUE_HISTORY, row)
    _require_variant(variant)
    _require_openness(actor, row, variant)
    require_certificate(row.organisation)
    told = content(row, variant, language or _language(row, variant), actor)
    same = IssuedHistory.objects.unscoped("whoever asked first, it is the same document")
    history, asked = _asked(actor, same.filter(case=row), told, case=row)
    if asked:
        record(actor, ISSUE_HISTORY, row, history=str(history.uuid), variant=variant)
        enqueue("reporting.make_history", history.pk)
    return history


@transaction.atomic
def issue_person_history(
    actor: Actor, citizen: UUID, variant: str, *, reason: str = "", language: str = ""
) -> IssuedHistory:
    """The history of all that the organisation has had with a person, as far as the actor may see it,
    exists or is being made. An unchanged one is the same document for the same asker.

    The person is opened by it: of a protected record only with a stated `reason`.
    """
    require(actor, ISSUE_HISTORY)
    opened = open_citizen(actor, citizen, reason=reason)
    if opened.record is None:
        raise NotFound  # what another organisation shares is not ours to seal
    kept = CitizenRecord.objects.for_actor(actor).select_for_update(of=("self",), no_key=True)
    row = kept.select_related("citizen", "organisation").get(pk=opened.record.pk)
    require(actor, VIEW_CITIZEN, row)
    _require_variant(variant)
    _require_openness_around(actor, row, variant)
    require_certificate(row.organisation)
    spoken = [row.language] if variant == Variant.CITIZEN else []
    language = language or _first_known([*spoken, *row.organisation.languages])
    told = content_of_person(row.citizen, variant, language, actor)
    same = IssuedHistory.objects.unscoped("the asker's own").filter(
        citizen=row.citizen, organisation=row.organisation, requested_by=actor.user_id
    )
    history, asked = _asked(actor, same, told, citizen=row.citizen)
    if asked:
        facts = {"history": str(history.uuid), "variant": variant}
        note(actor, ISSUE_HISTORY, row, purpose=opened.purpose, **facts)
        enqueue("reporting.make_history", history.pk)
    return history


def _asked(
    actor: Actor, same: QuerySet[IssuedHistory], told: Content, **of: Case | Citizen
) -> tuple[IssuedHistory, bool]:
    """The document that tells this: the one that stands, else a new one, or one that failed, to be
    made; and whether it is."""
    history = (
        same.select_for_update(of=("self",))
        .filter(fingerprint=told.fingerprint, revoked_at=None)
        .first()
    )
    if history is None:
        history = IssuedHistory.objects.create(
            organisation_id=actor.organisation_id,
            variant=told.variant,
            language=told.language,
            code=new_code(),
            fingerprint=told.fingerprint,
            content=asdict(told),
            special=told.special,
            requested_by_id=actor.user_id,
            requested_by_name=actor.name[:200],
            **of,
        )
    elif history.status == Status.FAILED:
        history.status, history.attempts, history.lease_until = Status.QUEUED, 0, None
        history.error = ""
        history.save(update_fields=["status", "attempts", "lease_until", "error", "updated_at"])
    else:
        return history, False
    return history, True


@transaction.atomic
def issue_batch(actor: Actor, cases: Sequence[UUID], variant: str) -> HistoryBatch:
    """The histories of these cases are being made, to be had as one zip by who asked for it."""
    require(actor, ISSUE_HISTORY)
    _require_variant(variant)
    chosen = list(dict.fromkeys(cases))
    if not chosen or len(chosen) > MOST_IN_BATCH:
        text = _("Select from 1 to %(count)s cases.") % {"count": MOST_IN_BATCH}
        raise Invalid(errors={"cases": [text]})
    if actor.user_id is None:
        raise Invalid(_("Several histories at once are for people; ask for them one by one."))
    batch = HistoryBatch.objects.create(
        organisation_id=actor.organisation_id,
        variant=variant,
        cases=chosen,
        requested_by_id=actor.user_id,
        requested_by_name=actor.name[:200],
    )
    record(actor, ISSUE_HISTORY, batch, variant=variant, cases=[str(case) for case in chosen])
    enqueue("reporting.make_batch", batch.pk)
    return batch


@transaction.atomic
def revoke_history(actor: Actor, history: UUID, reason: str) -> IssuedHistory:
    """The document is no longer verified by its code, for a reason that employees are told."""
    row = _fetch(actor, history, lock=True)
    reason = " ".join(reason.split())[:240]
    if not reason:
        raise Invalid(errors={"reason": [_("This field is required.")]})
    if row.status != Status.DONE:
        raise Conflict("history_not_ready", _("The document has not been issued."))
    if row.revoked_at is None:
        row.revoked_at, row.revoked_reason = timezone.now(), reason
        row.save(update_fields=["revoked_at", "revoked_reason", "updated_at"])
        record(actor, ISSUE_HISTORY, row, purpose=reason, revoked=True)
    return row


def download_history(actor: Actor, history: UUID) -> tuple[IssuedHistory, bytes]:
    """The document and its exact bytes, as they were sealed."""
    with transaction.atomic():
        row = _fetch(actor, history)
        if row.revoked_at is not None:
            raise Conflict("history_revoked", _("This document has been revoked."))
        if row.status != Status.DONE:
            raise Conflict("history_not_ready", _("The document has not been issued."))
        record(actor, "downloaded", row, sha256=row.sha256)
    return row, original_bytes(row, actor)


@transaction.atomic
def download_batch(
    actor: Actor, batch: UUID
) -> tuple[HistoryBatch, list[IssuedHistory], list[tuple[str, str]]]:
    """A finished batch, those of its histories that the actor may still see, and what is missing
    as (case, code of the reason)."""
    require(actor, ISSUE_HISTORY)
    row = HistoryBatch.objects.for_actor(actor).get_or_refuse(uuid=batch)
    if row.status != Status.DONE:
        raise Conflict("batch_not_ready", _("The documents are still being made."))
    mine = IssuedHistory.objects.for_actor(actor).filter(batches=row)
    found = list(mine.select_related("case").defer("content").order_by("case__reference"))
    seen = {str(history.case.uuid) for history in found if history.case} | set(row.left_out)
    gone = [(str(case), "not_found") for case in row.cases if str(case) not in seen]
    record(actor, "exported", row, histories=[str(history.uuid) for history in found])
    return row, found, [*row.left_out.items(), *gone]


@transaction.atomic
def history_as_text(actor: Actor, history: UUID) -> tuple[IssuedHistory, str]:
    """What a document that is not made tells, as plain text: unsealed and without a code."""
    row = _fetch(actor, history)
    if row.content is None:
        raise Conflict("history_made", _("The sealed document is ready: download that."))
    record(actor, "exported", row, form="text")
    return row, write_text(row.content)


def original_bytes(history: IssuedHistory, actor: Actor) -> bytes:
    """The bytes as issued, compared with their digest; Unavailable, and an alarm, if they changed."""
    try:
        with open_stored(history.path) as file:
            kept = file.read()
    except NotFound:
        kept = b""
    if hashlib.sha256(kept).hexdigest() != history.sha256:
        log.critical("The stored bytes of case history %s are not those issued", history.uuid)
        record(actor, "verified", history, result=Result.FAILED, sha256=history.sha256)
        raise Unavailable(
            "document_changed",
            _("The document is not available. The administrators have been told."),
        )
    return kept


def _fetch(actor: Actor, history: UUID, *, lock: bool = False) -> IssuedHistory:
    rows = IssuedHistory.objects.for_actor(actor).select_related("case", "organisation")
    if lock:
        rows = rows.select_for_update(of=("self",))
    row = rows.get_or_refuse(uuid=history)
    require(actor, ISSUE_HISTORY, row)
    return row


def _require_variant(variant: str) -> None:
    if variant not in Variant.values:
        raise Invalid(errors={"variant": [_("Choose one of the offered values.")]})


def _require_openness(actor: Actor, case: Case, variant: str) -> None:
    """Refused where the history would name somebody whose record the actor may not open."""
    if variant == Variant.REDACTED or actor.holds(VIEW_PROTECTED):
        return
    if cases_of_protected(actor).filter(pk=case.pk).exists():
        reason = _(
            "Somebody in this case is protected, and none of your roles opens protected records."
            " You may issue its history with hidden data."
        )
        raise Refused(ISSUE_HISTORY, reason, case)


def _require_openness_around(actor: Actor, row: CitizenRecord, variant: str) -> None:
    """Refused where a person's history would name another whose record the actor may not open."""
    if variant == Variant.REDACTED or actor.holds(VIEW_PROTECTED):
        return
    same = CitizenRecord.objects.for_actor(actor).filter(pk=row.pk)
    if same.filter(beside_protected(actor)).exists():
        reason = _(
            "Somebody in this person's cases is protected, and none of your roles opens protected"
            " records. You may issue the history with hidden data."
        )
        raise Refused(ISSUE_HISTORY, reason, row)


def _language(case: Case, variant: str) -> str:
    """The citizen's copy speaks the case's language, the others the organisation's first."""
    wanted = [case.language] if variant == Variant.CITIZEN else []
    return _first_known([*wanted, *case.organisation.languages])


def _first_known(wanted: Sequence[str]) -> str:
    known = dict(settings.LANGUAGES)
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


# --- For workers --------------------------------------------------------------------------------


def make_history(pk: int) -> None:
    """A queued history is made, sealed and kept, or it is said why not. Safe to run twice."""
    history = claim(IssuedHistory, pk)
    if history is None or history.content is None:
        return
    organisation = Organisation.objects.unscoped("of the history").get(pk=history.organisation_id)
    try:
        printed = print_history(
            history.content,
            history.code,
            organisation,
            progress=_Progress(history),
        )
        kept = store([printed.content], history.file_name)
    except DomainError as error:
        give_up(history, error.code)
    except Exception:
        log.exception("Case history %s could not be made", history.uuid)
        give_up(history, "pdf_failed")
    else:
        _finish(history, printed, kept.sha256, organisation)
    for batch in history.batches.values_list("pk", flat=True):
        enqueue("reporting.make_batch", batch)


@transaction.atomic
def _finish(
    history: IssuedHistory, printed: Printed, sha256: str, organisation: Organisation
) -> None:
    finished = end(
        history,
        Status.DONE,
        sha256=sha256,
        size=len(printed.content),
        pages=printed.pages,
        seal_level=printed.level,
        timestamp_missing=printed.timestamp_missing,
        signer=printed.signer[:200],
        issued_at=timezone.now(),
        content=None,
        error="",
    )
    if finished:
        worker = replace(
            system_actor(organisation, Origin(Door.TASK)), on_behalf_of=history.requested_by_name
        )
        record(worker, "sealed", history, sha256=sha256, level=printed.level, signer=printed.signer)


class _Progress:
    """Tells of the pages as they are laid out, and keeps the lease; at most twice a second."""

    def __init__(self, history: IssuedHistory) -> None:
        self._history = history
        self._told = timezone.now()

    def __call__(self, page: int) -> None:
        now = timezone.now()
        if now - self._told > timedelta(seconds=0.5):
            self._told = now
            hold(self._history, pages=page)


def make_batch(pk: int) -> None:
    """Every history of a batch is asked for; once all are made or failed, the batch is done."""
    batch = claim(HistoryBatch, pk)
    if batch is None:
        return
    organisation = Organisation.objects.unscoped("of the batch").get(pk=batch.organisation_id)
    user = batch.requested_by
    actor = actor_for(user, organisation, Origin(Door.TASK)) if user else None
    if actor is None or not actor.holds(ISSUE_HISTORY):
        end(batch, Status.FAILED, error=NO_RIGHTS)
        return
    for case in batch.cases[batch.done :]:
        try:
            batch.histories.add(issue_history(actor, case, batch.variant))
        except DomainError as error:
            batch.left_out[str(case)] = error.code
        batch.done += 1
        if not hold(batch, done=batch.done, left_out=batch.left_out):
            return
    if batch.histories.filter(status__in=[Status.QUEUED, Status.RUNNING]).exists():
        release(batch, _LOOK_AGAIN, attempts=0)
    else:
        end(batch, Status.DONE, finished_at=timezone.now())
