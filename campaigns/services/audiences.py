"""Verbs on who is written to and where links lead: segments, topics, destinations, suppressions."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from campaigns import segments
from campaigns.models import AllowedDestination, Segment, Suppression, address_hash
from campaigns.permissions import DESIGN_CAMPAIGN, MANAGE_TOPICS
from campaigns.rendering import host_of
from crm.audit.record import record
from crm.citizens.models import Channel, Topic
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.policy import require
from crm.organisations.models import Organisation


@transaction.atomic
def save_segment(actor: Actor, name: str, tree: Any, segment: UUID | None = None) -> Segment:
    """The audience is described so; campaigns that wait or are approved keep what they had."""
    require(actor, DESIGN_CAMPAIGN)
    kept, called = segments.checked(actor, tree), _name(name, 120)
    row = Segment(organisation_id=actor.organisation_id, created_by_name=actor.name[:200])
    if segment is not None:
        mine = Segment.objects.for_actor(actor).filter(archived_at=None).select_for_update()
        row = mine.get_or_refuse(uuid=segment)
    row.name, row.tree = called, kept
    measured = segments.size(row.organisation_id, kept)
    row.estimated_size, row.estimated_at = measured.people, timezone.now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Invalid(errors={"name": [_("There is another one of this name.")]}) from error
    record(actor, DESIGN_CAMPAIGN, row, tree=kept)
    return row


@transaction.atomic
def archive_segment(actor: Actor, segment: UUID) -> Segment:
    """The audience is offered to no new campaign."""
    require(actor, DESIGN_CAMPAIGN)
    row = Segment.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=segment)
    row.archived_at = row.archived_at or timezone.now()
    row.save(update_fields=["archived_at", "updated_at"])
    record(actor, DESIGN_CAMPAIGN, row, archived=True)
    return row


@transaction.atomic
def create_topic(
    actor: Actor, name: str, message_class: str, names: dict[str, str] | None = None
) -> Topic:
    """Citizens can be written to about this, and choose whether they want it."""
    require(actor, MANAGE_TOPICS)
    called = _name(name, 120)
    if message_class not in Topic.MessageClass.values:
        raise Invalid(errors={"message_class": [_("Choose one of the offered values.")]})
    code = slugify(called)[:40]
    try:
        with transaction.atomic():
            topic = Topic.objects.create(
                organisation_id=actor.organisation_id,
                code=code or "topic",
                name=called,
                names={key: _name(text, 120) for key, text in (names or {}).items() if text},
                message_class=message_class,
            )
    except IntegrityError as error:
        raise Invalid(errors={"name": [_("There is another one of this name.")]}) from error
    record(actor, MANAGE_TOPICS, topic, message_class=message_class)
    return topic


@transaction.atomic
def end_topic(actor: Actor, topic: UUID) -> Topic:
    """Nothing new is written about it; what citizens said of it stays on record."""
    require(actor, MANAGE_TOPICS)
    row = Topic.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=topic)
    row.ended_at = row.ended_at or timezone.now()
    row.save(update_fields=["ended_at", "updated_at"])
    record(actor, MANAGE_TOPICS, row, ended=True)
    return row


@transaction.atomic
def allow_destination(actor: Actor, host: str) -> AllowedDestination:
    """The organisation's links may lead to that host and those under it."""
    require(actor, MANAGE_TOPICS)
    text = host.strip().lower().removeprefix("https://").partition("/")[0]
    try:
        if "." not in text or len(text) > 253:
            raise Invalid
        plain = host_of(f"https://{text}")
    except Invalid as error:
        raise Invalid(errors={"host": [_("Write a host, such as www.example.org.")]}) from error
    row, made = AllowedDestination.objects.get_or_create(
        organisation_id=actor.organisation_id,
        host=plain,
        defaults={"added_by_name": actor.name[:200]},
    )
    if made:
        record(actor, MANAGE_TOPICS, row, allowed=plain)
    return row


@transaction.atomic
def forbid_destination(actor: Actor, destination: UUID) -> None:
    """No new link leads there; those of campaigns under way stay."""
    require(actor, MANAGE_TOPICS)
    row = AllowedDestination.objects.for_actor(actor).get_or_refuse(uuid=destination)
    record(actor, MANAGE_TOPICS, row, forbidden=row.host)
    row.delete()


def suppress(
    organisation: Organisation,
    key: str,
    reason: Suppression.Reason,
    *,
    scope: Suppression.Scope = Suppression.Scope.ALL,
    delivery: int | None = None,
) -> None:
    """The organisation does not write to this mailbox any more; a second time changes nothing."""
    row = Suppression(
        organisation=organisation,
        channel=Channel.EMAIL,
        address_hash=address_hash(key),
        scope=scope,
        reason=reason,
        source_delivery_id=delivery,
    )
    Suppression.objects.bulk_create([row], ignore_conflicts=True)


@transaction.atomic
def lift_suppression(actor: Actor, suppression: UUID) -> Suppression:
    """The mailbox is written to again: the bounce was wrong, or its owner asked for it."""
    require(actor, MANAGE_TOPICS)
    row = Suppression.objects.for_actor(actor).select_for_update().get_or_refuse(uuid=suppression)
    if row.lifted_at is None:
        row.lifted_at, row.lifted_by_name = timezone.now(), actor.name[:200]
        row.save(update_fields=["lifted_at", "lifted_by_name", "updated_at"])
        record(actor, MANAGE_TOPICS, row, lifted=row.reason)
    return row


def _name(text: str, longest: int) -> str:
    name = " ".join(text.split())
    if not name or len(name) > longest:
        raise Invalid(errors={"name": [_("This field is required.")]})
    return name
