"""Reading who represents whom, and what may be told of somebody to the one who represents them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db.models import Case as SqlCase
from django.db.models import Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.citizens.mandate_ports import choices
from crm.citizens.mandates import STATES, WHOLE, Extent, Subject, Weighed, extent, state_of, weigh
from crm.citizens.models import Act, AuthorisedProfessional, Citizen, CitizenRecord, Mandate
from crm.citizens.permissions import VIEW_MANDATE
from crm.kit.actor import Actor, Attended
from crm.kit.errors import Text
from crm.kit.keyset import Order, Page, read_page
from crm.kit.policy import ALLOWED, Decision, require
from crm.kit.scoping import ScopedQuerySet

NEWEST_FIRST = Order(("id",), descending=True)
SHOWN = 8  # of each side on a person's page


@dataclass(frozen=True, slots=True)
class Line:
    """A mandate as a list shows it."""

    mandate: Mandate
    other: Citizen  # the one on the other side
    name: str  # as they may be named here
    state: str
    state_words: Text
    look: str
    icon: str
    covers: Sequence[str]
    acts: Sequence[Text]
    tells: bool  # it lets the holder be told something now


def mandates_of(actor: Actor) -> "ScopedQuerySet[Mandate]":
    """The organisation's mandates with what deciding on them needs."""
    rows: ScopedQuerySet[Mandate] = Mandate.objects.for_actor(actor)
    return rows.select_related("grantor", "holder", "professional")


def between(actor: Actor, holder: int, grantor: int) -> list[Mandate]:
    """Every mandate of the one for the other, the surest first: what is to be weighed."""
    rows = mandates_of(actor).filter(holder=holder, grantor=grantor)
    return list(rows.order_by("-assurance", "-id"))


def weighed(actor: Actor, holder: int, grantor: int, act: str, subject: Subject = WHOLE) -> Weighed:
    """Whether the one may do this for the other now, by which mandate, or why not."""
    return weigh(between(actor, holder, grantor), act, subject, timezone.now())


def extent_of(actor: Actor, holder: int, grantor: int, act: str = Act.INFORM) -> Extent:
    """How far the one may do this for the other now."""
    return extent(between(actor, holder, grantor), act, timezone.now())


def attended(
    actor: Actor, holder: Citizen, grantor: Citizen, mandates: Iterable[Mandate] | None = None
) -> Attended:
    """The one attended in the name of the other: what may be told to them at this moment."""
    if mandates is None:
        mandates = between(actor, holder.pk, grantor.pk)
    found = extent(mandates, Act.INFORM, timezone.now())
    return Attended(
        subject=grantor.pk,
        holder=holder.pk,
        words=words(actor, holder, grantor),
        everything=found.everything,
        codes=MappingProxyType(dict(found.codes)),
        refusal=found.refusal,
    )


def words(actor: Actor, holder: Citizen, grantor: Citizen) -> str:
    """In whose name and by whom, as it stands beside who acts; of protected people the initials."""
    names = shown_names(actor, [holder.pk, grantor.pk])
    told = {
        "grantor": names.get(grantor.pk, grantor.full_name),
        "holder": names.get(holder.pk, holder.full_name),
    }
    return (_("%(grantor)s, through %(holder)s") % told)[:200]


def shown_names(actor: Actor, citizens: Iterable[int]) -> dict[int, str]:
    """How these people may be named here: of the protected, initials."""
    rows = CitizenRecord.objects.for_actor(actor).filter(citizen__in=set(citizens))
    return {row.citizen_id: row.shown_name for row in rows.select_related("citizen")}


# --- Lists --------------------------------------------------------------------------------------


def lines(actor: Actor, mandates: Sequence[Mandate], *, of_grantor: bool) -> list[Line]:
    """Mandates as they are listed on the page of their grantor, or of their holder."""
    now = timezone.now()
    names = shown_names(
        actor, [one.holder_id if of_grantor else one.grantor_id for one in mandates]
    )
    known = {scope: choices(actor, scope) for scope in {one.scope for one in mandates}}
    return [_line(one, of_grantor, names, known[one.scope], now) for one in mandates]


