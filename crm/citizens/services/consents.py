"""What citizens want to be written to about, and how far their addresses can be trusted."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.citizens.models import CitizenRecord, Consent, ContactPoint, Topic
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.citizens.services.records import note
from crm.kit.actor import Actor
from crm.kit.errors import NotFound
from crm.kit.policy import require


@transaction.atomic
def record_consent(
    actor: Actor,
    point: ContactPoint,
    topic: Topic,
    state: Consent.State,
    *,
    source: str,
    evidence: Mapping[str, Any],
) -> Consent | None:
    """This is the last word on the topic at that contact point; None when it already was.

    The contact point is locked meanwhile, so that of two words said at once one is the last.
    """
    record = _record_of(actor, point)
    if topic.organisation_id != actor.organisation_id:
        raise NotFound
    require(actor, CHANGE_CITIZEN, record)
    ContactPoint.objects.for_actor(actor).select_for_update().get(pk=point.pk)
    if last_word(point, topic) == state:
        return None
    said = Consent.objects.create(
        contact_point=point, topic=topic, state=state, source=source, evidence=dict(evidence)
    )
    note(actor, CHANGE_CITIZEN, record, consent=str(state), topic=topic.code, source=source)
    return said


def last_word(point: ContactPoint, topic: Topic) -> str:
    """What was last said of the topic there; empty when nothing was."""
    said = Consent.objects.unscoped("of a contact point that the caller holds")
    found = said.filter(contact_point=point, topic=topic).order_by("-id").first()
    return found.state if found else ""


@transaction.atomic
def rate_address(actor: Actor, channel: str, key: str, quality: ContactPoint.Quality) -> int:
    """The organisation trusts this address so far, whoever bears it; how many contact points changed."""
    require(actor, CHANGE_CITIZEN)
    points = ContactPoint.objects.for_actor(actor).filter(
        channel=channel, address_key=key, ended_at=None
    )
    changed = 0
    for point in points.exclude(quality=quality).select_for_update().order_by("pk"):
        point.quality = quality
        point.updated_at = timezone.now()
        point.save(update_fields=["quality", "updated_at"])
        told = {"changed": "contact_point", "contact_point": str(point.uuid), "quality": quality}
        note(actor, CHANGE_CITIZEN, _record_of(actor, point), **told)
        changed += 1
    return changed


def _record_of(actor: Actor, point: ContactPoint) -> CitizenRecord:
    records = CitizenRecord.objects.for_actor(actor).select_related("citizen")
    return records.get_or_refuse(citizen=point.citizen_id, organisation=point.organisation_id)
