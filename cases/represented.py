"""Reading who may act for the citizen of a case, and what may be told to them of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from cases.models import Application, Case, CaseType, Participant, Procedure, Representation
from cases.permissions import VIEW_CASE
from crm.citizens.mandates import Subject, Weighed, weigh
from crm.citizens.models import Act, Channel, Citizen, ContactPoint, Mandate
from crm.citizens.representing import mandates_of, shown_names, weighed
from crm.kit.actor import Actor
from crm.kit.errors import DomainError, NotFound, Refused, Text


def subject_of(case: Case) -> Subject:
    """What a mandate must cover to reach the case: its case type, and the procedure by which it was
    applied for; of what was opened otherwise, any procedure of its type. As Case.within says in SQL."""
    filed = Application.objects.unscoped("of a case that the caller holds").filter(case=case.pk)
    code = filed.values_list("procedure__code", flat=True).first()
    if code is not None:
        return Subject(case.case_type.code, frozenset([code]))
    return subject_of_type(case.case_type)


def subject_of_type(case_type: CaseType) -> Subject:
    """What a mandate must cover for a case of this type to be opened by it."""
    rows = Procedure.objects.unscoped("of a case type that the caller holds")
    codes = rows.filter(case_type=case_type).values_list("code", flat=True)
    return Subject(case_type.code, frozenset(codes))


def not_seen(actor: Actor, case: UUID) -> DomainError:
    """Why the case is not shown: it does not exist for the actor, or may not be told to whom they
    attend."""
    if actor.attends:
        plain = Case.objects.for_actor(actor.without_attended()).select_related("citizen")
        row = plain.filter(uuid=case).first()
        attended = actor.attended(row.citizen_id) if row else None
        if row is not None and attended is not None:
            return Refused(VIEW_CASE, attended.refusal or why_not(actor, row, attended.holder), row)
    return NotFound()


def why_not(actor: Actor, case: Case, holder: int) -> Text:
    """Why the case may not be told to this holder."""
    assert case.citizen_id is not None
    subject = subject_of(case)
    return weighed(actor, holder, case.citizen_id, Act.INFORM, subject).decision.reason


# --- On the page of a case ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Representative:
    """Who takes part for the citizen, and what each act's mandate says at this moment."""

    citizen: Citizen
    name: str
    acts: Sequence[tuple[Text, Weighed]]

    @property
    def told(self) -> Weighed:
        """Whether they may be told how the case stands."""
        return self.acts[0][1]


def representatives_of(
    actor: Actor, case: Case, participants: Iterable[tuple[Participant, str]]
) -> list[Representative]:
    """Those who take part in the case for its citizen now; asks nothing when there is none."""
    present = [
        (one.citizen, name)
        for one, name in participants
        if one.role == Participant.Role.REPRESENTATIVE and one.ended_at is None
    ]
    if not present or case.citizen_id is None:
        return []
    mandates = _by_holder(actor, case, [citizen.pk for citizen, _name in present])
    subject, now = subject_of(case), timezone.now()
    return [
        Representative(
            citizen,
            name,
            [
                (Act(act).label, weigh(mandates.get(citizen.pk, ()), act, subject, now))
                for act in Act.values
            ],
        )
        for citizen, name in present
    ]


def _by_holder(actor: Actor, case: Case, holders: Sequence[int]) -> dict[int, list[Mandate]]:
    rows = mandates_of(actor).filter(grantor=case.citizen_id, holder__in=holders)
    found: dict[int, list[Mandate]] = {}
    for mandate in rows.order_by("-assurance", "-id"):
        found.setdefault(mandate.holder_id, []).append(mandate)
    return found


# --- Where messages go --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notified:
    """Who receives what is written to the citizen of a case, and where nothing may go any more."""

    holder: Citizen | None = None
    address: str = ""
    mandate: Mandate | None = None
    shut: frozenset[str] = frozenset()  # mailboxes of representatives who may not be told


def notified(actor: Actor, case: Case) -> Notified:
    """The first representative in the case whose mandate says that notifications go to them; the
    mailboxes of those who represented the citizen and may be told nothing more."""
    if case.citizen_id is None:
        return Notified()
    rows = Participant.objects.unscoped("of a case that the caller holds").filter(
        case=case.pk, role=Participant.Role.REPRESENTATIVE
    )
    taking_part = list(rows.select_related("citizen").order_by("pk"))
    if not taking_part:
        return Notified()
    holders = [one.citizen_id for one in taking_part]
    mandates = _by_holder(actor, case, holders)
    mailboxes = _mailboxes(actor, [*holders, case.citizen_id])
    own = {address.lower() for address in mailboxes.get(case.citizen_id, ())}
    subject, now = subject_of(case), timezone.now()
    shut: set[str] = set()
    first = Notified()
    for one in taking_part:
        theirs = mandates.get(one.citizen_id, ())
        addresses = mailboxes.get(one.citizen_id, ())
        if not weigh(theirs, Act.INFORM, subject, now):
            shut |= {address.lower() for address in addresses} - own
            continue
        found = weigh(theirs, Act.NOTIFY, subject, now)
        if found and addresses and one.ended_at is None and first.holder is None:
            first = Notified(one.citizen, addresses[0], found.mandate)
    return Notified(first.holder, first.address, first.mandate, frozenset(shut))


def _mailboxes(actor: Actor, citizens: Iterable[int]) -> dict[int, list[str]]:
    points = ContactPoint.objects.for_actor(actor).filter(
        citizen__in=set(citizens), channel=Channel.EMAIL, ended_at=None
    )
    good = points.exclude(quality=ContactPoint.Quality.BAD)
    found: dict[int, list[str]] = {}
    for point in good.order_by("-preferred", "-verified_at", "pk"):
        found.setdefault(point.citizen_id, []).append(point.address)
    return found


# --- What a mandate may cover -------------------------------------------------------------------


def matters(actor: Actor) -> dict[str, str]:
    """Code → name of the case types of the actor's organisation."""
    rows = CaseType.objects.for_actor(actor).filter(is_active=True).order_by("name")
    return dict(rows.values_list("code", "name"))


def procedures(actor: Actor) -> dict[str, str]:
    """Code → Spanish name of the procedures that citizens can apply for."""
    rows = Procedure.objects.for_actor(actor).exclude(status=Procedure.Status.RETIRED)
    named = rows.filter(texts__language="es").values_list("code", "texts__name")
    found = dict(rows.values_list("code", "code")) | dict(named)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def spoke_through(actor: Actor, event: int) -> Representation | None:
    """By which mandate something in a case was done, if through a representative."""
    rows = Representation.objects.for_actor(actor).select_related("mandate", "holder")
    return rows.filter(event=event).first()


def holder_names(actor: Actor, rows: Iterable[Representation]) -> dict[int, str]:
    """How those who spoke may be named here."""
    return shown_names(actor, [row.holder_id for row in rows])
