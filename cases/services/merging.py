"""Two cases become one, apart again, and what belongs elsewhere becomes a case of its own.

The rule, as whoever does it is told: messages, notes, documents, participants, appointments and
conversations of the merged case pass to the one that stays, each message with the channel and address
that it had; what happened stays told of the case in which it happened, and the story of the one that
stays tells it too. The merged case ends, its number leads on for ever. The term is reckoned from the
earlier of the two filings. What was written since a merge stays with the case that stayed, unless it
belongs to something that goes back.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case, CaseMerge, CaseMergeLine, Document, EventKind, Link, Message, Note
from cases.models.merging import references
from cases.permissions import CHANGE_CASE, MERGE_CASE
from cases.services.clocks import due_as_of
from cases.services.handing import require_no_offer
from cases.services.lifecycle import NewCase, open_case
from cases.services.writing import fetch, moment, write
from cases.texts import one_line
from cases.workflow import Workflow, of_version
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Text
from crm.kit.ledger import Book, Count, Outcome, counted
from crm.kit.policy import require

MOVABLE = (Message, Note, Document)
_NOT_SAME = gettext_lazy(
    "The cases are of different people. Correct the citizen of one of them first."
)


@dataclass(frozen=True)
class UndoneCase:
    """What taking a merge of cases back comes to."""

    merge: CaseMerge
    returned: list[Count]
    along: list[Count]
    stayed: list[Count]
    newer: list[Text] = field(default_factory=list)


@transaction.atomic
def merge_cases(actor: Actor, merged: UUID, into: UUID, *, reason: str) -> CaseMerge:
    """All that the merged case had is the other's; it ends as its duplicate, and its number leads there."""
    if merged == into:
        raise Invalid(errors={"into": [_("A case cannot be merged with itself.")]})
    gone, stays = _two(actor, merged, into)
    why = _stated(reason)
    _require_one_matter(gone, stays)
    for row in (gone, stays):
        require_no_offer(row)
    merge = CaseMerge.objects.create(
        organisation_id=actor.organisation_id,
        merged=gone,
        survivor=stays,
        by_id=actor.user_id,
        by_name=actor.name[:200],
        reason=why,
        newest=references.newest(),
        undone_at=moment(),  # nothing leads on before all is done: the database guards what does
    )
    book = Book(CaseMergeLine, merge=merge)
    book.move(references, gone.pk, stays.pk)
    if gone.opened_at < stays.opened_at:
        book.change(stays, opened_at=gone.opened_at)
        book.change(stays, due_at=due_as_of(stays, otherwise=gone.due_at))
    if stays.citizen_id is None and gone.citizen_id is not None:
        book.change(stays, citizen=gone.citizen_id)
    _end(book, gone, stays)
    if not Link.objects.for_actor(actor).filter(case=gone, other=stays).exists():
        book.made(Link.objects.create(case=gone, other=stays, kind=Link.Kind.DUPLICATE))
    merge.undone_at = None
    merge.save(update_fields=["undone_at"])
    _tell(actor, gone, stays, EventKind.MERGED, EventKind.MERGED_IN, why)
    return merge


def merge_of(actor: Actor, merge: UUID) -> CaseMerge:
    """A merge of cases that the actor may take back now; Conflict says what has to come first."""
    rows = CaseMerge.objects.for_actor(actor).filter(kind=CaseMerge.Kind.MERGE)
    found = rows.select_related("merged", "survivor").get_or_refuse(uuid=merge)
    seen = Case.objects.for_actor(actor).filter(pk__in=[found.merged_id, found.survivor_id])
    if seen.count() < 2:
        raise NotFound
    for case in (found.merged, found.survivor):
        require(actor, MERGE_CASE, case)
    if found.undone_at is not None:
        raise Conflict("merge_undone", _("This merge has been taken back already."))
    later = rows.filter(undone_at=None, pk__gt=found.pk)
    if later.filter(merged=found.survivor).exists():
        text = _("The case has itself been merged into another since: take that back first.")
        raise Conflict("merge_not_last", text)
    if later.filter(survivor=found.survivor).exists():
        text = _("Another case has been merged into this one since: take that back first.")
        raise Conflict("merge_not_last", text)
    return found


