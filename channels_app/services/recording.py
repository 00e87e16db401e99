"""Conversations that were held elsewhere (a call, a visit), taken down by the system that knows of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.models import Case
from cases.permissions import VIEW_CASE
from cases.services.places import citizen_of, unit_of
from cases.texts import one_line
from channels_app.models import (
    Author,
    ChannelAccount,
    Conversation,
    Delivery,
    Direction,
    EventKind,
    Message,
    RecordedKind,
    State,
)
from channels_app.permissions import RECORD
from channels_app.services.attending import link_to
from channels_app.services.writing import fetch, note_event, said_at, text_of
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Conflict, Invalid
from crm.kit.policy import require
from crm.organisations.models import Unit

LONGEST = 20_000  # characters of one message
_AHEAD = timedelta(minutes=5)  # that another system's clock may be before ours
_AUTHORS = {
    Direction.IN: Author.CITIZEN,
    Direction.OUT: Author.EMPLOYEE,
    Direction.INTERNAL: Author.SYSTEM,
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """Something said in it; without a moment, when it began."""

    direction: str
    text: str
    at: datetime | None = None
    author_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A conversation that has ended, as the other system tells it."""

    channel: str
    started_at: datetime
    ended_at: datetime
    messages: Sequence[Words]
    subject: str = ""
    unit: UUID | None = None
    citizen: UUID | None = None
    case: UUID | None = None
    contact_name: str = ""
    contact_address: str = ""
    language: str = "es"
    source: str = ""
    external_id: str = ""


@transaction.atomic
def record_interaction(actor: Actor, held: Held) -> Conversation:
    """The conversation stands closed in the stories of its citizen and its case, as it was held.

    Conflict when (source, external_id) was recorded in that channel before.
    """
    require(actor, RECORD)
    case = _case(actor, held.case) if held.case else None
    unit = unit_of(actor, held.unit or (case.unit.uuid if case else None))
    require(actor, RECORD, unit)
    citizen = citizen_of(actor, held.citizen) if held.citizen else None
    _check_times(held)
    account = _account(actor, held.channel, unit)
    row = Conversation.objects.create(
        organisation_id=actor.organisation_id,
        account=account,
        unit=unit,
        citizen=citizen,
        state=State.CLOSED,
        subject=one_line(held.subject)[:240],
        contact_name=one_line(held.contact_name)[:150],
        contact_address=one_line(held.contact_address)[:254],
        language=held.language,
        opened_at=held.started_at,
        ended_at=held.ended_at,
        closed_at=held.ended_at,
        **_said(held),
    )
    _write(actor, row, held)
    with said_at(held.started_at):
        note_event(actor, row, EventKind.OPENED, recorded=True)
    about = {"citizen": str(citizen.uuid)} if citizen else {}
    record(actor, RECORD, row, created=True, channel=held.channel, **about)
    if case is not None:
        link_to(actor, row, case, RECORD)
    return row


@transaction.atomic
def link_interaction(actor: Actor, conversation: UUID, case: UUID) -> Conversation:
    """The conversation belongs to the case, too, and stands in its story; again changes nothing."""
    row = fetch(actor, conversation)
    require(actor, RECORD, row)
    link_to(actor, row, _case(actor, case), RECORD)
    return row


# --- Inside -------------------------------------------------------------------------------------


def _case(actor: Actor, uuid: UUID) -> Case:
    case = Case.objects.for_actor(actor).select_related("unit").filter(uuid=uuid).first()
    if case is None:
        raise Invalid(errors={"case": [_("There is no such case that you may see.")]})
    require(actor, VIEW_CASE, case)
    return case


def _check_times(held: Held) -> None:
    errors: dict[str, list[Any]] = {}
    if held.started_at > timezone.now() + _AHEAD:
        errors["started_at"] = [_("It has not begun yet.")]
    if not held.started_at <= held.ended_at <= timezone.now() + _AHEAD:
        errors["ended_at"] = [_("It ends after it began, and before now.")]
    for number, words in enumerate(held.messages):
        if words.at and not held.started_at <= words.at <= held.ended_at:
            errors[f"messages.{number}.at"] = [_("It was said between the beginning and the end.")]
    if bool(held.source) != bool(held.external_id):
        name = "external_id" if held.source else "source"
        errors[name] = [_("Send source and external_id together.")]
    if errors:
        raise Invalid(errors=errors)


def _account(actor: Actor, channel: str, unit: Unit) -> ChannelAccount:
    """The organisation's account for what others take down in this channel: it carries nothing itself."""
    rows = ChannelAccount.objects.for_actor(actor)
    kinds = dict(RecordedKind.choices)
    found, _made = rows.get_or_create(
        organisation_id=actor.organisation_id,
        code=f"recorded-{channel.replace('_', '-')}",
        defaults={"kind": channel, "name": str(kinds[channel]), "unit": unit},
    )
    return found


def _said(held: Held) -> dict[str, Any]:
    """When the two sides spoke."""
    said = [words for words in held.messages if words.direction != Direction.INTERNAL]
    by = {
        way: [words.at or held.started_at for words in said if words.direction == way]
        for way in (Direction.IN, Direction.OUT)
    }
    return {
        "answered_at": min(by[Direction.OUT], default=None),
        "last_inbound_at": max(by[Direction.IN], default=None),
        "last_message_at": max([*by[Direction.IN], *by[Direction.OUT]], default=held.ended_at),
        "last_number": len(held.messages),
        "read_number": len(held.messages),
        "visitor_read_number": len(held.messages),
    }


def _write(actor: Actor, row: Conversation, held: Held) -> None:
    texts = [
        text_of(words.text, f"messages.{number}.text", LONGEST)
        for number, words in enumerate(held.messages)
    ]
    ordered = sorted(
        zip(held.messages, texts, strict=True), key=lambda pair: pair[0].at or held.started_at
    )
    known = json.dumps([held.source, held.external_id]) if held.source else None
    rows = [
        Message(
            conversation=row,
            account_id=row.account_id,
            number=number,
            at=words.at or held.started_at,
            state_at=words.at or held.started_at,
            direction=words.direction,
            author_kind=_AUTHORS[Direction(words.direction)],
            author_name=_author(actor, row, words),
            body=text,
            state=Delivery.DELIVERED,
            external_id=known if number == 1 else None,
        )
        for number, (words, text) in enumerate(ordered, 1)
    ]
    try:
        with transaction.atomic():
            Message.objects.bulk_create(rows)
    except IntegrityError as error:
        raise Conflict("already_recorded", _("This conversation was recorded before.")) from error


def _author(actor: Actor, row: Conversation, words: Words) -> str:
    named = one_line(words.author_name) or (
        row.contact_name if words.direction == Direction.IN else actor.name
    )
    return named[:200]
