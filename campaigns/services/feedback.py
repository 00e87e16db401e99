"""What comes back: bounces and complaints from the mail room, wishes from the recipients."""

from collections.abc import Collection
from email.utils import unquote
from uuid import UUID

from django.db import transaction

from campaigns.models import Delivery, DeliveryEvent, Suppression
from campaigns.services.audiences import suppress
from campaigns.services.writing import tell, worker
from crm.accounts.actors import system_actor
from crm.citizens.models import Channel, Consent, ContactPoint, Topic
from crm.citizens.services.consents import last_word, rate_address, record_consent
from crm.kit.actor import Actor, Door, Origin

SOFT_BOUNCES_TILL_UNSURE = 3
BY_LINK = "unsubscribe_link"
BY_PREFERENCES = "preference_page"
Kind = DeliveryEvent.Kind
Status = Delivery.Status


def bounced(
    message_id: str,
    *,
    hard: bool,
    status_code: str = "",
    diagnostic: str = "",
    key: str = "",
) -> bool:
    """The message of that Message-ID came back; False when it is none of a campaign's.

    A hard bounce: the address does not exist, and the organisation does not write there any more. The
    same word twice (`key`, the bounce's own Message-ID) counts once.
    """
    row = delivery_by_message_id(message_id)
    if row is None:
        return False
    note_bounce(row, hard=hard, status_code=status_code, diagnostic=diagnostic, key=key)
    return True


def complained(message_id: str, *, key: str = "") -> bool:
    """The recipient reported the message as unwanted: nothing at all is sent there any more."""
    row = delivery_by_message_id(message_id)
    if row is None:
        return False
    with transaction.atomic():
        if _told(row, Kind.COMPLAINT, key):
            _became(row, Status.COMPLAINED)
            point = row.contact_point
            suppress(
                row.organisation,
                point.address_key,
                Suppression.Reason.COMPLAINT,
                delivery=row.pk,
            )
    return True


def answered_by_machine(message_id: str, *, key: str = "") -> bool:
    """Somebody is away: the message arrived, and nothing else follows from it."""
    row = delivery_by_message_id(message_id)
    if row is not None:
        with transaction.atomic():
            _told(row, Kind.AUTO_REPLY, key)
    return row is not None


def delivery_by_message_id(message_id: str) -> Delivery | None:
    """The delivery whose message bears this Message-ID, angle brackets or not."""
    local, _at, domain = unquote(message_id.strip()).partition("@")
    try:
        uuid = UUID(local)
    except ValueError:
        return None
    rows = Delivery.objects.unscoped("the mail room does not know whose it is")
    rows = rows.select_related("contact_point", "organisation", "run__campaign")
    return rows.filter(uuid=uuid, run__domain=domain).first()


@transaction.atomic
def note_bounce(row: Delivery, *, hard: bool, status_code: str, diagnostic: str, key: str) -> None:
    """The bounce stands in the delivery, and the address is trusted less."""
    kind = Kind.HARD_BOUNCE if hard else Kind.SOFT_BOUNCE
    if not _told(row, kind, key, status_code=status_code, diagnostic=diagnostic):
        return
    _became(row, Status.HARD_BOUNCED if hard else Status.SOFT_BOUNCED)
    actor, point = worker(row.organisation), row.contact_point
    if hard:
        reason = Suppression.Reason.HARD_BOUNCE
        suppress(row.organisation, point.address_key, reason, delivery=row.pk)
        rate_address(actor, Channel.EMAIL, point.address_key, ContactPoint.Quality.BAD)
    elif _soft_bounces(point) >= SOFT_BOUNCES_TILL_UNSURE:
        rate_address(actor, Channel.EMAIL, point.address_key, ContactPoint.Quality.UNSURE)


def _soft_bounces(point: ContactPoint) -> int:
    events = DeliveryEvent.objects.unscoped("of one contact point of the organisation")
    return events.filter(delivery__contact_point=point, kind=Kind.SOFT_BOUNCE).count()


def _told(
    row: Delivery, kind: Kind, key: str, *, status_code: str = "", diagnostic: str = ""
) -> bool:
    """The event is on record; False when it already was."""
    known = DeliveryEvent.objects.unscoped("of one delivery").filter(
        delivery=row, kind=kind, source_key=key[:200]
    )
    Delivery.objects.unscoped("of one delivery").select_for_update(of=("self",)).get(pk=row.pk)
    if known.exists():
        return False
    DeliveryEvent.objects.create(
        delivery=row,
        kind=kind,
        source_key=key[:200],
        status_code=status_code[:12],
        diagnostic=" ".join(diagnostic.replace("\0", "").split())[:400],
    )
    return True


def _became(row: Delivery, status: str) -> None:
    """What left is now known to have come back; what is worse already stays."""
    worse = {
        Status.SOFT_BOUNCED: [Status.SENT, Status.UNKNOWN],
        Status.HARD_BOUNCED: [Status.SENT, Status.UNKNOWN, Status.SOFT_BOUNCED],
        Status.COMPLAINED: [
            *(Status.SENT, Status.UNKNOWN, Status.SOFT_BOUNCED, Status.HARD_BOUNCED),
        ],
    }[Status(status)]
    rows = Delivery.objects.unscoped("of one delivery").filter(pk=row.pk, status__in=worse)
    if rows.update(status=status):
        tell(row.run.campaign)


# --- What recipients want -------------------------------------------------------------------------


def recipient_of(delivery: UUID) -> Delivery | None:
    """The delivery in a recipient's link."""
    rows = Delivery.objects.unscoped("the signed link names it")
    rows = rows.select_related("contact_point", "organisation", "run__campaign__topic")
    return rows.filter(uuid=delivery).first()


@transaction.atomic
def unsubscribe(delivery: Delivery, *, ip: str | None, one_click: bool) -> None:
    """The recipient hears no more about the topic. A second time changes nothing."""
    topic = delivery.run.campaign.topic
    _say(delivery, topic, Consent.State.WITHDRAWN, BY_LINK, ip, one_click=one_click)
    _told(delivery, Kind.UNSUBSCRIBED, str(topic.uuid))


@transaction.atomic
def choose_topics(delivery: Delivery, wanted: Collection[str], *, ip: str | None) -> None:
    """The recipient hears about these of the organisation's topics and no others."""
    for topic in offered_topics(delivery):
        said = last_word(delivery.contact_point, topic)
        if topic.code in wanted:
            _say(delivery, topic, Consent.State.GRANTED, BY_PREFERENCES, ip)
        elif said:  # what was never asked for is not withdrawn
            _say(delivery, topic, Consent.State.WITHDRAWN, BY_PREFERENCES, ip)


def offered_topics(delivery: Delivery) -> list[Topic]:
    """The topics that the organisation asks leave for."""
    rows = Topic.objects.unscoped("of the organisation that wrote").filter(
        organisation=delivery.organisation_id,
        ended_at=None,
        message_class=Topic.MessageClass.INFORMATIONAL,
    )
    return list(rows.order_by("name"))


def _say(
    delivery: Delivery,
    topic: Topic,
    state: Consent.State,
    source: str,
    ip: str | None,
    **evidence: bool,
) -> None:
    origin = Origin(Door.PUBLIC, ip=ip)
    actor: Actor = system_actor(delivery.organisation, origin, "Ventanilla")
    record_consent(
        actor,
        delivery.contact_point,
        topic,
        state,
        source=source,
        evidence={"delivery": str(delivery.uuid), **evidence},
    )
