"""Reading what changes hands: who had a case when, what waits for an answer, where a case went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, TextField, Value
from django.utils import timezone

from cases.models import Case, CaseTransfer, Consultation, Custody
from crm.kit.actor import Actor
from crm.kit.keyset import Order, Page, read_page
from crm.organisations.models import Organisation
from crm.organisations.selectors import Node, unit_tree

NEWEST = Order(("id",), descending=True)
COUNT_CAP = 99
RECEIVED, SENT, ASKED, WE_ASKED = "recibidos", "enviados", "consultas", "preguntas"
OPEN_STATES = {CaseTransfer: (CaseTransfer.State.OFFERED,), Consultation: Consultation.OPEN}
_WITH = (
    *("case__case_type", "case__citizen", "origin_unit__organisation"),
    *("target_unit__organisation", "origin_organisation", "target_organisation"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A unit had a case from one moment to another."""

    unit: str
    organisation: str  # "" where it is the case's own
    since: datetime
    until: datetime | None
    days: int


def spans_of(case: Case, now: datetime | None = None) -> list[Span]:
    """Which units had the case, in order, and for how many days each: the last one has it still.

    The days of a case whose work has ended are those until then.
    """
    end = case.closed_at if case.ended and case.closed_at else now or timezone.now()
    rows = Custody.objects.unscoped("of a case that was fetched for the actor").filter(case=case)
    found = [
        (row.unit, row.since, row.until) for row in rows.select_related("unit__organisation")
    ] or [(case.unit, case.opened_at, None)]
    return [
        Span(
            unit.name,
            "" if unit.organisation_id == case.organisation_id else unit.organisation.name,
            since,
            until,
            max((until or max(end, since)) - since, timedelta(0)).days,
        )
        for unit, since, until in found
    ]


# --- Lists --------------------------------------------------------------------------------------


def rows_for(actor: Actor, which: str) -> QuerySet[Any]:
    """The transfers or questions of one list."""
    if which in (ASKED, WE_ASKED):
        questions = Consultation.objects.for_actor(actor)
        found: QuerySet[Any] = (
            questions.sent_to(actor) if which == ASKED else questions.sent_by(actor)
        )
    else:
        offers = CaseTransfer.objects.for_actor(actor)
        found = offers.sent_to(actor) if which == RECEIVED else offers.sent_by(actor)
    return found


def page_of(actor: Actor, which: str, *, every: bool, cursor: str = "") -> Page[Any]:
    """A page of a list, the newest first: those that wait for somebody, or every one."""
    rows = rows_for(actor, which)
    if not every:
        rows = rows.filter(state__in=OPEN_STATES[rows.model])
    return read_page(rows.select_related(*_WITH), NEWEST, cursor)


def count_open(actor: Actor, which: str) -> int:
    """How many of a list wait, up to one more than COUNT_CAP."""
    rows = rows_for(actor, which)
    waiting = rows.filter(state__in=OPEN_STATES[rows.model])
    return len(waiting.order_by().values_list("pk")[: COUNT_CAP + 1])


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of this waits for the actor's units, for their day."""

    offers: int
    questions: int


def waiting_for(actor: Actor) -> Waiting:
    """What others wait for the actor's units to answer, in one query."""
    parts = [
        rows_for(actor, which)
        .filter(state__in=states)
        .order_by()
        .annotate(list=Value(which, output_field=TextField()))
        .values_list("list", "pk")[: COUNT_CAP + 1]
        for which, states in (
            (RECEIVED, OPEN_STATES[CaseTransfer]),
            (ASKED, (Consultation.State.ASKED,)),
        )
    ]
    found = [which for which, _pk in parts[0].union(parts[1], all=True)]
    return Waiting(found.count(RECEIVED), found.count(ASKED))


# --- Of one case --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pending:
    """Something of a case that waits for another unit."""

    which: str  # transfer or consultation
    uuid: UUID
    unit: str
    organisation: str
    due_at: datetime

    @property
    def late(self) -> bool:
        """Whether its time has passed."""
        return timezone.now() > self.due_at


def pending_of(case: Case) -> list[Pending]:
    """The open offer and questions of a case that was fetched for the actor, in one query."""
    offers = CaseTransfer.objects.unscoped("of a case that was fetched for the actor")
    asked = Consultation.objects.unscoped("of a case that was fetched for the actor")
    columns = ("which", "uuid", "unit", "organisation", "due_at")
    parts = [
        rows.filter(case=case)
        .order_by()
        .annotate(
            which=Value(which, output_field=TextField()),
            unit=F("target_unit__name"),
            organisation=F("target_organisation__name"),
        )
        .values_list(*columns)
        for which, rows in (
            ("transfer", offers.filter(state=CaseTransfer.State.OFFERED)),
            ("consultation", asked.filter(state__in=Consultation.OPEN)),
        )
    ]
    return [Pending(*row) for row in parts[0].union(parts[1], all=True).order_by("due_at")]


def history_of(case: Case) -> tuple[list[CaseTransfer], list[Consultation]]:
    """All transfers and questions of a case that was fetched for the actor, and by what it came."""
    offers = CaseTransfer.objects.unscoped("of a case that was fetched for the actor")
    asked = Consultation.objects.unscoped("of a case that was fetched for the actor")
    came = offers.filter(received_case=case) | offers.filter(case=case)
    return (
        list(came.select_related(*_WITH).order_by("-pk")),
        list(asked.filter(case=case).select_related(*_WITH).order_by("-pk")),
    )


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the origin may know of a case that another organisation has: nothing but its state."""

    reference: str
    unit: str
    organisation: str
    category: int
    opened_at: datetime
    closed_at: datetime | None


def whereabouts(row: CaseTransfer) -> Whereabouts:
    """Where the case of an accepted transfer is now; it may have gone on from there."""
    here = row.received_case
    assert here is not None
    while True:
        onward = (
            CaseTransfer.objects.unscoped("the status that the origin keeps")
            .filter(case=here, received_case__isnull=False)
            .select_related("received_case")
            .first()
        )
        if onward is None or onward.received_case is None:
            break
        here = onward.received_case
    rows = Case.objects.unscoped("the status that the origin keeps")
    here = rows.select_related("unit__organisation").get(pk=here.pk)
    return Whereabouts(
        here.reference,
        here.unit.name,
        here.unit.organisation.name,
        here.category,
        row.answered_at or here.created_at,
        here.closed_at,
    )


def given_away(actor: Actor, case: UUID) -> CaseTransfer | None:
    """The transfer by which a case of the actor's organisation went to another."""
    rows = CaseTransfer.objects.for_actor(actor).sent_by(actor)
    return rows.filter(case__uuid=case, received_case__isnull=False).first()


# --- Where to -----------------------------------------------------------------------------------


def organisations_beside(actor: Actor) -> list[Organisation]:
    """The other organisations of the installation, by name."""
    rows = Organisation.objects.unscoped("any organisation can be the other party")
    return list(rows.filter(is_active=True).exclude(pk=actor.organisation_id).order_by("name"))


def units_of(organisation: Organisation) -> list[Node]:
    """The open units of an organisation, in the tree's order."""
    return [node for node in unit_tree(organisation).nodes if not node.closed]
