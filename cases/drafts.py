"""Reading drafts: those of a case as its page holds them, and all that somebody has unfinished."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from cases.models import Case, Draft
from cases.presenting import named
from crm.citizens.models import CitizenRecord
from crm.kit.actor import Actor


@dataclass(frozen=True)
class OnCase:
    """What is being written on a case, as far as the actor may see it."""

    written: dict[str, Draft] = field(default_factory=dict)  # the actor's own, by kind
    aside: list[Draft] = field(default_factory=list)  # their own, beside those
    shared: list[Draft] = field(default_factory=list)  # colleagues'

    def as_data(self) -> dict[str, dict[str, Any]]:
        """The actor's own for the page's composer, by kind."""
        return {kind: draft.as_data() for kind, draft in self.written.items()}


def drafts_on(actor: Actor, case: Case) -> OnCase:
    """The drafts of a case that the actor writes or that colleagues share with them."""
    found = OnCase()
    rows = Draft.objects.for_actor(actor).filter(case=case, discarded_at=None)
    for draft in rows.order_by("created_at"):
        if not draft.is_by(actor):
            found.shared.append(draft)
        elif draft.aside:
            found.aside.append(draft)
        else:
            found.written[draft.kind] = draft
    return found


def own_drafts(actor: Actor, *, discarded: bool = False) -> QuerySet[Draft]:
    """What the actor has unfinished, or has put away and can still take back."""
    rows = Draft.objects.for_actor(actor).own(actor).filter(discarded_at__isnull=not discarded)
    return rows.select_related("case")


def shared_drafts(actor: Actor) -> QuerySet[Draft]:
    """What colleagues share on the cases that the actor sees."""
    rows = Draft.objects.for_actor(actor).exclude(pk__in=own_drafts(actor).values("pk"))
    return rows.filter(shared_at__isnull=False).select_related("case")


def with_names(actor: Actor, rows: QuerySet[Draft]) -> list[tuple[Draft, str]]:
    """Each with its case's citizen as they may be named in a list."""
    here = Prefetch(
        "case__citizen__records", queryset=CitizenRecord.objects.for_actor(actor), to_attr="here"
    )
    found = rows.select_related("case__citizen").prefetch_related(here)
    return [(draft, named(draft.case.citizen)) for draft in found]


def draft_of(actor: Actor, draft: UUID) -> Draft:
    """One draft that exists for the actor, discarded ones too."""
    return Draft.objects.for_actor(actor).select_related("case").get_or_refuse(uuid=draft)
