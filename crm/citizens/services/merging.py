"""Two records of one person become one, and apart again.

The rule of what goes where, as the person who does it is told (templates/citizens/merge.html):
whatever any room keeps of the merged record points to the survivor; what may stand only once and stands
there already (the same telephone) follows ended, and what cannot follow stays with the merged record,
which is a name that leads to the survivor. Taking it back returns every value that nobody changed
since; what was changed keeps its newer value; what was added since stays with the survivor, unless it
belongs to a case, conversation or contact point that goes back.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.accounts.actors import system_actor
from crm.audit.record import record as write_down
from crm.citizens import checking
from crm.citizens.aliases import Survivor
from crm.citizens.events import CitizenMerged, CitizenUnmerged
from crm.citizens.merge_models import CITIZEN, references
from crm.citizens.models import (
    Citizen,
    CitizenRecord,
    Consent,
    ContactPoint,
    DuplicatePair,
    Identifier,
    Merge,
    MergeLine,
)
from crm.citizens.permissions import MERGE_CITIZENS
from crm.citizens.services.records import WISHES, note
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, NotFound, Text
from crm.kit.events import publish
from crm.kit.ledger import Book, Count, Outcome, counted
from crm.kit.policy import require
from crm.organisations.models import Organisation

NAMES = ("name", "surname1", "surname2", "birth_date")
CHOSEN = (*NAMES, *WISHES)
_LAWFULLY_ONE = {Identifier.Kind.NIF, Identifier.Kind.CIF}
BY_MERGE = "merge"  # source of a consent that came with a merged record


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against two records being one person's; `final`: it may not be overruled."""

    text: Text
    final: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records of the actor's organisation, the survivor's and the one to be merged into it."""

    survivor: CitizenRecord
    merged: CitizenRecord

    def doubts(self, actor: Actor) -> list[Doubt]:
        """What speaks against it, as the law and colleagues see it."""
        found = list(_doubts_of_numbers(self.survivor.citizen, self.merged.citizen))
        one, other = self.survivor.citizen, self.merged.citizen
        if one.kind != other.kind:
            text = gettext_lazy("One is a natural person and the other a legal person.")
            found.insert(0, Doubt(text, final=True))
        if one.birth_date and other.birth_date and one.birth_date != other.birth_date:
            found.append(Doubt(gettext_lazy("Their dates of birth are different."), final=False))
        low, high = sorted((one.pk, other.pk))
        judged = DuplicatePair.objects.for_actor(actor).filter(one=low, other=high)
        if judged.filter(verdict=DuplicatePair.Verdict.DIFFERENT).exists():
            text = gettext_lazy("A colleague found that they are not the same person.")
            found.append(Doubt(text, final=False))
        return found


def _doubts_of_numbers(one: Citizen, other: Citizen) -> Iterator[Doubt]:
    """Of two valid NIF of one person one is an error (RD 1065/2007 art. 19, RD 1553/2005 art. 1), which
    has to be withdrawn first; of the numbers that are given anew a person may bear several."""
    numbers: dict[str, dict[int, list[Identifier]]] = {}
    rows = Identifier.objects.unscoped("of records that are the actor's")
    for number in rows.filter(citizen__in=[one, other], ended_at=None):
        numbers.setdefault(number.kind, {}).setdefault(number.citizen_id, []).append(number)
    for kind, by_citizen in sorted(numbers.items()):
        if len(by_citizen) < 2:
            continue
        verified = [any(n.verified_at for n in theirs) for theirs in by_citizen.values()]
        values = {"kind": Identifier.Kind(kind).label}
        if kind in _LAWFULLY_ONE and all(verified):
            text = _(
                "Both have a verified %(kind)s, and nobody has two: withdraw the wrong one first."
            )
            yield Doubt(text % values, final=True)
        else:
            yield Doubt(_("Each has a %(kind)s of their own.") % values, final=False)


def pair_of(actor: Actor, merged: UUID, survivor: UUID) -> Pair:
    """The two records as they may be merged by the actor; NotFound, Refused or Conflict if they may not."""
    require(actor, MERGE_CITIZENS)
    if merged == survivor:
        raise Invalid(errors={"into": [_("A record cannot be merged with itself.")]})
    records = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    found = {row.citizen.uuid: row for row in records.filter(citizen__uuid__in=[merged, survivor])}
    for uuid in (merged, survivor):
        if uuid not in found or found[uuid].citizen.merged_into_id is not None:
            _say_merged(actor, uuid)
            raise NotFound
        require(actor, MERGE_CITIZENS, found[uuid])
    return Pair(found[survivor], found[merged])


def _say_merged(actor: Actor, uuid: UUID) -> None:
    now = Citizen.objects.for_actor(actor).known_by(uuid).first()
    if now is not None and now.uuid != uuid:
        text = _("This record has already been merged into another.")
        raise Conflict("citizen_merged", text, merged_into=str(now.uuid))


@transaction.atomic
def merge_citizens(
    actor: Actor,
    merged: UUID,
    into: UUID,
    *,
    reason: str,
    taken: Collection[str] = (),
    despite: bool = False,
) -> Merge:
    """The two records are one: `merged` leads to `into`, which has all that was known of both.

    `taken` names what the survivor takes from the merged record (of CHOSEN); the rest stays as the
    survivor has it. `despite`: the actor has read what speaks against it (Pair.doubts).
    """
    pair = pair_of(actor, merged, into)
    why = _stated(reason)
    if unknown := sorted(set(taken) - set(CHOSEN)):
        raise Invalid(errors={"taken": [_("This cannot be chosen: %s.") % ", ".join(unknown)]})
    pair = _locked(actor, pair)
    _require_no_doubt(pair.doubts(actor), despite=despite)
    merge = Merge.objects.create(
        organisation_id=actor.organisation_id,
        merged=pair.merged.citizen,
        survivor=pair.survivor.citizen,
        by_id=actor.user_id,
        by_name=actor.name[:200],
        reason=why,
        taken=sorted(taken),
        newest=references.newest(),
    )
    _carry_out(Book(MergeLine, merge=merge), pair, taken, actor.organisation_id)
    _tell(actor, merge, pair, done=True)
    return merge


def _locked(actor: Actor, pair: Pair) -> Pair:
    """The same two, which nobody adds anything to before this ends: a foreign key waits for the lock."""
    keys = sorted((pair.survivor.citizen_id, pair.merged.citizen_id))
    list(
        Citizen.objects.unscoped("of records that are the actor's")
        .filter(pk__in=keys)
        .select_for_update()
        .order_by("pk")
        .values_list("pk")
    )
    return pair_of(actor, pair.merged.citizen.uuid, pair.survivor.citizen.uuid)


def _require_no_doubt(doubts: list[Doubt], *, despite: bool) -> None:
    final = [doubt.text for doubt in doubts if doubt.final]
    if final:
        raise Conflict("citizens_differ", final[0], doubts=[str(text) for text in final])
    if doubts and not despite:
        texts = [str(doubt.text) for doubt in doubts]
        raise Conflict(
            "citizens_may_differ",
            _("Something speaks against their being the same person. Look again, then confirm."),
            doubts=texts,
        )


def _carry_out(book: Book, pair: Pair, taken: Collection[str], organisation_id: int) -> None:
    survivor, merged = pair.survivor.citizen, pair.merged.citizen
    _join_records(book, survivor, merged, taken, organisation_id)
    _join_points(book, survivor, merged)
    book.move(references, merged.pk, survivor.pk)
    values = {name: getattr(merged, name) for name in NAMES if name in taken}
    book.change(survivor, **values, updated_at=timezone.now())
    book.change(merged, merged_into=survivor)


def _join_records(
    book: Book, survivor: Citizen, merged: Citizen, taken: Collection[str], chooser: int
) -> None:
    """Where an organisation keeps a record of both: what it protects stays protected, what a person
    needs is not forgotten; how they are attended is chosen in one's own organisation alone."""
    rows = CitizenRecord.objects.unscoped("a merge is the installation's")
    theirs = {row.organisation_id: row for row in rows.filter(citizen=merged)}
    for mine in rows.filter(citizen=survivor, organisation__in=theirs).order_by("pk"):
        other = theirs[mine.organisation_id]
        values: dict[str, Any] = {}
        if other.protected and not mine.protected:
            values |= {"protected": True, "protected_reason": other.protected_reason}
        if mine.organisation_id == chooser:
            values |= {name: getattr(other, name) for name in WISHES if name in taken}
        else:
            needs = dict.fromkeys([*mine.accessibility_needs, *other.accessibility_needs])
            values |= {"accessibility_needs": list(needs)}
        book.change(mine, **values, updated_at=timezone.now())


