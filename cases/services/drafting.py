"""Drafts: kept while they are written, shared with who works on the case, taken over, discarded and taken
back, gone once sent. None of it is in the case's story: what is not sent is no part of the file."""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import represented
from cases.models import Case, Draft
from cases.permissions import CHANGE_CASE
from cases.services.writing import require_itself
from crm.accounts.models import Membership
from crm.audit.record import record
from crm.citizens.models import Channel
from crm.kit import realtime
from crm.kit.actor import Actor, Kind
from crm.kit.errors import Conflict, Invalid, NotFound, Refused
from crm.kit.policy import require

LONGEST = 20_000  # of what is written on a case at once
TAKEN_BACK_WITHIN = timedelta(days=7)
UNTOUCHED_FOR = timedelta(days=30)
drafts_stand_aside = {
    name: lambda: {"aside": True} for name in ("draft_of_a_person_once", "draft_of_a_client_once")
}
"""When two cases become one and somebody writes on both: both texts are there."""


@transaction.atomic
def save_draft(
    actor: Actor,
    case: UUID,
    kind: str,
    text: str,
    *,
    channel: str = "",
    seen: int | None = None,
    version: int | None = None,
) -> Draft | None:
    """The actor's draft of this kind says this; an empty text discards it (None).

    `version` is the one that was gone on from, 0 for none: Conflict when it was changed, sent, taken
    over or discarded elsewhere since, with what it says now. `seen` is the event up to which the story
    had been read when it was begun.
    """
    row = _case(actor, case)
    require(actor, CHANGE_CASE, row)
    require_itself(row)
    _check(kind, text, channel)
    found = _locked(actor).filter(case=row, kind=kind, aside=False, discarded_at=None).first()
    if version is not None and version != (found.version if found else 0):
        raise _changed(found)
    if not text.strip():
        if found is not None:
            _discard(actor, found)
        return None
    if found is None:
        found = _begin(actor, row, kind, row.last_event if seen is None else seen)
    else:
        found.version += 1
    found.text, found.channel = text, channel
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError:  # begun in another tab at this moment
        raise _changed(None) from None
    return found


@transaction.atomic
def share_draft(actor: Actor, draft: UUID, *, shared: bool = True) -> Draft:
    """Whoever may see the case sees the draft and may go on with it; or no longer."""
    row = _own(actor, draft)
    require(actor, CHANGE_CASE, row.case)
    if shared == (row.shared_at is not None):
        return row
    row.shared_at = timezone.now() if shared else None
    row.save(update_fields=["shared_at"])
    _tell(actor, row, "shared" if shared else "kept")
    return row


@transaction.atomic
def take_draft(actor: Actor, draft: UUID) -> Draft:
    """A draft that a colleague shares is the actor's own to go on with; who began it stays named. It
    stands aside while they write another of its kind there."""
    rows = Draft.objects.for_actor(actor).select_for_update(of=("self",)).select_related("case")
    row = rows.filter(discarded_at=None).get_or_refuse(uuid=draft)
    require(actor, CHANGE_CASE, row.case)
    if actor.kind is Kind.SYSTEM:
        raise Refused(CHANGE_CASE, _("Only a person or a connected system has drafts."))
    mine = _locked(actor).filter(case=row.case, kind=row.kind, aside=False, discarded_at=None)
    if row in mine:
        return row
    row.begun_by = row.begun_by or row.author_name
    previous, row.author_name = row.author_name, actor.name[:200]
    row.author_id, row.client_id = _owner(actor)
    row.aside, row.shared_at = mine.exists(), None
    row.version += 1
    row.save()
    _tell(actor, row, "taken", before=previous)
    return row


@transaction.atomic
def bring_in(actor: Actor, draft: UUID) -> Draft:
    """A draft that stands aside is the one that is written; the one that was stands aside."""
    row = _own(actor, draft)
    if not row.aside:
        return row
    for other in _locked(actor).filter(
        case=row.case, kind=row.kind, aside=False, discarded_at=None
    ):
        other.aside = True
        other.save(update_fields=["aside"])
    row.aside = False
    row.save(update_fields=["aside"])
    return row


@transaction.atomic
def discard_draft(actor: Actor, draft: UUID) -> Draft:
    """The draft is put away, and comes back for a week if its writer wants it."""
    row = _own(actor, draft)
    _discard(actor, row)
    return row


