"""Reading what is known of citizens: for their page, for the palette, and for who asks who looked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.audit.models import AuditEntry
from crm.citizens.aliases import known_as
from crm.citizens.identifiers import guess, mask
from crm.citizens.models import (
    Channel,
    Citizen,
    CitizenRecord,
    Consent,
    ContactPoint,
    Identifier,
    agreements_in_force,
)
from crm.citizens.permissions import VIEW_ACCESS_REPORT, VIEW_CITIZEN
from crm.citizens.search import Hit, search
from crm.kit.actor import Actor
from crm.kit.policy import require
from crm.organisations.models import DataClass, SharingAgreement

REPORT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class MaskedNumber:
    """An identification number as it is shown until somebody asks for the whole of it."""

    identifier: Identifier
    text: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What an agreement lets the actor's organisation see of one citizen of another's."""

    agreement: SharingAgreement
    classes: frozenset[str]
    contact_points: Sequence[ContactPoint]


@dataclass(frozen=True, slots=True)
class Access:
    """One time that a citizen's data were looked at: when and why, never by whom."""

    at: datetime
    action: str
    purpose: str


def masked_numbers(citizen: Citizen) -> list[MaskedNumber]:
    """The active numbers of an opened citizen, verified ones first."""
    numbers = Identifier.objects.unscoped("of a citizen opened by the actor")
    active = numbers.filter(citizen=citizen, ended_at=None).order_by("verified_at", "pk")
    return [MaskedNumber(number, mask(number.kind, number.value)) for number in active]


def masked_numbers_of(citizens: Iterable[int]) -> dict[int, list[MaskedNumber]]:
    """The active numbers of citizens whom the actor may open, by citizen."""
    numbers = Identifier.objects.unscoped("of citizens whom the actor may open")
    found: dict[int, list[MaskedNumber]] = {}
    for number in numbers.filter(citizen__in=list(citizens), ended_at=None).order_by("pk"):
        masked = MaskedNumber(number, mask(number.kind, number.value))
        found.setdefault(number.citizen_id, []).append(masked)
    return found


def with_number(actor: Actor, text: str) -> list[UUID]:
    """The citizens who bear, or bore, the identification number that a text is."""
    cards = Q()
    for meaning in guess(text):
        if meaning.kind in Identifier.Kind.values:
            cards |= Q(kind=meaning.kind, value=meaning.value)
    if not cards:
        return []
    bearers = Identifier.objects.for_actor(actor).filter(cards).values("citizen")
    return list(
        Citizen.objects.for_actor(actor).filter(pk__in=bearers).values_list("uuid", flat=True)
    )


def shown_name(actor: Actor, citizen: Citizen) -> str:
    """The citizen's name where their record is not open: of a protected one, its initials."""
    record = CitizenRecord.objects.for_actor(actor).filter(citizen=citizen).first()
    if record is None:
        return citizen.full_name
    record.citizen = citizen
    return record.shown_name


def protected_names(actor: Actor, citizens: Iterable[int]) -> dict[int, str]:
    """The initials of those of these citizens whose record is protected here."""
    rows = CitizenRecord.objects.for_actor(actor).filter(citizen__in=set(citizens), protected=True)
    return {one.citizen_id: one.shown_name for one in rows.select_related("citizen")}


def contact_points(actor: Actor, citizen: Citizen) -> list[ContactPoint]:
    """Where the actor's organisation reaches the citizen, the preferred and the good ones first."""
    return _sorted_points(actor.organisation_id, citizen)


def _sorted_points(organisation_id: int, citizen: Citizen) -> list[ContactPoint]:
    worth = Case(
        *(
            When(quality=quality, then=Value(place))
            for place, quality in enumerate(ContactPoint.Quality.values)
        )
    )
    points = ContactPoint.objects.unscoped("of a citizen opened by the actor").filter(
        organisation=organisation_id, citizen=citizen, ended_at=None
    )
    return list(points.order_by("-preferred", worth, "channel", "pk"))


def sharing(actor: Actor, citizen: Citizen) -> list[Shared]:
    """By which agreements in force today other organisations let the actor's see this citizen.

    What they protect they do not share. Identity is always among the classes.
    """
    records = CitizenRecord.objects.unscoped("whose citizen it is, under an agreement in force")
    givers = records.filter(citizen=citizen, protected=False).values("organisation")
    return [
        Shared(
            agreement,
            frozenset(agreement.data_classes),
            _sorted_points(agreement.giver_id, citizen)
            if DataClass.CONTACT in agreement.data_classes
            else (),
        )
        for agreement in agreements_in_force(actor)
        .filter(giver__in=givers)
        .select_related("giver")
        .order_by("giver__name")
    ]


def access_report(actor: Actor, citizen: Citizen) -> list[Access]:
    """When and why the actor's organisation looked at the citizen's data, newest first, 100 at most.

    Dates and purposes without employees' names: what the person may be told (CJEU C-579/21).
    """
    require(actor, VIEW_ACCESS_REPORT)
    entries = AuditEntry.objects.for_actor(actor).filter(
        object_type=citizen._meta.label_lower,
        object_id__in=known_as(citizen),
        action__in=["viewed", "revealed", "exported", "downloaded"],
    )
    rows = entries.order_by("-at", "-id").values_list("at", "action", "purpose")[:REPORT_LIMIT]
    return [Access(*row) for row in rows]


def consents(actor: Actor, citizen: Citizen) -> dict[str, object] | None:
    """The last word of the person on each topic at each contact point; nothing when they said none."""
    said = (
        Consent.objects.for_actor(actor)
        .filter(contact_point__citizen=citizen, contact_point__ended_at=None)
        .order_by("contact_point", "topic", "-id")
        .distinct("contact_point", "topic")
        .select_related("contact_point", "topic")
    )
    found = list(said)
    return {"consents": found} if found else None


def age(citizen: Citizen) -> int | None:
    """In whole years today."""
    born, today = citizen.birth_date, timezone.localdate()
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def home(points: Sequence[ContactPoint]) -> str:
    """The town where the first postal address is, as people wrote it."""
    return next((p.locality for p in points if p.channel == Channel.POST and p.locality), "")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the palette shows of a citizen."""

    label: str
    sub: str
    uuid: UUID


def palette(actor: Actor, text: str, limit: int = 6) -> list[Suggestion]:
    """The citizens whom a few typed letters may mean."""
    if not actor.holds(VIEW_CITIZEN) or len(text.strip()) < 2:
        return []
    return [
        Suggestion(hit.name, _("Protected record") if hit.protected else _beside(hit), hit.uuid)
        for hit in search(actor, text, limit=limit).hits
    ]


def _beside(hit: Hit) -> str:
    born = date_format(hit.birth_date, "SHORT_DATE_FORMAT") if hit.birth_date else ""
    return " · ".join(filter(None, [hit.identifier, born, hit.locality, hit.shared_by]))