def _join_points(book: Book, survivor: Citizen, merged: Citizen) -> None:
    """The same address of both: verified if either was, and the last word on each topic is the later."""
    rows = ContactPoint.objects.unscoped("a merge is the installation's").filter(ended_at=None)
    mine = {
        (row.organisation_id, row.channel, row.address_key): row
        for row in rows.filter(citizen=survivor)
    }
    for other in rows.filter(citizen=merged).order_by("pk"):
        same = mine.get((other.organisation_id, other.channel, other.address_key))
        if same is None:
            continue
        if other.verified_at and not same.verified_at:
            book.change(same, verified_at=other.verified_at, quality=other.quality)
        for word in _last_words(other).values():
            known = _last_words(same).get(word.topic_id)
            if known is None or (known.at, known.pk) < (word.at, word.pk):
                _repeat(book, same, word)


def _last_words(point: ContactPoint) -> dict[int, Consent]:
    said = Consent.objects.unscoped("of a contact point that is merged").filter(contact_point=point)
    return {word.topic_id: word for word in said.order_by("id")}


def _repeat(book: Book, point: ContactPoint, word: Consent) -> None:
    book.made(
        Consent.objects.create(
            contact_point=point,
            topic_id=word.topic_id,
            state=word.state,
            source=BY_MERGE,
            evidence={"consent": word.pk},
            at=word.at,
        )
    )


