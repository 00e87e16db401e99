"""Domain events: one row in the outbox per event, and hints to this process after commit."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.db import transaction

from crm.kit.models import Outbox


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that became true. Subclasses are frozen dataclasses of plain values with a topic."""

    topic: ClassVar[str]


E = TypeVar("E", bound=Event)
_handlers: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(kind: type[E], handler: Callable[[E], None]) -> None:
    """Call the handler in this process after commit: a hint that may be lost, never the effect.

    What may not be lost registers with `crm.kit.outbox.effect(topic)` instead.
    """
    _handlers[kind].append(handler)


def publish(event: Event) -> None:
    """Tell what became true: durably by an outbox row of this transaction, and at once by a hint."""
    Outbox.objects.create(topic=event.topic, payload=dataclasses.asdict(event))
    for handler in _handlers[type(event)]:

        def run(handler: Callable[[Any], None] = handler) -> None:
            handler(event)

        transaction.on_commit(run, robust=True)
