"""What becomes of a message that a server reports on: it failed, and its address is no longer trusted."""

import re
from uuid import UUID

from cases.services import message_bounced
from channels_app.email.reading import Letter, Report
from channels_app.models import ChannelAccount, Delivery, Direction, Message
from channels_app.ports import hearers
from channels_app.services.writing import listeners, now, tell
from crm.accounts.actors import system_actor
from crm.audit.record import record
from crm.citizens.models import Channel, ContactPoint
from crm.citizens.permissions import CHANGE_CITIZEN
from crm.kit.actor import Door, Origin

_UUID = re.compile(r"^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)


def settle(account: ChannelAccount, letter: Letter) -> Message | None:
    """The message that the report is about, with what the report says of it; None when it is not ours.

    Only who quotes the unguessable Message-ID of a message of ours is believed; of the address, only who
    quotes the mail's own mark: a Message-ID goes round with every answer.
    """
    report = letter.report
    assert report is not None
    message = _about(account, report)
    if message is None:
        _of_case(account, report)
        _of_other_rooms(report, letter.message_id)
        return None
    if report.proven and (report.action == "complaint" or report.failed):
        _doubt_address(account, str(message.headers.get("to", "")), report)
    if report.failed:
        _fail(message, report)
    elif report.action == "delayed" and message.state <= Delivery.SENT:
        _note(message, f"{report.status} {report.diagnostic}".strip())
    return message


def _about(account: ChannelAccount, report: Report) -> Message | None:
    if not report.original_id:
        return None
    return (
        Message.objects.unscoped("an account's own messages")
        .select_for_update(of=("self",), no_key=True)
        .select_related("conversation")
        .filter(account=account, direction=Direction.OUT, external_id=report.original_id)
        .first()
    )


def _of_case(account: ChannelAccount, report: Report) -> None:
    """The same for what was written on the page of a case, whose Message-ID is its UUID."""
    named = _UUID.match(report.original_id)
    if named is None or not report.failed:
        return
    reason = f"{report.status} {report.diagnostic}".strip()
    address = message_bounced(account.organisation_id, UUID(named[1]), reason)
    if address and report.proven:
        _doubt_address(account, address, report)


def _of_other_rooms(report: Report, key: str) -> None:
    """The same for what other rooms have sent, who know their own."""
    if report.original_id:
        for hear in hearers.values():
            if hear(report, key):
                return


def _fail(message: Message, report: Report) -> None:
    if message.state >= Delivery.DELIVERED:  # a report that comes late says nothing new
        return
    message.state, message.state_at = Delivery.FAILED, now()
    message.state_reason = f"{report.status} {report.diagnostic}".strip()[:240]
    message.save(update_fields=["state", "state_at", "state_reason", "updated_at"])
    tell({"kind": "delivery", "number": message.number}, listeners(message.conversation))


def _note(message: Message, reason: str) -> None:
    message.state_reason = reason[:240]
    message.save(update_fields=["state_reason", "updated_at"])


def _doubt_address(account: ChannelAccount, address: str, report: Report) -> None:
    """The mailbox is bad when the server says that it does not exist; else one cannot be sure of it."""
    bad = report.no_such_mailbox
    quality = ContactPoint.Quality.BAD if bad else ContactPoint.Quality.UNSURE
    points = (
        ContactPoint.objects.unscoped("of the account's organisation")
        .filter(
            organisation=account.organisation_id,
            channel=Channel.EMAIL,
            address_key=address.lower(),
            ended_at=None,
        )
        .exclude(quality__in=[quality, ContactPoint.Quality.BAD])
        .select_related("citizen")
    )
    actor = system_actor(account.organisation, Origin(Door.TASK))
    for point in points:
        point.quality = quality
        point.save(update_fields=["quality", "updated_at"])
        record(
            actor,
            CHANGE_CITIZEN,
            point.citizen,
            changed="contact_point",
            channel=point.channel,
            contact_point=str(point.uuid),
            quality=quality.value,
        )