@transaction.atomic
def restore_draft(actor: Actor, draft: UUID) -> Draft:
    """A discarded draft is there again; aside when another of its kind was begun since."""
    row = _own(actor, draft, discarded=True)
    require(actor, CHANGE_CASE, row.case)
    row.aside = (
        Draft.objects.for_actor(actor)
        .own(actor)
        .filter(case=row.case, kind=row.kind, aside=False, discarded_at=None)
        .exists()
    )
    row.discarded_at = None
    row.version += 1
    row.save()
    _tell(actor, row, "restored")
    return row


def forget_sent(actor: Actor, draft: UUID | None) -> None:
    """The draft has become what it was to be: it is gone. Part of the transaction that sends it."""
    if draft is None:
        return
    sent = Draft.objects.for_actor(actor).own(actor).filter(uuid=draft).first()
    if sent is not None:
        sent.delete()
        if sent.shared_at:
            _hint(sent)


def sweep_drafts(at_most: int = 1_000) -> int:
    """Gone are drafts discarded a week ago, and those untouched for a month whose case has ended or
    whose writer works there no longer; how many."""
    now = timezone.now()
    working = Membership.objects.unscoped("the sweeper serves everyone").filter(
        user=OuterRef("author"), organisation=OuterRef("case__organisation"), ended_at=None
    )
    rows = Draft.objects.unscoped("the sweeper serves everyone")
    over = Q(case__closed_at__isnull=False) | Q(client=None) & ~Exists(working)
    old = rows.filter(
        Q(discarded_at__lt=now - TAKEN_BACK_WITHIN) | Q(over, updated_at__lt=now - UNTOUCHED_FOR)
    )
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:at_most])
    gone, _by_model = rows.filter(pk__in=keys).delete()
    return gone


# --- Inside -------------------------------------------------------------------------------------


def _case(actor: Actor, case: UUID) -> Case:
    """The case, not locked: nobody waits for who only writes down what they have typed."""
    row = Case.objects.for_actor(actor).filter(uuid=case).first()
    if row is None:
        raise represented.not_seen(actor, case)
    return row


def _locked(actor: Actor) -> QuerySet[Draft]:
    rows = Draft.objects.for_actor(actor).own(actor)
    return rows.select_for_update(of=("self",)).select_related("case")


def _own(actor: Actor, draft: UUID, *, discarded: bool = False) -> Draft:
    """One of the actor's drafts, locked; a colleague's does not exist here."""
    found = _locked(actor).filter(discarded_at__isnull=not discarded, uuid=draft).first()
    if found is None:
        raise NotFound
    return found


def _owner(actor: Actor) -> tuple[int | None, int | None]:
    """Person and machine: one of them."""
    return actor.user_id, actor.id if actor.kind is Kind.API_CLIENT else None


def _begin(actor: Actor, case: Case, kind: str, seen: int) -> Draft:
    if actor.kind is Kind.SYSTEM:
        raise Refused(CHANGE_CASE, _("Only a person or a connected system has drafts."))
    author, client = _owner(actor)
    return Draft(
        case=case,
        kind=kind,
        author_id=author,
        client_id=client,
        author_name=actor.name[:200],
        seen=seen,
        seen_in=case.pk,
    )


def _check(kind: str, text: str, channel: str) -> None:
    choice = _("Choose one of the offered values.")
    if kind not in Draft.Kind.values:
        raise Invalid(errors={"kind": [choice]})
    if channel and channel not in Channel.values:
        raise Invalid(errors={"channel": [choice]})
    if len(text) > LONGEST:
        limit = _("Write at most %(limit)s characters.") % {"limit": LONGEST}
        raise Invalid(errors={"text": [limit]})


def _changed(now: Draft | None) -> Conflict:
    text = (
        _("This draft was changed in another place. Nothing you wrote is lost.")
        if now
        else _("This draft was sent, taken over or discarded in another place.")
    )
    return Conflict("draft_changed", text, now=now.as_data() if now else None)


def _discard(actor: Actor, row: Draft) -> None:
    was_shared = row.shared_at is not None
    row.discarded_at, row.shared_at = timezone.now(), None
    row.version += 1
    row.save(update_fields=["discarded_at", "shared_at", "version", "updated_at"])
    record(actor, CHANGE_CASE, row.case, draft=row.kind, change="discarded")
    if was_shared:
        _hint(row)


def _tell(actor: Actor, row: Draft, change: str, **more: str) -> None:
    record(actor, CHANGE_CASE, row.case, draft=row.kind, change=change, **more)
    _hint(row)


def _hint(row: Draft) -> None:
    """Open pages of the case fetch its drafts anew; what they say travels by no stream."""
    stream = f"case:{row.case.uuid}"
    transaction.on_commit(lambda: realtime.hint(stream, {"drafts": True}), robust=True)
