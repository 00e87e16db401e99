"""Accounts, queues, agents and conversations for tests."""

from datetime import time
from typing import Any
from uuid import uuid4

from django.utils import timezone

from channels_app.models import (
    AccountKind,
    AgentSlot,
    ChannelAccount,
    ConsentText,
    ContactReason,
    Conversation,
    Presence,
    Queue,
    QueueMember,
    WrapUpCode,
)
from channels_app.services import visiting
from channels_app.services.visiting import Arrival
from crm.accounts.models import User
from crm.kit.actor import Door, Origin
from crm.organisations.models import OpeningHours, Organisation, Unit, WorkingCalendar

PUBLIC = Origin(Door.PUBLIC, request_id="test", ip="127.0.0.1")
YEARS = list(range(2020, 2036))


def always_open(organisation: Organisation) -> WorkingCalendar:
    """A calendar that never closes."""
    calendar, made = WorkingCalendar.objects.get_or_create(
        organisation=organisation,
        layer="national",
        code="SIEMPRE",
        defaults={"name": "Siempre", "years": YEARS},
    )
    if made:
        for weekday in range(7):
            OpeningHours.objects.create(
                calendar=calendar, weekday=weekday, opens=time(0), closes=time(0)
            )
    return calendar


def never_open(organisation: Organisation) -> WorkingCalendar:
    """A calendar that opens on no day."""
    calendar, _made = WorkingCalendar.objects.get_or_create(
        organisation=organisation,
        layer="national",
        code="NUNCA",
        defaults={"name": "Nunca", "years": YEARS},
    )
    return calendar


def make_queue(unit: Unit, code: str = "general", **fields: Any) -> Queue:
    """A queue of a unit that is always open, with a wrap-up code."""
    fields.setdefault("calendar", always_open(unit.organisation))
    queue = Queue.objects.create(
        organisation=unit.organisation, unit=unit, code=code, names={"es": code.title()}, **fields
    )
    unit.organisation.units_version += 1
    unit.organisation.save(update_fields=["units_version"])  # as the calendars' own verbs do
    WrapUpCode.objects.create(queue=queue, code="resuelta", names={"es": "Resuelta"})
    return queue


def make_account(queue: Queue, **fields: Any) -> ChannelAccount:
    """A web chat that leads to the queue, with a reason and a consent text."""
    fields.setdefault("code", f"web-{ChannelAccount.objects.count()}")
    fields.setdefault("allowed_origins", ["https://www.example.org"])
    account = ChannelAccount.objects.create(
        organisation=queue.organisation,
        kind=AccountKind.WEB_CHAT,
        name="Chat de prueba",
        unit=queue.unit,
        queue=queue,
        **fields,
    )
    ContactReason.objects.create(
        account=account, queue=queue, code="consulta", names={"es": "Consulta"}
    )
    ConsentText.objects.create(account=account, version=1, texts={"es": "Tratamos sus datos."})
    return account


def make_agent(user: User, *queues: Queue, units: int = 1, **fields: Any) -> AgentSlot:
    """An employee at the desk, available and heard, who serves the queues."""
    organisation: Organisation = queues[0].organisation
    fields.setdefault("state", Presence.AVAILABLE)
    fields.setdefault("heard_at", timezone.now())
    slot = AgentSlot.objects.create(organisation=organisation, user=user, max_units=units, **fields)
    for queue in queues:
        QueueMember.objects.create(queue=queue, agent=slot)
    return slot


def arrival(**fields: Any) -> Arrival:
    """What somebody says who begins a conversation."""
    said: dict[str, Any] = {
        "key": uuid4(),
        "text": "Buenos días, ¿qué papeles necesito?",
        "consent": 1,
        "name": "Ana Visitante",
        "address": "ana@example.org",
        "reason": "consulta",
    }
    return Arrival(**{**said, **fields})


def begin(account: ChannelAccount, **fields: Any) -> tuple[Conversation, str]:
    """A visitor's conversation in its queue, and the token to it."""
    return visiting.start(visiting.account_of(account.public_key), arrival(**fields), PUBLIC)
