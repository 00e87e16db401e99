"""Who an appointment is for: as they say themselves, and as the organisation knows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.citizens import checking
from crm.citizens.aliases import Survivor
from crm.citizens.identifiers import folded, normalise_email, normalise_phone
from crm.citizens.models import Channel, Citizen, CitizenRecord, ContactPoint, Need
from crm.citizens.permissions import VIEW_CITIZEN
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.policy import require
from scheduling.models import Appointment


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is for, as they say themselves."""

    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = "es"
    needs: Sequence[str] = ()
    subject: str = ""


def checked(
    person: Person, *, consent: bool = True, needs_mailbox: bool = False, named: bool = True
) -> Person:
    """What the person said, in its kept form; Invalid names everything that is wrong at once."""
    errors = checking.Errors()
    clean: dict[str, str] = {"name": "", "email": "", "phone": "", "subject": ""}
    with errors.at("name"):
        clean["name"] = checking.text(person.name, 200)
        if named and not any(sign.isalpha() for sign in clean["name"]):
            raise Invalid(_("Write the name."))
    with errors.at("email"):
        if person.email.strip() or needs_mailbox:
            clean["email"] = normalise_email(person.email)
    with errors.at("phone"):
        if person.phone.strip():
            clean["phone"] = normalise_phone(person.phone)
    with errors.at("subject"):
        clean["subject"] = checking.text(person.subject, 240)
    with errors.at("needs"):
        if not set(person.needs) <= set(Need.values):
            raise Invalid(_("Choose among the accessibility needs."))
    with errors.at("consent"):
        if not consent:
            raise Invalid(_("Without your agreement we cannot keep the appointment."))
    errors.refuse()
    known = person.language in dict(settings.LANGUAGES)
    language = person.language if known else settings.LANGUAGE_CODE
    return Person(language=language, needs=tuple(person.needs), **clean)


def citizen_of(actor: Actor, citizen: UUID) -> Citizen:
    """A citizen of whom the organisation keeps a record; Invalid if there is none, Refused where the actor
    may not open it: their mailbox is told with the appointment."""
    record_ = (
        CitizenRecord.objects.for_actor(actor)
        .select_related("citizen")
        .filter(citizen=Survivor(citizen))
        .first()
    )
    if record_ is None:
        raise Invalid(errors={"citizen": [_("There is no such citizen.")]})
    require(actor, VIEW_CITIZEN, record_)
    return record_.citizen


def columns_of(person: Person) -> dict[str, object]:
    """The columns of who it is for."""
    return {
        "person": person.name,
        "person_key": person.email.lower()[:120],
        "email": person.email,
        "phone": person.phone,
        "language": person.language,
        "needs": list(person.needs),
        "subject": person.subject,
    }


def with_mailbox(actor: Actor, person: Person, citizen: Citizen | None) -> Person:
    """What is on record of a citizen completes what was said: mailbox, language and needs."""
    if citizen is None:
        return person
    points = (
        ContactPoint.objects.for_actor(actor)
        .filter(citizen=citizen, channel=Channel.EMAIL, ended_at=None)
        .exclude(quality=ContactPoint.Quality.BAD)
        .order_by("-preferred", "-verified_at", "pk")
    )
    point = points.first()
    kept = CitizenRecord.objects.for_actor(actor).get(citizen=citizen)
    return Person(
        email=person.email or (point.address if point else ""),
        phone=person.phone,
        language=kept.language,
        needs=tuple(kept.accessibility_needs),
        subject=person.subject,
    )


def recognised(actor: Actor, row: Appointment) -> Citizen | None:
    """The one citizen on record with this mailbox, now proved, and this very name; never a protected one."""
    records = CitizenRecord.objects.for_actor(actor).filter(
        protected=False,
        citizen__in=ContactPoint.objects.for_actor(actor)
        .filter(channel=Channel.EMAIL, address_key=row.email.lower(), ended_at=None)
        .values("citizen"),
    )
    said = sorted(folded(row.person).split())
    same = [
        found.citizen
        for found in records.select_related("citizen")[:20]
        if sorted(folded(found.citizen.full_name).split()) == said
    ]
    return same[0] if len(same) == 1 else None
