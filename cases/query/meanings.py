"""What each field of cases means in the database.

The rights stand outermost: a condition here only ever narrows `Case.objects.for_actor(actor)`.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.lists import ALL, OPEN, keys_of_citizen, patience, words_in
from cases.models import (
    Application,
    Case,
    CaseTransfer,
    Document,
    Event,
    EventKind,
    Follower,
    Link,
    Message,
    Note,
    Participant,
    ServiceClock,
    ServiceTarget,
    StateCategory,
)
from cases.query.asking import Asking, Person
from cases.query.values import DANGER, MISSED, PAUSED, RUNNING, Kind, State, Units
from cases.tasklists import having
from crm.citizens.aliases import Survivor
from crm.citizens.search import called
from crm.kit.actor import Kind as ActorKind
from crm.kit.errors import Unavailable
from crm.kit.query import Leaf, Period, Value, Wrong

Means = Callable[[Asking, str, Sequence[Any]], Q]
FEW = 500
LEAD_MS = 100  # for finding the few
_SHOWN = "of cases that the list shows"
ALWAYS = Q(pk__isnull=False)
NEVER = Q(pk__isnull=True)
_LOOKUPS = {"<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte"}


def any_of(conditions: Sequence[Q]) -> Q:
    """Any of them holds."""
    return reduce(or_, conditions)


def equal(column: str) -> Means:
    """The column has one of the values; or, after < and >, stands so to the one."""

    def means(_asking: Asking, sign: str, values: Sequence[Any]) -> Q:
        if sign in _LOOKUPS:
            return Q(**{f"{column}{_LOOKUPS[sign]}": values[0]})
        return Q(**{f"{column}__in": list(values)})

    return means


def state(_asking: Asking, _sign: str, values: Sequence[State]) -> Q:
    """In one of the states, or at work, or ended."""
    return any_of([_state(value) for value in values])


def _state(value: State) -> Q:
    if value.codes:
        return Q(state__in=value.codes)
    if value.work == ALL:
        return ALWAYS
    if value.work == OPEN:
        return Q(category__lt=StateCategory.RESOLVED)
    return Q(category__gte=StateCategory.RESOLVED)


def state_code(_asking: Asking, _sign: str, values: Sequence[Sequence[str]]) -> Q:
    """In one of the states of these codes."""
    return Q(state__in=[code for codes in values for code in codes])


def case_type(_asking: Asking, _sign: str, values: Sequence[Kind]) -> Q:
    """Of one of the case types."""
    return Q(case_type__in=[value.key for value in values])


def unit(_asking: Asking, _sign: str, values: Sequence[Units]) -> Q:
    """In one of the units."""
    return Q(unit__in=sorted({key for value in values for key in value.keys}))


def assignee(_asking: Asking, _sign: str, values: Sequence[Person]) -> Q:
    """In the name of one of them; of nobody; of whoever asks (a machine has none)."""
    return any_of([_assignee(value) for value in values])


def _assignee(value: Person) -> Q:
    if value.key is not None:
        return Q(assignee=value.key)
    return NEVER if value.me else Q(assignee__isnull=True)


def task(asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """With tasks that are to do, late or the asker's own; or with none to do."""
    return any_of([having(asking.actor, value, asking.now) for value in values])


def followed_by(_asking: Asking, _sign: str, values: Sequence[Person]) -> Q:
    """One of them follows it now (a machine follows nothing)."""
    keys = [value.key for value in values if value.key is not None]
    rows = Follower.objects.unscoped(_SHOWN).filter(user__in=keys, ended_at=None)
    return Q(pk__in=rows.values("case")) if keys else NEVER


def citizen(asking: Asking, _sign: str, values: Sequence[UUID | tuple[str, ...]]) -> Q:
    """Of one of the citizens, or where one of them takes part."""
    return any_of([Q(pk__in=_of_citizen(asking, value)) for value in values])


def _of_citizen(asking: Asking, value: UUID | tuple[str, ...]) -> Any:
    """The keys of their cases when they are few, as the planner then takes them by their index."""
    if isinstance(value, UUID):
        return keys_of_citizen(asking.actor, citizen=Survivor(value))
    citizens: Any = called(asking.actor, value)
    few = list(citizens[: FEW + 1])
    if len(few) > FEW:
        return keys_of_citizen(asking.actor, citizen__in=citizens)
    keys = list(keys_of_citizen(asking.actor, citizen__in=few)[: FEW + 1])
    return keys if len(keys) <= FEW else keys_of_citizen(asking.actor, citizen__in=few)


def represented_by(asking: Asking, _sign: str, values: Sequence[UUID | tuple[str, ...]]) -> Q:
    """Where one of them takes part for its citizen."""
    return any_of([Q(pk__in=_of_representative(asking, value)) for value in values])