@transaction.atomic
def undo_case_merge(actor: Actor, merge: UUID, *, reason: str) -> UndoneCase:
    """The two cases are two again, each with what was its own and in the state that it had."""
    found = merge_of(actor, merge)
    why = _stated(reason)
    undone = _take_back(actor, found)
    found.undone_at = timezone.now()
    found.undone_by_name, found.undone_reason = actor.name[:200], why
    found.save(update_fields=["undone_at", "undone_by_name", "undone_reason", "updated_at"])
    gone, stays = _two(actor, found.merged.uuid, found.survivor.uuid, permission=MERGE_CASE)
    _tell(actor, gone, stays, EventKind.UNMERGED, EventKind.UNMERGED, why)
    return undone


def preview_case_undo(actor: Actor, merge: UUID) -> UndoneCase:
    """What would go where, found by doing it and leaving nothing of it behind."""
    found = merge_of(actor, merge)
    with transaction.atomic():
        undone = _take_back(actor, found)
        transaction.set_rollback(True)
    return undone


@transaction.atomic
def split_case(
    actor: Actor,
    case: UUID,
    *,
    subject: str,
    reason: str,
    messages: Collection[UUID] = (),
    notes: Collection[UUID] = (),
    documents: Collection[UUID] = (),
) -> Case:
    """What was chosen is in a new case of the same type, citizen and unit, linked with this one; it
    counts as filed when the first of that came. Merging it back takes the split back."""
    row = fetch(actor, case)
    require(actor, MERGE_CASE, row)
    require(actor, CHANGE_CASE, row)
    why = _stated(reason)
    chosen = [
        _chosen(actor, row, model, uuids)
        for model, uuids in zip(MOVABLE, (messages, notes, documents), strict=True)
    ]
    moved = [one for rows in chosen for one in rows]
    if not moved:
        raise Invalid(errors={"": [_("Choose at least one message, note or document.")]})
    first = min(one.created_at for one in moved)
    new = open_case(
        actor,
        NewCase(
            case_type=row.case_type.code,
            subject=subject,
            citizen=row.citizen.uuid if row.citizen else None,
            unit=row.unit.uuid,
            channel=row.channel,
            language=row.language,
            priority=row.priority,
            confidentiality=row.confidentiality,
            opened_at=max(first, row.opened_at),
        ),
    )
    split = CaseMerge.objects.create(
        organisation_id=actor.organisation_id,
        kind=CaseMerge.Kind.SPLIT,
        merged=new,
        survivor=row,
        by_id=actor.user_id,
        by_name=actor.name[:200],
        reason=why,
    )
    book = Book(CaseMergeLine, merge=split)
    for one in moved:
        book.change(one, case=new)
    book.made(Link.objects.create(case=new, other=row, kind=Link.Kind.RELATED))
    _tell(actor, new, row, EventKind.SPLIT_FROM, EventKind.SPLIT, why)
    return new


# --- Inside -------------------------------------------------------------------------------------


