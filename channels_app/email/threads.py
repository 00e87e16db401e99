"""To which conversation a letter belongs, and whether its sender takes part in it.

A thread is known by a Message-ID of ours, which nobody can guess, or by one of the citizen's own. The
number of a case in the subject counts only for who is on that case already. Whoever is not, joins
nothing by themselves: a person decides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from cases.models import Case, Participant
from cases.models import Message as CaseMessage
from cases.models.merging import merged_into
from channels_app.email.reading import Letter
from channels_app.models import ChannelAccount, Conversation, Direction, Message
from crm.citizens.models import Channel, ContactPoint

_REFERENCE = re.compile(r"\b([A-Z][A-Z0-9]{1,11}-\d{4}-\d{7})\b")
_UUID = re.compile(r"^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
_DOUBTED = re.compile(r"\b(?:dmarc|spf|dkim)=(?:fail|softfail|permerror)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a letter belongs: a conversation, or a case without one yet, and how that is known."""

    conversation: Conversation | None
    case: Case | None
    by: str  # reference, case_message, subject
    known: bool  # whether the sender takes part in it


def find(account: ChannelAccount, letter: Letter) -> Thread | None:
    """The letter's thread, or None when it begins one."""
    return (
        _by_references(account, letter)
        or _by_case_message(account, letter)
        or _by_subject(account, letter)
    )


def _by_references(account: ChannelAccount, letter: Letter) -> Thread | None:
    if not letter.references:
        return None
    rows = (
        Message.objects.unscoped("an account's own threads")
        .filter(account=account, external_id__in=letter.references)
        .select_related("conversation")
    )
    found = {row.external_id: row for row in rows}
    for name in reversed(letter.references):
        row = found.get(name)
        if row is None:
            continue
        known = takes_part(row.conversation, letter.sender.address)
        if row.direction == Direction.IN and _doubted(letter):
            known = False  # its Message-ID is no secret of ours
        return Thread(row.conversation, None, "reference", known)
    return None


def _by_case_message(account: ChannelAccount, letter: Letter) -> Thread | None:
    """An answer to what was written on the page of a case."""
    numbers = [UUID(match[1]) for name in letter.references if (match := _UUID.match(name))]
    if not numbers:
        return None
    message = (
        CaseMessage.objects.unscoped("of the account's organisation")
        .filter(case__organisation=account.organisation_id, uuid__in=numbers)
        .select_related("case")
        .order_by("-pk")
        .first()
    )
    if message is None:
        return None
    sender = letter.sender.address
    known = message.address.lower() == sender or on_case(message.case, sender)
    return Thread(_latest(account, message.case, sender), message.case, "case_message", known)


def _by_subject(account: ChannelAccount, letter: Letter) -> Thread | None:
    named = _REFERENCE.findall(letter.subject)[:3]
    if not named or _doubted(letter):
        return None
    case = (
        Case.objects.unscoped("of the account's organisation")
        .filter(organisation=account.organisation_id, reference__in=named)
        .first()
    )
    case = (merged_into(case) or case) if case else None  # an old number leads on
    if case is None or not on_case(case, letter.sender.address):
        return None
    return Thread(_latest(account, case, letter.sender.address), case, "subject", True)


def takes_part(conversation: Conversation, address: str) -> bool:
    """Whether somebody with this address has been accepted in the conversation."""
    if not address:
        return False
    if conversation.contact_address.lower() == address:
        return True
    said = conversation.messages.filter(direction=Direction.IN, headers__sender=address)
    return said.exists()


def on_case(case: Case, address: str) -> bool:
    """Whether the address is of the case's citizen, of who takes part in it, or of one of its threads."""
    if not address:
        return False
    people = Participant.objects.unscoped("of one case").filter(case=case, ended_at=None)
    points = ContactPoint.objects.unscoped("of one case's people").filter(
        Q(citizen=case.citizen_id) | Q(citizen__in=people.values("citizen")),
        organisation=case.organisation_id,
        channel=Channel.EMAIL,
        address_key=address,
        ended_at=None,
    )
    return points.exists() or _threads(case).filter(contact_address=address).exists()


def candidates(organisation_id: int, address: str) -> Sequence[ContactPoint]:
    """The contact points with this mailbox: who the sender may be. Several people may share one."""
    points = ContactPoint.objects.unscoped("of one organisation").filter(
        organisation=organisation_id, channel=Channel.EMAIL, address_key=address, ended_at=None
    )
    return list(points.select_related("citizen").order_by("pk")[:5]) if address else []


def _latest(account: ChannelAccount, case: Case, sender: str) -> Conversation | None:
    mine = _threads(case).filter(account=account, contact_address=sender)
    return mine.order_by("-opened_at", "-pk").first()


def _threads(case: Case) -> "QuerySet[Conversation]":
    return Conversation.objects.unscoped("of one case").filter(case_links__case=case)


def _doubted(letter: Letter) -> bool:
    """Our own mail server doubts that the sender is who they say."""
    return bool(_DOUBTED.search(letter.authentication))
