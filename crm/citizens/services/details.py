"""What identifies a citizen and how they are reached: numbers and contact points, added and ended."""

from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.citizens import checking
from crm.citizens.checking import NewContactPoint, NewIdentifier
from crm.citizens.events import CitizenChanged
from crm.citizens.models import CitizenRecord, ContactPoint, Identifier
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.citizens.services.records import note, own_record, require_as_seen
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid, Text
from crm.kit.events import publish


@transaction.atomic
def add_identifier(actor: Actor, citizen_id: UUID, given: NewIdentifier) -> Identifier:
    """The number identifies this citizen, and nobody else in the installation."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    try:
        number = checking.identifier(given, record.citizen.kind)
    except Invalid as error:
        raise _at("value", error) from error
    try:
        with transaction.atomic():
            identifier = Identifier.objects.create(citizen=record.citizen, **asdict(number))
    except IntegrityError as error:
        raise Conflict("identifier_taken", _taken(record, number)) from error
    _done(actor, record, "added", identifier)
    return identifier


def _taken(record: CitizenRecord, number: NewIdentifier) -> Text:
    theirs = record.citizen.identifiers.filter(
        kind=number.kind, value=number.value, country=number.country, ended_at=None
    )
    if theirs.exists():
        return _("The person already has this identification number.")
    return _("This identification number belongs to somebody else.")


@transaction.atomic
def verify_identifier(actor: Actor, citizen_id: UUID, identifier_id: UUID) -> Identifier:
    """An employee has seen the paper or certificate: the number is verified, and by whom is kept."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    identifier = _active_identifier(record, identifier_id)
    identifier.verified_at = timezone.now()
    identifier.verified_by = actor.name[:150]
    identifier.save(update_fields=["verified_at", "verified_by", "updated_at"])
    _done(actor, record, "verified", identifier)
    return identifier


@transaction.atomic
def set_validity(
    actor: Actor,
    citizen_id: UUID,
    identifier_id: UUID,
    *,
    valid_from: date | None,
    valid_until: date | None,
    seen: datetime | None = None,
) -> Identifier:
    """The paper with the number is valid from and until these days: it was renewed, or put right."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    identifier = _active_identifier(record, identifier_id)
    require_as_seen(identifier, seen)
    checking.validity(valid_from, valid_until)
    identifier.valid_from, identifier.valid_until = valid_from, valid_until
    identifier.save(update_fields=["valid_from", "valid_until", "updated_at"])
    _done(actor, record, "changed", identifier, valid_until=str(valid_until or ""))
    return identifier


@transaction.atomic
def withdraw_identifier(
    actor: Actor, citizen_id: UUID, identifier_id: UUID, *, reason: str
) -> Identifier:
    """The number no longer identifies the citizen (wrong, or replaced); it stays in the history."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    identifier = _active_identifier(record, identifier_id)
    try:
        why = checking.text(reason, 240)
    except Invalid as error:
        raise _at("reason", error) from error
    if not why:
        raise Invalid(errors={"reason": [_("State the reason in a few words.")]})
    identifier.ended_at = timezone.now()
    identifier.save(update_fields=["ended_at", "updated_at"])
    _done(actor, record, "withdrawn", identifier, reason=why)
    return identifier


@transaction.atomic
def add_contact_point(actor: Actor, citizen_id: UUID, given: NewContactPoint) -> ContactPoint:
    """The organisation can reach the citizen there."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    checked = _checked_point(given)
    if checked.preferred:
        _prefer_none(record, checked.channel)
    point = ContactPoint(organisation_id=record.organisation_id, citizen=record.citizen)
    _fill(point, checked)
    _save_once(point)
    _done(actor, record, "added", point)
    return point


@transaction.atomic
def change_contact_point(
    actor: Actor,
    citizen_id: UUID,
    point_id: UUID,
    given: NewContactPoint,
    *,
    quality: str,
    seen: datetime | None = None,
) -> ContactPoint:
    """The contact point reads so; a different address is no longer a verified one."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    point = _active_point(record, point_id)
    require_as_seen(point, seen)
    checked = _checked_point(given)
    if quality not in ContactPoint.Quality.values:
        raise Invalid(errors={"quality": [_("Choose good, unsure or bad.")]})
    if checked.preferred:
        _prefer_none(record, checked.channel)
    if (point.channel, point.address_key) != (checked.channel, checked.key):
        point.verified_at = None
    point.quality = quality
    _fill(point, checked)
    _save_once(point)
    _done(actor, record, "changed", point)
    return point


@transaction.atomic
def verify_contact_point(actor: Actor, citizen_id: UUID, point_id: UUID) -> ContactPoint:
    """The citizen answered there: it is verified, and good."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    point = _active_point(record, point_id)
    point.verified_at = timezone.now()
    point.quality = ContactPoint.Quality.GOOD
    point.save(update_fields=["verified_at", "quality", "updated_at"])
    _done(actor, record, "verified", point)
    return point


@transaction.atomic
def end_contact_point(actor: Actor, citizen_id: UUID, point_id: UUID) -> ContactPoint:
    """The citizen is no longer reached there; it stays in the history."""
    record = own_record(actor, citizen_id, CHANGE_CITIZEN)
    point = _active_point(record, point_id)
    point.ended_at = timezone.now()
    point.preferred = False
    point.save(update_fields=["ended_at", "preferred", "updated_at"])
    _done(actor, record, "ended", point)
    return point


def _active_identifier(record: CitizenRecord, identifier_id: UUID) -> Identifier:
    return (
        Identifier.objects.unscoped("of a record that is the actor's")
        .filter(citizen=record.citizen, ended_at=None)
        .get_or_refuse(uuid=identifier_id)
    )


def _active_point(record: CitizenRecord, point_id: UUID) -> ContactPoint:
    return (
        ContactPoint.objects.unscoped("of a record that is the actor's")
        .filter(organisation=record.organisation_id, citizen=record.citizen, ended_at=None)
        .get_or_refuse(uuid=point_id)
    )


def _checked_point(given: NewContactPoint) -> NewContactPoint:
    try:
        return checking.contact_point(given)
    except Invalid as error:
        raise _at("address", error) from error


def _at(field: str, error: Invalid) -> Invalid:
    """The same error, at the field it speaks of."""
    return error if error.errors else Invalid(errors={field: [error.message]})


def _prefer_none(record: CitizenRecord, channel: str) -> None:
    ContactPoint.objects.unscoped("of a record that is the actor's").filter(
        organisation=record.organisation_id,
        citizen=record.citizen,
        channel=channel,
        preferred=True,
        ended_at=None,
    ).update(preferred=False)


def _fill(point: ContactPoint, checked: NewContactPoint) -> None:
    values = asdict(checked)
    point.address_key = values.pop("key")
    for field, value in values.items():
        setattr(point, field, value)


def _save_once(point: ContactPoint) -> None:
    try:
        with transaction.atomic():
            point.save()
    except IntegrityError as error:
        message = _("The person already has this contact point.")
        raise Conflict("contact_point_known", message) from error


def _done(
    actor: Actor, record: CitizenRecord, act: str, row: Identifier | ContactPoint, **more: str
) -> None:
    """What was done with a number or contact point is in the trail, and others hear of it."""
    if isinstance(row, Identifier):
        what = {act: "identifier", "kind": row.kind, "identifier": str(row.uuid)}
    else:
        what = {act: "contact_point", "channel": row.channel, "contact_point": str(row.uuid)}
    note(actor, CHANGE_CITIZEN, record, **what, **more)
    publish(CitizenChanged(str(record.citizen.uuid), record.organisation_id))