# --- Taking it back -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Undone:
    """What taking a merge back comes to, counted as far as the actor may see the rows."""

    merge: Merge
    returned: list[Count]  # to the record that becomes its own again
    along: list[Count]  # added since, with what they belong to
    stayed: list[Count]  # added since, and the survivor's
    newer: list[Text]  # changed since, and left as they are
    outcome: Outcome = field(repr=False, default_factory=Outcome)


def merge_to_undo(actor: Actor, merge: UUID) -> Merge:
    """A merge that the actor may take back now; Conflict says what has to be taken back before it."""
    require(actor, MERGE_CITIZENS)
    found = (
        Merge.objects.unscoped("of a person of whom the actor's organisation keeps a record")
        .select_related("merged", "survivor")
        .get_or_refuse(uuid=merge)
    )
    record = CitizenRecord.objects.for_actor(actor).filter(citizen=Survivor(found.survivor.uuid))
    require(actor, MERGE_CITIZENS, record.get_or_refuse())
    if found.undone_at is not None:
        raise Conflict("merge_undone", _("This merge has been taken back already."))
    later = Merge.objects.unscoped("likewise").filter(undone_at=None).exclude(pk=found.pk)
    if found.survivor.merged_into_id is not None:
        text = _("The record has itself been merged into another since: take that back first.")
        raise Conflict("merge_not_last", text)
    if later.filter(survivor=found.survivor, pk__gt=found.pk).exists():
        text = _("Another record has been merged into this one since: take that back first.")
        raise Conflict("merge_not_last", text)
    return found


@transaction.atomic
def undo_merge(actor: Actor, merge: UUID, *, reason: str, different: bool = True) -> Undone:
    """The two records are two again, each with what was its own; `different`: they are remembered as
    not the same person, and never proposed again."""
    found = merge_to_undo(actor, merge)
    why = _stated(reason)
    undone = _take_back(actor, found)
    found.undone_at = timezone.now()
    found.undone_by_name, found.undone_reason = actor.name[:200], why
    found.save(update_fields=["undone_at", "undone_by_name", "undone_reason", "updated_at"])
    if different:
        remember_different(actor, found.merged, found.survivor)
    records = {
        row.citizen_id: row
        for row in CitizenRecord.objects.unscoped("what was said of both, before and after")
        .filter(citizen__in=[found.merged, found.survivor], organisation=actor.organisation_id)
        .select_related("citizen")
    }
    survivor = records.get(found.survivor_id)
    merged = records.get(found.merged_id)
    _tell(actor, found, Pair(survivor, merged) if survivor and merged else None, done=False)
    return undone


def preview_undo(actor: Actor, merge: UUID) -> Undone:
    """What would go where, found by doing it and leaving nothing of it behind."""
    found = merge_to_undo(actor, merge)
    with transaction.atomic():
        undone = _take_back(actor, found)
        transaction.set_rollback(True)
    return undone


def _take_back(actor: Actor, merge: Merge) -> Undone:
    keys = sorted((merge.survivor_id, merge.merged_id))
    list(
        Citizen.objects.unscoped("of a merge that the actor may take back")
        .filter(pk__in=keys)
        .select_for_update()
        .order_by("pk")
        .values_list("pk")
    )
    visible = _Visible(actor)
    with _copies_go():
        outcome = Book(MergeLine, merge=merge).take_back(
            references, merge.merged_id, merge.survivor_id, merge.newest
        )
    return Undone(
        merge,
        returned=counted(outcome.returned, visible),
        along=counted(outcome.along, visible),
        stayed=counted(outcome.stayed, visible),
        newer=[*_in_words(actor, outcome.newer)],
        outcome=outcome,
    )


@contextmanager
def _copies_go() -> Iterator[None]:
    """Within it consents that a merge repeated may be deleted: copies, the proof is elsewhere.

    By hand, for pgtrigger.ignore puts two statements into one, which prepared ones refuse.
    """
    (trigger,) = Consent._meta.triggers  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        set_ = "SELECT set_config('pgtrigger.ignore', %s, true)"
        cursor.execute(set_, [f"{{{trigger.get_pgid(Consent)}}}"])
        try:
            yield
        finally:
            if not connection.needs_rollback:
                cursor.execute(set_, ["{}"])