def _line(
    mandate: Mandate,
    of_grantor: bool,
    names: Mapping[int, str],
    known: Mapping[str, str],
    now: datetime,
) -> Line:
    other = mandate.holder if of_grantor else mandate.grantor
    state = state_of(mandate, now)
    label, look, icon = STATES[state]
    return Line(
        mandate=mandate,
        other=other,
        name=names.get(other.pk, other.full_name),
        state=state,
        state_words=label,
        look=look,
        icon=icon,
        covers=[known.get(code, code) for code in mandate.covers],
        acts=[Act(act).label for act in mandate.acts],
        tells=not extent([mandate], Act.INFORM, now).refusal,
    )


@dataclass(frozen=True, slots=True)
class Relations:
    """Who represents a person, and whom they represent, as far as their page shows it."""

    given: list[Line]
    held: list[Line]
    more_given: bool
    more_held: bool
    professional: AuthorisedProfessional | None


def relations(actor: Actor, citizen: Citizen) -> Relations:
    """What the page of a person shows: those that still count first, then the newest."""
    rows = mandates_of(actor)
    now = timezone.localdate()
    alive = Q(ended_at=None) & (Q(valid_until=None) | Q(valid_until__gte=now))
    first = SqlCase(When(alive, then=Value(0)), default=Value(1))
    given = list(rows.filter(grantor=citizen).order_by(first, "-id")[: SHOWN + 1])
    held = list(rows.filter(holder=citizen).order_by(first, "-id")[: SHOWN + 1])
    professional = AuthorisedProfessional.objects.for_actor(actor).filter(
        citizen=citizen, ended_at=None
    )
    return Relations(
        given=lines(actor, given[:SHOWN], of_grantor=True),
        held=lines(actor, held[:SHOWN], of_grantor=False),
        more_given=len(given) > SHOWN,
        more_held=len(held) > SHOWN,
        professional=professional.first(),
    )


def page_of(
    actor: Actor,
    citizen: Citizen,
    *,
    of_grantor: bool = False,
    cursor: str = "",
    only_in_force: bool = False,
) -> "Page[Mandate]":
    """A page of the mandates that somebody holds (thousands for some) or gave, the newest first."""
    mine = Q(grantor=citizen) if of_grantor else Q(holder=citizen)
    rows = mandates_of(actor).filter(mine)
    if only_in_force:
        day = timezone.localdate()
        rows = rows.filter(
            Q(valid_until=None) | Q(valid_until__gte=day),
            Q(professional=None) | Q(professional__ended_at=None),
            ended_at=None,
            verified_at__isnull=False,
            valid_from__lte=day,
        )
    return read_page(rows, NEWEST_FIRST, cursor)


def mandate_of(actor: Actor, mandate: UUID) -> Mandate:
    """A mandate of the organisation, where the actor may see mandates."""
    found = mandates_of(actor).get_or_refuse(uuid=mandate)
    record = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    require(actor, VIEW_MANDATE, record.get_or_refuse(citizen=found.grantor_id))
    return found


def holders_for(
    actor: Actor, grantor: Citizen, act: str, subject: Subject | None = None
) -> list[tuple[Citizen, str, Weighed]]:
    """Who has a mandate of the person, as they may be named, and whether each may do this now; `subject`
    None: whatever their mandates reach."""
    rows: dict[int, list[Mandate]] = {}
    for mandate in mandates_of(actor).filter(grantor=grantor).order_by("-assurance", "-id"):
        rows.setdefault(mandate.holder_id, []).append(mandate)
    names = shown_names(actor, rows)
    now = timezone.now()
    found = []
    for key, mandates in rows.items():
        holder = mandates[0].holder
        result = (
            weigh(mandates, act, subject, now)
            if subject is not None
            else _anywhere(mandates, act, now)
        )
        found.append((holder, names.get(key, holder.full_name), result))
    return found


def _anywhere(mandates: Sequence[Mandate], act: str, now: datetime) -> Weighed:
    found = extent(mandates, act, now)
    return Weighed(Decision(False, found.refusal) if found.refusal else ALLOWED)