def _two(
    actor: Actor, merged: UUID, into: UUID, *, permission: str = CHANGE_CASE
) -> tuple[Case, Case]:
    """Both, locked against rows that would be added, with the rights on both asked for."""
    rows = (
        Case.objects.for_actor(actor)
        .filter(uuid__in=[merged, into])
        .select_related("case_type", "type_version", "unit", "citizen")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    found = {row.uuid: row for row in rows}
    if len(found) < 2:
        raise NotFound
    for row in found.values():
        require(actor, MERGE_CASE, row)
        require(actor, permission, row)
    return found[merged], found[into]


def _require_one_matter(gone: Case, stays: Case) -> None:
    for row in (gone, stays):
        if CaseMerge.objects.unscoped("of a case that was fetched for the actor").filter(
            merged=row, kind=CaseMerge.Kind.MERGE, undone_at=None
        ):
            text = _("The case %(reference)s has already been merged into another.")
            raise Conflict("case_merged", text % {"reference": row.reference})
    if stays.ended:
        text = _("Work on the case that stays has ended: reopen it first, or merge the other way.")
        raise Conflict("case_ended", text)
    if None not in (gone.citizen_id, stays.citizen_id) and gone.citizen_id != stays.citizen_id:
        raise Conflict("cases_of_different_people", _NOT_SAME)
    if gone.confidentiality > stays.confidentiality:
        text = _("The case that stays has to be at least as confidential: raise that first.")
        raise Conflict("less_confidential", text)


def _end(book: Book, gone: Case, stays: Case) -> None:
    if gone.ended:
        return
    state = _last_state(of_version(gone.type_version.bundle), gone.state)
    outcome = _("Merged into %(reference)s") % {"reference": stays.reference}
    category = of_version(gone.type_version.bundle).states[state].category
    book.change(gone, state=state, category=category, closed_at=moment(), outcome=outcome)


def _last_state(workflow: Workflow, state: str) -> str:
    """Where a case ends that is worked on elsewhere: where a move leads from its state, if any does."""
    targets = [workflow.target_of(move) for move in workflow.moves_from(state)]
    ends = [one for one in [*targets, *workflow.states.values()] if one.category >= 4]
    return max(ends, key=lambda one: one.category).code


def _chosen(
    actor: Actor,
    row: Case,
    model: Any,
    uuids: Iterable[UUID],
) -> list[Message | Note | Document]:
    wanted = set(uuids)
    rows = model.objects.for_actor(actor).filter(case=row, uuid__in=wanted)
    found: list[Message | Note | Document] = list(
        rows.select_for_update(of=("self",)).order_by("pk")
    )
    if len(found) < len(wanted):
        raise NotFound
    return found


def _take_back(actor: Actor, merge: CaseMerge) -> UndoneCase:
    keys = [merge.merged_id, merge.survivor_id]
    locked = Case.objects.for_actor(actor).filter(pk__in=keys).select_for_update(of=("self",))
    list(locked.order_by("pk").values_list("pk"))
    # its number leads on no more while rows go back to it
    CaseMerge.objects.for_actor(actor).filter(pk=merge.pk).update(undone_at=timezone.now())
    outcome: Outcome = Book(CaseMergeLine, merge=merge).take_back(
        references, merge.merged_id, merge.survivor_id, merge.newest
    )

    def visible(model: type[Case], found: set[int]) -> int:
        return len(found)

    newer = sorted(
        {
            _("%(kind)s: %(field)s was changed since, and stays so.") % _named(label, column)
            for label, _key, column in outcome.newer
        }
    )
    return UndoneCase(
        merge,
        returned=counted(outcome.returned, visible),
        along=counted(outcome.along, visible),
        stayed=counted(outcome.stayed, visible),
        newer=[*newer],
    )


def _named(label: str, column: str) -> dict[str, str]:
    from django.apps import apps

    model = apps.get_model(label)
    return {
        "kind": str(model._meta.verbose_name).capitalize(),
        "field": str(model._meta.get_field(column).verbose_name),
    }


def _stated(reason: str) -> str:
    text = one_line(reason)[:240]
    if not text:
        raise Invalid(errors={"reason": [_("This field is required.")]})
    return text


def _tell(
    actor: Actor, gone: Case, stays: Case, of_gone: EventKind, of_stays: EventKind, why: str
) -> None:
    """Both say so in their story; streams in sorted order, as crm.kit.realtime asks."""
    for row, other, kind in sorted(
        ((gone, stays, of_gone), (stays, gone, of_stays)), key=lambda one: str(one[0].uuid)
    ):
        row.refresh_from_db()
        told = {"case": str(other.uuid), "reference": other.reference, "reason": why}
        write(actor, MERGE_CASE, row, kind, told, changed=("closed_at",))