def _of_representative(asking: Asking, value: UUID | tuple[str, ...]) -> Any:
    rows = Participant.objects.unscoped(_SHOWN).filter(
        role=Participant.Role.REPRESENTATIVE, ended_at=None
    )
    if isinstance(value, UUID):
        return rows.filter(citizen__uuid=value).values("case")
    return rows.filter(citizen__in=called(asking.actor, value)).values("case")


def words(_asking: Asking, values: Sequence[Value]) -> Q:
    """All the words, each text in quotes as it stands."""
    return Q(search=words_in(searched(values)))


def text(_asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """One of the texts, as it stands."""
    return any_of([Q(search=words_in(_phrase(value))) for value in values])


def searched(values: Sequence[Value]) -> str:
    """Words as `lists.words_in` reads them."""
    return " ".join(_phrase(value.text) for value in values)


def _phrase(value: str) -> str:
    return '"{}"'.format(value.replace('"', " "))


# --- Dates --------------------------------------------------------------------------------------


def due(asking: Asking, sign: str, values: Sequence[Period]) -> Q:
    """Due then; what has no due date never is."""
    dated = Q(due_at__isnull=False)
    return any_of([during("due_sort", value, sign) & dated for value in values])


def dated(column: str) -> Means:
    """The column lies then."""

    def means(_asking: Asking, sign: str, values: Sequence[Period]) -> Q:
        return any_of([during(column, value, sign) for value in values])

    return means


def suspended(_asking: Asking, sign: str, values: Sequence[Period]) -> Q:
    """Its legal deadline is suspended, and has been since then."""
    return any_of([during("suspended_on", value, sign, of_days=True) for value in values])


def during(column: str, period: Period, sign: str, *, of_days: bool = False) -> Q:
    """The column stands so to the period; a day as its first moment."""
    ends = period.by(sign)
    if ends is None:
        return NEVER
    start, before = map(_first_day, ends) if of_days else ends
    found = ALWAYS
    if start is not None:
        found &= Q(**{f"{column}__gte": start})
    if before is not None:
        found &= Q(**{f"{column}__lt": before})
    return found


def _first_day(moment: datetime | None) -> date | None:
    """The first day that begins at the moment or later."""
    if moment is None:
        return None
    local = timezone.localtime(moment)
    return local.date() + timedelta(days=local.time() > time.min)


# --- Service targets ----------------------------------------------------------------------------


def service(asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """Its service targets stand so."""
    return any_of([_beside(asking, **_SERVICE[value](asking)) for value in values])


_SERVICE: dict[str, Callable[[Asking], dict[str, Any]]] = {
    DANGER: lambda asking: {"danger_at__lte": asking.now},
    MISSED: lambda _asking: {"breached": True},
    PAUSED: lambda _asking: {"paused_at__isnull": False},
    RUNNING: lambda _asking: {"measure__gt": ""},
}


def _beside(asking: Asking, *asked: Q, **more: Any) -> Q:
    rows = ServiceClock.objects.unscoped(_SHOWN).filter(organisation=asking.actor.organisation_id)
    return Q(Exists(rows.filter(*asked, case=OuterRef("pk"), **more)))


def target(asking: Asking, sign: str, values: Sequence[Period]) -> Q:
    """The nearest of its service targets ends then."""
    return any_of([_beside(asking, during("due_at", value, sign)) for value in values])


def measured(measure: str) -> Means:
    """The target of that measure that runs ends then."""

    def means(_asking: Asking, sign: str, values: Sequence[Period]) -> Q:
        rows = ServiceTarget.objects.unscoped(_SHOWN).filter(
            any_of([during("due_at", value, sign) for value in values]),
            case=OuterRef("pk"),
            measure=measure,
            ended_at=None,
        )
        return Q(Exists(rows))

    return means


def breached(_asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """A target of one of the measures was missed, ended since or not."""
    rows = ServiceTarget.objects.unscoped(_SHOWN).filter(
        case=OuterRef("pk"), breached_at__isnull=False
    )
    return Q(Exists(rows if "" in values else rows.filter(measure__in=list(values))))


# --- Silence ------------------------------------------------------------------------------------


def silence(asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """Its term has passed without a resolution in time, and silence means one of these."""
    late = Q(due_at__lt=asking.now) & (Q(closed_at__isnull=True) | Q(closed_at__gt=F("due_at")))
    return late & any_of([_silent(asking, value) for value in values])


def _silent(asking: Asking, value: str) -> Q:
    """By the procedure of its application, or the only one that its type serves."""
    filed = Application.objects.unscoped(_SHOWN).filter(case=OuterRef("pk"))
    found = NEVER
    for kind, procedures in asking.procedures.items():
        for key, effect in procedures.items():
            if value in ("any", effect):
                found |= Q(case_type=kind.pk) & Q(Exists(filed.filter(procedure=key)))
        if len(procedures) == 1 and value in ("any", *procedures.values()):
            found |= Q(case_type=kind.pk) & ~Q(Exists(filed))
    return found


# --- What a case has ----------------------------------------------------------------------------


def has(asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """It has one of these; of documents and links, one that the actor may see."""
    return any_of([_HAS[value](asking) for value in values])


def _linked(asking: Asking) -> Q:
    visible = Case.objects.for_actor(asking.actor)
    links = Link.objects.unscoped(_SHOWN)
    return Q(Exists(links.filter(case=OuterRef("pk"), other__in=visible))) | Q(
        Exists(links.filter(other=OuterRef("pk"), case__in=visible))
    )


_HAS: dict[str, Callable[[Asking], Q]] = {
    "assignee": lambda _asking: Q(assignee__isnull=False),
    "citizen": lambda _asking: Q(citizen__isnull=False),
    "due": lambda _asking: Q(due_at__isnull=False),
    "suspension": lambda _asking: Q(suspended_on__isnull=False),
    "outcome": lambda _asking: ~Q(outcome=""),
    "place": lambda _asking: Q(latitude__isnull=False),
    "documents": lambda asking: Q(
        Exists(
            Document.objects.for_actor(asking.actor).filter(case=OuterRef("pk"), withdrawn_at=None)
        )
    ),
    "messages": lambda _asking: Q(
        Exists(Message.objects.unscoped(_SHOWN).filter(case=OuterRef("pk")))
    ),
    "notes": lambda _asking: Q(Exists(Note.objects.unscoped(_SHOWN).filter(case=OuterRef("pk")))),
    "links": _linked,
    "participants": lambda _asking: Q(
        Exists(Participant.objects.unscoped(_SHOWN).filter(case=OuterRef("pk"), ended_at=None))
    ),
}


def transfer(_asking: Asking, _sign: str, values: Sequence[str]) -> Q:
    """It is offered, came by a transfer, or was offered in vain; or never any of these."""
    return any_of([_TRANSFER[value] for value in values])


def _offers(**lookup: Any) -> Q:
    return Q(Exists(CaseTransfer.objects.unscoped(_SHOWN).filter(**lookup)))


_OF_IT: dict[str, Any] = {"case": OuterRef("pk")}
_CAME = _offers(received_case=OuterRef("pk"))
_TRANSFER: dict[str, Q] = {
    "offered": _offers(**_OF_IT, state=CaseTransfer.State.OFFERED),
    "received": _offers(**_OF_IT, state=CaseTransfer.State.ACCEPTED) | _CAME,
    "expired": _offers(**_OF_IT, state=CaseTransfer.State.EXPIRED),
    "none": ~_offers(**_OF_IT) & ~_CAME,
}


# --- What happened ------------------------------------------------------------------------------

HAPPENED = "event"
_WHAT = ("moved-to", "moved-from", "assigned-to", "event")
_LEADING = ("by", "when")


def happened(asking: Asking, leaves: Sequence[Leaf]) -> Q:
    """One and the same thing that happened in the case is what all the leaves say."""
    _require_one(leaves)
    found = Q()
    for leaf in leaves:
        found &= any_of([_OF_EVENT[leaf.field.name](leaf.sign, value) for value in leaf.values])
    events = Event.objects.unscoped(_SHOWN).filter(found)
    if any(leaf.field.name in _LEADING for leaf in leaves):
        few = _few(events.filter(organisation=asking.actor.organisation_id))
        if few is not None:
            return Q(pk__in=few)
    return Q(Exists(events.filter(case=OuterRef("pk"))))


def _few(events: Any) -> list[int] | None:
    """The cases of these events when they are few and found at once: what somebody did or what was done
    in a time is indexed by itself, and the planner would rather look through every case's events."""
    try:
        with patience(searched=True, milliseconds=LEAD_MS):
            keys = list(events.order_by().values_list("case", flat=True).distinct()[: FEW + 1])
    except Unavailable:
        return None
    return keys if len(keys) <= FEW else None


def _require_one(leaves: Sequence[Leaf]) -> None:
    seen: list[str] = []
    for leaf in leaves:
        name = leaf.field.name
        moved = name.startswith("moved-") and all(other.startswith("moved-") for other in seen)
        if name in seen or (name in _WHAT and seen and not moved):
            message = _("These are two things that happened: put each in parentheses of its own.")
            raise Wrong(leaf.start, leaf.end, message)
        if name in _WHAT:
            seen.append(name)


def _moved(column: str) -> Callable[[str, tuple[str, ...]], Q]:
    return lambda _sign, codes: Q(kind=EventKind.MOVED, **{f"data__{column}__in": list(codes)})


def _by(_sign: str, who: Person) -> Q:
    if who.me and who.key is None:
        return NEVER
    return Q(actor_kind=ActorKind.USER, actor_id=who.key)


_OF_EVENT: dict[str, Callable[[str, Any], Q]] = {
    "moved-to": _moved("to"),
    "moved-from": _moved("from"),
    "assigned-to": lambda _sign, who: Q(kind=EventKind.ASSIGNED, data__to_id=who.uuid),
    "event": lambda _sign, kind: Q(kind=kind),
    "by": _by,
    "when": lambda sign, period: during("at", period, sign),
}