def _in_words(actor: Actor, newer: Iterable[tuple[str, int, str]]) -> Iterator[str]:
    """What was changed since, of what the actor may see."""
    from django.apps import apps

    visible, told = _Visible(actor), set()
    for label, key, column in newer:
        model = apps.get_model(label)
        if column == "updated_at" or not visible(model, {key}):
            continue
        names = {
            "kind": str(capfirst(model._meta.verbose_name)),
            "field": str(model._meta.get_field(column).verbose_name),
        }
        text = _("%(kind)s: %(field)s was changed since, and stays so.") % names
        if text not in told:
            told.add(text)
            yield text


class _Visible:
    """How many of some rows the actor may know of: of other organisations' none."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def __call__(self, model: Any, keys: set[int]) -> int:
        return self.rows(model).filter(pk__in=keys).count()

    def rows(self, model: Any) -> "QuerySet[Any]":
        """Those that exist for the actor."""
        manager = model.objects
        if hasattr(manager, "for_actor"):
            rows: QuerySet[Any] = manager.for_actor(self.actor)
            return rows
        if any(key.name == "organisation" for key in model._meta.concrete_fields):
            own: QuerySet[Any] = manager.filter(organisation=self.actor.organisation_id)
            return own
        rest: QuerySet[Any] = (
            manager.all() if model._meta.label_lower == CITIZEN else manager.none()
        )
        return rest


def counts(actor: Actor, citizen: Citizen) -> list[Count]:
    """How many rows of each kind point to a citizen, as far as the actor may see them."""
    visible, found = _Visible(actor), []
    for reference in references.following:
        rows = visible.rows(reference.rows.model).filter(**{reference.field: citizen.pk})
        if number := rows.count():
            found.append(Count(reference.label, number))
    return found


def merges_of(actor: Actor, citizen: Citizen) -> list[Merge]:
    """The records that are part of an opened citizen's, newest first; one's own organisation's first
    hand: who did it elsewhere is not told."""
    rows = Merge.objects.unscoped("of a citizen opened by the actor").filter(
        survivor=citizen, undone_at=None
    )
    found = list(rows.select_related("merged").order_by("-pk"))
    for merge in found:
        if merge.organisation_id != actor.organisation_id:
            merge.by_name, merge.reason = _("Another organisation"), ""
    return found


# --- Inside -------------------------------------------------------------------------------------


def remember_different(actor: Actor, one: Citizen, other: Citizen) -> DuplicatePair:
    """The two are not the same person, for ever."""
    low, high = sorted((one.pk, other.pk))
    pair, _made = DuplicatePair.objects.for_actor(actor).update_or_create(
        organisation_id=actor.organisation_id,
        one_id=low,
        other_id=high,
        defaults={
            "verdict": DuplicatePair.Verdict.DIFFERENT,
            "decided_at": timezone.now(),
            "decided_by_name": actor.name[:200],
        },
        create_defaults={
            "score": 0,
            "verdict": DuplicatePair.Verdict.DIFFERENT,
            "decided_at": timezone.now(),
            "decided_by_name": actor.name[:200],
        },
    )
    return pair


def _stated(reason: str) -> str:
    try:
        clean = checking.text(reason, 240)
    except Invalid as error:
        raise Invalid(errors={"reason": [error.message]}) from error
    if len(clean) < 5:
        raise Invalid(errors={"reason": [_("State the reason in a few words.")]})
    return clean


def _tell(actor: Actor, merge: Merge, pair: Pair | None, *, done: bool) -> None:
    """Both say so in their trail, here with the reason; elsewhere that it happened, not by whom."""
    merged, survivor = merge.merged, merge.survivor
    word = "merged" if done else "unmerged"
    reason = merge.reason if done else merge.undone_reason
    about = {"merge": str(merge.uuid), "reason": reason}
    if pair is not None:
        into = {word: "into", "other": str(survivor.uuid), **about}
        note(actor, MERGE_CITIZENS, pair.merged, **into)
        note(
            actor,
            MERGE_CITIZENS,
            pair.survivor,
            **{word: "from", "other": str(merged.uuid)},
            **about,
        )
    else:
        for one in (merged, survivor):
            write_down(actor, MERGE_CITIZENS, one, name="", **{word: "from"}, **about)
    keepers = CitizenRecord.objects.unscoped("whoever keeps a record is told").filter(
        citizen__in=[merged, survivor]
    )
    others = Organisation.objects.unscoped("likewise").filter(pk__in=keepers.values("organisation"))
    for organisation in others.order_by("pk"):
        if organisation.pk != actor.organisation_id:
            told = system_actor(organisation, actor.origin)
            write_down(told, MERGE_CITIZENS, survivor, name="", **{word: "elsewhere"})
        event = CitizenMerged if done else CitizenUnmerged
        publish(event(str(merged.uuid), str(survivor.uuid), organisation.pk))
